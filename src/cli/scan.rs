//! `morphist scan`: the profile likelihood along one parameter or over two.

use super::input_args::InputArgs;
use super::minos::{self, one_parameter, probability};
use super::model_args::{ModelArgs, Prepared, count, finite, whole};
use super::output::{Format, OutputArgs};
use super::poi_args::check_in_box;
use super::{CommandError, CommandResult, note, progress};
use crate::infer::feldman_cousins::{FeldmanCousinsOptions, neyman};
use crate::infer::generate::ToyKind;
use crate::infer::interval::ONE_SIGMA;
use crate::infer::toy_hypotest::{NoToys, ToyOptions};
use crate::infer::{
    FitOptions, Hesse, Likelihood, Scan as Profile, ScanOptions, SurfaceOptions, TestStatistic, scan, scan_each,
    surface,
};
use crate::program::Program;
use crate::report::feldman_cousins::FeldmanCousinsReport;
use crate::report::reason::Reason;
use crate::report::scan::{ScanReport, ScansReport};
use crate::report::surface::SurfaceReport;
use clap::Args;
use std::path::PathBuf;

/// A scan keeps the minimum of each point for its neighbours: so many numbers at most, about a gigabyte.
const MOST_NUMBERS: usize = 100_000_000;

/// How often the ends of an interval by toys are narrowed.
const HALVINGS: usize = 4;

/// Points of an adaptive scan, at most.
const MOST_ADAPTIVE: usize = 200;

/// Profile likelihood along one parameter with intervals, or over two with contours
#[derive(Args, Debug)]
pub struct Scan {
    /// Workspace or HS3 document, gzipped or not; - is standard input
    #[arg(value_name = "WORKSPACE")]
    pub workspace: PathBuf,
    /// One parameter, or two for a surface: a name or `name[i]`; with --each any number, or globs
    #[arg(value_name = "PARAMETER", required = true, num_args = 1..)]
    pub names: Vec<String>,
    /// One profile for each of the parameters, all from one fit
    #[arg(long, conflicts_with_all = ["lower_bound", "upper_bound", "toys", "dof"])]
    pub each: bool,
    /// First value; two for two parameters [default: two uncertainties below the best; for two parameters as far as the
    /// contours]
    #[arg(long, value_name = "X[,Y]", alias = "lower_bound", value_delimiter = ',', allow_hyphen_values = true,
        value_parser = finite)]
    pub lower_bound: Vec<f64>,
    /// Last value; two for two parameters
    #[arg(long, value_name = "X[,Y]", alias = "upper_bound", value_delimiter = ',', allow_hyphen_values = true,
        value_parser = finite)]
    pub upper_bound: Vec<f64>,
    /// Points, both ends included; for two parameters as many each way, or N,M [default: 11, for two parameters 21]
    #[arg(long, value_name = "N[,M]", visible_alias = "points", alias = "n_steps", value_delimiter = ',',
        value_parser = clap::value_parser!(u16).range(1..))]
    pub n_steps: Vec<u16>,
    /// Points where the curve bends, up to a little above the highest level; for two parameters contours solved for on
    /// the profile
    #[arg(long)]
    pub adaptive: bool,
    /// Hold all other parameters at their best values instead of profiling them
    #[arg(long, alias = "fastScan")]
    pub fast_scan: bool,
    /// Probabilities of intervals or contours [default: one standard deviation, 0.6827, and 0.95]
    #[arg(long, value_name = "P", value_delimiter = ',', value_parser = probability)]
    pub level: Vec<f64>,
    /// Degrees of freedom of contours: 2 for regions of both parameters, 1 for contours whose extent is the interval of
    /// each; 1,2 for both [default: 2]
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u8).range(1..=2))]
    pub dof: Vec<u8>,
    /// Intervals by this many toys at each point of the scan, beside those of χ² (one parameter)
    #[arg(long, value_name = "N", value_parser = count)]
    pub toys: Option<u64>,
    /// Seed of the spread starts, and of the toys
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = whole)]
    pub seed: u64,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

impl Scan {
    pub fn run(&self) -> CommandResult {
        let prepared = self.model.prepare(&self.workspace, &self.input)?;
        if self.each {
            return self.each(&prepared);
        }
        let chosen: Result<Vec<usize>, CommandError> =
            self.names.iter().map(|name| one_parameter(&prepared.model, &prepared.fixed, name)).collect();
        let program = Program::compile(&prepared.model);
        let options = FitOptions { seed: self.seed, ..prepared.fit_options(Hesse::No) };
        let likelihood = Likelihood::new(&program, &prepared.data, options.clone());
        let chosen = chosen?;
        match (chosen.len(), self.toys, self.dof.is_empty()) {
            (2, Some(_), _) => return Err(CommandError::Usage("--toys: intervals of one parameter only".to_owned())),
            (1, _, false) => return Err(CommandError::Usage("--dof: contours of two parameters only".to_owned())),
            _ => {}
        }
        match chosen.as_slice() {
            [a, b] if a == b => Err(CommandError::Usage("two different parameters span a surface".to_owned())),
            [a, b] => self.two(&prepared, &likelihood, &options, [*a, *b]),
            [a] => self.one(&prepared, &likelihood, &options, *a),
            _ => Err(CommandError::Usage("a scan has one parameter or two; --each makes one of each".to_owned())),
        }
    }

