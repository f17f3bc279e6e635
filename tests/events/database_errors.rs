//! What is wrong with an event database is told by rule, place, row and column, and nothing of it is used.

use crate::common;

use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray};
use common::event_files::*;
use morphist::document::eft::Overlap;
use morphist::event_database::{Databases, Use};
use serde_json::{Value, json};
use std::sync::Arc;

fn simple(name: &str) -> (Written, Value, Value) {
    let columns: Columns = vec![("x", f64s(&[0.5, 1.5, 1.5])), ("w", f64s(&[1.0, 2.0, 4.0]))];
    let written = write(name, &columns);
    let (block, histogram) = line(&written, json!([0.0, 1.0, 2.0]), "error", "error");
    (written, block, histogram)
}

/// Findings of one rule whose text has all the words.
fn refuses(message: &str, rule: &str, words: &[&str]) {
    assert!(message.contains(rule), "{rule}: {message}");
    for word in words {
        assert!(message.contains(word), "{word}: {message}");
    }
}

#[test]
fn paths_lead_nowhere_else() {
    let (written, block, histogram) = simple("paths.parquet");
    for uri in [
        "",
        "/etc/hostname",
        "../paths.parquet",
        "a/../paths.parquet",
        "./paths.parquet",
        "a//b.parquet",
        "file:///paths.parquet",
        "https://example.org/paths.parquet",
        "C:paths.parquet",
        "a\\b.parquet",
        "a\u{0}b.parquet",
    ] {
        let message = written.refusal(&in_database(&block, "uri", json!(uri)), &histogram);
        refuses(&message, "W260", &["/eft/event_databases/0"]);
    }
    let missing = written.refusal(&in_database(&block, "uri", json!("no/such.parquet")), &histogram);
    refuses(&missing, "W261", &["such.parquet", "/eft/event_databases/0"]);
    std::fs::create_dir_all(written.folder.join("a_folder.parquet")).unwrap();
    let folder = written.refusal(&in_database(&block, "uri", json!("a_folder.parquet")), &histogram);
    refuses(&folder, "W261", &["no regular file"]);
}

#[test]
fn another_file_is_refused_before_it_is_read() {
    let (written, block, histogram) = simple("hash.parquet");
    let wrong = in_database(&block, "sha256", json!("0".repeat(64)));
    refuses(&written.refusal(&wrong, &histogram), "W262", &[&written.hash, "/eft/event_databases/0"]);
    let upper = in_database(&block, "sha256", json!(written.hash.to_uppercase()));
    written.bin(&upper, &histogram);
    // Even if it is no Parquet file at all, the hash speaks first.
    let other = write_bytes("hash_of_text.parquet", b"not what it was", 3);
    let stale = in_database(&in_database(&block, "uri", json!(other.uri)), "sha256", json!(written.hash));
    refuses(&other.refusal(&stale, &histogram), "W262", &[]);
}

#[test]
fn a_file_of_another_format_or_size() {
    let (written, block, histogram) = simple("format.parquet");
    for (i, bytes) in [&b""[..], b"PAR1", b"PAR1PAR1", b"ARROW1", b"{\"a\": 1}", &[0; 4096]].into_iter().enumerate() {
        let other = write_bytes(&format!("format_{i}.bin"), bytes, 3);
        let own = in_database(&in_database(&block, "uri", json!(other.uri)), "sha256", json!(other.hash));
        for media in ["application/vnd.apache.parquet", "application/vnd.apache.arrow.file"] {
            refuses(&other.refusal(&in_database(&own, "media_type", json!(media)), &histogram), "W263", &[]);
        }
    }
    let as_arrow = in_database(&block, "media_type", json!("application/vnd.apache.arrow.file"));
    refuses(&written.refusal(&as_arrow, &histogram), "W263", &[]);
    for n in [0u64, 2, 4, u64::MAX] {
        refuses(&written.refusal(&in_database(&block, "n_rows", json!(n)), &histogram), "W264", &["3 rows"]);
    }
    let none = write("no_rows.parquet", &vec![("x", f64s(&[])), ("w", f64s(&[]))]);
    let (block, histogram) = line(&none, json!([0.0, 1.0]), "error", "error");
    refuses(&none.refusal(&block, &histogram), "W264", &["0 rows"]);
}

