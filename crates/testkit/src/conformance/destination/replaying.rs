//! Rejects are found again, and mended ones join the rows of their file.

use decant_core::destination::{Begun, FileTotals, LoadFile, LoadMode, LoadPlan, Outcome};
use decant_core::error::{Error, ErrorKind, Result};
use decant_core::ledger::{RejectsFilter, Status, StoredReject};
use decant_core::reject::{Reason, Reject};
use decant_core::schema::ColumnType;

use super::Fixture;
use super::stage::{Stage, assert_all_committed, rows_of};
use crate::batches::{self, reject, totals};

const LAYOUT: &str = "{\"names\":[\"id\",\"größe \\\"x\\\"\"]}";

fn repaired(ordinal: u64) -> Reject {
    Reject { reason: Reason::Repaired, ..reject(ordinal) }
}

/// Loads a file with two rows and these rejects.
async fn load_with(stage: &Stage<'_>, file: &LoadFile, rejects: &[Reject]) {
    let mut load = stage.begin(std::slice::from_ref(file)).await;
    let mut writer = load.writer().await.expect("a writer");
    stage.write_file(writer.as_mut(), file, 2).await;
    writer.write_rejects(rejects.to_vec()).await.expect("the rejects are written");
    let part = writer.finish().await.expect("the part");
    let kept = rejects.iter().filter(|reject| reject.reason == Reason::Repaired).count() as u64;
    let totals = FileTotals {
        rows_rejected: rejects.len() as u64 - kept,
        repairs_kept: kept,
        layout: Some(LAYOUT.into()),
        rows_checksum: i64::MAX,
        ..totals(file.id, 2)
    };
    assert_all_committed(&load.commit(vec![part], vec![totals]).await, 1);
}

fn replay(stage: &Stage<'_>, file: &LoadFile) -> LoadPlan {
    let mode = LoadMode::Replay;
    LoadPlan { mode, load_id: "load-2".into(), ..stage.plan(vec![file.clone()]) }
}

/// Writes rows of these numbers that settle these rejects, and commits.
async fn replay_rows(
    stage: &Stage<'_>,
    file: &LoadFile,
    numbers: std::ops::RangeInclusive<u64>,
    settles: &[i64],
    still_bad: &[Reject],
) -> Result<()> {
    let begun = stage.destination.begin(replay(stage, file)).await?;
    let Begun::Ready { mut load, already_loaded, .. } = begun else {
        panic!("the table did not change since the plan was made")
    };
    assert_eq!(already_loaded, [], "a replay asks for files that are loaded");
    let mut writer = load.writer().await?;
    stage.write_file(writer.as_mut(), file, 0).await;
    let rows = rows_of(file, numbers);
    let totals = FileTotals {
        rows_rejected: still_bad.len() as u64,
        rows_checksum: 7,
        settles: settles.to_vec(),
        ..totals(file.id, rows.num_rows() as u64)
    };
    writer.write(rows).await?;
    writer.write_rejects(still_bad.to_vec()).await?;
    let part = writer.finish().await?;
    match load.commit(vec![part], vec![totals]).await?.pop() {
        Some(Outcome::Committed) => Ok(()),
        Some(Outcome::Failed(error)) => Err(error),
        other => panic!("neither committed nor failed: {other:?}"),
    }
}

async fn stored(stage: &Stage<'_>, filter: &RejectsFilter) -> Vec<StoredReject> {
    let ledger = stage.fixture.destination().await.ledger();
    ledger.stored_rejects(filter).await.expect("the rejects")
}

async fn open_rejects(stage: &Stage<'_>) -> Vec<StoredReject> {
    stored(stage, &RejectsFilter { unsettled: true, ..RejectsFilter::default() }).await
}

/// What repairs cut off is kept beside the rejects and not counted among
/// them, and the ledger says how all of it is read.
pub async fn repairs_and_layout_are_kept_with_the_rejects(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let file = stage.file("a.csv");
    load_with(&stage, &file, &[reject(3), repaired(4), repaired(5)]).await;
    assert_eq!(stage.rejects(&file).await, [reject(3), repaired(4), repaired(5)]);
    let entry = &stage.ledger().await[&file.id];
    assert_eq!((entry.rows_copied, entry.rows_rejected), (2, 1));
    assert_eq!(entry.layout.as_deref(), Some(LAYOUT));
    let again = LoadFile { again: true, ..file.clone() };
    stage.load_plan(stage.plan(vec![again]), 1).await;
    assert_eq!(stage.ledger().await[&file.id].layout, None, "without rejects there is none");
}

