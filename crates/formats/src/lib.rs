//! Bytes to batches: archives, compression, encodings, inference and the
//! decoders.
//!
//! Nothing here touches a network or a file system: bytes come from an
//! [`Input`](decant_core::Input), rows go to a
//! [`Receiver`](decant_core::Receiver).

mod ahead;
mod archive;
mod arrow;
mod arrow_ipc;
mod avro;
pub mod compression;
pub mod concerns;
pub mod csv;
mod cuts;
pub mod encoding;
mod excel;
mod file_format;
mod head;
pub mod infer;
pub mod json;
mod natives;
mod parquet;
mod pull;
pub mod raw_rows;
mod recognition;
mod registry;
mod strings;
#[cfg(test)]
mod testing;
mod untyped;
pub mod values;
mod xml;

pub use archive::archive_for;
pub use registry::{FormatEntry, for_file, formats};
