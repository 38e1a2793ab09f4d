//! Listings as endpoints write them in fact, read in one pass without events.
//!
//! The second entrance of [`super::xml`]: it reads what it is sure of, and
//! answers `None` for everything else (namespaces, comments, CDATA, numeric
//! entities, errors), which the XML parser then reads from the beginning.
//! Invariant: where it answers, the XML parser would answer the same.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};

use super::xml::{Entry, Page};

const ROOT: &str = "ListBucketResult";
const ENTRY: &str = "Contents";
/// Elements in elements that are passed over at most.
const DEPTH_MAX: usize = 8;

/// The page that `body` is, where it is plain.
pub(super) fn parse_page(body: &[u8]) -> Option<Page<'_>> {
    let mut scanner = Scanner { rest: std::str::from_utf8(body).ok()? };
    scanner.open_root()?;
    let mut page = Page::default();
    loop {
        match scanner.tag()? {
            Tag::End(ROOT) => return Some(page),
            Tag::Start(ENTRY) => page.entries.push(scanner.entry()?),
            Tag::Start(name @ ("IsTruncated" | "NextContinuationToken" | "EncodingType")) => {
                page.set(name, scanner.text_of(name)?);
            }
            Tag::Start(name) => scanner.pass_over(name, DEPTH_MAX)?,
            Tag::Empty("EncodingType") | Tag::End(_) => return None,
            Tag::Empty(_) => {}
        }
    }
}

/// A tag without attributes.
enum Tag<'a> {
    Start(&'a str),
    End(&'a str),
    Empty(&'a str),
}

/// What is still to be read.
struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    /// Passes the declaration and the root's start, whose attributes do not
    /// matter.
    fn open_root(&mut self) -> Option<()> {
        if let Some(declared) = self.rest.strip_prefix("<?xml ") {
            self.rest = declared.split_once("?>")?.1;
        }
        self.pass_space();
        let root = self.rest.strip_prefix('<')?.strip_prefix(ROOT)?;
        let (attributes, rest) = root.split_once('>')?;
        let is_apart = attributes.is_empty() || attributes.starts_with([' ', '\n', '\t', '\r']);
        let is_whole = attributes.matches('"').count() % 2 == 0;
        let is_plain = !attributes.contains(['<', '\'', '&']) && !attributes.ends_with('/');
        self.rest = rest;
        (is_apart && is_whole && is_plain).then_some(())
    }

    fn pass_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\t', '\r']);
    }

    /// The next tag; `None` where something else is, text for example.
    fn tag(&mut self) -> Option<Tag<'a>> {
        self.pass_space();
        let inside = self.rest.strip_prefix('<')?;
        let end = inside.bytes().position(|byte| byte == b'>')?;
        let (name, rest) = (&inside[..end], &inside[end + 1..]);
        let tag = match (name.strip_prefix('/'), name.strip_suffix('/')) {
            (Some(name), None) => Tag::End(name),
            (None, Some(name)) => Tag::Empty(name),
            (None, None) => Tag::Start(name),
            (Some(_), Some(_)) => return None,
        };
        let (Tag::Start(name) | Tag::End(name) | Tag::Empty(name)) = &tag;
        self.rest = rest;
        is_name(name).then_some(tag)
    }

    /// The text up to the end of the element `name`, which has started.
    fn raw_text_of(&mut self, name: &str) -> Option<&'a str> {
        let end = self.rest.bytes().position(|byte| byte == b'<')?;
        let (text, tag) = self.rest.split_at(end);
        self.rest = tag.strip_prefix("</")?.strip_prefix(name)?.strip_prefix('>')?;
        Some(text)
    }

    fn text_of(&mut self, name: &str) -> Option<Cow<'a, str>> {
        self.raw_text_of(name).and_then(resolved)
    }

    /// Everything up to the end of the element `name`, which has started.
    fn pass_over(&mut self, name: &str, depth_left: usize) -> Option<()> {
        let mut depth_left = depth_left;
        loop {
            let end = self.rest.bytes().position(|byte| byte == b'<')?;
            resolved(&self.rest[..end])?;
            self.rest = &self.rest[end..];
            match self.tag()? {
                Tag::End(ended) if ended == name => return Some(()),
                Tag::Start(inner) => {
                    depth_left = depth_left.checked_sub(1)?;
                    self.pass_over(inner, depth_left)?;
                    depth_left += 1;
                }
                Tag::Empty(_) => {}
                Tag::End(_) => return None,
            }
        }
    }

    /// One object, whose element has started.
    fn entry(&mut self) -> Option<Entry<'a>> {
        let mut entry = Entry::default();
        loop {
            match self.tag()? {
                Tag::End(ENTRY) => return Some(entry),
                Tag::Start(name @ "Key") => entry.key = self.text_of(name)?,
                Tag::Start(name @ "ETag") => entry.etag = bare_etag(self.raw_text_of(name)?)?,
                Tag::Start(name @ "Size") => {
                    entry.size = Some(self.raw_text_of(name)?.parse().ok()?);
                }
                Tag::Start(name @ "LastModified") => {
                    entry.last_modified = Some(moment(self.raw_text_of(name)?)?);
                }
                Tag::Start(name) => self.pass_over(name, DEPTH_MAX)?,
                Tag::Empty("Size" | "LastModified" | "Key" | "ETag") | Tag::End(_) => return None,
                Tag::Empty(_) => {}
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Text with its entities resolved, where they are of the five that XML has.
fn resolved(text: &str) -> Option<Cow<'_, str>> {
    let Some((before, mut rest)) = text.split_once('&') else { return Some(text.into()) };
    let mut resolved = before.to_owned();
    loop {
        let (entity, behind) = rest.split_once(';')?;
        resolved.push(match entity {
            "quot" => '"',
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "apos" => '\'',
            _ => return None,
        });
        match behind.split_once('&') {
            Some((plain, next)) => {
                resolved.push_str(plain);
                rest = next;
            }
            None => {
                resolved.push_str(behind);
                return Some(resolved.into());
            }
        }
    }
}

/// An ETag between its quotes.
fn bare_etag(text: &str) -> Option<Cow<'_, str>> {
    let quoted = text.strip_prefix("&quot;").and_then(|text| text.strip_suffix("&quot;"));
    match quoted {
        Some(bare) if !bare.contains(['&', '"']) => Some(bare.into()),
        _ => resolved(text).map(|text| super::bare_etag(&text).to_owned().into()),
    }
}

