//! Rules for event databases and the samples that are histograms of their events.

use super::super::Report;
use super::response::{Monomials, Response, morph_monomials, parameters};
use super::{Context, check_bins, check_length};
use crate::document::eft::{
    Axis, Cut, Edge, EventDatabase, EventMcStat, EventMcStatWord, EventSystematic, EventWeights, EventsData, Infinity,
    Mode, MorphComponents, Normalisation, Truncation,
};
use crate::event_database::path_of;
use crate::finding::{escape_token, number, quote};
use crate::model::eft::{Monomial, morphing};
use crate::rule;
use std::collections::HashSet;
use std::path::Path;

/// What a database says by itself.
pub(super) fn check_database(context: &Context, database: &EventDatabase, pointer: &str, report: &mut Report) {
    let at = |key: &str| format!("{pointer}/{key}");
    check_uri(&database.uri, at("uri"), report);
    if database.sha256.len() != 64 || !database.sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
        report.add(&rule::EFT_HASH, at("sha256"), quote(&database.sha256), "64 hexadecimal digits");
    }
    check_weights(context, &database.weights, &at("weights"), report);
    let factors = match database.normalisation {
        Normalisation::Yields => vec![],
        Normalisation::Absolute { luminosity, .. } => vec![("luminosity", luminosity)],
        Normalisation::Generator { luminosity, cross_section, sum_of_weights, .. } => {
            vec![("luminosity", luminosity), ("cross_section", cross_section), ("sum_of_weights", sum_of_weights)]
        }
    };
    for (key, factor) in factors {
        check_factor(factor, || at(&format!("normalisation/{key}")), report);
    }
    for (name, systematic) in &database.systematics {
        if let EventSystematic::Shift { observables } = systematic {
            for observable in observables.keys() {
                let place = format!("systematics/{}/observables/{}", escape_token(name), escape_token(observable));
                check_observable(database, observable, at(&place), report);
            }
        }
    }
}

fn check_factor(factor: f64, pointer: impl Fn() -> String, report: &mut Report) {
    if factor <= 0.0 {
        report.add(&rule::EVENT_NORMALISATION, pointer(), number(factor), "a positive number");
    }
}

/// A path below the folder of the document; the folder itself does not matter here.
fn check_uri(uri: &str, pointer: String, report: &mut Report) {
    for finding in path_of(uri, Path::new("")).err().unwrap_or_default().0 {
        report.findings.push(finding.at(pointer.clone()));
    }
}

fn check_weights(context: &Context, weights: &EventWeights, pointer: &str, report: &mut Report) {
    let at = |key: &str| format!("{pointer}/{key}");
    let columns = match weights {
        EventWeights::Coefficients { monomials, columns } | EventWeights::Ratio { monomials, columns, .. } => {
            context.monomials(monomials, &at("monomials"), report);
            check_length(columns.len(), monomials.len(), "monomial", at("columns"), report);
            columns
        }
        EventWeights::BasisWeights { parameters: names, basis_points, columns, components } => {
            parameters(context, names, &at("parameters"), report);
            for (i, point) in basis_points.iter().enumerate() {
                check_length(point.len(), names.len(), "parameter", at(&format!("basis_points/{i}")), report);
            }
            check_length(columns.len(), basis_points.len(), "basis point", at("columns"), report);
            let monomials = morph_monomials(names, components, &at("components"), report);
            if let Some(monomials) = monomials.filter(|monomials| monomials.len() > basis_points.len()) {
                let found = format!("{} basis points", basis_points.len());
                let expected = format!("at least {}, one for each monomial", monomials.len());
                report.add(&rule::EFT_MORPHING, at("basis_points"), found, expected);
            }
            columns
        }
    };
    let mut seen = HashSet::new();
    for (i, column) in columns.iter().enumerate() {
        if !seen.insert(column) {
            let found = format!("the column {} again", quote(column));
            report.add(&rule::EFT_REPEATED, at(&format!("columns/{i}")), found, "each column once");
        }
    }
}

fn check_observable(database: &EventDatabase, observable: &str, pointer: String, report: &mut Report) -> bool {
    let known = database.observables.contains_key(observable);
    if !known {
        let found = format!("the observable {}", quote(observable));
        let expected = format!("an observable of the database {}", quote(&database.name));
        report.add(&rule::EFT_UNKNOWN_EVENTS, pointer, found, expected);
    }
    known
}

