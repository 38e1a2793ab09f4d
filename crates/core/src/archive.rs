//! Archives: files that hold files.
//!
//! An archive is opened once; its [`Directory`] then says what is in it and
//! reads any member by itself, in any order, as often as somebody asks, from
//! an input of its own. Like a format an archive holds no I/O: bytes come
//! from an [`Input`] that serves ranges.

use xxhash_rust::xxh3::xxh3_64;

use crate::error::Result;
use crate::file::FileId;
use crate::format::Input;

/// One entry of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Path inside the archive, as it stands there and never resolved: `..`
    /// or a leading `/` are parts of a name like any other.
    pub path: String,
    /// Bytes of the file, unpacked; 0 for what is no file.
    pub size: u64,
    /// What it is.
    pub kind: MemberKind,
}

/// What an entry of an archive is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// Neither, in a few words: `symbolic link`.
    Other(&'static str),
}

/// A kind of archive, with the options of its stream already in it.
///
/// An `Err` of kind `MalformedFile` or `Unsupported` means that the archive
/// as a whole cannot be read; errors of the input are handed on unchanged.
pub trait Archive: Send + Sync {
    /// The archive's bytes in order, decompressed, when it is compressed as a
    /// whole (`.tar.gz`) and so has no ranges of its own; `None` when it can
    /// be opened as it is stored. Asks `input`, which knows its size, for a
    /// range before it asks for chunks.
    ///
    /// Who gets bytes keeps them somewhere, and opens the archive there.
    fn unpacked<'i>(&self, input: &'i mut dyn Input) -> Result<Option<Box<dyn Input + 'i>>>;

    /// Reads what is in the archive, by ranges of `input`, which knows its
    /// size. No two files of a directory have the same path.
    fn open(&self, input: &mut dyn Input) -> Result<Box<dyn Directory>>;
}

/// What is in an archive, and where. Its memory is bounded by the archive's
/// kind, which refuses archives beyond that.
pub trait Directory: Send + Sync {
    /// Every entry, in the archive's order.
    fn members(&self) -> &[Member];

    /// The bytes of the file at `position` of the members, in order, read by
    /// ranges of `input`: the same bytes that the directory was made from.
    /// They are as many as the member's size says and sound by its checksum,
    /// where it has one, or the last chunk is an error. An error concerns
    /// this member alone.
    fn read<'i>(&self, position: usize, input: &'i mut dyn Input) -> Result<Box<dyn Input + 'i>>;
}

/// What the ledger row of an archive has for a checksum: which members it
/// stands for, in whatever order, and by which rules they were chosen. An
/// archive whose row says `loaded` need not be opened as long as the ledger
/// has exactly these members.
pub fn members_checksum(members: impl IntoIterator<Item = FileId>, rules: &str) -> i64 {
    let rules = xxh3_64(rules.as_bytes()).cast_signed();
    members.into_iter().fold(rules, |sum, id| sum.wrapping_add(id.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_members_checksum_tells_members_and_rules_and_never_changes() {
        let (one, other) = (FileId(1), FileId(i64::MAX));
        let checksum = members_checksum([one, other], "");
        assert_eq!(checksum, members_checksum([other, one], ""));
        assert_ne!(checksum, members_checksum([one], ""));
        assert_ne!(checksum, members_checksum([one, other], "*.txt"));
        assert_eq!(members_checksum([], ""), 3244421341483603138);
    }
}
