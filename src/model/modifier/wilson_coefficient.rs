//! A Wilson coefficient: a free parameter that the block `eft` declares.

use crate::model::ParameterSet;

pub fn parameters(name: &str, init: f64, bounds: (f64, f64), fixed: bool) -> ParameterSet {
    ParameterSet {
        name: name.to_owned(),
        scalar: true,
        init: vec![init],
        bounds: vec![bounds],
        fixed: vec![fixed],
        constraints: None,
    }
}
