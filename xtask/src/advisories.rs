//! Security advisories: checked where their database can be reached.
//!
//! A machine without a way to it is told so at once, in one line, and passes:
//! what the network lacks is no defect of the code.

use std::time::Duration;

use crate::Result;
use crate::place::Place;
use crate::shell;

/// The database that cargo-deny reads.
const DATABASE: &str = "https://github.com/RustSec/advisory-db";

/// How long the question may take whether it can be reached.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether the database can be reached. Git asks, since git would fetch it:
/// through the same proxy and the same mirror.
pub(crate) fn reachable(place: &Place) -> bool {
    let mut git = shell::program(place, "git");
    git.args(["ls-remote", "--quiet", "--exit-code", DATABASE, "HEAD"]);
    shell::succeeds_within(git.env("GIT_TERMINAL_PROMPT", "0"), PATIENCE)
}

/// Checks the lock file against the database.
pub(crate) fn check(place: &Place) -> Result<()> {
    crate::check::deny(place, &["advisories"])
}
