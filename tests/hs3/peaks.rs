//! Peaks far narrower than the range of their variate, in many bins and many channels: every number is right by the error
//! function, or there is none.

use morphist::document::hs3::{Hs3Document, ReadOptions};
use morphist::graph::{Graph, Options, Selection};
use serde_json::{Value, json};

const FLOOR: f64 = 0.03;

/// A Gaussian of height 1 above a floor, by an expression, which says nowhere where the peak is.
fn peak(name: &str, m: f64, s: f64) -> Value {
    json!({"name": name, "type": "generic_dist", "expression": format!("{FLOOR}+exp(-0.5*((x-{m})/{s})^2)")})
}

fn integral(m: f64, s: f64, low: f64, high: f64) -> f64 {
    let upper = |x: f64| 0.5 * libm::erfc((m - x) / (s * std::f64::consts::SQRT_2));
    FLOOR * (high - low) + s * (2.0 * std::f64::consts::PI).sqrt() * (upper(high) - upper(low))
}

fn document(densities: &[Value], data: &[Value]) -> Value {
    let names = |of: &[Value]| of.iter().map(|each| each["name"].clone()).collect::<Vec<Value>>();
    json!({
        "metadata": {"hs3_version": "0.2"},
        "distributions": densities,
        "data": data,
        "likelihoods": [{"name": "L", "distributions": names(densities), "data": names(data)}],
    })
}

/// −ln L; nothing where a missed peak is told.
fn nll(document: &Value) -> Option<f64> {
    let document = Hs3Document::from_value(document, &ReadOptions::default()).unwrap();
    match Graph::compile(&document, &Selection::Only, &Options::default()) {
        Ok(likelihood) => Some(likelihood.value(&[], &mut likelihood.scratch())),
        Err(findings) => {
            assert!(findings.iter().all(|f| f.rule == "W422" && f.found.contains("peak")), "{findings:?}");
            None
        }
    }
}

/// Centres that no grid hits on purpose.
fn centres() -> impl Iterator<Item = f64> {
    (1..=12).map(|i| 0.3 + 9.4 * (f64::from(i) * 0.618_033_988_749_895).fract())
}

/// Few bins see the peak of each other, many bins see it and the normalisation does not.
#[test]
fn narrow_peaks_in_bins() {
    let mut right = 0;
    for bins in [1, 10, 100, 500] {
        for s in [1e-2, 1e-3, 2e-4] {
            for m in centres() {
                let data = json!({"name": "d", "type": "binned", "contents": vec![1; bins],
                                  "axes": [{"name": "x", "min": 0, "max": 10, "nbins": bins}]});
                let width = 10.0 / bins as f64;
                let of_bin = |i: usize| integral(m, s, i as f64 * width, (i + 1) as f64 * width);
                let expected: f64 = (0..bins).map(|i| -(of_bin(i) / integral(m, s, 0.0, 10.0)).ln()).sum();
                let Some(found) = nll(&document(&[peak("p", m, s)], &[data])) else { continue };
                assert!((found - expected).abs() < 1e-6 * bins as f64, "{bins} {s} {m}: {found} but {expected}");
                right += 1;
            }
        }
    }
    // Those of a thousandth of the range are seen.
    assert!(right >= 48, "{right}");
}

/// One channel has the peak, where it has no event; the others do not take its points away.
#[test]
fn narrow_peaks_in_channels() {
    for channels in [1, 30] {
        let mut right = 0;
        for s in [0.1, 1e-3, 5e-4] {
            for m in centres().step_by(3) {
                let peaks: Vec<(f64, f64)> =
                    (0..channels).map(|i| if i == 7 % channels { (m, s) } else { (5.0, 0.8) }).collect();
                let events: Vec<f64> = [0.4, 3.3, 7.1].into_iter().filter(|x| (x - m).abs() > 12.0 * s).collect();
                let entries: Vec<[f64; 1]> = events.iter().map(|x| [*x]).collect();
                let densities: Vec<Value> =
                    peaks.iter().enumerate().map(|(i, (m, s))| peak(&format!("p{i}"), *m, *s)).collect();
                let data = |i| {
                    json!({"name": format!("d{i}"), "type": "unbinned", "entries": entries,
                           "axes": [{"name": "x", "min": 0, "max": 10}]})
                };
                let of = |x: f64, (m, s): (f64, f64)| FLOOR + (-0.5 * ((x - m) / s).powi(2)).exp();
                let term = |x: f64, (m, s): (f64, f64)| -(of(x, (m, s)) / integral(m, s, 0.0, 10.0)).ln();
                let expected: f64 = peaks.iter().flat_map(|p| events.iter().map(|x| term(*x, *p))).sum();
                let found = nll(&document(&densities, &(0..channels).map(data).collect::<Vec<Value>>()));
                let Some(found) = found else { continue };
                assert!((found - expected).abs() < 1e-6 * expected.abs(), "{channels} {s} {m}: {found} but {expected}");
                right += 1;
            }
        }
        // Those of a hundredth of the range are seen.
        assert!(right >= 4, "{right}");
    }
}

