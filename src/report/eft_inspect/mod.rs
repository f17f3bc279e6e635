//! What the EFT extension of a workspace says before any fit.

pub mod events;
mod page;

use events::EventsEntry;

use super::number::{Number, numbers};
use super::reason::Reason;
use crate::document::eft::Eft;
use crate::infer::eft::decomposition::{Change, SampleResponse};
use crate::infer::eft::information::{Direction, Information, directions};
use crate::infer::eft::positivity::Smallest;
use crate::model::Model;
use crate::model::eft::morphing::{LargestWeight, Morphing};
use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Coefficients, responses, signs, information and the quality of what responses are made of. Matrices and lists of
/// coefficients have the order of `coefficients`, without those that are fixed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EftInspectReport {
    pub basis: BasisEntry,
    pub coefficients: Vec<CoefficientEntry>,
    /// One for each sample that is a histogram of events.
    pub events: Vec<EventsEntry>,
    pub information: InformationEntry,
    pub morphing: Vec<MorphingEntry>,
    pub notes: Vec<Reason>,
    /// The smallest expected yields that a search in the box of the coefficients found, the other parameters at the
    /// point.
    pub positivity: Vec<PositivityEntry>,
    pub responses: Vec<ResponseEntry>,
}

/// The theory in which the coefficients are meant.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct BasisEntry {
    #[serde(rename = "Lambda_TeV")]
    pub lambda_tev: Number,
    pub basis: String,
    pub eft: String,
    pub input_scheme: String,
    #[serde(rename = "scale_GeV", skip_serializing_if = "Option::is_none")]
    pub scale_gev: Option<Number>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CoefficientEntry {
    pub bounds: (Number, Number),
    pub dimension: u32,
    pub fixed: bool,
    pub init: Number,
    pub name: String,
    /// The coefficient of the WCxf basis, where named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wcxf: Option<String>,
}

/// A sample with a response.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ResponseEntry {
    pub channel: String,
    pub coefficients: Vec<ChangeEntry>,
    /// The modifiers that make the response.
    pub modifiers: Vec<ModifierEntry>,
    /// Different monomials of the coefficients, of all factors and parts together.
    pub monomials: usize,
    /// Highest order in 1/Λ² of these monomials.
    pub order: u32,
    pub sample: String,
    /// Yields where all coefficients are zero, one a bin.
    pub sm: Vec<Number>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ModifierEntry {
    /// Such as `eft_polynomial`.
    pub kind: String,
    /// `absolute` or `relative`.
    pub mode: String,
    pub name: String,
    /// `none`, or what ends the series.
    pub truncation: String,
}

/// Yields with one coefficient at −1 and +1 and the others at zero, one a bin.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ChangeEntry {
    /// At −1.
    pub down: Vec<Number>,
    /// Half the difference of the two, relative to the SM: for a quadratic response its linear term.
    pub linear: Vec<Number>,
    pub name: String,
    /// Half the sum of the two less the SM, relative to it: for a quadratic response its square term.
    pub quadratic: Vec<Number>,
    /// At +1.
    pub up: Vec<Number>,
}

/// The smallest yield of a bin of one channel or sample.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PositivityEntry {
    /// The coefficients where it is.
    pub at: BTreeMap<String, Number>,
    pub bin: usize,
    pub channel: String,
    /// Bins from which the search descended.
    pub descents: usize,
    pub negative: bool,
    /// Null for the sum of all samples.
    pub sample: Option<String>,
    /// The yield of this bin where all coefficients are zero.
    pub sm: Number,
    pub value: Number,
}

/// Fisher information of Asimov data on the coefficients.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct InformationEntry {
    pub channels: Vec<ChannelInformationEntry>,
    /// Eigenvectors of `fixed`, by ascending eigenvalue.
    pub directions_fixed: Vec<DirectionEntry>,
    pub directions_profiled: Vec<DirectionEntry>,
    /// The sum of all bins, measurements and unbinned terms, the other parameters known.
    pub fixed: Vec<Vec<Number>>,
    /// Of all measurements with Gaussian errors together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measurements: Option<Vec<Vec<Number>>>,
    /// The coefficients of the Asimov data.
    pub point: BTreeMap<String, Number>,
    /// The other parameters profiled, with the statistical uncertainty of simulated bins.
    pub profiled: Option<Vec<Vec<Number>>>,
    /// Of each unbinned term by name; null without reference events.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unbinned: BTreeMap<String, Option<Vec<Vec<Number>>>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ChannelInformationEntry {
    /// One a bin; null where the yield is not positive and moves.
    pub bins: Vec<Option<Vec<Vec<Number>>>>,
    pub channel: String,
    pub expected: Vec<Number>,
    pub sum: Vec<Vec<Number>>,
}

/// A combination of coefficients, of unit length.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DirectionEntry {
    pub components: BTreeMap<String, Number>,
    pub eigenvalue: Number,
}

/// A sample that is solved from templates at basis points.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MorphingEntry {
    pub basis_points: usize,
    pub channel: String,
    /// Of the matrix of monomials at basis points, its columns scaled to unit length.
    pub condition: Number,
    /// The largest weight of a basis point that a search in the box found.
    pub largest_weight: Number,
    pub largest_weight_at: BTreeMap<String, Number>,
    /// Counted from 0.
    pub largest_weight_of: usize,
    pub modifier: String,
    pub monomials: usize,
    pub sample: String,
}

