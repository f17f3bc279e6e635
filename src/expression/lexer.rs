//! The words of a formula.

use super::{Error, ErrorKind};
use crate::finding::quote;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    /// A name, with `::` inside where there is a namespace; `@2` and `x[2]` whole.
    Name(String),
    Sign(&'static str),
    End,
}

/// Longer signs first, so that `<=` is not read as `<`.
const SIGNS: [&str; 22] = [
    "===", "!==", "==", "!=", "<=", ">=", "&&", "||", "**", "+", "-", "*", "/", "^", "(", ")", "<", ">", "!", "?", ":",
    ",",
];

pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    /// Characters before `at`.
    column: usize,
}

impl<'t> Lexer<'t> {
    pub fn new(text: &'t str) -> Lexer<'t> {
        Lexer { text, at: 0, column: 0 }
    }

    /// The next word and its column, from 1.
    pub fn next(&mut self) -> Result<(Token, usize), Error> {
        let blank = self.rest().chars().take_while(|c| c.is_whitespace()).map(char::len_utf8).sum();
        self.advance(blank);
        let (rest, column) = (self.rest(), self.column + 1);
        let Some(first) = rest.chars().next() else { return Ok((Token::End, column)) };
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            self.advance(sign.len());
            return Ok((Token::Sign(sign), column));
        }
        if first.is_ascii_digit() || first == '.' {
            return self.number(column);
        }
        let length = name_length(rest);
        if length == 0 {
            let (found, expected) = (quote(&first.to_string()), "a number, a name or an operator".to_string());
            return Err(Error { kind: ErrorKind::Syntax, column, found, expected });
        }
        let name = rest[..length].to_string();
        self.advance(length);
        Ok((Token::Name(name), column))
    }

    fn number(&mut self, column: usize) -> Result<(Token, usize), Error> {
        let bytes = self.rest().as_bytes();
        let digits = |from: usize| bytes.iter().skip(from).take_while(|b| b.is_ascii_digit()).count();
        let mut length = digits(0);
        if bytes.get(length) == Some(&b'.') {
            length += 1 + digits(length + 1);
        }
        if matches!(bytes.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
            let exponent = digits(length + 1 + sign);
            if exponent > 0 {
                length += 1 + sign + exponent;
            }
        }
        let literal = &self.rest()[..length];
        match literal.parse::<f64>() {
            Ok(number) if number.is_finite() => {
                self.advance(length);
                Ok((Token::Number(number), column))
            }
            _ => {
                let expected = "a number within the range of binary64".to_string();
                Err(Error { kind: ErrorKind::Syntax, column, found: quote(literal), expected })
            }
        }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn advance(&mut self, bytes: usize) {
        self.column += self.rest().get(..bytes).unwrap_or_default().chars().count();
        self.at += bytes;
    }
}

/// Bytes of the name at the start of a text, 0 if there is none: a word of letters, digits, `_` and `.`, with `::` between
/// words; or `@` and digits; or a word and an index in brackets.
fn name_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes.iter().skip(from).take_while(|b| b.is_ascii_digit()).count();
    if bytes.first() == Some(&b'@') {
        let count = digits(1);
        return if count == 0 { 0 } else { 1 + count };
    }
    let mut length = 0;
    loop {
        let word: usize = text[length..]
            .chars()
            .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
            .map(char::len_utf8)
            .sum();
        length += word;
        if word == 0 || !text[length..].starts_with("::") {
            break;
        }
        length += 2;
    }
    if bytes.get(length) == Some(&b'[') {
        let count = digits(length + 1);
        if count > 0 && bytes.get(length + 1 + count) == Some(&b']') {
            length += count + 2;
        }
    }
    length
}
