//! Archives as others pack them, and as nobody should.

use std::io::Write;
use std::ops::Range;

use ::zip::write::SimpleFileOptions;
use ::zip::{CompressionMethod, ZipWriter};
use bytes::Bytes;

use super::*;

/// Bytes that serve ranges, and chunks of 1,000 bytes.
struct Stored {
    bytes: Bytes,
    next: usize,
    ranged: u64,
}

impl Stored {
    fn new(bytes: &[u8]) -> Self {
        Self { bytes: Bytes::copy_from_slice(bytes), next: 0, ranged: 0 }
    }
}

impl Input for Stored {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        let end = self.bytes.len().min(self.next + 1000);
        let chunk = self.bytes.slice(self.next..end);
        self.next = end;
        Ok((!chunk.is_empty()).then_some(chunk))
    }

    fn range(&mut self, range: Range<u64>) -> Result<Bytes> {
        assert!(range.start <= range.end && range.end <= self.bytes.len() as u64, "{range:?}");
        self.ranged += range.end - range.start;
        Ok(self.bytes.slice(range.start as usize..range.end as usize))
    }

    fn size(&self) -> Option<u64> {
        Some(self.bytes.len() as u64)
    }
}

/// The archive as whoever opens it keeps it: decompressed, if need be.
fn kept(name: &str, options: &FormatOptions, bytes: &[u8]) -> Result<Stored> {
    let archive = archive_for(name, options)?.expect("an archive by its name");
    let mut stored = Stored::new(bytes);
    let mut unpacked = Vec::new();
    match archive.unpacked(&mut stored)? {
        None => return Ok(Stored::new(bytes)),
        Some(mut input) => {
            while let Some(chunk) = input.next_chunk()? {
                unpacked.extend_from_slice(&chunk);
            }
        }
    }
    Ok(Stored::new(&unpacked))
}

fn open(name: &str, bytes: &[u8]) -> Result<(Box<dyn Directory>, Stored)> {
    let options = FormatOptions::default();
    let mut kept = kept(name, &options, bytes)?;
    let archive = archive_for(name, &options)?.expect("an archive by its name");
    Ok((archive.open(&mut kept)?, kept))
}

