//! `decant rejects`: rows that could not be loaded, shown and exported.

use crate::world::{World, on_both};

/// Two files with three bad rows among them.
fn with_rejects(world: &World) {
    world.put("orders/1.csv", "id,amount\n1,10\nx,20\n3,30,more\n4,40\n");
    world.put("orders/2.csv", "id,amount\ny,50\n6,60\n");
    let options = ["--on-error", "reject", "--type", "id=int64"];
    world.load("orders/", &options).exits(3);
}

fn rejects(world: &World, options: &[&str]) -> crate::run::Run {
    let words = ["rejects", "--to", &world.database.url(), "--output", "json"];
    world.plain(&[&words, options].concat()).run()
}

#[test]
fn rejects_are_shown_with_their_place_their_reason_and_their_text() {
    on_both(|world| {
        with_rejects(world);
        let lines = rejects(world, &[]).exits(0).lines();
        assert_eq!(lines.len(), 3, "{lines:?}");
        let of_text = |raw: &str| {
            lines.iter().find(|line| line["raw"] == raw).unwrap_or_else(|| panic!("{lines:?}"))
        };
        let bad = of_text("x,20");
        assert_eq!(bad["file"], "s3://shop/orders/1.csv");
        assert_eq!((bad["line"].as_u64(), bad["ordinal"].as_u64()), (Some(3), Some(2)));
        assert_eq!((bad["column"].as_str(), bad["reason"].as_str()), (Some("id"), Some("type")));
        assert!(bad["detail"].as_str().unwrap().contains("`x`"), "{bad}");
        assert!(bad["settled_at"].is_null());
        assert_eq!(of_text("3,30,more")["reason"], "field_count");
        let table = world.plain(&["rejects", "--to", &world.database.url()]).run().exits(0);
        table.says(&["orders/2.csv", "field_count", "3,30,more"]);
    });
}

#[test]
fn rejects_are_chosen_by_table_file_run_and_reason() {
    on_both(|world| {
        with_rejects(world);
        let count = |options: &[&str]| rejects(world, options).exits(0).lines().len();
        assert_eq!(count(&["--table", "orders"]), 3);
        assert_eq!(count(&["--table", "other"]), 0);
        assert_eq!(count(&["--file", "2.csv"]), 1);
        assert_eq!(count(&["--file", "s3://shop/orders/1.csv"]), 2);
        assert_eq!(count(&["--reason", "field_count"]), 1);
        assert_eq!(count(&["--run", "nobody"]), 0);
        assert_eq!(count(&["--limit", "2"]), 2);
        let empty = world.plain(&["rejects", "--to", &world.database.url(), "--table", "other"]);
        empty.run().exits(0).says(&["there are no such rejects"]);
    });
}

#[test]
fn an_export_holds_the_rows_below_their_header_and_is_not_overwritten() {
    on_both(|world| {
        with_rejects(world);
        let export = ["--file", "1.csv", "--export", "bad.csv"];
        assert_eq!(rejects(world, &export).exits(0).report()["rows"], 2);
        let text = std::fs::read_to_string(world.path("bad.csv")).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "_reject_id,id,amount");
        assert!(lines[1].starts_with('r') && lines[1].ends_with(",x,20"), "{text}");
        assert!(lines[2].ends_with(",3,30,more"), "{text}");
        rejects(world, &export).exits(2).says(&["is there already", "--force"]);
        rejects(world, &[&export[..], &["--force"]].concat()).exits(0);
        let none = ["--reason", "quote", "--export", "none.csv"];
        rejects(world, &none).exits(1).says(&["no such rejects"]);
        assert!(!world.path("none.csv").exists());
    });
}

#[test]
fn rejects_with_different_columns_are_exported_apart() {
    let world = World::sqlite();
    with_rejects(&world);
    world.put("people/1.csv", "name,age\nAnn,old\n");
    world.load("people/", &["--on-error", "reject", "--type", "age=int64"]).exits(3);
    let run = rejects(&world, &["--export", "all.csv"]).exits(2);
    run.says(&["different columns", "--table"]);
}