/// Stored rejects carry their file's ledger row, and every filter holds.
pub async fn stored_rejects_are_filtered_and_paged(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    assert_eq!(stored(&stage, &RejectsFilter::default()).await.len(), 0);
    let columns = [("id", ColumnType::Int64), ("note", ColumnType::Text)];
    let elsewhere = Stage::with(fixture, "customers", batches::columns(&columns)).await;
    let [one, two] = [stage.file("in/50%_a.csv"), stage.file("in/b.csv")];
    let mut member = batches::file("in/c.zip");
    member.member = "inside.csv".into();
    let other = batches::load_file(&elsewhere.table.name, member);
    load_with(&stage, &one, &[reject(9), reject(3), repaired(4)]).await;
    load_with(&stage, &two, &[Reject { reason: Reason::FieldCount, ..reject(1) }]).await;
    load_with(&elsewhere, &other, &[reject(5)]).await;
    let all = RejectsFilter::default();
    let of = |file: &LoadFile| RejectsFilter { file: Some(file.id), ..RejectsFilter::default() };
    let within = |part: &str| RejectsFilter { key_contains: Some(part.into()), ..all.clone() };
    for (filter, expected) in [
        (all.clone(), &[1, 3, 4, 5, 9][..]),
        (RejectsFilter { table: Some(stage.name()), ..all.clone() }, &[1, 3, 4, 9]),
        (of(&one), &[3, 4, 9]),
        (within("50%_"), &[3, 4, 9]),
        (within("0_"), &[]),
        (within("zip!/inside"), &[5]),
        (RejectsFilter { run_id: Some("run-1".into()), ..of(&two) }, &[1]),
        (RejectsFilter { run_id: Some("run-' OR 1=1".into()), ..all.clone() }, &[]),
        (RejectsFilter { reason: Some("field_count".into()), ..all.clone() }, &[1]),
    ] {
        let mut found: Vec<u64> =
            stored(&stage, &filter).await.iter().map(|stored| stored.reject.ordinal).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{filter:?}");
    }
    let whole = stored(&stage, &all).await;
    assert!(whole.iter().all(|stored| stored.settled_at.is_none()));
    assert!(whole.iter().all(|stored| stored.file.layout.as_deref() == Some(LAYOUT)));
    let of_one = whole.iter().find(|stored| stored.reject.ordinal == 9).expect("it is there");
    assert_eq!((of_one.file.id, &of_one.reject), (one.id, &reject(9)));
    assert_eq!(pages(&stage).await, whole.iter().map(|stored| stored.id).collect::<Vec<_>>());
}

/// The ids of all rejects, asked for two at a time.
async fn pages(stage: &Stage<'_>) -> Vec<i64> {
    let mut filter = RejectsFilter { limit: Some(2), ..RejectsFilter::default() };
    let mut ids = Vec::new();
    loop {
        let page = stored(stage, &filter).await;
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { return ids };
        filter.after = Some((last.file.id, last.id));
        ids.extend(page.iter().map(|stored| stored.id));
    }
}

/// A replay adds its rows to those of the file, settles what it mended, keeps
/// what is still bad, and counts all of it; the file stays the load's that
/// loaded it.
pub async fn a_replay_adds_rows_and_settles_rejects(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let file = stage.file("a.csv");
    load_with(&stage, &file, &[reject(3), reject(4), reject(5), repaired(1)]).await;
    let before = stage.ledger().await[&file.id].clone();
    let ids: Vec<i64> = open_rejects(&stage).await.iter().map(|stored| stored.id).collect();
    replay_rows(&stage, &file, 3..=4, &ids[..2], &[]).await.expect("the replay is committed");
    stage.assert_rows_of(&[&file], 4).await;
    let entry = &stage.ledger().await[&file.id];
    assert_eq!((entry.rows_copied, entry.rows_rejected), (4, 1));
    assert_eq!(entry.rows_checksum, Some(i64::MAX.wrapping_add(7)), "sums wrap");
    assert_eq!(
        (entry.status, entry.attempts, &entry.load_id, entry.processed_at),
        (Status::Loaded, before.attempts, &before.load_id, before.processed_at)
    );
    assert_eq!(entry.layout, before.layout);
    let open = open_rejects(&stage).await;
    let ordinals: Vec<u64> = open.iter().map(|stored| stored.reject.ordinal).collect();
    assert_eq!(ordinals, [5, 1]);
    let settled = stored(&stage, &RejectsFilter::default()).await;
    assert_eq!(settled.iter().filter(|stored| stored.settled_at.is_some()).count(), 2);
    let still_bad = [reject(6)];
    replay_rows(&stage, &file, 5..=5, &ids[2..3], &still_bad).await.expect("it is committed");
    let entry = &stage.ledger().await[&file.id];
    assert_eq!((entry.rows_copied, entry.rows_rejected), (5, 1));
}

