//! XML by row element: values without types, nested elements, bad rows.

use crate::world::{World, on_both};

const ORDERS: &str = "<?xml version=\"1.0\" encoding=\"windows-1252\"?>\n\
    <orders xmlns=\"urn:shop\">\n\
    <order id=\"1\"><customer>Ada &amp; Co</customer><amount>12.50</amount>\
    <placed>2024-01-02T10:00:00</placed><tag>a</tag><tag>b</tag></order>\n\
    <order id=\"2\"><customer>Zo\u{eb}</customer><amount/><code>007</code></order>\n\
    <order id=\"3\"><amount>7</amount><ship to=\"home\"><city>Rome</city></ship></order>\n\
    </orders>\n";

/// The document in the encoding that it declares.
fn orders() -> Vec<u8> {
    ORDERS.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect()
}

#[test]
fn attributes_and_elements_are_typed_columns() {
    on_both(|world| {
        world.put("orders/1.xml", orders());
        let run = world.load("orders/", &[]).exits(0);
        assert_eq!(run.rows(), "read 3, loaded 3");
        let rows = world.query("SELECT id, customer, code FROM orders ORDER BY id");
        assert_eq!(rows, ["1|Ada & Co|NULL", "2|Zo\u{eb}|007", "3|NULL|NULL"]);
        assert_eq!(world.query("SELECT sum(id), sum(amount) FROM orders"), ["6|19.5"]);
        let rows = world.rows("SELECT tag, ship FROM orders ORDER BY id");
        let json = |text: &Option<String>| -> serde_json::Value {
            text.as_deref().unwrap().parse().unwrap()
        };
        assert_eq!(json(&rows[0][0]), serde_json::json!(["a", "b"]));
        assert_eq!(json(&rows[2][1]), serde_json::json!({"to": "home", "city": "Rome"}));
    });
}

#[test]
fn a_row_element_is_named_and_flattened() {
    on_both(|world| {
        world.put("in/1.data", orders());
        world.configure(
            "",
            "streams:\n  s:\n    files: \"in/*\"\n    table: t\n    \
             format: {row_element: orders/order, flatten: {depth: 1, separator: _}}\n",
        );
        assert_eq!(world.sync(&[]).exits(0).rows(), "read 3, loaded 3");
        let rows = world.query("SELECT ship_to, ship_city FROM t WHERE id = 3");
        assert_eq!(rows, ["home|Rome"]);
    });
}

#[test]
fn an_element_that_appears_late_is_a_new_column_and_no_loss() {
    on_both(|world| {
        let row = |id: u32| format!("<r><id>{id}</id><word>plain</word></r>\n");
        let rows: String = (0..60_000).map(row).collect();
        let file = format!("<rows>{rows}<r><id>60000</id><late>7</late></r></rows>");
        world.put("in/1.xml", file);
        let run = world.load("in/", &["--table", "t"]).exits(0);
        assert_eq!(run.rows(), "read 60001, loaded 60001");
        assert_eq!(world.query("SELECT count(*), sum(late) FROM t"), ["60001|7"]);
    });
}

#[test]
fn bad_rows_are_kept_as_they_stand_and_can_be_replayed() {
    on_both(|world| {
        let file = "<d>\n<r><n>1</n></r>\n<r><n>x</n><w>ok</w></r>\n<r><n>&what;</n></r>\n</d>";
        world.put("in/1.xml", file);
        let options = ["--table", "t", "--on-error", "reject", "--type", "n=int64"];
        let run = world.load("in/", &options).exits(3);
        assert_eq!(run.rows(), "read 3, loaded 1, rejected 2");
        let rejects =
            world.query("SELECT line, byte_offset, reason FROM rejected_rows ORDER BY line");
        assert_eq!(rejects, ["3|20|type", "4|45|syntax"]);
        let words = ["rejects", "--to", &world.database.url(), "--export", "bad.txt"];
        world.plain(&words).run().exits(0);
        let text = std::fs::read_to_string(world.path("bad.txt")).unwrap();
        assert!(text.contains("<r><n>x</n><w>ok</w></r>"), "{text}");
        world.write("bad.txt", text.replace("<n>x</n>", "<n>2</n>").replace("&what;", "3"));
        let words =
            ["replay", "--to", &world.database.url(), "--output", "json", "--from", "bad.txt"];
        let run = world.checked(world.plain(&words).run()).exits(0);
        assert_eq!(run.rows(), "read 2, loaded 2");
        let rows = world.query("SELECT n, w FROM t ORDER BY n");
        assert_eq!(rows, ["1|NULL", "2|ok", "3|NULL"]);
    });
}

#[test]
fn a_broken_document_fails_its_file_with_line_and_column() {
    let world = World::sqlite();
    world.put("in/1.xml", "<d>\n<r><n>1</n></r>\n<r><n>2</m></r>\n</d>");
    let error = world.load("in/", &["--table", "t"]).exits(1).error();
    assert_eq!(error["line"], 3, "{error:#}");
    world.put("in/1.xml", "<!DOCTYPE d [<!ENTITY a 'b'>]>\n<d><r>&a;</r></d>");
    let error = world.load("in/", &["--table", "t"]).exits(1).error();
    assert!(error.to_string().contains("declares the entity `a`"), "{error:#}");
}
