"""EFT documents as HS3 in the forms of spec/eft-hs3.md, written by hand, and what -ln L of each is by the formulae of
spec/eft.md and spec/likelihood.md. Some hold the document itself under the keys of section 6.

Written with math and numpy alone, from the chapters.
"""
import math

import numpy as np

from hs3_documents import BACKGROUND, COUNTS, ROOT, bins, channel, counts, document, edited, factor, gauss, histosys, normsys, sample

C = {"c1": (0.0, -3.0, 3.0), "c2": (0.0, -3.0, 3.0)}
XS = {"xs": (0.0, -5.0, 5.0)}
AT = {"c1": 0.7, "c2": -0.4, "xs": 0.6}
OF_XS = {"name": "of_xs", "type": "gaussian_dist", "x": "obs_of_xs", "mean": "xs", "sigma": 1.0}
OBSERVED_XS = {"obs_of_xs": (0.0, None, None)}
LO, HI = 0.9, 1.15
# Of the signal, a bin each: the Standard Model, and what c1, c1^2, c1 c2 and c2^2 add to it.
MONOMIALS = [[], ["c1"], ["c1", "c1"], ["c1", "c2"], ["c2", "c2"]]
TERMS = [[6.0, 9.0], [-1.2, 0.8], [0.7, 1.1], [-0.4, 0.3], [0.5, 0.25]]


def generic(name, expression):
    return {"name": name, "type": "generic_function", "expression": expression}


def normsys_xs():
    return normsys("xs", LO, HI, constraint_name="of_xs") | {"parameter": "xs"}


def factor_of(name):
    """A function as the factor of a sample."""
    return {"name": name, "type": "normfactor", "parameter": name}


def monomials(c1, c2):
    return [1.0, c1, c1 * c1, c1 * c2, c2 * c2]


def polynomial(c1, c2, terms=None):
    """Of each bin."""
    return [sum(m * t[b] for m, t in zip(monomials(c1, c2), terms or TERMS)) for b in range(2)]


def background(xs):
    return [b * factor("mult_poly6_exp", xs, 1.0, LO, HI) for b in BACKGROUND]


def nll_of(signal, xs):
    return bins(COUNTS, [b + s for b, s in zip(background(xs), signal)]) + gauss(0.0, xs, 1.0)


def expanded(samples, functions, parameters=None, distributions=(), constants=(), package=None, **more):
    """One channel with a background."""
    all_samples = [sample("background", BACKGROUND, normsys_xs()), *samples]
    own = {**C, **XS, **(parameters or {})}
    constants = {**OBSERVED_XS, **dict(constants)}
    return document([channel("SR", all_samples), OF_XS, *distributions], [counts("SR", COUNTS)], own, package, functions=functions, constants=constants, **more)


# --- the forms of section 2 to 4 -------------------------------------------------------------------------------------

PHI = [generic("eft_c1", "c1"), generic("eft_c1_c1", "c1*c1"), generic("eft_c1_c2", "c1*c2"), generic("eft_c2_c2", "c2*c2")]


def of_monomials():
    """A sample for each monomial."""
    standard, *others = TERMS
    samples = [sample("signal__eft__SM", standard)]
    samples += [sample(f"signal_{f['name']}", terms, factor_of(f["name"])) for f, terms in zip(PHI, others)]
    return expanded(samples, PHI)


def as_formula(terms, divided_by=1.0):
    words = ["", "*c1", "*c1*c1", "*c1*c2", "*c2*c2"]
    return "+".join(f"({t / divided_by!r}){word}" for t, word in zip(terms, words))


TILT = {"tilt": (0.0, -5.0, 5.0)}
OF_TILT = {"name": "of_tilt", "type": "gaussian_dist", "x": "obs_of_tilt", "mean": "tilt", "sigma": 1.0}
TILT_LO, TILT_HI = [4.4, 9.6], [7.1, 8.5]


def of_bins(raised=(0.0, 0.0)):
    """One sample with histosys and a function for each bin; eq. 2 where templates are raised."""
    functions = [generic(f"eft_{b}", as_formula([t[b] for t in TERMS], TERMS[0][b])) for b in range(2)]
    up = lambda values: [x + r for x, r in zip(values, raised)]
    responses = {"name": "eft_signal", "type": "shapefactor", "parameters": ["eft_0", "eft_1"]}
    tilt = histosys("tilt", up(TILT_LO), up(TILT_HI), constraint_name="of_tilt") | {"parameter": "tilt"}
    samples = [sample("signal", up(TERMS[0]), tilt, responses)]
    if any(raised):
        samples.append(sample("signal__offset", [-r for r in raised], responses))
    # ROOT ends moved templates at zero: in this form there are none below.
    return expanded(samples, functions, TILT, [OF_TILT], {"obs_of_tilt": (0.0, None, None)}, ROOT if any(raised) else None)


