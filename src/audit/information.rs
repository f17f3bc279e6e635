//! Directions of the parameters that the likelihood hardly sees (spec/audit.md, section 7).

use super::context::Context;
use super::{Code, Finding, Severity};
use crate::kernel::Evaluator;
use crate::model::Data;
use nalgebra::{DMatrix, SymmetricEigen};

/// With more free parameters than this the eigenvectors take too long.
const MOST_PARAMETERS: usize = 1000;
/// Eigenvalues up to this are rounding: nothing determines the direction.
const ROUNDING: f64 = 1e-12;
/// Smaller components of a direction are not told.
const COMPONENT: f64 = 0.1;
/// Pairs whose components in a direction are both larger belong to it.
const PART_OF_DIRECTION: f64 = 0.3;

/// The information of Asimov data on the free parameters, scaled to a unit diagonal.
#[derive(Clone, Debug, PartialEq)]
pub struct Directions {
    /// Expected data of the best fit; else of the point before the fit.
    pub at_fit: bool,
    /// Names of the free parameters.
    pub names: Vec<String>,
    /// Ascending.
    pub eigenvalues: Vec<f64>,
    /// Pairs with correlations beyond the threshold that belong to no direction below, the largest first.
    pub pairs: Vec<Correlated>,
    /// The parameters of low directions and of such pairs, and their correlations (square, row-major).
    pub block: Vec<usize>,
    pub correlations: Vec<f64>,
    low: Vec<Low>,
    parameters: Vec<usize>,
    /// 1/√I_ii
    scale: Vec<f64>,
}

/// A direction that the likelihood hardly sees.
#[derive(Clone, Debug, PartialEq)]
struct Low {
    eigenvalue: f64,
    /// How far it goes in pre-fit widths while −2 ln L grows by one.
    excursion: f64,
    /// Over `Directions::names`, of at least 0.1, the largest first.
    components: Vec<(usize, f64)>,
}

/// Two parameters by their places in `Directions::names`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correlated {
    pub first: usize,
    pub second: usize,
    pub correlation: f64,
}

/// # Errors
/// A sentence, where there is no such matrix.
pub(super) fn directions(context: &Context) -> Result<Directions, String> {
    let fail = |why: &str| Err(format!("directions of the information matrix: {why}"));
    let program = &context.program;
    if program.has_densities() || program.is_unbinned() {
        return fail("there are densities over events, or constraints of several parameters");
    }
    let fit = context.subject.fit.filter(|fit| fit.valid);
    let point = fit.map_or(context.subject.point, |fit| fit.parameters.as_slice());
    let mut free: Vec<usize> = (0..point.len()).filter(|i| context.is_free(*i)).collect();
    if free.len() > MOST_PARAMETERS {
        return fail(&format!("{} free parameters are more than {MOST_PARAMETERS}", free.len()));
    }
    let information = match asimov_information(context, point) {
        Some(information) => information,
        None => return fail("an expected yield is negative, or zero and moving, at the point where it is evaluated"),
    };
    let n = point.len();
    // What moves nothing has findings of its own.
    free.retain(|i| information[i * n + i] > 0.0);
    if free.is_empty() {
        return fail("no parameter is free");
    }
    let scale: Vec<f64> = free.iter().map(|i| information[i * n + i].sqrt().recip()).collect();
    let m = free.len();
    let matrix = DMatrix::from_fn(m, m, |a, b| information[free[a] * n + free[b]] * scale[a] * scale[b]);
    if matrix.iter().any(|x| !x.is_finite()) {
        return fail("it has entries beyond binary64");
    }
    let eigen = SymmetricEigen::new(matrix);
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|a, b| eigen.eigenvalues[*a].total_cmp(&eigen.eigenvalues[*b]));
    let least = context.threshold("information");
    // The natural size of a change: the width of a constraint, or one and the value itself.
    let unit = |i: usize| context.constraints[i].map_or(point[i].abs().max(1.0), |constraint| constraint.width());
    let low_one = |k: usize| {
        let (eigenvalue, vector) = (eigen.eigenvalues[k], eigen.eigenvectors.column(k));
        let squares = vector.iter().zip(&free).zip(&scale).map(|((v, i), scale)| (v * scale / unit(*i)).powi(2));
        let excursion = match eigenvalue > ROUNDING {
            true => (squares.sum::<f64>() / eigenvalue).sqrt(),
            false => f64::INFINITY,
        };
        Low { eigenvalue, excursion, components: components(&eigen.eigenvectors, k) }
    };
    let low = order.iter().filter(|k| eigen.eigenvalues[**k] < least).map(|k| low_one(*k));
    let low = low.filter(|low| low.excursion > 1.0).collect();
    let eigenvalues = order.iter().map(|k| eigen.eigenvalues[*k]).collect();
    let names = free.iter().map(|i| context.names[*i].clone()).collect();
    let mut directions = Directions {
        at_fit: fit.is_some(),
        names,
        eigenvalues,
        pairs: Vec::new(),
        block: Vec::new(),
        correlations: Vec::new(),
        low,
        parameters: free,
        scale,
    };
    directions.add_correlations(&covariance(&eigen), context.threshold("correlation"));
    Ok(directions)
}

