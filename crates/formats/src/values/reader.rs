//! One column's way of reading: a type, how literally it is read, and the
//! format that somebody gave it.
//!
//! Every text format makes a [`Reader`] of each [`Target`] once and then asks
//! it for natives, value by value: `reader.integer::<i32>(b"12")`. Whoever
//! asks for another type than the target's gets that type's usual forms.
//! Nothing here knows about NULL, which a format decides before (for a
//! trimmed column with [`trimmed`](super::trimmed)).
//!
//! Invariant: a value in its usual form costs one branch more than calling
//! its parser.

use chrono_tz::Tz;
use decant_core::format::Target;
use decant_core::schema::{ColumnType, DecimalBounds};
use decant_core::value_format::{EpochUnit, GivenType, NumberFormat, ValueFormat};
use decant_core::{Error, ErrorKind, Result};

use super::decimal::Unscaled;
use super::float::Float;
use super::pattern::Pattern;
use super::words::Words;
use super::{
    Fit, Misfit, Reading, binary, boolean, calendar, decimal, epoch, float, integer, separated,
    trimmed, uuid, zone,
};

/// Reads the values of one column.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) column_type: ColumnType,
    pub(super) way: Way,
    /// Reads the elements of lists.
    pub(super) element: Option<Box<Reader>>,
    reading: Reading,
    trims: bool,
    /// Whether values need nothing but the type's own parser.
    plain: bool,
}

/// How values are written.
#[derive(Clone, Debug)]
pub(super) enum Way {
    Usual,
    Pattern { text: String, pattern: Pattern },
    Zone(Tz),
    Epoch(EpochUnit),
    Words(Words),
    Number(NumberFormat),
}

impl Reader {
    /// The reader for `target`, in a file whose numbers are written as
    /// `numbers` says unless the target says otherwise. A target of text has
    /// no format: its values stay as they are.
    ///
    /// # Errors
    ///
    /// `InvalidConfig` when the target's format is none, or none of its type.
    pub fn new(target: &Target, numbers: Option<NumberFormat>) -> Result<Self> {
        let column_type = target.column_type;
        let way = match target.format.as_deref() {
            Some(_) if !has_formats(column_type) => Way::Usual,
            Some(format) => Way::new(column_type, format)?,
            None => match numbers {
                Some(numbers) if is_number(column_type) => Way::number(numbers)?,
                _ => Way::Usual,
            },
        };
        let element = match column_type {
            ColumnType::List(element) => {
                let target = Target::new(element.column_type(), target.exact);
                Some(Box::new(Self::new(&target, None)?))
            }
            _ => None,
        };
        let plain = matches!(way, Way::Usual) && !target.trim;
        let reading = Reading::of(target);
        Ok(Self { column_type, way, element, reading, trims: target.trim, plain })
    }

    /// The type that the target asked for.
    pub fn column_type(&self) -> ColumnType {
        self.column_type
    }

    /// Whether values are read by nothing but the type's own parser, so that
    /// the plain ones may be read without it ([`plain`](super::plain)).
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Whether white space around values is dropped.
    pub fn trims(&self) -> bool {
        self.trims
    }

    /// Reads a truth value.
    #[inline]
    pub fn boolean(&self, value: &[u8]) -> Fit<bool> {
        if self.plain {
            return boolean::parse(value, self.reading);
        }
        match &self.way {
            Way::Words(words) => words.read(self.bare(value)),
            _ => boolean::parse(self.bare(value), self.reading),
        }
    }

    /// Reads an integer of any width up to 64 bits.
    #[inline]
    pub fn integer<T: TryFrom<i64>>(&self, value: &[u8]) -> Fit<T> {
        if self.plain {
            return integer::parse(value, self.reading);
        }
        self.number(value, |plain| integer::parse(plain, self.reading))
    }

    /// Reads a floating-point number.
    #[inline]
    pub fn float<T: Float>(&self, value: &[u8]) -> Fit<T> {
        if self.plain {
            return float::parse(value, self.reading);
        }
        self.number(value, |plain| float::parse(plain, self.reading))
    }

    /// Reads a decimal as it is.
    #[inline]
    pub fn decimal(&self, value: &[u8]) -> Fit<Unscaled> {
        if self.plain {
            return decimal::parse(value, self.reading);
        }
        self.number(value, |plain| decimal::parse(plain, self.reading))
    }

    /// Reads a decimal as the mantissa of a type with bounds.
    #[inline]
    pub fn bounded_decimal(&self, value: &[u8], bounds: DecimalBounds) -> Fit<i128> {
        if self.plain {
            return decimal::parse_bounded(value, bounds, self.reading);
        }
        self.number(value, |plain| decimal::parse_bounded(plain, bounds, self.reading))
    }

    /// Reads a day, in days since 1970-01-01.
    #[inline]
    pub fn date(&self, value: &[u8]) -> Fit<i32> {
        if self.plain {
            return calendar::parse_date(value, self.reading);
        }
        match &self.way {
            Way::Pattern { pattern, .. } => pattern.date(self.bare(value)),
            _ => calendar::parse_date(self.bare(value), self.reading),
        }
    }

    /// Reads a time of day, in microseconds since midnight.
    #[inline]
    pub fn time(&self, value: &[u8]) -> Fit<i64> {
        if self.plain {
            return calendar::parse_time(value, self.reading);
        }
        match &self.way {
            Way::Pattern { pattern, .. } => pattern.time(self.bare(value)),
            _ => calendar::parse_time(self.bare(value), self.reading),
        }
    }

