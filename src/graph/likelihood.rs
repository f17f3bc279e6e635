//! The likelihood of a document: which distributions, data and constraints it is made of, and its parameters.

use super::builder::{Builder, Id};
use super::maker::Maker;
use super::pair::{Pair, PairData, Term};
use super::peak_search::missed_peaks;
use super::piece::{Piece, Scratch};
use super::program::Program;
use crate::document::hs3::{Distribution, DistributionKind, Hs3Document, Likelihood, LikelihoodData};
use crate::finding::{Finding, Findings, quote};
use crate::rule;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

/// Compiles documents; see [`Graph::compile`].
#[derive(Clone, Copy, Debug)]
pub struct Graph;

/// Which likelihoods of a document are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// The only one.
    #[default]
    Only,
    Likelihood(String),
    /// The likelihood of an analysis, with the parameter point it starts from.
    Analysis(String),
    /// All, as one likelihood: constraints count once for each name.
    All,
}

/// Whose conventions count where RooFit departs from the specification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Convention {
    /// Those of the program that wrote the document.
    #[default]
    Producer,
    Specification,
    /// Constraints normalised over the ranges of global observables, densities of binned data at the centres of bins,
    /// multivariate normal densities over all of space.
    Root,
}

/// The departures of RooFit from the specification, one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conventions {
    /// Constraints are normalised over the ranges of global observables.
    pub truncate_constraints: bool,
    /// Densities of binned data are taken at the centres of bins, multivariate normal densities over all of space, and the
    /// number of coefficients alone says whether a mixture is extended.
    pub root_densities: bool,
}

impl Conventions {
    pub fn of_root(on: bool) -> Conventions {
        Conventions { truncate_constraints: on, root_densities: on }
    }
}

/// Parts of a likelihood, for [`Graph::compile_parts`].
#[derive(Clone, Debug, Default)]
pub struct Wanted<'d> {
    /// Distribution, its data, and the place that pairs them.
    pub pairs: Vec<(&'d str, &'d LikelihoodData, String)>,
    /// Constraints beside those that the distributions name, and the places that name them.
    pub constraints: Vec<(String, String)>,
    /// The parameter point that counts first.
    pub point: Option<&'d str>,
}

/// What a caller may choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub convention: Convention,
    /// Leave `histfactory_dist` out and name it in [`GraphLikelihood::channels`]; otherwise it is an error.
    pub leave_channels: bool,
}

/// One parameter of a likelihood.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub name: String,
    /// Of the parameter point.
    pub value: f64,
    /// Infinite where no domain says.
    pub min: f64,
    pub max: f64,
    /// Held in fits: constants and global observables.
    pub constant: bool,
}

/// The negative logarithm of a likelihood, ready to be evaluated by several threads, each with its own scratch.
#[derive(Clone, Debug)]
pub struct GraphLikelihood {
    pub parameters: Vec<Parameter>,
    /// What is odd, yet no error; without lines.
    pub warnings: Findings,
    pub conventions: Conventions,
    /// Distribution and data of HistFactory channels that were left out.
    pub channels: Vec<(String, LikelihoodData)>,
    /// Distributions with data that are not left out, and the sum of the weights of their events.
    pub terms: usize,
    pub events: f64,
    /// Constraints that are counted, each once.
    pub constraints: Vec<String>,
    /// Σ ln Γ(N + 1) of the extended densities.
    pub log_factorials: f64,
    pub(super) source: Arc<Source>,
    /// Of the constraints, then of each pair; with the terms that they are compiled from.
    pub(super) pieces: Vec<Piece>,
    pub(super) made_from: Arc<MadeFrom>,
    /// With numbers in the place of constants; made when it is first asked for, nothing without constants.
    pub(super) held: OnceLock<Option<Arc<GraphLikelihood>>>,
    /// One with other data, whose steps to second derivatives can be taken over.
    pub(super) held_like: Option<Arc<GraphLikelihood>>,
}

/// What terms are made from, whatever the data.
pub(super) struct Source {
    pub builder: Arc<Builder>,
    pub pairs: Vec<Pair>,
}

/// Terms, and the nodes that they name: data have made some more.
#[derive(Default)]
pub(super) struct MadeFrom {
    pub builder: Arc<Builder>,
    pub terms: Vec<Term>,
}

impl std::fmt::Debug for MadeFrom {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_list().entries(&self.terms).finish()
    }
}

/// Without the nodes, whose tables have no order: what is shown of one likelihood is always the same.
impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_list().entries(&self.pairs).finish()
    }
}

