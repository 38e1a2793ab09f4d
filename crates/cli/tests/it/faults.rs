//! What S3 does to a load, through the whole program.

use std::sync::Arc;

use decant_testkit::s3::{Fault, Faults, Operation, assert_gets_pinned, put_files};

use crate::world::{BUCKET, World, on_both};

fn three(world: &World) {
    put_files(&world.s3, BUCKET, 3, |n| (format!("orders/{n}.csv"), format!("id\n{n}\n")));
}

fn ids(world: &World) -> Vec<String> {
    world.query("SELECT id FROM orders ORDER BY id")
}

#[test]
fn a_storm_of_503_is_waited_out_and_counted() {
    on_both(|world| {
        three(world);
        let script = Faults::new()
            .on(Operation::Get, "orders/*")
            .times(3)
            .then(Fault::SlowDown)
            .on(Operation::List, "*")
            .once()
            .then(Fault::SlowDown)
            .install(&world.s3);
        let run = world.load("orders/", &[]).exits(0);
        assert_eq!(script.fired(), 4);
        assert_eq!(run.files(), "loaded 3");
        assert!(run.report()["retries"].as_u64().unwrap() >= 4, "{:#}", run.report());
        assert_eq!(ids(world), ["0", "1", "2"]);
    });
}

#[test]
fn a_file_that_stays_unavailable_fails_alone() {
    on_both(|world| {
        three(world);
        world.configure("", "streams: {orders: {}}\n");
        let yaml = std::fs::read_to_string(world.path("decant.yaml")).unwrap();
        let yaml =
            yaml.replace("credentials: anonymous", "credentials: anonymous\n  retry_count: 1");
        world.write("decant.yaml", yaml);
        Faults::new().on(Operation::Get, "orders/1.csv").then(Fault::SlowDown).install(&world.s3);
        let run = world.sync(&[]).exits(1);
        assert_eq!(run.files(), "loaded 2, failed 1");
        let error = run.error();
        assert_eq!(error["kind"], "Unavailable");
        assert_eq!(error["file"], "s3://shop/orders/1.csv");
        assert_eq!(ids(world), ["0", "2"]);
        world.s3.clear_hook();
        assert_eq!(world.sync(&[]).exits(0).files(), "already_loaded 2, loaded 1");
        assert_eq!(ids(world), ["0", "1", "2"]);
    });
}

#[test]
fn bodies_that_are_cut_are_resumed_where_they_ended() {
    on_both(|world| {
        let rows: String = (0..50_000).map(|n| format!("{n}\n")).collect();
        world.put("orders/1.csv", format!("id\n{rows}"));
        let script = Faults::new()
            .on(Operation::Get, "orders/*")
            .once()
            .then(Fault::Close { after_bytes: 100_000 })
            .on(Operation::Get, "orders/*")
            .once()
            .then(Fault::Reset { after_bytes: 10 })
            .on(Operation::Get, "orders/*")
            .once()
            .then(Fault::Undeclared { bytes: 70_000 })
            .install(&world.s3);
        let run = world.load("orders/", &[]).exits(0);
        assert!(script.fired() >= 2, "{script:?}");
        assert_eq!(run.rows(), "read 50000, loaded 50000");
        assert!(run.report()["retries"].as_u64().unwrap() >= script.fired(), "{:#}", run.report());
        assert_eq!(world.query("SELECT count(*), sum(id) FROM orders"), ["50000|1249975000"]);
        assert_gets_pinned(&world.s3, BUCKET, "orders/1.csv");
    });
}

/// What overwrites `orders/2.csv` when a request is about to be served.
fn overwrite(world: &World, text: &'static str) -> Fault {
    let s3 = Arc::downgrade(&world.s3);
    Fault::before(move || {
        if let Some(s3) = s3.upgrade() {
            s3.put(BUCKET, "orders/2.csv", text);
        }
    })
}

#[test]
fn an_object_that_is_overwritten_after_the_listing_is_loaded_as_the_new_version() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.load("orders/", &[]).exits(0);
        world.put("orders/2.csv", "id\n2\n");
        let fault = overwrite(world, "id\n20\n21\n");
        Faults::new().on(Operation::Get, "orders/2.csv").once().then(fault).install(&world.s3);
        let run = world.load("orders/", &[]).exits(0);
        assert_eq!(run.files(), "already_loaded 1, loaded 1");
        assert_eq!(ids(world), ["1", "20", "21"]);
        let sql = "SELECT key, status, file_size_bytes FROM processed_files ORDER BY key";
        assert_eq!(world.query(sql), ["orders/1.csv|loaded|5", "orders/2.csv|loaded|9"]);
        assert_eq!(world.load("orders/", &[]).exits(0).files(), "already_loaded 2");
    });
}

