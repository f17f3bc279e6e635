//! The few words of RooFit's factory language that parameters of a scaling file use: variables with a range, constants,
//! and products of powers of them (spec/eft-importers.md, "Combine").

use super::wilson_coefficient;
use crate::document::eft::WilsonCoefficient;
use crate::finding::quote;
use std::collections::BTreeMap;

/// Deepest nesting of parentheses and of expressions in each other.
const DEEPEST: usize = 16;
/// Longest product of coefficients.
const LONGEST: usize = 16;

/// A number times coefficients.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Product {
    pub factor: f64,
    pub names: Vec<String>,
}

/// Everything that was defined so far.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    /// Variables with a range, in order.
    pub coefficients: Vec<WilsonCoefficient>,
    /// Variables without a range.
    pub constants: BTreeMap<String, f64>,
    /// What each name stands for.
    products: BTreeMap<String, Product>,
}

impl Definitions {
    /// Reads `name[value,low,high]`, `name[value]`, `name[low,high]`, `name`, `prod::name(a,b,…)` or
    /// `expr::name('formula',a,b,…)`. A name may be defined again with the same content.
    ///
    /// # Errors
    /// One sentence.
    pub fn read(&mut self, text: &str) -> Result<Product, String> {
        let mut parser = Parser { rest: text, depth: 0 };
        let product = parser.definition(self)?;
        parser.end()?;
        Ok(product)
    }

    fn define(&mut self, name: &str, product: Product) -> Result<Product, String> {
        match self.products.get(name) {
            Some(known) if *known != product => Err(format!("{} is defined twice, differently", quote(name))),
            _ => {
                self.products.insert(name.to_owned(), product.clone());
                Ok(product)
            }
        }
    }

    fn constant(&mut self, name: &str, value: f64) -> Result<Product, String> {
        self.constants.insert(name.to_owned(), value);
        self.define(name, Product { factor: value, names: Vec::new() })
    }

    fn variable(&mut self, name: &str, value: f64, bounds: [f64; 2]) -> Result<Product, String> {
        let coefficient = wilson_coefficient(name, bounds, value);
        match self.coefficients.iter().find(|known| known.name == name) {
            Some(known) if *known != coefficient => return Err(format!("{} has two ranges", quote(name))),
            Some(_) => {}
            None => self.coefficients.push(coefficient),
        }
        self.define(name, Product { factor: 1.0, names: vec![name.to_owned()] })
    }
}

impl Product {
    fn number(factor: f64) -> Product {
        Product { factor, names: Vec::new() }
    }

    fn times(mut self, other: &Product) -> Result<Product, String> {
        self.factor *= other.factor;
        self.names.extend(other.names.iter().cloned());
        if self.names.len() > LONGEST {
            return Err(format!("a product of more than {LONGEST} coefficients"));
        }
        Ok(self)
    }

