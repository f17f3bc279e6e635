//! Lists of named items joined as pyhf joins them (spec/combine.md, "Joins").

use super::report::{Place, Report};
use super::{Channels, Join};
use crate::finding::{describe, escape_token, quote};
use crate::rule;
use serde_json::{Number, Value};
use std::borrow::Cow;
use std::collections::HashMap;

/// A channel, sample, observation, measurement or parameter configuration of one of the documents.
#[derive(Clone, Debug)]
pub(super) struct Item<'v> {
    pub value: &'v Value,
    pub place: Place,
    /// The samples of a channel or the parameter configurations of a measurement, where they come from several documents.
    pub members: Option<Vec<Item<'v>>>,
}

/// What the items of a list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Channel,
    Observation,
    Measurement,
    Sample,
    Parameter,
}

impl What {
    pub fn word(self) -> &'static str {
        match self {
            What::Channel => "channel",
            What::Observation => "observation",
            What::Measurement => "measurement",
            What::Sample => "sample",
            What::Parameter => "parameter configuration",
        }
    }

    /// Where the members of an item are that can be joined themselves.
    pub fn members(self) -> &'static str {
        match self {
            What::Channel => "/samples",
            What::Measurement => "/config/parameters",
            What::Observation | What::Sample | What::Parameter => "",
        }
    }
}

impl<'v> Item<'v> {
    /// The items of a list; `pointer` leads to it from `place`, where `value` is.
    pub fn list(value: &'v Value, place: &Place, pointer: &str) -> Vec<Item<'v>> {
        let items = value.pointer(pointer).and_then(Value::as_array).into_iter().flatten().enumerate();
        let item = |(i, value)| Item { value, place: place.below(&format!("{pointer}/{i}")), members: None };
        items.map(item).collect()
    }

    pub fn name(&self) -> &'v str {
        self.value.get("name").and_then(Value::as_str).unwrap_or_default()
    }

    /// The item as it stands in the result.
    pub fn written(&self, what: What) -> Cow<'v, Value> {
        let Some(members) = &self.members else { return Cow::Borrowed(self.value) };
        let mut written = self.value.clone();
        if let Some(list) = written.pointer_mut(what.members()) {
            *list = members.iter().map(|member| member.value.clone()).collect();
        }
        Cow::Owned(written)
    }

    fn take_members(&mut self, what: What) -> Vec<Item<'v>> {
        self.members.take().unwrap_or_else(|| Item::list(self.value, &self.place, what.members()))
    }
}

/// Joins the lists of two documents. An item of the secondary list whose name the primary one has is given to `met` and
/// does not join the result by itself.
pub(super) fn join<'v>(
    join: Join,
    left: Vec<Item<'v>>,
    right: Vec<Item<'v>>,
    mut met: impl FnMut(&mut Item<'v>, Item<'v>),
) -> Vec<Item<'v>> {
    let (mut joined, secondary) = if matches!(join, Join::RightOuter(_)) { (right, left) } else { (left, right) };
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (index, item) in joined.iter().enumerate() {
        places.entry(item.name()).or_insert(index);
    }
    for item in secondary {
        match places.get(item.name()).and_then(|index| joined.get_mut(*index)) {
            Some(primary) => met(primary, item),
            None => joined.push(item),
        }
    }
    joined
}

/// Joins channels, observations or measurements of two documents.
pub(super) fn join_lists<'v>(
    how: Join,
    what: What,
    left: Vec<Item<'v>>,
    right: Vec<Item<'v>>,
    report: &mut Report,
) -> Vec<Item<'v>> {
    join(how, left, right, |primary, secondary| match how {
        Join::None => {
            let found = format!("the {}, which {} has too", named(what, &secondary), report.tell(&primary.place));
            report.add(&rule::COMBINE_NAME, &secondary.place, found, "names of its own, under the join none");
        }
        _ if what == What::Channel && how.channels() == Some(Channels::Merged) => {
            merge_samples(how, primary, secondary, report);
        }
        Join::Outer(_) if what == What::Measurement => merge_measurements(primary, secondary, report),
        Join::Outer(_) => unequal(&rule::COMBINE_UNEQUAL, what, primary, &secondary, report),
        Join::LeftOuter(_) | Join::RightOuter(_) => {
            unequal(&rule::COMBINE_DROPPED, what, primary, &secondary, report);
        }
    })
}

