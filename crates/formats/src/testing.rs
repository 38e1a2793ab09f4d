//! What the tests of this crate share: inputs, a receiver that keeps rows, and
//! the tables of the documentation.

use std::ops::Range;

use bytes::Bytes;
use decant_core::destination::DecimalSupport;
use decant_core::evidence::{Decimals, Evidence};
use decant_core::format::{
    DecodedBatch, FileColumns, Format, Input, Piece, Receiver, Sample, Target, Wishes,
};
use decant_core::schema::ColumnType;
use decant_core::{Error, ErrorKind, Reject, Result};

use crate::arrow::cells::Cells;
use crate::arrow::source::Meaning;

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

/// A piece of a file: its bytes in chunks of one size, and the file's ranges.
pub(crate) struct OfFile {
    chunks: Chunks,
    file: Bytes,
}

impl OfFile {
    pub(crate) fn new(file: &[u8], piece: Range<u64>, chunk_bytes: usize) -> Self {
        let bytes = &file[piece.start as usize..piece.end as usize];
        Self { chunks: Chunks::new(bytes, chunk_bytes), file: Bytes::copy_from_slice(file) }
    }
}

impl Input for OfFile {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        self.chunks.next_chunk()
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        Ok(self.file.slice(range.start as usize..range.end as usize))
    }

    fn size(&self) -> Option<u64> {
        Some(self.file.len() as u64)
    }
}

/// The pieces of a file, which must follow each other from its first byte to
/// its last, and be as long as was asked for.
pub(crate) fn pieces_of(format: &dyn Format, file: &[u8], piece_bytes: u64) -> Vec<Piece> {
    let size = file.len() as u64;
    let mut pieces: Vec<Piece> = Vec::new();
    let mut input = OfFile::new(file, 0..size, 7);
    let mut found = |piece| {
        pieces.push(piece);
        true
    };
    format.pieces(&mut input, piece_bytes, &mut found).unwrap();
    let mut end = 0;
    for piece in &pieces {
        assert_eq!(piece.bytes.start, end, "{pieces:?}");
        end = piece.bytes.end;
        assert!(end == size || end - piece.bytes.start >= piece_bytes, "{pieces:?}");
    }
    assert_eq!(end, size, "{pieces:?}");
    pieces
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

/// Bytes that are read by ranges.
pub(crate) struct Ranges {
    bytes: Bytes,
    started: bool,
}

impl Ranges {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self { bytes: Bytes::copy_from_slice(bytes), started: false }
    }
}

impl Input for Ranges {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        let first = !std::mem::replace(&mut self.started, true);
        Ok(first.then(|| self.bytes.clone()).filter(|bytes| !bytes.is_empty()))
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        let within = range.start <= range.end && range.end <= self.bytes.len() as u64;
        assert!(within, "{range:?} was asked of {} bytes", self.bytes.len());
        Ok(self.bytes.slice(range.start as usize..range.end as usize))
    }

    fn size(&self) -> Option<u64> {
        Some(self.bytes.len() as u64)
    }
}

/// The types of columns that look like this, where decimals are unbounded.
pub(crate) fn types(evidence: &[Evidence]) -> Vec<ColumnType> {
    let column_type =
        |evidence: &Evidence| evidence.column_type(DecimalSupport::Unbounded, Decimals::Exact);
    evidence.iter().map(column_type).collect()
}

/// Rows as a receiver got them: each as a JSON object of its types' own
/// values, for files that know their types.
#[derive(Default)]
pub(crate) struct Collected {
    pub(crate) names: Vec<String>,
    pub(crate) column_types: Vec<ColumnType>,
    pub(crate) rows: Vec<String>,
    pub(crate) rejects: Vec<Reject>,
    pub(crate) rows_read: u64,
    pub(crate) notes: Vec<String>,
    /// Types to ask for instead of the file's own.
    pub(crate) targets: Option<Vec<Option<Target>>>,
}

impl Collected {
    /// Asks for the types that a sample found.
    pub(crate) fn know(&mut self, sample: &Sample) {
        self.column_types = types(&sample.evidence);
    }

    /// The columns and their types, in one line.
    pub(crate) fn types(&self) -> String {
        let columns = self.names.iter().zip(&self.column_types);
        columns.map(|(name, held)| format!("{name} {held}")).collect::<Vec<_>>().join(", ")
    }

    /// A checksum of all rows in their order.
    pub(crate) fn checksum(&self) -> u64 {
        let fnv = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let rows = self.rows.iter().flat_map(|row| row.bytes().chain([b'\n']));
        rows.fold(0xcbf2_9ce4_8422_2325, fnv)
    }
}

impl Receiver for Collected {
    fn columns(&mut self, columns: &FileColumns) -> Result<Wishes> {
        self.names.clone_from(&columns.names);
        let targets = self.targets.clone().unwrap_or_else(|| {
            let own = |held: &ColumnType| Some(Target::new(*held, true));
            self.column_types.iter().map(own).collect()
        });
        Ok(Wishes { targets, ..Wishes::default() })
    }

    fn batch(&mut self, decoded: DecodedBatch) -> Result<()> {
        assert_eq!(
            decoded.rows_read as usize,
            decoded.batch.num_rows() + decoded.rejects.len(),
            "rows read = good + bad"
        );
        assert!(decoded.batch.num_rows() <= crate::arrow::rows::BATCH_ROWS_MAX);
        self.rows_read += decoded.rows_read;
        let schema = decoded.batch.schema();
        let cells: Vec<Cells<'_>> = decoded
            .batch
            .columns()
            .iter()
            .map(|array| Cells::new(array, Meaning::Plain).unwrap())
            .collect();
        for row in 0..decoded.batch.num_rows() {
            let mut json = String::from("{");
            for (field, cells) in schema.fields().iter().zip(&cells) {
                let separator = if json.len() > 1 { "," } else { "" };
                json.push_str(&format!("{separator}{:?}:", field.name()));
                cells.write_json(row, &mut json).unwrap();
            }
            json.push('}');
            self.rows.push(json);
        }
        self.rejects.extend(decoded.rejects);
        Ok(())
    }

    fn note(&mut self, note: String) {
        self.notes.push(note);
    }
}
