//! A page of a listing in the protocol's terms: how keys are spelled, where a
//! page begins, how much it may hold. Which keys it holds is
//! [`crate::listing`]'s. Invariant: spelling never changes order or number.

use crate::listing::{self, Page, url_encoded};
use s3s::dto::{CommonPrefix, EncodingType, Object, ObjectStorageClass};
use s3s::{S3Result, s3_error};

/// A page's entries where the request does not say.
const PAGE_SIZE: i32 = 1000;

/// How keys are written in the reply.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spelling {
    Plain,
    Url,
}

impl Spelling {
    pub(crate) fn new(encoding_type: Option<EncodingType>) -> S3Result<Self> {
        match encoding_type.as_ref().map(EncodingType::as_str) {
            None => Ok(Self::Plain),
            Some(EncodingType::URL) => Ok(Self::Url),
            Some(other) => Err(s3_error!(InvalidArgument, "No encoding-type `{other}`")),
        }
    }

    pub(crate) fn of(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Url => url_encoded(text),
        }
    }

    pub(crate) fn declared(self) -> Option<EncodingType> {
        matches!(self, Self::Url).then(|| EncodingType::from_static(EncodingType::URL))
    }
}

pub(crate) fn contents(page: &Page<'_>, spelling: Spelling) -> Vec<Object> {
    let listed = page.contents.iter().map(|(key, object)| Object {
        key: Some(spelling.of(key)),
        e_tag: Some(object.e_tag()),
        last_modified: Some(object.timestamp()),
        size: Some(object.size()),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        ..Default::default()
    });
    listed.collect()
}

pub(crate) fn common_prefixes(page: &Page<'_>, spelling: Spelling) -> Option<Vec<CommonPrefix>> {
    let listed =
        page.prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(spelling.of(prefix)) });
    Some(listed.collect::<Vec<_>>()).filter(|prefixes| !prefixes.is_empty())
}

/// The asked number of entries, at most S3's own limit.
pub(crate) fn page_size(max_keys: Option<i32>) -> S3Result<i32> {
    match max_keys {
        Some(negative) if negative < 0 => {
            Err(s3_error!(InvalidArgument, "max-keys is `{negative}`, below 0"))
        }
        max_keys => Ok(max_keys.unwrap_or(PAGE_SIZE).min(PAGE_SIZE)),
    }
}

/// Where a version 2 listing begins.
pub(crate) fn first_key(token: Option<&str>, start_after: Option<&str>) -> S3Result<String> {
    match (token, start_after) {
        (Some(token), _) => listing::from_token(token)
            .ok_or_else(|| s3_error!(InvalidArgument, "The continuation token is not ours")),
        (None, Some(key)) if !key.is_empty() => Ok(listing::after(key)),
        _ => Ok(String::new()),
    }
}

pub(crate) fn present(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
