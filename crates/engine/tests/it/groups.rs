//! Files that share a transaction, and those that do not.

use std::time::Duration;

use decant_core::secret::Secret;
use decant_core::stream::{Concealment, GroupLimits, OnError, WriteMode};
use decant_core::{ErrorKind, Stream};
use decant_engine::RunStatus;
use decant_testkit::faulty::{Call, Fault};

use crate::world::{World, stream_of};

fn append() -> Stream {
    stream_of(OnError::Fail)
}

#[tokio::test(flavor = "multi_thread")]
async fn small_files_share_a_transaction() {
    let world = World::new();
    for number in 0..20 {
        world.bucket.put(&format!("in/{number:02}"), "e", &format!("text\nrow {number}\n"));
    }
    let report = world.sync(&append()).await;
    assert_eq!((report.status, report.files.loaded, report.rows.loaded), (RunStatus::Ok, 20, 20));
    let commits = world.destination.calls();
    let commits: Vec<_> = commits.iter().filter(|call| matches!(call, Call::Commit(_))).collect();
    assert_eq!(commits, [&Call::Commit(20)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn small_files_are_fetched_together_however_few_threads_there_are() {
    for files_in_a_group in [64, 4] {
        let mut world = World::new();
        world.settings.threads = 4;
        world.settings.requests = 32;
        world.settings.group.files = files_in_a_group;
        world.bucket.put("in/00", "e", "text\nrow\n");
        world.sync(&append()).await;
        for number in 1..=64 {
            world.bucket.put(&format!("in/{number:02}"), "e", "text\nrow\n");
        }
        world.bucket.answer_together(32);
        let synced = tokio::time::timeout(Duration::from_secs(60), world.sync(&append())).await;
        assert_eq!(synced.expect("32 requests at a time").files.loaded, 64);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_wait_for_each_others_bytes_come_in_their_order() {
    const FILES: usize = 256;
    let mut world = World::new();
    world.settings.threads = 1;
    world.settings.requests = FILES;
    // Half of a group's bytes may wait to be decoded, those of 64 files here.
    world.settings.group = GroupLimits { files: FILES, bytes: 2 * 64 * 1024 };
    world.bucket.put("in/000", "e", "text\nrow\n");
    world.sync(&append()).await;
    for number in 1..=FILES {
        world.bucket.put(&format!("in/{number:03}"), "e", "text\nrow\n");
    }
    // The first answers come when others have been asked for.
    world.bucket.answer_together(64);
    let synced = tokio::time::timeout(Duration::from_secs(60), world.sync(&append())).await;
    assert_eq!(synced.expect("nobody waits for ever").files.loaded, FILES as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_with_other_columns_among_equal_ones_keep_theirs() {
    let world = World::new();
    for (key, lines) in [
        ("in/0", "text,n\none,1\n"),
        ("in/1", "text,n\ntwo,2\n"),
        ("in/2", "n,text\n3,three\n"),
        ("in/3", "text,n\nfour,4\n"),
        ("in/4", "text\nfive\n"),
        ("in/5", "text\nsix\n!columns text,n\nseven,7\n"),
        ("in/6", "text,n\neight,8\n"),
    ] {
        world.bucket.put(key, "e", lines);
    }
    let report = world.sync(&append()).await;
    assert_eq!((report.files.loaded, report.rows.loaded), (7, 8), "{report:#?}");
    let expected = ["eight|8", "five|-", "four|4", "one|1", "seven|7", "six|-", "three|3", "two|2"];
    assert_eq!(world.rows(&["text", "n"]).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_file_fails_alone() {
    for world in [World::new(), World::new().streaming()] {
        for (key, lines) in [
            ("in/a", "text\none\n"),
            ("in/b", "text\ntwo\n!broken\n"),
            ("in/c", "text\nthree\n!panic\n"),
            ("in/d", "text\nfour\n!bad\n"),
            ("in/e", "text\nfive\n"),
        ] {
            world.bucket.put(key, "e", lines);
        }
        let report = world.sync(&append()).await;
        assert_eq!(report.status, RunStatus::Failed);
        assert_eq!((report.files.loaded, report.files.failed), (2, 3));
        assert_eq!(world.texts().await, ["five", "one"]);
        let failed = |key: &str| (key.to_owned(), "failed", 1);
        let ledger = world.ledger();
        for key in ["in/b", "in/c", "in/d"] {
            assert!(ledger.contains(&failed(key)), "{ledger:?}");
        }
        let line =
            report.errors.iter().find(|error| error.file.as_deref().unwrap().ends_with("in/d"));
        assert_eq!(line.unwrap().line, Some(3));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_are_counted_and_the_rest_is_loaded() {
    for world in [World::new(), World::new().streaming()] {
        world.bucket.put("in/a", "e", "text\none\n!bad\ntwo\n");
        let report = world.sync(&stream_of(OnError::Reject)).await;
        assert_eq!(report.status, RunStatus::Partial);
        assert_eq!((report.rows.read, report.rows.loaded, report.rows.rejected), (3, 2, 1));
        assert_eq!(world.database.ledger_rejects("processed_files").len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_passed_over_is_not_tried_again() {
    let world = World::new();
    world.bucket.put("in/a", "e", "text\n!bad\n");
    let stream = stream_of(OnError::SkipFile);
    let first = world.sync(&stream).await;
    assert_eq!((first.status, first.files.skipped), (RunStatus::Partial, 1));
    let second = world.sync(&stream).await;
    assert_eq!((second.status, second.files.already_loaded), (RunStatus::Ok, 1));
    assert_eq!(world.ledger(), [("in/a".into(), "skipped", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_that_the_database_refuses_is_found_by_halves() {
    let world = World::new();
    for number in 0..9 {
        world.bucket.put(&format!("in/{number}"), "e", &format!("text\nrow {number}\n"));
    }
    world.destination.poison("in/6", ErrorKind::SchemaMismatch);
    let report = world.sync(&append()).await;
    assert_eq!((report.files.loaded, report.files.failed), (8, 1));
    assert_eq!(report.errors.len(), 1);
    assert!(!world.texts().await.contains(&"row 6".to_owned()));
    assert!(world.ledger().contains(&("in/6".into(), "failed", 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_meets_what_does_not_pass_is_found_by_halves() {
    for world in [World::new(), World::new().streaming()] {
        for number in 0..9 {
            world.bucket.put(&format!("in/{number}"), "e", &format!("text\nrow {number}\n"));
        }
        world.destination.poison("in/6", ErrorKind::Unavailable);
        for attempts in [1, 2] {
            let report = world.sync(&append()).await;
            assert_eq!(report.files.failed, 1, "{report:#?}");
            assert_eq!(report.files.loaded + report.files.already_loaded, 8, "{report:#?}");
            let named: Vec<_> = report.errors.iter().map(|error| error.file.clone()).collect();
            assert!(matches!(&named[..], [Some(file)] if file.ends_with("in/6")), "{named:?}");
            assert!(world.ledger().contains(&("in/6".into(), "failed", attempts)));
        }
        assert_eq!(world.texts().await.len(), 8);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_takes_no_load_ends_the_run() {
    for world in [World::new(), World::new().streaming()] {
        world.bucket.put("in/a", "e", "text\none\n");
        world.sync(&append()).await;
        world.bucket.put("in/b", "e", "text\ntwo\n");
        world.bucket.put("in/c", "e", "text\nthree\n");
        for _ in 0..20 {
            world.destination.script(Fault::Begin(ErrorKind::Unavailable));
        }
        let report = world.sync(&append()).await;
        assert_eq!((report.status, report.files.failed), (RunStatus::Failed, 0), "{report:#?}");
        assert_eq!(world.ledger().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_appear_later_are_added_and_nothing_is_lost() {
    for world in [World::new(), World::new().streaming()] {
        world.bucket.put("in/a", "e", "text\none\n");
        world.sync(&append()).await;
        world.bucket.put("in/b", "e", "text,Extra\ntwo,x\n");
        world.bucket.put("in/c", "e", "text,More\nthree,y\n");
        let report = world.sync(&append()).await;
        assert_eq!((report.status, report.files.loaded), (RunStatus::Ok, 2), "{report:#?}");
        let rows = world.database.rows(&world.table_name().await, &["text", "extra", "more"]);
        let text = |text: &str| Some(text.to_owned());
        assert!(rows.contains(&vec![text("one"), None, None]));
        assert!(rows.contains(&vec![text("two"), text("x"), None]));
        assert!(rows.contains(&vec![text("three"), None, text("y")]));
        let added = report.tables[0].changes.iter().filter(|change| change.starts_with("added"));
        assert_eq!(added.count(), 2, "{:?}", report.tables);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replace_is_all_or_nothing() {
    let world = World::new();
    let replace = Stream { write_mode: WriteMode::Replace, ..append() };
    world.bucket.put("in/a", "e", "text\none\n");
    world.bucket.put("in/b", "e", "text\ntwo\n");
    world.sync(&replace).await;
    let unchanged = world.sync(&replace).await;
    assert_eq!((unchanged.files.loaded, unchanged.files.already_loaded), (0, 2));
    world.bucket.put("in/b", "e2", "text\n!bad\n");
    let failed = world.sync(&replace).await;
    assert_eq!((failed.status, failed.files.failed), (RunStatus::Failed, 1));
    assert_eq!(world.texts().await, ["one", "two"]);
    world.bucket.delete("in/b");
    let smaller = world.sync(&replace).await;
    assert_eq!((smaller.status, smaller.files.loaded), (RunStatus::Ok, 1));
    assert_eq!(world.texts().await, ["one"]);
    world.bucket.delete("in/a");
    assert_eq!(world.sync(&replace).await.status, RunStatus::Failed);
    assert_eq!(world.texts().await, ["one"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replace_by_other_rules_or_with_a_secret_is_never_taken_for_done() {
    let world = World::new();
    world.bucket.put("in/a", "e", "text\none\n");
    let plain = Stream { write_mode: WriteMode::Replace, ..append() };
    let tolerant = Stream { on_error: OnError::Reject, ..plain.clone() };
    let mut keyed = plain.clone();
    let hash = Concealment::Hash { key: Some(Secret::new("k")) };
    keyed.columns.conceal.insert("text".into(), hash);
    for (stream, loaded) in
        [(&plain, 1), (&plain, 0), (&tolerant, 1), (&tolerant, 0), (&keyed, 1), (&keyed, 1)]
    {
        let report = world.sync(stream).await;
        let counts = (report.files.loaded, report.files.already_loaded);
        assert_eq!(counts, (loaded, 1 - loaded), "{report:?}");
    }
    assert_eq!(keyed.rules_digest(), None);
}
