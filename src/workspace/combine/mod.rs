//! Several workspaces become one (spec/combine.md): channels, observations and measurements are joined as pyhf joins
//! them, the blocks `eft` by rules of their own, and no parameter may get another constraint than it had.

mod check;
mod constraints;
mod correlations;
mod databases;
mod eft;
mod join;
mod lambda;
mod overlap;
pub(in crate::workspace) mod report;
pub(in crate::workspace) mod result;
mod scheme;

use crate::document::correlations::CorrelationGroup;
use crate::document::workspace::Workspace;
use crate::document::{Document, position};
use crate::finding::{Findings, quote};
use crate::rule;
use crate::translate::from_pyhf::Compat;
use crate::workspace::{Measurements, Scope, validate};
use join::{Item, What, join_lists};
use report::{Place, Report};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What becomes of two items of one name, in pyhf's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Join {
    /// An error.
    #[default]
    None,
    /// One item if they are equal, else an error.
    Outer(Channels),
    /// That of the first document.
    LeftOuter(Channels),
    /// That of the last document.
    RightOuter(Channels),
}

/// How channels of one name are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channels {
    /// As other items.
    #[default]
    Whole,
    /// A channel gets the samples of both.
    Merged,
}

impl Join {
    fn channels(self) -> Option<Channels> {
        match self {
            Join::None => None,
            Join::Outer(channels) | Join::LeftOuter(channels) | Join::RightOuter(channels) => Some(channels),
        }
    }

    /// One side wins where two items of one name differ.
    fn is_sided(self) -> bool {
        matches!(self, Join::LeftOuter(_) | Join::RightOuter(_))
    }
}

#[derive(Clone, Debug, Default)]
pub struct Options {
    pub join: Join,
    pub compat: Compat,
    /// What the documents are called in names and schemes; their files without extensions where there is none.
    pub labels: Vec<String>,
    /// Channels are called LABEL_NAME.
    pub prefix_channels: bool,
    /// A correlation scheme.
    pub scheme: Option<Document>,
    /// Data of one document that another one has under another name are no error.
    pub allow_same_data: bool,
    /// Where the result will lie, from which its event databases are found; the current folder by default.
    pub folder: PathBuf,
}

/// Findings about one of the documents, or about the result as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Of the document; none for the result.
    pub name: Option<String>,
    pub findings: Findings,
}

/// The combination of documents.
#[derive(Clone, Debug, PartialEq)]
pub struct Combined {
    pub document: Value,
    pub warnings: Vec<Told>,
    /// Names of the parameters that act on samples of several documents, sorted.
    pub shared: Vec<String>,
    /// The documents as they were joined, with their names and coefficients in the combination.
    pub parts: Vec<Value>,
    /// Channels that a document has just as an earlier one; they count once.
    pub kept_once: Vec<(usize, String)>,
    /// No channel was merged or left out: −2 ln L is the sum of spec/combine.md, eq. 1.
    pub is_sum: bool,
}

/// One of the documents: its tree, and the same as types.
struct Source {
    value: Value,
    workspace: Workspace,
}

/// Combines documents from left to right. Event databases lie where the names of the documents, taken as paths, say.
///
/// # Errors
/// By document, all findings, warnings included, if one of them is an error: what is wrong with a document by itself,
/// else all conflicts between documents, else what is wrong with the result.
pub fn combine(documents: &[Document], options: &Options) -> Result<Combined, Vec<Told>> {
    let mut report = Report::new(documents.iter().map(|d| d.name.clone()).collect(), options.compat);
    let mut sources = read(documents, options, &mut report).unwrap_or_default();
    let mut correlated = Vec::new();
    if report.is_valid() {
        correlated = scheme::apply(&mut sources, options, &mut report).map_err(|told| vec![told])?;
    }
    let joined = if report.is_valid() { combine_sources(&sources, correlated, options, &mut report) } else { None };
    let told = told(documents, report);
    match joined {
        Some(joined) => {
            let Joined { document, shared, kept_once, is_sum } = joined;
            let parts = sources.into_iter().map(|source| source.value).collect();
            Ok(Combined { document, warnings: told, shared, parts, kept_once, is_sum })
        }
        None => Err(told),
    }
}

/// What [`Combined`] says of the result.
struct Joined {
    document: Value,
    shared: Vec<String>,
    kept_once: Vec<(usize, String)>,
    is_sum: bool,
}

