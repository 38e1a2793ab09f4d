//! Rows that the database refuses: each alone becomes a reject that names
//! the constraint, and its neighbours are loaded.

use crate::world::{World, on_both};

const REJECT: [&str; 4] = ["--table", "t", "--on-error", "reject"];

fn table(world: &World, columns: &str) {
    world.database.execute(&format!("CREATE TABLE t ({columns}, _file_id bigint)"));
}

fn reasons(world: &World) -> Vec<String> {
    world.query("SELECT line, reason FROM rejected_rows ORDER BY line")
}

#[test]
fn a_check_refuses_rows_one_by_one() {
    on_both(|world| {
        table(world, "id bigint, n bigint CONSTRAINT n_is_small CHECK (n < 100)");
        let rows: Vec<String> =
            (1..=200).map(|id| format!("{id},{}", if id % 50 == 0 { 1000 } else { 5 })).collect();
        world.put("in/1.csv", format!("id,n\n{}\n", rows.join("\n")));
        let run = world.load("in/", &REJECT).exits(3);
        assert_eq!(run.rows(), "read 200, loaded 196, rejected 4");
        let expected: Vec<String> = [51, 101, 151, 201].map(|n| format!("{n}|n_is_small")).into();
        assert_eq!(reasons(world), expected);
        assert_eq!(world.query("SELECT count(*), max(n) FROM t"), ["196|5"]);
        let ledger = world.query("SELECT rows_copied, rows_rejected FROM processed_files");
        assert_eq!(ledger, ["196|4"]);
    });
}

#[test]
fn repeats_of_a_unique_key_are_refused() {
    on_both(|world| {
        table(world, "id bigint CONSTRAINT id_once UNIQUE, n bigint");
        world.put("in/1.csv", "id,n\n1,10\n2,20\n1,30\n3,40\n");
        let run = world.load("in/", &REJECT).exits(3);
        assert_eq!(run.rows(), "read 4, loaded 3, rejected 1");
        let rows = world.query(
            "SELECT line, raw_text FROM (SELECT line, reason AS raw_text FROM rejected_rows) r",
        );
        assert_eq!(rows.len(), 1);
        assert!(rows[0].starts_with("4|"), "{rows:?}");
        assert_eq!(world.query("SELECT n FROM t ORDER BY id"), ["10", "20", "40"]);
    });
}

#[test]
fn nulls_and_strangers_are_refused() {
    on_both(|world| {
        world.database.execute("CREATE TABLE countries (code text PRIMARY KEY)");
        world.database.execute("INSERT INTO countries VALUES ('FR')");
        table(
            world,
            "id bigint NOT NULL, \
             country text CONSTRAINT known_country REFERENCES countries (code)",
        );
        world.put("in/1.csv", "id,country\n1,FR\n,FR\n3,XX\n4,FR\n");
        let run = world.load("in/", &REJECT).exits(3);
        assert_eq!(run.rows(), "read 4, loaded 2, rejected 2");
        assert_eq!(world.query("SELECT id FROM t ORDER BY id"), ["1", "4"]);
        let lines = world.query("SELECT line FROM rejected_rows ORDER BY line");
        assert_eq!(lines, ["3", "4"]);
    });
}

#[test]
fn a_trigger_refuses_rows_in_its_own_words() {
    let world = World::sqlite();
    table(&world, "id bigint, n bigint");
    world.database.execute(
        "CREATE TRIGGER even BEFORE INSERT ON t WHEN new.n % 2 = 1 \
         BEGIN SELECT RAISE(ABORT, 'odd numbers are not for us'); END",
    );
    assert_trigger_refuses(&world);
    let world = World::postgres();
    table(&world, "id bigint, n bigint");
    world.database.execute(
        "CREATE FUNCTION even() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF new.n % 2 = 1 THEN RAISE EXCEPTION 'odd numbers are not for us'; END IF; \
         RETURN new; END $$; \
         CREATE TRIGGER even BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION even()",
    );
    assert_trigger_refuses(&world);
}

fn assert_trigger_refuses(world: &World) {
    world.put("in/1.csv", "id,n\n1,10\n2,21\n3,30\n");
    let run = world.load("in/", &REJECT).exits(3);
    assert_eq!(run.rows(), "read 3, loaded 2, rejected 1");
    let detail = world.query("SELECT line, reason, detail FROM rejected_rows");
    assert!(detail[0].starts_with("3|database|"), "{detail:?}");
    assert!(detail[0].contains("odd numbers are not for us"), "{detail:?}");
}

#[test]
fn past_the_limit_of_rejects_the_file_fails_and_nothing_of_it_stays() {
    on_both(|world| {
        table(world, "id bigint, n bigint CHECK (n < 100)");
        world.put("in/1.csv", "id,n\n1,1000\n2,1000\n3,5\n");
        let run = world.load("in/", &[&REJECT[..], &["--max-rejects", "1"]].concat()).exits(1);
        assert_eq!(run.files(), "failed 1");
        assert_eq!(world.query("SELECT count(*) FROM t"), ["0"]);
    });
}

#[test]
fn without_rejecting_the_file_fails_and_names_the_constraint() {
    on_both(|world| {
        table(world, "id bigint, n bigint CONSTRAINT n_is_small CHECK (n < 100)");
        world.put("in/1.csv", "id,n\n1,5\n2,1000\n");
        let error = world.load("in/", &["--table", "t"]).exits(1).error();
        assert!(error["message"].as_str().unwrap().contains("n_is_small"), "{error:#}");
        assert_eq!(world.query("SELECT count(*) FROM t"), ["0"]);
    });
}
