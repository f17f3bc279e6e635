"""For each rule of spec/validation.md that a document alone can break: a small document that does, by one change of a sound one.

Written from the chapters; a rule's class and severity are those of the table in spec/validation.md.
"""
import json
import pathlib
import re

import hs3_documents
from invalid_documents import CONFIG, DELETE, GOOD, SAMPLE, changed, config, modifier

TOP = pathlib.Path(__file__).parent.parent
TABLE = re.findall(r"^\| (W\d+) \| (\w+) \| (\w+) \|", (TOP / "spec/validation.md").read_text(), re.M)
RULES = {rule: (kind, severity) for rule, kind, severity in TABLE}


def fixture(name):
    return json.loads((TOP / f"fixtures/{name}/workspace.json").read_text())


def data(sample, which, key="", channel=0):
    place = f"/channels/{channel}/samples/{sample}/modifiers/{which}/data"
    return f"{place}/{key}" if key else place


# (rule, what, text of the document, pointers of which a finding has one); the kind of document is in the name of the function.


def workspaces():
    second, observations = "/channels/0/samples/1", "/observations"
    yield "W005", "huge_integer", json.dumps(GOOD).replace("20.0", "99999999999999999999", 1), None
    yield "W011", "many_faults", changed(GOOD, (f"{SAMPLE}/data", ["x"] * 1100)), None
    stat = lambda data: modifier("staterror", "mcstat", data)
    other = {"name": "CR", "samples": [{"name": "bkg", "data": [5.0], "modifiers": [stat([0.5])]}]}
    yield "W108", "staterror_in_other_channels", changed(GOOD, ("/channels/-", other), (f"{observations}/-", {"name": "CR", "data": [5]})), [f"{second}/modifiers/1", "/channels/1/samples/0/modifiers/0"]
    shape = lambda: modifier("shapefactor", "shape")
    longer = {"name": "TR", "samples": [{"name": "bkg", "data": [5.0, 6.0, 7.0], "modifiers": [shape()]}]}
    yield "W109", "shapefactor_in_longer_channel", changed(GOOD, (f"{SAMPLE}/modifiers/-", shape()), ("/channels/-", longer), (f"{observations}/-", {"name": "TR", "data": [5, 6, 7]})), ["/channels/1/samples/0/modifiers/0"]
    yield "W113", "uncertainty_without_square", changed(GOOD, (f"{SAMPLE}/modifiers/2/data/0", 1e-200)), [f"{SAMPLE}/modifiers/2/data/0"]
    yield "W122", "two_observations_of_one_name", changed(GOOD, (f"{observations}/-", {"name": "SR", "data": [11, 24]})), ["/observations/1", "/observations/1/name"]
    yield "W133", "poi_of_several_values", changed(GOOD, ("/measurements/0/config/poi", "unc")), ["/measurements/0/config/poi"]
    yield "W134", "setting_of_no_parameter", changed(GOOD, config(name="nothing", inits=[1.0])), [f"{CONFIG}/0", f"{CONFIG}/0/name"]
    lumi = [(f"{second}/modifiers/-", modifier("lumi", "lumi")), config(name="lumi", inits=[1.0], bounds=[[0.9, 1.1]], auxdata=[1.0])]
    yield "W137", "lumi_without_width", changed(GOOD, *lumi), [f"{CONFIG}/0"]
    yield "W140", "bounds_of_one_number", changed(GOOD, config(name="mu", bounds=[[0.0]])), [f"{CONFIG}/0/bounds/0"]
    yield "W142", "start_outside_bounds", changed(GOOD, config(name="mu", inits=[11.0])), [f"{CONFIG}/0", f"{CONFIG}/0/inits", f"{CONFIG}/0/inits/0"]
    yield "W143", "width_of_zero", changed(GOOD, config(name="mcstat", sigmas=[0.1, 0.0])), [f"{CONFIG}/0/sigmas", f"{CONFIG}/0/sigmas/1"]
    yield "W144", "negative_auxdata", changed(GOOD, config(name="unc", auxdata=[100.0, -1.0])), [f"{CONFIG}/0/auxdata", f"{CONFIG}/0/auxdata/1"]
    yield "W145", "freed_without_width", changed(GOOD, (f"{SAMPLE}/modifiers/2/data/0", 0.0), config(name="unc", fixed=False)), [f"{CONFIG}/0/fixed"]


