//! Histograms of one dimension in ROOT files, read and written (spec/root-files.md).
//!
//! * `bytes`: numbers and strings of a file, never beyond its end;
//! * `compression`: blocks of zlib, LZMA, LZ4 and Zstandard;
//! * `directory`: the file's head, its directories and keys;
//! * `histogram`: what a key of a class TH1 holds;
//! * `write`: uncompressed files of TH1D.

mod bytes;
mod compression;
mod directory;
mod histogram;
mod write;

pub use histogram::Histogram;
pub use write::Writer;

use crate::finding::quote;
use directory::{Directories, Key};

/// Why something in a file cannot be had: a sentence without the file's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(pub String);

pub type Result<T> = std::result::Result<T, Error>;

/// The largest object that is unpacked, in bytes.
pub const LARGEST_OBJECT: usize = 64 << 20;

/// A file in memory with the names of all that it holds.
#[derive(Debug)]
pub struct RootFile {
    bytes: Vec<u8>,
    directories: Directories,
}

impl RootFile {
    /// Reads the directories of a file.
    ///
    /// # Errors
    /// Bytes that are no ROOT file, or whose directories cannot be read.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<RootFile> {
        let directories = Directories::read(&bytes)?;
        Ok(RootFile { bytes, directories })
    }

    /// The histogram at a path such as `channel/sample` or `channel/sample;2`: without a cycle the newest one. `None` where
    /// there is nothing.
    ///
    /// # Errors
    /// An object of another class, or one whose bytes make no sense.
    pub fn histogram(&self, path: &str) -> Result<Option<Histogram>> {
        let Some(key) = self.directories.find(path) else { return Ok(None) };
        let object = self.object(key).map_err(|e| Error(format!("{}: {}", quote(path), e.0)))?;
        let read = histogram::read(&key.class, &object);
        read.map(Some).map_err(|e| Error(format!("{}: {}", quote(path), e.0)))
    }

    /// The class of what lies at a path.
    pub fn class(&self, path: &str) -> Option<&str> {
        self.directories.find(path).map(|key| key.class.as_str())
    }

    /// The paths of all objects but directories, in the order of the file; the newest cycle of each.
    pub fn paths(&self) -> Vec<String> {
        self.directories.paths()
    }

    fn object(&self, key: &Key) -> Result<Vec<u8>> {
        let stored =
            self.bytes.get(key.payload()).ok_or_else(|| Error("it lies beyond the end of the file".to_owned()))?;
        compression::unpack(stored, key.length)
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
