//! Quantities as people type them: `64MB`, `5m`, `2%`, `\t`.
//!
//! Each is read from text, in a file or on the command line alike.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use decant_core::secret::Secret;
use decant_core::stream::MaxRejects;
use schemars::JsonSchema;
use serde::Deserialize;

/// Bytes: a whole number with an optional unit (`KB`, `MB`, `GB`, `TB` by
/// thousands; `KiB`, `MiB`, `GiB`, `TiB` by 1024).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "NumberOrText")]
pub struct Size(pub u64);

/// A length of time: a number with a unit (`ms`, `s`, `m`, `h`, `d`); without
/// one it is seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "NumberOrText")]
pub struct Age(pub Duration);

/// How many rows of a file may be rejected: `N`, or `N%` of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "NumberOrText")]
pub struct RejectLimit(pub MaxRejects);

/// One ASCII character, such as `;`, or its name: `tab`, `comma`,
/// `semicolon`, `pipe`, `space`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Letter(pub u8);

/// Text that is never shown.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(from = "String")]
#[schemars(with = "String")]
pub struct Hidden(pub Secret);

/// How quantities look in the JSON Schema.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum NumberOrText {
    Number(u64),
    Text(String),
}

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(Secret::new(text))
    }
}

impl FromStr for Hidden {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self(Secret::new(text)))
    }
}

macro_rules! from_string {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }
    )*};
}

from_string!(Size, Age, RejectLimit, Letter);

const SIZE_UNITS: [(&str, u64); 14] = [
    ("", 1),
    ("b", 1),
    ("k", 1_000),
    ("kb", 1_000),
    ("kib", 1 << 10),
    ("m", 1_000_000),
    ("mb", 1_000_000),
    ("mib", 1 << 20),
    ("g", 1_000_000_000),
    ("gb", 1_000_000_000),
    ("gib", 1 << 30),
    ("t", 1_000_000_000_000),
    ("tb", 1_000_000_000_000),
    ("tib", 1 << 40),
];

const AGE_UNITS: [(&str, u64); 13] = [
    ("ms", 1),
    ("", 1_000),
    ("s", 1_000),
    ("sec", 1_000),
    ("seconds", 1_000),
    ("m", 60_000),
    ("min", 60_000),
    ("minutes", 60_000),
    ("h", 3_600_000),
    ("hours", 3_600_000),
    ("d", 86_400_000),
    ("day", 86_400_000),
    ("days", 86_400_000),
];

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        quantity(text, &SIZE_UNITS).map(Self).ok_or_else(|| {
            format!("`{text}` is not a size; write bytes, or a unit as in `64MB` or `8MiB`")
        })
    }
}

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        quantity(text, &AGE_UNITS).map(|millis| Self(Duration::from_millis(millis))).ok_or_else(
            || format!("`{text}` is not a length of time; write `30s`, `5m`, `2h` or `1d`"),
        )
    }
}

impl FromStr for RejectLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || format!("`{text}` is not a number of rows; write `100`, or `2%` of them");
        let Some(percent) = text.trim().strip_suffix('%') else {
            let rows = text.trim().replace('_', "").parse().map_err(|_| refuse())?;
            return Ok(Self(MaxRejects::Rows(rows)));
        };
        match percent.trim().parse() {
            Ok(percent) if (0.0..=100.0).contains(&percent) => {
                Ok(Self(MaxRejects::Percent(percent)))
            }
            _ => Err(refuse()),
        }
    }
}

impl FromStr for Letter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let byte = match text {
            "\\t" | "tab" => b'\t',
            "comma" => b',',
            "semicolon" => b';',
            "pipe" => b'|',
            "space" => b' ',
            _ => match text.as_bytes() {
                [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => *byte,
                _ => return Err(format!("`{text}` is not one ASCII character, such as `;`")),
            },
        };
        Ok(Self(byte))
    }
}

/// A number and a unit, without loss and without overflow.
fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let unit_at = text.find(|letter: char| !letter.is_ascii_digit() && !"._".contains(letter));
    let (number, unit) = text.split_at(unit_at.unwrap_or(text.len()));
    let unit = unit.trim().to_ascii_lowercase();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    let number = number.replace('_', "");
    match number.split_once('.') {
        None => number.parse::<u64>().ok()?.checked_mul(*factor),
        Some((whole, fraction)) => {
            let whole = whole.parse::<u64>().ok()?.checked_mul(*factor)?;
            let digits = u32::try_from(fraction.len()).ok().filter(|digits| *digits <= 6)?;
            let part = fraction.parse::<u64>().ok()?.checked_mul(*factor)? / 10_u64.pow(digits);
            whole.checked_add(part)
        }
    }
}

/// Bytes as a person reads them: `512 MiB`, `1500 bytes`.
pub(super) struct Bytes(pub(super) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        match units.iter().find(|(unit, _)| self.0 >= *unit && self.0.is_multiple_of(*unit)) {
            Some((unit, name)) => write!(f, "{} {name}", self.0 / unit),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_by_thousands_and_by_1024() {
        for (text, bytes) in [
            ("8MiB", Some(8 << 20)),
            ("64MB", Some(64_000_000)),
            ("64 mb", Some(64_000_000)),
            ("1.5GiB", Some(3 << 29)),
            ("100", Some(100)),
            ("1_000", Some(1_000)),
            ("", None),
            ("-1", None),
            ("8 apples", None),
            ("99999999TiB", None),
        ] {
            assert_eq!(text.parse::<Size>().ok(), bytes.map(Size), "{text}");
        }
    }

    #[test]
    fn lengths_of_time_are_read() {
        for (text, millis) in [
            ("30s", Some(30_000)),
            ("5m", Some(300_000)),
            ("45", Some(45_000)),
            ("1.5h", Some(5_400_000)),
            ("250ms", Some(250)),
            ("2d", Some(172_800_000)),
            ("soon", None),
            ("5 weeks", None),
        ] {
            let age = millis.map(|millis| Age(Duration::from_millis(millis)));
            assert_eq!(text.parse::<Age>().ok(), age, "{text}");
        }
    }

    #[test]
    fn rejects_are_limited_by_rows_or_percent() {
        for (text, limit) in [
            ("100", Some(MaxRejects::Rows(100))),
            ("0", Some(MaxRejects::Rows(0))),
            ("2.5%", Some(MaxRejects::Percent(2.5))),
            ("101%", None),
            ("NaN%", None),
            ("-1", None),
            ("many", None),
        ] {
            assert_eq!(text.parse::<RejectLimit>().ok(), limit.map(RejectLimit), "{text}");
        }
    }

    #[test]
    fn characters_are_single_or_named() {
        for (text, letter) in [
            (";", Some(b';')),
            ("\\t", Some(b'\t')),
            ("\t", Some(b'\t')),
            ("tab", Some(b'\t')),
            ("||", None),
            ("€", None),
            ("\n", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<Letter>().ok(), letter.map(Letter), "{text:?}");
        }
    }
}
