//! One file a command, each thin: arguments in, library calls, a report out.

pub mod asimov;
pub mod audit;
pub mod bench;
pub mod blind_args;
mod bounds;
pub mod build;
pub mod build_args;
pub mod change_args;
pub mod combine;
pub mod completions;
pub mod conformance;
pub mod convert;
pub mod diff;
pub mod digest;
pub mod eft;
pub mod evaluate;
pub mod fit;
pub mod gof;
pub mod hs3_args;
pub mod hypotest;
pub mod import;
pub mod input_args;
pub mod inspect;
pub mod json2xml;
pub mod limit;
mod limit_points;
pub mod minos;
pub mod model_args;
pub mod output;
pub mod patch;
pub mod patchset;
pub mod plot;
pub mod poi_args;
mod point;
pub mod progress;
pub mod prune;
pub mod pyhf_args;
pub mod ranking;
pub mod rebin;
pub mod rename;
pub mod scan;
pub mod schema;
mod selection;
pub mod significance;
pub mod sort;
pub mod source;
pub mod symmetrise;
mod toy_files;
pub mod toys;
pub mod validate;
pub mod yields;

use crate::finding::{Findings, Severity};
use crate::report::reason::Reason;
use crate::report::{finding, text};
use output::Format;
use std::io::Write;
use std::process::ExitCode;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub enum CommandError {
    /// The input called `file` is not valid or cannot be read.
    Input { file: String, findings: Findings },
    /// Several inputs, each by its name, do not go together.
    Inputs(Vec<(String, Findings)>),
    /// The input is valid, but lacks what was asked for; or output could not be written. One sentence.
    Message(String),
    /// The arguments make no sense together. One sentence.
    Usage(String),
    /// The result has been written and says what failed.
    Reported,
    /// Nobody reads the output any more (`morphist … | head`).
    OutputClosed,
}

pub type CommandResult = Result<(), CommandError>;

impl CommandError {
    pub fn input(file: &str, findings: Findings) -> CommandError {
        CommandError::Input { file: file.to_owned(), findings }
    }
}

/// Tells people on stderr what failed and turns the outcome into an exit code: 0 done; 1 the input is invalid or
/// unreadable, or the fit failed; 2 usage.
pub fn exit_code(outcome: CommandResult) -> ExitCode {
    match outcome {
        Ok(()) | Err(CommandError::OutputClosed) => ExitCode::SUCCESS,
        Err(CommandError::Reported) => ExitCode::from(1),
        Err(CommandError::Message(message)) => {
            tell(&format!("error: {}", text::escape(&message)));
            ExitCode::from(1)
        }
        Err(CommandError::Input { file, findings }) => {
            tell(finding::text(&file, &findings).trim_end());
            ExitCode::from(1)
        }
        Err(CommandError::Inputs(inputs)) => {
            for (file, findings) in inputs {
                tell(finding::text(&file, &findings).trim_end());
            }
            ExitCode::from(1)
        }
        Err(CommandError::Usage(message)) => {
            tell(&format!("error: {}\n\nFor more information, try '--help'.", text::escape(&message)));
            ExitCode::from(2)
        }
    }
}

/// Warnings about the input, in the same form as errors.
pub(crate) fn warn(file: &str, findings: &Findings) {
    let mut warnings = findings.clone();
    warnings.0.retain(|f| f.severity == Severity::Warning);
    if !warnings.0.is_empty() {
        tell(finding::text(file, &warnings).trim_end());
    }
}

/// The outcome of a command whose fit may not be valid; said on stderr where the result on stdout is for programs.
pub(crate) fn judge(valid: bool, reason: Option<&Reason>, format: Format) -> CommandResult {
    if valid {
        return Ok(());
    }
    // The table says it by itself.
    if format != Format::Table {
        note(&format!("the fit is not valid: {}", reason.map_or("no reason given", |reason| &reason.message)));
    }
    Err(CommandError::Reported)
}

/// A remark for people.
pub(crate) fn note(message: &str) {
    tell(&format!("note: {}", text::escape(message)));
}

/// Writes to stderr; a closed stderr is no reason to fail.
fn tell(message: &str) {
    let _ = writeln!(std::io::stderr(), "{message}");
}
