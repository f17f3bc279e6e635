//! `morphist eft table`: columns of single events as a table of an unbinned term.

use super::append::uri_from;
use super::edit_args::fail;
use crate::cli::input_args::ReadingArgs;
use crate::cli::output::write_json;
use crate::cli::{CommandError, CommandResult, note};
use crate::document::eft::{MediaType, TableFile};
use crate::document::read_bytes;
use crate::event_database::{describe_table, write_table};
use crate::import::event_columns;
use clap::Args;
use std::path::PathBuf;

/// Write columns of single events as a file that unbinned terms read, and what a document says of it
///
/// CSV with names in the first line and NumPy archives become Parquet (--output-table); Parquet and Arrow files are
/// described as they are. The result is the object for `events` of a term, or of its `reference` (spec/unbinned.md,
/// "Tables"); of an event database it has uri, sha256, media_type and n_rows.
#[derive(Args, Debug)]
pub struct Table {
    /// Columns: .csv, .npz, .parquet or .arrow
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The new table (Parquet); its path from the folder of --output-file becomes its uri
    #[arg(long, value_name = "FILE")]
    pub output_table: Option<PathBuf>,
    /// Write the object to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

impl Table {
    pub fn run(&self) -> CommandResult {
        let ending = self.file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let format = match ending {
            "parquet" => Some(MediaType::Parquet),
            "arrow" => Some(MediaType::Arrow),
            _ => None,
        };
        let (described, path) = match (format, &self.output_table) {
            (Some(format), None) => (describe_table(&self.file, format).map_err(fail(&self.file))?, &self.file),
            (Some(_), Some(_)) => {
                let message = "--output-table: the file is a table already; leave the option out";
                return Err(CommandError::Usage(message.to_owned()));
            }
            (None, None) => {
                let message = "--output-table: give the Parquet file that the columns are written to";
                return Err(CommandError::Usage(message.to_owned()));
            }
            (None, Some(output)) => {
                uri_from(self.output_file.as_deref(), output)?;
                let limits = self.reading.limits();
                let read = read_bytes(&self.file, &limits).and_then(|bytes| event_columns::read(bytes, &limits));
                let columns = read.map_err(fail(&self.file))?;
                let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
                note(&format!("columns {}", crate::report::text::list(&names, 40)));
                (write_table(&columns, output).map_err(fail(output))?, output)
            }
        };
        let uri = uri_from(self.output_file.as_deref(), path)?;
        let table =
            TableFile { uri, sha256: described.sha256, media_type: described.media_type, n_rows: described.n_rows };
        write_json(&table, self.output_file.as_deref())
    }
}
