//! Histograms of simulated samples at points of the coefficients, as RooLagrangianMorphFunc takes them, in JSON
//! (spec/eft-importers.md, "Morphing").

use super::node::Node;
use super::terms::UNTRUNCATED;
use super::{Import, ImportOptions, ImportedResponse, Json, ResponseData, dropped};
use crate::document::eft::{Mode, MonomialList, MorphComponents, MorphData, VertexList};
use crate::finding::{Findings, Result, number, quote};
use std::collections::{BTreeMap, BTreeSet};

/// Reads `{"samples": [{"name", "param_card": {coefficient: value}, "histogram": […], "variances": […]}], "vertices": …}`
/// or with `"monomials"` in the place of `"vertices"`. Solving is left to the loader of the document.
pub fn read(name: &str, bytes: Vec<u8>, options: &ImportOptions) -> Result<Import> {
    let json = Json::read(name, bytes, &options.limits)?;
    let mut import = json.placed(inputs(&json.root(), options))?;
    json.place_warnings(&mut import);
    Ok(import)
}

fn inputs(root: &Node, options: &ImportOptions) -> Result<Import> {
    let components = components(root)?;
    let parameters: Vec<String> = names(&components).into_iter().collect();
    let mut warnings = Findings::default();
    for (key, node) in
        root.members()?.into_iter().filter(|(key, _)| !["samples", "vertices", "monomials"].contains(key))
    {
        warnings.push(dropped(node.pointer, quote(key), "it is no part of the morphing"));
    }
    let list = root.member("samples")?;
    let samples = list.items()?;
    let n_bins = samples.first().ok_or_else(|| list.wrong("at least one sample"))?.member("histogram")?.items()?.len();
    if n_bins == 0 {
        return Err(list.error("a histogram without bins", "at least one bin").into());
    }
    let mut morph = MorphData {
        mode: Mode::Absolute,
        parameters: parameters.clone(),
        basis_points: Vec::new(),
        templates: Vec::new(),
        variances: None,
        components,
        truncation: UNTRUNCATED,
        reference: BTreeMap::new(),
    };
    let mut others = Others::default();
    let mut variances = Vec::new();
    for sample in &samples {
        morph.basis_points.push(others.point(&sample.member("param_card")?, &parameters)?);
        morph.templates.push(sample.member("histogram")?.numbers_of(n_bins, "bin")?);
        if let Some(node) = sample.get("variances")? {
            let values = node.numbers_of(n_bins, "bin")?;
            if values.iter().any(|x| *x < 0.0) {
                return Err(node.error("a negative variance", "variances of at least 0").into());
            }
            variances.push(values);
        }
    }
    if variances.len() == samples.len() {
        morph.variances = Some(variances);
    } else if !variances.is_empty() {
        return Err(list.error("variances of some samples alone", "variances of all samples, or of none").into());
    }
    others.remark(&list, &mut warnings);
    let at_zero = morph.basis_points.iter().position(|point| point.iter().all(|c| *c == 0.0));
    let mut response = ImportedResponse::new("morphing", ResponseData::Morph(morph.clone()));
    response.nominal = at_zero.and_then(|b| morph.templates.get(b).cloned());
    Ok(Import { wilson_coefficients: options.bounds.coefficients(&parameters)?, responses: vec![response], warnings })
}

fn components(root: &Node) -> Result<MorphComponents> {
    match (root.get("vertices")?, root.get("monomials")?) {
        (Some(vertices), None) => {
            let operators = |(name, node): (&str, Node)| Ok((name.to_owned(), node.names()?));
            let vertices = vertices.members()?.into_iter().map(operators).collect::<Result<_>>()?;
            Ok(MorphComponents::Vertices(VertexList { vertices }))
        }
        (None, Some(node)) => {
            let mut seen = BTreeSet::new();
            let mut monomials = Vec::new();
            for item in node.items()? {
                let mut names = item.names()?;
                names.sort_unstable();
                if !seen.insert(names.clone()) {
                    return Err(item
                        .error("a monomial twice", "each monomial once, whatever the order of its names")
                        .into());
                }
                monomials.push(names);
            }
            Ok(MorphComponents::Monomials(MonomialList { monomials }))
        }
        _ => Err(root.error("both or none of vertices and monomials", "one of the two").into()),
    }
}

/// The names in the components, sorted.
fn names(components: &MorphComponents) -> BTreeSet<String> {
    match components {
        MorphComponents::Monomials(list) => list.monomials.iter().flatten().cloned().collect(),
        MorphComponents::Vertices(list) => list.vertices.values().flatten().cloned().collect(),
    }
}

/// Parameters of the samples that no component names: they must not move.
#[derive(Default)]
struct Others(BTreeMap<String, f64>);

impl Others {
    /// The point of one sample; a coefficient that the card lacks is zero.
    fn point(&mut self, card: &Node, parameters: &[String]) -> Result<Vec<f64>> {
        let mut point = vec![0.0; parameters.len()];
        for (name, node) in card.members()? {
            let value = node.number()?;
            if let Ok(index) = parameters.binary_search_by(|own| own.as_str().cmp(name)) {
                point[index] = value;
            } else if *self.0.entry(name.to_owned()).or_insert(value) != value {
                let found = format!("{} at two values", quote(name));
                return Err(node.error(found, "the same value in all samples of what no vertex names").into());
            }
        }
        Ok(point)
    }

    fn remark(&self, samples: &Node, warnings: &mut Findings) {
        for (name, value) in self.0.iter().filter(|(_, value)| **value != 0.0) {
            let what = format!("{} = {} of all samples", quote(name), number(*value));
            warnings.push(dropped(samples.pointer.clone(), what, "what no vertex names stays at its value"));
        }
    }
}
