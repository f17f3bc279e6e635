//! Arrays of numbers and strings in NumPy's archives (`.npz`). Of the format of its members, `.npy`, version 1 to 3 of the
//! header are read, and types of fixed size; arrays of objects are pickles and are refused.

use crate::document::Limits;
use crate::finding::{Finding, Result, quote};
use crate::rule;
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// An archive in memory.
pub(super) struct Archive {
    zip: ZipArchive<Cursor<Vec<u8>>>,
    /// In bytes, of a member that is unpacked.
    most: usize,
}

fn wrong(found: impl Into<String>, expected: impl Into<String>) -> Finding {
    Finding::new(&rule::IMPORT_FORMAT, found, expected)
}

impl Archive {
    pub fn open(bytes: Vec<u8>, limits: &Limits) -> Result<Archive> {
        let most = limits.max_size;
        if bytes.len() > most {
            return Err(Finding::new(&rule::SIZE, "a larger file", format!("at most {most} bytes")).into());
        }
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|e| wrong(e.to_string(), "an npz archive"))?;
        Ok(Archive { zip, most })
    }

    /// The names of the arrays.
    pub fn names(&self) -> Vec<String> {
        let names = self.zip.file_names().flatten();
        names.map(|name| name.strip_suffix(".npy").unwrap_or(&name).to_owned()).collect()
    }

    fn array(&mut self, name: &str) -> Result<Array> {
        let broken = |e: &dyn std::fmt::Display| wrong(format!("{}: {e}", quote(name)), "an array in the archive");
        let member = self.zip.by_name(&format!("{name}.npy")).map_err(|e| broken(&e))?;
        let mut bytes = Vec::new();
        member.take(self.most as u64 + 1).read_to_end(&mut bytes).map_err(|e| broken(&e))?;
        if bytes.len() > self.most {
            return Err(Finding::new(&rule::SIZE, quote(name), format!("at most {} bytes", self.most)).into());
        }
        Ok(Array::parse(bytes).map_err(|reason| wrong(format!("{}: {reason}", quote(name)), "an array of NumPy"))?)
    }

    /// A matrix of real numbers, row by row.
    pub fn table(&mut self, name: &str) -> Result<Vec<Vec<f64>>> {
        let array = self.array(name)?;
        let &[rows, columns] = array.shape.as_slice() else {
            return Err(wrong(format!("{} of {} axes", quote(name), array.shape.len()), "an array of 2 axes").into());
        };
        // Rows without columns would cost memory that no file has paid for.
        if rows == 0 || columns == 0 {
            return Err(wrong(format!("{} of shape ({rows}, {columns})", quote(name)), "at least one number").into());
        }
        let values = array.numbers().map_err(|reason| wrong(format!("{}: {reason}", quote(name)), "real numbers"))?;
        let place =
            |row: usize, column: usize| if array.fortran { column * rows + row } else { row * columns + column };
        Ok((0..rows).map(|row| (0..columns).map(|column| values[place(row, column)]).collect()).collect())
    }

    /// The columns of an array of one axis (one column) or two.
    pub fn columns(&mut self, name: &str) -> Result<Vec<Vec<f64>>> {
        let array = self.array(name)?;
        if array.shape.len() != 1 {
            let rows = self.table(name)?;
            let n = rows.first().map_or(0, Vec::len);
            return Ok((0..n).map(|k| rows.iter().filter_map(|row| row.get(k)).copied().collect()).collect());
        }
        let values = array.numbers().map_err(|reason| wrong(format!("{}: {reason}", quote(name)), "real numbers"))?;
        Ok(vec![values])
    }

    /// A list of strings.
    pub fn strings(&mut self, name: &str) -> Result<Vec<String>> {
        let array = self.array(name)?;
        let strings = if array.shape.len() == 1 { array.strings() } else { Err("more than one axis".to_owned()) };
        Ok(strings.map_err(|reason| wrong(format!("{}: {reason}", quote(name)), "a list of strings"))?)
    }
}

/// One array as it lies in its file.
struct Array {
    /// Byte order and type, such as `<f8`.
    kind: String,
    fortran: bool,
    shape: Vec<usize>,
    data: Vec<u8>,
}

