//! `morphist toys`: pseudo-experiments, tests by them, and intervals by them.

use super::input_args::InputArgs;
use super::limit::{Grid, grid, level};
use super::model_args::{ModelArgs, Prepared, count, finite, whole};
use super::output::{Format, Lines, OutputArgs};
use super::poi_args::{PoiArgs, TestStatArg, check_tilde, check_within};
use super::{CommandError, CommandResult, judge, note, progress, toy_files};
use crate::document::digest::{Algorithm, digest};
use crate::infer::feldman_cousins::{FeldmanCousinsOptions, feldman_cousins};
use crate::infer::generate::ToyKind;
use crate::infer::toy_hypotest::{NoToys, ToyHypotest, ToyOptions};
use crate::infer::toy_test::Distribution;
use crate::infer::toys::Toy;
use crate::infer::{FitOptions, Likelihood, TestStatistic, Watch};
use crate::program::Program;
use crate::report::feldman_cousins::FeldmanCousinsReport;
use crate::report::reason::Reason;
use crate::report::toys::{HypothesisName, KindName, TOY_FILE, ToyHeader, ToyLine, ToyReport};
use clap::Args;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// How often the ends of an interval are narrowed.
const HALVINGS: usize = 6;

/// Toys: a test of a value of the POI as JSON lines, one a toy; or intervals; or files of toys merged
#[derive(Args, Debug)]
pub struct Toys {
    /// Workspace or HS3 document, gzipped or not; - is standard input
    #[arg(default_value = "-", value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// Tested value of the POI
    #[arg(long, value_name = "V", default_value_t = 1.0, allow_negative_numbers = true, value_parser = finite)]
    pub test_poi: f64,
    /// Test statistic
    #[arg(long, value_enum, default_value_t = TestStatArg::Qtilde)]
    pub test_stat: TestStatArg,
    #[command(flatten)]
    pub toys: ToyArgs,
    /// The I-th of N parts of the toys, from 1; the parts are merged with --merge
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub shard: Option<(u64, u64)>,
    /// Keep the toys that the output file has already
    #[arg(long, requires = "output_file")]
    pub resume: bool,
    /// Merge files of toys and report the test
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["shard", "resume", "feldman_cousins"])]
    pub merge: Vec<PathBuf>,
    /// Interval of the POI: toys at every value of --scan decide whether it is accepted
    #[arg(long, requires = "scan", conflicts_with_all = ["shard", "resume"])]
    pub feldman_cousins: bool,
    /// Values for --feldman-cousins: N from LO to HI, and some near the ends of the interval
    #[arg(long, value_name = "LO,HI,N", allow_hyphen_values = true, value_parser = grid)]
    pub scan: Option<Grid>,
    /// Confidence level of --feldman-cousins
    #[arg(long, visible_alias = "cl", value_name = "CL", default_value_t = 0.95, value_parser = level)]
    pub confidence_level: f64,
    #[command(flatten)]
    pub poi: PoiArgs,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Options of every command that makes toys.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Toys")]
pub struct ToyArgs {
    /// Toys of each hypothesis, or of each value
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = count)]
    pub ntoys: u64,
    /// Toys with the same seed are the same toys
    #[arg(long, value_name = "SEED", default_value_t = 0, value_parser = whole)]
    pub seed: u64,
    /// What of a toy is random
    #[arg(long, value_enum, default_value = "frequentist")]
    pub toy_kind: KindName,
}

impl Toys {
    pub fn run(&self) -> CommandResult {
        if !self.merge.is_empty() {
            let merged = toy_files::merge(&self.merge)?;
            return self.write(&merged.report());
        }
        let prepared = self.model.prepare(&self.workspace, &self.input)?;
        prepared.require_reference("toys")?;
        if self.feldman_cousins {
            return self.interval(&prepared);
        }
        let program = Program::compile(&prepared.model);
        let run = ToyRun::new(&prepared, &program, &self.poi, &self.toys, self.test_stat, self.test_poi)?;
        match (self.output.format(), &run.test) {
            (Format::Json, Ok(_)) => self.stream(&prepared, &run),
            _ => {
                let report = run.report(&prepared)?;
                self.write(&report)
            }
        }
    }

