//! A document and its database with further operators (spec/event-database.md, "Adding columns").

use super::append::{Appended, NewColumns, append, check_names};
use super::declaration::contradiction;
use super::open::{Database, path_of};
use super::positivity::Promise;
use super::publish::{block, name};
use crate::document::eft::{Eft, EventDatabase, EventWeights, Truncation, WilsonCoefficient};
use crate::document::workspace::{Modifier, Workspace};
use crate::finding::{Finding, Findings, Result, Severity, quote};
use crate::rule;
use crate::translate::from_pyhf::Compat;
use crate::workspace::{Scope, validate};
use serde_json::{Value, json};
use std::path::Path;

/// A Wilson coefficient that the document does not have yet.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCoefficient {
    pub name: String,
    pub bounds: [f64; 2],
    pub dimension: u32,
}

/// What is added to a database.
#[derive(Clone, Debug)]
pub struct Extension<'a> {
    /// Needed where the document has several.
    pub database: Option<&'a str>,
    pub columns: NewColumns<'a>,
    /// One a new column.
    pub monomials: Vec<Vec<String>>,
    pub coefficients: &'a [NewCoefficient],
    /// The new file, and its path from the new document.
    pub output: &'a Path,
    pub uri: String,
    /// Whose rules the new document is checked by.
    pub compat: Compat,
}

/// Writes the new database and changes the document to it. Nothing is changed where something fails: where the new
/// document would break a rule that the old one follows, or the database a promise of positive weights.
pub fn extend(document: &mut Value, folder: &Path, extension: &Extension) -> Result<Appended> {
    let eft = block(document)?;
    let index = chosen(&eft.event_databases, extension.database)?;
    let Some(declaration) = eft.event_databases.get(index) else { return Err(Findings::default()) };
    let pointer = format!("/eft/event_databases/{index}");
    let mut extended = eft.clone();
    extended.wilson_coefficients.extend(extension.coefficients.iter().map(coefficient));
    let placed = |findings: Findings| Findings(findings.0.into_iter().map(|f| f.at(&pointer)).collect());
    let weights = check(&eft, &extended, declaration, extension).map_err(placed)?;
    path_of(&extension.uri, folder)?;
    let database = Database::open(declaration, folder, &pointer)?;
    let same = |path: &Path| std::fs::canonicalize(path).ok();
    let own = path_of(&declaration.uri, folder)?;
    if same(&own).is_some() && same(&own) == same(extension.output) {
        let hint = "give --output-database another path: the old document needs its own file";
        return Err(contradiction("the new database in the place of the old one", "another file").hint(hint).into());
    }
    check_names(&database, extension.columns.names)?;
    check_document(document, &pointer, extension)?;
    let promise = Promise::new(&database, &extended, &weights)?;
    let appended = append(&database, &extension.columns, promise, extension.output)?;
    declare(document, &pointer, extension, &appended.sha256);
    Ok(appended)
}

/// The database that is meant.
fn chosen(all: &[EventDatabase], name: Option<&str>) -> Result<usize> {
    let names: Vec<String> = all.iter().map(|database| quote(&database.name)).collect();
    let expected = format!("one of the block eft: {}", names.join(", "));
    let (found, hint) = match (name, all) {
        (None, [_]) => return Ok(0),
        (None, all) => (format!("{} event databases", all.len()), "say with --database which of them"),
        (Some(name), all) => match all.iter().position(|d| d.name == name) {
            Some(index) => return Ok(index),
            None => (format!("event database {}", quote(name)), "correct the name"),
        },
    };
    Err(contradiction(&found, &expected).hint(hint).at("/eft/event_databases").into())
}

/// Errors that the new document would have and the old one has not. Whatever its hash is, the new file is not read here.
fn check_document(document: &Value, pointer: &str, extension: &Extension) -> Result<()> {
    let errors = |document: &Value| {
        let scope = Scope { compat: extension.compat, ..Scope::default() };
        let findings = match Workspace::from_value(document) {
            Ok(workspace) => validate::check(&workspace, &scope),
            Err(findings) => findings,
        };
        findings.0.into_iter().filter(|f| f.severity == Severity::Error).collect::<Vec<_>>()
    };
    let mut new = document.clone();
    declare(&mut new, pointer, extension, &"0".repeat(64));
    let old = errors(document);
    let mut found: Vec<Finding> = errors(&new).into_iter().filter(|finding| !old.contains(finding)).collect();
    if let Ok(workspace) = Workspace::from_value(&new) {
        let name = new.pointer(pointer).map(name).unwrap_or_default();
        found.extend(moved_references(&workspace, &name, &extension.monomials));
    }
    if found.is_empty() { Ok(()) } else { Err(Findings(found)) }
}

fn coefficient(new: &NewCoefficient) -> WilsonCoefficient {
    WilsonCoefficient {
        name: new.name.clone(),
        bounds: new.bounds,
        init: 0.0,
        fixed: false,
        dimension: new.dimension,
        wcxf: None,
    }
}

