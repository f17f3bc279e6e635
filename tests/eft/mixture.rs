//! Reweighting of events that were drawn from a mixture of points: 10⁶ events of q q̄′ → W H with their spin correlations
//! (examples/wh/generate.py has the physics), binned by the library, against the cross section as a function of both
//! coefficients, which is an integral over one variable.

use crate::common;

use common::Random;
use common::event_files::{self, bin_with, f64s, in_database, phi, small_histogram, with};
use serde_json::json;
use std::f64::consts::PI;

const M_W: f64 = 80.4;
const M_H: f64 = 125.1;
const SQRT_S: f64 = 13000.0;
/// 2 v²/Λ²
const PER_UNIT: f64 = 2.0 * 246.22 * 246.22 / 1e6;
/// Share and point of each part of the mixture.
const MIXTURE: [(f64, [f64; 2]); 3] = [(0.6, [0.0, 0.0]), (0.2, [0.9, 0.6]), (0.2, [-0.9, -0.6])];
const N: usize = 1_000_000;

type Complex = [f64; 2];

/// h[term][helicity −, 0, +] at s = q²; the terms are those of 1, cHW and cHWtil.
fn amplitudes(s: f64) -> [[Complex; 3]; 3] {
    let root = s.sqrt();
    let energy = (s + M_W * M_W - M_H * M_H) / (2.0 * root);
    let momentum = (energy * energy - M_W * M_W).sqrt();
    let (even, odd) = (PER_UNIT * root * energy / (M_W * M_W), PER_UNIT * root * momentum / (M_W * M_W));
    [
        [[1.0, 0.0], [energy / M_W, 0.0], [1.0, 0.0]],
        [[even, 0.0], [PER_UNIT * root / M_W, 0.0], [even, 0.0]],
        [[0.0, -odd], [0.0, 0.0], [0.0, odd]],
    ]
}

/// A density of partons times flux and phase space.
fn flux(s: f64) -> f64 {
    let (root, tau) = (s.sqrt(), s / (SQRT_S * SQRT_S));
    let energy = (s + M_W * M_W - M_H * M_H) / (2.0 * root);
    let momentum = (energy * energy - M_W * M_W).sqrt();
    tau.powf(-1.25) * (1.0 - tau.sqrt()).powi(8) * momentum / root / (s - M_W * M_W).powi(2)
}

/// The six terms of |Σ_i c_i m_i|² with c = (1, cHW, cHWtil).
fn terms(product: impl Fn(usize, usize) -> f64) -> [f64; 6] {
    [product(0, 0), 2.0 * product(0, 1), 2.0 * product(0, 2), product(1, 1), 2.0 * product(1, 2), product(2, 2)]
}

/// Of the amplitude with all angles.
fn differential(s: f64, cos_production: f64, cos_decay: f64, azimuth: f64) -> [f64; 6] {
    let h = amplitudes(s);
    let (sin_p, sin_d) = ((1.0 - cos_production * cos_production).sqrt(), (1.0 - cos_decay * cos_decay).sqrt());
    let size = [
        0.25 * (1.0 + cos_production) * (1.0 - cos_decay),
        0.5 * sin_p * sin_d,
        0.25 * (1.0 - cos_production) * (1.0 + cos_decay),
    ];
    let m = h.map(|h| {
        let mut sum = [0.0, 0.0];
        for (l, [re, im]) in h.into_iter().enumerate() {
            let (sin, cos) = (azimuth * (l as f64 - 1.0)).sin_cos();
            sum[0] += size[l] * (re * cos - im * sin);
            sum[1] += size[l] * (re * sin + im * cos);
        }
        sum
    });
    terms(|i, j| m[i][0] * m[j][0] + m[i][1] * m[j][1])
}

/// Averaged over the angles: the helicities do not interfere, and each has the mean 1/9.
fn averaged(s: f64) -> [f64; 6] {
    let h = amplitudes(s);
    terms(|i, j| (0..3).map(|l| h[i][l][0] * h[j][l][0] + h[i][l][1] * h[j][l][1]).sum::<f64>() / 9.0)
}

fn at(terms: &[f64; 6], c: [f64; 2]) -> f64 {
    terms.iter().zip(phi(c)).map(|(a, phi)| a * phi).sum()
}

/// A grid in ln s with the six terms of the cross section up to each of its points, by the trapezoidal rule.
fn cumulative() -> (Vec<f64>, Vec<[f64; 6]>) {
    let (low, high) = ((M_W + M_H + 0.5).powi(2).ln(), 4000f64.powi(2).ln());
    let grid: Vec<f64> = (0..=40_000).map(|i| (low + (high - low) * f64::from(i) / 40_000.0).exp()).collect();
    let density: Vec<[f64; 6]> = grid.iter().map(|s| averaged(*s).map(|a| a * flux(*s))).collect();
    let mut sums = vec![[0.0; 6]];
    for i in 1..grid.len() {
        let (last, step) = (sums[i - 1], grid[i] - grid[i - 1]);
        sums.push([0, 1, 2, 3, 4, 5].map(|k| last[k] + 0.5 * step * (density[i - 1][k] + density[i][k])));
    }
    (grid, sums)
}

