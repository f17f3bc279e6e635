//! The exact second derivatives of a program: pushed through the columns of each term, then through the scalars
//! (spec/hs3.md, eq. 45).

use super::column::{ColumnProgram, Tables};
use super::column_hessian::{ColumnHessian, ColumnRoom};
use super::pushes::Pushes;
use super::scalar::Scalar;
use super::scalar_hessian::{IntegralRule, ScalarHessian, rule};

/// The steps that follow a gradient.
#[derive(Clone, Debug)]
pub(super) struct ProgramHessian {
    /// By integral; nothing for those that no parameter moves, or that are columns.
    pub integrals: Vec<Option<ColumnHessian>>,
    pub terms: Vec<ColumnHessian>,
    pub scalars: ScalarHessian,
    /// The two parameters of each sum of the scalars, as places in the list of the program's parameters.
    pub places: Vec<(usize, usize)>,
    pub n_parameters: usize,
}

/// Memory of the steps.
#[derive(Clone, Debug, Default)]
pub(super) struct HessianRoom {
    pub columns: ColumnRoom,
    pub scalars: Vec<f64>,
    /// What the terms give to pairs of scalars.
    pub given: Vec<f64>,
}

impl ProgramHessian {
    /// Nothing where differences of the gradient are cheaper, where an integral differs from event to event, or where the
    /// integrand has a kink that moves.
    pub fn compile<'p>(
        scalars: &[Scalar],
        integral_inputs: &[Option<Vec<usize>>],
        tables: &Tables,
        terms: impl Iterator<Item = &'p ColumnProgram>,
        parameters: &[usize],
    ) -> Option<ProgramHessian> {
        let mut integrals: Vec<Option<ColumnHessian>> = vec![None; tables.integrals.len()];
        let (mut moves, mut derivatives) = (Vec::with_capacity(scalars.len()), Vec::new());
        for (at, scalar) in scalars.iter().enumerate() {
            let mut of_integral = None;
            if let Scalar::Integral(index) = scalar {
                let inputs = integral_inputs[*index].clone()?;
                let moving: Vec<bool> = inputs.iter().map(|input| moves[*input]).collect();
                if moving.contains(&true) {
                    let hessian = ColumnHessian::compile_integrand(&tables.integrals[*index].program, &moving)?;
                    of_integral = Some(IntegralRule { inputs, moving, pairs: hessian.sums().to_vec() });
                    integrals[*index] = Some(hessian);
                }
            }
            let of_scalar = rule(at, scalar, &moves, of_integral.unwrap_or_default());
            moves.push(matches!(scalar, Scalar::Parameter(_)) || !of_scalar.first.is_empty());
            if !of_scalar.first.is_empty() {
                derivatives.push(of_scalar);
            }
        }
        derivatives.reverse();
        let terms: Vec<ColumnHessian> =
            terms.map(|program| ColumnHessian::compile(program, &moves)).collect::<Option<_>>()?;
        let given: Vec<(usize, usize)> = terms.iter().flat_map(|term| term.sums().iter().copied()).collect();
        let pushes = Pushes::compile(&derivatives, &given, parameters.len())?;
        let place = |at: usize| match scalars[at] {
            Scalar::Parameter(index) => parameters.binary_search(&index).ok(),
            _ => None,
        };
        let places = pushes.sums.iter().map(|(a, b)| Some((place(*a)?, place(*b)?))).collect::<Option<_>>()?;
        let of_scalars = ScalarHessian::new(&pushes, scalars.len());
        Some(ProgramHessian { integrals, terms, scalars: of_scalars, places, n_parameters: parameters.len() })
    }
}
