#!/usr/bin/env python3
"""Writes conformance/cases/*.json and manifest.json from the numbers recorded in fixtures/*/expected.json and inference.json.

Needs jsonpatch for the patched documents, scipy for normal and Poisson probabilities, and pyhf 0.7.6 for what it answers to
operations on workspaces. Nothing here asks the program under test.
"""
import hashlib
import json
import math
import pathlib
import re

import jsonpatch

import edit_cases
import eft_hs3_documents
import hs3_documents
import inference_cases
import invalid_documents
import modifier_cases
import operation_cases
import quirk_cases
import rule_cases

HERE = pathlib.Path(__file__).parent
TOP = HERE.parent
DIGEST_SOURCE = "sha256 and md5 of json.dumps(document, sort_keys=True, ensure_ascii=False), Python"


def text(value):
    """JSON with innermost lists on one line."""
    collapse = lambda m: re.sub(r"\s+", " ", m.group(0)).replace("[ ", "[").replace(" ]", "]")
    return re.sub(r"\[[^\[\]{}\"]*\]", collapse, json.dumps(value, indent=1, ensure_ascii=False)) + "\n"


def case(id, spec, document, operation, input, expect, tolerance, provenance):
    return dict(id=id, spec=spec, document=document, operation=operation, input=input, expect=expect, tolerance=tolerance, provenance=provenance)


def largest(values):
    return max((abs(x) for row in values for x in row), default=0.0)


def numeric_cases(name, expected):
    document = {"workspace": {"file": f"fixtures/{name}/workspace.json"}}
    source = f"{expected['provenance']['program']}; {expected['provenance']['command']}"
    several = len(expected["measurements"]) > 1
    for m in expected["measurements"]:
        prefix = f"{name}/{m['name']}" if several else name
        which = {"measurement": m["name"]}
        keys = ("poi", "channels", "samples", "parameters", "auxdata_order")
        yield case(f"{prefix}/model", "workspace.md; modifiers.md, table 1", document, "model", which, {k: m[k] for k in keys}, {"parameters": {"rel": 1e-15}}, source)
        for point in m["points"]:
            for e in point["evaluations"]:
                yield from point_cases(prefix, document, which, point, e, source)
        if "fit" in m:
            yield fit_case(prefix, document, which, m["fit"], f"{source}; {expected['provenance']['minimum']}")


def point_cases(prefix, document, which, point, e, source):
    clips = {k: e[k] for k in ("clip_sample_data", "clip_bin_data") if k in e}
    codes = e["interpolation"]
    tag = "_".join([codes["normsys"], codes["histosys"], *(f"{k}={v}" for k, v in clips.items())])
    input = {**which, "interpolation": codes, **clips, "parameters": point["parameters"]}
    main = e["expected_data"]["main"].values()
    tolerance = {"twice_nll": {"rel": 1e-12, "abs": 4e-16 * e["sum_of_absolute_terms"]}, "expected_data": {"rel": 1e-12, "abs": 1e-13 * largest(main)}}
    expect = {"twice_nll": e["twice_nll"], "expected_data": e["expected_data"]}
    yield case(f"{prefix}/evaluate/{point['label']}/{tag}", "likelihood.md, eq. 1 to 5", document, "evaluate", input, expect, tolerance, source)
    if "gradient" in e:
        allowed = 1e-9 if "automatic" in e["derivatives_from"] else 1e-6
        tolerance = {"gradient": {"rel": allowed, "abs": allowed * max(1, largest(e["gradient"].values()))}}
        spec = "likelihood.md, eq. 10" if "one-sided" not in e["derivatives_from"] else "interpolation.md, eq. 6; likelihood.md, eq. 10"
        yield case(f"{prefix}/gradient/{point['label']}/{tag}", spec, document, "gradient", input, {"gradient": e["gradient"]}, tolerance, e["derivatives_from"])
    if "hessian" in e:
        tolerance = {"hessian": {"rel": 1e-9, "abs": 1e-9 * max(1, largest(e["hessian"]["values"]))}}
        yield case(f"{prefix}/hessian/{point['label']}/{tag}", "likelihood.md, eq. 11", document, "hessian", input, {"hessian": e["hessian"]}, tolerance, e["derivatives_from"])


