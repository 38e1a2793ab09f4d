//! `decant replay`: rejected rows, loaded again after a mend.

use crate::run::Run;
use crate::world::{World, on_both};

const AS_NUMBERS: [&str; 4] = ["--on-error", "reject", "--type", "id=int64"];

fn with_rejects(world: &World) {
    world.put("orders/1.csv", "id,amount\n1,10\nx,20\n3,30,more\n4,40\n");
    world.load("orders/", &AS_NUMBERS).exits(3);
}

/// Runs the replay; the ledger and the tables must agree after it.
#[track_caller]
fn replay(world: &World, options: &[&str]) -> Run {
    let words = ["replay", "--to", &world.database.url(), "--output", "json"];
    world.checked(world.plain(&[&words, options].concat()).run())
}

fn counts(world: &World) -> Vec<String> {
    world.query("SELECT rows_copied, rows_rejected FROM processed_files ORDER BY key")
}

/// Exports, edits and hands back the file's name.
fn edited(world: &World, edit: impl Fn(String) -> String) -> &'static str {
    let words = ["rejects", "--to", &world.database.url(), "--export", "bad.csv", "--force"];
    world.plain(&words).run().exits(0);
    let text = std::fs::read_to_string(world.path("bad.csv")).unwrap();
    world.write("bad.csv", edit(text));
    "bad.csv"
}

#[test]
fn rows_that_were_mended_by_hand_join_their_file() {
    on_both(|world| {
        with_rejects(world);
        let from = edited(world, |text| text.replace("x,20", "2,20").replace(",more", ""));
        let run = replay(world, &["--from", from]).exits(0);
        assert_eq!(run.rows(), "read 2, loaded 2");
        let rows = world.query("SELECT id, amount FROM orders ORDER BY id");
        assert_eq!(rows, ["1|10", "2|20", "3|30", "4|40"]);
        let files = world.query("SELECT count(DISTINCT _file_id) FROM orders");
        assert_eq!(files, ["1"], "the rows carry their file's id");
        assert_eq!(counts(world), ["4|0"]);
        let open = "SELECT count(*) FROM rejected_rows WHERE settled_at IS NULL";
        assert_eq!(world.query(open), ["0"]);
        let again = replay(world, &["--from", from]).exits(0);
        assert_eq!(again.rows(), "", "a second replay finds nothing");
        assert_eq!(counts(world), ["4|0"]);
    });
}

#[test]
fn bytes_without_a_meaning_are_kept_in_the_files_encoding_and_replayed() {
    on_both(|world| {
        world.put("in/1.csv", &b"id,name\n1,\x96\xbc\n2,\x96\xbc\x81\xff\n3,x\n"[..]);
        let options = ["--table", "t", "--on-error", "reject", "--encoding", "shift_jis"];
        let run = world.load("in/", &options).exits(3);
        assert_eq!(run.rows(), "read 3, loaded 2, rejected 1");
        let hex =
            if world.database.is_postgres() { "encode(raw, 'hex')" } else { "lower(hex(raw))" };
        let raw = world.query(&format!("SELECT line, reason, {hex} FROM rejected_rows"));
        assert_eq!(raw, ["3|encoding|322c96bc81ff"]);
        assert_eq!(replay(world, &[]).exits(3).rows(), "read 1, rejected 1");
        let run = replay(world, &["--lenient"]).exits(0);
        assert_eq!(run.rows(), "read 1, loaded 1, repaired 1");
        let names = world.query("SELECT name FROM t ORDER BY id");
        assert_eq!(names, ["名", "名\u{fffd}", "x"]);
    });
}

#[test]
fn what_is_still_bad_stays_a_reject() {
    on_both(|world| {
        with_rejects(world);
        let from = edited(world, |text| text.replace("x,20", "2,20"));
        let run = replay(world, &["--from", from]).exits(3);
        assert_eq!(run.rows(), "read 2, loaded 1, rejected 1");
        run.says(&["still bad", "orders/1.csv line 4"]);
        assert_eq!(counts(world), ["3|1"]);
        let nothing = replay(world, &[]).exits(3);
        assert_eq!(nothing.rows(), "read 1, rejected 1");
        assert_eq!(counts(world), ["3|1"]);
    });
}

