use morphist::infer::generate::*; use morphist::infer::random::*; use morphist::infer::toys::*; use morphist::infer::*;
use morphist::program::Program; use morphist::translate::from_pyhf::{self, ModelOptions};
fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().unwrap(); let n: u64 = args.next().unwrap().parse().unwrap(); let mu: f64 = args.next().unwrap().parse().unwrap(); let gen_mu: f64 = args.next().unwrap().parse().unwrap();
    let ws = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let model = from_pyhf::model(&ws, &ModelOptions::default()).unwrap();
    let data = from_pyhf::data(&ws, &model).unwrap();
    let program = Program::compile(&model); let poi = model.poi.unwrap();
    let options = FitOptions { hesse: Hesse::No, ..FitOptions::new(&model) };
    let mut l = Likelihood::new(&program, &data, options.clone());
    let at = l.conditional_fit(&[(poi, gen_mu)]); let cond = l.conditional_fit(&[(poi, mu)]);
    let held: Vec<bool> = (0..model.n_parameters()).map(|i| i == poi).collect();
    let g = Generator::new(&mut l.evaluator, ToyKind::Frequentist, Ensemble { seed: 1, value: gen_mu }, &at.parameters, &held, &options.bounds, &data, None).unwrap();
    let test = ToyTest { program: &program, options, poi, mu, conditional_start: cond.parameters };
    let watch = Watch::new();
    let t = std::time::Instant::now();
    let toys = test.collect(&g, 0..n, &watch);
    let s = t.elapsed().as_secs_f64();
    let bad = toys.iter().filter(|t| t.outcome.is_err()).count();
    let sum: f64 = toys.iter().filter_map(|t| t.statistic(TestStatistic::TmuTilde, mu)).sum();
    println!("{path} {n} toys {s:.3} s, {:.0} toys/s = {:.3} us a fit, {bad} failed, sum t {sum:.9}", n as f64 / s, s / n as f64 / 2.0 * 1e6);
    if let Some(t) = toys.iter().find(|t| t.outcome.is_err()) { println!("{t:?}"); }
}
