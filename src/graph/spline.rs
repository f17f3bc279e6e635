//! Cubic splines through knots, with the third derivative continuous at the second and the last but one (not-a-knot).

/// Between knots i and i + 1 a polynomial of degree five in the distance from knot i; the outer pieces reach beyond.
#[derive(Clone, Debug, PartialEq)]
pub struct Spline {
    pub(super) knots: Vec<f64>,
    /// Coefficients, the constant first.
    pub(super) pieces: Vec<[f64; 6]>,
}

impl Spline {
    /// The spline through points whose abscissae rise; there are at least two and as many as ordinates.
    pub fn new(x: &[f64], y: &[f64]) -> Spline {
        let slopes = slopes(x, y);
        let piece = |i: usize| {
            let h = x[i + 1] - x[i];
            let mean = (y[i + 1] - y[i]) / h;
            let (left, right) = (slopes[i], slopes[i + 1]);
            let (bend, twist) = ((3.0 * mean - 2.0 * left - right) / h, (left + right - 2.0 * mean) / (h * h));
            [y[i], left, bend, twist, 0.0, 0.0]
        };
        let pieces = (0..x.len().saturating_sub(1)).map(piece).collect();
        Spline { knots: x.to_vec(), pieces }
    }

    /// Value and slope.
    pub fn at(&self, x: f64) -> (f64, f64) {
        let Some((&[y, a, b, c, e, f], d)) = self.piece(x) else { return (f64::NAN, f64::NAN) };
        let value = y + d * (a + d * (b + d * (c + d * (e + d * f))));
        (value, a + d * (2.0 * b + d * (3.0 * c + d * (4.0 * e + d * 5.0 * f))))
    }

    /// The second derivative.
    pub fn bend(&self, x: f64) -> f64 {
        let Some((&[_, _, b, c, e, f], d)) = self.piece(x) else { return f64::NAN };
        2.0 * b + d * (6.0 * c + d * (12.0 * e + d * 20.0 * f))
    }

    /// The coefficients that hold at x, and its distance from their knot.
    fn piece(&self, x: f64) -> Option<(&[f64; 6], f64)> {
        let above = self.knots.partition_point(|knot| *knot <= x);
        let i = above.saturating_sub(1).min(self.pieces.len().saturating_sub(1));
        Some((self.pieces.get(i)?, x - self.knots.get(i)?))
    }

    /// The spline that is the slope of this one.
    pub fn derivative(&self) -> Spline {
        let slope = |[_, a, b, c, e, f]: &[f64; 6]| [*a, 2.0 * b, 3.0 * c, 4.0 * e, 5.0 * f, 0.0];
        Spline { knots: self.knots.clone(), pieces: self.pieces.iter().map(slope).collect() }
    }
}

/// Slopes at the knots: continuity of the second derivative inside, one cubic over the first and the last two intervals.
fn slopes(x: &[f64], y: &[f64]) -> Vec<f64> {
    let n = x.len();
    let h: Vec<f64> = x.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mean: Vec<f64> = y.windows(2).zip(&h).map(|(pair, h)| (pair[1] - pair[0]) / h).collect();
    match n {
        0 | 1 => return vec![0.0; n],
        2 => return vec![mean[0]; 2],
        3 => {
            // A parabola.
            let curvature = (mean[1] - mean[0]) / (h[0] + h[1]);
            return vec![mean[0] - curvature * h[0], mean[0] + curvature * h[0], mean[1] + curvature * h[1]];
        }
        _ => {}
    }
    // Rows (below, diagonal, above, right hand side) of a tridiagonal system for the slopes.
    let mut rows = Vec::with_capacity(n);
    let (a, b) = (h[0], h[1]);
    rows.push((0.0, b, a + b, ((a + 2.0 * (a + b)) * b * mean[0] + a * a * mean[1]) / (a + b)));
    for i in 1..n - 1 {
        let right = 3.0 * (h[i] * mean[i - 1] + h[i - 1] * mean[i]);
        rows.push((h[i], 2.0 * (h[i - 1] + h[i]), h[i - 1], right));
    }
    let (a, b) = (h[n - 2], h[n - 3]);
    rows.push((a + b, b, 0.0, ((a + 2.0 * (a + b)) * b * mean[n - 2] + a * a * mean[n - 3]) / (a + b)));
    for i in 1..n {
        let factor = rows[i].0 / rows[i - 1].1;
        rows[i].1 -= factor * rows[i - 1].2;
        rows[i].3 -= factor * rows[i - 1].3;
    }
    let mut slopes = vec![0.0; n];
    for i in (0..n).rev() {
        let above = if i + 1 < n { rows[i].2 * slopes[i + 1] } else { 0.0 };
        slopes[i] = (rows[i].3 - above) / rows[i].1;
    }
    slopes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17.1 `CubicSpline(x, y, bc_type="not-a-knot")`, inside and beyond, and its derivative.
    #[test]
    fn agrees_with_scipy() {
        for (n, x, value, slope) in SCIPY {
            let spline = Spline::new(&[-2.0, -1.0, 0.5, 1.0, 2.5][..n], &[-1.5, -1.2, 0.1, 0.7, 1.9][..n]);
            let got = spline.at(x);
            assert!((got.0 - value).abs() < 1e-13 && (got.1 - slope).abs() < 1e-13, "{n} {x}: {got:?}");
        }
    }

    const SCIPY: [(usize, f64, f64, f64); 16] = [
        (2, -2.5, -1.65, 0.30000000000000004),
        (2, -1.3, -1.29, 0.30000000000000004),
        (2, 0.7, -0.6899999999999998, 0.30000000000000004),
        (2, 2.9, -0.029999999999999583, 0.30000000000000004),
        (3, -2.5, -1.479999999999999, -0.15333333333333649),
        (3, -1.3, -1.3376000000000001, 0.39066666666666705),
        (3, 0.7, 0.35039999999999993, 1.297333333333333),
        (3, 2.9, 4.301599999999998, 2.2946666666666653),
        (4, -2.5, -1.4349999999999998, -0.288333333333334),
        (4, -1.3, -1.3451600000000001, 0.4092666666666668),
        (4, 0.7, 0.3320399999999999, 1.187933333333333),
        (4, 2.9, 3.384320000000024, 1.4900666666666997),
        (5, -2.5, -1.4474766355140183, -0.2509034267912779),
        (5, -1.3, -1.343063925233645, 0.4041096573208724),
        (5, 0.7, 0.3360657943925233, 1.2022953271028036),
        (5, 2.9, 1.7988889719626169, -0.5865445482866032),
    ];
}
