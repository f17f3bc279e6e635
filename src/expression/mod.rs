//! Formulas that documents write as text (spec/hs3.md, "Expressions"): a parser of our own and a flat list of operations.

mod lexer;
mod operation;
mod parser;

pub use operation::{Binary, Unary};
pub use parser::{MAX_DEPTH, MAX_OPERATIONS};

/// One operation; operands come before it in the list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    Number(f64),
    /// An entry of [`Expression::names`].
    Name(usize),
    Unary(Unary, usize),
    Binary(Binary, usize, usize),
    /// The second operand where the first is not zero, else the third.
    Select(usize, usize, usize),
}

/// A formula as a flat list of operations; the last one is its value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expression {
    pub steps: Vec<Step>,
    /// What the formula depends on, each name once, in the order of the text. `x[2]` and `@2` stand as they are written.
    pub names: Vec<String>,
    /// Forms that are not in the specification's grammar, such as `tanh` or `TMath::Abs`, each once.
    pub lenient: Vec<String>,
}

/// What is wrong with a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text ends, or holds something else than the grammar asks for.
    Syntax,
    UnknownFunction,
    /// A function with too few or too many arguments.
    Arguments,
    /// Deeper nesting than [`MAX_DEPTH`].
    Depth,
    /// More operations than [`MAX_OPERATIONS`].
    Length,
}

/// Where and why a formula is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub kind: ErrorKind,
    /// In characters, from 1.
    pub column: usize,
    pub found: String,
    pub expected: String,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "column {}: found {}, expected {}", self.column, self.found, self.expected)
    }
}

impl std::error::Error for Error {}

impl Expression {
    /// Reads a formula. Time and memory are linear in the length of the text.
    ///
    /// # Errors
    /// The first thing that is wrong, with its column.
    pub fn parse(text: &str) -> Result<Expression, Error> {
        parser::parse(text)
    }

    /// The value, for one number per name; NaN where a name has none.
    pub fn value(&self, values: &[f64]) -> f64 {
        self.forward(values).last().copied().unwrap_or(f64::NAN)
    }

    /// The value, and its derivative to each name into `gradient`, by one backward pass.
    pub fn value_and_gradient(&self, values: &[f64], gradient: &mut [f64]) -> f64 {
        let results = self.forward(values);
        let at = |i: usize| results.get(i).copied().unwrap_or(f64::NAN);
        let mut adjoint = vec![0.0; results.len()];
        gradient.fill(0.0);
        if let Some(last) = adjoint.last_mut() {
            *last = 1.0;
        }
        for (i, step) in self.steps.iter().enumerate().rev() {
            let weight = adjoint[i];
            if weight == 0.0 {
                continue;
            }
            match *step {
                Step::Number(_) => {}
                Step::Name(name) => gradient[name] += weight,
                Step::Unary(f, a) => adjoint[a] += weight * f.slope(at(a), at(i)),
                Step::Binary(f, a, b) => {
                    let (to_a, to_b) = f.slopes(at(a), at(b), at(i));
                    adjoint[a] += weight * to_a;
                    adjoint[b] += weight * to_b;
                }
                Step::Select(condition, yes, no) => adjoint[if at(condition) != 0.0 { yes } else { no }] += weight,
            }
        }
        at(results.len().wrapping_sub(1))
    }

    fn forward(&self, values: &[f64]) -> Vec<f64> {
        let mut results: Vec<f64> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let at = |i: usize| results.get(i).copied().unwrap_or(f64::NAN);
            let result = match *step {
                Step::Number(number) => number,
                Step::Name(name) => values.get(name).copied().unwrap_or(f64::NAN),
                Step::Unary(f, a) => f.value(at(a)),
                Step::Binary(f, a, b) => f.value(at(a), at(b)),
                Step::Select(condition, yes, no) => at(if at(condition) != 0.0 { yes } else { no }),
            };
            results.push(result);
        }
        results
    }
}
