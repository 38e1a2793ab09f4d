//! Several loads meet: each file is loaded once, and nobody waits for ever.

use std::time::Duration;

use decant_core::destination::{Begun, LoadFile, Outcome, TableChange};
use decant_core::ledger::Status;
use decant_core::schema::ColumnType;

use super::Fixture;
use super::stage::{Stage, assert_all_committed, totals_of};
use crate::batches;

/// How long somebody is watched who must not get on.
pub(super) const WATCHED: Duration = Duration::from_millis(300);

/// A file that the ledger has as loaded is told at the begin, its neighbours
/// are loaded.
pub async fn a_loaded_file_is_not_loaded_twice(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let [old, new] = [stage.file("old.csv"), stage.file("new.csv")];
    stage.load(std::slice::from_ref(&old), 2).await;
    let elsewhere = stage.again().await;
    let plan = elsewhere.plan(vec![old.clone(), new.clone()]);
    let (mut load, already_loaded) = elsewhere.begin_plan(plan).await;
    assert_eq!(already_loaded, [old.id]);
    let fresh = std::slice::from_ref(&new);
    let part = elsewhere.write(load.as_mut(), fresh, 2).await;
    assert_all_committed(&load.commit(vec![part], totals_of(fresh, 2)).await, 1);
    stage.assert_rows_of(&[&old, &new], 2).await;
    stage.assert_status(&old, Status::Loaded, 1).await;
}

/// Of two loads of one file, the second waits, without an error, until the
/// first has committed, and then is told that the file is loaded.
pub async fn two_loads_of_one_file_commit_once(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let files = [stage.file("a.csv")];
    let mut first = stage.begin(&files).await;
    let part = stage.write(first.as_mut(), &files, 3).await;
    let second = stage.again().await;
    let mut late = std::pin::pin!(load_what_is_new(&second, &files));
    let early = tokio::time::timeout(WATCHED, &mut late).await;
    assert!(early.is_err(), "the second load waits for the first");
    assert_all_committed(&first.commit(vec![part], totals_of(&files, 3)).await, 1);
    assert_eq!(late.await, 0, "files that the second load committed");
    stage.assert_rows_of(&files.each_ref(), 3).await;
    stage.assert_status(&files[0], Status::Loaded, 1).await;
}

/// Where the first of two loads gives up, the second loads the file.
pub async fn the_second_load_goes_on_when_the_first_gives_up(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let files = [stage.file("a.csv")];
    let mut first = stage.begin(&files).await;
    stage.write(first.as_mut(), &files, 5).await;
    let second = stage.again().await;
    let mut late = std::pin::pin!(load_what_is_new(&second, &files));
    let early = tokio::time::timeout(WATCHED, &mut late).await;
    assert!(early.is_err(), "the second load waits for the first");
    first.abort().await.expect("the first load is aborted");
    assert_eq!(late.await, 1, "files that the second load committed");
    stage.assert_rows_of(&files.each_ref(), 3).await;
    stage.assert_status(&files[0], Status::Loaded, 1).await;
}

/// Loads of different files into one table all commit, whether they run
/// beside each other or queue.
pub async fn loads_of_different_files_all_commit(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let groups: Vec<Vec<LoadFile>> = (0..6)
        .map(|group| (0..3).map(|file| stage.file(&format!("{group}/{file}"))).collect())
        .collect();
    let loads = groups.iter().map(async |files| {
        let stage = stage.again().await;
        load_what_is_new(&stage, files).await
    });
    assert_eq!(futures::future::join_all(loads).await, [3; 6], "files committed by each load");
    let files: Vec<&LoadFile> = groups.iter().flatten().collect();
    stage.assert_rows_of(&files, 3).await;
}

/// Many loads of overlapping files, each with another order of them, end, and
/// each file is loaded by exactly one.
pub async fn overlapping_groups_in_different_orders_never_deadlock(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let files: Vec<LoadFile> = (0..12).map(|file| stage.file(&format!("{file}.csv"))).collect();
    let loads = (0..8).map(async |turn| {
        let stage = stage.again().await;
        let mut mine = files.clone();
        mine.rotate_left(turn * 5 % 12);
        if turn % 2 == 1 {
            mine.reverse();
        }
        mine.truncate(7);
        load_what_is_new(&stage, &mine).await
    });
    let committed: usize = futures::future::join_all(loads).await.into_iter().sum();
    assert_eq!(committed, files.len(), "files committed by all loads");
    stage.assert_rows_of(&files.iter().collect::<Vec<_>>(), 3).await;
    assert!(stage.ledger().await.values().all(|entry| entry.attempts == 1));
}

