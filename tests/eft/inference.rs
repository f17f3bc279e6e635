//! Scans, intervals, contours and toys of models with responses, against closed forms and brute force.

use crate::common;
use crate::common::small;

use common::program::{json_of, scratch};
use morphist::infer::certificate::Certificate;
use morphist::infer::feldman_cousins::{FeldmanCousins, FeldmanCousinsOptions, neyman};
use morphist::infer::generate::ToyKind;
use morphist::infer::toy_hypotest::ToyOptions;
use morphist::infer::{
    Crossing, FitOptions, Hesse, Likelihood, Region, Scan, ScanOptions, Surface, SurfaceOptions, TestStatistic, Watch,
    minos, scan, surface,
};
use morphist::program::Program;
use nalgebra::{DMatrix, SymmetricEigen};
use serde_json::{Value, json};
use small::{halving, poisson};

const NINETY_FIVE: f64 = 3.841_458_820_694_124;

/// One channel with a signal of polynomial yields; `monomials` are (names, coefficients a bin).
fn document(monomials: &[(&[&str], &[f64])], observed: &[f64], coefficients: &[(&str, [f64; 2])]) -> Value {
    let n = observed.len();
    let nominal = monomials.iter().find(|(names, _)| names.is_empty()).map_or(vec![0.0; n], |(_, a)| a.to_vec());
    let wilson: Vec<Value> =
        coefficients.iter().map(|(name, bounds)| json!({"name": name, "bounds": bounds})).collect();
    json!({
        "channels": [{"name": "c", "samples": [{"name": "signal", "data": nominal, "modifiers": [
            {"name": "signal_eft", "type": "eft_polynomial", "data": {
                "mode": "absolute",
                "monomials": monomials.iter().map(|(names, _)| names).collect::<Vec<_>>(),
                "coefficients": monomials.iter().map(|(_, a)| a).collect::<Vec<_>>(),
                "truncation": "none",
            }}
        ]}]}],
        "observations": [{"name": "c", "data": observed}],
        "measurements": [{"name": "m", "config": {"poi": coefficients[0].0, "parameters": []}}],
        "version": "1.0.0",
        "eft": {
            "version": "0.1.0",
            "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
            "wilson_coefficients": wilson,
        },
    })
}

/// One bin, λ = 50 − 10 c + 10 c²: 47.5 at its vertex c = ½.
fn parabola(observed: f64, bounds: [f64; 2]) -> Value {
    document(&[(&[], &[50.0]), (&["c"], &[-10.0]), (&["c", "c"], &[10.0])], &[observed], &[("c", bounds)])
}

fn scan_of(document: &Value, parameter: &str, options: &ScanOptions) -> Scan {
    let (model, data) = small::read(&document.to_string());
    let program = Program::compile(&model);
    let parameter = model.parameter_names().iter().position(|name| name == parameter).unwrap();
    scan(&Likelihood::new(&program, &data, FitOptions::new(&model)), parameter, options, &Watch::new())
}

/// Ends of the intervals of a region.
fn ends(region: &Region) -> Vec<f64> {
    region.intervals.iter().flat_map(|interval| [interval.lower.value, interval.upper.value]).collect()
}

fn close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{found:?} but {expected:?}");
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() < tolerance, "{found:?} but {expected:?}");
    }
}

/// The yields at which −2 Δ ln L of one bin has a height, below and above the count.
fn yields_at(n: f64, height: f64) -> [f64; 2] {
    let f = |nu: f64| poisson(n, nu) - height;
    [halving(1e-9, n, f), halving(n, 10.0 * n, f)]
}

/// The roots of 50 − 10 c + 10 c² = λ.
fn roots(lambda: f64) -> [f64; 2] {
    let root = (0.25 + (lambda - 50.0) / 10.0).sqrt();
    [0.5 - root, 0.5 + root]
}