def correlations():
    """W150 and W151: names and matrices of correlated constraints."""
    groups = lambda names, matrix: ("/correlations", {"version": "0.1.0", "groups": [{"parameters": names, "matrix": matrix}]})
    half, place = [[1.0, 0.5], [0.5, 1.0]], "/correlations/groups/0"
    yield "W150", "correlated_normfactor", changed(GOOD, groups(["norm", "mu"], half)), [f"{place}/parameters/1"]
    yield "W150", "correlated_with_itself", changed(GOOD, groups(["norm", "norm"], half)), [f"{place}/parameters/1"]
    yield "W150", "correlated_unknown", changed(GOOD, groups(["nowhere", "norm"], half)), [f"{place}/parameters/0"]
    yield "W151", "not_symmetric", changed(GOOD, groups(["norm", "tilt"], [[1.0, 0.5], [0.4, 1.0]])), [f"{place}/matrix/1/0", f"{place}/matrix/0/1", f"{place}/matrix"]
    yield "W151", "no_unit_diagonal", changed(GOOD, groups(["norm", "tilt"], [[2.0, 0.5], [0.5, 1.0]])), [f"{place}/matrix/0/0", f"{place}/matrix"]
    yield "W151", "not_positive_definite", changed(GOOD, groups(["norm", "tilt"], [[1.0, 1.0], [1.0, 1.0]])), [f"{place}/matrix/1/0", f"{place}/matrix/0/1", f"{place}/matrix"]


def extension_blocks():
    document, coefficients = fixture("eft_relative"), "/eft/wilson_coefficients"
    third = lambda **entry: (f"{coefficients}/-", {"bounds": [-1.0, 1.0], **entry})
    yield "W201", "no_block", changed(document, ("/eft", DELETE)), ["/channels/0/samples/0/modifiers/0/type", "/channels/0/samples/0/modifiers/0"]
    yield "W202", "two_of_one_name", changed(document, third(name="c1", fixed=True)), [f"{coefficients}/2/name"]
    yield "W203", "name_of_normfactor", changed(document, ("/channels/0/samples/2/modifiers/-", modifier("normfactor", "c1"))), [f"{coefficients}/0/name", "/channels/0/samples/2/modifiers/1/name", "/channels/0/samples/2/modifiers/1"]
    yield "W204", "bounds_reversed", changed(document, (f"{coefficients}/0/bounds", [2.0, -2.0])), [f"{coefficients}/0/bounds"]
    yield "W205", "start_outside_bounds", changed(document, (f"{coefficients}/0/init", 2.5)), [f"{coefficients}/0", f"{coefficients}/0/init"]
    yield "W206", "scale_of_zero", changed(document, ("/eft/basis/Lambda_TeV", 0.0)), ["/eft/basis/Lambda_TeV"]
    yield "W207", "nothing_depends_on_it", changed(document, third(name="c3")), [f"{coefficients}/2"]


