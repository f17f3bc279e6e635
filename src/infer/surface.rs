//! The profile likelihood over two parameters on a grid, with the contours of levels (spec/inference.md, "Scans and
//! contours").

use super::certificate::Certificate;
use super::contour::{self, Contour};
use super::fit::{Failure, FitResult, Hesse};
use super::interval;
use super::likelihood::{Likelihood, Minimum};
use super::minos::scale;
use super::neighbours::Neighbours;
use super::profile::{Profile, ProfilePoint};
use super::scan::{MOST_RESTARTS, fix_others, grid};
use super::uncertainty::MOST_PARAMETERS;
use super::watch::Watch;
use crate::normal::chi2_quantile;
use rayon::prelude::*;

/// A default range goes this part of its width beyond the outermost contour.
const MARGIN: f64 = 0.05;

/// What to scan; pairs are for the first and the second parameter.
#[derive(Clone, Debug)]
pub struct SurfaceOptions {
    /// First and last values; by default those that hold the contour of the highest level, within the bounds.
    pub low: [Option<f64>; 2],
    pub high: [Option<f64>; 2],
    /// Points of the grid, both ends included.
    pub n_points: [usize; 2],
    /// Contours are solved for on the profile instead of interpolated on the grid.
    pub exact_contours: bool,
    /// All other parameters stay at their best values.
    pub fixed_others: bool,
    /// Probabilities of the contours.
    pub levels: Vec<f64>,
    /// Of the contours, each level once for each: two for regions of both parameters, one for contours whose extent is the
    /// interval of each.
    pub degrees_of_freedom: Vec<usize>,
}

impl SurfaceOptions {
    /// Level, degrees of freedom and −2 Δ ln L of each contour (spec/inference.md, eq. 24).
    fn contours(&self) -> impl Iterator<Item = (f64, usize, f64)> {
        let of_level = |&level: &f64| self.degrees_of_freedom.iter().map(move |&n| (level, n, chi2_quantile(level, n)));
        self.levels.iter().flat_map(of_level)
    }
}

impl Default for SurfaceOptions {
    fn default() -> SurfaceOptions {
        SurfaceOptions {
            low: [None; 2],
            high: [None; 2],
            n_points: [21; 2],
            exact_contours: false,
            fixed_others: false,
            levels: vec![super::interval::ONE_SIGMA, 0.95],
            degrees_of_freedom: vec![2],
        }
    }
}

/// A surface and the minimum to which it refers.
#[derive(Clone, Debug)]
pub struct Surface {
    pub parameters: [usize; 2],
    pub best: FitResult,
    /// `twice_nll` of the fit's own minimum, where a point has led to a lower one, from which all this was computed.
    pub first_minimum: Option<f64>,
    /// The second parameter runs fastest; none where the fit is not valid.
    pub points: Vec<SurfacePoint>,
    pub contours: Vec<Contour>,
    /// The minima of the whole likelihood from which the surface was continued, by the parameters' values and −2 Δ ln L,
    /// the best one first.
    pub minima: Vec<([f64; 2], f64)>,
    /// The scan was stopped: points are missing.
    pub stopped: bool,
}

/// One pair of values.
#[derive(Clone, Debug, PartialEq)]
pub struct SurfacePoint {
    pub values: [f64; 2],
    /// −2 Δ ln L; NaN without a minimum.
    pub height: f64,
    pub reason: Option<Failure>,
    /// Of a minimum.
    pub certificate: Option<Certificate>,
}

/// Scans two parameters, columns of the grid over the threads of rayon. The result does not depend on how many there
/// are.
pub fn surface(likelihood: &Likelihood, parameters: [usize; 2], options: &SurfaceOptions, watch: &Watch) -> Surface {
    let mut likelihood = likelihood.clone();
    let hesse = if likelihood.options.fixed.len() <= MOST_PARAMETERS { Hesse::All } else { Hesse::No };
    let best = likelihood.fit(hesse);
    let mut surface = Surface {
        parameters,
        best,
        first_minimum: None,
        points: Vec::new(),
        contours: Vec::new(),
        minima: Vec::new(),
        stopped: false,
    };
    for restart in 0..=MOST_RESTARTS {
        if !surface.best.valid {
            break;
        }
        let mut grid = Grid::new(likelihood.clone(), parameters, &surface.best, options, watch);
        let contours = grid.run();
        if let (true, Some(first)) = (restart < MOST_RESTARTS, grid.profile.first_minimum()) {
            surface.first_minimum = surface.first_minimum.or(Some(first));
            likelihood.options.init = grid.profile.best().parameters.clone();
            surface.best = likelihood.fit(hesse);
            continue;
        }
        surface.points = grid.described();
        surface.minima = grid.minima();
        surface.contours = contours;
        break;
    }
    Surface { stopped: watch.is_stopped(), ..surface }
}

