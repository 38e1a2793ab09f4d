//! `decant discover --write`: the configuration loads what a load would.

use std::sync::Arc;

use arrow_array::{Int64Array, RecordBatch, StringArray};
use decant_testkit::s3::gzip;
use parquet::arrow::ArrowWriter;

use crate::archives::zip;
use crate::world::{World, on_both};

pub(crate) fn parquet() -> Vec<u8> {
    let ids = Arc::new(Int64Array::from(vec![1, 2]));
    let names = Arc::new(StringArray::from(vec![Some("ada"), None]));
    let batch = RecordBatch::try_from_iter([("id", ids as _), ("name", names as _)]).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

/// Files by the folder and the name that they get.
fn shapes() -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("comma/a.csv", text("id,name\n1,ada\n2,\n")),
        ("semicolon/a.csv", text("id;amount\n1;1,5\n2;2,25\n3;1.000,75\n")),
        ("tabs/a.csv", text("id\tname\n1\ta b\n2\tc\n")),
        ("bars/a.psv", text("id|name\n1|'a'\n2|b\n")),
        ("numbers/a.csv", text("1,2\n3,4\n5,6\n")),
        ("preamble/a.csv", text("Export of today\n\nid,name\n1,a\n2,b\n3,c\n")),
        ("latin/a.csv", b"id,name\n1,Ren\xe9e\n2,\xc9mile\n3,No\xebl\n".to_vec()),
        ("packed/a.csv.gz", gzip("id;name\n1;a\n2;b\n").to_vec()),
        ("records/a.json", text(r#"[{"a":1},{"a":2}]"#)),
        ("arrays/a.json", text("[[1,\"x\"],[2,\"y\"]]")),
        ("split/a.json", text(r#"{"columns":["a","b"],"index":[0,1],"data":[[1,2],[3,4]]}"#)),
        ("indexed/a.json", text(r#"{"0":{"a":1,"b":"x"},"1":{"a":2,"b":"y"}}"#)),
        ("columnar/a.json", text(r#"{"a":{"0":1,"1":2},"b":{"0":"x","1":"y"}}"#)),
        ("one/a.json", text(r#"{"a":1,"b":[1,2]}"#)),
        ("lines/a.json", text("{\"a\":1}\n{\"a\":2}\n")),
        ("lined/a.jsonl", text("{\"a\":1}\n{\"b\":2}\n")),
        ("logged/a.log", text("{\"a\":1}\n{\"a\":2}\n")),
        ("nameless/data", text(r#"[{"a":1},{"a":2}]"#)),
        ("marked/a.xml", text("<rows><row id=\"1\"><n>x</n></row><row id=\"2\"/></rows>")),
        ("typed/a.parquet", parquet()),
        ("disguised/f.dat", parquet()),
        ("zipped/a.zip", zip(&[("a.csv", b"id;x\n1;2\n"), ("b.csv", b"id;x\n3;4\n")])),
        ("mixed/a.zip", zip(&[("a.csv", b"id;x\n1;2\n"), ("b.json", b"[{\"id\":3,\"x\":4}]")])),
    ]
}

/// The rows of a table without what decant adds, in some order.
fn rows(world: &World, table: &str) -> Vec<String> {
    let columns = world.database.columns(table);
    let columns: Vec<String> = columns
        .iter()
        .filter(|column| *column != "_file_id")
        .map(|column| format!("\"{column}\""))
        .collect();
    let mut rows = world.query(&format!("SELECT {} FROM {table}", columns.join(", ")));
    rows.sort();
    rows.insert(0, columns.join(", "));
    rows
}

fn write(world: &World, source: &str, options: &[&str]) {
    let url = world.database.url();
    let words = ["discover", source, "--write", "found.yaml", "--force", "--to", &url];
    world.decant(&[&words, options].concat()).run().exits(0);
}

#[test]
fn every_format_and_shape_is_loaded_as_a_load_does() {
    let world = World::sqlite();
    for (key, bytes) in shapes() {
        world.put(&format!("in/{key}"), bytes);
        let folder = key.split('/').next().unwrap();
        let table = format!("direct_{folder}");
        world.load(&format!("in/{folder}/"), &["--table", &table]).exits(0);
    }
    write(&world, "s3://shop/in/", &[]);
    let text = std::fs::read_to_string(world.path("found.yaml")).unwrap();
    let run = world.checked(world.plain(&["-c", "found.yaml", "sync", "--output", "json"]).run());
    assert_eq!(run.code, Some(0), "{text}\n{}", run.stdout);
    for (key, _) in shapes() {
        let folder = key.split('/').next().unwrap();
        let direct = rows(&world, &format!("direct_{folder}"));
        assert!(direct.len() > 1, "{key}: {direct:?}");
        assert_eq!(rows(&world, folder), direct, "{key}\n{text}");
    }
    assert_eq!(rows(&world, "records"), ["\"a\"", "1", "2"]);
}

#[test]
fn the_options_that_were_given_are_written_down() {
    on_both(|world| {
        let text = "Id;Name;Mail;Junk;Price\n1; a ;x@y;1;1,5\noops;b;z@y;2;2,5\n\
                    3;c;w@y;3;3,25\n9;d;;4;4,5\n";
        world.put("in/orders/1.csv", text);
        let key = ["HASH_SECRET", "a key"];
        let options = [
            "--rename",
            "Name=full_name",
            "--type",
            "Id=int32",
            "--type",
            "price=numeric(12,2)",
            "--on-error",
            "reject",
            "--max-rejects",
            "50%",
            "--where",
            "id < 5",
            "--add-column",
            "source_file={file}",
            "--hash",
            "Mail",
            "--hash-key-from",
            key[0],
            "--exclude-columns",
            "Junk",
            "--trim=Name",
            "--new-columns",
            "ignore",
            "--max-attempts",
            "2",
            "--null-value",
            "${x}",
            "--ledger",
            "loaded_files",
            "--row-hash",
            "fingerprint=id,full_name",
            "--file-id",
            "--min-age",
            "1ms",
            "--path-pattern",
            "orders/(?P<number>\\d+)",
        ];
        let url = world.database.url();
        let words = ["s3://shop/in/orders/", "--to", &url, "--table", "direct"];
        let run = |verb: &[&str]| {
            let words = [verb, &words, &options[..]].concat();
            world.decant(&words).env(key[0], key[1]).run()
        };
        run(&["load"]).exits(3);
        run(&["discover", "--write", "found.yaml", "--force"]).exits(0);
        let text = std::fs::read_to_string(world.path("found.yaml")).unwrap();
        assert!(!text.contains(key[1]), "{text}");
        let moved = text.replace("table: \"direct\"", "table: \"synced\"");
        assert_ne!(moved, text);
        world.write("moved.yaml", moved);
        let sync = ["-c", "moved.yaml", "sync", "--output", "json"];
        let synced = world.plain(&sync).env(key[0], key[1]).run();
        assert_eq!(synced.code, Some(3), "{text}\n{}", synced.stdout);
        assert_eq!(synced.rows(), "read 4, loaded 2, rejected 1, filtered 1");
        assert_eq!(rows(world, "synced"), rows(world, "direct"), "{text}");
        assert!(world.database.tables().contains(&"loaded_files".to_owned()));
    });
}

#[test]
fn a_template_stays_one_stream() {
    let world = World::sqlite();
    world.put("in/a.csv", "id\n1\n");
    world.put("in/b.csv", "id\n2\n");
    write(&world, "s3://shop/in/", &["--table", "t_{stem}"]);
    world.checked(world.plain(&["-c", "found.yaml", "sync", "--output", "json"]).run().exits(0));
    assert_eq!(rows(&world, "t_a"), ["\"id\"", "1"]);
    assert_eq!(rows(&world, "t_b"), ["\"id\"", "2"]);
}
