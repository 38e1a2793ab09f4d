//! Reads which rows are loaded from the text that a person types:
//! `amount > 10 and country in ('FR','DE') and note is not null`.
//!
//! Comparisons of a column with constants, joined by `and`, and nothing else:
//! no `or`, no arithmetic, no functions. A column is a word, or stands in
//! double quotes (or back-ticks) where it is none; text stands in single
//! quotes, doubled inside. Whether the constants fit their columns is known
//! only beside a table, and is decided there.

use crate::error::{Error, ErrorKind, Result};
use crate::stream::{Comparator, Comparison, RowFilter};

impl RowFilter {
    /// Reads comparisons joined by `and`.
    ///
    /// # Errors
    ///
    /// `InvalidConfig` that quotes the place which is not understood, with
    /// what may stand there.
    pub fn parse(text: &str) -> Result<Self> {
        let mut reader = Reader { tokens: tokens(text)?, at: 0, numeric: false, text };
        let mut comparisons = vec![reader.comparison()?];
        while reader.takes_word("and") {
            comparisons.push(reader.comparison()?);
        }
        match reader.next() {
            None => Ok(Self { comparisons }),
            Some(token) if token.is_word("or") => {
                Err(reader.error(Some(&token), "only `and` joins comparisons")).map_err(|error| {
                    error.with_hint("several values of one column: `column in ('a', 'b')`")
                })
            }
            other => Err(reader.error(other.as_ref(), "expected `and`, or the end")),
        }
    }

    /// Whether every row is let through.
    pub fn is_empty(&self) -> bool {
        self.comparisons.is_empty()
    }
}

#[derive(Clone, Debug, PartialEq)]
enum TokenKind {
    /// A bare word: a column, a keyword, or `true` and `false`.
    Word(String),
    /// A column in double quotes or back-ticks.
    Quoted(String),
    /// A constant in single quotes.
    Text(String),
    Number(String),
    Comparator(Comparator),
    Open,
    Close,
    Comma,
}

#[derive(Clone, Debug)]
struct Token {
    kind: TokenKind,
    /// Bytes of the text before it.
    start: usize,
}

impl Token {
    fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, TokenKind::Word(found) if found.eq_ignore_ascii_case(word))
    }
}

const KEYWORDS: [&str; 6] = ["and", "or", "not", "in", "is", "null"];

fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

fn tokens(text: &str) -> Result<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let start = text.len() - rest.len();
        let (kind, length) = match first {
            '(' => (TokenKind::Open, 1),
            ')' => (TokenKind::Close, 1),
            ',' => (TokenKind::Comma, 1),
            '\'' => quoted(rest, text, first).map(|(it, length)| (TokenKind::Text(it), length))?,
            '"' | '`' => {
                quoted(rest, text, first).map(|(it, length)| (TokenKind::Quoted(it), length))?
            }
            '=' | '<' | '>' | '!' => comparator(rest, text)?,
            '-' | '+' | '.' | '0'..='9' => number(rest),
            letter if is_of_a_word(letter) => word(rest),
            _ => return Err(refusal(text, Some(start), "this means nothing here")),
        };
        tokens.push(Token { kind, start });
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn is_of_a_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '$' | '.' | '-' | '+')
}

fn length_of(rest: &str, belongs: impl Fn(char) -> bool) -> usize {
    rest.find(|letter| !belongs(letter)).unwrap_or(rest.len())
}

fn word(rest: &str) -> (TokenKind, usize) {
    let length = length_of(rest, is_of_a_word);
    (TokenKind::Word(rest[..length].to_owned()), length)
}

/// A number, or a word that begins like one: a column `2020_sales`.
fn number(rest: &str) -> (TokenKind, usize) {
    let length = length_of(rest, is_of_a_word);
    let text = rest[..length].to_owned();
    let is_number = text.parse::<f64>().is_ok_and(f64::is_finite);
    (if is_number { TokenKind::Number(text) } else { TokenKind::Word(text) }, length)
}

/// What stands between two `quote`s, doubled ones undone, and its length with
/// them.
fn quoted(rest: &str, text: &str, quote: char) -> Result<(String, usize)> {
    let mut content = String::new();
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((index, letter)) = letters.next() {
        if letter != quote {
            content.push(letter);
        } else if letters.next_if(|(_, next)| *next == quote).is_some() {
            content.push(quote);
        } else {
            return Ok((content, index + 1));
        }
    }
    let start = text.len() - rest.len();
    Err(refusal(text, Some(start), "this quote is never closed"))
}

fn comparator(rest: &str, text: &str) -> Result<(TokenKind, usize)> {
    let known = [
        ("<>", Comparator::NotEqual),
        ("!=", Comparator::NotEqual),
        ("<=", Comparator::LessOrEqual),
        (">=", Comparator::GreaterOrEqual),
        ("==", Comparator::Equal),
        ("=", Comparator::Equal),
        ("<", Comparator::Less),
        (">", Comparator::Greater),
    ];
    let found = known.into_iter().find(|(sign, _)| rest.starts_with(sign));
    found.map(|(sign, comparator)| (TokenKind::Comparator(comparator), sign.len())).ok_or_else(
        || refusal(text, Some(text.len() - rest.len()), "expected `=`, `<>`, `<`, `<=`, `>`, `>=`"),
    )
}

