//! Files whose columns and types are not those of their table, under each
//! policy: what is read is loaded, rejected or filtered, and nothing else.

use crate::run::Run;
use crate::world::{World, on_both};

/// Loads `first` into a new table, then `second` under `policy`, and answers
/// the second run.
fn first_then(world: &World, first: &str, second: &str, policy: &str) -> Run {
    let configure = |policy: &str| {
        world
            .configure("", &format!("streams:\n  s:\n    files: \"in/*\"\n    table: t\n{policy}"));
    };
    configure("");
    world.put("in/1.csv", first.to_owned());
    world.sync(&[]).exits(0);
    configure(policy);
    world.put("in/2.csv", second.to_owned());
    world.sync(&[])
}

fn types(run: &Run) -> Vec<String> {
    let report = run.report();
    let columns = report["tables"][0]["columns"].as_array().expect("columns").clone();
    columns
        .iter()
        .map(|column| {
            format!("{} {}", column["name"].as_str().unwrap(), column["type"].as_str().unwrap())
        })
        .collect()
}

fn changes(run: &Run) -> String {
    run.report()["tables"][0]["changes"].to_string()
}

#[test]
fn integers_widen_to_decimals_and_to_text_with_every_value_kept() {
    on_both(|world| {
        let run = first_then(world, "id,n\n1,10\n2,-5\n", "id,n\n3,2.5\n", "").exits(0);
        assert_eq!(run.rows(), "read 1, loaded 1");
        let expected = if world.database.is_postgres() { "n decimal" } else { "n float64" };
        assert!(types(&run)[1].starts_with(expected), "{:?}", types(&run));
        assert!(changes(&run).contains("in/2.csv"), "{}", changes(&run));
        world.put("in/3.csv", "id,n\n4,a lot\n");
        let run = world.sync(&[]).exits(0);
        assert_eq!(types(&run)[1], "n text");
        let rows = world.query("SELECT n FROM t ORDER BY id");
        let numbers: Vec<f64> = rows[..3].iter().map(|n| n.parse().unwrap()).collect();
        assert_eq!((numbers, rows[3].as_str()), (vec![10.0, -5.0, 2.5], "a lot"));
    });
}

#[test]
fn a_contradiction_late_in_a_large_file_restarts_that_file_and_no_other() {
    on_both(|world| {
        let mut file = String::from("id,n\n");
        (0..200_000).for_each(|id| file.push_str(&format!("{id},{}\n", id * 3)));
        file.push_str("200000,never\n");
        world.put("in/0.csv", "id,n\n-1,1\n");
        world.put("in/1.csv", file);
        world.put("in/2.csv", "id,n\n-2,2\n");
        let run = world.load("in/", &["--table", "t"]).exits(0);
        assert_eq!(run.files(), "loaded 3");
        assert_eq!(run.rows(), "read 200003, loaded 200003");
        assert_eq!(world.query("SELECT n FROM t WHERE id = 200000"), ["never"]);
        assert_eq!(world.query("SELECT n FROM t WHERE id = 199999"), ["599997"]);
        assert_eq!(world.query("SELECT count(*) FROM t"), ["200003"]);
    });
}

#[test]
fn dates_widen_to_timestamps_and_bools_to_text() {
    on_both(|world| {
        let first = "id,d,b\n1,2024-01-31,true\n";
        let second = "id,d,b\n2,2024-02-01T10:00:00,maybe\n";
        let run = first_then(world, first, second, "").exits(0);
        assert_eq!(types(&run)[1..3], ["d timestamp", "b text"]);
        let rows = world.query("SELECT d, b FROM t ORDER BY id");
        let rows: Vec<String> = rows.iter().map(|row| row.replace('T', " ")).collect();
        assert_eq!(rows, ["2024-01-31 00:00:00|true", "2024-02-01 10:00:00|maybe"]);
    });
}

#[test]
fn frozen_types_make_a_contradiction_a_bad_row() {
    on_both(|world| {
        let second = "id,n\n3,30\n4,a lot\n5,50\n";
        let policy = "    types: frozen\n    on_error: reject\n";
        let run = first_then(world, "id,n\n1,10\n", second, policy).exits(3);
        assert_eq!(run.rows(), "read 3, loaded 2, rejected 1");
        let sql = "SELECT ordinal, line, column_name, reason FROM rejected_rows";
        assert_eq!(world.query(sql), ["2|3|n|type"]);
        assert_eq!(world.query("SELECT n FROM t ORDER BY id"), ["10", "30", "50"]);
    });
}

