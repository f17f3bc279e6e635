//! Each EFT modifier as a response: a product of polynomials in the variables of its sample.

use super::variables::Variables;
use super::{EftContext, Owner, PlainSample};
use crate::document::eft::{
    BilinearData, CoefficientUncertainty, EventsData, Expansion, MapData, MaxNpOrder, McStat, Mode, MorphComponents,
    MorphData, MorphWeights, PerBin, PolynomialData, RationalData, RationalFactor, SumOfSquaresData, Truncation,
};
use crate::document::workspace::Modifier;
use crate::event_database::{Binned, Use};
use crate::finding::{Finding, Findings, Result, number};
use crate::model::eft::morphing::{self, LeastSquares, Morphing, MorphingError};
use crate::model::eft::polynomial::{monomial_value, np_order};
use crate::model::eft::rational;
use crate::model::eft::{Factor, Form, Polynomial};
use crate::rule;
use std::sync::Arc;

/// What one modifier says of its sample.
pub(super) struct ModifierResponse {
    pub mode: Mode,
    pub form: Form,
    /// The modifier ends the series of its response.
    pub truncated: bool,
    pub variance: Option<Polynomial>,
    /// Shifts of observables: for each the nuisance and the response at ν = −1 and +1.
    pub shifts: Vec<(String, Polynomial, Polynomial)>,
}

impl ModifierResponse {
    fn polynomial(mode: Mode, polynomial: Polynomial, truncation: &Truncation, variables: &Variables) -> Self {
        let truncated = matches!(truncation, Truncation::Order(_));
        let polynomial = truncate(polynomial, truncation, variables);
        let form = Form::Product(vec![Factor { polynomial, power: 1 }]);
        ModifierResponse { mode, form, truncated, variance: None, shifts: Vec::new() }
    }
}

/// The response of a modifier; none of what is no response.
pub(super) fn of_modifier(
    context: &mut EftContext,
    plain: &PlainSample,
    modifier: &Modifier,
    variables: &mut Variables,
) -> Result<Option<ModifierResponse>> {
    Ok(Some(match modifier {
        Modifier::EftPolynomial { data, .. } => {
            let Some(data) = data.resolve(Some(context.eft)) else {
                return Err(plain
                    .finding("a response without definition", "the name of a response of the block")
                    .into());
            };
            polynomial(plain, data, variables)?
        }
        Modifier::EftBilinear { data, .. } => bilinear(plain, data, variables)?,
        Modifier::EftSumOfSquares { data, .. } => sum_of_squares(plain, data, variables)?,
        Modifier::EftRational { data, .. } => rational(plain, data, variables)?,
        Modifier::EftMorph { data, .. } => morph(plain, data, variables)?,
        Modifier::EftMap { data, .. } => map(plain, data, variables)?,
        Modifier::EftEvents { data, .. } => events(context, plain, data, variables)?,
        _ => return Ok(None),
    }))
}

/// Terms of n bins or points.
pub(super) fn terms(
    (owner, n): (Owner, usize),
    lists: &[Vec<String>],
    coefficients: &[PerBin],
    variables: &mut Variables,
) -> Result<Polynomial> {
    let monomials = variables.monomials(owner, lists)?;
    Ok(Polynomial::from_terms(n, monomials.into_iter().zip(coefficients.iter().map(|c| c.of_bins(n)))))
}

/// What nuisances α add to coefficients: for each uncertainty α σ_k φ_k, a monomial with the nuisance as one more name.
fn moved(
    (owner, n): (Owner, usize),
    uncertainties: &[CoefficientUncertainty],
    variables: &mut Variables,
) -> Result<Polynomial> {
    let mut terms = Vec::with_capacity(uncertainties.len());
    for uncertainty in uncertainties {
        let mut monomial = variables.monomial(owner, &uncertainty.monomial)?;
        monomial.push(variables.variable(owner, &uncertainty.name)?);
        terms.push((monomial, uncertainty.sigma.of_bins(n)));
    }
    Ok(Polynomial::from_terms(n, terms))
}

