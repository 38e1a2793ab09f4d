//! Lists of scalars: what they may hold, and their values element by element.
//!
//! Inside the house a list is the text of one JSON array. Formats check each
//! element and write it in its canonical form: numbers with a point and no
//! separators, words `true` and `false`, and strings for all else (ISO 8601
//! with `T`, moments in UTC with `Z`, UUIDs in lower case, bytes in
//! hexadecimal behind `\x`, `NaN` and the infinities by name). So whoever
//! takes lists apart needs no more than [`elements`].
//!
//! It does not read scalars. Its invariant: a list within a list is none.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::schema::{ColumnType, DecimalBounds};

/// What every element of a list is, NULL aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListElement {
    /// As [`ColumnType::Bool`].
    Bool,
    /// As [`ColumnType::Int16`].
    Int16,
    /// As [`ColumnType::Int32`].
    Int32,
    /// As [`ColumnType::Int64`].
    Int64,
    /// As [`ColumnType::Float32`].
    Float32,
    /// As [`ColumnType::Float64`].
    Float64,
    /// As [`ColumnType::Decimal`].
    Decimal(Option<DecimalBounds>),
    /// As [`ColumnType::Date`].
    Date,
    /// As [`ColumnType::Time`].
    Time,
    /// As [`ColumnType::Timestamp`].
    Timestamp,
    /// As [`ColumnType::TimestampTz`].
    TimestampTz,
    /// As [`ColumnType::Uuid`].
    Uuid,
    /// As [`ColumnType::Text`].
    Text,
    /// As [`ColumnType::Binary`].
    Binary,
}

impl ListElement {
    /// The element of this type; `None` for types that are no scalars.
    pub fn of(column_type: ColumnType) -> Option<Self> {
        Some(match column_type {
            ColumnType::Bool => Self::Bool,
            ColumnType::Int16 => Self::Int16,
            ColumnType::Int32 => Self::Int32,
            ColumnType::Int64 => Self::Int64,
            ColumnType::Float32 => Self::Float32,
            ColumnType::Float64 => Self::Float64,
            ColumnType::Decimal(bounds) => Self::Decimal(bounds),
            ColumnType::Date => Self::Date,
            ColumnType::Time => Self::Time,
            ColumnType::Timestamp => Self::Timestamp,
            ColumnType::TimestampTz => Self::TimestampTz,
            ColumnType::Uuid => Self::Uuid,
            ColumnType::Text => Self::Text,
            ColumnType::Binary => Self::Binary,
            ColumnType::Json | ColumnType::List(_) => return None,
        })
    }

    /// The type of one element.
    pub fn column_type(self) -> ColumnType {
        match self {
            Self::Bool => ColumnType::Bool,
            Self::Int16 => ColumnType::Int16,
            Self::Int32 => ColumnType::Int32,
            Self::Int64 => ColumnType::Int64,
            Self::Float32 => ColumnType::Float32,
            Self::Float64 => ColumnType::Float64,
            Self::Decimal(bounds) => ColumnType::Decimal(bounds),
            Self::Date => ColumnType::Date,
            Self::Time => ColumnType::Time,
            Self::Timestamp => ColumnType::Timestamp,
            Self::TimestampTz => ColumnType::TimestampTz,
            Self::Uuid => ColumnType::Uuid,
            Self::Text => ColumnType::Text,
            Self::Binary => ColumnType::Binary,
        }
    }

    /// Whether every element of `self` is one of `other`, by value. Only
    /// texts are texts: `[1]` is not `["1"]`.
    pub fn fits_into(self, other: Self) -> bool {
        self == other || (other != Self::Text && self.column_type().fits_into(other.column_type()))
    }

    /// The narrowest element that keeps those of both; `None` when that would
    /// take text for what is none.
    #[must_use]
    pub fn join(self, other: Self) -> Option<Self> {
        let joined = Self::of(self.column_type().join(other.column_type()))?;
        (self.fits_into(joined) && other.fits_into(joined)).then_some(joined)
    }
}

/// One element of a list's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element<'t> {
    /// `null`.
    Null,
    /// A number, `true` or `false`, as it is written.
    Plain(&'t str),
    /// What a string means.
    Text(Cow<'t, str>),
}

/// The text is no list of scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAList;

/// The elements of a list's text, in order; the first that is none ends them.
///
/// Nested lists and objects are refused. Of the rest only as much is checked
/// as it takes to find the elements: text of doubtful origin is to be checked
/// as JSON before.
pub fn elements(text: &str) -> Elements<'_> {
    match text.trim_matches(is_space).strip_prefix('[') {
        Some(inside) => Elements { rest: inside, next: Next::FirstOrEnd },
        None => Elements { rest: "", next: Next::Refusal },
    }
}