impl Array {
    fn parse(mut bytes: Vec<u8>) -> std::result::Result<Array, String> {
        if !bytes.starts_with(b"\x93NUMPY") {
            return Err("no file of NumPy".to_owned());
        }
        let (length, start) = match bytes.get(6..12) {
            Some(&[1, _, a, b, ..]) => (usize::from(u16::from_le_bytes([a, b])), 10),
            Some(&[2 | 3, _, a, b, c, d]) => (u32::from_le_bytes([a, b, c, d]) as usize, 12),
            _ => return Err("a version of the format that is not read".to_owned()),
        };
        let end = start + length;
        let header = bytes.get(start..end).ok_or("a header that is cut off")?;
        let header = std::str::from_utf8(header).map_err(|_| "a header that is no text")?;
        let kind = between(header, "'descr':", "'", "'")?.to_owned();
        if kind.contains('O') || header.contains("'descr': [") {
            return Err("an array of objects or records: objects are pickles, which may run code".to_owned());
        }
        let fortran = match between(header, "'fortran_order':", " ", ",")?.trim() {
            "True" => true,
            "False" => false,
            _ => return Err("an order that is neither C nor Fortran".to_owned()),
        };
        let axes = between(header, "'shape':", "(", ")")?.split(',').map(str::trim).filter(|n| !n.is_empty());
        let shape: Option<Vec<usize>> = axes.map(|n| n.parse().ok()).collect();
        let shape = shape.ok_or("a shape that is none")?;
        bytes.drain(..end);
        let array = Array { kind, fortran, shape, data: bytes };
        let items = array.shape.iter().try_fold(1usize, |product, n| product.checked_mul(*n));
        let size = items.and_then(|items| items.checked_mul(array.item_size()?));
        if size != Some(array.data.len()) {
            return Err(format!(
                "{} bytes of {} for the shape {:?}",
                array.data.len(),
                quote(&array.kind),
                array.shape
            ));
        }
        Ok(array)
    }

    /// In bytes.
    fn item_size(&self) -> Option<usize> {
        let count: usize = self.kind.get(2..)?.parse().ok()?;
        let size = if self.kind.get(1..2)? == "U" { count.checked_mul(4)? } else { count };
        (size > 0).then_some(size)
    }

    fn numbers(&self) -> std::result::Result<Vec<f64>, String> {
        let read: fn(&[u8]) -> f64 = match self.kind.as_str() {
            "<f8" => |b| f64::from_le_bytes(fixed(b)),
            ">f8" => |b| f64::from_be_bytes(fixed(b)),
            "<f4" => |b| f64::from(f32::from_le_bytes(fixed(b))),
            ">f4" => |b| f64::from(f32::from_be_bytes(fixed(b))),
            "<i4" => |b| f64::from(i32::from_le_bytes(fixed(b))),
            "<i8" => |b| i64::from_le_bytes(fixed(b)) as f64,
            other => return Err(format!("the type {}", quote(other))),
        };
        let size = self.item_size().ok_or("a type without size")?;
        Ok(self.data.chunks_exact(size).map(read).collect())
    }

    fn strings(&self) -> std::result::Result<Vec<String>, String> {
        let size = self.item_size().ok_or("a type without size")?;
        let items = self.data.chunks_exact(size);
        let text = |c: Option<char>| c.ok_or_else(|| "characters that are none".to_owned());
        match self.kind.get(..2) {
            Some("|S") => {
                items.map(|item| item.iter().map(|b| text(b.is_ascii().then_some(*b as char))).collect()).collect()
            }
            Some("<U") => {
                let code = |b: &[u8]| text(char::from_u32(u32::from_le_bytes(fixed(b))));
                items.map(|item| item.chunks_exact(4).map(code).collect()).collect()
            }
            _ => Err(format!("the type {}", quote(&self.kind))),
        }
        .map(|strings: Vec<String>| strings.into_iter().map(|s| s.trim_end_matches('\0').to_owned()).collect())
    }
}

/// The first N bytes, which are there since chunks have the size of the type.
fn fixed<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    array
}

/// What stands between two marks after a key.
fn between<'a>(header: &'a str, key: &str, open: &str, close: &str) -> std::result::Result<&'a str, String> {
    let found = header.split_once(key).and_then(|(_, rest)| rest.split_once(open)?.1.split_once(close));
    found.map(|(text, _)| text).ok_or_else(|| format!("a header without {key}"))
}
