//! Functions of one and two numbers, with their derivatives.

use crate::normal;
use std::f64::consts::{LN_10, PI};

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unary {
    Negative,
    Not,
    Exp,
    Log,
    Log10,
    Sqrt,
    Abs,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Floor,
    Ceil,
    Erf,
    Erfc,
    LogGamma,
    Digamma,
    /// ln Φ(x), the logarithm of the normal distribution function.
    LogNormalCdf,
    /// ln(sinh x / x).
    LogSinhc,
    /// ln p(x) of the standard Landau density.
    LogLandau,
}

/// A function of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Min,
    Max,
    Atan2,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    And,
    Or,
    /// ln(Φ(b) − Φ(a)) of (a, b).
    LogNormalMass,
}

impl Unary {
    pub fn value(self, x: f64) -> f64 {
        match self {
            Unary::Negative => -x,
            Unary::Not => truth(x == 0.0),
            Unary::Exp => x.exp(),
            Unary::Log => x.ln(),
            Unary::Log10 => x.log10(),
            Unary::Sqrt => x.sqrt(),
            Unary::Abs => x.abs(),
            Unary::Sin => x.sin(),
            Unary::Cos => x.cos(),
            Unary::Tan => x.tan(),
            Unary::Asin => x.asin(),
            Unary::Acos => x.acos(),
            Unary::Atan => x.atan(),
            Unary::Sinh => x.sinh(),
            Unary::Cosh => x.cosh(),
            Unary::Tanh => x.tanh(),
            Unary::Floor => x.floor(),
            Unary::Ceil => x.ceil(),
            Unary::Erf => libm::erf(x),
            Unary::Erfc => libm::erfc(x),
            Unary::LogGamma => libm::lgamma(x),
            Unary::Digamma => statrs::function::gamma::digamma(x),
            Unary::LogNormalCdf => normal::ln_cdf(x),
            Unary::LogSinhc => log_sinhc(x),
            Unary::LogLandau => crate::landau::ln_density(x).0,
        }
    }

    /// The derivative at x, where the value is y; at a kink the mean of both sides.
    pub fn slope(self, x: f64, y: f64) -> f64 {
        match self {
            Unary::Negative => -1.0,
            Unary::Not | Unary::Floor | Unary::Ceil => 0.0,
            Unary::Exp => y,
            Unary::Log => 1.0 / x,
            Unary::Log10 => 1.0 / (x * LN_10),
            Unary::Sqrt => 0.5 / y,
            Unary::Abs => sign(x),
            Unary::Sin => x.cos(),
            Unary::Cos => -x.sin(),
            Unary::Tan => 1.0 + y * y,
            Unary::Asin => 1.0 / (1.0 - x * x).sqrt(),
            Unary::Acos => -1.0 / (1.0 - x * x).sqrt(),
            Unary::Atan => 1.0 / (1.0 + x * x),
            Unary::Sinh => x.cosh(),
            Unary::Cosh => x.sinh(),
            Unary::Tanh => 1.0 - y * y,
            Unary::Erf => 2.0 / PI.sqrt() * (-x * x).exp(),
            Unary::Erfc => -2.0 / PI.sqrt() * (-x * x).exp(),
            Unary::LogGamma => statrs::function::gamma::digamma(x),
            Unary::Digamma => trigamma(x),
            Unary::LogNormalCdf => normal::ln_cdf_slope(x),
            Unary::LogSinhc => log_sinhc_slope(x),
            Unary::LogLandau => crate::landau::ln_density(x).1,
        }
    }
}

impl Binary {
    pub fn value(self, a: f64, b: f64) -> f64 {
        match self {
            Binary::Add => a + b,
            Binary::Subtract => a - b,
            Binary::Multiply => a * b,
            Binary::Divide => a / b,
            Binary::Power => power(a, b),
            Binary::Min => {
                if a < b {
                    a
                } else {
                    b
                }
            }
            Binary::Max => {
                if a > b {
                    a
                } else {
                    b
                }
            }
            Binary::Atan2 => a.atan2(b),
            Binary::Equal => truth(nearly_equal(a, b)),
            Binary::NotEqual => truth(!nearly_equal(a, b)),
            Binary::Less => truth(a < b),
            Binary::LessEqual => truth(a <= b),
            Binary::Greater => truth(a > b),
            Binary::GreaterEqual => truth(a >= b),
            Binary::And => truth(a != 0.0 && b != 0.0),
            Binary::Or => truth(a != 0.0 || b != 0.0),
            Binary::LogNormalMass => log_normal_mass(a, b),
        }
    }

