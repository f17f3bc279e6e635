//! Natural splines of degree five: of all curves through the points the one with the least ∫ (f''')², as ROOT's `TSpline5`.

use super::spline::Spline;

/// Slope and second derivative at a knot.
type Pair = [f64; 2];
type Block = [[f64; 2]; 2];

/// Derivatives of third and fourth order at one end of an interval: from the difference of the values, from slope and
/// second derivative at the left end, and from those at the right end.
struct End {
    constant: Pair,
    left: Block,
    right: Block,
}

/// At both ends of an interval of width h, over which the value rises by `rise`.
fn ends(h: f64, rise: f64) -> [End; 2] {
    let (h2, h3, h4) = (h * h, h * h * h, h * h * h * h);
    let left = End {
        constant: [60.0 * rise / h3, -360.0 * rise / h4],
        left: [[-36.0 / h2, -9.0 / h], [192.0 / h3, 36.0 / h2]],
        right: [[-24.0 / h2, 3.0 / h], [168.0 / h3, -24.0 / h2]],
    };
    // The mirror image: slopes and third derivatives change their signs.
    let right = End {
        constant: [60.0 * rise / h3, 360.0 * rise / h4],
        left: [[-24.0 / h2, -3.0 / h], [-168.0 / h3, -24.0 / h2]],
        right: [[-36.0 / h2, 9.0 / h], [-192.0 / h3, 36.0 / h2]],
    };
    [left, right]
}

/// The spline through points whose abscissae rise, at least three. Above the last knot it is a parabola, below the first
/// one the first piece, as in ROOT.
pub(super) fn quintic(x: &[f64], y: &[f64]) -> Spline {
    let knots = slopes_and_bends(x, y);
    let piece = |i: usize| {
        let (h, rise) = (x[i + 1] - x[i], y[i + 1] - y[i]);
        let ([s0, k0], [s1, k1]) = (knots[i], knots[i + 1]);
        let c = 20.0 * rise - (8.0 * s1 + 12.0 * s0) * h - (3.0 * k0 - k1) * h * h;
        let d = -30.0 * rise + (14.0 * s1 + 16.0 * s0) * h + (3.0 * k0 - 2.0 * k1) * h * h;
        let e = 12.0 * rise - 6.0 * (s1 + s0) * h + (k1 - k0) * h * h;
        [y[i], s0, 0.5 * k0, 0.5 * c / h.powi(3), 0.5 * d / h.powi(4), 0.5 * e / h.powi(5)]
    };
    let mut pieces: Vec<[f64; 6]> = (0..x.len().saturating_sub(1)).map(piece).collect();
    if let (Some(y), Some([s, k])) = (y.last(), knots.last()) {
        pieces.push([*y, *s, 0.5 * k, 0.0, 0.0, 0.0]);
    }
    Spline { knots: x.to_vec(), pieces }
}

/// Third and fourth derivatives are continuous inside and zero at both ends: a system with three blocks a row, solved
/// from the first row to the last and back.
fn slopes_and_bends(x: &[f64], y: &[f64]) -> Vec<Pair> {
    let n = x.len();
    let (mut uppers, mut rights): (Vec<Block>, Vec<Pair>) = (Vec::with_capacity(n), Vec::with_capacity(n));
    let interval = |i: usize| ends(x[i + 1] - x[i], y[i + 1] - y[i]);
    for i in 0..n {
        let (mut lower, mut middle, mut upper) = ([[0.0; 2]; 2], [[0.0; 2]; 2], [[0.0; 2]; 2]);
        let mut right = [0.0; 2];
        if i > 0 {
            let [_, end] = interval(i - 1);
            (lower, middle) = (end.left, end.right);
            right = [-end.constant[0], -end.constant[1]];
        }
        if i + 1 < n {
            let [end, _] = interval(i);
            middle = minus(middle, end.left);
            upper = minus(upper, end.right);
            right = [right[0] + end.constant[0], right[1] + end.constant[1]];
        }
        if let (Some(above), Some(before)) = (uppers.last(), rights.last()) {
            middle = minus(middle, product(lower, *above));
            let shift = apply(lower, *before);
            right = [right[0] - shift[0], right[1] - shift[1]];
        }
        let inverse = inverse(middle);
        uppers.push(product(inverse, upper));
        rights.push(apply(inverse, right));
    }
    for i in (0..n.saturating_sub(1)).rev() {
        let shift = apply(uppers[i], rights[i + 1]);
        rights[i] = [rights[i][0] - shift[0], rights[i][1] - shift[1]];
    }
    rights
}

fn minus(a: Block, b: Block) -> Block {
    [[a[0][0] - b[0][0], a[0][1] - b[0][1]], [a[1][0] - b[1][0], a[1][1] - b[1][1]]]
}

fn product(a: Block, b: Block) -> Block {
    let entry = |i: usize, j: usize| a[i][0] * b[0][j] + a[i][1] * b[1][j];
    [[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]]
}

fn apply(a: Block, v: Pair) -> Pair {
    [a[0][0] * v[0] + a[0][1] * v[1], a[1][0] * v[0] + a[1][1] * v[1]]
}

fn inverse(a: Block) -> Block {
    let determinant = a[0][0] * a[1][1] - a[0][1] * a[1][0];
    [[a[1][1] / determinant, -a[0][1] / determinant], [-a[1][0] / determinant, a[0][0] / determinant]]
}

#[cfg(test)]
mod tests {
    use super::quintic;

    /// ROOT 6.40.00 `RooSpline` of order 5 at −2.5, −1.3, 0.7, 2.9 and 3.6, through 3 to 6 points.
    #[test]
    fn agrees_with_root() {
        let x = [-2.0, -1.0, 0.5, 1.0, 2.5, 3.1];
        let y = [-1.5, -1.2, 0.1, 0.7, 1.9, 1.2];
        for (i, expected) in ROOT.iter().enumerate() {
            let spline = quintic(&x[..i + 3], &y[..i + 3]);
            for (at, value) in [-2.5, -1.3, 0.7, 2.9, 3.6].into_iter().zip(expected) {
                let got = spline.at(at).0;
                assert!((got - value).abs() < 1e-12, "{} {at}: {got} but {value}", i + 3);
            }
        }
    }

    const ROOT: [[f64; 5]; 4] = [
        [-1.48, -1.3376, 0.35039999999999993, 4.3016, 6.018933333333332],
        [-1.4568382352941178, -1.3434567764705883, 0.33148305882352935, 3.622889215686274, 4.956149019607842],
        [-1.4956122207432876, -1.3339159474258129, 0.33972358712110917, 1.9757419363925866, 1.8476900986545717],
        [-1.4538146269663532, -1.3441959828746044, 0.33124735447732395, 1.5384286698131957, -0.11101677418639144],
    ];
}
