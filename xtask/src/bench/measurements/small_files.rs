//! Ten thousand small files, with and without a network's latency, and a
//! listing of a million that are all known.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bench::contender::{Contender, race};
use crate::bench::cost::Cost;
use crate::bench::storage::{Served, Storage};
use crate::bench::{Bench, sqlite};
use crate::{Result, shell};

const FILES: u64 = 10_000;
const ROWS_OF_FILE: u64 = 20;
const LATENCY_MILLISECONDS: u64 = 20;
const CONNECTIONS: [u32; 3] = [16, 64, DEFAULT_REQUESTS];
/// What decant does unless told otherwise.
const DEFAULT_REQUESTS: u32 = 128;

const OBJECTS: u64 = 1_000_000;
const FIRST_OBJECT: &str = "many/2026/00/file-00000000.csv";

/// Small files into Postgres beside plain GETs of them.
pub(super) fn small(bench: &mut Bench<'_>) -> Result<()> {
    let files = bench.options.scaled(FILES);
    let near = Served::default().files(files, ROWS_OF_FILE).open();
    near_or_far(bench, "small-files", files, &near)?;
    let far = near.delay_milliseconds(LATENCY_MILLISECONDS);
    near_or_far(bench, "small-files-far", files, &far)
}

fn near_or_far(
    bench: &mut Bench<'_>,
    measurement: &str,
    files: u64,
    served: &Served,
) -> Result<()> {
    let storage = bench.storage(served)?;
    let mut contenders = vec![decant(&storage, files, "decant", None)];
    for connections in CONNECTIONS {
        contenders.push(plain_gets(&storage, files, connections));
        if connections != DEFAULT_REQUESTS {
            let name = format!("decant, {connections} requests");
            contenders.push(decant(&storage, files, &name, Some(connections)));
        }
    }
    race(bench, measurement, &contenders)
}

/// decant, with so many requests at the same time, or as many as it makes
/// unless told otherwise.
fn decant<'s>(
    storage: &'s Storage,
    files: u64,
    name: &str,
    requests: Option<u32>,
) -> Contender<'s> {
    let command = move |bench: &Bench<'_>| {
        let mut command = bench.decant(storage, "small/", "lineitem");
        command.args(["--to", &bench.postgres.url(), "--anonymous"]);
        if let Some(requests) = requests {
            command.args(["--requests", &requests.to_string()]);
        }
        command
    };
    Contender::new(name, command)
        .from(storage)
        .prepared(|bench| bench.postgres.renew())
        .checked(move |bench| verify(bench, files))
        .read(move |bench, _, cost| {
            let loads = "SELECT count(DISTINCT load_id) FROM processed_files";
            let loads: f64 = bench.postgres.query(loads)?.parse().unwrap_or(f64::NAN);
            let milliseconds = cost.cpu * 1e3 / files as f64;
            let own = [
                ("files".to_owned(), files as f64),
                ("CPU ms a file".to_owned(), milliseconds),
                ("loads".to_owned(), loads),
            ];
            Ok(BTreeMap::from_iter(own.into_iter().chain([rate(files, cost)])))
        })
}

/// A client that fetches the same files over so many connections, and drops
/// them.
fn plain_gets(storage: &Storage, files: u64, connections: u32) -> Contender<'_> {
    let command = move |bench: &Bench<'_>| {
        let mut command = bench.programs.bench("fetch");
        command.arg(&storage.address).args([files.to_string(), connections.to_string()]);
        command
    };
    Contender::new(&format!("plain GETs, {connections} connections"), command)
        .from(storage)
        .read(move |_, _, cost| Ok(BTreeMap::from([rate(files, cost)])))
}

fn rate(files: u64, cost: Cost) -> (String, f64) {
    ("files/s".to_owned(), files as f64 / cost.wall)
}

fn verify(bench: &Bench<'_>, files: u64) -> Result<()> {
    let found = bench.postgres.query(
        "SELECT (SELECT count(*) FROM lineitem), \
         (SELECT count(*) FROM processed_files WHERE status = 'loaded')",
    )?;
    let expected = format!("{}|{files}", files * ROWS_OF_FILE);
    if found == expected { Ok(()) } else { Err(format!("wrong result: {found}, not {expected}")) }
}

