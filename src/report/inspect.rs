//! What a workspace contains, with the keys and the text of pyhf's `inspect`.

use super::number::{Number, numbers};
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::document::workspace::Workspace;
use crate::model::{Constraint, Model};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Contents of a workspace; tuples as pyhf writes them.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct InspectReport {
    /// Name and number of bins, sorted by name.
    pub channels: Vec<(String, usize)>,
    /// Name, POI, configured parameters, in the file's order.
    pub measurements: Vec<(String, String, Vec<String>)>,
    /// Type by modifier name; of a name with several types the last in alphabetical order, as in pyhf.
    pub modifiers: BTreeMap<String, String>,
    /// Name and constraint: `unconstrained`, `constrained_by_normal` or `constrained_by_poisson`; sorted by name.
    pub parameters: Vec<(String, String)>,
    /// Sorted.
    pub samples: Vec<String>,
    /// Name, constraint, types of the modifiers of that name.
    pub systematics: Vec<(String, String, Vec<String>)>,
    /// Parameters whose constraints are correlated, by group; pyhf knows none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub correlations: Vec<Vec<String>>,
}

impl InspectReport {
    /// The report of a workspace and of the model of its chosen measurement.
    pub fn new(workspace: &Workspace, model: &Model) -> InspectReport {
        let channels: BTreeMap<&str, usize> = workspace
            .channels
            .iter()
            .map(|c| (c.name.as_str(), c.samples.first().map_or(0, |s| s.data.len())))
            .collect();
        let samples: BTreeSet<&str> =
            workspace.channels.iter().flat_map(|c| &c.samples).map(|s| s.name.as_str()).collect();
        let types: BTreeSet<(&str, &str)> = workspace
            .channels
            .iter()
            .flat_map(|c| &c.samples)
            .flat_map(|s| &s.modifiers)
            .map(|m| (m.name(), m.kind()))
            .collect();
        let parameters: BTreeMap<&str, &str> =
            model.parameters.iter().map(|p| (p.name.as_str(), constraint(p.constraints.as_deref()))).collect();
        let groups = workspace.correlations.iter().flat_map(|correlations| &correlations.groups);
        let types_of = |name: &str| types.iter().filter(|t| t.0 == name).map(|t| t.1.to_owned()).collect();
        InspectReport {
            channels: channels.into_iter().map(|(name, bins)| (name.to_owned(), bins)).collect(),
            measurements: workspace.measurements.iter().map(measurement).collect(),
            modifiers: types.iter().map(|(name, kind)| (name.to_string(), kind.to_string())).collect(),
            systematics: parameters.iter().map(|(n, c)| (n.to_string(), c.to_string(), types_of(n))).collect(),
            parameters: parameters.iter().map(|(n, c)| (n.to_string(), c.to_string())).collect(),
            samples: samples.into_iter().map(str::to_owned).collect(),
            correlations: groups.map(|group| group.parameters.clone()).collect(),
        }
    }

    /// Channels, samples, parameters and measurements as tables; for a terminal pyhf's text.
    pub fn page(&self, chosen: &str) -> Page {
        let mut channels = Table::new("channels", [Column::left("channel"), Column::right("bins")]);
        for (name, bins) in &self.channels {
            channels.add_row([Cell::name(name), Cell::count(*bins)]);
        }
        let mut samples = Table::new("samples", [Column::left("sample")]);
        for name in &self.samples {
            samples.add_row([Cell::name(name)]);
        }
        let columns = [Column::left("parameter"), Column::left("constraint"), Column::left("modifiers")];
        let mut parameters = Table::new("parameters", columns);
        for (name, constraint, types) in &self.systematics {
            parameters.add_row([Cell::name(name), Cell::text(constraint), Cell::text(types.join(","))]);
        }
        let columns = [Column::left("measurement"), Column::left("POI"), Column::left("configured")];
        let mut measurements = Table::new("measurements", columns);
        for (name, poi, configured) in &self.measurements {
            measurements.add_row([Cell::name(name), Cell::name(poi), Cell::name(&configured.join(","))]);
        }
        let page = Page::new().remark("measurement", text::label(chosen));
        page.table(channels).table(samples).table(parameters).table(measurements).shown_as(self.text(chosen))
    }

