//! Rules for unbinned terms (spec/unbinned.md): names, columns of inline tables, lengths, what needs reference events.

use super::super::Report;
use super::Context;
use crate::document::eft::{
    Calibration, CentralValue, EventTable, MorphComponents, Ratio, RatioOf, UnbinnedComponent, UnbinnedTerm, Yields,
};
use crate::document::workspace::{Modifier, Workspace};
use crate::finding::{number, quote};
use crate::rule;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Checks all terms; the coefficients on which they depend.
pub(super) fn check(workspace: &Workspace, context: &Context, report: &mut Report) -> BTreeSet<u32> {
    let mut used = BTreeSet::new();
    let mut names: HashMap<&str, usize> = HashMap::new();
    let modifiers = workspace.channels.iter().flat_map(|c| &c.samples).flat_map(|s| &s.modifiers);
    let is_factor = |modifier: &&Modifier| matches!(modifier, Modifier::Normfactor { .. });
    let normfactors: HashSet<&str> = modifiers.filter(is_factor).map(Modifier::name).collect();
    for (t, term) in context.eft.unbinned_terms.iter().enumerate() {
        let pointer = format!("/eft/unbinned_terms/{t}");
        check_name(&mut names, &term.name, t, &pointer, report);
        let mut components: HashMap<&str, usize> = HashMap::new();
        check_tables(term, &pointer, report);
        check_numbers_of_replicas(term, &pointer, report);
        check_shared_replicas(term, &pointer, report);
        for (k, component) in term.components.iter().enumerate() {
            let pointer = format!("{pointer}/components/{k}");
            check_name(&mut components, &component.name, k, &pointer, report);
            used.extend(check_yields(context, component, &pointer, report));
            used.extend(check_ratio(context, &component.ratio, &format!("{pointer}/ratio"), report));
            check_normfactors(context, component, &normfactors, &mut used, &pointer, report);
            check_correlated(component, &pointer, report);
            check_reference(term, component, &pointer, report);
            check_replicas(term, component, &pointer, report);
        }
    }
    used
}

fn check_name<'w>(names: &mut HashMap<&'w str, usize>, name: &'w str, i: usize, pointer: &str, report: &mut Report) {
    if let Some(first) = names.insert(name, i) {
        let found = format!("the name {} of entry {first} again", quote(name));
        report.add(&rule::UNBINNED_NAME, format!("{pointer}/name"), found, "a name of its own");
    }
}

/// Inline tables have all columns, of one length; those of files are looked for when they are read.
fn check_tables(term: &UnbinnedTerm, pointer: &str, report: &mut Report) {
    let reference = term.reference.as_ref().map(|r| (&r.events, &r.weight, "reference"));
    for (table, weight, key) in std::iter::once((&term.events, &term.weight, "")).chain(reference) {
        let EventTable::Inline(table) = table else { continue };
        let place = if key.is_empty() { pointer.to_owned() } else { format!("{pointer}/{key}") };
        let wanted: BTreeSet<&str> =
            term.components.iter().flat_map(UnbinnedComponent::columns).chain(weight.as_deref()).collect();
        for name in wanted.into_iter().filter(|name| !table.columns.contains_key(*name)) {
            let names: Vec<String> = table.columns.keys().take(40).map(|name| quote(name)).collect();
            let expected = format!("one of {}", names.join(", "));
            report.add(
                &rule::UNBINNED_COLUMN,
                format!("{place}/events"),
                format!("no column {}", quote(name)),
                expected,
            );
        }
        let mut lengths: Vec<usize> = table.columns.values().map(Vec::len).collect();
        lengths.sort_unstable();
        lengths.dedup();
        if lengths.len() != 1 || lengths == [0] {
            let found = format!("columns with {lengths:?} entries");
            report.add(
                &rule::UNBINNED_LENGTH,
                format!("{place}/events/columns"),
                found,
                "as many in each, at least one",
            );
        }
    }
}

fn check_count(found: usize, expected: usize, each: &str, pointer: &str, report: &mut Report) -> bool {
    if found != expected {
        let expected = format!("{expected}, one for each {each}");
        report.add(&rule::UNBINNED_LENGTH, pointer.to_owned(), format!("{found} entries"), expected);
    }
    found == expected
}

