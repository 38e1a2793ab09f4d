//! The keys of `format` as they are typed, and the quantities that only they
//! have: delimiters, marks, header rows, widths.
//!
//! What they mean, and which of them go together, is decided in
//! [`file_format`](super::file_format).

use std::fmt;
use std::str::FromStr;

use decant_core::stream::Flatten;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use super::choices::JsonOrient;
use super::typed::Texts;
use super::units::{Letter, Size};

/// What the files look like. What is not given is detected.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Format {
    /// `auto`, or a format such as `csv`, `json` or `parquet`.
    #[serde(rename = "type")]
    pub name: Option<String>,
    /// How the files are compressed, where that cannot be seen: `brotli`.
    pub compression: Option<String>,
    /// The files' encoding, such as `utf-8`, `windows-1252` or `utf-16le`.
    pub encoding: Option<String>,
    /// Whether ragged rows and stray quotes are repaired, and counted, rather
    /// than rejected; `false` by default.
    pub lenient: Option<bool>,
    /// Separates fields: one character or several, such as `;` or `||`.
    pub delimiter: Option<Delimiter>,
    /// Encloses fields, or `none`.
    pub quote: Option<Mark>,
    /// Escapes a quote inside a quoted field; `none`: it is doubled.
    pub escape: Option<Mark>,
    /// Starts a line that is not data, or `none`.
    pub comment: Option<Mark>,
    /// Whether the first row names the columns, or how many rows do.
    pub header: Option<HeaderRows>,
    /// Lines to pass over before the header; of a workbook rows of the sheet,
    /// or of `range`.
    pub skip_rows: Option<u64>,
    /// Rows to leave out at the end: totals, footers.
    pub skip_footer: Option<u64>,
    /// Words that mean NULL when they stand without quotes.
    pub null_values: Option<Texts>,
    /// Between whole and fraction of a number: `.` or `,`.
    pub decimal: Option<DecimalMark>,
    /// Between groups of three digits: `,`, `.`, `'`, `space`, `nbsp` or
    /// `none`.
    pub thousands: Option<ThousandsMark>,
    /// Widths of the columns of fixed-width text, in characters.
    pub widths: Option<Widths>,
    /// Where the rows stand in a JSON document, as a JSON pointer: `/data`.
    pub records_path: Option<String>,
    /// Levels of nested objects that become columns of their own.
    pub flatten: Option<FlattenLevels>,
    /// How a JSON document holds its rows, in pandas' words.
    pub json_orient: Option<JsonOrient>,
    /// The element that is a row of an XML document.
    pub row_element: Option<String>,
    /// The sheet of a workbook; the first by default.
    pub sheet: Option<String>,
    /// The cells of a sheet, as in `B2:F100`; what is used by default.
    pub range: Option<String>,
    /// The longest row, such as `16MiB`.
    pub record_bytes_max: Option<Size>,
    /// The largest file after decompression.
    pub decompressed_bytes_max: Option<Size>,
    /// Most bytes after decompression for each byte before.
    pub decompression_ratio_max: Option<u64>,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Ok(Self { name: Some(name.to_owned()), ..Self::default() })
    }
}

/// One character or several that separate fields, or the name of one: `tab`,
/// `comma`, `semicolon`, `pipe`, `space`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Delimiter(pub String);

/// One ASCII character with a meaning, or `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Mark(pub Option<u8>);

/// Rows that name the columns: `true` is 1, `false` is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "SwitchOrNumber")]
pub struct HeaderRows(pub u32);

/// What stands between whole and fraction of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct DecimalMark(pub char);

/// What stands between groups of three digits, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct ThousandsMark(pub Option<char>);

/// Widths of columns, in characters: a list, or `4,10,6`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(with = "Vec<usize>")]
pub struct Widths(pub Vec<usize>);

/// Levels of objects that become columns: a number, or `{depth, separator}`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(with = "LevelsOrKeys")]
pub struct FlattenLevels(pub Flatten);

/// Between the names of the levels where nothing is said.
pub const FLATTEN_SEPARATOR: &str = "_";

#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum SwitchOrNumber {
    Switch(bool),
    Number(u32),
}

#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum LevelsOrKeys {
    Levels(u32),
    Keys(FlattenKeys),
}

/// Levels of objects that become columns, and what joins their names.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FlattenKeys {
    /// Levels of objects that become columns; what is deeper stays JSON.
    depth: u32,
    /// Between the names of the levels; `_` by default.
    separator: Option<String>,
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

from_string!(Delimiter, Mark, HeaderRows, DecimalMark, ThousandsMark);

/// Longest delimiter, in bytes.
const DELIMITER_BYTES_MAX: usize = 16;

impl FromStr for Delimiter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(Letter(byte)) = text.parse() {
            return Ok(Self(char::from(byte).to_string()));
        }
        let text = text.replace("\\t", "\t");
        if text.is_empty() || text.len() > DELIMITER_BYTES_MAX || text.contains(['\n', '\r', '\0'])
        {
            return Err(format!(
                "`{}` cannot separate fields; write one character or a few, such as `;` or `||`, \
                 or `tab`, `comma`, `semicolon`, `pipe`, `space`",
                text.escape_debug()
            ));
        }
        Ok(Self(text))
    }
}

