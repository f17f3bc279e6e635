//! The Newton system (H + λ D) s = r over the free parameters, by elimination of the local ones bin by bin
//! (Schur complement) and a Cholesky factorisation of the shared ones.

use crate::kernel::cholesky::{add_scaled_entry, cholesky, dot_entry, multiply_add, rank_update, solve};
use crate::kernel::hessian::Blocks;
use crate::kernel::simd::{Backend, Lanes, ZERO, flat, flat_mut};
use crate::program::Program;

/// A pivot below this part of its diagonal element counts as no curvature.
pub(crate) const LEAST_PIVOT: f64 = 1e-13;

/// Factors of one system with room for the next.
#[derive(Clone, Debug)]
pub(crate) struct NewtonSystem {
    backend: Backend,
    n: usize,
    stride: usize,
    /// Of the shared parameters that are free, in rows as short as these need.
    factor: Vec<Lanes>,
    /// Their places, ascending.
    active: Vec<usize>,
    x_active: Vec<Lanes>,
    least: Vec<f64>,
    panel: Vec<Lanes>,
    /// L⁻¹ C of each bin: L the factor of its local block, C its couplings.
    eliminated: Vec<Lanes>,
    local_factor: Vec<f64>,
    block_start: Vec<usize>,
    minus_one: Vec<f64>,
    x_shared: Vec<Lanes>,
    y_shared: Vec<Lanes>,
    x_local: Vec<f64>,
}

impl NewtonSystem {
    pub fn new(program: &Program, backend: Backend) -> NewtonSystem {
        let (n, stride) = (program.n_shared, program.n_shared.div_ceil(8));
        let n_local = program.local.len();
        let mut block_start = vec![0];
        for pair in program.local_start.windows(2) {
            let size = (pair[1] - pair[0]) as usize;
            block_start.push(block_start[block_start.len() - 1] + size * size);
        }
        NewtonSystem {
            backend,
            n,
            stride,
            factor: vec![ZERO; n * stride],
            active: Vec::with_capacity(n),
            x_active: vec![ZERO; stride],
            least: vec![0.0; n],
            panel: vec![ZERO; 8 * stride],
            eliminated: vec![ZERO; n_local * stride],
            local_factor: vec![0.0; block_start[block_start.len() - 1]],
            block_start,
            minus_one: vec![-1.0; n_local],
            x_shared: vec![ZERO; stride],
            y_shared: vec![ZERO; stride],
            x_local: vec![0.0; n_local],
        }
    }

    /// Factorises H + λ D over the parameters that are `free`; `diagonal` is D, by parameter.
    ///
    /// # Errors
    /// The parameter at which the matrix shows no positive curvature.
    pub fn factorize(
        &mut self,
        program: &Program,
        blocks: &Blocks,
        free: &[bool],
        lambda: f64,
        diagonal: &[f64],
    ) -> Result<(), usize> {
        self.factor.copy_from_slice(&blocks.shared);
        self.eliminated.copy_from_slice(&blocks.cross);
        for bin in 0..program.layout.n_bins {
            self.factorize_bin(program, blocks, bin, free, lambda, diagonal)?;
        }
        for (place, &parameter) in program.shared.iter().enumerate() {
            let element = &mut self.factor[place * self.stride + place / 8].0[place % 8];
            *element += lambda * diagonal[parameter as usize];
            self.least[place] = LEAST_PIVOT * element.abs();
        }
        rank_update(self.backend, &mut self.factor, self.n, 0, &self.eliminated, &self.minus_one);
        self.gather(program, free);
        match cholesky(self.backend, &mut self.factor, self.active.len(), &self.least, &mut self.panel) {
            None => Ok(()),
            Some(row) => Err(program.shared[self.active[row]] as usize),
        }
    }

    /// Leaves of the matrix what is free, row by row nearer to the beginning: nothing is written before it is read.
    fn gather(&mut self, program: &Program, free: &[bool]) {
        self.active.clear();
        self.active.extend((0..self.n).filter(|&place| free[program.shared[place] as usize]));
        if self.active.len() == self.n {
            return;
        }
        let (from, to) = (8 * self.stride, 8 * self.active.len().div_ceil(8));
        let factor = flat_mut(&mut self.factor);
        for (row, &place) in self.active.iter().enumerate() {
            for (column, &other) in self.active[..=row].iter().enumerate() {
                factor[row * to + column] = factor[place * from + other];
            }
            self.least[row] = self.least[place];
        }
    }

    /// The smallest pivot of the last factorisation in parts of its diagonal element, shared parameters only: a local
    /// one has a constraint of its own or a bin of its own.
    pub fn weakest_pivot(&self) -> f64 {
        let stride = self.active.len().div_ceil(8);
        let pivot = |row: usize| {
            let root = self.factor[row * stride + row / 8].0[row % 8];
            root * root * LEAST_PIVOT / self.least[row]
        };
        (0..self.active.len()).map(pivot).fold(f64::INFINITY, f64::min)
    }

