//! Every value survives the trip, as the database itself renders it.

use std::fmt::Write as _;

use decant_core::schema::{ColumnType, FILE_ID_COLUMN};

use super::Fixture;
use super::lists;
use super::rendering::is_same_value;
use super::stage::{Stage, assert_all_committed, rows_of_column, totals_of};
use super::tables::EVERY_TYPE;
use crate::batches;

const FLOATS_32: &[&str] = &[
    "0.0",
    "-0.0",
    "0.1",
    "1.5",
    "3.4028235e38",
    "-3.4028235e38",
    "1e-45",
    "1.1754944e-38",
    "16777217.0",
    "inf",
    "-inf",
    "NaN",
];
const FLOATS_64: &[&str] = &[
    "0.0",
    "-0.0",
    "0.1",
    "0.30000000000000004",
    "1.7976931348623157e308",
    "-1.7976931348623157e308",
    "5e-324",
    "2.2250738585072014e-308",
    "9007199254740993.0",
    "inf",
    "-inf",
    "NaN",
];
const DECIMALS: &[&str] = &[
    "0",
    "1.50",
    "-1.50",
    "12.0",
    "99999999999999999999999999999999999999",
    "-99999999999999999999999999999999999999",
    "0.00000000000000000000000000000000000001",
    "-9999999999999999999.9999999999999999999",
    "10000",
    "0.0001",
    "123456789012345",
];
const TIMESTAMPS: &[&str] = &[
    "0001-01-01 00:00:00",
    "9999-12-31 23:59:59.999999",
    "1970-01-01 00:00:00",
    "1969-12-31 23:59:59.999999",
    "2000-01-01 00:00:00",
    "2024-02-29 12:34:56.000001",
];
const TEXTS: &[&str] = &[
    "",
    " ",
    "NULL",
    "\\N",
    "\\.",
    "12.00",
    "007",
    "1e3",
    "a\tb\nc\r\nd",
    "\"'`\\;--",
    "e\u{301}",
    "\u{e9}",
    "🦀𝄞",
    "\u{feff}bom",
    "\u{1}\u{7f}\u{2028}",
    "2024-01-01",
    "true",
];

/// Values with which types fail: their ends, zero with a sign, the smallest
/// fraction, what looks like NULL and is not.
pub(super) fn samples(column_type: ColumnType) -> &'static [&'static str] {
    match column_type {
        ColumnType::Bool => &["true", "false"],
        ColumnType::Int16 => &["0", "-32768", "32767"],
        ColumnType::Int32 => &["0", "-2147483648", "2147483647"],
        ColumnType::Int64 => &["0", "-1", "-9223372036854775808", "9223372036854775807"],
        ColumnType::Float32 => FLOATS_32,
        ColumnType::Float64 => FLOATS_64,
        ColumnType::Decimal(None) => DECIMALS,
        ColumnType::Decimal(Some(bounds)) if bounds.precision == 12 => {
            &["0.00", "1.50", "-0.01", "9999999999.99", "-9999999999.99", "10000.00"]
        }
        ColumnType::Decimal(Some(_)) => &[
            "0.0000000000",
            "1.5000000000",
            "9999999999999999999999999999.9999999999",
            "-9999999999999999999999999999.9999999999",
            "-0.0000000001",
        ],
        ColumnType::Date => &["0001-01-01", "9999-12-31", "1970-01-01", "1969-12-31", "2000-02-29"],
        ColumnType::Time => &["00:00:00", "23:59:59.999999", "12:00:00.000001", "10:20:30.5"],
        ColumnType::Timestamp | ColumnType::TimestampTz => TIMESTAMPS,
        ColumnType::Uuid => &[
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "01234567-89ab-cdef-fedc-ba9876543210",
        ],
        ColumnType::Text => TEXTS,
        ColumnType::Json => &["{\"a\":[1,2.50]}", "[]", "{}", "null", "\"NULL\"", "\"🦀\"", "1"],
        ColumnType::List(element) => lists::samples(element),
        ColumnType::Binary => &["", "00", "00ff00", "5c4e", "c328", "deadbeef"],
    }
}

