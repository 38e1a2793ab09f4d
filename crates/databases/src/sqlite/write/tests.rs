//! Rows that go in at once are those that go in one by one.

use std::sync::Arc;

use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, FixedSizeBinaryArray, PrimitiveArray, StringArray,
};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use decant_core::schema::{Column, ColumnType, DecimalBounds};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::test_runner::TestCaseResult;

use super::*;

/// One of so many values is likely to be refused.
const REFUSED_OF: u64 = 60;
const MICROS_PER_DAY: i64 = 86_400_000_000;

type MakeArray = fn(&[u64], NullBuffer) -> ArrayRef;

/// What a column may be: its words, its type, and its values.
const KINDS: &[(&str, ColumnType, MakeArray)] = &[
    ("BIGINT", ColumnType::Int64, |seeds, nulls| {
        primitive::<Int64Type>(seeds, nulls, |seed| seed as i64)
    }),
    ("SMALLINT", ColumnType::Int16, |seeds, nulls| {
        primitive::<Int16Type>(seeds, nulls, |seed| seed as i16)
    }),
    ("INT4", ColumnType::Int32, |seeds, nulls| {
        primitive::<Int32Type>(seeds, nulls, |seed| seed as i32)
    }),
    ("TEXT", ColumnType::Int64, |seeds, nulls| {
        primitive::<Int64Type>(seeds, nulls, |seed| seed as i64)
    }),
    ("BOOLEAN", ColumnType::Bool, |seeds, nulls| {
        let bits = BooleanBuffer::collect_bool(seeds.len(), |row| seeds[row] % 2 == 0);
        Arc::new(BooleanArray::new(bits, Some(nulls)))
    }),
    ("REAL", ColumnType::Float64, |seeds, nulls| primitive::<Float64Type>(seeds, nulls, double)),
    ("NUMERIC", ColumnType::Float64, |seeds, nulls| primitive::<Float64Type>(seeds, nulls, double)),
    ("FLOAT4", ColumnType::Float32, |seeds, nulls| {
        primitive::<Float32Type>(seeds, nulls, |seed| double(seed) as f32)
    }),
    ("DECIMAL(15,2)", ColumnType::Decimal(Some(BOUNDS)), |seeds, nulls| {
        decimals(seeds, nulls, 2, |seed| i128::from(seed % 1_000_000_000_000) - 500_000)
    }),
    ("NUMERIC", ColumnType::Decimal(None), |seeds, nulls| decimals(seeds, nulls, 4, unscaled)),
    ("REAL", ColumnType::Decimal(None), |seeds, nulls| decimals(seeds, nulls, 20, unscaled)),
    ("DECIMAL_TEXT", ColumnType::Decimal(None), |seeds, nulls| {
        decimals(seeds, nulls, 10, unscaled)
    }),
    ("DATE", ColumnType::Date, |seeds, nulls| {
        primitive::<Date32Type>(seeds, nulls, |seed| days(seed) as i32)
    }),
    ("DATE", ColumnType::Date, |seeds, nulls| {
        primitive::<Date32Type>(seeds, nulls, |seed| 19_723 + (seed % 15) as i32)
    }),
    ("DATE", ColumnType::Date, |seeds, nulls| {
        primitive::<Date32Type>(seeds, nulls, |seed| {
            2_932_890 + if is_bad(seed) { 7 } else { (seed % 7) as i32 }
        })
    }),
    ("TIME", ColumnType::Time, |seeds, nulls| {
        primitive::<Time64MicrosecondType>(seeds, nulls, |seed| {
            if is_bad(seed) {
                -1
            } else {
                (seed % 86_400_000_000) as i64 / whole(seed) * whole(seed)
            }
        })
    }),
    ("TIMESTAMP", ColumnType::Timestamp, timestamps),
    ("TIMESTAMPTZ", ColumnType::TimestampTz, timestamps),
    ("UUID", ColumnType::Uuid, |seeds, nulls| {
        let values: Vec<u8> =
            seeds.iter().flat_map(|seed| [seed.to_le_bytes(); 2]).flatten().collect();
        Arc::new(FixedSizeBinaryArray::new(16, values.into(), Some(nulls)))
    }),
    ("TEXT", ColumnType::Text, |seeds, nulls| texts(seeds, &nulls, like_a_number)),
    ("STRING", ColumnType::Text, |seeds, nulls| {
        texts(
            seeds,
            &nulls,
            |seed| {
                if is_bad(seed) { like_a_number(seed) } else { format!("n{seed}") }
            },
        )
    }),
    ("JSON_TEXT", ColumnType::Json, |seeds, nulls| {
        texts(seeds, &nulls, |seed| format!("{{\"é\": \"\0{seed}\"}}"))
    }),
    ("BLOB", ColumnType::Binary, |seeds, nulls| {
        let bytes = |seed: &u64| seed.to_le_bytes()[..(seed % 9) as usize].to_vec();
        let values = seeds.iter().zip(nulls.iter());
        Arc::new(values.map(|(seed, valid)| valid.then(|| bytes(seed))).collect::<BinaryArray>())
    }),
];

