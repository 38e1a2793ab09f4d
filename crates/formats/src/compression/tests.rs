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

fn bzip2(text: &[u8]) -> Vec<u8> {
    let mut encoder = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn xz(text: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn lz4(text: &[u8]) -> Vec<u8> {
    let info = lz4_flex::frame::FrameInfo::new().content_checksum(true);
    let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Blocks of 64 KiB that lean on each other, without a checksum.
fn lz4_linked(text: &[u8]) -> Vec<u8> {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    let info = FrameInfo::new().block_mode(BlockMode::Linked).block_size(BlockSize::Max64KB);
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn snappy(text: &[u8]) -> Vec<u8> {
    let mut encoder = snap::write::FrameEncoder::new(Vec::new());
    encoder.write_all(text).unwrap();
    // An encoder that was given nothing writes nothing, not even its name.
    let frames = encoder.into_inner().unwrap();
    if frames.is_empty() { b"\xff\x06\0\0sNaPpY".to_vec() } else { frames }
}

fn brotli(text: &[u8]) -> Vec<u8> {
    let mut encoder = ::brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
    encoder.write_all(text).unwrap();
    encoder.into_inner()
}

type Codec = (Compression, fn(&[u8]) -> Vec<u8>);

/// Everything that is recognised by its bytes.
const CODECS: [Codec; 7] = [
    (Compression::Gzip, gzip),
    (Compression::Zstandard, zstandard),
    (Compression::Bzip2, bzip2),
    (Compression::Xz, xz),
    (Compression::Lz4, lz4),
    (Compression::Lz4, lz4_linked),
    (Compression::Snappy, snappy),
];

fn read_as(bytes: &[u8], chunk_bytes: usize, unpacking: Unpacking) -> Result<Vec<u8>> {
    let mut input = Chunks::new(bytes, chunk_bytes);
    let mut decompressed = Decompressed::of(Box::new(&mut input), &unpacking)?;
    let mut all = Vec::new();
    while let Some(chunk) = decompressed.next_chunk()? {
        assert!(!chunk.is_empty() && chunk.len() <= CHUNK_BYTES.max(chunk_bytes).max(MAGIC_BYTES));
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}

fn read_all(bytes: &[u8], chunk_bytes: usize, limits: Limits) -> Result<Vec<u8>> {
    read_as(bytes, chunk_bytes, Unpacking { named: None, limits })
}

fn decompress_as(bytes: &[u8], named: Option<Compression>) -> Result<Vec<u8>> {
    let unpacking = Unpacking { named, ..Unpacking::default() };
    let whole = read_as(bytes, 1 << 20, unpacking);
    let byte_by_byte = read_as(bytes, 1, unpacking);
    match (&whole, &byte_by_byte) {
        (Ok(one), Ok(other)) => assert_eq!(one, other),
        (Err(one), Err(other)) => assert_eq!(one.kind(), other.kind()),
        _ => panic!("chunks change the outcome: {whole:?} {byte_by_byte:?}"),
    }
    whole
}

fn decompress(bytes: &[u8]) -> Result<Vec<u8>> {
    decompress_as(bytes, None)
}

fn skippable_frame() -> Vec<u8> {
    [&[0x53, 0x2a, 0x4d, 0x18][..], &5_u32.to_le_bytes(), b"notes"].concat()
}

#[test]
fn every_compression_is_recognised_by_its_bytes_alone() {
    for text in [&b""[..], b"(", b"a,b\n1,2\n", b"P*", b"\xef\xbb\xbfa\n"] {
        assert_eq!(decompress(text).unwrap(), text);
        for (compression, encode) in CODECS {
            assert_eq!(Compression::recognise(&encode(text)), compression);
            assert_eq!(decompress(&encode(text)).unwrap(), text, "{compression:?}");
        }
        assert_eq!(decompress_as(&brotli(text), Some(Compression::Brotli)).unwrap(), text);
    }
}

#[test]
fn text_that_begins_like_a_signature_is_text() {
    for text in [
        &b"BZh"[..],
        b"BZh9,name\n1,2\n",
        b"BZh91AY,b\n",
        b"\xfd7",
        b"\xfd7zip,x\n",
        b"\x04",
        b"\xff\xfea\0,\0",
        b"sNaPpY,b\n",
        b"PK,b\n",
    ] {
        assert_eq!(decompress(text).unwrap(), text);
    }
}

#[test]
fn a_compression_that_somebody_named_is_believed() {
    let text = b"a,b\n1,2\n";
    for (compression, encode) in CODECS {
        let packed = encode(text);
        assert_eq!(decompress_as(&packed, Some(Compression::None)).unwrap(), packed);
        assert_eq!(decompress_as(&packed, Some(compression)).unwrap(), text);
        assert_eq!(decompress_as(&packed, Some(Compression::Brotli)).unwrap(), text);
        let error = decompress_as(text, Some(compression)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedFile, "{compression:?}");
    }
    let options =
        |name: &str| FormatOptions { compression: Some(name.into()), ..Default::default() };
    for (name, compression) in [
        ("auto", None),
        ("none", Some(Compression::None)),
        ("GZ", Some(Compression::Gzip)),
        ("br", Some(Compression::Brotli)),
    ] {
        assert_eq!(Unpacking::of(&options(name)).unwrap().named, compression);
    }
    assert_eq!(Unpacking::of(&options("rar")).unwrap_err().kind(), ErrorKind::InvalidConfig);
}

#[test]
fn large_files_come_out_in_bounded_chunks() {
    let text: Vec<u8> = (0..200_000_u32).flat_map(|row| format!("{row}\n").into_bytes()).collect();
    assert!(text.len() > 4 * CHUNK_BYTES);
    for (compression, encode) in CODECS {
        let whole = read_all(&encode(&text), 1000, Limits::default()).unwrap();
        assert!(whole == text, "{compression:?}");
    }
    assert!(decompress_as(&brotli(&text), Some(Compression::Brotli)).unwrap() == text);
}

#[test]
fn all_members_all_frames_and_all_streams_are_read() {
    for (compression, encode) in CODECS {
        let joined = [encode(b"a\n"), encode(b""), encode(b"b\n")].concat();
        assert_eq!(decompress(&joined).unwrap(), b"a\nb\n", "{compression:?}");
    }
    for encode in [zstandard, lz4] {
        let frames = [skippable_frame(), encode(b"a\n"), skippable_frame(), encode(b"b\n")];
        assert_eq!(decompress(&frames.concat()).unwrap(), b"a\nb\n");
    }
    let small_blocks_first = [lz4_linked(b"a\n"), lz4(&[b'b'; 100_000])].concat();
    assert_eq!(decompress(&small_blocks_first).unwrap().len(), 100_002);
    assert_eq!(decompress(&skippable_frame()).unwrap(), b"");
    let padded_streams = [xz(b"a\n"), vec![0; 8], xz(b"b\n"), vec![0; 4]].concat();
    assert_eq!(decompress(&padded_streams).unwrap(), b"a\nb\n");
}

#[test]
fn what_follows_the_last_stream_is_corruption() {
    let padded = [gzip(b"a\n"), vec![0; 512]].concat();
    assert_eq!(decompress(&padded).unwrap(), b"a\n");
    for garbage in [&b"garbage"[..], b"\0\0x", b"\x1f", b"\x1f\x8c"] {
        let error = decompress(&[&gzip(b"a\n"), garbage].concat()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedFile, "{garbage:?}");
    }
    for (compression, encode) in CODECS {
        let error = decompress(&[&encode(b"a\n"), &b"garbage!!"[..]].concat()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedFile, "{compression:?}");
    }
    let followed = [brotli(b"a\n"), b"garbage".to_vec()].concat();
    assert!(decompress_as(&followed, Some(Compression::Brotli)).is_err());
}

/// Bytes from which on a cut file cannot be taken for text.
fn told_from(compression: Compression) -> usize {
    match compression {
        Compression::Gzip => 1,
        Compression::Bzip2 => 4,
        Compression::Xz => 3,
        _ => 2,
    }
}

#[test]
fn a_stream_cut_anywhere_is_an_error_that_names_the_byte() {
    let text = b"id,name\n1,one\n2,two\n";
    for (compression, encode) in CODECS {
        let one = encode(text);
        let joined = [&one[..], &one].concat();
        for cut in told_from(compression)..joined.len() {
            // Between two streams a file is whole, and framed snappy is so
            // between two of its chunks.
            let is_whole = cut == one.len()
                || compression == Compression::Snappy && [10, one.len() + 10].contains(&cut);
            if is_whole {
                continue;
            }
            let error = decompress(&joined[..cut]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MalformedFile, "{compression:?} cut at {cut}");
            assert_eq!(error.fact("compressed_byte"), Some(cut.to_string().as_str()), "{error}");
        }
    }
    let packed = brotli(text);
    for cut in 0..packed.len() {
        let error = decompress_as(&packed[..cut], Some(Compression::Brotli)).unwrap_err();
        assert_eq!(error.fact("compressed_byte"), Some(cut.to_string().as_str()));
    }
}

#[test]
fn a_flipped_byte_never_changes_what_comes_out() {
    let text = b"id,name\n1,one\n2,two\n";
    for (compression, encode) in [
        (Compression::Gzip, gzip as fn(&[u8]) -> Vec<u8>),
        (Compression::Bzip2, bzip2),
        (Compression::Xz, xz),
        (Compression::Lz4, lz4),
        (Compression::Snappy, snappy),
    ] {
        let whole = encode(text);
        let mut refused = 0;
        for at in MAGIC_BYTES..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x10;
            match decompress(&flipped) {
                Ok(unchanged) => assert_eq!(unchanged, text, "{compression:?} byte {at}"),
                Err(error) => {
                    let kind = error.kind();
                    assert!(matches!(kind, ErrorKind::MalformedFile | ErrorKind::Unsupported));
                    refused += 1;
                }
            }
        }
        assert!(refused > 20, "{compression:?}: {refused} of {}", whole.len());
    }
}

#[test]
fn a_bomb_is_refused_with_its_cure() {
    let limits = Limits { bytes_max: 1 << 30, ratio_max: 20, ratio_from_bytes: 1 << 20 };
    let zeros = vec![0; 8 << 20];
    for (compression, encode) in CODECS {
        let bomb = encode(&zeros);
        let error = read_all(&bomb, 4096, limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedFile);
        assert!(error.hint().unwrap().contains("decompression_ratio_max"), "{compression:?}");
        let small = Limits { bytes_max: 1000, ..Limits::default() };
        let error = read_all(&bomb, 4096, small).unwrap_err();
        assert!(error.hint().unwrap().contains("decompressed_bytes_max"), "{compression:?}");
        assert_eq!(read_all(&bomb, 4096, Limits::default()).unwrap().len(), zeros.len());
    }
}

#[test]
fn limits_come_from_the_options() {
    let given = FormatOptions {
        decompressed_bytes_max: Some(10),
        decompression_ratio_max: Some(20),
        ..FormatOptions::default()
    };
    let limits = Limits { bytes_max: 10, ratio_max: 20, ratio_from_bytes: 1 << 20 };
    assert_eq!(Limits::of(&given), limits);
    assert_eq!(Limits::of(&FormatOptions::default()), Limits::default());
}

#[test]
fn windows_that_would_not_fit_the_memory_are_refused_by_name() {
    let mut options = liblzma::stream::LzmaOptions::new_preset(1).unwrap();
    options.dict_size(256 << 20);
    let mut filters = liblzma::stream::Filters::new();
    filters.lzma2(&options);
    let check = liblzma::stream::Check::Crc32;
    let stream = liblzma::stream::Stream::new_stream_encoder(&filters, check).unwrap();
    let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
    encoder.write_all(b"a\n").unwrap();
    let error = decompress(&encoder.finish().unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.hint().is_some());
}

#[test]
fn an_error_of_the_input_is_handed_on_unchanged() {
    let random: Vec<u8> =
        (0..4096_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for (_, encode) in CODECS {
        let mut input = Chunks::failing_after(&encode(&random), 20, 3);
        let mut decompressed = Decompressed::new(&mut input, Limits::default()).unwrap();
        let error = std::iter::from_fn(|| decompressed.next_chunk().transpose())
            .find_map(Result::err)
            .unwrap();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
}

proptest::proptest! {
    #[test]
    fn garbage_behind_a_magic_number_never_panics(garbage: Vec<u8>, magic in 0..8_usize) {
        let magic: &[u8] = [
            &b"\x1f\x8b\x08"[..],
            b"\x28\xb5\x2f\xfd",
            b"BZh91AY&SY",
            b"\xfd7zXZ\0",
            b"\x04\x22\x4d\x18",
            b"\xff\x06\0\0sNaPpY",
            b"\x53\x2a\x4d\x18",
            b"",
        ][magic];
        let packed = [magic, &garbage].concat();
        let _ = decompress(&packed);
        let _ = decompress_as(&packed, Some(Compression::Brotli));
    }

    #[test]
    fn a_stream_with_flipped_bytes_never_panics(
        rows: Vec<u16>,
        flips: Vec<(proptest::sample::Index, u8)>,
        codec in 0..7_usize,
    ) {
        let text: Vec<u8> = rows.iter().flat_map(|row| format!("{row},x\n").into_bytes()).collect();
        let mut packed = CODECS[codec].1(&text);
        for (at, mask) in flips {
            let at = at.index(packed.len());
            packed[at] ^= mask;
        }
        let _ = decompress(&packed);
    }
}
