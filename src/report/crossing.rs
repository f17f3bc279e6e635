//! Why an interval has no end where one was looked for.

use super::number::significant;
use super::reason::{Code, Reason};
use super::text;
use crate::infer::{Crossing, FitOptions};
use crate::model::Model;

/// The reason why the profile of a parameter was not found to have a height; `None` where it was.
pub(super) fn reason(
    model: &Model,
    options: &FitOptions,
    parameter: usize,
    height: f64,
    crossing: &Crossing,
) -> Option<Reason> {
    let name = model.parameter_names().get(parameter).cloned().unwrap_or_default();
    let (name, height) = (text::label(&name), significant(height, 6));
    let short = |x: f64| significant(x, 6);
    match crossing {
        Crossing::At(_) => None,
        Crossing::AtBound { bound, height: reached } if *reached == 0.0 => {
            Some(Reason::new(Code::AtBound, format!("the best value of {name} is its bound {}", short(*bound))))
        }
        Crossing::AtBound { bound, height: reached } => Some(Reason::new(
            Code::AtBound,
            format!(
                "up to its bound {} the profile of {name} rises by {}, not by {height}",
                short(*bound),
                short(*reached)
            ),
        )),
        Crossing::EndOfDomain { value, height: reached } => Some(Reason::new(
            Code::EndOfDomain,
            format!(
                "the likelihood ends at {name} = {}, where its profile has risen by {}, not by {height}",
                short(*value),
                short(*reached)
            ),
        )),
        Crossing::Failed { value, reason } => {
            let mut reason = Reason::of_failure(model, reason, &options.init, &options.bounds);
            reason.message = format!("at {name} = {}: {}", short(*value), reason.message);
            Some(reason)
        }
        Crossing::Jump { value } => Some(Reason::new(
            Code::ProfileJumps,
            format!("the profile of {name} jumps over {height} at {}: its minima there do not join", short(*value)),
        )),
        Crossing::LowerMinimum => Some(Reason::new(
            Code::LowerMinimum,
            format!("along {name} there is a minimum below that of the fit, and below each that was taken instead"),
        )),
    }
}