impl Graph {
    /// Compiles likelihoods of a document.
    ///
    /// # Errors
    /// All findings that forbid the evaluation; they have pointers and no lines.
    pub fn compile(
        document: &Hs3Document,
        selection: &Selection,
        options: &Options,
    ) -> Result<GraphLikelihood, Vec<Finding>> {
        let (likelihoods, point) = choose(document, selection).map_err(|findings| findings.0)?;
        let conventions = Conventions::of_root(match options.convention {
            Convention::Producer => document.dialect.root_compat(),
            Convention::Specification => false,
            Convention::Root => true,
        });
        let mut maker = Maker::new(document, conventions);
        let mut parts = Parts::default();
        likelihoods.iter().for_each(|likelihood| parts.add(&mut maker, likelihood, options));
        parts.add_constraints(&mut maker, &mut |_| false);
        parts.finish(maker, point.as_deref())
    }

    /// Compiles parts of a likelihood. `settle` is asked for every constraint, and says whether the caller counts it by
    /// itself.
    ///
    /// # Errors
    /// As [`Graph::compile`].
    pub fn compile_parts<'d>(
        document: &'d Hs3Document,
        wanted: Wanted<'d>,
        conventions: Conventions,
        settle: &mut dyn FnMut(&'d Distribution) -> bool,
    ) -> Result<GraphLikelihood, Vec<Finding>> {
        let mut maker = Maker::new(document, conventions);
        let mut parts = Parts { wanted: wanted.constraints, ..Parts::default() };
        for (name, data, at) in wanted.pairs {
            match maker.distribution_named(name, &at) {
                Ok(distribution) => parts.add_pair(&mut maker, distribution, data, &at),
                Err(findings) => parts.findings.extend(findings.0),
            }
        }
        parts.add_constraints(&mut maker, settle);
        parts.finish(maker, wanted.point)
    }
}

/// What all likelihoods are made of.
#[derive(Default)]
struct Parts {
    pairs: Vec<Pair>,
    /// Scalars and sums of each pair with the data of the document.
    terms: Vec<Term>,
    /// The negative logarithms of the constraints.
    logs: Vec<Id>,
    constraints: Vec<String>,
    /// Names that are not to be counted again, with the place that names them.
    wanted: Vec<(String, String)>,
    channels: Vec<(String, LikelihoodData)>,
    findings: Vec<Finding>,
    events: f64,
    log_factorials: f64,
}

