//! Measurements with Gaussian errors as flat arrays. Points stand in the order of the blocks of their covariance.

use super::Place;
use super::quadratic_means::{QuadraticMeans, QuadraticPoint, is_dense, pair};
use super::response::{RowResponse, compile};
use crate::kernel::simd::{Lanes, ZERO};
use crate::model::eft::measurement::{Flat, MeasurementSet, Measurements, WhiteningBlock};
use crate::model::eft::{Form, Monomial, Polynomial};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// All measurements of a model.
#[derive(Clone, Debug, Default)]
pub(crate) struct CompiledMeasurements {
    /// For each point of the model its place in the order of the blocks.
    pub position: Vec<u32>,
    /// The parameters that means follow, ascending, and their shared places.
    pub parameters: Vec<u32>,
    pub places: Vec<u32>,
    pub quadratic: QuadraticMeans,
    /// Other polynomials.
    pub polynomials: PolynomialMeans,
    /// Means that are no polynomials, with the positions of their points.
    pub products: Vec<(RowResponse, Vec<u32>)>,
    /// (position, variable, u): θ u is added to the mean.
    pub shifts: Vec<(u32, u32, f64)>,
    pub blocks: Vec<CompiledBlock>,
    /// U and P (spec/gaussian.md, eq. 4).
    pub errors: Vec<Vec<f64>>,
    pub projector: Vec<Vec<f64>>,
    pub ln_det: f64,
    /// The parameters of the means' responses: not those that only shift means.
    pub followed: Vec<u32>,
    pub clamped: Vec<FlatPoint>,
    pub marginalised: Vec<FlatPoint>,
}

/// A point with a flat error that is no parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlatPoint {
    pub position: u32,
    pub half_width: f64,
    /// √V_aa of a point that nothing correlates.
    pub sigma: f64,
}

/// W of the points `first..first + n`: its rows packed, and in lanes.
#[derive(Clone, Debug)]
pub(crate) struct CompiledBlock {
    pub first: usize,
    pub n: usize,
    pub rows: Vec<f64>,
    /// Eight rows at a time, their columns up to the last of them; eight columns at a time, their rows from the first on.
    pub by_row: Vec<Lanes>,
    pub by_column: Vec<Lanes>,
}

/// Polynomial means of many points: monomials once for all, eight points at a time with the monomials that any of
/// the eight has.
#[derive(Clone, Debug, Default)]
pub(crate) struct PolynomialMeans {
    /// Products of two earlier nodes: node 0 is one, node i + 1 is variable i, these follow.
    pub nodes: Vec<[u32; 2]>,
    /// For each monomial its node, and its variables.
    pub node_of_monomial: Vec<u32>,
    pub monomials: Vec<Monomial>,
    pub groups: Vec<PointGroup>,
    /// Index of the monomial, and coefficients of the eight points, of each entry.
    pub monomial_of_entry: Vec<u32>,
    pub coefficients: Vec<Lanes>,
}

/// Eight points: their positions, none twice; those of the last group may be fewer.
#[derive(Clone, Debug)]
pub(crate) struct PointGroup {
    pub positions: Vec<u32>,
    pub entries: Range<usize>,
}

impl CompiledMeasurements {
    pub fn new(measurements: &Measurements, places: &[Place]) -> CompiledMeasurements {
        let whitening = &measurements.whitening;
        let mut compiled = CompiledMeasurements {
            position: vec![0; measurements.n_points()],
            errors: whitening.errors.clone(),
            projector: whitening.projector.clone(),
            ln_det: whitening.ln_det,
            ..CompiledMeasurements::default()
        };
        let order = whitening.blocks.iter().flat_map(|block| &block.points);
        for (position, point) in order.enumerate() {
            compiled.position[*point] = position as u32;
        }
        let mut first = 0;
        for block in &whitening.blocks {
            compiled.blocks.push(CompiledBlock::new(block, first));
            first += block.points.len();
        }
        let parameters: BTreeSet<usize> = measurements.parameters().collect();
        compiled.places = parameters.iter().filter_map(|parameter| shared_place(places, *parameter)).collect();
        compiled.parameters = parameters.iter().map(|parameter| *parameter as u32).collect();
        let variable = |parameter: usize| parameters.range(..parameter).count() as u32;
        let mut polynomials = Vec::new();
        let mut next = 0;
        for set in &measurements.sets {
            let positions = compiled.position[next..next + set.data.len()].to_vec();
            next += set.data.len();
            for (parameter, errors) in &set.shifts {
                let of_points = positions.iter().zip(errors).filter(|(_, error)| **error != 0.0);
                compiled.shifts.extend(of_points.map(|(position, error)| (*position, variable(*parameter), *error)));
            }
            match polynomial_of(set) {
                Some(polynomial) => {
                    let variables: Vec<u32> = set.mean.parameters.iter().map(|p| variable(*p)).collect();
                    polynomials.push((polynomial.renamed(&variables), positions));
                }
                None => compiled.products.push((compile(&set.mean, places, [0, 0, set.data.len()]), positions)),
            }
        }
        let followed = measurements.sets.iter().flat_map(|set| &set.mean.parameters);
        compiled.followed =
            followed.map(|parameter| *parameter as u32).collect::<BTreeSet<u32>>().into_iter().collect();
        compiled.set_flat(&measurements.flat);
        let n_variables = compiled.parameters.len();
        let (quadratic, other) = points(&polynomials);
        compiled.quadratic = QuadraticMeans::new(quadratic, n_variables);
        compiled.polynomials = PolynomialMeans::new(other, n_variables);
        compiled
    }

