//! Other connections, other processes, crashes.

use std::time::Duration;

use decant_core::error::ErrorKind;
use decant_core::schema::ColumnType;
use decant_testkit::batches::{file, load_file, plan, totals};
use decant_testkit::conformance::destination::Fixture as _;

use super::{Sqlite, begin, create, failure, load_row, state, write};

const COLUMNS: &[(&str, ColumnType)] = &[("v", ColumnType::Text)];
const SHORT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_load_waits_for_another_process_and_goes_on() {
    let database = Sqlite::new();
    let destination = database.destination().await;
    let table = create(destination.as_ref(), "t", COLUMNS).await;
    let other = database.client();
    other.execute_batch("BEGIN IMMEDIATE; INSERT INTO t (v) VALUES ('theirs')").unwrap();
    let cells = [("v", ColumnType::Text, Some("ours"))];
    let mut late = std::pin::pin!(load_row(destination.as_ref(), &table, "a.csv", &cells));
    assert!(tokio::time::timeout(SHORT, &mut late).await.is_err(), "the load waits");
    other.execute_batch("COMMIT").unwrap();
    late.await.unwrap();
    assert_eq!(database.query("SELECT v FROM t").len(), 2);
}

#[tokio::test]
async fn a_lock_that_stays_makes_the_database_unavailable() {
    let database = Sqlite::new();
    let destination = database.patient(SHORT).await;
    let table = create(destination.as_ref(), "t", COLUMNS).await;
    let other = database.client();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let cells = [("v", ColumnType::Text, Some("ours"))];
    let error = failure(load_row(destination.as_ref(), &table, "a.csv", &cells).await);
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.is_retryable() && error.hint().is_some());
    other.execute_batch("ROLLBACK").unwrap();
    load_row(destination.as_ref(), &table, "a.csv", &cells).await.unwrap();
}

#[tokio::test]
async fn readers_go_on_while_a_load_writes() {
    let database = Sqlite::new();
    let destination = database.destination().await;
    let table = create(destination.as_ref(), "t", COLUMNS).await;
    let file = load_file(&table.name, file("a.csv"));
    let mut load = begin(destination.as_ref(), plan(&table, vec![file.clone()])).await.unwrap();
    let cells = [("v", ColumnType::Text, Some("ours"))];
    write(load.as_mut(), &table, &file, &cells).await.unwrap();
    assert_eq!(destination.ledger().loaded("t").await.unwrap(), []);
    assert_eq!(state(destination.as_ref(), "t").await, table);
    assert_eq!(database.query("SELECT v FROM t").len(), 0);
    assert_eq!(database.value("PRAGMA journal_mode").as_deref(), Some("wal"));
}

#[tokio::test]
async fn where_write_ahead_logging_is_refused_loads_go_on() {
    let database = Sqlite::new();
    let reader = database.client();
    reader.execute_batch("CREATE TABLE t (v TEXT); BEGIN; SELECT * FROM t").unwrap();
    reader.query_row("SELECT count(*) FROM t", [], |_| Ok(())).unwrap();
    let destination = database.patient(SHORT).await;
    let table = state(destination.as_ref(), "t").await;
    let file = load_file(&table.name, file("a.csv"));
    let mut load = begin(destination.as_ref(), plan(&table, vec![file.clone()])).await.unwrap();
    let cells = [("v", ColumnType::Text, Some("ours"))];
    let part = write(load.as_mut(), &table, &file, &cells).await.unwrap();
    reader.execute_batch("COMMIT").unwrap();
    load.commit(vec![part], vec![totals(file.id, 1)]).await.unwrap();
    assert_eq!(database.value("PRAGMA journal_mode").as_deref(), Some("delete"));
    assert_eq!(database.query("SELECT v FROM t").len(), 1);
}

#[tokio::test]
async fn a_crash_in_a_load_leaves_no_row_and_the_next_load_goes_on() {
    let database = Sqlite::new();
    let destination = database.destination().await;
    let table = create(destination.as_ref(), "t", COLUMNS).await;
    let file = load_file(&table.name, file("a.csv"));
    let mut load = begin(destination.as_ref(), plan(&table, vec![file.clone()])).await.unwrap();
    let long = "x".repeat(1 << 20);
    let cells = [("v", ColumnType::Text, Some(long.as_str()))];
    // More than the page cache holds, so that the log has pages of the load.
    for _ in 0..100 {
        write(load.as_mut(), &table, &file, &cells).await.unwrap();
    }
    let after = Sqlite::new();
    for name in ["orders.db", "orders.db-wal"] {
        let from = database.folder.path().join(name);
        std::fs::copy(from, after.folder.path().join(name)).unwrap();
    }
    let log = std::fs::metadata(after.folder.path().join("orders.db-wal")).unwrap().len();
    assert!(log > 10 << 20, "the log has {log} bytes of the load");
    let destination = after.destination().await;
    assert_eq!(after.query("SELECT v FROM t"), []);
    assert_eq!(after.ledger_rows().await, []);
    load_row(destination.as_ref(), &table, "a.csv", &cells).await.unwrap();
    assert_eq!(after.query("SELECT v FROM t").len(), 1);
    assert_eq!(after.value("PRAGMA integrity_check").as_deref(), Some("ok"));
}

#[tokio::test]
async fn a_database_in_memory_works_within_one_process() {
    let options = decant_databases::DatabaseOptions::default();
    let destination = decant_databases::open("sqlite::memory:", &options).await.unwrap();
    let table = create(destination.as_ref(), "t", COLUMNS).await;
    let cells = [("v", ColumnType::Text, Some("ours"))];
    load_row(destination.as_ref(), &table, "a.csv", &cells).await.unwrap();
    assert_eq!(destination.ledger().loaded("t").await.unwrap().len(), 1);
}
