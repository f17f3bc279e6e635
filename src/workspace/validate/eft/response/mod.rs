//! Rules for responses, one by one: shapes, the value at the reference, signs.

mod morph;
mod rational;
mod variance;

pub(super) use morph::morph_monomials;
pub(super) use rational::{check_denominator, check_power, has_moving_pole, report_moving_pole};

use super::super::Report;
use super::{Context, check_bins, check_length, check_per_bin, events, product};
use crate::document::eft::{
    BilinearData, CoefficientUncertainty, MapData, McStat, Mode, PerBin, PolynomialData, PolynomialSource, Positivity,
    SumOfSquaresData, Truncation,
};
use crate::document::workspace::{Modifier, Sample};
use crate::finding::{number, quote};
use crate::model::eft::minimum::minimum;
use crate::model::eft::polynomial::{monomial_value, np_order};
use crate::model::eft::{Monomial, Polynomial};
use crate::rule;
use std::collections::{BTreeSet, HashMap};
use variance::Variance;

/// How far the value at the reference may be off: of the nominal yield, and of the magnitude of the terms.
const REFERENCE: (f64, f64) = (1e-6, 1e-12);
/// Most coefficients of a response.
const MOST_COEFFICIENTS: usize = 100_000_000;
/// How many steps the search for a negative value may take over all bins: some seconds.
const MOST_SEARCH: usize = 2_000_000_000;
/// Most pairs of monomials that are multiplied to know those of a product.
const MOST_PAIRS: usize = 1_000_000;

/// What one modifier says of its sample, as far as the rules for samples need it.
pub(super) struct Response {
    pub pointer: String,
    pub mode: Mode,
    /// It ends its own series.
    pub truncated: bool,
    pub monomials: Monomials,
    /// The coefficients that it contains.
    pub uses: BTreeSet<u32>,
    /// It has a statistical uncertainty.
    pub mc_stat: bool,
    /// Its systematics act on single monomials or single events.
    pub resolved: bool,
    /// The index of a factor with a negative power whose constant moves with a nuisance: it has no series.
    pub moving_pole: Option<usize>,
    /// Where the nominal yields belong, and the polynomial there, before truncation.
    pub reference: Vec<f64>,
    pub polynomial: Option<Polynomial>,
}

/// The monomials of a response before truncation.
pub(super) enum Monomials {
    Known(BTreeSet<Monomial>),
    /// Too many to be listed.
    Many,
    /// It has a denominator.
    None,
    /// It is a sum over events at every point.
    ByEvent,
}

/// One response of a sample in the making.
struct Checker<'a, 'w> {
    context: &'a Context<'w>,
    nominal: &'a [f64],
    /// To the data of the modifier.
    pointer: String,
}

/// Checks one modifier. `Ok(None)` where it is no response, an error where findings were made that leave it unknown.
pub(super) fn check(
    context: &Context,
    sample: &Sample,
    modifier: &Modifier,
    pointer: &str,
    report: &mut Report,
) -> Result<Option<Response>, ()> {
    let checker = Checker { context, nominal: &sample.data, pointer: format!("{pointer}/data") };
    let response = match modifier {
        Modifier::EftPolynomial { data, .. } => checker.polynomial(data, report),
        Modifier::EftBilinear { data, .. } => checker.bilinear(data, report),
        Modifier::EftSumOfSquares { data, .. } => checker.sum_of_squares(data, report),
        Modifier::EftRational { data, .. } => checker.rational(data, report),
        Modifier::EftMorph { data, .. } => checker.morph(data, report),
        Modifier::EftMap { data, .. } => checker.map(data, report),
        Modifier::EftEvents { data, .. } => events::check(context, data, sample.data.len(), pointer, report),
        _ => return Ok(None),
    };
    response.map(Some).ok_or(())
}

/// Checks what a polynomial of the block says by itself, without the bins of a sample.
pub(super) fn check_shared(context: &Context, data: &PolynomialData, pointer: &str, report: &mut Report) {
    check_shape(context, data, None, pointer, report);
}

/// The monomials of a polynomial, if its lists fit together.
fn check_shape(
    context: &Context,
    data: &PolynomialData,
    n_bins: Option<usize>,
    pointer: &str,
    report: &mut Report,
) -> Option<Vec<Monomial>> {
    let at = |key: &str| format!("{pointer}/{key}");
    let monomials = context.monomials(&data.monomials, &at("monomials"), report);
    let count = (data.monomials.len(), "monomial");
    let mut sound = check_per_bin(&data.coefficients, count, n_bins, &at("coefficients"), report);
    context.point(&data.reference, &at("reference"), report);
    sound &= check_uncertainties(context, &data.uncertainties, monomials.as_deref(), n_bins, pointer, report);
    if let Some(stat) = &data.mc_stat {
        check_mc_stat(context, data, stat, n_bins, &at("mc_stat"), report);
    }
    monomials.filter(|_| sound)
}

