//! Asimov data: what the model expects at a point, auxiliary data included.

use super::generate::GenerationFailure;
use super::likelihood::{Likelihood, Minimum};
use crate::model::Data;

/// Where Asimov data are taken.
#[derive(Clone, Debug, PartialEq)]
pub enum AsimovPoint {
    /// At these values, n_parameters long; those before a fit are [`super::prefit::point`].
    Given(Vec<f64>),
    /// At the minimum of the observed data; `conditional` holds the parameter at its value in the fit, else it is set
    /// afterwards.
    Postfit { conditional: bool },
}

/// Asimov data and the point they were taken at.
#[derive(Clone, Debug, PartialEq)]
pub struct Asimov {
    pub data: Data,
    /// In fit order. The reason of a minimum that is not valid comes with it; of a given point
    /// `twice_nll` is that of the observed data there.
    pub minimum: Minimum,
}

/// Asimov data of a likelihood; `setting` is a parameter with the value that it shall have.
///
/// # Errors
/// As [`Likelihood::expected_data`].
pub fn asimov(
    likelihood: &mut Likelihood,
    point: AsimovPoint,
    setting: Option<(usize, f64)>,
) -> Result<Asimov, GenerationFailure> {
    let mut minimum = match point {
        AsimovPoint::Given(point) => {
            let twice_nll = likelihood.twice_nll(&point);
            Minimum { twice_nll, parameters: point, reason: None, without_effect: Vec::new() }
        }
        AsimovPoint::Postfit { conditional } => {
            let held: Vec<(usize, f64)> = setting.into_iter().filter(|_| conditional).collect();
            likelihood.conditional_fit(&held)
        }
    };
    if let Some((parameter, value)) = setting {
        minimum.parameters[parameter] = value;
    }
    Ok(Asimov { data: likelihood.expected_data(&minimum.parameters)?, minimum })
}
