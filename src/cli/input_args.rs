//! Reading a document with its patches, the same in every command.

use super::hs3_args::Hs3Args;
use super::source::{Hs3Source, Source};
use super::{CommandError, note, warn};
use crate::translate::from_pyhf::Compat;
use crate::{document, workspace};
use clap::{Args, ValueEnum};
use document::hs3::{Hs3Document, is_hs3};
use document::sourced_patch::SourcedPatch;
use document::{Document, Limits};
use serde_json::Value;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use workspace::{Measurements, Scope};

/// Options of every command that reads a workspace or an HS3 document.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Input")]
pub struct InputArgs {
    /// JSON Patch (RFC 6902) applied to the document; may be given several times, in order
    #[arg(short, long = "patch", value_name = "FILE")]
    pub patches: Vec<PathBuf>,
    /// Patchset of which one point (--name) is applied, after its digests are verified
    #[arg(long, value_name = "FILE")]
    pub patchset: Option<PathBuf>,
    /// Name of the patchset's point
    #[arg(long, value_name = "NAME", requires = "patchset")]
    pub name: Option<String>,
    /// Apply the patchset's point even if the digests are not those of this workspace
    #[arg(long, requires = "patchset")]
    pub no_verify: bool,
    /// Measurement by name [default: the first]; of an HS3 document an analysis, or a likelihood [default: the only one]
    #[arg(long, visible_alias = "analysis", value_name = "NAME")]
    pub measurement: Option<String>,
    #[command(flatten)]
    pub reading: ReadingArgs,
    #[command(flatten)]
    pub hs3: Hs3Args,
}

/// Options of everything that is read.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Input")]
pub struct ReadingArgs {
    /// Whose rules decide what is an error
    #[arg(long, value_enum, default_value_t = CompatArg::Strict)]
    pub compat: CompatArg,
    /// Largest document that is read, unpacked: bytes, or with KB, MB, GB
    #[arg(long, value_name = "SIZE", default_value = "512MB", value_parser = size)]
    pub max_size: usize,
    /// Deepest nesting of a document
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = depth)]
    pub max_depth: usize,
}

/// See spec/validation.md, "Compatibility".
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CompatArg {
    /// What pyhf lets through as nonsense is an error
    Strict,
    /// Quirks of pyhf 0.7.6 are reproduced
    Pyhf,
}

impl ReadingArgs {
    pub fn limits(&self) -> Limits {
        Limits { max_size: self.max_size, max_depth: self.max_depth }
    }

    pub fn compat(&self) -> Compat {
        match self.compat {
            CompatArg::Strict => Compat::Strict,
            CompatArg::Pyhf => Compat::Pyhf,
        }
    }

    /// Reads one JSON document; `-` is standard input.
    pub fn read(&self, path: &Path) -> Result<Document, CommandError> {
        if path == Path::new("-") && std::io::stdin().is_terminal() {
            note("reading standard input");
        }
        Document::from_path(path, &self.limits()).map_err(|f| CommandError::input(&file_name(path), f))
    }
}

impl InputArgs {
    /// The rules for one measurement, which is what models are built of.
    pub fn scope(&self) -> Scope {
        let measurements = self.measurement.clone().map_or(Measurements::First, Measurements::Named);
        Scope { compat: self.reading.compat(), measurements }
    }

    /// The rules for the named measurement, or for all.
    pub fn wide_scope(&self) -> Scope {
        let measurements = self.measurement.clone().map_or(Measurements::All, Measurements::Named);
        Scope { measurements, ..self.scope() }
    }

    /// Whether the document is used as it stands in the file.
    pub fn is_unpatched(&self) -> bool {
        self.patches.is_empty() && self.patchset.is_none()
    }

    /// A usage error if standard input is to be read twice; `others` are the files that this does not know of.
    pub fn check_stdin(&self, others: &[&Path]) -> Result<(), CommandError> {
        let own = self.patches.iter().chain(&self.patchset).map(PathBuf::as_path);
        if own.chain(others.iter().copied()).filter(|path| *path == Path::new("-")).count() > 1 {
            let message = "two inputs are -, and standard input can be read once: give a file for one of them";
            return Err(CommandError::Usage(message.to_owned()));
        }
        Ok(())
    }

    /// The document with all patches applied: the patchset's point first, then the patches in order. What is wrong with
    /// a patch is told of the patch's own file.
    pub fn patched(&self, document: Document) -> Result<Value, CommandError> {
        let limits = *document.limits();
        let file = file_name(Path::new(&document.name));
        let mut value = document.value().map_err(|f| CommandError::input(&file, f))?;
        drop(document);
        for patch in self.read_patches(&value)? {
            let file = file_name(Path::new(&patch.name));
            value = patch.apply(value, &limits).map_err(|f| CommandError::input(&file, f))?;
        }
        Ok(value)
    }

    fn read_patches(&self, workspace: &Value) -> Result<Vec<SourcedPatch>, CommandError> {
        let mut patches = Vec::new();
        if self.patchset.is_some() && self.name.is_none() {
            let message = "--patchset needs --name: which of its points?";
            return Err(CommandError::Usage(message.to_owned()));
        }
        if let (Some(path), Some(point)) = (&self.patchset, &self.name) {
            let document = self.reading.read(path)?;
            if self.no_verify {
                note("the patchset's digests were not verified");
            }
            let workspace = (!self.no_verify).then_some(workspace);
            let patch = SourcedPatch::of_patchset(document, point, workspace);
            patches.push(patch.map_err(|f| CommandError::input(&file_name(path), f))?);
        }
        for path in &self.patches {
            let patch = SourcedPatch::of_patch(self.reading.read(path)?);
            patches.push(patch.map_err(|f| CommandError::input(&file_name(path), f))?);
        }
        Ok(patches)
    }