#[test]
fn columns_are_there_and_of_their_type() {
    let text: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
    let columns: Columns = vec![("x", f64s(&[0.5, 0.5])), ("w", f64s(&[1.0, 2.0])), ("name", text)];
    let written = write("columns.parquet", &columns);
    let (block, histogram) = line(&written, json!([0.0, 1.0]), "error", "error");
    let observable = |column: &str| in_database(&block, "observables", json!({"x": {"column": column, "unit": "1"}}));
    refuses(&written.refusal(&observable("y"), &histogram), "W265", &["no column \"y\"", "\"w\""]);
    refuses(&written.refusal(&observable("name"), &histogram), "W266", &["\"name\"", "Utf8"]);
    let id = in_database(&block, "event_id", json!("x"));
    refuses(&written.refusal(&id, &histogram), "W266", &["Float64", "integers"]);
}

#[test]
fn missing_and_infinite_values_are_named_by_row_and_column() {
    let plain = [0.5, 1.5, 1.5];
    for (i, bad) in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY].into_iter().enumerate() {
        for (column, x, w) in [("x", [0.5, bad, 1.5], plain), ("w", plain, [0.5, bad, 1.5])] {
            let columns: Columns = vec![("x", f64s(&x)), ("w", f64s(&w))];
            for (parquet, media) in
                [(true, "application/vnd.apache.parquet"), (false, "application/vnd.apache.arrow.file")]
            {
                let written = write_bytes(&format!("bad_{i}_{column}_{parquet}"), &bytes_of(&columns, parquet), 3);
                let (block, histogram) = line(&written, json!(["-inf", 1.0, "inf"]), "error", "error");
                let block = in_database(&block, "media_type", json!(media));
                let place = format!("column \"{column}\", row 1");
                for rows in [1, 2, 100] {
                    let message = bin_with(&block, &histogram, &written.folder, Some(rows)).unwrap_err();
                    refuses(&message, "W267", &[&place]);
                }
            }
        }
    }
    let holes: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), Some(2.0), None]));
    let written = write("hole.parquet", &vec![("x", f64s(&plain)), ("w", holes)]);
    let (block, histogram) = line(&written, json!([0.0, 1.0, 2.0]), "error", "error");
    refuses(&written.refusal(&block, &histogram), "W267", &["a missing value", "column \"w\", row 2"]);
    let large: ArrayRef = Arc::new(Int64Array::from(vec![1, 1 << 53, (1 << 53) + 1]));
    let written = write("large.parquet", &vec![("x", f64s(&plain)), ("w", large)]);
    refuses(&written.refusal(&written_line(&written), &histogram), "W267", &["2^53", "row 2"]);
}

fn written_line(written: &Written) -> Value {
    line(written, json!([0.0, 1.0, 2.0]), "error", "error").0
}

