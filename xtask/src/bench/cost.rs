//! What running a command to its end costs, as the kernel accounts for it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::place::Place;
use crate::{Result, python, shell};

/// The program that asks the kernel; the standard library does not.
const TIMER: &str = "crates/bench/peers/timed.py";

/// Nobody waits longer for anybody.
const SECONDS_MAX: u32 = 600;

/// The cost of one command and of the children that it waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Cost {
    /// Seconds.
    pub(super) wall: f64,
    /// Seconds of CPU, user and system.
    pub(super) cpu: f64,
    /// The largest resident set of a process, in bytes.
    pub(super) rss: f64,
}

/// Runs a command and answers its cost and what it printed.
///
/// # Errors
///
/// When it fails; with the end of what it said.
pub(super) fn of(place: &Place, scratch: &Path, command: &Command) -> Result<(Cost, String)> {
    let python = python::interpreter().ok_or("Python is missing")?;
    let result = scratch.join("cost.json");
    let mut timed = shell::program(place, python);
    timed.args(["-I", "-S"]).arg(place.root.join(TIMER)).arg(&result);
    timed.arg(SECONDS_MAX.to_string());
    timed.arg(command.get_program()).args(command.get_args());
    for (variable, value) in command.get_envs() {
        match value {
            Some(value) => timed.env(variable, value),
            None => timed.env_remove(variable),
        };
    }
    let output = timed.output().map_err(|error| format!("{}: {error}", python.display()))?;
    let account = fs::read_to_string(&result).map_err(|error| {
        let said = String::from_utf8_lossy(&output.stderr);
        format!("`{}` could not be timed: {error}\n{}", shell::line(command), said.trim_end())
    })?;
    fs::remove_file(&result).map_err(|error| error.to_string())?;
    let account: Value = serde_json::from_str(&account).map_err(|error| error.to_string())?;
    if account["wall"].as_f64() >= Some(f64::from(SECONDS_MAX)) {
        return Err(format!("error: it was not done after {SECONDS_MAX} s"));
    }
    if account["exit"].as_i64() != Some(0) {
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        let said = String::from_utf8_lossy(&said);
        let name = shell::line(command);
        return Err(format!("`{name}` failed: {}\n{}", account["exit"], ending(&said)));
    }
    let seconds = |name: &str| account[name].as_f64().unwrap_or(f64::NAN);
    let cost = Cost {
        wall: seconds("wall"),
        cpu: seconds("user") + seconds("system"),
        rss: seconds("rss"),
    };
    Ok((cost, String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// The last lines of what a program said.
fn ending(said: &str) -> String {
    let lines: Vec<&str> = said.trim_end().lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_its_cost_and_its_output() {
        let place = Place::find().unwrap();
        let scratch = std::env::temp_dir().join(format!("decant-cost-{}", std::process::id()));
        fs::create_dir_all(&scratch).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo $GREETING"]).env("GREETING", "hello");
        let (cost, said) = of(&place, &scratch, &command).unwrap();
        assert_eq!(said, "hello\n");
        assert!(cost.wall > 0.0 && cost.rss > 0.0, "{cost:?}");
        let mut failing = Command::new("sh");
        failing.args(["-c", "echo no good >&2; exit 3"]);
        let error = of(&place, &scratch, &failing).unwrap_err();
        assert!(error.contains("failed: 3\nno good"), "{error}");
        fs::remove_dir_all(&scratch).unwrap();
    }
}
