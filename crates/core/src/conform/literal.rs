//! Constants as text, read in a column's type: what filters compare with,
//! and what paths say.
//!
//! Strict and small on purpose: the ISO forms and plain numbers, nothing
//! that could mean two things. The text of files is read by the formats.

use std::cmp::Ordering;
use std::iter::repeat_n;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float32Array,
    Float64Array, Int16Array, Int32Array, Int64Array, StringArray, Time64MicrosecondArray,
    TimestampMicrosecondArray,
};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use crate::schema::ColumnType;
use crate::value_format::ValueFormat;

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Bool(bool),
    Number(Number),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970-01-01T00:00:00, with a zone in UTC.
    Timestamp(i64),
    Uuid([u8; 16]),
    Text(String),
}

/// A number: exact where it is a plain decimal of at most 38 digits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Number {
    pub(super) exact: Option<Exact>,
    pub(super) float: f64,
}

/// `unscaled` / 10 ^ `scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exact {
    pub(super) unscaled: i128,
    /// 0 to 38.
    pub(super) scale: u32,
}

impl Exact {
    /// By value, whatever the scales.
    pub(super) fn compare(self, other: Self) -> Ordering {
        let parts = |it: Self| {
            let unit = 10i128.checked_pow(it.scale).unwrap_or(i128::MAX);
            (it.unscaled.div_euclid(unit), it.unscaled.rem_euclid(unit))
        };
        let scale = self.scale.max(other.scale);
        let ((mine, my_rest), (theirs, their_rest)) = (parts(self), parts(other));
        let raised = |rest: i128, from: u32| {
            rest.saturating_mul(10i128.checked_pow(scale - from).unwrap_or(i128::MAX))
        };
        mine.cmp(&theirs)
            .then_with(|| raised(my_rest, self.scale).cmp(&raised(their_rest, other.scale)))
    }

    pub(super) fn to_float(self) -> f64 {
        self.unscaled as f64 / 10f64.powi(self.scale as i32)
    }
}

impl Literal {
    /// Reads `text` as a value of `column_type`; `None` where it is none, and
    /// for binary columns, which have no text.
    pub(super) fn read(text: &str, column_type: ColumnType) -> Option<Self> {
        use ColumnType::*;
        match column_type {
            Bool => truth(text).map(Self::Bool),
            Int16 | Int32 | Int64 | Float32 | Float64 | Decimal(_) => {
                number(text).map(Self::Number)
            }
            Date => date(text).map(days).map(Self::Date),
            Time => time(text).map(|time| Self::Time(time_microseconds(time))),
            Timestamp => timestamp(text).map(microseconds).map(Self::Timestamp),
            TimestampTz => moment(text).map(Self::Timestamp),
            Uuid => uuid(text).map(Self::Uuid),
            Text | Json => Some(Self::Text(text.to_owned())),
            Binary | List(_) => None,
        }
    }

    /// Reads `text` as `format` says, where it is a pattern for days or
    /// timestamps.
    pub(super) fn read_as(
        text: &str,
        column_type: ColumnType,
        format: Option<&ValueFormat>,
    ) -> Option<Self> {
        match (format, column_type) {
            (None, _) => Self::read(text, column_type),
            (Some(ValueFormat::Pattern { pattern, zone: None }), ColumnType::Date) => {
                NaiveDate::parse_from_str(text, pattern).ok().map(days).map(Self::Date)
            }
            (Some(ValueFormat::Pattern { pattern, zone: None }), ColumnType::Timestamp) => {
                let read = NaiveDateTime::parse_from_str(text, pattern).ok();
                read.map(microseconds).map(Self::Timestamp)
            }
            (Some(_), _) => None,
        }
    }

