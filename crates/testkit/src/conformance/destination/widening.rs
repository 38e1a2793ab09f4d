//! Columns get wider types, and every value in them stays what it is.

use std::time::Duration;

use decant_core::destination::{Begun, TableChange, TableState};
use decant_core::error::{ErrorKind, Result};
use decant_core::schema::{Column, ColumnType, DecimalBounds, FILE_ID_COLUMN};
use decant_core::widen::can_widen;

use super::Fixture;
use super::rendering::is_same_value;
use super::stage::{Stage, assert_all_committed, rows_of_column, totals_of};
use super::tables::EVERY_TYPE;
use super::values::samples;
use crate::batches;

const BOUNDED: ColumnType = ColumnType::Decimal(Some(DecimalBounds { precision: 12, scale: 2 }));
const WIDE: ColumnType = ColumnType::Decimal(Some(DecimalBounds { precision: 38, scale: 10 }));

/// Every step that keeps all values, and integers into doubles.
fn steps() -> Vec<(ColumnType, ColumnType)> {
    let types = || EVERY_TYPE.iter().map(|(_, column_type)| *column_type);
    types()
        .flat_map(|from| types().map(move |to| (from, to)))
        .filter(|(a, b)| can_widen(*a, *b))
        .collect()
}

fn widening(table: &TableState, columns: &[(&str, ColumnType)]) -> TableChange {
    let columns = columns.iter().map(|(name, to)| ((*name).to_owned(), *to)).collect();
    TableChange::Widen { table: table.name.clone(), columns }
}

async fn type_of(stage: &Stage<'_>, column: &str) -> Option<ColumnType> {
    let state = stage.destination.describe(&stage.table.name).await.expect("a state");
    let schema = state.schema.expect("the table is there");
    schema.columns[schema.position(column).expect("the column")].column_type
}

/// Loads values, numbered from `first`, in a file of its own.
async fn load_values(
    stage: &Stage<'_>,
    key: &str,
    column_type: ColumnType,
    first: usize,
    values: &[Option<&str>],
) {
    let files = [stage.file(key)];
    let mut load = stage.begin(&files).await;
    let mut writer = load.writer().await.expect("a writer");
    let positions = stage.positions(&["number", "value", FILE_ID_COLUMN]);
    writer.start_file(files[0].id, &positions).await.expect("the file is started");
    for (number, value) in values.iter().enumerate() {
        let number = (first + number).to_string();
        let rows = rows_of_column(&files[0], ("value", column_type), &[Some(&number)], &[*value]);
        writer.write(rows).await.unwrap_or_else(|error| panic!("{value:?}: {}", error.chain()));
    }
    let part = writer.finish().await.expect("the part");
    assert_all_committed(&load.commit(vec![part], totals_of(&files, values.len() as u64)).await, 1);
}

async fn values_in_order(stage: &Stage<'_>) -> Vec<Option<String>> {
    let rows = stage.fixture.rows(&stage.table.name, &["number", "value"]).await;
    let mut rows: Vec<(usize, Option<String>)> = rows
        .into_iter()
        .map(|mut row| {
            let value = row.pop().expect("two columns");
            (row.pop().flatten().expect("a number").parse().expect("a number"), value)
        })
        .collect();
    rows.sort_by_key(|(number, _)| *number);
    rows.into_iter().map(|(_, value)| value).collect()
}

async fn stage_of<'f>(fixture: &'f dyn Fixture, name: &str, of: ColumnType) -> Stage<'f> {
    let columns = [("number", ColumnType::Int64), ("value", of)];
    Stage::with(fixture, name, batches::columns(&columns)).await
}

