//! Text formats: any bytes decode to rows and rejects or to an error, the
//! same whatever the chunks that they come in.

use decant_core::format::{Format, SampleLimits};
use decant_core::stream::{Flatten, FormatOptions, Header, Mark};
use decant_formats::for_file;

use crate::decoded::{Decoded, Reading, decode};
use crate::input::Memory;

/// Longest row, so that limits are met too.
const RECORD_BYTES_MAX: usize = 200;

/// Delimited text, with options that the first two bytes choose.
pub(crate) fn csv(bytes: &[u8]) {
    let Some(([choice, chunk], file)) = bytes.split_first_chunk::<2>() else { return };
    let options = FormatOptions {
        name: Some("csv".into()),
        lenient: choice & 1 != 0,
        delimiter: (choice & 2 != 0).then(|| ",".to_owned()),
        quote: (choice & 4 != 0).then_some(Mark::Byte(b'"')),
        escape: (choice & 8 != 0).then_some(Mark::Byte(b'\\')),
        comment: (choice & 16 != 0).then_some(Mark::Byte(b'#')),
        header: (choice & 32 != 0).then_some(Header::Rows(1)),
        encoding: (choice & 64 != 0).then(|| "utf-8".to_owned()),
        record_bytes_max: (choice & 128 != 0).then_some(RECORD_BYTES_MAX),
        ..FormatOptions::default()
    };
    whatever_the_chunks(&options, file, usize::from(*chunk));
}

/// Everything is found out.
pub(crate) fn detection(bytes: &[u8]) {
    let Some(([chunk], file)) = bytes.split_first_chunk::<1>() else { return };
    let options = FormatOptions { name: Some("csv".into()), ..FormatOptions::default() };
    whatever_the_chunks(&options, file, usize::from(*chunk));
}

/// JSON in any of its shapes.
pub(crate) fn json(bytes: &[u8]) {
    let Some(([choice, chunk], file)) = bytes.split_first_chunk::<2>() else { return };
    let names = ["json", "jsonl", "json-split", "json-index", "json-columns", "json-values"];
    let options = FormatOptions {
        name: Some(names[usize::from(*choice) % names.len()].into()),
        record_bytes_max: (choice & 128 != 0).then_some(RECORD_BYTES_MAX),
        ..FormatOptions::default()
    };
    whatever_the_chunks(&options, file, usize::from(*chunk));
}

/// XML, with the row element named or found out.
pub(crate) fn xml(bytes: &[u8]) {
    let Some(([choice, chunk], file)) = bytes.split_first_chunk::<2>() else { return };
    let options = FormatOptions {
        name: Some("xml".into()),
        row_element: (choice & 1 != 0).then(|| "r".to_owned()),
        flatten: (choice & 2 != 0).then(|| Flatten { depth: 1, separator: "_".into() }),
        null_values: (choice & 4 != 0).then(|| vec!["NA".into()]),
        record_bytes_max: (choice & 128 != 0).then_some(RECORD_BYTES_MAX),
        ..FormatOptions::default()
    };
    whatever_the_chunks(&options, file, usize::from(*chunk));
}

fn whatever_the_chunks(options: &FormatOptions, file: &[u8], chunk_bytes: usize) {
    let format = for_file("file", options).expect("the options are sound");
    let whole = decode(format.as_ref(), file, usize::MAX, Reading::Text);
    let pieces = decode(format.as_ref(), file, chunk_bytes, Reading::Text);
    assert_eq!(whole, pieces, "the chunks made a difference");
    if let Ok(decoded) = &whole {
        assert!(decoded.is_in_order(), "rows are out of order");
    }
    typed(format.as_ref(), file, whole.as_ref().ok());
}

/// The whole file as sample: every value fits the types that it shows.
fn typed(format: &dyn Format, file: &[u8], as_text: Option<&Decoded>) {
    let limits = SampleLimits { bytes: usize::MAX, rows: usize::MAX };
    let Ok(sample) = format.sample(&mut Memory::new(file, usize::MAX), limits) else {
        return assert!(as_text.is_none(), "what cannot be sampled was decoded");
    };
    let typed = decode(format, file, usize::MAX, Reading::Typed(&sample));
    if let (Ok(typed), Some(as_text)) = (typed, as_text) {
        assert!(typed.is_like(as_text), "a value does not fit its type: {typed:?}, {as_text:?}");
    }
}
