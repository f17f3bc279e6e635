"""Small documents with one fault each, and what must be said about it. Written for this purpose alone.

Classes are those of pyhf 0.7.6 where it refuses the document ("pyhf" in the reason), else those of spec/validation.md.
"""
import copy
import json

GOOD = {
    "channels": [
        {
            "name": "SR",
            "samples": [
                {
                    "name": "bkg",
                    "data": [10.0, 20.0],
                    "modifiers": [
                        {"name": "norm", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}},
                        {"name": "tilt", "type": "histosys", "data": {"lo_data": [9.0, 21.0], "hi_data": [11.0, 19.0]}},
                        {"name": "unc", "type": "shapesys", "data": [1.0, 2.0]},
                    ],
                },
                {
                    "name": "sig",
                    "data": [1.0, 3.0],
                    "modifiers": [
                        {"name": "mu", "type": "normfactor", "data": None},
                        {"name": "mcstat", "type": "staterror", "data": [0.1, 0.3]},
                    ],
                },
            ],
        }
    ],
    "observations": [{"name": "SR", "data": [11, 24]}],
    "measurements": [{"name": "meas", "config": {"poi": "mu", "parameters": []}}],
    "version": "1.0.0",
}
PATCHSET = {
    "metadata": {
        "name": "points",
        "description": "Two points",
        "references": {"hepdata": "ins0000000"},
        "digests": {"md5": "0" * 32},
        "labels": ["mass"],
    },
    "patches": [
        {"metadata": {"name": "p1", "values": [1]}, "patch": []},
        {"metadata": {"name": "p2", "values": [2]}, "patch": []},
    ],
    "version": "1.0.0",
}
DELETE = object()
SAMPLE = "/channels/0/samples/0"
CONFIG = "/measurements/0/config/parameters"


# The rule that a document breaks, where its class does not tell.
OF_TAG = {
    "sample_bins": "W103",
    "histosys_bins": "W105",
    "shapesys_bins": "W105",
    "staterror_bins": "W105",
    "name_reuse": "W106",
    "shapesys_shared": "W107",
    "two_samples_of_one_name": "W102",
    "two_modifiers_of_one_name": "W104",
    "no_parameters": "W110",
    "lumi_without_settings": "W136",
    "normsys_below_zero": "W111",
    "negative_uncertainty": "W112",
    "inits_length": "W139",
    "sigmas_of_normsys": "W138",
    "factors_of_staterror": "W138",
    "auxdata_of_normfactor": "W138",
    "bounds_reversed": "W141",
    "two_settings_of_one_name": "W135",
    "observation_bins": "W121",
    "observation_missing": "W120",
    "observation_negative": "W123",
    "poi_unknown": "W132",
    "observation_unknown_channel": "W124",
    "two_measurements_of_one_name": "W131",
    "two_patches_of_one_name": "W030",
    "two_patches_of_one_value": "W031",
    "values_and_labels": "W032",
    "number_too_large": "W004",
    "doubled_key": "W003",
    "too_deep": "W006",
}
OF_CLASS = {"SyntaxError": "W001", "InvalidSpecification": "W010"}


def changed(document, *edits):
    """The document with values set (or removed) at JSON Pointers; `-` appends."""
    document = copy.deepcopy(document)
    for pointer, value in edits:
        *path, last = pointer[1:].split("/")
        target = document
        for key in path:
            target = target[int(key)] if isinstance(target, list) else target[key]
        if last == "-":
            target.append(value)
        elif value is DELETE:
            del target[int(last) if isinstance(target, list) else last]
        else:
            target[int(last) if isinstance(target, list) else last] = value
    return json.dumps(document)


def config(**entry):
    return (f"{CONFIG}/-", entry)


def modifier(kind, name, data=None):
    return {"name": name, "type": kind, "data": data}


def schema_faults():
    """(name, edits, pointer of the finding); a surplus member may be named itself or by its object, as JSON Schema does"""
    yield "no_channels", [("/channels", [])], "/channels"
    yield "no_samples", [("/channels/0/samples", [])], "/channels/0/samples"
    yield "no_observations", [("/observations", DELETE)], ""
    yield "no_version", [("/version", DELETE)], ""
    yield "additional_member", [("/comment", "x")], ["", "/comment"]
    yield "sample_without_name", [(f"{SAMPLE}/name", DELETE)], SAMPLE
    yield "data_as_text", [(f"{SAMPLE}/data/1", "20")], f"{SAMPLE}/data/1"
    yield "data_empty", [(f"{SAMPLE}/data", [])], f"{SAMPLE}/data"
    yield "fixed_as_list", [config(name="norm", fixed=[True])], f"{CONFIG}/0/fixed"
    yield "unknown_setting", [config(name="norm", prior="flat")], [f"{CONFIG}/0", f"{CONFIG}/0/prior"]


