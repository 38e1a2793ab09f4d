//! Archives: their members are files of their own, and an archive that the
//! ledger has whole is not opened.

use decant_core::selection::Selection;
use decant_core::stream::{OnError, Reload, WriteMode};
use decant_engine::RunStatus;

use crate::world::{World, stream_of};

fn pack(members: &[(&str, &str)]) -> String {
    members.iter().map(|(path, lines)| format!("== {path}\ntext\n{lines}\n")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_loaded_once_and_a_whole_archive_is_not_opened_again() {
    for world in [World::new(), World::new().streaming()] {
        let stream = stream_of(OnError::Fail);
        world.bucket.put("in/1.pack", "e1", &pack(&[("a", "one"), ("b/c", "two\nthree")]));
        world.bucket.put("in/2", "e1", "text\nfour\n");
        let report = world.sync(&stream).await;
        assert_eq!(report.status, RunStatus::Ok, "{report:?}");
        assert_eq!((report.files.listed, report.files.loaded, report.rows.loaded), (3, 3, 4));
        assert_eq!(world.texts().await, ["four", "one", "three", "two"]);
        let ledger = ["in/1.pack! e1", "in/1.pack!a e1", "in/1.pack!b/c e1", "in/2! e1"];
        assert_eq!(world.members(), ledger.map(|row| format!("{row} loaded")));
        let opened = world.bucket.opened();
        let report = world.sync(&stream).await;
        assert_eq!((report.files.listed, report.files.already_loaded), (3, 3));
        assert_eq!(world.bucket.opened(), opened);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_member_fails_alone_and_keeps_its_archive_open() {
    let world = World::new();
    let stream = stream_of(OnError::Fail);
    world.bucket.put("in/1.pack", "e1", &pack(&[("a", "one"), ("b", "!broken"), ("c", "three")]));
    let report = world.sync(&stream).await;
    assert_eq!(report.status, RunStatus::Failed);
    assert_eq!((report.files.listed, report.files.loaded, report.files.failed), (3, 2, 1));
    assert!(report.errors[0].file.as_ref().unwrap().ends_with("in/1.pack!/b"), "{report:?}");
    assert_eq!(world.texts().await, ["one", "three"]);
    let expected = ["in/1.pack!a e1 loaded", "in/1.pack!b e1 failed", "in/1.pack!c e1 loaded"];
    assert_eq!(world.members(), expected);
    let report = world.sync(&stream).await;
    assert_eq!((report.files.already_loaded, report.files.failed), (2, 1));
    assert_eq!(world.texts().await, ["one", "three"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_replaces_its_members_and_those_that_it_lacks_go() {
    let world = World::new();
    let stream = stream_of(OnError::Fail);
    let first = pack(&[("a", "one"), ("b", "two")]);
    world.bucket.put("in/1.pack", "e1", &first);
    world.sync(&stream).await;
    world.bucket.put("in/1.pack", "e2", &pack(&[("b", "two again"), ("c", "three")]));
    let report = world.sync(&stream).await;
    assert_eq!(report.status, RunStatus::Ok, "{report:?}");
    assert_eq!(world.texts().await, ["three", "two again"]);
    let opened = world.bucket.opened();
    assert_eq!(world.sync(&stream).await.files.already_loaded, 2);
    assert_eq!(world.bucket.opened(), opened);
    world.bucket.put("in/1.pack", "e1", &first);
    world.sync(&stream).await;
    assert_eq!(world.texts().await, ["one", "two"]);
    assert_eq!(world.sync(&stream).await.files.already_loaded, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_cannot_be_read_ends_by_its_own_name() {
    for (on_error, status, files) in
        [(OnError::Fail, "failed", (0, 1)), (OnError::SkipFile, "skipped", (1, 0))]
    {
        let world = World::new();
        let stream = stream_of(on_error);
        world.bucket.put("in/1.pack", "e1", "!unreadable");
        world.bucket.put("in/2.pack", "e1", &pack(&[("a", "one")]));
        let report = world.sync(&stream).await;
        assert_eq!((report.files.skipped, report.files.failed), files, "{report:?}");
        assert_eq!((report.files.listed, report.files.loaded), (2, 1));
        assert_eq!(world.texts().await, ["one"]);
        assert_eq!(world.members()[0], format!("in/1.pack! e1 {status}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_left_out_by_rules_and_other_rules_open_the_archive_again() {
    let world = World::new();
    let all = pack(&[("__MACOSX/a", "never"), ("a", "one"), ("a.txt", "two"), ("_SUCCESS", "no")]);
    world.bucket.put("in/1.pack", "e1", &all);
    let mut stream = stream_of(OnError::Fail);
    stream.selection = Selection::path("in/").unwrap().exclude("**/*.txt").unwrap();
    let report = world.sync(&stream).await;
    assert_eq!((report.files.listed, report.files.excluded, report.files.loaded), (4, 3, 1));
    assert_eq!(world.sync(&stream).await.files.already_loaded, 1);
    let report = world.sync(&stream_of(OnError::Fail)).await;
    assert_eq!((report.files.already_loaded, report.files.loaded), (1, 1));
    assert_eq!(world.texts().await, ["one", "two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_archive_is_settled_once_there_is_a_table() {
    let world = World::new();
    let stream = stream_of(OnError::Fail);
    world.bucket.put("in/1.pack", "e1", "");
    let report = world.sync(&stream).await;
    assert_eq!(report.status, RunStatus::Ok, "{report:?}");
    world.bucket.put("in/2", "e1", "text\none\n");
    assert_eq!(world.sync(&stream).await.status, RunStatus::Ok);
    assert_eq!(world.members(), ["in/1.pack! e1 loaded", "in/2! e1 loaded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replace_takes_the_members_of_its_archives() {
    let world = World::new();
    let mut stream = stream_of(OnError::Fail);
    world.bucket.put("in/0", "e1", "text\nold\n");
    world.sync(&stream).await;
    world.bucket.delete("in/0");
    world.bucket.put("in/1.pack", "e1", &pack(&[("a", "one"), ("b", "two")]));
    world.sync(&stream).await;
    assert_eq!(world.texts().await, ["old", "one", "two"]);
    stream.write_mode = WriteMode::Replace;
    let report = world.sync(&stream).await;
    assert_eq!((report.files.listed, report.files.loaded), (2, 2), "{report:?}");
    assert_eq!(world.texts().await, ["one", "two"]);
    let report = world.sync(&stream).await;
    assert_eq!(report.files.already_loaded, 2);
    stream.write_mode = WriteMode::Append;
    assert_eq!(world.sync(&stream).await.files.already_loaded, 2);
    assert_eq!(world.texts().await, ["one", "two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn force_loads_every_member_again() {
    let world = World::new();
    let mut stream = stream_of(OnError::Fail);
    world.bucket.put("in/1.pack", "e1", &pack(&[("a", "one"), ("b", "two")]));
    world.sync(&stream).await;
    stream.reload = Reload::Force;
    let report = world.sync(&stream).await;
    assert_eq!(report.files.loaded, 2, "{report:?}");
    assert_eq!(world.texts().await, ["one", "two"]);
    stream.reload = Reload::None;
    let opened = world.bucket.opened();
    assert_eq!(world.sync(&stream).await.files.already_loaded, 2);
    assert_eq!(world.bucket.opened(), opened);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_shows_members() {
    let world = World::new();
    let stream = stream_of(OnError::Fail);
    world.bucket.put("in/1.pack", "e1", &pack(&[("a", "one"), ("_b", "two")]));
    world.bucket.put("in/2.pack", "e1", "!unreadable");
    let of = |plans: Vec<String>| -> Vec<String> {
        plans.iter().map(|plan| plan.split("/in/").last().unwrap().to_owned()).collect()
    };
    let plans = of(world.preview(&stream).await);
    assert_eq!(plans, ["1.pack!/a load", "1.pack!/_b excluded", "2.pack failed"]);
    world.sync(&stream).await;
    let plans = of(world.preview(&stream).await);
    assert_eq!(plans, ["1.pack!/a settled", "1.pack!/_b excluded", "2.pack failed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_archives_are_let_go_and_opened_again() {
    let world = World::new();
    let stream = stream_of(OnError::Fail);
    for number in 0..100 {
        let lines = format!("row {number}");
        world.bucket.put(
            &format!("in/{number:03}.pack"),
            "e1",
            &pack(&[("a", &lines), ("b", &lines)]),
        );
    }
    let report = world.sync(&stream).await;
    assert_eq!((report.files.listed, report.files.loaded), (200, 200), "{report:?}");
    assert_eq!(world.sync(&stream).await.files.already_loaded, 200);
}
