//! `morphist convert`: a document in another format, or in the words of another program.

use super::build_args::BuildArgs;
use super::eft::expand::expanded;
use super::input_args::{InputArgs, file_name, folder_of};
use super::output::write_json;
use super::source::{Hs3Source, Source};
use super::{CommandError, CommandResult, warn};
use crate::convert::expand::Layers;
use crate::convert::{self, Converted, Loss, Losses, Target};
use crate::document::{Document, hs3};
use crate::finding::{Finding, Findings};
use crate::report::convert::ConvertReport;
use crate::rule;
use crate::translate::from_hs3::Hs3Options;
use crate::translate::from_pyhf::ModelOptions;
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::PathBuf;

/// Convert a workspace to HS3, HS3 to a workspace, or HS3 to the HS3 that one program reads
#[derive(Args, Debug)]
pub struct Convert {
    /// Workspace or HS3 document, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "INPUT")]
    pub document: PathBuf,
    /// Format of the result [default: hs3 of a workspace; of HS3 a workspace, or hs3 with --target]
    #[arg(long, value_enum)]
    pub to: Option<Format>,
    /// Who is to read the HS3 that is written [default: hs3]
    #[arg(long, value_enum)]
    pub target: Option<TargetArg>,
    /// Write even where this is lost: ids of rules such as W461, or all of them
    #[arg(long, value_name = "RULE,…", value_delimiter = ',', num_args = 0..=1, default_missing_value = "all")]
    pub allow_loss: Vec<String>,
    /// Write what was lost or changed to FILE as JSON; it is always told on standard error
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Write the document to FILE instead of standard output
    #[arg(long, visible_alias = "output", value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub build: BuildArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The HEP Statistics Serialization Standard
    Hs3,
    /// A pyhf workspace
    Pyhf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TargetArg {
    /// The standard as its newest text has it
    Hs3,
    /// ROOT 6.40.00
    #[value(name = "root-6.40")]
    Root640,
    /// pyhs3 0.4.2
    Pyhs3,
}

impl Convert {
    pub fn run(&self) -> CommandResult {
        self.input.check_stdin(&[&self.document])?;
        let name = file_name(&self.document);
        let allowed = allowed(&self.allow_loss)?;
        let document = self.input.reading.read(&self.document)?;
        let is_hs3 = hs3::is_hs3(&document);
        let to = self.to.unwrap_or(if is_hs3 && self.target.is_none() { Format::Pyhf } else { Format::Hs3 });
        let target = Target::from(self.target.unwrap_or(TargetArg::Hs3));
        let mut converted = match (is_hs3, to) {
            (_, Format::Pyhf) if self.target.is_some() => {
                return Err(CommandError::Usage("--target is for --to hs3: a workspace has one form".to_owned()));
            }
            (false, Format::Pyhf) => {
                let message = format!("{name} is a pyhf workspace already: give --to hs3");
                return Err(CommandError::Message(message));
            }
            (false, Format::Hs3) => self.pyhf_to_hs3(document, target)?,
            (true, to) => self.hs3_to(document, to, target)?,
        };
        converted.losses.allow(&allowed);
        let written = converted.losses.0.is_valid();
        if let Some(file) = self.report.as_deref() {
            let form = if to == Format::Hs3 { target.to_string() } else { "pyhf".to_owned() };
            write_json(&ConvertReport::new(&converted.losses.0, &form, written), Some(file))?;
        }
        if !written {
            return Err(CommandError::input(&name, converted.losses.0));
        }
        warn(&name, &converted.losses.0);
        write_json(&converted.document, self.output_file.as_deref())
    }

    fn pyhf_to_hs3(&self, document: Document, target: Target) -> Result<Converted, CommandError> {
        let name = file_name(&self.document);
        let loaded = self.input.load_document(document, &self.input.wide_scope())?;
        let loaded = loaded.into_workspace("convert", &self.document)?;
        warn(&name, &loaded.warnings);
        let folder = Some(folder_of(&self.document).to_path_buf());
        let options = ModelOptions { folder, ..self.build.options(&self.input)? };
        let converted = convert::pyhf_to_hs3(&loaded.workspace, &options, target);
        located(converted, &name, |findings| loaded.locate(findings))
    }

    fn hs3_to(&self, document: Document, to: Format, target: Target) -> Result<Converted, CommandError> {
        let name = file_name(&self.document);
        let (value, source) = self.input.load_with_value(document, &self.input.wide_scope())?;
        let Source::Hs3(source) = source else {
            return Err(CommandError::Message(format!("{name} is no HS3 document")));
        };
        let read = &source.document;
        warn(&name, &read.warnings);
        if read.misc.contains_key(hs3::MISC_KEY) {
            return self.extension_to(*source, to, target);
        }
        let options = self.input.hs3.options(read, self.input.measurement.as_deref())?;
        let options = Hs3Options { poi: self.build.poi.clone(), ..options };
        let converted = match to {
            Format::Pyhf => convert::hs3_to_pyhf(read, &options),
            Format::Hs3 => convert::hs3_to_hs3(&value, read, &options, target),
        };
        located(converted, &name, |findings| source.locate(findings))
    }

    /// The EFT document that an HS3 file holds, by itself or expanded anew: what stands beside it is made of it.
    fn extension_to(&self, source: Hs3Source, to: Format, target: Target) -> Result<Converted, CommandError> {
        let own = Source::Hs3(Box::new(source)).into_extension(&self.input, &self.document)?;
        let (document, notes) = match (to, own) {
            (Format::Pyhf, Source::Workspace(own)) => {
                let lost = own.max_np_order.map(|order| {
                    let found = format!("the end of all responses at order {order} in 1/Λ²");
                    Finding::new(&rule::CONVERT_LOST, found, "a truncation that modifiers declare, or --truncation")
                });
                (json!(own.workspace), Findings(lost.into_iter().collect()))
            }
            (_, own) => {
                let layers = |max_np_order| Layers::Both { max_np_order };
                let expansion = expanded(&self.document, &self.input, &self.build, own, target, layers)?;
                (expansion.document, expansion.notes)
            }
        };
        Ok(Converted { document, losses: Losses(notes) })
    }
}

/// The rules whose losses are allowed.
pub(super) fn allowed(ids: &[String]) -> Result<Vec<Loss>, CommandError> {
    let read = |id: &String| match id.as_str() {
        "all" => Ok(Loss::All),
        _ => match convert::LOSSES.iter().find(|rule| rule.id == *id) {
            Some(rule) => Ok(Loss::Of(rule.id)),
            None => {
                let ids: Vec<&str> = convert::LOSSES.iter().map(|rule| rule.id).collect();
                Err(CommandError::Usage(format!("--allow-loss {id}: expected all, or {}", ids.join(", "))))
            }
        },
    };
    ids.iter().map(read).collect()
}

/// What came of a conversion, its findings with the places in the text that was converted.
fn located(
    converted: crate::finding::Result<Converted>,
    file: &str,
    locate: impl Fn(&mut Findings),
) -> Result<Converted, CommandError> {
    match converted {
        Ok(mut converted) => {
            locate(&mut converted.losses.0);
            Ok(converted)
        }
        Err(mut findings) => {
            locate(&mut findings);
            Err(CommandError::input(file, findings))
        }
    }
}

impl From<TargetArg> for Target {
    fn from(target: TargetArg) -> Target {
        match target {
            TargetArg::Hs3 => Target::Canonical,
            TargetArg::Root640 => Target::Root640,
            TargetArg::Pyhs3 => Target::Pyhs3,
        }
    }
}
