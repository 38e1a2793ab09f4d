//! Ctrl-C and SIGTERM: nothing half loaded, a report, and a next run that
//! completes.

use std::time::{Duration, Instant};

use decant_testkit::s3::{
    Fault, Faults, Gate, Operation, wait_for_requests_blocking, wait_until_blocking,
};

use crate::run::Running;
use crate::world::{World, on_both};

/// How long a body that is held may hold up the end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A sync of a small file and a large one, whose body is held for ever;
/// returns when that is being read.
fn held(world: &World) -> Running {
    let rows: String = (0..200_000).map(|n| format!("{n}\n")).collect();
    world.put("orders/2.csv", format!("id\n{rows}"));
    world.configure("", "streams: {orders: {}}\n");
    let hold = Fault::HoldBody { after_bytes: 300_000, gate: Gate::new() };
    Faults::new().on(Operation::Get, "orders/2.csv").then(hold).install(&world.s3);
    let running = world.plain(&["sync", "--output", "json"]).start();
    wait_until_blocking(&world.s3, |requests| {
        requests.iter().any(|request| request.key.as_deref() == Some("orders/2.csv"))
    });
    running
}

fn completes(world: &World) {
    world.s3.clear_hook();
    world.sync(&[]).exits(0);
    assert_eq!(world.query("SELECT count(*), count(DISTINCT id) FROM orders"), ["200001|200001"]);
    assert_eq!(world.statuses(), ["orders/1.csv|loaded", "orders/2.csv|loaded"]);
}

/// Ends a sync by a signal while a body is held.
fn ends_with(world: &World, signal: &str, code: i32) {
    let running = held(world);
    running.signal(signal);
    let signalled = Instant::now();
    let run = world.checked(running.end().exits(code));
    assert!(signalled.elapsed() < PATIENCE, "it ended after {:?}", signalled.elapsed());
    let report = run.report();
    assert_eq!(report["interrupted"], true);
    assert_eq!(report["status"], "partial", "{report:#}");
    assert_eq!(report["files"]["failed"], 0, "{report:#}");
    completes(world);
}

#[test]
fn ctrl_c_during_a_load_rolls_back_and_the_next_run_completes() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n-1\n");
        world.load("orders/", &[]).exits(0);
        ends_with(world, "INT", 130);
    });
}

#[test]
fn sigterm_while_types_are_inferred_ends_and_the_next_run_completes() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n-1\n");
        ends_with(world, "TERM", 143);
    });
}

#[test]
fn a_signal_while_the_bucket_is_listed_ends_at_once() {
    let world = World::sqlite();
    world.put("orders/1.csv", "id\n1\n");
    world.configure("", "streams: {orders: {}}\n");
    let hold = Fault::Hold(Gate::new());
    Faults::new().on(Operation::List, "*").then(hold).install(&world.s3);
    let running = world.plain(&["sync", "--output", "json"]).start();
    wait_for_requests_blocking(&world.s3, Operation::List, 1);
    running.signal("INT");
    let signalled = Instant::now();
    running.end().exits(130);
    assert!(signalled.elapsed() < PATIENCE, "it ended after {:?}", signalled.elapsed());
    world.s3.clear_hook();
    assert_eq!(world.sync(&[]).exits(0).files(), "loaded 1");
}

#[test]
fn a_signal_during_a_replace_leaves_the_table_as_it_was() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n-1\n");
        world.load("orders/", &[]).exits(0);
        held(world).signal("KILL");
        world.configure("", "streams: {orders: {if_exists: replace}}\n");
        world.s3.clear_requests();
        let running = world.plain(&["sync", "--output", "json"]).start();
        wait_until_blocking(&world.s3, |requests| {
            requests.iter().any(|request| request.key.as_deref() == Some("orders/2.csv"))
        });
        running.signal("TERM");
        world.checked(running.end().exits(143));
        assert_eq!(world.query("SELECT id FROM orders"), ["-1"]);
        completes(world);
    });
}

/// How long the end may take where nothing but a lock is waited for.
const SOON: Duration = Duration::from_secs(5);

/// A bucket of one file that is loaded and one that is not.
fn one_loaded_of_two(world: &World) {
    world.put("orders/1.csv", "id\n1\n");
    world.configure("", "streams: {orders: {}}\n");
    world.sync(&[]).exits(0);
    world.put("orders/2.csv", "id\n2\n");
}