/// What is settled, was never a reject, or belongs to another file fails a
/// replay, and nothing of it is visible.
pub async fn a_replay_of_what_is_settled_is_refused(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let [file, other] = [stage.file("a.csv"), stage.file("b.csv")];
    load_with(&stage, &file, &[reject(3), repaired(4)]).await;
    load_with(&stage, &other, &[reject(9)]).await;
    let all = stored(&stage, &RejectsFilter::default()).await;
    let id_of = |ordinal: u64| {
        all.iter().find(|stored| stored.reject.ordinal == ordinal).expect("it is there").id
    };
    replay_rows(&stage, &file, 3..=3, &[id_of(3)], &[]).await.expect("the replay is committed");
    for settles in [id_of(3), id_of(4), id_of(9), 987_654] {
        let error = replay_rows(&stage, &file, 4..=4, &[settles], &[]).await.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Conflict, "{}", error.chain());
    }
    let entry = &stage.ledger().await[&file.id];
    assert_eq!((entry.rows_copied, entry.rows_rejected), (3, 0));
    let mut expected: Vec<String> =
        (1..=3).map(|number| super::stage::note(&file, number)).collect();
    expected.extend((1..=2).map(|number| super::stage::note(&other, number)));
    assert_eq!(stage.notes().await, expected);
}

/// Of replays of one reject at the same time, exactly one commits.
pub async fn replays_of_one_reject_commit_once(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let file = stage.file("a.csv");
    load_with(&stage, &file, &[reject(3)]).await;
    let id = open_rejects(&stage).await[0].id;
    let replays = (0..4).map(async |_| {
        let stage = stage.again().await;
        replay_rows(&stage, &file, 3..=3, &[id], &[]).await
    });
    let ends: Vec<Result<(), Error>> = futures::future::join_all(replays).await;
    assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 1, "{ends:?}");
    let refused = ends.into_iter().filter_map(Result::err);
    refused.for_each(|error| assert_eq!(error.kind(), ErrorKind::Conflict));
    stage.assert_rows_of(&[&file], 3).await;
}

/// Rejects are not replayed into files that are not (or no longer) loaded.
pub async fn a_file_that_is_not_loaded_takes_no_replay(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let [old, new] = [stage.version("a.csv", "A"), stage.version("a.csv", "B")];
    load_with(&stage, &old, &[reject(3)]).await;
    let id = open_rejects(&stage).await[0].id;
    stage.load(&[LoadFile { displaces: vec![old.id], ..new.clone() }], 1).await;
    for file in [&old, &stage.file("never.csv")] {
        let error = replay_rows(&stage, file, 3..=3, &[id], &[]).await.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Conflict, "{}", error.chain());
    }
    stage.assert_rows_of(&[&new], 1).await;
}

/// A replay that is given up leaves rows, rejects and counts as they were.
pub async fn an_aborted_replay_leaves_everything_as_it_was(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let file = stage.file("a.csv");
    load_with(&stage, &file, &[reject(3)]).await;
    let (mut load, _) = stage.begin_plan(replay(&stage, &file)).await;
    let mut writer = load.writer().await.expect("a writer");
    stage.write_file(writer.as_mut(), &file, 0).await;
    writer.write(rows_of(&file, 3..=3)).await.expect("the row is written");
    drop(writer);
    load.abort().await.expect("the replay is aborted");
    stage.assert_rows_of(&[&file], 2).await;
    assert_eq!(open_rejects(&stage).await.len(), 1);
    let entry = &stage.ledger().await[&file.id];
    assert_eq!((entry.rows_copied, entry.rows_rejected), (2, 1));
}
