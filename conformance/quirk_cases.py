"""One case for each quirk of pyhf 0.7.6 that a decision was taken about: what the specification says there.

Where the decision is pyhf's behaviour, the numbers are pyhf's (asked when the cases are written) or closed forms; where it is
another one, the case follows the named paragraph, and adapters/pyhf.differences.json tells what pyhf does.
"""
import hashlib
import json
import math

import operation_cases
from invalid_documents import CONFIG, GOOD, SAMPLE, changed, config, modifier
from modifier_cases import configuration, model_of
from operation_documents import edited, region, rich, sample, workspace

PYHF = "pyhf 0.7.6, numpy back end, asked when the cases were written"


def case(name, spec, operation, documents, input, expect, why, tolerance=None):
    given = {key: {"text": text if isinstance(text, str) else json.dumps(text)} for key, text in documents.items()}
    return dict(id=f"quirk/{name}", spec=spec, document=given, operation=operation, input=input, expect=expect, tolerance=tolerance or {}, provenance=why)


def refused(name, spec, text, rule, kind, pointer=None):
    """The document breaks this rule."""
    finding = {"class": [kind], "rule": [rule]} | ({"pointer": [pointer]} if pointer else {})
    return case(name, f"{spec}; {rule}", "validate", {"document": text}, {"kind": "workspace"}, {"valid": False, "findings": [finding]}, f"spec/{spec}")


def reading():
    """What Python's json and pyhf's schema let pass."""
    good, where = json.dumps(GOOD), "workspace.md, Compatibility"
    yield refused("equal_keys", where, good.replace('"version": "1.0.0"', '"version": "1.0.0", "version": "1.0.0"'), "W003", "DuplicateKey")
    yield refused("truth_for_a_number", where, good.replace("[11, 24]", "[true, 24]"), "W010", "InvalidSpecification", "/observations/0/data/0")
    yield refused("not_a_number", where, good.replace("20.0", "NaN", 1), "W001", "SyntaxError")
    yield refused("beyond_binary64", where, good.replace("20.0", "1e400", 1), "W004", "NumberRange")
    yield refused("deep_nesting", where, "[" * 3000 + "]" * 3000, "W006", "DepthLimit")
    yield refused("observation_of_another_channel", where, changed(GOOD, ("/observations/0/name", "CR")), "W120", "MissingObservation")
    yield refused("observation_too_long", where, changed(GOOD, ("/observations/0/data", [11, 24, 5])), "W121", "ObservationShape", "/observations/0/data")
    yield refused("bounds_of_one_number", "validation.md, section 4", changed(GOOD, config(name="mu", bounds=[[0]])), "W140", "InvalidModel", f"{CONFIG}/0/bounds/0")


