//! Test data in bulk and in gzip. It goes into the store directly, not over
//! HTTP, so it is neither counted nor subject to faults.

use bytes::Bytes;
use decant_s3_memory::MemoryS3;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

/// `bytes` as one gzip member; concatenated members are a gzip file too.
pub fn gzip(bytes: impl AsRef<[u8]>) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes.as_ref()).expect("memory takes every write");
    Bytes::from(encoder.finish().expect("memory takes every write"))
}

/// Stores `count` files, each with the key and bytes that `file` gives for its
/// number from 0 on.
pub fn put_files<B: Into<Bytes>>(
    s3: &MemoryS3,
    bucket: &str,
    count: usize,
    file: impl Fn(usize) -> (String, B),
) {
    for (key, bytes) in (0..count).map(file) {
        s3.put(bucket, &key, bytes);
    }
}
