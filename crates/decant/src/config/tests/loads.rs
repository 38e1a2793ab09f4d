//! What `decant load` was given, beside what a configuration says.

use super::*;

#[test]
fn a_load_and_a_sync_that_say_the_same_mean_the_same() {
    let synced = {
        let text = "source: {url: s3://b/in/}\nstreams:\n  load:\n    files: '**/*.csv'\n    \
             exclude: tmp/**\n    table: s.t\n    min_age: 30s\n    max_attempts: 2\n    \
             format: {type: csv, delimiter: tab, null_values: [NA], quote: none}\n    columns:\n      \
             rename: {a: b}\n      types: {b: 'numeric(5,2)'}\n      select: [b, c]\n      text: true\n    \
             on_error: reject\n    max_rejects: 2%\n    on_change: append\n    new_columns: ignore\n    \
             file_id: false\n";
        settings_of(text).unwrap().streams.remove(0)
    };
    let columns = typed::Columns {
        rename: [("a".to_owned(), "b".to_owned())].into(),
        types: [("b".to_owned(), "numeric(5,2)".parse().unwrap())].into(),
        select: Some(Texts(vec!["b".into(), "c".into()])),
        text: Some(true),
        ..Default::default()
    };
    let format = typed::Format {
        name: Some("csv".into()),
        delimiter: Some("\\t".parse().unwrap()),
        quote: Some("none".parse().unwrap()),
        null_values: Some(Texts(vec!["NA".into()])),
        ..Default::default()
    };
    let options = LoadOptions {
        sources: vec!["s3://b/in/**/*.csv".into()],
        stream: StreamOptions {
            exclude: Some(Texts(vec!["tmp/**".into()])),
            table: Some("s.t".into()),
            min_age: Some("30s".parse().unwrap()),
            max_attempts: Some(2),
            format: Some(format),
            columns: Some(columns),
            on_error: Some(typed::OnError::Reject),
            max_rejects: Some("2%".parse().unwrap()),
            on_change: Some(typed::OnChange::Append),
            new_columns: Some(typed::NewColumns::Ignore),
            file_id: Some(false),
            ..Default::default()
        },
        overrides: Overrides::default(),
    };
    let loaded = options.settings(&FORMATS).unwrap().streams.remove(0);
    assert_eq!(format!("{loaded:?}"), format!("{synced:?}"));
    assert_eq!(loaded.on_change, Some(OnChange::Append));
}

fn load(sources: &[&str]) -> Result<Stream, Error> {
    let sources = sources.iter().map(|source| (*source).to_owned()).collect();
    let options = LoadOptions { sources, ..LoadOptions::default() };
    options.settings(&FORMATS).map(|mut settings| settings.streams.remove(0))
}

#[test]
fn a_load_names_its_table_after_the_last_literal_folder() {
    for (source, key, table) in [
        ("s3://b/in/orders/*.csv", "in/orders/a.csv", "orders"),
        ("s3://b/in/orders/", "in/orders/x/a.csv", "orders"),
        ("s3://b/in/orders", "in/orders/a.csv", "orders"),
        ("s3://b/in/Daily Orders/**/*.csv", "in/Daily Orders/x/a.csv", "daily_orders"),
        ("s3://b/in/a.csv", "in/a.csv", "in"),
        ("s3://b/orders.csv.gz", "orders.csv.gz", "orders"),
        ("s3://b/*.csv", "orders.csv", "orders"),
        ("s3://b", "x/orders.csv", "orders"),
    ] {
        let named = load(&[source]).unwrap().table.table_for(key, None).unwrap();
        assert_eq!(named.to_string(), table, "{source}");
    }
}

#[test]
fn several_sources_are_one_selection() {
    let options = LoadOptions {
        sources: ["a.csv", "b*.csv", "c"].map(|name| format!("s3://b/in/x/{name}")).into(),
        stream: StreamOptions { table: Some("t".into()), ..Default::default() },
        ..Default::default()
    };
    let stream = options.settings(&FORMATS).unwrap().streams.remove(0);
    let scans = [
        Scan::Key("in/x/a.csv".into()),
        Scan::Prefix("in/x/a.csv/".into()),
        Scan::Prefix("in/x/b".into()),
        Scan::Key("in/x/c".into()),
        Scan::Prefix("in/x/c/".into()),
    ];
    assert_eq!(stream.selection.scans(), scans);
    let now = chrono::Utc::now();
    for (key, is_in) in [
        ("in/x/a.csv", true),
        ("in/x/b1.csv", true),
        ("in/x/c", true),
        ("in/x/c/d.csv", true),
        ("in/x/cd.csv", false),
        ("in/x/d.csv", false),
    ] {
        let judged = stream.selection.judge(key, 1, chrono::DateTime::UNIX_EPOCH, now);
        assert_eq!(judged.is_none(), is_in, "{key}");
    }
    let error = load(&["s3://b/x/a.csv", "s3://b/y/a.csv"]).unwrap_err();
    assert!(error.hint().unwrap().contains("--table"), "{error:?}");
    let error = load(&["s3://b/a.csv", "s3://c/a.csv"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}
