//! Rules for relations among coefficients (spec/parameter-transform.md).

use super::super::Report;
use super::block::kinds;
use crate::document::eft::{Eft, LinearRelations, TransformParameter, TransformStep};
use crate::document::workspace::Workspace;
use crate::finding::{escape_token, number, quote};
use crate::rule;
use crate::workspace::parameters::{flat_parameters, measured_nuisances, nuisances};
use std::collections::{HashMap, HashSet};

/// Highest power of a parameter in a relation.
const MOST_POWER: i32 = 100;

/// What is known of names from step to step.
struct Names<'w> {
    /// Coefficients and parameters that no step so far gives, with their lower bounds.
    free: HashMap<&'w str, f64>,
    /// What steps so far give.
    given: HashSet<&'w str>,
    /// Names that stand on the right of some relation.
    used: HashSet<&'w str>,
    /// Names to a negative power, with the place of the first.
    inverted: HashMap<&'w str, String>,
}

pub(super) fn check(workspace: &Workspace, eft: &Eft, report: &mut Report) {
    if eft.parameter_transform.is_empty() {
        return;
    }
    let mut names = Names {
        free: eft.wilson_coefficients.iter().map(|c| (c.name.as_str(), c.bounds[0])).collect(),
        given: HashSet::new(),
        used: HashSet::new(),
        inverted: HashMap::new(),
    };
    check_parameters(workspace, eft, report);
    let mut scale = eft.basis.scale_gev;
    for (s, step) in eft.parameter_transform.iter().enumerate() {
        let pointer = format!("/eft/parameter_transform/{s}");
        let own: HashSet<&str> = step.parameters.iter().map(|p| p.name.as_str()).collect();
        names.free.extend(step.parameters.iter().map(|p| (p.name.as_str(), p.bounds[0])));
        names.left(step, &own, &pointer, report);
        names.right(step, &pointer, report);
        check_shape(step, &pointer, report);
        check_running(eft, s, step, &mut scale, &pointer, report);
    }
    let fixed = eft.wilson_coefficients.iter().enumerate().filter(|(_, c)| c.fixed && names.given.contains(&*c.name));
    for (i, coefficient) in fixed {
        let found = format!("{}, which a relation gives", quote(&coefficient.name));
        report.add(&rule::TRANSFORM_FIXED, format!("/eft/wilson_coefficients/{i}/fixed"), found, "no fixed flag");
    }
    let parameters = eft.parameter_transform.iter().enumerate().flat_map(|(s, step)| {
        step.parameters
            .iter()
            .enumerate()
            .map(move |(p, parameter)| (format!("/eft/parameter_transform/{s}/parameters/{p}"), parameter))
    });
    for (pointer, parameter) in parameters.filter(|(_, p)| !names.used.contains(&*p.name) && !p.fixed) {
        let found = format!("the parameter {} in no relation", quote(&parameter.name));
        report.add(&rule::TRANSFORM_UNUSED, pointer, found, "a relation with it");
    }
}

fn check_parameters(workspace: &Workspace, eft: &Eft, report: &mut Report) {
    let kinds = kinds(workspace);
    let modifiers = workspace.channels.iter().flat_map(|c| &c.samples).flat_map(|s| &s.modifiers);
    let mut taken: HashSet<&str> = modifiers.flat_map(|modifier| nuisances(modifier, eft)).collect();
    taken.extend(measured_nuisances(eft, |_| true));
    taken.extend(flat_parameters(eft).iter().map(|systematic| systematic.name.as_str()));
    taken.extend(eft.wilson_coefficients.iter().map(|c| c.name.as_str()));
    taken.extend(kinds.keys());
    for (s, step) in eft.parameter_transform.iter().enumerate() {
        for (p, parameter) in step.parameters.iter().enumerate() {
            let pointer = format!("/eft/parameter_transform/{s}/parameters/{p}");
            if !taken.insert(&parameter.name) {
                let found = format!("the name {}, which is taken", quote(&parameter.name));
                report.add(&rule::TRANSFORM_PARAMETER, format!("{pointer}/name"), found, "a name of its own");
            }
            check_bounds(parameter, &pointer, report);
        }
    }
}

