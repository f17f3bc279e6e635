#!/usr/bin/env python3
"""Answers conformance cases with cabinetry 0.6.0, where it has a function of its own: needs cabinetry and pyhf[minuit].

Minuit's tolerance is set far below its default, and its strategy is the most careful one, since answers are compared to six
digits; uncertainties are those of its HESSE, whose derivatives are differences.
"""
import json
import logging
import sys

import protocol
from protocol import Unsupported, finite

sys.path.pop(0)  # this folder, where this very file would be imported as cabinetry

import cabinetry
import numpy as np
import pyhf

logging.disable(logging.WARNING)
EXACT = {"strategy": 2, "tolerance": 1e-7}
ONE_SIGMA = 0.6826894921370859


def model_and_data(request):
    """Of the first measurement of a workspace, which is the one that is asked for."""
    given = request["input"]
    if given.get("interpolation", {"normsys": "code4", "histosys": "code4p"}) != {"normsys": "code4", "histosys": "code4p"}:
        raise Unsupported("interpolation codes other than 4 and 4p")
    document = json.loads(request["documents"]["workspace"])
    document["measurements"].sort(key=lambda measurement: measurement["name"] != given["measurement"])
    pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer(), precision="64b")
    return cabinetry.model_utils.model_and_data(document)


def by_set(model, values):
    return {n: [float(x) for x in np.asarray(values)[model.config.par_slice(n)]] for n in model.config.par_order}


def fit(request):
    model, data = model_and_data(request)
    found = cabinetry.fit.fit(model, data, **EXACT)
    return {
        "valid": True,
        "twice_nll": float(found.best_twice_nll),
        "mle_parameters": by_set(model, found.bestfit),
        "uncertainties": by_set(model, found.uncertainty),
    }


def minos(request):
    given = request["input"]
    if abs(given["level"] - ONE_SIGMA) > 1e-12:
        raise Unsupported("levels other than one standard deviation")
    model, data = model_and_data(request)
    found = cabinetry.fit.fit(model, data, minos=given["parameters"], **EXACT).minos_uncertainty
    sides = {name: found.get(name, (float("nan"), float("nan"))) for name in given["parameters"]}
    return {"intervals": {name: {"lower": finite(-low), "upper": finite(high)} for name, (low, high) in sides.items()}}


def ranking(request):
    if request["input"]["method"] != "refit":
        raise Unsupported("impacts other than those of refits")
    model, data = model_and_data(request)
    best = cabinetry.fit.fit(model, data, **EXACT)
    found = cabinetry.fit.ranking(model, data, fit_results=best, **EXACT)
    kinds = ("prefit_up", "prefit_down", "postfit_up", "postfit_down")
    columns = zip(found.labels, *(getattr(found, kind) for kind in kinds))
    return {"impacts": {label: dict(zip(kinds, map(float, values))) for label, *values in columns}}


def scan(request):
    given = request["input"]
    values = np.array(given["values"], float)
    steps = np.diff(values[:, 0])
    if len(given["parameters"]) != 1 or len(steps) == 0 or np.ptp(steps) > 1e-9 * abs(steps[0]):
        raise Unsupported("scans of one parameter at equal distances")
    model, data = model_and_data(request)
    ends = (values[0, 0], values[-1, 0])
    found = cabinetry.fit.scan(model, data, given["parameters"][0], par_range=ends, n_steps=len(values), **EXACT)
    return {"delta_twice_nll": [float(x) for x in found.delta_nlls]}


def upper_limit(request):
    given = request["input"]
    if given["criterion"] != "CLs" or given["test_stat"] != "qtilde":
        raise Unsupported("CLs by qtilde")
    model, data = model_and_data(request)
    found = cabinetry.fit.limit(model, data, confidence_level=1 - given["level"], poi_tolerance=1e-9, **EXACT)
    return {"observed_limit": float(found.observed_limit), "expected_limit": [float(x) for x in found.expected_limit]}


def asimov(request):
    given = request["input"]
    if given["kind"] == "conditional":
        raise Unsupported("Asimov data of conditional fits")
    model, data = model_and_data(request)
    best = cabinetry.fit.fit(model, data, **EXACT) if given["kind"] == "postfit" else None
    made = cabinetry.model_utils.asimov_data(model, fit_results=best, poi_value=given.get("mu"))
    counts, auxiliary = model.config.nmaindata, {}
    rest = iter(map(float, made[counts:]))
    for name in model.config.auxdata_order:
        auxiliary[name] = [next(rest) for _ in range(model.config.param_set(name).n_parameters)]
    main = {c: [float(x) for x in made[model.config.channel_slices[c]]] for c in model.config.channels}
    return {"data": {"main": main, "auxdata": auxiliary}}


def yields(request):
    model, data = model_and_data(request)
    best = cabinetry.fit.fit(model, data, **EXACT) if request["input"]["kind"] == "postfit" else None
    found = cabinetry.model_utils.prediction(model, fit_results=best)
    channels = {}
    for i, channel in enumerate(model.config.channels):
        rows = np.asarray(found.model_yields[i])
        rows = np.vstack([rows, rows.sum(axis=0)])
        errors, sums = np.asarray(found.total_stdev_model_bins[i]), np.asarray(found.total_stdev_model_channels[i])
        channels[channel] = {
            name: {
                "yields": rows[k].tolist(),
                "uncertainties": errors[k].tolist(),
                "sum": float(rows[k].sum()),
                "sum_uncertainty": float(sums[k]),
            }
            for k, name in enumerate([*model.config.samples, "total"])
        }
    return {"channels": channels}


def about(request):
    return {"program": "cabinetry", "version": f"{cabinetry.__version__} (pyhf {pyhf.__version__})"}


OPERATIONS = {f.__name__: f for f in (about, fit, minos, ranking, scan, upper_limit, asimov, yields)}


def answer(request):
    if request["operation"] not in OPERATIONS:
        return {"unsupported": request["operation"]}
    documents = request["documents"]
    if "hs3" in documents:
        return {"unsupported": "HS3"}
    if any({"eft", "correlations"} & json.loads(text).keys() for text in documents.values()):
        return {"unsupported": "members that pyhf does not know"}
    return protocol.answer(request, OPERATIONS)


if __name__ == "__main__":
    protocol.serve(answer)