    fn power(&self, power: u32) -> Result<Product, String> {
        (0..power).try_fold(Product::number(1.0), |product, _| product.times(self))
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, token: &str) -> bool {
        self.skip_space();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) { Ok(()) } else { Err(format!("{} expected before {}", quote(token), quote(self.rest))) }
    }

    fn end(&mut self) -> Result<(), String> {
        self.skip_space();
        if self.rest.is_empty() { Ok(()) } else { Err(format!("nothing expected at {}", quote(self.rest))) }
    }

    fn name(&mut self) -> Result<&'a str, String> {
        self.skip_space();
        let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let length = self.rest.find(|c| !part(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(length);
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return Err(format!("a name expected at {}", quote(self.rest)));
        }
        self.rest = rest;
        Ok(name)
    }

    fn number(&mut self) -> Result<f64, String> {
        self.skip_space();
        let bytes = self.rest.as_bytes();
        let after_exponent = |i: usize| i > 0 && matches!(bytes[i - 1], b'e' | b'E');
        let part = |i: usize, b: u8| {
            b.is_ascii_digit()
                || matches!(b, b'.' | b'e' | b'E')
                || (matches!(b, b'+' | b'-') && (i == 0 || after_exponent(i)))
        };
        let length = bytes.iter().enumerate().take_while(|(i, b)| part(*i, **b)).count();
        let (digits, rest) = self.rest.split_at(length);
        let value: f64 = digits.parse().map_err(|_| format!("a number expected at {}", quote(self.rest)))?;
        self.rest = rest;
        if value.is_finite() { Ok(value) } else { Err(format!("{} is out of range", quote(digits))) }
    }

    fn deeper(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEEPEST { Err(format!("nested deeper than {DEEPEST}")) } else { Ok(()) }
    }

    fn definition(&mut self, known: &mut Definitions) -> Result<Product, String> {
        self.deeper()?;
        let word = self.name()?;
        let product = if self.take("::") {
            let name = self.name()?;
            self.expect("(")?;
            let product = match word {
                "expr" => self.expression(known)?,
                "prod" => {
                    let arguments = self.arguments(known)?;
                    arguments.iter().try_fold(Product::number(1.0), |product, (_, a)| product.times(a))?
                }
                other => return Err(format!("{} is not read, only expr and prod are", quote(&format!("{other}::")))),
            };
            known.define(name, product)?
        } else if self.take("[") {
            self.range(word, known)?
        } else {
            known.products.get(word).cloned().ok_or_else(|| format!("{} is not defined before", quote(word)))?
        };
        self.depth -= 1;
        Ok(product)
    }

    fn range(&mut self, name: &str, known: &mut Definitions) -> Result<Product, String> {
        let mut numbers = vec![self.number()?];
        while self.take(",") {
            numbers.push(self.number()?);
            if numbers.len() > 3 {
                return Err("at most three numbers expected in brackets".to_owned());
            }
        }
        self.expect("]")?;
        match numbers[..] {
            [value] => known.constant(name, value),
            [low, high] => known.variable(name, 0.5 * (low + high), [low, high]),
            [value, low, high] => known.variable(name, value, [low, high]),
            _ => Err("a number expected in brackets".to_owned()),
        }
    }

    /// Arguments up to the closing parenthesis, with the names by which a formula may call them.
    fn arguments(&mut self, known: &mut Definitions) -> Result<Vec<(String, Product)>, String> {
        let mut arguments = Vec::new();
        loop {
            let before = self.rest;
            let product = self.definition(known)?;
            let mut named = Parser { rest: before, depth: 0 };
            let word = named.name()?;
            let name = if named.take("::") { named.name()? } else { word };
            arguments.push((name.to_owned(), product));
            if self.take(")") {
                return Ok(arguments);
            }
            self.expect(",")?;
        }
    }

    fn expression(&mut self, known: &mut Definitions) -> Result<Product, String> {
        self.skip_space();
        let mark = if self.take("'") {
            '\''
        } else if self.take("\"") {
            '"'
        } else {
            return Err("a formula in quotes expected".to_owned());
        };
        let (formula, rest) = self.rest.split_once(mark).ok_or("the quotes of the formula do not close")?;
        self.rest = rest;
        let arguments = if self.take(")") {
            Vec::new()
        } else {
            self.expect(",")?;
            self.arguments(known)?
        };
        let mut inner = Parser { rest: formula, depth: self.depth };
        let product = inner.product(&arguments)?;
        inner.skip_space();
        if !inner.rest.is_empty() {
            return Err(format!("only products and powers expected, not {}", quote(inner.rest)));
        }
        Ok(product)
    }

    fn product(&mut self, arguments: &[(String, Product)]) -> Result<Product, String> {
        self.deeper()?;
        let mut product = self.power(arguments)?;
        loop {
            if self.take("*") {
                product = product.times(&self.power(arguments)?)?;
            } else if self.take("/") {
                let divisor = self.power(arguments)?;
                if !divisor.names.is_empty() || divisor.factor == 0.0 {
                    return Err("division by anything but a number is no product".to_owned());
                }
                product.factor /= divisor.factor;
            } else {
                break;
            }
        }
        self.depth -= 1;
        Ok(product)
    }

    fn power(&mut self, arguments: &[(String, Product)]) -> Result<Product, String> {
        let negative = self.take("-");
        let base = self.primary(arguments)?;
        let mut product = if self.take("**") || self.take("^") { base.power(self.exponent()?)? } else { base };
        if negative {
            product.factor = -product.factor;
        }
        Ok(product)
    }

    fn exponent(&mut self) -> Result<u32, String> {
        let exponent = self.number()?;
        if exponent.fract() != 0.0 || !(0.0..=LONGEST as f64).contains(&exponent) {
            return Err(format!("the exponent {exponent} is no whole number from 0 to {LONGEST}"));
        }
        Ok(exponent as u32)
    }

    fn primary(&mut self, arguments: &[(String, Product)]) -> Result<Product, String> {
        if self.take("(") {
            let product = self.product(arguments)?;
            self.expect(")")?;
            return Ok(product);
        }
        if self.take("@") {
            let length = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
            let (digits, rest) = self.rest.split_at(length);
            let argument = digits.parse().ok().and_then(|i: usize| arguments.get(i));
            self.rest = rest;
            return argument.map(|(_, a)| a.clone()).ok_or_else(|| format!("there is no argument @{digits}"));
        }
        if self.rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return self.number().map(Product::number);
        }
        if self.take("TMath::Power(") || self.take("pow(") {
            let base = self.product(arguments)?;
            self.expect(",")?;
            let power = base.power(self.exponent()?)?;
            self.expect(")")?;
            return Ok(power);
        }
        let name = self.name()?;
        let argument = arguments.iter().find(|(own, _)| own == name);
        argument.map(|(_, a)| a.clone()).ok_or_else(|| format!("{} is no argument of the formula", quote(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(f64, String), String> {
        let product = Definitions::default().read(text)?;
        Ok((product.factor, product.names.join("*")))
    }

    #[test]
    fn products_and_powers() {
        for (text, factor, names) in [
            ("SM[1]", 1.0, ""),
            ("ca[0,-3,3]", 1.0, "ca"),
            (" k [ 1e0 , 0 , 2.5E-1e ]", f64::NAN, ""),
            ("expr::a0('@0*@1', kv[1,0,2], kl[1,-20,20])", 1.0, "kv*kl"),
            ("expr::a(\"-2*kv*kv^2/4\", kv[1,0,2])", -0.5, "kv*kv*kv"),
            ("expr::e('pow(@0,2)*TMath::Power(b,1)',a[1,0,2],b[2])", 2.0, "a*a"),
            ("expr::e('(@0*3)**2',a[1,0,2])", 9.0, "a*a"),
            ("prod::p(a[0,-1,1],expr::q('-@0^2',a[0,-1,1]))", -1.0, "a*a*a"),
            ("expr::one('1')", 1.0, ""),
        ] {
            match read(text) {
                Ok(product) => assert_eq!(product, (factor, names.to_owned()), "{text}"),
                Err(_) => assert!(factor.is_nan(), "{text}"),
            }
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "[1]",
            "1a[0]",
            "a[",
            "a[]",
            "a[0,1",
            "a[0,1,2,3]",
            "a[1e999]",
            "a[nan]",
            "a",
            "a[0,1]x",
            "expr::a('@0+@1',x[0,0,1],y[0,0,1])",
            "expr::a('@0-1',x[0,0,1])",
            "expr::a('exp(@0)',x[0,0,1])",
            "expr::a('@1',x[0,0,1])",
            "expr::a('1/@0',x[0,0,1])",
            "expr::a('@0^0.5',x[0,0,1])",
            "expr::a('@0^-1',x[0,0,1])",
            "expr::a('@0",
            "expr::a(@0,x[0,0,1])",
            "expr::a('1/0')",
            "cexpr::a('@0',x[0,0,1])",
            "import::a(b)",
            "expr::a('@99999999999999999999',x[0,0,1])",
            "expr::a('@0^17',x[0,0,1])",
            "prod::a(b)",
            "expr::a('((@0^16)^16)^16',x[0,0,1])",
            "expr::a('é',x[0,0,1])",
        ] {
            assert!(read(text).is_err(), "{text}: {:?}", read(text));
        }
        let deep = format!("expr::a('{}@0{}',x[0,0,1])", "(".repeat(100_000), ")".repeat(100_000));
        assert!(read(&deep).unwrap_err().contains("deeper"));
        let nested = format!("{}x[0,0,1]{}", "prod::p(".repeat(100_000), ")".repeat(100_000));
        assert!(read(&nested).unwrap_err().contains("deeper"));
        let signs = format!("expr::a('{}@0',x[0,0,1])", "-".repeat(100_000));
        assert!(read(&signs).is_err());
    }

    #[test]
    fn a_name_has_one_meaning() {
        let mut known = Definitions::default();
        known.read("a[0,-1,1]").unwrap();
        assert_eq!(known.read("a").unwrap().names, ["a"]);
        assert!(known.read("a[0,-1,1]").is_ok());
        assert!(known.read("a[0,-2,1]").is_err());
        assert!(known.read("a[1]").is_err());
        assert_eq!(known.coefficients.len(), 1);
    }
}
