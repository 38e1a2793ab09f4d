//! Damaged files: refused or read, but never more than that.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

fn file() -> Vec<u8> {
    let numbers = Arc::new((0..200).map(Some).collect::<Int64Array>()) as ArrayRef;
    let words = (0..200).map(|n| Some(format!("word {}", n % 7)));
    let words = Arc::new(words.collect::<StringArray>()) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("n", numbers), ("word", words)]).unwrap();
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    write(&batch, properties)
}

/// What may happen to a damaged file: it is read, it is refused, or the
/// parquet crate panics, which the engine turns into the file's error.
fn survives(bytes: &[u8]) {
    let _ = catch_unwind(AssertUnwindSafe(|| load(bytes).map(|loaded| loaded.rows_read)));
}

#[test]
fn a_file_that_is_cut_off_is_refused() {
    let bytes = file();
    for cut in (1..bytes.len()).step_by(7) {
        assert!(load(&bytes[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn a_byte_that_is_not_right_takes_nothing_down() {
    let bytes = file();
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            survives(&damaged);
        }
    }
}
