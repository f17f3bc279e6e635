//! Matrices as HEPData tables: two columns of labels and one of numbers.

use super::node::Node;
use crate::finding::{Finding, Result, quote};
use serde_json::Value;

/// The matrix of regions with these names, from `independent_variables` (row and column) and `dependent_variables`. Labels
/// are the names, or anything else that comes in their order. Where one triangle is left out, it is the other's.
pub(super) fn matrix(root: &Node, names: &[&str]) -> Result<Vec<Vec<f64>>> {
    let axes = root.member("independent_variables")?.items_of(2, "label: row, column")?;
    let dependent = root.member("dependent_variables")?.items_of(1, "column of numbers")?;
    let values = match dependent.first() {
        Some(column) => column.member("values")?.items()?,
        None => Vec::new(),
    };
    let mut labels = Vec::new();
    for axis in &axes {
        let own = axis.member("values")?.items_of(values.len(), "number")?;
        labels.push(own.iter().map(label).collect::<Result<Vec<String>>>()?);
    }
    let [rows, columns] = labels.as_slice() else { return Err(root.wrong("two columns of labels").into()) };
    let order = order(root, rows.iter().chain(columns), names)?;
    let place = |label: &String| order.iter().position(|own| own == label);
    let mut found = vec![vec![None; names.len()]; names.len()];
    for (k, value) in values.iter().enumerate() {
        let at = rows.get(k).and_then(place).zip(columns.get(k).and_then(place));
        let cell = at.and_then(|(a, b)| found.get_mut(a).and_then(|row| row.get_mut(b)));
        let cell = cell.ok_or_else(|| value.error("a label of no region", "labels of the regions"))?;
        if cell.replace(value.member("value")?.number()?).is_some() {
            return Err(value.error("a pair of labels twice", "each pair once").into());
        }
    }
    let either = |a: usize, b: usize| {
        let at = |a: usize, b: usize| found.get(a).and_then(|row| row.get(b)).copied().flatten();
        at(a, b).or(at(b, a))
    };
    let missing = |a: usize, b: usize| -> Finding {
        let names = [a, b].map(|i| names.get(i).map(|name| quote(name)).unwrap_or_default());
        root.error(format!("no number of {} and {}", names[0], names[1]), "all pairs, or those of one triangle")
    };
    let row = |a: usize| (0..names.len()).map(|b| Ok(either(a, b).ok_or_else(|| missing(a, b))?)).collect();
    (0..names.len()).map(row).collect()
}

/// A value, or the ends of a bin.
fn label(node: &Node) -> Result<String> {
    match node.get("value")? {
        Some(value) => text(&value),
        None => Ok(format!("{} to {}", text(&node.member("low")?)?, text(&node.member("high")?)?)),
    }
}

fn text(node: &Node) -> Result<String> {
    match node.value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(node.wrong("a name or a number").into()),
    }
}

/// The label of each region.
fn order<'a>(root: &Node, all: impl Iterator<Item = &'a String>, names: &[&str]) -> Result<Vec<String>> {
    let mut distinct: Vec<String> = Vec::new();
    for label in all {
        if distinct.len() <= names.len() && !distinct.contains(label) {
            distinct.push(label.clone());
        }
    }
    if distinct.len() != names.len() {
        let found = format!("{} labels or more", distinct.len());
        return Err(root.error(found, format!("{}, one a region", names.len())).into());
    }
    if names.iter().all(|name| distinct.iter().any(|label| label == name)) {
        return Ok(names.iter().map(|name| (*name).to_owned()).collect());
    }
    if distinct.iter().any(|label| names.contains(&label.as_str())) {
        return Err(root
            .error("labels of which some are names of regions", "the names of all regions, or of none")
            .into());
    }
    Ok(distinct)
}
