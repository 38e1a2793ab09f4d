//! Rows that the destination refuses.

use decant_core::Stream;
use decant_core::reject::Reason;
use decant_core::stream::{MaxRejects, OnError, WriteMode};
use decant_engine::RunStatus;

use crate::world::{World, stream_of};

fn rejecting() -> Stream {
    stream_of(OnError::Reject)
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_rows_become_rejects_and_the_rest_is_loaded() {
    let replacing = Stream { write_mode: WriteMode::Replace, ..rejecting() };
    for (world, stream) in [
        (World::new(), rejecting()),
        (World::new().streaming(), rejecting()),
        (World::new(), replacing),
    ] {
        world.bucket.put("in/a", "e", "text\none\ntwo\n!bad\nthree\ntwo\n");
        world.bucket.put("in/b", "e", "text\nfour\n");
        world.destination.refuse("two", "no_twos");
        let report = world.sync(&stream).await;
        assert_eq!(report.status, RunStatus::Partial, "{report:#?}");
        assert_eq!((report.rows.read, report.rows.loaded, report.rows.rejected), (6, 3, 3));
        assert_eq!(world.texts().await, ["four", "one", "three"]);
        let rejects = world.database.ledger_rejects("processed_files");
        let told: Vec<_> = rejects
            .iter()
            .map(|(_, reject)| (reject.ordinal, reject.line, reject.reason.clone()))
            .collect();
        let no_twos = || Reason::Constraint("no_twos".into());
        assert_eq!(
            told,
            [(2, Some(3), no_twos()), (3, Some(4), Reason::Type), (5, Some(6), no_twos())]
        );
        assert_eq!(rejects[0].1.raw, b"two");
        assert_eq!(rejects[0].1.detail, "`two` breaks no_twos");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checksum_is_of_the_rows_that_are_in() {
    let checksum = async |lines: &str| {
        let world = World::new();
        world.bucket.put("in/a", "e", lines);
        world.destination.refuse("two", "no_twos");
        world.sync(&rejecting()).await;
        world.database.ledger_entries("processed_files")[0].clone()
    };
    let refused = checksum("text\none\ntwo\nsix\n").await;
    assert_eq!((refused.rows_copied, refused.rows_rejected), (2, 1));
    let mut sum = decant_core::checksum::RowsChecksum::default();
    let table = decant_testkit::batches::batch(
        &[("text", decant_core::ColumnType::Text), ("_file_id", decant_core::ColumnType::Int64)],
        &[
            &[Some("one"), Some(&refused.id.to_string())],
            &[Some("six"), Some(&refused.id.to_string())],
        ],
    );
    sum.add(&table).unwrap();
    assert_eq!(refused.rows_checksum, Some(sum.value()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_too_many_refused_rows_fails_alone() {
    for world in [World::new(), World::new().streaming()] {
        world.bucket.put("in/a", "e", "text\none\n");
        world.bucket.put("in/b", "e", "text\ntwo\ntwo\nthree\n");
        world.bucket.put("in/c", "e", "text\ntwo\nfour\n");
        world.destination.refuse("two", "no_twos");
        let stream = Stream { max_rejects: MaxRejects::Rows(1), ..rejecting() };
        let report = world.sync(&stream).await;
        assert_eq!((report.files.loaded, report.files.failed), (2, 1), "{report:#?}");
        assert_eq!(world.texts().await, ["four", "one"]);
        assert!(world.ledger().contains(&("in/b".into(), "failed", 1)));
        assert_eq!((report.rows.loaded, report.rows.rejected), (2, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tolerance_a_refused_row_fails_its_file() {
    for world in [World::new(), World::new().streaming()] {
        world.bucket.put("in/a", "e", "text\none\n");
        world.bucket.put("in/b", "e", "text\ntwo\n");
        world.destination.refuse("two", "no_twos");
        let report = world.sync(&stream_of(OnError::Fail)).await;
        assert_eq!((report.files.loaded, report.files.failed), (1, 1), "{report:#?}");
        assert_eq!(world.texts().await, ["one"]);
    }
}
