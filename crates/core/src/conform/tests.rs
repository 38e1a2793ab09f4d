//! Matching headers with tables, and making tables for headers.

use std::collections::BTreeMap;

use super::*;
use crate::destination::DecimalSupport;
use crate::evidence::Evidence;
use crate::format::Sample;
use crate::schema::{ColumnType, TableName};

fn capabilities() -> Capabilities {
    Capabilities {
        name: "test",
        transactional_ddl: true,
        remove_by_file: true,
        concurrent_loads: 1,
        identifier_bytes_max: 63,
        decimal: DecimalSupport::Unbounded,
        schemas: true,
    }
}

fn header(names: &[&str]) -> FileColumns {
    FileColumns {
        names: names.iter().map(|name| name.to_string()).collect(),
        named: true,
        ..FileColumns::default()
    }
}

fn table(columns: &[(&str, ColumnType)]) -> TableState {
    TableState {
        name: TableName::parse("public.t"),
        schema: Some(TableSchema {
            columns: columns.iter().map(|(name, kind)| Column::new(*name, *kind)).collect(),
        }),
        created_by_decant: false,
    }
}

fn conform(file: &FileColumns, table: &TableState) -> Result<Conform, Mismatch> {
    Conform::new(file, table, &ColumnRules::default(), NewColumns::Fail, &capabilities())
}

