//! Starting other programs: their environment, and what a failure says.

use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Result;
use crate::place::Place;

/// Variables that `cargo run` sets for xtask. Build scripts watch some of
/// them, so that leaving them in place would build dependencies anew whenever
/// xtask and a plain `cargo` take turns.
const OF_THIS_RUN: [&str; 6] = [
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "CARGO_CRATE_NAME",
    "CARGO_BIN_",
    "CARGO_PRIMARY_PACKAGE",
    "OUT_DIR",
];

/// A program that is started in the clone and asks nothing.
pub(crate) fn program(place: &Place, name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(&place.root).stdin(Stdio::null());
    for (variable, _) in env::vars_os() {
        let of_this_run =
            variable.to_str().is_some_and(|v| OF_THIS_RUN.iter().any(|start| v.starts_with(start)));
        if of_this_run {
            command.env_remove(variable);
        }
    }
    command
}

/// The cargo that runs xtask, building outside the clone.
pub(crate) fn cargo(place: &Place) -> Command {
    let mut command = program(place, env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.env("CARGO_TARGET_DIR", place.target());
    command
}

/// What cargo says of the workspace's crates, their targets and their direct
/// dependencies, as JSON.
pub(crate) fn metadata(place: &Place) -> Result<Value> {
    let said = read(cargo(place).args(["metadata", "--no-deps", "--format-version", "1"]))?;
    serde_json::from_str(&said).map_err(|error| format!("`cargo metadata` is not JSON: {error}"))
}

/// Runs to the end with output as it comes; an error unless it succeeds.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed: {status}", line(command))) }
}

/// Runs to the end and answers standard output; an error, with what it wrote
/// to standard error, unless it succeeds.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|error| not_started(command, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let Output { status, stderr, .. } = output;
    let said = String::from_utf8_lossy(&stderr);
    Err(format!("`{}` failed: {status}\n{}", line(command), said.trim_end()))
}

/// Whether the program can be started and succeeds, saying nothing.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// The same, for a program that may hang: after `limit` it is ended, and has
/// not succeeded.
pub(crate) fn succeeds_within(command: &mut Command, limit: Duration) -> bool {
    let begun = Instant::now();
    let Ok(mut child) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
        return false;
    };
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if begun.elapsed() < limit => thread::sleep(Duration::from_millis(20)),
            Ok(None) | Err(_) => {
                // It has ended already, or is left to the system.
                let _ = child.kill();
                let _ = child.wait();
                return false;
            }
        }
    }
}

/// Whether a program of this name is on the path.
pub(crate) fn on_path(name: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|paths| env::split_paths(&paths).any(|folder| is_file(&folder.join(name))))
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file())
}

/// The command as one would type it.
pub(crate) fn line(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

fn not_started(command: &Command, error: &std::io::Error) -> String {
    format!("`{}` could not be started: {error}", line(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failure_names_the_command_and_what_it_said() {
        let error = read(&mut sh("echo no such thing >&2; exit 3")).unwrap_err();
        assert!(error.contains("`sh -c"), "{error}");
        assert!(error.ends_with("no such thing"), "{error}");
    }

    #[test]
    fn a_program_that_is_missing_is_an_error_and_no_panic() {
        let error = run(&mut Command::new("no-such-program-of-ours")).unwrap_err();
        assert!(error.contains("could not be started"), "{error}");
        assert!(!on_path("no-such-program-of-ours"));
    }

    #[test]
    fn a_program_that_hangs_has_not_succeeded() {
        assert!(!succeeds_within(&mut sh("exec sleep 600"), Duration::ZERO));
        assert!(succeeds_within(&mut sh("exit 0"), Duration::from_secs(60)));
    }
}