    /// `rows` times this value, in the representation of `column_type`;
    /// `None` where the type does not hold it.
    pub(super) fn array(&self, column_type: ColumnType, rows: usize) -> Option<ArrayRef> {
        use ColumnType::{Int16, Int32, Int64, TimestampTz};
        Some(match (self, column_type) {
            (Self::Bool(it), _) => Arc::new(BooleanArray::from(vec![*it; rows])),
            (Self::Date(it), _) => Arc::new(Date32Array::from(vec![*it; rows])),
            (Self::Time(it), _) => Arc::new(Time64MicrosecondArray::from(vec![*it; rows])),
            (Self::Timestamp(it), TimestampTz) => {
                Arc::new(TimestampMicrosecondArray::from(vec![*it; rows]).with_timezone("UTC"))
            }
            (Self::Timestamp(it), _) => Arc::new(TimestampMicrosecondArray::from(vec![*it; rows])),
            (Self::Text(it), _) => {
                Arc::new(StringArray::from_iter_values(repeat_n(it.as_str(), rows)))
            }
            (Self::Uuid(it), _) => Arc::new(
                FixedSizeBinaryArray::try_from_iter(repeat_n(it, rows))
                    .unwrap_or_else(|_| FixedSizeBinaryArray::new_null(16, rows)),
            ),
            (Self::Number(it), Int16) => Arc::new(Int16Array::from(vec![it.whole::<i16>()?; rows])),
            (Self::Number(it), Int32) => Arc::new(Int32Array::from(vec![it.whole::<i32>()?; rows])),
            (Self::Number(it), Int64) => Arc::new(Int64Array::from(vec![it.whole::<i64>()?; rows])),
            (Self::Number(it), ColumnType::Float32) => {
                let narrow = it.float as f32;
                narrow.is_finite().then(|| Arc::new(Float32Array::from(vec![narrow; rows])))?
            }
            (Self::Number(it), ColumnType::Float64) => {
                Arc::new(Float64Array::from(vec![it.float; rows]))
            }
            (Self::Number(it), ColumnType::Decimal(bounds)) => {
                let exact = it.exact?;
                let (precision, scale) =
                    bounds.map_or((38, exact.scale as i8), |it| (it.precision, it.scale));
                let raise = u32::try_from(scale).ok()?.checked_sub(exact.scale)?;
                let unscaled = exact.unscaled.checked_mul(10i128.checked_pow(raise)?)?;
                let fits = unscaled.unsigned_abs() < 10u128.checked_pow(precision.into())?;
                let array = Decimal128Array::from(vec![fits.then_some(unscaled)?; rows]);
                Arc::new(array.with_precision_and_scale(precision, scale).ok()?)
            }
            (Self::Number(_), _) => return None,
        })
    }
}

impl Number {
    fn whole<T: TryFrom<i128>>(self) -> Option<T> {
        let Exact { unscaled, scale } = self.exact?;
        let unit = 10i128.checked_pow(scale)?;
        (unscaled % unit == 0).then(|| T::try_from(unscaled / unit).ok()).flatten()
    }
}

fn truth(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

pub(super) fn number(text: &str) -> Option<Number> {
    let plain = |text: &str| text.bytes().all(|byte| b"0123456789.+-eE".contains(&byte));
    let float = text.parse::<f64>().ok().filter(|float| float.is_finite() && plain(text))?;
    Some(Number { exact: exact(text), float })
}

fn exact(text: &str) -> Option<Exact> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let unscaled: i128 = format!("{whole}{fraction}").parse().ok()?;
    let fits = unscaled.unsigned_abs() < 10u128.pow(38) && fraction.len() <= 38;
    fits.then_some(Exact { unscaled, scale: fraction.len() as u32 })
}

/// Whether `text` is digits where `form` has `0`, and else is the same.
fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            _ => byte == form,
        })
}

fn date(text: &str) -> Option<NaiveDate> {
    let is_iso = has_form(text, "0000-00-00") && !text.starts_with("0000");
    is_iso.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()
}

fn time(text: &str) -> Option<NaiveTime> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let digits = |text: &str| {
        (1..=6).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    match fraction {
        Some(fraction) if has_form(clock, "00:00:00") && digits(fraction) => {
            NaiveTime::parse_from_str(text, "%H:%M:%S%.f").ok()
        }
        None if has_form(clock, "00:00:00") => NaiveTime::parse_from_str(text, "%H:%M:%S").ok(),
        None if has_form(clock, "00:00") => NaiveTime::parse_from_str(text, "%H:%M").ok(),
        _ => None,
    }
    .filter(|time| time.nanosecond() < 1_000_000_000)
}

/// A day alone is its midnight.
fn timestamp(text: &str) -> Option<NaiveDateTime> {
    if let Some(day) = date(text) {
        return Some(day.and_time(NaiveTime::MIN));
    }
    let (day, clock) = text.split_once(['T', ' '])?;
    Some(date(day)?.and_time(time(clock)?))
}

