//! Toys and Asimov data of densities over events: distributions against closed forms, Asimov data and tests against
//! RooStats of ROOT 6.40.00 (tests/peer/hs3_toys.py).

use crate::common;

use morphist::document::hs3::{Hs3Document, ReadOptions};
use morphist::graph::{NoData, PairData};
use morphist::infer::generate::{GenerationFailure, Generator, Origin, ToyKind};
use morphist::infer::random::Ensemble;
use morphist::infer::toys::ToyTest;
use morphist::infer::{AsymptoticTest, FitOptions, Likelihood, TestStatistic, Watch};
use morphist::kernel::Evaluator;
use morphist::model::Data;
use morphist::program::Program;
use morphist::translate::from_hs3::{self, Hs3Likelihood, Hs3Options};
use serde_json::{Value, json};

fn translate(value: &Value) -> Hs3Likelihood {
    let document = Hs3Document::from_value(value, &ReadOptions::default()).unwrap_or_else(|f| panic!("{f}"));
    from_hs3::likelihood(&document, &Hs3Options::default()).unwrap_or_else(|f| panic!("{f}"))
}

/// The distribution `p` with others, paired with `data`.
fn document(distributions: Value, parameters: Value, data: Value) -> Value {
    let parameters: Vec<Value> =
        parameters.as_object().unwrap().iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    json!({
        "metadata": {"hs3_version": "0.2"},
        "distributions": distributions,
        "data": [data],
        "likelihoods": [{"name": "L", "distributions": ["p"], "data": ["d"]}],
        "parameter_points": [{"name": "default_values", "parameters": parameters}]
    })
}

fn unbinned(axes: &[(&str, f64, f64)], entries: Value) -> Value {
    let axes: Vec<Value> = axes.iter().map(|(name, min, max)| json!({"name": name, "min": min, "max": max})).collect();
    json!({"name": "d", "type": "unbinned", "axes": axes, "entries": entries})
}

/// Generators of toys at the start of the parameters.
fn generator(likelihood: &Hs3Likelihood, program: &Program, seed: u64) -> Result<Generator, GenerationFailure> {
    let (point, options) = (likelihood.model.init(), FitOptions::new(&likelihood.model));
    let origin = Origin {
        kind: ToyKind::Frequentist,
        ensemble: Ensemble { seed, value: f64::NAN },
        point: &point,
        held: &options.fixed,
        bounds: &options.bounds,
        observed: &likelihood.data,
        covariance: None,
    };
    Generator::new(&mut Evaluator::new(program), &origin)
}

/// The data of the only pair of some toys.
fn toys(value: &Value, n: u64) -> Vec<PairData> {
    let likelihood = translate(value);
    let program = Program::compile(&likelihood.model);
    let generator = generator(&likelihood, &program, 11).unwrap();
    let (mut evaluator, mut data) = (Evaluator::new(&program), Data::zeros(&program));
    let mut one = |toy: u64| {
        generator.draw(&mut evaluator, toy, &mut data).unwrap();
        data.densities.as_ref().unwrap()[0].clone()
    };
    (0..n).map(&mut one).collect()
}

fn columns(data: &PairData) -> &[Vec<f64>] {
    let PairData::Events { columns, weights } = data else { panic!("events") };
    assert!(weights.iter().all(|w| *w == 1.0));
    columns
}

fn counts(data: &PairData) -> &[f64] {
    let PairData::Counts(counts) = data else { panic!("counts") };
    counts
}

/// χ² of counts for probabilities of cells: within 5 of its own standard deviations.
fn assert_follows(what: &str, counts: &[f64], probabilities: &[f64]) {
    let n: f64 = counts.iter().sum();
    assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{what}");
    assert!(probabilities.iter().all(|p| n * p > 10.0), "{what}: cells of too few");
    let chi2: f64 = counts.iter().zip(probabilities).map(|(k, p)| (k - n * p).powi(2) / (n * p)).sum();
    let dof = counts.len() as f64 - 1.0;
    assert!((chi2 - dof).abs() < 5.0 * (2.0 * dof).sqrt(), "{what}: χ² {chi2} of {dof}");
}

/// Means and variances are both `mean`, as Poisson's are.
fn assert_poisson(what: &str, numbers: &[f64], mean: f64) {
    let n = numbers.len() as f64;
    let average = numbers.iter().sum::<f64>() / n;
    assert!((average - mean).abs() < 5.0 * (mean / n).sqrt(), "{what}: {average} and {mean}");
    let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    assert!((variance - mean).abs() < 5.0 * (mean / n + 2.0 * mean * mean / n).sqrt(), "{what}: {variance}, {mean}");
}

