//! Column and table names: how new ones are made.
//!
//! A header's names are always computed together and never depend on the
//! order of its columns (repeats of one name aside), so that the same header
//! finds the same columns for ever.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::schema::FILE_ID_COLUMN;

/// How a new table's columns are named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnNames {
    /// `OrderDate` and `Order Date` become `order_date`.
    #[default]
    SnakeCase,
    /// As in the file.
    Source,
}

impl ColumnNames {
    /// The name that one source name asks for, before collisions.
    pub fn apply(self, source: &str) -> String {
        match self {
            Self::SnakeCase => snake_case(source),
            Self::Source => source.to_owned(),
        }
    }
}

/// `OrderDate`, `Order Date`, `order-date` -> `order_date`; `HTTPStatus2` ->
/// `http_status2`. Letters of any script stay; a name that would begin with a
/// digit gets a `_` before it; a name of no letters becomes `column`.
pub fn snake_case(source: &str) -> String {
    let letters: Vec<char> = source.chars().collect();
    let mut name = String::with_capacity(source.len() + 4);
    if source.starts_with('_') {
        name.push('_');
    }
    for (index, &letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            push_separator(&mut name);
            continue;
        }
        if letter.is_uppercase() && begins_word(&letters, index) {
            push_separator(&mut name);
        }
        name.extend(letter.to_lowercase());
    }
    while name.len() > 1 && name.ends_with('_') {
        name.pop();
    }
    match name.chars().next() {
        None | Some('_') if name.trim_matches('_').is_empty() => "column".to_owned(),
        Some(first) if first.is_numeric() => format!("_{name}"),
        _ => name,
    }
}

fn push_separator(name: &mut String) {
    if !name.is_empty() && !name.ends_with('_') {
        name.push('_');
    }
}

/// Whether the capital at `index` begins a word: after a small letter or a
/// digit, or before a small letter at the end of a run of capitals.
fn begins_word(letters: &[char], index: usize) -> bool {
    let Some(before) = index.checked_sub(1).and_then(|before| letters.get(before)) else {
        return false;
    };
    let after = letters.get(index + 1);
    before.is_lowercase()
        || before.is_numeric()
        || (before.is_uppercase() && after.is_some_and(|letter| letter.is_lowercase()))
}

/// Makes the names that a header asks for unique and short enough.
///
/// `wanted` pairs each column's source name with the name it asks for. A name
/// that only one column asks for stays as it is. Where several do (case
/// aside), the one whose source name is that very name keeps it, the others
/// get a suffix derived from their source name; a name longer than
/// `bytes_max` is cut and gets such a suffix too, and so does one that would
/// take the place of [`FILE_ID_COLUMN`] or of a name in `reserved`. Repeats of
/// one source name are numbered.
pub fn settle_names(
    wanted: &[(String, String)],
    reserved: &[&str],
    bytes_max: usize,
) -> Vec<String> {
    let mut askers: HashMap<String, usize> = HashMap::new();
    for (_, name) in distinct_sources(wanted) {
        *askers.entry(name.to_lowercase()).or_default() += 1;
    }
    let mut repeats: HashMap<&str, usize> = HashMap::new();
    let mut taken: HashSet<String> = reserved.iter().map(|name| name.to_lowercase()).collect();
    taken.insert(FILE_ID_COLUMN.to_owned());
    let mut names = Vec::with_capacity(wanted.len());
    for (source, name) in wanted {
        let repeat = repeats.entry(source).or_default();
        *repeat += 1;
        let contested =
            askers.get(&name.to_lowercase()).is_some_and(|askers| *askers > 1) && source != name;
        let mut candidate = match (*repeat, contested) {
            (1, false) => name.clone(),
            (1, true) => with_suffix(name, source, bytes_max),
            (repeat, _) => format!("{name}_{repeat}"),
        };
        let mut attempt = 0;
        while candidate.len() > bytes_max || taken.contains(&candidate.to_lowercase()) {
            let salt = if attempt == 0 && *repeat == 1 {
                source.clone()
            } else {
                format!("{source}\0{repeat}\0{attempt}")
            };
            candidate = with_suffix(name, &salt, bytes_max);
            attempt += 1;
        }
        taken.insert(candidate.to_lowercase());
        names.push(candidate);
    }
    names
}

