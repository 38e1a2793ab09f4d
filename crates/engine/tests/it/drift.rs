//! Files whose columns and values differ from the table's, policy by policy.

use std::collections::BTreeMap;

use decant_core::destination::{Destination as _, TableChange};
use decant_core::format::RepairKind;
use decant_core::selection::Selection;
use decant_core::stream::{
    AddedColumn, AddedValue, Concealment, MissingColumns, NewColumns, OnConflict, OnError,
    RowFilter, TypePolicy,
};
use decant_core::{Column, ColumnType, Stream, TableName};
use decant_engine::{RunReport, RunStatus};

use crate::world::{World, stream_of};

fn worlds() -> [World; 2] {
    [World::new(), World::new().streaming()]
}

fn in_folder(pattern: &str) -> Selection {
    Selection::path("in/").unwrap().searched(pattern).unwrap()
}

fn numbers(stream: Stream) -> Stream {
    let mut stream = stream;
    stream.columns.types = BTreeMap::from([("n".into(), ColumnType::Int64.into())]);
    stream
}

fn counts(report: &RunReport) -> (u64, u64, u64, u64) {
    let rows = report.rows;
    assert_eq!(rows.read, rows.loaded + rows.rejected + rows.filtered, "{report:#?}");
    (rows.read, rows.loaded, rows.rejected, rows.filtered)
}

