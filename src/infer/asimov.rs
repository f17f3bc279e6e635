//! Asimov data: what the model expects at a point, auxiliary data included.

use super::likelihood::{Likelihood, Minimum};
use super::prefit;
use crate::model::Data;

/// Where Asimov data are taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AsimovPoint {
    /// Before a fit: free parameters at their start, constrained ones where their auxiliary data put them.
    Prefit,
    /// At the minimum of the observed data; `conditional` holds the parameter at its value in the fit, else it is set
    /// afterwards.
    Postfit { conditional: bool },
}

/// Asimov data and the point they were taken at.
#[derive(Clone, Debug, PartialEq)]
pub struct Asimov {
    pub data: Data,
    /// In fit order. The reason of a minimum that is not valid comes with it; before a fit `twice_nll` is that of the
    /// observed data at this point.
    pub minimum: Minimum,
}

/// Asimov data of a likelihood; `setting` is a parameter with the value that it shall have.
pub fn asimov(likelihood: &mut Likelihood, point: AsimovPoint, setting: Option<(usize, f64)>) -> Asimov {
    let mut minimum = match point {
        AsimovPoint::Prefit => {
            let (program, options) = (likelihood.program(), &likelihood.options);
            let auxiliary = likelihood.data.to_data(program).auxiliary;
            let point = prefit::point(program, &auxiliary, &options.init, &options.fixed);
            Minimum { twice_nll: likelihood.twice_nll(&point), parameters: point, reason: None }
        }
        AsimovPoint::Postfit { conditional } => {
            let held: Vec<(usize, f64)> = setting.into_iter().filter(|_| conditional).collect();
            likelihood.conditional_fit(&held)
        }
    };
    if let Some((parameter, value)) = setting {
        minimum.parameters[parameter] = value;
    }
    Asimov { data: likelihood.expected_data(&minimum.parameters), minimum }
}
