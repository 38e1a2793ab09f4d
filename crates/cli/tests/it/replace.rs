//! Tables that become exactly the rows of the files of one call.

use crate::world::{World, on_both};

const REPLACE: [&str; 2] = ["--if-exists", "replace"];

fn ids(world: &World) -> Vec<String> {
    world.query("SELECT id FROM orders ORDER BY id")
}

fn two_loaded(world: &World) {
    world.put("orders/1.csv", "id\n1\n");
    world.put("orders/2.csv", "id\n2\n");
    world.load("orders/", &[]).exits(0);
}

#[test]
fn the_table_becomes_the_rows_of_the_selected_files() {
    on_both(|world| {
        two_loaded(world);
        world.database.execute("INSERT INTO orders (id) VALUES (99)");
        world.put("orders/3.csv", "id\n3\n");
        let replace = [&REPLACE[..], &["--table", "orders"]].concat();
        let run = world.load("orders/[23].csv", &replace).exits(0);
        assert_eq!(run.files(), "excluded 1, loaded 2");
        assert_eq!(ids(world), ["2", "3"]);
        let expected = ["orders/1.csv|superseded", "orders/2.csv|loaded", "orders/3.csv|loaded"];
        assert_eq!(world.statuses(), expected);
    });
}

#[test]
fn displaced_files_stay_out_of_later_loads_unless_forced() {
    on_both(|world| {
        two_loaded(world);
        let replace = [&REPLACE[..], &["--table", "orders"]].concat();
        world.load("orders/2.csv", &replace).exits(0);
        assert_eq!(ids(world), ["2"]);
        let run = world.load("orders/", &[]).exits(0);
        assert_eq!(run.report()["files"]["loaded"], 0);
        assert_eq!(ids(world), ["2"]);
        world.load("orders/", &["--force"]).exits(0);
        assert_eq!(ids(world), ["1", "2"]);
    });
}

#[test]
fn an_unchanged_set_is_a_no_op() {
    on_both(|world| {
        two_loaded(world);
        world.load("orders/", &REPLACE).exits(0);
        let before = world.query("SELECT key, load_id FROM processed_files ORDER BY key");
        let run = world.load("orders/", &REPLACE).exits(0);
        assert_eq!(run.report()["rows"]["loaded"], 0);
        assert_eq!(world.query("SELECT key, load_id FROM processed_files ORDER BY key"), before);
        assert_eq!(ids(world), ["1", "2"]);
    });
}

#[test]
fn what_is_not_known_to_be_the_last_replace_is_loaded_again() {
    on_both(|world| {
        let replaced = |options: &[&str]| {
            let run = world.load("orders/", &[&REPLACE[..], options].concat()).exits(0);
            run.report()["files"]["loaded"] == 2
        };
        two_loaded(world);
        assert!(replaced(&[]), "a table that was only appended to");
        assert!(!replaced(&[]), "the same again");
        assert!(replaced(&["--where", "id > 1"]), "another filter");
        assert_eq!(ids(world), ["2"]);
        assert!(replaced(&[]), "no filter any more");
        assert_eq!(ids(world), ["1", "2"]);
        assert!(replaced(&["--on-error", "reject"]), "another rule for bad rows");
        assert!(replaced(&[]), "the first rules again");
        world.database.execute("DELETE FROM orders WHERE id = 1");
        assert!(replaced(&[]), "a row that somebody deleted");
        assert_eq!(ids(world), ["1", "2"]);
        world.load("orders/1.csv", &["--table", "orders", "--force"]).exits(0);
        assert!(replaced(&[]), "a file that was loaded by itself since");
        assert!(!replaced(&[]), "nothing new");
    });
}

#[test]
fn a_full_refresh_loads_what_the_ledger_says_is_loaded() {
    on_both(|world| {
        two_loaded(world);
        world.database.execute("UPDATE orders SET id = 100 WHERE id = 1");
        for _ in 0..2 {
            let run = world.load("orders/", &["--full-refresh"]).exits(0);
            assert_eq!(run.files(), "loaded 2");
            assert_eq!(ids(world), ["1", "2"]);
        }
    });
}

