//! A card as channels, samples and modifiers.

use super::Problems;
use super::card::{Card, Column, Entry, Kind, McStats, Systematic};
use super::formula::{Formulas, literal};
use super::lines::glob;
use super::mc_stats;
use super::morphing::{self, Mode, Morph};
use super::parameters::{Parameters, STRENGTH};
use super::templates::{Template, Templates};
use crate::convert::file::Axis;
use crate::convert::{Analysis, Channel, Content, Effect, Modifier, Sample};
use crate::finding::{number, quote};
use crate::model::NormsysCode;
use crate::root_file::Histogram;

/// What multiplies a whole process.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Factor {
    /// A parameter or a function.
    Named(String),
    /// κ^θ; `constrained` by a Gaussian, as a normsys is.
    LogNormal { parameter: String, kappa: f64, constrained: bool },
    /// A log-normal factor with its values at −1 and 1.
    Power { parameter: String, low: f64, high: f64 },
}

/// A process in a channel.
pub(super) struct Process {
    pub channel: String,
    pub name: String,
    pub is_signal: bool,
    /// The yield that the factors multiply.
    pub nominal: f64,
    /// What the sample holds; its modifiers multiply it.
    pub contents: Vec<f64>,
    /// The nominal template, scaled to `nominal`, and its errors.
    pub template: Vec<f64>,
    pub errors: Vec<f64>,
    pub factors: Vec<Factor>,
    /// Modifiers of its shape.
    pub shapes: Vec<(String, Effect)>,
    /// Made once: the function of all factors, and that of those that are no modifiers of their own.
    strength: Option<Option<String>>,
    powers: Option<String>,
}

impl Process {
    /// The product of all factors at the start.
    pub fn strength(&self, parameters: &Parameters) -> f64 {
        let factor = |factor: &Factor| match factor {
            Factor::Named(name) => parameters.value(name),
            // Parameters of log-normal factors start at zero.
            Factor::LogNormal { .. } | Factor::Power { .. } => 1.0,
        };
        self.factors.iter().map(factor).product()
    }

    /// The function that is the product of all factors; nothing where there are none.
    pub fn strength_function(&mut self, formulas: &mut Formulas) -> Option<String> {
        if self.strength.is_none() {
            self.strength = Some(match self.factors.as_slice() {
                [] => None,
                [Factor::Named(name)] => Some(name.clone()),
                factors => {
                    let mut parts: Vec<String> = Vec::new();
                    parts.extend(factors.iter().filter_map(|f| match f {
                        Factor::Named(name) => Some(name.clone()),
                        _ => None,
                    }));
                    let logs: Vec<String> = factors.iter().filter_map(|f| f.log(formulas)).collect();
                    if !logs.is_empty() {
                        parts.push(format!("exp({})", logs.join("+")));
                    }
                    Some(formulas.add(&format!("strength_{}_{}", self.channel, self.name), parts.join("*")))
                }
            });
        }
        self.strength.clone().flatten()
    }

    /// Makes the function of the factors that are no modifiers of their own.
    fn make_powers(&mut self, formulas: &mut Formulas) {
        let own = self.factors.iter().filter(|factor| !factor.is_modifier());
        let logs: Vec<String> = own.filter_map(|factor| factor.log(formulas)).collect();
        if !logs.is_empty() {
            let name = format!("lognormal_{}_{}", self.channel, self.name);
            self.powers = Some(formulas.add(&name, format!("exp({})", logs.join("+"))));
        }
    }

    /// The factors as modifiers: normfactors, normsys where both sides agree, and one function for all others.
    pub fn factor_modifiers(&self) -> Vec<Modifier> {
        let modifier = |name: &String, effect| Modifier { name: name.clone(), effect, pointer: String::new() };
        let one = |factor: &Factor| match factor {
            Factor::Named(name) => Some(modifier(name, Effect::Normfactor { parameter: name.clone() })),
            Factor::LogNormal { parameter, kappa, constrained: true } => {
                let (lo, hi, code) = (1.0 / kappa, *kappa, NormsysCode::Code1);
                Some(modifier(parameter, Effect::Normsys { parameter: parameter.clone(), lo, hi, code }))
            }
            _ => None,
        };
        let powers = self.powers.iter().map(|name| modifier(name, Effect::Custom));
        self.factors.iter().filter_map(one).chain(powers).collect()
    }

