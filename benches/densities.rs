//! −ln L of densities with its gradient, on five benchmark files of pyhs3: the other side of `tests/peer/hs3_speed.py`.

use divan::Bencher;
use morphist::document::hs3::{Hs3Document, ReadOptions};
use morphist::document::{Document, Limits};
use morphist::graph::{Graph, Options, Selection};
use std::path::PathBuf;

fn main() {
    divan::main();
}

const FILES: [&str; 5] = [
    "1ch_bkgRooExp_sigGauss_shapeFloat_npOn_constrGauss_yield2x",
    "1ch_bkgRooExp_sigGauss_shapeFloat_npOn_constrGauss_yield1000x",
    "10ch_bkgRooExp_sigGauss_shapeFloat_npOn_constrGauss_yield10x",
    "10ch_bkgGenExp_sigGauss_shapeFixed_npOn_constrGauss_yield1x",
    "30ch_bkgGenPoly_sigGeneric_shapeFloat_npOn_constrGauss_yield1x",
];

/// Every free parameter moves before each evaluation.
#[divan::bench(args = FILES)]
fn value_and_gradient(bencher: Bencher, file: &str) {
    let corpus = std::env::var_os("MORPHIST_CORPUS").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let path = corpus.join("corpus/hs3/public/scipp-atlas+pyhs3-benchmarks").join(format!("inputs__{file}.json"));
    let document = Document::from_path(&path, &Limits::default()).unwrap_or_else(|f| panic!("{f}"));
    let document = Hs3Document::from_document(&document, &ReadOptions::default()).unwrap_or_else(|f| panic!("{f}"));
    let likelihood =
        Graph::compile(&document, &Selection::All, &Options::default()).unwrap_or_else(|f| panic!("{f:?}"));
    let mut theta: Vec<f64> = likelihood.parameters.iter().map(|p| p.value).collect();
    let (mut gradient, mut scratch) = (vec![0.0; theta.len()], likelihood.scratch());
    let mut step = 1e-9;
    bencher.bench_local(|| {
        step = -step;
        for (x, parameter) in theta.iter_mut().zip(&likelihood.parameters) {
            if !parameter.constant {
                *x *= 1.0 + step;
            }
        }
        likelihood.value_and_gradient(&theta, &mut gradient, &mut scratch)
    });
}
