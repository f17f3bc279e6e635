//! What an import gives: Wilson coefficients and the modifiers of samples, ready for a workspace.

use super::number::{Number, numbers};
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::document::eft::{GaussianMeasurement, MorphComponents, PolynomialSource, TransformStep, WilsonCoefficient};
use crate::document::workspace::Modifier;
use crate::finding::Findings;
use crate::import::Import;
use schemars::JsonSchema;
use serde::Serialize;

/// Parts of a workspace, made of a foreign file.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ImportReport {
    /// For the block `eft`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaussian_measurements: Vec<GaussianMeasurement>,
    /// For the block `eft`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameter_transform: Vec<TransformStep>,
    pub responses: Vec<ImportedModifier>,
    /// What the file holds and these parts do not.
    pub warnings: Findings,
    /// For the block `eft`.
    pub wilson_coefficients: Vec<WilsonCoefficient>,
}

/// The response of one sample.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ImportedModifier {
    /// As the file names it; null where it does not.
    pub channel: Option<String>,
    pub modifier: Modifier,
    /// The yields that the response replaces, one a bin; null for factors on the yields of the sample.
    pub nominal: Option<Vec<Number>>,
    /// As the file names it; null where it does not.
    pub sample: Option<String>,
}

impl ImportReport {
    pub fn new(import: Import) -> ImportReport {
        let responses = import.responses.into_iter().map(|response| ImportedModifier {
            modifier: response.modifier(&response.name),
            nominal: response.nominal.as_deref().map(numbers),
            channel: response.channel,
            sample: response.sample,
        });
        ImportReport {
            gaussian_measurements: import.measurements,
            parameter_transform: import.transform,
            responses: responses.collect(),
            warnings: import.warnings,
            wilson_coefficients: import.wilson_coefficients,
        }
    }

    /// A table of coefficients and one of responses.
    pub fn page(&self, file: &str) -> Page {
        let titles = [Column::left("coefficient"), Column::right("start"), Column::right("low"), Column::right("high")];
        let mut coefficients = Table::new("coefficients", titles);
        for coefficient in &self.wilson_coefficients {
            let [low, high] = coefficient.bounds;
            let numbers = [coefficient.init, low, high].map(|x| Cell::number(x, 8));
            coefficients.add_row([Cell::name(&coefficient.name)].into_iter().chain(numbers));
        }
        let titles = ["response", "type", "channel", "sample"].map(Column::left);
        let titles = titles.into_iter().chain(["monomials", "bins"].map(Column::right));
        let mut responses = Table::new("responses", titles);
        for response in &self.responses {
            let name = |name: &Option<String>| name.as_deref().map_or_else(Cell::empty, Cell::name);
            responses.add_row([
                Cell::name(response.modifier.name()),
                Cell::text(response.modifier.kind()),
                name(&response.channel),
                name(&response.sample),
                monomials(&response.modifier).map_or_else(Cell::empty, Cell::count),
                response.nominal.as_ref().map_or_else(Cell::empty, |nominal| Cell::count(nominal.len())),
            ]);
        }
        let page = Page::new().remark("file", text::escape(file)).table(coefficients);
        // Global fits have measurements in the place of responses.
        if self.gaussian_measurements.is_empty() { page.table(responses) } else { page.table(self.measured()) }
    }
}

impl ImportReport {
    fn measured(&self) -> Table {
        let titles = [Column::left("measurement")];
        let titles = titles.into_iter().chain(["points", "systematics"].map(Column::right));
        let mut table = Table::new("measurements", titles);
        for measurement in &self.gaussian_measurements {
            let counts = [measurement.data.len(), measurement.systematics.len()].map(Cell::count);
            table.add_row([Cell::name(&measurement.name)].into_iter().chain(counts));
        }
        table
    }
}

/// Where a response lists them.
fn monomials(modifier: &Modifier) -> Option<usize> {
    match modifier {
        Modifier::EftPolynomial { data, .. } => match data.as_ref() {
            PolynomialSource::Inline(data) => Some(data.monomials.len()),
            PolynomialSource::Named(_) => None,
        },
        Modifier::EftMap { data, .. } => Some(data.monomials.len()),
        Modifier::EftMorph { data, .. } => match &data.components {
            MorphComponents::Monomials(list) => Some(list.monomials.len()),
            MorphComponents::Vertices(_) => None,
        },
        _ => None,
    }
}
