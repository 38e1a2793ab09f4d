//! A run against a destination that fails on demand, with files and a format
//! that the test makes up.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail the test that calls them"
)]

mod archives;
mod drift;
mod faults;
mod groups;
mod overlap;
mod refusals;
mod widening;
mod world;