fn check_yields(context: &Context, component: &UnbinnedComponent, pointer: &str, report: &mut Report) -> BTreeSet<u32> {
    let place = format!("{pointer}/yields");
    let scaled = component.ratio_of == RatioOf::Yields && component.calibration == Calibration::None;
    match &component.yields {
        Yields::Polynomial { monomials, coefficients, truncation } => {
            check_count(coefficients.len(), monomials.len(), "monomial", &format!("{place}/coefficients"), report);
            let at_zero = monomials.iter().zip(coefficients).find(|(m, _)| m.is_empty()).map_or(0.0, |(_, n)| *n);
            if scaled && at_zero <= 0.0 {
                let found = format!("{} events where all coefficients are zero", number(at_zero));
                report.add(&rule::UNBINNED_YIELD, place.clone(), found, "a positive number");
            }
            let monomials = context.monomials(monomials, &format!("{place}/monomials"), report).unwrap_or_default();
            monomials.into_iter().filter(|monomial| context.keeps(truncation, monomial)).flatten().collect()
        }
        Yields::Reference { events } => {
            if *events <= 0.0 {
                report.add(&rule::UNBINNED_YIELD, format!("{place}/events"), number(*events), "a positive number");
            }
            BTreeSet::new()
        }
    }
}

fn check_ratio(context: &Context, ratio: &Ratio, pointer: &str, report: &mut Report) -> BTreeSet<u32> {
    let mut polynomial = |monomials: &[Vec<String>], columns: &[String], pointer: &str| {
        check_count(columns.len(), monomials.len(), "monomial", &format!("{pointer}/columns"), report);
        context.monomials(monomials, &format!("{pointer}/monomials"), report).unwrap_or_default()
    };
    let (monomials, truncation) = match ratio {
        Ratio::Polynomial { monomials, columns, truncation, .. } => {
            (polynomial(monomials, columns, pointer), truncation)
        }
        Ratio::SumOfSquares { amplitudes, truncation } => {
            let mut all = Vec::new();
            for (r, amplitude) in amplitudes.iter().enumerate() {
                let pointer = format!("{pointer}/amplitudes/{r}");
                all.extend(polynomial(&amplitude.monomials, &amplitude.columns, &pointer));
            }
            (all, truncation)
        }
        Ratio::BasisPoints { parameters, basis_points, columns, components, truncation, .. } => {
            check_count(columns.len(), basis_points.len(), "basis point", &format!("{pointer}/columns"), report);
            for (b, point) in basis_points.iter().enumerate() {
                let place = format!("{pointer}/basis_points/{b}");
                check_count(point.len(), parameters.len(), "parameter", &place, report);
            }
            check_components(parameters, components, pointer, report);
            let own = parameters.iter().enumerate().filter_map(|(i, name)| {
                context.coefficient(name, || format!("{pointer}/parameters/{i}"), report).map(|i| vec![i])
            });
            (own.collect(), truncation)
        }
    };
    monomials.into_iter().filter(|monomial| context.keeps(truncation, monomial)).flatten().collect()
}

/// Monomials and vertices are of the parameters of the basis.
fn check_components(parameters: &[String], components: &MorphComponents, pointer: &str, report: &mut Report) {
    let lists: Vec<&Vec<String>> = match components {
        MorphComponents::Monomials(list) => list.monomials.iter().collect(),
        MorphComponents::Vertices(list) => list.vertices.values().collect(),
    };
    let mut unknown: Vec<&String> = lists.into_iter().flatten().filter(|name| !parameters.contains(name)).collect();
    unknown.sort();
    unknown.dedup();
    for name in unknown {
        let found = format!("the name {}", quote(name));
        report.add(&rule::EFT_UNKNOWN_COEFFICIENT, format!("{pointer}/components"), found, "one of its parameters");
    }
}

fn check_normfactors(
    context: &Context,
    component: &UnbinnedComponent,
    known: &HashSet<&str>,
    used: &mut BTreeSet<u32>,
    pointer: &str,
    report: &mut Report,
) {
    for (i, name) in component.normfactors.iter().enumerate() {
        match context.index.get(name.as_str()) {
            Some(index) => {
                used.insert(*index);
            }
            None if known.contains(name.as_str()) => {}
            None => {
                let found = format!("the name {}", quote(name));
                let expected = "a Wilson coefficient, or a normfactor of a channel";
                report.add(&rule::UNBINNED_NORMFACTOR, format!("{pointer}/normfactors/{i}"), found, expected);
            }
        }
    }
}

