//! One file or one table that cannot be, and its neighbours that can.

use crate::world::{World, on_both};

#[test]
fn a_file_that_meets_what_does_not_pass_fails_alone() {
    for state in ["57014", "53100", "57P01"] {
        let world = World::postgres();
        world.database.execute(&format!(
            "CREATE TABLE t (n bigint, _file_id bigint); \
             CREATE FUNCTION stubborn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF new.n = 2 THEN RAISE 'not today' USING ERRCODE = '{state}'; END IF; \
             RETURN new; END $$; \
             CREATE TRIGGER stubborn BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION stubborn()"
        ));
        for number in 1..=4 {
            world.put(&format!("in/{number}.csv"), format!("n\n{number}\n"));
        }
        let run = world.load("in/", &["--table", "t"]).exits(1);
        assert_eq!(run.files(), "loaded 3, failed 1", "{state}");
        let error = run.error();
        assert!(error["file"].as_str().unwrap().ends_with("in/2.csv"), "{error:#}");
        assert_eq!(world.query("SELECT n FROM t ORDER BY n"), ["1", "3", "4"], "{state}");
        let failed = "SELECT key, attempts FROM processed_files WHERE status = 'failed'";
        assert_eq!(world.query(failed), ["in/2.csv|1"], "{state}");
    }
}

#[test]
fn the_tables_of_the_ledger_are_no_place_for_rows() {
    on_both(|world| {
        world.put("in/orders/1.csv", "name,value\na,1\n");
        for table in ["decant_meta", "Processed_Files", "rejected_rows"] {
            world.load("in/orders/", &["--table", table, "--if-exists", "replace"]).exits(2);
        }
        world.load("in/orders/", &["--table", "mine", "--ledger", "mine"]).exits(2);
        world.put("in/decant_meta/1.csv", "name,value\nschema_version,99\n");
        world.configure("in/", "streams: {all: {files: '*/**', table: '{folder}'}}\n");
        let plan = world.plain(&["plan"]).run();
        assert!(plan.stdout.contains("no rows go there"), "{}", plan.stdout);
        for _ in 0..2 {
            let run = world.sync(&[]).exits(1);
            let error = run.error();
            assert!(error["file"].as_str().unwrap().ends_with("decant_meta/1.csv"), "{error:#}");
        }
        assert_eq!(world.query("SELECT value FROM orders"), ["1"]);
        let version = "SELECT value FROM decant_meta WHERE name = 'schema_version'";
        assert_eq!(world.query(version), ["1"]);
    });
}

#[test]
fn a_column_of_decants_name_and_another_type_is_told() {
    on_both(|world| {
        world.database.execute("CREATE TABLE t (n bigint, _file_id text)");
        world.put("in/1.csv", "n\n1\n");
        let error = world.load("in/", &["--table", "t"]).exits(1).error();
        assert_eq!(error["kind"], "SchemaMismatch", "{error:#}");
        assert!(error["message"].as_str().unwrap().contains("bigint"), "{error:#}");
    });
}
