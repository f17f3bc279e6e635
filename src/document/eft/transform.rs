//! Relations among coefficients as they are written in the file (spec/parameter-transform.md).

use super::Eft;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

/// One step: coefficients of the block, or parameters of an earlier step, expressed by other parameters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransformStep {
    /// New parameters, free and without constraint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<TransformParameter>,
    /// c = offset + matrix · p
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "LinearRelations")]
    pub linear: Option<LinearRelations>,
    /// c = Σ a Π p^n
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relations: Vec<Relation>,
    /// Where the rows of a rotation come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DirectionRecord")]
    pub directions: Option<DirectionRecord>,
    /// The step takes coefficients from one renormalisation scale to another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Running")]
    pub running: Option<Running>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransformParameter {
    pub name: String,
    pub bounds: [f64; 2],
    #[serde(default)]
    pub init: f64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fixed: bool,
}

/// A matrix with the names of its rows and columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinearRelations {
    /// What the rows give.
    #[schemars(length(min = 1))]
    pub coefficients: Vec<String>,
    /// What the columns multiply; without any, the coefficients are held at the offset.
    pub parameters: Vec<String>,
    #[schemars(length(min = 1))]
    pub matrix: Vec<Vec<f64>>,
    /// One number a row; zero where it is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offset: Vec<f64>,
}

/// One coefficient as a sum of products.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Relation {
    pub coefficient: String,
    /// Without any, the coefficient is zero.
    pub terms: Vec<RelationTerm>,
}

/// factor · Π p^n
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RelationTerm {
    pub factor: f64,
    /// The power of each name; without any, the term is a constant.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub powers: BTreeMap<String, i32>,
}

/// The eigenvectors of an information matrix that a rotation was made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DirectionRecord {
    /// Of the parameters of the step, in their order.
    pub eigenvalues: Vec<f64>,
    /// Directions below the threshold: the coefficients do not move along them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<DroppedDirection>,
    /// Directions with a smaller eigenvalue were dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    pub threshold: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DroppedDirection {
    pub eigenvalue: f64,
    /// A component for each coefficient of `linear`.
    pub vector: Vec<f64>,
}

/// The scales of an evolution matrix.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Running {
    /// The scale of the parameters.
    #[serde(rename = "from_scale_GeV")]
    pub from_scale_gev: f64,
    /// The scale of what they give.
    #[serde(rename = "to_scale_GeV")]
    pub to_scale_gev: f64,
}

/// A coefficient, or a parameter of the transform, that a fit moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FitCoefficient<'e> {
    pub name: &'e str,
    pub bounds: [f64; 2],
    pub init: f64,
    pub fixed: bool,
}

impl TransformStep {
    /// The names that the step gives, with repetitions where the document is wrong.
    pub fn given(&self) -> impl Iterator<Item = &str> {
        let of_matrix = self.linear.iter().flat_map(|linear| &linear.coefficients);
        of_matrix.chain(self.relations.iter().map(|relation| &relation.coefficient)).map(String::as_str)
    }
}

impl Eft {
    /// The names that the steps of the transform give: they are no parameters of the model.
    pub fn given(&self) -> HashSet<&str> {
        self.parameter_transform.iter().flat_map(TransformStep::given).collect()
    }

    /// What a fit moves, in fit order: coefficients that no step gives, then the parameters of the steps likewise.
    pub fn fit_coefficients(&self) -> Vec<FitCoefficient<'_>> {
        let given = self.given();
        let declared = self.wilson_coefficients.iter().map(|c| FitCoefficient {
            name: &c.name,
            bounds: c.bounds,
            init: c.init,
            fixed: c.fixed,
        });
        let of_steps = self.parameter_transform.iter().flat_map(|step| &step.parameters).map(|p| FitCoefficient {
            name: &p.name,
            bounds: p.bounds,
            init: p.init,
            fixed: p.fixed,
        });
        declared.chain(of_steps).filter(|coefficient| !given.contains(coefficient.name)).collect()
    }
}
