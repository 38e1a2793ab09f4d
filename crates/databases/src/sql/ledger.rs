//! The ledger's tables as data, and its statements as text.
//!
//! Four tables: the ledger itself (`processed_files`, or the name given by
//! `--ledger`), its rejects, the chunks of files that are committed in
//! several, and `decant_meta`, which all ledgers of a database share. The
//! rejects of the default ledger are `rejected_rows` and its chunks
//! `processed_chunks`; those of a ledger called `x` are `x_rejects` and
//! `x_chunks`, so that two ledgers in one database never mix.
//!
//! Claims: [`LedgerSql::claim`] inserts a row with no attempts, or locks the
//! one that is there. A concurrent load that claims the same file waits for
//! the first to end and then sees what it left: nothing, or `loaded`. A claim
//! is only ever committed together with the state that the file reached, so
//! nobody sees one.

mod chunks;
mod claimed;
mod columns;
mod load;
mod own;
mod rejects;

use decant_core::error::{Error, ErrorKind, Result};
use decant_core::ledger::HistoryFilter;
use decant_core::schema::TableName;

pub(crate) use self::chunks::{ChunkEnd, Held, chunk_end, is_in};
pub(crate) use self::claimed::{
    Claimed, not_loaded, replayed_counts, settled_already, shared_name, status_of,
};
use self::columns::{
    CHUNK_COLUMNS, LEDGER_COLUMNS, LedgerColumn, META_COLUMNS, Presence, REJECT_COLUMNS,
};
pub(crate) use self::own::own_table;
pub(crate) use self::rejects::STORED_COLUMNS;
use super::dialect::{Dialect, LedgerType};

/// The version of the ledger's tables that this program writes.
pub(crate) const SCHEMA_VERSION: u32 = 1;
/// The name of the ledger when none is given.
pub(crate) const DEFAULT_LEDGER: &str = "processed_files";
/// The table of facts about the ledger and the tables that decant created.
pub(crate) const META: &str = "decant_meta";
/// The row of [`META`] that holds [`SCHEMA_VERSION`].
pub(crate) const META_VERSION: &str = "schema_version";

const DEFAULT_REJECTS: &str = "rejected_rows";
const DEFAULT_CHUNKS: &str = "processed_chunks";
const REJECTS_SUFFIX: &str = "_rejects";
const CHUNKS_SUFFIX: &str = "_chunks";
const KEY_INDEX_SUFFIX: &str = "_by_key";
/// Characters of a member's path in that index: with a key of 1,024 bytes they
/// are within what Postgres takes.
const MEMBER_CHARACTERS: u32 = 200;
const FILE_INDEX_SUFFIX: &str = "_by_file";

/// The name of the row of [`META`] that says that decant created `table`
/// (its qualified name).
pub(crate) fn meta_table(table: &TableName) -> String {
    format!("table:{table}")
}

/// The statements of one ledger in one dialect.
pub(crate) struct LedgerSql {
    dialect: &'static Dialect,
    schema: Option<String>,
    ledger: String,
    rejects: String,
    chunks: String,
}

/// The tables of a ledger.
impl LedgerSql {
    /// The statements of the ledger called `name`, which may be qualified
    /// where the database has schemas.
    pub(crate) fn new(dialect: &'static Dialect, name: &str) -> Result<Self> {
        let TableName { schema, name } = TableName::parse(name);
        let (rejects, chunks) = match name == DEFAULT_LEDGER {
            true => (DEFAULT_REJECTS.to_owned(), DEFAULT_CHUNKS.to_owned()),
            false => (format!("{name}{REJECTS_SUFFIX}"), format!("{name}{CHUNKS_SUFFIX}")),
        };
        for derived in [&name, &format!("{name}{KEY_INDEX_SUFFIX}"), &rejects, &chunks] {
            dialect.check_identifier(derived)?;
        }
        for table in [&rejects, &chunks] {
            dialect.check_identifier(&format!("{table}{FILE_INDEX_SUFFIX}"))?;
        }
        if [META, DEFAULT_REJECTS, DEFAULT_CHUNKS]
            .iter()
            .any(|taken| name.eq_ignore_ascii_case(taken))
        {
            let message = format!("the ledger cannot be called `{name}`");
            return Err(Error::new(ErrorKind::InvalidConfig, message)
                .with_hint("choose another name with --ledger"));
        }
        Ok(Self { dialect, schema, ledger: name, rejects, chunks })
    }

