//! Multipart uploads on their way. They are no objects until they complete.
//! Invariant: a completed or aborted upload is forgotten.

use crate::object::{Attributes, Object, hex};
use bytes::Bytes;
use chrono::{DateTime, SubsecRound, Utc};
use md5::{Digest, Md5};
use s3s::dto::CompletedPart;
use s3s::{S3Result, s3_error};
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Default)]
pub(crate) struct Uploads {
    open: HashMap<String, Upload>,
    begun: u64,
}

#[derive(Debug)]
struct Upload {
    bucket: String,
    key: String,
    initiated: DateTime<Utc>,
    attributes: Attributes,
    parts: BTreeMap<i32, Part>,
}

#[derive(Debug)]
struct Part {
    bytes: Bytes,
    md5: [u8; 16],
}

impl Uploads {
    /// Returns the new upload's id.
    pub(crate) fn begin(&mut self, bucket: String, key: String, attributes: Attributes) -> String {
        self.begun += 1;
        let id = format!("upload-{:025}", self.begun);
        let upload =
            Upload { bucket, key, initiated: Utc::now(), attributes, parts: BTreeMap::new() };
        self.open.insert(id.clone(), upload);
        id
    }

    /// Keeps a part, in place of an earlier one of its number; returns its ETag.
    pub(crate) fn put_part(
        &mut self,
        id: &str,
        place: (&str, &str),
        number: i32,
        bytes: Bytes,
    ) -> S3Result<String> {
        let upload = self.find(id, place)?;
        let md5: [u8; 16] = Md5::digest(&bytes).into();
        upload.parts.insert(number, Part { bytes, md5 });
        Ok(hex(&md5))
    }

    /// Joins the listed parts to one object and forgets the upload.
    pub(crate) fn complete(
        &mut self,
        id: &str,
        place: (&str, &str),
        listed: &[CompletedPart],
    ) -> S3Result<Object> {
        let object = self.find(id, place)?.join(listed)?;
        self.open.remove(id);
        Ok(object)
    }

    pub(crate) fn abort(&mut self, id: &str, place: (&str, &str)) -> S3Result<()> {
        self.find(id, place)?;
        self.open.remove(id);
        Ok(())
    }

    fn find(&mut self, id: &str, (bucket, key): (&str, &str)) -> S3Result<&mut Upload> {
        self.open
            .get_mut(id)
            .filter(|upload| upload.bucket == bucket && upload.key == key)
            .ok_or_else(|| s3_error!(NoSuchUpload, "No upload `{id}` of `{key}`"))
    }
}

impl Upload {
    fn join(&self, listed: &[CompletedPart]) -> S3Result<Object> {
        let numbers: Vec<i32> = listed.iter().map(|part| part.part_number.unwrap_or(0)).collect();
        if numbers.is_empty() {
            return Err(s3_error!(MalformedXML, "An upload completes with at least one part"));
        }
        if numbers.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(s3_error!(InvalidPartOrder, "Part numbers must ascend"));
        }
        let parts = listed.iter().map(|part| self.part(part)).collect::<S3Result<Vec<_>>>()?;
        Ok(Object {
            etag: joined_etag(&parts),
            bytes: joined_bytes(&parts),
            last_modified: self.initiated.trunc_subsecs(0),
            attributes: self.attributes.clone(),
        })
    }

    fn part(&self, listed: &CompletedPart) -> S3Result<&Part> {
        let number = listed.part_number.unwrap_or(0);
        self.parts
            .get(&number)
            .filter(|part| listed.e_tag.as_ref().is_none_or(|tag| tag.value() == hex(&part.md5)))
            .ok_or_else(|| s3_error!(InvalidPart, "Part {number} is missing or has another ETag"))
    }
}

/// The MD5 of the parts' MD5s, then a dash and their number.
fn joined_etag(parts: &[&Part]) -> String {
    let mut digest = Md5::new();
    parts.iter().for_each(|part| digest.update(part.md5));
    format!("{}-{}", hex(&digest.finalize()), parts.len())
}

fn joined_bytes(parts: &[&Part]) -> Bytes {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.bytes.len()).sum());
    parts.iter().for_each(|part| bytes.extend_from_slice(&part.bytes));
    Bytes::from(bytes)
}
