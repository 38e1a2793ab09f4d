//! Avro containers of every codec: whole, cut off, and damaged.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow_avro::compression::CompressionCodec;
use arrow_avro::writer::WriterBuilder;
use arrow_avro::writer::format::AvroOcfFormat;

use super::*;
use crate::testing::{Chunks, Collected, Ranges};

fn batch() -> RecordBatch {
    RecordBatch::try_from_iter([
        ("n", Arc::new(Int64Array::from(vec![Some(1), None, Some(i64::MIN)])) as ArrayRef),
        ("text", Arc::new(StringArray::from(vec!["x", "", "ü\n"]))),
        ("yes", Arc::new(BooleanArray::from(vec![true, false, true]))),
    ])
    .unwrap()
}

fn container(codec: Option<CompressionCodec>) -> Vec<u8> {
    let batch = batch();
    let builder = WriterBuilder::new(batch.schema().as_ref().clone()).with_compression(codec);
    let mut writer = builder.build::<_, AvroOcfFormat>(Vec::new()).unwrap();
    writer.write(&batch).unwrap();
    writer.write(&batch.slice(2, 1)).unwrap();
    writer.finish().unwrap();
    writer.into_inner()
}

fn load(bytes: &[u8], chunk_bytes: usize) -> Result<Collected> {
    let format = AvroFormat::new(&FormatOptions::default());
    let mut collected = Collected::default();
    collected.know(&format.sample(&mut Ranges::new(bytes), SampleLimits::default())?);
    let mut input = Chunks::new(bytes, chunk_bytes);
    format.decode(&Piece::whole(0), &mut input, &mut collected).map(|()| collected)
}

#[test]
fn every_codec_gives_the_same_rows() {
    use CompressionCodec::*;
    for codec in [None, Some(Deflate), Some(Snappy), Some(ZStandard), Some(Bzip2), Some(Xz)] {
        for chunk_bytes in [5, 1 << 20] {
            let loaded = load(&container(codec), chunk_bytes).unwrap();
            assert_eq!(
                loaded.rows,
                [
                    r#"{"n":1,"text":"x","yes":true}"#,
                    r#"{"n":null,"text":"","yes":false}"#,
                    r#"{"n":-9223372036854775808,"text":"ü\n","yes":true}"#,
                    r#"{"n":-9223372036854775808,"text":"ü\n","yes":true}"#,
                ],
                "{codec:?}"
            );
            assert_eq!(loaded.types(), "n int64, text text, yes bool");
        }
    }
}

#[test]
fn a_container_that_is_cut_inside_a_block_is_refused() {
    let bytes = container(Some(CompressionCodec::Deflate));
    let whole = |cut: usize| load(&bytes[..cut], 1 << 20);
    let refused = (1..bytes.len()).filter(|cut| whole(*cut).is_err()).count();
    // A cut between two blocks leaves a container that is whole, and shorter.
    assert_eq!(refused, bytes.len() - 1 - 2);
}

#[test]
fn damaged_bytes_never_panic() {
    let bytes = container(Some(CompressionCodec::Snappy));
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            let _ = load(&damaged, 1 << 20);
        }
    }
}