impl Parts {
    fn add<'d>(&mut self, maker: &mut Maker<'d>, likelihood: &'d Likelihood, options: &Options) {
        for (i, (name, data)) in likelihood.distributions.iter().zip(&likelihood.data).enumerate() {
            let at = format!("{}/distributions/{i}", likelihood.pointer);
            let distribution = match maker.distribution_named(name, &at) {
                Ok(distribution) => distribution,
                Err(findings) => {
                    self.findings.extend(findings.0);
                    continue;
                }
            };
            if options.leave_channels && matches!(distribution.kind, DistributionKind::HistFactory(_)) {
                self.channels.push((name.clone(), data.clone()));
                continue;
            }
            self.add_pair(maker, distribution, data, &format!("{}/data/{i}", likelihood.pointer));
        }
        for (i, name) in likelihood.aux_distributions.iter().enumerate() {
            self.wanted.push((name.clone(), format!("{}/aux_distributions/{i}", likelihood.pointer)));
        }
    }

    fn add_pair<'d>(&mut self, maker: &mut Maker<'d>, d: &'d Distribution, data: &LikelihoodData, at: &str) {
        match maker.pair(d, data, at) {
            Ok((pair, data)) => {
                let term = pair.term(&mut maker.builder, &data);
                self.add_term(maker, pair, term);
            }
            Err(findings) => self.findings.extend(findings.0),
        }
    }

    fn add_term(&mut self, maker: &Maker, pair: Pair, term: Term) {
        let builder = &maker.builder;
        let known =
            |sum: &super::program::Sum| builder.observables_of(sum.column).iter().all(|o| sum.data.contains_key(o));
        if term.scalars.iter().any(|id| builder.is_column(*id)) || !term.sums.iter().all(known) {
            let (found, expected) = ("a rate or a probability that depends on a variate", "one of parameters alone");
            self.findings.push(Finding::new(&rule::HS3_UNSUPPORTED, found, expected).at(pair.pointer));
            return;
        }
        self.wanted.extend(pair.constraints.iter().map(|name| (name.clone(), pair.pointer.clone())));
        self.events += term.events;
        self.log_factorials += term.log_factorial;
        self.pairs.push(pair);
        self.terms.push(term);
    }

    /// Each constraint counts once, whoever names it (D19).
    fn add_constraints<'d>(&mut self, maker: &mut Maker<'d>, settle: &mut dyn FnMut(&'d Distribution) -> bool) {
        let mut seen = BTreeSet::new();
        for (name, at) in std::mem::take(&mut self.wanted) {
            if !seen.insert(name.clone()) || maker.document.distribution(&name).is_some_and(&mut *settle) {
                continue;
            }
            match maker.constraint(&name, &at) {
                Ok(log) => self.logs.push(maker.builder.negative(log)),
                Err(findings) => self.findings.extend(findings.0),
            }
            self.constraints.push(name);
        }
    }

    fn finish(self, mut maker: Maker, point: Option<&str>) -> Result<GraphLikelihood, Vec<Finding>> {
        let parameters = parameters(&mut maker, point);
        if !self.findings.is_empty() {
            return Err(once(self.findings));
        }
        // The constraints come first: a point that they forbid is told by them.
        let constraints = Term { scalars: self.logs, ..Term::default() };
        let terms: Vec<Term> = std::iter::once(constraints).chain(self.terms).collect();
        let mut pieces: Vec<Piece> = terms.iter().map(|term| piece(&mut maker.builder, term)).collect();
        let mut memory = Scratch::new(pieces.iter().map(|piece| &piece.program), parameters.len());
        let missed = missed_peaks(&maker, &pieces, &parameters, &mut memory);
        if !missed.is_empty() {
            return Err(once(missed));
        }
        for (at, piece) in pieces.iter_mut().enumerate() {
            piece.measure(&parameters, true, &mut memory, at);
        }
        let builder = Arc::new(maker.builder);
        Ok(GraphLikelihood {
            parameters,
            warnings: maker.warnings,
            conventions: maker.conventions,
            channels: self.channels,
            terms: self.pairs.len(),
            events: self.events,
            constraints: self.constraints,
            log_factorials: self.log_factorials,
            source: Arc::new(Source { builder: builder.clone(), pairs: self.pairs }),
            pieces,
            made_from: Arc::new(MadeFrom { builder, terms }),
            held: OnceLock::new(),
            held_like: None,
        })
    }
}

/// One cause is named once, however many data need it.
fn once(mut findings: Vec<Finding>) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    findings.retain(|f| seen.insert((f.rule, f.pointer.clone(), f.found.clone())));
    findings
}

fn piece(builder: &mut Builder, term: &Term) -> Piece {
    Piece::new(program(builder, term))
}

pub(super) fn program(builder: &mut Builder, term: &Term) -> Program {
    let rest = builder.sum(&term.scalars);
    Program::compile(builder, &[rest], &term.sums)
}

fn choose<'d>(
    document: &'d Hs3Document,
    selection: &Selection,
) -> crate::finding::Result<(Vec<&'d Likelihood>, Option<String>)> {
    let all = &document.likelihoods;
    let names = |names: Vec<&str>| {
        let shown: Vec<String> = names.iter().take(20).map(|name| quote(name)).collect();
        if shown.is_empty() {
            "a document with likelihoods".to_string()
        } else {
            format!("one of {}", shown.join(", "))
        }
    };
    let likelihoods = || names(all.iter().map(|l| l.name.as_str()).collect());
    let fail = |found: String, expected: String| Err(Finding::new(&rule::HS3_CHOICE, found, expected).at("").into());
    let named = |name: &str| all.iter().find(|l| l.name == name);
    let unknown = |name: &str| fail(format!("the likelihood {}", quote(name)), likelihoods());
    match selection {
        Selection::Only => match all.as_slice() {
            [only] => Ok((vec![only], None)),
            several => fail(format!("{} likelihoods and no choice", several.len()), likelihoods()),
        },
        Selection::All if all.is_empty() => fail("no likelihood".to_string(), likelihoods()),
        Selection::All => Ok((all.iter().collect(), None)),
        Selection::Likelihood(name) => named(name).map_or_else(|| unknown(name), |l| Ok((vec![l], None))),
        Selection::Analysis(name) => match document.analyses.iter().find(|analysis| analysis.name == *name) {
            Some(analysis) => match named(&analysis.likelihood) {
                Some(likelihood) => Ok((vec![likelihood], analysis.init.clone())),
                None => unknown(&analysis.likelihood),
            },
            None => {
                let analyses = names(document.analyses.iter().map(|a| a.name.as_str()).collect());
                fail(format!("the analysis {}", quote(name)), analyses)
            }
        },
    }
}

