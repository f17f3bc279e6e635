//! Metadata, likelihoods, domains, parameter points and analyses.

use super::fields::{Fields, Reader, Reference, ReferenceKind};
use crate::finding::describe;
use crate::rule;
use serde_json::Value;

/// What the document says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    pub hs3_version: String,
    pub packages: Vec<Package>,
    pub authors: Vec<String>,
    pub publications: Vec<String>,
    pub description: Option<String>,
}

/// A program that had a part in the document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Package {
    pub name: String,
    pub version: String,
}

/// Distributions with their data, and constraints without.
#[derive(Clone, Debug, PartialEq)]
pub struct Likelihood {
    pub name: String,
    pub pointer: String,
    /// One for each entry of `data` (W415).
    pub distributions: Vec<String>,
    pub data: Vec<LikelihoodData>,
    /// Counted once each, without data.
    pub aux_distributions: Vec<String>,
    /// What some programs write beside them; the values of global observables count.
    pub aux_data: Vec<String>,
    pub(super) references: Vec<Reference>,
}

/// The data of one distribution of a likelihood.
#[derive(Clone, Debug, PartialEq)]
pub enum LikelihoodData {
    Name(String),
    /// The value of the only variate.
    Value(f64),
}

/// A product of ranges.
#[derive(Clone, Debug, PartialEq)]
pub struct Domain {
    pub name: String,
    pub pointer: String,
    pub axes: Vec<DomainAxis>,
}

/// The range of one parameter or variate; a bound that is absent, null or at least 1e30 in size is infinite.
#[derive(Clone, Debug, PartialEq)]
pub struct DomainAxis {
    pub name: String,
    pub min: f64,
    pub max: f64,
    /// Of pyhs3: the parameter is constant.
    pub constant: bool,
}

/// Values of parameters and variates.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub name: String,
    pub pointer: String,
    pub parameters: Vec<PointParameter>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PointParameter {
    pub name: String,
    pub value: f64,
    pub constant: bool,
    /// Of ROOT, beside the domains.
    pub min: Option<f64>,
    pub max: Option<f64>,
}

/// What a likelihood is used for.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    pub name: String,
    pub pointer: String,
    pub likelihood: String,
    pub parameters_of_interest: Vec<String>,
    pub domains: Vec<String>,
    /// The parameter point to start from.
    pub init: Option<String>,
    pub prior: Option<String>,
    pub aux_likelihood_terms: Vec<String>,
}

impl Metadata {
    pub(super) fn read(value: &Value, pointer: String, reader: &mut Reader) -> Option<Metadata> {
        let mut fields = Fields::of(value, pointer, reader)?;
        let hs3_version = fields.optional_text("hs3_version");
        if hs3_version.is_none() && !fields.has("hs3_version") {
            let pointer = fields.pointer.clone();
            fields.reader.lenient(&rule::HS3_METADATA, &pointer, "no hs3_version", "hs3_version, such as \"0.2\"");
        }
        let metadata = Metadata {
            hs3_version: hs3_version.unwrap_or_default(),
            packages: fields.components("packages", Package::read),
            authors: fields.optional_texts("authors").unwrap_or_default(),
            publications: fields.optional_texts("publications").unwrap_or_default(),
            description: fields.optional_text("description"),
        };
        fields.finish();
        Some(metadata)
    }
}

impl Package {
    fn read(value: &Value, pointer: String, reader: &mut Reader) -> Option<Package> {
        let mut fields = Fields::of(value, pointer, reader)?;
        let (name, version) = (fields.text("name"), fields.optional_text("version"));
        fields.finish();
        Some(Package { name: name?, version: version.unwrap_or_default() })
    }
}

impl Likelihood {
    pub(super) fn read(value: &Value, pointer: String, reader: &mut Reader) -> Option<Likelihood> {
        let mut fields = Fields::of(value, pointer.clone(), reader)?;
        let name = fields.text("name");
        let distributions = fields.name_list("distributions", ReferenceKind::Distribution);
        let data = read_data(&mut fields);
        let has_aux = fields.has("aux_distributions");
        let aux =
            if has_aux { fields.name_list("aux_distributions", ReferenceKind::Distribution) } else { Some(vec![]) };
        let aux_data = fields.optional_texts("aux_data").unwrap_or_default();
        fields.finish();
        let references = std::mem::take(&mut fields.references);
        let (distributions, data) = (distributions?, data?);
        Some(Likelihood { name: name?, pointer, distributions, data, aux_distributions: aux?, aux_data, references })
    }
}

