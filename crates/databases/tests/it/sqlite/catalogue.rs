//! Opening databases, and finding in them what others made.

use decant_core::destination::TableChange;
use decant_core::error::ErrorKind;
use decant_core::ledger::HistoryFilter;
use decant_core::schema::{ColumnType, TableName};
use decant_databases::{DatabaseOptions, open};
use decant_testkit::batches::{columns, file, load_file};
use decant_testkit::conformance::destination::Fixture as _;

use super::{Sqlite, create, failure, load_row, state};

const COLUMNS: &[(&str, ColumnType)] = &[("v", ColumnType::Text)];
const CELLS: &[(&str, ColumnType, Option<&str>)] = &[("v", ColumnType::Text, Some("x"))];

#[tokio::test]
async fn reading_does_not_create_the_database() {
    let database = Sqlite::new();
    let destination = database.destination().await;
    assert_eq!(state(destination.as_ref(), "t").await.schema, None);
    assert!(destination.ledger().history(&HistoryFilter::default()).await.unwrap().is_empty());
    let table = TableName { schema: None, name: "t".into() };
    let change = TableChange::Create { table, columns: columns(COLUMNS) };
    assert_eq!(destination.apply(&change, true).await.unwrap().len(), 1);
    assert!(!database.path().exists());
}

#[tokio::test]
async fn what_cannot_be_opened_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| format!("sqlite:{}/{name}", folder.path().display());
    std::fs::write(folder.path().join("text.db"), "a,b\n".repeat(1000)).unwrap();
    for (url, kind) in [
        (at("missing/orders.db"), ErrorKind::NotFound),
        (at(""), ErrorKind::InvalidConfig),
        (at("text.db"), ErrorKind::InvalidConfig),
    ] {
        let error = failure(open(&url, &DatabaseOptions::default()).await.map(|_| ()));
        assert_eq!(error.kind(), kind, "{url}: {error}");
        assert!(error.hint().is_some(), "{url}");
    }
}

#[tokio::test]
async fn names_are_found_without_case_and_schemas_are_part_of_them() {
    let database = Sqlite::new();
    database.client().execute_batch("CREATE TABLE Orders (Id INTEGER)").unwrap();
    let destination = database.destination().await;
    for asked in ["orders", "main.ORDERS"] {
        let found = destination.describe(&TableName::parse(asked)).await.unwrap();
        assert_eq!(found.name, TableName { schema: None, name: "Orders".into() });
        assert_eq!(found.schema.unwrap().columns[0].name, "Id");
    }
    let staged = destination.describe(&TableName::parse("staging.orders")).await.unwrap();
    assert_eq!(staged.name, TableName { schema: None, name: "staging.orders".into() });
    assert_eq!(staged.schema, None);
}

