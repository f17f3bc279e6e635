//! Parameters: free, held, without effect, pulled (spec/audit.md, section 6).

use super::context::Context;
use super::{Code, Finding, Severity};
use crate::infer::FitResult;
use crate::kernel::Evaluator;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

pub(super) fn look(context: &Context, null: &HashSet<usize>, found: &mut Vec<Finding>) {
    by_set(context, Code::Unconstrained, &|i| is_unconstrained(context, i), found);
    by_set(context, Code::FixedParameter, &is_held(context), found);
    let model = context.subject.model;
    if model.unbinned.is_empty() && model.densities.is_none() && model.measurements.sets.is_empty() {
        let idle = without_effect(context);
        let is_idle = |i: usize| idle[i] && !null.contains(&i) && model.poi != Some(i);
        by_set(context, Code::NoDependence, &is_idle, found);
        let poi = model.poi.filter(|poi| idle[*poi]);
        found.extend(poi.map(|poi| of_poi(context, poi, Code::PoiWithoutEffect, Severity::Warning)));
    }
    poi(context, found);
    shared_names(context, found);
    found.extend(context.subject.fit.into_iter().flat_map(|fit| of_fit(context, fit)));
}

/// One finding for each parameter set of which some value fits.
fn by_set(context: &Context, code: Code, fits: &dyn Fn(usize) -> bool, found: &mut Vec<Finding>) {
    let mut sets: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for i in (0..context.names.len()).filter(|i| fits(*i)) {
        sets.entry(context.set_names[i]).or_default().push(i);
    }
    for (name, values) in sets {
        let Some(&first) = values.first() else { continue };
        let severity = if code == Code::NoDependence { Severity::Warning } else { Severity::Note };
        let finding = Finding::new(code, severity, values.len() as f64);
        let mut finding = context.at_parameter(finding, first);
        if code == Code::FixedParameter {
            finding.pointer = context.places().configuration(name).map(str::to_owned).or(finding.pointer);
        }
        let (low, high) = context.bounds[first];
        let of_code: &[(&'static str, f64)] = match code {
            Code::Unconstrained => &[("low", low), ("high", high)],
            Code::FixedParameter => &[("value", context.subject.point[first])],
            _ => &[],
        };
        finding.values.push(("count", values.len() as f64));
        finding.values.extend(of_code);
        finding.parameters = values.iter().map(|i| context.names[*i].clone()).collect();
        found.push(finding);
    }
}

fn is_unconstrained(context: &Context, i: usize) -> bool {
    let model = context.subject.model;
    let otherwise = model.penalties.iter().any(|penalty| penalty.parameter == i)
        || model.densities.iter().any(|densities| densities.parameters.contains(&i));
    let is_plain = context.constraints[i].is_none() && context.is_free(i) && !otherwise;
    is_plain && model.poi != Some(i) && !context.subject.coefficients[i]
}

/// Held, and not because there is no uncertainty that could move it.
fn is_held<'c>(context: &'c Context) -> impl Fn(usize) -> bool + 'c {
    let by_itself = context.subject.model.fixed();
    move |i| {
        let frozen = by_itself[i] && context.is_gamma(i) && !context.places().says_fixed(context.set_names[i]);
        context.subject.fixed[i] && !context.is_driven[i] && !frozen
    }
}

/// The free parameters that move no expected yield: none has a slope, and at ±1σ none is another.
fn without_effect(context: &Context) -> Vec<bool> {
    let (n, n_bins) = (context.names.len(), context.program.n_bins());
    // A strength of zero hides what acts on its samples.
    let mut point = context.subject.point.to_vec();
    for (i, value) in point.iter_mut().enumerate().filter(|(_, value)| **value == 0.0) {
        if context.is_free(i) && context.constraints[i].is_none() {
            *value = 1.0_f64.max(context.bounds[i].0).min(context.bounds[i].1);
        }
    }
    context.program.complete(&mut point);
    let mut evaluator = Evaluator::new(&context.program);
    let mut has_slope = vec![false; n];
    evaluator.visit_rates(&point, |cell| {
        let moving = cell.parameters.iter().filter(|i| cell.derivatives[**i] != 0.0);
        moving.for_each(|i| has_slope[*i] = true);
    });
    let mut auxiliary = vec![0.0; context.program.n_auxdata()];
    let mut expected = |point: &[f64]| {
        let mut main = vec![0.0; n_bins];
        evaluator.expected(point, &mut main, &mut auxiliary);
        main
    };
    let here = expected(&point);
    let is_idle = |i: usize| {
        if !context.is_free(i) || has_slope[i] {
            return false;
        }
        let width = context.constraints[i].map_or(0.5, |constraint| constraint.width());
        [-width, width].into_iter().all(|step| {
            let mut moved = point.clone();
            moved[i] = (moved[i] + step).max(context.bounds[i].0).min(context.bounds[i].1);
            context.program.complete(&mut moved);
            expected(&moved) == here
        })
    };
    (0..n).map(is_idle).collect()
}

