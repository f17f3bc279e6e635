//! `--bounds NAME=LOW,HIGH`: where parameters may go, in the place of what the workspace says.

use super::CommandError;
use super::selection::{Selection, select};
use crate::model::Model;
use crate::report::text;

/// Sets the bounds of parameters; a later argument counts before an earlier one, a narrower name before a glob.
///
/// # Errors
/// For what names no parameter, or is no interval.
pub fn set(model: &mut Model, settings: &[String]) -> Result<(), CommandError> {
    let mut chosen = Vec::new();
    for setting in settings {
        let usage = |problem: String| CommandError::Usage(format!("--bounds: {problem}"));
        let (name, interval) = setting.rsplit_once('=').ok_or_else(|| usage(expected(setting)))?;
        let interval = interval.split_once(',').and_then(|(low, high)| Some((number(low)?, number(high)?)));
        let interval = interval.filter(|(low, high)| low < high).ok_or_else(|| usage(expected(setting)))?;
        chosen.push((select(model, name).map_err(usage)?, interval));
    }
    chosen.sort_by_key(|(selection, _): &(Selection, _)| selection.rank);
    let mut bounds = model.bounds();
    for (selection, interval) in chosen {
        for index in selection.indices {
            if let Some(bounds) = bounds.get_mut(index) {
                *bounds = interval;
            }
        }
    }
    check_denominators(model, &bounds)?;
    let mut rest = bounds.into_iter();
    for set in &mut model.parameters {
        set.bounds.iter_mut().zip(&mut rest).for_each(|(own, bounds)| *own = bounds);
    }
    Ok(())
}

/// What stands in denominators of the coefficients that a transform gives stays above zero (spec/parameter-transform.md).
fn check_denominators(model: &Model, bounds: &[(f64, f64)]) -> Result<(), CommandError> {
    let names = model.parameter_names();
    for derived in &model.derived {
        let powers = derived.expression.terms().flat_map(|(powers, _)| powers);
        for variable in powers.filter(|(_, power)| *power < 0).map(|(variable, _)| *variable as usize) {
            if bounds.get(variable).is_some_and(|(low, _)| *low <= 0.0) {
                let name = text::label(names.get(variable).map_or("", String::as_str));
                let of = text::label(&derived.name);
                let message = format!(
                    "--bounds: {name} stands in a denominator of {of}: its lower bound must be above 0; what a limit on it is, \
                     eft mass says"
                );
                return Err(CommandError::Usage(message));
            }
        }
    }
    Ok(())
}

fn expected(setting: &str) -> String {
    format!("{}: expected NAME=LOW,HIGH with LOW below HIGH", text::label(setting))
}

fn number(word: &str) -> Option<f64> {
    word.trim().parse().ok().filter(|x: &f64| !x.is_nan())
}
