//! Runcards of SMEFiT with a database: χ² as smefit 4.0.0 has it of the same files (fixtures/smefit/smefit.json), and what
//! is told of a runcard that asks for more than there is.

use super::*;
use morphist::document::eft::SystematicKind;
use morphist::import::smefit_runcard::{Database, read};
use morphist::infer::fit;
use morphist::program::PreparedData;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/smefit")
}

fn database() -> Database {
    let (data, theory) = (folder().join("commondata"), folder().join("theory"));
    Database { data_path: Some(data), theory_path: Some(theory), without: Vec::new() }
}

fn runcard(name: &str) -> String {
    std::fs::read_to_string(folder().join(format!("{name}.yaml"))).unwrap()
}

fn import(runcard: &str) -> Result<Import> {
    read(runcard.as_bytes().to_vec(), &database(), &ImportOptions::default())
}

/// One replacement in the quadratic runcard.
fn changed(old: &str, new: &str) -> Result<Import> {
    let text = runcard("quadratic");
    assert!(text.contains(old), "{old}");
    import(&text.replace(old, new))
}

fn built(import: &Import) -> (morphist::model::Model, Program, PreparedData) {
    let mut eft = json!({
        "version": "0.1.0",
        "basis": {"eft": "SMEFT", "basis": "own", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
        "wilson_coefficients": import.wilson_coefficients,
        "gaussian_measurements": import.measurements,
    });
    if !import.transform.is_empty() {
        eft["parameter_transform"] = json!(import.transform);
    }
    let measurement = json!({"name": "m", "config": {"poi": "", "parameters": []}});
    let whole = json!({
        "version": "1.0.0", "channels": [], "observations": [], "measurements": [measurement], "eft": eft,
    });
    let workspace = Workspace::from_value(&whole).unwrap();
    let findings = validate::check(&workspace, &Scope::default());
    assert!(findings.is_valid(), "{findings}");
    let model = from_pyhf::model(&workspace, &ModelOptions::default()).unwrap();
    let program = Program::compile(&model);
    let data = program.prepare(&from_pyhf::data(&workspace, &model).unwrap());
    (model, program, data)
}

#[test]
fn chi_squares_are_those_of_smefit() {
    let recorded = read_json(&folder().join("smefit.json"));
    for name in ["quadratic", "linear", "cutoff", "uv"] {
        let import = import(&runcard(name)).unwrap();
        let (model, program, data) = built(&import);
        let own = &recorded["runcards"][name];
        let names: Vec<&str> = own["coefficients"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
        let chi2 = |point: &Value, want: &Value| {
            let values: Vec<(&str, f64)> =
                names.iter().zip(point.as_array().unwrap()).map(|(n, v)| (*n, v.as_f64().unwrap())).collect();
            let theta = common::point(&model, &values);
            let got = Evaluator::new(&program).reduced(&theta, &data);
            close(&[got], &[want.as_f64().unwrap()], name);
            Evaluator::new(&program).twice_nll(&theta, &data) - got
        };
        let points = own["points"].as_array().unwrap();
        assert_eq!(points.len(), 10);
        for point in points {
            let constant = chi2(&point["c"], &point["chi2"]);
            let ln_det = constant - program.n_measured() as f64 * (2.0 * std::f64::consts::PI).ln();
            // The difference of two numbers as large as χ².
            let rounding = 1e-10 + 1e-15 * point["chi2"].as_f64().unwrap();
            assert!((ln_det - own["ln_det_v"].as_f64().unwrap()).abs() < rounding, "{name}: {ln_det}");
        }
    }
}

/// Its analytic solution of the linear runcard, in which no coefficient is near its bounds.
#[test]
fn linear_fit_is_that_of_smefit() {
    let recorded = &read_json(&folder().join("smefit.json"))["runcards"]["linear"]["analytic"];
    let (model, program, data) = built(&import(&runcard("linear")).unwrap());
    let fitted = fit::fit(&mut Evaluator::new(&program), &data, &fit::FitOptions::new(&model));
    assert!(fitted.valid);
    let sigma = fitted.uncertainties.as_ref().unwrap();
    for (i, parameter) in model.parameters.iter().enumerate() {
        let want = recorded["best_fit"][parameter.name.as_str()].as_f64().unwrap();
        assert!((fitted.parameters[i] - want).abs() < 1e-7 * sigma[i], "{}", parameter.name);
    }
}

/// OpD is fixed at its value; OuB is 0.5 OuW − 1.25 OpD and no coefficient of the document.
#[test]
fn relations_are_put_into_the_tables() {
    let import = import(&runcard("quadratic")).unwrap();
    let names: Vec<&str> = import.wilson_coefficients.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["OpD", "Oqq", "OtG", "OuW"]);
    let held = &import.wilson_coefficients[0];
    assert_eq!((held.fixed, held.init, held.bounds), (true, 0.125, [-1.0, 1.0]));
    // What the runcard says beside the likelihood is told, and nothing else.
    let told: Vec<&str> = import.warnings.0.iter().map(|warning| warning.found.as_str()).collect();
    assert_eq!(told, [r#""result_ID", "result_path", "nlive""#, "the sign of 1 statistical errors"]);
    // Bounds are -1 and 1 where the runcard has none.
    let cutoff = self::import(&runcard("cutoff")).unwrap();
    assert_eq!(cutoff.wilson_coefficients[0].bounds, [-1.0, 1.0]);
}

/// Products of powers stay relations, and what no table has becomes a parameter of theirs.
#[test]
fn couplings_and_masses_are_relations() {
    let import = import(&runcard("uv")).unwrap();
    let names: Vec<&str> = import.wilson_coefficients.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["Oqq", "OtG", "OuW"]);
    let [step] = &import.transform[..] else { panic!("{:?}", import.transform) };
    let own: Vec<(&str, [f64; 2], bool)> =
        step.parameters.iter().map(|p| (p.name.as_str(), p.bounds, p.fixed)).collect();
    assert_eq!(own, [("M", [0.5, 5.0], false), ("g", [0.25, 2.0], false), ("y", [-1.0, 1.0], true)]);
    assert_eq!(import.warnings.0.len(), 2, "{}", import.warnings);
    let (model, ..) = built(&import);
    assert_eq!(model.parameter_names(), ["OuW", "M", "g", "y"]);
    // The default bounds of what is held contain zero, which a denominator must not.
    let held = runcard("uv").replace("{min: 0.5, max: 5.0, is_mass: True}", "{constrain: True, value: 2.0}");
    let import = self::import(&held).unwrap();
    let mass = &import.transform[0].parameters[0];
    assert_eq!((mass.name.as_str(), mass.fixed, mass.init, mass.bounds), ("M", true, 2.0, [1.0, 4.0]));
    built(&import);
}

/// Columns of zeros are left out, and a sign of errors that are squared; both are told.
#[test]
fn what_is_no_error_is_told() {
    let plain = self::import(&runcard("quadratic")).unwrap();
    let sound = with_file(runcard("quadratic"), "XS_13.yaml", "-0.13", "0.13").unwrap();
    assert_eq!(sound.measurements, plain.measurements);
    assert_eq!(sound.warnings.0.len() + 1, plain.warnings.0.len());
    let (old, new) = ("[0.12, 0.09, 0.04, 0.011]", "[0.0, 0.0, 0.0, 0]");
    let zeros = with_file(runcard("quadratic"), "XS_13.yaml", old, new).unwrap();
    let told: Vec<&str> = zeros.warnings.0.iter().map(|warning| warning.found.as_str()).collect();
    assert!(told.contains(&"a column of zeros, \"UNCORR\""), "{told:?}");
    assert_eq!(zeros.measurements[0].systematics.len() + 1, plain.measurements[0].systematics.len());
}

#[test]
fn what_the_database_lacks_is_told() {
    // Every data set that is missing, in one go.
    let findings = error(changed("- {name: POLE}", "- {name: LEP}\n- {name: POLE}\n- {name: SLD}"));
    let found: Vec<&str> = findings.0.iter().map(|f| f.found.as_str()).collect();
    assert_eq!((found.len(), &found[0][..11], &found[1][..11]), (2, "in LEP.json", "in SLD.json"), "{findings}");
    assert!(findings.0[0].hint.contains("--without LEP"));
    let without = Database { without: vec!["LEP".into()], ..database() };
    let text = runcard("quadratic").replace("- {name: POLE}", "- {name: LEP}\n- {name: POLE}");
    let import = read(text.into_bytes(), &without, &ImportOptions::default()).unwrap();
    assert_eq!((import.measurements.len(), import.warnings.0.len()), (4, 3));
    let unknown = Database { without: vec!["SLD".into()], ..database() };
    error(read(runcard("quadratic").into_bytes(), &unknown, &ImportOptions::default()));

    let findings = error(changed("{name: RATE_8}", "{name: RATE_8, order: NNLO}"));
    assert_eq!(findings.0[0].found, "in RATE_8.json: no order \"NNLO\"");
    // A coefficient without a table changes no prediction: it is left out, with a warning.
    let import = changed("  OtG:", "  Onone: {min: -1, max: 1}\n  OtG:").unwrap();
    assert_eq!(import.warnings.0[2].pointer.as_deref(), Some("/coefficients/Onone"));
    assert!(import.wilson_coefficients.iter().all(|c| c.name != "Onone"));
    let findings = error(changed("use_t0: True\n", "use_t0: True\ncutoff_scale: 50.0\n"));
    assert_eq!(findings.0[0].rule, "W290");
}

#[test]
fn what_no_document_can_say_is_refused() {
    let refused = [
        ("use_t0: True\n", "use_t0: True\nrge: {init_scale: 1000.0}\n", "W291"),
        ("use_t0: True\n", "use_t0: True\nrot_to_fit_basis: rotation.json\n", "W291"),
        ("use_t0: True\n", "use_t0: True\nexternal_chi2: {Own: {path: own.py}}\n", "W291"),
        ("use_t0: True\n", "use_t0: True\norder: NLO\n", "W290"),
        ("use_t0: True\n", "", "W290"),
        ("use_t0: True", "use_t0: maybe", "W290"),
        ("[{OuW: 0.5}, {OpD: [-1.25, 1]}]", "{OuW: [0.5, 1.5]}", "W291"),
        ("[{OuW: 0.5}, {OpD: [-1.25, 1]}]", "{OuW: [0.5, 1, 2], OpD: 1.0}", "W291"),
        ("[{OuW: 0.5}, {OpD: [-1.25, 1]}]", "[]", "W291"),
        ("[{OuW: 0.5}, {OpD: [-1.25, 1]}]", "1.0", "W291"),
        ("[{OuW: 0.5}, {OpD: [-1.25, 1]}]", "{Onone: 1.0}", "W290"),
        ("[{OuW: 0.5}, {OpD: [-1.25, 1]}]", "{OuW: 1.0, Onone: [1.0, -2]}", "W290"),
        ("constrain: True, value: 0.125", "value: 0.125", "W290"),
        ("constrain: True, value: 0.125", "constrain: True", "W290"),
        ("- {name: POLE}", "- {name: POLE}\n- {name: POLE}", "W290"),
        ("- {name: POLE}", "- {name: ../smefit/commondata/POLE}", "W290"),
        ("- {name: POLE}", "- POLE", "W290"),
        ("  Oqq: {min: -2.0, max: 2.0}", "  Oqq: {min: 2.0, max: -2.0}", "W290"),
    ];
    for (old, new, rule) in refused {
        let findings = error(changed(old, new));
        assert_eq!(findings.0[0].rule, rule, "{new}: {findings}");
    }
    // Two problems of different parts are told at once.
    let text = runcard("quadratic").replace("- {name: POLE}", "- POLE").replace("constrain: True, ", "");
    assert_eq!(error(import(&text)).0.len(), 2);
    // What SMEFiT does not read is told.
    let import = changed("use_t0: True\n", "use_t0: True\nuse_t1: True\n").unwrap();
    assert!(import.warnings.0.iter().any(|warning| warning.found == "\"use_t1\""), "{}", import.warnings);
}

/// A copy of the database with one replacement in a file of it, read by a runcard.
fn with_file(runcard: String, name: &str, old: &str, new: &str) -> Result<Import> {
    static COPIES: AtomicUsize = AtomicUsize::new(0);
    let copy = format!("smefit_{}", COPIES.fetch_add(1, Ordering::Relaxed));
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(copy);
    for folder_name in ["commondata", "theory"] {
        std::fs::create_dir_all(place.join(folder_name)).unwrap();
        for entry in std::fs::read_dir(folder().join(folder_name)).unwrap() {
            let entry = entry.unwrap();
            let mut text = std::fs::read_to_string(entry.path()).unwrap();
            if entry.file_name().to_str() == Some(name) {
                assert!(text.contains(old), "{old}");
                text = text.replacen(old, new, 1);
            }
            std::fs::write(place.join(folder_name).join(entry.file_name()), text).unwrap();
        }
    }
    let (data, theory) = (place.join("commondata"), place.join("theory"));
    let database = Database { data_path: Some(data), theory_path: Some(theory), without: Vec::new() };
    read(runcard.into_bytes(), &database, &ImportOptions::default())
}

#[test]
fn errors_name_the_file_of_the_database() {
    let wrong = [
        ("XS_13.yaml", "num_data: 4", "num_data: 5"),
        ("XS_13.yaml", "num_sys: 8", "num_sys: 7"),
        ("XS_13.yaml", "[ADD, MULT, ADD", "[ADD, MULT, SUB"),
        ("XS_13.yaml", "JES, THEORYUNCORR", "LUMI_13, THEORYUNCORR"),
        ("XS_13.yaml", "[12.5, 7.25, 2.875, 0.625]", "[12.5, 0.0, 2.875, 0.625]"),
        ("XS_13.yaml", "[12.5, 7.25", "[.nan, 7.25"),
        ("XS_13.yaml", "- [0.12, 0.09,", "- [0.12,"),
        ("XS_13.json", "\"OtG*Oqq\"", "\"Oqq*OtG\": [0, 0, 0, 0], \"OtG*Oqq\""),
        ("XS_13.json", "\"best_sm\": [12.1,", "\"best_sm\": ["),
        ("XS_13.json", "{\"best_sm\"", "{\"best\""),
        ("RATE_8.json", "\"theory_cov\": [[0.0016]]", "\"theory_cov\": [0.0016]"),
        ("RATE_8.json", "\"theory_cov\"", "\"theory_covariance\""),
        ("POLE.yaml", "num_sys: 0", "num_sys: 0\n  odd:"),
    ];
    for (name, old, new) in wrong {
        let findings = error(with_file(runcard("quadratic"), name, old, new));
        let stem = name.split('.').next().unwrap();
        assert!(findings.0.iter().all(|f| f.found.starts_with(&format!("in {stem}."))), "{new}: {findings}");
    }
    let renamed = with_file(runcard("quadratic"), "POLE.yaml", "dataset_name: POLE", "dataset_name: POLES").unwrap();
    assert_eq!(renamed.warnings.0.len(), 3);
}

/// Without t0 an error of a datum that is zero keeps its size; with it, it is a fraction of nothing.
#[test]
fn data_of_zero() {
    let (old, new) = ("[12.5, 7.25, 2.875, 0.625]", "[12.5, 0.0, 2.875, 0.625]");
    let import = with_file(runcard("linear"), "XS_13.yaml", old, new).unwrap();
    let measurement = import.measurements.iter().find(|m| m.name == "XS_13").unwrap();
    assert_eq!(measurement.systematics[1].values, [0.35, 0.21, 0.06, 0.02]);
    assert_eq!(measurement.systematics[1].kind, SystematicKind::Additive);
    built(&import);
}

#[test]
fn damaged_runcards_do_not_panic() {
    damage(61, runcard("quadratic").as_bytes(), |bytes| read(bytes, &database(), &ImportOptions::default()));
}
