//! Fitting batches.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Date32Array, Float64Array, StringArray};
use chrono::DateTime;

use super::*;
use crate::conform::tests::{capabilities, header, rules, table};
use crate::conform::{Conform, FitRules};
use crate::destination::TableState;
use crate::file::FileId;
use crate::format::Rescued;
use crate::stream::{AddedColumn, AddedValue, NewColumns, OnConflict, RowFilter};

fn facts() -> FileFacts {
    FileFacts {
        id: FileId(7),
        location: "s3://b/k".into(),
        last_modified: DateTime::from_timestamp(1, 0).unwrap(),
        loaded_at: DateTime::from_timestamp(2, 0).unwrap(),
        path: BTreeMap::from([("day".into(), Some("1970-01-02".into()))]),
    }
}

fn ints(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn decoded(columns: &[(&str, ArrayRef)]) -> DecodedBatch {
    let columns = columns.iter().map(|(name, array)| (*name, Arc::clone(array), true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let rows = batch.num_rows() as u64;
    let mut decoded = DecodedBatch::new(batch, Vec::new(), rows, 0);
    let raw = "0123456789";
    decoded.places = RowPlaces {
        ordinals: (1..=rows).collect(),
        lines: (2..=rows + 1).collect(),
        byte_offsets: (0..rows).collect(),
        bytes: raw.into(),
        raw: (0..rows as usize).map(|row| row..row + 1).collect(),
    };
    decoded
}

fn conform(names: &[&str], table: &TableState, fit: &FitRules) -> Conform {
    Conform::new(&header(names), table, fit, &capabilities()).unwrap()
}

fn column<'a>(fitted: &'a Fitted, name: &str) -> Vec<Option<&'a str>> {
    fitted.batch.column_by_name(name).unwrap().as_string::<i32>().iter().collect()
}

const INT: ColumnType = ColumnType::Int64;
const TEXT: ColumnType = ColumnType::Text;

#[test]
fn a_batch_gets_the_tables_names_and_the_files_id() {
    let table = table(&[("b", INT), ("_file_id", INT)]);
    let conform = conform(&["B"], &table, &rules());
    let values = ints(&[Some(1), Some(2)]);
    let fitted = conform.apply(decoded(&[("B", Arc::clone(&values))]), &facts()).unwrap();
    let expected = [("b", values), ("_file_id", ints(&[Some(7), Some(7)]))];
    let expected = RecordBatch::try_from_iter_with_nullable(
        expected.into_iter().map(|(name, column)| (name, column, true)),
    );
    assert_eq!(fitted.batch, expected.unwrap());
    assert_eq!((fitted.rows_filtered, fitted.rejects.len()), (0, 0));
}

fn filtered(filter: &str, columns: &[(&str, ColumnType, ArrayRef)]) -> Vec<u64> {
    let types: Vec<(&str, ColumnType)> = columns.iter().map(|(name, it, _)| (*name, *it)).collect();
    let arrays: Vec<(&str, ArrayRef)> =
        columns.iter().map(|(name, _, array)| (*name, Arc::clone(array))).collect();
    let names: Vec<&str> = columns.iter().map(|(name, _, _)| *name).collect();
    let fit = FitRules { filter: RowFilter::parse(filter).unwrap(), ..rules() };
    let conform = conform(&names, &table(&types), &fit);
    let fitted = conform.apply(decoded(&arrays), &facts()).unwrap();
    let rows = arrays[0].1.len() as u64;
    assert_eq!(fitted.batch.num_rows() as u64 + fitted.rows_filtered, rows);
    fitted.places.ordinals
}

#[test]
fn a_filter_keeps_the_rows_that_satisfy_it() {
    let amount = ints(&[Some(5), Some(10), Some(11), None, Some(20)]);
    let country = texts(&[Some("FR"), Some("FR"), Some("DE"), Some("FR"), None]);
    let price: ArrayRef = Arc::new(Float64Array::from(vec![0.1, 0.2, f64::NAN, 1e300, -1.0]));
    let day: ArrayRef = Arc::new(Date32Array::from(vec![0, 1, 2, 3, 4]));
    let columns = [
        ("amount", INT, amount),
        ("country", TEXT, country),
        ("price", ColumnType::Float64, price),
        ("day", ColumnType::Date, day),
    ];
    for (filter, kept) in [
        ("amount > 10", &[3, 5][..]),
        ("amount >= 10.0", &[2, 3, 5]),
        ("amount < 10.5", &[1, 2]),
        ("amount <> 10", &[1, 3, 5]),
        ("amount not in (5, 20)", &[2, 3]),
        ("amount is null", &[4]),
        ("amount is not null and country is not null", &[1, 2, 3]),
        ("country in ('FR','DE') and amount <= 10", &[1, 2]),
        ("country = 'fr'", &[]),
        ("country > 'DE'", &[1, 2, 4]),
        ("price = 0.1", &[1]),
        ("price <> 0.1", &[2, 3, 4, 5]),
        ("price > 0", &[1, 2, 4]),
        ("day <= '1970-01-02'", &[1, 2]),
    ] {
        assert_eq!(filtered(filter, &columns), kept, "{filter}");
    }
}

#[test]
fn a_column_that_the_file_lacks_is_null_to_the_filter() {
    let table = table(&[("a", INT), ("b", INT)]);
    for (filter, rows) in [("b = 1", 0), ("b is not null", 0), ("b is null", 1)] {
        let fit = FitRules { filter: RowFilter::parse(filter).unwrap(), ..rules() };
        let conform = conform(&["a"], &table, &fit);
        let fitted = conform.apply(decoded(&[("a", ints(&[Some(1)]))]), &facts()).unwrap();
        assert_eq!(fitted.batch.num_rows(), rows, "{filter}");
    }
}

#[test]
fn rows_with_a_value_in_a_new_column_are_rejected_where_the_rules_say_so() {
    let fit = FitRules { new_columns: NewColumns::Reject, ..rules() };
    let conform = conform(&["a", "x"], &table(&[("a", INT)]), &fit);
    let mut batch = decoded(&[
        ("a", ints(&[Some(1), Some(2), Some(3)])),
        ("x", texts(&[None, Some("v"), None])),
    ]);
    let late = Reject { ordinal: 9, ..batch.places.reject(0, Reason::Type, String::new()) };
    batch.rejects = vec![late];
    let fitted = conform.apply(batch, &facts()).unwrap();
    let values = fitted.batch.column(0).as_primitive::<Int64Type>();
    assert_eq!(values.values().to_vec(), [1, 3]);
    let reject = &fitted.rejects[0];
    assert_eq!((reject.ordinal, reject.line, &reject.reason), (2, Some(3), &Reason::NewColumn));
    assert_eq!((reject.raw.as_slice(), reject.column.as_deref()), (&b"1"[..], Some("x")));
    assert_eq!(fitted.rejects[1].ordinal, 9);
    assert_eq!(fitted.places.ordinals, [1, 3]);
}

#[test]
fn what_does_not_fit_is_kept_with_its_row_although_others_go() {
    let fit = FitRules {
        new_columns: NewColumns::Rescue,
        on_conflict: OnConflict::Rescue,
        filter: RowFilter::parse("a > 1").unwrap(),
        ..rules()
    };
    let table = table(&[("a", INT), ("b", INT), ("_rescued", ColumnType::Json)]);
    let conform = conform(&["a", "b", "x"], &table, &fit);
    let mut batch = decoded(&[
        ("a", ints(&[Some(1), Some(2), Some(3)])),
        ("b", ints(&[None, None, Some(1)])),
        ("x", texts(&[Some("gone"), Some("new"), None])),
    ]);
    batch.rescued =
        (0..2).map(|row| Rescued { row, column: 1, value: format!("\"bad {row}\"") }).collect();
    let fitted = conform.apply(batch, &facts()).unwrap();
    let kept = r#"{"b":"bad 1","x":"new","_file":"s3://b/k"}"#;
    assert_eq!(column(&fitted, "_rescued"), [Some(kept), None]);
}

#[test]
fn what_a_repair_cut_off_is_kept_once() {
    let repaired = |fit: &FitRules, columns: &[(&str, ColumnType)]| {
        let mut batch = decoded(&[("a", ints(&[Some(1), Some(2)]))]);
        let kept = batch.places.reject(1, Reason::Repaired, "cut".into());
        let repair = |kind, row, cut: &[&str], kept| Repair {
            kind,
            row,
            cut: cut.iter().map(|field| field.to_string()).collect(),
            kept,
        };
        batch.repairs = vec![
            repair(RepairKind::Padded, 0, &[], None),
            repair(RepairKind::Cut, 1, &["x"], Some(Box::new(kept))),
        ];
        conform(&["a"], &table(columns), fit).apply(batch, &facts()).unwrap()
    };
    let fitted = repaired(&rules(), &[("a", INT)]);
    assert_eq!(fitted.repairs.kinds, [RepairKind::Padded, RepairKind::Cut]);
    assert_eq!(fitted.repairs.rows, 2);
    assert_eq!((fitted.kept.len(), fitted.rejects.len()), (1, 0));
    let rescuing = FitRules { on_conflict: OnConflict::Rescue, ..rules() };
    let fitted = repaired(&rescuing, &[("a", INT), ("_rescued", ColumnType::Json)]);
    assert_eq!(fitted.kept.len(), 0);
    let kept = r#"{"_cut":["x"],"_file":"s3://b/k"}"#;
    assert_eq!(column(&fitted, "_rescued"), [None, Some(kept)]);
    let choosy = FitRules { filter: RowFilter::parse("a = 1").unwrap(), ..rules() };
    let fitted = repaired(&choosy, &[("a", INT)]);
    assert_eq!((fitted.repairs.kinds, fitted.kept.len()), (vec![RepairKind::Padded], 0));
}

fn with_added(added: &[(&str, AddedValue)]) -> FitRules {
    let mut fit = rules();
    fit.columns.added = added
        .iter()
        .map(|(name, value)| AddedColumn { name: name.to_string(), value: value.clone() })
        .collect();
    fit
}

#[test]
fn columns_from_elsewhere_are_filled() {
    let fit = with_added(&[
        ("file", AddedValue::File),
        ("modified", AddedValue::LastModified),
        ("loaded", AddedValue::LoadedAt),
        ("line", AddedValue::Line),
        ("day", AddedValue::Path("day".into())),
    ]);
    let table = table(&[
        ("a", INT),
        ("file", TEXT),
        ("modified", TEXT),
        ("loaded", ColumnType::TimestampTz),
        ("line", INT),
        ("day", ColumnType::Date),
    ]);
    let conform = conform(&["a"], &table, &fit);
    assert_eq!(conform.wishes().places, crate::format::PlacesWanted::Positions);
    let fitted = conform.apply(decoded(&[("a", ints(&[Some(1), None]))]), &facts()).unwrap();
    assert_eq!(column(&fitted, "file"), [Some("s3://b/k"); 2]);
    assert_eq!(column(&fitted, "modified"), [Some("1970-01-01T00:00:01Z"); 2]);
    let line = fitted.batch.column_by_name("line").unwrap();
    assert_eq!(line.as_primitive::<Int64Type>().values().to_vec(), [2, 3]);
    let expected: ArrayRef = Arc::new(Date32Array::from(vec![1, 1]));
    assert_eq!(fitted.batch.column_by_name("day"), Some(&expected));
}

#[test]
fn a_key_that_does_not_say_what_a_column_needs_fails_its_file() {
    let batch = || decoded(&[("a", ints(&[Some(1)]))]);
    for (name, column_type, message) in [
        ("week", TEXT, "the file's key has no `week`, for column `p`"),
        ("day", INT, "`1970-01-02` in the file's key is not int64, for column `p`"),
    ] {
        let fit = with_added(&[("p", AddedValue::Path(name.into()))]);
        let conform = conform(&["a"], &table(&[("a", INT), ("p", column_type)]), &fit);
        let error = conform.apply(batch(), &facts()).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::SchemaMismatch, message));
    }
}

