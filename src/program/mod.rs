//! A [`Model`] compiled into flat arrays, immutable and shared by threads.

use crate::model::{Data, Model};

/// Flat arrays of one model; compiled once, evaluated at many points with many data sets.
pub struct Program {}

/// Data with everything precomputed that depends on them alone.
pub struct PreparedData {}

impl Program {
    pub fn compile(_model: &Model) -> Program {
        todo!()
    }

    /// # Panics
    /// When the lengths are not those of the model: [`Data`] comes from the model's translator.
    pub fn prepare(&self, _data: &Data) -> PreparedData {
        todo!()
    }

    pub fn n_parameters(&self) -> usize {
        todo!()
    }

    pub fn n_bins(&self) -> usize {
        todo!()
    }

    pub fn n_auxdata(&self) -> usize {
        todo!()
    }
}
