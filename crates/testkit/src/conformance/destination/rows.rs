//! Rows arrive, all of them, in the columns that they were sent to.

use decant_core::destination::TableState;
use decant_core::ledger::Status;
use decant_core::schema::{ColumnType, FILE_ID_COLUMN, TableName};

use super::stage::{Stage, assert_all_committed, rows_of, totals_of};
use super::{Fixture, Tampering};
use crate::batches::batch;

/// One load takes several batches of several files, and each row carries its
/// file's id.
pub async fn several_batches_of_several_files_load_at_once(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let files = [stage.file("b.csv"), stage.file("a.csv"), stage.file("c.csv")];
    let mut load = stage.begin(&files).await;
    let mut writer = load.writer().await.expect("a writer");
    for file in &files {
        stage.write_file(writer.as_mut(), file, 3).await;
        writer.write(rows_of(file, 4..=4)).await.expect("a second batch");
        writer.write(rows_of(file, 5..=7)).await.expect("a third batch");
    }
    let part = writer.finish().await.expect("the part");
    assert_eq!((part.rows, part.rejects), (21, 0));
    assert_all_committed(&load.commit(vec![part], totals_of(&files, 7)).await, 3);
    stage.assert_rows_of(&files.each_ref(), 7).await;
    for file in &files {
        stage.assert_status(file, Status::Loaded, 1).await;
    }
    assert_file_ids(&stage).await;
}

async fn assert_file_ids(stage: &Stage<'_>) {
    for row in stage.fixture.rows(&stage.table.name, &["note", FILE_ID_COLUMN]).await {
        let [Some(note), Some(id)] = row.as_slice() else { panic!("a row without file: {row:?}") };
        let key = note.split(' ').next().expect("the key");
        assert_eq!(*id, stage.file(key).id.to_string(), "of `{note}`");
    }
}

/// A load has one writer after another, and commits the parts of all.
pub async fn writers_may_follow_each_other(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let files = [stage.file("a.csv"), stage.file("b.csv")];
    let mut load = stage.begin(&files).await;
    let mut parts = Vec::new();
    for file in &files {
        parts.push(stage.write(load.as_mut(), std::slice::from_ref(file), 3).await);
    }
    assert_all_committed(&load.commit(parts, totals_of(&files, 3)).await, 2);
    stage.assert_rows_of(&files.each_ref(), 3).await;
}

/// Columns that a file does not have get their default, or NULL, in a table
/// of others and without `_file_id`.
pub async fn columns_left_out_get_their_default(fixture: &dyn Fixture) {
    let table = theirs(fixture).await;
    let stage = Stage { fixture, destination: fixture.destination().await, table };
    let files = [stage.file("a.csv")];
    let mut load = stage.begin(&files).await;
    let mut writer = load.writer().await.expect("a writer");
    let positions = stage.positions(&["id"]);
    writer.start_file(files[0].id, &positions).await.expect("the file is started");
    let rows = batch(&[("id", ColumnType::Int64)], &[&[Some("1")]]);
    writer.write(rows).await.expect("the row is written");
    let part = writer.finish().await.expect("the part");
    assert_all_committed(&load.commit(vec![part], totals_of(&files, 1)).await, 1);
    let rows = fixture.rows(&stage.table.name, &["id", "tally", "note"]).await;
    assert_eq!(rows, [[Some("1".to_owned()), Some("7".to_owned()), None]]);
}

async fn theirs(fixture: &dyn Fixture) -> TableState {
    let destination = fixture.destination().await;
    let asked = TableName { schema: None, name: "theirs".into() };
    let table = destination.describe(&asked).await.expect("a state").name;
    fixture.tamper(&Tampering::CreateWithDefault(table.clone())).await;
    destination.describe(&table).await.expect("a state")
}

/// The columns of a file come in the order that was announced, another for
/// each file of a load.
pub async fn columns_may_come_in_any_order(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let files = [stage.file("a.csv"), stage.file("b.csv")];
    let mut load = stage.begin(&files).await;
    let mut writer = load.writer().await.expect("a writer");
    stage.write_file(writer.as_mut(), &files[0], 1).await;
    let positions = stage.positions(&[FILE_ID_COLUMN, "note", "id"]);
    writer.start_file(files[1].id, &positions).await.expect("the file is started");
    let turned = rows_of(&files[1], 1..=1).project(&[2, 1, 0]).expect("the columns turned round");
    writer.write(turned).await.expect("the row is written");
    let part = writer.finish().await.expect("the part");
    assert_all_committed(&load.commit(vec![part], totals_of(&files, 1)).await, 2);
    stage.assert_rows_of(&files.each_ref(), 1).await;
    let ids = fixture.rows(&stage.table.name, &["id"]).await;
    assert_eq!(ids, [[Some("1".to_owned())], [Some("1".to_owned())]]);
}

/// A file without a single row is loaded like any other.
pub async fn a_file_without_rows_is_loaded(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let file = stage.file("empty.csv");
    stage.load(std::slice::from_ref(&file), 0).await;
    stage.assert_rows_of(&[], 0).await;
    stage.assert_status(&file, Status::Loaded, 1).await;
    let (load, already_loaded) = stage.begin_plan(stage.plan(vec![file.clone()])).await;
    assert_eq!(already_loaded, [file.id]);
    load.abort().await.expect("nothing to leave");
}