/// The part of N(m, s) below x.
fn normal(x: f64, m: f64, s: f64) -> f64 {
    0.5 * libm::erfc(-(x - m) / (s * std::f64::consts::SQRT_2))
}

/// Probabilities of cells from a cumulative function that need not begin at 0 or end at 1.
fn cells(edges: &[f64], cumulative: impl Fn(f64) -> f64) -> Vec<f64> {
    let whole = cumulative(edges[edges.len() - 1]) - cumulative(edges[0]);
    edges.windows(2).map(|pair| (cumulative(pair[1]) - cumulative(pair[0])) / whole).collect()
}

fn histogram<'a>(edges: &[f64], values: impl Iterator<Item = &'a f64>) -> Vec<f64> {
    let mut counts = vec![0.0; edges.len() - 1];
    values.for_each(|x| {
        assert!(edges[0] <= *x && *x <= edges[edges.len() - 1], "{x}");
        counts[edges.partition_point(|edge| edge <= x).clamp(1, edges.len() - 1) - 1] += 1.0;
    });
    counts
}

fn mixture() -> Value {
    let distributions = json!([
        {"name": "p", "type": "mixture_dist", "summands": ["g", "e"], "coefficients": ["s", "b"], "extended": true},
        {"name": "g", "type": "gaussian_dist", "x": "x", "mean": "m", "sigma": 0.1},
        {"name": "e", "type": "exponential_dist", "x": "x", "c": "c"}
    ]);
    let start = json!({"s": 30.0, "b": 70.0, "m": 4.0, "c": 0.4});
    document(distributions, start, unbinned(&[("x", 0.0, 10.0)], json!([[1.0], [2.0]])))
}

/// A peak on a falling background, extended: Poisson numbers, and the cumulative function in closed form.
#[test]
fn extended_mixtures() {
    let toys = toys(&mixture(), 800);
    let numbers: Vec<f64> = toys.iter().map(|toy| columns(toy)[0].len() as f64).collect();
    assert_poisson("events", &numbers, 100.0);
    let edges: Vec<f64> = [0.0, 0.5, 1.0, 2.0, 3.0, 3.7]
        .into_iter()
        .chain((0..15).map(|i| 3.8 + 0.03 * i as f64))
        .chain([4.5, 6.0, 8.0, 10.0])
        .collect();
    let falling = |x: f64| (1.0 - (-0.4 * x).exp()) / (1.0 - (-4.0f64).exp());
    let expected = cells(&edges, |x| 0.3 * normal(x, 4.0, 0.1) + 0.7 * falling(x));
    assert_follows("x", &histogram(&edges, toys.iter().flat_map(|toy| &columns(toy)[0])), &expected);
}

/// Two independent variates, one without a range, each against its own cumulative function; a density that is not extended
/// has as many events as its data.
#[test]
fn products_of_variates() {
    let distributions = json!([
        {"name": "p", "type": "product_dist", "factors": ["g", "e"]},
        {"name": "g", "type": "gaussian_dist", "x": "x", "mean": "m", "sigma": 2.0},
        {"name": "e", "type": "exponential_dist", "x": "y", "c": "c"}
    ]);
    let entries: Vec<Value> = (0..250).map(|_| json!([90.0, 1.0])).collect();
    let mut data = unbinned(&[("x", 0.0, 1.0), ("y", 0.0, 3.0)], json!(entries));
    data["axes"][0] = json!({"name": "x"});
    let toys = toys(&document(distributions, json!({"m": 91.0, "c": 1.5}), data), 80);
    assert!(toys.iter().all(|toy| columns(toy).iter().all(|column| column.len() == 250)));
    let far = [f64::NEG_INFINITY, 87.0, 88.0, 89.0, 90.0, 91.0, 92.0, 93.0, 94.0, 95.0, f64::INFINITY];
    let expected = cells(&far, |x| normal(x, 91.0, 2.0));
    assert_follows("x", &histogram(&far, toys.iter().flat_map(|toy| &columns(toy)[0])), &expected);
    let edges: Vec<f64> = (0..=10).map(|i| 0.3 * f64::from(i)).collect();
    let expected = cells(&edges, |y| -(-1.5 * y).exp());
    assert_follows("y", &histogram(&edges, toys.iter().flat_map(|toy| &columns(toy)[1])), &expected);
}