/// A sample that is a histogram of events.
pub(super) fn check(
    context: &Context,
    data: &EventsData,
    n_bins: usize,
    pointer: &str,
    report: &mut Report,
) -> Option<Response> {
    let pointer = format!("{pointer}/data");
    let at = |key: &str| format!("{pointer}/{key}");
    let reference = context.point(&data.reference, &at("reference"), report);
    if let EventMcStat::FixedAt(fixed) = &data.mc_stat {
        context.point(&fixed.fixed_at, &at("mc_stat/fixed_at"), report);
    }
    check_factor(data.k_factor, || at("k_factor"), report);
    let axes = check_axes(&data.axes, n_bins, &at("axes"), report);
    let Some(database) = context.eft.event_databases.iter().find(|d| d.name == data.database) else {
        let found = format!("the event database {}", quote(&data.database));
        let expected = "the name of a database in eft/event_databases";
        report.add(&rule::EFT_UNKNOWN_EVENTS, at("database"), found, expected);
        return None;
    };
    let mut sound = axes;
    for (i, axis) in data.axes.iter().enumerate() {
        sound &= check_observable(database, &axis.observable, at(&format!("axes/{i}/observable")), report);
    }
    for (i, cut) in data.selection.iter().enumerate() {
        sound &= check_observable(database, &cut.observable, at(&format!("selection/{i}/observable")), report);
        check_cut(cut, at(&format!("selection/{i}")), report);
    }
    let (shifts, factors, known) = check_systematics(database, data, &at("systematics"), report);
    let monomials = monomials(context, &database.weights)?;
    let by_event = factors || data.floor.is_some();
    let uses = monomials.iter().filter(|m| context.keeps(&data.truncation, m)).flatten().copied().collect();
    (sound && known).then(|| Response {
        pointer,
        mode: Mode::Absolute,
        truncated: matches!(data.truncation, Truncation::Order(_)),
        monomials: if by_event { Monomials::ByEvent } else { Monomials::Known(monomials.into_iter().collect()) },
        uses,
        mc_stat: !matches!(data.mc_stat, EventMcStat::Word(EventMcStatWord::None)),
        resolved: by_event || shifts,
        moving_pole: None,
        reference,
        polynomial: None,
    })
}

/// Whether some systematics shift observables, whether some are factors of single events, and whether all are known.
fn check_systematics(
    database: &EventDatabase,
    data: &EventsData,
    pointer: &str,
    report: &mut Report,
) -> (bool, bool, bool) {
    let (mut shifts, mut factors, mut known) = (false, false, true);
    let mut seen = HashSet::new();
    for (i, name) in data.systematics.iter().enumerate() {
        let place = || format!("{pointer}/{i}");
        if !seen.insert(name) {
            let found = format!("the systematic {} again", quote(name));
            report.add(&rule::EFT_REPEATED, place(), found, "each systematic once");
        }
        match database.systematics.get(name) {
            Some(EventSystematic::Shift { .. }) => shifts = true,
            Some(_) => factors = true,
            None => {
                let found = format!("the systematic {}", quote(name));
                let expected = format!("a systematic of the database {}", quote(&database.name));
                report.add(&rule::EFT_UNKNOWN_EVENTS, place(), found, expected);
                known = false;
            }
        }
    }
    (shifts, factors, known)
}

/// The monomials of a database whose weights were checked: nothing is said a second time.
fn monomials(context: &Context, weights: &EventWeights) -> Option<Vec<Monomial>> {
    let number = |name: &String| context.index.get(name.as_str()).copied();
    let monomial = |names: &Vec<String>| -> Option<Monomial> {
        let mut monomial = names.iter().map(number).collect::<Option<Monomial>>()?;
        monomial.sort_unstable();
        Some(monomial)
    };
    match weights {
        EventWeights::Coefficients { monomials, .. }
        | EventWeights::Ratio { monomials, .. }
        | EventWeights::BasisWeights {
            components: MorphComponents::Monomials(crate::document::eft::MonomialList { monomials }),
            ..
        } => monomials.iter().map(monomial).collect(),
        EventWeights::BasisWeights { components: MorphComponents::Vertices(list), .. } => {
            let vertices = list.vertices.values().map(monomial).collect::<Option<Vec<_>>>()?;
            morphing::vertex_monomials(&vertices).ok()
        }
    }
}

fn check_axes(axes: &[Axis], n_bins: usize, pointer: &str, report: &mut Report) -> bool {
    let mut sound = true;
    for (i, axis) in axes.iter().enumerate() {
        let edges: Vec<f64> = axis
            .edges
            .iter()
            .map(|edge| match edge {
                Edge::Finite(x) => *x,
                Edge::Infinite(Infinity::Above) => f64::INFINITY,
                Edge::Infinite(Infinity::Below) => f64::NEG_INFINITY,
            })
            .collect();
        if let Some(k) = edges.windows(2).position(|pair| pair[0] >= pair[1]) {
            let found = edges.get(k + 1).map(|edge| number(*edge)).unwrap_or_default();
            let expected = format!("an edge above {}", edges.get(k).map(|edge| number(*edge)).unwrap_or_default());
            report.add(&rule::EVENT_EDGES, format!("{pointer}/{i}/edges/{}", k + 1), found, expected);
            sound = false;
        }
    }
    let bins = axes.iter().map(|axis| axis.edges.len().saturating_sub(1)).fold(1, usize::saturating_mul);
    sound & check_bins(bins, n_bins, || pointer.to_string(), report)
}

fn check_cut(cut: &Cut, pointer: String, report: &mut Report) {
    if let (Some(min), Some(max)) = (cut.min, cut.max)
        && min >= max
    {
        let found = format!("a selection from {} to {}", number(min), number(max));
        report.add(&rule::EVENT_EDGES, pointer, found, "a min below the max");
    }
}
