//! Documents in, rows out: every file is decoded with blocks and chunks of
//! several sizes, which must make no difference.

mod documents;
mod encodings;
mod properties;
mod refusals;
mod sampling;
mod values;

use decant_core::Error;
use decant_core::format::Target;
use decant_core::schema::ColumnType;
use decant_core::stream::FormatOptions;

use super::XmlFormat;
use crate::json::tests::{Decoded, collect};

/// Sizes of blocks and chunks.
const SIZES: [(usize, usize); 5] = [(1 << 20, 1 << 20), (1, 1), (10, 3), (64, 7), (1 << 20, 5)];

fn format(options: &FormatOptions, block_bytes: usize) -> XmlFormat {
    XmlFormat { block_bytes, ..XmlFormat::new(options).unwrap() }
}

fn text(_: &str) -> Option<Target> {
    Some(Target::new(ColumnType::Text, true))
}

/// Decodes every column as text, in blocks and chunks of all sizes.
fn decode(file: impl AsRef<[u8]>, options: &FormatOptions) -> Decoded {
    let file = file.as_ref();
    let decode =
        |sizes: (usize, usize)| collect(file, &format(options, sizes.0), &text, sizes.1).unwrap();
    let whole = decode(SIZES[0]);
    for sizes in &SIZES[1..] {
        let mut pieces = decode(*sizes);
        let width = pieces.columns.names.len();
        pieces.rows.iter_mut().for_each(|row| row.resize(width, None));
        assert_eq!(pieces.columns, whole.columns, "{sizes:?}");
        assert_eq!(pieces.rows, whole.rows, "{sizes:?}");
        assert_eq!(pieces.rejects, whole.rejects, "{sizes:?}");
        assert_eq!(pieces.places, whole.places, "{sizes:?}");
        assert_eq!(pieces.rows_read, whole.rows_read, "{sizes:?}");
    }
    assert_eq!(whole.rows_read, (whole.rows.len() + whole.rejects.len()) as u64);
    whole
}

/// Asserts names and rows, written with `|` between values and `~` for NULL.
fn check(
    file: impl AsRef<[u8]>,
    options: &FormatOptions,
    names: &str,
    expected: &[&str],
) -> Decoded {
    let decoded = decode(file, options);
    let line = |row: &Vec<Option<String>>| {
        let values: Vec<&str> = row.iter().map(|value| value.as_deref().unwrap_or("~")).collect();
        values.join("|")
    };
    assert_eq!(decoded.columns.names.join("|"), names);
    assert_eq!(decoded.rows.iter().map(line).collect::<Vec<_>>(), expected);
    decoded
}

/// The error of a file, which must be the same in blocks and chunks of all
/// sizes.
fn refusal(file: impl AsRef<[u8]>, options: &FormatOptions) -> Error {
    let error = |sizes: (usize, usize)| {
        collect(file.as_ref(), &format(options, sizes.0), &text, sizes.1).unwrap_err()
    };
    let whole = error(SIZES[0]);
    for sizes in &SIZES[1..] {
        let pieces = error(*sizes);
        assert_eq!((pieces.to_string(), pieces.kind()), (whole.to_string(), whole.kind()));
        assert_eq!(pieces.position(), whole.position(), "{sizes:?}");
    }
    whole
}

fn plain() -> FormatOptions {
    FormatOptions::default()
}

fn rows_of(element: &str) -> FormatOptions {
    FormatOptions { row_element: Some(element.to_owned()), ..plain() }
}
