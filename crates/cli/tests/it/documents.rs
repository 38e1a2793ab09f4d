//! JSON as people have it: any shape, nested values, keys that come late.

use crate::world::{World, on_both};

#[test]
fn every_shape_loads_the_same_rows() {
    on_both(|world| {
        for (name, file) in [
            ("lines", "{\"id\":1,\"name\":\"ada\"}\n{\"id\":2,\"name\":null}\n"),
            ("listed", "[{\"id\":1,\"name\":\"ada\"},{\"id\":2}]"),
            ("split", r#"{"columns":["id","name"],"index":[0,1],"data":[[1,"ada"],[2,null]]}"#),
            ("concatenated", r#"{"id":1,"name":"ada"}{"id":2,"name":null}"#),
        ] {
            world.put(&format!("{name}/1.json"), file);
            let run = world.load(&format!("{name}/"), &[]).exits(0);
            assert_eq!(run.rows(), "read 2, loaded 2", "{name}");
            let rows = world.query(&format!("SELECT id, name FROM {name} ORDER BY id"));
            assert_eq!(rows, ["1|ada", "2|NULL"], "{name}");
        }
    });
}

#[test]
fn numbers_keep_every_digit() {
    on_both(|world| {
        world.put(
            "in/1.json",
            r#"[{"id":1,"n":9007199254740993},{"id":2,"n":-9223372036854775808}]"#,
        );
        world.load("in/", &["--table", "t"]).exits(0);
        let rows = world.query("SELECT n FROM t ORDER BY id");
        assert_eq!(rows, ["9007199254740993", "-9223372036854775808"]);
    });
}

#[test]
fn nested_values_are_json_in_one_column_each() {
    on_both(|world| {
        world.put("in/1.json", "{\"id\":1,\"tags\":[\"a\",\"b\"],\"at\":{\"x\":1}}\n");
        world.load("in/", &["--table", "t"]).exits(0);
        let rows = world.rows("SELECT tags, at FROM t");
        let json = |text: &Option<String>| -> serde_json::Value {
            text.as_deref().unwrap().parse().unwrap()
        };
        assert_eq!(json(&rows[0][0]), serde_json::json!(["a", "b"]));
        assert_eq!(json(&rows[0][1]), serde_json::json!({"x": 1}));
        if world.database.is_postgres() {
            assert_eq!(world.query("SELECT at ->> 'x' FROM t"), ["1"], "jsonb can be asked");
        }
    });
}

#[test]
fn nested_objects_become_columns_where_that_is_asked() {
    on_both(|world| {
        world.put("in/1.json", "{\"id\":1,\"at\":{\"x\":1,\"deep\":{\"y\":2}}}\n");
        world.configure(
            "",
            "streams:\n  s:\n    files: \"in/*\"\n    table: t\n    \
             format: {type: json, flatten: {depth: 1, separator: _}}\n",
        );
        world.sync(&[]).exits(0);
        let rows = world.rows("SELECT id, at_x, at_deep FROM t");
        assert_eq!(rows[0][1].as_deref(), Some("1"));
        let deep: serde_json::Value = rows[0][2].as_deref().unwrap().parse().unwrap();
        assert_eq!(deep, serde_json::json!({"y": 2}));
    });
}

#[test]
fn a_key_that_appears_late_is_a_new_column_and_no_loss() {
    on_both(|world| {
        let mut file = String::new();
        (0..60_000).for_each(|id| file.push_str(&format!("{{\"id\":{id},\"word\":\"plain\"}}\n")));
        file.push_str("{\"id\":60000,\"word\":\"last\",\"late\":7}\n");
        world.put("in/1.jsonl", file);
        let run = world.load("in/", &["--table", "t"]).exits(0);
        assert_eq!(run.rows(), "read 60001, loaded 60001");
        assert_eq!(world.query("SELECT count(*), sum(late) FROM t"), ["60001|7"]);
        assert_eq!(world.query("SELECT late FROM t WHERE id = 60000"), ["7"]);
    });
}

#[test]
fn rows_stand_where_the_pointer_says() {
    on_both(|world| {
        world.put("in/1.json", r#"{"meta":{"page":1},"data":{"items":[{"id":1},{"id":2}]}}"#);
        world.configure(
            "",
            "streams:\n  s:\n    files: \"in/*\"\n    table: t\n    \
             format: {type: json, records_path: /data/items}\n",
        );
        assert_eq!(world.sync(&[]).exits(0).rows(), "read 2, loaded 2");
        assert_eq!(world.query("SELECT id FROM t ORDER BY id"), ["1", "2"]);
    });
}

#[test]
fn a_malformed_line_is_rejected_alone() {
    on_both(|world| {
        world.put("in/1.jsonl", "{\"id\":1}\n{\"id\":}\n{\"id\":3}\n{\"id\":4,\"id\":5}\n");
        let run = world.load("in/", &["--table", "t", "--on-error", "reject"]).exits(3);
        assert_eq!(run.rows(), "read 4, loaded 2, rejected 2");
        let rejects =
            world.query("SELECT line, byte_offset, reason FROM rejected_rows ORDER BY line");
        assert_eq!(rejects, ["2|9|syntax", "4|26|syntax"]);
    });
}

#[test]
fn a_broken_document_fails_its_file_with_line_and_column() {
    on_both(|world| {
        world.put("in/1.json", "[\n  {\"id\": 1},\n  {\"id\": 2,}\n]");
        let error = world.load("in/", &["--table", "t"]).exits(1).error();
        assert_eq!(error["line"], 3, "{error:#}");
        assert!(
            !world.database.tables().contains(&"t".to_owned())
                || world.query("SELECT * FROM t").is_empty()
        );
    });
}

#[test]
fn an_empty_array_is_a_file_without_rows() {
    let world = World::sqlite();
    world.put("in/1.json", "[]");
    world.put("in/2.json", "[{\"id\":1}]");
    assert_eq!(world.load("in/", &["--table", "t"]).exits(0).rows(), "read 1, loaded 1");
}
