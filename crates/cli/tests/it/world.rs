//! What a scenario plays in: a bucket, a folder and a database, all its own.
//! Invariant: after every load and sync the ledger and the tables agree, or
//! the test fails.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use decant_testkit::s3::{MemoryS3, Options};
use tempfile::TempDir;

use crate::database::Database;
use crate::run::{Decant, Run};

/// The bucket of every scenario.
pub(crate) const BUCKET: &str = "shop";

/// A bucket, a folder and a database.
pub(crate) struct World {
    pub(crate) s3: Arc<MemoryS3>,
    pub(crate) database: Database,
    folder: TempDir,
}

/// Plays a scenario on SQLite and on Postgres.
pub(crate) fn on_both(scenario: impl Fn(&World)) {
    for world in [World::sqlite(), World::postgres()] {
        println!("on {}", if world.database.is_postgres() { "Postgres" } else { "SQLite" });
        scenario(&world);
    }
}

impl World {
    pub(crate) fn sqlite() -> Self {
        Self::with(Database::sqlite)
    }

    pub(crate) fn postgres() -> Self {
        Self::with(|_| Database::postgres())
    }

    fn with(database: impl Fn(&Path) -> Database) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let s3 = MemoryS3::start_blocking(Options::default()).expect("an endpoint");
        s3.create_bucket(BUCKET);
        Self { s3: Arc::new(s3), database: database(folder.path()), folder }
    }

    /// Stores an object.
    pub(crate) fn put(&self, key: &str, bytes: impl Into<Bytes>) {
        self.s3.put(BUCKET, key, bytes);
    }

    /// A path in the folder in which decant is started.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into that folder.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        std::fs::write(path, bytes).expect("the file is written");
    }

    /// Writes `decant.yaml`: the bucket below `prefix`, and `streams`.
    pub(crate) fn configure(&self, prefix: &str, streams: &str) {
        let yaml = format!(
            "source:\n  url: s3://{BUCKET}/{prefix}\n  endpoint: {}\n  credentials: anonymous\n\
             destination: ${{DATABASE_URL}}\n{streams}",
            self.s3.endpoint()
        );
        self.write("decant.yaml", yaml);
    }

    /// The command with this world's endpoint, asking without a signature.
    pub(crate) fn decant(&self, words: &[&str]) -> Decant {
        self.plain(words).args(["--endpoint", &self.s3.endpoint(), "--anonymous"])
    }

    /// The command as it is.
    pub(crate) fn plain(&self, words: &[&str]) -> Decant {
        Decant::new(self.folder.path()).env("DATABASE_URL", self.database.url()).args(words)
    }

    /// `decant load s3://shop/SOURCE`, with a JSON report.
    #[track_caller]
    pub(crate) fn load(&self, source: &str, options: &[&str]) -> Run {
        self.load_of(&format!("s3://{BUCKET}/{source}"), options)
    }

    /// `decant load SOURCE`, with a JSON report.
    #[track_caller]
    pub(crate) fn load_of(&self, source: &str, options: &[&str]) -> Run {
        let words = ["load", source, "--to", &self.database.url(), "--output", "json"];
        self.checked(self.decant(&[&words, options].concat()).run())
    }

    /// `decant sync`, with a JSON report.
    #[track_caller]
    pub(crate) fn sync(&self, options: &[&str]) -> Run {
        self.checked(self.plain(&[&["sync", "--output", "json"], options].concat()).run())
    }

    /// Asserts that report, exit code, ledger and tables agree.
    #[track_caller]
    pub(crate) fn checked(&self, run: Run) -> Run {
        assert_agrees_with_itself(&run);
        self.assert_ledger_agrees("processed_files");
        run
    }

    /// Asserts that every table with `_file_id` has exactly the rows of the
    /// ledger's loaded files, and of those that are being loaded in chunks.
    #[track_caller]
    pub(crate) fn assert_ledger_agrees(&self, ledger: &str) {
        if !self.database.tables().iter().any(|table| table == ledger) {
            return;
        }
        let targets = self.rows(&format!("SELECT DISTINCT target_table FROM {ledger}"));
        for target in targets.iter().filter_map(|row| row[0].as_deref()) {
            let table = target.rsplit('.').next().expect("a name");
            if self.database.columns(table).iter().any(|column| column == "_file_id") {
                self.assert_table_agrees(ledger, target);
            }
        }
    }

    #[track_caller]
    fn assert_table_agrees(&self, ledger: &str, target: &str) {
        let promised = self.query(&format!(
            "SELECT id, rows_copied FROM {ledger}
             WHERE target_table = '{target}' AND status IN ('loaded', 'loading') AND rows_copied > 0
             ORDER BY id"
        ));
        let found = self.query(&format!(
            "SELECT _file_id, count(*) FROM {target}
             WHERE _file_id IS NOT NULL GROUP BY _file_id ORDER BY _file_id"
        ));
        assert_eq!(found, promised, "the rows of {target} by file, and what the ledger says");
    }

    /// The rows of a query, `|` between values and `NULL` for NULL.
    #[track_caller]
    pub(crate) fn query(&self, sql: &str) -> Vec<String> {
        let line = |row: &Vec<Option<String>>| {
            row.iter().map(|value| value.as_deref().unwrap_or("NULL")).collect::<Vec<_>>().join("|")
        };
        self.rows(sql).iter().map(line).collect()
    }

    /// The rows of a query; NULL is `None`.
    #[track_caller]
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        self.database.rows(sql)
    }

    /// The ledger as `key|status|rows_copied|attempts`, in the order of the keys.
    #[track_caller]
    pub(crate) fn ledger(&self) -> Vec<String> {
        self.query(
            "SELECT key, status, rows_copied, attempts FROM processed_files ORDER BY key, id",
        )
    }

    /// The ledger as `key|status`, in the order of the keys.
    #[track_caller]
    pub(crate) fn statuses(&self) -> Vec<String> {
        self.query("SELECT key, status FROM processed_files ORDER BY key, status")
    }
}

/// Asserts what every report promises.
#[track_caller]
fn assert_agrees_with_itself(run: &Run) {
    let report = run.report();
    let of = |group: &str, name: &str| report[group][name].as_u64().expect("a count");
    let rows = |name| of("rows", name);
    assert_eq!(rows("read"), rows("loaded") + rows("rejected") + rows("filtered"), "{report:#}");
    let codes: &[i32] = match report["status"].as_str() {
        Some("ok") => &[0],
        Some("partial") => &[3, 130, 143],
        Some("failed") => &[1, 2, 130, 143],
        other => panic!("there is no status {other:?}"),
    };
    let code = run.code.expect("an exit code");
    assert!(codes.contains(&code), "exit code {code} of {report:#}");
    let tables = report["tables"].as_array().expect("a list of tables");
    let loaded: u64 = tables.iter().filter_map(|table| table["rows_loaded"].as_u64()).sum();
    assert_eq!(loaded, rows("loaded"), "{report:#}");
}
