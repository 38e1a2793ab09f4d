//! How much memory a load and a listing take at most, whatever their size.

use std::collections::BTreeSet;
use std::path::Path;

use crate::bucket::{
    LARGE_KEY, LARGE_TABLE, LISTED_BUCKET, LISTED_KEYS, endpoint, full, many_keys,
};
use crate::database::{Database, Kind};
use crate::run::{Run, start};
use crate::world::{World, say, turn};

/// What a load may take.
pub(crate) const LOAD_BYTES_MAX: u64 = 200_000_000;
/// What a listing may take.
const LISTING_BYTES_MAX: u64 = 100_000_000;

#[test]
fn a_load_of_250_megabytes_into_sqlite_takes_no_more_than_200_of_memory() {
    load_the_large_file(Kind::Sqlite);
}

#[test]
fn a_load_of_250_megabytes_into_postgres_takes_no_more_than_200_of_memory() {
    load_the_large_file(Kind::Postgres);
}

fn load_the_large_file(kind: Kind) {
    let _turn = turn(&format!("load of one large file, {kind:?}"));
    let world = World::new(kind, full(), "");
    let source = format!("s3://{}/{LARGE_KEY}", world.bucket.name);
    let url = world.database.url();
    let run = ask(world.folder(), &["load", &source, "--to", &url, "--table", LARGE_TABLE]);
    let expected = world.bucket.tables[LARGE_TABLE];
    assert_eq!(run.count("rows", "loaded"), expected.rows);
    assert_eq!(world.database.contents(LARGE_TABLE), expected);
    let fetched = run.count("bytes", "fetched") as f64 / 1e6;
    say(&format!(
        "  {fetched:.1} MB and {} rows in {:.1} s ({:.1} MB/s), at most {:.1} MB of memory",
        expected.rows,
        run.seconds,
        fetched / run.seconds,
        run.peak_megabytes()
    ));
    assert!(run.peak_bytes <= LOAD_BYTES_MAX, "{:.1} MB", run.peak_megabytes());
}

#[test]
fn a_list_of_100_000_keys_takes_no_more_than_100_megabytes() {
    let _turn = turn("list of 100,000 keys");
    many_keys();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = ask(folder.path(), &["list", &format!("s3://{LISTED_BUCKET}/")]);
    let files: BTreeSet<&str> = run.stdout.lines().collect();
    assert_eq!(files.len() as u64, LISTED_KEYS, "different files");
    assert_listing_is_small("list", &run);
}

#[test]
fn a_plan_of_100_000_keys_for_sqlite_takes_no_more_than_100_megabytes() {
    plan_of_keys(Kind::Sqlite);
}

#[test]
fn a_plan_of_100_000_keys_for_postgres_takes_no_more_than_100_megabytes() {
    plan_of_keys(Kind::Postgres);
}

fn plan_of_keys(kind: Kind) {
    let _turn = turn(&format!("plan of 100,000 keys, {kind:?}"));
    many_keys();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = Database::new(kind, folder.path());
    let source = format!("s3://{LISTED_BUCKET}/events/");
    let run = ask(folder.path(), &["plan", &source, "--to", &database.url()]);
    let planned = run.stdout.lines().filter(|line| line.contains("\"action\":\"load\""));
    assert_eq!(planned.collect::<BTreeSet<_>>().len() as u64, LISTED_KEYS, "different files");
    assert_eq!(database.tables(), Vec::<String>::new(), "a plan changes nothing");
    assert_listing_is_small("plan", &run);
}

/// Runs a command that must end well against the endpoint.
#[track_caller]
fn ask(folder: &Path, words: &[&str]) -> Run {
    let endpoint = endpoint().endpoint();
    let options = ["--endpoint", endpoint.as_str(), "--anonymous", "--output", "json"];
    start(folder, &[words, &options].concat(), &[]).end().succeeds()
}

fn assert_listing_is_small(verb: &str, run: &Run) {
    say(&format!(
        "  {verb} of {LISTED_KEYS} keys in {:.1} s, at most {:.1} MB of memory",
        run.seconds,
        run.peak_megabytes()
    ));
    assert!(run.peak_bytes <= LISTING_BYTES_MAX, "{:.1} MB", run.peak_megabytes());
}
