//! Profile scans, intervals and contours against closed forms, against pyhf, and against scans of Combine.

use crate::common;
use crate::common::small;

use morphist::infer::contour::Contour;
use morphist::infer::interval::ONE_SIGMA;
use morphist::infer::{
    Crossing, Failure, FitOptions, Hesse, Likelihood, Scan, ScanOptions, Surface, SurfaceOptions, Watch, scan, surface,
};
use morphist::model::{Data, Model};
use morphist::program::Program;
use morphist::translate::from_pyhf::ModelOptions;
use small::{halving, lowest, poisson, valley};
use std::path::Path;

const NINETY_FIVE: f64 = 3.841_458_820_694_124;

fn scan_of(model: &Model, data: &Data, fit: FitOptions, parameter: usize, options: &ScanOptions) -> Scan {
    let program = Program::compile(model);
    scan(&Likelihood::new(&program, data, fit), parameter, options, &Watch::new())
}

fn scan_text(text: &str, parameter: usize, options: &ScanOptions) -> Scan {
    let (model, data) = small::read(text);
    scan_of(&model, &data, FitOptions::new(&model), parameter, options)
}

fn surface_text(text: &str, options: &SurfaceOptions) -> Surface {
    let (model, data) = small::read(text);
    let program = Program::compile(&model);
    surface(&Likelihood::new(&program, &data, FitOptions::new(&model)), [0, 1], options, &Watch::new())
}

fn index(model: &Model, name: &str) -> usize {
    model.parameter_names().iter().position(|n| n == name).unwrap()
}

/// By default 11 points, two uncertainties (√n / 10, closed form) to either side.
#[test]
fn a_grid_is_that_of_the_closed_form() {
    let scan = scan_text(&small::one_bin(64.0), 0, &ScanOptions::default());
    assert_eq!(scan.points.len(), 11);
    for (k, point) in scan.points.iter().enumerate() {
        let value = 6.4 + 0.8 * 0.4 * (k as f64 - 5.0);
        assert!((point.value - value).abs() < 1e-6 && point.reason.is_none());
        let height = poisson(64.0, 10.0 * point.value);
        assert!((point.height - height).abs() < 1e-8, "{} but {height}", point.height);
        assert!((point.slope - 20.0 * (1.0 - 64.0 / (10.0 * point.value))).abs() < 1e-6);
    }
}

/// Numbers of pyhf 0.7.6's twice_nll, conditional minima by projected Newton (jax, 64 bit).
#[test]
fn points_of_higgs_like_are_those_of_pyhf() {
    let (model, data) = common::load(Path::new("fixtures/higgs_like/workspace.json"), &ModelOptions::default());
    let [mu, ww] = ["mu", "WW_scale"].map(|name| index(&model, name));
    for (parameter, expected) in [(mu, MU), (ww, WW)] {
        let (low, high) = (Some(expected[0].0), Some(expected[5].0));
        let options = ScanOptions { low, high, n_points: 6, ..ScanOptions::default() };
        let scan = scan_of(&model, &data, FitOptions::new(&model), parameter, &options);
        for (point, (value, height)) in scan.points.iter().zip(expected) {
            assert!((point.value - value).abs() < 1e-12);
            assert!((point.height - height).abs() < 1e-7, "{value}: {} but {height}", point.height);
        }
    }
    let program = Program::compile(&model);
    let likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    let (low, high) = ([Some(MU[0].0), Some(WW[0].0)], [Some(MU[4].0), Some(WW[4].0)]);
    let options = SurfaceOptions { low, high, n_points: [3, 3], ..SurfaceOptions::default() };
    let surface = surface(&likelihood, [mu, ww], &options, &Watch::new());
    for (point, height) in surface.points.iter().zip(MU_WW) {
        assert!((point.height - height).abs() < 1e-7, "{:?}: {} but {height}", point.values, point.height);
    }
}

