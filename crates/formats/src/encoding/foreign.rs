//! Files that are certainly no text, whatever their names say.

use decant_core::{Error, ErrorKind, Result};

const FOREIGN: [(&[u8], &str); 8] = [
    (b"PAR1\x15", "a Parquet file"),
    (b"PK\x03\x04", "a zip archive or a workbook"),
    (b"Obj\x01", "an Avro file"),
    (b"ARROW1\0", "an Arrow file"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"BZh91AY&SY", "compressed with bzip2"),
    (b"\xfd7zXZ\0", "compressed with xz"),
    (b"\x04\x22\x4d\x18", "compressed with lz4"),
];
const UTF_32: [&[u8]; 2] = [b"\xff\xfe\0\0", b"\0\0\xfe\xff"];

/// Refuses a file whose first bytes no text begins with.
pub(super) fn refuse(beginning: &[u8]) -> Result<()> {
    if UTF_32.iter().any(|mark| beginning.starts_with(mark)) {
        return Err(Error::new(ErrorKind::Unsupported, "the file is UTF-32")
            .with_hint("convert it to UTF-8, for instance with `iconv -f UTF-32 -t UTF-8`"));
    }
    match FOREIGN.iter().find(|(magic, _)| beginning.starts_with(magic)) {
        None => Ok(()),
        Some((_, what)) => {
            Err(Error::new(ErrorKind::Unsupported, format!("the file is {what}, not text"))
                .with_hint("leave it out with `exclude` or `extension`"))
        }
    }
}
