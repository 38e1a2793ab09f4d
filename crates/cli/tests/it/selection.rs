//! Which files are in and which are out: age, names, globs, odd keys, pages,
//! and folders of this machine.

use std::time::Duration;

use chrono::{TimeDelta, Utc};

use crate::world::{BUCKET, World, on_both};

#[test]
fn files_that_are_too_young_wait_for_another_run() {
    on_both(|world| {
        let age = |minutes| Utc::now() - TimeDelta::minutes(minutes);
        world.s3.put_at(BUCKET, "orders/old.csv", "id\n1\n", age(10));
        world.s3.put_at(BUCKET, "orders/young.csv", "id\n2\n", age(0));
        let run = world.load("orders/", &["--min-age", "5m"]).exits(0);
        assert_eq!(run.files(), "excluded 1, loaded 1");
        assert_eq!(world.statuses(), ["orders/old.csv|loaded"]);
        let run = world.load("orders/", &[]).exits(0);
        assert_eq!(run.files(), "already_loaded 1, loaded 1");
    });
}

#[test]
fn markers_and_hidden_files_are_left_out_and_plan_says_why() {
    on_both(|world| {
        for key in ["orders/", "orders/_SUCCESS", "orders/.hidden.csv", "orders/tmp/x.csv"] {
            world.put(key, if key.ends_with('/') { "" } else { "id\n9\n" });
        }
        world.put("orders/1.csv", "id\n1\n");
        let options = ["--exclude", "tmp/**"];
        let words =
            ["plan", "s3://shop/orders/", "--output", "json", "--to", &world.database.url()];
        let plan = world.decant(&[&words[..], &options].concat()).run().exits(0).lines();
        let out: Vec<_> = plan.iter().filter(|line| line["action"] == "excluded").collect();
        assert_eq!(out.len(), 4, "{plan:#?}");
        for line in out {
            assert!(!line["reason"].as_str().unwrap().is_empty(), "{line:#}");
        }
        let run = world.load("orders/", &options).exits(0);
        assert_eq!(run.files(), "excluded 4, loaded 1");
        assert_eq!(world.query("SELECT id FROM orders"), ["1"]);
    });
}

#[test]
fn globs_stay_within_a_folder_or_go_below_it() {
    let world = World::sqlite();
    for key in ["in/1.csv", "in/2.json.csv", "in/deep/3.csv", "in/deep/er/4.csv", "in/5.tsv"] {
        world.put(key, "id\n1\n");
    }
    let selected = |source: &str| {
        let words = ["list", &format!("s3://shop/{source}"), "--output", "json"];
        let run = world.decant(&words).run().exits(0);
        let path = |line: &serde_json::Value| line["path"].as_str().unwrap().to_owned();
        run.lines().iter().map(path).collect::<Vec<_>>()
    };
    let below =
        |names: &[&str]| -> Vec<String> { names.iter().map(|name| format!("in/{name}")).collect() };
    assert_eq!(selected("in/*.csv"), below(&["1.csv", "2.json.csv"]));
    assert_eq!(
        selected("in/**/*.csv"),
        below(&["1.csv", "2.json.csv", "deep/3.csv", "deep/er/4.csv"])
    );
    assert_eq!(selected("in/*/*.csv"), below(&["deep/3.csv"]));
    assert_eq!(selected("in/{1,5}.*"), below(&["1.csv", "5.tsv"]));
    assert_eq!(selected("in/[12].*"), below(&["1.csv", "2.json.csv"]));
    assert_eq!(selected("in/deep/"), below(&["deep/3.csv", "deep/er/4.csv"]));
}

fn odd_keys() -> Vec<String> {
    let mut keys: Vec<String> = [
        "a b.csv",
        "a+b.csv",
        "a%2Bb.csv",
        "a%b.csv",
        "it's \"quoted\".csv",
        "line\nbreak.csv",
        "caf\u{e9}.csv",
        "cafe\u{301}.csv",
        "emoji \u{1f4a7}.csv",
        "a&b=c?d#e.csv",
        "back\\slash.csv",
        "tab\there.csv",
        "a/../b.csv",
        "a//b.csv",
        "<xml>&amp;.csv",
        "~tilde!*'();:@,$.csv",
    ]
    .iter()
    .map(|name| format!("odd/{name}"))
    .collect();
    keys.push(format!("odd/{}.csv", "k".repeat(1024 - "odd/.csv".len())));
    keys.sort();
    keys
}

