//! A type as it is spelled: a name and what stands in its brackets.

/// A type's name in lower case, and what stands in its brackets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spelling {
    pub(super) name: String,
    /// What stands in angle brackets: `list<item: int64>`.
    pub(super) inner: Option<String>,
    pub(super) arguments: Vec<Argument>,
}

/// One argument of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    /// As it stands, without spaces around it.
    Bare(String),
    /// What stands in quotes; a doubled quote is one.
    Quoted(String),
}

impl Argument {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Bare(text) | Self::Quoted(text) => text,
        }
    }
}

/// Where pandas keeps values; of no matter to a column.
const STORAGES: [&str; 3] = ["pyarrow", "python", "pyarrow_numpy"];

impl Spelling {
    /// `timestamp(3) with time zone` -> `timestamp with time zone`, [`3`].
    pub(super) fn of(text: &str) -> Result<Self, String> {
        let mut spelling = Self::default();
        let mut name = String::new();
        let mut rest = text.trim();
        while let Some(at) = rest.find(['(', '[', '<', ')', ']', '>', '\'', '"']) {
            name.push_str(&rest[..at]);
            name.push(' ');
            rest = spelling.brackets(&rest[at..])?;
        }
        name.push_str(rest);
        spelling.name = words(&name.to_ascii_lowercase());
        Ok(spelling)
    }

    /// Reads the brackets at the beginning of `text`; what is behind them.
    fn brackets<'t>(&mut self, text: &'t str) -> Result<&'t str, String> {
        let end = closing(text)?;
        let inside = &text[1..end];
        let rest = &text[end + 1..];
        if text.starts_with('<') {
            self.inner = Some(inside.to_ascii_lowercase());
            return Ok(rest);
        }
        if self.inner.is_some() {
            // How many elements a list of a fixed size has.
            return Ok(rest);
        }
        if inside.trim().is_empty() {
            return Err("brackets with nothing in them stand last, as in `bigint[]`".to_owned());
        }
        let storage = STORAGES.contains(&inside.trim());
        match (storage, self.arguments.is_empty()) {
            (true, _) => {}
            (false, true) => self.arguments = arguments(inside)?,
            (false, false) => return Err("there are brackets twice".to_owned()),
        }
        Ok(rest)
    }
}

/// Where the bracket at the beginning of `text` is closed, quotes and nested
/// brackets aside.
pub(super) fn closing(text: &str) -> Result<usize, String> {
    let mut open = Vec::new();
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(mark), letter) if letter == mark => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') if !open.is_empty() => quote = Some(letter),
            (None, '(') => open.push(')'),
            (None, '[') => open.push(']'),
            (None, '<') => open.push('>'),
            (None, ')' | ']' | '>') => {
                if open.pop() != Some(letter) {
                    break;
                }
                if open.is_empty() {
                    return Ok(at);
                }
            }
            (None, '\'' | '"') => break,
            (None, _) => {}
        }
    }
    Err(match quote {
        Some(_) => "a quote is not closed".to_owned(),
        None if !text.contains([')', ']', '>']) => {
            "its brackets do not fit together; in YAML a type with a comma stands in quotes: \
             \"numeric(12,2)\""
                .to_owned()
        }
        None => "its brackets do not fit together".to_owned(),
    })
}

fn arguments(inside: &str) -> Result<Vec<Argument>, String> {
    let mut arguments = Vec::new();
    let mut rest = inside.trim();
    loop {
        let (argument, behind) = match rest.chars().next() {
            Some(mark @ ('\'' | '"')) => quoted(rest, mark)?,
            _ => {
                let end = rest.find(',').unwrap_or(rest.len());
                (Argument::Bare(rest[..end].trim().to_owned()), &rest[end..])
            }
        };
        arguments.push(argument);
        rest = match behind.trim_start() {
            "" => return Ok(arguments),
            behind => behind
                .strip_prefix(',')
                .ok_or_else(|| format!("there is no comma before `{behind}`"))?
                .trim(),
        };
    }
}

fn quoted(text: &str, mark: char) -> Result<(Argument, &str), String> {
    let mut value = String::new();
    let mut rest = &text[mark.len_utf8()..];
    while let Some(at) = rest.find(mark) {
        value.push_str(&rest[..at]);
        rest = &rest[at + mark.len_utf8()..];
        match rest.strip_prefix(mark) {
            Some(behind) => {
                value.push(mark);
                rest = behind;
            }
            None => return Ok((Argument::Quoted(value), rest)),
        }
    }
    Err("a quote is not closed".to_owned())
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
