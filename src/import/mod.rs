//! Foreign files that say how yields depend on Wilson coefficients, read into the extension's own types
//! (spec/eft-importers.md): one file a format.

pub mod attach;
pub mod combine_scaling;
pub mod datacard;
pub mod eft2obs;
pub mod event_columns;
mod factory;
mod hepdata;
pub mod histeft;
pub mod histfactory_xml;
pub mod morphing_inputs;
mod node;
mod npz;
pub mod redist_map;
pub mod rg_matrix;
pub mod scaling_text;
pub mod simplified_likelihood;
pub mod smefit_benchmark;
mod smefit_coefficients;
mod smefit_dataset;
pub mod smefit_runcard;
mod smefit_systematic;
pub mod smefit_theory;
mod split_orders;
pub mod stxs;
mod terms;
mod yaml;

use crate::document::eft::{
    GaussianMeasurement, MapData, MorphData, PolynomialData, PolynomialSource, RationalData, TransformStep,
    WilsonCoefficient,
};
use crate::document::workspace::{Modifier, Workspace};
use crate::document::{Document, Limits, position};
use crate::finding::{Finding, Findings, Result, number, quote};
use crate::rule;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

/// What a foreign file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Import {
    pub wilson_coefficients: Vec<WilsonCoefficient>,
    pub responses: Vec<ImportedResponse>,
    /// Measurements with Gaussian errors, for the block `eft`.
    pub measurements: Vec<GaussianMeasurement>,
    /// Relations among coefficients, for the block `eft`.
    pub transform: Vec<TransformStep>,
    /// A whole document, where the file is one: the other parts are then empty.
    pub workspace: Option<Workspace>,
    /// What was not carried over.
    pub warnings: Findings,
}

/// The response of one sample.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedResponse {
    pub name: String,
    /// The channel and the sample that the file means, where it names them.
    pub channel: Option<String>,
    pub sample: Option<String>,
    /// The yields at the reference point of an absolute response, one a bin.
    pub nominal: Option<Vec<f64>>,
    pub data: ResponseData,
}

/// The data of the modifier that a response becomes.
#[derive(Clone, Debug, PartialEq)]
pub enum ResponseData {
    Polynomial(PolynomialData),
    Rational(RationalData),
    Morph(MorphData),
    Map(MapData),
}

/// What a caller adds to a file that does not say it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportOptions {
    pub bounds: Bounds,
    /// Factors on the nominal yields where the file holds both those and yields.
    pub relative: bool,
    pub limits: Limits,
}

/// The boxes of Wilson coefficients.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bounds {
    pub by_name: BTreeMap<String, [f64; 2]>,
    /// Of those that are not named.
    pub others: Option<[f64; 2]>,
}

impl ImportedResponse {
    fn new(name: impl Into<String>, data: ResponseData) -> ImportedResponse {
        ImportedResponse { name: name.into(), channel: None, sample: None, nominal: None, data }
    }

    /// The modifier of a sample.
    pub fn modifier(&self, name: &str) -> Modifier {
        let name = name.to_owned();
        match self.data.clone() {
            ResponseData::Polynomial(data) => {
                Modifier::EftPolynomial { name, data: Box::new(PolynomialSource::Inline(Box::new(data))) }
            }
            ResponseData::Rational(data) => Modifier::EftRational { name, data: Box::new(data) },
            ResponseData::Morph(data) => Modifier::EftMorph { name, data: Box::new(data) },
            ResponseData::Map(data) => Modifier::EftMap { name, data: Box::new(data) },
        }
    }
}

impl Bounds {
    /// Coefficients by these names, without further properties.
    ///
    /// # Errors
    /// `ImportError` that names all coefficients without bounds, and bounds of no coefficient.
    fn coefficients<S: AsRef<str>>(&self, names: impl IntoIterator<Item = S>) -> Result<Vec<WilsonCoefficient>> {
        let mut missing = Vec::new();
        let mut coefficients = Vec::new();
        for name in names {
            let name = name.as_ref();
            match self.by_name.get(name).or(self.others.as_ref()) {
                Some(bounds) => coefficients.push(wilson_coefficient(name, *bounds, 0.0)),
                None => missing.push(quote(name)),
            }
        }
        if missing.is_empty() {
            return Ok(coefficients);
        }
        let found = format!("no bounds of {}", missing.join(", "));
        Err(Finding::new(&rule::IMPORT_MISSING, found, "bounds of every Wilson coefficient").into())
    }

