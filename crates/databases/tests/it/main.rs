//! Real databases, from the outside.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what goes wrong in a helper is the failure of the test that calls it"
)]

mod postgres;
mod sqlite;
