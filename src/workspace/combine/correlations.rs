//! The correlated constraints of a combination: those of its documents, and those of a scheme.

use super::Source;
use super::report::{Place, Report};
use super::result::Origins;
use crate::document::correlations::{CorrelationGroup, Correlations};
use crate::finding::quote;
use crate::rule;
use crate::workspace::parameters;
use serde_json::Value;
use std::collections::HashMap;

/// The member `correlations` of the result; none where nothing is correlated.
pub(super) fn join(
    sources: &[Source],
    of_scheme: Vec<CorrelationGroup>,
    origins: &mut Origins,
    report: &mut Report,
) -> Option<Value> {
    let mut groups: Vec<CorrelationGroup> = of_scheme;
    let mut holders: HashMap<String, (usize, String)> = HashMap::new();
    for (g, group) in groups.iter().enumerate() {
        group.parameters.iter().for_each(|name| drop(holders.insert(name.clone(), (g, "the scheme".to_owned()))));
    }
    for (d, source) in sources.iter().enumerate() {
        let own = source.workspace.correlations.iter().flat_map(|correlations| &correlations.groups);
        for (g, group) in own.enumerate() {
            let place = Place::new(d, format!("/correlations/groups/{g}"));
            let known = group.parameters.iter().find_map(|name| Some((name, holders.get(name)?.clone())));
            match known {
                Some((_, (first, _))) if is_same(&groups[first], group) => {}
                Some((name, (_, there))) => {
                    let found = format!("a correlation of the constraint of {}", quote(name));
                    let expected = format!("one group that correlates it: {there} has another one");
                    report.add(&rule::COMBINE_TWICE, &place, found, expected);
                }
                None => {
                    let there = report.tell(&place);
                    for name in &group.parameters {
                        holders.insert(name.clone(), (groups.len(), there.clone()));
                    }
                    origins.add(format!("/correlations/groups/{}", groups.len()), place);
                    groups.push(group.clone());
                }
            }
        }
    }
    check_independent(sources, report);
    let joined = Correlations { version: "0.1.0".to_owned(), groups };
    if joined.groups.is_empty() { None } else { serde_json::to_value(joined).ok() }
}

/// Equal, but for the order of the parameters.
fn is_same(first: &CorrelationGroup, second: &CorrelationGroup) -> bool {
    let place = |name: &String| second.parameters.iter().position(|own| own == name);
    let places: Option<Vec<usize>> = first.parameters.iter().map(place).collect();
    let Some(places) = places.filter(|places| places.len() == second.parameters.len()) else { return false };
    let entry = |group: &CorrelationGroup, i: usize, j: usize| group.matrix.get(i).and_then(|row| row.get(j)).copied();
    let n = places.len();
    (0..n).all(|i| (0..n).all(|j| entry(first, i, j) == entry(second, places[i], places[j])))
}

/// Parameters that one document correlates and another has without a correlation: their joint constraint is another one there.
fn check_independent(sources: &[Source], report: &mut Report) {
    for (d, source) in sources.iter().enumerate() {
        for (g, group) in source.workspace.correlations.iter().flat_map(|own| &own.groups).enumerate() {
            for (other, theirs) in sources.iter().enumerate().filter(|(other, _)| *other != d) {
                let grouped = |name: &String| {
                    theirs
                        .workspace
                        .correlations
                        .iter()
                        .flat_map(|own| &own.groups)
                        .any(|own| own.parameters.contains(name))
                };
                let names = parameters::collect(&theirs.workspace);
                let shared = group.parameters.iter().filter(|name| names.contains_key(name.as_str()) && !grouped(name));
                let shared: Vec<String> = shared.map(|name| quote(name)).collect();
                if shared.len() < 2 {
                    continue;
                }
                let there = report.tell(&Place::new(other, "/channels"));
                let found = format!("a correlation of the constraints of {}", shared.join(", "));
                let expected =
                    format!("the same correlation in every document that has them: in {there} they are independent");
                report.add(&rule::COMBINE_TWICE, &Place::new(d, format!("/correlations/groups/{g}")), found, expected);
            }
        }
    }
}