fn read_data(fields: &mut Fields) -> Option<Vec<LikelihoodData>> {
    let pointer = fields.at("data");
    let Some(Value::Array(items)) = fields.raw("data") else {
        let at = fields.pointer.clone();
        fields.reader.add(&rule::HS3_COMPONENT, &at, "no array \"data\"", "an array of names of data");
        return None;
    };
    let mut data = Vec::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        let pointer = format!("{pointer}/{i}");
        match (item.as_str(), item.as_f64()) {
            (Some(name), _) => {
                let (kind, name) = (ReferenceKind::Data, name.to_string());
                fields.references.push(Reference { kind, name: name.clone(), pointer });
                data.push(LikelihoodData::Name(name));
            }
            (_, Some(number)) => data.push(LikelihoodData::Value(number)),
            _ => {
                fields.reader.add(&rule::HS3_COMPONENT, &pointer, describe(item), "a name of data, or a number");
                return None;
            }
        }
    }
    Some(data)
}

/// Bounds of this size are what some programs write for infinity.
const INFINITE: f64 = 1e30;

/// An infinite bound where none is written.
pub(super) fn bound(value: Option<f64>, infinite: f64) -> f64 {
    value.filter(|x| x.abs() < INFINITE).unwrap_or(infinite)
}

impl Domain {
    pub(super) fn read(value: &Value, pointer: String, reader: &mut Reader) -> Option<Domain> {
        let mut fields = Fields::of(value, pointer.clone(), reader)?;
        let name = fields.text("name");
        let kind = fields.optional_text("type");
        if let Some(kind) = kind.filter(|kind| kind != "product_domain") {
            let at = fields.at("type");
            fields.reader.add(&rule::HS3_COMPONENT, &at, crate::finding::quote(&kind), "\"product_domain\"");
        }
        let axes = fields.components("axes", DomainAxis::read);
        fields.finish();
        Some(Domain { name: name?, pointer, axes })
    }

    pub fn axis(&self, name: &str) -> Option<&DomainAxis> {
        self.axes.iter().find(|axis| axis.name == name)
    }
}

impl DomainAxis {
    fn read(value: &Value, pointer: String, reader: &mut Reader) -> Option<DomainAxis> {
        let mut fields = Fields::of(value, pointer.clone(), reader)?;
        let name = fields.text("name");
        let min = bound(fields.optional_number("min"), f64::NEG_INFINITY);
        let max = bound(fields.optional_number("max"), f64::INFINITY);
        let constant = fields.flag("const").unwrap_or(false);
        fields.raw("nbins");
        fields.raw("edges");
        fields.raw("value");
        fields.finish();
        if min > max {
            let found = format!("min {min} and max {max}");
            fields.reader.add(&rule::HS3_AXIS, &pointer, found, "min at or below max");
        }
        Some(DomainAxis { name: name?, min, max, constant })
    }
}

impl Point {
    pub(super) fn read(value: &Value, pointer: String, reader: &mut Reader) -> Option<Point> {
        let mut fields = Fields::of(value, pointer.clone(), reader)?;
        let name = fields.text("name");
        let parameters = fields.components("parameters", PointParameter::read);
        fields.finish();
        Some(Point { name: name?, pointer, parameters })
    }
}

impl PointParameter {
    fn read(value: &Value, pointer: String, reader: &mut Reader) -> Option<PointParameter> {
        let mut fields = Fields::of(value, pointer, reader)?;
        let (name, value) = (fields.text("name"), fields.number("value"));
        let constant = fields.flag("const").unwrap_or(false);
        let (min, max) = (fields.optional_number("min"), fields.optional_number("max"));
        fields.raw("nbins");
        fields.finish();
        Some(PointParameter { name: name?, value: value?, constant, min, max })
    }
}

impl Analysis {
    pub(super) fn read(value: &Value, pointer: String, reader: &mut Reader) -> Option<Analysis> {
        let mut fields = Fields::of(value, pointer.clone(), reader)?;
        let (name, likelihood) = (fields.text("name"), fields.text("likelihood"));
        let poi = fields.alias(&["parameters_of_interest", "parameter_of_interest"]);
        let parameters_of_interest = one_or_more(&mut fields, poi);
        let domains = fields.alias(&["domains", "domain", "parameter_domain"]);
        let domains = one_or_more(&mut fields, domains);
        let init = fields.alias(&["init", "parameter_init"]);
        let init = fields.optional_text(init);
        let prior = fields.optional_text("prior");
        let aux_likelihood_terms = fields.optional_texts("aux_likelihood_terms").unwrap_or_default();
        fields.finish();
        let (name, likelihood) = (name?, likelihood?);
        Some(Analysis { name, pointer, likelihood, parameters_of_interest, domains, init, prior, aux_likelihood_terms })
    }
}

/// A name, or an array of names.
fn one_or_more(fields: &mut Fields, key: &'static str) -> Vec<String> {
    match fields.raw(key) {
        Some(Value::String(name)) => vec![name.clone()],
        _ => fields.optional_texts(key).unwrap_or_default(),
    }
}
