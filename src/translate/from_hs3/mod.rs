//! HS3 document → [`Model`] and [`Data`]: channels (spec/hs3-histfactory.md), and densities over events (spec/hs3.md).

mod choice;
mod constraint;
mod convention;
mod densities;
mod driven;
mod extension;
mod interpolation;
mod parameters;
mod sample;
mod values;
mod widths;

pub use convention::{Conventions, Overrides, ShapesysValues};
pub(crate) use extension::compare;
pub use extension::own_document;
pub(crate) use interpolation::Code;

use crate::document::eft::Eft;
use crate::document::hs3::{Dialect, Hs3Document, Likelihood, Modifier, ModifierKind};
use crate::finding::{Finding, Findings, Result, quote};
use crate::model::{Channel, Data, Driven, Model, ParameterSet, Sample, TemplateClip};
use crate::rule;
use choice::{Content, Region};
use constraint::{Source, Ties, Type, takes_types};
use parameters::{Role, Table};
use sample::SampleMaker;
use values::Values;
use widths::Widths;

/// What is chosen beyond the document.
#[derive(Clone, Debug, Default)]
pub struct Hs3Options {
    /// Needed where a document has several.
    pub analysis: Option<String>,
    /// A likelihood by its own name, where there is no analysis or not that of the analysis; `*` is all of them as one.
    pub likelihood: Option<String>,
    /// Replaces the parameter of interest of the analysis; `Some("")` means none.
    pub poi: Option<String>,
    /// What a lenient reader warns of is an error.
    pub strict: bool,
    pub overrides: Overrides,
    /// The order in 1/Λ² at which all responses of an EFT document in the file end, where it is lower than the document's.
    pub max_np_order: Option<u32>,
    /// Where the files lie that the document names; without it, the current folder.
    pub folder: Option<std::path::PathBuf>,
}

/// A likelihood of a document.
#[derive(Clone, Debug)]
pub struct Hs3Likelihood {
    /// The name of the likelihood.
    pub name: String,
    /// Its warnings are those of the translation, without those of the document.
    pub model: Model,
    pub data: Data,
    pub conventions: Conventions,
    /// Number of channels and of densities with data, as RooFit counts them.
    pub n_channels: usize,
    /// The block of the EFT document that the model was made of (spec/eft-hs3.md, section 6), in place of its expansion.
    pub eft: Option<Box<Eft>>,
    /// How the model says less than the file, so that no −ln L of it is that of another program for the file.
    pub beside_file: Option<BesideFile>,
}

/// What a model of the document in a file leaves out of the expansion beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BesideFile {
    /// So many parameters η of statistical uncertainty, which it has at their best values (spec/eft-hs3.md, eq. 4).
    Profiled(usize),
    /// Terms of responses beyond an order in 1/Λ².
    Truncated(u32),
}

impl Hs3Likelihood {
    /// −ln L in RooFit's convention from `twice_nll` of the same data (spec/hs3-histfactory.md, eq. 7): N ln k more for
    /// N events in k channels, where the conventions have it, and less ln N! of extended densities.
    pub fn nll_roofit(&self, twice_nll: f64, data: &Data) -> f64 {
        let (of_densities, log_factorials) =
            self.model.densities.as_ref().map_or((0.0, 0.0), |term| (term.graph.events, term.graph.log_factorials));
        let events = data.main.iter().sum::<f64>() + of_densities;
        let offset = if self.conventions.channel_offset { events * (self.n_channels.max(1) as f64).ln() } else { 0.0 };
        0.5 * twice_nll + offset - log_factorials
    }
}

/// The likelihood that the options choose, or else all: one choice for each analysis, then one for each likelihood that no
/// analysis uses.
///
/// # Errors
/// W426 where there is no such likelihood or analysis.
pub fn choices<'d>(document: &'d Hs3Document, options: &Hs3Options) -> Result<Vec<(&'d Likelihood, Hs3Options)>> {
    let each = options.likelihood.as_deref() == Some(choice::ALL);
    let is_chosen = options.analysis.is_some() || options.likelihood.is_some() && !each;
    let options = &Hs3Options { likelihood: options.likelihood.clone().filter(|_| !each), ..options.clone() };
    let of_analyses =
        document.analyses.iter().map(|a| Hs3Options { analysis: Some(a.name.clone()), ..options.clone() });
    let alone = document.likelihoods.iter().filter(|l| document.analyses.iter().all(|a| a.likelihood != l.name));
    let alone = alone.map(|l| Hs3Options { likelihood: Some(l.name.clone()), ..options.clone() });
    let all = if is_chosen { vec![options.clone()] } else { of_analyses.chain(alone).collect() };
    let choose = |options: Hs3Options| {
        let choice = choice::choose(document, options.analysis.as_deref(), options.likelihood.as_deref())?;
        Ok(choice.likelihoods.first().map(|likelihood| (*likelihood, options)))
    };
    all.into_iter().filter_map(|options| choose(options).transpose()).collect()
}

