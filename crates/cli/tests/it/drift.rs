//! Files that differ from their table, policy by policy: what is loaded, what
//! is rejected, and what the report says of it.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray};

use crate::lists::parquet;
use crate::world::on_both;

#[test]
fn what_is_new_or_does_not_fit_is_rescued_where_that_is_asked() {
    on_both(|world| {
        world.put("orders/1.csv", "id,amount\n1,10\n");
        world.load("orders/", &[]).exits(0);
        world.put("orders/2.csv", "id,amount,colour\n2,20,red\n3,much,\n4,40,\n");
        let options = ["--new-columns", "rescue", "--on-conflict", "rescue", "--types", "frozen"];
        let run = world.load("orders/", &options).exits(0);
        assert_eq!(run.rows(), "read 3, loaded 3, rescued 2");
        let changes = run.report()["tables"][0]["changes"].to_string();
        assert!(changes.contains("kept in _rescued: `colour`"), "{changes}");
        assert_eq!(
            world.query("SELECT id, amount FROM orders ORDER BY id"),
            ["1|10", "2|20", "3|NULL", "4|40"]
        );
        let rescued = match world.database.is_postgres() {
            true => "SELECT id, _rescued->>'colour', _rescued->>'amount', _rescued->>'_file'",
            false => {
                "SELECT id, json_extract(_rescued, '$.colour'), \
                 json_extract(_rescued, '$.amount'), json_extract(_rescued, '$._file')"
            }
        };
        let file = "s3://shop/orders/2.csv";
        assert_eq!(
            world.query(&format!("{rescued} FROM orders WHERE _rescued IS NOT NULL ORDER BY id")),
            [format!("2|red|NULL|{file}"), format!("3|NULL|much|{file}")]
        );
    });
}

#[test]
fn what_a_file_of_types_brings_is_rescued_as_what_it_is() {
    let texts = |values: &[&str]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    let ids = |first: i64| -> ArrayRef {
        Arc::new(Int64Array::from((first..first + 3).collect::<Vec<i64>>()))
    };
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), None, Some(-1)]));
    let new = vec![("id", ids(4)), ("w", texts(&["plain", "007", "5"])), ("n", numbers)];
    on_both(|world| {
        world.put("orders/1.parquet", parquet(vec![("id", ids(1))]));
        world.load("orders/", &[]).exits(0);
        world.put("orders/2.parquet", parquet(new.clone()));
        let run = world.load("orders/", &["--new-columns", "rescue"]).exits(0);
        assert_eq!(run.rows(), "read 3, loaded 3, rescued 3");
        let rows = world.rows("SELECT _rescued FROM orders WHERE id > 3 ORDER BY id");
        let rescued: Vec<serde_json::Value> = rows
            .iter()
            .map(|row| serde_json::from_str(row[0].as_deref().unwrap()).unwrap())
            .collect();
        let file = "s3://shop/orders/2.parquet";
        assert_eq!(rescued[0], serde_json::json!({"w": "plain", "n": 7, "_file": file}));
        assert_eq!(rescued[1], serde_json::json!({"w": "007", "_file": file}));
        assert_eq!(rescued[2], serde_json::json!({"w": "5", "n": -1, "_file": file}));
    });
}

#[test]
fn rows_with_values_in_new_columns_are_rejected_where_that_is_asked() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.load("orders/", &[]).exits(0);
        world.put("orders/2.csv", "id,colour\n2,red\n3,\n");
        let options = ["--new-columns", "reject", "--on-error", "reject"];
        let run = world.load("orders/", &options).exits(3);
        assert_eq!(run.rows(), "read 2, loaded 1, rejected 1");
        assert_eq!(world.query("SELECT id FROM orders ORDER BY id"), ["1", "3"]);
        let rejects = world.query("SELECT line, column_name, reason FROM rejected_rows");
        assert_eq!(rejects, ["2|colour|new_column"]);
    });
}