def moved(tilt):
    """Code 4p."""
    return [n * factor("add_poly6", tilt, n, lo, hi) for n, lo, hi in zip(TERMS[0], TILT_LO, TILT_HI)]


VARIANCES = [[0.8, 0.5], [0.1, 0.2], [0.3, 0.15]]  # of 1, c1 and c1^2
ETA = {"eta_SR_0": (0.0, -10.0, 10.0), "eta_SR_1": (0.0, -10.0, 10.0)}


def uncertain():
    """eta_b sqrt(v_b) beside the monomials."""
    file = of_monomials()
    roots = [generic(f"mc_{b}", f"eta_SR_{b}*sqrt({VARIANCES[0][b]!r}+({VARIANCES[1][b]!r})*c1+({VARIANCES[2][b]!r})*c1*c1)") for b in range(2)]
    inert = [normsys(f"eta_SR_{b}", 1.0, 1.0, constraint_name=f"of_eta_{b}") | {"parameter": f"eta_SR_{b}"} for b in range(2)]
    statistics = sample("mc_stat", [1.0, 1.0], {"name": "mc", "type": "shapefactor", "parameters": ["mc_0", "mc_1"]}, *inert)
    constraints = [{"name": f"of_eta_{b}", "type": "gaussian_dist", "x": f"obs_of_eta_{b}", "mean": f"eta_SR_{b}", "sigma": 1.0} for b in range(2)]
    samples = [*file["distributions"][0]["samples"][1:], statistics]
    return expanded(samples, [*PHI, *roots], ETA, constraints, {f"obs_of_eta_{b}": (0.0, None, None) for b in range(2)})


def variances(c1):
    return [v0 + v1 * c1 + v2 * c1 * c1 for v0, v1, v2 in zip(*VARIANCES)]


def with_eta(signal, xs, c1, eta):
    nu = [b + s + e * math.sqrt(v) for b, s, e, v in zip(background(xs), signal, eta, variances(c1))]
    return bins(COUNTS, nu) + gauss(0.0, xs, 1.0) + sum(gauss(0.0, e, 1.0) for e in eta)


def best_eta(signal, xs, c1):
    """eq. 15 of eft.md"""
    out = []
    for b, s, v, n in zip(background(xs), signal, variances(c1), COUNTS):
        mean = b + s
        best = (mean - v + math.sqrt((mean - v) ** 2 + 4 * v * n)) / 2
        out.append((best - mean) / math.sqrt(v))
    return out


MEASURED, COVARIANCE = [3.4, 1.1], [[0.25, 0.1], [0.1, 0.16]]
PREDICTION = [[3.0, 0.5, 0.1], [1.25, -0.3, 0.05]]  # of 1, c1 and c2


def measured():
    """Two correlated points as two Gaussians, eq. 5; a normfactor whose function is 1 names each."""
    (v00, v01), (_, v11) = COVARIANCE
    terms = lambda p: f"({p[0]!r})+({p[1]!r})*c1+({p[2]!r})*c2"
    functions = [generic("t_0", terms(PREDICTION[0])), generic("t_1", terms(PREDICTION[1]))]
    functions.append(generic("t_1_given", f"t_1+({v01 / v00!r})*({MEASURED[0]!r}-t_0)"))
    functions += [generic(f"width_{i}", repr(x)) for i, x in enumerate([math.sqrt(v00), math.sqrt(v11 - v01 * v01 / v00)])]
    functions += [generic("one_0", "1.0"), generic("one_1", "1.0")]
    points = [{"name": f"of_d_{i}", "type": "gaussian_dist", "x": f"obs_of_d_{i}", "mean": mean, "sigma": f"width_{i}"} for i, mean in enumerate(["t_0", "t_1_given"])]
    file = expanded([sample("signal__eft__SM", TERMS[0])], functions, None, points, {f"obs_of_d_{i}": (d, None, None) for i, d in enumerate(MEASURED)}, aux=["of_d_0", "of_d_1"])
    for i in range(2):
        file["distributions"][0]["samples"][0]["modifiers"].append(factor_of(f"one_{i}") | {"constraint_name": f"of_d_{i}"})
    return file