const MU: [(f64, f64); 6] = [
    (0.919_671_019_364_370_7, 4.469_096_655_639_291),
    (1.205_188_880_971_760_8, 1.545_056_018_351_417),
    (1.490_706_742_579_151, 0.163_878_147_911_717_06),
    (1.776_224_604_186_541_3, 0.156_269_059_530_600_88),
    (2.061_742_465_793_931, 1.344_262_899_258_24),
    (2.347_260_327_401_321_5, 3.573_720_166_345_722_8),
];
const WW: [(f64, f64); 6] = [
    (-2.299_295_390_228_688_3, 3.951_120_803_441_071_4),
    (-1.543_110_330_587_467, 1.421_007_154_670_775_2),
    (-0.786_925_270_946_245_8, 0.158_232_633_038_736_03),
    (-0.030_740_211_305_024_467, 0.162_691_873_038_610_88),
    (0.725_444_848_336_196_6, 1.498_639_438_542_852_5),
    (1.481_629_907_977_418, 4.157_841_648_894_177),
];
const MU_WW: [f64; 9] = [
    8.654_755_934_366_591,
    4.661_006_695_219_868,
    5.869_755_041_913_635,
    4.144_574_288_989_844,
    0.325_529_403_629_673_2,
    1.652_699_493_026_034_4,
    5.245_268_136_668_784,
    1.498_157_330_139_179,
    2.854_215_495_528_208_6,
];

/// Intervals of a bin of ten events at three levels, and the one that the bound cuts.
#[test]
fn pain_25_two_sided_intervals_are_those_of_the_closed_form() {
    let options = ScanOptions { levels: vec![0.68, ONE_SIGMA, 0.95], ..ScanOptions::default() };
    let scan = scan_text(&small::one_bin(10.0), 0, &options);
    // scipy 1.17.1, chi2.ppf.
    for (region, delta) in scan.regions.iter().zip([0.988_946_481_478_023, 1.0, NINETY_FIVE]) {
        assert!((region.height - delta).abs() < 1e-12 * delta && region.intervals.len() == 1);
        let interval = &region.intervals[0];
        let height = |mu: f64| poisson(10.0, 10.0 * mu) - delta;
        assert!((interval.lower.value - halving(1.0, 1e-9, height)).abs() < 1e-7);
        assert!((interval.upper.value - halving(1.0, 10.0, height)).abs() < 1e-7);
    }
    let empty = scan_text(&small::one_bin(0.0), 0, &options);
    let interval = &empty.regions[2].intervals[0];
    assert_eq!(interval.lower.crossing, Crossing::AtBound { bound: 0.0, height: 0.0 });
    assert!((interval.upper.value - NINETY_FIVE / 20.0).abs() < 1e-8);
}

/// Two valleys, of equal depth, at α and −α: below the barrier two intervals, above it one. Borders by halving.
#[test]
fn pain_25_an_interval_may_be_a_union() {
    let best = lowest(0.3, 1.5, valley);
    let barrier = valley(0.0) - best;
    // From scans of a part of one valley; now and then only slopes tell of the other one, between two points.
    let part = |k: u32| {
        let (low, high) = (Some(0.3 + 0.02 * f64::from(k)), Some(1.05));
        ScanOptions { low, high, n_points: 3, ..ScanOptions::default() }
    };
    for options in (0..35).map(part).chain([ScanOptions::default()]) {
        let scan = scan_text(&small::double_valleys(&["a"]), 0, &options);
        assert!((scan.best.twice_nll - scan_text_constant(&["a"]) - best).abs() < 1e-8);
        for region in &scan.regions {
            assert!(region.height < barrier);
            let height = |alpha: f64| valley(alpha) - best - region.height;
            let (inner, outer) = (halving(0.95, 0.0, height), halving(0.95, 5.0, height));
            let found: Vec<(f64, f64)> = region.intervals.iter().map(|i| (i.lower.value, i.upper.value)).collect();
            assert_eq!(found.len(), 2, "{found:?}");
            for ((lower, upper), (a, b)) in found.iter().zip([(-outer, -inner), (inner, outer)]) {
                assert!((lower - a).abs() < 1e-6 && (upper - b).abs() < 1e-6, "{found:?} but {a} {b}");
            }
        }
    }
    let high = ScanOptions { levels: vec![0.999_999_9], ..ScanOptions::default() };
    assert!(scan_text(&small::double_valleys(&["a"]), 0, &high).regions[0].intervals.len() == 1);
}

/// C of spec/likelihood.md, eq. 6: what −2 ln L of the valleys has besides the saturated parts.
fn scan_text_constant(names: &[&str]) -> f64 {
    let (model, data) = small::read(&small::double_valleys(names));
    let program = Program::compile(&model);
    let mut likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    likelihood.twice_nll(&vec![0.0; names.len()]) - names.len() as f64 * valley(0.0)
}

