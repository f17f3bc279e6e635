//! Measurements with Gaussian errors → their means, and the covariance of all points (spec/gaussian.md).

use super::combine::series;
use super::response::{product_of_powers, terms, truncate};
use super::transform::impossible;
use super::variables::Variables;
use super::{EftContext, Owner};
use crate::document::eft::{
    Correlation, Distribution, FlatErrors, GaussianMeasurement, GaussianSystematic, MultiplicativeReference,
    Prediction, SystematicKind,
};
use crate::finding::{Finding, Findings, Result, quote};
use crate::model::eft::measurement::{
    Covariance, CovarianceBlock, Flat, MeasurementSet, Measurements, NotPositive, Whitening,
};
use crate::model::eft::{Factor, Form, Polynomial, Response, rational};
use crate::rule;
use std::collections::{BTreeMap, HashSet};

/// One measurement with its place among all points, its means at zero, and the errors of its systematics.
struct Prepared<'w> {
    document: &'w GaussianMeasurement,
    first: usize,
    /// For each systematic the error of each point, in units of the data.
    errors: Vec<Vec<f64>>,
}

impl EftContext<'_> {
    /// # Errors
    /// `InvalidEft` for means without a series, and for errors whose covariance is not positive definite.
    pub fn measurements(&mut self) -> Result<Measurements> {
        let (mut sets, mut prepared) = (Vec::new(), Vec::new());
        let mut first = 0;
        for document in &self.eft.gaussian_measurements {
            let mut variables = Variables::new(self.eft, self.ranges);
            let mut form = form(document, self.options.max_np_order, &mut variables)?;
            scale(document, &mut form, &mut variables)?;
            let errors = errors(document, &form, variables.parameters.len());
            let mean = Response { parameters: variables.parameters, form, variance: None };
            let mean = self.transform.of_response(mean).map_err(|error| impossible(&error))?;
            let adding = document.systematics.iter().zip(&errors).filter(|(s, _)| !s.follows_prediction(document));
            let shifts = adding.flat_map(|(s, errors)| self.shifts(s, errors));
            sets.push(MeasurementSet {
                name: document.name.clone(),
                data: document.data.clone(),
                shifts: shifts.collect(),
                mean,
            });
            prepared.push(Prepared { document, first, errors });
            first += document.data.len();
        }
        let covariance = self.covariance(&prepared, first);
        let whitening =
            Whitening::new(&covariance).map_err(|error| self.not_positive(&prepared, &covariance, &error))?;
        let half_widths = self.half_widths(&prepared, first);
        let flat = match self.eft.flat_errors {
            FlatErrors::Marginalised => Flat::Marginalised(half_widths),
            _ => Flat::Clamped(half_widths),
        };
        self.check_independent(&prepared, &flat, &covariance)?;
        let told = strong_correlations(&prepared, &covariance);
        self.warnings.0.extend(told);
        Ok(Measurements { sets, whitening, flat })
    }

    /// The parameter of a named Gaussian systematic, where it is one.
    fn nuisance(&self, systematic: &GaussianSystematic) -> Option<usize> {
        let named = systematic.is_named_gaussian();
        self.ranges.get(systematic.name.as_str()).filter(|_| named).map(|range| range.start)
    }

    /// The parameters of a systematic, each with what it adds to the points.
    fn shifts(&self, systematic: &GaussianSystematic, errors: &[f64]) -> Vec<(usize, Vec<f64>)> {
        if systematic.distribution == Distribution::Gaussian {
            return self.nuisance(systematic).map(|parameter| (parameter, errors.to_vec())).into_iter().collect();
        }
        let range = self.ranges.get(systematic.name.as_str());
        let Some(first) = range.filter(|_| self.eft.flat_errors == FlatErrors::Profiled).map(|range| range.start)
        else {
            return Vec::new();
        };
        if systematic.correlation != Correlation::None {
            return vec![(first, errors.to_vec())];
        }
        let alone = |i: usize| errors.iter().enumerate().map(|(a, e)| if a == i { *e } else { 0.0 }).collect();
        (0..errors.len()).map(|i| (first + i, alone(i))).collect()
    }

    /// Half widths of the flat errors that are no parameters, one a point; empty without any.
    fn half_widths(&self, prepared: &[Prepared], n: usize) -> Vec<f64> {
        let is_flat = |s: &&GaussianSystematic| s.distribution == Distribution::Flat;
        let mut flat = prepared.iter().flat_map(|set| &set.document.systematics).filter(is_flat);
        if self.eft.flat_errors == FlatErrors::Profiled || flat.next().is_none() {
            return Vec::new();
        }
        let mut widths = vec![0.0; n];
        for set in prepared {
            for (_, errors) in set.document.systematics.iter().zip(&set.errors).filter(|(s, _)| is_flat(s)) {
                for (width, error) in widths[set.first..].iter_mut().zip(errors) {
                    *width += error.abs();
                }
            }
        }
        widths
    }

    /// A flat error is integrated over in closed form only where nothing else correlates its point.
    fn check_independent(&self, prepared: &[Prepared], flat: &Flat, covariance: &Covariance) -> Result<()> {
        let Flat::Marginalised(widths) = flat else { return Ok(()) };
        let of_block = |block: &CovarianceBlock| {
            let n = block.points.len();
            let correlated = |i: &usize| (0..n).any(|j| j != *i && block.matrix[i * n + j] != 0.0);
            (0..n).filter(correlated).map(|i| block.points[i]).collect::<Vec<usize>>()
        };
        let shared = covariance.shared.iter().flatten().map(|(point, _)| *point);
        let mut correlated = covariance.blocks.iter().flat_map(of_block).chain(shared);
        let Some(point) = correlated.find(|point| widths.get(*point).is_some_and(|width| *width > 0.0)) else {
            return Ok(());
        };
        let set = prepared.iter().enumerate().rev().find(|(_, set)| set.first <= point);
        let (index, place, name) = set.map_or((0, point, ""), |(m, set)| (m, point - set.first, &set.document.name));
        let found = format!("point {place} of {}, which other errors correlate with other points", quote(name));
        let expected = "points of their own where flat errors are marginalised; profiled has no such limit";
        Err(Finding::new(&rule::GAUSSIAN_FLAT, found, expected)
            .at(format!("/eft/gaussian_measurements/{index}"))
            .into())
    }

    fn not_positive(&self, prepared: &[Prepared], covariance: &Covariance, error: &NotPositive) -> Findings {
        let names = prepared.iter().filter(|set| {
            let points = set.first..set.first + set.document.data.len();
            error.points.iter().any(|point| points.contains(point))
        });
        let names: Vec<String> = names.map(|set| quote(&set.document.name)).collect();
        let block = covariance.blocks.iter().find(|block| block.points == error.points);
        let too_large = block.is_some_and(|block| !block.matrix.iter().all(|x| x.is_finite()));
        let (what, expected) = if too_large {
            ("errors or covariances beyond the numbers that there are", "errors below 1e154; choose another unit")
        } else {
            let expected =
                "an error above zero for each point (above 1e-161, that its square is), and correlations below one";
            ("errors whose covariance is not positive definite", expected)
        };
        let found = format!("{what}, of {}", names.join(", "));
        Finding::new(&rule::GAUSSIAN_POSITIVE, found, expected).at("/eft/gaussian_measurements").into()
    }

    /// Blocks of points that anything but shared names correlates, and the errors of names that several blocks share.
    fn covariance(&self, prepared: &[Prepared], n: usize) -> Covariance {
        let mut groups: Vec<usize> = (0..prepared.len()).collect();
        let place = |name: &String| prepared.iter().position(|set| set.document.name == *name);
        let pairs: Vec<_> = self
            .eft
            .gaussian_correlations
            .iter()
            .filter_map(|pair| Some((place(&pair.measurements[0])?, place(&pair.measurements[1])?, &pair.covariance)))
            .collect();
        for (a, b, _) in &pairs {
            let (keep, drop) = (groups[*a].min(groups[*b]), groups[*a].max(groups[*b]));
            groups.iter_mut().filter(|group| **group == drop).for_each(|group| *group = keep);
        }
        let mut named: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
        for (index, set) in prepared.iter().enumerate() {
            for (s, systematic) in set.document.systematics.iter().enumerate() {
                if systematic.is_named_gaussian() && self.nuisance(systematic).is_none() {
                    named.entry(&systematic.name).or_default().push((index, s));
                }
            }
        }
        let of_points = |(index, s): &(usize, usize)| {
            let set = &prepared[*index];
            set.errors[*s].iter().enumerate().map(|(i, error)| (set.first + i, *error)).collect::<Vec<_>>()
        };
        let several = |places: &Vec<(usize, usize)>| {
            places.iter().map(|(index, _)| groups[*index]).collect::<HashSet<_>>().len() > 1
        };
        let named: Vec<_> = named.into_values().collect();
        let inside = named.iter().filter(|places| !several(places));
        let inside: Vec<Vec<(usize, f64)>> = inside.map(|places| places.iter().flat_map(of_points).collect()).collect();
        let shared = named.iter().filter(|places| several(places));
        let shared = shared.map(|places| places.iter().flat_map(of_points).collect()).collect();
        let mut blocks = Vec::new();
        for group in 0..prepared.len() {
            let members: Vec<usize> = (0..prepared.len()).filter(|set| groups[*set] == group).collect();
            if !members.is_empty() {
                blocks.push(block(prepared, &members, &inside, &pairs, n));
            }
        }
        Covariance { blocks, shared }
    }
}

