//! Values as text and as JSON.
//!
//! Text is what the parsers of [`crate::values`] read back: ISO 8601, plain
//! decimals, the shortest digits of a double, hexadecimal behind `\x`. Lists
//! become JSON arrays, structs and maps objects.

use std::fmt::Write as _;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::ArrowNativeType;
use arrow_schema::{DataType, Field};
use decant_core::Result;

use super::cells::{Cells, Scalar};
use super::source::{Meaning, meaning};

/// Longest JSON of one nested value.
const DOCUMENT_BYTES_MAX: usize = 64 << 20;
const SECONDS_PER_DAY: i64 = 86_400;
const NANOSECONDS_PER_SECOND: i64 = 1_000_000_000;

/// The JSON is longer than any value may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TooLong;

/// Whether the JSON could be written.
pub(crate) type Written = std::result::Result<(), TooLong>;

/// A value as text.
pub(crate) fn text(scalar: &Scalar<'_>) -> String {
    match scalar {
        Scalar::Bool(value) => value.to_string(),
        Scalar::Integer(value) => value.to_string(),
        Scalar::Single(value) => single(*value),
        Scalar::Double(value) => double(*value),
        Scalar::Decimal(mantissa, scale) => decimal(&mantissa.to_string(), *scale),
        Scalar::Date(days) => date(*days),
        Scalar::Time(nanoseconds) => clock(*nanoseconds),
        Scalar::Moment(seconds, nanoseconds, zoned) => moment(*seconds, *nanoseconds, *zoned),
        Scalar::Text(value) | Scalar::JsonText(value) => (*value).to_owned(),
        Scalar::Rendered(value) => value.clone(),
        Scalar::Bytes(value) => hexadecimal(value),
        Scalar::Uuid(value) => uuid(*value),
        Scalar::Document(json) => json.clone().unwrap_or_default(),
    }
}

/// A value as JSON.
pub(crate) fn json(scalar: &Scalar<'_>) -> String {
    let mut json = String::new();
    // A value that is too long leaves its beginning, which only messages show.
    let _ = write_json(scalar, &mut json);
    json
}

/// Appends a value as JSON.
pub(crate) fn write_json(scalar: &Scalar<'_>, json: &mut String) -> Written {
    match scalar {
        Scalar::Bool(_) | Scalar::Integer(_) | Scalar::Decimal(..) => json.push_str(&text(scalar)),
        Scalar::Single(value) if value.is_finite() => json.push_str(&text(scalar)),
        Scalar::Double(value) if value.is_finite() => json.push_str(&text(scalar)),
        Scalar::JsonText(value) if is_json(value) => json.push_str(value),
        Scalar::Text(value) | Scalar::JsonText(value) => push_string(value, json),
        Scalar::Document(document) => json.push_str(document.as_deref().ok_or(TooLong)?),
        other => push_string(&text(other), json),
    }
    if json.len() > DOCUMENT_BYTES_MAX { Err(TooLong) } else { Ok(()) }
}

/// Whether the text is one JSON document.
pub(crate) fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Appends a JSON string.
pub(crate) fn push_string(value: &str, json: &mut String) {
    json.push('"');
    let mut plain = 0;
    for (at, byte) in value.bytes().enumerate() {
        if !matches!(byte, b'"' | b'\\' | 0..=0x1f) {
            continue;
        }
        json.push_str(&value[plain..at]);
        plain = at + 1;
        match byte {
            b'"' => json.push_str("\\\""),
            b'\\' => json.push_str("\\\\"),
            b'\n' => json.push_str("\\n"),
            b'\r' => json.push_str("\\r"),
            b'\t' => json.push_str("\\t"),
            // Writing into a string cannot fail.
            other => drop(write!(json, "\\u{other:04x}")),
        }
    }
    json.push_str(&value[plain..]);
    json.push('"');
}

fn single(value: f32) -> String {
    match value.abs() {
        0.0 | 1e-5..1e7 => value.to_string(),
        _ if value.is_finite() => format!("{value:e}"),
        _ => special(value.into()),
    }
}

fn double(value: f64) -> String {
    match value.abs() {
        0.0 | 1e-5..1e16 => value.to_string(),
        _ if value.is_finite() => format!("{value:e}"),
        _ => special(value),
    }
}

fn special(value: f64) -> String {
    match value {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    }
    .to_owned()
}

