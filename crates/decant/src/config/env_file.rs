//! Files of environment variables (`--env-file`).
//!
//! The syntax that docker compose and dotenv share: `KEY=VALUE` lines,
//! `export ` before a key, `#` comments, values in single quotes (literal) or
//! double quotes (with `\n`, `\t`, `\"`, `\\` and `\$`). Values are not
//! expanded, and never appear in an error.

use std::collections::HashMap;

use decant_core::error::{Error, ErrorKind, Position, Result};

/// Reads the variables of a file; the last of two lines for one key counts.
///
/// # Errors
///
/// `InvalidConfig` with the line for what is not `KEY=VALUE`.
pub(super) fn parse(text: &str, file: &str) -> Result<HashMap<String, String>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut variables = HashMap::new();
    for (index, line) in text.lines().enumerate() {
        let pair = assignment(line).map_err(|problem| refuse(file, index + 1, problem))?;
        variables.extend(pair);
    }
    Ok(variables)
}

fn refuse(file: &str, line: usize, problem: &str) -> Error {
    Error::new(ErrorKind::InvalidConfig, problem)
        .at(Position { file: file.to_owned(), line: Some(line as u64), ..Position::default() })
        .with_hint("each line is KEY=VALUE, a comment that begins with #, or empty")
}

fn assignment(line: &str) -> Result<Option<(String, String)>, &'static str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (key, value) = line.split_once('=').ok_or("there is no `=` in this line")?;
    let key = key.trim();
    if !is_name(key) {
        return Err("what stands before `=` is not a variable's name");
    }
    Ok(Some((key.to_owned(), value_of(value.trim())?)))
}

/// Whether `text` can be the name of an environment variable.
pub(super) fn is_name(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.bytes().all(is_word) && text.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
}

fn value_of(text: &str) -> Result<String, &'static str> {
    match text.chars().next() {
        Some('\'') => {
            let (value, rest) = text[1..].split_once('\'').ok_or(UNCLOSED)?;
            nothing_after(rest)?;
            Ok(value.to_owned())
        }
        Some('"') => double_quoted(&text[1..]),
        _ => Ok(without_comment(text).to_owned()),
    }
}

const UNCLOSED: &str = "a quote is not closed in this line";

fn double_quoted(text: &str) -> Result<String, &'static str> {
    let mut value = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                nothing_after(letters.as_str())?;
                return Ok(value);
            }
            '\\' => match letters.next().ok_or(UNCLOSED)? {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                known @ ('"' | '\\' | '$') => value.push(known),
                other => value.extend(['\\', other]),
            },
            other => value.push(other),
        }
    }
    Err(UNCLOSED)
}

fn nothing_after(rest: &str) -> Result<(), &'static str> {
    let rest = rest.trim();
    if rest.is_empty() || rest.starts_with('#') {
        Ok(())
    } else {
        Err("something stands behind the closing quote")
    }
}

fn without_comment(text: &str) -> &str {
    if text.starts_with('#') {
        return "";
    }
    match text.find(" #").or_else(|| text.find("\t#")) {
        Some(comment) => text[..comment].trim_end(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dotenv_syntax_is_read() {
        let text = "\u{feff}# comment\nA=1\nexport B = two words # why\nC='it''\nD=\"a\\n\\\"b\\\" $X\" # c\r\n\nE=\nF=a#b\nG=a=b\nA=2\n";
        let text = text.replace("C='it''", "C='#it \\n'");
        let variables = parse(&text, ".env").unwrap();
        for (key, value) in [
            ("A", "2"),
            ("B", "two words"),
            ("C", "#it \\n"),
            ("D", "a\n\"b\" $X"),
            ("E", ""),
            ("F", "a#b"),
            ("G", "a=b"),
        ] {
            assert_eq!(variables[key], value, "{key}");
        }
    }

    #[test]
    fn a_bad_line_is_named_without_its_value() {
        for text in ["A=1\nhunter2\n", "A=1\nB='hunter2\n", "A=1\n1B=hunter2\n", "\nB='x'hunter2\n"]
        {
            let error = parse(text, ".env").unwrap_err();
            assert!(error.to_string().starts_with(".env line 2: "), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
