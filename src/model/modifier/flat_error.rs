//! A flat error of measurements: anything within its bounds is as good.

use crate::model::ParameterSet;

/// One parameter an independent error; `fixed` are those that move nothing.
pub fn parameters(name: &str, scalar: bool, fixed: Vec<bool>) -> ParameterSet {
    let n = fixed.len();
    ParameterSet {
        name: name.to_owned(),
        scalar,
        init: vec![0.0; n],
        bounds: vec![(-1.0, 1.0); n],
        fixed,
        constraints: None,
    }
}
