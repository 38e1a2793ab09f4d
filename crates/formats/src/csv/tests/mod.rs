//! Files in, rows out: every file is decoded with blocks and chunks of several
//! sizes, which must make no difference.

mod corpus;
mod documented;
mod encodings;
mod fixed_width;
mod lenient;
mod oracle;
mod pieces;
mod places;
mod positions;
mod sampling;
mod tables;
mod typed;

use arrow_array::{Array, ArrayRef, cast::AsArray};
use decant_core::format::{
    DecodedBatch, FileColumns, Format, Piece, PlacesWanted, Receiver, RepairKind, SampleLimits,
    Target, Wishes,
};
use decant_core::reject::Reason;
use decant_core::schema::ColumnType;
use decant_core::stream::{FormatOptions, Header, Mark};
use decant_core::{Reject, Result};

use super::CsvFormat;
use crate::testing::Chunks;

fn exact(column_type: ColumnType) -> Target {
    Target::new(column_type, true)
}

type SeenRepair = (u64, RepairKind, Vec<String>, Option<Box<Reject>>);

/// Everything that came out of a file.
#[derive(Debug, Default)]
struct Decoded {
    columns: Option<FileColumns>,
    arrays: Vec<Vec<ArrayRef>>,
    rejects: Vec<Reject>,
    rows_read: u64,
    bytes: u64,
    /// Ordinal, line, byte and raw text of each good row.
    places: Vec<(u64, u64, u64, String)>,
    /// Ordinal of the row, what was done, what was cut off, and the raw row.
    repairs: Vec<SeenRepair>,
    /// Ordinal of the row, column and value.
    rescued: Vec<(u64, usize, String)>,
    notes: Vec<String>,
}

struct Collector<'t> {
    targets: &'t dyn Fn(usize) -> Option<Target>,
    decoded: Decoded,
}

impl Receiver for Collector<'_> {
    fn columns(&mut self, columns: &FileColumns) -> Result<Wishes> {
        assert!(self.decoded.columns.replace(columns.clone()).is_none());
        let targets = (0..columns.names.len()).map(self.targets).collect();
        Ok(Wishes { targets, places: PlacesWanted::Raw })
    }

    fn batch(&mut self, decoded: DecodedBatch) -> Result<()> {
        assert_eq!(
            decoded.rows_read,
            decoded.batch.num_rows() as u64 + decoded.rejects.len() as u64
        );
        assert!(decoded.rows_read > 0 && decoded.batch.num_rows() <= 16_384);
        let places = &decoded.places;
        assert_eq!(places.ordinals.len(), decoded.batch.num_rows());
        for repair in decoded.repairs {
            let ordinal = places.ordinals[repair.row];
            self.decoded.repairs.push((ordinal, repair.kind, repair.cut, repair.kept));
        }
        for rescued in decoded.rescued {
            let ordinal = places.ordinals[rescued.row];
            self.decoded.rescued.push((ordinal, rescued.column, rescued.value));
        }
        for row in 0..places.ordinals.len() {
            let reject = places.reject(row, Reason::Database, String::new());
            let raw = String::from_utf8_lossy(&reject.raw).into_owned();
            let (line, byte) = (reject.line.unwrap(), reject.byte_offset.unwrap());
            self.decoded.places.push((reject.ordinal, line, byte, raw));
        }
        self.decoded.arrays.push(decoded.batch.columns().to_vec());
        self.decoded.rejects.extend(decoded.rejects);
        self.decoded.rows_read += decoded.rows_read;
        self.decoded.bytes += decoded.bytes_decoded;
        Ok(())
    }

    fn note(&mut self, note: String) {
        self.decoded.notes.push(note);
    }
}

impl Decoded {
    /// The rows as text; `None` is NULL.
    fn rows(&self) -> Vec<Vec<Option<String>>> {
        let text = |array: &ArrayRef, row| {
            let array = array.as_string::<i32>();
            array.is_valid(row).then(|| array.value(row).to_owned())
        };
        let batch_rows = |batch: &Vec<ArrayRef>| batch.first().map_or(0, |array| array.len());
        let row_of =
            |batch: &Vec<ArrayRef>, row| batch.iter().map(|array| text(array, row)).collect();
        let of_batch = |batch| (0..batch_rows(batch)).map(move |row| row_of(batch, row));
        self.arrays.iter().flat_map(of_batch).collect()
    }

    fn names(&self) -> Vec<&str> {
        self.columns.iter().flat_map(|columns| &columns.names).map(String::as_str).collect()
    }
}

fn decode_with(
    file: &[u8],
    options: &FormatOptions,
    targets: &dyn Fn(usize) -> Option<Target>,
    sizes: (usize, usize),
) -> Result<Decoded> {
    let (block_bytes, chunk_bytes) = sizes;
    let format = CsvFormat { block_bytes, ..CsvFormat::new(b',', options)? };
    let mut collector = Collector { targets, decoded: Decoded::default() };
    let mut input = Chunks::new(file, chunk_bytes);
    let piece = Piece::whole(file.len() as u64);
    format.decode(&piece, &mut input, &mut collector)?;
    Ok(collector.decoded)
}