def extension_responses():
    document, here = fixture("eft_relative"), lambda key="": data(0, 0, key)
    yield "W210", "unknown_coefficient", changed(document, (here("monomials/1/0"), "c9")), [here("monomials/1/0")]
    yield "W211", "monomial_twice", changed(document, (here("monomials/5"), ["c2", "c1"])), [here("monomials/5"), here("monomials/4")]
    yield "W212", "coefficients_of_fewer_monomials", changed(document, (here("coefficients/5"), DELETE)), [here("coefficients")]
    yield "W213", "coefficient_of_fewer_bins", changed(document, (here("coefficients/1"), [1.5, -0.75])), [here("coefficients/1")]
    yield "W214", "unknown_response", changed(document, (here(), {"response": "nowhere"})), [here("response")]
    yield "W215", "other_than_nominal", changed(document, (here("coefficients/0"), [12.5, 7.5, 0.0])), [here("coefficients"), here("coefficients/0")]
    absolute = modifier("eft_polynomial", "again", {"mode": "absolute", "monomials": [[]], "coefficients": [[12.0, 7.5, 0.0]], "truncation": "none"})
    yield "W216", "two_absolute_ones", changed(document, ("/channels/0/samples/0/modifiers/-", absolute)), [data(0, 4), data(0, 4, "mode")]
    relative = modifier("eft_polynomial", "factor", {"mode": "relative", "monomials": [[], ["c1"]], "coefficients": [1.0, 0.1], "truncation": "none"})
    yield "W217", "truncated_product", changed(document, (here("truncation"), {"max_np_order": 2}), ("/channels/0/samples/0/modifiers/-", relative)), [here(), here("truncation"), data(0, 4), "/channels/0/samples/0"]
    rational, combination = fixture("eft_rational"), {"systematics": {"k": {"applies_to": [["c1"]]}}}
    edits = [("/channels/0/samples/0/modifiers/-", modifier("normfactor", "k")), ("/channels/0/samples/0/modifiers/-", modifier("eft_sample", "s", combination))]
    yield "W218", "monomials_of_a_ratio", changed(rational, *edits), [data(0, 3, "systematics/k/applies_to/0"), data(0, 3, "systematics/k/applies_to"), data(0, 3, "systematics/k"), data(0, 0)]
    yield "W219", "nothing_left", changed(document, (here("truncation"), {"max_np_order": 0})), [here("truncation"), here("truncation/max_np_order")]
    ratio = lambda key: data(0, 0, f"factors/{key}")
    yield "W220", "power_of_zero", changed(rational, (ratio("0/power"), 0)), [ratio("0/power")]
    yield "W221", "denominator_without_sign", changed(rational, (ratio("2/coefficients/1"), [0.9, 0.1, 0.15])), [ratio("2"), ratio("2/coefficients")]
    morph = fixture("eft_morph_weights")
    powers = [["c1"] * n for n in range(6)]
    yield "W222", "too_few_templates", changed(morph, (here("components/monomials"), powers)), [here("basis_points"), here("components")]
    yield "W223", "promise_not_kept", changed(document, (here("coefficients/1"), [25.0, 2.0, 0.5]), (here("positivity"), "require")), [here("positivity"), here()]
    yield "W226", "order_of_101", changed(document, (here("monomials/5"), ["c1"] * 101)), [here("monomials/5")]


def extension_samples():
    document, modifiers = fixture("eft_per_monomial"), "/channels/0/samples/0/modifiers"
    systematics = lambda key: data(0, 4, f"systematics/{key}")
    yield "W230", "unknown_systematic", changed(document, (systematics("nothing"), {"applies_to": [[]]})), [systematics("nothing")]
    yield "W231", "monomial_of_another_response", changed(document, (systematics("tilt/templates/2/monomial"), ["c1", "c1", "c2"])), [systematics("tilt/templates/2/monomial")]
    yield "W232", "templates_of_no_monomial", changed(document, (systematics("tilt/templates"), [])), [systematics("tilt"), systematics("tilt/templates")]
    yield "W233", "other_than_the_histosys", changed(document, (data(0, 1, "hi_data/0"), 13.75)), [data(0, 1, "hi_data/0"), data(0, 1, "hi_data"), data(0, 1)]
    yield "W234", "relative_to_zero", changed(fixture("eft_relative"), (data(0, 1, "hi_data/2"), 0.5)), [data(0, 1, "hi_data/2"), data(0, 1, "hi_data"), data(0, 1)]
    yield "W235", "two_eft_sample", changed(document, (f"{modifiers}/-", modifier("eft_sample", "more", {}))), [f"{modifiers}/5", f"{modifiers}/4"]
    yield "W236", "without_response", changed(document, ("/channels/0/samples/2/modifiers/-", modifier("eft_sample", "idle", {}))), ["/channels/0/samples/2/modifiers/1"]
    statistical = fixture("eft_mc_stat")
    yield "W240", "beside_a_staterror", changed(statistical, (f"{modifiers}/-", modifier("staterror", "stat", [1.0, 1.0, 0.0]))), [f"{modifiers}/4", f"{modifiers}/0", data(0, 0, "mc_stat")]
    single = modifier("eft_sample", "s", {"systematics": {"xs": {"applies_to": [["c1"]]}}})
    yield "W241", "beside_applies_to", changed(statistical, (f"{modifiers}/-", single)), [data(0, 0), data(0, 0, "mc_stat"), f"{modifiers}/4"]
    own = {"kind": "w2", "monomials": [[]], "variances": [0.01]}
    yield "W242", "two_in_one_sample", changed(statistical, (data(2, 1, "mc_stat", channel=1), own)), [data(2, 1, channel=1), data(2, 1, "mc_stat", channel=1)]
    yield "W243", "negative_variance", changed(statistical, (data(0, 0, "mc_stat/variances/0"), [-1.5, 1.0, 0.0])), [data(0, 0, "mc_stat/variances/0"), data(0, 0, "mc_stat/variances")]
    yield "W244", "variance_of_higher_order", changed(statistical, (data(0, 0, "truncation"), {"max_np_order": 1})), [data(0, 0, "mc_stat/monomials/3"), data(0, 0, "mc_stat/monomials")]
    yield "W247", "variance_that_turns_negative", changed(statistical, (data(0, 0, "mc_stat/variances/1"), [5.0, 0.1, 0.0])), [data(0, 0, "mc_stat/variances"), data(0, 0, "mc_stat")]