    /// The ledger's table, with its schema where one was named.
    pub(crate) fn table(&self) -> TableName {
        self.in_schema(&self.ledger)
    }

    /// The rejects' table.
    pub(crate) fn rejects_table(&self) -> TableName {
        self.in_schema(&self.rejects)
    }

    /// The chunks' table.
    pub(crate) fn chunks_table(&self) -> TableName {
        self.in_schema(&self.chunks)
    }

    /// The table of facts.
    pub(crate) fn meta(&self) -> TableName {
        self.in_schema(META)
    }

    /// The row of [`META`] that holds this ledger's epoch: random text that
    /// is new whenever the ledger is created.
    pub(crate) fn meta_epoch(&self) -> String {
        format!("epoch:{}", self.ledger)
    }

    /// Creates what is missing of the ledger's tables and indexes. Run it in
    /// one transaction, after [`check_columns`](Self::check_columns) of those
    /// that exist.
    pub(crate) fn create(&self) -> Vec<String> {
        let key_index = format!("{}{KEY_INDEX_SUFFIX}", self.ledger);
        let file_index = format!("{}{FILE_INDEX_SUFFIX}", self.rejects);
        let chunk_index = format!("{}{FILE_INDEX_SUFFIX}", self.chunks);
        let chunk = "\"file_id\", \"first_byte\"";
        vec![
            self.create_table(&self.table(), LEDGER_COLUMNS),
            self.create_index(&key_index, &self.table(), &self.key_columns()),
            self.create_table(&self.rejects_table(), REJECT_COLUMNS),
            self.create_index(&file_index, &self.rejects_table(), "\"file_id\""),
            self.create_table(&self.chunks_table(), CHUNK_COLUMNS),
            self.create_index(&chunk_index, &self.chunks_table(), chunk),
            self.create_table(&self.meta(), META_COLUMNS),
        ]
    }

    /// Sets the epoch of a ledger that was just created. Parameters: the name
    /// [`meta_epoch`](Self::meta_epoch).
    pub(crate) fn write_epoch(&self) -> String {
        let meta = self.quoted(&self.meta());
        format!(
            "INSERT INTO {meta} (\"name\", \"value\") VALUES ({}, {}) \
             ON CONFLICT (\"name\") DO UPDATE SET \"value\" = excluded.\"value\"",
            self.dialect.parameter(1),
            self.dialect.random_text
        )
    }

    /// Writes a fact unless it is there. Parameters: name, value.
    pub(crate) fn write_meta(&self) -> String {
        let meta = self.quoted(&self.meta());
        format!(
            "INSERT INTO {meta} (\"name\", \"value\") VALUES ({}) ON CONFLICT (\"name\") DO NOTHING",
            self.dialect.parameters(1, 2)
        )
    }

    /// Reads a fact. Parameters: name. Answers: value.
    pub(crate) fn read_meta(&self) -> String {
        let meta = self.quoted(&self.meta());
        format!("SELECT \"value\" FROM {meta} WHERE \"name\" = {}", self.dialect.parameter(1))
    }

    /// All tables: refuse them with
    /// [`check_columns`](Self::check_columns) where they exist and are others.
    pub(crate) fn tables(&self) -> [TableName; 4] {
        [self.table(), self.rejects_table(), self.chunks_table(), self.meta()]
    }

    /// Refuses a table that has the name of one of [`tables`](Self::tables)
    /// but not its columns, which are `found`.
    pub(crate) fn check_columns(&self, table: &TableName, found: &[String]) -> Result<()> {
        let missing: Vec<String> = self
            .columns_of(table)
            .iter()
            .filter(|(name, ..)| !found.iter().any(|column| column == name))
            .map(|(name, ..)| format!("`{name}`"))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let message = format!(
            "the table `{table}` is not of a ledger of decant: it has no column {}",
            missing.join(", ")
        );
        Err(Error::new(ErrorKind::InvalidConfig, message)
            .with_hint("choose another name for the ledger with --ledger"))
    }

