//! HistFactory's XML with histograms in ROOT files → a pyhf workspace (spec/histfactory-xml.md), as `pyhf xml2json` has it.
//!
//! * `xml`: files of XML with their places, and what is told about them;
//! * `files`: paths, mounted folders, histograms;
//! * `channel`: channels, samples and modifiers;
//! * `measurement`: measurements and the settings of parameters.

mod channel;
mod files;
mod measurement;
mod xml;

pub use files::Mount;

use crate::document::workspace::{Observation, ParameterConfig, Workspace};
use crate::finding::{Findings, quote};
use files::Files;
use std::path::PathBuf;
use xml::{Source, Told};

/// Where the files of a combination are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct XmlOptions {
    /// What relative paths start from.
    pub basedir: PathBuf,
    /// Folders that the XML knows under other names.
    pub mounts: Vec<Mount>,
}

/// A workspace, and what HistFactory reads in the files that it does not say, by file.
#[derive(Clone, Debug)]
pub struct XmlImport {
    pub workspace: Workspace,
    pub warnings: Vec<(String, Findings)>,
}

/// Reads the bytes of a file.
pub type Open<'o> = dyn FnMut(&std::path::Path) -> std::result::Result<Vec<u8>, String> + 'o;

/// Reads a combination, by its path, with all files that it names.
///
/// # Errors
/// All that is wrong, by file.
pub fn read(
    entry: &std::path::Path,
    options: &XmlOptions,
    open: &mut Open,
) -> std::result::Result<XmlImport, Vec<(String, Findings)>> {
    let mut told = Told::default();
    let mut files = Files::new(options, open);
    let workspace = combination(entry, &mut files, &mut told);
    let (findings, valid) = told.finish();
    match workspace.filter(|_| valid) {
        Some(workspace) => Ok(XmlImport { workspace, warnings: findings }),
        None => Err(findings),
    }
}

fn combination(entry: &std::path::Path, files: &mut Files, told: &mut Told) -> Option<Workspace> {
    let name = entry.display().to_string();
    let text = files.text(entry, &name, told)?;
    let source = Source::parse(&name, &text, told)?;
    let root = source.root("Combination", told)?;
    root.attributes(&[], &["OutputFilePrefix", "Mode"], told);
    root.children(&["Input", "Measurement"], told);
    let (mut channels, mut observations, mut configs) = (Vec::new(), Vec::new(), Configs::default());
    let mut complete = true;
    for input in root.all("Input").into_iter().filter(|input| !input.text().is_empty()) {
        let path = files.resolve(&input.text());
        let own = path.display().to_string();
        let read = match files.bytes(&path) {
            Ok(bytes) => files::utf8(bytes, &own, told),
            Err(why) => {
                input.wrong(format!("the channel {}: {why}", quote(&input.text())), "a file that can be read", told);
                None
            }
        };
        let channel = read.and_then(|text| channel::read(&own, &text, files, &mut configs, told));
        complete &= channel.is_some();
        if let Some((channel, data)) = channel {
            observations.push(Observation { name: channel.name.clone(), data });
            channels.push(channel);
        }
    }
    if channels.is_empty() && complete {
        root.wrong("a combination without channels", "Input, with the file of a channel", told);
        return None;
    }
    let measurements: Vec<Option<_>> =
        root.all("Measurement").iter().map(|own| measurement::read(own, &configs.0, told)).collect();
    if measurements.is_empty() {
        root.wrong("a combination without measurements", "Measurement", told);
    }
    let measurements = measurements.into_iter().collect::<Option<Vec<_>>>()?;
    complete.then(|| Workspace {
        channels,
        correlations: None,
        eft: None,
        measurements,
        observations,
        version: "1.0.0".to_owned(),
    })
}

/// Settings of the normfactors of all channels: those of one name are the same.
#[derive(Default)]
struct Configs(Vec<ParameterConfig>);

impl Configs {
    /// Adds one; whether it agrees with what is there.
    fn add(&mut self, config: ParameterConfig) -> bool {
        match self.0.iter().find(|known| known.name == config.name) {
            Some(known) => *known == config,
            None => {
                self.0.push(config);
                true
            }
        }
    }
}
