//! The suite for [`Destination`], its loads, writers and ledger.
//!
//! ```text
//! struct Sqlite { /* a temporary file */ }
//! impl decant_testkit::conformance::destination::Fixture for Sqlite { /* ... */ }
//! decant_testkit::destination_conformance!(Sqlite::new());
//! ```
//!
//! What was loaded is read back by the fixture through the database's own
//! client, never through the destination. Values go in and are compared as
//! canonical text (see [`batches`](crate::batches)); the fixture may render
//! them as the database does: `t` for `true`, `\x00ff` for bytes, `T` in a
//! timestamp, zeros at the end of a fraction and `{1,NULL}` for a list are all
//! understood.

mod atomicity;
mod chunks;
mod claims;
mod displacing;
mod lists;
mod lookup;
mod naming;
mod rejects;
mod rendering;
mod replaying;
mod rows;
mod settling;
mod stage;
mod tables;
mod values;
mod versions;
mod widening;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use decant_core::destination::Destination;
use decant_core::schema::{ColumnType, TableName};

pub use atomicity::*;
pub use chunks::*;
pub use claims::*;
pub use displacing::*;
pub use lists::*;
pub use lookup::*;
pub use naming::*;
pub use rejects::*;
pub use replaying::*;
pub use rows::*;
pub use settling::*;
pub use tables::*;
pub use values::*;
pub use versions::*;
pub use widening::*;

/// A row by column name, as text.
pub type NamedRow = BTreeMap<String, Option<String>>;

/// A fresh, empty database and the ways into it. Made anew for every
/// property.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// A new handle onto the database, as a process of its own would open it,
    /// with the ledger `processed_files`.
    async fn destination(&self) -> Arc<dyn Destination>;

    /// The same with a ledger of another name.
    async fn destination_with_ledger(&self, ledger: &str) -> Arc<dyn Destination>;

    /// The table's rows, in any order, as the database's own client renders
    /// them in a session whose time zone is UTC; bytes as hexadecimal digits.
    /// `table` is qualified as `describe` answered it. Sees what is committed
    /// and waits for nobody.
    async fn rows(&self, table: &TableName, columns: &[&str]) -> Vec<Vec<Option<String>>>;

    /// All rows of the ledger `processed_files`, likewise; none when there is
    /// no such table.
    async fn ledger_rows(&self) -> Vec<NamedRow>;

    /// All rows of `rejected_rows`, likewise.
    async fn reject_rows(&self) -> Vec<NamedRow>;

    /// Changes a table behind the destination's back. Most databases run
    /// [`Tampering::sql`].
    async fn tamper(&self, tampering: &Tampering);

    /// The type that `describe` answers for a column created as `wanted`.
    fn described(&self, wanted: ColumnType) -> ColumnType {
        wanted
    }

    /// Whether a column of this type keeps this value (canonical text).
    /// Answer `false` only for what the documentation says is not kept.
    fn keeps(&self, column_type: ColumnType, value: &str) -> bool {
        let _ = (column_type, value);
        true
    }
}

/// What somebody else does to a table.
#[derive(Clone, Debug)]
pub enum Tampering {
    /// Creates a table with the columns `id bigint`, `tally bigint DEFAULT 7`
    /// and `note text`, without `_file_id`.
    CreateWithDefault(TableName),
    /// Drops a column.
    DropColumn(TableName, String),
}

impl Tampering {
    /// The statement in standard SQL, with quoted names.
    pub fn sql(&self) -> String {
        match self {
            Self::CreateWithDefault(table) => format!(
                "CREATE TABLE {} (\"id\" bigint, \"tally\" bigint DEFAULT 7, \"note\" text)",
                quoted_table(table)
            ),
            Self::DropColumn(table, column) => {
                format!("ALTER TABLE {} DROP COLUMN {}", quoted_table(table), quoted(column))
            }
        }
    }
}

/// A table's name in standard SQL, for fixtures.
pub fn quoted_table(table: &TableName) -> String {
    let parts = table.schema.iter().chain([&table.name]);
    parts.map(|part| quoted(part)).collect::<Vec<_>>().join(".")
}