    fn columns_of(&self, table: &TableName) -> &'static [LedgerColumn] {
        match table.name.as_str() {
            META => META_COLUMNS,
            name if name == self.rejects => REJECT_COLUMNS,
            name if name == self.chunks => CHUNK_COLUMNS,
            _ => LEDGER_COLUMNS,
        }
    }

    /// Refuses tables that a newer decant wrote. `found` is the value of
    /// [`META_VERSION`].
    pub(crate) fn check_version(&self, found: &str) -> Result<()> {
        if found.parse::<u32>().is_ok_and(|version| version <= SCHEMA_VERSION) {
            return Ok(());
        }
        let message = format!(
            "the ledger `{}` has schema version {found}, this decant knows versions up to \
             {SCHEMA_VERSION}",
            self.table()
        );
        Err(Error::new(ErrorKind::Unsupported, message).with_hint("use a newer decant"))
    }

    fn create_table(&self, table: &TableName, columns: &[LedgerColumn]) -> String {
        let definitions: Vec<String> =
            columns.iter().map(|column| format!("  {}", self.definition(column))).collect();
        format!(
            "CREATE TABLE IF NOT EXISTS {} (\n{}\n)",
            self.quoted(table),
            definitions.join(",\n")
        )
    }

    fn definition(&self, (name, ledger_type, presence): &LedgerColumn) -> String {
        let mut definition =
            format!("{} {}", self.dialect.quote(name), (self.dialect.ledger_type)(*ledger_type));
        if *ledger_type == LedgerType::ByteOrdered {
            definition = format!("{definition} {}", self.dialect.byte_order);
        }
        if *presence == Presence::Required {
            definition.push_str(" NOT NULL");
        }
        definition
    }

    fn create_index(&self, name: &str, table: &TableName, columns: &str) -> String {
        let (name, table) = (self.dialect.quote(name), self.quoted(table));
        format!("CREATE INDEX IF NOT EXISTS {name} ON {table} ({columns})")
    }

    /// What files are looked up by. Where index entries must be short, they
    /// have so much of a member's path that the members of one archive are told
    /// apart.
    fn key_columns(&self) -> String {
        let key = self.dialect.quote_list(["source", "bucket", "key"]);
        match self.dialect.listed_columns {
            [] => format!("{key}, {}", member_start("\"member\"")),
            more => format!("{key}, \"member\", {}", self.dialect.quote_list(more.iter().copied())),
        }
    }

    fn in_schema(&self, name: &str) -> TableName {
        TableName { schema: self.schema.clone(), name: name.to_owned() }
    }

    fn quoted(&self, table: &TableName) -> String {
        self.dialect.quote_table(table)
    }
}

/// The first characters of a member's path, by which it is looked up.
pub(crate) fn member_start(member: &str) -> String {
    format!("substr({member}, 1, {MEMBER_CHARACTERS})")
}

/// The statements of the door.
impl LedgerSql {
    /// Writes a file's end without rows, unless it is `loaded` or `loading`.
    ///
    /// Parameters: id, source, bucket, key, member, etag, size, last modified,
    /// table, stream, status, now, seconds, rows rejected, run id, error.
    /// Answers one row, as [`Claimed`] has it, or none when the file is one
    /// of these.
    pub(crate) fn settle(&self) -> String {
        let ledger = self.quoted(&self.table());
        let parameter = |number| self.dialect.parameter(number);
        let seconds = (self.dialect.write_seconds)(&parameter(13));
        format!(
            "INSERT INTO {ledger} AS known (\"id\", \"source\", \"bucket\", \"key\", \"member\", \
             \"etag\", \"file_size_bytes\", \"last_modified\", \"target_table\", \"stream\", \
             \"status\", \"processed_at\", \"processing_time\", \"rows_rejected\", \"run_id\", \
             \"error\", \"load_id\", \"rows_copied\", \"attempts\") \
             VALUES ({}, {seconds}, {}, {}, {}, '', 0, 1) \
             ON CONFLICT (\"id\") DO UPDATE SET {}, \"attempts\" = known.\"attempts\" + 1, \
             \"rows_checksum\" = NULL, \"layout\" = NULL WHERE known.\"status\" NOT IN ('loaded', 'loading') RETURNING {}",
            self.dialect.parameters(1, 12),
            parameter(14),
            parameter(15),
            parameter(16),
            self.take_excluded(),
            self.claimed_columns()
        )
    }

