//! `morphist eft individual`: intervals of Wilson coefficients one by one, profiled, and of a Gaussian.

use super::chosen::IntervalArgs;
use super::compare::{of_model, outcome};
use super::document_args::DocumentArgs;
use super::inspect::block;
use crate::cli::CommandResult;
use crate::cli::progress;
use crate::infer::coefficients::gaussian;
use crate::infer::{Hesse, Likelihood};
use crate::program::Program;
use crate::report::individual::{GaussianReport, IndividualEntry, IndividualReport};
use crate::report::intervals_head::IntervalsHead;
use crate::report::number::Number;
use clap::Args;

/// Individual, profiled and marginalised-Gaussian intervals of Wilson coefficients side by side
#[derive(Args, Debug)]
pub struct Individual {
    #[command(flatten)]
    pub intervals: IntervalArgs,
    #[command(flatten)]
    pub args: DocumentArgs,
}

impl Individual {
    pub fn run(&self) -> CommandResult {
        let prepared = self.args.prepare(&self.intervals.of.workspace)?;
        let eft = block(&prepared)?;
        let chosen = self.intervals.of.chosen(&prepared)?;
        let levels = self.intervals.levels();
        let program = Program::compile(&prepared.model);
        let options = prepared.fit_options(Hesse::All);
        let likelihood = Likelihood::new(&program, &prepared.data, options.clone());
        let (intervals, (fit, idle)) = progress::run("Intervals", |watch| {
            watch.expect(2 * chosen.len() as u64);
            rayon::join(|| of_model(&prepared, &chosen, &levels, watch), || gaussian(&likelihood))
        })?;
        let (model, bounds, names) = (&prepared.model, prepared.model.bounds(), prepared.model.parameter_names());
        let entry = |(&coefficient, [individual, profiled]): (&usize, [_; 2])| IndividualEntry {
            bounds: bounds.get(coefficient).map_or([f64::NAN; 2], |&(low, high)| [low, high]).map(Number),
            gaussian: GaussianReport::new(model, &options, (&fit, &idle), coefficient, &levels),
            individual,
            name: names.get(coefficient).cloned().unwrap_or_default(),
            profiled,
        };
        let entries = chosen.iter().zip(intervals).map(entry).collect();
        let head = IntervalsHead::new(&eft.basis, &levels, prepared.blinding(false));
        let report = IndividualReport { head, coefficients: entries };
        self.args.output.write(&report, || report.page(&prepared.file, &prepared.measurement))?;
        outcome(report.n_failed(), self.args.output.format())
    }
}
