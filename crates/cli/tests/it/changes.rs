//! Keys that come back with other content, and versions that are loaded again.

use crate::world::{World, on_both};

fn overwritten(options: &'static [&'static str]) -> impl Fn(&World) -> crate::run::Run {
    move |world| {
        world.put("orders/1.csv", "id\n1\n");
        world.put("orders/2.csv", "id\n2\n");
        world.load("orders/", options).exits(0);
        world.put("orders/1.csv", "id\n10\n11\n");
        world.load("orders/", options)
    }
}

fn ids(world: &World) -> Vec<String> {
    world.query("SELECT id FROM orders ORDER BY id")
}

#[test]
fn the_rows_of_an_overwritten_key_are_replaced() {
    on_both(|world| {
        let run = overwritten(&[])(world).exits(0);
        assert_eq!(run.files(), "already_loaded 1, loaded 1");
        assert_eq!(ids(world), ["2", "10", "11"]);
        let expected = ["orders/1.csv|loaded", "orders/1.csv|superseded", "orders/2.csv|loaded"];
        assert_eq!(world.statuses(), expected);
        assert_eq!(world.load("orders/", &[]).exits(0).files(), "already_loaded 2");
    });
}

#[test]
fn both_versions_stay_where_change_appends() {
    on_both(|world| {
        overwritten(&["--on-change", "append"])(world).exits(0);
        assert_eq!(ids(world), ["1", "2", "10", "11"]);
        let expected = ["orders/1.csv|loaded", "orders/1.csv|loaded", "orders/2.csv|loaded"];
        assert_eq!(world.statuses(), expected);
    });
}

#[test]
fn a_change_is_ignored_where_that_is_asked() {
    on_both(|world| {
        let run = overwritten(&["--on-change", "ignore"])(world).exits(0);
        assert_eq!(run.report()["rows"]["loaded"], 0);
        assert_eq!(ids(world), ["1", "2"]);
    });
}

#[test]
fn a_change_fails_where_that_is_asked() {
    on_both(|world| {
        let run = overwritten(&["--on-change", "fail"])(world).exits(1);
        assert_eq!(run.files(), "already_loaded 1, failed 1");
        let error = run.error();
        assert_eq!(error["kind"], "Conflict");
        assert_eq!(error["file"], "s3://shop/orders/1.csv");
        assert!(error["hint"].as_str().unwrap().contains("on_change"), "{error:#}");
        assert_eq!(ids(world), ["1", "2"]);
    });
}

#[test]
fn a_change_fails_by_default_where_the_table_cannot_tell_files_apart() {
    on_both(|world| {
        let run = overwritten(&["--no-file-id"])(world).exits(1);
        assert_eq!(run.error()["kind"], "Conflict");
        assert_eq!(ids(world), ["1", "2"]);
    });
}

#[test]
fn content_that_comes_back_is_loaded_in_place_of_what_displaced_it() {
    on_both(|world| {
        overwritten(&[])(world).exits(0);
        world.put("orders/1.csv", "id\n1\n");
        let run = world.load("orders/", &[]).exits(0);
        assert_eq!(run.files(), "already_loaded 1, loaded 1");
        assert_eq!(ids(world), ["1", "2"]);
        let sql = "SELECT key, status, file_size_bytes FROM processed_files ORDER BY key, status";
        let expected =
            ["orders/1.csv|loaded|5", "orders/1.csv|superseded|9", "orders/2.csv|loaded|5"];
        assert_eq!(world.query(sql), expected);
        world.put("orders/1.csv", "id\n10\n11\n");
        world.load("orders/", &[]).exits(0);
        assert_eq!(ids(world), ["2", "10", "11"]);
        assert_eq!(world.query("SELECT count(*) FROM processed_files"), ["3"]);
    });
}

#[test]
fn a_version_whose_ledger_row_was_deleted_is_loaded_again_without_duplicates() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.put("orders/2.csv", "id\n2\n");
        world.load("orders/", &[]).exits(0);
        world.database.execute("DELETE FROM processed_files WHERE key = 'orders/1.csv'");
        let run = world.load("orders/", &[]).exits(0);
        assert_eq!(run.files(), "already_loaded 1, loaded 1");
        assert_eq!(ids(world), ["1", "2"]);
    });
}

#[test]
fn force_loads_again_without_duplicates_and_counts_the_attempt() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.load("orders/", &[]).exits(0);
        let run = world.load("orders/", &["--force"]).exits(0);
        assert_eq!(run.files(), "loaded 1");
        assert_eq!(ids(world), ["1"]);
        assert_eq!(world.ledger(), ["orders/1.csv|loaded|1|2"]);
    });
}

#[test]
fn force_wants_consent_where_the_table_cannot_tell_files_apart() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.load("orders/", &["--no-file-id"]).exits(0);
        let run = world.load("orders/", &["--no-file-id", "--force"]).exits(1);
        run.says(&["--allow-duplicates"]);
        assert_eq!(ids(world), ["1"]);
        let consent = ["--no-file-id", "--force", "--allow-duplicates"];
        world.load("orders/", &consent).exits(0);
        assert_eq!(ids(world), ["1", "1"]);
    });
}

#[test]
fn the_same_content_under_another_key_is_another_file() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.put("orders/copy.csv", "id\n1\n");
        assert_eq!(world.load("orders/", &[]).exits(0).files(), "loaded 2");
        assert_eq!(ids(world), ["1", "1"]);
    });
}

#[test]
fn the_same_file_goes_into_two_tables() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.load("orders/", &["--table", "one"]).exits(0);
        assert_eq!(world.load("orders/", &["--table", "two"]).exits(0).files(), "loaded 1");
        assert_eq!(world.statuses(), ["orders/1.csv|loaded", "orders/1.csv|loaded"]);
    });
}
