//! An export that somebody edited: which reject each of its rows mends.
//!
//! Rows are found by the ids in front of them. A line without one continues
//! the row above it, so that fields with line breaks stay whole.

use std::collections::BTreeMap;

use decant_core::stream::FormatOptions;
use decant_core::{Error, ErrorKind, Result};
use decant_formats::raw_rows::delimiter;

use super::{Edit, Edits, ID_COLUMN, ID_PREFIX};

/// The mended rows, and the header above them.
///
/// # Errors
///
/// `InvalidConfig` when it is no export, or an id stands twice.
pub fn read_edited(text: &[u8]) -> Result<Edits> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut lines = text.split(|byte| *byte == b'\n').map(without_return).peekable();
    let is_json = text.trim_ascii_start().starts_with(b"{");
    let mut header = match is_json {
        true => None,
        false => Some(header_behind(lines.next().unwrap_or_default())?),
    };
    let mut rows: BTreeMap<i64, Edit> = BTreeMap::new();
    let mut current: Option<i64> = None;
    while let Some(line) = lines.next() {
        let is_end = lines.peek().is_none() && line.is_empty();
        if let Some((id, edit)) = row_of(line) {
            if rows.insert(id, edit).is_some() {
                let message = format!("the id {ID_PREFIX}{id} stands twice");
                return Err(Error::new(ErrorKind::InvalidConfig, message)
                    .with_hint("keep one row for each id"));
            }
            current = Some(id);
        } else if !is_end {
            let above = match current {
                Some(id) => rows.get_mut(&id).map(|edit| &mut edit.text),
                None => header.as_mut(),
            };
            if let Some(above) = above {
                above.push(b'\n');
                above.extend_from_slice(line);
            }
        }
    }
    if rows.is_empty() {
        let message = format!("no row begins with an id such as {ID_PREFIX}1-0a1b2c3d");
        return Err(Error::new(ErrorKind::InvalidConfig, message)
            .with_hint("keep the ids that `decant rejects --export` wrote"));
    }
    Ok(Edits { header, rows })
}

/// What stands behind the name of the ids' column.
fn header_behind(line: &[u8]) -> Result<Vec<u8>> {
    let quoted = line.strip_prefix(b"\"");
    let behind = quoted.unwrap_or(line).strip_prefix(ID_COLUMN.as_bytes());
    let behind = match quoted {
        Some(_) => behind.and_then(|behind| behind.strip_prefix(b"\"")),
        None => behind,
    };
    behind.map(<[u8]>::to_vec).ok_or_else(|| {
        Error::new(ErrorKind::InvalidConfig, format!("its first column is not `{ID_COLUMN}`"))
            .with_hint("edit a file that `decant rejects --export` wrote, and keep its header")
    })
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The id that a line begins with, and its row: of JSON, the object without
/// the id.
fn row_of(line: &[u8]) -> Option<(i64, Edit)> {
    let trimmed = line.trim_ascii();
    if let Some(inside) = trimmed.strip_prefix(b"{") {
        return row_of_object(inside.trim_ascii_start());
    }
    let quoted = line.strip_prefix(b"\"");
    let (id, tag, rest) = id_of(quoted.unwrap_or(line))?;
    let rest = if quoted.is_some() { rest.strip_prefix(b"\"")? } else { rest };
    Some((id, Edit { tag, text: rest.to_vec() }))
}

fn row_of_object(inside: &[u8]) -> Option<(i64, Edit)> {
    let key = format!("\"{ID_COLUMN}\"");
    let rest = inside.strip_prefix(key.as_bytes())?.trim_ascii_start();
    let rest = rest.strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    let (id, tag, rest) = id_of(rest)?;
    let rest = rest.strip_prefix(b"\"")?.trim_ascii_start();
    let rest = rest.strip_prefix(b",").map_or(rest, <[u8]>::trim_ascii_start);
    let mut object = b"{".to_vec();
    object.extend_from_slice(rest);
    let text = whole_row(&object).unwrap_or(object);
    Some((id, Edit { tag, text }))
}

/// The row of an object that holds nothing but `_raw`.
fn whole_row(object: &[u8]) -> Option<Vec<u8>> {
    let value: serde_json::Value = serde_json::from_slice(object).ok()?;
    let object = value.as_object().filter(|object| object.len() == 1)?;
    Some(object.get("_raw")?.as_str()?.as_bytes().to_vec())
}

/// The number and the tag of an id, and what follows it.
fn id_of(text: &[u8]) -> Option<(i64, String, &[u8])> {
    let digits = text.strip_prefix(ID_PREFIX.as_bytes())?;
    let (id, rest) = split_where(digits, |byte| !byte.is_ascii_digit());
    let (tag, rest) = split_where(rest.strip_prefix(b"-")?, |byte| !byte.is_ascii_hexdigit());
    let id = std::str::from_utf8(id).ok()?.parse().ok()?;
    let tag = std::str::from_utf8(tag).ok().filter(|tag| !tag.is_empty())?;
    Some((id, tag.to_ascii_lowercase(), rest))
}

fn split_where(text: &[u8], ends: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(ends).unwrap_or(text.len()))
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

    fn read(text: &str) -> (Option<String>, BTreeMap<i64, String>) {
        let Edits { header, rows } = read_edited(text.as_bytes()).unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let rows = rows.into_iter().map(|(id, row)| {
            assert_eq!(row.tag, "0a1b2c3d");
            (id, text(row.text))
        });
        (header.map(text), rows.collect())
    }

    #[test]
    fn rows_are_found_by_their_ids_whatever_an_editor_did() {
        let (header, rows) = read(
            "\u{feff}_reject_id,id,note\r\nr12-0a1b2c3d,1,plain\r\n\"r13-0A1B2C3D\",2,\"two\r\n\
             lines\"\r\nr14-0a1b2c3d,\"never closed\n",
        );
        assert_eq!(header.as_deref(), Some(",id,note"));
        assert_eq!(
            rows,
            [
                (12, ",1,plain".to_owned()),
                (13, ",2,\"two\nlines\"".to_owned()),
                (14, ",\"never closed".to_owned()),
            ]
            .into()
        );
        let (header, _) = read("\"_reject_id\",\"two\nlines\"\nr1-0a1b2c3d,1\n");
        assert_eq!(header.as_deref(), Some(",\"two\nlines\""));
    }

    #[test]
    fn json_rows_lose_their_id() {
        let (header, rows) = read(
            "{\"_reject_id\":\"r1-0a1b2c3d\",\"a\":1}\n\
             { \"_reject_id\": \"r2-0a1b2c3d\" , \"a\": nope }\n\
             {\"_reject_id\":\"r3-0a1b2c3d\"}\n\
             {\"_reject_id\":\"r4-0a1b2c3d\",\"_raw\":\"[1]\"}\n",
        );
        let expected = [(1, "{\"a\":1}"), (2, "{\"a\": nope }"), (3, "{}"), (4, "[1]")];
        assert_eq!((header, rows), (None, expected.map(|(id, row)| (id, row.to_owned())).into()));
    }

    #[test]
    fn what_is_no_export_is_refused() {
        for (text, message) in [
            ("id,note\n1,x\n", "`_reject_id`"),
            ("", "`_reject_id`"),
            ("_reject_id,id\n1,2\n", "such as r1"),
            ("_reject_id,id\nr1,2\n", "such as r1"),
            ("_reject_id,id\nr1-0a,2\nr1-0a,3\n", "stands twice"),
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
