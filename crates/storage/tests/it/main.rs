//! Storage against an S3 endpoint in memory and the local file system.

mod conditions;
mod credentials;
mod faults;
mod keys;
mod listing;
mod place;
mod stub;