/// Samples at whose reference a new monomial is not zero: their `data` would no longer be the yields there.
fn moved_references(workspace: &Workspace, database: &str, monomials: &[Vec<String>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (c, channel) in workspace.channels.iter().enumerate() {
        for (s, sample) in channel.samples.iter().enumerate() {
            for (m, modifier) in sample.modifiers.iter().enumerate() {
                let Modifier::EftEvents { data, .. } = modifier else { continue };
                let is_compared = data.floor.is_none() && matches!(data.truncation, Truncation::None(_));
                let is_zero = |name: &String| data.reference.get(name).is_none_or(|x| *x == 0.0);
                let moved = monomials.iter().find(|monomial| !monomial.iter().any(is_zero));
                if let (true, true, Some(monomial)) = (data.database == database, is_compared, moved) {
                    let product = quote(&monomial.join("*"));
                    let hint = "the data would no longer be the yields there: refer them to a point where it is zero";
                    let found_there = format!("a reference where the new monomial {product} is not zero");
                    let finding = Finding::new(&rule::EFT_NOT_NOMINAL, found_there, "zero").hint(hint);
                    found.push(finding.at(format!("/channels/{c}/samples/{s}/modifiers/{m}/data/reference")));
                }
            }
        }
    }
    found
}

/// The weights with the new monomials, which are new and have known coefficients; the new coefficients are new and used.
fn check(old: &Eft, extended: &Eft, declaration: &EventDatabase, extension: &Extension) -> Result<EventWeights> {
    let mut weights = declaration.weights.clone();
    let (EventWeights::Coefficients { monomials, columns } | EventWeights::Ratio { monomials, columns, .. }) =
        &mut weights
    else {
        let hint = "solve the basis first: write a database with a column for each monomial";
        let found = "basis weights, which have no columns of monomials";
        return Err(contradiction(found, "weights of kind coefficients or ratio").hint(hint).into());
    };
    check_coefficients(old, extension)?;
    let names: Vec<&str> = extended.wilson_coefficients.iter().map(|c| c.name.as_str()).collect();
    for (monomial, column) in extension.monomials.iter().zip(extension.columns.names) {
        let product = quote(&monomial.join("*"));
        if let Some(name) = monomial.iter().find(|name| !names.contains(&name.as_str())) {
            let found = format!("the coefficient {} in the monomial {product}", quote(name));
            let known: Vec<String> = names.iter().map(|name| quote(name)).collect();
            let hint = format!("declare it with --coefficient {name}:LOW:HIGH, or correct the name");
            return Err(contradiction(&found, &format!("one of {}", known.join(", "))).hint(hint).into());
        }
        if let Some(k) = monomials.iter().position(|own| sorted(own) == sorted(monomial)) {
            let taken = columns.get(k).map(|column| quote(column)).unwrap_or_default();
            let found = format!("the monomial {product}, which has the column {taken} already");
            let hint = "leave this --term out: each monomial has one column";
            return Err(contradiction(&found, "a new monomial").hint(hint).into());
        }
        monomials.push(monomial.clone());
        columns.push(column.clone());
    }
    Ok(weights)
}

/// New coefficients are new, and each is in a new monomial.
fn check_coefficients(old: &Eft, extension: &Extension) -> Result<()> {
    for (i, new) in extension.coefficients.iter().enumerate() {
        let name = quote(&new.name);
        let (found, expected, hint) = if old.wilson_coefficients.iter().any(|c| c.name == new.name) {
            let hint = "leave this --coefficient out: the document has it, with bounds of its own";
            (format!("the new coefficient {name}, which the document has already"), "a new name", hint)
        } else if extension.coefficients.iter().take(i).any(|other| other.name == new.name) {
            (format!("the new coefficient {name} twice"), "each once", "leave one of the two out")
        } else if !extension.monomials.iter().flatten().any(|name| *name == new.name) {
            let hint = "add a --term with it, or leave the coefficient out";
            (format!("the new coefficient {name} in no new monomial"), "one at least", hint)
        } else {
            continue;
        };
        return Err(contradiction(&found, expected).hint(hint).into());
    }
    Ok(())
}

fn sorted(monomial: &[String]) -> Vec<&String> {
    let mut names: Vec<&String> = monomial.iter().collect();
    names.sort_unstable();
    names
}

/// Writes what is new into the document; its other members stay as they are.
fn declare(document: &mut Value, pointer: &str, extension: &Extension, sha256: &str) {
    let extend = |list: Option<&mut Value>, items: Vec<Value>| {
        if let Some(list) = list.and_then(Value::as_array_mut) {
            list.extend(items);
        }
    };
    let coefficients = extension.coefficients.iter().map(|new| json!(coefficient(new))).collect();
    extend(document.pointer_mut("/eft/wilson_coefficients"), coefficients);
    let Some(database) = document.pointer_mut(pointer) else { return };
    database["uri"] = json!(extension.uri);
    database["sha256"] = json!(sha256);
    database["media_type"] = json!(crate::document::eft::MediaType::Parquet);
    extend(database.pointer_mut("/weights/monomials"), extension.monomials.iter().map(|m| json!(m)).collect());
    extend(database.pointer_mut("/weights/columns"), extension.columns.names.iter().map(|n| json!(n)).collect());
}
