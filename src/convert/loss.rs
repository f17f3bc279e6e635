//! What a conversion does not carry: findings, of which errors change the likelihood or its parameters.

use crate::finding::{Findings, Severity};
use crate::rule::{self, Rule};

/// The rules of losses that may be allowed.
pub const LOSSES: [&Rule; 3] = [&rule::CONVERT_LOST, &rule::CONVERT_CLIP, &rule::CONVERT_RANGE];

/// A loss that is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    All,
    /// Those of one rule, by its id.
    Of(&'static str),
}

/// All losses of one conversion.
#[derive(Clone, Debug, Default)]
pub struct Losses(pub Findings);

impl Losses {
    /// Makes warnings of what is allowed.
    pub fn allow(&mut self, allowed: &[Loss]) {
        for finding in &mut self.0.0 {
            let fits = |loss: &Loss| match loss {
                Loss::All => LOSSES.iter().any(|rule| rule.id == finding.rule),
                Loss::Of(id) => *id == finding.rule,
            };
            if allowed.iter().any(fits) {
                finding.severity = Severity::Warning;
            }
        }
    }
}