/// ½ ∂²(−2 ln L) of the data that are expected at a point; nothing out of the domain.
fn asimov_information(context: &Context, point: &[f64]) -> Option<Vec<f64>> {
    let n = point.len();
    let mut evaluator = Evaluator::new(&context.program);
    let mut asimov = Data::zeros(&context.program);
    evaluator.expected(point, &mut asimov.main, &mut asimov.auxiliary);
    if asimov.main.iter().any(|nu| nu.is_nan() || *nu < 0.0) {
        return None;
    }
    let prepared = context.program.prepare(&asimov);
    let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
    let value = evaluator.hessian(point, &prepared, &mut gradient, &mut hessian);
    hessian.iter_mut().for_each(|x| *x *= 0.5);
    (value.is_finite() && hessian.iter().all(|x| x.is_finite())).then_some(hessian)
}

/// The components of an eigenvector, the largest first and positive.
fn components(vectors: &DMatrix<f64>, k: usize) -> Vec<(usize, f64)> {
    let mut all: Vec<(usize, f64)> = vectors.column(k).iter().copied().enumerate().collect();
    all.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
    let sign = all.first().map_or(1.0, |(_, component)| component.signum());
    let told = all.iter().take_while(|(_, component)| component.abs() >= COMPONENT).count();
    all.truncate(told.max(2));
    all.iter().map(|(i, component)| (*i, component * sign)).collect()
}

/// The inverse; what nothing determines counts as known to 1/√rounding.
fn covariance(eigen: &SymmetricEigen<f64, nalgebra::Dyn>) -> DMatrix<f64> {
    let inverse = eigen.eigenvalues.map(|x| 1.0 / x.max(ROUNDING));
    &eigen.eigenvectors * DMatrix::from_diagonal(&inverse) * eigen.eigenvectors.transpose()
}

impl Directions {
    fn add_correlations(&mut self, covariance: &DMatrix<f64>, least: f64) {
        let m = self.names.len();
        let rho = |i: usize, j: usize| covariance[(i, j)] / (covariance[(i, i)] * covariance[(j, j)]).sqrt();
        let is_told = |i: usize, j: usize| {
            let part =
                |list: &[(usize, f64)], k: usize| list.iter().any(|(i, c)| *i == k && c.abs() > PART_OF_DIRECTION);
            self.low.iter().any(|low| part(&low.components, i) && part(&low.components, j))
        };
        let mut pairs = Vec::new();
        for i in 0..m {
            for j in i + 1..m {
                let correlation = rho(i, j);
                if correlation.abs() > least && !is_told(i, j) {
                    pairs.push(Correlated { first: i, second: j, correlation });
                }
            }
        }
        pairs.sort_by(|a, b| b.correlation.abs().total_cmp(&a.correlation.abs()));
        let of_low = self.low.iter().flat_map(|low| low.components.iter().map(|(i, _)| *i));
        let mut block: Vec<usize> = of_low.chain(pairs.iter().flat_map(|pair| [pair.first, pair.second])).collect();
        block.sort_unstable();
        block.dedup();
        self.correlations =
            block.iter().flat_map(|&i| block.iter().map(move |&j| (i, j))).map(|(i, j)| rho(i, j)).collect();
        (self.pairs, self.block) = (pairs, block);
    }
}

pub(super) fn look(context: &Context, directions: &Directions, found: &mut Vec<Finding>) {
    for Low { eigenvalue, excursion, components } in &directions.low {
        let Some(&(lead, weight)) = components.first() else { continue };
        // How far the first parameter goes along the direction while −2 ln L grows by one.
        let step = match *eigenvalue > ROUNDING {
            true => weight * directions.scale[lead] / eigenvalue.sqrt(),
            false => f64::INFINITY,
        };
        let finding = Finding::new(Code::DegenerateDirection, Severity::Warning, -eigenvalue);
        let finding = context.at_parameter(finding, directions.parameters[lead]);
        let finding = finding.values([("eigenvalue", eigenvalue.max(0.0)), ("step", step), ("excursion", *excursion)]);
        let parameters = components.iter().map(|(i, _)| directions.names[*i].clone()).collect();
        let weights = components.iter().map(|(_, component)| *component).collect();
        found.push(Finding { parameters, weights, modifier: None, types: Vec::new(), ..finding });
    }
    for pair in &directions.pairs {
        let finding = Finding::new(Code::CorrelatedPair, Severity::Note, pair.correlation.abs());
        let finding = context.at_parameter(finding, directions.parameters[pair.first]);
        let parameters = [pair.first, pair.second].map(|i| directions.names[i].clone()).to_vec();
        let finding = finding.values([("correlation", pair.correlation)]);
        found.push(Finding { parameters, modifier: None, types: Vec::new(), ..finding });
    }
}