pub(super) fn truncate(polynomial: Polynomial, truncation: &Truncation, variables: &Variables) -> Polynomial {
    match truncation {
        Truncation::None(_) => polynomial,
        Truncation::Order(most) => polynomial.truncated(most.max_np_order, &variables.order),
    }
}

fn keeps(truncation: &Truncation, monomial: &[u32], order: &[u32]) -> bool {
    match truncation {
        Truncation::None(_) => true,
        Truncation::Order(most) => np_order(monomial, order) <= most.max_np_order,
    }
}

fn polynomial(plain: &PlainSample, data: &PolynomialData, variables: &mut Variables) -> Result<ModifierResponse> {
    let sum = terms(plain.bins(), &data.monomials, &data.coefficients, variables)?;
    let sum = sum.sum(&moved(plain.bins(), &data.uncertainties, variables)?);
    let mut response = ModifierResponse::polynomial(data.mode, sum, &data.truncation, variables);
    response.variance = data.mc_stat.as_ref().map(|stat| variance(plain, data, stat, variables)).transpose()?;
    Ok(response)
}

/// Q_b(c) of the statistical uncertainty (spec/eft.md, eq. 12).
fn variance(
    plain: &PlainSample,
    data: &PolynomialData,
    stat: &McStat,
    variables: &mut Variables,
) -> Result<Polynomial> {
    let n = plain.nominal.len();
    let (variance, fixed_at) = match stat {
        McStat::W2 { monomials, variances, fixed_at } => {
            (terms(plain.bins(), monomials, variances, variables)?, fixed_at)
        }
        McStat::CoefficientErrors { sigmas, fixed_at } => {
            let monomials = variables.monomials(plain.owner(), &data.monomials)?;
            // What truncation takes from the response has no error either.
            let order = variables.order.as_slice();
            let kept =
                monomials.into_iter().zip(sigmas).filter(|(monomial, _)| keeps(&data.truncation, monomial, order));
            let squares = kept.map(|(monomial, sigma)| {
                let sigma = sigma.of_bins(n);
                ([monomial.as_slice(), &monomial].concat(), sigma.iter().map(|s| s * s).collect())
            });
            (Polynomial::from_terms(n, squares), fixed_at)
        }
    };
    Ok(match fixed_at {
        None => variance,
        Some(at) => {
            let values = variance.evaluate(&variables.point(at));
            Polynomial::from_terms(n, [(Vec::new(), values)])
        }
    })
}

fn bilinear(plain: &PlainSample, data: &BilinearData, variables: &mut Variables) -> Result<ModifierResponse> {
    let n = plain.nominal.len();
    let (left, right) =
        (variables.monomials(plain.owner(), &data.left)?, variables.monomials(plain.owner(), &data.right)?);
    let products = left.iter().zip(&data.coefficients).flat_map(|(left, row)| {
        right.iter().zip(row).map(move |(right, w)| ([left.as_slice(), right].concat(), w.of_bins(n)))
    });
    let sum = Polynomial::from_terms(n, products);
    Ok(ModifierResponse::polynomial(data.mode, sum, &data.truncation, variables))
}

fn sum_of_squares(plain: &PlainSample, data: &SumOfSquaresData, variables: &mut Variables) -> Result<ModifierResponse> {
    let mut sum = Polynomial::from_terms(plain.nominal.len(), []);
    for amplitude in &data.amplitudes {
        let amplitude = terms(plain.bins(), &data.monomials, amplitude, variables)?;
        sum = sum.sum(&amplitude.product(&amplitude));
    }
    Ok(ModifierResponse::polynomial(data.mode, sum, &data.truncation, variables))
}

fn rational(plain: &PlainSample, data: &RationalData, variables: &mut Variables) -> Result<ModifierResponse> {
    let form = product_of_powers(plain.bins(), &data.factors, data.expansion, &data.factor_truncation, variables)?;
    let truncated =
        matches!(data.expansion, Expansion::Taylor(_)) || matches!(data.factor_truncation, Truncation::Order(_));
    Ok(ModifierResponse { mode: data.mode, form, truncated, variance: None, shifts: Vec::new() })
}

