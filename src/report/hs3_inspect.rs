//! What an HS3 document contains: its components, and of each likelihood what a workspace shows of itself.

use super::inspect::constraint;
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::document::hs3::{Distribution, DistributionKind, Hs3Document, Likelihood, LikelihoodData};
use crate::finding::Findings;
use crate::model::{Model, PenaltyKind};
use crate::translate::from_hs3::{Conventions, ShapesysValues};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Contents of an HS3 document.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Hs3InspectReport {
    pub analyses: Vec<AnalysisEntry>,
    /// Number of components by type, of `data`, `distributions` and `functions`.
    pub components: BTreeMap<String, BTreeMap<String, usize>>,
    pub conventions: ConventionsEntry,
    /// Whose conventions count: `hs3`, `root-VERSION`, `pyhs3` or `hs3.jl`.
    pub dialect: String,
    pub hs3_version: String,
    pub likelihoods: Vec<LikelihoodEntry>,
    /// Name and version of the programs that had a part in the document.
    pub packages: Vec<(String, String)>,
}

/// What a likelihood is used for.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AnalysisEntry {
    pub domains: Vec<String>,
    /// The parameter point to start from.
    pub init: Option<String>,
    pub likelihood: String,
    pub name: String,
    pub parameters_of_interest: Vec<String>,
}

/// Conventions of spec/hs3-histfactory.md, table 1.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ConventionsEntry {
    pub channel_offset: bool,
    pub clip_templates: bool,
    /// The dialect is that of ROOT.
    pub root_compat: bool,
    pub root_densities: bool,
    /// `absolute`, `relative` or `tau`.
    pub shapesys_values: String,
    pub truncate_constraints: bool,
    pub widths_from_ranges: bool,
}

/// One likelihood.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LikelihoodEntry {
    pub aux_distributions: Vec<String>,
    /// Name and number of bins of the channels, sorted by name.
    pub channels: Vec<(String, usize)>,
    /// Distributions with their data.
    pub distributions: Vec<PairEntry>,
    /// Type by modifier name; of a name with several types the last in alphabetical order.
    pub modifiers: BTreeMap<String, String>,
    pub name: String,
    /// Name and constraint: `unconstrained`, `constrained_by_normal`, `constrained_by_poisson` or
    /// `constrained_by_density`; sorted by name. Null where the likelihood has no model.
    pub parameters: Option<Vec<(String, String)>>,
    /// Why there is no model.
    pub reasons: Findings,
    /// Sorted.
    pub samples: Vec<String>,
    /// Name, constraint, types of the modifiers that the parameter drives. Null where the likelihood has no model.
    pub systematics: Option<Vec<(String, String, Vec<String>)>>,
}

/// A distribution of a likelihood with its data.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PairEntry {
    /// The name of the data, or the value of the only variate.
    pub data: String,
    pub distribution: String,
    /// The number of bins, or of events.
    pub entries: Option<usize>,
    /// Of the distribution; nothing where it is not there.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

impl Hs3InspectReport {
    /// The report of a document; `likelihoods` pairs each likelihood to be shown with its model, or with what is wrong.
    pub fn new<'d>(
        document: &Hs3Document,
        conventions: &Conventions,
        likelihoods: impl IntoIterator<Item = (&'d Likelihood, Result<Model, Findings>)>,
    ) -> Hs3InspectReport {
        let count = |types: Vec<&str>| {
            let mut counts = BTreeMap::new();
            types.into_iter().for_each(|kind| *counts.entry(kind.to_owned()).or_default() += 1);
            counts
        };
        let components = [
            ("data", count(document.data.iter().map(|d| d.kind.type_name()).collect())),
            ("distributions", count(document.distributions.iter().map(|d| d.kind.type_name()).collect())),
            ("functions", count(document.functions.iter().map(|f| f.kind.type_name()).collect())),
        ];
        let analyses = document.analyses.iter().map(|analysis| AnalysisEntry {
            domains: analysis.domains.clone(),
            init: analysis.init.clone(),
            likelihood: analysis.likelihood.clone(),
            name: analysis.name.clone(),
            parameters_of_interest: analysis.parameters_of_interest.clone(),
        });
        let packages = document.metadata.packages.iter();
        Hs3InspectReport {
            analyses: analyses.collect(),
            components: components.into_iter().map(|(what, counts)| (what.to_owned(), counts)).collect(),
            conventions: ConventionsEntry::new(conventions),
            dialect: document.dialect.to_string(),
            hs3_version: document.metadata.hs3_version.clone(),
            likelihoods: likelihoods.into_iter().map(|(l, model)| LikelihoodEntry::new(document, l, model)).collect(),
            packages: packages.map(|package| (package.name.clone(), package.version.clone())).collect(),
        }
    }

