//! The Wilson coefficients that a command is asked about.

use crate::cli::CommandError;
use crate::cli::model_args::Prepared;
use crate::cli::selection::select;
use crate::report::text::label;

/// The free coefficients of these names or globs, all without any, in fit order.
pub(super) fn chosen(prepared: &Prepared, names: &[String]) -> Result<Vec<usize>, CommandError> {
    let all = prepared.model.parameter_names();
    let mut chosen: Vec<usize> = match names.is_empty() {
        true => (0..all.len()).filter(|&i| prepared.is_coefficient(i) && !prepared.fixed[i]).collect(),
        false => {
            let selected: Result<Vec<_>, _> =
                names.iter().map(|name| select(&prepared.model, name).map_err(CommandError::Usage)).collect();
            selected?.into_iter().flat_map(|selection| selection.indices).collect()
        }
    };
    chosen.sort_unstable();
    chosen.dedup();
    let name = |i: usize| label(all.get(i).map_or("", String::as_str));
    if let Some(&other) = chosen.iter().find(|&&i| !prepared.is_coefficient(i)) {
        return Err(CommandError::Usage(format!("{} is no Wilson coefficient of this document", name(other))));
    }
    if let Some(&fixed) = chosen.iter().find(|&&i| prepared.fixed[i]) {
        return Err(CommandError::Usage(format!("{} is fixed: it has no interval", name(fixed))));
    }
    Ok(chosen)
}