/// Builds the model of one likelihood with its data.
///
/// # Errors
/// All findings if one of them is an error: a choice that is not there (W426), something that is not evaluated (W422),
/// constraints that contradict one another or say nothing (W441), interpolation that is none (W442), data that are not
/// those of the channel (W444); a truncation of responses of a file that holds no EFT document (W456).
pub fn likelihood(document: &Hs3Document, options: &Hs3Options) -> Result<Hs3Likelihood> {
    let (likelihood, content) = expansion(document, options)?;
    extension::take(document, options, &content.regions, likelihood)
}

/// The likelihood as the standard has it, without keys of our own.
fn expansion<'d>(document: &'d Hs3Document, options: &Hs3Options) -> Result<(Hs3Likelihood, Content<'d>)> {
    let choice = choice::choose(document, options.analysis.as_deref(), options.likelihood.as_deref())?;
    let content = choice::content(document, &choice.likelihoods)?;
    let translator = Translator {
        document,
        options,
        values: Values::new(document, choice.analysis),
        conventions: Conventions::new(document.dialect, &options.overrides),
    };
    let mut findings = Findings::default();
    let mut table = Table::default();
    let names = translator.register(&content, &mut table, &mut findings);
    let beyond = translator.tie(&content, &names, &mut table, &mut findings);
    let densities = translator.densities(&content, beyond, &mut table, &mut findings);
    let driven = translator.driven(&mut table, &mut findings);
    let mut clip = TemplateClip::default();
    let channels = translator.channels(&content, &names, &table, &mut clip, &mut findings);
    let (mut parameters, penalties) = table.finish(document, &translator.values, options.strict, &mut findings);
    if parameters.is_empty() && densities.is_none() && findings.is_valid() {
        findings.push(Finding::new(&rule::NO_PARAMETERS, "a likelihood without parameters", "at least one modifier"));
    }
    let of_analysis = choice.analysis.and_then(|analysis| analysis.parameters_of_interest.first());
    let poi = options.poi.as_ref().or(of_analysis);
    let poi = poi.and_then(|poi| parameters.iter().position(|set| set.name == *poi));
    for name in choice.analysis.iter().flat_map(|analysis| &analysis.parameters_of_interest) {
        if !parameters.iter().any(|set| set.name == *name) {
            let pointer = choice.analysis.map_or_else(String::new, |analysis| analysis.pointer.clone());
            let finding = Finding::new(&rule::HS3_UNRESOLVED, quote(name), "a parameter of interest of the likelihood");
            findings.push(finding.at(format!("{pointer}/parameters_of_interest")));
        }
    }
    if !findings.is_valid() {
        return Err(findings);
    }
    set_driven(&mut parameters, driven.as_ref());
    let n_channels = content.regions.len() + densities.as_ref().map_or(0, |term| term.graph.terms);
    let model = Model {
        channels,
        parameters,
        poi,
        clip_sample_data: None,
        clip_bin_data: None,
        template_clip: translator.conventions.clip_templates.then_some(clip),
        penalties,
        correlations: Vec::new(),
        measurements: Default::default(),
        derived: Vec::new(),
        unbinned: Vec::new(),
        densities,
        driven,
        pyhf_domain: false,
        warnings: findings,
    };
    let main = content.regions.iter().flat_map(|region| region.counts.iter().copied()).collect();
    let data = Data { main, auxiliary: model.auxdata(), unbinned: Vec::new(), densities: None };
    let name = choice.name().to_owned();
    let likelihood = Hs3Likelihood {
        name,
        model,
        data,
        conventions: translator.conventions,
        n_channels,
        eft: None,
        beside_file: None,
    };
    Ok((likelihood, content))
}

