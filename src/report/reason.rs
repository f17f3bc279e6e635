//! Why a result is not valid or lacks a number: a code for programs, a sentence for people.

use super::number::Number;
use super::text;
use crate::finding::number;
use crate::graph::NoData;
use crate::infer::fit::Failure;
use crate::infer::generate::GenerationFailure;
use crate::infer::hypotest::{TestFailure, TestFit};
use crate::infer::toy_hypotest::NoToys;
use crate::infer::{FitOptions, NoLimit};
use crate::kernel::OutOfDomain;
use crate::model::Model;
use crate::translate::from_hs3::BesideFile;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// A reason. Channel, bin (from 0), parameters and directions are there where the code speaks of them.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Reason {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bin: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    pub code: Code,
    /// Directions in which the function is flat: weights by scalar parameter name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directions: Option<Vec<BTreeMap<String, Number>>>,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Vec<String>>,
}

/// What happened, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Every value of the POI is excluded.
    AllExcluded,
    /// The value of the POI with which a test compares is not within its bounds.
    AlternativeOutOfBounds,
    /// A parameter's bound comes before what was looked for.
    AtBound,
    /// Something is hidden, as was asked for.
    Blinded,
    /// The test statistic asks for another lower bound of the POI than the model's.
    BoundOfStatistic,
    /// The POI's lower bound was raised to what the test statistic asks for.
    BoundRaised,
    /// The POI's upper bound is not excluded, and was not to be widened.
    BoundReached,
    /// The POI's upper bound was doubled.
    BoundsWidened,
    /// The domain of the likelihood ends before what was looked for.
    EndOfDomain,
    /// Toys without a valid fit.
    FailedToys,
    /// The parameter does not move in the fit.
    Fixed,
    /// The statistical uncertainty of simulated events is not well known.
    FewEvents,
    FlatDirections,
    /// Parameters of flat errors, whose distribution within their bounds is not known.
    FlatErrors,
    /// Numbers of some parameters are missing; each says why.
    Incomplete,
    Interrupted,
    IterationLimit,
    /// A point lay below the minimum of the fit; everything refers to the lower minimum.
    LowerMinimum,
    /// A quadrature does not see a peak of a density: the value there is wrong.
    MissedPeak,
    /// The Asimov data would have a negative count.
    NegativeAsimov,
    /// There are no degrees of freedom for a test.
    NoDegreesOfFreedom,
    NoProgress,
    /// The number would not be that of the file as other programs read it.
    NotOfFile,
    /// Nothing can be drawn of the expected data.
    NoToyData,
    /// No toy has a valid fit.
    NoValidToy,
    /// Ratios of an unbinned term do not have the mean that they should have.
    NotClosed,
    /// The data do not exclude any value of the POI.
    NotExcluded,
    /// A Wilson coefficient is not excluded at its bound, beyond which its responses do not hold.
    NotExcludedInBox,
    /// A number of the result is NaN or infinite and stands as `null`.
    NotFinite,
    /// A search did not converge.
    NotFound,
    /// A result of another model does not hold everything, or holds more.
    NotMatched,
    /// Not computed because it was not asked for.
    NotRequested,
    OutOfDomain,
    /// The minimum is a plateau of flat errors, not a point.
    Plateau,
    /// Minima of a profile do not join continuously where a crossing was looked for.
    ProfileJumps,
    /// Yields depend on a coefficient more by its square than in first order.
    QuadraticDependence,
    /// Rounding of large counts hides what is to be found.
    Rounding,
    /// The likelihood has another, higher minimum, to which the start leads.
    SeveralMinima,
    /// A parameter began elsewhere than asked for.
    StartLifted,
    StartOutOfBounds,
    /// Not computed because the run was stopped.
    Stopped,
    /// Parameters have no effect where what multiplies them is zero.
    WithoutEffect,
    YieldAtZero,
}

