//! Parquet: columns as of TPC-H's lineitem, beside the parquet crate alone.

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use decant_bench::lineitem_columns;
use decant_core::schema::{ColumnType, DecimalBounds};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::decoding::{decode, lineitem_types};

const ROWS: u64 = 200_000;
const BATCH_ROWS: usize = 16_384;
const MONEY: ColumnType = ColumnType::Decimal(Some(DecimalBounds { precision: 15, scale: 2 }));

pub(crate) fn speed(criterion: &mut Criterion) {
    let mut file = Vec::new();
    lineitem_columns::write(ROWS, &mut file).expect("a file in memory");
    let file = Bytes::from(file);
    let mut types = lineitem_types();
    types.iter_mut().filter(|it| **it == ColumnType::Decimal(None)).for_each(|it| *it = MONEY);
    let mut group = criterion.benchmark_group("parquet");
    group.sample_size(20).throughput(Throughput::Elements(ROWS));
    group.bench_function("lineitem", |bencher| {
        bencher.iter(|| assert_eq!(decode("lineitem.parquet", &file, &types), (ROWS, 0)));
    });
    group.bench_function("lineitem by the crate", |bencher| {
        bencher.iter(|| assert_eq!(by_the_crate(&file), ROWS));
    });
    group.finish();
}

/// Reads `file` with the parquet crate alone; answers rows.
fn by_the_crate(file: &Bytes) -> u64 {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file.clone()).expect("a good file");
    let reader = builder.with_batch_size(BATCH_ROWS).build().expect("a reader");
    reader.map(|batch| batch.expect("a batch").num_rows() as u64).sum()
}