def extension_databases():
    document, base = fixture("eft_events"), "/eft/event_databases/0"
    yield "W245", "unknown_database", changed(document, (data(0, 0, "database"), "nowhere")), [data(0, 0, "database")]
    yield "W246", "short_sha256", changed(document, (f"{base}/sha256", "0123")), [f"{base}/sha256"]
    idle = {**document["eft"]["event_databases"][0], "name": "idle"}
    yield "W248", "never_read", changed(document, ("/eft/event_databases/-", idle)), ["/eft/event_databases/1"]
    yield "W260", "absolute_path", changed(document, (f"{base}/uri", "/events.parquet")), [f"{base}/uri"]
    yield "W269", "edges_that_fall", changed(document, (data(0, 0, "axes/0/edges"), [0.0, 100.0, 50.0, "inf"])), [data(0, 0, "axes/0/edges/2"), data(0, 0, "axes/0/edges")]
    yield "W271", "no_luminosity", changed(document, (f"{base}/normalisation/luminosity", 0.0)), [f"{base}/normalisation/luminosity"]


def extension_measurements():
    document, first = fixture("eft_gaussian"), "/eft/gaussian_measurements/0"
    yield "W320", "two_of_one_name", changed(document, ("/eft/gaussian_measurements/1/name", "unfolded")), ["/eft/gaussian_measurements/1/name"]
    yield "W321", "errors_of_fewer_points", changed(document, (f"{first}/uncorrelated", [1.5, 1.0])), [f"{first}/uncorrelated"]
    yield "W322", "not_symmetric", changed(document, (f"{first}/covariance/0/1", 0.5)), [f"{first}/covariance", f"{first}/covariance/0/1", f"{first}/covariance/1/0"]
    yield "W323", "fractions_of_what", changed(document, (f"{first}/multiplicative", DELETE)), [first, *(f"{first}/systematics/{i}{key}" for i in (0, 2) for key in ("", "/kind"))]
    yield "W325", "negative_error", changed(document, (f"{first}/uncorrelated/1", -1.0)), [f"{first}/uncorrelated/1", f"{first}/uncorrelated"]
    yield "W326", "unknown_measurement", changed(document, ("/eft/gaussian_correlations/0/measurements/0", "nowhere")), ["/eft/gaussian_correlations/0/measurements/0"]
    flat, where = fixture("eft_gaussian_clamp"), f"{first}/systematics/0"
    yield "W327", "clamped_and_correlated", changed(flat, (f"{where}/correlation", "measurement")), [f"{where}/correlation", where]


