//! What `eft append` and `eft promote` refuse: before anything is written, with what was found, what was expected and
//! how to mend it.

use crate::common;

use arrow_array::{ArrayRef, Int64Array, StringArray};
use common::event_files::*;
use common::program::{json_of, morphist, stderr};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// At cHW = ±1 the least weights are 0.5, 1.5, 3 and 7.
const W: [f64; 4] = [1.0, 2.0, 4.0, 8.0];
const W1: [f64; 4] = [0.5, -0.5, 1.0, 1.0];

fn ids(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

/// A folder of its own with a database that promises positive weights, and a sound document.
struct Own {
    written: Written,
}

impl Own {
    fn new(name: &str) -> Own {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("append").join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let columns: Columns =
            vec![("x", f64s(&[0.5, 1.5, 1.5, 0.5])), ("w", f64s(&W)), ("w1", f64s(&W1)), ("id", ids(&[7, 5, 3, 1]))];
        let bytes = bytes_of(&columns, true);
        std::fs::write(folder.join("events.parquet"), &bytes).unwrap();
        let own = Own { written: Written { folder, uri: "events.parquet".into(), hash: sha256(&bytes), n_rows: 4 } };
        own.save("document.json", &own.document());
        own
    }

    fn database(&self) -> Value {
        let block = in_database(
            &self.written.block(),
            "weights",
            json!({"kind": "coefficients", "monomials": [[], ["cHW"]], "columns": ["w", "w1"]}),
        );
        let block = in_database(&block, "observables", json!({"x": {"column": "x", "unit": "1"}}));
        in_database(&block, "positivity", json!("require"))
    }

    fn document(&self) -> Value {
        let modifier = json!({"name": "events", "type": "eft_events", "data": {
            "database": "db", "axes": [{"observable": "x", "edges": [0.0, 1.0, 2.0]}],
            "underflow": "error", "overflow": "error", "truncation": "none", "mc_stat": "w2",
        }});
        let normsys = json!({"name": "norm", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}});
        json!({
            "channels": [{"name": "SR", "samples": [
                {"name": "WH", "data": [9.0, 6.0], "modifiers": [modifier]},
                {"name": "background", "data": [5.0, 5.0], "modifiers": [normsys]},
            ]}],
            "observations": [{"name": "SR", "data": [14.0, 11.0]}],
            "measurements": [{"name": "meas", "config": {"poi": "cHW", "parameters": []}}],
            "version": "1.0.0",
            "eft": with(&self.database(), "/wilson_coefficients", json!([{"name": "cHW", "bounds": [-1.0, 1.0]}])),
        })
    }

    fn path(&self, name: &str) -> String {
        self.written.folder.join(name).to_str().unwrap().to_owned()
    }

    fn save(&self, name: &str, value: &Value) {
        std::fs::write(self.path(name), value.to_string()).unwrap();
    }

    fn columns(&self, name: &str, columns: &Columns) {
        std::fs::write(self.path(name), bytes_of(columns, name.ends_with(".parquet"))).unwrap();
    }

    /// `eft append` of new columns with these further arguments: exit code and what it says.
    fn append(&self, columns: &str, more: &[&str]) -> (i32, String) {
        let (document, columns) = (self.path("document.json"), self.path(columns));
        let (database, output) = (self.path("new.parquet"), self.path("new.json"));
        let own = ["eft", "append", &document, &columns, "--output-database", &database, "--output-file", &output];
        let ended = morphist(&[&own[..], more].concat());
        (ended.status.code().unwrap(), stderr(&ended))
    }

    /// Refused with these words, and nothing is written.
    fn refuses(&self, columns: &str, more: &[&str], words: &[&str]) {
        let (code, said) = self.append(columns, more);
        assert_eq!(code, 1, "{more:?}: {said}");
        for word in words {
            assert!(said.contains(word), "{word}: {said}");
        }
        assert!(said.contains("hint"), "{said}");
        let names: Vec<String> = std::fs::read_dir(&self.written.folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("new"))
            .collect();
        assert_eq!(names, Vec::<String>::new(), "{said}");
    }
}