/// The ends of every type, NULL among them, come back by value.
pub async fn values_of_every_type_come_back(fixture: &dyn Fixture) {
    let mut complaints = String::new();
    for (name, wanted) in EVERY_TYPE.iter().copied() {
        let values: Vec<Option<&str>> = samples(wanted)
            .iter()
            .copied()
            .filter(|value| fixture.keeps(wanted, value))
            .map(Some)
            .chain([None])
            .collect();
        for (sent, found) in values.iter().zip(sent_and_found(fixture, name, wanted, &values).await)
        {
            if !is_same_value(wanted, *sent, found.as_deref()) {
                let _ = writeln!(complaints, "{wanted}: sent {sent:?}, found {found:?}");
            }
        }
    }
    assert!(complaints.is_empty(), "values changed on their way:\n{complaints}");
}

/// A text of a megabyte, every byte there is, and long bytes come back.
pub async fn long_texts_and_bytes_come_back(fixture: &dyn Fixture) {
    let long_text: String = "0123456789 é 🦀\n".chars().cycle().take(1 << 20).collect();
    let every_byte: String = (0..=255u8).map(|byte| format!("{byte:02x}")).collect();
    let long_bytes = every_byte.repeat(1 << 11);
    let cases = [
        ("long_text", ColumnType::Text, vec![Some(long_text.as_str()), Some("")]),
        ("long_bytes", ColumnType::Binary, vec![Some(every_byte.as_str()), Some(&long_bytes)]),
    ];
    for (name, column_type, values) in cases {
        let found = sent_and_found(fixture, name, column_type, &values).await;
        for (sent, found) in values.iter().zip(found) {
            let same = is_same_value(column_type, *sent, found.as_deref());
            assert!(same, "a long {column_type} came back shorter or changed");
        }
    }
}

/// Loads the values into a table of their own and reads them back in order.
pub(super) async fn sent_and_found(
    fixture: &dyn Fixture,
    name: &str,
    wanted: ColumnType,
    values: &[Option<&str>],
) -> Vec<Option<String>> {
    let columns = [("number", ColumnType::Int64), (name, wanted)];
    let stage = Stage::with(fixture, &format!("of_{name}"), batches::columns(&columns)).await;
    load_values(&stage, name, fixture.described(wanted), values).await;
    let mut rows: Vec<(usize, Option<String>)> = fixture
        .rows(&stage.table.name, &["number", name])
        .await
        .into_iter()
        .map(|mut row| {
            let value = row.pop().expect("two columns");
            let number = row.pop().flatten().expect("a number");
            (number.parse().expect("a number"), value)
        })
        .collect();
    rows.sort_by_key(|(number, _)| *number);
    let numbers: Vec<usize> = rows.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (0..values.len()).collect::<Vec<_>>(), "the rows of {wanted}");
    rows.into_iter().map(|(_, value)| value).collect()
}

/// A batch a value: each decimal then has the scale that it needs.
async fn load_values(
    stage: &Stage<'_>,
    name: &str,
    described: ColumnType,
    values: &[Option<&str>],
) {
    let files = [stage.file("values")];
    let mut load = stage.begin(&files).await;
    let mut writer = load.writer().await.expect("a writer");
    let positions = stage.positions(&["number", name, FILE_ID_COLUMN]);
    writer.start_file(files[0].id, &positions).await.expect("the file is started");
    for (number, value) in values.iter().enumerate() {
        let number = number.to_string();
        let rows = rows_of_column(&files[0], (name, described), &[Some(&number)], &[*value]);
        let written = writer.write(rows).await;
        written.unwrap_or_else(|error| panic!("{described} {value:?}: {}", error.chain()));
    }
    let part = writer.finish().await.expect("the part");
    let totals = totals_of(&files, values.len() as u64);
    assert_all_committed(&load.commit(vec![part], totals).await, 1);
}
