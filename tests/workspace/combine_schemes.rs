//! Correlation schemes, data that two documents have, and the sum rule of spec/combine.md, eq. 1.

use crate::common;

use common::combination::{additive, build, document, told, twin};
use morphist::infer::sum_rule::{self, Part, SumRule};
use morphist::workspace::combine::{Channels, Combined, Join, Options, combine};
use serde_json::{Value, json};

const OUTER: Join = Join::Outer(Channels::Whole);

/// A channel of three bins with a signal and a background; systematics by name.
fn workspace(channel: &str, counts: [f64; 3], systematics: &[&str]) -> Value {
    let modifiers = |size: f64| -> Vec<Value> {
        let normsys =
            |name: &&str| json!({"name": name, "type": "normsys", "data": {"lo": 1.0 - size, "hi": 1.0 + size}});
        systematics.iter().map(normsys).collect()
    };
    let mut signal = modifiers(0.05);
    signal.push(json!({"name": "mu", "type": "normfactor", "data": null}));
    json!({
        "channels": [{"name": channel, "samples": [
            {"name": "signal", "data": [2.0, 5.0, 3.0], "modifiers": signal},
            {"name": "background", "data": [50.0, 60.0, 40.0], "modifiers": modifiers(0.1)}
        ]}],
        "observations": [{"name": channel, "data": counts}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0"
    })
}

fn schemed(documents: &[Value], scheme: Value, prefix_channels: bool) -> Result<Combined, Vec<String>> {
    let names = ["a", "b", "c"];
    let documents: Vec<_> = names.iter().zip(documents).map(|(name, value)| document(name, value)).collect();
    let scheme = Some(document("scheme", &scheme));
    combine(&documents, &Options { join: OUTER, scheme, prefix_channels, ..Options::default() })
        .map_err(|all| told(&all))
}

fn pair() -> [Value; 2] {
    [
        workspace("sr", [53.0, 61.0, 45.0], &["JES", "lumi_sys"]),
        workspace("cr", [48.0, 70.0, 41.0], &["jes", "lumi_sys"]),
    ]
}

fn parameters(combined: &Combined) -> Vec<String> {
    let mut names = build(&combined.document).0.parameter_names();
    names.sort();
    names
}

fn rule(combined: &Combined, points: usize) -> Option<SumRule> {
    let whole = build(&combined.document);
    let models: Vec<_> = combined.parts.iter().map(build).collect();
    let counted: Vec<Vec<String>> = (0..models.len())
        .map(|d| combined.kept_once.iter().filter(|(own, _)| *own == d).map(|(_, name)| name.clone()).collect())
        .collect();
    let part = |((model, data), counted)| Part { model, data, counted };
    let parts: Vec<Part> =
        models.iter().map(|(model, data)| (model, data)).zip(&counted).map(|((m, d), c)| part(((m, d), c))).collect();
    sum_rule::check((&whole.0, &whole.1), &parts, points, 1)
}

/// One parameter of two names, two of one name, and all others as the scheme says.
#[test]
fn parameters_are_one_or_apart() {
    let same = json!({"version": "0.1.0", "parameters": [{"name": "JES", "same": {"a": "JES", "b": "jes"}}]});
    let combined = schemed(&pair(), same, false).unwrap();
    assert_eq!(parameters(&combined), ["JES", "lumi_sys", "mu"]);
    assert_eq!(combined.shared, ["JES", "lumi_sys", "mu"]);
    assert_eq!(additive("same", &combined.parts[0], &combined.parts[1], &combined, 5), 2);
    let apart = json!({"version": "0.1.0", "parameters": [{"apart": "lumi*"}]});
    let combined = schemed(&pair(), apart, false).unwrap();
    assert_eq!(parameters(&combined), ["JES", "a_lumi_sys", "b_lumi_sys", "jes", "mu"]);
    assert_eq!(additive("apart", &combined.parts[0], &combined.parts[1], &combined, 5), 0);
    let all = json!({"version": "0.1.0", "shared_names": "apart", "parameters": [{"name": "mu", "same": {"a": "mu", "b": "mu"}}]});
    let combined = schemed(&pair(), all, true).unwrap();
    assert_eq!(parameters(&combined), ["JES", "a_lumi_sys", "b_lumi_sys", "jes", "mu"]);
    let names: Vec<_> = combined.document["channels"].as_array().unwrap().iter().map(|c| c["name"].clone()).collect();
    assert_eq!(names, ["a_sr", "b_cr"]);
    assert_eq!(combined.document["measurements"][0]["config"]["poi"], "mu");
    let found = rule(&combined, 10).unwrap();
    assert!(found.largest < 1e-13 && found.points == 10 && found.shared_constraints == 0, "{found:?}");
}

/// A parameter of interest goes along, and so does what measurements say of a parameter.
#[test]
fn measurements_follow_the_names() {
    let [mut a, mut b] = pair();
    a["measurements"][0]["config"]["parameters"] = json!([{"name": "JES", "inits": [0.5]}]);
    b["measurements"][0]["config"]["poi"] = json!("mu");
    let scheme = json!({"version": "0.1.0", "parameters": [
        {"name": "strength", "same": {"a": "mu", "b": "mu"}}, {"name": "jet", "same": {"a": "JES"}}]});
    let combined = schemed(&[a, b], scheme, false).unwrap();
    let measurement = &combined.document["measurements"][0]["config"];
    assert_eq!(*measurement, json!({"poi": "strength", "parameters": [{"name": "jet", "inits": [0.5]}]}));
}

/// All mistakes of a scheme at once, each with its place.
#[test]
fn mistakes_are_told_at_once() {
    let scheme = json!({"version": "0.1.0", "shared_names": "error", "parameters": [
        {"name": "JES", "same": {"a": "JSE", "nobody": "jes"}},
        {"apart": "zzz*"},
        {"apart": "jes"},
        {"name": "x", "same": {"b": "jes"}},
    ]});
    let found = schemed(&pair(), scheme, false).unwrap_err();
    let starts = [
        "scheme W319 /shared_names 2 names of several workspaces without an entry: \"lumi_sys\", \"mu\"",
        "scheme W319 /parameters/0/same/a no parameter \"JSE\" in \"a\"",
        "scheme W319 /parameters/0/same/nobody the label \"nobody\"",
        "scheme W319 /parameters/1/apart no parameter \"zzz*\"",
        "scheme W319 /parameters/3/same/b the parameter \"jes\" of \"b\" again",
    ];
    for start in starts {
        assert!(found.iter().any(|f| f.starts_with(start)), "{start}: {found:?}");
    }
    assert_eq!(found.len(), starts.len(), "{found:?}");
    // Two constraints of one workspace do not become one, and nothing joins a name by accident.
    let twice = json!({"version": "0.1.0", "parameters": [
        {"name": "all", "same": {"a": "JES", "b": "jes"}}, {"name": "all", "same": {"a": "lumi_sys"}}]});
    let found = schemed(&pair(), twice, false).unwrap_err();
    assert!(found.iter().any(|f| f.starts_with("scheme W309 /parameters/1 one name, \"all\"")), "{found:?}");
    let taken = json!({"version": "0.1.0", "parameters": [{"name": "jes", "same": {"a": "JES"}}]});
    let found = schemed(&pair(), taken, false).unwrap_err();
    assert!(found[0].starts_with("scheme W319 /parameters/0 the name \"jes\" for \"JES\" of \"a\""), "{found:?}");
    let wrong = json!({"version": "0.2.0", "parameters": [{"same": 3}]});
    assert!(schemed(&pair(), wrong, false).unwrap_err().len() >= 2);
}

/// A channel that both have, data and all, counts once; that it counts twice would show.
#[test]
fn equal_channels_count_once() {
    let [mut a, b] = pair();
    a["channels"].as_array_mut().unwrap().push(b["channels"][0].clone());
    a["observations"].as_array_mut().unwrap().push(b["observations"][0].clone());
    let documents = [document("a", &a), document("b", &b)];
    let combined = combine(&documents, &Options { join: OUTER, ..Options::default() }).unwrap();
    let told = told(&combined.warnings);
    assert!(told.iter().any(|f| f.starts_with("b W316 /channels/0 channel \"cr\" with its data")), "{told:?}");
    assert_eq!((combined.kept_once.clone(), combined.is_sum), (vec![(1, "cr".to_owned())], true));
    let found = rule(&combined, 10).unwrap();
    assert!(found.largest < 1e-13 && found.shared_channels == 1 && found.shared_constraints == 2, "{found:?}");
    let twice = Combined { kept_once: Vec::new(), ..combined };
    assert!(rule(&twice, 10).unwrap().largest > 1e-3);
}

/// The same counts under another name are refused where they are no accident (spec/combine.md, eq. 3).
#[test]
fn data_do_not_count_twice() {
    let [a, mut b] = pair();
    let outcome = |a: &Value, b: &Value, allow_same_data: bool| {
        let options = Options { join: OUTER, allow_same_data, ..Options::default() };
        combine(&[document("a", a), document("b", b)], &options).map(|c| told(&c.warnings)).map_err(|all| told(&all))
    };
    b["observations"][0]["data"] = a["observations"][0]["data"].clone();
    let found = outcome(&a, &b, false).unwrap_err();
    assert_eq!(found, ["b W317 /observations/0 the data of channel \"cr\""]);
    let found = outcome(&a, &b, true).unwrap();
    assert_eq!(found, ["b W318 /observations/0 the data of channel \"cr\""]);
    // 1/√(4π n) of three bins with 4 events is 0.0028, with 9 events 0.00084.
    for (count, refused) in [(4.0, false), (9.0, true)] {
        let (mut a, mut b) = (a.clone(), b.clone());
        a["observations"][0]["data"] = json!([count, count, count]);
        b["observations"][0]["data"] = json!([count, count, count]);
        assert_eq!(outcome(&a, &b, false).is_err(), refused, "{count}");
    }
}

/// A hundred pairs of published workspaces that combine, chosen at random: the sum over both, less what they share. All other
/// pairs are refused with two places.
#[test]
fn a_hundred_published_pairs() {
    let Some(root) = common::corpus("a_hundred_published_pairs") else { return };
    let workspaces: Vec<_> = common::good_workspaces(&root)
        .into_iter()
        .filter(|(path, _)| path.metadata().unwrap().len() < 1_000_000)
        .map(|(path, _)| common::read_json(&path))
        .collect();
    let mut random = common::Random(20);
    let mut draw = || ((random.uniform() * workspaces.len() as f64) as usize).min(workspaces.len() - 1);
    let (mut sums, mut refused, mut channels, mut constraints) = (0, 0, 0, 0);
    for _ in 0..5000 {
        // Half of the time of one analysis, whose files follow one another.
        let (i, far, step) = (draw(), draw(), draw() % 16);
        let j = if step % 2 == 0 { far } else { (i + step) % workspaces.len() };
        if i == j {
            continue;
        }
        let (a, b) = (&workspaces[i], &workspaces[j]);
        match combine(&[document("a", a), document("b", b)], &Options { join: OUTER, ..Options::default() }) {
            Ok(combined) => {
                let found = rule(&combined, 2).unwrap();
                assert!(combined.is_sum && found.points == 2 && found.largest < 1e-11, "{i} {j}: {found:?}");
                sums += 1;
                channels += found.shared_channels;
                constraints += found.shared_constraints;
            }
            Err(findings) => {
                let errors = || {
                    findings.iter().flat_map(|told| &told.findings.0).filter(|f| f.hint.len() + f.expected.len() > 0)
                };
                let both =
                    |f: &morphist::finding::Finding| f.to_string().contains("\"a\"") || f.to_string().contains("\"b\"");
                assert!(errors().any(both), "{i} {j}: {findings:?}");
                refused += 1;
            }
        }
        if sums == 100 {
            break;
        }
    }
    eprintln!("{refused} refused, {channels} channels and {constraints} constraints shared");
    assert!(sums == 100 && channels > 0 && constraints > 0, "{sums} {channels} {constraints}");
}

/// The regions of one search: four control regions that all have, nine channels in all, and a fit that converges.
#[test]
fn regions_of_one_search() {
    let Some(root) = common::corpus("regions_of_one_search") else { return };
    let file = |region: &str| root.join(format!("corpus/pyhf/SUSY-2018-05_2Ljets/full_ewk_{region}_bkg.json"));
    let documents: Vec<_> = ["high", "int", "llbb", "low", "offshell"]
        .map(|region| document(region, &common::read_json(&file(region))))
        .into_iter()
        .collect();
    let combined = combine(&documents, &Options { join: OUTER, ..Options::default() }).unwrap();
    assert_eq!(combined.document["channels"].as_array().unwrap().len(), 9);
    assert_eq!(combined.kept_once.len(), 16);
    let found = rule(&combined, 3).unwrap();
    assert!(found.largest < 1e-11 && found.shared_channels == 16, "{found:?}");
    let (model, data) = build(&combined.document);
    let program = morphist::program::Program::compile(&model);
    let options = morphist::infer::FitOptions::new(&model);
    let fit = morphist::infer::fit(&mut morphist::kernel::Evaluator::new(&program), &program.prepare(&data), &options);
    assert!(fit.valid, "{:?}", fit.reason);
}

/// A twin, with other names of channels and data of its own, has nothing in common with its original but parameters.
#[test]
fn twins_are_no_copies() {
    let a = workspace("sr", [53.0, 61.0, 45.0], &["JES"]);
    let combined = schemed(&[a.clone(), twin(&a, "_twin")], json!({"version": "0.1.0"}), false).unwrap();
    assert!(combined.kept_once.is_empty() && combined.is_sum);
    assert_eq!(rule(&combined, 3).unwrap().shared_constraints, 1);
}

/// The command: labels, prefixes, a scheme from a file, the check of the sum, and what is refused.
#[test]
fn the_command_takes_schemes() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("combine_schemes");
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, value: &Value| {
        let path = folder.join(name);
        std::fs::write(&path, value.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let [a, b] = pair();
    let scheme = json!({"version": "0.1.0", "parameters": [
        {"name": "JES", "same": {"A": "JES", "B": "jes"}},
        {"correlated": [{"label": "A", "name": "lumi_sys"}, {"label": "B", "name": "lumi_sys"}],
         "matrix": [[1.0, 0.3], [0.3, 1.0]]}]});
    let (a, b, scheme) = (write("a.json", &a), write("b.json", &b), write("scheme.json", &scheme));
    let run = |arguments: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_morphist")).arg("combine").args(arguments).output().unwrap()
    };
    let (labelled_a, labelled_b) = (format!("A={a}"), format!("B={b}"));
    let inputs = [labelled_a.as_str(), labelled_b.as_str(), "--join", "outer"];
    let done = run(&[&inputs[..], &["--correlations", &scheme, "--prefix-channels"]].concat());
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success() && told.contains("is the sum over the workspaces without 1 shared constraints"),
        "{told}"
    );
    let written: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(written["correlations"]["groups"][0]["parameters"], json!(["A_lumi_sys", "B_lumi_sys"]));
    assert_eq!(written["channels"][0]["name"], "A_sr");
    let unlabelled = run(&[&a, &b, "--join", "outer", "--correlations", &scheme]);
    let told = String::from_utf8_lossy(&unlabelled.stderr);
    assert!(unlabelled.status.code() == Some(1) && unlabelled.stdout.is_empty(), "{told}");
    assert!(told.contains("W319") && told.contains("the label \"A\"") && told.contains("scheme.json:1:"), "{told}");
    let twice = run(&[&a, &a, "--join", "outer", "--prefix-channels"]);
    let told = String::from_utf8_lossy(&twice.stderr);
    assert!(twice.status.code() == Some(1) && told.contains("W319"), "{told}");
    let counted_twice = run(&[&format!("A={a}"), &format!("B={a}"), "--join", "outer", "--prefix-channels"]);
    let told = String::from_utf8_lossy(&counted_twice.stderr);
    assert!(counted_twice.status.code() == Some(1) && told.contains("W317"), "{told}");
}

