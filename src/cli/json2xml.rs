//! `morphist json2xml`: a workspace as HistFactory XML with a ROOT file, as in pyhf.

use super::convert::allowed;
use super::input_args::{InputArgs, file_name};
use super::output::write_bytes;
use super::{CommandError, CommandResult, warn};
use crate::convert::xml::{XmlPlaces, to_xml};
use clap::Args;
use std::path::PathBuf;

/// Write a workspace as HistFactory XML with its histograms in a ROOT file
///
/// ROOT asks for HistFactorySchema.dtd beside the combination: it lies in the folder etc of ROOT.
#[derive(Args, Debug)]
pub struct Json2xml {
    /// Workspace, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Folder of all that is written
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub output_dir: PathBuf,
    /// Folder of the channels in it
    #[arg(long, value_name = "NAME", default_value = "config")]
    pub specroot: String,
    /// Folder of the ROOT file in it
    #[arg(long, value_name = "NAME", default_value = "data")]
    pub dataroot: String,
    /// How the names of the XML files begin
    #[arg(long, value_name = "NAME", default_value = "FitConfig")]
    pub resultprefix: String,
    /// Write even where this is lost: ids of rules such as W460, or all of them
    #[arg(long, value_name = "RULE,…", value_delimiter = ',', num_args = 0..=1, default_missing_value = "all")]
    pub allow_loss: Vec<String>,
    #[command(flatten)]
    pub input: InputArgs,
}

impl Json2xml {
    pub fn run(&self) -> CommandResult {
        let allowed = allowed(&self.allow_loss)?;
        let name = file_name(&self.workspace);
        self.input.check_stdin(&[&self.workspace])?;
        let document = self.input.reading.read(&self.workspace)?;
        let loaded = self.input.load_document(document, &self.input.wide_scope())?;
        let loaded = loaded.into_workspace("json2xml", &self.workspace)?;
        warn(&name, &loaded.warnings);
        let places = XmlPlaces {
            output_dir: self.output_dir.clone(),
            specroot: self.specroot.clone(),
            dataroot: self.dataroot.clone(),
            resultprefix: self.resultprefix.clone(),
        };
        let mut written = to_xml(&loaded.workspace, &places).map_err(|f| CommandError::input(&name, f))?;
        loaded.locate(&mut written.losses.0);
        written.losses.allow(&allowed);
        if !written.losses.0.is_valid() {
            return Err(CommandError::input(&name, written.losses.0));
        }
        warn(&name, &written.losses.0);
        for (path, bytes) in &written.files {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                let fail = |e| CommandError::Message(format!("cannot make {}: {e}", folder.display()));
                std::fs::create_dir_all(folder).map_err(fail)?;
            }
            write_bytes(bytes, Some(path))?;
        }
        Ok(())
    }
}