const BOUNDS: DecimalBounds = DecimalBounds { precision: 15, scale: 2 };

fn is_bad(seed: u64) -> bool {
    seed.is_multiple_of(REFUSED_OF)
}

fn whole(seed: u64) -> i64 {
    if seed.is_multiple_of(2) { 1_000_000 } else { 1 }
}

fn double(seed: u64) -> f64 {
    match seed % 7 {
        _ if is_bad(seed) => f64::NAN,
        0 => f64::INFINITY,
        1 => -0.0,
        2 => (seed % 1000) as f64,
        3 => 1e300 / seed as f64,
        _ => (seed % 100_000) as f64 / 100.0,
    }
}

fn unscaled(seed: u64) -> i128 {
    let wide = if is_bad(seed) { 1 << 50 } else { 1 };
    i128::from(seed as i64 % 1_000_000_000) * wide * if seed.is_multiple_of(3) { 10_000 } else { 1 }
}

fn days(seed: u64) -> i64 {
    if is_bad(seed) { 2_932_897 } else { seed as i64 % 100_000 }
}

fn timestamps(seeds: &[u64], nulls: NullBuffer) -> ArrayRef {
    primitive::<TimestampMicrosecondType>(seeds, nulls, |seed| {
        let within_day = seed as i64 % 1_000_000_000;
        days(seed) * MICROS_PER_DAY + within_day / whole(seed) * whole(seed)
    })
}

fn like_a_number(seed: u64) -> String {
    let text = ["007", "1.0", " 5", "-0", "12", "", "abc", "1e5"][(seed / REFUSED_OF % 8) as usize];
    text.to_owned()
}

/// What stands where there is no value is left there.
fn primitive<T: arrow_array::ArrowPrimitiveType>(
    seeds: &[u64],
    nulls: NullBuffer,
    value: impl Fn(u64) -> T::Native,
) -> ArrayRef {
    let values: Vec<T::Native> = seeds.iter().map(|seed| value(*seed)).collect();
    Arc::new(PrimitiveArray::<T>::new(values.into(), Some(nulls)))
}

fn decimals(seeds: &[u64], nulls: NullBuffer, scale: i8, value: fn(u64) -> i128) -> ArrayRef {
    let values: Vec<i128> = seeds.iter().map(|seed| value(*seed)).collect();
    let array = PrimitiveArray::<Decimal128Type>::new(values.into(), Some(nulls));
    Arc::new(array.with_precision_and_scale(38, scale).unwrap())
}

fn texts(seeds: &[u64], nulls: &NullBuffer, value: impl Fn(u64) -> String) -> ArrayRef {
    let values = seeds.iter().zip(nulls.iter());
    let values = values.map(|(seed, valid)| valid.then(|| value(*seed)));
    Arc::new(values.collect::<StringArray>())
}

/// Rows of some kinds of columns, behind a key that constraints look at.
#[derive(Clone, Debug)]
struct Rows {
    kinds: Vec<usize>,
    keys: Vec<u64>,
    seeds: Vec<Vec<u64>>,
}

fn rows() -> impl Strategy<Value = Rows> {
    let kinds = vec(0..KINDS.len(), 1..5);
    // Some are put together in several blocks.
    let rows = prop_oneof![3 => 1..24_usize, 1 => 60..140_usize];
    (kinds, rows).prop_flat_map(|(kinds, rows)| {
        let seeds = vec(vec(any::<u64>(), rows), kinds.len());
        let keys = vec(0..(rows * rows + 10) as u64, rows);
        (keys, seeds).prop_map(move |(keys, seeds)| Rows { kinds: kinds.clone(), keys, seeds })
    })
}

impl Rows {
    fn database(&self) -> Connection {
        let columns: Vec<String> = self
            .kinds
            .iter()
            .enumerate()
            .map(|(at, kind)| format!(", v{at} {}", KINDS[*kind].0))
            .collect();
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(&format!(
                "CREATE TABLE t (key BIGINT NOT NULL UNIQUE CHECK (key <> 9){}); BEGIN",
                columns.concat()
            ))
            .unwrap();
        connection
    }

    /// The columns in another order than the table's.
    fn target(&self, way: Way) -> Target {
        let mut columns = vec![("key".to_owned(), ColumnType::Int64, "BIGINT")];
        columns.extend(self.kinds.iter().enumerate().map(|(at, kind)| {
            let (declared, column_type, _) = KINDS[*kind];
            (format!("v{at}"), column_type, declared)
        }));
        columns.rotate_left(self.kinds.len() / 2);
        let names: Vec<&str> = columns.iter().map(|(name, ..)| name.as_str()).collect();
        let (names, parameters) = (names.join(", "), vec!["?"; columns.len()].join(", "));
        let table = feed::table_name(columns.len());
        Target {
            file: FileId(1),
            insert: format!("INSERT INTO t ({names}) VALUES ({parameters})"),
            insert_batch: (way == Way::Fetched)
                .then(|| format!("INSERT INTO t ({names}) SELECT * FROM {table}")),
            columns: columns
                .into_iter()
                .map(|(name, column_type, declared)| {
                    let column_type = Some(column_type);
                    let declared = declared.to_owned();
                    let column = Column { name, column_type, declared, nullable: true };
                    TargetColumn::new(&column, false).unwrap()
                })
                .collect(),
        }
    }

