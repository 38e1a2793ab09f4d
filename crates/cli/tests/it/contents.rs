//! What files hold: nothing, a header, compressed bytes whatever the name,
//! other delimiters.

use decant_testkit::s3::gzip;

use crate::world::{World, on_both};

fn ids(world: &World) -> Vec<String> {
    world.query("SELECT id FROM orders ORDER BY id")
}

fn zstd(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 3).expect("memory takes every write")
}

#[test]
fn files_without_rows_are_loaded_and_said_so() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.put("orders/empty.csv", "");
        world.put("orders/header.csv", "id\n");
        let run = world.load("orders/", &[]).exits(0);
        assert_eq!(run.files(), "loaded 3");
        assert_eq!(run.rows(), "read 1, loaded 1");
        let expected = [
            "orders/1.csv|loaded|1|1",
            "orders/empty.csv|loaded|0|1",
            "orders/header.csv|loaded|0|1",
        ];
        assert_eq!(world.ledger(), expected);
        assert_eq!(world.load("orders/", &[]).exits(0).files(), "already_loaded 3");
    });
}

#[test]
fn an_empty_file_alone_makes_no_table_and_no_failure() {
    on_both(|world| {
        world.put("orders/empty.csv", "");
        let run = world.load("orders/", &[]).exits(0);
        assert_eq!(run.report()["status"], "ok");
        assert_eq!(run.report()["files"]["failed"], 0);
        world.put("orders/1.csv", "id\n1\n");
        world.load("orders/", &[]).exits(0);
        assert_eq!(ids(world), ["1"]);
        assert_eq!(world.statuses(), ["orders/1.csv|loaded", "orders/empty.csv|loaded"]);
    });
}

#[test]
fn gzip_of_several_members_is_read_to_its_end_whatever_its_name() {
    on_both(|world| {
        let mut bytes = gzip("id\n1\n").to_vec();
        bytes.extend_from_slice(&gzip("2\n"));
        bytes.extend_from_slice(&gzip("3\n"));
        world.put("orders/packed.csv", bytes.clone());
        world.put("orders/packed.csv.zst", gzip("id\n4\n"));
        let run = world.load("orders/", &[]).exits(0);
        assert_eq!(run.files(), "loaded 2");
        assert_eq!(ids(world), ["1", "2", "3", "4"]);
    });
}

#[test]
fn zstd_is_read_whatever_its_name_and_plain_text_too() {
    on_both(|world| {
        world.put("orders/packed.csv", zstd("id\n1\n2\n"));
        world.put("orders/plain.csv.gz", "id\n3\n");
        world.put("orders/frames.csv.zst", [zstd("id\n4\n"), zstd("5\n")].concat());
        world.load("orders/", &[]).exits(0);
        assert_eq!(ids(world), ["1", "2", "3", "4", "5"]);
    });
}

#[test]
fn a_stream_that_was_cut_fails_and_nothing_of_it_is_kept() {
    on_both(|world| {
        let rows: String = (0..20_000).map(|n| format!("{n}\n")).collect();
        let whole = gzip(format!("id\n{rows}"));
        world.put("orders/cut.csv.gz", whole.slice(..whole.len() - 12));
        world.put("orders/good.csv", "id\n-1\n");
        let packed = zstd(&format!("id\n{rows}"));
        world.put("orders/cut.csv.zst", packed[..packed.len() / 2].to_vec());
        for options in [&[][..], &["--on-error", "reject", "--retry-failed"][..]] {
            let run = world.load("orders/", options).exits(1);
            assert_eq!(run.report()["files"]["failed"], 2);
            assert_eq!(ids(world), ["-1"]);
        }
        assert_eq!(
            world.statuses(),
            ["orders/cut.csv.gz|failed", "orders/cut.csv.zst|failed", "orders/good.csv|loaded"]
        );
    });
}

#[test]
fn delimiters_follow_the_ending_and_can_be_told() {
    on_both(|world| {
        world.put("orders/comma.csv", "id,name\n1,\"a,b\"\n2,\"c,d\"\n");
        world.put("orders/pipe.psv", "id|name\n3|c\n");
        world.put("orders/tab.tsv", "id\tname\n4\td e\n");
        world.load("orders/", &[]).exits(0);
        let rows = world.query("SELECT id, name FROM orders ORDER BY id");
        assert_eq!(rows, ["1|a,b", "2|c,d", "3|c", "4|d e"]);
        world.put("told/1.csv", "# ours\nnoise\nid~name\n'1'~'it~is'\n");
        let options = ["--delimiter", "~", "--quote", "'", "--comment", "#", "--skip-rows", "2"];
        let run = world.load("told/", &options).exits(0);
        assert_eq!(run.rows(), "read 1, loaded 1");
        assert_eq!(world.query("SELECT id, name FROM told"), ["1|it~is"]);
    });
}

#[test]
fn quoted_fields_keep_newlines_quotes_and_delimiters() {
    on_both(|world| {
        world.put(
            "orders/1.csv",
            "id,name\r\n1,\"a\nb\"\r\n2,\"say \"\"hi\"\", you\"\r\n3,\"a\r\nb\"",
        );
        world.load("orders/", &[]).exits(0);
        let rows = world.query("SELECT name FROM orders ORDER BY id");
        assert_eq!(rows, ["a\nb", "say \"hi\", you", "a\r\nb"]);
    });
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_name() {
    on_both(|world| {
        world.put("orders/1.csv", "\u{feff}id,name\n1,x\n");
        world.load("orders/", &[]).exits(0);
        assert_eq!(world.database.columns("orders"), ["id", "name", "_file_id"]);
    });
}

#[test]
fn files_without_a_header_are_loaded_by_position() {
    on_both(|world| {
        world.put("orders/1.csv", "1,a\n2,b\n");
        let run = world.load("orders/", &["--no-header"]).exits(0);
        assert_eq!(run.rows(), "read 2, loaded 2");
        let columns = world.database.columns("orders");
        let sql = format!("SELECT \"{}\", \"{}\" FROM orders ORDER BY 1", columns[0], columns[1]);
        assert_eq!(world.query(&sql), ["1|a", "2|b"]);
    });
}

#[test]
fn a_large_file_arrives_whole() {
    on_both(|world| {
        let rows: String = (0..200_000).map(|n| format!("{n},name {n},{}.25\n", n % 97)).collect();
        world.put("orders/large.csv.gz", gzip(format!("id,name,amount\n{rows}")));
        let run = world.load("orders/", &["--memory", "64MiB", "--threads", "2"]).exits(0);
        assert_eq!(run.rows(), "read 200000, loaded 200000");
        let sql = "SELECT count(*), sum(id), count(DISTINCT name) FROM orders";
        assert_eq!(world.query(sql), ["200000|19999900000|200000"]);
    });
}

#[test]
fn a_record_longer_than_the_limit_fails_its_file() {
    on_both(|world| {
        world.put("orders/1.csv", format!("id,name\n1,{}\n", "x".repeat(5000)));
        world.put("orders/2.csv", "id,name\n2,y\n");
        let run = world.load("orders/", &["--record-bytes-max", "2KiB"]).exits(1);
        assert_eq!(run.files(), "loaded 1, failed 1");
        assert_eq!(run.error()["file"], "s3://shop/orders/1.csv");
    });
}
