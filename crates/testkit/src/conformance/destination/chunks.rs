//! Files that are committed in several chunks.

use std::ops::Range;

use decant_core::destination::{Begun, Chunk, FileTotals, Load, LoadFile, Outcome, Part};
use decant_core::error::{ErrorKind, Result};
use decant_core::ledger::{LedgerEntry, LoadedChunk, Settlement, Status};

use super::Fixture;
use super::stage::{Stage, assert_all_committed, note, totals_of};
use crate::batches::{self, totals};

/// The bytes of the chunks into which every file here is cut.
const CUTS: [Range<u64>; 3] = [0..40, 40..80, 80..100];

/// A chunk of a file of 100 bytes; `opens` says that it may be the first.
fn chunk(file: &LoadFile, bytes: Range<u64>, opens: bool) -> LoadFile {
    LoadFile { chunk: Some(Chunk { bytes, chunk_bytes: 40, opens }), ..file.clone() }
}

/// Writes the rows of one chunk: two, numbered by its first byte.
async fn write(stage: &Stage<'_>, load: &mut dyn Load, file: &LoadFile) -> Part {
    let mut writer = load.writer().await.expect("a writer");
    let rows = rows_of_chunk(file);
    stage.write_rows(writer.as_mut(), file, rows).await;
    let rejects = [batches::reject(*rows_of_chunk(file).start())];
    writer.write_rejects(rejects.to_vec()).await.expect("the reject is written");
    writer.finish().await.expect("the part")
}

fn rows_of_chunk(file: &LoadFile) -> std::ops::RangeInclusive<u64> {
    let first = file.chunk.as_ref().map_or(0, |chunk| chunk.bytes.start) + 1;
    first..=first + 1
}

/// Three rows were read of each chunk: two are good and one is bad.
fn of_chunk(file: &LoadFile) -> Vec<FileTotals> {
    vec![FileTotals {
        rows_read: 3,
        rows_rejected: 1,
        rows_checksum: i64::MAX,
        ..totals(file.id, 2)
    }]
}

enum Began {
    Ready(Box<dyn Load>),
    AlreadyLoaded,
    Overtaken,
}

async fn begin(stage: &Stage<'_>, file: &LoadFile) -> Result<Began> {
    match stage.destination.begin(stage.plan(vec![file.clone()])).await? {
        Begun::Ready { already_loaded, .. } if !already_loaded.is_empty() => {
            Ok(Began::AlreadyLoaded)
        }
        Begun::Ready { overtaken, .. } if !overtaken.is_empty() => Ok(Began::Overtaken),
        Begun::Ready { load, .. } => Ok(Began::Ready(load)),
        Begun::SchemaChanged => panic!("the table did not change"),
    }
}

async fn ready(stage: &Stage<'_>, file: &LoadFile) -> Box<dyn Load> {
    match begin(stage, file).await.expect("the load begins") {
        Began::Ready(load) => load,
        Began::AlreadyLoaded => panic!("the chunk is in already"),
        Began::Overtaken => panic!("the file is not loading any more"),
    }
}

async fn load(stage: &Stage<'_>, file: &LoadFile) {
    let mut load = ready(stage, file).await;
    let part = write(stage, load.as_mut(), file).await;
    assert_all_committed(&load.commit(vec![part], of_chunk(file)).await, 1);
}

async fn assert_chunks(stage: &Stage<'_>, file: &LoadFile, chunks: &[Range<u64>]) -> LedgerEntry {
    let ledger = stage.fixture.destination().await.ledger();
    let found = ledger.chunks(file.id).await.expect("the chunks");
    let expected: Vec<LoadedChunk> = chunks
        .iter()
        .map(|bytes| LoadedChunk {
            bytes: bytes.clone(),
            chunk_bytes: 40,
            rows_read: 3,
            rows_copied: 2,
            rows_rejected: 1,
        })
        .collect();
    assert_eq!(found, expected, "the chunks of {}", file.file);
    let mut notes: Vec<String> = chunks
        .iter()
        .flat_map(|bytes| rows_of_chunk(&chunk(file, bytes.clone(), false)))
        .map(|row| note(file, row))
        .collect();
    notes.sort();
    assert_eq!(stage.notes().await, notes, "the rows in the table");
    assert_eq!(stage.rejects(file).await.len(), chunks.len(), "the rejects");
    let ledger = stage.ledger().await;
    let entry = ledger.get(&file.id).expect("a ledger row").clone();
    let sum = chunks.iter().fold(0_i64, |sum, _| sum.wrapping_add(i64::MAX));
    assert_eq!((entry.rows_copied, entry.rows_rejected), (notes.len() as u64, found.len() as u64));
    assert_eq!(entry.rows_checksum, Some(sum), "the checksum of what is in");
    entry
}

