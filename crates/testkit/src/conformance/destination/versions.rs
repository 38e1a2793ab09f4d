//! Loads that see different versions of one key: one of them stays.

use decant_core::destination::{Begun, Load, LoadFile, LoadPlan, Outcome};
use decant_core::file::FileId;
use decant_core::ledger::Status;
use decant_core::schema::ColumnType;

use super::Fixture;
use super::claims::WATCHED;
use super::stage::{Stage, assert_all_committed, totals_of};
use crate::batches;

/// A plan that does not know of a version that is loaded already learns of it
/// at the begin; its neighbours are loaded, and nothing is said of the same
/// key in another table. Planned with it, it takes its place.
pub async fn a_version_beside_one_that_was_loaded_meanwhile_is_told(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let columns = [("id", ColumnType::Int64), ("note", ColumnType::Text)];
    let elsewhere = Stage::with(fixture, "customers", batches::columns(&columns)).await;
    elsewhere.load(&[elsewhere.version("b.csv", "A")], 3).await;
    let [theirs, mine] = [stage.version("a.csv", "A"), stage.version("a.csv", "B")];
    let neighbour = stage.version("b.csv", "B");
    stage.load(std::slice::from_ref(&theirs), 3).await;
    let late = stage.again().await;
    let (mut load, overtaken) =
        begin(&late, late.plan(vec![mine.clone(), neighbour.clone()])).await;
    assert_eq!(overtaken, [mine.id]);
    let fresh = std::slice::from_ref(&neighbour);
    let part = late.write(load.as_mut(), fresh, 3).await;
    assert_all_committed(&load.commit(vec![part], totals_of(fresh, 3)).await, 1);
    stage.assert_rows_of(&[&theirs, &neighbour], 3).await;
    stage.assert_status(&theirs, Status::Loaded, 1).await;
    assert!(!stage.ledger().await.contains_key(&mine.id), "nothing was claimed");
    let mine = LoadFile { displaces: vec![theirs.id], ..mine };
    stage.load(std::slice::from_ref(&mine), 3).await;
    stage.assert_rows_of(&[&mine, &neighbour], 3).await;
    stage.assert_status(&theirs, Status::Superseded, 1).await;
}

/// Of two open loads of two versions, neither of which knows of the other,
/// the first commits and the second is told: at its begin, if it had to wait
/// for that, else at its commit.
pub async fn of_two_versions_that_are_loaded_at_once_one_is_told(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let [theirs, mine] = ["A", "B"].map(|etag| [stage.version("a.csv", etag)]);
    let mut first = stage.begin(&theirs).await;
    let part = stage.write(first.as_mut(), &theirs, 3).await;
    let second = stage.again().await;
    let mut beginning = std::pin::pin!(begin(&second, second.plan(mine.to_vec())));
    let early = tokio::time::timeout(WATCHED, &mut beginning).await;
    let written = match early {
        Ok((mut load, overtaken)) => {
            assert_eq!(overtaken, [], "nobody has committed");
            let part = second.write(load.as_mut(), &mine, 5).await;
            Some((load, part))
        }
        Err(_) => None,
    };
    assert_all_committed(&first.commit(vec![part], totals_of(&theirs, 3)).await, 1);
    match written {
        Some((load, part)) => {
            let outcomes = load.commit(vec![part], totals_of(&mine, 5)).await;
            assert!(matches!(outcomes.as_deref(), Ok([Outcome::Overtaken])), "{outcomes:?}");
        }
        None => assert_eq!(beginning.await.1, [mine[0].id]),
    }
    stage.assert_rows_of(&theirs.each_ref(), 3).await;
    stage.assert_status(&theirs[0], Status::Loaded, 1).await;
    assert!(!stage.ledger().await.contains_key(&mine[0].id), "nothing of it is visible");
}

/// Versions that are appended to each other do not ask for one another.
pub async fn versions_that_may_stand_beside_each_other_are_all_kept(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let files = ["A", "B", "C"].map(|etag| {
        let file = stage.version("a.csv", etag);
        LoadFile { only_version: false, ..file }
    });
    stage.load(&files[..1], 3).await;
    let mut second = stage.begin(&files[1..2]).await;
    let part = stage.write(second.as_mut(), &files[1..2], 3).await;
    assert_all_committed(&second.commit(vec![part], totals_of(&files[1..2], 3)).await, 1);
    stage.load(&files[2..], 3).await;
    stage.assert_rows_of(&files.each_ref(), 3).await;
    for file in &files {
        stage.assert_status(file, Status::Loaded, 1).await;
    }
}

/// Many loads at once, each of a version of its own of the same keys in
/// another order, all end; of each key one version stays, with its rows.
pub async fn many_versions_at_once_leave_one_of_each_key(fixture: &dyn Fixture) {
    const KEYS: [&str; 3] = ["a.csv", "b.csv", "c.csv"];
    let stage = Stage::new(fixture).await;
    let loads = (0..6).map(async |turn| {
        let stage = stage.again().await;
        let mut files = KEYS.map(|key| stage.version(key, &format!("version {turn}")));
        files.rotate_left(turn % 3);
        load_over_others(&stage, files.to_vec()).await;
    });
    futures::future::join_all(loads).await;
    let ledger = stage.ledger().await;
    assert_eq!(ledger.len(), 18, "every version was loaded once");
    let mut left: Vec<LoadFile> = Vec::new();
    for entry in ledger.values() {
        match entry.status {
            Status::Loaded => left.push(stage.version(&entry.file.key, &entry.file.etag)),
            status => assert_eq!(status, Status::Superseded, "{}", entry.file),
        }
    }
    let mut keys: Vec<&str> = left.iter().map(|file| file.file.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, KEYS, "one version of each key is loaded");
    stage.assert_rows_of(&left.iter().collect::<Vec<_>>(), 3).await;
}

/// Loads three rows of each file, in place of the versions that are loaded:
/// planned again as often as somebody overtakes the plan.
async fn load_over_others(stage: &Stage<'_>, mut waiting: Vec<LoadFile>) {
    while !waiting.is_empty() {
        let (mut load, overtaken) = begin(stage, stage.plan(waiting.clone())).await;
        let is_ours = |file: &&LoadFile| !overtaken.contains(&file.id);
        let ours: Vec<LoadFile> = waiting.iter().filter(is_ours).cloned().collect();
        let part = stage.write(load.as_mut(), &ours, 3).await;
        let outcomes = load.commit(vec![part], totals_of(&ours, 3)).await;
        match outcomes.expect("the load is answered").as_slice() {
            [Outcome::Overtaken, ..] => {}
            committed => {
                let all = committed.iter().all(|one| matches!(one, Outcome::Committed));
                assert!(all, "{committed:?}");
                waiting.retain(|file| overtaken.contains(&file.id));
            }
        }
        let ledger = stage.ledger().await;
        for file in &mut waiting {
            let others = ledger
                .values()
                .filter(|entry| entry.status == Status::Loaded && entry.file.key == file.file.key);
            file.displaces = others.map(|entry| entry.id).collect();
        }
    }
}

/// Begins a load, and answers the files that were overtaken.
async fn begin(stage: &Stage<'_>, plan: LoadPlan) -> (Box<dyn Load>, Vec<FileId>) {
    match stage.destination.begin(plan).await.expect("the load begins") {
        Begun::Ready { load, already_loaded, overtaken } => {
            assert_eq!(already_loaded, [], "files of this load alone");
            (load, overtaken)
        }
        Begun::SchemaChanged => panic!("the table did not change since the plan was made"),
    }
}
