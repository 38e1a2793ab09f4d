//! S3-compatible object storage: a thin protocol of our own.
//!
//! Four requests are all that loading needs: ListObjectsV2, GET, HEAD and
//! HeadBucket. They are written here, on AWS's own key derivation (`aws-sigv4`) and
//! HTTP client (`aws-smithy-http-client`), because keys must stay opaque. The
//! usual clients do not let them: `object_store` parses every listed key into
//! its `Path`, which refuses empty, `.` and `..` segments, so that one odd
//! key fails a whole listing; and both its signer and its transport pass URLs
//! through the WHATWG parser, which folds `..` away even percent-encoded.
//!
//! It never writes to a bucket, and never decodes content.
//!
//! Invariant: a key is encoded once on its way out and decoded once on its
//! way in.

mod client;
mod encode;
mod endpoint;
mod fault;
mod head;
mod headers;
mod listing;
mod plain_xml;
mod read;
mod sign;
mod xml;

use std::sync::Arc;

use async_trait::async_trait;
use decant_core::selection::Scan;
use decant_core::{Content, Error, ErrorKind, FileVersion, Result, Trigger};

use crate::backend::Backend;
use crate::credentials::Environment;
use crate::options::StorageOptions;
use crate::traffic::Traffic;
use client::Client;
use endpoint::Endpoint;

pub(crate) use client::connector;
pub use encode::decode_listed_key;
pub(crate) use fault::Fault;
#[cfg(test)]
pub(crate) use fault::StatusFault;

/// The region that is asked first when none is configured.
const REGION_DEFAULT: &str = "us-east-1";
const PAGE_KEYS_MAX: u16 = 1000;

/// One bucket of one endpoint.
pub(crate) struct Bucket {
    client: Arc<Client>,
    page_keys: u16,
}

impl Bucket {
    /// Looks up credentials, region and endpoint; asks the endpoint nothing.
    pub(crate) async fn open(bucket: &str, options: &StorageOptions) -> Result<Self> {
        let page_keys = options.list_page_size;
        if !(1..=PAGE_KEYS_MAX).contains(&page_keys) {
            return Err(Error::new(
                ErrorKind::InvalidConfig,
                format!("a page of a listing cannot have {page_keys} keys"),
            )
            .with_hint(format!("choose 1 to {PAGE_KEYS_MAX}")));
        }
        let environment = Box::pin(Environment::look_up(options)).await?;
        let endpoint = Endpoint::new(environment.endpoint.as_deref(), bucket, options)?;
        let region = environment.region.unwrap_or(REGION_DEFAULT.to_owned());
        let client = Client::new(bucket, endpoint, region, environment.signer, options)?;
        Ok(Self { client: Arc::new(client), page_keys })
    }
}

#[async_trait]
impl Backend for Bucket {
    fn scope(&self) -> (&str, &str) {
        (self.client.source(), self.client.bucket())
    }

    fn listing(&self, scans: Vec<Scan>) -> Box<dyn Trigger> {
        Box::new(listing::Listing::new(Arc::clone(&self.client), scans, self.page_keys))
    }

    async fn head(&self, key: &str) -> Result<Option<FileVersion>> {
        head::head(&self.client, key).await
    }

    async fn first(&self, prefix: &str) -> Result<Option<FileVersion>> {
        listing::first(&self.client, prefix).await
    }

    fn content(&self, file: &FileVersion) -> Box<dyn Content> {
        Box::new(read::S3Content::new(Arc::clone(&self.client), file))
    }

    fn traffic(&self) -> Traffic {
        self.client.counters.traffic()
    }
}

/// An ETag as the house keeps it: without quotes.
fn bare_etag(etag: &str) -> &str {
    etag.trim().trim_matches('"')
}