/// From each type to each wider one: what was in the table is there by value,
/// NULL stays NULL, the catalogue has the new type, and new rows of that type
/// join the old ones.
pub async fn widened_columns_keep_every_value(fixture: &dyn Fixture) {
    let mut complaints = Vec::new();
    for (number, (from, to)) in steps().into_iter().enumerate() {
        let mut stage = stage_of(fixture, &format!("step_{number}"), from).await;
        let survives = |value: &&str| {
            let in_double =
                (from, to) != (ColumnType::Int64, ColumnType::Float64) || value.len() < 17;
            in_double && fixture.keeps(from, value) && fixture.keeps(to, value)
        };
        let sent: Vec<Option<&str>> =
            samples(from).iter().copied().filter(survives).map(Some).chain([None]).collect();
        load_values(&stage, "old", fixture.described(from), 0, &sent).await;
        let change = widening(&stage.table, &[("value", to)]);
        let applied = stage.destination.apply(&change, false).await;
        applied.unwrap_or_else(|error| panic!("{from} to {to}: {}", error.chain()));
        assert_eq!(type_of(&stage, "value").await, Some(fixture.described(to)), "{from} to {to}");
        stage.table = stage.destination.describe(&stage.table.name).await.expect("a state");
        assert!(stage.table.created_by_decant);
        for (sent, found) in sent.iter().zip(values_in_order(&stage).await) {
            if !is_kept(from, to, *sent, found.as_deref()) {
                complaints.push(format!("{from} to {to}: sent {sent:?}, found {found:?}"));
            }
        }
        let new = samples(to).iter().copied().find(|value| fixture.keeps(to, value));
        load_values(&stage, "new", fixture.described(to), sent.len(), &[new]).await;
        let last = values_in_order(&stage).await.pop().flatten();
        assert!(is_same_value(to, new, last.as_deref()), "{to}: sent {new:?}, found {last:?}");
    }
    assert!(complaints.is_empty(), "values changed:\n{}", complaints.join("\n"));
}

/// Compares by value; text is compared with what the old type sent.
fn is_kept(from: ColumnType, to: ColumnType, sent: Option<&str>, found: Option<&str>) -> bool {
    use ColumnType::{Bool, Date, Float32, Float64, Int64, Text, Timestamp, TimestampTz};
    match (from, to, sent, found) {
        (Date, Timestamp, Some(sent), _) => {
            is_same_value(Timestamp, Some(&format!("{sent} 00:00:00")), found)
        }
        (Float32, Float64, Some(sent), Some(found)) => {
            found.parse::<f64>().ok() == sent.parse::<f32>().ok().map(f64::from) || sent == "NaN"
        }
        (_, Float32 | Float64, Some(sent), Some(found)) => {
            sent.parse::<f64>().ok() == found.parse::<f64>().ok()
        }
        (Bool, Text, sent, found) => sent == found,
        (TimestampTz, Text, Some(_), Some(found)) if !found.ends_with("+00:00") => false,
        (Int64, to @ ColumnType::Decimal(_), ..) => is_same_value(to, sent, found),
        (from, ..) => is_same_value(from, sent, found),
    }
}

/// Widening again, or to what is narrower, changes nothing; several columns
/// change at once; printing changes nothing at all.
pub async fn widening_is_idempotent(fixture: &dyn Fixture) {
    let columns =
        [("number", ColumnType::Int64), ("value", ColumnType::Int64), ("other", ColumnType::Date)];
    let stage = Stage::with(fixture, "orders", batches::columns(&columns)).await;
    load_values(&stage, "a", ColumnType::Int64, 0, &[Some("5"), None]).await;
    let change =
        widening(&stage.table, &[("value", ColumnType::Text), ("other", ColumnType::Timestamp)]);
    let printed = stage.destination.apply(&change, true).await.expect("statements");
    assert!(!printed.is_empty());
    let state = stage.destination.describe(&stage.table.name).await.expect("a state");
    assert_eq!(state, stage.table, "nothing was changed");
    stage.destination.apply(&change, false).await.expect("the columns are widened");
    let widened = stage.destination.describe(&stage.table.name).await.expect("a state");
    let narrower = widening(&stage.table, &[("value", ColumnType::Int64)]);
    for change in [&change, &narrower] {
        stage.destination.apply(change, false).await.expect("nothing to do");
        let state = stage.destination.describe(&stage.table.name).await.expect("a state");
        assert_eq!(state, widened);
    }
    let types = widened.schema.expect("the table is there").columns;
    let types: Vec<_> = types.iter().map(|column: &Column| column.column_type).collect();
    let expected = [ColumnType::Int64, ColumnType::Text, ColumnType::Timestamp, ColumnType::Int64];
    assert_eq!(types, expected.map(|of| Some(fixture.described(of))));
    assert_eq!(values_in_order(&stage).await, [Some("5".to_owned()), None]);
}

