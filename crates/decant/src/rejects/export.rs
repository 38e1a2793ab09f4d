//! Rejects as a file that can be edited: the raw rows below their header, or
//! JSON lines, each with the id of its reject in front.
//!
//! Rows are written as they are, broken or not; the id in front is all that
//! is needed to find them again, so that a text editor is enough.

use decant_core::layout::Layout;
use decant_core::ledger::StoredReject;
use decant_core::{Error, ErrorKind, Result};
use decant_formats::raw_rows::{delimiter, header_line, transcribed};

use super::{ID_COLUMN, ID_PREFIX};

/// The text of an export in the making.
#[derive(Debug, Default)]
pub struct Export {
    text: Vec<u8>,
    shape: Option<Shape>,
    rows: u64,
}

/// What rows need in common to stand in one file.
#[derive(Debug, PartialEq, Eq)]
enum Shape {
    /// JSON lines.
    Json,
    /// Text, with what follows the id and the header behind it.
    Text { delimiter: String, header: String },
}

impl Export {
    /// Adds a reject.
    ///
    /// # Errors
    ///
    /// `InvalidConfig` when its columns are not those of the others;
    /// `Unsupported` when the ledger does not say how its row is read.
    pub fn push(&mut self, stored: &StoredReject) -> Result<()> {
        let shape = shape_of(stored)?;
        match &self.shape {
            None => {
                if let Shape::Text { delimiter, header } = &shape {
                    self.text.extend_from_slice(ID_COLUMN.as_bytes());
                    self.text.extend_from_slice(delimiter.as_bytes());
                    self.text.extend_from_slice(header.as_bytes());
                    self.text.push(b'\n');
                }
            }
            Some(first) if *first == shape => {}
            Some(_) => {
                return Err(Error::new(
                    ErrorKind::InvalidConfig,
                    "the rejects are of files with different columns",
                )
                .in_file(stored.file.file.location())
                .with_hint("export them apart, with --file or --table"));
            }
        }
        let id = format!("{ID_PREFIX}{}-{}", stored.id, stored.tag());
        self.push_row(&shape, &id, &raw_text(stored)?);
        self.shape = Some(shape);
        self.rows += 1;
        Ok(())
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What is to be written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.text
    }

    fn push_row(&mut self, shape: &Shape, id: &str, raw: &[u8]) {
        match shape {
            Shape::Text { delimiter, .. } => {
                self.text.extend_from_slice(format!("{id}{delimiter}").as_bytes());
                self.text.extend_from_slice(raw);
            }
            Shape::Json => self.text.extend_from_slice(&json_line(id, raw)),
        }
        self.text.push(b'\n');
    }
}

/// The row as text to be edited: what has no meaning is U+FFFD in a row that
/// stands in the encoding of its file.
fn raw_text(stored: &StoredReject) -> Result<Vec<u8>> {
    let layout = stored.file.layout.as_deref().map(Layout::parse).transpose()?;
    let encoding = layout.as_ref().and_then(|layout| layout.raw_encoding(&stored.reject));
    let Some(encoding) = encoding else { return Ok(stored.reject.raw.clone()) };
    let text = transcribed(&stored.reject.raw, encoding)?;
    Ok(String::from_utf8_lossy(&text).into_owned().into_bytes())
}

fn shape_of(stored: &StoredReject) -> Result<Shape> {
    let Some(layout) = &stored.file.layout else {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "the ledger does not say how the rows of this file are read",
        )
        .in_file(stored.file.file.location())
        .with_hint("only rejects of files that are loaded can be exported"));
    };
    let layout = Layout::parse(layout)?;
    let name = stored.file.file.name();
    let delimited =
        delimiter(name, &layout.options).zip(header_line(name, &layout.options, &layout.names));
    Ok(match delimited {
        Some((delimiter, header)) => Shape::Text { delimiter, header },
        None if layout.options.name.as_deref().is_some_and(|name| name.starts_with("json")) => {
            Shape::Json
        }
        None => Shape::Text { delimiter: "\t".into(), header: layout.names.join(" ") },
    })
}

/// The row's JSON with the id as its first key; what is no object stands
/// whole under `_raw`.
fn json_line(id: &str, raw: &[u8]) -> Vec<u8> {
    let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let line: Vec<u8> = raw.iter().map(|byte| if is_break(byte) { b' ' } else { *byte }).collect();
    let line = line.trim_ascii();
    let head = format!("{{\"{ID_COLUMN}\":\"{id}\"");
    let mut text = head.into_bytes();
    match line.strip_prefix(b"{").map(<[u8]>::trim_ascii_start) {
        Some(b"}") => text.push(b'}'),
        Some(rest) => {
            text.push(b',');
            text.extend_from_slice(rest);
        }
        None => {
            let whole = serde_json::Value::from(String::from_utf8_lossy(line));
            text.extend_from_slice(format!(",\"_raw\":{whole}}}").as_bytes());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_rows_carry_their_id_as_the_first_key() {
        for (raw, line) in [
            ("{\"a\": 1}", "{\"_reject_id\":\"r7-0\",\"a\": 1}"),
            ("{\n  \"a\": 1\n}", "{\"_reject_id\":\"r7-0\",\"a\": 1 }"),
            ("{ }", "{\"_reject_id\":\"r7-0\"}"),
            ("{\"a\": nope", "{\"_reject_id\":\"r7-0\",\"a\": nope"),
            ("[1, \"x\"]", "{\"_reject_id\":\"r7-0\",\"_raw\":\"[1, \\\"x\\\"]\"}"),
        ] {
            assert_eq!(
                String::from_utf8(json_line("r7-0", raw.as_bytes())).unwrap(),
                line,
                "{raw}"
            );
        }
    }
}
