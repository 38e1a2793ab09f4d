//! What a file is: one immutable content under one key.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

/// The `source` of files on the local file system.
pub const LOCAL_SOURCE: &str = "file";

/// One immutable content: overwriting a key with other content makes another
/// file version.
///
/// The identity is (source, bucket, key, member, ETag, size). `version_id`
/// only pins reads and `last_modified` only orders and informs: neither is
/// part of the identity, because listings do not carry the first and clocks
/// are not to be trusted with the second.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FileVersion {
    /// `aws`, or the endpoint's host and port in lower case, or `file`.
    pub source: String,
    /// The bucket; empty for local files.
    pub bucket: String,
    /// The key, decoded exactly once and never normalised; for local files
    /// the canonical path. Ordered as bytes, as `str` is.
    pub key: String,
    /// The path inside an archive; empty for a plain file.
    pub member: String,
    /// The ETag without quotes; for local files the modification time in
    /// nanoseconds.
    pub etag: String,
    /// Bytes, as listed.
    pub size: u64,
    /// Pins reads where the bucket keeps versions and the version is known.
    pub version_id: Option<String>,
    /// As listed.
    pub last_modified: DateTime<Utc>,
}

impl FileVersion {
    /// Whether the file is on the local file system.
    pub fn is_local(&self) -> bool {
        self.source == LOCAL_SOURCE
    }

    /// The location as a person would type it: `s3://bucket/key`, or a path,
    /// with `!/member` for what is inside an archive.
    pub fn location(&self) -> String {
        let mut location = if self.is_local() {
            self.key.clone()
        } else {
            format!("s3://{}/{}", self.bucket, self.key)
        };
        if !self.member.is_empty() {
            location.push_str("!/");
            location.push_str(&self.member);
        }
        location
    }

    /// The last part of the key (or of the member), behind the last `/`.
    pub fn name(&self) -> &str {
        let path = if self.member.is_empty() { &self.key } else { &self.member };
        path.rsplit('/').next().unwrap_or(path)
    }

    fn identity(&self) -> (&str, &str, &str, &str, &str, u64) {
        (&self.source, &self.bucket, &self.key, &self.member, &self.etag, self.size)
    }
}

impl PartialEq for FileVersion {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for FileVersion {}

impl fmt::Display for FileVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.location())
    }
}

/// The ledger's key: a 63-bit hash of (table, file version), the same on
/// every machine and for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FileId(pub i64);

impl FileId {
    /// The id of `file` in `table`, the catalogue's own qualified name
    /// (`public.orders`).
    pub fn of(table: &str, file: &FileVersion) -> Self {
        let mut hasher = Xxh3::new();
        let size = file.size.to_string();
        let fields =
            [table, &file.source, &file.bucket, &file.key, &file.member, &file.etag, &size];
        for field in fields {
            hasher.update(&(field.len() as u64).to_le_bytes());
            hasher.update(field.as_bytes());
        }
        Self((hasher.digest() >> 1) as i64)
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(key: &str, etag: &str) -> FileVersion {
        FileVersion {
            source: "aws".into(),
            bucket: "b".into(),
            key: key.into(),
            member: String::new(),
            etag: etag.into(),
            size: 10,
            version_id: None,
            last_modified: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_id_never_changes_between_releases() {
        assert_eq!(FileId::of("public.t", &version("a/b.csv", "e1")), FileId(5554177309513302178));
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let one = FileId::of("t", &version("ab", "c"));
        let other = FileId::of("t", &version("a", "bc"));
        assert_ne!(one, other);
    }

    #[test]
    fn version_id_and_time_are_not_identity() {
        let mut later = version("a", "e");
        later.version_id = Some("v".into());
        later.last_modified = Utc::now();
        assert_eq!(later, version("a", "e"));
        assert_eq!(FileId::of("t", &later), FileId::of("t", &version("a", "e")));
    }
}
