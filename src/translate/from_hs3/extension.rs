//! EFT documents inside of HS3 files (spec/eft-hs3.md, section 6): read from our own keys, and compared with what the
//! standard part of the file says.

use super::choice::Region;
use super::{BesideFile, Hs3Likelihood, Hs3Options};
use crate::document::eft::VERSION;
use crate::document::hs3::{EftLayer, Hs3Document, MISC_KEY};
use crate::finding::{Finding, Findings, Result, Severity, number, quote};
use crate::kernel::Evaluator;
use crate::model::Model;
use crate::program::Program;
use crate::rule;
use crate::translate::from_pyhf::{self, ModelOptions};
use crate::workspace::{self, Loaded, Scope};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

const EXPECTED: &str = "a document that says what the expansion beside it says";

/// The document's own likelihood in the place of its expansion, where both say the same. Otherwise the expansion stays,
/// with a warning that says why.
///
/// # Errors
/// W456 where responses are to end at an order and there is no document whose responses could.
pub(super) fn take(
    document: &Hs3Document,
    options: &Hs3Options,
    regions: &[Region],
    expansion: Hs3Likelihood,
) -> Result<Hs3Likelihood> {
    let Some(own) = document.misc.get(MISC_KEY) else {
        return match options.max_np_order {
            None => Ok(expansion),
            Some(_) => Err(no_document()),
        };
    };
    match (read(own, document, options, regions, &expansion), options.max_np_order) {
        (Ok((loaded, likelihood)), None) => Ok(Hs3Likelihood { eft: loaded.workspace.eft, ..likelihood }),
        (Ok((loaded, likelihood)), order) => {
            let max_np_order = order.into_iter().chain(loaded.max_np_order).min();
            let model = from_pyhf::model(&loaded.workspace, &model_options(options, max_np_order))?;
            let truncated = max_np_order.filter(|order| Some(*order) != loaded.max_np_order);
            let beside_file = truncated.map(BesideFile::Truncated).or(likelihood.beside_file);
            Ok(Hs3Likelihood { model, eft: loaded.workspace.eft, beside_file, ..likelihood })
        }
        (Err(why), None) => {
            let mut expansion = expansion;
            expansion.model.warnings.push(finding(why, EXPECTED));
            Ok(expansion)
        }
        (Err(why), Some(_)) => Err(error(why, EXPECTED)),
    }
}

/// The document that a file holds beside its expansion, which says the same.
///
/// # Errors
/// W456 where there is none, or where it says something else; those of [`super::likelihood`].
pub fn own_document(document: &Hs3Document, options: &Hs3Options) -> Result<Loaded> {
    let own = document.misc.get(MISC_KEY).ok_or_else(no_document)?;
    let (expansion, content) = super::expansion(document, options)?;
    let read = read(own, document, options, &content.regions, &expansion);
    read.map(|(loaded, _)| loaded).map_err(|why| error(why, EXPECTED))
}

fn no_document() -> Findings {
    let expected = "an EFT document beside its expansion, in misc.morphist";
    let found = "an HS3 document without the EFT extension";
    let finding = Finding::new(&rule::EFT_LAYER, found, expected).hint("give the workspace, or expand it: eft expand");
    Finding { severity: Severity::Error, ..finding.at("/misc") }.into()
}

fn error(found: String, expected: &str) -> Findings {
    Finding { severity: Severity::Error, ..finding(found, expected) }.into()
}

fn finding(found: String, expected: &str) -> Finding {
    Finding::new(&rule::EFT_LAYER, found, expected).at(format!("/misc/{MISC_KEY}"))
}

