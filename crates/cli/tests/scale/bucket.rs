//! The buckets that are loaded, and what tables of them must hold. They are
//! made once a test process, at their first use.
//!
//! Invariant: nothing changes a bucket once it is made.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Instant;

use bytes::Bytes;
use decant_testkit::s3::{MemoryS3, Options, gzip};

use crate::generator::{self, Contents};
use crate::world::say;

/// Files in the folders of a bucket.
pub(crate) const SMALL_FILES: u64 = 5_000;
/// The key of the large file.
pub(crate) const LARGE_KEY: &str = "lineitem/lineitem.csv";
/// The table of the large file.
pub(crate) const LARGE_TABLE: &str = "lineitem";
/// Keys in the bucket that is only listed.
pub(crate) const LISTED_KEYS: u64 = 100_000;
/// The bucket that is only listed.
pub(crate) const LISTED_BUCKET: &str = "many-keys";

const FOLDERS: u64 = 20;
const ROWS_PER_FILE: u64 = 200;
const LARGE_FILE_FIRST_ID: u64 = 10_000_000;

/// A bucket and what must become of it.
pub(crate) struct Bucket {
    pub(crate) name: &'static str,
    /// Rows by key.
    pub(crate) files: BTreeMap<String, u64>,
    /// Contents by table, the folders' and the large file's.
    pub(crate) tables: BTreeMap<String, Contents>,
}

/// The files of the folders, which all buckets share.
struct Small {
    key: String,
    table: String,
    bytes: Bytes,
    contents: Contents,
}

/// The endpoint that serves all buckets.
pub(crate) fn endpoint() -> &'static MemoryS3 {
    static ENDPOINT: OnceLock<MemoryS3> = OnceLock::new();
    ENDPOINT.get_or_init(|| {
        let options = Options { log_capacity: 200_000, ..Options::default() };
        MemoryS3::start_blocking(options).expect("an endpoint")
    })
}

/// 5,000 files of 200 rows in 20 folders, and one of 2,000,000 rows.
pub(crate) fn full() -> &'static Bucket {
    static FULL: OnceLock<Bucket> = OnceLock::new();
    FULL.get_or_init(|| fill("full", 2_000_000))
}

/// The same 5,000 files, and one of 200,000 rows.
pub(crate) fn lesser() -> &'static Bucket {
    static LESSER: OnceLock<Bucket> = OnceLock::new();
    LESSER.get_or_init(|| fill("lesser", 200_000))
}

/// A hundred thousand little files of one table.
pub(crate) fn many_keys() {
    static MADE: OnceLock<()> = OnceLock::new();
    MADE.get_or_init(|| {
        for number in 0..LISTED_KEYS {
            let key = format!("events/{:03}/part-{number:06}.csv", number / 1000);
            endpoint().put(LISTED_BUCKET, &key, format!("id,name\n{number},n{number}\n"));
        }
    });
}

impl Bucket {
    /// The number of its files.
    pub(crate) fn file_count(&self) -> u64 {
        self.files.len() as u64
    }

    /// Rows of all tables.
    pub(crate) fn row_count(&self) -> u64 {
        self.tables.values().map(|contents| contents.rows).sum()
    }
}

fn fill(name: &'static str, large_rows: u64) -> Bucket {
    let begun = Instant::now();
    let mut bucket = Bucket { name, files: BTreeMap::new(), tables: BTreeMap::new() };
    let mut small_bytes = 0;
    for Small { key, table, bytes, contents } in small() {
        small_bytes += bytes.len();
        endpoint().put(name, key, bytes.clone());
        bucket.files.insert(key.clone(), contents.rows);
        bucket.tables.entry(table.clone()).or_default().add(contents);
    }
    let (csv, contents) = generator::file(LARGE_FILE_FIRST_ID, large_rows);
    let large_bytes = csv.len();
    endpoint().put(name, LARGE_KEY, csv);
    bucket.files.insert(LARGE_KEY.to_owned(), contents.rows);
    bucket.tables.insert(LARGE_TABLE.to_owned(), contents);
    say(&format!(
        "bucket {name}: {} files, {} rows; {:.1} MB in folders, {:.1} MB in one file; made in \
         {:.1} s",
        bucket.file_count(),
        bucket.row_count(),
        small_bytes as f64 / 1e6,
        large_bytes as f64 / 1e6,
        begun.elapsed().as_secs_f64()
    ));
    bucket
}

fn small() -> &'static [Small] {
    static SMALL: OnceLock<Vec<Small>> = OnceLock::new();
    SMALL.get_or_init(|| (0..SMALL_FILES).map(small_file).collect())
}

/// A third of them are compressed, some of those under a name that hides it.
fn small_file(number: u64) -> Small {
    let table = format!("region_{:02}", number % FOLDERS);
    let (csv, contents) = generator::file(1 + number * ROWS_PER_FILE, ROWS_PER_FILE);
    let (bytes, ending) = match number % 30 {
        0 => (gzip(csv), "csv"),
        rest if rest % 3 == 0 => (gzip(csv), "csv.gz"),
        _ => (csv.into(), "csv"),
    };
    let key = format!("{table}/2024/part {number:04}.{ending}");
    Small { key, table, bytes, contents }
}
