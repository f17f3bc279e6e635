//! Many fits of one small model at once: eight in the lanes of a register, each with its own data, the next one taken
//! in where one has ended.
//!
//! The method is that of [`super::minimize`] without its ways out of trouble: Newton steps with the exact Hessian, or with
//! the Gauss–Newton matrix where that is not positive definite, projected on the bounds, with a line search. A fit that
//! needs more than that is handed back. No number in
//! a lane depends on what its neighbours do.

use super::fit::FitOptions;
use super::minimize::{POLISH, WEAK_PIVOT, noise, rounding};
use super::newton::LEAST_PIVOT;
use crate::kernel::Evaluator;
use crate::kernel::batch::{Batch, Factor, LaneData, Parts, Pattern, Work};
use crate::kernel::batch::{combine, evaluate, factorize, multiply, second_order, solve};
use crate::kernel::expected::Order;
use crate::kernel::simd::{Backend, Lanes, ZERO};
use crate::program::{PreparedData, Program};

/// A fit that is not done after so many evaluations is handed back.
const MOST_TICKS: usize = 100;
/// So often a step is shortened before the fit is handed back.
const MOST_ATTEMPTS: usize = 12;

/// One fit to be done: data, start, and what is held in it, by parameter.
pub(crate) struct Job<'a> {
    pub data: &'a PreparedData,
    pub start: &'a [f64],
    /// Held at its start.
    pub held: Option<usize>,
}

/// A minimum of the reduced `twice_nll`, certified as [`super::Fitter::minimum`] does.
#[derive(Clone, Debug, Default)]
pub(crate) struct LaneMinimum {
    pub parameters: Vec<f64>,
    pub reduced: f64,
}

/// Room for eight fits.
#[derive(Clone, Debug)]
pub(crate) struct LaneFitter<'p> {
    program: &'p Program,
    backend: Backend,
    pattern: Pattern,
    data: LaneData,
    batch: Batch,
    work: Work,
    parts: Parts,
    /// One in the lanes that use the exact Hessian, zero where it is the Gauss–Newton matrix.
    exact: Lanes,
    hessian: Vec<Lanes>,
    factor: Factor,
    lanes: [Lane; 8],
    /// By place: the point, its step, and of the step in the making: what a bound gives of it, what is solved for, and
    /// one where a parameter may move.
    theta: Vec<Lanes>,
    step: Vec<Lanes>,
    solution: Vec<Lanes>,
    displacement: Vec<Lanes>,
    free: Vec<Lanes>,
    /// By place.
    bounds: Vec<(f64, f64)>,
    fixed: Vec<bool>,
    edm_tolerance: f64,
}

/// What stands in a lane beside its vectors. Values are −ln L.
#[derive(Clone, Copy, Debug, Default)]
struct Lane {
    /// Number of the job; none where the lane is idle.
    job: Option<usize>,
    held: Option<usize>,
    state: State,
    value: f64,
    before: f64,
    rounding: f64,
    slope: f64,
    length: f64,
    edm: f64,
    ticks: usize,
    attempts: usize,
}

/// What a lane waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Its start has not been evaluated.
    #[default]
    Fresh,
    /// A trial point is being evaluated.
    Trying,
    /// The point is new and needs a step.
    Accepted,
    Done,
    HandedBack,
}

