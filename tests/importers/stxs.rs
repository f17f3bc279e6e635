//! Equations of simplified template cross sections.

use super::*;
use morphist::import::stxs::{self, StxsInput};

/// Every bin of the recorded file is a response of its own.
#[test]
fn stxs_equations() {
    let Some(truth) = Truth::read() else { return };
    let input = StxsInput { production: bytes(&truth.vectors["stxs_json"]), ..StxsInput::default() };
    let import = stxs::read(input, &options()).unwrap();
    let names: Vec<&str> = import.responses.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["BIN0", "BIN1"]);
    let nominal: Vec<Vec<f64>> = truth.yields[0].iter().map(|n| vec![*n]).collect();
    truth.holds_for(&import, &nominal, "STXS");
}

/// The recorded equations of production with errors of their coefficients, alone and with widths that have errors too:
/// in closed form, at several points of coefficients and nuisances.
#[test]
fn uncertainties_of_production_and_decay() {
    let Some(truth) = Truth::read() else { return };
    let mut production = truth.vectors["stxs_json"].clone();
    production["BIN0"]["u_A_ca"] = json!(0.05);
    production["BIN0"]["u_B_cb_ca"] = json!(0.01);
    production["BIN1"]["u_B_ca_2"] = json!(0.2);
    production["BIN1"]["u_A_cb"] = json!(0.0);
    let decay = json!({"gg": {"A_ca": 0.25, "u_A_ca": 0.0625}, "ZZ": {"A_ca": 9.0, "u_A_ca": 5.0},
        "tot": {"A_cb": 0.125, "B_ca_2": 0.03125, "u_A_cb": 0.015625, "u_B_ca_2": 0.0078125}});
    let nominal: Vec<Vec<f64>> = truth.yields[0].iter().map(|n| vec![*n]).collect();
    let nuisances = ["BIN0_u_A_ca", "BIN0_u_B_cb_ca", "BIN1_u_B_ca_2", "gg_u_A_ca", "tot_u_A_cb", "tot_u_B_ca_2"];
    let shifts = [[0.0; 6], [1.0, -0.5, 2.0, 0.75, -1.5, 0.5], [-1.25, 2.0, -0.5, -1.0, 1.0, -2.0]];
    for with_decay in [false, true] {
        let input = StxsInput {
            production: bytes(&production),
            decay: with_decay.then(|| bytes(&decay)),
            channel: with_decay.then(|| "gg".to_owned()),
            ..StxsInput::default()
        };
        let import = stxs::read(input, &options()).unwrap();
        assert!(import.warnings.0.is_empty(), "{}", import.warnings);
        let known = if with_decay { 6 } else { 3 };
        for ([a, b], want) in truth.points.iter().zip(&truth.yields) {
            for alpha in shifts {
                let width = match with_decay {
                    true => {
                        let total = 1.0 + (0.125 + 0.015625 * alpha[4]) * b + (0.03125 + 0.0078125 * alpha[5]) * a * a;
                        (1.0 + (0.25 + 0.0625 * alpha[3]) * a) / total
                    }
                    false => 1.0,
                };
                let moved = [0.05 * alpha[0] * a + 0.01 * alpha[1] * a * b, 0.2 * alpha[2] * a * a];
                let bin = |i: usize| (want[i] + nominal[i][0] * moved[i]) * width;
                let values = nuisances.iter().copied().zip(alpha).take(known);
                let point: Vec<(&str, f64)> = [("ca", *a), ("cb", *b)].into_iter().chain(values).collect();
                close(&yields(&import, &nominal, &point), &[bin(0), bin(1)], "STXS with errors");
            }
        }
    }
}