fn read(
    own: &Value,
    document: &Hs3Document,
    options: &Hs3Options,
    regions: &[Region],
    expansion: &Hs3Likelihood,
) -> std::result::Result<(Loaded, Hs3Likelihood), String> {
    let layer = layer(own)?;
    let first = |findings: Findings| findings.0.first().map_or("nothing".to_owned(), Finding::to_string);
    let loaded = workspace::load_value(workspace(regions, &layer)?, &Scope::default());
    let mut loaded = loaded.map_err(|findings| format!("a document that breaks a rule: {}", first(findings)))?;
    loaded.max_np_order = layer.max_np_order;
    let not_built = |findings| format!("a document without a model: {}", first(findings));
    let model = from_pyhf::model(&loaded.workspace, &model_options(options, layer.max_np_order)).map_err(not_built)?;
    let data = from_pyhf::data(&loaded.workspace, &model).map_err(not_built)?;
    let beside_file = (!layer.eta.is_empty()).then_some(BesideFile::Profiled(layer.eta.len()));
    let likelihood = Hs3Likelihood { model, data, beside_file, ..expansion.clone() };
    let declared: HashSet<&str> =
        document.parameter_points.iter().flat_map(|point| &point.parameters).map(|p| p.name.as_str()).collect();
    let declared = |name: &str| declared.contains(name);
    match compare(&likelihood, expansion, &layer.parameters, &layer.eta, &declared)? {
        0 => Err("no point at which both are in their domain".to_owned()),
        _ => Ok((loaded, likelihood)),
    }
}

fn model_options(options: &Hs3Options, max_np_order: Option<u32>) -> ModelOptions {
    let (poi, folder) = (options.poi.clone(), options.folder.clone());
    ModelOptions { poi, folder, max_np_order, ..ModelOptions::default() }
}

/// The keys, of the version that is read here.
fn layer(own: &Value) -> std::result::Result<EftLayer, String> {
    match own.get("version").and_then(Value::as_str) {
        Some(VERSION) => {}
        Some(other) => return Err(format!("version {} of the keys in place of {}", quote(other), quote(VERSION))),
        None => return Err("keys without a version".to_owned()),
    }
    serde_json::from_value(own.clone()).map_err(|error| format!("keys that are not those of this version: {error}"))
}

/// The workspace of the document: samples from those of HS3 that hold them, counts from the data of the likelihood.
fn workspace(regions: &[Region], layer: &EftLayer) -> std::result::Result<Value, String> {
    if regions.len() != layer.channels.len() {
        return Err(format!("{} channels in place of {}", layer.channels.len(), regions.len()));
    }
    let (mut channels, mut observations) = (Vec::new(), Vec::new());
    for region in regions {
        let name = layer.channels.get(region.name).ok_or_else(|| format!("no channel {}", quote(region.name)))?;
        let samples: Vec<&Value> = region.channel.samples.iter().filter_map(|sample| sample.eft.as_ref()).collect();
        channels.push(json!({"name": name, "samples": samples}));
        observations.push(json!({"name": name, "data": region.counts}));
    }
    Ok(json!({"channels": channels, "observations": observations, "measurements": layer.measurements,
        "version": "1.0.0", "eft": layer.eft}))
}

