//! Every command tells the line and the column of what it finds in an HS3 document.

use crate::common;

use common::program::{morphist, scratch, stderr};
use serde_json::json;

/// Two parameters without a value, a key that nobody knows and a domain that is not there: W419, W403, W417.
fn document() -> String {
    let sample = |name: &str, contents: [f64; 2], strength: &str| {
        json!({"name": name, "data": {"contents": contents},
            "modifiers": [{"name": strength, "type": "normfactor", "parameter": strength}]})
    };
    let axes = json!([{"name": "obs", "min": 0, "max": 2, "nbins": 2}]);
    let value = json!({
        "metadata": {"hs3_version": "0.2"},
        "distributions": [{"name": "ch", "type": "histfactory_dist", "colour": "red", "axes": axes,
            "samples": [sample("b", [40.0, 50.0], "kb"), sample("s", [5.0, 19.0], "mu")]}],
        "data": [{"name": "d", "type": "binned", "axes": axes, "contents": [44, 61]}],
        "likelihoods": [{"name": "L", "distributions": ["ch"], "data": ["d"]}],
        "analyses": [{"name": "A", "likelihood": "L", "parameters_of_interest": ["mu"], "domains": ["nowhere"]}],
    });
    scratch("places.json", &serde_json::to_string_pretty(&value).unwrap()).display().to_string()
}

#[test]
fn findings_have_line_and_column() {
    let file = document();
    let text = std::fs::read_to_string(&file).unwrap();
    // The value of a member of this line, whose columns count from 1.
    let place = |member: &str, nth: usize| {
        let (line, text) = text.lines().enumerate().filter(|(_, line)| line.contains(member)).nth(nth).unwrap();
        format!("{file}:{}:", line + 1) + &format!("{}:", text.find(": ").unwrap() + 3)
    };
    let commands: [&[&str]; 18] = [
        &["inspect"],
        &["inspect", "--model"],
        &["evaluate"],
        &["fit"],
        &["hypotest"],
        &["limit"],
        &["significance"],
        &["minos"],
        &["scan", "mu", "--n-steps", "2"],
        &["ranking"],
        &["yields"],
        &["gof"],
        &["asimov"],
        &["toys", "--ntoys", "2"],
        &["bench"],
        &["convert"],
        &["convert", "--target", "root-6.40"],
        &["convert", "--target", "pyhs3", "--allow-loss"],
    ];
    for command in commands {
        let (head, rest) = command.split_at(1);
        let told = stderr(&morphist(&[head, &[file.as_str()], rest].concat()));
        let findings: Vec<&str> = told.lines().filter(|line| line.contains("[W")).collect();
        assert!(findings.len() >= 2, "{command:?}: {told}");
        for finding in &findings {
            let rest = finding.strip_prefix(&format!("{file}:")).unwrap_or_else(|| panic!("{command:?}: {finding}"));
            let mut numbers = rest.split(':');
            let is_number = |text: Option<&str>| text.is_some_and(|text| text.parse::<usize>().is_ok());
            assert!(is_number(numbers.next()) && is_number(numbers.next()), "{command:?}: {finding}");
        }
        let at = |rule: &str| findings.iter().find(|finding| finding.contains(rule)).copied();
        assert!(
            at("W403").is_some_and(|finding| finding.starts_with(&place("colour", 0))),
            "{command:?}: {findings:?}"
        );
        if command[0] != "convert" {
            let told = at("W419").unwrap_or_else(|| panic!("{command:?}: {told}"));
            assert!(told.contains("\"kb\""), "{command:?}: {told}");
        }
    }
    // Without a value: where it is needed first.
    let told = stderr(&morphist(&["fit", &file]));
    let line = text.lines().position(|line| line.contains("\"kb\"")).unwrap();
    let found = told.lines().find(|line| line.contains("W419")).unwrap();
    let found: usize = found.strip_prefix(&format!("{file}:")).unwrap().split(':').next().unwrap().parse().unwrap();
    assert!(found.abs_diff(line + 1) <= 2, "line {found} instead of {}: {told}", line + 1);
    let told = stderr(&morphist(&["eft", "inspect", &file]));
    assert!(told.lines().any(|line| line.contains("W456") && line.starts_with(&format!("{file}:1:1:"))), "{told}");
}
