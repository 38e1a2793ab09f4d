//! What speed is measured with: data of our own making.
//!
//! The same numbers always make the same bytes, on every machine.

mod chance;
pub mod lineitem;
pub mod lineitem_columns;
pub mod quoted;
pub mod sums;
pub mod taxi;

pub use chance::Chance;