/// Count 90: both solutions of λ(c) = 90 are minima of height 0, c = ½ ± √4.25, and each region is two intervals.
#[test]
fn mirror_solutions_are_both_found() {
    let scan = scan_of(&parabola(90.0, [-10.0, 10.0]), "c", &ScanOptions::default());
    let minima: Vec<f64> = scan.minima.iter().map(|(value, _)| *value).collect();
    close(&[minima[0].min(minima[1]), minima[0].max(minima[1])], &roots(90.0), 1e-7);
    assert!(scan.minima.iter().all(|(_, height)| *height < 1e-9));
    for (region, height) in scan.regions.iter().zip([1.0, NINETY_FIVE]) {
        let [low, high] = yields_at(90.0, height).map(roots);
        close(&ends(region), &[high[0], low[0], low[1], high[1]], 1e-6);
        let bridge = region.bridges[0];
        assert_eq!(region.bridges.len(), 1);
        close(&[bridge.at, bridge.height], &[0.5, poisson(90.0, 47.5)], 1e-4);
        close(&[bridge.from, bridge.to], &roots(90.0), 1e-6);
        assert!(bridge.height > region.height);
    }
    // By default the grid shows both.
    assert!(scan.points[0].value < roots(90.0)[0] && scan.points[10].value > roots(90.0)[1]);
    for point in &scan.points {
        let lambda = 50.0 - 10.0 * point.value + 10.0 * point.value * point.value;
        assert!((point.height - poisson(90.0, lambda)).abs() < 1e-8);
    }
}

/// Count 52: two minima within one interval, since between them the profile rises by 0.41 only.
#[test]
fn a_low_bridge_joins_minima() {
    let scan = scan_of(&parabola(52.0, [-10.0, 10.0]), "c", &ScanOptions::default());
    for (region, height) in scan.regions.iter().zip([1.0, NINETY_FIVE]) {
        close(&ends(region), &roots(yields_at(52.0, height)[1]), 1e-6);
        assert_eq!(region.bridges.len(), 1);
        close(&[region.bridges[0].height], &[poisson(52.0, 47.5)], 1e-7);
        assert!(region.bridges[0].height < region.height);
    }
}

/// The bound −1.5 cuts the lower solution at −1.56 off: λ(−1.5) = 87.5 is inside the level, so the interval ends there
/// without a crossing, and begins where the profile falls below the level.
#[test]
fn an_interval_is_open_at_a_bound() {
    let scan = scan_of(&parabola(90.0, [-1.5, 10.0]), "c", &ScanOptions::default());
    let [low, high] = yields_at(90.0, 1.0).map(roots);
    close(&ends(&scan.regions[0]), &[-1.5, low[0], low[1], high[1]], 1e-6);
    let first = &scan.regions[0].intervals[0];
    assert!(matches!(first.lower.crossing, Crossing::AtBound { bound, height }
        if bound == -1.5 && (height - poisson(90.0, 87.5)).abs() < 1e-8));
    assert!(matches!(first.upper.crossing, Crossing::At(_)));
}

/// λ = 100 + 10 c (1 − c/8) (1 + 2 c), count 100: beside the solutions 0 and −½ there is one at 8, where λ is 17 times as
/// steep, in a region far narrower than its distance; above 8.53 the likelihood ends.
#[test]
fn a_narrow_region_far_away_is_found() {
    let monomials: [(&[&str], &[f64]); 4] =
        [(&[], &[100.0]), (&["c"], &[10.0]), (&["c", "c"], &[18.75]), (&["c", "c", "c"], &[-2.5])];
    let document = document(&monomials, &[100.0], &[("c", [-3.0, 9.0])]);
    let scan = scan_of(&document, "c", &ScanOptions::default());
    let lambda = |c: f64| 100.0 + 10.0 * c * (1.0 - c / 8.0) * (1.0 + 2.0 * c);
    for (region, height) in scan.regions.iter().zip([1.0, NINETY_FIVE]) {
        let f = |c: f64| poisson(100.0, lambda(c)) - height;
        let expected = [halving(-0.25, -3.0, f), halving(0.0, 2.0, f), halving(7.0, 8.0, f), halving(8.0, 8.5, f)];
        assert!(expected[3] - expected[2] < 0.25);
        close(&ends(region), &expected, 1e-7);
    }
}