/// w − |w1| − b |w_b| at the corner of the box is below zero in row 2 for b = 1 and not for b = 0.9: the same files and
/// the same document, another box.
#[test]
fn new_columns_keep_the_promise_of_positive_weights() {
    let own = Own::new("promise");
    own.columns("rows.parquet", &vec![("w_b", f64s(&[0.4, 1.4, 3.2, 6.9]))]);
    // The same by number, in another order; row 2 of the database has number 3.
    own.columns("keyed.arrow", &vec![("w_b", f64s(&[3.2, 0.4, 6.9, 1.4])), ("id", ids(&[3, 7, 1, 5]))]);
    let term = ["--term", "cHB=w_b", "--coefficient"];
    let words = ["W272", "row 2", "-0.2", "cHW = -1, cHB = -1", "\"positivity\": \"allow\"", DB];
    own.refuses("rows.parquet", &[&term[..], &["cHB:-1:1"]].concat(), &words);
    own.refuses("keyed.arrow", &[&term[..], &["cHB:-1:1", "--key", "id"]].concat(), &words);
    // What is there already stays when a later file is refused.
    let (code, said) = own.append("rows.parquet", &[&term[..], &["cHB:-0.9:0.9"]].concat());
    assert_eq!(code, 0, "{said}");
    assert_eq!(json_of(&["validate", &own.path("new.json"), "--format", "json"], 0)["findings"], json!([]));
    let before = std::fs::read(own.path("new.parquet")).unwrap();
    let (code, _) = own.append("rows.parquet", &[&term[..], &["cHB:-1:1"]].concat());
    assert_eq!((code, std::fs::read(own.path("new.parquet")).unwrap() == before), (1, true));
    assert!(!Path::new(&own.path("new.partial")).exists());
    // Where nothing is promised, nothing is refused.
    let mut value = own.document();
    value["eft"]["event_databases"][0]["positivity"] = json!("allow");
    own.save("document.json", &value);
    assert_eq!(own.append("rows.parquet", &[&term[..], &["cHB:-1:1"]].concat()).0, 0);
}

const DB: &str = "/eft/event_databases/0";

#[test]
fn a_promise_that_cannot_be_checked_is_refused() {
    let own = Own::new("degree");
    own.columns("rows.parquet", &vec![("w_b", f64s(&[0.0; 4]))]);
    let more = ["--term", "cHW*cHW*cHB=w_b", "--coefficient", "cHB:-1:1"];
    own.refuses("rows.parquet", &more, &["W272", "degree above 2"]);
}

/// Each says what was found, what was expected and what to do.
#[test]
fn errors_of_append_say_how_to_mend_them() {
    let own = Own::new("hints");
    let zeros = f64s(&[0.0; 4]);
    let text: ArrayRef = Arc::new(StringArray::from(vec!["a"; 4]));
    own.columns("good.parquet", &vec![("w_b", zeros.clone()), ("w_c", zeros.clone())]);
    own.columns("short.parquet", &vec![("w_b", f64s(&[0.0; 3]))]);
    own.columns("long.parquet", &vec![("w_b", f64s(&[0.0; 5]))]);
    own.columns("taken.parquet", &vec![("w1", zeros.clone())]);
    own.columns("text.parquet", &vec![("w_b", text)]);
    own.columns("few.parquet", &vec![("w_b", f64s(&[0.0; 3])), ("id", ids(&[7, 3, 1]))]);
    own.columns("many.parquet", &vec![("w_b", f64s(&[0.0; 5])), ("id", ids(&[7, 5, 3, 1, 9]))]);
    own.columns("twice.parquet", &vec![("w_b", f64s(&[0.0; 4])), ("id", ids(&[7, 5, 3, 7]))]);
    std::fs::write(own.path("words.parquet"), "no columns").unwrap();
    let (term, new) = (["--term", "cHB=w_b"], ["--coefficient", "cHB:-1:1"]);
    let both = [&term[..], &new].concat();
    let key = |name| [&both[..], &["--key", name]].concat();
    for (columns, more, words) in [
        (
            "good.parquet",
            [&["--term", "cHB=w_x"], &new[..]].concat(),
            &["W265", "no column \"w_x\"", "\"w_b\", \"w_c\"", "--term"][..],
        ),
        ("good.parquet", term.to_vec(), &["W268", "\"cHB\"", "one of \"cHW\"", "--coefficient cHB:LOW:HIGH"]),
        (
            "good.parquet",
            [&["--term", "cXX=w_b"], &new[..]].concat(),
            &["W268", "\"cHB\" in no new monomial", "--term"],
        ),
        ("good.parquet", [&both[..], &["--coefficient", "cHD:-1:1"]].concat(), &["\"cHD\" in no new monomial"]),
        (
            "good.parquet",
            [&both[..], &["--coefficient", "cHW:-1:1"]].concat(),
            &["\"cHW\"", "has already", "leave this"],
        ),
        ("good.parquet", [&both[..], &new].concat(), &["\"cHB\" twice"]),
        (
            "good.parquet",
            vec!["--term", "cHW=w_b"],
            &["W268", "\"cHW\"", "column \"w1\" already", "leave this --term out"],
        ),
        ("good.parquet", [&both[..], &["--term", "cHB=w_c"]].concat(), &["W268", "\"cHB\"", "column \"w_b\" already"]),
        ("good.parquet", [&both[..], &["--term", "cHB*cHB=w_b"]].concat(), &["W265", "\"w_b\" for two monomials"]),
        ("short.parquet", both.clone(), &["W264", "short.parquet", "3 rows", "4, as database \"db\" has", "--key"]),
        ("long.parquet", both.clone(), &["W264", "long.parquet", "5 rows", "4, as database \"db\" has"]),
        (
            "taken.parquet",
            [&["--term", "cHB=w1"], &new[..]].concat(),
            &["W265", "\"w1\"", "\"db\" has already", "rename"],
        ),
        ("text.parquet", both.clone(), &["W266", "text.parquet", "Utf8", "float64"]),
        ("words.parquet", both.clone(), &["W263", "words.parquet", "a sound Parquet file", ".arrow"]),
        ("nothing.parquet", both.clone(), &["W261", "nothing.parquet", "the path of the file"]),
        ("good.parquet", key("id"), &["W265", "good.parquet", "no column \"id\"", "--key"]),
        ("few.parquet", key("x"), &["W265", "no column \"x\"", "\"id\""]),
        ("few.parquet", key("id"), &["W264", "no row 5", "each number of \"id\" once"]),
        ("many.parquet", key("id"), &["W264", "1 rows that database \"db\" lacks, such as 9"]),
        ("twice.parquet", key("id"), &["W264", "\"id\" = 7 in two rows"]),
        ("good.parquet", [&both[..], &["--database", "other"]].concat(), &["W268", "\"other\"", "\"db\""]),
        (
            "good.parquet",
            [&["--term", "norm=w_b"][..], &["--coefficient", "norm:-1:1"]].concat(),
            &["W203", "\"norm\""],
        ),
    ] {
        own.refuses(columns, &more, words);
    }
    // All of it was refused for what it says: this is not.
    assert_eq!(own.append("good.parquet", &both).0, 0);
}

