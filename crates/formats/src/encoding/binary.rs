//! Files that are no text in any encoding, told by their control characters.
//!
//! A rule that rather takes binary data for text than the other way round:
//! what is taken for text has its bad rows rejected. No encoding of text but
//! UTF-16 uses control characters for something else, so that several kinds
//! of them, and not only a few, are what only binary data has. Those that
//! separate fields somewhere do not count, nor does any one kind by itself,
//! whatever there is of it: a stray NUL, or fields that are filled up with
//! NULs.
//!
//! Not here: files that are known by their first bytes.

use decant_core::{Error, ErrorKind, Result};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Bytes that are looked at.
const LOOK_BYTES: usize = 64 << 10;
/// Control characters that are white space, or separate fields or parts of
/// them somewhere.
const OF_TEXT: &[u8] = b"\t\n\x0c\r\x1b\x01\x02\x03\x07\x1c\x1d\x1e\x1f";

/// What is seen of control characters and of bytes that are not UTF-8.
struct Seen {
    bytes: usize,
    controls: usize,
    /// Different ones.
    kinds: u32,
    /// Sequences that are not UTF-8.
    invalid: usize,
}

impl Seen {
    fn of(bytes: &[u8], is_control: &dyn Fn(u8) -> bool) -> Self {
        let controls = bytes.iter().filter(|byte| is_control(**byte));
        let mut kinds = 0_u32;
        let mut count = 0;
        for control in controls {
            kinds |= 1 << control;
            count += 1;
        }
        let invalid = bytes.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count();
        Self { bytes: bytes.len(), controls: count, kinds: kinds.count_ones(), invalid }
    }

    /// Whether so many bytes of a hundred are controls.
    fn has_controls(&self, percent: usize) -> bool {
        self.controls * 100 >= self.bytes * percent
    }

    /// Compressed and encrypted data has 19 kinds and 7 control characters in
    /// a hundred bytes; of tiny files what is beyond ASCII helps to tell.
    fn is_binary(&self, is_guessed: bool) -> bool {
        let is_noise = self.kinds >= 3 && self.has_controls(2) && self.invalid * 7 >= self.bytes;
        match self.invalid {
            0 => self.kinds >= 6 && self.has_controls(10),
            _ => self.kinds >= 4 && self.has_controls(4) || is_noise && !is_guessed,
        }
    }
}

/// Refuses what looks like binary data, `encoding` being the best guess;
/// `delimiter` is what somebody said.
pub(super) fn refuse(
    beginning: &[u8],
    encoding: &'static Encoding,
    delimiter: Option<&str>,
) -> Result<()> {
    if encoding == UTF_16LE || encoding == UTF_16BE {
        return Ok(());
    }
    let delimiter = delimiter.unwrap_or_default().as_bytes();
    let is_control =
        |byte: u8| byte < b' ' && !OF_TEXT.contains(&byte) && !delimiter.contains(&byte);
    let looked_at = &beginning[..beginning.len().min(LOOK_BYTES)];
    let first = looked_at.iter().position(|byte| is_control(*byte));
    match first {
        Some(at) if Seen::of(looked_at, &is_control).is_binary(encoding != UTF_8) => {
            Err(looks_binary(looked_at, at))
        }
        _ => Ok(()),
    }
}

fn looks_binary(beginning: &[u8], at: usize) -> Error {
    let message = format!(
        "the file looks like binary data, not text (byte 0x{:02x} at offset {at})",
        beginning[at]
    );
    let cure = match is_zlib(beginning) {
        true => {
            "it may be compressed by zlib, which is no format of files: compress it with gzip, \
             or leave it out with `--exclude`"
        }
        false => {
            "if it is compressed without saying so, name that with `--compression` (brotli, \
             deflate), if it is of another format, with `--format`; if it is text all the same, \
             name its `--encoding`; else leave it out with `--exclude`"
        }
    };
    Error::new(ErrorKind::MalformedFile, message).with_hint(cure)
}

