//! The decoders alone, by Criterion, beside the readers of other tools: one
//! core, a file that comes from memory, no table.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::ROWS;
use crate::bench::Bench;
use crate::bench::contender::{Contender, race};
use crate::{Result, shell};

const MEASUREMENT: &str = "decoders";
const FIGURE: &str = "MB/s a core";

/// Tools that read a local file, what they call the format, and the set.
const READERS: [(&str, &str, &str, &str); 9] = [
    ("csv/lineitem, duckdb reading", "duckdb", "csv", "lineitem.csv"),
    ("csv/lineitem, polars reading", "polars", "csv", "lineitem.csv"),
    ("csv/lineitem, pyarrow reading", "pyarrow", "csv", "lineitem.csv"),
    ("csv/quoted, duckdb reading", "duckdb", "csv", "quoted.csv"),
    ("csv/quoted, polars reading", "polars", "csv", "quoted.csv"),
    ("csv/quoted, pyarrow reading", "pyarrow", "csv", "quoted.csv"),
    ("json/lineitem, duckdb reading", "duckdb", "jsonl", "lineitem.jsonl"),
    ("json/lineitem, polars reading", "polars", "jsonl", "lineitem.jsonl"),
    ("json/lineitem, pyarrow reading", "pyarrow", "jsonl", "lineitem.jsonl"),
];

/// Ours and those of others.
pub(super) fn speed(bench: &mut Bench<'_>) -> Result<()> {
    ours(bench)?;
    let rows = bench.options.scaled(ROWS / 4);
    let set = bench.set(rows, &["lineitem.csv", "lineitem.jsonl", "quoted.csv"])?;
    let files: Vec<PathBuf> = READERS.iter().map(|(.., file)| set.path(file)).collect();
    let readers = READERS.iter().zip(&files);
    let contenders = readers
        .map(|((name, tool, format, _), file)| {
            let reader = Contender::new(name, |bench| bench.reader(tool, format, file));
            let lacks = bench.peers.lacks(&[tool]);
            Ok(reader.unless(lacks).read(move |_, said, _| figures(said, rows, size(file)?)))
        })
        .collect::<Result<Vec<_>>>()?;
    race(bench, MEASUREMENT, &contenders)
}

fn size(file: &Path) -> Result<f64> {
    let known = fs::metadata(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(known.len() as f64)
}

/// From what a reader says: rows, seconds of CPU, seconds of wall time.
fn figures(said: &str, rows: u64, bytes: f64) -> Result<BTreeMap<String, f64>> {
    let words: Vec<f64> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match words[..] {
        [read, cpu, _] if read == rows as f64 => {
            Ok(BTreeMap::from([(FIGURE.to_owned(), bytes / 1e6 / cpu)]))
        }
        _ => Err(format!("wrong result: it said `{}`", said.trim())),
    }
}

/// Runs Criterion and keeps what it found.
fn ours(bench: &mut Bench<'_>) -> Result<()> {
    let found = bench.place.target().join("criterion");
    if found.exists() {
        fs::remove_dir_all(&found).map_err(|error| format!("{}: {error}", found.display()))?;
    }
    let mut command = shell::cargo(bench.place);
    command.args(["bench", "--quiet", "--package", "decant-bench", "--profile", "profiling"]);
    let line = shell::line(&command);
    println!("bench: {line}");
    shell::run(&mut command)?;
    for (name, speed) in estimates(&found)? {
        let figures = BTreeMap::from([(FIGURE.to_owned(), speed)]);
        bench.results.keep(MEASUREMENT, &name, &line, Ok(figures))?;
    }
    Ok(())
}

/// Names and speeds of all benches that Criterion left, by name.
fn estimates(folder: &Path) -> Result<BTreeMap<String, f64>> {
    let mut found = BTreeMap::new();
    for group in folders(folder)? {
        for function in folders(&group)? {
            found.extend(estimate(&function.join("new"))?);
        }
    }
    if found.is_empty() {
        return Err(format!("Criterion left nothing in {}", folder.display()));
    }
    Ok(found)
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let paths = entries.flatten().map(|entry| entry.path());
    Ok(paths.filter(|path| path.is_dir()).collect())
}

/// A bench's name and its speed by the median, where it has both.
fn estimate(folder: &Path) -> Result<Option<(String, f64)>> {
    let read = |file: &str| -> Result<Option<Value>> {
        let Ok(text) = fs::read_to_string(folder.join(file)) else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|error| format!("{file}: {error}"))
    };
    let (Some(bench), Some(times)) = (read("benchmark.json")?, read("estimates.json")?) else {
        return Ok(None);
    };
    let bytes = bench["throughput"]["Bytes"].as_f64();
    let nanoseconds = times["median"]["point_estimate"].as_f64();
    let speed = bytes.zip(nanoseconds).map(|(bytes, nanoseconds)| bytes * 1e3 / nanoseconds);
    Ok(bench["full_id"].as_str().map(str::to_owned).zip(speed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_says_rows_and_seconds() {
        let found = figures("10 0.5 0.6\n", 10, 1e6).unwrap();
        assert_eq!(found[FIGURE], 2.0);
        assert!(figures("9 0.5 0.6", 10, 1e6).is_err());
        assert!(figures("", 10, 1e6).is_err());
    }

    #[test]
    fn criterions_files_are_read_for_name_and_speed() {
        let folder = std::env::temp_dir().join(format!("decant-criterion-{}", std::process::id()));
        let new = folder.join("csv/lineitem/new");
        fs::create_dir_all(&new).unwrap();
        fs::create_dir_all(folder.join("csv/report")).unwrap();
        let bench = r#"{"full_id": "csv/lineitem", "throughput": {"Bytes": 2000}}"#;
        fs::write(new.join("benchmark.json"), bench).unwrap();
        let times = r#"{"median": {"point_estimate": 1000.0}}"#;
        fs::write(new.join("estimates.json"), times).unwrap();
        let found = estimates(&folder).unwrap();
        assert_eq!(found, BTreeMap::from([("csv/lineitem".to_owned(), 2000.0)]));
        fs::remove_dir_all(&folder).unwrap();
    }
}
