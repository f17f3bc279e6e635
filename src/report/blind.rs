//! What a result says about blinding.

use super::reason::{Code, Reason};
use super::text;
use schemars::JsonSchema;
use serde::Serialize;

/// What was hidden; nothing is written where nothing was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Blinding {
    /// The value of the parameter of interest is shifted by a hidden offset.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub blinded: bool,
    /// Channels that are not part of the likelihood.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blinded_channels: Vec<String>,
    /// Measurements with Gaussian errors that are not part of the likelihood; errors that they share stay errors of the others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blinded_measurements: Vec<String>,
    /// Unbinned terms that are not part of the likelihood.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blinded_unbinned_terms: Vec<String>,
    /// Parameters that act in blinded data sets only and were held at their start.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held_by_blinding: Vec<String>,
}

impl Blinding {
    /// What people must know.
    pub fn notes(&self) -> Vec<Reason> {
        let mut notes = Vec::new();
        if self.blinded {
            let message = "the value of the parameter of interest is shifted by a hidden offset; whether it sits on a \
                           bound is not told";
            notes.push(Reason::new(Code::Blinded, message));
        }
        let sets = [&self.blinded_channels, &self.blinded_measurements, &self.blinded_unbinned_terms];
        let sets: Vec<&String> = sets.into_iter().flatten().collect();
        if !sets.is_empty() {
            let message = format!("not part of the likelihood: {}", text::list(&sets, 8));
            notes.push(Reason::new(Code::Blinded, message));
        }
        if !self.held_by_blinding.is_empty() {
            let names = text::list(&self.held_by_blinding, 8);
            let message = format!("held at the start, since nothing but blinded data depends on it: {names}");
            let parameters = Some(self.held_by_blinding.clone());
            notes.push(Reason { parameters, ..Reason::new(Code::Blinded, message) });
        }
        notes
    }
}
