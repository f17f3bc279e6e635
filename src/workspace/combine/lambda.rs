//! Documents whose coefficients are divided by another scale Λ (spec/combine.md, "Another Λ").

use super::Source;
use super::report::{Place, Report};
use crate::document::eft::{Basis, Eft, EventWeights};
use crate::document::workspace::Workspace;
use crate::finding::{number, quote};
use crate::rule;
use crate::workspace::rescale::{map_numbers, members};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::convert::Infallible;

/// Brings the coefficients of all documents to the Λ of the first one that has the extension.
#[allow(clippy::float_cmp)] // scales are the same or not
pub(super) fn unify(sources: &mut [Source], report: &mut Report) {
    let Some((first, basis)) =
        sources.iter().enumerate().find_map(|(d, s)| Some((d, s.workspace.eft.as_ref()?.basis.clone())))
    else {
        return;
    };
    for (index, source) in sources.iter_mut().enumerate().skip(first + 1) {
        let Some(eft) = source.workspace.eft.clone() else { continue };
        // Coefficients of another theory are refused, whatever their scale.
        let same_theory = Basis { lambda_tev: basis.lambda_tev, ..eft.basis.clone() } == basis;
        if eft.basis.lambda_tev == basis.lambda_tev || !same_theory {
            continue;
        }
        let place = Place::new(index, "/eft/basis/Lambda_TeV");
        let there = report.tell(&Place::new(first, place.pointer.clone()));
        let (found, expected) = (number(eft.basis.lambda_tev), format!("{}, as in {there}", number(basis.lambda_tev)));
        if let Some(term) = eft.unbinned_terms.first() {
            let found = format!("{found}, at which the columns of the unbinned term {} are", quote(&term.name));
            report.add(&rule::UNBINNED_LAMBDA, &place, found, expected);
            continue;
        }
        let fixed = fixed_weights(&eft);
        if fixed.is_empty() {
            convert(&mut source.value, &eft, basis.lambda_tev);
            match Workspace::from_value(&source.value) {
                Ok(workspace) => source.workspace = workspace,
                Err(findings) => report.take(index, findings),
            }
            report.add(&rule::COMBINE_LAMBDA, &place, found, expected);
        } else {
            let found = format!("{found}, at which the weights of {} are", fixed.join(", "));
            report.add(&rule::COMBINE_LAMBDA_EVENTS, &place, found, expected);
        }
    }
}

/// The event databases whose files hold coefficients.
fn fixed_weights(eft: &Eft) -> Vec<String> {
    let fixed = eft.event_databases.iter().filter(|d| !matches!(d.weights, EventWeights::BasisWeights { .. }));
    fixed.map(|database| format!("event database {}", quote(&database.name))).collect()
}

/// Writes all that depends on the coefficients for coefficients at the scale `to`. The likelihood stays the same function of
/// c/Λ². Event databases of fixed weights are left out.
pub(super) fn convert(document: &mut Value, eft: &Eft, to: f64) {
    let orders = eft.wilson_coefficients.iter().map(|c| (c.name.clone(), c.np_order())).collect();
    let conversion = Conversion { orders, from: eft.basis.lambda_tev, to };
    if let Some(block) = document.get_mut("eft") {
        block["basis"]["Lambda_TeV"] = json!(to);
        for coefficient in members(block, "wilson_coefficients") {
            let order = conversion.order(&coefficient["name"]);
            conversion.value(coefficient.get_mut("bounds"), order);
            conversion.value(coefficient.get_mut("init"), order);
        }
        let responses = block.get_mut("responses").and_then(Value::as_object_mut);
        responses.into_iter().flat_map(|all| all.values_mut()).for_each(|response| conversion.response(response));
        for measurement in members(block, "gaussian_measurements") {
            measurement.get_mut("prediction").into_iter().for_each(|prediction| conversion.response(prediction));
        }
        for database in members(block, "event_databases") {
            database.get_mut("weights").into_iter().for_each(|weights| conversion.basis_points(weights));
        }
    }
    for channel in members(document, "channels") {
        for sample in members(channel, "samples") {
            for modifier in members(sample, "modifiers") {
                if modifier["type"].as_str().is_some_and(|kind| kind.starts_with("eft_")) {
                    modifier.get_mut("data").into_iter().for_each(|data| conversion.response(data));
                }
            }
        }
    }
    for measurement in members(document, "measurements") {
        for config in measurement.get_mut("config").into_iter().flat_map(|c| members(c, "parameters")) {
            let order = conversion.order(&config["name"]);
            conversion.value(config.get_mut("inits"), order);
            conversion.value(config.get_mut("bounds"), order);
        }
    }
}