/// The values of functions where the parameters start.
fn set_driven(parameters: &mut [ParameterSet], driven: Option<&Driven>) {
    let Some(driven) = driven else { return };
    // Each set is a scalar here.
    let mut point: Vec<f64> = parameters.iter().filter_map(|set| set.init.first().copied()).collect();
    driven.complete(&mut point);
    parameters.iter_mut().zip(point).for_each(|(set, value)| set.init = vec![value]);
}

/// The constraint of a function, if any: a distribution that the modifier names.
fn of_function(source: &Source, name: &str, modifier: &Modifier) -> Result<Option<String>> {
    match source {
        Source::Free => Ok(None),
        Source::Named(distribution) => Ok(Some(distribution.name.clone())),
        Source::Unsaid | Source::Type(Type::Const) if !takes_types(&modifier.kind) => Ok(None),
        Source::Unsaid | Source::Type(_) => {
            let found = format!("the function {} with a constraint by type, or none that is said", quote(name));
            let expected = "the name of a distribution, or null";
            Err(Finding::new(&rule::HS3_CONSTRAINT, found, expected).at(modifier.pointer.clone()).into())
        }
    }
}

/// Every finding is of something that is not evaluated.
fn is_unsupported(findings: &Findings) -> bool {
    findings.0.iter().all(|finding| finding.rule == rule::HS3_UNSUPPORTED.id)
}

/// The names of the parameters of each modifier: by channel, sample, modifier.
type Names = Vec<Vec<Vec<Vec<String>>>>;

struct Translator<'d> {
    document: &'d Hs3Document,
    options: &'d Hs3Options,
    values: Values<'d>,
    conventions: Conventions,
}

impl<'d> Translator<'d> {
    fn register(&self, content: &Content<'d>, table: &mut Table, findings: &mut Findings) -> Names {
        let mut all = Vec::with_capacity(content.regions.len());
        for region in &content.regions {
            let mut of_region = Vec::with_capacity(region.channel.samples.len());
            for sample in &region.channel.samples {
                let bins = sample.data.contents.len();
                let mut of_sample = Vec::with_capacity(sample.modifiers.len());
                for modifier in &sample.modifiers {
                    let names = match self.parameter_names(modifier, region, bins, table) {
                        Ok((names, role)) => {
                            self.register_functions(&names, &modifier.pointer, table);
                            names.iter().for_each(|name| _ = table.register(name, role));
                            names
                        }
                        Err(found) => {
                            findings.0.extend(found.0);
                            Vec::new()
                        }
                    };
                    of_sample.push(names);
                }
                of_region.push(of_sample);
            }
            all.push(of_region);
        }
        all
    }

    /// As written, or the names that ROOT gives where nothing is written.
    fn parameter_names(
        &self,
        modifier: &Modifier,
        region: &Region,
        bins: usize,
        table: &mut Table,
    ) -> Result<(Vec<String>, Role)> {
        let one = modifier.parameter.as_ref().or(modifier.parameters.first());
        let own = || modifier.name.clone().unwrap_or_default();
        let per_bin = |default: &dyn Fn(usize) -> String| {
            if modifier.parameters.is_empty() { (0..bins).map(default).collect() } else { modifier.parameters.clone() }
        };
        let channel = region.name.strip_prefix("model_").unwrap_or(region.name);
        let (names, role) = match &modifier.kind {
            ModifierKind::Normfactor => (vec![one.cloned().unwrap_or_else(own)], Role::Factor),
            ModifierKind::Normsys | ModifierKind::Histosys => {
                (vec![one.cloned().unwrap_or_else(|| self.alpha(own()))], Role::Alpha)
            }
            ModifierKind::Shapefactor | ModifierKind::Shapesys => {
                (per_bin(&|bin| format!("gamma_{}_bin_{bin}", own())), Role::Gamma)
            }
            ModifierKind::Staterror => (per_bin(&|bin| format!("gamma_stat_{channel}_bin_{bin}")), Role::Gamma),
            ModifierKind::Custom => (self.custom(modifier, region, table)?, Role::Driven),
            ModifierKind::Unknown(kind) => {
                let finding = Finding::new(&rule::HS3_UNKNOWN_NEEDED, quote(kind), "a known type of modifier");
                return Err(finding.at(modifier.pointer.clone()).into());
            }
        };
        if role == Role::Gamma && names.len() != bins {
            let found = format!("{} parameters", names.len());
            return Err(Finding::new(&rule::HS3_AXIS, found, format!("{bins}, one a bin"))
                .at(modifier.pointer.clone())
                .into());
        }
        if names.iter().any(String::is_empty) {
            let finding = Finding::new(&rule::HS3_COMPONENT, "neither a name nor a parameter", "a parameter");
            return Err(finding.at(modifier.pointer.clone()).into());
        }
        Ok((names, role))
    }

