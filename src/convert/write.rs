//! [`Content`] → an HS3 document for one reader (spec/hs3-convert.md, section 2).

use super::content::{Analysis, Channel, Content, Effect, Modifier, Parameter, Setting};
use super::file::{self, Axis, Distribution, Domain, File, Function, Point, PointParameter, Slot};
use super::form::{Form, Forms, Place};
use super::names::Names;
use super::spelling::Speller;
use super::target::Target;
use super::words;
use crate::finding::{Finding, Findings, quote};
use crate::model::Constraint;
use crate::rule;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Writes a document; what the target does not read, and names that change, go to `losses`.
pub fn write(content: &Content, target: Target, losses: &mut Findings) -> File {
    if (target == Target::Root640) != content.clips {
        super::clip::check(content, losses);
    }
    let mut names = Names::new(target);
    for name in content.parameters.iter().map(|p| &p.name).chain(content.functions.iter().map(|f| &f.name)) {
        let written = names.define(name);
        if written != *name {
            renamed(losses, "the parameter", name, &written);
        }
    }
    let regions = content.channels.iter().map(|channel| Region::new(channel, &mut names, losses)).collect();
    let forms = Forms::new(content, target);
    let ties = content.parameters.iter().filter_map(|p| Tie::new(p, &forms, &mut names));
    let ties = ties.map(|tie| (tie.parameter.name.as_str(), tie)).collect();
    let order = content.parameters.iter().filter(|p| p.constraint.is_some()).map(|p| p.name.as_str()).collect();
    Writer { content, target, names, regions, forms, ties, order }.file(losses)
}

/// The names of one channel's parts.
struct Region<'c> {
    channel: &'c Channel,
    label: String,
    distribution: String,
    axes: Vec<Axis>,
}

/// A constraint, with the names of what it consists of.
struct Tie<'c> {
    parameter: &'c Parameter,
    constraint: Constraint,
    place: Place,
    name: String,
    observable: String,
    /// The product of the parameter with τ.
    mean: String,
}

struct Writer<'c> {
    content: &'c Content,
    target: Target,
    names: Names,
    regions: Vec<Region<'c>>,
    forms: Forms<'c>,
    ties: HashMap<&'c str, Tie<'c>>,
    /// Parameters with constraints, in order.
    order: Vec<&'c str>,
}

impl<'c> Region<'c> {
    fn new(channel: &'c Channel, names: &mut Names, losses: &mut Findings) -> Region<'c> {
        let distribution = names.unique(&format!("model_{}", channel.name));
        let label = distribution.strip_prefix("model_").unwrap_or(&distribution).to_owned();
        if label != channel.name {
            renamed(losses, "the channel", &channel.name, &label);
        }
        let mut axes = channel.axes.clone();
        if axes.is_empty() {
            axes.push(Axis::unit_bins(format!("obs_x_{label}"), channel.observed.len()));
        }
        for axis in &mut axes {
            let written = names.unique(&axis.name);
            if !channel.axes.is_empty() && written != axis.name {
                renamed(losses, "the variate", &axis.name, &written);
            }
            axis.name = written;
        }
        Region { channel, label, distribution, axes }
    }

    fn data(&self) -> String {
        format!("obsData_{}", self.label)
    }
}

impl<'c> Tie<'c> {
    fn new(parameter: &'c Parameter, forms: &Forms, names: &mut Names) -> Option<Tie<'c>> {
        let constraint = parameter.constraint?;
        let own = names.of(&parameter.name);
        Some(Tie {
            parameter,
            constraint,
            place: forms.place(&parameter.name),
            name: names.unique(&format!("{own}_constraint")),
            observable: names.unique(&format!("nom_{own}")),
            mean: names.unique(&format!("{own}_poisMean")),
        })
    }
}

impl Writer<'_> {
    fn file(mut self, losses: &mut Findings) -> File {
        let functions = self.content.functions.iter();
        let mut functions: Vec<Function> = functions.map(|f| f.renamed(|name| self.names.of(name))).collect();
        let mut distributions = self.channels(losses);
        for tie in self.ties().filter(|tie| tie.place != Place::Native) {
            distributions.push(self.constraint(tie, &mut functions));
        }
        let analyses = self.analyses(losses);
        let mut file = File {
            metadata: self.metadata(),
            distributions,
            functions,
            data: self
                .regions
                .iter()
                .map(|r| file::Data::binned(r.data(), r.axes.clone(), r.channel.observed.clone()))
                .collect(),
            likelihoods: vec![self.likelihood()],
            domains: self.domains(&analyses),
            parameter_points: self.points(&analyses),
            misc: self.misc(&analyses),
            analyses: analyses.iter().map(|analysis| self.analysis(analysis)).collect(),
        };
        match self.target {
            Target::Canonical => {}
            Target::Root640 => super::root::adapt(&mut file, |wanted| self.names.unique(wanted), losses),
            Target::Pyhs3 => {
                self.shifted(losses);
                super::pyhs3::adapt(&mut file, losses);
            }
        }
        file
    }

