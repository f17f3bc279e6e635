//! `histfactory_dist`: samples and modifiers as they are written, in all generations of their keys.

use super::data::{Axis, Contents, check_bins};
use super::eft_layer::SAMPLE_KEY;
use super::fields::{Fields, Reader, Reference, ReferenceKind};
use crate::finding::{describe, quote};
use crate::rule;
use serde_json::Value;

/// A channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    pub axes: Vec<Axis>,
    pub samples: Vec<Sample>,
    /// What ROOT's importer takes for all staterrors of the channel.
    pub staterror: Option<StaterrorConfig>,
    /// Of pyhs3: `lite` or `full`.
    pub barlow_beeston_method: Option<String>,
    pub default_interpolation: Option<StructInterpolation>,
}

/// The channel's key `staterror`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StaterrorConfig {
    pub constraint_type: Option<String>,
    pub rel_threshold: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub name: String,
    pub pointer: String,
    pub data: Contents,
    pub modifiers: Vec<Modifier>,
    /// The sample of an EFT document for which this one and others stand (spec/eft-hs3.md, section 6).
    pub eft: Option<Value>,
}

/// A modifier with all keys that say what its parameters are and how they are constrained.
#[derive(Clone, Debug, PartialEq)]
pub struct Modifier {
    /// Some programs write none.
    pub name: Option<String>,
    pub pointer: String,
    pub kind: ModifierKind,
    pub parameter: Option<String>,
    pub parameters: Vec<String>,
    pub data: ModifierData,
    pub constraint: Constraint,
    pub interpolation: Option<Interpolation>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModifierKind {
    Normfactor,
    Normsys,
    Histosys,
    Shapefactor,
    Shapesys,
    Staterror,
    /// A function of the document that multiplies the sample.
    Custom,
    Unknown(String),
}

#[derive(Clone, Debug, PartialEq)]
pub enum ModifierData {
    None,
    Normsys {
        lo: f64,
        hi: f64,
    },
    Histosys {
        lo: HistoSide,
        hi: HistoSide,
    },
    /// Of shapesys; what they mean depends on the dialect (D2).
    Vals(Vec<f64>),
    /// Of pyhs3's full Barlow-Beeston method.
    Uncertainties(Vec<f64>),
}

/// A template, one number a bin.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoSide {
    pub contents: Vec<f64>,
}

/// The four generations of keys as they are written; which of them counts is settled by D3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Constraint {
    /// Names of distributions, one a parameter; null for none.
    pub constraints: Vec<Option<String>>,
    /// The name of a distribution, or of a type.
    pub constraint: Option<String>,
    pub constraint_name: Option<String>,
    pub constraint_type: Option<String>,
}

/// The spellings of interpolation.
#[derive(Clone, Debug, PartialEq)]
pub enum Interpolation {
    /// ROOT's number of a code.
    Code(i64),
    /// `lin`, `log`, `parabolic`, `poly6` of the specification.
    Word(String),
    /// `code0`, `code4p`, … inside of `data`, of pyhs3.
    InData(String),
    Struct(StructInterpolation),
}

/// Interpolation inside |α| < 1 and outside.
#[derive(Clone, Debug, PartialEq)]
pub struct StructInterpolation {
    /// `add` or `mult`.
    pub kind: String,
    pub inner: String,
    /// `None`: as inside.
    pub outer: Option<String>,
}

impl Channel {
    pub(super) fn read(fields: &mut Fields) -> Option<Channel> {
        let pointer = fields.pointer.clone();
        let axes = fields.components("axes", Axis::read);
        let read_sample = |value: &Value, pointer, reader: &mut Reader| Sample::read(value, pointer, &axes, reader);
        let written = fields.raw("samples").and_then(Value::as_array).map_or(0, Vec::len);
        let samples = fields.components("samples", read_sample);
        if written == 0 {
            fields.reader.add(&rule::HS3_COMPONENT, &pointer, "no samples", "at least one sample");
        }
        let staterror = fields.child("staterror").and_then(|(v, p, r)| StaterrorConfig::read(v, p, r));
        let barlow_beeston_method = fields.optional_text("barlow_beeston_method");
        let default = fields.child("default_interpolation");
        let default_interpolation = default.and_then(|(v, p, r)| StructInterpolation::read(v, p, r));
        let references = samples.iter().flat_map(Sample::references).collect::<Vec<_>>();
        fields.references.extend(references);
        (samples.len() == written && written > 0).then_some(Channel {
            axes,
            samples,
            staterror,
            barlow_beeston_method,
            default_interpolation,
        })
    }
}

