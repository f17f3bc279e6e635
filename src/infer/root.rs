//! A root of a function of one variable that is costly, smooth, and comes with its slope.

/// What bounds a search.
#[derive(Clone, Copy, Debug)]
pub struct RootOptions {
    /// Ends when the next step is smaller than this part of the variable (or of the bracket's width, near zero).
    pub relative_tolerance: f64,
    pub max_evaluations: usize,
}

impl Default for RootOptions {
    /// The last Newton step squares its error, so that the result is as exact as the function.
    fn default() -> RootOptions {
        RootOptions { relative_tolerance: 1e-6, max_evaluations: 60 }
    }
}

/// The root of `f` between `a` and `b`, where it has opposite signs or is zero: Newton steps within the bracket, halving
/// where they leave it or converge slowly. `f` returns (value, slope), or `None` where it has no value, which ends the
/// search.
///
/// `start` is where to begin, in the bracket. Returns `None` without a value, or where the evaluations do not suffice.
pub fn root(
    mut a: (f64, f64),
    mut b: (f64, f64),
    start: f64,
    options: &RootOptions,
    mut f: impl FnMut(f64) -> Option<(f64, f64)>,
) -> Option<f64> {
    for (x, value) in [a, b] {
        if value == 0.0 {
            return Some(x);
        }
    }
    let rising = b.1 > a.1;
    let mut x = start.clamp(a.0.min(b.0), a.0.max(b.0));
    let mut last_width = f64::INFINITY;
    for evaluation in 0..options.max_evaluations {
        let (value, slope) = f(x)?;
        if value.is_nan() {
            return None;
        }
        if value == 0.0 {
            return Some(x);
        }
        if (value > 0.0) == rising {
            b = (x, value);
        } else {
            a = (x, value);
        }
        let (low, high) = (a.0.min(b.0), a.0.max(b.0));
        let width = high - low;
        let step = -value / slope;
        let next = x + step;
        let tolerance = options.relative_tolerance * x.abs().max(1e-3 * width);
        let inside = next > low && next < high;
        if step.abs() <= tolerance {
            return Some(if inside { next } else { x });
        }
        if width <= 1e-3 * tolerance || next == x {
            return Some(x);
        }
        // Newton must halve the bracket every third step, else halving does.
        let slow = evaluation % 3 == 2 && width > 0.5 * last_width;
        if evaluation % 3 == 2 {
            last_width = width;
        }
        x = if inside && !slow { next } else { 0.5 * (low + high) };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Closed forms: √2, and a root at a place where Newton alone runs away.
    #[test]
    fn roots_of_closed_forms() {
        let find = |a: f64, b: f64, start: f64, f: &dyn Fn(f64) -> (f64, f64)| {
            root((a, f(a).0), (b, f(b).0), start, &RootOptions::default(), |x| Some(f(x))).unwrap()
        };
        let square = |x: f64| (x * x - 2.0, 2.0 * x);
        assert!((find(0.0, 5.0, 4.0, &square) - 2.0_f64.sqrt()).abs() < 1e-11);
        assert!((find(5.0, 0.0, 0.1, &square) - 2.0_f64.sqrt()).abs() < 1e-11);
        let arctan = |x: f64| ((x - 1.0).atan(), 1.0 / (1.0 + (x - 1.0).powi(2)));
        assert!((find(-30.0, 50.0, 40.0, &arctan) - 1.0).abs() < 1e-11);
        let cube = |x: f64| ((x - 3.0).powi(3), 3.0 * (x - 3.0).powi(2));
        assert!((find(0.0, 10.0, 9.0, &cube) - 3.0).abs() < 1e-4);
        let falling = |x: f64| (-(x.exp_m1()), -x.exp());
        assert!(find(-3.0, 20.0, 15.0, &falling).abs() < 1e-6);
    }

    #[test]
    fn no_value_is_no_root() {
        assert_eq!(root((0.0, -1.0), (1.0, 1.0), 0.5, &RootOptions::default(), |_| None), None);
        assert_eq!(root((0.0, -1.0), (1.0, 1.0), 0.5, &RootOptions::default(), |_| Some((f64::NAN, 1.0))), None);
    }
}
