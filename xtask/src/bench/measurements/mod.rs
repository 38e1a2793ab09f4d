//! What is measured, by name.
//!
//! Each measurement makes what it needs, lets its contenders run in turn and
//! keeps their figures. Goals are judged elsewhere.

mod decoders;
mod into_postgres;
pub(super) mod into_sqlite;
pub(super) mod profile;
mod small_files;

use super::Bench;
use crate::Result;

/// The rows of the sets of data at scale 1.
const ROWS: u64 = 2_000_000;

/// Something that is measured.
pub(super) struct Measurement {
    /// What it is called on the command line.
    pub(super) name: &'static str,
    /// What is compared.
    pub(super) about: &'static str,
    /// What else is kept beside it, under names of their own.
    pub(super) also: &'static [&'static str],
    /// Makes it.
    pub(super) run: fn(&mut Bench<'_>) -> Result<()>,
}

/// All of them, in the order of the page.
pub(super) const MEASUREMENTS: &[Measurement] = &[
    Measurement {
        name: "csv-postgres",
        about: "one file of CSV from S3 into Postgres, beside what else people use",
        also: &[],
        run: into_postgres::csv,
    },
    Measurement {
        name: "packed-postgres",
        about: "the same file as it is, by gzip and by zstd",
        also: &[],
        run: into_postgres::packed,
    },
    Measurement {
        name: "files-postgres",
        about: "the same rows as one file, as 64, and in chunks of 32 MiB, over 1, 2 and 4 connections",
        also: &[],
        run: into_postgres::files,
    },
    Measurement {
        name: "json-postgres",
        about: "the same rows as JSON lines from S3 into Postgres",
        also: &[],
        run: into_postgres::json,
    },
    Measurement {
        name: "parquet-postgres",
        about: "the same rows as Parquet from S3 into Postgres",
        also: &[],
        run: into_postgres::parquet,
    },
    Measurement {
        name: "taxi-postgres",
        about: "trips with moments and missing values, CSV from S3 into Postgres",
        also: &[],
        run: into_postgres::taxi,
    },
    Measurement {
        name: "quoted-postgres",
        about: "text in quotes with several lines, CSV from S3 into Postgres",
        also: &[],
        run: into_postgres::quoted,
    },
    Measurement {
        name: "csv-sqlite",
        about: "one local file of CSV into SQLite, beside SQLite's own `.import`: into exactly \
                the table and index that decant makes, from a copy of the file that has the \
                `_file_id` of every row ready; and into a bare table of the same types, which \
                keeps neither where rows came from nor an index to find them by",
        also: &[],
        run: into_sqlite::csv,
    },
    Measurement {
        name: "small-files",
        about: "ten thousand files of twenty rows, also with 20 ms added to every request",
        also: &["small-files-far"],
        run: small_files::small,
    },
    Measurement {
        name: "listing",
        about: "a million keys listed, all of them in the ledger",
        also: &[],
        run: small_files::listing,
    },
    Measurement {
        name: "tiny-load",
        about: "one file of three rows into SQLite",
        also: &[],
        run: into_sqlite::tiny,
    },
    Measurement {
        name: "decoders",
        about: "the decoders alone, beside what others read with",
        also: &[],
        run: decoders::speed,
    },
    Measurement {
        name: "growth",
        about: "the same rows, four times as many, and sixteen times as many",
        also: &[],
        run: into_postgres::growth,
    },
    Measurement {
        name: profile::MEASUREMENT,
        about: "where the time goes while decant loads into Postgres",
        also: &[],
        run: profile::samples,
    },
];
