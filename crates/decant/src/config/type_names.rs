//! Column types by the names that SQL, Arrow and pandas give them, with how
//! the column's values are written: `timestamp('%d/%m/%Y', 'Europe/Paris')`.
//!
//! Names are read in any case, what stands in quotes as it is. What is not a
//! type, or a format that the type does not have, is refused here, so that
//! nothing has to be refused later.

mod formats;
mod lists;
mod names;
mod spelling;

use std::str::FromStr;

use decant_core::value_format::GivenType;
use schemars::JsonSchema;
use serde::Deserialize;

use self::spelling::Spelling;

/// A column type by its SQL, Arrow or pandas name: `bigint`, `Int64`,
/// `numeric(12,2)`, `datetime64[ns]`, `timestamp with time zone`, `text[]`, …; also how
/// its values are written: `date('%d.%m.%Y')`,
/// `timestamp('%d/%m/%Y %H:%M', 'Europe/Paris')`, `timestamptz(epoch_ms)`,
/// `bool('yes|y', 'no|n')`, `numeric(12,2, ',')`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct TypeName {
    /// The type.
    pub given: GivenType,
    typed: String,
}

impl TypeName {
    /// The name as it was typed.
    pub fn typed(&self) -> &str {
        &self.typed
    }
}

impl TryFrom<String> for TypeName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for TypeName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |problem: String| format!("type `{text}`: {problem}");
        if let Some(list) = lists::list_type(text).map_err(wrong)? {
            return Ok(Self { given: list.into(), typed: text.to_owned() });
        }
        let spelling = Spelling::of(text).map_err(wrong)?;
        let base = names::plain_type(&spelling).ok_or_else(|| names::unknown(text, &spelling))?;
        let given = formats::with_arguments(base, &spelling.arguments).map_err(wrong)?;
        decant_formats::values::check_format(&given).map_err(|error| {
            let cure = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
            wrong(format!("{}{cure}", error.message()))
        })?;
        Ok(Self { given, typed: text.to_owned() })
    }
}

#[cfg(test)]
mod tests;
