//! Foreign layouts of EFT responses: the one physics content of corpus/eft/importer_vectors.json in all of them, put into
//! a workspace and evaluated, against its recorded yields; an off-diagonal coefficient is in all of them.

mod common;

use common::program::{json_of, morphist, scratch, stderr, stdout};
use common::{directory, read_json};
use morphist::document::eft::{Basis, MorphComponents, PerBin, PolynomialData, Truncation};
use morphist::document::workspace::Workspace;
use morphist::finding::{Findings, Result};
use morphist::import::attach::{Target, attach, declare};
use morphist::import::stxs::StxsInput;
use morphist::import::{
    Bounds, Import, ImportOptions, ImportedResponse, ResponseData, combine_scaling, eft2obs, histeft, morphing_inputs,
    redist_map, scaling_text, smefit_theory, stxs,
};
use morphist::kernel::Evaluator;
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use morphist::workspace::{Scope, validate};
use serde_json::{Value, json};
use std::io::Write;

fn options() -> ImportOptions {
    let bounds = Bounds { others: Some([-3.0, 3.0]), ..Bounds::default() };
    ImportOptions { bounds, ..ImportOptions::default() }
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// Yields of the responses, one channel each with these nominal yields, at a point.
fn yields(import: &Import, nominal: &[Vec<f64>], point: &[(&str, f64)]) -> Vec<f64> {
    let channel = |(i, data): (usize, &Vec<f64>)| json!({"name": format!("ch{i}"), "samples": [{"name": "sig", "data": data, "modifiers": []}]});
    let observation = |(i, data): (usize, &Vec<f64>)| json!({"name": format!("ch{i}"), "data": data});
    let poi = &import.wilson_coefficients[0].name;
    let mut workspace: Workspace = serde_json::from_value(json!({
        "channels": nominal.iter().enumerate().map(channel).collect::<Vec<_>>(),
        "observations": nominal.iter().enumerate().map(observation).collect::<Vec<_>>(),
        "measurements": [{"name": "m", "config": {"poi": poi, "parameters": []}}],
        "version": "1.0.0",
    }))
    .unwrap();
    let basis = Basis {
        eft: "SMEFT".into(),
        basis: "Warsaw".into(),
        lambda_tev: 1.0,
        input_scheme: "MW_MZ_GF".into(),
        scale_gev: None,
    };
    declare(&mut workspace, &import.wilson_coefficients, Some(&basis)).unwrap();
    for (i, response) in import.responses.iter().enumerate() {
        let target = Target { channel: format!("ch{i}"), sample: "sig".into(), name: response.name.clone() };
        attach(&mut workspace, response, &target).unwrap();
    }
    let value = serde_json::to_value(&workspace).unwrap();
    let workspace = Workspace::from_value(&value).unwrap();
    let findings = validate::check(&workspace, &Scope::default());
    assert!(findings.is_valid(), "{findings}");
    let model = from_pyhf::model(&workspace, &ModelOptions::default()).unwrap();
    let program = Program::compile(&model);
    let names: Vec<&str> = model.parameters.iter().map(|p| p.name.as_str()).collect();
    let mut theta = model.init();
    for (name, value) in point {
        theta[names.iter().position(|own| own == name).unwrap()] = *value;
    }
    let (mut main, mut auxiliary) = (vec![0.0; program.n_bins()], vec![0.0; program.n_auxdata()]);
    Evaluator::new(&program).expected(&theta, &mut main, &mut auxiliary);
    main
}

fn close(got: &[f64], expected: &[f64], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (got, want) in got.iter().zip(expected) {
        assert!((got - want).abs() <= 1e-12 * want.abs(), "{what}: {got} and {want}");
    }
}

/// The recorded points and yields, bin by bin.
struct Truth {
    vectors: Value,
    points: Vec<[f64; 2]>,
    yields: Vec<Vec<f64>>,
}

impl Truth {
    fn read() -> Option<Truth> {
        let vectors = read_json(&directory("eft")?.join("importer_vectors.json"));
        let points: Vec<[f64; 2]> = serde_json::from_value(vectors["points"].clone()).unwrap();
        let yields: Vec<Vec<f64>> = serde_json::from_value(vectors["truth"].clone()).unwrap();
        assert_eq!((points.len(), yields.len()), (5, 5));
        Some(Truth { vectors, points, yields })
    }

    /// The yields of the Standard Model, in one channel.
    fn nominal(&self) -> Vec<Vec<f64>> {
        vec![self.yields[0].clone()]
    }

    fn holds_for(&self, import: &Import, nominal: &[Vec<f64>], what: &str) {
        assert_eq!(import.wilson_coefficients.len(), 2, "{what}");
        for ([a, b], want) in self.points.iter().zip(&self.yields) {
            close(&yields(import, nominal, &[("ca", *a), ("cb", *b)]), want, what);
        }
    }
}

fn polynomial(response: &ImportedResponse) -> &PolynomialData {
    let ResponseData::Polynomial(data) = &response.data else { panic!("{response:?}") };
    data
}

/// The coefficients of a monomial.
fn coefficient(response: &ImportedResponse, monomial: &[&str]) -> PerBin {
    let data = polynomial(response);
    data.coefficients[data.monomials.iter().position(|own| own == monomial).unwrap()].clone()
}

#[test]
fn combine_scaling_counts_off_diagonal_entries_twice() {
    let Some(truth) = Truth::read() else { return };
    let scaling = &truth.vectors["combine_scaling"];
    let import = combine_scaling::read("scaling.json", bytes(scaling), &ImportOptions::default()).unwrap();
    let response = &import.responses[0];
    assert_eq!((response.channel.as_deref(), response.sample.as_deref()), (Some("ch"), Some("sig")));
    assert_eq!(coefficient(response, &["ca", "cb"]), PerBin::Each(vec![0.05, -0.35]));
    assert_eq!(import.wilson_coefficients[1].bounds, [-3.0, 3.0]);
    assert!(import.warnings.0.is_empty(), "{}", import.warnings);
    truth.holds_for(&import, &truth.nominal(), "Combine");
    // Each pair once is another physics: the recorded yields tell the two apart.
    let mut once = import.clone();
    let ResponseData::Polynomial(data) = &mut once.responses[0].data else { unreachable!() };
    let place = data.monomials.iter().position(|m| m.len() == 2 && m[0] != m[1]).unwrap();
    data.coefficients[place] = PerBin::Each(vec![0.025, -0.175]);
    let differs = |(point, want): (&[f64; 2], &Vec<f64>)| {
        let got = yields(&once, &truth.nominal(), &[("ca", point[0]), ("cb", point[1])]);
        got.iter().zip(want).any(|(got, want)| (got - want).abs() > 1e-12 * want)
    };
    assert_eq!(truth.points.iter().zip(&truth.yields).filter(|pair| differs(*pair)).count(), 2);
    // Packed, as Combine reads it too.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(&bytes(scaling)).unwrap();
    let packed = combine_scaling::read("scaling.json.gz", packed.finish().unwrap(), &ImportOptions::default()).unwrap();
    assert_eq!(packed.responses, import.responses);
}

#[test]
fn histeft_rows_count_each_product_once() {
    let Some(truth) = Truth::read() else { return };
    let recorded = &truth.vectors["histeft"];
    let json = json!({"wc_names": recorded["wc_names"], "eft_coeff": recorded["rows_absolute"]});
    let import = histeft::read("rows.json", bytes(&json), None, &options()).unwrap();
    truth.holds_for(&import, &truth.nominal(), "HistEFT, JSON");
    let rows: Vec<Vec<f64>> = serde_json::from_value(recorded["rows_absolute"].clone()).unwrap();
    let archive = npz(&[("eft_coeff", npy("<f8", "False", "2, 6", &le(&rows.concat())))]);
    let names = ["ca".to_owned(), "cb".to_owned()];
    let import = histeft::read("rows.npz", archive, Some(&names), &options()).unwrap();
    truth.holds_for(&import, &truth.nominal(), "HistEFT, npz");
}

#[test]
fn eft2obs_terms_and_the_older_bins() {
    let Some(truth) = Truth::read() else { return };
    let recorded = &truth.vectors["eft2obs"];
    let import = eft2obs::read("scaling.json", bytes(recorded), &options()).unwrap();
    assert!(polynomial(&import.responses[0]).mc_stat.is_none());
    assert!(import.warnings.0.iter().all(|f| f.rule == "W293" && f.line.is_some()), "{}", import.warnings);
    truth.holds_for(&import, &truth.nominal(), "EFT2Obs");
    let relative = ImportOptions { relative: true, ..options() };
    let import = eft2obs::read("scaling.json", bytes(recorded), &relative).unwrap();
    truth.holds_for(&import, &truth.nominal(), "EFT2Obs, relative");
    let term = |term: &Value, bin: usize| {
        let names = term[0].as_array().unwrap().iter().cloned();
        Value::Array([term[1][bin].clone(), term[2][bin].clone()].into_iter().chain(names).collect())
    };
    let bin = |bin: usize| recorded["terms"].as_array().unwrap().iter().map(|t| term(t, bin)).collect::<Vec<_>>();
    let older =
        json!({"bins": [bin(0), bin(1)], "nbins": 2, "areas": recorded["sm_vals"], "edges": [], "bin_labels": []});
    let import = eft2obs::read("older.json", bytes(&older), &options()).unwrap();
    truth.holds_for(&import, &truth.nominal(), "EFT2Obs, older layout");
}

/// Every bin of the recorded file is a response of its own.
#[test]
fn stxs_equations() {
    let Some(truth) = Truth::read() else { return };
    let input = StxsInput { production: bytes(&truth.vectors["stxs_json"]), ..StxsInput::default() };
    let import = stxs::read(input, &options()).unwrap();
    let names: Vec<&str> = import.responses.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["BIN0", "BIN1"]);
    let nominal: Vec<Vec<f64>> = truth.yields[0].iter().map(|n| vec![*n]).collect();
    truth.holds_for(&import, &nominal, "STXS");
}

