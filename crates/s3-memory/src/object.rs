//! One object version and what is stored with it. No names: keys belong to
//! [`crate::store`]. Invariant: an object never changes once it is made.

use bytes::Bytes;
use chrono::{DateTime, SubsecRound, Utc};
use md5::{Digest, Md5};
use s3s::dto::{ETag, Metadata, Timestamp};
use std::fmt::Write;
use std::time::SystemTime;

/// The bytes of one version and their facts. Cloning copies no bytes.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) bytes: Bytes,
    /// Without quotes.
    pub(crate) etag: String,
    /// Whole seconds, as S3 keeps it.
    pub(crate) last_modified: DateTime<Utc>,
    pub(crate) attributes: Attributes,
}

/// The headers that travel with an object unchanged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attributes {
    pub(crate) cache_control: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) metadata: Option<Metadata>,
}

impl Object {
    /// An object whose ETag is the MD5 of its bytes.
    pub(crate) fn new(bytes: Bytes, last_modified: DateTime<Utc>, attributes: Attributes) -> Self {
        let etag = hex(&Md5::digest(&bytes));
        Self { bytes, etag, last_modified: last_modified.trunc_subsecs(0), attributes }
    }

    pub(crate) fn e_tag(&self) -> ETag {
        ETag::Strong(self.etag.clone())
    }

    pub(crate) fn timestamp(&self) -> Timestamp {
        timestamp(self.last_modified)
    }

    /// The size in bytes, in the protocol's signed type.
    pub(crate) fn size(&self) -> i64 {
        i64::try_from(self.bytes.len()).unwrap_or(i64::MAX)
    }
}

pub(crate) fn timestamp(moment: DateTime<Utc>) -> Timestamp {
    Timestamp::from(SystemTime::from(moment))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The [`Attributes`] that a request's input brings; takes them out of it.
macro_rules! attributes {
    ($input:ident) => {
        $crate::object::Attributes {
            cache_control: $input.cache_control.take(),
            content_disposition: $input.content_disposition.take(),
            content_encoding: $input.content_encoding.take(),
            content_language: $input.content_language.take(),
            content_type: $input.content_type.take(),
            metadata: $input.metadata.take(),
        }
    };
}
pub(crate) use attributes;