/// One document correlates what another has without a correlation, and groups are the same in any order of their parameters.
#[test]
fn correlations_of_documents_must_agree() {
    let matrix = |a: f64, b: f64, c: f64| json!([[1.0, a, b], [a, 1.0, c], [b, c, 1.0]]);
    let group = |names: [&str; 3], matrix: Value| json!({"version": "0.1.0", "groups": [{"parameters": names, "matrix": matrix}]});
    let of = |channel: &str, counts: [f64; 3], correlations: Option<Value>| {
        let mut document = workspace(channel, counts, &["k", "l", "m"]);
        document["channels"][0]["samples"][1]["data"][0] = json!(counts[0]);
        correlations.into_iter().for_each(|own| document["correlations"] = own);
        document
    };
    let first = of("sr", [53.0, 61.0, 45.0], Some(group(["k", "l", "m"], matrix(0.1, 0.2, 0.3))));
    let outcome = |second: &Value| {
        let documents = [document("a", &first), document("b", second)];
        combine(&documents, &Options { join: OUTER, ..Options::default() }).map_err(|all| told(&all))
    };
    let counts = [48.0, 70.0, 41.0];
    let turned = group(["m", "k", "l"], matrix(0.2, 0.3, 0.1));
    let combined = outcome(&of("cr", counts, Some(turned))).unwrap();
    assert_eq!(combined.document["correlations"], first["correlations"]);
    let other = group(["m", "k", "l"], matrix(0.2, 0.3, 0.15));
    assert!(outcome(&of("cr", counts, Some(other))).unwrap_err()[0].contains("W309 /correlations/groups/0"));
    let told = outcome(&of("cr", counts, None)).unwrap_err();
    let expected = r#"a W309 /correlations/groups/0 a correlation of the constraints of "k", "l", "m""#;
    assert_eq!(told, [expected]);
}

