//! The combined document, and where its parts come from.

use super::eft::Block;
use super::join::{Item, What};
use super::report::Place;
use super::{Lists, Source};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// For pointers into the result: where what stands there was written.
#[derive(Debug, Default)]
pub(in crate::workspace) struct Origins(BTreeMap<String, Place>);

impl Origins {
    pub fn add(&mut self, pointer: impl Into<String>, place: Place) {
        self.0.insert(pointer.into(), place);
    }

    /// The place from which the value at a pointer, or the innermost value around it that is known, was taken.
    pub fn place(&self, pointer: &str) -> Option<Place> {
        let mut head = pointer;
        loop {
            if let Some(place) = self.0.get(head) {
                return Some(place.below(pointer.get(head.len()..).unwrap_or_default()));
            }
            head = &head[..head.rfind('/')?];
        }
    }
}

/// Members stand in the order of the first document.
pub(super) fn write(sources: &[Source], lists: &Lists, block: Option<Block>) -> (Value, Origins) {
    let mut origins = Origins::default();
    let mut document = Map::new();
    let members = sources.first().and_then(|source| source.value.as_object());
    for (key, value) in members.into_iter().flatten() {
        let written = match key.as_str() {
            "channels" => list(What::Channel, &lists.channels, "/channels", &mut origins),
            "observations" => list(What::Observation, &lists.observations, "/observations", &mut origins),
            "measurements" => list(What::Measurement, &lists.measurements, "/measurements", &mut origins),
            _ => value.clone(),
        };
        document.insert(key.clone(), written);
    }
    if let Some(block) = block {
        block.origins.into_iter().for_each(|(pointer, place)| origins.add(pointer, place));
        document.insert("eft".to_owned(), block.value);
    }
    (Value::Object(document), origins)
}

fn list(what: What, items: &[Item], pointer: &str, origins: &mut Origins) -> Value {
    for (i, item) in items.iter().enumerate() {
        let pointer = format!("{pointer}/{i}");
        for (j, member) in item.members.iter().flatten().enumerate() {
            origins.add(format!("{pointer}{}/{j}", what.members()), member.place.clone());
        }
        origins.add(pointer, item.place.clone());
    }
    items.iter().map(|item| item.written(what).into_owned()).collect()
}
