//! Which table a file goes to, and what happens when it is there, is not
//! there, or is gone.

use crate::world::{World, on_both};

/// The tables that hold rows of files.
fn made(world: &World) -> Vec<String> {
    let ours = ["decant_meta", "processed_chunks", "processed_files", "rejected_rows"];
    world.database.tables().into_iter().filter(|name| !ours.contains(&name.as_str())).collect()
}

#[test]
fn a_load_goes_to_the_last_literal_folder_else_to_the_stem() {
    on_both(|world| {
        world.put("landing/orders/y2026/1.csv", "id\n1\n");
        world.put("Customer List.csv", "id\n1\n");
        world.load("landing/orders/**/*.csv", &[]).exits(0);
        world.load("landing/orders/y2026/1.csv", &[]).exits(0);
        world.load("Customer List.csv", &[]).exits(0);
        assert_eq!(made(world), ["customer_list", "orders", "y2026"]);
    });
}

#[test]
fn a_sync_goes_to_the_first_folder_below_the_source() {
    on_both(|world| {
        world.put("landing/orders/y2026/1.csv", "id\n1\n");
        world.put("landing/customers/1.csv", "id\n2\n");
        world.put("landing/Price List.csv", "id\n3\n");
        world.configure("landing/", "streams: {everything: {}}\n");
        world.sync(&[]).exits(0);
        assert_eq!(made(world), ["customers", "orders", "price_list"]);
    });
}

#[test]
fn templates_make_a_stream_several_tables() {
    on_both(|world| {
        world.put("landing/orders/eu-1.csv", "id\n1\n");
        world.put("landing/orders/us-1.csv", "id\n2\n");
        world.put("landing/prices/eu-1.csv", "id\n3\n");
        let streams = "streams:\n  by_folder: {files: 'landing/*/**', table: 'raw_{folder}'}\n  \
             by_stem: {files: 'landing/**', table: '{stem}_rows'}\n  \
             by_region:\n    pattern: '^landing/(?P<kind>\\w+)/(?P<region>\\w+)-\\d+\\.csv$'\n    \
             table: '{path:region}_{path:kind}'\n";
        world.configure("", streams);
        world.sync(&[]).exits(0);
        let expected =
            ["eu_1_rows", "eu_orders", "eu_prices", "raw_landing", "us_1_rows", "us_orders"];
        assert_eq!(made(world), expected);
        assert_eq!(world.query("SELECT id FROM us_orders"), ["2"]);
    });
}

#[test]
fn a_name_that_cannot_be_a_table_fails_its_file_alone() {
    on_both(|world| {
        let long = "long_".repeat(16);
        let bad = match world.database.is_postgres() {
            true => long.as_str(),
            false => "sqlite_x",
        };
        world.put("in/fine.csv", "id\n1\n");
        world.put(&format!("in/{bad}.csv"), "id\n2\n");
        world.put("late/1.csv", "id\n3\n");
        let streams = "streams:\n  each: {files: 'in/*', table: '{stem}'}\n  \
             late: {files: 'late/*', table: late}\n";
        world.configure("", streams);
        for expected in ["loaded 2, failed 1", "already_loaded 2, failed 1"] {
            let run = world.sync(&[]).exits(1);
            assert_eq!(run.files(), expected);
            assert_eq!(run.error()["file"], format!("s3://shop/in/{bad}.csv"));
        }
        assert_eq!(made(world), ["fine", "late"]);
        let failed = world.query("SELECT key FROM processed_files WHERE status = 'failed'");
        assert_eq!(failed, [format!("in/{bad}.csv")]);
    });
}

#[test]
fn spellings_that_become_one_table_are_told() {
    on_both(|world| {
        for (folder, id) in [("a b", 1), ("A-B", 2), ("a_b", 3), ("c", 4)] {
            world.put(&format!("in/{folder}/1.csv"), format!("id\n{id}\n"));
        }
        world.configure("in/", "streams: {each: {table: '{folder}'}}\n");
        let told = "folders `A-B`, `a b`, `a_b` go into one table a_b";
        let plan = world.plain(&["plan", "--output", "json"]).run().exits(0);
        plan.says(&[told]);
        let run = world.sync(&[]).exits(0);
        assert_eq!(run.report()["notes"], serde_json::json!([told]));
        let run = world.sync(&["--full-refresh"]).exits(0);
        assert_eq!(run.report()["notes"], serde_json::json!([told]));
    });
}

