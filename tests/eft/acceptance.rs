//! Statements about EFT parametrisations and event weights that are listed with their results in
//! conformance/eft-acceptance.md and have no other place: each against a closed form, or against sums and derivatives
//! written out here. Every test prints its largest deviation (`cargo test --test eft acceptance -- --nocapture`).

use crate::common;

use common::event_files::{
    self, Columns, Written, bin_with, columns_of, data, eft, f64s, in_database, random_events, with,
};
use common::{Random, point};
use morphist::document::workspace::Workspace;
use morphist::event_database::{Databases, Use};
use morphist::infer::{FitOptions, Hesse, Likelihood};
use morphist::kernel::Evaluator;
use morphist::model::eft::{Events, joint};
use morphist::model::{Data, Model};
use morphist::program::Program;
use morphist::translate::from_pyhf::{self, ModelOptions};
use serde_json::{Value, json};
use std::path::Path;

/// The largest of some deviations, below a tolerance, printed.
struct Worst(&'static str, f64, f64);

impl Worst {
    fn new(what: &'static str, tolerance: f64) -> Worst {
        Worst(what, tolerance, 0.0)
    }

    /// |got − want| in units of `scale`.
    fn add(&mut self, got: f64, want: f64, scale: f64) {
        let deviation = (got - want).abs() / scale;
        assert!(deviation <= self.1, "{}: {got} and {want}, {deviation:.2e} above {:.0e}", self.0, self.1);
        self.2 = self.2.max(deviation);
    }
}

impl Drop for Worst {
    fn drop(&mut self) {
        println!("{}: largest deviation {:.1e}, tolerance {:.0e}", self.0, self.2, self.1);
    }
}

fn block(coefficients: &[(&str, [f64; 2])]) -> Value {
    let entry = |(name, bounds): &(&str, [f64; 2])| json!({"name": name, "bounds": bounds});
    json!({
        "version": "0.1.0",
        "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
        "wilson_coefficients": coefficients.iter().map(entry).collect::<Vec<_>>(),
    })
}

/// One channel with these samples.
fn document(eft: Value, samples: Value, observed: &[f64], poi: &str) -> Value {
    json!({
        "channels": [{"name": "SR", "samples": samples}],
        "observations": [{"name": "SR", "data": observed}],
        "measurements": [{"name": "m", "config": {"poi": poi, "parameters": []}}],
        "version": "1.0.0", "eft": eft,
    })
}

fn build(document: &Value, folder: &Path) -> (Model, Data) {
    let workspace: Workspace = serde_json::from_value(document.clone()).unwrap();
    let options = ModelOptions { folder: Some(folder.to_path_buf()), ..Default::default() };
    let model = from_pyhf::model(&workspace, &options).unwrap_or_else(|findings| panic!("{findings}"));
    let data = from_pyhf::data(&workspace, &model).unwrap();
    (model, data)
}

/// Expected yields, and their derivatives (bins × parameters).
fn expected(model: &Model, theta: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let program = Program::compile(model);
    let (mut main, mut auxiliary) = (vec![0.0; program.n_bins()], vec![0.0; program.n_auxdata()]);
    let mut jacobian = vec![0.0; program.n_bins() * theta.len()];
    let mut evaluator = Evaluator::new(&program);
    evaluator.expected(theta, &mut main, &mut auxiliary);
    evaluator.expected_jacobian(theta, &mut jacobian);
    (main, jacobian)
}

/// σ × B = SM (1 + Σ A_j c_j + Σ B_j c_j² + B_jk c_j c_k), with the linear truncation beside it. The first bin is the
/// published gg → H of the HEL parametrisation, 1 + 59.608 cG + 838.0629 cG², whose values are decimals worked by hand.
#[test]
fn cross_sections_times_branching_with_linear_and_quadratic_terms() {
    let (sm, a, b) =
        ([48.58, 3.78, 0.88], [[59.608, 0.0], [1.2, -0.4], [-0.3, 2.5]], [[838.0629, 0.0], [0.6, 0.35], [4.0, 9.0]]);
    let cross = [0.0, -0.7, 1.5];
    let column = |list: &[[f64; 2]; 3], j: usize| json!(list.map(|row| row[j]));
    let response = |truncation: Value| {
        json!([{"name": "stxs", "type": "eft_polynomial", "data": {
            "mode": "relative", "truncation": truncation,
            "monomials": [[], ["cG"], ["cH"], ["cG", "cG"], ["cH", "cG"], ["cH", "cH"]],
            "coefficients": [1.0, column(&a, 0), column(&a, 1), column(&b, 0), cross, column(&b, 1)],
        }}])
    };
    let mut worst = Worst::new("linear and quadratic sigma x B", 1e-14);
    for (order, truncation) in [(2, json!("none")), (1, json!({"max_np_order": 1}))] {
        let samples = json!([{"name": "higgs", "data": sm, "modifiers": response(truncation)}]);
        let document = document(block(&[("cG", [-0.1, 0.1]), ("cH", [-1.0, 1.0])]), samples, &sm, "cG");
        let (model, _) = build(&document, Path::new(""));
        for (g, h) in [(0.001, 0.0), (-0.02, 0.0), (0.01, 0.3), (-0.05, -0.8), (0.0, 0.9)] {
            let theta = point(&model, &[("cG", g), ("cH", h)]);
            let (yields, jacobian) = expected(&model, &theta);
            let square = if order == 2 { 1.0 } else { 0.0 };
            for k in 0..3 {
                let quadratic = b[k][0] * g * g + cross[k] * g * h + b[k][1] * h * h;
                let want = sm[k] * (1.0 + a[k][0] * g + a[k][1] * h + square * quadratic);
                worst.add(yields[k], want, want.abs().max(sm[k]));
                let slopes = [
                    a[k][0] + square * (2.0 * b[k][0] * g + cross[k] * h),
                    a[k][1] + square * (2.0 * b[k][1] * h + cross[k] * g),
                ];
                for (name, slope) in ["cG", "cH"].iter().zip(slopes) {
                    let i = model.parameter_names().iter().position(|n| n == name).unwrap();
                    worst.add(jacobian[k * theta.len() + i], sm[k] * slope, sm[k] * slope.abs().max(1.0));
                }
            }
            let by_hand = [(0.001, 1.0604460629, 1.059608), (-0.02, 0.14306516, -0.19216)];
            if let Some((_, full, linear)) = by_hand.iter().find(|(at, ..)| *at == g) {
                worst.add(yields[0], sm[0] * if order == 2 { full } else { linear }, sm[0]);
            }
        }
    }
}

/// ∫ over [low, high] with the Gauss-Legendre rule of eight points: exact for what is integrated here.
fn integral(low: f64, high: f64, density: impl Fn(f64) -> f64) -> f64 {
    const RULE: [(f64, f64); 4] = [
        (0.183_434_642_495_649_8, 0.362_683_783_378_362),
        (0.525_532_409_916_329, 0.313_706_645_877_887_3),
        (0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
        (0.960_289_856_497_536_2, 0.101_228_536_290_376_26),
    ];
    let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
    half * RULE.iter().map(|(x, w)| w * (density(middle - half * x) + density(middle + half * x))).sum::<f64>()
}

/// The joint number density n(x, z) of a simulated sample, reweighted in z: each analysis bin has the factor
/// Σ_z n(x, z) w_z / Σ_z n(x, z) with w_z = ∫_z dΓ(c) / ∫_z dΓ(0). The weights of the document come from the three parts
/// of dΓ = (1 + L)² f + S² g + L S h in each bin; the expectation integrates dΓ at the point itself.
#[test]
fn a_joint_number_density_reweights_every_analysis_bin() {
    let (f, g, h) = (|q: f64| 6.0 * q * (1.0 - q), |q: f64| 2.0 * q + 0.5 * q * q, |q: f64| 0.3 * (1.0 - q * q));
    let edges: Vec<f64> = (0..=8).map(|i| f64::from(i) / 8.0).collect();
    let bins = || edges.windows(2).map(|e| (e[0], e[1]));
    let mut random = Random(31);
    let map: Vec<Vec<f64>> = (0..5)
        .map(|x| {
            (0..8)
                .map(|z| 40.0 * (-0.3 * f64::powi(f64::from(z) - 1.7 * f64::from(x), 2)).exp() + random.uniform())
                .collect()
        })
        .collect();
    let nominal: Vec<f64> = map.iter().map(|row| row.iter().sum()).collect();
    let share = |part: &dyn Fn(f64) -> f64| -> Vec<f64> {
        bins().map(|(low, high)| integral(low, high, part) / integral(low, high, f)).collect()
    };
    let response = json!([{"name": "reweight", "type": "eft_map", "data": {
        "map": map, "truncation": "none", "monomials": [[], ["L"], ["L", "L"], ["S", "S"], ["S", "L"]],
        "weights": [1.0, 2.0, 1.0, share(&g), share(&h)],
    }}]);
    let samples = json!([{"name": "signal", "data": nominal, "modifiers": response}]);
    let document = document(block(&[("L", [-3.0, 3.0]), ("S", [-3.0, 3.0])]), samples, &nominal, "L");
    let (model, _) = build(&document, Path::new(""));
    let mut worst = Worst::new("joint number density", 1e-13);
    for (l, s) in [(0.0, 0.0), (0.7, 0.0), (-0.4, 1.1), (2.5, -1.9), (-1.0, 0.6)] {
        let density = |q: f64| (1.0 + l) * (1.0 + l) * f(q) + s * s * g(q) + l * s * h(q);
        let weights: Vec<f64> = bins().map(|(a, b)| integral(a, b, density) / integral(a, b, f)).collect();
        let (yields, _) = expected(&model, &point(&model, &[("L", l), ("S", s)]));
        for ((row, n), got) in map.iter().zip(&nominal).zip(yields) {
            let factor = row.iter().zip(&weights).map(|(n, w)| n * w).sum::<f64>() / row.iter().sum::<f64>();
            worst.add(got, n * factor, n * factor.abs());
        }
    }
}

fn kept(written: &Written, block: &Value, histogram: &Value) -> Events {
    let (eft, data) = (eft(block), data(histogram));
    let usage = Use { data: &data, channel: "SR", sample: "s", pointer: "/use" };
    Databases::new(&eft, &written.folder).with_events(&usage).unwrap().events.unwrap()
}

/// A number with its derivatives by two coefficients.
#[derive(Clone, Copy)]
struct Dual(f64, [f64; 2]);

impl Dual {
    fn add(self, o: Dual) -> Dual {
        Dual(self.0 + o.0, [0, 1].map(|i| self.1[i] + o.1[i]))
    }

    fn mul(self, o: Dual) -> Dual {
        Dual(self.0 * o.0, [0, 1].map(|i| self.1[i] * o.0 + self.0 * o.1[i]))
    }

    fn ln(self) -> Dual {
        Dual(self.0.ln(), self.1.map(|d| d / self.0))
    }

    fn times(self, factor: f64) -> Dual {
        Dual(self.0 * factor, self.1.map(|d| d * factor))
    }
}

/// w_e by a forward derivative of the squared amplitude's six terms.
fn weight(event: &[f64; 8], a: Dual, b: Dual) -> Dual {
    let terms = [a, b, a.mul(a), a.mul(b), b.mul(b)];
    terms.iter().zip(&event[3..]).fold(Dual(event[2], [0.0; 2]), |sum, (phi, w)| sum.add(phi.times(*w)))
}

/// r and t of two events by hand: weights 1 + c and 1 + 2c² at c = 1 and c₀ = 0.
#[test]
fn joint_ratio_and_score_of_two_events_by_hand() {
    let columns = vec![vec![1.0, 1.0], vec![1.0, 0.0], vec![0.0, 2.0]];
    let events =
        Events { monomials: vec![vec![], vec![0], vec![0, 0]], columns, start: vec![0, 2], ..Events::default() };
    let mut worst = Worst::new("joint ratio and score by hand", 1e-15);
    let ratio = joint::likelihood_ratio(&events, &[1.0], &[0.0]);
    let score = &joint::score(&events, &[1.0])[0];
    for (got, want) in ratio.iter().chain(score).zip([0.8, 1.2, -0.5, 1.0 / 3.0]) {
        worst.add(*got, want, 1.0);
    }
}

/// t = ∇ ln(w/σ) by forward derivatives; Σ w t = 0; r from the weights themselves, its mean and its inverse.
#[test]
fn joint_ratios_and_scores_are_those_of_the_weights() {
    let events = random_events(2000, 38);
    let written = event_files::write("joint.parquet", &columns_of(&events));
    let table = kept(&written, &written.block(), &event_files::small_histogram());
    // In the table events are sorted by bin; w(0) names them.
    let order: Vec<usize> = {
        let constants = table.weights(&[0.0, 0.0]);
        constants.iter().map(|w| events.iter().position(|e| e[2] == *w).unwrap()).collect()
    };
    let mut by_formula = Worst::new("joint score against forward derivatives", 1e-12);
    let mut balance = Worst::new("sum of w t", 1e-13);
    let mut ratios = Worst::new("joint likelihood ratio", 1e-12);
    for (c, c0) in [([0.0, 0.0], [0.5, 0.5]), ([0.4, -0.9], [0.0, 0.0]), ([-1.7, 1.2], [0.3, -0.2])] {
        let duals: Vec<Dual> =
            order.iter().map(|e| weight(&events[*e], Dual(c[0], [1.0, 0.0]), Dual(c[1], [0.0, 1.0]))).collect();
        let total = duals.iter().fold(Dual(0.0, [0.0; 2]), |sum, w| sum.add(*w));
        let score = joint::score(&table, &c);
        for (i, score) in score.iter().enumerate() {
            for (w, t) in duals.iter().zip(score) {
                let want = w.ln().1[i] - total.ln().1[i];
                by_formula.add(*t, want, want.abs().max(1.0));
            }
            let products = duals.iter().zip(score).map(|(w, t)| w.0 * t);
            balance.add(products.clone().sum(), 0.0, products.map(f64::abs).sum());
        }
        let at = |c: [f64; 2]| -> Vec<f64> {
            order.iter().map(|e| weight(&events[*e], Dual(c[0], [0.0; 2]), Dual(c[1], [0.0; 2])).0).collect()
        };
        let (w, w0) = (at(c), at(c0));
        let (sum, sum0) = (w.iter().sum::<f64>(), w0.iter().sum::<f64>());
        let (there, back) = (joint::likelihood_ratio(&table, &c, &c0), joint::likelihood_ratio(&table, &c0, &c));
        for e in 0..w.len() {
            let want = (w[e] / sum) / (w0[e] / sum0);
            ratios.add(there[e], want, want);
            ratios.add(there[e] * back[e], 1.0, 1.0);
        }
        ratios.add(w0.iter().zip(&there).map(|(w, r)| w * r).sum(), sum0, sum0);
    }
}

/// The nodes of a partition as bins: the polynomial of a node is the sum of its events' polynomials, to the last bit, all
/// coefficients being multiples of 2⁻²⁰; and its response is F_j(θ) = Σ w(θ)/Σ w(θ₀).
#[test]
fn nodes_of_a_partition_are_bins() {
    const NODES: usize = 7;
    let mut random = Random(50);
    let mut dyadic = || ((random.uniform() - 0.3) * 1024.0).round() / 1_048_576.0;
    let events: Vec<[f64; 7]> = (0..3000)
        .map(|i| [f64::from(i % 977 % 7), dyadic(), dyadic(), dyadic(), dyadic(), dyadic(), dyadic()])
        .collect();
    let mut columns: Columns = vec![("node", f64s(&events.iter().map(|e| e[0]).collect::<Vec<_>>()))];
    for (k, name) in event_files::WEIGHTS.into_iter().enumerate() {
        columns.push((name, f64s(&events.iter().map(|e| e[k + 1]).collect::<Vec<_>>())));
    }
    let written = event_files::write("nodes.parquet", &columns);
    let block = in_database(&written.block(), "observables", json!({"node": {"column": "node", "unit": "1"}}));
    let edges: Vec<f64> = (0..=NODES).map(|j| j as f64 - 0.5).collect();
    let histogram = with(&event_files::small_histogram(), "/axes", json!([{"observable": "node", "edges": edges}]));
    let binned = bin_with(&block, &histogram, &written.folder, None).unwrap();
    let mut sums = [[0.0; 6]; NODES];
    for event in &events {
        for k in 0..6 {
            sums[event[0] as usize][k] += event[k + 1];
        }
    }
    let monomials: [&[u32]; 6] = [&[], &[0], &[1], &[0, 0], &[0, 1], &[1, 1]];
    for (k, monomial) in monomials.into_iter().enumerate() {
        let got = binned.polynomial.coefficients_of(monomial).unwrap();
        assert_eq!(got, sums.map(|sum| sum[k]), "monomial {k}");
    }
    let mut worst = Worst::new("ratio of a node", 1e-14);
    let (at, reference) = (binned.polynomial.evaluate(&[0.8, -0.5]), binned.polynomial.evaluate(&[0.0, 0.0]));
    for j in 0..NODES {
        let sum = |c: [f64; 2]| {
            events
                .iter()
                .filter(|e| e[0] as usize == j)
                .map(|e| (1..7).map(|k| e[k] * event_files::phi(c)[k - 1]).sum::<f64>())
                .sum::<f64>()
        };
        let want = sum([0.8, -0.5]) / sum([0.0, 0.0]);
        worst.add(at[j] / reference[j], want, want.abs().max(1.0));
    }
}

/// A background whose events have probabilities p_k of three classes, each class with a free normalisation:
/// ν_b = Σ_k μ_k Σ_{e∈b} p_ke w_e. Asimov data at other normalisations give these back.
#[test]
fn class_probabilities_times_normfactors() {
    let mut random = Random(54);
    let mut column = |n: usize| (0..n).map(|_| random.uniform()).collect::<Vec<f64>>();
    let n = 1500;
    let (x, w, slope) = (column(n), column(n), column(n));
    // Classes that prefer low, middle and high x, so that three bins tell them apart.
    let raw: Vec<[f64; 3]> = x.iter().map(|x| [1.2 - x, 0.5 + 2.0 * x * (1.0 - x), 0.1 + x * x]).collect();
    let p: Vec<[f64; 3]> = raw.iter().map(|r| r.map(|v| v / r.iter().sum::<f64>())).collect();
    let class = |k: usize| f64s(&p.iter().map(|p| p[k]).collect::<Vec<_>>());
    let linear: Vec<f64> = slope.iter().map(|s| s - 0.5).collect();
    let product: Vec<f64> = w.iter().zip(&linear).map(|(w, s)| w * s).collect();
    let columns: Columns = vec![
        ("x", f64s(&x)),
        ("w", f64s(&w)),
        ("w_slope", f64s(&product)),
        ("p0", class(0)),
        ("p1", class(1)),
        ("p2", class(2)),
    ];
    let written = event_files::write("classes.parquet", &columns);
    let edges = [0.0, 0.3, 0.7, 1.0];
    let bin_of = |x: f64| edges[1..3].iter().filter(|e| x >= **e).count();
    let sums = |c: f64, k: usize| {
        let mut sums = [0.0; 3];
        for e in 0..n {
            // The first class depends on a coefficient, the others do not.
            let response = if k == 0 { 1.0 + c * linear[e] } else { 1.0 };
            sums[bin_of(x[e])] += p[e][k] * w[e] * response;
        }
        sums
    };
    let mut eft = block(&[("c", [-1.0, 1.0])]);
    let database = |k: usize| {
        let monomials = if k == 0 { json!([[], ["c"]]) } else { json!([[]]) };
        let columns = if k == 0 { json!(["w", "w_slope"]) } else { json!(["w"]) };
        json!({
            "name": format!("class{k}"), "uri": written.uri, "sha256": written.hash, "n_rows": n,
            "media_type": "application/vnd.apache.parquet", "normalisation": {"kind": "yields"},
            "observables": {"x": {"column": "x", "unit": "1"}},
            "weights": {"kind": "ratio", "reference": format!("p{k}"), "monomials": monomials, "columns": columns},
        })
    };
    eft["event_databases"] = json!((0..3).map(database).collect::<Vec<_>>());
    let samples: Vec<Value> = (0..3)
        .map(|k| {
            json!({"name": format!("class{k}"), "data": sums(0.0, k), "modifiers": [
                {"name": format!("mu{k}"), "type": "normfactor", "data": null},
                {"name": "events", "type": "eft_events", "data": {"database": format!("class{k}"),
                    "axes": [{"observable": "x", "edges": edges}], "underflow": "error", "overflow": "error",
                    "truncation": "none", "mc_stat": "none"}}]})
        })
        .collect();
    let mu = [1.3, 0.6, 1.1];
    let yields =
        |c: f64, mu: [f64; 3]| -> Vec<f64> { (0..3).map(|b| (0..3).map(|k| mu[k] * sums(c, k)[b]).sum()).collect() };
    let mut document = document(eft, json!(samples), &yields(0.0, mu), "mu0");
    document["eft"]["wilson_coefficients"][0]["fixed"] = json!(true);
    let (model, data) = build(&document, &written.folder);
    let mut worst = Worst::new("classes times normfactors", 1e-13);
    for (c, mu) in [(0.0, [1.0; 3]), (0.7, mu), (-0.9, [0.0, 2.0, 0.5])] {
        let theta = point(&model, &[("c", c), ("mu0", mu[0]), ("mu1", mu[1]), ("mu2", mu[2])]);
        let want = yields(c, mu);
        for (got, want) in expected(&model, &theta).0.iter().zip(&want) {
            worst.add(*got, *want, *want);
        }
        if mu == [1.0; 3] {
            // Probabilities add up to one: the plain histogram.
            let mut plain = [0.0; 3];
            (0..n).for_each(|e| plain[bin_of(x[e])] += w[e]);
            want.iter().zip(plain).for_each(|(got, want)| worst.add(*got, want, want));
        }
    }
    let program = Program::compile(&model);
    let fit = Likelihood::new(&program, &data, FitOptions::new(&model)).fit(Hesse::No);
    assert!(fit.valid);
    let mut fitted = Worst::new("fitted normalisations of classes", 1e-6);
    for (name, want) in ["mu0", "mu1", "mu2"].iter().zip(mu) {
        let i = model.parameter_names().iter().position(|n| n == name).unwrap();
        fitted.add(fit.parameters[i], want, 1.0);
    }
}
