//! Zip archives (APPNOTE 6.3), by their central directory.
//!
//! Read: stored, deflated, zstd, bzip2 and xz members, zip64, bytes in front
//! of the archive. Refused: several disks, encryption, other methods; the
//! latter two by the member's name, when it is read.
//!
//! Invariant: no two members share bytes, which small archives that unpack to
//! petabytes live on.

use std::ops::Range;

use bytes::Bytes;
use decant_core::archive::{Directory, Member, MemberKind};
use decant_core::format::Input;
use decant_core::{Error, ErrorKind, Result};

use super::member::MemberInput;
use super::ranges::{Stretch, WINDOW_BYTES_FIRST};
use super::{
    DIRECTORY_BYTES_MAX, MEMBERS_MAX, entry, malformed, path_of, refuse_duplicates, size_of,
    too_many_members,
};
use crate::compression::{Compression, Decompressed, Limits, Unpacking};

const LOCAL_SIGNATURE: [u8; 4] = *b"PK\x03\x04";
const CENTRAL_SIGNATURE: [u8; 4] = *b"PK\x01\x02";
const END_SIGNATURE: [u8; 4] = *b"PK\x05\x06";
const END64_SIGNATURE: [u8; 4] = *b"PK\x06\x06";
const LOCATOR64_SIGNATURE: [u8; 4] = *b"PK\x06\x07";

const LOCAL_BYTES: usize = 30;
const CENTRAL_BYTES: usize = 46;
const END_BYTES: usize = 22;
const END64_BYTES: u64 = 56;
const LOCATOR64_BYTES: usize = 20;
/// The longest comment behind the end record.
const COMMENT_BYTES_MAX: usize = 0xffff;
/// What local headers mostly need besides the name.
const EXTRA_BYTES_USUAL: u64 = 256;

/// A field of this value stands elsewhere, in 64 bits.
const ELSEWHERE_16: u16 = u16::MAX;
const ELSEWHERE_32: u32 = u32::MAX;

/// Whether the first bytes are those of a zip.
pub(super) fn begins_like_one(input: &mut dyn Input) -> Result<bool> {
    let size = size_of(input)?;
    let start = input.range(0..size.min(4))?;
    Ok(start[..] == LOCAL_SIGNATURE || start[..] == END_SIGNATURE)
}

/// The central directory of a zip.
pub(super) struct ZipDirectory {
    members: Vec<Member>,
    places: Vec<Place>,
    limits: Limits,
}

/// Where and how a member stands in the archive.
struct Place {
    /// Of the local header.
    offset: u64,
    packed_bytes: u64,
    name_bytes: u64,
    crc: u32,
    method: u16,
    is_encrypted: bool,
}

/// Where the central directory is.
struct End {
    entries: u64,
    directory: Range<u64>,
    /// Bytes in front of the archive, by which all offsets are too small.
    shift: u64,
}

impl ZipDirectory {
    /// Reads the central directory.
    pub(super) fn read_from(input: &mut dyn Input, limits: Limits) -> Result<Self> {
        match Self::behind_other_bytes(input, limits)? {
            Some(directory) => Ok(directory),
            None => Err(malformed("the zip archive has no central directory at its end")),
        }
    }

    /// Reads the central directory of what may be a zip with bytes in front
    /// of it, as self-extracting archives have them; `None` if there is none.
    pub(super) fn behind_other_bytes(
        input: &mut dyn Input,
        limits: Limits,
    ) -> Result<Option<Self>> {
        let Some(end) = find_end(input)? else { return Ok(None) };
        let bytes = end.directory.end - end.directory.start;
        if bytes > DIRECTORY_BYTES_MAX || end.entries > MEMBERS_MAX as u64 {
            return Err(too_many_members());
        }
        let directory = input.range(end.directory.clone())?;
        let mut read = Self { members: Vec::new(), places: Vec::new(), limits };
        let mut rest = &directory[..];
        for _ in 0..end.entries {
            let entry = Entry::take(&mut rest)?;
            read.push(&entry, &end)?;
        }
        read.refuse_overlaps(end.directory.start)?;
        refuse_duplicates(&read.members)?;
        Ok(Some(read))
    }

    fn push(&mut self, entry: &Entry<'_>, end: &End) -> Result<()> {
        let path = path_of(entry.name);
        let Some(offset) = entry.offset.checked_add(end.shift) else {
            return Err(malformed(format!("member `{path}` stands beyond the archive's end")));
        };
        let kind = entry.kind();
        let size = if kind == MemberKind::File { entry.size } else { 0 };
        self.members.push(Member { path, size, kind });
        self.places.push(Place {
            offset,
            packed_bytes: entry.packed_bytes,
            name_bytes: entry.name.len() as u64,
            crc: entry.crc,
            method: entry.method,
            is_encrypted: entry.flags & 1 != 0 || entry.method == 99,
        });
        Ok(())
    }