/// A scan across both valleys: every point by the closed form, the two minima included.
#[test]
fn a_scan_crosses_a_barrier() {
    let best = lowest(0.3, 1.5, valley);
    let options = ScanOptions { low: Some(-2.0), high: Some(2.0), n_points: 41, ..ScanOptions::default() };
    for point in scan_text(&small::double_valleys(&["a"]), 0, &options).points {
        assert!((point.height - (valley(point.value) - best)).abs() < 1e-7, "{point:?}");
    }
}

/// The cubics through an adaptive scan's points are nowhere off the closed form by more than twice what was asked for.
#[test]
fn an_adaptive_scan_has_points_where_the_curve_bends() {
    let options = ScanOptions { adaptive: true, n_points: 200, ..ScanOptions::default() };
    let best = lowest(0.3, 1.5, valley);
    let double = scan_text(&small::double_valleys(&["a"]), 0, &options);
    let single = scan_text(&small::one_bin(10.0), 0, &options);
    let cases: [(&Scan, &dyn Fn(f64) -> f64); 2] =
        [(&double, &|a| valley(a) - best), (&single, &|mu| poisson(10.0, 10.0 * mu))];
    for (scan, height) in cases {
        assert!(scan.points.len() < 100, "{}", scan.points.len());
        assert!(scan.points.first().unwrap().height > NINETY_FIVE && scan.points.last().unwrap().height > NINETY_FIVE);
        for pair in scan.points.windows(2) {
            let (a, b) = (&pair[0], &pair[1]);
            let middle = 0.5 * (a.height + b.height) + 0.125 * (b.value - a.value) * (a.slope - b.slope);
            let expected = height(0.5 * (a.value + b.value));
            assert!((middle - expected).abs() < 0.02 * expected.max(1.0), "{a:?} {b:?}: {expected}");
        }
    }
}

/// With k held at its best value 92/80, ν = (80 k, 20 k + 10 μ), n = (92, 36).
#[test]
fn a_fast_scan_holds_the_others() {
    let path = Path::new("fixtures/normfactor/workspace.json");
    let (model, data) = common::load(path, &ModelOptions::default());
    let poi = model.poi.unwrap();
    let fast = ScanOptions { fixed_others: true, low: Some(0.5), high: Some(2.0), ..ScanOptions::default() };
    for point in scan_of(&model, &data, FitOptions::new(&model), poi, &fast).points {
        let height = poisson(36.0, 20.0 * 92.0 / 80.0 + 10.0 * point.value);
        assert!((point.height - height).abs() < 1e-7, "{point:?}: {height}");
    }
}

/// ν₂ = 2 − μ: points beyond μ = 2 have no minimum and say why; the others are as good as ever.
#[test]
fn a_failed_point_is_recorded_with_its_reason() {
    let options = ScanOptions { low: Some(1.0), high: Some(3.0), n_points: 9, ..ScanOptions::default() };
    let scan = scan_text(&small::ending_domain(), 0, &options);
    let height = |mu: f64| poisson(12.0, 10.0 * mu) + 2.0 * (2.0 - mu);
    for point in &scan.points {
        if point.value > 2.0 {
            assert!(point.height.is_nan() && matches!(point.reason, Some(Failure::OutOfDomain(_))), "{point:?}");
        } else {
            assert!((point.height - (height(point.value) - height(12.0 / 9.0))).abs() < 1e-8, "{point:?}");
        }
    }
    assert_eq!(scan.points.iter().filter(|point| point.reason.is_some()).count(), 4);
    let upper = &scan.regions[1].intervals[0].upper;
    assert!(matches!(upper.crossing, Crossing::EndOfDomain { value, .. } if (value - 2.0).abs() < 1e-5), "{upper:?}");
}

/// A fit of one start ends in the higher of two minima; the scan meets the lower one (pyhf: 55.8497092), says so, and
/// refers to it.
#[test]
fn pain_2_a_scan_below_the_minimum_refers_to_the_lower_one() {
    let (model, data) = small::read(small::TWO_MINIMA);
    let single = FitOptions { restarts: false, ..FitOptions::new(&model) };
    let parameter = index(&model, "d");
    let options = ScanOptions { low: Some(-3.0), high: Some(3.0), n_points: 25, ..ScanOptions::default() };
    let from_above = scan_of(&model, &data, single, parameter, &options);
    assert!(from_above.first_minimum.is_some_and(|first| first > from_above.best.twice_nll + 1.0));
    assert!(from_above.best.twice_nll <= 55.849_709_2 + 1e-6);
    let from_below = scan_of(&model, &data, FitOptions::new(&model), parameter, &options);
    assert_eq!(from_below.first_minimum, None);
    let valid = from_above.points.iter().zip(&from_below.points).filter(|(a, _)| a.reason.is_none());
    // Far out every start has a bin below zero.
    assert!(valid.clone().count() > 15);
    for (a, b) in valid {
        assert!(a.height >= 0.0 && (a.height - b.height).abs() < 1e-6, "{a:?} {b:?}");
    }
}

