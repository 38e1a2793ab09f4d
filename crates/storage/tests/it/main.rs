//! Storage against an S3 endpoint in memory and the local file system.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "whatever goes wrong here is the failure of a test"
)]

mod conditions;
mod conformance;
mod credentials;
mod faults;
mod keys;
mod listing;
mod place;
mod stub;
