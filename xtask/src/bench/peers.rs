//! The tools that decant is measured beside, in a Python environment of their
//! own.
//!
//! Each package is installed by itself, so that one that cannot be had leaves
//! out what needs it and nothing else, and is named.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::storage::BUCKET;
use super::{Bench, Options};
use crate::place::Place;
use crate::python::Environment;
use crate::{Result, shell};

const REQUIREMENTS: &str = "crates/bench/peers/requirements.txt";
const LOADER: &str = "crates/bench/peers/load.py";
const READER: &str = "crates/bench/peers/read.py";

/// A program that a package carries, relative to the environment's libraries.
const SLING: &str = "sling_linux_amd64/bin/sling-linux-amd64";

/// Without these it loads empty strings for what is missing, and JSON in one
/// column.
const SLING_CSV: &str = "{\"empty_as_null\": true}";
const SLING_OTHERS: &str = "{\"flatten\": true}";

/// The environment, and what could not be installed.
pub(super) struct Peers {
    folder: PathBuf,
    programs: PathBuf,
    missing: BTreeMap<String, String>,
}

impl Peers {
    /// Installs what is missing; that something cannot be is no error.
    pub(super) fn install(place: &Place, options: &Options) -> Result<Self> {
        let environment = Environment::of_peers(place);
        let mut peers = Self {
            folder: environment.folder().to_path_buf(),
            programs: environment.programs(),
            missing: BTreeMap::new(),
        };
        if !options.invites_peers() {
            return Ok(peers);
        }
        environment.create(place)?;
        let wanted = std::fs::read_to_string(place.root.join(REQUIREMENTS))
            .map_err(|error| format!("{REQUIREMENTS}: {error}"))?;
        let installed = peers.versions();
        for line in wanted.lines().filter(|line| !line.starts_with('#')) {
            let (name, version) = requirement(line);
            if installed.get(&name).is_some_and(|installed| installed == version) {
                continue;
            }
            println!("bench: installing {line} from PyPI");
            if let Err(error) = shell::read(environment.pip_install(place).arg(line)) {
                println!("bench: {name} cannot be installed: {error}");
                peers.missing.insert(name, error);
            }
        }
        Ok(peers)
    }

    /// Packages and their versions.
    pub(super) fn versions(&self) -> BTreeMap<String, String> {
        let mut command = Command::new(self.programs.join("python3"));
        command.args(["-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"]);
        let said = shell::read(&mut command).unwrap_or_default();
        said.lines().map(requirement).map(|(name, version)| (name, version.to_owned())).collect()
    }

    /// Why a tool cannot run: the first of its packages that is missing.
    pub(super) fn lacks(&self, packages: &[&str]) -> Option<String> {
        let missing = packages.iter().find_map(|name| self.missing.get_key_value(*name));
        missing.map(|(name, error)| format!("{name} could not be installed: {error}"))
    }

    /// Where the environment is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Python of the environment, with a script of ours.
    pub(super) fn python(&self, script: &str, place: &Place) -> Command {
        let mut command = Command::new(self.programs.join("python3"));
        command.arg(place.root.join(script));
        command
    }
}

impl Bench<'_> {
    /// A tool that loads one file of the bucket into a table.
    pub(super) fn loader(&self, tool: &str, format: &str, key: &str, table: &str) -> Command {
        let mut command = self.peers.python(LOADER, self.place);
        command.args([tool, format, key, table]);
        command
            .env("BENCH_POSTGRES", self.postgres.url())
            .env("RUNTIME__DLTHUB_TELEMETRY", "false");
        command
    }

    /// A tool that reads one local file, on one thread.
    pub(super) fn reader(&self, tool: &str, format: &str, file: &Path) -> Command {
        let mut command = self.peers.python(READER, self.place);
        command.args([tool, format]).arg(file);
        command
    }

    /// sling loading one file of the bucket into a table.
    pub(super) fn sling(&self, address: &str, format: &str, key: &str, table: &str) -> Command {
        let library = std::fs::read_dir(self.peers.folder.join("lib")).into_iter().flatten();
        let library = library.flatten().map(|entry| entry.path().join("site-packages"));
        let program = library.map(|folder| folder.join(SLING)).find(|path| path.is_file());
        let mut command = Command::new(program.unwrap_or_else(|| PathBuf::from("sling")));
        let source = format!(
            "{{\"type\":\"s3\",\"bucket\":\"{BUCKET}\",\"endpoint\":\"{address}\",\
             \"access_key_id\":\"{key_id}\",\"secret_access_key\":\"{secret}\"}}",
            key_id = super::storage::KEY,
            secret = super::storage::SECRET,
        );
        command
            .args(["run", "--src-conn", "SOURCE", "--src-stream"])
            .arg(format!("s3://{BUCKET}/{key}"))
            .args(["--src-options", if format == "csv" { SLING_CSV } else { SLING_OTHERS }])
            .args(["--tgt-conn", "TARGET", "--tgt-object"])
            .arg(format!("public.{table}"))
            .args(["--mode", "full-refresh"])
            .env("SOURCE", source)
            .env("TARGET", format!("{}?sslmode=disable", self.postgres.url()))
            .env("SLING_DISABLE_TELEMETRY", "true");
        command
    }
}

/// Name and version of `name[extra]==version`.
fn requirement(line: &str) -> (String, &str) {
    let (name, version) = line.split_once("==").unwrap_or((line, ""));
    let name = name.split('[').next().unwrap_or(name);
    (name.replace('_', "-").to_lowercase(), version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_has_a_name_and_a_version() {
        assert_eq!(requirement("dlt[postgres,s3]==1.2"), ("dlt".into(), "1.2"));
        assert_eq!(requirement("A_b==3"), ("a-b".into(), "3"));
    }

    #[test]
    fn every_peer_is_pinned() {
        let place = Place::find().unwrap();
        let wanted = std::fs::read_to_string(place.root.join(REQUIREMENTS)).unwrap();
        for line in wanted.lines().filter(|line| !line.starts_with('#')) {
            assert!(line.contains("=="), "{line}");
        }
    }
}
