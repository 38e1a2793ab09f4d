//! What a file is, whatever it is called; and what it is said to be that is
//! something else.

use decant_testkit::s3::gzip;

use crate::archives::zip;
use crate::world::{World, on_both};
use crate::written::parquet;

#[test]
fn files_are_told_by_their_bytes_and_their_content() {
    on_both(|world| {
        for (nth, (name, bytes)) in [
            ("data", parquet()),
            ("f.dat", parquet()),
            ("f.csv", parquet()),
            ("f.bin", gzip(parquet()).to_vec()),
            ("nameless", br#"[{"id":1,"name":"ada"},{"id":2}]"#.to_vec()),
            ("app.log", b"{\"id\":1,\"name\":\"ada\"}\n{\"id\":2}\n".to_vec()),
            ("a.txt", b"id,name\n1,ada\n2,\n".to_vec()),
        ]
        .into_iter()
        .enumerate()
        {
            world.put(&format!("in/{nth}/{name}"), bytes);
            let table = format!("t{nth}");
            let run = world.load(&format!("in/{nth}/"), &["--table", &table]).exits(0);
            assert_eq!(run.rows(), "read 2, loaded 2", "{name}");
            let rows = world.query(&format!("SELECT id, name FROM {table} ORDER BY id"));
            assert_eq!(rows, ["1|ada", "2|NULL"], "{name}");
        }
    });
}

#[test]
fn what_is_not_what_its_name_says_fails_with_its_cure() {
    let world = World::sqlite();
    for (name, bytes, message, hint) in [
        ("a.xlsx", b"id,name\n1,a\n".to_vec(), "looks like delimited text", "--format csv"),
        ("a.xls", b"<html><table><tr>".to_vec(), "an HTML page", "save it"),
        ("a.parquet", b"id,name\n1,a\n1,a\n".to_vec(), "delimited text", "--format csv"),
        ("a.bin", zip(&[("a.csv", b"id\n1\n")]), "a zip archive", "`.zip`"),
    ] {
        world.put(name, bytes);
        let error = world.load(name, &["--table", "t"]).exits(1).error();
        assert!(error["message"].as_str().unwrap().contains(message), "{error}");
        assert!(error["hint"].as_str().unwrap().contains(hint), "{error}");
    }
    world.put("b.xlsx", "id,name\n1,a\n");
    world.load("b.xlsx", &["--table", "t", "--format", "csv"]).exits(0);
}

/// A workbook with one sheet, `Orders`.
fn workbook() -> Vec<u8> {
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let relations = |kind: &str, target: &str| {
        format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
             <Relationship Id=\"r1\" Type=\"{office}/{kind}\" Target=\"{target}\"/></Relationships>"
        )
    };
    let book = format!(
        "<workbook xmlns=\"{main}\" xmlns:r=\"{office}\"><sheets>\
         <sheet name=\"Orders\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
    );
    let sheet = format!(
        "<worksheet xmlns=\"{main}\"><sheetData><row r=\"1\"><c r=\"A1\"><v>1</v></c></row>\
         <row r=\"2\"><c r=\"A2\"><v>2</v></c></row></sheetData></worksheet>"
    );
    let types = "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>";
    zip(&[
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", relations("officeDocument", "xl/workbook.xml").as_bytes()),
        ("xl/_rels/workbook.xml.rels", relations("worksheet", "worksheets/s.xml").as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/worksheets/s.xml", sheet.as_bytes()),
    ])
}

#[test]
fn a_workbook_without_the_sheet_names_its_sheets_and_needs_no_ending() {
    let world = World::sqlite();
    world.put("a.xlsx", workbook());
    let error = world.load("a.xlsx", &["--table", "t", "--sheet", "Nope"]).exits(1).error();
    assert!(error["message"].as_str().unwrap().contains("no sheet `Nope`"), "{error}");
    assert_eq!(error["hint"], "its sheets are `Orders`");
    world.put("workbook.bin", workbook());
    world.load("workbook.bin", &["--table", "t", "--sheet", "Orders"]).exits(0);
    assert_eq!(world.query("SELECT column_1 FROM t ORDER BY 1"), ["1", "2"]);
}
