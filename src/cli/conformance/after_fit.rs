//! Operations of spec/inference.md that follow a fit: intervals, scans, impacts, yields, goodness of fit, Asimov data.

use super::case::{ErrorAnswer, Request};
use super::inference::{failed, index, likelihood, number, poi};
use super::library::{Answered, Built, bad_request, by_channel, by_constraint, text};
use crate::cli::selection::select;
use crate::infer::asimov::{AsimovPoint, asimov};
use crate::infer::compatibility::compatibility;
use crate::infer::covariance::Covariance;
use crate::infer::goodness_of_fit::saturated;
use crate::infer::prediction::{Prediction, Propagation, Yield, predict};
use crate::infer::ranking::{Impact, ImpactMethod, Missing, RankingOptions, Shift, ranking};
use crate::infer::{Crossing, FitOptions, FitResult, Hesse, Likelihood, Profile, Side, Watch, minos, prefit};
use crate::kernel::Evaluator;
use crate::program::Program;
use crate::report::reason::Reason;
use serde_json::{Map, Value, json};

fn strings(value: Option<&Value>) -> Result<Vec<&str>, ErrorAnswer> {
    let list = value.and_then(Value::as_array).ok_or_else(|| bad_request("expected a list"))?;
    list.iter().map(|entry| entry.as_str().ok_or_else(|| bad_request("expected a list of names"))).collect()
}

fn parameters(request: &Request, built: &Built) -> Result<Vec<usize>, ErrorAnswer> {
    strings(request.input.get("parameters"))?.into_iter().map(|label| index(built, label)).collect()
}

/// The fit with its covariance, if it is valid.
fn fitted(likelihood: &mut Likelihood) -> Result<FitResult, ErrorAnswer> {
    let fit = likelihood.fit(Hesse::All);
    if fit.valid { Ok(fit) } else { Err(failed(&fit.reason)) }
}

pub fn intervals(request: &Request, built: &Built, program: &Program) -> Answered {
    let parameters = parameters(request, built)?;
    let found = minos(&likelihood(built, program), &parameters, number(request, "level")?, &Watch::default());
    if !found.best.valid {
        return Err(failed(&found.best.reason));
    }
    let names = built.model.parameter_names();
    let mut intervals = Map::new();
    for entry in &found.parameters {
        let best = found.best.parameters[entry.parameter];
        // A side without an end is an answer where the bound is the reason, not where the search failed.
        let distance = |side: &Side| match side {
            Side::Searched(Crossing::At(value)) => Ok(json!((value - best).abs())),
            Side::Searched(Crossing::AtBound { .. } | Crossing::EndOfDomain { .. }) => Ok(Value::Null),
            other => Err(failed(other)),
        };
        let sides = json!({"lower": distance(&entry.lower)?, "upper": distance(&entry.upper)?});
        intervals.insert(names[entry.parameter].clone(), sides);
    }
    Ok(json!({"intervals": intervals}))
}

pub fn scan(request: &Request, built: &Built, program: &Program) -> Answered {
    let parameters = parameters(request, built)?;
    let mut profile = Profile::new(likelihood(built, program), &parameters);
    let rows = request.input.get("values").and_then(Value::as_array).ok_or_else(|| bad_request("no values"))?;
    let mut points = Vec::new();
    for row in rows {
        let values: Option<Vec<f64>> = row.as_array().and_then(|row| row.iter().map(Value::as_f64).collect());
        let values = values.filter(|v| v.len() == parameters.len()).ok_or_else(|| bad_request("rows of numbers"))?;
        profile.confirm(&values);
        let point = profile.at(&values);
        if let Some(reason) = &point.minimum.reason {
            return Err(failed(reason));
        }
        points.push(point);
    }
    let heights: Vec<f64> = points.iter().map(|point| profile.height(point)).collect();
    Ok(json!({"delta_twice_nll": heights}))
}

fn ranked(
    built: &Built,
    program: &Program,
    method: ImpactMethod,
    groups: Vec<Vec<usize>>,
) -> Result<crate::infer::ranking::Ranking, ErrorAnswer> {
    let options = RankingOptions { poi: poi(built)?, method, global_method: ImpactMethod::Hesse, groups };
    let found = ranking(&likelihood(built, program), &options, &Watch::default());
    match (&found.fit.reason, &found.lower) {
        (None, None) => Ok(found),
        (reason, lower) => Err(failed((reason, lower))),
    }
}

pub fn impacts(request: &Request, built: &Built, program: &Program) -> Answered {
    let kind = text(request, "method");
    let method = if kind == Some("refit") { ImpactMethod::Refit } else { ImpactMethod::Hesse };
    let found = ranked(built, program, method, Vec::new())?;
    let names = built.model.parameter_names();
    let mut impacts = Map::new();
    for impact in &found.impacts {
        let entry = match kind {
            Some("refit") => pairs(impact)?,
            Some("hessian") => json!({"postfit": up(&impact.postfit)?, "prefit": up(&impact.prefit)?}),
            Some("global_observables") => up(&impact.global)?,
            other => return Err(bad_request(format!("no method {other:?}"))),
        };
        impacts.insert(names[impact.parameter].clone(), entry);
    }
    Ok(json!({"impacts": impacts}))
}

fn pairs(impact: &Impact) -> Answered {
    let [postfit_down, postfit_up] = [shift(&impact.postfit[0])?, shift(&impact.postfit[1])?];
    let [prefit_down, prefit_up] = [shift(&impact.prefit[0])?, shift(&impact.prefit[1])?];
    Ok(json!({
        "postfit_down": postfit_down, "postfit_up": postfit_up, "prefit_down": prefit_down, "prefit_up": prefit_up,
    }))
}

