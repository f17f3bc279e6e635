use morphist::infer::{FitOptions, fit};
use morphist::kernel::Evaluator;
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
fn main() {
    for path in std::env::args().skip(1) {
        let ws = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let model = from_pyhf::model(&ws, &ModelOptions::default()).unwrap();
        let data = from_pyhf::data(&ws, &model).unwrap();
        let program = Program::compile(&model);
        let data = program.prepare(&data);
        let mut ev = Evaluator::new(&program);
        let r = fit(&mut ev, &data, &FitOptions::new(&model));
        println!("{path} {} {:?} it {} ev {} edm {:e}", r.twice_nll, r.reason, r.n_iterations, r.n_evaluations, r.edm);
    }
}