impl Reason {
    pub fn new(code: Code, message: impl Into<String>) -> Reason {
        Reason { bin: None, channel: None, code, directions: None, message: message.into(), parameters: None }
    }

    fn at_bin(code: Code, message: String, channel: String, bin: usize) -> Reason {
        Reason { bin: Some(bin), channel: Some(channel), ..Reason::new(code, message) }
    }

    fn of_parameters(code: Code, message: String, parameters: Vec<String>) -> Reason {
        Reason { parameters: Some(parameters), ..Reason::new(code, message) }
    }

    /// Some numbers of `what` are not finite, those of these parameters.
    pub fn not_finite(what: &str, parameters: Vec<String>) -> Reason {
        let message = format!("{what} not finite for {}", text::list(&parameters, 8));
        Reason::of_parameters(Code::NotFinite, message, parameters)
    }

    /// Some of `what` are missing for these parameters.
    pub fn incomplete(what: &str, parameters: Vec<String>) -> Reason {
        let message = format!("{what} are missing for {}", text::list(&parameters, 8));
        Reason::of_parameters(Code::Incomplete, message, parameters)
    }

    /// A fit with a parameter held lies `below` the minimum, in `twice_nll`.
    pub fn not_lowest(below: f64) -> Reason {
        let message = format!(
            "a fit with a parameter held ends {below:.3e} below the minimum, which is therefore none; start elsewhere \
             (--init)"
        );
        Reason::new(Code::LowerMinimum, message)
    }

    /// These parameters have no variance of their own and were held.
    pub fn held_at_limit(parameters: Vec<String>) -> Reason {
        let message = format!("at a limit, without a variance and so held: {}", text::list(&parameters, 8));
        Reason::of_parameters(Code::Incomplete, message, parameters)
    }

    /// The fit began with these parameters at one.
    pub fn start_lifted(parameters: Vec<String>) -> Reason {
        let message = format!(
            "at the start a bin with counts has no yield: the fit began with 1 instead of 0 for {}",
            text::list(&parameters, 8)
        );
        Reason::of_parameters(Code::StartLifted, message, parameters)
    }

    /// The start alone leads to a minimum that lies `above` higher in `twice_nll`.
    pub fn several_minima(above: f64) -> Reason {
        let message =
            format!("the start leads to another minimum, {above:.3e} higher; this one was found from another start");
        Reason::new(Code::SeveralMinima, message)
    }

    /// The POI's upper bound was doubled for a limit.
    pub fn bounds_widened(poi: &str, before: (f64, f64), after: (f64, f64)) -> Reason {
        let interval = |(low, high)| format!("[{}, {}]", number(low), number(high));
        let message = format!(
            "the bounds {} of {} were widened to {} for the limit; --poi-bounds forbids it",
            interval(before),
            text::label(poi),
            interval(after)
        );
        Reason::of_parameters(Code::BoundsWidened, message, vec![poi.to_owned()])
    }

    /// A test without a result.
    pub fn of_test(model: &Model, failure: &TestFailure, options: &FitOptions) -> Reason {
        match failure {
            TestFailure::Fit(fit, failure) => {
                let mut reason = Reason::of_failure(model, failure, &options.init, &options.bounds);
                let which = match fit {
                    TestFit::Unconditional => "the fit with the POI free",
                    TestFit::Conditional => "the fit with the POI at the tested value",
                    TestFit::Alternative => "the fit that makes the Asimov data",
                    TestFit::AsimovUnconditional => "the fit of the Asimov data with the POI free",
                    TestFit::AsimovConditional => "the fit of the Asimov data with the POI at the tested value",
                };
                reason.message = format!("{which} is not valid: {}", reason.message);
                reason
            }
            TestFailure::AlternativeOutOfBounds { value, bounds: (low, high) } => {
                let message = format!(
                    "the test compares with the value {} of the POI, which is not within its bounds [{}, {}]: give others \
                     with --poi-bounds",
                    number(*value),
                    number(*low),
                    number(*high)
                );
                Reason::new(Code::AlternativeOutOfBounds, message)
            }
            TestFailure::Asimov(failure) => Reason::of_generation(model, failure),
            TestFailure::NegativeAsimov { channel, bin } => {
                let channel = channel_name(model, *channel);
                let message = format!(
                    "bin {bin} of channel {} expects a negative yield, of which no Asimov data can be made",
                    text::label(&channel)
                );
                Reason::at_bin(Code::NegativeAsimov, message, channel, *bin)
            }
        }
    }

