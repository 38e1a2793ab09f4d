//! What a replace may delete, and what keeps it from deleting.

use decant_core::destination::{LoadMode, LoadPlan};
use decant_core::error::{ErrorKind, Result};
use decant_testkit::batches::plan;

use super::{Postgres, describe, file, load_plan, numbers, open};

/// Replaces the rows of `orders` by 0, 1 and 2.
async fn replace(fixture: &Postgres) -> Result<()> {
    let destination = open(&fixture.database.url).await?;
    let table = describe(&destination, "orders").await;
    let files = vec![file(&table, "new.csv")];
    let replace = LoadPlan { mode: LoadMode::Replace, ..plan(&table, files.clone()) };
    let rows = vec![numbers(&files[0], "n", 0..3)];
    load_plan(&destination, &table, replace, rows).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replace_whose_rows_are_kept_by_a_trigger_or_a_rule_changes_nothing() {
    for keeper in [
        "CREATE TRIGGER keep BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION keep()",
        "CREATE RULE keep AS ON DELETE TO orders DO INSTEAD NOTHING",
    ] {
        let fixture = Postgres::new();
        fixture.database.psql(&format!(
            "CREATE TABLE orders (n bigint, _file_id bigint); \
             INSERT INTO orders VALUES (7, 0), (8, 0); \
             CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN IF old.n = 8 THEN RETURN NULL; END IF; RETURN old; END $$; {keeper}"
        ));
        let error = replace(&fixture).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{keeper}: {error}");
        assert!(error.message().contains("keeps rows"), "{error}");
        assert_eq!(fixture.database.psql("SELECT n FROM orders ORDER BY n"), "7\n8");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replace_leaves_the_rows_of_tables_that_inherit() {
    let fixture = Postgres::new();
    fixture.database.psql(
        "CREATE TABLE orders (n bigint, _file_id bigint); INSERT INTO orders VALUES (7, 0); \
         CREATE TABLE old_orders () INHERITS (orders); INSERT INTO old_orders VALUES (9, 0)",
    );
    replace(&fixture).await.unwrap();
    assert_eq!(fixture.database.psql("SELECT n FROM ONLY orders ORDER BY n"), "0\n1\n2");
    assert_eq!(fixture.database.psql("SELECT n FROM old_orders"), "9");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replace_empties_the_partitions() {
    let fixture = Postgres::new();
    fixture.database.psql(
        "CREATE TABLE orders (n bigint, _file_id bigint) PARTITION BY RANGE (n); \
         CREATE TABLE low PARTITION OF orders FOR VALUES FROM (0) TO (5); \
         CREATE TABLE high PARTITION OF orders FOR VALUES FROM (5) TO (10); \
         INSERT INTO orders VALUES (3, 0), (7, 0)",
    );
    replace(&fixture).await.unwrap();
    assert_eq!(fixture.database.psql("SELECT n FROM orders ORDER BY n"), "0\n1\n2");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cure_for_rows_that_are_referred_to_is_about_them() {
    for (constraint, cure) in [("", "DEFERRABLE"), ("DEFERRABLE", "add them")] {
        let fixture = Postgres::new();
        fixture.database.psql(&format!(
            "CREATE TABLE orders (n bigint PRIMARY KEY, _file_id bigint); \
             INSERT INTO orders VALUES (9, 0); \
             CREATE TABLE lines (n bigint REFERENCES orders {constraint}); \
             INSERT INTO lines VALUES (9)"
        ));
        let error = replace(&fixture).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RejectedRows, "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains(cure)), "{error:?}");
        assert_eq!(fixture.database.psql("SELECT n FROM orders"), "9");
    }
}