    /// Components, analyses and likelihoods as tables.
    pub fn page(&self) -> Page {
        let packages = self.packages.iter().map(|(name, version)| format!("{name} {version}").trim().to_owned());
        let packages: Vec<String> = packages.collect();
        Page::new()
            .remark("HS3", text::escape(&self.hs3_version))
            .remark("packages", text::list(&packages, 8))
            .remark("dialect", &self.dialect)
            .remark("conventions", self.conventions.words())
            .table(self.component_table())
            .table(self.analysis_table())
            .table(self.pair_table())
            .table(self.channel_table())
            .table(self.sample_table())
            .table(self.parameter_table())
            .table(self.reason_table())
    }

    fn component_table(&self) -> Table {
        let mut table = Table::new("components", [Column::left("kind"), Column::left("type"), Column::right("number")]);
        for (kind, counts) in &self.components {
            for (name, number) in counts {
                table.add_row([Cell::text(kind), Cell::name(name), Cell::count(*number)]);
            }
        }
        table
    }

    fn analysis_table(&self) -> Table {
        let columns = ["analysis", "likelihood", "parameters of interest", "start"].map(Column::left);
        let mut table = Table::new("analyses", columns);
        for analysis in &self.analyses {
            let pois = Cell::name(&analysis.parameters_of_interest.join(","));
            let init = Cell::name(analysis.init.as_deref().unwrap_or_default());
            table.add_row([Cell::name(&analysis.name), Cell::name(&analysis.likelihood), pois, init]);
        }
        table
    }

    fn pair_table(&self) -> Table {
        let columns = ["likelihood", "distribution", "type", "data"].map(Column::left);
        let mut table = Table::new("likelihoods", columns.into_iter().chain([Column::right("entries")]));
        for likelihood in &self.likelihoods {
            for pair in &likelihood.distributions {
                table.add_row([
                    Cell::name(&likelihood.name),
                    Cell::name(&pair.distribution),
                    Cell::name(pair.kind.as_deref().unwrap_or("missing")),
                    Cell::name(&pair.data),
                    pair.entries.map_or_else(Cell::empty, Cell::count),
                ]);
            }
            for name in &likelihood.aux_distributions {
                let cells = [Cell::name(&likelihood.name), Cell::name(name), Cell::text("auxiliary")];
                table.add_row(cells.into_iter().chain([Cell::empty(), Cell::empty()]));
            }
        }
        table
    }

    fn channel_table(&self) -> Table {
        let columns = [Column::left("likelihood"), Column::left("channel"), Column::right("bins")];
        let mut table = Table::new("channels", columns);
        for likelihood in &self.likelihoods {
            for (name, bins) in &likelihood.channels {
                table.add_row([Cell::name(&likelihood.name), Cell::name(name), Cell::count(*bins)]);
            }
        }
        table
    }

    fn sample_table(&self) -> Table {
        let mut table = Table::new("samples", ["likelihood", "sample"].map(Column::left));
        for likelihood in &self.likelihoods {
            for name in &likelihood.samples {
                table.add_row([Cell::name(&likelihood.name), Cell::name(name)]);
            }
        }
        table
    }

    fn parameter_table(&self) -> Table {
        let columns = ["likelihood", "parameter", "constraint", "modifiers"].map(Column::left);
        let mut table = Table::new("parameters", columns);
        for likelihood in &self.likelihoods {
            for (name, constraint, types) in likelihood.systematics.iter().flatten() {
                let cells = [Cell::name(&likelihood.name), Cell::name(name), Cell::text(constraint)];
                table.add_row(cells.into_iter().chain([Cell::text(types.join(","))]));
            }
        }
        table
    }

    fn reason_table(&self) -> Table {
        let columns = ["likelihood", "rule", "pointer", "found", "expected"].map(Column::left);
        let mut table = Table::new("without a model", columns);
        for likelihood in &self.likelihoods {
            for finding in &likelihood.reasons.0 {
                table.add_row([
                    Cell::name(&likelihood.name),
                    Cell::text(finding.rule.to_string()),
                    Cell::name(finding.pointer.as_deref().unwrap_or_default()),
                    Cell::name(&finding.found),
                    Cell::name(&finding.expected),
                ]);
            }
        }
        table
    }
}

impl ConventionsEntry {
    fn new(conventions: &Conventions) -> ConventionsEntry {
        let shapesys_values = match conventions.shapesys_values {
            ShapesysValues::Absolute => "absolute",
            ShapesysValues::Relative => "relative",
            ShapesysValues::Tau => "tau",
        };
        ConventionsEntry {
            channel_offset: conventions.channel_offset,
            clip_templates: conventions.clip_templates,
            root_compat: conventions.dialect.root_compat(),
            root_densities: conventions.root_densities,
            shapesys_values: shapesys_values.to_owned(),
            truncate_constraints: conventions.truncate_constraints,
            widths_from_ranges: conventions.widths_from_ranges,
        }
    }

    /// As `--convention` takes them.
    fn words(&self) -> String {
        let flags = [
            ("clip_templates", self.clip_templates),
            ("truncate_constraints", self.truncate_constraints),
            ("channel_offset", self.channel_offset),
            ("widths_from_ranges", self.widths_from_ranges),
            ("root_densities", self.root_densities),
        ];
        let flags = flags.map(|(name, value)| format!("{name}={}", if value { "yes" } else { "no" }));
        format!("{},shapesys_values={}", flags.join(","), self.shapesys_values)
    }
}

