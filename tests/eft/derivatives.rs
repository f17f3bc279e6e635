//! Models with responses, built by hand: yields against the formulas of spec/eft.md written out plainly, gradients and
//! Hessians against differences, on every instruction set.

use morphist::kernel::Evaluator;
use morphist::kernel::simd::Backend;
use morphist::model::eft::{Factor, Form, Polynomial, Response};
use morphist::model::{
    Channel, Constraint, Data, Effect, HistosysCode, Model, NormsysCode, ParameterSet, Part, Sample,
};
use morphist::program::Program;

fn scalar(name: &str, init: f64, bounds: (f64, f64), constrained: bool) -> ParameterSet {
    let constraint = Constraint::Gaussian { auxdata: 0.0, sigma: 1.0 };
    ParameterSet {
        name: name.into(),
        scalar: true,
        init: vec![init],
        bounds: vec![bounds],
        fixed: vec![false],
        constraints: constrained.then(|| vec![constraint]),
    }
}

const BINS: usize = 11;

/// A cheap reproducible number in (0, 1).
fn noise(i: usize) -> f64 {
    let x = (i as f64 * 12.9898 + 4.1).sin() * 43758.5453;
    x - x.floor()
}

fn list(seed: usize, low: f64, high: f64) -> Vec<f64> {
    (0..BINS).map(|b| low + (high - low) * noise(31 * seed + b)).collect()
}

fn quadratic(seed: usize, constant: Vec<f64>) -> Polynomial {
    Polynomial::from_terms(
        BINS,
        [
            (vec![], constant),
            (vec![0], list(seed + 1, -0.3, 0.4)),
            (vec![1], list(seed + 2, -0.2, 0.3)),
            (vec![0, 0], list(seed + 3, 0.1, 0.5)),
            (vec![1, 0], list(seed + 4, -0.1, 0.2)),
            (vec![1, 1], list(seed + 5, 0.1, 0.4)),
            (vec![0, 0, 1], list(seed + 6, -0.02, 0.02)),
        ],
    )
}

fn ones() -> Vec<f64> {
    vec![1.0; BINS]
}

/// The square of a linear form, a variance that is never negative.
fn variance(seed: usize, size: f64) -> Polynomial {
    let p = Polynomial::from_terms(
        BINS,
        [
            (vec![], ones()),
            (vec![0], list(seed, -0.3, 0.3)),
            (vec![1], list(seed + 1, -0.3, 0.3)),
            (vec![0, 1], list(seed + 2, 0.0, 0.2)),
        ],
    );
    p.product(&p).scaled(&list(seed + 3, 0.5 * size, size))
}

