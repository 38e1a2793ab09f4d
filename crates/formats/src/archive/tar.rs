//! Tar archives, by the headers of their members: the old format, ustar, GNU
//! long names and large sizes, PAX.
//!
//! A hard link is the file that it points to; other links, devices and folders
//! are told apart from files and have no bytes. Archives behind one another
//! are one. Refused by the member's name, when it is read: sparse files and parts of
//! members that span volumes.
//!
//! Invariant: an archive ends with its end mark, a block of zeros, behind which
//! there is another archive or nothing but zeros, so that one that was cut
//! between two members is never taken for whole.

use std::collections::HashMap;
use std::ops::Range;

use bytes::Bytes;
use decant_core::archive::{Directory, Member, MemberKind};
use decant_core::format::Input;
use decant_core::{Error, ErrorKind, Result};

use super::member::MemberInput;
use super::ranges::{Stretch, WINDOW_BYTES_FIRST, WINDOW_BYTES_MAX};
use super::{
    DIRECTORY_BYTES_MAX, MEMBERS_MAX, entry, malformed, path_of, refuse_duplicates, size_of,
    too_many_members,
};

const BLOCK_BYTES: u64 = 512;
const HARD_LINK: u8 = b'1';
/// Bytes of a long name or of PAX records at most.
const EXTENSION_BYTES_MAX: u64 = 1 << 20;

/// Whether the first block is a tar's header, or its end mark.
pub(super) fn begins_like_one(input: &mut dyn Input) -> Result<bool> {
    if size_of(input)? < BLOCK_BYTES {
        return Ok(false);
    }
    let block = input.range(0..BLOCK_BYTES)?;
    Ok(is_zero(&block) || has_checksum(&block))
}

/// What is in a tar, and where.
pub(super) struct TarDirectory {
    members: Vec<Member>,
    places: Vec<Place>,
}

#[derive(Clone)]
struct Place {
    bytes: Range<u64>,
    /// Why it cannot be read.
    refusal: Option<&'static str>,
}

impl TarDirectory {
    /// Reads every header.
    pub(super) fn read_from(input: &mut dyn Input) -> Result<Self> {
        let mut blocks = Blocks::new(input)?;
        let mut directory = Self { members: Vec::new(), places: Vec::new() };
        let mut links = Vec::new();
        let mut directory_bytes = 0;
        let mut extensions = Extensions::default();
        let mut at = 0;
        while let Some(block) = blocks.next_header(&mut at)? {
            let header = Header::read(&block, at)?;
            let size = extensions.size.filter(|_| header.is_of_a_member()).unwrap_or(header.size);
            let bytes = blocks.stretch(at + BLOCK_BYTES, size, header.kind)?;
            at = bytes.end.next_multiple_of(BLOCK_BYTES);
            if header.is_of_a_member() {
                let mut extensions = std::mem::take(&mut extensions);
                if header.kind == HARD_LINK {
                    let target = extensions.link.take().unwrap_or_else(|| header.link.clone());
                    directory_bytes += target.len() as u64;
                    links.push((directory.members.len(), path_of(&target)));
                }
                directory.push(header, extensions, bytes);
                directory_bytes +=
                    directory.members.last().map_or(0, |last| last.path.len()) as u64;
                if directory.members.len() > MEMBERS_MAX || directory_bytes > DIRECTORY_BYTES_MAX {
                    return Err(too_many_members());
                }
            } else {
                extensions.read(header.kind, &blocks.extension(bytes)?)?;
            }
        }
        directory.follow(links);
        refuse_duplicates(&directory.members)?;
        Ok(directory)
    }

    /// Makes files of hard links, given by their positions, to files.
    fn follow(&mut self, links: Vec<(usize, String)>) {
        if links.is_empty() {
            return;
        }
        let files = self.members.iter().enumerate();
        let files = files.filter(|(_, member)| member.kind == MemberKind::File);
        let mut files: HashMap<String, usize> =
            files.map(|(position, member)| (member.path.clone(), position)).collect();
        for (link, target) in links {
            let Some(file) = files.get(&target).copied().filter(|file| *file < link) else {
                continue;
            };
            self.members[link].kind = MemberKind::File;
            self.members[link].size = self.members[file].size;
            self.places[link] = self.places[file].clone();
            files.insert(self.members[link].path.clone(), link);
        }
    }

