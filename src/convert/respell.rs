//! HS3 documents with any components in the words of one reader: types, keys and forms are replaced, what the reader lacks
//! is told (spec/hs3-convert.md, section 6).

use super::file::{Metadata, Package};
use super::leftover::needed;
use super::names::identifier;
use super::reader_types::{self, Support};
use super::target::Target;
use super::variates;
use super::{Converted, Losses, to_value};
use crate::document::hs3::{
    DataKind, Dialect, DistributionKind, FunctionKind, Hs3Document, Likelihood, LikelihoodData, canonical,
};
use crate::finding::{Finding, Findings, Result, quote};
use crate::rule;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// Writes `value`, of which `document` is the reading.
///
/// # Errors
/// A document that is no object.
pub(super) fn respell(value: &Value, document: &Hs3Document, target: Target) -> Result<Converted> {
    let Value::Object(members) = value else { return Err(Findings::default()) };
    let mut speller =
        Respeller { document, target, needed: needed(document, &document.likelihoods), losses: Findings::default() };
    let mut written = Map::new();
    written.insert("metadata".to_owned(), speller.metadata(members.get("metadata"))?);
    for key in ["distributions", "functions"] {
        if let Some(Value::Array(items)) = members.get(key) {
            let kept = items.iter().enumerate().filter_map(|(i, item)| speller.component(key, i, item)).collect();
            written.insert(key.to_owned(), Value::Array(kept));
        }
    }
    speller.data();
    if target == Target::Pyhs3 {
        super::pyhs3_densities::check(document, &mut speller.losses);
    }
    for key in ["data", "likelihoods", "domains", "parameter_points"] {
        if let Some(value) = members.get(key) {
            written.insert(key.to_owned(), value.clone());
        }
    }
    speller.domains(&mut written);
    if target == Target::Root640 {
        variates::declare(document, &mut written);
    }
    if let Some(Value::Array(items)) = members.get("analyses") {
        let mut items: Vec<Value> = items.iter().map(analysis).collect();
        let known = named(members);
        for (i, item) in items.iter_mut().enumerate() {
            speller.interesting(item, &known, &format!("/analyses/{i}/parameters_of_interest"));
        }
        if target == Target::Pyhs3 {
            items.iter_mut().for_each(|item| complete(item, document));
        }
        written.insert("analyses".to_owned(), Value::Array(items));
    }
    if let Some(misc) = speller.misc(members.get("misc"), &mut written) {
        written.insert("misc".to_owned(), misc);
    }
    let mut document = Value::Object(written);
    match target {
        Target::Canonical => {}
        Target::Root640 => super::exact::digits(&mut document),
        Target::Pyhs3 => super::exact::constants(&mut document),
    }
    Ok(Converted { document, losses: Losses(speller.losses) })
}

struct Respeller<'d> {
    document: &'d Hs3Document,
    target: Target,
    /// The names of what likelihoods need.
    needed: HashSet<&'d str>,
    losses: Findings,
}