/// Covariances of a normal distribution of two and of three variates.
#[test]
fn correlated_variates() {
    for n in [2, 3] {
        let names = ["x", "y", "z"];
        let covariance = [[1.0, 0.6, -0.2], [0.6, 0.5, 0.0], [-0.2, 0.0, 0.8]];
        let rows: Vec<Vec<f64>> = covariance.iter().take(n).map(|row| row[..n].to_vec()).collect();
        let mean: Vec<Value> = [json!("m"), json!(1.0), json!(-1.0)].into_iter().take(n).collect();
        let distribution = json!({"name": "p", "type": "multivariate_normal_dist", "x": &names[..n], "mean": mean,
            "covariances": rows});
        let axes: Vec<(&str, f64, f64)> = names[..n].iter().map(|name| (*name, -8.0, 8.0)).collect();
        let entries: Vec<Vec<f64>> = (0..500).map(|_| vec![0.5; n]).collect();
        let value = document(json!([distribution]), json!({"m": 0.5}), unbinned(&axes, json!(entries)));
        let toys = toys(&value, 40);
        let means = [0.5, 1.0, -1.0];
        let total = 20_000.0;
        for i in 0..n {
            let sum: f64 = toys.iter().flat_map(|toy| &columns(toy)[i]).map(|x| x - means[i]).sum();
            assert!((sum / total).abs() < 5.0 * (covariance[i][i] / total).sqrt(), "mean of {i} of {n}: {sum}");
            for j in 0..n {
                let product = |toy: &PairData| -> f64 {
                    let (x, y) = (&columns(toy)[i], &columns(toy)[j]);
                    x.iter().zip(y).map(|(x, y)| (x - means[i]) * (y - means[j])).sum()
                };
                let found = toys.iter().map(product).sum::<f64>() / total;
                let width = ((covariance[i][i] * covariance[j][j] + covariance[i][j].powi(2)) / total).sqrt();
                assert!((found - covariance[i][j]).abs() < 5.0 * width, "{i} {j} of {n}: {found}");
            }
        }
    }
}

/// Steps, and zeros between them: no event where there are none.
#[test]
fn histograms_as_densities() {
    let edges = [0.0, 1.0, 1.3, 4.0, 5.0];
    let contents = [3.0, 5.0, 0.0, 2.0];
    let distributions = json!([{"name": "p", "type": "rate_extended_dist", "rate": "r", "dist": "h"},
        {"name": "h", "type": "histogram_dist", "data": {"axes": [{"name": "x", "edges": edges}], "contents": contents}}]);
    let value = document(distributions, json!({"r": 60.0}), unbinned(&[("x", 0.0, 5.0)], json!([[0.5]])));
    let toys = toys(&value, 300);
    let found = histogram(&edges, toys.iter().flat_map(|toy| &columns(toy)[0]));
    assert_eq!(found[2], 0.0);
    assert_follows("steps", &[found[0], found[1], found[3]], &[0.3, 0.5, 0.2]);
}

/// A peak of 10⁻⁵ of the range is seen; of one of 10⁻⁹ nothing is drawn, and it is said.
#[test]
fn narrow_peaks() {
    let make = |sigma: f64| {
        let distributions = json!([
            {"name": "p", "type": "mixture_dist", "summands": ["g", "u"], "coefficients": [0.5], "extended": false},
            {"name": "g", "type": "gaussian_dist", "x": "x", "mean": "m", "sigma": sigma},
            {"name": "u", "type": "uniform_dist", "x": "x"}]);
        let entries: Vec<Value> = (0..400).map(|_| json!([0.2])).collect();
        document(distributions, json!({"m": 0.3456}), unbinned(&[("x", 0.0, 1.0)], json!(entries)))
    };
    let toys = toys(&make(1e-5), 50);
    let edges = [0.0, 0.2, 0.3456 - 1.5e-5, 0.3456 - 5e-6, 0.3456, 0.3456 + 5e-6, 0.3456 + 1.5e-5, 0.7, 1.0];
    let expected = cells(&edges, |x| 0.5 * normal(x, 0.3456, 1e-5) + 0.5 * x);
    // Cells that hold the peak's own tails beside some thousands of others.
    assert_follows("peak", &histogram(&edges, toys.iter().flat_map(|toy| &columns(toy)[0])), &expected);
    let likelihood = translate(&make(1e-9));
    let program = Program::compile(&likelihood.model);
    let failure = generator(&likelihood, &program, 1).err();
    let Some(GenerationFailure::Densities { pair: 0, why: NoData::Integral(sum) }) = failure else {
        panic!("{failure:?}")
    };
    assert!((sum - 0.5).abs() < 1e-3, "{sum}");
}