#[test]
fn a_folder_template_is_the_folder_below_the_source() {
    on_both(|world| {
        world.put("landing/orders/1.csv", "id\n1\n");
        world.put("landing/prices/1.csv", "id\n2\n");
        world.configure(
            "landing/",
            "streams: {by_folder: {files: '*/**', table: 'raw_{folder}'}}\n",
        );
        world.sync(&[]).exits(0);
        assert_eq!(made(world), ["raw_orders", "raw_prices"]);
        assert_eq!(world.sync(&[]).exits(0).files(), "already_loaded 2");
    });
}

#[test]
fn a_schema_that_is_missing_is_made_in_postgres() {
    let world = World::postgres();
    world.put("orders/1.csv", "id\n1\n");
    let run = world.load("orders/", &["--table", "staging.orders_raw"]).exits(0);
    assert_eq!(run.report()["tables"][0]["table"], "staging.orders_raw");
    assert_eq!(world.query("SELECT id FROM staging.orders_raw"), ["1"]);
    assert_eq!(world.query("SELECT target_table FROM processed_files"), ["staging.orders_raw"]);
}

#[test]
fn the_ledger_names_tables_by_the_catalogues_qualified_name() {
    let world = World::postgres();
    world.put("orders/1.csv", "id\n1\n");
    world.load("orders/", &["--table", "orders"]).exits(0);
    assert_eq!(world.query("SELECT target_table FROM processed_files"), ["public.orders"]);
    let again = world.load("orders/", &["--table", "public.orders"]).exits(0);
    assert_eq!(again.files(), "already_loaded 1");
}

#[test]
fn if_exists_fail_refuses_a_table_that_is_there() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.load("orders/", &["--if-exists", "fail"]).exits(0);
        world.put("orders/2.csv", "id\n2\n");
        let run = world.load("orders/", &["--if-exists", "fail"]).exits(1);
        assert!(run.error()["message"].as_str().unwrap().contains("orders"), "{run:?}");
        assert_eq!(world.query("SELECT id FROM orders"), ["1"]);
    });
}

#[test]
fn a_table_that_is_gone_while_the_ledger_is_full_is_an_error_with_both_cures() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.load("orders/", &[]).exits(0);
        world.database.execute("DROP TABLE orders");
        let run = world.load("orders/", &[]).exits(1);
        let error = run.error();
        let said = format!("{} {}", error["message"], error["hint"]);
        for word in ["orders", "--full-refresh", "ledger"] {
            assert!(said.contains(word), "`{word}` is missing in {said}");
        }
        assert!(!world.database.tables().contains(&"orders".to_owned()), "it was made again");
        let run = world.load("orders/", &["--full-refresh"]).exits(0);
        assert_eq!(run.files(), "loaded 1");
        assert_eq!(world.query("SELECT id FROM orders"), ["1"]);
        assert_eq!(world.statuses(), ["orders/1.csv|loaded"]);
    });
}

#[test]
fn a_table_that_is_gone_is_loaded_again_once_the_ledger_forgets() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.load("orders/", &[]).exits(0);
        world.database.execute("DROP TABLE orders; DELETE FROM processed_files");
        assert_eq!(world.load("orders/", &[]).exits(0).files(), "loaded 1");
        assert_eq!(world.query("SELECT id FROM orders"), ["1"]);
    });
}

#[test]
fn two_ledgers_do_not_mix() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.load("orders/", &["--table", "one"]).exits(0);
        let other = ["--table", "two", "--ledger", "other_files"];
        assert_eq!(world.load("orders/", &other).exits(0).files(), "loaded 1");
        assert_eq!(world.load("orders/", &other).exits(0).files(), "already_loaded 1");
        world.assert_ledger_agrees("other_files");
        let one = world.query("SELECT target_table FROM processed_files");
        let two = world.query("SELECT target_table FROM other_files");
        assert!(one.len() == 1 && one[0].ends_with("one"), "{one:?}");
        assert!(two.len() == 1 && two[0].ends_with("two"), "{two:?}");
    });
}

#[test]
fn a_table_of_the_ledgers_name_that_is_not_ours_is_refused() {
    on_both(|world| {
        world.database.execute("CREATE TABLE processed_files (filename text, loaded_at text)");
        world.put("orders/1.csv", "id\n1\n");
        let words =
            ["load", "s3://shop/orders/", "--output", "json", "--to", &world.database.url()];
        let run = world.decant(&words).run().exits(2);
        assert!(run.error()["message"].as_str().unwrap().contains("processed_files"), "{run:?}");
        assert_eq!(made(world), Vec::<String>::new());
    });
}
