//! `decant discover`: what a source holds, and a configuration for it.

use serde_json::Value;

use crate::run::Run;
use crate::world::{World, on_both};

fn with_two_folders(world: &World) {
    world.put("in/orders/1.csv", "id;amount\n1;10\n2;\n");
    world.put("in/orders/deep/2.csv", "id;amount\n3;30\n");
    world.put("in/people/1.csv", "Full Name,Born\nAnn,1990-01-31\nBob,1980-12-01\n");
    world.put("in/people/_SUCCESS", "");
}

fn discover(world: &World, options: &[&str]) -> Run {
    world.decant(&[&["discover", "s3://shop/in/", "--output", "json"], options].concat()).run()
}

fn names<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|one| one[key].as_str().unwrap()).collect()
}

#[test]
fn folders_are_tables_with_their_files_formats_and_columns() {
    let world = World::sqlite();
    with_two_folders(&world);
    let tables = discover(&world, &[]).exits(0).lines();
    assert_eq!(tables.len(), 2, "{tables:?}");
    let orders = &tables[0];
    assert_eq!((orders["table"].as_str(), orders["files"].as_u64()), (Some("orders"), Some(2)));
    assert_eq!(names(&orders["columns"], "name"), ["id", "amount"]);
    assert_eq!(names(&orders["columns"], "type"), ["int64", "int64"]);
    assert_eq!(names(&orders["looked_at"], "file").len(), 2);
    let people = &tables[1];
    assert_eq!(people["table"], "people");
    assert_eq!(names(&people["columns"], "name"), ["full_name", "born"]);
    assert_eq!(names(&people["columns"], "type"), ["text", "date"]);
    let text = world.decant(&["discover", "s3://shop/in/"]).run().exits(0);
    text.says(&["orders: 2 files", "full_name", "date"]);
    assert!(world.database.tables().is_empty(), "nothing is changed");
}

#[test]
fn a_file_that_is_unlike_the_others_says_so() {
    let world = World::sqlite();
    with_two_folders(&world);
    world.put("in/orders/3.csv", "id;amount;note\n4;40;x\n");
    let tables = discover(&world, &[]).exits(0).lines();
    let files = tables[0]["looked_at"].as_array().unwrap();
    let differs = |key: &str| {
        let file = files.iter().find(|file| file["file"].as_str().unwrap().ends_with(key));
        file.unwrap()["differs"].to_string()
    };
    assert!(differs("/1.csv").contains("column `note` is not there"), "{files:?}");
    assert_eq!(differs("/3.csv"), "[]");
}

#[test]
fn the_configuration_that_is_written_loads_the_same() {
    on_both(|world| {
        with_two_folders(world);
        let url = world.database.url();
        let write = ["--write", "found.yaml", "--to", &url];
        discover(world, &write).exits(0);
        discover(world, &write).exits(2).says(&["is there already", "--force"]);
        discover(world, &[&write[..], &["--force"]].concat()).exits(0);
        let text = std::fs::read_to_string(world.path("found.yaml")).unwrap();
        assert!(!text.contains(decant_testkit::postgres::PASSWORD), "{text}");
        let decant = |verb: &[&str]| {
            let words = [&["-c", "found.yaml"], verb].concat();
            world.plain(&words).run()
        };
        decant(&["config", "check"]).exits(0).says(&["stream orders", "stream people"]);
        let run = world.checked(decant(&["sync", "--output", "json"]).exits(0));
        assert_eq!(run.rows(), "read 5, loaded 5");
        assert_eq!(world.query("SELECT id FROM orders ORDER BY id"), ["1", "2", "3"]);
        assert_eq!(world.query("SELECT count(*) FROM people"), ["2"]);
    });
}

#[test]
fn types_are_those_of_the_destination_that_is_named() {
    on_both(|world| {
        world.put("in/orders/1.csv", "amount\n1234567890123456.75\n");
        let typed = |options: &[&str]| {
            let lines = discover(world, options).exits(0).lines();
            lines[0]["columns"][0]["type"].as_str().unwrap().to_owned()
        };
        assert_eq!(typed(&[]), "decimal");
        let expected = if world.database.is_postgres() { "decimal" } else { "text" };
        assert_eq!(typed(&["--to", &world.database.url()]), expected);
    });
}

#[test]
fn the_streams_of_the_configuration_are_looked_at_as_well() {
    let world = World::sqlite();
    with_two_folders(&world);
    world.configure("in/", "streams: {orders: {files: 'orders/**', table: shop_orders}}\n");
    let tables = world.plain(&["discover", "--output", "json"]).run().exits(0).lines();
    assert_eq!(tables.len(), 1);
    assert_eq!(tables[0]["table"], "shop_orders");
    world.plain(&["discover", "--write"]).run().exits(2).says(&["--write needs a SOURCE"]);
}

#[test]
fn nothing_there_and_nothing_readable_are_failures() {
    let world = World::sqlite();
    world.decant(&["discover", "s3://shop/none/"]).run().exits(1).says(&["no file was found"]);
    world.put("in/orders/1.csv", &b"PK\x03\x04\x00\x00\x00"[..]);
    discover(&world, &[]).exits(1);
}
