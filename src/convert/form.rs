//! Which form of a modifier a reader takes, and where the constraint of a parameter then stands.

use super::content::{Channel, Content, Effect, Modifier};
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
                    let place = forms.place_of(channel, modifier);
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

    fn place_of(&self, channel: &Channel, modifier: &Modifier) -> Place {
        match (&modifier.effect, self.target) {
            (Effect::Normsys { .. } | Effect::Histosys { .. }, Target::Pyhs3) => Place::Native,
            (Effect::Normsys { .. } | Effect::Histosys { .. }, _) => Place::Named,
            (Effect::Normfactor { .. }, Target::Root640) => Place::Named,
            (Effect::Shapesys { .. } | Effect::Staterror { .. }, Target::Canonical) => Place::Named,
            (Effect::Shapesys { .. } | Effect::Staterror { .. }, _) => match self.form(channel, &modifier.effect) {
                Form::Shapefactor => Place::Auxiliary,
                Form::Staterror | Form::Shapesys => Place::Native,
            },
            _ => Place::Auxiliary,
        }
    }

    /// The form of a modifier of single bins: its own where the reader makes the same constraints of it. pyhs3 0.4.2 fails
    /// on staterrors of likelihoods and takes ln Γ of shapesys in single precision: it gets both as free factors with
    /// constraints beside the channels.
    pub fn form(&self, channel: &Channel, effect: &Effect) -> Form {
        match (effect, self.target) {
            (Effect::Staterror { .. }, Target::Canonical) => Form::Staterror,
            (Effect::Staterror { .. }, Target::Root640) if self.native_staterror(channel).is_some() => Form::Staterror,
            (Effect::Shapesys { .. }, Target::Canonical) => Form::Shapesys,
            (Effect::Shapesys { parameters } | Effect::Staterror { parameters }, Target::Root640)
                if self.is_native_shapesys(parameters) =>
            {
                Form::Shapesys
            }
            _ => Form::Shapefactor,
        }
    }

    /// The type of a channel's only staterror, if its constraints are all of this type and as wide as the errors of the
    /// samples are. ROOT leaves out the term of a bin without width, a constant.
    pub fn native_staterror(&self, channel: &Channel) -> Option<&'static str> {
        let Staterror { parameters, bins, yields } = staterror_of(channel)?;
        let mut kind = None;
        for ((parameter, bin), bare) in parameters.iter().zip(&bins).zip(&yields) {
            let width = staterror::relative_uncertainty(bin);
            let constraint = self.constraint(parameter).filter(|_| width > 0.0);
            let own = match constraint {
                Some(Constraint::Gaussian { .. }) => "Gauss",
                Some(Constraint::Poisson { .. }) => "Poisson",
                None if width > 0.0 => return None,
                // ROOT takes √n for the error of a bin that has none.
                None if *bare => return None,
                None => continue,
            };
            let agrees = constraint.is_some_and(|c| (width - c.width()).abs() <= 1e-12 * width);
            if !agrees || kind.is_some_and(|kind| kind != own) {
                return None;
            }
            kind = Some(own);
        }
        kind.or(Some("Gauss"))
    }

    /// All constraints Poisson or all Gaussian; ROOT has none where there is no width.
    fn is_native_shapesys(&self, parameters: &[String]) -> bool {
        let constraints = || parameters.iter().filter_map(|parameter| self.constraint(parameter));
        let poisson = constraints().filter(|c| matches!(c, Constraint::Poisson { .. })).count();
        let all = constraints().count();
        all > 0 && (poisson == 0 || poisson == all)
    }

    /// The number of bins of a channel's staterror whose constraint ROOT does not have.
    pub fn bins_without_width(&self, channel: &Channel) -> usize {
        let Some(Staterror { parameters, bins, .. }) = staterror_of(channel) else { return 0 };
        let lacks = |(parameter, bin): (&String, &staterror::Bin)| {
            self.constraint(parameter).is_some() && staterror::relative_uncertainty(bin) == 0.0
        };
        parameters.iter().zip(&bins).filter(|bin| lacks(*bin)).count()
    }
}

/// A channel's only staterror.
struct Staterror<'c> {
    parameters: &'c [String],
    /// What the samples that carry it add up to in ROOT 6.40: yields without errors do not count there.
    bins: Vec<staterror::Bin>,
    /// Whether they have yields, with errors or without.
    yields: Vec<bool>,
}

/// Nothing where there are several, or no errors.
fn staterror_of(channel: &Channel) -> Option<Staterror<'_>> {
    let mut own: Option<&[String]> = None;
    let mut bins = vec![staterror::Bin::default(); channel.observed.len()];
    let mut yields = vec![false; channel.observed.len()];
    for sample in &channel.samples {
        for modifier in &sample.modifiers {
            let Effect::Staterror { parameters } = &modifier.effect else { continue };
            if own.is_some_and(|own| own != parameters.as_slice()) {
                return None;
            }
            own = Some(parameters);
            let errors = sample.errors.as_ref()?;
            for (((bin, bare), n), e) in bins.iter_mut().zip(&mut yields).zip(&sample.contents).zip(errors) {
                bin.nominal += if *e > 0.0 { *n } else { 0.0 };
                bin.sum_of_squares += e * e;
                *bare |= *n != 0.0;
            }
        }
    }
    Some(Staterror { parameters: own?, bins, yields })
}
