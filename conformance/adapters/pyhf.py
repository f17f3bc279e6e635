#!/usr/bin/env python3
"""Answers conformance cases with pyhf 0.7.6: needs pyhf[jax]==0.7.6.

Values and expected data come from the numpy back end, derivatives and fits (SLSQP, tolerance 1e-12) from jax;
uncertainties from jax's Hessian at that minimum, since those that pyhf prints with Minuit stem from finite differences.
pyhf knows no JSON Pointer outside its schema: semantic findings come without one.
"""
import functools
import json
import logging
import pathlib
import sys
import warnings

import protocol
from protocol import finite

sys.path.pop(0)  # this folder, where this very file would be imported as pyhf

import jax
import jax.numpy as jnp
import jsonpatch
import numpy as np
import pyhf
import scipy.stats

warnings.simplefilter("ignore")
logging.getLogger("pyhf").setLevel(logging.ERROR)


def use(backend):
    optimizer = pyhf.optimize.scipy_optimizer(tolerance=1e-12) if backend == "jax" else None
    pyhf.set_backend(backend, optimizer, precision="64b")


@functools.lru_cache(maxsize=4)
def built(backend, text, measurement, normsys, histosys, clips):
    use(backend)
    workspace = pyhf.Workspace(json.loads(text))
    settings = {"normsys": {"interpcode": normsys}, "histosys": {"interpcode": histosys}}
    settings = {"measurement_name": measurement, "modifier_settings": settings, **dict(clips)}
    try:
        model = workspace.model(**settings)
    except pyhf.exceptions.InvalidModel as e:
        if "parameter of interest" not in str(e):
            raise
        # Values need none: background-only workspaces name one that a patch brings.
        model = workspace.model(poi_name=None, **settings)
    return model, np.array(workspace.data(model), float)


def model_and_data(backend, request):
    given = request["input"]
    codes = given.get("interpolation", {"normsys": "code4", "histosys": "code4p"})
    clips = tuple((k, given[k]) for k in ("clip_sample_data", "clip_bin_data") if k in given)
    use(backend)
    return built(backend, request["documents"]["workspace"], given.get("measurement"), codes["normsys"], codes["histosys"], clips)


def parameters(model, given):
    return np.concatenate([given["parameters"][n] for n in model.config.par_order]).astype(float)


def by_name(model, values):
    return {n: [float(x) for x in np.asarray(values)[model.config.par_slice(n)]] for n in model.config.par_order}


def auxiliary(model, values):
    values, out = iter([float(x) for x in values]), {}
    for n in model.config.auxdata_order:
        out[n] = [next(values) for _ in range(model.config.param_set(n).n_parameters)]
    return out


@functools.lru_cache(maxsize=4)
def derivatives(model):
    """Gradient and Hessian by jax. A bin without yield and data adds 0, but 0/0 to the derivative: left out."""
    n = model.config.nmaindata

    def value(p, data, keep):
        rate = model.expected_data(p, include_auxdata=False)
        terms = pyhf.tensorlib.poisson_logpdf(data[:n], jnp.where(keep, rate, 1.0))
        main = jnp.sum(jnp.where(keep, terms, 0.0))
        return -2 * (main + (model.constraint_logpdf(data[n:], p) if model.config.nauxdata else 0.0))

    return jax.jit(jax.grad(value)), jax.jit(jax.hessian(value))


def kept(model, p, data):
    rate = np.asarray(model.expected_data(jnp.asarray(p), include_auxdata=False))
    return ~((rate == 0) & (data[: model.config.nmaindata] == 0))


def evaluate(request):
    model, data = model_and_data("numpy", request)
    p = parameters(model, request["input"])
    main = model.expected_data(p, include_auxdata=False)
    answer = {
        "twice_nll": finite(-2 * model.logpdf(p, data)[0]),
        "expected_data": {
            "main": by_channel(model, main),
            "auxdata": auxiliary(model, model.expected_auxdata(p) if model.config.nauxdata else []),
        },
    }
    return answer | ({"scales": scales(model, data, p, request["input"])} if request["input"].get("scales") else {})


def by_channel(model, values):
    return {c: [float(x) for x in values[model.config.channel_slices[c]]] for c in model.config.channels}


def scales(model, data, p, given):
    """Sums of the sizes of what is added up in each mean and in the value: rounding is a fraction of them."""
    peers = str(pathlib.Path(__file__).parent.parent.parent / "tests/peer")
    if peers not in sys.path:
        sys.path.append(peers)
    from random_workspaces import Point

    codes = given["interpolation"]
    clips = {k: given[k] for k in ("clip_sample_data", "clip_bin_data") if k in given}
    point = Point(model, data, (codes["normsys"], codes["histosys"]), clips, p, 0)
    return {"twice_nll": finite(point.scale), "main": by_channel(model, point.scales)}


