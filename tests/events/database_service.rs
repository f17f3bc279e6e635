//! What is done with a database: documents without their events, further operators, quality.

use crate::common;

use common::event_files::*;
use common::program::{json_of, morphist, stderr};
use common::{Random, directory, read_json};
use morphist::event_database::quality::{FEW_EVENTS, closure, effective_events, least_weight, ratio_tails, uncovered};
use morphist::event_database::{Databases, Use};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A workspace with one sample of events and one background, in a folder of its own with its database.
fn workspace(name: &str, columns: &Columns, modifier: &Value, block: impl Fn(&Written) -> Value) -> (PathBuf, Value) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let bytes = bytes_of(columns, true);
    std::fs::write(folder.join("events.parquet"), &bytes).unwrap();
    let n_rows = columns[0].1.len() as u64;
    let written = Written { folder: folder.clone(), uri: "events.parquet".into(), hash: sha256(&bytes), n_rows };
    let normfactor = json!({"name": "mu", "type": "normfactor", "data": null});
    let document = json!({
        "channels": [{"name": "SR", "samples": [
            {"name": "WH", "data": [], "modifiers": [
                normfactor, {"name": "wh", "type": "eft_events", "data": modifier},
            ]},
            {"name": "background", "data": [40.0, 30.0, 20.0, 10.0, 5.0, 2.0], "modifiers": []},
        ]}],
        "observations": [{"name": "SR", "data": [95.0, 90.0, 210.0, 180.0, 360.0, 390.0]}],
        "measurements": [{"name": "meas", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
        "eft": block(&written),
    });
    (folder, document)
}

fn write_json(path: &Path, value: &Value) -> String {
    std::fs::write(path, value.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn run(arguments: &[&str]) {
    let output = morphist(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
}

/// Writes the document with the yields that `eft bin` finds; its path and that of the self-contained document.
fn with_yields(folder: &Path, mut document: Value) -> (String, String) {
    let path = write_json(&folder.join("document.json"), &document);
    let binned = folder.join("binned.json").to_str().unwrap().to_owned();
    run(&["eft", "bin", &path, "--output-file", &binned]);
    let yields = read_json(Path::new(&binned))["channels"][0]["samples"][0]["data"].clone();
    document["channels"][0]["samples"][0]["data"] = yields;
    (write_json(&folder.join("document.json"), &document), binned)
}

fn twice_nll(path: &str, point: &[(&str, f64)]) -> f64 {
    let set: Vec<String> = point.iter().map(|(name, x)| format!("{name}={x}")).collect();
    let mut arguments = vec!["evaluate", path, "--format", "json"];
    for set in &set {
        arguments.extend(["--init", set]);
    }
    json_of(&arguments, 0)["twice_nll"].as_f64().unwrap()
}

const POINTS: [[f64; 2]; 4] = [[0.0, 0.0], [0.6, -0.3], [-1.2, 0.8], [1.9, 1.9]];

/// The likelihood of the self-contained document is that of the document with its database; no database is left.
#[test]
fn a_binned_document_needs_no_events() {
    let columns = columns_of(&random_events(1000, 31));
    let (folder, document) = workspace("bin", &columns, &small_histogram(), Written::block);
    let (events, binned) = with_yields(&folder, document);
    let written = read_json(Path::new(&binned));
    assert_eq!(written["eft"].get("event_databases"), None);
    let modifier = &written["channels"][0]["samples"][0]["modifiers"][1];
    assert_eq!(modifier["type"], "eft_polynomial");
    assert_eq!(modifier["data"]["mc_stat"]["monomials"].as_array().unwrap().len(), 15);
    std::fs::rename(folder.join("events.parquet"), folder.join("away.parquet")).unwrap();
    let without: Vec<f64> = POINTS.iter().map(|c| twice_nll(&binned, &[("cHW", c[0]), ("cHWtil", c[1])])).collect();
    std::fs::rename(folder.join("away.parquet"), folder.join("events.parquet")).unwrap();
    for (c, without) in POINTS.iter().zip(without) {
        let with = twice_nll(&events, &[("cHW", c[0]), ("cHWtil", c[1])]);
        assert!((with - without).abs() < 1e-12 * with.abs(), "{with} and {without}");
    }
}

/// Shifts become a histosys with templates of every monomial.
#[test]
fn a_binned_document_keeps_shifts() {
    let events = random_events(1000, 32);
    let mut columns = columns_of(&events);
    columns.push(("dn", f64s(&events.iter().map(|e| 0.9 * e[0]).collect::<Vec<_>>())));
    columns.push(("up", f64s(&events.iter().map(|e| 1.1 * e[0]).collect::<Vec<_>>())));
    let histogram = with(&with(&small_histogram(), "/systematics", json!(["JES"])), "/mc_stat", json!("none"));
    let (folder, document) = workspace("bin_shift", &columns, &histogram, |written| {
        let shift = json!({"JES": {"kind": "shift", "observables": {"pTW": {"lo": "dn", "hi": "up"}}}});
        in_database(&written.block(), "systematics", shift)
    });
    let (events, binned) = with_yields(&folder, document);
    let plain = twice_nll(&binned, &[("cHW", 0.6), ("cHWtil", -0.3)]);
    for alpha in [-1.0, 0.4, 1.0, 1.7] {
        let at = |path: &str| twice_nll(path, &[("cHW", 0.6), ("cHWtil", -0.3), ("JES", alpha)]);
        let (with, without) = (at(&events), at(&binned));
        assert!((with - without).abs() < 1e-12 * with.abs(), "{alpha}: {with} and {without}");
        assert!((with - plain).abs() > 1e-6 * with.abs());
    }
}

/// A third operator: where it is zero the likelihood is the same to the last bit, and elsewhere that of a database that
/// had its columns from the start.
#[test]
fn appended_operators_leave_the_old_likelihood_as_it_is() {
    let n = 1000;
    let events = random_events(n, 33);
    let mut random = Random(34);
    let (b, cross): (Vec<f64>, Vec<f64>) = (0..n).map(|_| (random.uniform(), random.uniform() - 0.5)).unzip();
    let id: Vec<i64> = (0..n as i64).map(|i| 7 * i - 3).collect();
    let ids =
        |ids: &[i64]| -> arrow_array::ArrayRef { std::sync::Arc::new(arrow_array::Int64Array::from(ids.to_vec())) };
    let mut columns = columns_of(&events);
    columns.push(("id", ids(&id)));
    let (folder, document) = workspace("append", &columns, &small_histogram(), Written::block);
    let (old, _) = with_yields(&folder, document.clone());
    let rows: Columns = vec![("w_b", f64s(&b)), ("w_cross", f64s(&cross))];
    std::fs::write(folder.join("rows.parquet"), bytes_of(&rows, true)).unwrap();
    // The same in another order, to be matched by number.
    let order: Vec<usize> = (0..n).map(|i| (i * 617 + 11) % n).collect();
    let taken = |values: &[f64]| order.iter().map(|i| values[*i]).collect::<Vec<_>>();
    let keyed: Columns = vec![
        ("w_cross", f64s(&taken(&cross))),
        ("id", ids(&order.iter().map(|i| id[*i]).collect::<Vec<_>>())),
        ("w_b", f64s(&taken(&b))),
    ];
    std::fs::write(folder.join("keyed.arrow"), bytes_of(&keyed, false)).unwrap();
    let place = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let append = |columns: &str, output: &str, more: &[&str]| {
        let (columns, database, document) = (place(columns), place(&format!("{output}.parquet")), place(output));
        let mut arguments = vec!["eft", "append", &old, &columns, "--term", "cHB*cHB=w_b", "--term", "cHW*cHB=w_cross"];
        arguments.extend(["--coefficient", "cHB:-1:1", "--output-database", &database, "--output-file", &document]);
        arguments.extend(more);
        run(&arguments);
        document
    };
    let by_row = append("rows.parquet", "by_row.json", &[]);
    let by_key = append("keyed.arrow", "by_key.json", &["--key", "id"]);
    let changed = read_json(Path::new(&by_row));
    assert_eq!(changed["eft"]["event_databases"][0]["uri"], "by_row.json.parquet");
    assert_eq!(changed["eft"]["wilson_coefficients"][2]["name"], "cHB");
    for c in POINTS {
        let point = [("cHW", c[0]), ("cHWtil", c[1])];
        let before = twice_nll(&old, &point);
        assert_eq!(before.to_bits(), twice_nll(&by_row, &point).to_bits(), "{before} at {c:?}");
        // From the start: its own database with all columns.
        let third = [point[0], point[1], ("cHB", 0.7)];
        let after = twice_nll(&by_row, &third);
        assert_eq!(after.to_bits(), twice_nll(&by_key, &third).to_bits());
        let folded: Vec<[f64; 8]> = (0..n)
            .map(|i| {
                let mut e = events[i];
                e[2] += 0.49 * b[i];
                e[3] += 0.7 * cross[i];
                e
            })
            .collect();
        let (own, document) = workspace("folded", &columns_of(&folded), &small_histogram(), Written::block);
        let (folded, _) = with_yields(&own, document);
        let want = twice_nll(&folded, &point);
        assert!((after - want).abs() < 1e-11 * want.abs(), "{after} and {want}");
        assert!((after - before).abs() > 1e-6);
    }
}

#[test]
fn what_cannot_be_appended_changes_nothing() {
    let events = random_events(50, 35);
    let (folder, document) = workspace("refused", &columns_of(&events), &small_histogram(), Written::block);
    let (old, _) = with_yields(&folder, document);
    let place = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let write = |name: &str, columns: &Columns| std::fs::write(folder.join(name), bytes_of(columns, true)).unwrap();
    write("good.parquet", &vec![("w_b", f64s(&[1.0; 50]))]);
    write("short.parquet", &vec![("w_b", f64s(&[1.0; 49]))]);
    write("long.parquet", &vec![("w_b", f64s(&[1.0; 51]))]);
    write("nan.parquet", &vec![("w_b", f64s(&[f64::NAN; 50]))]);
    write("taken.parquet", &vec![("w00", f64s(&[1.0; 50]))]);
    std::fs::write(folder.join("text.parquet"), "no file of columns").unwrap();
    for (columns, term, coefficient, rule) in [
        ("short.parquet", "cHB=w_b", "cHB:-1:1", "W264"),
        ("long.parquet", "cHB=w_b", "cHB:-1:1", "W264"),
        ("nan.parquet", "cHB=w_b", "cHB:-1:1", "W267"),
        ("text.parquet", "cHB=w_b", "cHB:-1:1", "W263"),
        ("missing.parquet", "cHB=w_b", "cHB:-1:1", "W261"),
        ("good.parquet", "cHB=w_c", "cHB:-1:1", "W265"),
        ("taken.parquet", "cHB=w00", "cHB:-1:1", "W265"),
        ("good.parquet", "cXX=w_b", "cHB:-1:1", "W268"),
        ("good.parquet", "cHW*cHW=w_b", "cHB:-1:1", "W268"),
        ("good.parquet", "cHW=w_b", "cHW:-1:1", "W268"),
    ] {
        let (columns, database, output) = (place(columns), place("new.parquet"), place("new.json"));
        let output = morphist(&[
            "eft",
            "append",
            &old,
            &columns,
            "--term",
            term,
            "--coefficient",
            coefficient,
            "--output-database",
            &database,
            "--output-file",
            &output,
        ]);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(stderr(&output).contains(rule), "{rule}: {}", stderr(&output));
        for name in ["new.parquet", "new.json", "new.partial"] {
            assert!(!folder.join(name).exists(), "{name}");
        }
    }
    let (columns, own) = (place("good.parquet"), place("events.parquet"));
    let output = morphist(&[
        "eft",
        "append",
        &old,
        &columns,
        "--term",
        "cHB=w_b",
        "--coefficient",
        "cHB:-1:1",
        "--output-database",
        &own,
        "--output-file",
        &place("new.json"),
    ]);
    assert!(stderr(&output).contains("another file"), "{}", stderr(&output));
}

/// Against sums over the events written out here.
#[test]
fn quality_of_the_wh_events() {
    let Some(folder) = directory("eft") else { return };
    let reference = read_json(&folder.join("wh_10000.json"));
    let block = block("wh_10000.parquet", reference["sha256"]["parquet"].as_str().unwrap(), true, 3155);
    let (eft, histogram) = (
        eft(&block),
        json!({
            "database": "db", "underflow": "error", "overflow": "error", "truncation": "none", "mc_stat": "w2",
            "axes": [{"observable": "pTW", "edges": [0, 75, 150, 250, 400, 600, "inf"]},
                     {"observable": "Qcosd", "edges": [-1.0, -0.6, -0.2, 0.2, 0.6, 1.0]}],
        }),
    );
    let data = data(&histogram);
    let usage = Use { data: &data, channel: "SR", sample: "WH", pointer: "/use" };
    let binned = Databases::new(&eft, &folder).with_events(&usage).unwrap();
    let events = binned.events.as_ref().unwrap();
    let weight = |e: usize, c: [f64; 2]| -> f64 {
        events.columns.iter().zip([1.0, c[0], c[1], c[0] * c[0], c[0] * c[1], c[1] * c[1]]).map(|(a, p)| a[e] * p).sum()
    };
    let (near, far) = ([0.0, 0.0], [1.9, -1.9]);
    for c in [near, far] {
        let sizes = effective_events(&binned, &c).unwrap();
        for (size, bin) in sizes.iter().zip(events.start.windows(2)) {
            let w: Vec<f64> = (bin[0]..bin[1]).map(|e| weight(e, c)).collect();
            let want = w.iter().sum::<f64>().powi(2) / w.iter().map(|w| w * w).sum::<f64>();
            assert!((size - want).abs() < 1e-9 * want && *size <= w.len() as f64 + 1e-9, "{size} and {want}");
        }
    }
    assert!(effective_events(&binned, &near).unwrap().iter().any(|n| *n > FEW_EVENTS));
    let tails = ratio_tails(events, &far, &near).unwrap();
    let mut ratios: Vec<f64> = (0..3155).map(|e| weight(e, far) / weight(e, near)).collect();
    ratios.sort_by(f64::total_cmp);
    assert_eq!((tails.median, tails.percentile_99, tails.largest), (ratios[1577], ratios[3123], ratios[3154]));
    assert_eq!((tails.unreachable, tails.negative), (0, 0));
    assert!(tails.share_of_largest > 0.01 && tails.share_of_largest < 1.0);
    // |M|² is nowhere negative, and no point of a grid goes below the least weight.
    let (least, event, at) = least_weight(events, &[[-2.0, 2.0], [-2.0, 2.0]]).unwrap();
    assert!(least > -1e-15 && (weight(event, [at[0], at[1]]) - least).abs() < 1e-15);
    let grid = (0..441).map(|i| [f64::from(i % 21) * 0.2 - 2.0, f64::from(i / 21) * 0.2 - 2.0]);
    let lowest = grid.flat_map(|c| (0..3155).map(move |e| (e, c))).map(|(e, c)| weight(e, c)).fold(f64::MAX, f64::min);
    assert!(least <= lowest);
    assert_eq!(uncovered(&binned, None), binned.n_events.iter().filter(|n| **n == 0).count() as f64 / 30.0);
}

/// Two halves of one sample agree with themselves and not with other coefficients.
#[test]
fn closure_of_two_halves() {
    let events = random_events(4000, 36);
    let half = |i: usize| -> Vec<[f64; 8]> { events.iter().skip(i).step_by(2).copied().collect() };
    let bin = |i: usize| {
        let written = write(&format!("half_{i}.parquet"), &columns_of(&half(i)));
        written.bin(&written.block(), &small_histogram())
    };
    let (a, b) = (bin(0), bin(1));
    let same = closure((&a, &[0.5, 0.5]), (&b, &[0.5, 0.5])).unwrap();
    assert_eq!((same.n_bins, same.pulls.len()), (6, 6));
    assert!(same.p_value > 0.001, "{same:?}");
    let (sums_a, squares_a) = on_the_fly(&half(0), [0.5, 0.5]);
    let (sums_b, squares_b) = on_the_fly(&half(1), [0.5, 0.5]);
    for i in 0..6 {
        let want = (sums_a[i] - sums_b[i]) / (squares_a[i] + squares_b[i]).sqrt();
        assert!((same.pulls[i] - want).abs() < 1e-9 * want.abs().max(1.0));
    }
    let other = closure((&a, &[0.5, 0.5]), (&b, &[-1.0, 0.5])).unwrap();
    assert!(other.p_value < 1e-6, "{other:?}");
}

/// A k-factor of 1.5 on the sample is a signal strength of 1.5, from the database and from its polynomial.
#[test]
fn a_new_k_factor_is_a_new_strength() {
    let columns = columns_of(&random_events(1000, 37));
    let (folder, document) = workspace("rescale", &columns, &small_histogram(), Written::block);
    let (events, binned) = with_yields(&folder, document);
    for path in [events, binned] {
        let scaled = folder.join("scaled.json").to_str().unwrap().to_owned();
        run(&["eft", "rescale", &path, "--sample", "WH", "--factor", "1.5", "--output-file", &scaled]);
        for c in POINTS {
            let point = [("cHW", c[0]), ("cHWtil", c[1])];
            let want = twice_nll(&path, &[point[0], point[1], ("mu", 1.5)]);
            let got = twice_nll(&scaled, &point);
            assert!((got - want).abs() < 1e-12 * want.abs(), "{got} and {want}");
        }
    }
}

/// The copy gives the same likelihood to the last bit, and is named by the hash of its source.
#[test]
fn an_arrow_copy_is_the_same_database() {
    let columns = columns_of(&random_events(1000, 38));
    let (folder, document) = workspace("cache", &columns, &small_histogram(), Written::block);
    let (events, _) = with_yields(&folder, document.clone());
    let copied = folder.join("copied.json").to_str().unwrap().to_owned();
    run(&["eft", "cache", &events, "--output-file", &copied]);
    let database = read_json(Path::new(&copied))["eft"]["event_databases"][0].clone();
    let source = document["eft"]["event_databases"][0]["sha256"].as_str().unwrap();
    assert_eq!(database["uri"], format!("{source}.arrow"));
    assert_eq!(database["media_type"], "application/vnd.apache.arrow.file");
    for c in POINTS {
        let point = [("cHW", c[0]), ("cHWtil", c[1])];
        assert_eq!(twice_nll(&events, &point).to_bits(), twice_nll(&copied, &point).to_bits());
    }
}

/// The background gets the shape of its events' response; where coefficients vanish nothing has changed.
#[test]
fn a_promoted_background_keeps_its_likelihood() {
    let events = random_events(1000, 39);
    let (folder, document) = workspace("promote", &columns_of(&events), &small_histogram(), Written::block);
    let (_, old) = with_yields(&folder, document.clone());
    let mut histogram = with(&small_histogram(), "/mc_stat", json!("none"));
    histogram["k_factor"] = json!(7.0);
    let promotion = json!({"database": document["eft"]["event_databases"][0], "histogram": histogram});
    let promotion = write_json(&folder.join("promotion.json"), &promotion);
    let new = folder.join("promoted.json").to_str().unwrap().to_owned();
    run(&["eft", "promote", &old, &promotion, "--channel", "SR", "--sample", "background", "--output-file", &new]);
    assert_eq!(twice_nll(&old, &[]).to_bits(), twice_nll(&new, &[]).to_bits());
    // The same likelihood with the background multiplied by the ratio of its events.
    let c = [0.6, -0.3];
    let ((at, _), (zero, _)) = (on_the_fly(&events, c), on_the_fly(&events, [0.0; 2]));
    let mut by_hand = read_json(Path::new(&old));
    for (b, yields) in by_hand["channels"][0]["samples"][1]["data"].as_array_mut().unwrap().iter_mut().enumerate() {
        *yields = json!(yields.as_f64().unwrap() * at[b] / zero[b]);
    }
    let by_hand = write_json(&folder.join("by_hand.json"), &by_hand);
    let point = [("cHW", c[0]), ("cHWtil", c[1])];
    let (got, want) = (twice_nll(&new, &point), twice_nll(&by_hand, &point));
    assert!((got - want).abs() < 1e-12 * want.abs(), "{got} and {want}");
    assert!((got - twice_nll(&old, &point)).abs() > 1e-3);
}
