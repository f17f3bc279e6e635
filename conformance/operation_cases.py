"""Cases of combine, prune, rename and sort.

The expected document, or the class of the error, is what pyhf 0.7.6 gives when the cases are written. Where
spec/combine.md or spec/operations.md depart from pyhf the case expects what they say and names the rule; that pyhf does
something else is looked at here, and why stands in adapters/pyhf.differences.json.
"""
import copy
import functools
import json
import logging

import pyhf

import operation_documents as documents
from operation_documents import background, edited, fixture, luminous, modifier, region, sample, signal, workspace

logging.getLogger("pyhf").setLevel(logging.CRITICAL)
BY_PYHF = "pyhf 0.7.6, Workspace.{}, asked when the cases were written"
JOINS = ("none", "outer", "left outer", "right outer")


def case(id, spec, documents, operation, input, expect, provenance):
    given = {name: source if set(source) == {"file"} else {"text": json.dumps(source, ensure_ascii=False)} for name, source in documents.items()}
    return dict(id=id, spec=spec, document=given, operation=operation, input=input, expect=expect, tolerance={}, provenance=provenance)


def asked(operate):
    """What pyhf answers, as a case expects it."""
    try:
        return {"document": json.loads(json.dumps(operate()))}
    except Exception as problem:  # noqa: BLE001 - pyhf fails in many ways
        return {"error": {"class": [type(problem).__name__]}}


def error(name):
    return {"error": {"class": [name]}}


def decided(answer, expect):
    """pyhf's answer, or the specification's where that is another one."""
    if expect is None:
        return answer
    assert answer != expect, "pyhf agrees: the case needs no decision"
    return expect


# combine


def combined(parts, join, merge):
    step = functools.partial(pyhf.Workspace.combine, join=join, merge_channels=merge)
    return functools.reduce(step, [pyhf.Workspace(copy.deepcopy(part)) for part in parts])


def combine_case(id, parts, join, merge=False, expect=None, rule=None, why=None, section=2):
    answer = asked(lambda: combined(parts, join, merge))
    spec = f"combine.md, section {section}" + (f"; {rule}" if rule else "")
    source = (why or f"spec/combine.md, rule {rule}") if expect else BY_PYHF.format("combine")
    input = {"join": join} | ({"merge_channels": True} if merge else {})
    return case(f"combine/{id}", spec, dict(zip("abcd", parts)), "combine", input, decided(answer, expect), source)


def in_all_joins(id, parts, rules, joins=JOINS, merge=False):
    """One case for each join; `rules` are those by which the specification refuses as pyhf does, by join."""
    for join in joins:
        yield combine_case(f"{id}/{join.replace(' ', '_')}", parts, join, merge, rule=rules.get(join))


def combine_cases():
    sr = region("SR")
    yield from in_all_joins("apart", [sr, region("CR", "fit_cr", scale=10)], {})
    yield from in_all_joins("same", [sr, sr], {"none": "W301"})
    yield from in_all_joins("measurement_in_common", [sr, region("CR", scale=10)], {"none": "W301"})
    yield from in_all_joins("channel_differs", [sr, edited(sr, lambda d: d["channels"][0]["samples"][1]["data"].__setitem__(0, 41.5))], {"none": "W301", "outer": "W302"})
    yield from in_all_joins("observation_differs", [sr, edited(sr, lambda d: d["observations"][0]["data"].__setitem__(0, 44))], {"none": "W301", "outer": "W302"})
    yield from in_all_joins("order_of_samples_differs", [sr, edited(sr, lambda d: d["channels"][0]["samples"].reverse())], {"none": "W301", "outer": "W302"})
    yield from in_all_joins("whole_numbers", [sr, edited(sr, lambda d: d["channels"][0]["samples"][1].update(data=[40, 30]))], {"none": "W301"})
    yield from in_all_joins("poi_differs", [sr, region("CR", poi="bkg_norm", scale=10)], {"none": "W301", "outer": "W303"})
    yield from measurement_cases()
    yield from merge_cases()
    yield from several_channels()
    yield from departures()
    yield from of_fixtures()


