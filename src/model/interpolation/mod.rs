//! Interpolation between α = −1, 0 and +1 and extrapolation beyond (spec/interpolation.md); one file a code.

pub mod code0;
pub mod code1;
pub mod code2;
pub mod code4;
pub mod code4p;
pub mod code6;

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NormsysCode {
    /// Piecewise linear.
    Code0,
    Code1,
    /// Quadratic inside, linear outside.
    Code2,
    #[default]
    Code4,
    /// Polynomial inside as in code 4p, linear outside.
    Code6,
}

/// How a normsys goes on outside of its polynomial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tail {
    /// exp(α ln hi) above and exp(−α ln lo) below.
    Exponential,
    /// `intercept + α slope`, with a slope above and one below.
    Linear { intercept: f64, up: f64, down: f64 },
}

/// S and A of a factor that is 1 at α = 0.
fn halves(lo: f64, hi: f64) -> (f64, f64) {
    (0.5 * (hi - lo), 0.5 * (hi + lo) - 1.0)
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
    /// f(α) is the polynomial of [`NormsysCode::polynomial`] for |α| below this, and its [`Tail`] from there.
    pub fn inner_radius(self) -> f64 {
        match self {
            NormsysCode::Code0 => 0.0,
            NormsysCode::Code1 => code1::INNER_RADIUS,
            NormsysCode::Code4 => code4::INNER_RADIUS,
            NormsysCode::Code2 | NormsysCode::Code6 => 1.0,
        }
    }

    /// How f(α) goes on outside (spec/interpolation.md, "Factors with linear tails").
    pub fn tail(self, lo: f64, hi: f64) -> Tail {
        let (antisymmetric, symmetric) = halves(lo, hi);
        match self {
            NormsysCode::Code1 | NormsysCode::Code4 => Tail::Exponential,
            NormsysCode::Code0 | NormsysCode::Code6 => Tail::Linear { intercept: 1.0, up: hi - 1.0, down: 1.0 - lo },
            NormsysCode::Code2 => Tail::Linear {
                intercept: 1.0 - symmetric,
                up: antisymmetric + 2.0 * symmetric,
                down: antisymmetric - 2.0 * symmetric,
            },
        }
    }

    /// The factor can be zero or negative where lo and hi are positive.
    pub fn has_linear_tail(self) -> bool {
        self.tail(1.0, 1.0) != Tail::Exponential
    }

    /// Coefficients a₁…a₆ of `f = 1 + Σ aᵢ αⁱ` inside.
    pub fn polynomial(self, lo: f64, hi: f64) -> [f64; 6] {
        match self {
            NormsysCode::Code0 | NormsysCode::Code1 => [0.0; 6],
            NormsysCode::Code2 => {
                let (antisymmetric, symmetric) = halves(lo, hi);
                [antisymmetric, symmetric, 0.0, 0.0, 0.0, 0.0]
            }
            NormsysCode::Code6 => code6::coefficients(lo, hi),
            NormsysCode::Code4 => code4::coefficients(lo, hi),
        }
    }

    /// The factor itself, one α at a time; the kernel evaluates the same equations in lanes.
    pub fn factor(self, lo: f64, hi: f64, alpha: f64) -> f64 {
        if alpha.abs() < self.inner_radius() {
            let polynomial = self.polynomial(lo, hi);
            1.0 + alpha * polynomial.iter().rev().fold(0.0, |sum, a| sum * alpha + a)
        } else {
            match self.tail(lo, hi) {
                Tail::Exponential => code1::factor(lo, hi, alpha),
                Tail::Linear { intercept, up, down } => intercept + alpha * if alpha < 0.0 { down } else { up },
            }
        }
    }
}