def gradient(request):
    model, data = model_and_data("jax", request)
    p = parameters(model, request["input"])
    return {"gradient": by_name(model, derivatives(model)[0](p, data, kept(model, p, data)))}


def hessian(request):
    model, data = model_and_data("jax", request)
    p = parameters(model, request["input"])
    values = np.asarray(derivatives(model)[1](p, data, kept(model, p, data)))
    return {"hessian": {"labels": model.config.par_names, "values": values.tolist()}}


def fit(request):
    model, data = model_and_data("jax", request)
    best, value = pyhf.infer.mle.fit(data, model, return_fitted_val=True)
    p, fixed = np.array(best, float), np.array(model.config.suggested_fixed())
    bounds, names = np.array(model.config.suggested_bounds(), float), np.array(model.config.par_names)
    free = np.flatnonzero(~fixed)
    h = np.asarray(derivatives(model)[1](p, data, kept(model, p, data)))[np.ix_(free, free)]
    sigma = np.zeros(len(p))
    sigma[free] = np.sqrt(np.diag(2 * np.linalg.inv(h)))
    at_limit = ~fixed & ((p <= bounds[:, 0]) | (p >= bounds[:, 1]))
    return {
        "valid": True,
        "twice_nll": float(value),
        "mle_parameters": by_name(model, p),
        "uncertainties": by_name(model, sigma),
        "at_limit": [str(n) for n in names[at_limit]],
    }


def hypotest(request):
    """Fits by SLSQP with jax's gradient."""
    m, data = model_and_data("jax", request)
    given = request["input"]
    options = dict(test_stat=given["test_stat"], return_tail_probs=True, return_expected_set=True, return_calculator=True)
    cls, (clsb, clb), band, calculator = pyhf.infer.hypotest(given["poi_test"], data, m, **options)
    q = calculator_statistics(calculator, m, data, given["poi_test"])
    return {**q, "CLs_obs": finite(cls), "CLsb": finite(clsb), "CLb": finite(clb), "CLs_exp": [finite(x) for x in band]}


def calculator_statistics(calculator, m, data, poi_test):
    pars = (m.config.suggested_init(), m.config.suggested_bounds(), m.config.suggested_fixed())
    statistic = pyhf.infer.utils.get_test_stat(calculator.test_stat)
    return {"q": float(statistic(poi_test, data, m, *pars)), "q_A": float(calculator.sqrtqmuA_v) ** 2}


def significance(request):
    m, data = model_and_data("jax", request)
    p0, band, calculator = pyhf.infer.hypotest(0.0, data, m, test_stat="q0", return_expected_set=True, return_calculator=True)
    found = calculator_statistics(calculator, m, data, 0.0)
    root = found["q_A"] ** 0.5
    out = {"q0": found["q"], "q_A": found["q_A"], "p0": float(p0), "significance": found["q"] ** 0.5}
    return out | {"p0_exp": [float(p) for p in band], "significance_exp": [root + n for n in (2, 1, 0, -1, -2)]}


def likelihood_ratio(request):
    m, data = model_and_data("jax", request)
    values = request["input"]["values"]
    if list(values) != [m.config.poi_name]:
        raise NotImplementedError("only the POI can be tested")
    t = pyhf.infer.test_statistics.tmu(
        values[m.config.poi_name], data, m, m.config.suggested_init(), m.config.suggested_bounds(), m.config.suggested_fixed()
    )
    return {"t": float(t), "p_value": float(scipy.stats.chi2.sf(t, 1))}


def upper_limit(request):
    """toms748_scan with numpy: its cache does not take jax's numbers. From just above 0, where its CLs is NaN."""
    m, data = model_and_data("numpy", request)
    given = request["input"]
    if given["criterion"] != "CLs":
        raise NotImplementedError("CLs only")
    low, high = m.config.suggested_bounds()[m.config.poi_index]
    observed, band = pyhf.infer.intervals.upper_limits.toms748_scan(
        data, m, max(low, 1e-3 * high), high, level=given["level"], rtol=1e-8, test_stat=given["test_stat"]
    )
    return {"observed_limit": float(observed), "expected_limit": [float(x) for x in band]}


def model(request):
    m, _ = model_and_data("numpy", request)
    # A set without bounds, such as a lumi that the measurement does not describe, is found here; no fit is possible.
    m.config.suggested_init(), m.config.suggested_bounds()
    sets = []
    for n in m.config.par_order:
        ps = m.config.param_set(n)
        entry = {"name": n, "scalar": ps.is_scalar, "init": ps.suggested_init, "bounds": ps.suggested_bounds}
        entry |= {"fixed": [bool(x) for x in ps.suggested_fixed], "constraint": None}
        if ps.constrained:
            normal = ps.pdf_type == "normal"
            entry |= {"constraint": "gaussian" if normal else "poisson", "auxdata": ps.auxdata}
            entry["sigmas" if normal else "factors"] = ps.width() if normal else ps.factors
        sets.append(entry)
    channels = [{"name": c, "bins": m.config.channel_nbins[c]} for c in m.config.channels]
    return {"poi": m.config.poi_name, "channels": channels, "samples": m.config.samples, "parameters": sets, "auxdata_order": m.config.auxdata_order}