    fn push(&mut self, header: Header, extensions: Extensions, bytes: Range<u64>) {
        let path = path_of(extensions.path.as_deref().unwrap_or(&header.path));
        let kind = match header.kind {
            b'0' | 0 | b'7' | b'S' | b'M' if !path.ends_with('/') => MemberKind::File,
            b'0' | 0 | b'5' | b'D' => MemberKind::Folder,
            HARD_LINK => MemberKind::Other("hard link to no member"),
            b'2' => MemberKind::Other("symbolic link"),
            b'3' | b'4' => MemberKind::Other("device"),
            b'6' => MemberKind::Other("pipe"),
            b'V' => MemberKind::Other("volume label"),
            _ => MemberKind::Other("entry of an unknown kind"),
        };
        let refusal = match header.kind {
            b'S' => Some("the member is a sparse file"),
            b'M' => Some("the member began in another volume"),
            _ if extensions.is_sparse => Some("the member is a sparse file"),
            _ => None,
        };
        let size = if kind == MemberKind::File { bytes.end - bytes.start } else { 0 };
        self.members.push(Member { path, size, kind });
        self.places.push(Place { bytes, refusal });
    }
}

impl Directory for TarDirectory {
    fn members(&self) -> &[Member] {
        &self.members
    }

    fn read<'i>(&self, position: usize, input: &'i mut dyn Input) -> Result<Box<dyn Input + 'i>> {
        let (member, place) = entry(&self.members, &self.places, position)?;
        if let Some(refusal) = place.refusal {
            return Err(Error::new(ErrorKind::Unsupported, refusal)
                .with_hint("pack the archive again without `--sparse` and `--multi-volume`"));
        }
        let stretch = Stretch::new(input, place.bytes.clone(), Bytes::new());
        Ok(Box::new(MemberInput::new(Box::new(stretch), member.size, None)))
    }
}

/// The archive's blocks, fetched a window at a time.
struct Blocks<'i> {
    input: &'i mut dyn Input,
    size: u64,
    window: Bytes,
    window_start: u64,
    /// Grows while members are small and all that is fetched is looked at.
    window_bytes: u64,
}

impl<'i> Blocks<'i> {
    fn new(input: &'i mut dyn Input) -> Result<Self> {
        let size = size_of(input)?;
        let window_bytes = WINDOW_BYTES_FIRST;
        Ok(Self { input, size, window: Bytes::new(), window_start: 0, window_bytes })
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        if range.end > self.size {
            return Err(malformed("the tar archive ends without its end mark: it was cut short"));
        }
        let window_end = self.window_start + self.window.len() as u64;
        if range.start < self.window_start || range.end > window_end {
            let follows = range.start.saturating_sub(window_end) < BLOCK_BYTES;
            self.window_bytes = match follows {
                true => (self.window_bytes * 2).min(WINDOW_BYTES_MAX),
                false => WINDOW_BYTES_FIRST,
            };
            let wanted = range.end.max(range.start.saturating_add(self.window_bytes));
            self.window = self.input.range(range.start..wanted.min(self.size))?;
            self.window_start = range.start;
        }
        let start = (range.start - self.window_start) as usize;
        Ok(self.window.slice(start..start + (range.end - range.start) as usize))
    }

    /// The block of the next header, from `at` on, which is moved to it; `None`
    /// at the end. Zeros are passed over: they end an archive, and another
    /// one may follow.
    fn next_header(&mut self, at: &mut u64) -> Result<Option<Bytes>> {
        let mut ended = false;
        loop {
            let end = match ended {
                true => (*at + BLOCK_BYTES).min(self.size),
                false => *at + BLOCK_BYTES,
            };
            let block = self.range(*at..end)?;
            if ended && block.is_empty() {
                return Ok(None);
            }
            if !is_zero(&block) {
                let is_header = block.len() as u64 == BLOCK_BYTES && has_checksum(&block);
                return match ended && !is_header {
                    true => Err(behind_the_end(*at)),
                    false => Ok(Some(block)),
                };
            }
            ended = true;
            *at = end;
        }
    }

    /// The bytes of a member of `size` that begins at `start`.
    fn stretch(&self, start: u64, size: u64, kind: u8) -> Result<Range<u64>> {
        // Links say the size of what they point to, and have no bytes.
        let size = if matches!(kind, b'1'..=b'6') { 0 } else { size };
        match start.checked_add(size).filter(|end| *end <= self.size) {
            Some(end) => Ok(start..end),
            None => Err(malformed("a member reaches beyond the end of the tar archive")),
        }
    }

