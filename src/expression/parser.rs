//! From words to operations by precedence climbing; no text makes it recurse deeper than [`MAX_DEPTH`].

use super::lexer::{Lexer, Token};
use super::{Binary, Error, ErrorKind, Expression, Step, Unary};
use crate::finding::quote;
use std::collections::HashMap;

/// Nested parentheses, prefixes, exponents and conditions.
pub const MAX_DEPTH: usize = 200;

/// Operations of one formula. Each may be a column of numbers over events and points of quadratures: so many take seconds
/// and half a gigabyte.
pub const MAX_OPERATIONS: usize = 100_000;

pub(super) fn parse(text: &str) -> Result<Expression, Error> {
    let mut lexer = Lexer::new(text);
    let (token, column) = lexer.next()?;
    let mut parser = Parser {
        lexer,
        token,
        column,
        depth: 0,
        expression: Expression::default(),
        names: HashMap::new(),
        operations: 0,
    };
    parser.condition()?;
    parser.check_length()?;
    if parser.token != Token::End {
        return Err(parser.unexpected("an operator or the end"));
    }
    Ok(parser.expression)
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    /// The word that comes next, and where.
    token: Token,
    column: usize,
    depth: usize,
    expression: Expression,
    names: HashMap<String, usize>,
    operations: usize,
}

/// How tight an operator of two operands binds; all but powers are grouped from the left.
fn binary(sign: &str) -> Option<(u8, Binary)> {
    Some(match sign {
        "||" => (1, Binary::Or),
        "&&" => (2, Binary::And),
        "==" | "===" => (3, Binary::Equal),
        "!=" | "!==" => (3, Binary::NotEqual),
        "<" => (4, Binary::Less),
        "<=" => (4, Binary::LessEqual),
        ">" => (4, Binary::Greater),
        ">=" => (4, Binary::GreaterEqual),
        "+" => (5, Binary::Add),
        "-" => (5, Binary::Subtract),
        "*" => (6, Binary::Multiply),
        "/" => (6, Binary::Divide),
        _ => return None,
    })
}

/// A function by its name without namespace, and whether the specification's grammar has it.
fn unary_function(name: &str) -> Option<(Unary, bool)> {
    Some(match name {
        "exp" => (Unary::Exp, true),
        "log" => (Unary::Log, true),
        "sqrt" => (Unary::Sqrt, true),
        "abs" => (Unary::Abs, true),
        "sin" => (Unary::Sin, true),
        "cos" => (Unary::Cos, true),
        "tan" => (Unary::Tan, true),
        "asin" => (Unary::Asin, true),
        "acos" => (Unary::Acos, true),
        "atan" => (Unary::Atan, true),
        "floor" => (Unary::Floor, false),
        "ceil" => (Unary::Ceil, false),
        "erf" => (Unary::Erf, false),
        "erfc" => (Unary::Erfc, false),
        "fabs" => (Unary::Abs, false),
        "sinh" => (Unary::Sinh, false),
        "cosh" => (Unary::Cosh, false),
        "tanh" => (Unary::Tanh, false),
        "log10" => (Unary::Log10, false),
        "lgamma" => (Unary::LogGamma, false),
        _ => return None,
    })
}

fn binary_function(name: &str) -> Option<(Binary, bool)> {
    Some(match name {
        "pow" => (Binary::Power, true),
        "min" => (Binary::Min, true),
        "max" => (Binary::Max, true),
        "atan2" => (Binary::Atan2, false),
        _ => return None,
    })
}