    /// The rows of a key range, in key order. Parameters: source, bucket,
    /// first key, last key. Answers id, key, member, etag, size, table, status,
    /// attempts, error, checksum. The error is looked at for files alone that
    /// are not loaded: an index has the rest
    /// ([`listed_columns`](Dialect::listed_columns)).
    pub(crate) fn known(&self) -> String {
        let parameter = |number| self.dialect.parameter(number);
        format!(
            "SELECT {}, CASE WHEN \"status\" = 'loaded' THEN NULL ELSE \"error\" END, \
             \"rows_checksum\" FROM {} WHERE \"source\" = {} AND \"bucket\" = {} \
             AND \"key\" >= {} AND \"key\" <= {} ORDER BY \"key\", \"member\", \"id\"",
            self.dialect.quote_list([
                "id",
                "key",
                "member",
                "etag",
                "file_size_bytes",
                "target_table",
                "status",
                "attempts",
            ]),
            self.quoted(&self.table()),
            parameter(1),
            parameter(2),
            parameter(3),
            parameter(4),
        )
    }

    /// The ids of the files that have rows in a table. Parameters: table.
    /// Answers: id.
    pub(crate) fn loaded(&self) -> String {
        format!(
            "SELECT \"id\" FROM {} WHERE \"target_table\" = {} \
             AND \"status\" IN ('loaded', 'loading') ORDER BY \"id\"",
            self.quoted(&self.table()),
            self.dialect.parameter(1)
        )
    }

    /// The rows that `filter` lets through, the latest first, and the texts
    /// that are the statement's parameters. Answers entries.
    pub(crate) fn history(&self, filter: &HistoryFilter) -> (String, Vec<String>) {
        let conditions = [
            ("target_table", filter.table.clone()),
            ("status", filter.status.map(|status| status.as_str().to_owned())),
            ("run_id", filter.run_id.clone()),
        ];
        let mut statement = self.select_entries();
        let mut parameters = Vec::new();
        for (column, wanted) in conditions {
            let Some(wanted) = wanted else { continue };
            parameters.push(wanted);
            let word = if parameters.len() == 1 { "WHERE" } else { "AND" };
            let parameter = self.dialect.parameter(parameters.len());
            statement.push_str(&format!(" {word} {} = {parameter}", self.dialect.quote(column)));
        }
        statement.push_str(" ORDER BY \"processed_at\" DESC, \"id\" DESC");
        if let Some(limit) = filter.limit {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            statement.push_str(&format!(" LIMIT {limit}"));
        }
        (statement, parameters)
    }

    /// Answers the ledger's columns, as [`entry_columns`](Self::entry_columns)
    /// has them.
    fn select_entries(&self) -> String {
        format!("SELECT {} FROM {}", self.entry_columns(""), self.quoted(&self.table()))
    }

    /// The ledger's columns in the order of `LedgerEntry`'s fields, with the
    /// file's own in the place of `file`: id, source, bucket, key, member,
    /// etag, size, last modified, table, stream, status, processed at,
    /// seconds, rows copied, rows rejected, checksum, load id, run id,
    /// attempts, error, layout. `of` stands before each: nothing, or an alias
    /// and a point.
    fn entry_columns(&self, of: &str) -> String {
        let columns: Vec<String> = LEDGER_COLUMNS
            .iter()
            .map(|(name, ledger_type, _)| {
                let column = format!("{of}{}", self.dialect.quote(name));
                match ledger_type {
                    LedgerType::Seconds => (self.dialect.read_seconds)(&column),
                    _ => column,
                }
            })
            .collect();
        columns.join(", ")
    }

