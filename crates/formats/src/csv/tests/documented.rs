//! What a field is, as the documentation says.

use arrow_array::types::Int64Type;
use arrow_array::{Array, cast::AsArray};
use decant_core::schema::ColumnType;
use decant_core::stream::FormatOptions;

use super::{decode_with, exact};
use crate::testing::documented_rows;

#[test]
fn null_is_what_the_documentation_says() {
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let rows = documented_rows("### NULL");
    assert!(rows.len() > 4, "{rows:?}");
    for row in rows {
        let [field, text, number, text_na, number_na] = row.as_slice() else { panic!("{row:?}") };
        let field = if field == "nothing" { "" } else { field };
        for (null_values, column_type, expected) in [
            (None, ColumnType::Text, text),
            (None, ColumnType::Int64, number),
            (Some(words(&["NA"])), ColumnType::Text, text_na),
            (Some(words(&["NA"])), ColumnType::Int64, number_na),
        ] {
            let options = FormatOptions { null_values, ..FormatOptions::default() };
            assert_eq!(read(field, column_type, &options), *expected, "{field} as {column_type}");
        }
    }
}

fn read(field: &str, column_type: ColumnType, options: &FormatOptions) -> String {
    let file = format!("a,b\n{field},x\n");
    let target = |column: usize| (column == 0).then(|| exact(column_type));
    let decoded = decode_with(file.as_bytes(), options, &target, (1 << 20, 1 << 20)).unwrap();
    if !decoded.rejects.is_empty() {
        return "rejected".to_owned();
    }
    let array = &decoded.arrays[0][0];
    match column_type {
        _ if array.is_null(0) => "NULL".to_owned(),
        ColumnType::Int64 => array.as_primitive::<Int64Type>().value(0).to_string(),
        _ => array.as_string::<i32>().value(0).to_owned(),
    }
}

#[test]
fn trimmed_columns_lose_the_white_space_around_their_values() {
    let target = |trim: bool, column_type| {
        move |_: usize| {
            Some(decant_core::format::Target {
                trim,
                ..decant_core::format::Target::new(column_type, true)
            })
        }
    };
    let file = "a\n  x \n\" y\"\n\u{a0}\nz\n";
    let options = FormatOptions::default();
    let read = |trim| {
        let targets = target(trim, ColumnType::Text);
        decode_with(file.as_bytes(), &options, &targets, (1 << 20, 1 << 20)).unwrap().rows()
    };
    let row = |value: &str| vec![Some(value.to_owned())];
    assert_eq!(read(true), [row("x"), row("y"), vec![None], row("z")]);
    assert_eq!(read(false), [row("  x "), row(" y"), row("\u{a0}"), row("z")]);
    let numbers = target(true, ColumnType::Int64);
    let decoded = decode_with(b"a\n 1\n2 \n  \n", &options, &numbers, (1 << 20, 1 << 20)).unwrap();
    let array = decoded.arrays[0][0].as_primitive::<Int64Type>();
    assert_eq!(array.iter().collect::<Vec<_>>(), [Some(1), Some(2), None]);
}

#[test]
fn a_files_numbers_are_read_with_its_separators() {
    use decant_core::value_format::NumberFormat;
    let numbers = Some(NumberFormat { decimal: ',', thousands: Some('.') });
    let options =
        FormatOptions { numbers, delimiter: Some(";".into()), ..FormatOptions::default() };
    let targets = |_: usize| Some(exact(ColumnType::Float64));
    let file = b"a;b\n1.234,5;2\n1.5;3\n";
    let decoded = decode_with(file, &options, &targets, (1 << 20, 1 << 20)).unwrap();
    let array = decoded.arrays[0][0].as_primitive::<arrow_array::types::Float64Type>();
    assert_eq!(array.values(), &[1234.5]);
    assert_eq!(
        decoded.rejects[0].detail,
        "`1.5` is not a number with `,` as point and `.` between thousands (float64)"
    );
}
