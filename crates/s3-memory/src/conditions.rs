//! Preconditions and ranges of reads and writes. Pure. The order of evaluation
//! is that of [RFC 9110, section 13.2.2](https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2).

use crate::object::Object;
use http::{HeaderMap, HeaderValue, header};
use s3s::dto::{ETagCondition, Range, Timestamp};
use s3s::{S3Error, S3Result, s3_error};
use std::ops;

/// The conditions of a GET or HEAD.
#[derive(Debug)]
pub(crate) struct ReadConditions {
    pub(crate) if_match: Option<ETagCondition>,
    pub(crate) if_none_match: Option<ETagCondition>,
    pub(crate) if_modified_since: Option<Timestamp>,
    pub(crate) if_unmodified_since: Option<Timestamp>,
}

impl ReadConditions {
    /// `PreconditionFailed` (412) or `NotModified` (304) where a condition stops
    /// the read.
    pub(crate) fn check(&self, object: &Object) -> S3Result<()> {
        let modified = object.timestamp();
        match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) if !matches(condition, object) => return Err(failed("If-Match")),
            (None, Some(moment)) if modified > *moment => {
                return Err(failed("If-Unmodified-Since"));
            }
            _ => {}
        }
        match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) if matches(condition, object) => Err(not_modified(object)),
            (None, Some(moment)) if modified <= *moment => Err(not_modified(object)),
            _ => Ok(()),
        }
    }
}

/// The conditions of a write, checked against what the key shows now.
pub(crate) fn check_write(
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
    current: Option<&Object>,
) -> S3Result<()> {
    match (if_match, current) {
        (Some(_), None) => return Err(s3_error!(NoSuchKey, "If-Match on a key that is not there")),
        (Some(condition), Some(object)) if !matches(condition, object) => {
            return Err(failed("If-Match"));
        }
        _ => {}
    }
    match (if_none_match, current) {
        (Some(condition), Some(object)) if matches(condition, object) => {
            Err(failed("If-None-Match"))
        }
        _ => Ok(()),
    }
}

/// The byte positions that `range` asks of an object of `size` bytes.
pub(crate) fn resolve(range: &Range, size: u64) -> S3Result<ops::Range<u64>> {
    match range.check(size) {
        Ok(positions) if !positions.is_empty() => Ok(positions),
        _ => Err(unsatisfiable(size)),
    }
}

fn matches(condition: &ETagCondition, object: &Object) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(tag) => tag.value() == object.etag,
    }
}

fn failed(condition: &str) -> S3Error {
    s3_error!(PreconditionFailed, "The precondition {condition} did not hold")
}

fn not_modified(object: &Object) -> S3Error {
    let mut error = s3_error!(NotModified);
    error.set_headers(one_header(header::ETAG, &format!("\"{}\"", object.etag)));
    error
}

fn unsatisfiable(size: u64) -> S3Error {
    let mut error = s3_error!(InvalidRange, "The object has {size} bytes");
    error.set_headers(one_header(header::CONTENT_RANGE, &format!("bytes */{size}")));
    error
}

fn one_header(name: header::HeaderName, value: &str) -> HeaderMap {
    HeaderValue::try_from(value).map(|value| (name, value)).into_iter().collect()
}

/// The [`ReadConditions`] of a read's input.
macro_rules! read_conditions {
    ($input:ident) => {
        $crate::conditions::ReadConditions {
            if_match: $input.if_match,
            if_none_match: $input.if_none_match,
            if_modified_since: $input.if_modified_since,
            if_unmodified_since: $input.if_unmodified_since,
        }
    };
}
pub(crate) use read_conditions;