#[test]
fn declarations_that_contradict_themselves() {
    let (written, block, histogram) = simple("declarations.parquet");
    let weights = |value: Value| in_database(&block, "weights", value);
    for (block, words) in [
        (weights(json!({"kind": "coefficients", "monomials": [[], ["cHW"]], "columns": ["w"]})), "2 monomials"),
        (weights(json!({"kind": "coefficients", "monomials": [["nothing"]], "columns": ["w"]})), "\"nothing\""),
        (
            weights(json!({"kind": "coefficients", "monomials": [["cHW", "cHWtil"], ["cHWtil", "cHW"]],
                "columns": ["w", "w"]})),
            "twice",
        ),
    ] {
        refuses(&written.refusal(&block, &histogram), "W268", &[words, "/use"]);
    }
    for (pointer, value, rule) in [
        ("/database", json!("other"), "W268"),
        ("/axes/0/observable", json!("y"), "W268"),
        ("/selection", json!([{"observable": "x", "min": 2.0, "max": 1.0}]), "W268"),
        ("/mc_stat", json!({"fixed_at": {"nothing": 1.0}}), "W268"),
        ("/systematics", json!(["nothing"]), "W268"),
        ("/k_factor", json!(0.0), "W271"),
        ("/k_factor", json!(-1.0), "W271"),
    ] {
        refuses(&written.refusal(&block, &with(&histogram, pointer, value)), rule, &["/use"]);
    }
    let axis = histogram["axes"][0].clone();
    for axes in [json!([]), json!([axis, axis, axis])] {
        refuses(&written.refusal(&block, &with(&histogram, "/axes", axes)), "W268", &["axes"]);
    }
    // A histogram that would need too much memory is refused, not begun.
    let edges: Vec<f64> = (0..200_000).map(f64::from).collect();
    let wide = with(&histogram, "/axes/0/edges", json!(edges));
    let axis = wide["axes"][0].clone();
    refuses(&written.refusal(&block, &with(&wide, "/axes", json!([axis, axis]))), "W276", &[]);
}

/// A row may be in one sample of the likelihood, unless both allow it and one at most has a statistical uncertainty.
#[test]
fn a_row_is_in_one_sample() {
    let (written, block, histogram) = simple("overlap.parquet");
    let eft = eft(&block);
    let select = |min: f64, max: f64| {
        let axes = json!([{"observable": "x", "edges": [min, max]}]);
        with(&with(&with(&histogram, "/axes", axes), "/underflow", json!("drop")), "/overflow", json!("drop"))
    };
    let both = |first: &Value, second: &Value| {
        let (first, second) = (data(first), data(second));
        let mut databases = Databases::new(&eft, &written.folder);
        databases.bin(&Use { data: &first, channel: "A", sample: "WH", pointer: "/first" }).unwrap();
        databases.bin(&Use { data: &second, channel: "B", sample: "WH", pointer: "/second" }).map_err(|f| f.to_string())
    };
    let (low, high, all) = (select(0.0, 1.0), select(1.0, 2.0), select(0.0, 2.0));
    both(&low, &high).unwrap();
    let message = both(&high, &all).unwrap_err();
    refuses(&message, "W273", &["row 1", "channel \"A\"", "channel \"B\"", "/second"]);
    let allowed = |value: &Value| with(value, "/overlap", json!("allowed"));
    assert_eq!(data(&allowed(&all)).overlap, Overlap::Allowed);
    refuses(&both(&allowed(&high), &allowed(&all)).unwrap_err(), "W273", &[]);
    let quiet = with(&allowed(&all), "/mc_stat", json!("none"));
    both(&allowed(&high), &quiet).unwrap();
    refuses(&both(&high, &quiet).unwrap_err(), "W273", &[]);
    // A sample that is refused has its rows all the same: each pair with a row in common is told.
    let samples = [&low, &high, &all, &high].map(data);
    let mut databases = Databases::new(&eft, &written.folder);
    let mut refused = Vec::new();
    for (data, channel) in samples.iter().zip(["A", "B", "C", "D"]) {
        let binned = databases.bin(&Use { data, channel, sample: "WH", pointer: "/use" });
        refused.extend(binned.err().unwrap_or_default().0.into_iter().map(|finding| finding.found));
    }
    let pairs = [["A", "C"], ["B", "C"], ["B", "D"], ["C", "D"]];
    assert_eq!(refused.len(), pairs.len(), "{refused:?}");
    for (found, pair) in refused.iter().zip(pairs) {
        assert!(pair.iter().all(|channel| found.contains(&format!("channel \"{channel}\""))), "{found}");
    }
}