    /// pyhs3 makes the constraints of normsys and histosys itself, at zero: auxiliary data of an analysis that are elsewhere
    /// have no place. Those that all analyses have are told with the modifiers.
    fn shifted(&self, losses: &mut Findings) {
        for analysis in &self.content.analyses {
            for (tie, auxdata) in self.ties().zip(&analysis.auxiliary) {
                if tie.place == Place::Native && *auxdata != tie.constraint.auxdata() {
                    let own = tie.constraint.with_auxdata(*auxdata);
                    let found = format!(
                        "{} on {} in the analysis {}",
                        words::constraint(Some(own)),
                        quote(&tie.parameter.name),
                        quote(&analysis.name)
                    );
                    let expected = "N(0 | α, 1), the constraint of every normsys and histosys in pyhs3";
                    losses.push(Finding::new(&rule::CONVERT_LOST, found, expected));
                }
            }
        }
    }

    fn ties(&self) -> impl Iterator<Item = &Tie<'_>> {
        self.order.iter().filter_map(|name| self.ties.get(name))
    }

    fn metadata(&self) -> file::Metadata {
        let own = file::Package { name: "morphist".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
        let of_target = self.target.package();
        let of_target = of_target.map(|(name, version)| file::Package { name: name.into(), version: version.into() });
        let packages = std::iter::once(own).chain(of_target).collect();
        let rest = self.content.metadata.clone();
        file::Metadata { hs3_version: self.target.hs3_version().to_owned(), packages, rest }
    }

    fn channels(&self, losses: &mut Findings) -> Vec<Distribution> {
        let constraint_name = |parameter: &str| self.ties.get(parameter).map(|tie| tie.name.clone());
        let (target, names, forms) = (self.target, &self.names, &self.forms);
        let mut speller = Speller { target, names, forms, constraint_name: &constraint_name, losses };
        let channel = |region: &Region| {
            let (mut samples, mut staterror) = (Vec::with_capacity(region.channel.samples.len()), false);
            for sample in &region.channel.samples {
                let spell = |modifier| speller.modifier(region.channel, modifier);
                let modifiers: Vec<_> = sample.modifiers.iter().map(spell).collect();
                staterror |= modifiers.iter().any(|m| m.kind == "staterror");
                let errors = sample.errors.clone();
                let data = file::Contents { contents: sample.contents.clone(), errors };
                samples.push(file::Sample { name: sample.name.clone(), data, modifiers });
            }
            let mut written = file::Channel::new(region.distribution.clone(), region.axes.clone(), samples);
            if let Some(kind) =
                forms.native_staterror(region.channel).filter(|_| staterror && target == Target::Root640)
            {
                let bins = forms.bins_without_width(region.channel);
                if bins > 0 {
                    let found = format!("{bins} bins of {} without width", quote(&region.channel.name));
                    let expected = "a constraint N(1 | 1, 1) in each, ½ ln 2π of −ln L: ROOT has none";
                    let finding = Finding::new(&rule::CONVERT_CONSTANT, found, expected);
                    speller.losses.push(finding.at(region.channel.pointer.clone()));
                }
                written.staterror = Some(file::Staterror { constraint_type: kind, rel_threshold: 0.0 });
            }
            Distribution::Channel(written)
        };
        self.regions.iter().map(channel).collect()
    }

    fn constraint(&self, tie: &Tie, functions: &mut Vec<Function>) -> Distribution {
        let parameter = self.names.of(&tie.parameter.name);
        match tie.constraint {
            // ROOT has the parameter as the variate; the two are symmetric.
            Constraint::Gaussian { sigma, .. } if self.target == Target::Root640 => {
                Distribution::gaussian(tie.name.clone(), parameter, tie.observable.clone(), sigma)
            }
            Constraint::Gaussian { sigma, .. } => {
                Distribution::gaussian(tie.name.clone(), tie.observable.clone(), parameter, sigma)
            }
            Constraint::Poisson { factor: 1.0, .. } => self.poisson(tie, parameter),
            Constraint::Poisson { factor, .. } => {
                functions.push(Function::product(tie.mean.clone(), vec![parameter.into(), Slot::Number(factor)]));
                self.poisson(tie, tie.mean.clone())
            }
        }
    }

    /// ROOT reads none without `integer`.
    fn poisson(&self, tie: &Tie, mean: String) -> Distribution {
        let integer = (self.target == Target::Root640).then_some(false);
        Distribution::poisson(tie.name.clone(), tie.observable.clone(), mean, integer)
    }

    fn likelihood_name(&self) -> &'static str {
        match self.target {
            // What its exporter writes, to which the entries in misc belong.
            Target::Root640 => "simPdf_obsData",
            Target::Canonical | Target::Pyhs3 => "likelihood",
        }
    }

