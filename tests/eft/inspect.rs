//! `eft inspect` and `eft validity`: information against finite differences and events, yields against polynomials,
//! cuts against documents without the bins.

use crate::common;

use common::program::{json_of, morphist, scratch, stderr};
use serde_json::{Value, json};

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap_or(f64::NAN)).collect()
}

fn close(got: f64, want: f64, tolerance: f64, what: &str) {
    assert!((got - want).abs() <= tolerance * want.abs().max(1.0), "{what}: {got} and {want}");
}

/// λ = 40 + 30 a + 8 a² − 10 b + 5 ab + 4 b² and so on in three bins, a background, and two nuisances.
fn document() -> Value {
    let polynomial = json!({
        "mode": "absolute",
        "monomials": [[], ["a"], ["a", "a"], ["b"], ["a", "b"], ["b", "b"]],
        "coefficients": [[40.0, 25.0, 8.0], [30.0, -6.0, 5.0], [8.0, 12.0, 20.0], [-10.0, 8.0, 1.0],
            [5.0, -14.0, 2.0], [4.0, 10.0, 9.0]],
        "truncation": "none"
    });
    json!({
        "channels": [{"name": "SR", "samples": [
            {"name": "signal", "data": [40.0, 25.0, 8.0], "modifiers": [
                {"name": "response", "type": "eft_polynomial", "data": polynomial},
                {"name": "efficiency", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}]},
            {"name": "background", "data": [50.0, 20.0, 3.0], "modifiers": [
                {"name": "shape", "type": "histosys",
                    "data": {"lo_data": [55.0, 19.0, 2.5], "hi_data": [45.0, 21.0, 3.5]}}]}]}],
        "observations": [{"name": "SR", "data": [90.0, 45.0, 11.0]}],
        "measurements": [{"name": "m", "config": {"poi": "a", "parameters": []}}],
        "version": "1.0.0",
        "eft": {"version": "0.1.0",
            "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
            "wilson_coefficients": [{"name": "a", "bounds": [-2, 2]}, {"name": "b", "bounds": [-2, 2]}]}
    })
}

fn inspect(name: &str, document: &Value, more: &[&str]) -> Value {
    let file = scratch(name, &document.to_string());
    json_of(&[&["eft", "inspect", file.to_str().unwrap(), "--format", "json"], more].concat(), 0)
}

/// Yields of `evaluate`: expected main data at a point.
fn expected(file: &str, a: f64, b: f64, nuisances: &[(&str, f64)]) -> Vec<f64> {
    let settings: Vec<String> =
        [("a", a), ("b", b)].iter().chain(nuisances).map(|(n, v)| format!("{n}={v:?}")).collect();
    let mut arguments = vec!["yields", file, "--format", "json"];
    settings.iter().for_each(|s| arguments.extend(["--init", s.as_str()]));
    numbers(&json_of(&arguments, 0)["channels"][0]["total"])
}

#[test]
fn linear_and_quadratic_parts_are_those_of_the_polynomial() {
    let report = inspect("inspect_parts.json", &document(), &[]);
    let response = &report["responses"][0];
    assert_eq!((response["order"].as_u64(), response["monomials"].as_u64()), (Some(2), Some(6)));
    assert_eq!(response["modifiers"][0]["mode"], "absolute");
    let sm = [40.0, 25.0, 8.0];
    let parts = [([30.0, -6.0, 5.0], [8.0, 12.0, 20.0]), ([-10.0, 8.0, 1.0], [4.0, 10.0, 9.0])];
    for (entry, (linear, quadratic)) in response["coefficients"].as_array().unwrap().iter().zip(parts) {
        for bin in 0..3 {
            close(numbers(&entry["linear"])[bin], linear[bin] / sm[bin], 1e-14, "linear");
            close(numbers(&entry["quadratic"])[bin], quadratic[bin] / sm[bin], 1e-14, "quadratic");
            close(numbers(&entry["up"])[bin], sm[bin] + linear[bin] + quadratic[bin], 1e-14, "up");
            close(numbers(&entry["down"])[bin], sm[bin] - linear[bin] + quadratic[bin], 1e-14, "down");
        }
    }
}

