//! What ROOT 6.40 and pyhs3 both need beyond what the writer gives one of them (spec/eft-hs3.md, section 5).
//!
//! ROOT normalises a constraint only where a modifier names it; pyhs3 takes constraints of normsys and histosys from the
//! modifiers and all others from `aux_distributions`. So constraints are in both places: a normfactor whose function is 1
//! names them.

use super::measurements::Point;
use super::names::Names;
use crate::convert::Target;
use crate::convert::file::{Axis, Distribution, File, PointParameter, Slot};
use crate::convert::root;
use serde_json::json;
use std::collections::HashSet;

/// Adds the measurements, and for ROOT and pyhs3 the constraints where each of them looks for them.
pub(super) fn complete(file: &mut File, points: Vec<Point>, names: &mut Names, target: Target) {
    for point in points {
        add(file, point, target);
    }
    if target == Target::Canonical {
        return;
    }
    for analysis in &mut file.analyses {
        analysis.init.get_or_insert_with(|| "default_values".to_owned());
    }
    if target == Target::Root640 {
        share(file, names);
    }
}

fn add(file: &mut File, point: Point, target: Target) {
    let (x, mean) = (Slot::Name(point.observable.clone()), Slot::Name(point.mean));
    file.distributions.push(Distribution::gaussian(point.name.clone(), x, mean, Slot::Number(point.sigma)));
    file.likelihoods.iter_mut().for_each(|l| l.aux_distributions.push(point.name.clone()));
    let domains = file.domains.iter_mut();
    for domain in domains.filter(|d| d.name == "default_domain" || d.name.ends_with("_global_observables")) {
        domain.axes.push(Axis::range(point.observable.clone(), (f64::NEG_INFINITY, f64::INFINITY)));
    }
    for values in &mut file.parameter_points {
        let (name, value) = (point.observable.clone(), point.value);
        values.parameters.push(PointParameter { name, value, constant: true });
    }
    if let (Target::Root640, Some(attributes)) = (target, root::attributes(file)) {
        attributes.insert(point.observable, json!({"tags": ["Constant"]}));
    }
}

/// Both programs find each constraint once.
fn share(file: &mut File, names: &mut Names) {
    let Some(likelihood) = file.likelihoods.first_mut() else { return };
    let auxiliary = likelihood.aux_distributions.clone();
    // Those that ROOT finds at factors; pyhs3 has none there.
    let known: HashSet<String> = auxiliary.iter().cloned().collect();
    let modifiers = file.distributions.iter().filter_map(Distribution::as_channel).flat_map(|c| &c.samples);
    let (mut systematic, mut factors) = (HashSet::new(), Vec::new());
    for modifier in modifiers.flat_map(|sample| &sample.modifiers) {
        let Some(name) = &modifier.constraint_name else { continue };
        if modifier.kind == "normfactor" {
            factors.push(name.clone());
        } else {
            systematic.insert(name.clone());
        }
    }
    let mut seen = known;
    factors.retain(|name| !systematic.contains(name) && seen.insert(name.clone()));
    file.likelihoods.iter_mut().for_each(|l| l.aux_distributions.extend(factors.iter().cloned()));
    root::attach(file, |wanted| names.unique(wanted));
}
