//! Rows and files that cannot be loaded, under each policy.

use crate::world::{World, on_both};

/// Ten rows, of which the seventh (line 8) is not a number, and a comma less.
fn with_a_bad_row(world: &World) {
    let rows: Vec<String> = (1..=10)
        .map(|n| if n == 7 { format!("{n},seven") } else { format!("{n},{}", n * 10) })
        .collect();
    world.put("orders/bad.csv", format!("id,amount\n{}\n", rows.join("\n")));
    world.put("orders/good.csv", "id,amount\n100,1000\n");
}

const AS_NUMBERS: [&str; 2] = ["--type", "amount=int64"];

fn load(world: &World, options: &[&str]) -> crate::run::Run {
    world.load("orders/", &[&AS_NUMBERS, options].concat())
}

#[test]
fn a_value_that_does_not_fit_fails_its_file_and_says_where() {
    on_both(|world| {
        with_a_bad_row(world);
        let run = load(world, &[]).exits(1);
        assert_eq!(run.files(), "loaded 1, failed 1");
        assert_eq!(run.rows(), "read 1, loaded 1");
        let error = run.error();
        assert_eq!(error["file"], "s3://shop/orders/bad.csv");
        assert_eq!(error["line"], 8);
        assert_eq!(error["byte"], "id,amount\n1,10\n2,20\n3,30\n4,40\n5,50\n6,60\n".len());
        assert_eq!(error["column"], "amount");
        assert_eq!(error["kind"], "MalformedFile");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("orders/bad.csv line 8, column `amount`"), "{message}");
        assert!(message.contains("`seven`"), "{message}");
        assert_eq!(world.query("SELECT id FROM orders"), ["100"]);
        assert_eq!(world.ledger(), ["orders/bad.csv|failed|0|1", "orders/good.csv|loaded|1|1"]);
    });
}

#[test]
fn a_failed_file_keeps_its_rejects_until_a_later_attempt_replaces_them() {
    on_both(|world| {
        with_a_bad_row(world);
        load(world, &[]).exits(1);
        let sql = "SELECT r.ordinal, r.line, r.column_name, CAST(f.status AS text)
                   FROM rejected_rows r JOIN processed_files f ON f.id = r.file_id";
        assert_eq!(world.query(sql), ["7|8|amount|failed"]);
        let error = world.query("SELECT error FROM processed_files WHERE status = 'failed'");
        assert!(error[0].contains("line 8"), "{error:?}");
        load(world, &[]).exits(1);
        assert_eq!(world.query(sql), ["7|8|amount|failed"]);
        assert_eq!(world.ledger()[0], "orders/bad.csv|failed|0|2");
    });
}

#[test]
fn a_later_value_that_contradicts_frozen_types_fails_its_file() {
    on_both(|world| {
        world.put("orders/1.csv", "id,amount\n1,10\n");
        world.load("orders/", &[]).exits(0);
        world.put("orders/2.csv", "id,amount\n2,20\n3,a lot\n");
        world.put("orders/3.csv", "id,amount\n4,40\n");
        let run = world.load("orders/", &["--types", "frozen", "--on-error", "fail"]).exits(1);
        assert_eq!(run.files(), "already_loaded 1, loaded 1, failed 1");
        let error = run.error();
        assert_eq!((error["line"].as_u64(), error["column"].as_str()), (Some(3), Some("amount")));
        assert!(error["message"].as_str().unwrap().contains("`a lot`"), "{error:#}");
        assert_eq!(world.query("SELECT id FROM orders ORDER BY id"), ["1", "4"]);
    });
}

#[test]
fn bad_rows_are_rejected_where_that_is_asked() {
    on_both(|world| {
        with_a_bad_row(world);
        let run = load(world, &["--on-error", "reject"]).exits(3);
        assert_eq!(run.report()["status"], "partial");
        assert_eq!(run.files(), "loaded 2");
        assert_eq!(run.rows(), "read 11, loaded 10, rejected 1");
        let raw = if world.database.is_postgres() {
            "convert_from(raw, 'UTF8')"
        } else {
            "CAST(raw AS TEXT)"
        };
        let sql = format!(
            "SELECT ordinal, line, byte_offset, column_name, {raw}, settled_at, detail
             FROM rejected_rows"
        );
        let rows = world.query(&sql);
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert!(rows[0].starts_with("7|8|40|amount|7,seven|NULL|"), "{rows:?}");
        assert!(rows[0].contains("`seven`"), "{rows:?}");
        assert_eq!(world.query("SELECT reason FROM rejected_rows").len(), 1);
        let sql = "SELECT key, rows_copied, rows_rejected FROM processed_files ORDER BY key";
        assert_eq!(world.query(sql), ["orders/bad.csv|9|1", "orders/good.csv|1|0"]);
        assert_eq!(load(world, &["--on-error", "reject"]).exits(0).files(), "already_loaded 2");
    });
}

#[test]
fn rows_with_too_many_or_too_few_fields_are_rejected_with_what_they_were() {
    on_both(|world| {
        world.put("orders/1.csv", "id,amount\n1,10\n2\n3,30,3000\n4,40\n");
        let run = world.load("orders/", &["--on-error", "reject"]).exits(3);
        assert_eq!(run.rows(), "read 4, loaded 2, rejected 2");
        let sql = "SELECT ordinal, line, byte_offset FROM rejected_rows ORDER BY ordinal";
        assert_eq!(world.query(sql), ["2|3|15", "3|4|17"]);
    });
}

