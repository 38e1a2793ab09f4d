//! The sets of data, made once for each size and kept in the target folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Bench, make_folder};
use crate::{Result, shell};

/// Where data lies.
pub(super) struct Data {
    folder: PathBuf,
}

/// A set of data of one size.
#[derive(Clone, Debug)]
pub(super) struct Set {
    folder: PathBuf,
}

impl Data {
    /// Below the results.
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.join("data") }
    }
}

impl Data {
    /// Where sets lie.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Bench<'_> {
    /// Files of so many rows, such as `lineitem.csv` or the folder
    /// `lineitem-64`; those that are missing are made.
    pub(super) fn set(&self, rows: u64, names: &[&str]) -> Result<Set> {
        let set = Set { folder: self.data.folder.join(rows.to_string()) };
        let missing: Vec<&str> =
            names.iter().copied().filter(|name| !set.path(name).exists()).collect();
        if missing.is_empty() {
            return Ok(set);
        }
        println!("bench: making {} of {rows} rows", missing.join(", "));
        make_folder(&set.folder)?;
        let mut command = self.programs.bench("data");
        shell::run(command.arg(&set.folder).arg(rows.to_string()).args(missing))?;
        Ok(set)
    }
}

impl Set {
    /// A file or folder of the set.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// What a table of the set's rows must hold, as `psql -At` prints it.
    pub(super) fn sums(&self, name: &str) -> Result<String> {
        let path = self.path(&format!("{name}.sums"));
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    }
}
