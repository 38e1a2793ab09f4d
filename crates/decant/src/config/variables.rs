//! `${NAME}` and `${NAME:-default}` in the values of a configuration. A
//! default may hold variables itself.
//!
//! Variables are put in after the file has been parsed, scalar by scalar, so
//! that a value can never change the structure around it. The scalar keeps
//! its text as typed, which is all that is ever shown of it. `$${` stands for
//! a literal `${`.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use decant_core::error::{Error, ErrorKind, Result};

use super::env_file;
use super::node::{Node, Place, Scalar, Value};
use super::yaml::error_at;

/// Where the values of variables come from: first the process, then a file.
#[derive(Clone, Default)]
pub struct Environment {
    process: HashMap<String, String>,
    file: HashMap<String, String>,
}

impl Environment {
    /// The variables of this process.
    pub fn of_process() -> Self {
        let readable = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self { process: std::env::vars_os().filter_map(readable).collect(), file: HashMap::new() }
    }

    /// Exactly these variables.
    pub fn of<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let process = pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { process, file: HashMap::new() }
    }

    /// Adds the variables of a dotenv file; those of the process win.
    ///
    /// # Errors
    ///
    /// `NotFound` or `InvalidConfig` for a file that cannot be read.
    pub fn with_file(mut self, path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::new(ErrorKind::InvalidConfig, "the file of variables cannot be read")
                .in_file(shown.clone())
                .caused_by(error)
        })?;
        self.file = env_file::parse(&text, &shown)?;
        Ok(self)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.process.get(name).or_else(|| self.file.get(name)).map(String::as_str)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment { .. }")
    }
}

/// Puts the variables into every value of the tree.
///
/// # Errors
///
/// `InvalidConfig` naming the variable, its file and line, when it is not set
/// and has no default.
pub(super) fn fill(node: &mut Node, environment: &Environment, file: &str) -> Result<()> {
    match &mut node.value {
        Value::Scalar(scalar) => {
            fill_scalar(scalar, environment).map_err(|problem| problem.into_error(file, node.place))
        }
        Value::List(nodes) => nodes.iter_mut().try_for_each(|node| fill(node, environment, file)),
        Value::Map(entries) => {
            entries.iter_mut().try_for_each(|(_, node)| fill(node, environment, file))
        }
    }
}

/// Defaults in defaults at most.
const DEPTH_MAX: usize = 8;

/// Whether a text has a variable in it.
pub(super) fn has_variable(text: &str) -> bool {
    text.replace("$${", "").contains("${")
}

enum Problem {
    Unset(String),
    BadName,
    Unclosed,
    TooDeep,
}

impl Problem {
    fn into_error(self, file: &str, place: Place) -> Error {
        match self {
            Self::Unset(name) => error_at(
                file,
                place,
                format!("the environment variable `{name}` is not set"),
            )
            .with_hint(format!(
                "export {name}, put it into a file for --env-file, or write ${{{name}:-default}}"
            )),
            Self::BadName => error_at(file, place, "what stands in `${…}` is not a name")
                .with_hint("write ${NAME} or ${NAME:-default}; $${ stands for a literal ${"),
            Self::Unclosed => error_at(file, place, "`${` is not closed with `}`")
                .with_hint("$${ stands for a literal ${"),
            Self::TooDeep => {
                error_at(file, place, format!("more than {DEPTH_MAX} defaults are in each other"))
                    .with_hint("set the variables instead")
            }
        }
    }
}

fn fill_scalar(scalar: &mut Scalar, environment: &Environment) -> Result<(), Problem> {
    if !scalar.text.contains("${") {
        return Ok(());
    }
    let typed = scalar.text.clone();
    scalar.text = expand(&typed, environment, 0)?;
    scalar.shown = Some(typed).filter(|typed| has_variable(typed));
    Ok(())
}