/// At μ = 0 the recorded minimum of w6 (218.9172) is not the lowest; no point of the scan lies in a higher valley than
/// its neighbours.
#[test]
fn pain_2_w6_is_scanned_in_its_lowest_valley() {
    let Some(root) = common::corpus("pain_2_w6_is_scanned_in_its_lowest_valley") else { return };
    let path = root.join("reference/workspaces/w6_stau04.json");
    let (model, data) = common::load(&path, &ModelOptions::default());
    let poi = model.poi.unwrap();
    let options = ScanOptions { low: Some(0.0), high: Some(8.0), n_points: 33, ..ScanOptions::default() };
    let scan = scan_of(&model, &data, FitOptions::new(&model), poi, &options);
    assert!(scan.best.twice_nll < 218.9172 - 0.08);
    let program = Program::compile(&model);
    let mut likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    for point in &scan.points {
        let fresh = likelihood.conditional_fit(&[(poi, point.value)]).twice_nll - scan.best.twice_nll;
        assert!(point.height <= fresh + 1e-6, "{}: {} but {fresh}", point.value, point.height);
    }
}

#[test]
fn pain_7_scans_do_not_depend_on_threads() {
    let (model, data) = common::load(Path::new("fixtures/higgs_like/workspace.json"), &ModelOptions::default());
    let [mu, ww] = ["mu", "WW_scale"].map(|name| index(&model, name));
    let program = Program::compile(&model);
    let likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let one = scan(&likelihood, mu, &ScanOptions::default(), &Watch::new());
            let options = SurfaceOptions { n_points: [7, 5], exact_contours: true, ..SurfaceOptions::default() };
            let two = surface(&likelihood, [mu, ww], &options, &Watch::new());
            (one.points, one.regions, two.points, two.contours)
        })
    };
    assert_eq!(with(1), with(3));
}

/// Heights of two independent bins at their best strengths 1.2 and 1.5: closed form.
fn two_strengths(place: &[f64; 2]) -> f64 {
    poisson(12.0, 10.0 * place[0]) + poisson(30.0, 20.0 * place[1])
}

/// Contours of two independent strengths: on the closed form, closed, as wide as the profile of each; Δ of χ² with two
/// degrees of freedom (scipy 1.17.1).
#[test]
fn pain_25_contours_are_those_of_the_closed_form() {
    for (exact, tolerance) in [(true, 1e-4), (false, 0.02)] {
        let options = SurfaceOptions { exact_contours: exact, ..SurfaceOptions::default() };
        let surface = surface_text(&small::two_strengths(), &options);
        for point in &surface.points {
            assert!((point.height - two_strengths(&point.values)).abs() < 1e-7);
        }
        for (contour, delta) in surface.contours.iter().zip([2.295_748_928_898_636, 5.991_464_547_107_979]) {
            assert!((contour.height - delta).abs() < 1e-12 * delta);
            let [line] = contour.lines.as_slice() else { panic!("{} lines", contour.lines.len()) };
            assert!(line.len() > 40 && line.first() == line.last());
            for place in line {
                let height = two_strengths(place);
                assert!((height - delta).abs() < tolerance * delta, "{place:?}: {height}");
            }
            let widest = line.iter().map(|place| place[0]).fold(0.0, f64::max);
            let expected = halving(1.2, 9.0, |a| poisson(12.0, 10.0 * a) - delta);
            assert!((widest - expected).abs() < 0.01, "{widest} but {expected}");
        }
    }
}

/// Four valleys at (±α, ±α): the contour that lies below the barriers has four closed lines around them.
#[test]
fn a_contour_may_have_several_lines() {
    let text = small::double_valleys(&["a", "b"]);
    let best = lowest(0.3, 1.5, valley);
    let options = SurfaceOptions { n_points: [41, 41], exact_contours: true, ..SurfaceOptions::default() };
    let surface = surface_text(&text, &options);
    for contour in &surface.contours {
        assert!(contour.height < valley(0.0) - best);
        let quadrants: Vec<_> = contour.lines.iter().map(|line| line[0].map(f64::is_sign_positive)).collect();
        assert_eq!(quadrants.len(), 4, "{quadrants:?}");
        for line in &contour.lines {
            assert_eq!(line.first(), line.last());
            let quadrant = line[0].map(f64::is_sign_positive);
            for place in line {
                assert_eq!(place.map(f64::is_sign_positive), quadrant);
                let height = valley(place[0]) + valley(place[1]) - 2.0 * best;
                assert!((height - contour.height).abs() < 1e-4 * contour.height, "{place:?}: {height}");
            }
        }
    }
}