/// The samples of the secondary channel that the primary one lacks join it.
fn merge_samples<'v>(how: Join, primary: &mut Item<'v>, secondary: Item<'v>, report: &mut Report) {
    let rule = match how {
        Join::LeftOuter(_) | Join::RightOuter(_) => &rule::COMBINE_DROPPED,
        _ => &rule::COMBINE_SAMPLE,
    };
    let samples = |mut item: Item<'v>| item.take_members(What::Channel);
    let left = primary.take_members(What::Channel);
    let joined = join(Join::LeftOuter(Channels::Merged), left, samples(secondary), |primary, secondary| {
        unequal(rule, What::Sample, primary, &secondary, report);
    });
    primary.members = Some(joined);
}

/// Measurements of one name must have one POI, and equal configurations of a parameter that both configure.
fn merge_measurements<'v>(primary: &mut Item<'v>, mut secondary: Item<'v>, report: &mut Report) {
    let poi = |item: &Item<'v>| item.value.pointer("/config/poi").and_then(Value::as_str).unwrap_or_default();
    if poi(primary) != poi(&secondary) {
        let found = format!("the POI {} of measurement {}", quote(poi(&secondary)), quote(secondary.name()));
        let other = report.tell(&primary.place.below("/config/poi"));
        let expected = format!("{}, as in {other}", quote(poi(primary)));
        report.add(&rule::COMBINE_POI, &secondary.place.below("/config/poi"), found, expected);
    }
    let (left, right) = (primary.take_members(What::Measurement), secondary.take_members(What::Measurement));
    primary.members = Some(join(Join::Outer(Channels::Whole), left, right, |primary, secondary| {
        unequal(&rule::COMBINE_PARAMETER, What::Parameter, primary, &secondary, report);
    }));
}

/// Reports the first difference between two items of one name, if there is one.
fn unequal(rule: &rule::Rule, what: What, primary: &Item, secondary: &Item, report: &mut Report) {
    let (kept, other) = (primary.written(what), secondary.written(what));
    let Some(difference) = difference(&kept, &other) else { return };
    // Pointers into an item that was joined lead into no document.
    let place = |item: &Item, pointer: &str| match &item.members {
        None => item.place.below(pointer),
        Some(_) => item.place.clone(),
    };
    let found = format!("{} in the {}", describe(difference.found), named(what, secondary));
    let there = report.tell(&place(primary, &difference.pointer));
    let expected = format!("{}, as in {there}", describe(difference.expected));
    report.add(rule, &place(secondary, &difference.pointer), found, expected);
}

fn named(what: What, item: &Item) -> String {
    format!("{} {}", what.word(), quote(item.name()))
}

/// The first place where two values differ.
pub(super) struct Difference<'v> {
    pub pointer: String,
    pub found: &'v Value,
    pub expected: &'v Value,
}

/// Compares as Python does: 1 and 1.0 are equal, and the order of keys has no meaning.
pub(super) fn difference<'v>(expected: &'v Value, found: &'v Value) -> Option<Difference<'v>> {
    let here = || Some(Difference { pointer: String::new(), found, expected });
    let below = |token: &str, inner: Difference<'v>| {
        Some(Difference { pointer: format!("/{}{}", escape_token(token), inner.pointer), ..inner })
    };
    match (expected, found) {
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.find_map(|(i, (a, b))| difference(a, b).and_then(|inner| below(&i.to_string(), inner)))
        }
        (Value::Object(a), Value::Object(b)) => {
            if a.len() != b.len() || !a.keys().all(|key| b.contains_key(key)) {
                return here();
            }
            let mut pairs = a.iter().filter_map(|(key, a)| Some((key, a, b.get(key)?)));
            pairs.find_map(|(key, a, b)| difference(a, b).and_then(|inner| below(key, inner)))
        }
        (Value::Number(a), Value::Number(b)) if equal_numbers(a, b) => None,
        _ if expected == found => None,
        _ => here(),
    }
}

/// Integers are compared with floats exactly.
fn equal_numbers(a: &Number, b: &Number) -> bool {
    let float = |x: &Number| x.as_f64().filter(|_| x.is_f64());
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => a == b,
        // Integers of 64 bits: a whole float beyond 2^127 is none of them, and below it the conversion is exact.
        (Some(integer), None) => float(b).is_some_and(|x| x.fract() == 0.0 && x as i128 == integer),
        (None, Some(integer)) => float(a).is_some_and(|x| x.fract() == 0.0 && x as i128 == integer),
        (None, None) => a.as_f64() == b.as_f64(),
    }
}
