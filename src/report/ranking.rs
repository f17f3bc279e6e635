//! Impacts on the parameter of interest: JSON and tables.

use super::blind::Blinding;
use super::number::{Number, significant, with_uncertainty};
use super::reason::{Code, Reason};
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::infer::group::GroupImpact;
use crate::infer::ranking::{Impact, ImpactMethod, Missing, Ranking, RankingOptions, Shift};
use crate::infer::{FitOptions, FitResult};
use crate::model::Model;
use schemars::JsonSchema;
use serde::Serialize;

/// Impacts on `poi` in its own units, the largest post-fit one first.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RankingReport {
    #[serde(flatten)]
    pub blinding: Blinding,
    /// How `global` was found: `refit` or `hesse`.
    pub global_method: Method,
    /// Groups asked for.
    pub groups: Vec<Group>,
    /// How `prefit` and `postfit` were found: `refit` or `hesse`.
    pub method: Method,
    /// What else is worth knowing, such as numbers that are missing.
    pub notes: Vec<Reason>,
    /// Ranked parameters that are not listed because fewer were asked for.
    pub not_listed: usize,
    pub parameters: Vec<ParameterImpact>,
    pub poi: String,
    pub poi_uncertainty: Number,
    pub poi_value: Number,
    /// Why the fit is not valid; null for a valid fit.
    pub reason: Option<Reason>,
    /// Uncertainty of the POI with all constrained parameters held at the best fit.
    pub statistical: Option<Number>,
    /// √(total² − statistical²).
    pub systematic: Option<Number>,
    pub valid: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Refit,
    Hesse,
}

/// Impact of one scalar parameter. Pairs are [down, up]; null where missing.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ParameterImpact {
    /// Fitted over pre-fit uncertainty; null without a constraint.
    pub constraint: Option<Number>,
    /// With the parameter's auxiliary datum moved by its width.
    pub global: [Option<Number>; 2],
    /// Why a number is missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Reason>,
    pub name: String,
    /// With the parameter moved by its uncertainty.
    pub postfit: [Option<Number>; 2],
    /// With the parameter moved by its pre-fit width; 0 without one.
    pub prefit: [Option<Number>; 2],
    /// (value − centre) over the pre-fit width; null without a constraint.
    pub pull: Option<Number>,
    pub uncertainty: Number,
    pub value: Number,
}

/// What a group of parameters adds to the uncertainty of the POI.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Group {
    /// √(total² − frozen²).
    pub contribution: Number,
    /// Uncertainty of the POI with the group held at the best fit.
    pub frozen: Number,
    /// Root of the sum of squares of the impacts of the group's auxiliary data, from the Hessian.
    pub global: Number,
    pub name: String,
    pub parameters: Vec<String>,
}

/// What the report needs besides the ranking.
pub struct Context<'a> {
    pub model: &'a Model,
    pub fit_options: &'a FitOptions,
    pub options: &'a RankingOptions,
    pub group_names: &'a [String],
    pub most_parameters: Option<usize>,
    pub blinding: Blinding,
}

impl From<ImpactMethod> for Method {
    fn from(method: ImpactMethod) -> Method {
        match method {
            ImpactMethod::Refit => Method::Refit,
            ImpactMethod::Hesse => Method::Hesse,
        }
    }
}

impl RankingReport {
    pub fn new(context: Context, ranking: &Ranking) -> RankingReport {
        let names = context.model.parameter_names();
        let (fit, poi) = (&ranking.fit, context.options.poi);
        let at = |values: &[f64]| Number(values.get(poi).copied().unwrap_or(f64::NAN));
        let listed = context.most_parameters.unwrap_or(usize::MAX);
        let parameters: Vec<ParameterImpact> =
            ranking.impacts.iter().take(listed).map(|impact| context.parameter(&names, impact)).collect();
        let group = |(name, group): (&String, &GroupImpact)| Group {
            contribution: Number(group.contribution),
            frozen: Number(group.frozen),
            global: Number(group.global),
            name: name.clone(),
            parameters: group.parameters.iter().filter_map(|&i| names.get(i).cloned()).collect(),
        };
        let breakdown = ranking.breakdown.as_ref();
        let groups = breakdown.map_or(&[][..], |breakdown| &breakdown.groups);
        RankingReport {
            global_method: context.options.global_method.into(),
            groups: context.group_names.iter().zip(groups).map(group).collect(),
            method: context.options.method.into(),
            notes: context.notes(&names, ranking),
            not_listed: ranking.impacts.len() - parameters.len(),
            parameters,
            poi: names.get(poi).cloned().unwrap_or_default(),
            poi_uncertainty: fit.uncertainties.as_deref().map_or(Number(f64::NAN), at),
            poi_value: at(&fit.parameters),
            reason: context.reason(fit),
            statistical: breakdown.map(|breakdown| Number(breakdown.systematic.frozen)),
            systematic: breakdown.map(|breakdown| Number(breakdown.systematic.contribution)),
            valid: fit.valid,
            blinding: context.blinding,
        }
    }