/// c0 c1 (Wilson coefficients), mu, alpha, beta (nuisances), gamma (per bin).
fn model(with_statistics: bool) -> Model {
    let mut gamma = scalar("gamma", 1.0, (1e-10, 10.0), false);
    gamma.scalar = false;
    gamma.init = ones();
    gamma.bounds = vec![(1e-10, 10.0); BINS];
    gamma.fixed = vec![false; BINS];
    gamma.constraints = Some(vec![Constraint::Poisson { auxdata: 50.0, factor: 50.0 }; BINS]);
    let parameters = vec![
        scalar("c0", 0.0, (-3.0, 3.0), false),
        scalar("c1", 0.0, (-3.0, 3.0), false),
        scalar("mu", 1.0, (0.0, 10.0), false),
        scalar("alpha", 0.0, (-5.0, 5.0), true),
        scalar("beta", 0.0, (-5.0, 5.0), true),
        gamma,
    ];
    let response = |polynomial: Polynomial, seed: usize, size: f64| Response {
        parameters: vec![0, 1],
        form: Form::Product(vec![Factor { polynomial, power: 1 }]),
        variance: with_statistics.then(|| variance(seed, size)),
    };
    let normsys = Effect::InterpolatedScale { parameter: 3, lo: 0.8, hi: 1.3, code: NormsysCode::Code4 };
    let offset = |seed: usize, nominal: &[f64], size: f64| Effect::Offset {
        parameter: 4,
        lo: nominal.iter().zip(list(seed, -size, 0.5 * size)).map(|(n, d)| n + d).collect(),
        hi: nominal.iter().zip(list(seed + 1, -0.5 * size, size)).map(|(n, d)| n + d).collect(),
        code: HistosysCode::Code4p,
    };
    let nominal = list(100, 20.0, 60.0);
    let relative = Part {
        effects: vec![Effect::Scale { parameter: 2 }, normsys.clone(), offset(7, &nominal, 8.0)],
        response: Some(response(quadratic(200, ones()), 300, 0.02)),
        nominal,
    };
    // Absolute: P + Δ in two parts.
    let yields = list(110, 10.0, 30.0);
    let absolute = Part {
        nominal: ones(),
        effects: vec![normsys.clone()],
        response: Some(response(quadratic(210, yields), 310, 3.0)),
    };
    let zero = vec![0.0; BINS];
    let shift = Part { effects: vec![normsys, offset(17, &zero, 4.0)], nominal: zero, response: None };
    // A ratio of polynomials with a nuisance as third variable.
    let ratio = Response {
        parameters: vec![0, 1, 3],
        form: Form::Product(vec![
            Factor { polynomial: quadratic(220, ones()), power: 1 },
            Factor {
                polynomial: Polynomial::from_terms(
                    BINS,
                    [(vec![], ones()), (vec![1], list(23, 0.0, 0.2)), (vec![0, 2], list(24, -0.05, 0.05))],
                ),
                power: 2,
            },
            Factor {
                polynomial: Polynomial::from_terms(
                    BINS,
                    [(vec![], ones()), (vec![0], list(25, 0.0, 0.2)), (vec![1, 1], list(26, 0.0, 0.1))],
                ),
                power: -1,
            },
        ]),
        variance: None,
    };
    let ratio = Part {
        nominal: list(120, 5.0, 15.0),
        effects: vec![Effect::BinScale { parameters: (5..5 + BINS).map(Some).collect() }],
        response: Some(ratio),
    };
    let background = Part {
        nominal: list(130, 30.0, 80.0),
        effects: vec![Effect::BinScale { parameters: (5..5 + BINS).map(Some).collect() }],
        response: None,
    };
    let plain = Part {
        nominal: list(140, 30.0, 80.0),
        effects: vec![Effect::Scale { parameter: 2 }, Effect::Scale { parameter: 0 }],
        response: None,
    };
    let sample = |name: &str, parts: Vec<Part>| Sample { name: name.into(), parts };
    Model {
        channels: vec![
            Channel {
                name: "one".into(),
                n_bins: BINS,
                samples: vec![
                    sample("absolute", vec![absolute, shift]),
                    sample("background", vec![background]),
                    sample("relative", vec![relative]),
                ],
            },
            Channel {
                name: "two".into(),
                n_bins: BINS,
                samples: vec![sample("plain", vec![plain]), sample("ratio", vec![ratio])],
            },
        ],
        parameters,
        poi: Some(0),
        clip_sample_data: None,
        clip_bin_data: None,
        template_clip: None,
        penalties: Vec::new(),
        correlations: Vec::new(),
        unbinned: Vec::new(),
        densities: None,
        driven: None,
        measurements: Default::default(),
        derived: Vec::new(),
        pyhf_domain: false,
        warnings: Default::default(),
    }
}

fn points() -> Vec<Vec<f64>> {
    let point = |c0: f64, c1: f64, mu: f64, alpha: f64, beta: f64| {
        let mut point = vec![c0, c1, mu, alpha, beta];
        point.extend((0..BINS).map(|b| 0.9 + 0.2 * noise(900 + b)));
        point
    };
    vec![
        point(0.7, 0.3, 1.0, 0.0, 0.0),
        point(0.4, -0.6, 1.2, 0.6, -0.8),
        point(1.1, 0.9, 0.7, -1.4, 1.7),
        point(0.2, 0.0, 2.0, 2.0, -2.5),
    ]
}

fn data(model: &Model) -> Data {
    let mut data = Data {
        main: (0..model.n_bins()).map(|b| (40.0 + 90.0 * noise(700 + b)).round()).collect(),
        auxiliary: model.auxdata(),
        unbinned: Vec::new(),
        densities: None,
    };
    data.main[3] = 0.0;
    let first = data.auxiliary.len() - model.uncertain_bins().len();
    for (index, auxiliary) in data.auxiliary[first..].iter_mut().enumerate().filter(|(i, _)| i % 2 == 1) {
        *auxiliary = 2.0 * noise(800 + index) - 1.0;
    }
    data
}

