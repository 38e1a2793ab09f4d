//! The statements about rejects: written, read, settled by a replay.

use decant_core::ledger::RejectsFilter;

use super::LedgerSql;
use super::columns::REJECT_FIELDS;

/// Columns before the ledger's own in an answer of
/// [`stored_rejects`](LedgerSql::stored_rejects).
pub(crate) const STORED_COLUMNS: usize = 3 + REJECT_FIELDS.len();

/// A file's key with its member behind it, as a location shows them.
const PLACE: &str = "f.\"key\" || CASE f.\"member\" WHEN '' THEN '' ELSE '!/' || f.\"member\" END";

impl LedgerSql {
    /// Writes one reject. Parameters: file id, now, then ordinal, line, byte
    /// offset, column, reason, detail, raw.
    pub(crate) fn insert_reject(&self) -> String {
        format!(
            "INSERT INTO {} (\"file_id\", \"rejected_at\", {}) VALUES ({})",
            self.quoted(&self.rejects_table()),
            self.dialect.quote_list(REJECT_FIELDS.iter().copied()),
            self.dialect.parameters(1, 2 + REJECT_FIELDS.len())
        )
    }

    /// Deletes the rejects of `count` files, whose ids are the parameters.
    pub(crate) fn delete_rejects(&self, count: usize) -> String {
        format!(
            "DELETE FROM {} WHERE \"file_id\" IN ({})",
            self.quoted(&self.rejects_table()),
            self.dialect.parameters(1, count)
        )
    }

    /// Deletes the rejects of the files that have rows in a table. Parameters:
    /// table.
    pub(crate) fn delete_rejects_of_table(&self) -> String {
        format!(
            "DELETE FROM {} WHERE \"file_id\" IN (SELECT \"id\" FROM {} \
             WHERE \"target_table\" = {} AND \"status\" IN ('loaded', 'loading'))",
            self.quoted(&self.rejects_table()),
            self.quoted(&self.table()),
            self.dialect.parameter(1)
        )
    }

    /// The rejects of a file, by ordinal. Parameters: file id. Answers
    /// ordinal, line, byte offset, column, reason, detail, raw.
    pub(crate) fn rejects(&self) -> String {
        format!(
            "SELECT {} FROM {} WHERE \"file_id\" = {} ORDER BY \"ordinal\", \"id\"",
            self.dialect.quote_list(REJECT_FIELDS.iter().copied()),
            self.quoted(&self.rejects_table()),
            self.dialect.parameter(1)
        )
    }

    /// The rejects that `filter` lets through, by file and id, and the texts
    /// that are the statement's parameters. Answers id, rejected at, settled
    /// at, the columns of [`rejects`](Self::rejects), then the ledger row of
    /// the file, as `history` has it.
    pub(crate) fn stored_rejects(&self, filter: &RejectsFilter) -> (String, Vec<String>) {
        let fields: Vec<String> =
            REJECT_FIELDS.iter().map(|name| format!("r.{}", self.dialect.quote(name))).collect();
        let mut statement = format!(
            "SELECT r.\"id\", r.\"rejected_at\", r.\"settled_at\", {}, {} FROM {} AS r \
             JOIN {} AS f ON f.\"id\" = r.\"file_id\"",
            fields.join(", "),
            self.entry_columns("f."),
            self.quoted(&self.rejects_table()),
            self.quoted(&self.table())
        );
        let (conditions, parameters) = self.reject_conditions(filter);
        if !conditions.is_empty() {
            statement.push_str(" WHERE ");
            statement.push_str(&conditions.join(" AND "));
        }
        statement.push_str(" ORDER BY r.\"file_id\", r.\"id\"");
        if let Some(limit) = filter.limit {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            statement.push_str(&format!(" LIMIT {limit}"));
        }
        (statement, parameters)
    }

