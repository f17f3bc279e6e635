//! `morphist schema`: JSON Schemas of what is read and written.

use super::output::{OutputArgs, write_json};
use super::{CommandError, CommandResult};
use crate::document::schema::{DOCUMENTS, Named};
use crate::report::by_name::did_you_mean;
use crate::report::schema::REPORTS;
use crate::report::table::{Cell, Column, Page, Table};
use crate::report::text;
use clap::Args;

/// List the JSON Schemas, or write one
#[derive(Args, Debug)]
pub struct Schema {
    /// Name of a schema; without it, all names
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}

impl Schema {
    pub fn run(&self) -> CommandResult {
        match &self.name {
            None => self.output.write(&names(), page),
            Some(name) => {
                let schema = all().find(|named| named.name == name).map(|named| (named.generate)());
                let schema = schema.ok_or_else(|| {
                    let hint = did_you_mean(name, names().into_iter());
                    CommandError::Usage(format!("no schema is called {}{hint}", text::label(name)))
                })?;
                write_json(&schema, self.output.output_file.as_deref())
            }
        }
    }
}

/// Schemas of documents and of reports.
fn all() -> impl Iterator<Item = &'static Named> {
    DOCUMENTS.iter().chain(REPORTS)
}

/// All names, sorted.
fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = all().map(|named| named.name).collect();
    names.sort_unstable();
    names
}

/// The names alone, one a line.
fn page() -> Page {
    let mut table = Table::new("", [Column::left("schema")]);
    names().into_iter().for_each(|name| table.add_row([Cell::text(name)]));
    Page::new().table(table).shown_as(names().into_iter().map(|name| format!("{name}\n")).collect())
}