    /// Reads a timestamp without a zone, in microseconds since 1970-01-01.
    #[inline]
    pub fn timestamp(&self, value: &[u8]) -> Fit<i64> {
        if self.plain {
            return calendar::parse_timestamp(value, self.reading);
        }
        match &self.way {
            Way::Pattern { pattern, .. } => pattern.timestamp(self.bare(value)),
            Way::Epoch(unit) => epoch::parse(self.bare(value), *unit),
            _ => calendar::parse_timestamp(self.bare(value), self.reading),
        }
    }

    /// Reads a moment, in microseconds since 1970-01-01 UTC.
    #[inline]
    pub fn timestamp_tz(&self, value: &[u8]) -> Fit<i64> {
        if self.plain {
            return calendar::parse_timestamp_tz(value, self.reading);
        }
        let value = self.bare(value);
        match &self.way {
            Way::Pattern { pattern, .. } => pattern.timestamp_tz(value),
            Way::Epoch(unit) => epoch::parse(value, *unit),
            Way::Zone(zone) => match calendar::parse_timestamp(value, self.reading) {
                Ok(local) => zone::moment(*zone, local),
                Err(Misfit::Spelling) => calendar::parse_timestamp_tz(value, self.reading),
                Err(misfit) => Err(misfit),
            },
            _ => calendar::parse_timestamp_tz(value, self.reading),
        }
    }

    /// Reads a UUID as its 16 bytes.
    #[inline]
    pub fn uuid(&self, value: &[u8]) -> Fit<[u8; 16]> {
        uuid::parse(self.bare(value), self.reading)
    }

    /// Appends the bytes that `value` means to `bytes`.
    pub fn binary_into(&self, value: &[u8], bytes: &mut Vec<u8>) -> Fit<()> {
        binary::parse_into(self.bare(value), bytes)
    }

    /// The text that `value` is.
    #[inline]
    pub fn text<'v>(&self, value: &'v str) -> &'v str {
        if self.trims { value.trim_matches(super::is_space) } else { value }
    }

    /// The value without what is overlooked: surrounding spaces.
    #[inline]
    pub(super) fn bare<'v>(&self, value: &'v [u8]) -> &'v [u8] {
        let value = if self.trims { trimmed(value) } else { value };
        if matches!(self.way, Way::Usual) { value } else { value.trim_ascii() }
    }

    fn number<T>(&self, value: &[u8], read: impl FnOnce(&[u8]) -> Fit<T>) -> Fit<T> {
        let value = if self.trims { trimmed(value) } else { value };
        match self.way {
            Way::Number(format) => separated::with_plain(self.reading.trim(value), format, read),
            _ => read(value),
        }
    }
}

impl Way {
    fn new(column_type: ColumnType, format: &ValueFormat) -> Result<Self> {
        use ColumnType::{Bool, Timestamp, TimestampTz};
        match (format, column_type) {
            (ValueFormat::Pattern { pattern: text, zone }, _) if is_calendar(column_type) => {
                let pattern = Pattern::new(text, zone.as_deref(), column_type)?;
                Ok(Self::Pattern { text: text.clone(), pattern })
            }
            (ValueFormat::Zone(name), TimestampTz) => Ok(Self::Zone(zone::find(name)?)),
            (ValueFormat::Epoch(unit), Timestamp | TimestampTz) => Ok(Self::Epoch(*unit)),
            (ValueFormat::Words { yes, no }, Bool) => Ok(Self::Words(Words::new(yes, no)?)),
            (ValueFormat::Number(numbers), _) if is_number(column_type) => Self::number(*numbers),
            _ => Err(not_of_the_type(format, column_type)),
        }
    }

    fn number(numbers: NumberFormat) -> Result<Self> {
        separated::check(numbers)?;
        Ok(if numbers == NumberFormat::default() { Self::Usual } else { Self::Number(numbers) })
    }
}

/// Refuses a format that cannot be read, or is none of the type's.
///
/// # Errors
///
/// `InvalidConfig`, with the cure as hint.
pub fn check_format(given: &GivenType) -> Result<()> {
    match &given.format {
        Some(format) => Way::new(given.column_type, format).map(|_| ()),
        None => Ok(()),
    }
}

fn not_of_the_type(format: &ValueFormat, column_type: ColumnType) -> Error {
    let (what, cure) = match format {
        ValueFormat::Pattern { .. } => {
            ("a pattern", "patterns are for dates, times and timestamps")
        }
        ValueFormat::Zone(_) => ("a time zone", "zones are for timestamptz"),
        ValueFormat::Epoch(_) => ("an epoch", "epochs are for timestamp and timestamptz"),
        ValueFormat::Words { .. } => ("words", "words are for bool"),
        ValueFormat::Number(_) => ("separators", "separators are for numbers"),
    };
    Error::new(ErrorKind::InvalidConfig, format!("{column_type} has no use for {what}"))
        .with_hint(cure)
}

fn is_number(column_type: ColumnType) -> bool {
    use ColumnType::*;
    matches!(column_type, Int16 | Int32 | Int64 | Float32 | Float64 | Decimal(_))
}

fn is_calendar(column_type: ColumnType) -> bool {
    use ColumnType::*;
    matches!(column_type, Date | Time | Timestamp | TimestampTz)
}

fn has_formats(column_type: ColumnType) -> bool {
    is_number(column_type) || is_calendar(column_type) || column_type == ColumnType::Bool
}

#[cfg(test)]
mod tests;
