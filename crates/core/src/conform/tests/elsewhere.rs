//! Columns that are not in the file, and rows that a filter chooses.

use super::*;

fn added(name: &str, value: AddedValue) -> AddedColumn {
    AddedColumn { name: name.into(), value }
}

#[test]
fn a_new_table_has_the_columns_from_elsewhere_with_their_types() {
    let fit = FitRules {
        new_columns: NewColumns::Rescue,
        ..of_columns(&ColumnRules {
            added: vec![
                added("file", AddedValue::File),
                added("at", AddedValue::LastModified),
                added("day", AddedValue::Path("day".into())),
                added("hash", AddedValue::RowHash { columns: Vec::new(), key: None }),
            ],
            types: BTreeMap::from([("day".into(), ColumnType::Date.into())]),
            ..ColumnRules::default()
        })
    };
    let samples = [sample(&[("File", Evidence::Text), ("b", Evidence::Bool)])];
    let columns = new_table_columns(&samples, &fit, &capabilities(), true).unwrap();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    assert!(names[0].starts_with("file_"), "{names:?}");
    assert_eq!(names[1..], ["b", "file", "at", "day", "hash", "_rescued", "_file_id"]);
    let types: Vec<_> = columns.iter().filter_map(|column| column.column_type).skip(2).collect();
    use ColumnType::*;
    assert_eq!(types, [Text, TimestampTz, Date, Text, Json, Int64]);
    let table = TableState {
        name: TableName::parse("t"),
        schema: Some(TableSchema { columns }),
        created_by_decant: true,
    };
    let found = Conform::new(&header(&["File", "b"]), &table, &fit, &capabilities()).unwrap();
    assert_eq!(found.columns, [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_column_that_cannot_hold_what_is_added_is_refused() {
    let fit = of_columns(&ColumnRules {
        added: vec![added("b", AddedValue::File)],
        ..ColumnRules::default()
    });
    let error = refusal(Conform::new(
        &header(&["a"]),
        &table(&[("a", INT), ("b", INT)]),
        &fit,
        &capabilities(),
    ));
    assert_eq!(error.message(), "column `b` is int64, which does not hold a file's location");
}

#[test]
fn what_is_only_filtered_on_is_decoded_and_not_loaded() {
    let comparison = Comparison {
        column: "country".into(),
        comparator: Comparator::In,
        values: vec!["FR".into()],
        numeric: false,
    };
    let mut fit =
        of_columns(&ColumnRules { exclude: vec!["country".into()], ..ColumnRules::default() });
    fit.filter.comparisons = vec![comparison];
    let found =
        Conform::new(&header(&["a", "Country"]), &table(&[("a", INT)]), &fit, &capabilities());
    let found = found.unwrap();
    assert_eq!(found.columns, [0]);
    assert_eq!(found.targets[1].as_ref().unwrap().column_type, TEXT);
    let error =
        refusal(Conform::new(&header(&["a"]), &table(&[("a", INT)]), &fit, &capabilities()));
    assert!(error.message().contains("`where` names a column `country`"), "{error}");
}

#[test]
fn a_filter_must_compare_with_values_of_the_columns_type() {
    let mut fit = rules();
    fit.filter = RowFilter::parse("a > 'much'").unwrap();
    let error =
        refusal(Conform::new(&header(&["a"]), &table(&[("a", INT)]), &fit, &capabilities()));
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert_eq!(error.message(), "`where` compares column `a`, which is int64, with `much`");
}

#[test]
fn a_number_is_not_compared_with_text_letter_by_letter() {
    let mut fit = rules();
    fit.filter = RowFilter::parse("a > 9").unwrap();
    let found = |fit: &FitRules| {
        Conform::new(&header(&["a"]), &table(&[("a", TEXT)]), fit, &capabilities())
    };
    let error = refusal(found(&fit));
    assert_eq!(error.message(), "`where` compares column `a`, which is text, with the number 9");
    fit.filter = RowFilter::parse("a > '9'").unwrap();
    assert!(found(&fit).is_ok());
}

#[test]
fn a_filter_on_a_column_that_decant_adds_is_refused() {
    let mut fit = of_columns(&ColumnRules {
        added: vec![AddedColumn { name: "n".into(), value: AddedValue::Line }],
        ..ColumnRules::default()
    });
    fit.filter = RowFilter::parse("n > 1").unwrap();
    let samples = [sample(&[("a", Evidence::Bool)])];
    let error = new_table_columns(&samples, &fit, &capabilities(), false).unwrap_err();
    assert_eq!(error.message(), "`where` names column `n`, which decant adds itself");
    let schema = table(&[("a", INT), ("n", INT)]);
    refusal(Conform::new(&header(&["a"]), &schema, &fit, &capabilities()));
}

#[test]
fn columns_of_decants_names_must_hold_what_it_fills_them_with() {
    for (column_type, is_held) in [(INT, true), (TEXT, false), (ColumnType::Int32, false)] {
        let table = table(&[("a", INT), ("_file_id", column_type)]);
        let result = conform(&header(&["a"]), &table);
        if is_held {
            assert!(result.is_ok(), "{result:?}");
            continue;
        }
        let error = refusal(result);
        assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
        assert!(error.message().contains("`_file_id`"), "{error}");
        assert!(error.message().contains("64-bit integers (bigint)"), "{error}");
        assert!(error.hint().is_some());
    }
}
