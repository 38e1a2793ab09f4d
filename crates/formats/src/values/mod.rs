//! The text of one value into one type: pure functions over bytes, one file a
//! family of types.
//!
//! Inference ([`crate::infer`]) and decoding call the same functions, so that
//! they cannot disagree about what a value is. Nothing here knows about CSV,
//! NULL or quoting: an empty value is simply not a number.
//!
//! Invariant: what comes out equals, by value, what was written. Only a
//! floating-point number whose type somebody gave ([`Reading::Given`]) may be
//! rounded, and even that never overflows or vanishes into zero.

pub mod binary;
pub mod boolean;
pub mod calendar;
pub mod decimal;
pub mod float;
pub mod integer;
pub mod number;
pub mod uuid;

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
}

/// A value of the type, or why it is none.
pub type Fit<T> = Result<T, Misfit>;
