//! Runcards of SMEFiT with its database: the data sets, orders, operators and prescriptions of one fit as measurements
//! with Gaussian errors (spec/eft-importers.md, "SMEFiT's runcards").

use super::node::Node;
use super::smefit_coefficients::{Coefficients, Used};
use super::smefit_dataset::{DataSet, Selection, Settings};
use super::{Import, ImportOptions, check_coefficients, dropped, yaml};
use crate::finding::{Finding, Findings, Result, quote};
use crate::rule;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Keys of the likelihood.
const KNOWN: [&str; 14] = [
    "coefficients",
    "cutoff_scale",
    "data_path",
    "datasets",
    "default_order",
    "external_chi2",
    "rge",
    "rot_to_fit_basis",
    "theory_path",
    "use_multiplicative_prescription",
    "use_quad",
    "use_t0",
    "use_theory_covmat",
    // Coefficients may then be couplings and masses, in no table: they are read as such in any case.
    "uv_couplings",
];

/// Keys of the likelihood that no document has a place for, and what else to do.
const REFUSED: [(&str, &str); 3] = [
    ("external_chi2", "add the likelihood to the document as channels or measurements, and take the key out"),
    ("rge", "run the tables to one scale, and take the key out"),
    ("rot_to_fit_basis", "rotate the tables, and take the key out"),
];

/// Keys that say how SMEFiT samples, what it checks and where it writes.
const SAMPLING: [&str; 20] = [
    "chi2_threshold",
    "cluster_num_live_points",
    "float64",
    "frac_remain",
    "lepsilon",
    "maxiter",
    "mc_minimiser",
    "n_samples",
    "nlive",
    "pairwise_fits",
    "replica",
    "restarts",
    "result_ID",
    "result_path",
    "single_parameter_fits",
    "store_raw",
    "target_evidence_unc",
    "target_post_unc",
    "use_bounds",
    "vectorized",
];

/// Where the database is, and which data sets a caller does not want.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Database {
    /// The folder of the commondata, in the place of the runcard's `data_path`.
    pub data_path: Option<PathBuf>,
    /// The folder of the theory tables, in the place of the runcard's `theory_path`.
    pub theory_path: Option<PathBuf>,
    /// Data sets to leave out.
    pub without: Vec<String>,
}

/// Reads the runcard, and of every data set `NAME.yaml` and `NAME.json`.
///
/// # Errors
/// `ImportError` for what the runcard asks for and the database lacks, or a document cannot say; all data sets are read
/// before it is returned.
pub fn read(runcard: Vec<u8>, database: &Database, options: &ImportOptions) -> Result<Import> {
    let tree = yaml::tree(runcard, &options.limits)?;
    let root = Node::root(&tree);
    let (mut warnings, mut findings) = (Findings::default(), Findings::default());
    check_keys(&root, &mut warnings, &mut findings)?;
    let coefficients = root.member("coefficients").and_then(|node| Coefficients::read(&node, &mut warnings));
    let selections = selections(&root, &database.without, &mut warnings);
    let settings = settings(&root, database, options);
    let (coefficients, selections, settings) = match (coefficients, selections, settings) {
        (Ok(coefficients), Ok(selections), Ok(settings)) => (coefficients, selections, settings),
        (coefficients, selections, settings) => {
            let all = [coefficients.err(), selections.err(), settings.err()];
            findings.0.extend(all.into_iter().flatten().flat_map(|found| found.0));
            return Err(findings);
        }
    };
    let mut measurements = Vec::new();
    let mut operators = BTreeSet::new();
    for (place, selection) in &selections {
        match selection.read(&settings, &coefficients) {
            Ok(Some(DataSet { measurement, operators: own, warnings: told })) => {
                measurements.push(measurement);
                operators.extend(own);
                warnings.0.extend(told.0);
            }
            Ok(None) => {
                let found = format!("{}: no point below cutoff_scale", quote(&selection.name));
                warnings.push(dropped(place.clone(), found, "SMEFiT leaves such data sets out"));
            }
            Err(found) => findings.0.extend(found.0),
        }
    }
    if !findings.0.is_empty() {
        return Err(findings);
    }
    let Used { coefficients: mut wilson_coefficients, mut parameters, relations } =
        coefficients.used(&operators, &mut warnings);
    for own in [&mut wilson_coefficients, &mut parameters] {
        options.bounds.overrule(own);
        check_coefficients(own)?;
    }
    if measurements.is_empty() || wilson_coefficients.is_empty() {
        return Err(root.error("no data point with a prediction", "data sets that depend on coefficients").into());
    }
    let transform = Used::transform(parameters, relations);
    Ok(Import { wilson_coefficients, measurements, transform, warnings, ..Import::default() })
}

