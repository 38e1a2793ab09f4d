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

#[test]
fn rows_that_refer_to_rows_further_down_are_loaded_and_strangers_refused() {
    on_both(|world| {
        for (name, constraint) in [("plain", ""), ("deferred", "DEFERRABLE INITIALLY DEFERRED")] {
            world.database.execute(&format!(
                "CREATE TABLE {name} (k bigint PRIMARY KEY, \
                 v bigint REFERENCES {name} (k) {constraint}, _file_id bigint)"
            ));
            let key = format!("{name}/1.csv");
            world.put(&key, "k,v\n1,2\n2,3\n3,\n4,99\n5,4\n6,6\n");
            let options = ["--table", name, "--on-error", "reject"];
            let run = world.load(&key, &options).exits(3);
            assert_eq!(run.rows(), "read 6, loaded 4, rejected 2", "{name}");
            let rows = world.query(&format!("SELECT k FROM {name} ORDER BY k"));
            assert_eq!(rows, ["1", "2", "3", "6"], "{name}");
            let rejects = world.query(&format!(
                "SELECT line FROM rejected_rows JOIN processed_files f ON f.id = file_id \
                 WHERE f.key = '{key}' ORDER BY line"
            ));
            assert_eq!(rejects, ["5", "6"], "{name}: what refers to a bad row is one");
        }
    });
}

#[test]
fn long_chains_of_rows_are_loaded_whichever_way_they_run() {
    on_both(|world| {
        world.database.execute(
            "CREATE TABLE t (k bigint PRIMARY KEY, v bigint REFERENCES t (k), _file_id bigint)",
        );
        let (mut text, last) = ("k,v\n".to_owned(), 400);
        for k in 1..last {
            text.push_str(&format!("{k},{}\n", k + 1));
        }
        text.push_str(&format!("{last},\n{},\n", last + 1000));
        for k in last + 1..last + 200 {
            text.push_str(&format!("{},{}\n", k + 1000, k + 999));
        }
        text.push_str("-1,-99\n");
        world.put("in/1.csv", text);
        let run = world.load("in/", &REJECT).exits(3);
        assert_eq!(run.rows(), "read 601, loaded 600, rejected 1");
        assert_eq!(world.query("SELECT min(k) FROM t"), ["1"]);
    });
}

#[test]
fn deferred_foreign_keys_refuse_their_rows_alone() {
    on_both(|world| {
        world.database.execute("CREATE TABLE r (id bigint PRIMARY KEY)");
        world.database.execute("INSERT INTO r VALUES (1), (2)");
        table(
            world,
            "k bigint CONSTRAINT known REFERENCES r (id) DEFERRABLE INITIALLY DEFERRED, v text",
        );
        world.put("in/1.csv", "k,v\n1,a\n3,b\n2,c\n");
        world.put("in/2.csv", "k,v\n2,d\n4,e\n5,f\n");
        let run = world.load("in/", &REJECT).exits(3);
        assert_eq!(run.rows(), "read 6, loaded 3, rejected 3");
        assert_eq!(world.query("SELECT v FROM t ORDER BY v"), ["a", "c", "d"]);
        let rejects = "SELECT line FROM rejected_rows ORDER BY file_id IN \
                       (SELECT id FROM processed_files WHERE key = 'in/2.csv'), line";
        assert_eq!(world.query(rejects), ["3", "3", "4"]);
        let ledger = "SELECT rows_copied, rows_rejected FROM processed_files ORDER BY key";
        assert_eq!(world.query(ledger), ["2|1", "1|2"]);
    });
}

#[test]
fn a_failed_file_keeps_the_rows_that_the_database_refuses() {
    on_both(|world| {
        world.database.execute("CREATE TABLE r (id bigint PRIMARY KEY)");
        table(
            world,
            "id bigint REFERENCES r (id) DEFERRABLE INITIALLY DEFERRED, \
             n bigint CONSTRAINT n_is_small CHECK (n < 100)",
        );
        world.put("in/1.csv", "id,n\n,5\n,1000\n,2000\n");
        world.put("in/2.csv", "id,n\n,5\n7,6\n");
        let run = world.load("in/1.csv", &["--table", "t"]).exits(1);
        assert_eq!(run.error()["line"], 3);
        assert_eq!(reasons(world), ["3|n_is_small", "4|n_is_small"]);
        let skipping = ["--table", "t", "--on-error", "skip-file"];
        let error = world.load("in/2.csv", &skipping).exits(3).error();
        assert_eq!(error["line"], 3, "{error:#}");
        assert!(error["hint"].as_str().unwrap().contains("on_error: reject"), "{error:#}");
        let raw = match world.database.is_postgres() {
            true => "convert_from(raw, 'UTF8')",
            false => "CAST(raw AS text)",
        };
        let kept = format!("SELECT {raw} FROM rejected_rows ORDER BY line, raw");
        assert_eq!(world.query(&kept), [",1000", "7,6", ",2000"]);
        assert_eq!(world.query("SELECT count(*) FROM t"), ["0"]);
    });
}

#[test]
fn constraints_that_drop_rows_in_silence_are_overruled() {
    let world = World::sqlite();
    for clause in ["REPLACE", "IGNORE"] {
        let name = clause.to_lowercase();
        world.database.execute(&format!(
            "CREATE TABLE {name} (id bigint UNIQUE ON CONFLICT {clause}, n bigint, _file_id bigint)"
        ));
        let key = format!("{name}/1.csv");
        world.put(&key, "id,n\n1,10\n2,20\n1,30\n");
        let run = world.load(&key, &["--table", &name]).exits(1);
        run.says(&["UNIQUE constraint failed"]);
        let rejecting = ["--table", &name, "--on-error", "reject"];
        let run = world.load(&key, &rejecting).exits(3);
        assert_eq!(run.rows(), "read 3, loaded 2, rejected 1", "{clause}");
        assert_eq!(world.query(&format!("SELECT n FROM {name} ORDER BY n")), ["10", "20"]);
    }
}

#[test]
fn triggers_that_take_rows_away_fail_the_file() {
    let world = World::sqlite();
    table(&world, "id bigint, n bigint");
    world.database.execute(
        "CREATE TRIGGER newest AFTER INSERT ON t \
         BEGIN DELETE FROM t WHERE id = new.id AND rowid <> new.rowid; END",
    );
    world.put("in/1.csv", "id,n\n1,10\n2,20\n1,30\n");
    world.load("in/", &["--table", "t"]).exits(1).says(&["may drop rows in silence"]);
    assert_eq!(world.query("SELECT count(*) FROM t"), ["0"]);
}

#[test]
fn tables_that_follow_are_no_obstacle_while_nothing_is_deleted() {
    on_both(|world| {
        table(world, "id bigint PRIMARY KEY");
        world.database.execute("INSERT INTO t (id) VALUES (1)");
        world.database.execute(
            "CREATE TABLE ch (t bigint REFERENCES t (id) ON DELETE CASCADE); \
             INSERT INTO ch VALUES (1)",
        );
        world.put("in/1.csv", "id\n2\n");
        world.load("in/", &["--table", "t"]).exits(0);
        world.put("in/1.csv", "id\n3\n");
        world.load("in/", &["--table", "t"]).exits(1).says(&["would change", "CASCADE"]);
        assert_eq!(world.query("SELECT id FROM t ORDER BY id"), ["1", "2"]);
        assert_eq!(world.query("SELECT count(*) FROM ch"), ["1"]);
    });
}