#[test]
fn only_rows_that_stand_in_the_edited_file_are_replayed() {
    on_both(|world| {
        with_rejects(world);
        let from = edited(world, |text| {
            text.lines().take(2).map(|line| format!("{}\n", line.replace('x', "2"))).collect()
        });
        let run = replay(world, &["--from", from]).exits(0);
        assert_eq!(run.rows(), "read 1, loaded 1");
        assert_eq!(counts(world), ["3|1"]);
    });
}

#[test]
fn a_dry_run_says_what_would_load_and_writes_nothing() {
    on_both(|world| {
        with_rejects(world);
        let from = edited(world, |text| text.replace("x,20", "2,20"));
        let words = ["replay", "--to", &world.database.url(), "--from", from, "--dry-run"];
        world.plain(&words).run().exits(3).says(&["1 row loaded, 1 still rejected", "dry run"]);
        assert_eq!(counts(world), ["2|2"]);
        assert_eq!(world.query("SELECT count(*) FROM orders"), ["2"]);
    });
}

#[test]
fn a_table_that_was_mended_takes_the_rows_as_they_are() {
    on_both(|world| {
        world.database.execute("CREATE TABLE orders (id bigint, amount bigint, _file_id bigint)");
        world.put("orders/1.csv", "id,amount\n1,10\n2,twenty\n");
        world.load("orders/", &["--on-error", "reject"]).exits(3);
        replay(world, &[]).exits(3);
        let widen = if world.database.is_postgres() {
            "ALTER TABLE orders ALTER COLUMN amount TYPE text"
        } else {
            "ALTER TABLE orders RENAME TO old;
             CREATE TABLE orders (id bigint, amount text, _file_id bigint);
             INSERT INTO orders SELECT * FROM old; DROP TABLE old"
        };
        world.database.execute(widen);
        assert_eq!(replay(world, &[]).exits(0).rows(), "read 1, loaded 1");
        assert_eq!(world.query("SELECT amount FROM orders ORDER BY id"), ["10", "twenty"]);
    });
}

#[test]
fn rows_are_read_as_the_load_read_them() {
    on_both(|world| {
        world.put("orders/1.txt", "# a comment\nOrder Id;Price\n1;'a;b'\nx;'c;''d'\n");
        let format = ["--delimiter", ";", "--quote", "'", "--comment", "#", "--format", "csv"];
        let columns = ["--rename", "Order Id=number", "--type", "number=int64"];
        let options = [&format[..], &columns, &["--on-error", "reject"]].concat();
        world.load("orders/", &options).exits(3);
        let from = edited(world, |text| text.replace(";x;", ";2;"));
        let run = replay(world, &["--from", from]).exits(0);
        assert_eq!(run.rows(), "read 1, loaded 1");
        let rows = world.query("SELECT number, price FROM orders ORDER BY number");
        assert_eq!(rows, ["1|a;b", "2|c;'d"]);
    });
}

#[test]
fn rejects_of_files_that_failed_are_left_alone() {
    on_both(|world| {
        world.put("orders/1.csv", "id,amount\n1,10\nx,20\n");
        world.load("orders/", &["--type", "id=int64"]).exits(1);
        let words = ["replay", "--to", &world.database.url()];
        world.plain(&words).run().exits(0).says(&["there is nothing to replay"]);
    });
}

#[test]
fn replays_at_the_same_time_load_each_row_once() {
    on_both(|world| {
        with_rejects(world);
        let from = edited(world, |text| text.replace("x,20", "2,20").replace(",more", ""));
        let words = ["replay", "--to", &world.database.url(), "--from", from];
        let running: Vec<_> = (0..3).map(|_| world.plain(&words).start()).collect();
        for run in running {
            run.end().exits(0);
        }
        let rows = world.query("SELECT id FROM orders ORDER BY id");
        assert_eq!(rows, ["1", "2", "3", "4"]);
        assert_eq!(counts(world), ["4|0"]);
        world.assert_ledger_agrees("processed_files");
    });
}

#[test]
fn an_edited_file_that_is_none_is_refused() {
    let world = World::sqlite();
    with_rejects(&world);
    world.write("other.csv", "id,amount\n2,20\n");
    for (from, message) in [("other.csv", "`_reject_id`"), ("nowhere.csv", "cannot be read")] {
        let words = ["replay", "--to", &world.database.url(), "--from", from];
        world.plain(&words).run().exits(2).says(&[message, from]);
    }
}