    fn one(
        &self,
        prepared: &Prepared,
        likelihood: &Likelihood,
        options: &FitOptions,
        parameter: usize,
    ) -> CommandResult {
        let [low] = numbers(&self.lower_bound, "--lower-bound")?;
        let [high] = numbers(&self.upper_bound, "--upper-bound")?;
        check_range(low, high)?;
        check_box(prepared, parameter, low, high)?;
        let scan_options = self.scan_options(low, high)?;
        // With each minimum goes the direction in which it moves.
        check_size(2 * scan_options.n_points, prepared.fixed.len())?;
        let result = progress::run("Scan", |watch| scan(likelihood, parameter, &scan_options, watch))?;
        let mut report =
            ScanReport::new(&prepared.model, options, &result, self.fast_scan).with_blinding(prepared.blinding(false));
        if let (Some(n_toys), true) = (self.toys, result.best.valid) {
            let values = result.points.iter().map(|point| point.value).collect();
            report = report.with_toys(self.by_toys(prepared, likelihood, options, parameter, values, n_toys)?);
        }
        self.output.write(&report, || report.page(&prepared.file, &prepared.measurement))?;
        let (points, ends) = report.n_failed();
        self.outcome(report.valid, report.reason.as_ref(), points, ends, report.points.len())
    }

    /// One profile for each of the parameters.
    fn each(&self, prepared: &Prepared) -> CommandResult {
        let parameters = minos::chosen(prepared, &self.names)?;
        let program = Program::compile(&prepared.model);
        let options = FitOptions { seed: self.seed, ..prepared.fit_options(Hesse::No) };
        let likelihood = Likelihood::new(&program, &prepared.data, options.clone());
        let scan_options = self.scan_options(None, None)?;
        check_size(2 * scan_options.n_points * parameters.len(), prepared.fixed.len())?;
        let scans = progress::run("Scan", |watch| scan_each(&likelihood, &parameters, &scan_options, watch))?;
        let report = |scan: &Profile| {
            let report = ScanReport::new(&prepared.model, &options, scan, self.fast_scan);
            report.with_blinding(prepared.blinding(false))
        };
        let report = ScansReport { scans: scans.iter().map(report).collect() };
        self.output.write(&report, || report.page(&prepared.file, &prepared.measurement))?;
        let fails = |scan: &&ScanReport| {
            let (points, ends) = scan.n_failed();
            self.outcome(scan.valid, scan.reason.as_ref(), points, ends, scan.points.len()).is_err()
        };
        // Each of them tells.
        if report.scans.iter().filter(fails).count() > 0 { Err(CommandError::Reported) } else { Ok(()) }
    }

    fn scan_options(&self, low: Option<f64>, high: Option<f64>) -> Result<ScanOptions, CommandError> {
        let [points] = numbers(&self.n_steps, "--n-steps")?;
        let default = if self.adaptive { MOST_ADAPTIVE } else { 11 };
        let n_points = points.map_or(default, usize::from);
        Ok(ScanOptions {
            low,
            high,
            n_points,
            adaptive: self.adaptive,
            fixed_others: self.fast_scan,
            levels: self.levels(),
        })
    }

    /// The intervals of each level by toys at these values.
    fn by_toys(
        &self,
        prepared: &Prepared,
        likelihood: &Likelihood,
        options: &FitOptions,
        parameter: usize,
        values: Vec<f64>,
        n_toys: u64,
    ) -> Result<Vec<FeldmanCousinsReport>, CommandError> {
        let toys = ToyOptions { kind: ToyKind::Frequentist, seed: self.seed, statistic: TestStatistic::Tmu, mu: 0.0 };
        let levels = self.levels();
        let search = FeldmanCousinsOptions { values, level: f64::NAN, n_toys, n_halvings: HALVINGS };
        let (likelihood, data) = (likelihood.clone(), &prepared.data);
        let found = progress::run("Toys", |watch| neyman(likelihood, data, parameter, &toys, &search, &levels, watch))?;
        let of_level = |(place, &level): (usize, &f64)| {
            let of_level = found.as_ref().map(|all| all[place].clone()).map_err(NoToys::clone);
            let search = FeldmanCousinsOptions { level, ..search.clone() };
            FeldmanCousinsReport::new(&prepared.model, options, parameter, self.seed, &search, &of_level)
        };
        Ok(levels.iter().enumerate().map(of_level).collect())
    }

