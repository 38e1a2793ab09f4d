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

#[test]
fn a_second_signal_stops_what_cannot_be_finished() {
    let world = World::sqlite();
    world.put("orders/1.csv", "id\n1\n");
    world.configure("", "streams: {orders: {}}\n");
    world.sync(&[]).exits(0);
    world.put("orders/2.csv", "id\n2\n");
    world.s3.clear_requests();
    let busy = rusqlite::Connection::open(world.path("test.db")).expect("the database opens");
    busy.execute_batch("BEGIN IMMEDIATE").expect("the database is free");
    let mut running = world.plain(&["sync"]).start();
    wait_until_blocking(&world.s3, |requests| {
        requests.iter().any(|request| request.key.as_deref() == Some("orders/2.csv"))
    });
    running.signal("INT");
    running.has_said("once more");
    running.signal("INT");
    running.end().exits(130);
    busy.execute_batch("ROLLBACK").expect("it was held to the end");
    world.assert_ledger_agrees("processed_files");
    assert_eq!(world.sync(&[]).exits(0).files(), "already_loaded 1, loaded 1");
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
