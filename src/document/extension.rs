//! A workspace without the EFT extension, byte for byte the same elsewhere (spec/eft.md, "Removing the extension"), and
//! the patch that brings the extension back.

use super::patch::{Operation, Patch};
use super::position::Walk;
use serde_json::Value;
use std::ops::Range;

/// The text of a workspace without the block `eft` and without the modifiers whose type begins with `eft_`; a text
/// without them is returned as it is.
///
/// The text must be JSON of limited depth, such as that of a [`super::Document`]. What is taken out of a list or object
/// goes with the comma and the white space behind it or, at the end, before it.
pub fn strip(text: &str) -> String {
    let mut walk = Strip { walk: Walk::new(text), cuts: Vec::new() };
    walk.workspace();
    let (mut kept, mut from) = (String::with_capacity(text.len()), 0);
    for cut in walk.cuts {
        kept.push_str(text.get(from..cut.start).unwrap_or_default());
        from = cut.end;
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    kept
}

/// What turns the workspace without the extension into `extended`, a workspace with it.
pub fn attach(extended: &Value) -> Patch {
    let mut operations = Vec::new();
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    for (c, channel) in list(extended, "channels").iter().enumerate() {
        for (s, sample) in list(channel, "samples").iter().enumerate() {
            for (m, modifier) in list(sample, "modifiers").into_iter().enumerate() {
                if modifier.get("type").and_then(Value::as_str).is_some_and(is_extended) {
                    let path = format!("/channels/{c}/samples/{s}/modifiers/{m}");
                    operations.push(Operation::Add { path, value: modifier });
                }
            }
        }
    }
    if let Some(eft) = extended.get("eft") {
        operations.push(Operation::Add { path: "/eft".into(), value: eft.clone() });
    }
    Patch(operations)
}

fn is_extended(kind: &str) -> bool {
    kind.starts_with("eft_")
}

struct Strip<'t> {
    walk: Walk<'t>,
    /// Increasing, without overlap.
    cuts: Vec<Range<usize>>,
}

/// A member of an object or an item of a list.
struct Child {
    place: Range<usize>,
    goes: bool,
}

impl Strip<'_> {
    fn workspace(&mut self) {
        self.members(|own, key| {
            if key == "channels" {
                own.items(|own| own.inside("samples", Strip::sample));
            } else {
                own.walk.skip();
            }
            key == "eft"
        });
    }

    /// Walks over a sample.
    fn sample(&mut self) {
        self.members(|own, key| {
            if key == "modifiers" {
                own.modifiers()
            } else {
                own.walk.skip()
            }
            false
        });
    }

    /// Walks over an object and over each item of its member `list`.
    fn inside(&mut self, list: &str, item: fn(&mut Self)) {
        self.members(|own, key| {
            if key == list {
                own.items(item)
            } else {
                own.walk.skip()
            }
            false
        });
    }

    fn items(&mut self, item: impl Fn(&mut Self)) {
        self.list(|own| {
            item(own);
            false
        });
    }

    fn modifiers(&mut self) {
        self.list(|own| {
            let mut goes = false;
            own.members(|own, key| {
                match key {
                    "type" => goes = is_extended(&own.walk.string()),
                    _ => own.walk.skip(),
                }
                false
            });
            goes
        });
    }

    /// Walks over an object; `value` moves past the value of a member and says whether the member goes.
    fn members(&mut self, mut value: impl FnMut(&mut Self, &str) -> bool) {
        self.children(b'{', |own| {
            let key = own.walk.key();
            value(own, &key)
        });
    }

    /// Walks over a list; `item` moves past an item and says whether it goes.
    fn list(&mut self, item: impl FnMut(&mut Self) -> bool) {
        self.children(b'[', item);
    }

    /// Walks over an object or list. Anything else is only passed.
    fn children(&mut self, opening: u8, mut child: impl FnMut(&mut Self) -> bool) {
        if self.walk.peek() != Some(opening) {
            return self.walk.skip();
        }
        self.walk.at += 1;
        let first = self.walk.at;
        let mut children: Vec<Child> = Vec::new();
        while let Some(byte) = self.walk.peek() {
            match byte {
                b']' | b'}' => break,
                b',' => self.walk.at += 1,
                _ => {
                    let start = self.walk.at;
                    let goes = child(self);
                    children.push(Child { place: start..self.walk.at, goes });
                }
            }
        }
        self.cut(first..self.walk.at, &children);
        self.walk.at += 1;
    }

    /// Notes what is taken out of an object or list with these insides.
    fn cut(&mut self, inside: Range<usize>, children: &[Child]) {
        if children.iter().all(|child| !child.goes) {
            return;
        }
        let Some(last) = children.iter().rposition(|child| !child.goes) else {
            return self.cuts.push(inside);
        };
        for pair in children[..=last].windows(2) {
            if let [child, next] = pair
                && child.goes
            {
                self.cuts.push(child.place.start..next.place.start);
            }
        }
        if let (Some(kept), Some(end)) = (children.get(last), children.last().filter(|child| child.goes)) {
            self.cuts.push(kept.place.end..end.place.end);
        }
    }
}
