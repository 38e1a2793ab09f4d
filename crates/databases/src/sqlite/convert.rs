//! Values that are in a table, as a wider type keeps them: by value, and so
//! that they can be read back.

use decant_core::schema::ColumnType;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};

/// A double counts to this without leaving an integer out.
const DOUBLE_COUNTS_TO: u64 = 1 << 53;
/// Doubles between these are written without an exponent.
const PLAIN: std::ops::Range<f64> = 1e-5..1e17;

/// What happens to each value of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conversion {
    /// Nothing.
    Keep,
    /// It becomes text: of a value of this type.
    Text(ColumnType),
    /// A day becomes its midnight.
    Midnight,
    /// An integer becomes a double, if one holds it.
    Double,
}

impl Conversion {
    /// From one type to a wider one, as SQLite stores both.
    pub(super) fn between(from: ColumnType, to: ColumnType) -> Self {
        use ColumnType::{Date, Decimal, Float32, Float64, Int16, Int32, Int64, Text, Timestamp};
        match (from, to) {
            (_, Text) => Self::Text(from),
            (Int16 | Int32 | Int64 | Decimal(_), Decimal(_)) => Self::Text(from),
            (Int16 | Int32 | Int64, Float32 | Float64) => Self::Double,
            (Date, Timestamp) => Self::Midnight,
            _ => Self::Keep,
        }
    }

    /// The value as the wider type keeps it; `None` when it would not survive.
    pub(super) fn convert(self, value: ValueRef<'_>) -> Option<ToSqlOutput<'_>> {
        let text = |text: String| Some(ToSqlOutput::Owned(Value::Text(text)));
        match (self, value) {
            (Self::Text(ColumnType::Bool), ValueRef::Integer(0)) => text("false".into()),
            (Self::Text(ColumnType::Bool), ValueRef::Integer(1)) => text("true".into()),
            (Self::Text(_), ValueRef::Integer(integer)) => text(integer.to_string()),
            (Self::Text(from), ValueRef::Real(real)) => text(real_text(from, real)),
            (Self::Text(_), ValueRef::Blob(bytes)) => text(bytes_text(bytes)),
            (Self::Midnight, ValueRef::Text(day)) if day.len() == 10 => {
                let day = String::from_utf8_lossy(day);
                text(format!("{day} 00:00:00"))
            }
            (Self::Double, ValueRef::Integer(integer)) => {
                let counts = integer.unsigned_abs() <= DOUBLE_COUNTS_TO;
                counts.then_some(ToSqlOutput::Owned(Value::Real(integer as f64)))
            }
            (_, value) => Some(ToSqlOutput::Borrowed(value)),
        }
    }
}

/// The shortest text that reads as this number again; as a single where it
/// was one.
fn real_text(from: ColumnType, real: f64) -> String {
    if real.is_infinite() {
        return if real > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let is_plain = real == 0.0
        || PLAIN.contains(&real.abs())
        || matches!(from, ColumnType::Decimal(_) | ColumnType::Text);
    let single = real as f32;
    match (from == ColumnType::Float32 && f64::from(single) == real, is_plain) {
        (true, true) => single.to_string(),
        (true, false) => format!("{single:e}"),
        (false, true) => real.to_string(),
        (false, false) => format!("{real:e}"),
    }
}

fn bytes_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("\\x");
    for byte in bytes {
        text.extend(
            [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[digit as usize])),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use ColumnType::{Bool, Date, Decimal, Float32, Float64, Int64, Text, Timestamp};

    use super::*;

    fn converted(from: ColumnType, to: ColumnType, value: Value) -> Option<Value> {
        match Conversion::between(from, to).convert((&value).into())? {
            ToSqlOutput::Owned(value) => Some(value),
            ToSqlOutput::Borrowed(value) => Some(value.try_into().unwrap()),
            _ => None,
        }
    }

    #[test]
    fn values_are_kept_by_value() {
        let text = |text: &str| Value::Text(text.to_owned());
        for (from, to, value, expected) in [
            (Int64, Text, Value::Integer(-5), text("-5")),
            (Bool, Text, Value::Integer(1), text("true")),
            (Bool, Text, Value::Integer(0), text("false")),
            (Float64, Text, Value::Real(12.0), text("12")),
            (Float64, Text, Value::Real(0.1), text("0.1")),
            (Float64, Text, Value::Real(1e300), text("1e300")),
            (Float64, Text, Value::Real(f64::NEG_INFINITY), text("-Infinity")),
            (Float32, Text, Value::Real(f64::from(0.1f32)), text("0.1")),
            (Decimal(None), Text, Value::Real(1e-10), text("0.0000000001")),
            (Date, Timestamp, text("2024-01-02"), text("2024-01-02 00:00:00")),
            (Date, Text, text("2024-01-02"), text("2024-01-02")),
            (Int64, Float64, Value::Integer(1 << 53), Value::Real(9_007_199_254_740_992.0)),
            (ColumnType::Binary, Text, Value::Blob(vec![0, 255]), text("\\x00ff")),
            (Int64, Text, Value::Null, Value::Null),
        ] {
            assert_eq!(converted(from, to, value.clone()), Some(expected), "{from} {to} {value:?}");
        }
        assert_eq!(converted(Int64, Float64, Value::Integer((1 << 53) + 1)), None);
        assert_eq!(converted(Int64, Float64, Value::Integer(i64::MIN)), None);
    }

    proptest::proptest! {
        #[test]
        fn every_double_reads_as_itself_again(bits in proptest::num::u64::ANY) {
            let real = f64::from_bits(bits);
            if !real.is_nan() {
                let text = real_text(Float64, real);
                proptest::prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits, "{}", text);
            }
        }
    }
}
