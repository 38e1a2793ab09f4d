//! Sets of data, written to files row by row, with the sums that a table of
//! them has. A file is written under another name and renamed when it is
//! whole.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use decant_bench::sums::Sums;
use decant_bench::{lineitem, lineitem_columns, quoted, taxi};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::{Result, number};

const FLUSH_BYTES: usize = 1 << 20;

/// The level that `gzip` and `zstd` have by default.
const GZIP_LEVEL: u32 = 6;
const ZSTD_LEVEL: i32 = 3;

/// Writes the sets that are named.
pub(crate) fn write(folder: &str, rows: &str, names: &[&str]) -> Result<()> {
    let (folder, rows) = (Path::new(folder), number(rows)?);
    names.iter().try_for_each(|name| {
        write_one(folder, rows, name).map_err(|error| format!("{name}: {error}"))
    })
}

fn write_one(folder: &Path, rows: u64, name: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    if let Some(files) = name.strip_prefix("lineitem-").and_then(|files| files.parse().ok()) {
        return write_parts(folder, rows, files);
    }
    match name {
        "lineitem.csv" => {
            let sums = whole(folder, name, |file| lineitem_text(rows, Text::Csv, file))?;
            whole(folder, "lineitem.sums", |file| write!(file, "{sums}"))
        }
        "lineitem.jsonl" => {
            whole(folder, name, |file| lineitem_text(rows, Text::Json, file)).map(drop)
        }
        "lineitem.parquet" => whole(folder, name, |file| lineitem_columns::write(rows, file)),
        "lineitem.csv.gz" => whole(folder, name, |file| {
            let mut packed = GzEncoder::new(file, Compression::new(GZIP_LEVEL));
            lineitem_text(rows, Text::Csv, &mut packed)?;
            packed.finish().map(drop)
        }),
        "lineitem.csv.zst" => whole(folder, name, |file| {
            let mut packed = zstd::Encoder::new(file, ZSTD_LEVEL)?;
            lineitem_text(rows, Text::Csv, &mut packed)?;
            packed.finish().map(drop)
        }),
        "taxi.csv" => {
            let sums = whole(folder, name, |file| taxi_text(rows, file))?;
            whole(folder, "taxi.sums", |file| write!(file, "{sums}"))
        }
        "quoted.csv" => {
            let sums = whole(folder, name, |file| quoted_text(rows, file))?;
            whole(folder, "quoted.sums", |file| write!(file, "{sums}"))
        }
        _ => Err(io::Error::other("there is no such set of data")),
    }
}

/// Writes a file; it has its name once all of it is there.
fn whole<T>(
    folder: &Path,
    name: &str,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>,
) -> io::Result<T> {
    let begun = folder.join(format!("{name}.begun"));
    let mut file = BufWriter::with_capacity(FLUSH_BYTES, File::create(&begun)?);
    let written = write(&mut file)?;
    file.flush()?;
    fs::rename(begun, folder.join(name))?;
    Ok(written)
}

#[derive(Clone, Copy)]
enum Text {
    Csv,
    Json,
}

fn lineitem_text(rows: u64, kind: Text, file: &mut dyn Write) -> io::Result<Sums> {
    let mut source = lineitem::Rows::default();
    let mut sums = Sums::default();
    let header = matches!(kind, Text::Csv).then_some(&lineitem::COLUMNS[..]);
    write_rows(rows, header, file, |text| {
        let row = source.next_row();
        sums.add_lineitem(&row);
        match kind {
            Text::Csv => row.write_csv(text),
            Text::Json => row.write_json(text),
        }
    })?;
    Ok(sums)
}

fn taxi_text(rows: u64, file: &mut dyn Write) -> io::Result<Sums> {
    let mut trips = taxi::Trips::default();
    let mut sums = Sums::default();
    write_rows(rows, Some(&taxi::COLUMNS), file, |text| {
        let trip = trips.next_trip();
        sums.add_taxi(&trip);
        trip.write_csv(text)
    })?;
    Ok(sums)
}

fn quoted_text(rows: u64, file: &mut dyn Write) -> io::Result<Sums> {
    let mut reviews = quoted::Reviews::default();
    let mut sums = Sums::default();
    write_rows(rows, Some(&quoted::COLUMNS), file, |text| {
        let review = reviews.next_review();
        sums.add_review(&review);
        review.write_csv(text)
    })?;
    Ok(sums)
}

/// The rows of one set, spread over files in their order.
fn write_parts(folder: &Path, rows: u64, files: u64) -> io::Result<()> {
    let parts = folder.join(format!("lineitem-{files}"));
    let begun = folder.join(format!("lineitem-{files}.begun"));
    fs::create_dir_all(&begun)?;
    let mut source = lineitem::Rows::default();
    for part in 0..files {
        let of_part = rows * (part + 1) / files - rows * part / files;
        whole(&begun, &format!("part-{part:04}.csv"), |file| {
            write_rows(of_part, Some(&lineitem::COLUMNS), file, |text| {
                source.next_row().write_csv(text)
            })
        })?;
    }
    fs::rename(begun, parts)
}

fn write_rows(
    rows: u64,
    header: Option<&[&str]>,
    file: &mut dyn Write,
    mut row: impl FnMut(&mut String) -> fmt::Result,
) -> io::Result<()> {
    let mut text = String::with_capacity(2 * FLUSH_BYTES);
    if let Some(names) = header {
        text.push_str(&names.join(","));
        text.push('\n');
    }
    for _ in 0..rows {
        row(&mut text).map_err(io::Error::other)?;
        if text.len() > FLUSH_BYTES {
            file.write_all(text.as_bytes())?;
            text.clear();
        }
    }
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_many_files_are_those_of_one() {
        let folder = tempfile::tempdir().unwrap();
        write_one(folder.path(), 10, "lineitem-3").unwrap();
        let mut rows = String::new();
        for part in 0..3 {
            let name = format!("lineitem-3/part-{part:04}.csv");
            let text = fs::read_to_string(folder.path().join(name)).unwrap();
            rows.push_str(text.split_once('\n').unwrap().1);
        }
        assert_eq!(rows, lineitem::csv(10).split_once('\n').unwrap().1);
    }

    #[test]
    fn sums_lie_beside_the_rows_and_count_them() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["lineitem.csv", "taxi.csv", "quoted.csv"] {
            write_one(folder.path(), 10, name).unwrap();
            let sums = name.replace("csv", "sums");
            let sums = fs::read_to_string(folder.path().join(sums)).unwrap();
            assert!(sums.starts_with("10|"), "{sums}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count() % 2, 0);
        }
    }
}
