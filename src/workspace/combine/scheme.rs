//! Names before documents are joined: prefixes of channels, and a correlation scheme (spec/combine.md, section 6).

use super::report::{Place, Report};
use super::{Options, Source, Told};
use crate::document::correlation_scheme::{
    Apart, Correlated, CorrelationScheme, LabelledParameter, Same, SchemeEntry, SharedNames,
};
use crate::document::correlations::CorrelationGroup;
use crate::document::position;
use crate::document::workspace::Workspace;
use crate::finding::{Finding, Findings, escape_token, quote};
use crate::model::Correlation;
use crate::rule;
use crate::workspace::edit::rename::{in_extension, renamed};
use crate::workspace::edit::select::{matching, nearest};
use crate::workspace::parameters::{WILSON_COEFFICIENT, collect};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// How many names a message lists.
const LISTED: usize = 10;

/// What says the name of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    /// It keeps its own.
    Nothing,
    SharedNames,
    Entry(usize),
}

impl By {
    /// Its place in the scheme.
    fn pointer(self) -> String {
        match self {
            By::Entry(entry) => format!("/parameters/{entry}"),
            By::Nothing | By::SharedNames => "/shared_names".to_owned(),
        }
    }
}

/// The names of the parameters of each document in the combination, where they change.
struct Renames<'a> {
    labels: &'a [String],
    /// All names of each document.
    names: &'a [BTreeSet<&'a str>],
    /// New names, and what gives them, by document and old name.
    new: BTreeMap<(usize, &'a str), (String, By)>,
    /// With the new names.
    correlated: Vec<CorrelationGroup>,
    findings: Findings,
}

/// Gives channels and parameters of each document their names in the combination.
///
/// # Errors
/// What is wrong with the scheme; what is wrong with a document goes to the report.
pub(super) fn apply(
    sources: &mut [Source],
    options: &Options,
    report: &mut Report,
) -> Result<Vec<CorrelationGroup>, Told> {
    let labels = labels(sources.len(), options, report);
    if !report.is_valid() {
        return Ok(Vec::new());
    }
    let names: Vec<BTreeSet<&str>> = sources.iter().map(|source| names(&source.workspace)).collect();
    let (mut new, mut correlated) = (BTreeMap::new(), Vec::new());
    if let Some(document) = &options.scheme {
        let tell = |findings| Told { name: Some(document.name.clone()), findings };
        let scheme = CorrelationScheme::from_document(document).map_err(tell)?;
        let findings = Findings::default();
        let mut renames = Renames { labels: &labels, names: &names, new, correlated, findings };
        renames.read(&scheme);
        renames.check();
        position::resolve(&document.text, &mut renames.findings);
        if !renames.findings.is_valid() {
            return Err(tell(renames.findings));
        }
        (new, correlated) = (renames.new, renames.correlated);
    }
    let mut values = Vec::with_capacity(sources.len());
    for (d, source) in sources.iter().enumerate() {
        let parameters: BTreeMap<&str, &str> = names[d]
            .iter()
            .filter_map(|old| Some((*old, new.get(&(d, *old))?.0.as_str())))
            .filter(|(old, new)| old != new)
            .collect();
        check_extension(d, source, &parameters, report);
        let channels: Vec<(&str, String)> = source
            .workspace
            .channels
            .iter()
            .filter(|_| options.prefix_channels)
            .map(|channel| (channel.name.as_str(), format!("{}_{}", labels[d], channel.name)))
            .collect();
        let changes = !(parameters.is_empty() && channels.is_empty());
        let channels = channels.iter().map(|(old, new)| (*old, new.as_str())).collect();
        values.push(changes.then(|| renamed(source.value.clone(), channels, parameters)));
    }
    for (d, (source, value)) in sources.iter_mut().zip(values).enumerate() {
        let Some(value) = value else { continue };
        match Workspace::from_value(&value) {
            Ok(workspace) => *source = Source { value, workspace },
            Err(findings) => report.take(d, findings),
        }
    }
    Ok(correlated)
}

