//! The parameter of interest of a test, and its bounds.

use super::model_args::Prepared;
use super::{CommandError, CommandResult};
use crate::infer::hypotest::TestFailure;
use crate::infer::{AsymptoticTest, FitOptions, Hesse, Likelihood, TestStatistic};
use crate::program::Program;
use crate::report::number::significant;
use crate::report::text;
use clap::{Args, ValueEnum};

/// Options of every command that tests values of the POI.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Parameter of interest")]
pub struct PoiArgs {
    /// Bounds of the POI in all fits, instead of the model's; a limit does not widen them
    #[arg(long, value_name = "LO,HI", allow_hyphen_values = true, value_parser = bounds)]
    pub poi_bounds: Option<(f64, f64)>,
}

/// pyhf's names, and those of two-sided tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TestStatArg {
    /// Upper limits with μ̂ ≥ 0
    Qtilde,
    /// Upper limits
    Q,
    /// Discovery: tests 0
    Q0,
    /// Two-sided, also of several parameters
    T,
    /// Two-sided with μ̂ ≥ 0
    Ttilde,
}

impl TestStatArg {
    pub fn statistic(self) -> TestStatistic {
        match self {
            TestStatArg::Qtilde => TestStatistic::QmuTilde,
            TestStatArg::Q => TestStatistic::Qmu,
            TestStatArg::Q0 => TestStatistic::Q0,
            TestStatArg::T => TestStatistic::Tmu,
            TestStatArg::Ttilde => TestStatistic::TmuTilde,
        }
    }
}

impl PoiArgs {
    /// The POI of a prepared model, which is free, and the fit options with its bounds.
    pub fn options(&self, prepared: &Prepared) -> Result<(usize, FitOptions), CommandError> {
        let Some(poi) = prepared.model.poi else {
            let message = "the measurement has no parameter of interest: name one with --poi";
            return Err(CommandError::Message(message.to_owned()));
        };
        let mut options = prepared.fit_options(Hesse::No);
        check_free(prepared, poi)?;
        if let Some((low, high)) = self.poi_bounds {
            check_box(prepared, &options, poi, (low, high))?;
            options.bounds[poi] = (low, high);
            options.init[poi] = options.init[poi].clamp(low, high);
        }
        Ok((poi, options))
    }
}

/// A test of a fixed parameter makes no sense.
pub fn check_free(prepared: &Prepared, parameter: usize) -> CommandResult {
    if prepared.fixed.get(parameter).copied().unwrap_or(false) {
        let name = text::label(&name(prepared, parameter));
        return Err(CommandError::Message(format!("{name} is fixed in this model, so no value of it can be tested")));
    }
    Ok(())
}

/// The name of a scalar parameter.
pub fn name(prepared: &Prepared, parameter: usize) -> String {
    prepared.model.parameter_names().get(parameter).cloned().unwrap_or_default()
}

/// A usage error where a tested value is not within the bounds.
pub fn check_within(prepared: &Prepared, options: &FitOptions, parameter: usize, value: f64) -> CommandResult {
    let (low, high) = options.bounds[parameter];
    if (low..=high).contains(&value) {
        return Ok(());
    }
    let name = text::label(&name(prepared, parameter));
    let bounds = format!("[{}, {}]", significant(low, 6), significant(high, 6));
    let value = significant(value, 6);
    let help = match prepared.is_coefficient(parameter) {
        true => "beyond which its responses need not hold",
        false => "give others with --poi-bounds",
    };
    Err(CommandError::Usage(format!("{name} = {value} is not within the bounds {bounds} of {name}: {help}")))
}

/// A usage error where bounds given for a Wilson coefficient go beyond its own.
fn check_box(prepared: &Prepared, options: &FitOptions, parameter: usize, (low, high): (f64, f64)) -> CommandResult {
    let own = options.bounds[parameter];
    if !prepared.is_coefficient(parameter) || (own.0 <= low && high <= own.1) {
        return Ok(());
    }
    let (name, own) = (text::label(&name(prepared, parameter)), [own.0, own.1].map(|bound| significant(bound, 6)));
    Err(CommandError::Usage(format!(
        "--poi-bounds: the responses to {name} hold within its bounds [{}, {}], which can be narrowed here and not widened",
        own[0], own[1]
    )))
}

/// A usage error where a value of a Wilson coefficient lies outside of its bounds: there its responses need not hold.
pub fn check_in_box(prepared: &Prepared, flag: &str, parameter: usize, value: f64) -> CommandResult {
    let bounds = prepared.model.bounds();
    let Some((low, high)) = bounds.get(parameter).filter(|_| prepared.is_coefficient(parameter)) else { return Ok(()) };
    if (*low..=*high).contains(&value) {
        return Ok(());
    }
    let name = text::label(&name(prepared, parameter));
    let [low, high, value] = [*low, *high, value].map(|x| significant(x, 6));
    Err(CommandError::Usage(format!(
        "{flag}: {name} = {value} is not within its bounds [{low}, {high}], beyond which its responses need not hold"
    )))
}

/// A usage error where a statistic with a tilde is to test a negative value.
pub fn check_tilde(statistic: TestStatistic, value: f64) -> CommandResult {
    if !statistic.is_tilde() || value >= 0.0 {
        return Ok(());
    }
    let message = "a statistic with a tilde tests values of 0 and above: --test-stat q or t tests negative ones";
    Err(CommandError::Usage(message.to_owned()))
}

/// The tests of a prepared model's POI, which hold fits made once.
pub fn asymptotic_test<'p>(
    prepared: &Prepared,
    program: &'p Program,
    options: &FitOptions,
    poi: usize,
    statistic: TestStatistic,
) -> Result<AsymptoticTest<'p>, TestFailure> {
    AsymptoticTest::new(Likelihood::new(program, &prepared.data, options.clone()), poi, statistic)
}

fn bounds(text: &str) -> Result<(f64, f64), String> {
    let number = |text: &str| text.trim().parse().ok().filter(|x: &f64| x.is_finite());
    match text.split_once(',').map(|(low, high)| (number(low), number(high))) {
        Some((Some(low), Some(high))) if low < high => Ok((low, high)),
        _ => Err("expected two numbers LO,HI with LO < HI".to_owned()),
    }
}
