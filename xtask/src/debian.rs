//! Programs that come from Debian's packages.
//!
//! Installing `postgresql` may also create and start Debian's default
//! cluster. The tests neither use nor disturb it: each starts a server of its
//! own, on a free port, in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::place::Place;
use crate::shell;

/// Something that a machine must have.
pub(crate) struct Tool {
    /// What a person would call it.
    pub(crate) name: &'static str,
    /// The packages that bring it.
    packages: &'static [&'static str],
    /// Whether the machine has it.
    present: fn() -> bool,
}

/// The C parts of SQLite, zstd and ring are compiled here, and jemalloc is made.
pub(crate) const COMPILER: Tool = Tool {
    name: "a C compiler and make",
    packages: &["gcc", "libc6-dev", "make"],
    present: || ["cc", "make"].iter().all(|it| shell::on_path(it)),
};

/// Python that can make virtual environments.
pub(crate) const PYTHON: Tool = Tool {
    name: "Python with venv",
    packages: &["python3", "python3-venv"],
    present: || crate::python::interpreter().is_some(),
};

/// The server that the tests of the Postgres destination start.
pub(crate) const POSTGRES: Tool = Tool {
    name: "a PostgreSQL server",
    packages: &["postgresql"],
    present: || postgres_folders().iter().any(|folder| has_server(folder)),
};

/// Makes the certificates of the tests that speak TLS.
pub(crate) const OPENSSL: Tool =
    Tool { name: "openssl", packages: &["openssl"], present: || shell::on_path("openssl") };

/// A real S3 endpoint for benchmarks, and what it stores in.
pub(crate) const CEPH: Tool = Tool {
    name: "Ceph's RGW",
    packages: &["radosgw", "ceph-mon", "ceph-mgr", "ceph-osd"],
    present: || ["radosgw", "ceph-mon", "ceph-mgr", "ceph-osd"].iter().all(|it| shell::on_path(it)),
};

/// Installs those that are missing.
pub(crate) fn install(place: &Place, tools: &[Tool]) -> Result<()> {
    let missing: Vec<&Tool> = tools.iter().filter(|tool| !(tool.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.iter().map(|tool| tool.name).collect::<Vec<_>>().join(", ");
    let packages: Vec<&str> = missing.iter().flat_map(|tool| tool.packages).copied().collect();
    let by_hand = || by_hand(&names, &packages);
    let privilege = Privilege::of(place).ok_or_else(by_hand)?;
    println!("setup: installing {names}: Debian's {}", packages.join(", "));
    if shell::run(&mut privilege.install(place, &packages)).is_err() {
        // The package lists are missing or old.
        shell::run(&mut privilege.update(place))
            .and_then(|()| shell::run(&mut privilege.install(place, &packages)))
            .map_err(|error| format!("{error}\n{}", by_hand()))?;
    }
    match missing.iter().find(|tool| !(tool.present)()) {
        None => Ok(()),
        Some(tool) => Err(format!(
            "Debian's {} are installed, but {} is not found",
            tool.packages.join(", "),
            tool.name
        )),
    }
}

fn by_hand(names: &str, packages: &[&str]) -> String {
    format!(
        "this machine lacks {names}. Install it, on Debian and Ubuntu with\n    \
         sudo apt-get update && sudo apt-get install {}\nand run `cargo xtask setup` again",
        packages.join(" ")
    )
}

/// How packages may be installed without asking anybody.
enum Privilege {
    Root,
    Sudo,
}

impl Privilege {
    /// None where there is no apt-get, or no right to use it.
    fn of(place: &Place) -> Option<Self> {
        if !shell::on_path("apt-get") {
            return None;
        }
        if shell::read(shell::program(place, "id").arg("-u")).is_ok_and(|id| id.trim() == "0") {
            return Some(Self::Root);
        }
        let sudo = shell::succeeds(shell::program(place, "sudo").args(["-n", "true"]));
        sudo.then_some(Self::Sudo)
    }

    fn update(&self, place: &Place) -> Command {
        let mut command = self.apt_get(place);
        command.args(["update", "-qq"]);
        command
    }

    fn install(&self, place: &Place, packages: &[&str]) -> Command {
        let mut command = self.apt_get(place);
        command.args(["install", "-qq", "-y", "--no-install-recommends"]).args(packages);
        command
    }

    fn apt_get(&self, place: &Place) -> Command {
        let mut command = match self {
            Self::Root => shell::program(place, "env"),
            Self::Sudo => {
                let mut command = shell::program(place, "sudo");
                command.args(["-n", "env"]);
                command
            }
        };
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        command
    }
}

/// Where a server may be: Debian keeps one folder a version, off the path.
fn postgres_folders() -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    if let Ok(folder) = shell::read(Command::new("pg_config").arg("--bindir")) {
        folders.push(PathBuf::from(folder.trim()));
    }
    folders
}

/// The folder with a server's programs, the newest where there are several.
pub(crate) fn postgres_programs() -> Option<PathBuf> {
    let mut folders = postgres_folders();
    folders.sort();
    folders.into_iter().rev().find(|folder| has_server(folder))
}

fn has_server(folder: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_installed_is_said_with_the_command_to_run() {
        let message = by_hand("a PostgreSQL server, openssl", &["postgresql", "openssl"]);
        assert!(message.starts_with("this machine lacks a PostgreSQL server, openssl"));
        assert!(message.contains("sudo apt-get install postgresql openssl\n"), "{message}");
    }

    #[test]
    fn packages_are_installed_without_questions() {
        let place = Place { root: ".".into(), cache: ".".into() };
        let command = Privilege::Sudo.install(&place, &["postgresql"]);
        assert_eq!(
            shell::line(&command),
            "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
             --no-install-recommends postgresql"
        );
    }

    #[test]
    fn a_folder_without_initdb_is_no_server() {
        assert!(!has_server(Path::new(env!("CARGO_MANIFEST_DIR"))));
    }
}
