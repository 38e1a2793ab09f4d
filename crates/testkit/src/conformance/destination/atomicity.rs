//! Rows, rejects and ledger rows become visible at once, or none of them do.

use decant_core::destination::{FileTotals, LoadPlan};
use decant_core::error::ErrorKind;
use decant_core::ledger::Status;

use super::stage::{Stage, assert_all_committed, assert_all_failed, totals_of};
use super::{Fixture, NamedRow};
use crate::batches::{moment, reject, totals};

/// After a commit the ledger's row has every column filled with what the
/// plan and the totals said, and the door answers the same as the table.
pub async fn the_ledger_tells_the_whole_story(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let mut file = stage.file("in/größe & co.zip");
    file.file.member = "a/b.csv".into();
    file.file.last_modified = moment(77);
    file.file.version_id = Some("only-for-reading".into());
    file.stream = "orders stream".into();
    let plan = stage.plan(vec![file.clone()]);
    let plan = LoadPlan { load_id: "load-7".into(), run_id: "run-9".into(), ..plan };
    let (mut load, _) = stage.begin_plan(plan).await;
    let part = stage.write(load.as_mut(), std::slice::from_ref(&file), 3).await;
    let totals = FileTotals { rows_checksum: -7, processing_seconds: 1.5, ..totals(file.id, 3) };
    assert_all_committed(&load.commit(vec![part], vec![totals]).await, 1);

    let rows = fixture.ledger_rows().await;
    let [row] = rows.as_slice() else { panic!("one file, one row: {rows:?}") };
    assert_fields(
        row,
        &[
            ("id", &file.id.to_string()),
            ("source", "aws"),
            ("bucket", "bucket"),
            ("key", "in/größe & co.zip"),
            ("member", "a/b.csv"),
            ("etag", "etag-1"),
            ("file_size_bytes", "100"),
            ("target_table", &stage.name()),
            ("stream", "orders stream"),
            ("status", "loaded"),
            ("rows_copied", "3"),
            ("rows_rejected", "0"),
            ("rows_checksum", "-7"),
            ("load_id", "load-7"),
            ("run_id", "run-9"),
            ("attempts", "1"),
        ],
    );
    for column in ["last_modified", "processed_at", "processing_time"] {
        assert!(row.get(column).is_some_and(Option::is_some), "`{column}` is filled: {row:?}");
    }
    assert_eq!(row.get("error"), Some(&None), "the column `error` is there, and NULL");
    assert_entry(&stage, &file).await;
}

fn assert_fields(row: &NamedRow, expected: &[(&str, &str)]) {
    for (column, value) in expected {
        let found = row.get(*column).and_then(Option::as_deref);
        assert_eq!(found, Some(*value), "the ledger's `{column}`");
    }
}

async fn assert_entry(stage: &Stage<'_>, file: &decant_core::destination::LoadFile) {
    let ledger = stage.ledger().await;
    let entry = &ledger[&file.id];
    assert_eq!(entry.file, file.file);
    assert_eq!(entry.file.last_modified, file.file.last_modified, "to the microsecond");
    assert_eq!(entry.file.version_id, None, "the ledger keeps no version ids");
    assert_eq!(entry.target_table, stage.name());
    assert_eq!(entry.stream, "orders stream");
    assert_eq!(entry.status, Status::Loaded);
    assert_eq!((entry.rows_copied, entry.rows_rejected, entry.attempts), (3, 0, 1));
    assert_eq!(entry.rows_checksum, Some(-7));
    assert_eq!((entry.load_id.as_str(), entry.run_id.as_str()), ("load-7", "run-9"));
    assert!((entry.processing_seconds - 1.5).abs() < 1e-6, "{}", entry.processing_seconds);
    let age = chrono::Utc::now() - entry.processed_at;
    assert!(age.num_seconds().abs() < 600, "processed at {}, which is now", entry.processed_at);
    assert_eq!(entry.error, None);
}

