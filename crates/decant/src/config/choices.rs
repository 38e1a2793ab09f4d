//! Options that are one word of a few.
//!
//! What was typed has its own enums, apart from those of core: they know how
//! words are spelled, what is planned but not there yet, and how both are
//! told in a JSON Schema.

use decant_core::evidence::Decimals as CoreDecimals;
use decant_core::names::ColumnNames as CoreColumnNames;
use decant_core::stream;
use schemars::JsonSchema;
use serde::de::{Deserialize, Deserializer, Error as _};

macro_rules! choice {
    (
        $(#[$doc:meta])*
        $name:ident { $( $(#[$variant_doc:meta])* $variant:ident = $word:literal, )* }
        later { $( $(#[$later_doc:meta])* $later:ident = $later_word:literal, )* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
        pub enum $name {
            $( $(#[$variant_doc])* #[schemars(rename = $word)] $variant, )*
            $( $(#[$later_doc])* #[schemars(skip)] $later, )*
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }

        impl $name {
            /// The words that may be typed.
            pub const WORDS: &[&str] = &[$($word),*];
            /// Words that are understood, and refused as not supported yet.
            pub const LATER: &[&str] = &[$($later_word),*];

            /// The word that means this.
            pub fn word(self) -> &'static str {
                match self {
                    $( Self::$variant => $word, )*
                    $( Self::$later => $later_word, )*
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(word: &str) -> Result<Self, String> {
                match word {
                    $( $word => Ok(Self::$variant), )*
                    $( $later_word => Ok(Self::$later), )*
                    _ => Err(format!(
                        "`{word}` is not known here; {}",
                        super::deserialize::suggestion(word, Self::WORDS)
                    )),
                }
            }
        }
    };
}

choice! {
    /// What happens when the table exists.
    IfExists {
        /// Rows of new files are added.
        Append = "append",
        /// The table becomes exactly the rows of the selected files.
        Replace = "replace",
        /// The load is refused.
        Fail = "fail",
    }
    later {
        /// Rows are matched by key.
        Merge = "merge",
    }
}

choice! {
    /// What becomes visible at once.
    Atomic {
        /// A file, whatever its size.
        File = "file",
        /// A chunk of a file that is larger than one; needs `_file_id`.
        Chunk = "chunk",
    }
    later {}
}

choice! {
    /// What happens to rows that cannot be loaded.
    OnError {
        /// The file is rolled back and `failed`.
        Fail = "fail",
        /// They are kept as rejects and the rest is loaded.
        Reject = "reject",
        /// The file is rolled back and `skipped`.
        SkipFile = "skip-file",
    }
    later {}
}

choice! {
    /// What happens when a file that was loaded comes back with other content.
    OnChange {
        /// Its rows are replaced.
        Replace = "replace",
        /// The new rows are added to the old ones.
        Append = "append",
        /// The new content is left alone.
        Ignore = "ignore",
        /// The file fails.
        Fail = "fail",
    }
    later {}
}

choice! {
    /// What happens to columns that the table does not have.
    NewColumns {
        /// The table gets them.
        Add = "add",
        /// The file fails.
        Fail = "fail",
        /// They are left out, and the report says so.
        Ignore = "ignore",
        /// They are kept in the table's column `_rescued`.
        Rescue = "rescue",
        /// Rows that have a value in one are rejected.
        Reject = "reject",
    }
    later {}
}

choice! {
    /// What happens when a file lacks columns of the table.
    MissingColumns {
        /// They take their default, or NULL.
        Null = "null",
        /// The file fails.
        Fail = "fail",
    }
    later {}
}

choice! {
    /// Whether contradicting values change a table's types.
    TypePolicy {
        /// The column is widened until it keeps the value.
        Widen = "widen",
        /// The types stay.
        Frozen = "frozen",
    }
    later {}
}

choice! {
    /// What happens to a value that contradicts a frozen type.
    OnConflict {
        /// Its row is a bad row.
        Reject = "reject",
        /// It is kept in the table's column `_rescued`, and the row is loaded.
        Rescue = "rescue",
        /// The file fails, whatever `on_error` says.
        Fail = "fail",
    }
    later {}
}

choice! {
    /// How a JSON document holds its rows, in pandas' words.
    JsonOrient {
        /// An array of objects, or objects one after the other.
        Records = "records",
        /// `{"columns": […], "index": […], "data": [[…]]}`.
        Split = "split",
        /// An object of rows by their index.
        Index = "index",
        /// An object of columns, each an object by index.
        Columns = "columns",
        /// An array of arrays.
        Values = "values",
    }
    later {}
}

choice! {
    /// How a new table's columns are named.
    ColumnNames {
        /// `OrderDate` and `Order Date` become `order_date`.
        SnakeCase = "snake_case",
        /// As in the file.
        Source = "source",
    }
    later {}
}

choice! {
    /// How plain decimals are typed.
    Decimals {
        /// Exactly, where the destination can.
        Exact = "exact",
        /// As doubles, which round.
        Float = "float",
    }
    later {}
}

/// A word that is understood but has nothing behind it yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotYet {
    pub(super) word: &'static str,
    pub(super) allowed: &'static [&'static str],
}

impl IfExists {
    pub(super) fn meaning(self) -> Result<stream::WriteMode, NotYet> {
        match self {
            Self::Append => Ok(stream::WriteMode::Append),
            Self::Replace => Ok(stream::WriteMode::Replace),
            Self::Fail => Ok(stream::WriteMode::Fail),
            Self::Merge => Err(NotYet { word: "merge", allowed: Self::WORDS }),
        }
    }
}

impl OnError {
    pub(super) fn meaning(self) -> stream::OnError {
        match self {
            Self::Fail => stream::OnError::Fail,
            Self::Reject => stream::OnError::Reject,
            Self::SkipFile => stream::OnError::SkipFile,
        }
    }
}

impl OnChange {
    pub(super) fn meaning(self) -> stream::OnChange {
        match self {
            Self::Replace => stream::OnChange::Replace,
            Self::Append => stream::OnChange::Append,
            Self::Ignore => stream::OnChange::Ignore,
            Self::Fail => stream::OnChange::Fail,
        }
    }
}

impl NewColumns {
    pub(super) fn meaning(self) -> stream::NewColumns {
        match self {
            Self::Add => stream::NewColumns::Add,
            Self::Fail => stream::NewColumns::Fail,
            Self::Ignore => stream::NewColumns::Ignore,
            Self::Rescue => stream::NewColumns::Rescue,
            Self::Reject => stream::NewColumns::Reject,
        }
    }
}

impl MissingColumns {
    pub(super) fn meaning(self) -> stream::MissingColumns {
        match self {
            Self::Null => stream::MissingColumns::Null,
            Self::Fail => stream::MissingColumns::Fail,
        }
    }
}

impl TypePolicy {
    pub(super) fn meaning(self) -> stream::TypePolicy {
        match self {
            Self::Widen => stream::TypePolicy::Widen,
            Self::Frozen => stream::TypePolicy::Frozen,
        }
    }
}

impl Atomic {
    pub(super) fn meaning(self) -> stream::Atomic {
        match self {
            Self::File => stream::Atomic::File,
            Self::Chunk => stream::Atomic::Chunk,
        }
    }
}

impl OnConflict {
    pub(super) fn meaning(self) -> stream::OnConflict {
        match self {
            Self::Reject => stream::OnConflict::Reject,
            Self::Rescue => stream::OnConflict::Rescue,
            Self::Fail => stream::OnConflict::Fail,
        }
    }
}

impl JsonOrient {
    /// The name of the format that reads it.
    pub(super) fn format(self) -> &'static str {
        match self {
            Self::Records => "json-records",
            Self::Split => "json-split",
            Self::Index => "json-index",
            Self::Columns => "json-columns",
            Self::Values => "json-values",
        }
    }
}

impl ColumnNames {
    pub(super) fn meaning(self) -> CoreColumnNames {
        match self {
            Self::SnakeCase => CoreColumnNames::SnakeCase,
            Self::Source => CoreColumnNames::Source,
        }
    }
}

impl Decimals {
    pub(super) fn meaning(self) -> CoreDecimals {
        match self {
            Self::Exact => CoreDecimals::Exact,
            Self::Float => CoreDecimals::Float,
        }
    }
}
