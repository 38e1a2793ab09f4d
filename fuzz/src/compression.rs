//! Decompression: any bytes come out as bytes or as an error, the same
//! whatever the chunks that they go in as, and never more than is allowed.

use decant_core::Input;
use decant_formats::compression::{Decompressed, Limits};

use crate::input::Memory;

/// Enough to see a bomb, little enough to be quick.
const LIMITS: Limits = Limits { bytes_max: 4 << 20, ratio_max: 5_000, ratio_from_bytes: 1 << 20 };

pub(crate) fn decompression(bytes: &[u8]) {
    let Some(([chunk], file)) = bytes.split_first_chunk::<1>() else { return };
    let whole = all_of(file, usize::MAX);
    let pieces = all_of(file, usize::from(*chunk));
    assert_eq!(whole, pieces, "the chunks made a difference");
}

/// What comes out, or the kind of the error.
fn all_of(file: &[u8], chunk_bytes: usize) -> Result<Vec<u8>, String> {
    let mut input = Memory::new(file, chunk_bytes);
    let told = |error: decant_core::Error| format!("{:?}", error.kind());
    let mut decompressed = Decompressed::new(&mut input, LIMITS).map_err(told)?;
    let mut all = Vec::new();
    while let Some(chunk) = decompressed.next_chunk().map_err(told)? {
        assert!(!chunk.is_empty(), "a chunk without bytes");
        all.extend_from_slice(&chunk);
        assert!(all.len() as u64 <= LIMITS.bytes_max, "more than is allowed");
    }
    Ok(all)
}
