//! Scaling equations in text, one line a bin: `label:1 + 59.6 * cG + 838.1 * cG * cG` (spec/eft-importers.md, "Text").

use super::terms::{ONCE, Terms};
use super::{Import, ImportOptions, ImportedResponse, ResponseData};
use crate::document::eft::Mode;
use crate::finding::{Finding, Result, quote};
use crate::rule;
use std::collections::BTreeSet;

/// Reads equations relative to the Standard Model; every line becomes a response of its own, by its label.
pub fn read(bytes: &[u8], options: &ImportOptions) -> Result<Import> {
    if bytes.len() > options.limits.max_size {
        return Err(
            Finding::new(&rule::SIZE, "a larger file", format!("at most {} bytes", options.limits.max_size)).into()
        );
    }
    let text = std::str::from_utf8(bytes).map_err(|e| Finding::new(&rule::ENCODING, e.to_string(), "text in UTF-8"))?;
    let mut import = Import::default();
    let mut names = BTreeSet::new();
    let mut labels = BTreeSet::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong =
            |found: String, expected: &str| Finding::new(&rule::IMPORT_FORMAT, found, expected).at_line(index + 1, 1);
        let (label, equation) = line.rsplit_once(':').ok_or_else(|| wrong(quote(line), "label:equation"))?;
        let label = label.trim();
        if label.is_empty() || !labels.insert(label) {
            return Err(wrong(format!("the label {}", quote(label)), "one label a line, each once").into());
        }
        let terms = terms(equation).map_err(|expected| wrong(quote(equation), &expected))?;
        if terms.constant() != [1.0] {
            return Err(wrong(quote(equation), "a sum that begins with 1").into());
        }
        names.extend(terms.names());
        let data = ResponseData::Polynomial(terms.polynomial(Mode::Relative, true)?);
        import.responses.push(ImportedResponse::new(label, data));
    }
    if import.responses.is_empty() {
        return Err(Finding::new(&rule::IMPORT_FORMAT, "no equation", "label:1 + number * name + …").into());
    }
    import.wilson_coefficients = options.bounds.coefficients(names)?;
    Ok(import)
}

/// A sum of products of a number and names.
fn terms(equation: &str) -> std::result::Result<Terms, String> {
    let mut terms = Terms::new(1);
    let mut rest = equation.trim();
    let mut first = true;
    while !rest.is_empty() {
        let (sign, after) = match (rest.as_bytes()[0], first) {
            (b'+', _) => (1.0, &rest[1..]),
            (b'-', _) => (-1.0, &rest[1..]),
            (_, true) => (1.0, rest),
            _ => return Err("+ or - between terms".to_owned()),
        };
        let (mut coefficient, mut names, mut after) = (sign, Vec::new(), after.trim_start());
        loop {
            let length = token(after);
            let (word, left) = after.split_at(length);
            let letters = word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            match word.parse::<f64>() {
                Ok(x) if x.is_finite() && !letters => coefficient *= x,
                Err(_) if letters => names.push(word.to_owned()),
                _ => return Err("products of a number and names".to_owned()),
            }
            after = left.trim_start();
            match after.strip_prefix('*') {
                Some(left) => after = left.trim_start(),
                None => break,
            }
        }
        terms.add_once(names, vec![coefficient]).map_err(|found| format!("{ONCE}, but {found}"))?;
        (rest, first) = (after, false);
    }
    Ok(terms)
}

/// The length of the number or name at the beginning.
fn token(text: &str) -> usize {
    let bytes = text.as_bytes();
    let number = bytes.first().is_some_and(|b| b.is_ascii_digit() || *b == b'.');
    let sign = |i: usize| number && i > 0 && matches!(bytes[i - 1], b'e' | b'E') && matches!(bytes[i], b'+' | b'-');
    let part = |i: usize| bytes[i].is_ascii_alphanumeric() || matches!(bytes[i], b'_' | b'.') || sign(i);
    (0..bytes.len()).take_while(|i| part(*i)).count()
}
