//! Files of one stream are read alike: what one of them leaves open, the
//! others decide, and one that is unlike them says so. What is left out of a
//! file, or guessed about it, is told.

use crate::run::Run;
use crate::world::World;

fn notes(run: &Run) -> Vec<String> {
    let notes = run.report()["notes"].as_array().expect("notes").clone();
    notes.iter().map(|note| note.as_str().expect("a sentence").to_owned()).collect()
}

/// Loads files of these contents, in the order of their names, at once.
fn load(files: &[&str]) -> (World, Run) {
    let world = World::sqlite();
    for (number, content) in files.iter().enumerate() {
        world.put(&format!("t/{number}.csv"), (*content).to_owned());
    }
    let run = world.load("t/", &[]).exits(0);
    (world, run)
}

#[test]
fn a_point_that_could_group_thousands_is_read_as_in_the_other_files() {
    let (world, _) = load(&["a;b\n1.234,5;x\n2.000,25;y\n", "a;b\n1.234;z\n5.678;w\n"]);
    assert_eq!(
        world.query("SELECT b || '=' || a FROM t ORDER BY b"),
        ["w=5678.0", "x=1234.5", "y=2000.25", "z=1234.0"]
    );
    let (world, run) = load(&["a;b\n1,5;x\n", "a;b\n1.25;z\n"]);
    assert_eq!(world.query("SELECT a FROM t ORDER BY b"), ["1.5", "1.25"]);
    assert!(notes(&run).iter().any(|note| note.contains("decimal point")), "{:?}", notes(&run));
}

#[test]
fn a_lone_row_of_numbers_is_data() {
    let (world, _) = load(&["1,2,3\n4,5,6\n", "7,8,9\n"]);
    assert_eq!(world.query("SELECT column_1 FROM t ORDER BY 1"), ["1", "4", "7"]);
    let (world, _) = load(&["1,2,3\n"]);
    assert_eq!(world.query("SELECT column_1, column_2, column_3 FROM t"), ["1|2|3"]);
    world.put("t/3.csv", "bob,5,6\n");
    world.load("t/3.csv", &["--table", "t"]).exits(0);
    assert_eq!(world.query("SELECT column_2 FROM t ORDER BY 1"), ["2", "5"]);
}

#[test]
fn rows_without_a_header_have_the_columns_of_the_other_files() {
    let (world, run) = load(&["a,b\n1,2\n3,4\n", "5,6\n7,8\n"]);
    assert_eq!(world.query("SELECT a, b FROM t ORDER BY 1"), ["1|2", "3|4", "5|6", "7|8"]);
    assert_eq!(run.report()["tables"][0]["columns"].as_array().map(Vec::len), Some(2));
    assert!(notes(&run).iter().any(|note| note.contains("there is no header")));
}

#[test]
fn what_is_left_out_of_a_file_or_guessed_is_told() {
    let (world, run) = load(&[
        "Sales report\n\nid,qty\n1,2\n2,4\n",
        "id,qty\n3,2\n4,4\n5,6\nSubtotal,12\nTotal,12\n",
    ]);
    assert_eq!(world.query("SELECT count(*), sum(id) FROM t"), ["5|15"]);
    let said = notes(&run);
    assert!(said.iter().any(|note| note.contains("0.csv: lines 1 to 2 stand before")), "{said:?}");
    assert!(said.iter().any(|note| note.contains("1.csv: the last 2 rows")), "{said:?}");
    let world = World::sqlite();
    world.put("t/a.csv", b"id,name\n1,J\xfcrgen\n2,M\xfcnchen\n".to_vec());
    let run = world.load("t/", &[]).exits(0);
    assert!(notes(&run)[0].contains("the text is windows-1252"), "{:?}", notes(&run));
}

#[test]
fn a_total_beyond_the_sample_neither_widens_the_table_nor_is_loaded() {
    let rows: String = (0..200_000).map(|row| format!("{row},1\n")).collect();
    let (world, run) = load(&[&format!("id,n\n{rows}Total,200000\n")]);
    assert_eq!(world.query("SELECT count(*), max(id) FROM t"), ["200000|199999"]);
    assert_eq!(run.report()["tables"][0]["columns"][0]["type"], "int64");
    assert_eq!(notes(&run).len(), 1);
}

#[test]
fn undecodable_text_names_the_option_that_helps() {
    let world = World::sqlite();
    world.put("t/a.csv", b"a,b\n1,\xe9\n".to_vec());
    let run = world.load("t/", &[]).exits(1);
    let hint = run.report()["errors"][0]["hint"].as_str().expect("a hint").to_owned();
    assert!(hint.contains("--encoding windows-1252"), "{hint}");
}
