//! What SQLite makes of values on their way in.

use decant_core::error::ErrorKind;
use decant_core::schema::{ColumnType, DecimalBounds};
use decant_testkit::conformance::destination::Fixture as _;

use super::{Sqlite, create, failure, load_row, state};

fn decimal(precision: u8, scale: i8) -> ColumnType {
    ColumnType::Decimal(Some(DecimalBounds { precision, scale }))
}

/// Type, value, how SQLite keeps it and as what.
const KEPT: &[(ColumnType, &str, &str, &str)] = &[
    (ColumnType::Bool, "true", "integer", "1"),
    (ColumnType::Int16, "-7", "integer", "-7"),
    (ColumnType::Int32, "-7", "integer", "-7"),
    (ColumnType::Int64, "9007199254740993", "integer", "9007199254740993"),
    (ColumnType::Float32, "2.0", "real", "2.0"),
    (ColumnType::Float64, "2.0", "real", "2.0"),
    (ColumnType::Float64, "inf", "real", "inf"),
    (ColumnType::Decimal(None), "12.00", "text", "12.00"),
    (ColumnType::Date, "2024-01-02", "text", "2024-01-02"),
    (ColumnType::Time, "10:00:00", "text", "10:00:00"),
    (ColumnType::Timestamp, "2024-01-02 10:00:00.5", "text", "2024-01-02 10:00:00.500000"),
    (ColumnType::TimestampTz, "2024-01-02 10:00:00", "text", "2024-01-02 10:00:00+00:00"),
    (
        ColumnType::Uuid,
        "00000000-0000-0000-0000-000000000001",
        "text",
        "00000000-0000-0000-0000-000000000001",
    ),
    (ColumnType::Text, "12.00", "text", "12.00"),
    (ColumnType::Text, "007", "text", "007"),
    (ColumnType::Text, "1e5", "text", "1e5"),
    (ColumnType::Json, "12.00", "text", "12.00"),
    (ColumnType::Binary, "3132", "blob", "3132"),
];

#[tokio::test]
async fn affinity_changes_no_value_of_any_type() {
    let decimals = [
        (decimal(15, 2), "12.50", "real", "12.5"),
        (decimal(15, 2), "12.00", "integer", "12"),
        (decimal(15, 0), "999999999999999", "integer", "999999999999999"),
        (decimal(16, 2), "12.00", "text", "12.00"),
        (
            decimal(38, 0),
            "99999999999999999999999999999999999999",
            "text",
            "99999999999999999999999999999999999999",
        ),
    ];
    let database = Sqlite::new();
    let destination = database.destination().await;
    for (number, (column_type, value, kind, kept)) in
        KEPT.iter().copied().chain(decimals).enumerate()
    {
        let name = format!("of_{number}");
        let table = create(destination.as_ref(), &name, &[("v", column_type)]).await;
        let cells = [("v", column_type, Some(value))];
        load_row(destination.as_ref(), &table, "a.csv", &cells).await.unwrap();
        let found = database.value(&format!("SELECT typeof(v) || ' ' || CASE typeof(v) WHEN 'blob' THEN hex(v) ELSE v END FROM {name}"));
        let expected = format!("{kind} {kept}").replace("inf", "Inf");
        assert_eq!(found.unwrap(), expected, "{column_type} {value}");
    }
}

#[tokio::test]
async fn not_a_number_is_refused_with_its_column() {
    let database = Sqlite::new();
    let destination = database.destination().await;
    let table = create(destination.as_ref(), "t", &[("v", ColumnType::Float64)]).await;
    let cells = [("v", ColumnType::Float64, Some("NaN"))];
    let error = failure(load_row(destination.as_ref(), &table, "a.csv", &cells).await);
    assert_eq!(error.kind(), ErrorKind::RejectedRows);
    assert!(error.message().contains("`v`") && error.message().contains("NaN"), "{error}");
    assert_eq!(error.position().unwrap().column.as_deref(), Some("v"));
    assert_eq!(database.ledger_rows().await, []);
}

#[tokio::test]
async fn what_other_peoples_columns_would_change_is_refused() {
    let database = Sqlite::new();
    database
        .client()
        .execute_batch("CREATE TABLE theirs (code STRING, price NUMERIC, wide DECIMAL(20, 4))")
        .unwrap();
    let destination = database.destination().await;
    let table = state(destination.as_ref(), "theirs").await;
    let wide = decimal(20, 4);
    for (key, cells, expected) in [
        ("ok", ("code", ColumnType::Text, Some("A7")), Ok(())),
        ("zeros", ("code", ColumnType::Text, Some("007")), Err(())),
        ("price", ("price", ColumnType::Decimal(None), Some("12.50")), Ok(())),
        ("big", ("price", ColumnType::Decimal(None), Some("1234567890.12345678")), Err(())),
        ("wide", ("wide", wide, Some("1.5000")), Ok(())),
        ("too wide", ("wide", wide, Some("1234567890123456.1234")), Err(())),
    ] {
        let loaded = load_row(destination.as_ref(), &table, key, &[cells]).await;
        assert_eq!(loaded.map(|_| ()).map_err(|_| ()), expected, "{key}");
    }
    let kept = "SELECT group_concat(typeof(coalesce(code, price, wide)), ' ') FROM theirs";
    assert_eq!(database.value(kept).unwrap(), "text real real");
}

#[tokio::test]
async fn a_constraint_refuses_the_row_and_nothing_stays() {
    let database = Sqlite::new();
    database
        .client()
        .execute_batch("CREATE TABLE theirs (id INTEGER UNIQUE CHECK (id > 0))")
        .unwrap();
    let destination = database.destination().await;
    let table = state(destination.as_ref(), "theirs").await;
    let cells = |value| [("id", ColumnType::Int64, Some(value))];
    load_row(destination.as_ref(), &table, "a", &cells("1")).await.unwrap();
    for value in ["1", "0"] {
        let error = failure(load_row(destination.as_ref(), &table, "b", &cells(value)).await);
        assert_eq!(error.kind(), ErrorKind::RejectedRows, "{error}");
    }
    assert_eq!(database.query("SELECT * FROM theirs").len(), 1);
    assert_eq!(database.ledger_rows().await.len(), 1);
}

#[tokio::test]
async fn a_row_that_a_trigger_drops_in_silence_fails_the_load() {
    let database = Sqlite::new();
    database
        .client()
        .execute_batch(
            "CREATE TABLE theirs (id INTEGER);
             CREATE TRIGGER quiet BEFORE INSERT ON theirs BEGIN SELECT RAISE(IGNORE); END;",
        )
        .unwrap();
    let destination = database.destination().await;
    let table = state(destination.as_ref(), "theirs").await;
    let cells = [("id", ColumnType::Int64, Some("1"))];
    let error = failure(load_row(destination.as_ref(), &table, "a", &cells).await);
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert_eq!(database.ledger_rows().await, []);
}