def extension_transforms():
    document, steps = fixture("eft_running"), "/eft/parameter_transform"
    term = f"{steps}/2/relations/0/terms/0/powers"
    yield "W330", "unknown_coefficient", changed(document, (f"{steps}/2/relations/0/coefficient", "c9")), [f"{steps}/2/relations/0/coefficient"]
    yield "W331", "given_twice", changed(document, (f"{steps}/2/linear/coefficients/0", "c3_1TeV")), [f"{steps}/2/linear/coefficients/0", f"{steps}/2/relations/0/coefficient"]
    yield "W332", "needs_its_own_step", changed(document, (f"{term}/c4_1TeV", 1)), [f"{term}/c4_1TeV"]
    yield "W333", "name_of_a_coefficient", changed(document, (f"{steps}/1/parameters/0/name", "c1")), [f"{steps}/1/parameters/0/name"]
    yield "W334", "matrix_without_a_row", changed(document, (f"{steps}/1/linear/matrix/1", DELETE)), [f"{steps}/1/linear/matrix"]
    yield "W335", "bounds_reversed", changed(document, (f"{steps}/1/parameters/1/bounds", [4.2, -4.2])), [f"{steps}/1/parameters/1/bounds"]
    yield "W336", "power_of_zero", changed(document, (f"{term}/EV1", 0)), [f"{term}/EV1"]
    yield "W337", "stands_in_no_relation", changed(document, (f"{steps}/1/parameters/-", {"name": "idle", "bounds": [0.0, 1.0]}), (f"{steps}/1/directions", DELETE)), [f"{steps}/1/parameters/2"]
    yield "W338", "evolved_to_another_scale", changed(document, (f"{steps}/0/running/to_scale_GeV", 100.0)), [f"{steps}/0/running", f"{steps}/0/running/to_scale_GeV"]
    yield "W339", "fixed_and_given", changed(document, ("/eft/wilson_coefficients/0/fixed", True)), ["/eft/wilson_coefficients/0/fixed", "/eft/wilson_coefficients/0", f"{steps}/0/linear/coefficients/0"]


def unbinned_document():
    """Two terms with three events each, whose tables stand in the document."""
    def term(name, yields, **more):
        ratio = {"kind": "polynomial", "constant": 1.0, "monomials": [["c1"]], "columns": ["slope"], "truncation": "none"}
        component = {"name": "signal", "yields": yields, "ratio": ratio, "ratio_of": "densities", **more}
        columns = {"slope": [0.1, -0.2, 0.4], "up": [0.1, 0.05, -0.1], "more": [1.02, 0.97, 1.01], "minus": [1.0, -1.0, 1.0]}
        return {"name": name, "events": {"columns": columns}, "components": [component]}

    polynomial = {"kind": "polynomial", "monomials": [[], ["c1"]], "coefficients": [4.0, 0.5], "truncation": "none"}
    bends = {"bend": {"kind": "power", "column": "more"}, "tilt": {"kind": "linear", "column": "up"}}
    document = fixture("eft_unbinned_forms")
    del document["eft"]["wilson_coefficients"][1]
    document["eft"]["unbinned_terms"] = [term("one", polynomial), term("two", polynomial, systematics=bends)]
    return document


