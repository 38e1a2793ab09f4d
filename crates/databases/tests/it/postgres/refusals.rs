//! Rows that Postgres refuses, one by one.

use std::sync::Arc;

use decant_core::Destination;
use decant_core::destination::RefusedRow;
use decant_core::error::Result;
use decant_core::schema::ColumnType;
use decant_testkit::batches::{batch, plan, totals};

use super::{Postgres, begin, describe, file, open, outcome};

const COLUMNS: &[(&str, ColumnType)] = &[("id", ColumnType::Int64), ("note", ColumnType::Text)];

/// Loads rows of (id, note), and answers what was refused.
async fn load_tolerantly(
    destination: &Arc<dyn Destination>,
    table: &str,
    key: &str,
    batches: &[&[[Option<&str>; 2]]],
) -> Result<Vec<RefusedRow>> {
    let table = describe(destination, table).await;
    let file = file(&table, key);
    let mut load = begin(destination, plan(&table, vec![file.clone()])).await?;
    let mut writer = load.writer().await?;
    writer.start_file(file.id, &[0, 1]).await?;
    let (mut refused, mut rows) = (Vec::new(), 0);
    for cells in batches {
        let cells: Vec<&[Option<&str>]> = cells.iter().map(|row| &row[..]).collect();
        refused.extend(writer.write_tolerantly(batch(COLUMNS, &cells)).await?);
        rows += cells.len();
    }
    let part = writer.finish().await?;
    let loaded = (rows - refused.len()) as u64;
    assert_eq!(part.rows, loaded);
    outcome(load.commit(vec![part], vec![totals(file.id, loaded)]).await?)?;
    Ok(refused)
}

fn told(refused: &[RefusedRow]) -> Vec<(usize, &str)> {
    refused.iter().map(|row| (row.row, row.constraint.as_deref().unwrap_or("none"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_constraint_refuses_its_rows_alone() {
    let fixture = Postgres::new();
    fixture.database.psql(
        "CREATE TABLE kinds (note text PRIMARY KEY); INSERT INTO kinds VALUES ('known'); \
         CREATE TABLE orders (id bigint NOT NULL CONSTRAINT positive CHECK (id > 0) \
         CONSTRAINT one_of_each UNIQUE, \
         note text CONSTRAINT of_kind REFERENCES kinds DEFERRABLE INITIALLY DEFERRED, \
         CONSTRAINT apart EXCLUDE USING btree (note WITH =) WHERE (id > 90)); \
         CREATE FUNCTION picky() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF new.id = 13 THEN RAISE 'thirteen brings bad luck'; END IF; RETURN new; END $$; \
         CREATE TRIGGER picky BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION picky()",
    );
    let destination = open(&fixture.database.url).await.unwrap();
    let rows = [
        [Some("1"), Some("known")],
        [Some("-1"), None],
        [None, None],
        [Some("1"), None],
        [Some("2"), Some("unknown")],
        [Some("13"), None],
        [Some("4"), Some("a\0b")],
        [Some("91"), Some("known")],
        [Some("92"), Some("known")],
        [Some("3"), None],
    ];
    let refused = load_tolerantly(&destination, "orders", "a.csv", &[&rows]).await.unwrap();
    assert_eq!(
        told(&refused),
        [
            (1, "positive"),
            (2, "NOT NULL (id)"),
            (3, "one_of_each"),
            (4, "of_kind"),
            (5, "none"),
            (6, "none"),
            (8, "apart"),
        ]
    );
    assert!(refused[4].detail.contains("thirteen"), "{refused:?}");
    assert_eq!(refused[5].column.as_deref(), Some("note"));
    let ids = fixture.database.query("SELECT id FROM orders ORDER BY id").await;
    assert_eq!(ids, [["1"], ["3"], ["91"]].map(|row| row.map(|id| Some(id.to_owned()))));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_of_a_long_batch_are_found_and_the_others_load() {
    let fixture = Postgres::new();
    fixture.database.psql(
        "CREATE TABLE kinds (note text PRIMARY KEY); INSERT INTO kinds VALUES ('k'); \
         CREATE TABLE t (id bigint CHECK (id % 100 <> 7), note text REFERENCES kinds)",
    );
    let destination = open(&fixture.database.url).await.unwrap();
    let ids: Vec<String> = (0..3000).map(|id| id.to_string()).collect();
    let note = |row: usize| if row % 1000 == 500 { "unknown" } else { "k" };
    let rows: Vec<[Option<&str>; 2]> =
        ids.iter().enumerate().map(|(row, id)| [Some(id.as_str()), Some(note(row))]).collect();
    let refused = load_tolerantly(&destination, "t", "a", &[&rows, &rows[..10]]).await.unwrap();
    let mut expected: Vec<usize> =
        (0..3000).filter(|row| row % 100 == 7 || row % 1000 == 500).collect();
    expected.push(7);
    assert_eq!(refused.iter().map(|row| row.row).collect::<Vec<_>>(), expected);
    let count = fixture.database.query("SELECT count(*) FROM t").await;
    assert_eq!(count, [[Some((3010 - expected.len()).to_string())]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_rows_fault_stays_an_error() {
    let fixture = Postgres::new();
    fixture.database.psql(
        "CREATE TABLE t (id bigint, note text); CREATE FUNCTION stuck() RETURNS trigger \
         LANGUAGE plpgsql AS $$ BEGIN RAISE 'stuck' USING ERRCODE = '40P01'; END $$; \
         CREATE TRIGGER stuck BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION stuck()",
    );
    let destination = open(&fixture.database.url).await.unwrap();
    let error = load_tolerantly(&destination, "t", "a", &[&[[Some("1"), None]]]).await.unwrap_err();
    assert!(error.is_retryable(), "{}", error.chain());
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_a_type_or_a_trigger_refuses_in_words_of_its_own_are_refused_alone() {
    let fixture = Postgres::new();
    fixture.database.psql(
        "CREATE TABLE named (id bigint, note name); \
         CREATE FUNCTION picky() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF new.id = 13 THEN RAISE 'bad luck' USING ERRCODE = 'U0001'; END IF; \
         RETURN new; END $$; \
         CREATE TRIGGER picky BEFORE INSERT ON named FOR EACH ROW EXECUTE FUNCTION picky(); \
         CREATE TABLE documents (id bigint, note json)",
    );
    let destination = open(&fixture.database.url).await.unwrap();
    let (fits, long) = ("x".repeat(63), "x".repeat(64));
    let rows = [
        [Some("1"), Some(fits.as_str())],
        [Some("2"), Some(long.as_str())],
        [Some("13"), None],
        [Some("4"), None],
    ];
    let refused = load_tolerantly(&destination, "named", "a.csv", &[&rows]).await.unwrap();
    let rows: Vec<usize> = refused.iter().map(|refused| refused.row).collect();
    assert_eq!(rows, [1, 2], "{refused:?}");
    assert_eq!(fixture.database.psql("SELECT id FROM named ORDER BY id"), "1\n4");
}