    /// The derivatives to a and b, where the value is y.
    pub fn slopes(self, a: f64, b: f64, y: f64) -> (f64, f64) {
        match self {
            Binary::Add => (1.0, 1.0),
            Binary::Subtract => (1.0, -1.0),
            Binary::Multiply => (b, a),
            Binary::Divide => (1.0 / b, -y / b),
            Binary::Power => power_slopes(a, b, y),
            Binary::Min => {
                if a < b {
                    (1.0, 0.0)
                } else {
                    (0.0, 1.0)
                }
            }
            Binary::Max => {
                if a > b {
                    (1.0, 0.0)
                } else {
                    (0.0, 1.0)
                }
            }
            Binary::Atan2 => {
                let square = a * a + b * b;
                (b / square, -a / square)
            }
            Binary::LogNormalMass => {
                let density = |z: f64| (-0.5 * (z * z + (2.0 * PI).ln()) - y).exp();
                (-density(a), density(b))
            }
            _ => (0.0, 0.0),
        }
    }
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

/// −1, 0 or 1.
fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

/// Equal up to four units in the last place (spec/hs3.md, D27).
fn nearly_equal(a: f64, b: f64) -> bool {
    if a == b {
        return true;
    }
    let ordered = |x: f64| {
        let bits = x.to_bits() as i64;
        if bits < 0 { i64::MIN.wrapping_sub(bits) } else { bits }
    };
    a.is_finite() && b.is_finite() && ordered(a).abs_diff(ordered(b)) <= 4
}

/// a^b; small integer powers by multiplication.
fn power(a: f64, b: f64) -> f64 {
    if b.fract() == 0.0 && b.abs() <= 64.0 { a.powi(b as i32) } else { a.powf(b) }
}

fn power_slopes(a: f64, b: f64, y: f64) -> (f64, f64) {
    let to_base = if b == 0.0 { 0.0 } else { b * power(a, b - 1.0) };
    // A base of zero or below has no real derivative to the exponent; as a constant exponent needs none, it is zero.
    let to_exponent = if a > 0.0 { y * a.ln() } else { 0.0 };
    (to_base, to_exponent)
}

/// Even and without cancellation: ln(sinh x / x) = |x| + ln((1 − e^{−2|x|})/(2|x|)), by its series near zero.
fn log_sinhc(x: f64) -> f64 {
    let size = x.abs();
    if size < 0.05 {
        let z = x * x;
        z * (1.0 / 6.0 + z * (-1.0 / 180.0 + z * (1.0 / 2835.0 - z * (1.0 / 37800.0 - z / 467_775.0))))
    } else {
        size + (-(-2.0 * size).exp_m1() / (2.0 * size)).ln()
    }
}

/// coth x − 1/x.
fn log_sinhc_slope(x: f64) -> f64 {
    if x.abs() < 0.05 {
        let z = x * x;
        x * (1.0 / 3.0 + z * (-1.0 / 45.0 + z * (2.0 / 945.0 - z * (1.0 / 4725.0 - z * 2.0 / 93_555.0))))
    } else {
        1.0 / x.tanh() - 1.0 / x
    }
}

/// ln(Φ(b) − Φ(a)) for a < b, from the tails on the side where they are small; NaN for b < a.
fn log_normal_mass(a: f64, b: f64) -> f64 {
    if b < a {
        return f64::NAN;
    }
    if a > 0.0 {
        return log_normal_mass(-b, -a);
    }
    if a == b {
        return f64::NEG_INFINITY;
    }
    if b > 0.0 {
        // What lies outside, on both sides.
        return (-(normal::ln_cdf(a).exp() + normal::ln_cdf(-b).exp())).ln_1p();
    }
    let (low, high) = (normal::ln_cdf(a), normal::ln_cdf(b));
    high + (-(low - high).exp()).ln_1p()
}

/// ψ'(x) for x > 0: recurrence up to 12, then the asymptotic series (DLMF 5.15.8).
fn trigamma(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return f64::NAN;
    }
    let (mut x, mut sum) = (x, 0.0);
    while x < 12.0 {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let r = 1.0 / (x * x);
    let series = 1.0 / 6.0 + r * (-1.0 / 30.0 + r * (1.0 / 42.0 + r * (-1.0 / 30.0 + r * (5.0 / 66.0))));
    sum + 1.0 / x + 0.5 * r + r / x * series
}
