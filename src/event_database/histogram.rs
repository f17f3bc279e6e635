//! One pass through a database for one sample: rows to bins, weights to sums, and the events that must be kept.

use super::columns::Batch;
use super::databases::Use;
use super::declaration::{FactorColumns, Placement, Plan};
use super::kept::Kept;
use super::open::Database;
use super::sum::Sums;
use crate::document::eft::Eft;
use crate::finding::{Finding, Findings, Result, quote};
use crate::model::eft::{Events, Polynomial};
use crate::rule;
use std::collections::HashMap;

/// The histogram of a sample, in yields: luminosity, cross section and k-factor are included.
#[derive(Clone, Debug)]
pub struct Binned {
    /// Names of the variables of all polynomials: Wilson coefficients in the order of the block `eft`.
    pub variables: Vec<String>,
    pub polynomial: Polynomial,
    /// Σ w², a quartic for quadratic weights, or a constant where it is fixed at a point; without nuisances.
    pub w2: Option<Polynomial>,
    /// Events in each bin, rows of one event counted once.
    pub n_events: Vec<u64>,
    pub flow: FlowCounts,
    /// The same with an observable shifted.
    pub shifts: Vec<Shifted>,
    /// Where per-event systematics or a floor need them. Their variables are `variables`, then `nuisances`.
    pub events: Option<Events>,
    /// Names of the nuisance parameters of `events`.
    pub nuisances: Vec<String>,
    pub warnings: Findings,
}

/// What became of the rows of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowCounts {
    pub rows: u64,
    pub other_channels: u64,
    pub cut: u64,
    /// Rows below the first edge of an axis, dropped or merged.
    pub underflow: u64,
    pub overflow: u64,
    /// Rows in a bin.
    pub binned: u64,
}

/// The histogram with one observable at ν = −1 and at ν = +1.
#[derive(Clone, Debug)]
pub struct Shifted {
    pub systematic: String,
    pub lo: Polynomial,
    pub hi: Polynomial,
}

/// Rows of a file that a sample uses.
#[derive(Clone, Debug, Default)]
pub struct RowSet(Vec<u64>);

impl RowSet {
    fn insert(&mut self, row: u64) {
        let word = usize::try_from(row / 64).unwrap_or(usize::MAX);
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(word) {
            *bits |= 1 << (row % 64);
        }
    }

    /// The first row that both have.
    pub fn common(&self, other: &RowSet) -> Option<u64> {
        let both = self.0.iter().zip(&other.0).map(|(a, b)| a & b);
        both.zip(0u64..).find(|(bits, _)| *bits != 0).map(|(bits, word)| word * 64 + u64::from(bits.trailing_zeros()))
    }
}

/// Fills the histogram of a sample; the rows that it uses are noted in `rows`, and events are kept where `keep` says so
/// or something acts on each of them.
pub fn fill(database: &Database, eft: &Eft, usage: &Use, rows: &mut RowSet, keep: bool) -> Result<Binned> {
    let (data, channel) = (usage.data, usage.channel);
    let plan = Plan { keep, ..Plan::new(eft, &database.declaration, data)? };
    let factor = super::normalisation::yield_factor(&database.declaration.normalisation, data.k_factor)?;
    let mut pass = Pass::new(&plan, channel)?;
    if let Some(id) = plan.event_id {
        pass.shares = shares(database, &plan, channel, id)?;
    }
    database.read(&plan.columns.0, |batch| pass.batch(database, batch, rows))?;
    pass.finish(factor)
}

/// An event in a bin.
type Key = (usize, i64);

/// How many rows each event has in each bin, where that is more than one.
fn shares(database: &Database, plan: &Plan, channel: &str, id: usize) -> Result<HashMap<Key, u32>> {
    let mut counts: HashMap<Key, u32> = HashMap::new();
    database.read(&plan.columns.0, |batch| {
        for (row, event) in batch.integers(id).iter().enumerate() {
            if in_channel(plan, channel, batch, row)
                && plan.nominal.cuts.pass(batch, row)
                && let Some(bin) = plan.nominal.histogram.place(batch, row).bin
            {
                let count = counts.entry((bin, *event)).or_default();
                *count = count.saturating_add(1);
            }
        }
        Ok(())
    })?;
    counts.retain(|_, count| *count > 1);
    Ok(counts)
}

fn in_channel(plan: &Plan, channel: &str, batch: &Batch, row: usize) -> bool {
    plan.channel.is_none_or(|column| batch.texts(column).get(row).is_some_and(|own| own == channel))
}