def models():
    """Names, sharing, defaults and settings."""
    where = "modifiers.md, Compatibility"
    again = modifier("normsys", "norm", {"lo": 0.8, "hi": 1.2})
    yield refused("modifier_twice", where, changed(GOOD, (f"{SAMPLE}/modifiers/-", again)), "W104", "InvalidModel")
    shape = modifier("shapefactor", "shape")
    longer = {"name": "TR", "samples": [{"name": "bkg", "data": [5.0, 6.0, 7.0], "modifiers": [shape]}]}
    edits = [(f"{SAMPLE}/modifiers/-", shape), ("/channels/-", longer), ("/observations/-", {"name": "TR", "data": [5, 6, 7]})]
    yield refused("shapefactor_of_longer_channel", where, changed(GOOD, *edits), "W109", "InvalidModel", "/channels/1/samples/0/modifiers/0")
    freed = [(f"{SAMPLE}/modifiers/2/data/0", 0.0), config(name="unc", fixed=False)]
    yield refused("freed_without_width", "modifiers.md, Fixed by zero", changed(GOOD, *freed), "W145", "InvalidModel", f"{CONFIG}/0/fixed")
    lumi = [("/channels/0/samples/1/modifiers/-", modifier("lumi", "lumi")), config(name="lumi", inits=[1.0, 1.0], bounds=[[0.9, 1.1]], auxdata=[1.0], sigmas=[0.02])]
    yield refused("lumi_of_two_values", "validation.md, section 4", changed(GOOD, *lumi), "W139", "InvalidModel", f"{CONFIG}/0/inits")
    # These are as in pyhf.
    of = lambda *settings, data=(31.0, 22.5), kind="shapesys", error=(3.0, 2.0): workspace({"R": [sample("a", list(data), modifier(kind, "u", list(error))), sample("b", [12.0, 9.0][: len(data)])]}, {"R": [40, 30][: len(data)]}, {"meas": ("", list(settings))})
    alpha = workspace({"R": [sample("a", [31.0, 22.5], modifier("normsys", "u", {"lo": 0.9, "hi": 1.2}))]}, {"R": [40, 30]}, {"meas": ("", [{"name": "u", "inits": [0.5]}])})
    same = {
        "inits_leave_auxdata": ("modifiers.md, Settings of a measurement", alpha),
        "factors_leave_auxdata": ("modifiers.md, Settings of a measurement", of({"name": "u", "factors": [50.0, 60.0]})),
        "fixed_is_for_all_bins": ("modifiers.md, Settings of a measurement", of({"name": "u", "fixed": True})),
        "bin_without_uncertainty_is_fixed": ("modifiers.md, Fixed by zero", of(error=(0.0, 2.0))),
        "bin_without_yield_is_fixed": ("modifiers.md, Fixed by zero", of(kind="staterror", data=(0.0, 22.5))),
        "one_bin_is_no_scalar": ("modifiers.md, table 1", of(data=(31.0,), error=(3.0,))),
        "factor_by_squares": ("modifiers.md, shapesys", of(data=(1.0, 1.0), error=(0.2, 0.3))),
        "setting_of_no_parameter": ("modifiers.md, Settings of a measurement", of({"name": "nothing", "inits": [7.0]})),
        "staterror_of_two_channels": ("modifiers.md, Sharing", two_channels("staterror")),
        "shapefactor_of_two_channels": ("modifiers.md, Sharing", two_channels("shapefactor")),
        "order_of_types": ("workspace.md, section 4", rich()),
    }
    for name, (spec, document) in same.items():
        model, _ = model_of(document)
        expect, which = configuration(model), {"measurement": document["measurements"][0]["name"]}
        yield case(name, spec, "model", {"workspace": document}, which, expect, PYHF, {"parameters": {"rel": 1e-15}})


def two_channels(kind):
    """A staterror of one name has parameters for each channel, a shapefactor the same ones in all."""
    data = lambda: [1.0, 0.8] if kind == "staterror" else None
    channels = {name: [sample("a", [30.0, 20.0], modifier(kind, "u", data()))] for name in ("one", "two")}
    return workspace(channels, {"one": [33, 19], "two": [28, 24]}, {"meas": ("", [])})


def values():
    poisson = lambda n, nu: -2 * (n * math.log(nu) - nu - math.lgamma(n + 1)) if n else 2 * nu
    tolerance = {"twice_nll": {"rel": 1e-12}, "expected_data": {"rel": 1e-13}}
    slope = modifier("normfactor", "mu")
    of = lambda count: workspace({"R": [sample("a", [2.0], slope), sample("b", [5.0])]}, {"R": [count]}, {"meas": ("mu", [])})
    where = "likelihood.md, Compatibility and eq. 7"
    at = lambda mu: {"measurement": "meas", "parameters": {"mu": [mu]}}
    yield case("negative_yield_without_count", where, "evaluate", {"workspace": of(0)}, at(-3.0), {"twice_nll": None, "expected_data": {"main": {"R": [-1.0]}}}, "eq. 7: outside of the domain", tolerance)
    yield case("negative_yield_with_count", where, "evaluate", {"workspace": of(3)}, at(-3.0), {"twice_nll": None}, "eq. 7: outside of the domain", tolerance)
    yield case("zero_yield_without_count", where, "evaluate", {"workspace": of(0)}, at(-2.5), {"twice_nll": 0.0}, "0 ln 0 = 0", tolerance)
    yield case("zero_yield_with_count", where, "evaluate", {"workspace": of(3)}, at(-2.5), {"twice_nll": None}, "eq. 7: outside of the domain", tolerance)
    yield case("count_that_is_not_whole", "likelihood.md, eq. 5", "evaluate", {"workspace": of(6.5)}, at(1.0), {"twice_nll": poisson(6.5, 7.0)}, "closed form: ln Γ(n + 1) for ln n!", tolerance)
    nominal, lo, hi = 10.0, 8.0, 13.0
    template = workspace({"R": [sample("a", [nominal], modifier("histosys", "t", {"lo_data": [lo], "hi_data": [hi]}))]}, {"R": [12]}, {"meas": ("", [])})
    for name, alpha in (("code2_above_one", 1.5), ("code2_below_minus_one", -1.5)):
        s, a = (hi - lo) / 2, (hi + lo) / 2 - nominal
        nu = nominal + alpha * s + (2 * abs(alpha) - 1) * a
        input = {"measurement": "meas", "interpolation": {"normsys": "code4", "histosys": "code2"}, "parameters": {"t": [alpha]}}
        expect = {"twice_nll": poisson(12, nu) + alpha**2 + math.log(2 * math.pi), "expected_data": {"main": {"R": [nu]}}}
        yield case(name, "interpolation.md, eq. 4 and Compatibility", "evaluate", {"workspace": template}, input, expect, "closed form: α S + (2|α| − 1) A, as ROOT continues the parabola", tolerance)