    fn sample(&self) -> Sample {
        let mut modifiers = self.factor_modifiers();
        let shape = |(name, effect): &(String, Effect)| Modifier {
            name: name.clone(),
            effect: effect.clone(),
            pointer: String::new(),
        };
        modifiers.extend(self.shapes.iter().map(shape));
        Sample { name: self.name.clone(), contents: self.contents.clone(), modifiers, ..Sample::default() }
    }
}

impl Factor {
    fn is_modifier(&self) -> bool {
        matches!(self, Factor::Named(_) | Factor::LogNormal { constrained: true, .. })
    }

    /// The logarithm, of those that have one.
    fn log(&self, formulas: &mut Formulas) -> Option<String> {
        match self {
            Factor::Named(_) => None,
            Factor::LogNormal { parameter, kappa, .. } => Some(format!("{}*{parameter}", literal(kappa.ln()))),
            Factor::Power { parameter, low, high } => Some(formulas.log_power(parameter, *low, *high)),
        }
    }
}

/// The parts of a card as they are put together.
struct Builder<'c, 'o, 'f, 'p> {
    card: &'c Card,
    templates: Templates<'o, 'f>,
    problems: &'p mut Problems,
    formulas: Formulas,
    parameters: Parameters,
}

/// The whole likelihood; `None` where something is wrong, which is told.
pub(super) fn build(card: &Card, templates: Templates, problems: &mut Problems) -> Option<Content> {
    let mut formulas = Formulas::default();
    let mut parameters = Parameters::read(card, &mut formulas, problems);
    parameters.freeze(card, &formulas, problems);
    let mut builder = Builder { card, templates, problems, formulas, parameters };
    let channels: Vec<Option<Channel>> = (0..card.channels.len()).map(|i| builder.channel(i)).collect();
    let channels: Vec<Channel> = channels.into_iter().collect::<Option<_>>()?;
    let Builder { problems, formulas, parameters, .. } = builder;
    let analysis = Analysis {
        name: "combine".to_owned(),
        parameters_of_interest: formulas.of(STRENGTH).cloned().into_iter().collect(),
        ..Analysis::default()
    };
    let mut content = Content {
        channels,
        parameters: parameters.all,
        functions: formulas.functions.clone(),
        analyses: vec![analysis],
        ..Content::default()
    };
    super::unused::remove(&mut content, card, &formulas, problems);
    Some(content)
}

impl Builder<'_, '_, '_, '_> {
    fn channel(&mut self, index: usize) -> Option<Channel> {
        let card = self.card;
        let name = card.channels[index].name.as_str();
        let (observed, edges) = self.observed(index)?;
        let rule = card.mc_stats.get(&index);
        let columns = card.columns.iter().enumerate().filter(|(_, column)| column.channel == index);
        let mut processes: Vec<Process> = Vec::new();
        let mut failed = false;
        for (i, column) in columns {
            match self.process(i, column, edges.as_deref(), observed.len(), rule) {
                Ok(process) => processes.extend(process),
                Err(Told) => failed = true,
            }
        }
        if failed {
            return None;
        }
        if processes.is_empty() {
            self.problems.syntax(
                card.line,
                format!("no process in {}", quote(name)),
                "at least one whose rate is not 0",
            );
            return None;
        }
        self.check_bins(name, &observed, &processes);
        for process in &mut processes {
            process.make_powers(&mut self.formulas);
        }
        let further = match rule {
            Some(rule) if edges.is_some() => {
                mc_stats::apply(name, &mut processes, rule, &mut self.parameters, &mut self.formulas)
            }
            Some(rule) => {
                let found = format!("autoMCStats of {}, a counting experiment", quote(name));
                self.problems.syntax(rule.line, found, "a channel with histograms");
                return None;
            }
            None => Vec::new(),
        };
        let samples = processes.iter().map(Process::sample).chain(further).collect();
        let axis = |edges: Vec<f64>| Axis { edges: Some(edges), ..Axis::range(format!("x_{name}"), NO_RANGE) };
        let axes = edges.map(axis).into_iter().collect();
        Some(Channel { name: name.to_owned(), samples, observed, axes, ..Channel::default() })
    }