impl Respeller<'_> {
    fn metadata(&self, old: Option<&Value>) -> Result<Value> {
        let own = Package { name: "morphist".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
        let of_target = self.target.package();
        let of_target = of_target.map(|(name, version)| Package { name: name.into(), version: version.into() });
        let packages = std::iter::once(own).chain(of_target).collect();
        let mut metadata =
            to_value(&Metadata { hs3_version: self.target.hs3_version().to_owned(), packages, rest: Map::new() })?;
        for key in ["authors", "publications", "description"] {
            if let Some(value) = old.and_then(|old| old.get(key)) {
                metadata[key] = value.clone();
            }
        }
        Ok(metadata)
    }

    /// A distribution or a function, or nothing where the reader lacks it.
    fn component(&mut self, list: &str, index: usize, item: &Value) -> Option<Value> {
        let pointer = format!("/{list}/{index}");
        let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
        let mut written = item.as_object()?.clone();
        let kind = match (list, self.document.distribution(name), self.document.function(name)) {
            ("distributions", Some(distribution), _) => self.distribution(&distribution.kind, &mut written, &pointer),
            (_, _, Some(function)) => self.function(&function.kind, &mut written),
            _ => Support::No,
        };
        if self.target == Target::Root640 && identifier(name) != name {
            let finding = Finding::new(&rule::CONVERT_LOST, quote(name), "letters, digits and underscores alone");
            self.losses.push(finding.at(pointer.clone()));
        }
        match kind {
            Support::As(kind) => {
                written.insert("type".to_owned(), Value::from(kind));
                Some(Value::Object(written))
            }
            Support::No => {
                let kind = item.get("type").and_then(Value::as_str).unwrap_or_default();
                let found = format!("{} {}", kind, quote(name));
                let expected = format!("a type that {} reads", self.target);
                let rule = if self.needed.contains(name) { &rule::CONVERT_LOST } else { &rule::CONVERT_DROPPED };
                self.losses.push(Finding::new(rule, found, expected).at(pointer));
                None
            }
        }
    }

    fn distribution(&mut self, kind: &DistributionKind, written: &mut Map<String, Value>, pointer: &str) -> Support {
        let old = written.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        match kind {
            DistributionKind::Unknown { .. } => return Support::No,
            DistributionKind::CrystalBall { right, .. } => return self.crystal_ball(right.is_some(), written),
            DistributionKind::Uniform { .. } => {
                if let Some(x) = written.get_mut("x") {
                    *x = match (self.target, x.take()) {
                        (Target::Canonical, Value::Array(mut items)) if items.len() == 1 => items.remove(0),
                        (Target::Root640 | Target::Pyhs3, Value::String(name)) => json!([name]),
                        (_, other) => other,
                    };
                }
            }
            DistributionKind::Poisson { integer, .. } => match self.target {
                Target::Root640 => _ = written.insert("integer".to_owned(), Value::from(*integer)),
                Target::Canonical | Target::Pyhs3 if !integer => _ = written.shift_remove("integer"),
                Target::Canonical => {}
                Target::Pyhs3 => self.lose("a Poisson of rounded values", "one of values as they are", pointer),
            },
            DistributionKind::Extended { .. } => self.extended(written),
            DistributionKind::HistFactory(_) if !self.reads_own() => {
                self.lose("a channel beside other densities", "a likelihood of channels alone", pointer);
            }
            _ => {}
        }
        // Slots that programs write as strings; expressions and names are no numbers.
        if self.target == Target::Canonical {
            written.values_mut().for_each(numbers_of_strings);
        }
        if self.target == Target::Root640 && canonical(&old) == "polynomial_dist" {
            strings_of_numbers(written.get_mut("coefficients"));
        }
        reader_types::distribution(canonical(&old), self.target)
    }

    /// The document is in the target's words already.
    fn reads_own(&self) -> bool {
        match (self.target, self.document.dialect) {
            (Target::Canonical, Dialect::Canonical) | (Target::Pyhs3, Dialect::Pyhs3) => true,
            (Target::Root640, Dialect::Root(version)) => version.major == 6 && version.minor == 40,
            _ => false,
        }
    }

    /// One side: plain keys, the same everywhere. Two sides: the standard has them in one type, others in a type of its own.
    fn crystal_ball(&self, double: bool, written: &mut Map<String, Value>) -> Support {
        if !double {
            // pyhs3's is another density, by 0.3 of −ln L in an example.
            return if self.target == Target::Pyhs3 { Support::No } else { Support::As("crystalball_dist") };
        }
        for key in ["sigma", "alpha", "n"] {
            if let Some(value) = written.shift_remove(key) {
                for side in ["L", "R"] {
                    written.insert(format!("{key}_{side}"), value.clone());
                }
            }
        }
        Support::As(if self.target == Target::Canonical { "crystalball_dist" } else { "crystalball_doublesided_dist" })
    }

    /// `rate_extended_dist` with rate and dist, or ROOT's `extend_pdf` with norm and pdf.
    fn extended(&self, written: &mut Map<String, Value>) {
        let pairs = match self.target {
            Target::Root640 => [("rate", "norm"), ("dist", "pdf")],
            Target::Canonical | Target::Pyhs3 => [("norm", "rate"), ("pdf", "dist")],
        };
        for (from, to) in pairs {
            if let Some(value) = written.shift_remove(from) {
                written.insert(to.to_owned(), value);
            }
        }
    }

    fn function(&self, kind: &FunctionKind, written: &mut Map<String, Value>) -> Support {
        let old = written.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        if matches!(kind, FunctionKind::Unknown { .. }) {
            return Support::No;
        }
        if let (FunctionKind::Histogram { .. }, true) = (kind, old == "step") {
            return reader_types::function("histogram", self.target);
        }
        if self.target == Target::Canonical {
            written.values_mut().for_each(numbers_of_strings);
        }
        let code_6 = || written.get("interpolationCodes")?.as_array()?.iter().find(|code| code.as_i64() == Some(6));
        if self.target == Target::Root640 && old == "interpolation0d" && code_6().is_some() {
            // ROOT's FlexibleInterpVar writes an error and stays at code 0.
            return Support::No;
        }
        if self.target == Target::Root640 && old == "polynomial" {
            strings_of_numbers(written.get_mut("coefficients"));
        }
        reader_types::function(&old, self.target)
    }

    /// Forms of data that the reader lacks, in likelihoods.
    fn data(&mut self) {
        if self.target == Target::Canonical {
            return;
        }
        for likelihood in &self.document.likelihoods {
            for (i, data) in likelihood.data.iter().enumerate() {
                let pointer = format!("{}/data/{i}", likelihood.pointer);
                match data {
                    LikelihoodData::Value(_) => self.lose("a number as data", "the name of data", &pointer),
                    LikelihoodData::Name(name) => {
                        let Some(data) = self.document.data(name) else { continue };
                        match (&data.kind, self.target) {
                            (DataKind::Point { .. }, Target::Root640) => {
                                self.lose("data of one point", "unbinned or binned data", &data.pointer);
                            }
                            (DataKind::Unknown { .. }, _) => {
                                self.lose("data of no known type", "binned or unbinned", &data.pointer)
                            }
                            _ => {}
                        }
                    }
                }
            }
        }
    }

    /// ROOT needs `default_domain`: where there is none, all ranges of the other domains together. pyhs3 needs some domain.
    fn domains(&mut self, written: &mut Map<String, Value>) {
        let needs = match self.target {
            Target::Canonical => false,
            Target::Root640 => self.document.domain("default_domain").is_none(),
            Target::Pyhs3 => self.document.domains.is_empty(),
        };
        if !needs {
            return;
        }
        let mut seen = HashSet::new();
        let axes = self.document.domains.iter().flat_map(|domain| &domain.axes);
        let axes: Vec<Value> = axes
            .filter(|axis| seen.insert(axis.name.as_str()))
            .map(|axis| serde_json::to_value(super::file::Axis::range(axis.name.clone(), (axis.min, axis.max))))
            .filter_map(std::result::Result::ok)
            .collect();
        let default = json!({"name": "default_domain", "type": "product_domain", "axes": axes});
        match written.get_mut("domains") {
            Some(Value::Array(domains)) => domains.insert(0, default),
            _ => _ = written.insert("domains".to_owned(), json!([default])),
        }
    }

    /// Parameters of interest that are nowhere are left out, and named: ROOT ends at once where it meets one.
    fn interesting(&mut self, analysis: &mut Value, known: &HashSet<String>, pointer: &str) {
        let Some(Value::Array(names)) = analysis.get_mut("parameters_of_interest") else { return };
        names.retain(|name| {
            let Some(unknown) = name.as_str().filter(|name| !known.contains(*name)) else { return true };
            let finding = Finding::new(&rule::CONVERT_DROPPED, quote(unknown), "a parameter of the document");
            self.losses.push(finding.at(pointer));
            false
        });
    }

    /// ROOT makes ModelConfigs of simultaneous densities alone, which `misc` describes; the parts of their data are called
    /// `<data>_<label>`.
    fn misc(&mut self, old: Option<&Value>, written: &mut Map<String, Value>) -> Option<Value> {
        if self.target != Target::Root640 || old.and_then(|misc| misc.get("ROOT_internal")).is_some() {
            return old.cloned();
        }
        let (mut configs, mut combined, mut datasets) = (Map::new(), Map::new(), Map::new());
        for (i, likelihood) in self.document.likelihoods.iter().enumerate() {
            let suffix = if i == 0 { String::new() } else { format!("_{i}") };
            let (pdf, data) = (format!("simPdf{suffix}"), format!("obsData{suffix}"));
            let labels: Vec<String> = (0..likelihood.distributions.len()).map(|k| format!("part{k}")).collect();
            let index =
                json!({"index_cat": "channelCat", "indices": (0..labels.len()).collect::<Vec<_>>(), "labels": labels});
            let mut of_pdf = index.clone();
            of_pdf["distributions"] = json!(likelihood.distributions);
            self.rename_data(likelihood, &data, &labels, written);
            combined.insert(pdf.clone(), of_pdf);
            datasets.insert(data, index);
            for analysis in self.document.analyses.iter().filter(|a| a.likelihood == likelihood.name) {
                let first = configs.is_empty();
                let model = if first { "ModelConfig".to_owned() } else { format!("ModelConfig_{}", analysis.name) };
                configs.insert(analysis.name.clone(), json!({"mcName": model, "pdfName": pdf}));
            }
        }
        let internal =
            json!({"ModelConfigs": configs, "combined_datasets": datasets, "combined_distributions": combined});
        let mut misc = old.and_then(Value::as_object).cloned().unwrap_or_default();
        misc.insert("ROOT_internal".to_owned(), internal);
        Some(Value::Object(misc))
    }

    fn rename_data(
        &mut self,
        likelihood: &Likelihood,
        prefix: &str,
        labels: &[String],
        written: &mut Map<String, Value>,
    ) {
        let named = likelihood.data.iter().zip(labels).filter_map(|(data, label)| match data {
            LikelihoodData::Name(name) => Some((name.as_str(), format!("{prefix}_{label}"))),
            LikelihoodData::Value(_) => None,
        });
        for (name, wanted) in named {
            let found = format!("the data {}", quote(name));
            let finding =
                Finding::new(&rule::CONVERT_RENAMED, found, format!("the name {} in its place", quote(&wanted)));
            self.losses.push(finding);
            let items = |written: &mut Map<String, Value>, key: &str| {
                written.get_mut(key).and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default()
            };
            let mut data = items(written, "data");
            // One set of data may serve several likelihoods.
            if let Some(mut copy) =
                data.iter().find(|item| item.get("name").and_then(Value::as_str) == Some(name)).cloned()
            {
                copy["name"] = Value::from(wanted.as_str());
                data.push(copy);
            }
            written.insert("data".to_owned(), Value::Array(data));
            let mut likelihoods = items(written, "likelihoods");
            for item in &mut likelihoods {
                let own = item.get("name").and_then(Value::as_str) == Some(likelihood.name.as_str());
                let entries = item.get_mut("data").and_then(Value::as_array_mut).filter(|_| own);
                for entry in entries.into_iter().flatten().filter(|entry| entry.as_str() == Some(name)) {
                    *entry = Value::from(wanted.as_str());
                }
            }
            written.insert("likelihoods".to_owned(), Value::Array(likelihoods));
        }
    }

    fn lose(&mut self, found: &str, expected: &str, pointer: &str) {
        let expected = format!("{expected}: {} reads no other", self.target);
        self.losses.push(Finding::new(&rule::CONVERT_LOST, found, expected).at(pointer));
    }
}

