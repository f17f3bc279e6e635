//! Formulas that ROOT's TFormula and pyhs3's sympy read alike: sums, products, quotients, `sqrt`, `abs`, `exp`. Neither
//! powers (`^` is another thing in sympy) nor `min` and `max` (which sympy does not know by these names).

use crate::model::Laurent;
use crate::model::eft::{Factor, Polynomial};

/// A number that neither reads as an integer.
pub(super) fn literal(x: f64) -> String {
    format!("{x:?}")
}

/// Σ a · text, signs in front; zeros are left out. Texts bind at least as products do; an empty text is 1.
pub(super) fn sum<'t>(terms: impl IntoIterator<Item = (f64, &'t str)>) -> String {
    let mut formula = String::new();
    for (a, text) in terms.into_iter().filter(|(a, _)| *a != 0.0) {
        match (formula.is_empty(), a < 0.0) {
            (_, true) => formula.push('-'),
            (false, false) => formula.push('+'),
            (true, false) => {}
        }
        let size = a.abs();
        if text.is_empty() {
            formula.push_str(&literal(size));
        } else if size == 1.0 {
            formula.push_str(text);
        } else {
            formula.push_str(&format!("{}*{text}", literal(size)));
        }
    }
    if formula.is_empty() { literal(0.0) } else { formula }
}

/// φ(c): the product of the names, empty for the constant.
pub(super) fn monomial(indices: &[u32], variables: &[&str]) -> String {
    let names: Vec<&str> = indices.iter().filter_map(|i| variables.get(*i as usize).copied()).collect();
    names.join("*")
}

/// P_b(c) of one bin.
pub(super) fn polynomial(polynomial: &Polynomial, bin: usize, variables: &[&str]) -> String {
    let texts: Vec<String> = polynomial.monomials.iter().map(|m| monomial(m, variables)).collect();
    let of_bin = polynomial.terms().map(|(_, a)| a.get(bin).copied().unwrap_or(0.0));
    sum(of_bin.zip(texts.iter().map(String::as_str)))
}

/// Π P^p of one bin. `name` gives a factor that stands more than once a name of its own.
pub(super) fn product(
    factors: &[Factor],
    bin: usize,
    variables: &[&str],
    mut name: impl FnMut(usize, String) -> String,
) -> String {
    let (mut above, mut below) = (Vec::new(), Vec::new());
    for (i, factor) in factors.iter().enumerate() {
        let formula = polynomial(&factor.polynomial, bin, variables);
        let times = factor.power.unsigned_abs() as usize;
        let text = if times > 1 { name(i, formula) } else { format!("({formula})") };
        let side = if factor.power > 0 { &mut above } else { &mut below };
        side.extend(std::iter::repeat_n(text, times));
    }
    if above.is_empty() {
        above.push(literal(1.0));
    }
    match (above.as_slice(), below.is_empty()) {
        ([one], true) => one.strip_prefix('(').and_then(|t| t.strip_suffix(')')).unwrap_or(one).to_owned(),
        (_, true) => above.join("*"),
        (_, false) => format!("{}/({})", above.join("*"), below.join("*")),
    }
}

/// Σ a Π x^n of one bin; `names` are those of the parameters by their numbers.
pub(super) fn laurent(expression: &Laurent, names: &[&str]) -> String {
    let mut texts = Vec::new();
    for (powers, a) in expression.terms() {
        let side = |positive: bool| -> Vec<&str> {
            let own = powers.iter().filter(|(_, n)| (*n > 0) == positive);
            own.flat_map(|(i, n)| std::iter::repeat_n(name_of(names, *i), n.unsigned_abs() as usize)).collect()
        };
        let (above, below) = (side(true), side(false));
        let above = if above.is_empty() && !below.is_empty() { literal(1.0) } else { above.join("*") };
        let text = if below.is_empty() { above } else { format!("{above}/({})", below.join("*")) };
        texts.push((a.first().copied().unwrap_or(0.0), text));
    }
    sum(texts.iter().map(|(a, text)| (*a, text.as_str())))
}

fn name_of<'n>(names: &[&'n str], i: u32) -> &'n str {
    names.get(i as usize).copied().unwrap_or_default()
}

/// The root of what is not negative but for rounding.
pub(super) fn root(formula: &str, is_constant: bool) -> String {
    if is_constant { format!("sqrt({formula})") } else { format!("sqrt(0.5*(({formula})+abs({formula})))") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_read_as_they_are_meant() {
        let p = Polynomial::from_terms(1, [(vec![], vec![1.0]), (vec![0], vec![-1.0]), (vec![0, 1], vec![2.5e-7])]);
        let names = ["ca", "cb"];
        assert_eq!(polynomial(&p, 0, &names), "1.0-ca+2.5e-7*ca*cb");
        let zero = Polynomial::from_terms(1, [(vec![1], vec![0.0])]);
        assert_eq!(polynomial(&zero, 0, &names), "0.0");
        let one = Factor { polynomial: p.clone(), power: 1 };
        let two = Factor { polynomial: p, power: -2 };
        let mut made = Vec::new();
        let formula = product(&[one.clone(), two], 0, &names, |i, formula| {
            made.push(formula);
            format!("f{i}")
        });
        assert_eq!(formula, "(1.0-ca+2.5e-7*ca*cb)/(f1*f1)");
        assert_eq!(made, ["1.0-ca+2.5e-7*ca*cb"]);
        assert_eq!(product(&[one], 0, &names, |_, formula| formula), "1.0-ca+2.5e-7*ca*cb");
    }
}