/// Near the saddles between valleys both ways of joining the cells' corners exist; the lines stay closed and on the
/// contour, within what the grid allows.
#[test]
fn lines_at_a_saddle_stay_closed() {
    let best = lowest(0.3, 1.5, valley);
    let saddle = valley(0.0) - best;
    for factor in [0.97, 0.99, 1.01, 1.03] {
        let level = 1.0 - (-0.5 * factor * saddle).exp();
        let options = SurfaceOptions {
            low: [Some(-3.0); 2],
            high: [Some(3.0); 2],
            n_points: [60, 60],
            levels: vec![level],
            ..SurfaceOptions::default()
        };
        let surface = surface_text(&small::double_valleys(&["a", "b"]), &options);
        let Contour { lines, .. } = &surface.contours[0];
        // Within one per cent the corridors are narrower than a cell.
        if factor != 0.99 {
            assert_eq!(lines.len(), if factor < 1.0 { 4 } else { 2 }, "{factor}");
        }
        assert!(lines.iter().all(|line| line.first() == line.last()), "{factor}");
    }
}

/// A contour that reaches a bound of the parameters ends there.
#[test]
fn contours_end_at_bounds() {
    let text = small::two_strengths().replace("12, 30", "0, 30");
    let options = SurfaceOptions { exact_contours: true, ..SurfaceOptions::default() };
    for contour in surface_text(&text, &options).contours {
        let [line] = contour.lines.as_slice() else { panic!("{} lines", contour.lines.len()) };
        assert!(line.first() != line.last() && line[0][0] == 0.0 && line[line.len() - 1][0] == 0.0);
        for place in line {
            let height = 20.0 * place[0] + poisson(30.0, 20.0 * place[1]);
            assert!((height - contour.height).abs() < 1e-4 * contour.height);
        }
    }
}

