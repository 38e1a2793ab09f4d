//! Files and streams of Arrow: whole, cut off, and damaged.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Int64Array, StringArray, TimestampNanosecondArray, UInt64Array,
};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};

use super::*;
use crate::testing::{Chunks, Collected, Ranges};

fn batch() -> RecordBatch {
    let words: DictionaryArray<Int32Type> = vec![Some("a"), None, Some("b")].into_iter().collect();
    RecordBatch::try_from_iter([
        ("n", Arc::new(Int64Array::from(vec![Some(1), None, Some(3)])) as ArrayRef),
        ("word", Arc::new(words)),
        ("text", Arc::new(StringArray::from(vec!["x", "y\"", "z"]))),
        ("big", Arc::new(UInt64Array::from(vec![u64::MAX, 0, 1]))),
        ("at", Arc::new(TimestampNanosecondArray::from(vec![1_000, 2_000, 3_000]))),
    ])
    .unwrap()
}

fn file(compression: Option<CompressionType>) -> Vec<u8> {
    let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
    let batch = batch();
    let mut writer =
        FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
    writer.write(&batch).unwrap();
    writer.write(&batch.slice(1, 2)).unwrap();
    writer.into_inner().unwrap()
}

fn stream() -> Vec<u8> {
    let batch = batch();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.write(&batch.slice(1, 2)).unwrap();
    writer.into_inner().unwrap()
}

fn load(bytes: &[u8], chunk_bytes: usize) -> Result<Collected> {
    let format = ArrowIpcFormat::new(&FormatOptions::default());
    let mut collected = Collected::default();
    collected.know(&format.sample(&mut Ranges::new(bytes), SampleLimits::default())?);
    let mut input = Chunks::new(bytes, chunk_bytes);
    format.decode(&Piece { bytes: 0..0 }, &mut input, &mut collected).map(|()| collected)
}

const ROWS: [&str; 5] = [
    r#"{"n":1,"word":"a","text":"x","big":18446744073709551615,"at":"1970-01-01T00:00:00.000001"}"#,
    r#"{"n":null,"word":null,"text":"y\"","big":0,"at":"1970-01-01T00:00:00.000002"}"#,
    r#"{"n":3,"word":"b","text":"z","big":1,"at":"1970-01-01T00:00:00.000003"}"#,
    r#"{"n":null,"word":null,"text":"y\"","big":0,"at":"1970-01-01T00:00:00.000002"}"#,
    r#"{"n":3,"word":"b","text":"z","big":1,"at":"1970-01-01T00:00:00.000003"}"#,
];

#[test]
fn streams_and_files_packed_or_not_are_the_same_rows() {
    let files = [
        file(None),
        file(Some(CompressionType::LZ4_FRAME)),
        file(Some(CompressionType::ZSTD)),
        stream(),
    ];
    for bytes in files {
        for chunk_bytes in [7, 1 << 20] {
            let loaded = load(&bytes, chunk_bytes).unwrap();
            assert_eq!(loaded.rows, ROWS);
            assert_eq!(
                loaded.types(),
                "n int64, word text, text text, big decimal(20,0), at timestamp"
            );
        }
    }
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    let bytes = file(None);
    for cut in 1..bytes.len() {
        let error = load(&bytes[..cut], 1 << 20).err().unwrap_or_else(|| panic!("cut at {cut}"));
        assert_eq!(error.kind(), ErrorKind::MalformedFile, "cut at {cut}");
    }
}

#[test]
fn feather_version_1_is_refused_by_name() {
    let error = load(b"FEA1....", 100).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("Feather version 1"));
}

#[test]
fn batches_beyond_the_memory_bound_are_refused_with_a_cure() {
    let options = FormatOptions { memory_bytes: Some(600), ..FormatOptions::default() };
    let format = ArrowIpcFormat::new(&options);
    let error = format.sample(&mut Ranges::new(&stream()), SampleLimits::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.hint().unwrap().contains("memory_bytes"));
}