fn changes(report: &RunReport) -> Vec<&str> {
    report.tables[0].changes.iter().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn new_columns_are_left_out_and_said_once() {
    for world in worlds() {
        world.bucket.put("in/a", "e", "a\none\n");
        let stream = Stream { new_columns: Some(NewColumns::Ignore), ..stream_of(OnError::Fail) };
        world.sync(&stream).await;
        world.bucket.put("in/b", "e", "a,x\ntwo,v\n");
        world.bucket.put("in/c", "e", "a,x\nthree,w\n");
        let report = world.sync(&stream).await;
        assert_eq!(counts(&report), (2, 2, 0, 0));
        let [change] = changes(&report)[..] else { panic!("{report:#?}") };
        assert!(change.starts_with("left out: `x` of s3://bucket/in/"), "{change}");
        assert_eq!(world.rows(&["a"]).await, ["one", "three", "two"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_columns_are_kept_in_rescued() {
    for world in worlds() {
        world.bucket.put("in/a", "e", "a\none\n");
        let rescuing = Stream { new_columns: Some(NewColumns::Rescue), ..stream_of(OnError::Fail) };
        world.sync(&stream_of(OnError::Fail)).await;
        world.bucket.put("in/b", "e", "a,x\ntwo,v\nthree,\n");
        let report = world.sync(&rescuing).await;
        assert_eq!(report.status, RunStatus::Ok, "{report:#?}");
        assert_eq!(
            changes(&report),
            ["added _rescued for s3://bucket/in/b", "kept in _rescued: `x` of s3://bucket/in/b"]
        );
        assert_eq!(
            world.rows(&["a", "_rescued"]).await,
            ["one|-", "three|-", r#"two|{"x":"v","_file":"s3://bucket/in/b"}"#]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_others_is_not_given_a_column_and_the_error_says_how() {
    let world = World::new();
    let name = world.table_name().await;
    world.database.create_table(&name, &[(Column::new("a", ColumnType::Text), None)]);
    world.bucket.put("in/a", "e", "a,x\none,v\n");
    let rescuing = Stream { new_columns: Some(NewColumns::Rescue), ..stream_of(OnError::Fail) };
    let report = world.sync(&rescuing).await;
    assert_eq!(report.status, RunStatus::Failed);
    let error = &report.errors[0];
    assert!(error.message.contains("has no column `_rescued`"), "{error:?}");
    assert!(error.hint.as_deref().unwrap().starts_with("add it yourself"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_with_a_value_in_a_new_column_are_rejected() {
    for world in worlds() {
        world.bucket.put("in/a", "e", "a\none\n");
        let stream = Stream { new_columns: Some(NewColumns::Reject), ..stream_of(OnError::Reject) };
        world.sync(&stream).await;
        world.bucket.put("in/b", "e", "a,x\ntwo,v\nthree,\n");
        let report = world.sync(&stream).await;
        assert_eq!((report.status, counts(&report)), (RunStatus::Partial, (2, 1, 1, 0)));
        assert_eq!(world.rows(&["a"]).await, ["one", "three"]);
        let rejects = world.database.ledger_rejects("processed_files");
        let reject = &rejects[0].1;
        assert_eq!((reject.reason.as_str(), reject.line), ("new_column", Some(2)));
        assert_eq!((reject.raw.as_slice(), reject.column.as_deref()), (&b"two,v"[..], Some("x")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_come_late_are_added_and_rows_before_them_stay() {
    for world in worlds() {
        world.bucket.put("in/a", "e", "a\none\n");
        world.sync(&stream_of(OnError::Fail)).await;
        world.bucket.put("in/b", "e", "!json\na\ntwo\n!columns a,late\nthree,v\n");
        let report = world.sync(&stream_of(OnError::Fail)).await;
        assert_eq!((report.status, counts(&report)), (RunStatus::Ok, (2, 2, 0, 0)), "{report:#?}");
        assert_eq!(changes(&report), ["added late for s3://bucket/in/b"]);
        assert_eq!(world.rows(&["a", "late"]).await, ["one|-", "three|v", "two|-"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_come_late_and_are_known_need_no_second_pass() {
    for world in worlds() {
        world.bucket.put("in/a", "e", "a,b\none,x\n");
        world.bucket.put("in/b", "e", "!json\na\ntwo\n!columns a,b\nthree,y\n");
        let report = world.sync(&stream_of(OnError::Fail)).await;
        assert_eq!((report.status, counts(&report)), (RunStatus::Ok, (3, 3, 0, 0)), "{report:#?}");
        assert_eq!(world.rows(&["a", "b"]).await, ["one|x", "three|y", "two|-"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_lacks_columns_fails_where_the_rules_say_so() {
    for world in worlds() {
        world.bucket.put("in/a", "e", "a,b\none,x\n");
        world.bucket.put("in/b", "e", "a\ntwo\n");
        world.bucket.put("in/c", "e", "!json\na\nthree\n");
        world.bucket.put("in/d", "e", "!json\na\nfour\n!columns a,b\nfive,y\n");
        let strict = Stream { missing_columns: MissingColumns::Fail, ..stream_of(OnError::Fail) };
        let report = world.sync(&strict).await;
        assert_eq!((report.files.loaded, report.files.failed), (2, 2), "{report:#?}");
        assert!(report.errors[0].message.contains("no column for the table's `b`"));
        assert_eq!(world.rows(&["a", "b"]).await, ["five|y", "four|-", "one|x"]);
    }
}

fn frozen(on_conflict: OnConflict, on_error: OnError) -> Stream {
    numbers(Stream { types: Some(TypePolicy::Frozen), on_conflict, ..stream_of(on_error) })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_does_not_fit_is_rejected_rescued_or_fatal() {
    for (on_conflict, expected, counted) in [
        (OnConflict::Reject, vec!["1"], (2, 1, 1, 0)),
        (OnConflict::Rescue, vec!["-", "1"], (2, 2, 0, 0)),
        (OnConflict::Fail, vec![], (0, 0, 0, 0)),
    ] {
        for world in worlds() {
            world.bucket.put("in/a", "e", "n\n1\nx\n");
            let report = world.sync(&frozen(on_conflict, OnError::Reject)).await;
            assert_eq!(counts(&report), counted, "{on_conflict:?} {report:#?}");
            assert_eq!(world.rows(&["n"]).await, expected);
            assert_eq!(report.files.failed, u64::from(on_conflict == OnConflict::Fail));
            if on_conflict == OnConflict::Rescue {
                let kept = r#"{"n":"x","_file":"s3://bucket/in/a"}"#;
                assert_eq!(world.rows(&["_rescued"]).await, ["-", kept]);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fatal_conflict_is_a_failure_although_files_may_be_skipped() {
    let world = World::new();
    world.bucket.put("in/a", "e", "n\n1\nx\n");
    let report = world.sync(&frozen(OnConflict::Fail, OnError::SkipFile)).await;
    assert_eq!((report.status, report.files.failed), (RunStatus::Failed, 1));
    assert_eq!(report.errors[0].line, Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_repair_cut_off_is_kept_and_counted() {
    for world in worlds() {
        world.bucket.put("in/a", "e", "a\none\n!cut two,x,y\n");
        let report = world.sync(&stream_of(OnError::Fail)).await;
        assert_eq!((report.status, counts(&report)), (RunStatus::Ok, (2, 2, 0, 0)), "{report:#?}");
        assert_eq!((report.rows.repaired, report.rows.repairs.of(RepairKind::Cut)), (1, 1));
        let rejects = world.database.ledger_rejects("processed_files");
        assert_eq!(rejects[0].1.reason.as_str(), "repaired");
        world.bucket.put("in/a", "e2", "a\n!cut two,x,y\n");
        let rescuing = Stream { on_conflict: OnConflict::Rescue, ..stream_of(OnError::Fail) };
        let report = world.sync(&rescuing).await;
        assert_eq!(report.rows.repaired, 1);
        let kept = r#"two|{"_cut":["x","y"],"_file":"s3://bucket/in/a"}"#;
        assert_eq!(world.rows(&["a", "_rescued"]).await, [kept]);
        assert_eq!(world.database.ledger_rejects("processed_files").len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_chosen_by_columns_that_are_not_loaded() {
    for world in worlds() {
        world.bucket.put("in/a", "e", "a,country\none,FR\ntwo,DE\nthree,\n!bad\n");
        let mut stream = Stream {
            filter: RowFilter::parse("country in ('FR', 'IT')").unwrap(),
            ..stream_of(OnError::Reject)
        };
        stream.columns.exclude = vec!["country".into()];
        let report = world.sync(&stream).await;
        assert_eq!(counts(&report), (4, 1, 1, 2), "{report:#?}");
        assert_eq!(world.rows(&["a"]).await, ["one"]);
        let columns: Vec<_> = report.tables[0].columns.iter().map(|it| it.name.clone()).collect();
        assert_eq!(columns, ["a"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_from_elsewhere_join_those_of_the_file() {
    for world in worlds() {
        world.bucket.put("in/shop-7/day=2024-01-02/a", "e", "a\none\ntwo\n");
        let mut stream = stream_of(OnError::Fail);
        stream.selection = in_folder(r"shop-(?P<shop>\d+)/");
        let added = [
            ("file", AddedValue::File),
            ("line", AddedValue::Line),
            ("shop", AddedValue::Path("shop".into())),
            ("day", AddedValue::Path("day".into())),
            ("hash", AddedValue::RowHash { columns: Vec::new(), key: None }),
        ];
        stream.columns.added = added
            .into_iter()
            .map(|(name, value)| AddedColumn { name: name.into(), value })
            .collect();
        stream.columns.types = BTreeMap::from([
            ("shop".into(), ColumnType::Int64.into()),
            ("day".into(), ColumnType::Date.into()),
        ]);
        let report = world.sync(&stream).await;
        assert_eq!(report.status, RunStatus::Ok, "{report:#?}");
        let file = "s3://bucket/in/shop-7/day=2024-01-02/a";
        assert_eq!(
            world.rows(&["a", "line", "shop", "day", "file"]).await,
            [format!("one|2|7|2024-01-02|{file}"), format!("two|3|7|2024-01-02|{file}")]
        );
        let hashes = world.rows(&["hash"]).await;
        assert!(hashes[0].len() == 64 && hashes[0] != hashes[1], "{hashes:?}");
        world.bucket.put("in/shop-x/day=2024-01-02/b", "e", "a\nthree\n");
        stream.selection = in_folder(r"shop-(?P<shop>\w+)/");
        let report = world.sync(&stream).await;
        assert!(report.errors[0].message.contains("`x` in the file's key is not int64"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_was_made_before_gets_the_columns_from_elsewhere() {
    let world = World::new();
    world.bucket.put("in/a", "e", "a\none\n");
    let mut stream = stream_of(OnError::Fail);
    world.sync(&stream).await;
    stream.columns.added = vec![AddedColumn { name: "file".into(), value: AddedValue::File }];
    world.bucket.put("in/b", "e", "a,x\ntwo,v\n");
    let report = world.sync(&stream).await;
    assert_eq!(changes(&report), ["added x, file for s3://bucket/in/b"]);
    assert_eq!(world.rows(&["a", "x", "file"]).await, ["one|-|-", "two|v|s3://bucket/in/b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_made_unreadable() {
    let world = World::new();
    world.bucket.put("in/a", "e", "Card,mail\n4111,x@y\n,\n");
    let mut stream = stream_of(OnError::Fail);
    stream.columns.conceal = BTreeMap::from([
        ("card".into(), Concealment::Mask { keep_last: 2 }),
        ("mail".into(), Concealment::Hash { key: None }),
    ]);
    world.sync(&stream).await;
    let rows = world.rows(&["card", "mail"]).await;
    assert!(rows[0].starts_with("**11|") && rows[0].len() == 5 + 64, "{rows:?}");
    assert_eq!(rows[1], "-|-");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_has_other_names_in_other_files() {
    for world in worlds() {
        world.bucket.put("in/a", "e", "customer_id\none\n");
        world.bucket.put("in/b", "e", "CustID\ntwo\n");
        world.bucket.put("in/c", "e", "cust_id,customer_id\nthree,four\n");
        let mut stream = stream_of(OnError::Fail);
        stream.columns.aliases = BTreeMap::from([("customer_id".into(), vec!["cust_id".into()])]);
        world.bucket.delete("in/c");
        world.sync(&stream).await;
        world.bucket.put("in/c", "e", "cust_id,customer_id\nthree,four\n");
        let report = world.sync(&stream).await;
        assert_eq!(world.rows(&["customer_id"]).await, ["one", "two"]);
        let message = &report.errors[0].message;
        assert!(message.contains("`cust_id`") && message.contains("`customer_id`"), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_collide_are_told_with_the_names_that_they_got() {
    for world in worlds() {
        world.bucket.put("in/a", "e", "id,ID,id\none,two,three\n");
        let report = world.sync(&stream_of(OnError::Fail)).await;
        assert_eq!(report.status, RunStatus::Ok, "{report:#?}");
        let renamed = changes(&report);
        assert!(renamed[0].starts_with("renamed: `ID` to `id_"), "{renamed:?}");
        world.bucket.put("in/b", "e", "ID,id,id\nfive,four,six\n");
        let report = world.sync(&stream_of(OnError::Fail)).await;
        assert_eq!(report.status, RunStatus::Ok, "{report:#?}");
        assert_eq!(world.rows(&["id", "id_2"]).await, ["four|six", "one|three"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_others_takes_columns_where_the_stream_says_so() {
    let world = World::new();
    let name: TableName = world.table_name().await;
    world.database.create_table(&name, &[(Column::new("a", ColumnType::Text), None)]);
    let change = TableChange::AddColumns {
        table: name,
        columns: vec![Column::new("file", ColumnType::Text)],
    };
    world.destination.apply(&change, false).await.unwrap();
    let mut stream = Stream { new_columns: Some(NewColumns::Add), ..stream_of(OnError::Fail) };
    stream.columns.added = vec![
        AddedColumn { name: "file".into(), value: AddedValue::File },
        AddedColumn { name: "line".into(), value: AddedValue::Line },
    ];
    world.bucket.put("in/a", "e", "a,x\none,v\n");
    let report = world.sync(&stream).await;
    assert_eq!(report.status, RunStatus::Ok, "{report:#?}");
    assert_eq!(world.rows(&["a", "x", "file", "line"]).await, ["one|v|s3://bucket/in/a|2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_beforehand_what_would_change() {
    let world = World::new();
    world.bucket.put("in/a", "e", "a,n\none,1\n");
    let stream = numbers(stream_of(OnError::Fail));
    world.sync(&stream).await;
    world.bucket.put("in/b", "e", "a,x\ntwo,v\n");
    let tables = world.plan(&stream).await;
    assert_eq!(
        tables[0].changes,
        ["added: `x` for s3://bucket/in/b", "missing: `n` in s3://bucket/in/b"]
    );
    assert_eq!(tables[0].statements.len(), 1);
    let ignoring = Stream { new_columns: Some(NewColumns::Ignore), ..stream.clone() };
    assert!(world.plan(&ignoring).await[0].changes[0].starts_with("left out: `x`"));
    let failing = Stream { new_columns: Some(NewColumns::Fail), ..stream.clone() };
    assert!(world.plan(&failing).await[0].changes[0].starts_with("refused: "));
    world.bucket.put("in/b", "e2", "a,n\ntwo,v\n");
    let changes = world.plan(&stream).await.remove(0).changes;
    assert_eq!(changes, ["in conflict: `n` is int64, and text in s3://bucket/in/b"]);
    assert_eq!(world.rows(&["a"]).await, ["one"], "a plan changes nothing");
}