struct Reader<'a> {
    tokens: Vec<Token>,
    at: usize,
    /// Whether the comparison at hand has a number.
    numeric: bool,
    text: &'a str,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn takes(&mut self, takes: impl FnOnce(&Token) -> bool) -> bool {
        let taken = self.tokens.get(self.at).is_some_and(takes);
        self.at += usize::from(taken);
        taken
    }

    fn takes_word(&mut self, word: &str) -> bool {
        self.takes(|token| token.is_word(word))
    }

    fn comparison(&mut self) -> Result<Comparison> {
        let column = match self.next() {
            Some(Token { kind: TokenKind::Quoted(name), .. }) => name,
            Some(Token { kind: TokenKind::Word(name), .. }) if !is_keyword(&name) => name,
            other => return Err(self.error(other.as_ref(), "expected a column")),
        };
        self.numeric = false;
        let (comparator, values) = self.condition()?;
        Ok(Comparison { column, comparator, values, numeric: self.numeric })
    }

    fn condition(&mut self) -> Result<(Comparator, Vec<String>)> {
        let Some(token) = self.next() else {
            return Err(self.error(None, "expected a comparison, such as `> 10` or `is null`"));
        };
        if let TokenKind::Comparator(comparator) = token.kind {
            return Ok((comparator, vec![self.value()?]));
        }
        if token.is_word("is") {
            let is_not = self.takes_word("not");
            self.keyword("null")?;
            let comparator = if is_not { Comparator::IsNotNull } else { Comparator::IsNull };
            return Ok((comparator, Vec::new()));
        }
        let comparator = match token.is_word("not") {
            true => {
                self.keyword("in")?;
                Comparator::NotIn
            }
            false if token.is_word("in") => Comparator::In,
            false => {
                let expected = "expected a comparison: `=`, `<>`, `<`, `<=`, `>`, `>=`, `in`, \
                                `not in`, `is null`, `is not null`";
                return Err(self.error(Some(&token), expected));
            }
        };
        Ok((comparator, self.values()?))
    }

    fn keyword(&mut self, word: &str) -> Result<()> {
        if self.takes_word(word) {
            return Ok(());
        }
        let found = self.next();
        Err(self.error(found.as_ref(), &format!("expected `{word}`")))
    }

    fn values(&mut self) -> Result<Vec<String>> {
        if !self.takes(|token| token.kind == TokenKind::Open) {
            let found = self.next();
            return Err(self.error(found.as_ref(), "expected `(` and values"));
        }
        let mut values = vec![self.value()?];
        loop {
            match self.next() {
                Some(Token { kind: TokenKind::Close, .. }) => return Ok(values),
                Some(Token { kind: TokenKind::Comma, .. }) => values.push(self.value()?),
                other => return Err(self.error(other.as_ref(), "expected `,` or `)`")),
            }
        }
    }

    fn value(&mut self) -> Result<String> {
        let token = self.next();
        match &token {
            Some(Token { kind: TokenKind::Text(text), .. }) => Ok(text.clone()),
            Some(Token { kind: TokenKind::Number(text), .. }) => {
                self.numeric = true;
                Ok(text.clone())
            }
            Some(found) if found.is_word("true") || found.is_word("false") => {
                Ok(if found.is_word("true") { "true" } else { "false" }.to_owned())
            }
            Some(found) if found.is_word("null") => {
                let error = self.error(token.as_ref(), "nothing compares with null");
                Err(error.with_hint("say `is null` or `is not null`"))
            }
            Some(Token { kind: TokenKind::Word(word) | TokenKind::Quoted(word), .. }) => {
                let error = self.error(token.as_ref(), "expected a number or a text");
                Err(error.with_hint(format!("a text stands in single quotes: '{word}'")))
            }
            _ => Err(self.error(token.as_ref(), "expected a number or a text in single quotes")),
        }
    }

    fn error(&self, token: Option<&Token>, expected: &str) -> Error {
        refusal(self.text, token.map(|token| token.start), expected)
    }
}

/// What says the same, or as much of it as can be said, where `rest` is not
/// understood.
fn cure(rest: &str) -> String {
    let word = rest.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
    let instead = match word.to_ascii_lowercase().as_str() {
        "not" => "instead of `not a = 1` say `a <> 1`",
        "between" => "instead of `a between 1 and 2` say `a >= 1 and a <= 2`",
        "like" | "ilike" | "similar" | "regexp" => "patterns are not known",
        _ if rest.starts_with('(') => "there are no brackets but those of `in`",
        _ => "",
    };
    let separator = if instead.is_empty() { "" } else { "; " };
    format!(
        "{instead}{separator}a condition is comparisons of columns with constants, joined by \
         `and`: `a > 10`, `a <> 'x'`, `a in ('x', 'y')`, `a not in (1, 2)`, `a is null`, \
         `a is not null`"
    )
}

