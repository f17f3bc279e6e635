//! Closure of learned ratios: JSON, and tables of means, variances, independent samples and replicas.

use super::number::{Number, numbers};
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::infer::eft::closure::{ComponentClosure, IndependentClosure, ReplicaSpread};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Whether learned ratios are consistent at a point (spec/unbinned.md, "Closure").
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EftClosureReport {
    pub parameters: BTreeMap<String, Number>,
    pub terms: Vec<ClosureEntry>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ClosureEntry {
    pub components: Vec<ComponentEntry>,
    /// Sum of the weights of the observed events, and of those of Asimov data.
    pub events_asimov: Option<Number>,
    pub events_observed: Number,
    pub n_observed: usize,
    pub n_reference: usize,
    pub name: String,
    /// Null where no component has replicas.
    pub replicas: Option<ReplicaEntry>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ComponentEntry {
    /// Null without reference events.
    pub closure: Option<ClosureNumbers>,
    pub name: String,
}

/// Of one component at the point.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ClosureNumbers {
    /// How many reference events of equal weight say as much.
    pub effective_events: Number,
    /// Expected events.
    pub events: Number,
    /// The mean of the ratio if it is right.
    pub expected_mean: Number,
    /// The variance of the mean if the ratio is right, from the reference events alone.
    pub expected_variance: Number,
    /// Null without --independent.
    pub independent: Option<IndependentEntry>,
    /// Over the reference events.
    pub mean: Number,
    /// Reference events where the ratio is not positive.
    pub non_positive: usize,
    /// Of the mean.
    pub variance: Number,
}

/// Against events that were generated at the point.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct IndependentEntry {
    pub chi2: Number,
    pub degrees_of_freedom: usize,
    /// The variance of the mean over the reference events if the ratio is right.
    pub expected_variance: Number,
    /// Of the ratio.
    pub mean: Number,
    /// Of the calibrated ratio's inverse: one if the ratio is right.
    pub mean_inverse: Number,
    pub p_value: Number,
}

/// −2 ln of the likelihood ratio of the term between the point and zero coefficients, on the observed events.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ReplicaEntry {
    pub central: Number,
    pub deviation: Number,
    /// The ratio's own columns first.
    pub each: Vec<Number>,
    pub mean: Number,
}

impl From<&ComponentClosure> for ClosureNumbers {
    fn from(closure: &ComponentClosure) -> ClosureNumbers {
        ClosureNumbers {
            effective_events: Number(closure.effective_events),
            events: Number(closure.events),
            expected_mean: Number(closure.expected_mean),
            expected_variance: Number(closure.expected_variance),
            independent: closure.independent.as_ref().map(IndependentEntry::from),
            mean: Number(closure.mean),
            non_positive: closure.non_positive,
            variance: Number(closure.variance),
        }
    }
}

impl From<&IndependentClosure> for IndependentEntry {
    fn from(closure: &IndependentClosure) -> IndependentEntry {
        IndependentEntry {
            chi2: Number(closure.chi2),
            degrees_of_freedom: closure.degrees_of_freedom,
            expected_variance: Number(closure.expected_variance),
            mean: Number(closure.mean),
            mean_inverse: Number(closure.mean_inverse),
            p_value: Number(closure.p_value),
        }
    }
}

impl From<&ReplicaSpread> for ReplicaEntry {
    fn from(spread: &ReplicaSpread) -> ReplicaEntry {
        ReplicaEntry {
            central: Number(spread.central),
            deviation: Number(spread.deviation),
            each: numbers(&spread.each),
            mean: Number(spread.mean),
        }
    }
}

impl EftClosureReport {
    pub fn page(&self, file: &str) -> Page {
        let mut page = Page::new().remark("file", text::escape(file));
        let moved = self.parameters.iter().filter(|(_, x)| x.0 != 0.0);
        let point: Vec<String> = moved.map(|(name, x)| format!("{} = {}", text::label(name), x.0)).collect();
        page = page.remark("point", point.join(", "));
        page = page.table(self.means());
        if self.of_components().any(|(_, _, numbers)| numbers.independent.is_some()) {
            page = page.table(self.independent());
        }
        if self.terms.iter().any(|term| term.replicas.is_some()) { page.table(self.replicas()) } else { page }
    }

    fn of_components(&self) -> impl Iterator<Item = (&str, &str, &ClosureNumbers)> {
        self.terms.iter().flat_map(|term| {
            let closed = term.components.iter().filter_map(|c| Some((c, c.closure.as_ref()?)));
            closed.map(|(component, numbers)| (term.name.as_str(), component.name.as_str(), numbers))
        })
    }

    fn means(&self) -> Table {
        let columns = [
            Column::left("term"),
            Column::left("component"),
            Column::right("events"),
            Column::right("mean ratio").key("mean"),
            Column::right("if right").key("expected_mean"),
            Column::right("pull"),
            Column::right("variance"),
            Column::right("if right").key("expected_variance"),
            Column::right("not positive").key("non_positive"),
        ];
        let mut table = Table::new("mean of the ratio over the reference events", columns);
        for (term, component, numbers) in self.of_components() {
            table.add_row([
                Cell::name(term),
                Cell::name(component),
                Cell::number(numbers.events.0, 6),
                Cell::number(numbers.mean.0, 6),
                Cell::number(numbers.expected_mean.0, 6),
                Cell::number((numbers.mean.0 - numbers.expected_mean.0) / numbers.variance.0.sqrt(), 3),
                Cell::number(numbers.variance.0, 4),
                Cell::number(numbers.expected_variance.0, 4),
                Cell::count(numbers.non_positive),
            ]);
        }
        table
    }

    fn independent(&self) -> Table {
        let columns = [
            Column::left("term"),
            Column::left("component"),
            Column::right("chi2"),
            Column::right("dof"),
            Column::right("p-value").key("p_value"),
            Column::right("mean ratio").key("mean"),
            Column::right("mean inverse").key("mean_inverse"),
            Column::right("variance if right").key("expected_variance"),
        ];
        let mut table = Table::new("against events that were generated at the point", columns);
        for (term, component, numbers) in self.of_components() {
            let Some(own) = &numbers.independent else { continue };
            table.add_row([
                Cell::name(term),
                Cell::name(component),
                Cell::number(own.chi2.0, 4),
                Cell::count(own.degrees_of_freedom),
                Cell::number(own.p_value.0, 3),
                Cell::number(own.mean.0, 6),
                Cell::number(own.mean_inverse.0, 6),
                Cell::number(own.expected_variance.0, 4),
            ]);
        }
        table
    }

    fn replicas(&self) -> Table {
        let columns = [
            Column::left("term"),
            Column::right("replicas"),
            Column::right("of the likelihood").key("central"),
            Column::right("mean"),
            Column::right("standard deviation").key("deviation"),
        ];
        let mut table = Table::new("twice_nll at the point less that at zero coefficients, by replica", columns);
        for term in &self.terms {
            let Some(replicas) = &term.replicas else { continue };
            table.add_row([
                Cell::name(&term.name),
                Cell::count(replicas.each.len()),
                Cell::number(replicas.central.0, 6),
                Cell::number(replicas.mean.0, 6),
                Cell::number(replicas.deviation.0, 4),
            ]);
        }
        table
    }
}