/// A scan of two parameters at work.
struct Grid<'a, 'p> {
    /// Of both parameters; without points.
    profile: Profile<'p>,
    /// From which it is continued, the best one first.
    minima: Vec<Minimum>,
    options: &'a SurfaceOptions,
    watch: &'a Watch,
    steps: [f64; 2],
    x: Vec<f64>,
    y: Vec<f64>,
    /// Column by column.
    points: Vec<ProfilePoint>,
}

impl<'a, 'p> Grid<'a, 'p> {
    fn new(
        mut likelihood: Likelihood<'p>,
        parameters: [usize; 2],
        best: &FitResult,
        options: &'a SurfaceOptions,
        watch: &'a Watch,
    ) -> Grid<'a, 'p> {
        let steps = parameters.map(|parameter| scale(&likelihood, parameter, best));
        if options.fixed_others {
            fix_others(&mut likelihood, &parameters, &best.parameters);
        }
        let minima = likelihood.minima(&Minimum::from(best.clone()));
        let profile = Profile::with_best(likelihood, &parameters, Minimum::from(best.clone())).with_minima(&minima);
        Grid { profile, minima, options, watch, steps, x: Vec::new(), y: Vec::new(), points: Vec::new() }
    }

    /// Fills the points; returns the contours.
    fn run(&mut self) -> Vec<Contour> {
        let [low, high] = [0, 1].map(|axis| self.range(axis));
        if self.profile.first_minimum().is_some() {
            return Vec::new();
        }
        let [n, m] = self.options.n_points;
        (self.x, self.y) = (grid(low.0, low.1, n), grid(high.0, high.1, m));
        self.watch.expect(self.watch.progress().0 + (n * m) as u64);
        let spine = self.spine();
        let columns: Vec<_> =
            spine.par_iter().filter(|_| !self.watch.is_stopped()).map(|start| self.column(start)).collect();
        for (points, best) in columns {
            self.points.extend(points);
            self.profile.refer_to(&best);
        }
        if self.watch.is_stopped() || self.points.len() != n * m || self.profile.first_minimum().is_some() {
            return Vec::new();
        }
        self.improve();
        let lower = self.points.iter().filter(|point| point.minimum.valid());
        if let Some(lower) = lower.min_by(|a, b| a.minimum.twice_nll.total_cmp(&b.minimum.twice_nll)).cloned() {
            self.profile.add(lower);
            self.profile.take_points();
        }
        if self.profile.first_minimum().is_some() { Vec::new() } else { self.contours() }
    }

    /// The range of one parameter: where the profile along it alone is not above a height lies the contour of that
    /// height.
    fn range(&mut self, axis: usize) -> (f64, f64) {
        if let (Some(low), Some(high)) = (self.options.low[axis], self.options.high[axis]) {
            return (low, high);
        }
        let parameter = self.profile.parameters()[axis];
        let best = self.profile.best_values()[axis];
        let (low, high) = self.profile.likelihood.options.bounds[parameter];
        let highest = self.options.contours().map(|(_, _, height)| height).fold(1.0, f64::max);
        let step = highest.sqrt() * self.steps[axis];
        let mut along = Profile::with_best(self.profile.likelihood.clone(), &[parameter], self.profile.best().clone())
            .with_minima(&self.minima);
        let intervals = interval::below(&mut along, &[highest], step);
        self.profile.refer_to(along.best());
        let intervals = intervals.and_then(|mut of_heights| of_heights.pop()).unwrap_or_default();
        let lower = intervals.first().map_or(best - step, |interval| interval.lower.value);
        let upper = intervals.last().map_or(best + step, |interval| interval.upper.value);
        let margin = MARGIN * (upper - lower).max(step);
        (
            self.options.low[axis].unwrap_or((lower - margin).max(low)),
            self.options.high[axis].unwrap_or((upper + margin).min(high)),
        )
    }

