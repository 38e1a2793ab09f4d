//! The endpoint as its users hold it: it starts, listens, can be filled and
//! asked in process, and stops when dropped. Requests are
//! [`crate::connection`]'s and [`crate::service`]'s. Invariant: it listens on
//! 127.0.0.1 only.

use crate::access::Keys;
use crate::connection;
use crate::depot::Depot;
use crate::hook::Hook;
use crate::journal::{Counts, Journal, LoggedRequest};
use crate::object::{Attributes, Object};
use crate::service::Service;
use crate::store::{Versioning, current};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::fmt;
use std::io;
use std::net::{self, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::{self, Handle, Runtime};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// How long to wait before accepting again after a failure.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The one pair of keys that an endpoint knows.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The public half.
    pub access_key_id: String,
    /// The secret half; never shown.
    pub secret_access_key: String,
}

impl Credentials {
    /// A pair of keys.
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        Self { access_key_id: access_key_id.into(), secret_access_key: secret_access_key.into() }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// How an endpoint is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// With a pair of keys, requests must be signed by it; without, unsigned
    /// requests are served and signed ones refused.
    pub credentials: Option<Credentials>,
    /// The region of every bucket.
    pub region: String,
    /// Keys and common prefixes on a listing's page, at most; S3 itself never
    /// lists more than 1,000.
    pub page_size_max: usize,
    /// The port to listen on; 0 takes a free one.
    pub port: u16,
    /// How many requests the log keeps; the latest stay.
    pub log_capacity: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            credentials: None,
            region: "us-east-1".to_owned(),
            page_size_max: 1000,
            port: 0,
            log_capacity: 10_000,
        }
    }
}

/// A running S3 endpoint in memory. Dropping it stops it and frees its objects.
///
/// The methods that fill and read it work on the store directly, without HTTP,
/// and are not counted as requests.
pub struct MemoryS3 {
    service: Arc<Service>,
    address: SocketAddr,
    listening: JoinHandle<()>,
    runtime: Option<Runtime>,
}

impl MemoryS3 {
    /// Starts an endpoint on the caller's tokio runtime.
    ///
    /// # Errors
    ///
    /// When the port cannot be bound.
    pub async fn start(options: Options) -> io::Result<Self> {
        Self::start_on(&Handle::current(), options)
    }