/// Σ_b ∂ν∂νᵀ/ν from central differences of expected yields; with nuisances the Schur complement, by hand for two.
#[test]
fn information_equals_finite_differences_of_yields() {
    let file = scratch("inspect_information.json", &document().to_string());
    let file = file.to_str().unwrap();
    let (a, b) = (0.3, -0.2);
    let point = ["--init", "a=0.3", "--init", "b=-0.2"];
    let report = json_of(&[&["eft", "inspect", file, "--format", "json"], &point[..]].concat(), 0);
    let information = &report["information"];
    let nu = expected(file, a, b, &[]);
    let h = 1e-4;
    let slope =
        |up: Vec<f64>, down: Vec<f64>| -> Vec<f64> { up.iter().zip(down).map(|(u, d)| (u - d) / (2.0 * h)).collect() };
    let nuisance = |name: &'static str| slope(expected(file, a, b, &[(name, h)]), expected(file, a, b, &[(name, -h)]));
    let slopes = [
        slope(expected(file, a + h, b, &[]), expected(file, a - h, b, &[])),
        slope(expected(file, a, b + h, &[]), expected(file, a, b - h, &[])),
        nuisance("efficiency"),
        nuisance("shape"),
    ];
    let of = |i: usize, j: usize| -> f64 { (0..3).map(|bin| slopes[i][bin] * slopes[j][bin] / nu[bin]).sum() };
    // 2 × 2 block of the nuisances with their unit constraints, inverted by hand.
    let (p, q, r) = (of(2, 2) + 1.0, of(2, 3), of(3, 3) + 1.0);
    let determinant = p * r - q * q;
    for i in 0..2 {
        for j in 0..2 {
            let at = |key: &str| numbers(&information[key][i])[j];
            close(at("fixed"), of(i, j), 1e-6, "fixed");
            let lost =
                (of(i, 2) * (r * of(2, j) - q * of(3, j)) + of(i, 3) * (p * of(3, j) - q * of(2, j))) / determinant;
            close(at("profiled"), of(i, j) - lost, 1e-6, "profiled");
            for bin in 0..3 {
                let own = slopes[i][bin] * slopes[j][bin] / nu[bin];
                close(numbers(&information["channels"][0]["bins"][bin][i])[j], own, 1e-6, "bin");
            }
        }
    }
    // Trace and determinant of the eigenvalues.
    let eigenvalues: Vec<f64> =
        information["directions_fixed"].as_array().unwrap().iter().map(|d| d["eigenvalue"].as_f64().unwrap()).collect();
    close(eigenvalues.iter().sum(), of(0, 0) + of(1, 1), 1e-6, "trace");
    close(eigenvalues.iter().product(), of(0, 0) * of(1, 1) - of(0, 1).powi(2), 1e-6, "determinant");
}

/// The minima of the three quadratics over the box, in closed form: inside, where the gradient vanishes, or not.
#[test]
fn smallest_yields_are_found() {
    let report = inspect("inspect_smallest.json", &document(), &[]);
    let brute = |bin: usize| {
        let polynomial = document()["channels"][0]["samples"][0]["modifiers"][0]["data"]["coefficients"].clone();
        let c: Vec<f64> = (0..6).map(|k| numbers(&polynomial[k])[bin]).collect();
        let grid = |i: u32| -2.0 + 4.0 * f64::from(i) / 1000.0;
        let value = |a: f64, b: f64| c[0] + c[1] * a + c[2] * a * a + c[3] * b + c[4] * a * b + c[5] * b * b;
        (0..=1000)
            .flat_map(|i| (0..=1000).map(move |j| (i, j)))
            .map(|(i, j)| value(grid(i), grid(j)))
            .fold(f64::INFINITY, f64::min)
    };
    let least = (0..3).map(brute).fold(f64::INFINITY, f64::min);
    let entry = report["positivity"].as_array().unwrap().iter().find(|e| e["sample"] == "signal").unwrap();
    let found = entry["value"].as_f64().unwrap();
    assert!(found <= least + 1e-9 && found > least - 1e-3, "{found} and {least} on a fine grid");
    assert_eq!(entry["negative"], found < 0.0);
}

