//! Unbinned terms on the WH sample of the corpus: q of 10 000 events against numpy's (tests/unbinned_wh.json, written by
//! tests/peer/unbinned_wh.py) in every encoding and form, limits and information against bins, scores, closure.

mod common;

use common::wh::{self, Sample, WEIGHTS, binned, build, document, monomials, phi};
use common::{Random, read_json};
use morphist::infer::asimov::{AsimovPoint, asimov};
use morphist::infer::eft::closure;
use morphist::infer::eft::information::information;
use morphist::infer::{FitOptions, Likelihood};
use morphist::kernel::Evaluator;
use morphist::model::{Data, Model};
use morphist::program::Program;
use nalgebra::{DMatrix, Matrix3, SymmetricEigen};
use serde_json::{Value, json};
use std::path::Path;

fn close(got: f64, want: f64, tolerance: f64, what: &str) {
    assert!((got - want).abs() <= tolerance, "{what}: {got} and {want}, {:e} apart", got - want);
}

/// −2 ln L of a document at points of (cHW, cHWtil), or of other parameters by name.
fn values(document: &Value, points: &[Value]) -> Vec<f64> {
    let (model, data) = build(document);
    let program = Program::compile(&model);
    let (mut evaluator, prepared) = (Evaluator::new(&program), program.prepare(&data));
    points.iter().map(|at| evaluator.twice_nll(&point(&model, at), &prepared)).collect()
}

fn point(model: &Model, at: &Value) -> Vec<f64> {
    let init = model.init().into_iter();
    model.parameter_names().iter().zip(init).map(|(name, x)| at[name.as_str()].as_f64().unwrap_or(x)).collect()
}