def unbinned():
    document, terms = unbinned_document(), "/eft/unbinned_terms"
    component = f"{terms}/1/components/0"
    yield "W340", "two_of_one_name", changed(document, (f"{terms}/1/name", "one")), [f"{terms}/1/name"]
    yield "W341", "unknown_column", changed(document, (f"{component}/ratio/columns/0", "nowhere")), [f"{component}/ratio/columns/0", f"{component}/ratio/columns", f"{terms}/1/events"]
    yield "W342", "columns_of_fewer_monomials", changed(document, (f"{component}/ratio/columns", [])), [f"{component}/ratio/columns"]
    yield "W344", "nothing_expected_at_zero", changed(document, (f"{component}/yields/coefficients/0", 0.0), (f"{component}/ratio_of", "yields")), [f"{component}/yields", f"{component}/yields/coefficients", f"{component}/ratio_of"]
    yield "W345", "calibrated_by_nothing", changed(document, (f"{component}/calibration", "reference")), [f"{component}/calibration", f"{terms}/1"]
    replicas = lambda **more: (f"{component}/replicas", {"central": "mean_ratio", "columns": [["up"]], **more})
    both = [(f"{terms}/1/components/-", {**document["eft"]["unbinned_terms"][1]["components"][0], "name": "other"}), replicas(central="mean_log_ratio")]
    yield "W347", "logarithms_of_a_sum", changed(document, *both), [f"{component}/replicas/central", f"{component}/replicas"]
    yield "W348", "product_of_one", changed(document, (f"{component}/correlated", [{"systematics": ["bend", "bend"], "column": "up"}])), [f"{component}/correlated/0", f"{component}/correlated/0/systematics", f"{component}/correlated/0/systematics/1"]
    yield "W351", "unknown_normfactor", changed(document, (f"{component}/normfactors", ["nowhere"])), [f"{component}/normfactors/0", f"{component}/normfactors"]
    yield "W353", "one_nuisance_for_two", changed(document, replicas(nuisances=["a", "a"])), [f"{component}/replicas/nuisances", f"{component}/replicas/nuisances/1"]


def events():
    """(rule, what, text): what only a table of events shows; the document belongs into the folder of fixtures/eft_events."""
    document, base, histogram = fixture("eft_events"), "/eft/event_databases/0", data(0, 0)
    yield "W261", "no_such_file", changed(document, (f"{base}/uri", "nowhere.parquet"))
    yield "W262", "another_file", changed(document, (f"{base}/sha256", "0" * 64))
    yield "W263", "another_format", changed(document, (f"{base}/media_type", "application/vnd.apache.arrow.file"))
    yield "W264", "another_number_of_rows", changed(document, (f"{base}/n_rows", 361))
    yield "W265", "no_such_column", changed(document, (f"{base}/observables/mass/column", "nowhere"))
    yield "W266", "event_id_of_fractions", changed(document, (f"{base}/event_id", "mass"))
    yield "W270", "events_above_the_axis", changed(document, (f"{histogram}/axes/0/edges/3", 150.0), (f"{histogram}/overflow", "error"))
    yield "W274", "power_of_a_negative_number", changed(document, (f"{base}/systematics/eff/column", "sf"))


def models():
    """(rule, what, text): what only a model or its data show."""
    document, third = fixture("eft_gaussian"), "/eft/gaussian_measurements/2"
    singular = [[0.0025, 0.0025, 0.0], [0.0025, 0.0025, 0.0], [0.0, 0.0, 0.0049]]
    yield "W324", "singular_covariance", changed(document, (f"{third}/covariance", singular), ("/eft/gaussian_correlations", DELETE))
    terms = "/eft/unbinned_terms"
    document, component = unbinned_document(), f"{terms}/1/components/0"
    yield "W343", "negative_weight", changed(document, (f"{terms}/1/weight", "minus"))
    yield "W346", "power_of_a_negative_number", changed(document, (f"{component}/systematics/bend/column", "minus"))
    points = {"kind": "basis_points", "parameters": ["c1"], "basis_points": [[0.0], [0.0]], "columns": ["more", "more"], "encoding": "ratio", "components": {"monomials": [[], ["c1"]]}, "truncation": "none"}
    yield "W350", "points_that_are_one", changed(document, (f"{component}/ratio", points))


