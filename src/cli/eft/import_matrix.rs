//! `morphist eft import --from rg-matrix`: an evolution matrix as a step of a document's transform.

use super::edit_args::fail;
use super::import::Import;
use crate::cli::input_args::file_name;
use crate::cli::output::write_json;
use crate::cli::{CommandError, CommandResult, note, warn};
use crate::document::workspace::Workspace;
use crate::import::rg_matrix::{self, Scales};
use crate::workspace::rotate::{add_step, replace_pois};
use crate::workspace::{Measurements, Scope, validate};

impl Import {
    /// Writes the workspace with its coefficients at another scale.
    pub(super) fn evolve(&self) -> CommandResult {
        let Some(path) = &self.place.workspace else {
            let message = "--from rg-matrix: a matrix goes into a workspace; give --workspace";
            return Err(CommandError::Usage(message.to_owned()));
        };
        let file = file_name(&self.files[0]);
        let of_file = |findings| CommandError::input(&file, findings);
        let scales = Scales { from_gev: self.from_scale_gev, to_gev: self.to_scale_gev };
        let options = self.options();
        let evolution = rg_matrix::read(&file, self.bytes(&self.files[0])?, scales, &options).map_err(of_file)?;
        let fail = fail(path);
        let mut value = self.reading.read(path)?.value().map_err(fail)?;
        let workspace = Workspace::from_value(&value).map_err(fail)?;
        let Some(eft) = workspace.eft.as_deref() else {
            let message = format!("{}: a plain workspace, without the EFT extension", file_name(path));
            return Err(CommandError::Message(message));
        };
        let (step, warnings) = evolution.step(eft, &options.bounds).map_err(of_file)?;
        warn(&file, &warnings);
        add_step(&mut value, &step).map_err(CommandError::Message)?;
        let successor = |name: &str| {
            let own = format!("{name}_{}GeV", evolution.from_scale_gev);
            let is_given = step.given().any(|given| given == name);
            step.parameters.iter().find(|p| is_given && p.name == own).map(|p| p.name.clone())
        };
        replace_pois(&mut value, successor).iter().for_each(|text| note(text));
        let workspace = Workspace::from_value(&value).map_err(fail)?;
        let scope = Scope { compat: self.reading.compat(), measurements: Measurements::All };
        let findings = validate::check(&workspace, &scope);
        if !findings.is_valid() {
            return Err(fail(findings));
        }
        warn(&file_name(path), &findings);
        write_json(&value, self.output.output_file.as_deref())
    }
}
