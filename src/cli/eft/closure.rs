//! `morphist eft closure`: are learned ratios what they should be?

use super::document_args::DocumentArgs;
use super::inspect::block;
use crate::cli::model_args::Prepared;
use crate::cli::{CommandError, CommandResult};
use crate::document::eft::{Eft, UnbinnedTerm as Document};
use crate::infer::eft::closure::{ReplicaSpread, component, likelihood_ratios};
use crate::kernel::Evaluator;
use crate::model::{Constraint, Model, UnbinnedTerm};
use crate::program::Program;
use crate::report::eft_closure::{ClosureEntry, ComponentEntry, EftClosureReport};
use crate::report::number::Number;
use crate::translate::from_pyhf::ModelOptions;
use clap::Args;
use std::path::{Path, PathBuf};

/// Closure of the learned ratios of unbinned terms: means over the reference events, variances, replicas
///
/// At the point that --init or --parameters choose. With --independent the reference events of another workspace, which
/// were generated at this point, test the reweighting.
#[derive(Args, Debug)]
pub struct Closure {
    /// Workspace, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// A workspace with the same terms, whose reference events were generated at the point
    #[arg(long, value_name = "FILE")]
    pub independent: Option<PathBuf>,
    #[command(flatten)]
    pub args: DocumentArgs,
}

/// The model, its replicas, and the point with what it is compared to.
struct Setting<'a> {
    prepared: &'a Prepared,
    point: Vec<f64>,
    at_zero: Vec<f64>,
    independent: Option<Model>,
    /// One model a replica of the term that has most.
    replicas: Vec<Model>,
}

impl Closure {
    pub fn run(&self) -> CommandResult {
        let prepared = self.args.prepare(&self.workspace)?;
        let eft = block(&prepared)?;
        if eft.unbinned_terms.is_empty() {
            return Err(CommandError::Message(format!("{}: no unbinned terms", prepared.file)));
        }
        let program = Program::compile(&prepared.model);
        let point = prepared.prefit_point(&program);
        let at_zero = at_zero(&prepared, eft, &point);
        let replicas = self.replicas(&prepared, eft)?;
        let independent = self.independent.as_deref().map(|path| self.other(path, &prepared)).transpose()?;
        let setting = Setting { prepared: &prepared, point, at_zero, independent, replicas };
        let asimov = Evaluator::new(&program).asimov_events(&setting.point);
        let names = prepared.model.parameter_names().into_iter();
        let mut first = 0;
        let terms = prepared.model.unbinned.iter().enumerate().map(|(t, term)| {
            let rows = first..first + term.n_rows();
            first = rows.end;
            setting.entry(t, term, &eft.unbinned_terms[t], &asimov[rows])
        });
        let report = EftClosureReport {
            terms: terms.collect(),
            parameters: names.zip(setting.point.iter().copied().map(Number)).collect(),
        };
        self.args.output.write(&report, || report.page(&prepared.file))
    }

    /// A model for each replica.
    fn replicas(&self, prepared: &Prepared, eft: &Eft) -> Result<Vec<Model>, CommandError> {
        let options = self.args.model.options(&self.args.input)?;
        let n = eft.unbinned_terms.iter().map(n_replicas).max().unwrap_or(0);
        let one = |replica| {
            let options = ModelOptions { replica: Some(replica), ..options.clone() };
            Ok(self.args.model.build.build(&self.workspace, &self.args.input, &prepared.loaded, &options)?.model)
        };
        (0..n).map(one).collect()
    }

    /// The model of another workspace, with the same parameters.
    fn other(&self, path: &Path, prepared: &Prepared) -> Result<Model, CommandError> {
        let loaded = self.args.input.load_extension(path)?;
        let model = self.args.model.build(path, &self.args.input, &loaded)?.model;
        if model.parameter_names() != prepared.model.parameter_names() {
            let message = format!("--independent {}: it has other parameters", path.display());
            return Err(CommandError::Message(message));
        }
        Ok(model)
    }
}

impl Setting<'_> {
    fn entry(&self, t: usize, term: &UnbinnedTerm, document: &Document, asimov: &[f64]) -> ClosureEntry {
        let others = self.independent.iter().flat_map(|model| &model.unbinned);
        let other = others.into_iter().find(|other| other.name == term.name);
        let components = term.components.iter().map(|own| {
            let independent = other.and_then(|other| {
                let same = other.components.iter().find(|c| c.name == own.name)?;
                Some((other, same))
            });
            let closure = component(term, own, (&self.point, &self.at_zero), independent);
            ComponentEntry { closure: closure.as_ref().map(Into::into), name: own.name.clone() }
        });
        let components = components.collect();
        let has_reference = !term.reference.is_empty();
        ClosureEntry {
            components,
            events_asimov: has_reference.then(|| Number(asimov.iter().sum())),
            events_observed: Number(term.observed.iter().sum()),
            n_observed: term.observed.len(),
            n_reference: term.reference.len(),
            name: term.name.clone(),
            replicas: self.spread(t, n_replicas(document)).as_ref().map(Into::into),
        }
    }

    fn spread(&self, t: usize, n: usize) -> Option<ReplicaSpread> {
        let q =
            |model: &Model| likelihood_ratios(model, &self.prepared.data, &self.point, &self.at_zero).get(t).copied();
        let each: Vec<f64> = self.replicas.iter().take(n).filter_map(q).collect();
        if n == 0 { None } else { Some(ReplicaSpread::new(q(&self.prepared.model)?, each)) }
    }
}

/// How many column sets a term has; none without replicas.
fn n_replicas(term: &Document) -> usize {
    let numbers = term.components.iter().filter_map(|c| Some(1 + c.replicas.as_ref()?.columns.len()));
    numbers.max().unwrap_or(0)
}

/// The point with coefficients and nuisances at zero, where ratios are one.
fn at_zero(prepared: &Prepared, eft: &Eft, point: &[f64]) -> Vec<f64> {
    let (names, constraints) = (prepared.model.parameter_names(), prepared.model.constraints());
    let is_zero = |i: usize| {
        let coefficient = eft.wilson_coefficients.iter().any(|c| Some(&c.name) == names.get(i));
        let constraint = constraints.get(i).and_then(Option::as_ref);
        let nuisance = constraint.is_some_and(|c| matches!(c, Constraint::Gaussian { .. }) && c.auxdata() == 0.0);
        coefficient || nuisance
    };
    point.iter().enumerate().map(|(i, x)| if is_zero(i) { 0.0 } else { *x }).collect()
}
