//! Which table a file goes to, from its key.

use regex::Regex;

use crate::error::{Error, ErrorKind, Result};
use crate::names::ColumnNames;
use crate::schema::TableName;
use crate::selection::folder_of;

/// A table's name, or one with `{folder}`, `{stem}` or `{path:NAME}` in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableTemplate {
    text: String,
    base: String,
    names: ColumnNames,
}

/// Endings that say how a file is packed, not what it is called.
const PACKED: [&str; 7] = [".gz", ".zst", ".zstd", ".bz2", ".xz", ".lz4", ".br"];

impl TableTemplate {
    /// A template whose `{folder}` is the first folder below `base` (a key
    /// prefix that is empty or ends in `/`). What stands for a variable is
    /// named as new columns are; what is typed stays as it is.
    ///
    /// # Errors
    ///
    /// `InvalidConfig` when a `{…}` is not one of the three variables.
    pub fn new(text: &str, base: &str, names: ColumnNames) -> Result<Self> {
        let template = Self { text: text.to_owned(), base: base.to_owned(), names };
        for variable in template.variables() {
            let is_known = matches!(variable, "folder" | "stem") || path_group(variable).is_some();
            if !is_known {
                return Err(Error::new(
                    ErrorKind::InvalidConfig,
                    format!("`{{{variable}}}` in table `{text}` is not known"),
                )
                .with_hint("a table may use {folder}, {stem} and {path:NAME}"));
            }
        }
        if text.trim().is_empty() {
            return Err(Error::new(ErrorKind::InvalidConfig, "the table's name is empty"));
        }
        Ok(template)
    }

    /// The name, if it is the same for every file.
    pub fn fixed(&self) -> Option<TableName> {
        self.variables().is_empty().then(|| TableName::parse(&self.text))
    }

    /// The table for `key`. `groups` are the selection's named groups.
    ///
    /// # Errors
    ///
    /// `InvalidConfig` when `{path:NAME}` has no value in this key.
    pub fn table_for(&self, key: &str, groups: Option<&Regex>) -> Result<TableName> {
        let mut name = self.text.clone();
        for variable in self.variables() {
            let value = self.value_of(variable, key, groups)?;
            let place = format!("{{{variable}}}");
            let named = self.names.apply(value).replace('"', "");
            // Only at the beginning of a name does a digit need its `_`.
            let within =
                name.find(&place).is_some_and(|start| start > 0 && !name[..start].ends_with('.'));
            let digits = named.strip_prefix('_').filter(|_| within && !value.starts_with('_'));
            name = name.replace(&place, &format!("\"{}\"", digits.unwrap_or(&named)));
        }
        Ok(TableName::parse(&name))
    }

    /// What the variables stand for in `key`, as it is spelled there; `None`
    /// where there are none, or one has no value.
    pub fn spelling(&self, key: &str, groups: Option<&Regex>) -> Option<String> {
        let values = self.variables().into_iter().map(|it| self.value_of(it, key, groups).ok());
        let values: Option<Vec<&str>> = values.collect();
        values.filter(|values| !values.is_empty()).map(|values| values.join("/"))
    }

    /// What its variables are made of, in a word and the plural.
    pub fn made_of(&self) -> &'static str {
        match self.variables().as_slice() {
            ["folder"] => "folders",
            ["stem"] => "files",
            _ => "values",
        }
    }

    fn value_of<'a>(
        &self,
        variable: &str,
        key: &'a str,
        groups: Option<&'a Regex>,
    ) -> Result<&'a str> {
        let Some(group) = path_group(variable) else {
            let folder = first_folder(key, &self.base).filter(|_| variable == "folder");
            return Ok(folder.unwrap_or_else(|| stem(key)));
        };
        path_value(key, group, groups).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidConfig,
                format!("has no `{group}` in its key for table `{}`", self.text),
            )
            .in_file(key)
            .with_hint("name a group of `pattern` so, as in (?P<NAME>…), or use Hive partitions")
        })
    }

    fn variables(&self) -> Vec<&str> {
        self.text
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}').map(|(variable, _)| variable))
            .collect()
    }
}