fn refusal(result: Result<Conform, Mismatch>) -> Error {
    match result {
        Err(Mismatch::Refused(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn sample(columns: &[(&str, Evidence)]) -> Sample {
    Sample {
        columns: header(&columns.iter().map(|(name, _)| *name).collect::<Vec<_>>()),
        evidence: columns.iter().map(|(_, evidence)| *evidence).collect(),
        rows: 1,
        complete: true,
        ..Sample::default()
    }
}

const INT: ColumnType = ColumnType::Int64;
const TEXT: ColumnType = ColumnType::Text;

#[test]
fn columns_are_matched_by_name_in_any_order() {
    let table = table(&[("a", INT), ("b", TEXT), ("_file_id", INT)]);
    let conform = conform(&header(&["b", "a"]), &table).unwrap();
    assert_eq!(conform.columns, [1, 0, 2]);
    let types: Vec<_> = conform.targets.iter().flatten().map(|target| target.column_type).collect();
    assert_eq!(types, [TEXT, INT]);
}

#[test]
fn names_match_exactly_then_without_case_then_in_snake_case() {
    for (file, column) in
        [("Order Date", "order_date"), ("ID", "id"), ("orderDate", "OrderDate"), ("a-b", "A B")]
    {
        let table = table(&[(column, TEXT), ("other", TEXT)]);
        let found = conform(&header(&[file]), &table).unwrap();
        assert_eq!(found.columns, [0], "{file} in {column}");
    }
    let exact = table(&[("ID", TEXT), ("id", TEXT)]);
    assert_eq!(conform(&header(&["id"]), &exact).unwrap().columns, [1]);
}

#[test]
fn two_candidates_are_an_error() {
    let table = table(&[("ID", TEXT), ("iD", TEXT)]);
    let error = refusal(conform(&header(&["Id"]), &table));
    assert_eq!(error.message(), "column `Id` could be any of the table's `ID`, `iD`");
}

#[test]
fn two_columns_for_one_place_are_an_error() {
    let table = table(&[("order_date", TEXT)]);
    let error = refusal(conform(&header(&["Order Date", "order-date"]), &table));
    assert!(error.message().contains("both go to the table's `order_date`"), "{error}");
}

#[test]
fn a_header_of_strangers_says_what_both_sides_have() {
    let error = refusal(conform(&header(&["p", "q"]), &table(&[("a", TEXT), ("b", TEXT)])));
    assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
    assert_eq!(
        error.message(),
        "the file's columns (`p`, `q`) and those of table public.t (`a`, `b`) have no name in common"
    );
}

#[test]
fn new_columns_follow_their_policy() {
    let table = table(&[("a", TEXT)]);
    let file = header(&["a", "New One"]);
    let with =
        |policy| Conform::new(&file, &table, &ColumnRules::default(), policy, &capabilities());
    assert!(refusal(with(NewColumns::Fail)).message().contains("`New One`"));
    assert_eq!(with(NewColumns::Ignore).unwrap().ignored, ["New One"]);
    match with(NewColumns::Add) {
        Err(Mismatch::NewColumns(new)) => {
            assert_eq!(new, [NewColumn { source: "New One".into(), name: "new_one".into() }])
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn renames_and_types_may_use_either_name() {
    let rules = ColumnRules {
        rename: BTreeMap::from([("cust_id".into(), "customer_id".into())]),
        ..ColumnRules::default()
    };
    for name in ["cust_id", "customer_id"] {
        let rules = ColumnRules {
            types: BTreeMap::from([(name.to_owned(), TEXT.into())]),
            ..rules.clone()
        };
        let number = Evidence::Bool;
        let columns =
            new_table_columns(&[sample(&[("cust_id", number)])], &rules, &capabilities(), false)
                .unwrap();
        assert_eq!(columns, [Column::new("customer_id", TEXT)]);
    }
}

#[test]
fn a_rule_for_a_column_that_is_not_there_suggests_another() {
    let rules = ColumnRules {
        types: BTreeMap::from([("amout".into(), INT.into())]),
        ..ColumnRules::default()
    };
    let error =
        new_table_columns(&[sample(&[("amount", Evidence::Text)])], &rules, &capabilities(), true)
            .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert_eq!(error.hint(), Some("did you mean `amount`?"));
}

#[test]
fn a_new_table_joins_its_samples() {
    let columns = new_table_columns(
        &[
            sample(&[("Id", Evidence::Nothing), ("when", Evidence::Date)]),
            sample(&[("when", Evidence::Timestamp), ("id", Evidence::Bool), ("x", Evidence::Uuid)]),
        ],
        &ColumnRules::default(),
        &capabilities(),
        true,
    )
    .unwrap();
    assert_eq!(
        columns,
        [
            Column::new("id", ColumnType::Bool),
            Column::new("when", ColumnType::Timestamp),
            Column::new("x", ColumnType::Uuid),
            Column::new("_file_id", INT),
        ]
    );
}

#[test]
fn headers_that_collide_find_their_columns_again_in_any_order() {
    let first = sample(&[("id", Evidence::Bool), ("ID", Evidence::Text)]);
    let columns = new_table_columns(&[first], &ColumnRules::default(), &capabilities(), false);
    let table = TableState {
        name: TableName::parse("t"),
        schema: Some(TableSchema { columns: columns.unwrap() }),
        created_by_decant: true,
    };
    assert_eq!(conform(&header(&["id", "ID"]), &table).unwrap().columns, [0, 1]);
    assert_eq!(conform(&header(&["ID", "id"]), &table).unwrap().columns, [1, 0]);
}

#[test]
fn columns_without_names_fill_the_table_from_left_to_right() {
    let table = table(&[("a", INT), ("_file_id", INT), ("b", TEXT)]);
    let file = |count: usize| FileColumns {
        names: (1..=count).map(|number| format!("column_{number}")).collect(),
        named: false,
        ..FileColumns::default()
    };
    assert_eq!(conform(&file(2), &table).unwrap().columns, [0, 2, 1]);
    assert!(refusal(conform(&file(3), &table)).message().contains("3 columns and no names"));
}

#[test]
fn a_given_type_must_fit_into_the_tables() {
    let with = |given: ColumnType| ColumnRules {
        types: BTreeMap::from([("a".into(), given.into())]),
        ..ColumnRules::default()
    };
    let into_int = |rules: &ColumnRules| {
        let table = table(&[("a", INT)]);
        Conform::new(&header(&["a"]), &table, rules, NewColumns::Fail, &capabilities())
    };
    assert!(into_int(&with(ColumnType::Int32)).is_ok());
    assert_eq!(
        refusal(into_int(&with(TEXT))).message(),
        "column `a` was to be text, but table public.t has it as int64"
    );
}

#[test]
fn only_inferred_types_must_keep_every_value() {
    let mut table = table(&[("a", ColumnType::Float64)]);
    assert!(!conform(&header(&["a"]), &table).unwrap().targets[0].as_ref().unwrap().exact);
    table.created_by_decant = true;
    assert!(conform(&header(&["a"]), &table).unwrap().targets[0].as_ref().unwrap().exact);
}

#[test]
fn columns_that_are_not_selected_are_left_out() {
    let rules = ColumnRules { select: vec!["b".into()], ..ColumnRules::default() };
    let table = table(&[("b", TEXT)]);
    let found =
        Conform::new(&header(&["a", "B"]), &table, &rules, NewColumns::Fail, &capabilities());
    // `B` asks for `b`, and the rule may use either name.
    let found = found.unwrap();
    assert_eq!(found.targets[0], None);
    assert_eq!(found.columns, [0]);
}

#[test]
fn a_batch_gets_the_tables_names_and_the_files_id() {
    let table = table(&[("b", INT), ("_file_id", INT)]);
    let conform = conform(&header(&["B"]), &table).unwrap();
    let column: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let batch = RecordBatch::try_from_iter([("B", column)]).unwrap();
    let batch = conform.apply(batch, FileId(7)).unwrap();
    let expected: Vec<(&str, ArrayRef)> = vec![
        ("b", Arc::new(Int64Array::from(vec![1, 2]))),
        ("_file_id", Arc::new(Int64Array::from(vec![7, 7]))),
    ];
    let expected = RecordBatch::try_from_iter_with_nullable(
        expected.into_iter().map(|(name, column)| (name, column, true)),
    );
    assert_eq!(batch, expected.unwrap());
}