fn distinct_sources(wanted: &[(String, String)]) -> impl Iterator<Item = &(String, String)> {
    let mut seen = HashSet::new();
    wanted.iter().filter(move |(source, _)| seen.insert(source.as_str()))
}

fn with_suffix(name: &str, source: &str, bytes_max: usize) -> String {
    let suffix = format!("_{:06x}", xxh3_64(source.as_bytes()) & 0xff_ffff);
    let mut end = name.len().min(bytes_max.saturating_sub(suffix.len()));
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", &name[..end])
}

/// The name among `known` that is most like `word`, if one is like it at all.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&word.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(pairs: &[(&str, &str)], bytes_max: usize) -> Vec<String> {
        let wanted: Vec<_> =
            pairs.iter().map(|(source, name)| (source.to_string(), name.to_string())).collect();
        settle_names(&wanted, &["loaded_at"], bytes_max)
    }

    #[test]
    fn names_become_snake_case() {
        for (source, name) in [
            ("OrderDate", "order_date"),
            ("Order Date", "order_date"),
            ("order-date", "order_date"),
            ("HTTPStatus2", "http_status2"),
            ("id", "id"),
            ("ID", "id"),
            ("_id", "_id"),
            ("amount (€)", "amount"),
            ("2020", "_2020"),
            ("a2B", "a2_b"),
            ("Größe", "größe"),
            ("Ünïcode Name", "ünïcode_name"),
            ("", "column"),
            ("---", "column"),
            ("_", "column"),
            ("a__b", "a_b"),
            ("名前", "名前"),
        ] {
            assert_eq!(snake_case(source), name, "{source}");
        }
    }

    #[test]
    fn snake_case_is_stable() {
        for name in ["order_date", "_2020", "http_status2", "_id", "column"] {
            assert_eq!(snake_case(name), name);
        }
    }

    #[test]
    fn collisions_do_not_depend_on_the_order_of_the_header() {
        let one = settle(&[("id", "id"), ("ID", "id"), ("Id", "id")], 63);
        let other = settle(&[("Id", "id"), ("ID", "id"), ("id", "id")], 63);
        assert_eq!(one[0], "id");
        assert_eq!(one, [other[2].clone(), other[1].clone(), other[0].clone()]);
        assert_ne!(one[1], one[2]);
    }

    #[test]
    fn a_collision_without_an_owner_gives_every_one_a_suffix() {
        let names = settle(&[("Order Date", "order_date"), ("OrderDate", "order_date")], 63);
        assert!(names.iter().all(|name| name.starts_with("order_date_")), "{names:?}");
        assert_ne!(names[0], names[1]);
    }

    #[test]
    fn repeats_of_one_name_are_numbered() {
        assert_eq!(settle(&[("a", "a"), ("a", "a"), ("a", "a")], 63), ["a", "a_2", "a_3"]);
        let crossed = settle(&[("a", "a"), ("a", "a"), ("a_2", "a_2")], 63);
        assert_eq!(crossed[0], "a");
        assert_eq!(crossed.iter().collect::<std::collections::HashSet<_>>().len(), 3);
    }

    #[test]
    fn long_names_are_cut_at_a_letter_and_stay_apart() {
        let long = "é".repeat(40);
        let longer = format!("{long}x");
        let names = settle(&[(&long, &long), (&longer, &longer)], 63);
        assert!(names.iter().all(|name| name.len() <= 63), "{names:?}");
        assert_ne!(names[0], names[1]);
    }

    #[test]
    fn the_file_id_column_is_not_taken() {
        assert_ne!(settle(&[("_file_id", "_file_id")], 63)[0], FILE_ID_COLUMN);
    }

    #[test]
    fn a_reserved_name_is_not_taken() {
        let names = settle(&[("Loaded_At", "Loaded_At")], 63);
        assert!(names[0].starts_with("Loaded_At_"), "{names:?}");
    }

    #[test]
    fn a_typing_error_finds_its_word() {
        assert_eq!(did_you_mean("amout", ["order_id", "amount"]), Some("amount"));
        assert_eq!(did_you_mean("zzz", ["order_id", "amount"]), None);
    }
}
