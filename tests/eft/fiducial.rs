//! Acceptance in fiducial form: one sample for each fiducial bin, its template folded to reconstructed bins, its
//! response shared by name over channels (spec/eft.md, "Acceptance and folding").

use crate::common;

use common::program::{json_of, scratch};
use serde_json::{Value, json};

/// Fiducial cross sections times luminosity.
const SIGMA: [f64; 3] = [120.0, 60.0, 15.0];
/// R_f = 1 + a l_f + b m_f + a² q_f + a b x_f + b² p_f
const RESPONSE: [[f64; 5]; 3] =
    [[0.1, 0.02, 0.05, -0.01, 0.03], [0.3, -0.1, 0.4, 0.08, 0.2], [0.8, 0.25, 2.5, -0.6, 1.1]];

/// Efficiencies from fiducial bin f to reconstructed bin b of two channels: nominal, and with the folding at ±1.
fn folding(channel: usize, b: usize, f: usize) -> [f64; 3] {
    let nominal = [
        vec![[0.42, 0.03, 0.0], [0.07, 0.35, 0.04], [0.0, 0.09, 0.38], [0.01, 0.01, 0.12]],
        vec![[0.15, 0.02, 0.01], [0.02, 0.18, 0.21]],
    ];
    let n = nominal[channel][b][f];
    // More, or less, migration.
    if b == f { [n, n + 0.04, n - 0.05] } else { [n, n * 0.8, n * 1.3] }
}

fn document() -> Value {
    let names = ["SR", "VR"];
    let bins = [4, 2];
    let channel = |c: usize| {
        let template =
            |f: usize, which: usize| -> Vec<f64> { (0..bins[c]).map(|b| folding(c, b, f)[which] * SIGMA[f]).collect() };
        let sample = |f: usize| {
            json!({"name": format!("fiducial_{f}"), "data": template(f, 0), "modifiers": [
                {"name": format!("R_{f}"), "type": "eft_polynomial", "data": {"response": format!("R_{f}")}},
                {"name": "folding", "type": "histosys", "data": {"lo_data": template(f, 1), "hi_data": template(f, 2)}}
            ]})
        };
        json!({"name": names[c], "samples": (0..3).map(sample).collect::<Vec<_>>()})
    };
    let response = |f: usize| {
        let coefficients: Vec<f64> = std::iter::once(1.0).chain(RESPONSE[f]).collect();
        (
            format!("R_{f}"),
            json!({"mode": "relative", "coefficients": coefficients, "truncation": "none",
            "monomials": [[], ["a"], ["b"], ["a", "a"], ["a", "b"], ["b", "b"]]}),
        )
    };
    json!({
        "channels": [channel(0), channel(1)],
        "observations": [{"name": "SR", "data": [52, 31, 11, 4]}, {"name": "VR", "data": [19, 16]}],
        "measurements": [{"name": "m", "config": {"poi": "a", "parameters": []}}],
        "version": "1.0.0",
        "eft": {"version": "0.1.0",
            "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
            "wilson_coefficients": [{"name": "a", "bounds": [-1, 1]}, {"name": "b", "bounds": [-1, 1]}],
            "responses": (0..3).map(response).collect::<serde_json::Map<String, Value>>()}
    })
}

/// Row 4 of the acceptance list: ν_b = Σ_f M_bf(α) σ_f R_f(c), the matrix itself moved by the nuisance parameter.
#[test]
fn samples_of_fiducial_bins_add_up_to_the_matrix_product() {
    let file = scratch("fiducial.json", &document().to_string());
    for (a, b, alpha) in
        [(0.0, 0.0, 0.0), (0.4, -0.7, 0.0), (-0.3, 0.2, 1.0), (0.9, 0.5, -1.0), (0.2, 0.8, 2.5), (-0.5, -0.5, -1.5)]
    {
        let settings = [format!("a={a:?}"), format!("b={b:?}"), format!("folding={alpha:?}")];
        let mut arguments = vec!["yields", file.to_str().unwrap(), "--format", "json"];
        settings.iter().for_each(|setting| arguments.extend(["--init", setting.as_str()]));
        let report = json_of(&arguments, 0);
        for (channel, entry) in report["channels"].as_array().unwrap().iter().enumerate() {
            for (bin, total) in entry["total"].as_array().unwrap().iter().enumerate() {
                let moved = |f: usize| {
                    let [n, lo, hi] = folding(channel, bin, f);
                    // Code 4p outside of ±1, and at 0.
                    if alpha >= 0.0 { n + alpha * (hi - n) } else { n - alpha * (lo - n) }
                };
                let response = |f: usize| {
                    let [l, m, q, x, p] = RESPONSE[f];
                    1.0 + a * l + b * m + a * a * q + a * b * x + b * b * p
                };
                let product: f64 = (0..3).map(|f| moved(f) * SIGMA[f] * response(f)).sum();
                let total = total.as_f64().unwrap();
                assert!((total - product).abs() <= 1e-14 * product.abs(), "{channel} {bin}: {total} and {product}");
            }
        }
    }
}