/// An identifier in standard SQL, for fixtures.
pub fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// Makes one test of each property of the suite, with the fixture that the
/// expression makes (it may `.await`). Needs `tokio` with its macros.
#[macro_export]
macro_rules! destination_conformance {
    ($fixture:expr) => {
        $crate::destination_conformance! { @tests $fixture;
            a_missing_table_has_a_qualified_name
            a_created_table_is_described_as_it_was_asked_for
            creating_a_table_again_leaves_it_alone
            columns_are_added_once
            printing_a_change_changes_nothing
            tables_of_others_are_told_from_our_own
            widened_columns_keep_every_value
            widening_is_idempotent
            a_value_that_would_not_survive_stops_the_change
            loads_planned_for_the_old_types_are_planned_again
            widenings_beside_each_other_all_succeed
            names_that_need_quoting_work
            the_ledger_is_no_place_for_rows
            several_batches_of_several_files_load_at_once
            writers_may_follow_each_other
            columns_left_out_get_their_default
            columns_may_come_in_any_order
            a_file_without_rows_is_loaded
            values_of_every_type_come_back
            long_texts_and_bytes_come_back
            lists_of_every_scalar_come_back
            the_ledger_tells_the_whole_story
            rows_and_ledger_become_visible_together
            an_aborted_load_leaves_nothing
            a_dropped_load_leaves_nothing
            a_row_count_that_does_not_match_fails_everything
            an_id_of_another_file_is_refused
            a_loaded_file_is_not_loaded_twice
            two_loads_of_one_file_commit_once
            the_second_load_goes_on_when_the_first_gives_up
            loads_of_different_files_all_commit
            overlapping_groups_in_different_orders_never_deadlock
            groups_that_meet_at_a_held_file_never_deadlock
            appends_beside_replaces_keep_rows_and_ledger_together
            a_change_waits_for_open_loads
            chunks_are_visible_one_by_one_and_the_last_completes_the_file
            a_restart_goes_on_with_the_chunks_that_are_missing
            chunks_of_one_file_are_loaded_at_once
            chunks_that_overlap_are_a_conflict
            a_file_that_fails_keeps_its_chunks_until_it_begins_anew
            a_newer_version_displaces_an_unfinished_one
            a_replace_takes_unfinished_files_away
            loading_again_replaces_the_rows_of_the_file
            an_aborted_reload_keeps_the_rows_of_the_file
            a_newer_version_displaces_the_older
            content_that_comes_back_is_loaded_again
            a_version_beside_one_that_was_loaded_meanwhile_is_told
            of_two_versions_that_are_loaded_at_once_one_is_told
            versions_that_may_stand_beside_each_other_are_all_kept
            many_versions_at_once_leave_one_of_each_key
            replace_leaves_exactly_the_new_rows
            an_aborted_replace_keeps_the_old_rows
            a_table_that_gained_a_column_is_planned_again
            a_table_that_lost_a_column_is_planned_again
            a_file_without_rows_is_settled_with_its_reason
            settling_again_counts_attempts
            settling_leaves_a_loaded_file_alone
            a_file_that_failed_can_be_loaded
            only_the_first_rejects_of_a_failed_file_are_kept
            rejects_come_back_byte_for_byte
            rejects_are_committed_with_the_rows
            rejects_are_replaced_by_the_next_attempt
            rejects_leave_with_a_displaced_file
            repairs_and_layout_are_kept_with_the_rejects
            stored_rejects_are_filtered_and_paged
            a_replay_adds_rows_and_settles_rejects
            a_replay_of_what_is_settled_is_refused
            replays_of_one_reject_commit_once
            a_file_that_is_not_loaded_takes_no_replay
            an_aborted_replay_leaves_everything_as_it_was
            an_empty_database_knows_nothing_and_stays_empty
            known_files_come_in_byte_order_of_their_keys
            known_files_are_those_of_the_range
            loaded_files_are_those_of_the_table
            history_is_filtered_and_the_latest_comes_first
            ledgers_of_different_names_do_not_mix
        }
    };
    (@tests $fixture:expr; $($property:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $property() {
                $crate::conformance::in_time(async {
                    let fixture = $fixture;
                    $crate::conformance::destination::$property(&fixture).await;
                })
                .await;
            }
        )+
    };
}