/// Two loads of the same three files in opposite orders, which both meet a
/// held file in the middle, end once it is let go.
pub async fn groups_that_meet_at_a_held_file_never_deadlock(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let mut files = ["a", "b", "c"].map(|key| stage.file(key));
    files.sort_by_key(|file| file.id);
    let held = stage.begin(&files[1..2]).await;
    let [upwards, downwards] = [stage.again().await, stage.again().await];
    let mut turned = files.clone();
    turned.reverse();
    let both = futures::future::join(
        load_what_is_new(&upwards, &files),
        load_what_is_new(&downwards, &turned),
    );
    let mut both = std::pin::pin!(both);
    let early = tokio::time::timeout(WATCHED, &mut both).await;
    assert!(early.is_err(), "both loads wait for the held file, or for each other");
    held.abort().await.expect("the held file is let go");
    let (one, other) = both.await;
    assert_eq!(one + other, files.len(), "files that either load committed");
    stage.assert_rows_of(&files.each_ref(), 3).await;
}

/// Appends and replaces that run beside each other leave the table with the
/// rows of exactly those files that the ledger has as loaded.
pub async fn appends_beside_replaces_keep_rows_and_ledger_together(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let files: Vec<LoadFile> = (0..12).map(|file| stage.file(&format!("{file}.csv"))).collect();
    let loads = files.iter().enumerate().map(async |(turn, file)| {
        let stage = stage.again().await;
        let files = std::slice::from_ref(file);
        let plan = if turn % 3 == 2 { stage.replace(files) } else { stage.plan(files.to_vec()) };
        stage.load_plan(plan, 2).await;
    });
    futures::future::join_all(loads).await;
    let ledger = stage.ledger().await;
    let is_loaded = |file: &&LoadFile| ledger[&file.id].status == Status::Loaded;
    let loaded: Vec<&LoadFile> = files.iter().filter(is_loaded).collect();
    assert!(!loaded.is_empty(), "the last load's file is loaded");
    stage.assert_rows_of(&loaded, 2).await;
}

/// A change of a table waits for the loads that are open on it, and they
/// commit into the table that they were planned for.
pub async fn a_change_waits_for_open_loads(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let files = [stage.file("a.csv")];
    let mut load = stage.begin(&files).await;
    let part = stage.write(load.as_mut(), &files, 3).await;
    let other = stage.again().await;
    let change = TableChange::AddColumns {
        table: stage.table.name.clone(),
        columns: batches::columns(&[("amount", ColumnType::Float64)]),
    };
    let mut late = std::pin::pin!(other.destination.apply(&change, false));
    let early = tokio::time::timeout(WATCHED, &mut late).await;
    assert!(early.is_err(), "the change waits for the load");
    assert_all_committed(&load.commit(vec![part], totals_of(&files, 3)).await, 1);
    late.await.expect("the column is added");
    assert_eq!(fixture.rows(&stage.table.name, &["amount"]).await, [[None], [None], [None]]);
}

/// Loads three rows of each of those files that nobody has loaded, and
/// answers how many were committed. Destinations that learn of a rival at
/// commit alone may answer `AlreadyLoaded` there; the load is then begun
/// again for the others.
async fn load_what_is_new(stage: &Stage<'_>, files: &[LoadFile]) -> usize {
    let mut wanted = files.to_vec();
    let mut committed = 0;
    while !wanted.is_empty() {
        let plan = stage.plan(wanted.clone());
        let begun = stage.destination.begin(plan).await.expect("the load begins, perhaps later");
        let Begun::Ready { mut load, already_loaded, overtaken } = begun else {
            panic!("nobody changed the table");
        };
        assert_eq!(overtaken, [], "files of one version each");
        wanted.retain(|file| !already_loaded.contains(&file.id));
        let part = stage.write(load.as_mut(), &wanted, 3).await;
        let outcomes = load.commit(vec![part], totals_of(&wanted, 3)).await;
        let outcomes = outcomes.expect("the load is committed");
        let mut settled = outcomes.iter().map(|outcome| match outcome {
            Outcome::Committed => true,
            Outcome::AlreadyLoaded => false,
            other => panic!("neither committed nor loaded by a rival: {other:?}"),
        });
        committed += settled.clone().filter(|is_mine| *is_mine).count();
        let is_over = settled.all(|is_mine| is_mine);
        wanted.retain(|_| !is_over);
    }
    committed
}
