//! The verbs that stand beside loading: the demo, completions, help.

use crate::world::World;

#[test]
fn the_demo_loads_rejects_one_row_and_finds_nothing_new_the_second_time() {
    let world = World::sqlite();
    let run = world.plain(&["demo"]).run().exits(0);
    run.says(&["1 rejected", "0 files loaded, 5 loaded before", "Try next"]);
    assert_eq!(run.stderr, "");
    let demo = rusqlite::Connection::open(world.path("decant-demo/demo.db")).unwrap();
    let count = |sql: &str| demo.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM orders"), 90);
    assert_eq!(count("SELECT count(*) FROM rejected_rows"), 1);
    assert_eq!(count("SELECT count(*) FROM processed_files WHERE status = 'loaded'"), 5);
    drop(demo);
    world.plain(&["demo"]).run().exits(0);
    let words = ["history", "--to", "sqlite:decant-demo/demo.db", "--output", "json"];
    assert_eq!(world.plain(&words).run().exits(0).lines().len(), 5);
}

#[test]
fn completions_are_printed_for_each_shell() {
    let world = World::sqlite();
    for shell in ["bash", "zsh", "fish"] {
        world.plain(&["completions", shell]).run().exits(0).says(&["decant", "sync"]);
    }
    world.plain(&["completions", "abacus"]).run().exits(2);
}

#[test]
fn help_names_every_verb_and_the_exit_codes() {
    let world = World::sqlite();
    let help = world.plain(&["--help"]).run().exits(0);
    help.says(&["load", "sync", "list", "plan", "check", "history", "config", "demo"]);
    help.says(&["completions", "Exit codes"]);
    let help = world.plain(&["load", "--help"]).run().exits(0);
    help.says(&["--table", "--if-exists", "--on-error", "--max-rejects", "DECANT_TABLE"]);
    world.plain(&["--version"]).run().exits(0).says(&["decant"]);
}

#[test]
fn help_never_shows_what_a_variable_holds() {
    let world = World::sqlite();
    let secret = "postgresql://me:in-the-variable@host/db";
    let run = world.plain(&["load", "--help"]).env("DECANT_TO", secret).run().exits(0);
    run.never_says("in-the-variable");
}
