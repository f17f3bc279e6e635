//! The correlated constraints of a combination: those of its documents, and those of a scheme.

use super::Source;
use super::report::{Place, Report};
use super::result::Origins;
use crate::document::correlations::{CorrelationGroup, Correlations};
use crate::finding::quote;
use crate::rule;
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
                Some((_, (first, _))) if groups[first] == *group => {}
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
    let joined = Correlations { version: "0.1.0".to_owned(), groups };
    if joined.groups.is_empty() { None } else { serde_json::to_value(joined).ok() }
}
