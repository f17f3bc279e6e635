//! One pass over the bytes ahead of the parser: depth, integers that no 64 bits hold, and how many values there are.

use super::{Limits, position};
use crate::finding::{Finding, Result, quote};
use crate::rule;
use serde_json::Value;

/// What the pass has seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Scan {
    /// At least the number of values in the document.
    pub values: usize,
    /// Which numbers, counted from 0 in document order, are written `-0`: integers that the parser makes −0.0.
    integer_zeros: Vec<usize>,
}

/// Scans a text that need not be JSON. Up to the first syntax error strings and brackets are seen as the parser sees
/// them, so that a depth within the limit here is within the limit there.
pub(super) fn scan(text: &str, limits: &Limits) -> Result<Scan> {
    let bytes = text.as_bytes();
    let mut scan = Scan { values: 1, integer_zeros: Vec::new() };
    let (mut depth, mut numbers, mut i) = (0usize, 0usize, 0usize);
    while let Some(&byte) = bytes.get(i) {
        match byte {
            b'"' => i = end_of_string(bytes, i),
            b'[' | b'{' => {
                depth += 1;
                scan.values += 1;
                if depth > limits.max_depth {
                    return Err(too_deep(text, i, limits).into());
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => scan.values += 1,
            b'-' | b'0'..=b'9' => {
                let length = bytes[i..].iter().take_while(|b| is_number_byte(**b)).count();
                let literal = &text[i..i + length];
                if literal == "-0" {
                    scan.integer_zeros.push(numbers);
                } else if length >= 19 && !fits_integer(literal) {
                    return Err(integer_range(text, i, literal).into());
                }
                numbers += 1;
                i += length - 1;
            }
            _ => {}
        }
        i += 1;
    }
    Ok(scan)
}

/// Index of the closing quote, or of the last byte.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut i = start + 1;
    while let Some(&byte) = bytes.get(i) {
        match byte {
            b'"' => return i,
            b'\\' => i += 2,
            _ => i += 1,
        }
    }
    bytes.len()
}

fn is_number_byte(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E')
}

/// The literal is no integer, or one that 64 bits hold.
fn fits_integer(literal: &str) -> bool {
    let digits = literal.strip_prefix('-').unwrap_or(literal);
    !digits.bytes().all(|b| b.is_ascii_digit()) || literal.parse::<i64>().is_ok() || literal.parse::<u64>().is_ok()
}

fn too_deep(text: &str, offset: usize, limits: &Limits) -> Finding {
    let (line, column) = position::of_offset(text, offset);
    let found = format!("more than {} nested arrays and objects", limits.max_depth);
    Finding::new(&rule::DEPTH, found, format!("at most {}", limits.max_depth)).at_line(line, column)
}

fn integer_range(text: &str, offset: usize, literal: &str) -> Finding {
    let (line, column) = position::of_offset(text, offset);
    let found = format!("the integer {}", quote(literal));
    Finding::new(&rule::INTEGER_RANGE, found, "an integer that fits in 64 bits").at_line(line, column)
}

/// Where bytes stop being UTF-8.
pub(super) fn not_utf8(error: &std::string::FromUtf8Error) -> Finding {
    let valid = error.utf8_error().valid_up_to();
    let bytes = error.as_bytes();
    let text = std::str::from_utf8(&bytes[..valid]).unwrap_or_default();
    let (line, column) = position::of_offset(text, valid);
    let found = bytes.get(valid).map_or("a cut character".to_string(), |b| format!("the byte 0x{b:02x}"));
    Finding::new(&rule::ENCODING, found, "UTF-8").at_line(line, column)
}

impl Scan {
    /// Makes the numbers written `-0` integers again; they matter to digests only.
    pub(super) fn restore_integer_zeros(&self, value: &mut Value) {
        let mut zeros = self.integer_zeros.iter().copied().peekable();
        if zeros.peek().is_some() {
            restore(value, &mut 0, &mut zeros);
        }
    }
}

fn restore(value: &mut Value, seen: &mut usize, zeros: &mut std::iter::Peekable<impl Iterator<Item = usize>>) {
    match value {
        Value::Number(number) => {
            if zeros.next_if_eq(seen).is_some() {
                *number = 0.into();
            }
            *seen += 1;
        }
        Value::Array(items) => items.iter_mut().for_each(|item| restore(item, seen, zeros)),
        Value::Object(members) => members.values_mut().for_each(|member| restore(member, seen, zeros)),
        _ => {}
    }
}
