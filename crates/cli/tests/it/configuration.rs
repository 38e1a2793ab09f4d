//! `decant.yaml`, its profiles, its variables and what is wrong with it.

use serde_json::Value;

use crate::world::{World, on_both};

/// The only error of a sync that did not begin.
#[track_caller]
fn refused(world: &World, options: &[&str]) -> Value {
    let run = world.sync(options).exits(2);
    let error = run.error();
    assert_eq!(error["kind"], "InvalidConfig", "{error:#}");
    run.says(&["error:"]);
    error
}

#[track_caller]
fn holds(text: &Value, words: &[&str]) {
    let text = text.as_str().unwrap_or_default();
    for word in words {
        assert!(text.contains(word), "`{word}` is missing in `{text}`");
    }
}

#[test]
fn a_typo_is_shown_with_line_column_and_the_word_that_was_meant() {
    let world = World::sqlite();
    world.write(
        "decant.yaml",
        "source: {url: data/}\ndestination: sqlite:x.db\nstreams:\n  orders:\n    tabel: orders\n",
    );
    let error = refused(&world, &[]);
    holds(&error["message"], &["decant.yaml:5:5", "tabel"]);
    holds(&error["hint"], &["`table`"]);
}

#[test]
fn yaml_that_is_no_yaml_is_shown_with_its_line() {
    let world = World::sqlite();
    world.write("decant.yaml", "source: {url: data/\nstreams: [\n");
    holds(&refused(&world, &[])["message"], &["decant.yaml:"]);
}

#[test]
fn a_value_that_is_not_allowed_is_shown_with_those_that_are() {
    let world = World::sqlite();
    world.write("decant.yaml", "source: {url: data/}\nstreams:\n  orders:\n    on_error: rejct\n");
    let error = refused(&world, &[]);
    let said = format!("{} {}", error["message"], error["hint"]);
    assert!(said.contains("decant.yaml:4:15") && said.contains("reject"), "{said}");
}

#[test]
fn a_configuration_that_is_missing_is_named_with_the_way_to_begin_one() {
    let world = World::sqlite();
    let run = world.sync(&[]).exits(2);
    let error = run.error();
    holds(&error["message"], &["decant.yaml"]);
    holds(&error["hint"], &["decant config example"]);
}

#[test]
fn a_stream_that_does_not_exist_is_named_with_those_that_do() {
    let world = World::sqlite();
    world.write("decant.yaml", "source: {url: data/}\nstreams: {orders: {}}\n");
    let error = refused(&world, &["--stream", "order"]);
    holds(&error["message"], &["`order`"]);
    holds(&error["hint"], &["orders"]);
}

#[test]
fn a_profile_that_does_not_exist_is_named_with_those_that_do() {
    let world = World::sqlite();
    world.write(
        "decant.yaml",
        "source: {url: data/}\nstreams: {orders: {}}\nprofiles: {dev: {destination: 'sqlite:d.db'}}\n",
    );
    let error = refused(&world, &["--profile", "prod"]);
    holds(&error["message"], &["`prod`"]);
    holds(&error["hint"], &["dev"]);
}

#[test]
fn a_variable_that_is_not_set_is_named_with_its_place() {
    let world = World::sqlite();
    world.write(
        "decant.yaml",
        "source: {url: data/}\ndestination: ${NOWHERE_URL}\nstreams: {orders: {}}\n",
    );
    let error = refused(&world, &[]);
    holds(&error["message"], &["decant.yaml:2:14", "NOWHERE_URL"]);
    holds(&error["hint"], &["NOWHERE_URL"]);
}

#[test]
fn profiles_choose_another_destination() {
    let world = World::sqlite();
    world.put("orders/1.csv", "id\n1\n");
    world.configure(
        "",
        "streams: {orders: {files: 'orders/*.csv'}}\n\
         profiles: {dev: {destination: 'sqlite:dev.db'}}\n",
    );
    world.sync(&["--profile", "dev"]).exits(0);
    assert!(world.path("dev.db").exists());
    assert!(world.database.tables().is_empty());
    let by_variable = world.plain(&["sync"]).env("DECANT_PROFILE", "dev").run().exits(0);
    by_variable.says(&["1 loaded before"]);
}

#[test]
fn an_env_file_fills_the_variables() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.configure("orders/", "streams: {orders: {table: '${TABLE_FROM_FILE}'}}\n");
        world.write("secrets.env", "# ours\nTABLE_FROM_FILE=shipped_orders\n");
        let run = world.sync(&["--env-file", "secrets.env"]).exits(0);
        assert_eq!(run.files(), "loaded 1");
        assert_eq!(world.query("SELECT id FROM shipped_orders"), ["1"]);
    });
}

