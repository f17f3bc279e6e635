//! Rules for measurements with Gaussian errors (spec/gaussian.md): shapes, names, matrices.

use super::super::Report;
use super::Context;
use super::response::{check_denominator, check_power, check_uncertainties, has_moving_pole, report_moving_pole};
use crate::document::eft::{
    Correlation, Distribution, Expansion, FlatErrors, GaussianMeasurement, GaussianSystematic, PerBin, Prediction,
    RationalFactor, SystematicKind, Truncation,
};
use crate::finding::{number, quote};
use crate::model::eft::Polynomial;
use crate::rule;
use std::collections::{BTreeSet, HashMap};

/// How far two mirrored elements of a matrix may differ, of the errors of their points.
const SYMMETRY: f64 = 1e-9;

/// Checks all measurements; the coefficients on which their means depend.
pub(super) fn check(context: &Context, report: &mut Report) -> BTreeSet<u32> {
    let mut used = BTreeSet::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (m, measurement) in context.eft.gaussian_measurements.iter().enumerate() {
        let pointer = format!("/eft/gaussian_measurements/{m}");
        check_empty(&measurement.name, &pointer, report);
        if let Some(first) = places.insert(measurement.name.as_str(), m) {
            let found = format!("the name {} of measurement {first} again", quote(&measurement.name));
            report.add(&rule::GAUSSIAN_NAME, format!("{pointer}/name"), found, "a name of its own");
        }
        used.extend(check_prediction(context, measurement, &format!("{pointer}/prediction"), report));
        check_errors(measurement, &pointer, report);
        check_systematics(measurement, &pointer, report);
    }
    check_correlations(context, &places, report);
    check_flat(context, report);
    used
}

fn check_prediction(
    context: &Context,
    measurement: &GaussianMeasurement,
    pointer: &str,
    report: &mut Report,
) -> BTreeSet<u32> {
    let n = measurement.data.len();
    let mut polynomial = |monomials: &[Vec<String>], coefficients: &[PerBin], truncation, pointer: &str| {
        check_entries(coefficients, monomials.len(), n, &format!("{pointer}/coefficients"), report);
        let monomials = context.monomials(monomials, &format!("{pointer}/monomials"), report).unwrap_or_default();
        let kept = monomials.into_iter().filter(|monomial| context.keeps(truncation, monomial));
        kept.flatten().collect::<BTreeSet<u32>>()
    };
    match &measurement.prediction {
        Prediction::Polynomial { monomials, coefficients, truncation } => {
            polynomial(monomials, coefficients, truncation, pointer)
        }
        Prediction::Rational { factors, expansion, factor_truncation } => {
            let mut used = BTreeSet::new();
            for (f, factor) in factors.iter().enumerate() {
                let place = format!("{pointer}/factors/{f}");
                used.extend(polynomial(&factor.monomials, &factor.coefficients, factor_truncation, &place));
            }
            for (f, factor) in factors.iter().enumerate() {
                let place = format!("{pointer}/factors/{f}");
                check_factor(context, expansion, factor_truncation, factor, n, &place, report);
            }
            used
        }
    }
}

/// Power, errors of the coefficients and, below a fraction bar, the sign; what is wrong with the monomials was said before.
fn check_factor(
    context: &Context,
    expansion: &Expansion,
    truncation: &Truncation,
    factor: &RationalFactor,
    n: usize,
    place: &str,
    report: &mut Report,
) {
    check_power(factor.power, &format!("{place}/power"), report);
    let mut said = Report { compat: report.compat, findings: Default::default() };
    let monomials = context.monomials(&factor.monomials, "", &mut said);
    check_uncertainties(context, &factor.uncertainties, monomials.as_deref(), Some(n), place, report);
    if matches!(expansion, Expansion::Taylor(_)) && has_moving_pole(factor) {
        report_moving_pole(format!("{place}/uncertainties"), report);
    }
    let fits = |a: &PerBin| matches!(a, PerBin::All(_)) || matches!(a, PerBin::Each(list) if list.len() == n);
    let sound = factor.coefficients.len() == factor.monomials.len() && factor.coefficients.iter().all(fits);
    if let Some(monomials) = monomials.filter(|_| sound && n > 0) {
        let terms = monomials.into_iter().zip(factor.coefficients.iter().map(|a| a.of_bins(n)));
        let own = Polynomial::from_terms(n, terms);
        check_denominator(context, expansion, truncation, factor, &own, place, report);
    }
}