/// Whether the data begins as RFC 1950 has it.
fn is_zlib(beginning: &[u8]) -> bool {
    match beginning {
        [method, flags, ..] => {
            method & 0x8f == 0x08 && (usize::from(*method) << 8 | usize::from(*flags)) % 31 == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use decant_core::stream::FormatOptions;
    use proptest::prelude::*;

    use super::super::Transcoded;
    use super::*;
    use crate::testing::Chunks;

    fn told(bytes: &[u8], options: &FormatOptions) -> Result<()> {
        Transcoded::new(&mut Chunks::new(bytes, 1000), options).map(|_| ())
    }

    fn table(rows: u32) -> String {
        let row = |row: u32| format!("{row},name of {},{}.50\n", row % 17, row.wrapping_mul(7919));
        (0..rows).map(row).collect()
    }

    /// Bytes without any order, as encrypted ones are.
    fn noise(bytes: u64) -> Vec<u8> {
        let step = |state: &mut u64| {
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            Some((*state >> 32) as u8)
        };
        let mut state = 0x9e37_79b9_7f4a_7c15 ^ bytes;
        std::iter::from_fn(move || step(&mut state)).take(bytes as usize).collect()
    }

    fn zlib(text: &str) -> Vec<u8> {
        let mut encoder =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn brotli(text: &str) -> Vec<u8> {
        let mut encoder = ::brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.into_inner()
    }

    fn integers() -> Vec<u8> {
        (0..5000_u32).flat_map(|n| (n * 3).to_le_bytes()).collect()
    }

    #[test]
    fn binary_data_is_refused_with_its_first_byte_that_no_text_has() {
        let table = table(400);
        let snappy = snap::raw::Encoder::new().compress_vec(table.as_bytes()).unwrap();
        let program = [&b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0\xb8"[..], &noise(3000)].concat();
        let gif = [&b"GIF89a\x10\0\x10\0\xf2\x06\0"[..], &noise(700)].concat();
        for (what, bytes) in [
            ("snappy", snappy),
            ("zlib", zlib(&table)),
            ("brotli", brotli(&table)),
            ("program", program),
            ("image", gif),
            ("encrypted", noise(100_000)),
            ("short", noise(300)),
            ("integers", integers()),
        ] {
            let error = told(&bytes, &FormatOptions::default()).expect_err(what);
            assert_eq!(error.kind(), ErrorKind::MalformedFile, "{what}");
            let message = error.message();
            assert!(message.starts_with("the file looks like binary data, not text (byte 0x"));
            assert!(message.is_ascii() && message.len() < 100, "{message}");
            let hint = error.hint().unwrap();
            assert_eq!(hint.contains("zlib"), what == "zlib", "{what}");
            let said = FormatOptions { encoding: Some("utf-8".into()), ..FormatOptions::default() };
            assert!(told(&bytes, &said).is_ok(), "{what}: what was said is believed");
        }
    }

    #[test]
    fn text_with_control_characters_is_text() {
        let padded = "1\0\0\0\0\0\0name\0\0\0\0\0\0\0\0\0\n".repeat(100);
        let hive = "1\u{1}a\u{2}b\u{3}c\u{1}x\n".repeat(100);
        let told_apart = "1\u{10}a\u{10}c\u{10}x\n".repeat(100);
        let stray = format!("{}a\0b\x05c\x08d\x0be\x0ff\x10g\x7f\n{}", table(40), table(40));
        let log = "\x1b[31mred\x1b[0m\x08\x08 done\x07\r\n".repeat(20);
        let scanned = "]C1010\x1d17\x1d21\x1e\x04\n".repeat(20);
        for text in [
            "a\0b,c\nd,e\n",
            "a,b\n\x05,\x06\n1,2\n",
            "a\x1a",
            "\0",
            &padded,
            &hive,
            &told_apart,
            &stray,
            &log,
            &scanned,
        ] {
            assert!(told(text.as_bytes(), &FormatOptions::default()).is_ok(), "{text:?}");
        }
        let latin = b"name,n\nJ\xfcrgen,1\0\nM\xfcnchen,\x052\n".repeat(30);
        assert!(told(&latin, &FormatOptions::default()).is_ok());
    }

    proptest! {
        #[test]
        fn text_in_any_encoding_is_text_whatever_strays_into_it(
            lines in prop::collection::vec("[a-z,0-9 ]{0,12}(été|naïve|名前|東京都|имя|Łódź){0,3}", 1..60),
            label in prop::sample::select(vec![
                "utf-8", "utf-16le", "utf-16be", "shift_jis", "gb18030", "euc-jp", "euc-kr", "big5",
                "iso-2022-jp", "koi8-r", "windows-1250", "windows-1251", "windows-1252",
            ]),
            stray in prop::sample::select(vec!["", "\0", "\x05", "\x08\0"]),
        ) {
            // Of a few units nothing tells that they are UTF-16.
            let is_too_short = label.starts_with("utf-16") && lines.concat().chars().count() < 150;
            let stray = if is_too_short { "" } else { stray };
            let text = lines.join("\n") + stray + "\n";
            let utf_16 = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect();
            let encoded: Vec<u8> = match label {
                "utf-16le" => utf_16(u16::to_le_bytes),
                "utf-16be" => utf_16(u16::to_be_bytes),
                label => {
                    let encoding = Encoding::for_label(label.as_bytes()).unwrap();
                    encoding.encode(&text).0.into_owned()
                }
            };
            prop_assert!(told(&encoded, &FormatOptions::default()).is_ok());
        }
    }
}
