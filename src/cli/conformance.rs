//! `morphist conformance run`: asks the cases of `conformance/` of this library, or of another program.

mod after_fit;
mod case;
mod compare;
mod external;
mod hs3;
mod inference;
mod library;
mod summary;

use super::output::OutputArgs;
use super::{CommandError, CommandResult};
use case::{Case, Outcome};
use clap::{Args, Subcommand};
use globset::GlobMatcher;
use std::collections::BTreeMap;
use std::path::PathBuf;
use summary::{CaseResult, Summary};

/// Check this program, or another one, against recorded answers
#[derive(Args, Debug)]
pub struct Conformance {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Subcommand, Debug)]
pub enum Action {
    Run(Run),
}

/// Ask the cases and compare the answers; exit code 1 if one fails
#[derive(Args, Debug)]
pub struct Run {
    /// Folder with manifest.json and cases/
    #[arg(long, value_name = "DIR", default_value = "conformance")]
    pub cases: PathBuf,
    /// Ask the program that this shell command starts instead of this library (conformance/README.md)
    #[arg(long, value_name = "COMMAND")]
    pub adapter: Option<String>,
    /// Only cases whose id matches
    #[arg(long, value_name = "GLOB")]
    pub case: Option<String>,
    /// Failures that are known: a JSON map from globs of case ids to reasons
    #[arg(long, value_name = "FILE")]
    pub known: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

impl Conformance {
    pub fn run(&self) -> CommandResult {
        match &self.action {
            Action::Run(run) => run.run(),
        }
    }
}

impl Run {
    fn run(&self) -> CommandResult {
        let wanted = self.case.as_deref().map(glob).transpose()?;
        let mut cases = case::load(&self.cases).map_err(CommandError::Message)?;
        cases.retain(|case| wanted.as_ref().is_none_or(|glob| glob.is_match(&case.id)));
        if cases.is_empty() {
            return Err(CommandError::Message("no case has such an id".to_owned()));
        }
        let known = self.known()?;
        let requests = case::requests(&self.cases, &cases).map_err(CommandError::Message)?;
        let outcomes = match &self.adapter {
            Some(command) => external::ask(command, &requests).map_err(CommandError::Message)?,
            None => requests.iter().map(library::answer).collect(),
        };
        let program = self.adapter.clone().unwrap_or_else(|| format!("morphist {}", env!("CARGO_PKG_VERSION")));
        let results = cases.iter().zip(&outcomes).map(|(case, outcome)| judge(case, outcome, &known)).collect();
        let summary = Summary::new(program, results);
        self.output.write(&summary, || summary.page())?;
        if summary.failed == 0 { Ok(()) } else { Err(CommandError::Reported) }
    }

    /// The globs of known failures with their reasons.
    fn known(&self) -> Result<Vec<(GlobMatcher, String)>, CommandError> {
        let Some(path) = &self.known else { return Ok(Vec::new()) };
        let message = |e: String| CommandError::Message(format!("{}: {e}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|e| message(e.to_string()))?;
        let map: BTreeMap<String, String> = serde_json::from_str(&text).map_err(|e| message(e.to_string()))?;
        map.into_iter().map(|(pattern, reason)| Ok((glob(&pattern)?, reason))).collect()
    }
}

fn glob(pattern: &str) -> Result<GlobMatcher, CommandError> {
    let glob = globset::Glob::new(pattern).map_err(|e| CommandError::Usage(e.to_string()))?;
    Ok(glob.compile_matcher())
}

fn judge(case: &Case, outcome: &Outcome, known: &[(GlobMatcher, String)]) -> CaseResult {
    if let Outcome::Unsupported(reason) = outcome {
        return CaseResult::unsupported(case, reason.clone());
    }
    let differences = compare::differences(case, outcome);
    let reason = known.iter().find(|(glob, _)| glob.is_match(&case.id)).map(|(_, reason)| reason.clone());
    CaseResult::new(case, differences, reason)
}