def fit_case(prefix, document, which, fit, source):
    expect = {"valid": True, **{k: fit[k] for k in ("twice_nll", "mle_parameters", "uncertainties", "at_limit") if fit[k] is not None}}
    tolerance = {"twice_nll": {"abs": 1e-6}, "mle_parameters": {"sigma": 1e-3}, "uncertainties": {"rel": 1e-4}}
    return case(f"{prefix}/fit", "likelihood.md, eq. 12 and 13", document, "fit", which, expect, tolerance, source)


def eft_cases(name, recorded):
    """From the equations of the chapter: value, expected yields and gradient at each point."""
    document, which = {"workspace": {"file": f"fixtures/{name}/workspace.json"}}, {"measurement": recorded["measurement"]}
    spec = "unbinned.md" if "unbinned" in name else "eft.md"
    for point in recorded["points"]:
        tag = f"{point['label']}/{point['interpolation']['normsys']}_{point['interpolation']['histosys']}"
        input = {**which, "interpolation": point["interpolation"], "parameters": point["parameters"]}
        tolerance = {"twice_nll": {"rel": 1e-12, "abs": 4e-16 * point["sum_of_absolute_terms"]}, "expected_data": {"rel": 1e-12, "abs": 1e-13 * largest(point["main"].values())}}
        expect = {"twice_nll": point["twice_nll"], "expected_data": {"main": point["main"]}}
        yield case(f"{name}/evaluate/{tag}", spec, document, "evaluate", input, expect, tolerance, recorded["provenance"])
        if "gradient" in point:
            tolerance = {"gradient": {"rel": 1e-9, "abs": 1e-9 * max(1, largest(point["gradient"].values()))}}
            yield case(f"{name}/gradient/{tag}", f"{spec}; likelihood.md, eq. 10", document, "gradient", input, {"gradient": point["gradient"]}, tolerance, recorded["provenance"])


def eft_fit_cases(name, fit):
    """Minimum, intervals and profile of a coefficient from numpy and iminuit (tests/peer/eft_fits.py)."""
    document, which = {"workspace": {"file": f"fixtures/{name}/workspace.json"}}, {"measurement": fit["measurement"]}
    expect = {"valid": True, **{k: fit[k] for k in ("twice_nll", "mle_parameters", "uncertainties", "at_limit", "derived") if k in fit}}
    tolerance = {"twice_nll": {"abs": 1e-7}, "mle_parameters": {"sigma": 1e-4, "abs": 1e-6}, "uncertainties": {"rel": 1e-5}}
    if "derived" in fit:
        tolerance["derived"] = {"abs": 1e-6, "rel": 1e-5}
    yield case(f"{name}/fit", "likelihood.md, eq. 12 and 13", document, "fit", which, expect, tolerance, fit["provenance"])
    coefficient, at = fit["coefficient"], fit["scan"]["values"]
    expect = {"intervals": {coefficient: fit["minos"]}}
    yield case(f"{name}/minos/{coefficient}", "inference.md, eq. 20", document, "minos", {**which, "level": inference_cases.ONE_SIGMA, "parameters": [coefficient]}, expect, {"intervals": {"rel": 1e-5}}, fit["provenance"])
    input = {**which, "parameters": [coefficient], "values": [[a] for a in at]}
    expect = {"delta_twice_nll": fit["scan"]["delta_twice_nll"]}
    yield case(f"{name}/scan/{coefficient}", "inference.md, eq. 22", document, "scan", input, expect, {"delta_twice_nll": {"rel": 1e-6, "abs": 1e-6}}, fit["provenance"])


