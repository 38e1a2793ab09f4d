//! Why a value does not fit its column, as a sentence that quotes it.

use decant_core::schema::ColumnType;
use decant_core::value_format::{EpochUnit, NumberFormat};

use super::Misfit;
use super::reader::{Reader, Way};

/// Characters of a value beyond which it is shortened.
const QUOTED_CHARACTERS_MAX: usize = 80;

impl Reader {
    /// Why `value` does not fit: `` `12,50` is not a number (int64) ``.
    pub fn complaint(&self, misfit: Misfit, value: &[u8]) -> String {
        if let Some(complaint) = self.element_complaint(value) {
            return complaint;
        }
        let column_type = self.column_type();
        let value = quoted(value);
        let zone = self.zone_name();
        match misfit {
            Misfit::Spelling => format!("{value} is not {} ({column_type})", self.expected()),
            Misfit::Range => format!("{value} is out of range ({column_type})"),
            Misfit::Precision => format!("{value} has more digits than {column_type} keeps"),
            Misfit::ShownTwice => {
                format!(
                    "{value} is ambiguous in {zone}, where clocks were set back ({column_type})"
                )
            }
            Misfit::NeverShown => format!(
                "{value} does not exist in {zone}, where clocks were set forward ({column_type})"
            ),
        }
    }

    fn zone_name(&self) -> &'static str {
        match &self.way {
            Way::Zone(zone) => zone.name(),
            Way::Pattern { pattern, .. } => pattern.zone().map_or("UTC", |zone| zone.name()),
            _ => "UTC",
        }
    }

    fn expected(&self) -> String {
        let noun = noun(self.column_type());
        match &self.way {
            Way::Usual => noun.to_owned(),
            Way::Pattern { text, .. } => format!("{} like `{text}`", bare_noun(self.column_type())),
            Way::Zone(_) => bare_noun(self.column_type()).to_owned(),
            Way::Epoch(unit) => format!("a number of {} since 1970", unit_name(*unit)),
            Way::Words(words) => {
                let words: Vec<String> = words.all().map(|word| format!("`{word}`")).collect();
                format!("one of {}", words.join(", "))
            }
            Way::Number(format) => format!("{noun} {}", separators(*format)),
        }
    }
}

fn noun(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Timestamp => "a timestamp without a zone",
        ColumnType::TimestampTz => "a timestamp with an offset from UTC",
        other => bare_noun(other),
    }
}

fn bare_noun(column_type: ColumnType) -> &'static str {
    use ColumnType::*;
    match column_type {
        Bool => "true or false",
        Int16 | Int32 | Int64 | Float32 | Float64 | Decimal(_) => "a number",
        Date => "a date",
        Time => "a time",
        Timestamp | TimestampTz => "a timestamp",
        Uuid => "a UUID",
        Text => "text",
        Json => "a JSON document",
        List(_) => "a JSON list of scalars",
        Binary => "hexadecimal behind `\\x`",
    }
}

fn unit_name(unit: EpochUnit) -> &'static str {
    match unit {
        EpochUnit::Seconds => "seconds",
        EpochUnit::Milliseconds => "milliseconds",
        EpochUnit::Microseconds => "microseconds",
        EpochUnit::Nanoseconds => "nanoseconds",
    }
}

fn separators(format: NumberFormat) -> String {
    let name = |letter: char| match letter {
        letter if letter.is_whitespace() => "a space".to_owned(),
        letter => format!("`{letter}`"),
    };
    let decimal = name(format.decimal);
    match format.thousands {
        Some(thousands) => {
            format!("with {decimal} as point and {} between thousands", name(thousands))
        }
        None => format!("with {decimal} as point"),
    }
}

/// The value between backticks, shortened, with control characters escaped.
pub(crate) fn quoted(value: &[u8]) -> String {
    let start = &value[..value.len().min(QUOTED_CHARACTERS_MAX * 4)];
    let text = String::from_utf8_lossy(start);
    let mut characters = text.chars();
    let mut shown: String =
        characters.by_ref().take(QUOTED_CHARACTERS_MAX).flat_map(escape).collect();
    if characters.next().is_some() || start.len() < value.len() {
        shown.push('…');
    }
    format!("`{shown}`")
}

fn escape(character: char) -> impl Iterator<Item = char> {
    let escaped = character.is_control().then(|| character.escape_default());
    let plain = escaped.is_none().then_some(character);
    escaped.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_shortened_by_characters() {
        let long = "ü".repeat(500);
        assert_eq!(quoted(long.as_bytes()), format!("`{}…`", "ü".repeat(80)));
        assert_eq!(quoted("ü".repeat(80).as_bytes()), format!("`{}`", "ü".repeat(80)));
    }
}
