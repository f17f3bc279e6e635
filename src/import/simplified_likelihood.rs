//! Simplified likelihoods, signal regions with a joint normal background, as workspaces: the covariance becomes
//! independent nuisance parameters (spec/eft-importers.md, "Simplified likelihoods").

use super::node::Node;
use super::{Import, ImportOptions, Json, hepdata, yaml};
use crate::document::simplified_likelihood::{FORMAT, Matrix, Region, SimplifiedLikelihood};
use crate::document::workspace::{
    Channel, HistosysData, Measurement, MeasurementConfig, Modifier, Observation, Sample, Workspace,
};
use crate::finding::{Finding, Findings, Result, number, path_pointer, quote};
use crate::rule;
use nalgebra::{DMatrix, SymmetricEigen};

/// The strength of the signal.
const POI: &str = "mu";
/// Largest difference of V_ab and V_ba, of the product of both errors.
const SYMMETRIC: f64 = 1e-9;
/// Variances of correlation matrices that are rounding, for each region: below zero, and above.
const ROUNDING: [f64; 2] = [1e-10, 1e-14];
/// Steps of the QR algorithm.
const MOST_STEPS: usize = 100_000;

/// Reads the regions, and the table of their covariance or correlation where that is a file of its own.
///
/// # Errors
/// `ImportError` where a file does not have the layout, or where the matrix is not that of a normal distribution.
pub fn read(name: &str, bytes: Vec<u8>, table: Option<Vec<u8>>, options: &ImportOptions) -> Result<Import> {
    let json = Json::read(name, bytes, &options.limits)?;
    let likelihood: SimplifiedLikelihood = json.placed(typed(&json.tree))?;
    json.placed(check(&likelihood))?;
    let names: Vec<&str> = likelihood.regions.iter().map(|region| region.name.as_str()).collect();
    let table = match table {
        None => None,
        Some(bytes) if yaml::is_yaml(&bytes) => {
            Some(hepdata::matrix(&Node::root(&yaml::tree(bytes, &options.limits)?), &names)?)
        }
        Some(bytes) => {
            let table = Json::read("table", bytes, &options.limits)?;
            Some(table.placed(hepdata::matrix(&table.root(), &names))?)
        }
    };
    let covariance = json.placed(covariance(&likelihood, table))?;
    let errors = json.placed(independent(&covariance))?;
    Ok(Import { workspace: Some(workspace(&likelihood, &errors)), ..Import::default() })
}

fn typed(tree: &serde_json::Value) -> Result<SimplifiedLikelihood> {
    serde_path_to_error::deserialize(tree).map_err(|error| {
        let expected = "the members of a simplified likelihood (schemas/simplified-likelihood.json)";
        Finding::new(&rule::IMPORT_FORMAT, error.inner().to_string(), expected).at(path_pointer(error.path())).into()
    })
}