HS3_SOURCE = "closed form (conformance/hs3_documents.py, eft_hs3_documents.py): math, numpy, scipy; ROOT 6.40.00 agrees but where conformance/adapters/root.differences.json says otherwise"


def hs3_case(name, spec, document, input, parameters, numbers):
    """−2 ln L, and RooFit's −ln L where ROOT's conventions hold or it differs by more than the factor."""
    twice_nll, roofit = 2 * numbers[0], numbers[1]
    told = document["metadata"]["packages"] == [{"name": "ROOT", "version": "6.40.00"}] or name == "density/extended"
    expect = {"twice_nll": twice_nll} | ({"nll_roofit": roofit} if told and roofit is not None else {})
    input = {"measurement": "analysis", **input, "parameters": {n: [v] for n, v in parameters.items()}}
    allowed = {"rel": 1e-10} if name == "density/generic_dist" else {"rel": 1e-12, "abs": 1e-11}
    tolerance = {key: allowed for key in expect}
    source = {"hs3": {"text": json.dumps(document)}}
    return case(f"hs3/{name}", spec, source, "evaluate", input, expect, tolerance, HS3_SOURCE)


def hs3_fit_case():
    document, expect = hs3_documents.fit_case()
    tolerance = {"twice_nll": {"abs": 1e-9}, "mle_parameters": {"sigma": 1e-4}, "uncertainties": {"rel": 1e-5}}
    source, input = {"hs3": {"text": json.dumps(document)}}, {"measurement": "analysis"}
    return case("hs3/fit/proportional", "likelihood.md, eq. 12 and 13", source, "fit", input, {"valid": True, **expect}, tolerance, HS3_SOURCE)


def hs3_validation_cases(invalid):
    for name, spec, document, input, valid, rule, kind, pointers in invalid:
        finding = {"class": [kind], "rule": [rule]} | ({"pointer": pointers} if pointers else {})
        expect = {"valid": valid} | ({"findings": [finding]} if rule else {})
        source = {"document": {"text": json.dumps(document)}}
        yield case(f"hs3/validate/{name}", f"{spec}; validation.md", source, "validate", {"kind": "hs3", **input}, expect, {}, "spec/validation.md")


def expand_cases():
    """What has no form in the standard (section 7 of the chapter) is refused; the other fixtures have one."""
    source, spec = "spec/eft-hs3.md, section 7", "eft-hs3.md, section 7"
    refusal = f"{spec}; W455"
    refused = {"eft_events", "eft_gaussian_clamp", "eft_gaussian_marginalised", "eft_gaussian_parameters", "eft_unbinned", "eft_unbinned_forms"}
    for name in sorted(p.parent.name for p in TOP.glob("fixtures/eft_*/workspace.json")):
        document = {"workspace": {"file": f"fixtures/{name}/workspace.json"}}
        expect = {"error": {"class": ["ConversionLoss"]}} if name in refused else {"expanded": True}
        yield case(f"{name}/expand", refusal if name in refused else spec, document, "expand", {"target": "root-6.40"}, expect, {}, source)
    relative = {"workspace": {"file": "fixtures/eft_relative/workspace.json"}}
    for normsys, histosys in (("code1", "code4p"), ("code4", "code0"), ("code4", "code2")):
        input = {"target": "root-6.40", "interpolation": {"normsys": normsys, "histosys": histosys}}
        yield case(f"eft_relative/expand/{normsys}_{histosys}", refusal, relative, "expand", input, {"error": {"class": ["ConversionLoss"]}}, {}, source)
    input = {"target": "root-6.40", "clip_bin_data": 0.0}
    yield case("eft_relative/expand/clip_bin_data", refusal, relative, "expand", input, {"error": {"class": ["ConversionLoss"]}}, {}, source)


def poisson(n, nu):
    return -2 * (n * math.log(nu) - nu - math.lgamma(n + 1))


