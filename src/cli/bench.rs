//! `morphist bench`: how long reading, compiling, evaluating and fitting take.

use super::build_args::Built;
use super::evaluate::MOST_HESSIAN_PARAMETERS;
use super::input_args::InputArgs;
use super::model_args::{ModelArgs, Prepared};
use super::output::OutputArgs;
use super::{CommandError, CommandResult};
use crate::document::Document;
use crate::document::hs3::{Hs3Document, is_hs3};
use crate::infer::{AsymptoticTest, FitOptions, Fitter, Hesse, Likelihood, LimitOptions, TestStatistic, upper_limit};
use crate::kernel::Evaluator;
use crate::program::{PreparedData, Program};
use crate::report::bench::{BenchReport, page};
use crate::workspace;
use clap::Args;
use std::hint::black_box;
use std::path::{Path, PathBuf};

/// Time reading, compiling, evaluation and fits
#[derive(Args, Debug)]
pub struct Bench {
    /// Workspaces or HS3 documents, gzipped or not
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Blocks a median is taken of; fewer where one takes seconds
    #[arg(long, value_name = "N", default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..))]
    pub blocks: u32,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

impl Bench {
    pub fn run(&self) -> CommandResult {
        let inputs =
            self.files.iter().chain(&self.input.patches).chain(&self.input.patchset).chain(&self.model.parameters);
        if inputs.into_iter().any(|path| path == Path::new("-")) {
            let message = "bench reads its inputs many times: give files, not standard input";
            return Err(CommandError::Usage(message.to_owned()));
        }
        if !self.model.blind.is_empty() {
            return Err(CommandError::Usage("bench times whole models: no --blind".to_owned()));
        }
        let reports = self.files.iter().map(|file| self.time(file)).collect::<Result<Vec<_>, _>>()?;
        self.output.write(&reports, || page(&reports))
    }

    fn time(&self, path: &Path) -> Result<BenchReport, CommandError> {
        let start = self.model.prepare(path, &self.input)?;
        let program = Program::compile(&start.model);
        let prepared = program.prepare(&start.data);
        let mut evaluator = Evaluator::new(&program);
        let (starts, n) = (Starts::new(&start), start.model.n_parameters());
        let mut gradient = vec![0.0; n];
        evaluator.hold(&start.fixed);

        let twice_nll_s = self.median(|i| evaluator.twice_nll(starts.at(i), &prepared));
        let gradient_s = self.median(|i| evaluator.gradient(starts.at(i), &prepared, &mut gradient));
        let hessian_s = (n <= MOST_HESSIAN_PARAMETERS).then(|| {
            let mut hessian = vec![0.0; n * n];
            self.median(|i| evaluator.hessian(starts.at(i), &prepared, &mut gradient, &mut hessian))
        });

        evaluator.release();
        let warm = [starts.options(&start, 0), starts.options(&start, 1)];
        let mut fitter = Fitter::new(&evaluator);
        let best = fitter.fit(&mut evaluator, &prepared, &warm[0]);
        let fit_warm_s = self.median(|i| fitter.minimum(&mut evaluator, &prepared, &warm[i % 2]));
        let minimum = FitOptions { init: best.parameters.clone(), ..warm[0].clone() };
        let with_hesse = FitOptions { hesse: Hesse::All, ..minimum.clone() };
        let fit_at_minimum = self.median(|_| fitter.fit(&mut evaluator, &prepared, &minimum).twice_nll);
        let fit_and_hesse = self.median(|_| fitter.fit(&mut evaluator, &prepared, &with_hesse).twice_nll);

        let likelihood = Likelihood::new(&program, &start.data, start.fit_options(Hesse::No));
        let poi = start.model.poi.filter(|&poi| !start.fixed[poi]);
        let test = |poi: usize| AsymptoticTest::new(likelihood.clone(), poi, TestStatistic::QmuTilde);
        let value = |poi: usize| start.model.bounds()[poi].1.min(1.0);
        let document = self.input.reading.read(path)?;
        Ok(BenchReport {
            file: start.file.clone(),
            read_s: self.median(|_| self.input.reading.read(path).is_ok()),
            validate_s: self.median(|_| self.is_valid(&document)),
            compile_s: self.median(|_| self.model.build(path, &self.input, &start.loaded).map(compile).is_ok()),
            twice_nll_s,
            gradient_s,
            hessian_s,
            fit_warm_s,
            hesse_s: best.valid.then_some((fit_and_hesse - fit_at_minimum).max(0.0)),
            fit_cold_s: self.median(|_| self.cold(path, &start).is_ok()),
            hypotest_s: poi.map(|poi| self.median(|_| test(poi).and_then(|mut test| test.at(value(poi))).is_ok())),
            limit_s: poi.map(|poi| {
                self.median(|_| test(poi).map(|mut test| upper_limit(&mut test, &LimitOptions::default())).is_ok())
            }),
            fit_valid: best.valid,
        })
    }