fn of_poi(context: &Context, poi: usize, code: Code, severity: Severity) -> Finding {
    let (low, high) = context.bounds[poi];
    let finding = context.at_parameter(Finding::new(code, severity, 1.0), poi);
    let finding = finding.values([("value", context.subject.point[poi]), ("low", low), ("high", high)]);
    Finding { parameters: vec![context.names[poi].clone()], ..finding }
}

fn poi(context: &Context, found: &mut Vec<Finding>) {
    let Some(poi) = context.subject.model.poi else {
        let others = context.subject.poi_name.filter(|name| !name.is_empty()).map(str::to_owned);
        let finding = Finding::new(Code::NoPoi, Severity::Note, 1.0);
        found.push(Finding { others: others.into_iter().collect(), ..finding });
        return;
    };
    let ((low, high), value) = (context.bounds[poi], context.subject.point[poi]);
    let starts_there = value <= low || value >= high;
    let ends_there = context.subject.fit.is_some_and(|fit| fit.at_limit.contains(&poi));
    if context.is_free(poi) && (starts_there || ends_there) {
        let finding = of_poi(context, poi, Code::PoiAtBound, Severity::Note);
        found.push(finding.values([("in_fit", f64::from(u8::from(ends_there)))]));
    }
}

/// Sets whose modifiers have several types, but for a normsys and a histosys that meet on some sample.
fn shared_names(context: &Context, found: &mut Vec<Finding>) {
    let mut samples: HashMap<&str, HashMap<(&str, &str), BTreeSet<&'static str>>> = HashMap::new();
    for ((channel, sample, name), places) in context.places().all() {
        let of_sample = samples.entry(name).or_default().entry((channel, sample)).or_default();
        of_sample.extend(places.iter().map(|place| place.kind).filter(|kind| !kind.starts_with("eft_")));
    }
    let (mut first, mut apart) = (0, Vec::new());
    for set in &context.subject.model.parameters {
        let parameter = first;
        first += set.len();
        let Some(samples) = samples.get(set.name.as_str()) else { continue };
        let all: BTreeSet<&'static str> = samples.values().flatten().copied().collect();
        let is_usual = all.iter().all(|kind| matches!(*kind, "normsys" | "histosys"));
        if all.len() > 1 && is_usual && samples.values().all(|kinds| kinds.len() == 1) {
            apart.push((parameter, samples.len()));
        }
        if all.len() > 1 && !is_usual {
            let finding = Finding::new(Code::SharedName, Severity::Note, samples.len() as f64);
            let finding = context.at_parameter(finding, parameter).values([("samples", samples.len() as f64)]);
            found.push(Finding { parameters: vec![set.name.clone()], ..finding });
        }
    }
    // Common enough to be told once.
    let Some(&(one, _)) = apart.first() else { return };
    let n_samples: usize = apart.iter().map(|(_, samples)| samples).sum();
    let finding = Finding::new(Code::SharedName, Severity::Note, 0.0).values([("samples", n_samples as f64)]);
    let mut finding = context.at_parameter(finding, one);
    finding.parameters = apart.iter().map(|(i, _)| context.names[*i].clone()).collect();
    found.push(Finding { modifier: None, ..finding });
}

fn of_fit(context: &Context, fit: &FitResult) -> Vec<Finding> {
    if !fit.valid {
        return vec![Finding::new(Code::FitNotValid, Severity::Warning, 1.0)];
    }
    let mut found = Vec::new();
    for i in (0..context.names.len()).filter(|i| context.is_free(*i)) {
        let Some(constraint) = context.constraints[i] else { continue };
        let pull = constraint.pull(fit.parameters[i]).unwrap_or(0.0);
        let width = fit.uncertainties.as_deref().and_then(|all| all.get(i)).and_then(|width| constraint.ratio(*width));
        let width = width.filter(|width| width.is_finite()).unwrap_or(f64::NAN);
        let mut add = |code: Code, size: f64| {
            let finding = context.at_parameter(Finding::new(code, Severity::Note, size), i);
            let finding = finding.values([("pull", pull), ("constraint", width)]);
            found.push(Finding { parameters: vec![context.names[i].clone()], ..finding });
        };
        if pull.abs() > context.threshold("nuisance-pull") {
            add(Code::PulledNuisance, pull.abs());
        }
        if width < context.threshold("constraint") {
            add(Code::ConstrainedNuisance, 1.0 / width);
        }
    }
    found
}
