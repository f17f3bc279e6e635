//! Files as they are written: one module a format, types one to one with the text.

pub mod correlation_scheme;
pub mod correlations;
pub mod digest;
pub mod eft;
pub mod extension;
pub mod hs3;
mod modifier;
pub mod patch;
pub mod patchset;
pub mod position;
mod scan;
pub mod schema;
pub mod simplified_likelihood;
pub mod sourced_patch;
mod strict;
mod typed;
mod violation;
pub mod workspace;

use crate::finding::{Finding, Result};
use crate::rule;
use serde_json::Value;
use std::io::Read;
use std::path::Path;

/// A text that is strict JSON (spec/validation.md, "Reading"): well formed, no duplicate key, every number in range,
/// not too deep, not too large. It is kept as text; the tree of its values is built only where one is needed.
#[derive(Clone, Debug)]
pub struct Document {
    /// What messages call the document: its path, or `-`.
    pub name: String,
    pub text: String,
    limits: Limits,
    scan: scan::Scan,
}

/// How large an input may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In bytes, after decompression.
    pub max_size: usize,
    /// Of nested arrays and objects; at most [`Limits::DEEPEST`].
    pub max_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_size: 512_000_000, max_depth: 128 }
    }
}

impl Limits {
    /// No limit on depth is above this, since trees are walked by recursion.
    pub const DEEPEST: usize = 1000;

    /// How many bytes of memory the tree of a document may take.
    pub fn max_tree(&self) -> usize {
        self.max_size.saturating_mul(4)
    }
}

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Workspace,
    Patch,
    Patchset,
    Correlations,
}

impl Kind {
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Workspace => "workspace",
            Kind::Patch => "patch",
            Kind::Patchset => "patchset",
            Kind::Correlations => "correlation scheme",
        }
    }
}

impl Document {
    /// Reads a file, or standard input for `-`; gzip is recognised by its first bytes.
    pub fn from_path(path: &Path, limits: &Limits) -> Result<Document> {
        let name = path.display().to_string();
        let bytes = if name == "-" {
            read_decompressed(std::io::stdin().lock(), limits)
        } else {
            match std::fs::File::open(path) {
                Ok(file) => read_decompressed(file, limits),
                Err(error) => Err(unreadable(error).into()),
            }
        }?;
        Document::from_slice(name, bytes, limits)
    }

    /// Checks a text, compressed or not, that is in memory.
    pub fn from_slice(name: impl Into<String>, bytes: Vec<u8>, limits: &Limits) -> Result<Document> {
        let limits = Limits { max_depth: limits.max_depth.min(Limits::DEEPEST), ..*limits };
        let bytes = if bytes.starts_with(GZIP) { read_decompressed(&bytes[..], &limits)? } else { bytes };
        if bytes.len() > limits.max_size {
            return Err(too_large(&limits).into());
        }
        let text = String::from_utf8(bytes).map_err(|error| scan::not_utf8(&error))?;
        let scan = scan::scan(&text, &limits)?;
        strict::check(&text)?;
        Ok(Document { name: name.into(), text, limits, scan })
    }

    /// The tree of the document's values. Integers stay integers.
    ///
    /// # Errors
    /// `SizeLimit` if the tree could take more than [`Limits::max_tree`].
    pub fn value(&self) -> Result<Value> {
        if !self.tree_fits() {
            return Err(too_large(&self.limits).hint("this needs the whole document as a tree in memory").into());
        }
        let mut value = strict::build(&self.text)?;
        self.scan.restore_integer_zeros(&mut value);
        Ok(value)
    }

    /// An upper bound on the memory of the tree is within the limit.
    fn tree_fits(&self) -> bool {
        let tree = self.scan.values.saturating_mul(patch::VALUE_BYTES + patch::MEMBER_BYTES);
        let lean = self.scan.values.saturating_mul(patch::VALUE_BYTES);
        // The first bound takes every value for a member of an object; numbers mostly are not.
        tree.min(lean + self.text.len().saturating_mul(2)) <= self.limits.max_tree()
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What the document looks like: an array is a patch, an object with `patches` and `metadata` a patchset.
    pub fn kind(&self) -> Kind {
        strict::kind(&self.text)
    }
}

/// The bytes of a file, or of standard input for `-`, as they are, up to the limit.
pub fn read_bytes(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    if path == Path::new("-") {
        return read_limited(std::io::stdin().lock(), limits);
    }
    read_limited(std::fs::File::open(path).map_err(unreadable)?, limits)
}

const GZIP: &[u8] = &[0x1f, 0x8b];

/// All bytes of a source, decompressed if they begin like gzip, up to the limit.
fn read_decompressed(mut source: impl Read, limits: &Limits) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    source.by_ref().take(2).read_to_end(&mut head).map_err(unreadable)?;
    if head == GZIP {
        read_limited(flate2::read::MultiGzDecoder::new(head.as_slice().chain(source)), limits)
    } else {
        read_limited(head.as_slice().chain(source), limits)
    }
}

/// All bytes of a source; the buffer never grows beyond one byte more than the limit.
fn read_limited(mut source: impl Read, limits: &Limits) -> Result<Vec<u8>> {
    let ceiling = limits.max_size.saturating_add(1);
    let mut bytes: Vec<u8> = Vec::new();
    loop {
        let room = bytes.len().clamp(1 << 16, 1 << 26).min(ceiling - bytes.len());
        bytes.try_reserve_exact(room).map_err(|_| too_large(limits).hint("there is no memory left"))?;
        let read = source.by_ref().take(room as u64).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() > limits.max_size {
            return Err(too_large(limits).into());
        }
        if read < room {
            return Ok(bytes);
        }
    }
}

fn unreadable(error: std::io::Error) -> Finding {
    Finding::new(&rule::UNREADABLE, error.to_string(), "a readable file, plain or compressed by gzip")
}

fn too_large(limits: &Limits) -> Finding {
    Finding::new(&rule::SIZE, "a larger document", format!("at most {} bytes", limits.max_size))
}
