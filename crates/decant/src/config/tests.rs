//! Configurations from end to end: text in, settings or a located error out.

mod layers;
mod loads;

use decant_core::Stream;
use decant_core::error::{Error, ErrorKind};
use decant_core::schema::ColumnType;
use decant_core::selection::Scan;
use decant_core::stream::{
    AddedValue, Concealment, Flatten, FormatOptions, Header, Mark, MaxRejects, MissingColumns,
    NewColumns, OnChange, OnConflict, OnError, Reload, Trim, TypePolicy, WriteMode,
};
use decant_core::value_format::NumberFormat;

use super::typed::{self, StreamOptions, Texts};
use super::*;

const HEAD: &str = "source: {url: s3://b/in/}\n";
const FORMATS: Vocabulary<'_> = Vocabulary {
    formats: &["csv", "tsv", "json", "parquet"],
    destinations: &["sqlite", "postgresql"],
};

fn environment() -> Environment {
    Environment::of([("URL", "postgresql://u:hunter2@h/db"), ("WRONG", "hunter2"), ("N", "3")])
}

fn open(text: &str, profile: Option<&str>) -> Result<Document, Error> {
    Document::parse("d.yaml", text, profile, &environment())
}

fn settings_of(text: &str) -> Result<Settings, Error> {
    open(text, None)?.settings(&Overrides::default(), &FORMATS)
}

fn stream(options: &str) -> Stream {
    let text = format!("{HEAD}streams:\n  s: {options}\n");
    settings_of(&text).unwrap().streams.remove(0)
}

/// The refusal of a configuration: kind, then text and hint.
fn refusal(text: &str) -> (ErrorKind, String) {
    let error = settings_of(text).expect_err(text);
    (error.kind(), format!("{} | {}", error.chain(), error.hint().unwrap_or_default()))
}

fn refused_stream(options: &str) -> (ErrorKind, String) {
    refusal(&format!("{HEAD}streams:\n  s: {options}\n"))
}

#[test]
fn the_example_is_valid_and_says_what_it_shows() {
    let settings = settings_of(example()).unwrap();
    let orders = &settings.streams[0];
    assert_eq!(orders.name, "orders");
    assert_eq!(orders.selection.scans(), [Scan::Prefix("orders/incoming/".into())]);
    assert_eq!(orders.table.fixed().unwrap().to_string(), "staging.orders_raw");
    assert_eq!(orders.format.delimiter, Some("|".into()));
    assert_eq!(orders.columns.types["order_id"], ColumnType::Int64.into());
    assert_eq!(orders.on_error, OnError::Reject);
    assert_eq!(orders.max_rejects, MaxRejects::Percent(1.0));
    assert_eq!(settings.destination.url.expose(), "sqlite:decant.db");
    let production = Document::parse(
        "d.yaml",
        example(),
        Some("production"),
        &Environment::of([("PROD_URL", "postgresql://h/d")]),
    );
    let production = production.unwrap().settings(&Overrides::default(), &FORMATS).unwrap();
    assert_eq!(production.destination.url.expose(), "postgresql://h/d");
    assert_eq!((production.threads, production.memory_bytes), (8, 512 << 20));
}

#[test]
fn every_key_of_the_schema_stands_in_the_example() {
    let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
    for definition in ["Source", "Credentials", "Destination", "StreamOptions", "Format", "Columns"]
    {
        let keys = schema["$defs"][definition]["properties"].as_object().unwrap();
        for key in keys.keys() {
            let is_rare = matches!(key.as_str(), "session_token" | "source_profile" | "anonymous");
            assert!(is_rare || example().contains(&format!("{key}:")), "{definition}.{key}");
        }
    }
}

#[test]
fn the_schema_knows_the_same_top_level_keys_as_the_reader() {
    let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
    let keys: Vec<&str> =
        schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, typed::Document::KEYS);
    let limits = schema["$defs"]["Defaults"]["properties"].as_object().unwrap();
    for key in typed::Limits::KEYS {
        assert!(limits.contains_key(key), "{key}");
    }
    assert!(limits.contains_key("files"));
    let is_closed = |schema: &serde_json::Value| {
        ["additionalProperties", "unevaluatedProperties"]
            .iter()
            .any(|key| schema[*key] == serde_json::json!(false))
    };
    for name in ["Defaults", "Profile", "Source", "StreamOptions"] {
        assert!(is_closed(&schema["$defs"][name]), "{name}");
    }
    let words = schema["$defs"]["IfExists"].to_string();
    assert!(words.contains("replace") && !words.contains("merge"), "{words}");
}

