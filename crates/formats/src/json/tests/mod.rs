//! Files in, rows out: every file is decoded with blocks and chunks of several
//! sizes, which must make no difference.

mod corpus;
mod documents;
mod encodings;
mod lines;
mod pieces;
mod plain_rows;
mod properties;
mod repeated;
mod sampling;
mod shapes;
mod values;

use arrow_array::{Array, ArrayRef, cast::AsArray};
use decant_core::format::{
    DecodedBatch, FileColumns, Format, Piece, PlacesWanted, Receiver, RepairKind, Rescued,
    RowPlaces, Target, Wishes,
};
use decant_core::schema::ColumnType;
use decant_core::stream::FormatOptions;
use decant_core::{Error, Reject, Result};

use super::JsonFormat;
use crate::testing::Chunks;

/// Sizes of blocks and chunks.
const SIZES: [(usize, usize); 5] = [(1 << 20, 1 << 20), (1, 1), (10, 3), (64, 7), (1 << 20, 5)];

/// A repair with the row's number in the file.
pub(crate) type SeenRepair = (u64, RepairKind, Vec<String>, Option<Box<Reject>>);

/// Everything that came out of a file.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) columns: FileColumns,
    /// How often columns were announced.
    pub(crate) announced: usize,
    pub(crate) batches: Vec<Vec<ArrayRef>>,
    pub(crate) rows: Vec<Vec<Option<String>>>,
    pub(crate) rejects: Vec<Reject>,
    pub(crate) rescued: Vec<Rescued>,
    /// The row's number, what was done, and what was cut off.
    pub(crate) repairs: Vec<SeenRepair>,
    pub(crate) places: RowPlaces,
    pub(crate) rows_read: u64,
    pub(crate) bytes: u64,
}

struct Collector<'t> {
    target: &'t dyn Fn(&str) -> Option<Target>,
    places: PlacesWanted,
    decoded: Decoded,
}

impl Receiver for Collector<'_> {
    fn columns(&mut self, columns: &FileColumns) -> Result<Wishes> {
        assert!(columns.names.starts_with(&self.decoded.columns.names));
        self.decoded.columns = columns.clone();
        self.decoded.announced += 1;
        let targets = columns.names.iter().map(|name| (self.target)(name)).collect();
        Ok(Wishes { targets, places: self.places })
    }

    fn batch(&mut self, decoded: DecodedBatch) -> Result<()> {
        let rows = decoded.batch.num_rows();
        assert!(self.decoded.announced > 0);
        assert_eq!(decoded.rows_read, (rows + decoded.rejects.len()) as u64);
        assert!(decoded.rows_read > 0 && rows <= 16_384);
        let columns = decoded.batch.columns().to_vec();
        if columns.iter().all(|column| column.as_string_opt::<i32>().is_some()) {
            let text = |array: &ArrayRef, row| {
                let array = array.as_string::<i32>();
                array.is_valid(row).then(|| array.value(row).to_owned())
            };
            let row = |row| columns.iter().map(|array| text(array, row)).collect();
            self.decoded.rows.extend((0..rows).map(row));
        }
        self.decoded.batches.push(columns);
        self.decoded.rejects.extend(decoded.rejects);
        self.decoded.rescued.extend(decoded.rescued);
        let repairs = decoded.repairs.into_iter().map(|repair| {
            (decoded.places.ordinals[repair.row], repair.kind, repair.cut, repair.kept)
        });
        self.decoded.repairs.extend(repairs);
        self.decoded.places.ordinals.extend(decoded.places.ordinals);
        self.decoded.places.lines.extend(decoded.places.lines);
        self.decoded.places.byte_offsets.extend(decoded.places.byte_offsets);
        let raw = decoded.places.raw.iter().map(|range| &decoded.places.bytes[range.clone()]);
        let raw: Vec<u8> = raw.flat_map(|raw| [raw, b"\n"].concat()).collect();
        self.decoded.places.bytes = [&self.decoded.places.bytes[..], &raw[..]].concat().into();
        self.decoded.rows_read += decoded.rows_read;
        self.decoded.bytes += decoded.bytes_decoded;
        Ok(())
    }
}

