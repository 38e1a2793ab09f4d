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
use crate::json::tests::{Decoded, collect, in_all_sizes, refused_in_all_sizes};

fn format(options: &FormatOptions, block_bytes: usize) -> XmlFormat {
    XmlFormat { block_bytes, ..XmlFormat::new(options).unwrap() }
}

fn text(_: &str) -> Option<Target> {
    Some(Target::new(ColumnType::Text, true))
}

/// Decodes every column as text, in blocks and chunks of all sizes.
fn decode(file: impl AsRef<[u8]>, options: &FormatOptions) -> Decoded {
    let file = file.as_ref();
    in_all_sizes(|sizes| collect(file, &format(options, sizes.0), &text, sizes.1).unwrap())
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
    let file = file.as_ref();
    refused_in_all_sizes(|sizes| {
        collect(file, &format(options, sizes.0), &text, sizes.1).unwrap_err()
    })
}

fn plain() -> FormatOptions {
    FormatOptions::default()
}

fn rows_of(element: &str) -> FormatOptions {
    FormatOptions { row_element: Some(element.to_owned()), ..plain() }
}