/// Counts of bins: independent Poisson ones where there is a rate, a fixed total where there is none.
#[test]
fn bins() {
    let edges = [0.0, 1.0, 3.0, 4.0];
    let data = json!({"name": "d", "type": "binned", "axes": [{"name": "x", "edges": edges}], "contents": [4, 6, 2]});
    let gaussian = json!({"name": "g", "type": "gaussian_dist", "x": "x", "mean": "m", "sigma": 0.8});
    let extended = json!({"name": "p", "type": "bincounts_extended_dist", "rate": "r", "dist": "g"});
    let start = json!({"m": 1.2, "r": 40.0});
    let shares = cells(&edges, |x| normal(x, 1.2, 0.8));
    let drawn = toys(&document(json!([extended, gaussian]), start.clone(), data.clone()), 2000);
    for (bin, share) in shares.iter().enumerate() {
        let numbers: Vec<f64> = drawn.iter().map(|toy| counts(toy)[bin]).collect();
        assert_poisson(&format!("bin {bin}"), &numbers, 40.0 * share);
    }
    let sampled = json!({"name": "p", "type": "binsampling_dist", "pdf": "g", "observable": "x"});
    let drawn = toys(&document(json!([sampled, gaussian]), start, data), 2000);
    assert!(drawn.iter().all(|toy| counts(toy).iter().sum::<f64>() == 12.0));
    let sums: Vec<f64> = (0..3).map(|bin| drawn.iter().map(|toy| counts(toy)[bin]).sum()).collect();
    assert_follows("shares", &sums, &shares);
}

/// A counting experiment: one whole number.
#[test]
fn poisson_distributions() {
    let distributions = json!([{"name": "p", "type": "poisson_dist", "x": "n", "mean": "mu"}]);
    let mut value = document(distributions, json!({"mu": 6.5}), json!({"name": "d", "type": "point", "value": 9}));
    value["likelihoods"][0]["data"] = json!([9]);
    let drawn = toys(&value, 3000);
    let numbers: Vec<f64> = drawn.iter().map(|toy| columns(toy)[0][0]).collect();
    assert!(drawn.iter().all(|toy| columns(toy)[0].len() == 1) && numbers.iter().all(|n| n.fract() == 0.0));
    assert_poisson("n", &numbers, 6.5);
    // −2 Δ ln L of Asimov data between λ and 6.5: 2 [λ − 6.5 − 6.5 ln(λ/6.5)], as for n = 6.5.
    let likelihood = translate(&value);
    let program = Program::compile(&likelihood.model);
    let mut on = Likelihood::new(&program, &likelihood.data, FitOptions::new(&likelihood.model));
    let data = on.expected_data(&[6.5]).unwrap();
    let mut on = on.with_data(&data);
    let found = on.twice_nll(&[9.0]) - on.twice_nll(&[6.5]);
    let expected = 2.0 * (9.0 - 6.5 - 6.5 * (9.0f64 / 6.5).ln());
    assert!((found - expected).abs() < 1e-9, "{found} {expected}");
}

