//! What was typed: the keys of `decant.yaml`, before anything is decided.
//!
//! Every key is optional here, so that the same structs describe a whole
//! configuration and the part of one that a profile changes. The comments on
//! the fields are the descriptions in the JSON Schema.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

pub use super::choices::{
    Atomic, ColumnNames, Decimals, IfExists, JsonOrient, MissingColumns, NewColumns, OnChange,
    OnConflict, OnError, TypePolicy,
};
pub use super::column_keys::{
    AddedColumns, Columns, HashedColumns, MaskedColumns, Origin, RowHash, TrimmedColumns,
};
pub use super::format_keys::{
    DecimalMark, Delimiter, FLATTEN_SEPARATOR, FlattenLevels, Format, HeaderRows, Mark,
    ThousandsMark, Widths,
};
pub use super::type_names::TypeName;
pub use super::units::{Age, Hidden, Letter, RejectLimit, Size};

/// A configuration with its profile applied, its variables put in and its
/// defaults handed down to the streams.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configuration {
    /// Where the files are.
    pub source: Source,
    /// Where the tables are.
    pub destination: Destination,
    /// What a run may use.
    pub limits: Limits,
    /// The streams by name, in the order of the file.
    pub streams: Vec<(String, StreamOptions)>,
}

/// Where the files are and how they are reached.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Source {
    /// `s3://bucket/folder/`, `file:///folder/` or a plain path.
    pub url: Option<String>,
    /// The URL of an S3-compatible service; without one, AWS.
    pub endpoint: Option<String>,
    /// The region; else that of the AWS profile, else `us-east-1`.
    pub region: Option<String>,
    /// Whether the requester pays for requests and transfer.
    pub requester_pays: Option<bool>,
    /// The customer's key (SSE-C) that the objects are encrypted with: 32
    /// bytes in base64.
    pub sse_customer_key: Option<Hidden>,
    /// How often a request that failed for the moment is tried again.
    pub retry_count: Option<u32>,
    /// Who asks; without it, the chain of the AWS tools: environment, shared
    /// files, container, instance.
    #[serde(deserialize_with = "word_or_keys")]
    #[schemars(with = "Option<CredentialsOrWord>")]
    pub credentials: Option<Credentials>,
}

/// Who asks: a profile, keys, a role, or nobody.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Credentials {
    /// A profile of the shared AWS files.
    pub profile: Option<String>,
    /// An access key, together with `secret_access_key`.
    pub access_key_id: Option<Hidden>,
    /// The secret of the access key.
    pub secret_access_key: Option<Hidden>,
    /// The token of temporary keys.
    pub session_token: Option<Hidden>,
    /// A role to assume.
    pub role_arn: Option<String>,
    /// What the role's owner asks for besides.
    pub external_id: Option<String>,
    /// The AWS profile that assumes the role.
    pub source_profile: Option<String>,
    /// Requests without a signature, for public buckets.
    pub anonymous: Option<bool>,
}

/// Where the tables are.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Destination {
    /// `sqlite:decant.db`, `postgresql://user@host/database`, …
    pub url: Option<Hidden>,
    /// The ledger's table; `processed_files` by default.
    pub ledger: Option<String>,
    /// Connections that load at the same time; 4 by default.
    pub connections: Option<u32>,
}

/// What a run may use.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Files that are decoded at the same time; the machine's cores by default.
    pub threads: Option<u32>,
    /// Small files that are fetched at the same time; 128 by default.
    pub requests: Option<u32>,
    /// Memory for data under way, such as `512MiB`, which is the default.
    pub memory: Option<Size>,
    /// Small files that may share a transaction; 256 by default.
    pub transaction_files: Option<u32>,
    /// Decoded bytes that may share a transaction; `8MiB` by default.
    pub transaction_bytes: Option<Size>,
    /// Bytes of a chunk, for streams with `atomic: chunk`; `256MiB` by
    /// default.
    pub chunk_bytes: Option<Size>,
}