/// Values and ranges of all parameters that nodes stand for, in the order in which the likelihood needs them.
pub(super) fn parameters(maker: &mut Maker, point: Option<&str>) -> Vec<Parameter> {
    let document = maker.document;
    let first = point.or(Some("default_values")).and_then(|name| document.point(name));
    let points: Vec<_> = first.into_iter().chain(&document.parameter_points).collect();
    let mut written: HashMap<&str, f64> = HashMap::new();
    for parameter in points.iter().rev().flat_map(|point| &point.parameters) {
        written.insert(&parameter.name, parameter.value);
    }
    let mut elsewhere: HashMap<&str, (f64, f64)> = HashMap::new();
    for axis in document.domains.iter().rev().flat_map(|domain| &domain.axes) {
        elsewhere.insert(&axis.name, (axis.min, axis.max));
    }
    let names = maker.builder.parameters.clone();
    let mut parameters = Vec::with_capacity(names.len());
    for name in names {
        let range = maker.range_in_domains(&name, None).or_else(|| elsewhere.get(name.as_str()).copied());
        let (min, max) = range.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        let value = written.get(name.as_str()).copied().unwrap_or_else(|| {
            let value = if (min..=max).contains(&1.0) { 1.0 } else { 0.5 * (min + max) };
            let expected = format!("a value in a parameter point; {value} is taken");
            let finding = Finding::new(&rule::HS3_NO_VALUE, format!("no value of {}", quote(&name)), expected);
            maker.warnings.push(finding.at("/parameter_points"));
            value
        });
        let constant = maker.is_constant(&name);
        let global = maker.in_global_domain(&name);
        if global && !constant {
            let found = format!("{} not constant", quote(&name));
            let finding = Finding::new(&rule::HS3_GLOBAL, found, "const: true of a global observable");
            maker.warnings.push(finding.at("/parameter_points"));
        }
        parameters.push(Parameter { name, value, min, max, constant: constant || global });
    }
    parameters
}

impl GraphLikelihood {
    /// The same densities and constraints with other data: one set for each pair, in the order of the document. Data of
    /// another kind than those of the document, or of another number of variates or bins, are no data.
    pub fn with_data(&self, data: &[PairData]) -> GraphLikelihood {
        let mut builder = Builder::clone(&self.source.builder);
        let (mut events, mut log_factorials) = (0.0, 0.0);
        let mut pieces: Vec<Piece> = self.pieces.iter().take(1).cloned().collect();
        let mut terms: Vec<Term> = self.made_from.terms.iter().take(1).cloned().collect();
        for ((pair, data), own) in self.source.pairs.iter().zip(data).zip(self.pieces.iter().skip(1)) {
            let term = pair.term(&mut builder, data);
            events += term.events;
            log_factorials += term.log_factorial;
            pieces.push(own.with_program(program(&mut builder, &term)));
            terms.push(term);
        }
        let made_from = Arc::new(MadeFrom { builder: Arc::new(builder), terms });
        let held_like = self.held_or_made().clone();
        GraphLikelihood { events, log_factorials, made_from, held_like, ..self.with_pieces(pieces) }
    }

    /// The same of other pieces, which nothing is made from any more.
    pub(super) fn with_pieces(&self, pieces: Vec<Piece>) -> GraphLikelihood {
        GraphLikelihood {
            parameters: self.parameters.clone(),
            warnings: self.warnings.clone(),
            conventions: self.conventions,
            channels: self.channels.clone(),
            terms: self.terms,
            events: self.events,
            constraints: self.constraints.clone(),
            log_factorials: self.log_factorials,
            source: self.source.clone(),
            pieces,
            made_from: Arc::default(),
            held: OnceLock::new(),
            held_like: None,
        }
    }

    /// The distribution of each pair.
    pub fn pair_names(&self) -> impl Iterator<Item = &str> {
        self.source.pairs.iter().map(|pair| pair.name.as_str())
    }

    /// The data of each pair, where the document names them.
    pub fn data_names(&self) -> impl Iterator<Item = Option<&str>> {
        self.source.pairs.iter().map(|pair| pair.data.as_deref())
    }

    /// Memory for [`GraphLikelihood::value`], which allocates nothing more, but where an integral needs more cells than ever
    /// before, or is another one for each event.
    pub fn scratch(&self) -> Scratch {
        Scratch::new(self.pieces.iter().map(|piece| &piece.program), self.parameters.len())
    }

