//! A configuration that loads what was discovered.
//!
//! Invariant: it passes the check, its streams select the same files for the
//! same tables, and these are loaded as they would be by the options that were
//! given. What was detected is written down only where the files agree in it;
//! types stand there as comments, so that they still widen.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use decant_core::selection::escape_glob;
use decant_core::stream::{FormatOptions, Header, Mark};
use decant_engine::{Discovered, DiscoveredColumn};
use decant_formats::concerns::concerns;

use crate::config::{
    CredentialSettings, DEFAULT_CONNECTIONS, DEFAULT_LEDGER, DiscoverSettings, SourceSettings,
    column_keys, policy_keys, quoted, word_of_mark,
};

/// What tables of a template are called together.
const TEMPLATE_STREAM: &str = "discovered";

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
    push_destination(&mut text, settings, destination);
    text.push_str("streams:\n");
    let mut names = BTreeMap::new();
    match (&settings.files, &settings.stream.table) {
        (Some(files), Some(template)) if discovered.len() > 1 => {
            let agreed = agreed_format(discovered);
            let head = Head { name: TEMPLATE_STREAM, files, table: template };
            push_stream(&mut text, settings, &head, agreed, &[]);
        }
        _ => {
            for found in discovered {
                push_found(&mut text, settings, found, &mut names);
            }
        }
    }
    if discovered.is_empty() {
        text.push_str("  all: {}\n");
    }
    text
}

/// What a stream begins with.
struct Head<'a> {
    name: &'a str,
    files: &'a str,
    table: &'a str,
}

fn agreed_format(discovered: &[Discovered]) -> Option<&FormatOptions> {
    let first = discovered.first()?.format.as_ref()?;
    discovered.iter().all(|found| found.format.as_ref() == Some(first)).then_some(first)
}

