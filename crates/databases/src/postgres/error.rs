//! What Postgres' errors mean to the operator.
//!
//! One table from SQLSTATE to kind. A row that the database refuses (classes
//! 22 and 23, and what triggers raise) is `RejectedRows`: the file's bytes are
//! as its format asks, and its columns fit the table's; it is the rows that
//! must be mended, or the constraint.

use decant_core::error::{Error, ErrorKind};
use tokio_postgres::error::{DbError, ErrorPosition};

/// An error of a statement or of the connection, for people.
pub(crate) fn explain(error: &tokio_postgres::Error) -> Error {
    match error.as_db_error() {
        Some(database_error) => explain_database(database_error),
        None => explain_connection(error),
    }
}

/// Whether the connection is of no use any more, so that it is not known
/// what the server did last.
pub(crate) fn is_connection_lost(error: &tokio_postgres::Error) -> bool {
    match error.as_db_error() {
        Some(database_error) => {
            let state = database_error.code().code();
            state.starts_with("08") || matches!(state, "57P01" | "57P02" | "57P05")
        }
        None => true,
    }
}

fn explain_connection(error: &tokio_postgres::Error) -> Error {
    let cause = innermost(error).to_string();
    let message = format!("the connection to Postgres was lost: {cause}");
    // Rows that cannot be read as the types asked for are a mistake of ours.
    let text = error.to_string();
    if text.contains("serializing") || text.contains("invalid column") {
        return Error::new(ErrorKind::Internal, format!("a statement is wrong: {text}: {cause}"));
    }
    Error::new(ErrorKind::Unavailable, message)
}

fn explain_database(error: &DbError) -> Error {
    let state = error.code().code();
    let mut explained = Error::new(kind_of(state), message_of(error)).with("sqlstate", state);
    let facts = [
        ("detail", error.detail()),
        ("schema", error.schema()),
        ("table", error.table()),
        ("column", error.column().or_else(|| column_in(error.where_()?))),
        ("type", error.datatype()),
        ("constraint", error.constraint()),
        ("where", error.where_()),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            explained = explained.with(name, value);
        }
    }
    if let Some(ErrorPosition::Original(position)) = error.position() {
        explained = explained.with("position", position.to_string());
    }
    match cure_of(state).or_else(|| error.hint()) {
        Some(hint) => explained.with_hint(hint),
        None => explained,
    }
}

/// What Postgres says, with the values and the column that it names apart.
fn message_of(error: &DbError) -> String {
    let mut message = format!("Postgres: {}", error.message());
    if let Some(detail) = error.detail() {
        message.push_str(": ");
        message.push_str(detail.trim_end_matches('.'));
    }
    match error.column().or_else(|| column_in(error.where_()?)) {
        Some(column) if !message.contains(column) => format!("{message}, column `{column}`"),
        _ => message,
    }
}

/// The table: SQLSTATE (Appendix A of the Postgres manual) to kind.
fn kind_of(state: &str) -> ErrorKind {
    match state {
        // Locks, deadlocks, serialization failures; somebody cancelled or
        // stopped it; the server is a standby.
        "40001" | "40P01" | "55P03" | "57014" | "25006" | "25P03" | "25P04" => {
            ErrorKind::Unavailable
        }
        "42501" => ErrorKind::AccessDenied,
        "42P01" | "3D000" | "3F000" => ErrorKind::NotFound,
        // A conversion that does not exist, COPY data that is not COPY data.
        "22P03" | "22P04" => ErrorKind::Internal,
        // A value too long for the type `name`.
        "42622" => ErrorKind::RejectedRows,
        // The table is not what it was a moment ago.
        "42703" | "42804" | "428C9" | "0A000" => ErrorKind::SchemaMismatch,
        // Dependent objects, objects in use, objects that exist.
        "2BP01" | "55006" | "42P07" | "42701" | "42P06" | "42710" => ErrorKind::Conflict,
        _ => match state.get(..2) {
            Some("08" | "53" | "57" | "58" | "XX") => ErrorKind::Unavailable,
            Some("28") => ErrorKind::AccessDenied,
            Some("22" | "23" | "44" | "P0") => ErrorKind::RejectedRows,
            Some("54") => ErrorKind::Unsupported,
            Some("55" | "72") => ErrorKind::Internal,
            // What neither the standard nor Postgres uses is a trigger's own.
            Some(class) if class.starts_with(|it| matches!(it, '5'..='9' | 'I'..='Z')) => {
                ErrorKind::RejectedRows
            }
            _ => ErrorKind::Internal,
        },
    }
}

fn cure_of(state: &str) -> Option<&'static str> {
    Some(match state {
        "25006" => {
            "this server only reads: name the primary, or list all servers and add \
             target_session_attrs=read-write to the URL"
        }
        "53300" => "lower the number of connections, or raise max_connections on the server",
        "53100" => "the server's disk is full; nothing of this load was kept",
        "42501" => "grant the role what it needs: INSERT on the table, CREATE on the schema",
        "54011" => "choose some of the columns with `select`, or leave some out with `exclude`",
        "57014" => "the role's statement_timeout may be too short for a load: ALTER ROLE ... SET",
        "55P03" => "another session holds the lock; see pg_stat_activity and pg_locks",
        _ if state.starts_with("23") => {
            "mend the rows, or the table's constraint, or load the others with `on_error: reject`"
        }
        _ => return None,
    })
}

/// The column of `COPY orders, line 3, column amount`.
fn column_in(context: &str) -> Option<&str> {
    let (_, behind) = context.split_once(", column ")?;
    let end = behind.find(['\n', ':']).unwrap_or(behind.len());
    Some(behind[..end].trim_end())
}

/// The line of `COPY orders, line 3, column amount`: the row of the COPY,
/// from 1.
pub(crate) fn line_in(error: &tokio_postgres::Error) -> Option<u64> {
    let context = error.as_db_error()?.where_()?;
    let copy = context.lines().find(|line| line.starts_with("COPY "))?;
    let (_, behind) = copy.split_once(", line ")?;
    behind.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// The cause that has no cause.
pub(crate) fn innermost(error: &tokio_postgres::Error) -> &(dyn std::error::Error + 'static) {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_mean_what_the_operator_must_do() {
        for (kind, states) in [
            (
                ErrorKind::Unavailable,
                &["40001", "40P01", "55P03", "57P01", "57P03", "08006", "53100", "53300", "25006"]
                    [..],
            ),
            (ErrorKind::AccessDenied, &["42501", "28P01", "28000"]),
            (ErrorKind::NotFound, &["42P01", "3D000", "3F000"]),
            (
                ErrorKind::RejectedRows,
                &["23505", "23503", "23514", "22001", "22003", "P0001", "42622", "U0001"],
            ),
            (ErrorKind::Internal, &["42601", "22P03", "22P04"]),
            (ErrorKind::Conflict, &["2BP01"]),
        ] {
            for state in states {
                assert_eq!(kind_of(state), kind, "{state}");
            }
        }
    }

    #[test]
    fn the_column_is_read_from_the_context_of_a_copy() {
        assert_eq!(column_in("COPY orders, line 3, column amount"), Some("amount"));
        assert_eq!(column_in("COPY orders, line 3, column amount: \"x\""), Some("amount"));
        assert_eq!(column_in("COPY orders, line 3"), None);
    }
}