fn check_bounds(parameter: &TransformParameter, pointer: &str, report: &mut Report) {
    let [low, high] = parameter.bounds;
    let words = format!("[{}, {}]", number(low), number(high));
    if low > high {
        let expected = "a lower bound not above the upper bound";
        report.add(&rule::TRANSFORM_BOUNDS, format!("{pointer}/bounds"), words, expected);
    } else if !(low..=high).contains(&parameter.init) {
        let found = format!("the start {} of {}", number(parameter.init), quote(&parameter.name));
        report.add(&rule::TRANSFORM_BOUNDS, pointer.to_owned(), found, format!("init: a value in {words}"));
    }
}

/// Lengths of a matrix, and of what is told of its columns.
fn check_shape(step: &TransformStep, pointer: &str, report: &mut Report) {
    let mut count = |found: usize, expected: usize, each: &str, place: String| {
        if found != expected {
            let expected = format!("{expected}, one for each {each}");
            report.add(&rule::TRANSFORM_LENGTH, place, format!("{found} entries"), expected);
        }
    };
    let rows = step.linear.as_ref().map_or(0, |linear| linear.coefficients.len());
    if let Some(LinearRelations { parameters, matrix, offset, .. }) = &step.linear {
        count(matrix.len(), rows, "coefficient", format!("{pointer}/linear/matrix"));
        for (i, row) in matrix.iter().enumerate() {
            count(row.len(), parameters.len(), "parameter", format!("{pointer}/linear/matrix/{i}"));
        }
        if !offset.is_empty() {
            count(offset.len(), rows, "coefficient", format!("{pointer}/linear/offset"));
        }
    }
    if let Some(record) = &step.directions {
        let expected = step.parameters.len();
        count(record.eigenvalues.len(), expected, "parameter", format!("{pointer}/directions/eigenvalues"));
        for (d, dropped) in record.dropped.iter().enumerate() {
            count(dropped.vector.len(), rows, "coefficient", format!("{pointer}/directions/dropped/{d}/vector"));
        }
    }
}

/// `scale` is that of what the step gives, and becomes that of its parameters.
#[allow(clippy::float_cmp)] // scales are the same or not
fn check_running(
    eft: &Eft,
    s: usize,
    step: &TransformStep,
    scale: &mut Option<f64>,
    pointer: &str,
    report: &mut Report,
) {
    let Some(running) = step.running else { return };
    for (key, value) in [("from_scale_GeV", running.from_scale_gev), ("to_scale_GeV", running.to_scale_gev)] {
        if value <= 0.0 {
            let place = format!("{pointer}/running/{key}");
            report.add(&rule::TRANSFORM_SCALE, place, number(value), "a positive scale");
        }
    }
    if *scale != Some(running.to_scale_gev) {
        let expected = match scale {
            Some(scale) => format!("{}, the scale of what the step gives", number(*scale)),
            None => "a basis with the member scale_GeV".to_owned(),
        };
        let place = format!("{pointer}/running/to_scale_GeV");
        report.add(&rule::TRANSFORM_SCALE, place, number(running.to_scale_gev), expected);
    }
    *scale = Some(running.from_scale_gev);
    // What stays free beside an evolved coefficient would be meant at another scale.
    let earlier = eft.parameter_transform.get(..s).unwrap_or_default();
    let given: HashSet<&str> = earlier.iter().chain([step]).flat_map(TransformStep::given).collect();
    let declared = eft.wilson_coefficients.iter().map(|c| c.name.as_str());
    let before = earlier.iter().flat_map(|step| &step.parameters).map(|p| p.name.as_str());
    let left: Vec<String> = declared.chain(before).filter(|name| !given.contains(name)).map(quote).collect();
    if !left.is_empty() {
        let found = format!("an evolution without {}", left.iter().take(8).cloned().collect::<Vec<_>>().join(", "));
        report.add(&rule::TRANSFORM_SCALE, format!("{pointer}/running"), found, "all coefficients of the document");
    }
}

impl<'w> Names<'w> {
    /// What the step gives: each once, and nothing that is not there.
    fn left(&mut self, step: &'w TransformStep, own: &HashSet<&str>, pointer: &str, report: &mut Report) {
        let of_matrix = step.linear.iter().flat_map(|linear| &linear.coefficients).enumerate();
        let of_matrix = of_matrix.map(|(i, name)| (format!("{pointer}/linear/coefficients/{i}"), name));
        let of_relations = step.relations.iter().enumerate();
        let of_relations =
            of_relations.map(|(r, relation)| (format!("{pointer}/relations/{r}/coefficient"), &relation.coefficient));
        let mut here: HashSet<&str> = HashSet::new();
        for (place, name) in of_matrix.chain(of_relations) {
            let name = name.as_str();
            if here.contains(name) || self.given.contains(name) {
                report.add(&rule::TRANSFORM_TWICE, place, format!("{} again", quote(name)), "each coefficient once");
                continue;
            }
            if own.contains(name) {
                let found = format!("{}, a parameter of this step", quote(name));
                report.add(&rule::TRANSFORM_CHAIN, place, found, "a coefficient, or a parameter of an earlier step");
                continue;
            }
            if !self.free.contains_key(name) {
                let found = format!("the name {}", quote(name));
                report.add(&rule::TRANSFORM_NAME, place, found, "a coefficient, or a parameter of an earlier step");
                continue;
            }
            here.insert(name);
            self.check_inverse(step, name, place, report);
        }
        for name in here {
            self.free.remove(name);
            self.given.insert(name);
        }
    }

