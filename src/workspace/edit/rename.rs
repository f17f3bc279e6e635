//! Channels, samples, modifiers and measurements under other names, everywhere these are used.

use super::rewrite::{Kind, Rewritten, rewrite};
use super::select::unknown;
use super::{Edited, Source};
use crate::document::Document;
use crate::document::patch::Operation;
use crate::document::workspace::{Modifier, Workspace};
use crate::finding::{Findings, Result, escape_token, quote};
use crate::rule;
use crate::translate::from_pyhf::Compat;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Old and new names. All change at once, so that two may change places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// With their observations.
    pub channels: Vec<(String, String)>,
    pub samples: Vec<(String, String)>,
    /// With their parameters: configurations, parameters of interest.
    pub modifiers: Vec<(String, String)>,
    pub measurements: Vec<(String, String)>,
    pub compat: Compat,
}

/// Changes names.
///
/// # Errors
/// All findings, warnings included: names that are nowhere, new names that belong to something else, and what is wrong with
/// the document or the result.
pub fn rename(document: &Document, options: &Options) -> Result<Edited> {
    let mut source = Source::read(document, options.compat)?;
    let mut findings = Findings::default();
    let places = Places::of(&source.workspace);
    let renamed = Renamed {
        modifiers: places.modifiers.check(&options.modifiers, &source, &mut findings),
        samples: places.samples.check(&options.samples, &source, &mut findings),
        channels: places.channels.check(&options.channels, &source, &mut findings),
        measurements: places.measurements.check(&options.measurements, &source, &mut findings),
    };
    check_extension(&renamed.modifiers, &source, &mut findings);
    let told = source.judge(findings)?;
    let value = std::mem::take(&mut source.value);
    source.finish(renamed.rewritten(value), told)
}

type Map<'o> = BTreeMap<&'o str, &'o str>;

/// Gives channels with their observations, and modifiers with their parameters, new names in a tree; nothing is checked.
pub(in crate::workspace) fn renamed(value: Value, channels: Map, modifiers: Map) -> Value {
    let renamed = Renamed { channels, modifiers, samples: Map::new(), measurements: Map::new() };
    renamed.rewritten(value).document
}

struct Renamed<'o> {
    channels: Map<'o>,
    samples: Map<'o>,
    modifiers: Map<'o>,
    measurements: Map<'o>,
}

impl Renamed<'_> {
    fn rewritten(&self, value: Value) -> Rewritten {
        let mut rewritten = rewrite(value, |what, _, mut items| {
            items.iter_mut().for_each(|item| self.apply(what, &mut item.value));
            items
        });
        self.rename_correlations(&mut rewritten);
        rewritten
    }

    /// Names of parameters in the member `correlations`.
    fn rename_correlations(&self, rewritten: &mut Rewritten) {
        let groups = rewritten.document.pointer("/correlations/groups").and_then(Value::as_array);
        let count = |group: &Value| group["parameters"].as_array().map_or(0, Vec::len);
        let counts: Vec<usize> = groups.into_iter().flatten().map(count).collect();
        for (g, count) in counts.into_iter().enumerate() {
            for i in 0..count {
                let path = format!("/correlations/groups/{g}/parameters/{i}");
                let Some(name) = rewritten.document.pointer_mut(&path) else { continue };
                let new = name.as_str().and_then(|old| self.modifiers.get(old));
                if let Some(new) = new {
                    *name = json!(new);
                    rewritten.patch.push(Operation::Replace { path, value: json!(new) });
                }
            }
        }
    }

    fn apply(&self, what: Kind, item: &mut Value) {
        let names = match what {
            Kind::Channel | Kind::Observation => &self.channels,
            Kind::Sample => &self.samples,
            Kind::Modifier | Kind::Parameter => &self.modifiers,
            Kind::Measurement => &self.measurements,
        };
        replace(item, "/name", names);
        if what == Kind::Measurement {
            replace(item, "/config/poi", &self.modifiers);
        }
    }
}

fn replace(item: &mut Value, pointer: &str, names: &Map) {
    if let Some(name) = item.pointer_mut(pointer)
        && let Some(new) = name.as_str().and_then(|old| names.get(old))
    {
        *name = json!(new);
    }
}

/// The names of one sort with their first places; samples by channel, since they are alone only there.
struct Used<'w> {
    what: &'static str,
    scopes: Vec<BTreeMap<&'w str, String>>,
}

struct Places<'w> {
    channels: Used<'w>,
    samples: Used<'w>,
    modifiers: Used<'w>,
    measurements: Used<'w>,
}