impl Limits {
    pub(super) const KEYS: [&'static str; 6] =
        ["threads", "requests", "memory", "transaction_files", "transaction_bytes", "chunk_bytes"];
}

/// The files that feed one table, and the rules for them.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StreamOptions {
    /// A glob below `source.url`: `*` stays within a folder, `**` does not.
    pub files: Option<String>,
    /// A regular expression that must be found in the key; its named groups
    /// are `{path:NAME}`.
    pub pattern: Option<String>,
    /// Globs below `source.url` that leave files out; one without a `/`
    /// means the file's name, in any folder.
    pub exclude: Option<Texts>,
    /// The ending of the files' names, with or without its dot.
    pub extension: Option<String>,
    /// `name`, `schema.name`, or a template with `{folder}`, `{stem}` or
    /// `{path:NAME}`; the first folder below `source.url` by default.
    pub table: Option<String>,
    /// What the files look like: a name such as `csv`, or its options.
    #[serde(deserialize_with = "word_or_keys")]
    #[schemars(with = "Option<FormatOrName>")]
    pub format: Option<Format>,
    /// What becomes of the files' columns.
    pub columns: Option<Columns>,
    /// What happens when the table exists; `append` by default.
    pub if_exists: Option<IfExists>,
    /// What becomes visible at once: `file`, which is the default, or
    /// `chunk`, for files that are larger than `defaults.chunk_bytes`.
    pub atomic: Option<Atomic>,
    /// What happens to rows that cannot be loaded; `fail` by default.
    pub on_error: Option<OnError>,
    /// How many rows of a file may be rejected: `100`, or `2%`.
    pub max_rejects: Option<RejectLimit>,
    /// What happens when a file that was loaded comes back with other
    /// content; `replace` where the table has `_file_id`, else `fail`.
    pub on_change: Option<OnChange>,
    /// What happens to columns that the table does not have; `add` for
    /// tables that decant created, else `fail`.
    pub new_columns: Option<NewColumns>,
    /// What happens when a file lacks columns of the table; `null` by default.
    pub missing_columns: Option<MissingColumns>,
    /// Whether a value that contradicts an inferred type widens its column;
    /// `widen` for tables that decant created, else `frozen`.
    pub types: Option<TypePolicy>,
    /// What happens to a value that contradicts a frozen type; `reject` by
    /// default.
    pub on_conflict: Option<OnConflict>,
    /// Which rows are loaded, such as `amount > 10 and country in ('FR', 'DE')`.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// Whether tables that decant creates carry `_file_id`; `true` by default.
    pub file_id: Option<bool>,
    /// How old a file must be, such as `30s` or `5m`; younger ones wait for
    /// the next run.
    pub min_age: Option<Age>,
    /// Attempts after which a failing file is given up; 5 by default.
    pub max_attempts: Option<u32>,
}

/// One text or a list of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(with = "TextOrTexts")]
pub struct Texts(pub Vec<String>);

impl FromStr for Credentials {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "anonymous" => Ok(Self { anonymous: Some(true), ..Self::default() }),
            _ => Err("credentials are `anonymous` or keys such as `profile`".into()),
        }
    }
}

/// Which files feed which tables. Keys that begin with `x-` are ignored.
#[derive(JsonSchema)]
#[schemars(title = "decant.yaml", extend("patternProperties" = {"^x-": {}}))]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct Document {
    /// Where the files are and how they are reached.
    source: Source,
    /// Where the tables are: a URL, or keys.
    destination: Option<DestinationOrUrl>,
    /// What holds for every stream that does not say otherwise, and what a
    /// run may use.
    defaults: Option<Defaults>,
    /// The streams by name.
    streams: BTreeMap<String, Option<StreamOptions>>,
    /// Changes to everything above, by the name that `--profile` chooses.
    profiles: Option<BTreeMap<String, Profile>>,
}

impl Document {
    pub(super) const KEYS: [&'static str; 5] =
        ["source", "destination", "defaults", "streams", "profiles"];
}

/// What another place changes.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Profile {
    source: Option<Source>,
    destination: Option<DestinationOrUrl>,
    defaults: Option<Defaults>,
    streams: Option<BTreeMap<String, Option<StreamOptions>>>,
}

/// What holds for every stream, and what a run may use.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Defaults {
    #[serde(flatten)]
    stream: StreamOptions,
    #[serde(flatten)]
    limits: Limits,
}

macro_rules! either_schema {
    ($($name:ident = $short:ty | $long:ty;)*) => {$(
        #[derive(JsonSchema)]
        #[serde(untagged)]
        #[allow(clippy::large_enum_variant, reason = "only its schema is used")]
        #[expect(dead_code, reason = "only its schema is used")]
        enum $name { Short($short), Long($long) }
    )*};
}

either_schema! {
    TextOrTexts = String | Vec<String>;
    FormatOrName = String | Format;
    CredentialsOrWord = Anonymous | Credentials;
    DestinationOrUrl = String | Destination;
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its schema is used")]
enum Anonymous {
    Anonymous,
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextsVisitor;

        impl<'de> Visitor<'de> for TextsVisitor {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts(vec![text.to_owned()]))
            }

            // An empty or `null` scalar in a list of words is a word.
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element::<String>()? {
                    texts.push(text);
                }
                Ok(Texts(texts))
            }
        }

        deserializer.deserialize_any(TextsVisitor)
    }
}

/// A section that may be spelled as a single word.
fn word_or_keys<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + FromStr<Err = String>,
{
    struct Either<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de> + FromStr<Err = String>> Visitor<'de> for Either<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a word or keys")
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_str<E: de::Error>(self, word: &str) -> Result<Self::Value, E> {
            word.parse().map(Some).map_err(E::custom)
        }

        fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<Self::Value, A::Error> {
            T::deserialize(MapAccessDeserializer::new(keys)).map(Some)
        }
    }

    deserializer.deserialize_any(Either(PhantomData))
}