/// What a runcard says beside the likelihood is told, and what no document can say refused.
fn check_keys(root: &Node, warnings: &mut Findings, findings: &mut Findings) -> Result<()> {
    let (mut sampling, mut unknown) = (Vec::new(), Vec::new());
    for (key, node) in root.members()? {
        let empty = node.value.is_null() || node.value.as_bool() == Some(false);
        if let Some((_, hint)) = REFUSED.iter().find(|(own, _)| *own == key && !empty) {
            let finding = Finding::new(&rule::IMPORT_REFUSED, quote(key), "predictions as they stand in the tables");
            findings.push(finding.hint(*hint).at(node.pointer));
        } else if key == "order" {
            findings.push(node.error("the key \"order\"", "default_order, or order of every data set"));
        } else if SAMPLING.contains(&key) {
            sampling.push(quote(key));
        } else if !KNOWN.contains(&key) {
            unknown.push(quote(key));
        }
    }
    if !sampling.is_empty() {
        let why = "these say how SMEFiT samples, what it checks and where it writes, and not what the likelihood is";
        warnings.push(dropped("", sampling.join(", "), why));
    }
    if !unknown.is_empty() {
        warnings.push(dropped("", unknown.join(", "), "SMEFiT 4.0.0 does not read these"));
    }
    Ok(())
}

fn settings(root: &Node, database: &Database, options: &ImportOptions) -> Result<Settings> {
    let folder = |key: &str| Ok::<_, Findings>(root.get(key)?.map(|node| node.name()).transpose()?.map(PathBuf::from));
    let commondata = match &database.data_path {
        Some(path) => path.clone(),
        None => folder("data_path")?.ok_or_else(|| root.error("no data_path", "the folder of the commondata"))?,
    };
    // A folder of the caller for the one and of the runcard for the other would be two databases.
    let theory = match (&database.theory_path, &database.data_path) {
        (Some(path), _) => path.clone(),
        (None, Some(path)) => path.clone(),
        (None, None) => folder("theory_path")?.unwrap_or_else(|| commondata.clone()),
    };
    let cutoff = root.get("cutoff_scale")?.map(|node| node.number()).transpose()?;
    let relative = root.get("use_multiplicative_prescription")?.map_or(Ok(false), |node| flag(&node))?;
    Ok(Settings {
        commondata,
        theory,
        use_quad: flag(&root.member("use_quad")?)?,
        use_t0: flag(&root.member("use_t0")?)?,
        use_theory_covmat: flag(&root.member("use_theory_covmat")?)?,
        relative,
        cutoff,
        limits: options.limits,
    })
}

fn flag(node: &Node) -> Result<bool> {
    Ok(node.value.as_bool().ok_or_else(|| node.wrong("true or false"))?)
}

/// The data sets with their places in the runcard.
fn selections(root: &Node, without: &[String], warnings: &mut Findings) -> Result<Vec<(String, Selection)>> {
    let default = root.get("default_order")?.map_or(Ok("LO"), |node| node.name())?;
    let (mut selections, mut findings) = (Vec::new(), Findings::default());
    let mut names = BTreeSet::new();
    for set in root.member("datasets")?.items()? {
        match selection(&set, default, warnings) {
            Ok(selection) => {
                if !names.insert(selection.name.clone()) {
                    findings.push(set.error(format!("{} twice", quote(&selection.name)), "each data set once"));
                } else if without.contains(&selection.name) {
                    warnings.push(dropped(set.pointer, quote(&selection.name), "it was asked to be left out"));
                } else {
                    selections.push((set.pointer, selection));
                }
            }
            Err(found) => findings.0.extend(found.0),
        }
    }
    for name in without.iter().filter(|name| !names.contains(*name)) {
        findings.push(Finding::new(
            &rule::IMPORT_MISSING,
            quote(name),
            "data sets to leave out that the runcard names",
        ));
    }
    if findings.0.is_empty() { Ok(selections) } else { Err(findings) }
}

fn selection(set: &Node, default: &str, warnings: &mut Findings) -> Result<Selection> {
    for (key, node) in set.members()? {
        if !["name", "order", "theory_cov"].contains(&key) {
            warnings.push(dropped(
                node.pointer,
                quote(key),
                "of a data set, SMEFiT 4.0.0 reads name, order, theory_cov",
            ));
        }
    }
    let name = set.member("name")?;
    let text = name.name()?;
    // The name is that of two files in the folders of the database, and leads nowhere else.
    if text.contains(['/', '\\', '\0']) || text.starts_with('.') {
        return Err(name.wrong("a name without slashes").into());
    }
    let word =
        |key, default: &str| Ok::<_, Findings>(set.get(key)?.map_or(Ok(default), |node| node.name())?.to_owned());
    Ok(Selection { name: text.to_owned(), order: word("order", default)?, theory_cov: word("theory_cov", "current")? })
}
