//! Morphing against recorded numbers of numpy: corpus/eft/morph_vectors.json (weights, exact squared amplitudes,
//! truncations, condition numbers), a published basis, and least squares.

use crate::common;

use common::{Random, directory, read_json};
use morphist::model::eft::morphing::{
    LeastSquares, Morphing, MorphingError, basis_matrix, condition_number, solve, vertex_monomials,
};
use morphist::model::eft::polynomial::all_monomials;
use morphist::model::eft::{Monomial, Polynomial};
use serde_json::Value;

fn rows(value: &Value) -> Vec<Vec<f64>> {
    serde_json::from_value(value.clone()).unwrap()
}

/// Relative to the largest of the expected numbers.
fn close(got: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    for (got, want) in got.iter().zip(expected) {
        assert!((got - want).abs() <= tolerance * scale, "{what}: {got} and {want}, off by {:e}", (got - want) / scale);
    }
}

fn exact(points: &[Vec<f64>], monomials: &[Monomial], templates: &[Vec<f64>]) -> Morphing {
    solve(points, monomials, templates, None, LeastSquares::Equal).unwrap()
}

/// From exponents of each parameter to lists of parameters.
fn monomial(exponents: &[u32]) -> Monomial {
    (0..).zip(exponents).flat_map(|(i, n)| std::iter::repeat_n(i, *n as usize)).collect()
}

