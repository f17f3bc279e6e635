//! HS3 documents as they are written (spec/hs3.md): typed, lenient with a finding for each leniency, and versioned by
//! the program that wrote them.

mod analysis;
mod data;
mod dialect;
mod distribution;
mod eft_layer;
mod fields;
mod function;
mod histfactory;
mod recognise;
mod references;
mod type_name;

pub use analysis::{
    Analysis, Domain, DomainAxis, Likelihood, LikelihoodData, Metadata, Package, Point, PointParameter,
};
pub use data::{Axis, Binning, Contents, Data, DataKind, GaussianUncertainty};
pub use dialect::{Dialect, Version};
pub(crate) use distribution::canonical;
pub use distribution::{
    BreitWignerChannel, Covariance, Distribution, DistributionKind, Normalization, Resolution, Tail,
};
pub use eft_layer::{EftDistribution, EftFile, EftLayer, EftMisc, EftSample, MISC_KEY, SAMPLE_KEY};
pub use fields::{Formula, Reference, ReferenceKind, Slot};
pub use function::{Function, FunctionKind, Interpolated};
pub use histfactory::{
    Channel, Constraint, HistoSide, Interpolation, Modifier, ModifierData, ModifierKind, Sample, StaterrorConfig,
    StructInterpolation,
};
pub use recognise::is_hs3;

use super::{Document, position};
use crate::finding::{Finding, Findings, Result, describe};
use crate::rule;
use fields::{Fields, Reader};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// How a document is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Whose conventions the document follows; `None` lets its metadata decide.
    pub dialect: Option<Dialect>,
    /// What a lenient reader warns of is an error.
    pub strict: bool,
}

/// An HS3 document: its components in the order of the text.
#[derive(Clone, Debug, Default)]
pub struct Hs3Document {
    pub metadata: Metadata,
    /// Detected, or as the options say.
    pub dialect: Dialect,
    pub distributions: Vec<Distribution>,
    pub functions: Vec<Function>,
    pub data: Vec<Data>,
    pub likelihoods: Vec<Likelihood>,
    pub domains: Vec<Domain>,
    pub parameter_points: Vec<Point>,
    pub analyses: Vec<Analysis>,
    /// As it is written.
    pub misc: Map<String, Value>,
    /// What is odd, yet no error.
    pub warnings: Findings,
    index: Index,
}

/// The components by name.
#[derive(Clone, Debug, Default)]
struct Index {
    distributions: HashMap<String, usize>,
    functions: HashMap<String, usize>,
    data: HashMap<String, usize>,
}

impl Hs3Document {
    /// Reads a document. References are resolved: nothing that a component names as a distribution or as data is missing,
    /// and nothing depends on itself.
    ///
    /// # Errors
    /// All findings, warnings included, if one of them is an error; in the order of the text.
    pub fn from_document(document: &Document, options: &ReadOptions) -> Result<Hs3Document> {
        let value = document.value()?;
        let mut outcome = Hs3Document::from_value(&value, options);
        match &mut outcome {
            Ok(read) => position::resolve(&document.text, &mut read.warnings),
            Err(findings) => position::resolve(&document.text, findings),
        }
        outcome
    }

    /// As [`Hs3Document::from_document`], from a tree; findings have no line.
    ///
    /// # Errors
    /// All findings, warnings included, if one of them is an error.
    pub fn from_value(value: &Value, options: &ReadOptions) -> Result<Hs3Document> {
        let Value::Object(members) = value else {
            let finding = Finding::new(&rule::HS3_COMPONENT, describe(value), "an object with the member metadata");
            return Err(finding.at("").into());
        };
        let mut reader = Reader::new(options.strict);
        let mut document = read(members, options, &mut reader);
        document.index = references::index(&document, &mut reader);
        references::check(&document, &mut reader);
        if !reader.findings.is_valid() {
            return Err(reader.findings);
        }
        document.warnings = reader.findings;
        Ok(document)
    }

    pub fn distribution(&self, name: &str) -> Option<&Distribution> {
        self.index.distributions.get(name).and_then(|i| self.distributions.get(*i))
    }

    pub fn function(&self, name: &str) -> Option<&Function> {
        self.index.functions.get(name).and_then(|i| self.functions.get(*i))
    }

    pub fn data(&self, name: &str) -> Option<&Data> {
        self.index.data.get(name).and_then(|i| self.data.get(*i))
    }

    pub fn domain(&self, name: &str) -> Option<&Domain> {
        self.domains.iter().find(|domain| domain.name == name)
    }

    pub fn point(&self, name: &str) -> Option<&Point> {
        self.parameter_points.iter().find(|point| point.name == name)
    }
}

fn read(members: &Map<String, Value>, options: &ReadOptions, reader: &mut Reader) -> Hs3Document {
    let mut top = Fields::of_map(members, String::new(), reader);
    let metadata = top.child("metadata").and_then(|(value, pointer, reader)| Metadata::read(value, pointer, reader));
    let misc = top.raw("misc").and_then(Value::as_object).cloned().unwrap_or_default();
    let dialect = options.dialect.unwrap_or_else(|| metadata.as_ref().map(Metadata::dialect).unwrap_or_default());
    let document = Hs3Document {
        dialect,
        distributions: top.components("distributions", Distribution::read),
        functions: top.components("functions", Function::read),
        data: top.components("data", Data::read),
        likelihoods: top.components("likelihoods", Likelihood::read),
        domains: top.components("domains", Domain::read),
        parameter_points: top.components("parameter_points", Point::read),
        analyses: top.components("analyses", Analysis::read),
        misc,
        ..Hs3Document::default()
    };
    top.finish();
    if metadata.is_none() && !members.contains_key("metadata") {
        reader.lenient(&rule::HS3_METADATA, "", "no metadata", "metadata with hs3_version");
    }
    Hs3Document { metadata: metadata.unwrap_or_default(), ..document }
}
