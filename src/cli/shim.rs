//! TEMPORARY: stands in for the reader until it is merged.

pub mod document {
    use crate::finding::{Finding, Findings, Result, Severity};
    use serde_json::Value;
    use std::path::Path;

    pub struct Limits {
        pub max_size: u64,
        pub max_depth: usize,
    }

    pub struct Document {
        pub name: String,
        pub text: String,
        pub value: Value,
    }

    pub fn finding(class: &'static str, found: String) -> Findings {
        let (rule, severity) = ("W000", Severity::Error);
        let (expected, hint) = ("something else".to_owned(), String::new());
        Finding { rule, class, severity, pointer: None, line: None, column: None, found, expected, hint }.into()
    }

    impl Document {
        pub fn from_path(path: &Path, _limits: &Limits) -> Result<Document> {
            let text = if path == Path::new("-") {
                std::io::read_to_string(std::io::stdin())
            } else {
                std::fs::read_to_string(path)
            };
            let text = text.map_err(|e| finding("FileError", e.to_string()))?;
            let value = serde_json::from_str(&text).map_err(|e| finding("SyntaxError", e.to_string()))?;
            Ok(Document { name: path.display().to_string(), text, value })
        }
    }

    pub mod patch {
        use super::*;
        #[derive(Clone)]
        pub struct Patch(json_patch::Patch);
        impl Patch {
            pub fn from_document(document: &Document) -> Result<Patch> {
                Self::from_value(&document.value)
            }
            pub fn from_value(value: &Value) -> Result<Patch> {
                let patch = serde_json::from_value(value.clone());
                Ok(Patch(patch.map_err(|e| finding("InvalidSpecification", e.to_string()))?))
            }
            pub fn apply(&self, value: &mut Value) -> Result<()> {
                json_patch::patch(value, &self.0).map_err(|e| finding("PatchApplicationError", e.to_string()))
            }
        }
    }

    pub mod patchset {
        use super::patch::Patch;
        use super::*;
        pub struct PatchSet(Vec<(String, Patch)>);
        impl PatchSet {
            pub fn from_document(document: &Document) -> Result<PatchSet> {
                let patches = document.value["patches"].as_array().cloned().unwrap_or_default();
                let one = |p: &Value| {
                    let name = p["metadata"]["name"].as_str().unwrap_or_default().to_owned();
                    Ok((name, Patch::from_value(&p["patch"])?))
                };
                Ok(PatchSet(patches.iter().map(one).collect::<Result<_>>()?))
            }
            pub fn lookup(&self, name: &str) -> Result<&Patch> {
                let found = self.0.iter().find(|(n, _)| n == name).map(|(_, p)| p);
                found.ok_or_else(|| finding("InvalidPatchLookup", name.to_owned()))
            }
            pub fn verify(&self, _workspace: &Value) -> Result<()> {
                Ok(())
            }
        }
    }

    pub mod schema {
        use super::*;
        pub fn names() -> &'static [&'static str] {
            &[]
        }
        pub fn schema(_name: &str) -> Option<Value> {
            None
        }
    }
}

pub mod workspace {
    use super::document::patch::Patch;
    use super::document::{Document, finding};
    use crate::document::workspace::Workspace;
    use crate::finding::{Findings, Result};
    use crate::translate::from_pyhf::Compat;

    pub struct Scope {
        pub compat: Compat,
        pub measurement: Option<String>,
    }

    pub enum Kind {
        Workspace,
        Patch,
        PatchSet,
    }

    pub struct Loaded {
        pub workspace: Workspace,
        pub warnings: Findings,
    }

    pub fn load(mut document: Document, patches: &[Patch], _scope: &Scope) -> Result<Loaded> {
        for patch in patches {
            patch.apply(&mut document.value)?;
        }
        let workspace = serde_path_to_error::deserialize(&document.value);
        let workspace = workspace.map_err(|e| finding("InvalidSpecification", e.to_string()))?;
        Ok(Loaded { workspace, warnings: Findings::default() })
    }

    pub fn validate(document: &Document, _kind: Option<Kind>, _scope: &Scope) -> (Kind, Findings) {
        let workspace: std::result::Result<Workspace, _> = serde_path_to_error::deserialize(&document.value);
        match workspace {
            Ok(_) => (Kind::Workspace, Findings::default()),
            Err(e) => (Kind::Workspace, finding("InvalidSpecification", e.to_string())),
        }
    }
}
