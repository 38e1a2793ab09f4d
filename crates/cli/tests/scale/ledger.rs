//! What must hold between the ledger, the tables and the bucket: at every
//! moment, and when everything has been loaded.

use std::collections::{BTreeMap, BTreeSet};

use crate::bucket::Bucket;
use crate::database::Database;
use crate::run::Run;

/// One row of the ledger.
#[derive(Debug)]
pub(crate) struct Entry {
    id: String,
    table: String,
    key: String,
    status: String,
    rows: u64,
    attempts: u64,
}

fn entries(database: &Database) -> Vec<Entry> {
    if !database.tables().iter().any(|table| table == "processed_files") {
        return Vec::new();
    }
    let sql = "SELECT id, target_table, key, status, rows_copied, attempts FROM processed_files";
    let entry = |row: Vec<String>| {
        let [id, table, key, status, rows, attempts] =
            <[String; 6]>::try_from(row).expect("six columns");
        let table = table.rsplit('.').next().expect("a name").to_owned();
        let count = |text: String| text.parse().expect("a count");
        Entry { id, table, key, status, rows: count(rows), attempts: count(attempts) }
    };
    database.rows(sql).into_iter().map(entry).collect()
}

/// Asserts what holds at every moment: each ledger row is of a file of the
/// bucket and has exactly that file's rows in its table, no file has two
/// ledger rows, and no row of a table is without its ledger row. Answers the
/// number of ledger rows.
#[track_caller]
pub(crate) fn assert_consistent(database: &Database, bucket: &Bucket) -> u64 {
    let entries = entries(database);
    let mut keys = BTreeSet::new();
    let mut promised: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for entry in &entries {
        assert_eq!(entry.status, "loaded", "{entry:?}");
        assert_eq!(bucket.files.get(&entry.key), Some(&entry.rows), "{entry:?}");
        assert_eq!(entry.attempts, 1, "{entry:?}");
        assert!(keys.insert(&entry.key), "a second {entry:?}");
        promised.insert((&entry.table, &entry.id), entry.rows);
    }
    let found = rows_by_file(database, bucket);
    let found: BTreeMap<(&str, &str), u64> =
        found.iter().map(|(table, id, rows)| ((table.as_str(), id.as_str()), *rows)).collect();
    assert_eq!(found.len(), promised.len(), "files with rows, and files in the ledger");
    let differs = found.iter().zip(&promised).find(|(found, promised)| found != promised);
    assert_eq!(differs, None, "rows of a file, and what the ledger says");
    entries.len() as u64
}

/// Asserts that the ledger has of a run what the run's report says.
#[track_caller]
pub(crate) fn assert_of_run(database: &Database, run: &Run) {
    let report = run.report();
    let run_id = report["run_id"].as_str().expect("a run id");
    let of_run = format!(
        "SELECT count(*), coalesce(sum(rows_copied), 0) FROM processed_files
         WHERE status = 'loaded' AND run_id = '{run_id}'"
    );
    let reported = [run.count("files", "loaded"), run.count("rows", "loaded")];
    let reported = reported.map(|count| count.to_string());
    assert_eq!(database.rows(&of_run), [reported], "files and rows of the run {run_id}");
}

/// Table, `_file_id` and number of rows.
fn rows_by_file(database: &Database, bucket: &Bucket) -> Vec<(String, String, u64)> {
    let tables = database.tables();
    let mut found = Vec::new();
    for table in bucket.tables.keys().filter(|table| tables.contains(table)) {
        let sql = format!("SELECT _file_id, count(*) FROM {table} GROUP BY _file_id");
        for row in database.rows(&sql) {
            found.push((table.clone(), row[0].clone(), row[1].parse().expect("a count")));
        }
    }
    found
}

/// Asserts that every file of the bucket is loaded, once, and that every
/// table holds exactly what was generated for it.
#[track_caller]
pub(crate) fn assert_complete(database: &Database, bucket: &Bucket) {
    assert_eq!(assert_consistent(database, bucket), bucket.file_count(), "ledger rows");
    let totals = "SELECT count(*), sum(rows_copied), sum(rows_rejected) FROM processed_files
         WHERE status = 'loaded'";
    let expected = [bucket.file_count(), bucket.row_count(), 0].map(|count| count.to_string());
    assert_eq!(database.rows(totals), [expected], "files, rows and rejects by the ledger");
    for (table, expected) in &bucket.tables {
        assert_eq!(database.contents(table), *expected, "what {table} holds");
    }
}
