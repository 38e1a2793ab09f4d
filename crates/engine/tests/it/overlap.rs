//! Runs that overlap, and see different versions of one key.

use std::time::Duration;

use decant_core::Stream;
use decant_core::stream::{OnChange, OnError};
use decant_engine::{RunReport, RunStatus};
use decant_testkit::faulty::{Call, Faulty};

use crate::world::{World, stream_of};

fn append() -> Stream {
    stream_of(OnError::Fail)
}

fn with(on_change: OnChange) -> Stream {
    Stream { on_change: Some(on_change), ..append() }
}

/// Another process that loads from the same bucket into the same database.
fn beside(world: &World) -> World {
    World {
        bucket: world.bucket.clone(),
        database: world.database.clone(),
        destination: Faulty::new(world.database.destination()),
        settings: world.settings,
        stop: decant_engine::Stop::default(),
    }
}

/// A run that has listed and read the first version of a file is held at its
/// commit while the file is overwritten and `meanwhile` happens; answers its
/// report.
async fn held_at_commit(
    world: &World,
    stream: &Stream,
    meanwhile: impl AsyncFnOnce(World),
) -> RunReport {
    world.bucket.put("in/old", "e", "text\nold\n");
    world.sync(stream).await;
    world.bucket.put("in/a", "e1", "text\nfirst\n");
    let mut hold = world.destination.hold_commit();
    let (report, ()) = futures::join!(Box::pin(world.sync(stream)), async {
        hold.reached().await;
        world.bucket.put("in/a", "e2", "text\nsecond\n");
        Box::pin(meanwhile(beside(world))).await;
        hold.release();
    });
    report
}

fn status_of(world: &World) -> Vec<&'static str> {
    let of_key = world.ledger().into_iter().filter(|(key, ..)| key == "in/a");
    let mut statuses: Vec<&str> = of_key.map(|(_, status, _)| status).collect();
    statuses.sort_unstable();
    statuses
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_version_is_not_added_to_a_newer_one() {
    for world in [World::new(), World::new().streaming()] {
        let report = held_at_commit(&world, &append(), async |beside: World| {
            let newer = beside.sync(&append()).await;
            assert_eq!((newer.status, newer.files.loaded), (RunStatus::Ok, 1));
        })
        .await;
        assert_eq!((report.status, report.files.loaded), (RunStatus::Ok, 0), "{report:#?}");
        assert_eq!((report.files.already_loaded, report.rows.loaded), (2, 0), "{report:#?}");
        assert_eq!(world.texts().await, ["old", "second"]);
        assert_eq!(status_of(&world), ["loaded"]);
    }
}