    /// Why there are no toys.
    pub fn of_no_toys(model: &Model, no_toys: &NoToys, options: &FitOptions) -> Reason {
        match no_toys {
            NoToys::Generation(failure) => Reason::of_generation(model, failure),
            NoToys::Fit(fit, failure) => Reason::of_test(model, &TestFailure::Fit(*fit, failure.clone()), options),
        }
    }

    /// Why a toy has no data.
    pub fn of_generation(model: &Model, failure: &GenerationFailure) -> Reason {
        let name = |parameter: usize| model.parameter_names().get(parameter).cloned().unwrap_or_default();
        match *failure {
            GenerationFailure::Bin { channel, bin, expected } => {
                let channel = channel_name(model, channel);
                let message = format!(
                    "bin {bin} of channel {} expects {} events, of which no toy can be drawn",
                    text::label(&channel),
                    number(expected)
                );
                Reason::at_bin(Code::NoToyData, message, channel, bin)
            }
            GenerationFailure::AuxiliaryMeasurement { parameter, expected } => {
                let message = format!(
                    "the auxiliary measurement of {} expects {}, of which no toy can be drawn",
                    text::label(&name(parameter)),
                    number(expected)
                );
                Reason::of_parameters(Code::NoToyData, message, vec![name(parameter)])
            }
            GenerationFailure::OutsideBounds { parameter } => {
                let message = format!("no draw of {} lies within its bounds", text::label(&name(parameter)));
                Reason::of_parameters(Code::NoToyData, message, vec![name(parameter)])
            }
            GenerationFailure::NoReference { term } => {
                let term = term_label(model, term);
                let message = format!(
                    "the unbinned term {term} has no reference events, from which Asimov data and toys are made: add the \
                     member reference"
                );
                Reason::new(Code::NoToyData, message)
            }
            GenerationFailure::Event { term, row, weight } => {
                let event = event_name(model, term, row);
                Reason::new(Code::NoToyData, format!("{event} would be drawn with the weight {}", number(weight)))
            }
            GenerationFailure::Densities { pair, why } => {
                let mut names = model.densities.iter().flat_map(|term| term.graph.pair_names());
                let name = text::label(names.nth(pair).unwrap_or_default());
                Reason::new(Code::NoToyData, format!("no data of {name} can be made: {}", no_data(why)))
            }
            GenerationFailure::Covariance => {
                Reason::new(Code::NoToyData, "the fit has no positive definite covariance to draw parameters from")
            }
        }
    }

    /// Toys without a valid fit.
    pub fn failed_toys(n: u64) -> Reason {
        let message = format!(
            "{n} {} no valid fit and count in no fraction; with_failed has the bounds that they leave",
            if n == 1 { "toy has" } else { "toys have" }
        );
        Reason::new(Code::FailedToys, message)
    }

