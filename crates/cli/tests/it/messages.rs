//! What goes wrong before or around a load: the kind, the words, the cure and
//! the exit code, and never a password.

use decant_testkit::postgres::PASSWORD;
use decant_testkit::s3::{Credentials, Fault, Faults, MemoryS3, Operation, Options};
use serde_json::Value;

use crate::run::Run;
use crate::world::{BUCKET, World, on_both};

const SECRET: &str = "wJalrXUtnFEMI-the-secret";

/// Asserts kind, words of the message and of the hint in the report, and that
/// people are told the same.
#[track_caller]
fn fails(run: &Run, kind: &str, message: &[&str], hint: &[&str]) {
    let error = run.error();
    assert_eq!(error["kind"], kind, "{error:#}");
    contains_all(&error["message"], message);
    contains_all(&error["hint"], hint);
    assert_eq!(run.report()["status"], "failed");
    assert_eq!(run.files(), "");
    no_secrets(run);
}

#[track_caller]
fn contains_all(text: &Value, words: &[&str]) {
    let text = text.as_str().unwrap_or_default();
    for word in words {
        assert!(text.contains(word), "`{word}` is missing in `{text}`");
    }
}

#[track_caller]
fn no_secrets(run: &Run) {
    run.never_says(PASSWORD);
    run.never_says(SECRET);
}

fn guarded() -> MemoryS3 {
    let credentials = Some(Credentials::new("AKIDEXAMPLE", SECRET));
    let s3 = MemoryS3::start_blocking(Options { credentials, ..Options::default() });
    let s3 = s3.expect("an endpoint");
    s3.put(BUCKET, "orders/1.csv", "id\n1\n");
    s3
}

fn load_words<'a>(endpoint: &'a str, url: &'a str) -> Vec<&'a str> {
    let source = "s3://shop/orders/";
    vec!["load", source, "--endpoint", endpoint, "--to", url, "--output", "json"]
}

#[test]
fn a_bucket_that_is_not_there_is_named() {
    on_both(|world| {
        let run = world.load_of("s3://no-such-bucket/orders/", &[]).exits(1);
        fails(&run, "NotFound", &["no-such-bucket", "does not exist"], &["endpoint"]);
    });
}

#[test]
fn a_wrong_secret_is_access_denied() {
    let (world, s3) = (World::sqlite(), guarded());
    let run = world
        .plain(&load_words(&s3.endpoint(), &world.database.url()))
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", format!("{SECRET}-mistyped"))
        .run()
        .exits(1);
    fails(&run, "AccessDenied", &[&s3.endpoint(), "credentials"], &["secret"]);
}

#[test]
fn an_unknown_access_key_is_access_denied() {
    let (world, s3) = (World::sqlite(), guarded());
    let run = world
        .plain(&load_words(&s3.endpoint(), &world.database.url()))
        .env("AWS_ACCESS_KEY_ID", "AKIDUNKNOWN")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .run()
        .exits(1);
    fails(&run, "AccessDenied", &[&s3.endpoint(), "credentials"], &["key"]);
}

#[test]
fn the_right_secret_is_let_in() {
    let (world, s3) = (World::sqlite(), guarded());
    let run = world
        .plain(&load_words(&s3.endpoint(), &world.database.url()))
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .run()
        .exits(0);
    assert_eq!(run.files(), "loaded 1");
    no_secrets(&run);
}

#[test]
fn a_listing_that_is_not_permitted_is_access_denied_and_never_empty() {
    let world = World::sqlite();
    world.put("orders/1.csv", "id\n1\n");
    Faults::new().on(Operation::List, "*").then(Fault::Status(403)).install(&world.s3);
    let run = world.load("orders/", &[]).exits(1);
    fails(&run, "AccessDenied", &["shop"], &["s3:ListBucket"]);
}

#[test]
fn a_file_that_may_not_be_read_fails_alone() {
    on_both(|world| {
        world.put("orders/1.csv", "id\n1\n");
        world.put("orders/2.csv", "id\n2\n");
        Faults::new()
            .on(Operation::Get, "orders/1.csv")
            .then(Fault::Status(403))
            .install(&world.s3);
        let run = world.load("orders/", &[]).exits(1);
        assert_eq!(run.files(), "loaded 1, failed 1");
        let error = run.error();
        assert_eq!(error["kind"], "AccessDenied");
        assert_eq!(error["file"], "s3://shop/orders/1.csv");
        contains_all(&error["hint"], &["s3:GetObject"]);
    });
}

#[test]
fn without_any_credentials_the_cure_is_named() {
    let (world, s3) = (World::sqlite(), guarded());
    let run = world.plain(&load_words(&s3.endpoint(), &world.database.url())).run().exits(1);
    fails(&run, "AccessDenied", &["credentials"], &["AWS_ACCESS_KEY_ID", "--anonymous"]);
}

#[test]
fn a_wrong_postgres_password_is_access_denied_and_stays_secret() {
    let world = World::postgres();
    world.put("orders/1.csv", "id\n1\n");
    let url = world.database.url().replace(PASSWORD, "mistyped-password");
    let words = ["load", "s3://shop/orders/", "--to", &url, "--output", "json"];
    let run = world.decant(&words).run().exits(1);
    fails(&run, "AccessDenied", &["Postgres", "decant"], &["password"]);
    run.never_says("mistyped-password");
}

#[test]
fn a_postgres_database_that_is_not_there_is_named() {
    let world = World::postgres();
    let url = world.database.url().replace("/test_", "/never_");
    let run = world.decant(&["load", "s3://shop/x/", "--to", &url, "--output", "json"]).run();
    fails(&run.exits(1), "NotFound", &["never_"], &[]);
}