    /// For each column the minimum with the first parameter held, from which the column starts.
    fn spine(&mut self) -> Vec<(f64, Minimum)> {
        let likelihood = self.profile.likelihood.clone();
        let mut along = Profile::with_best(likelihood, &self.profile.parameters()[..1], self.profile.best().clone())
            .with_minima(&self.minima);
        let best = along.best_values()[0];
        let mut order = self.x.clone();
        order.sort_by(|a, b| (a - best).abs().total_cmp(&(b - best).abs()));
        for x in order {
            along.at(&[x]);
        }
        self.profile.refer_to(along.best());
        let mut points = along.take_points();
        points.sort_by(|a, b| a.values[0].total_cmp(&b.values[0]));
        points.dedup_by(|a, b| a.values == b.values);
        points.into_iter().map(|point| (point.values[0], point.minimum)).collect()
    }

    /// The points of one column, outward from the minimum of the column, and the lowest minimum known to it.
    fn column(&self, (x, start): &(f64, Minimum)) -> (Vec<ProfilePoint>, Minimum) {
        let mut profile = self.profile.clone();
        let centre = start.parameters[self.profile.parameters()[1]];
        let nearest =
            (0..self.y.len()).min_by(|&a, &b| (self.y[a] - centre).abs().total_cmp(&(self.y[b] - centre).abs()));
        let nearest = nearest.unwrap_or(0);
        if self.minima.len() > 1 {
            profile.improve_from(&[*x, self.y[nearest]], &start.parameters);
        } else {
            let mut seed = profile.solve(&[*x, self.y[nearest]], &start.parameters);
            seed.branch = Some(0);
            profile.add(seed);
        }
        self.watch.step();
        for y in self.y[nearest + 1..].iter().chain(self.y[..nearest].iter().rev()) {
            if self.watch.is_stopped() {
                break;
            }
            profile.at(&[*x, *y]);
            self.watch.step();
        }
        let mut points: Vec<_> = profile.take_points().into_iter().map(ProfilePoint::without_tangents).collect();
        points.sort_by(|a, b| a.values[1].total_cmp(&b.values[1]));
        (points, profile.best().clone())
    }

    /// Looks for lower minima with restarts in the corners and the middle, and hands all on between neighbours.
    fn improve(&mut self) {
        if self.options.fixed_others {
            return;
        }
        let (n, m) = (self.x.len(), self.y.len());
        let index = |i: usize, j: usize| i * m + j;
        let mut some = Vec::new();
        for i in [0, n / 2, n - 1] {
            some.extend([0, m / 2, m - 1].map(|j| index(i, j)));
        }
        let mut neighbours = Neighbours::new(&mut self.profile);
        neighbours.confirm(&mut self.points, &some);
        neighbours.spread(&mut self.points, |k| {
            let (i, j) = (k / m, k % m);
            let beside = [(i > 0).then(|| k - m), (i + 1 < n).then_some(k + m)];
            beside.into_iter().chain([(j > 0).then(|| k - 1), (j + 1 < m).then_some(k + 1)]).flatten()
        });
    }

    fn contours(&self) -> Vec<Contour> {
        let contour = |(level, degrees_of_freedom, height): (f64, usize, f64)| {
            let lattice = contour::Lattice { x: &self.x, y: &self.y, points: &self.points, profile: &self.profile };
            let lines = if self.options.exact_contours { lattice.exact(height) } else { lattice.interpolated(height) };
            Contour { level, height, degrees_of_freedom, lines }
        };
        self.options.contours().map(contour).collect()
    }

    fn minima(&self) -> Vec<([f64; 2], f64)> {
        let held = self.profile.parameters();
        let lowest = self.profile.best().twice_nll;
        let place = |minimum: &Minimum| [minimum.parameters[held[0]], minimum.parameters[held[1]]];
        self.minima.iter().map(|minimum| (place(minimum), (minimum.twice_nll - lowest).max(0.0))).collect()
    }

    /// The points of the result, columns over the threads.
    fn described(&self) -> Vec<SurfacePoint> {
        let columns = self.points.par_chunks(self.y.len().max(1));
        let described = columns.map_init(
            || self.profile.clone(),
            |profile, column| -> Vec<SurfacePoint> { column.iter().map(|point| described(profile, point)).collect() },
        );
        described.collect::<Vec<_>>().into_iter().flatten().collect()
    }
}

fn described(profile: &mut Profile, point: &ProfilePoint) -> SurfacePoint {
    let valid = point.minimum.valid();
    let height = if valid { profile.height(point) } else { f64::NAN };
    let values = [point.values[0], point.values[1]];
    let certificate = valid.then(|| profile.certificate(point));
    SurfacePoint { values, height, reason: point.minimum.reason.clone(), certificate }
}