    fn set_flat(&mut self, flat: &Flat) {
        let sigmas: Vec<f64> =
            self.blocks.iter().flat_map(|block| (0..block.n).map(|i| 1.0 / block.rows[i * (i + 1) / 2 + i])).collect();
        let points = |widths: &[f64]| -> Vec<FlatPoint> {
            let flat = widths.iter().zip(&self.position).filter(|(width, _)| **width > 0.0);
            let sigma = |position: u32| sigmas[position as usize];
            flat.map(|(h, &position)| FlatPoint { position, half_width: *h, sigma: sigma(position) }).collect()
        };
        match flat {
            Flat::Clamped(widths) => self.clamped = points(widths),
            Flat::Marginalised(widths) => self.marginalised = points(widths),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.position.is_empty()
    }

    pub fn n_points(&self) -> usize {
        self.position.len()
    }

    /// All means are linear in the parameters.
    pub fn is_linear(&self) -> bool {
        let curved = self.quadratic.groups.iter().flat_map(|group| {
            let n = group.variables.len();
            &self.quadratic.coefficients[group.coefficients.clone()][1 + n..]
        });
        let flat = curved.into_iter().all(|lanes| lanes.0.iter().all(|x| *x == 0.0));
        let linear = |monomial: &Monomial| monomial.len() <= 1;
        let gaussian = self.clamped.is_empty() && self.marginalised.is_empty();
        self.products.is_empty() && gaussian && flat && self.polynomials.monomials.iter().all(linear)
    }

    /// Adds errors with the covariance V to one value a point, in the order of the model: W r = x + U α with unit normal
    /// x and α; then flat errors that are integrated over.
    pub fn add_errors(&self, mut unit: impl FnMut() -> f64, values: &mut [f64]) {
        let mut errors: Vec<f64> = (0..self.n_points()).map(|_| unit()).collect();
        for shared in &self.errors {
            let alpha = unit();
            errors.iter_mut().zip(shared).for_each(|(error, u)| *error += u * alpha);
        }
        for block in &self.blocks {
            let mut rest = &block.rows[..];
            for i in 0..block.n {
                let (row, below) = rest.split_at(i + 1);
                rest = below;
                let known: f64 = row[..i].iter().zip(&errors[block.first..]).map(|(w, r)| w * r).sum();
                errors[block.first + i] = (errors[block.first + i] - known) / row[i];
            }
        }
        for point in &self.marginalised {
            // Φ of a normal variate is uniform.
            let uniform = 1.0 - libm::erfc(unit() / std::f64::consts::SQRT_2);
            errors[point.position as usize] += point.half_width * uniform;
        }
        for (value, position) in values.iter_mut().zip(&self.position) {
            *value += errors[*position as usize];
        }
    }

    /// Independent values of unit variance from residuals in the order of the model; then α̂.
    pub fn whiten(&self, residuals: &[f64]) -> Vec<f64> {
        let mut ordered = vec![0.0; self.n_points()];
        for (residual, position) in residuals.iter().zip(&self.position) {
            ordered[*position as usize] = *residual;
        }
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut whitened = Vec::with_capacity(self.n_points() + self.errors.len());
        for block in &self.blocks {
            let own = &ordered[block.first..block.first + block.n];
            let mut rest = &block.rows[..];
            for i in 0..block.n {
                let (row, below) = rest.split_at(i + 1);
                rest = below;
                whitened.push(dot(row, own));
            }
        }
        let alpha: Vec<f64> = self.projector.iter().map(|projector| dot(projector, &whitened)).collect();
        for (alpha, errors) in alpha.iter().zip(&self.errors) {
            whitened.iter_mut().zip(errors).for_each(|(z, u)| *z -= alpha * u);
        }
        whitened.extend(alpha);
        whitened
    }

    /// The index of a parameter among the variables.
    pub fn variable(&self, parameter: u32) -> Option<usize> {
        self.parameters.binary_search(&parameter).ok()
    }
}

fn shared_place(places: &[Place], parameter: usize) -> Option<u32> {
    match places[parameter] {
        Place::Shared(place) => Some(place),
        Place::Local(_) => None,
    }
}

/// The polynomial that the means are, if they are one.
fn polynomial_of(set: &MeasurementSet) -> Option<&Polynomial> {
    match &set.mean.form {
        Form::Product(factors) => match &factors[..] {
            [factor] if factor.power == 1 => Some(&factor.polynomial),
            _ => None,
        },
        Form::Events(_) => None,
    }
}

impl CompiledBlock {
    fn new(block: &WhiteningBlock, first: usize) -> CompiledBlock {
        let n = block.points.len();
        let element = |i: usize, j: usize| if j <= i && i < n { block.inverse[i * (i + 1) / 2 + j] } else { 0.0 };
        let (mut by_row, mut by_column) = (Vec::new(), Vec::new());
        for group in (0..n).step_by(8) {
            let of_eight = |element: &dyn Fn(usize) -> f64| Lanes(std::array::from_fn(|k| element(group + k)));
            by_row.extend((0..n.min(group + 8)).map(|j| of_eight(&|i| element(i, j))));
            by_column.extend((group..n).map(|i| of_eight(&|j| element(i, j))));
        }
        CompiledBlock { first, n, rows: block.inverse.clone(), by_row, by_column }
    }
}

/// A point: its position, and its terms.
type ListedPoint = (u32, Vec<(Monomial, f64)>);

/// The points of polynomials in the variables of all measurements, with the positions of their bins: those whose
/// quadratic means fill a triangle, and the others.
fn points(polynomials: &[(Polynomial, Vec<u32>)]) -> (Vec<QuadraticPoint>, Vec<ListedPoint>) {
    let (mut quadratic, mut other) = (Vec::new(), Vec::new());
    for (polynomial, positions) in polynomials {
        for (bin, position) in positions.iter().enumerate() {
            let terms = polynomial.terms().map(|(monomial, a)| (monomial.clone(), a[bin]));
            let terms: Vec<(Monomial, f64)> = terms.filter(|(_, a)| *a != 0.0).collect();
            let pairs: Option<BTreeMap<[u32; 2], f64>> = terms.iter().map(|(m, a)| Some((pair(m)?, *a))).collect();
            match pairs.map(|pairs| (*position, pairs)).filter(is_dense) {
                Some(point) => quadratic.push(point),
                None => other.push((*position, terms)),
            }
        }
    }
    (quadratic, other)
}

impl PolynomialMeans {
    /// From points with their terms.
    fn new(points: Vec<ListedPoint>, n_variables: usize) -> PolynomialMeans {
        let mut means = PolynomialMeans::default();
        let mut index: BTreeMap<Monomial, u32> = BTreeMap::new();
        for (monomial, _) in points.iter().flat_map(|(_, terms)| terms) {
            index.entry(monomial.clone()).or_insert_with(|| {
                means.monomials.push(monomial.clone());
                means.monomials.len() as u32 - 1
            });
        }
        means.set_nodes(n_variables);
        let mut points: Vec<(u32, Vec<(u32, f64)>)> = points
            .into_iter()
            .map(|(position, terms)| (position, terms.into_iter().map(|(m, a)| (index[&m], a)).collect()))
            .collect();
        // Points with the same monomials come together, so that few places of a group are empty.
        points.sort_by_cached_key(|(position, terms)| {
            (terms.len(), terms.iter().map(|(k, _)| *k).collect::<Vec<_>>(), *position)
        });
        for group in points.chunks(8) {
            means.add_group(group);
        }
        means
    }

