//! Loads from S3 into Postgres.

use super::ROWS;
use crate::Result;
use crate::bench::Bench;
use crate::bench::contender::{Contender, race};
use crate::bench::lineup::{LINEITEM, Load, QUOTED, TAXI, Target};
use crate::bench::storage::Served;

/// decant beside everybody who loads CSV.
pub(super) fn csv(bench: &mut Bench<'_>) -> Result<()> {
    beside_all(bench, "csv-postgres", LINEITEM, ROWS)
}

/// Moments and missing values.
pub(super) fn taxi(bench: &mut Bench<'_>) -> Result<()> {
    beside_all(bench, "taxi-postgres", TAXI, ROWS)
}

/// Text in quotes.
pub(super) fn quoted(bench: &mut Bench<'_>) -> Result<()> {
    beside_all(bench, "quoted-postgres", QUOTED, ROWS / 4)
}

fn beside_all(bench: &mut Bench<'_>, measurement: &str, target: Target, rows: u64) -> Result<()> {
    let file = format!("{}.csv", target.name);
    let set = bench.set(bench.options.scaled(rows), &[&file])?;
    let path = set.path(&file);
    let storage = bench.storage(&Served::default().put(&path))?;
    let sums = set.sums(target.name)?;
    let load = Load { target, sums: &sums, storage: &storage };
    let reference = load.reference(bench, &file)?;
    let mut contenders = vec![
        load.limit(&reference),
        load.decant("decant", &file, &[]),
        load.psql_csv(&reference, &path),
        load.python_copy(bench, &reference, &file),
    ];
    contenders.extend(load.peers(bench, "csv", &file));
    race(bench, measurement, &contenders)
}

/// One file, compressed in two ways and not at all.
pub(super) fn packed(bench: &mut Bench<'_>) -> Result<()> {
    let names = ["lineitem.csv", "lineitem.csv.gz", "lineitem.csv.zst"];
    let set = bench.set(bench.options.scaled(ROWS), &names)?;
    let served = names.iter().fold(Served::default(), |served, name| served.put(&set.path(name)));
    let storage = bench.storage(&served)?;
    let sums = set.sums(LINEITEM.name)?;
    let load = Load { target: LINEITEM, sums: &sums, storage: &storage };
    let mut contenders = vec![
        load.decant("decant", names[0], &[]),
        load.decant("decant, gzip", names[1], &[]),
        load.decant("decant, zstd", names[2], &[]),
    ];
    let duckdb = load.peers(bench, "csv", names[1]).into_iter().next();
    contenders.extend(duckdb.map(|duckdb| duckdb.renamed("duckdb, gzip")));
    race(bench, "packed-postgres", &contenders)
}

/// One file and many, and connections.
pub(super) fn files(bench: &mut Bench<'_>) -> Result<()> {
    let set = bench.set(bench.options.scaled(ROWS), &["lineitem.csv", "lineitem-64"])?;
    let served = Served::default().put(&set.path("lineitem.csv")).put(&set.path("lineitem-64"));
    let storage = bench.storage(&served)?;
    let sums = set.sums(LINEITEM.name)?;
    let load = Load { target: LINEITEM, sums: &sums, storage: &storage };
    let reference = load.reference(bench, "lineitem.csv")?;
    let many = "lineitem-64/";
    let in_chunks = ["1", "2", "4"].map(|connections| {
        ["--atomic", "chunk", "--chunk-bytes", "32MiB", "--connections", connections]
    });
    let contenders = [
        load.limit(&reference),
        load.decant("decant, 1 file", "lineitem.csv", &[]),
        load.decant("decant, 64 files", many, &[]),
        load.decant("decant, 64 files, 1 connection", many, &["--connections", "1"]),
        load.decant("decant, 64 files, 2 connections", many, &["--connections", "2"]),
        load.decant("decant, 64 files, 4 connections", many, &["--connections", "4"]),
        load.decant("decant, 1 file in chunks, 1 connection", "lineitem.csv", &in_chunks[0]),
        load.decant("decant, 1 file in chunks, 2 connections", "lineitem.csv", &in_chunks[1]),
        load.decant("decant, 1 file in chunks, 4 connections", "lineitem.csv", &in_chunks[2]),
    ];
    race(bench, "files-postgres", &contenders)
}

/// JSON lines.
pub(super) fn json(bench: &mut Bench<'_>) -> Result<()> {
    typed(bench, "json-postgres", "jsonl")
}

/// Parquet.
pub(super) fn parquet(bench: &mut Bench<'_>) -> Result<()> {
    typed(bench, "parquet-postgres", "parquet")
}

fn typed(bench: &mut Bench<'_>, measurement: &str, format: &str) -> Result<()> {
    let name = format!("lineitem.{format}");
    let set = bench.set(bench.options.scaled(ROWS), &["lineitem.csv", &name])?;
    let storage = bench.storage(&Served::default().put(&set.path(&name)))?;
    let sums = set.sums(LINEITEM.name)?;
    let load = Load { target: LINEITEM, sums: &sums, storage: &storage };
    let reference = load.reference(bench, &name)?;
    let mut contenders = vec![load.limit(&reference), load.decant("decant", &name, &[])];
    contenders.extend(load.peers(bench, format, &name));
    race(bench, measurement, &contenders)
}

/// The same rows once, four times and sixteen times.
pub(super) fn growth(bench: &mut Bench<'_>) -> Result<()> {
    let sizes = [("decant, 1x", 1), ("decant, 4x", 4), ("decant, 16x", 16)];
    let mut loads = Vec::new();
    for (name, times) in sizes {
        let set = bench.set(bench.options.scaled(ROWS) * times, &["lineitem.csv"])?;
        let served = Served::default().put(&set.path("lineitem.csv")).by_ours();
        let storage = bench.storage(&served)?;
        loads.push((name, set.sums(LINEITEM.name)?, storage));
    }
    let contenders: Vec<Contender<'_>> = loads
        .iter()
        .map(|(name, sums, storage)| {
            let load = Load { target: LINEITEM, sums, storage };
            load.decant(name, "lineitem.csv", &[])
        })
        .collect();
    race(bench, "growth", &contenders)
}