#[test]
fn rows_that_the_database_refuses_stay_rejects() {
    on_both(|world| {
        world.database.execute(
            "CREATE TABLE orders (id bigint CHECK (id < 100), amount bigint, _file_id bigint)",
        );
        world.put("orders/1.csv", "id,amount\n1,10\nx,20\ny,30\n");
        world.load("orders/", &["--on-error", "reject"]).exits(3);
        let from = edited(world, |text| text.replace("x,20", "500,20").replace("y,30", "3,30"));
        let run = replay(world, &["--from", from]).exits(3);
        assert_eq!(run.rows(), "read 2, loaded 1, rejected 1");
        assert_eq!(world.query("SELECT id FROM orders ORDER BY id"), ["1", "3"]);
        assert_eq!(counts(world), ["2|1"]);
    });
}

#[test]
fn rows_of_a_version_that_was_displaced_are_refused_by_name() {
    on_both(|world| {
        with_rejects(world);
        let from = edited(world, |text| text.replace("x,20", "2,20"));
        world.put("orders/1.csv", "id,amount\n7,70\ny,80\nz,90\n");
        world.load("orders/", &AS_NUMBERS).exits(3);
        let run = replay(world, &["--from", from]).exits(1);
        run.says(&["not replayed: r", "there is no such reject", "none of the edited rows"]);
        assert_eq!(world.query("SELECT id FROM orders ORDER BY id"), ["7"]);
        let open = "SELECT count(*) FROM rejected_rows WHERE settled_at IS NULL";
        assert_eq!(world.query(open), ["2"], "rejects of others are not settled");
        assert_eq!(world.query("SELECT min(id) FROM rejected_rows"), ["3"], "ids are not reused");
    });
}

#[test]
fn rows_of_another_ledger_are_refused_by_name() {
    on_both(|world| {
        let other = World::sqlite();
        other.put("people/1.csv", "id,amount\nx,20\n");
        other.load("people/", &AS_NUMBERS).exits(3);
        let from = edited(&other, |text| text.replace("x,20", "2,20"));
        let foreign = std::fs::read_to_string(other.path(from)).unwrap();
        let foreign = foreign.lines().nth(1).unwrap();
        with_rejects(world);
        let from = edited(world, |text| {
            let kept: Vec<String> = text
                .lines()
                .filter(|line| !line.starts_with("r1-"))
                .map(|line| line.replace(",more", ""))
                .collect();
            format!("{}\n{foreign}\nr99-0a1b2c3d,5,50\n", kept.join("\n"))
        });
        let run = replay(world, &["--from", from]).exits(3);
        assert_eq!(run.rows(), "read 3, loaded 1, rejected 2");
        run.says(&["of this ledger is another row: row 2 of", "r99-0a1b2c3d: there is no such"]);
        assert_eq!(world.query("SELECT id FROM orders ORDER BY id"), ["1", "3", "4"]);
        assert_eq!(counts(world), ["3|1"]);
    });
}

#[test]
fn edited_columns_go_by_the_names_above_them() {
    on_both(|world| {
        world.put("orders/1.csv", "id,amount,note\nx,20,\"a, b\"\n");
        world.load("orders/", &AS_NUMBERS).exits(3);
        let edit = |header: &'static str, row: &'static str| {
            move |text: String| {
                let id = text.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
                format!("_reject_id,{header}\n{id},{row}\n")
            }
        };
        for (header, row, why) in [
            ("id,amount,remark", "2,20,a", "columns that the rows have not: `remark`"),
            ("id,amount", "2,20", "lacks columns of the rows: `note`"),
        ] {
            let from = edited(world, edit(header, row));
            replay(world, &["--from", from]).exits(2).says(&[why]);
        }
        assert_eq!(counts(world), ["0|1"]);
        let from = edited(world, edit("\"note\",amount,id", "\"a, b\",20,2"));
        assert_eq!(replay(world, &["--from", from]).exits(0).rows(), "read 1, loaded 1");
        assert_eq!(world.query("SELECT id, amount, note FROM orders"), ["2|20|a, b"]);
    });
}

