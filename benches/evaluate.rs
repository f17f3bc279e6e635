//! Times of the evaluator, the fit and the limit on a shipped workspace: `cargo bench`. For ratios against other programs on
//! larger workspaces see tests/peer/speed.py.

use divan::{Bencher, black_box};
use morphist::document::{Document, Limits};
use morphist::infer::{
    AsymptoticTest, FitOptions, Fitter, Hesse, Likelihood, LimitOptions, TestStatistic, upper_limit,
};
use morphist::kernel::{Evaluator, events};
use morphist::model::eft::polynomial::all_monomials;
use morphist::model::eft::{Events, Factor, Form, Polynomial, Response};
use morphist::model::{Channel, Data, Model, ParameterSet, Part, Sample};
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use morphist::workspace::{self, Scope};

fn main() {
    divan::main();
}

fn higgs_like() -> (Model, Data) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/higgs_like/workspace.json");
    let document = Document::from_path(path.as_ref(), &Limits::default()).expect("the fixture is readable");
    let loaded = workspace::load(document, &[], &Scope::default()).expect("the fixture is sound");
    let model = from_pyhf::model(&loaded.workspace, &ModelOptions::default()).expect("the fixture has a model");
    let data = from_pyhf::data(&loaded.workspace, &model).expect("the fixture has data");
    (model, data)
}

/// Two points that differ in every parameter, taken in turn.
fn points(model: &Model) -> [Vec<f64>; 2] {
    [1e-3, 2e-3].map(|step| model.init().iter().map(|x| x + step).collect())
}

#[divan::bench]
fn twice_nll(bencher: Bencher) {
    let (model, data) = higgs_like();
    let program = Program::compile(&model);
    let (data, points) = (program.prepare(&data), points(&model));
    let (mut evaluator, mut call) = (Evaluator::new(&program), 0);
    bencher.bench_local(|| {
        call += 1;
        evaluator.twice_nll(black_box(&points[call % 2]), &data)
    });
}

#[divan::bench]
fn gradient(bencher: Bencher) {
    let (model, data) = higgs_like();
    let program = Program::compile(&model);
    let (data, points) = (program.prepare(&data), points(&model));
    let (mut evaluator, mut call, mut gradient) = (Evaluator::new(&program), 0, model.init());
    bencher.bench_local(|| {
        call += 1;
        evaluator.gradient(black_box(&points[call % 2]), &data, &mut gradient)
    });
}

/// A quadratic response in 26 coefficients (378 monomials) on 200 bins.
fn many_operators() -> (Model, Data) {
    let monomials = all_monomials(26, 2);
    let terms = monomials.iter().enumerate().map(|(k, monomial)| {
        let coefficient = |b: usize| if k == 0 { 100.0 } else { ((k * 31 + b * 17) % 101) as f64 / 50.0 - 1.0 };
        (monomial.clone(), (0..200).map(coefficient).collect())
    });
    let polynomial = Polynomial::from_terms(200, terms);
    let set = |i: usize| ParameterSet {
        name: format!("c{i}"),
        scalar: true,
        init: vec![0.0],
        bounds: vec![(-1.0, 1.0)],
        fixed: vec![false],
        constraints: None,
    };
    let response = Response {
        parameters: (0..26).collect(),
        form: Form::Product(vec![Factor { polynomial, power: 1 }]),
        variance: None,
    };
    let part = Part { nominal: vec![1.0; 200], effects: Vec::new(), response: Some(response) };
    let sample = Sample { name: "sample".into(), parts: vec![part] };
    let model = Model {
        channels: vec![Channel { name: "channel".into(), n_bins: 200, samples: vec![sample] }],
        parameters: (0..26).map(set).collect(),
        poi: None,
        clip_sample_data: None,
        clip_bin_data: None,
        template_clip: None,
        penalties: Vec::new(),
        correlations: Vec::new(),
        measurements: Default::default(),
        derived: Vec::new(),
        unbinned: Vec::new(),
        densities: None,
        driven: None,
        pyhf_domain: false,
        warnings: Default::default(),
    };
    let data = Data { main: vec![103.0; 200], ..Data::default() };
    (model, data)
}

