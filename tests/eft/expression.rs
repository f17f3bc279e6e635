//! Formulas: closed forms, derivatives against differences, and texts that are no formulas.

use crate::common;

use common::Random;
use morphist::expression::{ErrorKind, Expression};

fn value(text: &str, values: &[f64]) -> f64 {
    Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).value(values)
}

/// The grammar's precedence, worked out by hand.
#[test]
fn precedence() {
    for (text, expected) in [
        ("1+2*3", 7.0),
        ("(1+2)*3", 9.0),
        ("2^3^2", 512.0),
        ("-2^2", -4.0),
        ("2^-1", 0.5),
        ("2**3", 8.0),
        ("8/2/2", 2.0),
        ("7-2-1", 4.0),
        ("1/3*3", 1.0),
        ("3 > 2 > 1", 0.0),
        ("1 < 2 && 2 < 1 || 1", 1.0),
        ("!0 + 1", 2.0),
        ("1 ? 2 : 0 ? 3 : 4", 2.0),
        ("0 ? 2 : 0 ? 3 : 4", 4.0),
        ("ifelse(1 == 2, 5, 6)", 6.0),
        ("TRUE + FALSE", 1.0),
        ("1 === 1", 1.0),
        ("1 !== 1", 0.0),
        ("1.5e1 + .5 + 2.", 17.5),
        ("+3", 3.0),
        ("7/2", 3.5),
        ("min(2, 3) + max(2, 3) * pow(2, 3)", 26.0),
        ("--2", 2.0),
    ] {
        assert_eq!(value(text, &[]), expected, "{text}");
    }
    assert_eq!(value("PI", &[]), std::f64::consts::PI);
    assert_eq!(value("log(EULER)", &[]), 1.0);
}

/// Four units in the last place are equal, five are not.
#[test]
fn equality_has_a_tolerance() {
    let up = |ulps: u64| f64::from_bits(0.3f64.to_bits() + ulps);
    assert_eq!(value("a == b", &[0.3, up(4)]), 1.0);
    assert_eq!(value("a == b", &[0.3, up(5)]), 0.0);
    assert_eq!(value("a != b", &[0.3, up(5)]), 1.0);
    assert_eq!(value("a == b", &[5e-324, -5e-324]), 1.0);
    assert_eq!(value("a == b", &[f64::NAN, f64::NAN]), 0.0);
}

#[test]
fn names_of_root() {
    let expression = Expression::parse("TMath::Exp(-x[0])*@1 + std::sqrt(x[0]) + a.b").unwrap();
    assert_eq!(expression.names, ["x[0]", "@1", "a.b"]);
    assert_eq!(expression.lenient, ["x[0]", "TMath::Exp", "@1", "std::sqrt"]);
    let got = expression.value(&[0.25, 2.0, 1.0]);
    assert!((got - (2.0 * (-0.25f64).exp() + 1.5)).abs() < 1e-15);
    assert_eq!(Expression::parse("exp(-a*x)").unwrap().lenient, Vec::<String>::new());
}

/// Backward pass against central differences.
#[test]
fn derivatives_are_differences() {
    let texts = [
        "exp(-a*b) + log(a) / sqrt(b) - abs(a - b)",
        "pow(a, b) + a^3 - a^-2 + b^0.5",
        "sin(a)*cos(b) + tan(a/3) + asin(a/5) - acos(b/5) + atan(a*b) + atan2(a, b)",
        "sinh(a) + cosh(b) * tanh(a*b) + log10(a+b)",
        "erf(a) - erfc(b/2) + TMath::LnGamma(a)",
        "min(a, b) * max(a*a, b) + (a > 1 ? a*b : a/b)",
        "floor(a) * b + ceil(b) * a",
    ];
    let mut random = Random(7);
    for text in texts {
        let expression = Expression::parse(text).unwrap();
        for _ in 0..20 {
            let values = [0.3 + 2.0 * random.uniform(), 0.4 + 3.0 * random.uniform()];
            let mut gradient = [0.0; 2];
            let value = expression.value_and_gradient(&values, &mut gradient);
            assert_eq!(value, expression.value(&values));
            for i in 0..2 {
                let at = |h: f64| {
                    let mut moved = values;
                    moved[i] += h;
                    expression.value(&moved)
                };
                let (h, wide) = (1e-5, 1e-3);
                let difference = (at(h) - at(-h)) / (2.0 * h);
                if ((at(wide) - at(-wide)) / (2.0 * wide) - difference).abs() > 1e-3 * difference.abs().max(1.0) {
                    continue; // A kink or a jump lies between.
                }
                let error = (gradient[i] - difference).abs();
                assert!(
                    error <= 1e-7 * difference.abs().max(1.0),
                    "{text} at {values:?}: {} {difference}",
                    gradient[i]
                );
            }
        }
    }
}

#[test]
fn errors_have_a_column() {
    for (text, kind, column) in [
        ("", ErrorKind::Syntax, 1),
        ("a +", ErrorKind::Syntax, 4),
        ("a b", ErrorKind::Syntax, 3),
        ("(a", ErrorKind::Syntax, 3),
        ("a)", ErrorKind::Syntax, 2),
        ("α + $", ErrorKind::Syntax, 5),
        ("2x", ErrorKind::Syntax, 2),
        ("1e999", ErrorKind::Syntax, 1),
        ("a ? b", ErrorKind::Syntax, 6),
        ("1 + foo(2)", ErrorKind::UnknownFunction, 5),
        ("TMath::Voigt(1)", ErrorKind::UnknownFunction, 1),
        ("exp()", ErrorKind::Arguments, 1),
        ("min(1)", ErrorKind::Arguments, 1),
        ("min(1, 2, 3)", ErrorKind::Arguments, 1),
        ("ifelse(1, 2)", ErrorKind::Arguments, 1),
    ] {
        let error = Expression::parse(text).unwrap_err();
        assert_eq!((error.kind, error.column), (kind, column), "{text}: {error}");
        assert!(!error.found.is_empty() && !error.expected.is_empty(), "{text}");
    }
}

/// 10⁵ brackets, signs, powers and conditions are refused at once; 10⁵ terms side by side are none of these.
#[test]
fn hostile_texts_are_refused() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
    for text in [deep("(", ")"), deep("-", ""), deep("2^", ""), deep("1?1:", ""), deep("exp(", ")"), deep("!(", ")")] {
        assert_eq!(Expression::parse(&text).unwrap_err().kind, ErrorKind::Depth);
    }
    assert_eq!(Expression::parse(&deep("(", "")).unwrap_err().kind, ErrorKind::Depth);
    assert_eq!(value(&format!("0{}", "+a".repeat(100_000)), &[1.0]), 100_000.0);
    let long = Expression::parse(&format!("0{}", "+a".repeat(100_001))).unwrap_err();
    assert_eq!((long.kind, long.expected.as_str()), (ErrorKind::Length, "at most 100000"));
    assert_eq!(value(&deep("(", ")")[99_850..100_151], &[]), 1.0);
}
