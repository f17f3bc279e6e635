//! Files of toys, and the report of tests by toys.

use super::hypotest::{Statistic, band_columns, remarks};
use super::number::{Number, numbers, significant};
use super::reason::{Code, Reason};
use super::table::{Cell, Column, Page, Table};
use super::text;
use crate::infer::FitOptions;
use crate::infer::generate::ToyKind;
use crate::infer::toy_hypotest::{Hypothesis, NoToys};
use crate::infer::toy_test::{Distribution, ToyBand, ToyFraction, ToyTails};
use crate::infer::toys::{Toy, ToyFailure};
use crate::model::Model;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Version of the form of toy files.
pub const TOY_FILE: &str = "morphist-toys-1";

/// The first line of a file of toys: what they are. Files that differ in `shard` alone can be merged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToyHeader {
    pub schema: String,
    /// SHA-256 of the workspace and of the options from which the toys come.
    pub inputs: String,
    pub kind: KindName,
    /// Toys of each hypothesis in all shards.
    pub ntoys: u64,
    pub poi: String,
    pub poi_test: f64,
    pub seed: u64,
    /// (i, n): the i-th of n parts, from 1.
    pub shard: (u64, u64),
    pub test_stat: Statistic,
    /// The POI at the best fit of the observed data.
    pub best_fit: f64,
    /// The statistic on the observed data.
    pub q: f64,
}

/// One toy. Best fit and t are `null` where a fit is not valid; `reason` says why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToyLine {
    pub hypothesis: HypothesisName,
    /// From 0, in its hypothesis.
    pub index: u64,
    /// The POI at the best fit.
    pub best_fit: Option<f64>,
    /// −2 Δ ln L between the tested value of the POI and the best fit.
    pub t: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// At which value of the POI toys are made: the tested one, or that of the alternative (0; 1 for q0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HypothesisName {
    Tested,
    Alternative,
}

/// What of a toy is random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum KindName {
    /// Main and auxiliary data
    Frequentist,
    /// Main data; auxiliary data stay as observed
    MainOnly,
    /// Parameters from their constraint terms, then main data
    Bayesian,
    /// Parameters from the covariance of the fit, then main data
    Posterior,
}

impl From<KindName> for ToyKind {
    fn from(kind: KindName) -> ToyKind {
        match kind {
            KindName::Frequentist => ToyKind::Frequentist,
            KindName::MainOnly => ToyKind::MainOnly,
            KindName::Bayesian => ToyKind::BayesianPredictive,
            KindName::Posterior => ToyKind::PosteriorPredictive,
        }
    }
}

impl From<HypothesisName> for Hypothesis {
    fn from(name: HypothesisName) -> Hypothesis {
        match name {
            HypothesisName::Tested => Hypothesis::Tested,
            HypothesisName::Alternative => Hypothesis::Alternative,
        }
    }
}

impl ToyLine {
    pub fn new(model: &Model, options: &FitOptions, hypothesis: HypothesisName, toy: &Toy) -> ToyLine {
        let value = toy.outcome.as_ref().ok();
        let reason = toy.outcome.as_ref().err().map(|failure| match failure {
            ToyFailure::Generation(failure) => Reason::of_generation(model, failure).message,
            ToyFailure::Fit(fit, failure) => {
                Reason::of_no_toys(model, &NoToys::Fit(*fit, failure.clone()), options).message
            }
        });
        let (best_fit, t) = (value.map(|v| v.mu_hat), value.map(|v| v.height));
        ToyLine { hypothesis, index: toy.index, best_fit, t, reason }
    }
}

/// A test by toys. Numbers are `null` where there is no valid toy.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ToyReport {
    #[serde(rename = "CLb")]
    pub clb: Option<Fraction>,
    /// Expected without signal, ascending: quantiles over the toys of the alternative.
    #[serde(rename = "CLs_exp")]
    pub cls_exp: Vec<Number>,
    #[serde(rename = "CLs_obs")]
    pub cls_obs: Number,
    /// Binomial standard deviation of `CLs_obs`.
    #[serde(rename = "CLs_obs_uncertainty")]
    pub cls_uncertainty: Number,
    #[serde(rename = "CLsb")]
    pub clsb: Option<Fraction>,
    /// The POI at the best fit of the observed data.
    pub best_fit: Number,
    pub notes: Vec<Reason>,
    /// Toys at the tested value with a statistic of at least the observed one; for q0, toys without signal.
    pub p_value: Option<Fraction>,
    pub poi: String,
    pub poi_test: Number,
    /// The statistic on the observed data.
    pub q: Number,
    pub reason: Option<Reason>,
    pub seed: u64,
    pub test_stat: Statistic,
    pub valid: bool,
}

