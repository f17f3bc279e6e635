//! A document and its database with further operators (spec/event-database.md, "Adding columns").

use super::append::{Appended, NewColumns, append};
use super::declaration::contradiction;
use super::open::{Database, path_of};
use crate::document::eft::{Eft, EventWeights, WilsonCoefficient};
use crate::finding::{Findings, Result, quote};
use serde_json::{Value, json};
use std::collections::BTreeSet;
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
}

/// Writes the new database and changes the document to it. Nothing is changed where something fails.
pub fn extend(document: &mut Value, folder: &Path, extension: &Extension) -> Result<Appended> {
    let eft: Eft = super::publish::part(document.get("eft").unwrap_or(&Value::Null), "/eft")?;
    let index = match (extension.database, &eft.event_databases[..]) {
        (None, [_]) => 0,
        (None, all) => {
            let found = format!("{} event databases and no name", all.len());
            return Err(contradiction(&found, "the name of one").at("/eft/event_databases").into());
        }
        (Some(name), all) => all.iter().position(|d| d.name == name).ok_or_else(|| {
            Findings::from(contradiction(&format!("event database {}", quote(name)), "one of the block eft"))
        })?,
    };
    let Some(declaration) = eft.event_databases.get(index) else { return Err(Findings::default()) };
    let (pointer, mut changed) = (format!("/eft/event_databases/{index}"), eft.clone());
    changed.wilson_coefficients.extend(extension.coefficients.iter().map(coefficient));
    let placed = |findings: Findings| Findings(findings.0.into_iter().map(|f| f.at(&pointer)).collect());
    check(&changed, declaration.weights.clone(), extension).map_err(placed)?;
    path_of(&extension.uri, folder)?;
    let database = Database::open(declaration, folder, &pointer)?;
    let same = |path: &Path| std::fs::canonicalize(path).ok();
    let own = path_of(&declaration.uri, folder)?;
    if same(&own).is_some() && same(&own) == same(extension.output) {
        return Err(contradiction("the new database in the place of the old one", "another file").into());
    }
    let appended = append(&database, &extension.columns, extension.output)?;
    declare(document, &pointer, extension, &appended);
    Ok(appended)
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

/// The new monomials are new and have known coefficients, the new coefficients are new and used.
fn check(eft: &Eft, weights: EventWeights, extension: &Extension) -> Result<()> {
    let own = match weights {
        EventWeights::Coefficients { monomials, .. } | EventWeights::Ratio { monomials, .. } => monomials,
        EventWeights::BasisWeights { .. } => {
            return Err(
                contradiction("basis weights, which have no columns of monomials", "coefficients or ratio").into()
            );
        }
    };
    let names: Vec<&String> = eft.wilson_coefficients.iter().map(|c| &c.name).collect();
    if let Some((i, name)) =
        names.iter().enumerate().find(|(i, name)| names.iter().take(*i).any(|other| other == *name))
    {
        return Err(contradiction(&format!("coefficient {} ({i}) twice", quote(name)), "new coefficients").into());
    }
    let sorted = |monomial: &Vec<String>| {
        let mut monomial = monomial.clone();
        monomial.sort_unstable();
        monomial
    };
    let mut known: BTreeSet<Vec<String>> = own.iter().map(sorted).collect();
    for monomial in &extension.monomials {
        if let Some(name) = monomial.iter().find(|name| !names.contains(name)) {
            return Err(
                contradiction(&format!("a monomial with {}", quote(name)), "coefficients of the document").into()
            );
        }
        if !known.insert(sorted(monomial)) {
            return Err(contradiction(&format!("monomial {} again", monomial.join("*")), "new monomials").into());
        }
    }
    for new in extension.coefficients {
        if !extension.monomials.iter().flatten().any(|name| *name == new.name) {
            return Err(
                contradiction(&format!("coefficient {} in no new monomial", quote(&new.name)), "one at least").into()
            );
        }
    }
    Ok(())
}

/// Writes what is new into the document; its other members stay as they are.
fn declare(document: &mut Value, pointer: &str, extension: &Extension, appended: &Appended) {
    let extend = |list: Option<&mut Value>, items: Vec<Value>| {
        if let Some(list) = list.and_then(Value::as_array_mut) {
            list.extend(items);
        }
    };
    let coefficients = extension.coefficients.iter().map(|new| json!(coefficient(new))).collect();
    extend(document.pointer_mut("/eft/wilson_coefficients"), coefficients);
    let Some(database) = document.pointer_mut(pointer) else { return };
    database["uri"] = json!(extension.uri);
    database["sha256"] = json!(appended.sha256);
    database["media_type"] = json!(crate::document::eft::MediaType::Parquet);
    extend(database.pointer_mut("/weights/monomials"), extension.monomials.iter().map(|m| json!(m)).collect());
    extend(database.pointer_mut("/weights/columns"), extension.columns.names.iter().map(|n| json!(n)).collect());
}
