//! What `decant config` prints: the schema, an example, and a configuration
//! as it is understood.
//!
//! A configuration is shown from what was typed, never from what it became:
//! variables stay names, and the values of secret keys are hidden.

use std::fmt::Write as _;

use decant_core::secret::redact_url;
use serde_json::Value as Json;

use super::document::Document;
use super::meaning::{
    DEFAULT_CONNECTIONS, DEFAULT_DESTINATION, DEFAULT_LEDGER, Overrides, Settings, Vocabulary,
};
use super::node::{Node, Scalar, Value};
use super::stream_rules::DEFAULT_MAX_ATTEMPTS;
use super::typed;
use super::units::Bytes;
use super::variables::has_variable;

/// The JSON Schema of `decant.yaml`, ready to print.
pub fn schema() -> String {
    let schema = schemars::schema_for!(typed::Document);
    pretty(schema.as_value())
}

fn pretty(schema: &Json) -> String {
    format!("{schema:#}\n")
}

/// A commented configuration to begin with; it is valid as it stands.
pub fn example() -> &'static str {
    include_str!("example.yaml")
}

/// Checks a configuration and tells how it is understood, without secrets
/// and without the values of variables.
///
/// # Errors
///
/// As [`Document::settings`].
pub fn check(
    document: &Document,
    overrides: &Overrides,
    vocabulary: &Vocabulary<'_>,
) -> decant_core::Result<String> {
    let settings = document.settings(overrides, vocabulary)?;
    Ok(described(document, &settings))
}

/// A key, what it means when it is not typed.
type Default = (&'static str, String);

fn described(document: &Document, settings: &Settings) -> String {
    let mut text = format!("{} is valid", document.file());
    if let Some(profile) = document.profile() {
        let _ = write!(text, " with profile `{profile}`");
    }
    text.push('\n');
    let tree = &document.tree;
    push_section(&mut text, "source", tree.get("source"), &source_defaults());
    push_section(&mut text, "destination", tree.get("destination"), &destination_defaults());
    push_section(&mut text, "run", tree.get("defaults"), &run_defaults(settings));
    for stream in &settings.streams {
        let title = format!("stream {}", stream.name);
        let node = tree.get("streams").and_then(|streams| streams.get(&stream.name));
        push_section(&mut text, &title, node, &stream_defaults(node));
    }
    text
}

fn push_section(text: &mut String, title: &str, node: Option<&Node>, defaults: &[Default]) {
    let _ = write!(text, "\n{title}\n");
    let typed = node.map(Node::entries).unwrap_or_default();
    for (key, node) in typed.iter().filter(|(_, node)| !node.is_null()) {
        let _ = writeln!(text, "  {:<20} {}", key.name, shown("", &key.name, node));
    }
    for (key, value) in defaults {
        if !typed.iter().any(|(typed, node)| typed.name == *key && !node.is_null()) {
            let _ = writeln!(text, "  {key:<20} {value} (default)");
        }
    }
}

fn source_defaults() -> Vec<Default> {
    vec![
        ("endpoint", "AWS".into()),
        ("region", "of the AWS profile".into()),
        ("credentials", "the chain of the AWS tools".into()),
    ]
}

fn destination_defaults() -> Vec<Default> {
    vec![
        ("url", DEFAULT_DESTINATION.into()),
        ("ledger", DEFAULT_LEDGER.into()),
        ("connections", DEFAULT_CONNECTIONS.to_string()),
    ]
}

fn run_defaults(settings: &Settings) -> Vec<Default> {
    vec![
        ("threads", settings.threads.to_string()),
        ("requests", settings.requests.to_string()),
        ("memory", Bytes(settings.memory_bytes).to_string()),
        ("transaction_files", settings.groups.files.to_string()),
        ("transaction_bytes", Bytes(settings.groups.bytes).to_string()),
        ("chunk_bytes", Bytes(settings.chunk_bytes).to_string()),
    ]
}

fn stream_defaults(node: Option<&Node>) -> Vec<Default> {
    let mut defaults = vec![
        ("files", "everything below source.url".to_owned()),
        ("table", "{folder}".into()),
        ("format", "auto".into()),
        ("if_exists", "append".into()),
        ("atomic", "file".into()),
        ("on_error", "fail".into()),
        ("on_change", "replace where the table has _file_id, else fail".into()),
        ("new_columns", "add to tables that decant created, else fail".into()),
        ("missing_columns", "null".into()),
        ("types", "widen in tables that decant created, else frozen".into()),
        ("on_conflict", "reject".into()),
        ("file_id", "true".into()),
        ("max_attempts", DEFAULT_MAX_ATTEMPTS.to_string()),
    ];
    let says = |key: &str| node.and_then(|node| node.get(key)).is_some();
    let replaces = node.and_then(|node| node.text_of("if_exists")) == Some("replace");
    defaults.retain(|(key, _)| match *key {
        "files" => !says("pattern"),
        "on_change" => !replaces,
        _ => true,
    });
    defaults
}

/// A value as it was typed, in one line. `section` is the key above `key`.
fn shown(section: &str, key: &str, node: &Node) -> String {
    match &node.value {
        Value::Scalar(scalar) => shown_scalar(section, key, scalar),
        Value::List(nodes) => {
            let nodes: Vec<String> = nodes.iter().map(|node| shown(section, key, node)).collect();
            format!("[{}]", nodes.join(", "))
        }
        Value::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(inner, node)| format!("{}: {}", inner.name, shown(key, &inner.name, node)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn shown_scalar(section: &str, key: &str, scalar: &Scalar) -> String {
    let text = scalar.shown();
    let is_secret = match key {
        "sse_customer_key" | "access_key_id" | "secret_access_key" | "session_token" => true,
        "key" => matches!(section, "hash" | "row_hash"),
        _ => false,
    };
    match text {
        _ if is_secret && !is_only_variable(text) => "***".into(),
        _ if key == "url" => redact_url(text),
        _ if scalar.is_plain => text.to_owned(),
        _ => format!("{text:?}"),
    }
}

/// Whether nothing but the name of one variable would be shown.
fn is_only_variable(text: &str) -> bool {
    let inside = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    has_variable(text) && inside.is_some_and(super::env_file::is_name)
}