#[test]
fn a_table_that_one_stream_replaces_is_no_other_streams() {
    on_both(|world| {
        world.put("a/1.csv", "id\n1\n");
        world.put("b/2.csv", "id\n2\n");
        let append = "{files: 'a/*', table: b}";
        let replace = "{files: 'a/*', table: b, if_exists: replace}";
        let of_template = "{files: 'b/*', table: '{folder}', if_exists: replace}";
        let appending = "{files: 'b/*', table: '{folder}'}";
        let schema = if world.database.is_postgres() { "public" } else { "main" };
        let qualified = format!("{{files: 'b/*', table: {schema}.b, if_exists: replace}}");
        let upper = "{files: 'b/*', table: B, if_exists: replace}";
        let cases = [
            (append, of_template),
            (replace, of_template),
            (replace, appending),
            (replace, &qualified),
        ];
        let mut cases = cases.to_vec();
        if !world.database.is_postgres() {
            cases.push((replace, upper));
        }
        for (first, second) in cases {
            world.configure("", &format!("streams:\n  one: {first}\n  two: {second}\n"));
            let run = world.plain(&["sync", "--output", "json"]).run().exits(2);
            run.says(&["is replaced by stream `", "feeds it as well"]);
            let rows = world
                .database
                .tables()
                .contains(&"b".to_owned())
                .then(|| world.query("SELECT id FROM b"));
            assert!(rows.is_none_or(|rows| rows == ["1"]), "{first} and {second}");
        }
    });
}

#[test]
fn one_failed_file_leaves_the_table_as_it_was() {
    on_both(|world| {
        two_loaded(world);
        world.put("orders/1.csv", "id\n10\n");
        world.put("orders/3.csv", "id\n\"three\n");
        let run = world.load("orders/", &REPLACE).exits(1);
        assert_eq!(run.report()["rows"]["loaded"], 0);
        assert_eq!(run.error()["file"], "s3://shop/orders/3.csv");
        assert_eq!(ids(world), ["1", "2"]);
        let loaded =
            world.query("SELECT key FROM processed_files WHERE status = 'loaded' ORDER BY 1");
        assert_eq!(loaded, ["orders/1.csv", "orders/2.csv"]);
    });
}

#[test]
fn an_empty_selection_leaves_the_table_as_it_was() {
    on_both(|world| {
        two_loaded(world);
        let replace = [&REPLACE[..], &["--table", "orders"]].concat();
        world.load("orders/none-*.csv", &replace).exits(1);
        assert_eq!(ids(world), ["1", "2"]);
        world.configure("nothing/", "streams: {orders: {table: orders, if_exists: replace}}\n");
        let run = world.sync(&[]).exits(1);
        run.says(&["there is nothing to replace with"]);
        assert_eq!(ids(world), ["1", "2"]);
        assert_eq!(world.statuses(), ["orders/1.csv|loaded", "orders/2.csv|loaded"]);
    });
}

#[test]
fn views_indexes_and_readers_survive() {
    on_both(|world| {
        two_loaded(world);
        world.database.execute("CREATE VIEW order_ids AS SELECT id FROM orders");
        world.put("orders/2.csv", "id\n20\n");
        world.load("orders/", &REPLACE).exits(0);
        assert_eq!(world.query("SELECT id FROM order_ids ORDER BY id"), ["1", "20"]);
    });
}

#[test]
fn a_table_of_somebody_elses_is_replaced_too() {
    on_both(|world| {
        world.database.execute("CREATE TABLE orders (id bigint); INSERT INTO orders VALUES (99)");
        world.put("orders/1.csv", "id\n1\n");
        world.load("orders/", &REPLACE).exits(0);
        assert_eq!(ids(world), ["1"]);
    });
}

#[test]
fn a_full_refresh_replaces_for_a_stream_that_appends() {
    on_both(|world| {
        two_loaded(world);
        world.s3.delete(crate::world::BUCKET, "orders/1.csv");
        world.put("orders/2.csv", "id\n20\n");
        let run = world.load("orders/", &["--full-refresh"]).exits(0);
        assert_eq!(run.files(), "loaded 1");
        assert_eq!(ids(world), ["20"]);
        assert_eq!(world.load("orders/", &[]).exits(0).files(), "already_loaded 1");
    });
}

#[test]
fn a_delete_that_would_cascade_into_another_table_is_refused() {
    let world = World::postgres();
    world.database.execute(
        "CREATE TABLE orders (id bigint PRIMARY KEY); INSERT INTO orders VALUES (7);
         CREATE TABLE order_lines (order_id bigint REFERENCES orders ON DELETE CASCADE);
         INSERT INTO order_lines VALUES (7)",
    );
    world.put("orders/1.csv", "id\n1\n");
    let run = world.load("orders/", &REPLACE).exits(1);
    assert!(run.error()["message"].as_str().unwrap().contains("order_lines"), "{run:?}");
    assert_eq!(world.query("SELECT order_id FROM order_lines"), ["7"]);
    assert_eq!(ids(&world), ["7"]);
}
