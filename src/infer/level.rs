//! Heights of −2 Δ ln L that belong to levels of probability: quantiles of χ² (spec/inference.md, eq. 20 and 24).

use super::root::{RootOptions, root};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI};

/// The probability within one standard deviation of a normal distribution, 2Φ(1) − 1.
pub const ONE_SIGMA: f64 = 0.682_689_492_137_085_9;

/// How far −2 ln L rises above its minimum on the border of a region of this level, in one parameter: F₁⁻¹(level).
/// NaN where the level is not between 0 and 1.
pub fn height_in_one(level: f64) -> f64 {
    if !(level > 0.0 && level < 1.0) {
        return f64::NAN;
    }
    if level == ONE_SIGMA {
        return 1.0;
    }
    let density = |z: f64| FRAC_2_PI.sqrt() * (-0.5 * z * z).exp();
    let options = RootOptions { relative_tolerance: 1e-10, max_evaluations: 200 };
    // In logarithms above the median, where a difference would lose the tail.
    let z = if level < 0.5 {
        let f = |z: f64| (libm::erf(z * FRAC_1_SQRT_2) - level, density(z));
        root((0.0, -level), (1.0, f(1.0).0), level, &options, |z| Some(f(z)))
    } else {
        let tail = (1.0 - level).ln();
        let f = |z: f64| {
            let above = libm::erfc(z * FRAC_1_SQRT_2);
            (above.ln() - tail, -density(z) / above)
        };
        root((0.5, f(0.5).0), (9.0, f(9.0).0), 1.0, &options, |z| Some(f(z)))
    };
    z.map_or(f64::NAN, |z| z * z)
}

/// As [`height_in_one`], in two parameters: F₂⁻¹(level) = −2 ln(1 − level).
pub fn height_in_two(level: f64) -> f64 {
    if level > 0.0 && level < 1.0 { -2.0 * (-level).ln_1p() } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17.1, stats.chi2.ppf.
    #[test]
    fn quantiles_of_chi_squared() {
        let close = |ours: f64, theirs: f64| assert!((ours - theirs).abs() <= 1e-12 * theirs, "{ours}, {theirs}");
        for (level, one, two) in SCIPY {
            close(height_in_one(level), one);
            close(height_in_two(level), two);
        }
        assert_eq!(height_in_one(ONE_SIGMA), 1.0);
        assert!(height_in_one(0.0).is_nan() && height_in_one(1.0).is_nan() && height_in_two(1.5).is_nan());
    }

    const SCIPY: [(f64, f64, f64); 8] = [
        (0.001, 1.570_797_149_262_492e-6, 0.002_001_000_667_167_068),
        (0.3, 0.148_471_861_832_545_4, 0.713_349_887_877_464_5),
        (0.5, 0.454_936_423_119_572, 1.386_294_361_119_891),
        (0.68, 0.988_946_481_478_023, 2.278_868_566_376_73),
        (0.9, 2.705_543_454_095_404, 4.605_170_185_988_092),
        (0.95, 3.841_458_820_694_124, 5.991_464_547_107_979),
        (0.9973, 8.999_861_956_749_672, 11.829_007_011_943_68),
        (0.999_999_999_999, 50.844_171_332_449_17, 55.262_086_475_786_72),
    ];
}
