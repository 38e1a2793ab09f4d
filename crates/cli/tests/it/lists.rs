//! Lists of scalars: arrays on Postgres, JSON on SQLite, from whatever file.

use std::sync::Arc;

use arrow_array::builder::{Int32Builder, ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, Int64Array, ListArray, RecordBatch};
use parquet::arrow::ArrowWriter;

use crate::world::{World, on_both};

/// Elements of a list; `None` for NULL.
type List<'a, T> = Option<&'a [Option<T>]>;

fn numbers(lists: &[List<'_, i32>]) -> ArrayRef {
    let mut builder = ListBuilder::new(Int32Builder::new());
    lists.iter().for_each(|list| builder.append_option(list.map(|list| list.to_vec())));
    Arc::new(builder.finish())
}

fn texts(lists: &[List<'_, &str>]) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new());
    lists.iter().for_each(|list| builder.append_option(list.map(|list| list.to_vec())));
    Arc::new(builder.finish())
}

pub(crate) fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("memory takes every write");
    writer.into_inner().expect("memory takes every write")
}

fn tagged() -> Vec<u8> {
    let awkward = [Some("a,b"), None, Some("\"\\é🦀"), Some(""), Some("NULL")];
    parquet(vec![
        ("id", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("scores", numbers(&[Some(&[Some(1), None, Some(-3)]), Some(&[]), None])),
        ("tags", texts(&[Some(&awkward), Some(&[]), None])),
    ])
}

#[test]
fn lists_of_parquet_are_arrays_on_postgres() {
    let world = World::postgres();
    world.put("in/1.parquet", tagged());
    world.load("in/", &["--table", "t"]).exits(0);
    let types = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute
                 WHERE attrelid = 't'::regclass AND attnum IN (2, 3) ORDER BY attnum";
    assert_eq!(world.query(types), ["integer[]", "text[]"]);
    let lengths = "SELECT id, array_length(scores, 1), cardinality(tags) FROM t ORDER BY id";
    assert_eq!(world.query(lengths), ["1|3|5", "2|NULL|0", "3|NULL|NULL"]);
    let scores = "SELECT unnest(scores) FROM t WHERE id = 1";
    assert_eq!(world.query(scores), ["1", "NULL", "-3"]);
    let tags = "SELECT unnest(tags) FROM t WHERE id = 1";
    assert_eq!(world.query(tags), ["a,b", "NULL", "\"\\é🦀", "", "NULL"]);
    assert_eq!(world.query("SELECT id FROM t WHERE 'NULL' = ANY (tags)"), ["1"]);
}

#[test]
fn lists_of_parquet_are_json_on_sqlite() {
    let world = World::sqlite();
    world.put("in/1.parquet", tagged());
    world.load("in/", &["--table", "t"]).exits(0);
    assert_eq!(
        world.query("SELECT id, scores FROM t ORDER BY id"),
        ["1|[1,null,-3]", "2|[]", "3|NULL"]
    );
    let tags = "SELECT value FROM t, json_each(t.tags) WHERE t.id = 1";
    assert_eq!(world.query(tags), ["a,b", "NULL", "\"\\é🦀", "", "NULL"]);
}

#[test]
fn given_lists_are_read_from_csv_and_json_and_bad_elements_reject_their_rows() {
    let world = World::postgres();
    world.database.execute("CREATE TABLE t (id bigint, scores smallint[], tags varchar(3)[])");
    world.put(
        "in/1.csv",
        "id,scores,tags\n1,\"[1,null,\"\"2\"\"]\",\"[\"\"a\"\",\"\"b c\"\"]\"\n2,\"[1,40000]\",[]\n\
         3,\"{1,2}\",[]\n4,,\n",
    );
    world.put(
        "in/2.jsonl",
        "{\"id\":5,\"scores\":[7],\"tags\":[\"x\"]}\n{\"id\":6,\"scores\":[[7]],\"tags\":[]}\n\
         {\"id\":7,\"scores\":[],\"tags\":[\"four\"]}\n",
    );
    let run = world.load("in/", &["--table", "t", "--on-error", "reject"]).exits(3);
    assert_eq!(run.rows(), "read 7, loaded 3, rejected 4");
    assert_eq!(
        world.query("SELECT id, scores::text, tags::text FROM t ORDER BY id"),
        ["1|{1,NULL,2}|{a,\"b c\"}", "4|NULL|NULL", "5|{7}|{x}"]
    );
    let rejects = "SELECT line, column_name, detail FROM rejected_rows
                   WHERE reason = 'type' ORDER BY file_id, line";
    let mut rejects = world.query(rejects);
    rejects.sort();
    assert_eq!(
        rejects,
        [
            "2|scores|`[[7]]` is not a JSON list of scalars (int16[])",
            "3|scores|`40000` is out of range (int16) in `[1,40000]`",
            "4|scores|`{1,2}` is not a JSON list of scalars (int16[])",
        ]
    );
}

#[test]
fn a_list_that_does_not_fit_widens_its_column() {
    let world = World::postgres();
    let of = |id: i64, column: ArrayRef| {
        parquet(vec![("id", Arc::new(Int64Array::from(vec![id]))), ("list", column)])
    };
    world.put("in/1.parquet", of(1, numbers(&[Some(&[Some(1), None])])));
    world.load("in/", &["--table", "t"]).exits(0);
    let declared = || {
        let sql = "SELECT atttypid::regtype FROM pg_attribute
                   WHERE attrelid = 't'::regclass AND attname = 'list'";
        world.query(sql).concat()
    };
    assert_eq!(declared(), "integer[]");
    let large: [List<'_, i64>; 1] = [Some(&[Some(1 << 40)])];
    let large = ListArray::from_iter_primitive::<arrow_array::types::Int64Type, _, _>(
        large.map(|list| list.map(|list| list.to_vec())),
    );
    world.put("in/2.parquet", of(2, Arc::new(large)));
    world.load("in/", &["--table", "t"]).exits(0);
    assert_eq!(declared(), "bigint[]");
    world.put("in/3.parquet", of(3, texts(&[Some(&[Some("x")])])));
    world.load("in/", &["--table", "t"]).exits(0);
    assert_eq!(declared(), "jsonb");
    assert_eq!(
        world.query("SELECT list::text FROM t ORDER BY id"),
        ["[1, null]", "[1099511627776]", "[\"x\"]"]
    );
}

#[test]
fn arrays_of_json_stay_documents_and_fill_columns_of_lists() {
    on_both(|world| {
        world.put("in/1.jsonl", "{\"id\":1,\"list\":[1,2]}\n");
        world.load("in/", &["--table", "t"]).exits(0);
        world.put("given/1.jsonl", "{\"id\":1,\"list\":[1,2]}\n");
        world.load("given/", &["--table", "g", "--type", "list=bigint[]"]).exits(0);
        if world.database.is_postgres() {
            assert_eq!(world.query("SELECT list -> 1 FROM t"), ["2"], "jsonb can be asked");
            assert_eq!(world.query("SELECT list[2] FROM g"), ["2"], "arrays count from one");
        } else {
            assert_eq!(world.query("SELECT list FROM t"), ["[1,2]"]);
            assert_eq!(world.query("SELECT list FROM g"), ["[1,2]"]);
        }
    });
}
