//! Whether what a database renders is the value that was sent.

use decant_core::schema::ColumnType;

use super::lists::is_same_list;

/// Compares canonical text with a database's rendering.
pub(super) fn is_same_value(
    column_type: ColumnType,
    sent: Option<&str>,
    found: Option<&str>,
) -> bool {
    match (sent, found) {
        (Some(sent), Some(found)) => is_same_text(column_type, sent, found),
        (sent, found) => sent.is_none() && found.is_none(),
    }
}

fn is_same_text(column_type: ColumnType, sent: &str, found: &str) -> bool {
    match column_type {
        ColumnType::Bool => is_true(found) == Some(sent == "true"),
        ColumnType::Int16 | ColumnType::Int32 | ColumnType::Int64 | ColumnType::Text => {
            sent == found
        }
        ColumnType::Float32 => {
            is_same_float(sent.parse().ok().map(f32::to_bits), found.parse().ok().map(f32::to_bits))
        }
        ColumnType::Float64 => {
            is_same_float(sent.parse().ok().map(f64::to_bits), found.parse().ok().map(f64::to_bits))
        }
        ColumnType::Decimal(_) => digits(sent) == digits(found),
        ColumnType::Date => sent == found,
        ColumnType::Time | ColumnType::Timestamp | ColumnType::TimestampTz => {
            moment(sent) == moment(found)
        }
        ColumnType::Uuid => uuid(sent) == uuid(found),
        ColumnType::Json => without_spaces(sent) == without_spaces(found),
        ColumnType::List(element) => is_same_list(element, sent, found),
        ColumnType::Binary => found.strip_prefix("\\x").unwrap_or(found).eq_ignore_ascii_case(sent),
    }
}

fn is_true(text: &str) -> Option<bool> {
    match text {
        "t" | "true" | "1" => Some(true),
        "f" | "false" | "0" => Some(false),
        _ => None,
    }
}

fn is_same_float<T: PartialEq>(sent: Option<T>, found: Option<T>) -> bool {
    sent.is_some() && sent == found
}

/// A decimal without the zeros that do not change its value.
fn digits(text: &str) -> String {
    let plain = match text.parse::<f64>() {
        Ok(number) if text.contains(['e', 'E']) => number.to_string(),
        _ => text.to_owned(),
    };
    match plain.contains('.') {
        true => plain.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => plain,
    }
}

/// A time or timestamp in UTC without the marks that vary.
fn moment(text: &str) -> String {
    let text = text.replace('T', " ");
    let zoneless = ["Z", "+00:00", "+00", " UTC"]
        .iter()
        .find_map(|zone| text.strip_suffix(zone))
        .unwrap_or(&text);
    match zoneless.contains('.') {
        true => zoneless.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => zoneless.to_owned(),
    }
}

fn uuid(text: &str) -> String {
    let digits = text.strip_prefix("\\x").unwrap_or(text);
    digits.replace('-', "").to_ascii_lowercase()
}

/// No sample has a space inside a string.
fn without_spaces(text: &str) -> String {
    text.replace(' ', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renderings_of_one_value_are_the_same_and_others_are_not() {
        for (column_type, sent, found, expected) in [
            (ColumnType::Bool, "true", "t", true),
            (ColumnType::Bool, "true", "0", false),
            (ColumnType::Float64, "-0.0", "-0", true),
            (ColumnType::Float64, "-0.0", "0", false),
            (ColumnType::Float64, "inf", "Infinity", true),
            (ColumnType::Float32, "0.1", "0.10000000149011612", true),
            (ColumnType::Decimal(None), "12.0", "12", true),
            (ColumnType::Decimal(None), "10000", "1e4", true),
            (ColumnType::Decimal(None), "100", "1", false),
            (ColumnType::TimestampTz, "2024-01-01 10:00:00.5", "2024-01-01T10:00:00.500Z", true),
            (ColumnType::Timestamp, "2024-01-01 10:00:00", "2024-01-01 10:00:00.000001", false),
            (ColumnType::Binary, "00ff", "\\x00FF", true),
            (ColumnType::Json, "{\"a\":1}", "{\"a\": 1}", true),
            (ColumnType::Text, "", " ", false),
        ] {
            assert_eq!(
                is_same_value(column_type, Some(sent), Some(found)),
                expected,
                "{column_type} {sent} {found}"
            );
        }
        assert!(!is_same_value(ColumnType::Text, Some(""), None));
        assert!(is_same_value(ColumnType::Text, None, None));
    }
}
