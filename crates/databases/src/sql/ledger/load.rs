//! The statements of a load: a claim before its first row, an end behind its
//! last.

use super::{LedgerSql, member_start};

impl LedgerSql {
    /// Claims a file: inserts its row, or locks the one that is there and
    /// waits for whoever holds it.
    ///
    /// Parameters: id, source, bucket, key, member, etag, size, last modified,
    /// table, stream, now, load id, run id. Answers one row, as
    /// [`Claimed`](super::Claimed) has it; a row that this statement inserted has no attempts.
    pub(crate) fn claim(&self) -> String {
        let values = self.dialect.parameters(1, 10);
        let [now, load, run] = [11, 12, 13].map(|number| self.dialect.parameter(number));
        let zero = (self.dialect.write_seconds)("0");
        let ledger = self.quoted(&self.table());
        format!(
            "INSERT INTO {ledger} AS known (\"id\", \"source\", \"bucket\", \"key\", \"member\", \
             \"etag\", \"file_size_bytes\", \"last_modified\", \"target_table\", \"stream\", \
             \"processed_at\", \"load_id\", \"run_id\", \"status\", \"processing_time\", \
             \"rows_copied\", \"rows_rejected\", \"attempts\") \
             VALUES ({values}, {now}, {load}, {run}, 'failed', {zero}, 0, 0, 0) \
             ON CONFLICT (\"id\") DO UPDATE SET \"id\" = known.\"id\" RETURNING {}",
            self.claimed_columns()
        )
    }

    /// The loaded versions of a key and member in a table. Parameters: source,
    /// bucket, key, member, table. Answers: id.
    pub(crate) fn loaded_versions(&self) -> String {
        let parameter = |number| self.dialect.parameter(number);
        format!(
            "SELECT \"id\" FROM {} WHERE \"source\" = {} AND \"bucket\" = {} AND \"key\" = {} \
             AND {} = {} AND \"member\" = {} AND \"target_table\" = {} AND \"status\" = 'loaded'",
            self.quoted(&self.table()),
            parameter(1),
            parameter(2),
            parameter(3),
            member_start("\"member\""),
            member_start(&parameter(4)),
            parameter(4),
            parameter(5),
        )
    }

    /// Locks the row of another file. Parameters: now, load id, run id, id.
    pub(crate) fn supersede(&self) -> String {
        format!("{} WHERE \"id\" = {}", self.set_superseded(), self.dialect.parameter(4))
    }

    /// Marks what a replace displaces: the rows of a table that are `loaded`
    /// or `loading`. Parameters: now, load id, run id, table.
    pub(crate) fn supersede_table(&self) -> String {
        format!(
            "{} WHERE \"target_table\" = {} AND \"status\" IN ('loaded', 'loading')",
            self.set_superseded(),
            self.dialect.parameter(4)
        )
    }

    /// Makes a claimed file `loaded`, with one attempt more.
    ///
    /// Parameters: now, seconds, rows loaded, rows rejected, checksum,
    /// load id, run id, stream, last modified, id, layout.
    pub(crate) fn finish(&self) -> String {
        format!(
            "UPDATE {} SET \"status\" = 'loaded', \"attempts\" = \"attempts\" + 1, {}, \
             \"layout\" = {} WHERE \"id\" = {}",
            self.quoted(&self.table()),
            self.set_brought(),
            self.dialect.parameter(11),
            self.dialect.parameter(10),
        )
    }

    /// What a file has brought so far, without its status and attempts.
    /// Parameters 1 to 9: now, seconds, rows copied, rows rejected, checksum,
    /// load id, run id, stream, last modified.
    pub(super) fn set_brought(&self) -> String {
        let parameter = |number| self.dialect.parameter(number);
        format!(
            "\"error\" = NULL, \"processed_at\" = {}, \"processing_time\" = {}, \
             \"rows_copied\" = {}, \"rows_rejected\" = {}, \"rows_checksum\" = {}, \
             \"load_id\" = {}, \"run_id\" = {}, \"stream\" = {}, \"last_modified\" = {}",
            parameter(1),
            (self.dialect.write_seconds)(&parameter(2)),
            parameter(3),
            parameter(4),
            parameter(5),
            parameter(6),
            parameter(7),
            parameter(8),
            parameter(9),
        )
    }

    fn set_superseded(&self) -> String {
        format!(
            "UPDATE {} SET \"status\" = 'superseded', \"processed_at\" = {}, \"load_id\" = {}, \
             \"run_id\" = {}",
            self.quoted(&self.table()),
            self.dialect.parameter(1),
            self.dialect.parameter(2),
            self.dialect.parameter(3),
        )
    }

    pub(super) fn claimed_columns(&self) -> String {
        self.dialect.quote_list([
            "source",
            "bucket",
            "key",
            "member",
            "etag",
            "file_size_bytes",
            "target_table",
            "status",
            "attempts",
        ])
    }
}
