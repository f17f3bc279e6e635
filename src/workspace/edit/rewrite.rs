//! The lists of a workspace, each carried into the result by one function; the change as a JSON Patch, and for pointers
//! into the result where they lead in the document that was read.

use crate::document::patch::Operation;
use crate::workspace::combine::report::Place;
use crate::workspace::combine::result::Origins;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Channel,
    Sample,
    Modifier,
    Observation,
    Measurement,
    /// The configuration of a parameter in a measurement, or its place in a correlated constraint.
    Parameter,
}

impl Kind {
    /// Where the list stands in what it belongs to.
    fn path(self) -> &'static str {
        match self {
            Kind::Channel => "/channels",
            Kind::Sample => "/samples",
            Kind::Modifier => "/modifiers",
            Kind::Observation => "/observations",
            Kind::Measurement => "/measurements",
            Kind::Parameter => "/config/parameters",
        }
    }

    /// The list within each item.
    fn inner(self) -> Option<Kind> {
        match self {
            Kind::Channel => Some(Kind::Sample),
            Kind::Sample => Some(Kind::Modifier),
            Kind::Measurement => Some(Kind::Parameter),
            Kind::Modifier | Kind::Observation | Kind::Parameter => None,
        }
    }
}

/// An item of a list, with its index in the document that was read.
pub(super) struct Item {
    pub from: usize,
    pub value: Value,
}

impl Item {
    pub fn name(&self) -> &str {
        self.text("/name")
    }

    pub fn text(&self, pointer: &str) -> &str {
        self.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }
}

/// The result, which has no place yet in a text.
pub(super) struct Rewritten {
    pub document: Value,
    pub origins: Origins,
    pub patch: Vec<Operation>,
}

/// Gives every list to `edit`, from the outside in, with the pointer to it in the document that was read. `edit` may leave
/// out items, change their order, and change the texts at [`NAMES`].
pub(super) fn rewrite(document: Value, edit: impl FnMut(Kind, &str, Vec<Item>) -> Vec<Item>) -> Rewritten {
    let mut writer = Writer { edit, origins: Origins::default(), patch: Vec::new() };
    writer.origins.add("", Place::new(0, ""));
    let mut document = document;
    for what in [Kind::Channel, Kind::Measurement, Kind::Observation] {
        writer.list(what, &mut document, "", "");
    }
    Rewritten { document, origins: writer.origins, patch: writer.patch }
}

/// The texts of an item that an operation may change.
const NAMES: [&str; 2] = ["/name", "/config/poi"];

struct Writer<F> {
    edit: F,
    origins: Origins,
    patch: Vec<Operation>,
}

impl<F: FnMut(Kind, &str, Vec<Item>) -> Vec<Item>> Writer<F> {
    /// `source` and `result` are pointers to `parent` before and after.
    fn list(&mut self, what: Kind, parent: &mut Value, source: &str, result: &str) {
        let Some(list) = parent.pointer_mut(what.path()).and_then(Value::as_array_mut) else { return };
        let (source, result) = (format!("{source}{}", what.path()), format!("{result}{}", what.path()));
        let items = std::mem::take(list);
        let names: Vec<_> = items.iter().map(|item| NAMES.map(|pointer| item.pointer(pointer).cloned())).collect();
        let n = items.len();
        let items = items.into_iter().enumerate().map(|(from, value)| Item { from, value }).collect();
        let items = (self.edit)(what, &source, items);
        self.tell_order(n, &items, &result);
        for (to, mut item) in items.into_iter().enumerate() {
            let (source, result) = (format!("{source}/{}", item.from), format!("{result}/{to}"));
            for (pointer, old) in NAMES.iter().zip(names.get(item.from).into_iter().flatten()) {
                if let Some(new) = item.value.pointer(pointer).filter(|new| Some(*new) != old.as_ref()) {
                    self.patch.push(Operation::Replace { path: format!("{result}{pointer}"), value: new.clone() });
                }
            }
            if let Some(inner) = what.inner() {
                self.list(inner, &mut item.value, &source, &result);
            }
            self.origins.add(result, Place::new(0, source));
            list.push(item.value);
        }
    }

    /// What is left out goes first, from the end of the list, then the rest moves.
    fn tell_order(&mut self, n: usize, items: &[Item], list: &str) {
        let mut kept = vec![false; n];
        for item in items {
            if let Some(kept) = kept.get_mut(item.from) {
                *kept = true;
            }
        }
        for i in (0..n).rev().filter(|i| !kept[*i]) {
            self.patch.push(Operation::Remove { path: format!("{list}/{i}") });
        }
        let mut order: Vec<usize> = (0..n).filter(|i| kept[*i]).collect();
        for (to, item) in items.iter().enumerate() {
            let now = order.iter().skip(to).position(|from| *from == item.from);
            if let Some(ahead) = now.filter(|ahead| *ahead > 0) {
                let from = order.remove(to + ahead);
                order.insert(to, from);
                let (from, path) = (format!("{list}/{}", to + ahead), format!("{list}/{to}"));
                self.patch.push(Operation::Move { from, path });
            }
        }
    }
}
