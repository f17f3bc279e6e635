//! A parameter set: one name, one or more values with start, bounds and constraint (spec/modifiers.md, table 1).

use super::Constraint;

/// What one name of the document stands for: a scalar, or a value a bin.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSet {
    pub name: String,
    /// A scalar set is called `name`, any other `name[i]`, even with one value.
    pub scalar: bool,
    pub init: Vec<f64>,
    pub bounds: Vec<(f64, f64)>,
    pub fixed: Vec<bool>,
    /// One constraint a value, or none for a free set.
    pub constraints: Option<Vec<Constraint>>,
}

impl ParameterSet {
    #[allow(clippy::len_without_is_empty)] // a set without values does not exist
    pub fn len(&self) -> usize {
        self.init.len()
    }

    /// Names of the scalar values, as in pyhf's `par_names`.
    pub fn scalar_names(&self) -> Vec<String> {
        if self.scalar {
            vec![self.name.clone()]
        } else {
            (0..self.len()).map(|i| format!("{}[{i}]", self.name)).collect()
        }
    }

    pub(super) fn scalar_constraints(&self) -> Vec<Option<Constraint>> {
        match &self.constraints {
            Some(constraints) => constraints.iter().copied().map(Some).collect(),
            None => vec![None; self.len()],
        }
    }
}
