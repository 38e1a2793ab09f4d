//! The ids of files that were never loaded, to make a large ledger without
//! loading a million files.

use std::io::{self, BufWriter, Write};

use chrono::DateTime;
use decant_core::file::{FileId, FileVersion};

use crate::serve::{BUCKET, object_key};
use crate::{Result, number};

/// Prints id and key of every object, with a tab between them.
pub(crate) fn print(address: &str, table: &str, rest: &str) -> Result<()> {
    let (objects, etag) = rest.split_once(':').ok_or("N is followed by `:` and the ETag")?;
    let source = address.trim_start_matches("http://").to_lowercase();
    let mut file = FileVersion {
        source,
        bucket: BUCKET.to_owned(),
        key: String::new(),
        member: String::new(),
        etag: etag.to_owned(),
        size: crate::serve::OBJECT.len() as u64,
        version_id: None,
        last_modified: DateTime::UNIX_EPOCH,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    for object in 0..number(objects)? {
        file.key = object_key(object);
        writeln!(out, "{}\t{}", FileId::of(table, &file), file.key)
            .map_err(|error| error.to_string())?;
    }
    out.flush().map_err(|error| error.to_string())
}
