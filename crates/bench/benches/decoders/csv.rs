//! CSV: typed columns as of TPC-H's lineitem, and text in quotes with several
//! lines.

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use decant_bench::{lineitem, quoted};
use decant_core::schema::ColumnType;

use crate::decoding::{decode, lineitem_types};

const ROWS: u64 = 100_000;
const REVIEWS: u64 = 30_000;

pub(crate) fn speed(criterion: &mut Criterion) {
    let file = Bytes::from(lineitem::csv(ROWS));
    let types = lineitem_types();
    let mut group = criterion.benchmark_group("csv");
    group.sample_size(20).throughput(Throughput::Bytes(file.len() as u64));
    group.bench_function("lineitem", |bencher| {
        bencher.iter(|| assert_eq!(decode("lineitem.csv", &file, &types), (ROWS, 0)));
    });
    let file = Bytes::from(quoted::csv(REVIEWS));
    let mut types = vec![ColumnType::Int64];
    types.extend([ColumnType::Text; 3]);
    types.push(ColumnType::Int64);
    group.throughput(Throughput::Bytes(file.len() as u64));
    group.bench_function("quoted", |bencher| {
        bencher.iter(|| assert_eq!(decode("quoted.csv", &file, &types), (REVIEWS, 0)));
    });
    group.finish();
}
