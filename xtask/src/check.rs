//! Everything that is checked without running a test.
//!
//! All steps run, whatever fails before them; each closes with a line of the
//! summary.

use std::env;
use std::time::{Duration, Instant};

use crate::Result;
use crate::advisories;
use crate::place::Place;
use crate::setup;
use crate::shell;
use crate::tidy;

/// How a step ended.
enum Outcome {
    Passed,
    Failed(String),
    /// Neither: what it needs cannot be had here.
    NotChecked(&'static str),
}

impl From<Result<()>> for Outcome {
    fn from(result: Result<()>) -> Self {
        result.map_or_else(Self::Failed, |()| Self::Passed)
    }
}

/// A step: its name, and what it does.
type Step = (&'static str, fn(&Place) -> Outcome);

/// A line of the summary.
struct Line {
    step: &'static str,
    outcome: Outcome,
    took: Duration,
}

/// Runs all steps; an error names those that failed.
pub(crate) fn run(place: &Place) -> Result<()> {
    let steps: [Step; 7] = [
        ("setup", |place| setup::for_check(place).into()),
        ("format", |place| format(place).into()),
        ("clippy", |place| clippy(place).into()),
        ("documentation", |place| documentation(place).into()),
        ("dependencies", |place| dependencies(place).into()),
        ("advisories", check_advisories),
        ("tidy", |place| tidy::run(place).into()),
    ];
    let lines: Vec<Line> = steps.into_iter().map(|(name, step)| timed(place, name, step)).collect();
    for line in &lines {
        println!("{}", summary(line));
    }
    let failed: Vec<&str> = lines
        .iter()
        .filter(|line| matches!(line.outcome, Outcome::Failed(_)))
        .map(|line| line.step)
        .collect();
    if failed.is_empty() { Ok(()) } else { Err(format!("check failed: {}", failed.join(", "))) }
}

/// Runs cargo-deny's named checks.
pub(crate) fn deny(place: &Place, checks: &[&str]) -> Result<()> {
    let program = setup::cargo_deny(place).ok_or("cargo-deny is missing: `cargo xtask setup`")?;
    shell::run(shell::program(place, program).arg("check").args(checks))
}

fn timed(place: &Place, step: &'static str, check: fn(&Place) -> Outcome) -> Line {
    println!("check: {step}");
    let begun = Instant::now();
    let outcome = check(place);
    Line { step, outcome, took: begun.elapsed() }
}

fn format(place: &Place) -> Result<()> {
    shell::run(shell::cargo(place).args(["fmt", "--all", "--check"]))
}

fn clippy(place: &Place) -> Result<()> {
    let mut command = shell::cargo(place);
    command.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    shell::run(&mut command)
}

fn documentation(place: &Place) -> Result<()> {
    let mut command = shell::cargo(place);
    command.args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-Dwarnings");
    shell::run(&mut command)
}

fn dependencies(place: &Place) -> Result<()> {
    lockfile_is_committed(place)?;
    deny(place, &["licenses", "bans", "sources"])
}

/// In continuous integration: cargo has had no reason to change the lock file.
/// A developer's may differ until the commit.
fn lockfile_is_committed(place: &Place) -> Result<()> {
    if env::var_os("CI").is_none() {
        return Ok(());
    }
    let mut git = shell::program(place, "git");
    git.args(["diff", "--exit-code", "--stat", "--", "Cargo.lock"]);
    shell::run(&mut git)
        .map_err(|_| "the committed Cargo.lock is out of date: build, then commit it".into())
}

fn check_advisories(place: &Place) -> Outcome {
    if advisories::reachable(place) {
        advisories::check(place).into()
    } else {
        Outcome::NotChecked("their database cannot be reached from this machine")
    }
}

fn summary(line: &Line) -> String {
    let Line { step, outcome, took } = line;
    let seconds = took.as_secs_f64();
    match outcome {
        Outcome::Passed => format!("check: {step:<14} ok      {seconds:7.1} s"),
        Outcome::Failed(why) => format!("check: {step:<14} FAILED  {seconds:7.1} s  {why}"),
        Outcome::NotChecked(why) => {
            format!("check: {step:<14} WARNING {seconds:7.1} s  NOT CHECKED: {why}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(outcome: Outcome) -> Line {
        Line { step: "clippy", outcome, took: Duration::from_millis(1500) }
    }

    #[test]
    fn a_line_says_how_the_step_ended_and_how_long_it_took() {
        assert_eq!(summary(&line(Outcome::Passed)), "check: clippy         ok          1.5 s");
        let failed = summary(&line(Outcome::Failed("`cargo clippy` failed".into())));
        assert_eq!(failed, "check: clippy         FAILED      1.5 s  `cargo clippy` failed");
    }

    #[test]
    fn what_was_not_checked_is_loud() {
        let said = summary(&line(Outcome::NotChecked("no network")));
        assert!(said.contains("WARNING") && said.ends_with("NOT CHECKED: no network"), "{said}");
    }
}
