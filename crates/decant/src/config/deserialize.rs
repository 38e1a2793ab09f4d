//! A located tree to serde structs.
//!
//! The key decides how a scalar is read, so `no`, `0012` and `1e3` are words
//! wherever a word is asked for. Every failure knows its place, and never
//! shows what a variable was replaced by.

use std::fmt::{self, Display};

use decant_core::error::Error;
use decant_core::names::did_you_mean;
use serde::de::value::StrDeserializer;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};

use super::node::{Key, Node, Place, Scalar, Value};
use super::yaml::error_at;

/// Reads `node` as a `T`.
pub(super) fn read<'de, T: Deserialize<'de>>(node: &'de Node) -> Result<T, Failure> {
    T::deserialize(Reader(node)).map_err(|failure| failure.at(node))
}

/// Why a node is not what its key asks for.
#[derive(Debug)]
pub(super) struct Failure(Box<Details>);

#[derive(Debug)]
struct Details {
    message: String,
    hint: Option<String>,
    place: Option<Place>,
    unknown: Option<(String, Vec<&'static str>)>,
    is_of_variable: bool,
}

impl Failure {
    fn of(message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            message: message.into(),
            hint: None,
            place: None,
            unknown: None,
            is_of_variable: false,
        }))
    }

    /// Says where it is, unless that is known already.
    fn at(mut self, node: &Node) -> Self {
        if self.0.place.is_none() {
            self.0.place = Some(node.place);
            if let Value::Scalar(scalar) = &node.value {
                self.hide(scalar);
            }
        }
        self
    }

    fn at_key(mut self, key: &Key) -> Self {
        self.0.place.get_or_insert(key.place);
        self
    }

    fn hide(&mut self, scalar: &Scalar) {
        self.0.is_of_variable = super::variables::has_variable(scalar.shown());
        self.0.message = scalar.without_value(&self.0.message);
        self.0.hint = self.0.hint.take().map(|hint| scalar.without_value(&hint));
    }

    /// Whether it is about a value that a variable takes part in.
    pub(super) fn is_of_variable(&self) -> bool {
        self.0.is_of_variable
    }

    /// Adds keys that are known besides those that serde knew.
    pub(super) fn also_known(mut self, keys: &[&'static str]) -> Self {
        let details = &mut *self.0;
        if let Some((unknown, known)) = &mut details.unknown {
            known.extend(keys);
            details.hint = Some(suggestion(unknown, known));
        }
        self
    }

    /// The error as a person reads it.
    pub(super) fn into_error(self, file: &str) -> Error {
        let place = self.0.place.unwrap_or(Place { line: 1, column: 1 });
        let error = error_at(file, place, self.0.message);
        match self.0.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Failure {}

impl de::Error for Failure {
    fn custom<T: Display>(message: T) -> Self {
        Self::of(message.to_string())
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        unknown_key(field, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let mut failure = Self::of(format!("`{variant}` is not known here"));
        failure.0.hint = Some(suggestion(variant, expected));
        failure
    }

    fn invalid_type(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let found = match unexpected {
            de::Unexpected::Map => "a group of keys",
            de::Unexpected::Seq => "a list",
            de::Unexpected::Unit | de::Unexpected::Option => "nothing",
            _ => "a single value",
        };
        Self::of(format!("{expected} is needed here, not {found}"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::of(format!("`{field}` is missing"))
    }
}

/// The failure for a key that nothing knows.
pub(super) fn unknown_key(key: &str, known: &[&'static str]) -> Failure {
    let mut failure = Failure::of(format!("unknown key `{key}`"));
    failure.0.hint = Some(suggestion(key, known));
    failure.0.unknown = Some((key.to_owned(), known.to_vec()));
    failure
}

/// Fails for a key of `node` that is not `known`.
pub(super) fn only_keys(node: &Node, known: &[&'static str]) -> Result<(), Failure> {
    if !matches!(node.value, Value::Map(_)) {
        return Err(Failure::of(format!("keys are needed here, not {}", node.kind())).at(node));
    }
    match node.entries().iter().find(|(key, _)| !known.contains(&key.name.as_str())) {
        Some((key, _)) => Err(unknown_key(&key.name, known).at_key(key)),
        None => Ok(()),
    }
}

/// "did you mean", or all that there is.
pub(super) fn suggestion(word: &str, known: &[&str]) -> String {
    let slip = || known.iter().copied().find(|name| strsim::osa_distance(word, name) == 1);
    match did_you_mean(word, known.iter().copied()).or_else(slip) {
        Some(name) => format!("did you mean `{name}`? Known are {}", listed(known)),
        None => format!("known are {}", listed(known)),
    }
}

/// `a`, `b`, `c`
pub(super) fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

struct Reader<'de>(&'de Node);

impl<'de> Reader<'de> {
    fn scalar(&self, wanted: &str) -> Result<&'de Scalar, Failure> {
        match &self.0.value {
            Value::Scalar(scalar) => Ok(scalar),
            _ => Err(Failure::of(format!("{wanted} is needed here, not {}", self.0.kind()))),
        }
    }

    fn number<T: std::str::FromStr>(&self) -> Result<T, Failure> {
        let scalar = self.scalar("a whole number")?;
        let digits = scalar.text.replace('_', "");
        digits.parse().map_err(|_| {
            let mut failure = Failure::of(format!("`{}` is not a whole number", scalar.text));
            failure.0.hint = Some("whole numbers from 0 on are allowed, such as 4".into());
            failure
        })
    }
}

macro_rules! whole_numbers {
    ($($method:ident $visit:ident),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            visitor.$visit(self.number()?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match &self.0.value {
            Value::Scalar(scalar) if scalar.is_null() => visitor.visit_unit(),
            Value::Scalar(scalar) => visitor.visit_borrowed_str(&scalar.text),
            Value::List(nodes) => visitor.visit_seq(Nodes(nodes.iter())),
            Value::Map(entries) => visitor.visit_map(Entries { rest: entries.iter(), value: None }),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let scalar = self.scalar("`true` or `false`")?;
        match scalar.text.to_ascii_lowercase().as_str() {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(Failure::of(format!("`{}` is neither `true` nor `false`", scalar.text))),
        }
    }

    whole_numbers! {
        deserialize_u8 visit_u8, deserialize_u16 visit_u16, deserialize_u32 visit_u32,
        deserialize_u64 visit_u64, deserialize_i32 visit_i32, deserialize_i64 visit_i64
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_borrowed_str(&self.scalar("a text")?.text)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match &self.0.value {
            Value::Map(entries) => visitor.visit_map(Entries { rest: entries.iter(), value: None }),
            _ => Err(Failure::of(format!("keys are needed here, not {}", self.0.kind()))),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_struct("", &[], visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let text: StrDeserializer<'de, Failure> =
            self.scalar("a word")?.text.as_str().into_deserializer();
        visitor.visit_enum(text)
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i128 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple tuple_struct
        identifier ignored_any
    }
}

struct Nodes<'de>(std::slice::Iter<'de, Node>);

impl<'de> SeqAccess<'de> for Nodes<'de> {
    type Error = Failure;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Failure> {
        let Some(node) = self.0.next() else { return Ok(None) };
        seed.deserialize(Reader(node)).map(Some).map_err(|failure| failure.at(node))
    }
}

struct Entries<'de> {
    rest: std::slice::Iter<'de, (Key, Node)>,
    value: Option<&'de Node>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Failure;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Failure> {
        let Some((key, node)) = self.rest.next() else { return Ok(None) };
        self.value = Some(node);
        let name: StrDeserializer<'de, Failure> = key.name.as_str().into_deserializer();
        seed.deserialize(name).map(Some).map_err(|failure| failure.at_key(key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        let Some(node) = self.value.take() else {
            return Err(Failure::of("a key without a value"));
        };
        seed.deserialize(Reader(node)).map_err(|failure| failure.at(node))
    }
}
