//! Workbooks as small as can be, written here.

use std::io::Write;

use super::*;
use crate::testing::{Collected, Ranges};

/// A workbook as small as one can be: a sheet of these rows, in XML.
fn workbook(rows: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let types = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#;
    let relations = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
    let book = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Orders" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
    let styles = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/></cellXfs></styleSheet>"#;
    let sheet = format!(
        r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
    );
    let package = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    for (name, text) in [
        ("_rels/.rels", package),
        ("[Content_Types].xml", types),
        ("xl/_rels/workbook.xml.rels", relations),
        ("xl/workbook.xml", book),
        ("xl/styles.xml", styles),
        ("xl/worksheets/sheet1.xml", sheet.as_str()),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn text(cell: &str, text: &str) -> String {
    format!(r#"<c r="{cell}" t="inlineStr"><is><t>{text}</t></is></c>"#)
}

fn orders() -> Vec<u8> {
    let header = [text("B2", "id"), text("C2", "amount"), text("D2", "day"), text("E2", "note")];
    let rows = format!(
        r#"<row r="2">{}</row>
        <row r="3"><c r="B3"><v>1</v></c><c r="C3"><v>12.5</v></c><c r="D3" s="1"><v>45000</v></c>{}</row>
        <row r="5"><c r="B5"><v>2</v></c><c r="C5"><v>3</v></c><c r="D5" s="1"><v>45001</v></c><c r="E5" t="e"><v>#N/A</v></c></row>"#,
        header.concat(),
        text("E3", "a")
    );
    workbook(&rows)
}

fn load(bytes: &[u8], options: &FormatOptions) -> Result<Collected> {
    let format = ExcelFormat::new(options)?;
    let mut collected = Collected::default();
    collected.know(&format.sample(&mut Ranges::new(bytes), SampleLimits::default())?);
    let mut input = Ranges::new(bytes);
    format.decode(&Piece::whole(0), &mut input, &mut collected).map(|()| collected)
}

#[test]
fn a_sheet_is_a_table_with_types() {
    let loaded = load(&orders(), &FormatOptions::default()).unwrap();
    assert_eq!(loaded.types(), "id int64, amount float64, day date, note text");
    assert_eq!(
        loaded.rows,
        [
            r#"{"id":1,"amount":12.5,"day":"2023-03-15","note":"a"}"#,
            r##"{"id":2,"amount":3,"day":"2023-03-16","note":"#N/A"}"##,
        ]
    );
}

fn dates(cells: &[&str]) -> Vec<u8> {
    let rows = cells.iter().enumerate().map(|(at, cell)| {
        let row = at + 2;
        let cell = cell.replacen("<c ", &format!(r#"<c r="B{row}" "#), 1);
        format!(r#"<row r="{row}"><c r="A{row}"><v>{at}</v></c>{cell}</row>"#)
    });
    let header = format!(r#"<row r="1">{}{}</row>"#, text("A1", "id"), text("B1", "v"));
    workbook(&format!("{header}{}", rows.collect::<String>()))
}

#[test]
fn a_cell_without_a_value_is_a_bad_row_and_says_nothing_of_its_column() {
    let day = |serial: &str| format!(r#"<c s="1"><v>{serial}</v></c>"#);
    let number = r#"<c ><v>12.5</v></c>"#.to_owned();
    let error = r#"<c t="e"><v>#DIV/0!</v></c>"#.to_owned();
    for (cells, types, details) in [
        (
            vec![day("45000"), day("3000000"), day("1e9"), day("-1"), day("-100.5")],
            "id int64, v date",
            vec![
                "`3000000` is not a date (date)",
                "`1000000000` is not a date (date)",
                "`-1` is not a date (date)",
                "`-100.5` is not a date (date)",
            ],
        ),
        (
            vec![number.clone(), error.clone()],
            "id int64, v float64",
            vec!["`#DIV/0!` is not a number (float64)"],
        ),
    ] {
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        let loaded = load(&dates(&cells), &FormatOptions::default()).unwrap();
        assert_eq!(loaded.types(), types);
        let found: Vec<&str> = loaded.rejects.iter().map(|it| it.detail.as_str()).collect();
        assert_eq!(found, details);
        assert_eq!((loaded.rows.len(), loaded.rejects[0].ordinal), (1, 2));
        assert_eq!(loaded.rejects[0].reason, decant_core::reject::Reason::BadCell);
        assert_eq!(loaded.rejects[0].column.as_deref(), Some("v"));
    }
    let only = load(&dates(&[&error]), &FormatOptions::default()).unwrap();
    assert_eq!(only.rows, [r##"{"id":0,"v":"#DIV/0!"}"##], "as text it is its text");
    let raw = load(&dates(&[&number, &error]), &FormatOptions::default()).unwrap();
    assert_eq!(raw.rejects[0].raw, br##"{"id":1,"v":"#DIV/0!"}"##);
}

#[test]
fn rows_around_the_table_are_passed_over() {
    let cell = |cell: &str, value: &str| format!(r#"<c r="{cell}"><v>{value}</v></c>"#);
    let total = r#"<c r="B7"><f>SUM(B4:B5)</f></c>"#;
    let sheet = workbook(&format!(
        r#"<row r="1">{}</row><row r="3">{}{}</row><row r="4">{}{}</row><row r="5">{}</row><row r="7">{}{total}</row>"#,
        text("A1", "Orders of March"),
        text("A3", "id"),
        text("B3", "v"),
        cell("A4", "1"),
        cell("B4", "2"),
        cell("A5", "3"),
        text("A7", "Total"),
    ));
    for (range, skip_rows) in [(None, 1), (None, 2), (Some("A2:B9"), 1)] {
        let options = FormatOptions {
            range: range.map(str::to_owned),
            skip_rows: Some(skip_rows),
            skip_footer: Some(1),
            ..FormatOptions::default()
        };
        let loaded = load(&sheet, &options).unwrap();
        assert_eq!(loaded.types(), "id int64, v int64");
        assert_eq!(loaded.rows, [r#"{"id":1,"v":2}"#, r#"{"id":3,"v":null}"#]);
    }
    for skip in [3, u64::MAX] {
        let none = FormatOptions {
            skip_rows: Some(skip),
            skip_footer: Some(skip),
            ..FormatOptions::default()
        };
        assert!(load(&sheet, &none).unwrap().rows.is_empty());
    }
}

#[test]
fn words_for_null_are_null() {
    let nothing = r#"<c t="inlineStr"><is><t>n/a</t></is></c>"#;
    let bytes = dates(&[r#"<c ><v>1</v></c>"#, nothing]);
    let options =
        FormatOptions { null_values: Some(vec!["n/a".to_owned()]), ..FormatOptions::default() };
    let loaded = load(&bytes, &options).unwrap();
    assert_eq!(loaded.types(), "id int64, v int64");
    assert_eq!(loaded.rows[1], r#"{"id":1,"v":null}"#);
}

#[test]
fn a_range_without_a_header_has_numbered_columns() {
    let options = FormatOptions {
        range: Some("B3:C5".to_owned()),
        header: Some(Header::None),
        sheet: Some("Orders".to_owned()),
        ..FormatOptions::default()
    };
    let loaded = load(&orders(), &options).unwrap();
    assert_eq!(loaded.rows[1], r#"{"column_1":2,"column_2":3}"#);
    assert_eq!(loaded.rows.len(), 2);
}

#[test]
fn what_is_not_there_is_said() {
    let sheet = FormatOptions { sheet: Some("Other".to_owned()), ..FormatOptions::default() };
    let error = load(&orders(), &sheet).err().unwrap();
    assert_eq!(error.hint(), Some("its sheets are `Orders`"));
    let range = FormatOptions { range: Some("B2".to_owned()), ..FormatOptions::default() };
    assert_eq!(load(&orders(), &range).err().unwrap().kind(), ErrorKind::InvalidConfig);
}

#[test]
fn a_far_cell_and_a_bomb_take_no_memory() {
    let far = workbook(&format!(
        r#"<row r="1">{}</row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>"#,
        text("A1", "a")
    ));
    let loaded = load(&far, &FormatOptions::default()).unwrap();
    assert_eq!((loaded.rows.len(), loaded.names.len()), (1, 16_384));

    let bomb = workbook(&" ".repeat(10 << 20));
    let options = FormatOptions { memory_bytes: Some(1 << 20), ..FormatOptions::default() };
    let error = load(&bomb, &options).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn a_sheet_may_be_larger_than_memory_and_a_value_may_not() {
    let options = FormatOptions { memory_bytes: Some(100_000), ..FormatOptions::default() };
    let row = |id: usize| {
        let value = if id == 40_000 { "0.5".to_owned() } else { id.to_string() };
        format!(
            r#"<row r="{id}"><c r="A{id}"><v>{id}</v></c><c r="B{id}"><v>{value}</v></c></row>"#
        )
    };
    let large = workbook(&(1..=40_000).map(row).collect::<String>());
    let loaded = load(&large, &options).unwrap();
    assert_eq!(loaded.types(), "column_1 int64, column_2 float64");
    assert_eq!(loaded.rows.len(), 40_000);
    assert_eq!(loaded.rows[39_999], r#"{"column_1":40000,"column_2":0.5}"#);
    let footer = FormatOptions { skip_footer: Some(30_000), ..options.clone() };
    assert_eq!(load(&large, &footer).err().unwrap().kind(), ErrorKind::Unsupported);
    let value = workbook(&format!(r#"<row r="1">{}</row>"#, text("A1", &"a".repeat(9 << 20))));
    let error = load(&value, &options).err().unwrap();
    assert_eq!(error.message(), "a value in it has more than 8388608 bytes");
}

#[test]
fn rows_in_disorder_are_put_in_order() {
    let row = |row: usize, value: &str| {
        format!(r#"<row r="{row}"><c r="A{row}"><v>{value}</v></c></row>"#)
    };
    let head = format!(r#"<row r="1">{}</row>"#, text("A1", "n"));
    let bytes = workbook(&format!("{}{}{head}{}", row(4, "3"), row(2, "1"), row(3, "2")));
    let loaded = load(&bytes, &FormatOptions::default()).unwrap();
    assert_eq!(loaded.rows, [r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#]);
    let options = FormatOptions { memory_bytes: Some(5_000), ..FormatOptions::default() };
    let many: String = (1..=1_000).rev().map(|id| row(id, "1")).collect();
    let error = load(&workbook(&many), &options).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn a_source_that_fails_is_not_the_workbooks_fault() {
    struct Away(Vec<u8>, usize);
    impl Input for Away {
        fn next_chunk(&mut self) -> Result<Option<bytes::Bytes>> {
            Ok(None)
        }
        fn range(&mut self, range: std::ops::Range<u64>) -> Result<bytes::Bytes> {
            self.1 = self
                .1
                .checked_sub(1)
                .ok_or_else(|| Error::new(ErrorKind::Unavailable, "the source is away"))?;
            Ok(bytes::Bytes::copy_from_slice(&self.0[range.start as usize..range.end as usize]))
        }
        fn size(&self) -> Option<u64> {
            Some(self.0.len() as u64)
        }
    }
    // Stored as it is, and in several blocks.
    let noise: String =
        (0..400_000_u32).map(|n| format!("{:08x}", n.wrapping_mul(2_654_435_761))).collect();
    let cells = noise.as_bytes().chunks(30_000).enumerate().map(|(at, part)| {
        format!(
            r#"<row r="{0}">{1}</row>"#,
            at + 1,
            text(&format!("A{}", at + 1), std::str::from_utf8(part).unwrap())
        )
    });
    let bytes = workbook(&cells.collect::<String>());
    assert!(bytes.len() > 1 << 20, "{}", bytes.len());
    let format = ExcelFormat::new(&FormatOptions::default()).unwrap();
    for reads in 0..2 {
        let mut input = Away(bytes.clone(), reads);
        let error = format.sample(&mut input, SampleLimits::default()).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Unavailable, "the source is away"));
    }
}

#[test]
fn damaged_workbooks_are_refused() {
    let bytes = orders();
    for cut in [1, 10, bytes.len() / 2, bytes.len() - 1] {
        assert!(load(&bytes[..cut], &FormatOptions::default()).is_err(), "cut at {cut}");
    }
}

fn numbers(rows: &[&[i64]]) -> Vec<u8> {
    let row = |(at, values): (usize, &&[i64])| {
        let cells = values.iter().zip(["A", "B", "C"]);
        let cells: Vec<String> = cells
            .map(|(value, letter)| format!(r#"<c r="{letter}{}"><v>{value}</v></c>"#, at + 1))
            .collect();
        format!(r#"<row r="{}">{}</row>"#, at + 1, cells.concat())
    };
    workbook(&rows.iter().enumerate().map(row).collect::<String>())
}

#[test]
fn a_first_row_like_the_others_is_no_header() {
    for (rows, names, count) in [
        (&[&[1, 2][..], &[3, 4]][..], &["column_1", "column_2"][..], 2),
        (&[&[2020, 2021], &[3, 4]], &["2020", "2021"], 1),
        (&[&[1, 2]], &["1", "2"], 0),
    ] {
        let loaded = load(&numbers(rows), &FormatOptions::default()).unwrap();
        assert_eq!(
            (loaded.names.join(","), loaded.rows.len()),
            (names.join(","), count),
            "{rows:?}"
        );
    }
    let said = FormatOptions { header: Some(Header::Rows(1)), ..FormatOptions::default() };
    assert_eq!(load(&numbers(&[&[1, 2], &[3, 4]]), &said).unwrap().names, ["1", "2"]);
}

#[test]
fn a_formula_without_its_value_is_refused_and_one_with_it_is_read() {
    let sheet = |value: &str| {
        workbook(&format!(
            r#"<row r="1">{}</row><row r="2"><c r="AB2"><f>1+1</f>{value}</c></row>"#,
            text("AB1", "sum")
        ))
    };
    let loaded = load(&sheet("<v>2</v>"), &FormatOptions::default()).unwrap();
    assert_eq!(loaded.rows, [r#"{"sum":2}"#]);
    for missing in ["", "<v></v>", "<v/>"] {
        let error = load(&sheet(missing), &FormatOptions::default()).err().unwrap();
        assert!(error.to_string().contains("cell AB2 has a formula"), "{error}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn what_is_no_workbook_says_what_it_looks_like() {
    for (bytes, looks, cure) in [
        (&b"a,b\n1,2\n"[..], "delimited text", "--format csv"),
        (b"<html><body><table>", "an HTML page", "save it"),
        (b"[{\"a\":1}]", "JSON", "--format json"),
    ] {
        let error = load(bytes, &FormatOptions::default()).err().unwrap();
        assert!(error.to_string().contains(looks), "{error}");
        assert!(error.hint().unwrap().contains(cure));
    }
}