/// Without an offset it is in UTC.
fn moment(text: &str) -> Option<i64> {
    if let Some(local) = timestamp(text.strip_suffix('Z').unwrap_or(text)) {
        return Some(microseconds(local));
    }
    let at = text.len().checked_sub(6).filter(|at| text.is_char_boundary(*at))?;
    let (local, offset) = text.split_at(at);
    let local = timestamp(local.trim_end())?;
    let is_offset = offset.get(1..).is_some_and(|it| has_form(it, "00:00"));
    let whole = format!("{}{offset}", local.format("%Y-%m-%dT%H:%M:%S%.6f"));
    let moment = is_offset.then(|| DateTime::parse_from_rfc3339(&whole).ok()).flatten()?;
    Some(moment.timestamp_micros())
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let digits: String = match text.len() {
        36 if [8, 13, 18, 23].iter().all(|at| text.as_bytes()[*at] == b'-') => {
            text.split('-').collect()
        }
        32 => text.to_owned(),
        _ => return None,
    };
    let is_hexadecimal = digits.len() == 32 && digits.bytes().all(|it| it.is_ascii_hexdigit());
    let value = is_hexadecimal.then(|| u128::from_str_radix(&digits, 16).ok()).flatten()?;
    Some(value.to_be_bytes())
}

fn days(date: NaiveDate) -> i32 {
    date.to_epoch_days()
}

fn time_microseconds(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * 1_000_000 + i64::from(time.nanosecond() / 1000)
}

fn microseconds(timestamp: NaiveDateTime) -> i64 {
    timestamp.and_utc().timestamp_micros()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::DecimalBounds;

    #[test]
    fn constants_are_read_strictly() {
        use ColumnType::*;
        for (text, column_type, is_one) in [
            ("true", Bool, true),
            ("1", Bool, false),
            ("-12.50", Int64, true),
            ("1e3", Float64, true),
            ("inf", Float64, false),
            ("1_000", Int64, false),
            (" 1", Int64, false),
            ("2024-02-29", Date, true),
            ("2023-02-29", Date, false),
            ("2024-2-9", Date, false),
            ("0000-01-01", Date, false),
            ("23:59:59.999999", Time, true),
            ("24:00", Time, false),
            ("23:59:60", Time, false),
            ("2024-01-02 03:04", Timestamp, true),
            ("2024-01-02T03:04:05Z", Timestamp, false),
            ("2024-01-02T03:04:05Z", TimestampTz, true),
            ("2024-01-02T03:04:05+02:00", TimestampTz, true),
            ("2024-01-02T03:04:05é2:00", TimestampTz, false),
            ("123e4567-e89b-12d3-a456-426614174000", Uuid, true),
            ("123e4567e89b12d3a456426614174000", Uuid, true),
            ("+23e4567e89b12d3a456426614174000", Uuid, false),
            ("x", Binary, false),
        ] {
            assert_eq!(Literal::read(text, column_type).is_some(), is_one, "{text} {column_type}");
        }
    }

    #[test]
    fn an_offset_is_taken_off() {
        let read = |text| Literal::read(text, ColumnType::TimestampTz).unwrap();
        assert_eq!(read("2024-01-02T03:04:05.5+02:00"), read("2024-01-02 01:04:05.5"));
        assert_eq!(read("1970-01-01T00:00:01Z"), Literal::Timestamp(1_000_000));
    }

    #[test]
    fn a_pattern_reads_days_that_are_not_iso() {
        let format = ValueFormat::Pattern { pattern: "%Y%m%d".into(), zone: None };
        let read = |text| Literal::read_as(text, ColumnType::Date, Some(&format));
        assert_eq!(read("20240102"), Literal::read("2024-01-02", ColumnType::Date));
        assert_eq!(read("2024-01-02"), None);
    }

    #[test]
    fn a_value_that_the_type_does_not_hold_makes_no_array() {
        let bounds = ColumnType::Decimal(Some(DecimalBounds { precision: 4, scale: 2 }));
        for (text, column_type, fits) in [
            ("32767", ColumnType::Int16, true),
            ("32768", ColumnType::Int16, false),
            ("1.0", ColumnType::Int64, true),
            ("1.5", ColumnType::Int64, false),
            ("12.34", bounds, true),
            ("123.4", bounds, false),
            ("1.234", bounds, false),
            ("1e300", ColumnType::Float32, false),
            ("1.234", ColumnType::Decimal(None), true),
        ] {
            let literal = Literal::read(text, column_type).unwrap();
            assert_eq!(literal.array(column_type, 2).is_some(), fits, "{text} {column_type}");
        }
    }

    proptest::proptest! {
        #[test]
        fn decimals_compare_by_value(
            one in -1_000_000i64..1_000_000, one_scale in 0u32..7,
            other in -1_000_000i64..1_000_000, other_scale in 0u32..7,
        ) {
            let exact = |unscaled: i64, scale| Exact { unscaled: unscaled.into(), scale };
            let raised =
                |unscaled: i64, scale: u32| i128::from(unscaled) * 10i128.pow(6 - scale);
            proptest::prop_assert_eq!(
                exact(one, one_scale).compare(exact(other, other_scale)),
                raised(one, one_scale).cmp(&raised(other, other_scale))
            );
        }
    }
}