/// A peak whose strength is zero makes no value, but a slope: it is right, or the document is refused.
#[test]
fn peaks_without_strength() {
    let of = |s: f64| {
        let expression = format!("b+a*exp(-0.5*((x-3.17)/{s})^2)");
        let density = json!({"name": "p", "type": "generic_dist", "expression": expression});
        let data = json!({"name": "d", "type": "unbinned", "entries": [[0.4], [3.3], [7.1]],
                          "axes": [{"name": "x", "min": 0, "max": 10}]});
        let mut value = document(&[density], &[data]);
        value["parameter_points"] = json!([{"name": "default_values", "parameters": [
            {"name": "a", "value": 0}, {"name": "b", "value": 0.1}]}]);
        let document = Hs3Document::from_value(&value, &ReadOptions::default()).unwrap();
        Graph::compile(&document, &Selection::Only, &Options::default())
    };
    // −Σ ln (b + a g(x)) + 3 ln (10 b + a s √(2π)) at a = 0.
    for s in [0.5_f64, 0.1, 2e-2, 5e-3, 1e-3] {
        let likelihood = match of(s) {
            Ok(likelihood) => likelihood,
            Err(findings) => {
                assert!(s < 0.1 && findings[0].rule == "W422" && findings[0].found.contains("peak"), "{findings:?}");
                continue;
            }
        };
        let theta: Vec<f64> = likelihood.parameters.iter().map(|p| p.value).collect();
        let a = likelihood.parameters.iter().position(|p| p.name == "a").unwrap();
        let mut gradient = vec![0.0; theta.len()];
        likelihood.value_and_gradient(&theta, &mut gradient, &mut likelihood.scratch());
        let peaks: f64 = [0.4, 3.3, 7.1_f64].iter().map(|x| (-0.5 * ((x - 3.17) / s).powi(2)).exp()).sum();
        let expected = -peaks / 0.1 + 3.0 * s * (2.0 * std::f64::consts::PI).sqrt();
        assert!((gradient[a] - expected).abs() < 1e-5 * expected.abs(), "{s}: {} but {expected}", gradient[a]);
    }
}

/// Steps and knots: cells of the quadrature end at them, so that bins of the data that cut those of a histogram, boxes and
/// kinks are exact.
#[test]
fn steps_are_where_they_are() {
    let contents = [3.0, 0.5, 7.0, 2.0, 0.1, 4.0, 1.0];
    let histogram = json!({"name": "p", "type": "histogram_dist", "data": {"contents": contents,
        "axes": [{"name": "x", "min": 0.0, "max": 10.0, "nbins": 7}]}});
    let box_ = |low: f64, high: f64| {
        let expression = format!("0.2+((x > {low}) && (x < {high}) ? 1.0 : 0.0)");
        json!({"name": "p", "type": "generic_dist", "expression": expression})
    };
    let laplace = json!({"name": "p", "type": "generic_dist", "expression": "exp(-abs((x-4.237)/0.3))+0.1"});
    let of_histogram = |x: f64| {
        let width = 10.0 / 7.0;
        contents.iter().enumerate().map(|(i, n)| n * (x - i as f64 * width).clamp(0.0, width)).sum::<f64>()
    };
    let of_box = |x: f64| 0.2 * x + (x - 2.345).clamp(0.0, 0.02);
    let of_laplace = |x: f64| {
        let t = (x - 4.237) / 0.3;
        0.1 * x + 0.3 * if t < 0.0 { t.exp() } else { 2.0 - (-t).exp() }
    };
    let cases: [(Value, &dyn Fn(f64) -> f64); 3] =
        [(histogram, &of_histogram), (box_(2.345, 2.365), &of_box), (laplace, &of_laplace)];
    for (density, until) in cases {
        for bins in [1, 3, 11, 64] {
            let data = json!({"name": "d", "type": "binned", "contents": vec![1; bins],
                              "axes": [{"name": "x", "min": 0.37, "max": 9.81, "nbins": bins}]});
            let edge = |i: usize| 0.37 + 9.44 * i as f64 / bins as f64;
            let whole = until(9.81) - until(0.37);
            let expected: f64 = (0..bins).map(|i| -((until(edge(i + 1)) - until(edge(i))) / whole).ln()).sum();
            let found = nll(&document(std::slice::from_ref(&density), &[data])).unwrap();
            assert!((found - expected).abs() < 1e-8 * bins as f64, "{density} {bins}: {found} but {expected}");
        }
    }
}
