//! What speed is measured with: data of our own making.
//!
//! The same numbers always make the same bytes, on every machine.

mod chance;
pub mod lineitem;

pub use chance::Chance;
