//! Small models whose profiles have closed forms, and one with two minima.
#![allow(dead_code)] // each test file uses its part

use morphist::document::workspace::Workspace;
use morphist::model::{Data, Model};
use morphist::translate::from_pyhf::{self, ModelOptions};

/// Model and data of a workspace in text.
pub fn read(text: &str) -> (Model, Data) {
    let workspace: Workspace = serde_json::from_str(text).unwrap();
    let model = from_pyhf::model(&workspace, &ModelOptions::default()).unwrap();
    let data = from_pyhf::data(&workspace, &model).unwrap();
    (model, data)
}

/// One channel of these samples (JSON) with these counts; `poi` has bounds [low, high].
pub fn channel(samples: &str, observed: &str, poi: &str, bounds: [f64; 2]) -> String {
    let [low, high] = bounds;
    format!(
        r#"{{"channels": [{{"name": "c", "samples": [{samples}]}}],
        "observations": [{{"name": "c", "data": {observed}}}],
        "measurements": [{{"name": "m", "config": {{"poi": "{poi}", "parameters":
        [{{"name": "{poi}", "bounds": [[{low:?}, {high:?}]]}}]}}}}], "version": "1.0.0"}}"#
    )
}

/// A sample with these modifiers (JSON).
pub fn sample(name: &str, data: &str, modifiers: &str) -> String {
    format!(r#"{{"name": "{name}", "data": {data}, "modifiers": [{modifiers}]}}"#)
}

pub fn normfactor(name: &str) -> String {
    format!(r#"{{"name": "{name}", "type": "normfactor", "data": null}}"#)
}

/// One bin, ν = 10 μ, μ in [0, 10].
pub fn one_bin(observed: f64) -> String {
    channel(&sample("s", "[10]", &normfactor("mu")), &format!("[{observed:?}]"), "mu", [0.0, 10.0])
}

/// Two bins, ν = (10 a, 20 b), n = (12, 30): two parameters without correlation.
pub fn two_strengths() -> String {
    let samples = [sample("s", "[10, 0]", &normfactor("a")), sample("t", "[0, 20]", &normfactor("b"))];
    channel(&samples.join(","), "[12, 30]", "a", [0.0, 10.0])
}

/// Two bins, ν = (10 μ, 2 − μ), n = (12, 0): the domain ends at μ = 2.
pub fn ending_domain() -> String {
    let strength = normfactor("mu");
    let samples = [sample("s", "[10, -1]", &strength), sample("b", "[0, 2]", "")];
    channel(&samples.join(","), "[12, 0]", "mu", [0.0, 10.0])
}

/// A bin of 30 events for each of these parameters, ν = 10 + 20 q(α), constrained by α²: two minima each, one at either
/// sign.
pub fn double_valleys(names: &[&str]) -> String {
    let samples: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(k, name)| {
            let bins = |x: f64| -> String {
                let bins: Vec<String> =
                    (0..names.len()).map(|b| format!("{:?}", if b == k { x } else { 0.0 })).collect();
                format!("[{}]", bins.join(","))
            };
            let shape = format!(
                r#"{{"name": "{name}", "type": "histosys", "data": {{"hi_data": {}, "lo_data": {}}}}}"#,
                bins(30.0),
                bins(30.0)
            );
            sample(&format!("s{k}"), &bins(10.0), &shape)
        })
        .collect();
    let observed: Vec<&str> = names.iter().map(|_| "30").collect();
    channel(&samples.join(","), &format!("[{}]", observed.join(",")), names[0], [-5.0, 5.0])
}

/// −2 ln L of one of the valleys' parameters against its saturated part: q(α) = α²(15 − 10α² + 3α⁴)/8 within ±1, |α|
/// beyond.
pub fn valley(alpha: f64) -> f64 {
    let square = alpha * alpha;
    let q = if square < 1.0 { square * (15.0 - 10.0 * square + 3.0 * square * square) / 8.0 } else { alpha.abs() };
    poisson(30.0, 10.0 + 20.0 * q) + square
}

/// 2 (ν − n + n ln(n/ν)).
pub fn poisson(n: f64, nu: f64) -> f64 {
    if n == 0.0 { 2.0 * nu } else { 2.0 * (nu - n + n * (n / nu).ln()) }
}

/// The root of a function between two places, by halving.
pub fn halving(mut a: f64, mut b: f64, f: impl Fn(f64) -> f64) -> f64 {
    let rising = f(a) < 0.0;
    for _ in 0..200 {
        let middle = 0.5 * (a + b);
        if (f(middle) < 0.0) == rising { a = middle } else { b = middle }
    }
    0.5 * (a + b)
}

/// The smallest value of a function on a fine grid, refined twice.
pub fn lowest(low: f64, high: f64, f: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (low, high);
    for _ in 0..8 {
        let at = |k: i32| low + (high - low) * f64::from(k) / 1000.0;
        let k = (0..=1000).min_by(|&i, &j| f(at(i)).total_cmp(&f(at(j)))).unwrap();
        (low, high) = (at((k - 1).max(0)), at((k + 1).min(1000)));
    }
    f(0.5 * (low + high))
}

/// Strong shapes and two minima: the start leads to the higher one. pyhf 0.7.6 (jax, SLSQP) ends at 55.8497092.
pub const TWO_MINIMA: &str = r#"{"channels": [{"name": "c0", "samples": [{"name": "s0", "data": [14.83, 29.89, 59.39, 33.19, 20.93],
"modifiers": [{"name": "mu", "type": "normfactor", "data": null}, {"name": "a", "type": "normsys", "data":
{"hi": 0.52, "lo": 1.79}}, {"name": "b", "type": "normsys", "data": {"hi": 1.45, "lo": 1.45}}, {"name": "d",
"type": "histosys", "data": {"hi_data": [28.4, 56.79, 36.53, 9.89, 12.41], "lo_data": [3.93, 42.86, 27.08,
54.28, 0.09]}}, {"name": "e", "type": "histosys", "data": {"hi_data": [2.05, 4.61, 129.21, -3.91, 42.72],
"lo_data": [23.96, 2.05, 68.44, 53.42, 11.03]}}]}, {"name": "s1", "data": [3.21, 2.48, 7.78, 0.0, 1.1],
"modifiers": [{"name": "a", "type": "normsys", "data": {"hi": 0.89, "lo": 0.57}}, {"name": "b", "type":
"normsys", "data": {"hi": 1.89, "lo": 1.57}}, {"name": "d", "type": "histosys", "data": {"hi_data": [-0.26,
1.07, 4.47, -0.0, 1.48], "lo_data": [0.43, -0.17, -0.4, 0.0, 2.3]}}]}]}], "observations": [{"name": "c0",
"data": [16.0, 2.0, 57.0, 35.0, 27.0]}], "measurements": [{"name": "m", "config": {"poi": "mu", "parameters":
[]}}], "version": "1.0.0"}"#;
