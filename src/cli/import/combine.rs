//! `morphist import combine`: a datacard of CMS Combine.

use crate::cli::convert::{Format, allowed};
use crate::cli::input_args::{file_name, folder_of};
use crate::cli::output::write_json;
use crate::cli::{CommandError, CommandResult, note, warn};
use crate::convert::{self, Content, Converted, Target};
use crate::document::{Limits, read_bytes};
use crate::finding::{Finding, Findings};
use crate::import::datacard::{self, DatacardOptions};
use crate::root_file::RootFile;
use crate::rule;
use clap::Args;
use std::path::{Path, PathBuf};

/// Read a datacard of CMS Combine, with its ROOT files, as HS3 or as a pyhf workspace
///
/// The likelihood is Combine's, as spec/combine-datacards.md has it: what has no exact form is named with its line, and
/// nothing is written.
#[derive(Args, Debug)]
pub struct Combine {
    /// The card; - is standard input
    #[arg(value_name = "DATACARD")]
    datacard: PathBuf,
    /// Write the document to FILE instead of standard output
    #[arg(short, long = "out", visible_aliases = ["output-file", "output"], value_name = "FILE")]
    out: Option<PathBuf>,
    /// What $MASS stands for in the lines shapes
    #[arg(short, long, value_name = "NUMBER", allow_hyphen_values = true)]
    mass: Option<f64>,
    /// Format of the result [default: pyhf where that says all, else hs3]
    #[arg(long, value_enum)]
    to: Option<Format>,
    /// Write even where this is lost: ids of rules such as W460, or all of them
    #[arg(long, value_name = "RULE,…", value_delimiter = ',', num_args = 0..=1, default_missing_value = "all")]
    allow_loss: Vec<String>,
}

impl Combine {
    pub fn run(&self) -> CommandResult {
        let allowed = allowed(&self.allow_loss)?;
        let name = file_name(&self.datacard);
        let fail = |findings: Findings| CommandError::input(&name, findings);
        let bytes = read_bytes(&self.datacard, &Limits::default()).map_err(fail)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| fail(Finding::new(&rule::ENCODING, "bytes that are no UTF-8", "text").into()))?;
        let folder = folder_of(&self.datacard).to_path_buf();
        let mut open = |file: &str| open(file, &folder);
        let card = datacard::read(&text, &DatacardOptions { mass: self.mass }, &mut open).map_err(fail)?;
        warn(&name, &card.warnings);
        let mut converted = self.convert(&card.content).map_err(fail)?;
        converted.losses.allow(&allowed);
        if !converted.losses.0.is_valid() {
            return Err(fail(converted.losses.0));
        }
        warn(&name, &converted.losses.0);
        write_json(&converted.document, self.out.as_deref())
    }

    fn convert(&self, content: &Content) -> Result<Converted, Findings> {
        let hs3 = || convert::content_to_hs3(content, Target::Canonical);
        match self.to {
            Some(Format::Pyhf) => convert::content_to_pyhf(content),
            None => match convert::content_to_pyhf(content) {
                Ok(converted) if converted.losses.0.is_valid() => Ok(converted),
                _ => {
                    note("written as HS3: a pyhf workspace has no exact form of this card");
                    hs3()
                }
            },
            Some(Format::Hs3) => hs3(),
        }
    }
}

/// A file as it is named, else beside the card: Combine's order.
fn open(file: &str, folder: &Path) -> Result<RootFile, String> {
    let path = Path::new(file);
    let path = if path.exists() || path.is_absolute() { path.to_path_buf() } else { folder.join(path) };
    let bytes = read_bytes(&path, &Limits::default())
        .map_err(|findings| findings.0.first().map_or_else(String::new, |finding| finding.found.clone()))?;
    RootFile::from_bytes(bytes).map_err(|error| error.0)
}
