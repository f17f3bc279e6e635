//! `morphist eft rescale`: another normalisation of a sample.

use crate::cli::input_args::{ReadingArgs, file_name};
use crate::cli::output::write_json;
use crate::cli::{CommandError, CommandResult, note, warn};
use crate::document::workspace::Workspace;
use crate::workspace::rescale::rescale;
use crate::workspace::{Scope, validate};
use clap::Args;
use std::path::PathBuf;

/// Multiply the prediction of a sample, as with a new k-factor; selection, shapes and relative uncertainties stay
#[derive(Args, Debug)]
pub struct Rescale {
    /// Workspace, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Name of the sample
    #[arg(long, value_name = "NAME")]
    pub sample: String,
    /// In this channel only [default: in all]
    #[arg(long, value_name = "NAME")]
    pub channel: Option<String>,
    /// New prediction over old
    #[arg(long, value_name = "X", value_parser = positive)]
    pub factor: f64,
    /// Write the document to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

impl Rescale {
    pub fn run(&self) -> CommandResult {
        let name = file_name(&self.workspace);
        let fail = |findings| CommandError::input(&name, findings);
        let mut value = self.reading.read(&self.workspace)?.value().map_err(fail)?;
        let n =
            rescale(&mut value, self.channel.as_deref(), &self.sample, self.factor).map_err(CommandError::Message)?;
        if n == 0 {
            return Err(CommandError::Usage(format!("{name} has no such sample: {}", self.sample)));
        }
        let workspace = Workspace::from_value(&value).map_err(fail)?;
        let findings = validate::check(&workspace, &Scope { compat: self.reading.compat(), ..Scope::default() });
        if !findings.is_valid() {
            return Err(fail(findings));
        }
        warn(&name, &findings);
        note(&format!("sample {} multiplied by {} in {n} channels", self.sample, self.factor));
        write_json(&value, self.output_file.as_deref())
    }
}

fn positive(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|x: &f64| *x > 0.0 && x.is_finite()).ok_or_else(|| "write a positive number".to_owned())
}