/// What there are no toys of says why.
#[test]
fn what_cannot_be_drawn() {
    let why = |value: &Value| {
        let likelihood = translate(value);
        let program = Program::compile(&likelihood.model);
        match generator(&likelihood, &program, 1) {
            Err(GenerationFailure::Densities { pair: 0, why }) => why,
            other => panic!("{other:?}"),
        }
    };
    let exponential = json!({"name": "p", "type": "exponential_dist", "x": "x", "c": "c"});
    let mut data = unbinned(&[("x", 0.0, 3.0)], json!([[1.0], [2.0]]));
    data["weights"] = json!([0.5, 0.75]);
    assert_eq!(why(&document(json!([exponential]), json!({"c": 0.5}), data)), NoData::Total(1.25));
    let mixed = json!([{"name": "p", "type": "product_dist", "factors": ["e", "k"]},
        {"name": "e", "type": "exponential_dist", "x": "x", "c": "c"},
        {"name": "k", "type": "poisson_dist", "x": "n", "mean": 3.0}]);
    let data = unbinned(&[("x", 0.0, 3.0), ("n", 0.0, 20.0)], json!([[1.0, 2.0]]));
    assert_eq!(why(&document(mixed, json!({"c": 0.5}), data)), NoData::Mixed);
    // In ROOT's conventions the density at the centres of bins counts: exp(−500²/2) is zero at both.
    for rate in [None, Some(7.0)] {
        let gaussian = json!({"name": "g", "type": "gaussian_dist", "x": "x", "mean": "m", "sigma": 0.001});
        let mut distributions = vec![gaussian];
        if rate.is_some() {
            distributions.push(json!({"name": "p", "type": "rate_extended_dist", "rate": "r", "dist": "g"}));
        }
        let data =
            json!({"name": "d", "type": "binned", "axes": [{"name": "x", "edges": [0, 1, 2]}], "contents": [3, 4]});
        let mut value = document(json!(distributions), json!({"m": 1.0, "r": rate.unwrap_or(1.0)}), data);
        value["metadata"]["packages"] = json!([{"name": "ROOT", "version": "6.40.00"}]);
        if rate.is_none() {
            value["likelihoods"][0]["distributions"] = json!(["g"]);
        }
        assert_eq!(why(&value), NoData::NoBin);
        let likelihood = translate(&value);
        let program = Program::compile(&likelihood.model);
        let mut on = Likelihood::new(&program, &likelihood.data, FitOptions::new(&likelihood.model));
        let failure = on.expected_data(&likelihood.model.init()).err();
        assert_eq!(failure, Some(GenerationFailure::Densities { pair: 0, why: NoData::NoBin }));
    }
    let extended = json!([{"name": "p", "type": "rate_extended_dist", "rate": "r", "dist": "e"},
        {"name": "e", "type": "exponential_dist", "x": "x", "c": "c"}]);
    let data = unbinned(&[("x", 0.0, 3.0)], json!([[1.0]]));
    assert_eq!(why(&document(extended, json!({"c": 0.5, "r": -1.0}), data)), NoData::Rate(-1.0));
}

/// The fit of Asimov data ends where they were made, for densities that a hundred bins describe well.
#[test]
fn asimov_data_have_their_minimum_where_they_were_made() {
    let likelihood = translate(&mixture());
    let program = Program::compile(&likelihood.model);
    let mut on = Likelihood::new(&program, &likelihood.data, FitOptions::new(&likelihood.model));
    let point = likelihood.model.init();
    let data = on.expected_data(&point).unwrap();
    let PairData::Events { weights, columns } = &data.densities.as_ref().unwrap()[0] else { panic!() };
    // The width of a bin is that of the peak: the midpoint rule is good to 10⁻⁸ there, and to (c h)²/24 elsewhere.
    assert_eq!(columns[0].len(), 100);
    assert!((weights.iter().sum::<f64>() - 100.0).abs() < 0.01);
    let mut on = on.with_data(&data);
    let fit = on.fit(morphist::infer::Hesse::All);
    assert!(fit.valid, "{:?}", fit.reason);
    for (found, wanted) in fit.parameters.iter().zip(&point) {
        assert!((found - wanted).abs() < 2e-3 * wanted, "{found} and {wanted}");
    }
}

/// A toy is the same on one thread and on three, and its fit too.
#[test]
fn toys_do_not_depend_on_threads() {
    let likelihood = translate(&mixture());
    let program = Program::compile(&likelihood.model);
    let generator = generator(&likelihood, &program, 5).unwrap();
    let point = likelihood.model.init();
    let mut options = FitOptions::new(&likelihood.model);
    let names = likelihood.model.parameter_names();
    let index = |name: &str| names.iter().position(|n| n == name).unwrap();
    options.bounds[index("s")] = (-20.0, 200.0);
    options.bounds[index("b")] = (1.0, 400.0);
    options.bounds[index("m")] = (3.5, 4.5);
    options.bounds[index("c")] = (0.01, 3.0);
    let test = ToyTest { program: &program, options, poi: index("s"), mu: 30.0, conditional_start: point };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| test.collect(&generator, 0..150, &Watch::new()))
    };
    let (one, three) = (run(1), run(3));
    assert_eq!(one, three);
    let valid: Vec<f64> = one.iter().filter_map(|toy| toy.outcome.as_ref().ok()).map(|value| value.mu_hat).collect();
    assert!(valid.len() >= 145, "{}", valid.len());
    // s is estimated without bias worth telling: its error is about √(30 + background below the peak).
    let mean = valid.iter().sum::<f64>() / valid.len() as f64;
    assert!((mean - 30.0).abs() < 5.0 * 6.0 / (valid.len() as f64).sqrt(), "{mean}");
    // 2 ln of the ratio at the true value is about χ² of one degree of freedom: mean 1, variance 2.
    let heights = one.iter().filter_map(|toy| toy.outcome.as_ref().ok()).map(|value| value.height);
    let mean = heights.sum::<f64>() / valid.len() as f64;
    assert!((mean - 1.0).abs() < 5.0 * (2.0 / valid.len() as f64).sqrt(), "{mean}");
}

