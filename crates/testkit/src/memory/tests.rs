//! The destination in memory keeps the contract.

use super::*;
use crate::batches::render_row;
use crate::conformance::destination::{Fixture, NamedRow, Tampering};

struct InMemory(MemoryDatabase);

#[async_trait]
impl Fixture for InMemory {
    async fn destination(&self) -> Arc<dyn Destination> {
        self.0.destination()
    }

    async fn destination_with_ledger(&self, ledger: &str) -> Arc<dyn Destination> {
        self.0.destination_with_ledger(ledger)
    }

    async fn rows(&self, table: &TableName, columns: &[&str]) -> Vec<Vec<Option<String>>> {
        self.0.rows(table, columns)
    }

    async fn ledger_rows(&self) -> Vec<NamedRow> {
        self.0.ledger_entries(DEFAULT_LEDGER).iter().map(ledger_row).collect()
    }

    async fn reject_rows(&self) -> Vec<NamedRow> {
        self.0.ledger_rejects(DEFAULT_LEDGER).iter().map(reject_row).collect()
    }

    async fn tamper(&self, tampering: &Tampering) {
        use decant_core::schema::ColumnType::{Int64, Text};
        match tampering {
            Tampering::CreateWithDefault(table) => {
                let column = |name, of| Column::new(name, of);
                let columns = [
                    (column("id", Int64), None),
                    (column("tally", Int64), Some("7")),
                    (column("note", Text), None),
                ];
                self.0.create_table(table, &columns);
            }
            Tampering::DropColumn(table, column) => self.0.drop_column(table, column),
        }
    }
}

fn named(fields: Vec<(&str, Option<String>)>) -> NamedRow {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn ledger_row(entry: &LedgerEntry) -> NamedRow {
    let text = |value: &dyn ToString| Some(value.to_string());
    named(vec![
        ("id", text(&entry.id)),
        ("source", text(&entry.file.source)),
        ("bucket", text(&entry.file.bucket)),
        ("key", text(&entry.file.key)),
        ("member", text(&entry.file.member)),
        ("etag", text(&entry.file.etag)),
        ("file_size_bytes", text(&entry.file.size)),
        ("last_modified", text(&entry.file.last_modified)),
        ("target_table", text(&entry.target_table)),
        ("stream", text(&entry.stream)),
        ("status", text(&entry.status.as_str())),
        ("processed_at", text(&entry.processed_at)),
        ("processing_time", text(&entry.processing_seconds)),
        ("rows_copied", text(&entry.rows_copied)),
        ("rows_rejected", text(&entry.rows_rejected)),
        ("rows_checksum", entry.rows_checksum.map(|checksum| checksum.to_string())),
        ("load_id", text(&entry.load_id)),
        ("run_id", text(&entry.run_id)),
        ("attempts", text(&entry.attempts)),
        ("error", entry.error.clone()),
    ])
}

fn reject_row((file, reject): &(i64, Reject)) -> NamedRow {
    named(vec![
        ("file_id", Some(file.to_string())),
        ("ordinal", Some(reject.ordinal.to_string())),
        ("reason", Some(reject.reason.as_str().to_owned())),
        ("raw", Some(format!("{:?}", reject.raw))),
        ("rejected_at", Some(String::new())),
        ("settled_at", None),
    ])
}

mod conformance {
    use super::{InMemory, MemoryDatabase};

    crate::destination_conformance!(InMemory(MemoryDatabase::new()));
}

#[test]
fn every_type_is_rendered_as_it_was_written() {
    use crate::batches::batch;
    use decant_core::schema::{ColumnType, DecimalBounds};
    for (column_type, text) in [
        (ColumnType::Bool, "true"),
        (ColumnType::Int16, "-32768"),
        (ColumnType::Int64, "9223372036854775807"),
        (ColumnType::Float32, "-0.0"),
        (ColumnType::Float64, "5e-324"),
        (ColumnType::Decimal(None), "-0.05"),
        (ColumnType::Decimal(Some(DecimalBounds { precision: 38, scale: 0 })), "-1"),
        (ColumnType::Date, "0001-01-01"),
        (ColumnType::Time, "23:59:59.5"),
        (ColumnType::Timestamp, "9999-12-31 23:59:59.999999"),
        (ColumnType::TimestampTz, "2024-01-01 10:00:00"),
        (ColumnType::Uuid, "01234567-89ab-cdef-fedc-ba9876543210"),
        (ColumnType::Text, ""),
        (ColumnType::Binary, "00ff"),
    ] {
        let batch = batch(&[("a", column_type)], &[&[Some(text)], &[None]]);
        assert_eq!(render_row(&batch, 0), [Some(text.to_owned())], "{column_type}");
        assert_eq!(render_row(&batch, 1), [None], "{column_type}");
    }
}

#[tokio::test]
async fn a_batch_of_the_wrong_type_is_refused() {
    use crate::batches;
    use decant_core::error::ErrorKind;
    use decant_core::schema::ColumnType;
    let destination = MemoryDatabase::new().destination();
    let table = TableName::parse("main.t");
    let columns = batches::columns(&[("a", ColumnType::Int64)]);
    let change = TableChange::Create { table: table.clone(), columns };
    destination.apply(&change, false).await.expect("the table is created");
    let state = destination.describe(&table).await.expect("a state");
    let file = batches::load_file(&table, batches::file("a"));
    let id = file.id;
    let begun = destination.begin(batches::plan(&state, vec![file])).await.expect("it begins");
    let Begun::Ready { mut load, .. } = begun else { panic!("the table is as planned") };
    let mut writer = load.writer().await.expect("a writer");
    assert!(load.writer().await.is_err(), "one writer at a time");
    writer.start_file(id, &[0]).await.expect("the file is started");
    let rows = batches::batch(&[("a", ColumnType::Text)], &[&[Some("1")]]);
    let error = writer.write(rows).await.expect_err("text for a number");
    assert_eq!(error.kind(), ErrorKind::Internal);
}
