//! What the files of one stream have in common.
//!
//! One file may leave open what the next one shows: whether a point groups
//! thousands, whether the first row is a header. What files show, and all of
//! them alike, decides for those that do not. It never overrules what a file
//! shows itself, nor what was given.

use std::sync::Arc;

use crate::format::Sample;
use crate::names::snake_case;
use crate::stream::{FormatOptions, Header};
use crate::value_format::NumberFormat;

/// What is expected of a stream's file that does not show it itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// Options on which the files that show them agree.
    pub options: FormatOptions,
    /// Names of the columns, as the other files or the table have them.
    pub names: Vec<String>,
}

impl Habits {
    /// The habits of the files that were looked at; `None` where none of them
    /// shows anything.
    pub fn of(samples: &[Sample]) -> Option<Arc<Self>> {
        let shown = || samples.iter().map(|sample| &sample.columns.shown);
        let options = FormatOptions {
            encoding: agreed(shown().map(|shown| shown.encoding.clone())),
            delimiter: agreed(shown().map(|shown| shown.delimiter.clone())),
            quote: agreed(shown().map(|shown| shown.quote)),
            escape: agreed(shown().map(|shown| shown.escape)),
            header: agreed(shown().map(|shown| shown.header)),
            numbers: agreed_numbers(shown().filter_map(|shown| shown.numbers)),
            ..FormatOptions::default()
        };
        let habits = Self { options, names: agreed_names(samples) };
        (habits != Self::default()).then(|| Arc::new(habits))
    }

    /// What is known from a table alone: its columns' names.
    pub fn of_table(names: Vec<String>) -> Option<Arc<Self>> {
        let habits = Self { names, ..Self::default() };
        (!habits.names.is_empty()).then(|| Arc::new(habits))
    }

    /// Whether all of these values, and there are some, name columns.
    pub fn are_names<'v>(&self, values: impl IntoIterator<Item = &'v str>) -> bool {
        let is_spelt_otherwise = |value: &str| {
            let (lower, snake) = (value.to_lowercase(), snake_case(value));
            self.names.iter().any(|name| name.to_lowercase() == lower || *name == snake)
        };
        let known = |(at, value): (usize, &str)| {
            // Files are mostly written alike.
            self.names.get(at).is_some_and(|name| name == value) || is_spelt_otherwise(value)
        };
        let mut values = values.into_iter().map(str::trim).enumerate().peekable();
        values.peek().is_some() && values.all(|named| !named.1.is_empty() && known(named))
    }

    /// Whether the columns have numbers for names, so that no file has named
    /// them.
    pub fn has_invented_names(&self) -> bool {
        let is_invented = |(at, name): (usize, &String)| *name == format!("column_{}", at + 1);
        !self.names.is_empty() && self.names.iter().enumerate().all(is_invented)
    }

    /// Whether a file that shows this much may be read otherwise because of
    /// the habits.
    pub fn may_change(&self, sample: &Sample) -> bool {
        let (habits, shown) = (&self.options, &sample.columns.shown);
        let of_numbers = habits.numbers.is_some_and(|usual| {
            shown.numbers.is_none_or(|numbers| {
                numbers.decimal == usual.decimal && numbers.thousands != usual.thousands
            })
        });
        let resolved = &sample.columns.options;
        let of_header =
            shown.header.is_none() && !matches!(resolved.header, Some(Header::Rows(2..)));
        habits.encoding.is_some()
            && shown.encoding.is_none()
            && resolved.encoding != habits.encoding
            || habits.delimiter.is_some()
                && shown.delimiter.is_none()
                && resolved.delimiter != habits.delimiter
            || habits.quote.is_some() && shown.quote.is_none() && resolved.quote != habits.quote
            || habits.escape.is_some() && shown.escape.is_none() && resolved.escape != habits.escape
            || of_numbers && resolved.numbers != habits.numbers
            || of_header && (habits.header.is_some() || !self.names.is_empty())
    }
}

/// The one value that all of those have who have one.
fn agreed<T: PartialEq>(values: impl Iterator<Item = Option<T>>) -> Option<T> {
    let mut values = values.flatten();
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

/// Numbers agree when one of them merely lacks groups of thousands.
fn agreed_numbers(values: impl Iterator<Item = NumberFormat>) -> Option<NumberFormat> {
    let mut agreed: Option<NumberFormat> = None;
    for numbers in values {
        let before = agreed.get_or_insert(numbers);
        match (before.thousands, numbers.thousands) {
            _ if before.decimal != numbers.decimal => return None,
            (Some(one), Some(other)) if one != other => return None,
            (None, Some(_)) => *before = numbers,
            _ => {}
        }
    }
    agreed
}

/// The names that all files have whose first row is beyond doubt a header.
fn agreed_names(samples: &[Sample]) -> Vec<String> {
    let is_clear = |sample: &&Sample| {
        sample.columns.named && matches!(sample.columns.shown.header, Some(Header::Rows(_)))
    };
    agreed(samples.iter().filter(is_clear).map(|sample| Some(sample.columns.names.clone())))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::FileColumns;

    fn showing(shown: FormatOptions) -> Sample {
        let columns = FileColumns { shown, ..FileColumns::default() };
        Sample { columns, ..Sample::default() }
    }

    fn numbers(decimal: char, thousands: Option<char>) -> FormatOptions {
        FormatOptions { numbers: Some(NumberFormat { decimal, thousands }), ..Default::default() }
    }

    #[test]
    fn files_that_show_something_agree_or_there_is_no_habit() {
        let nothing = || showing(FormatOptions::default());
        assert_eq!(Habits::of(&[nothing()]), None);
        let habit = |options: [FormatOptions; 2]| {
            let [one, other] = options.map(showing);
            Habits::of(&[nothing(), one, other]).and_then(|habits| habits.options.numbers)
        };
        let grouped = numbers(',', Some('.'));
        assert_eq!(habit([numbers(',', None), grouped.clone()]), grouped.numbers);
        assert_eq!(habit([numbers('.', None), grouped]), None);
    }

    #[test]
    fn a_row_of_known_names_is_a_header_in_any_spelling() {
        let habits =
            Habits { names: vec!["customer_id".into(), "Name".into()], ..Default::default() };
        assert!(habits.are_names(["CustomerID", " name "]));
        assert!(habits.are_names(["Name", "customer_id"]), "in any order");
        assert!(!habits.are_names(["customer_id", "7"]));
        assert!(!habits.are_names([]));
        assert!(!habits.has_invented_names());
        let numbered = ["column_1", "column_2"].map(String::from).to_vec();
        assert!(Habits::of_table(numbered).unwrap().has_invented_names());
    }
}