#[test]
fn an_unknown_key_is_refused_with_its_place_and_a_suggestion() {
    for (text, message) in [
        ("sorce: {url: x}\n", "d.yaml:1:1: unknown key `sorce` | did you mean `source`?"),
        ("source: {url: s3://b, regoin: x}\n", "d.yaml:1:23: unknown key `regoin`"),
        (
            "streams:\n  s:\n    fiels: x\n",
            "d.yaml:3:5: unknown key `fiels` | did you mean `files`?",
        ),
        ("streams:\n  s:\n    format:\n      delimeter: x\n", "did you mean `delimiter`?"),
        ("streams: {s: {columns: {typs: {}}}}\n", "did you mean `types`?"),
        (
            "defaults:\n  thread: 3\nstreams: {s: {}}\n",
            "d.yaml:2:3: unknown key `thread` | did you mean `threads`?",
        ),
        ("profiles: {dev: {sourc: x}}\n", "did you mean `source`?"),
        ("profiles: {dev: {source: {ur: x}}}\n", "did you mean `url`?"),
        ("destination: {url: x, legder: y}\n", "did you mean `ledger`?"),
    ] {
        let (kind, refusal) = refusal(text);
        assert_eq!(kind, ErrorKind::InvalidConfig);
        assert!(refusal.contains(message), "{text:?}: {refusal}");
    }
}

#[test]
fn a_wrong_value_is_refused_with_its_place_and_what_is_allowed() {
    for (options, message) in [
        ("{if_exists: upsert}", "d.yaml:3:18: `upsert` is not known here"),
        ("{if_exists: apend}", "did you mean `append`?"),
        ("{on_error: skip}", "did you mean `skip-file`? Known are `fail`, `reject`"),
        ("{on_error: [fail]}", "a text is needed here, not a list"),
        ("{file_id: maybe}", "`maybe` is neither `true` nor `false`"),
        ("{max_attempts: many}", "`many` is not a whole number"),
        ("{max_attempts: -1}", "`-1` is not a whole number"),
        ("{max_attempts: 0}", "`max_attempts` must be at least 1"),
        ("{max_rejects: x, on_error: reject}", "write `100`, or `2%`"),
        ("{min_age: soon}", "write `30s`"),
        ("{files: {a: b}}", "a text is needed here, not a group of keys"),
        ("{exclude: {a: b}}", "a text or a list of texts is needed here"),
        ("{format: {delimiter: ''}}", "cannot separate fields"),
        ("{format: {quote: '||'}}", "not one ASCII character"),
        ("{format: {header: maybe}}", "neither `true` nor `false` nor a number of rows"),
        ("{format: {decimal: ;}}", "no decimal separator"),
        ("{format: {widths: [4, x]}}", "`x` is no width"),
        ("{format: {flatten: {depht: 1}}}", "did you mean `depth`?"),
        ("{format: {json_orient: record}}", "did you mean `records`?"),
        ("{format: {records_path: a.b}}", "a JSON pointer begins with `/`: `/a/b`"),
        ("{format: {type: csv, records_path: /a}}", "`records_path` says nothing about csv files"),
        ("{format: {type: csv, json_orient: split}}", "says nothing about csv files"),
        ("{format: {type: json, widths: [1]}}", "says nothing about json files"),
        ("{format: {widths: [1], delimiter: ;}}", "`delimiter` says nothing about fwf files"),
        ("{format: {flatten: 0}}", "`flatten` must be at least 1"),
        ("{columns: {add: {a: '{fiel}'}}}", "did you mean `{file}`?"),
        ("{columns: {hash: {column: [a]}}}", "did you mean `columns`?"),
        ("{columns: {mask: {a: some}}}", "`some` is not a whole number"),
        ("{columns: {trim: {a: b}}}", "`true`, `false` or a list of columns is needed here"),
        ("{where: 'amount >'}", "d.yaml:3:14: `where` is not understood"),
        ("{types: frosen}", "did you mean `frozen`?"),
        ("{missing_columns: none}", "known are `null`, `fail`"),
        ("{format: cvs}", "did you mean `csv`?"),
        ("{format: {type: parquet, delimiter: ;}}", "`delimiter` says nothing about parquet"),
        ("{format: {type: parquet, decimal: \",\"}}", "`decimal` says nothing about parquet files"),
        ("{format: {delimiter: ;, comment: ;}}", "are the same character"),
        ("{columns: {types: {a: bigintt}}}", "d.yaml:3:28: `bigintt` is not a type"),
        ("{files: 'a[.csv'}", "d.yaml:3:14: `in/a[.csv` is not a glob"),
        ("{pattern: '('}", "`(` is not a regular expression"),
        ("{table: '{floder}'}", "d.yaml:3:14: `{floder}` in table"),
        ("{files: /in/a.csv}", "cannot begin with `/`"),
        ("{files: s3://b/in/a.csv}", "not a URL"),
        ("[a]", "keys are needed here, not a list"),
    ] {
        let (kind, refusal) = refused_stream(options);
        assert_eq!(kind, ErrorKind::InvalidConfig, "{options}");
        assert!(refusal.contains(message), "{options}: {refusal}");
    }
}

