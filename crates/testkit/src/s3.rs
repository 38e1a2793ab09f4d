//! An S3 endpoint that misbehaves on demand: [`MemoryS3`] with scripted
//! [`Faults`], gates that hold requests, waits on what has been asked, and
//! assertions on it.
//!
//! ```
//! use decant_testkit::s3::{Fault, Faults, MemoryS3, Operation, Options};
//!
//! let s3 = MemoryS3::start_blocking(Options::default()).unwrap();
//! s3.put("bucket", "orders/1.csv", "a,b\n1,2\n");
//! let script = Faults::new()
//!     .on(Operation::Get, "orders/*.csv")
//!     .times(2)
//!     .then(Fault::Status(503))
//!     .install(&s3);
//! // ... load from `s3.endpoint()` ...
//! # drop(s3);
//! assert_eq!(script.fired(), 0);
//! ```
//!
//! Invariant: a fault strikes when its rule says so and never by chance.

mod faults;
mod files;
mod gate;
mod pages;
mod requests;
mod script;
#[cfg(test)]
mod tests;

pub use decant_s3_memory::{
    Action, Call, Counts, Credentials, LoggedRequest, MemoryS3, Operation, Options,
};
pub use faults::{Fault, Faults, Keys, Rule};
pub use files::{gzip, put_files};
pub use gate::Gate;
pub use requests::{
    assert_gets_pinned, wait_for_requests, wait_for_requests_blocking, wait_until,
    wait_until_blocking,
};
pub use script::Script;
