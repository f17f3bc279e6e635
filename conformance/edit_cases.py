"""Cases of rebin, symmetrise, build, diff and patchset_extract, of correlation schemes and of selectors.

Where pyhf 0.7.6 has the function it is asked (`Workspace.build`, and `Workspace.rename` with `Workspace.combine` for what a scheme
amounts to); else the expected document is worked out here, by the sentences of spec/operations.md.
"""
import copy
import json
import math

import pyhf

import operation_documents as documents
from operation_cases import case, error
from operation_documents import edited, fixture, modifier, region, sample, workspace

SENTENCES = "worked out from the sentences of spec/{}, in edit_cases.py"
EXACT = {"document": {"rel": 1e-14, "abs": 1e-14}}


def closed(id, spec, given, operation, input, expect, source=SENTENCES.format("operations.md")):
    return case(id, spec, given, operation, input, expect, source) | {"tolerance": EXACT if "document" in expect else {}}


# rebin


def summed(values, sizes):
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return [math.fsum(values[a : a + n]) for a, n in zip(starts, sizes)]


def rebinned(document, groups):
    """`groups` has the sizes of the new bins by channel."""
    document = copy.deepcopy(document)
    for channel in document["channels"]:
        sizes = groups.get(channel["name"])
        for part in channel["samples"] if sizes else []:
            part["data"] = summed(part["data"], sizes)
            for own in part["modifiers"]:
                if own["type"] in ("staterror", "shapesys"):
                    own["data"] = [math.sqrt(x) for x in summed([x * x for x in own["data"]], sizes)]
                if own["type"] == "histosys":
                    own["data"] = {side: summed(values, sizes) for side, values in own["data"].items()}
    for observation in document["observations"]:
        if observation["name"] in groups:
            observation["data"] = summed(observation["data"], groups[observation["name"]])
    return document


def rebin_cases():
    rich = documents.rich()
    section = "operations.md, section 5"

    def rebin(id, channels, groups):
        return closed(f"rebin/{id}", section, {"workspace": rich}, "rebin", {"channels": channels}, {"document": rebinned(rich, groups)})

    yield rebin("every_three", ["SR=3"], {"SR": [3]})
    yield rebin("every_two", ["CR=2"], {"CR": [2]})
    yield rebin("sizes", ["SR=2,1"], {"SR": [2, 1]})
    yield rebin("two_channels", ["SR=1,2", "CR=2"], {"SR": [1, 2], "CR": [2]})
    yield rebin("every_one", ["SR=1"], {"SR": [1, 1, 1]})
    yield rebin("glob", ["C*=2"], {"CR": [2]})
    refused = [("bins_left_over", ["SR=2"], "W374"), ("too_few", ["SR=1,1"], "W374"), ("too_many", ["CR=2,1"], "W374"), ("unknown", ["VR=2"], "W370")]
    for id, channels, rule in refused:
        yield closed(f"rebin/{id}", f"{section}; {rule}", {"workspace": rich}, "rebin", {"channels": channels}, error("InvalidWorkspaceOperation"))
    own = edited(rich, lambda d: d["measurements"][1]["config"]["parameters"].append({"name": "mj_shape", "inits": [1.0, 1.5]}))
    yield closed("rebin/values_of_bins", f"{section}; W374", {"workspace": own}, "rebin", {"channels": ["CR=2"]}, error("InvalidWorkspaceOperation"))


# symmetrise


def effect(nominal, up, down, method):
    """Δ of each bin."""
    plus, minus = [u - n for u, n in zip(up, nominal)], [d - n for d, n in zip(down, nominal)]
    size = lambda changes: sum(map(abs, changes))
    if method == "larger":
        method = "up" if size(plus) >= size(minus) else "down"
    return {"average": [(p - m) / 2 for p, m in zip(plus, minus)], "up": plus, "down": [-m for m in minus]}[method]


def symmetrised(document, method, fits=lambda channel, own: True):
    document = copy.deepcopy(document)
    for channel in document["channels"]:
        for part in channel["samples"]:
            for own in part["modifiers"]:
                if own["type"] == "normsys" and fits(channel["name"], own):
                    (delta,) = effect([1.0], [own["data"]["hi"]], [own["data"]["lo"]], method)
                    own["data"] = {"hi": 1.0 + delta, "lo": 1.0 - delta}
                if own["type"] == "histosys" and fits(channel["name"], own):
                    deltas = effect(part["data"], own["data"]["hi_data"], own["data"]["lo_data"], method)
                    up, down = ([n + s * d for n, d in zip(part["data"], deltas)] for s in (1, -1))
                    own["data"] = {"hi_data": up, "lo_data": down}
    return document