/// The first bin is 100 + 20 c (1 − c/8), with solutions at 0 and 8; the second, 100 + 60 (d − c²/5), leaves a narrow valley
/// d = c²/5 that no straight line through the minimum follows, so that the region around 8 is seen by steps along it alone.
#[test]
fn a_region_at_the_end_of_a_bent_valley_is_found() {
    let monomials: [(&[&str], &[f64]); 4] =
        [(&[], &[100.0, 100.0]), (&["c"], &[20.0, 0.0]), (&["c", "c"], &[-2.5, -12.0]), (&["d"], &[0.0, 60.0])];
    let document = document(&monomials, &[100.0, 100.0], &[("c", [-2.0, 10.0]), ("d", [-30.0, 30.0])]);
    let scan = scan_of(&document, "c", &ScanOptions::default());
    for (region, height) in scan.regions.iter().zip([1.0, NINETY_FIVE]) {
        let f = |c: f64| poisson(100.0, 100.0 + 20.0 * c * (1.0 - c / 8.0)) - height;
        let expected = [halving(0.0, -2.0, f), halving(0.0, 4.0, f), halving(8.0, 4.0, f), halving(8.0, 10.0, f)];
        close(&ends(region), &expected, 1e-6);
    }
}

/// MINOS goes to the nearest crossings; its region lists all.
#[test]
fn minos_lists_all_intervals() {
    let (model, data) = small::read(&parabola(90.0, [-10.0, 10.0]).to_string());
    let program = Program::compile(&model);
    let likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    let result = minos(&likelihood, &[0], 0.95, &Watch::new());
    let [low, high] = yields_at(90.0, NINETY_FIVE).map(roots);
    close(&ends(result.parameters[0].region.as_ref().unwrap()), &[high[0], low[0], low[1], high[1]], 1e-6);
}

/// Three bins, two coefficients and a luminosity: tests/peer/eft_scan.py.
fn three_minima() -> Value {
    let monomials: [(&[&str], &[f64]); 6] = [
        (&[], &[60.0, 45.0, 20.0]),
        (&["ca"], &[12.0, -6.0, 9.0]),
        (&["ca", "ca"], &[7.0, 15.0, 11.0]),
        (&["cb"], &[-8.0, 10.0, 2.0]),
        (&["ca", "cb"], &[9.0, -14.0, 6.0]),
        (&["cb", "cb"], &[10.0, 18.0, 13.0]),
    ];
    let bounds = [-4.0, 4.0];
    let mut document = document(&monomials, &[130.0, 165.0, 98.0], &[("ca", bounds), ("cb", bounds)]);
    let lumi = json!({"name": "lumi", "type": "lumi", "data": null});
    document["channels"][0]["samples"][0]["modifiers"].as_array_mut().unwrap().push(lumi.clone());
    let background = json!({"name": "background", "data": [40.0, 50.0, 30.0], "modifiers": [lumi]});
    document["channels"][0]["samples"].as_array_mut().unwrap().push(background);
    document["measurements"][0]["config"]["parameters"] = json!([{"name": "lumi", "inits": [1.0],
        "bounds": [[0.5, 1.5]], "auxdata": [1.0], "sigmas": [0.03]}]);
    document
}

/// Minima (height, ca, cb), ends of the regions, and points (ca, height) over the branches of cb, from a dense search
/// with numpy and scipy (tests/peer/eft_scan.py).
const MINIMA: [(f64, f64, f64); 3] =
    [(0.0, -2.2466798, -0.6335590), (0.262010927, 0.2657400, 1.7869635), (1.246261891, 1.5693835, -1.2014838)];
const ENDS: [&[f64]; 2] =
    [&[-2.413009391, -2.070519079, 0.053694387, 0.482706728], &[-2.567592909, -1.881745697, -0.200573624, 2.043578848]];
const POINTS: [(f64, f64); 29] = [
    (-3.50, 62.682695063),
    (-3.25, 40.021346959),
    (-3.00, 22.278317983),
    (-2.75, 9.708838277),
    (-2.50, 2.363575413),
    (-2.25, 0.000380979),
    (-2.00, 1.891697434),
    (-1.75, 6.371701893),
    (-1.50, 10.716418546),
    (-1.25, 13.086461506),
    (-1.00, 13.457607347),
    (-0.75, 12.451738742),
    (-0.50, 9.720514543),
    (-0.25, 4.633857509),
    (0.00, 1.423493258),
    (0.25, 0.266019133),
    (0.50, 1.119741325),
    (0.75, 2.654434889),
    (1.00, 1.994175162),
    (1.25, 1.541413143),
    (1.50, 1.266427728),
    (1.75, 1.465042723),
    (2.00, 3.236509101),
    (2.25, 8.379865730),
    (2.50, 18.173216487),
    (2.75, 33.043345450),
    (3.00, 52.945708230),
    (3.25, 77.582759158),
    (3.50, 106.497577195),
];

