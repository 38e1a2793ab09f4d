//! A configuration that loads what was discovered.
//!
//! Invariant: it passes the check, and its streams select the same files for
//! the same tables. What was detected is written down only where the files
//! agree in it; types stand there as comments, so that they still widen.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use decant_core::selection::escape_glob;
use decant_core::stream::{FormatOptions, Header, Mark};
use decant_engine::Discovered;

use crate::config::{CredentialSettings, DiscoverSettings, SourceSettings};

/// The text of a `decant.yaml` for `discovered`. `destination` is what its
/// key says.
pub fn configuration(
    settings: &DiscoverSettings,
    destination: &str,
    discovered: &[Discovered],
) -> String {
    let mut text = String::from("# Written by `decant discover`; see `decant config example`.\n");
    let _ = writeln!(text, "source:\n  url: {}", quoted(&settings.url));
    push_source(&mut text, &settings.settings.source);
    let _ = writeln!(text, "destination: {}\nstreams:", serde_json::Value::from(destination));
    let mut names = BTreeMap::new();
    for found in discovered {
        push_stream(&mut text, settings, found, &mut names);
    }
    if discovered.is_empty() {
        text.push_str("  all: {}\n");
    }
    text
}

fn push_source(text: &mut String, source: &SourceSettings) {
    if let Some(endpoint) = &source.endpoint {
        let _ = writeln!(text, "  endpoint: {}", quoted(endpoint));
    }
    if let Some(region) = &source.region {
        let _ = writeln!(text, "  region: {}", quoted(region));
    }
    match &source.credentials {
        CredentialSettings::Anonymous => text.push_str("  credentials: anonymous\n"),
        CredentialSettings::Profile(profile) => {
            let _ = writeln!(text, "  credentials: {{profile: {}}}", quoted(profile));
        }
        _ => {}
    }
}

fn push_stream(
    text: &mut String,
    settings: &DiscoverSettings,
    found: &Discovered,
    names: &mut BTreeMap<String, usize>,
) {
    let used = names.entry(found.table.clone()).or_default();
    *used += 1;
    let name = if *used == 1 { found.table.clone() } else { format!("{}_{used}", found.table) };
    let _ = writeln!(text, "  {}:", quoted(&name));
    let files = settings.files.clone().unwrap_or_else(|| glob_of(&found.parts));
    let _ = writeln!(text, "    files: {}", quoted(&files));
    if !settings.exclude.is_empty() {
        let globs: Vec<String> = settings.exclude.iter().map(|glob| quoted(glob)).collect();
        let _ = writeln!(text, "    exclude: [{}]", globs.join(", "));
    }
    if let Some(extension) = &settings.extension {
        let _ = writeln!(text, "    extension: {}", quoted(extension));
    }
    let _ = writeln!(text, "    table: {}", quoted(&found.table));
    let format = found.format.as_ref().map(format_keys).unwrap_or_default();
    if !format.is_empty() {
        let keys: Vec<String> =
            format.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        let _ = writeln!(text, "    format: {{{}}}", keys.join(", "));
    }
    if !found.columns.is_empty() {
        text.push_str("    # What the columns look like; a type that is given is kept to:\n");
        text.push_str("    # columns:\n    #   types:\n");
    }
    for column in &found.columns {
        let nullable = if column.nullable { "" } else { "  # no NULL was seen" };
        let _ = writeln!(
            text,
            "    #     {}: {}{nullable}",
            quoted(&column.name),
            quoted(&column.column_type)
        );
    }
}

/// The glob that selects these parts: folders whole, files by their names.
fn glob_of(parts: &[String]) -> String {
    let globs: Vec<String> = parts
        .iter()
        .map(|part| match part.strip_suffix('/') {
            Some(folder) => format!("{}/**", escape_glob(folder)),
            None => escape_glob(part),
        })
        .collect();
    match globs.as_slice() {
        [] => "**".to_owned(),
        // A name without a glob's characters would be a folder as well.
        [one] => one.clone(),
        several => format!("{{{}}}", several.join(",")),
    }
}

/// What was detected, as keys of `format` with their values as YAML.
fn format_keys(options: &FormatOptions) -> Vec<(&'static str, String)> {
    let mut keys = Vec::new();
    let mut push = |key: &'static str, value: Option<String>| {
        keys.extend(value.map(|value| (key, value)));
    };
    push("type", options.name.as_deref().map(quoted));
    let is_delimited = matches!(options.name.as_deref(), Some("csv" | "tsv" | "psv"));
    if !is_delimited {
        return keys;
    }
    push("lenient", options.lenient.then(|| "true".to_owned()));
    push("encoding", options.encoding.as_deref().filter(|name| !is_utf_8(name)).map(quoted));
    push("delimiter", options.delimiter.as_deref().map(quoted));
    push("quote", options.quote.map(mark));
    push("escape", options.escape.filter(|mark| *mark != Mark::Off).map(mark));
    push("comment", options.comment.filter(|mark| *mark != Mark::Off).map(mark));
    push("header", options.header.and_then(header));
    let positive = |count: Option<u64>| count.filter(|count| *count > 0);
    push("skip_rows", positive(options.skip_rows).map(|rows| rows.to_string()));
    push("skip_footer", positive(options.skip_footer).map(|rows| rows.to_string()));
    if let Some(numbers) = options.numbers.filter(|numbers| *numbers != Default::default()) {
        push("decimal", Some(quoted(&numbers.decimal.to_string())));
        push("thousands", numbers.thousands.map(|mark| quoted(&mark.to_string())));
    }
    keys
}

fn is_utf_8(name: &str) -> bool {
    matches!(name.to_ascii_lowercase().as_str(), "utf-8" | "utf8")
}

fn mark(mark: Mark) -> String {
    match mark.byte() {
        Some(byte) => quoted(&char::from(byte).to_string()),
        None => "none".to_owned(),
    }
}

fn header(header: Header) -> Option<String> {
    match header {
        Header::None => Some("false".to_owned()),
        Header::Rows(1) => None,
        Header::Rows(rows) => Some(rows.to_string()),
    }
}

/// A text in double quotes, as YAML and JSON read it alike; a `${` is kept
/// from being a variable.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text.replace("${", "$${")).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_become_one_glob() {
        for (parts, glob) in [
            (vec!["orders/"], "orders/**"),
            (vec!["a.csv"], "a.csv"),
            (vec!["Orders/", "orders/"], "{Orders/**,orders/**}"),
            (vec!["a.csv", "a.csv.gz"], "{a.csv,a.csv.gz}"),
            (vec!["a[1].csv"], "a[[]1].csv"),
        ] {
            let parts: Vec<String> = parts.into_iter().map(str::to_owned).collect();
            assert_eq!(glob_of(&parts), glob.replace("[[]1]", &escape_glob("[1]")), "{parts:?}");
        }
    }

    #[test]
    fn only_what_is_unusual_is_written_down() {
        let options = FormatOptions {
            name: Some("csv".into()),
            delimiter: Some("\t".into()),
            quote: Some(Mark::Byte(b'"')),
            escape: Some(Mark::Off),
            comment: Some(Mark::Off),
            header: Some(Header::Rows(1)),
            skip_rows: Some(2),
            encoding: Some("UTF-8".into()),
            ..FormatOptions::default()
        };
        let keys = format_keys(&options);
        let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        assert_eq!(
            keys,
            [r#"type: "csv""#, r#"delimiter: "\t""#, r#"quote: "\"""#, "skip_rows: 2"]
        );
    }
}
