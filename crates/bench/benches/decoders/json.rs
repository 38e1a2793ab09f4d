//! JSON lines: typed columns as of TPC-H's lineitem, beside arrow-json.

use arrow_json::ReaderBuilder;
use bytes::Bytes;
use criterion::{Criterion, Throughput};
use decant_bench::lineitem;

use crate::decoding::{decode, lineitem_schema, lineitem_types};

const ROWS: u64 = 40_000;
const BATCH_ROWS: usize = 4096;

pub(crate) fn speed(criterion: &mut Criterion) {
    let file = Bytes::from(lineitem::json_lines(ROWS));
    let types = lineitem_types();
    let mut group = criterion.benchmark_group("json");
    group.sample_size(20).throughput(Throughput::Bytes(file.len() as u64));
    group.bench_function("lineitem", |bencher| {
        bencher.iter(|| assert_eq!(decode("lineitem.jsonl", &file, &types), (ROWS, 0)));
    });
    let changing = Bytes::from(lineitem::json_lines_in_changing_order(ROWS));
    group.bench_function("lineitem in changing order", |bencher| {
        bencher.iter(|| assert_eq!(decode("lineitem.jsonl", &changing, &types), (ROWS, 0)));
    });
    group.bench_function("lineitem by arrow-json", |bencher| {
        bencher.iter(|| assert_eq!(by_arrow_json(&file), ROWS));
    });
    group.finish();
}

/// Decodes `file` as Arrow's own reader does, with decimals of two digits
/// behind the point; answers rows.
fn by_arrow_json(file: &[u8]) -> u64 {
    let reader = ReaderBuilder::new(lineitem_schema()).with_batch_size(BATCH_ROWS).build(file);
    let batches = reader.expect("a reader");
    batches.map(|batch| batch.expect("good rows").num_rows() as u64).sum()
}