/// Π_a P_a^{p_a} (spec/eft.md, eq. 5), or its Taylor series.
pub(super) fn product_of_powers(
    (owner, n): (Owner, usize),
    factors: &[RationalFactor],
    expansion: Expansion,
    truncation: &Truncation,
    variables: &mut Variables,
) -> Result<Form> {
    let mut product = Vec::with_capacity(factors.len());
    for factor in factors {
        let polynomial = terms((owner, n), &factor.monomials, &factor.coefficients, variables)?;
        let polynomial = polynomial.sum(&moved((owner, n), &factor.uncertainties, variables)?);
        product.push(Factor { polynomial: truncate(polynomial, truncation, variables), power: factor.power });
    }
    let Expansion::Taylor(taylor) = expansion else { return Ok(Form::Product(product)) };
    let series = rational::taylor(&product, taylor.taylor, &variables.order)
        .map_err(|error| Findings::from(owner.finding(error, "factors whose series at c = 0 exists")))?;
    Ok(Form::Product(vec![Factor { polynomial: series, power: 1 }]))
}

fn morph(plain: &PlainSample, data: &MorphData, variables: &mut Variables) -> Result<ModifierResponse> {
    // The basis points fix the meaning of the variables: 0, 1, … are the listed parameters.
    let mut own = Vec::with_capacity(data.parameters.len());
    for name in &data.parameters {
        own.push(variables.variable(plain.owner(), name)?);
    }
    let solved =
        solve_morph(data).map_err(|error| Findings::from(plain.finding(error, "a basis that can be solved")))?;
    let mut response =
        ModifierResponse::polynomial(data.mode, solved.polynomial.renamed(&own), &data.truncation, variables);
    response.variance = match (&data.truncation, data.variances.as_deref()) {
        (Truncation::Order(_), Some(variances)) => {
            let weights = truncate(solved.weights.renamed(&own), &data.truncation, variables);
            Some(variance_of_weights(&weights, variances, plain.nominal.len()))
        }
        _ => solved.variance.map(|variance| variance.renamed(&own)),
    };
    Ok(response)
}

/// The polynomial of an `eft_morph` in its own parameters: variable i is `parameters[i]`.
///
/// # Errors
/// Where the basis does not determine it.
pub fn solve_morph(data: &MorphData) -> std::result::Result<Morphing, MorphingError> {
    let local = |names: &Vec<String>| -> Vec<u32> {
        let places = names.iter().filter_map(|name| data.parameters.iter().position(|p| p == name));
        let mut places: Vec<u32> = places.map(|place| place as u32).collect();
        places.sort_unstable();
        places
    };
    let monomials = match &data.components {
        MorphComponents::Monomials(list) => list.monomials.iter().map(local).collect(),
        MorphComponents::Vertices(list) => {
            let vertices: Vec<Vec<u32>> = list.vertices.values().map(local).collect();
            morphing::vertex_monomials(&vertices)?
        }
    };
    let variances = data.variances.as_deref();
    morphing::solve(&data.basis_points, &monomials, &data.templates, variances, data.weights.into())
}

impl From<MorphWeights> for LeastSquares {
    fn from(weights: MorphWeights) -> LeastSquares {
        match weights {
            MorphWeights::Equal => LeastSquares::Equal,
            MorphWeights::InverseVariance => LeastSquares::ByVariance,
        }
    }
}

/// Σ_i w_i(c)² σ²_ib (spec/eft.md, eq. 12), from weights whose "bins" are the basis points.
fn variance_of_weights(weights: &Polynomial, variances: &[Vec<f64>], n_bins: usize) -> Polynomial {
    let mut sum = Polynomial::from_terms(n_bins, []);
    for (i, variances) in variances.iter().enumerate() {
        let terms = weights.terms().filter_map(|(monomial, w)| Some((monomial.clone(), vec![*w.get(i)?; n_bins])));
        let weight = Polynomial::from_terms(n_bins, terms);
        sum = sum.sum(&weight.product(&weight).scaled(variances));
    }
    sum
}