def measurement_cases():
    configured = lambda name, *parameters: region(name, parameters=parameters, scale=10 if name == "CR" else 1)
    mu, norm = {"name": "mu", "bounds": [[0.0, 5.0]]}, {"name": "bkg_norm", "inits": [0.2]}
    yield from in_all_joins("parameters_apart", [configured("SR", mu), configured("CR", norm)], {"none": "W301"})
    yield from in_all_joins("parameters_equal", [configured("SR", mu, norm), configured("CR", norm)], {"none": "W301"})
    yield from in_all_joins("parameters_differ", [configured("SR", mu), configured("CR", {**mu, "bounds": [[0.0, 8.0]]})], {"none": "W301", "outer": "W304"})
    yield from in_all_joins("parameter_order", [configured("SR", mu, norm), configured("CR", norm, mu)], {"none": "W301"})
    left = [{"name": name, "config": {"poi": "mu", "parameters": []}} for name in ("x", "y", "z")]
    several = [edited(region("SR"), lambda d: d.update(measurements=left)), edited(region("CR", scale=10), lambda d: d.update(measurements=[left[2], {**left[0], "name": "w"}, left[1]]))]
    yield from in_all_joins("order_of_measurements", several, {"none": "W301"})
    # An observation of a channel that the document lacks is not used, and yet in common.
    other = region("CR", "fit_cr", scale=10)
    other["observations"].append({"name": "SR", "data": [1, 2]})
    yield from in_all_joins("observation_in_common", [region("SR"), other], {"none": "W301", "outer": "W302"})


def merge_cases():
    joins = JOINS[1:]
    sr = region("SR")
    more = edited(sr, lambda d: d["channels"][0].update(samples=[sample("diboson", [4.0, 2.0], modifier("normsys", "vv_norm", {"lo": 0.8, "hi": 1.2}))]))
    yield from in_all_joins("merge/sample_apart", [sr, more], {}, joins, merge=True)
    both = edited(more, lambda d: d["channels"][0]["samples"].append(background(40.0, 30.0)))
    yield from in_all_joins("merge/sample_equal", [sr, both], {}, joins, merge=True)
    yield from in_all_joins("merge/no_channel_in_common", [sr, region("CR", "fit_cr", scale=10)], {}, joins, merge=True)
    counts = edited(more, lambda d: d["observations"][0].update(data=[45, 39]))
    yield from in_all_joins("merge/observation_differs", [sr, counts], {"outer": "W302"}, joins, merge=True)
    other = edited(both, lambda d: d["channels"][0]["samples"].__setitem__(1, background(50.0, 30.0)))
    expect = error("InvalidWorkspaceOperation")
    yield combine_case("merge/sample_differs/outer", [sr, other], "outer", True, expect, "W305")
    yield from in_all_joins("merge/sample_differs", [sr, other], {}, joins[1:], merge=True)


def several_channels():
    def of(*names):
        channels = {n: [signal(3.0 + i, 5.0), background(400.0 + 30 * i, 30.0)] for i, n in enumerate("PQRST") if n in names}
        counts = {n: [411 + 3 * i, 37 + i] for i, n in enumerate("PQRST") if n in names}
        return workspace({n: channels[n] for n in names}, {n: counts[n] for n in names}, {"fit": ("mu", [])})

    yield from in_all_joins("order_of_channels", [of("Q", "P"), of("R", "P", "Q")], {"none": "W301"})
    yield from in_all_joins("three_documents", [of("Q"), of("P", "Q"), of("R", "Q")], {"none": "W301"})
    apart = [edited(of(n), lambda d: d["measurements"][0].update(name=f"fit_{n}")) for n in "TRS"]
    yield from in_all_joins("three_documents_apart", apart, {})
    changed = edited(of("R", "Q"), lambda d: d["observations"][1].update(data=[1, 2]))
    yield from in_all_joins("conflict_in_third", [of("P"), of("Q", "P"), changed], {"none": "W301", "outer": "W302"})


