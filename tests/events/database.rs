//! Event databases read, binned and summed: against numpy's numbers of the corpus (`eft/wh_10000.json`, made with
//! `numpy.bincount` and `numpy.einsum`) and against sums written out here.

use crate::common;

use arrow_array::{ArrayRef, Float32Array, Int64Array, StringArray};
use common::event_files::*;
use common::{Random, directory, read_json};
use morphist::event_database::Binned;
use morphist::model::eft::events::EventFactorKind;
use serde_json::{Value, json};
use std::sync::Arc;

/// The histogram of the corpus.
fn histogram(reference: &Value) -> Value {
    let axis = |name: &str| json!({"observable": name, "edges": reference["bins"][name]});
    json!({
        "database": "db", "axes": [axis("pTW"), axis("Qcosd")], "underflow": "error", "overflow": "error",
        "truncation": "none", "mc_stat": "w2",
    })
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn close(got: &[f64], want: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    let scale = want.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        // Coefficients that nearly cancel have the rounding of what cancels.
        let allowed = tolerance * want.abs().max(1e-4 * scale);
        assert!((got - want).abs() <= allowed, "{what} [{i}]: {got:e} but {want:e}");
    }
}

/// Yields and variances at five points, the polynomials of the bins and W2, from both formats.
#[test]
fn the_wh_database_gives_the_numbers_of_numpy() {
    let Some(folder) = directory("eft") else { return };
    let reference = read_json(&folder.join("wh_10000.json"));
    let n_rows = reference["n_accepted"].as_u64().unwrap();
    for (file, hash, parquet) in [("wh_10000.parquet", "parquet", true), ("wh_10000.arrow", "arrow", false)] {
        let block = block(file, reference["sha256"][hash].as_str().unwrap(), parquet, n_rows);
        let binned = bin_with(&block, &histogram(&reference), &folder, None).unwrap();
        assert_eq!(binned.variables, ["cHW", "cHWtil"]);
        assert_eq!((binned.flow.rows, binned.flow.binned), (n_rows, n_rows));
        assert_eq!(binned.n_events.iter().sum::<u64>(), n_rows);
        let w2 = binned.w2.as_ref().unwrap();
        for point in reference["reference"].as_array().unwrap() {
            let c = numbers(&point["c"]);
            for (got, want) in
                [(binned.polynomial.evaluate(&c), numbers(&point["yields"])), (w2.evaluate(&c), numbers(&point["var"]))]
            {
                assert_eq!(got.len(), want.len());
                let worst = got.iter().zip(&want).map(|(g, w)| (g / w - 1.0).abs()).fold(0.0, f64::max);
                assert!(worst < 1e-12, "{file}: {worst:e}");
            }
        }
        let order: [&[u32]; 6] = [&[], &[0], &[1], &[0, 0], &[0, 1], &[1, 1]];
        for (k, monomial) in order.iter().enumerate() {
            let want: Vec<f64> =
                reference["bin_polynomials"].as_array().unwrap().iter().map(|bin| numbers(bin)[k]).collect();
            close(binned.polynomial.coefficients_of(monomial).unwrap(), &want, 1e-12, "A");
        }
        // W2_kl of numpy, pairs of one product added up.
        let mut quartic = std::collections::BTreeMap::<Vec<u32>, Vec<f64>>::new();
        for (k, left) in order.iter().enumerate() {
            for (l, right) in order.iter().enumerate() {
                let mut product = [*left, *right].concat();
                product.sort_unstable();
                let sum = quartic.entry(product).or_insert_with(|| vec![0.0; binned.n_events.len()]);
                for (b, sum) in sum.iter_mut().enumerate() {
                    *sum += reference["bin_w2"][b][k][l].as_f64().unwrap();
                }
            }
        }
        assert_eq!(w2.monomials.len(), quartic.len());
        for (monomial, want) in &quartic {
            close(w2.coefficients_of(monomial).unwrap(), want, 1e-12, "W2");
        }
    }
}

