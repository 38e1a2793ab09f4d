//! What the tests share: an endpoint with a bucket, and a storage of it.

use std::sync::Arc;
use std::time::Duration;

use decant_core::content::ByteStream;
use decant_core::secret::Secret;
use decant_core::selection::Scan;
use decant_core::{Error, FileVersion, Result, Store};
use decant_storage::{Credentials, Location, Storage, StorageOptions};
use decant_testkit::s3::{MemoryS3, Options};
use futures::TryStreamExt;

pub(crate) const BUCKET: &str = "bucket";
const KEY_ID: &str = "AKIDEXAMPLE";
const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// An endpoint that only answers what is signed.
pub(crate) async fn endpoint() -> MemoryS3 {
    let credentials = decant_testkit::s3::Credentials::new(KEY_ID, SECRET_KEY);
    let options = Options { credentials: Some(credentials), ..Options::default() };
    let s3 = MemoryS3::start(options).await.unwrap();
    s3.create_bucket(BUCKET);
    s3
}

/// Options that reach the endpoint, with retries that cost no time.
pub(crate) fn options(s3: &MemoryS3) -> StorageOptions {
    StorageOptions {
        endpoint: Some(s3.endpoint()),
        region: Some("us-east-1".into()),
        credentials: Credentials::Static {
            access_key_id: KEY_ID.into(),
            secret_access_key: Secret::new(SECRET_KEY),
            session_token: None,
        },
        retry_count: 3,
        retry_delay: Duration::from_millis(1),
        ..StorageOptions::default()
    }
}

pub(crate) async fn open(s3: &MemoryS3) -> Arc<Storage> {
    open_with(&options(s3)).await
}

pub(crate) async fn open_with(options: &StorageOptions) -> Arc<Storage> {
    let location = Location::parse(&format!("s3://{BUCKET}/")).unwrap();
    Storage::open(&location, options).await.unwrap()
}

/// Every file below a prefix.
pub(crate) async fn list(storage: &Storage, prefix: &str) -> Result<Vec<FileVersion>> {
    scan(storage, vec![Scan::Prefix(prefix.into())]).await
}

/// Every file of these scans.
pub(crate) async fn scan(storage: &Storage, scans: Vec<Scan>) -> Result<Vec<FileVersion>> {
    let mut listing = storage.listing(scans);
    let mut files = Vec::new();
    while let Some(page) = listing.next().await? {
        files.extend(page.into_iter().map(|arrival| arrival.file));
    }
    Ok(files)
}

pub(crate) fn keys(files: &[FileVersion]) -> Vec<&str> {
    files.iter().map(|file| file.key.as_str()).collect()
}

/// The whole of a file.
pub(crate) async fn read(storage: &Storage, file: &FileVersion) -> Result<Vec<u8>> {
    collect(storage.open(file).await?.stream(0).await?).await
}

pub(crate) async fn collect(stream: ByteStream) -> Result<Vec<u8>> {
    let chunks: Vec<bytes::Bytes> = stream.try_collect().await?;
    Ok(chunks.concat())
}

/// The one file of a key that is there.
pub(crate) async fn head(storage: &Storage, key: &str) -> FileVersion {
    storage.head(key).await.unwrap().unwrap()
}

/// So many bytes of which no part is like another.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

/// Everything that an error says.
pub(crate) fn told(error: &Error) -> String {
    format!("{} {:?} {}", error.chain(), error.context(), error.hint().unwrap_or_default())
}