/// Walks over a list's text.
#[derive(Clone, Debug)]
pub struct Elements<'t> {
    rest: &'t str,
    next: Next,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    FirstOrEnd,
    SeparatorOrEnd,
    Refusal,
    Nothing,
}

impl<'t> Iterator for Elements<'t> {
    type Item = Result<Element<'t>, NotAList>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.advance().unwrap_or(Some(Err(NotAList)));
        if !matches!(found, Some(Ok(_))) {
            self.next = Next::Nothing;
        }
        found
    }
}

impl<'t> Elements<'t> {
    /// `None` where the text is none of a list.
    fn advance(&mut self) -> Option<Option<Result<Element<'t>, NotAList>>> {
        if self.next == Next::Nothing {
            return Some(None);
        }
        self.rest = self.rest.trim_start_matches(is_space);
        if let Some(behind) = self.rest.strip_prefix(']') {
            return (behind.is_empty() && self.next != Next::Refusal).then_some(None);
        }
        self.rest = match self.next {
            Next::FirstOrEnd => self.rest,
            Next::SeparatorOrEnd => self.rest.strip_prefix(',')?.trim_start_matches(is_space),
            Next::Refusal | Next::Nothing => return None,
        };
        self.next = Next::SeparatorOrEnd;
        Some(Some(Ok(self.element()?)))
    }

    fn element(&mut self) -> Option<Element<'t>> {
        if self.rest.starts_with('"') {
            let end = string_end(self.rest.as_bytes())?;
            let (string, rest) = self.rest.split_at(end);
            self.rest = rest;
            return meaning(string).map(Element::Text);
        }
        let end = self.rest.find(|letter| matches!(letter, ',' | ']') || is_space(letter))?;
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word {
            "" => None,
            "null" => Some(Element::Null),
            _ if word.starts_with(['[', '{']) => None,
            _ => Some(Element::Plain(word)),
        }
    }
}

/// Where the string at the beginning ends, its quotes included.
fn string_end(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// What a string with its quotes means.
fn meaning(string: &str) -> Option<Cow<'_, str>> {
    match string.contains('\\') {
        false => string.get(1..string.len() - 1).map(Cow::Borrowed),
        true => serde_json::from_str(string).ok().map(Cow::Owned),
    }
}

fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(text: &str) -> Option<Vec<String>> {
        let shown = |element| match element {
            Element::Null => "null".to_owned(),
            Element::Plain(word) => word.to_owned(),
            Element::Text(text) => format!("<{text}>"),
        };
        elements(text).map(|element| element.ok().map(shown)).collect()
    }

    #[test]
    fn a_list_is_walked_element_by_element() {
        for (text, expected) in [
            ("[]", vec![]),
            (" [ ] ", vec![]),
            ("[1]", vec!["1"]),
            ("[1,null,true, -2.5e3 ]", vec!["1", "null", "true", "-2.5e3"]),
            ("[\"\",\"null\",\"a,b]\"]", vec!["<>", "<null>", "<a,b]>"]),
            (r#"["\"","\\","\u00e9\n","é🦀"]"#, vec!["<\">", "<\\>", "<é\n>", "<é🦀>"]),
            ("[\n1\t,\r\n2]", vec!["1", "2"]),
        ] {
            let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
            assert_eq!(walked(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_list_of_scalars_is_refused() {
        for text in [
            "",
            " ",
            "1",
            "null",
            "{}",
            "\"[1]\"",
            "[",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[[1]]",
            "[1,[2]]",
            "[{}]",
            "[1,{\"a\":2}]",
            "[\"a]",
            "[\"a\\",
            "[1]]",
            "[1] 2",
            "[\"\\ud800\"]",
        ] {
            assert_eq!(walked(text), None, "{text}");
        }
    }

    #[test]
    fn nothing_follows_a_refusal() {
        let mut walk = elements("[1,[2],3]");
        assert_eq!(walk.next(), Some(Ok(Element::Plain("1"))));
        assert_eq!(walk.next(), Some(Err(NotAList)));
        assert_eq!(walk.next(), None);
    }

    #[test]
    fn elements_join_without_becoming_text() {
        use ListElement::*;
        for (one, other, expected) in [
            (Int16, Int64, Some(Int64)),
            (Int32, Float32, Some(Float64)),
            (Int64, Float64, None),
            (Date, Timestamp, Some(Timestamp)),
            (Text, Text, Some(Text)),
            (Int16, Text, None),
            (Bool, Uuid, None),
        ] {
            assert_eq!(one.join(other), expected, "{one:?} and {other:?}");
            assert_eq!(other.join(one), expected, "{other:?} and {one:?}");
        }
    }
}
