//! Finding tables by the names that people give them, and refusing those that
//! are no place for rows.

use decant_core::error::ErrorKind;
use decant_core::schema::TableName;
use decant_databases::DatabaseOptions;
use decant_testkit::conformance::destination::Fixture as _;

use super::{Postgres, describe, numbers, open};
use super::{file, load};

#[tokio::test(flavor = "multi_thread")]
async fn names_are_found_exactly_then_without_case_then_in_snake_case() {
    let fixture = Postgres::new();
    fixture.database.psql(
        "CREATE TABLE \"MiXed\" (a text); CREATE TABLE order_lines (a text); \
         CREATE TABLE \"Two\" (a text); CREATE TABLE \"TWO\" (a text); \
         CREATE SCHEMA \"Staging\"; CREATE TABLE \"Staging\".\"Rows\" (a text)",
    );
    let destination = open(&fixture.database.url).await.unwrap();
    for (asked, found, exists) in [
        ("mixed", "public.MiXed", true),
        ("MIXED", "public.MiXed", true),
        ("Public.mixed", "public.MiXed", true),
        ("OrderLines", "public.order_lines", true),
        ("Order Lines", "public.order_lines", true),
        ("Two", "public.Two", true),
        ("staging.rows", "Staging.Rows", true),
        ("staging.Rows", "Staging.Rows", true),
        ("staging.others", "Staging.others", false),
        ("nowhere.rows", "nowhere.rows", false),
        ("Rows", "public.Rows", false),
    ] {
        let state = describe(&destination, asked).await;
        assert_eq!((state.name.to_string(), state.schema.is_some()), (found.into(), exists));
    }
    let error = destination.describe(&TableName::parse("two")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert!(error.message().contains("`public.TWO` or `public.Two`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_loaded_into_the_tables_of_the_ledger() {
    let fixture = Postgres::new();
    fixture.database.psql("CREATE SCHEMA audit; CREATE SCHEMA staging");
    let options = DatabaseOptions { ledger: "audit.seen".into(), ..DatabaseOptions::default() };
    let elsewhere = decant_databases::open(&fixture.database.url, &options).await.unwrap();
    let default = fixture.destination().await;
    for (destination, asked) in [
        (&default, "decant_meta"),
        (&default, "Processed_Files"),
        (&default, "public.rejected_rows"),
        (&default, "processed_chunks"),
        (&elsewhere, "audit.seen"),
        (&elsewhere, "Audit.SEEN_rejects"),
        (&elsewhere, "audit.decant_meta"),
    ] {
        let error = destination.describe(&TableName::parse(asked)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig, "{asked}: {error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("--ledger")), "{error:?}");
    }
    let other = describe(&default, "staging.processed_files").await;
    assert_eq!(other.schema, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn views_and_tables_with_policies_are_refused_with_the_cure() {
    let fixture = Postgres::new();
    fixture.database.psql(
        "CREATE TABLE t (n bigint); CREATE VIEW seen AS SELECT n FROM t; \
         CREATE TABLE guarded (n bigint, _file_id bigint); \
         ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; \
         CREATE FUNCTION drops() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; \
         CREATE VIEW dropping AS SELECT n FROM t; \
         CREATE TRIGGER drops INSTEAD OF INSERT ON dropping \
         FOR EACH ROW EXECUTE FUNCTION drops(); \
         DROP ROLE IF EXISTS decant_reader; CREATE ROLE decant_reader; \
         GRANT ALL ON SCHEMA public TO decant_reader; GRANT ALL ON guarded TO decant_reader",
    );
    let destination = open(&fixture.database.url).await.unwrap();
    for view in ["seen", "dropping"] {
        let error = destination.describe(&TableName::parse(view)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.message().contains("is a view"), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("behind it")), "{error:?}");
    }
    // The owner is not bound by the policies.
    let table = describe(&destination, "guarded").await;
    let rows = vec![numbers(&file(&table, "a.csv"), "n", 0..3)];
    load(&destination, &table, "a.csv", rows).await.unwrap();
    let as_reader = format!("{}?options=-c%20role%3Ddecant_reader", fixture.database.url);
    let destination = open(&as_reader).await.unwrap();
    let error = destination.describe(&TableName::parse("guarded")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.message().contains("row-level security"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("BYPASSRLS")), "{error:?}");
}