/// An integer that no double holds is not rounded: the column is named, and
/// nothing was changed, the other columns neither.
pub async fn a_value_that_would_not_survive_stops_the_change(fixture: &dyn Fixture) {
    let stage = stage_of(fixture, "orders", ColumnType::Int64).await;
    let values = ["9007199254740992", "9007199254740993"];
    load_values(&stage, "a", ColumnType::Int64, 0, &values.map(Some)).await;
    let columns = [("number", ColumnType::Text), ("value", ColumnType::Float64)];
    let change = widening(&stage.table, &columns);
    let error = stage.destination.apply(&change, false).await.expect_err("it is refused");
    assert_eq!(error.kind(), ErrorKind::SchemaMismatch, "{}", error.chain());
    assert_eq!(error.fact("column"), Some("value"));
    let state = stage.destination.describe(&stage.table.name).await.expect("a state");
    assert_eq!(state, stage.table);
    assert_eq!(values_in_order(&stage).await, values.map(|value| Some(value.to_owned())));
    for (from, to) in [("number", ColumnType::Date), ("missing", ColumnType::Text)] {
        let change = widening(&stage.table, &[(from, to)]);
        let error = stage.destination.apply(&change, false).await.expect_err("it is refused");
        assert_eq!(error.kind(), ErrorKind::SchemaMismatch, "{}", error.chain());
    }
    assert!(can_widen(BOUNDED, WIDE) && !can_widen(WIDE, BOUNDED));
}

/// A load that was planned for the old types is told so and nothing else; a
/// change waits for the loads that are open.
pub async fn loads_planned_for_the_old_types_are_planned_again(fixture: &dyn Fixture) {
    let stage = stage_of(fixture, "orders", ColumnType::Int64).await;
    let files = [stage.file("open")];
    let load = stage.begin(&files).await;
    let other = stage.again().await;
    let change = widening(&stage.table, &[("value", ColumnType::Text)]);
    let mut late = std::pin::pin!(other.destination.apply(&change, false));
    let early = tokio::time::timeout(Duration::from_millis(300), &mut late).await;
    assert!(early.is_err(), "the change waits for the load");
    assert_all_committed(&load.commit(Vec::new(), totals_of(&files, 0)).await, 1);
    late.await.expect("the column is widened");
    let begun: Result<Begun> = stage.destination.begin(stage.plan(vec![stage.file("b")])).await;
    assert!(matches!(begun, Ok(Begun::SchemaChanged)));
}

/// Several who widen the same column at once all succeed, and the table is
/// as the widest of them asked.
pub async fn widenings_beside_each_other_all_succeed(fixture: &dyn Fixture) {
    let stage = stage_of(fixture, "orders", ColumnType::Int64).await;
    load_values(&stage, "a", ColumnType::Int64, 0, &[Some("5")]).await;
    let changes = (0..6).map(async |turn| {
        let stage = stage.again().await;
        let to = if turn % 2 == 0 { ColumnType::Text } else { ColumnType::Float64 };
        stage.destination.apply(&widening(&stage.table, &[("value", to)]), false).await
    });
    for end in futures::future::join_all(changes).await {
        end.expect("the column is widened");
    }
    assert_eq!(type_of(&stage, "value").await, Some(fixture.described(ColumnType::Text)));
}