def departures():
    """What spec/combine.md refuses or says otherwise than pyhf."""
    refuse = error("InvalidWorkspaceOperation")
    one, other = luminous("SR", "fit", 1.0, 0.02, [41, 37]), luminous("CR", "fit_cr", 1.0, 0.03, [44, 31])
    yield combine_case("constraint/lumi_width", [one, other], "none", expect=refuse, rule="W307", section=3)
    other = luminous("CR", "fit_cr", 1.05, 0.02, [44, 31])
    yield combine_case("constraint/lumi_auxdata", [one, other], "outer", expect=refuse, rule="W307", section=3)
    yield combine_case("constraint/equal", [one, luminous("CR", "fit_cr", 1.0, 0.02, [44, 31])], "none", section=3)
    shifted = region("CR", "fit_cr", parameters=[{"name": "bkg_norm", "auxdata": [0.5]}], scale=10)
    yield combine_case("constraint/normsys_auxdata", [region("SR"), shifted], "none", expect=refuse, rule="W307", section=3)
    # Where a side wins, its measurement of the name counts for both.
    shifted = region("CR", parameters=[{"name": "bkg_norm", "auxdata": [0.5]}], scale=10)
    yield combine_case("constraint/side_that_wins", [region("SR"), shifted], "right outer", section=3)
    counts = [4213, 3871]
    twice = [region("SR", scale=100, counts=counts), region("CR", "fit_cr", scale=100, counts=counts)]
    yield combine_case("same_data/other_name", twice, "none", expect=refuse, rule="W317", section=7)
    small = [region("SR", counts=[3, 4]), region("CR", "fit_cr", scale=2, counts=[3, 4])]
    yield combine_case("same_data/few_events", small, "none", section=7)
    clash = edited(region("CR", "fit_cr", scale=10), lambda d: d["channels"][0]["samples"][1].update(modifiers=[modifier("normfactor", "bkg_norm")]))
    yield combine_case("name_reuse", [region("SR"), clash], "none", expect=error("InvalidNameReuse"), rule="W106", section=1)
    taken = edited(region("SR"), lambda d: d["channels"].append(d["channels"][0]))
    yield combine_case("unsound_document", [taken, region("CR", "fit_cr", scale=10)], "none", expect=error("InvalidModel"), rule="W101", section=1)
    version = edited(region("CR", "fit_cr", scale=10), lambda d: d.update(version="1.0.1"))
    yield combine_case("version", [region("SR"), version], "none", expect={"error": {"class": ["InvalidSpecification", "InvalidWorkspaceOperation", "SchemaNotFound"]}}, why="spec/combine.md, Compatibility: refused by both, by pyhf as a schema that it does not find")
    bounded = {"name": "mu", "bounds": [[0.0, 5.0]]}
    three = [region(name, parameters=[p], scale=scale) for name, p, scale in (("P", bounded, 10), ("Q", {"name": "bkg_norm", "inits": [0.1]}, 11), ("R", bounded, 12))]
    yield from in_all_joins("three_of_one_measurement", three, {"none": "W301"})


def of_fixtures():
    """Documents of this repository, whose channels and measurements often have one name."""
    without_lumi = {"higgs_like+counting/right_outer", "all_modifiers+uncorrelated_background/right_outer"}
    pairs = [("counting", "normfactor"), ("shapesys", "staterror"), ("higgs_like", "counting"), ("higgs_like", "higgs_like"), ("several_measurements", "lumi"), ("all_modifiers", "uncorrelated_background")]
    for left, right in pairs:
        parts = [fixture(left), fixture(right)]
        for join in JOINS:
            id = f"{left}+{right}/{join.replace(' ', '_')}"
            answer, rule, source = asked(lambda: combined(parts, join, False)), "", BY_PYHF.format("combine")
            if id in without_lumi:
                answer, rule, source = decided(answer, error("InvalidModel")), "; W136", "spec/combine.md, section 3: the first measurement of the result says nothing of lumi"
            given = {name: {"file": f"fixtures/{f}/workspace.json"} for name, f in zip("ab", (left, right))}
            yield case(f"combine/fixtures/{id}", f"combine.md, section 2{rule}", given, "combine", {"join": join}, answer, source)


