//! Loads beside each other, replaces, and the ledger's texts.

use decant_core::destination::{LoadMode, LoadPlan, TableChange};
use decant_core::error::ErrorKind;
use decant_core::ledger::KeyRange;
use decant_core::schema::{Column, ColumnType, FILE_ID_COLUMN, TableName};
use decant_testkit::batches::{self, load_file, plan, reject, totals};
use decant_testkit::postgres::PostgresServer;

use super::{
    Postgres, begin, create, describe, file, load, load_plan, numbers, open, outcome, texts,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_replace_that_would_reach_into_another_table_is_refused() {
    let fixture = Postgres::new();
    for (action, refused) in [
        ("CASCADE", true),
        ("SET NULL", true),
        ("SET DEFAULT", true),
        ("NO ACTION DEFERRABLE", false),
    ] {
        fixture.database.psql(&format!(
            "DROP TABLE IF EXISTS lines; DROP TABLE IF EXISTS orders; \
             CREATE TABLE orders (n bigint PRIMARY KEY, _file_id bigint); \
             INSERT INTO orders VALUES (1, 0), (7, 0); \
             CREATE TABLE lines (n bigint REFERENCES orders ON DELETE {action}); \
             INSERT INTO lines VALUES (1)"
        ));
        let destination = open(&fixture.database.url).await.unwrap();
        let table = describe(&destination, "orders").await;
        let files = vec![file(&table, &format!("{action}.csv"))];
        let replace = LoadPlan { mode: LoadMode::Replace, ..plan(&table, files.clone()) };
        let rows = vec![numbers(&files[0], "n", 0..3)];
        let answer = load_plan(&destination, &table, replace, rows).await;
        if refused {
            let error = answer.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{action}: {error:?}");
            assert_eq!(error.fact("constraint"), Some("lines_n_fkey"));
            assert_eq!(fixture.database.psql("SELECT n FROM orders ORDER BY n"), "1\n7");
        } else {
            answer.unwrap();
            assert_eq!(fixture.database.psql("SELECT n FROM orders ORDER BY n"), "0\n1\n2");
        }
        assert_eq!(fixture.database.psql("SELECT n FROM lines"), "1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replace_that_leaves_an_orphan_fails_at_the_commit() {
    let fixture = Postgres::new();
    fixture.database.psql(
        "CREATE TABLE orders (n bigint PRIMARY KEY, _file_id bigint); \
         INSERT INTO orders VALUES (9, 0); \
         CREATE TABLE lines (n bigint REFERENCES orders DEFERRABLE); INSERT INTO lines VALUES (9)",
    );
    let destination = open(&fixture.database.url).await.unwrap();
    let table = describe(&destination, "orders").await;
    let files = vec![file(&table, "a.csv")];
    let replace = LoadPlan { mode: LoadMode::Replace, ..plan(&table, files.clone()) };
    let rows = vec![numbers(&files[0], "n", 0..3)];
    let error = load_plan(&destination, &table, replace, rows).await.unwrap_err();
    assert_eq!((error.kind(), error.fact("sqlstate")), (ErrorKind::RejectedRows, Some("23503")));
    assert_eq!(fixture.database.psql("SELECT n FROM orders"), "9");
}

#[tokio::test(flavor = "multi_thread")]
async fn replaces_beside_each_other_leave_the_rows_of_one() {
    let fixture = Postgres::new();
    let destination = open(&fixture.database.url).await.unwrap();
    let table = create(&destination, "t", &[("n", ColumnType::Int64)]).await;
    let replaces = (0..6).map(|number| {
        let (url, table) = (fixture.database.url.clone(), table.clone());
        tokio::spawn(async move {
            let destination = open(&url).await.unwrap();
            let files = vec![file(&table, &format!("{number}.csv"))];
            let load_id = format!("load-{number}");
            let replace =
                LoadPlan { mode: LoadMode::Replace, load_id, ..plan(&table, files.clone()) };
            let rows = vec![numbers(&files[0], "n", 0..5)];
            load_plan(&destination, &table, replace, rows).await.unwrap();
        })
    });
    for replace in replaces.collect::<Vec<_>>() {
        replace.await.unwrap();
    }
    assert_eq!(
        fixture.database.psql("SELECT count(*), count(DISTINCT _file_id) FROM t"),
        "5|1",
        "the rows of one replace"
    );
    assert_eq!(
        fixture.database.psql("SELECT status, count(*) FROM processed_files GROUP BY 1 ORDER BY 1"),
        "loaded|1\nsuperseded|5"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn loads_that_displace_each_others_files_never_deadlock() {
    let fixture = Postgres::new();
    let first = open(&fixture.database.url).await.unwrap();
    let table = create(&first, "t", &[("n", ColumnType::Int64)]).await;
    let loads = (0..8).map(|worker| {
        let (url, table) = (fixture.database.url.clone(), table.clone());
        tokio::spawn(async move {
            let destination = open(&url).await.unwrap();
            for round in 0..6 {
                let (mine, theirs) = ((worker + round) % 5, (worker * 3 + round + 1) % 5);
                let mut wanted = file(&table, &format!("{mine}.csv"));
                wanted.again = true;
                if mine != theirs {
                    wanted.displaces = vec![file(&table, &format!("{theirs}.csv")).id];
                }
                let rows = vec![numbers(&wanted, "n", 0..2)];
                let plan = LoadPlan {
                    load_id: format!("load-{worker}-{round}"),
                    ..plan(&table, vec![wanted])
                };
                load_plan(&destination, &table, plan, rows).await.unwrap();
            }
        })
    });
    for load in loads.collect::<Vec<_>>() {
        load.await.unwrap();
    }
    let stray = fixture.database.psql(
        "SELECT count(*) FROM t FULL JOIN (SELECT * FROM processed_files WHERE status = 'loaded') p \
         ON p.id = t._file_id WHERE p.id IS NULL OR t._file_id IS NULL",
    );
    assert_eq!(stray, "0", "rows and ledger agree");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_creators_of_schema_table_and_ledger_do_not_fail() {
    let fixture = Postgres::new();
    let creators = (0..8).map(|number| {
        let url = fixture.database.url.clone();
        tokio::spawn(async move {
            let destination = open(&url).await.unwrap();
            let table = TableName::parse(if number % 2 == 0 { "new.a" } else { "new.b" });
            let columns = vec![Column::new("n", ColumnType::Int64)];
            let change = TableChange::Create { table: table.clone(), columns };
            destination.apply(&change, false).await.unwrap();
            let columns = vec![Column::new("m", ColumnType::Text)];
            destination.apply(&TableChange::AddColumns { table, columns }, false).await.unwrap();
        })
    });
    for creator in creators.collect::<Vec<_>>() {
        creator.await.unwrap();
    }
    let destination = open(&fixture.database.url).await.unwrap();
    let state = describe(&destination, "new.a").await;
    assert!(state.created_by_decant);
    assert_eq!(state.schema.unwrap().columns.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_created_and_found_through_the_search_path() {
    let fixture = Postgres::new();
    fixture.database.psql(
        "CREATE SCHEMA staging; CREATE SCHEMA lonely; CREATE TABLE lonely.t (a text); \
         CREATE MATERIALIZED VIEW staging.m AS SELECT 1 AS a",
    );
    let with = |path: &str| format!("{}?options=-c%20search_path%3D{path}", fixture.database.url);
    let destination = open(&with("staging,lonely")).await.unwrap();
    assert_eq!(describe(&destination, "t").await.name.to_string(), "lonely.t");
    assert_eq!(describe(&destination, "u").await.name.to_string(), "staging.u");
    let error = destination.describe(&TableName::parse("m")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let destination = open(&with("nowhere")).await.unwrap();
    let error = destination.describe(&TableName::parse("t")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.hint().unwrap().contains("SCHEMA.TABLE"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_text_cannot_hold_come_back_and_keep_their_order() {
    let fixture = Postgres::new();
    let destination = open(&fixture.database.url).await.unwrap();
    let table = create(&destination, "t", &[("n", ColumnType::Int64)]).await;
    let keys = ["a", "a\0", "a\0b", "a\u{1}", "a\u{1}\u{1}", "a\u{2}", "b"];
    for key in keys {
        let files = vec![load_file(&table.name, batches::file(key))];
        let rows = vec![numbers(&files[0], "n", 0..1)];
        load_plan(&destination, &table, plan(&table, files), rows).await.unwrap();
    }
    let range = KeyRange {
        source: "aws".into(),
        bucket: "bucket".into(),
        first: "a\0".into(),
        last: "a\u{2}".into(),
    };
    let known = destination.ledger().known(&range).await.unwrap();
    let found: Vec<&str> = known.iter().map(|file| file.key.as_str()).collect();
    assert_eq!(found, keys[1..6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_ledger_row_was_deleted_is_loaded_again_once() {
    let fixture = Postgres::new();
    let destination = open(&fixture.database.url).await.unwrap();
    let table = create(&destination, "t", &[("n", ColumnType::Int64)]).await;
    let rows = || vec![numbers(&file(&table, "a.csv"), "n", 0..3)];
    load(&destination, &table, "a.csv", rows()).await.unwrap();
    fixture.database.psql("DELETE FROM processed_files");
    load(&destination, &table, "a.csv", rows()).await.unwrap();
    assert_eq!(fixture.database.psql("SELECT count(*) FROM t"), "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_was_dropped_is_made_again() {
    let fixture = Postgres::new();
    let destination = open(&fixture.database.url).await.unwrap();
    let table = create(&destination, "t", &[("n", ColumnType::Int64)]).await;
    let rows = || vec![numbers(&file(&table, "a.csv"), "n", 0..3)];
    load(&destination, &table, "a.csv", rows()).await.unwrap();
    fixture.database.psql("DROP TABLE processed_files");
    let error = load(&destination, &table, "a.csv", rows()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    load(&destination, &table, "a.csv", rows()).await.unwrap();
    assert_eq!(fixture.database.psql("SELECT count(*) FROM t"), "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_no_ledger_is_left_alone() {
    let fixture = Postgres::new();
    fixture.database.psql("CREATE TABLE processed_files (id int, name text)");
    let destination = open(&fixture.database.url).await.unwrap();
    let change = TableChange::Create {
        table: TableName::parse("t"),
        columns: vec![Column::new("n", ColumnType::Int64)],
    };
    let error = destination.apply(&change, false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert_eq!(fixture.database.psql("SELECT to_regclass('t') IS NULL"), "t");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_larger_than_one_copy_with_rejects_in_between_is_one_transaction() {
    let fixture = Postgres::new();
    let destination = open(&fixture.database.url).await.unwrap();
    let table = create(&destination, "t", &[("a", ColumnType::Text)]).await;
    let file = file(&table, "a.csv");
    let mut load = begin(&destination, plan(&table, vec![file.clone()])).await.unwrap();
    let mut writer = load.writer().await.unwrap();
    writer.start_file(file.id, &[0]).await.unwrap();
    let long = "x".repeat(1 << 20);
    let mut ordinal = 0;
    for _ in 0..20 {
        writer.write(texts("a", &[long.as_str(); 4])).await.unwrap();
        let rejects: Vec<_> = (0..3000).map(|number| reject(ordinal + number)).collect();
        ordinal += 3000;
        writer.write_rejects(rejects).await.unwrap();
    }
    let part = writer.finish().await.unwrap();
    let total =
        decant_core::destination::FileTotals { rows_rejected: ordinal, ..totals(file.id, 80) };
    outcome(load.commit(vec![part], vec![total]).await.unwrap()).unwrap();
    assert_eq!(fixture.database.psql("SELECT count(*), count(DISTINCT xmin::text) FROM t"), "80|1");
    assert_eq!(fixture.database.psql("SELECT count(*) FROM rejected_rows"), "60000");
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_get_through_while_all_loads_are_open() {
    let fixture = Postgres::new();
    let destination = open(&fixture.database.url).await.unwrap();
    let table = create(&destination, "t", &[("n", ColumnType::Int64)]).await;
    let mut loads = Vec::new();
    for number in 0..destination.capabilities().concurrent_loads {
        let files = vec![file(&table, &format!("{number}.csv"))];
        loads.push(begin(&destination, plan(&table, files)).await.unwrap());
    }
    assert_eq!(destination.ledger().loaded("public.t").await.unwrap(), []);
    assert!(table.schema.unwrap().position(FILE_ID_COLUMN).is_some());
    for load in loads {
        load.abort().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_held_too_long_makes_the_database_unavailable() {
    let fixture = Postgres::new();
    let patient = open(&fixture.database.url).await.unwrap();
    let table = create(&patient, "t", &[("n", ColumnType::Int64)]).await;
    let options = decant_databases::DatabaseOptions {
        lock_timeout: std::time::Duration::from_millis(50),
        ..Default::default()
    };
    let hasty = decant_databases::open(&fixture.database.url, &options).await.unwrap();
    let held = begin(&patient, plan(&table, vec![file(&table, "a.csv")])).await.unwrap();
    let error = hasty.begin(plan(&table, vec![file(&table, "a.csv")])).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    held.abort().await.unwrap();
    let again = begin(&hasty, plan(&table, vec![file(&table, "a.csv")])).await.unwrap();
    drop(again);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_not_removed_where_that_would_reach_into_another_table() {
    let fixture = Postgres::new();
    fixture.database.psql(
        "CREATE TABLE orders (n bigint PRIMARY KEY, _file_id bigint); \
         CREATE TABLE lines (n bigint REFERENCES orders ON DELETE CASCADE)",
    );
    let destination = open(&fixture.database.url).await.unwrap();
    let table = describe(&destination, "orders").await;
    let mut again = file(&table, "a.csv");
    let rows = vec![numbers(&again, "n", 0..3)];
    load(&destination, &table, "a.csv", rows.clone()).await.unwrap();
    fixture.database.psql("INSERT INTO lines VALUES (1)");
    again.again = true;
    let error = load_plan(&destination, &table, plan(&table, vec![again]), rows).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.fact("constraint")),
        (ErrorKind::Unsupported, Some("lines_n_fkey"))
    );
    assert_eq!(fixture.database.psql("SELECT count(*) FROM orders, lines"), "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn writing_is_tried_without_a_trace() {
    let fixture = Postgres::new();
    let destination = open(&fixture.database.url).await.unwrap();
    destination.check_write().await.unwrap();
    assert_eq!(
        fixture.database.psql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"),
        "0"
    );
    fixture.database.psql("CREATE ROLE reader LOGIN");
    let url = PostgresServer::shared().socket_url(&fixture.database.name);
    let reading = open(&url.replace("//decant@", "//reader@")).await.unwrap();
    let error = reading.check_write().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error:?}");
    assert!(error.hint().unwrap().contains("CREATE"));
    drop(reading);
    fixture.database.psql("DROP ROLE reader");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_waits_for_somebody_elses_row_holds_up_no_other_commit() {
    let fixture = Postgres::new();
    fixture
        .database
        .query(
            "CREATE TABLE customers (id bigint PRIMARY KEY); INSERT INTO customers VALUES (1), (2); \
             CREATE TABLE orders (customer bigint REFERENCES customers DEFERRABLE \
             INITIALLY DEFERRED, _file_id bigint)",
        )
        .await;
    let destination = open(&fixture.database.url).await.unwrap();
    let table = describe(&destination, "orders").await;
    let held = fixture.database.hold("DELETE FROM customers WHERE id = 1");
    let [waits, goes_on] = ["a.csv", "b.csv"].map(|key| file(&table, key));
    let rows = numbers(&waits, "customer", 1..2);
    let waiting = load(&destination, &table, "a.csv", vec![rows]);
    let others = async {
        let waits = "SELECT count(*) FROM pg_stat_activity \
                     WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while fixture.database.query(waits).await != [[Some("1".to_owned())]] {}
        let rows = numbers(&goes_on, "customer", 2..3);
        load(&destination, &table, "b.csv", vec![rows]).await.unwrap();
        drop(held);
    };
    let (waited, ()) = futures::join!(waiting, others);
    waited.unwrap();
    let rows = fixture.database.query("SELECT customer FROM orders ORDER BY customer").await;
    assert_eq!(rows, [[Some("1".to_owned())], [Some("2".to_owned())]]);
}
