//! What a stream's options say of its JSON, checked, with every default
//! decided.

use decant_core::stream::{Flatten, FormatOptions, Header};
use decant_core::{Error, ErrorKind, Result};

use super::scanner::FLATTEN_DEPTH_MAX;
use crate::csv::RECORD_BYTES_MAX;

/// Longest row that may be asked for: positions in a window are 32 bits wide.
const RECORD_BYTES_LIMIT: usize = 1 << 30;
/// Memory that turning a document of columns into rows may take.
const MEMORY_BYTES: u64 = 64 << 20;

/// How rows stand in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Orient {
    /// To be found out.
    Auto,
    /// One value a line.
    Lines,
    /// `[{"a": 1}, …]`
    Records,
    /// `[[1, 2], …]`
    Values,
    /// `{"columns": ["a"], "index": [0], "data": [[1], …]}`
    Split,
    /// `{"row": {"a": 1}, …}`
    Index,
    /// `{"a": {"row": 1, …}, …}`
    Columns,
}

impl Orient {
    const NAMES: [(&'static str, Self); 7] = [
        ("json", Self::Auto),
        ("jsonl", Self::Lines),
        ("json-records", Self::Records),
        ("json-values", Self::Values),
        ("json-split", Self::Split),
        ("json-index", Self::Index),
        ("json-columns", Self::Columns),
    ];

    /// What the user calls it.
    pub(super) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, orient)| *orient == self).map_or("json", |(name, _)| name)
    }
}

/// What is known of a file before it is read.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) orient: Orient,
    /// Whether the file's name says that it is JSON lines.
    pub(super) lines_expected: bool,
    /// The keys and positions on the way to the rows.
    pub(super) pointer: Option<Vec<String>>,
    pub(super) flatten: Option<Flatten>,
    /// Whether the first row that is an array names the columns.
    pub(super) header: bool,
    pub(super) row_bytes_max: usize,
    pub(super) memory_bytes: usize,
    pub(super) options: FormatOptions,
}

impl Settings {
    /// The settings that `options` describe.
    ///
    /// Errors: `InvalidConfig` for a pointer that is none, an unknown
    /// encoding, or a limit out of range.
    pub(super) fn new(lines_expected: bool, options: &FormatOptions) -> Result<Self> {
        let name = options.name.as_deref().unwrap_or("json").to_ascii_lowercase();
        let known = Orient::NAMES.iter().find(|(known, _)| *known == name);
        if let Some(label) = &options.encoding {
            crate::encoding::check_label(label)?;
        }
        let row_bytes_max = options.record_bytes_max.unwrap_or(RECORD_BYTES_MAX);
        if !(1..=RECORD_BYTES_LIMIT).contains(&row_bytes_max) {
            let message = format!("record_bytes_max is {row_bytes_max}");
            return Err(Error::new(ErrorKind::InvalidConfig, message)
                .with_hint(format!("choose 1 to {RECORD_BYTES_LIMIT} bytes")));
        }
        let memory_bytes = options.memory_bytes.unwrap_or(MEMORY_BYTES).min(u32::MAX.into());
        Ok(Self {
            orient: known.map_or(Orient::Auto, |(_, orient)| *orient),
            lines_expected,
            pointer: options.records_path.as_deref().map(parse_pointer).transpose()?,
            flatten: options.flatten.clone().filter(|flatten| flatten.depth > 0),
            header: matches!(options.header, Some(Header::Rows(_))),
            row_bytes_max,
            memory_bytes: usize::try_from(memory_bytes).unwrap_or(usize::MAX),
            options: options.clone(),
        })
    }

    /// Levels of objects inside a row that become columns.
    pub(super) fn levels(&self) -> u32 {
        self.flatten.as_ref().map_or(0, |flatten| flatten.depth.min(FLATTEN_DEPTH_MAX))
    }

    /// The options under which the text of a row is read again.
    pub(super) fn of_rows(&self) -> FormatOptions {
        FormatOptions {
            name: Some(Orient::Lines.name().to_owned()),
            compression: None,
            encoding: Some("utf-8".to_owned()),
            header: None,
            records_path: None,
            habits: None,
            ..self.options.clone()
        }
    }
}

/// Reads a JSON pointer: `/data/items`, or nothing for the whole document.
///
/// RFC 6901: `~1` is `/` and `~0` is `~` in a key.
fn parse_pointer(pointer: &str) -> Result<Vec<String>> {
    let broken = |why: &str| {
        Error::new(ErrorKind::InvalidConfig, format!("`{pointer}` is no JSON pointer: {why}"))
            .with_hint("write the keys on the way to the rows as `/data/items`")
    };
    if pointer.is_empty() {
        return Ok(Vec::new());
    }
    let path = pointer.strip_prefix('/').ok_or_else(|| broken("it does not begin with `/`"))?;
    let key = |part: &str| {
        let stray = part.replace("~0", "").replace("~1", "").contains('~');
        let key = part.replace("~1", "/").replace("~0", "~");
        if stray { Err(broken("`~` stands alone")) } else { Ok(key) }
    };
    path.split('/').map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_those_of_rfc_6901() {
        for (pointer, expected) in [
            ("", &[][..]),
            ("/", &[""]),
            ("/data", &["data"]),
            ("/data/0/rows", &["data", "0", "rows"]),
            ("/a~1b/m~0n/~01", &["a/b", "m~n", "~1"]),
        ] {
            assert_eq!(parse_pointer(pointer).unwrap(), expected, "{pointer}");
        }
        for pointer in ["data", "/a~", "/a~2"] {
            let error = parse_pointer(pointer).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidConfig, "{pointer}");
            assert!(error.hint().is_some());
        }
    }
}
