//! Rows that go because others come, and plans that are too old.

use decant_core::destination::{Begun, LoadFile, LoadPlan, TableChange};
use decant_core::ledger::Status;
use decant_core::schema::ColumnType;

use super::stage::Stage;
use super::{Fixture, Tampering};
use crate::batches;

/// A file that is loaded again loses its old rows, and its attempts grow.
pub async fn loading_again_replaces_the_rows_of_the_file(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let [file, other] = [stage.file("a.csv"), stage.file("b.csv")];
    stage.load(&[file.clone(), other.clone()], 3).await;
    let again = LoadFile { again: true, ..file.clone() };
    for attempt in 2..4 {
        stage.load(std::slice::from_ref(&again), 3).await;
        stage.assert_rows_of(&[&file, &other], 3).await;
        stage.assert_status(&file, Status::Loaded, attempt).await;
    }
    stage.assert_status(&other, Status::Loaded, 1).await;
}

/// A reload that is aborted leaves rows and ledger as they were.
pub async fn an_aborted_reload_keeps_the_rows_of_the_file(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let file = stage.file("a.csv");
    stage.load(std::slice::from_ref(&file), 3).await;
    let again = [LoadFile { again: true, ..file.clone() }];
    let mut load = stage.begin(&again).await;
    stage.write(load.as_mut(), &again, 5).await;
    stage.assert_rows_of(&[&file], 3).await;
    load.abort().await.expect("the load is aborted");
    stage.assert_rows_of(&[&file], 3).await;
    stage.assert_status(&file, Status::Loaded, 1).await;
}

/// A newer version of a key takes the older one's place in one commit.
pub async fn a_newer_version_displaces_the_older(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let [old, new] = [stage.version("a.csv", "A"), stage.version("a.csv", "B")];
    let other = stage.file("b.csv");
    stage.load(&[old.clone(), other.clone()], 3).await;
    let new = LoadFile { displaces: vec![old.id], ..new };
    stage.load(std::slice::from_ref(&new), 3).await;
    stage.assert_rows_of(&[&new, &other], 3).await;
    stage.assert_status(&old, Status::Superseded, 1).await;
    stage.assert_status(&new, Status::Loaded, 1).await;
    stage.assert_status(&other, Status::Loaded, 1).await;
}

/// A, B, A: the first content displaces the second and is revived.
pub async fn content_that_comes_back_is_loaded_again(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let [first, second] = [stage.version("a.csv", "A"), stage.version("a.csv", "B")];
    stage.load(std::slice::from_ref(&first), 3).await;
    stage.load(&[LoadFile { displaces: vec![first.id], ..second.clone() }], 3).await;
    stage.load(&[LoadFile { displaces: vec![second.id], ..first.clone() }], 3).await;
    stage.assert_rows_of(&[&first], 3).await;
    stage.assert_status(&first, Status::Loaded, 2).await;
    stage.assert_status(&second, Status::Superseded, 1).await;
}

/// After a replace the table has exactly the new rows; the files that were
/// loaded before are superseded, those of other tables stay.
pub async fn replace_leaves_exactly_the_new_rows(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let columns = [("id", ColumnType::Int64), ("note", ColumnType::Text)];
    let elsewhere = Stage::with(fixture, "customers", batches::columns(&columns)).await;
    let theirs = elsewhere.file("a.csv");
    elsewhere.load(std::slice::from_ref(&theirs), 3).await;
    let [gone, stays] = [stage.file("gone.csv"), stage.file("stays.csv")];
    stage.load(&[gone.clone(), stays.clone()], 3).await;
    let [again, new] = [LoadFile { again: true, ..stays.clone() }, stage.file("new.csv")];
    stage.load_plan(stage.replace(&[again, new.clone()]), 3).await;
    stage.assert_rows_of(&[&stays, &new], 3).await;
    stage.assert_status(&gone, Status::Superseded, 1).await;
    stage.assert_status(&stays, Status::Loaded, 2).await;
    stage.assert_status(&new, Status::Loaded, 1).await;
    elsewhere.assert_rows_of(&[&theirs], 3).await;
    elsewhere.assert_status(&theirs, Status::Loaded, 1).await;
}

/// Readers have the old rows until a replace commits, and for good when it
/// does not.
pub async fn an_aborted_replace_keeps_the_old_rows(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let [old, new] = [stage.file("old.csv"), stage.file("new.csv")];
    stage.load(std::slice::from_ref(&old), 3).await;
    let (mut load, _) = stage.begin_plan(stage.replace(std::slice::from_ref(&new))).await;
    stage.write(load.as_mut(), std::slice::from_ref(&new), 3).await;
    stage.assert_rows_of(&[&old], 3).await;
    load.abort().await.expect("the load is aborted");
    stage.assert_rows_of(&[&old], 3).await;
    stage.assert_status(&old, Status::Loaded, 1).await;
    assert!(!stage.ledger().await.contains_key(&new.id));
}

/// A plan for a table that got a column meanwhile is not carried out.
pub async fn a_table_that_gained_a_column_is_planned_again(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let columns = batches::columns(&[("amount", ColumnType::Float64)]);
    let change = TableChange::AddColumns { table: stage.table.name.clone(), columns };
    stage.again().await.destination.apply(&change, false).await.expect("the column is added");
    assert_is_planned_again(stage).await;
}

/// A plan for a table that lost a column meanwhile is not carried out.
pub async fn a_table_that_lost_a_column_is_planned_again(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let column = "id".to_owned();
    fixture.tamper(&Tampering::DropColumn(stage.table.name.clone(), column)).await;
    let begun = stage.destination.begin(stage.plan(vec![stage.file("a.csv")])).await;
    assert!(matches!(begun, Ok(Begun::SchemaChanged)), "the plan is too old");
    stage.assert_nothing_is_visible().await;
}

async fn assert_is_planned_again(mut stage: Stage<'_>) {
    let file = stage.file("a.csv");
    let plan: LoadPlan = stage.plan(vec![file.clone()]);
    let begun = stage.destination.begin(plan).await;
    assert!(matches!(begun, Ok(Begun::SchemaChanged)), "the plan is too old");
    stage.assert_nothing_is_visible().await;
    stage.table = stage.destination.describe(&stage.table.name).await.expect("a state");
    stage.load(std::slice::from_ref(&file), 2).await;
    stage.assert_rows_of(&[&file], 2).await;
}
