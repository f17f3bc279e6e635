//! The local minima that a fit has found, how often its starts led to each of them, and what they may have missed
//! (spec/inference.md, "Several minima").

use nalgebra::DMatrix;

/// Values of one minimum differ by less.
const SAME_VALUE: f64 = 1e-5;

/// Two points are one minimum if its quadratic form says that they differ by less than this, in `twice_nll`.
const SAME_PLACE: f64 = 1e-3;

/// A basin into which fewer starts lead is missed with this probability or more.
const MISSED: f64 = 0.05;

/// A local minimum within the bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalMinimum {
    /// In fit order.
    pub parameters: Vec<f64>,
    pub twice_nll: f64,
    /// Free parameters on a bound.
    pub at_limit: Vec<usize>,
    /// Starts that led to it, and those of them that were spread over the coefficients.
    pub n_hits: u32,
    pub n_spread: u32,
}

/// All minima of one fit, ascending, and the starts that were tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Minima {
    pub found: Vec<LocalMinimum>,
    /// All starts; those that were spread over the coefficients; those of either kind that led to no minimum.
    pub n_starts: u32,
    pub n_spread: u32,
    pub n_failed: u32,
}

impl Minima {
    /// Good and Turing's estimate of the probability that one more spread start leads to a minimum to which none has led:
    /// the part of the spread starts that found a minimum alone (spec/inference.md, eq. 56). NaN without spread starts.
    pub fn unseen(&self) -> f64 {
        let alone = self.found.iter().filter(|minimum| minimum.n_spread == 1).count();
        alone as f64 / f64::from(self.n_spread)
    }

    /// The largest part of the spread starts that a basin which none of them has met may draw, at 95 % confidence
    /// (spec/inference.md, eq. 57). 1 without spread starts.
    pub fn largest_missed(&self) -> f64 {
        1.0 - MISSED.powf(1.0 / f64::from(self.n_spread))
    }
}

/// Where a start comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The model's start, the linear optimum, another side of a minimum.
    Chosen,
    /// Spread over the coefficients.
    Spread,
}

/// Where a start has led.
#[derive(Clone, Debug)]
pub(crate) struct Descent {
    pub converged: bool,
    pub theta: Vec<f64>,
    /// The reduced value.
    pub value: f64,
    pub widths: Vec<f64>,
    pub iterations: usize,
    pub evaluations: usize,
}

/// A minimum at work.
#[derive(Clone, Debug)]
pub(crate) struct Basin {
    pub theta: Vec<f64>,
    pub value: f64,
    /// Over which distances the likelihood changes, n_parameters long.
    pub widths: Vec<f64>,
    /// Of the free coefficients.
    pub hessian: DMatrix<f64>,
    pub n_hits: u32,
    pub n_spread: u32,
    /// Its other sides have been looked at.
    pub explored: bool,
}

/// The minima that a search has found so far, in the order in which it has found them.
#[derive(Clone, Debug)]
pub(crate) struct Catalogue {
    /// Free coefficients.
    pub coefficients: Vec<usize>,
    pub basins: Vec<Basin>,
    pub n_starts: u32,
    pub n_spread: u32,
    pub n_failed: u32,
    /// Where the lowest of the starts that ended at no minimum has ended, and its value.
    pub lowest_failed: Option<(f64, Vec<f64>)>,
}

impl Catalogue {
    pub fn new(coefficients: Vec<usize>) -> Catalogue {
        Catalogue { coefficients, basins: Vec::new(), n_starts: 0, n_spread: 0, n_failed: 0, lowest_failed: None }
    }

