//! Files that end without rows.

use decant_core::destination::LoadFile;
use decant_core::ledger::{REJECTS_KEPT, Settlement, Status};

use super::Fixture;
use super::stage::Stage;
use crate::batches::reject;

fn settlement(stage: &Stage<'_>, file: &LoadFile, status: Status) -> Settlement {
    Settlement {
        id: file.id,
        file: file.file.clone(),
        target_table: stage.name(),
        stream: file.stream.clone(),
        run_id: "run-2".into(),
        status,
        error: "line 3: `12,50` is not a number".into(),
        processing_seconds: 0.5,
        rejects: vec![reject(1), reject(2)],
    }
}

async fn settle(stage: &Stage<'_>, settlement: &Settlement) {
    stage.destination.ledger().settle(settlement).await.expect("the file is settled");
}

/// Failed, skipped and vanished files get a row with the reason, and keep
/// their rejects. Nothing had to exist before.
pub async fn a_file_without_rows_is_settled_with_its_reason(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    for status in [Status::Failed, Status::Skipped, Status::Vanished] {
        let file = stage.file(status.as_str());
        let settlement = settlement(&stage, &file, status);
        settle(&stage, &settlement).await;
        stage.assert_status(&file, status, 1).await;
        let ledger = stage.ledger().await;
        let entry = &ledger[&file.id];
        assert_eq!(entry.file, file.file);
        assert_eq!(entry.target_table, stage.name());
        assert_eq!(entry.error.as_deref(), Some(settlement.error.as_str()));
        assert_eq!(entry.run_id, "run-2");
        assert_eq!((entry.rows_copied, entry.rows_rejected), (0, 2));
        assert_eq!(entry.rows_checksum, None);
        assert!((entry.processing_seconds - 0.5).abs() < 1e-6);
        assert_eq!(stage.rejects(&file).await, settlement.rejects);
    }
}

/// Each further end counts an attempt and replaces error and rejects.
pub async fn settling_again_counts_attempts(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let file = stage.file("a.csv");
    for attempt in 1..4 {
        let rejects = vec![reject(u64::from(attempt))];
        let error = format!("attempt {attempt}");
        let base = settlement(&stage, &file, Status::Failed);
        settle(&stage, &Settlement { rejects: rejects.clone(), error: error.clone(), ..base })
            .await;
        stage.assert_status(&file, Status::Failed, attempt).await;
        assert_eq!(stage.rejects(&file).await, rejects);
        assert_eq!(stage.ledger().await[&file.id].error, Some(error));
    }
    settle(&stage, &settlement(&stage, &file, Status::Skipped)).await;
    stage.assert_status(&file, Status::Skipped, 4).await;
}

/// A file that somebody loaded meanwhile stays loaded, with its rejects.
pub async fn settling_leaves_a_loaded_file_alone(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let file = stage.file("a.csv");
    stage.load(std::slice::from_ref(&file), 3).await;
    let before = fixture.ledger_rows().await;
    settle(&stage, &settlement(&stage, &file, Status::Failed)).await;
    assert_eq!(fixture.ledger_rows().await, before);
    assert_eq!(stage.rejects(&file).await, []);
    stage.assert_rows_of(&[&file], 3).await;
}

/// A file that failed is loaded like a new one; its attempts go on, its error
/// and its old rejects are gone.
pub async fn a_file_that_failed_can_be_loaded(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let file = stage.file("a.csv");
    settle(&stage, &settlement(&stage, &file, Status::Failed)).await;
    stage.load(std::slice::from_ref(&file), 3).await;
    stage.assert_status(&file, Status::Loaded, 2).await;
    assert_eq!(stage.ledger().await[&file.id].error, None);
    assert_eq!(stage.rejects(&file).await, []);
    assert_eq!(fixture.reject_rows().await, []);
}

/// Of a failed file with many rejects, at least the first hundred are kept,
/// and no file keeps more than it has.
pub async fn only_the_first_rejects_of_a_failed_file_are_kept(fixture: &dyn Fixture) {
    let stage = Stage::new(fixture).await;
    let file = stage.file("a.csv");
    let rejects: Vec<_> = (1..=REJECTS_KEPT as u64).map(reject).collect();
    let base = settlement(&stage, &file, Status::Failed);
    settle(&stage, &Settlement { rejects: rejects.clone(), ..base }).await;
    assert_eq!(stage.rejects(&file).await, rejects);
    assert_eq!(fixture.reject_rows().await.len(), REJECTS_KEPT);
    assert_eq!(stage.ledger().await[&file.id].rows_rejected, REJECTS_KEPT as u64);
}
