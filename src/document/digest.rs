//! pyhf's digests: a hash of the document as Python's `json.dumps` writes it (spec/patchset.md, "Digest").

use blake2::{Blake2b512, Blake2s256};
use md5::Md5;
use serde_json::{Number, Value};
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};
use std::io::Write;

/// A hash function: patchsets use md5 and sha256, `digest` all that Python's hashlib always has and that have a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Blake2b,
    Blake2s,
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha3_224,
    Sha3_256,
    Sha3_384,
    Sha3_512,
    Sha512,
}

impl Algorithm {
    pub const ALL: [Algorithm; 12] = [
        Algorithm::Blake2b,
        Algorithm::Blake2s,
        Algorithm::Md5,
        Algorithm::Sha1,
        Algorithm::Sha224,
        Algorithm::Sha256,
        Algorithm::Sha384,
        Algorithm::Sha3_224,
        Algorithm::Sha3_256,
        Algorithm::Sha3_384,
        Algorithm::Sha3_512,
        Algorithm::Sha512,
    ];

    /// As hashlib calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Algorithm::Blake2b => "blake2b",
            Algorithm::Blake2s => "blake2s",
            Algorithm::Md5 => "md5",
            Algorithm::Sha1 => "sha1",
            Algorithm::Sha224 => "sha224",
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha384 => "sha384",
            Algorithm::Sha3_224 => "sha3_224",
            Algorithm::Sha3_256 => "sha3_256",
            Algorithm::Sha3_384 => "sha3_384",
            Algorithm::Sha3_512 => "sha3_512",
            Algorithm::Sha512 => "sha512",
        }
    }

    pub fn from_name(name: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// The digest of a document, in lower-case hexadecimal.
pub fn digest(value: &Value, algorithm: Algorithm) -> String {
    match algorithm {
        Algorithm::Blake2b => hash::<Blake2b512>(value),
        Algorithm::Blake2s => hash::<Blake2s256>(value),
        Algorithm::Md5 => hash::<Md5>(value),
        Algorithm::Sha1 => hash::<Sha1>(value),
        Algorithm::Sha224 => hash::<Sha224>(value),
        Algorithm::Sha256 => hash::<Sha256>(value),
        Algorithm::Sha384 => hash::<Sha384>(value),
        Algorithm::Sha3_224 => hash::<Sha3_224>(value),
        Algorithm::Sha3_256 => hash::<Sha3_256>(value),
        Algorithm::Sha3_384 => hash::<Sha3_384>(value),
        Algorithm::Sha3_512 => hash::<Sha3_512>(value),
        Algorithm::Sha512 => hash::<Sha512>(value),
    }
}

fn hash<H: Digest + Write>(value: &Value) -> String {
    let mut hasher = std::io::BufWriter::with_capacity(1 << 16, H::new());
    // A hasher takes every byte: writing to it cannot fail.
    let _ = write_canonical(value, &mut hasher);
    let Ok(hasher) = hasher.into_inner() else { return String::new() };
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes what `json.dumps(value, sort_keys=True, ensure_ascii=False)` of Python 3 returns.
pub fn write_canonical(value: &Value, out: &mut impl Write) -> std::io::Result<()> {
    match value {
        Value::Null => out.write_all(b"null"),
        Value::Bool(b) => write!(out, "{b}"),
        Value::Number(number) => write_number(number, out),
        Value::String(string) => write_string(string, out),
        Value::Array(items) => {
            out.write_all(b"[")?;
            for (i, item) in items.iter().enumerate() {
                out.write_all(if i == 0 { b"" } else { b", " })?;
                write_canonical(item, out)?;
            }
            out.write_all(b"]")
        }
        Value::Object(members) => {
            // Rust orders strings by UTF-8 bytes, which is the order of code points, Python's.
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(key, _)| *key);
            out.write_all(b"{")?;
            for (i, (key, member)) in sorted.into_iter().enumerate() {
                out.write_all(if i == 0 { b"" } else { b", " })?;
                write_string(key, out)?;
                out.write_all(b": ")?;
                write_canonical(member, out)?;
            }
            out.write_all(b"}")
        }
    }
}

fn write_number(number: &Number, out: &mut impl Write) -> std::io::Result<()> {
    match number.as_f64() {
        Some(x) if number.is_f64() => out.write_all(python_repr(x).as_bytes()),
        _ => write!(out, "{number}"),
    }
}

/// Python escapes the quote, the backslash and control characters below U+0020; five of those by letters.
fn write_string(string: &str, out: &mut impl Write) -> std::io::Result<()> {
    out.write_all(b"\"")?;
    let mut rest = string;
    while let Some(i) = rest.find(|c: char| c < ' ' || c == '"' || c == '\\') {
        let (plain, special) = rest.split_at(i);
        out.write_all(plain.as_bytes())?;
        let mut characters = special.chars();
        match characters.next() {
            Some('"') => out.write_all(b"\\\"")?,
            Some('\\') => out.write_all(b"\\\\")?,
            Some('\n') => out.write_all(b"\\n")?,
            Some('\r') => out.write_all(b"\\r")?,
            Some('\t') => out.write_all(b"\\t")?,
            Some('\u{8}') => out.write_all(b"\\b")?,
            Some('\u{c}') => out.write_all(b"\\f")?,
            Some(c) => write!(out, "\\u{:04x}", c as u32)?,
            None => {}
        }
        rest = characters.as_str();
    }
    out.write_all(rest.as_bytes())?;
    out.write_all(b"\"")
}

/// A finite number as Python's `repr` writes it: the shortest digits that read back, of these the nearest and of two
/// equally near the even ones; positional for decimal exponents from −4 to 15, else with an exponent of at least two
/// digits.
pub fn python_repr(x: f64) -> String {
    // serde_json finds the digits that Python finds; those of `{x:e}` differ where two are equally near.
    let Some(written) = Number::from_f64(x).map(|number| number.to_string()) else { return x.to_string() };
    let sign = if written.starts_with('-') { "-" } else { "" };
    let (mantissa, exponent) =
        written.trim_start_matches('-').split_once('e').unwrap_or((written.trim_start_matches('-'), "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    let leading_zeros = (all.len() - digits.len()) as i32;
    let power = exponent.parse().unwrap_or(0) + whole.len() as i32 - 1 - leading_zeros;
    let digits = match digits.trim_end_matches('0') {
        "" => return format!("{sign}0.0"),
        digits => digits,
    };
    let body = match power {
        -4..=-1 => format!("0.{}{digits}", "0".repeat((-1 - power) as usize)),
        0..16 => {
            let point = power as usize + 1;
            let (whole, fraction) = digits.split_at(point.min(digits.len()));
            let zeros = "0".repeat(point - whole.len());
            format!("{whole}{zeros}.{}", if fraction.is_empty() { "0" } else { fraction })
        }
        _ => {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            let sign = if power < 0 { '-' } else { '+' };
            format!("{first}{point}{rest}e{sign}{:02}", power.unsigned_abs())
        }
    };
    format!("{sign}{body}")
}