/// Nobody sees anything of a load before its commit, and everything after.
pub async fn rows_and_ledger_become_visible_together(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let files = [stage.file("a.csv"), stage.file("b.csv")];
    let mut load = stage.begin(&files).await;
    stage.assert_nothing_is_visible().await;
    let mut writer = load.writer().await.expect("a writer");
    stage.write_file(writer.as_mut(), &files[0], 5).await;
    stage.assert_nothing_is_visible().await;
    stage.write_file(writer.as_mut(), &files[1], 5).await;
    writer.write_rejects(vec![reject(6)]).await.expect("the reject is written");
    let part = writer.finish().await.expect("the part");
    stage.assert_nothing_is_visible().await;
    let mut totals = totals_of(&files, 5);
    totals[1].rows_rejected = 1;
    assert_all_committed(&load.commit(vec![part], totals).await, 2);
    stage.assert_rows_of(&files.each_ref(), 5).await;
    assert_eq!(fixture.ledger_rows().await.len(), 2);
    assert_eq!(fixture.reject_rows().await.len(), 1);
}

/// After an abort nothing is left, and the files can be loaded.
pub async fn an_aborted_load_leaves_nothing(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let files = [stage.file("a.csv"), stage.file("b.csv")];
    let mut load = stage.begin(&files).await;
    let mut writer = load.writer().await.expect("a writer");
    stage.write_file(writer.as_mut(), &files[0], 5).await;
    writer.write_rejects(vec![reject(6)]).await.expect("the reject is written");
    drop(writer);
    load.abort().await.expect("the load is aborted");
    stage.assert_nothing_is_visible().await;
    stage.load(&files, 2).await;
    stage.assert_rows_of(&files.each_ref(), 2).await;
    stage.assert_status(&files[0], Status::Loaded, 1).await;
}

/// A load that is dropped, at whatever point, leaves nothing either, and
/// whoever waits for its files gets them.
pub async fn a_dropped_load_leaves_nothing(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let files = [stage.file("a.csv")];
    let begun = stage.begin(&files).await;
    drop(begun);
    let mut writing = stage.begin(&files).await;
    let mut writer = writing.writer().await.expect("a writer");
    stage.write_file(writer.as_mut(), &files[0], 5).await;
    drop(writer);
    drop(writing);
    let mut finished = stage.begin(&files).await;
    let part = stage.write(finished.as_mut(), &files, 5).await;
    drop((finished, part));
    stage.load(&files, 2).await;
    stage.assert_rows_of(&files.each_ref(), 2).await;
    stage.assert_status(&files[0], Status::Loaded, 1).await;
}

/// Where the engine counted other rows or rejects than the database took,
/// everything fails with `Internal` and nothing is visible.
pub async fn a_row_count_that_does_not_match_fails_everything(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let files = [stage.file("a.csv"), stage.file("b.csv")];
    for (rows_loaded, rows_rejected) in [(4, 0), (2, 0), (3, 1)] {
        let mut load = stage.begin(&files).await;
        let part = stage.write(load.as_mut(), &files, 3).await;
        let mut totals = totals_of(&files, 3);
        (totals[1].rows_loaded, totals[1].rows_rejected) = (rows_loaded, rows_rejected);
        assert_all_failed(&load.commit(vec![part], totals).await, ErrorKind::Internal);
        stage.assert_nothing_is_visible().await;
    }
    stage.load(&files, 3).await;
}

/// An id that the ledger has for another file is an error, never
/// `AlreadyLoaded`.
pub async fn an_id_of_another_file_is_refused(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let file = stage.file("a.csv");
    stage.load(std::slice::from_ref(&file), 1).await;
    let mut other = stage.file("b.csv");
    other.id = file.id;
    let begun = stage.destination.begin(stage.plan(vec![other])).await;
    let error = begun.err().expect("an id that another file has");
    assert!(!error.is_retryable(), "trying again does not help: {error:?}");
    stage.assert_rows_of(&[&file], 1).await;
    stage.assert_status(&file, Status::Loaded, 1).await;
}
