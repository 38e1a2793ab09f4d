//! What a developer runs: `cargo xtask setup`, `check`, `test`, `tidy`,
//! `fuzz`, `bench`.
//!
//! Continuous integration runs the same commands and no others. This crate
//! depends on nothing of the workspace and on next to nothing else, because
//! every `cargo xtask` builds it first.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for developers: the terminal is its output"
)]

mod advisories;
mod bench;
mod check;
mod debian;
mod fuzz;
mod place;
mod python;
mod setup;
mod shell;
mod suite;
mod tidy;

use std::process::ExitCode;

use place::Place;

/// What went wrong, in a sentence that names the cure.
type Result<T, E = String> = std::result::Result<T, E>;

const USAGE: &str = "\
usage: cargo xtask VERB

  setup          install what the checks and the tests need, where it is missing
  check          format, clippy, documentation, licences, advisories, tidy
  tidy           the house rules alone
  test           every test, the slow ones at scale included
  test --quick   every test but those at scale
  fuzz [TARGET]... [--seconds N]
                 any bytes against the decoders, a minute a target
  bench [MEASUREMENT]... [page] [--scale F] [--repeat N] [--only NAME,...] [--decant FILE]
                 [--endpoint ceph|ours]
                 decant beside others; all measurements, or those named;
                 `page` writes docs/benchmarks.md from what is kept";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["setup"] => Place::find().and_then(|place| setup::everything(&place)),
        ["check"] => Place::find().and_then(|place| check::run(&place)),
        ["tidy"] => Place::find().and_then(|place| tidy::run(&place)),
        ["test"] => Place::find().and_then(|place| suite::run(&place, suite::Extent::All)),
        ["test", "--quick"] => {
            Place::find().and_then(|place| suite::run(&place, suite::Extent::Quick))
        }
        ["fuzz", ref rest @ ..] => match fuzz::arguments(rest) {
            Some((names, time)) => Place::find().and_then(|place| fuzz::run(&place, &names, time)),
            None => return usage(),
        },
        ["bench", ref rest @ ..] => match bench::arguments(rest) {
            Some(options) => Place::find().and_then(|place| bench::run(&place, &options)),
            None => return usage(),
        },
        _ => return usage(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}