struct Conversion {
    /// Of the coefficients, in 1/Λ².
    orders: HashMap<String, u32>,
    from: f64,
    to: f64,
}

impl Conversion {
    /// Of a name, or of a monomial.
    fn order(&self, names: &Value) -> u32 {
        match names {
            Value::Array(names) => names.iter().map(|name| self.order(name)).sum(),
            name => name.as_str().and_then(|name| self.orders.get(name)).copied().unwrap_or(0),
        }
    }

    /// Multiplies what stands before a monomial of this order by (from/to)^(2 order).
    fn coefficient(&self, value: Option<&mut Value>, order: u32) {
        if order > 0 {
            scale(value, self.from, self.to, 2 * order);
        }
    }

    /// Divides values of a coefficient of this order by (from/to)^(2 order).
    fn value(&self, value: Option<&mut Value>, order: u32) {
        if order > 0 {
            scale(value, self.to, self.from, 2 * order);
        }
    }

    /// The data of any modifier of the extension, or a shared response: keys mean the same in all of them.
    fn response(&self, data: &mut Value) {
        let orders = self.monomials(data.get("monomials"));
        for key in ["coefficients", "weights", "variances"] {
            self.by_monomial(members(data, key), &orders);
        }
        members(data, "amplitudes").for_each(|amplitude| self.by_monomial(items(amplitude), &orders));
        let (left, right) = (self.monomials(data.get("left")), self.monomials(data.get("right")));
        for (row, left) in members(data, "coefficients").zip(left) {
            items(row).zip(&right).for_each(|(entry, right)| self.coefficient(Some(entry), left + right));
        }
        for uncertainty in members(data, "uncertainties") {
            let order = self.order(&uncertainty["monomial"]);
            self.coefficient(uncertainty.get_mut("sigma"), order);
        }
        if let Some(statistics) = data.get_mut("mc_stat") {
            self.by_monomial(members(statistics, "sigmas"), &orders);
            self.response(statistics);
        }
        members(data, "factors").for_each(|factor| self.response(factor));
        let systematics = data.get_mut("systematics").and_then(Value::as_object_mut);
        for systematic in systematics.into_iter().flat_map(|all| all.values_mut()) {
            for templates in members(systematic, "templates") {
                let order = self.order(&templates["monomial"]);
                self.coefficient(templates.get_mut("lo_data"), order);
                self.coefficient(templates.get_mut("hi_data"), order);
            }
        }
        for key in ["reference", "fixed_at"] {
            let point = data.get_mut(key).and_then(Value::as_object_mut);
            for (name, value) in point.into_iter().flatten() {
                let order = self.orders.get(name).copied().unwrap_or(0);
                self.value(Some(value), order);
            }
        }
        self.basis_points(data);
    }

    fn monomials(&self, list: Option<&Value>) -> Vec<u32> {
        list.and_then(Value::as_array).into_iter().flatten().map(|monomial| self.order(monomial)).collect()
    }

    fn by_monomial<'a>(&self, entries: impl Iterator<Item = &'a mut Value>, orders: &[u32]) {
        entries.zip(orders).for_each(|(entry, order)| self.coefficient(Some(entry), *order));
    }

    /// One value a coefficient in each point.
    fn basis_points(&self, data: &mut Value) {
        let orders = self.monomials(data.get("parameters"));
        for point in members(data, "basis_points") {
            items(point).zip(&orders).for_each(|(value, order)| self.value(Some(value), *order));
        }
    }
}

fn items(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    value.as_array_mut().into_iter().flatten()
}

/// Multiplies by (above/below)^power; what leaves the range of binary64 is found when the result is checked.
fn scale(value: Option<&mut Value>, above: f64, below: f64, power: u32) {
    let Ok(()) = map_numbers(value, &|x| Ok::<f64, Infallible>(times_power(x, above, below, power)));
}

/// x (above/below)^power; exact but for one rounding where the larger scale is a whole multiple of the smaller.
fn times_power(x: f64, above: f64, below: f64, power: u32) -> f64 {
    let power = i32::try_from(power).unwrap_or(i32::MAX);
    if above >= below { x * (above / below).powi(power) } else { x / (below / above).powi(power) }
}