impl StaterrorConfig {
    fn read(value: &Value, pointer: String, reader: &mut Reader) -> Option<StaterrorConfig> {
        let mut fields = Fields::of(value, pointer, reader)?;
        let constraint_type = fields.optional_text("constraint_type");
        let rel_threshold = fields.optional_number("relThreshold");
        fields.finish();
        Some(StaterrorConfig { constraint_type, rel_threshold })
    }
}

impl Sample {
    fn read(value: &Value, pointer: String, axes: &[Axis], reader: &mut Reader) -> Option<Sample> {
        let mut fields = Fields::of(value, pointer.clone(), reader)?;
        let name = fields.text("name");
        let data = fields.object("data", |value, pointer, reader| {
            let mut inner = Fields::of(value, pointer.clone(), reader)?;
            let contents = Contents::read(&mut inner);
            inner.finish();
            let contents = contents?;
            check_bins(axes, contents.contents.len(), &pointer, inner.reader).then_some(contents)
        });
        let bins = data.as_ref().map(|data| data.contents.len());
        let modifiers = fields.components("modifiers", |v, p, reader| Modifier::read(v, p, bins, reader));
        let written = fields.raw("modifiers").and_then(Value::as_array).map_or(0, Vec::len);
        let eft = fields.raw(SAMPLE_KEY).cloned();
        fields.finish();
        let sample = Sample { name: name?, pointer, data: data?, modifiers, eft };
        (sample.modifiers.len() == written).then_some(sample)
    }

    /// Parameters and functions that drive modifiers, and the distributions that constrain them by name.
    fn references(&self) -> Vec<Reference> {
        let of = |modifier: &Modifier| {
            let own = matches!(modifier.kind, ModifierKind::Custom | ModifierKind::Normfactor);
            let name = modifier.parameter.is_none().then(|| modifier.name.clone()).flatten().filter(|_| own);
            let names = modifier.parameter.iter().chain(&modifier.parameters).cloned().chain(name);
            let (kind, at) = (ReferenceKind::Value, modifier.pointer.clone());
            names.map(move |name| Reference { kind, name, pointer: at.clone() }).collect::<Vec<_>>()
        };
        self.modifiers.iter().flat_map(of).collect()
    }
}

impl Modifier {
    fn read(value: &Value, pointer: String, bins: Option<usize>, reader: &mut Reader) -> Option<Modifier> {
        let mut fields = Fields::of(value, pointer.clone(), reader)?;
        let (name, kind) = (fields.optional_text("name"), fields.text("type"));
        let kind = ModifierKind::read(&kind?);
        if let ModifierKind::Unknown(unknown) = &kind {
            let at = fields.at("type");
            fields.reader.add(&rule::HS3_UNKNOWN_TYPE, &at, quote(unknown), "a known type of modifier");
            let (constraint, data) = (Constraint::default(), ModifierData::None);
            let modifier = Modifier {
                name,
                pointer,
                kind,
                parameter: None,
                parameters: vec![],
                data,
                constraint,
                interpolation: None,
            };
            return Some(modifier);
        }
        let parameter = fields.optional_text("parameter");
        let parameters = fields.optional_texts("parameters").unwrap_or_default();
        let constraint = Constraint::read(&mut fields);
        let outer = fields.child("interpolation").and_then(|(v, p, r)| Interpolation::read(v, p, r));
        let (data, inner) = ModifierData::read(&kind, &mut fields, bins)?;
        fields.finish();
        let interpolation = outer.or(inner);
        Some(Modifier { name, pointer, kind, parameter, parameters, data, constraint, interpolation })
    }
}

impl ModifierKind {
    fn read(kind: &str) -> ModifierKind {
        match kind {
            "normfactor" => ModifierKind::Normfactor,
            "normsys" | "overallsys" => ModifierKind::Normsys,
            "histosys" => ModifierKind::Histosys,
            "shapefactor" => ModifierKind::Shapefactor,
            "shapesys" => ModifierKind::Shapesys,
            "staterror" => ModifierKind::Staterror,
            "custom" => ModifierKind::Custom,
            unknown => ModifierKind::Unknown(unknown.to_string()),
        }
    }
}

