//! Five spellings of interpolation, six codes (A5; spec/hs3-histfactory.md, table 3).

use crate::document::hs3::{Channel, Interpolation, Modifier, ModifierKind, StructInterpolation};
use crate::finding::{Finding, Findings, Result, quote};
use crate::model::{HistosysCode, NormsysCode};
use crate::rule;

/// What interpolation does to a quantity, in words of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// Adds a line above and one below.
    AddLinear,
    AddQuadratic,
    AddPolynomial,
    /// Multiplies with exponentials.
    MultiplyExponential,
    MultiplyPolynomialExponential,
    MultiplyPolynomialLinear,
}

impl Code {
    pub fn is_additive(self) -> bool {
        matches!(self, Code::AddLinear | Code::AddQuadratic | Code::AddPolynomial)
    }

    /// The function of a single factor; additive ones are 1 + δ.
    pub fn factor(self) -> NormsysCode {
        match self {
            Code::AddLinear => NormsysCode::Code0,
            Code::AddQuadratic => NormsysCode::Code2,
            Code::AddPolynomial | Code::MultiplyPolynomialLinear => NormsysCode::Code6,
            Code::MultiplyExponential => NormsysCode::Code1,
            Code::MultiplyPolynomialExponential => NormsysCode::Code4,
        }
    }

    /// The function of an additive offset.
    pub fn offset(self) -> HistosysCode {
        match self {
            Code::AddLinear => HistosysCode::Code0,
            Code::AddQuadratic => HistosysCode::Code2,
            _ => HistosysCode::Code4p,
        }
    }

    /// As the modifier says, or the channel, or the default: (multiply, poly6, exp) for normsys and (add, poly6, linear)
    /// for histosys, on which ROOT, pyhf and pyhs3 agree.
    pub fn of(modifier: &Modifier, channel: &Channel) -> Result<Code> {
        let is_normsys = modifier.kind == ModifierKind::Normsys;
        match &modifier.interpolation {
            Some(written) => Code::written(written, is_normsys).ok_or_else(|| unknown(modifier, &shown(written))),
            None => match &channel.default_interpolation {
                Some(default) => Code::of_struct(default).ok_or_else(|| {
                    unknown(modifier, &format!("the default {}", shown(&Interpolation::Struct(default.clone()))))
                }),
                None if is_normsys => Ok(Code::MultiplyPolynomialExponential),
                None => Ok(Code::AddPolynomial),
            },
        }
    }

    fn written(written: &Interpolation, is_normsys: bool) -> Option<Code> {
        Some(match written {
            Interpolation::Code(code) => return Code::of_number(*code, is_normsys),
            Interpolation::Word(word) => match (word.as_str(), is_normsys) {
                ("lin", _) => Code::AddLinear,
                ("log", _) => Code::MultiplyExponential,
                ("parabolic", _) => Code::AddQuadratic,
                // The specification's word for both; a factor is never added in any program.
                ("poly6", true) => Code::MultiplyPolynomialExponential,
                ("poly6", false) => Code::AddPolynomial,
                (other, _) => return Code::of_name(other, is_normsys),
            },
            Interpolation::InData(name) => return Code::of_name(name, is_normsys),
            Interpolation::Struct(parts) => return Code::of_struct(parts),
        })
    }

    /// ROOT's numbers: 4 is another code for factors than for templates.
    fn of_number(code: i64, is_normsys: bool) -> Option<Code> {
        Some(match (code, is_normsys) {
            (0, _) => Code::AddLinear,
            (1, _) => Code::MultiplyExponential,
            (2 | 3, _) => Code::AddQuadratic,
            (4, true) | (5, _) => Code::MultiplyPolynomialExponential,
            (4, false) => Code::AddPolynomial,
            (6, _) => Code::MultiplyPolynomialLinear,
            _ => return None,
        })
    }

    fn of_name(name: &str, is_normsys: bool) -> Option<Code> {
        match name.strip_prefix("code")? {
            "4p" => Some(if is_normsys { Code::MultiplyPolynomialLinear } else { Code::AddPolynomial }),
            number => Code::of_number(number.parse().ok()?, is_normsys),
        }
    }

    fn of_struct(parts: &StructInterpolation) -> Option<Code> {
        let outer = parts.outer.as_deref().unwrap_or(&parts.inner);
        Some(match (parts.kind.as_str(), parts.inner.as_str(), outer) {
            ("add", "poly1", "poly1") => Code::AddLinear,
            ("mult", "exp", "exp") => Code::MultiplyExponential,
            ("add", "poly2", "poly1") => Code::AddQuadratic,
            ("add", "poly6", "poly1") => Code::AddPolynomial,
            ("mult", "poly6", "exp") => Code::MultiplyPolynomialExponential,
            ("mult", "poly6", "poly1") => Code::MultiplyPolynomialLinear,
            _ => return None,
        })
    }
}

fn shown(written: &Interpolation) -> String {
    match written {
        Interpolation::Code(code) => code.to_string(),
        Interpolation::Word(word) | Interpolation::InData(word) => quote(word),
        Interpolation::Struct(parts) => {
            format!("({}, {}, {})", parts.kind, parts.inner, parts.outer.as_deref().unwrap_or("as inside"))
        }
    }
}

fn unknown(modifier: &Modifier, found: &str) -> Findings {
    let expected = "0 to 6; lin, log, parabolic, poly6; code0 to code6, code4p; or one of the six structures";
    Finding::new(&rule::HS3_INTERPOLATION, found, expected).at(modifier.pointer.clone()).into()
}
