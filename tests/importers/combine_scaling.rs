//! Scaling data of Combine's interference model.

use super::*;
use morphist::import::{combine_scaling, histeft};
use std::io::Write;

#[test]
fn combine_scaling_counts_off_diagonal_entries_twice() {
    let Some(truth) = Truth::read() else { return };
    let scaling = &truth.vectors["combine_scaling"];
    let import = combine_scaling::read("scaling.json", bytes(scaling), &ImportOptions::default()).unwrap();
    let response = &import.responses[0];
    assert_eq!((response.channel.as_deref(), response.sample.as_deref()), (Some("ch"), Some("sig")));
    assert_eq!(coefficient(response, &["ca", "cb"]), PerBin::Each(vec![0.05, -0.35]));
    assert_eq!(import.wilson_coefficients[1].bounds, [-3.0, 3.0]);
    assert!(import.warnings.0.is_empty(), "{}", import.warnings);
    truth.holds_for(&import, &truth.nominal(), "Combine");
    // Each pair once is another physics: the recorded yields tell the two apart.
    let mut once = import.clone();
    let ResponseData::Polynomial(data) = &mut once.responses[0].data else { unreachable!() };
    let place = data.monomials.iter().position(|m| m.len() == 2 && m[0] != m[1]).unwrap();
    data.coefficients[place] = PerBin::Each(vec![0.025, -0.175]);
    let differs = |(point, want): (&[f64; 2], &Vec<f64>)| {
        let got = yields(&once, &truth.nominal(), &[("ca", point[0]), ("cb", point[1])]);
        got.iter().zip(want).any(|(got, want)| (got - want).abs() > 1e-12 * want)
    };
    assert_eq!(truth.points.iter().zip(&truth.yields).filter(|pair| differs(*pair)).count(), 2);
    // Packed, as Combine reads it too.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(&bytes(scaling)).unwrap();
    let packed = combine_scaling::read("scaling.json.gz", packed.finish().unwrap(), &ImportOptions::default()).unwrap();
    assert_eq!(packed.responses, import.responses);
}

#[test]
fn combine_expressions_and_constants() {
    let item = |parameters: Value, scaling: Value| json!([{"channel": "c", "process": "p", "parameters": parameters, "scaling": scaling}]);
    let read = |value: &Value| combine_scaling::read("s", bytes(value), &ImportOptions::default());
    // Triangle and box of HH: (kl kt A + kt² B)².
    let scaling = item(
        json!(["expr::t('@0*@1', kl[1,-10,10], kt[1,0,2])", "expr::b('@0^2', kt[1,0,2])"]),
        json!([[0.28, -0.685, 2.09]]),
    );
    let import = read(&scaling).unwrap();
    let box_and_triangle =
        |kl: f64, kt: f64| 0.28 * (kl * kt).powi(2) - 2.0 * 0.685 * kl * kt.powi(3) + 2.09 * kt.powi(4);
    for (kl, kt) in [(1.0, 1.0), (-3.0, 0.7), (2.5, 1.4)] {
        close(&yields(&import, &[vec![30.0]], &[("kl", kl), ("kt", kt)]), &[30.0 * box_and_triangle(kl, kt)], "HH");
    }
    let constant = read(&item(json!(["SM[1]", "k[2]", "c[0,-1,1]"]), json!([[1, 0.5, 0.25, 0.1, 0.2, 0.3]]))).unwrap();
    // 1 + 2·0.5·2 + 0.25·4 = 4; 2·0.1 + 2·0.2·2 = 1.
    assert_eq!(coefficient(&constant.responses[0], &[]), PerBin::Each(vec![4.0]));
    assert_eq!(coefficient(&constant.responses[0], &["c"]), PerBin::Each(vec![1.0]));
    assert!(constant.warnings.0[0].found.contains("\"k\" = 2"), "{}", constant.warnings);
}

/// Every file of bytes in here gives findings with a rule of imports or of reading, and never a panic.
#[test]
fn hostile_files_are_named_errors() {
    let good =
        json!([{"channel": "c", "process": "p", "parameters": ["SM[1]", "c[0,-1,1]"], "scaling": [[1, 0.5, 0.25]]}]);
    let combine = |value: &Value| combine_scaling::read("s", bytes(value), &ImportOptions::default());
    assert!(combine(&good).is_ok());
    let with = |pointer: &str, other: Value| {
        let mut value = good.clone();
        *value.pointer_mut(pointer).unwrap() = other;
        combine(&value)
    };
    let at = |result: Result<Import>, rule: &str, pointer: &str| {
        let findings = result.unwrap_err();
        let finding = &findings.0[0];
        assert_eq!((finding.rule, finding.pointer.as_deref()), (rule, Some(pointer)), "{findings}");
        assert!(finding.line.is_some(), "{findings}");
    };
    at(with("/0/scaling/0", json!([1, 0.5])), "W290", "/0/scaling/0");
    at(with("/0/scaling/0/1", json!("x")), "W290", "/0/scaling/0/1");
    at(with("/0/scaling", json!([])), "W290", "/0/scaling");
    at(with("/0/scaling", json!(3)), "W290", "/0/scaling");
    at(with("/0/parameters", json!([])), "W290", "/0/parameters");
    at(with("/0/parameters/1", json!("expr::a('exp(@0)',c[0,-1,1])")), "W291", "/0/parameters/1");
    at(with("/0/parameters/1", json!("__import__('os')")), "W291", "/0/parameters/1");
    at(with("/0/channel", json!(null)), "W290", "/0");
    at(combine(&json!([good[0], good[0]])), "W290", "/1");
    at(combine(&json!({"a": 1})), "W290", "");
    assert!(with("/0/parameters/1", json!("c[0,1,-1]")).is_err());
    assert!(with("/0/parameters/1", json!("c[5,-1,1]")).is_err());
    assert!(with("/0/parameters/1", json!("c[1]")).is_err());
    assert!(with("/0/scaling/0", json!([1e308, 1e308, 1e308])).is_err());
    let raw = |text: &[u8]| combine_scaling::read("s", text.to_vec(), &ImportOptions::default()).unwrap_err();
    assert_eq!(raw(b"[{\"scaling\": [[NaN]]}]").0[0].rule, "W001");
    assert_eq!(raw(b"[{\"channel\": ").0[0].rule, "W001");
    assert_eq!(raw(b"").0[0].rule, "W001");
    assert_eq!(raw(&[b'['; 100_000]).0[0].rule, "W006");
    for pickle in [&b"\x80\x04\x95\x10"[..], b"\x80\x02]q\x00", b"(lp0\n."] {
        assert_eq!(raw(pickle).0[0].rule, "W291");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(pickle).unwrap();
        assert_eq!(raw(&packed.finish().unwrap()).0[0].rule, "W291");
        assert_eq!(histeft::read("p", pickle.to_vec(), None, &options()).unwrap_err().0[0].rule, "W291");
    }
}

#[test]
fn damaged_files_never_panic() {
    let good = bytes(
        &json!([{"channel": "c", "process": "p", "parameters": ["SM[1]", "expr::a('@0*@1^2', c[0,-1,1], d[1,0,2])"], "scaling": [[1, 0.5, 0.25]]}]),
    );
    damage(3, &good, |file| combine_scaling::read("s", file, &ImportOptions::default()));
}
