//! Rows that SQLite refuses, one by one.

use decant_core::Destination;
use decant_core::destination::{LoadFile, Outcome, RefusedRow};
use decant_core::error::Result;
use decant_core::schema::ColumnType;
use decant_testkit::batches::{batch, file, load_file, plan, totals};
use decant_testkit::conformance::destination::Fixture as _;

use super::{Sqlite, begin, failure, state};

const COLUMNS: &[(&str, ColumnType)] = &[("id", ColumnType::Int64), ("note", ColumnType::Text)];

/// Loads rows of (id, note), and answers what was refused.
async fn load_tolerantly(
    destination: &dyn Destination,
    table: &str,
    key: &str,
    rows: &[[Option<&str>; 2]],
) -> Result<Vec<RefusedRow>> {
    let table = state(destination, table).await;
    let file: LoadFile = load_file(&table.name, file(key));
    let mut load = begin(destination, plan(&table, vec![file.clone()])).await?;
    let mut writer = load.writer().await?;
    writer.start_file(file.id, &[0, 1]).await?;
    let rows: Vec<&[Option<&str>]> = rows.iter().map(|row| &row[..]).collect();
    let refused = writer.write_tolerantly(batch(COLUMNS, &rows)).await?;
    let part = writer.finish().await?;
    let loaded = (rows.len() - refused.len()) as u64;
    assert_eq!(part.rows, loaded);
    match load.commit(vec![part], vec![totals(file.id, loaded)]).await?.pop() {
        Some(Outcome::Committed) => Ok(refused),
        other => panic!("{other:?}"),
    }
}

fn told(refused: &[RefusedRow]) -> Vec<(usize, &str)> {
    refused.iter().map(|row| (row.row, row.constraint.as_deref().unwrap_or("none"))).collect()
}

#[tokio::test]
async fn each_kind_of_constraint_refuses_its_rows_alone() {
    let database = Sqlite::new();
    database
        .client()
        .execute_batch(
            "CREATE TABLE kinds (note TEXT PRIMARY KEY); INSERT INTO kinds VALUES ('known'); \
             CREATE TABLE orders (id BIGINT NOT NULL CONSTRAINT positive CHECK (id > 0), \
             note TEXT REFERENCES kinds (note), UNIQUE (id)); \
             CREATE TABLE seen (id BIGINT); \
             CREATE TRIGGER picky BEFORE INSERT ON orders WHEN new.id = 13 \
             BEGIN SELECT RAISE(ABORT, 'thirteen brings bad luck'); END; \
             CREATE TRIGGER late AFTER INSERT ON orders WHEN new.id = 14 \
             BEGIN INSERT INTO seen VALUES (new.id); SELECT RAISE(FAIL, 'too late'); END",
        )
        .unwrap();
    let destination = database.destination().await;
    let rows = [
        [Some("1"), Some("known")],
        [Some("-1"), None],
        [None, None],
        [Some("1"), None],
        [Some("2"), Some("unknown")],
        [Some("13"), None],
        [Some("14"), None],
        [Some("3"), None],
    ];
    let refused = load_tolerantly(destination.as_ref(), "orders", "a.csv", &rows).await.unwrap();
    assert_eq!(
        told(&refused),
        [
            (1, "positive"),
            (2, "NOT NULL (id)"),
            (3, "UNIQUE (id)"),
            (4, "FOREIGN KEY"),
            (5, "none"),
            (6, "none"),
        ]
    );
    assert!(refused[4].detail.contains("thirteen"), "{refused:?}");
    assert_eq!(database.value("SELECT group_concat(id) FROM orders").as_deref(), Some("1,3"));
    assert_eq!(database.value("SELECT count(*) FROM seen").as_deref(), Some("0"));
    let again = load_tolerantly(destination.as_ref(), "orders", "b.csv", &rows[..1]).await.unwrap();
    assert_eq!(told(&again), [(0, "UNIQUE (id)")]);
}

#[tokio::test]
async fn a_batch_without_bad_rows_goes_in_at_once() {
    let database = Sqlite::new();
    database.client().execute_batch("CREATE TABLE t (id BIGINT, note TEXT)").unwrap();
    let destination = database.destination().await;
    let rows = [[Some("1"), None], [Some("2"), Some("x")]];
    assert_eq!(load_tolerantly(destination.as_ref(), "t", "a", &rows).await.unwrap(), []);
    assert_eq!(database.value("SELECT count(*) FROM t").as_deref(), Some("2"));
}

#[tokio::test]
async fn a_trigger_that_rolls_everything_back_ends_the_load() {
    let database = Sqlite::new();
    database
        .client()
        .execute_batch(
            "CREATE TABLE t (id BIGINT, note TEXT); CREATE TRIGGER harsh BEFORE INSERT ON t \
             WHEN new.id = 2 BEGIN SELECT RAISE(ROLLBACK, 'all or nothing'); END",
        )
        .unwrap();
    let destination = database.destination().await;
    let rows = [[Some("1"), None], [Some("2"), None]];
    let error = failure(load_tolerantly(destination.as_ref(), "t", "a", &rows).await);
    assert!(error.message().contains("all or nothing"), "{}", error.chain());
    assert!(error.hint().unwrap().contains("rolls the whole transaction back"));
    assert_eq!(database.value("SELECT count(*) FROM t").as_deref(), Some("0"));
}
