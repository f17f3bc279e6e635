//! This program as an adapter: questions from standard input, answers to standard output.

use super::super::{CommandError, CommandResult};
use super::case::{Outcome, Request};
use super::library;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::PathBuf;

/// A request line.
#[derive(Deserialize)]
struct Question {
    id: String,
    operation: String,
    documents: BTreeMap<String, String>,
    #[serde(default)]
    folders: BTreeMap<String, PathBuf>,
    #[serde(default)]
    input: Map<String, Value>,
}

/// Answers one line after the other, until standard input ends.
pub fn serve() -> CommandResult {
    let (input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    for line in input.lines() {
        let line = line.map_err(|e| CommandError::Message(format!("cannot read standard input: {e}")))?;
        if line.trim().is_empty() {
            continue;
        }
        let question: Question =
            serde_json::from_str(&line).map_err(|e| CommandError::Message(format!("no request: {e}")))?;
        if writeln!(output, "{}", answer(&question)).and_then(|()| output.flush()).is_err() {
            return Err(CommandError::OutputClosed);
        }
    }
    Ok(())
}

fn answer(question: &Question) -> Value {
    let request = Request {
        id: &question.id,
        operation: &question.operation,
        documents: question.documents.iter().map(|(name, text)| (name.as_str(), text.clone())).collect(),
        folders: question.folders.iter().map(|(name, folder)| (name.as_str(), folder.clone())).collect(),
        input: &question.input,
    };
    match library::answer(&request) {
        Outcome::Result(result) => json!({"id": question.id, "result": result}),
        Outcome::Error(error) => json!({"id": question.id, "error": {"class": error.class, "message": error.message}}),
        Outcome::Unsupported(reason) => json!({"id": question.id, "unsupported": reason}),
    }
}
