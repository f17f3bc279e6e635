//! From sums of weights to yields (spec/event-database.md, eq. 1).

use crate::document::eft::{CrossSectionUnit, LuminosityUnit, Normalisation};
use crate::finding::{Finding, Findings, Result, number};
use crate::rule;

/// The factor on all weights: luminosity × cross section / sum of weights × k-factor, units converted.
pub fn yield_factor(normalisation: &Normalisation, k_factor: f64) -> Result<f64> {
    let factor = match *normalisation {
        Normalisation::Yields => 1.0,
        Normalisation::Absolute { luminosity, luminosity_unit, weight_unit } => {
            positive("luminosity", luminosity)? * conversion(luminosity_unit, weight_unit)
        }
        Normalisation::Generator { luminosity, luminosity_unit, cross_section, cross_section_unit, sum_of_weights } => {
            positive("luminosity", luminosity)?
                * positive("cross_section", cross_section)?
                * conversion(luminosity_unit, cross_section_unit)
                / positive("sum_of_weights", sum_of_weights)?
        }
    };
    positive("the product of normalisation and k_factor", factor * positive("k_factor", k_factor)?)
}

/// The product of both units as a pure number.
fn conversion(luminosity: LuminosityUnit, cross_section: CrossSectionUnit) -> f64 {
    match (luminosity, cross_section) {
        (LuminosityUnit::InversePicobarn, CrossSectionUnit::Pb)
        | (LuminosityUnit::InverseFemtobarn, CrossSectionUnit::Fb) => 1.0,
        (LuminosityUnit::InverseFemtobarn, CrossSectionUnit::Pb) => 1e3,
        (LuminosityUnit::InversePicobarn, CrossSectionUnit::Fb) => 1e-3,
    }
}

fn positive(what: &str, x: f64) -> Result<f64> {
    if x > 0.0 && x.is_finite() {
        return Ok(x);
    }
    let found = format!("{what} of {}", number(x));
    Err(Findings::from(Finding::new(&rule::EVENT_NORMALISATION, found, "a positive finite number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 139/fb × 2 pb = 278 000 events; 0.5 of a sum of weights of 4 counts eight times less.
    #[test]
    fn units_are_converted() {
        let absolute =
            |luminosity_unit, weight_unit| Normalisation::Absolute { luminosity: 139.0, luminosity_unit, weight_unit };
        let factor = |n: &Normalisation| yield_factor(n, 1.0).unwrap();
        assert_eq!(factor(&absolute(LuminosityUnit::InverseFemtobarn, CrossSectionUnit::Pb)) * 2.0, 278_000.0);
        assert_eq!(factor(&absolute(LuminosityUnit::InversePicobarn, CrossSectionUnit::Fb)) * 2.0, 0.278);
        assert_eq!(factor(&absolute(LuminosityUnit::InversePicobarn, CrossSectionUnit::Pb)) * 2.0, 278.0);
        let generator = Normalisation::Generator {
            luminosity: 139.0,
            luminosity_unit: LuminosityUnit::InverseFemtobarn,
            cross_section: 2.0,
            cross_section_unit: CrossSectionUnit::Pb,
            sum_of_weights: 4.0,
        };
        assert_eq!(yield_factor(&generator, 1.5).unwrap() * 0.5, 278_000.0 / 8.0 * 1.5);
    }

    #[test]
    fn what_is_not_positive_is_refused() {
        for (normalisation, k) in [
            (Normalisation::Yields, 0.0),
            (Normalisation::Yields, f64::NAN),
            (
                Normalisation::Absolute {
                    luminosity: -1.0,
                    luminosity_unit: LuminosityUnit::InversePicobarn,
                    weight_unit: CrossSectionUnit::Pb,
                },
                1.0,
            ),
        ] {
            let findings = yield_factor(&normalisation, k).unwrap_err();
            assert_eq!(findings.0[0].rule, "W271");
        }
    }
}