impl<'w> Places<'w> {
    fn of(workspace: &'w Workspace) -> Places<'w> {
        let (mut channels, mut modifiers, mut measurements) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut samples = Vec::new();
        for (c, channel) in workspace.channels.iter().enumerate() {
            let pointer = format!("/channels/{c}");
            let mut own = BTreeMap::new();
            for (s, sample) in channel.samples.iter().enumerate() {
                let pointer = format!("{pointer}/samples/{s}");
                for (m, modifier) in sample.modifiers.iter().enumerate() {
                    modifiers.entry(modifier.name()).or_insert_with(|| format!("{pointer}/modifiers/{m}"));
                }
                own.entry(sample.name.as_str()).or_insert(pointer);
            }
            samples.push(own);
            channels.entry(channel.name.as_str()).or_insert(pointer);
        }
        for (m, measurement) in workspace.measurements.iter().enumerate() {
            measurements.entry(measurement.name.as_str()).or_insert_with(|| format!("/measurements/{m}"));
        }
        let used = |what, scopes| Used { what, scopes };
        Places {
            channels: used("channel", vec![channels]),
            samples: used("sample", samples),
            modifiers: used("modifier", vec![modifiers]),
            measurements: used("measurement", vec![measurements]),
        }
    }
}

impl Used<'_> {
    /// The pairs as a map, after looking whether old names are there and new ones free.
    fn check<'o>(&self, pairs: &'o [(String, String)], source: &Source, findings: &mut Findings) -> Map<'o> {
        let mut map = Map::new();
        let all: BTreeSet<&str> = self.scopes.iter().flat_map(|scope| scope.keys().copied()).collect();
        for (old, new) in pairs {
            if !all.contains(old.as_str()) {
                findings.push(unknown(self.what, old, &all));
            }
            if let Some(other) = map.insert(old.as_str(), new.as_str()).filter(|other| other != new) {
                let found =
                    format!("the names {} and {} for the {} {}", quote(other), quote(new), self.what, quote(old));
                findings.push(source.finding(&rule::EDIT_TAKEN, found, "one new name"));
            }
        }
        for scope in &self.scopes {
            self.check_scope(scope, &map, source, findings);
        }
        map
    }

    fn check_scope(&self, scope: &BTreeMap<&str, String>, map: &Map, source: &Source, findings: &mut Findings) {
        let mut holders: BTreeMap<&str, Vec<(&str, &String)>> = BTreeMap::new();
        for (old, pointer) in scope {
            holders.entry(map.get(old).unwrap_or(old)).or_default().push((old, pointer));
        }
        for (new, mut holders) in holders.into_iter().filter(|(_, holders)| holders.len() > 1) {
            // What keeps its name comes first, so that the finding is about what gets it.
            holders.sort_by_key(|(old, _)| *old != new);
            let mut holders = holders.into_iter();
            let Some((first, place)) = holders.next() else { continue };
            let was = if first == new { String::new() } else { format!(", now {},", quote(first)) };
            for (old, pointer) in holders {
                let found = format!("the {} {} as {}", self.what, quote(old), quote(new));
                let expected = format!("a name that is free: {}{was} is at {place}", quote(new));
                findings.push(source.finding(&rule::EDIT_TAKEN, found, expected).at(pointer.clone()));
            }
        }
    }
}

/// Parameters that the EFT extension names are not renamed: only modifiers and measurements are.
fn check_extension(modifiers: &Map, source: &Source, findings: &mut Findings) {
    for name in modifiers.keys() {
        for pointer in in_extension(name, &source.value, &source.workspace) {
            let found = format!("the name {} in the EFT extension", quote(name));
            findings.push(source.finding(&rule::EDIT_EXTENSION, found, "a name that it does not use").at(pointer));
        }
    }
}

/// Where the EFT extension of a workspace uses a name.
pub(in crate::workspace) fn in_extension(name: &str, value: &Value, workspace: &Workspace) -> Vec<String> {
    let mut places = Vec::new();
    if let Some(block) = value.get("eft") {
        find(block, name, "/eft".to_owned(), &mut places);
    }
    for (c, channel) in workspace.channels.iter().enumerate() {
        for (s, sample) in channel.samples.iter().enumerate() {
            for (m, _) in sample.modifiers.iter().enumerate().filter(|(_, modifier)| Modifier::is_eft(modifier)) {
                let pointer = format!("/channels/{c}/samples/{s}/modifiers/{m}/data");
                if let Some(data) = value.pointer(&pointer) {
                    find(data, name, pointer, &mut places);
                }
            }
        }
    }
    places
}

/// Pointers to texts and members of a name.
fn find(value: &Value, name: &str, pointer: String, places: &mut Vec<String>) {
    match value {
        Value::String(text) if text == name => places.push(pointer),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                find(item, name, format!("{pointer}/{i}"), places);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                let pointer = format!("{pointer}/{}", escape_token(key));
                if key == name {
                    places.push(pointer.clone());
                }
                find(member, name, pointer, places);
            }
        }
        _ => {}
    }
}
