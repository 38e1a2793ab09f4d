//! What a stream's options say of its XML, checked, with every default
//! decided.

use decant_core::stream::{Flatten, FormatOptions};
use decant_core::{Error, ErrorKind, Result};

use crate::csv::RECORD_BYTES_MAX;
use crate::untyped::Untyped;

/// Longest row that may be asked for: positions in what is made of it are 32
/// bits wide.
const RECORD_BYTES_LIMIT: usize = 256 << 20;
/// Deepest level of elements that may become columns.
const FLATTEN_DEPTH_MAX: u32 = 64;

/// What is known of a file before it is read.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The local names of the row element and, before it, of those around it;
    /// empty where it is to be found out.
    pub(super) path: Vec<String>,
    pub(super) flatten: Option<Flatten>,
    pub(super) row_bytes_max: usize,
    pub(super) untyped: Untyped,
    pub(super) options: FormatOptions,
}

impl Settings {
    /// The settings that `options` describe.
    ///
    /// Errors: `InvalidConfig` for a row element that none can be called, or
    /// a limit out of range.
    pub(super) fn new(options: &FormatOptions) -> Result<Self> {
        let row_bytes_max = options.record_bytes_max.unwrap_or(RECORD_BYTES_MAX);
        if !(1..=RECORD_BYTES_LIMIT).contains(&row_bytes_max) {
            let message = format!("record_bytes_max is {row_bytes_max}");
            return Err(Error::new(ErrorKind::InvalidConfig, message)
                .with_hint(format!("choose 1 to {RECORD_BYTES_LIMIT} bytes")));
        }
        Ok(Self {
            path: options.row_element.as_deref().map_or(Ok(Vec::new()), parse_path)?,
            flatten: options.flatten.clone().filter(|flatten| flatten.depth > 0),
            row_bytes_max,
            untyped: Untyped::new(options),
            options: options.clone(),
        })
    }

    /// Levels of elements inside a row that become columns.
    pub(super) fn levels(&self) -> u32 {
        self.flatten.as_ref().map_or(0, |flatten| flatten.depth.min(FLATTEN_DEPTH_MAX))
    }

    /// The options under which the text of one row is read again.
    pub(super) fn of_rows(&self) -> FormatOptions {
        FormatOptions {
            name: Some("xml".to_owned()),
            compression: None,
            encoding: Some("utf-8".to_owned()),
            row_element: self.path.last().cloned(),
            ..self.options.clone()
        }
    }
}

/// Reads `item` or `rows/item`. Prefixes of namespaces are dropped.
fn parse_path(path: &str) -> Result<Vec<String>> {
    let name = |part: &str| {
        let local = part.rsplit(':').next().unwrap_or(part);
        let is_foreign = |letter: char| letter.is_whitespace() || "<>&\"'=@[]*?!".contains(letter);
        let is_name = !local.is_empty()
            && !local.contains(is_foreign)
            && !local.starts_with(|letter: char| letter.is_ascii_digit() || "-.".contains(letter));
        is_name.then(|| local.to_owned())
    };
    let parts = path.strip_prefix('/').unwrap_or(path).split('/');
    parts.map(name).collect::<Option<_>>().ok_or_else(|| {
        let message = format!("`{path}` is no name of an element");
        Error::new(ErrorKind::InvalidConfig, message).with_hint(
            "name the element that is a row, as `item`, or with those around it, as `rows/item`",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_element_is_a_name_or_a_path_of_names() {
        for (path, expected) in [
            ("item", &["item"][..]),
            ("a:item", &["item"]),
            ("rows/item", &["rows", "item"]),
            ("/x:rows/y:item", &["rows", "item"]),
            ("größe", &["größe"]),
        ] {
            assert_eq!(parse_path(path).unwrap(), expected, "{path}");
        }
        for path in ["", "a//b", "//item", "<item>", "item[1]", "@id", "1a", "a b", "a:"] {
            let error = parse_path(path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidConfig, "{path}");
            assert!(error.hint().is_some());
        }
    }
}
