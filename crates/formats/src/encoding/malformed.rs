//! What stands in the text for bytes without a meaning.

/// A byte that UTF-8 never contains.
pub(crate) const MALFORMED: u8 = 0xff;
