//! SQLite databases, through SQLite's own command line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, shell};

/// SQLite's shell, running one statement or command.
pub(super) fn shell(database: &Path, statement: &str) -> Command {
    let mut command = Command::new("sqlite3");
    command.arg("-batch").arg(database).arg(statement);
    command
}

/// The rows of a statement, a line each, with `|` between values.
pub(super) fn query(database: &Path, sql: &str) -> Result<String> {
    shell::read(&mut shell(database, sql)).map(|rows| rows.trim_end().to_owned())
}

/// Removes a database, its journal included.
pub(super) fn remove(database: &Path) -> Result<()> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let path = PathBuf::from(format!("{}{ending}", database.display()));
        if path.exists() {
            fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(())
}
