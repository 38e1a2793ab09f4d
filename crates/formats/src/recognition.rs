//! What a file is, by its bytes: magic first, then what its text looks like.
//!
//! Not here: what its name says, and which of the two is believed
//! ([`file_format`](crate::file_format)). Compression has been dealt with.
//!
//! Invariant: a text file is never taken for a binary one by a word at its
//! beginning; a magic that could be text needs a byte behind it that cannot.

use crate::json;

/// Bytes of a file that are looked at.
pub(crate) const LOOK_BYTES: usize = 64 << 10;
/// Bytes that show whether a file is text.
const TEXT_BYTES: usize = 512;
/// Where a tar says that it is one.
const TAR_MAGIC_AT: usize = 257;
/// The first bytes of a workbook from before 2007, and of other documents.
pub(crate) const COMPOUND_MAGIC: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
const ZIP_MAGIC: &[u8] = b"PK\x03\x04";
/// A zip without members.
const EMPTY_ZIP_MAGIC: &[u8] = b"PK\x05\x06";
/// Bytes of a zip member's header before its name, and where the length of
/// its name is told in them.
const ZIP_HEADER_BYTES: usize = 30;
const ZIP_NAME_LENGTH_AT: usize = 26;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What magic bytes stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Magic {
    /// A format, by its name in the registry.
    Format(&'static str),
    /// An archive, by the ending that names have.
    Archive(&'static str),
    /// What decant does not read.
    Foreign(&'static str),
}

/// Magic bytes that are enough by themselves.
const CERTAIN: [(&[u8], Magic); 12] = [
    (b"Obj\x01", Magic::Format("avro")),
    (b"ARROW1\0\0", Magic::Format("arrow")),
    (&COMPOUND_MAGIC, Magic::Format("excel")),
    (EMPTY_ZIP_MAGIC, Magic::Archive("zip")),
    (b"SQLite format 3\0", Magic::Foreign("an SQLite database")),
    (b"7z\xbc\xaf\x27\x1c", Magic::Foreign("a 7z archive")),
    (b"Rar!\x1a\x07", Magic::Foreign("a RAR archive")),
    (b"\x89PNG\r\n\x1a\n", Magic::Foreign("a PNG image")),
    (b"\xff\xd8\xff", Magic::Foreign("a JPEG image")),
    (b"\x7fELF", Magic::Foreign("a program")),
    (b"\x89HDF\r\n\x1a\n", Magic::Foreign("an HDF5 file")),
    (b"\x80\x04\x95", Magic::Foreign("a Python pickle")),
];

/// Bytes behind a word among which one is that no text has.
const WORD_BYTES_BEHIND: usize = 8;
/// Magic bytes that a text could begin with.
const WORDS: [(&[u8], Magic); 9] = [
    (b"PAR1", Magic::Format("parquet")),
    (b"PARE", Magic::Format("parquet")),
    (b"FEA1", Magic::Format("arrow")),
    (b"ORC", Magic::Foreign("an ORC file")),
    (b"GIF8", Magic::Foreign("a GIF image")),
    (b"BM", Magic::Foreign("a bitmap image")),
    (b"RIFF", Magic::Foreign("an image, sound or video")),
    (b"II*", Magic::Foreign("a TIFF image")),
    (b"MZ", Magic::Foreign("a program")),
];

/// What the first bytes of a file, about [`LOOK_BYTES`] of them, stand for by
/// their magic.
pub(crate) fn by_magic(start: &[u8]) -> Option<Magic> {
    if let Some((_, magic)) = CERTAIN.iter().find(|(magic, _)| start.starts_with(magic)) {
        return Some(*magic);
    }
    let word = WORDS.iter().find(|(word, _)| {
        let behind = start.strip_prefix(*word).unwrap_or_default();
        behind.iter().take(WORD_BYTES_BEHIND).any(|byte| is_binary(*byte))
    });
    if let Some((_, magic)) = word {
        return Some(*magic);
    }
    if is_arrow_stream(start) {
        return Some(Magic::Format("arrow"));
    }
    if start.starts_with(ZIP_MAGIC) {
        let magic = if is_workbook(start) { Magic::Format("excel") } else { Magic::Archive("zip") };
        return Some(magic);
    }
    let is_tar = start.get(TAR_MAGIC_AT..).is_some_and(|rest| rest.starts_with(b"ustar"));
    if is_tar {
        return Some(Magic::Archive("tar"));
    }
    (start.starts_with(b"%PDF-")).then_some(Magic::Foreign("a PDF"))
}

/// The format that text looks like: JSON, XML or, for want of anything
/// better, CSV.
pub(crate) fn by_content(start: &[u8]) -> &'static str {
    let text = start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(start);
    if json::is_beginning(text) {
        return "json";
    }
    if is_xml(text.trim_ascii_start()) { "xml" } else { "csv" }
}

/// What a file looks like that is not what it was taken for: in words, and as
/// the name of a format where it is one.
pub(crate) fn looks_like(start: &[u8]) -> (&'static str, Option<&'static str>) {
    match by_magic(start) {
        Some(Magic::Format(name)) => return (name, Some(name)),
        Some(Magic::Archive("tar")) => return ("a tar archive", None),
        Some(Magic::Archive(_)) => return ("a zip archive", None),
        Some(Magic::Foreign(what)) => return (what, None),
        None => {}
    }
    if is_html(start) {
        return ("an HTML page", None);
    }
    if !is_text(start) {
        return ("no format that is known", None);
    }
    match by_content(start) {
        "json" => ("JSON", Some("json")),
        "xml" => ("XML", Some("xml")),
        _ => ("delimited text", Some("csv")),
    }
}

/// Whether nothing in the beginning is foreign to text.
pub(crate) fn is_text(start: &[u8]) -> bool {
    let looked_at = &start[..start.len().min(TEXT_BYTES)];
    !looked_at.is_empty() && !looked_at.iter().any(|byte| is_binary(*byte))
}

/// Whether text begins with an element, or what stands before one.
fn is_xml(text: &[u8]) -> bool {
    let begins = match text {
        [b'<', b'?', b'x', b'm', b'l', ..] | [b'<', b'!', b'-', b'-', ..] => true,
        [b'<', letter, ..] => letter.is_ascii_alphabetic() || *letter == b'_',
        _ => false,
    };
    let ends_something = |mark: &[u8]| memchr::memmem::find(text, mark).is_some();
    begins && (ends_something(b"</") || ends_something(b"/>"))
}

/// Whether the text is a web page: what a server says instead of the file.
pub(crate) fn is_html(start: &[u8]) -> bool {
    let text = start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(start).trim_ascii_start();
    let head = text[..text.len().min(TEXT_BYTES)].to_ascii_lowercase();
    let begins = |word: &[u8]| head.starts_with(word);
    begins(b"<!doctype html")
        || begins(b"<html")
        || begins(b"<table")
        || begins(b"<?xml") && memchr::memmem::find(&head, b"<html").is_some()
}

/// Whether a byte is no part of any text, in any encoding that extends ASCII.
fn is_binary(byte: u8) -> bool {
    byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b)
}

/// Whether a schema follows: the length of its message is a multiple of 8.
fn is_arrow_stream(start: &[u8]) -> bool {
    let [0xff, 0xff, 0xff, 0xff, length @ ..] = start else { return false };
    let length = length.first_chunk::<4>().map_or(0, |length| u32::from_le_bytes(*length));
    length > 0 && length % 8 == 0 && length < 1 << 24
}

/// Whether the members of a zip, as far as they are seen, are a workbook's.
fn is_workbook(start: &[u8]) -> bool {
    let names: Vec<&[u8]> = memchr::memmem::find_iter(start, ZIP_MAGIC)
        .filter_map(|at| zip_name(start.get(at..)?))
        .collect();
    let is_open_document = names.first() == Some(&&b"mimetype"[..])
        && memchr::memmem::find(&start[..start.len().min(TEXT_BYTES)], b"opendocument.spreadsheet")
            .is_some();
    is_open_document
        || names.first() == Some(&&b"[Content_Types].xml"[..])
        || names.iter().any(|name| name.starts_with(b"xl/"))
}

/// The name of the member whose header this is.
fn zip_name(header: &[u8]) -> Option<&[u8]> {
    let length = header.get(ZIP_NAME_LENGTH_AT..ZIP_NAME_LENGTH_AT + 2)?;
    let length = usize::from(u16::from_le_bytes(length.try_into().ok()?));
    header.get(ZIP_HEADER_BYTES..)?.get(..length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magic_tells_binary_files() {
        let mut tar = vec![b'a'; 512];
        tar[257..262].copy_from_slice(b"ustar");
        let zip = |name: &str| {
            let mut bytes = b"PK\x03\x04".to_vec();
            bytes.resize(26, 0);
            bytes.extend([name.len() as u8, 0, 0, 0]);
            bytes.extend(name.as_bytes());
            bytes
        };
        for (bytes, expected) in [
            (b"PAR1\x15\x04".to_vec(), Some(Magic::Format("parquet"))),
            (b"Obj\x01\x04".to_vec(), Some(Magic::Format("avro"))),
            (b"ARROW1\0\0\xff\xff\xff\xff".to_vec(), Some(Magic::Format("arrow"))),
            (b"\xff\xff\xff\xff\x78\0\0\0".to_vec(), Some(Magic::Format("arrow"))),
            (zip("xl/workbook.xml"), Some(Magic::Format("excel"))),
            (zip("[Content_Types].xml"), Some(Magic::Format("excel"))),
            (zip("orders.csv"), Some(Magic::Archive("zip"))),
            ([zip("docProps/app.xml"), zip("xl/a")].concat(), Some(Magic::Format("excel"))),
            (tar, Some(Magic::Archive("tar"))),
            (b"ORC\x0a\x0b".to_vec(), Some(Magic::Foreign("an ORC file"))),
            (b"PARE%\x1e\xa8".to_vec(), Some(Magic::Format("parquet"))),
            (b"ORC\x08\x0b".to_vec(), Some(Magic::Foreign("an ORC file"))),
            (b"GIF89a\x10\0\x10\0".to_vec(), Some(Magic::Foreign("a GIF image"))),
            (b"BM\xf6\x12\0\0\0\0".to_vec(), Some(Magic::Foreign("a bitmap image"))),
            (b"MZ\x90\0\x03\0".to_vec(), Some(Magic::Foreign("a program"))),
            (b"II*\0\x08\0".to_vec(), Some(Magic::Foreign("a TIFF image"))),
            (b"BM,MZ,GIF89a\n1,2,3\n".to_vec(), None),
            (b"MZ\tRIFF\r\n".to_vec(), None),
            (b"PAR1,PAR2\n1,2\n".to_vec(), None),
            (b"PAR1".to_vec(), None),
            (b"ORC\n1\n".to_vec(), None),
            (b"PKID,name\n".to_vec(), None),
            (Vec::new(), None),
        ] {
            assert_eq!(by_magic(&bytes), expected, "{:?}", bytes.escape_ascii().to_string());
        }
    }

    #[test]
    fn text_is_json_only_where_it_is_json() {
        for (text, expected) in [
            ("[{\"a\":1},{\"a\":2}]", "json"),
            ("\u{feff} \n {\"a\": 1}\n{\"a\": 2}\n", "json"),
            ("{\"a\":1}{\"a\":2}", "json"),
            ("{\"a\":oops}\n{\"a\":2}\n", "json"),
            ("[1,2]\n[3,4]\n", "json"),
            ("[\n  {\"a\": 1},", "json"),
            ("[2024-01-01 10:00:00] started\n", "csv"),
            ("[1] started\n[2] ended\n", "csv"),
            ("[section]\nkey=1\n", "csv"),
            ("{a},{b}\n1,2\n", "csv"),
            ("{\"a\":1},2\n", "csv"),
            ("{\n", "csv"),
            ("1\n2\n", "csv"),
            ("\"a\"\n\"b\"\n", "csv"),
            ("null\n", "csv"),
            ("a,b\n{\"a\":1},2\n", "csv"),
            ("<?xml version=\"1.0\"?><a/>", "xml"),
            ("<rows>\n<row a='1'/>", "xml"),
            ("<5,>5\n1,2\n", "csv"),
            ("<a>,<b>\n1,2\n", "csv"),
            ("", "csv"),
        ] {
            assert_eq!(by_content(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_workbook_is_told() {
        for (bytes, words) in [
            (&b"<html><table>"[..], "an HTML page"),
            (b"a,b\n1,2\n", "delimited text"),
            (b"[1]", "JSON"),
            (b"\x00\x01\x02", "no format that is known"),
        ] {
            assert_eq!(looks_like(bytes).0, words);
        }
    }
}
