//! What SQLite's errors mean to the operator.
//!
//! One table from SQLite's result codes to kinds. SQLite's messages name
//! tables and columns, never values.

use decant_core::error::{Error, ErrorKind};
use rusqlite::ErrorCode;

/// The error, said in SQLite's words, with its kind and its cure.
pub(crate) fn explain(error: rusqlite::Error) -> Error {
    let kind = kind_of(&error);
    let code = error.sqlite_error().map(|cause| cause.extended_code);
    let mut explained = Error::new(kind, message_of(&error));
    if has_too_many_columns(&error) {
        explained = explained.with_hint(
            "SQLite holds 2,000 columns: choose some with `select`, or leave some out with \
             `exclude`",
        );
    } else if let Some(hint) = error.sqlite_error_code().and_then(hint_of) {
        explained = explained.with_hint(hint);
    }
    if let Some(code) = code {
        explained = explained.with("sqlite_code", code.to_string());
    }
    explained
}

fn message_of(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => format!("SQLite: {message}"),
        rusqlite::Error::SqlInputError { msg, .. } => format!("SQLite: {msg}"),
        other => format!("SQLite: {other}"),
    }
}

fn has_too_many_columns(error: &rusqlite::Error) -> bool {
    error.to_string().contains("too many columns on")
}

fn kind_of(error: &rusqlite::Error) -> ErrorKind {
    let Some(code) = error.sqlite_error_code() else { return ErrorKind::Internal };
    match code {
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::SchemaChanged
        | ErrorCode::OperationAborted
        | ErrorCode::OperationInterrupted
        | ErrorCode::OutOfMemory
        | ErrorCode::DiskFull
        | ErrorCode::SystemIoFailure => ErrorKind::Unavailable,
        ErrorCode::PermissionDenied
        | ErrorCode::ReadOnly
        | ErrorCode::CannotOpen
        | ErrorCode::AuthorizationForStatementDenied => ErrorKind::AccessDenied,
        ErrorCode::NotADatabase => ErrorKind::InvalidConfig,
        ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch => ErrorKind::RejectedRows,
        ErrorCode::TooBig
        | ErrorCode::NoLargeFileSupport
        | ErrorCode::DatabaseCorrupt
        | ErrorCode::Unknown => ErrorKind::Unsupported,
        _ => ErrorKind::Internal,
    }
}

fn hint_of(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            "another process is writing to the database: try again when it has finished"
        }
        ErrorCode::DiskFull => {
            "free some space where the database is; nothing of the load was kept"
        }
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => {
            "decant must be able to write the database's file and its folder"
        }
        ErrorCode::NotADatabase => {
            "the destination must be a SQLite database, or a file that does not exist yet"
        }
        ErrorCode::DatabaseCorrupt => {
            "run `PRAGMA integrity_check` on the database, or restore a backup"
        }
        ErrorCode::ConstraintViolation => {
            "mend the rows, or the table's constraint, or load the others with `on_error: reject`"
        }
        ErrorCode::TooBig => "SQLite keeps values and rows of up to a billion bytes",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn codes_mean_what_the_operator_must_do() {
        for (code, kind) in [
            (ffi::SQLITE_BUSY, ErrorKind::Unavailable),
            (ffi::SQLITE_FULL, ErrorKind::Unavailable),
            (ffi::SQLITE_READONLY, ErrorKind::AccessDenied),
            (ffi::SQLITE_CANTOPEN, ErrorKind::AccessDenied),
            (ffi::SQLITE_NOTADB, ErrorKind::InvalidConfig),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, ErrorKind::RejectedRows),
            (ffi::SQLITE_MISUSE, ErrorKind::Internal),
        ] {
            let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert_eq!(explain(failure).kind(), kind, "{code}");
        }
    }

    #[test]
    fn only_what_may_pass_by_itself_is_retried() {
        let failure = |code| rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        assert!(explain(failure(ffi::SQLITE_BUSY)).is_retryable());
        assert!(!explain(failure(ffi::SQLITE_CONSTRAINT)).is_retryable());
    }
}
