//! The formats that decant knows, and which one a file is.

use decant_core::format::Format;
use decant_core::stream::FormatOptions;
use decant_core::{Error, ErrorKind, Result};

use crate::arrow_ipc::ArrowIpcFormat;
use crate::avro::AvroFormat;
use crate::compression::{Compression, Unpacking};
use crate::csv::CsvFormat;
use crate::excel::ExcelFormat;
use crate::file_format::{Expected, FileFormat};
use crate::json::JsonFormat;
use crate::parquet::ParquetFormat;
use crate::xml::XmlFormat;

/// A kind of file.
pub struct FormatEntry {
    /// What `--format` calls it.
    pub name: &'static str,
    /// Endings of file names, without the dot, in lower case.
    pub extensions: &'static [&'static str],
    /// How it reads a file: what reads in order is given decompressed bytes.
    pub(crate) reads: Reads,
    /// Whether its files are no text.
    pub(crate) is_binary: bool,
    /// Makes the format with a stream's options.
    pub open: Open,
}

/// How a format reads its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    /// From the first byte to the last.
    InOrder,
    /// Here and there.
    Ranges,
}

/// Makes a format with a stream's options.
type Open = fn(&FormatOptions) -> Result<Box<dyn Format>>;

/// Bytes that a compressed file may take in memory when its format reads
/// ranges and nobody gave it more.
const UNPACKED_BYTES_MAX: u64 = 64 << 20;

/// Endings of files that are certainly not delimiter-separated text.
const FOREIGN: [&str; 11] =
    ["orc", "html", "yaml", "yml", "pdf", "zip", "tar", "tgz", "7z", "sqlite", "db"];

/// An ending that says no more than that there is text.
const TEXT: &str = "txt";

/// Other names of formats.
const ALIASES: [(&str, &str); 2] = [("fixed-width", "fwf"), ("fixed_width", "fwf")];

static FORMATS: [FormatEntry; 16] = [
    in_order("csv", &["csv", "txt"], |options| open(b',', options)),
    in_order("tsv", &["tsv", "tab"], |options| open(b'\t', options)),
    in_order("psv", &["psv"], |options| open(b'|', options)),
    in_order("fwf", &["fwf"], open_fixed_width),
    in_order("json", &["json", "geojson"], open_json),
    in_order("jsonl", &["jsonl", "ndjson"], open_json_lines),
    in_order("json-records", &[], open_json),
    in_order("json-values", &[], open_json),
    in_order("json-split", &[], open_json),
    in_order("json-index", &[], open_json),
    in_order("json-columns", &[], open_json),
    by_ranges("parquet", &["parquet", "pq", "parq"], |o| Ok(Box::new(ParquetFormat::new(o)))),
    binary("avro", &["avro"], |options| Ok(Box::new(AvroFormat::new(options)))),
    binary("arrow", &["arrow", "arrows", "feather", "ipc"], |options| {
        Ok(Box::new(ArrowIpcFormat::new(options)))
    }),
    by_ranges("excel", &["xlsx", "xlsm", "xlsb", "xls", "ods"], |options| {
        Ok(Box::new(ExcelFormat::new(options)?))
    }),
    in_order("xml", &["xml"], |options| Ok(Box::new(XmlFormat::new(options)?))),
];

const fn in_order(
    name: &'static str,
    extensions: &'static [&'static str],
    open: Open,
) -> FormatEntry {
    FormatEntry { name, extensions, reads: Reads::InOrder, is_binary: false, open }
}

const fn binary(
    name: &'static str,
    extensions: &'static [&'static str],
    open: Open,
) -> FormatEntry {
    FormatEntry { name, extensions, reads: Reads::InOrder, is_binary: true, open }
}

const fn by_ranges(
    name: &'static str,
    extensions: &'static [&'static str],
    open: Open,
) -> FormatEntry {
    FormatEntry { name, extensions, reads: Reads::Ranges, is_binary: true, open }
}

/// Every format.
pub fn formats() -> &'static [FormatEntry] {
    &FORMATS
}

