//! A pyhf workspace as HistFactory XML with a ROOT file of its histograms (spec/histfactory-xml.md, section 4).
//!
//! * `element`: elements as text;
//! * `channel`: channels, samples and modifiers;
//! * `measurement`: measurements and the settings of parameters.

mod channel;
mod element;
mod measurement;

use super::names::Taken;
use crate::document::workspace::{Modifier, ParameterConfig, Workspace};
use crate::finding::{Finding, Findings, quote};
use crate::root_file::Writer;
use crate::rule;
use element::Element;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Where the files go, in the words of `pyhf json2xml`; paths in the XML start where these do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XmlPlaces {
    pub output_dir: PathBuf,
    /// Of the channels, below `output_dir`.
    pub specroot: String,
    /// Of the ROOT file.
    pub dataroot: String,
    pub resultprefix: String,
}

/// Files to be written, and what they do not say.
#[derive(Clone, Debug)]
pub struct XmlFiles {
    /// The combination is the last.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    pub losses: super::Losses,
}

/// Writes a workspace as XML.
///
/// # Errors
/// What cannot be written at all.
pub fn to_xml(workspace: &Workspace, places: &XmlPlaces) -> Result<XmlFiles, Findings> {
    let data = places.output_dir.join(&places.dataroot).join("data.root");
    let mut export = Export {
        workspace,
        kinds: kinds(workspace),
        data: path_text(&data)?,
        histograms: Histograms::default(),
        losses: Findings::default(),
    };
    if workspace.correlations.is_some() {
        let expected = "constraints that are independent of each other: XML has no words for others";
        export.losses.push(Finding::new(&rule::CONVERT_LOST, "correlated constraints", expected).at("/correlations"));
    }
    let mut files = Vec::new();
    let mut combination = Element::new("Combination");
    let prefix = places.output_dir.join(&places.specroot).join(&places.resultprefix);
    combination.set("OutputFilePrefix", path_text(&prefix)?);
    let mut names = Taken::default();
    for index in 0..workspace.channels.len() {
        let (name, element) = export.channel(index);
        let file = names.unique(format!("{}_{}", places.resultprefix, file_part(&name)));
        let path = places.output_dir.join(&places.specroot).join(format!("{file}.xml"));
        combination.add(Element::with_text("Input", path_text(&path)?));
        files.push((path, element.document("Channel", "../HistFactorySchema.dtd")));
    }
    for index in 0..workspace.measurements.len() {
        let measurement = export.measurement(index);
        combination.add(measurement);
    }
    let Export { histograms, mut losses, .. } = export;
    losses.0.extend(histograms.failed);
    match histograms.file.finish(&path_text(&data)?) {
        Ok(bytes) => files.push((data, bytes)),
        Err(error) => losses.push(Finding::new(&rule::CONVERT_LOST, error.0, "histograms that a ROOT file can hold")),
    }
    let path = places.output_dir.join(format!("{}.xml", places.resultprefix));
    files.push((path, combination.document("Combination", "HistFactorySchema.dtd")));
    Ok(XmlFiles { files, losses: super::Losses(losses) })
}

struct Export<'w> {
    workspace: &'w Workspace,
    kinds: HashMap<&'w str, Kind>,
    data: String,
    histograms: Histograms,
    losses: Findings,
}

/// How ROOT names the parameter of a modifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Lumi,
    Factor,
    /// `alpha_`.
    Alpha,
    /// `gamma_`, one a bin.
    Gamma,
}

fn kinds(workspace: &Workspace) -> HashMap<&str, Kind> {
    let mut kinds = HashMap::new();
    for modifier in workspace.channels.iter().flat_map(|c| &c.samples).flat_map(|s| &s.modifiers) {
        let kind = match modifier {
            Modifier::Lumi { .. } => Kind::Lumi,
            Modifier::Normfactor { .. } => Kind::Factor,
            Modifier::Histosys { .. } | Modifier::Normsys { .. } => Kind::Alpha,
            Modifier::Shapefactor { .. } | Modifier::Shapesys { .. } | Modifier::Staterror { .. } => Kind::Gamma,
            _ => continue,
        };
        kinds.insert(modifier.name(), kind);
    }
    kinds
}

impl<'w> Export<'w> {
    /// The configuration of a parameter in a measurement.
    fn config(&self, measurement: usize, name: &str) -> Option<&'w ParameterConfig> {
        let workspace = self.workspace;
        workspace.measurements.get(measurement)?.config.parameters.iter().find(|config| config.name == name)
    }

    fn lose(&mut self, pointer: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) {
        self.losses.push(Finding::new(&rule::CONVERT_LOST, found, expected).at(pointer));
    }
}

/// The histograms of the ROOT file, each under a name of its own.
#[derive(Default)]
struct Histograms {
    file: Writer,
    names: Taken,
    failed: Vec<Finding>,
}

impl Histograms {
    /// Adds one; its name.
    fn add(&mut self, parts: &[&str], suffix: &str, contents: &[f64], errors: Option<&[f64]>) -> String {
        let wanted = format!("hist{}{suffix}", parts.join("_")).replace(['/', ';'], "_");
        let name = self.names.unique(wanted);
        if let Err(error) = self.file.add(&name, contents, errors) {
            self.failed.push(Finding::new(&rule::CONVERT_LOST, error.0, "a histogram that a ROOT file can hold"));
        }
        name
    }
}

/// A path as the text of XML.
fn path_text(path: &Path) -> Result<String, Findings> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        let found = quote(&path.display().to_string());
        Finding::new(&rule::CONVERT_LOST, found, "a path of UTF-8, which XML can hold").into()
    })
}

/// A name as a part of a file's name.
fn file_part(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '+') { c } else { '_' }).collect()
}