impl<'p> LaneFitter<'p> {
    pub fn new(evaluator: &Evaluator<'p>, options: &FitOptions) -> LaneFitter<'p> {
        let program = evaluator.program;
        let pattern = Pattern::new(program);
        let n = program.n_parameters();
        LaneFitter {
            program,
            backend: evaluator.backend(),
            data: LaneData::new(program),
            batch: Batch::new(program),
            work: Work::new(program),
            parts: Parts::new(&pattern),
            exact: ZERO,
            hessian: vec![ZERO; pattern.len],
            factor: Factor::new(&pattern),
            lanes: [Lane::default(); 8],
            theta: vec![ZERO; n],
            step: vec![ZERO; n],
            solution: vec![ZERO; n],
            displacement: vec![ZERO; n],
            free: vec![ZERO; n],
            bounds: pattern.parameter.iter().map(|&p| options.bounds[p]).collect(),
            fixed: pattern.parameter.iter().map(|&p| options.fixed[p]).collect(),
            edm_tolerance: options.edm_tolerance,
            pattern,
        }
    }

    /// Minima in the order of the jobs; none where a fit is handed back.
    pub fn minimise(&mut self, jobs: &[Job]) -> Vec<Option<LaneMinimum>> {
        let mut results = vec![None; jobs.len()];
        let mut next = 0;
        for lane in 0..8 {
            self.take(lane, jobs, &mut next);
        }
        while self.lanes.iter().any(|lane| lane.job.is_some()) {
            self.tick();
            for lane in 0..8 {
                let Some(job) = self.lanes[lane].job else { continue };
                match self.lanes[lane].state {
                    State::Done => results[job] = Some(self.minimum(lane)),
                    State::HandedBack => {}
                    _ => continue,
                }
                self.take(lane, jobs, &mut next);
            }
        }
        results
    }

    /// Puts the next job into a lane.
    fn take(&mut self, lane: usize, jobs: &[Job], next: &mut usize) {
        self.lanes[lane] = Lane::default();
        let Some(job) = jobs.get(*next) else {
            self.lanes[lane].state = State::Done;
            return;
        };
        self.data.set(lane, job.data);
        for (place, &parameter) in self.pattern.parameter.iter().enumerate() {
            let x = job.start[parameter];
            self.theta[place].0[lane] = x;
            self.batch.theta[parameter].0[lane] = x;
        }
        let held = job.held.map(|parameter| self.pattern.place[parameter]);
        self.lanes[lane] = Lane { job: Some(*next), held, rounding: rounding(job.data), ..Lane::default() };
        *next += 1;
    }

    fn minimum(&self, lane: usize) -> LaneMinimum {
        let parameters = self.pattern.place.iter().map(|&place| self.theta[place].0[lane]).collect();
        LaneMinimum { parameters, reduced: 2.0 * self.lanes[lane].value }
    }

    /// One evaluation in all lanes, and in each what follows from it.
    fn tick(&mut self) {
        let (program, backend) = (self.program, self.backend);
        let mut values = ZERO;
        self.batch.take_in(program);
        evaluate(backend, program, &self.data, &mut self.batch, Order::Second, &mut values);
        for lane in 0..8 {
            if self.lanes[lane].job.is_some() {
                self.judge(lane, values.0[lane]);
            }
        }
        if self.lanes.iter().any(|lane| lane.state == State::Accepted) {
            let (work, parts) = (&mut self.work, &mut self.parts);
            second_order(backend, program, &self.pattern, &self.data, &mut self.batch, work, parts);
            self.find_steps();
        }
        self.move_on();
    }

    /// Is the trial point better?
    fn judge(&mut self, lane: usize, value: f64) {
        let own = &mut self.lanes[lane];
        own.ticks += 1;
        if own.ticks > MOST_TICKS {
            own.state = State::HandedBack;
            return;
        }
        if own.state == State::Fresh {
            (own.before, own.value) = (f64::INFINITY, value);
            own.state = if value.is_finite() { State::Accepted } else { State::HandedBack };
            return;
        }
        // In twice_nll, as are the tolerances.
        let threshold = 2.0 * own.value + 2e-4 * own.length * own.slope + noise(2.0 * own.value, own.rounding);
        if 2.0 * value <= threshold {
            (own.before, own.value) = (own.value, value);
            own.state = State::Accepted;
            for (place, &parameter) in self.pattern.parameter.iter().enumerate() {
                self.theta[place].0[lane] = self.batch.theta[parameter].0[lane];
            }
        } else if own.edm < self.edm_tolerance {
            // Rounding hides what is left to gain.
            own.state = State::Done;
        } else {
            own.attempts += 1;
            let (t, bend) = (own.length, value - own.value - own.length * own.slope);
            let shorter = -0.5 * own.slope * t * t / bend;
            own.length = if value.is_finite() { shorter.clamp(0.1 * t, 0.5 * t) } else { 0.3 * t };
            if own.attempts > MOST_ATTEMPTS || own.length.is_nan() {
                own.state = State::HandedBack;
            }
        }
    }

    /// Newton steps of the lanes with a new point, and whether these are done.
    fn find_steps(&mut self) {
        self.choose_free();
        self.displacement.fill(ZERO);
        self.choose_matrix();
        for pass in 0..self.theta.len() + 1 {
            if pass > 0 {
                factorize(self.backend, &self.pattern, &self.hessian, &self.free, &mut self.factor);
            }
            self.solve();
            for lane in 0..8 {
                if self.lanes[lane].state == State::Accepted {
                    self.certify(lane, pass == 0);
                }
            }
            if !self.clamp() {
                break;
            }
        }
        for (solution, displacement) in self.solution.iter_mut().zip(&self.displacement) {
            solution.0.iter_mut().zip(displacement.0).for_each(|(step, displacement)| *step += displacement);
        }
        for lane in 0..8 {
            if self.lanes[lane].state == State::Accepted {
                self.begin_search(lane);
            }
        }
    }

    /// Factorises the exact Hessian, and where it is not positive definite the Gauss–Newton matrix.
    fn choose_matrix(&mut self) {
        self.exact = Lanes([1.0; 8]);
        for _ in 0..2 {
            combine(self.backend, &self.parts, &self.exact, &mut self.hessian);
            factorize(self.backend, &self.pattern, &self.hessian, &self.free, &mut self.factor);
            let mut approximated = false;
            for (lane, own) in self.lanes.iter().enumerate() {
                let bad = self.factor.weakest.0[lane] <= LEAST_PIVOT;
                if bad && own.state == State::Accepted && self.exact.0[lane] > 0.0 {
                    self.exact.0[lane] = 0.0;
                    approximated = true;
                }
            }
            if !approximated {
                break;
            }
        }
    }

    /// A parameter on a bound against which the gradient pushes stays there.
    fn choose_free(&mut self) {
        for (place, free) in self.free.iter_mut().enumerate() {
            let (low, high) = self.bounds[place];
            let gradient = &self.batch.gradient[self.pattern.parameter[place]];
            for lane in 0..8 {
                let (x, g) = (self.theta[place].0[lane], gradient.0[lane]);
                let pushed = (x <= low && g > 0.0) || (x >= high && g < 0.0);
                let held = self.fixed[place] || low == high || self.lanes[lane].held == Some(place);
                free.0[lane] = if pushed || held { 0.0 } else { 1.0 };
            }
        }
    }

    /// Solves for the right-hand side −g − H d.
    fn solve(&mut self) {
        let displaced = self.displacement.iter().any(|d| d.0.iter().any(|d| *d != 0.0));
        if displaced {
            multiply(self.backend, &self.pattern, &self.hessian, &self.displacement, &mut self.solution);
        } else {
            self.solution.fill(ZERO);
        }
        for (place, step) in self.solution.iter_mut().enumerate() {
            let gradient = &self.batch.gradient[self.pattern.parameter[place]];
            for lane in 0..8 {
                let wanted = -gradient.0[lane] - step.0[lane];
                step.0[lane] = if self.free[place].0[lane] > 0.0 { wanted } else { 0.0 };
            }
        }
        solve(self.backend, &self.pattern, &self.factor, &mut self.solution);
    }

    /// Is the new point of a lane a minimum? The expected distance comes from the first, unclamped step.
    fn certify(&mut self, lane: usize, first: bool) {
        let slope = self.slope(lane);
        let own = &mut self.lanes[lane];
        let weakest = self.factor.weakest.0[lane];
        if weakest <= LEAST_PIVOT {
            own.state = State::HandedBack;
        } else if first {
            // −½ s ∂(twice_nll): the gradient here is that of −ln L.
            own.edm = -slope;
            let last_gain = 2.0 * (own.before - own.value);
            let enough = own.edm < self.edm_tolerance && last_gain <= noise(2.0 * own.value, own.rounding);
            if enough || own.edm < POLISH * self.edm_tolerance {
                let certain = weakest >= WEAK_PIVOT && self.exact.0[lane] > 0.0;
                own.state = if certain { State::Done } else { State::HandedBack };
            }
        }
    }

    fn slope(&self, lane: usize) -> f64 {
        let gradient = |place: usize| self.batch.gradient[self.pattern.parameter[place]].0[lane];
        self.solution.iter().enumerate().map(|(place, step)| step.0[lane] * gradient(place)).sum()
    }

    /// Moves what leaves its bounds onto them for the rest of this step. False when nothing does.
    fn clamp(&mut self) -> bool {
        let mut clamped = false;
        for place in 0..self.theta.len() {
            let (low, high) = self.bounds[place];
            for lane in 0..8 {
                let x = self.theta[place].0[lane] + self.solution[place].0[lane];
                let moving = self.free[place].0[lane] > 0.0 && self.lanes[lane].state == State::Accepted;
                if moving && (x < low || x > high) {
                    self.free[place].0[lane] = 0.0;
                    self.displacement[place].0[lane] = x.clamp(low, high) - self.theta[place].0[lane];
                    clamped = true;
                }
            }
        }
        clamped
    }

    fn begin_search(&mut self, lane: usize) {
        let slope = self.slope(lane);
        for (step, solution) in self.step.iter_mut().zip(&self.solution) {
            step.0[lane] = solution.0[lane];
        }
        let own = &mut self.lanes[lane];
        (own.slope, own.length, own.attempts) = (slope, 1.0, 0);
        own.state = if slope < 0.0 { State::Trying } else { State::HandedBack };
    }

    /// The next point of each lane.
    fn move_on(&mut self) {
        for (place, &parameter) in self.pattern.parameter.iter().enumerate() {
            for lane in 0..8 {
                if self.lanes[lane].state == State::Trying {
                    let x = self.theta[place].0[lane] + self.lanes[lane].length * self.step[place].0[lane];
                    self.batch.theta[parameter].0[lane] = x;
                }
            }
        }
    }
}
