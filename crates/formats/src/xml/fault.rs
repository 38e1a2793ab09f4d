//! What is wrong with an XML text, and where: a sentence for people.
//!
//! Not here: what becomes of it. Whether a row is rejected or its file
//! refused is for [`super::reading`] to say.

use decant_core::reject::Reason;

use crate::values::complaint::quoted;

/// A place in some bytes, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Where the trouble begins.
    pub(super) at: usize,
    pub(super) reason: Reason,
    /// Quotes what is to blame.
    pub(super) sentence: String,
}

impl Fault {
    pub(super) fn new(at: usize, sentence: impl Into<String>) -> Self {
        Self { at, reason: Reason::Syntax, sentence: sentence.into() }
    }

    /// The text ends inside of something.
    pub(super) fn end(at: usize, inside: &str) -> Self {
        Self::new(at, format!("the document ends inside {inside}"))
    }

    /// A row beyond `limit`, of which the first `kept` bytes are kept.
    pub(super) fn too_long(at: usize, limit: usize, kept: usize) -> Self {
        let sentence = format!(
            "the row is longer than {limit} bytes (record_bytes_max); its first {kept} bytes are kept"
        );
        Self { at, reason: Reason::TooLong, sentence }
    }

    /// A row with bytes that have no meaning in its encoding.
    pub(super) fn encoding(at: usize, found: &[u8], encoding: &str) -> Self {
        let sentence = format!("{} has bytes that are not {encoding}", quoted(found));
        Self { at, reason: Reason::Encoding, sentence }
    }

    /// The same fault, `by` bytes further on.
    pub(super) fn behind(self, by: usize) -> Self {
        Self { at: self.at + by, ..self }
    }
}