#[test]
fn smefit_theory_tables() {
    let Some(truth) = Truth::read() else { return };
    let table = bytes(&truth.vectors["smefit_theory"]);
    for order in [None, Some("LO")] {
        let import = smefit_theory::read("theory.json", table.clone(), order, &options()).unwrap();
        assert!(import.warnings.0.is_empty(), "{}", import.warnings);
        truth.holds_for(&import, &truth.nominal(), "SMEFiT");
    }
}

/// Templates at six points and the two other layouts that the recorded file has not, of the same physics.
#[test]
fn morphing_text_and_map_of_the_same_physics() {
    let Some(truth) = Truth::read() else { return };
    let rows: Vec<Vec<f64>> = serde_json::from_value(truth.vectors["histeft"]["rows_absolute"].clone()).unwrap();
    let at = |[a, b]: [f64; 2]| -> Vec<f64> {
        rows.iter().map(|r| r[0] + r[1] * a + r[2] * a * a + r[3] * b + r[4] * a * b + r[5] * b * b).collect()
    };
    for (point, want) in truth.points.iter().zip(&truth.yields) {
        close(&at(*point), want, "the recorded rows");
    }
    let basis = [[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0], [1.0, 1.0]];
    let card = |[a, b]: [f64; 2]| if b == 0.0 { json!({"ca": a, "SM": 1}) } else { json!({"cb": b, "ca": a, "SM": 1}) };
    let sample = |p: [f64; 2]| json!({"name": "s", "param_card": card(p), "histogram": at(p), "variances": [1, 1]});
    let samples: Vec<Value> = basis.into_iter().map(sample).collect();
    let inputs = json!({"samples": samples, "vertices": {"production": ["ca", "cb"]}});
    let import = morphing_inputs::read("morph.json", bytes(&inputs), &options()).unwrap();
    assert_eq!(import.responses[0].nominal.as_ref(), Some(&truth.yields[0]));
    assert!(import.warnings.0.iter().any(|f| f.found.contains("SM")), "{}", import.warnings);
    truth.holds_for(&import, &truth.nominal(), "morphing");

    let line = |i: usize| {
        let [sm, a, aa, b, ab, bb] = rows[i][..] else { unreachable!() };
        let [a, aa, b, ab, bb] = [a, aa, b, ab, bb].map(|x| x / sm);
        format!("bin{i}:1 + {a}*ca + {aa:e} * ca*ca + {b} * cb + {ab} * cb * ca + {bb} * cb * cb\n")
            .replace("+ -", "- ")
    };
    let import = scaling_text::read(format!("{}\n{}", line(0), line(1)).as_bytes(), &options()).unwrap();
    let nominal: Vec<Vec<f64>> = truth.yields[0].iter().map(|n| vec![*n]).collect();
    truth.holds_for(&import, &nominal, "text");

    // Two analysis bins, each fed by its own kinematic bin and a little by a third one without new physics.
    let redist = json!({
        "name": "custom", "bins": [[0, 1, 2, 3]], "map": [[100, 0, 7], [0, 40, 3]],
        "new_pars": {"ca": {"inits": [0.0], "bounds": [[-3, 3]], "paramset_type": "unconstrained"},
            "cb": {"inits": [0.0], "bounds": [[-3, 3]], "paramset_type": "unconstrained"}},
        "spec": {"channels": [{"name": "ch", "samples": [{"name": "sig", "data": [107, 43],
            "modifiers": [{"name": "x", "type": "custom", "data": null}]}]}]},
        "weight_bound": 5,
    });
    let ratio = |k: usize| json!([rows[0][k] / rows[0][0], rows[1][k] / rows[1][0], if k == 0 { 1.0 } else { 0.0 }]);
    let weights = json!({"monomials": [[], ["ca"], ["ca", "ca"], ["cb"], ["cb", "ca"], ["cb", "cb"]],
        "weights": (0..6).map(ratio).collect::<Vec<_>>()});
    let import = redist_map::read("redist.json", bytes(&redist), bytes(&weights), &ImportOptions::default()).unwrap();
    assert!(import.warnings.0.iter().any(|f| f.pointer.as_deref() == Some("/weight_bound")), "{}", import.warnings);
    let shifted = Truth { yields: truth.yields.iter().map(|y| vec![y[0] + 7.0, y[1] + 3.0]).collect(), ..truth };
    shifted.holds_for(&import, &shifted.nominal(), "redist");
}