    fn two(
        &self,
        prepared: &Prepared,
        likelihood: &Likelihood,
        options: &FitOptions,
        parameters: [usize; 2],
    ) -> CommandResult {
        let low: [Option<f64>; 2] = numbers(&self.lower_bound, "--lower-bound")?;
        let high: [Option<f64>; 2] = numbers(&self.upper_bound, "--upper-bound")?;
        let points: [Option<u16>; 2] = match self.n_steps.as_slice() {
            [n] => [Some(*n); 2],
            several => numbers(several, "--n-steps")?,
        };
        for axis in 0..2 {
            check_range(low[axis], high[axis])?;
            check_box(prepared, parameters[axis], low[axis], high[axis])?;
        }
        if points.iter().flatten().any(|n| *n < 2) {
            return Err(CommandError::Usage("--n-steps: a surface needs two points or more each way".to_owned()));
        }
        let n_points = points.map(|n| n.map_or(21, usize::from));
        check_size(n_points[0] * n_points[1], prepared.fixed.len())?;
        let surface_options = SurfaceOptions {
            low,
            high,
            n_points,
            exact_contours: self.adaptive,
            fixed_others: self.fast_scan,
            levels: self.levels(),
            degrees_of_freedom: if self.dof.is_empty() {
                vec![2]
            } else {
                self.dof.iter().map(|n| (*n).into()).collect()
            },
        };
        let result = progress::run("Scan", |watch| surface(likelihood, parameters, &surface_options, watch))?;
        let report = SurfaceReport::new(&prepared.model, options, &result, self.fast_scan)
            .with_blinding(prepared.blinding(false));
        self.output.write(&report, || report.page(&prepared.file, &prepared.measurement))?;
        self.outcome(report.valid, report.reason.as_ref(), report.n_failed(), 0, report.points.len())
    }

    fn levels(&self) -> Vec<f64> {
        if self.level.is_empty() { vec![ONE_SIGMA, 0.95] } else { self.level.clone() }
    }

    /// Points without a minimum do not make a scan fail unless all are.
    fn outcome(&self, valid: bool, reason: Option<&Reason>, points: usize, ends: usize, all: usize) -> CommandResult {
        // The table says it by itself.
        let tell = |message: String| {
            if self.output.format() != Format::Table {
                note(&message);
            }
        };
        if !valid {
            tell(format!("the fit is not valid: {}", reason.map_or("no reason given", |r| &r.message)));
            return Err(CommandError::Reported);
        }
        if points > 0 {
            tell(format!("{points} of {all} points have no minimum"));
        }
        if ends > 0 {
            tell(format!("{ends} {} of intervals not found", if ends == 1 { "end" } else { "ends" }));
        }
        if points == all || ends > 0 { Err(CommandError::Reported) } else { Ok(()) }
    }
}

fn check_range(low: Option<f64>, high: Option<f64>) -> CommandResult {
    match (low, high) {
        (Some(low), Some(high)) if low >= high => {
            Err(CommandError::Usage(format!("--lower-bound {low} is not below --upper-bound {high}")))
        }
        _ => Ok(()),
    }
}

/// A Wilson coefficient is not scanned beyond its bounds.
fn check_box(prepared: &Prepared, parameter: usize, low: Option<f64>, high: Option<f64>) -> CommandResult {
    let given = [("--lower-bound", low), ("--upper-bound", high)];
    given
        .into_iter()
        .filter_map(|(flag, value)| Some((flag, value?)))
        .try_for_each(|(flag, value)| check_in_box(prepared, flag, parameter, value))
}

fn check_size(points: usize, parameters: usize) -> CommandResult {
    if points.saturating_mul(parameters) > MOST_NUMBERS {
        let message = format!("--n-steps: {points} points of {parameters} parameters would take too much memory");
        return Err(CommandError::Usage(message));
    }
    Ok(())
}

/// The values of a flag, one a parameter, or none.
fn numbers<T: Copy, const N: usize>(values: &[T], flag: &str) -> Result<[Option<T>; N], CommandError> {
    if !values.is_empty() && values.len() != N {
        let (found, plural) = (values.len(), if values.len() == 1 { "" } else { "s" });
        let how = if N == 1 { "for one parameter" } else { "one for each parameter, joined by a comma" };
        let message = format!("{flag}: found {found} value{plural}, expected {N}, {how}");
        return Err(CommandError::Usage(message));
    }
    Ok(std::array::from_fn(|k| values.get(k).copied()))
}
