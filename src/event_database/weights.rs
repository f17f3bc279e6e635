//! The weight of a row as a polynomial (spec/event-database.md, eq. 2 and 3): its monomials after truncation, and its
//! coefficients from the columns of the file.

use super::columns::Batch;
use super::declaration::{Columns, contradiction};
use crate::document::eft::{Eft, EventWeights, MorphComponents, Truncation};
use crate::finding::{Findings, Result, quote};
use crate::model::eft::polynomial::{all_monomials, np_order};
use crate::model::eft::{Monomial, Polynomial};
use crate::rule;
use std::collections::{BTreeMap, BTreeSet};

/// How the coefficients of a row come from its columns.
#[derive(Clone, Debug)]
pub struct Weights {
    /// The Wilson coefficients of the weight, in the order of the block `eft`: the variables of `monomials`.
    pub variables: Vec<String>,
    pub monomials: Vec<Monomial>,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    /// Columns of the batch, one a monomial.
    Coefficients(Vec<usize>),
    Ratio {
        reference: usize,
        columns: Vec<usize>,
    },
    /// One column a basis point, and the rows of the solution operator, one a monomial.
    Basis {
        columns: Vec<usize>,
        operator: Vec<Vec<f64>>,
    },
}

impl Weights {
    /// The weight of a declaration, truncated; its columns are asked for in `columns`.
    pub fn new(eft: &Eft, weights: &EventWeights, truncation: Truncation, columns: &mut Columns) -> Result<Weights> {
        let index: BTreeMap<&str, u32> =
            (0u32..).zip(&eft.wilson_coefficients).map(|(i, c)| (c.name.as_str(), i)).collect();
        let all = match weights {
            EventWeights::Coefficients { monomials, .. } | EventWeights::Ratio { monomials, .. } => {
                indices(monomials, &index)?
            }
            EventWeights::BasisWeights { components, .. } => components_of(components, &index)?,
        };
        if all.iter().collect::<BTreeSet<_>>().len() != all.len() {
            return Err(contradiction("one monomial stands twice", "each monomial once").into());
        }
        let order: Vec<u32> = eft.wilson_coefficients.iter().map(|c| c.dimension.saturating_sub(4) / 2).collect();
        let kept: Vec<usize> = match truncation {
            Truncation::None(_) => (0..all.len()).collect(),
            Truncation::Order(most) => (0..all.len())
                .filter(|k| all.get(*k).is_some_and(|m| np_order(m, &order) <= most.max_np_order))
                .collect(),
        };
        let form = form(weights, &all, &kept, &index, columns)?;
        let kept = kept.iter().filter_map(|k| all.get(*k).cloned()).collect();
        let (variables, monomials) = compact(eft, kept);
        Ok(Weights { variables, monomials, form })
    }

    /// Writes the coefficients of a row of the batch to `out`, one a monomial.
    pub fn fill(&self, batch: &Batch, row: usize, out: &mut [f64]) {
        let value = |column: &usize| batch.numbers(*column).get(row).copied().unwrap_or(f64::NAN);
        match &self.form {
            Form::Coefficients(columns) => {
                for (a, column) in out.iter_mut().zip(columns) {
                    *a = value(column);
                }
            }
            Form::Ratio { reference, columns } => {
                let reference = value(reference);
                for (a, column) in out.iter_mut().zip(columns) {
                    *a = reference * value(column);
                }
            }
            Form::Basis { columns, operator } => {
                for (a, solution) in out.iter_mut().zip(operator) {
                    *a = solution.iter().zip(columns).map(|(s, column)| s * value(column)).sum();
                }
            }
        }
    }
}

fn form(
    weights: &EventWeights,
    all: &[Monomial],
    kept: &[usize],
    index: &BTreeMap<&str, u32>,
    wanted: &mut Columns,
) -> Result<Form> {
    let one_each = |columns: &[String], wanted: &mut Columns| {
        if columns.len() != all.len() {
            let found = format!("{} monomials with {} columns", all.len(), columns.len());
            return Err(Findings::from(contradiction(&found, "one column a monomial")));
        }
        Ok(kept.iter().filter_map(|k| columns.get(*k)).map(|name| wanted.number(name)).collect())
    };
    Ok(match weights {
        EventWeights::Coefficients { columns, .. } => Form::Coefficients(one_each(columns, wanted)?),
        EventWeights::Ratio { reference, columns, .. } => {
            Form::Ratio { reference: wanted.number(reference), columns: one_each(columns, wanted)? }
        }
        EventWeights::BasisWeights { parameters, basis_points, columns, .. } => {
            let rows = operator(parameters, basis_points, columns.len(), all, index)?;
            Form::Basis {
                columns: columns.iter().map(|name| wanted.number(name)).collect(),
                operator: kept.iter().filter_map(|k| rows.get(*k).cloned()).collect(),
            }
        }
    })
}