def validate(request):
    source, kind = request["documents"]["document"], request["input"]["kind"]
    try:
        document = json.loads(source)
        if kind == "patchset":
            pyhf.PatchSet(document)
        else:
            workspace = pyhf.Workspace(document)
            m = workspace.model()
            m.logpdf(m.config.suggested_init(), workspace.data(m))
    except Exception as e:
        return {"valid": False, "findings": [finding(e)]}
    return {"valid": True, "findings": []}


def finding(e):
    out = {"class": class_of(e), "severity": "error", "message": str(e)[:200]}
    if isinstance(e, pyhf.exceptions.InvalidSpecification):
        cause = e.__cause__ or e.__context__
        out["pointer"] = "".join(f"/{key}" for key in getattr(cause, "absolute_path", []))
    return out


def class_of(e):
    names = {"JSONDecodeError": "SyntaxError", "JsonPatchTestFailed": "PatchTestFailed", "InvalidJsonPatch": "InvalidSpecification"}
    names |= {n: "PatchApplicationError" for n in ("JsonPatchConflict", "JsonPatchPathNotFound", "JsonPointerException")}
    return names.get(type(e).__name__, type(e).__name__)


def patch(request):
    documents = request["documents"]
    workspace = json.loads(documents["workspace"])
    if "patchset" in documents:
        patchset = pyhf.PatchSet(json.loads(documents["patchset"]))
        return {"document": dict(patchset.apply(pyhf.Workspace(workspace), request["input"]["name"]))}
    return {"document": jsonpatch.JsonPatch(json.loads(documents["patch"])).apply(workspace)}


def patchset_verify(request):
    patchset = pyhf.PatchSet(json.loads(request["documents"]["patchset"]))
    patchset.verify(pyhf.Workspace(json.loads(request["documents"]["workspace"])))
    return {"verified": True}


def patchset_lookup(request):
    patchset, given = pyhf.PatchSet(json.loads(request["documents"]["patchset"])), request["input"]
    found = patchset[given["name"] if "name" in given else tuple(given["values"])]
    return {"name": found.name, "values": list(found.values)}


def digest(request):
    return {"digest": pyhf.utils.digest(json.loads(request["documents"]["document"]), algorithm=request["input"]["algorithm"])}


def combine(request):
    """In the order of the documents' names, two at a time, as pyhf combines two."""
    if "scheme" in request["documents"] or "prefix_channels" in request["input"]:
        raise NotImplementedError("schemes and labels")
    given, parts = request["input"], [pyhf.Workspace(json.loads(text)) for _, text in sorted(request["documents"].items())]
    step = functools.partial(pyhf.Workspace.combine, join=given.get("join", "none"), merge_channels=given.get("merge_channels", False))
    return {"document": dict(functools.reduce(step, parts))}


def patchset_extract(request):
    patchset = pyhf.PatchSet(json.loads(request["documents"]["patchset"]))
    return {"patch": list(patchset[request["input"]["name"]].patch)}


def build(request):
    given = request["input"]
    model = pyhf.Workspace(json.loads(request["documents"]["model"])).model()
    return {"document": dict(pyhf.Workspace.build(model, given["data"]))}


def workspace_of(request):
    return pyhf.Workspace(json.loads(request["documents"]["workspace"]))


def prune(request):
    if {"selectors", "smaller_than"} & request["input"].keys():
        raise NotImplementedError("selectors and sizes")
    return {"document": dict(workspace_of(request).prune(**request["input"]))}


def rename(request):
    return {"document": dict(workspace_of(request).rename(**request["input"]))}


def sort(request):
    return {"document": dict(pyhf.Workspace.sorted(workspace_of(request)))}


def about(request):
    return {"program": "pyhf", "version": pyhf.__version__}


OPERATIONS = {f.__name__: f for f in (about, combine, prune, rename, sort, validate, model, evaluate, gradient, hessian, fit, hypotest, likelihood_ratio, significance, upper_limit, patch, patchset_verify, patchset_lookup, patchset_extract, build, digest)}


def is_extended(text):
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and bool({"eft", "correlations"} & document.keys())


def answer(request):
    if request["operation"] not in OPERATIONS:
        return {"unsupported": request["operation"]}
    if "hs3" in (*request["documents"], request["input"].get("kind")):
        return {"unsupported": "HS3"}
    if any(is_extended(text) for text in request["documents"].values()):
        return {"unsupported": "members that pyhf does not know"}
    return protocol.answer(request, OPERATIONS, class_of)


if __name__ == "__main__":
    protocol.serve(answer)
