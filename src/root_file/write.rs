//! Uncompressed files of TH1D, byte for byte as ROOT 6.40 writes them but for dates and identifiers, which are constant:
//! equal histograms give equal files.

use super::{Error, Result};
use std::collections::HashSet;

/// What describes the classes of a file to later versions of ROOT: the record that ROOT 6.40 writes for TH1D.
const STREAMER_INFO: &[u8] = include_bytes!("streamer_info.bin");

/// ROOT 6.40.00.
const VERSION: u32 = 64_000;

/// Where the first record is.
const BEGIN: usize = 100;

/// The first of January 1995, when ROOT's dates begin.
const DATE: u32 = 1 << 22 | 1 << 17;

/// With four-byte places.
const LARGEST: usize = 2_000_000_000;

const CLASS: &str = "TH1D";

/// A file that is being made.
#[derive(Debug, Default)]
pub struct Writer {
    objects: Vec<(String, Vec<u8>)>,
    names: HashSet<String>,
}

impl Writer {
    /// Adds a histogram of bins of width one from zero; without errors ROOT takes the roots of the contents.
    ///
    /// # Errors
    /// A name that is there already, is empty, or holds `/` or `;`, which mean something else in paths.
    pub fn add(&mut self, name: &str, contents: &[f64], errors: Option<&[f64]>) -> Result<()> {
        if name.is_empty() || name.contains(['/', ';']) || name.len() > 10_000 {
            return Err(Error(format!("{} is no name of a histogram", crate::finding::quote(name))));
        }
        if !self.names.insert(name.to_owned()) {
            return Err(Error(format!("a second histogram {}", crate::finding::quote(name))));
        }
        if errors.is_some_and(|errors| errors.len() != contents.len()) || contents.is_empty() {
            return Err(Error(format!("{} has no bins, or errors of other bins", crate::finding::quote(name))));
        }
        self.objects.push((name.to_owned(), histogram(name, contents, errors)));
        Ok(())
    }

    /// The bytes of the file, whose own name they hold.
    ///
    /// # Errors
    /// More than two gigabytes.
    pub fn finish(&self, file_name: &str) -> Result<Vec<u8>> {
        let size: usize = self.objects.iter().map(|(name, object)| object.len() + 3 * name.len() + 200).sum();
        if size + STREAMER_INFO.len() + 4 * file_name.len() + 1000 > LARGEST || file_name.len() > 10_000 {
            return Err(Error("a file of more than two gigabytes, or with a very long name".to_owned()));
        }
        let own_key =
            |length: usize, at: usize, parent: usize| Key { class: "TFile", name: file_name, length, at, parent };
        let names = { string(file_name) }.into_iter().chain(string("")).collect::<Vec<u8>>();
        let first = own_key(names.len() + DIRECTORY, BEGIN, 0);
        let name_bytes = first.header_length() + names.len();
        let mut file = vec![0; BEGIN];
        let directory = BEGIN + name_bytes;
        file.extend(first.bytes());
        file.extend(&names);
        file.extend([0; DIRECTORY]);
        let mut keys = Vec::new();
        for (name, object) in &self.objects {
            let key = Key { class: CLASS, name, length: object.len(), at: file.len(), parent: BEGIN };
            let header = key.bytes();
            file.extend(&header);
            file.extend(object);
            keys.push(header);
        }
        let info = file.len();
        file.extend(STREAMER_INFO);
        // The place of the record stands in its key.
        put(&mut file, info + 18, info);
        let list = file.len();
        let length = 4 + keys.iter().map(Vec::len).sum::<usize>();
        let key = own_key(length, list, BEGIN);
        file.extend(key.bytes());
        file.extend(number(keys.len()));
        file.extend(keys.concat());
        let list_bytes = file.len() - list;
        let free = file.len();
        let key = own_key(10, free, BEGIN);
        file.extend(key.bytes());
        let end = free + key.header_length() + 10;
        file.extend([0, 1]);
        file.extend(number(end));
        file.extend(number(LARGEST));
        file.splice(directory..directory + DIRECTORY, directory_record(list_bytes, name_bytes, list));
        let head = head(end, free, name_bytes, info);
        file.splice(..head.len(), head);
        Ok(file)
    }
}

/// The length of the record of a directory.
const DIRECTORY: usize = 2 + 4 * 7 + 18 + 12;

fn directory_record(list_bytes: usize, name_bytes: usize, list: usize) -> Vec<u8> {
    let mut record = vec![0, 5];
    record.extend(DATE.to_be_bytes());
    record.extend(DATE.to_be_bytes());
    for place in [list_bytes, name_bytes, BEGIN, 0, list] {
        record.extend(number(place));
    }
    record.extend([0, 1]);
    record.resize(DIRECTORY, 0);
    record
}

