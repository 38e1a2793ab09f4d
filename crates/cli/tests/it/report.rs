//! The report's shape, for people and for scripts.

use serde_json::Value;

use crate::world::{World, on_both};

#[track_caller]
fn has_keys(object: &Value, keys: &[&str]) {
    let object = object.as_object().expect("an object");
    for key in keys {
        assert!(object.contains_key(*key), "`{key}` is missing in {object:#?}");
    }
}

#[test]
fn the_report_has_every_documented_key() {
    on_both(|world| {
        world.put("orders/1.csv", "id,amount\n1,2\nx,3\n");
        world.put("orders/2.csv", "\"id\n");
        let options = ["--on-error", "reject", "--type", "id=int64"];
        let report = world.load("orders/", &options).exits(1).report();
        has_keys(
            &report,
            &[
                "run_id",
                "status",
                "started_at",
                "seconds",
                "files",
                "rows",
                "bytes",
                "tables",
                "errors",
            ],
        );
        let files =
            ["listed", "excluded", "already_loaded", "loaded", "failed", "skipped", "vanished"];
        has_keys(&report["files"], &files);
        has_keys(
            &report["rows"],
            &["read", "loaded", "rejected", "filtered", "rescued", "repaired"],
        );
        has_keys(&report["bytes"], &["fetched", "decoded"]);
        let table = &report["tables"][0];
        has_keys(table, &["table", "rows_loaded", "created", "columns", "changes"]);
        has_keys(&table["columns"][0], &["name", "type"]);
        assert_eq!(table["created"], true);
        assert_eq!(table["rows_loaded"], 1);
        let error = &report["errors"][0];
        has_keys(error, &["file", "line", "byte", "column", "kind", "message"]);
        assert_eq!(report["files"]["listed"], 2);
        assert!(report["bytes"]["fetched"].as_u64().unwrap() >= 21, "{report:#}");
    });
}

#[test]
fn a_run_that_finds_nothing_new_says_so() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.load("orders/", &[]).exits(0);
        let run = world.load("orders/", &[]).exits(0);
        let report = run.report();
        assert_eq!(report["status"], "ok");
        assert_eq!(run.files(), "already_loaded 1");
        assert_eq!(run.rows(), "");
        assert_eq!(report["bytes"]["fetched"], 0);
    });
}

#[test]
fn people_read_tables_counts_and_columns() {
    on_both(|world| {
        world.put("orders/1.csv", "id,name\n1,a\n2,b\n");
        let words = ["load", "s3://shop/orders/", "--to", &world.database.url()];
        let run = world.decant(&words).run().exits(0);
        run.says(&["orders", "created", "2 rows", "id int64", "1 file loaded"]);
        run.never_says(decant_testkit::postgres::PASSWORD);
    });
}

#[test]
fn quiet_says_nothing_beyond_the_report() {
    let world = World::sqlite();
    world.put("orders/1.csv", "id\n1\n");
    let words = ["load", "s3://shop/orders/", "--to", &world.database.url(), "-q"];
    let run = world.decant(&words).run().exits(0);
    assert_eq!(run.stderr, "");
}

#[test]
fn logs_are_json_lines_where_that_is_asked() {
    let world = World::sqlite();
    world.put("orders/1.csv", "id\n1\n");
    let options = ["--log-format", "json", "-v", "--progress", "none"];
    let run = world.load("orders/", &options).exits(0);
    assert!(!run.stderr.is_empty(), "-v says nothing");
    for line in run.stderr.lines() {
        let line: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        has_keys(&line, &["timestamp", "level"]);
    }
}

#[test]
fn progress_is_json_lines_on_standard_error_where_that_is_asked() {
    let world = World::sqlite();
    world.put("orders/1.csv", "id\n1\n");
    let run = world.load("orders/", &["--progress", "json"]).exits(0);
    for line in run.stderr.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    assert_eq!(run.files(), "loaded 1");
}
