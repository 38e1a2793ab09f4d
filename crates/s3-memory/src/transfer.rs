//! The bytes of objects on their way in and out. Bodies out are slices of what
//! is stored, never copies. Invariant: a body of the wrong length or MD5 is
//! never stored.

use crate::conditions::resolve;
use crate::object::Object;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::StreamExt;
use md5::{Digest, Md5};
use s3s::dto::{GetObjectOutput, HeadObjectOutput, Range, StreamingBlob};
use s3s::{Body, S3Error, S3ErrorCode, S3Result, s3_error};

/// Memory reserved at once for a body of declared length.
const RESERVED_BYTES_MAX: usize = 64 << 20;

/// One version as a read found it.
pub(crate) struct Found {
    pub(crate) version_id: Option<String>,
    pub(crate) object: Object,
}

/// A request's body, whole; an error if it ends before its declared length.
pub(crate) async fn received(
    body: Option<StreamingBlob>,
    declared: Option<i64>,
) -> S3Result<Bytes> {
    let length = declared.and_then(|length| usize::try_from(length).ok());
    let mut bytes = Vec::with_capacity(length.unwrap_or(0).min(RESERVED_BYTES_MAX));
    if let Some(mut body) = body {
        while let Some(chunk) = body.next().await {
            let chunk =
                chunk.map_err(|error| S3Error::with_source(S3ErrorCode::IncompleteBody, error))?;
            bytes.extend_from_slice(&chunk);
        }
    }
    match length {
        Some(length) if length != bytes.len() => Err(s3_error!(IncompleteBody)),
        _ => Ok(Bytes::from(bytes)),
    }
}

pub(crate) fn check_md5(declared: Option<&str>, bytes: &[u8]) -> S3Result<()> {
    match declared {
        Some(declared) if STANDARD.encode(Md5::digest(bytes)) != declared => {
            Err(s3_error!(BadDigest, "Content-MD5 is not that of the body"))
        }
        _ => Ok(()),
    }
}

/// The bytes that a read wants, with their Content-Range where it asked for one.
pub(crate) fn slice(object: &Object, range: Option<&Range>) -> S3Result<(Bytes, Option<String>)> {
    let size = object.bytes.len();
    let Some(range) = range else { return Ok((object.bytes.clone(), None)) };
    let positions = resolve(range, size as u64)?;
    let content_range = format!("bytes {}-{}/{size}", positions.start, positions.end - 1);
    let position = |at: u64| usize::try_from(at).unwrap_or(size);
    let bytes = object.bytes.slice(position(positions.start)..position(positions.end));
    Ok((bytes, Some(content_range)))
}

pub(crate) fn get_output(
    found: Found,
    bytes: Bytes,
    content_range: Option<String>,
) -> GetObjectOutput {
    let Found { version_id, object } = found;
    GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: i64::try_from(bytes.len()).ok(),
        body: Some(StreamingBlob::from(Body::from(bytes))),
        content_range,
        e_tag: Some(object.e_tag()),
        last_modified: Some(object.timestamp()),
        version_id,
        cache_control: object.attributes.cache_control,
        content_disposition: object.attributes.content_disposition,
        content_encoding: object.attributes.content_encoding,
        content_language: object.attributes.content_language,
        content_type: object.attributes.content_type,
        metadata: object.attributes.metadata,
        ..Default::default()
    }
}

pub(crate) fn head_output(
    found: Found,
    length: usize,
    content_range: Option<String>,
) -> HeadObjectOutput {
    let Found { version_id, object } = found;
    HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: i64::try_from(length).ok(),
        content_range,
        e_tag: Some(object.e_tag()),
        last_modified: Some(object.timestamp()),
        version_id,
        cache_control: object.attributes.cache_control,
        content_disposition: object.attributes.content_disposition,
        content_encoding: object.attributes.content_encoding,
        content_language: object.attributes.content_language,
        content_type: object.attributes.content_type,
        metadata: object.attributes.metadata,
        ..Default::default()
    }
}