/// What the documents are called: as the options say, else as their files without extensions.
fn labels(documents: usize, options: &Options, report: &mut Report) -> Vec<String> {
    let labels: Vec<String> = (0..documents)
        .map(|d| match options.labels.get(d).filter(|label| !label.is_empty()) {
            Some(label) => label.clone(),
            None => stem(report.name(d)),
        })
        .collect();
    if options.scheme.is_none() && !options.prefix_channels {
        return labels;
    }
    for (d, label) in labels.iter().enumerate() {
        if let Some(first) = labels[..d].iter().position(|other| other == label) {
            let found = format!("the label {} of {} again", quote(label), quote(report.name(first)));
            report.add(&rule::SCHEME, &Place::new(d, ""), found, "a label for each workspace, as in LABEL=FILE");
        }
    }
    labels
}

/// A file's name without its folder and all that follows a dot.
fn stem(name: &str) -> String {
    let file = Path::new(name).file_name().map_or_else(|| name.to_owned(), |file| file.to_string_lossy().into_owned());
    match file.find('.') {
        Some(dot) if dot > 0 => file[..dot].to_owned(),
        _ => file,
    }
}

/// All parameters but Wilson coefficients, which belong to the theory and not to a document.
fn names(workspace: &Workspace) -> BTreeSet<&str> {
    collect(workspace).into_iter().filter(|(_, set)| set.kind != WILSON_COEFFICIENT).map(|(name, _)| name).collect()
}

impl<'a> Renames<'a> {
    fn read(&mut self, scheme: &CorrelationScheme) {
        for (e, entry) in scheme.parameters.iter().enumerate() {
            match entry {
                SchemeEntry::Same(same) => self.read_same(e, same),
                SchemeEntry::Apart(apart) => self.read_apart(e, apart),
                SchemeEntry::Correlated(correlated) => self.read_correlated(e, correlated),
            }
        }
        let mut holders: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (d, names) in self.names.iter().enumerate() {
            for name in names.iter().filter(|name| !self.new.contains_key(&(d, **name))) {
                holders.entry(name).or_default().push(d);
            }
        }
        holders.retain(|_, documents| documents.len() > 1);
        match scheme.shared_names {
            SharedNames::Same => {}
            SharedNames::Apart => {
                for (name, documents) in holders {
                    for d in documents {
                        self.new.insert((d, name), (format!("{}_{name}", self.labels[d]), By::SharedNames));
                    }
                }
            }
            SharedNames::Error if holders.is_empty() => {}
            SharedNames::Error => {
                let shown: Vec<String> = holders.keys().take(LISTED).map(|name| quote(name)).collect();
                let more = if holders.len() > LISTED { ", …" } else { "" };
                let found = format!(
                    "{} names of several workspaces without an entry: {}{more}",
                    holders.len(),
                    shown.join(", ")
                );
                self.add("/shared_names", &rule::SCHEME, found, "an entry for each of them");
            }
        }
    }

    fn read_same(&mut self, e: usize, same: &Same) {
        for (label, old) in &same.same {
            let at = format!("/parameters/{e}/same/{}", escape_token(label));
            if let Some((d, name)) = self.find(label, old, &at) {
                self.give(d, name, same.name.clone(), e, &at);
            }
        }
    }

    fn read_correlated(&mut self, e: usize, entry: &Correlated) {
        let mut parameters = Vec::with_capacity(entry.correlated.len());
        for (i, LabelledParameter { label, name: old }) in entry.correlated.iter().enumerate() {
            let at = format!("/parameters/{e}/correlated/{i}");
            if let Some((d, name)) = self.find(label, old, &at) {
                let new = format!("{}_{name}", self.labels[d]);
                parameters.push(new.clone());
                self.give(d, name, new, e, &at);
            }
        }
        let (n, at) = (entry.correlated.len(), format!("/parameters/{e}/matrix"));
        if entry.matrix.iter().any(|row| row.len() != n)
            || Correlation::new((0..n).collect(), &entry.matrix.concat()).is_none()
        {
            let expected = format!("{n} rows of {n} correlations: symmetric, 1 on the diagonal, positive definite");
            self.add(&at, &rule::CORRELATION_MATRIX, "another matrix", expected);
        }
        self.correlated.push(CorrelationGroup { parameters, matrix: entry.matrix.clone() });
    }

