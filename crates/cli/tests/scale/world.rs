//! What a scenario plays in: its turn, a folder, a database and a bucket.
//!
//! Invariant: one scenario plays at a time.

use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tempfile::TempDir;

use crate::bucket::{Bucket, endpoint};
use crate::database::{Database, Kind};
use crate::run::{Run, Running, start};

/// A scenario's turn; it ends with this.
pub(crate) struct Turn {
    name: String,
    begun: Instant,
    _turn: MutexGuard<'static, ()>,
}

/// A folder with a configuration, and a database.
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) bucket: &'static Bucket,
    folder: TempDir,
}

/// Waits for this scenario's turn.
pub(crate) fn turn(name: &str) -> Turn {
    static TURNS: Mutex<()> = Mutex::new(());
    let turn = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    say(&format!("{name}: begins"));
    Turn { name: name.to_owned(), begun: Instant::now(), _turn: turn }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let seconds = self.begun.elapsed().as_secs_f64();
        say(&format!("{}: took {seconds:.1} s in all", self.name));
    }
}

/// Says something that stands in the log whether or not the test succeeds.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "scale: {text}");
}

impl World {
    /// A fresh database and a configuration that loads `bucket` into it.
    /// `defaults` are further lines of the configuration.
    pub(crate) fn new(kind: Kind, bucket: &'static Bucket, defaults: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let yaml = format!(
            "source:
  url: s3://{}/
  endpoint: {}
  credentials: anonymous
destination: ${{DATABASE_URL}}
{defaults}
streams:
  regions:
    files: \"region_*/**\"
    table: \"{{folder}}\"
  lineitem:
    files: \"lineitem/*.csv\"
    table: lineitem
",
            bucket.name,
            endpoint().endpoint()
        );
        std::fs::write(folder.path().join("decant.yaml"), yaml).expect("the configuration");
        Self { database: Database::new(kind, folder.path()), bucket, folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts decant with `variables` in its environment.
    pub(crate) fn start(&self, words: &[&str], variables: &[(&str, &str)]) -> Running {
        let url = self.database.url();
        let variables = [&[("DATABASE_URL", url.as_str())], variables].concat();
        start(self.folder(), words, &variables)
    }

    /// Starts `decant sync`.
    pub(crate) fn start_sync(&self) -> Running {
        self.start(&["sync", "--output", "json"], &[])
    }

    /// `decant sync`, which must end well.
    #[track_caller]
    pub(crate) fn sync(&self) -> Run {
        self.start_sync().end().succeeds()
    }
}

/// Asserts that a report of a run that ended well agrees with itself, and
/// that it dealt with every file.
#[track_caller]
pub(crate) fn assert_report(run: &Run, bucket: &Bucket) {
    let report = run.report();
    assert_eq!(report["status"], "ok", "{report:#}");
    assert_eq!(report["errors"].as_array().map(Vec::len), Some(0), "{report:#}");
    assert_eq!(run.count("files", "listed"), bucket.file_count(), "{report:#}");
    let dealt_with = run.count("files", "loaded") + run.count("files", "already_loaded");
    assert_eq!(dealt_with, bucket.file_count(), "{report:#}");
    assert_eq!(run.count("rows", "read"), run.count("rows", "loaded"), "{report:#}");
    let tables = report["tables"].as_array().expect("a list of tables");
    let rows: u64 = tables.iter().filter_map(|table| table["rows_loaded"].as_u64()).sum();
    assert_eq!(run.count("rows", "loaded"), rows, "{report:#}");
}
