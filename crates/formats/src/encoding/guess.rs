//! Which encoding a text is in.
//!
//! Deterministic: the same beginning has the same answer. It leans to UTF-8,
//! because a wrong guess of another encoding loads wrong letters, while wrong
//! UTF-8 is found and rejected: another encoding is only believed when what
//! comes out reads like words.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::BEGINNING_BYTES;

/// Units of two bytes below which nothing is taken for UTF-16 without a mark.
const UNITS_MIN: usize = 4;
/// Of a hundred UTF-16 units of a table, at least so many are ASCII: digits,
/// delimiters, line ends.
const ASCII_UNITS_PERCENT: usize = 10;
/// Characters beyond ASCII from which on a text is taken for one that is not
/// Western.
const FOREIGN_MIN: usize = 4;
/// Of so many zeros on one side, one may be on the other.
const RARE: usize = 4;
/// Of so many characters of UTF-16, one may be a control character.
const STRAY: usize = 50;
/// Letters that a text must have that stand by themselves.
const LONE_LETTERS_MIN: usize = 2;
/// Letters beyond ASCII that stand by themselves in Western tables.
const LONE_LETTERS: &str = "áàâäåãæçéèêëíìîïñóòôöøõœúùûüßÁÀÂÄÅÃÆÇÉÈÊËÍÌÎÏÑÓÒÔÖØÕŒÚÙÛÜ";
const ESCAPE: u8 = 0x1b;
/// Control characters of tables: white space, and separators of their own.
const CONTROLS: &str = "\t\r\n\u{1}\u{7}\u{1e}\u{1f}";
/// Characters beyond ASCII that stand alone in plain text.
const SYMBOLS: &str = "€£¥§°²³½¼¾«»“”‘’„–—…·•©®™ºª¿¡µ×№\u{a0}";

/// What a text is in, and why.
pub(super) struct Decided {
    pub(super) encoding: &'static Encoding,
    /// Bytes of the byte-order mark.
    pub(super) mark_bytes: usize,
    /// Nothing for plain UTF-8.
    pub(super) explanation: Option<String>,
    /// Why it is what it is.
    pub(super) by: By,
}

/// What an encoding is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// Its byte-order mark, or letters beyond ASCII that are all UTF-8.
    Content,
    /// Somebody said it.
    Word,
    /// Nothing but how the text reads.
    Guess,
    /// Nothing: it is ASCII.
    Default,
}

/// Decides by `beginning` and what was given; `usual` is what the other files
/// of the stream are in.
pub(super) fn decide(
    beginning: &[u8],
    given: Option<&'static Encoding>,
    usual: Option<&'static Encoding>,
) -> Decided {
    if let Some((encoding, mark_bytes)) = Encoding::for_bom(beginning) {
        let explanation = match given {
            Some(given) if given != encoding => Some(format!(
                "the text is {}, by its byte-order mark, and not {}",
                encoding.name(),
                given.name()
            )),
            _ if encoding == UTF_8 => None,
            _ => Some(format!("the text is {}, by its byte-order mark", encoding.name())),
        };
        return Decided { encoding, mark_bytes, explanation, by: By::Content };
    }
    let (encoding, explanation, by) = match given {
        Some(given) if given == UTF_8 => (given, None, By::Word),
        Some(given) => {
            (given, Some(format!("the text is {}, as was said", given.name())), By::Word)
        }
        None => guess(beginning, usual),
    };
    Decided { encoding, mark_bytes: 0, explanation, by }
}

/// Decides for JSON, whose first two characters are ASCII in practice: in
/// UTF-16 their other bytes are zeros (RFC 4627, section 3).
pub(super) fn decide_json(beginning: &[u8], given: Option<&'static Encoding>) -> Decided {
    if given.is_some() || Encoding::for_bom(beginning).is_some() {
        return decide(beginning, given, None);
    }
    let encoding = match beginning.first_chunk::<4>() {
        Some([one, 0, other, 0]) if *one > 0 && *other > 0 => UTF_16LE,
        Some([0, one, 0, other]) if *one > 0 && *other > 0 => UTF_16BE,
        _ => return decide(beginning, Some(UTF_8), None),
    };
    let name = encoding.name();
    let explanation = Some(format!("the text is {name}: every other byte of its ASCII is zero"));
    Decided { encoding, mark_bytes: 0, explanation, by: By::Content }
}