fn read(directory: &dyn Directory, position: usize, stored: &mut Stored) -> Result<Vec<u8>> {
    let mut input = directory.read(position, stored)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = input.next_chunk()? {
        assert!(!chunk.is_empty());
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Every file of an archive, by its path.
fn files(name: &str, bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    let (directory, mut stored) = open(name, bytes)?;
    let mut files = Vec::new();
    for (position, member) in directory.members().iter().enumerate() {
        if member.kind == MemberKind::File {
            let bytes = read(directory.as_ref(), position, &mut stored)?;
            assert_eq!(bytes.len() as u64, member.size);
            files.push((member.path.clone(), bytes));
        }
    }
    Ok(files)
}

fn zip_of(members: &[(&str, &[u8])], options: SimpleFileOptions) -> Vec<u8> {
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (path, bytes) in members {
        writer.start_file(*path, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    zip_of(members, SimpleFileOptions::default())
}

fn tarred(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (path, bytes) in members {
        let mut header = ::tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ::brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
    encoder.write_all(bytes).unwrap();
    encoder.into_inner()
}

fn noise(bytes: u32) -> Vec<u8> {
    (0..bytes).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

const LONG_NAME: &str = "a-folder-with-a-name-that-is-much-longer-than-the-hundred-bytes-that-the-\
                         old-header-of-tar-has-for-the-names-of-members/and-one-more/file.csv";

fn some_members(noise: &[u8]) -> Vec<(&'static str, &[u8])> {
    vec![
        ("a.csv", b"id\n1\n"),
        ("folder/b.csv", b"id\n2\n"),
        ("empty.csv", b""),
        ("../up.csv", b"id\n3\n"),
        ("ünï.csv", b"id\n4\n"),
        (LONG_NAME, b"id\n5\n"),
        ("noise.bin", noise),
    ]
}

fn owned(members: &[(&str, &[u8])]) -> Vec<(String, Vec<u8>)> {
    members.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect()
}

#[test]
fn names_promise_archives() {
    let options = FormatOptions::default();
    for (name, expected) in [
        ("in/a.zip", true),
        ("a.ZIP", true),
        ("a.csv.zip", true),
        ("a.tar", true),
        ("a.tar.gz", true),
        ("a.tgz", true),
        ("a.TAR.BZ2", true),
        ("a.tar.br", true),
        ("a.tar.sz", true),
        ("a.txz", true),
        ("a.csv", false),
        ("a.csv.gz", false),
        ("a.xlsx", false),
        ("tar.gz", false),
        ("a.tar/part-0", false),
        ("zip", false),
    ] {
        assert_eq!(archive_for(name, &options).unwrap().is_some(), expected, "{name}");
    }
}

#[test]
fn a_zip_gives_every_member_by_every_method() {
    let noise = noise(700_000);
    let members = some_members(&noise);
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated, CompressionMethod::Zstd]
    {
        for large in [false, true] {
            let options = SimpleFileOptions::default().compression_method(method);
            let zip = zip_of(&members, options.large_file(large));
            assert_eq!(files("a.zip", &zip).unwrap(), owned(&members), "{method} {large}");
        }
    }
}

#[test]
fn a_tar_gives_every_member_in_any_compression() {
    let noise = noise(700_000);
    // The writer refuses `..`, and a header by hand is tested elsewhere.
    let mut members = some_members(&noise);
    members.remove(3);
    let tar = tarred(&members);
    for (name, packed) in [
        ("a.tar", tar.clone()),
        ("a.tar.gz", gzip(&tar)),
        ("a.tgz", gzip(&tar)),
        ("a.tar.zst", zstd::encode_all(&tar[..], 1).unwrap()),
        ("a.tar.br", brotli(&tar)),
        ("a.tar.br", tar.clone()),
        ("a.tar.gz", tar.clone()),
        ("a.zip", gzip(&tar)),
        ("a.zip", tar.clone()),
    ] {
        assert_eq!(files(name, &packed).unwrap(), owned(&members), "{name}");
    }
}

#[test]
fn long_names_and_sizes_come_from_pax_records_too() {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (path, bytes) in [("first.csv", &b"id\n1\n"[..]), ("second.csv", b"id\n2\n")] {
        let size = bytes.len().to_string();
        let long = format!("long/{path}");
        builder
            .append_pax_extensions([("path", long.as_bytes()), ("size", size.as_bytes())])
            .unwrap();
        let mut header = ::tar::Header::new_ustar();
        header.set_path("short").unwrap();
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        builder.append(&header, bytes).unwrap();
    }
    let tar = builder.into_inner().unwrap();
    let expected = [("long/first.csv", &b"id\n1\n"[..]), ("long/second.csv", b"id\n2\n")];
    assert_eq!(files("a.tar", &tar).unwrap(), owned(&expected));
}

#[test]
fn what_is_no_file_is_told_apart() {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (kind, path) in [
        (::tar::EntryType::Directory, "folder/"),
        (::tar::EntryType::Symlink, "link.csv"),
        (::tar::EntryType::Link, "hard.csv"),
        (::tar::EntryType::Fifo, "pipe"),
    ] {
        let mut header = ::tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_path(path).unwrap();
        header.set_size(0);
        header.set_cksum();
        builder.append(&header, &b""[..]).unwrap();
    }
    let (directory, _) = open("a.tar", &builder.into_inner().unwrap()).unwrap();
    let kinds: Vec<MemberKind> = directory.members().iter().map(|member| member.kind).collect();
    let other = MemberKind::Other;
    let expected = [
        MemberKind::Folder,
        other("symbolic link"),
        other("hard link to no member"),
        other("pipe"),
    ];
    assert_eq!(kinds, expected);

    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.add_directory("folder", SimpleFileOptions::default()).unwrap();
    writer.add_symlink("link.csv", "a.csv", SimpleFileOptions::default()).unwrap();
    let (directory, _) = open("a.zip", &writer.finish().unwrap().into_inner()).unwrap();
    let kinds: Vec<MemberKind> = directory.members().iter().map(|member| member.kind).collect();
    assert_eq!(kinds, [MemberKind::Folder, other("symbolic link")]);
}

#[test]
fn a_hard_link_is_the_file_that_it_points_to() {
    let mut builder = ::tar::Builder::new(Vec::new());
    let mut append = |kind, path: &str, bytes: &[u8]| {
        let mut header = ::tar::Header::new_gnu();
        header.set_entry_type(kind);
        match kind {
            ::tar::EntryType::Link => {
                header.set_size(0);
                let target = std::str::from_utf8(bytes).unwrap();
                builder.append_link(&mut header, path, target).unwrap();
            }
            _ => {
                header.set_size(bytes.len() as u64);
                builder.append_data(&mut header, path, bytes).unwrap();
            }
        }
    };
    append(::tar::EntryType::Regular, LONG_NAME, b"id\n1\n");
    append(::tar::EntryType::Link, "link.csv", LONG_NAME.as_bytes());
    append(::tar::EntryType::Link, "again.csv", b"link.csv");
    append(::tar::EntryType::Link, "before.csv", b"behind.csv");
    append(::tar::EntryType::Regular, "behind.csv", b"id\n2\n");
    let tar = builder.into_inner().unwrap();
    let first = &b"id\n1\n"[..];
    let expected =
        [(LONG_NAME, first), ("link.csv", first), ("again.csv", first), ("behind.csv", b"id\n2\n")];
    assert_eq!(files("a.tar", &tar).unwrap(), owned(&expected));
    let (directory, _) = open("a.tar", &tar).unwrap();
    assert_eq!(directory.members()[3].kind, MemberKind::Other("hard link to no member"));
}

#[test]
fn archives_behind_one_another_are_one() {
    let (one, other) = (tarred(&[("a.csv", b"id\n1\n")]), tarred(&[("b.csv", b"id\n2\n")]));
    let expected = owned(&[("a.csv", b"id\n1\n"), ("b.csv", b"id\n2\n")]);
    let padded = [&one[..], &[0; 10_000]].concat();
    for (name, bytes) in [
        ("a.tar", [&one[..], &other].concat()),
        ("a.tar", [&one[..], &[0; 512 * 600], &other, &[0; 100]].concat()),
        ("a.tgz", [gzip(&one), gzip(&other)].concat()),
    ] {
        assert_eq!(files(name, &bytes).unwrap(), expected);
    }
    assert_eq!(files("a.tar", &padded).unwrap(), expected[..1]);
    let cut = [&one[..], &other[..other.len() - 1024]].concat();
    let garbage = [&one[..], &[b'x'; 700]].concat();
    let a_little = [&one[..], b"x"].concat();
    for bytes in [cut, garbage, a_little] {
        let error = files("a.tar", &bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedFile, "{error}");
    }
}

#[test]
fn a_zip_may_have_other_bytes_in_front_and_a_comment_behind() {
    let members: [(&str, &[u8]); 2] = [("a.csv", b"id\n1\n"), ("b.csv", b"id\n2\n")];
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (path, bytes) in members {
        writer.start_file(path, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.set_comment("PK\x05\x06 is how the end begins").unwrap();
    let zip = writer.finish().unwrap().into_inner();
    assert_eq!(files("a.zip", &zip).unwrap(), owned(&members));
    let extracting = [&noise(3000)[..], &zip].concat();
    assert_eq!(files("a.zip", &extracting).unwrap(), owned(&members));
}

#[test]
fn an_archive_without_members_is_one() {
    for (name, bytes) in [("a.zip", zipped(&[])), ("a.tar", vec![0; 1024])] {
        assert_eq!(files(name, &bytes).unwrap(), [], "{name}");
    }
}

#[test]
fn a_cut_archive_is_refused_wherever_it_was_cut() {
    let members: [(&str, &[u8]); 2] = [("a.csv", b"id\n1\n"), ("b.csv", b"id\n2\n")];
    let (zip, tar) = (zipped(&members), tarred(&members));
    let packed = gzip(&tar);
    let end_mark = tar.len() - 1024;
    for (name, whole, cuts) in [
        ("a.zip", &zip, 0..zip.len()),
        ("a.tar", &tar, 0..end_mark + 512),
        ("a.tar.gz", &packed, 0..packed.len()),
    ] {
        for cut in cuts {
            let error = files(name, &whole[..cut]).map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MalformedFile, "{name} cut at {cut}: {error}");
            assert!(error.hint().is_some());
        }
    }
}

#[test]
fn two_members_of_one_name_are_refused() {
    let tar = tarred(&[("a.csv", b"id\n1\n"), ("a.csv", b"id\n2\n")]);
    let mut zip = zipped(&[("a.csv", b"id\n1\n"), ("b.csv", b"id\n2\n")]);
    for at in 0..zip.len() - 5 {
        if &zip[at..at + 5] == b"b.csv" {
            zip[at] = b'a';
        }
    }
    for (name, bytes) in [("a.tar", tar), ("a.zip", zip)] {
        let error = files(name, &bytes).unwrap_err();
        assert!(error.to_string().contains("`a.csv`"), "{error}");
    }
}

#[test]
fn a_member_with_another_checksum_fails_alone() {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut zip = zip_of(&[("a.csv", b"id\n1\n"), ("b.csv", b"id\n2\n")], options);
    let at = zip.windows(5).position(|bytes| bytes == b"id\n1\n").unwrap();
    zip[at + 3] = b'7';
    let (directory, mut stored) = open("a.zip", &zip).unwrap();
    let error = read(directory.as_ref(), 0, &mut stored).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedFile);
    assert_eq!(read(directory.as_ref(), 1, &mut stored).unwrap(), b"id\n2\n");
}

/// The offset of the first record of the central directory.
fn central(zip: &[u8]) -> usize {
    zip.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap()
}

#[test]
fn encrypted_members_and_unknown_methods_are_refused_by_name_when_they_are_read() {
    for (at, value, word) in [(8, 1, "encrypted"), (10, 9, "method 9"), (10, 99, "encrypted")] {
        let mut zip = zipped(&[("a.csv", b"id\n1\n"), ("b.csv", b"id\n2\n")]);
        let record = central(&zip);
        zip[record + at] = value;
        let (directory, mut stored) = open("a.zip", &zip).unwrap();
        let error = read(directory.as_ref(), 0, &mut stored).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(word), "{error}");
        assert!(read(directory.as_ref(), 1, &mut stored).is_ok());
    }
}

#[test]
fn a_member_that_lies_about_its_size_is_refused() {
    for size in [0_u32, 4, 6, 1000] {
        let mut zip = zipped(&[("a.csv", b"id\n1\n")]);
        let record = central(&zip);
        zip[record + 24..record + 28].copy_from_slice(&size.to_le_bytes());
        let error = files("a.zip", &zip).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedFile, "{size}");
    }
}

#[test]
fn members_that_share_bytes_are_refused() {
    let mut zip = zipped(&[("a.csv", b"id\n1\n"), ("b.csv", b"id\n2\n")]);
    let second = central(&zip) + 46 + "a.csv".len();
    zip[second + 42..second + 46].copy_from_slice(&0_u32.to_le_bytes());
    let error = files("a.zip", &zip).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedFile);
}

#[test]
fn a_bomb_is_stopped_by_the_limits() {
    let zeros = vec![0; 4 << 20];
    let limited = FormatOptions { decompression_ratio_max: Some(50), ..FormatOptions::default() };
    let zip = zipped(&[("zeros.csv", &zeros)]);
    let mut stored = Stored::new(&zip);
    let archive = archive_for("a.zip", &limited).unwrap().unwrap();
    let directory = archive.open(&mut stored).unwrap();
    let error = read(directory.as_ref(), 0, &mut stored).unwrap_err();
    assert!(error.to_string().contains("bomb"), "{error}");
    let error = kept("a.tgz", &limited, &gzip(&tarred(&[("zeros.csv", &zeros)]))).err().unwrap();
    assert!(error.to_string().contains("bomb"), "{error}");
}

#[test]
fn a_large_zip_is_not_read_for_one_small_member() {
    let noise = noise(8 << 20);
    let zip = zipped(&[("noise.bin", &noise), ("a.csv", b"id\n1\n")]);
    let (directory, mut stored) = open("a.zip", &zip).unwrap();
    assert_eq!(read(directory.as_ref(), 1, &mut stored).unwrap(), b"id\n1\n");
    assert!(stored.ranged < 400_000, "{} bytes", stored.ranged);
}

#[test]
fn a_large_tar_is_listed_by_its_headers() {
    let noise = noise(8 << 20);
    let tar = tarred(&[("noise.bin", &noise), ("a.csv", b"id\n1\n")]);
    let (directory, stored) = open("a.tar", &tar).unwrap();
    assert_eq!(directory.members().len(), 2);
    assert!(stored.ranged < 1 << 20, "{} bytes", stored.ranged);
}

#[test]
fn what_is_no_archive_is_refused_by_name() {
    for bytes in [&b"id\n1\n"[..], &noise(5000), &b"PK\x03\x04 is not all"[..]] {
        for name in ["a.zip", "a.tar", "a.tgz"] {
            let error = files(name, bytes).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MalformedFile, "{name}");
            assert!(error.hint().is_some());
        }
    }
}

proptest::proptest! {
    #[test]
    fn a_damaged_archive_never_panics_and_never_reads_beyond_its_end(
        flips: Vec<(proptest::sample::Index, u8)>,
        cut: proptest::sample::Index,
        is_zip: bool,
    ) {
        let members: [(&str, &[u8]); 3] =
            [("a.csv", b"id\n1\n"), (LONG_NAME, b"id\n2\n"), ("c.csv", &[b'x'; 600])];
        let (name, mut bytes) =
            if is_zip { ("a.zip", zipped(&members)) } else { ("a.tar", tarred(&members)) };
        for (at, mask) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= mask;
        }
        let _ = files(name, &bytes);
        let _ = files(name, &bytes[..cut.index(bytes.len() + 1)]);
    }
}
