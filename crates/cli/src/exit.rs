//! Exit codes, and how an error is printed: the only place that decides
//! either.

use std::fmt::Write as _;
use std::process::ExitCode;

use decant::core::{Error, ErrorKind};
use decant::engine::{ReportedError, RunReport, RunStatus};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything that was to be done is done.
    Ok,
    /// Something failed.
    Failed,
    /// What was typed, on the command line or in the configuration, is wrong.
    Usage,
    /// Loaded with rejects or without files, as the policy allows.
    Partial,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl Exit {
    /// The number that the shell sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Partial => 3,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// How an error ends the program.
    pub(crate) fn of_error(error: &Error) -> Self {
        Self::of_kind(error.kind())
    }

    fn of_kind(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidConfig => Self::Usage,
            _ => Self::Failed,
        }
    }

    /// How a run ends the program, when nobody interrupted it.
    pub(crate) fn of_report(report: &RunReport) -> Self {
        let only_usage = !report.errors.is_empty()
            && report.files.failed == 0
            && report.errors.iter().all(|error| error.kind == ErrorKind::InvalidConfig);
        match report.status {
            RunStatus::Ok => Self::Ok,
            RunStatus::Partial => Self::Partial,
            RunStatus::Failed if only_usage => Self::Usage,
            RunStatus::Failed => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error for people: what, the facts, and the cure.
pub(crate) fn describe(error: &Error) -> String {
    let mut text = format!("error: {}", error.chain());
    for (name, value) in error.context() {
        let _ = write!(text, "\n  {}: {value}", name.replace('_', " "));
    }
    if let Some(hint) = error.hint() {
        let _ = write!(text, "\nhint: {hint}");
    }
    text
}

/// A reported error for people.
pub(crate) fn describe_reported(error: &ReportedError) -> String {
    let mut text = format!("error: {}", error.message);
    if let Some(byte) = error.byte {
        let _ = write!(text, " (byte {byte})");
    }
    if let Some(hint) = &error.hint {
        let _ = write!(text, "\nhint: {hint}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_has_its_documented_number() {
        let endings = [
            (Exit::Ok, 0),
            (Exit::Failed, 1),
            (Exit::Usage, 2),
            (Exit::Partial, 3),
            (Exit::Interrupted, 130),
            (Exit::Terminated, 143),
        ];
        for (exit, code) in endings {
            assert_eq!(exit.code(), code);
        }
    }

    #[test]
    fn an_error_is_printed_with_its_facts_and_its_cure() {
        let error = Error::new(ErrorKind::NotFound, "bucket `x` does not exist")
            .with("endpoint", "http://localhost:9000")
            .with_hint("check the spelling");
        assert_eq!(
            describe(&error),
            "error: bucket `x` does not exist\n  endpoint: http://localhost:9000\n\
             hint: check the spelling"
        );
        assert_eq!(Exit::of_error(&error), Exit::Failed);
    }
}