/// Production × partial width / total width, in all readings, in closed form; exponents of the parameters of interest.
#[test]
fn stxs_products_and_their_readings() {
    let production = json!({"B": {"A_c_x": 50.0, "B_c_x_2": 800.0, "A_d": 0.25, "B_d_c_x": -3.0, "u_A_d": 0.125}});
    let decay = json!({"gg": {"A_c_x": 30.0}, "tot": {"A_c_x": 20.0, "B_c_x_2": 400.0}, "other": {"A_d": 9.0}});
    let pois = json!({"c_x": {"exponent": 2, "val": 0, "min": -4, "max": 8}, "d": {"exponent": 0, "val": 0.5, "min": -1, "max": 1}});
    let input = |linear_only, expand_equations| StxsInput {
        production: bytes(&production),
        decay: Some(bytes(&decay)),
        channel: Some("gg".into()),
        pois: Some(bytes(&pois)),
        linear_only,
        expand_equations,
    };
    for (c, d) in [(0.0, 0.0), (0.01, 0.0), (-0.02, 0.3), (0.05, -0.8)] {
        let (a, b, cross) = (50.0 * c + 0.25 * d, 800.0 * c * c, -3.0 * c * d);
        let (partial, total, total_2) = (30.0 * c, 20.0 * c, 400.0 * c * c);
        let first = a + partial - total;
        let second = b + cross + a * partial - (a + partial) * total + total * total - total_2;
        for (linear_only, expand, expected) in [
            (false, false, (1.0 + a + b + cross) * (1.0 + partial) / (1.0 + total + total_2)),
            (true, false, (1.0 + a) * (1.0 + partial) / (1.0 + total)),
            (false, true, 1.0 + first + second),
            (true, true, 1.0 + first),
        ] {
            let import = stxs::read(input(linear_only, expand), &ImportOptions::default()).unwrap();
            let bounds: Vec<_> =
                import.wilson_coefficients.iter().map(|w| (w.name.as_str(), w.bounds, w.init)).collect();
            assert_eq!(bounds, [("c_x", [-0.04, 0.08], 0.0), ("d", [-1.0, 1.0], 0.5)]);
            let got = yields(&import, &[vec![10.0]], &[("c_x", c), ("d", d)]);
            assert!(
                (got[0] - 10.0 * expected).abs() < 1e-12 * 10.0 * expected.abs().max(1.0),
                "{c} {d}: {got:?} and {expected}"
            );
        }
    }
}

