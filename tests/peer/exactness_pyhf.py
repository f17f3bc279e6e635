"""pyhf's exact numbers for one workspace: the model's configuration, and values at the start and at random points."""

import numpy as np
import peer_pyhf

RECIPE = "pyhf 0.7.6 numpy 64b: configuration, start and two seeded random points; 1"
REFERENCE_RECIPE = "pyhf 0.7.6 numpy 64b: configuration, sums of terms at the recorded points; 1"


def corpus_numbers(entry):
    """Configuration and the points of a workspace: the start, where it lies in the domain, and two random ones."""
    peer_pyhf.use("numpy")
    model, data = peer_pyhf.load(entry.path)
    start, *_ = peer_pyhf.arrays(model)
    points = [(f"random {i}", point) for i, point in enumerate(peer_pyhf.random_points(model, data, entry.seed, 2))]
    if peer_pyhf.in_domain(peer_pyhf.main_rates(model, start), data[: model.config.nmaindata]):
        points.insert(0, ("init", start))
    return {"config": config(model), "points": [at_point(model, data, label, point) for label, point in points]}


def reference_numbers(entry):
    """The recorded points of a reference workspace with the recorded values; only the scales are computed now."""
    peer_pyhf.use("numpy")
    model, data = peer_pyhf.load(entry.path)
    linear, _ = peer_pyhf.load(entry.path, peer_pyhf.LINEAR_CODES)
    record = {"config": config(model), "points": []}
    for recorded in entry.stats["points"]:
        point = at_point(model, data, recorded["label"], recorded["pars"])
        point["twice_nll"] = recorded["twice_nll"]
        point["expected_main"] = by_channel(model, recorded["expected_main"])
        point["expected_auxdata"] = recorded["expected_aux"]
        point["interpolation"] = None
        record["points"].append(point)
        if recorded["twice_nll_code1_code0"] is not None:
            point = at_point(linear, data, recorded["label"] + ", code1/code0", recorded["pars"])
            point["twice_nll"] = recorded["twice_nll_code1_code0"]
            point["interpolation"] = "normsys=code1,histosys=code0"
            record["points"].append(point)
    return record


def config(model):
    """What `morphist inspect --model` prints."""
    names = model.config
    return {
        "par_names": list(names.par_names),
        "suggested_init": [float(value) for value in names.suggested_init()],
        "suggested_bounds": [[float(low), float(high)] for low, high in names.suggested_bounds()],
        "suggested_fixed": [bool(flag) for flag in names.suggested_fixed()],
        "auxdata": [float(value) for value in names.auxdata],
        "auxdata_order": list(names.auxdata_order),
        "poi": names.poi_name,
    }


def at_point(model, data, label, point):
    """Value and expectations at a point, each with the sum of the sizes of the terms in it."""
    point = np.asarray(point, dtype=float)
    names = model.config
    expected = np.asarray(model.expected_data(point))
    return {
        "label": label,
        "parameters": {name: [float(x) for x in point[names.par_slice(name)]] for name in names.par_order},
        "twice_nll": peer_pyhf.twice_nll(model, data, point),
        "scale": peer_pyhf.sum_of_terms(model, data, point),
        "expected_main": by_channel(model, expected[: names.nmaindata]),
        "scale_main": by_channel(model, peer_pyhf.sum_of_rate_terms(model, point)),
        "expected_auxdata": [float(x) for x in expected[names.nmaindata :]],
    }


def by_channel(model, values):
    return {name: [float(x) for x in values[part]] for name, part in model.config.channel_slices.items()}
