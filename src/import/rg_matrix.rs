//! Evolution matrices of the renormalisation group: c(μ_data) = U c(μ_fit), as JSON or CSV (spec/eft-importers.md,
//! "Evolution matrices").

use super::node::Node;
use super::{Bounds, ImportOptions, Json, dropped};
use crate::document::eft::{Eft, LinearRelations, Running, TransformParameter, TransformStep};
use crate::finding::{Finding, Findings, Result, number, quote};
use crate::rule;
use std::collections::HashSet;

/// A matrix with the names of its rows and columns, and the scales of both.
#[derive(Clone, Debug, PartialEq)]
pub struct Evolution {
    /// Coefficients at `to_scale_gev`: rows.
    pub coefficients: Vec<String>,
    /// Coefficients at `from_scale_gev`: columns.
    pub parameters: Vec<String>,
    pub matrix: Vec<Vec<f64>>,
    pub from_scale_gev: f64,
    pub to_scale_gev: f64,
}

/// Scales given beside the file, which must not contradict it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scales {
    pub from_gev: Option<f64>,
    pub to_gev: Option<f64>,
}

/// Reads an object with `coefficients`, `parameters` and `matrix`, or lines of CSV: the names of the columns behind an
/// empty first cell, then the name and the numbers of each row.
///
/// # Errors
/// `ImportError` for another layout, and for scales that are missing or contradict each other.
pub fn read(name: &str, bytes: Vec<u8>, scales: Scales, options: &ImportOptions) -> Result<Evolution> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    let evolution = if matches!(first, Some(b'{' | 0x1f | 0x80)) {
        let json = Json::read(name, bytes, &options.limits)?;
        json.placed(from_json(&json.root(), scales))?
    } else {
        from_csv(bytes, scales, options)?
    };
    evolution.check()?;
    Ok(evolution)
}

fn from_json(root: &Node, scales: Scales) -> Result<Evolution> {
    let coefficients = root.member("coefficients")?.names()?;
    let parameters = root.get("parameters")?.map(|node| node.names()).transpose()?;
    let parameters = parameters.unwrap_or_else(|| coefficients.clone());
    let rows = root.member("matrix")?.items_of(coefficients.len(), "coefficient")?;
    let matrix: Result<Vec<Vec<f64>>> = rows.iter().map(|row| row.numbers_of(parameters.len(), "parameter")).collect();
    let scale = |key: &str, given: Option<f64>| -> Result<f64> {
        let own = root.get(key)?.map(|node| node.number()).transpose()?;
        one_scale(key, own, given)
    };
    let from_scale_gev = scale("from_scale_GeV", scales.from_gev)?;
    let to_scale_gev = scale("to_scale_GeV", scales.to_gev)?;
    Ok(Evolution { coefficients, parameters, matrix: matrix?, from_scale_gev, to_scale_gev })
}

#[allow(clippy::float_cmp)] // scales are the same or not
fn one_scale(key: &str, own: Option<f64>, given: Option<f64>) -> Result<f64> {
    match (own, given) {
        (Some(own), Some(given)) if own != given => {
            let found = format!("{key} {} in the file, {} as an option", number(own), number(given));
            Err(Finding::new(&rule::IMPORT_FORMAT, found, "one scale").into())
        }
        (Some(scale), _) | (None, Some(scale)) => Ok(scale),
        (None, None) => {
            let expected = "the key in the file, or the option --from-scale-gev or --to-scale-gev";
            Err(Finding::new(&rule::IMPORT_MISSING, format!("no {key}"), expected).into())
        }
    }
}

fn from_csv(bytes: Vec<u8>, scales: Scales, options: &ImportOptions) -> Result<Evolution> {
    if bytes.len() > options.limits.max_size {
        let expected = format!("at most {} bytes", options.limits.max_size);
        return Err(Finding::new(&rule::SIZE, "a larger file", expected).into());
    }
    let text = String::from_utf8(bytes).map_err(|e| Finding::new(&rule::ENCODING, e.to_string(), "text in UTF-8"))?;
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let wrong = |line: usize, found: String, expected: &str| {
        Finding::new(&rule::IMPORT_FORMAT, found, expected).at_line(line + 1, 1)
    };
    let cells = |line: &str| -> Vec<String> { line.split(',').map(|cell| cell.trim().to_owned()).collect() };
    let (_, header) = lines.next().ok_or_else(|| wrong(0, "an empty file".to_owned(), "lines of CSV"))?;
    let parameters: Vec<String> = cells(header).into_iter().skip(1).collect();
    let (mut coefficients, mut matrix) = (Vec::new(), Vec::new());
    for (index, line) in lines {
        let mut row = cells(line).into_iter();
        let name = row.next().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| wrong(index, quote(line), "a name, then numbers"))?;
        let numbers: Option<Vec<f64>> = row.map(|cell| cell.parse().ok().filter(|x: &f64| x.is_finite())).collect();
        let numbers = numbers.filter(|numbers| numbers.len() == parameters.len());
        let expected = format!("a name and {} numbers, joined by commas", parameters.len());
        matrix.push(numbers.ok_or_else(|| wrong(index, quote(line), &expected))?);
        coefficients.push(name);
    }
    let from_scale_gev = one_scale("from_scale_GeV", None, scales.from_gev)?;
    let to_scale_gev = one_scale("to_scale_GeV", None, scales.to_gev)?;
    Ok(Evolution { coefficients, parameters, matrix, from_scale_gev, to_scale_gev })
}