/// One entry a monomial, and a number a point where an entry is a list.
fn check_entries(entries: &[PerBin], monomials: usize, n: usize, pointer: &str, report: &mut Report) {
    check_count(entries.len(), monomials, "monomial", pointer, report);
    for (k, entry) in entries.iter().enumerate() {
        if let PerBin::Each(list) = entry {
            check_count(list.len(), n, "point", &format!("{pointer}/{k}"), report);
        }
    }
}

/// Compares the length of a list with what its entries belong to.
fn check_count(found: usize, expected: usize, each: &str, pointer: &str, report: &mut Report) -> bool {
    if found != expected {
        let expected = format!("{expected}, one for each {each}");
        report.add(&rule::GAUSSIAN_LENGTH, pointer.to_string(), format!("{found} entries"), expected);
    }
    found == expected
}

fn check_errors(measurement: &GaussianMeasurement, pointer: &str, report: &mut Report) {
    let n = measurement.data.len();
    let uncorrelated = &measurement.uncorrelated;
    let at = |key: &str| format!("{pointer}/{key}");
    if !uncorrelated.is_empty() && check_count(uncorrelated.len(), n, "point", &at("uncorrelated"), report) {
        report.add_numbers(&rule::GAUSSIAN_ERROR, || at("uncorrelated"), uncorrelated, "at least 0", |x| x < 0.0);
    }
    for (key, matrix) in
        [("covariance", &measurement.covariance), ("theory_covariance", &measurement.theory_covariance)]
    {
        let mut square = matrix.is_empty() || check_count(matrix.len(), n, "point", &at(key), report);
        for (a, row) in matrix.iter().enumerate() {
            square &= check_count(row.len(), n, "point", &format!("{}/{a}", at(key)), report);
        }
        if square {
            check_symmetry(matrix, &at(key), report);
        }
    }
}

fn check_empty(name: &str, pointer: &str, report: &mut Report) {
    if name.is_empty() {
        report.add(&rule::GAUSSIAN_NAME, format!("{pointer}/name"), "an empty name", "a name");
    }
}

/// The first pair of mirrored elements that differ.
fn check_symmetry(matrix: &[Vec<f64>], pointer: &str, report: &mut Report) {
    for (a, row) in matrix.iter().enumerate() {
        for (b, value) in row.iter().enumerate().take(a) {
            let mirrored = matrix[b][a];
            let scale = (matrix[a][a].abs() * matrix[b][b].abs()).sqrt().max(value.abs().min(mirrored.abs()));
            if (value - mirrored).abs() > SYMMETRY * scale {
                let expected = format!("{}, as in row {b} and column {a}", number(mirrored));
                report.add(&rule::GAUSSIAN_SYMMETRY, format!("{pointer}/{a}/{b}"), number(*value), expected);
                return;
            }
        }
    }
}

fn check_systematics(measurement: &GaussianMeasurement, pointer: &str, report: &mut Report) {
    let mut names = HashMap::new();
    for (s, systematic) in measurement.systematics.iter().enumerate() {
        let pointer = format!("{pointer}/systematics/{s}");
        check_empty(&systematic.name, &pointer, report);
        if let Some(first) = names.insert(systematic.name.as_str(), s) {
            let found = format!("the name {} of systematic {first} again", quote(&systematic.name));
            report.add(&rule::GAUSSIAN_NAME, format!("{pointer}/name"), found, "each name once in a measurement");
        }
        let values = &systematic.values;
        check_count(values.len(), measurement.data.len(), "point", &format!("{pointer}/values"), report);
        if systematic.kind == SystematicKind::Multiplicative && measurement.multiplicative.is_none() {
            let expected = "the member multiplicative of the measurement: data, t0 or model";
            let found = format!("the multiplicative systematic {}", quote(&systematic.name));
            report.add(&rule::GAUSSIAN_REFERENCE, format!("{pointer}/kind"), found, expected);
        }
        let named = systematic.correlation == Correlation::Name && systematic.distribution == Distribution::Gaussian;
        if systematic.follows_prediction(measurement) && !named {
            let found = format!("the systematic {}, which scales the means", quote(&systematic.name));
            let expected = "a Gaussian error that is correlated by name; or data or t0 as reference of the others";
            report.add(&rule::GAUSSIAN_REFERENCE, format!("{pointer}/correlation"), found, expected);
        }
    }
}