def nll_of_measured(c1, c2):
    r = np.array([d - p[0] - p[1] * c1 - p[2] * c2 for d, p in zip(MEASURED, PREDICTION)])
    v = np.array(COVARIANCE)
    return float(r @ np.linalg.solve(v, r) + math.log(np.linalg.det(2 * math.pi * v))) / 2


# --- the document itself, section 6 ----------------------------------------------------------------------------------


def response(terms=TERMS, **more):
    data = {"mode": "absolute", "monomials": MONOMIALS, "coefficients": terms, "truncation": "none", **more}
    return {"name": "response", "type": "eft_polynomial", "data": data}


def own_samples(signal):
    of_background = {"name": "background", "data": BACKGROUND, "modifiers": [{"name": "xs", "type": "normsys", "data": {"lo": LO, "hi": HI}}]}
    return [of_background, {"name": "signal", "data": TERMS[0], "modifiers": [signal]}]


def layer(parameters=("xs", "c1", "c2"), eta=(), **more):
    basis = {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"}
    coefficients = [{"name": name, "bounds": [low, high]} for name, (_, low, high) in C.items()]
    eft = {"version": "0.1.0", "basis": basis, "wilson_coefficients": coefficients}
    measurement = {"name": "analysis", "config": {"poi": "c1", "parameters": []}}
    own = {"version": "0.1.0", "channels": {"SR": "SR"}, "eft": eft, "eta": list(eta), "measurements": [measurement], "parameters": list(parameters)}
    return own | more


def with_document(file, signal=None, **more):
    """The file with the document beside it: each sample of that at the first which stands for it."""
    of_background, of_signal = own_samples(signal or response())
    samples = ["distributions", 0, "samples"]
    edits = [([*samples, 0, "morphist:eft"], of_background), ([*samples, 1, "morphist:eft"], of_signal)]
    return edited(file, *edits, (["misc"], {"morphist": layer(**more)}))


def uncertain_response():
    return response(mc_stat={"kind": "w2", "monomials": [[], ["c1"], ["c1", "c1"]], "variances": VARIANCES})


def linear():
    """What `max_np_order` 1 leaves of the response."""
    file = of_monomials()
    return edited(file, (["distributions", 0, "samples"], file["distributions"][0]["samples"][:3]), (["functions"], PHI[:1]))


def cases():
    """(id, chapter, document, input, parameters, (-ln L, RooFit's))"""
    spec = "eft-hs3.md"
    of_terms = polynomial(AT["c1"], AT["c2"])
    nll = nll_of(of_terms, AT["xs"])
    both = lambda x: (x, x)
    yield "eft/monomials", f"{spec}, section 2", of_monomials(), {}, AT, both(nll)
    yield "eft/document", f"{spec}, section 6", with_document(of_monomials()), {}, AT, both(nll)
    tilted = [m * p / n for m, p, n in zip(moved(-0.7), of_terms, TERMS[0])]
    of_tilted = nll_of(tilted, AT["xs"]) + gauss(0.0, -0.7, 1.0)
    yield "eft/bins", f"{spec}, section 2", of_bins(), {}, {**AT, "tilt": -0.7}, both(of_tilted)
    assert min(moved(-4.8)) < 0
    steep = {**AT, "tilt": -4.8}
    tilted = [m * p / n for m, p, n in zip(moved(-4.8), of_terms, TERMS[0])]
    of_steep = nll_of(tilted, AT["xs"]) + gauss(0.0, -4.8, 1.0)
    yield "eft/offset_pair", f"{spec}, eq. 2", of_bins((16.0, 4.0)), {}, steep, both(of_steep)
    eta = [0.8, -0.5]
    at = {**AT, "eta_SR_0": eta[0], "eta_SR_1": eta[1]}
    yield "eft/mc_stat", f"{spec}, section 3", uncertain(), {}, at, both(with_eta(of_terms, AT["xs"], AT["c1"], eta))
    best = with_eta(of_terms, AT["xs"], AT["c1"], best_eta(of_terms, AT["xs"], AT["c1"]))
    profiled = with_document(uncertain(), uncertain_response(), eta=list(ETA))
    yield "eft/mc_stat/document", f"{spec}, eq. 4", profiled, {}, AT, both(best)
    nll_measured = nll_of(TERMS[0], AT["xs"]) + nll_of_measured(AT["c1"], AT["c2"])
    yield "eft/measurement", f"{spec}, eq. 5", measured(), {}, AT, both(nll_measured)
    first = polynomial(AT["c1"], AT["c2"], [t if i < 2 else [0.0, 0.0] for i, t in enumerate(TERMS)])
    ended = with_document(linear(), max_np_order=1)
    yield "eft/document/max_np_order", f"{spec}, section 6", ended, {}, AT, both(nll_of(first, AT["xs"]))
    # The rest of the file counts where the document says something else, or is of another version.
    other = [[1.5 * x for x in t] for t in TERMS]
    yield "eft/document/contradicts", f"{spec}, section 6, 3", with_document(of_monomials(), response(other)), {}, AT, both(nll)
    yield "eft/document/other_version", f"{spec}, section 6, 3", with_document(of_monomials(), version="9.0.0"), {}, AT, both(nll)
    ignored = edited(of_monomials(), (["distributions", 0, "samples", 1, "other:eft"], {"any": "thing"}), (["misc"], {"other": 1}))
    yield "eft/other_keys", f"{spec}, section 6, 1", ignored, {}, AT, both(nll)


def events():
    """A response of a database that is not there."""
    of_axes = [{"observable": "pt", "edges": [0.0, 1.0, 2.0]}]
    data = {"database": "gone", "axes": of_axes, "underflow": "drop", "overflow": "drop", "truncation": "none", "mc_stat": "none"}
    database = {
        "name": "gone", "uri": "gone.parquet", "sha256": "0" * 64, "media_type": "application/vnd.apache.parquet", "n_rows": 1,
        "observables": {"pt": {"column": "pt", "unit": "GeV"}},
        "weights": {"parameters": ["c1"], "basis_points": [[0.0], [1.0]], "columns": ["w0", "w1"], "components": {"monomials": [[], ["c1"]]}},
        "normalisation": {"kind": "yield"},
    }
    return {"name": "response", "type": "eft_events", "data": data}, {**layer()["eft"], "event_databases": [database]}


def invalid():
    """(id, chapter, document, input, valid, rule, class, pointers)"""
    spec = "eft-hs3.md, section 6, 3"
    file, at = of_monomials(), ["/misc/morphist", ""]
    yield "eft/document", "eft-hs3.md, section 6", with_document(file), {"strict": True}, True, None, None, None
    yield "eft/other_keys", "eft-hs3.md, section 6, 1", edited(file, (["distributions", 0, "samples", 1, "other:eft"], 1)), {"strict": True}, True, None, None, None
    told = ("W456", "ExtensionMismatch", at)
    sound = with_document(file)
    own = ["misc", "morphist"]
    yield "eft/version", spec, edited(sound, ([*own, "version"], "9.0.0")), {}, True, *told
    yield "eft/no_version", spec, edited(sound, ([*own, "version"], None)), {}, True, *told
    for key in ("channels", "eft", "eta", "measurements", "parameters"):
        yield f"eft/no_{key}", spec, edited(sound, ([*own, key], None)), {}, True, *told
    yield "eft/unknown_key", spec, edited(sound, ([*own, "colour"], "red")), {}, True, *told
    yield "eft/no_object", spec, edited(sound, (own, "eft")), {}, True, *told
    yield "eft/other_channel", spec, edited(sound, ([*own, "channels"], {"CR": "SR"})), {}, True, *told
    yield "eft/too_many_channels", spec, edited(sound, ([*own, "channels", "CR"], "CR")), {}, True, *told
    yield "eft/no_such_parameter", spec, edited(sound, ([*own, "parameters", 2], "c3")), {}, True, *told
    yield "eft/too_few_parameters", spec, edited(sound, ([*own, "parameters"], ["xs", "c1"])), {}, True, *told
    yield "eft/no_such_eta", spec, edited(sound, ([*own, "eta"], ["eta_SR_0"])), {}, True, *told
    yield "eft/no_sample", spec, edited(sound, (["distributions", 0, "samples", 1, "morphist:eft"], None)), {}, True, *told
    yield "eft/unsound_document", spec, edited(sound, ([*own, "eft", "wilson_coefficients", 0, "bounds"], [3.0, 1.0])), {}, True, *told
    yield "eft/no_measurement", spec, edited(sound, ([*own, "measurements"], [])), {}, True, *told
    yield "eft/contradicts", spec, edited(sound, (["distributions", 0, "samples", 1, "data", "contents", 0], 6.5)), {}, True, *told
    yield "eft/data_moved", spec, edited(sound, (["distributions", 0, "samples", 0, "modifiers", 0, "data", "hi"], 1.16)), {}, True, *told
    yield "eft/order_too_low", spec, with_document(file, max_np_order=1), {}, True, *told
    modifier, eft = events()
    yield "eft/no_database", "eft-hs3.md, section 6, 3 and 4", with_document(file, modifier, eft=eft), {}, True, *told