    /// Why a limit does not exist.
    pub fn of_no_limit(model: &Model, no_limit: &NoLimit, options: &FitOptions) -> Reason {
        match no_limit {
            NoLimit::Test(failure) => Reason::of_test(model, failure, options),
            NoLimit::BoundReached { bound } => {
                let message = format!("the upper bound {} of the POI is not excluded (--poi-bounds)", number(*bound));
                Reason::new(Code::BoundReached, message)
            }
            NoLimit::NotExcluded { tested } => {
                let message = format!("values of the POI up to {} are not excluded", number(*tested));
                Reason::new(Code::NotExcluded, message)
            }
            NoLimit::NotExcludedInBox { bound } => {
                let message = format!(
                    "the POI is not excluded at {}, the bound of the range in which its responses hold: no limit within it",
                    number(*bound)
                );
                Reason::new(Code::NotExcludedInBox, message)
            }
            NoLimit::AllExcluded => {
                Reason::new(Code::AllExcluded, "all values of the POI within its bounds are excluded")
            }
            NoLimit::NotFound => Reason::new(Code::NotFound, "the search for the limit did not converge"),
        }
    }

    /// A point of a profile lay `above` below the minimum of the fit.
    pub fn lower_minimum(above: f64) -> Reason {
        let message = format!(
            "a point of the profile lay below the minimum of the fit: everything refers to a minimum that is \
             {above:.3e} lower in twice_nll"
        );
        Reason::new(Code::LowerMinimum, message)
    }

    /// `twice_nll` is not finite although no bin is out of domain.
    pub fn beyond_binary64() -> Reason {
        Reason::new(Code::NotFinite, "twice_nll is beyond the range of binary64 at this point")
    }

    /// A point at which `twice_nll` is +inf.
    /// What an evaluation says has been missed.
    pub fn missed_peak(peak: &str) -> Reason {
        let advice = "raise the lower bound of the width, or narrow the range of the variate";
        Reason::new(Code::MissedPeak, format!("{peak}: twice_nll or its slopes are wrong at this point; {advice}"))
    }

    pub fn out_of_domain(model: &Model, point: &OutOfDomain) -> Reason {
        match *point {
            OutOfDomain::Density { ref reason } => {
                Reason::new(Code::OutOfDomain, format!("{reason}: the likelihood is zero here"))
            }
            OutOfDomain::Bin { channel, bin, expected, .. } if expected.is_nan() => {
                let channel = channel_name(model, channel);
                let message = format!(
                    "bin {bin} of channel {} has no yield: a factor of a response with a negative power is not positive",
                    text::label(&channel),
                );
                Reason::at_bin(Code::OutOfDomain, message, channel, bin)
            }
            OutOfDomain::Bin { channel, bin, expected, observed } => {
                let (channel, expected, observed) = (channel_name(model, channel), number(expected), number(observed));
                let message = format!(
                    "bin {bin} of channel {} expects {expected} events and observed {observed}: the likelihood is \
                     zero here",
                    text::label(&channel),
                );
                Reason::at_bin(Code::OutOfDomain, message, channel, bin)
            }
            OutOfDomain::AuxiliaryMeasurement { parameter, expected, observed } => {
                let name = model.parameter_names().get(parameter).cloned().unwrap_or_default();
                let (expected, observed) = (number(expected), number(observed));
                let message = format!(
                    "the auxiliary measurement of {} expects {expected} and observed {observed}: the likelihood is \
                     zero here",
                    text::label(&name),
                );
                Reason::of_parameters(Code::OutOfDomain, message, vec![name])
            }
            OutOfDomain::Event { term, row, intensity } => {
                let (event, density) = (event_name(model, term, row), number(intensity));
                let message = format!("{event} has the density {density}: the likelihood is zero here");
                Reason::new(Code::OutOfDomain, message)
            }
            OutOfDomain::UnbinnedYield { term, expected } => {
                let (term, expected) = (term_label(model, term), number(expected));
                let message =
                    format!("the unbinned term {term} expects {expected} events: the likelihood is zero here");
                Reason::new(Code::OutOfDomain, message)
            }
        }
    }

