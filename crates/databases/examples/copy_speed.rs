//! How fast rows go into Postgres: two million rows of ten columns through
//! one writer, on a server of its own.
//!
//! `cargo run --example copy_speed -p decant-databases`
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement that cannot be made ends the program"
)]

use std::sync::Arc;
use std::time::Instant;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use decant_core::destination::{Begun, Outcome, TableChange};
use decant_core::schema::{ColumnType, TableName};
use decant_databases::DatabaseOptions;
use decant_testkit::batches;
use decant_testkit::postgres::PostgresServer;

const ROWS: usize = 2_000_000;
const BATCH_ROWS: usize = 8_192;
const COLUMNS: [(&str, ColumnType); 10] = [
    ("id", ColumnType::Int64),
    ("count", ColumnType::Int32),
    ("amount", ColumnType::Decimal(None)),
    ("ratio", ColumnType::Float64),
    ("active", ColumnType::Bool),
    ("day", ColumnType::Date),
    ("at", ColumnType::TimestampTz),
    ("name", ColumnType::Text),
    ("note", ColumnType::Text),
    ("_file_id", ColumnType::Int64),
];

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let server = PostgresServer::start_new();
    let database = server.database();
    let destination =
        decant_databases::open(&database.url, &DatabaseOptions::default()).await.unwrap();
    let table = TableName::parse("public.t");
    let change = TableChange::Create { table: table.clone(), columns: batches::columns(&COLUMNS) };
    destination.apply(&change, false).await.unwrap();
    let state = destination.describe(&table).await.unwrap();
    let file = batches::load_file(&table, batches::file("a.csv"));
    let batch = batch(file.id.0);

    let (began, cpu) = (Instant::now(), cpu_seconds());
    let begun = destination.begin(batches::plan(&state, vec![file.clone()])).await.unwrap();
    let Begun::Ready { mut load, .. } = begun else { panic!("the table did not change") };
    let mut writer = load.writer().await.unwrap();
    let columns: Vec<usize> = (0..COLUMNS.len()).collect();
    writer.start_file(file.id, &columns).await.unwrap();
    let mut left = ROWS;
    while left > 0 {
        let rows = left.min(BATCH_ROWS);
        writer.write(batch.slice(0, rows)).await.unwrap();
        left -= rows;
    }
    let part = writer.finish().await.unwrap();
    let totals = vec![batches::totals(file.id, ROWS as u64)];
    let outcomes = load.commit(vec![part], totals).await.unwrap();
    assert!(matches!(outcomes[..], [Outcome::Committed]), "{outcomes:?}");
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    println!(
        "{ROWS} rows in {seconds:.2} s: {:.0} rows/s; client CPU {cpu:.2} s ({:.0} ns a row)",
        ROWS as f64 / seconds,
        cpu * 1e9 / ROWS as f64
    );
}

fn batch(file: i64) -> RecordBatch {
    let numbers = 0..BATCH_ROWS as i64;
    let text = |number: i64| format!("customer number {number}");
    let amounts =
        Decimal128Array::from_iter_values(numbers.clone().map(|n| i128::from(n * 12_345)));
    let moments = numbers.clone().map(|n| 1_700_000_000_000_000 + n * 1_000_003);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(numbers.clone())),
        Arc::new(Int32Array::from_iter_values(0..BATCH_ROWS as i32)),
        Arc::new(amounts.with_precision_and_scale(38, 2).unwrap()),
        Arc::new(Float64Array::from_iter_values(numbers.clone().map(|n| n as f64 / 7.0))),
        Arc::new(BooleanArray::from_iter(numbers.clone().map(|n| Some(n % 3 == 0)))),
        Arc::new(Date32Array::from_iter_values(0..BATCH_ROWS as i32)),
        Arc::new(TimestampMicrosecondArray::from_iter_values(moments).with_timezone("UTC")),
        Arc::new(StringArray::from_iter_values(numbers.clone().map(text))),
        Arc::new(StringArray::from_iter(numbers.map(|n| (n % 4 > 0).then(|| text(n * 7))))),
        Arc::new(Int64Array::from_value(file, BATCH_ROWS)),
    ];
    let names = COLUMNS.iter().map(|(name, _)| *name);
    batches::batch_of(names.zip(columns).collect(), BATCH_ROWS)
}

/// User and system time of this process, its children aside.
fn cpu_seconds() -> f64 {
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / TICKS_A_SECOND
}
