//! What Postgres says when columns are widened.

use std::sync::Arc;

use decant_core::Destination;
use decant_core::destination::TableChange;
use decant_core::error::{ErrorKind, Result};
use decant_core::schema::{ColumnType, TableName};

use super::{Postgres, open};

/// Settings that render values as nobody expects them.
const ODD_SETTINGS: &str = "
DO $$ BEGIN
  EXECUTE format('ALTER DATABASE %I SET extra_float_digits TO -5', current_database());
  EXECUTE format('ALTER DATABASE %I SET datestyle TO German', current_database());
  EXECUTE format('ALTER DATABASE %I SET bytea_output TO escape', current_database());
  EXECUTE format('ALTER DATABASE %I SET timezone TO ''Asia/Tokyo''', current_database());
END $$";

async fn widen(
    destination: &Arc<dyn Destination>,
    table: &str,
    columns: &[(&str, ColumnType)],
) -> Result<Vec<String>> {
    let columns = columns.iter().map(|(name, to)| ((*name).to_owned(), *to)).collect();
    let change = TableChange::Widen { table: TableName::parse(table), columns };
    destination.apply(&change, false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_way_is_said_with_the_statement() {
    let fixture = Postgres::new();
    fixture.database.psql(
        "CREATE TABLE seen (a bigint); CREATE VIEW v AS SELECT a FROM seen; \
         CREATE TABLE made (a bigint, b bigint GENERATED ALWAYS AS (a + 1) STORED); \
         CREATE TABLE checked (a bigint CHECK (a > 0)); INSERT INTO checked VALUES (1)",
    );
    let destination = open(&fixture.database.url).await.unwrap();
    for (table, said) in [("seen", "view"), ("made", "generated column"), ("checked", "operator")] {
        let end = widen(&destination, table, &[("a", ColumnType::Text)]).await;
        let error = end.expect_err(table);
        assert_eq!(error.kind(), ErrorKind::SchemaMismatch, "{}", error.chain());
        assert!(error.message().contains(said), "{table}: {}", error.message());
        assert!(error.hint().unwrap().contains("ALTER TABLE"), "{:?}", error.hint());
        assert_eq!(error.fact("column"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_columns_change_in_one_statement_whatever_the_session_says() {
    let fixture = Postgres::new();
    fixture.database.psql(
        "CREATE TABLE t (a bigint PRIMARY KEY, b double precision, c date, d timestamptz, \
         e bytea, f boolean DEFAULT true, g timestamptz[], h bytea[]); CREATE INDEX ON t (b); \
         INSERT INTO t VALUES (1, 0.1, '2024-01-02', '2024-01-02 10:00:00+02', '\\x00ff', false, \
         '{2024-01-02 10:00:00+02,NULL}', ARRAY['\\x00ff'::bytea])",
    );
    fixture.database.psql(ODD_SETTINGS);
    let destination = open(&fixture.database.url).await.unwrap();
    let all = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|name| (name, ColumnType::Text));
    let statements = widen(&destination, "t", &all).await.unwrap();
    assert_eq!(statements.len(), 1);
    let rows = fixture.database.query("TABLE t").await;
    let expected = [
        "1",
        "0.1",
        "2024-01-02",
        "2024-01-02 08:00:00+00:00",
        "\\x00ff",
        "false",
        r#"["2024-01-02T08:00:00+00:00",null]"#,
        r#"["\\x00ff"]"#,
    ];
    assert_eq!(rows, [expected.map(|text| Some(text.to_owned()))]);
}
