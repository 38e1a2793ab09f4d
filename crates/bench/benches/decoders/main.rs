//! How fast the decoders alone are: a file in memory to Arrow batches, with
//! every check on and rejects placed. One core, no network, no table.
#![allow(clippy::expect_used, reason = "a benchmark that cannot run has nothing to say")]

mod csv;
mod decoding;
mod json;
mod parquet;

use criterion::{criterion_group, criterion_main};

criterion_group!(benches, csv::speed, json::speed, parquet::speed);
criterion_main!(benches);