fn expand(typed: &str, environment: &Environment, depth: usize) -> Result<String, Problem> {
    if depth > DEPTH_MAX {
        return Err(Problem::TooDeep);
    }
    let mut text = String::new();
    let mut rest = typed;
    while let Some(dollar) = rest.find("${") {
        let before = &rest[..dollar];
        if let Some(before) = before.strip_suffix('$') {
            text.push_str(before);
            text.push_str("${");
            rest = &rest[dollar + 2..];
            continue;
        }
        text.push_str(before);
        let (inside, after) = split_closed(&rest[dollar + 2..]).ok_or(Problem::Unclosed)?;
        text.push_str(&value_of(inside, environment, depth)?);
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

/// What stands before the `}` that closes a variable, and behind it.
fn split_closed(text: &str) -> Option<(&str, &str)> {
    let mut open = 0usize;
    let mut before = ' ';
    for (at, letter) in text.char_indices() {
        match letter {
            '{' if before == '$' => open += 1,
            '}' if open == 0 => return Some((&text[..at], &text[at + 1..])),
            '}' => open -= 1,
            _ => {}
        }
        before = letter;
    }
    None
}

fn value_of(inside: &str, environment: &Environment, depth: usize) -> Result<String, Problem> {
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    if !env_file::is_name(name) {
        return Err(Problem::BadName);
    }
    // As in a shell, `:-` also stands in for a variable that is set to nothing.
    match (environment.get(name), default) {
        (Some(value), None) => Ok(value.to_owned()),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value.to_owned()),
        (_, Some(default)) => expand(default, environment, depth + 1),
        (None, None) => Err(Problem::Unset(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::yaml;
    use super::*;

    fn filled(text: &str) -> Result<Node> {
        let environment = Environment::of([("A", "1"), ("EMPTY", ""), ("EVIL", "x: {y: 1}\nz: 2")]);
        let mut node = yaml::parse(text, "t.yaml").unwrap();
        fill(&mut node, &environment, "t.yaml")?;
        Ok(node)
    }

    #[test]
    fn variables_and_defaults_are_put_in() {
        for (typed, text) in [
            ("${A}", "1"),
            ("a${A}b${A}", "a1b1"),
            ("${B:-two}", "two"),
            ("${EMPTY:-two}", "two"),
            ("${EMPTY}", ""),
            ("$${A}", "${A}"),
            ("^a$", "^a$"),
            ("${B:-}", ""),
            ("${B:-${A}}", "1"),
            ("<${B:-x${C:-${A}y}z}>", "<x1yz>"),
            ("${A:-${NO_SUCH}}", "1"),
            ("${B:-$${A}}", "${A}"),
        ] {
            let node = filled(&format!("k: '{typed}'\n")).unwrap();
            assert_eq!(node.text_of("k"), Some(text), "{typed}");
        }
    }

    #[test]
    fn defaults_within_defaults_end_somewhere() {
        let nested =
            |depth: usize| format!("k: '{}1{}'\n", "${B:-".repeat(depth), "}".repeat(depth));
        assert!(filled(&nested(8)).is_ok());
        for text in [nested(9), nested(50_000), "k: '${B:-${A}'\n".into()] {
            assert_eq!(filled(&text).err().unwrap().kind(), ErrorKind::InvalidConfig);
        }
    }

    #[test]
    fn a_value_never_changes_the_structure() {
        let node = filled("k: ${EVIL}\n").unwrap();
        assert_eq!(node.entries().len(), 1);
        assert_eq!(node.text_of("k"), Some("x: {y: 1}\nz: 2"));
    }

    #[test]
    fn a_missing_variable_is_named_with_its_place() {
        let error = filled("a: 1\nk: x${NO_SUCH}\n").err().unwrap();
        assert_eq!(error.to_string(), "t.yaml:2:4: the environment variable `NO_SUCH` is not set");
    }

    #[test]
    fn the_process_wins_over_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "A=file\nB=file\n").unwrap();
        let environment = Environment::of([("A", "process")]).with_file(file.path()).unwrap();
        assert_eq!((environment.get("A"), environment.get("B")), (Some("process"), Some("file")));
    }
}
