//! Waiting for requests and asserting on them. Every wait is on a state of the
//! endpoint's log and fails the test when it does not come about in time.

use decant_s3_memory::{LoggedRequest, MemoryS3, Operation};
use std::future::Future;
use std::time::Duration;
use tokio::time::timeout;

/// How long a state may take to come about, on a slow and busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ready once `count` requests of `operation` have arrived since the start,
/// answered or not.
pub async fn wait_for_requests(s3: &MemoryS3, operation: Operation, count: u64) {
    let mut counts = s3.watch();
    let arrived = counts.wait_for(|counts| counts.of(operation) >= count);
    if timeout(PATIENCE, arrived).await.is_err() {
        let found = s3.counts().of(operation);
        panic!("waited {PATIENCE:?} for {count} {operation:?} requests; there were {found}");
    }
}

/// [`wait_for_requests`] for tests without a runtime.
pub fn wait_for_requests_blocking(s3: &MemoryS3, operation: Operation, count: u64) {
    block_on(wait_for_requests(s3, operation, count));
}

/// Ready once the logged requests satisfy `reached`; asked again at every
/// arrival and at the head of every reply.
pub async fn wait_until(s3: &MemoryS3, reached: impl Fn(&[LoggedRequest]) -> bool) {
    let mut counts = s3.watch();
    let reaching = async {
        while !reached(&s3.requests()) {
            counts.changed().await.expect("the endpoint is running");
        }
    };
    if timeout(PATIENCE, reaching).await.is_err() {
        panic!("waited {PATIENCE:?} in vain; the requests were {:#?}", s3.requests());
    }
}

/// [`wait_until`] for tests without a runtime.
pub fn wait_until_blocking(s3: &MemoryS3, reached: impl Fn(&[LoggedRequest]) -> bool) {
    block_on(wait_until(s3, reached));
}

/// Asserts that every logged GET of `key` named the version that it wanted, by
/// If-Match or by version id, and that there was one at all.
pub fn assert_gets_pinned(s3: &MemoryS3, bucket: &str, key: &str) {
    let of_key = |request: &LoggedRequest| {
        request.operation == Operation::Get
            && request.bucket.as_deref() == Some(bucket)
            && request.key.as_deref() == Some(key)
    };
    let gets: Vec<_> = s3.requests().into_iter().filter(of_key).collect();
    assert!(!gets.is_empty(), "`{key}` was never read");
    for get in gets {
        let pinned = get.if_match.is_some() || get.query.contains("versionId=");
        assert!(pinned, "a GET of `{key}` was not pinned to a version: {get:?}");
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime for one wait").block_on(future)
}