    /// Parameters on which nothing depends where others are zero; nothing to say without any.
    pub fn without_effect(names: &[String], parameters: &[usize]) -> Option<Reason> {
        let silent: Vec<String> = parameters.iter().filter_map(|&i| names.get(i).cloned()).collect();
        let message = format!(
            "{} {} no effect where what multiplies {} is zero: values there are some of many, without uncertainties",
            text::list(&silent, 8),
            if silent.len() == 1 { "has" } else { "have" },
            if silent.len() == 1 { "it" } else { "them" },
        );
        (!silent.is_empty()).then(|| Reason::of_parameters(Code::WithoutEffect, message, silent))
    }

    /// Why RooFit's −ln L is left out for the document in a file that RooFit does not see.
    pub fn not_of_file(beside: BesideFile) -> Reason {
        let message = match beside {
            BesideFile::Profiled(n) => format!(
                "nll_roofit is left out: the file has {n} parameters eta of statistical uncertainty, which are at their best \
                 values in twice_nll and where they stand in RooFit (eft expand --portable-only gives a file in which they are \
                 parameters)"
            ),
            BesideFile::Truncated(order) => format!(
                "nll_roofit is left out: the file has its responses whole, and here they end at order {order} in 1/Λ²"
            ),
        };
        Reason::new(Code::NotOfFile, message)
    }

    /// A minimum that is a plateau of flat errors.
    pub fn plateau(names: &[String], directions: &[Vec<(usize, f64)>]) -> Reason {
        let (by_name, involved) = by_name(names, directions);
        let message = format!(
            "flat errors make the minimum a plateau in {} {} of {}: its parameters are one point of many, without \
             uncertainties; intervals come from profiles (minos, scan)",
            directions.len(),
            if directions.len() == 1 { "combination" } else { "combinations" },
            text::list(&involved, 8)
        );
        Reason { directions: Some(by_name), ..Reason::of_parameters(Code::Plateau, message, involved) }
    }

    /// A fit that did not end well. `init` and `bounds` are those the fit was given.
    pub fn of_failure(model: &Model, failure: &Failure, init: &[f64], bounds: &[(f64, f64)]) -> Reason {
        let names = model.parameter_names();
        match failure {
            Failure::StartOutOfBounds { parameters } => start_out_of_bounds(&names, parameters, init, bounds),
            Failure::OutOfDomain(Some(place)) => {
                let mut reason = Reason::out_of_domain(model, place);
                reason.message.push_str(
                    "; start elsewhere (--init), or narrow the bounds of the parameters that lower this yield",
                );
                reason
            }
            Failure::OutOfDomain(None) => Reason::beyond_binary64(),
            Failure::YieldAtZero { channel, bin } => {
                let channel = channel_name(model, *channel);
                let message = format!(
                    "the minimum lies where bin {bin} of channel {} expects no events; merge the bin, raise a lower \
                     bound, or set a floor (--clip-bin-data 1e-6)",
                    text::label(&channel)
                );
                Reason::at_bin(Code::YieldAtZero, message, channel, *bin)
            }
            Failure::FlatDirections { directions } => flat_directions(&names, directions),
            Failure::Rounding { size } => {
                let message = format!(
                    "the counts are so large that rounding alone moves twice_nll by {}: differences of it mean nothing; \
                     use a coarser unit or merge what is known exactly",
                    number(*size)
                );
                Reason::new(Code::Rounding, message)
            }
            Failure::IterationLimit => Reason::new(
                Code::IterationLimit,
                "the limit of iterations was reached before the minimum; start nearer (--init, --parameters)",
            ),
            Failure::MissedPeak { peak } => Reason::missed_peak(peak),
            Failure::NoProgress => Reason::new(
                Code::NoProgress,
                "no step lowers twice_nll although the estimated distance to the minimum is above the tolerance",
            ),
        }
    }
}