/// A listing merged with a ledger that knows all of it.
pub(super) fn listing(bench: &mut Bench<'_>) -> Result<()> {
    let objects = bench.options.scaled(OBJECTS);
    let storage = bench.storage(&Served::default().objects(objects))?;
    let database = bench.scratch.join("many.db");
    sqlite::remove(&database)?;
    bench.postgres.renew()?;
    let postgres = bench.postgres.url();
    let local = format!("sqlite:{}", database.display());
    for destination in [&postgres, &local] {
        let mut first = bench.decant(&storage, FIRST_OBJECT, "many");
        storage.tell(&mut first);
        shell::read(first.args(["--to", destination]))?;
    }
    fill_postgres(bench, &storage, objects)?;
    fill_sqlite(bench, &storage, objects, &database)?;
    let all = |to: String| {
        let storage = &storage;
        move |bench: &Bench<'_>| {
            let mut command = bench.decant(storage, "many/", "many");
            command.args(["--to", &to]);
            command
        }
    };
    let in_sqlite = database.clone();
    let contenders = [
        Contender::new("decant, ledger in Postgres", all(postgres.clone()))
            .from(&storage)
            .prepared(|bench| bench.postgres.query("SELECT pg_stat_reset()").map(drop))
            .checked(|bench| unchanged(objects, |sql| bench.postgres.query(sql)))
            .read(|bench, _, _| {
                let queries: f64 = bench.postgres.query(QUERIES)?.parse().unwrap_or(f64::NAN);
                Ok(BTreeMap::from([("keys a query".to_owned(), objects as f64 / queries)]))
            }),
        Contender::new("decant, ledger in SQLite", all(local))
            .from(&storage)
            .checked(move |_| unchanged(objects, |sql| sqlite::query(&in_sqlite, sql))),
    ];
    race(bench, "listing", &contenders)
}

/// How many transactions there were since the last reset, those of one query
/// included.
const QUERIES: &str =
    "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()";

/// Everything is known, and nothing but the first file was ever loaded.
fn unchanged(objects: u64, query: impl Fn(&str) -> Result<String>) -> Result<()> {
    let known = query("SELECT count(*) FROM processed_files WHERE status = 'loaded'")?;
    let rows = query("SELECT count(*) FROM many")?;
    if known == objects.to_string() && rows == "1" {
        return Ok(());
    }
    Err(format!("wrong result: {known} files known, {rows} rows"))
}

const FORGED: &str = "CREATE TABLE forged (id bigint, key text)";
const FACTS: &str = "SELECT etag || '|' || target_table FROM processed_files";

fn fill_postgres(bench: &Bench<'_>, storage: &Storage, objects: u64) -> Result<()> {
    let postgres = &bench.postgres;
    let file = forge(bench, storage, objects, &postgres.query(FACTS)?)?;
    postgres.query(FORGED)?;
    postgres.query(&format!("\\copy forged FROM '{}'", file.display()))?;
    let columns = "SELECT string_agg(column_name, ',' ORDER BY ordinal_position) \
                   FROM information_schema.columns WHERE table_name = 'processed_files'";
    postgres.query(&multiply(&postgres.query(columns)?))?;
    postgres.query("ANALYZE processed_files").map(drop)
}

fn fill_sqlite(bench: &Bench<'_>, storage: &Storage, objects: u64, database: &Path) -> Result<()> {
    let file = forge(bench, storage, objects, &sqlite::query(database, FACTS)?)?;
    sqlite::query(database, FORGED)?;
    let import = format!(".import {} forged", file.display());
    let mut command = Command::new("sqlite3");
    shell::read(command.args(["-batch", "-tabs"]).arg(database).arg(import))?;
    let columns = "SELECT group_concat(name, ',') FROM pragma_table_info('processed_files')";
    sqlite::query(database, &multiply(&sqlite::query(database, columns)?)).map(drop)
}

/// Ids and keys of all objects in a file; `facts` are the ETag and the table
/// of the file that was loaded.
fn forge(bench: &Bench<'_>, storage: &Storage, objects: u64, facts: &str) -> Result<PathBuf> {
    let (etag, table) = facts.split_once('|').ok_or("the first file was not loaded")?;
    let mut command = bench.programs.bench("ledger");
    command.args([&storage.address, table, &format!("{objects}:{etag}")]);
    let path = bench.scratch.join("forged");
    fs::write(&path, shell::read(&mut command)?)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

/// The statement that gives every forged file the ledger row of the one that
/// was loaded.
fn multiply(columns: &str) -> String {
    let values = columns.split(',').map(|column| match column {
        "id" | "key" => format!("forged.{column}"),
        other => format!("known.{other}"),
    });
    let values = values.collect::<Vec<_>>().join(", ");
    format!(
        "INSERT INTO processed_files ({columns}) SELECT {values} \
         FROM forged, processed_files AS known WHERE forged.id <> known.id"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forged_row_differs_by_id_and_key_alone() {
        let sql = multiply("id,source,key");
        assert!(
            sql.contains("(id,source,key) SELECT forged.id, known.source, forged.key"),
            "{sql}"
        );
    }
}
