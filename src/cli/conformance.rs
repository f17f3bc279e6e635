//! `morphist conformance run`: asks the cases of `conformance/` of this library, or of another program.

mod after_fit;
mod case;
mod compare;
mod external;
mod hs3;
mod inference;
mod library;
mod matrix;
mod operations;
mod serve;
mod summary;

use super::output::OutputArgs;
use super::{CommandError, CommandResult, note};
use case::{Case, Outcome, Request};
use clap::{Args, Subcommand};
use globset::GlobMatcher;
use matrix::Matrix;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
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
    /// Answer requests as an adapter: a line of JSON each, from standard input to standard output
    Serve,
}

/// Ask the cases and compare the answers; exit code 1 if one fails
#[derive(Args, Debug)]
pub struct Run {
    /// Folder with manifest.json and cases/
    #[arg(long, value_name = "DIR", default_value = "conformance")]
    pub cases: PathBuf,
    /// Ask the program that this shell command starts instead of this library (conformance/README.md); several times with
    /// --matrix
    #[arg(long, value_name = "[NAME=]COMMAND")]
    pub adapter: Vec<String>,
    /// Only cases whose id matches
    #[arg(long, value_name = "GLOB")]
    pub case: Option<String>,
    /// Failures that are known: a JSON map from globs of case ids to reasons; one file for each adapter, in their order
    #[arg(long, value_name = "FILE")]
    pub known: Vec<PathBuf>,
    /// Write the answers of this library and of all adapters side by side to FILE: .md, .html or .json
    #[arg(long, value_name = "FILE")]
    pub matrix: Vec<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

impl Conformance {
    pub fn run(&self) -> CommandResult {
        match &self.action {
            Action::Run(run) => run.run(),
            Action::Serve => serve::serve(),
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
        let lacking: Vec<String> = cases.iter().filter_map(case::missing).collect();
        if let Some(first) = lacking.first() {
            note(&format!("{} cases are left out: {first}", lacking.len()));
            cases.retain(|case| case::missing(case).is_none());
        }
        let requests = case::requests(&self.cases, &cases).map_err(CommandError::Message)?;
        if !self.matrix.is_empty() {
            return self.compare_programs(&cases, &requests);
        }
        if self.adapter.len() > 1 || self.known.len() > 1 {
            return Err(CommandError::Usage("several adapters go with --matrix FILE".to_owned()));
        }
        let known = known(self.known.first())?;
        let command = self.adapter.first().map(|adapter| named(adapter).1);
        let program = command.map_or_else(|| format!("morphist {}", env!("CARGO_PKG_VERSION")), str::to_owned);
        let summary = summary(command, program, &cases, &requests, &known)?;
        self.output.write(&summary, || summary.page())?;
        if summary.failed == 0 { Ok(()) } else { Err(CommandError::Reported) }
    }

    /// This library first, then the adapters, each with its file of known failures.
    fn compare_programs(&self, cases: &[Case], requests: &[Request]) -> CommandResult {
        let mut programs = Vec::new();
        let own = format!("morphist {}", env!("CARGO_PKG_VERSION"));
        programs.push(("morphist".to_owned(), own.clone(), summary(None, own, cases, requests, &[])?));
        for (at, adapter) in self.adapter.iter().enumerate() {
            let (name, command) = named(adapter);
            let known = known(self.known.get(at))?;
            let version = version(command).map_err(CommandError::Message)?;
            let summary = summary(Some(command), command.to_owned(), cases, requests, &known)?;
            programs.push((name.to_owned(), version, summary));
        }
        let matrix = Matrix::new(chrono::Utc::now().format("%Y-%m-%d").to_string(), &programs);
        for path in &self.matrix {
            write_matrix(&matrix, path)?;
        }
        self.output.write(&matrix, || matrix.page())?;
        let failed = programs.iter().any(|(.., summary)| summary.failed > 0);
        if failed { Err(CommandError::Reported) } else { Ok(()) }
    }
}

/// A name and a shell command; without a name the command is both. What is before the first `=` of a command that sets a
/// variable is no name.
fn named(adapter: &str) -> (&str, &str) {
    match adapter.split_once('=') {
        Some((name, command)) if !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '/') => {
            (name, command)
        }
        _ => (adapter, adapter),
    }
}

/// What a program says of itself.
fn version(command: &str) -> Result<String, String> {
    let input = serde_json::Map::new();
    let about = Request {
        id: "about",
        operation: "about",
        documents: BTreeMap::new(),
        folders: BTreeMap::new(),
        input: &input,
    };
    let outcome = external::ask(command, &[about])?.into_iter().next();
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(match outcome {
        Some(Outcome::Result(value)) => {
            format!("{} {}", text(&value, "program"), text(&value, "version")).trim().to_owned()
        }
        _ => "it does not say its version".to_owned(),
    })
}

fn write_matrix(matrix: &Matrix, path: &Path) -> CommandResult {
    let text = match path.extension().and_then(|extension| extension.to_str()) {
        Some("md") => matrix.markdown(),
        Some("html") => matrix.html(),
        Some("json") => serde_json::to_string_pretty(matrix).map_err(|e| CommandError::Message(e.to_string()))? + "\n",
        _ => return Err(CommandError::Usage("--matrix: a file whose name ends with .md, .html or .json".to_owned())),
    };
    std::fs::write(path, text).map_err(|e| CommandError::Message(format!("{}: {e}", path.display())))
}

/// Asks one program all cases.
fn summary(
    command: Option<&str>,
    program: String,
    cases: &[Case],
    requests: &[Request],
    known: &[(GlobMatcher, String)],
) -> Result<Summary, CommandError> {
    let outcomes = match command {
        Some(command) => external::ask(command, requests).map_err(CommandError::Message)?,
        None => requests.iter().map(library::answer).collect(),
    };
    let results = cases.iter().zip(&outcomes).map(|(case, outcome)| judge(case, outcome, known)).collect();
    Ok(Summary::new(program, results))
}

/// The globs of known failures with their reasons.
fn known(path: Option<&PathBuf>) -> Result<Vec<(GlobMatcher, String)>, CommandError> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let message = |e: String| CommandError::Message(format!("{}: {e}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| message(e.to_string()))?;
    let map: BTreeMap<String, String> = serde_json::from_str(&text).map_err(|e| message(e.to_string()))?;
    map.into_iter().map(|(pattern, reason)| Ok((glob(&pattern)?, reason))).collect()
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
