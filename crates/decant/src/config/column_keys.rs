//! The keys of `columns` as they are typed.
//!
//! What they mean, and how they contradict each other, is decided in
//! [`column_rules`](super::column_rules).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use decant_core::stream::AddedValue;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use super::choices::{ColumnNames, Decimals};
use super::deserialize::suggestion;
use super::type_names::TypeName;
use super::typed::Texts;
use super::units::Hidden;

/// What becomes of a file's columns.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Columns {
    /// New names by the files' names.
    pub rename: BTreeMap<String, String>,
    /// Other names that a column has in some files, by the column's name.
    pub aliases: BTreeMap<String, Texts>,
    /// Types by SQL, Arrow or pandas names, by the column's old or new name.
    pub types: BTreeMap<String, TypeName>,
    /// Only these columns, by their old or new names.
    pub select: Option<Texts>,
    /// All but these columns, by their old or new names.
    pub exclude: Option<Texts>,
    /// Every column without a type of its own as text.
    pub text: Option<bool>,
    /// How a new table's columns are named; `snake_case` by default.
    pub names: Option<ColumnNames>,
    /// How plain decimals are typed; `exact` by default.
    pub decimals: Option<Decimals>,
    /// Drops white space around values: `true` for all columns, or a list.
    pub trim: Option<TrimmedColumns>,
    /// Columns whose values become SHA-256 hashes: a list, or
    /// `{columns, key}` for HMAC.
    pub hash: Option<HashedColumns>,
    /// Columns whose values are starred out: a list, or how many of the last
    /// characters stay, by column.
    pub mask: Option<MaskedColumns>,
    /// Columns that are not in the file: `{file}`, `{last_modified}`,
    /// `{line}`, `{loaded_at}` or `{path:NAME}`, by the column's name.
    pub add: Option<AddedColumns>,
    /// A column with a hash of the row: its name, or `{name, columns, key}`.
    pub row_hash: Option<RowHash>,
}

/// Columns whose values lose the white space around them.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(with = "SwitchOrTexts")]
pub enum TrimmedColumns {
    /// None.
    None,
    /// All.
    All,
    /// These.
    These(Texts),
}

/// Columns whose values become hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(with = "TextsOrHash")]
pub struct HashedColumns {
    /// The columns, by their old or new names.
    pub columns: Texts,
    /// The key; with one, it is HMAC-SHA-256.
    pub key: Option<Hidden>,
}

/// How many of the last characters stay, by column.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(with = "TextsOrCounts")]
pub struct MaskedColumns(pub Vec<(String, usize)>);

/// Columns that are not in the file, in the order in which they were typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(with = "BTreeMap<String, String>")]
pub struct AddedColumns(pub Vec<(String, Origin)>);

/// Where the value of a column comes from that is not in the file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Origin(pub AddedValue);

/// A column with a hash of the row.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(with = "NameOrRowHash")]
pub struct RowHash {
    /// The column's name.
    pub name: String,
    /// What is hashed, by the names in the table; empty is all of the file's.
    pub columns: Texts,
    /// The key.
    pub key: Option<Hidden>,
}

#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum SwitchOrTexts {
    Switch(bool),
    Texts(Texts),
}

#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum TextsOrHash {
    Texts(Texts),
    Keys(HashKeys),
}

#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum TextsOrCounts {
    Texts(Texts),
    Counts(BTreeMap<String, usize>),
}

#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum NameOrRowHash {
    Name(String),
    Keys(RowHashKeys),
}

/// Columns whose values become hashes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HashKeys {
    /// The columns, by their old or new names.
    columns: Texts,
    /// The key of HMAC-SHA-256; best a variable: `${NAME}`.
    #[serde(default, deserialize_with = "given_key")]
    key: Option<Hidden>,
}

/// A column with a hash of the row.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RowHashKeys {
    /// The column's name.
    name: String,
    /// What is hashed, by the names in the table; all of the file's by
    /// default.
    #[serde(default)]
    columns: Texts,
    /// The key of HMAC-SHA-256; best a variable: `${NAME}`.
    #[serde(default, deserialize_with = "given_key")]
    key: Option<Hidden>,
}

/// A key that stands there is given, even where its variable is empty: no
/// hash may lose its key in silence.
fn given_key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Hidden>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(Some(Hidden::from(text.unwrap_or_default())))
}

const ORIGINS: [&str; 5] = ["{file}", "{last_modified}", "{line}", "{loaded_at}", "{path:NAME}"];

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = text.strip_prefix("{path:").and_then(|rest| rest.strip_suffix('}'));
        Ok(Self(match (text, path) {
            ("{file}", _) => AddedValue::File,
            ("{last_modified}", _) => AddedValue::LastModified,
            ("{line}", _) => AddedValue::Line,
            ("{loaded_at}", _) => AddedValue::LoadedAt,
            (_, Some(name)) if !name.is_empty() && !name.contains(['{', '}']) => {
                AddedValue::Path(name.to_owned())
            }
            _ => {
                return Err(format!("`{text}` is not known here; {}", suggestion(text, &ORIGINS)));
            }
        }))
    }
}

