//! JSON Patch (RFC 6902): its operations, and their application in full or not at all (spec/patchset.md).

use super::{Document, Kind, Limits, violation};
use crate::finding::{Finding, Findings, Result, describe, quote};
use crate::rule;
use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, CopyOperation, MoveOperation, PatchOperation, RemoveOperation, ReplaceOperation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A list of operations, carried out in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Patch(pub Vec<Operation>);

/// One operation; paths are JSON Pointers. Other members than these are ignored (RFC 6902, section 4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Operation {
    Add { path: String, value: Value },
    Remove { path: String },
    Replace { path: String, value: Value },
    Move { from: String, path: String },
    Copy { from: String, path: String },
    Test { path: String, value: Value },
}

/// Memory that one value of a tree takes, beside what it points to.
pub(super) const VALUE_BYTES: usize = size_of::<Value>();
/// Memory of a member of an object beside its value: the key, its hash and its place in the index.
pub(super) const MEMBER_BYTES: usize = size_of::<String>() + 2 * size_of::<usize>();
/// How many bytes copies may add, beside four times the document.
const MAX_COPIED: usize = 1 << 24;
/// How many values all operations of a patch may visit or move: some seconds of work.
const MAX_STEPS: usize = 1_000_000_000;

impl Patch {
    /// Reads a patch; all schema violations at once.
    pub fn from_document(document: &Document) -> Result<Patch> {
        violation::read(document, Kind::Patch)
    }

    /// What makes operations impossible in every document: paths that are no JSON Pointers. `prefix` is the pointer to
    /// the patch in its document.
    pub fn check_pointers(&self, prefix: &str) -> Findings {
        let mut findings = Findings::default();
        for (i, operation) in self.0.iter().enumerate() {
            for (key, pointer) in operation.pointers() {
                for finding in parse(pointer, i, key).err().unwrap_or_default().0 {
                    findings.push(finding.at(format!("{prefix}/{i}/{key}")));
                }
            }
        }
        findings
    }
}

impl Operation {
    fn path(&self) -> &str {
        match self {
            Operation::Add { path, .. }
            | Operation::Remove { path }
            | Operation::Replace { path, .. }
            | Operation::Move { path, .. }
            | Operation::Copy { path, .. }
            | Operation::Test { path, .. } => path,
        }
    }

    fn pointers(&self) -> Vec<(&'static str, &str)> {
        match self {
            Operation::Move { from, path } | Operation::Copy { from, path } => vec![("from", from), ("path", path)],
            _ => vec![("path", self.path())],
        }
    }
}

/// Applies a patch to a document of which the caller keeps no copy; on failure the result is gone, never half done.
///
/// # Errors
/// The first operation that fails, its pointer within the patch: `PatchTestFailed`, `PatchApplicationError`,
/// `SizeLimit` (the tree would take more than [`Limits::max_tree`], or the work is out of proportion), `DepthLimit`.
pub fn apply(mut value: Value, patch: &Patch, limits: &Limits) -> Result<Value> {
    let limits = &Limits { max_depth: limits.max_depth.min(Limits::DEEPEST), ..*limits };
    let mut budget = Budget { limits, tree: 0, copied: 0, max_copied: MAX_COPIED, steps: 0 };
    budget.spend(&value, 0, 0)?;
    budget.max_copied += budget.tree.saturating_mul(4);
    for (i, operation) in patch.0.iter().enumerate() {
        apply_one(&mut value, operation, i, &mut budget)?;
    }
    Ok(value)
}

/// The patch that makes one document of another; items of arrays are compared place by place.
pub fn between(from: &Value, to: &Value) -> Patch {
    let operations = json_patch::diff(from, to).0.into_iter();
    Patch(
        operations
            .map(|operation| match operation {
                PatchOperation::Add(add) => Operation::Add { path: add.path.to_string(), value: add.value },
                PatchOperation::Remove(remove) => Operation::Remove { path: remove.path.to_string() },
                PatchOperation::Replace(new) => Operation::Replace { path: new.path.to_string(), value: new.value },
                PatchOperation::Move(to) => Operation::Move { from: to.from.to_string(), path: to.path.to_string() },
                PatchOperation::Copy(to) => Operation::Copy { from: to.from.to_string(), path: to.path.to_string() },
                PatchOperation::Test(test) => Operation::Test { path: test.path.to_string(), value: test.value },
            })
            .collect(),
    )
}

fn apply_one(document: &mut Value, operation: &Operation, i: usize, budget: &mut Budget) -> Result<()> {
    let path = parse(operation.path(), i, "path")?;
    budget.shift(document, &path, i)?;
    let depth = path.count();
    let operation = match operation {
        Operation::Add { value, .. } => {
            budget.spend(value, depth, i)?;
            PatchOperation::Add(AddOperation { path, value: value.clone() })
        }
        Operation::Replace { value, .. } => {
            budget.spend(value, depth, i)?;
            PatchOperation::Replace(ReplaceOperation { path, value: value.clone() })
        }
        Operation::Remove { .. } => PatchOperation::Remove(RemoveOperation { path }),
        Operation::Move { from, .. } => {
            let from = source(document, from, depth, i, budget, false)?;
            PatchOperation::Move(MoveOperation { from, path })
        }
        Operation::Copy { from, .. } => {
            let from = source(document, from, depth, i, budget, true)?;
            PatchOperation::Copy(CopyOperation { from, path })
        }
        Operation::Test { value, .. } => return test(document, &path, value, i),
    };
    json_patch::patch(document, &[operation]).map_err(|error| {
        let reason = error.kind.to_string();
        Finding::new(&rule::PATCH_APPLICATION, format!("operation {i} that fails: {reason}"), "a path that exists")
            .at(format!("/{i}"))
            .into()
    })
}