/// P_b = Σ_z map_bz w_z(c)
fn map(plain: &PlainSample, data: &MapData, variables: &mut Variables) -> Result<ModifierResponse> {
    let monomials = variables.monomials(plain.owner(), &data.monomials)?;
    let folded = monomials.into_iter().zip(&data.weights).map(|(monomial, weights)| {
        let bin = |row: &Vec<f64>| {
            let weights = weights.of_bins(row.len());
            row.iter().zip(weights).map(|(yields, w)| yields * w).sum()
        };
        (monomial, data.map.iter().map(bin).collect())
    });
    let sum = Polynomial::from_terms(plain.nominal.len(), folded);
    Ok(ModifierResponse::polynomial(Mode::Absolute, sum, &data.truncation, variables))
}

/// A histogram of events: summed to a polynomial, or kept event by event.
fn events(
    context: &mut EftContext,
    plain: &PlainSample,
    data: &EventsData,
    variables: &mut Variables,
) -> Result<ModifierResponse> {
    let mut data = data.clone();
    // Events are truncated before they are squared, so an order that is asked for acts here.
    if let Some(most) = context.options.max_np_order {
        let declared = match data.truncation {
            Truncation::Order(own) => own.max_np_order,
            Truncation::None(_) => u32::MAX,
        };
        data.truncation = Truncation::Order(MaxNpOrder { max_np_order: most.min(declared) });
    }
    let pointer = context.pointer(plain);
    let usage = Use { data: &data, channel: plain.channel, sample: plain.name, pointer: &pointer };
    let mut binned = context.databases.bin(&usage)?;
    context.warnings.0.append(&mut binned.warnings.0);
    check_nominal(plain, &data, &binned).map_err(|finding| Findings::from(finding.at(format!("{pointer}/data"))))?;
    let mut own = Vec::with_capacity(binned.variables.len() + binned.nuisances.len());
    for name in binned.variables.iter().chain(&binned.nuisances) {
        own.push(variables.variable(plain.owner(), name)?);
    }
    let form = match binned.events {
        Some(events) => Form::Events(Arc::new(events.renamed(&own))),
        None => Form::Product(vec![Factor { polynomial: binned.polynomial.renamed(&own), power: 1 }]),
    };
    let shifts = binned.shifts.iter().map(|s| (s.systematic.clone(), s.lo.renamed(&own), s.hi.renamed(&own)));
    Ok(ModifierResponse {
        mode: Mode::Absolute,
        form,
        truncated: matches!(data.truncation, Truncation::Order(_)),
        variance: binned.w2.map(|w2| w2.renamed(&own)),
        shifts: shifts.collect(),
    })
}

/// The nominal yields are the histogram at the reference (spec/event-database.md, "Reference"). Where truncation or a
/// floor has changed what the reference says, there is nothing to compare.
fn check_nominal(plain: &PlainSample, data: &EventsData, binned: &Binned) -> std::result::Result<(), Box<Finding>> {
    let at: Vec<f64> = binned.variables.iter().map(|name| data.reference.get(name).copied().unwrap_or(0.0)).collect();
    let truncated = matches!(data.truncation, Truncation::Order(_)) && at.iter().any(|x| *x != 0.0);
    if data.floor.is_some() || truncated {
        return Ok(());
    }
    let (mut values, mut sizes) = (vec![0.0; plain.nominal.len()], vec![0.0; plain.nominal.len()]);
    for (monomial, coefficients) in binned.polynomial.terms() {
        let phi = monomial_value(monomial, &at);
        for ((value, size), a) in values.iter_mut().zip(&mut sizes).zip(coefficients) {
            *value += a * phi;
            *size += (a * phi).abs();
        }
    }
    let off = |((n, value), size): (&(&f64, &f64), &f64)| (*n - *value).abs() > 1e-6 * n.abs() + 1e-12 * size;
    let pairs: Vec<(&f64, &f64)> = plain.nominal.iter().zip(&values).collect();
    let Some(bin) = pairs.iter().zip(&sizes).position(off) else { return Ok(()) };
    let found = format!("the nominal yield {} in bin {bin}", number(*pairs[bin].0));
    let expected = format!("{}, the sum of the events at the reference", number(*pairs[bin].1));
    Err(Box::new(Finding::new(&rule::EFT_NOT_NOMINAL, found, expected)))
}
