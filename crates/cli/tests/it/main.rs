//! The command as its users meet it: a child process, a bucket or a folder,
//! a database, and nothing of the code behind them. What is expected stands
//! in the specification; after every load the ledger and the table must agree.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "whatever goes wrong here is the failure of the test"
)]

mod alike;
mod archives;
mod bad_rows;
mod changes;
mod chunks;
mod columns;
mod configuration;
mod contents;
mod database;
mod discover;
mod documents;
mod drift;
mod faults;
mod inferred;
mod ledger;
mod lenient;
mod listing;
mod lists;
mod messages;
mod overlap;
mod plan;
mod policies;
mod recognised;
mod refused;
mod rejects;
mod replace;
mod replay;
mod report;
mod roundtrip;
mod run;
mod selection;
mod set_apart;
mod signals;
mod tables;
mod transforms;
mod verbs;
mod world;
mod written;
mod xml;
