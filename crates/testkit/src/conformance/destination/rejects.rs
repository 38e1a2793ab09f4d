//! Rejects are kept as they are and share the fate of their file.

use decant_core::destination::{FileTotals, Load, LoadFile};
use decant_core::reject::{Reason, Reject};

use super::Fixture;
use super::stage::{Stage, assert_all_committed};
use crate::batches::{reject, totals};

/// Rejects with everything in them that is hard to keep.
fn awkward() -> Vec<Reject> {
    let bare = |ordinal, reason, raw: &[u8]| Reject {
        ordinal,
        line: None,
        byte_offset: None,
        column: None,
        reason,
        detail: String::new(),
        raw: raw.to_vec(),
    };
    vec![
        reject(1),
        bare(2, Reason::FieldCount, b""),
        bare(3, Reason::Encoding, b"caf\xe9,\x00,\xff\xfe"),
        bare(4, Reason::Quote, "\"never closed\r\n🦀\\".as_bytes()),
        bare(5, Reason::TooLong, &[b'x'; 70_000]),
        bare(6, Reason::Database, &(0..=255).collect::<Vec<u8>>()),
        Reject {
            line: Some(1 << 40),
            byte_offset: Some(1 << 50),
            column: Some("größe \"x\"; '%s'".into()),
            detail: "a 'quoted' \\ detail\nof two lines 🦀".into(),
            ..bare(1 << 33, Reason::Type, b"raw")
        },
    ]
}

/// Loads a file of so many rows and these rejects.
async fn load_with(stage: &Stage<'_>, file: &LoadFile, rows: u64, rejects: &[Reject]) {
    let mut load = stage.begin(std::slice::from_ref(file)).await;
    let rows_rejected = rejects.len() as u64;
    let part = write_with(stage, load.as_mut(), file, rows, rejects).await;
    assert_eq!((part.rows, part.rejects), (rows, rows_rejected));
    let totals = FileTotals { rows_rejected, ..totals(file.id, rows) };
    assert_all_committed(&load.commit(vec![part], vec![totals]).await, 1);
}

async fn write_with(
    stage: &Stage<'_>,
    load: &mut dyn Load,
    file: &LoadFile,
    rows: u64,
    rejects: &[Reject],
) -> decant_core::destination::Part {
    let mut writer = load.writer().await.expect("a writer");
    stage.write_file(writer.as_mut(), file, rows).await;
    for some in rejects.chunks(3) {
        writer.write_rejects(some.to_vec()).await.expect("the rejects are written");
    }
    writer.finish().await.expect("the part")
}

/// What was rejected comes back by ordinal: NUL bytes, bytes that are no
/// text, fields that are missing.
pub async fn rejects_come_back_byte_for_byte(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let file = stage.file("a.csv");
    let mut shuffled = awkward();
    shuffled.reverse();
    load_with(&stage, &file, 2, &shuffled).await;
    assert_eq!(stage.rejects(&file).await, awkward());
    let rows = fixture.reject_rows().await;
    assert_eq!(rows.len(), shuffled.len());
    for row in rows {
        assert_eq!(row["file_id"].as_deref(), Some(file.id.to_string().as_str()));
        assert!(row["reason"].is_some() && row["raw"].is_some() && row["rejected_at"].is_some());
        assert_eq!(row["settled_at"], None);
    }
    assert_eq!(stage.rejects(&stage.file("other.csv")).await, []);
}

/// Rejects become visible with the rows and are counted in the ledger.
pub async fn rejects_are_committed_with_the_rows(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let file = stage.file("a.csv");
    let mut load = stage.begin(std::slice::from_ref(&file)).await;
    let part = write_with(&stage, load.as_mut(), &file, 2, &[reject(3)]).await;
    stage.assert_nothing_is_visible().await;
    let totals = FileTotals { rows_rejected: 1, ..totals(file.id, 2) };
    assert_all_committed(&load.commit(vec![part], vec![totals]).await, 1);
    assert_eq!(stage.rejects(&file).await, [reject(3)]);
    let entry = &stage.ledger().await[&file.id];
    assert_eq!((entry.rows_copied, entry.rows_rejected), (2, 1));
    stage.assert_rows_of(&[&file], 2).await;
}

/// A file that is loaded again has the rejects of the last attempt only.
pub async fn rejects_are_replaced_by_the_next_attempt(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let [file, other] = [stage.file("a.csv"), stage.file("b.csv")];
    load_with(&stage, &other, 1, &[reject(9)]).await;
    load_with(&stage, &file, 1, &[reject(2), reject(3)]).await;
    let again = LoadFile { again: true, ..file.clone() };
    load_with(&stage, &again, 1, &[reject(4)]).await;
    assert_eq!(stage.rejects(&file).await, [reject(4)]);
    load_with(&stage, &again, 1, &[]).await;
    assert_eq!(stage.rejects(&file).await, []);
    assert_eq!(stage.rejects(&other).await, [reject(9)], "the neighbour's stay");
}

/// The rejects of a displaced file, or of a replaced table, go with its rows.
pub async fn rejects_leave_with_a_displaced_file(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let [old, new] = [stage.version("a.csv", "A"), stage.version("a.csv", "B")];
    load_with(&stage, &old, 1, &[reject(2)]).await;
    let new = LoadFile { displaces: vec![old.id], ..new };
    load_with(&stage, &new, 1, &[reject(3)]).await;
    assert_eq!(stage.rejects(&old).await, []);
    assert_eq!(stage.rejects(&new).await, [reject(3)]);
    stage.load_plan(stage.replace(&[stage.file("b.csv")]), 1).await;
    assert_eq!(fixture.reject_rows().await, []);
}