#[test]
fn a_row_hash_does_not_depend_on_the_order_of_the_header() {
    let all = AddedValue::RowHash { columns: Vec::new(), key: None };
    let table = table(&[("a", INT), ("b", TEXT), ("hash", TEXT), ("_file_id", INT)]);
    let (a, b) = (ints(&[Some(1), None]), texts(&[Some("x"), Some("y")]));
    let fit = with_added(&[("hash", all)]);
    let one = conform(&["a", "b"], &table, &fit);
    let one = one.apply(decoded(&[("a", Arc::clone(&a)), ("b", Arc::clone(&b))]), &facts());
    let other = conform(&["B", "A"], &table, &fit);
    let other = other.apply(decoded(&[("B", b), ("A", a)]), &facts());
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(column(&one, "hash"), column(&other, "hash"));
    let named = AddedValue::RowHash { columns: vec!["b".into(), "a".into()], key: None };
    let named = conform(&["a", "b"], &table, &with_added(&[("hash", named)]));
    let named = named
        .apply(decoded(&[("a", ints(&[Some(1)])), ("b", texts(&[Some("x")]))]), &facts())
        .unwrap();
    assert_ne!(column(&one, "hash")[0], column(&named, "hash")[0]);
}

#[test]
fn what_is_concealed_is_concealed_wherever_it_goes() {
    let mut fit = FitRules { new_columns: NewColumns::Rescue, ..rules() };
    let mask = Concealment::Mask { keep_last: 1 };
    fit.columns.conceal = BTreeMap::from([("a".into(), mask.clone()), ("x".into(), mask)]);
    let table = table(&[("a", TEXT), ("_rescued", ColumnType::Json)]);
    let conform = conform(&["a", "x"], &table, &fit);
    let batch = decoded(&[("a", texts(&[Some("abc")])), ("x", texts(&[Some("xyz")]))]);
    let fitted = conform.apply(batch, &facts()).unwrap();
    assert_eq!(column(&fitted, "a"), [Some("**c")]);
    assert_eq!(column(&fitted, "_rescued"), [Some(r#"{"x":"**z","_file":"s3://b/k"}"#)]);
}