#[test]
fn frozen_types_fail_the_file_where_bad_rows_do() {
    on_both(|world| {
        let run = first_then(world, "id,n\n1,10\n", "id,n\n4,a lot\n", "    types: frozen\n");
        let error = run.exits(1).error();
        assert_eq!((error["line"].as_u64(), error["column"].as_str()), (Some(2), Some("n")));
        assert_eq!(world.query("SELECT n FROM t"), ["10"]);
    });
}

#[test]
fn a_conflict_fails_its_file_where_that_is_asked_whatever_else_is_rejected() {
    on_both(|world| {
        let policy = "    types: frozen\n    on_conflict: fail\n    on_error: reject\n";
        let run = first_then(world, "id,n\n1,10\n", "id,n\n2,20\n3,many\n", policy).exits(1);
        assert_eq!(run.files(), "already_loaded 1, failed 1");
        assert_eq!(world.query("SELECT n FROM t"), ["10"]);
    });
}

#[test]
fn a_conflict_is_rescued_beside_its_row() {
    on_both(|world| {
        let policy = "    types: frozen\n    on_conflict: rescue\n";
        let run = first_then(world, "id,n\n1,10\n", "id,n\n2,20\n3,many\n", policy).exits(0);
        assert_eq!(run.rows(), "read 2, loaded 2, rescued 1");
        assert_eq!(world.query("SELECT id, n FROM t ORDER BY id"), ["1|10", "2|20", "3|NULL"]);
        let rescued = world.rows("SELECT _rescued FROM t ORDER BY id");
        assert_eq!((&rescued[0][0], &rescued[1][0]), (&None, &None));
        let kept: serde_json::Value = rescued[2][0].as_deref().unwrap().parse().unwrap();
        assert_eq!(kept["n"], "many");
        assert_eq!(kept["_file"], "s3://shop/in/2.csv");
    });
}

const TWO: &str = "id,n\n1,10\n";
const THREE: &str = "id,n,extra\n2,20,more\n3,30,\n";

#[test]
fn new_columns_are_added_to_tables_of_our_own() {
    on_both(|world| {
        let run = first_then(world, TWO, THREE, "").exits(0);
        assert_eq!(run.rows(), "read 2, loaded 2");
        let rows = world.query("SELECT id, extra FROM t ORDER BY id");
        assert_eq!(rows, ["1|NULL", "2|more", "3|NULL"]);
        assert!(changes(&run).contains("extra") && changes(&run).contains("in/2.csv"));
    });
}

#[test]
fn new_columns_are_left_out_where_that_is_asked() {
    on_both(|world| {
        let run = first_then(world, TWO, THREE, "    new_columns: ignore\n").exits(0);
        assert_eq!(run.rows(), "read 2, loaded 2");
        assert!(changes(&run).contains("extra") && changes(&run).contains("in/2.csv"));
        let columns = world.database.columns("t");
        assert_eq!(columns, ["id", "n", "_file_id"]);
    });
}

#[test]
fn new_columns_are_rescued_where_that_is_asked() {
    on_both(|world| {
        let run = first_then(world, TWO, THREE, "    new_columns: rescue\n").exits(0);
        assert_eq!(run.rows(), "read 2, loaded 2, rescued 1");
        let rescued = world.rows("SELECT _rescued FROM t ORDER BY id");
        let kept: serde_json::Value = rescued[1][0].as_deref().unwrap().parse().unwrap();
        assert_eq!(kept["extra"], "more");
        assert_eq!((&rescued[0][0], &rescued[2][0]), (&None, &None), "nothing to keep");
    });
}

#[test]
fn rows_with_a_value_in_a_new_column_are_rejected_where_that_is_asked() {
    on_both(|world| {
        let policy = "    new_columns: reject\n    on_error: reject\n";
        let run = first_then(world, TWO, THREE, policy).exits(3);
        assert_eq!(run.rows(), "read 2, loaded 1, rejected 1");
        assert_eq!(world.query("SELECT id FROM t ORDER BY id"), ["1", "3"]);
        let sql = "SELECT ordinal, line, column_name, reason FROM rejected_rows";
        assert_eq!(world.query(sql), ["1|2|extra|new_column"]);
    });
}

