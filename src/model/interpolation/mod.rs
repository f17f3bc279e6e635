//! Interpolation between α = −1, 0 and +1 and extrapolation beyond (spec/interpolation.md); one file a code.

pub mod code0;
pub mod code1;
pub mod code2;
pub mod code4;
pub mod code4p;

/// Interpolation of histosys: the offset of a bin is `s(α) S + q(α) A`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HistosysCode {
    Code0,
    Code2,
    /// Code 2 with pyhf's jump at |α| = 1 (only under `--compat pyhf`).
    Code2Pyhf,
    #[default]
    Code4p,
}

/// Interpolation of normsys: the factor f(α).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NormsysCode {
    Code1,
    #[default]
    Code4,
}

/// A function of α with its first two derivatives.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Jet {
    pub value: f64,
    pub first: f64,
    pub second: f64,
}

impl Jet {
    pub(crate) fn new(value: f64, first: f64, second: f64) -> Jet {
        Jet { value, first, second }
    }
}

impl HistosysCode {
    /// The antisymmetric weight s(α), of `S = (hi − lo)/2`.
    pub fn s(self, alpha: f64) -> Jet {
        match self {
            HistosysCode::Code2Pyhf => code2::s_pyhf(alpha),
            HistosysCode::Code0 | HistosysCode::Code2 | HistosysCode::Code4p => Jet::new(alpha, 1.0, 0.0),
        }
    }

    /// The symmetric weight q(α), of `A = (hi + lo)/2 − nominal`.
    pub fn q(self, alpha: f64) -> Jet {
        match self {
            HistosysCode::Code0 => code0::q(alpha),
            HistosysCode::Code2 => code2::q(alpha),
            HistosysCode::Code2Pyhf => code2::q_pyhf(alpha),
            HistosysCode::Code4p => code4p::q(alpha),
        }
    }
}

impl NormsysCode {
    /// f(α) is the polynomial of [`NormsysCode::polynomial`] for |α| below this, and exponential from there.
    pub fn inner_radius(self) -> f64 {
        match self {
            NormsysCode::Code1 => code1::INNER_RADIUS,
            NormsysCode::Code4 => code4::INNER_RADIUS,
        }
    }

    /// Coefficients a₁…a₆ of `f = 1 + Σ aᵢ αⁱ` inside.
    pub fn polynomial(self, lo: f64, hi: f64) -> [f64; 6] {
        match self {
            NormsysCode::Code1 => [0.0; 6],
            NormsysCode::Code4 => code4::coefficients(lo, hi),
        }
    }

    /// The factor itself, one α at a time; the kernel evaluates the same equations in lanes.
    pub fn factor(self, lo: f64, hi: f64, alpha: f64) -> f64 {
        if alpha.abs() < self.inner_radius() {
            let polynomial = self.polynomial(lo, hi);
            1.0 + alpha * polynomial.iter().rev().fold(0.0, |sum, a| sum * alpha + a)
        } else {
            code1::factor(lo, hi, alpha)
        }
    }
}