/// Uncertainties of the coefficients of `monomials`, those of a polynomial or a factor at `pointer`; false where one has
/// other bins than the sample.
pub(super) fn check_uncertainties(
    context: &Context,
    uncertainties: &[CoefficientUncertainty],
    monomials: Option<&[Monomial]>,
    n_bins: Option<usize>,
    pointer: &str,
    report: &mut Report,
) -> bool {
    let listed = monomials.map(|monomials| monomials.iter().collect::<BTreeSet<_>>());
    let (mut seen, mut sound) = (HashMap::new(), true);
    for (j, uncertainty) in uncertainties.iter().enumerate() {
        let place = format!("{pointer}/uncertainties/{j}");
        let one = context.monomials(std::slice::from_ref(&uncertainty.monomial), &place, report);
        let Some([monomial]) = one.as_deref() else { continue };
        if listed.as_ref().is_some_and(|listed| !listed.contains(monomial)) {
            let found = product(&uncertainty.monomial);
            report.add(&rule::EFT_UNKNOWN_MONOMIAL, format!("{place}/monomial"), found, "a monomial of the response");
        }
        if seen.insert((uncertainty.name.clone(), monomial.clone()), j).is_some() {
            let found = format!("{} under the name {} again", product(&uncertainty.monomial), quote(&uncertainty.name));
            report.add(&rule::EFT_REPEATED, place.clone(), found, "each monomial once under a name");
        }
        if let (PerBin::Each(list), Some(n_bins)) = (&uncertainty.sigma, n_bins) {
            sound &= check_bins(list.len(), n_bins, || format!("{place}/sigma"), report);
        }
    }
    sound
}

fn check_mc_stat(
    context: &Context,
    data: &PolynomialData,
    stat: &McStat,
    n_bins: Option<usize>,
    pointer: &str,
    report: &mut Report,
) {
    let at = |key: &str| format!("{pointer}/{key}");
    let negative = |entry: &PerBin| match entry {
        PerBin::All(x) => *x < 0.0,
        PerBin::Each(list) => list.iter().any(|x| *x < 0.0),
    };
    let (values, key, fixed_at) = match stat {
        McStat::CoefficientErrors { sigmas, fixed_at } => {
            check_per_bin(sigmas, (data.monomials.len(), "monomial"), n_bins, &at("sigmas"), report);
            (sigmas.iter().enumerate().find(|(_, sigma)| negative(sigma)), "sigmas", fixed_at)
        }
        McStat::W2 { monomials: lists, variances, fixed_at } => {
            let monomials = context.monomials(lists, &at("monomials"), report);
            let sound = check_per_bin(variances, (lists.len(), "monomial"), n_bins, &at("variances"), report);
            if let Truncation::Order(most) = data.truncation {
                let order = |m: &Monomial| np_order(m, &context.order) > most.max_np_order.saturating_mul(2);
                if let Some(k) = monomials.iter().flatten().position(order) {
                    let found = lists.get(k).map(|names| product(names)).unwrap_or_default();
                    let expected = format!("monomials up to order {}", most.max_np_order.saturating_mul(2));
                    report.add(&rule::EFT_VARIANCE_ORDER, at(&format!("monomials/{k}")), found, expected);
                }
            }
            let constant = lists.iter().position(Vec::is_empty);
            let at_zero = constant.and_then(|k| Some((k, variances.get(k)?))).filter(|(_, v)| negative(v));
            if let Some(monomials) = monomials.filter(|_| sound && at_zero.is_none()) {
                // What is wrong with the points is said elsewhere.
                let point =
                    |at| context.point(at, "", &mut Report { compat: report.compat, findings: Default::default() });
                let (reference, fixed) = (point(&data.reference), fixed_at.as_ref().map(point));
                let (monomials, fixed_at) = (&monomials[..], fixed.as_deref());
                let variance = Variance { monomials, variances, fixed_at, reference: &reference };
                variance.check(context, n_bins, &at("variances"), report);
            }
            (at_zero, "variances", fixed_at)
        }
    };
    if let Some((k, _)) = values {
        report.add(&rule::EFT_VARIANCE, at(&format!("{key}/{k}")), "a negative number", "at least 0");
    }
    if let Some(fixed_at) = fixed_at {
        context.point(fixed_at, &at("fixed_at"), report);
    }
}