    fn likelihood(&self) -> file::Likelihood {
        let auxiliary = self.ties().filter(|tie| tie.place == Place::Auxiliary);
        file::Likelihood {
            name: self.likelihood_name().to_owned(),
            distributions: self.regions.iter().map(|region| region.distribution.clone()).collect(),
            data: self.regions.iter().map(Region::data).collect(),
            aux_distributions: auxiliary.map(|tie| tie.name.clone()).collect(),
        }
    }

    /// ROOT keeps one set of ranges and values: analyses with others are left out.
    fn analyses(&self, losses: &mut Findings) -> Vec<&Analysis> {
        let plain = |analysis: &Analysis| analysis.settings.is_empty() && analysis.auxiliary.is_empty();
        let (kept, lost): (Vec<_>, Vec<_>) =
            self.content.analyses.iter().partition(|analysis| self.target != Target::Root640 || plain(analysis));
        for analysis in lost {
            let found = format!("the analysis {} with values and ranges of its own", quote(&analysis.name));
            let expected = "those of the first, since ROOT has one set of them: convert it by itself";
            losses.push(Finding::new(&rule::CONVERT_LOST, found, expected));
        }
        kept
    }

    fn analysis(&self, analysis: &Analysis) -> file::Analysis {
        let own_point = !(analysis.settings.is_empty() && analysis.auxiliary.is_empty());
        let name = self.analysis_name(analysis);
        file::Analysis {
            likelihood: self.likelihood_name().to_owned(),
            parameters_of_interest: analysis.parameters_of_interest.iter().map(|poi| self.names.of(poi)).collect(),
            domains: DOMAINS.iter().map(|domain| format!("{name}_{domain}")).collect(),
            init: match self.target {
                Target::Root640 => None,
                _ if own_point => Some(format!("{name}_values")),
                // pyhs3 starts from nothing where no point is named.
                _ => Some("default_values".to_owned()),
            },
            name,
        }
    }

    fn analysis_name(&self, analysis: &Analysis) -> String {
        super::names::spelling(&analysis.name, self.target)
    }

    fn settings(&self, analysis: Option<&Analysis>) -> Vec<(String, Setting)> {
        let own = analysis.map(|analysis| analysis.settings.as_slice()).unwrap_or_default();
        let parameters = self.content.parameters.iter().enumerate();
        parameters.map(|(i, p)| (self.names.of(&p.name), own.get(i).copied().unwrap_or(p.setting))).collect()
    }

    /// Global observables have no ranges, since densities of constraints are those over all values; but where ROOT wrote
    /// the document and is to read it, they have those over which it normalises.
    fn observable_axis(&self, tie: &Tie) -> Axis {
        let low = match tie.constraint {
            Constraint::Poisson { .. } => 0.0,
            Constraint::Gaussian { .. } => f64::NEG_INFINITY,
        };
        let own = tie.parameter.range.filter(|_| self.target == Target::Root640);
        Axis::range(tie.observable.clone(), own.unwrap_or((low, f64::INFINITY)))
    }

    fn domains(&self, analyses: &[&Analysis]) -> Vec<Domain> {
        let observables: Vec<Axis> = self.ties().map(|tie| self.observable_axis(tie)).collect();
        let axis = |(name, setting): &(String, Setting)| Axis::range(name.clone(), setting.bounds);
        let own = self.settings(None);
        let default: Vec<Axis> =
            own.iter().map(axis).chain(observables.iter().cloned()).chain(self.variates()).collect();
        let mut domains = vec![Domain::new("default_domain".to_owned(), default)];
        for analysis in analyses {
            let is_poi = |name: &String| analysis.parameters_of_interest.iter().any(|p| self.names.of(p) == *name);
            let settings = self.settings(Some(analysis));
            let (pois, nuisances): (Vec<_>, Vec<_>) = settings.iter().partition(|(name, _)| is_poi(name));
            // Constant parameters are none of ROOT's nuisance parameters.
            let floats = |setting: &Setting| self.target != Target::Root640 || !setting.constant;
            let nuisances = nuisances.into_iter().filter(|(_, setting)| floats(setting)).map(axis).collect();
            let parts = [nuisances, observables.clone(), pois.into_iter().map(axis).collect::<Vec<_>>()];
            let name = self.analysis_name(analysis);
            let named = DOMAINS.iter().zip(parts);
            domains.extend(named.map(|(domain, axes)| Domain::new(format!("{name}_{domain}"), axes)));
        }
        domains
    }