/// The format of the file called `name` (a key or a path): the one that
/// `options` name, else what its first bytes say, else the one of its ending,
/// compression aside. Where nothing says anything it is read as CSV. Whatever
/// it is, it sees the file decompressed.
///
/// Errors: `InvalidConfig` for an unknown format or compression, or options in
/// conflict; `Unsupported` for a file whose ending promises something else.
pub fn for_file(name: &str, options: &FormatOptions) -> Result<Box<dyn Format>> {
    let expected = match options.name.as_deref() {
        None | Some("auto") => by_ending(name)?.map_or(Expected::Nothing, Expected::Ending),
        Some(format) => Expected::Named(by_name(format)?),
    };
    // Options in conflict are refused before the file is opened.
    let usual = match expected {
        Expected::Named(entry) | Expected::Ending(entry) => entry,
        Expected::Nothing => &FORMATS[0],
    };
    (usual.open)(options)?;
    let compression = compression(name);
    let mut unpacking = Unpacking::of(options)?;
    let promised = compression.is_some() || unpacking.named.is_some();
    unpacking.named = unpacking.named.or(compression.filter(|told| *told == Compression::Brotli));
    Ok(Box::new(FileFormat {
        expected,
        options: FormatOptions {
            name: options.name.clone().filter(|name| name != "auto"),
            ..options.clone()
        },
        unpacking,
        promised,
        memory_bytes: options.memory_bytes.unwrap_or(UNPACKED_BYTES_MAX),
    }))
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

/// The format that somebody called `name`.
pub(crate) fn by_name(name: &str) -> Result<&'static FormatEntry> {
    let alias = ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name));
    let name = alias.map_or(name, |(_, name)| name);
    let known = |entry: &&FormatEntry| entry.name.eq_ignore_ascii_case(name);
    FORMATS.iter().find(known).ok_or_else(|| {
        let names: Vec<&str> = FORMATS.iter().map(|entry| entry.name).collect();
        Error::new(ErrorKind::InvalidConfig, format!("there is no format `{name}`"))
            .with_hint(format!("choose one of auto, {}", names.join(", ")))
    })
}

/// The format that the ending of `name` promises, if it says anything.
fn by_ending(name: &str) -> Result<Option<&'static FormatEntry>> {
    let Some(ending) = ending(name).filter(|ending| ending != TEXT) else { return Ok(None) };
    let known = FORMATS.iter().find(|entry| entry.extensions.contains(&ending.as_str()));
    if known.is_none() && FOREIGN.contains(&ending.as_str()) {
        let message = format!("decant cannot read `.{ending}` files");
        return Err(Error::new(ErrorKind::Unsupported, message)
            .with_hint("if it is delimited text all the same, say so with `--format csv`"));
    }
    Ok(known)
}

/// The ending that says what is in a file, in lower case.
fn ending(name: &str) -> Option<String> {
    endings(name).find(|ending| Compression::of_ending(ending).is_none())
}

/// The compression that the name's last ending promises.
fn compression(name: &str) -> Option<Compression> {
    endings(name).next().and_then(|ending| Compression::of_ending(&ending))
}

/// The endings of a name, from the last to the first, in lower case.
fn endings(name: &str) -> impl Iterator<Item = String> {
    let name = name.rsplit('/').next().unwrap_or(name);
    let count = name.matches('.').count();
    name.rsplit('.').take(count).map(str::to_ascii_lowercase)
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
            ("orders.psv.br", "psv"),
            ("orders.tsv.bz2", "tsv"),
            ("orders.tsv.xz", "tsv"),
            ("orders.tsv.lz4", "tsv"),
            ("orders.tsv.sz", "tsv"),
            ("orders.tsv.snappy", "tsv"),
            (".gz", ""),
            ("orders.tab", "tsv"),
            ("orders.psv", "psv"),
            ("notes.txt", ""),
            ("part-0000", ""),
            ("part-0000.gz", ""),
            ("v1.json/part-0000", ""),
            ("orders.json", "json"),
            ("orders.ndjson.gz", "jsonl"),
            ("orders.2024-01-31", ""),
        ] {
            assert_eq!(by_ending(name).unwrap().map_or("", |entry| entry.name), format, "{name}");
        }
    }

    #[test]
    fn files_that_promise_another_format_are_refused_with_a_cure() {
        for name in ["a.orc", "a.zip", "a.html.gz"] {
            let error = for_file(name, &FormatOptions::default()).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{name}");
            assert!(error.hint().unwrap().contains("--format csv"));
        }
    }

    #[test]
    fn a_compression_that_does_not_exist_is_refused() {
        let options = FormatOptions { compression: Some("rar".into()), ..Default::default() };
        let error = for_file("a.csv", &options).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        assert!(error.hint().unwrap().contains("brotli"));
    }

    #[test]
    fn a_format_that_is_named_beats_the_ending() {
        let named = |name: &str| FormatOptions { name: Some(name.into()), ..Default::default() };
        assert!(for_file("a.parquet", &named("csv")).is_ok());
        assert!(for_file("a.csv", &named("auto")).is_ok());
        assert!(for_file("a.csv", &named("json-split")).is_ok());
        let error = for_file("a.csv", &named("cvs")).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        assert!(
            error.hint().unwrap().starts_with("choose one of auto, csv, tsv, psv, fwf, json, ")
        );
    }
}
