//! Where an axis has ticks: steps of 1, 2 or 5 times a power of ten, or powers of ten.

/// Ticks with labels, and those between them without.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ticks {
    pub major: Vec<(f64, String)>,
    pub minor: Vec<f64>,
}

/// About `most` ticks, at most `most + 1`, from `lo` to `hi` (finite, lo < hi).
pub fn linear(lo: f64, hi: f64, most: usize) -> Ticks {
    let raw = (hi - lo) / most.max(1) as f64;
    if !(raw.is_finite() && raw > 0.0) {
        return Ticks::default();
    }
    let mut power = raw.log10().floor() as i32;
    let mut leading = [1, 2, 5].into_iter().find(|m| times_power(f64::from(*m), power) >= raw * (1.0 - 1e-9));
    if leading.is_none() {
        power += 1;
        leading = Some(1);
    }
    let leading = leading.unwrap_or(1);
    let values = multiples(lo, hi, f64::from(leading), power);
    let parts = if leading == 2 { 4 } else { 5 };
    let minor = multiples(lo, hi, f64::from(leading * 10 / parts), power - 1);
    let largest = lo.abs().max(hi.abs());
    let major = values.iter().map(|v| (*v, label(*v, largest, power))).collect();
    Ticks { major, minor }
}

/// Powers of ten from `lo` to `hi` (finite, 0 < lo < hi); within few decades 2 and 5 times these too, and within one
/// the ticks of a linear axis.
pub fn logarithmic(lo: f64, hi: f64, most: usize) -> Ticks {
    if !(lo > 0.0 && hi.is_finite()) {
        return Ticks::default();
    }
    let (first, last) = ((lo.log10() - 1e-9).ceil() as i32, (hi.log10() + 1e-9).floor() as i32);
    let decades = (last - first + 1).max(0) as usize;
    if decades < 2 {
        return linear(lo, hi, most);
    }
    let inside = |v: &f64| *v >= lo * (1.0 - 1e-9) && *v <= hi * (1.0 + 1e-9);
    let all = |factors: &[i32]| -> Vec<f64> {
        let powers = first - 1..=last;
        powers.flat_map(|p| factors.iter().map(move |f| times_power(f64::from(*f), p))).filter(inside).collect()
    };
    if decades * 3 <= most {
        let major = all(&[1, 2, 5]).into_iter().map(|v| (v, power_label(v))).collect();
        return Ticks { major, minor: all(&[3, 4, 6, 7, 8, 9]) };
    }
    let every = decades.div_ceil(most.max(1)) as i32;
    let powers = (first..=last).filter(|p| p.rem_euclid(every) == 0);
    let major = powers.map(|p| (times_power(1.0, p), power_label(times_power(1.0, p)))).collect();
    let minor =
        if every == 1 { all(&[2, 3, 4, 5, 6, 7, 8, 9]) } else { (first..=last).map(|p| times_power(1.0, p)).collect() };
    Ticks { major, minor }
}

/// The multiples of `leading · 10^power` between two values.
fn multiples(lo: f64, hi: f64, leading: f64, power: i32) -> Vec<f64> {
    let step = times_power(leading, power);
    let (first, last) = ((lo / step - 1e-6).ceil(), (hi / step + 1e-6).floor());
    let count = (last - first + 1.0).clamp(0.0, 1000.0) as usize;
    (0..count).map(|i| times_power((first + i as f64) * leading, power) + 0.0).collect()
}

/// `value · 10^power` with one rounding where the power is exact.
fn times_power(value: f64, power: i32) -> f64 {
    if power < 0 { value / 10f64.powi(-power) } else { value * 10f64.powi(power) }
}

/// A number of an axis whose ticks differ by some times 10^power; with a power of ten where the largest has many digits.
fn label(value: f64, largest: f64, power: i32) -> String {
    let exponent = if largest > 0.0 { largest.log10().floor() as i32 } else { 0 };
    let decimals = |power: i32| usize::try_from(-power).unwrap_or(0).min(17);
    if value == 0.0 {
        return "0".to_owned();
    }
    if (-4..=5).contains(&exponent) && power >= -6 {
        return minus(&format!("{value:.*}", decimals(power)));
    }
    let mantissa = times_power(value, -exponent);
    let mantissa = format!("{mantissa:.*}", decimals(power - exponent));
    minus(&format!("{mantissa}×10{}", superscript(exponent)))
}

