//! What becomes of columns, and the ways in which rules for one column can
//! contradict each other.
//!
//! A rule may name a column before or after its renaming, and as the file or
//! as the new table spells it. Two rules of one kind that mean the same
//! column are refused, whichever names they use.

use std::collections::BTreeMap;

use decant_core::names::ColumnNames;
use decant_core::schema::{FILE_ID_COLUMN, RESCUED_COLUMN};
use decant_core::secret::Secret;
use decant_core::stream::{AddedColumn, AddedValue, ColumnRules, Concealment, Trim};

use super::meaning::{Meant, Objection};
use super::stream_rules::Path;
use super::typed::{Columns, Hidden, Origin, Texts, TrimmedColumns, TypeName};

pub(super) fn column_rules(typed: Option<&Columns>, path: &Path<'_>) -> Meant<ColumnRules> {
    let Some(typed) = typed else { return Ok(ColumnRules::default()) };
    let names = typed.names.map(|names| names.meaning()).unwrap_or_default();
    refuse_bad_renames(&typed.rename, names, path)?;
    refuse_bad_aliases(typed, names, path)?;
    let renames = Renames { rename: &typed.rename, names };
    for (rule, columns) in named_columns(typed) {
        renames.refuse_twins(rule, &columns, path)?;
    }
    renames.refuse_both(["select", "exclude"], typed, path)?;
    renames.refuse_both(["hash", "mask"], typed, path)?;
    refuse_empty_keys(typed, path)?;
    Ok(ColumnRules {
        rename: typed.rename.clone(),
        aliases: typed
            .aliases
            .iter()
            .map(|(column, Texts(others))| (column.clone(), others.clone()))
            .collect(),
        types: typed
            .types
            .iter()
            .map(|(column, TypeName { given, .. })| (column.clone(), given.clone()))
            .collect(),
        select: words(&typed.select),
        exclude: words(&typed.exclude),
        all_text: typed.text.unwrap_or(false),
        names,
        decimals: typed.decimals.map(|decimals| decimals.meaning()).unwrap_or_default(),
        trim: trim(typed),
        conceal: concealments(typed),
        added: added_columns(typed, path)?,
    })
}

/// A key that is empty hides nothing: anybody can hash all values there are.
fn refuse_empty_keys(typed: &Columns, path: &Path<'_>) -> Meant<()> {
    let keys = [
        ("hash", typed.hash.as_ref().and_then(|hash| hash.key.as_ref())),
        ("row_hash", typed.row_hash.as_ref().and_then(|hash| hash.key.as_ref())),
    ];
    let is_empty = |key: &Hidden| key.0.expose().trim().is_empty();
    match keys.iter().find(|(_, key)| key.is_some_and(is_empty)) {
        Some((rule, _)) => Err(Objection::new(
            path.to(&format!("columns.{rule}.key")),
            format!("the key of `{rule}` is empty"),
        )
        .hint("set the variable that holds it, or leave `key` out for hashes without one")),
        None => Ok(()),
    }
}

fn words(texts: &Option<Texts>) -> Vec<String> {
    texts.clone().unwrap_or_default().0
}

/// The columns that each rule names.
fn named_columns(typed: &Columns) -> Vec<(&'static str, Vec<String>)> {
    let trimmed = match &typed.trim {
        Some(TrimmedColumns::These(Texts(columns))) => columns.clone(),
        _ => Vec::new(),
    };
    let hashed = typed.hash.as_ref().map(|hash| hash.columns.0.clone());
    let masked = typed.mask.iter().flat_map(|mask| &mask.0).map(|(column, _)| column.clone());
    vec![
        ("types", typed.types.keys().cloned().collect()),
        ("select", words(&typed.select)),
        ("exclude", words(&typed.exclude)),
        ("trim", trimmed),
        ("hash", hashed.unwrap_or_default()),
        ("mask", masked.collect()),
    ]
}

fn trim(typed: &Columns) -> Trim {
    match &typed.trim {
        None | Some(TrimmedColumns::None) => Trim::None,
        Some(TrimmedColumns::All) => Trim::All,
        Some(TrimmedColumns::These(Texts(columns))) => Trim::Columns(columns.clone()),
    }
}

fn concealments(typed: &Columns) -> BTreeMap<String, Concealment> {
    let key = typed.hash.as_ref().and_then(|hash| hash.key.as_ref()).map(secret);
    let hashed = typed.hash.iter().flat_map(|hash| &hash.columns.0);
    let hashed = hashed.map(|column| (column.clone(), Concealment::Hash { key: key.clone() }));
    let masked = typed.mask.iter().flat_map(|mask| &mask.0);
    let masked =
        masked.map(|(column, keep)| (column.clone(), Concealment::Mask { keep_last: *keep }));
    hashed.chain(masked).collect()
}

fn secret(Hidden(key): &Hidden) -> Secret {
    key.clone()
}

fn added_columns(typed: &Columns, path: &Path<'_>) -> Meant<Vec<AddedColumn>> {
    let mut added: Vec<AddedColumn> = Vec::new();
    for (name, Origin(value)) in typed.add.iter().flat_map(|add| &add.0) {
        let column = AddedColumn { name: name.clone(), value: value.clone() };
        push_added(&mut added, column, path.to(&format!("columns.add.{name}")))?;
    }
    if let Some(hash) = &typed.row_hash {
        let value = AddedValue::RowHash {
            columns: hash.columns.0.clone(),
            key: hash.key.as_ref().map(secret),
        };
        let column = AddedColumn { name: hash.name.clone(), value };
        push_added(&mut added, column, path.to("columns.row_hash"))?;
    }
    Ok(added)
}

