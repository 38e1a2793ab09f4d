//! The formats that decant knows, and which one a file is.

use decant_core::format::Format;
use decant_core::stream::FormatOptions;
use decant_core::{Error, ErrorKind, Result};

use crate::arrow_ipc::ArrowIpcFormat;
use crate::avro::AvroFormat;
use crate::csv::CsvFormat;
use crate::json::JsonFormat;
use crate::excel::ExcelFormat;
use crate::parquet::ParquetFormat;

/// A kind of file.
pub struct FormatEntry {
    /// What `--format` calls it.
    pub name: &'static str,
    /// Endings of file names, without the dot, in lower case.
    pub extensions: &'static [&'static str],
    /// Makes the format with a stream's options.
    pub open: fn(&FormatOptions) -> Result<Box<dyn Format>>,
}

/// Endings that say how a file is compressed, not what is in it.
const COMPRESSIONS: [&str; 4] = ["gz", "gzip", "zst", "zstd"];

/// Endings of files that are certainly not delimiter-separated text.
const FOREIGN: [&str; 14] = [
    "orc", "xml", "html", "yaml", "yml", "pdf", "zip", "tar", "tgz", "7z", "bz2", "xz", "sqlite",
    "db",
];

/// Other names of formats.
const ALIASES: [(&str, &str); 2] = [("fixed-width", "fwf"), ("fixed_width", "fwf")];

static FORMATS: [FormatEntry; 15] = [
    FormatEntry { name: "csv", extensions: &["csv", "txt"], open: |options| open(b',', options) },
    FormatEntry { name: "tsv", extensions: &["tsv", "tab"], open: |options| open(b'\t', options) },
    FormatEntry { name: "psv", extensions: &["psv"], open: |options| open(b'|', options) },
    FormatEntry { name: "fwf", extensions: &["fwf"], open: open_fixed_width },
    FormatEntry { name: "json", extensions: &["json", "geojson"], open: open_json },
    FormatEntry { name: "jsonl", extensions: &["jsonl", "ndjson"], open: open_json_lines },
    FormatEntry { name: "json-records", extensions: &[], open: open_json },
    FormatEntry { name: "json-values", extensions: &[], open: open_json },
    FormatEntry { name: "json-split", extensions: &[], open: open_json },
    FormatEntry { name: "json-index", extensions: &[], open: open_json },
    FormatEntry { name: "json-columns", extensions: &[], open: open_json },
    FormatEntry {
        name: "parquet",
        extensions: &["parquet", "pq", "parq"],
        open: |options| Ok(Box::new(ParquetFormat::new(options))),
    },
    FormatEntry {
        name: "avro",
        extensions: &["avro"],
        open: |options| Ok(Box::new(AvroFormat::new(options))),
    },
    FormatEntry {
        name: "arrow",
        extensions: &["arrow", "arrows", "feather", "ipc"],
        open: |options| Ok(Box::new(ArrowIpcFormat::new(options))),
    },
    FormatEntry {
        name: "excel",
        extensions: &["xlsx", "xlsm", "xlsb", "xls", "ods"],
        open: |options| Ok(Box::new(ExcelFormat::new(options)?)),
    },
];

/// Every format.
pub fn formats() -> &'static [FormatEntry] {
    &FORMATS
}

/// The format of the file called `name` (a key or a path): the one that
/// `options` name, else the one of its ending, compression aside. A file
/// without an ending that says anything is read as CSV.
///
/// Errors: `InvalidConfig` for an unknown format or options in conflict;
/// `Unsupported` for a file whose ending promises something else.
pub fn for_file(name: &str, options: &FormatOptions) -> Result<Box<dyn Format>> {
    let entry = match options.name.as_deref() {
        None | Some("auto") => by_ending(name)?,
        Some(format) => by_name(format)?,
    };
    (entry.open)(options)
}

