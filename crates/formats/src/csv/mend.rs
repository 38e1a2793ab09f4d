//! Lenient reading: what a malformed row becomes.
//!
//! A row that can be repaired is written anew, as a row that obeys the rules,
//! and is read like any other from there on. Nothing is guessed across lines,
//! and a row for which there is no clear repair stays a bad row:
//!
//! - A row with too few fields is padded with NULLs; of one with too many,
//!   the surplus is cut off and kept.
//! - A quote inside a field is data. So are both quotes of `"5" x`.
//! - A quote that opens a field and is not closed on its line is closed at
//!   the line's end when the row then has the right number of fields; else it
//!   is data, when that gives the right number.
//! - Bytes without a meaning in the file's encoding become U+FFFD.

use decant_core::format::RepairKind;

use super::dialect::Dialect;
use super::field::Field;

/// A row written anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mended {
    /// The row, in the dialect, without a line end.
    pub(super) text: Vec<u8>,
    /// Ends of its fields in `text`.
    pub(super) ends: Vec<u32>,
    /// What was done, and the fields that were cut off by it.
    pub(super) repairs: Vec<(RepairKind, Vec<String>)>,
}

impl Mended {
    /// Adds a field as it is to be written.
    pub(super) fn push(&mut self, field: &[u8], dialect: &Dialect) {
        if !self.ends.is_empty() {
            self.text.extend_from_slice(&dialect.delimiter.to_bytes());
        }
        self.text.extend_from_slice(field);
        self.ends.push(self.text.len() as u32);
    }

    fn note(&mut self, kind: RepairKind, cut: Vec<String>) {
        self.repairs.push((kind, cut));
    }
}

/// The row whose fields are `fields`, made `columns` long. `None` when it is
/// that long and all of it is text.
pub(super) fn ragged(fields: &[&[u8]], columns: usize, dialect: &Dialect) -> Option<Mended> {
    let fields = fields.iter().map(|field| field.to_vec()).collect();
    let mended = fitted(fields, columns, dialect, Vec::new());
    (!mended.repairs.is_empty()).then_some(mended)
}

/// The row `line`, whose quotes break the rules. `None` when there is no
/// clear repair.
pub(super) fn quotes(line: &[u8], columns: usize, dialect: &Dialect) -> Option<Mended> {
    let quote = dialect.quote?;
    let closing = split(line, quote, Unclosed::ClosesAtEnd, dialect);
    if closing.fields.len() == columns || !closing.has_unclosed {
        return Some(fitted(closing.fields, columns, dialect, closing.kinds));
    }
    let data = split(line, quote, Unclosed::IsData, dialect);
    (data.fields.len() == columns).then(|| fitted(data.fields, columns, dialect, data.kinds))
}

/// The header `line`, whose quotes break the rules; all of them are data.
pub(super) fn header(line: &[u8], dialect: &Dialect) -> Mended {
    let quote = dialect.quote.unwrap_or(b'"');
    let fields = split(line, quote, Unclosed::IsData, dialect).fields;
    let columns = fields.len();
    fitted(fields, columns, dialect, Vec::new())
}

fn fitted(
    mut fields: Vec<Vec<u8>>,
    columns: usize,
    dialect: &Dialect,
    kinds: Vec<RepairKind>,
) -> Mended {
    let mut mended = Mended::default();
    kinds.into_iter().for_each(|kind| mended.note(kind, Vec::new()));
    let surplus = fields.split_off(columns.min(fields.len()));
    let missing = columns - fields.len();
    let mut is_replaced = false;
    for field in &fields {
        let text = String::from_utf8_lossy(field);
        is_replaced |= text.as_bytes() != field.as_slice();
        mended.push(text.as_bytes(), dialect);
    }
    (0..missing).for_each(|_| mended.push(null(dialect), dialect));
    if is_replaced {
        mended.note(RepairKind::Replaced, Vec::new());
    }
    if missing > 0 {
        mended.note(RepairKind::Padded, Vec::new());
    }
    if !surplus.is_empty() {
        let cut = surplus.iter().map(|field| value_of(field, dialect)).collect();
        mended.note(RepairKind::Cut, cut);
    }
    mended
}

/// How NULL is written.
fn null(dialect: &Dialect) -> &[u8] {
    match dialect.null_words.first() {
        Some(word) if !dialect.empty_is_null => word,
        _ => &[],
    }
}

fn value_of(field: &[u8], dialect: &Dialect) -> String {
    let mut scratch = Vec::new();
    let read = Field::read(field, 0..field.len(), dialect, true);
    let value = read.value(field, dialect, &mut scratch).unwrap_or_default();
    String::from_utf8_lossy(value).into_owned()
}

/// What a quote is that opens a field and is not closed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unclosed {
    ClosesAtEnd,
    IsData,
}

#[derive(Default)]
struct Split {
    /// Fields as they are to be written.
    fields: Vec<Vec<u8>>,
    kinds: Vec<RepairKind>,
    has_unclosed: bool,
}

impl Split {
    fn note(&mut self, kind: RepairKind) {
        if !self.kinds.contains(&kind) {
            self.kinds.push(kind);
        }
    }
}

fn split(line: &[u8], quote: u8, unclosed: Unclosed, dialect: &Dialect) -> Split {
    let mut split = Split::default();
    let mut start = 0;
    loop {
        let rest = &line[start..];
        let length = match rest.first() {
            Some(byte) if *byte == quote => quoted(rest, quote, unclosed, dialect, &mut split),
            _ => plain(rest, quote, dialect, &mut split),
        };
        let end = start + length;
        if end >= line.len() {
            return split;
        }
        start = end + dialect.delimiter.len();
    }
}

