//! What is wrong with an input, where, and how to mend it: the one error type of this crate.

use schemars::JsonSchema;
use serde::Serialize;

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

impl Findings {
    /// No finding is an error.
    pub fn is_valid(&self) -> bool {
        self.0.iter().all(|f| f.severity != Severity::Error)
    }
}

impl From<Finding> for Findings {
    fn from(finding: Finding) -> Self {
        Findings(vec![finding])
    }
}

impl std::fmt::Display for Findings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for finding in &self.0 {
            writeln!(f, "{}: {}: found {}, expected {}", finding.rule, finding.class, finding.found, finding.expected)?;
        }
        Ok(())
    }
}

impl std::error::Error for Findings {}
