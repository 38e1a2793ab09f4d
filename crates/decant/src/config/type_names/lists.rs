//! Lists of scalars, by the names that SQL and Arrow give them: `bigint[]`,
//! `list<item: int64>`, `array(int64)`.
//!
//! Arrow's lists of what is no scalar are documents.

use decant_core::list::ListElement;
use decant_core::schema::ColumnType;
use decant_core::value_format::ValueFormat;

use super::TypeName;
use super::spelling::closing;

const NAMES: [&str; 6] =
    ["list", "large_list", "fixed_size_list", "list_view", "large_list_view", "array"];
/// Where pandas keeps the values; of no matter to a column.
const STORAGE: &str = "[pyarrow]";

/// The list of this name; `None` where it is not spelled like one.
pub(super) fn list_type(text: &str) -> Result<Option<ColumnType>, String> {
    let text = text.trim();
    let text = text.strip_suffix(STORAGE).unwrap_or(text);
    if let Some(element) = text.strip_suffix("[]") {
        return match list_of(element)? {
            ColumnType::Json => Err("lists of what is no scalar are loaded as `json`".to_owned()),
            list => Ok(Some(list)),
        };
    }
    match inside_brackets(text)? {
        Some(element) => list_of(without_name(element)).map(Some),
        None => Ok(None),
    }
}

/// The zone of Arrow's moments is that in which they are shown.
fn list_of(element: &str) -> Result<ColumnType, String> {
    let TypeName { given, .. } = element.parse()?;
    match given.format {
        None | Some(ValueFormat::Zone(_)) => {
            let element = ListElement::of(given.column_type);
            Ok(element.map_or(ColumnType::Json, ColumnType::List))
        }
        Some(_) => Err("the elements of a list have no format of their own".to_owned()),
    }
}

/// What stands in the brackets behind the name of a list.
fn inside_brackets(text: &str) -> Result<Option<&str>, String> {
    let Some(at) = text.find(['<', '(']) else { return Ok(None) };
    let (name, rest) = text.split_at(at);
    if !NAMES.contains(&name.trim().to_ascii_lowercase().as_str()) {
        return Ok(None);
    }
    let end = closing(rest)?;
    let size = rest[end + 1..].trim();
    let is_size = |size: &str| {
        let digits = size.strip_prefix('[').and_then(|size| size.strip_suffix(']'));
        digits.is_some_and(|digits| digits.parse::<u32>().is_ok())
    };
    match size.is_empty() || is_size(size) {
        true => Ok(Some(&rest[1..end])),
        false => Err(format!("`{size}` makes no sense here")),
    }
}

/// `item: int64 not null` -> `int64`.
fn without_name(element: &str) -> &str {
    let element = element.trim();
    let element = element.strip_suffix(" not null").unwrap_or(element);
    match element.split_once(':') {
        Some((name, element)) if name.chars().all(|it| it.is_alphanumeric() || it == '_') => {
            element
        }
        _ => element,
    }
}