#[test]
fn replayed_rows_keep_the_line_on_which_they_stand() {
    on_both(|world| {
        world.put("orders/1.csv", "id,amount\n1,10\n\"2\",\"a\nb\"\nx,20\n");
        let line = ["--add-column", "line={line}"];
        world.load("orders/", &[&AS_NUMBERS[..], &line].concat()).exits(3);
        let from = edited(world, |text| text.replace("x,20", "3,20"));
        replay(world, &["--from", from]).exits(0);
        assert_eq!(world.query("SELECT id, line FROM orders ORDER BY id"), ["1|2", "2|3", "3|5"]);
    });
}

#[test]
fn repairs_of_a_lenient_replay_are_counted_by_kind() {
    on_both(|world| {
        world.put("orders/1.csv", "id,amount,note\n1,10,a\n2,20\n3,30,c,more\n");
        world.load("orders/", &AS_NUMBERS).exits(3);
        let run = replay(world, &["--lenient"]).exits(0);
        assert_eq!(run.rows(), "read 2, loaded 2, repaired 2");
        let repairs = run.report()["rows"]["repairs"].clone();
        assert_eq!(repairs.as_object().map(serde_json::Map::len), Some(2), "{repairs}");
    });
}

#[test]
fn a_type_that_is_given_makes_a_column_of_ours_wider() {
    on_both(|world| {
        with_rejects(world);
        let wider = ["--type", "id=text", "--reason", "type"];
        let dry = replay(world, &[&wider[..], &["--dry-run"]].concat()).exits(0);
        assert_eq!(dry.rows(), "read 1, loaded 1");
        let of_type = |world: &World| match world.database.is_postgres() {
            true => world.query("SELECT DISTINCT pg_typeof(id)::text FROM orders"),
            false => world.query("SELECT DISTINCT typeof(id) FROM orders"),
        };
        assert!(["bigint", "integer"].contains(&of_type(world)[0].as_str()));
        let run = replay(world, &wider).exits(0);
        assert_eq!(run.rows(), "read 1, loaded 1");
        run.says(&["widened id from int64 to text for s3://shop/orders/1.csv"]);
        assert_eq!(of_type(world), ["text"]);
        assert_eq!(world.query("SELECT id FROM orders ORDER BY id"), ["1", "4", "x"]);
    });
}

#[test]
fn a_given_type_changes_no_table_of_others_and_says_what_would() {
    on_both(|world| {
        world.database.execute("CREATE TABLE orders (id bigint, amount bigint, _file_id bigint)");
        world.put("orders/1.csv", "id,amount\n1,10\nx,20\n");
        world.load("orders/", &["--on-error", "reject"]).exits(3);
        let error = replay(world, &["--type", "id=text"]).exits(1).error();
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("is int64, which does not hold text"), "{error:#}");
        assert!(error["hint"].as_str().unwrap().contains("TABLE"), "{error:#}");
        let no_way = replay(world, &["--type", "id=date"]).exits(1).error();
        assert!(no_way["hint"].as_str().unwrap().contains("--type id=text"), "{no_way:#}");
        let error = replay(world, &["--type", "nocol=text"]).exits(2).error();
        assert!(error["message"].as_str().unwrap().contains("`nocol`"), "{error:#}");
        assert_eq!(counts(world), ["1|1"]);
    });
}

#[test]
fn mended_rows_may_refer_to_each_other() {
    on_both(|world| {
        world.database.execute(
            "CREATE TABLE orders (id bigint PRIMARY KEY, amount bigint REFERENCES orders (id) \
             DEFERRABLE INITIALLY DEFERRED, _file_id bigint)",
        );
        world.put("orders/1.csv", "id,amount\n1,1\nx,3\ny,1\nz,99\n");
        world.load("orders/", &["--on-error", "reject"]).exits(3);
        let from = edited(world, |text| {
            text.replace("x,3", "2,3").replace("y,1", "3,1").replace("z,99", "4,99")
        });
        let run = replay(world, &["--from", from]).exits(3);
        assert_eq!(run.rows(), "read 3, loaded 2, rejected 1");
        assert_eq!(world.query("SELECT id FROM orders ORDER BY id"), ["1", "2", "3"]);
        assert_eq!(counts(world), ["3|1"]);
    });
}
