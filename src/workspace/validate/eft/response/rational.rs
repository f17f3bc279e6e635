//! Rules for ratios: powers, factors, denominators.

use super::super::super::Report;
use super::super::{Context, check_per_bin};
use super::{Checker, Monomials, Response, check_uncertainties, distinct_bins, is_searchable, products};
use crate::document::eft::{Expansion, RationalData, RationalFactor, Truncation};
use crate::finding::number;
use crate::model::eft::minimum::minimum;
use crate::model::eft::{Monomial, Polynomial};
use crate::rule;
use std::collections::BTreeSet;

/// Most that a factor may be multiplied by itself.
const MOST_POWER: u32 = 100;

impl Checker<'_, '_> {
    pub(super) fn rational(&self, data: &RationalData, report: &mut Report) -> Option<Response> {
        let reference = self.context.point(&data.reference, &self.at("reference"), report);
        let n_bins = self.nominal.len();
        let (mut values, mut uses) = (vec![1.0; n_bins], BTreeSet::new());
        let mut monomials = Some(Monomials::Known(BTreeSet::from([Monomial::new()])));
        for (a, factor) in data.factors.iter().enumerate() {
            let place = self.at(&format!("factors/{a}"));
            let own = self.factor(factor, &place, report);
            let Some(own) = own else {
                monomials = None;
                continue;
            };
            for (value, p) in values.iter_mut().zip(own.evaluate(&reference)) {
                *value *= p.powi(factor.power);
            }
            let kept = own.monomials.iter().filter(|m| self.context.keeps(&data.factor_truncation, m));
            uses.extend(kept.flatten().copied());
            check_denominator(self.context, &data.expansion, &data.factor_truncation, factor, &own, &place, report);
            monomials = monomials.map(|product| power(product, &own.monomials, factor.power));
        }
        let expanded = matches!(data.expansion, Expansion::Taylor(_));
        let monomials = match monomials? {
            // The series of a denominator has all products of what it contains.
            Monomials::None if expanded => Monomials::Many,
            other => other,
        };
        self.check_values(data.mode, &reference, &values, &vec![0.0; n_bins], "factors", report);
        let mut response = self.response(data.mode, &data.factor_truncation, monomials);
        response.truncated |= expanded;
        response.uses = uses;
        match data.factors.iter().position(has_moving_pole) {
            Some(a) if expanded => report_moving_pole(self.at(&format!("factors/{a}/uncertainties")), report),
            moving => response.moving_pole = moving,
        }
        response.reference = reference;
        Some(response)
    }

    fn factor(&self, factor: &RationalFactor, place: &str, report: &mut Report) -> Option<Polynomial> {
        let n_bins = self.nominal.len();
        let possible = check_power(factor.power, &format!("{place}/power"), report);
        let monomials = self.context.monomials(&factor.monomials, &format!("{place}/monomials"), report);
        let count = (factor.monomials.len(), "monomial");
        let mut sound =
            check_per_bin(&factor.coefficients, count, Some(n_bins), &format!("{place}/coefficients"), report);
        let uncertainties = &factor.uncertainties;
        sound &= check_uncertainties(self.context, uncertainties, monomials.as_deref(), Some(n_bins), place, report);
        let monomials = monomials.filter(|_| sound && possible)?;
        self.check_size(monomials.len(), "factors", report)?;
        let terms = monomials.into_iter().zip(factor.coefficients.iter().map(|a| a.of_bins(n_bins)));
        Some(Polynomial::from_terms(n_bins, terms))
    }
}

/// A denominator is positive in the whole box of the coefficients; that of a series at the start of the series.
pub(in super::super) fn check_denominator(
    context: &Context,
    expansion: &Expansion,
    truncation: &Truncation,
    factor: &RationalFactor,
    own: &Polynomial,
    place: &str,
    report: &mut Report,
) {
    if factor.power > 0 {
        return;
    }
    let kept = own.terms().filter(|(m, _)| context.keeps(truncation, m));
    let kept = Polynomial::from_terms(own.n_bins, kept.map(|(m, a)| (m.clone(), a.to_vec())));
    let zero = vec![0.0; context.bounds.len()];
    let expanded = matches!(expansion, Expansion::Taylor(_));
    let searchable = is_searchable(context, &kept);
    let at_zero = kept.evaluate(&zero);
    for (b, at_zero) in at_zero.iter().enumerate().take(distinct_bins(&factor.coefficients, own.n_bins)) {
        let (value, point) = if expanded {
            (*at_zero, zero.clone())
        } else if searchable {
            let least = minimum(&kept, b, &context.bounds);
            (least.value, least.point)
        } else {
            continue;
        };
        if value <= 0.0 {
            let found = format!("{} in bin {b} at {}", number(value), context.point_in_words(&point));
            report.add(&rule::EFT_DENOMINATOR, place.to_string(), found, "a positive number");
            return;
        }
    }
}

pub(in super::super) fn check_power(power: i32, pointer: &str, report: &mut Report) -> bool {
    let possible = (1..=MOST_POWER).contains(&power.unsigned_abs());
    if !possible {
        let expected = format!("1 to {MOST_POWER}, or −1 to −{MOST_POWER}");
        report.add(&rule::EFT_POWER, pointer.to_string(), format!("the power {power}"), expected);
    }
    possible
}

/// The constant of a denominator moves with a nuisance α: 1/(a + α σ + …) has no series that is a polynomial in α.
pub(in super::super) fn has_moving_pole(factor: &RationalFactor) -> bool {
    factor.power < 0 && factor.uncertainties.iter().any(|uncertainty| uncertainty.monomial.is_empty())
}

/// Such a factor in a response or a sample that is expanded.
pub(in super::super) fn report_moving_pole(pointer: String, report: &mut Report) {
    let found = "an uncertainty of the constant of a factor with a negative power that is expanded";
    report.add(&rule::EFT_DENOMINATOR, pointer, found, "uncertainties of other monomials");
}

/// The monomials of a product with the power of a polynomial.
fn power(product: Monomials, factor: &[Monomial], power: i32) -> Monomials {
    if power < 0 {
        return Monomials::None;
    }
    let mut product = product;
    for _ in 0..power {
        let Monomials::Known(known) = &product else { return product };
        product = products(known, factor);
    }
    product
}
