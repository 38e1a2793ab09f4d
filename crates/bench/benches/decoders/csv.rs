//! CSV: typed columns as of TPC-H's lineitem, and text in quotes with several
//! lines, beside arrow-csv.

use arrow_csv::ReaderBuilder;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use criterion::{Criterion, Throughput};
use decant_bench::{lineitem, quoted};
use decant_core::schema::ColumnType;

use crate::decoding::{decode, lineitem_schema, lineitem_types, schema};

/// So many that finding out the dialect is no part of the figure.
const ROWS: u64 = 400_000;
const REVIEWS: u64 = 100_000;
const BATCH_ROWS: usize = 8192;

pub(crate) fn speed(criterion: &mut Criterion) {
    let file = Bytes::from(lineitem::csv(ROWS));
    let types = lineitem_types();
    let mut group = criterion.benchmark_group("csv");
    group.sample_size(20).throughput(Throughput::Bytes(file.len() as u64));
    group.bench_function("lineitem", |bencher| {
        bencher.iter(|| assert_eq!(decode("lineitem.csv", &file, &types), (ROWS, 0)));
    });
    group.bench_function("lineitem by arrow-csv", |bencher| {
        bencher.iter(|| assert_eq!(by_arrow_csv(&file, lineitem_schema()), ROWS));
    });
    let file = Bytes::from(quoted::csv(REVIEWS));
    let mut types = vec![ColumnType::Int64];
    types.extend([ColumnType::Text; 3]);
    types.push(ColumnType::Int64);
    group.throughput(Throughput::Bytes(file.len() as u64));
    group.bench_function("quoted", |bencher| {
        bencher.iter(|| assert_eq!(decode("quoted.csv", &file, &types), (REVIEWS, 0)));
    });
    group.bench_function("quoted by arrow-csv", |bencher| {
        let schema = || schema(&quoted::COLUMNS, &types);
        bencher.iter(|| assert_eq!(by_arrow_csv(&file, schema()), REVIEWS));
    });
    group.finish();
}

/// Decodes `file` as Arrow's own reader does; answers rows.
fn by_arrow_csv(file: &[u8], schema: SchemaRef) -> u64 {
    let reader = ReaderBuilder::new(schema).with_header(true).with_batch_size(BATCH_ROWS);
    let batches = reader.build_buffered(file).expect("a reader");
    batches.map(|batch| batch.expect("good rows").num_rows() as u64).sum()
}
