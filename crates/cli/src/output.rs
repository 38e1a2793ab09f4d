//! Standard output and standard error.

use std::io::{ErrorKind as IoKind, Write};

use decant::core::{Error, ErrorKind, Result};
use serde::Serialize;

use crate::exit::describe;

/// Prints text as it is. A reader that has gone away (`| head`) is no error.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != IoKind::BrokenPipe => {
            Err(Error::new(ErrorKind::Unavailable, "cannot write to standard output")
                .caused_by(error))
        }
        _ => Ok(()),
    }
}

/// Prints a value as one line of JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Result<()> {
    let line = serde_json::to_string(value).map_err(|error| {
        Error::new(ErrorKind::Internal, "a result cannot be written as JSON").caused_by(error)
    })?;
    print(&format!("{line}\n"))
}

/// Prints an error on standard error.
pub(crate) fn complain(error: &Error) {
    // Where not even this can be written, the exit code has to do.
    let _ = writeln!(std::io::stderr(), "{}", describe(error));
}

/// Tells people something where standard output belongs to data.
pub(crate) fn tell(text: &str) {
    // It is told besides what was asked for, and may go unheard.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
