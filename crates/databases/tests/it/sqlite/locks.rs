//! Other connections, other processes, crashes.

use std::time::Duration;

use decant_core::destination::{Load, LoadFile, Part, TableState};
use decant_core::error::ErrorKind;
use decant_core::file::FileVersion;
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
    let cells = [("v", ColumnType::Text, Some("ours"))];
    load_row(destination.as_ref(), &table, "first.csv", &cells).await.unwrap();
    let file = load_file(&table.name, file("a.csv"));
    let mut load = begin(destination.as_ref(), plan(&table, vec![file.clone()])).await.unwrap();
    write_more_than_the_cache_holds(load.as_mut(), &table, &file).await;
    assert_eq!(destination.ledger().loaded("t").await.unwrap().len(), 1);
    assert_eq!(state(destination.as_ref(), "t").await, table);
    assert_eq!(database.query("SELECT v FROM t").len(), 1);
    assert_eq!(database.value("PRAGMA journal_mode").as_deref(), Some("wal"));
}

#[tokio::test]
async fn the_first_rows_of_a_new_database_go_without_a_log_and_its_readers_wait() {
    let database = Sqlite::new();
    let destination = database.destination().await;
    let table = create(destination.as_ref(), "t", COLUMNS).await;
    assert_eq!(destination.ledger().loaded("t").await.unwrap(), []);
    let file = large_file(&table);
    let mut load = begin(destination.as_ref(), plan(&table, vec![file.clone()])).await.unwrap();
    assert_eq!(destination.ledger().loaded("t").await.unwrap(), [], "nothing is locked yet");
    let parts = write_more_than_the_cache_holds(load.as_mut(), &table, &file).await;
    assert!(!database.folder.path().join("orders.db-wal").exists());
    let ledger = destination.ledger();
    let mut loaded = std::pin::pin!(ledger.loaded("t"));
    assert!(tokio::time::timeout(SHORT, &mut loaded).await.is_err(), "the reader waits");
    load.commit(parts, vec![totals(file.id, LARGE_ROWS)]).await.unwrap();
    assert_eq!(loaded.await.unwrap(), [file.id]);
    assert_eq!(database.value("PRAGMA journal_mode").as_deref(), Some("wal"));
    assert!(!database.folder.path().join("orders.db-journal").exists());
}

#[tokio::test]
async fn a_load_keeps_the_log_unless_it_is_large_and_the_first_and_nobody_looks() {
    for (case, size) in [("small", 1), ("seen", LARGE), ("written", LARGE), ("second", LARGE)] {
        let database = Sqlite::new();
        let destination = database.destination().await;
        let table = create(destination.as_ref(), "t", COLUMNS).await;
        let cells = [("v", ColumnType::Text, Some("theirs"))];
        let reader = (case == "seen").then(|| database.client());
        if let Some(reader) = &reader {
            reader.query_row("SELECT count(*) FROM t", [], |_| Ok(())).unwrap();
        }
        match case {
            "written" => database.client().execute_batch("INSERT INTO t VALUES ('', 1)").unwrap(),
            "second" => {
                load_row(destination.as_ref(), &table, "first.csv", &cells).await.unwrap();
            }
            _ => {}
        }
        let file = load_file(&table.name, FileVersion { size, ..file("a.csv") });
        let mut load = begin(destination.as_ref(), plan(&table, vec![file.clone()])).await.unwrap();
        write_more_than_the_cache_holds(load.as_mut(), &table, &file).await;
        let loaded = destination.ledger().loaded("t").await.unwrap().len();
        assert_eq!(loaded, usize::from(case == "second"), "{case}");
        assert_eq!(database.value("PRAGMA journal_mode").as_deref(), Some("wal"), "{case}");
    }
}

#[tokio::test]
async fn a_first_load_that_is_given_up_leaves_the_log_as_it_was() {
    let database = Sqlite::new();
    let destination = database.destination().await;
    let table = create(destination.as_ref(), "t", COLUMNS).await;
    let file = large_file(&table);
    for _ in 0..2 {
        let plan = plan(&table, vec![file.clone()]);
        let mut load = begin(destination.as_ref(), plan).await.unwrap();
        write_more_than_the_cache_holds(load.as_mut(), &table, &file).await;
        assert!(database.folder.path().join("orders.db-journal").exists());
        load.abort().await.unwrap();
        assert_eq!(database.query("SELECT v FROM t"), []);
        assert_eq!(database.value("PRAGMA journal_mode").as_deref(), Some("wal"));
        assert_eq!(database.value("PRAGMA integrity_check").as_deref(), Some("ok"));
    }
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
    for (loads_before, journal) in [(0, "orders.db-journal"), (1, "orders.db-wal")] {
        crash(loads_before, journal).await;
    }
}

async fn crash(loads_before: usize, journal: &str) {
    let database = Sqlite::new();
    let destination = database.destination().await;
    let table = create(destination.as_ref(), "t", COLUMNS).await;
    let cells = [("v", ColumnType::Text, Some("ours"))];
    for number in 0..loads_before {
        let key = format!("{number}.csv");
        load_row(destination.as_ref(), &table, &key, &cells).await.unwrap();
    }
    let file = large_file(&table);
    let mut load = begin(destination.as_ref(), plan(&table, vec![file.clone()])).await.unwrap();
    write_more_than_the_cache_holds(load.as_mut(), &table, &file).await;
    let after = Sqlite::new();
    for name in ["orders.db", journal] {
        let from = database.folder.path().join(name);
        std::fs::copy(from, after.folder.path().join(name)).unwrap();
    }
    let files = std::fs::read_dir(after.folder.path()).unwrap();
    let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes > 10 << 20, "{bytes} bytes of the load were written beside {journal}");
    let destination = after.destination().await;
    assert_eq!(after.query("SELECT v FROM t").len(), loads_before);
    assert_eq!(after.ledger_rows().await.len(), loads_before);
    load_row(destination.as_ref(), &table, "a.csv", &cells).await.unwrap();
    assert_eq!(after.query("SELECT v FROM t").len(), loads_before + 1);
    assert_eq!(after.value("PRAGMA integrity_check").as_deref(), Some("ok"));
    assert_eq!(after.value("PRAGMA journal_mode").as_deref(), Some("wal"));
}

const LARGE_ROWS: u64 = 100;
const LARGE: u64 = LARGE_ROWS << 20;

/// A file that is as large as what `write_more_than_the_cache_holds` writes.
fn large_file(table: &TableState) -> LoadFile {
    load_file(&table.name, FileVersion { size: LARGE, ..file("a.csv") })
}

/// Rows of a megabyte each, so that SQLite cannot hold all of them back.
async fn write_more_than_the_cache_holds(
    load: &mut dyn Load,
    table: &TableState,
    file: &LoadFile,
) -> Vec<Part> {
    let long = "x".repeat(1 << 20);
    let cells = [("v", ColumnType::Text, Some(long.as_str()))];
    let mut parts = Vec::new();
    for _ in 0..LARGE_ROWS {
        parts.push(write(load, table, file, &cells).await.unwrap());
    }
    parts
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
