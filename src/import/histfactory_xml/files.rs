//! Paths of the XML, and histograms in ROOT files.

use super::xml::{Element, Told};
use super::{Open, XmlOptions};
use crate::finding::{Finding, quote};
use crate::root_file::{Histogram, RootFile};
use crate::rule;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A folder here, and the name that the XML has for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    pub host: PathBuf,
    pub mount: PathBuf,
}

pub(super) struct Files<'o, 'f> {
    options: &'o XmlOptions,
    open: &'o mut Open<'f>,
    opened: HashMap<PathBuf, std::result::Result<Rc<RootFile>, String>>,
}

/// What an element says of a histogram, with what it inherits.
pub(super) struct Wanted<'w> {
    pub file: &'w str,
    pub path: &'w str,
    /// The path of the sample, which HistFactory takes where the element has none.
    pub inherited: &'w str,
    pub name: &'w str,
}

impl<'o, 'f> Files<'o, 'f> {
    pub fn new(options: &'o XmlOptions, open: &'o mut Open<'f>) -> Files<'o, 'f> {
        Files { options, open, opened: HashMap::new() }
    }

    /// A path of the XML as one here.
    pub fn resolve(&self, name: &str) -> PathBuf {
        let path = Path::new(name);
        let mounted = self
            .options
            .mounts
            .iter()
            .find_map(|mount| path.strip_prefix(&mount.mount).ok().map(|rest| mount.host.join(rest)));
        self.options.basedir.join(mounted.unwrap_or_else(|| path.to_path_buf()))
    }

    pub fn bytes(&mut self, path: &Path) -> std::result::Result<Vec<u8>, String> {
        (self.open)(path)
    }

    /// The text of the first file.
    pub fn text(&mut self, path: &Path, name: &str, told: &mut Told) -> Option<String> {
        match self.bytes(path) {
            Ok(bytes) => utf8(bytes, name, told),
            Err(why) => {
                told.add(name, Finding::new(&rule::XML_CONTENT, why, "a file that can be read"));
                None
            }
        }
    }

    /// The histogram that an element names: by its name, else in its path.
    pub fn histogram(&mut self, element: &Element, wanted: &Wanted, told: &mut Told) -> Option<Histogram> {
        if wanted.file.is_empty() || wanted.name.is_empty() {
            let found = format!("{} without a file or a name of its histogram", element.tag());
            element.no_histogram(found, "InputFile and HistoName, here or above", told);
            return None;
        }
        let path = self.resolve(wanted.file);
        let shown = path.display().to_string();
        let open = &mut self.open;
        let read = || open(&path).and_then(|bytes| RootFile::from_bytes(bytes).map_err(|e| e.0)).map(Rc::new);
        let file = match self.opened.entry(path.clone()).or_insert_with(read) {
            Ok(file) => Rc::clone(file),
            Err(why) => {
                let found = format!("the file {}: {why}", quote(&shown));
                element.no_histogram(found, "a ROOT file that can be read", told);
                return None;
            }
        };
        let join = |path: &str| format!("{}/{}", path.trim_matches('/'), wanted.name);
        let mut places = vec![wanted.name.to_owned()];
        places
            .extend([wanted.path, wanted.inherited].into_iter().filter(|p| !p.trim_matches('/').is_empty()).map(join));
        places.dedup();
        let there: Vec<&String> = places.iter().filter(|place| file.class(place).is_some()).collect();
        if let [first, second, ..] = there.as_slice() {
            let found = format!("both {} and {} in {}", quote(first), quote(second), quote(&shown));
            element.dropped(found, "one of them: pyhf takes the first, HistFactory the second", told);
        }
        let place = there.first().copied().unwrap_or(&places[0]);
        match file.histogram(place) {
            Ok(Some(histogram)) => {
                if histogram.contents.iter().chain(&histogram.errors).all(|x| x.is_finite()) {
                    return Some(histogram);
                }
                element.no_histogram(
                    format!("{} with contents or errors that are no numbers", quote(place)),
                    "finite numbers",
                    told,
                );
            }
            Ok(None) => {
                let names: Vec<String> = places.iter().map(|place| quote(place)).collect();
                let found = format!("no {} in {}", names.join(" and no "), quote(&shown));
                element.no_histogram(found, "a histogram", told);
            }
            Err(error) => {
                let found = format!("{} in {}", error.0, quote(&shown));
                element.no_histogram(found, "a histogram of one dimension", told);
            }
        }
        None
    }
}

pub(super) fn utf8(bytes: Vec<u8>, name: &str, told: &mut Told) -> Option<String> {
    let text = String::from_utf8(bytes).ok();
    if text.is_none() {
        told.add(name, Finding::new(&rule::ENCODING, "bytes that are no UTF-8", "UTF-8"));
    }
    text
}