fn check_correlated(component: &UnbinnedComponent, pointer: &str, report: &mut Report) {
    for (i, factor) in component.correlated.iter().enumerate() {
        let [a, b] = &factor.systematics;
        let known = |name: &String| component.systematics.contains_key(name);
        if a == b || !known(a) || !known(b) {
            let found = format!("{} and {}", quote(a), quote(b));
            let expected = "two different systematics of the component";
            report.add(&rule::UNBINNED_FACTOR, format!("{pointer}/correlated/{i}/systematics"), found, expected);
        }
    }
}

fn check_reference(term: &UnbinnedTerm, component: &UnbinnedComponent, pointer: &str, report: &mut Report) {
    if term.reference.is_some() {
        return;
    }
    if component.calibration == Calibration::Reference {
        let expected = "the member reference of the term";
        report.add(&rule::UNBINNED_REFERENCE, format!("{pointer}/calibration"), "no reference events", expected);
    }
    if matches!(component.yields, Yields::Reference { .. }) {
        let expected = "the member reference of the term";
        report.add(&rule::UNBINNED_REFERENCE, format!("{pointer}/yields"), "no reference events", expected);
    }
}

/// Replica j of a term is replica j of all its components that have some.
fn check_numbers_of_replicas(term: &UnbinnedTerm, pointer: &str, report: &mut Report) {
    let numbers = term.components.iter().enumerate().filter_map(|(k, c)| Some((k, c.replicas.as_ref()?.columns.len())));
    let numbers: Vec<(usize, usize)> = numbers.collect();
    if let Some((k, n)) = numbers.iter().find(|(_, n)| *n != numbers[0].1) {
        let place = format!("{pointer}/components/{k}/replicas/columns");
        check_count(*n, numbers[0].1, "replica of the other components", &place, report);
    }
}

/// A nuisance that another component has too is that of the same replica there.
fn check_shared_replicas(term: &UnbinnedTerm, pointer: &str, report: &mut Report) {
    let mut places: HashMap<&str, (usize, &str)> = HashMap::new();
    for (k, component) in term.components.iter().enumerate() {
        for (j, name) in component.replicas.iter().flat_map(|replicas| &replicas.nuisances).enumerate() {
            let &mut (first, other) = places.entry(name).or_insert((j, &component.name));
            if first != j && other != component.name {
                let place = format!("{pointer}/components/{k}/replicas/nuisances/{j}");
                let found = format!("the name {} of replica {first} of component {}", quote(name), quote(other));
                report.add(&rule::UNBINNED_REPLICA_TWICE, place, found, "one name for one replica of all components");
            }
        }
    }
}

fn check_replicas(term: &UnbinnedTerm, component: &UnbinnedComponent, pointer: &str, report: &mut Report) {
    let Some(replicas) = &component.replicas else { return };
    let n = component.ratio.columns().len();
    for (j, columns) in replicas.columns.iter().enumerate() {
        let place = format!("{pointer}/replicas/columns/{j}");
        check_count(columns.len(), n, "column of the ratio", &place, report);
    }
    if !replicas.nuisances.is_empty() {
        let place = format!("{pointer}/replicas/nuisances");
        check_count(
            replicas.nuisances.len(),
            1 + replicas.columns.len(),
            "replica, the ratio itself first",
            &place,
            report,
        );
    }
    for (j, name) in replicas.nuisances.iter().enumerate() {
        let first = replicas.nuisances.iter().position(|other| other == name).filter(|first| *first < j);
        let of_ratio = component.systematics.contains_key(name) || component.yield_systematics.contains_key(name);
        let found = match first {
            Some(first) => format!("the name {} of replica {first} again", quote(name)),
            None if of_ratio => format!("the name {} of a systematic of the component", quote(name)),
            None => continue,
        };
        let place = format!("{pointer}/replicas/nuisances/{j}");
        report.add(&rule::UNBINNED_REPLICA_TWICE, place, found, "a name for each replica alone");
    }
    if replicas.central != CentralValue::MeanLogRatio {
        return;
    }
    let others = [
        (term.components.len() > 1, "several components"),
        (component.calibration == Calibration::Reference, "a calibration"),
        (matches!(component.yields, Yields::Reference { .. }), "yields from the reference"),
        (!replicas.nuisances.is_empty(), "nuisances of replicas"),
    ];
    for (_, what) in others.into_iter().filter(|(found, _)| *found) {
        let found = format!("mean_log_ratio with {what}");
        report.add(&rule::UNBINNED_REPLICAS, format!("{pointer}/replicas/central"), found, "mean_ratio");
    }
}