def combinations():
    """(rule, what, two texts)"""
    first, block = fixture("eft_relative"), "/eft"
    apart = [("/channels/0/name", "CR"), ("/observations/0", {"name": "CR", "data": [21.0, 9.0, 6.0]}), ("/measurements/0/name", "other")]
    base, first = first, json.dumps(first)
    second = lambda *edits: changed(base, *apart, *edits)
    yield "W310", "another_basis", [first, second((f"{block}/basis/basis", "SILH"))]
    yield "W313", "other_bounds", [first, second((f"{block}/wilson_coefficients/0/bounds", [-1.0, 1.0]))]
    named = lambda slope: (f"{block}/responses", {"shared": {"mode": "relative", "monomials": [[], ["c1"]], "coefficients": [1.0, slope], "truncation": "none"}})
    yield "W314", "two_responses_of_one_name", [changed(base, named(0.1)), second(named(0.2))]
    running = fixture("eft_running")
    moved = changed(running, *apart, ("/eft/gaussian_measurements/0/name", "again"), ("/eft/parameter_transform/1/linear/matrix/0/0", 0.5))
    yield "W315", "two_transforms", [json.dumps(running), moved]
    events = fixture("eft_events")
    events["eft"]["wilson_coefficients"] = [{"name": "c9", "bounds": [-2.0, 2.0]}, {"name": "c8", "bounds": [-3.0, 3.0]}]
    events = json.loads(json.dumps(events).replace('"c1"', '"c9"').replace('"c2"', '"c8"').replace('"meas"', '"other"'))
    yield "W312", "weights_of_another_scale", [first, changed(events, (f"{block}/basis/Lambda_TeV", 2.0))]
    columns = unbinned_document()
    columns["eft"]["wilson_coefficients"][0]["bounds"] = [-8.0, 8.0]
    yield "W352", "columns_of_another_scale", [first, changed(columns, (f"{block}/basis/Lambda_TeV", 2.0), ("/measurements/0/name", "other"))]


def converted():
    """Two texts of which the second has Λ = 2 TeV, and the combination at Λ = 1 TeV (combine.md, eq. 2): its coefficients are 4
    times as large and what stands before a product of n of them is 4ⁿ times as small. All are exact numbers."""
    first, second = fixture("eft_relative"), fixture("eft_relative")
    second["channels"][0]["name"], second["measurements"][0]["name"] = "CR", "other"
    second["observations"] = [{"name": "CR", "data": [21.0, 9.0, 6.0]}]
    result = json.loads(json.dumps(first))
    for key in ("channels", "observations", "measurements"):
        result[key] += json.loads(json.dumps(second[key]))
    second["eft"]["basis"]["Lambda_TeV"] = 2.0
    for coefficient in second["eft"]["wilson_coefficients"]:
        coefficient["bounds"] = [4 * x for x in coefficient["bounds"]]
        if "init" in coefficient:
            coefficient["init"] *= 4
    for sample in second["channels"][0]["samples"]:
        for response in (m["data"] for m in sample["modifiers"] if m["type"] == "eft_polynomial"):
            factors = [4.0 ** -len(names) for names in response["monomials"]]
            scaled = lambda x, f: [f * y for y in x] if isinstance(x, list) else f * x
            response["coefficients"] = [scaled(x, f) for x, f in zip(response["coefficients"], factors)]
    return [json.dumps(first), json.dumps(second)], result


def hs3_edit(document, *edits):
    return json.loads(changed(document, *edits))


