//! Tables are described, created and given columns.

use std::collections::BTreeMap;

use decant_core::destination::TableChange;
use decant_core::list::ListElement;
use decant_core::schema::{Column, ColumnType, DecimalBounds, TableName};

use super::stage::Stage;
use super::{Fixture, Tampering};
use crate::batches;

/// Every type, with a column name for each.
pub(super) const EVERY_TYPE: &[(&str, ColumnType)] = &[
    ("a_bool", ColumnType::Bool),
    ("an_int16", ColumnType::Int16),
    ("an_int32", ColumnType::Int32),
    ("an_int64", ColumnType::Int64),
    ("a_float32", ColumnType::Float32),
    ("a_float64", ColumnType::Float64),
    ("a_decimal", ColumnType::Decimal(None)),
    ("a_bounded_decimal", ColumnType::Decimal(Some(DecimalBounds { precision: 12, scale: 2 }))),
    ("a_wide_decimal", ColumnType::Decimal(Some(DecimalBounds { precision: 38, scale: 10 }))),
    ("a_date", ColumnType::Date),
    ("a_time", ColumnType::Time),
    ("a_timestamp", ColumnType::Timestamp),
    ("a_moment", ColumnType::TimestampTz),
    ("a_uuid", ColumnType::Uuid),
    ("a_text", ColumnType::Text),
    ("a_document", ColumnType::Json),
    ("some_integers", ColumnType::List(ListElement::Int64)),
    ("some_texts", ColumnType::List(ListElement::Text)),
    ("some_moments", ColumnType::List(ListElement::TimestampTz)),
    ("a_binary", ColumnType::Binary),
];

/// `describe` of a table that is not there answers where it would be created,
/// the same name however often it is asked, and creates nothing.
pub async fn a_missing_table_has_a_qualified_name(fixture: &dyn Fixture) {
    let destination = fixture.destination().await;
    let asked = TableName { schema: None, name: "orders".into() };
    let state = destination.describe(&asked).await.expect("a state");
    assert_eq!(state.name.name, "orders");
    assert_eq!(state.name.schema.is_some(), destination.capabilities().schemas);
    assert_eq!(state.schema, None);
    assert!(!state.created_by_decant);
    let again = destination.describe(&state.name).await.expect("a state");
    assert_eq!(again, state, "a qualified name stays as it is, and nothing was created");
}

/// A table that was created has the columns that were asked for, in that
/// order, nullable, with their types; and decant knows that it made it.
pub async fn a_created_table_is_described_as_it_was_asked_for(fixture: &dyn Fixture) {
    let stage = Stage::with(fixture, "wide", batches::columns(EVERY_TYPE)).await;
    let schema = stage.table.schema.as_ref().expect("the table is there");
    let found: Vec<(&str, Option<ColumnType>, bool)> =
        schema.columns.iter().map(|it| (it.name.as_str(), it.column_type, it.nullable)).collect();
    let expected: Vec<(&str, Option<ColumnType>, bool)> = EVERY_TYPE
        .iter()
        .copied()
        .chain([("_file_id", ColumnType::Int64)])
        .map(|(name, column_type)| (name, Some(fixture.described(column_type)), true))
        .collect();
    assert_eq!(found, expected);
    assert!(schema.has_file_id());
    assert!(stage.table.created_by_decant);
    let elsewhere = fixture.destination().await.describe(&stage.table.name).await;
    assert_eq!(elsewhere.expect("a state"), stage.table, "another handle sees the same");
}

/// Creating a table that is there changes neither its columns nor its rows.
pub async fn creating_a_table_again_leaves_it_alone(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let file = stage.file("a.csv");
    stage.load(std::slice::from_ref(&file), 2).await;
    let change = TableChange::Create {
        table: stage.table.name.clone(),
        columns: batches::columns(&[("other", ColumnType::Bool)]),
    };
    stage.destination.apply(&change, false).await.expect("nothing to do");
    let state = stage.destination.describe(&stage.table.name).await.expect("a state");
    assert_eq!(state, stage.table);
    stage.assert_rows_of(&[&file], 2).await;
}

/// Added columns are nullable and last; old rows have NULL in them; those
/// that exist stay as they are.
pub async fn columns_are_added_once(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    stage.load(&[stage.file("a.csv")], 1).await;
    let wanted = batches::columns(&[("note", ColumnType::Text), ("amount", ColumnType::Float64)]);
    let change = TableChange::AddColumns { table: stage.table.name.clone(), columns: wanted };
    for _ in 0..2 {
        stage.destination.apply(&change, false).await.expect("the column is added");
    }
    let state = stage.destination.describe(&stage.table.name).await.expect("a state");
    let schema = state.schema.expect("the table is there");
    let names: Vec<&str> = schema.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["id", "note", "_file_id", "amount"]);
    let Column { column_type, nullable, .. } = &schema.columns[3];
    assert_eq!(*column_type, Some(fixture.described(ColumnType::Float64)));
    assert!(nullable);
    assert!(state.created_by_decant);
    assert_eq!(fixture.rows(&stage.table.name, &["amount"]).await, [[None]]);
}

/// With `only_print`, a change answers its statements, and that is all.
pub async fn printing_a_change_changes_nothing(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let missing = TableName { name: "customers".into(), ..stage.table.name.clone() };
    let columns = batches::columns(&[("amount", ColumnType::Float64)]);
    let create = TableChange::Create { table: missing.clone(), columns: columns.clone() };
    let add = TableChange::AddColumns { table: stage.table.name.clone(), columns };
    for (change, named) in [(create, "customers"), (add, "orders")] {
        let statements = stage.destination.apply(&change, true).await.expect("statements");
        let text = statements.join("\n");
        assert!(text.contains(named) && text.contains("amount"), "{text}");
    }
    let state = stage.destination.describe(&missing).await.expect("a state");
    assert_eq!(state.schema, None, "nothing was created");
    let state = stage.destination.describe(&stage.table.name).await.expect("a state");
    assert_eq!(state, stage.table, "nothing was added");
    assert_eq!(fixture.ledger_rows().await, Vec::<BTreeMap<_, _>>::new());
}

/// A table that was there before is described, and is not taken for one that
/// decant created, not even after decant was told to create it.
pub async fn tables_of_others_are_told_from_our_own(fixture: &dyn Fixture) {
    let destination = fixture.destination().await;
    let asked = TableName { schema: None, name: "theirs".into() };
    let table = destination.describe(&asked).await.expect("a state").name;
    fixture.tamper(&Tampering::CreateWithDefault(table.clone())).await;
    let columns = batches::columns(&[("id", ColumnType::Int64)]);
    let change = TableChange::Create { table: table.clone(), columns };
    destination.apply(&change, false).await.expect("nothing to do");
    let state = destination.describe(&table).await.expect("a state");
    assert!(!state.created_by_decant);
    let schema = state.schema.expect("the table is there");
    let names: Vec<&str> = schema.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["id", "tally", "note"]);
    assert!(!schema.has_file_id());
}
