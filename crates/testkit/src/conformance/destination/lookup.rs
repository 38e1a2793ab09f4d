//! What the ledger knows, and how it is asked.

use decant_core::destination::LoadFile;
use decant_core::ledger::{HistoryFilter, KeyRange, KnownFile, Settlement, Status};
use decant_core::schema::ColumnType;

use super::Fixture;
use super::stage::Stage;
use crate::batches;

const KEYS: &[&str] = &[
    "A",
    "Z",
    "a",
    "aa",
    "b",
    "10",
    "9",
    "\u{e9}",
    "e\u{301}",
    "a b",
    "a\nb",
    "a\tb",
    "a'b",
    "a\"b",
    "a%b",
    "a_b",
    "a\\b",
    "a\\\\",
    "%",
    "_",
    "/lead",
    "trail/",
    "a//b",
    "../up",
    "*",
    "🦀",
    "\u{ffff}",
    "\u{10ffff}",
    "a+b",
    "a;b",
    "\u{1}",
];

fn range(first: &str, last: &str) -> KeyRange {
    KeyRange {
        source: "aws".into(),
        bucket: "bucket".into(),
        first: first.into(),
        last: last.into(),
    }
}

async fn known(stage: &Stage<'_>, range: &KeyRange) -> Vec<KnownFile> {
    stage.destination.ledger().known(range).await.expect("what the ledger knows")
}

fn keys(known: &[KnownFile]) -> Vec<&str> {
    known.iter().map(|file| file.key.as_str()).collect()
}

/// A ledger that does not exist knows nothing, and asking does not create it.
pub async fn an_empty_database_knows_nothing_and_stays_empty(fixture: &dyn Fixture) {
    let ledger = fixture.destination_with_ledger("asked").await.ledger();
    let file = batches::load_file(&decant_core::TableName::parse("s.t"), batches::file("a"));
    assert!(ledger.known(&range("", "\u{10ffff}")).await.expect("nothing").is_empty());
    assert!(ledger.loaded("public.orders").await.expect("nothing").is_empty());
    assert!(ledger.rejects(file.id).await.expect("nothing").is_empty());
    assert!(ledger.history(&HistoryFilter::default()).await.expect("nothing").is_empty());
    let name = decant_core::TableName { schema: None, name: "asked".into() };
    let state = fixture.destination().await.describe(&name).await.expect("a state");
    assert_eq!(state.schema, None, "asking created the ledger");
}

/// The ledger is no table for rows, before it is there and afterwards.
pub async fn the_ledger_is_no_place_for_rows(fixture: &dyn Fixture) {
    let destination = fixture.destination().await;
    let name = decant_core::TableName { schema: None, name: "processed_files".into() };
    for key in ["a.csv", "b.csv"] {
        let error = destination.describe(&name).await.expect_err("it is refused");
        assert_eq!(error.kind(), decant_core::ErrorKind::InvalidConfig, "{error}");
        let stage = Stage::new(fixture).await;
        stage.load(&[stage.file(key)], 0).await;
    }
}

/// Keys come in the order of their bytes, whatever the database's collation,
/// and as they were: not normalised, not unescaped, not folded.
pub async fn known_files_come_in_byte_order_of_their_keys(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let long = "k".repeat(1_024);
    let mut expected: Vec<&str> = KEYS.iter().copied().chain([long.as_str()]).collect();
    let files: Vec<LoadFile> = expected.iter().map(|key| stage.file(key)).collect();
    stage.load(&files, 0).await;
    expected.sort_unstable();
    let found = known(&stage, &range("", "\u{10ffff}")).await;
    assert_eq!(keys(&found), expected);
    for (entry, key) in found.iter().zip(&expected) {
        assert_eq!(entry.id, stage.file(key).id);
    }
    for (number, first) in expected.iter().enumerate() {
        let last = expected[(number + 3).min(expected.len() - 1)];
        let found = known(&stage, &range(first, last)).await;
        let end = (number + 4).min(expected.len());
        assert_eq!(keys(&found), expected[number..end], "from {first:?} to {last:?}");
    }
}

/// A range is of one source and bucket, has both of its ends, all versions,
/// members, tables and states.
pub async fn known_files_are_those_of_the_range(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let columns = [("id", ColumnType::Int64), ("note", ColumnType::Text)];
    let elsewhere = Stage::with(fixture, "customers", batches::columns(&columns)).await;
    let [mut bucket, mut source, mut member] = ["m", "m", "m"].map(batches::file);
    bucket.bucket = "other".into();
    source.source = "127.0.0.1:9000".into();
    member.member = "inside.csv".into();
    let inside = [batches::file("m"), batches::version("m", "B"), member, batches::file("n")];
    let outside = [batches::file("l"), batches::file("o"), bucket, source];
    let of_table = |stage: &Stage<'_>, files: &[decant_core::FileVersion]| -> Vec<LoadFile> {
        let load_file = |file: &decant_core::FileVersion| LoadFile {
            only_version: false,
            ..batches::load_file(&stage.table.name, file.clone())
        };
        files.iter().map(load_file).collect()
    };
    stage.load(&of_table(&stage, &outside), 0).await;
    stage.load(&of_table(&stage, &inside), 0).await;
    elsewhere.load(&of_table(&elsewhere, &inside[..1]), 0).await;
    fail(&stage, "mm").await;
    let mut expected: Vec<_> = of_table(&stage, &inside).iter().map(|file| file.id).collect();
    expected.extend([of_table(&elsewhere, &inside)[0].id, stage.file("mm").id]);
    let found = known(&stage, &range("m", "n")).await;
    assert_eq!(keys(&found), ["m", "m", "m", "m", "mm", "n"]);
    let mut found: Vec<_> = found.iter().map(|entry| entry.id).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(known(&stage, &range("n", "m")).await.len(), 0, "a range that is turned round");
}