/// The same −2 ln L at the start and at two points beside it, with η where it is best (spec/eft-hs3.md, eq. 4). `names` are
/// those of the parameters in the expansion; one that it has declared and does not use must not matter to the document
/// either. Returns at how many points both are in their domain.
///
/// # Errors
/// In words, where they differ.
pub(crate) fn compare(
    own: &Hs3Likelihood,
    expansion: &Hs3Likelihood,
    names: &[String],
    etas: &[String],
    declared: &dyn Fn(&str) -> bool,
) -> std::result::Result<usize, String> {
    let of_file: HashMap<String, usize> =
        expansion.model.parameter_names().into_iter().enumerate().map(|(i, name)| (name, i)).collect();
    let place = |name: &String| match of_file.get(name) {
        None if !declared(name) => Err(format!("no parameter {}", quote(name))),
        place => Ok(place.copied()),
    };
    let parameters = names.iter().map(place).collect::<std::result::Result<Vec<_>, _>>()?;
    let etas = etas.iter().map(place).collect::<std::result::Result<Option<Vec<_>>, _>>()?;
    let etas = etas.ok_or("an η that nothing uses")?;
    let bins = bins(&own.model);
    if parameters.len() != own.model.n_parameters() || etas.len() != bins.len() {
        return Err(format!("{} parameters in place of {}", parameters.len(), own.model.n_parameters()));
    }
    let (program, of_expansion) = (Program::compile(&own.model), Program::compile(&expansion.model));
    let mut file = Beside { program: &of_expansion, likelihood: expansion, etas: &etas, bins: &bins };
    let mut compared = 0;
    for shift in [0.0, 0.1, -0.1] {
        let theta = moved(&own.model, shift);
        let value = Evaluator::new(&program).twice_nll(&theta, &program.prepare(&own.data));
        let mut point = expansion.model.init();
        parameters.iter().zip(&theta).filter_map(|(place, x)| Some(((*place)?, *x))).for_each(|(i, x)| point[i] = x);
        let Some(beside) = file.twice_nll(point).filter(|x| x.is_finite() && value.is_finite()) else { continue };
        compared += 1;
        if (value - beside).abs() > 1e-9 + 1e-11 * value.abs() {
            let (value, beside) = (number(value), number(beside));
            return Err(format!("−2 ln L = {value} of the document and {beside} of the expansion at one point"));
        }
    }
    Ok(compared)
}

/// The start, moved towards the upper ends of the ranges, or the lower ones.
fn moved(model: &Model, shift: f64) -> Vec<f64> {
    let settings = model.init().into_iter().zip(model.bounds()).zip(model.fixed());
    let one = |((init, (low, high)), fixed): ((f64, (f64, f64)), bool)| {
        let end = if shift > 0.0 { high } else { low };
        if fixed || !end.is_finite() { init } else { init + shift.abs() * (end - init) }
    };
    settings.map(one).collect()
}

/// The places of the uncertain bins among all bins.
fn bins(model: &Model) -> Vec<usize> {
    let first: Vec<usize> =
        model.channels.iter().scan(0, |next, channel| Some(std::mem::replace(next, *next + channel.n_bins))).collect();
    model.uncertain_bins().into_iter().map(|(channel, bin)| first[channel] + bin).collect()
}

/// The expansion, with the parameters η of its uncertain bins.
struct Beside<'l> {
    program: &'l Program,
    likelihood: &'l Hs3Likelihood,
    etas: &'l [usize],
    bins: &'l [usize],
}

impl Beside<'_> {
    fn main(&self, point: &[f64]) -> Vec<f64> {
        let (mut main, mut auxiliary) = (vec![0.0; self.program.n_bins()], vec![0.0; self.program.n_auxdata()]);
        Evaluator::new(self.program).expected(point, &mut main, &mut auxiliary);
        main
    }

    /// At the best η, with those of the point being zero; none where bins do not fit.
    fn twice_nll(&mut self, mut point: Vec<f64>) -> Option<f64> {
        let none = self.main(&point);
        self.etas.iter().for_each(|eta| point[*eta] = 1.0);
        let one = self.main(&point);
        for (eta, bin) in self.etas.iter().zip(self.bins) {
            let (lambda, n) = (*none.get(*bin)?, *self.likelihood.data.main.get(*bin)?);
            let root = one.get(*bin)? - lambda;
            // η̂ = (μ̂ − λ)/√v = −√v d (spec/eft.md, eq. 15).
            let v = root * root;
            let mu = 0.5 * (lambda - v + ((lambda - v).powi(2) + 4.0 * v * n).sqrt());
            // Beside μ̂ = 0, where rounding would decide on which side of the domain it is.
            let mu = mu.max(1e-14 * lambda.abs());
            point[*eta] = if v > 0.0 { (mu - lambda) / root } else { 0.0 };
        }
        Some(Evaluator::new(self.program).twice_nll(&point, &self.program.prepare(&self.likelihood.data)))
    }
}
