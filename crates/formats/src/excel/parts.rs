//! The parts of a workbook that is a zip archive: what they are called, and
//! that none takes more memory than it may.
//!
//! What the archive's index says of sizes need not be true, so that each part
//! is unpacked into nothing. A sheet of an `.xlsx` is read as it comes, and may
//! have any size, but for the stretches between its marks, which are one value
//! at most.

use std::fmt::Display;
use std::io::{Read, copy, sink};

use decant_core::{Error, ErrorKind, Result};

use super::store::Store;
use super::{broken, too_large};

/// Where the sheets of an `.xlsx` are.
const SHEETS: &str = "xl/worksheets/";
/// Bytes of one value or mark of a sheet: far more than any program allows.
const STRETCH_BYTES_MAX: u64 = 8 << 20;
/// Bytes that are unpacked together.
const WINDOW_BYTES: usize = 64 << 10;

/// The parts' names. Errors: `MalformedFile`, `Unsupported` for parts that are
/// too large.
pub(super) fn names(store: &mut Store<'_>, bytes_max: u64) -> Result<Vec<String>> {
    let failure = store.failure();
    let unread = |error: &dyn Display| failure.or(|| broken(error));
    let mut archive = zip::ZipArchive::new(store).map_err(|error| unread(&error))?;
    let mut left = bytes_max;
    let mut names = Vec::new();
    for part in 0..archive.len() {
        let part = archive.by_index(part).map_err(|error| unread(&error))?;
        let name = part.name().map_err(|error| unread(&error))?.into_owned();
        if name.get(..SHEETS.len()).is_some_and(|folder| folder.eq_ignore_ascii_case(SHEETS)) {
            let longest = longest_stretch(part).map_err(|error| unread(&error))?;
            if longest > STRETCH_BYTES_MAX {
                let message = format!("a value in it has more than {STRETCH_BYTES_MAX} bytes");
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
        } else {
            let unpacked = copy(&mut part.take(left.saturating_add(1)), &mut sink());
            let unpacked = unpacked.map_err(|error| unread(&error))?;
            left = left.checked_sub(unpacked).ok_or_else(|| too_large(bytes_max))?;
        }
        names.push(name);
    }
    Ok(names)
}

/// The longest stretch without a mark, as far as it is of interest.
fn longest_stretch(mut part: impl Read) -> std::io::Result<u64> {
    let mut window = vec![0; WINDOW_BYTES];
    let (mut longest, mut open) = (0, 0);
    loop {
        let count = part.read(&mut window)?;
        if count == 0 || longest > STRETCH_BYTES_MAX {
            return Ok(longest.max(open));
        }
        let mut from = 0;
        for at in memchr::memchr_iter(b'<', &window[..count]) {
            longest = longest.max(open + (at - from) as u64);
            (open, from) = (0, at);
        }
        open += (count - from) as u64;
        longest = longest.max(open);
    }
}
