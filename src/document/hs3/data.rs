//! Data and their axes. What an axis claims is compared with what is there before anything of that size is made.

use super::analysis::bound;
use super::fields::{Fields, Reader};
use crate::finding::quote;
use crate::rule;
use serde_json::Value;

/// A variate, its range and its bins.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    pub name: String,
    /// Infinite where nothing is written.
    pub min: f64,
    pub max: f64,
    pub binning: Binning,
    /// Of a variate that counts categories.
    pub categories: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Binning {
    None,
    /// Bins of one width.
    Regular(usize),
    /// One more than bins, rising.
    Edges(Vec<f64>),
}

/// One set of data.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    pub name: String,
    pub pointer: String,
    pub axes: Vec<Axis>,
    pub kind: DataKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum DataKind {
    /// One value.
    Point { value: f64, uncertainty: Option<f64> },
    /// Events, each with a number for each axis: all of the first event, then of the second.
    Unbinned { entries: Vec<f64>, weights: Option<Vec<f64>>, entries_uncertainties: Option<Vec<f64>> },
    /// Bins in C order: the last axis runs fastest.
    Binned(Contents),
    /// A type that no reader knows.
    Unknown { kind: String },
}

/// Contents of bins with their uncertainties.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    pub contents: Vec<f64>,
    /// One a bin; of samples, and of data that ROOT writes.
    pub errors: Option<Vec<f64>>,
    pub uncertainty: Option<GaussianUncertainty>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct GaussianUncertainty {
    pub sigma: Vec<f64>,
    /// `None` for uncorrelated bins.
    pub correlation: Option<Vec<Vec<f64>>>,
}

impl Data {
    /// The number of bins or events; nothing for a type that is not known.
    pub fn n_entries(&self) -> Option<usize> {
        match &self.kind {
            DataKind::Point { .. } => Some(1),
            DataKind::Unbinned { entries, .. } => Some(entries.len() / self.axes.len().max(1)),
            DataKind::Binned(contents) => Some(contents.contents.len()),
            DataKind::Unknown { .. } => None,
        }
    }
}

impl Axis {
    pub(super) fn read(value: &Value, pointer: String, reader: &mut Reader) -> Option<Axis> {
        let mut fields = Fields::of(value, pointer.clone(), reader)?;
        let name = fields.text("name");
        let (min, max) = (fields.optional_number("min"), fields.optional_number("max"));
        let nbins = fields.optional_integer("nbins");
        let edges = fields.optional_numbers("edges");
        let categories = fields.optional_texts("categories").unwrap_or_default();
        fields.raw("value");
        fields.raw("const");
        fields.finish();
        let wrong = |fields: &mut Fields, found: String, expected: &str| {
            fields.reader.add(&rule::HS3_AXIS, &pointer, found, expected);
            None
        };
        if let Some(edges) = edges {
            let rising = edges.len() >= 2 && edges.windows(2).all(|pair| pair[0] < pair[1]);
            let (Some(&low), Some(&high), true) = (edges.first(), edges.last(), rising) else {
                return wrong(&mut fields, format!("{} edges", edges.len()), "at least two edges that rise");
            };
            if min.is_some_and(|min| min != low) || max.is_some_and(|max| max != high) {
                return wrong(&mut fields, "min or max beside edges".to_string(), "the first and the last edge");
            }
            let axis = Axis { name: name?, min: low, max: high, binning: Binning::Edges(edges), categories };
            return Some(axis);
        }
        let (min, max) = (bound(min, f64::NEG_INFINITY), bound(max, f64::INFINITY));
        let binning = match nbins {
            None => Binning::None,
            Some(bins) if bins >= 1 && usize::try_from(bins).is_ok() => Binning::Regular(bins as usize),
            Some(bins) => return wrong(&mut fields, format!("{bins} bins"), "at least one bin"),
        };
        if min >= max && categories.is_empty() {
            return wrong(&mut fields, format!("min {min} and max {max}"), "min below max");
        }
        Some(Axis { name: name?, min, max, binning, categories })
    }

    /// How many bins the axis claims.
    pub fn bins(&self) -> Option<usize> {
        match &self.binning {
            Binning::None if !self.categories.is_empty() => Some(self.categories.len()),
            Binning::None => None,
            Binning::Regular(bins) => Some(*bins),
            Binning::Edges(edges) => Some(edges.len() - 1),
        }
    }

    /// The edges of the bins; the caller has compared their number with something that is there.
    pub fn edges(&self) -> Vec<f64> {
        match &self.binning {
            Binning::None => Vec::new(),
            Binning::Regular(bins) => {
                let width = (self.max - self.min) / *bins as f64;
                let edge = |i| if i == *bins { self.max } else { self.min + i as f64 * width };
                (0..=*bins).map(edge).collect()
            }
            Binning::Edges(edges) => edges.clone(),
        }
    }
}

/// The number of bins that axes claim; nothing if one has no bins or there are more than any memory holds.
pub(super) fn claimed_bins(axes: &[Axis]) -> Option<usize> {
    axes.iter().try_fold(1usize, |product, axis| product.checked_mul(axis.bins()?))
}

/// Says so if the axes claim another number of bins than there are. HS3.jl writes single axes without bins.
pub(super) fn check_bins(axes: &[Axis], found: usize, pointer: &str, reader: &mut Reader) -> bool {
    match claimed_bins(axes) {
        Some(bins) if bins == found => true,
        None if matches!(axes, [axis] if axis.binning == Binning::None) => {
            reader.lenient(&rule::HS3_NO_BINS, pointer, "an axis without bins", format!("nbins, here {found}"));
            true
        }
        claimed => {
            let expected = match claimed {
                Some(bins) => format!("{bins}, the bins that the axes claim"),
                None => "axes with nbins or edges".to_string(),
            };
            reader.add(&rule::HS3_AXIS, pointer, format!("{found} contents"), expected);
            false
        }
    }
}