    fn take_excluded(&self) -> String {
        let taken = [
            "last_modified",
            "stream",
            "status",
            "processed_at",
            "processing_time",
            "rows_copied",
            "rows_rejected",
            "load_id",
            "run_id",
            "error",
        ];
        let taken: Vec<String> =
            taken.iter().map(|name| format!("\"{name}\" = excluded.\"{name}\"")).collect();
        taken.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::dialect::tests::PLAIN;
    use decant_core::file::{FileId, FileVersion};

    use super::*;

    fn ledger(name: &str) -> LedgerSql {
        LedgerSql::new(&PLAIN, name).unwrap()
    }

    #[test]
    fn ledgers_of_one_database_have_rejects_of_their_own() {
        assert_eq!(ledger("processed_files").rejects_table().name, "rejected_rows");
        assert_eq!(ledger("mine").rejects_table().name, "mine_rejects");
        assert_eq!(ledger("s.mine").rejects_table().to_string(), "s.mine_rejects");
        assert_eq!(ledger("s.mine").meta().to_string(), "s.decant_meta");
    }

    #[test]
    fn names_that_collide_or_are_too_long_are_refused() {
        for name in ["decant_meta", "rejected_rows", "", &"x".repeat(60)] {
            let error = LedgerSql::new(&PLAIN, name).map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidConfig, "{name}");
        }
    }

    #[test]
    fn another_table_of_the_ledgers_name_is_refused() {
        let found = ["id".to_owned(), "key".to_owned()];
        let mine = ledger("mine");
        let error = mine.check_columns(&mine.table(), &found).unwrap_err();
        assert!(error.message().contains("`mine`") && error.message().contains("`etag`"));
        assert!(error.hint().unwrap().contains("--ledger"));
        for table in mine.tables() {
            let columns = mine.columns_of(&table).iter();
            let all: Vec<String> = columns.map(|(name, ..)| (*name).to_owned()).collect();
            assert!(mine.check_columns(&table, &all).is_ok());
        }
    }

    #[test]
    fn a_newer_schema_is_refused_by_both_versions() {
        assert!(ledger("mine").check_version("1").is_ok());
        let error = ledger("mine").check_version("2").unwrap_err();
        assert!(error.message().contains("version 2") && error.message().contains("up to 1"));
    }

    #[test]
    fn keys_are_ordered_as_bytes() {
        let create = ledger("mine").create();
        assert!(create[0].contains("\"key\" text COLLATE \"C\" NOT NULL"), "{}", create[0]);
        assert!(create[1].contains("\"mine_by_key\""), "{}", create[1]);
    }

    #[test]
    fn history_filters_by_what_is_given() {
        let filter = HistoryFilter {
            table: Some("t".into()),
            status: None,
            run_id: Some("r".into()),
            limit: Some(5),
        };
        let (statement, parameters) = ledger("mine").history(&filter);
        assert!(statement.contains("WHERE \"target_table\" = $1 AND \"run_id\" = $2"));
        assert!(statement.ends_with("LIMIT 5"));
        assert_eq!(parameters, ["t", "r"]);
    }

    #[test]
    fn the_same_id_of_another_file_is_an_error_that_names_both() {
        let file = FileVersion {
            source: "aws".into(),
            bucket: "b".into(),
            key: "mine.csv".into(),
            member: String::new(),
            etag: "e".into(),
            size: 1,
            version_id: None,
            last_modified: chrono::DateTime::UNIX_EPOCH,
        };
        let mut claimed = Claimed {
            source: "aws".into(),
            bucket: "b".into(),
            key: "mine.csv".into(),
            member: String::new(),
            etag: "e".into(),
            size: 1,
            target_table: "t".into(),
            status: "loaded".into(),
            attempts: 1,
        };
        assert!(claimed.check_identity(FileId(7), &file, "t").is_ok());
        claimed.key = "theirs.csv".into();
        let error = claimed.check_identity(FileId(7), &file, "t").unwrap_err();
        assert!(error.message().contains("mine.csv") && error.message().contains("theirs.csv"));
    }
}
