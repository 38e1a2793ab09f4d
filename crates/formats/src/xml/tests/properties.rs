//! Random tables written as XML equal themselves.

use proptest::prelude::*;

use super::{format, rows_of, text};
use crate::json::tests::collect;

/// How a value is written.
#[derive(Clone, Copy, Debug)]
enum Style {
    Attribute,
    Element,
    Data,
    References,
}

fn style() -> impl Strategy<Value = Style> {
    prop::sample::select(vec![Style::Attribute, Style::Element, Style::Data, Style::References])
}

/// Text that XML can have; nothing is NULL.
fn value() -> impl Strategy<Value = Option<String>> {
    let texts = prop_oneof![
        "[ -~]{1,12}",
        "[a-z<>&'\"\\]\\[!/ \t\n-]{1,12}",
        "[\u{20}-\u{7e}\u{a0}-\u{24f}\u{1f600}-\u{1f64f}]{1,8}",
    ];
    prop::option::of(texts)
}

fn table() -> impl Strategy<Value = (Vec<Style>, Vec<Vec<Option<String>>>)> {
    (1_usize..5).prop_flat_map(|width| {
        let row = prop::collection::vec(value(), width..=width);
        (prop::collection::vec(style(), width..=width), prop::collection::vec(row, 1..12))
    })
}

fn escaped(text: &str, in_quotes: bool) -> String {
    let escape = |letter: char| match letter {
        '<' => "&lt;".to_owned(),
        '&' => "&amp;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' if in_quotes => "&quot;".to_owned(),
        '\t' | '\n' if in_quotes => format!("&#{};", letter as u32),
        letter => letter.to_string(),
    };
    text.chars().map(escape).collect()
}

fn element(column: usize, style: Style, text: &str) -> String {
    let inside = match style {
        Style::Data => format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>")),
        Style::References => text.chars().map(|it| format!("&#x{:X};", it as u32)).collect(),
        _ => escaped(text, false),
    };
    format!("<n:c{column}>{inside}</n:c{column}>")
}

fn row(styles: &[Style], values: &[Option<String>]) -> String {
    let (mut attributes, mut elements) = (String::new(), String::new());
    for (column, (style, value)) in styles.iter().zip(values).enumerate() {
        let Some(value) = value else { continue };
        match style {
            Style::Attribute => {
                attributes.push_str(&format!(" c{column}=\"{}\"", escaped(value, true)));
            }
            style => elements.push_str(&element(column, *style, value)),
        }
    }
    format!("<row{attributes}>{elements}</row>")
}

fn document(styles: &[Style], rows: &[Vec<Option<String>>]) -> String {
    let rows: Vec<String> = rows.iter().map(|values| row(styles, values)).collect();
    format!("<rows xmlns:n='u'>\n{}\n</rows>", rows.join("\n  "))
}

proptest! {
    #[test]
    fn a_table_equals_itself(
        (styles, rows) in table(),
        block_bytes in 1_usize..200,
        chunk_bytes in 1_usize..200,
    ) {
        let file = document(&styles, &rows);
        let format = format(&rows_of("row"), block_bytes);
        let decoded = collect(file.as_bytes(), &format, &text, chunk_bytes).unwrap();
        prop_assert_eq!(decoded.rejects, vec![]);
        let names = &decoded.columns.names;
        for (row, expected) in decoded.rows.iter().zip(&rows) {
            for (column, value) in expected.iter().enumerate() {
                let at = names.iter().position(|name| *name == format!("c{column}"));
                let found = at.and_then(|at| row.get(at).cloned().flatten());
                prop_assert_eq!(&found, value, "{}", file);
            }
        }
        prop_assert_eq!(decoded.rows.len(), rows.len());
    }

    #[test]
    fn what_is_wrong_with_a_file_does_not_depend_on_its_chunks(
        (styles, rows) in table(),
        cut in 0_usize..400,
        junk in "[<>&/'\"a!?\\[\\]-]{0,4}",
        block_bytes in 1_usize..100,
        chunk_bytes in 1_usize..100,
    ) {
        let file = document(&styles, &rows);
        let mut cut = cut.min(file.len());
        while !file.is_char_boundary(cut) {
            cut -= 1;
        }
        let file = format!("{}{junk}{}", &file[..cut], &file[cut..]);
        let outcome = |sizes: (usize, usize)| {
            let format = format(&rows_of("row"), sizes.0);
            match collect(file.as_bytes(), &format, &text, sizes.1) {
                Ok(decoded) => Ok((decoded.rejects, decoded.rows_read, decoded.places)),
                Err(error) => Err(format!("{error} at {:?}", error.position())),
            }
        };
        prop_assert_eq!(outcome((1 << 20, 1 << 20)), outcome((block_bytes, chunk_bytes)), "{}", file);
    }
}
