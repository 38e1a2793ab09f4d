//! The command at scale, over HTTP, into SQLite and into Postgres: 5,000
//! files of 200 rows in 20 folders and one of 2,000,000 rows, loaded exactly
//! once whatever happens, and within the memory that is promised.
//!
//! decant is a child process; the endpoint, the expected sums and the clients
//! that read the databases are the test's own. The scenarios are heavy, so
//! they take turns; each says on standard error how long it took and what it
//! measured. Nothing here fails for being slow: only what hangs is ended.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "whatever goes wrong here is the failure of the test"
)]

mod bucket;
mod database;
mod generator;
mod kills;
mod ledger;
mod memory;
mod run;
mod sync;
mod world;
