//! Paths as keys: text that says every byte of a path.
//!
//! A path that is UTF-8 is its own key. Other bytes are written `\xNN`, in
//! upper-case hexadecimal; so that no path is written like another, a
//! backslash that is followed by `x` and two such digits is itself written
//! `\x5C`. Each part of a path is escaped on its own: `/` stays `/`.
//!
//! Invariant: `unescape(escape(path)) == path`.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The key of a path.
pub(crate) fn escape(path: &Path) -> String {
    escape_bytes(path.as_os_str().as_bytes())
}

/// The key of a path's bytes.
pub(crate) fn escape_bytes(bytes: &[u8]) -> String {
    let mut key = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        escape_text(chunk.valid(), &mut key);
        for byte in chunk.invalid() {
            key.push_str(&format!("\\x{byte:02X}"));
        }
    }
    key
}

fn escape_text(text: &str, key: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        key.push_str(&rest[..at]);
        key.push_str(if escaped_byte(&rest.as_bytes()[at..]).is_some() { "\\x5C" } else { "\\" });
        rest = &rest[at + 1..];
    }
    key.push_str(rest);
}

/// The path of a key.
pub(crate) fn unescape(key: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(key.len());
    let mut rest = key.as_bytes();
    while let [first, tail @ ..] = rest {
        match escaped_byte(rest) {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[4..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

/// The byte that `\xNN` at the beginning of `text` stands for.
fn escaped_byte(text: &[u8]) -> Option<u8> {
    let [b'\\', b'x', high, low, ..] = text else { return None };
    Some(upper_hex(*high)? << 4 | upper_hex(*low)?)
}

fn upper_hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_path_that_is_utf8_is_its_own_key() {
        for path in ["/a/b.csv", "/a b/ü\n.csv", r"/a\b\.csv", r"/a\xzz", r"/a\x5c", r"/\x5"] {
            assert_eq!(escape_bytes(path.as_bytes()), path);
        }
    }

    #[test]
    fn other_bytes_are_escaped() {
        assert_eq!(escape_bytes(b"/a\xFF.csv"), r"/a\xFF.csv");
        assert_eq!(escape_bytes(br"/a\xFF.csv"), r"/a\x5CxFF.csv");
    }

    #[test]
    fn no_two_paths_share_a_key() {
        let letters = [b"\\".as_slice(), b"x", b"5", b"C", b"\xFF", b"\xC3", b"\xA9", b"/"];
        let mut paths: Vec<Vec<u8>> = vec![Vec::new()];
        let mut keys = HashSet::new();
        for _ in 0..5 {
            paths = paths
                .iter()
                .flat_map(|path| letters.map(|letter| [path.as_slice(), letter].concat()))
                .collect();
            for path in &paths {
                let key = escape_bytes(path);
                assert_eq!(unescape(&key).as_os_str().as_bytes(), path.as_slice(), "{key}");
                assert!(keys.insert(key));
            }
        }
    }
}
