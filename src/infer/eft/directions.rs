//! Directions in the space of the coefficients, by what the data know of them, and which data set knows it
//! (spec/inference.md, "Directions" and "Information of data sets").

use super::information::{Direction, NoInformation, directions, information};
use crate::infer::blind::{Kept, keep_sets};
use crate::model::{Data, Model};
use crate::program::Program;
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;
use std::ops::Range;

/// Eigenvalues that differ by less than this part of their size, or of what rounding of the largest is, are one.
const DEGENERATE: f64 = 1e-9;
/// Rounding of eigenvalues, of the largest and for each row.
const ROUNDING: f64 = 1e-15;

/// Eigenvectors of an information matrix, by descending eigenvalue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spectrum {
    pub directions: Vec<Direction>,
    /// Ranges of directions, of two or more, with one eigenvalue: any rotation among them is as good.
    pub degenerate: Vec<Range<usize>>,
    /// Eigenvalues up to this are rounding.
    pub rounding: f64,
}

/// A part of the data with a likelihood of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataSet {
    /// Index of a channel.
    Channel(usize),
    /// Index of a measurement with Gaussian errors.
    Measurement(usize),
    /// Index of an unbinned term.
    Unbinned(usize),
}

/// What one data set alone knows, with its nuisances profiled and their auxiliary measurements.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSetInformation {
    pub data_set: DataSet,
    pub matrix: Result<DMatrix<f64>, NoInformation>,
}

/// The spectrum of a symmetric matrix. Degenerate directions are those next to the axes: each in turn is the projection
/// of the axis that has the largest one, without those before it.
pub fn spectrum(matrix: &DMatrix<f64>) -> Spectrum {
    let mut all = directions(matrix);
    all.reverse();
    let largest = all.first().map_or(0.0, |direction| direction.eigenvalue.abs());
    let rounding = ROUNDING * matrix.nrows() as f64 * largest;
    let same = |a: f64, b: f64| (a - b).abs() <= rounding.max(DEGENERATE * a.abs().max(b.abs()));
    let mut degenerate = Vec::new();
    let mut first = 0;
    while first < all.len() {
        let end = (first + 1..all.len()).find(|&i| !same(all[i - 1].eigenvalue, all[i].eigenvalue));
        let group = first..end.unwrap_or(all.len());
        if group.len() > 1 {
            next_to_axes(&mut all[group.clone()]);
            degenerate.push(group.clone());
        }
        first = group.end;
    }
    Spectrum { directions: all, degenerate, rounding }
}

/// Another basis of the space that some orthonormal vectors span.
fn next_to_axes(group: &mut [Direction]) {
    let n = group.first().map_or(0, |direction| direction.vector.len());
    let mut projector = DMatrix::<f64>::zeros(n, n);
    for direction in group.iter() {
        let vector = DVector::from_column_slice(&direction.vector);
        projector += &vector * vector.transpose();
    }
    for direction in group.iter_mut() {
        // Of axes that are equally near, the first.
        let mut axis = 0;
        for i in 1..n {
            if projector[(i, i)] > projector[(axis, axis)] + DEGENERATE {
                axis = i;
            }
        }
        let vector: DVector<f64> = projector.column(axis).normalize();
        projector -= &vector * vector.transpose();
        let largest = vector.iter().fold(0.0, |most: f64, x| if x.abs() > most.abs() { *x } else { most });
        direction.vector = vector.iter().map(|x| x * largest.signum()).collect();
    }
}

/// Information of each data set alone at a point, of Asimov data there; `fixed` parameters are known.
pub fn of_data_sets(
    model: &Model,
    data: &Data,
    point: &[f64],
    fixed: &[bool],
    coefficients: &[usize],
) -> Vec<DataSetInformation> {
    let (channels, sets, terms) = (model.channels.len(), model.measurements.sets.len(), model.unbinned.len());
    let measured = (0..sets).map(DataSet::Measurement).chain((0..terms).map(DataSet::Unbinned));
    let all: Vec<DataSet> = (0..channels).map(DataSet::Channel).chain(measured).collect();
    let one = |&data_set: &DataSet| {
        let kept = Kept {
            channels: (0..channels).map(|c| data_set == DataSet::Channel(c)).collect(),
            measurements: (0..sets).map(|s| data_set == DataSet::Measurement(s)).collect(),
            unbinned: (0..terms).map(|t| data_set == DataSet::Unbinned(t)).collect(),
        };
        let matrix = keep_sets(model, data, &kept).map_err(|_| NoInformation::OutOfDomain).and_then(|own| {
            information(&own.model, &Program::compile(&own.model), point, fixed, coefficients).profiled
        });
        DataSetInformation { data_set, matrix }
    };
    all.par_iter().map(one).collect()
}

/// vᵀ I v
pub fn along(matrix: &DMatrix<f64>, direction: &Direction) -> f64 {
    let vector = DVector::from_column_slice(&direction.vector);
    vector.dot(&(matrix * &vector))
}