#[test]
fn a_value_that_does_not_fit_fails_its_file_where_that_is_asked() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.load("orders/", &[]).exits(0);
        world.put("orders/2.csv", "id\n2\nx\n");
        let options = ["--types", "frozen", "--on-conflict", "fail", "--on-error", "reject"];
        let run = world.load("orders/", &options).exits(1);
        assert_eq!(run.files(), "already_loaded 1, failed 1");
        assert_eq!(run.error()["line"], 3);
        assert_eq!(world.query("SELECT id FROM orders"), ["1"]);
    });
}

#[test]
fn columns_that_are_missing_fail_their_file_where_that_is_asked() {
    on_both(|world| {
        world.put("orders/1.csv", "id,amount\n1,10\n");
        world.load("orders/", &[]).exits(0);
        world.put("orders/2.csv", "id\n2\n");
        let run = world.load("orders/", &["--missing-columns", "fail"]).exits(1);
        assert!(run.error()["message"].as_str().unwrap().contains("`amount`"));
        world.load("orders/", &["--retry-failed"]).exits(0);
        assert_eq!(world.query("SELECT id FROM orders WHERE amount IS NULL"), ["2"]);
    });
}

#[test]
fn rows_are_chosen_and_counted_by_where() {
    on_both(|world| {
        world.put("orders/1.csv", "id,amount,country\n1,10,FR\n2,20,FR\n3,30,US\n4,,FR\n");
        let options =
            ["--where", "amount > 10 and country in ('FR', 'DE')", "--exclude-columns", "country"];
        let run = world.load("orders/", &options).exits(0);
        assert_eq!(run.rows(), "read 4, loaded 1, filtered 3");
        assert_eq!(world.database.columns("orders"), ["id", "amount", "_file_id"]);
        assert_eq!(world.query("SELECT id, amount FROM orders"), ["2|20"]);
    });
}

#[test]
fn columns_come_from_the_file_and_its_key() {
    on_both(|world| {
        world.put("orders/day=2024-01-02/1.csv", "id,mail\n1,a@b\n2,\n");
        let options = [
            "--add-column",
            "source={file}",
            "--add-column",
            "line={line}",
            "--add-column",
            "day={path:day}",
            "--type",
            "day=date",
            "--row-hash",
            "row_hash",
            "--mask",
            "mail=1",
        ];
        world.load("orders/", &options).exits(0);
        let file = "s3://shop/orders/day=2024-01-02/1.csv";
        assert_eq!(
            world.query("SELECT id, mail, source, line, day FROM orders ORDER BY id"),
            [format!("1|**b|{file}|2|2024-01-02"), format!("2|NULL|{file}|3|2024-01-02")]
        );
        let lengths = world.query("SELECT length(row_hash) FROM orders");
        assert_eq!(lengths, ["64", "64"]);
    });
}

#[test]
fn what_a_repair_cut_off_is_kept_and_the_row_is_loaded() {
    on_both(|world| {
        world.put("orders/1.csv", "id,name,city\n1,a,x\n2,b\n3,c,y,more\n");
        let run = world.load("orders/", &["--lenient"]).exits(0);
        assert_eq!(run.rows(), "read 3, loaded 3, repaired 2");
        let repairs = &run.report()["rows"]["repairs"];
        assert_eq!((&repairs["padded"], &repairs["cut"]), (&1.into(), &1.into()), "{repairs}");
        assert_eq!(world.query("SELECT line, reason FROM rejected_rows"), ["4|repaired"]);
    });
}

#[test]
fn a_plan_shows_what_would_change() {
    on_both(|world| {
        world.put("orders/1.csv", "id,amount\n1,10\n");
        world.load("orders/", &[]).exits(0);
        world.put("orders/2.csv", "id,colour\nx,red\n");
        world.configure("orders/", "streams:\n  orders: {files: \"*.csv\", table: orders}\n");
        let run = world.plain(&["plan", "--output", "json"]).run().exits(0);
        let tables = run.lines();
        let table = tables.iter().find(|line| line["exists"] == true).expect("the table");
        let changes = table["changes"].to_string();
        for change in ["added: `colour`", "missing: `amount`", "widened: `id` from int64"] {
            assert!(changes.contains(change), "{change} in {changes}");
        }
        assert_eq!(world.database.columns("orders"), ["id", "amount", "_file_id"]);
    });
}
