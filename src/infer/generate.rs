//! Pseudo-data: counts and auxiliary data drawn from the model at a point (spec/inference.md, "Toys").

use super::event_source::EventSource;
use super::pair_source::PairSource;
use super::random::{Ensemble, Purpose, Variate};
use crate::graph::NoData;
use crate::kernel::Evaluator;
use crate::model::{Correlation, Data};
use crate::program::{CompiledCorrelation, Program};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// What of a toy is random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToyKind {
    /// Main and auxiliary data are drawn at the point.
    Frequentist,
    /// Main data only; auxiliary data as observed.
    MainOnly,
    /// Constrained parameters are drawn from their constraint terms around the point (as densities of the parameter, in
    /// its bounds), main data at what they give; auxiliary data as observed.
    BayesianPredictive,
    /// As `BayesianPredictive` with the parameters from a covariance around the point.
    PosteriorPredictive,
}

/// Why a toy has no data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GenerationFailure {
    /// The point gives this bin an expected yield from which nothing can be drawn: negative or beyond binary64.
    Bin { channel: usize, bin: usize, expected: f64 },
    /// The same of the auxiliary measurement of this parameter.
    AuxiliaryMeasurement { parameter: usize, expected: f64 },
    /// No draw of this parameter, of many, lay within its bounds.
    OutsideBounds { parameter: usize },
    /// The covariance is not positive definite.
    Covariance,
    /// An unbinned term (index in the model) has no reference events.
    NoReference { term: usize },
    /// A row of an unbinned term cannot be drawn: its weight at the point is negative or no number.
    Event { term: usize, row: usize, weight: f64 },
    /// A pair of a density and its data has no toys, or no Asimov data.
    Densities { pair: usize, why: NoData },
}

/// So often a parameter is drawn again when it is outside its bounds.
const MOST_DRAWS: usize = 1000;

/// From what toys are made. Slices are in fit order (n_parameters).
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    pub kind: ToyKind,
    pub ensemble: Ensemble,
    pub point: &'a [f64],
    /// Parameters that are not drawn.
    pub held: &'a [bool],
    pub bounds: &'a [(f64, f64)],
    /// Gives the auxiliary data that are kept.
    pub observed: &'a Data,
    /// n × n, row-major; that of `PosteriorPredictive`.
    pub covariance: Option<&'a [f64]>,
}

/// From what the main and auxiliary data of a toy are drawn, in order, and its single events.
#[derive(Clone, Debug)]
struct Distributions {
    variates: Vec<Variate>,
    events: Vec<EventSource>,
    densities: Vec<PairSource>,
}

/// A group of parameters that vary together.
#[derive(Clone, Debug)]
struct CorrelatedPrior {
    correlation: Correlation,
    sigmas: Vec<f64>,
    held: Vec<bool>,
}

/// Draws toys of one ensemble at one point. Toys depend on ensemble and index alone.
#[derive(Clone, Debug)]
pub struct Generator {
    pub ensemble: Ensemble,
    kind: ToyKind,
    point: Vec<f64>,
    /// Where the parameters do not vary: of the main data, then of the auxiliary data.
    fixed: Option<Distributions>,
    observed: Data,
    /// Of each parameter (index, distribution, bounds).
    priors: Vec<(usize, Variate, (f64, f64))>,
    /// Those of parameters whose constraints are correlated.
    correlated: Vec<CorrelatedPrior>,
    /// Lower triangular factor of the covariance and what it acts on.
    factor: Option<(Vec<usize>, nalgebra::DMatrix<f64>)>,
    bounds: Vec<(f64, f64)>,
}

impl Generator {
    pub fn new(evaluator: &mut Evaluator, origin: &Origin) -> Result<Generator, GenerationFailure> {
        let &Origin { kind, ensemble, point, held, bounds, observed, covariance } = origin;
        let mut generator = Generator {
            ensemble,
            kind,
            point: point.to_vec(),
            fixed: None,
            observed: observed.clone(),
            priors: Vec::new(),
            correlated: Vec::new(),
            factor: None,
            bounds: bounds.to_vec(),
        };
        match kind {
            ToyKind::Frequentist | ToyKind::MainOnly => {
                generator.fixed = Some(generator.distributions(evaluator, point)?)
            }
            ToyKind::BayesianPredictive => generator.set_priors(evaluator, held)?,
            ToyKind::PosteriorPredictive => {
                let matrix = covariance.ok_or(GenerationFailure::Covariance)?;
                generator.set_factor(held, matrix)?;
            }
        }
        Ok(generator)
    }

    pub fn point(&self) -> &[f64] {
        &self.point
    }