# prune, rename and sort


def edit_case(operation, id, document, input, expect=None, rule=None, why=None):
    """`document` is a workspace or the name of a fixture."""
    spec = fixture(document) if isinstance(document, str) else document
    function = {"prune": pyhf.Workspace.prune, "rename": pyhf.Workspace.rename, "sort": pyhf.Workspace.sorted}[operation]
    answer = asked(lambda: function(pyhf.Workspace(copy.deepcopy(spec)), **input))
    section = {"prune": 2, "rename": 3, "sort": 4}[operation]
    source = (why or f"spec/operations.md, rule {rule}") if expect else BY_PYHF.format(function.__name__)
    given = {"workspace": {"file": f"fixtures/{document}/workspace.json"} if isinstance(document, str) else spec}
    spec = f"operations.md, section {section}" + (f"; {rule}" if rule else "")
    return case(f"{operation}/{id}", spec, given, operation, input, decided(answer, expect), source)


def without(document, edit):
    """The expectation that the document is what it was after an edit."""
    return {"document": edited(document, edit)}


def prune_cases():
    prune = functools.partial(edit_case, "prune")
    rich, measured = documents.rich(), documents.region("SR")
    yield prune("nothing", rich, {})
    yield prune("channel", rich, {"channels": ["CR"]})
    yield prune("sample", rich, {"samples": ["multijet"]})
    yield prune("modifier", rich, {"modifiers": ["k_top"]})
    yield prune("modifier_of_two_types", rich, {"modifiers": ["JES"]})
    yield prune("modifier_lumi", rich, {"modifiers": ["lumi"]})
    for kind in ("lumi", "normfactor", "normsys", "shapefactor", "shapesys", "staterror"):
        yield prune(f"type/{kind}", rich, {"modifier_types": [kind]})
    yield prune("measurement", rich, {"measurements": ["plain"]})
    yield prune("first_measurement", rich, {"measurements": ["with_k"]})
    yield prune("several", rich, {"channels": ["CR"], "samples": ["top"], "modifiers": ["mj_SR"], "modifier_types": ["staterror"], "measurements": ["plain"]})
    yield prune("poi", rich, {"modifiers": ["mu"]})
    for kind in ("channels", "samples", "modifiers", "measurements"):
        yield prune(f"unknown/{kind}", rich, {kind: ["nowhere"]}, rule="W370")
    yield prune("unknown/modifier_type", measured, {"modifier_types": ["shapesys"]}, rule="W370")
    yield prune("unknown/one_of_two", rich, {"samples": ["top", "nowhere"]}, rule="W370")
    yield prune("unknown/sample_of_pruned_channel", rich, {"channels": ["SR"], "samples": ["signal"]})
    yield prune("emptied/channels", rich, {"channels": ["SR", "CR"]}, rule="W371")
    yield prune("emptied/samples", rich, {"samples": ["top", "multijet"]}, rule="W371")
    yield prune("emptied/measurements", measured, {"measurements": ["fit"]}, rule="W371")
    yield prune("emptied/modifiers", measured, {"modifiers": ["mu", "bkg_norm"]}, error("InvalidModel"), "W110")
    drop = lambda d: d["channels"][0]["samples"][1]["modifiers"].pop(0)
    yield prune("type/histosys", rich, {"modifier_types": ["histosys"]}, without(rich, drop), why="spec/operations.md, section 2: the only histosys is left out, also where its name is that of a normsys")
    glob = lambda d: (d["channels"][0]["samples"][0]["modifiers"].pop(2), d["channels"][0]["samples"][1]["modifiers"].pop(2))
    yield prune("glob", rich, {"modifiers": ["stat_*"]}, without(rich, glob), why="spec/operations.md, section 2: a name that is not there is a glob")
    for name, input in (("higgs_like", {"modifier_types": ["normsys"]}), ("all_modifiers", {"modifier_types": ["lumi"]}), ("several_measurements", {"modifier_types": ["normfactor"]})):
        yield prune(f"fixtures/{name}", name, input)