#[test]
fn new_columns_fail_their_file_where_that_is_asked() {
    on_both(|world| {
        let run = first_then(world, TWO, THREE, "    new_columns: fail\n").exits(1);
        assert_eq!(run.files(), "already_loaded 1, failed 1");
        assert!(run.error()["message"].as_str().unwrap().contains("extra"));
    });
}

#[test]
fn missing_columns_are_null_or_fail_their_file() {
    on_both(|world| {
        let run = first_then(world, THREE, TWO, "").exits(0);
        assert_eq!(run.rows(), "read 1, loaded 1");
        assert_eq!(world.query("SELECT extra FROM t WHERE id = 1"), ["NULL"]);
        world.configure(
            "",
            "streams:\n  s:\n    files: \"in/*\"\n    table: t\n    missing_columns: fail\n",
        );
        world.put("in/3.csv", "id,n\n9,90\n");
        let run = world.sync(&[]).exits(1);
        assert!(run.error()["message"].as_str().unwrap().contains("extra"));
        assert_eq!(world.query("SELECT count(*) FROM t WHERE id = 9"), ["0"]);
    });
}

#[test]
fn aliases_name_a_column_that_some_files_call_otherwise() {
    on_both(|world| {
        let policy = "    columns: {aliases: {customer_id: [cust_id, CustomerID]}}\n";
        let run = first_then(world, "customer_id,n\n1,10\n", "n,cust_id\n20,2\n", policy).exits(0);
        assert_eq!(run.rows(), "read 1, loaded 1");
        world.put("in/3.csv", "CustomerID,n\n3,30\n");
        world.sync(&[]).exits(0);
        let rows = world.query("SELECT customer_id, n FROM t ORDER BY customer_id");
        assert_eq!(rows, ["1|10", "2|20", "3|30"]);
        world.put("in/4.csv", "CustomerID,cust_id\n4,40\n");
        let error = world.sync(&[]).exits(1).error();
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("CustomerID") && message.contains("cust_id"), "{message}");
    });
}

#[test]
fn headers_that_collide_get_the_same_names_in_every_file() {
    on_both(|world| {
        let header = "id,Name,name,NAME\n";
        let run =
            first_then(world, &format!("{header}1,a,b,c\n"), &format!("{header}2,d,e,f\n"), "");
        assert_eq!(run.exits(0).rows(), "read 1, loaded 1");
        let columns = world.database.columns("t");
        assert_eq!(columns.len(), 5, "{columns:?}");
        let names = columns[1..4].join(", ");
        let rows = world.query(&format!("SELECT {names} FROM t ORDER BY id"));
        assert_eq!(rows, ["a|b|c", "d|e|f"]);
    });
}

#[test]
fn a_plan_shows_what_would_change() {
    on_both(|world| {
        world.put("in/1.csv", TWO);
        world.load("in/", &["--table", "t"]).exits(0);
        world.put("in/2.csv", "id,n,extra\n2,a lot,more\n");
        let url = world.database.url();
        let run = world.decant(&["plan", "s3://shop/in/", "--to", &url, "--table", "t"]).run();
        run.exits(0).says(&["extra", "in/2.csv"]);
        assert_eq!(world.database.columns("t"), ["id", "n", "_file_id"]);
    });
}

#[test]
fn a_file_that_alone_would_make_its_table_is_passed_over_as_well() {
    on_both(|world| {
        world.put("in/1.json", "[{\"a\":1},\n{\"a\":oops}]");
        let run = world.load("in/", &["--on-error", "skip-file", "--table", "t"]).exits(3);
        assert_eq!(run.files(), "skipped 1");
        assert_eq!(run.error()["line"], 2);
        assert_eq!(world.statuses(), ["in/1.json|skipped"]);
        let again = world.load("in/", &["--on-error", "skip-file", "--table", "t"]).exits(0);
        assert_eq!(again.report()["files"]["failed"], 0);
    });
}

#[test]
fn too_many_rejects_say_how_many_are_allowed_and_the_cure() {
    let world = World::sqlite();
    world.put("in/1.csv", "id\n1\nx\ny\n");
    let options =
        ["--table", "t", "--on-error", "reject", "--max-rejects", "1", "--type", "id=int64"];
    let error = world.load("in/", &options).exits(1).error();
    assert!(error["message"].as_str().unwrap().contains("more than the 1 that max_rejects allows"));
    assert!(error["hint"].as_str().unwrap().contains("decant rejects"), "{error}");
}
