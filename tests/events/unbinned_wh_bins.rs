//! Unbinned terms on the WH sample of the corpus against bins: non-centrality, information, score histograms, the variance of
//! a mean ratio.

use crate::common;

use common::wh::{self, LEARNED, Sample, WEIGHTS, binned, build, document, learned, monomials, with_learned};
use common::{Random, read_json};
use morphist::infer::asimov::{AsimovPoint, asimov};
use morphist::infer::eft::closure;
use morphist::infer::eft::information::information;
use morphist::infer::{FitOptions, Likelihood};
use morphist::program::Program;
use nalgebra::{DMatrix, SymmetricEigen};
use serde_json::{Value, json};
use std::path::Path;

fn close(got: f64, want: f64, tolerance: f64, what: &str) {
    assert!((got - want).abs() <= tolerance, "{what}: {got} and {want}, {:e} apart", got - want);
}

fn floats(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

/// q of a document's Asimov data at a point, seen from another.
fn non_centrality(document: &Value, truth: [f64; 2], other: [f64; 2]) -> f64 {
    let (model, data) = build(document);
    let program = Program::compile(&model);
    let mut likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    let made = asimov(&mut likelihood, AsimovPoint::Given(truth.to_vec()), None).unwrap().data;
    let mut on = Likelihood::new(&program, &made, FitOptions::new(&model));
    on.twice_nll(&other) - on.twice_nll(&truth)
}

/// Rows in `n` sets of equal size, by ascending value.
fn sorted_bins(values: &[f64], n: usize) -> Vec<Vec<usize>> {
    let mut rows: Vec<usize> = (0..values.len()).collect();
    rows.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    (0..n).map(|k| rows[k * rows.len() / n..(k + 1) * rows.len() / n].to_vec()).collect()
}

/// In bins of the ratio of two points, which knows all that tells them apart, the non-centrality converges to that of the
/// single events; in bins of observables it stays below.
#[test]
fn non_centrality_in_bins_converges_from_below() {
    let Some(sample) = wh::sample() else { return };
    let factor = sample.events() / sample.n_rows as f64;
    let (truth, other) = (wh::TRUTH, [0.0, 0.0]);
    let unbinned = non_centrality(&document(json!([sample.term(sample.component(), &WEIGHTS)])), truth, other);
    // By its definition: 2 Σ [w(0) − w(c) + w(c) ln(w(c)/w(0))].
    let (at, before) = (sample.weights(truth), sample.weights(other));
    let direct: f64 = at.iter().zip(&before).map(|(w, v)| 2.0 * factor * (v - w + w * (w / v).ln())).sum();
    close(unbinned, direct, 1e-10 * direct, "of single events");
    let ratio: Vec<f64> = at.iter().zip(&before).map(|(w, v)| w / v).collect();
    let mut last = 0.0;
    for n in [1, 5, 20, 100, 400] {
        let own = non_centrality(&binned(sample.channel(&sorted_bins(&ratio, n), factor)), truth, other);
        println!("{n} bins: {:e} below single events", 1.0 - own / unbinned);
        assert!(own >= last && own <= unbinned * (1.0 + 1e-12), "{n} bins: {own} after {last}, {unbinned}");
        last = own;
    }
    assert!((last / unbinned - 1.0).abs() < 0.01, "{last} of 400 bins, {unbinned} of events");
    let of_pt = non_centrality(&binned(sample.channel(&sorted_bins(sample.column("pTW"), 400), factor)), truth, other);
    assert!(of_pt < 0.99 * unbinned, "{of_pt} of 400 bins in pTW, {unbinned} of events");
}

/// dσ/d ln s of qq̄′ → W* → WH by its helicity amplitudes H₀ = E/m_W + α√s/m_W and H± = 1 + α√s E/m_W² ± iβ√s p/m_W², with
/// α = 2 cHW v²/Λ², β = 2 cHWtil v²/Λ²: the six coefficients, without the angles, times a falling luminosity.
fn mass_spectrum(s: f64) -> [f64; 6] {
    let (mw, mh, v, lambda): (f64, f64, f64, f64) = (80.4, 125.1, 246.22, 1000.0);
    let k = 2.0 * (v / lambda).powi(2);
    let root = s.sqrt();
    let energy = (s + mw * mw - mh * mh) / (2.0 * root);
    let p = (energy * energy - mw * mw).sqrt();
    let (zero, zero_1) = (energy / mw, k * root / mw);
    let (plus_1, odd) = (k * root * energy / (mw * mw), k * root * p / (mw * mw));
    let flux = (s / 1.69e8).powf(-0.25) * (1.0 - root / 13000.0).powi(8) * p / root / (s - mw * mw).powi(2) * s;
    [
        zero * zero + 2.0,
        2.0 * (zero * zero_1 + 2.0 * plus_1),
        0.0,
        zero_1 * zero_1 + 2.0 * plus_1 * plus_1,
        0.0,
        2.0 * odd * odd,
    ]
    .map(|a| flux * a)
}

/// The true mass of the WH system with its exact density: bins converge to the events (row 8 of the acceptance list).
#[test]
fn bins_of_the_true_mass_converge_to_the_events() {
    let n = 8000;
    let (low, high) = ((80.4f64 + 125.1 + 0.5).powi(2).ln(), 4000.0f64.powi(2).ln());
    let rows: Vec<[f64; 6]> =
        (0..n).map(|i| mass_spectrum((low + (i as f64 + 0.5) / n as f64 * (high - low)).exp())).collect();
    let total: f64 = rows.iter().map(|row| row[0]).sum();
    let column = |k: usize| -> Vec<f64> { rows.iter().map(|row| row[k] / total).collect() };
    let sample = Sample {
        columns: (0..6).map(|k| (WEIGHTS[k].to_owned(), column(k))).collect(),
        n_rows: n,
        folder: Default::default(),
    };
    let events = 300.0;
    let table = sample.table(&(0..n).collect::<Vec<_>>(), &WEIGHTS);
    let mut component = json!({"name": "WH", "yields": {"kind": "reference", "events": events * n as f64}, "ratio_of": "yields",
        "ratio": {"kind": "polynomial", "monomials": monomials(), "columns": WEIGHTS, "truncation": "none"}});
    component["name"] = json!("mass");
    let term = json!({"name": "mass", "events": sample.table(&[100, 4000], &WEIGHTS), "reference": {"events": table},
        "components": [component]});
    let unbinned = document(json!([term]));
    for (truth, other) in [([0.3, 0.0], [0.0, 0.0]), ([-0.2, 0.4], [0.1, -0.1])] {
        let whole = non_centrality(&unbinned, truth, other);
        let mut last = 0.0;
        for n_bins in [1, 4, 20, 100, 400] {
            let order: Vec<f64> = (0..n).map(|i| i as f64).collect();
            let own = non_centrality(&binned(sample.channel(&sorted_bins(&order, n_bins), events)), truth, other);
            println!("true mass, {n_bins} bins: {:e} below single events", 1.0 - own / whole);
            assert!(own >= last * (1.0 - 1e-12) && own <= whole * (1.0 + 1e-12), "{n_bins} bins: {own}, {whole}");
            last = own;
        }
        assert!((last / whole - 1.0).abs() < 0.01, "{last} of 400 bins, {whole} of events");
    }
}

/// Information: Σ ∂w ∂wᵀ/w of single events, never less than that of the published bins or of any others, also with a
/// learned nuisance profiled in both.
#[test]
fn bins_never_know_more() {
    let Some(sample) = wh::sample().map(with_learned) else { return };
    let reference = read_json(&sample.folder.join("wh_10000.json"));
    let (pt, angle) = (&reference["bins"]["pTW"], floats(&reference["bins"]["Qcosd"]));
    let pt: Vec<f64> = pt.as_array().unwrap().iter().map(|x| x.as_f64().unwrap_or(f64::INFINITY)).collect();
    let place = |edges: &[f64], x: f64| edges.partition_point(|edge| *edge <= x).clamp(1, edges.len() - 1) - 1;
    let mut published = vec![Vec::new(); 30];
    for row in 0..sample.n_rows {
        published[place(&pt, sample.column("pTW")[row]) * 5 + place(&angle, sample.column("Qcosd")[row])].push(row);
    }
    published.retain(|rows| !rows.is_empty());
    let factor = sample.events() / sample.n_rows as f64;
    let term = document(json!([sample.term(sample.component(), &WEIGHTS)]));
    let (model, _) = build(&term);
    let program = Program::compile(&model);
    for at in [[0.0, 0.0], [0.5, -0.8], [-1.2, 0.3]] {
        let whole = information(&model, &program, &at, &[false; 2], &[0, 1]);
        let own = whole.unbinned[0].clone().unwrap();
        let weights = sample.weights(at);
        let slope = |row: usize| {
            let w = WEIGHTS.map(|name| sample.column(name)[row]);
            [w[1] + 2.0 * at[0] * w[3] + at[1] * w[4], w[2] + at[0] * w[4] + 2.0 * at[1] * w[5]]
        };
        let direct = (0..sample.n_rows).fold(DMatrix::zeros(2, 2), |sum, row| {
            let d = slope(row);
            sum + DMatrix::from_fn(2, 2, |i, j| factor * d[i] * d[j] / weights[row])
        });
        assert!((&own - &direct).abs().max() < 1e-10 * direct.max(), "{own} and {direct}");
        assert!((whole.profiled.unwrap() - &direct).abs().max() < 1e-10 * direct.max());
        // With a bin for each event both are one: there the difference is rounding.
        let others = [1, 3, 10, sample.n_rows].map(|n| sorted_bins(sample.column("Qcosd"), n));
        for bins in others.iter().chain([&published]) {
            let (model, _) = build(&binned(sample.channel(bins, factor)));
            let program = Program::compile(&model);
            let binned = information(&model, &program, &at, &[false; 2], &[0, 1]).fixed;
            let least = SymmetricEigen::new(&own - binned).eigenvalues.min();
            println!("{} bins: least eigenvalue of the difference {least:e} of {:e}", bins.len(), own.max());
            assert!(least >= -1e-12 * own.max(), "{} bins know more: {least}", bins.len());
        }
    }
    // Learned nuisances: less information than without, never negative, and that of the Schur complement of Σ s ∂ln ∂lnᵀ.
    let columns = [&WEIGHTS[..], &LEARNED[..]].concat();
    let (model, _) = build(&document(json!([sample.term(learned(&sample), &columns)])));
    let program = Program::compile(&model);
    let values = [("cHW", 0.3), ("cHWtil", -0.2), ("tilt", 0.4), ("scale", -0.3), ("slope", 0.6)];
    let at = common::point(&model, &values);
    let coefficients = ["cHW", "cHWtil"].map(|c| model.parameter_names().iter().position(|name| name == c).unwrap());
    let found = information(&model, &program, &at, &vec![false; at.len()], &coefficients);
    let profiled = SymmetricEigen::new(found.profiled.unwrap());
    let lost = SymmetricEigen::new(found.unbinned[0].as_ref().unwrap() - profiled.recompose());
    assert!(profiled.eigenvalues.min() > 0.0 && lost.eigenvalues.min() >= -1e-9 * profiled.eigenvalues.max());
}

/// var R̂ = (E[r̂|θ] − 1)/N, from 2 000 draws of 400 events of the reference (row 44 of the acceptance list). The reference is
/// the mixture of which the sample was generated: to the standard model alone ratios have tails that no such sample fills.
#[test]
fn the_variance_of_the_mean_ratio_is_what_it_should_be() {
    let Some(sample) = wh::sample() else { return };
    let (reference, moved) = (sample.mixture(), sample.weights([0.25, -0.2]));
    let (total, total_moved): (f64, f64) = (reference.iter().sum(), moved.iter().sum());
    // A ratio of densities: its mean over the reference is one.
    let ratio: Vec<f64> = reference.iter().zip(&moved).map(|(v, w)| w / total_moved / (v / total)).collect();
    let mut sample = sample;
    sample.columns.insert("r".to_owned(), ratio.clone());
    let component = json!({"name": "WH", "ratio_of": "densities",
        "yields": {"kind": "polynomial", "monomials": [[]], "coefficients": [400.0], "truncation": "none"},
        "ratio": {"kind": "polynomial", "constant": 1.0, "monomials": [["cHW"]], "columns": ["d"], "truncation": "none"}});
    // r is the ratio at cHW = 1 of a line through one.
    sample.put("d", |row| row("r") - 1.0);
    let (model, _) = build(&{
        let mut document = document(json!([sample.term(component, &["d"])]));
        document["eft"]["wilson_coefficients"].as_array_mut().unwrap().pop();
        document["measurements"][0]["config"]["poi"] = json!("cHW");
        document
    });
    let mut term = model.unbinned[0].clone();
    let own = term.components[0].clone();
    let mut random = Random(44);
    let mut sum = 0.0;
    let summed: Vec<f64> = reference
        .iter()
        .map(|v| {
            sum += v / total;
            sum
        })
        .collect();
    let (n, draws) = (400, 2000);
    let (mut mean, mut square, mut expected) = (0.0, 0.0, 0.0);
    for _ in 0..draws {
        term.reference.iter_mut().for_each(|w| *w = 0.0);
        for _ in 0..n {
            let u = random.uniform();
            let row = summed.partition_point(|s| *s <= u).min(reference.len() - 1);
            term.reference[row] += 1.0 / n as f64;
        }
        let found = closure::component(&term, &own, (&[1.0], &[0.0]), None).unwrap();
        mean += found.mean / draws as f64;
        square += found.mean * found.mean / draws as f64;
        // Several draws of one row are events of their own: 1/N in the place of Σ w².
        expected += found.expected_variance * found.effective_events / n as f64 / draws as f64;
    }
    let empirical = square - mean * mean;
    let exact = (ratio.iter().zip(&moved).map(|(r, w)| r * w / total_moved).sum::<f64>() - 1.0) / n as f64;
    println!("empirical {empirical:e}, of each sample {expected:e}, exact {exact:e}, mean {mean}");
    assert!((0.9..1.1).contains(&(empirical / exact)), "{empirical:e} and {exact:e}");
    assert!((0.9..1.1).contains(&(expected / exact)), "{expected:e} and {exact:e}");
    close(mean, 1.0, 4.0 * (exact / draws as f64).sqrt(), "mean of R̂");
}

/// The upper end of the expected 95 % interval of cHWtil with cHW at zero.
fn expected_end(document: &Value) -> f64 {
    let (model, data) = build(document);
    let program = Program::compile(&model);
    let mut likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    let made = asimov(&mut likelihood, AsimovPoint::Given(vec![0.0, 0.0]), None).unwrap().data;
    let mut on = Likelihood::new(&program, &made, FitOptions::new(&model));
    let least = on.twice_nll(&[0.0, 0.0]);
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if on.twice_nll(&[0.0, middle]) - least < 3.841_458_820_694_124 { low = middle } else { high = middle }
    }
    low
}