/// A part of the toys. Failed toys count in `failed` only.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Fraction {
    pub failed: u64,
    /// Central interval of 68.3 % (Clopper and Pearson).
    pub interval: [Number; 2],
    pub toys: u64,
    /// Binomial standard deviation.
    pub uncertainty: Number,
    pub value: Number,
    /// If all failed toys were below the observed statistic, and if all were above.
    pub with_failed: [Number; 2],
}

impl From<ToyFraction> for Fraction {
    fn from(fraction: ToyFraction) -> Fraction {
        let pair = |(low, high): (f64, f64)| [Number(low), Number(high)];
        Fraction {
            failed: fraction.n_failed,
            interval: pair(fraction.interval()),
            toys: fraction.n,
            uncertainty: Number(fraction.uncertainty()),
            value: Number(fraction.p()),
            with_failed: pair(fraction.with_failed()),
        }
    }
}

impl ToyReport {
    /// From the toys of both hypotheses, made as the header says.
    pub fn new(header: &ToyHeader, tested: &Distribution, alternative: &Distribution) -> ToyReport {
        let cls = matches!(header.test_stat, Statistic::Q | Statistic::Qtilde);
        let tails = ToyTails::new(tested, alternative, header.q);
        let band = if cls { ToyBand::new(tested, alternative).cls } else { [f64::NAN; 5] };
        let number = |x: f64| Number(if cls { x } else { f64::NAN });
        let (clsb, clb) = (Fraction::from(tails.clsb), Fraction::from(tails.clb));
        let failed = tails.clsb.n_failed + tails.clb.n_failed;
        let made = |fraction: &ToyFraction| fraction.n + fraction.n_failed;
        let reason = if tails.clsb.n == 0 || (cls && tails.clb.n == 0) {
            Some(Reason::new(Code::NoValidToy, "no toy has a valid fit, or there is none"))
        } else if cls && tails.clb.n_above == 0 {
            let message = "no toy of the alternative is as far from it as the data, so that CLs is 0/0 or infinite";
            Some(Reason::new(Code::NoValidToy, message))
        } else {
            None
        };
        let mut notes = if failed > 0 { vec![Reason::failed_toys(failed)] } else { Vec::new() };
        let fewest = if cls { made(&tails.clsb).min(made(&tails.clb)) } else { made(&tails.clsb) };
        if fewest < header.ntoys {
            let message =
                format!("{fewest} of {} toys are there: the others are in other shards, or not made", header.ntoys);
            notes.push(Reason::new(Code::Incomplete, message));
        }
        ToyReport {
            clb: cls.then(|| clb.clone()),
            cls_exp: numbers(&band),
            cls_obs: number(tails.cls()),
            cls_uncertainty: number(tails.cls_uncertainty()),
            clsb: cls.then(|| clsb.clone()),
            best_fit: Number(header.best_fit),
            notes,
            p_value: (!cls).then_some(clsb),
            poi: header.poi.clone(),
            poi_test: Number(header.poi_test),
            q: Number(header.q),
            valid: reason.is_none(),
            reason,
            seed: header.seed,
            test_stat: header.test_stat,
        }
    }

    pub fn page(&self) -> Page {
        let at = |x: Number| format!("{} = {}", text::label(&self.poi), significant(x.0, 6));
        let mut page = Page::new().remark("tested", at(self.poi_test)).remark("best fit", at(self.best_fit));
        page = page.remark("statistic", significant(self.q.0, 6)).remark("seed", self.seed.to_string());
        page = remarks(page, self.valid, self.reason.as_ref(), &self.notes);
        let columns = [
            Column::left("").key("quantity"),
            Column::right("observed").key("observed"),
            Column::left("±").key("uncertainty"),
            Column::right("toys").key("toys"),
            Column::right("failed").key("failed"),
        ];
        let mut table = Table::new("", columns.into_iter().chain(band_columns()).collect::<Vec<_>>());
        if self.p_value.is_none() {
            let expected = self.cls_exp.iter().map(|x| Cell::number(x.0, 4));
            let observed =
                [Cell::text("CLs"), Cell::number(self.cls_obs.0, 4), Cell::number(self.cls_uncertainty.0, 2)];
            table.add_row(observed.into_iter().chain([Cell::empty(), Cell::empty()]).chain(expected));
        }
        for (name, fraction) in [("CLs+b", &self.clsb), ("CLb", &self.clb), ("p-value", &self.p_value)] {
            let Some(fraction) = fraction else { continue };
            table.add_row([
                Cell::text(name),
                Cell::number(fraction.value.0, 4),
                Cell::number(fraction.uncertainty.0, 2),
                Cell::number(fraction.toys as f64, 17),
                Cell::number(fraction.failed as f64, 17),
            ]);
        }
        page.table(table)
    }
}
