//! redist's joint distributions of an analysis bin and a kinematic bin, together with a polynomial for each kinematic
//! bin, which redist's own file does not hold (spec/eft-importers.md, "redist").

use super::node::Node;
use super::terms::{ONCE, Terms, UNTRUNCATED};
use super::{
    Import, ImportOptions, ImportedResponse, Json, ResponseData, check_coefficients, dropped, wilson_coefficient,
};
use crate::document::eft::MapData;
use crate::finding::{Finding, Findings, Result, number, quote};
use crate::rule;

/// Most axes of a map.
const MOST_AXES: usize = 8;
/// Largest relative difference of the summed map and the yields of its sample.
const SAME: f64 = 1e-6;

/// Reads a file of redist and one of weights, `{"monomials": [[…]], "weights": [[…]]}`: for every monomial a number a
/// kinematic bin, the last kinematic axis running fastest, as in the map. w_z is the prediction of bin z relative to that
/// of the simulated sample.
pub fn read(name: &str, bytes: Vec<u8>, weights: Vec<u8>, options: &ImportOptions) -> Result<Import> {
    let json = Json::read(name, bytes, &options.limits)?;
    let weights = Json::read("weights", weights, &options.limits)?;
    let (names, map) = json.placed(one_modifier(&json.root()))?;
    let n_bins = map.first().map_or(0, Vec::len);
    let terms = weights.placed(read_weights(&weights.root(), n_bins))?;
    let mut import = json.placed(responses(&json.root(), &names, map, terms, options))?;
    json.place_warnings(&mut import);
    Ok(import)
}

/// The name of the modifier and its map, whether the file holds them alone or in lists of one.
fn one_modifier(root: &Node) -> Result<(String, Vec<Vec<f64>>)> {
    let name = one(root, "name")?.name()?.to_owned();
    let mut map = root.member("map")?;
    if root.member("name")?.value.is_array() {
        map = one(root, "map")?;
    }
    let mut rows = Vec::new();
    for row in map.items()? {
        let mut flat = Vec::new();
        flatten(&row, MOST_AXES, &mut flat)?;
        if rows.first().is_some_and(|first: &Vec<f64>| first.len() != flat.len()) || flat.is_empty() {
            return Err(row.wrong("as many kinematic bins in every bin").into());
        }
        rows.push(flat);
    }
    if rows.is_empty() { Err(map.wrong("at least one bin").into()) } else { Ok((name, rows)) }
}

/// A member, or the only item of it.
fn one<'a>(root: &Node<'a>, key: &str) -> Result<Node<'a>> {
    let node = root.member(key)?;
    if !node.value.is_array() {
        return Ok(node);
    }
    let mut items = node.items()?;
    match (items.pop(), items.is_empty()) {
        (Some(only), true) => Ok(only),
        _ => Err(node.wrong("one modifier; give files of one each").into()),
    }
}

/// Nested lists of numbers in one row, the innermost running fastest.
fn flatten(node: &Node, deepest: usize, flat: &mut Vec<f64>) -> Result<()> {
    if !node.value.is_array() {
        flat.push(node.number()?);
        return Ok(());
    }
    if deepest == 0 {
        return Err(node.error("a deeper array", format!("at most {MOST_AXES} axes")).into());
    }
    node.items()?.iter().try_for_each(|item| flatten(item, deepest - 1, flat))
}

fn read_weights(root: &Node, n_bins: usize) -> Result<Terms> {
    let monomials = root.member("monomials")?.items()?;
    let lists = root.member("weights")?.items_of(monomials.len(), "monomial")?;
    let mut terms = Terms::new(n_bins);
    for (monomial, list) in monomials.iter().zip(&lists) {
        let mut weights = Vec::new();
        flatten(list, MOST_AXES, &mut weights)?;
        if weights.len() != n_bins {
            return Err(list
                .error(format!("{} numbers", weights.len()), format!("{n_bins}, one a kinematic bin"))
                .into());
        }
        terms.add_once(monomial.names()?, weights).map_err(|found| monomial.error(found, ONCE))?;
    }
    Ok(terms)
}

