//! Operations of spec/inference.md asked of this library: tests and limits; the others are in `after_fit`.

use super::after_fit;
use super::case::{ErrorAnswer, Request};
use super::library::{Answered, Built, bad_request, built, text};
use crate::infer::asymptotic::{Criterion, Tails};
use crate::infer::generate::ToyKind;
use crate::infer::hypotest::{TestFailure, likelihood_ratio};
use crate::infer::toy_hypotest::{Hypothesis, ToyHypotest, ToyOptions};
use crate::infer::toy_test::{Distribution, ToyTails};
use crate::infer::{
    AsymptoticTest, FitOptions, Hypotest, Likelihood, LimitOptions, NoLimit, TestStatistic, Watch, upper_limit,
};
use crate::program::Program;
use serde_json::{Value, json};

/// The result of an inference operation; `None` for another operation.
pub fn answer(request: &Request) -> Option<Answered> {
    let operation: fn(&Request, &Built, &Program) -> Answered = match request.operation {
        "hypotest" => hypotest,
        "likelihood_ratio" => ratio,
        "significance" => significance,
        "upper_limit" => limit,
        "toys" => toys,
        "minos" => after_fit::intervals,
        "scan" => after_fit::scan,
        "ranking" => after_fit::impacts,
        "breakdown" => after_fit::breakdown,
        "yields" => after_fit::yields,
        "gof" => after_fit::gof,
        "channel_compatibility" => after_fit::channel_compatibility,
        "asimov" => after_fit::asimov_data,
        _ => return None,
    };
    Some(built(request).and_then(|built| operation(request, &built, &Program::compile(&built.model))))
}

pub fn likelihood<'p>(built: &Built, program: &'p Program) -> Likelihood<'p> {
    Likelihood::new(program, &built.data, FitOptions::new(&built.model))
}

/// No answer: a fit that the answer rests on is not valid, for example.
pub fn failed(failure: impl std::fmt::Debug) -> ErrorAnswer {
    ErrorAnswer { class: "FailedMinimization".to_owned(), message: format!("{failure:?}") }
}

pub fn poi(built: &Built) -> Result<usize, ErrorAnswer> {
    built.model.poi.ok_or_else(|| ErrorAnswer { class: "UnspecifiedPOI".to_owned(), message: "no POI".to_owned() })
}

pub fn number(request: &Request, key: &str) -> Result<f64, ErrorAnswer> {
    request.input.get(key).and_then(Value::as_f64).ok_or_else(|| bad_request(format!("no number {key}")))
}

fn statistic(request: &Request) -> Result<TestStatistic, ErrorAnswer> {
    match text(request, "test_stat") {
        Some("q") => Ok(TestStatistic::Qmu),
        Some("qtilde") => Ok(TestStatistic::QmuTilde),
        Some("q0") => Ok(TestStatistic::Q0),
        other => Err(bad_request(format!("no test statistic {other:?}"))),
    }
}

/// Place of a parameter by its label.
pub fn index(built: &Built, label: &str) -> Result<usize, ErrorAnswer> {
    let names = built.model.parameter_names();
    names.iter().position(|name| name == label).ok_or_else(|| bad_request(format!("no parameter {label}")))
}

fn asymptotic<'p>(
    built: &Built,
    program: &'p Program,
    statistic: TestStatistic,
) -> Result<AsymptoticTest<'p>, ErrorAnswer> {
    AsymptoticTest::new(likelihood(built, program), poi(built)?, statistic).map_err(|e: TestFailure| failed(e))
}

fn hypotest(request: &Request, built: &Built, program: &Program) -> Answered {
    let mut test = asymptotic(built, program, statistic(request)?)?;
    let found: Hypotest = test.at(number(request, "poi_test")?).map_err(failed)?;
    Ok(json!({
        "q": found.observed.value, "q_A": found.asimov.value,
        "CLs_obs": found.tails.cls(), "CLsb": found.tails.clsb(), "CLb": found.tails.clb(),
        "CLs_exp": found.band.iter().map(Tails::cls).collect::<Vec<_>>(),
    }))
}

fn ratio(request: &Request, built: &Built, program: &Program) -> Answered {
    let values = request.input.get("values").and_then(Value::as_object).ok_or_else(|| bad_request("no values"))?;
    let tested = values.iter().map(|(label, value)| {
        Ok((index(built, label)?, value.as_f64().ok_or_else(|| bad_request(format!("no number {label}")))?))
    });
    let tested = tested.collect::<Result<Vec<_>, ErrorAnswer>>()?;
    let found = likelihood_ratio(likelihood(built, program), &tested).map_err(failed)?;
    Ok(json!({"t": found.t, "p_value": found.p_value}))
}

fn significance(_: &Request, built: &Built, program: &Program) -> Answered {
    let found = asymptotic(built, program, TestStatistic::Q0)?.at(0.0).map_err(failed)?;
    let (p0, significance) = found.discovery();
    let band = found.expected_discovery();
    Ok(json!({
        "q0": found.observed.value, "q_A": found.asimov.value, "p0": p0, "significance": significance,
        "p0_exp": band.map(|(p, _)| p), "significance_exp": band.map(|(_, z)| z),
    }))
}

fn limit(request: &Request, built: &Built, program: &Program) -> Answered {
    let criterion = match text(request, "criterion") {
        Some("CLs") => Criterion::Cls,
        Some("CLsb") => Criterion::Clsb,
        other => return Err(bad_request(format!("no criterion {other:?}"))),
    };
    let options = LimitOptions { level: number(request, "level")?, criterion, ..LimitOptions::default() };
    let mut test = asymptotic(built, program, statistic(request)?)?;
    let found = upper_limit(&mut test, &options);
    // Only "no value is allowed" is an answer without a number; a failure is not.
    let value = |limit: &Result<f64, NoLimit>| match limit {
        Ok(limit) => Ok(json!(limit)),
        Err(NoLimit::AllExcluded) => Ok(Value::Null),
        Err(other) => Err(failed(other)),
    };
    let expected = found.expected.iter().map(value).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({"observed_limit": value(&found.observed)?, "expected_limit": expected}))
}

fn toys(request: &Request, built: &Built, program: &Program) -> Answered {
    let whole = |key| request.input.get(key).and_then(Value::as_u64).ok_or_else(|| bad_request(format!("no {key}")));
    let (n, seed) = (whole("toys")?, whole("seed")?);
    let (statistic, mu) = (statistic(request)?, number(request, "poi_test")?);
    let options = ToyOptions { kind: ToyKind::Frequentist, seed, statistic, mu };
    let test = ToyHypotest::new(likelihood(built, program), &built.data, poi(built)?, &options).map_err(failed)?;
    let distribution = |hypothesis| {
        let mut drawn = Vec::new();
        let Ok(()) = test.run(hypothesis, 0..n, &Watch::default(), |toy| {
            drawn.push(toy);
            Ok::<(), std::convert::Infallible>(())
        });
        Distribution::new(&drawn, statistic, mu)
    };
    let (tested, alternative) = (distribution(Hypothesis::Tested), distribution(Hypothesis::Alternative));
    let tails = ToyTails::new(&tested, &alternative, test.observed);
    match tails.clsb.n_failed + tails.clb.n_failed {
        0 => Ok(json!({"CLsb": tails.clsb.p(), "CLb": tails.clb.p()})),
        failures => Err(failed(format!("{failures} toys failed"))),
    }
}
