//! Histograms of simulated samples at points of the coefficients, as RooLagrangianMorphFunc takes them, in JSON
//! (spec/eft-importers.md, "Morphing").

use super::node::Node;
use super::split_orders::{Contents, Template, Unassembled, assemble};
use super::terms::{Terms, UNTRUNCATED};
use super::{Import, ImportOptions, ImportedResponse, Json, ResponseData, dropped};
use crate::document::eft::{McStat, Mode, MonomialList, MorphComponents, MorphData, MorphWeights, PerBin, VertexList};
use crate::finding::{Findings, Result, number, quote};
use crate::model::eft::{Monomial, morphing};
use std::collections::{BTreeMap, BTreeSet};

/// Reads `{"samples": [{"name", "param_card": {coefficient: value}, "histogram": […], "variances": […]}], "vertices": …}`
/// or with `"monomials"` in the place of `"vertices"`. Solving is left to the loader of the document, but for samples that
/// hold single orders (`np_order`) or terms (`terms`): these become a polynomial.
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
    let samples = Samples::read(&list, &parameters, &mut warnings)?;
    let response = match samples.contents.iter().all(|contents| *contents == Contents::All) {
        true => morph(samples, components, &parameters),
        false => polynomial(samples, &components, &parameters, root, &mut warnings)?,
    };
    Ok(Import {
        wilson_coefficients: options.bounds.coefficients(&parameters)?,
        responses: vec![response],
        warnings,
        ..Import::default()
    })
}

/// All samples of a file; every list has one entry a sample.
struct Samples<'a> {
    nodes: Vec<Node<'a>>,
    points: Vec<Vec<f64>>,
    templates: Vec<Vec<f64>>,
    variances: Option<Vec<Vec<f64>>>,
    contents: Vec<Contents>,
}

