//! `morphist eft score`: the score of every event as observables of its database.

use super::append::uri_from;
use super::edit_args::{EditArgs, fail};
use crate::cli::input_args::{file_name, folder_of};
use crate::cli::{CommandError, CommandResult, note};
use crate::document::eft::Eft;
use crate::document::workspace::Workspace;
use crate::event_database::{Database, score};
use crate::finding::quote;
use clap::Args;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Write the score of each event, the slope of its log-weight, as columns of its database, and the new document
///
/// Each coefficient gets the observable score_NAME, which the axes of eft_events may bin (spec/unbinned.md, "Scores").
#[derive(Args, Debug)]
pub struct Score {
    /// Workspace, gzipped or not
    #[arg(value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// The database, where the document has several
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// A coefficient of the point at which the score is taken; zero for the others
    #[arg(long = "at", value_name = "NAME=VALUE", value_parser = coordinate)]
    pub at: Vec<(String, f64)>,
    /// The new database (Parquet); its path from the new document becomes its uri
    #[arg(long, value_name = "FILE")]
    pub output_database: PathBuf,
    #[command(flatten)]
    pub edit: EditArgs,
}

impl Score {
    pub fn run(&self) -> CommandResult {
        let mut value = self.edit.read(&self.workspace)?;
        let workspace =
            Workspace::from_value(&value).map_err(|f| CommandError::input(&file_name(&self.workspace), f))?;
        let Some(eft) = workspace.eft.as_deref() else {
            let message = format!("{}: a plain workspace, without the EFT extension", file_name(&self.workspace));
            return Err(CommandError::Message(message));
        };
        if let Some((name, _)) =
            self.at.iter().find(|(name, _)| eft.wilson_coefficients.iter().all(|c| c.name != *name))
        {
            return Err(CommandError::Usage(format!("--at {name}: no such coefficient")));
        }
        let mut found = eft.event_databases.iter().enumerate();
        let found = match &self.database {
            Some(name) => found.find(|(_, database)| database.name == *name),
            None if eft.event_databases.len() == 1 => found.next(),
            None => None,
        };
        let Some((d, declaration)) = found else {
            return Err(self.no_database(eft));
        };
        let pointer = format!("/eft/event_databases/{d}");
        let database =
            Database::open(declaration, folder_of(&self.workspace), &pointer).map_err(fail(&self.workspace))?;
        let uri = uri_from(self.edit.output_file.as_deref(), &self.output_database)?;
        let at: BTreeMap<String, f64> = self.at.iter().cloned().collect();
        let scored = score(eft, &database, &at, &self.output_database).map_err(fail(&self.workspace))?;
        if let Some(declaration) = value.pointer_mut(&pointer) {
            declaration["uri"] = json!(uri);
            declaration["sha256"] = json!(scored.sha256);
            declaration["media_type"] = json!("application/vnd.apache.parquet");
            for (column, _) in &scored.columns {
                declaration["observables"][column] = json!({"column": column, "unit": "1"});
            }
        }
        note(&format!("{} rows, {} new columns, sha256 {}", scored.n_rows, scored.columns.len(), scored.sha256));
        self.edit.write(&value)
    }

    /// None is named, or there is none of the name.
    fn no_database(&self, eft: &Eft) -> CommandError {
        let file = file_name(&self.workspace);
        let names: Vec<String> = eft.event_databases.iter().map(|database| quote(&database.name)).collect();
        if names.is_empty() {
            let message = "the document declares no event database (eft.event_databases), whose rows could have a score; \
                           tables of unbinned terms have none, since their columns are ratios already";
            return CommandError::Message(format!("{file}: {message}"));
        }
        let declared = names.join(", ");
        CommandError::Usage(match &self.database {
            Some(name) => format!("--database {name}: {file} declares {declared}"),
            None => format!("{file} declares several databases: choose one of {declared} with --database"),
        })
    }
}

fn coordinate(text: &str) -> Result<(String, f64), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let value = value.parse::<f64>().ok().filter(|x| x.is_finite()).ok_or(format!("{value} is no number"))?;
    Ok((name.to_owned(), value))
}
