//! Foreign layouts of EFT responses: the one physics content of corpus/eft/importer_vectors.json in all of them, put into
//! a workspace and evaluated, against its recorded yields; an off-diagonal coefficient is in all of them. One file a
//! layout.

#[path = "../common/mod.rs"]
mod common;

mod attaching;
mod combine_scaling;
mod eft2obs;
mod histeft;
mod morphing;
mod redist;
mod simplified_likelihood;
mod smefit;
mod smefit_runcard;
mod stxs;
mod text;

use common::{directory, read_json};
use morphist::document::eft::{Basis, PerBin, PolynomialData};
use morphist::document::workspace::Workspace;
use morphist::finding::{Findings, Result};
use morphist::import::attach::{Target, attach, declare};
use morphist::import::{Bounds, Import, ImportOptions, ImportedResponse, ResponseData};
use morphist::kernel::Evaluator;
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use morphist::workspace::{Scope, validate};
use serde_json::{Value, json};

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

fn error(result: Result<Import>) -> Findings {
    let findings = result.unwrap_err();
    assert!(findings.0.iter().all(|f| !f.found.is_empty() && !f.expected.is_empty()), "{findings}");
    findings
}

/// Random damage to a good file: an error or another import, never a panic.
fn damage(seed: u64, file: &[u8], read: impl Fn(Vec<u8>) -> Result<Import>) {
    let mut random = common::Random(seed);
    for _ in 0..3000 {
        let mut damaged = file.to_vec();
        for _ in 0..=(4.0 * random.uniform()) as usize {
            let place = (random.uniform() * damaged.len() as f64) as usize;
            damaged[place] = (random.uniform() * 256.0) as u8;
        }
        let _ = read(damaged);
    }
}

/// The recorded coefficients of each bin: 1, a, a², b, a b, b².
fn recorded_rows(truth: &Truth) -> Vec<Vec<f64>> {
    serde_json::from_value(truth.vectors["histeft"]["rows_absolute"].clone()).unwrap()
}
