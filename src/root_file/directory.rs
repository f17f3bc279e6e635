//! The head of a file, its directories and their keys.

use super::bytes::Bytes;
use super::{Error, Result};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// More keys than any file of histograms has: lists of a hostile file may overlap.
const MOST_KEYS: usize = 2_000_000;

/// The smallest key: its numbers and three empty strings.
const SMALLEST_KEY: usize = 26 + 3;

/// Where an object lies, and what it is.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub class: String,
    name: String,
    cycle: u16,
    /// Of the object, unpacked.
    pub length: usize,
    place: usize,
    header: usize,
    /// With the header.
    stored: usize,
}

impl Key {
    fn read(bytes: &mut Bytes) -> Result<Key> {
        let stored = bytes.size()?;
        let large = bytes.u16()? > 1000;
        let length = bytes.size()?;
        bytes.u32()?;
        let header = usize::from(bytes.u16()?);
        let cycle = bytes.u16()?;
        let place = bytes.place(large)?;
        bytes.place(large)?;
        let (class, name) = (bytes.text()?, bytes.text()?);
        bytes.text()?;
        Ok(Key { class, name, cycle, length, place, header, stored })
    }

    /// Where the object itself is, packed or not.
    pub fn payload(&self) -> Range<usize> {
        let start = self.place.saturating_add(self.header);
        start..self.place.saturating_add(self.stored).max(start)
    }

    fn is_directory(&self) -> bool {
        self.class == "TDirectory" || self.class == "TDirectoryFile"
    }
}

/// Every directory by the place of its record.
#[derive(Debug, Default)]
pub(super) struct Directories {
    root: usize,
    all: HashMap<usize, Vec<Key>>,
    /// By directory and name: the indices of the keys.
    names: HashMap<(usize, String), Vec<usize>>,
}

impl Directories {
    pub fn read(file: &[u8]) -> Result<Directories> {
        let mut bytes = Bytes::new(file, 0);
        if bytes.take(4).ok() != Some(b"root") {
            return Err(Error("it does not begin as ROOT files do".to_owned()));
        }
        let large = bytes.u32()? >= 1_000_000;
        let begin = bytes.size()?;
        // The end and the list of free places, which only writers need.
        bytes.place(large)?;
        bytes.place(large)?;
        bytes.take(4 + 4)?;
        let name = bytes.size()?;
        let mut own = Directories { root: begin.saturating_add(name), ..Directories::default() };
        let (mut waiting, mut keys) = (vec![own.root], 0);
        while let Some(place) = waiting.pop() {
            if own.all.contains_key(&place) {
                continue;
            }
            let list = keys_of(file, place)?;
            keys += list.len();
            if keys > MOST_KEYS {
                return Err(Error(format!("it has more than {MOST_KEYS} keys")));
            }
            for (i, key) in list.iter().enumerate() {
                own.names.entry((place, key.name.clone())).or_default().push(i);
                if key.is_directory() {
                    waiting.push(key.payload().start);
                }
            }
            own.all.insert(place, list);
        }
        Ok(own)
    }

    /// The key at a path, of the newest cycle where the path names none.
    pub fn find(&self, path: &str) -> Option<&Key> {
        let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
        let mut place = self.root;
        while let Some(part) = parts.next() {
            let (name, cycle) = match part.rsplit_once(';').map(|(name, cycle)| (name, cycle.parse())) {
                Some((name, Ok(cycle))) => (name, Some(cycle)),
                _ => (part, None),
            };
            let list = self.all.get(&place)?;
            let keys = self.names.get(&(place, name.to_owned()))?.iter().filter_map(|i| list.get(*i));
            let key =
                keys.filter(|key| cycle.is_none_or(|cycle: u16| key.cycle == cycle)).max_by_key(|key| key.cycle)?;
            if parts.peek().is_none() {
                return Some(key);
            }
            if !key.is_directory() {
                return None;
            }
            place = key.payload().start;
        }
        None
    }

    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        let mut waiting = vec![(self.root, String::new())];
        let (mut seen, mut taken) = (HashSet::new(), HashSet::new());
        while let Some((place, before)) = waiting.pop() {
            if !seen.insert(place) {
                continue;
            }
            for key in self.all.get(&place).into_iter().flatten() {
                let path = format!("{before}{}", key.name);
                if key.is_directory() {
                    waiting.push((key.payload().start, format!("{path}/")));
                } else if taken.insert(path.clone()) {
                    paths.push(path);
                }
            }
        }
        paths
    }
}

/// The keys of the directory whose record is at a place.
fn keys_of(file: &[u8], place: usize) -> Result<Vec<Key>> {
    let mut record = Bytes::new(file, place);
    let large = record.u16()? > 1000;
    // Times, and the lengths of the list and of the name.
    record.take(4 + 4 + 4 + 4)?;
    record.place(large)?;
    record.place(large)?;
    let place = record.place(large)?;
    if place == 0 {
        return Ok(Vec::new());
    }
    let mut list = Bytes::new(file, place);
    Key::read(&mut list)?;
    let n = list.size()?;
    if n > file.len() / SMALLEST_KEY {
        return Err(Error(format!("a directory of {n} keys, more than the file has room for")));
    }
    (0..n).map(|_| Key::read(&mut list)).collect()
}
