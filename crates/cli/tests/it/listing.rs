//! `decant list`: printed, or saved to a table or a file.

use serde_json::Value;

use crate::world::{World, on_both};

fn filled(world: &World) {
    for name in ["1.json", "2.csv", "3.json", "4.JSON", "5.jsonl", "6json"] {
        world.put(&format!("in/{name}"), "12345");
    }
}

fn list(world: &World, options: &[&str]) -> Vec<Value> {
    let words = ["list", "s3://shop/in/", "--output", "json"];
    world.decant(&[&words[..], options].concat()).run().exits(0).lines()
}

fn names(lines: &[Value]) -> Vec<&str> {
    let name = |line: &'_ Value| line["path"].as_str().unwrap().strip_prefix("in/").map(str::len);
    assert!(lines.iter().all(|line| name(line).is_some()), "{lines:#?}");
    lines.iter().map(|line| &line["path"].as_str().unwrap()["in/".len()..]).collect()
}

#[test]
fn files_are_printed_with_size_and_time_and_summed() {
    let world = World::sqlite();
    filled(&world);
    let run = world.decant(&["list", "s3://shop/in/"]).run().exits(0);
    run.says(&["in/1.json", "6 files"]);
    let lines = list(&world, &[]);
    assert_eq!(lines.len(), 6);
    let keys: Vec<&str> = lines[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["bucket", "path", "size", "etag", "last_modified"]);
    assert_eq!(lines[0]["size"], 5);
    assert_eq!(lines[0]["bucket"], "shop");
}

#[test]
fn an_extension_is_meant_with_or_without_its_dot() {
    let world = World::sqlite();
    filled(&world);
    for extension in ["json", ".json"] {
        let lines = list(&world, &["--extension", extension]);
        let names = names(&lines);
        assert!(names.contains(&"1.json") && names.contains(&"3.json"), "{names:?}");
        assert!(!names.contains(&"2.csv") && !names.contains(&"5.jsonl"), "{names:?}");
        assert!(!names.contains(&"6json"), "{names:?}");
    }
}

#[test]
fn max_files_ends_the_list_early_and_none_is_none() {
    let world = World::sqlite();
    filled(&world);
    world.s3.set_page_size_max(2);
    assert_eq!(names(&list(&world, &["--max-files", "3"])), ["1.json", "2.csv", "3.json"]);
    assert!(list(&world, &["--max-files", "0"]).is_empty());
    assert_eq!(list(&world, &["--max-files", "100"]).len(), 6);
    assert_eq!(names(&list(&world, &["--extension", "json", "--max-files", "2"])).len(), 2);
}

#[test]
fn a_list_is_saved_to_a_table_which_it_replaces() {
    on_both(|world| {
        filled(world);
        let words = ["list", "s3://shop/in/", "--to", &world.database.url(), "--table", "paths"];
        world.decant(&words).run().exits(0).says(&["6 files"]);
        let sql = "SELECT bucket, path, size FROM paths ORDER BY path LIMIT 1";
        assert_eq!(world.query(sql), ["shop|in/1.json|5"]);
        world.s3.delete(crate::world::BUCKET, "in/1.json");
        world.put("in/7.json", "1");
        world.decant(&words).run().exits(0).says(&["6 files"]);
        assert_eq!(world.query("SELECT count(*) FROM paths"), ["6"]);
        assert_eq!(world.query("SELECT count(*) FROM paths WHERE path LIKE '%/1.json'"), ["0"]);
        let none = [&words[..], &["--max-files", "0"]].concat();
        world.decant(&none).run().exits(0);
        assert_eq!(world.query("SELECT count(*) FROM paths"), ["0"]);
    });
}

#[test]
fn a_list_is_saved_to_a_file_of_json_lines() {
    let world = World::sqlite();
    filled(&world);
    let words = ["list", "s3://shop/in/", "--to-file", "paths.jsonl", "--extension", "csv"];
    world.decant(&words).run().exits(0);
    let text = std::fs::read_to_string(world.path("paths.jsonl")).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(names(&lines), ["2.csv"]);
}

#[test]
fn a_folder_of_this_machine_is_listed_too() {
    let world = World::sqlite();
    world.write("data/b.csv", "1");
    world.write("data/a.csv", "22");
    let run = world.plain(&["list", "data/", "--output", "json"]).run().exits(0);
    let sizes: Vec<Value> = run.lines().iter().map(|line| line["size"].clone()).collect();
    assert_eq!(sizes, [2, 1]);
}

#[test]
fn a_bucket_that_is_not_there_cannot_be_listed() {
    let world = World::sqlite();
    world
        .decant(&["list", "s3://nowhere-at-all/"])
        .run()
        .exits(1)
        .says(&["nowhere-at-all", "hint:"]);
}