/// The trees of sound documents, with coefficients at the first Λ and paths from the folder of the result.
fn read(documents: &[Document], options: &Options, report: &mut Report) -> Option<Vec<Source>> {
    let scope = Scope { compat: options.compat, measurements: Measurements::First };
    let mut sources = Vec::with_capacity(documents.len());
    for (index, document) in documents.iter().enumerate() {
        let read = Workspace::from_document(document).and_then(|workspace| {
            let findings = validate::check(&workspace, &scope);
            if findings.is_valid() { Ok(Source { value: document.value()?, workspace }) } else { Err(findings) }
        });
        match read {
            Ok(source) => sources.push(source),
            Err(findings) => report.take(index, findings),
        }
    }
    if !report.is_valid() {
        return None;
    }
    lambda::unify(&mut sources, report);
    for (index, (source, document)) in sources.iter_mut().zip(documents).enumerate() {
        let folder = Path::new(&document.name).parent().unwrap_or(Path::new(""));
        databases::move_paths(index, source, folder, &options.folder, report);
    }
    report.is_valid().then_some(sources)
}

fn combine_sources(
    sources: &[Source],
    correlated: Vec<CorrelationGroup>,
    options: &Options,
    report: &mut Report,
) -> Option<Joined> {
    let lists = join_all(sources, options.join, report);
    let block = eft::join_blocks(sources, options.join, report);
    overlap::check(sources, options.allow_same_data, report);
    if !report.is_valid() {
        return None;
    }
    let kept_once = overlap::kept_once(sources, &lists, report);
    let (mut document, mut origins) = result::write(sources, &lists, block);
    let correlations = correlations::join(sources, correlated, &mut origins, report);
    if let (Some(correlations), Some(members)) = (correlations, document.as_object_mut()) {
        members.insert("correlations".to_owned(), correlations);
    }
    let workspace = match Workspace::from_value(&document) {
        Ok(workspace) => workspace,
        Err(findings) => {
            check::add(findings, &document, &origins, report);
            return None;
        }
    };
    let scope = Scope { compat: options.compat, measurements: Measurements::First };
    check::add(validate::check(&workspace, &scope), &document, &origins, report);
    constraints::check(sources, &workspace, &origins, options.join, report);
    let shared = constraints::shared(sources, &workspace, &origins);
    let is_sum = is_sum(sources, &lists, &kept_once);
    report.is_valid().then_some(Joined { document, shared, kept_once, is_sum })
}

/// No channel was merged, or left out for another one of its name.
fn is_sum(sources: &[Source], lists: &Lists, kept_once: &[(usize, String)]) -> bool {
    let of_sources: usize = sources.iter().map(|source| source.workspace.channels.len()).sum();
    lists.channels.iter().all(|item| item.members.is_none()) && of_sources == lists.channels.len() + kept_once.len()
}

/// The joined lists of a workspace.
struct Lists<'v> {
    channels: Vec<Item<'v>>,
    observations: Vec<Item<'v>>,
    measurements: Vec<Item<'v>>,
}

fn join_all<'v>(sources: &'v [Source], how: Join, report: &mut Report) -> Lists<'v> {
    let mut list = |what: What, pointer: &str| {
        let lists = sources.iter().enumerate().map(|(d, s)| Item::list(&s.value, &Place::new(d, ""), pointer));
        let mut joined: Option<Vec<Item>> = None;
        for right in lists {
            let right = join_repeated(how, what, right, report);
            joined = Some(match joined {
                None => right,
                Some(left) => join_lists(how, what, left, right, report),
            });
        }
        joined.unwrap_or_default()
    };
    Lists {
        channels: list(What::Channel, "/channels"),
        observations: list(What::Observation, "/observations"),
        measurements: list(What::Measurement, "/measurements"),
    }
}

/// Measurements are the only items whose names may repeat in a sound document; an outer join makes them one, as pyhf does.
fn join_repeated<'v>(how: Join, what: What, items: Vec<Item<'v>>, report: &mut Report) -> Vec<Item<'v>> {
    if what != What::Measurement || !matches!(how, Join::Outer(_)) {
        return items;
    }
    let mut joined: Vec<Item> = Vec::new();
    for item in items {
        if joined.iter().any(|other| other.name() == item.name()) {
            let found = format!("measurement {} again, which is joined to the first", quote(item.name()));
            report.add(&rule::DUPLICATE_MEASUREMENT, &item.place, found, "a name of its own");
        }
        joined = join_lists(how, what, joined, vec![item], report);
    }
    joined
}

/// Findings by document, with lines, in the order of the text; documents without findings are left out.
fn told(documents: &[Document], report: Report) -> Vec<Told> {
    let mut told = Vec::new();
    for (index, mut findings) in report.into_findings().into_iter().enumerate() {
        let document = documents.get(index);
        if let Some(document) = document {
            position::resolve(&document.text, &mut findings);
        }
        if !findings.0.is_empty() {
            told.push(Told { name: document.map(|d| d.name.clone()), findings });
        }
    }
    told
}