#[test]
fn what_is_planned_but_not_there_is_unsupported_and_names_what_is() {
    let (kind, refusal) = refused_stream("{if_exists: merge}");
    assert_eq!(kind, ErrorKind::Unsupported);
    let message = "`merge` is not supported yet | allowed are `append`, `replace`";
    assert!(refusal.contains(message), "{refusal}");
}

#[test]
fn contradictions_are_refused() {
    for (options, message) in [
        ("{if_exists: replace, on_change: append}", "when the whole table is replaced"),
        ("{file_id: false, on_change: replace}", "without `_file_id`"),
        ("{max_rejects: 5}", "`on_error` is `reject`"),
        ("{columns: {rename: {a: x, b: X}}}", "both renamed to `X`"),
        ("{columns: {rename: {A b: x, a_b: y}}}", "name the same column"),
        (
            "{columns: {rename: {a: b}, types: {a: int64, b: text}}}",
            "d.yaml:3:54: `a` and `b` name the same column in `types`",
        ),
        ("{columns: {rename: {a: b}, select: [b, a]}}", "name the same column in `select`"),
        ("{columns: {types: {Order Date: date, order_date: text}}}", "name the same column"),
        ("{columns: {rename: {a: ''}}}", "a column's name is empty"),
        ("{columns: {select: [a], exclude: [A]}}", "`A` stands in `select` and in `exclude`"),
        ("{columns: {rename: {a: b}, hash: [a], mask: [b]}}", "stands in `hash` and in `mask`"),
        ("{columns: {aliases: {a: [x], b: [x]}}}", "`x` is an alias of `a` and of `b`"),
        ("{columns: {aliases: {a: [b], b: [c]}}}", "`b` has aliases and is an alias of `a`"),
        ("{columns: {rename: {x: c}, aliases: {a: [x]}}}", "and renamed to `c`"),
        ("{columns: {add: {_file_id: '{line}'}}}", "a column of decant's own"),
        ("{columns: {add: {h: '{line}'}, row_hash: H}}", "`H` is added twice"),
        ("{format: {decimal: ',', thousands: ','}}", "are the same character"),
    ] {
        let (kind, refusal) = refused_stream(options);
        assert_eq!(kind, ErrorKind::InvalidConfig, "{options}");
        assert!(refusal.contains(message), "{options}: {refusal}");
    }
}

#[test]
fn what_files_look_like_is_said_in_full() {
    let format = |options: &str| stream(&format!("{{format: {options}}}")).format;
    let csv = format(
        "{type: csv, encoding: windows-1252, lenient: true, delimiter: '||', quote: none, \
         escape: '\\', comment: none, header: 2, skip_rows: 1, skip_footer: 3, decimal: comma, \
         thousands: '.', compression: Brotli, decompressed_bytes_max: 1GB, \
         decompression_ratio_max: 50}",
    );
    let expected = FormatOptions {
        name: Some("csv".into()),
        compression: Some("brotli".into()),
        encoding: Some("windows-1252".into()),
        lenient: true,
        delimiter: Some("||".into()),
        quote: Some(Mark::Off),
        escape: Some(Mark::Byte(b'\\')),
        comment: Some(Mark::Off),
        header: Some(Header::Rows(2)),
        skip_rows: Some(1),
        skip_footer: Some(3),
        numbers: Some(NumberFormat { decimal: ',', thousands: Some('.') }),
        decompressed_bytes_max: Some(1_000_000_000),
        decompression_ratio_max: Some(50),
        ..FormatOptions::default()
    };
    assert_eq!(csv, expected);
    assert_eq!(format("{header: false}").header, Some(Header::None));
    assert_eq!(format("{thousands: .}").numbers.unwrap().decimal, ',');
    let json = format("{type: json, records_path: /data, flatten: {depth: 2, separator: .}}");
    assert_eq!(json.records_path.as_deref(), Some("/data"));
    assert_eq!(json.flatten, Some(Flatten { depth: 2, separator: ".".into() }));
    assert_eq!(format("{flatten: 1}").flatten.unwrap().separator, "_");
    assert_eq!(format("{json_orient: split}").name.as_deref(), Some("json-split"));
    assert_eq!(format("{widths: [4, 10]}").widths, Some(vec![4, 10]));
    assert_eq!(format("{widths: '4,10'}").name.as_deref(), Some("fwf"));
    assert_eq!(format("{row_element: order}").name.as_deref(), Some("xml"));
}

