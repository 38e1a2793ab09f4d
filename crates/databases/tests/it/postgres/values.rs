//! Values on their way into Postgres' types, read back by Postgres itself.

use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array};
use decant_core::error::ErrorKind;
use decant_core::list::ListElement;
use decant_core::schema::{ColumnType, DecimalBounds};
use decant_testkit::batches::{batch, batch_of};

use super::{Postgres, create, describe, load, open, texts};

/// Numbers that look random and are the same at every run.
struct Numbers(u128);

impl Numbers {
    fn next(&mut self) -> u128 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d_9e37_79b9_7f4a_7c15)
    }

    fn decimal(&mut self) -> i128 {
        let magnitude = (self.next() % 10u128.pow(38)) / 10u128.pow((self.next() % 38) as u32);
        if self.next().is_multiple_of(2) { magnitude as i128 } else { -(magnitude as i128) }
    }
}

fn plain(value: i128, scale: usize) -> String {
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let fraction = fraction.trim_end_matches('0');
    let minus = if value < 0 { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{minus}{whole}{point}{fraction}")
}

#[tokio::test]
async fn decimals_of_every_scale_are_what_postgres_reads() {
    let fixture = Postgres::new();
    let destination = open(&fixture.database.url).await.unwrap();
    let columns = [("n", ColumnType::Int64), ("v", ColumnType::Decimal(None))];
    let table = create(&destination, "decimals", &columns).await;
    let mut numbers = Numbers(42);
    let (mut batches, mut expected) = (Vec::new(), Vec::new());
    let nines = 10i128.pow(38) - 1;
    for scale in 0..=38 {
        let mut values = vec![0, 1, -1, 10, 9_999, 10_000, -100_000_000, nines, -nines];
        values.extend((0..100).map(|_| numbers.decimal()));
        let first = expected.len() as i64;
        let order: Vec<i64> = (first..first + values.len() as i64).collect();
        expected.extend(values.iter().map(|value| plain(*value, scale as usize)));
        let order: ArrayRef = Arc::new(arrow_array::Int64Array::from(order));
        let rows = values.len();
        let values = Decimal128Array::from(values).with_precision_and_scale(38, scale).unwrap();
        batches.push(batch_of(vec![("n", order), ("v", Arc::new(values))], rows));
    }
    load(&destination, &table, "a.csv", batches).await.unwrap();
    let found = fixture.database.query("SELECT v::text FROM decimals ORDER BY n").await;
    let found: Vec<String> = found.into_iter().flatten().flatten().collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn days_and_moments_at_the_ends_of_the_calendar_are_kept() {
    let fixture = Postgres::new();
    let destination = open(&fixture.database.url).await.unwrap();
    let columns = [
        ("d", ColumnType::Date),
        ("t", ColumnType::Time),
        ("ts", ColumnType::Timestamp),
        ("tz", ColumnType::TimestampTz),
    ];
    let table = create(&destination, "moments", &columns).await;
    let rows: &[&[Option<&str>]] = &[
        &[
            Some("0001-01-01"),
            Some("00:00:00"),
            Some("0001-01-01 00:00:00"),
            Some("1999-12-31 23:59:59.999999"),
        ],
        &[
            Some("9999-12-31"),
            Some("23:59:59.999999"),
            Some("9999-12-31 23:59:59.999999"),
            Some("2000-01-01 00:00:00"),
        ],
        &[
            Some("1999-12-31"),
            Some("12:00:00.5"),
            Some("1969-12-31 23:59:59.999999"),
            Some("2038-01-19 03:14:08"),
        ],
    ];
    load(&destination, &table, "a.csv", vec![batch(&columns, rows)]).await.unwrap();
    let found = fixture
        .database
        .query("SET TimeZone = 'UTC'; SELECT d, t, ts, left(tz::text, -3) FROM moments ORDER BY t")
        .await;
    let shown: Vec<String> = found
        .iter()
        .map(|row| row.iter().flatten().cloned().collect::<Vec<_>>().join("|"))
        .collect();
    assert_eq!(
        shown,
        [
            "0001-01-01|00:00:00|0001-01-01 00:00:00|1999-12-31 23:59:59.999999",
            "1999-12-31|12:00:00.5|1969-12-31 23:59:59.999999|2038-01-19 03:14:08",
            "9999-12-31|23:59:59.999999|9999-12-31 23:59:59.999999|2000-01-01 00:00:00",
        ]
    );
}

#[tokio::test]
async fn columns_of_existing_tables_are_described_by_what_they_hold() {
    let fixture = Postgres::new();
    fixture.database.psql(
        "CREATE TYPE mood AS ENUM ('sad', 'happy');
         CREATE DOMAIN cents AS numeric(10,2);
         CREATE DOMAIN positive_cents AS cents CHECK (VALUE > 0);
         CREATE DOMAIN feeling AS mood;
         CREATE TABLE many (
            a smallint, b integer NOT NULL, c real, d numeric(5,1), e numeric, f varchar(5),
            g char(3), h name, i xml, j json, k jsonb, l bytea, m mood, n positive_cents,
            o feeling, p text[], q interval, r inet, s uuid, t numeric(60,10),
            u bigserial, v bigint GENERATED BY DEFAULT AS IDENTITY,
            w bigint GENERATED ALWAYS AS IDENTITY, x integer GENERATED ALWAYS AS (b + 1) STORED,
            y numeric(3,-1), z numeric(12,2)[], aa varchar(5)[][], ab mood[], ac jsonb[],
            ad int2vector, dropped text);
         ALTER TABLE many DROP COLUMN dropped",
    );
    let destination = open(&fixture.database.url).await.unwrap();
    let state = describe(&destination, "many").await;
    assert_eq!(state.name.to_string(), "public.many");
    assert!(!state.created_by_decant);
    let decimal =
        |precision, scale| Some(ColumnType::Decimal(Some(DecimalBounds { precision, scale })));
    let expected = [
        ("a", Some(ColumnType::Int16), "smallint"),
        ("b", Some(ColumnType::Int32), "integer"),
        ("c", Some(ColumnType::Float32), "real"),
        ("d", decimal(5, 1), "numeric(5,1)"),
        ("e", Some(ColumnType::Decimal(None)), "numeric"),
        ("f", Some(ColumnType::Text), "character varying(5)"),
        ("g", Some(ColumnType::Text), "character(3)"),
        ("h", Some(ColumnType::Text), "name"),
        ("i", Some(ColumnType::Text), "xml"),
        ("j", Some(ColumnType::Json), "json"),
        ("k", Some(ColumnType::Json), "jsonb"),
        ("l", Some(ColumnType::Binary), "bytea"),
        ("m", Some(ColumnType::Text), "mood"),
        ("n", decimal(10, 2), "positive_cents"),
        ("o", Some(ColumnType::Text), "feeling"),
        ("p", Some(ColumnType::List(ListElement::Text)), "text[]"),
        ("q", None, "interval"),
        ("r", None, "inet"),
        ("s", Some(ColumnType::Uuid), "uuid"),
        ("t", decimal(38, 10), "numeric(60,10)"),
        ("u", Some(ColumnType::Int64), "bigint"),
        ("v", Some(ColumnType::Int64), "bigint"),
        ("w", None, "bigint (generated always)"),
        ("x", None, "integer (generated always)"),
        ("y", None, "numeric(3,-1)"),
        ("z", decimal(12, 2).and_then(ListElement::of).map(ColumnType::List), "numeric(12,2)[]"),
        ("aa", Some(ColumnType::List(ListElement::Text)), "character varying(5)[]"),
        ("ab", None, "mood[]"),
        ("ac", None, "jsonb[]"),
        ("ad", None, "int2vector"),
    ];
    let columns = state.schema.unwrap().columns;
    let found: Vec<_> = columns
        .iter()
        .map(|column| (column.name.as_str(), column.column_type, column.declared.as_str()))
        .collect();
    assert_eq!(found, expected);
    assert!(!columns[1].nullable && columns[0].nullable);
}

#[tokio::test]
async fn existing_tables_are_filled_and_what_is_left_out_gets_its_default() {
    let fixture = Postgres::new();
    fixture.database.psql(
        "CREATE TYPE mood AS ENUM ('sad', 'happy');
         CREATE DOMAIN cents AS numeric(10,2);
         CREATE DOMAIN positive_cents AS cents CHECK (VALUE > 0);
         CREATE DOMAIN document AS jsonb;
         CREATE TABLE mixed (id serial, m mood, f varchar(5), g char(3), h name, x xml, j json,
            k document, p positive_cents, n numeric(12,3), w bigint GENERATED ALWAYS AS IDENTITY)",
    );
    let destination = open(&fixture.database.url).await.unwrap();
    let table = describe(&destination, "mixed").await;
    let decimal = |precision, scale| ColumnType::Decimal(Some(DecimalBounds { precision, scale }));
    let columns = [
        ("m", ColumnType::Text),
        ("f", ColumnType::Text),
        ("g", ColumnType::Text),
        ("h", ColumnType::Text),
        ("x", ColumnType::Text),
        ("j", ColumnType::Json),
        ("k", ColumnType::Json),
        ("p", decimal(10, 2)),
        ("n", decimal(12, 3)),
    ];
    let rows: &[&[Option<&str>]] = &[
        &[
            Some("happy"),
            Some("12345"),
            Some("a"),
            Some("n"),
            Some("<a/>"),
            Some("{\"a\": 1}"),
            Some("{\"a\":1}"),
            Some("1.50"),
            Some("-123456789.125"),
        ],
        &[None, None, None, None, None, None, None, None, None],
    ];
    load(&destination, &table, "a.csv", vec![batch(&columns, rows)]).await.unwrap();
    assert_eq!(
        fixture.database.psql("SELECT * FROM mixed ORDER BY id"),
        "1|happy|12345|a  |n|<a/>|{\"a\": 1}|{\"a\": 1}|1.50|-123456789.125|1\n2||||||||||2"
    );
}

#[tokio::test]
async fn a_column_that_cannot_be_filled_is_named() {
    let fixture = Postgres::new();
    fixture.database.psql("CREATE TABLE t (a text, spans interval)");
    let destination = open(&fixture.database.url).await.unwrap();
    let table = describe(&destination, "t").await;
    let error =
        load(&destination, &table, "a.csv", vec![texts("spans", &["1 day"])]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("`spans` is interval"), "{error}");
}

#[tokio::test]
async fn arrays_of_existing_tables_are_filled_whatever_their_elements_are_called() {
    let fixture = Postgres::new();
    fixture.database.psql(
        "CREATE DOMAIN tags AS text[] CHECK (array_length(VALUE, 1) < 5);
         CREATE TABLE t (a tags, b varchar(3)[], c char(2)[], d name[], e numeric(6,2)[], f bigint[3])",
    );
    let destination = open(&fixture.database.url).await.unwrap();
    let table = describe(&destination, "t").await;
    let cents = ListElement::Decimal(Some(DecimalBounds { precision: 6, scale: 2 }));
    let texts_of = |name| (name, ColumnType::List(ListElement::Text));
    let columns = [
        texts_of("a"),
        texts_of("b"),
        texts_of("c"),
        texts_of("d"),
        ("e", ColumnType::List(cents)),
        ("f", ColumnType::List(ListElement::Int64)),
    ];
    let texts = Some("[\"a\",null]");
    let rows: &[&[Option<&str>]] = &[
        &[texts, texts, texts, texts, Some("[1.50,-2.00]"), Some("[]")],
        &[None, None, None, None, None, None],
    ];
    load(&destination, &table, "a.csv", vec![batch(&columns, rows)]).await.unwrap();
    assert_eq!(
        fixture.database.psql("SELECT * FROM t ORDER BY a IS NULL"),
        "{a,NULL}|{a,NULL}|{\"a \",NULL}|{a,NULL}|{1.50,-2.00}|{}\n|||||"
    );
    let long: &[&[Option<&str>]] = &[&[Some("[\"abc\",\"abcd\"]")]];
    let error =
        load(&destination, &table, "b.csv", vec![batch(&[texts_of("b")], long)]).await.unwrap_err();
    assert_eq!(error.fact("sqlstate"), Some("22001"), "{error:?}");
}

#[tokio::test]
async fn a_nul_in_text_is_refused_before_it_is_sent() {
    let fixture = Postgres::new();
    let destination = open(&fixture.database.url).await.unwrap();
    let table = create(&destination, "t", &[("a", ColumnType::Text)]).await;
    let error =
        load(&destination, &table, "a.csv", vec![texts("a", &["x", "a\0b"])]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedFile);
    assert_eq!((error.fact("column"), error.fact("batch_row")), (Some("a"), Some("1")));
    assert_eq!(fixture.database.psql("SELECT count(*) FROM t"), "0");
    load(&destination, &table, "a.csv", vec![texts("a", &["x"])]).await.unwrap();
}

#[tokio::test]
async fn a_row_that_the_database_refuses_is_named_with_its_file_and_reason() {
    let fixture = Postgres::new();
    fixture.database.psql(
        "CREATE TYPE mood AS ENUM ('sad');
         CREATE TABLE t (short varchar(3), one text UNIQUE, feeling mood, few text CHECK (few < 'm'))",
    );
    let destination = open(&fixture.database.url).await.unwrap();
    let table = describe(&destination, "t").await;
    for (column, values, state, fact) in [
        ("short", ["abc", "abcd"], "22001", ("column", "short")),
        ("one", ["x", "x"], "23505", ("constraint", "t_one_key")),
        ("feeling", ["sad", "glad"], "22P02", ("column", "feeling")),
        ("few", ["a", "z"], "23514", ("constraint", "t_few_check")),
    ] {
        let error =
            load(&destination, &table, "a.csv", vec![texts(column, &values)]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RejectedRows, "{error:?}");
        assert_eq!(error.fact("sqlstate"), Some(state), "{error:?}");
        assert_eq!(error.fact(fact.0), Some(fact.1), "{error:?}");
        assert_eq!(error.fact("row"), Some("2"), "{error:?}");
        let id = super::file(&table, "a.csv").id.to_string();
        assert_eq!(error.fact("file_id"), Some(id.as_str()), "{error:?}");
    }
    assert_eq!(fixture.database.psql("SELECT count(*) FROM t"), "0");
}

#[tokio::test]
async fn rows_that_a_trigger_drops_fail_the_load() {
    let fixture = Postgres::new();
    fixture.database.psql(
        "CREATE TABLE t (a text);
         CREATE FUNCTION drop_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
         CREATE TRIGGER drops BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION drop_it()",
    );
    let destination = open(&fixture.database.url).await.unwrap();
    let table = describe(&destination, "t").await;
    let error = load(&destination, &table, "a.csv", vec![texts("a", &["x"])]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(error.hint().unwrap().contains("trigger"));
}
