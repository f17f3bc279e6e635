"""Every modifier type alone and in pairs: two names or one, on one sample and across two.

Configuration, expected data and twice_nll are those of pyhf 0.7.6 (numpy back end, 64 bit) when the cases are written; so is
the error where two types cannot share a name. Points are the suggested start and two beyond one standard deviation.
"""
import itertools
import json
import math
import pathlib
import sys

import numpy as np
import pyhf

sys.path.append(str(pathlib.Path(__file__).parent.parent / "tests/peer"))
import peer_pyhf
from operation_documents import lumi, modifier, sample, workspace

TYPES = ("histosys", "lumi", "normfactor", "normsys", "shapefactor", "shapesys", "staterror")
YIELDS = ([31.0, 22.5, 14.0], [12.0, 9.0, 17.5])
CODES = (("code4", "code4p"), ("code1", "code0"))
SOURCE = "pyhf 0.7.6, numpy back end, asked when the cases were written"
SPEC = "modifiers.md, table 1 and Effects; likelihood.md, eq. 1 to 5"


def of_type(kind, name, nominal, variant=0):
    """A modifier of a sample with these yields; variants are uneven in other ways."""
    down, up = ((0.93, 1.12), (1.04, 0.91))[variant]
    if kind == "histosys":
        steps = range(len(nominal))
        return modifier(kind, name, {"lo_data": [n * (down - 0.02 * b) for b, n in zip(steps, nominal)], "hi_data": [n * (up + 0.03 * b) for b, n in zip(steps, nominal)]})
    if kind == "normsys":
        return modifier(kind, name, {"lo": down, "hi": up})
    if kind in ("shapesys", "staterror"):
        return modifier(kind, name, [n * (0.08 + 0.03 * b + 0.02 * variant) for b, n in enumerate(nominal)])
    return modifier(kind, name)


def document(bins, *samples):
    """One channel of one or two samples with these modifiers: (type, name) of each."""
    made = [sample("ab"[i], YIELDS[i][:bins], *(of_type(kind, name, YIELDS[i][:bins], i if len(samples) > 1 else j) for j, (kind, name) in enumerate(modifiers))) for i, modifiers in enumerate(samples)]
    total = [sum(rates) for rates in zip(*(s["data"] for s in made))]
    counts = [round(1.06 * n) + b for b, n in enumerate(total)]
    lumis = any(kind == "lumi" for modifiers in samples for kind, _ in modifiers)
    return workspace({"region": made}, {"region": counts}, {"meas": ("", [lumi(1.0, 0.03)] if lumis else [])})


def name_of(kind, letter):
    return "lumi" if kind == "lumi" else letter


def documents():
    """(id, workspace)"""
    for kind in TYPES:
        yield f"alone/{kind}", document(2, [(kind, name_of(kind, "x"))])
        if kind != "shapesys":
            yield f"alone/{kind}/two_samples", document(3, [(kind, name_of(kind, "x"))], [(kind, name_of(kind, "x"))])
    for first, second in itertools.combinations_with_replacement(TYPES, 2):
        # Names against the order of types, which decides about the order of parameters.
        names = (first, name_of(first, "y")), (second, name_of(second, "x"))
        if first == second == "lumi":
            continue
        yield f"pair/{first}+{second}/one_sample", document(2, names)
        yield f"pair/{first}+{second}/two_samples", document(3, names[:1], names[1:])
    shared = ("histosys", "x"), ("normsys", "x")
    yield "one_name/histosys+normsys/one_sample", document(2, shared)
    yield "one_name/histosys+normsys/two_samples", document(3, shared[:1], shared[1:])
    yield from without_effect()


def without_effect():
    """Bins without yield or uncertainty, and variations to one side or to none."""
    def with_data(kind, data, nominal=(31.0, 22.5)):
        return workspace({"region": [sample("a", list(nominal), modifier(kind, "x", data)), sample("b", [12.0, 9.0])]}, {"region": [46, 30]}, {"meas": ("", [])})

    for kind in ("shapesys", "staterror"):
        yield f"alone/{kind}/bin_without_uncertainty", with_data(kind, [0.0, 2.0])
        yield f"alone/{kind}/bin_without_yield", with_data(kind, [1.0, 2.0], (0.0, 22.5))
        yield f"alone/{kind}/nothing_varies", with_data(kind, [0, 0.0])
    yield "alone/normsys/one_sided", with_data("normsys", {"lo": 1.0, "hi": 1.2})
    yield "alone/normsys/same_side", with_data("normsys", {"lo": 1.1, "hi": 1.3})
    yield "alone/normsys/nothing_varies", with_data("normsys", {"lo": 1, "hi": 1})
    yield "alone/histosys/one_sided", with_data("histosys", {"lo_data": [31.0, 22.5], "hi_data": [35.0, 21.0]})
    yield "alone/histosys/same_side", with_data("histosys", {"lo_data": [33.0, 23.5], "hi_data": [35.0, 25.0]})
    yield "alone/histosys/nothing_varies", with_data("histosys", {"lo_data": [31, 22.5], "hi_data": [31.0, 22.5]})
    yield "alone/histosys/bin_without_yield", with_data("histosys", {"lo_data": [1.0, 20.0], "hi_data": [3.0, 24.0]}, (0.0, 22.5))