fn up(shifts: &[Shift; 2]) -> Answered {
    shift(&shifts[1])
}

/// A refit without a minimum is no number; that the work was stopped would be a failure.
fn shift(shift: &Shift) -> Answered {
    match shift {
        Ok(value) => Ok(json!(value)),
        Err(Missing::Stopped) => Err(failed(Missing::Stopped)),
        Err(_) => Ok(Value::Null),
    }
}

pub fn breakdown(request: &Request, built: &Built, program: &Program) -> Answered {
    let groups = request.input.get("groups").and_then(Value::as_object).ok_or_else(|| bad_request("no groups"))?;
    let mut members = Vec::new();
    for patterns in groups.values() {
        let selected = strings(Some(patterns))?.into_iter().filter_map(|p| select(&built.model, p).ok());
        let mut indices: Vec<usize> = selected.flat_map(|found| found.indices).collect();
        indices.sort_unstable();
        indices.dedup();
        members.push(indices);
    }
    let found = ranked(built, program, ImpactMethod::Hesse, members)?;
    let breakdown = found.breakdown.ok_or_else(|| failed("no covariance"))?;
    let shares = groups.keys().cloned().zip(breakdown.groups.iter().map(|group| json!(group.contribution)));
    Ok(json!({
        "total": breakdown.total, "statistical": breakdown.systematic.frozen,
        "systematic": breakdown.systematic.contribution, "groups": shares.collect::<Map<_, _>>(),
    }))
}

pub fn yields(request: &Request, built: &Built, program: &Program) -> Answered {
    let options = FitOptions::new(&built.model);
    let (point, covariance) = match text(request, "kind") {
        Some("prefit") => (
            prefit::point(program, &built.data.auxiliary, &options.init, &options.fixed),
            prefit::covariance(program, &options.fixed),
        ),
        Some("postfit") => {
            let fit = fitted(&mut likelihood(built, program))?;
            let matrix = fit.covariance.as_ref().ok_or_else(|| failed("no covariance"))?;
            let n = fit.parameters.len();
            (fit.parameters, Covariance::of_matrix(matrix, n).map_err(failed)?)
        }
        other => return Err(bad_request(format!("no kind {other:?}"))),
    };
    let found = predict(&mut Evaluator::new(program), &point, &covariance, Propagation::Linear);
    Ok(json!({"channels": named_yields(built, &found)}))
}

fn named_yields(built: &Built, prediction: &Prediction) -> Map<String, Value> {
    let entry = |bins: &[Yield], sum: &Yield| {
        json!({
            "yields": bins.iter().map(|bin| bin.value).collect::<Vec<_>>(),
            "uncertainties": bins.iter().map(|bin| bin.uncertainty).collect::<Vec<_>>(),
            "sum": sum.value, "sum_uncertainty": sum.uncertainty,
        })
    };
    let channels = built.model.channels.iter().zip(&prediction.channels).map(|(channel, predicted)| {
        let samples = channel.samples.iter().zip(&predicted.samples);
        let mut entries: Map<String, Value> =
            samples.map(|(sample, found)| (sample.name.clone(), entry(&found.bins, &found.sum))).collect();
        entries.insert("total".to_owned(), entry(&predicted.total, &predicted.sum));
        (channel.name.clone(), Value::Object(entries))
    });
    channels.collect()
}

pub fn gof(_: &Request, built: &Built, program: &Program) -> Answered {
    let mut likelihood = likelihood(built, program);
    let fit = fitted(&mut likelihood)?;
    let found = saturated(&mut likelihood, &fit.parameters);
    Ok(json!({
        "statistic": found.statistic, "degrees_of_freedom": found.degrees_of_freedom, "p_value": found.p_value(),
        "bins": by_channel(&built.model, &found.bins),
        "constraints": found.constraints.iter().map(|(_, part)| part).sum::<f64>(),
    }))
}

pub fn channel_compatibility(_: &Request, built: &Built, _: &Program) -> Answered {
    let channels = &built.model.channels;
    let groups: Vec<Vec<usize>> = (0..channels.len()).map(|channel| vec![channel]).collect();
    let options = FitOptions::new(&built.model);
    let found = compatibility(&built.model, &built.data, &options, poi(built)?, &groups).map_err(failed)?;
    if !(found.common.valid && found.split.valid) {
        return Err(failed((&found.common.reason, &found.split.reason)));
    }
    let best: Map<String, Value> =
        found.groups.iter().map(|group| (channels[group.group].name.clone(), json!(group.value))).collect();
    Ok(json!({
        "statistic": found.statistic, "degrees_of_freedom": found.degrees_of_freedom, "p_value": found.p_value(),
        "best_fit": best,
    }))
}

pub fn asimov_data(request: &Request, built: &Built, program: &Program) -> Answered {
    let mut likelihood = likelihood(built, program);
    let setting = match request.input.get("mu").and_then(Value::as_f64) {
        Some(mu) => Some((poi(built)?, mu)),
        None => None,
    };
    let options = &likelihood.options;
    let point = match text(request, "kind") {
        Some("prefit") => {
            AsimovPoint::Given(prefit::point(program, &built.data.auxiliary, &options.init, &options.fixed))
        }
        Some("conditional" | "postfit") => AsimovPoint::Postfit { conditional: true },
        other => return Err(bad_request(format!("no kind {other:?}"))),
    };
    let no_data = |why| bad_request(Reason::of_generation(&built.model, &why).message);
    let found = asimov(&mut likelihood, point, setting).map_err(no_data)?;
    if let Some(reason) = &found.minimum.reason {
        return Err(failed(reason));
    }
    let main = by_channel(&built.model, &found.data.main);
    Ok(json!({"data": {"main": main, "auxdata": by_constraint(&built.model, &found.data.auxiliary)}}))
}
