//! Values compared, numbers within a tolerance; one difference for all numbers of a list.

use crate::finding::{describe, escape_token};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// Two numbers are the same if |a − b| ≤ `absolute` + `relative` · max(|a|, |b|).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tolerance {
    pub relative: f64,
    pub absolute: f64,
}

impl Tolerance {
    pub fn holds(&self, a: f64, b: f64) -> bool {
        a == b || (a - b).abs() <= self.absolute + self.relative * a.abs().max(b.abs())
    }
}

/// How something differs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// The second document lacks it.
    OnlyLeft {},
    /// The first document lacks it.
    OnlyRight {},
    /// The same under another name.
    Renamed { to: String },
    /// Texts, flags, or values of different types, in words.
    Value { was: String, is: String },
    /// Lists of different lengths.
    Length { was: usize, is: usize },
    /// Numbers: how many differ of how many, and the two that differ most, with their index.
    Numbers { differing: usize, of: usize, index: usize, was: f64, is: f64 },
}

/// Tells every difference with its pointer.
pub(super) fn compare(
    left: &Value,
    right: &Value,
    tolerance: Tolerance,
    pointer: &str,
    tell: &mut impl FnMut(&str, Change),
) {
    match (left, right) {
        (Value::Array(a), Value::Array(b)) if a.len() != b.len() => {
            tell(pointer, Change::Length { was: a.len(), is: b.len() });
        }
        (Value::Array(a), Value::Array(b)) => match (numbers(a), numbers(b)) {
            (Some(a), Some(b)) => compare_numbers(&a, &b, tolerance, pointer, tell),
            _ => {
                for (i, (a, b)) in a.iter().zip(b).enumerate() {
                    compare(a, b, tolerance, &format!("{pointer}/{i}"), tell);
                }
            }
        },
        (Value::Object(a), Value::Object(b)) => {
            let only_right = b.keys().filter(|key| !a.contains_key(*key));
            for key in a.keys().chain(only_right) {
                let pointer = format!("{pointer}/{}", escape_token(key));
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => compare(a, b, tolerance, &pointer, tell),
                    (a, b) => {
                        let word = |side: Option<&Value>| side.map_or("nothing".to_owned(), describe);
                        tell(&pointer, Change::Value { was: word(a), is: word(b) });
                    }
                }
            }
        }
        (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
            // Integers beyond 2^53 may be unequal and round to one number.
            (Some(x), Some(y)) if a == b || tolerance.holds(x, y) => {}
            (Some(x), Some(y)) => tell(pointer, Change::Numbers { differing: 1, of: 1, index: 0, was: x, is: y }),
            _ => {}
        },
        _ if left == right => {}
        _ => tell(pointer, Change::Value { was: describe(left), is: describe(right) }),
    }
}

fn numbers(items: &[Value]) -> Option<Vec<f64>> {
    items.iter().map(Value::as_f64).collect()
}

fn compare_numbers(a: &[f64], b: &[f64], tolerance: Tolerance, pointer: &str, tell: &mut impl FnMut(&str, Change)) {
    let pairs = || a.iter().zip(b).enumerate().filter(|(_, (a, b))| !tolerance.holds(**a, **b));
    let size = |a: f64, b: f64| (a - b).abs();
    let largest = pairs().max_by(|(_, (a, b)), (_, (c, d))| size(**a, **b).total_cmp(&size(**c, **d)));
    if let Some((index, (was, is))) = largest {
        let differing = pairs().count();
        tell(pointer, Change::Numbers { differing, of: a.len(), index, was: *was, is: *is });
    }
}