#[test]
fn what_becomes_of_columns_and_rows_is_said_in_full() {
    let stream = stream(
        "{columns: {aliases: {id: [cust_id, CustomerID], n: m}, exclude: note, trim: [a, b], \
         hash: {columns: [email], key: '${WRONG}'}, mask: {iban: 4}, \
         add: {src: '{file}', day: '{path:day}'}, row_hash: {name: h, columns: [id]}}, \
         where: \"amount > 10 and note is not null\", new_columns: rescue, \
         missing_columns: fail, types: frozen, on_conflict: rescue}",
    );
    let columns = &stream.columns;
    assert_eq!(columns.aliases["id"], ["cust_id", "CustomerID"]);
    assert_eq!(columns.exclude, ["note"]);
    assert_eq!(columns.trim, Trim::Columns(vec!["a".into(), "b".into()]));
    let Concealment::Hash { key: Some(key) } = &columns.conceal["email"] else { panic!("a key") };
    assert_eq!(key.expose(), "hunter2");
    assert_eq!(columns.conceal["iban"], Concealment::Mask { keep_last: 4 });
    let added: Vec<&str> = columns.added.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(added, ["src", "day", "h"]);
    assert_eq!(columns.added[1].value, AddedValue::Path("day".into()));
    assert_eq!(stream.filter.comparisons.len(), 2);
    assert_eq!(stream.new_columns, Some(NewColumns::Rescue));
    assert_eq!(stream.missing_columns, MissingColumns::Fail);
    assert_eq!(stream.types, Some(TypePolicy::Frozen));
    assert_eq!(stream.on_conflict, OnConflict::Rescue);
    assert!(!format!("{stream:?}").contains("hunter2"));
}

#[test]
fn columns_have_short_spellings() {
    let columns = |options: &str| stream(&format!("{{columns: {options}}}")).columns;
    assert_eq!(columns("{trim: true}").trim, Trim::All);
    assert_eq!(columns("{trim: false}").trim, Trim::None);
    assert_eq!(columns("{hash: email}").conceal["email"], Concealment::Hash { key: None });
    assert_eq!(columns("{mask: [iban]}").conceal["iban"], Concealment::Mask { keep_last: 0 });
    let hash = &columns("{row_hash: h}").added[0];
    assert_eq!(hash.value, AddedValue::RowHash { columns: Vec::new(), key: None });
}

#[test]
fn a_key_whose_variable_is_empty_is_refused() {
    for rule in ["hash: {columns: [a]", "row_hash: {name: h"] {
        for key in ["\"\"", "\"${NOTHING:-}\""] {
            let (kind, told) = refused_stream(&format!("{{columns: {{{rule}, key: {key}}}}}}}"));
            assert_eq!(kind, ErrorKind::InvalidConfig, "{rule} {key}");
            assert!(told.contains("is empty"), "{told}");
        }
    }
}

#[test]
fn keys_of_hashes_are_not_shown() {
    let shown = |key: &str| {
        let text = format!(
            "{HEAD}streams: {{s: {{columns: {{types: {{key: int64}}, \
             hash: {{columns: [a], key: {key}}}}}}}}}\n"
        );
        check(&open(&text, None).unwrap(), &Overrides::default(), &FORMATS).unwrap()
    };
    let literal = shown("hunter2");
    assert!(literal.contains("key: ***") && literal.contains("key: int64"), "{literal}");
    assert!(!literal.contains("hunter2"), "{literal}");
    assert!(shown("'${WRONG}'").contains("${WRONG}"));
}

#[test]
fn one_table_is_not_replaced_by_two_streams() {
    let (_, refusal) = refusal(&format!(
        "{HEAD}streams:\n  a: {{table: t, if_exists: replace}}\n  b: {{table: t}}\n"
    ));
    assert!(refusal.contains("`t` is replaced by stream `a`"), "{refusal}");
}

