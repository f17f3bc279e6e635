//! `toys`, `limit` and `hypotest` of the built program on densities over events. A uniform density with the rate s + 4 says no
//! more than how many events there are: p-values are sums of Poisson probabilities, and the asymptotic limit solves an
//! equation in closed form.

use crate::common;

use common::program::{json_of, morphist, scratch, stderr, stdout};
use morphist::normal::ln_cdf;
use serde_json::{Value, json};

const BACKGROUND: f64 = 4.0;

/// Ten events in [0, 5], uniform, with the rate s + 4.
fn counting(name: &str, n: usize) -> String {
    let entries: Vec<Value> = (0..n).map(|i| json!([5.0 * (i as f64 + 0.5) / n as f64])).collect();
    let value = json!({
        "metadata": {"hs3_version": "0.2"},
        "distributions": [
            {"name": "p", "type": "rate_extended_dist", "rate": "total", "dist": "flat"},
            {"name": "flat", "type": "uniform_dist", "x": "x"}],
        "functions": [{"name": "total", "type": "sum", "summands": ["s", BACKGROUND]}],
        "data": [{"name": "d", "type": "unbinned", "axes": [{"name": "x", "min": 0, "max": 5}], "entries": entries}],
        "likelihoods": [{"name": "L", "distributions": ["p"], "data": ["d"]}],
        "analyses": [{"name": "A", "likelihood": "L", "parameters_of_interest": ["s"], "domains": ["default_domain"]}],
        "domains": [{"name": "default_domain", "type": "product_domain", "axes": [{"name": "s", "min": 0, "max": 40}]}],
        "parameter_points": [{"name": "default_values", "parameters": [{"name": "s", "value": 3.0}]}],
    });
    scratch(name, &value.to_string()).display().to_string()
}

/// P(N ≤ n) of a Poisson distribution.
fn poisson_cdf(n: u32, mean: f64) -> f64 {
    let mut term = (-mean).exp();
    (0..=n).fold(0.0, |sum, k| {
        let sum = sum + term;
        term *= mean / f64::from(k + 1);
        sum
    })
}

/// 1 − Φ.
fn sf(x: f64) -> f64 {
    ln_cdf(-x).exp()
}

/// −2 ln L(s) + 2 ln L(ŝ) for ŝ at zero or above.
fn statistic(n: f64, s: f64) -> f64 {
    let best = (n - BACKGROUND).max(0.0);
    let half = |s: f64| s + BACKGROUND - n * (s + BACKGROUND).ln();
    if best > s { 0.0 } else { 2.0 * (half(s) - half(best)) }
}

/// CLs of q̃ by the asymptotic formulae, and the median expected one.
fn cls(n: f64, s: f64) -> (f64, f64) {
    let (q, asimov) = (statistic(n, s), statistic(BACKGROUND, s));
    let root = asimov.sqrt();
    let t = if q.sqrt() <= root { q.sqrt() - root } else { (q - asimov) / (2.0 * root) };
    (sf(t + root) / sf(t), sf(root) / 0.5)
}

/// Where a falling function is 0.05.
fn limit(f: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.1, 100.0);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if f(middle) > 0.05 { low = middle } else { high = middle }
    }
    low
}

fn close(found: &Value, expected: f64, tolerance: f64) {
    let found = found.as_f64().unwrap_or_else(|| panic!("{found} instead of {expected}"));
    assert!((found - expected).abs() < tolerance, "{found} and {expected}");
}

#[test]
fn asymptotic_tests_and_limits() {
    for n in [2usize, 6, 11] {
        let file = counting(&format!("density_limit_{n}.json"), n);
        let report = json_of(&["hypotest", &file, "--test-poi", "9"], 0);
        let (observed, expected) = cls(n as f64, 9.0);
        close(&report["q"], statistic(n as f64, 9.0), 1e-8);
        close(&report["CLs_obs"], observed, 1e-8);
        close(&report["CLs_exp"][2], expected, 1e-8);
        let report = json_of(&["limit", &file], 0);
        close(&report["observed_limit"], limit(|s| cls(n as f64, s).0), 1e-4);
        close(&report["expected_limit"][2], limit(|s| cls(n as f64, s).1), 1e-4);
    }
}

/// q̃ falls with the number of events, so that what lies at or above the observed one are as many events or fewer.
#[test]
fn toys_follow_poisson_sums() {
    let file = counting("density_toys.json", 6);
    let arguments = ["toys", &file, "--test-poi", "7", "--ntoys", "3000", "--seed", "3"];
    let lines = stdout(&morphist(&arguments));
    let toys = scratch("density_toys.jsonl", &lines).display().to_string();
    let report = json_of(&["toys", "--merge", &toys, "--format", "json"], 0);
    close(&report["q"], statistic(6.0, 7.0), 1e-8);
    for (key, mean) in [("CLsb", 7.0 + BACKGROUND), ("CLb", BACKGROUND)] {
        let (expected, fraction) = (poisson_cdf(6, mean), &report[key]);
        assert_eq!((&fraction["toys"], &fraction["failed"]), (&json!(3000), &json!(0)));
        close(&fraction["value"], expected, 4.0 * (expected * (1.0 - expected) / 3000.0).sqrt());
    }
    // The same toys again, and in two parts.
    assert_eq!(stdout(&morphist(&arguments)), lines);
    let parts = ["1/2", "2/2"].map(|part| {
        let lines = stdout(&morphist(&[&arguments[..], &["--shard", part]].concat()));
        scratch(&format!("density_toys_{}.jsonl", &part[..1]), &lines).display().to_string()
    });
    let merged = morphist(&["toys", "--merge", &parts[0], &parts[1], "--format", "json"]);
    assert_eq!(serde_json::from_slice::<Value>(&merged.stdout).unwrap(), report, "{}", stderr(&merged));
}