/// SALLY: the histogram of the score that `eft score` writes expects a tighter limit than one of the angle in as many bins,
/// and one hardly wider than single events do (row 39 of the acceptance list).
#[test]
fn the_score_histogram_knows_nearly_all() {
    use common::program::{morphist, stderr};
    let Some(mut sample) = wh::sample() else { return };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("unbinned_wh");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(sample.folder.join("wh_10000.parquet"), folder.join("wh.parquet")).unwrap();
    let reference = read_json(&sample.folder.join("wh_10000.json"));
    let mut own = binned(sample.channel(&[(0..sample.n_rows).collect()], 1.0));
    own["eft"]["event_databases"] = json!([{"name": "wh", "uri": "wh.parquet", "sha256": reference["sha256"]["parquet"],
        "media_type": "application/vnd.apache.parquet", "n_rows": sample.n_rows, "observables": {},
        "weights": {"kind": "coefficients", "monomials": monomials(), "columns": WEIGHTS}, "normalisation": {"kind": "yields"}}]);
    let place = |name: &str| folder.join(name).display().to_string();
    std::fs::write(place("wh.json"), own.to_string()).unwrap();
    let output = morphist(&[
        "eft",
        "score",
        &place("wh.json"),
        "--output-database",
        &place("score.parquet"),
        "--output-file",
        &place("score.json"),
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    // The columns that it wrote, against ∂w/w − ∂σ/σ.
    let scored = read_json(&folder.join("score.json"));
    let database = &scored["eft"]["event_databases"][0];
    let table = json!({"uri": "score.parquet", "sha256": database["sha256"], "media_type": database["media_type"],
        "n_rows": sample.n_rows});
    let table = serde_json::from_value(table).unwrap();
    let names = ["score_cHW".to_owned(), "score_cHWtil".to_owned()];
    let read = morphist::event_database::Table::read(&table, &names, &folder, "").unwrap();
    for (name, column) in [("score_cHW", "w01"), ("score_cHWtil", "w02")] {
        let (w, d) = (sample.column("w00"), sample.column(column));
        let mean = d.iter().sum::<f64>() / w.iter().sum::<f64>();
        for ((got, w), d) in read.columns[name].iter().zip(w).zip(d) {
            close(*got, d / w - mean, 1e-12 * (d / w).abs().max(1.0), name);
        }
    }
    sample.columns.extend(read.columns);
    let factor = sample.events() / sample.n_rows as f64;
    let whole = expected_end(&document(json!([sample.term(sample.component(), &WEIGHTS)])));
    let end = |name: &str, n| expected_end(&binned(sample.channel(&sorted_bins(sample.column(name), n), factor)));
    let (mut before, mut last) = (f64::INFINITY, 0.0);
    for n in [1, 5, 10, 50, 250] {
        let (score, angle) = (end("score_cHWtil", n), end("Qcosd", n));
        println!("expected 95 % limit on cHWtil, {n} bins: events {whole}, score {score}, angle {angle}");
        assert!(whole <= score && score <= before, "{n} bins: {score} after {before}, {whole}");
        assert!(n == 1 || score < angle, "{n} bins: {score}, {angle}");
        (before, last) = (score, score);
    }
    assert!(last < 1.05 * whole, "{last} of 250 bins, {whole}");
}
