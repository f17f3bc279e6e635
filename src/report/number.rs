//! Numbers in results: `null` where not finite in JSON, sensible digits in tables.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// A binary64 number that JSON holds exactly; NaN and the infinities are written as `null`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number(pub f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() { serializer.serialize_f64(self.0) } else { serializer.serialize_none() }
    }
}

/// What was written as `null` is read as NaN.
impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Number, D::Error> {
        Ok(Number(Option::deserialize(source)?.unwrap_or(f64::NAN)))
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Number {
        Number(value)
    }
}

impl JsonSchema for Number {
    fn schema_name() -> Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<f64>::json_schema(generator)
    }

    fn inline_schema() -> bool {
        true
    }
}

/// The numbers of a slice.
pub fn numbers(values: &[f64]) -> Vec<Number> {
    values.iter().copied().map(Number).collect()
}

/// `value` with `digits` significant digits, trailing zeros cut; an exponent where the number is very large or small.
pub fn significant(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return not_finite(value).to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let exponent = decimal_exponent(value, digits);
    if (-4..=i32::try_from(digits).unwrap_or(i32::MAX).max(6)).contains(&exponent) {
        let decimals = usize::try_from(digits as i32 - 1 - exponent).unwrap_or(0);
        trim_zeros(format!("{value:.decimals$}"))
    } else {
        let text = format!("{value:.*e}", digits.saturating_sub(1));
        match text.split_once('e') {
            Some((mantissa, exponent)) => format!("{}e{exponent}", trim_zeros(mantissa.to_owned())),
            None => text,
        }
    }
}

/// `value` with `decimals` digits behind the point where it has at most 15 before it, else with an exponent; 0 without
/// a sign.
pub fn fixed_point(value: f64, decimals: usize) -> String {
    if value.is_finite() && value.abs() < 1e15 {
        without_negative_zero(format!("{value:.decimals$}"))
    } else {
        significant(value, 17)
    }
}

/// A value and its uncertainty, both to the second significant digit of the uncertainty.
///
/// Without a positive finite uncertainty the value gets six significant digits and the second text is empty.
pub fn with_uncertainty(value: f64, uncertainty: Option<f64>) -> (String, String) {
    let Some(sigma) = uncertainty.filter(|u| u.is_finite() && *u > 0.0) else {
        return (significant(value, 6), String::new());
    };
    if !value.is_finite() {
        return (not_finite(value).to_owned(), significant(sigma, 2));
    }
    let last_digit = decimal_exponent(sigma, 2) - 1;
    let leading = if value == 0.0 { last_digit } else { decimal_exponent(value, 2) };
    if last_digit >= -8 && leading.max(last_digit) <= 7 {
        let decimals = usize::try_from(-last_digit).unwrap_or(0);
        (without_negative_zero(format!("{value:.decimals$}")), format!("{sigma:.decimals$}"))
    } else {
        let digits = usize::try_from(leading - last_digit).unwrap_or(0).min(16);
        let value = if value == 0.0 { "0".to_owned() } else { format!("{value:.digits$e}") };
        (value, format!("{sigma:.1e}"))
    }
}

/// The decimal exponent of a finite, non-zero number after rounding to `digits` significant digits.
fn decimal_exponent(value: f64, digits: usize) -> i32 {
    let text = format!("{value:.*e}", digits.saturating_sub(1));
    text.rsplit_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0)
}

fn without_negative_zero(text: String) -> String {
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
        _ => text,
    }
}

fn trim_zeros(text: String) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn not_finite(value: f64) -> &'static str {
    match (value.is_nan(), value > 0.0) {
        (true, _) => "nan",
        (false, true) => "inf",
        (false, false) => "-inf",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_follows_the_uncertainty() {
        let pair = |v, u| {
            let (value, sigma) = with_uncertainty(v, Some(u));
            format!("{value} ± {sigma}")
        };
        assert_eq!(pair(1.23456, 0.0456), "1.235 ± 0.046");
        assert_eq!(pair(1.23456, 0.0996), "1.23 ± 0.10");
        assert_eq!(pair(-0.3, 12.0), "0 ± 12");
        assert_eq!(pair(123456.0, 789.0), "123456 ± 789");
        assert_eq!(pair(1.5e-12, 2.5e-13), "1.50e-12 ± 2.5e-13");
        assert_eq!(pair(1.5e12, 2.5e10), "1.500e12 ± 2.5e10");
        assert_eq!(pair(-0.0, 1e-12), "0 ± 1.0e-12");
        assert_eq!(with_uncertainty(0.123456789, None), ("0.123457".to_owned(), String::new()));
        assert_eq!(with_uncertainty(0.25, None), ("0.25".to_owned(), String::new()));
        assert_eq!(with_uncertainty(0.25, Some(0.0)), ("0.25".to_owned(), String::new()));
    }

    #[test]
    fn significant_digits() {
        assert_eq!(significant(1.0, 6), "1");
        assert_eq!(significant(0.1 + 0.2, 6), "0.3");
        assert_eq!(significant(1e-10, 6), "1e-10");
        assert_eq!(significant(1234567.0, 6), "1234567");
        assert_eq!(significant(123456789.0, 6), "1.23457e8");
        assert_eq!(significant(-0.0, 6), "0");
        assert_eq!(fixed_point(-1e-9, 6), "0.000000");
        assert_eq!(fixed_point(-12.5, 3), "-12.500");
        assert_eq!(fixed_point(1e300, 6), "1.0000000000000001e300");
        assert_eq!(significant(f64::NAN, 6), "nan");
        assert_eq!(significant(f64::NEG_INFINITY, 6), "-inf");
    }

    #[test]
    fn numbers_that_are_not_finite_are_null() {
        let text = serde_json::to_string(&numbers(&[1.0, f64::NAN, f64::INFINITY])).expect("serializes");
        assert_eq!(text, "[1.0,null,null]");
    }
}
