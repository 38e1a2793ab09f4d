//! decant as a library: configuration, the registry, and pipelines to run.
//!
//! [`config`] leads from what was typed to what it means; a
//! [`Pipeline`] is that meaning, opened; [`listing`] lists files for their own
//! sake. What is plugged in is said in [`registry`], and nowhere else.

mod check;
pub mod config;
pub mod discovery;
pub mod listing;
mod pipeline;
pub mod registry;
pub mod rejects;

pub use check::{Check, check};
pub use decant_core as core;
pub use decant_databases::sqlite;
pub use decant_engine as engine;
pub use decant_storage as storage;
pub use pipeline::{Pipeline, history, open_destination_of, open_storage};