    /// Writes the data of a toy.
    pub fn draw(&self, evaluator: &mut Evaluator, toy: u64, data: &mut Data) -> Result<(), GenerationFailure> {
        let mut stream = self.ensemble.stream(Purpose::Data, toy);
        let own;
        let Distributions { variates, events, densities } = match &self.fixed {
            Some(distributions) => distributions,
            None => {
                own = self.distributions(evaluator, &self.parameters(toy)?)?;
                &own
            }
        };
        data.unbinned.fill(0.0);
        let n_main = data.main.len();
        for (n, variate) in data.main.iter_mut().zip(variates) {
            *n = variate.draw(&mut stream);
        }
        for (n, variate) in data.auxiliary.iter_mut().zip(&variates[n_main..]) {
            *n = variate.draw(&mut stream);
        }
        if self.kind == ToyKind::Frequentist {
            self.correlate(evaluator.program, &mut data.auxiliary);
        }
        let (_, measured) = evaluator.program.beyond_parameters();
        if let (false, Some(unit)) = (measured.is_empty(), Variate::normal(0.0, 1.0)) {
            evaluator.program.measurements.add_errors(|| unit.draw(&mut stream), &mut data.auxiliary[measured]);
        }
        events.iter().for_each(|source| source.draw(&mut stream, &mut data.unbinned));
        data.densities = match densities.as_slice() {
            [] => None,
            densities => Some(Arc::new(PairSource::draw_all(densities, &mut stream)?)),
        };
        Ok(())
    }

    fn distributions(&self, evaluator: &mut Evaluator, point: &[f64]) -> Result<Distributions, GenerationFailure> {
        Ok(Distributions {
            variates: self.variates(evaluator, point)?,
            events: EventSource::of_terms(evaluator, point)?,
            densities: PairSource::of_pairs(evaluator, point)?,
        })
    }

    /// Makes the errors of independent auxiliary data those of correlated ones.
    fn correlate(&self, program: &Program, auxiliary: &mut [f64]) {
        for group in &program.correlations {
            let places = || group.auxiliary.iter().zip(&group.parameters).zip(&group.gaussians);
            let width = |gaussian: usize| program.constraints.gaussians[gaussian].1;
            let mut errors: Vec<f64> =
                places().map(|((a, p), gaussian)| (auxiliary[*a] - self.point[*p]) / width(*gaussian)).collect();
            group.source.correlate(&mut errors);
            for (((a, p), gaussian), error) in places().zip(&errors) {
                auxiliary[*a] = self.point[*p] + width(*gaussian) * error;
            }
        }
    }

    /// Draws the parameters of a group of correlated constraints, those that are held apart.
    fn draw_group(
        &self,
        group: &CorrelatedPrior,
        stream: &mut ChaCha8Rng,
        parameters: &mut [f64],
    ) -> Result<(), GenerationFailure> {
        let unit = Variate::normal(0.0, 1.0).ok_or(GenerationFailure::Covariance)?;
        let mut outside = 0;
        for _ in 0..MOST_DRAWS {
            let mut errors: Vec<f64> = group.sigmas.iter().map(|_| unit.draw(stream)).collect();
            group.correlation.correlate(&mut errors);
            for (k, &index) in group.correlation.parameters.iter().enumerate().filter(|(k, _)| !group.held[*k]) {
                parameters[index] = self.point[index] + group.sigmas[k] * errors[k];
            }
            let inside = |i: usize| (self.bounds[i].0..=self.bounds[i].1).contains(&parameters[i]);
            let free = group.correlation.parameters.iter().zip(&group.held).filter(|(_, held)| !**held);
            match free.map(|(i, _)| *i).find(|i| !inside(*i)) {
                None => return Ok(()),
                Some(index) => outside = index,
            }
        }
        Err(GenerationFailure::OutsideBounds { parameter: outside })
    }

    /// The parameters at which a toy is made.
    fn parameters(&self, toy: u64) -> Result<Vec<f64>, GenerationFailure> {
        let mut stream = self.ensemble.stream(Purpose::Parameters, toy);
        let mut parameters = self.point.clone();
        for &(index, variate, (low, high)) in &self.priors {
            let inside = (0..MOST_DRAWS).map(|_| variate.draw(&mut stream)).find(|x| (low..=high).contains(x));
            parameters[index] = inside.ok_or(GenerationFailure::OutsideBounds { parameter: index })?;
        }
        for group in &self.correlated {
            self.draw_group(group, &mut stream, &mut parameters)?;
        }
        let Some((free, factor)) = &self.factor else { return Ok(parameters) };
        let unit = Variate::normal(0.0, 1.0).ok_or(GenerationFailure::Covariance)?;
        let mut outside = 0;
        for _ in 0..MOST_DRAWS {
            let z = nalgebra::DVector::from_iterator(free.len(), free.iter().map(|_| unit.draw(&mut stream)));
            for (&index, shift) in free.iter().zip((factor * z).iter()) {
                parameters[index] = self.point[index] + shift;
            }
            let out = |&&i: &&usize| !(self.bounds[i].0..=self.bounds[i].1).contains(&parameters[i]);
            match free.iter().find(out) {
                None => return Ok(parameters),
                Some(&index) => outside = index,
            }
        }
        Err(GenerationFailure::OutsideBounds { parameter: outside })
    }

