//! The endpoint as a client meets it: hand-written HTTP/1.1 over a socket, so
//! that no client library hides what is on the wire.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "all of this crate is tests")]

mod client;
mod faults;
mod keys;
mod listings;
mod objects;
mod scale;
mod writes;

use client::Client;
use decant_s3_memory::{MemoryS3, Options};

/// An anonymous endpoint on threads of its own, with bucket `bucket`.
fn endpoint() -> (MemoryS3, Client) {
    endpoint_with(Options::default())
}

fn endpoint_with(options: Options) -> (MemoryS3, Client) {
    let s3 = MemoryS3::start_blocking(options).expect("a free port on loopback");
    s3.create_bucket("bucket");
    let client = Client::new(&s3.endpoint());
    (s3, client)
}
