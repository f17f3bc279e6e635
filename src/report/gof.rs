//! Goodness of fit and compatibility of channels: JSON and tables.

use super::blind::Blinding;
use super::number::{Number, numbers, significant, with_uncertainty};
use super::reason::{Code, Reason};
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::infer::compatibility::{Compatibility, NotTestable};
use crate::infer::goodness_of_fit::{GoodnessOfFit, MeasuredPart};
use crate::infer::toy_test::ToyFraction;
use crate::infer::{FitOptions, FitResult};
use crate::model::Model;
use schemars::JsonSchema;
use serde::Serialize;

/// −2 ln of the ratio to the saturated model, and its parts.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct GofReport {
    #[serde(flatten)]
    pub blinding: Blinding,
    /// Parts of the statistic by channel.
    pub channels: Vec<ChannelPart>,
    /// The test with one parameter of interest a channel, where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compatibility: Option<CompatibilityReport>,
    /// Part of the auxiliary measurements.
    pub constraints: ConstraintsPart,
    /// Bins and measured points less parameters that are neither fixed nor constrained, nor those of flat errors.
    pub degrees_of_freedom: i64,
    /// Parts of the measurements with Gaussian errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measurements: Option<MeasurementsPart>,
    pub notes: Vec<Reason>,
    /// Probability of a larger statistic, by the χ² distribution.
    pub p_value: Option<Number>,
    /// Why the fit is not valid, or why there is no p-value.
    pub reason: Option<Reason>,
    pub statistic: Number,
    /// The same by toys, where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toys: Option<GofToys>,
    pub twice_nll: Number,
    pub valid: bool,
}

/// Toys made at the best fit.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct GofToys {
    /// Toys without a valid fit: they count in no other number.
    pub n_failed: u64,
    /// Toys with a valid fit.
    pub n_toys: u64,
    /// The part of them with a statistic of at least the observed one.
    pub p_value: Number,
    /// The central interval of 68.3 % of that part.
    pub p_value_interval: [Number; 2],
    pub seed: u64,
}

impl GofToys {
    pub fn new(fraction: &ToyFraction, seed: u64) -> GofToys {
        let (low, high) = fraction.interval();
        GofToys {
            n_failed: fraction.n_failed,
            n_toys: fraction.n,
            p_value: Number(fraction.p()),
            p_value_interval: [Number(low), Number(high)],
            seed,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ChannelPart {
    /// One entry a bin.
    pub bins: Vec<Number>,
    pub contribution: Number,
    pub name: String,
}

/// χ² of the measurements: what is left of each after the errors that they share, and these.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MeasurementsPart {
    pub contribution: Number,
    pub groups: Vec<MeasurementGroup>,
    /// Σ α² of errors that several groups share.
    pub shared_errors: Number,
}

/// A measurement, or several whose points a covariance joins.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MeasurementGroup {
    pub contribution: Number,
    pub names: Vec<String>,
    pub points: usize,
}

impl MeasurementsPart {
    /// Nothing without measurements.
    fn new(model: &Model, goodness: &GoodnessOfFit) -> Option<MeasurementsPart> {
        let sets = &model.measurements.sets;
        let set_of_point: Vec<usize> =
            sets.iter().enumerate().flat_map(|(s, set)| std::iter::repeat_n(s, set.data.len())).collect();
        let group = |part: &MeasuredPart| {
            let mut own: Vec<usize> = part.points.iter().filter_map(|p| set_of_point.get(*p)).copied().collect();
            own.sort_unstable();
            own.dedup();
            MeasurementGroup {
                contribution: Number(part.contribution),
                names: own.iter().filter_map(|s| Some(sets.get(*s)?.name.clone())).collect(),
                points: part.points.len(),
            }
        };
        let sum: f64 = goodness.measurements.iter().map(|part| part.contribution).sum();
        (!goodness.measurements.is_empty()).then(|| MeasurementsPart {
            contribution: Number(sum + goodness.shared_errors),
            groups: goodness.measurements.iter().map(group).collect(),
            shared_errors: Number(goodness.shared_errors),
        })
    }