fn wrong(pointer: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Finding {
    Finding::new(&rule::IMPORT_FORMAT, found, expected).at(pointer)
}

/// What the types leave open.
fn check(likelihood: &SimplifiedLikelihood) -> Result<()> {
    let mut findings = Findings::default();
    if likelihood.format != FORMAT {
        findings.push(wrong("/format", quote(&likelihood.format), quote(FORMAT)));
    }
    if likelihood.regions.is_empty() {
        findings.push(wrong("/regions", "no region", "at least one"));
    }
    let inline = [likelihood.covariance.is_some(), likelihood.correlation.is_some(), likelihood.table.is_some()];
    let given = inline.iter().filter(|given| **given).count();
    if given != 1 {
        findings.push(wrong("", format!("{given} matrices"), "one of covariance, correlation and table"));
    }
    let correlated = likelihood.correlation.is_some() || likelihood.table == Some(Matrix::Correlation);
    let with_signal = likelihood.regions.iter().filter(|region| region.signal.is_some()).count();
    if with_signal != 0 && with_signal != likelihood.regions.len() {
        findings.push(wrong("/regions", format!("{with_signal} with a signal"), "a signal of all regions or of none"));
    }
    for (a, Region { uncertainty, .. }) in likelihood.regions.iter().enumerate() {
        match uncertainty {
            None if correlated => {
                findings.push(wrong(format!("/regions/{a}"), "no uncertainty", "one beside a correlation"))
            }
            Some(_) if !correlated => {
                findings.push(wrong(format!("/regions/{a}/uncertainty"), "an uncertainty", "none beside a covariance"));
            }
            Some(error) if *error < 0.0 => {
                findings.push(wrong(format!("/regions/{a}/uncertainty"), number(*error), "an error of at least 0"));
            }
            _ => {}
        }
    }
    if findings.0.is_empty() { Ok(()) } else { Err(findings) }
}

/// The covariance in events squared, with its place.
fn covariance(likelihood: &SimplifiedLikelihood, table: Option<Vec<Vec<f64>>>) -> Result<Placed> {
    let n = likelihood.regions.len();
    let (rows, pointer) = match (&likelihood.covariance, &likelihood.correlation, table) {
        (Some(rows), None, None) => (rows.clone(), "/covariance"),
        (None, Some(rows), None) => (rows.clone(), "/correlation"),
        (None, None, Some(rows)) => (rows, "/table"),
        (None, None, None) => {
            let expected = "the table as a second file";
            let finding = Finding::new(&rule::IMPORT_MISSING, "one file", expected).at("/table");
            return Err(finding.hint("name the file of the table after this one").into());
        }
        _ => return Err(wrong("", "a second file", "one only where the member table says what it holds").into()),
    };
    if rows.len() != n || rows.iter().any(|row| row.len() != n) {
        let found = format!("{} rows", rows.len());
        return Err(wrong(pointer, found, format!("{n} rows of {n} numbers, one a region")).into());
    }
    let mut matrix = DMatrix::from_fn(n, n, |a, b| rows.get(a).and_then(|row| row.get(b)).copied().unwrap_or(f64::NAN));
    if likelihood.covariance.is_none() && likelihood.table != Some(Matrix::Covariance) {
        let mut errors = Vec::with_capacity(n);
        for (a, region) in likelihood.regions.iter().enumerate() {
            if (matrix[(a, a)] - 1.0).abs() > SYMMETRIC {
                return Err(wrong(pointer, number(matrix[(a, a)]), "1 on the diagonal of a correlation").into());
            }
            errors.push(region.uncertainty.unwrap_or(f64::NAN));
        }
        matrix = DMatrix::from_fn(n, n, |a, b| errors[a] * errors[b] * matrix[(a, b)]);
    }
    Ok(Placed { matrix, pointer })
}

/// A matrix and its place in the file.
struct Placed {
    matrix: DMatrix<f64>,
    pointer: &'static str,
}

/// Errors e_k of regions with Σ_k e_k e_kᵀ = V, the largest of the correlation matrix first: column k of the result.
fn independent(Placed { matrix, pointer }: &Placed) -> Result<DMatrix<f64>> {
    let n = matrix.nrows();
    let errors: Vec<f64> = matrix.diagonal().iter().map(|variance| variance.sqrt()).collect();
    for a in 0..n {
        if errors[a].is_nan() {
            return Err(wrong(*pointer, number(matrix[(a, a)]), "variances of at least 0").into());
        }
        for b in 0..a {
            let (one, other) = (matrix[(a, b)], matrix[(b, a)]);
            if (one - other).abs() > SYMMETRIC * errors[a] * errors[b] {
                let found = format!("{} and {} in rows {} and {}", number(one), number(other), a + 1, b + 1);
                return Err(wrong(*pointer, found, "a symmetric matrix").into());
            }
            if one != 0.0 && errors[a] * errors[b] == 0.0 {
                let found = format!("{} in row {}, column {}", number(one), a + 1, b + 1);
                return Err(wrong(*pointer, found, "0 where a variance is 0").into());
            }
        }
    }
    let scale: Vec<f64> = errors.iter().map(|error| if *error > 0.0 { 1.0 / error } else { 0.0 }).collect();
    let correlation = DMatrix::from_fn(n, n, |a, b| 0.5 * (matrix[(a, b)] + matrix[(b, a)]) * scale[a] * scale[b]);
    let spectrum = SymmetricEigen::try_new(correlation, f64::EPSILON, MOST_STEPS)
        .ok_or_else(|| wrong(*pointer, "a matrix whose eigenvalues were not found", "a covariance"))?;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| spectrum.eigenvalues[*b].total_cmp(&spectrum.eigenvalues[*a]));
    if let Some(lowest) = order.last().map(|k| spectrum.eigenvalues[*k]).filter(|l| *l < -ROUNDING[0] * n as f64) {
        let found = format!("a correlation matrix with the eigenvalue {}", number(lowest));
        let finding = wrong(*pointer, found, "none below zero");
        return Err(finding.hint("write covariances with more digits: rounded ones contradict each other").into());
    }
    order.retain(|k| spectrum.eigenvalues[*k] > ROUNDING[1] * n as f64);
    Ok(DMatrix::from_fn(n, order.len(), |a, column| {
        let k = order[column];
        let vector = spectrum.eigenvectors.column(k);
        errors[a] * sign(vector.iter()) * vector[a] * spectrum.eigenvalues[k].sqrt()
    }))
}

/// That makes the largest component positive, the first of several.
fn sign<'a>(vector: impl Iterator<Item = &'a f64>) -> f64 {
    let largest = vector.fold(0.0_f64, |most, x| if x.abs() > most.abs() * (1.0 + 1e-9) { *x } else { most });
    if largest < 0.0 { -1.0 } else { 1.0 }
}

/// A channel for each region; the background moves by e_k α_k.
fn workspace(likelihood: &SimplifiedLikelihood, errors: &DMatrix<f64>) -> Workspace {
    let channel = |(a, region): (usize, &Region)| {
        let moved = (0..errors.ncols()).filter(|k| errors[(a, *k)] != 0.0).map(|k| Modifier::Histosys {
            name: format!("{}_{}", likelihood.name, k + 1),
            data: HistosysData {
                lo_data: vec![region.background - errors[(a, k)]],
                hi_data: vec![region.background + errors[(a, k)]],
            },
        });
        let background =
            Sample { name: "background".into(), data: vec![region.background], modifiers: moved.collect() };
        let signal = region.signal.map(|signal| Sample {
            name: "signal".into(),
            data: vec![signal],
            modifiers: vec![Modifier::Normfactor { name: POI.into(), data: () }],
        });
        Channel { name: region.name.clone(), samples: signal.into_iter().chain([background]).collect() }
    };
    let has_signal = likelihood.regions.iter().all(|region| region.signal.is_some());
    let poi = if has_signal { POI } else { "" };
    Workspace {
        correlations: None,
        channels: likelihood.regions.iter().enumerate().map(channel).collect(),
        eft: None,
        measurements: vec![Measurement {
            name: "measurement".into(),
            config: MeasurementConfig { poi: poi.into(), parameters: Vec::new() },
        }],
        observations: likelihood
            .regions
            .iter()
            .map(|region| Observation { name: region.name.clone(), data: vec![region.observed] })
            .collect(),
        version: "1.0.0".into(),
    }
}
