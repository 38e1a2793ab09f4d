//! Arrow arrays as files have them into the house's types: what formats that
//! read Arrow share.
//!
//! - [`source`]: the columns of such a file, and what it says they hold.
//! - [`cells`]: an array of whatever type, value by value.
//! - [`render`]: a value as text and as JSON.
//! - [`convert`]: a column into the type that was asked for.
//! - [`rows`]: batches of a file into batches, rejects and rescued values.
//! - [`sample`]: a bounded look at batches.
//! - [`in_order`]: files that are nothing but batches one after the other.
//!
//! It does not read files. Its invariant: a value goes into its target's type
//! by value or is a misfit; nothing is rounded but a floating-point number
//! whose type somebody gave, nothing is clamped, and nothing becomes NULL in
//! silence.

pub(crate) mod cells;
pub(crate) mod convert;
pub(crate) mod in_order;
pub(crate) mod render;
pub(crate) mod rows;
pub(crate) mod sample;
pub(crate) mod source;
mod straight;

#[cfg(test)]
mod tests;
