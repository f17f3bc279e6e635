//! Packed objects: one block after the other, each with its method and its two lengths.

use super::{Error, LARGEST_OBJECT, Result};
use std::io::Read;

const HEAD: usize = 9;

/// The bytes of an object that has `length` of them, stored as they are or packed.
pub(super) fn unpack(stored: &[u8], length: usize) -> Result<Vec<u8>> {
    if length > LARGEST_OBJECT {
        return Err(Error(format!("{length} bytes, more than the limit of {LARGEST_OBJECT}")));
    }
    if stored.len() >= length {
        return Ok(stored[..length].to_vec());
    }
    let (mut rest, mut all) = (stored, Vec::with_capacity(length.min(stored.len().saturating_mul(64))));
    while all.len() < length {
        let head = rest.get(..HEAD).ok_or_else(|| Error("its packed blocks end too early".to_owned()))?;
        let three =
            |at: usize| usize::from(head[at]) | usize::from(head[at + 1]) << 8 | usize::from(head[at + 2]) << 16;
        let (packed, plain) = (three(3), three(6));
        let block = rest.get(HEAD..HEAD + packed).ok_or_else(|| Error("its packed blocks end too early".to_owned()))?;
        if plain == 0 || plain > length - all.len() {
            return Err(Error("its packed blocks hold more than it has".to_owned()));
        }
        let before = all.len();
        unpack_block(&head[..2], block, plain, &mut all)?;
        if all.len() - before != plain {
            return Err(Error("a packed block holds less than it says".to_owned()));
        }
        rest = &rest[HEAD + packed..];
    }
    Ok(all)
}

fn unpack_block(method: &[u8], block: &[u8], plain: usize, all: &mut Vec<u8>) -> Result<()> {
    let damaged = |what: &str| Error(format!("a block packed by {what} is damaged"));
    let mut read = |source: &mut dyn Read, what: &str| {
        source.take(plain as u64).read_to_end(all).map(drop).map_err(|_| damaged(what))
    };
    match method {
        b"ZL" => read(&mut flate2::read::ZlibDecoder::new(block), "zlib"),
        b"XZ" => read(&mut lzma_rust2::XzReader::new_mem_limit(block, false, 128 << 10), "LZMA"),
        b"ZS" => match zstd::stream::read::Decoder::new(block) {
            Ok(mut decoder) => read(&mut decoder, "Zstandard"),
            Err(_) => Err(damaged("Zstandard")),
        },
        b"L4" => {
            let (sum, block) = block.split_at_checked(8).ok_or_else(|| damaged("LZ4"))?;
            if twox_hash::XxHash64::oneshot(0, block).to_be_bytes() != sum {
                return Err(Error("a block packed by LZ4 has another checksum".to_owned()));
            }
            all.extend(lz4_flex::block::decompress(block, plain).map_err(|_| damaged("LZ4"))?);
            Ok(())
        }
        b"CS" => Err(Error(
            "packed by the method that ROOT had before 5.30: write the file again with a newer one".to_owned(),
        )),
        _ => Err(Error("packed by an unknown method".to_owned())),
    }
}