    fn extension(&mut self, bytes: Range<u64>) -> Result<Bytes> {
        if bytes.end - bytes.start > EXTENSION_BYTES_MAX {
            return Err(malformed("a tar header has a name of more than 1 MiB"));
        }
        self.range(bytes)
    }
}

fn behind_the_end(at: u64) -> Error {
    let message = format!(
        "the tar archive has its end mark before byte {at}, where neither zeros nor another archive follow"
    );
    malformed(message)
}

/// One header block.
struct Header {
    path: Vec<u8>,
    /// What it points to.
    link: Vec<u8>,
    size: u64,
    kind: u8,
}

impl Header {
    fn read(block: &[u8], at: u64) -> Result<Self> {
        let damaged = || malformed(format!("the tar header at byte {at} is damaged"));
        if !has_checksum(block) {
            return Err(damaged());
        }
        let mut path = text(&block[..100]).to_vec();
        let prefix = text(&block[345..500]);
        if block[257..263] == *b"ustar\0" && !prefix.is_empty() {
            path = [prefix, b"/", &path].concat();
        }
        let size = number(&block[124..136]).ok_or_else(damaged)?;
        let link = text(&block[157..257]).to_vec();
        Ok(Self { path, link, size, kind: block[156] })
    }

    /// Whether it is not only there to say more of the next one.
    fn is_of_a_member(&self) -> bool {
        !matches!(self.kind, b'L' | b'K' | b'x' | b'X' | b'g')
    }
}

/// What headers of their own say of the next member.
#[derive(Default)]
struct Extensions {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    is_sparse: bool,
}

impl Extensions {
    fn read(&mut self, kind: u8, bytes: &[u8]) -> Result<()> {
        match kind {
            b'L' => self.path = Some(text(bytes).to_vec()),
            b'K' => self.link = Some(text(bytes).to_vec()),
            b'x' | b'X' => self.read_pax(bytes)?,
            _ => {}
        }
        Ok(())
    }

    /// Records of the form `12 path=a.csv` and a line feed, with their own
    /// length in front.
    fn read_pax(&mut self, mut records: &[u8]) -> Result<()> {
        let damaged = || malformed("the PAX records of a tar header are damaged");
        while !records.is_empty() && records[0] != 0 {
            let space = records.iter().position(|byte| *byte == b' ').ok_or_else(damaged)?;
            let length = decimal(&records[..space]).ok_or_else(damaged)? as usize;
            let record = records.get(space + 1..length).ok_or_else(damaged)?;
            let record = record.strip_suffix(b"\n").ok_or_else(damaged)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(damaged)?;
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            match key {
                b"path" => self.path = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => self.size = Some(decimal(value).ok_or_else(damaged)?),
                _ if key.starts_with(b"GNU.sparse.") => self.is_sparse = true,
                _ => {}
            }
            records = &records[length..];
        }
        Ok(())
    }
}

fn is_zero(block: &[u8]) -> bool {
    block.iter().all(|byte| *byte == 0)
}

/// Whether the header's sum is right, the sum itself counted as spaces. Old
/// writers added signed bytes.
fn has_checksum(block: &[u8]) -> bool {
    let Some(promised) = number(&block[148..156]) else { return false };
    let summed = block.iter().enumerate().map(|(at, byte)| match at {
        148..156 => b' ',
        _ => *byte,
    });
    let (unsigned, signed) = summed.fold((0_u64, 0_i64), |(unsigned, signed), byte| {
        (unsigned + u64::from(byte), signed + i64::from(byte.cast_signed()))
    });
    promised == unsigned || i64::try_from(promised) == Ok(signed)
}

/// The bytes before the first NUL.
fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    &field[..end]
}

/// An octal number with spaces or NULs around it, or a binary one behind the
/// byte 0x80.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] == 0x80 {
        let (high, low) = field[1..].split_at(field.len().checked_sub(9)?);
        let low: [u8; 8] = low.try_into().ok()?;
        return is_zero(high).then(|| u64::from_be_bytes(low));
    }
    let digits = field.trim_ascii_start();
    let end = digits.iter().position(|byte| matches!(byte, 0 | b' ')).unwrap_or(digits.len());
    let mut value = 0_u64;
    for digit in &digits[..end] {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8)?;
        value = value.checked_mul(8)?.checked_add(u64::from(digit))?;
    }
    Some(value)
}

fn decimal(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}