impl Evolution {
    fn check(&self) -> Result<()> {
        let mut findings = Findings::default();
        for (what, names) in [("row", &self.coefficients), ("column", &self.parameters)] {
            let mut seen = HashSet::new();
            if names.is_empty() {
                findings.push(Finding::new(&rule::IMPORT_FORMAT, format!("no {what}"), "a matrix with names"));
            }
            for name in names.iter().filter(|name| name.is_empty() || !seen.insert(*name)) {
                let found = format!("a {what} {} again, or without name", quote(name));
                findings.push(Finding::new(&rule::IMPORT_FORMAT, found, "each name once"));
            }
        }
        if findings.0.is_empty() { Ok(()) } else { Err(findings) }
    }

    /// The step of a document: rows that it does not have, and columns on which none of its rows depends, are left out
    /// with a warning. Parameters are called by their column and scale; bounds are those of the coefficient of the
    /// column's name, unless the caller gives others.
    ///
    /// # Errors
    /// `ImportError` for columns without bounds.
    pub fn step(&self, eft: &Eft, bounds: &Bounds) -> Result<(TransformStep, Findings)> {
        let mut warnings = Findings::default();
        let free = eft.fit_coefficients();
        let is_known = |name: &String| free.iter().any(|coefficient| coefficient.name == name);
        let rows: Vec<usize> = (0..self.coefficients.len()).filter(|&i| is_known(&self.coefficients[i])).collect();
        for name in self.coefficients.iter().filter(|name| !is_known(name)) {
            warnings.push(dropped("", format!("the row {}", quote(name)), "the document has no such coefficient"));
        }
        let acts = |j: usize| rows.iter().any(|&i| self.matrix[i].get(j).is_some_and(|u| *u != 0.0));
        let columns: Vec<usize> = (0..self.parameters.len()).filter(|&j| acts(j)).collect();
        for name in (0..self.parameters.len()).filter(|&j| !acts(j)).map(|j| &self.parameters[j]) {
            let why = "no coefficient of the document depends on it";
            warnings.push(dropped("", format!("the column {}", quote(name)), why));
        }
        let (mut parameters, mut missing) = (Vec::new(), Vec::new());
        for &j in &columns {
            let column = &self.parameters[j];
            let given = bounds.by_name.get(column).copied();
            let own = free.iter().find(|coefficient| coefficient.name == column).map(|c| c.bounds);
            match given.or(own).or(bounds.others) {
                Some(bounds) => parameters.push(TransformParameter {
                    name: format!("{column}_{}GeV", self.from_scale_gev),
                    bounds,
                    init: 0.0,
                    fixed: false,
                }),
                None => missing.push(quote(column)),
            }
        }
        if !missing.is_empty() {
            let found = format!("no bounds of {}", missing.join(", "));
            return Err(Finding::new(&rule::IMPORT_MISSING, found, "bounds of every column (--bounds)").into());
        }
        let linear = LinearRelations {
            coefficients: rows.iter().map(|&i| self.coefficients[i].clone()).collect(),
            parameters: parameters.iter().map(|parameter| parameter.name.clone()).collect(),
            matrix: rows.iter().map(|&i| columns.iter().map(|&j| self.matrix[i][j]).collect()).collect(),
            offset: Vec::new(),
        };
        if linear.coefficients.is_empty() {
            let found = "a matrix without any coefficient of the document";
            return Err(Finding::new(&rule::IMPORT_FORMAT, found, "rows named as the document names them").into());
        }
        let running = Running { from_scale_gev: self.from_scale_gev, to_scale_gev: self.to_scale_gev };
        let step =
            TransformStep { parameters, linear: Some(linear), running: Some(running), ..TransformStep::default() };
        Ok((step, warnings))
    }
}
