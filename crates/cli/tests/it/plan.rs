//! `decant plan` and `decant check`: what would be, and whether it can be;
//! nothing changes.

use serde_json::Value;

use crate::world::{World, on_both};

fn plan(world: &World, options: &[&str]) -> Vec<Value> {
    let url = world.database.url();
    let words = ["plan", "s3://shop/orders/", "--output", "json", "--to", &url];
    world.decant(&[&words[..], options].concat()).run().exits(0).lines()
}

#[test]
fn a_plan_says_what_would_be_loaded_and_made_and_changes_nothing() {
    on_both(|world| {
        world.put("orders/1.csv", "id,name\n1,a\n");
        world.put("orders/_SUCCESS", "");
        let lines = plan(world, &[]);
        let load = lines.iter().find(|line| line["action"] == "load").expect("a file to load");
        assert_eq!(load["file"], "s3://shop/orders/1.csv");
        assert_eq!(load["size"], 12);
        let table = lines.iter().find(|line| line["statements"].is_array()).expect("a table");
        assert_eq!(table["exists"], false);
        let statements = table["statements"].to_string();
        assert!(statements.contains("CREATE TABLE") && statements.contains("name"), "{statements}");
        let sums = lines.last().expect("sums");
        assert_eq!(sums["sums"]["load"]["files"], 1);
        assert_eq!(sums["sums"]["excluded"]["files"], 1);
        assert!(world.database.tables().is_empty(), "{:?}", world.database.tables());
        assert!(!world.path("test.db").exists(), "a file was made");
    });
}

#[test]
fn a_plan_for_people_names_files_reasons_and_statements() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.put("orders/.hidden", "");
        world.configure("", "streams: {orders: {}}\n");
        let run = world.plain(&["plan"]).run().exits(0);
        run.says(&["s3://shop/orders/1.csv", "CREATE TABLE", "excluded", "1 file"]);
        run.never_says(decant_testkit::postgres::PASSWORD);
        assert!(world.database.tables().is_empty());
    });
}

#[test]
fn a_plan_knows_what_is_settled_and_what_was_given_up() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.put("orders/2.csv", "id\nx\n");
        let typed = ["--type", "id=int64", "--max-attempts", "1"];
        world.load("orders/", &typed).exits(1);
        let lines = plan(world, &typed);
        let action = |key: &str| {
            let path = format!("s3://shop/orders/{key}");
            let line = lines.iter().find(|line| line["file"] == path.as_str()).expect("the file");
            line["action"].clone()
        };
        assert_eq!(action("1.csv"), "settled");
        assert_eq!(action("2.csv"), "failed");
        assert_eq!(world.ledger(), ["orders/1.csv|loaded|1|1", "orders/2.csv|failed|0|1"]);
    });
}

#[test]
fn what_files_have_in_common_is_told_before_their_table_is_made() {
    on_both(|world| {
        world.put("orders/1.csv", "Name,NAME\na,b\n");
        let changes = |options: &[&str]| {
            let lines = plan(world, options);
            lines.iter().find(|line| line["statements"].is_array()).unwrap()["changes"].to_string()
        };
        assert!(changes(&[]).contains("`NAME` to `name_"), "{}", changes(&[]));
        world.put("orders/2.csv", "name\nc\n");
        assert!(changes(&[]).contains("missing: "), "{}", changes(&[]));
        let refused = changes(&["--missing-columns", "fail"]);
        assert!(refused.contains("refused: ") && refused.contains("orders/2.csv"), "{refused}");
        assert!(world.database.tables().is_empty());
    });
}

#[test]
fn options_of_a_load_need_a_source() {
    let world = World::sqlite();
    world.plain(&["plan", "--table", "x"]).run().exits(2).says(&["--table", "SOURCE"]);
}

#[test]
fn a_check_of_what_works_leaves_nothing_behind() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.configure("", "streams: {orders: {}}\n");
        let run = world.plain(&["check"]).run().exits(0);
        run.says(&["ok"]);
        run.never_says(decant_testkit::postgres::PASSWORD);
        assert!(world.database.tables().is_empty(), "{:?}", world.database.tables());
        let lines = world.plain(&["check", "--output", "json"]).run().exits(0).lines();
        assert!(lines.iter().all(|line| line["ok"] == true), "{lines:#?}");
        assert!(lines.len() >= 2, "{lines:#?}");
    });
}

#[test]
fn a_check_of_what_does_not_work_says_what() {
    let world = World::sqlite();
    world.configure("", "streams: {orders: {}}\n");
    let words = ["check", "s3://not-a-bucket/x/", "--to", &world.database.url()];
    let run = world.decant(&words).run().exits(1);
    run.says(&["FAILED", "not-a-bucket"]);
    let url = "postgresql://me@127.0.0.1:1/db";
    let words = ["check", "s3://shop/", "--to", url, "--table", "x", "--output", "json"];
    let lines = world.decant(&words).run().exits(1).lines();
    let bad: Vec<&Value> = lines.iter().filter(|line| line["ok"] == false).collect();
    assert_eq!(bad.len(), 1, "{lines:#?}");
    assert_eq!(bad[0]["error"]["kind"], "Unavailable");
}