/// Eq. 1 of spec/likelihood.md with responses, from the model's parts, without the program.
fn expected(model: &Model, theta: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (mut lambda, mut variance) = (Vec::new(), Vec::new());
    for channel in &model.channels {
        for bin in 0..channel.n_bins {
            let (mut sum, mut square) = (0.0, 0.0);
            for part in channel.samples.iter().flat_map(|s| &s.parts) {
                let (mut factor, mut template) = (1.0, part.nominal[bin]);
                for effect in &part.effects {
                    match effect {
                        Effect::Scale { parameter } => factor *= theta[*parameter],
                        Effect::InterpolatedScale { parameter, lo, hi, code } => {
                            factor *= code.factor(*lo, *hi, theta[*parameter]);
                        }
                        Effect::BinScale { parameters } => factor *= parameters[bin].map_or(1.0, |p| theta[p]),
                        Effect::Offset { parameter, lo, hi, code } => {
                            let (s, a) = (0.5 * (hi[bin] - lo[bin]), 0.5 * (hi[bin] + lo[bin]) - part.nominal[bin]);
                            let alpha = theta[*parameter];
                            template += code.s(alpha).value * s + code.q(alpha).value * a;
                        }
                    }
                }
                let mut r = 1.0;
                if let Some(response) = &part.response {
                    let c: Vec<f64> = response.parameters.iter().map(|p| theta[*p]).collect();
                    let Form::Product(factors) = &response.form else { panic!("no events here") };
                    r = factors.iter().map(|f| f.polynomial.evaluate(&c)[bin].powi(f.power)).product();
                    if let Some(q) = &response.variance {
                        square += (factor * template).powi(2) * q.evaluate(&c)[bin];
                    }
                }
                sum += factor * template * r;
            }
            lambda.push(sum);
            variance.push(square);
        }
    }
    (lambda, variance)
}

/// −2 ln L by minimising over every η with a golden section, constants included.
fn twice_nll(model: &Model, theta: &[f64], data: &Data) -> f64 {
    let (lambda, variance) = expected(model, theta);
    let ln_gamma = |n: f64| (2..=n as u64).map(|k| (k as f64).ln()).sum::<f64>();
    let half_ln = 0.5 * (2.0 * std::f64::consts::PI).ln();
    let uncertain = model.uncertain_bins().len();
    let first = data.auxiliary.len() - uncertain;
    let mut sum = 0.0;
    for (bin, n) in data.main.iter().enumerate() {
        let term = |mu: f64| mu - if *n > 0.0 { n * mu.ln() } else { 0.0 } + ln_gamma(*n);
        if bin >= uncertain {
            sum += term(lambda[bin]);
            continue;
        }
        let (sigma, a) = (variance[bin].sqrt(), data.auxiliary[first + bin]);
        let at = |eta: f64| {
            let mu = lambda[bin] + sigma * eta;
            if mu < 0.0 || (mu == 0.0 && *n > 0.0) { 1e300 } else { term(mu) + 0.5 * (eta - a).powi(2) }
        };
        let (mut low, mut high) = ((-lambda[bin] / sigma).max(-60.0), 60.0);
        for _ in 0..400 {
            let step = 0.618_033_988_749_895 * (high - low);
            if at(high - step) < at(low + step) { high = low + step } else { low = high - step }
        }
        sum += at(0.5 * (low + high)) + half_ln;
    }
    let mut place = 0;
    for (theta, constraint) in theta.iter().zip(model.constraints()) {
        let Some(constraint) = constraint else { continue };
        let a = data.auxiliary[place];
        place += 1;
        sum += match constraint {
            Constraint::Gaussian { sigma, .. } => 0.5 * ((a - theta) / sigma).powi(2) + sigma.ln() + half_ln,
            Constraint::Poisson { factor, .. } => factor * theta - a * (factor * theta).ln() + ln_gamma(a),
        };
    }
    2.0 * sum
}

#[test]
fn values_are_those_of_the_formulas() {
    for with_statistics in [false, true] {
        let model = model(with_statistics);
        let (program, data) = (Program::compile(&model), data(&model));
        let prepared = program.prepare(&data);
        for backend in Backend::available() {
            let mut evaluator = Evaluator::with_backend(&program, backend);
            for theta in points() {
                let (lambda, _) = expected(&model, &theta);
                let (mut main, mut auxiliary) = (vec![0.0; program.n_bins()], vec![0.0; program.n_auxdata()]);
                evaluator.expected(&theta, &mut main, &mut auxiliary);
                for (got, want) in main.iter().zip(&lambda) {
                    assert!((got - want).abs() < 1e-12 * want.abs(), "{backend:?}: {got} and {want}");
                }
                let (got, want) = (evaluator.twice_nll(&theta, &prepared), twice_nll(&model, &theta, &data));
                assert!((got - want).abs() < 1e-10 * want.abs(), "{with_statistics} {backend:?}: {got} and {want}");
            }
        }
    }
}

