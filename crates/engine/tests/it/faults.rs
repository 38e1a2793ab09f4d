//! What goes wrong around a run, and what it does then.

use decant_core::ErrorKind;
use decant_core::stream::OnError;
use decant_engine::RunStatus;
use decant_testkit::faulty::{Call, Fault};

use crate::world::{World, stream_of};

fn worlds() -> [World; 2] {
    let worlds = [World::new(), World::new().streaming()];
    for world in &worlds {
        world.bucket.put("in/a", "e", "text\none\n");
        world.bucket.put("in/b", "e", "text\ntwo\n");
    }
    worlds
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_tried_again() {
    for fault in [
        Fault::Begin(ErrorKind::Unavailable),
        Fault::Write { nth: 1, kind: ErrorKind::Unavailable },
        Fault::CommitRefused(ErrorKind::Unavailable),
        Fault::CommitFailed(ErrorKind::Unavailable),
        Fault::BeginSchemaChanged,
        Fault::CommitSchemaChanged,
    ] {
        for world in worlds() {
            world.destination.script(fault.clone());
            let report = world.sync(&stream_of(OnError::Fail)).await;
            assert_eq!(report.status, RunStatus::Ok, "{fault:?}: {report:#?}");
            assert_eq!(report.files.loaded, 2, "{fault:?}");
            assert_eq!(world.texts().await, ["one", "two"], "{fault:?}");
            assert!(world.destination.pending().is_empty(), "{fault:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_to_a_commit_loads_nothing_twice() {
    for world in worlds() {
        world.destination.script(Fault::CommitReplyLost(ErrorKind::Unavailable));
        let report = world.sync(&stream_of(OnError::Fail)).await;
        assert_eq!(report.status, RunStatus::Ok, "{report:#?}");
        assert_eq!(report.files.loaded + report.files.already_loaded, 2);
        assert_eq!(world.texts().await, ["one", "two"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_pass_fails_the_files_and_says_so() {
    for world in worlds() {
        for _ in 0..4 {
            world.destination.script(Fault::CommitRefused(ErrorKind::AccessDenied));
        }
        let report = world.sync(&stream_of(OnError::Fail)).await;
        assert_eq!((report.status, report.files.failed), (RunStatus::Failed, 2), "{report:#?}");
        assert!(report.errors.iter().all(|error| error.kind == ErrorKind::AccessDenied));
        assert!(world.texts().await.is_empty());
        let again = World { destination: world.destination, ..world };
        while !again.destination.pending().is_empty() {
            again.sync(&stream_of(OnError::Fail)).await;
        }
        assert_eq!(again.sync(&stream_of(OnError::Fail)).await.status, RunStatus::Ok);
        assert_eq!(again.texts().await, ["one", "two"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_cannot_be_written_ends_the_run() {
    let [world, _] = worlds();
    world.bucket.put("in/a", "e", "text\n!bad\n");
    world.destination.script(Fault::Settle(ErrorKind::Unavailable));
    let report = world.sync(&stream_of(OnError::Fail)).await;
    assert_eq!(report.status, RunStatus::Failed);
    assert!(report.errors.iter().any(|error| error.kind == ErrorKind::Unavailable));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_two_runs_see_is_loaded_once() {
    for world in worlds() {
        let mut hold = world.destination.hold_commit();
        let stream = stream_of(OnError::Fail);
        let first = world.sync(&stream);
        let second = async {
            hold.reached().await;
            let other = World {
                destination: decant_testkit::faulty::Faulty::new(world.database.destination()),
                bucket: world.bucket.clone(),
                database: world.database.clone(),
                settings: world.settings,
                stop: world.stop.clone(),
            };
            let second = other.sync(&stream);
            let release = async {
                while !other.destination.calls().iter().any(|call| matches!(call, Call::Begin(_))) {
                    tokio::task::yield_now().await;
                }
                hold.release();
            };
            tokio::join!(second, release).0
        };
        let (first, second) = tokio::join!(first, second);
        assert_eq!(first.files.loaded + second.files.loaded, 2);
        assert_eq!(first.files.already_loaded + second.files.already_loaded, 2);
        assert_eq!(world.texts().await, ["one", "two"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_asked_to_stop_begins_nothing_new() {
    let [world, _] = worlds();
    world.stop.request();
    let report = world.sync(&stream_of(OnError::Fail)).await;
    assert!(report.interrupted);
    assert_eq!((report.status, report.files.loaded), (RunStatus::Partial, 0));
    assert!(world.ledger().is_empty());
}