/// Row 57 of the acceptance list: no binning has more information than the events, for the database of the corpus.
#[test]
fn binned_information_is_not_above_that_of_events() {
    let Some(folder) = common::directory("eft") else { return };
    let reference = common::read_json(&folder.join("wh_10000.json"));
    let file = folder.join("wh_10000.parquet");
    let link = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("inspect_wh_10000.parquet");
    std::fs::copy(&file, &link).unwrap();
    let axes = json!([
        {"observable": "pTW", "edges": reference["bins"]["pTW"]},
        {"observable": "Qcosd", "edges": reference["bins"]["Qcosd"]}
    ]);
    let events = json!({"database": "wh", "axes": axes, "underflow": "error", "overflow": "error", "truncation": "none", "mc_stat": "none"});
    let mut document = json!({
        "channels": [{"name": "SR", "samples": [{"name": "WH", "data": [], "modifiers": [{"name": "wh", "type": "eft_events", "data": events}]}]}],
        "observations": [{"name": "SR", "data": vec![1.0; 30]}],
        "measurements": [{"name": "m", "config": {"poi": "cHW", "parameters": []}}],
        "version": "1.0.0",
        "eft": {"version": "0.1.0",
            "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
            "wilson_coefficients": [{"name": "cHW", "bounds": [-3, 3]}, {"name": "cHWtil", "bounds": [-3, 3]}],
            "event_databases": [{"name": "wh", "uri": "inspect_wh_10000.parquet", "sha256": reference["sha256"]["parquet"],
                "media_type": "application/vnd.apache.parquet", "n_rows": 3155,
                "weights": {"kind": "coefficients",
                    "monomials": [[], ["cHW"], ["cHWtil"], ["cHW", "cHW"], ["cHW", "cHWtil"], ["cHWtil", "cHWtil"]],
                    "columns": ["w00", "w01", "w02", "w11", "w12", "w22"]},
                "observables": {"pTW": {"column": "pTW", "unit": "GeV"}, "Qcosd": {"column": "Qcosd", "unit": "1"}},
                "normalisation": {"kind": "yields"}}]}
    });
    let sm = reference["reference"].as_array().unwrap().iter().find(|p| numbers(&p["c"]) == [0.0, 0.0]).unwrap();
    document["channels"][0]["samples"][0]["data"] = sm["yields"].clone();
    let document = scratch("inspect_wh.json", &document.to_string());
    for point in [["--init", "cHW=0", "--init", "cHWtil=0"], ["--init", "cHW=0.5", "--init", "cHWtil=-0.8"]] {
        let report =
            json_of(&[&["eft", "inspect", document.to_str().unwrap(), "--format", "json"], &point[..]].concat(), 0);
        let information = &report["events"][0]["information"];
        let lost = numbers(&information["lost"]);
        assert!(lost.iter().all(|x| *x >= -1e-12), "{lost:?}");
        // And the bins lose something here: the test could fail.
        assert!(lost[1] > 1e-3, "{lost:?}");
        // Without background the histogram's information is the model's.
        for i in 0..2 {
            for j in 0..2 {
                let (of_events, of_model) =
                    (numbers(&information["binned"][i])[j], numbers(&report["information"]["fixed"][i])[j]);
                close(of_events, of_model, 1e-10, "binned");
            }
        }
    }
}

