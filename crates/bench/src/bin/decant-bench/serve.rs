//! An S3 endpoint of its own process, so that what it costs is not counted as
//! a loader's. It ends with its standard input, however its parent ended.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use decant_bench::lineitem;
use decant_s3_memory::{Action, Call, Credentials, MemoryS3, Options};

use crate::{Result, number};

/// The bucket with everything in it.
pub(crate) const BUCKET: &str = "bench";

/// What every one of many equal objects holds.
pub(crate) const OBJECT: &str = "id\n1\n";

/// Serves until standard input ends.
pub(crate) fn run(key: &str, secret: &str, options: &[&str]) -> Result<()> {
    let credentials = (key != "-").then(|| Credentials::new(key, secret));
    let started = Options { credentials, log_capacity: 0, ..Options::default() };
    let server = MemoryS3::start_blocking(started)
        .map_err(|error| format!("the endpoint cannot be started: {error}"))?;
    server.create_bucket(BUCKET);
    fill(&server, options)?;
    println!("{}", server.endpoint());
    io::stdin().read_to_end(&mut Vec::new()).map_err(|error| error.to_string())?;
    Ok(())
}

fn fill(server: &MemoryS3, mut options: &[&str]) -> Result<()> {
    loop {
        options = match *options {
            [] => return Ok(()),
            ["--put", path, ref rest @ ..] => {
                put(server, Path::new(path), "").map_err(|error| format!("{path}: {error}"))?;
                rest
            }
            ["--files", files, rows, ref rest @ ..] => {
                put_files(server, number(files)?, number(rows)?);
                rest
            }
            ["--objects", objects, ref rest @ ..] => {
                put_objects(server, number(objects)?);
                rest
            }
            ["--delay", milliseconds, ref rest @ ..] => {
                let delay = Duration::from_millis(number(milliseconds)?);
                server.set_hook(move |_: &Call| Action::serve().after(tokio::time::sleep(delay)));
                rest
            }
            [unknown, ..] => return Err(format!("`{unknown}` is unknown, or lacks its values")),
        };
    }
}

/// A file under its name, or everything below a folder under its path.
fn put(server: &MemoryS3, path: &Path, prefix: &str) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let key = format!("{prefix}{name}");
    if !path.is_dir() {
        server.put(BUCKET, &key, fs::read(path)?);
        return Ok(());
    }
    let entries = fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<io::Result<Vec<PathBuf>>>()?;
    paths.sort();
    paths.iter().try_for_each(|path| put(server, path, &format!("{key}/")))
}

/// Small files of CSV, each with some rows of its own.
fn put_files(server: &MemoryS3, files: u64, rows: u64) {
    let mut source = lineitem::Rows::default();
    for file in 0..files {
        let mut text = lineitem::COLUMNS.join(",");
        text.push('\n');
        for _ in 0..rows {
            // Writing to a string cannot fail.
            let _ = source.next_row().write_csv(&mut text);
        }
        server.put(BUCKET, &small_key(file), text);
    }
}

fn put_objects(server: &MemoryS3, objects: u64) {
    for object in 0..objects {
        server.put(BUCKET, &object_key(object), OBJECT);
    }
}

/// The key of one of the small files.
pub(crate) fn small_key(file: u64) -> String {
    format!("small/{file:07}.csv")
}

/// The key of one of many equal objects.
pub(crate) fn object_key(object: u64) -> String {
    format!("many/2026/{:02}/file-{object:08}.csv", object / 100_000)
}
