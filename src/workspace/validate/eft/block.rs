//! Rules for the block `eft`: the theory, its coefficients, shared responses and event databases.

use super::super::Report;
use super::{Context, events, response};
use crate::document::eft::{CoefficientUncertainty, Distribution, PolynomialSource};
use crate::document::workspace::{Modifier, Workspace};
use crate::finding::{escape_token, number, quote};
use crate::rule;
use crate::workspace::parameters::{EFT_UNCERTAINTY, WILSON_COEFFICIENT, measured_nuisances, nuisances, share};
use std::collections::{HashMap, HashSet};

pub(super) fn check(workspace: &Workspace, context: &Context, report: &mut Report) {
    check_basis(context, report);
    let kinds = kinds(workspace);
    check_coefficients(context, &kinds, report);
    for (name, data) in &context.eft.responses {
        let pointer = format!("/eft/responses/{}", escape_token(name));
        response::check_shared(context, data, &pointer, report);
        check_names(context, &kinds, &data.uncertainties, &pointer, report);
    }
    let others = names_of_parameters(workspace, context, &kinds);
    for (m, measurement) in context.eft.gaussian_measurements.iter().enumerate() {
        for (s, systematic) in measurement.systematics.iter().enumerate() {
            let pointer = || format!("/eft/gaussian_measurements/{m}/systematics/{s}/name");
            if systematic.is_named_gaussian() || systematic.follows_prediction(measurement) {
                check_nuisance(context, &kinds, &systematic.name, pointer, report);
            } else if systematic.distribution == Distribution::Flat && others.contains(systematic.name.as_str()) {
                let found = format!("the name {}, which another parameter has", quote(&systematic.name));
                report.add(&rule::EFT_NAME_TAKEN, pointer(), found, "a name of its own");
            }
        }
        for (f, factor) in measurement.prediction.factors().iter().enumerate() {
            let pointer = format!("/eft/gaussian_measurements/{m}/prediction/factors/{f}");
            check_names(context, &kinds, &factor.uncertainties, &pointer, report);
        }
    }
    for (t, term) in context.eft.unbinned_terms.iter().enumerate() {
        for (k, component) in term.components.iter().enumerate() {
            for name in component.nuisances() {
                let pointer = || format!("/eft/unbinned_terms/{t}/components/{k}");
                check_nuisance(context, &kinds, name, pointer, report);
            }
        }
    }
    check_databases(workspace, context, report);
    for (c, channel) in workspace.channels.iter().enumerate() {
        for (s, sample) in channel.samples.iter().enumerate() {
            for (pointer, modifier) in
                super::extended(&sample.modifiers, &format!("/channels/{c}/samples/{s}/modifiers"))
            {
                check_nuisances(context, &kinds, modifier, &format!("{pointer}/data"), report);
            }
        }
    }
}

/// The names of all parameters but those of flat errors.
fn names_of_parameters<'w>(
    workspace: &'w Workspace,
    context: &Context<'w>,
    kinds: &HashMap<&'w str, &'static str>,
) -> HashSet<&'w str> {
    let eft = context.eft;
    let modifiers = workspace.channels.iter().flat_map(|c| &c.samples).flat_map(|s| &s.modifiers);
    let of_modifiers = modifiers.flat_map(|modifier| nuisances(modifier, eft));
    let coefficients = eft.wilson_coefficients.iter().map(|c| c.name.as_str());
    kinds.keys().copied().chain(of_modifiers).chain(coefficients).chain(measured_nuisances(eft, |_| true)).collect()
}

fn check_databases(workspace: &Workspace, context: &Context, report: &mut Report) {
    let modifiers = workspace.channels.iter().flat_map(|c| &c.samples).flat_map(|s| &s.modifiers);
    let name = |modifier: &Modifier| match modifier {
        Modifier::EftEvents { data, .. } => Some(data.database.clone()),
        _ => None,
    };
    let used: HashSet<String> = modifiers.filter_map(name).collect();
    let mut names: HashMap<&str, usize> = HashMap::new();
    for (d, database) in context.eft.event_databases.iter().enumerate() {
        let pointer = format!("/eft/event_databases/{d}");
        if let Some(first) = names.insert(database.name.as_str(), d) {
            let found = format!("the name {} of database {first} again", quote(&database.name));
            report.add(&rule::EFT_DUPLICATE_NAME, format!("{pointer}/name"), found, "a name of its own");
        }
        events::check_database(context, database, &pointer, report);
    }
    if used.iter().any(|name| !names.contains_key(name.as_str())) {
        // Which database such a name means has to be cleared up first.
        return;
    }
    for (d, database) in context.eft.event_databases.iter().enumerate().filter(|(_, d)| !used.contains(&d.name)) {
        let found = format!("the database {}, which no sample uses", quote(&database.name));
        let pointer = format!("/eft/event_databases/{d}");
        report.add(&rule::EFT_UNUSED_EVENTS, pointer, found, "an eft_events that names it");
    }
}