def hs3():
    """(rule, what, document, further input, pointers)"""
    gaussian = {"name": "p", "type": "gaussian_dist", "x": "x", "mean": "m", "sigma": 1.5}
    events = hs3_documents.densities([gaussian], {"m": (4.0, 0.0, 10.0)})
    add = lambda **entry: ("/distributions/-", {"name": "q", **gaussian, **entry})
    yield "W406", "other_name_of_a_type", hs3_edit(events, add(name="q", type="normal_dist")), {}, ["/distributions/1/type"]
    yield "W407", "name_with_a_space", hs3_edit(events, add(name="9 lives")), {}, ["/distributions/1", "/distributions/1/name"]
    yield "W414", "function_of_another_grammar", hs3_edit(events, ("/functions/-", {"name": "f", "type": "generic_function", "expression": "tanh(m)"})), {}, ["/functions/0/expression"]
    yield "W416", "one_weight", hs3_edit(events, ("/data/0/weights", [1.0])), {}, ["/data/0/weights", "/data/0"]
    yield "W417", "unknown_domain", hs3_edit(events, ("/analyses/0/domains", ["nowhere"])), {}, ["/analyses/0/domains", "/analyses/0/domains/0"]
    axis = {"name": "x", "min": 0.0, "max": 10.0}
    binned = lambda axis: ("/data/0", {"name": "data_p", "type": "binned", "axes": [axis], "contents": [3.0, 5.0, 4.0, 2.0]})
    counts = hs3_documents.scaled(hs3_documents.normfactor("k"), {"k": hs3_documents.GAMMA})
    yield "W418", "as_many_bins_as_numbers", hs3_edit(counts, ("/data/0/axes/0/nbins", DELETE)), {}, ["/data/0", "/data/0/axes/0"]
    yield "W419", "parameter_without_value", hs3_edit(events, ("/distributions/0/mean", "nowhere")), {}, None
    endless = [("/distributions/0/type", "landau_dist"), ("/data/0/axes/0", {"name": "x"}), ("/domains/0/axes", [{"name": "m", "min": 0.0, "max": 10.0}])]
    yield "W420", "variate_without_range", hs3_edit(events, *endless), {}, None
    inner = [("/distributions/0/name", "inner"), ("/distributions/-", {"name": "p", "type": "projected_dist", "input_pdf": "inner", "observables": ["x"]})]
    yield "W422", "projection", hs3_edit(events, *inner), {}, None
    mixture = {"name": "p", "type": "mixture_dist", "summands": ["inner", "inner"], "coefficients": [0.3, 0.6], "extended": False}
    yield "W423", "sum_of_coefficients", hs3_edit(events, ("/distributions/0/name", "inner"), ("/distributions/-", mixture)), {}, None
    chain = [{"name": f"f{i}", "type": "sum", "summands": [f"f{i + 1}" if i < 400 else "m"]} for i in range(401)]
    yield "W424", "long_chain", hs3_edit(events, ("/functions", chain), ("/distributions/0/mean", "f0")), {}, None
    yield "W425", "density_of_counts", hs3_edit(events, binned({**axis, "nbins": 4})), {}, None
    observable = {"name": "analysis_global_observables", "type": "product_domain", "axes": [{"name": "m", "min": 0.0, "max": 10.0}]}
    yield "W427", "global_observable_that_floats", hs3_edit(events, ("/domains/-", observable)), {}, None
    yield "W428", "event_outside", hs3_edit(events, ("/data/0/entries/0", [12.0])), {}, None
    histogram = {"name": "p", "type": "histogram_dist", "axes": [{**axis, "nbins": 4}], "data": {"axes": [{**axis, "nbins": 4}], "contents": [3.0, -1.0, 4.0, 2.0]}}
    yield "W429", "histogram_below_zero", hs3_edit(events, ("/distributions/0", histogram)), {}, None
    channels = hs3_documents.scaled(hs3_documents.gammas("shapesys", "u", [1.0, 1.0])[0] | {"data": {"vals": [0.1, 0.2]}}, {f"gamma_u_bin_{i}": hs3_documents.GAMMA for i in range(2)})
    yield "W440", "parts_or_events", channels, {}, None
    below = lambda package, **more: hs3_documents.scaled(hs3_documents.normsys("n", -0.1, 1.2, **more), {"alpha_n": hs3_documents.ALPHA}, package)
    yield "W443", "side_below_zero", below(hs3_documents.ROOT, interpolation=1), {}, None
    adding = hs3_documents.scaled(hs3_documents.normsys("n", 0.9, 1.2, interpolation=0), {"alpha_n": hs3_documents.ALPHA, "alpha_k": hs3_documents.ALPHA}, hs3_documents.ROOT)
    more = hs3_documents.normsys("k", 0.8, 1.1, interpolation=0)
    place = next(i for i, s in enumerate(adding["distributions"][0]["samples"]) if any(m["name"] == "n" for m in s["modifiers"]))
    yield "W446", "normsys_that_add", hs3_edit(adding, (f"/distributions/0/samples/{place}/modifiers/-", more)), {}, None


WORKSPACES = (workspaces, correlations, extension_blocks, extension_responses, extension_samples, extension_databases, extension_measurements, extension_transforms, unbinned)