/// The series keep the errors of coefficients: closed form to second order.
#[test]
fn uncertainties_in_series() {
    let production = json!({"B": {"A_a": 0.5, "u_A_a": 0.125, "B_a_2": 0.25, "u_B_a_2": 0.0625}});
    let decay = json!({"gg": {"A_a": 0.3}, "tot": {"A_a": 0.2, "u_A_a": 0.1}});
    let input = |linear_only| StxsInput {
        production: bytes(&production),
        decay: Some(bytes(&decay)),
        channel: Some("gg".into()),
        linear_only,
        expand_equations: true,
        ..StxsInput::default()
    };
    for (a, alpha, beta, gamma) in [(0.5, 1.0, -2.0, 0.5), (-1.5, -0.5, 1.0, 2.0)] {
        let (p, q, t) = (0.5 + 0.125 * alpha, 0.25 + 0.0625 * beta, 0.2 + 0.1 * gamma);
        let first = (p + 0.3 - t) * a;
        let second = (q + p * 0.3 - (p + 0.3) * t + t * t) * a * a;
        for (linear_only, expected) in [(true, 1.0 + first), (false, 1.0 + first + second)] {
            let import = stxs::read(input(linear_only), &options()).unwrap();
            let point = [("a", a), ("B_u_A_a", alpha), ("tot_u_A_a", gamma), ("B_u_B_a_2", beta)];
            // Where squares are cut off, their errors are declared and do nothing.
            close(&yields(&import, &[vec![8.0]], &point), &[8.0 * expected], "series");
        }
    }
}

/// Production × partial width / total width, in all readings, in closed form; exponents of the parameters of interest.
#[test]
fn stxs_products_and_their_readings() {
    let production = json!({"B": {"A_c_x": 50.0, "B_c_x_2": 800.0, "A_d": 0.25, "B_d_c_x": -3.0, "u_A_d": 0.125}});
    let decay = json!({"gg": {"A_c_x": 30.0}, "tot": {"A_c_x": 20.0, "B_c_x_2": 400.0}, "other": {"A_d": 9.0}});
    let pois = json!({"c_x": {"exponent": 2, "val": 0, "min": -4, "max": 8}, "d": {"exponent": 0, "val": 0.5, "min": -1, "max": 1}});
    let input = |linear_only, expand_equations| StxsInput {
        production: bytes(&production),
        decay: Some(bytes(&decay)),
        channel: Some("gg".into()),
        pois: Some(bytes(&pois)),
        linear_only,
        expand_equations,
    };
    for (c, d) in [(0.0, 0.0), (0.01, 0.0), (-0.02, 0.3), (0.05, -0.8)] {
        let (a, b, cross) = (50.0 * c + 0.25 * d, 800.0 * c * c, -3.0 * c * d);
        let (partial, total, total_2) = (30.0 * c, 20.0 * c, 400.0 * c * c);
        let first = a + partial - total;
        let second = b + cross + a * partial - (a + partial) * total + total * total - total_2;
        for (linear_only, expand, expected) in [
            (false, false, (1.0 + a + b + cross) * (1.0 + partial) / (1.0 + total + total_2)),
            (true, false, (1.0 + a) * (1.0 + partial) / (1.0 + total)),
            (false, true, 1.0 + first + second),
            (true, true, 1.0 + first),
        ] {
            let import = stxs::read(input(linear_only, expand), &ImportOptions::default()).unwrap();
            let bounds: Vec<_> =
                import.wilson_coefficients.iter().map(|w| (w.name.as_str(), w.bounds, w.init)).collect();
            assert_eq!(bounds, [("c_x", [-0.04, 0.08], 0.0), ("d", [-1.0, 1.0], 0.5)]);
            let got = yields(&import, &[vec![10.0]], &[("c_x", c), ("d", d)]);
            assert!(
                (got[0] - 10.0 * expected).abs() < 1e-12 * 10.0 * expected.abs().max(1.0),
                "{c} {d}: {got:?} and {expected}"
            );
        }
    }
}

