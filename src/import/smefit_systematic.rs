//! Columns of errors as SMEFiT writes them: sizes for every point, a class or a name, `ADD` or `MULT`.

use super::dropped;
use super::node::Node;
use crate::document::eft::{
    Correlation, Distribution, GaussianMeasurement, GaussianSystematic, MultiplicativeReference, SystematicKind,
};
use crate::finding::{Findings, Result, quote};

/// Errors without correlation, and errors of one data set; all other words are names.
pub(super) const CLASSES: [&str; 4] = ["UNCORR", "THEORYUNCORR", "CORR", "THEORYCORR"];

/// Errors whose squares count, as sizes: that some have a sign is told.
pub(super) fn sizes(errors: Vec<f64>, of: &str, pointer: &str, warnings: &mut Findings) -> Vec<f64> {
    let n = errors.iter().filter(|error| **error < 0.0).count();
    if n > 0 {
        warnings.push(dropped(pointer, format!("the sign of {n} {of}"), "the square of an error has none"));
    }
    errors.into_iter().map(f64::abs).collect()
}

/// One column.
pub(super) struct Column<'a> {
    pub class: &'a Node<'a>,
    pub kind: &'a Node<'a>,
    pub sizes: &'a Node<'a>,
    /// One a point, in units of the data.
    pub values: Vec<f64>,
}

impl Column<'_> {
    /// Adds the column to a measurement: of the names, UNCORR, CORR and those with THEORY before them are classes and say
    /// with what a column is correlated; all others are names. Multiplicative errors become fractions of the data. A column of
    /// zeros is left out.
    ///
    /// # Errors
    /// `ImportError` where the kind is neither word, or where t0 asks for an error as a fraction of zero.
    pub fn add_to(self, measurement: &mut GaussianMeasurement, warnings: &mut Findings) -> Result<()> {
        let Column { class, kind, sizes, mut values } = self;
        let mut kind = match kind.text()? {
            "ADD" => SystematicKind::Additive,
            "MULT" => SystematicKind::Multiplicative,
            _ => return Err(kind.wrong("ADD or MULT").into()),
        };
        if values.iter().all(|value| *value == 0.0) {
            let found = format!("a column of zeros, {}", quote(class.name()?));
            warnings.push(dropped(sizes.pointer.clone(), found, "it is no error"));
            return Ok(());
        }
        let of_zero = values.iter().zip(&measurement.data).any(|(value, datum)| *datum == 0.0 && *value != 0.0);
        if kind == SystematicKind::Multiplicative && of_zero {
            if measurement.multiplicative != Some(MultiplicativeReference::Data) {
                return Err(sizes
                    .error("a multiplicative error of a datum that is zero", "data other than zero")
                    .into());
            }
            // With the data as reference both kinds say the same, and this one can say it.
            kind = SystematicKind::Additive;
        }
        if kind == SystematicKind::Multiplicative {
            for (value, datum) in values.iter_mut().zip(&measurement.data) {
                *value = if *value == 0.0 { 0.0 } else { *value / datum };
            }
        }
        let class = class.name()?;
        let correlation = match CLASSES.iter().position(|own| *own == class) {
            Some(0 | 1) => Correlation::None,
            Some(_) => Correlation::Measurement,
            None => Correlation::Name,
        };
        if correlation == Correlation::None {
            values = self::sizes(values, "uncorrelated errors", &sizes.pointer, warnings);
        }
        let name = match correlation {
            Correlation::Name => class.to_owned(),
            _ => format!("{}_{class}_{}", measurement.name, measurement.systematics.len()),
        };
        measurement.systematics.push(GaussianSystematic {
            name,
            correlation,
            kind,
            distribution: Distribution::Gaussian,
            values,
        });
        Ok(())
    }
}
