//! Deleting rows of tables that others refer to.

use decant_core::destination::{LoadFile, LoadMode, LoadPlan};
use decant_core::error::ErrorKind;
use decant_core::schema::ColumnType;
use decant_testkit::batches::{file, load_file, plan, totals, version};
use decant_testkit::conformance::destination::Fixture as _;

use super::{Sqlite, begin, failure, load_row, state, write};

const ORDERS: &str = "CREATE TABLE orders (id INTEGER PRIMARY KEY, _file_id BIGINT);";
const CELLS: &[(&str, ColumnType, Option<&str>)] = &[("id", ColumnType::Int64, Some("1"))];

/// Replaces the one row of `orders` by itself.
async fn replace(database: &Sqlite) -> decant_core::Result<()> {
    let destination = database.destination().await;
    let table = state(destination.as_ref(), "orders").await;
    let new = load_file(&table.name, file("new.csv"));
    let plan = LoadPlan { mode: LoadMode::Replace, ..plan(&table, vec![new.clone()]) };
    let mut load = begin(destination.as_ref(), plan).await?;
    let part = write(load.as_mut(), &table, &new, CELLS).await?;
    load.commit(vec![part], vec![totals(new.id, 1)]).await.map(|_| ())
}

#[tokio::test]
async fn a_delete_that_would_change_another_table_is_refused() {
    for action in ["CASCADE", "SET NULL", "SET DEFAULT"] {
        let database = Sqlite::new();
        database
            .client()
            .execute_batch(&format!(
                "{ORDERS} INSERT INTO orders (id) VALUES (1);
                 CREATE TABLE lines (order_id INTEGER REFERENCES Orders (id) ON DELETE {action});"
            ))
            .unwrap();
        let filled = "INSERT INTO lines VALUES (1)";
        database.client().execute_batch(filled).unwrap();
        let error = failure(replace(&database).await);
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("`lines`") && error.message().contains(action), "{error}");
        database.client().execute_batch("DELETE FROM lines").unwrap();
        replace(&database).await.unwrap();
    }
}

#[tokio::test]
async fn a_row_that_is_referred_to_may_go_and_come_back_in_one_load() {
    let database = Sqlite::new();
    database
        .client()
        .execute_batch(&format!(
            "{ORDERS} INSERT INTO orders (id) VALUES (1);
             CREATE TABLE lines (order_id INTEGER REFERENCES orders (id));
             INSERT INTO lines VALUES (1);"
        ))
        .unwrap();
    replace(&database).await.unwrap();
    assert_eq!(database.query("SELECT * FROM lines").len(), 1);
}

#[tokio::test]
async fn a_row_that_is_missed_at_the_commit_fails_the_load() {
    let database = Sqlite::new();
    database
        .client()
        .execute_batch(&format!(
            "{ORDERS} INSERT INTO orders (id) VALUES (2);
             CREATE TABLE lines (order_id INTEGER REFERENCES orders (id));
             INSERT INTO lines VALUES (2);"
        ))
        .unwrap();
    let error = failure(replace(&database).await);
    assert_eq!(error.kind(), ErrorKind::RejectedRows, "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("`orders` that are gone")), "{error:?}");
    assert_eq!(database.value("SELECT id FROM orders").as_deref(), Some("2"));
    assert_eq!(database.ledger_rows().await, []);
}

#[tokio::test]
async fn nothing_is_displaced_where_rows_have_no_file() {
    let database = Sqlite::new();
    database.client().execute_batch("CREATE TABLE plain (id INTEGER)").unwrap();
    let destination = database.destination().await;
    let table = state(destination.as_ref(), "plain").await;
    load_row(destination.as_ref(), &table, "a.csv", CELLS).await.unwrap();
    let old = load_file(&table.name, file("a.csv"));
    let new =
        LoadFile { displaces: vec![old.id], ..load_file(&table.name, version("a.csv", "other")) };
    let error = failure(begin(destination.as_ref(), plan(&table, vec![new])).await);
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("_file_id") && error.hint().is_some());
}

#[tokio::test]
async fn a_replace_whose_rows_are_kept_by_a_trigger_changes_nothing() {
    let database = Sqlite::new();
    database
        .client()
        .execute_batch(&format!(
            "{ORDERS} INSERT INTO orders VALUES (7, 0), (8, 0);
             CREATE TRIGGER keep BEFORE DELETE ON orders WHEN old.id = 8
             BEGIN SELECT RAISE(IGNORE); END;"
        ))
        .unwrap();
    let error = failure(replace(&database).await);
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.message().contains("keeps rows"), "{error}");
    assert_eq!(database.query("SELECT id FROM orders").len(), 2);
}
