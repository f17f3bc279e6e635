//! A mass in the denominators of relations, replaced by x = 1/M^k, whose zero is the Standard Model
//! (spec/parameter-transform.md, "Masses").

use crate::document::eft::{Eft, TransformParameter};
use crate::document::workspace::Workspace;
use crate::finding::quote;

/// What stands in the place of a mass.
#[derive(Clone, Debug, PartialEq)]
pub struct InverseMass {
    /// The parameter x.
    pub name: String,
    /// k of x = 1/M^k.
    pub power: i32,
}

/// Whether some relation has a negative power of the parameter.
pub fn is_mass(eft: &Eft, name: &str) -> bool {
    powers(eft, name).iter().any(|power| *power < 0)
}

fn powers(eft: &Eft, name: &str) -> Vec<i32> {
    let relations = eft.parameter_transform.iter().flat_map(|step| &step.relations);
    relations.flat_map(|relation| &relation.terms).filter_map(|term| term.powers.get(name).copied()).collect()
}

/// Writes x for a mass, with bounds from zero, an infinite mass, to the inverse of the mass's lower bound.
///
/// # Errors
/// In words, where the name is no parameter of the transform, stands outside of denominators, or has settings of its own.
pub fn in_inverse_powers(workspace: &mut Workspace, mass: &str) -> Result<InverseMass, String> {
    if let Some(measurement) =
        workspace.measurements.iter().find(|m| m.config.parameters.iter().any(|p| p.name == mass))
    {
        let name = quote(&measurement.name);
        return Err(format!("the measurement {name} has settings of {}: declare them in the transform", quote(mass)));
    }
    let eft = workspace.eft.as_deref_mut().ok_or("a plain workspace, without the EFT extension")?;
    let all = powers(eft, mass);
    let declared = eft.parameter_transform.iter().flat_map(|step| &step.parameters).find(|p| p.name == mass);
    let Some(TransformParameter { bounds: [low, _], .. }) = declared.cloned() else {
        return Err(format!("{} is no parameter of parameter_transform", quote(mass)));
    };
    let in_matrix = eft.parameter_transform.iter().flat_map(|step| &step.linear);
    let in_matrix = in_matrix.flat_map(|l| l.parameters.iter().chain(&l.coefficients)).any(|name| name == mass);
    let given = eft.given().contains(mass);
    if in_matrix || given || all.iter().any(|power| *power > 0) || all.is_empty() {
        return Err(format!("{} does not stand in denominators alone: scan it", quote(mass)));
    }
    let power = all.iter().fold(0_i32, |divisor, power| gcd(divisor, power.saturating_abs()));
    let name = format!("{mass}^-{power}");
    for step in &mut eft.parameter_transform {
        for parameter in step.parameters.iter_mut().filter(|parameter| parameter.name == mass) {
            *parameter =
                TransformParameter { name: name.clone(), bounds: [0.0, low.powi(-power)], init: 0.0, fixed: false };
        }
        for term in step.relations.iter_mut().flat_map(|relation| &mut relation.terms) {
            if let Some(own) = term.powers.remove(mass) {
                term.powers.insert(name.clone(), -own / power);
            }
        }
    }
    for measurement in workspace.measurements.iter_mut().filter(|m| m.config.poi == mass) {
        measurement.config.poi.clone_from(&name);
    }
    Ok(InverseMass { name, power })
}

fn gcd(a: i32, b: i32) -> i32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl InverseMass {
    /// The mass of a value of x: infinite for zero.
    pub fn mass(&self, x: f64) -> f64 {
        x.powf(-1.0 / f64::from(self.power))
    }
}
