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
    let mut rest = bounds.into_iter();
    for set in &mut model.parameters {
        set.bounds.iter_mut().zip(&mut rest).for_each(|(own, bounds)| *own = bounds);
    }
    Ok(())
}

fn expected(setting: &str) -> String {
    format!("{}: expected NAME=LOW,HIGH with LOW below HIGH", text::label(setting))
}

fn number(word: &str) -> Option<f64> {
    word.trim().parse().ok().filter(|x: &f64| !x.is_nan())
}