/// A label of a logarithmic axis: `0.01` to `1000` as they are, else 10ⁿ or 2×10ⁿ.
fn power_label(value: f64) -> String {
    let exponent = (value.log10() + 1e-9).floor() as i32;
    if (-2..=3).contains(&exponent) {
        return format!("{value:.*}", usize::try_from(-exponent).unwrap_or(0));
    }
    let leading = times_power(value, -exponent).round();
    let factor = if leading == 1.0 { String::new() } else { format!("{leading}×") };
    format!("{factor}10{}", superscript(exponent))
}

/// A short number with a true minus and a power of ten: `significant` digits as they stand on a picture.
pub fn number(value: f64, digits: usize) -> String {
    let text = crate::report::number::significant(value, digits);
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let exponent = exponent.parse().map(superscript).unwrap_or_default();
            minus(&format!("{mantissa}×10{exponent}"))
        }
        None => minus(&text),
    }
}

fn minus(text: &str) -> String {
    text.replace('-', "−")
}

fn superscript(exponent: i32) -> String {
    let digit = |c: char| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        c => c.to_digit(10).and_then(|d| char::from_u32(0x2070 + d)).unwrap_or(c),
    };
    exponent.to_string().chars().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &Ticks) -> Vec<&str> {
        ticks.major.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn steps_are_1_2_5() {
        assert_eq!(labels(&linear(0.0, 1.0, 5)), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&linear(-1.0, 1.0, 4)), ["−1.0", "−0.5", "0", "0.5", "1.0"]);
        assert_eq!(labels(&linear(0.0, 10.0, 10)), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
        assert_eq!(labels(&linear(95.0, 131.0, 4)), ["100", "110", "120", "130"]);
        assert_eq!(linear(0.0, 1.0, 5).minor.len(), 21);
        assert_eq!(linear(0.0, 0.3, 3).major[2].0, 0.2);
    }

    #[test]
    fn large_and_small_numbers_have_powers() {
        assert_eq!(labels(&linear(0.0, 3e12, 3)), ["0", "1×10¹²", "2×10¹²", "3×10¹²"]);
        assert_eq!(labels(&linear(0.0, 4e-9, 2)), ["0", "2×10⁻⁹", "4×10⁻⁹"]);
        assert_eq!(labels(&linear(1e-9, 1.5e-9, 1)), ["1.0×10⁻⁹", "1.5×10⁻⁹"]);
        assert_eq!(number(-1.5e-12, 2), "−1.5×10⁻¹²");
        assert_eq!(number(0.25, 3), "0.25");
    }

    #[test]
    fn decades() {
        assert_eq!(labels(&logarithmic(1e-3, 1e3, 8)), ["10⁻³", "0.01", "0.1", "1", "10", "100", "1000"]);
        assert_eq!(labels(&logarithmic(0.9, 60.0, 10)), ["1", "2", "5", "10", "20", "50"]);
        assert_eq!(labels(&logarithmic(1e-30, 1.0, 4)), ["10⁻²⁴", "10⁻¹⁶", "10⁻⁸", "1"]);
        assert_eq!(labels(&logarithmic(2.0, 8.0, 3)), ["2", "4", "6", "8"]);
    }

    #[test]
    fn every_range_has_an_end() {
        for (lo, hi) in [(0.0, 5e-324), (-1e308, 1e308), (1.0, 1.0 + 1e-15), (f64::NAN, 1.0), (1.0, 1.0)] {
            assert!(linear(lo, hi, 7).major.len() <= 9, "{lo} {hi}");
            assert!(logarithmic(lo, hi, 7).major.len() <= 9, "{lo} {hi}");
        }
    }
}