async fn assert_gone(stage: &Stage<'_>, file: &LoadFile) {
    stage.assert_status(file, Status::Superseded, 0).await;
    let ledger = stage.fixture.destination().await.ledger();
    assert_eq!(ledger.chunks(file.id).await.expect("no chunks"), [], "of {}", file.file);
    assert_eq!(stage.rejects(file).await, [], "of {}", file.file);
}

/// A file is `loading` until its last chunk is in, in whatever order they
/// come; then it is `loaded` with the sums of all.
pub async fn chunks_are_visible_one_by_one_and_the_last_completes_the_file(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let file = stage.file("a.csv");
    load(&stage, &chunk(&file, CUTS[1].clone(), true)).await;
    let entry = assert_chunks(&stage, &file, &CUTS[1..2]).await;
    assert_eq!((entry.status, entry.attempts, entry.error), (Status::Loading, 0, None));
    load(&stage, &chunk(&file, CUTS[2].clone(), false)).await;
    let has_rows = stage.destination.ledger().loaded(&stage.name()).await.expect("ids");
    assert_eq!(has_rows, [file.id], "an unfinished file has rows in the table");
    load(&stage, &chunk(&file, CUTS[0].clone(), false)).await;
    let entry = assert_chunks(&stage, &file, &CUTS).await;
    assert_eq!((entry.status, entry.attempts, entry.error), (Status::Loaded, 1, None));
    for opens in [true, false] {
        let again = begin(&stage, &chunk(&file, CUTS[1].clone(), opens)).await;
        assert!(matches!(again, Ok(Began::AlreadyLoaded)), "the file is loaded");
    }
}

/// An aborted chunk leaves nothing, and those that are in stay; the next one
/// that opens joins them, as a restart does.
pub async fn a_restart_goes_on_with_the_chunks_that_are_missing(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let file = stage.file("a.csv");
    let mut first = ready(&stage, &chunk(&file, CUTS[0].clone(), true)).await;
    write(&stage, first.as_mut(), &chunk(&file, CUTS[0].clone(), true)).await;
    first.abort().await.expect("the load is aborted");
    stage.assert_nothing_is_visible().await;
    load(&stage, &chunk(&file, CUTS[0].clone(), true)).await;
    let mut second = ready(&stage, &chunk(&file, CUTS[1].clone(), false)).await;
    write(&stage, second.as_mut(), &chunk(&file, CUTS[1].clone(), false)).await;
    drop(second);
    let restarted = stage.again().await;
    let found = begin(&restarted, &chunk(&file, CUTS[0].clone(), true)).await;
    assert!(matches!(found, Ok(Began::AlreadyLoaded)), "the first chunk is in");
    load(&restarted, &chunk(&file, CUTS[1].clone(), true)).await;
    assert_chunks(&stage, &file, &CUTS[..2]).await;
    load(&restarted, &chunk(&file, CUTS[2].clone(), false)).await;
    assert_eq!(assert_chunks(&stage, &file, &CUTS).await.status, Status::Loaded);
}

/// Chunks of one file are loaded beside each other, where the destination
/// takes several loads at a time; each once, whoever brings it.
pub async fn chunks_of_one_file_are_loaded_at_once(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let file = stage.file("a.csv");
    load(&stage, &chunk(&file, CUTS[0].clone(), true)).await;
    let second = [chunk(&file, CUTS[1].clone(), false), chunk(&file, CUTS[2].clone(), false)];
    if stage.destination.capabilities().concurrent_loads > 1 {
        let other = stage.again().await;
        let mut loads = [ready(&stage, &second[0]).await, ready(&other, &second[1]).await];
        let parts = [
            write(&stage, loads[0].as_mut(), &second[0]).await,
            write(&other, loads[1].as_mut(), &second[1]).await,
        ];
        for ((load, part), file) in loads.into_iter().zip(parts).zip(&second) {
            assert_all_committed(&load.commit(vec![part], of_chunk(file)).await, 1);
        }
        assert_eq!(assert_chunks(&stage, &file, &CUTS).await.status, Status::Loaded);
    }
    let twice = stage.file("b.csv");
    let runs = (0..4).map(async |_| {
        let stage = stage.again().await;
        for (number, bytes) in CUTS.into_iter().enumerate() {
            let chunk = chunk(&twice, bytes, number == 0);
            let Began::Ready(mut load) = begin(&stage, &chunk).await.expect("an answer") else {
                continue;
            };
            let part = write(&stage, load.as_mut(), &chunk).await;
            let outcomes = load.commit(vec![part], of_chunk(&chunk)).await.expect("an answer");
            let is_in = matches!(outcomes[..], [Outcome::Committed | Outcome::AlreadyLoaded]);
            assert!(is_in, "{outcomes:?}");
        }
    });
    futures::future::join_all(runs).await;
    stage.assert_status(&twice, Status::Loaded, 1).await;
    let rows = stage.notes().await.into_iter().filter(|row| row.starts_with("b.csv")).count();
    assert_eq!(rows, 6, "each chunk is in once");
}

