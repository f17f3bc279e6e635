//! In what two workspaces differ: parts that only one has, names, texts and numbers (spec/operations.md, "diff"). Items of lists are
//! those of one name, wherever they stand.

mod values;

use crate::finding::escape_token;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;
pub use values::{Change, Tolerance};

/// One difference.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Difference {
    /// What differs, by names, such as `channel SR, sample ttbar, normsys JES`.
    pub place: String,
    /// JSON Pointer into the first document; absent where only the second has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub left: Option<String>,
    /// Into the second.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub right: Option<String>,
    #[serde(flatten)]
    pub change: Change,
}

/// All differences, in the order of the first document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Differences {
    pub list: Vec<Difference>,
    /// Places of lists whose common items stand in another order: the likelihood is the same.
    pub order: Vec<String>,
}

/// Compares two documents that follow the schema of workspaces.
pub fn diff(left: &Value, right: &Value, tolerance: Tolerance) -> Differences {
    let mut comparison = Comparison { tolerance, found: Differences::default() };
    let places = Places { place: String::new(), left: String::new(), right: String::new() };
    comparison.object(&WORKSPACE, left, right, &places);
    comparison.found
}

/// What the objects of a list are: a word, the member that holds the list in its parent, and the lists within.
struct Kind {
    word: &'static str,
    member: &'static str,
    lists: &'static [Kind],
}

const fn leaf(word: &'static str, member: &'static str) -> Kind {
    Kind { word, member, lists: &[] }
}

const WORKSPACE: Kind = Kind {
    word: "",
    member: "",
    lists: &[
        Kind {
            word: "channel",
            member: "channels",
            lists: &[Kind { word: "sample", member: "samples", lists: &[leaf("modifier", "modifiers")] }],
        },
        Kind {
            word: "measurement",
            member: "measurements",
            lists: &[Kind { word: "", member: "config", lists: &[leaf("parameter", "parameters")] }],
        },
        leaf("observation", "observations"),
    ],
};

/// One thing in both documents.
struct Places {
    place: String,
    left: String,
    right: String,
}

impl Places {
    fn below(&self, member: &str) -> Places {
        let token = escape_token(member);
        Places {
            place: self.place.clone(),
            left: format!("{}/{token}", self.left),
            right: format!("{}/{token}", self.right),
        }
    }

    fn item(&self, name: &str, left: usize, right: usize) -> Places {
        Places {
            place: joined(&self.place, name),
            left: format!("{}/{left}", self.left),
            right: format!("{}/{right}", self.right),
        }
    }
}

fn joined(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}, {name}") }
}

/// Unmatched items are compared with one another up to this many times.
const MOST_PAIRS: usize = 10_000;

struct Comparison {
    tolerance: Tolerance,
    found: Differences,
}

impl Comparison {
    fn add(&mut self, place: String, left: Option<String>, right: Option<String>, change: Change) {
        self.found.list.push(Difference { place, left, right, change });
    }

    /// Two objects of one kind: their lists by name, all other members but the name by value.
    fn object(&mut self, kind: &Kind, left: &Value, right: &Value, places: &Places) {
        let (Some(a), Some(b)) = (left.as_object(), right.as_object()) else {
            return self.values(left, right, places);
        };
        let only_right = b.keys().filter(|key| !a.contains_key(*key));
        for key in a.keys().chain(only_right).filter(|key| *key != "name" || kind.word.is_empty()) {
            let inner = kind.lists.iter().find(|inner| inner.member == key);
            let below = places.below(key);
            match (a.get(key), b.get(key), inner) {
                (Some(a), Some(b), Some(inner)) if inner.word.is_empty() => self.object(inner, a, b, &below),
                (Some(Value::Array(a)), Some(Value::Array(b)), Some(inner)) => self.list(inner, a, b, &below),
                (Some(a), Some(b), _) => {
                    let place = joined(&places.place, key);
                    self.values(a, b, &Places { place, ..below });
                }
                (Some(_), None, _) => {
                    self.add(joined(&places.place, key), Some(below.left), None, Change::OnlyLeft {});
                }
                (None, _, _) => self.add(joined(&places.place, key), None, Some(below.right), Change::OnlyRight {}),
            }
        }
    }