#[test]
fn gradients_are_differences() {
    for with_statistics in [false, true] {
        let model = model(with_statistics);
        let (program, data) = (Program::compile(&model), data(&model));
        let (prepared, n) = (program.prepare(&data), program.n_parameters());
        for backend in Backend::available() {
            let mut evaluator = Evaluator::with_backend(&program, backend);
            for theta in points() {
                let mut gradient = vec![0.0; n];
                let value = evaluator.gradient(&theta, &prepared, &mut gradient);
                assert_eq!(value, evaluator.twice_nll(&theta, &prepared));
                for i in 0..n {
                    let mut at = |h: f64| {
                        let mut moved = theta.clone();
                        moved[i] += h;
                        evaluator.twice_nll(&moved, &prepared)
                    };
                    let (h, two) = (1e-4, 2e-4);
                    let difference = (8.0 * (at(h) - at(-h)) - (at(two) - at(-two))) / (12.0 * h);
                    let error = (gradient[i] - difference).abs() / difference.abs().max(1.0);
                    assert!(error < 1e-7, "{with_statistics} {backend:?} {i}: {} and {difference}", gradient[i]);
                }
            }
        }
    }
}

#[test]
fn hessians_are_differences_of_gradients() {
    for with_statistics in [false, true] {
        let model = model(with_statistics);
        let (program, data) = (Program::compile(&model), data(&model));
        let (prepared, n) = (program.prepare(&data), program.n_parameters());
        for backend in Backend::available() {
            let mut evaluator = Evaluator::with_backend(&program, backend);
            for theta in points() {
                let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
                evaluator.hessian(&theta, &prepared, &mut gradient, &mut hessian);
                for i in 0..n {
                    let mut at = |h: f64| {
                        let (mut moved, mut gradient) = (theta.clone(), vec![0.0; n]);
                        moved[i] += h;
                        evaluator.gradient(&moved, &prepared, &mut gradient);
                        gradient
                    };
                    let h = 1e-4;
                    let (up, down, up2, down2) = (at(h), at(-h), at(2.0 * h), at(-2.0 * h));
                    for j in 0..n {
                        let difference = (8.0 * (up[j] - down[j]) - (up2[j] - down2[j])) / (12.0 * h);
                        let got = hessian[i * n + j];
                        let error = (got - difference).abs() / difference.abs().max(1.0);
                        assert!(error < 2e-6, "{with_statistics} {backend:?} {i} {j}: {got} and {difference}");
                    }
                }
            }
        }
    }
}

#[test]
fn jacobians_and_rates_are_those_of_the_expectation() {
    let model = model(true);
    let program = Program::compile(&model);
    let n = program.n_parameters();
    let mut evaluator = Evaluator::new(&program);
    for theta in points() {
        let mut jacobian = vec![0.0; program.n_bins() * n];
        evaluator.expected_jacobian(&theta, &mut jacobian);
        let (mut sums, mut derivatives) = (vec![0.0; program.n_bins()], vec![0.0; program.n_bins() * n]);
        evaluator.visit_rates(&theta, |cell| {
            let bin = cell.channel * BINS + cell.bin;
            sums[bin] += cell.rate;
            for &p in cell.parameters {
                derivatives[bin * n + p] += cell.derivatives[p];
            }
        });
        let (lambda, _) = expected(&model, &theta);
        for (bin, (got, want)) in sums.iter().zip(&lambda).enumerate() {
            assert!((got - want).abs() < 1e-12 * want, "bin {bin}: {got} and {want}");
        }
        for i in 0..n {
            let at = |h: f64| {
                let mut moved = theta.clone();
                moved[i] += h;
                expected(&model, &moved).0
            };
            let (up, down) = (at(1e-5), at(-1e-5));
            for bin in 0..program.n_bins() {
                let difference = (up[bin] - down[bin]) / 2e-5;
                for got in [jacobian[bin * n + i], derivatives[bin * n + i]] {
                    let error = (got - difference).abs() / difference.abs().max(1.0);
                    assert!(error < 1e-7, "bin {bin}, parameter {i}: {got} and {difference}");
                }
            }
        }
    }
}

#[test]
fn batches_are_single_points() {
    let model = model(true);
    let (program, data) = (Program::compile(&model), data(&model));
    let prepared = program.prepare(&data);
    let mut evaluator = Evaluator::new(&program);
    let points = points().concat();
    let n = program.n_parameters();
    let (mut values, mut gradients) = (vec![0.0; 4], vec![0.0; 4 * n]);
    evaluator.gradient_batch(&points, &prepared, &mut values, &mut gradients);
    for (index, point) in points.chunks_exact(n).enumerate() {
        let mut gradient = vec![0.0; n];
        assert_eq!(values[index], evaluator.gradient(point, &prepared, &mut gradient));
        assert_eq!(gradients[index * n..(index + 1) * n], gradient);
    }
}