    fn batch(&self) -> RecordBatch {
        let keys =
            primitive::<Int64Type>(&self.keys, NullBuffer::new_valid(self.keys.len()), |key| {
                key as i64
            });
        let mut arrays = vec![("key".to_owned(), keys)];
        for (at, (kind, seeds)) in self.kinds.iter().zip(&self.seeds).enumerate() {
            let nulls = seeds.iter().map(|seed| seed / 7 % 5 != 0).collect::<Vec<_>>();
            arrays.push((format!("v{at}"), KINDS[*kind].2(seeds, nulls.into())));
        }
        arrays.rotate_left(self.kinds.len() / 2);
        RecordBatch::try_from_iter_with_nullable(
            arrays.into_iter().map(|(name, array)| (name, array, true)),
        )
        .unwrap()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Bound,
    Fetched,
}

/// What is in the table: each value with its type.
fn content(connection: &Connection) -> Vec<Vec<String>> {
    let mut statement = connection.prepare("SELECT rowid, * FROM t").unwrap();
    let count = statement.column_count();
    let rows = statement.query_map([], |row| {
        (0..count).map(|column| row.get_ref(column).map(|value| format!("{value:?}"))).collect()
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn told(error: &Error) -> (ErrorKind, String, Option<String>, Option<String>) {
    let fact = |name| error.fact(name).map(ToString::to_string);
    (error.kind(), error.chain(), fact("row_of_batch"), fact("sqlite_code"))
}

fn both_ways_agree(rows: &Rows) -> TestCaseResult {
    let batch = rows.batch();
    let [bound, fetched] = [Way::Bound, Way::Fetched].map(|way| {
        let connection = rows.database();
        let written = rows.target(way).write(&connection, &batch);
        let content = written.is_ok().then(|| content(&connection));
        (written.map_err(|error| told(&error)), content)
    });
    proptest::prop_assert_eq!(bound, fetched);
    let [bound, fetched] = [Way::Bound, Way::Fetched].map(|way| {
        let connection = rows.database();
        let target = rows.target(way);
        let written = target.write_tolerantly(&connection, &batch, Numbers::Left).unwrap();
        (written.rows, written.refused, content(&connection))
    });
    proptest::prop_assert_eq!(bound, fetched);
    Ok(())
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(512))]

    #[test]
    fn rows_that_are_fetched_are_those_that_are_bound(rows in rows()) {
        both_ways_agree(&rows)?;
    }
}

#[test]
fn every_kind_of_column_is_fetched_where_no_value_is_refused() {
    for (kind, (declared, ..)) in KINDS.iter().enumerate() {
        let seeds: Vec<u64> = (0..500).map(|row| row * 11_400_714_819 / 7 * 60 + 1).collect();
        let keys = (10..510).collect();
        let rows = Rows { kinds: vec![kind], keys, seeds: vec![seeds] };
        let batch = rows.batch();
        let target = rows.target(Way::Fetched);
        assert!(target.ready(&target.values(&batch).unwrap()).is_some(), "{declared}");
        both_ways_agree(&rows).unwrap();
    }
}

#[test]
fn a_table_of_another_number_of_columns_has_a_batch_of_its_own() {
    let rows = |kinds: &[usize]| Rows {
        kinds: kinds.to_vec(),
        keys: vec![1, 2],
        seeds: vec![vec![1, 8]; kinds.len()],
    };
    let connection = rows(&[0, 0]).database();
    for (kinds, keys) in [(&[0, 0][..], [1, 2]), (&[0], [3, 4]), (&[0, 0], [5, 6])] {
        let rows = Rows { keys: keys.to_vec(), ..rows(kinds) };
        assert_eq!(rows.target(Way::Fetched).write(&connection, &rows.batch()).unwrap(), 2);
    }
    assert_eq!(content(&connection).len(), 6);
}

#[test]
fn nobody_else_has_rows_of_a_batch() {
    let rows = Rows { kinds: vec![0], keys: vec![1], seeds: vec![vec![1]] };
    let connection = rows.database();
    rows.target(Way::Fetched).write(&connection, &rows.batch()).unwrap();
    let count = |query: &str| connection.query_row(query, [], |row| row.get::<_, i64>(0));
    assert_eq!(count("SELECT count(*) FROM decant_batch_of_2").unwrap(), 0);
    connection.execute_batch("CREATE VIEW v AS SELECT * FROM decant_batch_of_2").unwrap();
    assert!(count("SELECT count(*) FROM v").unwrap_err().to_string().contains("unsafe use"));
}