/// What pyhs3 needs of an analysis that names neither domains nor a point to start from, which it would do without.
fn complete(item: &mut Value, document: &Hs3Document) {
    let Value::Object(members) = item else { return };
    let points = &document.parameter_points;
    let start = points.iter().find(|point| point.name == "default_values").or(points.first());
    let start = start.map_or("default_values", |point| point.name.as_str());
    members.entry("init").or_insert_with(|| Value::from(start));
    let domains = document.domains.iter().find(|domain| domain.name == "default_domain").or(document.domains.first());
    let domain = domains.map_or("default_domain", |domain| domain.name.as_str());
    members.entry("domains").or_insert_with(|| json!([domain]));
}

/// The standard's keys, which all programs read.
fn analysis(item: &Value) -> Value {
    let Value::Object(old) = item else { return item.clone() };
    let mut written = Map::new();
    for (key, value) in old {
        let as_array = |value: &Value| if value.is_string() { json!([value]) } else { value.clone() };
        match key.as_str() {
            "domain" | "parameter_domain" => _ = written.insert("domains".to_owned(), as_array(value)),
            "parameter_of_interest" => _ = written.insert("parameters_of_interest".to_owned(), as_array(value)),
            "parameter_init" => _ = written.insert("init".to_owned(), value.clone()),
            _ => _ = written.insert(key.clone(), value.clone()),
        }
    }
    Value::Object(written)
}

