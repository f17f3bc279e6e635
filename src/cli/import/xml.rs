//! `morphist import xml`, and `morphist xml2json` as in pyhf: HistFactory XML with ROOT histograms.

use crate::cli::input_args::{ReadingArgs, file_name};
use crate::cli::output::write_json;
use crate::cli::{CommandError, CommandResult, warn};
use crate::document::read_bytes;
use crate::finding::Findings;
use crate::import::histfactory_xml::{self, Mount, XmlOptions};
use crate::workspace::{Scope, load_value};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Read HistFactory XML and its ROOT files as a pyhf workspace
#[derive(Args, Debug)]
pub struct Xml {
    /// The combination, the outermost file
    #[arg(value_name = "ENTRYPOINT_XML")]
    entrypoint: PathBuf,
    /// Folder from which the paths in the XML start [default: the current one]
    #[arg(long, value_name = "FOLDER")]
    basedir: Option<PathBuf>,
    /// A folder here, and the name that the XML has for it; may be given several times
    #[arg(short = 'v', long, value_name = "HOST:MOUNT", value_parser = mount)]
    mount: Vec<Mount>,
    /// Write the workspace to FILE instead of standard output
    #[arg(short, long, visible_alias = "output", value_name = "FILE")]
    output_file: Option<PathBuf>,
    /// Write a workspace that breaks rules, with warnings
    #[arg(long, overrides_with = "validation_as_error")]
    validation_as_warning: bool,
    /// Write no workspace that breaks a rule: the default
    #[arg(long)]
    validation_as_error: bool,
    #[arg(long, hide = true)]
    track_progress: bool,
    #[arg(long, hide = true)]
    hide_progress: bool,
    #[command(flatten)]
    reading: ReadingArgs,
}

impl Xml {
    pub fn run(&self) -> CommandResult {
        let options = XmlOptions { basedir: self.basedir.clone().unwrap_or_default(), mounts: self.mount.clone() };
        let limits = self.reading.limits();
        let mut open = |path: &Path| {
            let first = |findings: Findings| findings.0.first().map(|f| f.found.clone()).unwrap_or_default();
            read_bytes(path, &limits).map_err(first)
        };
        let import = histfactory_xml::read(&self.entrypoint, &options, &mut open).map_err(CommandError::Inputs)?;
        for (file, findings) in &import.warnings {
            warn(file, findings);
        }
        let value = json!(import.workspace);
        self.judge(value.clone())?;
        write_json(&value, self.output_file.as_deref())
    }

    /// The rules for workspaces.
    fn judge(&self, value: serde_json::Value) -> CommandResult {
        let name = file_name(&self.entrypoint);
        let scope = Scope { compat: self.reading.compat(), ..Scope::default() };
        match load_value(value, &scope) {
            Ok(loaded) => warn(&name, &loaded.warnings),
            Err(mut findings) if self.validation_as_warning => {
                findings.0.iter_mut().for_each(|f| f.severity = crate::finding::Severity::Warning);
                warn(&name, &findings);
            }
            Err(findings) => return Err(CommandError::input(&name, findings)),
        }
        Ok(())
    }
}

/// `HOST:MOUNT`.
fn mount(text: &str) -> Result<Mount, String> {
    match text.split_once(':') {
        Some((host, mount)) if !host.is_empty() && !mount.is_empty() => {
            let host = std::path::absolute(host).map_err(|e| e.to_string())?;
            Ok(Mount { host, mount: mount.into() })
        }
        _ => Err("expected HOST:MOUNT, a folder here and its name in the XML".to_owned()),
    }
}