impl FromStr for Mark {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" | "none" => Ok(Self(None)),
            _ => text.parse().map(|Letter(byte)| Self(Some(byte))),
        }
    }
}

impl FromStr for HeaderRows {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "true" => Ok(Self(1)),
            "false" | "none" => Ok(Self(0)),
            digits => digits.parse().map(Self).map_err(|_| {
                format!("`{text}` is neither `true` nor `false` nor a number of rows")
            }),
        }
    }
}

impl FromStr for DecimalMark {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "." | "point" => Ok(Self('.')),
            "," | "comma" => Ok(Self(',')),
            _ => Err(format!("`{text}` is no decimal separator; write `.` or `,`")),
        }
    }
}

impl FromStr for ThousandsMark {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self(Some(match text {
            "" | "none" => return Ok(Self(None)),
            "," | "comma" => ',',
            "." | "point" => '.',
            "'" => '\'',
            " " | "space" => ' ',
            "\u{a0}" | "nbsp" => '\u{a0}',
            _ => {
                return Err(format!(
                    "`{text}` does not separate thousands; write `,`, `.`, `'`, `space`, `nbsp` \
                     or `none`"
                ));
            }
        })))
    }
}

impl FromStr for Widths {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let widths: Option<Vec<usize>> = text.split(',').map(width).collect();
        widths.map(Self).ok_or_else(|| {
            format!("`{text}` are no widths; write the characters of each column, as in `4,10,6`")
        })
    }
}

fn width(text: &str) -> Option<usize> {
    text.trim().parse().ok().filter(|width| *width > 0)
}

impl FromStr for FlattenLevels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let depth = text.trim().parse().map_err(|_| {
            format!(
                "`{text}` is not a number of levels; write `1`, or `{{depth: 1, separator: .}}`"
            )
        })?;
        Ok(Self(Flatten { depth, separator: FLATTEN_SEPARATOR.into() }))
    }
}

impl<'de> Deserialize<'de> for Widths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WidthsVisitor;

        impl<'de> Visitor<'de> for WidthsVisitor {
            type Value = Widths;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of widths")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Widths, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Widths, A::Error> {
                let mut widths = Vec::new();
                while let Some(text) = list.next_element::<String>()? {
                    let refuse = || de::Error::custom(format!("`{text}` is no width"));
                    widths.push(width(&text).ok_or_else(refuse)?);
                }
                Ok(Widths(widths))
            }
        }

        deserializer.deserialize_any(WidthsVisitor)
    }
}

impl<'de> Deserialize<'de> for FlattenLevels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LevelsVisitor;

        impl<'de> Visitor<'de> for LevelsVisitor {
            type Value = FlattenLevels;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of levels, or `depth` and `separator`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<FlattenLevels, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<FlattenLevels, A::Error> {
                let keys = FlattenKeys::deserialize(MapAccessDeserializer::new(keys))?;
                let separator = keys.separator.unwrap_or_else(|| FLATTEN_SEPARATOR.into());
                Ok(FlattenLevels(Flatten { depth: keys.depth, separator }))
            }
        }

        deserializer.deserialize_any(LevelsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_one_character_or_a_few_or_named() {
        for (text, delimiter) in [
            (";", Some(";")),
            ("tab", Some("\t")),
            ("\\t", Some("\t")),
            ("||", Some("||")),
            (", ", Some(", ")),
            ("§", Some("§")),
            ("", None),
            ("\n", None),
            ("a delimiter that is far too long", None),
        ] {
            let expected = delimiter.map(|text| Delimiter(text.to_owned()));
            assert_eq!(text.parse::<Delimiter>().ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn marks_are_one_character_or_none() {
        assert_eq!("none".parse(), Ok(Mark(None)));
        assert_eq!("'".parse(), Ok(Mark(Some(b'\''))));
        assert!("''".parse::<Mark>().is_err());
    }

    #[test]
    fn header_rows_are_a_switch_or_a_number() {
        for (text, rows) in
            [("true", Some(1)), ("False", Some(0)), ("3", Some(3)), ("-1", None), ("many", None)]
        {
            assert_eq!(text.parse::<HeaderRows>().ok(), rows.map(HeaderRows), "{text}");
        }
    }

    #[test]
    fn number_marks_are_few() {
        assert_eq!(",".parse(), Ok(DecimalMark(',')));
        assert!(";".parse::<DecimalMark>().is_err());
        for (text, mark) in [("'", Some('\'')), ("space", Some(' ')), ("none", None)] {
            assert_eq!(text.parse(), Ok(ThousandsMark(mark)), "{text}");
        }
        assert!("_".parse::<ThousandsMark>().is_err());
    }

    #[test]
    fn widths_are_positive() {
        assert_eq!("4, 10,6".parse(), Ok(Widths(vec![4, 10, 6])));
        for text in ["", "4,,6", "4,0", "4,-1", "four"] {
            assert!(text.parse::<Widths>().is_err(), "{text}");
        }
    }
}