fn head(end: usize, free: usize, name_bytes: usize, info: usize) -> Vec<u8> {
    let mut head = b"root".to_vec();
    head.extend(VERSION.to_be_bytes());
    for place in [BEGIN, end, free, end - free, 1, name_bytes] {
        head.extend(number(place));
    }
    head.push(4);
    // The first is ROOT's setting for no compression.
    for place in [100, info, STREAMER_INFO.len()] {
        head.extend(number(place));
    }
    head.extend([0, 1]);
    head
}

/// What stands before each record.
struct Key<'k> {
    class: &'k str,
    name: &'k str,
    length: usize,
    at: usize,
    parent: usize,
}

impl Key<'_> {
    fn header_length(&self) -> usize {
        26 + string(self.class).len() + string(self.name).len() + 1
    }

    fn bytes(&self) -> Vec<u8> {
        let header = self.header_length();
        let mut bytes = number(header + self.length).to_vec();
        bytes.extend([0, 4]);
        bytes.extend(number(self.length));
        bytes.extend(DATE.to_be_bytes());
        bytes.extend((header as u16).to_be_bytes());
        bytes.extend([0, 1]);
        bytes.extend(number(self.at));
        bytes.extend(number(self.parent));
        bytes.extend(string(self.class));
        bytes.extend(string(self.name));
        bytes.push(0);
        bytes
    }
}

fn put(file: &mut [u8], at: usize, place: usize) {
    if let Some(own) = file.get_mut(at..at + 4) {
        own.copy_from_slice(&number(place));
    }
}

/// Sizes and places are below [`LARGEST`].
fn number(n: usize) -> [u8; 4] {
    (n as u32).to_be_bytes()
}

fn string(text: &str) -> Vec<u8> {
    let mut bytes = match u8::try_from(text.len()) {
        Ok(length) if length < 255 => vec![length],
        _ => [vec![255], number(text.len()).to_vec()].concat(),
    };
    bytes.extend(text.as_bytes());
    bytes
}

/// An object that says how long it is.
fn object(version: u16, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = ((length + 2) as u32 | 0x4000_0000).to_be_bytes().to_vec();
    bytes.extend(version.to_be_bytes());
    bytes.extend(parts.concat());
    bytes
}

/// A TObject: version, number, bits.
const OBJECT: [u8; 10] = [0, 1, 0, 0, 0, 0, 0, 0, 0, 0];

fn named(name: &str) -> Vec<u8> {
    object(1, &[&OBJECT, &string(name), &[0]])
}

fn shorts(numbers: &[i16]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_be_bytes()).collect()
}

fn floats(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_be_bytes()).collect()
}

fn doubles(numbers: &[f64]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_be_bytes()).collect()
}

fn axis(name: &str, bins: usize, title_offset: f32) -> Vec<u8> {
    let looks = object(
        4,
        &[&number(510), &shorts(&[1, 1, 42]), &floats(&[0.005, 0.035, 0.03, title_offset, 0.035]), &shorts(&[1, 42])],
    );
    let range = doubles(&[0.0, bins as f64]);
    // No edges, no range of its own, no times, no labels.
    let rest = [0; 4 + 4 + 4 + 2 + 1 + 1 + 4 + 4];
    object(10, &[&named(name), &looks, &number(bins), &range, &rest])
}

fn histogram(name: &str, contents: &[f64], errors: Option<&[f64]>) -> Vec<u8> {
    let bins = contents.len();
    let cells = |numbers: &mut dyn Iterator<Item = f64>| {
        let all: Vec<f64> = std::iter::once(0.0).chain(numbers).chain(std::iter::once(0.0)).collect();
        [number(all.len()).to_vec(), doubles(&all)].concat()
    };
    let squares = match errors {
        Some(errors) => cells(&mut errors.iter().map(|e| e * e)),
        None => number(0).to_vec(),
    };
    let base = object(
        8,
        &[
            &named(name),
            &object(2, &[&shorts(&[602, 1, 1])]),
            &object(2, &[&shorts(&[0, 1001])]),
            &object(3, &[&shorts(&[1, 1]), &floats(&[1.0])]),
            &number(bins + 2),
            &axis("xaxis", bins, 1.0),
            &axis("yaxis", 1, 0.0),
            &axis("zaxis", 1, 1.0),
            &shorts(&[0, 1000]),
            // Entries, four sums, ends of the drawn axis, norm.
            &doubles(&[bins as f64, 0.0, 0.0, 0.0, 0.0, -1111.0, -1111.0, 0.0]),
            &number(0),
            &squares,
            &[0],
            &object(5, &[&OBJECT, &[0], &number(0)]),
            // No buffer; errors and statistics as usual.
            &[0; 4 + 1 + 4],
            &number(2),
        ],
    );
    object(3, &[&base, &cells(&mut contents.iter().copied())])
}
