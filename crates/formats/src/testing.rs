//! What the tests of this crate share: an input made of chunks, and the
//! tables of the documentation.

use std::ops::Range;

use bytes::Bytes;
use decant_core::format::Input;
use decant_core::{Error, ErrorKind, Result};

/// Bytes in chunks of one size.
pub(crate) struct Chunks {
    rest: Bytes,
    chunk_bytes: usize,
    fails_after: Option<usize>,
}

impl Chunks {
    pub(crate) fn new(bytes: &[u8], chunk_bytes: usize) -> Self {
        let rest = Bytes::copy_from_slice(bytes);
        Self { rest, chunk_bytes: chunk_bytes.max(1), fails_after: None }
    }

    /// An input whose connection is lost after so many chunks.
    pub(crate) fn failing_after(bytes: &[u8], chunk_bytes: usize, chunks: usize) -> Self {
        Self { fails_after: Some(chunks), ..Self::new(bytes, chunk_bytes) }
    }
}

impl Input for Chunks {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        if let Some(left) = &mut self.fails_after {
            if *left == 0 {
                return Err(Error::new(ErrorKind::Unavailable, "the connection was lost"));
            }
            *left -= 1;
        }
        let count = self.chunk_bytes.min(self.rest.len());
        Ok((count > 0).then(|| self.rest.split_to(count)))
    }

    fn range(&mut self, _: Range<u64>) -> Result<Bytes> {
        Err(Error::new(ErrorKind::Unsupported, "these chunks have no ranges"))
    }

    fn size(&self) -> Option<u64> {
        None
    }
}

/// The rows of the first table under `heading` in `docs/types.md`, without
/// its head; of each cell what stands between the first and last backtick,
/// where there are any.
pub(crate) fn documented_rows(heading: &str) -> Vec<Vec<String>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/types.md");
    let page = std::fs::read_to_string(path).expect("docs/types.md");
    let section = page.lines().skip_while(|line| *line != heading);
    let table = section.skip_while(|line| !line.starts_with('|'));
    let rows = table.take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(documented_cell).collect()).collect()
}

fn documented_cell(cell: &str) -> String {
    let cell = cell.trim();
    let inside = cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`'));
    inside.unwrap_or(cell).to_owned()
}