/// All words in what parameters are declared or used by.
fn named(members: &Map<String, Value>) -> HashSet<String> {
    fn collect(value: &Value, words: &mut HashSet<String>) {
        match value {
            Value::String(text) => {
                words.insert(text.clone());
                let is_word = |c: char| c.is_alphanumeric() || c == '_';
                words.extend(text.split(|c| !is_word(c)).map(str::to_owned));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
            Value::Object(members) => members.values().for_each(|value| collect(value, words)),
            _ => {}
        }
    }
    let mut words = HashSet::new();
    let places = ["distributions", "functions", "domains", "parameter_points"];
    places.iter().filter_map(|key| members.get(*key)).for_each(|value| collect(value, &mut words));
    words
}

/// Numbers in strings become numbers.
fn numbers_of_strings(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(number) = text.trim().parse::<f64>().ok().filter(|x| x.is_finite()) {
                *value = Value::from(number);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(numbers_of_strings),
        _ => {}
    }
}

/// ROOT writes coefficients of polynomials as strings, and matches "1.0" and "0.0".
fn strings_of_numbers(value: Option<&mut Value>) {
    if let Some(Value::Array(items)) = value {
        for item in items {
            if let Some(number) = item.as_f64() {
                *item = Value::from(format!("{number:?}"));
            }
        }
    }
}