/// Data are the yields at cHW = 0.5: a new square of it would change them. At zero it does not.
#[test]
fn new_monomials_are_zero_at_the_reference() {
    let own = Own::new("reference");
    own.columns("rows.parquet", &vec![("w_2", f64s(&[0.1; 4]))]);
    let square = ["--term", "cHW*cHW=w_2"];
    let mut value = own.document();
    value["channels"][0]["samples"][0]["modifiers"][0]["data"]["reference"] = json!({"cHW": 0.5});
    value["channels"][0]["samples"][0]["data"] = json!([9.75, 6.25]);
    own.save("document.json", &value);
    assert_eq!(json_of(&["validate", &own.path("document.json"), "--format", "json"], 0)["findings"], json!([]));
    let place = "/channels/0/samples/0/modifiers/0/data/reference";
    own.refuses("rows.parquet", &square, &["W215", "\"cHW*cHW\"", place]);
    own.save("document.json", &own.document());
    assert_eq!(own.append("rows.parquet", &square).0, 0);
    assert_eq!(json_of(&["validate", &own.path("new.json"), "--format", "json"], 0)["findings"], json!([]));
}

/// The promise of a promotion's database is that of the box of the document; a bin without events is told.
#[test]
fn a_promotion_keeps_its_promise() {
    let own = Own::new("promote");
    let histogram = json!({
        "database": "db", "axes": [{"observable": "x", "edges": [0.0, 1.0, 2.0]}],
        "underflow": "error", "overflow": "error", "truncation": "none", "mc_stat": "none",
    });
    let promote = |low: f64, histogram: &Value| {
        let mut value = own.document();
        value["eft"]["wilson_coefficients"][0]["bounds"] = json!([low, 1.0]);
        value["eft"].as_object_mut().unwrap().remove("event_databases");
        value["channels"][0]["samples"][0]["modifiers"] = json!([]);
        own.save("document.json", &value);
        own.save("events.json", &json!({"database": own.database()["event_databases"][0], "histogram": histogram}));
        let (document, events, output) = (own.path("document.json"), own.path("events.json"), own.path("new.json"));
        let arguments = ["eft", "promote", &document, &events, "--channel", "SR", "--sample", "background"];
        let ended = morphist(&[&arguments[..], &["--output-file", &output]].concat());
        (ended.status.code(), stderr(&ended))
    };
    // 1 + 0.5 cHW in row 0.
    let (code, said) = promote(-2.5, &histogram);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("W272") && said.contains("row 0") && said.contains("-0.25"), "{said}");
    assert!(!Path::new(&own.path("new.json")).exists());
    let (code, said) = promote(-2.0, &histogram);
    assert_eq!((code, said.contains("W277")), (Some(0), false), "{said}");
    let empty = with(&histogram, "/axes/0/edges", json!([0.0, 2.0, 3.0]));
    let (code, said) = promote(-2.0, &empty);
    assert_eq!((code, said.matches("W277").count()), (Some(0), 1), "{said}");
}
