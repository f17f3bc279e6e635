//! Unbinned terms on the WH sample of the corpus: q of 10 000 events against numpy's (tests/events/unbinned_wh.json, written by
//! tests/peer/unbinned_wh.py) in every encoding and form.

use crate::common;

use common::wh::{self, LEARNED, Sample, WEIGHTS, build, document, learned, monomials, phi, with_learned};
use common::{Random, read_json};
use morphist::kernel::Evaluator;
use morphist::model::{Data, Model};
use morphist::program::Program;
use nalgebra::{Matrix3, SymmetricEigen};
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
    let numbers = read_json(Path::new("tests/events/unbinned_wh.json"));
    // Both programs draw the same rows.
    assert_eq!(sample.drawn().0.iter().sum::<usize>() as u64, numbers["rows"].as_u64().unwrap());
    numbers
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

/// The files of the sample themselves as reference events, Parquet and Arrow: the likelihood of the columns written out, to
/// the last bit, and numpy's.
#[test]
fn files_are_read_as_they_are() {
    use morphist::document::workspace::Workspace;
    use morphist::translate::from_pyhf::{self, ModelOptions};
    let Some(sample) = wh::sample() else { return };
    let numbers = numbers(&sample);
    let points = numbers["points"].as_array().unwrap();
    let mut own = document(json!([sample.term(sample.component(), &WEIGHTS)]));
    let inline = values(&own, points);
    let reference = read_json(&sample.folder.join("wh_10000.json"));
    for (format, media_type) in
        [("parquet", "application/vnd.apache.parquet"), ("arrow", "application/vnd.apache.arrow.file")]
    {
        own["eft"]["unbinned_terms"][0]["reference"]["events"] = json!({"uri": format!("wh_10000.{format}"),
            "sha256": reference["sha256"][format], "media_type": media_type, "n_rows": sample.n_rows});
        let workspace = Workspace::from_value(&own).unwrap();
        let options = ModelOptions { folder: Some(sample.folder.clone()), ..ModelOptions::default() };
        let model = from_pyhf::model(&workspace, &options).unwrap();
        let data = from_pyhf::data(&workspace, &model).unwrap();
        let program = Program::compile(&model);
        let (mut evaluator, prepared) = (Evaluator::new(&program), program.prepare(&data));
        for ((at, inline), want) in points.iter().zip(&inline).zip(floats(&numbers["forms"]["ratios"]["twice_nll"])) {
            let got = evaluator.twice_nll(&point(&model, at), &prepared);
            assert_eq!(got, *inline, "{format}");
            close(got, want, 1e-12 * 2e5, format);
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
    type Encode = fn(f64) -> f64;
    let encodings: [(&str, Encode); 4] = [
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