    fn write(&self, report: &Result<ToyReport, Reason>) -> CommandResult {
        write_report(&self.output, report)
    }

    /// Writes toys as they come; what an interrupted run has written is whole lines.
    fn stream(&self, prepared: &Prepared, run: &ToyRun) -> CommandResult {
        let shard = self.shard.unwrap_or((1, 1));
        let Ok(test) = &run.test else { return Err(CommandError::Reported) };
        let header = run.header(prepared, &self.toys, test, shard);
        let file = self.output.output_file.as_deref();
        let known = match file {
            Some(path) if self.resume => toy_files::known(path, &header)?,
            _ => toy_files::Known::default(),
        };
        let mut lines = Lines::open(file, known.bytes)?;
        if known.bytes == 0 {
            lines.write(&header)?;
        }
        let of_shard = part(self.toys.ntoys, shard);
        let wanted = 2 * (of_shard.end - of_shard.start);
        let mut failed = 0;
        let mut written = known.toys.len() as u64;
        if written > 0 {
            note(&format!("{written} toys are there already, {} are left", wanted.saturating_sub(written)));
        }
        progress::run("Toys", |watch| -> CommandResult {
            watch.expect(wanted.saturating_sub(written));
            for hypothesis in [HypothesisName::Tested, HypothesisName::Alternative] {
                let left = of_shard.clone().filter(|index| !known.toys.contains(&(hypothesis, *index)));
                test.run(hypothesis.into(), left, watch, |toy| {
                    failed += u64::from(toy.outcome.is_err());
                    written += 1;
                    lines.write(&ToyLine::new(&prepared.model, &test.test.options, hypothesis, &toy))
                })?;
            }
            Ok(())
        })??;
        if failed > 0 {
            note(&Reason::failed_toys(failed).message);
        }
        if written < wanted { Err(CommandError::Reported) } else { Ok(()) }
    }

    fn interval(&self, prepared: &Prepared) -> CommandResult {
        let Some(scan) = &self.scan else {
            return Err(CommandError::Usage("--feldman-cousins needs --scan LO,HI,N".to_owned()));
        };
        let (poi, fit) = self.poi.options(prepared)?;
        for value in [scan.low, scan.high] {
            check_within(prepared, &fit, poi, value)?;
        }
        let program = Program::compile(&prepared.model);
        let likelihood = Likelihood::new(&program, &prepared.data, fit.clone());
        // Bounds decide whether t has a tilde.
        let options = self.toys.options(TestStatistic::Tmu, 0.0);
        let values = scan.values();
        let level = self.confidence_level;
        let search = FeldmanCousinsOptions { values, level, n_toys: self.toys.ntoys, n_halvings: HALVINGS };
        let result = progress::run("Feldman-Cousins", |watch| {
            feldman_cousins(likelihood, &prepared.data, poi, &options, &search, watch)
        })?;
        let report = FeldmanCousinsReport::new(&prepared.model, &fit, poi, self.toys.seed, &search, &result);
        self.output.write(&report, || report.page())?;
        judge(report.valid, report.reason.as_ref(), self.output.format())
    }
}

/// Writes the report of a test, or says why there is none.
pub(super) fn write_report(output: &OutputArgs, report: &Result<ToyReport, Reason>) -> CommandResult {
    match report {
        Ok(report) => {
            output.write(report, || report.page())?;
            judge(report.valid, report.reason.as_ref(), output.format())
        }
        Err(reason) => Err(CommandError::Message(format!("no toys can be made: {}", reason.message))),
    }
}

impl ToyArgs {
    pub fn options(&self, statistic: TestStatistic, mu: f64) -> ToyOptions {
        ToyOptions { kind: ToyKind::from(self.toy_kind), seed: self.seed, statistic, mu }
    }
}

/// A test of one value, ready for toys, or why there are none.
pub(super) struct ToyRun<'p> {
    pub test: Result<ToyHypotest<'p>, NoToys>,
    fit: FitOptions,
    poi: usize,
    statistic: TestStatArg,
    value: f64,
    toys: ToyArgs,
}