    /// Cholesky factor of one bin's local block, and L⁻¹ C in place of C.
    fn factorize_bin(
        &mut self,
        program: &Program,
        blocks: &Blocks,
        bin: usize,
        free: &[bool],
        lambda: f64,
        diagonal: &[f64],
    ) -> Result<(), usize> {
        let first = program.local_start[bin] as usize;
        let size = program.local_start[bin + 1] as usize - first;
        let range = blocks.block_start[bin]..blocks.block_start[bin + 1];
        let factor = &mut self.local_factor[range.clone()];
        factor.copy_from_slice(&blocks.local[range]);
        let stride = self.stride;
        for i in 0..size {
            let parameter = program.local[first + i] as usize;
            if free[parameter] {
                factor[i * size + i] += lambda * diagonal[parameter];
            } else {
                for j in 0..size {
                    factor[i * size + j] = 0.0;
                    factor[j * size + i] = 0.0;
                }
                factor[i * size + i] = 1.0;
                self.eliminated[(first + i) * stride..(first + i + 1) * stride].fill(ZERO);
            }
        }
        for i in 0..size {
            let least = LEAST_PIVOT * factor[i * size + i].abs();
            for j in 0..=i {
                let mut sum = factor[i * size + j];
                for k in 0..j {
                    sum -= factor[i * size + k] * factor[j * size + k];
                }
                if j < i {
                    factor[i * size + j] = sum / factor[j * size + j];
                } else if sum.is_nan() || sum <= least {
                    return Err(program.local[first + i] as usize);
                } else {
                    factor[i * size + i] = sum.sqrt();
                }
            }
            let (above, rest) = self.eliminated[first * stride..].split_at_mut(i * stride);
            let row = &mut rest[..stride];
            for k in 0..i {
                add_scaled_entry(self.backend, -factor[i * size + k], &above[k * stride..(k + 1) * stride], row);
            }
            let inverse = 1.0 / factor[i * size + i];
            flat_mut(row).iter_mut().for_each(|x| *x *= inverse);
        }
        Ok(())
    }

    /// Solves the factored system for a right-hand side by parameter, in place; what is not free becomes zero.
    pub fn solve(&mut self, program: &Program, free: &[bool], x: &mut [f64]) {
        let stride = self.stride;
        for (place, &parameter) in program.shared.iter().enumerate() {
            let value = if free[parameter as usize] { x[parameter as usize] } else { 0.0 };
            self.x_shared[place / 8].0[place % 8] = value;
        }
        for bin in 0..program.layout.n_bins {
            let first = program.local_start[bin] as usize;
            let size = program.local_start[bin + 1] as usize - first;
            let factor = &self.local_factor[self.block_start[bin]..self.block_start[bin + 1]];
            for i in 0..size {
                let parameter = program.local[first + i] as usize;
                let mut sum = if free[parameter] { x[parameter] } else { 0.0 };
                for k in 0..i {
                    sum -= factor[i * size + k] * self.x_local[first + k];
                }
                self.x_local[first + i] = sum / factor[i * size + i];
                let row = &self.eliminated[(first + i) * stride..(first + i + 1) * stride];
                add_scaled_entry(self.backend, -self.x_local[first + i], row, &mut self.x_shared);
            }
        }
        for (row, &place) in self.active.iter().enumerate() {
            self.x_active[row / 8].0[row % 8] = self.x_shared[place / 8].0[place % 8];
        }
        solve(self.backend, &self.factor, self.active.len(), &mut self.x_active);
        self.x_shared.fill(ZERO);
        for (row, &place) in self.active.iter().enumerate() {
            self.x_shared[place / 8].0[place % 8] = self.x_active[row / 8].0[row % 8];
        }
        for (place, &parameter) in program.shared.iter().enumerate() {
            x[parameter as usize] = self.x_shared[place / 8].0[place % 8];
        }
        self.solve_locals(program, x);
    }

    /// Back substitution of the local parameters, the shared ones being known.
    fn solve_locals(&mut self, program: &Program, x: &mut [f64]) {
        let stride = self.stride;
        for bin in 0..program.layout.n_bins {
            let first = program.local_start[bin] as usize;
            let size = program.local_start[bin + 1] as usize - first;
            let factor = &self.local_factor[self.block_start[bin]..self.block_start[bin + 1]];
            for i in (0..size).rev() {
                let row = &self.eliminated[(first + i) * stride..(first + i + 1) * stride];
                let mut sum = self.x_local[first + i] - dot_entry(self.backend, row, &self.x_shared);
                for k in i + 1..size {
                    sum -= factor[k * size + i] * self.x_local[first + k];
                }
                self.x_local[first + i] = sum / factor[i * size + i];
                x[program.local[first + i] as usize] = self.x_local[first + i];
            }
        }
    }

    /// `to = H x`, all parameters taking part.
    pub fn multiply(&mut self, program: &Program, blocks: &Blocks, x: &[f64], to: &mut [f64]) {
        for (place, &parameter) in program.shared.iter().enumerate() {
            self.x_shared[place / 8].0[place % 8] = x[parameter as usize];
        }
        self.y_shared.fill(ZERO);
        multiply_add(self.backend, &blocks.shared, self.n, &self.x_shared, &mut self.y_shared);
        for bin in 0..program.layout.n_bins {
            let first = program.local_start[bin] as usize;
            let locals = &program.local[first..program.local_start[bin + 1] as usize];
            let block = &blocks.local[blocks.block_start[bin]..blocks.block_start[bin + 1]];
            for (i, &parameter) in locals.iter().enumerate() {
                let row = &blocks.cross[(first + i) * self.stride..(first + i + 1) * self.stride];
                add_scaled_entry(self.backend, x[parameter as usize], row, &mut self.y_shared);
                let own = locals.iter().zip(&block[i * locals.len()..]).map(|(&j, h)| h * x[j as usize]).sum::<f64>();
                to[parameter as usize] = own + dot_entry(self.backend, row, &self.x_shared);
            }
        }
        for (place, &parameter) in program.shared.iter().enumerate() {
            to[parameter as usize] = flat(&self.y_shared)[place];
        }
    }
}
