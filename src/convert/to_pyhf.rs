//! [`Content`] → pyhf workspace (spec/hs3-convert.md, section 5).

use super::bins::{Kind, Sets};
use super::content::{Analysis, Channel, Content, Effect, Modifier, Parameter, Sample, Setting};
use super::words;
use crate::document::workspace::{
    self, HistosysData, Measurement, MeasurementConfig, NormsysData, Observation, ParameterConfig, Workspace,
};
use crate::finding::{Finding, Findings, Result, quote};
use crate::model::{Constraint, HistosysCode, Model, NormsysCode, ParameterSet};
use crate::rule;
use crate::translate::from_pyhf::{self, ModelOptions};
use std::collections::{HashMap, HashSet};

/// A workspace of the same likelihood.
///
/// # Errors
/// What makes a workspace unsound.
pub fn to_pyhf(content: &Content, losses: &mut Findings) -> Result<Workspace> {
    let sets = Sets::new(content, losses);
    let parameters = content.parameters.iter().map(|p| (p.name.as_str(), p)).collect();
    let lumi = lumi(content);
    if let Some(name) = lumi.filter(|name| *name != "lumi") {
        losses.push(Finding::new(&rule::CONVERT_RENAMED, quote(name), "the name \"lumi\", which pyhf asks for"));
    }
    let mut writer = Writer { content, parameters, sets, lumi, losses };
    let channels = content.channels.iter().map(|channel| writer.channel(channel)).collect();
    let observation = |c: &Channel| Observation { name: c.name.clone(), data: c.observed.clone() };
    let observations = content.channels.iter().map(observation).collect();
    let measurements = content.analyses.iter().map(|analysis| writer.measurement(analysis)).collect();
    let version = "1.0.0".to_owned();
    let mut workspace = Workspace { channels, correlations: None, eft: None, measurements, observations, version };
    for (index, analysis) in content.analyses.iter().enumerate() {
        let options = ModelOptions { measurement: Some(analysis.name.clone()), ..ModelOptions::default() };
        let model = from_pyhf::model(&workspace, &options)?;
        let configs = writer.configs(analysis, &model);
        if let Some(measurement) = workspace.measurements.get_mut(index) {
            let mut all = std::mem::take(&mut measurement.config.parameters);
            all.retain(|own| configs.iter().all(|other| other.name != own.name));
            all.extend(configs);
            measurement.config.parameters = all;
        }
    }
    writer.unused();
    Ok(workspace)
}

/// The parameter that becomes pyhf's lumi: the only factor of whole samples with a Gaussian constraint.
fn lumi(content: &Content) -> Option<&str> {
    let constrained: HashSet<&str> =
        content.parameters.iter().filter(|p| p.constraint.is_some()).map(|p| p.name.as_str()).collect();
    let modifiers = content.channels.iter().flat_map(|c| &c.samples).flat_map(|s| &s.modifiers);
    let factors = modifiers.filter_map(|modifier| match &modifier.effect {
        Effect::Normfactor { parameter } if constrained.contains(parameter.as_str()) => Some(parameter.as_str()),
        _ => None,
    });
    let factors: HashSet<&str> = factors.collect();
    let mut factors = factors.into_iter();
    factors.next().filter(|_| factors.next().is_none())
}

struct Writer<'c, 'l> {
    content: &'c Content,
    parameters: HashMap<&'c str, &'c Parameter>,
    sets: Sets<'c>,
    lumi: Option<&'c str>,
    losses: &'l mut Findings,
}