def symmetrise_cases():
    rich, section = documents.rich(), "operations.md, section 6"
    for method in ("average", "up", "down", "larger"):
        expect = {"document": symmetrised(rich, method)}
        yield closed(f"symmetrise/{method}", section, {"workspace": rich}, "symmetrise", {"method": method}, expect)
    chosen = {"document": symmetrised(rich, "average", lambda channel, own: channel == "CR" and own["name"] == "pdf")}
    yield closed("symmetrise/selector", section, {"workspace": rich}, "symmetrise", {"selectors": ["channel=CR/modifier=pdf"]}, chosen)
    unknown = {"selectors": ["modifier=nowhere"]}
    yield closed("symmetrise/unknown", f"{section}; W370", {"workspace": rich}, "symmetrise", unknown, error("InvalidWorkspaceOperation"))
    steep = modifier("normsys", "steep", {"lo": 0.9, "hi": 2.5})
    lone = edited(rich, lambda d: d["channels"][1]["samples"][1]["modifiers"].append(steep))
    one_sided = edited(lone, lambda d: d["channels"][1]["samples"][1]["modifiers"][-1].update(data={"lo": 1.1, "hi": 1.3}))
    only = {"document": symmetrised(one_sided, "up", lambda _, own: own["name"] == "steep")}
    yield closed("symmetrise/one_sided", section, {"workspace": one_sided}, "symmetrise", {"method": "up", "one_sided": True}, only)
    impossible = {"method": "up", "selectors": ["modifier=steep"]}
    yield closed("symmetrise/factor_below_zero", f"{section}; W111", {"workspace": lone}, "symmetrise", impossible, error("InvalidModifier"))


# build


def build_cases():
    section, by = "operations.md, section 7", "pyhf 0.7.6, Workspace.build, asked when the cases were written"
    for name in ("counting", "normsys", "shapesys", "staterror", "histosys", "lumi", "uncorrelated_background", "all_modifiers"):
        source = pyhf.Workspace(fixture(name))
        model = source.model()
        data = [float(x) for x in source.data(model)]
        built = json.loads(json.dumps(pyhf.Workspace.build(model, data)))
        given = {"model": {"file": f"fixtures/{name}/workspace.json"}}
        input = {"data": data, "poi": model.config.poi_name, "measurement": "measurement"}
        yield closed(f"build/{name}", section, given, "build", input, {"document": built}, by)
    short = {"model": {"file": "fixtures/counting/workspace.json"}}
    yield closed("build/too_few_numbers", f"{section}; W125", short, "build", {"data": []}, {"error": {"class": ["InvalidPdfData", "InvalidSpecification"]}})


# diff


def diff_cases():
    rich, section = documents.rich(), "operations.md, section 8"

    def diff(id, other, expect, **input):
        return closed(f"diff/{id}", section, {"a": rich, "b": other}, "diff", input, expect)

    yield diff("same", rich, {"different": False, "order": []})
    yield diff("order_of_channels", edited(rich, lambda d: d["channels"].reverse()), {"different": False, "order": ["channels"]})
    near = edited(rich, lambda d: d["channels"][0]["samples"][1]["data"].__setitem__(0, 30.003))
    yield diff("number", near, {"different": True})
    yield diff("number_within_rtol", near, {"different": False}, rtol=2e-4)
    yield diff("number_beyond_rtol", near, {"different": True}, rtol=5e-5)
    yield diff("number_within_atol", near, {"different": False}, atol=0.01)
    yield diff("modifier_gone", edited(rich, lambda d: d["channels"][1]["samples"][1]["modifiers"].pop()), {"different": True})
    yield diff("whole_numbers", edited(rich, lambda d: d["channels"][0]["samples"][1].update(data=[30, 22, 11])), {"different": False})


# patchset_extract


def extract_cases():
    given = {"patchset": {"file": "fixtures/higgs_like/patchset.json"}}
    patchset = json.loads((documents.FIXTURES / "higgs_like/patchset.json").read_text())
    for own in patchset["patches"]:
        name = own["metadata"]["name"]
        source = "pyhf 0.7.6: `pyhf patchset extract` writes the list of operations as it stands"
        yield closed(f"patchset_extract/{name}", "patchset.md", given, "patchset_extract", {"name": name}, {"patch": own["patch"]}, source)
    nowhere = error("InvalidPatchLookup")
    yield closed("patchset_extract/unknown", "patchset.md", given, "patchset_extract", {"name": "nowhere"}, nowhere, "pyhf 0.7.6, PatchSet")


# combine with schemes and labels, prune with selectors