/// Sums while rows pass by.
struct Pass<'a> {
    plan: &'a Plan,
    channel: &'a str,
    sums: Sums,
    shifts: Vec<(Sums, Sums)>,
    kept: Option<Kept>,
    n_events: Vec<u64>,
    flow: FlowCounts,
    shares: HashMap<Key, u32>,
    /// Events of which rows are still to come: how many, with the sums of their weights and their factors.
    open: HashMap<Key, (u32, Vec<f64>, Vec<f64>)>,
    weights: Vec<f64>,
    factors: Vec<f64>,
}

impl<'a> Pass<'a> {
    fn new(plan: &'a Plan, channel: &'a str) -> Result<Pass<'a>> {
        let (monomials, n_bins) = (&plan.weights.monomials, plan.nominal.histogram.n_bins());
        let plain = || Sums::new(n_bins, monomials, &super::declaration::Variance::None, None);
        let n_factors: usize =
            plan.factors.iter().map(|(_, f)| if matches!(f, FactorColumns::LogQuadratic(..)) { 2 } else { 1 }).sum();
        Ok(Pass {
            plan,
            channel,
            sums: Sums::new(n_bins, monomials, &plan.variance, plan.floor)?,
            shifts: plan.shifts.iter().map(|_| Ok((plain()?, plain()?))).collect::<Result<_>>()?,
            kept: plan.keeps_events().then(|| Kept::new(n_bins, monomials.len() + n_factors)),
            n_events: vec![0; n_bins],
            flow: FlowCounts::default(),
            shares: HashMap::new(),
            open: HashMap::new(),
            weights: vec![0.0; monomials.len()],
            factors: vec![0.0; n_factors],
        })
    }

    fn batch(&mut self, database: &Database, batch: &Batch, rows: &mut RowSet) -> Result<()> {
        let plan = self.plan;
        self.flow.rows += batch.n_rows as u64;
        for row in 0..batch.n_rows {
            if !in_channel(plan, self.channel, batch, row) {
                self.flow.other_channels += 1;
                continue;
            }
            let bin = place(database, &plan.nominal, batch, row, Some(&mut self.flow))?;
            let mut filled = false;
            if let Some(bin) = bin {
                rows.insert(batch.first_row + row as u64);
                plan.weights.fill(batch, row, &mut self.weights);
                self.check_weights(database, batch, row)?;
                filled = true;
                self.nominal(database, batch, row, bin)?;
            }
            for ((_, lo, hi), (lo_sums, hi_sums)) in plan.shifts.iter().zip(&mut self.shifts) {
                for (placement, sums) in [(lo, lo_sums), (hi, hi_sums)] {
                    if let Some(bin) = place(database, placement, batch, row, None)? {
                        if !filled {
                            plan.weights.fill(batch, row, &mut self.weights);
                            filled = true;
                        }
                        sums.add(bin, &self.weights);
                    }
                }
            }
        }
        Ok(())
    }

    /// Products of columns may overflow where the columns are finite.
    fn check_weights(&self, database: &Database, batch: &Batch, row: usize) -> Result<()> {
        if self.weights.iter().all(|a| a.is_finite()) {
            return Ok(());
        }
        let found = format!("a weight that overflows in row {} (from 0)", batch.first_row + row as u64);
        Err(database.finding(&rule::EVENT_VALUE, found, "finite coefficients").into())
    }

    /// A row in a bin: an event, or a part of one.
    fn nominal(&mut self, database: &Database, batch: &Batch, row: usize, bin: usize) -> Result<()> {
        self.read_factors(database, batch, row)?;
        let id = self.plan.event_id.and_then(|column| batch.integers(column).get(row).copied());
        let Some((key, share)) = id.and_then(|id| Some(((bin, id), *self.shares.get(&(bin, id))?))) else {
            let (weights, factors) = (std::mem::take(&mut self.weights), std::mem::take(&mut self.factors));
            let result = self.event(bin, &weights, &factors);
            (self.weights, self.factors) = (weights, factors);
            return result;
        };
        let k = self.weights.len();
        let open = self.open.entry(key).or_insert_with(|| (share, vec![0.0; k], self.factors.clone()));
        if open.2 != self.factors {
            let row = batch.first_row + row as u64;
            let found = format!("rows of event {} with different factors, the last in row {row} (from 0)", key.1);
            return Err(database.finding(&rule::EVENT_SYSTEMATIC, found, "one factor an event").into());
        }
        open.1.iter_mut().zip(&self.weights).for_each(|(sum, a)| *sum += a);
        open.0 -= 1;
        if open.0 == 0
            && let Some((_, weights, factors)) = self.open.remove(&key)
        {
            self.event(bin, &weights, &factors)?;
        }
        Ok(())
    }

    fn event(&mut self, bin: usize, weights: &[f64], factors: &[f64]) -> Result<()> {
        self.sums.add(bin, weights);
        if let Some(kept) = &mut self.kept {
            kept.add(bin, weights, factors)?;
        }
        if let Some(n) = self.n_events.get_mut(bin) {
            *n += 1;
        }
        Ok(())
    }

    fn read_factors(&mut self, database: &Database, batch: &Batch, row: usize) -> Result<()> {
        let value = |column: usize| batch.numbers(column).get(row).copied().unwrap_or(f64::NAN);
        let mut factors = self.factors.iter_mut();
        let mut put = |x: f64| {
            if let Some(factor) = factors.next() {
                *factor = x;
            }
        };
        for (name, columns) in &self.plan.factors {
            match *columns {
                FactorColumns::Linear(column) => put(value(column)),
                FactorColumns::LogQuadratic(linear, quadratic) => {
                    put(value(linear));
                    put(value(quadratic));
                }
                FactorColumns::Power(column) => {
                    let base = value(column);
                    if base < f64::MIN_POSITIVE {
                        let row = batch.first_row + row as u64;
                        let found = format!("a base of {base} for {} in row {row} (from 0)", quote(name));
                        return Err(database.finding(&rule::EVENT_SYSTEMATIC, found, "positive bases").into());
                    }
                    put(base);
                }
            }
        }
        Ok(())
    }

    fn finish(self, factor: f64) -> Result<Binned> {
        let (polynomial, w2) = self.sums.finish(factor);
        let mut shifts = Vec::new();
        for ((name, _, _), (lo, hi)) in self.plan.shifts.iter().zip(self.shifts) {
            shifts.push(Shifted { systematic: name.clone(), lo: lo.finish(factor).0, hi: hi.finish(factor).0 });
        }
        let mut all = vec![&polynomial];
        all.extend(w2.iter().chain(shifts.iter().flat_map(|s| [&s.lo, &s.hi])));
        if all.iter().any(|p| p.coefficients.iter().any(|a| !a.is_finite())) {
            return Err(Finding::new(&rule::EVENT_VALUE, "a sum of weights that overflows", "smaller weights").into());
        }
        let empty: Vec<String> =
            self.n_events.iter().enumerate().filter(|(_, n)| **n == 0).map(|(b, _)| b.to_string()).collect();
        let mut warnings = Findings::default();
        if !empty.is_empty() {
            let found = format!("no event in {} of {} bins: {}", empty.len(), self.n_events.len(), shown(&empty));
            warnings.push(Finding::new(&rule::EVENT_EMPTY_BIN, found, "events in every bin"));
        }
        Ok(Binned {
            variables: self.plan.weights.variables.clone(),
            polynomial,
            w2,
            n_events: self.n_events,
            flow: self.flow,
            shifts,
            events: self.kept.map(|kept| kept.finish(self.plan, factor)),
            nuisances: self.plan.factors.iter().map(|(name, _)| name.clone()).collect(),
            warnings,
        })
    }
}

fn shown(items: &[String]) -> String {
    let more = if items.len() > 20 { ", …" } else { "" };
    items.get(..20.min(items.len())).unwrap_or_default().join(", ") + more
}

/// The bin of a row, if it has one; where it goes is counted.
fn place(
    database: &Database,
    placement: &Placement,
    batch: &Batch,
    row: usize,
    counts: Option<&mut FlowCounts>,
) -> Result<Option<usize>> {
    let mut ignored = FlowCounts::default();
    let counts = counts.unwrap_or(&mut ignored);
    if !placement.cuts.pass(batch, row) {
        counts.cut += 1;
        return Ok(None);
    }
    let place = placement.histogram.place(batch, row);
    if place.refused {
        let found = placement.histogram.refusal(&place, batch, row);
        return Err(database.finding_of_use(&rule::EVENT_FLOW, found, "values inside the edges").into());
    }
    counts.underflow += u64::from(place.under.is_some());
    counts.overflow += u64::from(place.over.is_some());
    counts.binned += u64::from(place.bin.is_some());
    Ok(place.bin)
}
