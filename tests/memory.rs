//! What predictions and rankings need of memory, counted by the allocator (one test a process, so that nothing else is
//! counted).

mod common;

use morphist::infer::covariance::Covariance;
use morphist::infer::prediction::{Propagation, predict};
use morphist::infer::{FitOptions, Hesse, Likelihood};
use morphist::kernel::Evaluator;
use morphist::program::Program;
use morphist::translate::from_pyhf::ModelOptions;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: System does the work; the counters are atomic.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes above what was there at the start that `f` needed at most.
fn peak<T>(f: impl FnOnce() -> T) -> (T, usize) {
    let before = NOW.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let result = f();
    (result, MOST.load(Ordering::Relaxed) - before)
}

/// Rows 9 and 10: 494 parameters, 400 bins and 3600 samples in bins. cabinetry's arrays of npar² × (bins and sums) would
/// take 494² · 410 · 10 · 8 bytes, 8 GB; here a matrix of the parameters and a row for each bin of a channel suffice.
#[test]
fn post_fit_yields_need_no_cube() {
    let Some(root) = common::corpus("post_fit_yields_need_no_cube") else { return };
    let path = root.join("reference/workspaces/w10_synth_400bins.json");
    let (model, data) = common::load(&path, &ModelOptions::default());
    let program = Program::compile(&model);
    let fit = Likelihood::new(&program, &data, FitOptions::new(&model)).fit(Hesse::All);
    let n = model.n_parameters();
    let mut evaluator = Evaluator::new(&program);
    let (prediction, bytes) = peak(|| {
        let covariance = Covariance::of_matrix(fit.covariance.as_ref().unwrap(), n).unwrap();
        predict(&mut evaluator, &fit.parameters, &covariance, Propagation::Linear)
    });
    let allowed = 8 * (n * n + 400 * n) + 40 * 3600;
    println!("{bytes} bytes, {allowed} allowed");
    assert!(bytes < allowed, "{bytes} bytes");
    let cells: usize = prediction.channels.iter().flat_map(|c| &c.samples).map(|s| s.bins.len()).sum();
    assert_eq!((cells, prediction.channels.len()), (3600, 10));
    let finite = |y: &morphist::infer::prediction::Yield| y.uncertainty.is_finite() && y.uncertainty > 0.0;
    assert!(prediction.channels.iter().all(|c| c.total.iter().all(finite) && finite(&c.sum)));
}
