//! Benchmarks of global fits in one JSON file, `eft-gaussian-benchmark/1`: measurements of many data sets with their
//! systematics, and linear and quadratic predictions (spec/eft-importers.md, "Global fits").

use super::node::Node;
use super::smefit_systematic::{Column, sizes};
use super::terms::{ONCE, Terms, UNTRUNCATED};
use super::{Bounds, Import, ImportOptions, Json};
use crate::document::eft::{GaussianMeasurement, MultiplicativeReference, Prediction, WilsonCoefficient};
use crate::finding::{Findings, Result, quote};

const FORMAT: &str = "eft-gaussian-benchmark/1";

/// Reads t = sm + Σ L_i c_i + Σ_{i ≤ j} Q_ij c_i c_j of every point; multiplicative systematics are fractions of `sm`.
pub fn read(name: &str, bytes: Vec<u8>, options: &ImportOptions) -> Result<Import> {
    let json = Json::read(name, bytes, &options.limits)?;
    json.placed(measured(&json.root(), options))
}

fn measured(root: &Node, options: &ImportOptions) -> Result<Import> {
    let format = root.member("format")?;
    if format.text()? != FORMAT {
        return Err(format.wrong(quote(FORMAT)).into());
    }
    let names = root.member("operators")?.names()?;
    let wilson_coefficients = coefficients(root, &names, &options.bounds)?;
    let data = root.member("data")?.numbers()?;
    let (statistical, mut warnings) = (root.member("stat")?, Findings::default());
    let errors = statistical.numbers_of(data.len(), "data point")?;
    let columns = Columns {
        errors: sizes(errors, "statistical errors", &statistical.pointer, &mut warnings),
        terms: terms(root, &names, data.len())?,
        theory: root.member("theory_cov_blocks")?.items()?,
        data,
    };
    let mut measurements = Vec::new();
    let mut first = 0;
    for (index, set) in root.member("datasets")?.items()?.iter().enumerate() {
        let points = set.member("n")?;
        let n = points.number()? as usize;
        if n == 0 || n > columns.data.len().saturating_sub(first) {
            return Err(points.wrong("a number of data points, in all as many as data").into());
        }
        measurements.push(columns.measurement(set.member("name")?.name()?, first, n, index)?);
        first += n;
    }
    if first != columns.data.len() {
        return Err(root.member("datasets")?.error(format!("{first} data points in all"), "as many as data").into());
    }
    for systematic in root.member("systematics")?.items()? {
        add_systematic(&systematic, &mut measurements, &mut warnings)?;
    }
    Ok(Import { wilson_coefficients, measurements, warnings, ..Import::default() })
}

/// Names and bounds; bounds of the caller overrule those of the file.
fn coefficients(root: &Node, names: &[String], bounds: &Bounds) -> Result<Vec<WilsonCoefficient>> {
    let boxes = root.member("bounds")?.items_of(names.len(), "operator")?;
    let mut own = Bounds::default();
    for (name, node) in names.iter().zip(boxes) {
        let pair = node.numbers_of(2, "end of the interval")?;
        own.by_name.insert(name.clone(), [pair[0], pair[1]]);
    }
    let mut coefficients = own.coefficients(names)?;
    bounds.overrule(&mut coefficients);
    Ok(coefficients)
}

/// The predictions of all points.
fn terms(root: &Node, names: &[String], n: usize) -> Result<Terms> {
    let mut terms = Terms::new(n);
    terms.add(Vec::new(), root.member("sm")?.numbers_of(n, "data point")?);
    let rows = root.member("linear")?.items_of(n, "data point")?;
    let mut linear = vec![vec![0.0; n]; names.len()];
    for (point, row) in rows.iter().enumerate() {
        for (column, value) in linear.iter_mut().zip(row.numbers_of(names.len(), "operator")?) {
            column[point] = value;
        }
    }
    for (name, column) in names.iter().zip(linear) {
        terms.add(vec![name.clone()], column);
    }
    // A linear benchmark says in words that it has none.
    let quadratic = root.get("quadratic_sparse")?.filter(|node| !node.value.is_string());
    let Some(quadratic) = quadratic else { return Ok(terms) };
    for term in quadratic.items()? {
        let items = term.items_of(4, "entry: two operators, points, values")?;
        let operator = |node: &Node| -> Result<String> {
            let name = names.get(node.number()? as usize);
            name.cloned().ok_or_else(|| node.wrong("the index of an operator").into())
        };
        let pair = vec![operator(&items[0])?, operator(&items[1])?];
        let points = items[2].numbers()?;
        let mut column = vec![0.0; n];
        for (point, value) in points.iter().zip(items[3].numbers_of(points.len(), "point")?) {
            *column.get_mut(*point as usize).ok_or_else(|| items[2].wrong("indices of data points"))? = value;
        }
        terms.add_once(pair, column).map_err(|found| term.error(found, ONCE))?;
    }
    Ok(terms)
}

/// Columns of all points, to be cut into data sets.
struct Columns<'a> {
    data: Vec<f64>,
    errors: Vec<f64>,
    terms: Terms,
    theory: Vec<Node<'a>>,
}

impl Columns<'_> {
    fn measurement(&self, name: &str, first: usize, n: usize, index: usize) -> Result<GaussianMeasurement> {
        let points = first..first + n;
        let terms = self.terms.rows(points.clone());
        let rows = match self.theory.get(index) {
            Some(block) => block.items_of(n, "data point")?,
            None => Vec::new(),
        };
        let theory = rows.iter().map(|row| row.numbers_of(n, "data point")).collect::<Result<_>>()?;
        Ok(GaussianMeasurement {
            name: name.to_owned(),
            data: self.data[points.clone()].to_vec(),
            prediction: Prediction::Polynomial {
                monomials: terms.monomials(),
                coefficients: terms.coefficients(false),
                truncation: UNTRUNCATED,
            },
            uncorrelated: self.errors[points].to_vec(),
            covariance: Vec::new(),
            theory_covariance: theory,
            systematics: Vec::new(),
            multiplicative: Some(MultiplicativeReference::T0),
        })
    }
}

/// `[data set, class or name, ADD or MULT, values]`
fn add_systematic(node: &Node, measurements: &mut [GaussianMeasurement], warnings: &mut Findings) -> Result<()> {
    let items = node.items_of(4, "entry: data set, name, kind, values")?;
    let set = items[0].name()?;
    let Some(measurement) = measurements.iter_mut().find(|measurement| measurement.name == set) else {
        return Err(items[0].wrong("the name of a data set").into());
    };
    let values = items[3].numbers_of(measurement.data.len(), "data point")?;
    Column { class: &items[1], kind: &items[2], sizes: &items[3], values }.add_to(measurement, warnings)
}
