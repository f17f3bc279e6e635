"""Small workspaces to combine, prune, rename and sort, and how one is changed to have an item in common with another."""
import copy
import json
import pathlib

FIXTURES = pathlib.Path(__file__).parent.parent / "fixtures"


def fixture(name):
    return json.loads((FIXTURES / name / "workspace.json").read_text())


def modifier(kind, name, data=None):
    return {"name": name, "type": kind, "data": data}


def sample(name, data, *modifiers):
    return {"name": name, "data": data, "modifiers": list(modifiers)}


def workspace(channels, observed, measurements, version="1.0.0"):
    """Samples by channel, counts by channel, and (POI, parameter configurations) by measurement."""
    return {
        "channels": [{"name": name, "samples": samples} for name, samples in channels.items()],
        "observations": [{"name": name, "data": data} for name, data in observed.items()],
        "measurements": [{"name": name, "config": {"poi": poi, "parameters": parameters}} for name, (poi, parameters) in measurements.items()],
        "version": version,
    }


MU = modifier("normfactor", "mu")


def signal(*data):
    return sample("signal", list(data), MU)


def background(*data, name="bkg_norm", lo=0.9, hi=1.1):
    return sample("background", list(data), modifier("normsys", name, {"lo": lo, "hi": hi}))


def region(name, measurement="fit", poi="mu", parameters=(), scale=1, counts=None):
    """One channel of two bins, with a signal and a background."""
    samples = [signal(3.0 * scale, 5.0 * scale), background(40.0 * scale, 30.0 * scale)]
    return workspace({name: samples}, {name: counts or [41 * scale, 37 * scale]}, {measurement: (poi, list(parameters))})


def lumi(auxdata, sigma, **more):
    return {"name": "lumi", "inits": [auxdata], "bounds": [[0.5, 1.5]], "auxdata": [auxdata], "sigmas": [sigma], **more}


def luminous(name, measurement, auxdata, sigma, counts):
    """A channel that depends on the luminosity, with its measurement."""
    both = [sample("signal", [3.0, 5.0], MU, modifier("lumi", "lumi")), background(40.0, 30.0)]
    return workspace({name: both}, {name: counts}, {measurement: ("mu", [lumi(auxdata, sigma)])})


def edited(document, edit):
    """A copy that `edit` changed."""
    document = copy.deepcopy(document)
    edit(document)
    return document


def rich():
    """Two channels, three samples, modifiers of every type, and two measurements that configure them."""
    signal_sr = sample("signal", [2.0, 6.0, 3.0], MU, modifier("lumi", "lumi"), modifier("staterror", "stat_SR", [0.2, 0.4, 0.3]))
    top = sample(
        "top", [30.0, 22.0, 11.0],
        modifier("histosys", "JES", {"lo_data": [28.0, 22.5, 11.5], "hi_data": [33.0, 21.0, 10.0]}),
        modifier("normsys", "JES", {"lo": 0.96, "hi": 1.05}),
        modifier("staterror", "stat_SR", [1.5, 1.2, 0.8]),
        modifier("normfactor", "k_top"),
    )
    multijet = sample("multijet", [4.0, 2.0, 1.0], modifier("shapesys", "mj_SR", [1.0, 0.5, 0.5]), modifier("lumi", "lumi"))
    top_cr = sample("top", [210.0, 180.0], modifier("normfactor", "k_top"), modifier("normsys", "JES", {"lo": 0.97, "hi": 1.02}))
    fakes_cr = sample("multijet", [15.0, 25.0], modifier("shapefactor", "mj_shape"), modifier("normsys", "pdf", {"lo": 0.8, "hi": 1.2}))
    parameters = [lumi(1.0, 0.02), {"name": "k_top", "inits": [1.1], "bounds": [[0.0, 5.0]]}, {"name": "JES", "fixed": True}]
    return workspace(
        {"SR": [signal_sr, top, multijet], "CR": [top_cr, fakes_cr]},
        {"CR": [224, 199], "SR": [35, 31, 18]},
        {"with_k": ("mu", parameters), "plain": ("mu", [lumi(1.0, 0.03)])},
    )


def untidy():
    """Nothing in the order that `sort` gives; names whose order is that of code points."""
    flat = lambda name, data, *modifiers: sample(name, data, *modifiers)
    channels = {
        "b": [flat("zeta", [3, 4.0], modifier("normsys", "syst", {"lo": 0.9, "hi": 1.1}), modifier("histosys", "syst", {"lo_data": [2.5, 4.5], "hi_data": [3.5, 3.5]}), MU), flat("Zeta", [1.5, 2.0], modifier("normsys", "é", {"lo": 0.95, "hi": 1.02}), modifier("normsys", "a", {"lo": 0.9, "hi": 1.2}))],
        "B": [flat("é", [7.0], MU), flat("e", [2], modifier("normsys", "syst", {"lo": 0.8, "hi": 1.3}))],
        "10": [flat("zeta", [5.0, 6.0, 7.0], modifier("normsys", "a", {"lo": 0.9, "hi": 1.1}))],
        "9": [flat("zeta", [9.0], modifier("normsys", "𝒳", {"lo": 0.9, "hi": 1.1}), modifier("normsys", "ﬀ", {"lo": 0.9, "hi": 1.1}))],
    }
    parameters = [{"name": "syst", "inits": [0.5]}, {"name": "mu", "bounds": [[0.0, 3.0]]}, {"name": "a", "fixed": True}]
    return workspace(channels, {"9": [8], "b": [5, 7.0], "10": [5, 6, 9], "B": [11]}, {"second": ("mu", parameters), "First": ("mu", [])})
