//! Values that contradict the types of their columns.

use decant_core::Stream;
use decant_core::destination::TableChange;
use decant_core::stream::{OnError, TypePolicy, WriteMode};
use decant_engine::RunStatus;
use decant_testkit::faulty::Call;

use crate::world::{World, stream_of};

fn append() -> Stream {
    stream_of(OnError::Fail)
}

/// What is in the column `n`, sorted.
async fn numbers(world: &World) -> Vec<String> {
    let rows = world.database.rows(&world.table_name().await, &["n"]);
    let mut numbers: Vec<String> = rows.into_iter().map(|row| row[0].clone().unwrap()).collect();
    numbers.sort();
    numbers
}

fn widenings(world: &World) -> usize {
    let is_one = |call: &&Call| matches!(call, Call::Apply(TableChange::Widen { .. }));
    world.destination.calls().iter().filter(is_one).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_contradicts_widens_its_column() {
    for world in [World::new(), World::new().streaming()] {
        world.bucket.put("in/a", "e", "n\n1\n2\n");
        world.sync(&append()).await;
        world.bucket.put("in/b", "e", "n\n3\nx\n4\n");
        let report = world.sync(&append()).await;
        assert_eq!((report.status, report.rows.loaded), (RunStatus::Ok, 3), "{report:#?}");
        assert_eq!(numbers(&world).await, ["1", "2", "3", "4", "x"]);
        let expected = ["widened n from int64 to text for s3://bucket/in/b"];
        assert_eq!(report.tables[0].changes, expected);
        assert_eq!(report.tables[0].columns[0].column_type, "text");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_widening_serves_every_file() {
    for world in [World::new(), World::new().streaming()] {
        world.bucket.put("in/a", "e", "n\n1\n");
        world.sync(&append()).await;
        for number in 0..20 {
            world.bucket.put(&format!("in/b{number:02}"), "e", &format!("n\n{number}\nx\n"));
        }
        let report = world.sync(&append()).await;
        assert_eq!((report.status, report.files.loaded), (RunStatus::Ok, 20), "{report:#?}");
        assert_eq!(numbers(&world).await.len(), 41);
        assert_eq!(widenings(&world), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn frozen_types_make_bad_rows() {
    for world in [World::new(), World::new().streaming()] {
        world.bucket.put("in/a", "e", "n\n1\n");
        world.sync(&append()).await;
        world.bucket.put("in/b", "e", "n\n2\nx\n");
        let types = Some(TypePolicy::Frozen);
        let failing = Stream { types, ..append() };
        let report = world.sync(&failing).await;
        assert_eq!((report.status, report.files.failed), (RunStatus::Failed, 1));
        let rejecting = Stream { types, ..stream_of(OnError::Reject) };
        let report = world.sync(&rejecting).await;
        assert_eq!((report.rows.read, report.rows.loaded, report.rows.rejected), (2, 1, 1));
        assert_eq!(numbers(&world).await, ["1", "2"]);
        assert_eq!(widenings(&world), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replace_widens_too() {
    let world = World::new();
    let replace = Stream { write_mode: WriteMode::Replace, ..append() };
    world.bucket.put("in/a", "e", "n\n1\n");
    world.sync(&replace).await;
    world.bucket.put("in/b", "e", "n\nx\n");
    let report = world.sync(&replace).await;
    assert_eq!((report.status, report.files.loaded), (RunStatus::Ok, 2), "{report:#?}");
    assert_eq!(numbers(&world).await, ["1", "x"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_refused_fails_the_file_that_needs_it() {
    for world in [World::new(), World::new().streaming()] {
        world.bucket.put("in/a", "e", "n\n1\n");
        world.sync(&append()).await;
        world.bucket.put("in/b", "e", "n\nx\n");
        world.bucket.put("in/c", "e", "n\n5\n");
        let kind = decant_core::ErrorKind::SchemaMismatch;
        world.destination.script(decant_testkit::faulty::Fault::Apply(kind));
        let report = world.sync(&append()).await;
        assert_eq!((report.files.loaded, report.files.failed), (1, 1), "{report:#?}");
        assert_eq!(report.errors[0].file.as_deref(), Some("s3://bucket/in/b"));
        assert_eq!(numbers(&world).await, ["1", "5"]);
    }
}
