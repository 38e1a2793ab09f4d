//! The keys of a stream as text: what was typed on the command line, written
//! down as `decant.yaml` has it.
//!
//! Values are YAML in one line. Where the files are and what they look like is
//! not here: that is known better once they have been looked at.
//!
//! Invariant: every key has its place here, or the compiler complains.

use decant_core::stream::{AddedValue, MaxRejects};

use super::typed::{
    AddedColumns, Age, Columns, HashedColumns, MaskedColumns, Origin, RejectLimit, RowHash,
    StreamOptions, Texts, TrimmedColumns,
};

/// A key and its value as YAML.
pub(crate) type Key = (&'static str, String);

/// The keys that stand beside `files`, `table`, `format` and `columns`.
pub(crate) fn policy_keys(options: &StreamOptions) -> Vec<Key> {
    let StreamOptions {
        files: _,
        pattern: _,
        exclude: _,
        extension: _,
        table: _,
        format: _,
        columns: _,
        if_exists,
        atomic,
        on_error,
        max_rejects,
        on_change,
        new_columns,
        missing_columns,
        types,
        on_conflict,
        filter,
        file_id,
        min_age,
        max_attempts,
    } = options;
    let word = str::to_owned;
    given([
        ("if_exists", if_exists.map(|choice| word(choice.word()))),
        ("atomic", atomic.map(|choice| word(choice.word()))),
        ("on_error", on_error.map(|choice| word(choice.word()))),
        ("max_rejects", max_rejects.map(limit)),
        ("on_change", on_change.map(|choice| word(choice.word()))),
        ("new_columns", new_columns.map(|choice| word(choice.word()))),
        ("missing_columns", missing_columns.map(|choice| word(choice.word()))),
        ("types", types.map(|choice| word(choice.word()))),
        ("on_conflict", on_conflict.map(|choice| word(choice.word()))),
        ("where", filter.as_deref().map(quoted)),
        ("file_id", file_id.map(|carried| carried.to_string())),
        ("min_age", min_age.map(|Age(age)| format!("{}ms", age.as_millis()))),
        ("max_attempts", max_attempts.map(|attempts| attempts.to_string())),
    ])
}

/// The keys of `columns`. A key of hashes is never written: `key_variable`
/// names the variable that holds it.
pub(crate) fn column_keys(columns: &Columns, key_variable: &str) -> Vec<Key> {
    let Columns {
        rename,
        aliases,
        types,
        select,
        exclude,
        text,
        names,
        decimals,
        trim,
        hash,
        mask,
        add,
        row_hash,
    } = columns;
    let variable = format!("\"${{{key_variable}}}\"");
    given([
        ("rename", some_map(rename.iter().map(|(old, new)| (old, quoted(new))))),
        ("aliases", some_map(aliases.iter().map(|(column, others)| (column, texts(others))))),
        ("types", some_map(types.iter().map(|(column, name)| (column, quoted(name.typed()))))),
        ("select", select.as_ref().map(texts)),
        ("exclude", exclude.as_ref().map(texts)),
        ("text", text.map(|text| text.to_string())),
        ("names", names.map(|choice| choice.word().to_owned())),
        ("decimals", decimals.map(|choice| choice.word().to_owned())),
        ("trim", trim.as_ref().map(trimmed)),
        ("hash", hash.as_ref().map(|hash| hashed(hash, &variable))),
        ("mask", mask.as_ref().map(masked)),
        ("add", add.as_ref().map(added)),
        ("row_hash", row_hash.as_ref().map(|hash| row_hashed(hash, &variable))),
    ])
}

fn given<const N: usize>(keys: [(&'static str, Option<String>); N]) -> Vec<Key> {
    keys.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

fn limit(RejectLimit(limit): RejectLimit) -> String {
    match limit {
        MaxRejects::Percent(percent) => format!("\"{percent}%\""),
        MaxRejects::Rows(rows) => rows.to_string(),
        MaxRejects::Unlimited => "null".to_owned(),
    }
}

fn trimmed(trim: &TrimmedColumns) -> String {
    match trim {
        TrimmedColumns::None => "false".to_owned(),
        TrimmedColumns::All => "true".to_owned(),
        TrimmedColumns::These(columns) => texts(columns),
    }
}

fn hashed(HashedColumns { columns, key }: &HashedColumns, variable: &str) -> String {
    match key {
        Some(_) => format!("{{columns: {}, key: {variable}}}", texts(columns)),
        None => texts(columns),
    }
}

fn row_hashed(RowHash { name, columns, key }: &RowHash, variable: &str) -> String {
    let mut keys = vec![format!("name: {}", quoted(name))];
    keys.extend((!columns.0.is_empty()).then(|| format!("columns: {}", texts(columns))));
    keys.extend(key.as_ref().map(|_| format!("key: {variable}")));
    format!("{{{}}}", keys.join(", "))
}

fn masked(MaskedColumns(columns): &MaskedColumns) -> String {
    map(columns.iter().map(|(column, keep)| (column, keep.to_string())))
}

fn added(AddedColumns(columns): &AddedColumns) -> String {
    map(columns.iter().map(|(column, Origin(value))| (column, quoted(&origin(value)))))
}

fn origin(value: &AddedValue) -> String {
    match value {
        AddedValue::File => "{file}".to_owned(),
        AddedValue::LastModified => "{last_modified}".to_owned(),
        AddedValue::Line => "{line}".to_owned(),
        AddedValue::LoadedAt => "{loaded_at}".to_owned(),
        AddedValue::Path(name) => format!("{{path:{name}}}"),
        // It has a key of its own, `row_hash`.
        AddedValue::RowHash { .. } => String::new(),
    }
}

fn map<'k>(entries: impl Iterator<Item = (&'k String, String)>) -> String {
    let entries: Vec<String> =
        entries.map(|(key, value)| format!("{}: {value}", quoted(key))).collect();
    format!("{{{}}}", entries.join(", "))
}

fn some_map<'k>(entries: impl ExactSizeIterator<Item = (&'k String, String)>) -> Option<String> {
    (entries.len() > 0).then(|| map(entries))
}

fn texts(Texts(texts): &Texts) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// A byte with a meaning, or none.
pub(crate) fn word_of_mark(byte: Option<u8>) -> String {
    byte.map_or_else(|| "none".to_owned(), |byte| quoted(&char::from(byte).to_string()))
}

/// A text in double quotes, as YAML and JSON read it alike; a `${` is kept
/// from being a variable.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text.replace("${", "$${")).to_string()
}