#[test]
fn a_profile_follows_all_branches() {
    let options = ScanOptions { low: Some(-3.5), high: Some(3.5), n_points: 29, ..ScanOptions::default() };
    let scan = scan_of(&three_minima(), "ca", &options);
    assert_eq!(scan.minima.len(), 3, "{:?}", scan.minima);
    for (found, (height, value, _)) in scan.minima.iter().zip(MINIMA) {
        close(&[found.1, found.0], &[height, value], 1e-6);
    }
    for (point, (value, height)) in scan.points.iter().zip(POINTS) {
        close(&[point.value, point.height], &[value, height], 1e-7);
        let certificate = point.certificate.as_ref().unwrap();
        assert!(certificate.holds() && certificate.n_agree >= 1 && certificate.n_agree <= certificate.n_starts);
    }
    // Below −0.5 the best cb is negative, then positive, then negative again, in the valley that it had left.
    let branch = |k: usize| scan.points[k].certificate.as_ref().unwrap().branch;
    assert_eq!([branch(3), branch(15), branch(20)], [Some(0), Some(1), Some(0)]);
    for (region, expected) in scan.regions.iter().zip(ENDS) {
        close(&ends(region), expected, 1e-6);
    }
    // Within 0.95 the second and the third minimum are joined: the branches meet below the level.
    let bridges: Vec<bool> = scan.regions[1].bridges.iter().map(|bridge| bridge.height > NINETY_FIVE).collect();
    assert_eq!(bridges, [true, false]);
}

/// The lowest points of the surface are those of the profile of one coefficient, and all three minima are seen.
#[test]
fn a_surface_sees_all_minima() {
    let (model, data) = small::read(&three_minima().to_string());
    let program = Program::compile(&model);
    let [ca, cb] = ["ca", "cb"].map(|n| model.parameter_names().iter().position(|name| name == n).unwrap());
    let options = SurfaceOptions {
        low: [Some(-3.5), Some(-2.0)],
        high: [Some(3.5), Some(2.0)],
        n_points: [29, 401],
        ..SurfaceOptions::default()
    };
    let found = surface(&Likelihood::new(&program, &data, FitOptions::new(&model)), [ca, cb], &options, &Watch::new());
    for (found, (height, a, b)) in found.minima.iter().zip(MINIMA) {
        close(&[found.1, found.0[0], found.0[1]], &[height, a, b], 1e-6);
    }
    for (column, (_, height)) in found.points.chunks(401).zip(POINTS) {
        let lowest = column.iter().map(|point| point.height).fold(f64::INFINITY, f64::min);
        // cb in steps of 0.01: ½ f'' (0.005)², f'' below 500 here.
        assert!((0.0..7e-3).contains(&(lowest - height)), "{lowest} but {height}");
    }
    // All three lie below the height of 68 % with two degrees of freedom, 2.2957, and are apart.
    assert_eq!(found.contours[0].lines.len(), 3);
}

/// The smallest eigenvalue of ½ w H w from the dense matrix; w is the width of the constraint, or of the parameter's own
/// curvature. The projected gradient vanishes.
#[test]
fn certificates_are_those_of_the_dense_hessian() {
    let (model, data) = small::read(&three_minima().to_string());
    let program = Program::compile(&model);
    let names = model.parameter_names();
    let [ca, lumi] = ["ca", "lumi"].map(|n| names.iter().position(|name| name == n).unwrap());
    let likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    let result = scan(&likelihood, ca, &ScanOptions::default(), &Watch::new());
    let mut likelihood = likelihood;
    for point in &result.points {
        let held = likelihood.conditional_fit(&[(ca, point.value)]);
        let n = names.len();
        let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
        let data = program.prepare(&data);
        likelihood.evaluator.hessian(&held.parameters, &data, &mut gradient, &mut hessian);
        let width = |i: usize| if i == lumi { 0.03 } else { (2.0 / hessian[i * n + i]).sqrt() };
        let free: Vec<usize> = (0..n).filter(|i| *i != ca).collect();
        let scaled = DMatrix::from_fn(free.len(), free.len(), |a, b| {
            0.5 * hessian[free[a] * n + free[b]] * width(free[a]) * width(free[b])
        });
        let smallest = SymmetricEigen::new(scaled).eigenvalues.min();
        let Certificate { smallest_eigenvalue, projected_gradient, .. } = point.certificate.clone().unwrap();
        assert!((smallest_eigenvalue / smallest - 1.0).abs() < 1e-6, "{smallest_eigenvalue} but {smallest}");
        assert!(projected_gradient < 1e-6);
    }
}

