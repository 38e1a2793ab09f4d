//! Lists survive the trip, element by element.

use std::borrow::Cow;
use std::fmt::Write as _;

use decant_core::list::{Element, ListElement, elements};
use decant_core::schema::{ColumnType, DecimalBounds};

use super::Fixture;
use super::rendering::is_same_value;
use super::values::sent_and_found;

const CENTS: ListElement = ListElement::Decimal(Some(DecimalBounds { precision: 12, scale: 2 }));
const TEXTS: &[&str] = &[
    r#"["","null",null,"NULL"," ","{","}",",","a,b"]"#,
    r#"["\"","\\","'","a\nb\tc","\\N","é🦀","{\"a\":[1]}"]"#,
    "[]",
];

/// Lists in canonical form, of each scalar.
const LISTS: &[(ListElement, &[&str])] = &[
    (ListElement::Bool, &["[true,false,null]"]),
    (ListElement::Int16, &["[-32768,0,32767]", "[]", "[null]"]),
    (ListElement::Int32, &["[-2147483648,null,2147483647]"]),
    (ListElement::Int64, INTEGERS),
    (ListElement::Float32, &["[0.1,-0,3.4028235e38,1e-45,\"NaN\",\"-Infinity\"]"]),
    (ListElement::Float64, &["[0.30000000000000004,-0,5e-324,\"NaN\",\"Infinity\",null]"]),
    (
        ListElement::Decimal(None),
        &[
            "[0,-1.5,99999999999999999999999999999999999999,0.00000000000000000000000000000000000001]",
        ],
    ),
    (CENTS, &["[1.50,-9999999999.99,0.00]"]),
    (ListElement::Date, &[r#"["0001-01-01","1999-12-31",null,"9999-12-31"]"#]),
    (ListElement::Time, &[r#"["00:00:00","23:59:59.999999"]"#]),
    (ListElement::Timestamp, &[r#"["0001-01-01T00:00:00","9999-12-31T23:59:59.999999"]"#]),
    (ListElement::TimestampTz, MOMENTS),
    (ListElement::Uuid, &[r#"["01234567-89ab-cdef-fedc-ba9876543210",null]"#]),
    (ListElement::Text, TEXTS),
    (ListElement::Binary, &[r#"["\\x","\\x00ff","\\x5c4e"]"#]),
];
const INTEGERS: &[&str] =
    &["[]", "[1]", "[null]", "[-9223372036854775808,null,9223372036854775807]"];
const MOMENTS: &[&str] = &[r#"["1969-12-31T23:59:59.999999Z",null,"2024-02-29T12:34:56Z"]"#, "[]"];

/// Values of a list type, for the tests that try every type.
pub(super) fn samples(element: ListElement) -> &'static [&'static str] {
    let known = LISTS.iter().find(|(known, _)| *known == element);
    known.unwrap_or_else(|| panic!("{element:?} has no samples")).1
}

/// Lists of every scalar come back: NULL, the empty list, NULL among the
/// elements, and text that looks like a list's own marks.
pub async fn lists_of_every_scalar_come_back(fixture: &dyn Fixture) {
    let mut complaints = String::new();
    for (number, (element, lists)) in LISTS.iter().enumerate() {
        let wanted = ColumnType::List(*element);
        let sent: Vec<Option<&str>> = lists.iter().copied().map(Some).chain([None]).collect();
        let found = sent_and_found(fixture, &format!("list_{number}"), wanted, &sent).await;
        for (sent, found) in sent.iter().zip(found) {
            if !is_same_value(wanted, *sent, found.as_deref()) {
                let _ = writeln!(complaints, "{wanted}: sent {sent:?}, found {found:?}");
            }
        }
    }
    assert!(complaints.is_empty(), "lists changed on their way:\n{complaints}");
}

/// Compares a list in canonical form with a database's rendering: a JSON
/// array, or an array literal of SQL's `{1,NULL,"a b"}`.
pub(super) fn is_same_list(element: ListElement, sent: &str, found: &str) -> bool {
    let (sent, found) = match (of_json(sent), of_literal(found).or_else(|| of_json(found))) {
        (Some(sent), Some(found)) => (sent, found),
        _ => return false,
    };
    let is_same = |sent: &Option<String>, found: &Option<String>| {
        let digits = sent.as_deref().filter(|_| element == ListElement::Binary);
        let digits = digits.and_then(|text| text.strip_prefix("\\x"));
        is_same_value(element.column_type(), digits.or(sent.as_deref()), found.as_deref())
    };
    sent.len() == found.len() && sent.iter().zip(&found).all(|(sent, found)| is_same(sent, found))
}

fn of_json(text: &str) -> Option<Vec<Option<String>>> {
    let shown = |element| match element {
        Element::Null => None,
        Element::Plain(word) => Some(word.to_owned()),
        Element::Text(text) => Some(Cow::into_owned(text)),
    };
    elements(text).map(|element| element.ok().map(shown)).collect()
}

fn of_literal(text: &str) -> Option<Vec<Option<String>>> {
    let mut rest = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (element, behind) = match rest.strip_prefix('"') {
            Some(string) => {
                let (string, behind) = quoted_element(string)?;
                (Some(string), behind)
            }
            None => {
                let (word, behind) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
                ((word != "NULL").then(|| word.to_owned()), behind)
            }
        };
        found.push(element);
        rest = behind.strip_prefix(',').unwrap_or(behind);
    }
    Some(found)
}

/// A string up to its closing quote, and what is behind that.
fn quoted_element(text: &str) -> Option<(String, &str)> {
    let mut string = String::new();
    let mut letters = text.char_indices();
    loop {
        match letters.next()? {
            (at, '"') => return Some((string, &text[at + 1..])),
            (_, '\\') => string.push(letters.next()?.1),
            (_, letter) => string.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renderings_of_one_list_are_the_same_and_others_are_not() {
        for (element, sent, found, expected) in [
            (ListElement::Int64, "[1,null]", "{1,NULL}", true),
            (ListElement::Int64, "[1,null]", "[1, null]", true),
            (ListElement::Int64, "[]", "{}", true),
            (ListElement::Int64, "[]", "{NULL}", false),
            (ListElement::Int64, "[1]", "{1,2}", false),
            (ListElement::Int64, "[1]", "1", false),
            (ListElement::Text, r#"["a,\"b","NULL",null]"#, r#"{"a,\"b","NULL",NULL}"#, true),
            (ListElement::Text, "[\"null\"]", "{NULL}", false),
            (ListElement::Binary, r#"["\\x00ff"]"#, r#"{"\\x00ff"}"#, true),
            (ListElement::Bool, "[true]", "{t}", true),
        ] {
            assert_eq!(is_same_list(element, sent, found), expected, "{sent} {found}");
        }
    }
}
