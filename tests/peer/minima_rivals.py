"""The lowest rival minimum of each workspace, computed once and stored."""

import time

import numpy as np

RECIPE = "pyhf 0.7.6 jax: SLSQP, minuit, projected Newton from the start and three seeded random points; 1"


def lowest(entry, store):
    """The stored summary of all rivals of a workspace (see `summary`), computed where it is not there yet."""
    return store.obtain(entry, lambda: summary(entry))


def summary(entry):
    """Every rival's value, and of the lowest in the domain the point, the smallest rate and the flat directions."""
    import peer_pyhf
    import rival_fits

    peer_pyhf.require_version()
    began = time.process_time()
    peer_pyhf.use("numpy")
    model, data = peer_pyhf.load(entry.path)
    peer_pyhf.use("jax")
    found, objective = rival_fits.minima(model, data, entry.seed)
    inside = [item for item in found if item["in_domain"]]
    outside = [item for item in found if not item["in_domain"] and item.get("reported") is not None]
    record = {
        "twice_nll": None,
        "rivals": [{key: item[key] for key in item if key != "point"} for item in found],
        "outside": min((item["reported"] for item in outside), default=None),
    }
    if inside:
        best = min(inside, key=lambda item: item["twice_nll"])
        record |= {key: best[key] for key in ("twice_nll", "rival", "smallest_rate")}
        record |= _at_minimum(model, objective, best["point"])
    record["cpu_s"] = time.process_time() - began
    rival_fits.forget()
    return record


def _at_minimum(model, objective, point):
    """Parameters by name, those at a bound, the directions in which the free Hessian is flat or falls."""
    gradient, hessian = objective.derivatives(point)
    names = model.config.par_names
    free = objective.free(point, gradient)
    at_limit = [name for name, value, low, high, fixed in
                zip(names, point, objective.low, objective.high, objective.fixed)
                if not fixed and (value <= low or value >= high)]
    values = {name: [float(x) for x in point[model.config.par_slice(name)]] for name in model.config.par_order}
    report = {"parameters": values, "at_limit": at_limit, "gradient": None, "flat": []}
    if not (np.all(np.isfinite(gradient)) and np.all(np.isfinite(hessian)) and free.any()):
        return report
    report["gradient"] = float(np.max(np.abs(gradient[free])))
    curvature, axes = np.linalg.eigh(hessian[np.ix_(free, free)])
    report["curvature"] = [float(curvature[0]), float(curvature[-1])]
    labels = np.asarray(names, dtype=object)[free]
    for value, axis in zip(curvature, axes.T):
        if value < 1e-8 * max(1.0, curvature[-1]):
            main = np.argsort(-np.abs(axis))[:4]
            report["flat"].append({"curvature": float(value), "along": {labels[i]: float(axis[i]) for i in main}})
    return report


def reference(entry):
    """The recorded minimum of a reference workspace, in the shape of `summary`."""
    return {"twice_nll": entry.stats["fit"]["twice_nll"], "rival": "recorded", "rivals": [], "outside": None}