#[test]
fn text_that_is_not_utf8_is_rejected_with_its_bytes() {
    on_both(|world| {
        world.put("orders/1.csv", &b"id,name\n1,plain\n2,caf\xe9\n3,caf\xc3\xa9\n"[..]);
        let run = world.load("orders/", &["--on-error", "reject"]).exits(3);
        assert_eq!(run.rows(), "read 3, loaded 2, rejected 1");
        assert_eq!(world.query("SELECT name FROM orders ORDER BY id"), ["plain", "café"]);
        let hex =
            if world.database.is_postgres() { "encode(raw, 'hex')" } else { "lower(hex(raw))" };
        let raw = world.query(&format!("SELECT {hex} FROM rejected_rows"));
        assert_eq!(raw, ["322c636166e9"]);
    });
}

#[test]
fn past_the_limit_the_file_fails() {
    on_both(|world| {
        let rows: Vec<String> =
            (1..=10).map(|n| if n <= 2 { "x,1".into() } else { format!("{n},1") }).collect();
        world.put("orders/1.csv", format!("id,n\n{}\n", rows.join("\n")));
        let reject = |limit: &str, table: &str| {
            let limits = ["--on-error", "reject", "--max-rejects", limit, "--table", table];
            world.load("orders/", &[&["--type", "id=int64"], &limits[..]].concat())
        };
        let run = reject("1", "one").exits(1);
        assert_eq!((run.files(), run.rows()), ("failed 1".into(), String::new()));
        let run = reject("2", "two").exits(3);
        assert_eq!(run.rows(), "read 10, loaded 8, rejected 2");
        let run = reject("19%", "nineteen").exits(1);
        assert_eq!(run.files(), "failed 1");
        let run = reject("20%", "twenty").exits(3);
        assert_eq!(run.rows(), "read 10, loaded 8, rejected 2");
        assert_eq!(world.query("SELECT count(*) FROM two"), ["8"]);
    });
}

#[test]
fn files_are_skipped_until_they_change_where_that_is_asked() {
    on_both(|world| {
        with_a_bad_row(world);
        let skip = ["--on-error", "skip-file"];
        let run = load(world, &skip).exits(3);
        assert_eq!(run.files(), "loaded 1, skipped 1");
        assert_eq!(run.report()["status"], "partial");
        assert_eq!(world.ledger(), ["orders/bad.csv|skipped|0|1", "orders/good.csv|loaded|1|1"]);
        assert_eq!(world.query("SELECT id FROM orders"), ["100"]);
        let again = load(world, &skip).exits(0);
        assert_eq!(again.files(), "already_loaded 2");
        world.put("orders/bad.csv", "id,amount\n7,70\n");
        let mended = load(world, &skip).exits(0);
        assert_eq!(mended.files(), "already_loaded 1, loaded 1");
        assert_eq!(world.query("SELECT id FROM orders ORDER BY id"), ["7", "100"]);
    });
}

#[test]
fn a_skipped_file_is_tried_again_where_that_is_asked() {
    on_both(|world| {
        with_a_bad_row(world);
        load(world, &["--on-error", "skip-file"]).exits(3);
        let run = load(world, &["--on-error", "reject", "--retry-failed"]).exits(3);
        assert_eq!(run.files(), "already_loaded 1, loaded 1");
        assert_eq!(run.rows(), "read 10, loaded 9, rejected 1");
        assert_eq!(world.ledger()[0], "orders/bad.csv|loaded|9|2");
    });
}

#[test]
fn a_failing_file_is_given_up_after_max_attempts_and_still_counts_as_failed() {
    on_both(|world| {
        with_a_bad_row(world);
        let limit = ["--max-attempts", "2"];
        load(world, &limit).exits(1);
        load(world, &limit).exits(1);
        let gets = || world.s3.counts().of(decant_testkit::s3::Operation::Get);
        let before = gets();
        let run = load(world, &limit).exits(1);
        assert_eq!(run.files(), "already_loaded 1, failed 1");
        assert_eq!(gets(), before, "a file that was given up was read");
        assert_eq!(world.ledger()[0], "orders/bad.csv|failed|0|2");
        let run = load(world, &[&limit[..], &["--retry-failed"]].concat()).exits(1);
        assert_eq!(run.files(), "already_loaded 1, failed 1");
        assert_eq!(world.ledger()[0], "orders/bad.csv|failed|0|3");
        let mended = ["--max-attempts", "2", "--retry-failed", "--on-error", "reject"];
        load(world, &mended).exits(3);
        assert_eq!(world.ledger()[0], "orders/bad.csv|loaded|9|4");
    });
}

#[test]
fn a_row_that_the_database_refuses_fails_its_file_alone() {
    on_both(|world| {
        world.database.execute("CREATE TABLE orders (id bigint NOT NULL CHECK (id < 100))");
        for (name, id) in [("1", 1), ("2", 500), ("3", 3), ("4", 4)] {
            world.put(&format!("orders/{name}.csv"), format!("id\n{id}\n"));
        }
        let run = world.load("orders/", &[]).exits(1);
        assert_eq!(run.files(), "loaded 3, failed 1");
        assert_eq!(run.error()["file"], "s3://shop/orders/2.csv");
        assert_eq!(world.query("SELECT id FROM orders ORDER BY id"), ["1", "3", "4"]);
    });
}
