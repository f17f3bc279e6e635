//! Modifiers in the words of each reader.

use super::content::{Channel, Effect, Modifier};
use super::file::{self, Contents, Interpolation, ModifierData};
use super::form::{Form, Forms, Place};
use super::names::Names;
use super::target::Target;
use super::words;
use crate::finding::{Finding, Findings, quote};
use crate::model::{Constraint, HistosysCode, NormsysCode};
use crate::rule;

/// Spells modifiers and tells what is lost.
pub(super) struct Speller<'w> {
    pub target: Target,
    pub names: &'w Names,
    pub forms: &'w Forms<'w>,
    /// The names of constraints by parameter.
    pub constraint_name: &'w dyn Fn(&str) -> Option<String>,
    pub losses: &'w mut Findings,
}

impl Speller<'_> {
    pub fn modifier(&mut self, channel: &Channel, modifier: &Modifier) -> file::Modifier {
        let mut written = file::Modifier { name: modifier.name.clone(), ..file::Modifier::default() };
        match &modifier.effect {
            Effect::Normfactor { parameter } => {
                written.kind = "normfactor";
                self.drive(&mut written, parameter);
                if self.target == Target::Root640 {
                    // Its importer takes the name for the parameter.
                    written.name = self.names.of(parameter);
                }
            }
            Effect::Normsys { parameter, lo, hi, code } => {
                written.kind = "normsys";
                self.drive(&mut written, parameter);
                self.unconstrained(modifier, parameter);
                let interpolation = self.normsys_code(modifier, *code, &mut written);
                written.data = Some(ModifierData::Normsys { lo: *lo, hi: *hi, interpolation });
            }
            Effect::Histosys { parameter, lo, hi, code } => {
                written.kind = "histosys";
                self.drive(&mut written, parameter);
                self.unconstrained(modifier, parameter);
                let interpolation = self.histosys_code(modifier, *code, &mut written);
                let (lo, hi) = (Contents::new(lo.clone()), Contents::new(hi.clone()));
                written.data = Some(ModifierData::Histosys { lo, hi, interpolation });
            }
            Effect::Shapefactor { parameters } => self.factors(&mut written, parameters, Form::Shapefactor),
            Effect::Shapesys { parameters } | Effect::Staterror { parameters } => {
                let form = self.forms.form(channel, &modifier.effect);
                self.retyped(modifier, form);
                self.factors(&mut written, parameters, form);
            }
            Effect::Custom => {
                written.kind = "custom";
                written.name = self.names.of(&modifier.name);
                if self.target == Target::Pyhs3 {
                    let found = format!("the custom modifier {}", quote(&modifier.name));
                    self.lose(
                        modifier,
                        found,
                        "a normfactor or shapefactor of functions: pyhs3 has no custom modifier",
                    );
                }
            }
        }
        written
    }

    /// The parameter with its constraint, where the target wants the latter here.
    fn drive(&self, written: &mut file::Modifier, parameter: &str) {
        written.parameter = Some(self.names.of(parameter));
        let named = self.forms.constraint(parameter).is_some() && self.forms.place(parameter) == Place::Named;
        let name = (self.constraint_name)(parameter).filter(|_| named);
        match self.target {
            Target::Canonical => written.constraint = name,
            Target::Root640 => written.constraint_name = name,
            Target::Pyhs3 => {}
        }
        if self.target == Target::Pyhs3 && written.kind != "normfactor" {
            written.constraint = Some("Gauss".to_owned());
        }
    }

    fn factors(&self, written: &mut file::Modifier, parameters: &[String], form: Form) {
        written.parameters = Some(parameters.iter().map(|name| self.names.of(name)).collect());
        written.kind = match form {
            Form::Staterror => "staterror",
            Form::Shapesys => "shapesys",
            Form::Shapefactor => "shapefactor",
        };
        if form == Form::Shapefactor {
            return;
        }
        let constraints: Vec<_> = parameters.iter().map(|name| self.forms.constraint(name)).collect();
        let poisson = constraints.iter().flatten().any(|c| matches!(c, Constraint::Poisson { .. }));
        let kind = if poisson { "Poisson" } else { "Gauss" };
        let widths = constraints.iter().map(|c| c.map_or(0.0, |c| c.width()));
        match self.target {
            Target::Canonical => {
                let name = |p: &String| (self.constraint_name)(p);
                written.constraints = Some(parameters.iter().map(name).collect());
            }
            Target::Root640 => {
                written.constraint_type = Some(kind);
                if form == Form::Shapesys {
                    written.data = Some(ModifierData::Vals { vals: widths.collect() });
                }
            }
            // It has no constrained factors of single bins here.
            Target::Pyhs3 => {}
        }
    }

    fn normsys_code(
        &mut self,
        modifier: &Modifier,
        code: NormsysCode,
        written: &mut file::Modifier,
    ) -> Option<&'static str> {
        let (parts, number) = match code {
            NormsysCode::Code0 => (("add", "poly1", "poly1"), 0),
            NormsysCode::Code1 => (("mult", "exp", "exp"), 1),
            NormsysCode::Code2 => (("add", "poly2", "poly1"), 2),
            NormsysCode::Code4 => (("mult", "poly6", "exp"), 4),
            NormsysCode::Code6 => (("mult", "poly6", "poly1"), 6),
        };
        match (self.target, code) {
            (Target::Canonical, _) => written.interpolation = Some(structure(parts)),
            (Target::Root640, NormsysCode::Code4) => {}
            // ROOT's reader writes an error and stays at code 0.
            (Target::Root640, NormsysCode::Code6) => {
                let found =
                    format!("interpolation {} of the normsys {}", words::normsys_code(code), quote(&modifier.name));
                self.lose(modifier, found, "a code from 0 to 4, which ROOT 6.40 takes");
            }
            (Target::Root640, _) => written.interpolation = Some(Interpolation::Code(number)),
            (Target::Pyhs3, NormsysCode::Code1) => return Some("code1"),
            (Target::Pyhs3, NormsysCode::Code4) => return Some("code4"),
            (Target::Pyhs3, _) => {
                let found =
                    format!("interpolation {} of the normsys {}", words::normsys_code(code), quote(&modifier.name));
                self.lose(modifier, found, "code 1 or 4, which pyhs3 has");
            }
        }
        None
    }

    fn histosys_code(
        &mut self,
        modifier: &Modifier,
        code: HistosysCode,
        written: &mut file::Modifier,
    ) -> Option<&'static str> {
        let parts = match code {
            HistosysCode::Code0 => ("add", "poly1", "poly1"),
            HistosysCode::Code2 | HistosysCode::Code2Pyhf => ("add", "poly2", "poly1"),
            HistosysCode::Code4p => ("add", "poly6", "poly1"),
        };
        let found = format!("interpolation {} of the histosys {}", words::histosys_code(code), quote(&modifier.name));
        match (self.target, code) {
            (_, HistosysCode::Code2Pyhf) => {
                self.lose(modifier, found, "an interpolation without a step at |α| = 1");
            }
            (Target::Canonical, _) => written.interpolation = Some(structure(parts)),
            (Target::Root640 | Target::Pyhs3, HistosysCode::Code4p) => {
                return Some("code4p").filter(|_| self.target == Target::Pyhs3);
            }
            (Target::Root640, _) => self.lose(modifier, found, "code 4, the only one that ROOT 6.40 reads"),
            (Target::Pyhs3, HistosysCode::Code0) => return Some("code0"),
            (Target::Pyhs3, _) => self.lose(modifier, found, "code 0 or 4p: in pyhs3 code 2 has a step at |α| = 1"),
        }
        None
    }

    /// Both programs constrain every normsys and histosys; pyhs3 by N(0 | α, 1) alone.
    fn unconstrained(&mut self, modifier: &Modifier, parameter: &str) {
        let unit = Constraint::Gaussian { auxdata: 0.0, sigma: 1.0 };
        let constraint = self.forms.constraint(parameter);
        let expected = match (self.target, constraint) {
            (Target::Canonical, _) => return,
            (Target::Root640, Some(_)) => return,
            (Target::Root640, None) => "a constraint: ROOT gives every normsys and histosys one",
            (Target::Pyhs3, Some(constraint)) if constraint == unit => return,
            (Target::Pyhs3, _) => "N(0 | α, 1), the constraint of every normsys and histosys in pyhs3",
        };
        let found = format!("{} on {}", words::constraint(constraint), quote(parameter));
        self.lose(modifier, found, expected);
    }

    /// A modifier of another type that does the same.
    fn retyped(&mut self, modifier: &Modifier, form: Form) {
        let (own, written) = match (&modifier.effect, form) {
            (Effect::Staterror { .. }, Form::Shapesys) => ("staterror", "shapesys"),
            (Effect::Staterror { .. }, Form::Shapefactor) => ("staterror", "shapefactor"),
            (Effect::Shapesys { .. }, Form::Shapefactor) => ("shapesys", "shapefactor"),
            _ => return,
        };
        let found = format!("the {own} {}", quote(&modifier.name));
        let expected = format!("a {written} of the same parameters, which {} constrains in the same way", self.target);
        self.losses.push(Finding::new(&rule::CONVERT_RENAMED, found, expected).at(modifier.pointer.clone()));
    }

    fn lose(&mut self, modifier: &Modifier, found: impl Into<String>, expected: impl Into<String>) {
        self.losses.push(Finding::new(&rule::CONVERT_LOST, found, expected).at(modifier.pointer.clone()));
    }
}

fn structure((kind, inner, out): (&'static str, &'static str, &'static str)) -> Interpolation {
    Interpolation::Struct { kind, inner, out }
}
