//! The blocks `eft` of several documents become one (spec/combine.md, "The EFT extension").

use super::join::{Item, difference, join};
use super::report::{Place, Report};
use super::{Join, Source, databases};
use crate::document::eft::{Basis, WilsonCoefficient};
use crate::finding::{escape_token, number, quote};
use crate::rule;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// How far bounds and starts may be apart that were converted from another Λ, relatively: some roundings.
const CONVERTED: f64 = 1e-14;

/// The block of the result.
pub(super) struct Block {
    pub value: Value,
    /// Pointers into the result and where what stands there was written.
    pub origins: Vec<(String, Place)>,
}

/// Joins the blocks; their coefficients are at one Λ.
pub(super) fn join_blocks(sources: &[Source], how: Join, report: &mut Report) -> Option<Block> {
    let blocks: Vec<(usize, &Value)> =
        sources.iter().enumerate().filter_map(|(d, s)| Some((d, s.value.get("eft")?))).collect();
    let (first, block) = *blocks.first()?;
    let mut value = block.clone();
    let mut origins = vec![("/eft".to_owned(), Place::new(first, "/eft"))];
    check_basis(sources, report);
    let coefficients = join_coefficients(sources, &blocks, how, report);
    value["wilson_coefficients"] = coefficients.iter().map(|item| item.value.clone()).collect();
    let place = |(i, item): (usize, &Item)| (format!("/eft/wilson_coefficients/{i}"), item.place.clone());
    origins.extend(coefficients.iter().enumerate().map(place));
    join_responses(&blocks, &mut value, &mut origins, report);
    for list in &NAMED_LISTS {
        join_list(list, &blocks, &mut value, &mut origins, report);
    }
    join_measured(&blocks, &mut value, &mut origins, report);
    Some(Block { value, origins })
}

/// All members of the basis but Λ must be the same.
fn check_basis(sources: &[Source], report: &mut Report) {
    let mut bases = sources.iter().enumerate().filter_map(|(d, s)| Some((d, &s.workspace.eft.as_ref()?.basis)));
    let Some((first, expected)) = bases.next() else { return };
    let members = |basis: &Basis| {
        let scale = basis.scale_gev.map_or_else(|| "none".to_owned(), number);
        [
            ("eft", quote(&basis.eft)),
            ("basis", quote(&basis.basis)),
            ("input_scheme", quote(&basis.input_scheme)),
            ("scale_GeV", scale),
        ]
    };
    for (d, basis) in bases {
        for ((key, found), (_, expected)) in members(basis).into_iter().zip(members(expected)) {
            if found != expected {
                let pointer = format!("/eft/basis/{key}");
                let there = report.tell(&Place::new(first, pointer.clone()));
                let expected = format!("{expected}, as in {there}");
                report.add(&rule::COMBINE_BASIS, &Place::new(d, pointer), found, expected);
            }
        }
    }
}

fn join_coefficients<'v>(
    sources: &'v [Source],
    blocks: &[(usize, &'v Value)],
    how: Join,
    report: &mut Report,
) -> Vec<Item<'v>> {
    let mut lists = blocks.iter().map(|(d, block)| Item::list(block, &Place::new(*d, "/eft"), "/wilson_coefficients"));
    let mut joined = lists.next().unwrap_or_default();
    for right in lists {
        joined = join(how, joined, right, |primary, secondary| {
            compare_coefficients(sources, primary, &secondary, how, report);
        });
    }
    joined
}

fn typed<'v>(sources: &'v [Source], item: &Item) -> Option<&'v WilsonCoefficient> {
    let eft = sources.get(item.place.document)?.workspace.eft.as_ref()?;
    eft.wilson_coefficients.iter().find(|coefficient| coefficient.name == item.name())
}

/// Two coefficients of one name must mean the same; bounds, start and fixed flag follow the join.
fn compare_coefficients(sources: &[Source], primary: &Item, secondary: &Item, how: Join, report: &mut Report) {
    let (Some(kept), Some(other)) = (typed(sources, primary), typed(sources, secondary)) else { return };
    let wcxf = |c: &WilsonCoefficient| quote(c.wcxf.as_ref().unwrap_or(&c.name));
    let bounds = |c: &WilsonCoefficient| format!("[{}, {}]", number(c.bounds[0]), number(c.bounds[1]));
    let near = |a: f64, b: f64| (a - b).abs() <= CONVERTED * a.abs().max(b.abs());
    let same_bounds = kept.bounds.iter().zip(other.bounds).all(|(a, b)| near(*a, b));
    let setting = if how.is_sided() { &rule::COMBINE_DROPPED } else { &rule::COMBINE_COEFFICIENT };
    let meaning = &rule::COMBINE_COEFFICIENT;
    let members = [
        (
            meaning,
            "dimension",
            kept.dimension == other.dimension,
            other.dimension.to_string(),
            kept.dimension.to_string(),
        ),
        (meaning, "wcxf", wcxf(kept) == wcxf(other), wcxf(other), wcxf(kept)),
        (setting, "bounds", same_bounds, bounds(other), bounds(kept)),
        (setting, "init", near(kept.init, other.init), number(other.init), number(kept.init)),
        (setting, "fixed", kept.fixed == other.fixed, other.fixed.to_string(), kept.fixed.to_string()),
    ];
    for (rule, key, same, found, expected) in members {
        if !same {
            let found = format!("{key} {found} of coefficient {}", quote(secondary.name()));
            let there = report.tell(&primary.place);
            report.add(rule, &secondary.place.below(&format!("/{key}")), found, format!("{expected}, as in {there}"));
        }
    }
}

