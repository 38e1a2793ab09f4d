//! Malformed rows, strictly and leniently: each repair is counted by its kind
//! and what it cut off is kept.

use crate::world::{World, on_both};

const RAGGED: &str = "id,name,n\n1,ada,10\n2,bob\n3,carl,30,surplus,more\n4,dora,40\n";

fn raw(world: &World) -> &'static str {
    if world.database.is_postgres() { "convert_from(raw, 'UTF8')" } else { "CAST(raw AS TEXT)" }
}

#[test]
fn short_rows_are_padded_and_long_ones_cut_and_what_was_cut_is_kept() {
    on_both(|world| {
        world.put("in/1.csv", RAGGED);
        let run = world.load("in/", &["--table", "t", "--lenient"]).exits(0);
        assert_eq!(run.rows(), "read 4, loaded 4, repaired 2");
        let repairs = run.report()["rows"]["repairs"].clone();
        assert_eq!((&repairs["padded"], &repairs["cut"]), (&1.into(), &1.into()), "{repairs}");
        let rows = world.query("SELECT id, name, n FROM t ORDER BY id");
        assert_eq!(rows, ["1|ada|10", "2|bob|NULL", "3|carl|30", "4|dora|40"]);
        let sql = format!("SELECT ordinal, line, reason, {} FROM rejected_rows", raw(world));
        assert_eq!(world.query(&sql), ["3|4|repaired|3,carl,30,surplus,more"]);
        let ledger = world.query("SELECT rows_copied, rows_rejected FROM processed_files");
        assert_eq!(ledger, ["4|0"]);
    });
}

#[test]
fn what_was_cut_is_rescued_where_that_is_asked() {
    on_both(|world| {
        world.put("in/1.csv", RAGGED);
        let options = ["--table", "t", "--lenient", "--new-columns", "rescue"];
        let run = world.load("in/", &options).exits(0);
        assert_eq!(run.rows(), "read 4, loaded 4, rescued 1, repaired 2");
        let rescued = world.rows("SELECT _rescued FROM t WHERE id = 3");
        let kept = rescued[0][0].as_deref().unwrap();
        assert!(kept.contains("surplus") && kept.contains("more"), "{kept}");
        assert_eq!(world.query("SELECT count(*) FROM rejected_rows"), ["0"]);
    });
}

#[test]
fn stray_quotes_are_data_when_reading_leniently() {
    on_both(|world| {
        world.put("in/1.csv", "id,name\n1,5\" pipe\n2,\"quoted\" tail\n3,plain\n");
        let strict = world.load("in/", &["--table", "strict", "--on-error", "reject"]).exits(3);
        assert_eq!(strict.rows(), "read 3, loaded 1, rejected 2");
        let run = world.load("in/", &["--table", "t", "--lenient"]).exits(0);
        assert_eq!(run.rows(), "read 3, loaded 3, repaired 2");
        assert_eq!(run.report()["rows"]["repairs"]["stray_quote"], 2);
        assert_eq!(world.query("SELECT name FROM t WHERE id = 1"), ["5\" pipe"]);
    });
}

#[test]
fn an_unclosed_quote_costs_its_own_row_and_no_other() {
    on_both(|world| {
        let rows: String = (3..=500).map(|id| format!("{id},row {id}\n")).collect();
        world.put("in/1.csv", format!("id,name\n1,one\n2,\"never closed\n{rows}"));
        let strict = world.load("in/", &["--table", "strict", "--on-error", "reject"]).exits(3);
        assert_eq!(strict.rows(), "read 500, loaded 499, rejected 1");
        assert_eq!(world.query("SELECT line, reason FROM rejected_rows"), ["3|quote"]);
        let run = world.load("in/", &["--table", "t", "--lenient"]).exits(0);
        assert_eq!(run.rows(), "read 500, loaded 500, repaired 1");
        assert_eq!(run.report()["rows"]["repairs"]["closed_quote"], 1);
        assert_eq!(world.query("SELECT name FROM t WHERE id = 2"), ["never closed"]);
    });
}

#[test]
fn bytes_that_cannot_be_decoded_follow_the_policy() {
    on_both(|world| {
        world.put("in/1.csv", &b"id,name\n1,plain\n2,caf\xe9\n3,na\xc3\xafve\n"[..]);
        let utf_8 = ["--encoding", "utf-8"];
        let strict = [&["--table", "strict", "--on-error", "reject"], &utf_8[..]].concat();
        let run = world.load("in/", &strict).exits(3);
        assert_eq!(run.rows(), "read 3, loaded 2, rejected 1");
        assert_eq!(world.query("SELECT reason FROM rejected_rows"), ["encoding"]);
        let lenient = [&["--table", "t", "--lenient"], &utf_8[..]].concat();
        let run = world.load("in/", &lenient).exits(0);
        assert_eq!(run.rows(), "read 3, loaded 3, repaired 1");
        assert_eq!(run.report()["rows"]["repairs"]["replaced"], 1);
        assert_eq!(world.query("SELECT name FROM t WHERE id = 2"), ["caf\u{fffd}"]);
    });
}
