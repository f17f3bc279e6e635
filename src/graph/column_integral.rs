//! Integrals that depend on the event: one quadrature for each.

use super::column::{BLOCK, Operand, Tables};
use super::quadrature::{Cell, Quadrature, Run, Work};
use crate::kernel::simd::{Lanes, ZERO};

/// Memory of the quadratures of one block.
struct Memory {
    /// What the integrand takes from outside, of the present event.
    inputs: Vec<f64>,
    slots: Vec<Lanes>,
    cells: Vec<Cell>,
    work: Work,
}

impl Memory {
    fn new(quadrature: &Quadrature, inputs: usize) -> Memory {
        let slots = vec![ZERO; quadrature.program.operations.len() * BLOCK];
        Memory { inputs: vec![f64::NAN; inputs], slots, cells: Vec::new(), work: Work::small() }
    }

    /// Turns to an event; whether it differs from the one before.
    fn turn_to(&mut self, event: usize, operands: &[Operand]) -> bool {
        let mut differs = event == 0;
        for (input, operand) in self.inputs.iter_mut().zip(operands) {
            let value = operand.lane(event);
            differs |= value != *input;
            *input = value;
        }
        differs
    }

    fn value(&mut self, quadrature: &Quadrature, tables: &Tables) -> f64 {
        let Memory { inputs, slots, cells, work } = self;
        quadrature.value_of_event(&mut Run { backend: tables.backend, tables, scalars: inputs, slots }, work, cells)
    }
}

impl Quadrature {
    /// The integral of each event of a block.
    pub fn columns(&self, tables: &Tables, operands: &[Operand], out: &mut [f64]) {
        let mut memory = Memory::new(self, operands.len());
        let mut value = f64::NAN;
        for (event, out) in out.iter_mut().enumerate() {
            if memory.turn_to(event, operands) {
                value = memory.value(self, tables);
            }
            *out = value;
        }
    }

    /// The derivative of the integral to each operand, for each event whose adjoint is not zero.
    pub fn column_slopes(&self, tables: &Tables, operands: &[Operand], adjoint: &[f64]) -> Vec<Vec<f64>> {
        let mut memory = Memory::new(self, operands.len());
        let mut adjoints = vec![ZERO; self.program.operations.len() * BLOCK];
        let mut slopes = vec![vec![0.0; adjoint.len()]; operands.len()];
        let mut of_event = vec![0.0; operands.len()];
        for (event, _) in adjoint.iter().enumerate().filter(|(_, adjoint)| **adjoint != 0.0) {
            if memory.turn_to(event, operands) {
                memory.value(self, tables);
                of_event.fill(0.0);
                let Memory { inputs, slots, cells, work } = &mut memory;
                let mut run = Run { backend: tables.backend, tables, scalars: inputs, slots };
                self.pull(&mut run, &mut adjoints, work, cells, &mut of_event, None);
            }
            slopes.iter_mut().zip(&of_event).for_each(|(slopes, slope)| slopes[event] = *slope);
        }
        slopes
    }
}