/// Responses and databases are named by samples, so that no side can win where they differ.
fn join_responses(
    blocks: &[(usize, &Value)],
    value: &mut Value,
    origins: &mut Vec<(String, Place)>,
    report: &mut Report,
) {
    let mut joined: Map<String, Value> = Map::new();
    let mut places: HashMap<&str, Place> = HashMap::new();
    for (d, block) in blocks {
        for (name, response) in block.get("responses").and_then(Value::as_object).into_iter().flatten() {
            let place = Place::new(*d, format!("/eft/responses/{}", escape_token(name)));
            let (Some(kept), Some(there)) = (joined.get(name), places.get(name.as_str())) else {
                joined.insert(name.clone(), response.clone());
                origins.push((place.pointer.clone(), place.clone()));
                places.insert(name, place);
                continue;
            };
            if let Some(difference) = difference(kept, response) {
                let found = format!("another response {}", quote(name));
                let expected = format!("that of {}", report.tell(&there.below(&difference.pointer)));
                report.add(&rule::COMBINE_SHARED, &place.below(&difference.pointer), found, expected);
            }
        }
    }
    if !joined.is_empty() {
        value["responses"] = Value::Object(joined);
    }
}

/// Lists of the block whose items have a name: items of one name must be the same.
struct NamedList {
    key: &'static str,
    what: &'static str,
    same: fn(&Value, &Value) -> bool,
}

const NAMED_LISTS: [NamedList; 3] = [
    NamedList { key: "event_databases", what: "event database", same: databases::same },
    NamedList { key: "gaussian_measurements", what: "measurement", same: |a, b| difference(a, b).is_none() },
    NamedList { key: "unbinned_terms", what: "unbinned term", same: |a, b| difference(a, b).is_none() },
];

fn join_list(
    list: &NamedList,
    blocks: &[(usize, &Value)],
    value: &mut Value,
    origins: &mut Vec<(String, Place)>,
    report: &mut Report,
) {
    let mut joined: Vec<Item> = Vec::new();
    for (d, block) in blocks {
        for item in Item::list(block, &Place::new(*d, "/eft"), &format!("/{}", list.key)) {
            match joined.iter().find(|other| other.name() == item.name()) {
                Some(other) if (list.same)(other.value, item.value) => {}
                Some(other) => {
                    let found = format!("another {} {}", list.what, quote(item.name()));
                    let expected = format!("that of {}", report.tell(&other.place));
                    report.add(&rule::COMBINE_SHARED, &item.place, found, expected);
                }
                None => joined.push(item),
            }
        }
    }
    if !joined.is_empty() {
        value[list.key] = joined.iter().map(|item| item.value.clone()).collect();
    }
    let place = |(i, item): (usize, &Item)| (format!("/eft/{}/{i}", list.key), item.place.clone());
    origins.extend(joined.iter().enumerate().map(place));
}

/// Correlations of measurements, each once, and what becomes of named systematics, which must be the same in all.
fn join_measured(
    blocks: &[(usize, &Value)],
    value: &mut Value,
    origins: &mut Vec<(String, Place)>,
    report: &mut Report,
) {
    let mut joined: Vec<&Value> = Vec::new();
    for (d, block) in blocks {
        let correlations = block.get("gaussian_correlations").and_then(Value::as_array).into_iter().flatten();
        for (i, correlation) in correlations.enumerate() {
            if !joined.iter().any(|other| difference(other, correlation).is_none()) {
                let place = Place::new(*d, format!("/eft/gaussian_correlations/{i}"));
                origins.push((format!("/eft/gaussian_correlations/{}", joined.len()), place));
                joined.push(correlation);
            }
        }
    }
    if !joined.is_empty() {
        value["gaussian_correlations"] = joined.into_iter().cloned().collect();
    }
    for (key, default) in [("named_systematics", "covariance"), ("flat_errors", "profiled")] {
        let mut one: Option<(&str, Place)> = None;
        for (d, block) in blocks.iter().filter(|(_, block)| block.get("gaussian_measurements").is_some()) {
            let own = block.get(key).and_then(Value::as_str).unwrap_or(default);
            let place = Place::new(*d, format!("/eft/{key}"));
            match &one {
                Some((other, there)) if *other != own => {
                    let expected = format!("{other}, as in {}", report.tell(there));
                    report.add(&rule::COMBINE_SHARED, &place, format!("{key}: {own}"), expected);
                }
                Some(_) => {}
                None => one = Some((own, place)),
            }
        }
        if let Some((own, _)) = one.filter(|(own, _)| *own != default) {
            value[key] = own.into();
        }
    }
}
