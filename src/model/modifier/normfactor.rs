//! normfactor: a free normalisation.

use crate::model::ParameterSet;

pub fn parameters(name: &str) -> ParameterSet {
    ParameterSet {
        name: name.to_owned(),
        scalar: true,
        init: vec![1.0],
        bounds: vec![(0.0, 10.0)],
        fixed: vec![false],
        constraints: None,
    }
}