/// Above this, the difference of two points is what rounding leaves of it.
const STRONG: f64 = 1.0 - 1e-12;

/// Pairs of points whose correlation is next to one, the first of each block.
fn strong_correlations(prepared: &[Prepared], covariance: &Covariance) -> Vec<Finding> {
    let of_point = |point: usize| {
        let set = prepared.iter().rev().find(|set| set.first <= point);
        set.map_or(String::new(), |set| format!("point {} of {}", point - set.first, quote(&set.document.name)))
    };
    let mut told = Vec::new();
    for block in &covariance.blocks {
        let n = block.points.len();
        let correlation = |i: usize, j: usize| {
            block.matrix[i * n + j] / (block.matrix[i * n + i].sqrt() * block.matrix[j * n + j].sqrt())
        };
        let pairs = (0..n).flat_map(|i| (0..i).map(move |j| (i, j)));
        let mut strong = pairs.filter(|(i, j)| correlation(*i, *j).abs() >= STRONG);
        if let Some((i, j)) = strong.next() {
            let others = strong.count();
            let more = if others > 0 { format!(", and {others} more pairs") } else { String::new() };
            let (a, b) = (of_point(block.points[j]), of_point(block.points[i]));
            let found = format!("the correlation {} of {a} and {b}{more}", correlation(i, j));
            let expected = "correlations that differ from one by more than 1e-12";
            told.push(Finding::new(&rule::GAUSSIAN_CORRELATION, found, expected).at("/eft/gaussian_measurements"));
        }
    }
    told
}