def closed_forms():
    """Where a formula of spec/ gives the number."""
    workspace = lambda name: {"workspace": {"file": f"fixtures/{name}/workspace.json"}}
    which = {"measurement": "meas"}
    k = lambda n: n - n * math.log(n) + math.lgamma(n + 1)
    fits = {"twice_nll": {"abs": 1e-9}, "mle_parameters": {"sigma": 1e-3}, "uncertainties": {"rel": 1e-4}}
    expect = {"valid": True, "twice_nll": 2 * k(53), "mle_parameters": {"mu": [13 / 8]}, "uncertainties": {"mu": [math.sqrt(53) / 8]}}
    yield case("closed_form/counting", "likelihood.md, eq. 14", workspace("counting"), "fit", which, expect, fits, "mu = (n - b)/s with n = 53, b = 40, s = 8")
    expect = {
        "valid": True,
        "twice_nll": 2 * k(92) + 2 * k(36),
        "mle_parameters": {"k_bkg": [92 / 80], "mu": [(36 - 92 / 80 * 20) / 10]},
        "uncertainties": {"k_bkg": [math.sqrt(92) / 80], "mu": [math.sqrt(36 + (20 / 80) ** 2 * 92) / 10]},
    }
    yield case("closed_form/control_region", "likelihood.md, eq. 15", workspace("normfactor"), "fit", which, expect, fits, "k = m/B1, mu = (n - k B2)/s with B1 = 80, B2 = 20, s = 10, m = 92, n = 36")
    yield case("closed_form/yield_at_zero", "likelihood.md, Fit, 5", workspace("yield_at_zero"), "fit", which, {"valid": False, "reason": {"code": "yield_at_zero"}}, {}, "5 + 2 mu with n = 0: twice_nll = 2 (5 + 2 mu) falls down to mu = -2.5, where the domain ends")
    samples = [{"name": "background", "data": [0.0, 10.0], "modifiers": []}, {"name": "signal", "data": [2.0, 1.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}]
    emptied = {
        "channels": [{"name": "SR", "samples": samples}],
        "observations": [{"name": "SR", "data": [0, 9]}],
        "measurements": [{"name": "meas", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }
    expect = {"valid": True, "twice_nll": poisson(9, 10), "mle_parameters": {"mu": [0.0]}, "at_limit": ["mu"]}
    tolerance = {"twice_nll": {"abs": 1e-6}, "mle_parameters": {"abs": 1e-6}}
    yield case("closed_form/emptied_by_bound", "likelihood.md, Fit, 5", {"workspace": {"text": json.dumps(emptied)}}, "fit", which, expect, tolerance, "2 mu with n = 0 and 10 + mu with n = 9: the slope at the lower bound mu = 0 is 4.2 > 0")
    tolerance = {"twice_nll": {"abs": 1e-12}, "expected_data": {"abs": 1e-13}}
    for mu, value in ((-2.0, 2.0), (-2.5, 0.0), (-3.0, None)):
        expect = {"twice_nll": value, "expected_data": {"main": {"SR": [5 + 2 * mu]}}}
        yield case(f"closed_form/domain/n=0,mu={mu}", "likelihood.md, eq. 7", workspace("yield_at_zero"), "evaluate", {**which, "parameters": {"mu": [mu]}}, expect, tolerance, "2 (5 + 2 mu) with n = 0 in its domain")
    for mu in (-5.0, -5.5):
        expect = {"twice_nll": None, "expected_data": {"main": {"SR": [40 + 8 * mu]}}}
        yield case(f"closed_form/domain/n=53,mu={mu}", "likelihood.md, eq. 7", workspace("counting"), "evaluate", {**which, "parameters": {"mu": [mu]}}, expect, tolerance, "40 + 8 mu with n = 53 at and beyond the end of its domain")
    yield from continued_parabola(workspace("histosys"), which)


def continued_parabola(document, which):
    """Code 2 beyond |alpha| = 1, as ROOT continues it."""
    nominal, lo, hi = [31.0, 24.0, 12.5], [28.0, 24.5, 13.0], [33.0, 26.0, 13.5]
    signal, observed, mu = [1.5, 4.0, 6.0], [36, 25, 22], 1.0
    for alpha in (-2.5, -1.5, 1.5, 2.0):
        half, bend = [(h - l) / 2 for l, h in zip(lo, hi)], [(h + l) / 2 - n for l, h, n in zip(lo, hi, nominal)]
        nu = [n + alpha * s + (2 * abs(alpha) - 1) * a + mu * x for n, s, a, x in zip(nominal, half, bend, signal)]
        value = sum(poisson(n, v) for n, v in zip(observed, nu)) + alpha**2 + math.log(2 * math.pi)
        input = {**which, "interpolation": {"normsys": "code4", "histosys": "code2"}, "parameters": {"tilt": [alpha], "mu": [mu]}}
        expect = {"twice_nll": value, "expected_data": {"main": {"SR": nu}, "auxdata": {"tilt": [alpha]}}}
        tolerance = {"twice_nll": {"rel": 1e-12}, "expected_data": {"rel": 1e-12, "abs": 1e-13}}
        yield case(f"closed_form/code2/alpha={alpha}", "interpolation.md, eq. 4", document, "evaluate", input, expect, tolerance, "offset alpha S + (2|alpha| - 1) A, which PiecewiseInterpolation of ROOT 6.40 gives for its code 2")


def patch_cases():
    base = json.loads((TOP / "fixtures/higgs_like/workspace.json").read_text())
    patchset = json.loads((TOP / "fixtures/higgs_like/patchset.json").read_text())
    documents = {"workspace": {"file": "fixtures/higgs_like/workspace.json"}, "patchset": {"file": "fixtures/higgs_like/patchset.json"}}
    source = "jsonpatch (Python), RFC 6902"
    for p in patchset["patches"]:
        name = p["metadata"]["name"]
        expect = {"document": jsonpatch.apply_patch(base, p["patch"])}
        yield case(f"higgs_like/patch/{name}", "patchset.md", documents, "patch", {"name": name}, expect, {}, source)
    only = {"patchset": documents["patchset"]}
    found = {"name": "mass_130", "values": [130.0]}
    fixture = "fixtures/higgs_like/patchset.json"
    yield case("higgs_like/patchset_lookup/name", "patchset.md", only, "patchset_lookup", {"name": "mass_130"}, found, {}, fixture)
    yield case("higgs_like/patchset_lookup/values", "patchset.md", only, "patchset_lookup", {"values": [130]}, found, {}, f"{fixture}; 130 and 130.0 are one number")
    yield case("higgs_like/patchset_lookup/none", "patchset.md; W033", only, "patchset_lookup", {"name": "mass_150"}, {"error": {"class": ["InvalidPatchLookup"]}}, {}, fixture)
    yield case("higgs_like/patchset_verify/good", "patchset.md", documents, "patchset_verify", {}, {"verified": True}, {}, DIGEST_SOURCE)
    other = {**documents, "workspace": {"file": "fixtures/counting/workspace.json"}}
    yield case("higgs_like/patchset_verify/other_workspace", "patchset.md; W034", other, "patchset_verify", {}, {"error": {"class": ["PatchSetVerificationError"]}}, {}, DIGEST_SOURCE)
    for tag, operations, expect, why in small_patches():
        target = {"a": [1, 2, 3], "b": {"c~d": 1.0, "e/f": None}}
        if callable(expect):
            expect = {"document": expect(target)}
        document = {"workspace": {"text": json.dumps(target)}, "patch": {"text": json.dumps(operations)}}
        rule = {"PatchTestFailed": "; W020", "PatchApplicationError": "; W021", "InvalidSpecification": "; W010"}[expect["error"]["class"][0]] if "error" in expect else ""
        yield case(f"patch/{tag}", f"patchset.md{rule}", document, "patch", {}, expect, {}, why)


def small_patches():
    """JSON Patch on a document that is not a workspace: patch operations alone."""
    by_tool = lambda ops: lambda target: jsonpatch.apply_patch(target, ops)
    good = {
        "add_to_end": [{"op": "add", "path": "/a/-", "value": 4}],
        "insert": [{"op": "add", "path": "/a/1", "value": {"x": []}}],
        "remove": [{"op": "remove", "path": "/a/0"}],
        "replace_escaped": [{"op": "replace", "path": "/b/c~0d", "value": 2}, {"op": "replace", "path": "/b/e~1f", "value": "x"}],
        "move": [{"op": "move", "from": "/a/2", "path": "/a/0"}],
        "copy": [{"op": "copy", "from": "/b", "path": "/g"}],
        "test_holds": [{"op": "test", "path": "/b/c~0d", "value": 1}, {"op": "remove", "path": "/b"}],
    }
    for tag, operations in good.items():
        yield tag, operations, by_tool(operations), "jsonpatch (Python), RFC 6902"
    error = lambda *classes: {"error": {"class": list(classes)}}
    yield "test_fails", [{"op": "remove", "path": "/a"}, {"op": "test", "path": "/b/c~0d", "value": 3}], error("PatchTestFailed"), "RFC 6902, section 4.6"
    yield "path_missing", [{"op": "remove", "path": "/z"}], error("PatchApplicationError"), "RFC 6902, section 4.2"
    yield "index_past_end", [{"op": "add", "path": "/a/9", "value": 1}], error("PatchApplicationError"), "RFC 6902, section 4.1"
    yield "index_leading_zero", [{"op": "remove", "path": "/a/01"}], error("PatchApplicationError"), "RFC 6901, section 4"
    yield "no_operation", [{"path": "/a"}], error("InvalidSpecification"), "RFC 6902, section 4"


def digest_cases():
    documents = {
        "order_and_spacing": '{ "b":[1,2.0,-0.0], "a":{"y":true,"x":null} }',
        "floats": "[1e-5, 0.0001, 1e16, 123456789012345680.0, 1e22, 1.0, 5e-324, 1.7976931348623157e308, 0.1]",
        "integers": "[50, 50.0, 0, -7, 9007199254740993]",
        "strings": '["\\u00e9", "\\ud83d\\ude00", "\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u007f"]',
    }
    for tag, document in documents.items():
        canonical = json.dumps(json.loads(document), sort_keys=True, ensure_ascii=False).encode()
        for algorithm in ("sha256", "md5"):
            expect = {"digest": hashlib.new(algorithm, canonical).hexdigest()}
            yield case(f"digest/{tag}/{algorithm}", "patchset.md", {"document": {"text": document}}, "digest", {"algorithm": algorithm}, expect, {}, DIGEST_SOURCE)


def validation_cases():
    for name in sorted(p.parent.name for p in TOP.glob("fixtures/*/workspace.json")):
        document = {"document": {"file": f"fixtures/{name}/workspace.json"}}
        yield case(f"{name}/validate", "validation.md", document, "validate", {"kind": "workspace"}, {"valid": True}, {}, "spec/eft.md" if name.startswith("eft_") else "accepted and evaluated by pyhf 0.7.6")
    document = {"document": {"file": "fixtures/higgs_like/patchset.json"}}
    yield case("higgs_like/validate_patchset", "validation.md", document, "validate", {"kind": "patchset"}, {"valid": True}, {}, "accepted by pyhf 0.7.6")
    for tag, kind, source, valid, findings, why in invalid_documents.documents():
        expect = {"valid": valid, "findings": findings}
        yield case(f"validate/{tag}", "validation.md", {"document": {"text": source}}, "validate", {"kind": kind}, expect, {}, why)


def correlation_cases():
    """Correlated constraints at two points: pyhf's value without them, and zᵀ(R⁻¹ − 1)z + ln det R by hand for two parameters."""
    rho = -0.35
    group = {"parameters": ["norm", "tilt"], "matrix": [[1.0, rho], [rho, 1.0]]}
    plain = invalid_documents.GOOD
    document = {"workspace": {"text": json.dumps({**plain, "correlations": {"version": "0.1.0", "groups": [group]}})}}
    source = "pyhf 0.7.6 without the correlations, and what these add by hand"
    for label, (a, b) in {"one": (0.7, -1.2), "two": (-1.5, 0.4)}.items():
        parameters = {"norm": [a], "tilt": [b], "unc": [1.05, 0.9], "mu": [1.3], "mcstat": [0.95, 1.02]}
        added = (a * a - 2 * rho * a * b + b * b) / (1 - rho * rho) - a * a - b * b + math.log(1 - rho * rho)
        expect = {"twice_nll": modifier_cases.twice_nll(plain, parameters) + added}
        yield case(f"correlations/evaluate/{label}", "constraints.md, eq. 7", document, "evaluate", {"parameters": parameters}, expect, {"twice_nll": {"rel": 1e-12}}, source)


def main():
    (HERE / "cases").mkdir(exist_ok=True)
    files = {}
    for path in sorted(TOP.glob("fixtures/*/expected.json")):
        files[path.parent.name] = list(numeric_cases(path.parent.name, json.loads(path.read_text())))
    for path in sorted(TOP.glob("fixtures/*/inference.json")):
        name = path.parent.name
        files[f"inference_{name}"] = list(inference_cases.recorded(name, json.loads(path.read_text())))
    for path in sorted(TOP.glob("fixtures/*/eft.json")):
        name, fit = path.parent.name, path.parent / "fit.json"
        files[name] = list(eft_cases(name, json.loads(path.read_text())))
        # Ten thousand events are too many for the search of a peer in extended precision.
        if name != "eft_unbinned":
            files[name] += eft_fit_cases(name, json.loads(fit.read_text()))
    files["inference_closed_forms"] = list(inference_cases.closed_forms())
    files |= {"closed_forms": list(closed_forms()), "patches": list(patch_cases()), "digests": list(digest_cases()), "validation": list(validation_cases())}
    files["hs3_channels"] = [hs3_case(*item) for item in hs3_documents.channel_cases()] + [hs3_fit_case()]
    files["hs3_densities"] = [hs3_case(*item) for item in hs3_documents.density_cases()]
    files["hs3_validation"] = list(hs3_validation_cases(hs3_documents.invalid_cases()))
    files["hs3_eft"] = [hs3_case(*item) for item in eft_hs3_documents.cases()]
    files["hs3_eft_validation"] = list(hs3_validation_cases(eft_hs3_documents.invalid())) + list(expand_cases())
    files |= operation_cases.files() | edit_cases.files()
    files["modifiers"] = modifier_cases.cases()
    files["correlations"] = list(correlation_cases())
    files["quirks"] = quirk_cases.cases()
    files["rules"] = list(rule_cases.cases())
    ids = [c["id"] for cases in files.values() for c in cases]
    assert len(ids) == len(set(ids))
    published = json.loads((HERE / "cases/published.json").read_text())  # by published_cases.py
    ids += [c["id"] for c in published]
    rule_cases.check([c for cases in files.values() for c in cases])
    for old in (HERE / "cases").glob("*.json"):
        if old.name != "published.json":
            old.unlink()
    for name, cases in files.items():
        (HERE / "cases" / f"{name}.json").write_text(text(cases))
    manifest = {"protocol": 1, "cases": len(ids), "files": [{"path": f"cases/{name}.json", "cases": len(cases)} for name, cases in (files | {"published": published}).items()]}
    (HERE / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    print(len(ids), "cases")


if __name__ == "__main__":
    main()
