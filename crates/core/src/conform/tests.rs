//! Matching headers with tables, and making tables for headers.

mod elsewhere;

use std::collections::BTreeMap;

use super::*;
use crate::destination::DecimalSupport;
use crate::evidence::Evidence;
use crate::format::{OnMisfit, Sample};
use crate::schema::{Column, ColumnType, TableName, TableSchema};
use crate::stream::{
    AddedColumn, AddedValue, ColumnRules, Comparator, Comparison, Concealment, FormatOptions,
    NewColumns, OnConflict, RowFilter, Trim, TypePolicy,
};

/// Rules that change nothing, with new columns refused.
pub(super) fn rules() -> FitRules {
    FitRules {
        columns: ColumnRules::default(),
        filter: RowFilter::default(),
        new_columns: NewColumns::Fail,
        missing_columns: MissingColumns::Null,
        types: TypePolicy::Frozen,
        on_conflict: OnConflict::Reject,
    }
}

fn of_columns(columns: &ColumnRules) -> FitRules {
    FitRules { columns: columns.clone(), ..rules() }
}

pub(super) fn capabilities() -> Capabilities {
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

pub(super) fn header(names: &[&str]) -> FileColumns {
    FileColumns {
        names: names.iter().map(|name| name.to_string()).collect(),
        named: true,
        ..FileColumns::default()
    }
}

pub(super) fn table(columns: &[(&str, ColumnType)]) -> TableState {
    TableState {
        name: TableName::parse("public.t"),
        schema: Some(TableSchema {
            columns: columns.iter().map(|(name, kind)| Column::new(*name, *kind)).collect(),
        }),
        created_by_decant: false,
    }
}

fn conform(file: &FileColumns, table: &TableState) -> Result<Conform, Mismatch> {
    Conform::new(file, table, &rules(), &capabilities())
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
    let with = |new_columns| {
        Conform::new(&file, &table, &FitRules { new_columns, ..rules() }, &capabilities())
    };
    assert!(refusal(with(NewColumns::Fail)).message().contains("`New One`"));
    let ignoring = with(NewColumns::Ignore).unwrap();
    assert_eq!(ignoring.drift, [Drift::LeftOut(vec!["New One".into()])]);
    assert_eq!(ignoring.targets[1], None);
    let rejecting = with(NewColumns::Reject).unwrap();
    assert_eq!(rejecting.wishes().places, PlacesWanted::Raw);
    assert!(rejecting.targets[1].is_some());
    match with(NewColumns::Add) {
        Err(Mismatch::NewColumns(new)) => {
            let expected =
                NewColumn { source: "New One".into(), name: "new_one".into(), column_type: None };
            assert_eq!(new, [expected]);
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
        let columns = new_table_columns(
            &[sample(&[("cust_id", number)])],
            &of_columns(&rules),
            &capabilities(),
            false,
        )
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
    let error = new_table_columns(
        &[sample(&[("amount", Evidence::Text)])],
        &of_columns(&rules),
        &capabilities(),
        true,
    )
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
        &rules(),
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
    let columns = new_table_columns(&[first], &rules(), &capabilities(), false);
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
        Conform::new(&header(&["a"]), &table, &of_columns(rules), &capabilities())
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
    let found = Conform::new(&header(&["a", "B"]), &table, &of_columns(&rules), &capabilities());
    // `B` asks for `b`, and the rule may use either name.
    let found = found.unwrap();
    assert_eq!(found.targets[0], None);
    assert_eq!(found.columns, [0]);
}

fn with_alias() -> FitRules {
    let aliases = vec!["cust_id".to_owned(), "CustomerID".to_owned()];
    of_columns(&ColumnRules {
        aliases: BTreeMap::from([("customer_id".into(), aliases)]),
        ..ColumnRules::default()
    })
}

#[test]
fn an_alias_is_matched_like_a_name() {
    let table = table(&[("customer_id", TEXT), ("b", TEXT)]);
    for name in ["cust_id", "CUST_ID", "Cust ID", "CustomerID", "customer_id", "Customer Id"] {
        let found = Conform::new(&header(&[name, "b"]), &table, &with_alias(), &capabilities());
        assert_eq!(found.unwrap().columns, [0, 1], "{name}");
        let samples = [sample(&[(name, Evidence::Bool)])];
        let columns = new_table_columns(&samples, &with_alias(), &capabilities(), false).unwrap();
        assert_eq!(columns, [Column::new("customer_id", ColumnType::Bool)], "{name}");
    }
}

#[test]
fn two_aliases_in_one_file_are_an_error_that_names_both() {
    let table = table(&[("customer_id", TEXT)]);
    for pair in [["cust_id", "CustomerID"], ["customer_id", "cust_id"]] {
        let error = refusal(Conform::new(&header(&pair), &table, &with_alias(), &capabilities()));
        assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
        for name in pair {
            assert!(error.message().contains(&format!("`{name}`")), "{error}");
        }
        let mut apart = with_alias();
        apart.columns.exclude = vec![pair[1].to_owned()];
        let found = Conform::new(&header(&pair), &table, &apart, &capabilities()).unwrap();
        assert_eq!(found.columns, [0]);
    }
}

#[test]
fn a_column_with_a_suffix_is_found_beside_a_new_one() {
    let first = sample(&[("id", Evidence::Bool), ("ID", Evidence::Text)]);
    let columns = new_table_columns(&[first], &rules(), &capabilities(), false).unwrap();
    let table = TableState {
        name: TableName::parse("t"),
        schema: Some(TableSchema { columns }),
        created_by_decant: true,
    };
    let ignoring = FitRules { new_columns: NewColumns::Ignore, ..rules() };
    let file = header(&["new", "ID", "id"]);
    let found = Conform::new(&file, &table, &ignoring, &capabilities()).unwrap();
    assert_eq!(found.columns, [1, 0]);
    assert!(matches!(&found.drift[1], Drift::Renamed(pairs) if pairs[0].0 == "ID"), "{found:?}");
}

#[test]
fn missing_columns_follow_their_policy() {
    let mut table = table(&[("a", TEXT), ("b", TEXT), ("c", TEXT), ("_file_id", INT)]);
    table.created_by_decant = true;
    let mut fit = of_columns(&ColumnRules { exclude: vec!["c".into()], ..ColumnRules::default() });
    let found = Conform::new(&header(&["a", "c"]), &table, &fit, &capabilities()).unwrap();
    assert_eq!(found.drift, [Drift::Missing(vec!["b".into()])]);
    fit.missing_columns = MissingColumns::Fail;
    let error = refusal(Conform::new(&header(&["a"]), &table, &fit, &capabilities()));
    assert_eq!(error.message(), "the file has no column for the table's `b`");
    let growing = FileColumns { options: json(), ..header(&["a"]) };
    let found = Conform::new(&growing, &table, &fit, &capabilities()).unwrap();
    assert!(found.check_complete().is_err());
    let growing = FileColumns { options: json(), ..header(&["a", "b"]) };
    let grown = found.grown(&growing, &table, &fit, &capabilities()).unwrap();
    assert!(grown.check_complete().is_ok());
}

fn json() -> FormatOptions {
    FormatOptions { name: Some("json".into()), ..FormatOptions::default() }
}

#[test]
fn columns_that_appear_late_do_not_move_those_before() {
    let table = table(&[("id", TEXT), ("other", TEXT)]);
    let fit = FitRules { new_columns: NewColumns::Ignore, ..rules() };
    let file = |names: &[&str]| FileColumns { options: json(), ..header(names) };
    let found = Conform::new(&file(&["ID"]), &table, &fit, &capabilities()).unwrap();
    let grown = found.grown(&file(&["ID", "other", "x"]), &table, &fit, &capabilities()).unwrap();
    assert_eq!(grown.columns, [0, 1]);
    let error = refusal(found.grown(&file(&["ID", "id"]), &table, &fit, &capabilities()));
    assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
}

#[test]
fn rescuing_asks_for_its_column_first() {
    let fit = FitRules { new_columns: NewColumns::Rescue, ..rules() };
    let file = header(&["a", "x"]);
    let without = Conform::new(&file, &table(&[("a", INT)]), &fit, &capabilities());
    let Err(Mismatch::NewColumns(lacking)) = without else { panic!("{without:?}") };
    assert_eq!(lacking[0].name, "_rescued");
    assert_eq!(lacking[0].column_type, Some(ColumnType::Json));
    let added = added_columns(&Sample::default(), &lacking, &fit, &capabilities()).unwrap();
    assert_eq!(added, [Column::new("_rescued", ColumnType::Json)]);
    let table = table(&[("_rescued", ColumnType::Json), ("a", INT)]);
    let found = Conform::new(&file, &table, &fit, &capabilities()).unwrap();
    assert_eq!(found.columns, [1, 0]);
    assert_eq!(found.drift, [Drift::Rescued(vec!["x".into()])]);
    assert_eq!(found.targets[1].as_ref().unwrap().column_type, TEXT);
}

#[test]
fn only_types_that_stay_are_rescued_from() {
    let mut table = table(&[("a", INT), ("_rescued", ColumnType::Json)]);
    table.created_by_decant = true;
    let misfit = |types, given: bool| {
        let mut fit = FitRules { types, on_conflict: OnConflict::Rescue, ..rules() };
        if given {
            fit.columns.types = BTreeMap::from([("a".into(), INT.into())]);
        }
        let found = Conform::new(&header(&["a"]), &table, &fit, &capabilities()).unwrap();
        found.targets[0].as_ref().unwrap().misfit
    };
    assert_eq!(misfit(TypePolicy::Frozen, false), OnMisfit::Rescue);
    assert_eq!(misfit(TypePolicy::Widen, true), OnMisfit::Rescue);
    assert_eq!(misfit(TypePolicy::Widen, false), OnMisfit::Reject);
}

#[test]
fn files_without_a_name_in_common_make_no_table_together() {
    let of = |names: &[&str]| {
        sample(&names.iter().map(|name| (*name, Evidence::Bool)).collect::<Vec<_>>())
    };
    let names = |samples: &[Sample]| -> Vec<String> {
        let columns = new_table_columns(samples, &rules(), &capabilities(), false).unwrap();
        columns.into_iter().map(|column| column.name).collect()
    };
    let readme = of(&["Project"]);
    assert_eq!(names(&[readme.clone(), of(&["a", "b"]), of(&["b", "a"])]), ["a", "b"]);
    assert_eq!(names(&[readme.clone(), of(&["a", "b"])]), ["a", "b"], "the one of more columns");
    assert_eq!(names(&[of(&["x"]), of(&["a"])]), ["x"], "the first");
    // What shares nothing with the one shares something with the other.
    assert_eq!(names(&[of(&["a"]), of(&["b"]), of(&["a", "b"])]), ["a", "b"]);
    assert_eq!(names(&[of(&[]), of(&["a"])]), ["a"]);
    let mut growing = of(&["late"]);
    growing.columns.options.name = Some("json-lines".into());
    growing.complete = false;
    assert_eq!(names(&[of(&["a"]), growing]), ["a", "late"]);
}

#[test]
fn a_table_has_a_column_of_its_files() {
    let fit = of_columns(&ColumnRules { exclude: vec!["a".into()], ..ColumnRules::default() });
    let samples = [sample(&[("a", Evidence::Bool)])];
    let error = new_table_columns(&samples, &fit, &capabilities(), true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert_eq!(error.message(), "`select` and `exclude` leave no column of the file");
}

#[test]
fn what_is_unreadable_is_text() {
    let fit = of_columns(&ColumnRules {
        conceal: BTreeMap::from([("a".into(), Concealment::Mask { keep_last: 1 })]),
        trim: Trim::Columns(vec!["a".into()]),
        ..ColumnRules::default()
    });
    let columns =
        new_table_columns(&[sample(&[("a", Evidence::Bool)])], &fit, &capabilities(), false);
    assert_eq!(columns.unwrap(), [Column::new("a", TEXT)]);
    let error =
        refusal(Conform::new(&header(&["a"]), &table(&[("a", INT)]), &fit, &capabilities()));
    assert_eq!(error.message(), "column `a` was to be text, but table public.t has it as int64");
    let found = Conform::new(&header(&["a"]), &table(&[("a", TEXT)]), &fit, &capabilities());
    assert!(found.unwrap().targets[0].as_ref().unwrap().trim);
}

#[test]
fn a_rule_that_hides_nothing_is_an_error() {
    let fit = of_columns(&ColumnRules {
        conceal: BTreeMap::from([("emial".into(), Concealment::Hash { key: None })]),
        ..ColumnRules::default()
    });
    let file = header(&["email"]);
    let error = refusal(Conform::new(&file, &table(&[("email", TEXT)]), &fit, &capabilities()));
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert_eq!(error.hint(), Some("did you mean `email`?"));
}