/// The solution operator of a basis, a row a monomial and a column a basis point.
fn operator(
    parameters: &[String],
    basis_points: &[Vec<f64>],
    n_columns: usize,
    monomials: &[Monomial],
    index: &BTreeMap<&str, u32>,
) -> Result<Vec<Vec<f64>>> {
    if basis_points.len() != n_columns {
        let found = format!("{} basis points with {n_columns} columns", basis_points.len());
        return Err(contradiction(&found, "one column a basis point").into());
    }
    let own: Vec<u32> = indices(&[parameters.to_vec()], index)?.into_iter().flatten().collect();
    if own.iter().collect::<BTreeSet<_>>().len() != parameters.len() {
        return Err(contradiction("a parameter of the basis stands twice", "each parameter once").into());
    }
    // The monomials in the variables of the basis points.
    let place: BTreeMap<u32, u32> =
        parameters.iter().zip(0u32..).filter_map(|(name, i)| Some((*index.get(name.as_str())?, i))).collect();
    let local: Option<Vec<Monomial>> =
        monomials.iter().map(|m| m.iter().map(|v| place.get(v).copied()).collect()).collect();
    let Some(local) = local else {
        return Err(
            contradiction("a monomial has a coefficient that is no parameter of the basis", "its parameters").into()
        );
    };
    super::basis::operator(basis_points, &local)
        .map_err(|why| crate::finding::Finding::new(&rule::EVENT_BASIS, why, "a basis that can be solved").into())
}

/// Monomials as sorted indices into the coefficients of the block.
fn indices(monomials: &[Vec<String>], index: &BTreeMap<&str, u32>) -> Result<Vec<Monomial>> {
    let one = |names: &Vec<String>| -> Result<Monomial> {
        let mut monomial = Monomial::new();
        for name in names {
            let Some(i) = index.get(name.as_str()) else {
                let found = format!("a monomial with {}", quote(name));
                return Err(contradiction(&found, "Wilson coefficients of the block eft").into());
            };
            monomial.push(*i);
        }
        monomial.sort_unstable();
        Ok(monomial)
    };
    monomials.iter().map(one).collect()
}

/// The monomials of the samples behind basis weights.
fn components_of(components: &MorphComponents, index: &BTreeMap<&str, u32>) -> Result<Vec<Monomial>> {
    let vertices = match components {
        MorphComponents::Monomials(list) => return indices(&list.monomials, index),
        MorphComponents::Vertices(list) => list.vertices.values(),
    };
    let mut product = Polynomial::constant(1, 1.0);
    for names in vertices {
        let own: Vec<u32> = indices(std::slice::from_ref(names), index)?.into_iter().flatten().collect();
        let squares = all_monomials(u32::try_from(own.len()).unwrap_or(u32::MAX), 2);
        let terms = squares.into_iter().map(|m| (m, vec![1.0]));
        product = product.product(&Polynomial::from_terms(1, terms).renamed(&own));
    }
    Ok(product.monomials)
}

/// The variables that occur in monomials over all coefficients, and the monomials in them.
fn compact(eft: &Eft, monomials: Vec<Monomial>) -> (Vec<String>, Vec<Monomial>) {
    let used: BTreeSet<u32> = monomials.iter().flatten().copied().collect();
    let place: BTreeMap<u32, u32> = used.iter().copied().zip(0u32..).collect();
    let names = used.iter().filter_map(|i| eft.wilson_coefficients.get(*i as usize)).map(|c| c.name.clone());
    let monomials = monomials.into_iter().map(|m| m.iter().filter_map(|v| place.get(v).copied()).collect());
    (names.collect(), monomials.collect())
}
