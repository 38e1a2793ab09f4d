//! Buckets, keys and their versions. No HTTP and no locks: whoever holds the
//! store changes it in one step. Invariant: a key's versions are ordered oldest
//! first, and a key without versions is not in its bucket.

use crate::object::Object;
use crate::uploads::Uploads;
use chrono::{DateTime, Utc};
use s3s::{S3Result, s3_error};
use std::collections::BTreeMap;

/// Versions by key, in byte order of the keys.
pub(crate) type Keys = BTreeMap<String, Vec<Version>>;

/// The version id of what was written while versioning was off.
const NULL_VERSION: &str = "null";

#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) buckets: BTreeMap<String, Bucket>,
    pub(crate) uploads: Uploads,
    versions_made: u64,
}

#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) created: DateTime<Utc>,
    pub(crate) versioning: Versioning,
    pub(crate) keys: Keys,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Versioning {
    #[default]
    Never,
    Enabled,
    Suspended,
}

/// One state of a key: an object, or the marker that it was deleted.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    /// `None` for what was written while versioning was off.
    pub(crate) id: Option<String>,
    /// `None` for a delete marker.
    pub(crate) object: Option<Object>,
}

/// What a deletion did.
#[derive(Debug, Default)]
pub(crate) struct Deletion {
    pub(crate) version_id: Option<String>,
    pub(crate) delete_marker: bool,
}

impl Version {
    fn is_named(&self, id: &str) -> bool {
        self.id.as_deref().unwrap_or(NULL_VERSION) == id
    }
}

/// The object that a key shows, unless its latest version is a delete marker.
pub(crate) fn current(versions: &[Version]) -> Option<&Object> {
    versions.last()?.object.as_ref()
}

impl Store {
    /// Makes the bucket unless it is there; tells whether it made it.
    pub(crate) fn create_bucket(&mut self, name: &str) -> bool {
        if self.buckets.contains_key(name) {
            return false;
        }
        let bucket =
            Bucket { created: Utc::now(), versioning: Versioning::Never, keys: Keys::new() };
        self.buckets.insert(name.to_owned(), bucket);
        true
    }

    pub(crate) fn delete_bucket(&mut self, name: &str) -> S3Result<()> {
        if !self.bucket(name)?.keys.is_empty() {
            return Err(s3_error!(BucketNotEmpty, "The bucket `{name}` still has objects"));
        }
        self.buckets.remove(name);
        Ok(())
    }

    pub(crate) fn bucket(&self, name: &str) -> S3Result<&Bucket> {
        self.buckets.get(name).ok_or_else(|| s3_error!(NoSuchBucket, "No bucket `{name}`"))
    }

    pub(crate) fn bucket_mut(&mut self, name: &str) -> S3Result<&mut Bucket> {
        self.buckets.get_mut(name).ok_or_else(|| s3_error!(NoSuchBucket, "No bucket `{name}`"))
    }

    /// The named version of a key, or its latest one.
    pub(crate) fn version(
        &self,
        bucket: &str,
        key: &str,
        id: Option<&str>,
    ) -> S3Result<Option<&Version>> {
        let versions = self.bucket(bucket)?.keys.get(key).map_or(&[][..], Vec::as_slice);
        match id {
            None => Ok(versions.last()),
            Some(id) => match versions.iter().find(|version| version.is_named(id)) {
                Some(version) => Ok(Some(version)),
                None => Err(s3_error!(NoSuchVersion, "No version `{id}` of `{key}`")),
            },
        }
    }

    pub(crate) fn current(&self, bucket: &str, key: &str) -> S3Result<Option<&Object>> {
        Ok(self.version(bucket, key, None)?.and_then(|version| version.object.as_ref()))
    }

    /// Makes `object` the key's latest version; returns its version id if the
    /// bucket keeps versions.
    pub(crate) fn put(
        &mut self,
        bucket: &str,
        key: &str,
        object: Object,
    ) -> S3Result<Option<String>> {
        self.push(bucket, key, Some(object))
    }

    /// Deletes one version, or hides the key behind a delete marker where the
    /// bucket keeps versions. A key that is not there is no error.
    pub(crate) fn delete(
        &mut self,
        bucket: &str,
        key: &str,
        id: Option<&str>,
    ) -> S3Result<Deletion> {
        match (id, self.bucket(bucket)?.versioning) {
            (Some(id), _) => self.remove_version(bucket, key, id),
            (None, Versioning::Never) => {
                self.bucket_mut(bucket)?.keys.remove(key);
                Ok(Deletion::default())
            }
            (None, Versioning::Enabled | Versioning::Suspended) => {
                let version_id = self.push(bucket, key, None)?;
                Ok(Deletion { version_id, delete_marker: true })
            }
        }
    }

    fn remove_version(&mut self, bucket: &str, key: &str, id: &str) -> S3Result<Deletion> {
        let keys = &mut self.bucket_mut(bucket)?.keys;
        let mut deletion = Deletion { version_id: Some(id.to_owned()), delete_marker: false };
        let Some(versions) = keys.get_mut(key) else { return Ok(deletion) };
        if let Some(at) = versions.iter().position(|version| version.is_named(id)) {
            deletion.delete_marker = versions.remove(at).object.is_none();
        }
        if versions.is_empty() {
            keys.remove(key);
        }
        Ok(deletion)
    }

    fn push(
        &mut self,
        bucket: &str,
        key: &str,
        object: Option<Object>,
    ) -> S3Result<Option<String>> {
        let id = match self.bucket(bucket)?.versioning {
            Versioning::Enabled => Some(self.next_version_id()),
            Versioning::Never | Versioning::Suspended => None,
        };
        let versions = self.bucket_mut(bucket)?.keys.entry(key.to_owned()).or_default();
        if id.is_none() {
            versions.retain(|version| version.id.is_some());
        }
        versions.push(Version { id: id.clone(), object });
        Ok(id)
    }

    fn next_version_id(&mut self) -> String {
        self.versions_made += 1;
        format!("v{:031}", self.versions_made)
    }
}