fn guess(
    beginning: &[u8],
    usual: Option<&'static Encoding>,
) -> (&'static Encoding, Option<String>, By) {
    let guessed = |encoding: &'static Encoding, why: &str| {
        (encoding, Some(format!("the text is {}: {why} (a guess)", encoding.name())), By::Guess)
    };
    if let Some(encoding) = utf_16(beginning) {
        return guessed(encoding, "every other byte of its ASCII is zero");
    }
    let has_escape = memchr::memchr(ESCAPE, beginning).is_some();
    if !has_escape && beginning.is_ascii() {
        return (UTF_8, None, By::Default);
    }
    let seen = Seen::of(beginning);
    if seen.invalid == 0 && !beginning.windows(2).any(|pair| pair == [ESCAPE, b'$']) {
        return (UTF_8, None, if seen.valid > 0 { By::Content } else { By::Default });
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(beginning, false);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    if seen.invalid > seen.valid && reads_like_words(beginning, encoding)
        || seen.invalid == 0 && encoding == encoding_rs::ISO_2022_JP
    {
        return guessed(encoding, "it is not UTF-8 and reads like this");
    }
    let usual = usual.filter(|usual| *usual != UTF_8 && *usual != UTF_16LE && *usual != UTF_16BE);
    match usual {
        _ if seen.invalid == 0 => (UTF_8, None, By::Content),
        Some(usual) => guessed(usual, "it is not UTF-8, and the stream's other files are this"),
        None => {
            let why = "the text is taken for UTF-8, although not all of it is; `encoding` decides";
            (UTF_8, Some(why.to_owned()), By::Guess)
        }
    }
}

/// UTF-16 without a mark: NULs, and all of them on one side.
fn utf_16(beginning: &[u8]) -> Option<&'static Encoding> {
    let units = beginning.len() / 2;
    if units < UNITS_MIN || !beginning.contains(&0) {
        return None;
    }
    let zeros = |side: usize| {
        beginning.chunks_exact(2).filter(|unit| unit[side] == 0 && unit[1 - side] != 0).count()
    };
    let many = |count: usize| count * 100 >= units * ASCII_UNITS_PERCENT;
    // Other characters may have a zero too, on the other side.
    let encoding = match (zeros(0), zeros(1)) {
        (high, low) if many(low) && high * RARE <= low => UTF_16LE,
        (high, low) if many(high) && low * RARE <= high => UTF_16BE,
        _ => return None,
    };
    if !has_lines_of(beginning, encoding) && many_ascii_pairs(beginning) {
        return None;
    }
    let even = &beginning[..units * 2];
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(decoder.max_utf8_buffer_length(even.len())?);
    let (_, _, malformed) = decoder.decode_to_string(even, &mut text, false);
    let is_stray = |letter: &char| letter.is_control() && !CONTROLS.contains(*letter);
    let strays = text.chars().filter(is_stray).count();
    (!malformed && strays * STRAY <= units).then_some(encoding)
}

/// Whether most line feeds are whole units.
fn has_lines_of(beginning: &[u8], encoding: &'static Encoding) -> bool {
    let feed = if encoding == UTF_16LE { [b'\n', 0] } else { [0, b'\n'] };
    let units = beginning.chunks_exact(2).filter(|unit| **unit == feed).count();
    units > 0 && units * 2 > memchr::memchr_iter(b'\n', beginning).count()
}

/// Whether most units have no zero, and most of those are two ASCII
/// characters: plain text with a few NULs.
fn many_ascii_pairs(beginning: &[u8]) -> bool {
    let is_text = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n');
    let whole = beginning.chunks_exact(2).filter(|unit| !unit.contains(&0));
    let (mut units, mut pairs) = (0_usize, 0_usize);
    for unit in whole {
        units += 1;
        pairs += usize::from(unit.iter().all(is_text));
    }
    units * 4 > beginning.len() && pairs * 10 > units * 8
}

/// Sequences beyond ASCII, by whether UTF-8 has them.
struct Seen {
    valid: usize,
    invalid: usize,
}

impl Seen {
    /// Counts; what is cut off at the end of a longer text counts as nothing.
    fn of(bytes: &[u8]) -> Self {
        let mut seen = Self { valid: 0, invalid: 0 };
        let goes_on = bytes.len() >= BEGINNING_BYTES;
        for chunk in bytes.utf8_chunks() {
            seen.valid += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
            let is_cut = goes_on
                && bytes.as_ptr_range().end == chunk.invalid().as_ptr_range().end
                && std::str::from_utf8(chunk.invalid()).is_err_and(|e| e.error_len().is_none());
            seen.invalid += usize::from(!chunk.invalid().is_empty() && !is_cut);
        }
        seen
    }
}