    /// Ties parameters by the keys of their modifiers. Returns the constraints that tie no single parameter, with the
    /// places that name them.
    fn tie(
        &self,
        content: &Content<'d>,
        names: &Names,
        table: &mut Table,
        findings: &mut Findings,
    ) -> Vec<(String, String)> {
        let mut beyond = Vec::new();
        for (region, names) in content.regions.iter().zip(names) {
            let widths = Widths::new(region, names, &self.values, &self.conventions, findings);
            for (sample, names) in region.channel.samples.iter().zip(names) {
                for (modifier, names) in sample.modifiers.iter().zip(names) {
                    let widths = widths.of(sample, modifier, names);
                    for (index, name) in names.iter().enumerate() {
                        let sigma = widths.get(index).copied().unwrap_or(0.0);
                        match self.tie_one(region, modifier, (index, name), sigma, table, findings) {
                            Ok(None) => {}
                            Ok(Some(constraint)) => beyond.push((constraint, modifier.pointer.clone())),
                            Err(found) => findings.0.extend(found.0),
                        }
                    }
                }
            }
        }
        beyond
    }

    fn ties(&self) -> Ties<'_, 'd> {
        Ties { document: self.document, values: &self.values, conventions: &self.conventions }
    }

    fn tie_one(
        &self,
        region: &Region<'d>,
        modifier: &Modifier,
        (index, name): (usize, &String),
        sigma: f64,
        table: &mut Table,
        findings: &mut Findings,
    ) -> Result<Option<String>> {
        let ties = self.ties();
        let is_parameter = |name: &str| table.index(name).is_some();
        let source = constraint::source(self.document, modifier, index)?;
        let kind = match source {
            Source::Free => return Ok(None),
            source if table.is_driven(name) => return of_function(&source, name, modifier),
            Source::Named(distribution) => {
                let (tied, tie) = match ties.named(distribution, &is_parameter) {
                    Err(found) if is_unsupported(&found) => return Ok(Some(distribution.name.clone())),
                    named => named?,
                };
                if tied != *name {
                    let found = format!("a constraint of {} for {}", quote(&tied), quote(name));
                    let finding =
                        Finding::new(&rule::HS3_CONSTRAINT, found, "a distribution of the modifier's parameter");
                    return Err(finding.at(modifier.pointer.clone()).into());
                }
                return table.tie(name, tie, &modifier.pointer).map(|()| None);
            }
            Source::Type(kind) => Some(kind),
            Source::Unsaid => None,
        };
        let tie = match (&modifier.kind, kind) {
            (kind_of_modifier, Some(Type::Const)) if !takes_types(kind_of_modifier) => {
                table.fix(name);
                return Ok(None);
            }
            (ModifierKind::Normfactor | ModifierKind::Shapefactor, None) => return Ok(None),
            (ModifierKind::Normfactor | ModifierKind::Shapefactor, Some(kind)) => {
                let found = format!("the constraint {kind:?} on a factor without an uncertainty");
                let finding = Finding::new(&rule::HS3_CONSTRAINT, found, "the name of a distribution, or none");
                return Err(finding.at(modifier.pointer.clone()).into());
            }
            (ModifierKind::Staterror, kind) => {
                let kind = self.staterror_type(region, modifier, kind, findings)?;
                ties.of_gamma(name, (kind, sigma), &is_parameter, modifier)?
            }
            (ModifierKind::Shapesys, kind) => {
                let kind = kind.unwrap_or_else(|| self.shapesys_type());
                ties.of_gamma(name, (kind, sigma), &is_parameter, modifier)?
            }
            (_, kind) => ties.of_alpha(name, kind, &is_parameter, modifier)?,
        };
        let per_bin = matches!(modifier.kind, ModifierKind::Staterror | ModifierKind::Shapesys);
        let threshold = region.channel.staterror.as_ref().and_then(|config| config.rel_threshold).unwrap_or(0.0);
        // Below the threshold the parameter is held and its term stays, as in ROOT (A21).
        let below = modifier.kind == ModifierKind::Staterror && sigma < threshold;
        if per_bin && (sigma <= 0.0 || below) {
            table.fix(name);
        }
        table.tie(name, tie, &modifier.pointer).map(|()| None)
    }