fn decode_with(
    file: &[u8],
    format: JsonFormat,
    target: &dyn Fn(&str) -> Option<Target>,
    sizes: (usize, usize),
) -> Result<Decoded> {
    collect(file, &JsonFormat { block_bytes: sizes.0, ..format }, target, sizes.1)
}

/// Decodes a file in chunks of this size.
pub(crate) fn collect(
    file: &[u8],
    format: &dyn Format,
    target: &dyn Fn(&str) -> Option<Target>,
    chunk_bytes: usize,
) -> Result<Decoded> {
    let places = PlacesWanted::Raw;
    let mut collector = Collector { target, places, decoded: Decoded::default() };
    let mut input = Chunks::new(file, chunk_bytes);
    let piece = Piece::whole(file.len() as u64);
    format.decode(&piece, &mut input, &mut collector)?;
    Ok(collector.decoded)
}

fn text(_: &str) -> Option<Target> {
    Some(Target::new(ColumnType::Text, true))
}

/// What comes out in blocks and chunks of all sizes, which must make no
/// difference.
pub(crate) fn in_all_sizes(decode: impl Fn((usize, usize)) -> Decoded) -> Decoded {
    let whole = decode(SIZES[0]);
    for sizes in &SIZES[1..] {
        let mut pieces = decode(*sizes);
        // Rows before a late column know nothing of it.
        let width = pieces.columns.names.len();
        pieces.rows.iter_mut().for_each(|row| row.resize(width, None));
        assert_eq!(pieces.columns.names, whole.columns.names, "{sizes:?}");
        assert_eq!(pieces.rows, whole.rows, "{sizes:?}");
        assert_eq!(pieces.rejects, whole.rejects, "{sizes:?}");
        assert_eq!(pieces.repairs, whole.repairs, "{sizes:?}");
        assert_eq!(pieces.places, whole.places, "{sizes:?}");
        assert_eq!(pieces.rows_read, whole.rows_read, "{sizes:?}");
    }
    assert_eq!(whole.rows_read, (whole.rows.len() + whole.rejects.len()) as u64);
    whole
}

/// The error, which must be the same in blocks and chunks of all sizes.
pub(crate) fn refused_in_all_sizes(error: impl Fn((usize, usize)) -> Error) -> Error {
    let whole = error(SIZES[0]);
    for sizes in &SIZES[1..] {
        let pieces = error(*sizes);
        assert_eq!((pieces.to_string(), pieces.kind()), (whole.to_string(), whole.kind()));
        assert_eq!(pieces.position(), whole.position(), "{sizes:?}");
    }
    whole
}

impl Decoded {
    /// Asserts names and rows, written with `|` between values and `~` for
    /// NULL.
    pub(crate) fn has(self, names: &str, expected: &[&str]) -> Self {
        let line = |row: &Vec<Option<String>>| {
            let values = row.iter().map(|value| value.as_deref().unwrap_or("~"));
            values.collect::<Vec<_>>().join("|")
        };
        assert_eq!(self.columns.names.join("|"), names);
        assert_eq!(self.rows.iter().map(line).collect::<Vec<_>>(), expected);
        self
    }
}

/// Decodes every column as text, in blocks and chunks of all sizes.
fn decode(file: impl AsRef<[u8]>, options: &FormatOptions) -> Decoded {
    let format = || JsonFormat::new(options).unwrap();
    in_all_sizes(|sizes| decode_with(file.as_ref(), format(), &text, sizes).unwrap())
}

fn check(
    file: impl AsRef<[u8]>,
    options: &FormatOptions,
    names: &str,
    expected: &[&str],
) -> Decoded {
    decode(file, options).has(names, expected)
}

fn refusal(file: impl AsRef<[u8]>, options: &FormatOptions) -> Error {
    let format = || JsonFormat::new(options).unwrap();
    refused_in_all_sizes(|sizes| decode_with(file.as_ref(), format(), &text, sizes).unwrap_err())
}

fn plain() -> FormatOptions {
    FormatOptions::default()
}

fn named(name: &str) -> FormatOptions {
    FormatOptions { name: Some(name.to_owned()), ..plain() }
}
