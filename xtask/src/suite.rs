//! Every test, and how many there were.
//!
//! The quick part is everything but the integration-test target [`SCALE`],
//! which loads at scale and takes minutes. Both parts select targets of the
//! whole workspace, never one package, so that all builds share one set of
//! features and nothing is compiled twice.
//!
//! The closing line, `N passed, M failed`, is read by programs.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::Result;
use crate::place::Place;
use crate::python::Environment;
use crate::{setup, shell};

/// The integration-test target with the slow tests.
const SCALE: &str = "scale";

/// How much is run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everything.
    All,
    /// Everything but [`SCALE`].
    Quick,
}

/// Tests counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    passed: u64,
    failed: u64,
}

/// A group of `cargo test` calls that is timed together.
struct Part {
    name: &'static str,
    calls: Vec<Vec<String>>,
}

/// Installs what is missing, runs the tests, prints the closing line.
pub(crate) fn run(place: &Place, extent: Extent) -> Result<()> {
    setup::everything(place)?;
    let mut totals = Totals::default();
    let mut errors = Vec::new();
    let mut times = Vec::new();
    for part in parts(&integration_tests(&shell::metadata(place)?), extent) {
        let begun = Instant::now();
        for call in &part.calls {
            errors.extend(cargo_test(place, call, &mut totals).err());
        }
        times.push(format!("{} {:.1} minutes", part.name, begun.elapsed().as_secs_f64() / 60.0));
    }
    println!("\ntest: {}", times.join(", "));
    println!("{} passed, {} failed", totals.passed, totals.failed);
    verdict(totals, &errors)
}

fn verdict(totals: Totals, errors: &[String]) -> Result<()> {
    if !errors.is_empty() {
        return Err(errors.join("\n"));
    }
    if totals.passed == 0 { Err("no test was run".into()) } else { Ok(()) }
}

/// The names of the workspace's integration-test targets.
fn integration_tests(metadata: &Value) -> BTreeSet<String> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let targets = packages.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let tests = targets.filter(|target| {
        let mut kinds = target["kind"].as_array().into_iter().flatten();
        kinds.any(|kind| kind == "test")
    });
    tests.filter_map(|target| target["name"].as_str()).map(str::to_owned).collect()
}

fn parts(integration_tests: &BTreeSet<String>, extent: Extent) -> Vec<Part> {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    if !integration_tests.contains(SCALE) {
        return vec![Part { name: "all", calls: vec![Vec::new()] }];
    }
    let mut targets = words(&["--lib", "--bins", "--examples"]);
    for name in integration_tests.iter().filter(|name| *name != SCALE) {
        targets.extend(["--test".to_owned(), name.clone()]);
    }
    let mut parts = vec![Part { name: "quick", calls: vec![targets, words(&["--doc"])] }];
    if extent == Extent::All {
        parts.push(Part { name: SCALE, calls: vec![words(&["--test", SCALE])] });
    }
    parts
}

/// Runs `cargo test` on the workspace, passing its output on, and adds up
/// what it says of the tests.
fn cargo_test(place: &Place, targets: &[String], totals: &mut Totals) -> Result<()> {
    let mut command = shell::cargo(place);
    command.args(["test", "--workspace", "--no-fail-fast"]).args(targets);
    prepare(place, &mut command)?;
    println!("\ntest: {}", shell::line(&command));
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("`{}` could not be started: {error}", shell::line(&command)))?;
    for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).split(b'\n')) {
        let line = line.map_err(|error| format!("the output of the tests broke off: {error}"))?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        totals.add(&line);
    }
    let status = child.wait().map_err(|error| format!("the tests were lost: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed", shell::line(&command))) }
}

/// What the tests find in their environment.
fn prepare(place: &Place, command: &mut Command) -> Result<()> {
    if let Some(corpora) = place.corpora()
        && env::var_os("DECANT_CORPORA").is_none()
    {
        command.env("DECANT_CORPORA", corpora);
    }
    command.env("PATH", path_with_python(place)?);
    Ok(())
}

/// The path with the Python environment's programs before all others.
fn path_with_python(place: &Place) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(Environment::of(place).programs());
    env::join_paths(folders.chain(env::split_paths(&path)))
        .map_err(|error| format!("the cache's path cannot stand in PATH: {error}"))
}

impl Totals {
    /// Counts a line such as `test result: ok. 3 passed; 1 failed; ...`.
    fn add(&mut self, line: &str) {
        let Some(counts) = line.trim_start().strip_prefix("test result: ") else {
            return;
        };
        self.passed += count(counts, "passed");
        self.failed += count(counts, "failed");
    }
}

/// The number that stands before `word`.
fn count(counts: &str, word: &str) -> u64 {
    let words: Vec<&str> = counts.split([' ', ';']).filter(|word| !word.is_empty()).collect();
    let before = words.windows(2).find(|pair| pair[1] == word);
    before.and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn closing_lines_are_added_up_and_others_are_not() {
        let mut totals = Totals::default();
        totals.add("running 4 tests");
        totals.add("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; finished in 0.0s");
        totals.add("test 7 passed; 7 failed ... ok");
        totals.add("test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured");
        assert_eq!(totals, Totals { passed: 13, failed: 2 });
    }

    #[test]
    fn no_test_at_all_is_a_failure() {
        assert!(verdict(Totals::default(), &[]).is_err());
        assert!(verdict(Totals { passed: 1, failed: 0 }, &[]).is_ok());
        assert!(verdict(Totals { passed: 1, failed: 0 }, &["did not build".into()]).is_err());
    }

    #[test]
    fn integration_tests_are_found_by_their_kind() {
        let metadata = serde_json::json!({"packages": [{"targets": [
            {"name": "decant", "kind": ["bin"]}, {"name": "it", "kind": ["test"]}]}]});
        assert_eq!(integration_tests(&metadata), names(&["it"]));
    }

    #[test]
    fn without_tests_at_scale_one_call_runs_everything() {
        let parts = parts(&names(&["it"]), Extent::All);
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0].calls, [Vec::<String>::new()]);
    }

    #[test]
    fn quick_leaves_out_the_tests_at_scale_and_nothing_else() {
        let quick = parts(&names(&["it", SCALE]), Extent::Quick);
        assert_eq!(quick.len(), 1);
        assert_eq!(quick[0].calls[0], ["--lib", "--bins", "--examples", "--test", "it"]);
        assert_eq!(quick[0].calls[1], ["--doc"]);
        let all = parts(&names(&["it", SCALE]), Extent::All);
        assert_eq!(all[1].calls, [["--test", SCALE]]);
    }
}