impl Checker<'_, '_> {
    fn at(&self, key: &str) -> String {
        format!("{}/{key}", self.pointer)
    }

    fn response(&self, mode: Mode, truncation: &Truncation, monomials: Monomials) -> Response {
        let uses = match &monomials {
            Monomials::Known(all) => {
                all.iter().filter(|m| self.context.keeps(truncation, m)).flatten().copied().collect()
            }
            _ => BTreeSet::new(),
        };
        Response {
            pointer: self.pointer.clone(),
            mode,
            truncated: matches!(truncation, Truncation::Order(_)),
            monomials,
            uses,
            mc_stat: false,
            resolved: false,
            moving_pole: None,
            reference: vec![0.0; self.context.bounds.len()],
            polynomial: None,
        }
    }

    fn polynomial(&self, source: &PolynomialSource, report: &mut Report) -> Option<Response> {
        let n_bins = self.nominal.len();
        let (data, monomials) = match source {
            PolynomialSource::Inline(data) => {
                (&**data, check_shape(self.context, data, Some(n_bins), &self.pointer, report)?)
            }
            PolynomialSource::Named(named) => {
                let Some(data) = self.context.eft.responses.get(&named.response) else {
                    let found = format!("the response {}", quote(&named.response));
                    let expected = "the name of a response in eft/responses";
                    report.add(&rule::EFT_UNKNOWN_RESPONSE, self.at("response"), found, expected);
                    return None;
                };
                // All else was said of the block; what does not fit this sample is said here.
                let mut own = Report { compat: report.compat, findings: Default::default() };
                let monomials = check_shape(self.context, data, Some(n_bins), "", &mut own);
                let misfit = own.findings.0.into_iter().find(|finding| finding.rule == rule::EFT_BINS.id);
                if let Some(misfit) = misfit {
                    report.findings.push(misfit.at(self.at("response")));
                }
                (data, monomials?)
            }
        };
        let coefficients = match source {
            PolynomialSource::Inline(_) => "coefficients",
            PolynomialSource::Named(_) => "response",
        };
        self.check_size(monomials.len(), coefficients, report)?;
        let terms = monomials.iter().zip(&data.coefficients).map(|(m, a)| (m.clone(), a.of_bins(n_bins)));
        let polynomial = Polynomial::from_terms(n_bins, terms);
        let reference = self.context.point(
            &data.reference,
            "",
            &mut Report { compat: report.compat, findings: Default::default() },
        );
        self.check_reference(data.mode, &reference, &polynomial, coefficients, report);
        let mut response =
            self.response(data.mode, &data.truncation, Monomials::Known(monomials.into_iter().collect()));
        self.check_truncation(&response, report);
        if data.positivity == Positivity::Require {
            self.check_positivity(&polynomial, data, report);
        }
        response.mc_stat = data.mc_stat.is_some();
        (response.reference, response.polynomial) = (reference, Some(polynomial));
        Some(response)
    }

    fn check_size(&self, monomials: usize, key: &str, report: &mut Report) -> Option<()> {
        if monomials.saturating_mul(self.nominal.len()) <= MOST_COEFFICIENTS {
            return Some(());
        }
        let found = format!("{monomials} monomials in {}", super::super::bins(self.nominal.len()));
        report.add(&rule::EFT_TOO_LARGE, self.at(key), found, format!("at most {MOST_COEFFICIENTS} coefficients"));
        None
    }

    /// The value at the reference is the nominal yield, or 1.
    fn check_reference(&self, mode: Mode, at: &[f64], polynomial: &Polynomial, key: &str, report: &mut Report) {
        let values = polynomial.evaluate(at);
        let mut magnitudes = vec![0.0; polynomial.n_bins];
        for (monomial, coefficients) in polynomial.terms() {
            let phi = monomial_value(monomial, at).abs();
            for (magnitude, a) in magnitudes.iter_mut().zip(coefficients) {
                *magnitude += a.abs() * phi;
            }
        }
        self.check_values(mode, at, &values, &magnitudes, key, report);
    }

