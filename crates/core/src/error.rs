//! One error for the house: a kind that says what the operator must do, a
//! message, context, and the error that caused it.
//!
//! Malformed input is data, not an error: a row that cannot be loaded is a
//! [`Reject`](crate::Reject). It becomes an error only when a policy says
//! that the file must not be loaded without it.

use std::fmt;

use serde::Serialize;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the operator must do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum ErrorKind {
    /// The bucket, object, table or database is not there: correct the name.
    NotFound,
    /// Credentials are missing, wrong or too weak: grant or renew them.
    AccessDenied,
    /// The other side does not answer, is too slow or too busy: try later.
    Unavailable,
    /// Somebody else changed the same thing: look, then try again.
    Conflict,
    /// The file's bytes are not what its format asks for: mend the file.
    MalformedFile,
    /// The file's columns or types and the table's do not fit together.
    SchemaMismatch,
    /// More rows were rejected than the policy allows: mend them or allow more.
    RejectedRows,
    /// What was typed, on the command line or in the configuration, is wrong.
    InvalidConfig,
    /// decant, or the destination, cannot do this.
    Unsupported,
    /// decant itself is wrong: report it.
    Internal,
}

impl ErrorKind {
    /// Whether the same attempt may succeed later without anybody's doing.
    /// The one place that derives it.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Unavailable)
    }
}

/// Where in a file a problem is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Position {
    /// The file's location, as a person would type it.
    pub file: String,
    /// Line, from 1, counting the line ends of the file as it was decoded.
    pub line: Option<u64>,
    /// Offset of the row's first byte, from 0, after decompression.
    pub byte: Option<u64>,
    /// The column's name in the file.
    pub column: Option<String>,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, " line {line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column `{column}`")?;
        }
        Ok(())
    }
}

/// A failure, with everything that the operator needs to cure it.
///
/// `Display` prints the position (if any) and the message; the causes are
/// reached by [`std::error::Error::source`] and printed once, by the binary.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    position: Option<Position>,
    context: Vec<(&'static str, String)>,
    hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind`, said in one sentence without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            position: None,
            context: Vec::new(),
            hint: None,
            source: None,
        }))
    }

    /// Adds a named fact, such as `("bucket", "orders")`. Never a secret.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.context.push((name, value.into()));
        self
    }

    /// Adds the cure, printed after `hint:`.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Says where in a file the problem is.
    #[must_use]
    pub fn at(mut self, position: Position) -> Self {
        self.0.position = Some(position);
        self
    }

    /// Names the file, unless a position is known already.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        match &mut self.0.position {
            Some(position) if position.file.is_empty() => position.file = file.into(),
            Some(_) => {}
            None => {
                self.0.position = Some(Position { file: file.into(), ..Position::default() });
            }
        }
        self
    }

    /// What the operator must do.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether trying again may help; derived from the kind alone.
    pub fn is_retryable(&self) -> bool {
        self.0.kind.is_retryable()
    }

    /// The sentence, without position, context and causes.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where in a file the problem is.
    pub fn position(&self) -> Option<&Position> {
        self.0.position.as_ref()
    }

    /// The named facts, in the order in which they were added.
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }

    /// The value of one named fact.
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.0.context.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The cure.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The same error, told of `file`, which fails for it. Causes become part
    /// of the sentence; so does the position when it is in another file.
    #[must_use]
    pub fn told_of(&self, file: &str) -> Self {
        let here = self.0.position.as_ref().filter(|at| at.file.is_empty() || at.file == file);
        let place = here.map_or(0, |_| self.to_string().len() - self.0.message.len());
        Self(Box::new(Inner {
            kind: self.0.kind,
            message: self.chain().split_off(place),
            position: here.cloned(),
            context: self.0.context.clone(),
            hint: self.0.hint.clone(),
            source: None,
        }))
        .in_file(file)
    }

    /// This error and its causes in one line, for ledgers and reports.
    pub fn chain(&self) -> String {
        let mut line = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let text = error.to_string();
            if !line.contains(&text) {
                line.push_str(": ");
                line.push_str(&text);
            }
            cause = error.source();
        }
        line
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.position {
            Some(position) if !position.file.is_empty() => {
                write!(f, "{position}: {}", self.0.message)
            }
            _ => f.write_str(&self.0.message),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_problem_names_file_line_and_column() {
        let error = Error::new(ErrorKind::MalformedFile, "`12,50` is not a number").at(Position {
            file: "orders/2026-01.csv".into(),
            line: Some(812),
            byte: Some(40961),
            column: Some("amount".into()),
        });
        assert_eq!(
            error.to_string(),
            "orders/2026-01.csv line 812, column `amount`: `12,50` is not a number"
        );
    }

    #[test]
    fn an_error_is_told_of_every_file_that_fails_for_it() {
        let error = Error::new(ErrorKind::MalformedFile, "no JSON")
            .with_hint("mend it")
            .caused_by(std::io::Error::other("a comma"))
            .at(Position { file: "a".into(), line: Some(3), ..Position::default() });
        let here = error.told_of("a");
        assert_eq!(here.to_string(), "a line 3: no JSON: a comma");
        assert_eq!(here.position().and_then(|at| at.line), Some(3));
        let there = error.told_of("b");
        assert_eq!(there.to_string(), "b: a line 3: no JSON: a comma");
        assert_eq!(
            (there.hint(), there.position().and_then(|at| at.line)),
            (Some("mend it"), None)
        );
    }

    #[test]
    fn the_chain_says_each_cause_once() {
        let cause = std::io::Error::other("connection reset");
        let error = Error::new(ErrorKind::Unavailable, "cannot read the object").caused_by(cause);
        assert_eq!(error.chain(), "cannot read the object: connection reset");
        assert!(error.is_retryable());
    }
}