/// Takes a field that begins with a quote; answers its length.
fn quoted(
    rest: &[u8],
    quote: u8,
    unclosed: Unclosed,
    dialect: &Dialect,
    split: &mut Split,
) -> usize {
    let mut value = Vec::new();
    let mut has_stray = false;
    let mut at = 1;
    while let Some(byte) = rest.get(at).copied() {
        let follower = rest.get(at + 1).copied();
        let escapes = match dialect.escape {
            Some(escape) => byte == escape && (follower == Some(quote) || follower == Some(escape)),
            None => byte == quote && follower == Some(quote),
        };
        if escapes {
            value.extend(follower);
            at += 2;
            continue;
        }
        if byte == quote {
            let behind = &rest[at + 1..];
            if behind.is_empty() || dialect.delimiter.begins(behind) {
                if has_stray {
                    split.note(RepairKind::StrayQuote);
                }
                split.fields.push(written(&value, quote, dialect));
                return at + 1;
            }
            has_stray = true;
        }
        value.push(byte);
        at += 1;
    }
    split.has_unclosed = true;
    if unclosed == Unclosed::IsData || has_stray {
        return plain(rest, quote, dialect, split);
    }
    split.note(RepairKind::ClosedQuote);
    split.fields.push(written(&value, quote, dialect));
    rest.len()
}

/// Takes a field up to the next delimiter, quotes and all.
fn plain(rest: &[u8], quote: u8, dialect: &Dialect, split: &mut Split) -> usize {
    let is_end = |at: &usize| dialect.delimiter.begins(&rest[*at..]);
    let length = (0..rest.len()).find(is_end).unwrap_or(rest.len());
    let field = &rest[..length];
    if memchr::memchr(quote, field).is_some() {
        split.note(RepairKind::StrayQuote);
        split.fields.push(written(field, quote, dialect));
    } else {
        split.fields.push(field.to_vec());
    }
    length
}

/// A value in quotes.
pub(super) fn written(value: &[u8], quote: u8, dialect: &Dialect) -> Vec<u8> {
    let escape = dialect.escape.unwrap_or(quote);
    let mut field = Vec::with_capacity(value.len() + 2);
    field.push(quote);
    for byte in value {
        if *byte == quote || *byte == escape {
            field.push(escape);
        }
        field.push(*byte);
    }
    field.push(quote);
    field
}

#[cfg(test)]
mod tests {
    use decant_core::stream::FormatOptions;

    use super::*;

    fn dialect() -> Dialect {
        Dialect::new(b',', &FormatOptions::default()).unwrap()
    }

    fn values(mended: &Mended) -> Vec<String> {
        let mut start = 0;
        let mut values = Vec::new();
        for end in &mended.ends {
            values.push(value_of(&mended.text[start..*end as usize], &dialect()));
            start = *end as usize + 1;
        }
        values
    }

    #[test]
    fn each_fault_has_its_repair() {
        use RepairKind::*;
        for (line, columns, expected, kinds) in [
            ("5\" pipe,1", 2, &["5\" pipe", "1"][..], &[StrayQuote][..]),
            ("\"x\"y,2", 2, &["\"x\"y", "2"], &[StrayQuote]),
            ("\"5\" pipe\",1", 2, &["5\" pipe", "1"], &[StrayQuote]),
            ("1,\"two", 2, &["1", "two"], &[ClosedQuote]),
            ("1,\"two, three", 2, &["1", "two, three"], &[ClosedQuote]),
            ("1,\"two,3", 3, &["1", "\"two", "3"], &[StrayQuote]),
            ("5\",1,2", 2, &["5\"", "1"], &[StrayQuote, Cut]),
            ("5\"", 2, &["5\"", ""], &[StrayQuote, Padded]),
            ("\"a \"\"b\"\" c", 1, &["a \"b\" c"], &[ClosedQuote]),
        ] {
            let mended = quotes(line.as_bytes(), columns, &dialect()).expect(line);
            assert_eq!(values(&mended), expected, "{line}");
            let found: Vec<RepairKind> = mended.repairs.iter().map(|repair| repair.0).collect();
            assert_eq!(found, kinds, "{line}");
        }
        assert_eq!(quotes(b"1,\"two,3,4", 3, &dialect()), None);
    }

    #[test]
    fn short_rows_are_padded_and_long_ones_keep_what_is_cut() {
        let short = ragged(&[b"1"], 3, &dialect()).unwrap();
        assert_eq!(short.text, b"1,,");
        let long = ragged(&[b"1", b"2", b"\"a,b\"", b""], 2, &dialect()).unwrap();
        assert_eq!(long.text, b"1,2");
        assert_eq!(long.repairs, [(RepairKind::Cut, vec!["a,b".to_owned(), String::new()])]);
        let options =
            FormatOptions { null_values: Some(vec!["NA".into()]), ..FormatOptions::default() };
        let words = Dialect::new(b',', &options).unwrap();
        assert_eq!(ragged(&[b"1"], 2, &words).unwrap().text, b"1,NA");
        assert_eq!(ragged(&[b"1", b"2"], 2, &dialect()), None);
    }

    #[test]
    fn bytes_without_a_meaning_are_replaced() {
        let mended = ragged(&[b"M\xfcnchen", b"2"], 2, &dialect()).unwrap();
        assert_eq!(mended.text, "M\u{fffd}nchen,2".as_bytes());
        assert_eq!(mended.repairs, [(RepairKind::Replaced, Vec::new())]);
    }
}
