//! An export that somebody edited: which reject each of its rows mends.
//!
//! Rows are found by the ids in front of them. A line without one continues
//! the row above it, so that fields with line breaks stay whole.

use std::collections::BTreeMap;

use decant_core::stream::FormatOptions;
use decant_core::{Error, ErrorKind, Result};
use decant_formats::raw_rows::delimiter;

use super::{ID_COLUMN, ID_PREFIX};

/// What stands behind each id, by the id.
///
/// # Errors
///
/// `InvalidConfig` when it is no export, or an id stands twice.
pub fn read_edited(text: &[u8]) -> Result<BTreeMap<i64, Vec<u8>>> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut lines = text.split(|byte| *byte == b'\n').map(without_return).peekable();
    if !text.trim_ascii_start().starts_with(b"{") {
        let header = lines.next().unwrap_or_default();
        let header = header.strip_prefix(b"\"").unwrap_or(header);
        if !header.starts_with(ID_COLUMN.as_bytes()) {
            return Err(Error::new(
                ErrorKind::InvalidConfig,
                format!("its first column is not `{ID_COLUMN}`"),
            )
            .with_hint("edit a file that `decant rejects --export` wrote, and keep its header"));
        }
    }
    let mut rows: BTreeMap<i64, Vec<u8>> = BTreeMap::new();
    let mut current: Option<i64> = None;
    while let Some(line) = lines.next() {
        let is_end = lines.peek().is_none() && line.is_empty();
        match (id_of(line), current) {
            (Some((id, rest)), _) => {
                if rows.insert(id, rest).is_some() {
                    let message = format!("the id {ID_PREFIX}{id} stands twice");
                    return Err(Error::new(ErrorKind::InvalidConfig, message)
                        .with_hint("keep one row for each id"));
                }
                current = Some(id);
            }
            (None, Some(id)) if !is_end => {
                if let Some(row) = rows.get_mut(&id) {
                    row.push(b'\n');
                    row.extend_from_slice(line);
                }
            }
            _ => {}
        }
    }
    if rows.is_empty() {
        let message = format!("no row begins with an id such as {ID_PREFIX}1");
        return Err(Error::new(ErrorKind::InvalidConfig, message)
            .with_hint("keep the ids that `decant rejects --export` wrote"));
    }
    Ok(rows)
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The id that a line begins with, and what follows: of JSON, the object
/// without the id.
fn id_of(line: &[u8]) -> Option<(i64, Vec<u8>)> {
    let trimmed = line.trim_ascii();
    if let Some(inside) = trimmed.strip_prefix(b"{") {
        return id_of_object(inside.trim_ascii_start());
    }
    let quoted = line.strip_prefix(b"\"");
    let (id, rest) = number(quoted.unwrap_or(line))?;
    let rest = if quoted.is_some() { rest.strip_prefix(b"\"")? } else { rest };
    Some((id, rest.to_vec()))
}

fn id_of_object(inside: &[u8]) -> Option<(i64, Vec<u8>)> {
    let key = format!("\"{ID_COLUMN}\"");
    let rest = inside.strip_prefix(key.as_bytes())?.trim_ascii_start();
    let rest = rest.strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    let (id, rest) = number(rest)?;
    let rest = rest.strip_prefix(b"\"")?.trim_ascii_start();
    let rest = rest.strip_prefix(b",").map_or(rest, <[u8]>::trim_ascii_start);
    let mut object = b"{".to_vec();
    object.extend_from_slice(rest);
    Some((id, whole_row(&object).unwrap_or(object)))
}

/// The row of an object that holds nothing but `_raw`.
fn whole_row(object: &[u8]) -> Option<Vec<u8>> {
    let value: serde_json::Value = serde_json::from_slice(object).ok()?;
    let object = value.as_object().filter(|object| object.len() == 1)?;
    Some(object.get("_raw")?.as_str()?.as_bytes().to_vec())
}

fn number(text: &[u8]) -> Option<(i64, &[u8])> {
    let digits = text.strip_prefix(ID_PREFIX.as_bytes())?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    let id = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((id, rest))
}

/// The raw row in what stood behind an id.
pub(super) fn edited_row(
    file: &str,
    options: &FormatOptions,
    text: &[u8],
) -> std::result::Result<Vec<u8>, String> {
    let is_json = options.name.as_deref().is_some_and(|name| name.starts_with("json"));
    if is_json {
        return Ok(text.to_vec());
    }
    let delimiter = delimiter(file, options).unwrap_or_else(|| "\t".into());
    let row = text.strip_prefix(delimiter.as_bytes());
    row.map(<[u8]>::to_vec).ok_or_else(|| {
        let shown: String = String::from_utf8_lossy(text).chars().take(20).collect();
        format!("the id is followed by `{shown}`, not by the delimiter `{delimiter}`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> BTreeMap<i64, String> {
        let rows = read_edited(text.as_bytes()).unwrap();
        rows.into_iter().map(|(id, row)| (id, String::from_utf8(row).unwrap())).collect()
    }

    #[test]
    fn rows_are_found_by_their_ids_whatever_an_editor_did() {
        let rows = read(
            "\u{feff}_reject_id,id,note\r\nr12,1,plain\r\n\"r13\",2,\"two\r\nlines\"\r\n\
             r14,\"never closed\n",
        );
        assert_eq!(
            rows,
            [
                (12, ",1,plain".to_owned()),
                (13, ",2,\"two\nlines\"".to_owned()),
                (14, ",\"never closed".to_owned()),
            ]
            .into()
        );
    }

    #[test]
    fn json_rows_lose_their_id() {
        let rows = read(
            "{\"_reject_id\":\"r1\",\"a\":1}\n{ \"_reject_id\": \"r2\" , \"a\": nope }\n\
             {\"_reject_id\":\"r3\"}\n{\"_reject_id\":\"r4\",\"_raw\":\"[1]\"}\n",
        );
        let expected = [(1, "{\"a\":1}"), (2, "{\"a\": nope }"), (3, "{}"), (4, "[1]")];
        assert_eq!(rows, expected.map(|(id, row)| (id, row.to_owned())).into());
    }

    #[test]
    fn what_is_no_export_is_refused() {
        for (text, message) in [
            ("id,note\n1,x\n", "`_reject_id`"),
            ("", "`_reject_id`"),
            ("_reject_id,id\n1,2\n", "such as r1"),
            ("_reject_id,id\nr1,2\nr1,3\n", "stands twice"),
            ("{\"a\":1}\n", "such as r1"),
        ] {
            let error = read_edited(text.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(message), "{text}: {error}");
        }
    }

    #[test]
    fn a_row_begins_behind_the_delimiter() {
        let options = FormatOptions { delimiter: Some("||".into()), ..FormatOptions::default() };
        assert_eq!(edited_row("a.csv", &options, b"||1||2"), Ok(b"1||2".to_vec()));
        let refusal = edited_row("a.csv", &options, b";1;2").unwrap_err();
        assert!(refusal.contains("not by the delimiter `||`"), "{refusal}");
    }
}