/// The last part of a key without its extension and without what says that
/// it is packed: `a/orders.csv.gz` -> `orders`.
pub fn stem(key: &str) -> &str {
    let name = key.strip_prefix(folder_of(key)).unwrap_or(key);
    let lower = name.to_lowercase();
    let packed = PACKED.iter().find(|ending| lower.ends_with(*ending));
    let name = packed.map_or(name, |ending| &name[..name.len() - ending.len()]);
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    }
}

fn path_group(variable: &str) -> Option<&str> {
    variable.strip_prefix("path:")
}

fn first_folder<'a>(key: &'a str, base: &str) -> Option<&'a str> {
    let below = key.strip_prefix(base).unwrap_or(key);
    below.split_once('/').map(|(folder, _)| folder).filter(|folder| !folder.is_empty())
}

fn path_value<'a>(key: &'a str, group: &str, groups: Option<&Regex>) -> Option<&'a str> {
    let captured = groups
        .and_then(|regex| regex.captures(key))
        .and_then(|captures| captures.name(group))
        .map(|capture| capture.as_str());
    captured.or_else(|| {
        folder_of(key)
            .split('/')
            .filter_map(|part| part.split_once('='))
            .find(|(name, _)| *name == group)
            .map(|(_, value)| value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str, base: &str, key: &str) -> String {
        let template = TableTemplate::new(text, base, ColumnNames::SnakeCase).unwrap();
        template.table_for(key, None).unwrap().to_string()
    }

    #[test]
    fn variables_come_from_the_key() {
        for (text, base, key, expected) in [
            ("orders", "", "a/b.csv", "orders"),
            ("staging.orders", "", "a/b.csv", "staging.orders"),
            ("{folder}", "", "Web Orders/2026/b.csv", "web_orders"),
            ("{folder}", "in/", "in/a/b/c.csv", "a"),
            ("{folder}", "in/", "in/c.csv.gz", "c"),
            ("raw.{stem}", "", "x/OrderLines.v2.csv.zst", "raw.order_lines_v2"),
            ("t_{path:day}", "", "x/day=2026-01-01/b.csv", "t_2026_01_01"),
        ] {
            assert_eq!(table(text, base, key), expected, "{text} of {key}");
        }
    }

    #[test]
    fn named_groups_come_before_hive_partitions() {
        let regex = Regex::new(r"/(?P<course>[^/]+)/").unwrap();
        let template = TableTemplate::new("{path:course}", "", ColumnNames::Source).unwrap();
        let table = template.table_for("x/Math 1/a.tsv", Some(&regex)).unwrap();
        assert_eq!(table, TableName { schema: None, name: "Math 1".into() });
        assert!(template.table_for("nothing.tsv", None).is_err());
    }

    #[test]
    fn a_spelling_is_what_the_key_has() {
        let spelling = |text, key| {
            let template = TableTemplate::new(text, "in/", ColumnNames::SnakeCase).unwrap();
            template.spelling(key, None)
        };
        for (text, key, expected) in [
            ("{folder}", "in/A-B/x.csv", Some("A-B")),
            ("t_{stem}_{path:day}", "in/day=1/A b.csv.gz", Some("A b/1")),
            ("{path:day}", "in/x.csv", None),
            ("orders", "in/x.csv", None),
        ] {
            assert_eq!(spelling(text, key).as_deref(), expected, "{text} of {key}");
        }
    }

    #[test]
    fn an_unknown_variable_is_refused() {
        let error = TableTemplate::new("{floder}", "", ColumnNames::Source).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    }

    #[test]
    fn only_a_name_without_variables_is_fixed() {
        let fixed = |text| TableTemplate::new(text, "", ColumnNames::Source).unwrap().fixed();
        assert_eq!(fixed("a.b"), Some(TableName::parse("a.b")));
        assert_eq!(fixed("{stem}"), None);
    }
}