/// The place that a move or copy takes from, its size charged to the budget.
fn source(
    document: &Value,
    from: &str,
    depth: usize,
    i: usize,
    budget: &mut Budget,
    copies: bool,
) -> Result<PointerBuf> {
    let pointer = parse(from, i, "from")?;
    let Some(value) = document.pointer(pointer.as_str()) else {
        let found = format!("nothing at {}", quote(from));
        let finding = Finding::new(&rule::PATCH_APPLICATION, found, "a place that exists");
        return Err(finding.at(format!("/{i}/from")).into());
    };
    if copies {
        budget.spend_copy(value, depth, i)?;
    } else {
        let before = budget.tree;
        budget.spend(value, depth, i)?;
        budget.tree = before;
        budget.shift(document, &pointer, i)?;
    }
    Ok(pointer)
}

fn test(document: &Value, path: &PointerBuf, value: &Value, i: usize) -> Result<()> {
    match document.pointer(path.as_str()) {
        Some(found) if equal(found, value) => Ok(()),
        found => {
            let found = found.map_or("nothing".to_string(), describe);
            let finding =
                Finding::new(&rule::PATCH_TEST, format!("{found} at {}", quote(path.as_str())), describe(value));
            Err(finding.at(format!("/{i}")).into())
        }
    }
}

fn parse(pointer: &str, i: usize, key: &str) -> Result<PointerBuf> {
    PointerBuf::parse(pointer).map_err(|_| {
        let expected = "a JSON Pointer: empty, or / before every token, with ~0 for ~ and ~1 for /";
        Finding::new(&rule::PATCH_APPLICATION, quote(pointer), expected).at(format!("/{i}/{key}")).into()
    })
}

/// Equality of JSON values; numbers are equal by value, 1 and 1.0 too (RFC 6902, section 4.6).
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || (a.is_f64() != b.is_f64() && a.as_f64() == b.as_f64()),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}

/// What a patch may still use. Removed values are not given back, so that the sum bounds every intermediate tree.
struct Budget<'l> {
    limits: &'l Limits,
    tree: usize,
    /// The part of `tree` that copies have added.
    copied: usize,
    max_copied: usize,
    steps: usize,
}

impl Budget<'_> {
    /// Charges a value that is put at `depth` by operation `i`, before anything is copied.
    fn spend(&mut self, value: &Value, depth: usize, i: usize) -> Result<()> {
        self.tree = self.tree.saturating_add(VALUE_BYTES);
        self.steps += 1;
        self.check(i)?;
        let nested = depth + usize::from(value.is_array() || value.is_object());
        if nested > self.limits.max_depth {
            let found = format!("operation {i}, which nests deeper");
            let finding = Finding::new(&rule::DEPTH, found, format!("at most {}", self.limits.max_depth));
            return Err(finding.at(format!("/{i}")).into());
        }
        match value {
            Value::String(s) => self.tree = self.tree.saturating_add(s.len()),
            Value::Array(items) => {
                for item in items {
                    self.spend(item, nested, i)?;
                }
            }
            Value::Object(members) => {
                for (key, member) in members {
                    self.tree = self.tree.saturating_add(key.len() + MEMBER_BYTES);
                    self.spend(member, nested, i)?;
                }
            }
            _ => {}
        }
        self.check(i)
    }

    /// As [`Budget::spend`], for a value that the operation copies from within the document.
    fn spend_copy(&mut self, value: &Value, depth: usize, i: usize) -> Result<()> {
        let before = self.tree;
        self.spend(value, depth, i)?;
        self.copied = self.copied.saturating_add(self.tree - before);
        self.check(i)
    }

    /// Charges the items of an array that may move when one is put in or taken out.
    fn shift(&mut self, document: &Value, path: &PointerBuf, i: usize) -> Result<()> {
        let parent = path.parent().and_then(|parent| document.pointer(parent.as_str()));
        self.steps = self.steps.saturating_add(parent.and_then(Value::as_array).map_or(1, Vec::len));
        self.check(i)
    }

    fn check(&self, i: usize) -> Result<()> {
        let limit = self.limits.max_tree();
        let (found, expected) = if self.copied > self.max_copied {
            ("copies too much", format!("at most {} bytes of copies", self.max_copied))
        } else if self.tree > limit {
            ("makes the document too large", format!("at most {limit} bytes of memory for the document"))
        } else if self.steps > MAX_STEPS {
            ("moves too much", format!("at most {MAX_STEPS} values moved by a patch"))
        } else {
            return Ok(());
        };
        let finding = Finding::new(&rule::SIZE, format!("operation {i}, which {found}"), expected)
            .hint("a patch that grows like this is not for a workspace");
        Err(finding.at(format!("/{i}")).into())
    }
}
