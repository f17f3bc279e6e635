//! shapefactor: a free factor a bin, shared by bin number.

use crate::model::ParameterSet;

pub fn parameters(name: &str, n_bins: usize) -> ParameterSet {
    ParameterSet {
        name: name.to_owned(),
        scalar: false,
        init: vec![1.0; n_bins],
        bounds: vec![(0.0, 10.0); n_bins],
        fixed: vec![false; n_bins],
        constraints: None,
    }
}