    /// Those that functions of channels may take: ROOT reads functions before it reads the axes of channels.
    fn variates(&self) -> Vec<Axis> {
        let is_custom = |modifier: &Modifier| matches!(modifier.effect, Effect::Custom);
        let takes = |region: &&Region| region.channel.samples.iter().any(|s| s.modifiers.iter().any(is_custom));
        let regions = self.regions.iter().filter(|_| self.target == Target::Root640).filter(takes);
        regions.flat_map(|region| region.axes.iter().map(Axis::without_bins)).collect()
    }

    fn points(&self, analyses: &[&Analysis]) -> Vec<Point> {
        let point = |name: String, analysis: Option<&Analysis>| {
            let parameters = self.settings(analysis).into_iter();
            let parameters = parameters.map(|(name, s)| PointParameter { name, value: s.value, constant: s.constant });
            let own = analysis.map(|analysis| analysis.auxiliary.as_slice()).unwrap_or_default();
            let observables = self.ties().enumerate().map(|(i, tie)| {
                let value = own.get(i).copied().unwrap_or(tie.constraint.auxdata());
                PointParameter { name: tie.observable.clone(), value, constant: true }
            });
            Point { name, parameters: parameters.chain(observables).collect() }
        };
        let others = analyses.iter().filter(|a| !(a.settings.is_empty() && a.auxiliary.is_empty()));
        let others = others.map(|a| point(format!("{}_values", self.analysis_name(a)), Some(a)));
        std::iter::once(point("default_values".to_owned(), None)).chain(others).collect()
    }

    /// For ROOT what makes a RooSimultaneous and ModelConfigs of the parts.
    fn misc(&self, analyses: &[&Analysis]) -> Map<String, Value> {
        let mut misc = self.content.misc.clone();
        if self.target != Target::Root640 {
            return misc;
        }
        let labels: Vec<&str> = self.regions.iter().map(|region| region.label.as_str()).collect();
        let indices: Vec<usize> = (0..labels.len()).collect();
        let distributions: Vec<&str> = self.regions.iter().map(|region| region.distribution.as_str()).collect();
        let mut attributes = Map::new();
        let constants = self.content.parameters.iter().filter(|p| p.setting.constant).map(|p| self.names.of(&p.name));
        for name in constants.chain(self.ties().map(|tie| tie.observable.clone())) {
            attributes.insert(name, json!({"tags": ["Constant"]}));
        }
        for region in &self.regions {
            // Without constraints the channel's own distribution is the sum that counts bins.
            let name = if self.is_constrained(region.channel) {
                format!("{}_model", region.label)
            } else {
                region.distribution.clone()
            };
            attributes.insert(name, json!({"tags": ["BinnedLikelihood", "GenerateBinned"]}));
        }
        let config = |(i, analysis): (usize, &&Analysis)| {
            let name = self.analysis_name(analysis);
            let model = if i == 0 { "ModelConfig".to_owned() } else { format!("ModelConfig_{name}") };
            (name, json!({"mcName": model, "pdfName": "simPdf"}))
        };
        let configs: Map<String, Value> = analyses.iter().enumerate().map(config).collect();
        let internal = json!({
            "ModelConfigs": configs,
            "attributes": attributes,
            "combined_datasets": {"obsData": {"index_cat": "channelCat", "indices": indices, "labels": labels}},
            "combined_distributions": {"simPdf":
                {"distributions": distributions, "index_cat": "channelCat", "indices": indices, "labels": labels}},
        });
        misc.insert("ROOT_internal".to_owned(), internal);
        misc
    }

    /// A modifier of the channel brings a constraint into ROOT's product.
    fn is_constrained(&self, channel: &Channel) -> bool {
        channel.samples.iter().flat_map(|sample| &sample.modifiers).any(|modifier| {
            let drivers = modifier.effect.drivers();
            let placed =
                drivers.iter().any(|d| self.forms.constraint(d).is_some() && self.forms.place(d) == Place::Named);
            let native = drivers.iter().any(|d| self.forms.place(d) == Place::Native);
            placed || (native && self.forms.form(channel, &modifier.effect) != Form::Shapefactor)
        })
    }
}

/// The domains of an analysis, named as ROOT does.
const DOMAINS: [&str; 3] = ["nuisance_parameters", "global_observables", "parameters_of_interest"];

fn renamed(losses: &mut Findings, what: &str, from: &str, to: &str) {
    let found = format!("{what} {}", quote(from));
    losses.push(Finding::new(&rule::CONVERT_RENAMED, found, format!("the name {} in its place", quote(to))));
}