    fn values(&mut self, left: &Value, right: &Value, places: &Places) {
        values::compare(left, right, self.tolerance, "", &mut |pointer, change| {
            let (left, right) = (format!("{}{pointer}", places.left), format!("{}{pointer}", places.right));
            let member = pointer.trim_start_matches('/').replace('/', ", ");
            let place = if member.is_empty() { places.place.clone() } else { joined(&places.place, &member) };
            self.found.list.push(Difference { place, left: Some(left), right: Some(right), change });
        });
    }

    fn list(&mut self, kind: &Kind, left: &[Value], right: &[Value], places: &Places) {
        let (pairs, mut lonely) = matched(kind, left, right);
        let in_order = pairs.iter().flatten().is_sorted();
        if !in_order {
            self.found.order.push(joined(&places.place, kind.member));
        }
        for (a, item) in left.iter().enumerate() {
            let place = || joined(&places.place, &named(kind, item));
            let pointer = format!("{}/{a}", places.left);
            if let Some(b) = pairs.get(a).copied().flatten() {
                let Some(other) = right.get(b) else { continue };
                self.object(kind, item, other, &places.item(&named(kind, item), a, b));
            } else if let Some(k) = self.same_but_named(kind, item, left.len(), &lonely, right) {
                let b = lonely.remove(k);
                let to = right.get(b).map(name_of).unwrap_or_default().to_owned();
                self.add(place(), Some(pointer), Some(format!("{}/{b}", places.right)), Change::Renamed { to });
            } else {
                self.add(place(), Some(pointer), None, Change::OnlyLeft {});
            }
        }
        for b in lonely {
            let Some(item) = right.get(b) else { continue };
            let place = joined(&places.place, &named(kind, item));
            self.add(place, None, Some(format!("{}/{b}", places.right)), Change::OnlyRight {});
        }
    }

    /// The first of the items without partner that differs from `item` in its name alone.
    fn same_but_named(&self, kind: &Kind, item: &Value, n: usize, lonely: &[usize], right: &[Value]) -> Option<usize> {
        if n.saturating_mul(lonely.len()) > MOST_PAIRS {
            return None;
        }
        let places = Places { place: String::new(), left: String::new(), right: String::new() };
        lonely.iter().position(|b| {
            let mut comparison = Comparison { tolerance: self.tolerance, found: Differences::default() };
            right.get(*b).is_some_and(|other| {
                comparison.object(kind, item, other, &places);
                comparison.found.list.is_empty()
            })
        })
    }
}

/// For each left item the right one of its name (and type), the k-th of a name with the k-th; and the right ones that are left.
fn matched(kind: &Kind, left: &[Value], right: &[Value]) -> (Vec<Option<usize>>, Vec<usize>) {
    let key = |item: &'_ Value| -> (String, String) {
        let of_type = if kind.member == "modifiers" { item["type"].as_str().unwrap_or_default() } else { "" };
        (name_of(item).to_owned(), of_type.to_owned())
    };
    let mut places: HashMap<(String, String), Vec<usize>> = HashMap::new();
    for (b, item) in right.iter().enumerate().rev() {
        places.entry(key(item)).or_default().push(b);
    }
    let pairs: Vec<Option<usize>> = left.iter().map(|item| places.get_mut(&key(item)).and_then(Vec::pop)).collect();
    let mut lonely: Vec<usize> = places.into_values().flatten().collect();
    lonely.sort_unstable();
    (pairs, lonely)
}

fn name_of(item: &Value) -> &str {
    item["name"].as_str().unwrap_or_default()
}

/// `sample ttbar`, `normsys JES`.
fn named(kind: &Kind, item: &Value) -> String {
    let word = item["type"].as_str().filter(|_| kind.member == "modifiers").unwrap_or(kind.word);
    format!("{word} {}", name_of(item))
}
