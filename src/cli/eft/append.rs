//! `morphist eft append`: operators added to a database of events.

use super::edit_args::{EditArgs, fail};
use crate::cli::input_args::folder_of;
use crate::cli::{CommandError, CommandResult, note};
use crate::document::eft::MediaType;
use crate::event_database::{Extension, Join, NewCoefficient, NewColumns, extend};
use clap::Args;
use std::path::{Path, PathBuf};

/// Add columns of further operators to an event database, and write it with its new document
///
/// Where the new coefficients are zero, the likelihood of the new document is that of the old one, bit for bit.
#[derive(Args, Debug)]
pub struct Append {
    /// Workspace, gzipped or not
    #[arg(value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// File with the new columns: .parquet, or .arrow without compression
    #[arg(value_name = "COLUMNS")]
    pub columns: PathBuf,
    /// The database, where the document has several
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// A new monomial and its column, such as cHB=w_cHB or cHW*cHB=w_cHW_cHB
    #[arg(long = "term", value_name = "MONOMIAL=COLUMN", required = true, value_parser = term)]
    pub terms: Vec<(Vec<String>, String)>,
    /// A new coefficient with its bounds, and 8 behind a third colon for dimension 8, such as cHB:-2:2
    #[arg(long = "coefficient", value_name = "NAME:LOW:HIGH", value_parser = coefficient)]
    pub coefficients: Vec<NewCoefficient>,
    /// Integer column of both files by which rows are matched [default: rows in their order]
    #[arg(long, value_name = "COLUMN")]
    pub key: Option<String>,
    /// The new database (Parquet); its path from the new document becomes its uri
    #[arg(long, value_name = "FILE")]
    pub output_database: PathBuf,
    #[command(flatten)]
    pub edit: EditArgs,
}

impl Append {
    pub fn run(&self) -> CommandResult {
        let mut value = self.edit.read(&self.workspace)?;
        let folder = folder_of(&self.workspace);
        let names: Vec<String> = self.terms.iter().map(|(_, column)| column.clone()).collect();
        let media_type = match self.columns.extension().and_then(|e| e.to_str()) {
            Some("parquet") => MediaType::Parquet,
            Some("arrow" | "feather") => MediaType::Arrow,
            _ => return Err(CommandError::Usage("COLUMNS must end in .parquet or .arrow".to_owned())),
        };
        let extension = Extension {
            database: self.database.as_deref(),
            columns: NewColumns {
                path: &self.columns,
                media_type,
                names: &names,
                join: self.key.clone().map_or(Join::Row, Join::Key),
            },
            monomials: self.terms.iter().map(|(monomial, _)| monomial.clone()).collect(),
            coefficients: &self.coefficients,
            output: &self.output_database,
            uri: uri_from(self.edit.output_file.as_deref(), &self.output_database)?,
            compat: self.edit.reading.compat(),
        };
        let appended = extend(&mut value, folder, &extension).map_err(fail(&self.workspace))?;
        note(&format!("{} rows, {} new columns, sha256 {}", appended.n_rows, names.len(), appended.sha256));
        self.edit.write(&value)
    }
}

/// The path of a new database from the folder of the new document.
pub(super) fn uri_from(document: Option<&Path>, database: &Path) -> Result<String, CommandError> {
    let folder = document.and_then(Path::parent).unwrap_or(Path::new(""));
    let relative = database.strip_prefix(folder).ok().filter(|path| path.is_relative());
    let parts: Option<Vec<&str>> =
        relative.map(|p| p.components().map(|c| c.as_os_str().to_str()).collect()).unwrap_or(None);
    parts.map(|parts| parts.join("/")).ok_or_else(|| {
        CommandError::Usage(
            "the new database must lie in the folder of the new document (--output-file), or below".to_owned(),
        )
    })
}

fn term(text: &str) -> Result<(Vec<String>, String), String> {
    let (monomial, column) = text.split_once('=').ok_or("write MONOMIAL=COLUMN")?;
    let names: Vec<String> = monomial.split('*').map(|name| name.trim().to_owned()).collect();
    if names.iter().any(String::is_empty) || column.is_empty() {
        return Err("write MONOMIAL=COLUMN, factors joined by *".to_owned());
    }
    Ok((names, column.to_owned()))
}

fn coefficient(text: &str) -> Result<NewCoefficient, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let (name, low, high, dimension) = match parts[..] {
        [name, low, high] => (name, low, high, 6),
        [name, low, high, "6"] => (name, low, high, 6),
        [name, low, high, "8"] => (name, low, high, 8),
        _ => return Err("write NAME:LOW:HIGH, or NAME:LOW:HIGH:8".to_owned()),
    };
    let number = |text: &str| text.parse::<f64>().ok().filter(|x| x.is_finite()).ok_or(format!("{text} is no number"));
    let bounds = [number(low)?, number(high)?];
    if bounds[0] >= bounds[1] {
        return Err("LOW must be below HIGH".to_owned());
    }
    Ok(NewCoefficient { name: name.to_owned(), bounds, dimension })
}
