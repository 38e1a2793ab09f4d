//! Runs that overlap, and see different versions of one key: the rows of one
//! version are loaded, and it is the one that the key holds.

use decant_testkit::s3::{Fault, Faults, Gate, Operation, wait_until_blocking};

use crate::run::{Run, Running};
use crate::world::{BUCKET, World, on_both};

/// A load that has read so many bytes of the first version of
/// `orders/2.csv`, and gets no more before the gate opens.
fn held(world: &World, rows: std::ops::Range<u32>, after_bytes: u64) -> (Running, Gate) {
    world.put("orders/1.csv", "id\n-1\n");
    world.load("orders/", &[]).exits(0);
    let rows: String = rows.map(|id| format!("{id}\n")).collect();
    world.put("orders/2.csv", format!("id\n{rows}"));
    let gate = Gate::new();
    let hold = Fault::HoldBody { after_bytes, gate: gate.clone() };
    Faults::new().on(Operation::Get, "orders/2.csv").once().then(hold).install(&world.s3);
    let source = format!("s3://{BUCKET}/orders/");
    let words = ["load", &source, "--to", &world.database.url(), "--output", "json"];
    let running = world.decant(&words).start();
    wait_until_blocking(&world.s3, |requests| {
        requests.iter().any(|request| request.key.as_deref() == Some("orders/2.csv"))
    });
    (running, gate)
}

/// Overwrites the file, loads it, and lets the first load go on.
fn overtaken(world: &World, (running, gate): (Running, Gate)) -> Run {
    world.put("orders/2.csv", "id\n-2\n");
    assert_eq!(world.load("orders/", &[]).exits(0).files(), "already_loaded 1, loaded 1");
    gate.open();
    world.checked(running.end())
}

fn assert_only_the_newer_is_loaded(world: &World, late: Run) {
    assert_eq!(late.exits(0).files(), "already_loaded 2");
    assert_eq!(world.query("SELECT id FROM orders ORDER BY id"), ["-2", "-1"]);
    assert_eq!(world.statuses(), ["orders/1.csv|loaded", "orders/2.csv|loaded"]);
    assert_eq!(world.load("orders/", &[]).exits(0).files(), "already_loaded 2");
}

#[test]
fn a_version_that_was_read_before_it_was_overwritten_is_not_added_to_the_newer_one() {
    on_both(|world| {
        let held = held(world, 0..20, 10);
        let late = overtaken(world, held);
        assert_only_the_newer_is_loaded(world, late);
    });
}

#[test]
fn a_large_version_whose_rows_are_written_already_gives_way_to_the_newer_one() {
    let world = World::postgres();
    let held = held(&world, 0..500_000, 3_000_000);
    let writing = "SELECT count(*) > 0 FROM pg_locks
                   WHERE relation = 'orders'::regclass AND mode = 'RowExclusiveLock'";
    while world.query(writing) != ["t"] {}
    let late = overtaken(&world, held);
    assert_only_the_newer_is_loaded(&world, late);
}
