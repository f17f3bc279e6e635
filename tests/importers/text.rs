//! Equations in text.

use super::*;
use morphist::import::scaling_text;

#[test]
fn a_line_a_bin() {
    let Some(truth) = Truth::read() else { return };
    let rows = recorded_rows(&truth);
    let line = |i: usize| {
        let [sm, a, aa, b, ab, bb] = rows[i][..] else { unreachable!() };
        let [a, aa, b, ab, bb] = [a, aa, b, ab, bb].map(|x| x / sm);
        format!("bin{i}:1 + {a}*ca + {aa:e} * ca*ca + {b} * cb + {ab} * cb * ca + {bb} * cb * cb\n")
            .replace("+ -", "- ")
    };
    let import = scaling_text::read(format!("{}\n{}", line(0), line(1)).as_bytes(), &options()).unwrap();
    let nominal: Vec<Vec<f64>> = truth.yields[0].iter().map(|n| vec![*n]).collect();
    truth.holds_for(&import, &nominal, "text");
}

#[test]
fn hostile_texts_are_named_errors() {
    let text = |text: &str| error(scaling_text::read(text.as_bytes(), &options()));
    for wrong in [
        "",
        "b",
        "b:",
        "b:2",
        "b:1 + x + x",
        "b:1 + 2 3",
        "b:1 +",
        "b:1 + *x",
        "b:1 + 1e999*x",
        "b:1\nb:1",
        "b:1 + é",
        "b:1 + x**2",
        "b:1 + nan*x",
    ] {
        text(wrong);
    }
}