    /// What an earlier step puts into a denominator must stay a single term, which this step may put there in turn.
    fn check_inverse(&mut self, step: &'w TransformStep, name: &str, place: String, report: &mut Report) {
        let Some(there) = self.inverted.get(name).cloned() else { return };
        let relation = step.relations.iter().find(|relation| relation.coefficient == name);
        let term = relation.and_then(|relation| match &relation.terms[..] {
            [term] if term.factor != 0.0 => Some(term),
            _ => None,
        });
        match term {
            Some(term) => {
                for name in term.powers.iter().filter(|(_, power)| **power > 0).map(|(name, _)| name) {
                    self.inverted.insert(name, there.clone());
                }
            }
            None => {
                let found = format!("a sum for {}, which stands in a denominator at {there}", quote(name));
                report.add(&rule::TRANSFORM_POWER, place, found, "a relation with one term");
            }
        }
    }

    /// The names that relations need, and their powers.
    fn right(&mut self, step: &'w TransformStep, pointer: &str, report: &mut Report) {
        let mut columns = HashSet::new();
        for (j, name) in step.linear.iter().flat_map(|linear| &linear.parameters).enumerate() {
            let place = format!("{pointer}/linear/parameters/{j}");
            if !columns.insert(name) {
                report.add(&rule::TRANSFORM_TWICE, place, format!("{} again", quote(name)), "each column once");
                continue;
            }
            self.needs(name, place, report);
        }
        for (r, relation) in step.relations.iter().enumerate() {
            for (t, term) in relation.terms.iter().enumerate() {
                for (name, power) in &term.powers {
                    let place = format!("{pointer}/relations/{r}/terms/{t}/powers/{}", escape_token(name));
                    if self.needs(name, place.clone(), report) {
                        self.check_power(name, *power, place, report);
                    }
                }
            }
        }
        // A mass that moved from an earlier denominator into this step.
        let moved: Vec<(&str, String)> = self.inverted.iter().map(|(name, place)| (*name, place.clone())).collect();
        for (name, place) in moved {
            if self.free.get(name).is_some_and(|low| *low <= 0.0) {
                self.not_above_zero(name, place, report);
            }
        }
    }

    /// Whether a name may stand on the right.
    fn needs(&mut self, name: &'w str, place: String, report: &mut Report) -> bool {
        self.used.insert(name);
        if self.free.contains_key(name) {
            return true;
        }
        if self.given.contains(name) {
            let found = format!("{}, which a relation gives", quote(name));
            report.add(&rule::TRANSFORM_CHAIN, place, found, "what no relation of this step or an earlier one gives");
        } else {
            let found = format!("the name {}", quote(name));
            report.add(&rule::TRANSFORM_NAME, place, found, "a coefficient, or a parameter of a step");
        }
        false
    }

    fn check_power(&mut self, name: &'w str, power: i32, place: String, report: &mut Report) {
        if power == 0 || power.unsigned_abs() > MOST_POWER.unsigned_abs() {
            let found = format!("the power {power} of {}", quote(name));
            report.add(&rule::TRANSFORM_POWER, place, found, format!("an integer other than 0, up to ±{MOST_POWER}"));
        } else if power < 0 {
            if self.free.get(name).is_some_and(|low| *low <= 0.0) {
                return self.not_above_zero(name, place, report);
            }
            self.inverted.entry(name).or_insert(place);
        }
    }

    fn not_above_zero(&mut self, name: &str, place: String, report: &mut Report) {
        // Told once.
        self.inverted.remove(name);
        let found = format!("a negative power of {}, whose lower bound is not above 0", quote(name));
        report.add(&rule::TRANSFORM_POWER, place, found, "bounds above 0");
    }
}