#[test]
fn odd_keys_are_opaque_and_shown_as_they_are() {
    on_both(|world| {
        let keys = odd_keys();
        for (number, key) in keys.iter().enumerate() {
            world.put(key, format!("id\n{number}\n"));
        }
        let run = world.load("odd/", &[]).exits(0);
        assert_eq!(run.files(), format!("loaded {}", keys.len()));
        let collation = if world.database.is_postgres() { "COLLATE \"C\"" } else { "" };
        let sql = format!(
            "SELECT f.key, o.id FROM processed_files f JOIN odd o ON o._file_id = f.id
             ORDER BY f.key {collation}"
        );
        let found = world.rows(&sql);
        let expected: Vec<_> = keys
            .iter()
            .enumerate()
            .map(|(number, key)| vec![Some(key.clone()), Some(number.to_string())])
            .collect();
        assert_eq!(found, expected);
        let again = world.load("odd/", &[]).exits(0);
        assert_eq!(again.files(), format!("already_loaded {}", keys.len()));
    });
}

#[test]
fn an_odd_key_is_named_in_the_report_as_it_is() {
    let world = World::sqlite();
    for key in odd_keys() {
        world.put(&key, "id\nx\n");
    }
    let run = world.load("odd/", &["--type", "id=int64"]).exits(1);
    let report = run.report();
    let mut named: Vec<String> = report["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["file"].as_str().unwrap().replacen("s3://shop/", "", 1))
        .collect();
    named.sort();
    assert_eq!(named, odd_keys());
}

#[test]
fn a_key_can_be_named_as_a_source_whatever_is_in_it() {
    on_both(|world| {
        for (number, key) in ["a b.csv", "a+b.csv", "caf\u{e9}.csv", "100%.csv"].iter().enumerate()
        {
            world.put(&format!("odd/{key}"), format!("id\n{number}\n"));
            let run = world.load(&format!("odd/{key}"), &["--table", "named"]).exits(0);
            assert_eq!(run.files(), "loaded 1", "{key}");
        }
        assert_eq!(world.query("SELECT id FROM named ORDER BY id"), ["0", "1", "2", "3"]);
    });
}

#[test]
fn small_pages_list_everything_once_and_in_order() {
    on_both(|world| {
        world.s3.set_page_size_max(3);
        let keys: Vec<String> = (0..20).map(|n| format!("orders/{n}.csv")).collect();
        for (number, key) in keys.iter().enumerate() {
            world.put(key, format!("id\n{number}\n"));
        }
        assert_eq!(world.load("orders/", &[]).exits(0).files(), "loaded 20");
        assert_eq!(world.query("SELECT count(*), count(DISTINCT id) FROM orders"), ["20|20"]);
        world.put("orders/10a.csv", "id\n100\n");
        assert_eq!(world.load("orders/", &[]).exits(0).files(), "already_loaded 20, loaded 1");
    });
}

#[test]
fn folders_of_this_machine_behave_as_buckets_do() {
    on_both(|world| {
        world.write("data/orders/1.csv", "id,name\n1,a\n");
        world.write("data/orders/deep/2.csv", "name,id\nb,2\n");
        world.write("data/orders/.hidden.csv", "id\n9\n");
        let run = world.load_of("data/orders/", &[]).exits(0);
        assert_eq!(run.files(), "excluded 1, loaded 2");
        assert_eq!(world.query("SELECT id, name FROM orders ORDER BY id"), ["1|a", "2|b"]);
        let url = format!("file://{}/", world.path("data/orders").display());
        let run = world.load_of(&url, &[]).exits(0);
        assert_eq!(run.files(), "excluded 1, already_loaded 2");
        let glob = world.load_of("data/orders/**/*.csv", &[]).exits(0);
        assert_eq!(glob.report()["files"]["already_loaded"], 2);
        assert_eq!(world.load_of("data/orders/1.csv", &[]).exits(0).files(), "already_loaded 1");
    });
}

#[test]
fn a_local_file_that_was_written_again_is_a_new_version() {
    on_both(|world| {
        world.write("data/orders/1.csv", "id\n1\n");
        world.load_of("data/orders/", &[]).exits(0);
        world.write("data/orders/1.csv", "id\n2\n");
        let file = std::fs::File::options().write(true).open(world.path("data/orders/1.csv"));
        let later = std::time::SystemTime::now() + Duration::from_secs(1);
        file.unwrap().set_modified(later).unwrap();
        assert_eq!(world.load_of("data/orders/", &[]).exits(0).files(), "loaded 1");
        assert_eq!(world.query("SELECT id FROM orders"), ["2"]);
    });
}

#[test]
fn several_sources_feed_one_table() {
    on_both(|world| {
        world.write("data/1.csv", "id\n1\n");
        world.write("data/2.csv", "id\n2\n");
        let url = world.database.url();
        let words = [
            "load",
            "data/1.csv",
            "data/2.csv",
            "--table",
            "merged",
            "--output",
            "json",
            "--to",
            &url,
        ];
        let run = world.checked(world.plain(&words).run().exits(0));
        assert_eq!(run.files(), "loaded 2");
        assert_eq!(world.query("SELECT id FROM merged ORDER BY id"), ["1", "2"]);
    });
}
