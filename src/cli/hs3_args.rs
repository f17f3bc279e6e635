//! What is chosen for HS3 documents: a likelihood, and the conventions of the program that wrote the file.

use super::CommandError;
use crate::document::hs3::{Dialect, Hs3Document, ReadOptions};
use crate::report::text;
use crate::translate::from_hs3::{Hs3Options, Overrides, ShapesysValues};
use clap::Args;
use std::collections::BTreeMap;

/// Options that only HS3 documents take.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "HS3 documents")]
pub struct Hs3Args {
    /// Likelihood by its own name, or * for all of them as one [default: that of the analysis, or the only one]
    #[arg(long, value_name = "NAME")]
    pub likelihood: Option<String>,
    /// Whose conventions count: hs3, root, root-VERSION, pyhs3 or hs3.jl [default: those of the program in metadata]
    #[arg(long, value_name = "PROGRAM")]
    pub dialect: Option<Dialect>,
    /// What is read leniently is an error
    #[arg(long)]
    pub strict: bool,
    /// All conventions of RooFit, also where ROOT did not write the document
    #[arg(long, overrides_with = "no_root_compat")]
    pub root_compat: bool,
    /// None of them
    #[arg(long)]
    pub no_root_compat: bool,
    /// Single conventions, yes or no: clip_templates, truncate_constraints, channel_offset, widths_from_ranges,
    /// root_densities; and shapesys_values=absolute, relative or tau
    #[arg(long, value_name = "NAME=VALUE,…", value_delimiter = ',')]
    pub convention: Vec<String>,
}

impl Hs3Args {
    /// The first option that is given, none of which means anything to a workspace.
    pub fn given(&self) -> Option<&'static str> {
        let flags = [
            (self.likelihood.is_some(), "--likelihood"),
            (self.dialect.is_some(), "--dialect"),
            (self.strict, "--strict"),
            (self.root_compat, "--root-compat"),
            (self.no_root_compat, "--no-root-compat"),
            (!self.convention.is_empty(), "--convention"),
        ];
        flags.into_iter().find(|(given, _)| *given).map(|(_, flag)| flag)
    }

    pub fn reading(&self) -> ReadOptions {
        ReadOptions { dialect: self.dialect, strict: self.strict }
    }

    /// The options for a document. `name` is that of an analysis, or else of a likelihood.
    pub fn options(&self, document: &Hs3Document, name: Option<&str>) -> Result<Hs3Options, CommandError> {
        let is_likelihood = |name: &&str| {
            let is_analysis = document.analyses.iter().any(|analysis| analysis.name == *name);
            !is_analysis && document.likelihoods.iter().any(|likelihood| likelihood.name == *name)
        };
        let likelihood = name.filter(is_likelihood);
        if let (Some(name), Some(other)) = (likelihood, self.likelihood.as_deref().filter(|other| Some(*other) != name))
        {
            let (name, other) = (text::label(name), text::label(other));
            let message = format!("--measurement {name} and --likelihood {other} contradict each other");
            return Err(CommandError::Usage(message));
        }
        Ok(Hs3Options {
            analysis: name.filter(|_| likelihood.is_none()).map(str::to_owned),
            likelihood: likelihood.map(str::to_owned).or_else(|| self.likelihood.clone()),
            poi: None,
            folder: None,
            max_np_order: None,
            strict: self.strict,
            overrides: self.overrides()?,
        })
    }

    /// What replaces the conventions of the dialect.
    pub fn overrides(&self) -> Result<Overrides, CommandError> {
        let all = match (self.root_compat, self.no_root_compat) {
            (false, false) => None,
            (root, _) => Some(root),
        };
        let mut overrides = Overrides {
            clip_templates: all,
            truncate_constraints: all,
            // Part of RooFit's number, which no convention of the document moves.
            channel_offset: None,
            widths_from_ranges: all,
            root_densities: all,
            shapesys_values: None,
        };
        let mut chosen = BTreeMap::new();
        for choice in &self.convention {
            set(&mut overrides, choice)?;
            let name = choice.split('=').next().unwrap_or_default();
            if let Some(first) = chosen.insert(name, choice).filter(|first| *first != choice) {
                let (first, choice) = (text::label(first), text::label(choice));
                return Err(CommandError::Usage(format!("--convention: {first} and {choice} contradict each other")));
            }
        }
        Ok(overrides)
    }
}

fn set(overrides: &mut Overrides, choice: &str) -> Result<(), CommandError> {
    let wrong = || {
        CommandError::Usage(format!(
            "--convention {}: expected clip_templates, truncate_constraints, channel_offset, widths_from_ranges or \
             root_densities with =yes or =no, or shapesys_values=absolute, relative or tau",
            text::label(choice)
        ))
    };
    let (name, value) = choice.split_once('=').ok_or_else(wrong)?;
    if name == "shapesys_values" {
        overrides.shapesys_values = Some(match value {
            "absolute" => ShapesysValues::Absolute,
            "relative" => ShapesysValues::Relative,
            "tau" => ShapesysValues::Tau,
            _ => return Err(wrong()),
        });
        return Ok(());
    }
    let value = match value {
        "yes" => true,
        "no" => false,
        _ => return Err(wrong()),
    };
    let slot = match name {
        "clip_templates" => &mut overrides.clip_templates,
        "truncate_constraints" => &mut overrides.truncate_constraints,
        "channel_offset" => &mut overrides.channel_offset,
        "widths_from_ranges" => &mut overrides.widths_from_ranges,
        "root_densities" => &mut overrides.root_densities,
        _ => return Err(wrong()),
    };
    *slot = Some(value);
    Ok(())
}
