//! Which options say something about which formats. Those that are not here
//! are for every format.

use decant_core::stream::FormatOptions;

/// Text with delimiters.
const DELIMITED: &[&str] = &["csv", "tsv", "psv"];
/// Fixed-width text.
const FIXED_WIDTH: &[&str] = &["fwf"];
const JSON: &[&str] =
    &["json", "jsonl", "json-records", "json-split", "json-index", "json-columns", "json-values"];
const XML: &[&str] = &["xml"];
const EXCEL: &[&str] = &["excel"];

/// An option, and the groups of formats that it says something about.
type Owned = (&'static str, &'static [&'static [&'static str]]);

const OPTIONS: [Owned; 19] = [
    ("compression", &[DELIMITED, FIXED_WIDTH, JSON, XML]),
    ("encoding", &[DELIMITED, FIXED_WIDTH, JSON, XML]),
    ("lenient", &[DELIMITED, FIXED_WIDTH, JSON]),
    ("delimiter", &[DELIMITED]),
    ("quote", &[DELIMITED]),
    ("escape", &[DELIMITED]),
    ("comment", &[DELIMITED, FIXED_WIDTH]),
    ("header", &[DELIMITED, FIXED_WIDTH, EXCEL]),
    ("skip_rows", &[DELIMITED, FIXED_WIDTH, EXCEL]),
    ("skip_footer", &[DELIMITED, FIXED_WIDTH, EXCEL]),
    ("null_values", &[DELIMITED, FIXED_WIDTH, EXCEL, XML]),
    ("decimal", &[DELIMITED, FIXED_WIDTH, XML]),
    ("thousands", &[DELIMITED, FIXED_WIDTH, XML]),
    ("widths", &[FIXED_WIDTH]),
    ("records_path", &[JSON]),
    ("flatten", &[JSON, XML]),
    ("row_element", &[XML]),
    ("sheet", &[EXCEL]),
    ("range", &[EXCEL]),
];

/// The formats that the option called `key` says something about; `None` where
/// it is for all of them.
pub fn owners(key: &str) -> Option<impl Iterator<Item = &'static str>> {
    let (_, groups) = OPTIONS.iter().find(|(known, _)| *known == key)?;
    Some(groups.iter().flat_map(|group| group.iter().copied()))
}

/// Whether the option called `key` says something about files of the format
/// `name`.
pub fn concerns(key: &str, name: &str) -> bool {
    owners(key).is_none_or(|mut owners| owners.any(|owner| owner == name))
}

/// What is to be said of the options that were given and say nothing about
/// files of the format `name`.
pub(crate) fn strays(options: &FormatOptions, name: &str) -> Option<String> {
    let strays = given(options).into_iter().filter(|key| !concerns(key, name));
    let strays: Vec<String> = strays.map(|key| format!("`{key}`")).collect();
    let say = if strays.len() == 1 { "says" } else { "say" };
    (!strays.is_empty()).then(|| format!("{} {say} nothing about {name} files", strays.join(", ")))
}

/// The options that were given. `compression` is looked at whatever the format
/// is, and `lenient` is a wish.
fn given(options: &FormatOptions) -> Vec<&'static str> {
    let given = [
        ("encoding", options.encoding.is_some()),
        ("delimiter", options.delimiter.is_some()),
        ("quote", options.quote.is_some()),
        ("escape", options.escape.is_some()),
        ("comment", options.comment.is_some()),
        ("header", options.header.is_some()),
        ("skip_rows", options.skip_rows.is_some()),
        ("skip_footer", options.skip_footer.is_some()),
        ("null_values", options.null_values.is_some()),
        ("decimal", options.numbers.is_some()),
        ("widths", options.widths.is_some()),
        ("records_path", options.records_path.is_some()),
        ("flatten", options.flatten.is_some()),
        ("row_element", options.row_element.is_some()),
        ("sheet", options.sheet.is_some()),
        ("range", options.range.is_some()),
    ];
    given.into_iter().filter(|(_, is_given)| *is_given).map(|(key, _)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_owner_is_a_format_and_every_given_option_has_owners() {
        let known: Vec<&str> = crate::formats().iter().map(|format| format.name).collect();
        for (key, _) in OPTIONS {
            assert!(owners(key).unwrap().all(|owner| known.contains(&owner)), "{key}");
        }
        assert!(owners("record_bytes_max").is_none());
        assert!(concerns("delimiter", "tsv") && !concerns("delimiter", "parquet"));
    }

    #[test]
    fn options_that_say_nothing_are_named() {
        let options = FormatOptions {
            delimiter: Some(";".into()),
            sheet: Some("x".into()),
            record_bytes_max: Some(1),
            ..FormatOptions::default()
        };
        for (name, expected) in [
            ("csv", "`sheet` says nothing about csv files"),
            ("parquet", "`delimiter`, `sheet` say nothing about parquet files"),
        ] {
            assert_eq!(strays(&options, name).as_deref(), Some(expected));
        }
        assert_eq!(strays(&FormatOptions::default(), "parquet"), None);
    }
}