fn no_data(why: NoData) -> String {
    match why {
        NoData::Rate(rate) => format!("{} events are expected", number(rate)),
        NoData::Total(total) => format!(
            "it is not extended, so that it has as many events as its data, and their weights add up to {}",
            number(total)
        ),
        NoData::NoBin => "all bins have the probability zero, so that its events have no place".to_owned(),
        NoData::Bin { bin, expected } => format!("bin {bin} expects {}", number(expected)),
        NoData::Density(value) => format!("the density is {} at a point of its range", number(value)),
        NoData::Integral(sum) => format!(
            "its values on a grid add up to {} instead of 1: it has a peak that is narrower than the cells, or no limit",
            number(sum)
        ),
        NoData::Above(ratio) => {
            format!("it is {} times as high at an event as at the points that were looked at nearby", number(ratio))
        }
        NoData::Range => "a variate has no finite range".to_owned(),
        NoData::Variates(n) => format!("it has {n} variates, and events of one to three can be drawn"),
        NoData::Mixed => "a Poisson distribution of a variate stands beside other densities".to_owned(),
        NoData::Outside(mean) => format!("no whole number of the mean {} lies in the range", number(mean)),
    }
}

fn start_out_of_bounds(names: &[String], parameters: &[usize], init: &[f64], bounds: &[(f64, f64)]) -> Reason {
    let outside: Vec<String> = parameters.iter().filter_map(|&i| names.get(i).cloned()).collect();
    let mut places = Vec::new();
    for &i in parameters.iter().take(8) {
        if let (Some(name), Some(&value), Some(&(lo, hi))) = (names.get(i), init.get(i), bounds.get(i)) {
            let (value, lo, hi) = (number(value), number(lo), number(hi));
            places.push(format!("{} = {value} is not in [{lo}, {hi}]", text::label(name)));
        }
    }
    if parameters.len() > places.len() {
        places.push(format!("and {} more", parameters.len() - places.len()));
    }
    let message = format!(
        "the start lies outside the bounds: {}; choose another value (--init, --fix, --parameters)",
        places.join(", ")
    );
    Reason::of_parameters(Code::StartOutOfBounds, message, outside)
}

fn flat_directions(names: &[String], directions: &[Vec<(usize, f64)>]) -> Reason {
    if directions.is_empty() {
        let message = "the fit ended where the Hessian is not positive definite, neither at a minimum nor in a known \
                       direction off it; start elsewhere (--init)";
        return Reason::new(Code::FlatDirections, message);
    }
    let (by_name, involved) = by_name(names, directions);
    let message = format!(
        "the data do not determine {} {} of {}; fix some of these parameters (--fix)",
        directions.len(),
        if directions.len() == 1 { "combination" } else { "combinations" },
        text::list(&involved, 8)
    );
    Reason { directions: Some(by_name), ..Reason::of_parameters(Code::FlatDirections, message, involved) }
}

/// Directions by the names of their parameters, and all these names.
fn by_name(names: &[String], directions: &[Vec<(usize, f64)>]) -> (Vec<BTreeMap<String, Number>>, Vec<String>) {
    let by_name: Vec<BTreeMap<String, Number>> = directions
        .iter()
        .map(|d| d.iter().filter_map(|&(i, w)| Some((names.get(i)?.clone(), Number(w)))).collect())
        .collect();
    let mut involved: Vec<String> = by_name.iter().flat_map(|d| d.keys().cloned()).collect();
    involved.sort();
    involved.dedup();
    (by_name, involved)
}

fn term_label(model: &Model, term: usize) -> String {
    model.unbinned.get(term).map(|term| text::label(&term.name).to_string()).unwrap_or_default()
}

/// A row of an unbinned term in words.
fn event_name(model: &Model, term: usize, row: usize) -> String {
    let n_observed = model.unbinned.get(term).map_or(0, |term| term.observed.len());
    let (kind, row) = match row.checked_sub(n_observed) {
        None => ("observed", row),
        Some(row) => ("reference", row),
    };
    format!("the {kind} event in row {row} (from 0) of the unbinned term {}", term_label(model, term))
}

fn channel_name(model: &Model, index: usize) -> String {
    model.channels.get(index).map(|c| c.name.clone()).unwrap_or_default()
}