def model_faults():
    """(name, edits, classes, pointer or None, reason)"""
    second = "/channels/0/samples/1"
    yield "sample_bins", [(f"{second}/data", [1.0]), (f"{second}/modifiers", [modifier("normfactor", "mu")])], ["InvalidModel"], f"{second}/data", "pyhf"
    yield "histosys_bins", [(f"{SAMPLE}/modifiers/1/data/lo_data", [9.0])], ["InvalidModifier"], None, "lo_data must have the bins of the sample"
    yield "shapesys_bins", [(f"{SAMPLE}/modifiers/2/data", [1.0, 2.0, 3.0])], ["InvalidModifier"], f"{SAMPLE}/modifiers/2/data", "pyhf"
    yield "staterror_bins", [(f"{second}/modifiers/1/data", [0.1])], ["InvalidModifier"], f"{second}/modifiers/1/data", "pyhf"
    yield "name_reuse", [(f"{second}/modifiers/0/name", "norm"), ("/measurements/0/config/poi", "norm")], ["InvalidNameReuse"], None, "pyhf"
    yield "shapesys_shared", [(f"{second}/modifiers/-", modifier("shapesys", "unc", [0.1, 0.1]))], ["InvalidModel"], None, "pyhf"
    yield "two_samples_of_one_name", [(f"{second}/name", "bkg")], ["InvalidModel"], None, "names of samples are unique in a channel"
    yield "two_modifiers_of_one_name", [(f"{SAMPLE}/modifiers/-", modifier("normsys", "norm", {"lo": 0.8, "hi": 1.2}))], ["InvalidModel"], None, "modifiers.md, Effects"
    yield "no_parameters", [(f"{SAMPLE}/modifiers", []), (f"{second}/modifiers", [])], ["InvalidModel"], None, "pyhf"
    yield "lumi_without_settings", [(f"{second}/modifiers/-", modifier("lumi", "lumi"))], ["InvalidModel"], None, "modifiers.md, table 1"
    yield "normsys_below_zero", [(f"{SAMPLE}/modifiers/0/data/lo", -0.1)], ["InvalidModifier"], f"{SAMPLE}/modifiers/0/data/lo", "interpolation.md, normsys"
    yield "negative_uncertainty", [(f"{SAMPLE}/modifiers/2/data/0", -1.0)], ["InvalidModifier"], f"{SAMPLE}/modifiers/2/data/0", "an uncertainty is at least 0"
    yield "inits_length", [config(name="norm", inits=[0.0, 0.0])], ["InvalidModel"], f"{CONFIG}/0/inits", "pyhf"
    yield "sigmas_of_normsys", [config(name="norm", sigmas=[1.0])], ["InvalidModel"], f"{CONFIG}/0/sigmas", "pyhf"
    yield "factors_of_staterror", [config(name="mcstat", factors=[1.0, 1.0])], ["InvalidModel"], f"{CONFIG}/0/factors", "pyhf"
    yield "auxdata_of_normfactor", [config(name="mu", auxdata=[1.0])], ["InvalidModel"], f"{CONFIG}/0/auxdata", "pyhf"
    yield "bounds_reversed", [config(name="mu", bounds=[[10.0, 0.0]])], ["InvalidModel"], f"{CONFIG}/0/bounds/0", "lower bound above upper bound"
    yield "two_settings_of_one_name", [config(name="mu", inits=[1.0]), config(name="mu", inits=[2.0])], ["InvalidModel"], None, "pyhf"
    yield "observation_bins", [("/observations/0/data", [11, 24, 3])], ["ObservationShape"], "/observations/0/data", "one count for each bin"
    yield "observation_missing", [("/observations/0/name", "CR")], ["MissingObservation"], None, "every channel has an observation"
    yield "observation_negative", [("/observations/0/data/0", -1)], ["NegativeObservation"], "/observations/0/data/0", "likelihood.md, eq. 5"


