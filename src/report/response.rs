//! Yields of bins as functions of a coefficient.

use super::number::Number;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Yields along single coefficients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResponsesReport {
    /// The scale Λ by whose powers the coefficients are divided.
    #[serde(rename = "Lambda_TeV")]
    pub lambda_tev: Number,
    pub responses: Vec<ResponseCurves>,
}

/// The yields of the bins of a channel along one coefficient, all other parameters at their start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResponseCurves {
    pub channel: String,
    pub coefficient: String,
    /// Yields at the start of all parameters, one entry a bin.
    pub reference: Vec<Number>,
    /// One sample, or all together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    /// Statistical uncertainties of the simulation, as `yields`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncertainties: Vec<Vec<Number>>,
    /// Of the coefficient, ascending.
    pub values: Vec<Number>,
    /// One list a bin, with an entry a value.
    pub yields: Vec<Vec<Number>>,
}
