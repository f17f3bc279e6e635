//! Individual, profiled and marginalised-Gaussian intervals of Wilson coefficients: a result of `eft individual`.

use super::coefficients::{self, Coefficient, Compare, End, GAUSSIAN, INTERVALS, Interval, Region, Set, Truncation};
use super::{Figure, Options};
use crate::report::number::Number;
use serde::Deserialize;

/// What `eft individual` writes, as far as it is drawn here.
#[derive(Clone, Debug, Deserialize)]
pub struct Individual {
    #[serde(rename = "Lambda_TeV")]
    pub lambda_tev: Number,
    #[serde(default)]
    pub basis: String,
    pub coefficients: Vec<Entry>,
    #[serde(default)]
    pub eft: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    pub gaussian: Gaussian,
    pub individual: Set,
    pub name: String,
    pub profiled: Set,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Gaussian {
    pub best_fit: Number,
    pub intervals: Vec<GaussianInterval>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct GaussianInterval {
    pub level: Number,
    pub lower: Number,
    pub upper: Number,
}

/// # Errors
/// A sentence, where there is nothing to show.
pub fn draw(result: &Individual, options: &Options) -> Result<Figure, String> {
    let coefficients = result.coefficients.iter().map(|entry| Coefficient {
        name: entry.name.clone(),
        truncations: vec![
            rows(INTERVALS, Some(entry.individual.clone()), entry.profiled.clone()),
            rows(GAUSSIAN, None, set(&entry.gaussian)),
        ],
    });
    let compare = Compare {
        lambda_tev: result.lambda_tev,
        basis: result.basis.clone(),
        coefficients: coefficients.collect(),
        eft: result.eft.clone(),
    };
    coefficients::draw(&compare, options)
}

fn rows(name: &str, individual: Option<Set>, profiled: Set) -> Truncation {
    let (truncation, profiled) = (name.to_owned(), Some(profiled));
    Truncation { individual, profiled, truncation, max_np_order: None, without: None }
}

fn set(gaussian: &Gaussian) -> Set {
    let end = |value: Number| End { open_at_bound: false, value };
    let region = |i: &GaussianInterval| Region {
        intervals: vec![Interval { lower: end(i.lower), upper: end(i.upper) }],
        level: i.level,
    };
    Set { best_fit: gaussian.best_fit, intervals: gaussian.intervals.iter().map(region).collect() }
}
