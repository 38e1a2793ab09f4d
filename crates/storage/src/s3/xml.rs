//! The XML of S3's answers: pages of listings, and errors.
//!
//! Text is taken as it stands, without trimming: a key may begin or end with
//! a space. Entities are resolved, numeric ones included.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};

use super::{bare_etag, plain_xml};

/// A page of ListObjectsV2 as it was sent: keys may still be encoded.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Page<'a> {
    /// `Contents`, in the endpoint's order.
    pub(super) entries: Vec<Entry<'a>>,
    /// Whether the endpoint has more.
    pub(super) is_truncated: bool,
    /// Where it goes on.
    pub(super) next_token: Option<String>,
    /// `url`, where the keys are encoded.
    pub(super) encoding: Option<String>,
}

/// One object of a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entry<'a> {
    pub(super) key: Cow<'a, str>,
    /// Without quotes.
    pub(super) etag: Cow<'a, str>,
    pub(super) size: Option<u64>,
    pub(super) last_modified: Option<DateTime<Utc>>,
}

/// An error document.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ErrorDocument {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) region: Option<String>,
    pub(super) server_time: Option<String>,
}

/// What a listing was answered.
#[derive(Debug, PartialEq)]
pub(super) enum Answer<'a> {
    Page(Page<'a>),
    /// An error document, although the status may have said otherwise.
    Error(ErrorDocument),
}

/// Reads the answer to a listing. The error says what is wrong with it.
pub(super) fn parse_listing(body: &[u8]) -> Result<Answer<'_>, String> {
    match plain_xml::parse_page(body) {
        Some(page) => Ok(Answer::Page(page)),
        None => parse_xml_listing(body),
    }
}

/// The same, whatever XML it is.
pub(super) fn parse_xml_listing(body: &[u8]) -> Result<Answer<'static>, String> {
    let mut page = Page::default();
    let mut entry = Entry::default();
    let mut error = ErrorDocument::default();
    let root = each_element(body, |path, text| {
        match path {
            ["ListBucketResult", "Contents"] => page.entries.push(std::mem::take(&mut entry)),
            ["ListBucketResult", "Contents", field] => set_entry(&mut entry, field, text)?,
            ["ListBucketResult", field] => page.set(field, text.into()),
            ["Error", field] => set_error(&mut error, field, text),
            _ => {}
        }
        Ok(())
    })?;
    match root.as_str() {
        "ListBucketResult" => Ok(Answer::Page(page)),
        "Error" => Ok(Answer::Error(error)),
        other => Err(format!("its answer is a `{other}` instead of a listing")),
    }
}

/// Reads an error document; nothing where the body is none.
pub(super) fn parse_error(body: &[u8]) -> Option<ErrorDocument> {
    let mut error = ErrorDocument::default();
    let root = each_element(body, |path, text| {
        if let ["Error", field] = path {
            set_error(&mut error, field, text);
        }
        Ok(())
    });
    (root.ok()? == "Error").then_some(error)
}

fn set_entry(entry: &mut Entry<'_>, field: &str, text: String) -> Result<(), String> {
    match field {
        "Key" => entry.key = text.into(),
        "ETag" => entry.etag = bare_etag(&text).to_owned().into(),
        "Size" => {
            let size = text.trim().parse().map_err(|_| format!("`{text}` is not a size"))?;
            entry.size = Some(size);
        }
        "LastModified" => {
            let time = DateTime::parse_from_rfc3339(text.trim())
                .map_err(|_| format!("`{text}` is not a time"))?;
            entry.last_modified = Some(time.to_utc());
        }
        _ => {}
    }
    Ok(())
}

impl Page<'_> {
    /// Takes a field of the page itself.
    pub(super) fn set(&mut self, field: &str, text: Cow<'_, str>) {
        match field {
            "IsTruncated" => self.is_truncated = text.trim() == "true",
            "NextContinuationToken" => {
                self.next_token = Some(text.into_owned()).filter(|token| !token.is_empty());
            }
            "EncodingType" => self.encoding = Some(text.into_owned()),
            _ => {}
        }
    }
}

fn set_error(error: &mut ErrorDocument, field: &str, text: String) {
    match field {
        "Code" => error.code = text,
        "Message" => error.message = text,
        "Region" => error.region = Some(text).filter(|region| !region.is_empty()),
        "ServerTime" => error.server_time = Some(text),
        _ => {}
    }
}