    fn is_valid(&self, document: &Document) -> bool {
        match is_hs3(document) {
            true => Hs3Document::from_document(document, &self.input.hs3.reading()).is_ok(),
            false => workspace::validate(document, None, &self.input.scope()).1.is_valid(),
        }
    }

    /// Everything from the file to the minimum.
    fn cold(&self, path: &Path, start: &Prepared) -> Result<f64, CommandError> {
        let loaded = self.input.load_quietly(path)?;
        let built = self.model.build(path, &self.input, &loaded)?;
        let (program, prepared) = compile(built);
        let mut evaluator = Evaluator::new(&program);
        let (twice_nll, ..) = Fitter::new(&evaluator).minimum(&mut evaluator, &prepared, &start.fit_options(Hesse::No));
        Ok(twice_nll)
    }

    /// Median CPU time of one call. `call` gets the number of the call, to move what it evaluates.
    fn median<T>(&self, mut call: impl FnMut(usize) -> T) -> f64 {
        let mut block = |calls: usize| {
            let start = cpu_seconds();
            for i in 0..calls {
                black_box(call(black_box(i)));
            }
            cpu_seconds() - start
        };
        block(1);
        let mut calls = 1;
        let mut first = block(calls);
        while first < SHORTEST_BLOCK {
            calls *= 2;
            first = block(calls);
        }
        let affordable = (LONGEST_MEDIAN / first) as usize;
        let blocks = affordable.clamp(1, self.blocks as usize);
        let mut seconds = vec![first];
        seconds.extend((1..blocks).map(|_| block(calls)));
        seconds.sort_by(f64::total_cmp);
        seconds[seconds.len() / 2] / calls as f64
    }
}

/// A block is long beside the resolution of the clock.
const SHORTEST_BLOCK: f64 = 2e-3;
/// No median takes much longer than this, in seconds.
const LONGEST_MEDIAN: f64 = 3.0;

fn compile(built: Built) -> (Program, PreparedData) {
    let program = Program::compile(&built.model);
    let prepared = program.prepare(&built.data);
    (program, prepared)
}

/// Two points near the start that differ in every parameter that is not fixed, so that no call can use the last one's results.
struct Starts([Vec<f64>; 2]);

impl Starts {
    fn new(start: &Prepared) -> Starts {
        let (init, bounds) = (&start.point, start.model.bounds());
        let moved = |step: f64| -> Vec<f64> {
            let inside = |((value, (lo, hi)), fixed): ((&f64, &(f64, f64)), &bool)| {
                let up = value + step * value.abs().max(1.0);
                let down = value - step * value.abs().max(1.0);
                if *fixed {
                    *value
                } else if up <= *hi {
                    up
                } else {
                    down.max(*lo)
                }
            };
            init.iter().zip(&bounds).zip(&start.fixed).map(inside).collect()
        };
        Starts([moved(1e-3), moved(2e-3)])
    }

    fn at(&self, call: usize) -> &[f64] {
        &self.0[call % 2]
    }

    /// A fit from one of the two points; minimum and certificate, no covariance.
    fn options(&self, start: &Prepared, call: usize) -> FitOptions {
        FitOptions { init: self.at(call).to_vec(), ..start.fit_options(Hesse::No) }
    }
}

/// CPU time of this process, all threads.
#[cfg(unix)]
fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Wall-clock time, where the system has no process clock.
#[cfg(not(unix))]
fn cpu_seconds() -> f64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed().as_secs_f64()
}
