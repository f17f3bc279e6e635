//! Results against an upper cut on an energy: bins that reach above it are left out of the likelihood, data and
//! prediction, so that the limits rest on energies at which the expansion is trusted (arXiv:1604.06444).

use crate::infer::blind::keep_bins;
use crate::infer::{FitOptions, Likelihood, Scan, ScanOptions, Watch, scan};
use crate::model::{Data, Model};
use crate::program::Program;

/// The upper edge of each bin of a channel on the axis that is cut; infinite for overflow bins.
pub type UpperEdges = Vec<f64>;

/// The likelihood of the bins below one cut.
#[derive(Clone, Debug)]
pub struct Restricted {
    pub cut: f64,
    pub n_kept: usize,
    pub n_dropped: usize,
    /// Parameters that no bin is left to determine, which are held.
    pub held: Vec<usize>,
    /// None where no bin with the observable is left.
    pub scan: Option<Scan>,
    pub options: FitOptions,
}

/// The different cuts that leave something: all upper edges, ascending. The last one keeps everything.
pub fn cuts(edges: &[Option<UpperEdges>]) -> Vec<f64> {
    let mut cuts: Vec<f64> = edges.iter().flatten().flatten().copied().collect();
    cuts.sort_by(f64::total_cmp);
    cuts.dedup();
    cuts
}

/// A likelihood and the edges of its channels; channels without edges stay whole.
#[derive(Clone, Copy, Debug)]
pub struct Cuttable<'a> {
    pub model: &'a Model,
    pub data: &'a Data,
    pub edges: &'a [Option<UpperEdges>],
}

/// Scans one parameter with the bins below `cut`.
pub fn restricted(
    whole: Cuttable,
    cut: f64,
    parameter: usize,
    options: &FitOptions,
    scanned: &ScanOptions,
    watch: &Watch,
) -> Restricted {
    let Cuttable { model, data, edges } = whole;
    let keep: Vec<Vec<bool>> = model
        .channels
        .iter()
        .zip(edges)
        .map(|(channel, edges)| match edges {
            Some(edges) => (0..channel.n_bins).map(|bin| edges.get(bin).is_some_and(|edge| *edge <= cut)).collect(),
            None => vec![true; channel.n_bins],
        })
        .collect();
    let n_kept = keep.iter().flatten().filter(|keep| **keep).count();
    let masked = keep_bins(model, data, &keep);
    let mut options = options.clone();
    let held: Vec<usize> = masked.undetermined.iter().copied().filter(|i| !options.fixed[*i]).collect();
    held.iter().for_each(|i| options.fixed[*i] = true);
    let has_bins = keep.iter().zip(edges).any(|(keep, edges)| edges.is_some() && keep.contains(&true));
    let scan = (has_bins && !options.fixed[parameter]).then(|| {
        let program = Program::compile(&masked.model);
        let likelihood = Likelihood::new(&program, &masked.data, options.clone());
        scan(&likelihood, parameter, scanned, watch)
    });
    Restricted { cut, n_kept, n_dropped: model.n_bins() - n_kept, held, scan, options }
}
