//! Values of files that know nothing but text: what they look like, and which
//! of them are NULL.
//!
//! Not here: quoting, which says that a value is no NULL.

use decant_core::evidence::Evidence;
use decant_core::stream::FormatOptions;
use decant_core::value_format::NumberFormat;

use crate::infer;
use crate::values::trimmed;

/// What a text means in such a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Untyped {
    null_words: Vec<Vec<u8>>,
    /// Whether nothing at all is NULL in a column of text.
    pub(crate) empty_is_null: bool,
    pub(crate) numbers: NumberFormat,
}

impl Untyped {
    /// As `options` say: without `null_values` only nothing is NULL.
    pub(crate) fn new(options: &FormatOptions) -> Self {
        let words = options.null_values.as_deref().unwrap_or_default();
        let is_word = |word: &&String| !word.is_empty();
        Self {
            null_words: words.iter().filter(is_word).map(|word| word.clone().into()).collect(),
            empty_is_null: options.null_values.is_none() || words.iter().any(String::is_empty),
            numbers: options.numbers.unwrap_or_default(),
        }
    }

    /// Whether `value` is NULL in a column of text.
    pub(crate) fn is_null(&self, value: &[u8]) -> bool {
        match value {
            [] => self.empty_is_null,
            word => self.null_words.iter().any(|known| known == word),
        }
    }
}

/// What some values look like, as they are and trimmed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Looks {
    pub(crate) plain: Evidence,
    pub(crate) trimmed: Evidence,
}

impl Looks {
    /// Whether no further value can add anything.
    pub(crate) fn is_text(&self) -> bool {
        self.trimmed == Evidence::Text && self.plain == Evidence::Text
    }

    /// Adds a value as it is. Answers whether it looks the same trimmed.
    pub(crate) fn add(&mut self, value: &[u8], numbers: NumberFormat) -> bool {
        if self.trimmed == Evidence::Text {
            self.plain = Evidence::Text;
            return true;
        }
        let evidence = infer::evidence_with(value, Some(numbers));
        self.plain = self.plain.join(evidence);
        if evidence != Evidence::Text {
            self.trimmed = self.trimmed.join(evidence);
        }
        evidence != Evidence::Text
    }

    /// Adds a value without the white space around it.
    pub(crate) fn add_trimmed(&mut self, value: &[u8], numbers: NumberFormat) {
        let evidence = infer::evidence_with(trimmed(value), Some(numbers));
        self.trimmed = self.trimmed.join(evidence);
    }
}