/// The list of coefficients in YAML, in the forms that Combine's files have, and in JSON.
#[test]
fn coefficients_in_yaml() {
    let production = json!({"B": {"A_chg": 40.0, "A_cuhre": -0.1, "B_chg_cuhre": 2.0, "A_other": 1.0}});
    let read = |pois: &str| {
        let input =
            StxsInput { production: bytes(&production), pois: Some(pois.as_bytes().to_vec()), ..StxsInput::default() };
        stxs::read(input, &ImportOptions::default())
    };
    let yaml = "---\n# Coefficients\nchg:\n    exponent: 3\n    val: 0.\n    max: 5.\n    min: -5.\n    eigenvalue: 1.e-3\n\
                cuhre: {exponent: -2, val: 0.01, max: 4e-1, min: '-1'}\n";
    let json = json!({"chg": {"exponent": 3, "val": 0, "max": 5, "min": -5}, "cuhre": {"exponent": -2, "val": 0.01, "max": 0.4, "min": -1}});
    let plain = yaml.replace("'-1'", "-1");
    let import = read(&plain).unwrap();
    assert_eq!(import, read(&json.to_string()).unwrap());
    let found: Vec<_> = import.wilson_coefficients.iter().map(|c| (c.name.as_str(), c.bounds, c.init)).collect();
    assert_eq!(found, [("chg", [-0.005, 0.005], 0.0), ("cuhre", [-100.0, 40.0], 1.0)]);
    assert!(import.warnings.0[0].found.contains("A_other"), "{}", import.warnings);

    let refused = |pois: &str, words: &str| {
        let findings = error(read(pois));
        assert!(findings.0[0].rule == "W290" && findings.to_string().contains(words), "{pois:.80}: {findings}");
        findings
    };
    // A number in quotes is a string.
    assert_eq!(refused(yaml, "number").0[0].pointer.as_deref(), Some("/cuhre/min"));
    assert!(refused("chg: {exponent: 1, val: 0\nb: [", "").0[0].line.is_some());
    assert_eq!(refused("a: {exponent: 0, val: 0, min: -1, max: 1}\na: {exponent: 0}", "duplicate").0[0].line, Some(2));
    refused("a: {exponent: 0, val: .nan, min: -1, max: .inf}", "non-finite");
    refused("a: &x {exponent: 0, val: 0, min: -1, max: 1}\nb: *x\n", "alias");
    refused("--- {a: 1}\n--- {b: 1}\n", "");
    refused("- 1", "object");
    refused(&format!("a: {}1{}", "[".repeat(5000), "]".repeat(5000)), "");
    refused(&format!("a: [{}]", "1,".repeat(200_000)), "");
    let mut bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n".to_owned();
    for i in 1..12 {
        bomb += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(", "));
    }
    refused(&bomb, "");
    let large = error(read(&format!("# {}\n{plain}", "x".repeat(5 << 20))));
    assert_eq!(large.0[0].rule, "W007", "{large}");
    damage(5, plain.as_bytes(), |file| {
        let input = StxsInput { production: bytes(&production), pois: Some(file), ..StxsInput::default() };
        stxs::read(input, &ImportOptions::default())
    });
}

/// Nuisances with one name that are not the same are refused.
#[test]
fn names_of_nuisances_are_unique() {
    let production = json!({"gg": {"A_a": 1.0, "u_A_a": 0.25}});
    let decay = json!({"gg": {"A_a": 1.0, "u_A_a": 0.5}, "tot": {}});
    let input = StxsInput {
        production: bytes(&production),
        decay: Some(bytes(&decay)),
        channel: Some("gg".into()),
        ..StxsInput::default()
    };
    let findings = error(stxs::read(input, &options()));
    assert!(findings.0[0].found.contains("\"gg_u_A_a\" of two"), "{findings}");
}

#[test]
fn hostile_files_are_named_errors() {
    let stxs = |value: Value| {
        error(stxs::read(StxsInput { production: bytes(&value), ..StxsInput::default() }, &options())).0[0]
            .pointer
            .clone()
            .unwrap_or_default()
    };
    assert_eq!(stxs(json!({"B": {"A_a": 1, "B_a_b": 1}})), "/B/B_a_b");
    assert_eq!(stxs(json!({"B": {"A_a": 1, "A_b": 1, "B_a_b": 1, "B_b_a": 1}})), "/B/B_b_a");
    assert_eq!(stxs(json!({"B": {"C_a": 1}})), "/B/C_a");
    assert_eq!(stxs(json!({"B": {"A_a": 1, "u_A_a": -1}})), "/B/u_A_a");
    assert_eq!(stxs(json!({"B": {"A_a": null}})), "/B/A_a");
    // a_b with c, or a with b_c?
    assert_eq!(stxs(json!({"B": {"A_a": 1, "A_b_c": 1, "A_a_b": 1, "A_c": 1, "B_a_b_c": 1}})), "/B/B_a_b_c");
    let no_decay = StxsInput {
        production: b"{\"B\": {\"A_a\": 1}}".to_vec(),
        decay: Some(b"{\"gg\": {}}".to_vec()),
        channel: Some("gg".into()),
        ..StxsInput::default()
    };
    assert!(error(stxs::read(no_decay, &options())).0[0].found.contains("tot"));
}