/// What a sample's modifiers and polynomials are, in words and numbers.
#[derive(Clone, Debug, Default)]
pub struct ResponseFacts {
    pub modifiers: Vec<ModifierEntry>,
    pub monomials: usize,
    pub order: u32,
}

/// Names of what numbers stand for.
pub struct Context<'a> {
    pub eft: &'a Eft,
    pub model: &'a Model,
    /// Names of the coefficients that are free.
    pub names: &'a [String],
}

impl BasisEntry {
    pub fn new(eft: &Eft) -> BasisEntry {
        let basis = &eft.basis;
        BasisEntry {
            lambda_tev: Number(basis.lambda_tev),
            basis: basis.basis.clone(),
            eft: basis.eft.clone(),
            input_scheme: basis.input_scheme.clone(),
            scale_gev: basis.scale_gev.map(Number),
        }
    }
}

impl Context<'_> {
    fn channel(&self, channel: usize) -> String {
        self.model.channels.get(channel).map(|c| c.name.clone()).unwrap_or_default()
    }

    fn sample(&self, channel: usize, sample: usize) -> String {
        let samples = self.model.channels.get(channel).map(|c| &c.samples);
        samples.and_then(|samples| samples.get(sample)).map(|s| s.name.clone()).unwrap_or_default()
    }

    fn point(&self, values: &[f64]) -> BTreeMap<String, Number> {
        self.names.iter().cloned().zip(numbers(values)).collect()
    }

    pub fn coefficients(&self) -> Vec<CoefficientEntry> {
        let entry = |c: &crate::document::eft::WilsonCoefficient| CoefficientEntry {
            bounds: (Number(c.bounds[0]), Number(c.bounds[1])),
            dimension: c.dimension,
            fixed: !self.names.contains(&c.name),
            init: Number(c.init),
            name: c.name.clone(),
            wcxf: c.wcxf.clone(),
        };
        self.eft.wilson_coefficients.iter().map(entry).collect()
    }

    pub fn response(&self, response: &SampleResponse, facts: ResponseFacts) -> ResponseEntry {
        let relative = |part: &[f64]| part.iter().zip(&response.sm).map(|(x, sm)| Number(x / sm)).collect();
        let change = |(name, change): (&String, &Change)| ChangeEntry {
            down: numbers(&change.down),
            linear: relative(&change.linear),
            name: name.clone(),
            quadratic: relative(&change.quadratic),
            up: numbers(&change.up),
        };
        ResponseEntry {
            channel: self.channel(response.channel),
            coefficients: self.names.iter().zip(&response.changes).map(change).collect(),
            modifiers: facts.modifiers,
            monomials: facts.monomials,
            order: facts.order,
            sample: self.sample(response.channel, response.sample),
            sm: numbers(&response.sm),
        }
    }

    pub fn positivity(&self, smallest: &Smallest) -> PositivityEntry {
        PositivityEntry {
            at: self.point(&smallest.at),
            bin: smallest.bin,
            channel: self.channel(smallest.channel),
            descents: smallest.descents,
            negative: smallest.value < 0.0,
            sample: smallest.sample.map(|sample| self.sample(smallest.channel, sample)),
            sm: Number(smallest.sm),
            value: Number(smallest.value),
        }
    }

    pub fn information(&self, information: &Information, point: &[f64]) -> InformationEntry {
        let channels = self.model.channels.iter().zip(&information.channels);
        let direction = |direction: Direction| DirectionEntry {
            components: self.point(&direction.vector),
            eigenvalue: Number(direction.eigenvalue),
        };
        let of = |matrix: &DMatrix<f64>| directions(matrix).into_iter().map(direction).collect();
        InformationEntry {
            channels: channels
                .map(|(channel, own)| ChannelInformationEntry {
                    bins: own.bins.iter().map(|bin| bin.as_ref().map(matrix)).collect(),
                    channel: channel.name.clone(),
                    expected: numbers(&own.expected),
                    sum: matrix(&own.sum),
                })
                .collect(),
            directions_fixed: of(&information.fixed),
            directions_profiled: information.profiled.as_ref().map(of).unwrap_or_default(),
            fixed: matrix(&information.fixed),
            measurements: information.measurements.as_ref().map(matrix),
            point: self.point(point),
            profiled: information.profiled.as_ref().ok().map(matrix),
            unbinned: self
                .model
                .unbinned
                .iter()
                .map(|term| term.name.clone())
                .zip(information.unbinned.iter().map(|own| own.as_ref().map(matrix)))
                .collect(),
        }
    }
}

impl MorphingEntry {
    /// The morphing of a modifier, `place` being (channel, sample, modifier).
    pub fn new(place: [&str; 3], morphing: &Morphing, largest: &LargestWeight, parameters: &[String]) -> MorphingEntry {
        let [channel, sample, modifier] = place.map(str::to_owned);
        MorphingEntry {
            basis_points: morphing.weights.n_bins,
            channel,
            condition: Number(morphing.condition),
            largest_weight: Number(largest.value),
            largest_weight_at: parameters.iter().cloned().zip(numbers(&largest.at)).collect(),
            largest_weight_of: largest.basis_point,
            modifier,
            monomials: morphing.weights.monomials.len(),
            sample,
        }
    }
}

fn matrix(matrix: &DMatrix<f64>) -> Vec<Vec<Number>> {
    matrix.row_iter().map(|row| row.iter().copied().map(Number).collect()).collect()
}