/// Says what was expected, and shows where: `None` is the end.
fn refusal(text: &str, start: Option<usize>, expected: &str) -> Error {
    const SHOWN: usize = 30;
    let place = match start.and_then(|start| Some((start, text.get(start..)?))) {
        Some((start, rest)) => {
            let shown: String = rest.chars().take(SHOWN).collect();
            let character = text[..start].chars().count() + 1;
            format!("at character {character}, `{shown}`")
        }
        None => "at its end".to_owned(),
    };
    Error::new(ErrorKind::InvalidConfig, format!("`where` is not understood {place}: {expected}"))
        .with("where", text)
        .with_hint(cure(start.and_then(|start| text.get(start..)).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Comparator::*;

    fn parsed(text: &str) -> Vec<(String, Comparator, Vec<String>)> {
        let filter = RowFilter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let comparisons = filter.comparisons.into_iter();
        comparisons.map(|it| (it.column, it.comparator, it.values)).collect()
    }

    #[test]
    fn what_is_not_known_has_a_cure() {
        for (text, cure) in [
            ("not k = 1", "say `a <> 1`"),
            ("k like 'a%'", "patterns are not known"),
            ("k between 1 and 2", "say `a >= 1 and a <= 2`"),
            ("(k = 1)", "no brackets"),
            ("k = 1 or k = 2", "column in ('a', 'b')"),
            ("lower(k) = 'a'", "joined by `and`"),
            ("k ~ 'a'", "joined by `and`"),
        ] {
            let error = RowFilter::parse(text).unwrap_err();
            assert!(error.hint().unwrap().contains(cure), "{text}: {:?}", error.hint());
        }
    }

    #[test]
    fn each_comparison_has_its_form() {
        for (text, column, comparator, values) in [
            ("a = 1", "a", Equal, &["1"][..]),
            ("a == 1", "a", Equal, &["1"]),
            ("a<>1", "a", NotEqual, &["1"]),
            ("a!='x'", "a", NotEqual, &["x"]),
            ("a < -1.5", "a", Less, &["-1.5"]),
            ("a <= 1e3", "a", LessOrEqual, &["1e3"]),
            ("a>.5", "a", Greater, &[".5"]),
            ("a >= '2024-01-01'", "a", GreaterOrEqual, &["2024-01-01"]),
            ("a in ('FR', 'DE')", "a", In, &["FR", "DE"]),
            ("a NOT  IN (1,2)", "a", NotIn, &["1", "2"]),
            ("a is null", "a", IsNull, &[]),
            ("a Is Not Null", "a", IsNotNull, &[]),
            ("a = TRUE", "a", Equal, &["true"]),
            ("\"Order Date\" = 'it''s'", "Order Date", Equal, &["it's"]),
            ("`a``b` = ''", "a`b", Equal, &[""]),
            ("2020_sales > 1", "2020_sales", Greater, &["1"]),
            ("größe.cm > 1", "größe.cm", Greater, &["1"]),
        ] {
            let values: Vec<String> = values.iter().map(|value| value.to_string()).collect();
            assert_eq!(parsed(text), [(column.to_owned(), comparator, values)], "{text}");
        }
    }

    #[test]
    fn comparisons_are_joined_by_and() {
        let filter = parsed("amount > 10 and country in ('FR','DE') AND note is not null");
        let columns: Vec<&str> = filter.iter().map(|(column, _, _)| column.as_str()).collect();
        assert_eq!(columns, ["amount", "country", "note"]);
    }

    #[test]
    fn an_error_points_at_its_place() {
        for (text, message) in [
            ("", "at its end: expected a column"),
            ("a", "at its end: expected a comparison, such as"),
            ("a > ", "at its end: expected a number"),
            ("a > 1 or b > 2", "at character 7, `or b > 2`: only `and`"),
            ("a > 1 b", "at character 7, `b`: expected `and`, or the end"),
            ("a = null", "at character 5, `null`: nothing compares with null"),
            ("a = b", "at character 5, `b`: expected a number or a text"),
            ("é = 'x", "at character 5, `'x`: this quote is never closed"),
            ("a in 1", "at character 6, `1`: expected `(`"),
            ("a in (1 2)", "at character 9, `2)`: expected `,` or `)`"),
            ("a not null", "at character 7, `null`: expected `in`"),
            ("a ~ 'x'", "at character 3, `~ 'x'`: this means nothing"),
            ("a ! 1", "at character 3, `! 1`: expected `=`"),
            ("1 = 1", "at character 1, `1 = 1`: expected a column"),
            ("and > 1", "at character 1, `and > 1`: expected a column"),
        ] {
            let error = RowFilter::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidConfig);
            assert!(error.message().contains(message), "{text}: {}", error.message());
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd_for_an_answer(text in ".{0,40}") {
            let _ = RowFilter::parse(&text);
        }

        #[test]
        fn a_quoted_text_is_read_as_it_was_meant(column in ".{1,10}", value in ".{0,10}") {
            let text = format!(
                "\"{}\" = '{}'",
                column.replace('"', "\"\""),
                value.replace('\'', "''")
            );
            proptest::prop_assert_eq!(parsed(&text), [(column, Equal, vec![value])]);
        }
    }
}