/// V of the points of some measurements, without what other blocks share.
fn block(
    prepared: &[Prepared],
    members: &[usize],
    named: &[Vec<(usize, f64)>],
    pairs: &[(usize, usize, &Vec<Vec<f64>>)],
    n_points: usize,
) -> CovarianceBlock {
    let range = |set: &Prepared| set.first..set.first + set.document.data.len();
    let points: Vec<usize> = members.iter().flat_map(|member| range(&prepared[*member])).collect();
    let n = points.len();
    let mut place = vec![usize::MAX; n_points];
    points.iter().enumerate().for_each(|(i, point)| place[*point] = i);
    let mut matrix = vec![0.0; n * n];
    let mut outer = |errors: &[(usize, f64)]| {
        for (a, x) in errors {
            for (b, y) in errors {
                matrix[place[*a] * n + place[*b]] += x * y;
            }
        }
    };
    for member in members {
        let set = &prepared[*member];
        let single = |i: usize, error: f64| [(set.first + i, error)];
        set.document.uncorrelated.iter().enumerate().for_each(|(i, error)| outer(&single(i, *error)));
        let gaussian = |(s, _): &(&GaussianSystematic, &Vec<f64>)| {
            s.distribution == Distribution::Gaussian && !s.follows_prediction(set.document)
        };
        for (systematic, errors) in set.document.systematics.iter().zip(&set.errors).filter(gaussian) {
            match systematic.correlation {
                Correlation::None => errors.iter().enumerate().for_each(|(i, error)| outer(&single(i, *error))),
                Correlation::Measurement => {
                    outer(&errors.iter().enumerate().map(|(i, error)| (set.first + i, *error)).collect::<Vec<_>>());
                }
                Correlation::Name => {}
            }
        }
    }
    named.iter().filter(|errors| errors.iter().any(|(point, _)| place[*point] < n)).for_each(|errors| outer(errors));
    let mut add = |rows: &[Vec<f64>], first: [usize; 2], mirrored: bool| {
        for (a, row) in rows.iter().enumerate() {
            for (b, value) in row.iter().enumerate() {
                let (i, j) = (place[first[0] + a], place[first[1] + b]);
                matrix[i * n + j] += value;
                if mirrored {
                    matrix[j * n + i] += value;
                }
            }
        }
    };
    for member in members {
        let set = &prepared[*member];
        add(&set.document.covariance, [set.first; 2], false);
        add(&set.document.theory_covariance, [set.first; 2], false);
    }
    for (a, b, rows) in pairs.iter().filter(|(a, _, _)| members.contains(a)) {
        add(rows, [prepared[*a].first, prepared[*b].first], true);
    }
    CovarianceBlock { points, matrix }
}

