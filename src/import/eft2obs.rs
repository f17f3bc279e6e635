//! The scaling of EFT2Obs: terms relative to the Standard Model with their uncertainties, each product once
//! (spec/eft-importers.md, "EFT2Obs").

use super::node::Node;
use super::terms::{ONCE, Terms};
use super::{Import, ImportOptions, ImportedResponse, Json, ResponseData, dropped};
use crate::document::eft::{McStat, Mode, PerBin};
use crate::finding::{Findings, Result};

/// Reads a file with `terms`, or one of the older layout with `bins`. The yield of bin b is `sm_vals[b]` times
/// 1 + Σ_k a_kb φ_k; the uncertainties of the terms are independent errors of the simulation.
pub fn read(name: &str, bytes: Vec<u8>, options: &ImportOptions) -> Result<Import> {
    let json = Json::read(name, bytes, &options.limits)?;
    let mut import = json.placed(scaling(&json.root(), options))?;
    json.place_warnings(&mut import);
    Ok(import)
}

/// Values and uncertainties of the terms, a number a bin.
struct Scaling {
    values: Terms,
    uncertainties: Terms,
    /// Of the constant, which should be one term of its own with value 1.
    warnings: Findings,
}

fn scaling(root: &Node, options: &ImportOptions) -> Result<Import> {
    let legacy = root.get("terms")?.is_none();
    let n_bins = n_bins(root, legacy)?;
    let sm = root.member(if legacy { "areas" } else { "sm_vals" })?;
    let yields = sm.numbers_of(n_bins, "bin")?;
    let mut found =
        Scaling { values: Terms::new(n_bins), uncertainties: Terms::new(n_bins), warnings: Findings::default() };
    if legacy {
        found.bins(&root.member("bins")?)?
    } else {
        found.terms(&root.member("terms")?, n_bins)?
    }
    found.values.add(Vec::new(), vec![1.0; n_bins]);
    found.uncertainties.add(Vec::new(), vec![0.0; n_bins]);
    for key in ["bin_edges", "edges", "bin_labels"] {
        let described = root.get(key)?.filter(|node| node.value.as_array().is_none_or(|a| !a.is_empty()));
        found
            .warnings
            .0
            .extend(described.map(|node| dropped(node.pointer, key, "a document has no description of bins")));
    }
    if !options.relative {
        let empty = (0..n_bins).filter(|b| yields[*b] <= 0.0);
        for b in empty {
            let what = format!("bin {b} without a positive yield of the Standard Model");
            found.warnings.push(dropped(
                sm.pointer.clone(),
                what,
                "ratios say nothing about what new physics adds there",
            ));
        }
    }
    let factors = if options.relative { vec![1.0; n_bins] } else { yields.clone() };
    let scaled = |terms: &Terms| terms.scaled(&factors);
    let mode = if options.relative { Mode::Relative } else { Mode::Absolute };
    let mut data = scaled(&found.values).polynomial(mode, false)?;
    let sigmas = scaled(&found.uncertainties).coefficients(false);
    let any = |sigma: &PerBin| matches!(sigma, PerBin::Each(values) if values.iter().any(|x| *x != 0.0));
    data.mc_stat = sigmas.iter().any(any).then_some(McStat::CoefficientErrors { sigmas, fixed_at: None });
    let mut response = ImportedResponse::new("eft2obs", ResponseData::Polynomial(data));
    response.nominal = (!options.relative).then_some(yields);
    let wilson_coefficients = options.bounds.coefficients(found.values.names())?;
    Ok(Import { wilson_coefficients, responses: vec![response], warnings: found.warnings, ..Import::default() })
}

fn n_bins(root: &Node, legacy: bool) -> Result<usize> {
    let declared = root.member("nbins")?;
    let n_bins = declared.value.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    let n_bins = n_bins.ok_or_else(|| declared.wrong("a number of bins"))?;
    // Nothing of that size is made before as many numbers were seen.
    let listed = root.member(if legacy { "bins" } else { "sm_vals" })?;
    listed.items_of(n_bins, "bin")?;
    Ok(n_bins)
}

impl Scaling {
    fn terms(&mut self, node: &Node, n_bins: usize) -> Result<()> {
        for term in node.items()? {
            let [names, values, uncertainties] = &term.items_of(3, "of names, values, uncertainties")?[..] else {
                return Err(term.wrong("names, values, uncertainties").into());
            };
            let values_of = values.numbers_of(n_bins, "bin")?;
            let uncertainties_of = uncertainties.numbers_of(n_bins, "bin")?;
            self.term(&term, names.names()?, values_of, uncertainties_of)?;
        }
        Ok(())
    }

    /// The older layout: for every bin a list of terms, value, uncertainty, names; each bin has the same terms.
    fn bins(&mut self, node: &Node) -> Result<()> {
        let bins = node.items()?;
        let first = bins.first().ok_or_else(|| node.wrong("at least one bin"))?.items()?;
        let mut columns = vec![(Vec::new(), Vec::new()); first.len()];
        let mut names_of_terms = Vec::new();
        for bin in &bins {
            let terms = bin.items_of(first.len(), "term of the first bin")?;
            for (index, term) in terms.iter().enumerate() {
                let parts = term.items()?;
                let [value, uncertainty, names @ ..] = &parts[..] else {
                    return Err(term.wrong("a value, an uncertainty and names").into());
                };
                let names = names.iter().map(|name| name.name().map(str::to_owned)).collect::<Result<Vec<_>>>()?;
                if names_of_terms.len() <= index {
                    names_of_terms.push(names);
                } else if names_of_terms[index] != names {
                    return Err(term.wrong("the names of the same term in the first bin").into());
                }
                columns[index].0.push(value.number()?);
                columns[index].1.push(uncertainty.number()?);
            }
        }
        for ((term, names), (values, uncertainties)) in first.iter().zip(names_of_terms).zip(columns) {
            self.term(term, names, values, uncertainties)?;
        }
        Ok(())
    }

    fn term(&mut self, node: &Node, names: Vec<String>, values: Vec<f64>, uncertainties: Vec<f64>) -> Result<()> {
        if names == ["1"] {
            if values.iter().any(|x| *x != 1.0) {
                return Err(node
                    .error("a term of the Standard Model other than 1", "ratios to the Standard Model")
                    .into());
            }
            if uncertainties.iter().any(|x| *x != 0.0) {
                self.warnings.push(dropped(
                    node.pointer.clone(),
                    "the uncertainty of the Standard Model",
                    "it has no term",
                ));
            }
            return Ok(());
        }
        if names.is_empty() || names.iter().any(|name| name == "1") {
            return Err(node.error("a term without coefficients", "names of coefficients").into());
        }
        if uncertainties.iter().any(|x| *x < 0.0) {
            return Err(node.error("a negative uncertainty", "uncertainties of at least 0").into());
        }
        let at = |found| node.error(found, ONCE);
        self.values.add_once(names.clone(), values).map_err(at)?;
        self.uncertainties.add_once(names, uncertainties).map_err(at)?;
        Ok(())
    }
}
