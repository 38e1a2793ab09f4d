//! Where rows stand in a document, and what their columns are.

use decant_core::stream::{Flatten, FormatOptions};

use super::{check, decode, plain, rows_of};
use crate::raw_rows::raw_document;

#[test]
fn attributes_and_child_elements_are_columns() {
    let file = "<?xml version=\"1.0\"?>\n<!DOCTYPE rows SYSTEM \"rows.dtd\">\n<!-- c -->\n\
        <rows xmlns='u'>\n  <row id='1'><name>ada</name></row>\n  <!-- <row/> -->\n  \
        <row id=\"2\"><name>A &amp; B</name><late>x</late></row>\n</rows>\n<?end?>\n";
    let decoded = check(file, &plain(), "id|name|late", &["1|ada|~", "2|A & B|x"]);
    assert_eq!(decoded.places.ordinals, [1, 2]);
    assert_eq!(decoded.places.lines, [5, 7]);
    let starts = decoded.places.byte_offsets.iter().map(|at| &file[*at as usize..]);
    assert!(starts.into_iter().all(|row| row.starts_with("<row id=")));
    let raw = std::str::from_utf8(&decoded.places.bytes).unwrap();
    assert!(raw.contains("<row id=\"2\"><name>A &amp; B</name><late>x</late></row>"), "{raw}");
}

#[test]
fn rows_are_where_the_element_is_named() {
    let file = "<d><a><row>1</row></a><b><row>2</row><x:row>3</x:row></b><row>4</row></d>";
    check(file, &rows_of("row"), "#text", &["1", "2", "3", "4"]);
    check(file, &rows_of("b/row"), "#text", &["2", "3"]);
    check(file, &rows_of("d/row"), "#text", &["4"]);
    check(file, &rows_of("x:row"), "#text", &["1", "2", "3", "4"]);
}

#[test]
fn the_outermost_element_of_the_name_is_the_row() {
    let file = "<d><part><n>1</n><part><n>2</n></part></part></d>";
    check(file, &rows_of("part"), "n|part", &["1|{\"n\":\"2\"}"]);
}

#[test]
fn a_document_without_repetition_is_one_row() {
    check("<order id='7'><a>1</a><b>2</b></order>", &plain(), "id|a|b", &["7|1|2"]);
    check("<orders><order><a>1</a></order></orders>", &plain(), "a", &["1"]);
    check("<order id='7'/>", &plain(), "id", &["7"]);
    let nothing = check("<orders/>", &plain(), "", &[]);
    assert_eq!((nothing.announced, nothing.rows_read), (0, 0));
}

#[test]
fn nested_and_repeated_elements_are_json() {
    let file = "<d><r><n>1</n><at x='2'><y>3</y></at><tag>a</tag><tag>b</tag></r>\
        <r><tag>c</tag><p>x <b>y</b></p></r></d>";
    check(
        file,
        &plain(),
        "n|at|tag|p",
        &[r#"1|{"x":"2","y":"3"}|["a","b"]|~"#, r##"~|~|c|{"b":"y","#text":"x "}"##],
    );
}

#[test]
fn nested_elements_become_columns_where_that_is_asked() {
    let flatten = Some(Flatten { depth: 1, separator: ".".into() });
    let options = FormatOptions { flatten, ..plain() };
    let file = "<d><r><at x='1'>t<y><z>2</z></y></at></r><r><at/></r>\
        <r><at><y>3</y></at><n>4</n></r></d>";
    check(file, &options, "at.x|at.y|at.#text|n", &[r#"1|{"z":"2"}|t|~"#, "~|~|~|~", "~|3|~|4"]);
}

#[test]
fn an_attribute_gives_way_to_an_element_of_its_name() {
    let file = "<d><r id='1'><id>2</id></r><r id='3'/></d>";
    check(file, &plain(), "id_attribute|id", &["1|2", "~|3"]);
}

#[test]
fn markup_around_rows_may_be_longer_than_a_block() {
    let long = "x".repeat(5000);
    let file = format!(
        "<?p {long}?><!--{long}-->\n<d><!-- < {long}--><![CDATA[<r>{long}]]>{long}<r>1</r>\
         <?p {long}?><m a='{long}'>{long}<n/></m><r>2</r></d><!--{long}-->"
    );
    check(file, &rows_of("r"), "#text", &["1", "2"]);
}

#[test]
fn a_raw_row_is_a_document_that_reads_the_same() {
    let file = "<x:d xmlns:x='u'><rows><x:row a='ü'><b>1</b></x:row><x:row/></rows></x:d>";
    let decoded = decode(file, &rows_of("rows/row"));
    let names = decoded.columns.names.clone();
    let raw = b"<x:row a='\xc3\xbc'><b>1</b></x:row>";
    let document = raw_document("f.xml", &decoded.columns.options, &names, raw);
    check(&document.bytes, &document.options, "a|b", &["ü|1"]);
}