    fn check_values(&self, mode: Mode, at: &[f64], values: &[f64], magnitudes: &[f64], key: &str, report: &mut Report) {
        let wanted = |n: f64| if mode == Mode::Absolute { n } else { 1.0 };
        let bins = self.nominal.iter().zip(values).zip(magnitudes).enumerate();
        let mut off = bins.filter(|(_, ((n, value), magnitude))| {
            let tolerance = REFERENCE.0 * wanted(**n).abs() + REFERENCE.1 * **magnitude;
            let off = *value - wanted(**n);
            off.abs() > tolerance || off.is_nan()
        });
        if let Some((b, ((n, value), _))) = off.next() {
            let more = match off.count() {
                0 => String::new(),
                more => format!(", and {more} more bins that differ"),
            };
            let place = self.context.point_in_words(at);
            let found = format!("{} in bin {b} at {place}{more}", number(*value));
            let expected = match mode {
                Mode::Absolute => format!("the nominal yield {}", number(*n)),
                Mode::Relative => "1".into(),
            };
            report.add(&rule::EFT_NOT_NOMINAL, self.at(key), found, expected);
        }
    }

    fn check_truncation(&self, response: &Response, report: &mut Report) {
        let Monomials::Known(monomials) = &response.monomials else { return };
        if response.truncated && response.uses.is_empty() && monomials.iter().any(|m| !m.is_empty()) {
            let found = "a truncation that leaves the constant alone";
            report.add(&rule::EFT_TRUNCATED_AWAY, self.at("truncation"), found, "at least one monomial more");
        }
    }

    fn check_positivity(&self, polynomial: &Polynomial, data: &PolynomialData, report: &mut Report) {
        let kept: Vec<_> = polynomial
            .terms()
            .filter(|(monomial, _)| self.context.keeps(&data.truncation, monomial))
            .map(|(monomial, a)| (monomial.clone(), a.to_vec()))
            .collect();
        let polynomial = Polynomial::from_terms(polynomial.n_bins, kept);
        let mut open = None;
        for b in 0..distinct_bins(&data.coefficients, polynomial.n_bins) {
            if !is_searchable(self.context, &polynomial) {
                open.get_or_insert((b, None));
                break;
            }
            let least = minimum(&polynomial, b, &self.context.bounds);
            if least.is_negative() {
                let found =
                    format!("{} in bin {b} at {}", number(least.value), self.context.point_in_words(&least.point));
                report.add(&rule::EFT_NEGATIVE, self.at("positivity"), found, "no negative value inside the bounds");
                return;
            }
            if !least.is_never_negative() {
                open.get_or_insert((b, Some(least.value)));
            }
        }
        if let Some((b, least)) = open {
            let found = match least {
                Some(value) => format!("bin {b}, whose least value found is {}", number(value)),
                None => "a response too large to be searched".into(),
            };
            report.add(&rule::EFT_SIGN_OPEN, self.at("positivity"), found, "a sign that can be decided");
        }
    }

    fn bilinear(&self, data: &BilinearData, report: &mut Report) -> Option<Response> {
        let n_bins = self.nominal.len();
        let left = self.context.monomials(&data.left, &self.at("left"), report);
        let right = self.context.monomials(&data.right, &self.at("right"), report);
        let mut sound = check_length(
            data.coefficients.len(),
            data.left.len(),
            "monomial on the left",
            self.at("coefficients"),
            report,
        );
        for (j, row) in data.coefficients.iter().enumerate() {
            let place = self.at(&format!("coefficients/{j}"));
            sound &= check_per_bin(row, (data.right.len(), "monomial on the right"), Some(n_bins), &place, report);
        }
        let (left, right) = (left?, right?);
        if !sound {
            return None;
        }
        self.check_size(left.len().saturating_mul(right.len()), "coefficients", report)?;
        let terms = left.iter().zip(&data.coefficients).flat_map(|(l, row)| {
            right.iter().zip(row).map(move |(r, w)| ([l.as_slice(), r].concat(), w.of_bins(n_bins)))
        });
        let constant = Polynomial::from_terms(n_bins, terms.filter(|(monomial, _)| monomial.is_empty()));
        self.check_reference(data.mode, &vec![0.0; self.context.bounds.len()], &constant, "coefficients", report);
        let response = self.response(data.mode, &data.truncation, products(&left, &right));
        self.check_truncation(&response, report);
        Some(response)
    }

    fn sum_of_squares(&self, data: &SumOfSquaresData, report: &mut Report) -> Option<Response> {
        let n_bins = self.nominal.len();
        let monomials = self.context.monomials(&data.monomials, &self.at("monomials"), report);
        let mut sound = true;
        for (r, row) in data.amplitudes.iter().enumerate() {
            let place = self.at(&format!("amplitudes/{r}"));
            sound &= check_per_bin(row, (data.monomials.len(), "monomial"), Some(n_bins), &place, report);
        }
        let monomials = monomials.filter(|_| sound)?;
        self.check_size(monomials.len().saturating_mul(monomials.len() + 1) / 2, "amplitudes", report)?;
        let mut values = vec![0.0; n_bins];
        if let Some(k) = monomials.iter().position(Vec::is_empty) {
            for amplitude in data.amplitudes.iter().filter_map(|row| row.get(k)) {
                for (value, v) in values.iter_mut().zip(amplitude.of_bins(n_bins)) {
                    *value += v * v;
                }
            }
        }
        self.check_values(data.mode, &[], &values, &values, "amplitudes", report);
        let response = self.response(data.mode, &data.truncation, products(&monomials, &monomials));
        self.check_truncation(&response, report);
        Some(response)
    }