def operations():
    """Sections of combine.md and operations.md; the answers are made as in operation_cases.py."""
    refuse, one = {"error": {"class": ["InvalidWorkspaceOperation"]}}, region("SR")
    other = edited(one, lambda d: d["channels"][0]["samples"][1].update(data=[50.0, 30.0]))
    combine = lambda name, spec, parts, input, expect, why: case(name, spec, "combine", dict(zip("abc", parts)), input, expect, why)
    yield combine("merged_sample_dropped", "combine.md, section 2 and Compatibility; W305", [one, other], {"join": "outer", "merge_channels": True}, refuse, "spec/combine.md, rule W305")
    left = operation_cases.asked(lambda: operation_cases.combined([one, other], "left outer", True))
    yield combine("merged_sample_of_the_left", "combine.md, section 2", [one, other], {"join": "left outer", "merge_channels": True}, left, PYHF)
    bounded = {"name": "mu", "bounds": [[0.0, 5.0]]}
    three = [region("PQR"[i], scale=10 + i) for i in range(3)]
    for document, parameters in zip(three, ([bounded], [], [bounded])):
        document["measurements"][0]["config"]["parameters"] = parameters
    three[0]["measurements"].append({**three[0]["measurements"][0]})
    joined = edited(three[0], lambda d: d.update(measurements=d["measurements"][:1]))
    for document in three[1:]:
        joined["channels"] += document["channels"]
        joined["observations"] += document["observations"]
    yield combine("measurements_of_one_name_in_one_document", "combine.md, section 2, Measurements under outer", three, {"join": "outer"}, {"document": joined}, "spec/combine.md, section 2: joined in turn, the first configuration of mu stays")
    drop = edited(rich(), lambda d: d["channels"][0]["samples"][1]["modifiers"].pop(0))
    yield case("type_with_shared_names", "operations.md, Compatibility", "prune", {"workspace": rich()}, {"modifier_types": ["histosys"]}, {"document": drop}, "spec/operations.md, section 2: the modifiers of the type")
    yield case("result_is_no_model", "operations.md, section 1; W110", "prune", {"workspace": one}, {"modifiers": ["mu", "bkg_norm"]}, {"error": {"class": ["InvalidModel"]}}, "spec/operations.md, section 1, 2")
    yield case("two_items_of_one_name", "operations.md, section 3; W372", "rename", {"workspace": rich()}, {"channels": {"SR": "CR"}}, refuse, "spec/operations.md, section 3, 3")


def patches():
    base = json.dumps(GOOD)
    patch = [{"op": "replace", "path": "/measurements/0/config/poi", "value": "norm"}]
    expect = json.loads(changed(GOOD, ("/measurements/0/config/poi", "norm")))
    yield case("patch_of_a_measurement", "patchset.md, Compatibility", "patch", {"workspace": base, "patch": patch}, {}, {"document": expect}, "RFC 6902: a patch acts on the whole document")
    for name, number in (("digest_of_a_whole_number", "50"), ("digest_of_the_same_with_a_point", "50.0"), ("digest_of_negative_zero", "-0.0")):
        text = f'{{"data": [{number}]}}'
        found = hashlib.sha256(json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False).encode()).hexdigest()
        yield case(name, "patchset.md, section 3", "digest", {"document": text}, {"algorithm": "sha256"}, {"digest": found}, "sha256 of json.dumps(document, sort_keys=True, ensure_ascii=False), Python")


def cases():
    return [case for group in (reading, models, values, operations, patches) for case in group()]
