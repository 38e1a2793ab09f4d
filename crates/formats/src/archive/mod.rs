//! Archives: zip, and tar in any compression.
//!
//! A name promises an archive (`.zip`, `.tar`, `.tar.gz`, `.tgz`, …), its
//! first bytes say which one it is. Directories are read by ranges of the
//! stored object: the central directory of a zip, the headers of a tar; a
//! compressed tar has no ranges and is unpacked by its caller first.
//!
//! Not here: what the members hold (they are files like any other, compressed
//! ones too) and where unpacked bytes are kept.
//!
//! Invariant: what an archive claims is checked before it is believed: sizes
//! against the archive's own, members against each other, checksums against
//! the bytes, and everything against the limits of decompression.

mod member;
mod ranges;
mod tar;
#[cfg(test)]
mod tests;
mod zip;

use std::collections::HashSet;

use decant_core::archive::{Archive, Directory, Member, MemberKind};
use decant_core::format::Input;
use decant_core::stream::FormatOptions;
use decant_core::{Error, ErrorKind, Result};

use crate::compression::{Compression, Decompressed, MAGIC_BYTES, Unpacking};

/// Entries of one archive at most.
const MEMBERS_MAX: usize = 1_000_000;
/// Bytes of one archive's directory at most.
const DIRECTORY_BYTES_MAX: u64 = 64 << 20;

/// Endings of archives that are not compressed as a whole, and of those that
/// are, by one word.
const ENDINGS: [&str; 10] =
    ["zip", "tar", "tgz", "taz", "tbz", "tbz2", "tb2", "txz", "tzst", "tlz4"];

/// An archive with the limits of its stream.
struct KnownArchive {
    unpacking: Unpacking,
}

/// The archive that a file called `name` promises to be; `None` for a plain
/// file.
///
/// Errors: `InvalidConfig` for options that make no sense.
pub fn archive_for(name: &str, options: &FormatOptions) -> Result<Option<Box<dyn Archive>>> {
    let name = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let Some((stem, ending)) = name.rsplit_once('.') else { return Ok(None) };
    let compression = Compression::of_ending(ending);
    let is_archive = ENDINGS.contains(&ending)
        || compression.is_some() && stem.rsplit_once('.').is_some_and(|(_, inner)| inner == "tar");
    if !is_archive {
        return Ok(None);
    }
    let named = compression.filter(|told| *told == Compression::Brotli);
    let unpacking = Unpacking { named, ..Unpacking::of(options)? };
    Ok(Some(Box::new(KnownArchive { unpacking })))
}

impl Archive for KnownArchive {
    fn unpacked<'i>(&self, input: &'i mut dyn Input) -> Result<Option<Box<dyn Input + 'i>>> {
        let start_bytes = size_of(input)?.min(MAGIC_BYTES as u64);
        let start = input.range(0..start_bytes)?;
        let compression = self.unpacking.is_told_by(&start);
        let is_plain = compression == Compression::None
            || compression == Compression::Brotli && tar::begins_like_one(input)?;
        if is_plain {
            return Ok(None);
        }
        Ok(Some(Box::new(Decompressed::of(Box::new(input), &self.unpacking)?)))
    }

    fn open(&self, input: &mut dyn Input) -> Result<Box<dyn Directory>> {
        let limits = self.unpacking.limits;
        if size_of(input)? == 0 {
            return Err(Error::new(ErrorKind::MalformedFile, "an archive of 0 bytes")
                .with_hint("the upload is still going on, or failed: upload the archive again"));
        }
        if zip::begins_like_one(input)? {
            Ok(Box::new(zip::ZipDirectory::read_from(input, limits)?))
        } else if tar::begins_like_one(input)? {
            Ok(Box::new(tar::TarDirectory::read_from(input)?))
        } else if let Some(directory) = zip::ZipDirectory::behind_other_bytes(input, limits)? {
            Ok(Box::new(directory))
        } else {
            let message = "its name is an archive's, but it is neither a zip nor a tar";
            Err(Error::new(ErrorKind::MalformedFile, message)
                .with_hint("rename the file if it is no archive, or upload it again"))
        }
    }
}

fn size_of(input: &dyn Input) -> Result<u64> {
    let unknown = "an archive was opened without knowing its size";
    input.size().ok_or_else(|| Error::new(ErrorKind::Internal, unknown))
}

/// Bytes of a path as text: what is not UTF-8 becomes `\x` and two digits.
fn path_of(bytes: &[u8]) -> String {
    let mut path = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        path.push_str(chunk.valid());
        for byte in chunk.invalid() {
            path.push_str(&format!("\\x{byte:02X}"));
        }
    }
    path
}

/// What stands at a position of a directory.
fn entry<'d, P>(
    members: &'d [Member],
    places: &'d [P],
    position: usize,
) -> Result<(&'d Member, &'d P)> {
    let found = members.get(position).zip(places.get(position));
    found.ok_or_else(|| Error::new(ErrorKind::Internal, "the archive has no such member"))
}

/// Refuses archives with two files of one name: which of them is meant?
fn refuse_duplicates(members: &[Member]) -> Result<()> {
    let mut seen = HashSet::with_capacity(members.len());
    let files = members.iter().filter(|member| member.kind == MemberKind::File);
    for member in files {
        if !seen.insert(member.path.as_str()) {
            let message = format!("the archive has two members called `{}`", member.path);
            return Err(Error::new(ErrorKind::MalformedFile, message)
                .with_hint("pack the archive again with each file once"));
        }
    }
    Ok(())
}

fn too_many_members() -> Error {
    let message = format!(
        "the archive has more than {MEMBERS_MAX} members, or a directory of more than \
         {DIRECTORY_BYTES_MAX} bytes"
    );
    Error::new(ErrorKind::Unsupported, message).with_hint("pack it as several archives")
}

fn malformed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::MalformedFile, message)
        .with_hint("the upload was cut short, or the archive is damaged: upload it again")
}
