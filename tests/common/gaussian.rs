//! Models of measurements with Gaussian errors alone: small ones, and those of the benchmarks.

use morphist::document::workspace::Workspace;
use morphist::import::{ImportOptions, smefit_benchmark};
use morphist::infer::FitOptions;
use morphist::kernel::Evaluator;
use morphist::model::{Data, Model};
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use serde_json::{Value, json};
use std::path::Path;

pub struct Problem {
    pub model: Model,
    pub program: Program,
    pub data: Data,
}

/// One point with an uncorrelated error.
pub struct Point {
    terms: Vec<(f64, Vec<String>)>,
    value: f64,
    error: f64,
}

/// The mean is a sum of coefficients times monomials, names apart by spaces.
pub fn polynomial(terms: &[(f64, &str)], value: f64, error: f64) -> Point {
    let monomial = |monomial: &str| monomial.split_whitespace().map(str::to_owned).collect();
    Point { terms: terms.iter().map(|(c, m)| (*c, monomial(m))).collect(), value, error }
}

impl Problem {
    /// Coefficients with their bounds, and points.
    pub fn new(coefficients: &[(&str, f64, f64)], points: &[Point]) -> Problem {
        let measurement = |(k, point): (usize, &Point)| {
            let monomials: Vec<&Vec<String>> = point.terms.iter().map(|(_, monomial)| monomial).collect();
            let factors: Vec<Value> = point.terms.iter().map(|(c, _)| json!([c])).collect();
            json!({"name": format!("m{k}"), "data": [point.value], "uncorrelated": [point.error],
                "prediction": {"kind": "polynomial", "truncation": "none", "monomials": monomials,
                    "coefficients": factors}})
        };
        let coefficient = |(name, low, high): &(&str, f64, f64)| json!({"name": name, "bounds": [low, high]});
        let coefficients: Vec<Value> = coefficients.iter().map(coefficient).collect();
        Problem::of_measurements(
            json!(coefficients),
            json!(points.iter().enumerate().map(measurement).collect::<Vec<_>>()),
        )
    }

    /// One of SMEFiT's benchmarks.
    pub fn benchmark(root: &Path, name: &str) -> Problem {
        let bytes = std::fs::read(root.join(format!("{name}.json"))).unwrap();
        let measured = smefit_benchmark::read("benchmark", bytes, &ImportOptions::default()).unwrap();
        Problem::of_measurements(json!(measured.wilson_coefficients), json!(measured.measurements))
    }

    fn of_measurements(coefficients: Value, measurements: Value) -> Problem {
        let document = json!({"version": "1.0.0", "channels": [], "observations": [],
            "measurements": [{"name": "m", "config": {"poi": coefficients[0]["name"], "parameters": []}}],
            "eft": {"version": "0.1.0", "wilson_coefficients": coefficients, "gaussian_measurements": measurements,
                "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"}}});
        let workspace = Workspace::from_value(&document).unwrap();
        let model = from_pyhf::model(&workspace, &ModelOptions::default()).unwrap();
        let data = from_pyhf::data(&workspace, &model).unwrap();
        Problem { program: Program::compile(&model), model, data }
    }

    pub fn options(&self) -> FitOptions {
        FitOptions::new(&self.model)
    }

    /// ln det 2πV.
    pub fn constant(&self) -> f64 {
        let (mut evaluator, data) = (Evaluator::new(&self.program), self.program.prepare(&self.data));
        let zero = vec![0.0; self.program.n_parameters()];
        evaluator.twice_nll(&zero, &data) - evaluator.reduced(&zero, &data)
    }
}