    /// −ln L as the specification defines it (spec/hs3.md, eq. 41), for a value of each parameter; +∞ outside of the
    /// domain.
    pub fn value(&self, theta: &[f64], scratch: &mut Scratch) -> f64 {
        if theta.len() != self.parameters.len() {
            return f64::INFINITY;
        }
        let mut total = 0.0;
        for (piece, memory) in self.pieces.iter().zip(&mut scratch.programs) {
            total += piece.program.value(theta, memory);
        }
        in_domain(total)
    }

    /// As [`GraphLikelihood::value`], with the derivative to each parameter; zeros outside of the domain.
    pub fn value_and_gradient(&self, theta: &[f64], gradient: &mut [f64], scratch: &mut Scratch) -> f64 {
        if theta.len() != self.parameters.len() || gradient.len() != theta.len() {
            return f64::INFINITY;
        }
        gradient.fill(0.0);
        let mut total = 0.0;
        for (at, piece) in self.pieces.iter().enumerate() {
            let (own, memory) = scratch.of(at);
            total += piece.program.value_and_gradient(theta, own, memory);
            piece.parameters.iter().for_each(|i| gradient[*i] += own[*i]);
        }
        let value = in_domain(total);
        if value == f64::INFINITY {
            gradient.fill(0.0);
        }
        value
    }

    /// As [`GraphLikelihood::value_and_gradient`], and keeps the second derivatives for [`GraphLikelihood::hessians`].
    pub fn value_gradient_hessians(&self, theta: &[f64], gradient: &mut [f64], scratch: &mut Scratch) -> f64 {
        if theta.len() != self.parameters.len() || gradient.len() != theta.len() {
            return f64::INFINITY;
        }
        gradient.fill(0.0);
        let mut total = 0.0;
        for (at, piece) in self.pieces.iter().enumerate() {
            total += piece.hessian(theta, scratch, at);
            let own = scratch.gradient();
            piece.parameters.iter().for_each(|i| gradient[*i] += own[*i]);
        }
        let value = in_domain(total);
        if value == f64::INFINITY {
            gradient.fill(0.0);
        }
        value
    }

    /// How many of the pairs, and the constraints, have second derivatives from differences of the gradient.
    pub fn n_by_differences(&self) -> usize {
        self.pieces.iter().filter(|piece| !piece.program.has_hessian()).count()
    }

    /// Calls `visit` with the parameters of each pair and the matrix of its second derivatives (square, row-major), then
    /// with those of the constraints, at the point of the last [`GraphLikelihood::value_gradient_hessians`] with this
    /// scratch. One parameter may be in several.
    pub fn hessians(&self, scratch: &Scratch, mut visit: impl FnMut(&[usize], &[f64])) {
        for (piece, square) in self.pieces.iter().zip(&scratch.squares) {
            visit(&piece.parameters, square);
        }
    }

    /// What is to be added to −ln L for RooFit's number: N ln k of k channels, without ln N! of extended densities
    /// (spec/hs3.md, eq. 42). HistFactory channels that were left out are not counted.
    pub fn roofit_offset(&self) -> f64 {
        let channels = if self.terms > 1 { self.events * (self.terms as f64).ln() } else { 0.0 };
        channels - self.log_factorials
    }

    /// Why the last evaluation with this scratch was outside of the domain; nothing if it was inside.
    pub fn reason(&self, scratch: &Scratch) -> Option<String> {
        for (at, (piece, memory)) in self.pieces.iter().zip(&scratch.programs).enumerate() {
            if piece.program.integral_failed(memory) {
                let of = self.piece_name(at);
                return Some(format!("an integral of the density{of} is zero, infinite or does not converge"));
            }
            if !piece.program.rest_is_finite(memory) {
                return Some(match at {
                    0 => "a constraint is outside of its domain".to_string(),
                    _ => format!("the expected number of events{} is outside of its domain", self.piece_name(at)),
                });
            }
            if memory.sums.iter().any(|sum| !sum.is_finite()) {
                return Some(format!("the density{} is zero, negative or undefined at an event", self.piece_name(at)));
            }
        }
        None
    }

    /// " of" with the name of the distribution of a piece.
    pub(super) fn piece_name(&self, piece: usize) -> String {
        let pair = piece.checked_sub(1).and_then(|at| self.source.pairs.get(at));
        pair.map_or_else(String::new, |pair| format!(" of {}", quote(&pair.name)))
    }
}

/// No likelihood is infinite: where the integral of a density vanishes, nothing is in the domain.
fn in_domain(value: f64) -> f64 {
    if value.is_nan() || value == f64::NEG_INFINITY { f64::INFINITY } else { value }
}
