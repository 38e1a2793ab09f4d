//! Where the server programs are. They are not on the PATH of most systems.

use std::path::{Path, PathBuf};
use std::process::Command;

const DEBIAN: &str = "/usr/lib/postgresql";

/// The folder that holds `initdb` and `postgres`.
pub(super) struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Asks `pg_config`, then looks where Debian keeps them, newest first.
    /// Panics, with the cure, when there are none.
    pub(super) fn find() -> Self {
        let folder = configured().into_iter().chain(packaged()).find(|folder| is_complete(folder));
        let Some(folder) = folder else {
            panic!("no Postgres server programs on this machine: run `cargo xtask setup`");
        };
        Self { folder }
    }

    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }
}

/// `pg_config` may belong to the client library alone, without a server.
fn is_complete(folder: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file())
}

fn configured() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(folder.trim_end()))
}

fn packaged() -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(DEBIAN)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let version = path.file_name()?.to_str()?.parse().ok()?;
            Some((version, path.join("bin")))
        })
        .collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, folder)| folder).collect()
}
