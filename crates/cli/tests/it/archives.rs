//! Archives: each member is a file of its own, in report and ledger.

use std::io::Write;

use decant_testkit::s3::gzip;

use crate::world::{World, on_both};

pub(crate) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (path, bytes) in members {
        writer.start_file(*path, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn ids(world: &World) -> Vec<String> {
    world.query("SELECT id FROM orders ORDER BY id")
}

/// The ledger as `key!member|status|rows_copied`.
fn members(world: &World) -> Vec<String> {
    let sql = "SELECT key, member, status, rows_copied FROM processed_files ORDER BY key, member";
    world.query(sql)
}

#[test]
fn every_member_of_a_zip_and_of_a_tar_is_loaded_once() {
    on_both(|world| {
        let packed = gzip("id\n2\n");
        let archive =
            zip(&[("a.csv", b"id\n1\n"), ("x/b.csv.gz", &packed), ("__MACOSX/._a", b"?")]);
        world.put("orders/1.zip", archive);
        world.put("orders/2.tar.gz", gzip(tar(&[("c.csv", b"id\n3\n"), ("d.csv", b"id\n4\n5\n")])));
        world.put("orders/3.csv", "id\n6\n");
        let run = world.load("orders/", &[]).exits(0);
        assert_eq!(run.files(), "excluded 1, loaded 5");
        assert_eq!(run.rows(), "read 6, loaded 6");
        assert_eq!(ids(world), ["1", "2", "3", "4", "5", "6"]);
        let expected = [
            "orders/1.zip||loaded|0",
            "orders/1.zip|a.csv|loaded|1",
            "orders/1.zip|x/b.csv.gz|loaded|1",
            "orders/2.tar.gz||loaded|0",
            "orders/2.tar.gz|c.csv|loaded|1",
            "orders/2.tar.gz|d.csv|loaded|2",
            "orders/3.csv||loaded|1",
        ];
        assert_eq!(members(world), expected);
        let run = world.load("orders/", &[]).exits(0);
        assert_eq!(run.files(), "already_loaded 5");
        assert_eq!(run.report()["bytes"]["fetched"], 0);
    });
}

#[test]
fn a_bad_member_fails_alone_and_is_named() {
    on_both(|world| {
        let bad: &[u8] = b"id\n3\n\"4\n";
        let members_of = [("a.csv", &b"id\n1\n2\n"[..]), ("b.csv", bad), ("c.csv", b"id\n5\n")];
        world.put("orders/1.zip", zip(&members_of));
        let run = world.load("orders/", &[]).exits(1);
        assert_eq!(run.files(), "loaded 2, failed 1");
        assert_eq!(run.error()["file"], "s3://shop/orders/1.zip!/b.csv");
        assert_eq!(ids(world), ["1", "2", "5"]);
        let expected = [
            "orders/1.zip|a.csv|loaded|2",
            "orders/1.zip|b.csv|failed|0",
            "orders/1.zip|c.csv|loaded|1",
        ];
        assert_eq!(members(world), expected);
        let run = world.load("orders/", &[]).exits(1);
        assert_eq!(run.files(), "already_loaded 2, failed 1");
        world.put("orders/1.zip", zip(&[("a.csv", b"id\n1\n"), ("b.csv", b"id\n3\n")]));
        world.load("orders/", &[]).exits(0);
        assert_eq!(ids(world), ["1", "3"]);
    });
}

#[test]
fn a_member_whose_ledger_row_was_deleted_is_loaded_again() {
    on_both(|world| {
        world.put("orders/1.zip", zip(&[("a.csv", b"id\n1\n"), ("b.csv", b"id\n2\n")]));
        world.load("orders/", &[]).exits(0);
        world.query("DELETE FROM processed_files WHERE member = 'b.csv'");
        let run = world.load("orders/", &[]).exits(0);
        assert_eq!(run.files(), "already_loaded 1, loaded 1");
        assert_eq!(ids(world), ["1", "2"]);
        assert_eq!(world.load("orders/", &[]).exits(0).files(), "already_loaded 2");
    });
}

#[test]
fn an_archive_that_was_cut_fails_by_its_own_name() {
    on_both(|world| {
        let whole = zip(&[("a.csv", b"id\n1\n"), ("b.csv", b"id\n2\n")]);
        let packed = gzip(tar(&[("a.csv", b"id\n3\n")]));
        world.put("orders/1.zip", whole[..whole.len() - 30].to_vec());
        world.put("orders/2.tgz", packed.slice(..packed.len() - 9));
        world.put("orders/3.csv", "id\n4\n");
        let run = world.load("orders/", &[]).exits(1);
        assert_eq!(run.files(), "loaded 1, failed 2");
        assert_eq!(run.report()["errors"][0]["file"], "s3://shop/orders/1.zip");
        assert_eq!(ids(world), ["4"]);
        let expected = ["orders/1.zip|failed", "orders/2.tgz|failed", "orders/3.csv|loaded"];
        assert_eq!(world.statuses(), expected);
    });
}

#[test]
fn an_archive_alone_makes_its_table_and_a_plan_shows_its_members() {
    on_both(|world| {
        world.put("orders/all.tar", tar(&[("a.csv", b"id,name\n1,x\n"), ("b.csv", b"id\n2\n")]));
        let source = format!("s3://{}/orders/", crate::world::BUCKET);
        let words = ["plan", &source, "--to", &world.database.url(), "--output", "json"];
        let plan = world.decant(&words).run().exits(0);
        plan.says(&["orders/all.tar!/a.csv", "orders/all.tar!/b.csv"]);
        world.load("orders/", &[]).exits(0);
        assert_eq!(world.query("SELECT id, name FROM orders ORDER BY id"), ["1|x", "2|NULL"]);
    });
}

#[test]
fn an_archive_without_members_is_told_of_and_is_no_failure() {
    on_both(|world| {
        world.put("orders/1.zip", zip(&[]));
        world.put("orders/2.tar", tar(&[]));
        let told = |key: &str, files: &str| {
            let run = world.load(key, &[]).exits(0);
            assert_eq!(run.files(), files, "{key}");
            run.report()["notes"]
                .to_string()
                .contains(&format!("{key}: the archive has no members"))
        };
        assert!(told("orders/1.zip", "excluded 1"));
        assert!(told("orders/2.tar", "excluded 1"));
        world.put("orders/3.csv", "id\n1\n");
        world.load("orders/3.csv", &[]).exits(0);
        assert!(told("orders/1.zip", "loaded 1"));
        assert!(!told("orders/1.zip", "already_loaded 1"));
        assert_eq!(ids(world), ["1"]);
    });
}

#[test]
fn an_archive_whose_members_are_all_left_out_is_not_called_empty() {
    on_both(|world| {
        world.put("orders/1.zip", zip(&[("a.csv", b"id\n1\n")]));
        let run = world.load("orders/", &["--exclude", "a.csv"]).exits(0);
        run.says(&["the archives for it have no members, or all of them are left out"]);
        run.never_says("are empty");
    });
}

#[test]
fn an_archive_that_becomes_empty_is_loaded_with_no_rows() {
    on_both(|world| {
        world.put("orders/1.zip", zip(&[("a.csv", b"id\n1\n"), ("b.csv", b"id\n2\n")]));
        world.put("orders/2.csv", "id\n3\n");
        world.load("orders/", &[]).exits(0);
        world.put("orders/1.zip", zip(&[]));
        let source = format!("s3://{}/orders/", crate::world::BUCKET);
        let words = ["plan", &source, "--to", &world.database.url(), "--output", "json"];
        let plan = world.decant(&words).run().exits(0).lines();
        let of_archive = |line: &&serde_json::Value| {
            line["file"].as_str().is_some_and(|file| file.ends_with("1.zip"))
        };
        let planned: Vec<_> = plan.iter().filter(of_archive).collect();
        assert_eq!(planned.len(), 1, "{plan:?}");
        assert_eq!(
            (&planned[0]["action"], &planned[0]["reason"]),
            (&"load".into(), &"changed".into())
        );
        let run = world.load("orders/", &[]).exits(0);
        assert_eq!(run.files(), "already_loaded 1, loaded 1");
        run.says(&["orders/1.zip: the archive has no members"]);
        assert_eq!(ids(world), ["3"]);
        let alone = world.load("orders/1.zip", &["--table", "orders"]).exits(0);
        assert_eq!(alone.files(), "already_loaded 1");
    });
}

#[test]
fn a_large_tar_streams_its_members() {
    on_both(|world| {
        let rows = |first: u32| -> String {
            let rows = (first..first + 60_000).map(|n| format!("{n},name {n}\n"));
            format!("id,name\n{}", rows.collect::<String>())
        };
        let (one, other) = (rows(0), rows(60_000));
        let archive = tar(&[("a.csv", one.as_bytes()), ("b.csv", other.as_bytes())]);
        world.put("orders/1.tar.gz", gzip(archive));
        let run = world.load("orders/", &["--memory", "64MiB", "--threads", "2"]).exits(0);
        assert_eq!(run.rows(), "read 120000, loaded 120000");
        assert_eq!(world.query("SELECT count(DISTINCT id) FROM orders"), ["120000"]);
    });
}

#[test]
fn every_compression_is_read_whatever_the_name() {
    on_both(|world| {
        let bzip2 = |text: &str| {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        let xz = |text: &str| {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        let lz4 = |text: &str| {
            let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        let snappy = |text: &str| {
            let mut encoder = snap::write::FrameEncoder::new(Vec::new());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.into_inner().unwrap()
        };
        let brotli = |text: &str| {
            let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.into_inner()
        };
        world.put("orders/1.csv.bz2", bzip2("id\n1\n"));
        world.put("orders/2.csv", xz("id\n2\n"));
        world.put("orders/3.csv.gz", lz4("id\n3\n"));
        world.put("orders/4.csv.sz", snappy("id\n4\n"));
        world.put("orders/5.csv.br", brotli("id\n5\n"));
        world.put("orders/6.csv", "id\n6\n");
        let run = world.load("orders/", &[]).exits(0);
        assert_eq!(run.files(), "loaded 6");
        assert_eq!(ids(world), ["1", "2", "3", "4", "5", "6"]);
    });
}