/// Whether the letters beyond ASCII stand beside letters, or are symbols that
/// stand alone.
fn reads_like_words(beginning: &[u8], encoding: &'static Encoding) -> bool {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let room = decoder.max_utf8_buffer_length(beginning.len()).unwrap_or_default();
    let mut text = String::with_capacity(room);
    let (_, _, malformed) = decoder.decode_to_string(beginning, &mut text, false);
    if malformed && text.chars().filter(|letter| *letter == '\u{fffd}').count() > 2 {
        return false;
    }
    let letters: Vec<char> = text.chars().collect();
    let (mut good, mut all, mut lone) = (0_usize, 0_usize, 0_usize);
    for (at, letter) in letters.iter().enumerate().filter(|(_, letter)| !letter.is_ascii()) {
        all += 1;
        let beside = |near: Option<&char>| near.is_some_and(|near| near.is_alphabetic());
        let in_word = letter.is_alphabetic()
            && (beside(at.checked_sub(1).and_then(|at| letters.get(at)))
                || beside(letters.get(at + 1))
                || !encoding.is_single_byte());
        good += usize::from(in_word || SYMBOLS.contains(*letter) || is_wide(*letter));
        lone += usize::from(!in_word && LONE_LETTERS.contains(*letter));
    }
    if encoding == WINDOWS_1252 && lone >= LONE_LETTERS_MIN {
        good += lone;
    }
    if all < FOREIGN_MIN && encoding != WINDOWS_1252 {
        return false;
    }
    !letters.iter().any(|letter| ('\u{80}'..='\u{9f}').contains(letter)) && good * 4 >= all * 3
}