/// Regions of two documents with the same samples and counts are the same whatever the counts are; others where all that agree
/// are too many for an accident: four single counts of some hundred events, as control regions have them.
#[test]
fn regions_that_agree_are_told() {
    let of = |names: [&str; 4], counts: [f64; 4], yields: f64| {
        let channel = |name: &&str| {
            let mu = json!([{"name": "mu", "type": "normfactor", "data": null}]);
            json!({"name": name, "samples": [{"name": "s", "data": [yields], "modifiers": mu}]})
        };
        let observation = |(name, count): (&&str, &f64)| json!({"name": name, "data": [count]});
        json!({
            "channels": names.iter().map(channel).collect::<Vec<_>>(),
            "observations": names.iter().zip(&counts).map(observation).collect::<Vec<_>>(),
            "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
            "version": "1.0.0"
        })
    };
    let rules = |first: &Value, second: &Value| {
        let documents = [document("a", first), document("b", second)];
        let outcome = combine(&documents, &Options { join: OUTER, ..Options::default() });
        let all = outcome.map_or_else(|all| told(&all), |combined| told(&combined.warnings));
        all.iter().map(|line| line[2..6].to_owned()).collect::<Vec<String>>()
    };
    let (here, there) = (["A", "B", "C", "D"], ["P", "Q", "R", "S"]);
    let first = of(here, [194.0, 424.0, 159.0, 90.0], 100.0);
    // 4/√(4π n) of each, multiplied: 0.0810 · 0.0548 · 0.0895 · 0.1190 = 4.7e-5.
    assert_eq!(rules(&first, &of(there, [194.0, 424.0, 159.0, 90.0], 90.0)), ["W317"; 4]);
    // Of two: 0.0044, which may be an accident; of one: 0.081, which is told no more.
    assert_eq!(rules(&first, &of(there, [194.0, 424.0, 160.0, 91.0], 90.0)), ["W318"; 2]);
    assert!(rules(&first, &of(there, [194.0, 425.0, 160.0, 91.0], 90.0)).is_empty());
    assert_eq!(rules(&first, &of(there, [194.0, 425.0, 160.0, 91.0], 100.0)), ["W317"]);
    // Equal samples without a count that agrees are none of another region.
    assert!(rules(&first, &of(there, [195.0, 425.0, 160.0, 91.0], 100.0)).is_empty());
}