/// The digits of a mantissa, with a point where the scale has it.
pub(crate) fn decimal(mantissa: &str, scale: i8) -> String {
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", mantissa),
    };
    let places = usize::from(scale.unsigned_abs());
    match scale {
        0 => mantissa.to_owned(),
        ..0 if digits == "0" => mantissa.to_owned(),
        ..0 => format!("{mantissa}{}", "0".repeat(places)),
        _ => {
            let padded = format!("{digits:0>width$}", width = places + 1);
            let (whole, fraction) = padded.split_at(padded.len() - places);
            format!("{sign}{whole}.{fraction}")
        }
    }
}

fn date(days: i64) -> String {
    let (year, month, day) = civil(days);
    match year {
        0..=9999 => format!("{year:04}-{month:02}-{day:02}"),
        ..0 => format!("-{:04}-{month:02}-{day:02}", year.unsigned_abs()),
        _ => format!("+{year}-{month:02}-{day:02}"),
    }
}

/// Year, month and day of a number of days since 1970-01-01, in the proleptic
/// Gregorian calendar, years counted from March:
/// <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn clock(nanoseconds: i64) -> String {
    let seconds = nanoseconds.div_euclid(NANOSECONDS_PER_SECOND);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let rest = nanoseconds.rem_euclid(NANOSECONDS_PER_SECOND);
    format!("{hour:02}:{minute:02}:{second:02}{}", fraction(rest))
}

fn moment(seconds: i64, nanoseconds: u32, zoned: bool) -> String {
    let day = date(seconds.div_euclid(SECONDS_PER_DAY));
    let within = seconds.rem_euclid(SECONDS_PER_DAY) * NANOSECONDS_PER_SECOND;
    let zone = if zoned { "Z" } else { "" };
    format!("{day}T{}{zone}", clock(within + i64::from(nanoseconds)))
}

/// Nanoseconds within a second behind a point, without zeros at the end.
fn fraction(nanoseconds: i64) -> String {
    match nanoseconds {
        0 => String::new(),
        _ => format!(".{nanoseconds:09}").trim_end_matches('0').to_owned(),
    }
}

/// A length of time in ISO 8601: `PT1.5S`.
pub(crate) fn duration(value: i64, units_per_second: i64) -> String {
    let whole = value.unsigned_abs() / units_per_second.unsigned_abs();
    let rest = value.unsigned_abs() % units_per_second.unsigned_abs();
    let nanoseconds = rest * (1_000_000_000 / units_per_second.unsigned_abs());
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}PT{whole}{}S", fraction(nanoseconds as i64))
}

/// An interval in ISO 8601: `P1M2DT3.5S`.
pub(crate) fn interval(months: i32, days: i32, nanoseconds: i64) -> String {
    let mut text = String::from("P");
    if months != 0 {
        text.push_str(&format!("{months}M"));
    }
    if days != 0 {
        text.push_str(&format!("{days}D"));
    }
    if nanoseconds != 0 || text.len() == 1 {
        let sign = if nanoseconds < 0 { "-" } else { "" };
        let magnitude = nanoseconds.unsigned_abs();
        let rest = fraction((magnitude % 1_000_000_000) as i64);
        text.push_str(&format!("T{sign}{}{rest}S", magnitude / 1_000_000_000));
    }
    text
}

/// Bytes as Postgres writes them.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + bytes.len() * 2);
    text.push_str("\\x");
    for byte in bytes {
        for nibble in [byte >> 4, byte & 0xf] {
            text.push(char::from_digit(nibble.into(), 16).unwrap_or_default());
        }
    }
    text
}

