//! Pipelines from an S3 endpoint over HTTP into real databases.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test that calls them")]

mod pipeline;
