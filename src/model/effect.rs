//! What a parameter does to a template: an offset added to the nominal, or a scale multiplied (spec/likelihood.md,
//! eq. 1). Every HistFactory modifier is one of these four.

use super::{HistosysCode, NormsysCode, select};

/// One effect of one modifier on one sample. `parameter` is the index of a scalar parameter in fit order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// histosys: adds `s(α) S_b + q(α) A_b` to bin b.
    Offset { parameter: usize, lo: Vec<f64>, hi: Vec<f64>, code: HistosysCode },
    /// normsys: multiplies all bins by f(α).
    InterpolatedScale { parameter: usize, lo: f64, hi: f64, code: NormsysCode },
    /// normfactor, lumi: multiplies all bins by θ.
    Scale { parameter: usize },
    /// shapefactor, shapesys, staterror: multiplies bin b by its own θ; `None` leaves the bin alone.
    BinScale { parameters: Vec<Option<usize>> },
}

impl Effect {
    /// The parameters that the effect follows.
    pub fn parameters(&self) -> impl Iterator<Item = usize> {
        let (one, list) = match self {
            Effect::Offset { parameter, .. }
            | Effect::InterpolatedScale { parameter, .. }
            | Effect::Scale { parameter } => (Some(*parameter), &[][..]),
            Effect::BinScale { parameters } => (None, parameters.as_slice()),
        };
        one.into_iter().chain(list.iter().copied().flatten())
    }

    /// Leaves the bins with a flag that is set.
    pub fn keep(&mut self, kept: &[bool]) {
        match self {
            Effect::Offset { lo, hi, .. } => (*lo, *hi) = (select(lo, kept), select(hi, kept)),
            Effect::InterpolatedScale { .. } | Effect::Scale { .. } => {}
            Effect::BinScale { parameters } => *parameters = select(parameters, kept),
        }
    }

    /// Puts one parameter in the place of another.
    pub fn replace(&mut self, old: usize, new: usize) {
        match self {
            Effect::Offset { parameter, .. }
            | Effect::InterpolatedScale { parameter, .. }
            | Effect::Scale { parameter } => {
                if *parameter == old {
                    *parameter = new;
                }
            }
            Effect::BinScale { parameters } => {
                parameters.iter_mut().filter(|p| **p == Some(old)).for_each(|p| *p = Some(new));
            }
        }
    }
}