    /// The counts of a channel, and the edges of its bins where it has histograms.
    fn observed(&mut self, index: usize) -> Option<(Vec<f64>, Option<Vec<f64>>)> {
        let card = self.card;
        let channel = &card.channels[index];
        let wanted = channel.observed?;
        match self.templates.get(card, [&channel.name, "data_obs", ""], Some(card.line), self.problems) {
            Template::Fake if wanted >= 0.0 => Some((vec![wanted], None)),
            Template::Fake => {
                let found =
                    format!("the observation {} of {}, a counting experiment", number(wanted), quote(&channel.name));
                self.problems.syntax(card.line, found, "a number of events");
                None
            }
            Template::Histogram(data) => {
                let total = data.integral();
                if data.contents.iter().any(|n| *n < 0.0) {
                    let found = format!("negative counts in {}", quote(&channel.name));
                    self.problems.template(card.line, found, "numbers of events");
                } else if wanted != -1.0
                    && (total - wanted).abs()
                        > (0.5 * TOLERANCE * wanted).max(if wanted == 0.0 { TOLERANCE } else { 0.0 })
                {
                    let found = format!("the observation {} of {}", number(wanted), quote(&channel.name));
                    self.problems.template(card.line, found, format!("-1, or the sum {} of data_obs", number(total)));
                }
                Some((data.contents, Some(data.edges)))
            }
            Template::Missing | Template::Failed => None,
        }
    }

    /// With an event in a bin where nothing is expected −ln L is infinite.
    fn check_bins(&mut self, channel: &str, observed: &[f64], processes: &[Process]) {
        for (bin, n) in observed.iter().enumerate().filter(|(_, n)| **n > 0.0) {
            if processes.iter().all(|p| p.shapes.is_empty() && p.template.get(bin) == Some(&0.0)) {
                let found =
                    format!("{} events in bin {bin} of {}, where no process has any", number(*n), quote(channel));
                self.problems.template(self.card.line, found, "a process with an expectation there");
            }
        }
    }

    fn process(
        &mut self,
        index: usize,
        column: &Column,
        edges: Option<&[f64]>,
        bins: usize,
        rule: Option<&McStats>,
    ) -> Result<Option<Process>, Told> {
        let card = self.card;
        let channel = card.channels[column.channel].name.as_str();
        let gamma = self.gamma(index, column)?;
        if column.rate == 0.0 && gamma.is_none() {
            let found = format!("{} with a rate of 0", card.column_name(column));
            self.problems.dropped(card.line, found, "a rate above 0: Combine leaves the process out");
            return Ok(None);
        }
        let template = self.templates.get(card, [channel, &column.process, ""], Some(card.line), self.problems);
        let template = match (template, edges) {
            (Template::Fake, None) => None,
            (Template::Histogram(histogram), Some(edges)) => Some(self.checked(histogram, column, edges, bins)?),
            (Template::Fake, Some(_)) | (Template::Histogram(_), None) => {
                let found = format!(
                    "{} and the data of the channel, one with a histogram and one FAKE",
                    card.column_name(column)
                );
                self.problems.template(card.line, found, "histograms of both, or of none");
                return Err(Told);
            }
            (Template::Missing | Template::Failed, _) => return Err(Told),
        };
        let rate = self.rate(column, template.as_ref())?;
        // With autoMCStats histograms count as they are, and rates only have to agree with them.
        let own_sum = template.as_ref().filter(|_| rule.is_some()).map(Histogram::integral);
        if rate == 0.0 && gamma.is_none() {
            let found = format!("{} with an empty histogram", card.column_name(column));
            self.problems.dropped(card.line, found, "contents: Combine leaves the process out");
            return Ok(None);
        }
        let nominal = match (gamma, own_sum) {
            (None, None) => rate,
            (None, Some(sum)) => sum,
            (Some((alpha, _)), None) => alpha,
            (Some((_, events)), Some(sum)) => sum / if events > 0.0 { events } else { 1.0 },
        };
        let mut process = self.plain(column, template.as_ref(), nominal)?;
        self.factors(column, &mut process);
        let morphs = self.systematics(index, column, template.is_some(), bins, &mut process)?;
        if !morphs.is_empty() {
            let mode = self.mode(rule)?;
            let own = template.map_or_else(Vec::new, |histogram| histogram.contents);
            morphing::apply(&mut process, &own, morphs, mode, &self.parameters, &mut self.formulas);
        }
        Ok(Some(process))
    }