    fn refuse_overlaps(&self, directory_start: u64) -> Result<()> {
        let mut order: Vec<usize> = (0..self.places.len()).collect();
        order.sort_unstable_by_key(|position| self.places[*position].offset);
        let nexts = order.iter().skip(1).map(|next| self.places[*next].offset);
        for (position, next) in order.iter().zip(nexts.chain([directory_start])) {
            let place = &self.places[*position];
            let header_bytes = LOCAL_BYTES as u64 + place.name_bytes;
            let end = place.offset.checked_add(header_bytes);
            let end = end.and_then(|end| end.checked_add(place.packed_bytes));
            if end.is_none_or(|end| end > next) {
                let path = &self.members[*position].path;
                return Err(malformed(format!("member `{path}` reaches into what follows it")));
            }
        }
        Ok(())
    }
}

impl Directory for ZipDirectory {
    fn members(&self) -> &[Member] {
        &self.members
    }

    fn read<'i>(&self, position: usize, input: &'i mut dyn Input) -> Result<Box<dyn Input + 'i>> {
        let (member, place) = entry(&self.members, &self.places, position)?;
        let compression = place.compression()?;
        let stretch = place.stretch(input)?;
        let unpacking = Unpacking { named: Some(compression), limits: self.limits };
        let bytes = Decompressed::of(Box::new(stretch), &unpacking)?;
        Ok(Box::new(MemberInput::new(Box::new(bytes), member.size, Some(place.crc))))
    }
}

impl Place {
    fn compression(&self) -> Result<Compression> {
        if self.is_encrypted {
            return Err(Error::new(ErrorKind::Unsupported, "the member is encrypted")
                .with_hint("pack the archive again without a password"));
        }
        match self.method {
            0 => Ok(Compression::None),
            8 => Ok(Compression::Deflate),
            12 => Ok(Compression::Bzip2),
            20 | 93 => Ok(Compression::Zstandard),
            95 => Ok(Compression::Xz),
            other => {
                let message =
                    format!("the member is compressed by method {other}, which decant cannot read");
                Err(Error::new(ErrorKind::Unsupported, message)
                    .with_hint("pack the archive again with `zip`, which deflates"))
            }
        }
    }

    /// The member's compressed bytes, behind its local header.
    fn stretch<'i>(&self, input: &'i mut dyn Input) -> Result<Stretch<'i>> {
        let archive_bytes = size_of(input)?;
        let header_bytes = LOCAL_BYTES as u64 + self.name_bytes;
        let usual = (header_bytes + EXTRA_BYTES_USUAL).saturating_add(self.packed_bytes);
        let first_end = archive_bytes
            .min(self.offset.saturating_add(usual.min(header_bytes + WINDOW_BYTES_FIRST)));
        let first = input.range(self.offset.min(first_end)..first_end)?;
        if first.len() < LOCAL_BYTES || first[..4] != LOCAL_SIGNATURE {
            return Err(malformed("the member is not where the archive says"));
        }
        let header =
            LOCAL_BYTES + usize::from(u16_at(&first, 26)) + usize::from(u16_at(&first, 28));
        let start = self.offset + header as u64;
        let end = start.checked_add(self.packed_bytes).filter(|end| *end <= archive_bytes);
        let Some(end) = end else {
            return Err(malformed("the member reaches beyond the archive's end"));
        };
        let ahead = if first.len() > header { first.slice(header..) } else { Bytes::new() };
        Ok(Stretch::new(input, start..end, ahead))
    }
}

/// One record of the central directory.
struct Entry<'d> {
    name: &'d [u8],
    flags: u16,
    method: u16,
    crc: u32,
    size: u64,
    packed_bytes: u64,
    offset: u64,
    made_by: u8,
    attributes: u32,
}

impl<'d> Entry<'d> {
    /// The next record of `rest`.
    fn take(rest: &mut &'d [u8]) -> Result<Self> {
        let cut = || malformed("the zip archive's central directory is damaged");
        let record = *rest;
        if record.len() < CENTRAL_BYTES || record[..4] != CENTRAL_SIGNATURE {
            return Err(cut());
        }
        let name_end = CENTRAL_BYTES + usize::from(u16_at(record, 28));
        let extra_end = name_end + usize::from(u16_at(record, 30));
        let end = extra_end + usize::from(u16_at(record, 32));
        let (Some(name), Some(extra), Some(behind)) = (
            record.get(CENTRAL_BYTES..name_end),
            record.get(name_end..extra_end),
            record.get(end..),
        ) else {
            return Err(cut());
        };
        *rest = behind;
        let mut wide = Wide { bytes: extra_field(extra, 1) };
        Ok(Self {
            name,
            flags: u16_at(record, 8),
            method: u16_at(record, 10),
            crc: u32_at(record, 16),
            size: wide.or_wide(u32_at(record, 24)).ok_or_else(cut)?,
            packed_bytes: wide.or_wide(u32_at(record, 20)).ok_or_else(cut)?,
            offset: wide.or_wide(u32_at(record, 42)).ok_or_else(cut)?,
            made_by: record[5],
            attributes: u32_at(record, 38),
        })
    }

