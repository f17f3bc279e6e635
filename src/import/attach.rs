//! Imported responses put into a workspace: the block `eft` and the modifiers of samples.

use super::{Import, ImportedResponse};
use crate::document::eft::{Basis, Eft, FlatErrors, NamedSystematics, VERSION, WilsonCoefficient};
use crate::document::workspace::{Sample, Workspace};
use crate::finding::{Finding, Result, number, quote};
use crate::rule;
use std::collections::BTreeMap;

/// Largest relative difference of the yields of a sample and those that an absolute response replaces.
const SAME: f64 = 1e-6;

/// Where a response goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub channel: String,
    pub sample: String,
    /// The name of the modifier.
    pub name: String,
}

/// Declares the coefficients in the block `eft` of a workspace, which begins with `basis` where there is none.
///
/// # Errors
/// `ImportError` if there is neither a block nor a basis, if both differ, or if a coefficient is declared differently.
pub fn declare(workspace: &mut Workspace, coefficients: &[WilsonCoefficient], basis: Option<&Basis>) -> Result<()> {
    let eft = match (&mut workspace.eft, basis) {
        (Some(eft), None) => eft,
        (Some(eft), Some(basis)) if eft.basis == *basis => eft,
        (Some(_), Some(_)) => {
            let found = "another basis than that of the workspace";
            return Err(Finding::new(&rule::IMPORT_REFUSED, found, "coefficients of one basis")
                .at("/eft/basis")
                .into());
        }
        (none, Some(basis)) => none.insert(Box::new(Eft {
            version: VERSION.to_owned(),
            basis: basis.clone(),
            wilson_coefficients: Vec::new(),
            responses: BTreeMap::new(),
            event_databases: Vec::new(),
            gaussian_measurements: Vec::new(),
            gaussian_correlations: Vec::new(),
            named_systematics: NamedSystematics::default(),
            flat_errors: FlatErrors::default(),
            unbinned_terms: Vec::new(),
        })),
        (None, None) => {
            let expected = "the basis, the scale and the input scheme of the coefficients";
            return Err(Finding::new(&rule::IMPORT_MISSING, "a workspace without the block eft", expected).into());
        }
    };
    for coefficient in coefficients {
        match eft.wilson_coefficients.iter().find(|known| known.name == coefficient.name) {
            None => eft.wilson_coefficients.push(coefficient.clone()),
            Some(known) if known.bounds == coefficient.bounds && known.init == coefficient.init => {}
            Some(known) => {
                let [low, high] = known.bounds;
                let there = format!("{} in [{}, {}]", quote(&known.name), number(low), number(high));
                let found = format!("{} declared with another start or other bounds", quote(&coefficient.name));
                return Err(Finding::new(&rule::IMPORT_FORMAT, found, there).at("/eft/wilson_coefficients").into());
            }
        }
    }
    Ok(())
}

/// Adds the modifier of a response to a sample.
///
/// # Errors
/// `ImportError` if the workspace lacks the sample, or if the sample's yields are not those that the response replaces.
pub fn attach(workspace: &mut Workspace, response: &ImportedResponse, target: &Target) -> Result<()> {
    let sample = find(workspace, target)?;
    if let Some(nominal) = &response.nominal {
        if nominal.len() != sample.data.len() {
            let found = format!("{} bins of the response {}", nominal.len(), quote(&response.name));
            let expected = format!("{}, as the sample {} has", sample.data.len(), quote(&sample.name));
            return Err(Finding::new(&rule::IMPORT_FORMAT, found, expected).into());
        }
        let differs = |(a, b): (&f64, &f64)| (a - b).abs() > SAME * a.abs().max(b.abs());
        if let Some(bin) = sample.data.iter().zip(nominal).position(differs) {
            let found = format!("the yield {} of the response in bin {bin}", number(nominal[bin]));
            let expected = format!("{}, the yield of the sample {}", number(sample.data[bin]), quote(&sample.name));
            let hint = "use factors on the yields of the sample (--relative), or write these yields into it";
            return Err(Finding::new(&rule::IMPORT_FORMAT, found, expected).hint(hint).into());
        }
    }
    sample.modifiers.push(response.modifier(&target.name));
    Ok(())
}

fn find<'w>(workspace: &'w mut Workspace, target: &Target) -> Result<&'w mut Sample> {
    let lacking = |what: &str, name: &str| {
        Finding::new(&rule::IMPORT_FORMAT, format!("no {what} {}", quote(name)), format!("a {what} of the workspace"))
    };
    let channel = workspace.channels.iter_mut().find(|channel| channel.name == target.channel);
    let channel = channel.ok_or_else(|| lacking("channel", &target.channel))?;
    let sample = channel.samples.iter_mut().find(|sample| sample.name == target.sample);
    Ok(sample.ok_or_else(|| lacking("sample", &target.sample))?)
}

impl Import {
    /// The response of this name, or the only one.
    ///
    /// # Errors
    /// `ImportError` that lists the names.
    pub fn response(&self, name: Option<&str>) -> Result<&ImportedResponse> {
        let found = match name {
            Some(name) => self.responses.iter().find(|response| response.name == name),
            None if self.responses.len() == 1 => self.responses.first(),
            None => None,
        };
        let names: Vec<String> = self.responses.iter().map(|response| quote(&response.name)).collect();
        let asked = name.map_or("no name".to_owned(), |name| format!("no response {}", quote(name)));
        let expected = format!("one of {}", names.join(", "));
        Ok(found.ok_or_else(|| Finding::new(&rule::IMPORT_MISSING, asked, expected))?)
    }
}
