//! One data set of SMEFiT's database: measured points and their errors (commondata, YAML) beside the theory table (JSON).

use super::node::Node;
use super::smefit_coefficients::Coefficients;
use super::smefit_systematic::{CLASSES, Column, sizes};
use super::terms::{ONCE, Terms, UNTRUNCATED};
use super::{Json, yaml};
use crate::document::eft::{GaussianMeasurement, MultiplicativeReference, Prediction};
use crate::document::{Limits, read_bytes};
use crate::finding::{Findings, Result, quote};
use crate::rule;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What the runcard says of all data sets.
#[derive(Debug)]
pub(super) struct Settings {
    pub commondata: PathBuf,
    pub theory: PathBuf,
    pub use_quad: bool,
    pub use_t0: bool,
    pub use_theory_covmat: bool,
    /// Corrections relative to the prediction of their own order.
    pub relative: bool,
    /// In GeV: points at and above it do not count.
    pub cutoff: Option<f64>,
    pub limits: Limits,
}

/// What the runcard says of one.
#[derive(Debug)]
pub(super) struct Selection {
    pub name: String,
    pub order: String,
    /// Which theory covariance: `current` unless said otherwise.
    pub theory_cov: String,
}

/// A data set with the means in the operators of its tables.
#[derive(Debug)]
pub(super) struct DataSet {
    pub measurement: GaussianMeasurement,
    pub operators: BTreeSet<String>,
    pub warnings: Findings,
}

impl Selection {
    /// Reads both files; `None` where the cutoff leaves no point.
    ///
    /// # Errors
    /// What is wrong with the first of the files that is, with its name.
    pub fn read(&self, settings: &Settings, coefficients: &Coefficients) -> Result<Option<DataSet>> {
        let file = format!("{}.json", self.name);
        let theory = self.in_file(&file, Theory::read(&settings.theory.join(&file), self, settings, coefficients))?;
        let file = format!("{}.yaml", self.name);
        self.in_file(&file, self.measured(&settings.commondata.join(&file), settings, coefficients, theory))
    }

    /// Says in which file of the database something was found.
    fn in_file<T>(&self, file: &str, result: Result<T>) -> Result<T> {
        result.map_err(|mut findings| {
            for finding in &mut findings.0 {
                finding.found = format!("in {file}: {}", finding.found);
                if finding.rule == rule::UNREADABLE.id {
                    finding.expected = "commondata and theory of every data set of the runcard".to_owned();
                    finding.hint =
                        format!("give the folders of the database, or leave it out with --without {}", self.name);
                }
            }
            findings
        })
    }

    fn measured(
        &self,
        path: &Path,
        settings: &Settings,
        coefficients: &Coefficients,
        theory: Theory,
    ) -> Result<Option<DataSet>> {
        let tree = yaml::tree(read_bytes(path, &settings.limits)?, &settings.limits)?;
        let root = Node::root(&tree);
        let mut warnings = Findings::default();
        if let Some(own) = root.get("dataset_name")?.filter(|own| own.value.as_str() != Some(&self.name)) {
            let why = "a data set has the name of its files";
            warnings.push(super::dropped(own.pointer.clone(), format!("{} as a name", own.value), why));
        }
        let data = column(&root.member("data_central")?, theory.best.len())?;
        let count = root.member("num_data")?;
        if count.number()? != data.len() as f64 {
            return Err(count.wrong(format!("{}, as many as points of the theory", data.len())).into());
        }
        let statistical = root.member("statistical_error")?;
        let errors = column(&statistical, data.len())?;
        let kept = &theory.kept;
        if kept.is_empty() {
            return Ok(None);
        }
        let terms = coefficients.substitute(&theory.terms).chosen(kept);
        terms.check_finite()?;
        let multiplicative = if settings.use_t0 { MultiplicativeReference::T0 } else { MultiplicativeReference::Data };
        let mut measurement = GaussianMeasurement {
            name: self.name.clone(),
            data: chosen(&data, kept),
            prediction: Prediction::Polynomial {
                monomials: terms.monomials(),
                coefficients: terms.coefficients(false),
                truncation: UNTRUNCATED,
            },
            uncorrelated: sizes(chosen(&errors, kept), "statistical errors", &statistical.pointer, &mut warnings),
            covariance: Vec::new(),
            theory_covariance: kept.iter().filter_map(|a| Some(chosen(theory.covariance.get(*a)?, kept))).collect(),
            systematics: Vec::new(),
            multiplicative: Some(multiplicative),
        };
        add_systematics(&root, data.len(), kept, &mut measurement, &mut warnings)?;
        Ok(Some(DataSet { measurement, operators: theory.operators, warnings }))
    }
}

/// All columns of errors.
fn add_systematics(
    root: &Node,
    n: usize,
    kept: &[usize],
    measurement: &mut GaussianMeasurement,
    warnings: &mut Findings,
) -> Result<()> {
    let count = root.member("num_sys")?;
    if count.number()? == 0.0 {
        return Ok(());
    }
    let rows = root.member("systematics")?.items()?;
    if count.number()? != rows.len() as f64 {
        return Err(count.wrong(format!("{}, as many as rows of systematics", rows.len())).into());
    }
    let names = words(&root.member("sys_names")?, rows.len())?;
    let kinds = words(&root.member("sys_type")?, rows.len())?;
    let (mut findings, mut shared) = (Findings::default(), BTreeSet::new());
    for ((row, class), kind) in rows.iter().zip(&names).zip(&kinds) {
        let added = column(row, n).and_then(|values| {
            Column { class, kind, sizes: row, values: chosen(&values, kept) }.add_to(measurement, warnings)
        });
        if let Err(found) = added {
            findings.0.extend(found.0);
        }
        if is_name(class) && !shared.insert(class.value.as_str()) {
            findings
                .push(class.error(format!("{} twice", class.value), "each name once, and classes as often as needed"));
        }
    }
    if findings.0.is_empty() { Ok(()) } else { Err(findings) }
}