impl LikelihoodEntry {
    fn new(document: &Hs3Document, likelihood: &Likelihood, model: Result<Model, Findings>) -> LikelihoodEntry {
        let (model, reasons) = match model {
            Ok(model) => (Some(model), Findings::default()),
            Err(findings) => (None, findings),
        };
        let channels = channels(document, likelihood);
        let of_samples = || channels.iter().filter_map(|d| histfactory(d)).flat_map(|channel| &channel.samples);
        let samples: BTreeSet<&str> = of_samples().map(|sample| sample.name.as_str()).collect();
        let modifiers = || of_samples().flat_map(|sample| &sample.modifiers);
        let names: BTreeSet<(&str, &str)> =
            modifiers().filter_map(|modifier| Some((modifier.name.as_deref()?, modifier.kind.type_name()))).collect();
        let bins = |d: &Distribution| {
            let sample = histfactory(d).and_then(|channel| channel.samples.first());
            (d.name.clone(), sample.map_or(0, |sample| sample.data.contents.len()))
        };
        let mut channels_and_bins: Vec<(String, usize)> = channels.iter().map(|d| bins(d)).collect();
        channels_and_bins.sort();
        let constraints = model.as_ref().map(constraints);
        let types = driven(&channels);
        let types_of = |name: &str| types.get(name).into_iter().flatten().map(|kind| kind.to_string()).collect();
        let systematics = constraints
            .as_ref()
            .map(|all| all.iter().map(|(name, kind)| (name.clone(), kind.clone(), types_of(name))).collect());
        LikelihoodEntry {
            aux_distributions: likelihood.aux_distributions.clone(),
            channels: channels_and_bins,
            distributions: pairs(document, likelihood),
            modifiers: names.into_iter().map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect(),
            name: likelihood.name.clone(),
            parameters: constraints,
            reasons,
            samples: samples.into_iter().map(str::to_owned).collect(),
            systematics,
        }
    }
}

/// The types of the modifiers that each parameter drives, where the parameter is written.
fn driven<'d>(channels: &[&'d Distribution]) -> BTreeMap<&'d str, BTreeSet<&'d str>> {
    let mut types: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let samples = channels.iter().filter_map(|d| histfactory(d)).flat_map(|channel| &channel.samples);
    for modifier in samples.flat_map(|sample| &sample.modifiers) {
        for name in modifier.parameter.iter().chain(&modifier.parameters) {
            types.entry(name).or_default().insert(modifier.kind.type_name());
        }
    }
    types
}

/// The distributions of a likelihood that are channels, alone or as factors of products.
fn channels<'d>(document: &'d Hs3Document, likelihood: &Likelihood) -> Vec<&'d Distribution> {
    let mut stack: Vec<&str> = likelihood.distributions.iter().map(String::as_str).collect();
    let (mut seen, mut channels) = (BTreeSet::new(), Vec::new());
    while let Some(name) = stack.pop() {
        let Some(distribution) = document.distribution(name).filter(|_| seen.insert(name.to_owned())) else { continue };
        match &distribution.kind {
            DistributionKind::Product { factors, .. } => stack.extend(factors.iter().map(String::as_str)),
            DistributionKind::HistFactory(_) => channels.push(distribution),
            _ => {}
        }
    }
    channels
}

fn histfactory(distribution: &Distribution) -> Option<&crate::document::hs3::Channel> {
    match &distribution.kind {
        DistributionKind::HistFactory(channel) => Some(channel),
        _ => None,
    }
}

fn pairs(document: &Hs3Document, likelihood: &Likelihood) -> Vec<PairEntry> {
    let pair = |(name, data): (&String, &LikelihoodData)| {
        let (data, entries) = match data {
            LikelihoodData::Value(value) => (value.to_string(), None),
            LikelihoodData::Name(name) => (name.clone(), document.data(name).and_then(|data| data.n_entries())),
        };
        let kind = document.distribution(name).map(|d| d.kind.type_name().to_owned());
        PairEntry { data, distribution: name.clone(), entries, kind }
    };
    likelihood.distributions.iter().zip(&likelihood.data).map(pair).collect()
}

/// Names of the parameters with their constraints, sorted.
fn constraints(model: &Model) -> Vec<(String, String)> {
    let mut first = 0;
    let mut all: Vec<(String, String)> = Vec::with_capacity(model.parameters.len());
    for set in &model.parameters {
        let own = first..first + set.len();
        first = own.end;
        let is_density = |kind: &PenaltyKind| matches!(kind, PenaltyKind::Logarithmic { .. });
        let mut penalties = model.penalties.iter().filter(|p| own.contains(&p.parameter));
        let kind = match &set.constraints {
            None if penalties.any(|penalty| is_density(&penalty.kind)) => "constrained_by_density",
            constraints => constraint(constraints.as_deref()),
        };
        all.push((set.name.clone(), kind.to_owned()));
    }
    all.sort();
    all
}