#[test]
fn sums_at_load_are_sums_at_the_point_whatever_the_batches_and_the_order() {
    let mut events = random_events(5000, 1);
    let written = write("sums.parquet", &columns_of(&events));
    let binned = written.bin(&written.block(), &small_histogram());
    for c in [[0.0, 0.0], [0.7, -0.4], [-1.9, 1.3]] {
        let (sums, squares) = on_the_fly(&events, c);
        close(&binned.polynomial.evaluate(&c), &sums, 1e-12, "Σ w");
        close(&binned.w2.as_ref().unwrap().evaluate(&c), &squares, 1e-12, "Σ w²");
    }
    for rows in [1, 7, 64, 1000, 4999] {
        let again = bin_with(&written.block(), &small_histogram(), &written.folder, Some(rows)).unwrap();
        assert_eq!((&again.polynomial, &again.w2), (&binned.polynomial, &binned.w2), "{rows} rows at once");
    }
    let mut random = Random(5);
    for i in (1..events.len()).rev() {
        events.swap(i, (random.uniform() * (i + 1) as f64) as usize);
    }
    let shuffled = write("shuffled.parquet", &columns_of(&events));
    let shuffled = shuffled.bin(&shuffled.block(), &small_histogram());
    close(&shuffled.polynomial.coefficients, &binned.polynomial.coefficients, 1e-12, "shuffled");
    close(&shuffled.w2.unwrap().coefficients, &binned.w2.unwrap().coefficients, 1e-12, "shuffled");
}

