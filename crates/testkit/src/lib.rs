//! What the tests stand on: conformance suites, an S3 endpoint that
//! misbehaves on demand, a destination in memory, a Postgres of one's own.
//!
//! A dev-dependency and nothing else. Whatever goes wrong in here is the
//! failure of the test that stands on it, so it panics and says what to do;
//! nothing in here skips a test because a program is missing on the machine.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "whatever goes wrong here is the failure of the test that stands on it"
)]

pub mod batches;
pub mod conformance;
pub mod faulty;
pub mod memory;
pub mod postgres;
pub mod s3;
