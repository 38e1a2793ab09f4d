//! Whole, cut, joined and corrupt streams of each compression.

use std::io::Write;

use super::*;
use crate::testing::Chunks;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstandard(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 3).unwrap()
}

fn read_all(bytes: &[u8], chunk_bytes: usize, limits: Limits) -> Result<Vec<u8>> {
    let mut input = Chunks::new(bytes, chunk_bytes);
    let mut decompressed = Decompressed::new(&mut input, limits)?;
    let mut all = Vec::new();
    while let Some(chunk) = decompressed.next_chunk()? {
        assert!(!chunk.is_empty() && chunk.len() <= CHUNK_BYTES.max(chunk_bytes));
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}

fn decompress(bytes: &[u8]) -> Result<Vec<u8>> {
    let whole = read_all(bytes, 1 << 20, Limits::default());
    let byte_by_byte = read_all(bytes, 1, Limits::default());
    match (&whole, &byte_by_byte) {
        (Ok(one), Ok(other)) => assert_eq!(one, other),
        (Err(one), Err(other)) => assert_eq!(one.kind(), other.kind()),
        _ => panic!("chunks change the outcome: {whole:?} {byte_by_byte:?}"),
    }
    whole
}

fn skippable_frame() -> Vec<u8> {
    [&[0x53, 0x2a, 0x4d, 0x18][..], &5_u32.to_le_bytes(), b"notes"].concat()
}

#[test]
fn every_compression_is_recognised_by_its_bytes_alone() {
    for text in [&b""[..], b"(", b"a,b\n1,2\n", b"P*", b"\xef\xbb\xbfa\n"] {
        assert_eq!(decompress(text).unwrap(), text);
        assert_eq!(decompress(&gzip(text)).unwrap(), text);
        assert_eq!(decompress(&zstandard(text)).unwrap(), text);
    }
}

#[test]
fn large_files_come_out_in_bounded_chunks() {
    let text: Vec<u8> = (0..200_000_u32).flat_map(|row| format!("{row}\n").into_bytes()).collect();
    assert!(text.len() > 4 * CHUNK_BYTES);
    assert_eq!(read_all(&gzip(&text), 1000, Limits::default()).unwrap(), text);
    assert_eq!(read_all(&zstandard(&text), 1000, Limits::default()).unwrap(), text);
}

#[test]
fn all_members_and_all_frames_are_read() {
    let joined = [gzip(b"a\n"), gzip(b""), gzip(b"b\n")].concat();
    assert_eq!(decompress(&joined).unwrap(), b"a\nb\n");
    let framed = [skippable_frame(), zstandard(b"a\n"), skippable_frame(), zstandard(b"b\n")];
    assert_eq!(decompress(&framed.concat()).unwrap(), b"a\nb\n");
}

#[test]
fn zeros_after_the_last_member_are_padding_and_anything_else_is_corruption() {
    let padded = [gzip(b"a\n"), vec![0; 512]].concat();
    assert_eq!(decompress(&padded).unwrap(), b"a\n");
    for garbage in [&b"garbage"[..], b"\0\0x", b"\x1f", b"\x1f\x8c"] {
        let error = decompress(&[&gzip(b"a\n"), garbage].concat()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedFile, "{garbage:?}");
    }
    let error = decompress(&[&zstandard(b"a\n"), &b"garbage"[..]].concat()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedFile);
}

#[test]
fn a_stream_cut_anywhere_is_an_error_that_names_the_byte() {
    let text = b"id,name\n1,one\n2,two\n";
    let joined = [gzip(text), gzip(text)].concat();
    let boundary = gzip(text).len();
    for cut in (1..joined.len()).filter(|cut| *cut != boundary) {
        let error = decompress(&joined[..cut]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedFile, "cut at {cut}");
        assert_eq!(error.fact("compressed_byte"), Some(cut.to_string().as_str()));
    }
    let frame = zstandard(text);
    for cut in 2..frame.len() {
        let error = decompress(&frame[..cut]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedFile, "cut at {cut}");
        assert_eq!(error.fact("compressed_byte"), Some(cut.to_string().as_str()));
    }
}

#[test]
fn a_flipped_byte_never_changes_what_comes_out_of_gzip() {
    let text = b"id,name\n1,one\n2,two\n";
    let whole = gzip(text);
    let mut refused = 0;
    for at in 10..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        match decompress(&flipped) {
            Ok(unchanged) => assert_eq!(unchanged, text, "byte {at}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::MalformedFile);
                refused += 1;
            }
        }
    }
    assert!(refused > 20);
}

#[test]
fn a_bomb_is_refused_with_its_cure() {
    let limits = Limits { bytes_max: 1 << 30, ratio_max: 100, ratio_from_bytes: 1 << 20 };
    for bomb in [gzip(&vec![0; 8 << 20]), zstandard(&vec![0; 8 << 20])] {
        let error = read_all(&bomb, 4096, limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedFile);
        assert!(error.hint().is_some());
        let small = Limits { bytes_max: 1000, ..Limits::default() };
        assert!(read_all(&bomb, 4096, small).is_err());
        assert_eq!(read_all(&bomb, 4096, Limits::default()).unwrap().len(), 8 << 20);
    }
}

#[test]
fn an_error_of_the_input_is_handed_on_unchanged() {
    let random: Vec<u8> =
        (0..4096_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for bytes in [gzip(&random), zstandard(&random)] {
        let mut input = Chunks::failing_after(&bytes, 20, 3);
        let mut decompressed = Decompressed::new(&mut input, Limits::default()).unwrap();
        let error = std::iter::from_fn(|| decompressed.next_chunk().transpose())
            .find_map(Result::err)
            .unwrap();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
}

proptest::proptest! {
    #[test]
    fn garbage_behind_a_magic_number_never_panics(garbage: Vec<u8>, magic in 0..3_usize) {
        let magic: &[u8] = [&b"\x1f\x8b\x08"[..], b"\x28\xb5\x2f\xfd", b""][magic];
        let _ = decompress(&[magic, &garbage].concat());
    }
}