fn check_basis(context: &Context, report: &mut Report) {
    let basis = &context.eft.basis;
    for (key, scale) in [("Lambda_TeV", Some(basis.lambda_tev)), ("scale_GeV", basis.scale_gev)] {
        if let Some(scale) = scale.filter(|scale| *scale <= 0.0) {
            report.add(&rule::EFT_SCALE, format!("/eft/basis/{key}"), number(scale), "a positive scale");
        }
    }
}

/// The type of the first modifier of each name that declares a parameter.
fn kinds(workspace: &Workspace) -> HashMap<&str, &'static str> {
    let mut kinds = HashMap::new();
    let modifiers = workspace.channels.iter().flat_map(|c| &c.samples).flat_map(|s| &s.modifiers);
    for modifier in modifiers.filter(|m| !m.is_eft()) {
        kinds.entry(modifier.name()).or_insert(modifier.kind());
    }
    kinds
}

fn check_coefficients(context: &Context, kinds: &HashMap<&str, &'static str>, report: &mut Report) {
    let mut names = HashMap::new();
    for (i, coefficient) in context.eft.wilson_coefficients.iter().enumerate() {
        let pointer = |key: &str| format!("/eft/wilson_coefficients/{i}/{key}");
        let name = coefficient.name.as_str();
        if let Some(first) = names.insert(name, i) {
            let found = format!("the name {} of coefficient {first} again", quote(name));
            report.add(&rule::EFT_DUPLICATE_NAME, pointer("name"), found, "a name of its own");
        }
        if let Some(kind) = kinds.get(name) {
            let found = format!("the name {}, which a {kind} has", quote(name));
            report.add(&rule::EFT_NAME_TAKEN, pointer("name"), found, "a name that no modifier has");
        }
        let [low, high] = coefficient.bounds;
        if low > high {
            let found = format!("[{}, {}]", number(low), number(high));
            report.add(&rule::EFT_BOUNDS, pointer("bounds"), found, "a lower bound not above the upper bound");
        } else if !(low..=high).contains(&coefficient.init) {
            let found = format!("the initial value {} of {}", number(coefficient.init), quote(name));
            let expected = format!("a value in [{}, {}]", number(low), number(high));
            let key = format!("/eft/wilson_coefficients/{i}");
            report.add(&rule::EFT_INIT_OUTSIDE, key, found, expected);
        }
    }
}

/// The nuisances that a modifier declares by itself.
fn check_nuisances(
    context: &Context,
    kinds: &HashMap<&str, &'static str>,
    modifier: &Modifier,
    pointer: &str,
    report: &mut Report,
) {
    match modifier {
        Modifier::EftPolynomial { data, .. } => {
            let PolynomialSource::Inline(data) = &**data else { return };
            check_names(context, kinds, &data.uncertainties, pointer, report);
        }
        Modifier::EftRational { data, .. } => {
            for (a, factor) in data.factors.iter().enumerate() {
                let pointer = format!("{pointer}/factors/{a}");
                check_names(context, kinds, &factor.uncertainties, &pointer, report);
            }
        }
        Modifier::EftEvents { data, .. } => {
            for (j, name) in data.systematics.iter().enumerate() {
                check_nuisance(context, kinds, name, || format!("{pointer}/systematics/{j}"), report);
            }
        }
        _ => {}
    }
}

/// The names of the uncertainties of a polynomial or a factor at `pointer`.
fn check_names(
    context: &Context,
    kinds: &HashMap<&str, &'static str>,
    uncertainties: &[CoefficientUncertainty],
    pointer: &str,
    report: &mut Report,
) {
    for (j, uncertainty) in uncertainties.iter().enumerate() {
        let pointer = || format!("{pointer}/uncertainties/{j}/name");
        check_nuisance(context, kinds, &uncertainty.name, pointer, report);
    }
}

fn check_nuisance(
    context: &Context,
    kinds: &HashMap<&str, &'static str>,
    name: &str,
    pointer: impl Fn() -> String,
    report: &mut Report,
) {
    let kind = context.index.get(name).map(|_| WILSON_COEFFICIENT).or_else(|| kinds.get(name).copied());
    if let Some(kind) = kind.filter(|kind| !share(kind, EFT_UNCERTAINTY)) {
        let found = format!("the name {}, which a {kind} has", quote(name));
        report.add(&rule::EFT_NAME_TAKEN, pointer(), found, "a name of its own, or that of a histosys or normsys");
    }
}