/// The plain name of what ROOT writes as `TMath::Name`.
fn of_tmath(name: &str) -> Option<&'static str> {
    Some(match name.strip_prefix("TMath::")? {
        "Exp" => "exp",
        "Log" => "log",
        "Log10" => "log10",
        "Sqrt" => "sqrt",
        "Abs" => "abs",
        "Sin" => "sin",
        "Cos" => "cos",
        "Tan" => "tan",
        "ASin" => "asin",
        "ACos" => "acos",
        "ATan" => "atan",
        "ATan2" => "atan2",
        "SinH" => "sinh",
        "CosH" => "cosh",
        "TanH" => "tanh",
        "Power" => "pow",
        "Min" => "min",
        "Max" => "max",
        "Erf" => "erf",
        "Erfc" => "erfc",
        "Floor" => "floor",
        "Ceil" => "ceil",
        "LnGamma" => "lgamma",
        _ => return None,
    })
}

impl Parser<'_> {
    /// `or ? condition : condition`, or what binds tighter.
    fn condition(&mut self) -> Result<usize, Error> {
        self.deeper(|parser| {
            let first = parser.operators(1)?;
            if !parser.take("?")? {
                return Ok(first);
            }
            let yes = parser.condition()?;
            parser.require(":")?;
            let no = parser.condition()?;
            Ok(parser.push(Step::Select(first, yes, no)))
        })
    }

    /// Operators that bind at least as tight as `least`.
    fn operators(&mut self, least: u8) -> Result<usize, Error> {
        self.deeper(|parser| {
            let mut left = parser.prefix()?;
            while let Token::Sign(sign) = parser.token {
                let Some((strength, operation)) = binary(sign).filter(|(strength, _)| *strength >= least) else {
                    break;
                };
                parser.next()?;
                let right = parser.operators(strength + 1)?;
                left = parser.push(Step::Binary(operation, left, right));
            }
            Ok(left)
        })
    }

    /// Signs before an operand. A power binds tighter: −a^b is −(a^b).
    fn prefix(&mut self) -> Result<usize, Error> {
        self.deeper(|parser| {
            if parser.take("-")? {
                let operand = parser.prefix()?;
                Ok(parser.push(Step::Unary(Unary::Negative, operand)))
            } else if parser.take("!")? {
                let operand = parser.prefix()?;
                Ok(parser.push(Step::Unary(Unary::Not, operand)))
            } else if parser.take("+")? {
                parser.prefix()
            } else {
                parser.power()
            }
        })
    }

    /// a^b^c is a^(b^c), and the exponent may have a sign.
    fn power(&mut self) -> Result<usize, Error> {
        let base = self.operand()?;
        let stars = self.token == Token::Sign("**");
        if stars {
            self.lenient("**");
        }
        if !stars && self.token != Token::Sign("^") {
            return Ok(base);
        }
        self.next()?;
        let exponent = self.prefix()?;
        Ok(self.push(Step::Binary(Binary::Power, base, exponent)))
    }

    fn operand(&mut self) -> Result<usize, Error> {
        let (token, column) = (self.token.clone(), self.column);
        match token {
            Token::Number(number) => {
                self.next()?;
                Ok(self.push(Step::Number(number)))
            }
            Token::Sign("(") => {
                self.next()?;
                let inner = self.condition()?;
                self.require(")")?;
                Ok(inner)
            }
            Token::Name(name) => {
                self.next()?;
                if self.token == Token::Sign("(") { self.call(&name, column) } else { Ok(self.constant_or_name(name)) }
            }
            Token::Sign(_) | Token::End => Err(self.unexpected("a number, a name or a parenthesis")),
        }
    }

    fn constant_or_name(&mut self, name: String) -> usize {
        let constant = match name.as_str() {
            "TRUE" => 1.0,
            "FALSE" => 0.0,
            "PI" => std::f64::consts::PI,
            "EULER" => std::f64::consts::E,
            _ => {
                if name.contains(['@', '[']) {
                    self.lenient(&name);
                }
                let next = self.names.len();
                let index = *self.names.entry(name.clone()).or_insert(next);
                if index == next {
                    self.expression.names.push(name);
                }
                return self.push(Step::Name(index));
            }
        };
        self.push(Step::Number(constant))
    }

    fn call(&mut self, name: &str, column: usize) -> Result<usize, Error> {
        let plain = of_tmath(name).unwrap_or_else(|| name.strip_prefix("std::").unwrap_or(name));
        let qualified = plain != name;
        self.next()?;
        if plain == "TMath::Pi" {
            self.lenient(name);
            self.require(")")?;
            return Ok(self.push(Step::Number(std::f64::consts::PI)));
        }
        let mut arguments = Vec::new();
        if self.token != Token::Sign(")") {
            arguments.push(self.condition()?);
            while self.take(",")? {
                arguments.push(self.condition()?);
            }
        }
        self.require(")")?;
        let (step, wanted, standard) = match (unary_function(plain), binary_function(plain), arguments.as_slice()) {
            (Some((f, standard)), _, [a]) => (Some(Step::Unary(f, *a)), 1, standard),
            (Some(_), _, _) => (None, 1, true),
            (_, Some((f, standard)), [a, b]) => (Some(Step::Binary(f, *a, *b)), 2, standard),
            (_, Some(_), _) => (None, 2, true),
            (_, _, [condition, yes, no]) if plain == "ifelse" => (Some(Step::Select(*condition, *yes, *no)), 3, true),
            _ if plain == "ifelse" => (None, 3, true),
            _ => {
                let expected = "a function of the grammar, such as exp, log, pow or min".to_string();
                return Err(Error { kind: ErrorKind::UnknownFunction, column, found: quote(name), expected });
            }
        };
        if qualified || !standard {
            self.lenient(name);
        }
        match step {
            Some(step) => Ok(self.push(step)),
            None => {
                let found = format!("{} arguments of {}", arguments.len(), quote(name));
                Err(Error { kind: ErrorKind::Arguments, column, found, expected: format!("{wanted}") })
            }
        }
    }

    fn push(&mut self, step: Step) -> usize {
        self.operations += usize::from(!matches!(step, Step::Number(_) | Step::Name(_)));
        self.expression.steps.push(step);
        self.expression.steps.len() - 1
    }

    fn lenient(&mut self, form: &str) {
        if !self.expression.lenient.iter().any(|f| f == form) {
            self.expression.lenient.push(form.to_string());
        }
    }

    fn next(&mut self) -> Result<(), Error> {
        (self.token, self.column) = self.lexer.next()?;
        Ok(())
    }

    fn take(&mut self, sign: &str) -> Result<bool, Error> {
        let here = matches!(self.token, Token::Sign(s) if s == sign);
        if here {
            self.next()?;
        }
        Ok(here)
    }

    fn require(&mut self, sign: &str) -> Result<(), Error> {
        if self.take(sign)? { Ok(()) } else { Err(self.unexpected(&quote(sign))) }
    }

    fn unexpected(&self, expected: &str) -> Error {
        let found = match &self.token {
            Token::Number(number) => crate::finding::number(*number),
            Token::Name(name) => quote(name),
            Token::Sign(sign) => quote(sign),
            Token::End => "the end".to_string(),
        };
        Error { kind: ErrorKind::Syntax, column: self.column, found, expected: expected.to_string() }
    }

    fn check_length(&self) -> Result<(), Error> {
        if self.operations <= MAX_OPERATIONS {
            return Ok(());
        }
        let (found, expected) = ("more operations".to_string(), format!("at most {MAX_OPERATIONS}"));
        Err(Error { kind: ErrorKind::Length, column: self.column, found, expected })
    }

    fn deeper(&mut self, inner: impl FnOnce(&mut Self) -> Result<usize, Error>) -> Result<usize, Error> {
        self.check_length()?;
        // One level of nesting passes three of these.
        if self.depth >= 3 * MAX_DEPTH {
            let (found, expected) = ("a deeper nesting".to_string(), format!("at most about {MAX_DEPTH} levels"));
            return Err(Error { kind: ErrorKind::Depth, column: self.column, found, expected });
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }
}
