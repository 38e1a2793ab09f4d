//! The text of one value into one type: pure functions over bytes, one file a
//! family of types.
//!
//! Inference ([`crate::infer`]) and decoding call the same functions, so that
//! they cannot disagree about what a value is. Decoding does so through a
//! [`Reader`], which is made once of a column's `Target` and knows its format
//! (patterns, zones, epochs, words, separators). Nothing here knows about CSV,
//! NULL or quoting: an empty value is simply not a number. The commonest
//! spellings have a quicker entrance (`plain`), which knows when to decline.
//!
//! Invariant: what comes out equals, by value, what was written. Only a
//! floating-point number whose type somebody gave ([`Reading::Given`]) may be
//! rounded, and even that never overflows or vanishes into zero.

pub mod binary;
pub mod boolean;
pub mod calendar;
pub(crate) mod complaint;
pub mod decimal;
mod epoch;
pub mod float;
pub mod integer;
pub mod json;
mod list;
pub mod number;
mod pattern;
pub(crate) mod plain;
mod reader;
pub(crate) mod separated;
pub mod uuid;
mod words;
mod zone;

pub use reader::{Reader, check_format};

/// How literally a value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The type was inferred: only spellings from which nothing is lost.
    /// `007` is not a number and `t` is not a truth value.
    Exact,
    /// Somebody gave the type: every usual spelling of it, with spaces around.
    Given,
}

impl Reading {
    /// The reading for a target's `exact`.
    pub fn of(target: &decant_core::format::Target) -> Self {
        if target.exact { Self::Exact } else { Self::Given }
    }

    /// The value without what this reading overlooks: surrounding spaces.
    pub fn trim(self, value: &[u8]) -> &[u8] {
        match self {
            Self::Exact => value,
            Self::Given => value.trim_ascii(),
        }
    }
}

/// Why a value is not of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// It is written like something else.
    Spelling,
    /// It is beyond what the type holds.
    Range,
    /// It has more digits than the type keeps.
    Precision,
    /// It is a local time that its zone's clocks show twice.
    ShownTwice,
    /// It is a local time that its zone's clocks never show.
    NeverShown,
}

/// A value of the type, or why it is none.
pub type Fit<T> = Result<T, Misfit>;

/// The value without the white space around it: ASCII's and no-break spaces.
pub fn trimmed(value: &[u8]) -> &[u8] {
    const NO_BREAK_SPACE: &[u8] = "\u{a0}".as_bytes();
    let mut value = value.trim_ascii();
    loop {
        let less = value.strip_prefix(NO_BREAK_SPACE).unwrap_or(value);
        let less = less.strip_suffix(NO_BREAK_SPACE).unwrap_or(less).trim_ascii();
        if less.len() == value.len() {
            return value;
        }
        value = less;
    }
}

fn is_space(letter: char) -> bool {
    letter.is_ascii_whitespace() || letter == '\u{a0}'
}
