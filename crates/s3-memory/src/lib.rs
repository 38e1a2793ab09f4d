//! An S3 endpoint in memory, over HTTP on loopback, for the demo and the tests.
//!
//! [`MemoryS3`] listens on `127.0.0.1`, keeps every object in memory and
//! answers as Amazon S3 does: pinned and ranged reads, versions, listings in
//! byte order, multipart uploads, conditional writes. Objects can be put and
//! read in process, without HTTP. It is not storage: nothing survives it, there
//! are no access rules beyond one pair of keys, and it listens on loopback only.
//!
//! Nothing here misbehaves by itself. A [`Hook`] sees each request first and
//! may delay, replace, interrupt or edit its reply; scripts of faults stand on
//! top of it.
//!
//! Invariant: a key is an opaque string. It is percent-decoded once, compared
//! and listed in byte order, and never normalised.

mod access;
mod body;
mod call;
mod conditions;
mod connection;
mod depot;
mod endpoint;
mod hook;
mod journal;
mod listed;
mod listing;
mod object;
mod server;
mod service;
mod store;
mod transfer;
mod uploads;

pub use call::{Call, Operation};
pub use hook::{Action, Hook, Interruption};
pub use journal::{Counts, LoggedRequest};
pub use server::{Credentials, MemoryS3, Options};