/// Decodes every column as text, in blocks and chunks of all sizes.
fn decode(file: impl AsRef<[u8]>, options: &FormatOptions) -> Decoded {
    let file = file.as_ref();
    let whole =
        decode_with(file, options, &|_| Some(exact(ColumnType::Text)), (1 << 20, 1 << 20)).unwrap();
    for sizes in [(1, 1), (5, 3), (16, 7), (64, 1 << 20)] {
        let pieces = decode_with(file, options, &|_| Some(exact(ColumnType::Text)), sizes).unwrap();
        assert_eq!(pieces.columns, whole.columns, "{sizes:?}");
        assert_eq!(pieces.rows(), whole.rows(), "{sizes:?}");
        assert_eq!(pieces.rejects, whole.rejects, "{sizes:?}");
        assert_eq!(pieces.rows_read, whole.rows_read, "{sizes:?}");
        assert_eq!(pieces.places, whole.places, "{sizes:?}");
        assert_eq!(pieces.repairs, whole.repairs, "{sizes:?}");
        assert_eq!(pieces.rescued, whole.rescued, "{sizes:?}");
        assert_eq!(pieces.notes, whole.notes, "{sizes:?}");
    }
    assert_eq!(whole.rows_read, (whole.rows().len() + whole.rejects.len()) as u64);
    let few = [1, 9, 40].into_iter().filter(|_| file.len() < 200);
    for piece_bytes in few.chain([file.len() as u64 / 3 + 1]) {
        pieces::check_in_pieces(file, options, piece_bytes, &whole);
    }
    whole
}

/// Asserts the rows, written with `|` between fields and `~` for NULL.
fn check(file: impl AsRef<[u8]>, options: &FormatOptions, expected: &[&str]) -> Decoded {
    let decoded = decode(file, options);
    let line = |row: &Vec<Option<String>>| {
        let fields: Vec<&str> = row.iter().map(|field| field.as_deref().unwrap_or("~")).collect();
        fields.join("|")
    };
    assert_eq!(decoded.rows().iter().map(line).collect::<Vec<_>>(), expected);
    decoded
}

fn plain() -> FormatOptions {
    FormatOptions::default()
}

#[test]
fn line_ends_are_mixed_as_they_come() {
    check("a,b\n1,2\r\n3,4\r5,6", &plain(), &["1|2", "3|4", "5|6"]);
    check("a,b\r1,2\r\r\n3,4\r", &plain(), &["1|2", "3|4"]);
    check("a\r\n\"x\r\ny\rz\n\"\r\n", &plain(), &["x\r\ny\rz\n"]);
}

#[test]
fn a_file_without_rows_has_none() {
    for file in ["", "\u{feff}", "\n", "\r\n\r\n"] {
        let decoded = check(file, &plain(), &[]);
        assert_eq!(decoded.columns, None, "{file:?}");
    }
    let comments = FormatOptions { comment: Some(Mark::Byte(b'#')), ..plain() };
    assert_eq!(check("# one\n#two", &comments, &[]).columns, None);
    let decoded = check("a,b", &plain(), &[]);
    assert_eq!(decoded.names(), ["a", "b"]);
    assert!(decoded.arrays.is_empty());
}

#[test]
fn names_are_trimmed_and_invented_where_there_are_none() {
    let decoded = check("\u{feff} id ,,\"a \"\"b\"\" \",id\n1,2,3, 4 \n", &plain(), &["1|2|3| 4 "]);
    assert_eq!(decoded.names(), ["id", "column_2", "a \"b\"", "id"]);
    let headless = FormatOptions { header: Some(Header::None), ..plain() };
    let decoded = check("1,2\n3,4\n", &headless, &["1|2", "3|4"]);
    assert_eq!(decoded.names(), ["column_1", "column_2"]);
    assert!(!decoded.columns.unwrap().named);
}

#[test]
fn blank_lines_are_rows_only_where_they_can_be_a_null() {
    check("a,b\n\n1,2\n\r\n\n3,4\n\n", &plain(), &["1|2", "3|4"]);
    check("a\n1\n\n\"\"\n2\n\n", &plain(), &["1", "~", "", "2", "~"]);
}

#[test]
fn the_empty_field_is_null_and_the_empty_string_is_not() {
    check("a,b,c\n,\"\",\n", &plain(), &["~||~"]);
    let words = |words: &[&str]| FormatOptions {
        null_values: Some(words.iter().map(|word| (*word).into()).collect()),
        ..plain()
    };
    check("a,b,c\nNA,\"NA\",\n", &words(&["NA"]), &["~|NA|"]);
    check("a,b,c\nNA,NULL,\n", &words(&["NA", "NULL", ""]), &["~|~|~"]);
}

