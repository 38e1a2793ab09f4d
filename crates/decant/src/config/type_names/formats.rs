//! What the arguments of a type mean: bounds, units, zones, and how values
//! are written.

use decant_core::schema::{ColumnType, DecimalBounds};
use decant_core::value_format::{EpochUnit, GivenType, NumberFormat, ValueFormat};

use super::spelling::Argument::{self, Bare, Quoted};

/// The type with its arguments.
pub(super) fn with_arguments(
    base: ColumnType,
    arguments: &[Argument],
) -> Result<GivenType, String> {
    use ColumnType::*;
    match base {
        _ if arguments.is_empty() => Ok(base.into()),
        Bool => words(arguments),
        Decimal(None) => decimal(arguments),
        Int16 | Int32 | Int64 | Float32 | Float64 | Decimal(Some(_)) => number(base, arguments),
        Date | Time => date_or_time(base, arguments),
        Timestamp | TimestampTz => timestamp(base, arguments),
        // The length is the table's business: nothing is ever cut.
        Text | Binary => match arguments {
            [Bare(length)] if is_length(length) => Ok(base.into()),
            _ => Err(no_sense(arguments)),
        },
        Json | List(_) | Uuid => Err(no_sense(arguments)),
    }
}

fn no_sense(arguments: &[Argument]) -> String {
    let texts: Vec<&str> = arguments.iter().map(Argument::text).collect();
    format!("`{}` makes no sense here", texts.join(", "))
}

fn given(column_type: ColumnType, format: ValueFormat) -> Result<GivenType, String> {
    Ok(GivenType { column_type, format: Some(format) })
}

/// `bool('yes|y', 'no|n')`.
fn words(arguments: &[Argument]) -> Result<GivenType, String> {
    let [yes, no] = arguments else {
        return Err(format!("{}; words are given like bool('yes|y', 'no|n')", no_sense(arguments)));
    };
    let split = |words: &Argument| words.text().split('|').map(str::to_owned).collect();
    given(ColumnType::Bool, ValueFormat::Words { yes: split(yes), no: split(no) })
}

/// `numeric(12)`, `numeric(12,2)`, and separators behind them.
fn decimal(arguments: &[Argument]) -> Result<GivenType, String> {
    let digits = arguments.iter().take_while(|argument| matches!(argument, Bare(_))).count();
    let (digits, separators) = arguments.split_at(digits);
    let column_type = match digits {
        [] => ColumnType::Decimal(None),
        [precision] => bounded(precision.text(), "0")?,
        [precision, scale] => bounded(precision.text(), scale.text())?,
        _ => return Err(no_sense(arguments)),
    };
    number(column_type, separators)
}

fn bounded(precision: &str, scale: &str) -> Result<ColumnType, String> {
    let digits = |text: &str| text.parse::<u8>().ok();
    match (digits(precision), digits(scale)) {
        (Some(precision @ 1..=38), Some(scale)) if scale <= precision => {
            let scale = i8::try_from(scale).map_err(|error| error.to_string())?;
            Ok(ColumnType::Decimal(Some(DecimalBounds { precision, scale })))
        }
        _ => Err("a decimal has 1 to 38 digits, and not more than all behind the point".into()),
    }
}

/// What separates the fraction, and perhaps the thousands: `',', '.'`.
fn number(column_type: ColumnType, separators: &[Argument]) -> Result<GivenType, String> {
    let letter = |text: &str| {
        let mut letters = text.chars();
        letters.next().filter(|_| letters.next().is_none())
    };
    let numbers = match separators {
        [] => return Ok(column_type.into()),
        [Quoted(decimal)] => {
            letter(decimal).map(|decimal| NumberFormat { decimal, thousands: None })
        }
        [Quoted(decimal), Quoted(thousands)] => letter(decimal)
            .zip(letter(thousands))
            .map(|(decimal, thousands)| NumberFormat { decimal, thousands: Some(thousands) }),
        // How wide a number is shown, as MySQL has it.
        [Bare(width)] if width.parse::<u8>().is_ok() => return Ok(column_type.into()),
        _ => None,
    };
    match numbers {
        Some(numbers) => given(column_type, ValueFormat::Number(numbers)),
        None => Err(format!(
            "{}; separators are given like {column_type}(',', '.'): that of the fraction, then \
             that of thousands",
            no_sense(separators)
        )),
    }
}

fn date_or_time(base: ColumnType, arguments: &[Argument]) -> Result<GivenType, String> {
    match arguments {
        [Bare(unit)] if base == ColumnType::Date && is_day(unit) => Ok(base.into()),
        [Bare(unit)] if base == ColumnType::Time && is_precision(unit) => Ok(base.into()),
        [Quoted(pattern)] => given(base, pattern_of(pattern, None)),
        _ => Err(no_sense(arguments)),
    }
}

/// Units, epochs, patterns and zones. A timestamp in a zone is a moment.
fn timestamp(base: ColumnType, arguments: &[Argument]) -> Result<GivenType, String> {
    let moment = ColumnType::TimestampTz;
    match arguments {
        [Bare(unit)] if is_precision(unit) => Ok(base.into()),
        [Bare(word)] if epoch(word).is_some() => {
            Ok(GivenType { column_type: base, format: epoch(word).map(ValueFormat::Epoch) })
        }
        [Bare(unit), zone] if is_precision(unit) => {
            match zone.text().trim_start_matches("tz=").trim_matches(['\'', '"', ' ']) {
                "" | "none" | "None" => Ok(base.into()),
                zone => given(moment, ValueFormat::Zone(zone.to_owned())),
            }
        }
        [Quoted(pattern)] if pattern.contains('%') || !is_zone_like(pattern) => {
            given(base, pattern_of(pattern, None))
        }
        [Quoted(zone)] => given(moment, ValueFormat::Zone(zone.clone())),
        [Quoted(pattern), Quoted(zone)] => given(moment, pattern_of(pattern, Some(zone))),
        _ => Err(no_sense(arguments)),
    }
}

fn pattern_of(pattern: &str, zone: Option<&String>) -> ValueFormat {
    ValueFormat::Pattern { pattern: pattern.to_owned(), zone: zone.cloned() }
}

/// Whether this could be a zone's name rather than a pattern without
/// conversions: `UTC`, `Europe/Paris`, not `DD/MM/YYYY`.
fn is_zone_like(text: &str) -> bool {
    let is_part = |part: &str| part.starts_with(|first: char| first.is_ascii_uppercase());
    !text.contains([':', ' ', '.']) && !text.contains("YY") && text.split('/').all(is_part)
}

fn epoch(word: &str) -> Option<EpochUnit> {
    Some(match word.to_ascii_lowercase().as_str() {
        "epoch" | "epoch_s" => EpochUnit::Seconds,
        "epoch_ms" => EpochUnit::Milliseconds,
        "epoch_us" => EpochUnit::Microseconds,
        "epoch_ns" => EpochUnit::Nanoseconds,
        _ => return None,
    })
}

/// What an Arrow date counts.
fn is_day(unit: &str) -> bool {
    matches!(unit, "day" | "ms")
}

fn is_precision(unit: &str) -> bool {
    let unit = unit.to_ascii_lowercase();
    matches!(unit.as_str(), "s" | "ms" | "us" | "ns") || matches!(unit.parse::<u8>(), Ok(0..=9))
}

fn is_length(length: &str) -> bool {
    length.eq_ignore_ascii_case("max") || length.parse::<u32>().is_ok()
}
