//! The Wilson coefficients that a command is asked about.

use crate::cli::CommandError;
use crate::cli::minos::probability;
use crate::cli::model_args::Prepared;
use crate::cli::selection::select;
use crate::infer::interval::ONE_SIGMA;
use crate::report::text::label;
use clap::Args;
use std::path::PathBuf;

/// A document, and some of its coefficients.
#[derive(Args, Clone, Debug)]
pub struct ChosenArgs {
    /// Workspace with an EFT block, gzipped or not; - is standard input
    #[arg(value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Wilson coefficients: names or globs [default: all that are free]
    #[arg(value_name = "COEFFICIENT")]
    pub names: Vec<String>,
}

/// The same, and of which intervals.
#[derive(Args, Clone, Debug)]
pub struct IntervalArgs {
    #[command(flatten)]
    pub of: ChosenArgs,
    /// Probabilities of the intervals [default: one standard deviation, 0.6827, and 0.95]
    #[arg(long, value_name = "P", value_delimiter = ',', value_parser = probability)]
    pub level: Vec<f64>,
}

impl IntervalArgs {
    pub fn levels(&self) -> Vec<f64> {
        if self.level.is_empty() { vec![ONE_SIGMA, 0.95] } else { self.level.clone() }
    }
}

impl ChosenArgs {
    /// The free coefficients of the names or globs, all without any, in fit order.
    pub fn chosen(&self, prepared: &Prepared) -> Result<Vec<usize>, CommandError> {
        chosen(prepared, &self.names)
    }
}

fn chosen(prepared: &Prepared, names: &[String]) -> Result<Vec<usize>, CommandError> {
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
        return Err(CommandError::Usage(format!("{} is fixed: choose coefficients that are free", name(fixed))));
    }
    Ok(chosen)
}