def warnings():
    """(name, edits, class): valid, with a warning."""
    yield "poi_unknown", [("/measurements/0/config/poi", "nothing")], ["InvalidModel"]
    yield "observation_unknown_channel", [("/observations/-", {"name": "CR", "data": [1]})], ["UnknownChannel"]
    yield "two_measurements_of_one_name", [("/measurements/-", GOOD["measurements"][0])], ["DuplicateMeasurement"]


def texts():
    """(name, text, class): documents that are not strict JSON."""
    good = json.dumps(GOOD)
    yield "truncated", good[:200], ["SyntaxError"]
    yield "empty", "", ["SyntaxError"]
    yield "trailing", good + " {}", ["SyntaxError"]
    yield "nan", good.replace("20.0", "NaN", 1), ["SyntaxError"]
    yield "infinity", good.replace("20.0", "Infinity", 1), ["SyntaxError"]
    yield "comment", "// a workspace\n" + good, ["SyntaxError"]
    yield "trailing_comma", good.replace("20.0]", "20.0,]", 1), ["SyntaxError"]
    yield "number_too_large", good.replace("20.0", "1e400", 1), ["NumberRange"]
    yield "doubled_key", good.replace('"version": "1.0.0"', '"version": "1.0.0", "version": "1.0.0"'), ["DuplicateKey"]
    yield "too_deep", "[" * 5000 + "]" * 5000, ["DepthLimit"]


def patchset_faults():
    yield "two_patches_of_one_name", [("/patches/1/metadata/name", "p1")], ["InvalidPatchSet"]
    yield "two_patches_of_one_value", [("/patches/1/metadata/values", [1.0])], ["InvalidPatchSet"]
    yield "values_and_labels", [("/patches/1/metadata/values", [1, 2])], ["InvalidPatchSet"]
    yield "label_characters", [("/metadata/labels", ["m(stop)"])], ["InvalidSpecification"]
    yield "hepdata_reference", [("/metadata/references/hepdata", "1234567")], ["InvalidSpecification"]
    yield "patch_is_no_list", [("/patches/0/patch", {"op": "add"})], ["InvalidSpecification"]


def documents():
    """(tag, kind, text, valid, findings, reason), with the rule in the finding"""
    for tag, kind, source, valid, findings, reason in without_rules():
        rule = OF_TAG.get(tag) or (OF_CLASS[findings[0]["class"][0]] if findings else None)
        yield tag, kind, source, valid, [{**finding, "rule": [rule]} for finding in findings], reason


def without_rules():
    finding = lambda classes, pointer=None: [{"class": classes, **({"pointer": [pointer] if isinstance(pointer, str) else pointer} if pointer is not None else {})}]
    yield "good", "workspace", json.dumps(GOOD), True, [], "accepted and evaluated by pyhf 0.7.6"
    yield "setting_of_unknown_parameter", "workspace", changed(GOOD, config(name="nothing", inits=[1.0])), True, [], "accepted by pyhf 0.7.6; common in published files"
    for tag, edits, pointer in schema_faults():
        yield tag, "workspace", changed(GOOD, *edits), False, finding(["InvalidSpecification"], pointer), "pyhf 0.7.6 and its schema 1.0.0"
    unknown = [(f"{SAMPLE}/modifiers/0/type", "shapenorm")]
    yield "unknown_modifier_type", "workspace", changed(GOOD, *unknown), False, finding(["InvalidSpecification"]), "pyhf 0.7.6 and its schema 1.0.0"
    for tag, edits, classes, pointer, reason in model_faults():
        reason = "pyhf 0.7.6 refuses with this class" if reason == "pyhf" else reason
        yield tag, "workspace", changed(GOOD, *edits), False, finding(classes, pointer), reason
    for tag, edits, classes in warnings():
        yield tag, "workspace", changed(GOOD, *edits), True, finding(classes), "validation.md: a warning"
    for tag, source, classes in texts():
        yield tag, "workspace", source, False, finding(classes), "RFC 8259, and the limits of validation.md"
    yield "good_patchset", "patchset", json.dumps(PATCHSET), True, [], "accepted by pyhf 0.7.6"
    for tag, edits, classes in patchset_faults():
        yield tag, "patchset", changed(PATCHSET, *edits), False, finding(classes), "pyhf 0.7.6 refuses with this class"
