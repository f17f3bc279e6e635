//! `morphist schema`: JSON Schemas of what is read and written.

use super::output::{OutputArgs, write_json};
use super::shim::document;
use super::{CommandError, CommandResult};
use crate::report;
use crate::report::by_name::did_you_mean;
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
            None => self.output.write(&names(), || names().into_iter().map(|name| name + "\n").collect()),
            Some(name) => {
                let schema = document::schema::schema(name).or_else(|| report::schema::schema(name));
                let schema = schema.ok_or_else(|| {
                    let all = names();
                    let hint = did_you_mean(name, all.iter().map(String::as_str));
                    CommandError::Message(format!("no schema is called {}{hint}", text::label(name)))
                })?;
                write_json(&schema, self.output.output_file.as_deref())
            }
        }
    }
}

/// All names, sorted.
fn names() -> Vec<String> {
    let documents = document::schema::names().iter().map(|name| name.to_string());
    let mut names: Vec<String> = documents.chain(report::schema::SCHEMAS.map(|(name, _)| name.to_owned())).collect();
    names.sort();
    names
}
