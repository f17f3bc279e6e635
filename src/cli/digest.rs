//! `morphist digest`: hashes of what a document says.

use super::input_args::{ReadingArgs, file_name};
use super::output::{write_bytes, write_json};
use super::{CommandError, CommandResult};
use crate::document::digest::{Algorithm, digest};
use crate::document::hs3::{Hs3Document, ReadOptions, is_hs3};
use crate::document::workspace::Workspace;
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Digests of a workspace or an HS3 document, the same however its text is laid out
#[derive(Args, Debug)]
pub struct Digest {
    /// Workspace or HS3 document, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Hash function as Python's hashlib names it, such as md5; may be given several times
    #[arg(short, long, value_name = "NAME", default_value = "sha256", value_parser = algorithm)]
    pub algorithm: Vec<Algorithm>,
    /// Write the digests as a JSON object
    #[arg(short, long, overrides_with = "plaintext")]
    pub json: bool,
    /// Write a line for each digest, as by default
    #[arg(short, long)]
    pub plaintext: bool,
    /// Write the digests to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

impl Digest {
    pub fn run(&self) -> CommandResult {
        let fail = |findings| CommandError::input(&file_name(&self.workspace), findings);
        let document = self.reading.read(&self.workspace)?;
        match is_hs3(&document) {
            true => drop(Hs3Document::from_document(&document, &ReadOptions::default()).map_err(fail)?),
            false => drop(Workspace::from_document(&document).map_err(fail)?),
        }
        let value = document.value().map_err(fail)?;
        let mut digests: Vec<(&str, String)> = Vec::new();
        for algorithm in &self.algorithm {
            if digests.iter().all(|(name, _)| *name != algorithm.name()) {
                digests.push((algorithm.name(), digest(&value, *algorithm)));
            }
        }
        let file = self.output_file.as_deref();
        if self.json {
            return write_json(&digests.into_iter().collect::<BTreeMap<_, _>>(), file);
        }
        let lines: String = digests.iter().map(|(name, digest)| format!("{name}:{digest}\n")).collect();
        write_bytes(lines.as_bytes(), file)
    }
}

fn algorithm(name: &str) -> Result<Algorithm, String> {
    let names: Vec<&str> = Algorithm::ALL.iter().map(Algorithm::name).collect();
    Algorithm::from_name(name).ok_or_else(|| format!("expected one of {}", names.join(", ")))
}
