//! Conformance cases as they lie in `conformance/`, and what of them is sent to a program (conformance/README.md).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The protocol that this runner speaks.
const PROTOCOL: u32 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    protocol: u32,
    cases: usize,
    files: Vec<ManifestFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestFile {
    /// From the folder of the manifest.
    path: String,
    cases: usize,
}

/// A question with its recorded answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub id: String,
    pub spec: String,
    pub document: BTreeMap<String, Source>,
    pub operation: String,
    pub input: Map<String, Value>,
    pub expect: Map<String, Value>,
    pub tolerance: BTreeMap<String, Tolerance>,
    pub provenance: String,
}

/// Where the text of a document is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A path from the folder above the cases.
    File(String),
    Text(String),
    Published(Published),
}

/// A published document, which is looked up in the folder that MORPHIST_CORPUS names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// Where it is published.
    pub doi: String,
    /// Below `corpus/pyhf/` of the folder.
    pub file: String,
    /// Of its bytes, in hexadecimal digits.
    pub sha256: String,
}

/// Numbers agree if they differ by at most the largest of these.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tolerance {
    pub abs: f64,
    /// Times the expected number.
    pub rel: f64,
    /// Times the expected uncertainty of the parameter.
    pub sigma: f64,
}

/// What a program is asked: one line of JSON.
#[derive(Debug, Serialize)]
pub struct Request<'c> {
    pub id: &'c str,
    pub operation: &'c str,
    /// The exact texts.
    pub documents: BTreeMap<&'c str, String>,
    /// Where those documents lie that are files: event databases are found from there.
    pub folders: BTreeMap<&'c str, PathBuf>,
    pub input: &'c Map<String, Value>,
}

/// What it answers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Result(Value),
    Error(ErrorAnswer),
    /// Why the program does not answer such cases.
    Unsupported(String),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ErrorAnswer {
    pub class: String,
    #[serde(default)]
    pub message: String,
}

/// An answer line: the id of its request beside the outcome.
#[derive(Debug, Deserialize)]
pub struct Answer {
    pub id: String,
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// All cases that the manifest of a folder lists.
pub fn load(folder: &Path) -> Result<Vec<Case>, String> {
    let manifest: Manifest = read(&folder.join("manifest.json"))?;
    if manifest.protocol != PROTOCOL {
        return Err(format!("the cases speak protocol {}, this program {PROTOCOL}", manifest.protocol));
    }
    let mut all = Vec::new();
    for file in &manifest.files {
        let cases: Vec<Case> = read(&folder.join(&file.path))?;
        if cases.len() != file.cases {
            return Err(format!("{} holds {} cases, the manifest says {}", file.path, cases.len(), file.cases));
        }
        all.extend(cases);
    }
    if all.len() == manifest.cases {
        Ok(all)
    } else {
        Err(format!("the files hold {} cases, the manifest says {}", all.len(), manifest.cases))
    }
}

/// The cases' requests, with the texts of their documents.
pub fn requests<'c>(folder: &Path, cases: &'c [Case]) -> Result<Vec<Request<'c>>, String> {
    cases.iter().map(|case| request(folder, case)).collect()
}

/// Why a case cannot be asked: a published document is not at hand.
pub fn missing(case: &Case) -> Option<String> {
    let root = corpus();
    let published = case.document.values().filter_map(|source| match source {
        Source::Published(published) => Some(published),
        _ => None,
    });
    let mut lacking = published.filter(|p| !root.as_ref().is_some_and(|root| path_in(root, p).is_file()));
    lacking.next().map(|p| format!("{} (doi:{}) is not in the folder of MORPHIST_CORPUS", p.file, p.doi))
}

fn corpus() -> Option<PathBuf> {
    std::env::var_os("MORPHIST_CORPUS").map(PathBuf::from)
}

fn path_in(root: &Path, published: &Published) -> PathBuf {
    root.join("corpus/pyhf").join(&published.file)
}

/// The text of a published document, which must be the very file.
fn published(of: &Published) -> Result<String, String> {
    let root = corpus().ok_or("MORPHIST_CORPUS names no folder")?;
    let path = path_in(&root, of);
    let bytes = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let found: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if found != of.sha256 {
        return Err(format!("{} is another file: its sha256 is {found}, not {}", path.display(), of.sha256));
    }
    String::from_utf8(bytes).map_err(|e| format!("{}: {e}", path.display()))
}

fn request<'c>(folder: &Path, case: &'c Case) -> Result<Request<'c>, String> {
    let (mut documents, mut folders) = (BTreeMap::new(), BTreeMap::new());
    for (name, source) in &case.document {
        let text = match source {
            Source::Text(text) => text.clone(),
            Source::Published(of) => published(of)?,
            Source::File(path) => {
                let path = folder.join("..").join(path);
                if let Some(parent) = path.parent() {
                    let absolute = parent.canonicalize().map_err(|e| format!("{}: {e}", parent.display()))?;
                    folders.insert(name.as_str(), absolute);
                }
                text(&path)?
            }
        };
        documents.insert(name.as_str(), text);
    }
    Ok(Request { id: &case.id, operation: &case.operation, documents, folders, input: &case.input })
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, String> {
    serde_json::from_str(&text(path)?).map_err(|e| format!("{}: {e}", path.display()))
}

fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}