/// One scan of Combine (reference/combine2pyhf/results): where its −2 Δ ln L is below 9, how far ours is from it at most.
fn off_combine(root: &Path, result: &str, kind: &str, workspace: &str, options: &ModelOptions) -> f64 {
    let record = format!("reference/combine2pyhf/results/{result}/{kind}_combine.json");
    let record = common::read_json(&root.join(record));
    let (model, mut data) = common::load(&root.join(format!("corpus/pyhf/c2p_toy/{workspace}.json")), options);
    let poi = model.poi.unwrap();
    let program = Program::compile(&model);
    let mut likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    if kind == "asi" {
        data = likelihood.expected_data(&model.init()).unwrap();
        likelihood = likelihood.with_data(&data);
    }
    let numbers =
        |key: &str| -> Vec<f64> { record[key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect() };
    let mut off: f64 = 0.0;
    let mut compared = 0;
    let options = ScanOptions { low: Some(0.5), high: Some(1.5), levels: Vec::new(), ..ScanOptions::default() };
    let ours = scan(&likelihood, poi, &options, &Watch::new());
    for (r, theirs) in numbers("r").into_iter().zip(numbers("nll")) {
        if theirs < 9.0 {
            let point = ours.points.iter().find(|p| (p.value - r).abs() < 1e-9).unwrap();
            assert!(point.reason.is_none());
            off = off.max((point.height - theirs).abs());
            compared += 1;
        }
    }
    assert!(compared > 0, "{result} {kind}");
    off
}

/// Normalisation systematics of one bin width, rate parameters, and shape systematics written by pyhf: the same function
/// in both programs.
#[test]
fn scans_of_combine_agree_where_the_models_do() {
    let Some(root) = common::corpus("scans_of_combine_agree_where_the_models_do") else { return };
    for (result, workspace) in COMBINE_SAME {
        for kind in ["obs", "asi"] {
            let off = off_combine(&root, result, kind, workspace, &ModelOptions::default());
            println!("{result} {kind}: {off:.1e}");
            assert!(off < 1e-3, "{result} {kind}: {off}");
        }
    }
}

const COMBINE_SAME: [(&str, &str); 10] = [
    ("combine/one-bin-sys-normsys-corr", "fromcombine_one-bin-sys-normsys-corr"),
    ("combine/one-bin-sys-normsys-uncorr", "fromcombine_one-bin-sys-normsys-uncorr"),
    ("combine/multi-bin-sys-normsys-corr", "fromcombine_multi-bin-sys-normsys-corr"),
    ("combine/multi-bin-sys-normsys-uncorr", "fromcombine_multi-bin-sys-normsys-uncorr"),
    ("combine/two-bin-sys-normfactor", "fromcombine_two-bin-sys-normfactor"),
    ("pyhf/one-bin-sys-histosys-corr", "card_one-bin-sys-histosys-corr"),
    ("pyhf/one-bin-sys-histosys-uncorr", "card_one-bin-sys-histosys-uncorr"),
    ("pyhf/two-bin-sys-normfactor", "card_two-bin-sys-normfactor"),
    ("pyhf/multi-bin-sys-histosys-corr", "pyhf-combine-pyhf_multi-bin-sys-histosys-corr"),
    ("pyhf/multi-bin-sys-histosys-uncorr", "pyhf-combine-pyhf_multi-bin-sys-histosys-uncorr"),
];

/// The others differ by what the programs mean: Combine takes asymmetric normalisations as another function, and its
/// autoMCStats are not staterror. tests/peer/combine_scans.py evaluates Combine's own functions, which agree with the
/// records to 1e-4 and with ours to the sizes below.
#[test]
fn scans_of_combine_that_differ_by_design() {
    let Some(root) = common::corpus("scans_of_combine_that_differ_by_design") else { return };
    for (result, workspace) in COMBINE_OTHER {
        for kind in ["obs", "asi"] {
            let off = off_combine(&root, result, kind, workspace, &ModelOptions::default());
            println!("{result} {kind}: {off:.3}");
            let most = if result.contains("stat") { 1.0 } else { 0.02 };
            assert!(off < most, "{result} {kind}: {off}");
        }
    }
}

const COMBINE_OTHER: [(&str, &str); 12] = [
    ("combine/one-bin-sys-histosys-corr", "fromcombine_one-bin-sys-histosys-corr"),
    ("combine/one-bin-sys-histosys-uncorr", "fromcombine_one-bin-sys-histosys-uncorr"),
    ("combine/multi-bin-sys-histosys-corr", "fromcombine_multi-bin-sys-histosys-corr"),
    ("combine/multi-bin-sys-histosys-uncorr", "fromcombine_multi-bin-sys-histosys-uncorr"),
    ("combine/multi-bin-stat-bbl", "fromcombine_multi-bin-stat-bbl"),
    ("pyhf/one-bin-sys-normsys-corr", "card_one-bin-sys-normsys-corr"),
    ("pyhf/one-bin-sys-normsys-uncorr", "card_one-bin-sys-normsys-uncorr"),
    ("pyhf/one-bin-stat-bbl", "card_one-bin-stat-bbl"),
    ("pyhf/one-bin-stat-full", "card_one-bin-stat-full"),
    ("pyhf/multi-bin-sys-normsys-corr", "pyhf-combine-pyhf_multi-bin-sys-normsys-corr"),
    ("pyhf/multi-bin-sys-normsys-uncorr", "pyhf-combine-pyhf_multi-bin-sys-normsys-uncorr"),
    ("pyhf/multi-bin-stat-full", "pyhf-combine-pyhf_multi-bin-stat-full"),
];

/// Points of a scan of the whole bounds of w4 against fits from scratch.
#[test]
fn points_of_w4_are_minima() {
    let Some(root) = common::corpus("points_of_w4_are_minima") else { return };
    let path = root.join("reference/workspaces/w4_sbottomA.json");
    let (model, data) = common::load(&path, &ModelOptions::default());
    let poi = model.poi.unwrap();
    let options = ScanOptions { low: Some(0.0), high: Some(10.0), n_points: 21, ..ScanOptions::default() };
    let scan = scan_of(&model, &data, FitOptions::new(&model), poi, &options);
    let program = Program::compile(&model);
    let mut likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    let best = likelihood.fit(Hesse::No).twice_nll;
    for point in &scan.points {
        let fresh = likelihood.conditional_fit(&[(poi, point.value)]).twice_nll - best;
        assert!((point.height - fresh).abs() < 1e-7, "{}: {} but {fresh}", point.value, point.height);
    }
}