    /// A process with its template, scaled to its yield, before anything moves it.
    fn plain(&mut self, column: &Column, template: Option<&Histogram>, nominal: f64) -> Result<Process, Told> {
        let card = self.card;
        let (own, errors) = match template {
            Some(histogram) => (histogram.contents.clone(), histogram.errors.clone()),
            None => (vec![1.0], vec![0.0]),
        };
        let total: f64 = own.iter().sum();
        if total <= 0.0 {
            let found = format!("{} with an empty histogram", card.column_name(column));
            self.problems.template(card.line, found, "contents above zero");
            return Err(Told);
        }
        let scaled: Vec<f64> = own.iter().map(|x| x * (nominal / total)).collect();
        Ok(Process {
            channel: card.channels[column.channel].name.clone(),
            name: column.process.clone(),
            is_signal: column.is_signal,
            nominal,
            contents: scaled.clone(),
            template: scaled,
            errors: errors.iter().map(|e| e * (nominal / total)).collect(),
            factors: Vec::new(),
            shapes: Vec::new(),
            strength: None,
            powers: None,
        })
    }

    /// How templates move in a channel.
    fn mode(&mut self, rule: Option<&McStats>) -> Result<Mode, Told> {
        match rule.map(|rule| (rule.mode, rule.line)) {
            None => Ok(Mode::Normalised),
            Some((1, _)) => Ok(Mode::Shapes),
            Some((2, _)) => Ok(Mode::Yields),
            Some((mode, line)) => {
                let found = format!("mode {mode} of autoMCStats in a channel with shape systematics");
                self.problems.refuse(line, found, "1 or 2");
                Err(Told)
            }
        }
    }

    /// A histogram that fits to the data of its channel.
    fn checked(&mut self, own: Histogram, column: &Column, edges: &[f64], bins: usize) -> Result<Histogram, Told> {
        let name = self.card.column_name(column);
        let line = self.card.line;
        if own.len() != bins {
            self.problems.template(line, format!("{} bins of {name}", own.len()), format!("{bins}, as data_obs has"));
            return Err(Told);
        }
        if own.contents.iter().any(|x| *x < 0.0) {
            self.problems.refuse(line, format!("negative contents of {name}"), "none: Combine ends them at 1e-9");
            return Err(Told);
        }
        let width = edges.last().zip(edges.first()).map_or(1.0, |(last, first)| last - first);
        if own.edges.iter().zip(edges).any(|(a, b)| (a - b).abs() > 1e-6 * width) {
            self.problems.dropped(
                line,
                format!("other edges of {name} than data_obs has"),
                "those: bins count by their order",
            );
        }
        Ok(own)
    }

    /// The rate of a column, or the sum of its histogram.
    fn rate(&mut self, column: &Column, template: Option<&Histogram>) -> Result<f64, Told> {
        let name = self.card.column_name(column);
        let line = self.card.line;
        match template.map(Histogram::integral) {
            None if column.rate == -1.0 => {
                self.problems.syntax(
                    line,
                    format!("the rate -1 of {name}, a counting experiment"),
                    "a number of events",
                );
                Err(Told)
            }
            None => Ok(column.rate),
            Some(total) if column.rate == -1.0 => Ok(total),
            Some(total) if column.rate == 0.0 => Ok(total.min(0.0)),
            Some(total) if (total - column.rate).abs() > TOLERANCE * column.rate.max(1.0) => {
                let found = format!("the rate {} of {name}", number(column.rate));
                self.problems.template(line, found, format!("-1, or the sum {} of the histogram", number(total)));
                Err(Told)
            }
            Some(_) => Ok(column.rate),
        }
    }

    /// α of the line gmN of a column, and its events.
    fn gamma(&mut self, index: usize, column: &Column) -> Result<Option<(f64, f64)>, Told> {
        let mut found: Option<(f64, f64)> = None;
        for systematic in &self.card.systematics {
            let (Kind::Gamma(events), Entry::One(alpha)) = (systematic.kind, systematic.entries[index]) else {
                continue;
            };
            let name = self.card.column_name(column);
            if found.is_some() {
                self.problems.syntax(systematic.line, format!("a second gmN of {name}"), "one");
                return Err(Told);
            }
            let (expected, rate) = (alpha * events, column.rate);
            let fits = rate == -1.0 || (expected - rate).abs() <= (0.05 * rate.max(1.0)).max(alpha);
            if !fits {
                let text = format!(
                    "{} events times {} where the rate of {name} is {}",
                    number(events),
                    number(alpha),
                    number(rate)
                );
                self.problems.syntax(systematic.line, text, "their product as the rate");
                return Err(Told);
            }
            found = Some((alpha, events));
        }
        Ok(found)
    }

    /// The signal strength and rate parameters.
    fn factors(&mut self, column: &Column, process: &mut Process) {
        let named = |name: &str| self.formulas.of(name).cloned().map(Factor::Named);
        if column.is_signal {
            process.factors.extend(named(STRENGTH));
        }
        let channel = &self.card.channels[column.channel].name;
        let rates =
            self.card.rate_params.iter().filter(|r| glob(&r.channel, channel) && glob(&r.process, &column.process));
        process.factors.extend(rates.filter_map(|rate| named(&rate.name)));
    }

