//! Numbers and strings, big-endian, never beyond the end.

use super::{Error, Result};

#[derive(Clone, Debug)]
pub(super) struct Bytes<'b> {
    all: &'b [u8],
    pub at: usize,
}

/// Set in the count of bytes that begins an object.
const HAS_COUNT: u32 = 0x4000_0000;

/// Set in the bits of an object that others refer to.
const IS_REFERENCED: u32 = 1 << 4;

impl<'b> Bytes<'b> {
    pub fn new(all: &'b [u8], at: usize) -> Bytes<'b> {
        Bytes { all, at }
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn take(&mut self, n: usize) -> Result<&'b [u8]> {
        let end = self.at.checked_add(n);
        let part = end.and_then(|end| self.all.get(self.at..end));
        let part = part.ok_or_else(|| Error(format!("{n} bytes at {} lie beyond the end", self.at)))?;
        self.at += n;
        Ok(part)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut own = [0; N];
        own.copy_from_slice(self.take(N)?);
        Ok(own)
    }

    pub fn u8(&mut self) -> Result<u8> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    pub fn f64(&mut self) -> Result<f64> {
        Ok(f64::from_be_bytes(self.array()?))
    }

    /// A number that may not be negative: a size, a count or a place.
    pub fn size(&mut self) -> Result<usize> {
        let number = self.u32()? as i32;
        usize::try_from(number).map_err(|_| Error(format!("{number} at {} is no size", self.at - 4)))
    }

    /// A place in the file, of eight bytes in large files.
    pub fn place(&mut self, large: bool) -> Result<usize> {
        if !large {
            return self.size();
        }
        let number = self.u64()?;
        usize::try_from(number).map_err(|_| Error(format!("{number} at {} is no place", self.at - 8)))
    }

    pub fn text(&mut self) -> Result<String> {
        let length = match self.u8()? {
            255 => self.size()?,
            short => usize::from(short),
        };
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    /// The version of an object and where it ends, where it says so.
    pub fn object(&mut self) -> Result<(u16, Option<usize>)> {
        let start = self.at;
        let count = self.u32()?;
        if count & HAS_COUNT == 0 {
            self.at = start;
            return Ok((self.u16()?, None));
        }
        let length = (count & !HAS_COUNT) as usize;
        let end = self.at.checked_add(length).filter(|end| *end <= self.all.len() && length >= 2);
        let end = end.ok_or_else(|| Error(format!("an object at {start} that ends beyond the end")))?;
        Ok((self.u16()?, Some(end)))
    }

    /// Passes over an object of a class that always says where it ends.
    pub fn skip_object(&mut self, class: &str) -> Result<()> {
        match self.object()? {
            (_, Some(end)) => {
                self.at = end;
                Ok(())
            }
            (_, None) => Err(Error(format!("a {class} without its length"))),
        }
    }

    /// The name of a TNamed.
    pub fn named(&mut self) -> Result<String> {
        let (_, end) = self.object()?;
        self.take(2 + 4)?;
        if self.u32()? & IS_REFERENCED != 0 {
            self.take(2)?;
        }
        let name = self.text()?;
        match end {
            Some(end) => self.at = end,
            None => {
                self.text()?;
            }
        }
        Ok(name)
    }

    /// The numbers of a TArrayD.
    pub fn doubles(&mut self) -> Result<Vec<f64>> {
        let n = self.size()?;
        let all = self.take(n.checked_mul(8).ok_or_else(|| Error("an array without end".to_owned()))?)?;
        Ok(all.chunks_exact(8).map(|one| f64::from_be_bytes(one.try_into().unwrap_or_default())).collect())
    }
}