#[test]
fn a_database_that_is_down_is_unavailable() {
    let world = World::sqlite();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let url = format!("postgresql://me:{SECRET}@{address}/db");
    let run = world.decant(&["load", "s3://shop/x/", "--to", &url, "--output", "json"]).run();
    fails(&run.exits(1), "Unavailable", &["Postgres", &address], &["runs"]);
}

#[test]
fn an_endpoint_that_is_down_is_unavailable() {
    let world = World::sqlite();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint = format!("http://127.0.0.1:{port}");
    world.write(
        "decant.yaml",
        format!(
            "source: {{url: 's3://shop/', endpoint: '{endpoint}', credentials: anonymous, \
             retry_count: 1}}\ndestination: ${{DATABASE_URL}}\nstreams: {{orders: {{}}}}\n"
        ),
    );
    let run = world.sync(&[]).exits(1);
    fails(&run, "Unavailable", &[&endpoint], &["endpoint"]);
}

#[test]
fn an_unknown_destination_is_a_usage_error_that_lists_the_known_ones() {
    let world = World::sqlite();
    let url = format!("mongodb://me:{SECRET}@host/db");
    let run = world.decant(&["load", "s3://shop/x/", "--to", &url, "--output", "json"]).run();
    fails(&run.exits(2), "InvalidConfig", &["mongodb"], &["sqlite:", "postgresql:"]);
}

#[test]
fn an_unknown_source_scheme_is_a_usage_error() {
    let world = World::sqlite();
    let run = world.load_of("gopher://shop/x/", &[]).exits(2);
    fails(&run, "InvalidConfig", &["gopher"], &["s3://"]);
}

#[test]
fn a_missing_prefix_fails_a_load_and_is_noted_by_a_sync() {
    on_both(|world| {
        let run = world.load("empty/", &[]).exits(1);
        fails(&run, "NotFound", &["s3://shop/empty/"], &[]);
        world.configure("empty/", "streams: {orders: {}}\n");
        let run = world.sync(&[]).exits(0);
        let report = run.report();
        assert_eq!(report["status"], "ok");
        let notes = report["notes"].as_array().expect("notes");
        assert!(
            notes.iter().any(|note| note.as_str().unwrap().contains("s3://shop/empty/")),
            "{report:#}"
        );
    });
}

#[test]
fn a_local_file_that_is_not_there_is_named() {
    let world = World::sqlite();
    let run = world.load_of("nowhere.csv", &[]).exits(1);
    fails(&run, "NotFound", &["nowhere.csv"], &[]);
}

#[test]
fn a_type_for_a_column_that_no_file_has_is_named_with_the_columns_there_are() {
    on_both(|world| {
        world.put("orders/1.csv", "id,amount\n1,2\n");
        let run = world.load("orders/", &["--type", "amuont=int64"]).exits(2);
        let error = run.error();
        contains_all(&error["message"], &["amuont"]);
        contains_all(&error["hint"], &["amount"]);
        assert!(!world.database.tables().contains(&"orders".to_owned()), "a table was made");
    });
}

#[test]
fn a_header_that_matches_nothing_of_the_table_is_a_schema_mismatch() {
    on_both(|world| {
        world.put("orders/1.csv", "id,amount\n1,2\n");
        world.load("orders/", &[]).exits(0);
        world.put("orders/2.csv", "colour,shape\nred,round\n");
        let run = world.load("orders/", &["--new-columns", "ignore"]).exits(1);
        let error = run.error();
        assert_eq!(error["kind"], "SchemaMismatch", "{error:#}");
        assert_eq!(error["file"], "s3://shop/orders/2.csv");
        contains_all(&error["message"], &["colour"]);
        assert_eq!(world.query("SELECT id, amount FROM orders"), ["1|2"]);
    });
}

#[test]
fn people_read_the_same_error_once_with_its_hint() {
    let world = World::sqlite();
    let words = ["load", "s3://no-such-bucket/x/", "--to", &world.database.url()];
    let run = world.decant(&words).run().exits(1);
    let said = format!("{}{}", run.stdout, run.stderr);
    assert_eq!(said.matches("error:").count(), 1, "{said}");
    assert_eq!(said.matches("hint:").count(), 1, "{said}");
}

#[test]
fn an_option_that_does_not_exist_is_a_usage_error() {
    let world = World::sqlite();
    let run = world.decant(&["load", "x.csv", "--tabel", "t"]).run().exits(2);
    run.says(&["--tabel", "--table"]);
    world.decant(&["lode"]).run().exits(2).says(&["load"]);
}

#[test]
fn standard_error_has_no_colours_where_nobody_sees_them() {
    let world = World::sqlite();
    world.put("orders/1.csv", "id\n1\n");
    Faults::new().on(Operation::Get, "*").once().then(Fault::SlowDown).install(&world.s3);
    let run = world.load("orders/", &["-v"]).exits(0);
    run.never_says("\u{1b}[");
}

#[test]
fn more_columns_than_a_table_holds_are_refused_with_the_cure() {
    on_both(|world| {
        let header: Vec<String> = (0..4000).map(|column| format!("c{column}")).collect();
        world.put("wide/1.csv", format!("{}\n{}\n", header.join(","), vec!["1"; 4000].join(",")));
        let run = world.load("wide/", &[]).exits(1);
        let error = run.error();
        assert_eq!((&error["kind"], run.files()), (&"Unsupported".into(), "failed 1".into()));
        assert_eq!(error["file"], "s3://shop/wide/1.csv");
        contains_all(&error["message"], &["columns"]);
        contains_all(&error["hint"], &["`select`", "`exclude`"]);
    });
}
