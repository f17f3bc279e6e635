//! Words for what is lost.

use crate::finding::number;
use crate::model::{Constraint, HistosysCode, NormsysCode};

/// A constraint, or that there is none.
pub(super) fn constraint(constraint: Option<Constraint>) -> String {
    match constraint {
        None => "no constraint".to_owned(),
        Some(Constraint::Gaussian { auxdata, sigma }) => {
            format!("a Gaussian constraint at {} of width {}", number(auxdata), number(sigma))
        }
        Some(Constraint::Poisson { auxdata, factor }) => {
            format!("a Poisson constraint of {} events where {} are expected", number(auxdata), number(factor))
        }
    }
}

/// An interpolation code of a normsys, as pyhf and ROOT number them.
pub(super) fn normsys_code(code: NormsysCode) -> &'static str {
    match code {
        NormsysCode::Code0 => "code 0",
        NormsysCode::Code1 => "code 1",
        NormsysCode::Code2 => "code 2",
        NormsysCode::Code4 => "code 4",
        NormsysCode::Code6 => "code 6",
    }
}

/// An interpolation code of a histosys.
pub(super) fn histosys_code(code: HistosysCode) -> &'static str {
    match code {
        HistosysCode::Code0 => "code 0",
        HistosysCode::Code2 => "code 2",
        HistosysCode::Code2Pyhf => "pyhf's code 2, which has a step at |α| = 1",
        HistosysCode::Code4p => "code 4p",
    }
}
