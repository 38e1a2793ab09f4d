//! `kill -9` at ten moments of a sync, each into a fresh database: nothing is
//! half done, and the next sync completes it exactly.
//!
//! The moments are states, chosen by a fixed seed: nothing committed yet, the
//! ledger at some count, or the large file half in.

use std::time::Instant;

use crate::bucket::{LARGE_KEY, LARGE_TABLE, SMALL_FILES, endpoint, full, lesser};
use crate::database::{Database, Kind};
use crate::generator::Random;
use crate::ledger::{assert_complete, assert_consistent, assert_of_run};
use crate::run::{Running, wait_until};
use crate::world::{World, assert_report, say, turn};

const ROUNDS: usize = 10;
/// Kills that must meet a ledger between empty and full.
const BETWEEN_MIN: usize = 8;
/// So that the ledger has many counts to be killed at.
const SMALL_TRANSACTIONS: &str = "defaults: {transaction_files: 32}";
const MEBIBYTE: u64 = 1 << 20;

/// When to kill.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// A file has been asked for, for its types.
    Begun,
    /// The ledger has at least so many rows.
    LedgerHas(u64),
    /// The files in the folders are in, and so many bytes of the large one.
    LargeFileAt(u64),
}

#[test]
fn a_sync_into_sqlite_killed_anywhere_leaves_nothing_half_done() {
    kill_at_ten_moments(Kind::Sqlite);
}

#[test]
fn a_sync_into_postgres_killed_anywhere_leaves_nothing_half_done() {
    kill_at_ten_moments(Kind::Postgres);
}

fn kill_at_ten_moments(kind: Kind) {
    let _turn = turn(&format!("ten kills, {kind:?}"));
    let mut between = 0;
    for (round, moment) in moments().into_iter().enumerate() {
        let bucket = if matches!(moment, Moment::LargeFileAt(_)) { full() } else { lesser() };
        let world = World::new(kind, bucket, SMALL_TRANSACTIONS);
        let begun = Instant::now();
        let at_kill = kill(&world, moment);
        let killed_after = begun.elapsed().as_secs_f64();
        between += usize::from(at_kill > 0 && at_kill < bucket.file_count());
        let again = complete(&world, at_kill);
        say(&format!(
            "  kill {}: {moment:?}, after {killed_after:.1} s with {at_kill} of {} files in the \
             ledger; completed in {again:.1} s",
            round + 1,
            bucket.file_count()
        ));
    }
    say(&format!("  {between} of {ROUNDS} kills met a ledger between empty and full"));
    assert!(between >= BETWEEN_MIN, "only {between} kills met a ledger between empty and full");
}

fn moments() -> [Moment; ROUNDS] {
    let mut random = Random(9);
    let mut moments = [(); ROUNDS].map(|()| Moment::LedgerHas(random.within(1..SMALL_FILES + 1)));
    moments[0] = Moment::Begun;
    // More than the write-ahead log keeps from earlier loads, and less than
    // the table has in the end.
    moments[ROUNDS - 1] = Moment::LargeFileAt(random.within(80 * MEBIBYTE..140 * MEBIBYTE));
    moments
}

/// Starts a sync, kills it at `moment`, and asserts that what is there is
/// whole. Answers how many files the ledger has.
fn kill(world: &World, moment: Moment) -> u64 {
    endpoint().clear_requests();
    let mut running = world.start_sync();
    wait_until("it is time to kill", || is_reached(moment, &world.database, &mut running));
    let killed = running.kill();
    assert_eq!(killed.status.code(), None, "it ended before {moment:?}: {}", killed.stderr);
    world.database.wait_until_alone();
    assert_consistent(&world.database, world.bucket)
}

fn is_reached(moment: Moment, database: &Database, running: &mut Running) -> bool {
    assert!(!running.has_ended(), "it ended before {moment:?}");
    match moment {
        Moment::Begun => endpoint().requests().iter().any(|request| is_of_a_file(&request.key)),
        Moment::LedgerHas(count) => database.ledger_count() >= count,
        Moment::LargeFileAt(bytes) => {
            let asked = |key: &Option<String>| key.as_deref() == Some(LARGE_KEY);
            database.bytes_under_way(LARGE_TABLE) >= bytes
                && endpoint().requests().iter().any(|request| asked(&request.key))
        }
    }
}

fn is_of_a_file(key: &Option<String>) -> bool {
    key.as_deref().is_some_and(|key| !key.is_empty())
}

/// Syncs again, and asserts that everything is there and that only what was
/// missing was loaded. Answers the seconds that it took.
fn complete(world: &World, at_kill: u64) -> f64 {
    let run = world.sync();
    assert_report(&run, world.bucket);
    assert_eq!(run.count("files", "already_loaded"), at_kill);
    assert_of_run(&world.database, &run);
    assert_complete(&world.database, world.bucket);
    run.seconds
}