/// `GenerateAsimovData` of RooStats and RooFit's −ln L of it, and RooStats' `AsymptoticCalculator`, for two exports.
#[test]
fn asimov_data_and_tests_of_roostats() {
    let Some(directory) = common::directory("hs3/root") else { return };
    let cases = [
        (
            "mixture_dist_extended",
            "ns",
            Some("m"),
            [(40.0, -457.4303213191648), (10.0, -449.7960232858555), (60.0, -455.34371337157995)],
            [
                (10.0, 0.568725809722382, [0.03341196844469231, 0.24168345641260713, 0.8150498802022448]),
                (60.0, 0.041735838668667265, [6.956843689487754e-14, 3.9996608050750215e-09, 5.252712562745961e-05]),
            ],
            (2.0503687731030814e-06, 0.451387721529884),
        ),
        (
            "simultaneous_shared_constraint",
            "mu",
            None,
            [(1.0, -194.75468510390172), (0.5, -190.54661273985016), (2.0, -184.9103668373333)],
            [
                (0.5, 0.5032227320893932, [0.00015723065360825344, 0.012808372451746496, 0.3196745833188103]),
                (2.0, 0.00017782131364539602, [2.2121611039478264e-17, 8.235978540955545e-12, 6.833486359521692e-07]),
            ],
            (1.84553517945085e-07, 1.6414698823351547e-07),
        ),
    ];
    for (name, poi, fixed, nll, tests, (p0, expected_p0)) in cases {
        let likelihood = translate(&common::read_json(&directory.join(format!("{name}.json"))));
        let names = likelihood.model.parameter_names();
        let index = |name: &str| names.iter().position(|n| n == name).unwrap();
        let program = Program::compile(&likelihood.model);
        let mut options = FitOptions::new(&likelihood.model);
        fixed.iter().for_each(|name| options.fixed[index(name)] = true);
        let mut observed = Likelihood::new(&program, &likelihood.data, options.clone());
        let mut point = likelihood.model.init();
        let data = observed.expected_data(&point).unwrap();
        let mut on = observed.with_data(&data);
        let graph = &likelihood.model.densities.as_ref().unwrap().graph;
        let graph = graph.with_data(data.densities.as_ref().unwrap());
        for (value, expected) in nll {
            point[index(poi)] = value;
            let channels = graph.terms as f64;
            let found = 0.5 * on.twice_nll(&point) + graph.events * channels.ln() - graph.log_factorials;
            assert!((found - expected).abs() < 1e-9, "{name} {value}: {found} and {expected}");
        }
        let close = |what: &str, found: f64, expected: f64, tolerance: f64| {
            assert!((found / expected - 1.0).abs() < tolerance, "{name} {what}: {found} and {expected}");
        };
        // RooStats' fits end at a distance of 10⁻³ to 1 from the minimum: its own runs differ by 0.5 % in the tails.
        let mut test = AsymptoticTest::new(observed.clone(), index(poi), TestStatistic::QmuTilde).unwrap();
        for (value, cls, band) in tests {
            let found = test.at(value).unwrap();
            close("CLs", found.tails.ln_cls().exp(), cls, 1e-3);
            for (i, expected) in [0, 2, 4].into_iter().zip(band) {
                close("expected CLs", found.band[i].ln_cls().exp(), expected, 1e-2);
            }
        }
        let mut test = AsymptoticTest::new(observed, index(poi), TestStatistic::Q0).unwrap();
        let found = test.at(0.0).unwrap();
        close("p0", found.discovery().0, p0, 1e-3);
        close("expected p0", found.expected_discovery()[2].0, expected_p0, 1e-2);
    }
}
