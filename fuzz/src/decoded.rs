//! Everything that decoding a file answers, so that two ways of decoding it
//! can be compared.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use decant_core::destination::DecimalSupport;
use decant_core::evidence::Decimals;
use decant_core::format::{
    DecodedBatch, FileColumns, Format, Piece, PlacesWanted, Receiver, Sample, Target, Wishes,
};
use decant_core::{ColumnType, Error, Reject, Result};

use crate::input::Memory;

/// What came out of a file.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Decoded {
    columns: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
    rejects: Vec<Reject>,
    read: u64,
    loaded: u64,
    places: Vec<u64>,
    notes: Vec<String>,
}

/// How each column is read.
pub(crate) enum Reading<'s> {
    /// As text.
    Text,
    /// In the type that the sample shows.
    Typed(&'s Sample),
}

struct Collector<'s> {
    reading: Reading<'s>,
    decoded: Decoded,
}

/// Decodes the bytes in chunks of `chunk_bytes`; an error by its words.
pub(crate) fn decode(
    format: &dyn Format,
    bytes: &[u8],
    chunk_bytes: usize,
    reading: Reading<'_>,
) -> std::result::Result<Decoded, String> {
    let mut collector = Collector { reading, decoded: Decoded::default() };
    let mut input = Memory::new(bytes, chunk_bytes);
    let piece = Piece::whole(bytes.len() as u64);
    format.decode(&piece, &mut input, &mut collector).map_err(|error| words_of(&error))?;
    let decoded = collector.decoded;
    assert_eq!(decoded.read, decoded.loaded + decoded.rejects.len() as u64, "rows are lost");
    Ok(decoded)
}

/// What an error says, but for the place near which a packed stream broke: a
/// decompressor sees as much of it as it was given.
fn words_of(error: &Error) -> String {
    let words = error.chain();
    match words.split_once(" near byte ") {
        Some((before, after)) => {
            format!("{before}{}", after.trim_start_matches(|it: char| it.is_ascii_digit()))
        }
        None => words,
    }
}

impl Receiver for Collector<'_> {
    fn columns(&mut self, columns: &FileColumns) -> Result<Wishes> {
        assert!(columns.names.starts_with(&self.decoded.columns), "the columns changed");
        self.decoded.columns.clone_from(&columns.names);
        let target = |column: usize| match &self.reading {
            Reading::Text => Target::new(ColumnType::Text, true),
            Reading::Typed(sample) => {
                let evidence = sample.evidence.get(column).copied().unwrap_or_default();
                let column_type = evidence.column_type(DecimalSupport::Unbounded, Decimals::Exact);
                Target::new(column_type, true)
            }
        };
        let targets = (0..columns.names.len()).map(|column| Some(target(column))).collect();
        Ok(Wishes { targets, places: PlacesWanted::Raw })
    }

    fn batch(&mut self, decoded: DecodedBatch) -> Result<()> {
        let rows = decoded.batch.num_rows();
        assert_eq!(decoded.rows_read, (rows + decoded.rejects.len()) as u64, "rows are lost");
        assert_eq!(decoded.places.ordinals.len(), rows, "a row without its place");
        for repair in &decoded.repairs {
            assert!(repair.row < rows, "a repair of a row that is not there");
        }
        for row in 0..rows {
            assert!(decoded.places.raw.get(row).is_some(), "a row without its raw text");
        }
        self.decoded.read += decoded.rows_read;
        self.decoded.loaded += rows as u64;
        self.decoded.rejects.extend(decoded.rejects);
        self.decoded.places.extend(&decoded.places.ordinals);
        if matches!(self.reading, Reading::Text) {
            let values: Vec<_> =
                decoded.batch.columns().iter().map(|column| column.as_string::<i32>()).collect();
            self.decoded.rows.extend((0..rows).map(|row| {
                let value = |array: &&arrow_array::StringArray| {
                    array.is_valid(row).then(|| array.value(row).to_owned())
                };
                values.iter().map(value).collect()
            }));
        }
        Ok(())
    }

    fn note(&mut self, note: String) {
        self.decoded.notes.push(note);
    }
}

impl Decoded {
    /// Whether the good rows stand in the file's order.
    pub(crate) fn is_in_order(&self) -> bool {
        self.places.is_sorted_by(|one, next| one < next)
    }

    /// Whether reading it in its types has the same rows and rejects as
    /// `as_text`. A total is one of its rows only where the first column is
    /// one of text.
    pub(crate) fn is_like(&self, as_text: &Self) -> bool {
        let is_footer = |note: &String| note.contains("a footer and left out");
        let left_out = as_text.read.checked_sub(self.read);
        let may_leave_out = self.notes.iter().any(is_footer);
        self.rejects.len() == as_text.rejects.len()
            && left_out.is_some_and(|rows| rows == 0 || may_leave_out)
    }
}