#[tokio::test]
async fn views_and_generated_columns_cannot_be_loaded() {
    let database = Sqlite::new();
    database
        .client()
        .execute_batch(
            "CREATE TABLE t (v TEXT, twice TEXT AS (v || v), \
             stored INT GENERATED ALWAYS AS (1) STORED, bare AS (v)); CREATE VIEW seen AS SELECT * FROM t",
        )
        .unwrap();
    let destination = database.destination().await;
    let table = state(destination.as_ref(), "t").await;
    let columns = &table.schema.as_ref().unwrap().columns[1..];
    let declared: Vec<&str> = columns.iter().map(|column| column.declared.as_str()).collect();
    let expected = ["TEXT (generated always)", "INT (generated always)", "(generated always)"];
    assert_eq!(declared, expected);
    assert!(columns.iter().all(|column| column.column_type.is_none()));
    load_row(destination.as_ref(), &table, "a.csv", CELLS).await.unwrap();
    let seen = TableName { schema: None, name: "seen".into() };
    assert_eq!(failure(destination.describe(&seen).await).kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn another_table_of_the_ledgers_name_is_left_alone() {
    let database = Sqlite::new();
    database
        .client()
        .execute_batch("CREATE TABLE processed_files (id INTEGER, path TEXT)")
        .unwrap();
    let destination = database.destination().await;
    let error = failure(destination.ledger().loaded("t").await);
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert!(error.hint().unwrap().contains("--ledger"));
    let other = database.destination_with_ledger("decant_files").await;
    let table = create(other.as_ref(), "t", COLUMNS).await;
    load_row(other.as_ref(), &table, "a.csv", CELLS).await.unwrap();
    assert_eq!(other.ledger().loaded("t").await.unwrap().len(), 1);
    assert!(database.has_table("decant_files_rejects"));
    assert_eq!(database.query("SELECT * FROM processed_files"), []);
}

#[tokio::test]
async fn a_ledger_of_a_newer_decant_is_refused() {
    let database = Sqlite::new();
    let destination = database.destination().await;
    let table = create(destination.as_ref(), "t", COLUMNS).await;
    assert_eq!(
        database.value("SELECT value FROM decant_meta WHERE name = 'schema_version'").as_deref(),
        Some("1")
    );
    let newer = "UPDATE decant_meta SET value = '2' WHERE name = 'schema_version'";
    database.client().execute_batch(newer).unwrap();
    for error in [
        failure(destination.ledger().loaded("t").await),
        failure(load_row(destination.as_ref(), &table, "a.csv", CELLS).await),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("version 2") && error.message().contains("to 1"));
    }
}

#[tokio::test]
async fn the_epoch_is_new_whenever_the_ledger_is_created() {
    let epoch = "SELECT value FROM decant_meta WHERE name = 'epoch:processed_files'";
    let database = Sqlite::new();
    let destination = database.destination().await;
    let table = create(destination.as_ref(), "t", COLUMNS).await;
    let first = database.value(epoch).unwrap();
    let id = load_file(&table.name, file("a.csv")).id.to_string();
    let cells = [CELLS[0], ("_file_id", ColumnType::Int64, Some(id.as_str()))];
    load_row(destination.as_ref(), &table, "a.csv", &cells).await.unwrap();
    assert_eq!(database.value(epoch).unwrap(), first);
    database.client().execute_batch("DROP TABLE processed_files").unwrap();
    load_row(destination.as_ref(), &table, "a.csv", &cells).await.unwrap();
    assert_ne!(database.value(epoch).unwrap(), first);
    assert_eq!(database.query("SELECT * FROM t").len(), 1, "the old rows were deleted first");
}

#[tokio::test]
async fn nothing_is_loaded_into_the_tables_of_the_ledger() {
    let database = Sqlite::new();
    let default = database.destination().await;
    let other = database.destination_with_ledger("Seen").await;
    for (destination, asked) in [
        (&default, "decant_meta"),
        (&default, "main.PROCESSED_FILES"),
        (&default, "rejected_rows"),
        (&default, "processed_chunks"),
        (&other, "seen"),
        (&other, "seen_rejects"),
    ] {
        let error = failure(destination.describe(&TableName::parse(asked)).await);
        assert_eq!(error.kind(), ErrorKind::InvalidConfig, "{asked}: {error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("--ledger")), "{error:?}");
    }
    assert_eq!(state(default.as_ref(), "seen").await.schema, None);
}

#[tokio::test]
async fn any_in_a_strict_table_keeps_text_as_it_is() {
    let database = Sqlite::new();
    let tables = "CREATE TABLE exact (v ANY) STRICT; CREATE TABLE loose (v ANY)";
    database.client().execute_batch(tables).unwrap();
    let destination = database.destination().await;
    let cells: &[_] = &[("v", ColumnType::Text, Some("007"))];
    let exact = state(destination.as_ref(), "exact").await;
    load_row(destination.as_ref(), &exact, "a.csv", cells).await.unwrap();
    let kept = database.value("SELECT typeof(v) || ' ' || v FROM exact");
    assert_eq!(kept.as_deref(), Some("text 007"));
    let loose = state(destination.as_ref(), "loose").await;
    let error = failure(load_row(destination.as_ref(), &loose, "a.csv", cells).await);
    assert_eq!(error.kind(), ErrorKind::RejectedRows);
}
