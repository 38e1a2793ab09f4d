//! Syncs of the whole bucket that nobody disturbs: once, again, on one
//! thread, and two at a time.

use decant_testkit::s3::{Fault, Faults, Gate, Operation};

use crate::bucket::{Bucket, endpoint, full};
use crate::database::Kind;
use crate::ledger::{assert_complete, assert_of_run};
use crate::memory::LOAD_BYTES_MAX;
use crate::run::{Run, wait_until};
use crate::world::{World, assert_report, say, turn};

/// Listing pages of a thousand keys, and some for what is listed twice.
const LISTINGS_MAX: usize = 10;

#[test]
fn a_sync_into_sqlite_is_exact_and_the_next_one_only_lists() {
    sync_twice(Kind::Sqlite);
}

#[test]
fn a_sync_into_postgres_is_exact_and_the_next_one_only_lists() {
    sync_twice(Kind::Postgres);
}

fn sync_twice(kind: Kind) {
    let _turn = turn(&format!("sync and sync again, {kind:?}"));
    let world = World::new(kind, full(), "");
    let first = world.sync();
    say_figures("first sync", &first);
    assert_loaded_all(&first, world.bucket);
    assert_of_run(&world.database, &first);
    assert_complete(&world.database, world.bucket);
    assert!(first.peak_bytes <= LOAD_BYTES_MAX, "{} MB", first.peak_megabytes());

    endpoint().clear_requests();
    let second = world.sync();
    say_figures("second sync", &second);
    assert_report(&second, world.bucket);
    assert_eq!(second.count("files", "loaded"), 0);
    assert_eq!(second.count("files", "already_loaded"), world.bucket.file_count());
    assert_eq!(second.count("rows", "loaded"), 0);
    let requests = endpoint().requests();
    let other = requests.iter().find(|request| request.operation != Operation::List);
    assert_eq!(other, None, "a second sync only lists");
    assert!((1..=LISTINGS_MAX).contains(&requests.len()), "{} listings", requests.len());
    assert_complete(&world.database, world.bucket);
}

#[test]
fn a_sync_into_sqlite_on_one_thread_is_exact() {
    sync_on_one_thread(Kind::Sqlite);
}

#[test]
fn a_sync_into_postgres_on_one_thread_is_exact() {
    sync_on_one_thread(Kind::Postgres);
}

fn sync_on_one_thread(kind: Kind) {
    let _turn = turn(&format!("sync on one thread, {kind:?}"));
    let world = World::new(kind, full(), "");
    let variables = [("DECANT_THREADS", "1")];
    let run = world.start(&["sync", "--output", "json"], &variables).end().succeeds();
    say_figures("sync on one thread", &run);
    assert_loaded_all(&run, world.bucket);
    assert_complete(&world.database, world.bucket);
}

#[test]
fn two_syncs_into_one_sqlite_database_load_each_file_once() {
    sync_at_the_same_time(Kind::Sqlite);
}

#[test]
fn two_syncs_into_one_postgres_database_load_each_file_once() {
    sync_at_the_same_time(Kind::Postgres);
}

fn sync_at_the_same_time(kind: Kind) {
    let _turn = turn(&format!("two syncs at a time, {kind:?}"));
    let world = World::new(kind, full(), "");
    let runs = run_two(&world);
    for run in &runs {
        say_figures("one of two syncs", run);
        assert_report(run, world.bucket);
        assert_of_run(&world.database, run);
    }
    let sum = |group, name| runs.iter().map(|run| run.count(group, name)).sum::<u64>();
    assert_eq!(sum("files", "loaded"), world.bucket.file_count());
    assert_eq!(sum("rows", "loaded"), world.bucket.row_count());
    assert_complete(&world.database, world.bucket);
}

/// Two syncs that list at the same moment.
fn run_two(world: &World) -> [Run; 2] {
    let gate = Gate::new();
    endpoint().clear_requests();
    let held = Faults::new().on(Operation::List, "*").times(2).then(Fault::Hold(gate.clone()));
    held.install(endpoint());
    let both = [world.start_sync(), world.start_sync()];
    wait_until("both of them list", || lists_asked_for() == 2);
    gate.open();
    let runs = std::thread::scope(|scope| {
        let ends = both.map(|running| scope.spawn(|| running.end().succeeds()));
        ends.map(|end| end.join().expect("a good end"))
    });
    endpoint().clear_hook();
    runs
}

fn lists_asked_for() -> usize {
    let requests = endpoint().requests();
    requests.iter().filter(|request| request.operation == Operation::List).count()
}

/// Asserts that a run into an empty database loaded everything.
#[track_caller]
fn assert_loaded_all(run: &Run, bucket: &Bucket) {
    assert_report(run, bucket);
    assert_eq!(run.count("files", "loaded"), bucket.file_count());
    assert_eq!(run.count("rows", "loaded"), bucket.row_count());
}

fn say_figures(what: &str, run: &Run) {
    let rows = run.count("rows", "loaded");
    say(&format!(
        "  {what}: {} files and {rows} rows in {:.1} s ({:.0} rows/s), at most {:.1} MB",
        run.count("files", "loaded"),
        run.seconds,
        rows as f64 / run.seconds,
        run.peak_megabytes()
    ));
}
