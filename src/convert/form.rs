//! Which form of a modifier a reader takes, and where the constraint of a parameter then stands.

use super::content::{Channel, Content, Effect, Modifier, Sample};
use super::target::Target;
use crate::model::Constraint;
use crate::model::modifier::staterror;
use std::collections::HashMap;

/// Where the constraint of a parameter is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// Among `aux_distributions` of the likelihood.
    Auxiliary,
    /// As a distribution that the modifiers of the parameter name.
    Named,
    /// Nowhere: the reader makes it of the modifier's values.
    Native,
}

/// How factors of single bins are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Staterror,
    Shapesys,
    Shapefactor,
}

/// Constraints and their places by parameter.
pub(super) struct Forms<'c> {
    target: Target,
    constraints: HashMap<&'c str, Constraint>,
    places: HashMap<&'c str, Place>,
}

impl<'c> Forms<'c> {
    pub fn new(content: &'c Content, target: Target) -> Forms<'c> {
        let constraints = content.parameters.iter().filter_map(|p| Some((p.name.as_str(), p.constraint?))).collect();
        let mut forms = Forms { target, constraints, places: HashMap::new() };
        for channel in &content.channels {
            for sample in &channel.samples {
                for modifier in &sample.modifiers {
                    let place = forms.place_of(channel, sample, modifier);
                    for driver in modifier.effect.drivers() {
                        let known = forms.places.entry(driver).or_insert(place);
                        *known = place.max(*known);
                    }
                }
            }
        }
        forms
    }

    pub fn constraint(&self, parameter: &str) -> Option<Constraint> {
        self.constraints.get(parameter).copied()
    }

    /// Parameters that only functions use have theirs beside the channels.
    pub fn place(&self, parameter: &str) -> Place {
        self.places.get(parameter).copied().unwrap_or(Place::Auxiliary)
    }

    fn place_of(&self, channel: &Channel, sample: &Sample, modifier: &Modifier) -> Place {
        match (&modifier.effect, self.target) {
            (Effect::Normsys { .. } | Effect::Histosys { .. }, Target::Pyhs3) => Place::Native,
            (Effect::Normsys { .. } | Effect::Histosys { .. }, _) => Place::Named,
            (Effect::Normfactor { .. }, Target::Root640) => Place::Named,
            (Effect::Shapesys { .. } | Effect::Staterror { .. }, Target::Canonical) => Place::Named,
            (Effect::Shapesys { .. } | Effect::Staterror { .. }, _) => {
                match self.form(channel, sample, &modifier.effect) {
                    Form::Shapefactor => Place::Auxiliary,
                    Form::Staterror | Form::Shapesys => Place::Native,
                }
            }
            _ => Place::Auxiliary,
        }
    }

    /// The form of a modifier of single bins: its own where the reader makes the same constraints of it.
    pub fn form(&self, channel: &Channel, sample: &Sample, effect: &Effect) -> Form {
        match effect {
            Effect::Staterror { .. } if self.target == Target::Canonical => Form::Staterror,
            Effect::Staterror { .. } if self.is_native_staterror(channel) => Form::Staterror,
            Effect::Shapesys { .. } if self.target == Target::Canonical => Form::Shapesys,
            Effect::Shapesys { parameters } | Effect::Staterror { parameters } => {
                if self.is_native_shapesys(sample, parameters) { Form::Shapesys } else { Form::Shapefactor }
            }
            _ => Form::Shapefactor,
        }
    }

    /// One staterror a channel, Gaussian around 1, as wide as the errors of its samples are.
    fn is_native_staterror(&self, channel: &Channel) -> bool {
        let mut own: Option<&[String]> = None;
        let mut bins = vec![staterror::Bin::default(); channel.observed.len()];
        for sample in &channel.samples {
            for modifier in &sample.modifiers {
                let Effect::Staterror { parameters } = &modifier.effect else { continue };
                if own.is_some_and(|own| own != parameters.as_slice()) {
                    return false;
                }
                own = Some(parameters);
                let Some(errors) = &sample.errors else { return false };
                for ((bin, n), e) in bins.iter_mut().zip(&sample.contents).zip(errors) {
                    bin.nominal += n;
                    bin.sum_of_squares += e * e;
                }
            }
        }
        let bins = own.unwrap_or_default().iter().zip(&bins);
        bins.into_iter().all(|(parameter, bin)| match self.constraint(parameter) {
            Some(Constraint::Gaussian { auxdata, sigma }) => {
                let width = staterror::relative_uncertainty(bin);
                let agrees = (width - sigma).abs() <= 1e-12 * sigma;
                // ROOT leaves out the term of a bin without width, a constant; pyhs3 does not read such errors.
                auxdata == 1.0 && (agrees || (width == 0.0 && self.target == Target::Root640))
            }
            _ => false,
        })
    }

    /// Poisson with τ observed, or in ROOT Gaussian around 1; for pyhs3 with a yield in each bin.
    fn is_native_shapesys(&self, sample: &Sample, parameters: &[String]) -> bool {
        let all = |fits: &dyn Fn(Constraint) -> bool| {
            parameters.iter().all(|parameter| self.constraint(parameter).is_some_and(fits))
        };
        let poisson = all(&|c| matches!(c, Constraint::Poisson { auxdata, factor } if auxdata == factor));
        match self.target {
            Target::Pyhs3 => poisson && sample.contents.iter().all(|n| *n > 0.0),
            _ => poisson || all(&|c| matches!(c, Constraint::Gaussian { auxdata: 1.0, .. })),
        }
    }
}
