//! What a table keeps when it is built anew with wider columns.

use decant_core::Destination;
use decant_core::destination::TableChange;
use decant_core::error::ErrorKind;
use decant_core::schema::{ColumnType, TableName};
use decant_testkit::conformance::destination::Fixture as _;

use super::{Sqlite, failure};

async fn widen(
    destination: &dyn Destination,
    table: &str,
    column: &str,
    to: ColumnType,
) -> decant_core::Result<Vec<String>> {
    let table = TableName { schema: None, name: table.to_owned() };
    let change = TableChange::Widen { table, columns: vec![(column.to_owned(), to)] };
    destination.apply(&change, false).await
}

const EVERYTHING: &str = "
CREATE TABLE customers (id INTEGER PRIMARY KEY);
INSERT INTO customers VALUES (1), (2);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- the number
  customer BIGINT NOT NULL REFERENCES customers (id) ON DELETE RESTRICT,
  amount BIGINT DEFAULT 7 CHECK (amount > 0),
  note TEXT COLLATE NOCASE,
  twice TEXT AS (amount || amount) STORED,
  UNIQUE (customer, note)
);
CREATE TABLE log (said TEXT);
CREATE INDEX by_amount ON orders (amount) WHERE amount > 1;
CREATE TRIGGER tell AFTER INSERT ON orders BEGIN INSERT INTO log VALUES (new.amount); END;
CREATE VIEW dear AS SELECT id, amount FROM orders WHERE amount > 5;
CREATE TABLE lines (orders_id INTEGER REFERENCES orders (id) ON DELETE CASCADE, n INTEGER);
INSERT INTO orders (id, customer, amount, note) VALUES (1, 1, 5, 'a'), (9, 2, 6, 'b');
DELETE FROM orders WHERE id = 9;
INSERT INTO orders (id, customer, amount, note) VALUES (3, 2, 8, 'c');
INSERT INTO lines VALUES (1, 1), (3, 2);
";

#[tokio::test]
async fn everything_around_the_column_survives() {
    let database = Sqlite::new();
    database.client().execute_batch(EVERYTHING).unwrap();
    let destination = database.destination().await;
    widen(destination.as_ref(), "orders", "amount", ColumnType::Text).await.unwrap();
    let value = |query: &str| database.value(query);
    assert_eq!(value("SELECT group_concat(quote(amount)) FROM orders").as_deref(), Some("'5','8'"));
    assert_eq!(value("SELECT group_concat(twice) FROM orders").as_deref(), Some("55,88"));
    let names = "SELECT group_concat(name) FROM (SELECT name FROM sqlite_master \
                 WHERE name NOT LIKE 'sqlite_%' ORDER BY name)";
    assert_eq!(value(names).as_deref(), Some("by_amount,customers,dear,lines,log,orders,tell"));
    assert_eq!(value("SELECT count(*) FROM log").as_deref(), Some("3"), "no trigger fired");
    assert_refusals_as_before(&database);
    let last = value("SELECT max(id) FROM orders");
    assert_eq!(last.as_deref(), Some("10"), "numbers are not given twice");
    let client = database.client();
    client.execute_batch("PRAGMA foreign_keys = ON; DELETE FROM orders WHERE id = 1").unwrap();
    assert_eq!(value("SELECT count(*) FROM lines").as_deref(), Some("1"), "lines go with orders");
    let definition = value("SELECT sql FROM sqlite_master WHERE name = 'orders'").unwrap();
    assert!(definition.contains("-- the number"), "{definition}");
}

fn assert_refusals_as_before(database: &Sqlite) {
    let client = database.client();
    client.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    for (statement, works) in [
        ("INSERT INTO orders (customer, amount) VALUES (1, '1')", true),
        ("INSERT INTO orders (customer, amount) VALUES (99, 'x')", false),
        ("INSERT INTO orders (customer, note) VALUES (1, 'A')", false),
        ("INSERT INTO orders (amount) VALUES ('x')", false),
        ("INSERT INTO lines VALUES (77, 1)", false),
        ("DELETE FROM customers WHERE id = 2", false),
    ] {
        assert_eq!(client.execute_batch(statement).is_ok(), works, "{statement}");
    }
}

#[tokio::test]
async fn tables_without_rowids_and_rows_with_gaps_stay_what_they_are() {
    let database = Sqlite::new();
    database
        .client()
        .execute_batch(
            "CREATE TABLE pairs (a BIGINT, b BIGINT, PRIMARY KEY (a, b)) WITHOUT ROWID; \
             INSERT INTO pairs VALUES (2, 1), (1, 2); \
             CREATE TABLE gaps (a BIGINT); INSERT INTO gaps VALUES (1), (2), (3); \
             DELETE FROM gaps WHERE a = 2",
        )
        .unwrap();
    let destination = database.destination().await;
    for table in ["pairs", "gaps"] {
        widen(destination.as_ref(), table, "a", ColumnType::Text).await.unwrap();
    }
    let keys = database.value("SELECT group_concat(a || b) FROM (SELECT a, b FROM pairs)");
    assert_eq!(keys.as_deref(), Some("12,21"));
    let rows = database.value("SELECT group_concat(rowid || a) FROM gaps");
    assert_eq!(rows.as_deref(), Some("11,33"));
    let definition = database.value("SELECT sql FROM sqlite_master WHERE name = 'pairs'").unwrap();
    assert!(definition.ends_with("WITHOUT ROWID"), "{definition}");
}

#[tokio::test]
async fn what_is_in_the_way_is_said_with_the_statements() {
    let database = Sqlite::new();
    database
        .client()
        .execute_batch(
            "CREATE TABLE checked (a BOOLEAN CHECK (a IN (0, 1))); \
             INSERT INTO checked VALUES (1); \
             CREATE TABLE counted (a INTEGER PRIMARY KEY AUTOINCREMENT)",
        )
        .unwrap();
    let destination = database.destination().await;
    for table in ["checked", "counted"] {
        let error = failure(widen(destination.as_ref(), table, "a", ColumnType::Text).await);
        assert_eq!(error.kind(), ErrorKind::SchemaMismatch, "{}", error.chain());
        assert!(error.hint().unwrap().contains("CREATE TABLE"), "{:?}", error.hint());
        assert_eq!(error.fact("column"), None);
    }
    assert_eq!(database.value("SELECT typeof(a) FROM checked").as_deref(), Some("integer"));
    let client = database.client();
    client.execute_batch("INSERT INTO counted VALUES (1)").unwrap();
}