fn push_destination(text: &mut String, settings: &DiscoverSettings, url: &str) {
    let url = serde_json::Value::from(url);
    let destination = &settings.settings.destination;
    let has_more =
        destination.ledger != DEFAULT_LEDGER || destination.connections != DEFAULT_CONNECTIONS;
    if !has_more {
        let _ = writeln!(text, "destination: {url}");
        return;
    }
    let _ = writeln!(text, "destination:\n  url: {url}");
    let _ = writeln!(text, "  ledger: {}", quoted(&destination.ledger));
    let _ = writeln!(text, "  connections: {}", destination.connections);
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

fn push_found(
    text: &mut String,
    settings: &DiscoverSettings,
    found: &Discovered,
    names: &mut BTreeMap<String, usize>,
) {
    let used = names.entry(found.table.clone()).or_default();
    *used += 1;
    let name = if *used == 1 { found.table.clone() } else { format!("{}_{used}", found.table) };
    let files = settings.files.clone().unwrap_or_else(|| glob_of(&found.parts));
    let head = Head { name: &name, files: &files, table: &found.table };
    push_stream(text, settings, &head, found.format.as_ref(), &found.columns);
}

fn push_stream(
    text: &mut String,
    settings: &DiscoverSettings,
    head: &Head<'_>,
    format: Option<&FormatOptions>,
    found: &[DiscoveredColumn],
) {
    let _ = writeln!(text, "  {}:", quoted(head.name));
    let _ = writeln!(text, "    files: {}", quoted(head.files));
    if !settings.exclude.is_empty() {
        let globs: Vec<String> = settings.exclude.iter().map(|glob| quoted(glob)).collect();
        let _ = writeln!(text, "    exclude: [{}]", globs.join(", "));
    }
    if let Some(pattern) = &settings.stream.pattern {
        let _ = writeln!(text, "    pattern: {}", quoted(pattern));
    }
    if let Some(extension) = &settings.extension {
        let _ = writeln!(text, "    extension: {}", quoted(extension));
    }
    let _ = writeln!(text, "    table: {}", quoted(head.table));
    let given = settings.settings.streams.first().map(|stream| &stream.format);
    let format = format.or(given).map(format_keys).unwrap_or_default();
    if !format.is_empty() {
        let keys: Vec<String> =
            format.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        let _ = writeln!(text, "    format: {{{}}}", keys.join(", "));
    }
    for (key, value) in policy_keys(&settings.stream) {
        let _ = writeln!(text, "    {key}: {value}");
    }
    push_columns(text, settings, found);
}

fn push_columns(text: &mut String, settings: &DiscoverSettings, found: &[DiscoveredColumn]) {
    let given = settings.stream.columns.as_ref();
    let given = given.map(|columns| column_keys(columns, &settings.key_variable));
    let given = given.unwrap_or_default();
    if !given.is_empty() {
        text.push_str("    columns:\n");
    }
    for (key, value) in &given {
        let _ = writeln!(text, "      {key}: {value}");
    }
    if found.is_empty() {
        return;
    }
    text.push_str("    # What the columns look like; a type that is given is kept to:\n");
    if given.is_empty() {
        text.push_str("    # columns:\n");
    }
    text.push_str("    #   types:\n");
    for column in found {
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

/// What was given and detected, as keys of `format` with their values as YAML:
/// those that say something about the format.
fn format_keys(options: &FormatOptions) -> Vec<(&'static str, String)> {
    let FormatOptions {
        name,
        compression,
        encoding,
        lenient,
        delimiter,
        quote,
        escape,
        comment,
        header,
        skip_rows,
        skip_footer,
        null_values,
        numbers,
        widths,
        records_path,
        flatten,
        row_element,
        sheet,
        range,
        record_bytes_max,
        decompressed_bytes_max,
        decompression_ratio_max,
        memory_bytes: _,
        habits: _,
    } = options;
    let text = |text: &Option<String>| text.as_deref().map(quoted);
    let meant = |mark: &Option<Mark>| mark.filter(|mark| *mark != Mark::Off).map(word);
    let positive = |count: &Option<u64>| count.filter(|count| *count > 0).map(shown);
    let numbers = numbers.filter(|numbers| *numbers != Default::default());
    let keys = [
        ("type", text(name)),
        ("compression", text(compression)),
        ("encoding", encoding.as_deref().filter(|name| !is_utf_8(name)).map(quoted)),
        ("lenient", lenient.then(|| "true".to_owned())),
        ("delimiter", text(delimiter)),
        ("quote", quote.map(word)),
        ("escape", meant(escape)),
        ("comment", meant(comment)),
        ("header", header.and_then(header_rows)),
        ("skip_rows", positive(skip_rows)),
        ("skip_footer", positive(skip_footer)),
        ("null_values", null_values.as_ref().map(|words| list(words.iter().map(|w| quoted(w))))),
        ("decimal", numbers.map(|numbers| quoted(&numbers.decimal.to_string()))),
        (
            "thousands",
            numbers.and_then(|numbers| numbers.thousands).map(|mark| quoted(&mark.to_string())),
        ),
        ("widths", widths.as_ref().map(|widths| list(widths.iter().map(shown)))),
        ("records_path", text(records_path)),
        (
            "flatten",
            flatten.as_ref().map(|flatten| {
                let separator = quoted(&flatten.separator);
                format!("{{depth: {}, separator: {separator}}}", flatten.depth)
            }),
        ),
        ("row_element", text(row_element)),
        ("sheet", text(sheet)),
        ("range", text(range)),
        ("record_bytes_max", record_bytes_max.map(shown)),
        ("decompressed_bytes_max", decompressed_bytes_max.map(shown)),
        ("decompression_ratio_max", decompression_ratio_max.map(shown)),
    ];
    let of_format = |key: &str| name.as_deref().is_none_or(|name| concerns(key, name));
    let given = keys.into_iter().filter_map(|(key, value)| Some((key, value?)));
    given.filter(|(key, _)| of_format(key)).collect()
}

fn shown(number: impl ToString) -> String {
    number.to_string()
}

fn list(values: impl Iterator<Item = String>) -> String {
    format!("[{}]", values.collect::<Vec<_>>().join(", "))
}

fn word(mark: Mark) -> String {
    word_of_mark(mark.byte())
}

fn is_utf_8(name: &str) -> bool {
    matches!(name.to_ascii_lowercase().as_str(), "utf-8" | "utf8")
}

fn header_rows(header: Header) -> Option<String> {
    match header {
        Header::None => Some("false".to_owned()),
        Header::Rows(1) => None,
        Header::Rows(rows) => Some(rows.to_string()),
    }
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