    fn is_root(&self) -> bool {
        matches!(self.conventions.dialect, Dialect::Root(_))
    }

    /// The constraint of a shapesys that says none: ROOT's reader takes Gauss.
    fn shapesys_type(&self) -> Type {
        if self.is_root() { Type::Gauss } else { Type::Poisson }
    }

    /// The parameter of a normsys or histosys that names none: `alpha_` and the modifier's name, or that name by itself
    /// where it alone is a parameter of the document. ROOT knows the first only.
    fn alpha(&self, modifier: String) -> String {
        let declared = |name: &str| self.values.value_anywhere(name).is_some() || self.values.bounds(name).is_some();
        let alpha = format!("alpha_{modifier}");
        if !self.is_root() && declared(&modifier) && !declared(&alpha) { modifier } else { alpha }
    }

    /// A4: the modifier's own word, that of the channel, Poisson in ROOT's files, and elsewhere Gauss with a warning.
    fn staterror_type(
        &self,
        region: &Region<'d>,
        modifier: &Modifier,
        own: Option<Type>,
        findings: &mut Findings,
    ) -> Result<Type> {
        if let Some(kind) = own {
            return Ok(kind);
        }
        let of_channel = region.channel.staterror.as_ref().and_then(|config| config.constraint_type.as_deref());
        if let Some(name) = of_channel {
            return Type::named(name).ok_or_else(|| {
                let expected = "Gauss or Poisson";
                let finding = Finding::new(&rule::HS3_CONSTRAINT, quote(name), expected);
                finding.at(format!("{}/staterror", region.pointer)).into()
            });
        }
        match self.conventions.dialect {
            Dialect::Root(_) => Ok(Type::Poisson),
            Dialect::Pyhs3 => Ok(Type::Gauss),
            _ => {
                let at = region.pointer;
                let found = format!("staterrors of {} without a constraint", quote(region.name));
                let mut finding =
                    Finding::new(&rule::HS3_STATERROR, found, "constraint_type, here taken as Gauss").at(at);
                if self.options.strict {
                    finding.severity = crate::finding::Severity::Error;
                    return Err(finding.at(modifier.pointer.clone()).into());
                }
                if !findings.0.contains(&finding) {
                    findings.push(finding);
                }
                Ok(Type::Gauss)
            }
        }
    }

    fn channels(
        &self,
        content: &Content<'d>,
        names: &Names,
        table: &Table,
        clip: &mut TemplateClip,
        findings: &mut Findings,
    ) -> Vec<Channel> {
        let mut channels = Vec::with_capacity(content.regions.len());
        for (c, (region, names)) in content.regions.iter().zip(names).enumerate() {
            let bins = region.counts.len();
            let mut order: Vec<usize> = (0..region.channel.samples.len()).collect();
            order.sort_by(|a, b| region.channel.samples[*a].name.cmp(&region.channel.samples[*b].name));
            let mut samples = Vec::with_capacity(order.len());
            for (s, index) in order.into_iter().enumerate() {
                let sample = &region.channel.samples[index];
                if sample.data.contents.len() != bins {
                    let found = format!("{} contents", sample.data.contents.len());
                    let finding = Finding::new(&rule::HS3_CHANNEL_DATA, found, format!("{bins}, as the data have"));
                    findings.push(finding.at(sample.pointer.clone()));
                    continue;
                }
                let maker = SampleMaker {
                    channel: region.channel,
                    sample,
                    conventions: &self.conventions,
                    names: &names[index],
                    table,
                };
                match maker.parts(findings) {
                    Ok(made) => {
                        clip.subtracted.extend(made.subtracted.iter().map(|part| (c, s, *part)));
                        samples.push(Sample { name: sample.name.clone(), parts: made.parts });
                    }
                    Err(found) => findings.0.extend(found.0),
                }
            }
            channels.push(Channel { name: region.name.to_string(), n_bins: bins, samples });
        }
        channels
    }
}