/// A file that was cut in other places before is refused, and nothing of it
/// is doubled.
pub async fn chunks_that_overlap_are_a_conflict(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let file = stage.file("a.csv");
    load(&stage, &chunk(&file, CUTS[1].clone(), true)).await;
    for bytes in [0..41, 79..80, 50..60, 30..90] {
        for opens in [true, false] {
            match begin(&stage, &chunk(&file, bytes.clone(), opens)).await {
                Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{bytes:?}"),
                Ok(_) => panic!("{bytes:?} overlaps with what is in"),
            }
        }
    }
    assert_chunks(&stage, &file, &CUTS[1..2]).await;
}

/// A file that fails keeps what is in and says why; loaded again it begins
/// anew, whether in chunks or whole.
pub async fn a_file_that_fails_keeps_its_chunks_until_it_begins_anew(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let file = stage.file("a.csv");
    load(&stage, &chunk(&file, CUTS[0].clone(), true)).await;
    let settlement = Settlement {
        id: file.id,
        file: file.file.clone(),
        target_table: stage.name(),
        stream: "stream".into(),
        run_id: "run-2".into(),
        status: Status::Failed,
        error: "the second chunk is bad".into(),
        processing_seconds: 1.0,
        rejects: vec![batches::reject(7)],
    };
    stage.destination.ledger().settle(&settlement).await.expect("the failure is written");
    let entry = assert_chunks(&stage, &file, &CUTS[..1]).await;
    assert_eq!((entry.status, entry.attempts), (Status::Loading, 1));
    assert_eq!(entry.error.as_deref(), Some("the second chunk is bad"));
    load(&stage, &chunk(&file, CUTS[1].clone(), true)).await;
    assert_eq!(assert_chunks(&stage, &file, &CUTS[..2]).await.error, None);
    let anew = LoadFile { again: true, ..chunk(&file, CUTS[2].clone(), true) };
    load(&stage, &anew).await;
    let entry = assert_chunks(&stage, &file, &CUTS[2..]).await;
    assert_eq!((entry.status, entry.attempts), (Status::Loading, 1));
    stage.load(std::slice::from_ref(&file), 3).await;
    stage.assert_rows_of(&[&file], 3).await;
    stage.assert_status(&file, Status::Loaded, 2).await;
    assert_eq!(stage.destination.ledger().chunks(file.id).await.expect("none"), []);
}

/// A newer version takes the place of one that was not finished, whose chunks
/// can then not join any more: neither those that begin nor those that are
/// written.
pub async fn a_newer_version_displaces_an_unfinished_one(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let [old, new] = [stage.version("a.csv", "A"), stage.version("a.csv", "B")];
    load(&stage, &chunk(&old, CUTS[0].clone(), true)).await;
    let mut open = None;
    if stage.destination.capabilities().concurrent_loads > 1 {
        let second = chunk(&old, CUTS[1].clone(), false);
        let mut load = ready(&stage, &second).await;
        let part = write(&stage, load.as_mut(), &second).await;
        open = Some((load, part, second));
    }
    let newer = stage.again().await;
    let new = LoadFile { displaces: vec![old.id], ..new };
    newer.load(std::slice::from_ref(&new), 3).await;
    if let Some((load, part, second)) = open {
        let outcomes = load.commit(vec![part], of_chunk(&second)).await;
        assert!(matches!(outcomes.as_deref(), Ok([Outcome::Overtaken])), "{outcomes:?}");
    }
    for opens in [true, false] {
        let found = begin(&stage, &chunk(&old, CUTS[2].clone(), opens)).await;
        assert!(matches!(found, Ok(Began::Overtaken)), "another version is loaded");
    }
    stage.assert_rows_of(&[&new], 3).await;
    assert_gone(&stage, &old).await;
    // In chunks the newer one displaces likewise.
    let [third, fourth] = [stage.version("c.csv", "A"), stage.version("c.csv", "B")];
    load(&stage, &chunk(&third, CUTS[0].clone(), true)).await;
    load(&stage, &chunk(&LoadFile { displaces: vec![third.id], ..fourth }, CUTS[0].clone(), true))
        .await;
    assert_gone(&stage, &third).await;
}

/// A replace takes away what is in of unfinished files.
pub async fn a_replace_takes_unfinished_files_away(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let [old, new] = [stage.file("old.csv"), stage.file("new.csv")];
    load(&stage, &chunk(&old, CUTS[0].clone(), true)).await;
    let (mut load, _) = stage.begin_plan(stage.replace(std::slice::from_ref(&new))).await;
    let part = stage.write(load.as_mut(), std::slice::from_ref(&new), 3).await;
    let files = std::slice::from_ref(&new);
    assert_all_committed(&load.commit(vec![part], totals_of(files, 3)).await, 1);
    stage.assert_rows_of(&[&new], 3).await;
    assert_gone(&stage, &old).await;
    let gone = begin(&stage, &chunk(&old, CUTS[1].clone(), false)).await;
    assert!(matches!(gone, Ok(Began::Overtaken)), "nothing is there to be joined");
}
