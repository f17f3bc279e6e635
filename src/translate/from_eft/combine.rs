//! The responses of one sample as one: they multiply (spec/eft.md, "Truncation").

use super::response::ModifierResponse;
use super::variables::Variables;
use super::{Owner, PlainSample};
use crate::document::eft::{Mode, SampleData, Truncation};
use crate::finding::{Findings, Result};
use crate::model::eft::{Factor, Form, Polynomial, rational};

/// The response of a sample.
pub(super) struct Combined {
    pub mode: Mode,
    pub form: Form,
    pub variance: Option<Polynomial>,
    pub shifts: Vec<(String, Polynomial, Polynomial)>,
}

/// Multiplies the responses; `max_np_order` is an order that is asked for beyond the document.
pub(super) fn combine(
    plain: &PlainSample,
    responses: Vec<ModifierResponse>,
    of_sample: &SampleData,
    max_np_order: Option<u32>,
    variables: &Variables,
) -> Result<Combined> {
    let several = responses.len() > 1;
    if several && of_sample.truncation.is_none() && responses.iter().any(|r| r.truncated) {
        let expected = "an eft_sample whose truncation says at which order their product ends";
        return Err(plain.finding("several responses, one of them truncated", expected).into());
    }
    let absolute = responses.iter().filter(|r| r.mode == Mode::Absolute).count();
    if absolute > 1 {
        return Err(plain.finding("two absolute responses", "at most one; the others relative").into());
    }
    let mode = if absolute == 1 { Mode::Absolute } else { Mode::Relative };
    let variance = variance(plain, &responses)?;
    let (mut factors, mut events, mut shifts) = (Vec::new(), None, Vec::new());
    for response in responses {
        shifts.extend(response.shifts);
        match response.form {
            Form::Product(own) => factors.extend(own),
            Form::Events(own) => events = Some(own),
        }
    }
    if let Some(events) = events {
        if several {
            let expected = "one response alone where events are summed at every point";
            return Err(plain.finding("another response beside events", expected).into());
        }
        return Ok(Combined { mode, form: Form::Events(events), variance, shifts });
    }
    let declared = match of_sample.truncation {
        Some(Truncation::Order(most)) => Some(most.max_np_order),
        _ => None,
    };
    let most = declared.into_iter().chain(max_np_order).min();
    let form = match most {
        Some(most) => {
            Form::Product(vec![Factor { polynomial: series(plain.owner(), &factors, most, variables)?, power: 1 }])
        }
        None => Form::Product(factors),
    };
    Ok(Combined { mode, form, variance, shifts })
}

/// The Taylor series of a product at c = 0.
pub(super) fn series(owner: Owner, factors: &[Factor], most: u32, variables: &Variables) -> Result<Polynomial> {
    rational::taylor(factors, most, &variables.order)
        .map_err(|error| Findings::from(owner.finding(error, "responses whose series at c = 0 exists")))
}

/// The variance of the product where one response has one: the others multiply its square.
fn variance(plain: &PlainSample, responses: &[ModifierResponse]) -> Result<Option<Polynomial>> {
    let Some(index) = responses.iter().position(|r| r.variance.is_some()) else { return Ok(None) };
    if responses.iter().skip(index + 1).any(|r| r.variance.is_some()) {
        return Err(plain.finding("two responses with statistical uncertainty", "at most one").into());
    }
    let mut variance = responses[index].variance.clone();
    for (_, other) in responses.iter().enumerate().filter(|(i, _)| *i != index) {
        let Some(polynomial) = one_polynomial(&other.form) else {
            let expected = "polynomial responses beside one with statistical uncertainty";
            return Err(plain.finding("a ratio beside a response with statistical uncertainty", expected).into());
        };
        variance = variance.map(|v| v.product(&polynomial).product(&polynomial));
    }
    Ok(variance)
}

/// The product as one polynomial, where it is one.
pub(super) fn one_polynomial(form: &Form) -> Option<Polynomial> {
    let Form::Product(factors) = form else { return None };
    let mut product: Option<Polynomial> = None;
    for factor in factors {
        for _ in 0..u32::try_from(factor.power).ok()? {
            product = Some(product.map_or_else(|| factor.polynomial.clone(), |p| p.product(&factor.polynomial)));
        }
    }
    product
}