/// The archives are numpy's own (tests/importers/histeft.py).
#[test]
fn archives_of_numpy() {
    let file = |name: &str| std::fs::read(format!("{}/tests/importers/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let import = histeft::read("histeft.npz", file("histeft.npz"), None, &options()).unwrap();
    assert_eq!(import.responses[0].nominal, Some(vec![8.0, 3.0]));
    for (monomial, values) in [
        (&["ctW"][..], [1.5, -0.5]),
        (&["ctW", "ctW"], [0.5, 2.0]),
        (&["ctp"], [-2.25, 0.25]),
        (&["ctW", "ctp"], [0.75, -1.5]),
        (&["ctp", "ctp"], [1.0, 4.0]),
    ] {
        assert_eq!(coefficient(&import.responses[0], monomial), PerBin::Each(values.to_vec()), "{monomial:?}");
    }
    assert!(import.warnings.0.iter().any(|f| f.found.contains("edges")), "{}", import.warnings);
    let other = histeft::read("other.npz", file("histeft_other_types.npz"), None, &options()).unwrap();
    assert_eq!(other.responses, import.responses);
    let parquet =
        || std::fs::File::open(format!("{}/tests/importers/histeft.parquet", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let names = ["ctW".to_owned(), "ctp".to_owned()];
    let columns = histeft::read_parquet(parquet(), &names, &options()).unwrap();
    assert_eq!(columns.responses, import.responses);
    assert!(columns.warnings.0[0].found.contains("\"bin\""), "{}", columns.warnings);
    let three = [names.as_slice(), &["more".to_owned()]].concat();
    let missing = histeft::read_parquet(parquet(), &three, &options()).unwrap_err();
    assert!(missing.0[0].found.contains("eft_coeff_6"), "{missing}");
    let objects = histeft::read("objects.npz", file("objects.npz"), None, &options()).unwrap_err();
    assert!(objects.0[0].found.contains("pickles"), "{objects}");
}

fn le(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn npy(kind: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': {fortran}, 'shape': ({shape}), }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

fn npz(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, array) in arrays {
        zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(array).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn uncertainties_of_terms() {
    let scaling = json!({"terms": [[["1"], [1, 1], [0, 0]], [["a"], [0.5, -1], [0.1, 0.2]], [["a", "a"], [2, 3], [0, 0.5]]],
        "nbins": 2, "sm_vals": [10, 0], "bin_edges": [], "bin_labels": []});
    let import = eft2obs::read("e.json", bytes(&scaling), &options()).unwrap();
    let stat = serde_json::to_value(&polynomial(&import.responses[0]).mc_stat).unwrap();
    assert_eq!(stat, json!({"kind": "coefficient_errors", "sigmas": [[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]}));
    assert!(import.warnings.0.iter().any(|f| f.found.contains("bin 1")), "{}", import.warnings);
    let production = json!({"B": {"A_a": 1.0, "u_A_a": 0.25, "B_a_2": 2.0, "u_B_a_2": 0.0}});
    let import = stxs::read(StxsInput { production: bytes(&production), ..StxsInput::default() }, &options()).unwrap();
    let uncertainties = serde_json::to_value(&polynomial(&import.responses[0]).uncertainties).unwrap();
    assert_eq!(uncertainties, json!([{"name": "B_u_a", "monomial": ["a"], "sigma": 0.25}]));
    // One σ up: 20 (1 + (1 + 0.25) a + 2 a²) at a = 0.5.
    let got = yields(&import, &[vec![20.0]], &[("a", 0.5), ("B_u_a", 1.0)]);
    close(&got, &[20.0 * (1.0 + 1.25 * 0.5 + 2.0 * 0.25)], "one σ");
}

#[test]
fn combine_expressions_and_constants() {
    let item = |parameters: Value, scaling: Value| json!([{"channel": "c", "process": "p", "parameters": parameters, "scaling": scaling}]);
    let read = |value: &Value| combine_scaling::read("s", bytes(value), &ImportOptions::default());
    // Triangle and box of HH: (kl kt A + kt² B)².
    let scaling = item(
        json!(["expr::t('@0*@1', kl[1,-10,10], kt[1,0,2])", "expr::b('@0^2', kt[1,0,2])"]),
        json!([[0.28, -0.685, 2.09]]),
    );
    let import = read(&scaling).unwrap();
    let box_and_triangle =
        |kl: f64, kt: f64| 0.28 * (kl * kt).powi(2) - 2.0 * 0.685 * kl * kt.powi(3) + 2.09 * kt.powi(4);
    for (kl, kt) in [(1.0, 1.0), (-3.0, 0.7), (2.5, 1.4)] {
        close(&yields(&import, &[vec![30.0]], &[("kl", kl), ("kt", kt)]), &[30.0 * box_and_triangle(kl, kt)], "HH");
    }
    let constant = read(&item(json!(["SM[1]", "k[2]", "c[0,-1,1]"]), json!([[1, 0.5, 0.25, 0.1, 0.2, 0.3]]))).unwrap();
    // 1 + 2·0.5·2 + 0.25·4 = 4; 2·0.1 + 2·0.2·2 = 1.
    assert_eq!(coefficient(&constant.responses[0], &[]), PerBin::Each(vec![4.0]));
    assert_eq!(coefficient(&constant.responses[0], &["c"]), PerBin::Each(vec![1.0]));
    assert!(constant.warnings.0[0].found.contains("\"k\" = 2"), "{}", constant.warnings);
}

/// Every file of bytes in here gives findings with a rule of imports or of reading, and never a panic.
#[test]
fn hostile_files_are_named_errors() {
    let good =
        json!([{"channel": "c", "process": "p", "parameters": ["SM[1]", "c[0,-1,1]"], "scaling": [[1, 0.5, 0.25]]}]);
    let combine = |value: &Value| combine_scaling::read("s", bytes(value), &ImportOptions::default());
    assert!(combine(&good).is_ok());
    let with = |pointer: &str, other: Value| {
        let mut value = good.clone();
        *value.pointer_mut(pointer).unwrap() = other;
        combine(&value)
    };
    let at = |result: Result<Import>, rule: &str, pointer: &str| {
        let findings = result.unwrap_err();
        let finding = &findings.0[0];
        assert_eq!((finding.rule, finding.pointer.as_deref()), (rule, Some(pointer)), "{findings}");
        assert!(finding.line.is_some(), "{findings}");
    };
    at(with("/0/scaling/0", json!([1, 0.5])), "W290", "/0/scaling/0");
    at(with("/0/scaling/0/1", json!("x")), "W290", "/0/scaling/0/1");
    at(with("/0/scaling", json!([])), "W290", "/0/scaling");
    at(with("/0/scaling", json!(3)), "W290", "/0/scaling");
    at(with("/0/parameters", json!([])), "W290", "/0/parameters");
    at(with("/0/parameters/1", json!("expr::a('exp(@0)',c[0,-1,1])")), "W291", "/0/parameters/1");
    at(with("/0/parameters/1", json!("__import__('os')")), "W291", "/0/parameters/1");
    at(with("/0/channel", json!(null)), "W290", "/0");
    at(combine(&json!([good[0], good[0]])), "W290", "/1");
    at(combine(&json!({"a": 1})), "W290", "");
    assert!(with("/0/parameters/1", json!("c[0,1,-1]")).is_err());
    assert!(with("/0/parameters/1", json!("c[5,-1,1]")).is_err());
    assert!(with("/0/parameters/1", json!("c[1]")).is_err());
    assert!(with("/0/scaling/0", json!([1e308, 1e308, 1e308])).is_err());
    let raw = |text: &[u8]| combine_scaling::read("s", text.to_vec(), &ImportOptions::default()).unwrap_err();
    assert_eq!(raw(b"[{\"scaling\": [[NaN]]}]").0[0].rule, "W001");
    assert_eq!(raw(b"[{\"channel\": ").0[0].rule, "W001");
    assert_eq!(raw(b"").0[0].rule, "W001");
    assert_eq!(raw(&[b'['; 100_000]).0[0].rule, "W006");
    for pickle in [&b"\x80\x04\x95\x10"[..], b"\x80\x02]q\x00", b"(lp0\n."] {
        assert_eq!(raw(pickle).0[0].rule, "W291");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(pickle).unwrap();
        assert_eq!(raw(&packed.finish().unwrap()).0[0].rule, "W291");
        assert_eq!(histeft::read("p", pickle.to_vec(), None, &options()).unwrap_err().0[0].rule, "W291");
    }
}

fn error(result: Result<Import>) -> Findings {
    let findings = result.unwrap_err();
    assert!(findings.0.iter().all(|f| !f.found.is_empty() && !f.expected.is_empty()), "{findings}");
    findings
}

#[test]
fn other_hostile_files() {
    let e2o =
        |value: Value| error(eft2obs::read("e", bytes(&value), &options())).0[0].pointer.clone().unwrap_or_default();
    let base = |terms: Value, n: Value, sm: Value| json!({"terms": terms, "nbins": n, "sm_vals": sm});
    assert_eq!(e2o(base(json!([]), json!(1e18), json!([1]))), "/nbins");
    assert_eq!(e2o(base(json!([]), json!(1_000_000_000_000u64), json!([1]))), "/sm_vals");
    assert_eq!(e2o(base(json!([]), json!(-1), json!([1]))), "/nbins");
    assert_eq!(e2o(base(json!([[["a"], [1]]]), json!(1), json!([1]))), "/terms/0");
    assert_eq!(e2o(base(json!([[["a"], [1, 2], [0, 0]]]), json!(1), json!([1]))), "/terms/0/1");
    assert_eq!(e2o(base(json!([[["a"], [1], [-1]]]), json!(1), json!([1]))), "/terms/0");
    assert_eq!(e2o(base(json!([[["a", "b"], [1], [0]], [["b", "a"], [1], [0]]]), json!(1), json!([1]))), "/terms/1");
    assert_eq!(e2o(base(json!([[["1"], [2], [0]]]), json!(1), json!([1]))), "/terms/0");
    let missing =
        eft2obs::read("e", bytes(&base(json!([[["a"], [1], [0]]]), json!(1), json!([1]))), &ImportOptions::default());
    let missing = error(missing);
    assert_eq!((missing.0[0].rule, missing.0[0].found.as_str()), ("W292", "no bounds of \"a\""));

    let stxs = |value: Value| {
        error(stxs::read(StxsInput { production: bytes(&value), ..StxsInput::default() }, &options())).0[0]
            .pointer
            .clone()
            .unwrap_or_default()
    };
    assert_eq!(stxs(json!({"B": {"A_a": 1, "B_a_b": 1}})), "/B/B_a_b");
    assert_eq!(stxs(json!({"B": {"A_a": 1, "A_b": 1, "B_a_b": 1, "B_b_a": 1}})), "/B/B_b_a");
    assert_eq!(stxs(json!({"B": {"C_a": 1}})), "/B/C_a");
    assert_eq!(stxs(json!({"B": {"A_a": 1, "u_A_a": -1}})), "/B/u_A_a");
    assert_eq!(stxs(json!({"B": {"A_a": null}})), "/B/A_a");
    // a_b with c, or a with b_c?
    assert_eq!(stxs(json!({"B": {"A_a": 1, "A_b_c": 1, "A_a_b": 1, "A_c": 1, "B_a_b_c": 1}})), "/B/B_a_b_c");
    let no_decay = StxsInput {
        production: b"{\"B\": {\"A_a\": 1}}".to_vec(),
        decay: Some(b"{\"gg\": {}}".to_vec()),
        channel: Some("gg".into()),
        ..StxsInput::default()
    };
    assert!(error(stxs::read(no_decay, &options())).0[0].found.contains("tot"));

    let rows =
        |array: Vec<u8>| error(histeft::read("h", npz(&[("eft_coeff", array)]), Some(&["a".into()]), &options()));
    rows(npy("<f8", "False", "1, 6", &le(&[1.0; 6])));
    rows(npy("<f8", "False", "3,", &le(&[1.0; 3])));
    rows(npy("<f8", "False", "1, 3", &le(&[1.0, f64::NAN, 1.0])));
    rows(npy("<f8", "False", "1, 3", &le(&[1.0; 2])));
    rows(npy("<f8", "False", "18446744073709551615, 18446744073709551615", &[]));
    rows(npy("<f8", "False", "0, 3", &[]));
    rows(npy("<f8", "False", "1000000000000, 0", &[]));
    rows(npy("<f999999999999999999999", "False", "1, 3", &le(&[1.0; 3])));
    rows(npy("|O", "False", "1, 3", &le(&[1.0; 3])));
    rows(npy("<c16", "False", "1, 3", &le(&[1.0; 6])));
    rows(b"\x93NUMPY\x01\x00\xff\xff{".to_vec());
    rows(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{".to_vec());
    rows(Vec::new());
    let good = npz(&[("eft_coeff", npy("<f8", "False", "1, 3", &le(&[1.0; 3])))]);
    assert!(histeft::read("h", good.clone(), Some(&["a".into()]), &options()).is_ok());
    error(histeft::read("h", good.clone(), None, &options()));
    error(histeft::read("h", good.clone(), Some(&["a".into(), "a".into()]), &options()));
    for length in 0..good.len() {
        error(histeft::read("h", good[..length].to_vec(), Some(&["a".into()]), &options()));
    }

    let text = |text: &str| error(scaling_text::read(text.as_bytes(), &options()));
    for wrong in [
        "",
        "b",
        "b:",
        "b:2",
        "b:1 + x + x",
        "b:1 + 2 3",
        "b:1 +",
        "b:1 + *x",
        "b:1 + 1e999*x",
        "b:1\nb:1",
        "b:1 + é",
        "b:1 + x**2",
        "b:1 + nan*x",
    ] {
        text(wrong);
    }

    let morph = |value: Value| error(morphing_inputs::read("m", bytes(&value), &options()));
    let sample = |c: f64, n: Value| json!({"param_card": {"a": c}, "histogram": n});
    morph(json!({"samples": [], "vertices": {"v": ["a"]}}));
    morph(json!({"samples": [sample(0.0, json!([]))], "vertices": {"v": ["a"]}}));
    morph(json!({"samples": [sample(0.0, json!([1])), sample(1.0, json!([1, 2]))], "vertices": {"v": ["a"]}}));
    morph(json!({"samples": [sample(0.0, json!([1])), sample(1.0, json!([1]))], "vertices": {"v": ["b"]}}));
    morph(json!({"samples": [sample(0.0, json!([1]))], "monomials": [["a", "b"], ["b", "a"]]}));
    morph(json!({"samples": [sample(0.0, json!([1]))]}));

    let theory = |value: Value, order| error(smefit_theory::read("t", bytes(&value), order, &options()));
    theory(json!({"best_sm": [1], "LO": {"a": [1, 2]}}), None);
    theory(json!({"best_sm": [1], "LO": {"a*": [1]}}), None);
    theory(json!({"best_sm": [1], "LO": {"a*b": [1], "b*a": [1]}}), None);
    assert_eq!(theory(json!({"best_sm": [1], "LO": {"a": [1]}, "NLO": {"a": [1]}}), None).0[0].rule, "W292");
    theory(json!({"best_sm": [1], "LO": {"a": [1]}}), Some("NLO"));
    theory(json!({"best_sm": []}), None);

    let redist = |map: Value, data: Value, weights: Value| {
        let file = json!({"name": "w", "map": map, "spec": {"channels": [{"name": "c", "samples": [{"name": "s", "data": data, "modifiers": [{"type": "w"}]}]}]}});
        error(redist_map::read("r", bytes(&file), bytes(&weights), &options()))
    };
    let weights = json!({"monomials": [[], ["a"]], "weights": [[1, 1], [0.5, 0.5]]});
    redist(json!([[1, 2]]), json!([4]), weights.clone());
    redist(json!([[1, 2], [1]]), json!([3, 1]), weights.clone());
    redist(json!([[1, 2, 3]]), json!([6]), weights.clone());
    redist(json!([[[[[[[[[[[1]]]]]]]]]]]), json!([1]), weights.clone());
    redist(json!([[1, 2]]), json!([3]), json!({"monomials": [[]], "weights": []}));
}

/// Random damage to good files: an error or another import, never a panic.
#[test]
fn damaged_files_never_panic() {
    let mut random = common::Random(3);
    let good = bytes(
        &json!([{"channel": "c", "process": "p", "parameters": ["SM[1]", "expr::a('@0*@1^2', c[0,-1,1], d[1,0,2])"], "scaling": [[1, 0.5, 0.25]]}]),
    );
    let archive =
        std::fs::read(format!("{}/tests/importers/histeft_other_types.npz", env!("CARGO_MANIFEST_DIR"))).unwrap();
    for _ in 0..3000 {
        for (file, kind) in [(&good, 0), (&archive, 1)] {
            let mut damaged = file.clone();
            for _ in 0..=(4.0 * random.uniform()) as usize {
                let place = (random.uniform() * damaged.len() as f64) as usize;
                damaged[place] = (random.uniform() * 256.0) as u8;
            }
            let _ = match kind {
                0 => combine_scaling::read("s", damaged, &ImportOptions::default()),
                _ => histeft::read("h", damaged, None, &options()),
            };
        }
    }
}

/// Attaching refuses what does not fit.
#[test]
fn attaching_checks_yields_names_and_bases() {
    let scaling = json!({"terms": [[["a"], [0.5], [0]]], "nbins": 1, "sm_vals": [10.0]});
    let import = eft2obs::read("e", bytes(&scaling), &options()).unwrap();
    let text = std::fs::read(format!("{}/fixtures/counting/workspace.json", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut workspace: Workspace = serde_json::from_slice(&text).unwrap();
    let (channel, sample) = (workspace.channels[0].name.clone(), workspace.channels[0].samples[0].name.clone());
    let target =
        |channel: &str, sample: &str| Target { channel: channel.into(), sample: sample.into(), name: "e".into() };
    let response = import.response(None).unwrap();
    assert!(attach(&mut workspace, response, &target("no", &sample)).unwrap_err().0[0].found.contains("no channel"));
    assert!(attach(&mut workspace, response, &target(&channel, "no")).unwrap_err().0[0].found.contains("no sample"));
    let wrong = attach(&mut workspace, response, &target(&channel, &sample)).unwrap_err();
    assert!(wrong.0[0].hint.contains("--relative"), "{wrong}");
    assert_eq!(declare(&mut workspace, &import.wilson_coefficients, None).unwrap_err().0[0].rule, "W292");
    assert!(import.response(Some("x")).is_err());
    let MorphComponents::Vertices(_) = morphing_inputs::read(
        "m",
        bytes(&json!({"samples": [{"param_card": {"a": 0}, "histogram": [1]}], "vertices": {"v": ["a"]}})),
        &options(),
    )
    .map(|import| match &import.responses[0].data {
        ResponseData::Morph(data) => data.components.clone(),
        other => panic!("{other:?}"),
    })
    .unwrap() else {
        panic!()
    };
    assert!(matches!(polynomial(response).truncation, Truncation::None(_)));
}

/// The command: parts by themselves, and a workspace with the response, whose expected yield follows the equation.
#[test]
fn the_command_writes_parts_and_workspaces() {
    let scaling = json!({"terms": [[["a"], [0.5], [0.1]], [["a", "b"], [-0.25], [0]], [["b"], [1], [0]]], "nbins": 1,
        "sm_vals": [10.0], "bin_edges": [[0, 1]], "bin_labels": []});
    let file = scratch("eft_import.json", &scaling.to_string());
    let file = file.to_str().unwrap();
    let bounds = ["--bounds", "-3,3", "--bounds", "b=-1,2"];
    fn with<'a>(file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        [&["eft", "import", "--from", "eft2obs", file], more].concat()
    }
    let parts = json_of(&with(file, &bounds), 0);
    assert_eq!(parts["wilson_coefficients"][1]["bounds"], json!([-1.0, 2.0]));
    assert_eq!(parts["responses"][0]["modifier"]["type"], "eft_polynomial");
    assert_eq!(parts["responses"][0]["nominal"], json!([10.0]));
    assert_eq!(parts["warnings"][0]["rule"], "W293");
    let table = morphist(&with(file, &[&bounds[..], &["--format", "table"]].concat()));
    assert!(stdout(&table).contains("eft_polynomial") && stderr(&table).contains("W293"), "{}", stdout(&table));

    let workspace = "fixtures/counting/workspace.json";
    let plain: Value = serde_json::from_slice(&std::fs::read(workspace).unwrap()).unwrap();
    let (channel, sample) = (&plain["channels"][0], &plain["channels"][0]["samples"][0]);
    let place = [
        "--workspace",
        workspace,
        "--channel",
        channel["name"].as_str().unwrap(),
        "--sample",
        sample["name"].as_str().unwrap(),
    ];
    let basis = ["--basis", "SMEFT/Warsaw", "--lambda-tev", "1", "--input-scheme", "MW_MZ_GF"];
    let out = scratch("eft_import_out.json", "");
    let out = ["--relative", "--output-file", out.to_str().unwrap()];
    let whole = morphist(&with(file, &[&bounds[..], &place, &basis, &out].concat()));
    assert!(whole.status.success(), "{}", stderr(&whole));
    let evaluate = |file: &str, more: &[&str]| {
        let report = json_of(&[&["evaluate", file][..], more].concat(), 0);
        report["expected_data"]["main"][channel["name"].as_str().unwrap()][0]
            .as_f64()
            .unwrap_or_else(|| panic!("{report}"))
    };
    let factor = 1.0 + 0.5 * 0.5 + 0.25 * 0.5 * 0.75 - 0.75;
    let nominal: f64 = sample["data"][0].as_f64().unwrap();
    let at = evaluate(out[2], &["--init", "a=0.5", "--init", "b=-0.75"]);
    assert!((at - evaluate(workspace, &[]) - nominal * (factor - 1.0)).abs() < 1e-12 * at, "{at}");

    for (arguments, code, words) in [
        (with(file, &[]), 1, "no bounds of \"a\", \"b\""),
        (with(file, &["--bounds", "c=0,1", "--bounds", "-1,1"]), 2, "--bounds of \"c\""),
        (with(file, &["--bounds", "3,-3"]), 2, "LO < HI"),
        (with(file, &[&bounds[..], &["--order", "LO"]].concat()), 2, "--order"),
        (with(file, &[&bounds[..], &[file]].concat()), 2, "one file"),
        (with(file, &[&bounds[..], &place, &out].concat()), 1, "without the block eft"),
        (with(file, &[&bounds[..], &["--workspace", workspace], &basis].concat()), 2, "--channel and --sample"),
        (with(file, &[&bounds[..], &place, &basis].concat()), if nominal == 10.0 { 0 } else { 1 }, ""),
        (vec!["eft", "import", "--from", "redist", file], 2, "two files"),
        (vec!["eft", "import", "--from", "stxs", file, "--bounds", "-1,1"], 1, "W290"),
    ] {
        let output = morphist(&arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{arguments:?}: {}", stderr(&output));
    }
}