/// Draws an event at one point of the mixture: s from the grid, angles by rejection.
fn draw(random: &mut Random, grid: &[f64], sums: &[f64], c: [f64; 2]) -> [f64; 6] {
    loop {
        let u = random.uniform() * sums[sums.len() - 1];
        let i = sums.partition_point(|sum| *sum <= u).clamp(1, sums.len() - 1);
        let s = grid[i - 1] + (grid[i] - grid[i - 1]) * (u - sums[i - 1]) / (sums[i] - sums[i - 1]);
        // |Σ_l|² is at most the sum of the |h_l|², nine times the mean.
        let most = 9.0 * at(&averaged(s), c);
        for _ in 0..200 {
            let mut angle = |size: f64| size * (2.0 * random.uniform() - 1.0);
            let event = differential(s, angle(1.0), angle(1.0), angle(PI));
            if random.uniform() * most < at(&event, c) {
                return event;
            }
        }
    }
}

/// Every event has the weight |M(c)|² / q, q being the density of the mixture, so that the sum of weights is σ(c) at every
/// point; the deviation is compared with its standard deviation, which is about 3·10⁻⁴ of σ near
/// the standard model.
#[test]
fn a_mixture_of_points_gives_the_cross_section_everywhere() {
    let (grid, cumulative) = cumulative();
    let total = cumulative[cumulative.len() - 1];
    let sigma = |c: [f64; 2]| at(&total, c) / total[0];
    let mut random = Random(37);
    let (mut columns, mut parts) = (vec![Vec::new(); 8], Vec::new());
    for (share, c) in MIXTURE {
        let sums: Vec<f64> = cumulative.iter().map(|terms| at(terms, c)).collect();
        let n = (share * N as f64).round() as usize;
        for _ in 0..n {
            let event = draw(&mut random, &grid, &sums, c);
            let density: f64 = MIXTURE.iter().map(|(share, c)| share * at(&event, *c) / at(&total, *c)).sum();
            columns[0].push(0.5);
            columns[1].push(1.0 / (density * total[0] * N as f64));
            event.iter().zip(&mut columns[2..]).for_each(|(a, column)| column.push(*a));
        }
        parts.push(n);
    }
    let names = ["x", "reference", "w00", "w01", "w02", "w11", "w12", "w22"];
    let written =
        event_files::write("mixture.parquet", &names.into_iter().zip(columns.iter().map(|c| f64s(c))).collect());
    let weights = json!({"kind": "ratio", "reference": "reference",
        "monomials": event_files::monomials(), "columns": event_files::WEIGHTS});
    let block = in_database(&written.block(), "weights", weights);
    let block = in_database(&block, "observables", json!({"x": {"column": "x", "unit": "1"}}));
    let axes = json!([{"observable": "x", "edges": [0.0, 1.0]}]);
    let binned = bin_with(&block, &with(&small_histogram(), "/axes", axes), &written.folder, None).unwrap();
    for c in [[0.0, 0.0], [0.5, 0.0], [0.0, 0.5], [-0.4, 0.8], [0.9, 0.6], [1.2, -1.0]] {
        let (got, want) = (binned.polynomial.evaluate(&c)[0], sigma(c));
        // The events of each part are independent; their number is fixed.
        let (mut variance, mut first) = (0.0, 0);
        for n in &parts {
            let weight = |e: usize| columns[1][e] * (0..6).map(|k| columns[2 + k][e] * phi(c)[k]).sum::<f64>();
            let mean = (first..first + n).map(weight).sum::<f64>() / *n as f64;
            variance += (first..first + n).map(|e| (weight(e) - mean).powi(2)).sum::<f64>();
            first += n;
        }
        let error = variance.sqrt();
        println!(
            "mixture at {c:?}: relative deviation {:+.1e}, standard deviation {:.1e}",
            got / want - 1.0,
            error / want
        );
        assert!((got - want).abs() < 4.0 * error, "{c:?}: {got} and {want} ± {error}");
        // Close to the point that most events were drawn at.
        assert!(error < 4e-4 * want || c[0].abs() + c[1].abs() > 0.5, "{c:?}: {error} of {want}");
    }
    // The event that the mixture favours least at the standard model: the weight is bounded by its share.
    let bound = 1.0 / (MIXTURE[0].0 * N as f64);
    assert!((0..N).all(|e| columns[1][e] * columns[2][e] <= bound * (1.0 + 1e-12)));
}
