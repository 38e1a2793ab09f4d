//! Columns from elsewhere, and light changes on the way: nothing is lost
//! without being counted.

use crate::world::{World, on_both};

fn sync_with(world: &World, stream: &str) -> crate::run::Run {
    world.configure("", &format!("streams:\n  s:\n    files: \"in/**\"\n    table: t\n{stream}"));
    world.sync(&[])
}

#[test]
fn rows_that_do_not_pass_the_filter_are_counted() {
    on_both(|world| {
        world.put("in/1.csv", "id,country,n\n1,FR,10\n2,DE,20\n3,US,30\n4,FR,\n5,FR,50\n");
        let run = sync_with(world, "    where: \"country in ('FR', 'DE') and n > 10\"\n").exits(0);
        assert_eq!(run.rows(), "read 5, loaded 2, filtered 3");
        assert_eq!(world.query("SELECT id FROM t ORDER BY id"), ["2", "5"]);
    });
}

#[test]
fn a_column_that_is_compared_with_a_number_stays_one_of_numbers() {
    on_both(|world| {
        world.put("in/1.csv", "id,n\n1,10\n2,20\n");
        let stream = "    where: n > 5\n    on_error: reject\n";
        sync_with(world, stream).exits(0);
        world.put("in/2.csv", "id,n\n3,30\n4,oops\n5,1\n");
        world.put("in/3.csv", "id,n\n6,60\n7,7.5\n8,\n");
        let run = sync_with(world, stream).exits(3);
        assert_eq!(run.rows(), "read 6, loaded 3, rejected 1, filtered 2");
        assert_eq!(world.query("SELECT id FROM t ORDER BY id"), ["1", "2", "3", "6", "7"]);
        let rejects = world.query("SELECT line, column_name FROM rejected_rows");
        assert_eq!(rejects, ["3|n"], "{run:?}");
        // Without leave to reject rows it is the file's failure alone.
        world.put("in/4.csv", "id,n\n9,never\n");
        world.put("in/5.csv", "id,n\n10,100\n");
        sync_with(world, "    where: n > 5\n").exits(1);
        assert_eq!(world.query("SELECT count(*) FROM t"), ["6"]);
        // A comparison that means the same of text is no reason to keep a type.
        sync_with(world, "    where: n <> '10'\n").exits(0);
        assert_eq!(world.query("SELECT n FROM t WHERE id = 9"), ["never"]);
    });
}

#[test]
fn a_filter_may_ask_for_a_column_that_is_not_loaded() {
    on_both(|world| {
        world.put("in/1.csv", "id,country\n1,FR\n2,DE\n");
        let stream = "    where: \"country = 'FR'\"\n    columns: {exclude: [country]}\n";
        let run = sync_with(world, stream).exits(0);
        assert_eq!(run.rows(), "read 2, loaded 1, filtered 1");
        assert_eq!(world.database.columns("t"), ["id", "_file_id"]);
        world.put("at/1.csv", "id,at\n1,2024-01-01 10:00:00\n2,2023-12-31\n3,1999-12-31\n");
        let after = ["--where", "at >= '2024-01-01'", "--select", "id"];
        let run = world.load("at/", &after).exits(0);
        assert_eq!(run.rows(), "read 3, loaded 1, filtered 2");
    });
}

#[test]
fn columns_come_from_the_key_the_file_and_the_line() {
    on_both(|world| {
        world.put("in/year=2024/course_A/1.csv", "id\n1\n2\n");
        world.configure(
            "",
            "streams:\n  s:\n    pattern: \"in/.*course_(?P<course>[^/]+)/.*\"\n    table: t\n    \
             columns:\n      add:\n        course: \"{path:course}\"\n        year: \
             \"{path:year}\"\n        source_file: \"{file}\"\n        source_line: \"{line}\"\n        \
             modified: \"{last_modified}\"\n        loaded: \"{loaded_at}\"\n",
        );
        let run = world.sync(&[]).exits(0);
        assert_eq!(run.rows(), "read 2, loaded 2");
        let rows =
            world.query("SELECT id, course, year, source_file, source_line FROM t ORDER BY id");
        let file = "s3://shop/in/year=2024/course_A/1.csv";
        assert_eq!(rows, [format!("1|A|2024|{file}|2"), format!("2|A|2024|{file}|3")]);
        let known = world.query("SELECT count(modified), count(loaded) FROM t");
        assert_eq!(known, ["2|2"]);
    });
}

#[test]
fn a_load_takes_columns_and_tables_from_named_groups() {
    on_both(|world| {
        world.put("in/course_A/1.csv", "id\n1\n");
        world.put("in/course_B/2.csv", "id\n2\n");
        world.put("in/other/3.csv", "id\n3\n");
        let pattern = ["--path-pattern", "/course_(?P<course>[^/]+)/"];
        let column = ["--add-column", "course={path:course}"];
        let run = world.load("in/", &[&pattern[..], &column, &["--table", "t"]].concat()).exits(0);
        assert_eq!(run.files(), "excluded 1, loaded 2");
        assert_eq!(world.query("SELECT id, course FROM t ORDER BY id"), ["1|A", "2|B"]);
        let table = ["--table", "of_{path:course}"];
        world.load("in/**/*.csv", &[&pattern[..], &table].concat()).exits(0);
        assert_eq!(world.query("SELECT id FROM of_a"), ["1"]);
        let run = world.load("in/", &["--path-pattern", "("]).exits(2);
        assert_eq!(run.error()["message"].as_str().map(|it| it.contains("`(`")), Some(true));
    });
}

#[test]
fn values_are_trimmed_before_they_are_read() {
    on_both(|world| {
        world.put("in/1.csv", "id,name,n\n1,  ada ,  10\n2, bob,20  \n");
        sync_with(world, "    columns: {trim: true, types: {n: int64}}\n").exits(0);
        assert_eq!(world.query("SELECT name, n FROM t ORDER BY id"), ["ada|10", "bob|20"]);
    });
}

#[test]
fn hashed_and_masked_columns_show_nothing_of_their_values() {
    on_both(|world| {
        world.put("in/1.csv", "id,email,card\n1,ada@example.org,4111111111111111\n2,,\n");
        let stream = "    columns:\n      hash: [email]\n      mask: {card: 4}\n      \
                      types: {card: text}\n";
        sync_with(world, stream).exits(0);
        let rows = world.rows("SELECT email, card FROM t ORDER BY id");
        let hash = rows[0][0].as_deref().unwrap();
        assert_eq!(hash.len(), 64, "{hash}");
        assert!(hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(rows[0][1].as_deref(), Some("************1111"));
        assert_eq!(rows[1], [None, None], "NULL stays NULL");
    });
}

#[test]
fn row_hashes_do_not_collide_where_values_move_between_columns() {
    on_both(|world| {
        world.put("in/1.csv", "id,a,b\n1,ab,c\n2,a,bc\n3,ab,c\n4,,abc\n5,abc,\n");
        let stream = "    columns: {row_hash: {name: row_key, columns: [a, b]}}\n";
        sync_with(world, stream).exits(0);
        let hashes = world.query("SELECT row_key FROM t ORDER BY id");
        assert_eq!(hashes[0], hashes[2], "equal rows have equal hashes");
        let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
        assert_eq!(distinct.len(), 4, "{hashes:?}");
    });
}