async fn fail(stage: &Stage<'_>, key: &str) {
    let file = stage.file(key);
    let settlement = Settlement {
        id: file.id,
        file: file.file,
        target_table: stage.name(),
        stream: file.stream,
        run_id: "run-2".into(),
        status: Status::Failed,
        error: "no".into(),
        processing_seconds: 0.0,
        rejects: Vec::new(),
    };
    stage.destination.ledger().settle(&settlement).await.expect("the file is settled");
}

/// `loaded` answers the files of one table whose rows are in it.
pub async fn loaded_files_are_those_of_the_table(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let columns = [("id", ColumnType::Int64), ("note", ColumnType::Text)];
    let elsewhere = Stage::with(fixture, "customers", batches::columns(&columns)).await;
    let [a, b, c] = ["a", "b", "c"].map(|key| stage.file(key));
    stage.load(&[a.clone(), b.clone()], 1).await;
    elsewhere.load(&[elsewhere.file("a")], 1).await;
    stage.load(&[LoadFile { displaces: vec![a.id], ..c.clone() }], 1).await;
    fail(&stage, "d").await;
    let mut loaded = stage.destination.ledger().loaded(&stage.name()).await.expect("the ids");
    loaded.sort_unstable();
    let mut expected = vec![b.id, c.id];
    expected.sort_unstable();
    assert_eq!(loaded, expected);
}

/// History passes table, state and run, and never more than its limit.
pub async fn history_is_filtered_and_the_latest_comes_first(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let columns = [("id", ColumnType::Int64), ("note", ColumnType::Text)];
    let elsewhere = Stage::with(fixture, "customers", batches::columns(&columns)).await;
    stage.load(&[stage.file("1")], 1).await;
    elsewhere.load(&[elsewhere.file("2")], 1).await;
    fail(&stage, "3").await;
    stage.load(&[stage.file("4")], 1).await;
    let all = HistoryFilter::default();
    let of_table = HistoryFilter { table: Some(stage.name()), ..all.clone() };
    let failed = HistoryFilter { status: Some(Status::Failed), ..all.clone() };
    let of_run = HistoryFilter { run_id: Some("run-1".into()), ..all.clone() };
    let two = HistoryFilter { limit: Some(2), ..all.clone() };
    let both = HistoryFilter { status: Some(Status::Loaded), limit: Some(1), ..of_table.clone() };
    let none = HistoryFilter { run_id: Some("run-' OR 1=1".into()), ..all.clone() };
    for (filter, expected) in [
        (&all, ["4", "3", "2", "1"].as_slice()),
        (&of_table, &["4", "3", "1"]),
        (&failed, &["3"]),
        (&of_run, &["4", "2", "1"]),
        (&two, &["4", "3"]),
        (&both, &["4"]),
        (&none, &[]),
    ] {
        let found = stage.destination.ledger().history(filter).await.expect("the history");
        let found: Vec<&str> = found.iter().map(|entry| entry.file.key.as_str()).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

/// Two ledgers in one database know nothing of each other, nor do their
/// rejects mix.
pub async fn ledgers_of_different_names_do_not_mix(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let columns = [("id", ColumnType::Int64), ("note", ColumnType::Text)];
    let other = fixture.destination_with_ledger("other ledger").await;
    let other = Stage::on(fixture, other, "customers", batches::columns(&columns)).await;
    stage.load(&[stage.file("mine")], 1).await;
    other.load(&[other.file("theirs")], 1).await;
    fail(&other, "failed").await;
    let everything = range("", "\u{10ffff}");
    assert_eq!(keys(&known(&stage, &everything).await), ["mine"]);
    assert_eq!(keys(&known(&other, &everything).await), ["failed", "theirs"]);
    assert_eq!(fixture.ledger_rows().await.len(), 1);
    assert_eq!(fixture.rows(&other.table.name, &["id"]).await.len(), 1);
    let again = fixture.destination_with_ledger("other ledger").await;
    let again = Stage { destination: again, table: other.table.clone(), fixture };
    assert_eq!(keys(&known(&again, &everything).await), ["failed", "theirs"]);
}