    /// The factors of systematic uncertainties, and the templates of shapes.
    fn systematics(
        &mut self,
        index: usize,
        column: &Column,
        has_template: bool,
        bins: usize,
        process: &mut Process,
    ) -> Result<Vec<Morph>, Told> {
        let (card, mut morphs, mut failed) = (self.card, Vec::new(), false);
        for systematic in &card.systematics {
            let entry = systematic.entries[index];
            let Some(name) = self.formulas.of(&systematic.name).cloned() else { continue };
            if entry == Entry::None {
                continue;
            }
            match systematic.kind {
                Kind::Gamma(_) => process.factors.push(Factor::Named(name)),
                Kind::LogNormal | Kind::LogUniform => process.factors.extend(self.power(&name, entry)),
                Kind::Shape { optional, .. } => {
                    match self.morph(systematic, &name, entry, optional, column, has_template, bins) {
                        Ok(Some(morph)) => morphs.push(morph),
                        Ok(None) => process.factors.extend(self.power(&name, entry)),
                        Err(Told) => failed = true,
                    }
                }
            }
        }
        if failed { Err(Told) } else { Ok(morphs) }
    }

    fn power(&self, name: &str, entry: Entry) -> Option<Factor> {
        let constrained = !self.parameters.is_uniform(name);
        let parameter = name.to_owned();
        match entry {
            Entry::One(kappa) if kappa != 1.0 => Some(Factor::LogNormal { parameter, kappa, constrained }),
            // Sides that are nearly inverse are one, as Combine has it.
            Entry::Two(low, high) if (low * high - 1.0).abs() < 1e-5 => {
                Some(Factor::LogNormal { parameter, kappa: high, constrained })
            }
            Entry::Two(low, high) => Some(Factor::Power { parameter, low, high }),
            Entry::None | Entry::One(_) => None,
        }
    }

    /// The templates of a shape systematic; `None` where it is a log-normal factor.
    #[allow(clippy::too_many_arguments)] // what one entry of a line depends on
    fn morph(
        &mut self,
        systematic: &Systematic,
        name: &str,
        entry: Entry,
        optional: bool,
        column: &Column,
        has_template: bool,
        bins: usize,
    ) -> Result<Option<Morph>, Told> {
        let card = self.card;
        let channel = card.channels[column.channel].name.as_str();
        if !has_template {
            if optional {
                return Ok(None);
            }
            let found = format!("{} on {}, a counting experiment", quote(&systematic.name), card.column_name(column));
            self.problems.syntax(systematic.line, found, "a lnN, or histograms");
            return Err(Told);
        }
        let up = format!("{}Up", systematic.name);
        let down = format!("{}Down", systematic.name);
        let required = (!optional).then_some(systematic.line);
        let first = self.templates.get(card, [channel, &column.process, &up], required, self.problems);
        let up = match first {
            Template::Missing | Template::Fake => return Ok(None),
            first => first,
        };
        let down = self.templates.get(card, [channel, &column.process, &down], Some(systematic.line), self.problems);
        let (Template::Histogram(up), Template::Histogram(down)) = (up, down) else { return Err(Told) };
        let Entry::One(scale) = entry else {
            let found = format!("two sides of {} on {}", quote(&systematic.name), card.column_name(column));
            self.problems.syntax(systematic.line, found, "one number where there are histograms");
            return Err(Told);
        };
        for (side, histogram) in [("Up", &up), ("Down", &down)] {
            let what = format!("{}{side} of {}", systematic.name, card.column_name(column));
            if histogram.len() != bins {
                self.problems.template(
                    systematic.line,
                    format!("{} bins of {what}", histogram.len()),
                    format!("{bins}"),
                );
                return Err(Told);
            }
            if histogram.integral() <= 0.0 {
                self.problems.template(
                    systematic.line,
                    format!("{what} with a sum of {}", number(histogram.integral())),
                    "one above zero",
                );
                return Err(Told);
            }
        }
        Ok(Some(Morph { parameter: name.to_owned(), scale, up: up.contents, down: down.contents }))
    }
}

/// What is wrong has been told.
struct Told;

/// How far a rate may be from the sum of its histogram.
const TOLERANCE: f64 = 0.01;

const NO_RANGE: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
