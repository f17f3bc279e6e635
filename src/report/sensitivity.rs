//! How linear a coefficient acts.

use super::number::{Number, significant};
use super::reason::{Code, Reason};
use super::table::Cell;
use super::text;
use crate::infer::Sensitivity;
use crate::model::{Model, UnbinnedTerm};
use schemars::JsonSchema;
use serde::Serialize;

/// What a coefficient does to the yields from its start to the farthest end of the first region, in units of their
/// statistical uncertainties.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SensitivityReport {
    /// From the start to the end.
    pub distance: Number,
    /// By terms of odd order in the distance.
    pub linear: Number,
    /// linear / quadratic; null without terms of even order.
    pub linear_to_quadratic: Number,
    /// By terms of even order.
    pub quadratic: Number,
}

impl SensitivityReport {
    pub(super) fn new(sensitivity: &Sensitivity) -> SensitivityReport {
        SensitivityReport {
            distance: Number(sensitivity.distance),
            linear: Number(sensitivity.linear),
            linear_to_quadratic: Number(sensitivity.ratio()),
            quadratic: Number(sensitivity.quadratic),
        }
    }

    /// `0.53`; `∞` where all is linear.
    pub(super) fn text(&self) -> String {
        if self.quadratic.0 == 0.0 { "∞".to_owned() } else { significant(self.linear_to_quadratic.0, 3) }
    }

    /// The ratio in a table.
    pub(super) fn cell(&self) -> Cell {
        Cell::pair(self.text(), format!("{:?}", self.linear_to_quadratic.0))
    }
}

/// A remark where the quadratic part is the larger one, and where there is no sensitivity since an unbinned term has no
/// reference events.
pub(super) fn remark(model: &Model, parameter: usize, sensitivity: Option<&Sensitivity>) -> Option<Reason> {
    let Some(sensitivity) = sensitivity else {
        let depends = |t: &&UnbinnedTerm| t.coefficients.contains(&parameter) && t.reference.is_empty();
        let term = model.unbinned.iter().find(depends)?;
        let message = format!(
            "linear and quadratic sensitivity are not known: the unbinned term {} has no reference events",
            text::label(&term.name)
        );
        return Some(Reason::new(Code::NoToyData, message));
    };
    let message = format!(
        "the yields depend on this coefficient more by its square than in first order (ratio {}): −2 Δ ln L does not \
         follow χ², so that intervals need toys (scan --toys)",
        significant(sensitivity.ratio(), 3)
    );
    sensitivity.is_quadratic().then(|| Reason::new(Code::QuadraticDependence, message))
}
