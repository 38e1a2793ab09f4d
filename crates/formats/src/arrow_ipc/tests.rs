//! Files and streams of Arrow: whole, cut off, and damaged.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BinaryArray, DictionaryArray, Int64Array, ListArray, StringArray,
    TimestampNanosecondArray, UInt64Array, UnionArray,
};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};

use arrow_schema::{Field, UnionFields};
use decant_core::format::Target;
use decant_core::schema::ColumnType;

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
    format.decode(&Piece::whole(0), &mut input, &mut collected).map(|()| collected)
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

/// Unions of numbers, text, bytes and lists, dense and sparse, the fourth and
/// fifth value NULL.
fn unions() -> Vec<u8> {
    let numbers = Int64Array::from(vec![Some(7), None, None, None, None, None]);
    let texts = StringArray::from(vec![None, Some(" x\""), None, None, None, Some("[1]")]);
    let bytes = BinaryArray::from_opt_vec(vec![None, None, Some(&b"ab"[..]), None, None, None]);
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![None::<Vec<_>>; 6]);
    let children: Vec<ArrayRef> =
        vec![Arc::new(numbers), Arc::new(texts), Arc::new(bytes), Arc::new(lists)];
    let fields = || {
        let fields = children.iter().enumerate();
        UnionFields::from_fields(
            fields
                .map(|(nth, child)| Field::new(format!("c{nth}"), child.data_type().clone(), true)),
        )
    };
    let ids = || vec![0_i8, 1, 2, 3, 0, 1].into();
    let sparse = UnionArray::try_new(fields(), ids(), None, children.clone()).unwrap();
    let offsets = Some((0..6).collect::<Vec<i32>>().into());
    let dense = UnionArray::try_new(fields(), ids(), offsets, children.clone()).unwrap();
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("sparse", Arc::new(sparse) as ArrayRef, true),
        ("dense", Arc::new(dense), true),
    ])
    .unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn a_value_of_a_union_is_in_a_column_of_text_what_it_is_alone() {
    let bytes = unions();
    let own = load(&bytes, 1 << 20).unwrap();
    assert_eq!(own.types(), "sparse json, dense json");
    let given = |column_type, exact, trim| {
        let target = Target { trim, ..Target::new(column_type, exact) };
        let mut collected =
            Collected { targets: Some(vec![Some(target); 2]), ..Collected::default() };
        let format = ArrowIpcFormat::new(&FormatOptions::default());
        let mut input = Chunks::new(&bytes, 1 << 20);
        format.decode(&Piece::whole(0), &mut input, &mut collected).unwrap();
        collected
    };
    let row = |value: &str| format!(r#"{{"sparse":{value},"dense":{value}}}"#);
    let json = ["7", r#"" x\"""#, r#""\\x6162""#, "null", "null", r#""[1]""#];
    let as_json = json.map(|value| match value {
        "null" => row(value),
        value => row(&format!("{value:?}")),
    });
    assert_eq!(own.rows, as_json);
    assert_eq!(given(ColumnType::Json, false, false).rows, as_json);
    let texts =
        |third: &str, second: &str| [r#""7""#, second, third, "null", "null", r#""[1]""#].map(row);
    let text = given(ColumnType::Text, true, false);
    assert_eq!(text.rows, texts(r#""\\x6162""#, r#"" x\"""#));
    assert_eq!(given(ColumnType::Text, false, true).rows, texts(r#""ab""#, r#""x\"""#));
    let numbers = given(ColumnType::Int64, true, false);
    assert_eq!(numbers.rows, ["7", "null", "null"].map(row));
    assert_eq!(numbers.rejects[0].detail, "` x\"` is not a number (int64)");
    assert_eq!(numbers.rejects[0].raw, br#"{"sparse":" x\"","dense":" x\""}"#);
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