    fn map(&self, data: &MapData, report: &mut Report) -> Option<Response> {
        let monomials = self.context.monomials(&data.monomials, &self.at("monomials"), report);
        let mut sound = check_bins(data.map.len(), self.nominal.len(), || self.at("map"), report);
        let true_bins = data.map.first().map_or(0, Vec::len);
        for (b, row) in data.map.iter().enumerate() {
            sound &= check_length(
                row.len(),
                true_bins,
                "true bin, as in the first row",
                self.at(&format!("map/{b}")),
                report,
            );
        }
        sound &= check_length(data.weights.len(), data.monomials.len(), "monomial", self.at("weights"), report);
        for (k, weights) in data.weights.iter().enumerate() {
            if let PerBin::Each(list) = weights {
                sound &= check_length(list.len(), true_bins, "true bin", self.at(&format!("weights/{k}")), report);
            }
        }
        let monomials = monomials.filter(|_| sound)?;
        self.check_size(monomials.len(), "weights", report)?;
        let constant = monomials.iter().position(Vec::is_empty).and_then(|k| data.weights.get(k));
        let weights = constant.map_or_else(|| vec![0.0; true_bins], |w| w.of_bins(true_bins));
        let sum = |row: &Vec<f64>| row.iter().zip(&weights).map(|(m, w)| m * w).sum::<f64>();
        let magnitude = |row: &Vec<f64>| row.iter().zip(&weights).map(|(m, w)| (m * w).abs()).sum::<f64>();
        let (values, magnitudes): (Vec<f64>, Vec<f64>) = data.map.iter().map(|row| (sum(row), magnitude(row))).unzip();
        self.check_values(Mode::Absolute, &[], &values, &magnitudes, "map", report);
        let known = Monomials::Known(monomials.into_iter().collect());
        let response = self.response(Mode::Absolute, &data.truncation, known);
        self.check_truncation(&response, report);
        Some(response)
    }
}

/// The search over the box stays within its budget.
fn is_searchable(context: &Context, polynomial: &Polynomial) -> bool {
    let steps = polynomial.monomials.len().saturating_mul(context.bounds.len());
    steps.saturating_mul(polynomial.n_bins).saturating_mul(100) <= MOST_SEARCH
}

/// The numbers of a list of parameters, each once.
pub(super) fn parameters(context: &Context, names: &[String], pointer: &str, report: &mut Report) -> Option<Vec<u32>> {
    let mut numbers: Vec<u32> = Vec::with_capacity(names.len());
    for (i, name) in names.iter().enumerate() {
        let place = || format!("{pointer}/{i}");
        let Some(number) = context.coefficient(name, place, report) else { continue };
        if numbers.contains(&number) {
            let found = format!("the parameter {} again", quote(name));
            report.add(&rule::EFT_REPEATED, place(), found, "each parameter once");
        } else {
            numbers.push(number);
        }
    }
    (numbers.len() == names.len()).then_some(numbers)
}

/// How many bins differ: one where all coefficients hold for all bins.
fn distinct_bins(coefficients: &[PerBin], n_bins: usize) -> usize {
    if coefficients.iter().all(|c| matches!(c, PerBin::All(_))) { n_bins.min(1) } else { n_bins }
}

/// The monomials of a product.
pub(super) fn products<'m>(
    left: impl IntoIterator<Item = &'m Monomial, IntoIter: ExactSizeIterator>,
    right: impl IntoIterator<Item = &'m Monomial, IntoIter: ExactSizeIterator + Clone>,
) -> Monomials {
    let (left, right) = (left.into_iter(), right.into_iter());
    if left.len().saturating_mul(right.len()) > MOST_PAIRS {
        return Monomials::Many;
    }
    let pairs = left.flat_map(|l| right.clone().map(move |r| (l, r)));
    Monomials::Known(
        pairs
            .map(|(l, r)| {
                let mut monomial = [l.as_slice(), r].concat();
                monomial.sort_unstable();
                monomial
            })
            .collect(),
    )
}
