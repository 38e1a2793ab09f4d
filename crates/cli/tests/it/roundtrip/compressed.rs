//! Bytes, compressed in every way that decant reads.

use std::io::Write as _;

use super::random::Random;

/// The bytes and the ending that says how they are compressed; now and then
/// an ending that does not say it, where the bytes do.
pub(super) fn compress(random: &mut Random, bytes: &[u8]) -> (Vec<u8>, &'static str) {
    let (compressed, ending) = match random.below(8) {
        0 => (gzip(bytes), ".gz"),
        1 => (zstd::encode_all(bytes, 3).expect("zstd"), ".zst"),
        2 => (bzip2(bytes), ".bz2"),
        3 => (xz(bytes), ".xz"),
        4 => (lz4(bytes), ".lz4"),
        5 => (snappy(bytes), ".sz"),
        6 => return (brotli(bytes), ".br"),
        _ => (bytes.to_vec(), ""),
    };
    (compressed, if random.once_in(4) { "" } else { ending })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("gzip");
    encoder.finish().expect("gzip")
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).expect("bzip2");
    encoder.finish().expect("bzip2")
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(bytes).expect("xz");
    encoder.finish().expect("xz")
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).expect("lz4");
    encoder.finish().expect("lz4")
}

fn snappy(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = snap::write::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).expect("snappy");
    encoder.into_inner().expect("snappy")
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    let mut encoder = brotli::CompressorWriter::new(&mut compressed, 4096, 5, 20);
    encoder.write_all(bytes).expect("brotli");
    drop(encoder);
    compressed
}