fn push_added(added: &mut Vec<AddedColumn>, column: AddedColumn, setting: String) -> Meant<()> {
    let name = column.name.to_lowercase();
    if name.trim().is_empty() {
        return Err(Objection::new(setting, "a column's name is empty"));
    }
    if [FILE_ID_COLUMN, RESCUED_COLUMN].contains(&name.as_str()) {
        let message = format!("`{}` is a column of decant's own", column.name);
        return Err(Objection::new(setting, message).hint("choose another name"));
    }
    if added.iter().any(|other| other.name.to_lowercase() == name) {
        let message = format!("column `{}` is added twice", column.name);
        return Err(Objection::new(setting, message).hint("choose another name"));
    }
    added.push(column);
    Ok(())
}

/// An alias stands for one column, and for no name of a column's own.
fn refuse_bad_aliases(typed: &Columns, names: ColumnNames, path: &Path<'_>) -> Meant<()> {
    let mut seen: Vec<(String, &String)> = Vec::new();
    for (column, Texts(others)) in &typed.aliases {
        let setting = || path.to(&format!("columns.aliases.{column}"));
        for alias in others {
            if alias.trim().is_empty() || column.trim().is_empty() {
                return Err(Objection::new(setting(), "a column's name is empty"));
            }
            let owner = seen.iter().find(|(other, _)| *other == *alias).map(|(_, owner)| *owner);
            if let Some(owner) = owner {
                let message = if owner == column {
                    format!("`{alias}` stands twice among the aliases of `{column}`")
                } else {
                    format!("`{alias}` is an alias of `{owner}` and of `{column}`")
                };
                return Err(Objection::new(setting(), message).hint("keep one of the two"));
            }
            let is_column = typed.aliases.keys().any(|other| other != column && other == alias);
            if is_column {
                let message = format!("`{alias}` has aliases and is an alias of `{column}`");
                return Err(Objection::new(setting(), message).hint("keep one of the two"));
            }
            let renamed =
                typed.rename.iter().find(|(old, _)| names.apply(old) == names.apply(alias));
            if let Some((_, new)) = renamed
                && names.apply(new) != names.apply(column)
            {
                let message = format!("`{alias}` is an alias of `{column}` and renamed to `{new}`");
                return Err(Objection::new(setting(), message).hint("keep one of the two"));
            }
            seen.push((alias.clone(), column));
        }
    }
    Ok(())
}

fn refuse_bad_renames(
    rename: &BTreeMap<String, String>,
    names: ColumnNames,
    path: &Path<'_>,
) -> Meant<()> {
    let setting = |old: &str| path.to(&format!("columns.rename.{old}"));
    let pairs: Vec<_> = rename.iter().collect();
    for (index, (old, new)) in pairs.iter().enumerate() {
        if new.trim().is_empty() || old.is_empty() {
            return Err(Objection::new(setting(old), "a column's name is empty"));
        }
        for (other_old, other_new) in &pairs[..index] {
            if new.to_lowercase() == other_new.to_lowercase() {
                let message =
                    format!("columns `{other_old}` and `{old}` are both renamed to `{new}`");
                return Err(Objection::new(setting(old), message));
            }
            if names.apply(old) == names.apply(other_old) {
                let message = format!("`{other_old}` and `{old}` name the same column");
                return Err(Objection::new(setting(old), message).hint("keep one of the two"));
            }
        }
    }
    Ok(())
}

struct Renames<'a> {
    rename: &'a BTreeMap<String, String>,
    names: ColumnNames,
}

impl Renames<'_> {
    fn refuse_twins(&self, rule: &str, columns: &[String], path: &Path<'_>) -> Meant<()> {
        for (index, column) in columns.iter().enumerate() {
            let setting = path.to(&format!("columns.{rule}.{column}"));
            if column.is_empty() {
                return Err(Objection::new(setting, "a column's name is empty"));
            }
            let twin = columns[..index].iter().find(|other| self.are_one(column, other));
            if let Some(twin) = twin {
                let message = format!("`{twin}` and `{column}` name the same column in `{rule}`");
                return Err(Objection::new(setting, message).hint("keep one of the two"));
            }
        }
        Ok(())
    }

    /// No column is named by both of two rules.
    fn refuse_both(&self, rules: [&str; 2], typed: &Columns, path: &Path<'_>) -> Meant<()> {
        let mut named = named_columns(typed).into_iter();
        let [one, other] = rules;
        let mut of = |rule: &str| named.find(|(name, _)| *name == rule).map(|(_, columns)| columns);
        let (ones, others) = (of(one).unwrap_or_default(), of(other).unwrap_or_default());
        let is_twin = |column: &&String| ones.iter().any(|first| self.are_one(first, column));
        match others.iter().find(is_twin) {
            Some(column) => Err(Objection::new(
                path.to(&format!("columns.{other}")),
                format!("`{column}` stands in `{one}` and in `{other}`"),
            )
            .hint("keep one of the two")),
            None => Ok(()),
        }
    }

    /// Whether two names mean one column: they are spelled alike, or one is
    /// what the other is renamed to.
    fn are_one(&self, one: &str, other: &str) -> bool {
        let spelled = |name: &str| self.names.apply(name);
        spelled(one) == spelled(other)
            || self.rename.iter().any(|(old, new)| {
                let pair = (spelled(old), spelled(new));
                pair == (spelled(one), spelled(other)) || pair == (spelled(other), spelled(one))
            })
    }
}