/// Predictions of one order, and their covariance.
struct Theory {
    /// The best prediction of the Standard Model, of all points.
    best: Vec<f64>,
    terms: Terms,
    operators: BTreeSet<String>,
    covariance: Vec<Vec<f64>>,
    /// The points below the cutoff.
    kept: Vec<usize>,
}

impl Theory {
    fn read(path: &Path, selection: &Selection, settings: &Settings, coefficients: &Coefficients) -> Result<Theory> {
        let json = Json::read(&selection.name, read_bytes(path, &settings.limits)?, &settings.limits)?;
        json.placed(Theory::of(&json.root(), selection, settings, coefficients))
    }

    fn of(root: &Node, selection: &Selection, settings: &Settings, coefficients: &Coefficients) -> Result<Theory> {
        let best = root.member("best_sm")?;
        let nominal = best.numbers()?;
        if nominal.is_empty() {
            return Err(best.wrong("at least one data point").into());
        }
        let n = nominal.len();
        let table = root.get(&selection.order)?;
        let table = table.ok_or_else(|| no_order(root, &selection.order))?;
        let own = column(&table.member("SM")?, n)?;
        let (mut terms, mut operators) = (Terms::new(n), BTreeSet::new());
        for (key, node) in table.members()? {
            let names: Vec<String> = key.split('*').map(str::to_owned).collect();
            // SMEFiT takes every key with SM in it for a prediction, unless it is a product.
            let counts = if names.len() == 1 { !key.contains("SM") } else { settings.use_quad };
            if !counts || !names.iter().all(|name| coefficients.contains(name)) {
                continue;
            }
            if names.len() > 2 {
                return Err(node
                    .error(format!("the key {}", quote(key)), "one operator, or two with * between")
                    .into());
            }
            let mut values = column(&node, n)?;
            if settings.relative {
                relative_to(&mut values, &own, &nominal, &node)?;
            }
            operators.extend(names.iter().cloned());
            terms.add_once(names, values).map_err(|found| node.error(found, ONCE))?;
        }
        terms.add(Vec::new(), nominal.iter().copied());
        let covariance = theory_covariance(root, selection, settings, n)?;
        let kept = kept(root, settings.cutoff, n)?;
        Ok(Theory { best: nominal, terms, operators, covariance, kept })
    }
}

fn no_order(root: &Node, order: &str) -> crate::finding::Finding {
    let members = root.value.as_object().into_iter().flatten();
    let orders: Vec<String> = members.filter(|(_, value)| value.is_object()).map(|(key, _)| quote(key)).collect();
    let finding = root.error(format!("no order {}", quote(order)), format!("one of {}", orders.join(", ")));
    finding.hint("order of the data set, or default_order of the runcard, says which is meant")
}

/// Corrections in units of the best prediction that are given in units of the one of their own order.
fn relative_to(values: &mut [f64], own: &[f64], best: &[f64], node: &Node) -> Result<()> {
    for ((value, own), best) in values.iter_mut().zip(own).zip(best) {
        if *own == 0.0 {
            return Err(node.error("a correction relative to an SM of zero", "SM other than zero").into());
        }
        *value = best * (*value / own);
    }
    Ok(())
}

fn theory_covariance(root: &Node, selection: &Selection, settings: &Settings, n: usize) -> Result<Vec<Vec<f64>>> {
    if !settings.use_theory_covmat {
        return Ok(Vec::new());
    }
    let matrix = match root.get(&format!("theory_cov_{}", selection.theory_cov))? {
        Some(matrix) => matrix,
        None => root.member("theory_cov")?,
    };
    matrix.items_of(n, "data point")?.iter().map(|row| row.numbers_of(n, "data point")).collect()
}

/// The points whose scale is below the cutoff.
fn kept(root: &Node, cutoff: Option<f64>, n: usize) -> Result<Vec<usize>> {
    let Some(cutoff) = cutoff else { return Ok((0..n).collect()) };
    let scales = root.member("scales")?.numbers_of(n, "data point")?;
    Ok((0..n).filter(|a| scales.get(*a).is_some_and(|scale| *scale < cutoff)).collect())
}

/// Not one of the classes.
fn is_name(class: &Node) -> bool {
    class.value.as_str().is_some_and(|name| !CLASSES.contains(&name))
}

/// A number a point; of a single point it may stand without brackets.
fn column(node: &Node, n: usize) -> Result<Vec<f64>> {
    if n == 1 && node.value.is_number() { Ok(vec![node.number()?]) } else { node.numbers_of(n, "data point") }
}

/// A word a column of errors; of a single column it may stand without brackets.
fn words<'a>(node: &Node<'a>, n: usize) -> Result<Vec<Node<'a>>> {
    if n == 1 && node.value.is_string() { Ok(vec![node.clone()]) } else { node.items_of(n, "systematic") }
}

fn chosen(values: &[f64], kept: &[usize]) -> Vec<f64> {
    kept.iter().filter_map(|a| values.get(*a)).copied().collect()
}
