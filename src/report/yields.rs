//! Yields with their uncertainties: JSON and tables.

use super::blind::Blinding;
use super::number::{Number, numbers, significant, with_uncertainty};
use super::reason::Reason;
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::infer::prediction::{ChannelPrediction, Prediction, SamplePrediction, Yield};
use crate::model::{Channel, Data, Model};
use schemars::JsonSchema;
use serde::Serialize;

/// Predicted yields by channel, sample and bin.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct YieldsReport {
    #[serde(flatten)]
    pub blinding: Blinding,
    pub channels: Vec<ChannelYields>,
    pub notes: Vec<Reason>,
    /// Before a fit, with the widths of the constraints.
    pub prefit: bool,
    /// Why the fit is not valid; null for a valid fit, or without one.
    pub reason: Option<Reason>,
    pub valid: bool,
}

/// One channel. Lists have one entry a bin.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ChannelYields {
    /// Number of bins.
    pub bins: usize,
    /// Observed counts; null for a blinded channel.
    pub data: Option<Vec<Number>>,
    pub name: String,
    pub samples: Vec<SampleYields>,
    /// Total of all bins.
    pub sum: Number,
    pub sum_uncertainty: Number,
    pub total: Vec<Number>,
    pub total_uncertainties: Vec<Number>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SampleYields {
    pub name: String,
    /// Yield of all bins.
    pub sum: Number,
    pub sum_uncertainty: Number,
    pub uncertainties: Vec<Number>,
    pub yields: Vec<Number>,
}

impl YieldsReport {
    /// `model` and `data` hold all channels, the blinded ones too.
    pub fn new(model: &Model, data: &Data, prediction: &Prediction, blinding: Blinding) -> YieldsReport {
        let mut rest = data.main.as_slice();
        let mut channels = Vec::new();
        for (channel, predicted) in model.channels.iter().zip(&prediction.channels) {
            let (own, others) = rest.split_at(channel.n_bins.min(rest.len()));
            let blinded = blinding.blinded_channels.contains(&channel.name);
            channels.push(ChannelYields::new(channel, predicted, (!blinded).then(|| numbers(own))));
            rest = others;
        }
        YieldsReport { notes: blinding.notes(), blinding, channels, prefit: true, reason: None, valid: true }
    }

    /// One table of channels, one of bins: samples, their sum, and the data.
    pub fn page(&self, file: &str, measurement: &str) -> Page {
        let kind = if self.prefit { "pre-fit" } else { "post-fit" };
        let mut page = Page::new()
            .remark("file", text::escape(file))
            .remark("measurement", text::label(measurement))
            .remark("yields", kind);
        if let Some(reason) = &self.reason {
            page = page.remark("NOT VALID", reason.message.clone());
        }
        for note in &self.notes {
            page = page.remark("note", note.message.clone());
        }
        page.table(self.table("channels", false)).table(self.table("bins", true))
    }

    fn table(&self, title: &str, by_bin: bool) -> Table {
        let mut columns = vec![Column::left("channel")];
        columns.extend(by_bin.then(|| Column::right("bin")));
        columns.extend([Column::left("sample"), Column::right("yield"), Column::left("± σ").key("uncertainty")]);
        let mut table = Table::new(title, columns);
        for channel in &self.channels {
            for bin in 0..if by_bin { channel.bins } else { 1 } {
                for (name, value, sigma) in channel.lines(by_bin.then_some(bin)) {
                    let mut cells = vec![Cell::name(&channel.name)];
                    cells.extend(by_bin.then(|| Cell::count(bin)));
                    cells.push(Cell::name(&name));
                    cells.extend(cells_of(value, sigma));
                    table.add_row(cells);
                }
            }
        }
        table
    }
}

fn cells_of(value: Option<f64>, sigma: Option<f64>) -> [Cell; 2] {
    let Some(value) = value else { return [Cell::text("blinded"), Cell::empty()] };
    let Some(sigma) = sigma else { return [Cell::number(value, 8), Cell::empty()] };
    let (shown, shown_sigma) = with_uncertainty(value, Some(sigma));
    let shown_sigma = if shown_sigma.is_empty() { significant(sigma, 2) } else { shown_sigma };
    [Cell::number_as(value, shown), Cell::number_as(sigma, format!("± {shown_sigma}"))]
}

impl ChannelYields {
    fn new(channel: &Channel, predicted: &ChannelPrediction, data: Option<Vec<Number>>) -> ChannelYields {
        let samples = channel.samples.iter().zip(&predicted.samples);
        ChannelYields {
            bins: channel.n_bins,
            data,
            name: channel.name.clone(),
            samples: samples.map(|(sample, predicted)| SampleYields::new(&sample.name, predicted)).collect(),
            sum: Number(predicted.sum.value),
            sum_uncertainty: Number(predicted.sum.uncertainty),
            total: values(&predicted.total),
            total_uncertainties: uncertainties(&predicted.total),
        }
    }

    /// (name, value, uncertainty) of the samples, the total and the data in one bin, or in all together.
    fn lines(&self, bin: Option<usize>) -> Vec<(String, Option<f64>, Option<f64>)> {
        let pick = |list: &[Number], sum: Number| bin.map_or(Some(sum.0), |bin| list.get(bin).map(|number| number.0));
        let mut lines: Vec<_> = self
            .samples
            .iter()
            .map(|s| (s.name.clone(), pick(&s.yields, s.sum), pick(&s.uncertainties, s.sum_uncertainty)))
            .collect();
        let total = (pick(&self.total, self.sum), pick(&self.total_uncertainties, self.sum_uncertainty));
        lines.push(("total".to_owned(), total.0, total.1));
        let data = self.data.as_deref();
        let counts = data.and_then(|data| pick(data, Number(data.iter().map(|n| n.0).sum())));
        lines.push(("data".to_owned(), counts, None));
        lines
    }
}

impl SampleYields {
    fn new(name: &str, predicted: &SamplePrediction) -> SampleYields {
        SampleYields {
            name: name.to_owned(),
            sum: Number(predicted.sum.value),
            sum_uncertainty: Number(predicted.sum.uncertainty),
            uncertainties: uncertainties(&predicted.bins),
            yields: values(&predicted.bins),
        }
    }
}

fn values(yields: &[Yield]) -> Vec<Number> {
    yields.iter().map(|y| Number(y.value)).collect()
}

fn uncertainties(yields: &[Yield]) -> Vec<Number> {
    yields.iter().map(|y| Number(y.uncertainty)).collect()
}