/// A cut that drops the last bin gives what a document without that bin gives.
#[test]
fn a_cut_equals_a_document_without_the_bins() {
    let whole = scratch("validity_whole.json", &document().to_string());
    let mut shorter = document();
    let channel = &mut shorter["channels"][0];
    for sample in channel["samples"].as_array_mut().unwrap() {
        sample["data"].as_array_mut().unwrap().pop();
    }
    for row in channel["samples"][0]["modifiers"][0]["data"]["coefficients"].as_array_mut().unwrap() {
        row.as_array_mut().unwrap().pop();
    }
    for key in ["lo_data", "hi_data"] {
        channel["samples"][1]["modifiers"][0]["data"][key].as_array_mut().unwrap().pop();
    }
    shorter["observations"][0]["data"].as_array_mut().unwrap().pop();
    let shorter = scratch("validity_shorter.json", &shorter.to_string());
    let validity = |file: &std::path::Path, edges: &str| {
        json_of(
            &["eft", "validity", file.to_str().unwrap(), "a", "--edges", edges, "--fix", "b", "--format", "json"],
            0,
        )
    };
    let (all, few) = (validity(&whole, "SR=0,1,2,inf"), validity(&shorter, "SR=0,1,2"));
    assert_eq!(all["cuts"].as_array().unwrap().len(), 3);
    for cut in 0..2 {
        let (one, other) = (&all["cuts"][cut], &few["cuts"][cut]);
        assert_eq!(one["n_kept"], other["n_kept"]);
        close(one["best"].as_f64().unwrap(), other["best"].as_f64().unwrap(), 1e-7, "best");
        let ends = |entry: &Value| -> Vec<f64> {
            let intervals = entry["intervals"].as_array().unwrap();
            intervals.iter().flat_map(|i| [i["lower"].as_f64().unwrap(), i["upper"].as_f64().unwrap()]).collect()
        };
        assert_eq!(ends(one).len(), ends(other).len());
        ends(one).iter().zip(ends(other)).for_each(|(x, y)| close(*x, y, 1e-6, "interval"));
    }
    assert_eq!(all["cuts"][2]["n_dropped"], 0);
    // What is cut must be said.
    let silent = morphist(&["eft", "validity", whole.to_str().unwrap(), "a"]);
    assert_eq!(silent.status.code(), Some(2));
    assert!(stderr(&silent).contains("--observable"));
}

#[test]
fn a_plain_workspace_has_nothing_to_inspect() {
    let mut plain = document();
    plain.as_object_mut().unwrap().remove("eft");
    plain["channels"][0]["samples"][0]["modifiers"].as_array_mut().unwrap().remove(0);
    plain["measurements"][0]["config"]["poi"] = json!("");
    let file = scratch("inspect_plain.json", &plain.to_string());
    let output = morphist(&["eft", "inspect", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("without the EFT extension"));
}

/// λ_b along each coefficient is the polynomial with the background.
#[test]
fn curves_are_the_polynomials() {
    let file = scratch("inspect_curves.json", &document().to_string());
    let report = json_of(&["eft", "responses", file.to_str().unwrap(), "--sum", "--format", "json"], 0);
    assert_eq!((report["Lambda_TeV"].as_f64(), report["responses"].as_array().unwrap().len()), (Some(1.0), 2));
    let terms = [[90.0, 30.0, 8.0], [90.0, -10.0, 4.0]];
    for (curves, [constant, linear, quadratic]) in report["responses"].as_array().unwrap().iter().zip(terms) {
        assert_eq!(numbers(&curves["reference"]), [90.0, 45.0, 11.0]);
        let (values, yields) = (numbers(&curves["values"]), numbers(&curves["yields"][0]));
        assert_eq!((values.len(), values[0], *values.last().unwrap()), (41, -2.0, 2.0));
        for (x, got) in values.iter().zip(yields) {
            close(got, constant + linear * x + quadratic * x * x, 1e-14, "yield");
        }
    }
}