impl Constraint {
    fn read(fields: &mut Fields) -> Constraint {
        let constraints = match fields.raw("constraints") {
            Some(Value::Array(items)) => items.iter().map(|item| item.as_str().map(str::to_string)).collect(),
            _ => Vec::new(),
        };
        Constraint {
            constraints,
            constraint: fields.optional_text("constraint"),
            constraint_name: fields.optional_text("constraint_name"),
            constraint_type: fields.optional_text("constraint_type"),
        }
    }
}

impl ModifierData {
    /// With the interpolation that pyhs3 writes inside.
    fn read(
        kind: &ModifierKind,
        outer: &mut Fields,
        bins: Option<usize>,
    ) -> Option<(ModifierData, Option<Interpolation>)> {
        let needed = matches!(kind, ModifierKind::Normsys | ModifierKind::Histosys);
        let Some((value, pointer, reader)) = outer.child("data").filter(|(value, ..)| !value.is_null()) else {
            if needed {
                let at = outer.pointer.clone();
                outer.reader.add(&rule::HS3_COMPONENT, &at, "no \"data\"", "an object with lo and hi");
                return None;
            }
            return Some((ModifierData::None, None));
        };
        let mut fields = Fields::of(value, pointer.clone(), reader)?;
        let interpolation = fields.optional_text("interpolation").map(Interpolation::InData);
        let data = match kind {
            ModifierKind::Normsys => {
                let (lo, hi) = (fields.number("lo"), fields.number("hi"));
                ModifierData::Normsys { lo: lo?, hi: hi? }
            }
            ModifierKind::Histosys => {
                let (lo, hi) = (fields.object("lo", HistoSide::read), fields.object("hi", HistoSide::read));
                ModifierData::Histosys { lo: lo?, hi: hi? }
            }
            _ if fields.has("vals") => ModifierData::Vals(fields.numbers("vals")?),
            _ if fields.has("uncertainties") => ModifierData::Uncertainties(fields.numbers("uncertainties")?),
            _ => ModifierData::None,
        };
        fields.finish();
        let lengths = match &data {
            ModifierData::Histosys { lo, hi } => vec![lo.contents.len(), hi.contents.len()],
            ModifierData::Vals(vals) | ModifierData::Uncertainties(vals) => vec![vals.len()],
            ModifierData::Normsys { .. } | ModifierData::None => vec![],
        };
        if let Some(bins) = bins
            && let Some(length) = lengths.into_iter().find(|length| *length != bins)
        {
            fields.reader.add(&rule::HS3_AXIS, &pointer, format!("{length} numbers"), format!("{bins}, one a bin"));
            return None;
        }
        Some((data, interpolation))
    }
}

impl HistoSide {
    fn read(value: &Value, pointer: String, reader: &mut Reader) -> Option<HistoSide> {
        let mut fields = Fields::of(value, pointer, reader)?;
        let contents = fields.numbers("contents");
        fields.finish();
        Some(HistoSide { contents: contents? })
    }
}

impl Interpolation {
    fn read(value: &Value, pointer: String, reader: &mut Reader) -> Option<Interpolation> {
        match value {
            Value::Null => None,
            Value::Number(number) if number.as_i64().is_some() => number.as_i64().map(Interpolation::Code),
            Value::String(word) => Some(Interpolation::Word(word.clone())),
            Value::Object(_) => StructInterpolation::read(value, pointer, reader).map(Interpolation::Struct),
            _ => {
                reader.add(&rule::HS3_COMPONENT, &pointer, describe(value), "an integer, a word or an object");
                None
            }
        }
    }
}

impl StructInterpolation {
    fn read(value: &Value, pointer: String, reader: &mut Reader) -> Option<StructInterpolation> {
        let mut fields = Fields::of(value, pointer, reader)?;
        let (kind, inner, outer) = (fields.text("type"), fields.text("in"), fields.optional_text("out"));
        fields.finish();
        Some(StructInterpolation { kind: kind?, inner: inner?, outer })
    }
}