    /// pyhf's text; `(*)` marks the measurement `chosen`.
    fn text(&self, chosen: &str) -> String {
        let channels: Vec<_> = self.channels.iter().map(|(n, b)| (text::label(n), b)).collect();
        let samples: Vec<_> = self.samples.iter().map(|n| text::label(n)).collect();
        let systematics: Vec<_> = self.systematics.iter().map(|(n, c, t)| (text::label(n), c, t.join(","))).collect();
        let measurements: Vec<_> = self.measurements.iter().map(|m| (text::label(&m.0), m)).collect();
        let names = channels.iter().map(|c| &c.0).chain(&samples).chain(systematics.iter().map(|s| &s.0));
        let names = names.chain(measurements.iter().map(|m| &m.0));
        let width = names.map(|n| n.chars().count()).max().unwrap_or(0);
        let rule = "-".repeat(10);

        let mut out = format!("{:>w$}  \n{:>w$}  \n", "     Summary     ", "-".repeat(18), w = width + 7);
        let counts = [
            ("channels", self.channels.len()),
            ("samples", self.samples.len()),
            ("parameters", self.parameters.len()),
            ("modifiers", self.modifiers.len()),
        ];
        for (what, count) in counts {
            out.push_str(&format!("{what:>width$}  {count}\n"));
        }
        out.push_str(&format!("\n{:>width$}  nbins\n{rule:>width$}  -----\n", "channels"));
        for (name, bins) in channels {
            out.push_str(&format!("{name:>width$}  {bins:^5}\n"));
        }
        out.push_str(&format!("\n{:>width$}\n{rule:>width$}\n", "samples"));
        for name in samples {
            out.push_str(&format!("{name:>width$}\n"));
        }
        out.push_str(&format!("\n{:>width$}  {:<22}  modifiers\n", "parameters", "constraint"));
        out.push_str(&format!("{rule:>width$}  {rule:<22}  {rule}\n"));
        for (name, constraint, types) in systematics {
            out.push_str(&format!("{name:>width$}  {constraint:<22}  {types}\n"));
        }
        out.push_str(&format!("\n{:>width$}  {:^22}  parameters\n", "measurement", "poi"));
        out.push_str(&format!("{rule:>width$}  {rule:^22}  {rule}\n"));
        for (label, (name, poi, parameters)) in measurements {
            let label = if name == chosen { format!("(*) {label}") } else { label };
            let configured = parameters.iter().map(|p| text::label(p)).collect::<Vec<_>>().join(",");
            let configured = if configured.is_empty() { "(none)" } else { &configured };
            out.push_str(&format!("{label:>width$}  {:^22}  {configured}\n", text::label(poi)));
        }
        for group in &self.correlations {
            let names: Vec<_> = group.iter().map(|name| text::label(name)).collect();
            out.push_str(&format!("\n{:>width$}  {}\n", "correlated", names.join(",")));
        }
        out.push('\n');
        out
    }
}

/// The model of one measurement, in the terms of pyhf's `Model.config`. Vectors are in fit order.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ModelReport {
    pub auxdata: Vec<Number>,
    /// Names of the constrained parameters, in the order of their auxiliary data, then `mc_stat_CHANNEL` for each channel
    /// whose bins have a profiled statistical uncertainty.
    pub auxdata_order: Vec<String>,
    /// Name and number of bins, in the order of the main data.
    pub channels: Vec<(String, usize)>,
    pub measurement: String,
    /// Names of the scalar parameters.
    pub par_names: Vec<String>,
    /// Name of the parameter of interest, without the index of a set of one value.
    pub poi: Option<String>,
    pub suggested_bounds: Vec<(Number, Number)>,
    pub suggested_fixed: Vec<bool>,
    pub suggested_init: Vec<Number>,
}

/// The set whose only value is the parameter of interest.
fn poi_set(model: &Model, names: &[String]) -> Option<String> {
    let name = names.get(model.poi?)?;
    model.parameters.iter().find(|set| set.len() == 1 && set.scalar_names().contains(name)).map(|set| set.name.clone())
}

impl ModelReport {
    pub fn new(measurement: &str, model: &Model) -> ModelReport {
        let names = model.parameter_names();
        let statistics = model.uncertain_channels().into_iter().map(|(name, _)| name);
        let constrained = model.parameters.iter().filter(|p| p.constraints.is_some());
        ModelReport {
            auxdata: numbers(&model.auxdata()),
            auxdata_order: constrained.map(|p| p.name.clone()).chain(statistics).collect(),
            channels: model.channels.iter().map(|c| (c.name.clone(), c.n_bins)).collect(),
            measurement: measurement.to_owned(),
            poi: poi_set(model, &names),
            suggested_bounds: model.bounds().iter().map(|(lo, hi)| (Number(*lo), Number(*hi))).collect(),
            suggested_fixed: model.fixed(),
            suggested_init: numbers(&model.init()),
            par_names: names,
        }
    }

    /// One line a scalar parameter.
    pub fn page(&self) -> Page {
        let columns = [Column::left("parameter"), Column::right("start"), Column::left("bounds")];
        let mut table = Table::new("", columns.into_iter().chain([Column::left("").key("remark")]));
        let values = self.suggested_init.iter().zip(&self.suggested_bounds).zip(&self.suggested_fixed);
        for (name, ((init, (lo, hi)), fixed)) in self.par_names.iter().zip(values) {
            let is_poi = self.poi.as_ref().is_some_and(|poi| poi == name || format!("{poi}[0]") == *name);
            let mark = match (is_poi, fixed) {
                (true, true) => "POI, fixed",
                (true, false) => "POI",
                (false, true) => "fixed",
                (false, false) => "",
            };
            let cells = [Cell::name(name), Cell::number(init.0, 6), Cell::interval((lo.0, hi.0)), Cell::text(mark)];
            table.add_row(cells);
        }
        Page::new().remark("measurement", text::label(&self.measurement)).table(table)
    }
}

fn measurement(m: &crate::document::workspace::Measurement) -> (String, String, Vec<String>) {
    (m.name.clone(), m.config.poi.clone(), m.config.parameters.iter().map(|p| p.name.clone()).collect())
}

/// The kind of the constraints of a parameter set, as pyhf calls it.
pub(super) fn constraint(constraints: Option<&[Constraint]>) -> &'static str {
    match constraints.and_then(<[Constraint]>::first) {
        None => "unconstrained",
        Some(Constraint::Gaussian { .. }) => "constrained_by_normal",
        Some(Constraint::Poisson { .. }) => "constrained_by_poisson",
    }
}
