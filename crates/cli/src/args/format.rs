//! Options that say what files look like: the keys of `format`, spelled for
//! the command line.

use clap::{ArgAction, Args};
use decant::config::typed::{
    DecimalMark, Delimiter, FLATTEN_SEPARATOR, FlattenLevels, Format, HeaderRows, JsonOrient, Mark,
    Size, ThousandsMark, Widths,
};
use decant::core::stream::Flatten;

use super::stream::{texts, word};
use super::switch;

#[derive(Args)]
#[command(next_help_heading = "Format (detected, unless given)")]
pub(super) struct FormatArgs {
    /// auto, csv, tsv, json, parquet or another [default: auto]
    #[arg(long, value_name = "FORMAT", env = "DECANT_FORMAT")]
    format: Option<String>,
    /// How files are compressed, where that cannot be seen: brotli
    #[arg(long, value_name = "NAME", env = "DECANT_COMPRESSION")]
    compression: Option<String>,
    /// The encoding, such as utf-8, windows-1252 or utf-16le
    #[arg(long, value_name = "NAME", env = "DECANT_ENCODING")]
    encoding: Option<String>,
    /// Repair ragged rows and stray quotes, and count every repair
    #[arg(long, env = "DECANT_LENIENT", value_parser = switch(), action = ArgAction::SetTrue)]
    pub(super) lenient: bool,
    /// Separates fields: one character or several, or tab, comma, semicolon,
    /// pipe, space
    #[arg(long, value_name = "TEXT", env = "DECANT_DELIMITER", allow_hyphen_values = true)]
    delimiter: Option<Delimiter>,
    /// Encloses fields: one character, or none
    #[arg(long, value_name = "CHAR", env = "DECANT_QUOTE")]
    quote: Option<Mark>,
    /// Escapes a quote inside a quoted field; none: it is doubled
    #[arg(long, value_name = "CHAR", env = "DECANT_ESCAPE")]
    escape: Option<Mark>,
    /// Starts a line that is not data, or none
    #[arg(long, value_name = "CHAR", env = "DECANT_COMMENT", allow_hyphen_values = true)]
    comment: Option<Mark>,
    /// The first row is data, not names
    #[arg(long, env = "DECANT_NO_HEADER", value_parser = switch(), action = ArgAction::SetTrue)]
    no_header: bool,
    /// How many rows name the columns
    #[arg(long, value_name = "N", env = "DECANT_HEADER_ROWS", conflicts_with = "no_header")]
    header_rows: Option<HeaderRows>,
    /// Lines to pass over before the header
    #[arg(long, value_name = "N", env = "DECANT_SKIP_ROWS")]
    skip_rows: Option<u64>,
    /// Rows to leave out at the end: totals, footers
    #[arg(long, value_name = "N", env = "DECANT_SKIP_FOOTER")]
    skip_footer: Option<u64>,
    /// A word that means NULL when it stands without quotes; may be given
    /// several times [default: nothing between two delimiters]
    #[arg(long, value_name = "WORD", env = "DECANT_NULL_VALUE", value_delimiter = '\n')]
    #[arg(allow_hyphen_values = true)]
    null_value: Vec<String>,
    /// Between whole and fraction of a number: . or ,
    #[arg(long, value_name = "CHAR", env = "DECANT_DECIMAL")]
    decimal: Option<DecimalMark>,
    /// Between groups of three digits: , . ' space, nbsp or none
    #[arg(long, value_name = "CHAR", env = "DECANT_THOUSANDS")]
    thousands: Option<ThousandsMark>,
    /// Widths of the columns of fixed-width text, in characters, such as 4,10,6
    #[arg(long, value_name = "N,N", env = "DECANT_WIDTHS")]
    widths: Option<Widths>,
    /// Where the rows stand in a JSON document, as a JSON pointer, such as /data
    #[arg(long, value_name = "POINTER", env = "DECANT_RECORDS_PATH")]
    records_path: Option<String>,
    /// Levels of nested objects that become columns of their own [default: 0]
    #[arg(long, value_name = "N", env = "DECANT_FLATTEN")]
    flatten: Option<u32>,
    /// Between the names of the levels [default: _]
    #[arg(long, value_name = "TEXT", env = "DECANT_FLATTEN_SEPARATOR", requires = "flatten")]
    flatten_separator: Option<String>,
    /// How a JSON document holds its rows, in pandas' words
    #[arg(long, value_name = "HOW", env = "DECANT_JSON_ORIENT")]
    #[arg(value_parser = word::<JsonOrient>(JsonOrient::WORDS, JsonOrient::LATER))]
    json_orient: Option<JsonOrient>,
    /// The element that is a row of an XML document
    #[arg(long, value_name = "NAME", env = "DECANT_ROW_ELEMENT")]
    row_element: Option<String>,
    /// The sheet of a workbook [default: the first]
    #[arg(long, value_name = "NAME", env = "DECANT_SHEET")]
    sheet: Option<String>,
    /// The cells of a sheet, such as B2:F100 [default: what is used]
    #[arg(long, value_name = "CELLS", env = "DECANT_RANGE")]
    range: Option<String>,
    /// The longest row, such as 16MiB
    #[arg(long, value_name = "SIZE", env = "DECANT_RECORD_BYTES_MAX")]
    record_bytes_max: Option<Size>,
    /// The largest file after decompression, such as 100GB
    #[arg(long, value_name = "SIZE", env = "DECANT_DECOMPRESSED_BYTES_MAX")]
    decompressed_bytes_max: Option<Size>,
    /// Most bytes after decompression for each byte before
    #[arg(long, value_name = "N", env = "DECANT_DECOMPRESSION_RATIO_MAX")]
    decompression_ratio_max: Option<u64>,
}

impl FormatArgs {
    /// What was typed; `None` where nothing was.
    pub(super) fn typed(&self) -> Option<Format> {
        let separator = self.flatten_separator.as_deref().unwrap_or(FLATTEN_SEPARATOR);
        let flatten = |depth| FlattenLevels(Flatten { depth, separator: separator.to_owned() });
        let typed = Format {
            name: self.format.clone(),
            compression: self.compression.clone(),
            encoding: self.encoding.clone(),
            lenient: self.lenient.then_some(true),
            delimiter: self.delimiter.clone(),
            quote: self.quote,
            escape: self.escape,
            comment: self.comment,
            header: self.header_rows.or(self.no_header.then_some(HeaderRows(0))),
            skip_rows: self.skip_rows,
            skip_footer: self.skip_footer,
            null_values: texts(&self.null_value),
            decimal: self.decimal,
            thousands: self.thousands,
            widths: self.widths.clone(),
            records_path: self.records_path.clone(),
            flatten: self.flatten.map(flatten),
            json_orient: self.json_orient,
            row_element: self.row_element.clone(),
            sheet: self.sheet.clone(),
            range: self.range.clone(),
            record_bytes_max: self.record_bytes_max,
            decompressed_bytes_max: self.decompressed_bytes_max,
            decompression_ratio_max: self.decompression_ratio_max,
        };
        (typed != Format::default()).then_some(typed)
    }
}
