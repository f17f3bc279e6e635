//! Constraint terms of the auxiliary measurements (spec/constraints.md).

/// How an auxiliary measurement ties one parameter value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Constraint {
    /// `auxdata ~ Normal(θ, sigma)`.
    Gaussian { auxdata: f64, sigma: f64 },
    /// `auxdata ~ Poisson(factor · θ)`.
    Poisson { auxdata: f64, factor: f64 },
}

impl Constraint {
    pub fn auxdata(&self) -> f64 {
        match *self {
            Constraint::Gaussian { auxdata, .. } | Constraint::Poisson { auxdata, .. } => auxdata,
        }
    }

    /// The prefit width of the parameter: σ, or 1/√factor (spec/constraints.md, eq. 3).
    pub fn width(&self) -> f64 {
        match *self {
            Constraint::Gaussian { sigma, .. } => sigma,
            Constraint::Poisson { factor, .. } => 1.0 / factor.sqrt(),
        }
    }
}