/// Ends a sync that waits for somebody else by a signal: nothing is loaded,
/// and nothing has failed.
fn ends_soon(world: &World, running: Running, (signal, code): (&str, i32)) {
    running.signal(signal);
    let signalled = Instant::now();
    let run = running.end().exits(code);
    assert!(signalled.elapsed() < SOON, "it ended after {:?}", signalled.elapsed());
    let report = run.report();
    assert_eq!(report["interrupted"], true, "{report:#}");
    assert_eq!(report["status"], "partial", "{report:#}");
    assert_eq!(report["files"]["failed"], 0, "{report:#}");
    assert_eq!(report["rows"]["loaded"], 0, "{report:#}");
    assert_eq!(report["errors"], serde_json::json!([]), "{report:#}");
    assert_eq!(world.statuses(), ["orders/1.csv|loaded"]);
}

/// Returns when as many connections to the database wait for a lock.
fn wait_for_waiting(world: &World, waiting: &str) {
    let sql = "SELECT count(*) FROM pg_stat_activity
               WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while world.query(sql) != [waiting] {}
}

const SIGNALS: [(&str, i32); 2] = [("INT", 130), ("TERM", 143)];

#[test]
fn a_signal_ends_a_sync_that_waits_for_another_writer_of_sqlite() {
    let world = World::sqlite();
    one_loaded_of_two(&world);
    for signal in SIGNALS {
        let busy = rusqlite::Connection::open(world.path("test.db")).expect("the database opens");
        busy.execute_batch("BEGIN IMMEDIATE").expect("the database is free");
        let mut running = world.plain(&["sync", "-v", "--output", "json"]).start();
        running.has_said("waiting for whoever writes");
        ends_soon(&world, running, signal);
    }
    assert_eq!(world.sync(&[]).exits(0).files(), "already_loaded 1, loaded 1");
}

#[test]
fn a_signal_ends_a_sync_that_waits_for_a_lock_of_postgres() {
    let world = World::postgres();
    one_loaded_of_two(&world);
    for table in ["processed_files", "orders"] {
        for signal in SIGNALS {
            let lock = format!("LOCK TABLE {table} IN SHARE MODE");
            let held = world.database.hold(&lock);
            let running = world.plain(&["sync", "--output", "json"]).start();
            wait_for_waiting(&world, "1");
            ends_soon(&world, running, signal);
            drop(held);
            wait_for_waiting(&world, "0");
        }
    }
    assert_eq!(world.sync(&[]).exits(0).files(), "already_loaded 1, loaded 1");
}

#[test]
fn a_signal_ends_what_waits_before_anything_is_begun() {
    let world = World::postgres();
    one_loaded_of_two(&world);
    let held = world.database.hold("LOCK TABLE processed_files");
    for words in [&["sync", "--output", "json"][..], &["history"], &["plan"]] {
        let running = world.plain(words).start();
        wait_for_waiting(&world, "1");
        running.signal("TERM");
        let signalled = Instant::now();
        running.end().exits(143);
        assert!(signalled.elapsed() < SOON, "it ended after {:?}", signalled.elapsed());
        // The server finds out that nobody waits any more.
        wait_for_waiting(&world, "0");
    }
    drop(held);
    assert_eq!(world.sync(&[]).exits(0).files(), "already_loaded 1, loaded 1");
}

/// What a commit answers is what the ledger will say, so it is waited for.
#[test]
fn a_second_signal_stops_what_cannot_be_finished() {
    let world = World::postgres();
    world.database.execute(
        "CREATE TABLE customers (id bigint PRIMARY KEY); INSERT INTO customers VALUES (7);
         CREATE TABLE orders (id bigint, _file_id bigint,
             customer bigint REFERENCES customers DEFERRABLE INITIALLY DEFERRED)",
    );
    world.put("orders/1.csv", "id,customer\n1,7\n");
    world.configure("", "streams: {orders: {}}\n");
    let held = world.database.hold("DELETE FROM customers");
    let mut running = world.plain(&["sync"]).start();
    wait_for_waiting(&world, "1");
    running.signal("INT");
    running.has_said("once more");
    running.signal("INT");
    running.end().exits(130);
    drop(held);
    wait_for_waiting(&world, "0");
    world.sync(&[]).exits(0);
    assert_eq!(world.query("SELECT id, customer FROM orders"), ["1|7"]);
    assert_eq!(world.statuses(), ["orders/1.csv|loaded"]);
}

#[test]
fn kill_leaves_nothing_half_loaded() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n-1\n");
        let running = held(world);
        running.signal("KILL");
        assert_eq!(running.end().code, None);
        world.assert_ledger_agrees("processed_files");
        completes(world);
    });
}
