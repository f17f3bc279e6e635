//! What is wrong with an input, where, and how to mend it: the one error type of this crate.

use crate::rule::Rule;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use serde_path_to_error::Segment;

/// Whether a finding forbids the use of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// One problem, with the rule that it breaks (spec/validation.md) and its place.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Finding {
    /// `W001`… as in spec/validation.md.
    pub rule: &'static str,
    /// The kind of failure, in pyhf's words where pyhf has one: `InvalidModel`, `SyntaxError`, ….
    pub class: &'static str,
    pub severity: Severity,
    /// JSON Pointer (RFC 6901) into the document; absent for syntax errors and for arguments.
    pub pointer: Option<String>,
    /// Line and column, from 1; columns count characters.
    pub line: Option<usize>,
    pub column: Option<usize>,
    pub found: String,
    pub expected: String,
    pub hint: String,
}

/// All problems of one input, in document order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Findings(pub Vec<Finding>);

pub type Result<T> = std::result::Result<T, Findings>;

impl Finding {
    /// A finding without a place, with the severity and the hint of its rule.
    pub fn new(rule: &Rule, found: impl Into<String>, expected: impl Into<String>) -> Finding {
        Finding {
            rule: rule.id,
            class: rule.class,
            severity: rule.severity,
            pointer: None,
            line: None,
            column: None,
            found: found.into(),
            expected: expected.into(),
            hint: rule.hint.to_string(),
        }
    }

    pub fn at(mut self, pointer: impl Into<String>) -> Finding {
        self.pointer = Some(pointer.into());
        self
    }

    pub fn at_line(mut self, line: usize, column: usize) -> Finding {
        (self.line, self.column) = (Some(line), Some(column));
        self
    }

    /// Replaces the general hint of the rule by one for this case.
    pub fn hint(mut self, hint: impl Into<String>) -> Finding {
        self.hint = hint.into();
        self
    }
}

impl Findings {
    /// No finding is an error.
    pub fn is_valid(&self) -> bool {
        self.0.iter().all(|f| f.severity != Severity::Error)
    }

    pub fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }
}

impl From<Finding> for Findings {
    fn from(finding: Finding) -> Self {
        Findings(vec![finding])
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.rule, self.class)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, " at line {line} column {column}")?;
        }
        if let Some(pointer) = &self.pointer {
            write!(f, " in {}", quote(pointer))?;
        }
        write!(f, ": found {}, expected {}", self.found, self.expected)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, "; {}", self.hint) }
    }
}

impl std::fmt::Display for Findings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, finding) in self.0.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{finding}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Findings {}

/// Longest piece of a document that a message repeats, in characters.
const LONGEST_QUOTE: usize = 80;

/// A name as a message shows it: in double quotes, control characters escaped, cut when long.
pub fn quote(name: &str) -> String {
    quote_up_to(name, LONGEST_QUOTE)
}

/// The name of a file, in full: two may differ at their ends alone.
pub fn quote_file(name: &str) -> String {
    quote_up_to(name, usize::MAX)
}

fn quote_up_to(name: &str, longest: usize) -> String {
    let mut quoted: String = "\"".into();
    for (i, c) in name.chars().enumerate() {
        if i == longest {
            return quoted + &format!("…\" ({} characters)", name.chars().count());
        }
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// A number as a message shows it: the shortest digits that are read back as the same number, with an exponent where
/// it is very large or small.
pub fn number(x: f64) -> String {
    let text = format!("{x:?}");
    if x == 0.0 { "0".into() } else { text.strip_suffix(".0").map(str::to_owned).unwrap_or(text) }
}

/// A value as a message shows it: scalars as they are, the rest by size.
pub fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => n.to_string(),
        Value::String(s) => format!("the string {}", quote(s)),
        Value::Array(items) => match items.len() {
            0 => "an empty array".into(),
            1 => "an array of 1 item".into(),
            n => format!("an array of {n} items"),
        },
        Value::Object(members) if members.is_empty() => "an empty object".into(),
        Value::Object(members) => {
            let keys: Vec<String> = members.keys().take(6).map(|k| quote(k)).collect();
            let more = if members.len() > keys.len() { ", …" } else { "" };
            format!("an object with {}{more}", keys.join(", "))
        }
    }
}

/// The JSON Pointer to the place where deserialisation ended.
pub(crate) fn path_pointer(path: &serde_path_to_error::Path) -> String {
    let token = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", escape_token(key)),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    };
    path.iter().map(token).collect()
}

/// One reference token of a JSON Pointer, escaped (RFC 6901).
pub fn escape_token(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}