#[test]
fn an_object_that_is_overwritten_while_it_is_read_is_never_mixed() {
    on_both(|world| {
        let rows: String = (0..50_000).map(|n| format!("{n}\n")).collect();
        world.put("orders/2.csv", format!("id\n{rows}"));
        let fault = overwrite(world, "id\n-20\n-21\n");
        Faults::new()
            .on(Operation::Get, "orders/2.csv")
            .once()
            .then(Fault::Close { after_bytes: 150_000 })
            .on(Operation::Get, "orders/2.csv")
            .once()
            .then(fault)
            .install(&world.s3);
        let run = world.load("orders/", &[]).exits(0);
        assert_eq!(run.files(), "loaded 1");
        assert_eq!(ids(world), ["-21", "-20"]);
        assert_gets_pinned(&world.s3, BUCKET, "orders/2.csv");
    });
}

#[test]
fn a_file_that_is_gone_after_the_listing_has_vanished() {
    on_both(|world| {
        three(world);
        let s3 = Arc::downgrade(&world.s3);
        let gone = Fault::before(move || {
            if let Some(s3) = s3.upgrade() {
                s3.delete(BUCKET, "orders/1.csv");
            }
        });
        Faults::new().on(Operation::Get, "orders/1.csv").once().then(gone).install(&world.s3);
        let run = world.load("orders/", &[]).exits(0);
        assert_eq!(run.files(), "loaded 2, vanished 1");
        assert_eq!(
            world.statuses(),
            ["orders/0.csv|loaded", "orders/1.csv|vanished", "orders/2.csv|loaded"]
        );
        assert_eq!(ids(world), ["0", "2"]);
        assert_eq!(world.load("orders/", &[]).exits(0).files(), "already_loaded 2");
        world.put("orders/1.csv", "id\n1\n");
        assert_eq!(world.load("orders/", &[]).exits(0).files(), "already_loaded 2, loaded 1");
        assert_eq!(ids(world), ["0", "1", "2"]);
    });
}

#[test]
fn a_listing_that_repeats_its_pages_ends_with_an_error_and_never_goes_round() {
    let world = World::sqlite();
    world.s3.set_page_size_max(1);
    three(&world);
    Faults::new().on(Operation::List, "*").then(Fault::RepeatListPage).install(&world.s3);
    let run = world.load("orders/", &[]).exits(1);
    assert!(run.report()["status"] == "failed", "{run:?}");
}

#[test]
fn an_empty_page_does_not_end_a_listing() {
    let world = World::sqlite();
    world.s3.set_page_size_max(1);
    three(&world);
    Faults::new().on(Operation::List, "*").once().then(Fault::EmptyListPage).install(&world.s3);
    let run = world.load("orders/", &[]).exits(0);
    assert_eq!(run.report()["files"]["loaded"], 2);
}

#[test]
fn a_body_that_is_shorter_than_listed_fails_its_file_and_keeps_nothing() {
    on_both(|world| {
        three(world);
        let short = Fault::Shortened { bytes: 4 };
        Faults::new().on(Operation::Get, "orders/1.csv").then(short).install(&world.s3);
        let run = world.load("orders/", &["--on-error", "reject"]).exits(1);
        assert_eq!(run.files(), "loaded 2, failed 1");
        assert_eq!(run.error()["file"], "s3://shop/orders/1.csv");
        assert_eq!(ids(world), ["0", "2"]);
    });
}

#[test]
fn the_only_file_of_a_new_table_may_vanish_after_the_listing() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        let s3 = Arc::downgrade(&world.s3);
        let gone = Fault::before(move || {
            if let Some(s3) = s3.upgrade() {
                s3.delete(BUCKET, "orders/1.csv");
            }
        });
        Faults::new().on(Operation::Get, "orders/1.csv").once().then(gone).install(&world.s3);
        world.configure("", "streams: {orders: {}}\n");
        let run = world.sync(&[]).exits(0);
        assert_eq!(run.files(), "vanished 1");
        assert_eq!(world.statuses(), ["orders/1.csv|vanished"]);
        world.put("orders/1.csv", "id\n1\n");
        assert_eq!(world.sync(&[]).exits(0).files(), "loaded 1");
        assert_eq!(ids(world), ["1"]);
    });
}

#[test]
fn a_file_that_was_out_of_reach_is_not_skipped_for_good() {
    on_both(|world| {
        three(world);
        Faults::new()
            .on(Operation::Get, "orders/1.csv")
            .then(Fault::Status(403))
            .install(&world.s3);
        let run = world.load("orders/", &["--on-error", "skip-file"]).exits(1);
        assert_eq!(run.files(), "loaded 2, failed 1");
        world.s3.clear_hook();
        let run = world.load("orders/", &["--on-error", "skip-file"]).exits(0);
        assert_eq!(run.files(), "already_loaded 2, loaded 1");
        assert_eq!(ids(world), ["0", "1", "2"]);
    });
}

#[test]
fn an_error_document_with_status_200_is_tried_again() {
    on_both(|world| {
        three(world);
        let script = Faults::new()
            .on(Operation::List, "*")
            .once()
            .then(Fault::ErrorDocumentIn200)
            .install(&world.s3);
        assert_eq!(world.load("orders/", &[]).exits(0).files(), "loaded 3");
        assert_eq!(script.fired(), 1);
    });
}