    /// Starts an endpoint on threads of its own, for callers without a runtime.
    ///
    /// # Errors
    ///
    /// When the port cannot be bound or the threads cannot be started.
    pub fn start_blocking(options: Options) -> io::Result<Self> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("memory-s3")
            .enable_all()
            .build()?;
        let mut started = Self::start_on(runtime.handle(), options)?;
        started.runtime = Some(runtime);
        Ok(started)
    }

    fn start_on(handle: &Handle, options: Options) -> io::Result<Self> {
        let listener = net::TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let _entered = handle.enter();
        let listener = TcpListener::from_std(listener)?;
        let service = Arc::new(service(options));
        let listening = handle.spawn(listen(listener, Arc::clone(&service)));
        Ok(Self { service, address, listening, runtime: None })
    }

    /// Where it listens, such as `http://127.0.0.1:40123`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes a bucket unless it is there. Over HTTP only buckets with names of
    /// 3 to 63 lower-case letters, digits, dots and hyphens can be reached.
    pub fn create_bucket(&self, bucket: &str) {
        self.service.depot.write().create_bucket(bucket);
    }

    /// From now on every write of the bucket's keys makes a new version, and
    /// deletions leave markers. Makes the bucket unless it is there.
    pub fn enable_versioning(&self, bucket: &str) {
        let mut store = self.service.depot.write();
        store.create_bucket(bucket);
        if let Ok(bucket) = store.bucket_mut(bucket) {
            bucket.versioning = Versioning::Enabled;
        }
    }

    /// Stores an object as of now; returns its ETag without quotes. Makes the
    /// bucket unless it is there.
    pub fn put(&self, bucket: &str, key: &str, bytes: impl Into<Bytes>) -> String {
        self.put_at(bucket, key, bytes, Utc::now())
    }

    /// Stores an object with a last-modified time, of which whole seconds stay;
    /// returns its ETag without quotes. Makes the bucket unless it is there.
    pub fn put_at(
        &self,
        bucket: &str,
        key: &str,
        bytes: impl Into<Bytes>,
        last_modified: DateTime<Utc>,
    ) -> String {
        let object = Object::new(bytes.into(), last_modified, Attributes::default());
        self.store(bucket, key, object)
    }

    /// Stores an object with a Content-Encoding header; returns its ETag
    /// without quotes. Makes the bucket unless it is there.
    pub fn put_encoded(
        &self,
        bucket: &str,
        key: &str,
        bytes: impl Into<Bytes>,
        content_encoding: &str,
    ) -> String {
        let content_encoding = Some(content_encoding.to_owned());
        let attributes = Attributes { content_encoding, ..Attributes::default() };
        self.store(bucket, key, Object::new(bytes.into(), Utc::now(), attributes))
    }

    fn store(&self, bucket: &str, key: &str, object: Object) -> String {
        let etag = object.etag.clone();
        let mut store = self.service.depot.write();
        store.create_bucket(bucket);
        // Only a missing bucket could refuse it.
        let _ = store.put(bucket, key, object);
        etag
    }

    /// Deletes an object, or hides it behind a delete marker where the bucket
    /// keeps versions. What is not there is left so.
    pub fn delete(&self, bucket: &str, key: &str) {
        let _ = self.service.depot.write().delete(bucket, key, None);
    }

    /// The bytes that a key shows now. Copies nothing.
    pub fn get(&self, bucket: &str, key: &str) -> Option<Bytes> {
        let store = self.service.depot.read();
        store.current(bucket, key).ok().flatten().map(|object| object.bytes.clone())
    }

    /// The keys that a bucket shows now, in byte order; none if there is no
    /// such bucket.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let store = self.service.depot.read();
        let Ok(bucket) = store.bucket(bucket) else { return Vec::new() };
        let shown = bucket.keys.iter().filter(|(_, versions)| current(versions).is_some());
        shown.map(|(key, _)| key.clone()).collect()
    }

    /// Changes [`Options::page_size_max`] for the pages to come.
    pub fn set_page_size_max(&self, entries: usize) {
        self.service.depot.set_page_size_max(entries);
    }

    /// Lets `hook` see every request from now on, in place of an earlier one.
    pub fn set_hook(&self, hook: impl Hook) {
        self.service.set_hook(Some(Arc::new(hook)));
    }

    /// Serves every request as it comes again.
    pub fn clear_hook(&self) {
        self.service.set_hook(None);
    }

    /// The latest requests, oldest first.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.service.journal.requests()
    }

    /// Forgets the logged requests; counts go on.
    pub fn clear_requests(&self) {
        self.service.journal.clear();
    }

    /// How many requests came in, by operation.
    pub fn counts(&self) -> Counts {
        self.watch().borrow().clone()
    }

    /// Follows the counts; also notified when a reply begins.
    pub fn watch(&self) -> watch::Receiver<Counts> {
        self.service.journal.watch()
    }
}

impl fmt::Debug for MemoryS3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryS3").field("endpoint", &self.endpoint()).finish_non_exhaustive()
    }
}

impl Drop for MemoryS3 {
    fn drop(&mut self) {
        self.listening.abort();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn service(options: Options) -> Service {
    let depot = Arc::new(Depot::new(options.region, options.page_size_max));
    Service::new(depot, Keys(options.credentials), Journal::new(options.log_capacity))
}

/// Accepts connections until it is aborted, which ends them too.
async fn listen(listener: TcpListener, service: Arc<Service>) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(connection::serve(stream, Arc::clone(&service)));
            }
            // Out of descriptors: give the connections time to end.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
        while connections.try_join_next().is_some() {}
    }
}
