//! Random tables, written by the test in random ways, loaded, and read back:
//! they equal themselves, in SQLite and in Postgres, whether everything is
//! found out or everything is told.
//!
//! One run loads some dozens of tables, each in a folder of its own. The seed
//! is the same every time, unless `DECANT_SEED` names another.

mod columnar;
mod compressed;
mod delimited;
mod documents;
mod random;
mod table;

use random::Random;
use table::Table;

use crate::world::{World, on_both};

/// Tables in one run.
const TABLES: u64 = 40;

/// How one table stands in the bucket.
struct Written {
    /// The file's name.
    name: String,
    bytes: Vec<u8>,
    /// The lines of its stream's `format`, for the run that is told.
    format: String,
    /// How it was written, for whoever looks into a failure.
    how: String,
}

#[test]
fn delimited_tables_equal_themselves_when_everything_is_found_out() {
    found_out(1, |random, table| delimited::write(random, table, delimited::Leave::ToBeFound));
}

#[test]
fn delimited_tables_equal_themselves_when_everything_is_told() {
    told(2, |random, table| delimited::write(random, table, delimited::Leave::Nothing));
}

#[test]
fn json_in_every_shape_equals_itself_when_the_shape_is_found_out() {
    found_out(3, |random, table| documents::write(random, table, &documents::CLEAR));
}

#[test]
fn json_in_every_shape_equals_itself_when_the_shape_is_told() {
    told(4, |random, table| documents::write(random, table, &documents::ALL));
}

#[test]
fn parquet_equals_itself() {
    found_out(5, columnar::parquet);
}

fn found_out(number: u64, write: impl Fn(&mut Random, &Table) -> Written) {
    let tables = written(number, write);
    on_both(|world| {
        put(world, &tables);
        world.configure("", "streams:\n  all:\n    files: \"*/**\"\n    table: \"{folder}\"\n");
        load_and_compare(world, &tables);
    });
}

fn told(number: u64, write: impl Fn(&mut Random, &Table) -> Written) {
    let tables = written(number, write);
    on_both(|world| {
        put(world, &tables);
        let stream = |(position, (_, written)): (usize, &(Table, Written))| {
            let name = name_of(position);
            format!(
                "  {name}:\n    files: \"{name}/**\"\n    table: {name}\n    format: {{{}}}\n",
                written.format
            )
        };
        let streams: String = tables.iter().enumerate().map(stream).collect();
        world.configure("", &format!("streams:\n{streams}"));
        load_and_compare(world, &tables);
    });
}

fn written(number: u64, write: impl Fn(&mut Random, &Table) -> Written) -> Vec<(Table, Written)> {
    let seed = std::env::var("DECANT_SEED").ok().map_or(0, |seed| seed.parse().expect("a seed"));
    println!("seed {seed}");
    let mut random = Random::new(seed ^ (number << 32));
    (0..TABLES)
        .map(|_| {
            let table = Table::random(&mut random);
            let written = write(&mut random, &table);
            (table, written)
        })
        .collect()
}

fn name_of(position: usize) -> String {
    format!("table_{position:02}")
}

fn put(world: &World, tables: &[(Table, Written)]) {
    for (position, (_, written)) in tables.iter().enumerate() {
        let key = format!("{}/{}", name_of(position), written.name);
        world.put(&key, written.bytes.clone());
    }
}

fn load_and_compare(world: &World, tables: &[(Table, Written)]) {
    let run = world.sync(&[]);
    assert_eq!(run.code, Some(0), "{:#}", run.report());
    for (position, (table, written)) in tables.iter().enumerate() {
        let name = name_of(position);
        let found = table.read(world, &name);
        let expected = table.expected();
        for (row, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert_eq!(found, expected, "row {row} of {name}, written as {}", written.how);
        }
        assert_eq!(found.len(), expected.len(), "rows of {name}, written as {}", written.how);
    }
}