def rename_cases():
    rename = functools.partial(edit_case, "rename")
    rich = documents.rich()
    yield rename("nothing", rich, {})
    yield rename("channel", rich, {"channels": {"SR": "signal region"}})
    yield rename("sample", rich, {"samples": {"top": "ttbar"}})
    yield rename("modifier", rich, {"modifiers": {"k_top": "norm_ttbar"}})
    yield rename("modifier_of_two_types", rich, {"modifiers": {"JES": "jet energy"}})
    yield rename("poi", rich, {"modifiers": {"mu": "strength"}})
    yield rename("staterror", rich, {"modifiers": {"stat_SR": "mc"}})
    yield rename("measurement", rich, {"measurements": {"plain": "simple"}})
    yield rename("all_kinds", rich, {"channels": {"SR": "A"}, "samples": {"signal": "B"}, "modifiers": {"pdf": "C"}, "measurements": {"with_k": "D"}})
    yield rename("swap/channels", rich, {"channels": {"SR": "CR", "CR": "SR"}})
    yield rename("swap/samples", rich, {"samples": {"top": "multijet", "multijet": "top"}})
    yield rename("swap/modifiers", rich, {"modifiers": {"mj_SR": "pdf", "pdf": "mj_SR"}})
    yield rename("swap/measurements", rich, {"measurements": {"plain": "with_k", "with_k": "plain"}})
    yield rename("chain", rich, {"modifiers": {"pdf": "k_top", "k_top": "norm"}})
    yield rename("to_itself", rich, {"samples": {"top": "top"}})
    for kind in ("channels", "samples", "modifiers", "measurements"):
        yield rename(f"unknown/{kind}", rich, {kind: {"nowhere": "x"}}, rule="W370")
    taken = {"channels": ("SR", "CR"), "samples": ("top", "signal"), "modifiers": ("pdf", "k_top"), "measurements": ("plain", "with_k")}
    for kind, (old, new) in taken.items():
        yield rename(f"taken/{kind}", rich, {kind: {old: new}}, error("InvalidWorkspaceOperation"), "W372")
    yield rename("taken/sample_of_another_channel", rich, {"samples": {"signal": "fakes"}})
    yield rename("two_to_one", rich, {"modifiers": {"pdf": "x", "k_top": "x"}}, error("InvalidWorkspaceOperation"), "W372")
    yield rename("glob", rich, {"samples": {"t*": "x"}}, rule="W370")
    eft = {"workspace": {"file": "fixtures/eft_relative/workspace.json"}}
    spec = "operations.md, section 3; W373"
    coefficient = fixture("eft_relative")["eft"]["wilson_coefficients"][0]["name"]
    yield case("rename/eft/coefficient", spec, eft, "rename", {"modifiers": {coefficient: "x"}}, {"error": {"class": ["InvalidEft", "InvalidWorkspaceOperation"]}}, "spec/operations.md, rules W370 and W373")
    for name, old in (("higgs_like", {"modifiers": {"mu": "mu_H"}}), ("all_modifiers", {"channels": {"SR": "signal_region"}})):
        yield rename(f"fixtures/{name}", name, old)


def sort_cases():
    yield edit_case("sort", "untidy", documents.untidy(), {})
    yield edit_case("sort", "rich", documents.rich(), {})
    tidy = json.loads(json.dumps(pyhf.Workspace.sorted(pyhf.Workspace(documents.untidy()))))
    yield edit_case("sort", "sorted_before", tidy, {})
    for name in sorted(p.parent.name for p in documents.FIXTURES.glob("*/workspace.json")):
        if not name.startswith("eft_"):
            yield edit_case("sort", f"fixtures/{name}", name, {})


def files():
    return {"combine": list(combine_cases()), "prune": list(prune_cases()), "rename": list(rename_cases()), "sort": list(sort_cases())}
