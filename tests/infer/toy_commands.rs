//! `toys` and `hypotest --calctype toybased`: files of toys, shards, merging, resuming, exit codes. Numbers of the
//! counting experiment are Poisson sums.

use crate::common;

use common::program::{json_of, morphist, scratch, stderr, stdout};
use serde_json::Value;
use std::path::{Path, PathBuf};

const COUNTING: &str = "fixtures/counting/workspace.json";

fn path(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&path);
    path
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn run(arguments: &[&str]) -> String {
    let output = morphist(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
    stdout(&output)
}

/// The sentence of a run that fails with `code`.
fn complaint(arguments: &[&str], code: i32) -> String {
    let output = morphist(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
    stderr(&output)
}

fn lines(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const TOYS: [&str; 8] = ["toys", COUNTING, "--test-poi", "2", "--ntoys", "500", "--seed", "4"];

/// User needs, row 7: seed, shards on several machines, one result.
#[test]
fn shards_merge_to_the_whole_run() {
    let whole = path("toys_whole.jsonl");
    run(&[&TOYS[..], &["--output-file", text(&whole)]].concat());
    let mut shards = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let file = path(&format!("toys_{}.jsonl", shard.replace('/', "_of_")));
        run(&[&TOYS[..], &["--shard", shard, "--output-file", text(&file)]].concat());
        shards.push(file);
    }
    assert_eq!(lines(&whole).len(), 1001);
    let toys = |files: &[&Path]| {
        let mut all: Vec<String> =
            files.iter().flat_map(|file| lines(file)[1..].to_vec()).map(|toy| toy.to_string()).collect();
        all.sort();
        all
    };
    let shards: Vec<&Path> = shards.iter().map(PathBuf::as_path).collect();
    assert_eq!(toys(&[&whole]), toys(&shards));
    let merged = json_of(&["toys", "--merge", text(shards[0]), text(shards[1]), text(shards[2])], 0);
    assert_eq!(merged, json_of(&["toys", "--merge", text(&whole)], 0));
    let at_once = json_of(
        &["hypotest", COUNTING, "--calctype", "toybased", "--test-poi", "2", "--ntoys", "500", "--seed", "4"],
        0,
    );
    assert_eq!(merged, at_once);
    // b = 40, s = 8, n = 53: CLs+b is the probability of at most 53 counts at 56, CLb at 40.
    for (key, mean) in [("CLsb", 56.0_f64), ("CLb", 40.0)] {
        let p: f64 = (0..=53_u32)
            .map(|k| (f64::from(k) * mean.ln() - mean - (1..=k).map(|i| f64::from(i).ln()).sum::<f64>()).exp())
            .sum();
        let got = merged[key]["value"].as_f64().unwrap();
        assert!((got - p).abs() < 4.0 * (p * (1.0 - p) / 500.0).sqrt(), "{key}: {got} but {p}");
        assert_eq!(merged[key]["toys"], 500);
    }
}

#[test]
fn files_that_do_not_belong_together_are_not_merged() {
    let (one, other, twice) = (path("toys_a.jsonl"), path("toys_b.jsonl"), path("toys_c.jsonl"));
    let small = ["toys", COUNTING, "--ntoys", "20"];
    run(&[&small[..], &["--seed", "1", "--output-file", text(&one)]].concat());
    run(&[&small[..], &["--seed", "2", "--output-file", text(&other)]].concat());
    run(&[&small[..], &["--seed", "1", "--shard", "2/2", "--output-file", text(&twice)]].concat());
    let differ = complaint(&["toys", "--merge", text(&one), text(&other)], 1);
    assert!(differ.contains("differ from those of the first file in seed"), "{differ}");
    let again = complaint(&["toys", "--merge", text(&one), text(&twice)], 1);
    assert!(again.contains("toy 10 of the tested value is there twice"), "{again}");
    let empty = scratch("toys_empty.jsonl", "");
    assert!(complaint(&["toys", "--merge", text(&empty)], 1).contains("it has no header"));
    let bad = scratch("toys_bad.jsonl", "{\"schema\": 3}\n");
    assert!(complaint(&["toys", "--merge", text(&bad)], 1).contains("line 1: no header of toys"));
    let content = std::fs::read_to_string(&one).unwrap().replace("\"index\":3", "\"index\":300");
    let outside = scratch("toys_outside.jsonl", &content);
    assert!(complaint(&["toys", "--merge", text(&outside)], 1).contains("toy 300 of 20 toys"));
    assert!(complaint(&["toys", "--merge", "no_such_file.jsonl"], 1).contains("cannot read"));
}

/// User needs, row 8: what an interrupted run has written is kept, the rest follows, and the file is that of one run.
#[test]
fn an_interrupted_run_resumes() {
    let (whole, part) = (path("toys_once.jsonl"), path("toys_cut.jsonl"));
    run(&[&TOYS[..], &["--output-file", text(&whole)]].concat());
    let content = std::fs::read_to_string(&whole).unwrap();
    // Ends within a line.
    std::fs::write(&part, &content[..content.len() / 3 + 5]).unwrap();
    let output = morphist(&[&TOYS[..], &["--resume", "--output-file", text(&part)]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("toys are there already"), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(&part).unwrap(), content);
    let other = complaint(
        &[
            "toys",
            COUNTING,
            "--test-poi",
            "3",
            "--ntoys",
            "500",
            "--seed",
            "4",
            "--resume",
            "--output-file",
            text(&part),
        ],
        1,
    );
    assert!(other.contains("differ from those asked for in tested value"), "{other}");
    assert_eq!(std::fs::read_to_string(&part).unwrap(), content, "the file is left as it was");
}

#[test]
fn discovery_by_toys() {
    let report = json_of(&["hypotest", COUNTING, "--calctype", "toybased", "--test-stat", "q0", "--ntoys", "3000"], 0);
    // At least 53 counts at 40.
    let p: f64 = 1.0
        - (0..=52_u32)
            .map(|k| (f64::from(k) * 40_f64.ln() - 40.0 - (1..=k).map(|i| f64::from(i).ln()).sum::<f64>()).exp())
            .sum::<f64>();
    let got = report["p_value"]["value"].as_f64().unwrap();
    assert!((got - p).abs() < 4.0 * (p * (1.0 - p) / 3000.0).sqrt(), "{got} but {p}");
    assert_eq!(report["CLs_obs"], Value::Null);
    assert_eq!(report["poi_test"], 0.0);
}

#[test]
fn intervals_by_toys() {
    let report = json_of(
        &["toys", COUNTING, "--feldman-cousins", "--scan", "0,6,13", "--ntoys", "500", "--confidence-level", "0.68"],
        0,
    );
    let interval = &report["intervals"][0];
    // Large counts: 13/8 ± √53/8 within a tenth and the error told.
    for (end, exact) in [("low", (13.0 - 53_f64.sqrt()) / 8.0), ("high", (13.0 + 53_f64.sqrt()) / 8.0)] {
        let (value, error) = (interval[end]["value"].as_f64().unwrap(), interval[end]["uncertainty"].as_f64().unwrap());
        assert!((value - exact).abs() < 0.1 + 4.0 * error, "{end}: {value} ± {error} but {exact}");
    }
    assert!(report["points"].as_array().unwrap().len() > 13);
    assert!(!complaint(&["toys", COUNTING, "--feldman-cousins"], 2).is_empty());
}

#[test]
fn a_table_and_wrong_arguments() {
    let table = run(&["toys", COUNTING, "--ntoys", "50", "--format", "table"]);
    for word in ["CLs", "CLs+b", "CLb", "toys", "failed", "seed"] {
        assert!(table.contains(word), "{word}: {table}");
    }
    for arguments in [
        &["toys", COUNTING, "--shard", "0/3"][..],
        &["toys", COUNTING, "--shard", "4/3"],
        &["toys", COUNTING, "--ntoys", "0"],
        &["toys", COUNTING, "--resume"],
        &["toys", COUNTING, "--test-poi", "nan"],
        &["toys", COUNTING, "--test-poi", "1e9"],
        &["toys", COUNTING, "--toy-kind", "other"],
    ] {
        complaint(arguments, 2);
    }
}
