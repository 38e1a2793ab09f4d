//! The programs of ours that are measured or help to measure.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Options;
use crate::place::Place;
use crate::{Result, shell};

/// The release profile with symbols: the same code, and profiles can be read.
const PROFILE: &str = "profiling";

/// Where they are.
pub(super) struct Programs {
    /// decant itself.
    pub(super) decant: PathBuf,
    /// What makes data and serves it.
    bench: PathBuf,
}

impl Programs {
    /// Builds what is not given.
    pub(super) fn build(place: &Place, options: &Options) -> Result<Self> {
        let mut command = shell::cargo(place);
        command.args(["build", "--quiet", "--profile", PROFILE, "--package", "decant-bench"]);
        if options.decant.is_none() {
            command.args(["--package", "decant-cli"]);
        }
        println!("bench: {}", shell::line(&command));
        shell::run(&mut command)?;
        let built = place.target().join(PROFILE);
        let decant = options.decant.clone().unwrap_or_else(|| built.join("decant"));
        if decant.is_file() {
            return Ok(Self { decant, bench: built.join("decant-bench") });
        }
        Err(format!("there is no program {}", decant.display()))
    }

    /// The verb of `decant-bench`, to be completed.
    pub(super) fn bench(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.bench);
        command.arg(verb);
        command
    }

    /// What decant says of its version.
    pub(super) fn decant_version(&self) -> String {
        said_by(&self.decant, &["--version"])
    }
}

/// The first line that a program says, or that it says nothing.
pub(super) fn said_by(program: impl AsRef<Path>, arguments: &[&str]) -> String {
    let said = shell::read(Command::new(program.as_ref()).args(arguments)).unwrap_or_default();
    said.lines().next().unwrap_or("not there").trim().to_owned()
}
