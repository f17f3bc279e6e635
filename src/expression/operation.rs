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
            Unary::LogLandau => crate::landau::ln_density(x)[0],
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
            Unary::LogLandau => crate::landau::ln_density(x)[1],
        }
    }

    /// The second derivative at x, where the value is y; 0 at a kink.
    pub fn bend(self, x: f64, y: f64) -> f64 {
        match self {
            Unary::Negative | Unary::Not | Unary::Floor | Unary::Ceil | Unary::Abs => 0.0,
            Unary::Exp | Unary::Sinh | Unary::Cosh => y,
            Unary::Log => -1.0 / (x * x),
            Unary::Log10 => -1.0 / (x * x * LN_10),
            Unary::Sqrt => -0.25 / (y * y * y),
            Unary::Sin | Unary::Cos => -y,
            Unary::Tan => 2.0 * y * (1.0 + y * y),
            Unary::Asin => x / (1.0 - x * x).powf(1.5),
            Unary::Acos => -x / (1.0 - x * x).powf(1.5),
            Unary::Atan => -2.0 * x / ((1.0 + x * x) * (1.0 + x * x)),
            Unary::Tanh => -2.0 * y * (1.0 - y * y),
            Unary::Erf | Unary::Erfc => -2.0 * x * self.slope(x, y),
            Unary::LogGamma => trigamma(x),
            Unary::Digamma => tetragamma(x),
            Unary::LogNormalCdf => {
                let slope = normal::ln_cdf_slope(x);
                if slope == 0.0 { 0.0 } else { -slope * (x + slope) }
            }
            Unary::LogSinhc => log_sinhc_bend(x),
            Unary::LogLandau => crate::landau::ln_density(x)[2],
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

    /// The second derivatives to a twice, to a and b, and to b twice, where the value is y.
    pub fn bends(self, a: f64, b: f64, y: f64) -> [f64; 3] {
        match self {
            Binary::Multiply => [0.0, 1.0, 0.0],
            Binary::Divide => [0.0, -1.0 / (b * b), 2.0 * y / (b * b)],
            Binary::Power => power_bends(a, b, y),
            Binary::Atan2 => {
                let square = a * a + b * b;
                let (same, mixed) = (-2.0 * a * b / (square * square), (a * a - b * b) / (square * square));
                [same, mixed, -same]
            }
            Binary::LogNormalMass => {
                let (to_a, to_b) = self.slopes(a, b, y);
                // A density that has vanished bends nothing, however far out.
                let bend = |z: f64, slope: f64| if slope == 0.0 { 0.0 } else { -slope * (z + slope) };
                [bend(a, to_a), -to_a * to_b, bend(b, to_b)]
            }
            _ => [0.0; 3],
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

fn power_bends(a: f64, b: f64, y: f64) -> [f64; 3] {
    let to_base = if b == 0.0 || b == 1.0 { 0.0 } else { b * (b - 1.0) * power(a, b - 2.0) };
    // As for slopes: the exponent of a base that is not positive is a constant.
    if a > 0.0 { [to_base, power(a, b - 1.0) * (1.0 + b * a.ln()), y * a.ln() * a.ln()] } else { [to_base, 0.0, 0.0] }
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

/// 1/x² − 1/sinh²x.
fn log_sinhc_bend(x: f64) -> f64 {
    if x.abs() < 0.05 {
        let z = x * x;
        1.0 / 3.0 + z * (-1.0 / 15.0 + z * (2.0 / 189.0 + z * (-1.0 / 675.0 + z * 2.0 / 10_395.0)))
    } else {
        1.0 / (x * x) - 1.0 / (x.sinh() * x.sinh())
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

/// ψ''(x) for x > 0, as ψ'(x).
fn tetragamma(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return f64::NAN;
    }
    let (mut x, mut sum) = (x, 0.0);
    while x < 12.0 {
        sum -= 2.0 / (x * x * x);
        x += 1.0;
    }
    let r = 1.0 / (x * x);
    let series = -0.5 + r * (1.0 / 6.0 + r * (-1.0 / 6.0 + r * (0.3 - r * (5.0 / 6.0))));
    sum - r - r / x + r * r * series
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: f64 = 1e-5;

    /// Slopes against differences of values, bends against differences of slopes.
    #[test]
    fn derivatives_of_one_number_are_differences() {
        use Unary::*;
        let everywhere =
            [Negative, Exp, Abs, Sin, Cos, Atan, Sinh, Cosh, Tanh, Erf, Erfc, LogNormalCdf, LogSinhc, LogLandau, Not];
        let all = everywhere.iter().map(|f| (*f, vec![-2.3, -0.31, 0.02, 0.47, 1.9]));
        let inside = [Asin, Acos, Tan].map(|f| (f, vec![-0.6, 0.13, 0.8]));
        let positive = [Log, Log10, Sqrt, LogGamma, Digamma].map(|f| (f, vec![0.3, 1.9, 4.4, 17.0]));
        for (f, points) in all.chain(inside).chain(positive) {
            for x in points {
                let slope = |x: f64| f.slope(x, f.value(x));
                let first = (f.value(x + STEP) - f.value(x - STEP)) / (2.0 * STEP);
                let second = (slope(x + STEP) - slope(x - STEP)) / (2.0 * STEP);
                let close = |a: f64, b: f64| (a - b).abs() <= 2e-7 * (1.0 + b.abs());
                assert!(close(slope(x), first), "{f:?} at {x}: {} {first}", slope(x));
                assert!(close(f.bend(x, f.value(x)), second), "{f:?} at {x}: {} {second}", f.bend(x, f.value(x)));
            }
        }
    }

    #[test]
    fn derivatives_of_two_numbers_are_differences() {
        use Binary::*;
        for f in [Add, Subtract, Multiply, Divide, Power, Min, Max, Atan2, LogNormalMass] {
            for (a, b) in [(0.4, 1.7), (1.2, 2.5), (0.2, 0.9), (2.6, 3.1)] {
                let value = |da: f64, db: f64| f.value(a + da, b + db);
                let slopes = |da: f64, db: f64| f.slopes(a + da, b + db, value(da, db));
                let half = 0.5 / STEP;
                let first =
                    [(value(STEP, 0.0) - value(-STEP, 0.0)) * half, (value(0.0, STEP) - value(0.0, -STEP)) * half];
                let by_a = (slopes(STEP, 0.0), slopes(-STEP, 0.0));
                let by_b = (slopes(0.0, STEP), slopes(0.0, -STEP));
                let second = [(by_a.0.0 - by_a.1.0) * half, (by_a.0.1 - by_a.1.1) * half, (by_b.0.1 - by_b.1.1) * half];
                let (to_a, to_b) = slopes(0.0, 0.0);
                let got = [&[to_a, to_b][..], &f.bends(a, b, value(0.0, 0.0))].concat();
                for (got, expected) in got.iter().zip(first.iter().chain(&second)) {
                    assert!(
                        (got - expected).abs() <= 2e-7 * (1.0 + expected.abs()),
                        "{f:?}({a}, {b}): {got} {expected}"
                    );
                }
            }
        }
    }
}