/// Two unit normal parameters that nothing else determines: −2 Δ ln L = α² + β², so that contours are circles of radius
/// √F⁻¹(0.95): 2.4477 with two degrees of freedom, 1.9600 with one.
#[test]
fn contours_of_a_gaussian_are_circles() {
    let shape = |name: &str| json!({"name": name, "type": "histosys", "data": {"hi_data": [50.0], "lo_data": [50.0]}});
    let mut document = parabola(50.0, [-1.0, 1.0]);
    let background = json!({"name": "background", "data": [50.0], "modifiers": [shape("a"), shape("b")]});
    document["channels"][0]["samples"].as_array_mut().unwrap().push(background);
    document["observations"][0]["data"] = json!([100.0]);
    let (model, data) = small::read(&document.to_string());
    let program = Program::compile(&model);
    let [a, b] = ["a", "b"].map(|n| model.parameter_names().iter().position(|name| name == n).unwrap());
    let options = SurfaceOptions {
        exact_contours: true,
        levels: vec![0.95],
        degrees_of_freedom: vec![1, 2],
        ..SurfaceOptions::default()
    };
    let likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    let found: Surface = surface(&likelihood, [a, b], &options, &Watch::new());
    for (contour, radius) in found.contours.iter().zip([1.959_963_984_540_054, 2.447_746_830_680_816]) {
        assert_eq!(contour.lines.len(), 1);
        for [x, y] in &contour.lines[0] {
            assert!((x.hypot(*y) - radius).abs() < 1e-6, "{} but {radius}", x.hypot(*y));
        }
    }
}

/// One bin without nuisances: the statistic of a toy depends on its count alone, so that p-values are sums of Poisson
/// probabilities. λ(c) has a smallest value, below which a count has no solution.
#[test]
fn toys_are_those_of_exact_probabilities() {
    let found = exact_toys(44.0, [-5.0, 5.0], (0..9).map(|k| -2.0 + 0.5 * f64::from(k)).collect());
    assert!(found[1].intervals[0].low.value < found[0].intervals[0].low.value);
}

/// Below its vertex c has no solution for counts above 57.5: a toy that begins there must find the other side.
#[test]
fn toys_see_both_sides() {
    exact_toys(60.0, [-0.5, 5.0], vec![-0.5, -0.25, 0.25, 0.5, 1.0, 1.75]);
}

/// Toys of [`parabola`] at these values against sums of Poisson probabilities.
fn exact_toys(observed: f64, bounds: [f64; 2], values: Vec<f64>) -> Vec<FeldmanCousins> {
    let (model, data) = small::read(&parabola(observed, bounds).to_string());
    let program = Program::compile(&model);
    let likelihood = Likelihood::new(&program, &data, FitOptions { hesse: Hesse::No, ..FitOptions::new(&model) });
    let toys = ToyOptions { kind: ToyKind::Frequentist, seed: 7, statistic: TestStatistic::Tmu, mu: 0.0 };
    let search = FeldmanCousinsOptions { values: values.clone(), level: f64::NAN, n_toys: 4000, n_halvings: 0 };
    let found = neyman(likelihood, &data, 0, &toys, &search, &[0.68, 0.95], &Watch::new()).unwrap();
    let t = |n: f64, lambda: f64| poisson(n, lambda) - if n < 47.5 { poisson(n, 47.5) } else { 0.0 };
    for (point, value) in found[0].points.iter().zip(values) {
        let lambda = 50.0 - 10.0 * value + 10.0 * value * value;
        let outcome = point.outcome.as_ref().unwrap();
        assert!((outcome.observed - t(observed, lambda)).abs() < 1e-7);
        let (mut p, mut probability) = (0.0, (-lambda).exp());
        for n in 0..400 {
            if t(f64::from(n), lambda) >= t(observed, lambda) - 1e-9 {
                p += probability;
            }
            probability *= lambda / f64::from(n + 1);
        }
        let sigma = (p * (1.0 - p) / 4000.0).sqrt().max(1e-3);
        assert!((outcome.fraction.p() - p).abs() < 4.0 * sigma, "{value}: {} but {p}", outcome.fraction.p());
    }
    found
}