    /// Distributions of main and auxiliary data at a point.
    fn variates(&self, evaluator: &mut Evaluator, point: &[f64]) -> Result<Vec<Variate>, GenerationFailure> {
        let program = evaluator.program;
        let (mut main, mut auxiliary) = (vec![0.0; program.n_bins()], vec![0.0; program.n_auxdata()]);
        evaluator.profiled(point, &program.prepare(&self.observed), &mut main, &mut auxiliary);
        let mut variates = Vec::with_capacity(main.len() + auxiliary.len());
        for (index, &expected) in main.iter().enumerate() {
            let (channel, bin) = program.layout.channel_of_bin(index);
            variates.push(Variate::poisson(expected).ok_or(GenerationFailure::Bin { channel, bin, expected })?);
        }
        // The points of the measurements vary in all kinds of toys, together: around their means, in `draw`.
        let (_, measured) = program.beyond_parameters();
        let means = auxiliary[measured.clone()].iter().copied().map(Variate::Constant);
        if self.kind != ToyKind::Frequentist {
            variates.extend(self.observed.auxiliary[..measured.start].iter().copied().map(Variate::Constant));
            variates.extend(means);
            return Ok(variates);
        }
        let mut drawn = vec![Variate::Constant(0.0); auxiliary.len()];
        for &(parameter, sigma, index) in &program.constraints.gaussians {
            let (parameter, expected) = (parameter as usize, auxiliary[index as usize]);
            let failure = GenerationFailure::AuxiliaryMeasurement { parameter, expected };
            drawn[index as usize] = Variate::normal(expected, sigma).ok_or(failure)?;
        }
        for &(parameter, _, index) in &program.constraints.poissons {
            let (parameter, expected) = (parameter as usize, auxiliary[index as usize]);
            let failure = GenerationFailure::AuxiliaryMeasurement { parameter, expected };
            drawn[index as usize] = Variate::poisson(expected).ok_or(failure)?;
        }
        let (of_bins, _) = program.beyond_parameters();
        for (bin, (drawn, eta)) in drawn[of_bins.clone()].iter_mut().zip(&auxiliary[of_bins]).enumerate() {
            let (channel, bin) = program.layout.channel_of_bin(program.responses.uncertain[bin] as usize);
            let failure = GenerationFailure::Bin { channel, bin, expected: *eta };
            *drawn = Variate::normal(*eta, 1.0).ok_or(failure)?;
        }
        drawn.truncate(measured.start);
        variates.extend(drawn.into_iter().chain(means));
        Ok(variates)
    }

    /// Constraint terms as densities of their parameter, centred at the point: a Gaussian stays one, a Poisson term of
    /// factor τ at γ₀ is Gamma(τγ₀ + 1, τ).
    fn set_priors(&mut self, evaluator: &Evaluator, held: &[bool]) -> Result<(), GenerationFailure> {
        let constraints = &evaluator.program.constraints;
        let gaussians = constraints.gaussians.iter().map(|&(parameter, sigma, _)| {
            let parameter = parameter as usize;
            (parameter, Variate::normal(self.point[parameter], sigma))
        });
        let poissons = constraints.poissons.iter().map(|&(parameter, factor, _)| {
            let parameter = parameter as usize;
            (parameter, Variate::gamma(factor * self.point[parameter] + 1.0, factor))
        });
        let correlations = &evaluator.program.correlations;
        let is_correlated = |parameter: &usize| correlations.iter().any(|group| group.parameters.contains(parameter));
        let mut priors = Vec::new();
        let alone = |(parameter, _): &(usize, _)| !held[*parameter] && !is_correlated(parameter);
        for (parameter, variate) in gaussians.chain(poissons).filter(alone) {
            let expected = self.point[parameter];
            let failure = GenerationFailure::AuxiliaryMeasurement { parameter, expected };
            priors.push((parameter, variate.ok_or(failure)?, self.bounds[parameter]));
        }
        self.priors = priors;
        let group = |group: &CompiledCorrelation| CorrelatedPrior {
            correlation: group.source.clone(),
            sigmas: group.gaussians.iter().map(|gaussian| constraints.gaussians[*gaussian].1).collect(),
            held: group.parameters.iter().map(|parameter| held[*parameter]).collect(),
        };
        self.correlated = correlations.iter().map(group).collect();
        Ok(())
    }

    fn set_factor(&mut self, held: &[bool], covariance: &[f64]) -> Result<(), GenerationFailure> {
        let n = self.point.len();
        let free: Vec<usize> = (0..n).filter(|&i| !held[i]).collect();
        let matrix = nalgebra::DMatrix::from_fn(free.len(), free.len(), |i, j| covariance[free[i] * n + free[j]]);
        let factor = nalgebra::Cholesky::new(matrix).ok_or(GenerationFailure::Covariance)?.l();
        self.factor = Some((free, factor));
        Ok(())
    }
}
