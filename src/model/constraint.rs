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

    /// The same constraint with other auxiliary data.
    pub fn with_auxdata(self, auxdata: f64) -> Constraint {
        match self {
            Constraint::Gaussian { sigma, .. } => Constraint::Gaussian { auxdata, sigma },
            Constraint::Poisson { factor, .. } => Constraint::Poisson { auxdata, factor },
        }
    }

    /// The prefit width of the parameter: σ, or 1/√factor (spec/constraints.md, eq. 3).
    pub fn width(&self) -> f64 {
        match *self {
            Constraint::Gaussian { sigma, .. } => sigma,
            Constraint::Poisson { factor, .. } => 1.0 / factor.sqrt(),
        }
    }

    /// Where the constraint alone puts the parameter.
    pub fn centre(&self) -> f64 {
        match *self {
            Constraint::Gaussian { auxdata, .. } => auxdata,
            Constraint::Poisson { auxdata, factor } => auxdata / factor,
        }
    }

    /// (θ − centre)/width; none where the width is not a positive number.
    pub fn pull(&self, value: f64) -> Option<f64> {
        self.ratio(value - self.centre())
    }

    /// A fitted width over the constraint's; none where the latter is not a positive number.
    pub fn ratio(&self, width: f64) -> Option<f64> {
        let own = self.width();
        (own.is_finite() && own > 0.0).then(|| width / own)
    }
}
