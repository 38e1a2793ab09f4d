//! One page of a listing. Pure: keys in, page out. Invariant: pages that follow
//! each other by [`Page::next`] list every key once, in byte order, and no
//! common prefix twice.

use crate::object::Object;
use crate::store::{Keys, Version, current};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::ops::Bound;

/// What a page is asked for.
#[derive(Debug)]
pub(crate) struct PageRequest<'a> {
    pub(crate) prefix: &'a str,
    /// Empty for none.
    pub(crate) delimiter: &'a str,
    /// The least key that may be listed.
    pub(crate) from: String,
    /// Keys and common prefixes together.
    pub(crate) limit: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Page<'a> {
    pub(crate) contents: Vec<(&'a str, &'a Object)>,
    pub(crate) prefixes: Vec<&'a str>,
    /// Where the next page begins, if there is more.
    pub(crate) next: Option<String>,
}

impl<'a> Page<'a> {
    fn len(&self) -> usize {
        self.contents.len() + self.prefixes.len()
    }

    /// The greatest key or common prefix on the page.
    pub(crate) fn last(&self) -> Option<&'a str> {
        let key = self.contents.last().map(|(key, _)| *key);
        key.max(self.prefixes.last().copied())
    }
}

/// The page that `request` asks of `keys`.
pub(crate) fn page<'a>(keys: &'a Keys, request: &PageRequest<'_>) -> Page<'a> {
    let mut page = Page::default();
    let mut from = Some(request.from.clone().max(request.prefix.to_owned()));
    while let Some(start) = from.take().filter(|_| request.limit > 0) {
        from = fill(&mut page, keys, &start, request);
    }
    page
}

/// Adds keys up to the page's end or the first common prefix; returns where to
/// go on after that prefix.
fn fill<'a>(
    page: &mut Page<'a>,
    keys: &'a Keys,
    start: &str,
    request: &PageRequest<'_>,
) -> Option<String> {
    for (key, object) in visible(keys, start, request.prefix) {
        if page.len() == request.limit {
            page.next = Some(key.to_owned());
            return None;
        }
        match common_prefix(key, request) {
            Some(prefix) => {
                page.prefixes.push(prefix);
                return beyond(prefix);
            }
            None => page.contents.push((key, object)),
        }
    }
    None
}

fn visible<'a>(
    keys: &'a Keys,
    start: &str,
    prefix: &str,
) -> impl Iterator<Item = (&'a str, &'a Object)> {
    let shown = |(key, versions): (&'a String, &'a Vec<Version>)| {
        current(versions).map(|object| (key.as_str(), object))
    };
    keys.range::<str, _>((Bound::Included(start), Bound::Unbounded))
        .take_while(move |(key, _)| key.starts_with(prefix))
        .filter_map(shown)
}

/// The part of `key` up to the first delimiter after the prefix.
fn common_prefix<'a>(key: &'a str, request: &PageRequest<'_>) -> Option<&'a str> {
    let rest = key.get(request.prefix.len()..)?;
    let at = rest.find(request.delimiter).filter(|_| !request.delimiter.is_empty())?;
    key.get(..request.prefix.len() + at + request.delimiter.len())
}

/// The least string after every string that begins with `prefix`; none where
/// nothing can follow.
fn beyond(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            text.push(next);
            return Some(text);
        }
    }
    None
}

/// The least string after `key`.
pub(crate) fn after(key: &str) -> String {
    format!("{key}\0")
}

/// Where a version 1 listing goes on after `marker`, which may be a common
/// prefix of the page before.
pub(crate) fn after_marker(marker: &str, prefix: &str, delimiter: &str) -> String {
    let request = PageRequest { prefix, delimiter, from: String::new(), limit: 0 };
    if marker.starts_with(prefix) && common_prefix(marker, &request) == Some(marker) {
        return beyond(marker).unwrap_or_else(|| after(marker));
    }
    after(marker)
}

/// What S3 leaves unescaped under `encoding-type=url`, besides the space.
const LISTED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/');

/// A key as `encoding-type=url` lists it: percent-encoded, a space as `+`.
pub(crate) fn url_encoded(text: &str) -> String {
    utf8_percent_encode(text, LISTED).to_string().replace("%20", "+")
}

/// A page's start as an opaque continuation token.
pub(crate) fn token(from: &str) -> String {
    utf8_percent_encode(from, NON_ALPHANUMERIC).to_string()
}

/// The start that a continuation token holds, unless it is none of ours.
pub(crate) fn from_token(token: &str) -> Option<String> {
    percent_decode_str(token).decode_utf8().ok().map(|from| from.into_owned())
}
