//! The ledger as a table, and `decant history`, which shows it.

use serde_json::Value;

use crate::world::{World, on_both};

fn history(world: &World, options: &[&str]) -> Vec<Value> {
    let words = ["history", "--to", &world.database.url(), "--output", "json"];
    world.plain(&[&words[..], options].concat()).run().exits(0).lines()
}

fn one_of_each(world: &World) -> String {
    world.put("orders/1.csv", "id\n1\n");
    world.put("orders/2.csv", "id\nx\n");
    world.put("prices/1.csv", "id\n1\n2\n");
    let typed = ["--type", "id=int64"];
    let run = world.load("orders/", &typed).exits(1);
    world.load("prices/", &typed).exits(0);
    run.report()["run_id"].as_str().expect("a run").to_owned()
}

#[test]
fn the_ledger_has_the_columns_that_are_documented() {
    on_both(|world| {
        one_of_each(world);
        let expected = [
            "id",
            "source",
            "bucket",
            "key",
            "member",
            "etag",
            "file_size_bytes",
            "last_modified",
            "target_table",
            "stream",
            "status",
            "processed_at",
            "processing_time",
            "rows_copied",
            "rows_rejected",
            "rows_checksum",
            "load_id",
            "run_id",
            "attempts",
            "error",
            "layout",
        ];
        assert_eq!(world.database.columns("processed_files"), expected);
        let endpoint = world.s3.endpoint().replace("http://", "");
        let sql = "SELECT source, bucket, key, member, length(etag), file_size_bytes
                   FROM processed_files WHERE status = 'loaded' ORDER BY key";
        assert_eq!(
            world.query(sql),
            [
                format!("{endpoint}|shop|orders/1.csv||32|5"),
                format!("{endpoint}|shop|prices/1.csv||32|7"),
            ]
        );
    });
}

#[test]
fn history_shows_the_ledger_and_can_be_narrowed() {
    on_both(|world| {
        let run_id = one_of_each(world);
        assert_eq!(history(world, &[]).len(), 3);
        let failed = history(world, &["--status", "failed"]);
        assert_eq!(failed.len(), 1);
        assert_eq!(failed[0]["file"]["key"], "orders/2.csv");
        assert!(failed[0]["error"].as_str().unwrap().contains("line 2"), "{failed:#?}");
        assert_eq!(history(world, &["--run", &run_id]).len(), 2);
        assert_eq!(history(world, &["--limit", "1"]).len(), 1);
        let table = history(world, &["--limit", "1"])[0]["target_table"].clone();
        let of_table = history(world, &["--table", table.as_str().unwrap()]);
        assert!(of_table.iter().all(|row| row["target_table"] == table), "{of_table:#?}");
        assert!(of_table.len() < 3);
        assert_eq!(history(world, &["--ledger", "processed_files", "--run", "none"]).len(), 0);
    });
}

#[test]
fn history_for_people_names_files_and_errors() {
    on_both(|world| {
        one_of_each(world);
        let words = ["history", "--to", &world.database.url()];
        let run = world.plain(&words).run().exits(0);
        run.says(&["s3://shop/orders/1.csv", "loaded", "failed", "orders/2.csv", "line 2"]);
    });
}

#[test]
fn history_of_a_database_without_a_ledger_is_empty_and_makes_none() {
    on_both(|world| {
        assert_eq!(history(world, &[]).len(), 0);
        assert!(world.database.tables().is_empty(), "{:?}", world.database.tables());
    });
}

#[test]
fn history_takes_the_configurations_destination() {
    let world = World::sqlite();
    world.put("orders/1.csv", "id\n1\n");
    world.configure("", "streams: {orders: {}}\n");
    world.sync(&[]).exits(0);
    world.plain(&["history"]).run().exits(0).says(&["s3://shop/orders/1.csv"]);
}

#[test]
fn a_status_that_does_not_exist_is_a_usage_error() {
    let world = World::sqlite();
    let words = ["history", "--to", &world.database.url(), "--status", "broken"];
    world.plain(&words).run().exits(2).says(&["broken", "superseded"]);
}