    /// The validated document; warnings go to stderr.
    pub fn load(&self, path: &Path) -> Result<Source, CommandError> {
        let loaded = self.load_quietly(path)?;
        warn(&file_name(path), loaded.warnings());
        Ok(loaded)
    }

    /// As [`InputArgs::load`], with the EFT document of an HS3 file in the place of its expansion.
    pub fn load_extension(&self, path: &Path) -> Result<Source, CommandError> {
        self.load(path)?.into_extension(self, path)
    }

    /// The validated document with its warnings.
    pub fn load_quietly(&self, path: &Path) -> Result<Source, CommandError> {
        self.load_document(self.reading.read(path)?, &self.scope())
    }

    /// Applies the patches and checks the result.
    pub fn load_document(&self, document: Document, scope: &Scope) -> Result<Source, CommandError> {
        let file = file_name(Path::new(&document.name));
        let fail = |f| CommandError::input(&file, f);
        if is_hs3(&document) {
            return self.load_hs3(document).map(|source| Source::Hs3(Box::new(source)));
        }
        self.check_for_workspace(&file)?;
        let loaded = if self.is_unpatched() {
            workspace::load(document, &[], scope)
        } else {
            workspace::load_value(self.patched(document)?, scope)
        };
        loaded.map(Source::Workspace).map_err(fail)
    }

    /// As [`InputArgs::load_document`], with the tree of what was read.
    pub fn load_with_value(&self, document: Document, scope: &Scope) -> Result<(Value, Source), CommandError> {
        let file = file_name(Path::new(&document.name));
        let fail = |f| CommandError::input(&file, f);
        if self.is_unpatched() {
            let value = document.value().map_err(fail)?;
            return Ok((value, self.load_document(document, scope)?));
        }
        let is_hs3 = is_hs3(&document);
        match is_hs3 {
            true => self.check_for_hs3()?,
            false => self.check_for_workspace(&file)?,
        }
        let value = self.patched(document)?;
        let source = match is_hs3 {
            true => Source::Hs3(Box::new(self.read_hs3(&value).map_err(fail)?)),
            false => Source::Workspace(workspace::load_value(value.clone(), scope).map_err(fail)?),
        };
        Ok((value, source))
    }

    /// Applies the patches and reads the result as an HS3 document.
    pub fn load_hs3(&self, document: Document) -> Result<Hs3Source, CommandError> {
        self.check_for_hs3()?;
        let file = file_name(Path::new(&document.name));
        let fail = |f| CommandError::input(&file, f);
        if self.is_unpatched() {
            let read = Hs3Document::from_document(&document, &self.hs3.reading()).map_err(fail)?;
            return Ok(Hs3Source { document: read, text: Some(document.text) });
        }
        self.read_hs3(&self.patched(document)?).map_err(fail)
    }

    /// The tree of an HS3 document, such as a patched one.
    pub fn read_hs3(&self, value: &Value) -> crate::finding::Result<Hs3Source> {
        Hs3Document::from_value(value, &self.hs3.reading()).map(|document| Hs3Source { document, text: None })
    }

    /// A usage error where an option has no meaning for an HS3 document.
    pub fn check_for_hs3(&self) -> Result<(), CommandError> {
        let wrong = |flag: &str, why: &str| Err(CommandError::Usage(format!("{flag}: {why}")));
        if self.patchset.is_some() {
            return wrong(
                "--patchset",
                "its points belong to a workspace, by its digests; give --patch for an HS3 document",
            );
        }
        if self.reading.compat == CompatArg::Pyhf {
            return wrong(
                "--compat pyhf",
                "pyhf reads no HS3; --dialect says whose conventions an HS3 document follows",
            );
        }
        Ok(())
    }

    /// A usage error where an option has a meaning for HS3 documents alone.
    pub fn check_for_workspace(&self, file: &str) -> Result<(), CommandError> {
        match self.hs3.given() {
            Some(flag) => Err(CommandError::Usage(format!("{flag}: {file} is no HS3 document"))),
            None => Ok(()),
        }
    }
}

/// How a file is called in messages.
pub fn file_name(path: &Path) -> String {
    if path == Path::new("-") { "<stdin>".to_owned() } else { path.display().to_string() }
}

/// Where the event databases of a document lie: beside it, or in the current folder where it comes from standard input.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// `512MB`, `2G`, `1000`: a number of bytes, suffixes powers of 1000.
fn size(text: &str) -> Result<usize, String> {
    let upper = text.trim().to_ascii_uppercase();
    let digits = upper.trim_end_matches('B');
    let (number, unit) = match digits.chars().last() {
        Some('K') => (&digits[..digits.len() - 1], 1_000),
        Some('M') => (&digits[..digits.len() - 1], 1_000_000),
        Some('G') => (&digits[..digits.len() - 1], 1_000_000_000),
        _ => (digits, 1),
    };
    let number: usize = number.trim().parse().map_err(|_| "expected a number of bytes such as 512MB".to_owned())?;
    number.checked_mul(unit).ok_or_else(|| "too large".to_owned())
}

fn depth(text: &str) -> Result<usize, String> {
    text.trim().parse().map_err(|_| "expected a whole number, 0 or above".to_owned())
}