    /// The workspace of a label, and its parameter of a name.
    fn find(&mut self, label: &str, old: &str, at: &str) -> Option<(usize, &'a str)> {
        let Some(d) = self.labels.iter().position(|own| own == label) else {
            let known: Vec<String> = self.labels.iter().map(|label| quote(label)).collect();
            let found = format!("the label {}", quote(label));
            self.add(at, &rule::SCHEME, found, format!("one of {}", known.join(", ")));
            return None;
        };
        let name = self.names[d].get(old).copied();
        if name.is_none() {
            let found = format!("no parameter {} in {}", quote(old), quote(label));
            let expected = nearest(old, &self.names[d]).unwrap_or_else(|| "a parameter of it".to_owned());
            self.add(at, &rule::SCHEME, found, expected);
        }
        Some((d, name?))
    }

    fn read_apart(&mut self, e: usize, entry: &Apart) {
        let at = format!("/parameters/{e}/apart");
        let mut found = false;
        for (d, names) in self.names.iter().enumerate() {
            for name in matching(&entry.apart, names) {
                found = true;
                self.give(d, name, format!("{}_{name}", self.labels[d]), e, &at);
            }
        }
        if !found {
            let all: BTreeSet<&str> = self.names.iter().flatten().copied().collect();
            let expected = nearest(&entry.apart, &all).unwrap_or_else(|| "a parameter".to_owned());
            self.add(&at, &rule::SCHEME, format!("no parameter {}", quote(&entry.apart)), expected);
        }
    }

    fn give(&mut self, d: usize, old: &'a str, new: String, entry: usize, at: &str) {
        if let Some((_, first)) = self.new.get(&(d, old)) {
            let found = format!("the parameter {} of {} again", quote(old), quote(&self.labels[d]));
            let expected = format!("one entry that speaks of it; {} does", first.pointer());
            self.add(at, &rule::SCHEME, found, expected);
            return;
        }
        self.new.insert((d, old), (new, By::Entry(entry)));
    }

    /// Two parameters of one document must not become one, and none joins a name by accident.
    fn check(&mut self) {
        let mut holders: BTreeMap<String, Vec<(usize, &'a str, By)>> = BTreeMap::new();
        for (d, names) in self.names.iter().enumerate() {
            for old in names {
                let (new, by) = self.new.get(&(d, *old)).cloned().unwrap_or_else(|| ((*old).to_owned(), By::Nothing));
                holders.entry(new).or_default().push((d, old, by));
            }
        }
        for (name, holders) in holders {
            let Some(last @ (d, old, by)) = holders.iter().copied().max_by_key(|(.., by)| *by) else { continue };
            if by == By::Nothing {
                continue;
            }
            let at = by.pointer();
            let here = format!("{} of {}", quote(old), quote(&self.labels[d]));
            for (other, its, also) in holders.into_iter().filter(|holder| *holder != last) {
                let there = format!("{} of {}", quote(its), quote(&self.labels[other]));
                if other == d {
                    let found = format!("one name, {}, for {here} and {there}", quote(&name));
                    let expected = "a name for each: the constraint of each counts";
                    self.add(&at, &rule::COMBINE_TWICE, found, expected);
                } else if also != by || by == By::SharedNames {
                    let found = format!("the name {} for {here}, which {there} has too", quote(&name));
                    self.add(&at, &rule::SCHEME, found, "one entry for both, or another name");
                }
            }
        }
    }

    fn add(&mut self, at: &str, rule: &rule::Rule, found: impl Into<String>, expected: impl Into<String>) {
        self.findings.push(Finding::new(rule, found, expected).at(at));
    }
}

/// What the EFT extension calls by its name keeps it.
fn check_extension(d: usize, source: &Source, parameters: &BTreeMap<&str, &str>, report: &mut Report) {
    if !source.workspace.has_eft() {
        return;
    }
    for name in parameters.keys() {
        for pointer in in_extension(name, &source.value, &source.workspace) {
            let found = format!("the name {} in the EFT extension", quote(name));
            report.add(&rule::EDIT_EXTENSION, &Place::new(d, pointer), found, "a name that it does not use");
        }
    }
}