    /// Header, the groups, and one line a parameter.
    pub fn page(&self, file: &str, measurement: &str) -> Page {
        let (value, uncertainty) = with_uncertainty(self.poi_value.0, Some(self.poi_uncertainty.0));
        let mut page = Page::new()
            .remark("file", text::escape(file))
            .remark("measurement", text::label(measurement))
            .remark("POI", format!("{} = {value} ± {uncertainty}", text::label(&self.poi)));
        if let (Some(statistical), Some(systematic)) = (self.statistical, self.systematic) {
            let parts = [statistical, systematic].map(|part| significant(part.0, 3));
            page = page.remark("", format!("± {} (statistical) ± {} (systematic)", parts[0], parts[1]));
        }
        let reasons = self.reason.iter().map(|reason| ("NOT VALID", reason));
        for (label, reason) in reasons.chain(self.notes.iter().map(|note| ("note", note))) {
            page = page.remark(label, reason.message.clone());
        }
        if self.not_listed > 0 {
            page = page.remark("note", format!("{} more parameters are not listed", self.not_listed));
        }
        if !self.groups.is_empty() {
            page = page.table(self.group_table());
        }
        page.table(self.parameter_table())
    }

    fn group_table(&self) -> Table {
        let columns = [
            Column::left("group"),
            Column::right("parameters"),
            Column::right("contribution"),
            Column::right("σ without").key("frozen"),
            Column::right("global"),
        ];
        let mut table = Table::new("groups", columns);
        for group in &self.groups {
            table.add_row([
                Cell::name(&group.name),
                Cell::count(group.parameters.len()),
                Cell::number(group.contribution.0, 3),
                Cell::number(group.frozen.0, 3),
                Cell::number(group.global.0, 3),
            ]);
        }
        table
    }

    fn parameter_table(&self) -> Table {
        let columns = [
            Column::left("parameter"),
            Column::right("best fit").key("value"),
            Column::left("± σ").key("uncertainty"),
            Column::right("pull"),
            Column::right("σ/σ₀").key("constraint"),
            Column::right("post-fit down").key("postfit_down"),
            Column::right("up").key("postfit_up"),
            Column::right("pre-fit down").key("prefit_down"),
            Column::right("up").key("prefit_up"),
            Column::right("global down").key("global_down"),
            Column::right("up").key("global_up"),
            Column::left(""),
        ];
        let title = if self.groups.is_empty() { "" } else { "impacts" };
        let mut table = Table::new(title, columns);
        for impact in &self.parameters {
            let (value, sigma) = with_uncertainty(impact.value.0, Some(impact.uncertainty.0));
            let sigma = if sigma.is_empty() { sigma } else { format!("± {sigma}") };
            let two_digits = |number: Option<Number>| match number {
                Some(number) => Cell::number_as(number.0, format!("{:+.2}", number.0)),
                None => Cell::empty(),
            };
            let mut cells = vec![
                Cell::name(&impact.name),
                Cell::number_as(impact.value.0, value),
                Cell::number_as(impact.uncertainty.0, sigma),
                two_digits(impact.pull),
                impact.constraint.map_or_else(Cell::empty, |c| Cell::number_as(c.0, format!("{:.2}", c.0))),
            ];
            let shifts = impact.postfit.iter().chain(&impact.prefit).chain(&impact.global);
            cells.extend(shifts.map(|shift| shift.map_or_else(|| Cell::text("missing"), |s| Cell::number(s.0, 3))));
            cells.push(Cell::text(impact.missing.first().map(|reason| reason.message.clone()).unwrap_or_default()));
            table.add_row(cells);
        }
        table
    }
}

