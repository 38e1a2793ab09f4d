//! Fuzzing: the targets of the crate `decant-fuzz`, built with coverage and
//! driven by LLVM's fuzzer, on the stable toolchain.
//!
//! What it learns is kept in the cache, so that the next run goes on where
//! this one stopped; what it finds is written beside it and named.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Result;
use crate::place::Place;
use crate::shell;

/// Every target, in the order in which they are run.
const TARGETS: [&str; 6] = ["csv", "detection", "json", "xml", "compression", "keys"];
/// How long each target runs where nobody says.
pub(crate) const USUAL: Duration = Duration::from_secs(60);
/// One input that takes longer is a finding.
const SECONDS_PER_INPUT: u32 = 10;
/// A target that takes more memory is a finding.
const MEMORY_MB: u32 = 1024;
/// Longest input.
const BYTES_MAX: u32 = 4096;

/// Coverage of every block and comparison, by the compiler's own pass.
const INSTRUMENTED: &str = "--cfg fuzzing -Ccodegen-units=1 -Cdebug-assertions \
    -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Runs the targets of these names, or all, each for `time`.
pub(crate) fn run(place: &Place, names: &[&str], time: Duration) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| !TARGETS.contains(name)) {
        return Err(format!("there is no target `{unknown}`: choose of {}", TARGETS.join(", ")));
    }
    let program = build(place)?;
    let chosen = if names.is_empty() { &TARGETS[..] } else { names };
    let mut found = Vec::new();
    for name in chosen {
        println!("\nfuzz: {name} for {} seconds", time.as_secs());
        if let Err(error) = shell::run(&mut driver(place, &program, name, time)?) {
            found.push(format!("{name}: {error}; look in {}", findings(place, name).display()));
        }
    }
    if found.is_empty() { Ok(()) } else { Err(found.join("\n")) }
}

/// Builds the driver; a target triple keeps the flags from build scripts.
fn build(place: &Place) -> Result<PathBuf> {
    let version = shell::read(Command::new("rustc").arg("-vV"))?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .ok_or("rustc does not name its host")?;
    let folder = place.target().join("fuzz");
    let mut command = shell::cargo(place);
    command
        .args(["build", "--release", "--package", "decant-fuzz", "--target", host])
        .env("CARGO_TARGET_DIR", &folder)
        .env("RUSTFLAGS", INSTRUMENTED);
    shell::run(&mut command)?;
    Ok(folder.join(host).join("release/decant-fuzz"))
}

fn driver(place: &Place, program: &Path, name: &str, time: Duration) -> Result<Command> {
    let learnt = place.cache.join("fuzz").join(name);
    let found = findings(place, name);
    for folder in [&learnt, &found] {
        fs::create_dir_all(folder)
            .map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
    }
    let mut command = shell::program(place, program);
    command
        .env("DECANT_FUZZ_TARGET", name)
        .arg(format!("-max_total_time={}", time.as_secs()))
        .arg(format!("-timeout={SECONDS_PER_INPUT}"))
        .arg(format!("-rss_limit_mb={MEMORY_MB}"))
        .arg(format!("-max_len={BYTES_MAX}"))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .args(["-print_final_stats=1", "-verbosity=0"])
        .arg(learnt)
        .arg(place.root.join("fuzz/seeds").join(name));
    Ok(command)
}

fn findings(place: &Place, name: &str) -> PathBuf {
    place.cache.join("fuzz-found").join(name)
}

/// Reads `[TARGET...] [--seconds N]`.
pub(crate) fn arguments<'a>(words: &[&'a str]) -> Option<(Vec<&'a str>, Duration)> {
    let (names, time) = match words {
        [names @ .., "--seconds", seconds] => {
            (names, Duration::from_secs(seconds.parse().ok().filter(|seconds| *seconds > 0)?))
        }
        names => (names, USUAL),
    };
    let is_name = |name: &&str| !name.starts_with('-');
    names.iter().all(is_name).then(|| (names.to_vec(), time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_name_targets_and_a_time() {
        assert_eq!(arguments(&[]), Some((vec![], USUAL)));
        assert_eq!(
            arguments(&["csv", "json", "--seconds", "300"]),
            Some((vec!["csv", "json"], Duration::from_secs(300)))
        );
        for wrong in [&["--seconds"][..], &["--seconds", "0"], &["--seconds", "x"], &["--time"]] {
            assert_eq!(arguments(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn every_target_has_seeds() {
        let place = Place::find().unwrap();
        for name in TARGETS {
            assert!(place.root.join("fuzz/seeds").join(name).is_dir(), "{name}");
        }
    }
}
