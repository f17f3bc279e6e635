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
            for m in centres() {
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
        assert!(right >= 12, "{right}");
    }
}