#[test]
fn options_change_the_dialect() {
    let semicolons =
        FormatOptions { delimiter: Some(";".into()), quote: Some(Mark::Byte(b'\'')), ..plain() };
    check("a;b\n'x;''y';\"z,\n", &semicolons, &["x;'y|\"z,"]);
    let unquoted = FormatOptions { quote: Some(Mark::Off), ..plain() };
    check("a,b\n\"x,5\" pipe\n", &unquoted, &["\"x|5\" pipe"]);
    let escaped = FormatOptions { escape: Some(Mark::Byte(b'\\')), ..plain() };
    check("a,b\n\"x \\\"y\\\"\\\\\",\"\\n\"\n", &escaped, &["x \"y\"\\|\\n"]);
    let comments = FormatOptions { comment: Some(Mark::Byte(b'#')), ..plain() };
    check("#\"\na,b\n# 1,2\n3,#4\n", &comments, &["3|#4"]);
    let skipping = FormatOptions { skip_rows: Some(2), ..plain() };
    check("report \"of\r\ntoday\na,b\n1,2\n", &skipping, &["1|2"]);
    assert_eq!(check("one\ntwo", &skipping, &[]).columns, None);
}

#[test]
fn bytes_are_counted_once() {
    for file in ["\u{feff}a,b\n1,2\n\"3\n\",4", "a,b\r\n1\r\n\r\n1,2\r\n"] {
        for sizes in [(1 << 20, 1 << 20), (1, 1), (7, 3)] {
            let decoded =
                decode_with(file.as_bytes(), &plain(), &|_| Some(exact(ColumnType::Text)), sizes)
                    .unwrap();
            assert_eq!(decoded.bytes, file.len() as u64, "{file:?} {sizes:?}");
        }
    }
}

#[test]
fn columns_that_are_not_wanted_are_left_out() {
    let file = b"a,b,c\n1,x,3\n4,\xff,6\n";
    let decoded = decode_with(
        file,
        &plain(),
        &|column| (column != 1).then_some(exact(ColumnType::Text)),
        (64, 64),
    )
    .unwrap();
    assert_eq!(decoded.rows().len(), 2);
    assert!(decoded.rejects.is_empty());
    let none = decode_with(file, &plain(), &|_| None, (64, 64)).unwrap();
    assert_eq!((none.rows_read, none.rejects.len()), (2, 0));
}

#[test]
fn a_file_of_many_blocks_and_batches_is_whole() {
    let mut file = String::from("id,name\n");
    for row in 0..100_000 {
        file.push_str(&format!("{row},\"name, {row}\"\n"));
    }
    let decoded = decode_with(
        file.as_bytes(),
        &plain(),
        &|_| Some(exact(ColumnType::Text)),
        (1 << 20, 100_000),
    )
    .unwrap();
    let rows = decoded.rows();
    assert_eq!(rows.len(), 100_000);
    for (row, fields) in rows.iter().enumerate() {
        assert_eq!(fields, &[Some(row.to_string()), Some(format!("name, {row}"))]);
    }
    assert_eq!(decoded.bytes, file.len() as u64);
}

#[test]
fn semicolons_are_found_where_nobody_named_a_delimiter() {
    let names = |options: FormatOptions| {
        let format = CsvFormat::new(b',', &options).unwrap();
        let mut input = Chunks::new(b"id;name\n1;a\n", 3);
        format.sample(&mut input, SampleLimits::default()).unwrap().columns.names
    };
    assert_eq!(names(FormatOptions::default()), ["id", "name"]);
    let told = FormatOptions { delimiter: Some(",".into()), ..FormatOptions::default() };
    assert_eq!(names(told), ["id;name"]);
}

#[test]
fn what_is_no_text_is_refused_by_what_it_is() {
    for (file, what) in [
        (&b"PAR1\x15\x04\x15\x0a1,2\n"[..], "a Parquet file"),
        (b"PK\x03\x04\x14\0", "a zip archive"),
    ] {
        let error =
            decode_with(file, &plain(), &|_| Some(exact(ColumnType::Text)), (64, 64)).unwrap_err();
        assert_eq!(error.kind(), decant_core::ErrorKind::Unsupported);
        assert!(error.message().contains(what), "{error}");
    }
    let header =
        decode_with(b"PAR1,b\n1,2\n", &plain(), &|_| Some(exact(ColumnType::Text)), (64, 64));
    assert!(header.is_ok());
}

#[test]
fn a_header_that_cannot_be_read_fails_the_file() {
    for file in [&b"a,\"b\n1,2\n"[..], b"a,\xff\n1,2\n", b"a,b\"c\n"] {
        let error =
            decode_with(file, &plain(), &|_| Some(exact(ColumnType::Text)), (64, 64)).unwrap_err();
        assert_eq!(error.kind(), decant_core::ErrorKind::MalformedFile);
        assert_eq!(error.position().unwrap().line, Some(1));
    }
}