impl<'c> Writer<'c, '_> {
    fn channel(&mut self, channel: &'c Channel) -> workspace::Channel {
        let plain = channel.axes.is_empty()
            || matches!(channel.axes.as_slice(), [axis] if axis.min == Some(0.0) && axis.max == axis.nbins.map(|n| n as f64));
        if !plain {
            let found = format!("the binning of {}", quote(&channel.name));
            let finding = Finding::new(&rule::CONVERT_DROPPED, found, "bins without edges, as pyhf has them");
            self.losses.push(finding.at(channel.pointer.clone()));
        }
        let sample = |sample: &'c Sample| {
            let modifiers = sample.modifiers.iter().filter_map(|m| self.modifier(channel, sample, m)).collect();
            workspace::Sample { name: sample.name.clone(), data: sample.contents.clone(), modifiers }
        };
        workspace::Channel { name: channel.name.clone(), samples: channel.samples.iter().map(sample).collect() }
    }

    fn modifier(
        &mut self,
        channel: &'c Channel,
        sample: &'c Sample,
        modifier: &'c Modifier,
    ) -> Option<workspace::Modifier> {
        let unknown = |driver: &&String| !self.parameters.contains_key(driver.as_str());
        if let Some(function) = modifier.effect.drivers().iter().find(unknown) {
            let found = format!("{} that drives {}", quote(function), quote(&modifier.name));
            self.lose(modifier, found, "a parameter: pyhf has no functions");
            return None;
        }
        Some(match &modifier.effect {
            Effect::Normfactor { parameter } => self.factor(modifier, parameter)?,
            Effect::Normsys { parameter, lo, hi, code } => {
                if *code != NormsysCode::Code4 {
                    let found = format!(
                        "interpolation {} of the normsys {}",
                        words::normsys_code(*code),
                        quote(&modifier.name)
                    );
                    self.lose(modifier, found, "code 4: a workspace has no codes, they are chosen when it is used");
                }
                self.check_alpha(modifier, parameter);
                workspace::Modifier::Normsys { name: parameter.clone(), data: NormsysData { lo: *lo, hi: *hi } }
            }
            Effect::Histosys { parameter, lo, hi, code } => {
                if *code != HistosysCode::Code4p {
                    let found = format!(
                        "interpolation {} of the histosys {}",
                        words::histosys_code(*code),
                        quote(&modifier.name)
                    );
                    self.lose(modifier, found, "code 4p: a workspace has no codes, they are chosen when it is used");
                }
                self.check_alpha(modifier, parameter);
                let data = HistosysData { lo_data: lo.clone(), hi_data: hi.clone() };
                workspace::Modifier::Histosys { name: parameter.clone(), data }
            }
            Effect::Shapefactor { parameters } | Effect::Shapesys { parameters } | Effect::Staterror { parameters } => {
                let (kind, name) = self.sets.of(parameters)?;
                match kind {
                    Kind::Shapefactor => workspace::Modifier::Shapefactor { name, data: () },
                    Kind::Shapesys => {
                        let data = self.sets.shapesys(sample, parameters, &self.parameters);
                        workspace::Modifier::Shapesys { name, data }
                    }
                    Kind::Staterror => {
                        let data = self.sets.staterror(channel, sample, parameters, &self.parameters);
                        workspace::Modifier::Staterror { name, data }
                    }
                }
            }
            Effect::Custom => {
                self.lose(modifier, format!("the custom modifier {}", quote(&modifier.name)), "one of pyhf's types");
                return None;
            }
        })
    }

    /// A free factor, or the luminosity.
    fn factor(&mut self, modifier: &Modifier, parameter: &str) -> Option<workspace::Modifier> {
        let constraint = self.parameters.get(parameter).and_then(|p| p.constraint);
        match constraint {
            None => Some(workspace::Modifier::Normfactor { name: parameter.to_owned(), data: () }),
            Some(Constraint::Gaussian { .. }) if self.lumi == Some(parameter) => {
                Some(workspace::Modifier::Lumi { name: "lumi".to_owned(), data: () })
            }
            Some(_) => {
                let found = format!("the constraint of the normfactor {}", quote(parameter));
                self.lose(modifier, found, "none, or a Gaussian one of a single parameter, which becomes lumi");
                Some(workspace::Modifier::Normfactor { name: parameter.to_owned(), data: () })
            }
        }
    }

    fn check_alpha(&mut self, modifier: &Modifier, parameter: &str) {
        let constraint = self.parameters.get(parameter).and_then(|p| p.constraint);
        if !matches!(constraint, Some(Constraint::Gaussian { sigma: 1.0, .. })) {
            let found = format!("{} of {}", words::constraint(constraint), quote(parameter));
            let expected = "a Gaussian of width 1, which every normsys and histosys has in pyhf";
            self.lose(modifier, found, expected);
        }
    }

    /// The measurement with what lumi needs.
    fn measurement(&mut self, analysis: &Analysis) -> Measurement {
        let poi = analysis.parameters_of_interest.first().cloned().unwrap_or_default();
        let poi =
            if Some(poi.as_str()) == self.lumi { "lumi".to_owned() } else { self.sets.name_of(&poi).unwrap_or(poi) };
        for other in analysis.parameters_of_interest.iter().skip(1) {
            let found = format!("{} as a further parameter of interest of {}", quote(other), quote(&analysis.name));
            self.losses.push(Finding::new(&rule::CONVERT_DROPPED, found, "one: the first"));
        }
        let config = self.lumi.and_then(|name| {
            let (setting, constraint) = self.wanted(analysis, name)?;
            let Some(Constraint::Gaussian { auxdata, sigma }) = constraint else { return None };
            Some(ParameterConfig {
                name: "lumi".to_owned(),
                inits: Some(vec![setting.value]),
                bounds: Some(vec![vec![setting.bounds.0, setting.bounds.1]]),
                auxdata: Some(vec![auxdata]),
                sigmas: Some(vec![sigma]),
                ..ParameterConfig::default()
            })
        });
        let config = MeasurementConfig { poi, parameters: config.into_iter().collect() };
        Measurement { name: analysis.name.clone(), config }
    }

    /// The setting and the constraint of a parameter in an analysis.
    fn wanted(&self, analysis: &Analysis, name: &str) -> Option<(Setting, Option<Constraint>)> {
        let index = self.content.parameters.iter().position(|p| p.name == name)?;
        let parameter = self.content.parameters.get(index)?;
        let setting = analysis.settings.get(index).copied().unwrap_or(parameter.setting);
        let before = self.content.parameters.iter().take(index).filter(|p| p.constraint.is_some()).count();
        let own = analysis.auxiliary.get(before).copied();
        let constraint = parameter.constraint.map(|constraint| own.map_or(constraint, |a| constraint.with_auxdata(a)));
        Some((setting, constraint))
    }

    /// What a measurement has to say of sets whose defaults are others.
    fn configs(&mut self, analysis: &Analysis, model: &Model) -> Vec<ParameterConfig> {
        let mut configs = Vec::new();
        for set in &model.parameters {
            let names = match (set.name.as_str(), self.lumi) {
                ("lumi", Some(name)) => vec![name.to_owned()],
                (name, _) if set.scalar => vec![name.to_owned()],
                (name, _) => self.sets.values(name),
            };
            let wanted: Vec<_> = names.iter().filter_map(|name| self.wanted(analysis, name)).collect();
            if wanted.len() == set.len() {
                configs.extend(self.config(set, &wanted));
            }
        }
        configs
    }

    fn config(&mut self, set: &ParameterSet, wanted: &[(Setting, Option<Constraint>)]) -> Option<ParameterConfig> {
        let mut config = ParameterConfig { name: set.name.clone(), ..ParameterConfig::default() };
        let inits: Vec<f64> = wanted.iter().map(|(setting, _)| setting.value).collect();
        let bounds: Vec<(f64, f64)> = wanted.iter().map(|(setting, _)| finite(setting.bounds)).collect();
        let fixed: Vec<bool> = wanted.iter().map(|(setting, _)| setting.constant).collect();
        let is_lumi = set.name == "lumi" && self.lumi.is_some();
        config.inits = (is_lumi || inits != set.init).then_some(inits);
        if is_lumi || bounds != set.bounds {
            config.bounds = Some(bounds.iter().map(|(low, high)| vec![*low, *high]).collect());
        }
        if wanted.iter().any(|(setting, _)| finite(setting.bounds) != setting.bounds) {
            let found = format!("an infinite range of {}", quote(&set.name));
            self.losses.push(Finding::new(&rule::CONVERT_DROPPED, found, format!("a finite one: ±{FAR}")));
        }
        if fixed != set.fixed {
            let all = fixed.first().copied().unwrap_or(false);
            if fixed.iter().all(|one| *one == all) {
                config.fixed = Some(all);
            } else {
                let found = format!("{} held in some of its bins", quote(&set.name));
                let expected = "all of them held or none: pyhf holds whole sets";
                self.losses.push(Finding::new(&rule::CONVERT_LOST, found, expected));
            }
        }
        self.constraints(set, wanted, is_lumi, &mut config);
        let empty = ParameterConfig { name: set.name.clone(), ..ParameterConfig::default() };
        (config != empty).then_some(config)
    }

    /// Auxiliary data and widths, where the modifiers' data give others.
    fn constraints(
        &mut self,
        set: &ParameterSet,
        wanted: &[(Setting, Option<Constraint>)],
        is_lumi: bool,
        config: &mut ParameterConfig,
    ) {
        let own: Vec<Constraint> = set.constraints.clone().unwrap_or_default();
        // A bin without a constraint is one whose constant pyhf keeps.
        let wanted: Vec<Constraint> =
            wanted.iter().enumerate().filter_map(|(i, (_, c))| c.or(own.get(i).copied())).collect();
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-14 * a.abs().max(b.abs());
        let auxdata = |all: &[Constraint]| all.iter().map(Constraint::auxdata).collect::<Vec<f64>>();
        let width = |c: &Constraint| match *c {
            Constraint::Gaussian { sigma, .. } => sigma,
            Constraint::Poisson { factor, .. } => factor,
        };
        let widths = |all: &[Constraint]| all.iter().map(width).collect::<Vec<f64>>();
        let differ = |a: &[f64], b: &[f64]| a.len() == b.len() && a.iter().zip(b).any(|(a, b)| !close(*a, *b));
        if is_lumi || differ(&auxdata(&wanted), &auxdata(&own)) {
            config.auxdata = Some(auxdata(&wanted));
        }
        if is_lumi || differ(&widths(&wanted), &widths(&own)) {
            match own.first() {
                Some(Constraint::Gaussian { .. }) => config.sigmas = Some(widths(&wanted)),
                Some(Constraint::Poisson { .. }) => config.factors = Some(widths(&wanted)),
                None => {}
            }
        }
        // Those of normsys and histosys are told of with their modifiers.
        if set.scalar && !is_lumi {
            (config.sigmas, config.factors) = (None, None);
        }
    }

    /// Constraints of parameters that no modifier uses.
    fn unused(&mut self) {
        let modifiers = self.content.channels.iter().flat_map(|c| &c.samples).flat_map(|s| &s.modifiers);
        let used: HashSet<&str> = modifiers.flat_map(|m| m.effect.drivers()).map(String::as_str).collect();
        for parameter in self.content.parameters.iter().filter(|p| !used.contains(p.name.as_str())) {
            let found = format!("{}, which no modifier uses", quote(&parameter.name));
            self.losses.push(Finding::new(&rule::CONVERT_LOST, found, "a parameter of a modifier"));
        }
    }

    fn lose(&mut self, modifier: &Modifier, found: impl Into<String>, expected: impl Into<String>) {
        self.losses.push(Finding::new(&rule::CONVERT_LOST, found, expected).at(modifier.pointer.clone()));
    }
}

/// What stands for infinity where numbers are finite.
const FAR: f64 = 1e10;

fn finite((low, high): (f64, f64)) -> (f64, f64) {
    (low.max(-FAR), high.min(FAR))
}
