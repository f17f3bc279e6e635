//! Wilson coefficients that are functions of the parameters (spec/parameter-transform.md, "Results").

use super::number::{Number, with_uncertainty};
use super::table::{Cell, Column, Table};
use crate::infer::{FitOptions, FitResult};
use crate::model::{Derived, Model};
use schemars::JsonSchema;
use serde::Serialize;

/// A coefficient at the best fit.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DerivedEntry {
    pub name: String,
    /// The value is outside the bounds of its declaration, inside which responses are meant to hold.
    pub outside_bounds: bool,
    /// From the covariance of the parameters, to first order.
    pub uncertainty: Number,
    pub value: Number,
}

impl DerivedEntry {
    /// Those of a fit.
    pub fn all(model: &Model, options: &FitOptions, result: &FitResult) -> Vec<DerivedEntry> {
        let one = |derived: &Derived| {
            let value = derived.value(&result.parameters);
            DerivedEntry {
                name: derived.name.clone(),
                outside_bounds: derived.is_outside(value),
                uncertainty: Number(uncertainty(derived, options, result)),
                value: Number(value),
            }
        };
        model.derived.iter().map(one).collect()
    }
}

/// √(∂cᵀ V ∂c); zero where nothing moves the coefficient.
fn uncertainty(derived: &Derived, options: &FitOptions, result: &FitResult) -> f64 {
    let Some(covariance) = &result.covariance else { return f64::NAN };
    let n = result.parameters.len();
    let is_free = |i: usize| options.fixed.get(i).is_some_and(|fixed| !fixed);
    let gradient: Vec<(usize, f64)> =
        derived.gradient(&result.parameters).into_iter().filter(|(i, _)| is_free(*i)).collect();
    let entry = |i: usize, j: usize| covariance.get(i * n + j).copied().unwrap_or(f64::NAN);
    let row = |&(i, x): &(usize, f64)| gradient.iter().map(|&(j, y)| x * y * entry(i, j)).sum::<f64>();
    gradient.iter().map(row).sum::<f64>().sqrt()
}

/// One row a coefficient.
pub fn table(entries: &[DerivedEntry]) -> Table {
    let columns = [
        Column::left("coefficient"),
        Column::right("value"),
        Column::left("± σ").key("uncertainty"),
        Column::left("").key("remark"),
    ];
    let mut table = Table::new("Given by parameter_transform", columns);
    for entry in entries {
        let sigma = Some(entry.uncertainty.0).filter(|sigma| sigma.is_finite());
        let (value, uncertainty) = with_uncertainty(entry.value.0, sigma);
        let width = match sigma {
            Some(sigma) if !uncertainty.is_empty() => Cell::number_as(sigma, format!("± {uncertainty}")),
            _ => Cell::empty(),
        };
        let remark = if entry.outside_bounds { "outside bounds" } else { "" };
        table.add_row([Cell::name(&entry.name), Cell::number_as(entry.value.0, value), width, Cell::text(remark)]);
    }
    table
}