/// Linear truncation: λ = 50 − 10 c, so that an interval's ends are (50 − λ±)/10. Odd and even changes of the yield over the
/// distance δ are 10 δ and 10 δ².
#[test]
fn truncations_stand_side_by_side() {
    let file = scratch("eft_compare.json", &parabola(90.0, [-10.0, 10.0]).to_string());
    let report = json_of(&["eft", "compare", file.to_str().unwrap(), "--level", "0.95"], 0);
    let truncations = &report["coefficients"][0]["truncations"];
    let ends = |set: &Value| -> Vec<f64> {
        let intervals = set["intervals"][0]["intervals"].as_array().unwrap();
        intervals.iter().flat_map(|i| [&i["lower"], &i["upper"]].map(|end| end["value"].as_f64().unwrap())).collect()
    };
    let [low, high] = yields_at(90.0, NINETY_FIVE);
    assert_eq!(truncations[0]["truncation"], "linear");
    for mode in ["individual", "profiled"] {
        close(&ends(&truncations[0][mode]), &[(50.0 - high) / 10.0, (50.0 - low) / 10.0], 1e-6);
        assert!(truncations[0][mode]["sensitivity"]["linear_to_quadratic"].is_null());
        for k in [1, 2] {
            let ([a, b], [c, d]) = (roots(low), roots(high));
            close(&ends(&truncations[k][mode]), &[c, a, b, d], 1e-6);
            assert_eq!(truncations[k][mode]["intervals"][0]["bridge_crosses_level"], true);
            let ratio = truncations[k][mode]["sensitivity"]["linear_to_quadratic"].as_f64().unwrap();
            close(&[ratio], &[1.0 / d.abs().max(c.abs())], 1e-6);
            assert_eq!(truncations[k][mode]["notes"][0]["code"], "quadratic_dependence");
        }
    }
    let linear = json_of(&["scan", file.to_str().unwrap(), "c", "--truncation", "linear"], 0);
    let first = &linear["intervals"][1]["intervals"][0];
    close(&[first["lower"]["value"].as_f64().unwrap()], &[(50.0 - high) / 10.0], 1e-6);
}

/// A coefficient whose square alone acts has no interval at linear order, and nothing fails because of it.
#[test]
fn an_idle_coefficient_is_told() {
    let monomials: [(&[&str], &[f64]); 3] = [(&[], &[50.0, 60.0]), (&["c"], &[5.0, 9.0]), (&["d", "d"], &[3.0, 1.0])];
    let bounds = [-3.0, 3.0];
    let document = document(&monomials, &[52.0, 61.0], &[("c", bounds), ("d", bounds)]);
    let file = scratch("eft_idle.json", &document.to_string());
    let report = json_of(&["eft", "compare", file.to_str().unwrap()], 0);
    let of = |coefficient: usize, truncation: usize| &report["coefficients"][coefficient]["truncations"][truncation];
    assert_eq!(of(1, 0)["profiled"]["valid"], false);
    assert!(of(1, 0)["profiled"]["reason"]["message"].as_str().unwrap().contains("changes no yield"));
    assert_eq!(of(0, 0)["profiled"]["valid"], true);
    assert_eq!(of(1, 1)["profiled"]["valid"], true);
    assert!(of(1, 1)["profiled"]["sensitivity"]["linear_to_quadratic"].as_f64() == Some(0.0));
}

/// Yields along a coefficient are its polynomial; the picture has a line a bin.
#[test]
fn responses_are_polynomials() {
    let file = scratch("eft_responses.json", &three_minima().to_string());
    let report = json_of(&["eft", "responses", file.to_str().unwrap(), "ca", "--n-steps", "5"], 0);
    let curves = &report["responses"][0];
    for (k, value) in [-4.0, -2.0, 0.0, 2.0, 4.0].into_iter().enumerate() {
        for (bin, [a, b, q]) in [[60.0, 12.0, 7.0], [45.0, -6.0, 15.0], [20.0, 9.0, 11.0]].into_iter().enumerate() {
            let found = curves["yields"][bin][k].as_f64().unwrap();
            assert!((found - (a + b * value + q * value * value)).abs() < 1e-10);
        }
    }
    let sums = json_of(&["eft", "responses", file.to_str().unwrap(), "ca", "--n-steps", "5", "--sum"], 0);
    let sum = sums["responses"][0]["yields"][0][0].as_f64().unwrap();
    assert!((sum - (60.0 - 48.0 + 112.0 + 40.0)).abs() < 1e-10);
}

