//! What a sample's histogram needs of its database, worked out from the declarations before any event is read.

use super::binning::{Cuts, Histogram};
use super::columns::{Kind, Wanted};
use super::weights::Weights;
use crate::document::eft::{Eft, EventDatabase, EventMcStat, EventMcStatWord, EventSystematic, EventsData};
use crate::finding::{Finding, Result, quote};
use crate::rule;
use std::collections::BTreeMap;

/// The columns to be read, each once.
#[derive(Clone, Debug, Default)]
pub struct Columns(pub Vec<Wanted>);

impl Columns {
    /// The place of a column, which is asked for if it was not yet.
    pub fn place(&mut self, wanted: Wanted) -> usize {
        self.0.iter().position(|own| *own == wanted).unwrap_or_else(|| {
            self.0.push(wanted);
            self.0.len() - 1
        })
    }

    pub fn number(&mut self, name: &str) -> usize {
        self.place(Wanted::number(name))
    }
}

/// Where rows go if one observable has the values of another column.
#[derive(Clone, Debug)]
pub struct Placement {
    pub cuts: Cuts,
    pub histogram: Histogram,
}

/// The factor on the weight of each event for one nuisance, by places of columns.
#[derive(Clone, Copy, Debug)]
pub enum FactorColumns {
    Linear(usize),
    Power(usize),
    LogQuadratic(usize, usize),
}

/// Σ w² of the events as it is asked for.
#[derive(Clone, Debug)]
pub enum Variance {
    None,
    Quartic,
    /// At this point, one value a variable of the weights.
    At(Vec<f64>),
}

/// A histogram of events, ready to be filled.
#[derive(Clone, Debug)]
pub struct Plan {
    pub columns: Columns,
    pub weights: Weights,
    pub nominal: Placement,
    /// By name of the systematic: placements at ν = −1 and +1.
    pub shifts: Vec<(String, Placement, Placement)>,
    /// By name of the nuisance.
    pub factors: Vec<(String, FactorColumns)>,
    pub event_id: Option<usize>,
    /// The column that names the channel.
    pub channel: Option<usize>,
    pub variance: Variance,
    /// In units of the weights.
    pub floor: Option<f64>,
    /// Events are to be kept even if nothing acts on each.
    pub keep: bool,
}

impl Plan {
    pub fn new(eft: &Eft, database: &EventDatabase, data: &EventsData) -> Result<Plan> {
        let mut columns = Columns::default();
        let placement = |replaced: &BTreeMap<&str, &str>, columns: &mut Columns| -> Result<Placement> {
            let mut column = |observable: &str| -> Result<usize> {
                let Some(own) = database.observables.get(observable) else {
                    return Err(
                        contradiction(&format!("observable {}", quote(observable)), "one of the database").into()
                    );
                };
                let name = replaced.get(observable).copied().unwrap_or(&own.column);
                Ok(columns.number(name))
            };
            let cuts = Cuts::new(&data.selection, &mut column)?;
            Ok(Placement { cuts, histogram: Histogram::new(data, &mut column)? })
        };
        let nominal = placement(&BTreeMap::new(), &mut columns)?;
        let (mut shifts, mut factors) = (Vec::new(), Vec::new());
        for (i, name) in data.systematics.iter().enumerate() {
            if data.systematics.iter().take(i).any(|other| other == name) {
                return Err(contradiction(&format!("systematic {} twice", quote(name)), "each once").into());
            }
            match database.systematics.get(name) {
                None => {
                    let found = format!("systematic {}", quote(name));
                    return Err(contradiction(&found, "one of the database").into());
                }
                Some(EventSystematic::Shift { observables }) => {
                    let lo = observables.iter().map(|(name, shifted)| (&**name, &*shifted.lo)).collect();
                    let hi = observables.iter().map(|(name, shifted)| (&**name, &*shifted.hi)).collect();
                    shifts.push((name.clone(), placement(&lo, &mut columns)?, placement(&hi, &mut columns)?));
                }
                Some(EventSystematic::Linear { column }) => {
                    factors.push((name.clone(), FactorColumns::Linear(columns.number(column))));
                }
                Some(EventSystematic::Power { column }) => {
                    factors.push((name.clone(), FactorColumns::Power(columns.number(column))));
                }
                Some(EventSystematic::LogQuadratic { linear, quadratic }) => {
                    let places = (columns.number(linear), columns.number(quadratic));
                    factors.push((name.clone(), FactorColumns::LogQuadratic(places.0, places.1)));
                }
            }
        }
        let weights = Weights::new(eft, &database.weights, data.truncation, &mut columns)?;
        let mut other =
            |name: &Option<String>, kind| name.as_ref().map(|name| columns.place(Wanted { name: name.clone(), kind }));
        let (event_id, channel) = (other(&database.event_id, Kind::Integer), other(&database.channel, Kind::Text));
        let variance = variance(&data.mc_stat, &weights.variables, eft)?;
        if data.floor.is_some_and(|floor| !floor.is_finite()) {
            return Err(contradiction("a floor that is not finite", "a number").into());
        }
        if !shifts.is_empty() && data.floor.is_some() {
            let found = "a shift of an observable beside a floor";
            return Err(Finding::new(&rule::EVENT_SYSTEMATIC, found, "one of the two").into());
        }
        let floor = data.floor;
        Ok(Plan { columns, weights, nominal, shifts, factors, event_id, channel, variance, floor, keep: false })
    }

    /// Whether single events are needed at every point, or asked for.
    pub fn keeps_events(&self) -> bool {
        self.keep || self.floor.is_some() || !self.factors.is_empty()
    }
}

fn variance(mc_stat: &EventMcStat, variables: &[String], eft: &Eft) -> Result<Variance> {
    Ok(match mc_stat {
        EventMcStat::Word(EventMcStatWord::None) => Variance::None,
        EventMcStat::Word(EventMcStatWord::W2) => Variance::Quartic,
        EventMcStat::FixedAt(at) => Variance::At(point(&at.fixed_at, variables, eft)?),
    })
}

/// The values of `variables` at a point given by name, zero for what is not named.
pub fn point(at: &BTreeMap<String, f64>, variables: &[String], eft: &Eft) -> Result<Vec<f64>> {
    for (name, value) in at {
        if !eft.wilson_coefficients.iter().any(|c| c.name == *name) || !value.is_finite() {
            let found = format!("a point with {} at {value}", quote(name));
            return Err(contradiction(&found, "finite values of Wilson coefficients of the block eft").into());
        }
    }
    Ok(variables.iter().map(|name| at.get(name).copied().unwrap_or(0.0)).collect())
}

/// The values of the variables of a histogram at its reference point.
pub fn reference(at: &BTreeMap<String, f64>, variables: &[String]) -> Result<Vec<f64>> {
    match at.iter().find(|(_, value)| !value.is_finite()) {
        Some((name, value)) => {
            Err(contradiction(&format!("a reference with {} at {value}", quote(name)), "a number").into())
        }
        None => Ok(variables.iter().map(|name| at.get(name).copied().unwrap_or(0.0)).collect()),
    }
}

pub fn contradiction(found: &str, expected: &str) -> Finding {
    Finding::new(&rule::EVENT_DECLARATION, found, expected)
}
