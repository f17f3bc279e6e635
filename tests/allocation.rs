//! Nothing is allocated at a point, nor in a fit, once an evaluator and a fitter are warm.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use morphist::document::hs3::{Hs3Document, ReadOptions};
use morphist::document::{Document, Limits};
use morphist::graph::{Graph, Options, Selection};
use morphist::infer::{FitOptions, Fitter, Hesse};
use morphist::kernel::Evaluator;
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use morphist::workspace::{self, Scope};

struct Counting;

thread_local!(static ALLOCATIONS: Cell<usize> = const { Cell::new(0) });

// SAFETY: every call goes to the system's allocator as it came; only a counter of this thread moves besides.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_warm_evaluator_and_fitter_allocate_nothing() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/higgs_like/workspace.json");
    let document = Document::from_path(path.as_ref(), &Limits::default()).unwrap();
    let loaded = workspace::load(document, &[], &Scope::default()).unwrap();
    let model = from_pyhf::model(&loaded.workspace, &ModelOptions::default()).unwrap();
    let program = Program::compile(&model);
    let data = program.prepare(&from_pyhf::data(&loaded.workspace, &model).unwrap());
    let n = program.n_parameters();
    let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
    let (mut main, mut auxiliary) = (vec![0.0; program.n_bins()], vec![0.0; program.n_auxdata()]);
    let mut evaluator = Evaluator::new(&program);
    let mut fitter = Fitter::new(&evaluator);
    let options = FitOptions { hesse: Hesse::No, ..FitOptions::new(&model) };
    let mut everything = || {
        evaluator.twice_nll(&options.init, &data);
        evaluator.gradient(&options.init, &data, &mut gradient);
        evaluator.hessian(&options.init, &data, &mut gradient, &mut hessian);
        evaluator.expected(&options.init, &mut main, &mut auxiliary);
        fitter.minimum(&mut evaluator, &data, &options);
    };
    everything();
    let before = ALLOCATIONS.with(Cell::get);
    assert!(before > 0, "the counter counts");
    everything();
    assert_eq!(ALLOCATIONS.with(Cell::get) - before, 0);
}

#[test]
fn a_warm_graph_allocates_nothing() {
    let entries: Vec<_> = (0..1000).map(|i| serde_json::json!([f64::from(i) * 0.004])).collect();
    let document = serde_json::json!({
        "metadata": {"hs3_version": "0.2"},
        "distributions": [
            {"name": "p", "type": "mixture_dist", "summands": ["g", "f"], "coefficients": ["n", "k"], "extended": true},
            {"name": "g", "type": "gaussian_dist", "x": "x", "mean": "m", "sigma": 0.5},
            {"name": "f", "type": "generic_dist", "expression": "exp(-c*x)+0.1*sqrt(x)"}
        ],
        "data": [{"name": "d", "type": "unbinned", "axes": [{"name": "x", "min": 0, "max": 4}], "entries": entries}],
        "likelihoods": [{"name": "L", "distributions": ["p"], "data": ["d"]}],
        "parameter_points": [{"name": "default_values", "parameters": [
            {"name": "n", "value": 300}, {"name": "k", "value": 700}, {"name": "m", "value": 2}, {"name": "c", "value": 1}]}]
    });
    let document = Hs3Document::from_value(&document, &ReadOptions::default()).unwrap();
    let likelihood = Graph::compile(&document, &Selection::Only, &Options::default()).unwrap();
    let theta: Vec<f64> = likelihood.parameters.iter().map(|p| p.value).collect();
    let (mut gradient, mut scratch) = (vec![0.0; theta.len()], likelihood.scratch());
    let mut everything = || {
        likelihood.value(&theta, &mut scratch);
        likelihood.value_and_gradient(&theta, &mut gradient, &mut scratch)
    };
    assert!(everything().is_finite());
    let before = ALLOCATIONS.with(Cell::get);
    everything();
    assert_eq!(ALLOCATIONS.with(Cell::get) - before, 0);
}