#[test]
fn only_the_streams_that_are_named_run() {
    let world = World::sqlite();
    world.put("orders/1.csv", "id\n1\n");
    world.put("customers/1.csv", "id\n1\n");
    world.configure(
        "",
        "streams:\n  orders: {files: 'orders/*'}\n  customers: {files: 'customers/*'}\n",
    );
    world.sync(&["--stream", "customers"]).exits(0);
    assert_eq!(world.statuses(), ["customers/1.csv|loaded"]);
    assert_eq!(world.sync(&[]).exits(0).files(), "already_loaded 1, loaded 1");
}

#[test]
fn variables_stand_in_for_options() {
    on_both(|world| {
        world.put("orders/1.csv", "id,amount\n1,2\nx,3\n");
        let run = world
            .plain(&["load", "s3://shop/orders/"])
            .env("DECANT_ENDPOINT", world.s3.endpoint())
            .env("DECANT_ANONYMOUS", "true")
            .env("DECANT_TO", world.database.url())
            .env("DECANT_TABLE", "told")
            .env("DECANT_TYPE", "id=int64\namount=text")
            .env("DECANT_ON_ERROR", "reject")
            .env("DECANT_OUTPUT", "json")
            .run()
            .exits(3);
        assert_eq!(world.checked(run).rows(), "read 2, loaded 1, rejected 1");
        assert_eq!(world.query("SELECT id, amount FROM told"), ["1|2"]);
    });
}

#[test]
fn an_option_that_is_typed_wins_over_its_variable() {
    let world = World::sqlite();
    world.put("orders/1.csv", "id\n1\n");
    let words = ["load", "s3://shop/orders/", "--table", "typed", "--to", &world.database.url()];
    world.decant(&words).env("DECANT_TABLE", "told").run().exits(0);
    assert_eq!(world.query("SELECT id FROM typed"), ["1"]);
}

#[test]
fn the_schema_is_json_and_the_example_passes_the_check() {
    let world = World::sqlite();
    let schema = world.plain(&["config", "schema"]).run().exits(0);
    let schema: Value = serde_json::from_str(&schema.stdout).expect("JSON");
    assert!(schema["properties"]["streams"].is_object(), "{schema:#}");
    let example = world.plain(&["config", "example"]).run().exits(0);
    world.write("decant.yaml", &example.stdout);
    let check = world.plain(&["config", "check"]).run().exits(0);
    check.says(&["stream orders", "stream by_folder"]);
    check.never_says(decant_testkit::postgres::PASSWORD);
}

#[test]
fn check_hides_secrets_and_shows_defaults() {
    let world = World::postgres();
    world.configure("orders/", "streams: {orders: {}}\n");
    let check = world.plain(&["config", "check"]).run().exits(0);
    check.never_says(decant_testkit::postgres::PASSWORD);
    check.says(&["processed_files", "max_attempts", "orders"]);
    world.configure("orders/", "streams: {orders: {max_attempts: many}}\n");
    world.plain(&["config", "check"]).run().exits(2).says(&["decant.yaml:6", "many"]);
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_opened() {
    let world = World::sqlite();
    let check = |destination: &str, stream: &str| {
        let yaml = format!(
            "source: {{url: s3://shop/}}\ndestination: {destination}\nstreams: {{a: {{{stream}}}}}\n"
        );
        world.write("decant.yaml", yaml);
        world.plain(&["config", "check"]).env("HK", "").run()
    };
    check("sqlite:a.db", "table: t").exits(0);
    for (destination, stream, words) in [
        ("sqlite:a.db", "if_exists: merge", &["not supported yet", "`append`"][..]),
        ("mysq://u:hunter2@h/d", "", &["`mysq`", "did you mean `mysql:`", "`postgresql:`"]),
        ("mysql://u:hunter2@h/d", "", &["`mysql` is not supported", "`sqlite:`"]),
        ("postgresq://u:hunter2@h/d", "", &["did you mean `postgresql:`"]),
        ("shop.db", "", &["has no scheme", "`sqlite:PATH`"]),
        ("sqlite:a.db", "columns: {types: {a: numeric(12,2)}}", &["stands in quotes"]),
        ("sqlite:a.db", "columns: {hash: {columns: [a], key: \"\"}}", &["the key of `hash`"]),
        ("sqlite:a.db", "columns: {hash: {columns: [a], key: \"${HK}\"}}", &["is empty"]),
        ("sqlite:a.db", "columns: {row_hash: {name: h, key: \"${HK}\"}}", &["`row_hash`"]),
        ("sqlite:a.db", "where: not k = 1", &["say `a <> 1`", "joined by `and`"]),
        ("sqlite:a.db", "where: k like 'a%'", &["patterns are not known"]),
    ] {
        let refused = check(destination, stream).exits(2);
        refused.says(words);
        refused.says(&["decant.yaml:"]);
        refused.never_says("hunter2");
    }
}