impl Context<'_> {
    fn parameter(&self, names: &[String], impact: &Impact) -> ParameterImpact {
        let i = impact.parameter;
        let is_fixed = self.fit_options.fixed.get(i).copied().unwrap_or(false);
        let constraint = self.model.constraints().get(i).copied().flatten().filter(|_| !is_fixed);
        let kinds = [("pre-fit", &impact.prefit), ("post-fit", &impact.postfit), ("auxiliary datum", &impact.global)];
        let sides = kinds.iter().flat_map(|(kind, pair)| {
            pair.iter().zip(["down", "up"]).map(move |(shift, side)| (format!("{kind} {side}"), shift))
        });
        let missing = sides.filter_map(|(what, shift)| Some(self.missing(&what, shift.as_ref().err()?)));
        ParameterImpact {
            constraint: constraint.and_then(|c| c.ratio(impact.uncertainty)).map(Number),
            global: pair(&impact.global),
            missing: missing.collect(),
            name: names.get(i).cloned().unwrap_or_default(),
            postfit: pair(&impact.postfit),
            prefit: pair(&impact.prefit),
            pull: constraint.and_then(|c| c.pull(impact.value)).map(Number),
            uncertainty: Number(impact.uncertainty),
            value: Number(impact.value),
        }
    }

    fn missing(&self, what: &str, missing: &Missing) -> Reason {
        let mut reason = match missing {
            Missing::Refit(failure) => {
                Reason::of_failure(self.model, failure, &self.fit_options.init, &self.fit_options.bounds)
            }
            Missing::AtBound => Reason::new(Code::AtBound, "the parameter would lie beyond its bound"),
            Missing::DatumBelowZero => {
                Reason::new(Code::OutOfDomain, "the datum would fall below zero, where its constraint has none")
            }
            Missing::Uncertainty => {
                Reason::new(Code::NotFinite, "the uncertainty of the parameter is not known (it is at a limit)")
            }
            Missing::Stopped => Reason::new(Code::Interrupted, "interrupted before"),
        };
        reason.message = format!("{what}: {}", reason.message);
        reason
    }

    fn reason(&self, fit: &FitResult) -> Option<Reason> {
        let FitOptions { init, bounds, .. } = self.fit_options;
        fit.reason.as_ref().map(|failure| Reason::of_failure(self.model, failure, init, bounds))
    }

    fn notes(&self, names: &[String], ranking: &Ranking) -> Vec<Reason> {
        let mut notes = self.blinding.notes();
        let incomplete = |impact: &&Impact| {
            impact.prefit.iter().chain(&impact.postfit).chain(&impact.global).any(|shift| shift.is_err())
        };
        let missing: Vec<String> = ranking
            .impacts
            .iter()
            .filter(incomplete)
            .filter_map(|impact| names.get(impact.parameter).cloned())
            .collect();
        if !missing.is_empty() {
            notes.push(Reason::incomplete("impacts", missing));
        }
        if let Some(lower) = &ranking.lower {
            notes.push(Reason::not_lowest(ranking.fit.twice_nll - lower.twice_nll));
        }
        if ranking.fit.at_limit.contains(&self.options.poi) {
            let message = "the parameter of interest sits on a bound: refits cannot take it beyond, so impacts are one-sided \
                           or 0; wider bounds or --method hesse tell more";
            notes.push(Reason::new(Code::Incomplete, message));
        }
        if ranking.breakdown.is_none() {
            let message = "no breakdown of the uncertainty: the covariance is not known";
            notes.push(Reason::new(Code::NotFinite, message));
        }
        let held = ranking.breakdown.iter().flat_map(|breakdown| &breakdown.systematic.without_variance);
        let held: Vec<String> = held.filter_map(|&i| names.get(i).cloned()).collect();
        if !held.is_empty() {
            notes.push(Reason::held_at_limit(held));
        }
        notes
    }
}

fn pair(shifts: &[Shift; 2]) -> [Option<Number>; 2] {
    [&shifts[0], &shifts[1]].map(|shift| shift.as_ref().ok().copied().map(Number))
}