impl TryFrom<String> for Origin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Texts> for TrimmedColumns {
    fn from(texts: Texts) -> Self {
        match texts.0.as_slice() {
            [word] if matches!(word.as_str(), "true" | "all") => Self::All,
            [word] if word == "false" => Self::None,
            _ => Self::These(texts),
        }
    }
}

impl From<Texts> for HashedColumns {
    fn from(columns: Texts) -> Self {
        Self { columns, key: None }
    }
}

impl From<Texts> for MaskedColumns {
    fn from(columns: Texts) -> Self {
        Self(columns.0.into_iter().map(|column| (column, 0)).collect())
    }
}

/// A value that is a text, a list of texts, or keys.
trait TextsOrKeys<'de>: From<Texts> {
    const WANTED: &'static str;

    fn of_keys<A: MapAccess<'de>>(keys: A) -> Result<Self, A::Error>;
}

impl<'de> TextsOrKeys<'de> for TrimmedColumns {
    const WANTED: &'static str = "`true`, `false` or a list of columns";

    fn of_keys<A: MapAccess<'de>>(_keys: A) -> Result<Self, A::Error> {
        Err(de::Error::invalid_type(de::Unexpected::Map, &Self::WANTED))
    }
}

impl<'de> TextsOrKeys<'de> for HashedColumns {
    const WANTED: &'static str = "a list of columns, or `columns` and `key`";

    fn of_keys<A: MapAccess<'de>>(keys: A) -> Result<Self, A::Error> {
        let keys = HashKeys::deserialize(MapAccessDeserializer::new(keys))?;
        Ok(Self { columns: keys.columns, key: keys.key })
    }
}

impl<'de> TextsOrKeys<'de> for MaskedColumns {
    const WANTED: &'static str = "a list of columns, or numbers of characters by column";

    fn of_keys<A: MapAccess<'de>>(keys: A) -> Result<Self, A::Error> {
        in_order::<u64, A>(keys)?
            .into_iter()
            .map(|(column, keep)| usize::try_from(keep).map(|keep| (column, keep)))
            .collect::<Result<_, _>>()
            .map(Self)
            .map_err(de::Error::custom)
    }
}

impl<'de> TextsOrKeys<'de> for RowHash {
    const WANTED: &'static str = "a column's name, or `name`, `columns` and `key`";

    fn of_keys<A: MapAccess<'de>>(keys: A) -> Result<Self, A::Error> {
        let keys = RowHashKeys::deserialize(MapAccessDeserializer::new(keys))?;
        Ok(Self { name: keys.name, columns: keys.columns, key: keys.key })
    }
}

impl From<Texts> for RowHash {
    fn from(texts: Texts) -> Self {
        Self { name: texts.0.join(", "), ..Self::default() }
    }
}

fn in_order<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    mut keys: A,
) -> Result<Vec<(String, T)>, A::Error> {
    let mut pairs = Vec::new();
    while let Some(pair) = keys.next_entry::<String, T>()? {
        pairs.push(pair);
    }
    Ok(pairs)
}

struct TextsOrKeysVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: TextsOrKeys<'de>> Visitor<'de> for TextsOrKeysVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::WANTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        Ok(Texts(vec![text.to_owned()]).into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        Texts::deserialize(SeqAccessDeserializer::new(list)).map(T::from)
    }

    fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<T, A::Error> {
        T::of_keys(keys)
    }
}

macro_rules! texts_or_keys {
    ($($name:ident),*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(TextsOrKeysVisitor(std::marker::PhantomData))
            }
        }
    )*};
}

texts_or_keys!(TrimmedColumns, HashedColumns, MaskedColumns, RowHash);

impl<'de> Deserialize<'de> for AddedColumns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AddedVisitor;

        impl<'de> Visitor<'de> for AddedVisitor {
            type Value = AddedColumns;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("columns with what they hold, such as `source_file: \"{file}\"`")
            }

            fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<AddedColumns, A::Error> {
                in_order(keys).map(AddedColumns)
            }
        }

        deserializer.deserialize_any(AddedVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_known_by_their_braces() {
        for (text, value) in [
            ("{file}", AddedValue::File),
            ("{last_modified}", AddedValue::LastModified),
            ("{line}", AddedValue::Line),
            ("{loaded_at}", AddedValue::LoadedAt),
            ("{path:course_id}", AddedValue::Path("course_id".into())),
        ] {
            assert_eq!(text.parse(), Ok(Origin(value)), "{text}");
        }
        for (text, cure) in [
            ("{fiel}", "did you mean `{file}`?"),
            ("{path:}", "`{path:NAME}`"),
            ("file", "`{file}`"),
        ] {
            let refusal = text.parse::<Origin>().unwrap_err();
            assert!(refusal.contains(cure), "{refusal}");
        }
    }
}
