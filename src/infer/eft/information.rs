//! Fisher information of the coefficients, of bins, channels and all (spec/inference.md, "Fisher information").

use crate::infer::MOST_PARAMETERS;
use crate::kernel::Evaluator;
use crate::model::eft::Events;
use crate::model::eft::polynomial::{monomial_slope, monomial_value};
use crate::model::{Data, Model, UnbinnedTerm};
use crate::program::{CompiledTerm, Program};
use nalgebra::{DMatrix, SymmetricEigen};

/// Eigenvalues of a matrix with unit diagonal below it are directions that nothing determines.
const NO_INFORMATION: f64 = 1e-12;
/// Sums of events differ by more than this part.
const ROUNDING: f64 = 1e-9;

/// Information on n coefficients: matrices of n × n.
#[derive(Clone, Debug, PartialEq)]
pub struct Information {
    pub channels: Vec<ChannelInformation>,
    /// ∂tᵀ V⁻¹ ∂t of all measurements with Gaussian errors together; `None` without any.
    pub measurements: Option<DMatrix<f64>>,
    /// Σ s ∂ ln I ∂ ln Iᵀ of each unbinned term with its reference events; `None` for a term without them.
    pub unbinned: Vec<Option<DMatrix<f64>>>,
    /// The sum of all bins, measurements and terms that have one: the other parameters are known.
    pub fixed: DMatrix<f64>,
    /// The other parameters are profiled, with their auxiliary measurements and the statistical uncertainty of simulated
    /// bins; or why it is not known.
    pub profiled: Result<DMatrix<f64>, NoInformation>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ChannelInformation {
    /// Expected yields.
    pub expected: Vec<f64>,
    /// ∂ν∂νᵀ/ν of each bin; none where ν is not positive and moves.
    pub bins: Vec<Option<DMatrix<f64>>>,
    /// The sum of the bins that have one.
    pub sum: DMatrix<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoInformation {
    /// The point is out of the domain, or on its border.
    OutOfDomain,
    /// More parameters than a dense matrix should have.
    TooManyParameters,
    /// An unbinned term has no reference events, from which Asimov data are made.
    NoReference,
}

/// Directions in the space of the coefficients, by ascending information.
#[derive(Clone, Debug, PartialEq)]
pub struct Direction {
    pub eigenvalue: f64,
    /// Unit length; the largest component is positive.
    pub vector: Vec<f64>,
}

/// Information of Asimov data at `point` (n_parameters) on `coefficients`; `fixed` parameters are known.
pub fn information(
    model: &Model,
    program: &Program,
    point: &[f64],
    fixed: &[bool],
    coefficients: &[usize],
) -> Information {
    let mut evaluator = Evaluator::new(program);
    let (n, n_bins) = (program.n_parameters(), program.n_bins());
    let mut data = Data::zeros(program);
    evaluator.expected(point, &mut data.main, &mut data.auxiliary);
    data.unbinned = evaluator.asimov_events(point);
    let mut jacobian = vec![0.0; n_bins * n];
    evaluator.expected_jacobian(point, &mut jacobian);
    let slopes = |bin: usize| coefficients.iter().map(|&i| jacobian[bin * n + i]).collect::<Vec<f64>>();
    let mut first = 0;
    let channel = |n_bins: usize| {
        let bins = first..first + n_bins;
        first = bins.end;
        let of_bin: Vec<_> = bins.clone().map(|bin| of_bin(data.main[bin], &slopes(bin))).collect();
        let sum =
            of_bin.iter().flatten().fold(DMatrix::zeros(coefficients.len(), coefficients.len()), |sum, m| sum + m);
        ChannelInformation { expected: data.main[bins].to_vec(), bins: of_bin, sum }
    };
    let channels: Vec<_> = model.channels.iter().map(|c| c.n_bins).map(channel).collect();
    let measurements = (program.n_measured() > 0).then(|| {
        let whitened = DMatrix::from_row_slice(program.n_whitened(), n, &evaluator.whitened_jacobian(point));
        let own = DMatrix::from_fn(whitened.nrows(), coefficients.len(), |a, i| whitened[(a, coefficients[i])]);
        own.tr_mul(&own)
    });
    let unbinned = of_terms(model, &mut evaluator, &data, point, coefficients);
    let zero = DMatrix::zeros(coefficients.len(), coefficients.len());
    let terms = unbinned.iter().flatten();
    let all = channels.iter().map(|c| &c.sum).chain(&measurements).chain(terms).fold(zero, |sum, own| sum + own);
    let profiled = profiled(&mut evaluator, &data, point, fixed, coefficients);
    Information { channels, measurements, unbinned, fixed: all, profiled }
}

/// An unbinned term whose Asimov data do not have the number of events that it expects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenTerm {
    pub term: usize,
    /// N, and Σ s of the Asimov data with its standard deviation.
    pub expected: f64,
    pub asimov: f64,
    pub deviation: f64,
}

/// The terms whose ratios do not close at a point: N and Σ s differ by more than three standard deviations, and not by
/// rounding alone (spec/unbinned.md, "Data").
pub fn open_terms(program: &Program, point: &[f64]) -> Vec<OpenTerm> {
    let mut evaluator = Evaluator::new(program);
    let terms = program.unbinned.iter().enumerate().filter(|(_, compiled)| !compiled.term.reference.is_empty());
    let one = |(term, compiled): (usize, &CompiledTerm)| {
        let (expected, events) = evaluator.expected_events(term, point);
        let asimov: f64 = events.iter().sum();
        let squares = events.iter().zip(&compiled.term.reference).map(|(s, w)| (s - w * asimov).powi(2));
        OpenTerm { term, expected, asimov, deviation: squares.sum::<f64>().sqrt() }
    };
    let is_open = |open: &OpenTerm| {
        let apart = (open.expected - open.asimov).abs();
        apart.is_nan() || apart > (3.0 * open.deviation).max(ROUNDING * open.expected.abs())
    };
    terms.map(one).filter(is_open).collect()
}

/// Of the unbinned terms, with Asimov data.
fn of_terms(
    model: &Model,
    evaluator: &mut Evaluator,
    asimov: &Data,
    point: &[f64],
    coefficients: &[usize],
) -> Vec<Option<DMatrix<f64>>> {
    let (n, m) = (point.len(), coefficients.len());
    let data = evaluator.program.prepare(asimov);
    let mut of_term = |(term, own): (usize, &UnbinnedTerm)| {
        if own.reference.is_empty() {
            return None;
        }
        let all = evaluator.event_information(term, point, &data);
        Some(DMatrix::from_fn(m, m, |i, j| all[coefficients[i] * n + coefficients[j]]))
    };
    model.unbinned.iter().enumerate().map(&mut of_term).collect()
}

/// ∂ν∂νᵀ/ν
fn of_bin(expected: f64, slopes: &[f64]) -> Option<DMatrix<f64>> {
    let n = slopes.len();
    if slopes.iter().all(|slope| *slope == 0.0) {
        return Some(DMatrix::zeros(n, n));
    }
    (expected > 0.0).then(|| DMatrix::from_fn(n, n, |i, j| slopes[i] * slopes[j] / expected))
}

/// The Hessian of −ln L for data that are what is expected has no terms of second derivatives: it is the information of
/// all parameters. Events are what is expected only where their ratios close, and count with eq. 10 of spec/unbinned.md.
fn profiled(
    evaluator: &mut Evaluator,
    asimov: &Data,
    point: &[f64],
    fixed: &[bool],
    coefficients: &[usize],
) -> Result<DMatrix<f64>, NoInformation> {
    let n = point.len();
    if n > MOST_PARAMETERS {
        return Err(NoInformation::TooManyParameters);
    }
    if evaluator.program.without_reference().is_some() || evaluator.program.has_densities() {
        return Err(NoInformation::NoReference);
    }
    if asimov.main.iter().any(|nu| nu.is_nan() || *nu < 0.0) {
        return Err(NoInformation::OutOfDomain);
    }
    let data = evaluator.program.prepare(asimov);
    let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
    let value = evaluator.hessian(point, &data, &mut gradient, &mut hessian);
    if !value.is_finite() || hessian.iter().any(|x| !x.is_finite()) {
        return Err(NoInformation::OutOfDomain);
    }
    if evaluator.program.is_unbinned() {
        let none = Data { unbinned: vec![0.0; asimov.unbinned.len()], ..asimov.clone() };
        let prepared = evaluator.program.prepare(&none);
        evaluator.hessian(point, &prepared, &mut gradient, &mut hessian);
        evaluator.gauss_newton(&prepared, &mut hessian);
        for term in 0..evaluator.program.unbinned_terms().count() {
            let own = evaluator.event_information(term, point, &data);
            hessian.iter_mut().zip(own).for_each(|(sum, own)| *sum += 2.0 * own);
        }
    }
    let nuisances: Vec<usize> = (0..n).filter(|i| !fixed[*i] && !coefficients.contains(i)).collect();
    let block = |rows: &[usize], columns: &[usize]| {
        DMatrix::from_fn(rows.len(), columns.len(), |i, j| 0.5 * hessian[rows[i] * n + columns[j]])
    };
    let own = block(coefficients, coefficients);
    if nuisances.is_empty() {
        return Ok(own);
    }
    let mixed = block(&nuisances, coefficients);
    Ok(own - mixed.transpose() * pseudo_inverse(&block(&nuisances, &nuisances)) * &mixed)
}

/// Of a positive semidefinite matrix: zero along what nothing determines.
fn pseudo_inverse(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    let n = matrix.nrows();
    let scale: Vec<f64> =
        (0..n).map(|i| matrix[(i, i)]).map(|d| if d > 0.0 { d.sqrt().recip() } else { 0.0 }).collect();
    let eigen = SymmetricEigen::new(DMatrix::from_fn(n, n, |i, j| matrix[(i, j)] * scale[i] * scale[j]));
    let inverse = eigen.eigenvalues.map(|x| if x > NO_INFORMATION { 1.0 / x } else { 0.0 });
    let unscaled = &eigen.eigenvectors * DMatrix::from_diagonal(&inverse) * eigen.eigenvectors.transpose();
    DMatrix::from_fn(n, n, |i, j| unscaled[(i, j)] * scale[i] * scale[j])
}

/// Eigenvalues and eigenvectors of a symmetric matrix.
pub fn directions(matrix: &DMatrix<f64>) -> Vec<Direction> {
    if matrix.is_empty() || matrix.iter().any(|x| !x.is_finite()) {
        return Vec::new();
    }
    let eigen = SymmetricEigen::new(matrix.clone());
    let mut directions: Vec<Direction> = eigen
        .eigenvalues
        .iter()
        .zip(eigen.eigenvectors.column_iter())
        .map(|(eigenvalue, column)| {
            let largest = column.iter().fold(0.0, |most: f64, x| if x.abs() > most.abs() { *x } else { most });
            Direction { eigenvalue: *eigenvalue, vector: column.iter().map(|x| x * largest.signum()).collect() }
        })
        .collect();
    directions.sort_by(|a, b| a.eigenvalue.total_cmp(&b.eigenvalue));
    directions
}

/// Information of a histogram of events, and of the same events without bins.
#[derive(Clone, Debug, PartialEq)]
pub struct EventInformation {
    /// Σ_b ∂λ_b∂λ_bᵀ/λ_b of these events alone, in n × n.
    pub binned: DMatrix<f64>,
    /// Σ_e ∂w_e∂w_eᵀ/w_e: no binning of any observable has more.
    pub unbinned: DMatrix<f64>,
    /// Events and bins without positive weight that move, which are left out of both.
    pub left_out: usize,
}

/// Of events without systematics; `variables` are the n values of the coefficients, in the events' own order.
pub fn of_events(events: &Events, variables: &[f64]) -> EventInformation {
    let n = variables.len();
    let phi: Vec<f64> = events.monomials.iter().map(|m| monomial_value(m, variables)).collect();
    let slope =
        |i: usize| events.monomials.iter().map(|m| monomial_slope(m, i as u32, variables)).collect::<Vec<f64>>();
    let slopes: Vec<Vec<f64>> = (0..n).map(slope).collect();
    let weigh = |event: usize, factors: &[f64]| -> f64 {
        events.columns.iter().zip(factors).map(|(column, factor)| column.get(event).unwrap_or(&0.0) * factor).sum()
    };
    let mut result = EventInformation { binned: DMatrix::zeros(n, n), unbinned: DMatrix::zeros(n, n), left_out: 0 };
    for bin in events.start.windows(2) {
        let (mut sum, mut slope_sums) = (0.0, vec![0.0; n]);
        for event in bin[0]..bin[1] {
            let weight = weigh(event, &phi);
            let own: Vec<f64> = slopes.iter().map(|factors| weigh(event, factors)).collect();
            match of_bin(weight, &own) {
                Some(matrix) => {
                    result.unbinned += matrix;
                    sum += weight;
                    slope_sums.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
                }
                None => result.left_out += 1,
            }
        }
        match of_bin(sum, &slope_sums) {
            Some(matrix) => result.binned += matrix,
            None => result.left_out += 1,
        }
    }
    result
}
