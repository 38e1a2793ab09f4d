//! The suite of every trigger that lists, for buckets and for folders.

use async_trait::async_trait;
use bytes::Bytes;
use decant_core::Trigger;
use decant_core::selection::Scan;
use decant_storage::{Location, Storage, StorageOptions};
use decant_testkit::conformance::trigger::Fixture;
use decant_testkit::s3::MemoryS3;

use crate::place::{BUCKET, endpoint, open};

struct Bucket(MemoryS3);

#[async_trait]
impl Fixture for Bucket {
    async fn put(&self, key: &str, body: Bytes) {
        self.0.put(BUCKET, &self.key(key), body);
    }

    fn key(&self, key: &str) -> String {
        format!("place/{key}")
    }

    async fn trigger(&self) -> Box<dyn Trigger> {
        open(&self.0).await.listing(vec![Scan::Prefix("place/".into())])
    }
}

struct Folder(tempfile::TempDir, Location);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::parse(&format!("{}/", folder.path().display())).unwrap();
        Self(folder, location)
    }
}

#[async_trait]
impl Fixture for Folder {
    async fn put(&self, key: &str, body: Bytes) {
        let path = self.0.path().join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, body).unwrap();
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.1.key())
    }

    async fn trigger(&self) -> Box<dyn Trigger> {
        let storage = Storage::open(&self.1, &StorageOptions::default()).await.unwrap();
        storage.listing(vec![Scan::Prefix(self.1.key().into())])
    }

    fn can_hold(&self, key: &str) -> bool {
        key.split('/').all(|part| !matches!(part, "" | "." | ".."))
    }
}

mod bucket {
    use super::*;

    decant_testkit::trigger_conformance!(Bucket(endpoint().await));
}

mod folder {
    use super::*;

    decant_testkit::trigger_conformance!(Folder::new());
}