    /// Counts a start; `hessian` tells that of the coefficients at a point, which is asked for new minima only. The
    /// place of the minimum if it is new.
    pub fn add(
        &mut self,
        descent: Descent,
        origin: Origin,
        hessian: impl FnOnce(&[f64]) -> DMatrix<f64>,
    ) -> Option<usize> {
        let spread = u32::from(origin == Origin::Spread);
        self.n_starts += 1;
        self.n_spread += spread;
        if !descent.converged {
            self.n_failed += 1;
            let lower = self.lowest_failed.as_ref().is_none_or(|(value, _)| descent.value < *value);
            if lower && descent.value.is_finite() {
                self.lowest_failed = Some((descent.value, descent.theta));
            }
            return None;
        }
        let known = self.basins.iter().position(|basin| self.leads_to(basin, &descent));
        if let Some(basin) = known.and_then(|known| self.basins.get_mut(known)) {
            basin.n_hits += 1;
            basin.n_spread += spread;
            return None;
        }
        let hessian = hessian(&descent.theta);
        let Descent { theta, value, widths, .. } = descent;
        self.basins.push(Basin { theta, value, widths, hessian, n_hits: 1, n_spread: spread, explored: false });
        Some(self.basins.len() - 1)
    }

    fn leads_to(&self, basin: &Basin, descent: &Descent) -> bool {
        (basin.value - descent.value).abs() <= SAME_VALUE && self.distance(basin, &descent.theta) <= SAME_PLACE
    }

    /// ½ δᵀ H δ of the coefficients, and the squares of the other parameters' distances in their widths.
    fn distance(&self, basin: &Basin, theta: &[f64]) -> f64 {
        let delta: Vec<f64> = self.coefficients.iter().map(|&i| theta[i] - basin.theta[i]).collect();
        let rows = basin.hessian.row_iter().zip(&delta);
        let form: f64 = rows.map(|(row, d)| d * row.iter().zip(&delta).map(|(h, d)| h * d).sum::<f64>()).sum();
        let all = theta.iter().zip(&basin.theta).zip(&basin.widths).enumerate();
        let others = all.filter(|(i, _)| self.coefficients.binary_search(i).is_err());
        0.5 * form + others.map(|(_, ((a, b), width))| ((a - b) / width).powi(2)).sum::<f64>()
    }

    /// The place of the lowest minimum; of equal ones the first.
    pub fn lowest(&self) -> usize {
        let places = 0..self.basins.len();
        places.min_by(|a, b| self.basins[*a].value.total_cmp(&self.basins[*b].value)).unwrap_or(0)
    }

    /// How far a minimum lies above the lowest one.
    pub fn height(&self, place: usize) -> f64 {
        self.basins[place].value - self.basins[self.lowest()].value
    }

    /// What was found, with `constant` added to the values; `at_limit` tells the parameters on bounds.
    pub fn minima(self, constant: f64, at_limit: impl Fn(&[f64]) -> Vec<usize>) -> Minima {
        let Catalogue { mut basins, n_starts, n_spread, n_failed, .. } = self;
        basins.sort_by(|a, b| a.value.total_cmp(&b.value));
        let found = basins.into_iter().map(|basin| LocalMinimum {
            twice_nll: basin.value + constant,
            at_limit: at_limit(&basin.theta),
            parameters: basin.theta,
            n_hits: basin.n_hits,
            n_spread: basin.n_spread,
        });
        Minima { found: found.collect(), n_starts, n_spread, n_failed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minima(hits: &[u32], n_spread: u32) -> Minima {
        let minimum = |(k, hits): (usize, &u32)| LocalMinimum {
            parameters: vec![k as f64],
            twice_nll: k as f64,
            at_limit: Vec::new(),
            n_hits: *hits,
            n_spread: *hits,
        };
        Minima { found: hits.iter().enumerate().map(minimum).collect(), n_starts: n_spread, n_spread, n_failed: 0 }
    }

    /// Two of eleven starts found a minimum alone; with 95 % confidence a basin that 59 starts miss draws less than 5 %,
    /// since 0.95^59 = 0.0485 < 0.05 < 0.95^58 = 0.0510.
    #[test]
    fn what_may_be_missed() {
        assert!((minima(&[6, 3, 1, 1], 11).unseen() - 2.0 / 11.0).abs() < 1e-15);
        assert_eq!(minima(&[59], 59).unseen(), 0.0);
        assert!(minima(&[59], 59).largest_missed() < 0.05 && minima(&[58], 58).largest_missed() > 0.05);
        assert_eq!(minima(&[0], 0).largest_missed(), 1.0);
    }
}