/// Flat errors have names of their own; those that are no parameters are independent, and marginalised ones alone.
fn check_flat(context: &Context, report: &mut Report) {
    let eft = context.eft;
    let measurements = eft.gaussian_measurements.iter().enumerate();
    let all = measurements.flat_map(|(m, own)| own.systematics.iter().enumerate().map(move |(s, own)| (m, s, own)));
    let all: Vec<_> = all.collect();
    let mut of_measurement = HashMap::new();
    for (m, s, own) in all.iter().filter(|(_, _, own)| own.distribution == Distribution::Flat) {
        let pointer = format!("/eft/gaussian_measurements/{m}/systematics/{s}");
        let together = |other: &GaussianSystematic| {
            let both_named = own.correlation == Correlation::Name && other.correlation == Correlation::Name;
            both_named && other.distribution == Distribution::Flat
        };
        let other = all.iter().find(|(n, t, other)| (n, t) != (m, s) && other.name == own.name && !together(other));
        if let Some((n, t, _)) = other {
            let found = format!("the name {} of systematic {t} of measurement {n} again", quote(&own.name));
            report.add(&rule::GAUSSIAN_FLAT, format!("{pointer}/name"), found, "a name of its own");
        }
        if eft.flat_errors == FlatErrors::Profiled {
            continue;
        }
        if own.correlation != Correlation::None {
            let found = format!("the flat error {}, which several points share", quote(&own.name));
            report.add(&rule::GAUSSIAN_FLAT, format!("{pointer}/correlation"), found, "none");
        }
        let first = of_measurement.insert(m, s).filter(|_| eft.flat_errors == FlatErrors::Marginalised);
        if let Some(first) = first {
            let found = format!("the flat error {} beside that of systematic {first}", quote(&own.name));
            report.add(&rule::GAUSSIAN_FLAT, pointer, found, "one flat error in a measurement");
        }
    }
}

fn check_correlations(context: &Context, places: &HashMap<&str, usize>, report: &mut Report) {
    let mut seen = HashMap::new();
    for (x, correlation) in context.eft.gaussian_correlations.iter().enumerate() {
        let pointer = format!("/eft/gaussian_correlations/{x}");
        let mut points = Vec::new();
        for (i, name) in correlation.measurements.iter().enumerate() {
            match places.get(name.as_str()) {
                Some(place) => points.push((*place, context.eft.gaussian_measurements[*place].data.len())),
                None => {
                    let place = format!("{pointer}/measurements/{i}");
                    let expected = "the name of a measurement in eft/gaussian_measurements";
                    report.add(&rule::GAUSSIAN_UNKNOWN, place, format!("the name {}", quote(name)), expected);
                }
            }
        }
        let [(a, rows), (b, columns)] = points[..] else { continue };
        if a == b {
            let found = format!("the measurement {} with itself", quote(&correlation.measurements[0]));
            report.add(&rule::GAUSSIAN_NAME, format!("{pointer}/measurements/1"), found, "another measurement");
            continue;
        }
        if let Some(first) = seen.insert((a.min(b), a.max(b)), x) {
            let found = format!("the measurements of correlation {first} again");
            report.add(&rule::GAUSSIAN_NAME, format!("{pointer}/measurements"), found, "each pair once");
        }
        let covariance = &correlation.covariance;
        check_count(covariance.len(), rows, "point of the first", &format!("{pointer}/covariance"), report);
        for (a, row) in covariance.iter().enumerate() {
            check_count(row.len(), columns, "point of the second", &format!("{pointer}/covariance/{a}"), report);
        }
    }
}