    /// Bounds given by the caller in the place of those of the file.
    fn overrule(&self, coefficients: &mut [WilsonCoefficient]) {
        for coefficient in coefficients {
            if let Some(bounds) = self.by_name.get(&coefficient.name) {
                coefficient.bounds = *bounds;
            }
        }
    }
}

fn wilson_coefficient(name: &str, bounds: [f64; 2], init: f64) -> WilsonCoefficient {
    WilsonCoefficient { name: name.to_owned(), bounds, init, fixed: false, dimension: 6, wcxf: None }
}

/// A JSON file, its tree, and the places of findings in it.
struct Json {
    document: Document,
    tree: serde_json::Value,
}

impl Json {
    fn read(name: &str, bytes: Vec<u8>, limits: &Limits) -> Result<Json> {
        refuse_pickle(&bytes)?;
        let document = Document::from_slice(name, bytes, limits)?;
        let tree = document.value()?;
        Ok(Json { document, tree })
    }

    fn root(&self) -> node::Node<'_> {
        node::Node::root(&self.tree)
    }

    /// Gives findings their lines.
    fn placed<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|mut findings| {
            position::resolve(&self.document.text, &mut findings);
            findings
        })
    }

    fn place_warnings(&self, import: &mut Import) {
        position::resolve(&self.document.text, &mut import.warnings);
    }
}

/// An error on the bytes of a pickle, packed by gzip or not: reading one may run whatever code it holds.
fn refuse_pickle(bytes: &[u8]) -> Result<()> {
    let mut head = [0; 4];
    let mut length = 0;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut decoder = flate2::read::MultiGzDecoder::new(bytes);
        while let Ok(read @ 1..) = decoder.read(&mut head[length..]) {
            length += read;
        }
    } else {
        length = bytes.len().min(head.len());
        head[..length].copy_from_slice(&bytes[..length]);
    }
    let binary = length >= 2 && head[0] == 0x80 && (2..=5).contains(&head[1]);
    let text = [b"(lp", b"(dp", b"(l.", b"(d."].iter().any(|start| head.starts_with(*start));
    if binary || text {
        let finding = Finding::new(&rule::IMPORT_REFUSED, "a pickle", "data without code, such as JSON");
        return Err(finding.hint("write it as JSON: a pickle may run any code when it is read").into());
    }
    Ok(())
}

/// A warning that something is not carried over, and why.
fn dropped(pointer: impl Into<String>, what: impl Into<String>, why: impl Into<String>) -> Finding {
    Finding::new(&rule::IMPORT_DROPPED, what, "only what a document has a place for").hint(why).at(pointer)
}

/// Checks the coefficients of a file: bounds are an interval that holds the start.
fn check_coefficients(coefficients: &[WilsonCoefficient]) -> Result<()> {
    let mut findings = Findings::default();
    let mut names = BTreeSet::new();
    for WilsonCoefficient { name, bounds: [low, high], init, .. } in coefficients {
        let ordered = low.is_finite() && high.is_finite() && low < high;
        if !ordered || !(*low..=*high).contains(init) {
            let found = format!("{} of {} in [{}, {}]", number(*init), quote(name), number(*low), number(*high));
            findings.push(Finding::new(&rule::IMPORT_FORMAT, found, "finite bounds, low < high, around the start"));
        }
        if !names.insert(name) {
            let found = format!("{} twice", quote(name));
            findings.push(Finding::new(&rule::IMPORT_FORMAT, found, "one Wilson coefficient of a name"));
        }
    }
    if findings.0.is_empty() { Ok(()) } else { Err(findings) }
}