/// Gives a single axis with a range and without bins as many as there are numbers, as W418 has told.
pub(super) fn fill_bins(axes: &mut [Axis], found: usize) {
    if let [axis] = axes
        && axis.bins().is_none()
        && found > 0
        && axis.min.is_finite()
        && axis.max.is_finite()
    {
        axis.binning = Binning::Regular(found);
    }
}

impl Contents {
    /// `contents` and `errors` of an object; other members are left to the caller.
    pub(super) fn read(fields: &mut Fields) -> Option<Contents> {
        let contents = fields.numbers("contents")?;
        let errors = fields.optional_numbers("errors");
        let uncertainty = fields.child("uncertainty").and_then(|(v, p, r)| GaussianUncertainty::read(v, p, r));
        for (name, length) in
            [("errors", errors.as_ref().map(Vec::len)), ("uncertainty", uncertainty.as_ref().map(|u| u.sigma.len()))]
        {
            if length.is_some_and(|length| length != contents.len()) {
                let (at, found) = (fields.at(name), format!("{} numbers", length.unwrap_or(0)));
                fields.reader.add(&rule::HS3_AXIS, &at, found, format!("{}, one a bin", contents.len()));
                return None;
            }
        }
        Some(Contents { contents, errors, uncertainty })
    }
}

impl GaussianUncertainty {
    fn read(value: &Value, pointer: String, reader: &mut Reader) -> Option<GaussianUncertainty> {
        let mut fields = Fields::of(value, pointer, reader)?;
        fields.raw("type");
        let sigma = fields.numbers("sigma");
        let zero = matches!(fields.raw("correlation"), None | Some(Value::Number(_) | Value::Null));
        let correlation = if zero { None } else { Some(fields.matrix("correlation")?) };
        fields.finish();
        Some(GaussianUncertainty { sigma: sigma?, correlation })
    }
}

impl Data {
    pub(super) fn read(value: &Value, pointer: String, reader: &mut Reader) -> Option<Data> {
        let mut fields = Fields::of(value, pointer.clone(), reader)?;
        let (name, kind) = (fields.text("name"), fields.text("type"));
        let mut axes = fields.components("axes", Axis::read);
        let count = fields.raw("axes").and_then(Value::as_array).map_or(0, Vec::len);
        let kind = match kind?.as_str() {
            "point" => {
                let uncertainty = fields.optional_number("uncertainty");
                DataKind::Point { value: fields.number("value")?, uncertainty }
            }
            "unbinned" => read_unbinned(&mut fields, axes.len())?,
            "binned" => {
                let contents = Contents::read(&mut fields)?;
                if axes.len() != count || !check_bins(&axes, contents.contents.len(), &pointer, fields.reader) {
                    return None;
                }
                fill_bins(&mut axes, contents.contents.len());
                DataKind::Binned(contents)
            }
            unknown => {
                let at = fields.at("type");
                fields.reader.lenient(&rule::HS3_UNKNOWN_TYPE, &at, quote(unknown), "point, unbinned or binned");
                let kind = DataKind::Unknown { kind: unknown.to_string() };
                return Some(Data { name: name?, pointer, axes, kind });
            }
        };
        fields.finish();
        Some(Data { name: name?, pointer, axes, kind })
    }
}

fn read_unbinned(fields: &mut Fields, axes: usize) -> Option<DataKind> {
    let entries = flat_entries(fields, "entries", axes)?;
    let events = entries.len() / axes.max(1);
    let weights = fields.optional_numbers("weights");
    if let Some(weights) = &weights
        && weights.len() != events
    {
        // HS3.jl's examples have fewer weights than events; which event lacks one, nothing says.
        let (at, found) = (fields.at("weights"), format!("{} weights", weights.len()));
        fields.reader.lenient(&rule::HS3_WEIGHTS, &at, found, format!("{events}, one an event"));
    }
    let uncertainties = if fields.has("entries_uncertainties") {
        Some(flat_entries(fields, "entries_uncertainties", axes)?)
    } else {
        None
    };
    let entries_uncertainties = uncertainties;
    let weights = weights.map(|mut weights| {
        weights.resize(events, 1.0);
        weights
    });
    Some(DataKind::Unbinned { entries, weights, entries_uncertainties })
}

/// Rows of numbers, one for each axis, as one list.
fn flat_entries(fields: &mut Fields, key: &'static str, axes: usize) -> Option<Vec<f64>> {
    let pointer = fields.at(key);
    let Some(Value::Array(rows)) = fields.raw(key) else {
        let at = fields.pointer.clone();
        fields.reader.add(
            &rule::HS3_COMPONENT,
            &at,
            format!("no array {}", quote(key)),
            "an array with an entry an event",
        );
        return None;
    };
    let mut entries = Vec::with_capacity(rows.len().saturating_mul(axes.max(1)));
    for (i, row) in rows.iter().enumerate() {
        let read = match row {
            Value::Array(items) if items.len() == axes => items.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>(),
            _ => None,
        };
        match read {
            Some(numbers) => entries.extend(numbers),
            None => {
                let (at, found) = (format!("{pointer}/{i}"), crate::finding::describe(row));
                fields.reader.add(&rule::HS3_AXIS, &at, found, format!("{axes} numbers, one an axis"));
                return None;
            }
        }
    }
    Some(entries)
}
