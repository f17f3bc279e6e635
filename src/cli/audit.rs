//! `morphist audit`: what is in a likelihood that its authors should know.

use super::input_args::InputArgs;
use super::model_args::{ModelArgs, Prepared, whole};
use super::output::{Format, OutputArgs, write_bytes};
use super::source::Source;
use super::{CommandError, CommandResult, note};
use crate::audit::{Audit, Code, Places, Severity, Subject, Thresholds, audit};
use crate::infer::{FitResult, Hesse, Likelihood, MOST_PARAMETERS};
use crate::plot::audit_page::{AuditPage, audit_page};
use crate::program::Program;
use crate::report::audit::AuditReport;
use clap::{Args, ValueEnum};
use std::collections::HashSet;
use std::path::PathBuf;

/// What authors and users of a likelihood should know: odd templates, bins, parameters and directions
///
/// Findings are warnings and notes; each has a code, which spec/audit.md defines, the place in the document, and numbers.
#[derive(Args, Debug)]
pub struct AuditCommand {
    /// Workspace or HS3 document with channels, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Write a page with plots to FILE, which needs nothing else to be read
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Fit the data as well: pulls, constraints, and directions at the best fit
    #[arg(long)]
    pub fit: bool,
    /// Findings of these codes only
    #[arg(long, value_name = "CODE,…", value_delimiter = ',', value_parser = code)]
    pub only: Vec<Code>,
    /// Where findings begin, such as one-sided=0.05,pull=4; see spec/audit.md, table 1
    #[arg(long, value_name = "NAME=V,…", value_delimiter = ',', value_parser = threshold)]
    pub threshold: Vec<(String, f64)>,
    /// Findings of each code in text
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = whole)]
    pub max_findings: u64,
    /// End with 1 where there is a finding of this severity or a higher one
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    Warning,
    Note,
}

fn code(text: &str) -> Result<Code, String> {
    let found = Code::ALL.into_iter().find(|code| code.word() == text.trim());
    let words = || Code::ALL.map(Code::word).join(", ");
    found.ok_or_else(|| format!("expected one of {}", words()))
}

fn threshold(text: &str) -> Result<(String, f64), String> {
    let names: Vec<&str> = Thresholds::default().all().iter().map(|own| own.name).collect();
    let expected = || format!("expected NAME=V, NAME one of {}, V a number not below zero", names.join(", "));
    let (name, value) = text.split_once('=').ok_or_else(expected)?;
    let value: f64 = value.trim().parse().map_err(|_| expected())?;
    let is_fine = names.contains(&name) && value.is_finite() && value >= 0.0;
    if is_fine { Ok((name.to_owned(), value)) } else { Err(expected()) }
}

impl AuditCommand {
    pub fn run(&self) -> CommandResult {
        if self.html.is_some() && self.html == self.output.output_file {
            return Err(CommandError::Usage("--html and --output-file are one file".to_owned()));
        }
        let prepared = self.model.prepare(&self.workspace, &self.input)?;
        require_channels(&prepared)?;
        let program = Program::compile(&prepared.model);
        let point = prepared.prefit_point(&program);
        let fit = self.fitted(&prepared, &program)?;
        let coefficients = coefficients(&prepared);
        let (places, poi_name) = places(&prepared);
        let subject = Subject {
            model: &prepared.model,
            data: &prepared.data,
            point: &point,
            fixed: &prepared.fixed,
            coefficients: &coefficients,
            poi_name: self.model.build.poi.as_deref().or(poi_name.as_deref()),
            fit: fit.as_ref(),
            places: &places,
        };
        let mut thresholds = Thresholds::default();
        self.threshold.iter().for_each(|(name, value)| _ = thresholds.set(name, *value));
        let mut found = audit(subject, &thresholds);
        if !self.only.is_empty() {
            found.findings.retain(|finding| self.only.contains(&finding.code));
        }
        let mut report = AuditReport::new(&subject, &found, &thresholds, &prepared.measurement);
        report.left_out.extend(prepared.blinding(false).notes().into_iter().map(|reason| reason.message));
        if let Some(file) = &self.html {
            self.page(&prepared, &subject, &found, &report, file)?;
        }
        let most = match self.output.format() {
            Format::Table => usize::try_from(self.max_findings).unwrap_or(usize::MAX),
            _ => usize::MAX,
        };
        self.output.write(&report, || report.page(&prepared.file, most))?;
        self.judge(&found)
    }

    fn fitted(&self, prepared: &Prepared, program: &Program) -> Result<Option<FitResult>, CommandError> {
        if !self.fit {
            return Ok(None);
        }
        let free = prepared.fixed.iter().filter(|fixed| !**fixed).count();
        if free > MOST_PARAMETERS {
            let message = format!(
                "--fit: {free} free parameters are more than {MOST_PARAMETERS}, of which uncertainties are had"
            );
            return Err(CommandError::Message(message));
        }
        let mut likelihood = Likelihood::new(program, &prepared.data, prepared.fit_options(Hesse::All));
        Ok(Some(likelihood.fit(Hesse::All)))
    }

    fn page(
        &self,
        prepared: &Prepared,
        subject: &Subject,
        found: &Audit,
        report: &AuditReport,
        file: &std::path::Path,
    ) -> CommandResult {
        let options = prepared.fit_options(Hesse::All);
        let page = AuditPage { file: &prepared.file, subject, audit: found, report, options: &options };
        write_bytes(audit_page(&page).as_bytes(), Some(file))
    }

    fn judge(&self, found: &Audit) -> CommandResult {
        let worst = found.findings.iter().map(|finding| finding.severity).min();
        let fails = match self.fail_on {
            None => false,
            Some(FailOn::Warning) => worst == Some(Severity::Warning),
            Some(FailOn::Note) => worst.is_some(),
        };
        if !fails {
            return Ok(());
        }
        note("there are findings, and --fail-on asks for none");
        Err(CommandError::Reported)
    }
}

/// Which parameters are Wilson coefficients.
fn coefficients(prepared: &Prepared) -> Vec<bool> {
    let declared = prepared.eft().into_iter().flat_map(|eft| eft.fit_coefficients());
    let declared: HashSet<String> = declared.map(|coefficient| coefficient.name.to_string()).collect();
    prepared.model.parameter_names().iter().map(|name| declared.contains(name)).collect()
}

/// Channels are what is looked at.
fn require_channels(prepared: &Prepared) -> CommandResult {
    if !prepared.model.channels.is_empty() {
        return Ok(());
    }
    let message = "audit: the likelihood has no channel with binned samples, and looks at nothing else: densities over events, \
                   unbinned terms and measurements with Gaussian errors have no templates";
    Err(CommandError::Message(message.to_owned()))
}

/// Where things stand, and the name of the parameter of interest in a workspace.
fn places(prepared: &Prepared) -> (Places, Option<String>) {
    match &prepared.loaded {
        Source::Workspace(loaded) => {
            let workspace = &loaded.workspace;
            let measurement = workspace.measurements.iter().find(|own| own.name == prepared.measurement);
            let poi = measurement.map(|own| own.config.poi.clone());
            (Places::of_workspace(workspace, &prepared.measurement), poi)
        }
        Source::Hs3(source) => (Places::of_hs3(&source.document), None),
    }
}