fn responses(root: &Node, name: &str, map: Vec<Vec<f64>>, terms: Terms, options: &ImportOptions) -> Result<Import> {
    let mut warnings = Findings::default();
    for key in ["cutoff", "weight_bound", "allow_negative_weights", "quad_order", "data"] {
        let given = |node: &Node| node.value.as_array().is_none_or(|items| items.iter().any(|x| !x.is_null()));
        if let Some(node) = root.get(key)?.filter(given) {
            let why = match key {
                "cutoff" => "write weight 1 into the polynomials of kinematic bins beyond it",
                "weight_bound" | "allow_negative_weights" => {
                    "polynomials are neither clipped nor set to 1 where negative"
                }
                "data" => "observations belong to the workspace",
                _ => "weights are polynomials, not integrals",
            };
            warnings.push(dropped(node.pointer, quote(key), why));
        }
    }
    let nominal: Vec<f64> = map.iter().map(|row| row.iter().sum()).collect();
    terms.check_finite()?;
    let data =
        MapData { map, monomials: terms.monomials(), weights: terms.coefficients(false), truncation: UNTRUNCATED };
    let response = ImportedResponse { nominal: Some(nominal), ..ImportedResponse::new(name, ResponseData::Map(data)) };
    let mut responses = carriers(root, name, &response)?;
    if responses.is_empty() {
        responses.push(response);
    }
    let wilson_coefficients = coefficients(root, &terms, options, &mut warnings)?;
    Ok(Import { wilson_coefficients, responses, warnings, ..Import::default() })
}

/// The response for each sample whose modifiers have the type that redist registers under the name.
fn carriers(root: &Node, name: &str, response: &ImportedResponse) -> Result<Vec<ImportedResponse>> {
    let mut responses = Vec::new();
    let Some(spec) = root.get("spec")? else { return Ok(responses) };
    for channel in spec.member("channels")?.items()? {
        for sample in channel.member("samples")?.items()? {
            let modifiers = sample.member("modifiers")?.items()?;
            if !modifiers.iter().any(|modifier| modifier.value.get("type").is_some_and(|kind| kind == name)) {
                continue;
            }
            let data =
                sample.member("data")?.numbers_of(response.nominal.as_ref().map_or(0, Vec::len), "bin of the map")?;
            same_yields(&sample, &data, response.nominal.as_deref().unwrap_or_default())?;
            let mut response = response.clone();
            response.channel = Some(channel.member("name")?.name()?.to_owned());
            response.sample = Some(sample.member("name")?.name()?.to_owned());
            responses.push(response);
        }
    }
    Ok(responses)
}

/// redist adds map·(w − 1) to the yields, or multiplies them by Σ map w / Σ map, by its version: both are Σ map w only
/// where the map sums to the yields.
fn same_yields(sample: &Node, data: &[f64], summed: &[f64]) -> Result<()> {
    let differs = |(a, b): (&f64, &f64)| (a - b).abs() > SAME * a.abs().max(b.abs());
    match data.iter().zip(summed).position(differs) {
        None => Ok(()),
        Some(bin) => {
            let found = format!("yield {} and summed map {} in bin {bin}", number(data[bin]), number(summed[bin]));
            Err(sample.error(found, "a map that sums to the yields of its sample").into())
        }
    }
}

/// Bounds and starts from `new_pars` where they are there.
fn coefficients(
    root: &Node,
    terms: &Terms,
    options: &ImportOptions,
    warnings: &mut Findings,
) -> Result<Vec<crate::document::eft::WilsonCoefficient>> {
    let names = terms.names();
    let mut known = Vec::new();
    if root.get("new_pars")?.is_some() {
        for (name, parameter) in one(root, "new_pars")?.members()? {
            if parameter.get("cov")?.is_some() {
                let why = "correlated theory parameters have no place in a map: vary the polynomials instead";
                warnings.push(dropped(parameter.pointer.clone(), quote(name), why));
            } else if names.contains(name) {
                known.push(declared(name, &parameter)?);
            } else {
                warnings.push(dropped(parameter.pointer.clone(), quote(name), "no polynomial names it"));
            }
        }
    }
    options.bounds.overrule(&mut known);
    let others = names.iter().filter(|name| !known.iter().any(|c| c.name == **name));
    known.extend(options.bounds.coefficients(others)?);
    check_coefficients(&known)?;
    Ok(known)
}

fn declared(name: &str, parameter: &Node) -> Result<crate::document::eft::WilsonCoefficient> {
    if let Some(kind) = parameter.get("paramset_type")?
        && kind.text()? != "unconstrained"
    {
        let found = format!("{} with a constraint", quote(name));
        return Err(Finding::new(&rule::IMPORT_REFUSED, found, "free coefficients").at(kind.pointer).into());
    }
    let init = one(parameter, "inits")?.number()?;
    let [low, high] = one(parameter, "bounds")?.numbers_of(2, "bound")?[..] else {
        return Err(parameter.wrong("two bounds").into());
    };
    Ok(wilson_coefficient(name, [low, high], init))
}