    fn kind(&self) -> MemberKind {
        const UNIX: u8 = 3;
        if self.name.ends_with(b"/") {
            return MemberKind::Folder;
        }
        match (self.attributes >> 16) & 0xf000 {
            0 | 0x8000 => MemberKind::File,
            _ if self.made_by != UNIX => MemberKind::File,
            0x4000 => MemberKind::Folder,
            0xa000 => MemberKind::Other("symbolic link"),
            _ => MemberKind::Other("device, pipe or socket"),
        }
    }
}

/// The 64-bit values of a zip64 field, in order.
struct Wide<'d> {
    bytes: &'d [u8],
}

impl Wide<'_> {
    /// `narrow`, or the next wide value where it says so.
    fn or_wide(&mut self, narrow: u32) -> Option<u64> {
        if narrow != ELSEWHERE_32 {
            return Some(u64::from(narrow));
        }
        let (value, rest) = self.bytes.split_first_chunk::<8>()?;
        self.bytes = rest;
        Some(u64::from_le_bytes(*value))
    }
}

/// The bytes of the extra field `id`; none where there is no such field.
fn extra_field(mut extra: &[u8], id: u16) -> &[u8] {
    while extra.len() >= 4 {
        let end = 4 + usize::from(u16_at(extra, 2));
        let Some(field) = extra.get(4..end) else { break };
        if u16_at(extra, 0) == id {
            return field;
        }
        extra = &extra[end..];
    }
    &[]
}

/// Finds the end record, and by it the central directory.
fn find_end(input: &mut dyn Input) -> Result<Option<End>> {
    let size = size_of(input)?;
    let tail_bytes = (END_BYTES + COMMENT_BYTES_MAX + LOCATOR64_BYTES) as u64;
    let tail_start = size.saturating_sub(tail_bytes);
    let tail = input.range(tail_start..size)?;
    let last = tail.len().checked_sub(END_BYTES);
    let position = last.and_then(|last| {
        (0..=last).rev().find(|position| {
            let record = &tail[*position..];
            record[..4] == END_SIGNATURE
                && record.len() == END_BYTES + usize::from(u16_at(record, 20))
        })
    });
    let Some(position) = position else { return Ok(None) };
    let end = &tail[position..];
    let is_wide = u16_at(end, 10) == ELSEWHERE_16
        || u32_at(end, 12) == ELSEWHERE_32
        || u32_at(end, 16) == ELSEWHERE_32;
    let locator = position.checked_sub(LOCATOR64_BYTES).map(|start| &tail[start..position]);
    if let (true, Some(locator)) = (is_wide, locator)
        && locator[..4] == LOCATOR64_SIGNATURE
    {
        let record_end = tail_start + (position - LOCATOR64_BYTES) as u64;
        return find_end64(input, locator, record_end).map(Some);
    }
    if u16_at(end, 4) != 0 || u16_at(end, 6) != 0 {
        return Err(several_disks());
    }
    End::new(
        u64::from(u16_at(end, 10)),
        u64::from(u32_at(end, 12)),
        u64::from(u32_at(end, 16)),
        tail_start + position as u64,
    )
    .map(Some)
}

/// Reads the zip64 end record, which ends where its locator begins.
fn find_end64(input: &mut dyn Input, locator: &[u8], locator_start: u64) -> Result<End> {
    let damaged = || malformed("the zip64 end record is not where the archive says");
    let promised = u64_at(locator, 8);
    // Bytes in front of the archive shift the record away from its offset.
    let usual = locator_start.checked_sub(END64_BYTES).ok_or_else(damaged)?;
    for start in [promised, usual] {
        let Some(end) = start.checked_add(END64_BYTES).filter(|end| *end <= locator_start) else {
            continue;
        };
        let record = input.range(start..end)?;
        if record[..4] != END64_SIGNATURE {
            continue;
        }
        if u32_at(&record, 16) != 0 || u32_at(&record, 20) != 0 || u32_at(locator, 16) > 1 {
            return Err(several_disks());
        }
        return End::new(u64_at(&record, 32), u64_at(&record, 40), u64_at(&record, 48), start);
    }
    Err(damaged())
}

impl End {
    /// The directory of `bytes` ends where the end record begins; that it is
    /// said to begin at `offset` tells what stands in front of the archive.
    fn new(entries: u64, bytes: u64, offset: u64, record_start: u64) -> Result<Self> {
        let start = record_start.checked_sub(bytes);
        let shift = start.and_then(|start| start.checked_sub(offset));
        match (start, shift) {
            (Some(start), Some(shift)) => {
                Ok(Self { entries, directory: start..record_start, shift })
            }
            _ => Err(malformed("the zip archive's central directory is not where it says")),
        }
    }
}

fn several_disks() -> Error {
    Error::new(ErrorKind::Unsupported, "the zip archive is one of several parts")
        .with_hint("join the parts into one archive, with `zip -s 0`")
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
