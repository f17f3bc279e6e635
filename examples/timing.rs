use morphist::infer::{FitOptions, Fitter};
use morphist::kernel::Evaluator;
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use std::time::Instant;
fn med(mut f: impl FnMut()) -> f64 {
    let t = Instant::now();
    f();
    let one = t.elapsed().as_secs_f64();
    let n = ((5e-3 / one.max(1e-9)) as usize).max(1);
    let mut v: Vec<f64> = (0..15)
        .map(|_| {
            let t = Instant::now();
            for _ in 0..n {
                f();
            }
            t.elapsed().as_secs_f64() / n as f64
        })
        .collect();
    v.sort_by(f64::total_cmp);
    v[7] * 1e6
}
fn main() {
    for path in std::env::args().skip(1) {
        let ws = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let model = from_pyhf::model(&ws, &ModelOptions::default()).unwrap();
        let data = from_pyhf::data(&ws, &model).unwrap();
        let program = Program::compile(&model);
        let data = program.prepare(&data);
        let mut ev = Evaluator::new(&program);
        let n = program.n_parameters();
        let a = model.init();
        let b: Vec<f64> = a.iter().zip(model.bounds()).map(|(x, (l, h))| (x + 0.03).clamp(l, h)).collect();
        let (mut g, mut h) = (vec![0.0; n], vec![0.0; n * n]);
        let mut k = false;
        let mut s = 0.0;
        let v = med(|| {
            k = !k;
            s += ev.twice_nll(if k { &a } else { &b }, &data);
        });
        let gr = med(|| {
            k = !k;
            s += ev.gradient(if k { &a } else { &b }, &data, &mut g);
        });
        let he = med(|| {
            k = !k;
            s += ev.hessian(if k { &a } else { &b }, &data, &mut g, &mut h);
        });
        let mut fitter = Fitter::new(&ev);
        let o = FitOptions::new(&model);
        let fi = med(|| {
            s += fitter.minimum(&mut ev, &data, &o).0;
        });
        println!(
            "{:24} n {n} value {v:.2} grad {gr:.2} hess {he:.1} fit {fi:.1} us {}",
            std::path::Path::new(&path).file_name().unwrap().to_string_lossy(),
            s.is_nan()
        );
    }
}