/// A run lists two files of a table that is still to be made, and has fetched
/// them, when its listing is held and `meanwhile` happens.
async fn fetched_early(world: &World, meanwhile: impl AsyncFnOnce(World)) -> RunReport {
    world.bucket.put("in/a", "e1", "text\nfirst\n");
    world.bucket.put("in/b", "e", "text\nother\n");
    let (hold, stream) = (world.bucket.hold_listing(), append());
    let (report, ()) = futures::join!(Box::pin(world.sync(&stream)), async {
        hold.wait().await;
        let both_are_read = async {
            while world.bucket.read() < 2 {
                tokio::task::yield_now().await;
            }
        };
        let limit = Duration::from_secs(60);
        let waited = tokio::time::timeout(limit, both_are_read).await;
        assert!(waited.is_ok(), "they were not fetched early");
        Box::pin(meanwhile(beside(world))).await;
        hold.wait().await;
    });
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_came_before_the_table_do_not_displace_a_newer_version() {
    let world = World::new();
    let report = fetched_early(&world, async |beside: World| {
        world.bucket.put("in/a", "e2", "text\nsecond\n");
        let newer = beside.sync(&append()).await;
        assert_eq!((newer.status, newer.files.loaded), (RunStatus::Ok, 2), "{newer:#?}");
    })
    .await;
    assert_eq!((report.status, report.files.loaded), (RunStatus::Ok, 0), "{report:#?}");
    assert_eq!(report.files.already_loaded, 2, "{report:#?}");
    assert_eq!(world.texts().await, ["other", "second"]);
    assert_eq!(status_of(&world), ["loaded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_came_before_the_table_are_not_asked_for_again() {
    let world = World::new();
    let report = fetched_early(&world, async |_| {}).await;
    assert_eq!((report.status, report.files.loaded), (RunStatus::Ok, 2), "{report:#?}");
    assert_eq!(world.texts().await, ["first", "other"]);
    assert_eq!(world.bucket.read(), 4, "once for the types, once for the rows");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_displaces_an_older_one_that_came_in_between() {
    for world in [World::new(), World::new().streaming()] {
        let newer = beside(&world);
        let older = held_at_commit(&world, &append(), async |_| {
            // It plans while nothing of the key is loaded, and is held in turn.
            let mut hold = newer.destination.hold_commit();
            let stream = append();
            let (report, ()) = futures::join!(Box::pin(newer.sync(&stream)), async {
                hold.reached().await;
                let third = beside(&world);
                world.bucket.put("in/a", "e0", "text\nbetween\n");
                Box::pin(third.sync(&append())).await;
                world.bucket.put("in/a", "e2", "text\nsecond\n");
                hold.release();
            });
            assert_eq!((report.status, report.files.loaded), (RunStatus::Ok, 1), "{report:#?}");
        })
        .await;
        assert_eq!((older.status, older.files.already_loaded), (RunStatus::Ok, 2), "{older:#?}");
        assert_eq!(world.texts().await, ["old", "second"]);
        assert_eq!(status_of(&world), ["loaded", "superseded"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_overtaken_follows_on_change() {
    for (on_change, status, texts) in [
        (OnChange::Ignore, RunStatus::Ok, &["old", "second"][..]),
        (OnChange::Fail, RunStatus::Ok, &["old", "second"][..]),
        (OnChange::Append, RunStatus::Ok, &["first", "old", "second"][..]),
    ] {
        let world = World::new();
        let stream = with(on_change);
        let report = held_at_commit(&world, &stream, async |beside: World| {
            beside.sync(&stream).await;
        })
        .await;
        assert_eq!(report.status, status, "{on_change:?}: {report:#?}");
        assert_eq!(world.texts().await, texts, "{on_change:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_was_overtaken_is_left_alone_or_refused() {
    for (on_change, excluded, failed) in [(OnChange::Ignore, 1, 0), (OnChange::Fail, 0, 1)] {
        let world = World::new();
        let stream = with(on_change);
        let report = held_at_commit(&world, &stream, async |beside: World| {
            beside.sync(&stream).await;
            // What it read is in the bucket again.
            world.bucket.put("in/a", "e1", "text\nfirst\n");
        })
        .await;
        let files = report.files;
        assert_eq!((files.excluded, files.failed), (excluded, failed), "{on_change:?}");
        assert_eq!(world.texts().await, ["old", "second"], "{on_change:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_overtaken_and_is_gone_has_vanished() {
    let world = World::new();
    let report = held_at_commit(&world, &append(), async |beside: World| {
        beside.sync(&append()).await;
        world.bucket.delete("in/a");
    })
    .await;
    assert_eq!(report.files.vanished, 1);
    assert_eq!(world.texts().await, ["old", "second"]);
    assert_eq!(status_of(&world), ["loaded", "vanished"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_only_an_older_version_of_an_archive_has_are_left_behind_by_nobody() {
    let world = World::new();
    let stream = append();
    world.bucket.put("in/old", "e", "text\nold\n");
    world.sync(&stream).await;
    world.bucket.put("in/a.pack", "e1", "== a\ntext\nfirst\n== b\ntext\ngone\n");
    let mut hold = world.destination.hold_commit();
    let newer = beside(&world);
    let (older, ()) = futures::join!(Box::pin(world.sync(&stream)), async {
        hold.reached().await;
        world.bucket.put("in/a.pack", "e2", "== a\ntext\nsecond\n");
        assert_eq!(Box::pin(newer.sync(&stream)).await.status, RunStatus::Ok);
        hold.release();
    });
    assert_eq!(older.status, RunStatus::Ok, "{older:#?}");
    let next = world.sync(&stream).await;
    assert_eq!(next.status, RunStatus::Ok, "{next:#?}");
    assert_eq!(world.texts().await, ["old", "second"]);
    let opened = world.bucket.opened();
    assert_eq!(world.sync(&stream).await.files.already_loaded, 2);
    assert_eq!(world.bucket.opened(), opened, "an archive that is whole is not opened");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_to_end_does_not_wait_for_another() {
    let world = World::new();
    let stream = append();
    world.bucket.put("in/old", "e", "text\nold\n");
    world.sync(&stream).await;
    world.bucket.put("in/a", "e1", "text\nfirst\n");
    let mut hold = world.destination.hold_commit();
    let waiting = beside(&world);
    let (first, waited) = futures::join!(Box::pin(world.sync(&stream)), async {
        hold.reached().await;
        let (report, ()) = futures::join!(Box::pin(waiting.sync(&stream)), async {
            while !waiting.destination.calls().contains(&Call::Begin(vec!["in/a".into()])) {
                tokio::task::yield_now().await;
            }
            waiting.stop.request();
        });
        hold.release();
        report
    });
    assert_eq!((first.status, first.files.loaded), (RunStatus::Ok, 1), "{first:#?}");
    assert!(waited.interrupted && waited.errors.is_empty(), "{waited:#?}");
    assert_eq!((waited.status, waited.files.loaded), (RunStatus::Partial, 0), "{waited:#?}");
    assert_eq!(status_of(&world), ["loaded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_versions_that_are_loaded_the_listed_one_stays() {
    let world = World::new();
    world.bucket.put("in/a", "e1", "text\nfirst\n");
    world.sync(&with(OnChange::Append)).await;
    world.bucket.put("in/a", "e2", "text\nsecond\n");
    world.sync(&with(OnChange::Append)).await;
    assert_eq!(world.texts().await, ["first", "second"]);
    let report = world.sync(&append()).await;
    assert_eq!((report.status, report.files.loaded), (RunStatus::Ok, 1), "{report:#?}");
    assert_eq!(world.texts().await, ["second"]);
    assert_eq!(status_of(&world), ["loaded", "superseded"]);
    assert_eq!(world.sync(&append()).await.files.already_loaded, 1);
}
