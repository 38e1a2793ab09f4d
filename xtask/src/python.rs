//! The virtual environment that the tests' Python programs live in.
//!
//! It lies in the cache and is made anew when `requirements.txt` changed, or
//! when the interpreter that it was made from is gone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::place::Place;
use crate::shell;

const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// A virtual environment.
pub(crate) struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// The one of this project, whether or not it is there yet.
    pub(crate) fn of(place: &Place) -> Self {
        Self { folder: place.cache.join("python") }
    }

    /// The one with the tools that benchmarks compare with.
    pub(crate) fn of_peers(place: &Place) -> Self {
        Self { folder: place.cache.join("peers") }
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where its programs are.
    pub(crate) fn programs(&self) -> PathBuf {
        self.folder.join("bin")
    }

    /// Makes it where there is none that works.
    pub(crate) fn create(&self, place: &Place) -> Result<()> {
        if self.works(place) {
            return Ok(());
        }
        let python = interpreter().ok_or("Python with venv is missing")?;
        println!("setup: making a Python environment in {}", self.folder.display());
        shell::run(shell::program(place, python).args(["-m", "venv", "--clear"]).arg(&self.folder))
    }

    /// Installs what the tests need, unless it is there.
    pub(crate) fn install_requirements(&self, place: &Place) -> Result<()> {
        let stamp = self.folder.join("requirements.txt");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == REQUIREMENTS) {
            return Ok(());
        }
        println!("setup: installing moto and boto3 from PyPI");
        let wanted = place.root.join("xtask/requirements.txt");
        shell::run(self.pip_install(place).arg("--requirement").arg(wanted))?;
        fs::write(&stamp, REQUIREMENTS)
            .map_err(|error| format!("cannot write {}: {error}", stamp.display()))
    }

    /// `pip install`, to be completed.
    pub(crate) fn pip_install(&self, place: &Place) -> Command {
        let mut command = shell::program(place, self.programs().join("python3"));
        command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        command
    }

    fn works(&self, place: &Place) -> bool {
        let python = self.programs().join("python3");
        shell::succeeds(shell::program(place, python).args(["-c", "import pip"]))
    }
}

/// A Python that can make virtual environments: the user's, else Debian's.
pub(crate) fn interpreter() -> Option<&'static Path> {
    let candidates = ["python3", "/usr/bin/python3"].map(Path::new);
    candidates
        .into_iter()
        .find(|python| shell::succeeds(Command::new(python).args(["-c", "import venv, ensurepip"])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_is_pinned() {
        let names = REQUIREMENTS.lines().filter(|line| !line.starts_with('#'));
        for line in names {
            assert!(line.contains("=="), "{line} may differ from machine to machine");
        }
    }
}