impl<'a> Samples<'a> {
    fn read(list: &Node<'a>, parameters: &[String], warnings: &mut Findings) -> Result<Samples<'a>> {
        let nodes = list.items()?;
        let n_bins =
            nodes.first().ok_or_else(|| list.wrong("at least one sample"))?.member("histogram")?.items()?.len();
        if n_bins == 0 {
            return Err(list.error("a histogram without bins", "at least one bin").into());
        }
        let (mut points, mut templates, mut contents) = (Vec::new(), Vec::new(), Vec::new());
        let mut others = Others::default();
        let mut variances = Vec::new();
        for sample in &nodes {
            points.push(others.point(&sample.member("param_card")?, parameters)?);
            templates.push(sample.member("histogram")?.numbers_of(n_bins, "bin")?);
            contents.push(contents_of(sample, parameters)?);
            if let Some(node) = sample.get("variances")? {
                let values = node.numbers_of(n_bins, "bin")?;
                if values.iter().any(|x| *x < 0.0) {
                    return Err(node.error("a negative variance", "variances of at least 0").into());
                }
                variances.push(values);
            }
        }
        if !variances.is_empty() && variances.len() != nodes.len() {
            return Err(list.error("variances of some samples alone", "variances of all samples, or of none").into());
        }
        others.remark(list, warnings);
        let variances = Some(variances).filter(|v| !v.is_empty());
        Ok(Samples { nodes, points, templates, variances, contents })
    }
}

/// The terms that a sample holds: of the order `np_order`, those of `terms`, or all.
fn contents_of(sample: &Node, parameters: &[String]) -> Result<Contents> {
    match (sample.get("np_order")?, sample.get("terms")?) {
        (None, None) => Ok(Contents::All),
        (Some(node), None) => match node.value.as_u64().and_then(|order| usize::try_from(order).ok()) {
            Some(order) => Ok(Contents::Order(order)),
            None => Err(node.wrong("a power of 1/Λ²: 0, 1, 2, …").into()),
        },
        (None, Some(node)) => {
            let mut terms = BTreeSet::new();
            for item in node.items()? {
                let unknown = || item.error("a term of another coefficient", "names of the vertices or monomials");
                terms.insert(indices(&item.names()?, parameters).ok_or_else(unknown)?);
            }
            Ok(Contents::Terms(terms.into_iter().collect()))
        }
        (Some(node), Some(_)) => Err(node.error("both np_order and terms", "one of the two, or none").into()),
    }
}

/// A product as the sorted places of its names.
fn indices(names: &[String], parameters: &[String]) -> Option<Monomial> {
    let places = names.iter().map(|name| parameters.binary_search(name).ok().map(|i| i as u32));
    let mut places = places.collect::<Option<Monomial>>()?;
    places.sort_unstable();
    Some(places)
}

/// Samples that hold all terms.
fn morph(samples: Samples, components: MorphComponents, parameters: &[String]) -> ImportedResponse {
    let at_zero = samples.points.iter().position(|point| point.iter().all(|c| *c == 0.0));
    let nominal = at_zero.and_then(|b| samples.templates.get(b).cloned());
    let data = MorphData {
        mode: Mode::Absolute,
        parameters: parameters.to_vec(),
        basis_points: samples.points,
        templates: samples.templates,
        variances: samples.variances,
        weights: MorphWeights::Equal,
        components,
        truncation: UNTRUNCATED,
        reference: BTreeMap::new(),
    };
    ImportedResponse { nominal, ..ImportedResponse::new("morphing", ResponseData::Morph(data)) }
}

/// Samples of which some hold single orders or terms: their polynomial.
fn polynomial(
    samples: Samples,
    components: &MorphComponents,
    parameters: &[String],
    root: &Node,
    warnings: &mut Findings,
) -> Result<ImportedResponse> {
    let monomials = monomials(components, parameters, root)?;
    let n_bins = samples.templates.first().map_or(0, Vec::len);
    let parts = samples.points.into_iter().zip(samples.templates).zip(samples.contents);
    let templates: Vec<Template> =
        parts.map(|((point, yields), contents)| Template { contents, point, yields }).collect();
    let in_words = |monomial: &Monomial| -> Vec<String> {
        monomial.iter().filter_map(|i| parameters.get(*i as usize).cloned()).collect()
    };
    let assembled = assemble(&monomials, &templates, n_bins).map_err(|error| match error {
        Unassembled::TooLarge => root.error("too many samples, monomials and bins", "a smaller file"),
        Unassembled::Nothing(i) => {
            let sample = samples.nodes.get(i).unwrap_or(root);
            sample.error("a sample without any term at its point", "an order or terms of the vertices or monomials")
        }
        Unassembled::Open(open, reason) => {
            let open: Vec<String> = open
                .iter()
                .filter_map(|k| monomials.get(*k))
                .map(|m| format!("[{}]", in_words(m).join(", ")))
                .collect();
            let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
            root.error(
                format!("samples that leave open {}{reason}", open.join(", ")),
                "samples that determine every term",
            )
        }
    })?;
    for (i, off) in &assembled.unused {
        let pointer = samples.nodes.get(*i).map_or(String::new(), |node| node.pointer.clone());
        let what = format!("a sample that differs from the sum of the others by up to {} of its yield", number(*off));
        warnings.push(dropped(pointer, what, "its terms follow from the other samples alone"));
    }
    let mut terms = Terms::new(n_bins);
    for (monomial, coefficients) in monomials.iter().zip(&assembled.coefficients) {
        terms.add(in_words(monomial), coefficients.iter().copied());
    }
    let mut data = terms.polynomial(Mode::Absolute, false)?;
    if let Some(variances) = &samples.variances {
        let q = morphing::variance(&monomials, &assembled.operator, variances, n_bins)
            .map_err(|error| root.error(error.to_string(), "fewer samples or monomials, or no variances"))?;
        let (lists, values) = q.terms().map(|(m, v)| (in_words(m), PerBin::Each(v.to_vec()))).unzip();
        data.mc_stat = Some(McStat::W2 { monomials: lists, variances: values, fixed_at: None });
    }
    let nominal = Some(terms.constant());
    Ok(ImportedResponse { nominal, ..ImportedResponse::new("morphing", ResponseData::Polynomial(data)) })
}

/// The monomials of the components, in places of the parameters.
fn monomials(components: &MorphComponents, parameters: &[String], root: &Node) -> Result<Vec<Monomial>> {
    let places = |names: &Vec<String>| indices(names, parameters).unwrap_or_default();
    match components {
        MorphComponents::Monomials(list) => Ok(list.monomials.iter().map(places).collect()),
        MorphComponents::Vertices(list) => {
            let vertices: Vec<Monomial> = list.vertices.values().map(places).collect();
            Ok(morphing::vertex_monomials(&vertices)
                .map_err(|error| root.error(error.to_string(), "vertices of fewer coefficients"))?)
        }
    }
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
