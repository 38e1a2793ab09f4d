//! Where files are: S3-compatible object storage and local folders.
//!
//! [`Location`] is what was typed, [`StorageOptions`] how to reach it, and
//! [`Storage::open`] the only place of the house that connects to either.
//! A [`Storage`] lists ([`Storage::listing`] is a
//! [`Trigger`](decant_core::Trigger)) and reads (it is a
//! [`Store`](decant_core::Store)); every read is pinned to one file version
//! and checked against the listed size.
//!
//! It never sees rows, never decodes a byte, and never chooses files: a
//! listing reports every key of its scans, and selecting is its caller's work.
//!
//! Invariant: keys are opaque. What the endpoint calls an object is what the
//! ledger gets to see, and what the next request asks for.

mod backend;
mod credentials;
mod local;
mod location;
mod options;
mod retry;
mod s3;
mod storage;
mod traffic;

pub use location::Location;
pub use options::{Credentials, StorageOptions};
pub use s3::decode_listed_key;
pub use storage::Storage;
pub use traffic::Traffic;