#[divan::bench]
fn eft_26_operators_gradient(bencher: Bencher) {
    let (model, data) = many_operators();
    let program = Program::compile(&model);
    let (data, points) = (program.prepare(&data), points(&model));
    let (mut evaluator, mut call, mut gradient) = (Evaluator::new(&program), 0, model.init());
    bencher.bench_local(|| {
        call += 1;
        evaluator.gradient(black_box(&points[call % 2]), &data, &mut gradient)
    });
}

#[divan::bench]
fn eft_26_operators_hessian(bencher: Bencher) {
    let (model, data) = many_operators();
    let program = Program::compile(&model);
    let (data, points) = (program.prepare(&data), points(&model));
    let n = program.n_parameters();
    let (mut evaluator, mut call) = (Evaluator::new(&program), 0);
    let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
    bencher.bench_local(|| {
        call += 1;
        evaluator.hessian(black_box(&points[call % 2]), &data, &mut gradient, &mut hessian)
    });
}

#[divan::bench]
fn hessian(bencher: Bencher) {
    let (model, data) = higgs_like();
    let program = Program::compile(&model);
    let (data, points) = (program.prepare(&data), points(&model));
    let n = program.n_parameters();
    let (mut evaluator, mut call) = (Evaluator::new(&program), 0);
    let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
    bencher.bench_local(|| {
        call += 1;
        evaluator.hessian(black_box(&points[call % 2]), &data, &mut gradient, &mut hessian)
    });
}

/// 1,024 points in one call, over all threads.
#[divan::bench]
fn gradient_batch_of_1024(bencher: Bencher) {
    let (model, data) = higgs_like();
    let program = Program::compile(&model);
    let (data, points) = (program.prepare(&data), points(&model));
    let evaluator = Evaluator::new(&program);
    let batch: Vec<f64> = (0..1024).flat_map(|i| points[i % 2].clone()).collect();
    let (mut values, mut gradients) = (vec![0.0; 1024], vec![0.0; batch.len()]);
    bencher.bench_local(|| evaluator.gradient_batch(black_box(&batch), &data, &mut values, &mut gradients));
}

#[divan::bench]
fn fit(bencher: Bencher) {
    let (model, data) = higgs_like();
    let program = Program::compile(&model);
    let data = program.prepare(&data);
    let mut evaluator = Evaluator::new(&program);
    let mut fitter = Fitter::new(&evaluator);
    let options = FitOptions { hesse: Hesse::No, ..FitOptions::new(&model) };
    bencher.bench_local(|| fitter.minimum(&mut evaluator, &data, black_box(&options)));
}

/// CLs with its band at one value of the POI: five fits, with their search for lower minima.
#[divan::bench]
fn hypotest(bencher: Bencher) {
    let (model, data) = higgs_like();
    let program = Program::compile(&model);
    let likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    let poi = model.poi.expect("the fixture has a POI");
    bencher.bench_local(|| {
        AsymptoticTest::new(likelihood.clone(), poi, TestStatistic::QmuTilde).and_then(|mut test| test.at(1.0))
    });
}

/// Observed and five expected limits, from nothing.
#[divan::bench]
fn limit(bencher: Bencher) {
    let (model, data) = higgs_like();
    let program = Program::compile(&model);
    let likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    let poi = model.poi.expect("the fixture has a POI");
    bencher.bench_local(|| {
        let test = AsymptoticTest::new(likelihood.clone(), poi, TestStatistic::QmuTilde);
        test.map(|mut test| upper_limit(&mut test, &LimitOptions::default()))
    });
}

/// 320 000 events with six coefficients in 30 bins: Σ w and Σ w² of all bins at a point.
#[divan::bench]
fn events_on_the_fly(bencher: Bencher) {
    let n = 320_000;
    let column = |k: usize| (0..n).map(|e| ((e * 7919 + k * 104_729) % 10_007) as f64 * 1e-4).collect();
    let events = Events {
        monomials: all_monomials(2, 2),
        columns: (0..6).map(column).collect(),
        start: (0..=30).map(|b| b * n / 30).collect(),
        ..Events::default()
    };
    let mut call = 0;
    bencher.bench_local(|| {
        call += 1;
        events::sums(&events, black_box(&[0.3, -0.1 * f64::from(call % 2)]))
    });
}