fn uuid(bytes: [u8; 16]) -> String {
    let digits = hexadecimal(&bytes);
    let part = |from: usize, to: usize| digits.get(2 + from..2 + to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

/// A nested array, ready to be written as JSON.
pub(crate) struct Document<'a>(Shape<'a>);

enum Shape<'a> {
    /// Where the elements of a row stand among the values.
    List(Box<dyn Fn(usize) -> std::ops::Range<usize> + 'a>, Box<Cells<'a>>),
    Struct(Vec<(String, Cells<'a>)>),
    Map(Box<dyn Fn(usize) -> std::ops::Range<usize> + 'a>, Box<(Cells<'a>, Cells<'a>)>),
}

impl<'a> Document<'a> {
    /// `None` when the array is not nested; a union is what its children are.
    pub(crate) fn new(array: &'a ArrayRef) -> Result<Option<Self>> {
        let cells = |array: &'a ArrayRef, of: &Field| Cells::new(array, meaning(of)).map(Box::new);
        Ok(Some(Self(match array.data_type() {
            DataType::List(of) => {
                let list = array.as_list::<i32>();
                let range = |row| offsets(list.value_offsets(), row);
                Shape::List(Box::new(range), cells(list.values(), of)?)
            }
            DataType::LargeList(of) => {
                let list = array.as_list::<i64>();
                let range = |row| offsets(list.value_offsets(), row);
                Shape::List(Box::new(range), cells(list.values(), of)?)
            }
            DataType::ListView(of) => {
                let list = array.as_list_view::<i32>();
                let range = |row| view(list.value_offset(row), list.value_size(row));
                Shape::List(Box::new(range), cells(list.values(), of)?)
            }
            DataType::LargeListView(of) => {
                let list = array.as_list_view::<i64>();
                let range = |row| view(list.value_offset(row), list.value_size(row));
                Shape::List(Box::new(range), cells(list.values(), of)?)
            }
            DataType::FixedSizeList(of, _) => {
                let list = array.as_fixed_size_list();
                let range = |row| fixed(list.value_offset_at(row), list.value_length());
                Shape::List(Box::new(range), cells(list.values(), of)?)
            }
            DataType::Map(..) => {
                let map = array.as_map();
                let range = |row| offsets(map.value_offsets(), row);
                let plain = |array: &'a ArrayRef| Cells::new(array, Meaning::Plain);
                let pair = (plain(map.keys())?, plain(map.values())?);
                Shape::Map(Box::new(range), Box::new(pair))
            }
            DataType::Struct(fields) => {
                let columns = array.as_struct().columns();
                let named = fields.iter().zip(columns).map(|(field, column)| {
                    let mut key = String::new();
                    push_string(field.name(), &mut key);
                    Ok((key, Cells::new(column, Meaning::Plain)?))
                });
                Shape::Struct(named.collect::<Result<_>>()?)
            }
            _ => return Ok(None),
        })))
    }

    /// The value at `row`, which is not NULL; `None` when it is too long.
    pub(crate) fn render(&self, row: usize) -> Option<String> {
        let mut json = String::new();
        self.write(row, &mut json).ok().map(|()| json)
    }

    /// Appends the value at `row`, which is not NULL.
    pub(crate) fn write(&self, row: usize, json: &mut String) -> Written {
        match &self.0 {
            Shape::List(range, cells) => {
                json.push('[');
                for (nth, element) in range(row).enumerate() {
                    separate(nth, json);
                    cells.write_json(element, json)?;
                }
                json.push(']');
            }
            Shape::Struct(fields) => {
                json.push('{');
                for (nth, (key, cells)) in fields.iter().enumerate() {
                    separate(nth, json);
                    json.push_str(key);
                    json.push(':');
                    cells.write_json(row, json)?;
                }
                json.push('}');
            }
            Shape::Map(range, pair) => write_map(range(row), &pair.0, &pair.1, json)?,
        }
        if json.len() > DOCUMENT_BYTES_MAX { Err(TooLong) } else { Ok(()) }
    }
}

fn write_map(
    entries: std::ops::Range<usize>,
    keys: &Cells<'_>,
    values: &Cells<'_>,
    json: &mut String,
) -> Written {
    json.push('{');
    for (nth, entry) in entries.enumerate() {
        separate(nth, json);
        let key = keys.get(entry).map_or_else(|| "null".to_owned(), |key| text(&key));
        push_string(&key, json);
        json.push(':');
        values.write_json(entry, json)?;
    }
    json.push('}');
    Ok(())
}

fn separate(nth: usize, json: &mut String) {
    if nth > 0 {
        json.push(',');
    }
}

fn offsets<O: arrow_array::OffsetSizeTrait>(offsets: &[O], row: usize) -> std::ops::Range<usize> {
    let at = |row: usize| offsets.get(row).map_or(0, |offset| offset.as_usize());
    at(row)..at(row + 1)
}

fn view<O: arrow_array::OffsetSizeTrait>(start: O, length: O) -> std::ops::Range<usize> {
    start.as_usize()..start.as_usize() + length.as_usize()
}

fn fixed(start: usize, length: i32) -> std::ops::Range<usize> {
    start..start + length.as_usize()
}