/// The name of the format that a file of this name has by its ending; the
/// first format's where it says nothing.
pub(crate) fn name_of(file: &str) -> &'static str {
    let known = ending(file).and_then(|ending| {
        FORMATS.iter().find(|entry| entry.extensions.contains(&ending.as_str()))
    });
    known.unwrap_or(&FORMATS[0]).name
}

fn open_fixed_width(options: &FormatOptions) -> Result<Box<dyn Format>> {
    Ok(Box::new(CsvFormat::fixed_width(options)?))
}

fn open(delimiter: u8, options: &FormatOptions) -> Result<Box<dyn Format>> {
    Ok(Box::new(CsvFormat::new(delimiter, options)?))
}

fn open_json(options: &FormatOptions) -> Result<Box<dyn Format>> {
    Ok(Box::new(JsonFormat::new(options)?))
}

fn open_json_lines(options: &FormatOptions) -> Result<Box<dyn Format>> {
    Ok(Box::new(JsonFormat::lines(options)?))
}

fn by_name(name: &str) -> Result<&'static FormatEntry> {
    let alias = ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name));
    let name = alias.map_or(name, |(_, name)| name);
    let known = |entry: &&FormatEntry| entry.name.eq_ignore_ascii_case(name);
    FORMATS.iter().find(known).ok_or_else(|| {
        let names: Vec<&str> = FORMATS.iter().map(|entry| entry.name).collect();
        Error::new(ErrorKind::InvalidConfig, format!("there is no format `{name}`"))
            .with_hint(format!("choose one of auto, {}", names.join(", ")))
    })
}

fn by_ending(name: &str) -> Result<&'static FormatEntry> {
    let Some(ending) = ending(name) else { return Ok(&FORMATS[0]) };
    let known = FORMATS.iter().find(|entry| entry.extensions.contains(&ending.as_str()));
    match known {
        Some(entry) => Ok(entry),
        None if FOREIGN.contains(&ending.as_str()) => {
            let message = format!("decant cannot read `.{ending}` files");
            Err(Error::new(ErrorKind::Unsupported, message)
                .with_hint("if it is delimited text all the same, say so with `--format csv`"))
        }
        None => Ok(&FORMATS[0]),
    }
}

/// The ending that says what is in a file, in lower case.
fn ending(name: &str) -> Option<String> {
    let mut rest = name.rsplit('/').next().unwrap_or(name);
    loop {
        let (stem, ending) = rest.rsplit_once('.')?;
        let ending = ending.to_ascii_lowercase();
        if !COMPRESSIONS.contains(&ending.as_str()) {
            return Some(ending);
        }
        rest = stem;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_tell_formats_through_compression() {
        for (name, format) in [
            ("a/b/orders.csv", "csv"),
            ("orders.CSV.GZ", "csv"),
            ("orders.tsv.zst", "tsv"),
            ("orders.tab", "tsv"),
            ("orders.psv", "psv"),
            ("notes.txt", "csv"),
            ("part-0000", "csv"),
            ("part-0000.gz", "csv"),
            ("v1.json/part-0000", "csv"),
            ("orders.json", "json"),
            ("orders.ndjson.gz", "jsonl"),
            ("orders.2024-01-31", "csv"),
        ] {
            assert_eq!(by_ending(name).unwrap().name, format, "{name}");
        }
    }

    #[test]
    fn files_that_promise_another_format_are_refused_with_a_cure() {
        for name in ["a.orc", "a.zip", "a.xml.gz"] {
            let error = for_file(name, &FormatOptions::default()).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{name}");
            assert!(error.hint().unwrap().contains("--format csv"));
        }
    }

    #[test]
    fn a_format_that_is_named_beats_the_ending() {
        let named = |name: &str| FormatOptions { name: Some(name.into()), ..Default::default() };
        assert!(for_file("a.parquet", &named("csv")).is_ok());
        assert!(for_file("a.csv", &named("auto")).is_ok());
        assert!(for_file("a.csv", &named("json-split")).is_ok());
        let error = for_file("a.csv", &named("cvs")).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        assert!(error.hint().unwrap().starts_with("choose one of auto, csv, tsv, psv, fwf, json, "));
    }
}