    fn reject_conditions(&self, filter: &RejectsFilter) -> (Vec<String>, Vec<String>) {
        let mut conditions = Vec::new();
        let mut parameters = Vec::new();
        let place_holds = format!("{}({PLACE}, ", self.dialect.position);
        for (wanted, before, behind) in [
            (&filter.table, "f.\"target_table\" = ", ""),
            (&filter.run_id, "f.\"run_id\" = ", ""),
            (&filter.reason, "r.\"reason\" = ", ""),
            (&filter.key_contains, &place_holds, ") > 0"),
        ] {
            let Some(wanted) = wanted else { continue };
            parameters.push(wanted.clone());
            let parameter = self.dialect.parameter(parameters.len());
            conditions.push(format!("{before}{parameter}{behind}"));
        }
        if let Some(file) = filter.file {
            conditions.push(format!("r.\"file_id\" = {file}"));
        }
        if filter.unsettled {
            conditions.push("r.\"settled_at\" IS NULL".to_owned());
        }
        if let Some((file, id)) = filter.after {
            conditions.push(format!("(r.\"file_id\", r.\"id\") > ({file}, {id})"));
        }
        (conditions, parameters)
    }

    /// Marks a reject of a file settled, unless it is, or was never one to
    /// settle. Parameters: now, id, file id.
    pub(crate) fn settle_reject(&self) -> String {
        format!(
            "UPDATE {} SET \"settled_at\" = {} WHERE \"id\" = {} AND \"file_id\" = {} \
             AND \"settled_at\" IS NULL AND \"reason\" <> 'repaired'",
            self.quoted(&self.rejects_table()),
            self.dialect.parameter(1),
            self.dialect.parameter(2),
            self.dialect.parameter(3),
        )
    }

    /// The state of a file that rejects are replayed into, as it is under
    /// lock. Parameters: id. Answers [`Claimed`](super::Claimed), then its
    /// checksum.
    pub(crate) fn replayed(&self, lock: &str) -> String {
        format!(
            "SELECT {}, \"rows_checksum\" FROM {} WHERE \"id\" = {}{lock}",
            self.claimed_columns(),
            self.quoted(&self.table()),
            self.dialect.parameter(1)
        )
    }

    /// Counts what a replay brought. Parameters: rows that joined, rejects
    /// that joined less those that left, checksum, id.
    pub(crate) fn count_replay(&self) -> String {
        format!(
            "UPDATE {} SET \"rows_copied\" = \"rows_copied\" + {}, \
             \"rows_rejected\" = \"rows_rejected\" + {}, \"rows_checksum\" = {} \
             WHERE \"id\" = {}",
            self.quoted(&self.table()),
            self.dialect.parameter(1),
            self.dialect.parameter(2),
            self.dialect.parameter(3),
            self.dialect.parameter(4),
        )
    }
}

#[cfg(test)]
mod tests {
    use decant_core::file::FileId;

    use super::super::super::dialect::tests::PLAIN;
    use super::*;

    #[test]
    fn rejects_are_filtered_by_what_is_given() {
        let ledger = LedgerSql::new(&PLAIN, "mine").unwrap();
        let (statement, parameters) = ledger.stored_rejects(&RejectsFilter::default());
        assert!(!statement.contains("WHERE") && !statement.contains("LIMIT"), "{statement}");
        assert_eq!(parameters, Vec::<String>::new());
        let filter = RejectsFilter {
            table: Some("t".into()),
            key_contains: Some("50%".into()),
            unsettled: true,
            after: Some((FileId(3), 7)),
            limit: Some(2),
            ..RejectsFilter::default()
        };
        let (statement, parameters) = ledger.stored_rejects(&filter);
        assert!(statement.contains("f.\"target_table\" = $1"), "{statement}");
        assert!(statement.contains("END, $2) > 0"), "{statement}");
        assert!(statement.contains("(r.\"file_id\", r.\"id\") > (3, 7)"), "{statement}");
        assert!(statement.ends_with("ORDER BY r.\"file_id\", r.\"id\" LIMIT 2"), "{statement}");
        assert_eq!(parameters, ["t", "50%"]);
    }
}
