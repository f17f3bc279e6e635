//! `morphist symmetrise`: effects of the same size up and down.

use super::change_args::ChangeArgs;
use super::output::write_json;
use super::{CommandError, CommandResult, note};
use crate::report::symmetrise::SymmetriseReport;
use crate::workspace::edit::Selector;
use crate::workspace::edit::symmetrise::{Method, Options, symmetrise};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Make the effects of normsys and histosys the same size up and down
#[derive(Args, Debug)]
pub struct Symmetrise {
    /// Which effect counts
    #[arg(long, value_enum, default_value_t = MethodArg::Average)]
    pub method: MethodArg,
    /// Only what this fits, such as channel=SR*/sample=ttbar/modifier=JES*/type=histosys
    #[arg(long, value_name = "SELECTOR")]
    pub selector: Vec<Selector>,
    /// Only effects of one sign, or without effect at one side, in every bin
    #[arg(long)]
    pub one_sided: bool,
    /// Write what was changed to FILE as JSON
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    #[command(flatten)]
    pub change: ChangeArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MethodArg {
    /// Half the difference of both sides
    Average,
    /// That at +1σ
    Up,
    /// That at −1σ
    Down,
    /// That of the larger sum of absolute changes
    Larger,
}

impl Symmetrise {
    pub fn run(&self) -> CommandResult {
        if self.report.is_some() && self.report == self.change.output_file {
            return Err(CommandError::Usage("--report and --output-file are one file".to_owned()));
        }
        let document = self.change.read("symmetrise")?;
        let method = match self.method {
            MethodArg::Average => Method::Average,
            MethodArg::Up => Method::Up,
            MethodArg::Down => Method::Down,
            MethodArg::Larger => Method::Larger,
        };
        let compat = self.change.reading.compat();
        let options = Options { method, selectors: self.selector.clone(), one_sided: self.one_sided, compat };
        let (edited, changed) = symmetrise(&document, &options).map_err(|findings| self.change.fail(findings))?;
        note(&format!("made symmetric: {} modifier{}", changed.len(), if changed.len() == 1 { "" } else { "s" }));
        if let Some(file) = self.report.as_deref() {
            write_json(&SymmetriseReport { changed }, Some(file))?;
        }
        self.change.write(&edited)
    }
}