/// Columns of other widths are widened; sums are those of the rounded values.
#[test]
fn float32_and_integer_columns() {
    let events = [[50.0, -0.5, 0.1, 3.0], [50.0, 0.5, 0.7, -2.0], [50.0, 0.25, 0.3, 7.0]];
    let single =
        |k: usize| -> ArrayRef { Arc::new(Float32Array::from_iter_values(events.iter().map(|e| e[k] as f32))) };
    let whole: ArrayRef = Arc::new(Int64Array::from_iter_values(events.iter().map(|e| e[3] as i64)));
    let columns: Columns =
        vec![("pTW", single(0)), ("Qcosd", single(1)), ("w00", single(2)), ("w01", Arc::clone(&whole))];
    let written = write("float32.parquet", &columns);
    let weights = json!({"kind": "coefficients", "monomials": [[], ["cHW"]], "columns": ["w00", "w01"]});
    let binned = written.bin(&in_database(&written.block(), "weights", weights), &small_histogram());
    let constant = [f64::from(0.1f32), f64::from(0.7f32) + f64::from(0.3f32), 0.0, 0.0, 0.0, 0.0];
    close(binned.polynomial.coefficients_of(&[]).unwrap(), &constant, 1e-15, "float32");
    assert_eq!(binned.polynomial.coefficients_of(&[0]).unwrap(), [3.0, 5.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(binned.warnings.0[0].rule, "W277");
}

fn yields(binned: &Binned) -> Vec<f64> {
    binned.polynomial.evaluate(&[0.0; 2])
}

/// Bins are closed below, the last one also above; what is outside is refused, dropped or merged, and counted.
#[test]
fn edges_and_what_is_outside() {
    let columns: Columns = vec![
        ("x", f64s(&[-1.0, 0.0, 0.999, 1.0, 2.0, 2.0, 2.001, 50.0])),
        ("w", f64s(&[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0])),
    ];
    let written = write("edges.parquet", &columns);
    let run = |edges: Value, underflow: &str, overflow: &str| {
        let (block, histogram) = line(&written, edges, underflow, overflow);
        bin_with(&block, &histogram, &written.folder, None)
    };
    let dropped = run(json!([0.0, 1.0, 2.0]), "drop", "drop").unwrap();
    assert_eq!(yields(&dropped), [6.0, 56.0]);
    assert_eq!((dropped.flow.underflow, dropped.flow.overflow, dropped.flow.binned), (1, 2, 5));
    assert_eq!(dropped.n_events, [2, 3]);
    let merged = run(json!([0.0, 1.0, 2.0]), "merge", "merge").unwrap();
    assert_eq!(yields(&merged), [7.0, 248.0]);
    assert_eq!((merged.flow.underflow, merged.flow.overflow, merged.flow.binned), (1, 2, 8));
    let open = run(json!(["-inf", 0.0, 2.0, "inf"]), "error", "error").unwrap();
    assert_eq!(yields(&open), [1.0, 14.0, 240.0]);
    assert_eq!(open.w2.unwrap().evaluate(&[0.0; 2]), [1.0, 4.0 + 16.0 + 64.0, 256.0 + 1024.0 + 4096.0 + 16384.0]);
    let below = run(json!([0.0, 1.0, 2.0]), "error", "drop").unwrap_err();
    assert!(below.contains("W270") && below.contains("row 0") && below.contains("below the edge 0"), "{below}");
    let above = run(json!([0.0, 1.0, 2.0]), "drop", "error").unwrap_err();
    assert!(above.contains("W270") && above.contains("row 6") && above.contains("above the edge 2"), "{above}");
    for edges in [json!([1.0, 1.0]), json!([2.0, 1.0]), json!([1.0]), json!(["inf", 1.0]), json!([0.0, "-inf"])] {
        assert!(run(edges.clone(), "drop", "drop").unwrap_err().contains("W269"), "{edges}");
    }
}

/// In two dimensions a row that is outside on one axis joins the edge bin of its place on the other.
#[test]
fn two_axes_merge_each_on_its_own() {
    let columns: Columns = vec![
        ("x", f64s(&[-5.0, 0.5, 9.0, 9.0, 0.5])),
        ("y", f64s(&[0.5, 7.0, 0.5, 7.0, -3.0])),
        ("w", f64s(&[1.0, 2.0, 4.0, 8.0, 16.0])),
    ];
    let written = write("two_axes.parquet", &columns);
    let (block, histogram) = line(&written, json!([0.0, 1.0, 2.0]), "merge", "merge");
    let observables = json!({"x": {"column": "x", "unit": "1"}, "y": {"column": "y", "unit": "1"}});
    let block = in_database(&block, "observables", observables);
    let axes =
        json!([{"observable": "x", "edges": [0.0, 1.0, 2.0]}, {"observable": "y", "edges": [0.0, 1.0, 2.0, 3.0]}]);
    let histogram = with(&histogram, "/axes", axes);
    // Bins: x 0 (y 0, 1, 2), then x 1.
    assert_eq!(yields(&written.bin(&block, &histogram)), [17.0, 0.0, 2.0, 4.0, 0.0, 8.0]);
    // One axis that drops and one that merges: dropped.
    let mixed = with(&histogram, "/overflow", json!("drop"));
    assert_eq!(yields(&written.bin(&block, &mixed)), [17.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn selections_and_channels() {
    let channel: ArrayRef = Arc::new(StringArray::from(vec!["SR", "CR", "SR", "SR"]));
    let columns: Columns =
        vec![("x", f64s(&[0.0, 1.0, 2.0, 3.0])), ("w", f64s(&[1.0, 2.0, 4.0, 8.0])), ("region", channel)];
    let written = write("channels.parquet", &columns);
    let (block, histogram) = line(&written, json!([0.0, 10.0]), "error", "error");
    assert_eq!(yields(&written.bin(&block, &histogram)), [15.0]);
    let cut = with(&histogram, "/selection", json!([{"observable": "x", "min": 1.0, "max": 3.0}]));
    assert_eq!(yields(&written.bin(&block, &cut)), [6.0]);
    let regions = in_database(&block, "channel", json!("region"));
    let binned = written.bin(&regions, &histogram);
    assert_eq!((yields(&binned), binned.flow.other_channels), (vec![13.0], 1));
    let both = with(&histogram, "/selection", json!([{"observable": "x", "min": 2.0}]));
    let binned = written.bin(&regions, &both);
    assert_eq!((yields(&binned), binned.flow.cut), (vec![12.0], 1));
    let wrong = in_database(&block, "channel", json!("x"));
    assert!(written.refusal(&wrong, &histogram).contains("W266"));
}

/// Rows of one number are one event: (1 + 2)² and not 1 + 4, however they lie; in another bin they are another event.
#[test]
fn rows_of_one_event_are_summed_before_they_are_squared() {
    let id = |ids: &[i64]| -> ArrayRef { Arc::new(Int64Array::from(ids.to_vec())) };
    for (name, ids, x, w) in [
        ("adjacent.parquet", [7, 7, 8, 9, 8], [0.5, 0.5, 0.5, 1.5, 1.5], [1.0, 2.0, 4.0, 8.0, 16.0]),
        ("apart.parquet", [8, 7, 9, 8, 7], [0.5, 0.5, 1.5, 1.5, 0.5], [4.0, 1.0, 8.0, 16.0, 2.0]),
    ] {
        let columns: Columns = vec![("x", f64s(&x)), ("w", f64s(&w)), ("event", id(&ids))];
        let written = write(name, &columns);
        let (block, histogram) = line(&written, json!([0.0, 1.0, 2.0]), "error", "error");
        let plain = written.bin(&block, &histogram);
        assert_eq!(plain.w2.unwrap().evaluate(&[0.0; 2]), [1.0 + 4.0 + 16.0, 64.0 + 256.0]);
        let block = in_database(&block, "event_id", json!("event"));
        let binned = written.bin(&block, &histogram);
        assert_eq!(yields(&binned), [7.0, 24.0]);
        assert_eq!(binned.w2.as_ref().unwrap().evaluate(&[0.0; 2]), [9.0 + 16.0, 64.0 + 256.0]);
        assert_eq!(binned.n_events, [2, 2]);
    }
}

/// Order 1 keeps the constant and the linear terms of dimension 6; of dimension 8 the linear term is of order 2.
#[test]
fn truncation_counts_orders_before_squaring() {
    let events = random_events(50, 3);
    let written = write("truncation.parquet", &columns_of(&events));
    let histogram = |order: u32| with(&small_histogram(), "/truncation", json!({"max_np_order": order}));
    let linear = written.bin(&written.block(), &histogram(1));
    assert_eq!(linear.polynomial.monomials, [vec![], vec![0], vec![1]]);
    assert_eq!(linear.w2.as_ref().unwrap().monomials.len(), 6);
    let all = written.bin(&written.block(), &small_histogram());
    assert_eq!(linear.polynomial.coefficients_of(&[1]), all.polynomial.coefficients_of(&[1]));
    assert_eq!(written.bin(&written.block(), &histogram(2)).polynomial, all.polynomial);
    let eight = with(&written.block(), "/wilson_coefficients/1/dimension", json!(8));
    let orders = |order: u32| written.bin(&eight, &histogram(order)).polynomial.monomials;
    assert_eq!(orders(1), [vec![], vec![0]]);
    assert_eq!(orders(2), [vec![], vec![0], vec![1], vec![0, 0]]);
    assert_eq!(orders(3).len(), 5);
    // Only what is left names variables.
    assert_eq!(written.bin(&eight, &histogram(1)).variables, ["cHW"]);
}

/// The same events with weights at six points, and as ratios to one of them.
#[test]
fn basis_weights_and_ratios_are_the_coefficients() {
    let events = random_events(500, 4);
    let points = [[0.0, 0.0], [0.9, 0.6], [-0.9, -0.6], [0.8, -0.7], [-0.3, 0.9], [0.1, -1.0]];
    let written = write("coefficients.parquet", &columns_of(&events));
    let want = written.bin(&written.block(), &small_histogram());
    let at = |c: [f64; 2]| -> Vec<f64> {
        events.iter().map(|e| e[2..].iter().zip(phi(c)).map(|(a, p)| a * p).sum()).collect()
    };
    let names = ["b0", "b1", "b2", "b3", "b4", "b5"];
    let mut columns: Columns = columns_of(&events)[..2].to_vec();
    columns.extend(names.into_iter().zip(points).map(|(name, c)| (name, f64s(&at(c)))));
    let basis = write("basis.parquet", &columns);
    for components in [json!({"monomials": monomials()}), json!({"vertices": {"production": ["cHW", "cHWtil"]}})] {
        let weights = json!({
            "kind": "basis_weights", "parameters": ["cHW", "cHWtil"], "basis_points": points, "columns": names,
            "components": components,
        });
        let got = basis.bin(&in_database(&basis.block(), "weights", weights.clone()), &small_histogram());
        close(&got.polynomial.coefficients, &want.polynomial.coefficients, 1e-12, "basis");
        close(&got.w2.unwrap().coefficients, &want.w2.as_ref().unwrap().coefficients, 1e-12, "basis");
        let mut flat = weights;
        flat["basis_points"][3] = json!([0.9, 0.6]);
        assert!(basis.refusal(&in_database(&basis.block(), "weights", flat), &small_histogram()).contains("W275"));
    }
    let mut columns: Columns = columns_of(&events)[..2].to_vec();
    let reference = at([0.9, 0.6]);
    columns.push(("reference", f64s(&reference)));
    for (k, name) in WEIGHTS.into_iter().enumerate() {
        let ratios: Vec<f64> = events.iter().zip(&reference).map(|(e, r)| e[2 + k] / r).collect();
        columns.push((name, f64s(&ratios)));
    }
    let ratio = write("ratio.parquet", &columns);
    let weights = json!({"kind": "ratio", "reference": "reference", "monomials": monomials(), "columns": WEIGHTS});
    let got = ratio.bin(&in_database(&ratio.block(), "weights", weights), &small_histogram());
    close(&got.polynomial.coefficients, &want.polynomial.coefficients, 1e-12, "ratio");
}

/// Yields are luminosity × k-factor × Σ w, variances have the square.
#[test]
fn normalisation_is_in_yields_and_in_variances() {
    let events = random_events(200, 6);
    let written = write("normalisation.parquet", &columns_of(&events));
    let plain = written.bin(&written.block(), &small_histogram());
    let normalisation = json!({"kind": "absolute", "luminosity": 0.5, "luminosity_unit": "1/fb", "weight_unit": "pb"});
    let block = in_database(&written.block(), "normalisation", normalisation);
    let scaled = written.bin(&block, &with(&small_histogram(), "/k_factor", json!(1.25)));
    let times = |p: &[f64], factor: f64| -> Vec<f64> { p.iter().map(|x| factor * x).collect() };
    close(&scaled.polynomial.coefficients, &times(&plain.polynomial.coefficients, 625.0), 1e-15, "yields");
    let w2 = plain.w2.unwrap();
    close(&scaled.w2.unwrap().coefficients, &times(&w2.coefficients, 390_625.0), 1e-15, "variances");
    // At one point: the quartic there.
    let fixed = with(&small_histogram(), "/mc_stat", json!({"fixed_at": {"cHWtil": 0.5}}));
    let fixed = written.bin(&written.block(), &fixed).w2.unwrap();
    assert_eq!(fixed.monomials, [Vec::<u32>::new()]);
    close(&fixed.coefficients, &w2.evaluate(&[0.0, 0.5]), 1e-13, "fixed");
    let none = with(&small_histogram(), "/mc_stat", json!("none"));
    assert_eq!(written.bin(&written.block(), &none).w2, None);
}

/// A systematic that shifts two observables gives the histograms of the shifted columns.
#[test]
fn shifts_are_histograms_of_the_shifted_columns() {
    let events = random_events(400, 11);
    let moved = |factor: f64| -> Vec<[f64; 8]> {
        events
            .iter()
            .map(|e| [factor * e[0], 0.9 * e[1] + 0.5 * (factor - 1.0), e[2], e[3], e[4], e[5], e[6], e[7]])
            .collect()
    };
    let (down, up) = (moved(0.9), moved(1.1));
    let mut columns = columns_of(&events);
    for (k, names) in [["pTW_dn", "pTW_up"], ["Qcosd_dn", "Qcosd_up"]].into_iter().enumerate() {
        for (name, events) in names.into_iter().zip([&down, &up]) {
            columns.push((name, f64s(&events.iter().map(|e| e[k]).collect::<Vec<_>>())));
        }
    }
    let written = write("shifts.parquet", &columns);
    let shift = json!({"JES": {"kind": "shift", "observables": {
        "pTW": {"lo": "pTW_dn", "hi": "pTW_up"}, "Qcosd": {"lo": "Qcosd_dn", "hi": "Qcosd_up"}}}});
    let block = in_database(&written.block(), "systematics", shift);
    let selected = with(&small_histogram(), "/selection", json!([{"observable": "pTW", "min": 80.0}]));
    let binned = written.bin(&block, &with(&selected, "/systematics", json!(["JES"])));
    assert_eq!(binned.shifts.len(), 1);
    assert_eq!(binned.shifts[0].systematic, "JES");
    assert!(binned.events.is_none());
    for (i, (events, got)) in [(&down, &binned.shifts[0].lo), (&up, &binned.shifts[0].hi)].into_iter().enumerate() {
        let kept: Vec<[f64; 8]> = events.iter().filter(|e| e[0] >= 80.0).copied().collect();
        let alone = write(&format!("shifted_{i}.parquet"), &columns_of(&kept));
        let want = alone.bin(&alone.block(), &small_histogram());
        close(&got.coefficients, &want.polynomial.coefficients, 1e-13, "shifted");
        assert_ne!(got.coefficients, binned.polynomial.coefficients);
    }
    // Not asked for: not read.
    assert!(written.bin(&block, &selected).shifts.is_empty());
}

/// Events that a floor or a systematic acts on stay, sorted by bin, in yields.
#[test]
fn events_are_kept_where_something_acts_on_each() {
    let events = random_events(300, 12);
    let mut columns = columns_of(&events);
    let factor = |seed: u64| -> Vec<f64> {
        let mut random = Random(seed);
        (0..300).map(|_| 0.5 + random.uniform()).collect()
    };
    let names = ["sf", "base", "delta", "square"];
    for (name, seed) in names.into_iter().zip(20..) {
        columns.push((name, f64s(&factor(seed))));
    }
    let written = write("kept.parquet", &columns);
    let systematics = json!({
        "btag": {"kind": "linear", "column": "sf"},
        "power": {"kind": "power", "column": "base"},
        "learned": {"kind": "log_quadratic", "linear": "delta", "quadratic": "square"},
    });
    let block = in_database(&written.block(), "systematics", systematics);
    let histogram = with(&small_histogram(), "/systematics", json!(["learned", "btag", "power"]));
    let histogram = with(&with(&histogram, "/k_factor", json!(2.0)), "/floor", json!(0.25));
    let binned = written.bin(&block, &histogram);
    let kept = binned.events.as_ref().unwrap();
    assert_eq!((kept.n_bins(), kept.n_events(), kept.floor), (6, 300, Some(0.5)));
    assert_eq!(binned.nuisances, ["learned", "btag", "power"]);
    assert_eq!(kept.systematics.iter().map(|s| s.variable).collect::<Vec<_>>(), [2, 3, 4]);
    // Summed by bin the columns are the polynomial.
    for (k, monomial) in kept.monomials.iter().enumerate() {
        let sums: Vec<f64> = kept.start.windows(2).map(|w| kept.columns[k][w[0]..w[1]].iter().sum()).collect();
        close(&sums, binned.polynomial.coefficients_of(monomial).unwrap(), 1e-13, "kept");
    }
    // Factors stay with their events: the first row of the second bin.
    let first = events.iter().position(|e| e[0] < 100.0 && e[1] >= 0.0).unwrap();
    let at = kept.start[1];
    assert_eq!(kept.columns[0][at], 2.0 * events[first][2]);
    match (&kept.systematics[0].kind, &kept.systematics[1].kind, &kept.systematics[2].kind) {
        (
            EventFactorKind::LogQuadratic { linear, quadratic },
            EventFactorKind::Linear(a),
            EventFactorKind::Power(b),
        ) => {
            assert_eq!(
                [linear[at], quadratic[at], a[at], b[at]],
                [factor(22)[first], factor(23)[first], factor(20)[first], factor(21)[first]]
            );
        }
        other => panic!("{other:?}"),
    }
    // The floor acts on each event before it is squared.
    let fixed = with(&histogram, "/mc_stat", json!({"fixed_at": {"cHW": 1.5}}));
    let fixed = written.bin(&block, &fixed).w2.unwrap();
    let mut want = vec![0.0; 6];
    for e in &events {
        let bin = 2 * [100.0, 300.0].iter().filter(|x| e[0] >= **x).count() + usize::from(e[1] >= 0.0);
        let w: f64 = e[2..].iter().zip([1.0, 1.5, 0.0, 2.25, 0.0, 0.0]).map(|(a, p)| a * p).sum();
        want[bin] += (2.0 * w.max(0.25)).powi(2);
    }
    close(&fixed.coefficients, &want, 1e-13, "floor");
}
