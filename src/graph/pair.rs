//! A pair of density and data, before data are put in: observed ones, toys or Asimov data.

use super::builder::{Builder, Id};
use super::program::Sum;
use crate::document::hs3::Distribution;
use std::collections::BTreeMap;

/// The data of one pair of distribution and data.
#[derive(Clone, Debug, PartialEq)]
pub enum PairData {
    /// A column for each axis, and the weight of each event.
    Events { columns: Vec<Vec<f64>>, weights: Vec<f64> },
    /// The contents of the bins, in C order.
    Counts(Vec<f64>),
}

impl PairData {
    /// Σ w, or Σ n.
    pub fn total(&self) -> f64 {
        match self {
            PairData::Events { weights, .. } => weights.iter().sum(),
            PairData::Counts(contents) => contents.iter().sum(),
        }
    }
}

/// A distribution, ready to be paired with data of one kind.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// Of the distribution.
    pub name: String,
    pub pointer: String,
    /// The name of the data of the document, where they have one.
    pub data: Option<String>,
    pub content: Content,
    /// The expected number of events of an extended density.
    pub rate: Option<Id>,
    pub constraints: Vec<String>,
    /// Σ w of the data of the document.
    pub observed: f64,
}

/// How data and density make a term.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// −Σ w ln p over events.
    Density { log: Id, variates: Vec<Variate> },
    /// The same of a Poisson distribution of its only variate.
    Poisson { log: Id, mean: Id, variates: Vec<Variate> },
    /// The same with a Poisson distribution among others: whole numbers beside real ones.
    Mixed { log: Id, variates: Vec<Variate> },
    /// −Σ n ln p at the centres of bins; by observable, with the volumes of the bins.
    Centres { log: Id, centres: Vec<(usize, Vec<f64>)>, volumes: Vec<f64> },
    /// −Σ n ln(m/v) of the probabilities m of bins, and what each is divided by.
    Masses(Vec<(Id, f64)>),
    /// Poisson terms of bins with these means.
    Counts(Vec<Id>),
}

/// A variate of events.
#[derive(Clone, Debug)]
pub(super) struct Variate {
    pub observable: usize,
    pub low: f64,
    pub high: f64,
    /// Of the axis, where it says.
    pub bins: Option<usize>,
    /// Where the range is not finite: where the density lies.
    pub reach: Vec<Reach>,
}

/// Centre and width of a Gaussian density of the variate, or of its logarithm.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    pub centre: Id,
    pub width: Id,
    pub logarithm: bool,
}

/// What one pair adds to −ln L.
#[derive(Clone, Debug, Default)]
pub(super) struct Term {
    pub scalars: Vec<Id>,
    pub sums: Vec<Sum>,
    /// Σ w of the data.
    pub events: f64,
    /// ln Γ(Σ w + 1) of an extended density.
    pub log_factorial: f64,
}

impl Pair {
    pub fn new(d: &Distribution, content: Content) -> Pair {
        let (name, pointer) = (d.name.clone(), d.pointer.clone());
        Pair { name, pointer, data: None, content, rate: None, constraints: Vec::new(), observed: 0.0 }
    }

    /// Spec/hs3.md, eq. 41, of this pair. Data of the other kind, or of other lengths, are no data: nothing is added.
    pub fn term(&self, builder: &mut Builder, data: &PairData) -> Term {
        let mut term = Term { events: data.total(), ..Term::default() };
        match (&self.content, data) {
            (
                Content::Density { log, variates }
                | Content::Poisson { log, variates, .. }
                | Content::Mixed { log, variates },
                PairData::Events { columns, weights },
            ) => {
                let columns = variates.iter().map(|v| v.observable).zip(columns.iter().cloned()).collect();
                term.add_events(builder, *log, columns, weights.clone());
            }
            (Content::Centres { log, centres, .. }, PairData::Counts(contents)) => {
                let kept = |column: &Vec<f64>| {
                    column.iter().zip(contents).filter(|(_, n)| **n != 0.0).map(|(x, _)| *x).collect::<Vec<f64>>()
                };
                let columns = centres.iter().map(|(observable, column)| (*observable, kept(column))).collect();
                term.add_events(builder, *log, columns, contents.iter().copied().filter(|n| *n != 0.0).collect());
            }
            (Content::Masses(masses), PairData::Counts(contents)) => {
                for ((mass, volume), content) in masses.iter().zip(contents).filter(|(_, n)| **n != 0.0) {
                    let log = builder.log(*mass);
                    let log = builder.shift(log, -volume.ln());
                    term.scalars.push(builder.scale(log, -content));
                }
            }
            (Content::Counts(rates), PairData::Counts(contents)) => {
                for (rate, content) in rates.iter().zip(contents) {
                    term.add_poisson(builder, *rate, *content);
                }
            }
            _ => return Term::default(),
        }
        if let Some(rate) = self.rate {
            term.log_factorial = libm::lgamma(term.events + 1.0);
            let events = term.events;
            term.add_poisson(builder, rate, events);
        }
        term
    }
}

impl Term {
    fn add_events(&mut self, builder: &mut Builder, log: Id, data: BTreeMap<usize, Vec<f64>>, weights: Vec<f64>) {
        if builder.is_column(log) {
            self.sums.push(Sum { column: log, data, weights });
        } else {
            self.scalars.push(builder.scale(log, -weights.iter().sum::<f64>()));
        }
    }

    /// The same with numbers in the place of parameters, by index.
    pub fn hold(&self, builder: &mut Builder, numbers: &BTreeMap<usize, f64>) -> Term {
        let scalars = self.scalars.iter().map(|id| builder.hold(*id, numbers)).collect();
        let mut term = Term { scalars, sums: Vec::new(), ..*self };
        for Sum { column, data, weights } in &self.sums {
            let column = builder.hold(*column, numbers);
            term.add_events(builder, column, data.clone(), weights.clone());
        }
        term
    }

    /// ν − n ln ν + ln Γ(n + 1), with 0 ln 0 = 0.
    fn add_poisson(&mut self, builder: &mut Builder, rate: Id, count: f64) {
        let factorial = builder.constant(libm::lgamma(count + 1.0));
        self.scalars.extend([rate, factorial]);
        if count != 0.0 {
            let log = builder.log(rate);
            self.scalars.push(builder.scale(log, -count));
        }
    }
}