/// Production × decay with all operators in both vertices: 15 monomials in 2 operators, 126 in 5. numpy's condition
/// numbers are of Φ as it is and with columns of unit length.
#[test]
fn recorded_vectors() {
    let Some(directory) = directory("eft") else { return };
    let vectors = read_json(&directory.join("morph_vectors.json"));
    for (name, n, count, raw, scaled) in
        [("n2", 2, 15, 149.00741212105768, 88.97535439130897), ("n5", 5, 126, 2068.0242125951913, 1048.6663971897965)]
    {
        let case = &vectors[name];
        let exponents: Vec<Vec<u32>> = serde_json::from_value(case["exponents"].clone()).unwrap();
        let monomials: Vec<Monomial> = exponents.iter().map(|e| monomial(e)).collect();
        assert_eq!(monomials.len(), count);
        let (basis, points) = (rows(&case["basis"]), rows(&case["points"]));
        let morphing = exact(&basis, &monomials, &rows(&case["basis_yields"]));

        assert_eq!(case["condition"].as_f64(), Some(raw));
        close(&[condition_number(&basis_matrix(&basis, &monomials)).unwrap()], &[raw], 1e-9, name);
        close(&[morphing.condition], &[scaled], 1e-9, name);
        assert!(morphing.sum_rule() < 1e-13, "{name}: {:e}", morphing.sum_rule());

        let (weights, predictions) = (rows(&case["weights"]), rows(&case["exact"]));
        for (i, point) in points.iter().enumerate() {
            let got = morphing.weights.evaluate(point);
            close(&got, &weights[i], 1e-12, &format!("{name}, weights at {i}"));
            assert!((got.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            for (got, want) in morphing.polynomial.evaluate(point).iter().zip(&predictions[i]) {
                assert!((got - want).abs() <= 1e-12 * want, "{name}, point {i}: {got} and {want}");
            }
            for most in 1..=4 {
                let want = &rows(&case["truncated"][format!("order_{most}")])[i];
                let truncated = morphing.polynomial.truncated(most, &vec![1; n]);
                for (got, want) in truncated.evaluate(point).iter().zip(want) {
                    assert!((got - want).abs() <= 1e-12 * want.abs(), "{name}, order {most}: {got} and {want}");
                }
            }
        }
        let largest = morphing.largest_weight(&vec![[-1.0, 1.0]; n]);
        let recorded = weights.iter().flatten().fold(0.0f64, |most, w| most.max(w.abs()));
        assert!(largest.value >= recorded, "{name}: {largest:?} and {recorded}");
    }
}

/// The 2D basis of the WH analysis with SALLY and ALICES (Standard Model and five points in cHW~, cHW): condition
/// number by numpy; any quadratic in two coefficients comes back.
#[test]
fn published_basis_reproduces_any_quadratic() {
    let basis: Vec<Vec<f64>> =
        [[0.0, 0.0], [-0.902, 0.420], [-0.234, 0.970], [-1.120, -0.764], [0.720, -0.873], [1.150, 0.630]]
            .map(|p| p.to_vec())
            .into();
    let monomials = all_monomials(2, 2);
    close(&[condition_number(&basis_matrix(&basis, &monomials)).unwrap()], &[5.176282831055415], 1e-12, "raw");
    let mut random = Random(7);
    for _ in 0..20 {
        let terms = monomials.iter().map(|m| (m.clone(), (0..3).map(|_| 10.0 * random.uniform() - 5.0).collect()));
        let truth = Polynomial::from_terms(3, terms);
        let templates: Vec<Vec<f64>> = basis.iter().map(|point| truth.evaluate(point)).collect();
        let morphing = exact(&basis, &monomials, &templates);
        close(&[morphing.condition], &[5.197975666802573], 1e-12, "scaled");
        close(&morphing.polynomial.coefficients, &truth.coefficients, 1e-14, "coefficients");
    }
}

/// numpy: lstsq, and (Φᵀ U Φ)⁻¹ Φᵀ U T with U the inverse summed variances; weights and variances at c = 0.7.
#[test]
fn least_squares_of_eight_points() {
    let points: Vec<Vec<f64>> = [-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0].map(|c| vec![c]).into();
    let templates: Vec<Vec<f64>> =
        [[7.1, 3.0], [4.9, 2.2], [2.9, 1.4], [1.8, 1.1], [1.05, 0.9], [1.7, 1.3], [3.1, 2.1], [7.3, 5.2]]
            .map(|t| t.to_vec())
            .into();
    let variances: Vec<Vec<f64>> =
        [[0.5, 0.2], [0.4, 0.1], [0.2, 0.1], [0.1, 0.1], [0.1, 0.05], [0.1, 0.1], [0.3, 0.2], [0.6, 0.4]]
            .map(|v| v.to_vec())
            .into();
    let monomials = all_monomials(1, 2);
    for (kind, coefficients, weights, variance) in cases() {
        let morphing = solve(&points, &monomials, &templates, Some(&variances), kind).unwrap();
        close(&morphing.polynomial.coefficients, &coefficients, 1e-13, "coefficients");
        close(&morphing.weights.evaluate(&[0.7]), &weights, 1e-13, "weights");
        close(&morphing.variance.unwrap().evaluate(&[0.7]), &variance, 1e-13, "variance");
    }
}

type Case = (LeastSquares, [f64; 6], [f64; 8], [f64; 2]);

fn cases() -> [Case; 2] {
    [
        (
            LeastSquares::Equal,
            [
                1.3743697478991597,
                0.9798319327731088,
                0.02044817927170839,
                0.4733893557422969,
                1.4812324929971996,
                0.7899159663865549,
            ],
            [
                -0.12851540616246493,
                0.0011764705882353153,
                0.10336134453781518,
                0.1780392156862745,
                0.22521008403361345,
                0.24487394957983194,
                0.23703081232492998,
                0.13882352941176465,
            ],
            [0.05305171668667466, 0.035019347660632874],
        ),
        (
            LeastSquares::ByVariance,
            [
                1.2878720068441167,
                0.9688352880411467,
                0.005791137674764949,
                0.42403074616949094,
                1.5241085749634222,
                0.7868591068458708,
            ],
            [
                -0.05984975089812019,
                -0.03763326119400837,
                0.01234347393913435,
                0.12832096353774666,
                0.31377880653615264,
                0.33955463500180494,
                0.17639302153472725,
                0.1270921115425625,
            ],
            [0.04443584178052453, 0.03165634139698975],
        ),
    ]
}

/// The variance of a sum of independent templates, summed here from the weights.
#[test]
fn variance_is_that_of_a_weighted_sum() {
    let basis: Vec<Vec<f64>> = [-1.0, 0.0, 1.0].map(|c| vec![c]).into();
    let templates = vec![vec![3.0, 1.0], vec![2.0, 2.0], vec![5.0, 4.0]];
    let variances = vec![vec![0.3, 0.1], vec![0.2, 0.0], vec![0.5, 0.4]];
    let morphing = solve(&basis, &all_monomials(1, 2), &templates, Some(&variances), LeastSquares::Equal).unwrap();
    let variance = morphing.variance.clone().unwrap();
    assert_eq!(variance.monomials, all_monomials(1, 4));
    for c in [-1.0, -0.3, 0.0, 0.8, 2.5f64] {
        // Lagrange's polynomials on −1, 0, 1.
        let weights = [0.5 * c * (c - 1.0), 1.0 - c * c, 0.5 * c * (c + 1.0)];
        let sum = |bin: usize| weights.iter().zip(&variances).map(|(w, v)| w * w * v[bin]).sum::<f64>();
        close(&variance.evaluate(&[c]), &[sum(0), sum(1)], 1e-14, "variance");
        close(&morphing.weights.evaluate(&[c]), &weights, 1e-14, "weights");
    }
    // On [−2, 3] the largest of the three is 0.5 · 3 · 4 = 6 at the upper end, and 1 − c² = −8 there.
    let largest = morphing.largest_weight(&[[-2.0, 3.0]]);
    assert_eq!((largest.basis_point, largest.value, largest.at), (1, 8.0, vec![3.0]));
    // Inside [0, 0.6] w_0 = 1 − c² peaks at the end 0 and |w_−| = c (1 − c)/2 in the middle is smaller.
    let largest = morphing.largest_weight(&[[0.0, 0.6]]);
    assert_eq!((largest.basis_point, largest.at), (1, vec![0.0]));
}

/// A peak inside the box: cubic weights on −3, −1, 1, 3 have w_1 = (3 − c)(c + 1)(c + 3)/16, largest where its derivative
/// 3 + 6 c... vanishes; found here by a scan of 1e6 points.
#[test]
fn largest_weight_inside_the_box() {
    let basis: Vec<Vec<f64>> = [-3.0, -1.0, 1.0, 3.0].map(|c| vec![c]).into();
    let templates = vec![vec![1.0]; 4];
    let morphing = exact(&basis, &all_monomials(1, 3), &templates);
    let largest = morphing.largest_weight(&[[-3.0, 3.0]]);
    let weight = |c: f64| (3.0 - c) * (c + 1.0) * (c + 3.0) / 16.0;
    let scan = (0..=1_000_000).map(|i| weight(-3.0 + 6e-6 * f64::from(i))).fold(0.0, f64::max);
    assert!((largest.value - scan).abs() < 1e-10, "{largest:?} and {scan}");
    assert!((largest.at[0].abs() - 1.0).abs() > 0.1, "{largest:?}");
}

/// C(n + 4, 4) where both vertices have all operators, (n + 1)(n + 2)/2 for one vertex; in general as many as the
/// product of the squared vertices has terms.
#[test]
fn monomials_of_vertices() {
    for (n, one, two) in [(1, 3, 5), (2, 6, 15), (5, 21, 126)] {
        let all: Vec<u32> = (0..n).collect();
        assert_eq!(vertex_monomials(std::slice::from_ref(&all)).unwrap(), all_monomials(n, 2));
        assert_eq!(vertex_monomials(std::slice::from_ref(&all)).unwrap().len(), one);
        assert_eq!(vertex_monomials(&[all.clone(), all]).unwrap(), all_monomials(n, 4));
        assert_eq!(all_monomials(n, 4).len(), two);
    }
    for vertices in [vec![vec![0, 1], vec![1, 2]], vec![vec![0], vec![1, 2, 3]], vec![vec![3, 0], vec![2, 3], vec![1]]]
    {
        let mut product = Polynomial::constant(1, 1.0);
        for operators in &vertices {
            let vertex = operators.iter().map(|i| (vec![*i], vec![1.0]));
            let vertex = Polynomial::from_terms(1, [(vec![], vec![1.0])].into_iter().chain(vertex));
            product = product.product(&vertex).product(&vertex);
        }
        assert_eq!(vertex_monomials(&vertices).unwrap(), product.monomials, "{vertices:?}");
    }
    assert_eq!(vertex_monomials(&[]).unwrap(), [Vec::<u32>::new()]);
    let many = vec![(0..20).collect::<Vec<u32>>(); 9];
    assert!(matches!(vertex_monomials(&many), Err(MorphingError::TooLarge { .. })));
}

#[test]
fn errors_name_what_is_wrong() {
    let monomials = all_monomials(1, 2);
    let attempt = |points: &[f64], templates: &[Vec<f64>]| {
        let points: Vec<Vec<f64>> = points.iter().map(|c| vec![*c]).collect();
        solve(&points, &monomials, templates, None, LeastSquares::Equal).unwrap_err()
    };
    let three = vec![vec![1.0], vec![2.0], vec![3.0]];
    assert_eq!(attempt(&[0.0, 1.0], &three[..2]), MorphingError::TooFew { points: 2, monomials: 3 });
    assert!(matches!(
        attempt(&[0.0, 1.0, 0.0], &three),
        MorphingError::IllPosed { duplicates, .. } if duplicates == [(0, 2)]
    ));
    // Three points of which two differ by 1e-11: a warning would not do.
    assert!(matches!(
        attempt(&[0.0, 1.0, 1.0 + 1e-11], &three),
        MorphingError::IllPosed { duplicates, condition, .. } if duplicates.is_empty() && condition > 1e10
    ));
    assert_eq!(attempt(&[0.0, f64::NAN, 1.0], &three), MorphingError::Number { what: "basis points", index: 1 });
    assert!(matches!(attempt(&[0.0, 1e200, 1.0], &three), MorphingError::Number { index: 1, .. }));
    assert_eq!(
        attempt(&[0.0, 1.0, 2.0], &[vec![1.0], vec![2.0], vec![]]),
        MorphingError::Shape { what: "templates", index: 2, found: 0, expected: 1 }
    );
    assert!(matches!(attempt(&[0.0, 1.0, 2.0], &three[..2]), MorphingError::Shape { .. }));
    assert_eq!(attempt(&[], &[]), MorphingError::Empty);
    // Two parameters, of which one never moves: its monomials are named.
    let points: Vec<Vec<f64>> = (0..6).map(|i| vec![f64::from(i), 0.0]).collect();
    let plane = all_monomials(2, 2);
    let error = solve(&points, &plane, &vec![vec![1.0]; 6], None, LeastSquares::Equal).unwrap_err();
    let MorphingError::IllPosed { unresolved, .. } = error else { panic!("{error:?}") };
    assert!(!unresolved.is_empty() && unresolved.iter().all(|k| plane[*k].contains(&1)), "{unresolved:?}");
    let doubled = vec![vec![0, 1], vec![1, 0]];
    let error = solve(&points, &doubled, &vec![vec![1.0]; 6], None, LeastSquares::Equal).unwrap_err();
    assert_eq!(error, MorphingError::Monomial { index: 1 });
    let points: Vec<Vec<f64>> = (0..4).map(|i| vec![f64::from(i)]).collect();
    for (bad, index) in [(0.0, 2), (-1.0, 2)] {
        let mut variances = vec![vec![1.0]; 4];
        variances[index] = vec![bad];
        let error = solve(&points, &monomials, &vec![vec![1.0]; 4], Some(&variances), LeastSquares::ByVariance);
        assert_eq!(error.unwrap_err(), MorphingError::Number { what: "variances", index });
    }
}

/// Points so close that five of sixteen digits are lost at first; templates and coefficients are dyadic, so that the
/// solution is exact and one step of refinement must find it.
#[test]
fn one_step_of_refinement_regains_the_digits() {
    let points: Vec<Vec<f64>> = (0..4).map(|k| vec![1.0 + f64::from(k) / 32.0]).collect();
    let truth = Polynomial::from_terms(1, (0..4).map(|k| (vec![0; k], vec![[3.0, -7.0, 5.0, 11.0][k]])));
    let templates: Vec<Vec<f64>> = points.iter().map(|point| truth.evaluate(point)).collect();
    let morphing = exact(&points, &truth.monomials, &templates);
    assert!(morphing.condition > 1e5, "{:e}", morphing.condition);
    close(&morphing.polynomial.coefficients, &truth.coefficients, 1e-15, "coefficients");
}