impl<'p> ToyRun<'p> {
    pub fn new(
        prepared: &Prepared,
        program: &'p Program,
        poi: &PoiArgs,
        toys: &ToyArgs,
        statistic: TestStatArg,
        value: f64,
    ) -> Result<ToyRun<'p>, CommandError> {
        let (poi, fit) = poi.options(prepared)?;
        let value = if statistic == TestStatArg::Q0 { 0.0 } else { value };
        for value in [value, statistic.statistic().alternative()] {
            check_within(prepared, &fit, poi, value)?;
            check_tilde(statistic.statistic(), value)?;
        }
        let likelihood = Likelihood::new(program, &prepared.data, fit.clone());
        let test = ToyHypotest::new(likelihood, &prepared.data, poi, &toys.options(statistic.statistic(), value));
        Ok(ToyRun { test, fit, poi, statistic, value, toys: toys.clone() })
    }

    fn header(&self, prepared: &Prepared, toys: &ToyArgs, test: &ToyHypotest, shard: (u64, u64)) -> ToyHeader {
        let names = prepared.model.parameter_names();
        let model = format!("{:?} {:?}", prepared.model, prepared.data);
        let inputs = json!([model, format!("{:?} {}", self.fit, self.poi)]);
        ToyHeader {
            schema: TOY_FILE.to_owned(),
            inputs: digest(&inputs, Algorithm::Sha256),
            kind: toys.toy_kind,
            ntoys: toys.ntoys,
            poi: names.get(self.poi).cloned().unwrap_or_default(),
            poi_test: self.value,
            seed: toys.seed,
            shard,
            test_stat: self.statistic.statistic().into(),
            best_fit: test.best_fit,
            q: test.observed,
        }
    }

    /// Makes the toys of both hypotheses and keeps their statistics alone.
    pub fn report(&self, prepared: &Prepared) -> Result<Result<ToyReport, Reason>, CommandError> {
        let test = match &self.test {
            Ok(test) => test,
            Err(failure) => return Ok(Err(Reason::of_no_toys(&prepared.model, failure, &self.fit))),
        };
        let statistic = self.statistic.statistic();
        let both = progress::run("Toys", |watch: &Watch| {
            watch.expect(2 * self.toys.ntoys);
            [HypothesisName::Tested, HypothesisName::Alternative].map(|hypothesis| {
                let mut values = Vec::new();
                let Ok(()) = test.run(hypothesis.into(), 0..self.toys.ntoys, watch, |toy: Toy| {
                    values.push(toy.statistic(statistic, self.value));
                    Ok::<(), std::convert::Infallible>(())
                });
                Distribution::from_values(values.into_iter())
            })
        })?;
        let header = self.header(prepared, &self.toys, test, (1, 1));
        Ok(Ok(ToyReport::new(&header, &both[0], &both[1])))
    }
}

/// The indices of a shard: parts of nearly equal length, together all toys.
fn part(n: u64, (i, of): (u64, u64)) -> std::ops::Range<u64> {
    let edge = |k: u64| (u128::from(n) * u128::from(k) / u128::from(of)) as u64;
    edge(i - 1)..edge(i)
}

fn shard(text: &str) -> Result<(u64, u64), String> {
    let (i, n) = text.split_once('/').ok_or("expected I/N")?;
    match (i.trim().parse(), n.trim().parse()) {
        (Ok(i), Ok(n)) if 1 <= i && i <= n => Ok((i, n)),
        _ => Err("expected I/N with 1 ≤ I ≤ N".to_owned()),
    }
}

/// Toys by hypothesis and index.
pub(super) type Indices = BTreeSet<(HypothesisName, u64)>;

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn shards_are_all_toys_once() {
        for (n, of) in [(10, 3), (3, 10), (2000, 7), (u64::MAX, 5)] {
            let parts: Vec<_> = (1..=of).map(|i| part(n, (i, of))).collect();
            assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert_eq!((parts[0].start, parts[parts.len() - 1].end), (0, n));
        }
    }
}