#[test]
fn sources_and_credentials_are_checked() {
    for (source, message) in [
        ("{}", "`source.url` is missing"),
        ("{url: s3://b/*.csv}", "cannot be a glob"),
        ("{url: gs://b/}", "cannot have the scheme `gs`"),
        ("{url: s3://b, endpoint: localhost}", "the endpoint is not a URL"),
        ("{url: s3://b, endpoint: 'http://u:p@h'}", "the endpoint cannot hold credentials"),
        ("{url: s3://b, credentials: {access_key_id: x}}", "only complete together"),
        ("{url: s3://b, credentials: {profile: x, anonymous: true}}", "exclude each other"),
        ("{url: s3://b, credentials: {profile: x, role_arn: y}}", "`source_profile`"),
        ("{url: s3://b, credentials: {external_id: x}}", "says nothing without `role_arn`"),
        ("{url: s3://b, credentials: public}", "credentials are `anonymous` or keys"),
    ] {
        let (kind, refusal) = refusal(&format!("source: {source}\nstreams: {{s: }}\n"));
        assert_eq!(kind, ErrorKind::InvalidConfig);
        assert!(refusal.contains(message), "{source}: {refusal}");
    }
    let credentials = |text: &str| {
        let text = format!("source: {{url: s3://b, credentials: {text}}}\nstreams: {{s: }}\n");
        settings_of(&text).unwrap().source.credentials
    };
    assert_eq!(credentials("anonymous"), CredentialSettings::Anonymous);
    assert_eq!(credentials("{anonymous: true}"), CredentialSettings::Anonymous);
    assert_eq!(credentials("{profile: p}"), CredentialSettings::Profile("p".into()));
    assert_eq!(credentials(""), CredentialSettings::Chain);
}

#[test]
fn a_stream_selects_below_the_source_alone() {
    let everything = stream("");
    assert_eq!(everything.selection.scans(), [Scan::Prefix("in/".into())]);
    assert_eq!(everything.table.table_for("in/orders/a.csv", None).unwrap().name, "orders");
    assert_eq!(everything.table.table_for("in/a.csv", None).unwrap().name, "a");
    assert_eq!(stream("{files: 'x/*.csv'}").selection.scans(), [Scan::Prefix("in/x/".into())]);
    assert_eq!(stream("{files: x.csv}").selection.scans().len(), 2);
    let judged = |options: &str, key: &str| {
        let now = chrono::Utc::now();
        let selection = stream(options).selection;
        selection.judge(key, 1, chrono::DateTime::UNIX_EPOCH, now).map(|why| why.rule())
    };
    assert_eq!(judged("{exclude: '*.bak'}", "in/x/a.bak"), Some("exclude"));
    assert_eq!(judged("{exclude: [x/**, y/**]}", "in/y/a.csv"), Some("exclude"));
    assert_eq!(judged("{extension: .csv}", "in/a.tsv"), Some("extension"));
    assert_eq!(judged("{pattern: '\\d+'}", "in/a.csv"), Some("not_matched"));
    assert_eq!(judged("{files: '*.csv', pattern: '\\d+'}", "in/a.csv"), Some("not_matched"));
    assert_eq!(judged("{files: '*.csv', pattern: '\\d+'}", "in/1.csv"), None);
    assert_eq!(judged("{files: '*.csv', pattern: '\\d+'}", "in/1.tsv"), Some("not_matched"));
}

#[test]
fn words_that_yaml_once_took_for_booleans_stay_words() {
    let stream = stream("{format: {null_values: [no, NULL, ~, 0x1, 1e3]}, table: on}");
    let words = ["no", "NULL", "~", "0x1", "1e3"].map(str::to_owned);
    assert_eq!(stream.format.null_values.unwrap(), words);
    assert_eq!(stream.table.fixed().unwrap().name, "on");
}

#[test]
fn a_file_that_is_not_there_says_how_to_get_one() {
    let path = std::path::Path::new("nowhere/decant.yaml");
    let error = Document::open(path, None, &environment()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert!(error.to_string().starts_with("nowhere/decant.yaml: "), "{error}");
    assert!(error.hint().unwrap().contains("decant config example"));
}

#[test]
fn an_encoding_that_there_is_not_is_shown_with_its_place() {
    let text = format!("{HEAD}streams:\n  s:\n    format:\n      encoding: utf-9\n");
    let (kind, said) = refusal(&text);
    assert_eq!(kind, ErrorKind::InvalidConfig);
    assert!(said.contains("d.yaml:5:17: there is no encoding `utf-9`"), "{said}");
}

#[test]
fn files_inside_archives_are_chosen_by_exclude_alone() {
    for files in ["in/x.zip!/orders/*.csv", "*.tar.gz!/a.csv"] {
        let (kind, said) = refused_stream(&format!("{{files: '{files}'}}"));
        assert_eq!(kind, ErrorKind::InvalidConfig);
        assert!(said.contains("`files` names files") && said.contains("`exclude`"), "{said}");
    }
    stream("{files: 'wow!/*.csv'}");
}
