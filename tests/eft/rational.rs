//! The four readings of (1 + A^σ c)(1 + A^Γ c)/(1 + A^H c), the width in the denominator of a rate, against the numbers
//! of corpus/eft/importer_vectors.json (closed forms in Python) and those printed for c = 0.1.

use crate::common;

use common::{directory, read_json};
use morphist::model::eft::rational::{evaluate, taylor};
use morphist::model::eft::{Factor, Polynomial};

/// 1 + a c to a power.
fn linear(a: f64, power: i32) -> Factor {
    let polynomial = Polynomial::from_terms(1, [(vec![], vec![1.0]), (vec![0], vec![a])]);
    Factor { polynomial, power }
}

/// full, merged_numerator, taylor1, taylor2
fn readings(production: f64, partial: f64, total: f64, c: f64) -> [f64; 4] {
    let factors = [linear(production, 1), linear(partial, 1), linear(total, -1)];
    let merged = factors[0].polynomial.product(&factors[1].polynomial).truncated(1, &[1]);
    let merged = [Factor { polynomial: merged, power: 1 }, linear(total, -1)];
    let series = |most| taylor(&factors, most, &[1]).unwrap().evaluate(&[c])[0];
    [evaluate(&factors, &[c])[0], evaluate(&merged, &[c])[0], series(1), series(2)]
}

fn check(got: [f64; 4], expected: [f64; 4]) {
    for (got, want) in got.into_iter().zip(expected) {
        assert!((got - want).abs() <= 1e-12 * want.abs(), "{got} and {want}");
    }
}

#[test]
fn four_readings() {
    check(readings(0.5, 0.3, 0.2, 0.1), [1.05 * 1.03 / 1.02, 1.08 / 1.02, 1.06, 1.0603]);
    check(readings(0.5, 0.3, 0.2, 0.0), [1.0; 4]);
    let Some(directory) = directory("eft") else { return };
    let vectors = read_json(&directory.join("importer_vectors.json"));
    let cases = vectors["eq12"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let number = |key: &str| case[key].as_f64().unwrap();
        let got = readings(number("A_sigma"), number("A_partial"), number("A_total"), number("c"));
        check(got, ["full", "merged_numerator", "taylor1", "taylor2"].map(number));
    }
}