fn floats(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

/// q against the first point.
fn check(document: &Value, form: &str, numbers: &Value, tolerance: f64, what: &str) {
    let points = numbers["points"].as_array().unwrap();
    let (got, want) = (values(document, points), floats(&numbers["forms"][form]["q"]));
    let mut worst: f64 = 0.0;
    for (i, want) in want.iter().enumerate() {
        close(got[i] - got[0], *want, tolerance * want.abs().max(1.0), &format!("{what}, point {i}"));
        worst = worst.max((got[i] - got[0] - want).abs() / want.abs().max(1.0));
    }
    println!("{what}: {worst:e}");
}

fn numbers(sample: &Sample) -> Value {
    let numbers = read_json(Path::new("tests/unbinned_wh.json"));
    // Both programs draw the same rows.
    assert_eq!(sample.drawn().0.iter().sum::<usize>() as u64, numbers["rows"].as_u64().unwrap());
    numbers
}

/// Columns of learned nuisances and of replicas, as the peer makes them.
fn with_learned(mut sample: Sample) -> Sample {
    let x = |row: &dyn Fn(&str) -> f64| row("pTW") / (row("pTW") + 200.0);
    sample.put("up", |row| 0.1 * x(row) - 0.03);
    sample.put("up2", |row| 0.01 * row("Qcosd") * row("Qcosd"));
    sample.put("base", |row| 1.0 + 0.1 * row("Qcosd"));
    sample.put("slope", |row| 0.05 * x(row) * row("Qcosd"));
    sample.put("mixed", |row| 0.02 * row("Qcosd"));
    for j in [1, 2] {
        for name in &WEIGHTS[1..] {
            sample.put(&format!("{name}_r{j}"), |row| {
                let k = 1.0 + 0.03 * f64::from(j) * (x(row) - 0.4);
                row(name) * if ["w01", "w02"].contains(name) { k } else { k * k }
            });
        }
    }
    sample
}

const LEARNED: [&str; 5] = ["up", "up2", "base", "slope", "mixed"];

fn learned(sample: &Sample) -> Value {
    let mut component = sample.component();
    component["systematics"] = json!({
        "tilt": {"kind": "log_quadratic", "linear": "up", "quadratic": "up2"},
        "scale": {"kind": "power", "column": "base"}, "slope": {"kind": "linear", "column": "slope"}});
    component["correlated"] = json!([{"systematics": ["tilt", "scale"], "column": "mixed"}]);
    component
}

fn replica_names() -> [Vec<String>; 2] {
    [1, 2].map(|j| {
        let rest = WEIGHTS[1..].iter().map(|name| format!("{name}_r{j}"));
        std::iter::once("w00".to_owned()).chain(rest).collect()
    })
}

fn replicas(sample: &Sample, central: &str, nuisances: &[&str]) -> Value {
    let mut component = sample.component();
    component["replicas"] = json!({"columns": replica_names(), "central": central, "nuisances": nuisances});
    component
}

fn replica_columns() -> Vec<String> {
    let of_replicas = replica_names().into_iter().flatten().filter(|name| name != "w00");
    WEIGHTS.iter().map(|name| (*name).to_owned()).chain(of_replicas).collect()
}

fn strs(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// 10 000 events: the ratios alone, with learned nuisances exp(νδ + ν²Δ) (1 + νa) a^ν exp(νν'Δ'), and with replicas whose
/// spread is a nuisance; the non-centrality on Asimov data beside them.
#[test]
fn q_and_non_centrality_are_numpys() {
    let Some(sample) = wh::sample().map(with_learned) else { return };
    let numbers = numbers(&sample);
    close(sample.events(), numbers["events"].as_f64().unwrap(), 1e-12 * sample.events(), "events");
    let points = numbers["points"].as_array().unwrap();
    let (with_factors, with_replicas) = ([&WEIGHTS[..], &LEARNED[..]].concat(), replica_columns());
    let net = replicas(&sample, "mean_ratio", &["net0", "net1", "net2"]);
    for (form, component, columns) in [
        ("ratios", sample.component(), WEIGHTS.to_vec()),
        ("nuisances", learned(&sample), with_factors),
        ("replicas", net, strs(&with_replicas)),
    ] {
        let document = document(json!([sample.term(component, &columns)]));
        let (model, data) = build(&document);
        let program = Program::compile(&model);
        let mut evaluator = Evaluator::new(&program);
        let at: Vec<Vec<f64>> = points.iter().map(|p| point(&model, p)).collect();
        let asimov = Data { unbinned: evaluator.asimov_events(&at[0]), ..data.clone() };
        for (key, data) in [("q", &data), ("lambda_nc", &asimov)] {
            let prepared = program.prepare(data);
            // The term alone: the constraints of nuisances are not numpy's here.
            let got: Vec<f64> = at.iter().map(|p| evaluator.unbinned_terms(p, &prepared)[0]).collect();
            for (i, want) in floats(&numbers["forms"][form][key]).into_iter().enumerate() {
                println!("{form}, {key} at point {i}: {:e}", (got[i] - got[0] - want).abs() / want.abs().max(1.0));
                close(got[i] - got[0], want, 1e-10 * want.abs().max(1.0), &format!("{form}, {key} at point {i}"));
            }
        }
    }
}

/// The same q from the ratio to the standard model, from sums of squares, from densities with and without calibration, and
/// with another reference.
#[test]
fn forms_are_one_likelihood() {
    let Some(mut sample) = wh::sample() else { return };
    let numbers = numbers(&sample);
    // Relative to the standard model, whose events the reference then is.
    for name in &WEIGHTS[1..] {
        sample.put(&format!("r_{name}"), |row| row(name) / row("w00"));
    }
    let relative = WEIGHTS[1..].iter().map(|name| format!("r_{name}")).collect::<Vec<_>>();
    let factor = sample.events() / sample.n_rows as f64;
    let sums = WEIGHTS.map(|name| factor * sample.column(name).iter().sum::<f64>());
    let yields = json!({"kind": "polynomial", "monomials": monomials(), "coefficients": sums, "truncation": "none"});
    let ratio = json!({"kind": "polynomial", "constant": 1.0, "monomials": monomials().as_array().unwrap()[1..],
        "columns": relative, "truncation": "none"});
    let component = json!({"name": "WH", "yields": yields, "ratio": ratio, "ratio_of": "yields"});
    let columns = [strs(&relative), vec!["w00"]].concat();
    let mut term = sample.term(component.clone(), &columns);
    term["reference"]["weight"] = json!("w00");
    check(&document(json!([term])), "ratios", &numbers, 1e-10, "relative to the standard model");
    // Calibrated densities: the mean of the ratio is what the yields are divided by.
    term["components"][0]["ratio_of"] = json!("densities");
    term["components"][0]["calibration"] = json!("reference");
    check(&document(json!([term])), "ratios", &numbers, 1e-10, "calibrated densities");
    // A ratio that is wrong by a factor at every point is right once it is calibrated, and its Asimov data have N events.
    let mut wrong = term.clone();
    for table in ["/events/columns", "/reference/events/columns"] {
        for (name, column) in wrong.pointer_mut(table).unwrap().as_object_mut().unwrap() {
            if name != "w00" {
                column.as_array_mut().unwrap().iter_mut().for_each(|x| *x = json!(1.3 * x.as_f64().unwrap()));
            }
        }
    }
    wrong["components"][0]["ratio"]["constant"] = json!(1.3);
    check(&document(json!([wrong])), "ratios", &numbers, 1e-10, "calibrated, wrong by a factor");
    let (model, _) = build(&document(json!([wrong])));
    let program = Program::compile(&model);
    let made: f64 = Evaluator::new(&program).asimov_events(&wh::TRUTH).iter().sum();
    close(made, 10_000.0, 1e-9, "calibrated Asimov events");
    // Another reference hypothesis: columns over w(c₀), and events of c₀.
    let weights = sample.weights([-0.5, 0.7]);
    for name in WEIGHTS {
        let values = sample.column(name).iter().zip(&weights).map(|(a, w)| a / w).collect();
        sample.columns.insert(format!("m_{name}"), values);
    }
    sample.columns.insert("m".to_owned(), weights);
    let moved: Vec<String> = WEIGHTS.iter().map(|name| format!("m_{name}")).collect();
    let mut component = sample.component();
    component["ratio"]["columns"] = json!(moved);
    // Of densities with the mean at the truth being one by calibration.
    component["yields"] = yields;
    component["ratio_of"] = json!("densities");
    component["calibration"] = json!("reference");
    let mut term = sample.term(component, &[strs(&moved), vec!["m"]].concat());
    term["reference"]["weight"] = json!("m");
    check(&document(json!([term])), "ratios", &numbers, 1e-10, "another reference");
}

/// w(c) = vᵀ G v with v = (1, cHW, cHWtil): three amplitudes by the eigenvectors of G.
#[test]
fn sums_of_squares_are_the_same_likelihood() {
    let Some(mut sample) = wh::sample() else { return };
    let numbers = numbers(&sample);
    let mut amplitudes = vec![vec![Vec::new(); 3]; 3];
    for row in 0..sample.n_rows {
        let w = WEIGHTS.map(|name| sample.column(name)[row]);
        let g = Matrix3::new(w[0], w[1] / 2.0, w[2] / 2.0, w[1] / 2.0, w[3], w[4] / 2.0, w[2] / 2.0, w[4] / 2.0, w[5]);
        let eigen = SymmetricEigen::new(g);
        for (r, own) in amplitudes.iter_mut().enumerate() {
            for (k, column) in own.iter_mut().enumerate() {
                column.push(eigen.eigenvalues[r].max(0.0).sqrt() * eigen.eigenvectors[(k, r)]);
            }
        }
    }
    let mut names = Vec::new();
    let mut declared = Vec::new();
    for (r, own) in amplitudes.into_iter().enumerate() {
        let columns: Vec<String> = (0..3).map(|k| format!("n_{r}{k}")).collect();
        columns.iter().zip(own).for_each(|(name, values)| drop(sample.columns.insert(name.clone(), values)));
        declared.push(json!({"monomials": [[], ["cHW"], ["cHWtil"]], "columns": columns}));
        names.extend(columns);
    }
    let mut component = sample.component();
    component["ratio"] = json!({"kind": "sum_of_squares", "amplitudes": declared, "truncation": "none"});
    let document = document(json!([sample.term(component, &strs(&names))]));
    check(&document, "ratios", &numbers, 1e-10, "sum of squares");
    // Nowhere negative: every point of a wide grid is in the domain.
    let grid: Vec<Value> = (-6..=6)
        .flat_map(|a| (-6..=6).map(move |b| json!({"cHW": 0.5 * f64::from(a), "cHWtil": 0.5 * f64::from(b)})))
        .collect();
    assert!(values(&document, &grid).iter().all(|value| value.is_finite()));
}

/// r, ln r and both kinds of classifiers at the six points of a published basis.
#[test]
fn encodings_are_one_likelihood() {
    let Some(mut sample) = wh::sample() else { return };
    let numbers = numbers(&sample);
    let basis = [[0.0, 0.0], [0.9, 0.6], [-0.9, -0.6], [0.8, -0.7], [-0.3, 0.9], [0.1, -1.0]];
    // To the mixture of which the sample was drawn: no ratio is large.
    let mixture = sample.mixture();
    sample.columns.insert("mixture".to_owned(), mixture.clone());
    let encodings: [(&str, fn(f64) -> f64); 4] = [
        ("ratio", |r| r),
        ("log_ratio", f64::ln),
        ("probability_of_reference", |r| 1.0 / (1.0 + r)),
        ("probability_of_point", |r| r / (1.0 + r)),
    ];
    for (encoding, encode) in encodings {
        let columns: Vec<String> = (0..basis.len()).map(|p| format!("x_{p}")).collect();
        for (name, at) in columns.iter().zip(basis) {
            let values = sample.weights(at).into_iter().zip(&mixture).map(|(w, m)| encode(w / m)).collect();
            sample.columns.insert(name.clone(), values);
        }
        let factor = sample.events() / sample.n_rows as f64;
        let mut component = sample.component();
        component["yields"]["events"] = json!(factor * mixture.iter().sum::<f64>());
        component["ratio"] = json!({"kind": "basis_points", "parameters": ["cHW", "cHWtil"], "basis_points": basis,
            "columns": columns, "encoding": encoding, "truncation": "none", "components": {"monomials": monomials()}});
        let mut term = sample.term(component, &[strs(&columns), vec!["mixture"]].concat());
        term["reference"]["weight"] = json!("mixture");
        check(&document(json!([term])), "ratios", &numbers, 1e-10, encoding);
    }
}

/// A boosted information tree has the polynomial of its node for every event: its q is that of the nodes as bins, worked here.
#[test]
fn nodes_of_a_tree_are_bins() {
    let Some(mut sample) = wh::sample() else { return };
    let node = |row: usize, sample: &Sample| {
        let (x, y) = (sample.column("pTW")[row], sample.column("Qcosd")[row]);
        [75.0, 150.0, 250.0, 400.0].iter().filter(|edge| x >= **edge).count() * 3
            + if y < -0.2 {
                0
            } else if y < 0.3 {
                1
            } else {
                2
            }
    };
    let nodes: Vec<usize> = (0..sample.n_rows).map(|row| node(row, &sample)).collect();
    let factor = sample.events() / sample.n_rows as f64;
    let mut sums = [[0.0; 6]; 15];
    for (row, node) in nodes.iter().enumerate() {
        WEIGHTS.iter().zip(&mut sums[*node]).for_each(|(name, sum)| *sum += sample.column(name)[row]);
    }
    let columns: Vec<String> = (1..6).map(|k| format!("f_{k}")).collect();
    for (k, name) in columns.iter().enumerate() {
        let values = nodes.iter().map(|node| sums[*node][k + 1] / sums[*node][0]).collect();
        sample.columns.insert(name.clone(), values);
    }
    let component = json!({"name": "WH", "ratio_of": "yields",
        "yields": {"kind": "reference", "events": factor * sample.column("w00").iter().sum::<f64>()},
        "ratio": {"kind": "polynomial", "constant": 1.0, "monomials": monomials().as_array().unwrap()[1..],
            "columns": columns, "truncation": "none"}});
    let mut term = sample.term(component, &[strs(&columns), vec!["w00"]].concat());
    term["reference"]["weight"] = json!("w00");
    let mut counts = [0.0; 15];
    sample.drawn().0.iter().for_each(|row| counts[nodes[*row]] += 1.0);
    let points = [[0.0, 0.0], [0.4, -0.3], [-0.7, 0.9], [1.5, -1.2]];
    let poisson = |at: [f64; 2]| -> f64 {
        let yields = sums.map(|sums| factor * sums.iter().zip(phi(at)).map(|(a, phi)| a * phi).sum::<f64>());
        2.0 * yields.iter().zip(counts).map(|(nu, n)| nu - n * nu.ln()).sum::<f64>()
    };
    let named: Vec<Value> = points.iter().map(|[a, b]| json!({"cHW": a, "cHWtil": b})).collect();
    let got = values(&document(json!([term])), &named);
    for (i, at) in points.iter().enumerate() {
        let want = poisson(*at) - poisson(points[0]);
        close(got[i] - got[0], want, 1e-10 * want.abs().max(1.0), &format!("tree at {at:?}"));
    }
}

/// 16 operators have 16 + 136 = 152 columns: the density of each event is the sum over them, worked here.
#[test]
fn sixteen_operators_have_152_columns() {
    let names: Vec<String> = (0..16).map(|i| format!("c{i}")).collect();
    let mut of_monomials: Vec<Vec<usize>> = (0..16).map(|i| vec![i]).collect();
    of_monomials.extend((0..16).flat_map(|i| (i..16).map(move |j| vec![i, j])));
    assert_eq!(of_monomials.len(), 152);
    let (n, mut random) = (7, Random(3));
    let table: Vec<Vec<f64>> = of_monomials.iter().map(|_| (0..n).map(|_| 0.02 * random.uniform()).collect()).collect();
    let columns: Vec<String> = (0..152).map(|k| format!("k{k}")).collect();
    let named = |m: &Vec<usize>| m.iter().map(|i| names[*i].clone()).collect::<Vec<_>>();
    let inline: serde_json::Map<String, Value> =
        columns.iter().zip(&table).map(|(name, values)| (name.clone(), json!(values))).collect();
    let mut document = document(json!([{"name": "ML", "events": {"columns": inline}, "components": [{"name": "s",
        "yields": {"kind": "polynomial", "monomials": [[]], "coefficients": [9.0], "truncation": "none"}, "ratio_of": "densities",
        "ratio": {"kind": "polynomial", "constant": 1.0, "monomials": of_monomials.iter().map(named).collect::<Vec<_>>(),
            "columns": columns, "truncation": "none"}}]}]));
    document["eft"]["wilson_coefficients"] =
        names.iter().map(|name| json!({"name": name, "bounds": [-3, 3]})).collect();
    document["measurements"][0]["config"]["poi"] = json!("c0");
    let c: Vec<f64> = (0..16).map(|_| 2.0 * random.uniform() - 1.0).collect();
    let at: serde_json::Map<String, Value> = names.iter().cloned().zip(c.iter().map(|x| json!(x))).collect();
    let got = values(&document, &[Value::Object(at), json!({})]);
    let mut want = 0.0;
    for row in 0..n {
        let of = |(m, column): (&Vec<usize>, &Vec<f64>)| column[row] * m.iter().map(|i| c[*i]).product::<f64>();
        want -= 2.0 * (1.0 + of_monomials.iter().zip(&table).map(of).sum::<f64>()).ln();
    }
    close(got[0] - got[1], want, 1e-12, "q");
}

/// q of a document's Asimov data at a point, seen from another.
fn non_centrality(document: &Value, truth: [f64; 2], other: [f64; 2]) -> f64 {
    let (model, data) = build(document);
    let program = Program::compile(&model);
    let mut likelihood = Likelihood::new(&program, &data, FitOptions::new(&model));
    let made = asimov(&mut likelihood, AsimovPoint::Given(truth.to_vec()), None).data;
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
        let others = [1, 3, 10].map(|n| sorted_bins(sample.column("Qcosd"), n));
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
    let at = point(&model, &json!({"cHW": 0.3, "cHWtil": -0.2, "tilt": 0.4, "scale": -0.3, "slope": 0.6}));
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
    let made = asimov(&mut likelihood, AsimovPoint::Given(vec![0.0, 0.0]), None).data;
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

/// Ensembles: mean and standard deviation of q over replicas, each worked by itself; the mean of logarithms is the mean.
#[test]
fn replicas_have_the_spread_of_their_likelihoods() {
    let Some(sample) = wh::sample().map(with_learned) else { return };
    let columns = replica_columns();
    let points = [json!({"cHW": 0.3, "cHWtil": -0.5}), json!({})];
    let q = |component: Value| {
        let got = values(&document(json!([sample.term(component, &strs(&columns))])), &points);
        got[0] - got[1]
    };
    let [first, second] = replica_names();
    // All replicas with declared yields.
    let factor = sample.events() / sample.n_rows as f64;
    let sums = WEIGHTS.map(|name| factor * sample.column(name).iter().sum::<f64>());
    let yields = json!({"kind": "polynomial", "monomials": monomials(), "coefficients": sums, "truncation": "none"});
    let alone = |columns: Value| {
        let mut component = sample.component();
        component["ratio"]["columns"] = columns;
        component["yields"] = yields.clone();
        q(component)
    };
    let each = [json!(WEIGHTS), json!(first), json!(second)].map(alone);
    let mean = each.iter().sum::<f64>() / 3.0;
    let deviation = (each.iter().map(|q| (q - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
    let mut logs = replicas(&sample, "mean_log_ratio", &[]);
    logs["yields"] = yields.clone();
    close(q(logs.clone()), mean, 1e-10 * mean.abs(), "q of the mean of logarithms");
    let path = common::program::scratch(
        "unbinned_wh_replicas.json",
        &document(json!([sample.term(logs, &strs(&columns))])).to_string(),
    );
    let path = path.display().to_string();
    let arguments = ["eft", "closure", &path, "--init", "cHW=0.3", "--init", "cHWtil=-0.5", "--format", "json"];
    let report = common::program::json_of(&arguments, 0);
    let found = &report["terms"][0]["replicas"];
    close(found["mean"].as_f64().unwrap(), mean, 1e-9 * mean.abs(), "reported mean");
    close(found["deviation"].as_f64().unwrap(), deviation, 1e-9 * mean.abs(), "reported deviation");
    assert!(deviation > 1.0, "{deviation}");
}