/// Punctuation and forms of East Asian text.
fn is_wide(letter: char) -> bool {
    matches!(letter, '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{30ff}' | '\u{ff00}'..='\u{ffef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(beginning: &[u8]) -> &'static str {
        decide(beginning, None, None).encoding.name()
    }

    proptest::proptest! {
        #[test]
        fn ascii_is_what_a_closer_look_would_say(text in "[\x01-\x7f]{0,40}") {
            let seen = Seen::of(text.as_bytes());
            proptest::prop_assert_eq!((seen.valid, seen.invalid), (0, 0));
            if !text.contains("\x1b$") {
                let decided = decide(text.as_bytes(), None, None);
                proptest::prop_assert_eq!(decided.encoding, UTF_8);
                proptest::prop_assert_eq!(decided.by, By::Default);
            }
        }
    }

    #[test]
    fn a_byte_order_mark_wins_over_what_was_given() {
        for (mark, expected) in [
            (&b"\xef\xbb\xbfa"[..], "UTF-8"),
            (b"\xff\xfea\0", "UTF-16LE"),
            (b"\xfe\xff\0a", "UTF-16BE"),
        ] {
            let decided = decide(mark, Some(WINDOWS_1252), None);
            assert_eq!(decided.encoding.name(), expected);
            assert!(decided.explanation.unwrap().contains("byte-order mark"));
        }
    }

    #[test]
    fn plain_text_is_utf_8_and_nothing_is_said() {
        for text in ["", "id,name\n1,a\n", "naïve,名前\n", "a\u{1b}[0m"] {
            let decided = decide(text.as_bytes(), None, None);
            assert_eq!(decided.encoding, UTF_8, "{text}");
            assert_eq!(decided.explanation, None);
        }
        let cut = &"a,é".as_bytes()[..3];
        assert_eq!(name(cut), "UTF-8");
    }

    #[test]
    fn other_encodings_are_guessed_by_their_words() {
        let encoded =
            |encoding: &'static Encoding, text: &str| encoding.encode(text).0.into_owned();
        let japanese = "名前,住所\n山田太郎,東京都千代田区\n鈴木花子,大阪府大阪市\n";
        let chinese = "姓名,城市\n张伟,北京市朝阳区\n王芳,上海市浦东新区\n李娜,广州\n";
        let russian = "имя,город\nАлексей,Москва\nМария,Санкт-Петербург\n";
        for (bytes, expected) in [
            (encoded(WINDOWS_1252, "name,city\nJürgen,München\n"), "windows-1252"),
            (encoded(encoding_rs::SHIFT_JIS, japanese), "Shift_JIS"),
            (encoded(encoding_rs::EUC_JP, japanese), "EUC-JP"),
            (encoded(encoding_rs::GBK, chinese), "GBK"),
            (encoded(encoding_rs::WINDOWS_1251, russian), "windows-1251"),
        ] {
            assert_eq!(name(&bytes), expected);
        }
    }

    #[test]
    fn utf_16_is_known_by_its_zeros() {
        let little: Vec<u8> = "id,名前\n1,x\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "id,名前\n1,x\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!((name(&little), name(&big)), ("UTF-16LE", "UTF-16BE"));
        assert_eq!(name(b"a\0b,c\nd,e\n"), "UTF-8");
    }

    #[test]
    fn a_stray_control_character_leaves_utf_16_what_it_is() {
        let text = "id,名前\n1,x\n".repeat(20) + "2,y\u{5}\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(name(&little), "UTF-16LE");
        let integers: Vec<u8> = (1..500_u16).flat_map(u16::to_le_bytes).collect();
        assert_eq!(name(&integers), "UTF-8");
    }

    #[test]
    fn utf_16_of_mostly_other_than_ascii_is_known_by_its_line_ends() {
        let text = "名前,都市,n\n".to_owned() + &"田中太郎,東京都,1\n一二三,京都,2\n".repeat(50);
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!((name(&little), name(&big)), ("UTF-16LE", "UTF-16BE"));
    }

    #[test]
    fn a_few_western_letters_in_words_are_enough() {
        for text in [
            &b"name\ncaf\xe9\n"[..],
            b"caf\xe9",
            b"name,n\nZo\xeb,1\n",
            b"\xc5ngstr\xf6m\n",
            b"name\ncaf\xe9\nr\xe9sum\xe9\nna\xefve\nZo\xeb\nM\xfcller\n",
        ] {
            assert_eq!(name(text), "windows-1252", "{}", text.escape_ascii());
        }
        // Shift_JIS, GBK, half-width katakana, and a letter in no word.
        for text in [&b"a\n\x83A\n"[..], b"a\n\xc0\xee\n", b"a\n\xb1\n", b"a\n1\xe92\n"] {
            assert_ne!(name(text), "windows-1252", "{}", text.escape_ascii());
        }
    }

    #[test]
    fn several_western_letters_by_themselves_are_letters() {
        assert_eq!(name(b"a,b\n1,\xe9\n2,\xfc\n"), "windows-1252");
        assert_eq!(name(b"a,b\n1,\xe9\n2,x\n"), "UTF-8");
    }

    #[test]
    fn what_cannot_be_guessed_is_what_the_streams_other_files_are() {
        let usual = |bytes, usual| decide(bytes, None, Some(usual)).encoding.name();
        assert_eq!(usual(b"a,b\n1,\xe9\n", WINDOWS_1252), "windows-1252");
        assert_eq!(usual("a,é\n".as_bytes(), WINDOWS_1252), "UTF-8");
        assert_eq!(usual(b"a,b\n1,\xe9\n", UTF_16LE), "UTF-8");
    }

    #[test]
    fn json_is_unicode_unless_somebody_says_otherwise() {
        for (beginning, expected) in [
            (&b"[\"M\xfcnchen, J\xfcrgen, stra\xdfe\"]"[..], "UTF-8"),
            (b"[\x001\x00]\0", "UTF-16LE"),
            (b"\0[\x001\x00]", "UTF-16BE"),
            (b"\xff\xfe[\0]\0", "UTF-16LE"),
            (b"[\0]", "UTF-8"),
            (b"123\0", "UTF-8"),
        ] {
            assert_eq!(decide_json(beginning, None).encoding.name(), expected, "{beginning:?}");
        }
        let given = decide_json(b"[\0]\0", Some(WINDOWS_1252));
        assert_eq!(given.encoding.name(), "windows-1252");
    }

    #[test]
    fn bytes_that_make_no_words_leave_the_text_utf_8() {
        for bytes in [&b"id,name\n1,\xff\n"[..], b"a,b\n\x81\x8d,2\n", "é,ü,\u{df}\n".as_bytes()]
        {
            assert_eq!(name(bytes), "UTF-8", "{bytes:?}");
        }
        assert_eq!(name(b"caf\xc3\xa9,M\xfcnchen\n"), "UTF-8");
    }
}
