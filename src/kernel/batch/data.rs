//! Data in lanes: a set for each of eight points, or one for all.

use crate::kernel::simd::{Lanes, ZERO, flat};
use crate::program::{PreparedData, Program};

/// The counts and auxiliary data of eight points.
#[derive(Clone, Debug)]
pub(crate) struct LaneData {
    /// n of the bins and the Poisson auxiliary measurements, padded to whole groups of eight, and 1/n.
    pub counts: Vec<Lanes>,
    pub inverse: Vec<Lanes>,
    /// Auxiliary data of the Gaussian constraints.
    pub gaussian: Vec<Lanes>,
}

impl LaneData {
    /// Room for eight data sets.
    pub fn new(program: &Program) -> LaneData {
        let (counts, gaussians) =
            (program.n_bins() + program.constraints.poissons.len(), &program.constraints.gaussian);
        let counts = vec![ZERO; 8 * counts.div_ceil(8)];
        LaneData { inverse: counts.clone(), counts, gaussian: vec![ZERO; 8 * gaussians.len()] }
    }

    /// The same data in all lanes.
    pub fn one_for_all(data: &PreparedData) -> LaneData {
        let splat = |values: &[Lanes]| flat(values).iter().map(|x| Lanes([*x; 8])).collect();
        LaneData { counts: splat(&data.counts), inverse: splat(&data.inverse), gaussian: splat(&data.gaussian) }
    }

    /// Puts a data set into a lane.
    pub fn set(&mut self, lane: usize, data: &PreparedData) {
        let lists = [
            (&mut self.counts, &data.counts),
            (&mut self.inverse, &data.inverse),
            (&mut self.gaussian, &data.gaussian),
        ];
        for (to, from) in lists {
            for (to, from) in to.iter_mut().zip(flat(from)) {
                to.0[lane] = *from;
            }
        }
    }
}