def scheme_cases():
    """A scheme is a change of names before the documents are joined: pyhf renames and combines."""
    signal = region("SR", "fit")
    control = region("CR", "fit", scale=10, counts=[415, 371])
    by = "pyhf 0.7.6: Workspace.rename of each document, then Workspace.combine, asked when the cases were written"

    def combined(first, second):
        parts = [pyhf.Workspace(copy.deepcopy(part)).rename(modifiers=names) for part, names in ((signal, first), (control, second))]
        return {"document": json.loads(json.dumps(pyhf.Workspace.combine(*parts, join="outer")))}

    def scheme(id, entries, expect, shared="same", rule=None, source=by):
        document = {"version": "0.1.0", "shared_names": shared, "parameters": entries}
        given = {"a": signal, "b": control, "scheme": document}
        spec = "combine.md, section 6" + (f"; {rule}" if rule else "")
        return closed(f"combine/scheme/{id}", spec, given, "combine", {"join": "outer"}, expect, source)

    apart = combined({"bkg_norm": "a_bkg_norm"}, {"bkg_norm": "b_bkg_norm"})
    yield scheme("apart", [{"apart": "bkg_norm"}], apart)
    yield scheme("apart_by_glob", [{"apart": "bkg*"}], apart)
    one = {"name": "bkg", "same": {"a": "bkg_norm", "b": "bkg_norm"}}
    yield scheme("same_renamed", [one], combined({"bkg_norm": "bkg"}, {"bkg_norm": "bkg"}))
    yield scheme("same_by_default", [], combined({}, {}))
    sentence = SENTENCES.format("combine.md")
    named = [{"name": "bkg", "same": {"c": "bkg_norm"}}]
    yield scheme("unknown_label", named, error("InvalidWorkspaceOperation"), rule="W319", source=sentence)
    yield scheme("unknown_name", [{"apart": "nowhere"}], error("InvalidWorkspaceOperation"), rule="W319", source=sentence)
    yield scheme("names_without_entry", [{"apart": "mu"}], error("InvalidWorkspaceOperation"), "error", "W319", sentence)
    pair = [{"label": "a", "name": "bkg_norm"}, {"label": "b", "name": "bkg_norm"}]
    group = {"parameters": ["a_bkg_norm", "b_bkg_norm"], "matrix": [[1.0, 0.5], [0.5, 1.0]]}
    joint = edited(apart["document"], lambda d: d.update(correlations={"version": "0.1.0", "groups": [group]}))
    yield scheme("correlated", [{"correlated": pair, "matrix": group["matrix"]}], {"document": joint}, source=f"{by}; the group as the scheme has it")
    prefixed = [pyhf.Workspace(copy.deepcopy(part)).rename(channels={name: f"{label}_{name}"}) for part, name, label in ((signal, "SR", "a"), (control, "CR", "b"))]
    whole = json.loads(json.dumps(pyhf.Workspace.combine(*prefixed, join="outer")))
    labelled = {"join": "outer", "prefix_channels": True}
    yield closed("combine/prefix_channels", "combine.md, section 1", {"a": signal, "b": control}, "combine", labelled, {"document": whole}, by)
    again = edited(signal, lambda d: (d["channels"][0].update(name="VR"), d["observations"][0].update(name="VR")))
    double = error("InvalidWorkspaceOperation")
    yield closed("combine/same_data/same_model", "combine.md, section 7; W317", {"a": signal, "b": again}, "combine", {"join": "outer"}, double, sentence)


def selector_cases():
    rich, section = documents.rich(), "operations.md, section 2"

    def prune(id, input, edit):
        return closed(f"prune/{id}", section, {"workspace": rich}, "prune", input, {"document": edited(rich, edit)})

    top = lambda d: d["channels"][0]["samples"][1]["modifiers"]
    yield prune("selector/modifier", {"selectors": ["channel=SR/sample=top/modifier=k_*"]}, lambda d: top(d).pop(3))
    yield prune("selector/type", {"selectors": ["channel=CR/type=shapefactor"]}, lambda d: d["channels"][1]["samples"][1]["modifiers"].pop(0))
    yield prune("selector/sample", {"selectors": ["channel=SR/sample=multijet"]}, lambda d: d["channels"][0]["samples"].pop(2))

    def small(d):
        # 0.02 is the size of the normsys in CR: |1.02 - 1| and |0.97 - 1|, of which the larger counts.
        d["channels"][1]["samples"][0]["modifiers"].pop(1)

    yield prune("smaller_than", {"smaller_than": 0.04}, small)
    unknown = {"selectors": ["sample=nowhere"]}
    yield closed("prune/selector/unknown", f"{section}; W370", {"workspace": rich}, "prune", unknown, error("InvalidWorkspaceOperation"))


def files():
    return {
        "rebin": list(rebin_cases()),
        "symmetrise": list(symmetrise_cases()),
        "build": list(build_cases()),
        "diff": list(diff_cases()),
        "patchset_extract": list(extract_cases()),
        "schemes": list(scheme_cases()),
        "selectors": list(selector_cases()),
    }