/// Calls `visit` with path and text of every element as it ends, and answers
/// the root's name. Fails when the document ends before its root does.
fn each_element(
    body: &[u8],
    mut visit: impl FnMut(&[&str], String) -> Result<(), String>,
) -> Result<String, String> {
    let mut reader = Reader::from_reader(body);
    reader.config_mut().expand_empty_elements = true;
    let mut path: Vec<String> = Vec::new();
    let mut text = String::new();
    loop {
        match reader.read_event().map_err(|error| format!("its XML is broken: {error}"))? {
            Event::Start(start) => {
                path.push(String::from_utf8_lossy(start.local_name().as_ref()).into_owned());
                text.clear();
            }
            Event::Text(chunk) => text.push_str(&decoded(chunk.decode())?),
            Event::CData(chunk) => text.push_str(&decoded(chunk.decode())?),
            Event::GeneralRef(reference) => text.push_str(&resolved(&reference)?),
            Event::End(_) => {
                let names: Vec<&str> = path.iter().map(String::as_str).collect();
                visit(&names, std::mem::take(&mut text))?;
                match path.pop() {
                    Some(root) if path.is_empty() => return Ok(root),
                    _ => {}
                }
            }
            Event::Eof => return Err("its XML is cut short".to_owned()),
            _ => {}
        }
    }
}

fn decoded<T>(text: Result<T, impl std::fmt::Display>) -> Result<T, String> {
    text.map_err(|error| format!("its XML is not UTF-8: {error}"))
}

fn resolved(reference: &BytesRef<'_>) -> Result<String, String> {
    if let Ok(Some(letter)) = reference.resolve_char_ref() {
        return Ok(letter.to_string());
    }
    let name = decoded(reference.decode())?;
    resolve_predefined_entity(&name)
        .map(str::to_owned)
        .ok_or_else(|| format!("its XML has an unknown entity `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(xml: &str) -> Page<'_> {
        match parse_listing(xml.as_bytes()).unwrap() {
            Answer::Page(page) => page,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_page_is_read_with_everything_that_is_its_own() {
        let page = page(
            r#"<?xml version="1.0" encoding="UTF-8"?>
            <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
              <Name>b</Name><Prefix/><KeyCount>2</KeyCount><EncodingType>url</EncodingType>
              <IsTruncated>true</IsTruncated><NextContinuationToken>a/+=</NextContinuationToken>
              <Contents><Key>a+b</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>
                <ETag>&quot;0123&quot;</ETag><Size>5000000000</Size>
                <Owner><ID>x</ID><DisplayName>Key</DisplayName></Owner></Contents>
              <Contents><Key> c </Key><Size>0</Size></Contents>
            </ListBucketResult>"#,
        );
        assert!(page.is_truncated);
        assert_eq!(page.next_token.as_deref(), Some("a/+="));
        assert_eq!(page.encoding.as_deref(), Some("url"));
        let [first, second] = page.entries.as_slice() else { panic!("{page:?}") };
        assert_eq!((&*first.key, &*first.etag), ("a+b", "0123"));
        assert_eq!(first.size, Some(5_000_000_000));
        assert_eq!(first.last_modified.unwrap().timestamp(), 1_767_323_045);
        assert_eq!((&*second.key, second.size), (" c ", Some(0)));
    }

    #[test]
    fn entities_and_cdata_are_resolved() {
        let page = page(
            "<ListBucketResult><Contents><Key>a&amp;&lt;&#10;&#x1F600;<![CDATA[<&>]]>\r</Key>\
             </Contents></ListBucketResult>",
        );
        assert_eq!(page.entries[0].key, "a&<\n\u{1F600}<&>\r");
    }

    #[test]
    fn an_answer_that_is_cut_short_is_no_page() {
        for xml in [
            "",
            "<ListBucketResult>",
            "<ListBucketResult><Contents><Key>a</Key></Contents>",
            "<ListBucketResult><Contents></ListBucketResult>",
            "<html><body>hello</body></html>",
            "<ListBucketResult><Contents><Size>x</Size></Contents></ListBucketResult>",
        ] {
            assert!(parse_listing(xml.as_bytes()).is_err(), "{xml}");
        }
    }

    #[test]
    fn an_error_document_is_recognised_whatever_the_status() {
        let xml = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>no</Message>\
                   <Region>eu-west-1</Region></Error>";
        let expected = ErrorDocument {
            code: "AuthorizationHeaderMalformed".into(),
            message: "no".into(),
            region: Some("eu-west-1".into()),
            server_time: None,
        };
        assert_eq!(parse_listing(xml.as_bytes()), Ok(Answer::Error(expected.clone())));
        assert_eq!(parse_error(xml.as_bytes()), Some(expected));
        assert_eq!(parse_error(b"<html/>"), None);
        assert_eq!(parse_error(b"busy"), None);
    }
}
