//! The Newton system without a matrix, for models whose Hessian would not fit into memory: preconditioned conjugate
//! gradients, products H v from differences of the gradient.

use crate::kernel::Evaluator;
use crate::program::PreparedData;

/// Room for one solution; all vectors are by parameter.
#[derive(Clone, Debug)]
pub(crate) struct ConjugateSystem {
    residual: Vec<f64>,
    preconditioned: Vec<f64>,
    direction: Vec<f64>,
    product: Vec<f64>,
    moved: Vec<f64>,
    behind: Vec<f64>,
    /// The last solution met a direction without positive curvature.
    pub no_curvature: bool,
}

/// Where the system is: a point, its gradient, and what may move.
pub(crate) struct Place<'a> {
    pub theta: &'a [f64],
    pub gradient: &'a [f64],
    pub free: &'a [bool],
    /// λ D, added to the diagonal, and D itself, the preconditioner.
    pub lambda: f64,
    pub diagonal: &'a [f64],
}

impl ConjugateSystem {
    pub fn new(n: usize) -> ConjugateSystem {
        let zeros = || vec![0.0; n];
        ConjugateSystem {
            residual: zeros(),
            preconditioned: zeros(),
            direction: zeros(),
            product: zeros(),
            moved: zeros(),
            behind: zeros(),
            no_curvature: false,
        }
    }

    /// Solves (H + λD) x = b over the free parameters in place, to a residual of 1e-8 of b or until the curvature
    /// along a direction is not positive; what is not free becomes zero.
    pub fn solve(&mut self, evaluator: &mut Evaluator, data: &PreparedData, place: &Place, x: &mut [f64]) {
        self.no_curvature = false;
        for (i, residual) in self.residual.iter_mut().enumerate() {
            *residual = if place.free[i] { x[i] } else { 0.0 };
        }
        x.fill(0.0);
        self.precondition(place);
        self.direction.copy_from_slice(&self.preconditioned);
        let mut rho = dot(&self.residual, &self.preconditioned);
        let target = 1e-16 * rho;
        for _ in 0..500 {
            if rho <= target || rho == 0.0 {
                return;
            }
            let direction = std::mem::take(&mut self.direction);
            let mut product = std::mem::take(&mut self.product);
            self.multiply(evaluator, data, place, &direction, &mut product);
            for (i, p) in product.iter_mut().enumerate() {
                *p = if place.free[i] { *p + place.lambda * place.diagonal[i] * direction[i] } else { 0.0 };
            }
            (self.direction, self.product) = (direction, product);
            let curvature = dot(&self.direction, &self.product);
            if curvature.is_nan() || curvature <= 0.0 {
                self.no_curvature = true;
                if x.iter().all(|x| *x == 0.0) {
                    x.copy_from_slice(&self.direction);
                }
                return;
            }
            let length = rho / curvature;
            for ((x, residual), (d, p)) in
                x.iter_mut().zip(&mut self.residual).zip(self.direction.iter().zip(&self.product))
            {
                *x += length * d;
                *residual -= length * p;
            }
            self.precondition(place);
            let next = dot(&self.residual, &self.preconditioned);
            let ratio = next / rho;
            for (d, z) in self.direction.iter_mut().zip(&self.preconditioned) {
                *d = z + ratio * *d;
            }
            rho = next;
        }
    }

    fn precondition(&mut self, place: &Place) {
        let diagonal = place.diagonal.iter().map(|d| 1.0 / ((1.0 + place.lambda) * d));
        for ((z, r), inverse) in self.preconditioned.iter_mut().zip(&self.residual).zip(diagonal) {
            *z = r * inverse;
        }
    }

    /// `to = H v` from gradients a short way along v and against it, or on one side where the other is outside the domain.
    pub fn multiply(
        &mut self,
        evaluator: &mut Evaluator,
        data: &PreparedData,
        place: &Place,
        v: &[f64],
        to: &mut [f64],
    ) {
        let size = v.iter().zip(place.diagonal).map(|(v, d)| v * v * d).sum::<f64>().sqrt();
        if size == 0.0 {
            to.fill(0.0);
            return;
        }
        let step = 1e-6 / size;
        let mut gradient_at = |step: f64, to: &mut [f64]| {
            for ((moved, theta), v) in self.moved.iter_mut().zip(place.theta).zip(v) {
                *moved = theta + step * v;
            }
            evaluator.gradient(&self.moved, data, to).is_finite()
        };
        let ahead = gradient_at(step, to);
        let behind = gradient_at(-step, &mut self.behind);
        let (other, distance) = match (ahead, behind) {
            (true, true) => (self.behind.as_slice(), 2.0 * step),
            (true, false) => (place.gradient, step),
            (false, true) => {
                to.copy_from_slice(&self.behind);
                (place.gradient, -step)
            }
            (false, false) => {
                to.fill(0.0);
                return;
            }
        };
        for (to, other) in to.iter_mut().zip(other) {
            *to = (*to - other) / distance;
        }
    }
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}
