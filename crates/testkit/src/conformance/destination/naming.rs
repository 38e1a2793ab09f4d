//! Names that need quoting.

use decant_core::schema::{ColumnType, FILE_ID_COLUMN};

use super::Fixture;
use super::stage::{Stage, assert_all_committed, totals_of};
use crate::batches;

const LONG: &str = "a_name_of_63_bytes_that_is_as_long_as_postgres_allows_it_to_be_";

const NAMES: &[&str] = &[
    "order",
    "Upper Case",
    "a \"quoted\" name",
    "it's",
    "semi;colon -- comment",
    "dot.ted",
    "percent%s $1 ?1 {}",
    "back\\slash",
    "täble 🦀",
    "1st",
    LONG,
];

/// Tables and columns of awkward names are created, described and loaded.
pub async fn names_that_need_quoting_work(fixture: &dyn Fixture) {
    let columns: Vec<(&str, ColumnType)> =
        NAMES.iter().map(|name| (*name, ColumnType::Text)).collect();
    for name in NAMES {
        let stage = Stage::with(fixture, name, batches::columns(&columns)).await;
        assert_eq!(stage.table.name.name, *name);
        let schema = stage.table.schema.as_ref().expect("the table is there");
        let described: Vec<&str> = schema.columns.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(described[..NAMES.len()], *NAMES);
        load_one_row(&stage).await;
        let expected: Vec<Option<String>> = NAMES.iter().map(|it| Some((*it).into())).collect();
        assert_eq!(fixture.rows(&stage.table.name, NAMES).await, [expected]);
    }
}

/// A row that has in each column the column's name.
async fn load_one_row(stage: &Stage<'_>) {
    let file = stage.file("a.csv");
    let id = file.id.to_string();
    let mut columns: Vec<(&str, ColumnType)> =
        NAMES.iter().map(|name| (*name, ColumnType::Text)).collect();
    columns.push((FILE_ID_COLUMN, ColumnType::Int64));
    let mut row: Vec<Option<&str>> = NAMES.iter().copied().map(Some).collect();
    row.push(Some(&id));
    let files = [file];
    let mut load = stage.begin(&files).await;
    let mut writer = load.writer().await.expect("a writer");
    let positions: Vec<usize> = (0..columns.len()).collect();
    writer.start_file(files[0].id, &positions).await.expect("the file is started");
    writer.write(batches::batch(&columns, &[&row])).await.expect("the row is written");
    let part = writer.finish().await.expect("the part");
    assert_all_committed(&load.commit(vec![part], totals_of(&files, 1)).await, 1);
}