    /// Nodes for all monomials; what monomials have in common is computed once.
    fn set_nodes(&mut self, n_variables: usize) {
        let mut known: BTreeMap<Monomial, u32> = BTreeMap::from([(Vec::new(), 0)]);
        known.extend((0..n_variables as u32).map(|i| (vec![i], i + 1)));
        for monomial in &self.monomials {
            let mut node = 0;
            for (length, variable) in monomial.iter().enumerate() {
                let next = self.nodes.len() as u32 + n_variables as u32 + 1;
                let nodes = &mut self.nodes;
                node = *known.entry(monomial[..=length].to_vec()).or_insert_with(|| {
                    nodes.push([node, variable + 1]);
                    next
                });
            }
            self.node_of_monomial.push(node);
        }
    }

    fn add_group(&mut self, points: &[(u32, Vec<(u32, f64)>)]) {
        let mut entries: BTreeMap<u32, Lanes> = BTreeMap::new();
        for (lane, (_, terms)) in points.iter().enumerate() {
            for (monomial, a) in terms {
                entries.entry(*monomial).or_insert(ZERO).0[lane] = *a;
            }
        }
        let first = self.coefficients.len();
        self.monomial_of_entry.extend(entries.keys());
        self.coefficients.extend(entries.values());
        let positions = points.iter().map(|(position, _)| *position).collect();
        self.groups.push(PointGroup { positions, entries: first..self.coefficients.len() });
    }

    pub fn n_nodes(&self, n_variables: usize) -> usize {
        1 + n_variables + self.nodes.len()
    }
}