/// Four coefficients in eleven bins, of which no line through the first minimum leads to the lowest one: 73.816271 at
/// (0.1938, −0.7313, 0.9791, −0.8649) by scipy's Nelder-Mead from 60 random starts, the equations in numpy.
#[test]
fn a_minimum_far_from_all_lines_is_found() {
    let yields = [30.4, 15.6, 83.4, 44.0, 27.0, 112.1, 94.8, 152.6, 86.2, 152.6, 76.2];
    let monomials = [
        (&[][..], &yields[..]),
        (&["a"][..], &[-13.5, 14.4, 74.7, 42.8, -3.2, 108.8, -9.3, -31.3, 3.0, -19.3, -48.6][..]),
        (&["b"][..], &[14.2, -7.8, 72.0, 0.2, -4.4, -53.8, 16.9, 125.5, -15.2, -105.6, 66.2][..]),
        (&["c"][..], &[23.4, -2.1, -137.3, -2.2, -48.8, -13.6, -25.8, -41.4, -6.8, -99.4, 11.5][..]),
        (&["d"][..], &[17.4, 10.4, 62.5, 19.4, -9.9, 82.8, 20.6, -126.1, 50.3, -12.1, -9.4][..]),
        (&["a", "a"][..], &[3.3, 4.8, 17.8, 26.1, 3.9, 28.0, 2.5, 3.1, 37.9, 0.7, 10.8][..]),
        (&["a", "b"][..], &[-5.2, -3.9, 36.0, 16.8, -7.4, -31.3, -8.8, -18.2, -18.3, 6.2, -22.5][..]),
        (&["a", "c"][..], &[-11.3, -0.2, -67.9, -33.2, 28.7, -17.0, 5.9, 4.8, -21.1, 7.7, -5.0][..]),
        (&["a", "d"][..], &[-4.6, 8.9, 30.5, 18.5, 10.3, 37.4, -2.4, 4.1, 32.8, 1.5, -6.4][..]),
        (&["b", "b"][..], &[2.5, 1.5, 20.5, 5.5, 4.1, 14.3, 7.7, 31.0, 2.9, 21.3, 16.0][..]),
        (&["b", "c"][..], &[8.9, 1.3, -75.3, -21.0, -20.5, 39.8, -10.5, -18.5, 5.6, 30.5, 5.3][..]),
        (&["b", "d"][..], &[5.6, -1.6, 32.8, 4.2, -8.7, -5.2, 4.3, -39.4, -12.3, 1.0, -6.6][..]),
        (&["c", "c"][..], &[9.6, 0.6, 69.5, 20.0, 68.7, 44.0, 4.2, 3.0, 3.1, 20.9, 0.6][..]),
        (&["c", "d"][..], &[8.1, 1.7, -61.0, -8.5, 42.8, 31.6, -4.4, 16.9, -11.0, 8.9, 1.3][..]),
        (&["d", "d"][..], &[3.8, 5.7, 13.5, 3.5, 7.2, 23.6, 1.4, 43.3, 14.6, 1.7, 11.0][..]),
    ];
    let observed = [32.0, 17.0, 45.0, 81.0, 46.0, 99.0, 63.0, 165.0, 62.0, 159.0, 59.0];
    let coefficients = ["a", "b", "c", "d"].map(|name| (name, [-4.0, 4.0]));
    let (model, data) = small::read(&document(&monomials, &observed, &coefficients).to_string());
    let program = Program::compile(&model);
    let mut likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    let fit = likelihood.fit(Hesse::No);
    close(&[fit.twice_nll], &[73.816271], 1e-6);
    close(&fit.parameters, &[0.19379841, -0.73130799, 0.97914004, -0.86494679], 1e-5);
    // From zero alone it is another one.
    likelihood.options.restarts = false;
    assert!(likelihood.fit(Hesse::No).twice_nll > 100.0);
}