/// Multiplies the means by 1 + Σ θ_s v_sa of the systematics that scale them (spec/gaussian.md, eq. 6).
fn scale(document: &GaussianMeasurement, form: &mut Form, variables: &mut Variables) -> Result<()> {
    let n = document.data.len();
    let mut terms = vec![(Vec::new(), vec![1.0; n])];
    for systematic in document.systematics.iter().filter(|s| s.follows_prediction(document)) {
        let variable = variables.variable(Owner::Measurement(&document.name), &systematic.name)?;
        terms.push((vec![variable], systematic.values.clone()));
    }
    if let Form::Product(factors) = form
        && terms.len() > 1
    {
        factors.push(Factor { polynomial: Polynomial::from_terms(n, terms), power: 1 });
    }
    Ok(())
}

/// The means as a product of polynomials, or its series to an order that is asked for beyond the document.
fn form(document: &GaussianMeasurement, max_np_order: Option<u32>, variables: &mut Variables) -> Result<Form> {
    let (owner, n) = (Owner::Measurement(&document.name), document.data.len());
    let form = match &document.prediction {
        Prediction::Polynomial { monomials, coefficients, truncation } => {
            let polynomial = truncate(terms((owner, n), monomials, coefficients, variables)?, truncation, variables);
            Form::Product(vec![Factor { polynomial, power: 1 }])
        }
        Prediction::Rational { factors, expansion, factor_truncation } => {
            product_of_powers((owner, n), factors, *expansion, factor_truncation, variables)?
        }
    };
    match (max_np_order, &form) {
        (Some(most), Form::Product(factors)) => {
            let polynomial = series(owner, factors, most, variables)?;
            Ok(Form::Product(vec![Factor { polynomial, power: 1 }]))
        }
        _ => Ok(form),
    }
}

/// The errors of the systematics in units of the data (spec/gaussian.md, eq. 3).
fn errors(document: &GaussianMeasurement, form: &Form, n_variables: usize) -> Vec<Vec<f64>> {
    let zero = vec![0.0; n_variables];
    let factors = match form {
        Form::Product(factors) => &factors[..],
        Form::Events(_) => &[],
    };
    let reference = match document.multiplicative {
        Some(MultiplicativeReference::T0) => rational::evaluate(factors, &zero),
        _ => document.data.clone(),
    };
    let of_systematic = |systematic: &GaussianSystematic| match systematic.kind {
        SystematicKind::Additive => systematic.values.clone(),
        SystematicKind::Multiplicative => systematic.values.iter().zip(&reference).map(|(f, x)| f * x).collect(),
    };
    document.systematics.iter().map(of_systematic).collect()
}