/// `2026-01-02T03:04:05Z`, with milliseconds or without.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    let bytes = text.as_bytes();
    let milliseconds = match bytes {
        [.., b'Z'] if bytes.len() == 20 => 0,
        [.., b'Z'] if bytes.len() == 24 && bytes[19] == b'.' => number(bytes.get(20..23)?)?,
        _ => return None,
    };
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if marks.iter().any(|(at, mark)| bytes[*at] != *mark) {
        return None;
    }
    let part = |from, to| number(bytes.get(from..to)?);
    let year = i32::try_from(part(0, 4)?).ok()?;
    let day = NaiveDate::from_ymd_opt(year, part(5, 7)?, part(8, 10)?)?;
    let time = day.and_hms_milli_opt(part(11, 13)?, part(14, 16)?, part(17, 19)?, milliseconds)?;
    Some(time.and_utc())
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number: u32, digit| {
        digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::xml::{Answer, parse_xml_listing};
    use super::*;

    const PLAIN: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
        <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix/>
        <KeyCount>2</KeyCount><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
        <NextContinuationToken>a/+=&amp;</NextContinuationToken>
        <Contents><Key>a+b</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified>
        <ETag>&quot;0123-4&quot;</ETag><Size>5000000000</Size><StorageClass>STANDARD</StorageClass>
        <Owner><ID>x</ID><DisplayName>Key</DisplayName></Owner></Contents>
        <Contents><Key> c&lt;&apos;&gt; </Key><LastModified>2026-01-02T03:04:05Z</LastModified>
        <ETag>"9"</ETag><Size>0</Size><ChecksumAlgorithm>CRC32</ChecksumAlgorithm></Contents>
        </ListBucketResult>"#;

    /// Where the plain reader answers, so does the parser.
    fn agrees(body: &[u8]) -> bool {
        match parse_page(body) {
            None => false,
            Some(page) => {
                assert_eq!(parse_xml_listing(body), Ok(Answer::Page(page)));
                true
            }
        }
    }

    #[test]
    fn a_plain_page_is_read_as_the_parser_reads_it() {
        assert!(agrees(PLAIN.as_bytes()));
        assert!(agrees(b"<ListBucketResult></ListBucketResult>"));
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_parser() {
        for (plain, other) in [
            ("<Key>a+b</Key>", "<Key>a&#10;b</Key>"),
            ("<Key>a+b</Key>", "<Key><![CDATA[a]]></Key>"),
            ("<Key>a+b</Key>", "<Key>a<!-- b --></Key>"),
            ("<Key>a+b</Key>", "<s3:Key>a</s3:Key>"),
            ("<Key>a+b</Key>", "<Key/>"),
            ("<Size>0</Size>", "<Size> 0 </Size>"),
            ("<Size>0</Size>", "<Size>zero</Size>"),
            ("03:04:05Z", "03:04:05+01:00"),
            ("03:04:05Z", "03:04:60Z"),
            ("<Owner>", "<Owner type=\"user\">"),
            ("<Name>b</Name>", "<Name>&b;</Name>"),
            ("<Prefix/>", "<!-- <Contents> -->"),
            ("</ListBucketResult>", ""),
        ] {
            assert!(PLAIN.contains(plain));
            let body = PLAIN.replace(plain, other);
            assert!(parse_page(body.as_bytes()).is_none(), "{other}");
        }
        assert!(parse_page(b"<Error><Code>SlowDown</Code></Error>").is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn pages_with_changed_bytes_are_read_as_the_parser_reads_them(
            at in 0..PLAIN.len(),
            cut in 0..12usize,
            put in "[<>/&;\"'\\[\\]!?= a-zA-Z0-9.:+-]{0,6}|</Key>|<Key>|&amp;|<a>|</a>|<b/>|é",
        ) {
            let mut body = PLAIN.as_bytes().to_vec();
            let end = (at + cut).min(body.len());
            body.splice(at..end, put.bytes());
            agrees(&body);
        }

        #[test]
        fn keys_of_any_text_are_read_as_the_parser_reads_them(key in "\\PC{0,20}") {
            let escaped = key.replace('&', "&amp;").replace('<', "&lt;");
            let body = PLAIN.replace("a+b", &escaped);
            prop_assert!(agrees(body.as_bytes()));
        }
    }
}