    fn add_to(&self, table: &mut Table) {
        for group in &self.groups {
            let names = group.names.join(" + ");
            table.add_row([Cell::name(&names), Cell::count(group.points), Cell::number(group.contribution.0, 4)]);
        }
        if self.shared_errors.0 != 0.0 {
            let shared = Cell::number(self.shared_errors.0, 4);
            table.add_row([Cell::text("errors that measurements share"), Cell::empty(), shared]);
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ConstraintsPart {
    pub contribution: Number,
    /// By scalar parameter, the largest first.
    pub parameters: Vec<ConstraintPart>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ConstraintPart {
    pub contribution: Number,
    pub name: String,
}

/// A fit in which each group of channels has its own parameter of interest, against the common one.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CompatibilityReport {
    /// Best fit with the common parameter.
    pub common: Number,
    pub common_uncertainty: Number,
    pub degrees_of_freedom: u32,
    pub groups: Vec<CompatibilityGroup>,
    pub notes: Vec<Reason>,
    pub p_value: Option<Number>,
    /// Why there is no p-value.
    pub reason: Option<Reason>,
    /// −2 ln of the ratio of the common to the split fit.
    pub statistic: Number,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CompatibilityGroup {
    pub at_limit: bool,
    pub name: String,
    pub uncertainty: Number,
    pub value: Number,
}

impl GofReport {
    pub fn new(
        model: &Model,
        options: &FitOptions,
        fit: &FitResult,
        goodness: &GoodnessOfFit,
        blinding: Blinding,
    ) -> GofReport {
        let names = model.parameter_names();
        let mut rest = goodness.bins.as_slice();
        let mut channels = Vec::new();
        for channel in &model.channels {
            let (own, others) = rest.split_at(channel.n_bins.min(rest.len()));
            let contribution = Number(own.iter().sum());
            channels.push(ChannelPart { bins: numbers(own), contribution, name: channel.name.clone() });
            rest = others;
        }
        let mut parameters: Vec<ConstraintPart> = goodness
            .constraints
            .iter()
            .map(|&(i, part)| ConstraintPart {
                contribution: Number(part),
                name: names.get(i).cloned().unwrap_or_default(),
            })
            .collect();
        parameters.sort_by(|a, b| b.contribution.0.total_cmp(&a.contribution.0));
        let constraints = goodness.constraints.iter().map(|(_, part)| part).sum();
        let p_value = if fit.valid { goodness.p_value() } else { None };
        let not_valid = fit.reason.as_ref().map(|f| Reason::of_failure(model, f, &options.init, &options.bounds));
        let no_test = || {
            let dof = goodness.degrees_of_freedom;
            let message =
                format!("no p-value: {dof} degrees of freedom, bins and points less unconstrained free parameters");
            (dof <= 0).then(|| Reason::new(Code::NoDegreesOfFreedom, message))
        };
        let mut notes = blinding.notes();
        if goodness.flat_parameters > 0 {
            let n = goodness.flat_parameters;
            let message = format!(
                "the degrees of freedom do not count {n} {} of flat errors: the p-value is not too small, but may be too \
                 large",
                if n == 1 { "parameter" } else { "parameters" }
            );
            notes.push(Reason::new(Code::FlatErrors, message));
        }
        GofReport {
            channels,
            compatibility: None,
            constraints: ConstraintsPart { contribution: Number(constraints), parameters },
            degrees_of_freedom: goodness.degrees_of_freedom,
            measurements: MeasurementsPart::new(model, goodness),
            notes,
            p_value: p_value.map(Number),
            reason: not_valid.or_else(no_test),
            statistic: Number(goodness.statistic),
            toys: None,
            twice_nll: Number(fit.twice_nll),
            valid: fit.valid,
            blinding,
        }
    }

    /// Header, parts by channel, and the compatibility.
    pub fn page(&self, file: &str, measurement: &str) -> Page {
        let p_value = self.p_value.map_or("none".to_owned(), |p| significant(p.0, 4));
        let mut page = Page::new()
            .remark("file", text::escape(file))
            .remark("measurement", text::label(measurement))
            .remark("statistic", significant(self.statistic.0, 6))
            .remark("degrees of freedom", self.degrees_of_freedom.to_string())
            .remark("p-value", p_value);
        if let Some(toys) = &self.toys {
            let [low, high] = toys.p_value_interval.map(|end| significant(end.0, 4));
            let p = significant(toys.p_value.0, 4);
            let (n, failed) = (toys.n_toys, toys.n_failed);
            page =
                page.remark("p-value by toys", format!("{p}, 68 % within [{low}, {high}] ({n} toys, {failed} failed)"));
        }
        if let Some(reason) = &self.reason {
            page = page.remark(if self.valid { "reason" } else { "NOT VALID" }, reason.message.clone());
        }
        for note in &self.notes {
            page = page.remark("note", note.message.clone());
        }
        let columns = [Column::left("part"), Column::right("bins"), Column::right("contribution")];
        let mut table = Table::new("parts", columns);
        for channel in &self.channels {
            let contribution = Cell::number(channel.contribution.0, 4);
            table.add_row([Cell::name(&channel.name), Cell::count(channel.bins.len()), contribution]);
        }
        if let Some(measurements) = &self.measurements {
            measurements.add_to(&mut table);
        }
        let constraints = Cell::number(self.constraints.contribution.0, 4);
        table.add_row([Cell::text("auxiliary measurements"), Cell::empty(), constraints]);
        page = page.table(table);
        match &self.compatibility {
            Some(compatibility) => compatibility.add_to(page),
            None => page,
        }
    }
}

impl CompatibilityReport {
    /// `names` are those of the groups; an offset hides the values.
    pub fn new(
        model: &Model,
        options: &FitOptions,
        found: &Compatibility,
        names: &[String],
        offset: Option<f64>,
        poi: usize,
    ) -> CompatibilityReport {
        let split = &found.split_options;
        let common = found.common.reason.as_ref().map(|f| Reason::of_failure(model, f, &options.init, &options.bounds));
        let of_split = |failure| Reason::of_failure(&found.split_model, failure, &split.init, &split.bounds);
        let at = |values: Option<&Vec<f64>>| Number(values.and_then(|v| v.get(poi)).copied().unwrap_or(f64::NAN));
        let (hidden, offset) = (offset.is_some(), offset.unwrap_or(0.0));
        let groups: Vec<CompatibilityGroup> = found
            .groups
            .iter()
            .map(|group| CompatibilityGroup {
                at_limit: group.at_limit && !hidden,
                name: names.get(group.group).cloned().unwrap_or_default(),
                uncertainty: Number(group.uncertainty),
                value: Number(group.value + offset),
            })
            .collect();
        let mut notes = Vec::new();
        if found.groups.iter().any(|group| group.at_limit) && !hidden {
            let message = "a value sits on its bound, where the χ² distribution does not hold";
            notes.push(Reason::new(Code::Incomplete, message));
        }
        CompatibilityReport {
            common: Number(at(Some(&found.common.parameters)).0 + offset),
            common_uncertainty: at(found.common.uncertainties.as_ref()),
            degrees_of_freedom: found.degrees_of_freedom,
            groups,
            notes,
            p_value: found.p_value().map(Number),
            reason: common.or_else(|| found.split.reason.as_ref().map(of_split)),
            statistic: Number(found.statistic),
        }
    }

    /// Where there is no test.
    pub fn none(why: NotTestable) -> CompatibilityReport {
        let message = match why {
            NotTestable::TooFewGroups(n) => {
                format!("no test of compatibility: the parameter of interest acts in {n} of the groups, two are needed")
            }
            NotTestable::Constrained => {
                "no test of compatibility: the parameter of interest has a constraint".to_owned()
            }
            NotTestable::Fixed => "no test of compatibility: the parameter of interest is fixed".to_owned(),
        };
        CompatibilityReport {
            common: Number(f64::NAN),
            common_uncertainty: Number(f64::NAN),
            degrees_of_freedom: 0,
            groups: Vec::new(),
            notes: Vec::new(),
            p_value: None,
            reason: Some(Reason::new(Code::NoDegreesOfFreedom, message)),
            statistic: Number(f64::NAN),
        }
    }

    fn add_to(&self, page: Page) -> Page {
        let mut table = Table::new(
            "compatibility",
            [Column::left("channels"), Column::right("best fit").key("value"), Column::left("± σ").key("uncertainty")],
        );
        let common = ("common".to_owned(), self.common, self.common_uncertainty);
        let groups = self.groups.iter().map(|group| (group.name.clone(), group.value, group.uncertainty));
        for (name, value, sigma) in groups.chain([common]) {
            let (shown, shown_sigma) = with_uncertainty(value.0, Some(sigma.0));
            let shown_sigma = if shown_sigma.is_empty() { shown_sigma } else { format!("± {shown_sigma}") };
            table.add_row([Cell::name(&name), Cell::number_as(value.0, shown), Cell::number_as(sigma.0, shown_sigma)]);
        }
        let p_value = self.p_value.map_or("none".to_owned(), |p| significant(p.0, 4));
        let statistic = significant(self.statistic.0, 6);
        let mut page = page.remark(
            "compatibility",
            format!("2Δ = {statistic} with {} degrees of freedom, p-value {p_value}", self.degrees_of_freedom),
        );
        for reason in self.reason.iter().chain(&self.notes) {
            page = page.remark("", reason.message.clone());
        }
        page.table(table)
    }
}
