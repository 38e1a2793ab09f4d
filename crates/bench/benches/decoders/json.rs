//! JSON lines: typed columns as of TPC-H's lineitem.

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use decant_bench::lineitem;

use crate::decoding::{decode, lineitem_types};

const ROWS: u64 = 40_000;

pub(crate) fn speed(criterion: &mut Criterion) {
    let file = Bytes::from(lineitem::json_lines(ROWS));
    let types = lineitem_types();
    let mut group = criterion.benchmark_group("json");
    group.sample_size(20).throughput(Throughput::Bytes(file.len() as u64));
    group.bench_function("lineitem", |bencher| {
        bencher.iter(|| assert_eq!(decode("lineitem.jsonl", &file, &types), (ROWS, 0)));
    });
    group.finish();
}