/// What is wrong with a file is the same for every sample that uses it, and a broken promise hides nothing else.
#[test]
fn a_database_is_wrong_for_every_use() {
    let (written, block, histogram) = simple("every_use.parquet");
    let negative = write("every_use_negative.parquet", &vec![("x", f64s(&[0.5, 1.5])), ("w", f64s(&[1.0, -1.0]))]);
    let declaration = |written: &Written, key: &str, new: Value| {
        let (block, _) = line(written, json!([0.0]), "error", "error");
        eft(&in_database(&block, key, new))
    };
    let away = declaration(&written, "uri", json!("no_such.parquet"));
    let promise = declaration(&negative, "positivity", json!("require"));
    let narrow = with(&histogram, "/axes/0/edges", json!([0.0, 1.0]));
    for (eft, histogram, rules) in [
        (&away, &histogram, &["W261"][..]),
        (&promise, &histogram, &["W272"]),
        (&promise, &narrow, &["W272", "W270"]),
        (&eft(&block), &histogram, &[]),
    ] {
        let mut databases = Databases::new(eft, &written.folder);
        let own = with(histogram, "/overlap", json!("allowed"));
        let own = data(&with(&own, "/mc_stat", json!("none")));
        for pointer in ["/first", "/second"] {
            let binned = databases.bin(&Use { data: &own, channel: "A", sample: "WH", pointer });
            let found: Vec<&str> = binned.err().unwrap_or_default().0.iter().map(|finding| finding.rule).collect();
            assert_eq!(found, rules);
        }
    }
}

/// Squares are never negative; −c + c² is, between 0 and 1; whether the box has that region decides.
#[test]
fn a_promise_of_positive_weights_is_checked() {
    let events = random_events(300, 8);
    let written = write("squares.parquet", &columns_of(&events));
    let required = in_database(&written.block(), "positivity", json!("require"));
    written.bin(&required, &small_histogram());
    let mut broken = events.clone();
    // 1 − 2 cHW + 0.9 cHW²: −1/9 at cHW = 10/9.
    broken[41][2..].copy_from_slice(&[1.0, -2.0, 0.0, 0.9, 0.0, 0.0]);
    let broken = write("negative.parquet", &columns_of(&broken));
    let required = in_database(&broken.block(), "positivity", json!("require"));
    let message = broken.refusal(&required, &small_histogram());
    refuses(&message, "W272", &["row 41", "-0.111111", "cHW = 1.11111"]);
    let narrow = with(&required, "/wilson_coefficients/0/bounds", json!([-2.0, 0.5]));
    broken.bin(&narrow, &small_histogram());
    broken.bin(&broken.block(), &small_histogram());
}

/// Files cut short or with changed bytes, their hash corrected: a finding or a result, never a panic.
#[test]
fn damaged_files_are_findings() {
    let events = random_events(300, 9);
    let mut refused = 0;
    for parquet in [true, false] {
        let bytes = bytes_of(&columns_of(&events), parquet);
        let media = if parquet { "application/vnd.apache.parquet" } else { "application/vnd.apache.arrow.file" };
        let mut damaged: Vec<Vec<u8>> = (0..bytes.len()).step_by(37).map(|n| bytes[..n].to_vec()).collect();
        // Bytes of head and foot, which say how the rest is read, and some of the rest.
        let foot = bytes.len().saturating_sub(3000);
        for i in (0..64).chain((64..foot).step_by(97)).chain((foot..bytes.len()).step_by(2)) {
            let mut copy = bytes.clone();
            copy[i] ^= [0xff, 0x01, 0x80, 0x7f, 0x10][i % 5];
            damaged.push(copy);
        }
        for copy in damaged {
            let written = write_bytes(&format!("damaged_{parquet}.bin"), &copy, 300);
            let block = in_database(&written.block(), "media_type", json!(media));
            refused += usize::from(bin_with(&block, &small_histogram(), &written.folder, None).is_err());
        }
    }
    assert!(refused > 1000, "{refused}");
}