def refused():
    """(id, workspace): two types of one name, of which pyhf makes no model."""
    for first, second in itertools.combinations_with_replacement(TYPES, 2):
        name = "lumi" if "lumi" in (first, second) else "x"
        shapesys = first == second == "shapesys"
        if (first != second and (first, second) != ("histosys", "normsys")) or shapesys:
            if not shapesys:
                yield f"one_name/{first}+{second}/one_sample", document(2, [(first, name), (second, name)])
            yield f"one_name/{first}+{second}/two_samples", document(3, [(first, name)], [(second, name)])


def model_of(spec, codes=CODES[0]):
    settings = dict(zip(("normsys", "histosys"), ({"interpcode": code} for code in codes)))
    found = pyhf.Workspace(spec)
    model = found.model(modifier_settings=settings, poi_name=None)
    return model, np.asarray(found.data(model), dtype=float)


def values(model):
    """The start, and two points on both sides beyond one width, another for each parameter."""
    points = {"init": [], "above": [], "below": []}
    for name in model.config.par_order:
        entry = model.config.param_set(name)
        for i, start in enumerate(entry.suggested_init):
            width = 0.4
            if entry.constrained:
                width = np.ravel(entry.width())[i] if entry.pdf_type == "normal" else 1 / math.sqrt(entry.factors[i])
            # A bin that varies by nothing has the width 1.
            width = min(width, 0.5) if start == 1 else width
            step = 1.3 + 0.2 * (len(points["init"]) % 4)
            points["init"].append(float(start))
            points["above"].append(float(start + step * width))
            points["below"].append(float(start - step * width))
    return points


def by_name(model, numbers):
    return {name: [float(x) for x in np.asarray(numbers)[model.config.par_slice(name)]] for name in model.config.par_order}


def auxiliary(model, numbers):
    rest, found = [float(x) for x in numbers], {}
    for name in model.config.auxdata_order:
        count = model.config.param_set(name).n_parameters
        found[name], rest = rest[:count], rest[count:]
    return found


def configuration(model):
    """What the operation `model` tells."""
    sets = []
    for name in model.config.par_order:
        entry = model.config.param_set(name)
        told = {"name": name, "scalar": entry.is_scalar, "init": entry.suggested_init, "bounds": [list(pair) for pair in entry.suggested_bounds], "fixed": [bool(flag) for flag in entry.suggested_fixed], "constraint": None}
        if entry.constrained:
            normal = entry.pdf_type == "normal"
            told |= {"constraint": "gaussian" if normal else "poisson", "auxdata": list(entry.auxdata)}
            told["sigmas" if normal else "factors"] = [float(x) for x in np.ravel(entry.width() if normal else entry.factors)]
        sets.append(told)
    channels = [{"name": name, "bins": model.config.channel_nbins[name]} for name in model.config.channels]
    return {"channels": channels, "samples": model.config.samples, "parameters": sets, "auxdata_order": model.config.auxdata_order}


def cases_of(id, spec):
    given = {"workspace": {"text": json.dumps(spec)}}
    kinds = {m["type"] for c in spec["channels"] for s in c["samples"] for m in s["modifiers"]}
    model, _ = model_of(spec)
    build = lambda what, operation, input, expect, tolerance: dict(id=f"modifiers/{id}/{what}", spec=SPEC, document=given, operation=operation, input={"measurement": "meas", **input}, expect=expect, tolerance=tolerance, provenance=SOURCE)
    yield build("model", "model", {}, configuration(model), {"parameters": {"rel": 1e-15}})
    for codes in CODES if kinds & {"histosys", "normsys"} else CODES[:1]:
        model, data = model_of(spec, codes)
        for label, point in values(model).items():
            expected = np.asarray(model.expected_data(point), dtype=float)
            main, rest = expected[: model.config.nmaindata], expected[model.config.nmaindata :]
            numbers = {"main": {"region": [float(x) for x in main]}, "auxdata": auxiliary(model, rest)}
            expect = {"twice_nll": peer_pyhf.twice_nll(model, data, point), "expected_data": numbers}
            assert math.isfinite(expect["twice_nll"]), (id, label)
            tolerance = {"twice_nll": {"rel": 1e-12, "abs": 4e-16 * peer_pyhf.sum_of_terms(model, data, point)}, "expected_data": {"rel": 1e-12, "abs": 1e-13 * float(max(np.abs(main)))}}
            input = {"interpolation": dict(zip(("normsys", "histosys"), codes)), "parameters": by_name(model, point)}
            yield build(f"{label}/{'_'.join(codes)}", "evaluate", input, expect, tolerance)


def refused_case(id, spec):
    try:
        model_of(spec)
    except Exception as problem:  # noqa: BLE001 - the name is the answer
        expect = {"error": {"class": [type(problem).__name__]}}
        given = {"workspace": {"text": json.dumps(spec)}}
        return dict(id=f"modifiers/{id}", spec=f"modifiers.md, Sharing; {'W107' if id.count('shapesys') == 2 else 'W106'}", document=given, operation="model", input={"measurement": "meas"}, expect=expect, tolerance={}, provenance=SOURCE)
    raise AssertionError(f"pyhf makes a model of {id}")


def cases():
    peer_pyhf.require_version()
    peer_pyhf.use("numpy")
    return [case for item in documents() for case in cases_of(*item)] + [refused_case(*item) for item in refused()]


def twice_nll(spec, parameters):
    """pyhf's number at a point by name."""
    peer_pyhf.use("numpy")
    workspace = pyhf.Workspace(spec)
    model = workspace.model()
    point = np.concatenate([parameters[name] for name in model.config.par_order])
    return peer_pyhf.twice_nll(model, np.asarray(workspace.data(model), float), point)
