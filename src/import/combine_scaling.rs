//! The scaling data of Combine's interference model: for every channel and process a symmetric matrix a bin, of which
//! the lower triangle is written (spec/eft-importers.md, "Combine").

use super::factory::{Definitions, Product};
use super::node::Node;
use super::terms::Terms;
use super::{Import, ImportOptions, ImportedResponse, Json, ResponseData, check_coefficients, dropped};
use crate::document::eft::Mode;
use crate::finding::{Finding, Result, number, quote};
use crate::rule;
use std::collections::BTreeSet;

/// Reads a list of scaling data, JSON or gzipped JSON. The yield of bin b is multiplied by Σ_ij M_bij p_i p_j: entries
/// off the diagonal count twice.
pub fn read(name: &str, bytes: Vec<u8>, options: &ImportOptions) -> Result<Import> {
    let json = Json::read(name, bytes, &options.limits)?;
    let mut import = json.placed(items(&json.root(), options))?;
    json.place_warnings(&mut import);
    Ok(import)
}

fn items(root: &Node, options: &ImportOptions) -> Result<Import> {
    let mut definitions = Definitions::default();
    let mut import = Import::default();
    let mut seen = BTreeSet::new();
    for item in root.items()? {
        let (channel, process) = (item.member("channel")?.name()?, item.member("process")?.name()?);
        if !seen.insert((channel, process)) {
            let found = format!("the process {} of channel {} twice", quote(process), quote(channel));
            return Err(item.error(found, "each process of a channel once").into());
        }
        let parameters = parameters(&item.member("parameters")?, &mut definitions)?;
        let terms = matrix(&item.member("scaling")?, &parameters)?;
        let mut data = terms.polynomial(Mode::Relative, false)?;
        // Coupling modifiers start at 1, where the Standard Model is.
        let names = terms.names();
        let started = definitions.coefficients.iter().filter(|c| c.init != 0.0 && names.contains(&c.name));
        data.reference = started.map(|c| (c.name.clone(), c.init)).collect();
        let data = ResponseData::Polynomial(data);
        let mut response = ImportedResponse::new(format!("{channel}_{process}_eft"), data);
        (response.channel, response.sample) = (Some(channel.to_owned()), Some(process.to_owned()));
        import.responses.push(response);
    }
    for (name, value) in definitions.constants.iter().filter(|(_, value)| **value != 1.0) {
        let what = format!("the constant {} = {}", quote(name), number(*value));
        import.warnings.push(dropped("", what, "a constant becomes part of the coefficients"));
    }
    import.wilson_coefficients = definitions.coefficients;
    options.bounds.overrule(&mut import.wilson_coefficients);
    check_coefficients(&import.wilson_coefficients)?;
    if import.wilson_coefficients.is_empty() {
        return Err(root.error("no parameter with a range", "name[value,low,high]").into());
    }
    Ok(import)
}

fn parameters(node: &Node, definitions: &mut Definitions) -> Result<Vec<Product>> {
    let mut parameters = Vec::new();
    for item in node.items()? {
        let text = item.name()?;
        let product = definitions.read(text).map_err(|reason| {
            let expected = "name[value,low,high], name[value], or expr::name('…',…) of products and powers";
            Finding::new(&rule::IMPORT_REFUSED, format!("{}: {reason}", quote(text)), expected).at(item.pointer.clone())
        })?;
        parameters.push(product);
    }
    if parameters.is_empty() { Err(node.wrong("at least one parameter").into()) } else { Ok(parameters) }
}

fn matrix(node: &Node, parameters: &[Product]) -> Result<Terms> {
    let n = parameters.len();
    let mut rows = Vec::new();
    for bin in node.items()? {
        rows.push(bin.numbers_of(n * (n + 1) / 2, "entry of the lower triangle")?);
    }
    if rows.is_empty() {
        return Err(node.wrong("at least one bin").into());
    }
    let mut terms = Terms::new(rows.len());
    let pairs = (0..n).flat_map(|i| (0..=i).map(move |j| (i, j)));
    for (entry, (i, j)) in pairs.enumerate() {
        let (p, q) = (&parameters[i], &parameters[j]);
        let twice = if i == j { 1.0 } else { 2.0 };
        let factor = twice * p.factor * q.factor;
        let monomial = [p.names.as_slice(), &q.names].concat();
        terms.add(monomial, rows.iter().map(|row| factor * row[entry]));
    }
    Ok(terms)
}
