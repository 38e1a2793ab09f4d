//! The report of a run, for people.

use std::fmt::Write as _;

use decant::engine::{RowsReport, RunReport, RunStatus, TableReport};

use crate::exit::describe_reported;
use crate::progress::{counted, human_bytes, human_count};

/// Errors that are printed in full; the ledger has all of them.
const ERRORS_SHOWN: usize = 10;

/// A few lines that say what happened, the most important first.
pub(crate) fn describe(report: &RunReport) -> String {
    let mut text = String::new();
    for table in report.tables.iter().filter(|table| table.rows_loaded > 0 || table.created) {
        text.push_str(&describe_table(table));
    }
    let _ = writeln!(text, "{}", summary(report));
    if report.rows.rejected > 0 {
        text.push_str(
            "`decant rejects` shows the rejected rows, `decant replay` loads them again\n",
        );
    }
    for note in &report.notes {
        let _ = writeln!(text, "note: {note}");
    }
    for error in report.errors.iter().take(ERRORS_SHOWN) {
        let _ = writeln!(text, "{}", describe_reported(error));
    }
    if report.errors.len() > ERRORS_SHOWN {
        let more = report.errors.len() - ERRORS_SHOWN;
        let _ = writeln!(text, "and {more} more errors: `decant history --status failed`");
    }
    text
}

/// A replay in a few lines.
pub(crate) fn describe_replay(report: &RunReport) -> String {
    let rows = &report.rows;
    let mut parts = vec![format!("{} loaded", counted(rows.loaded, "row"))];
    for (count, what) in [(rows.filtered, "filtered"), (rows.rejected, "still rejected")] {
        if count > 0 {
            parts.push(format!("{} {what}", human_count(count)));
        }
    }
    let mut text = match (rows.read, report.errors.is_empty()) {
        (0, true) => "there is nothing to replay\n".to_owned(),
        _ => format!("{} of {} read again\n", parts.join(", "), human_count(rows.read)),
    };
    for note in &report.notes {
        let _ = writeln!(text, "note: {note}");
    }
    for error in report.errors.iter().take(ERRORS_SHOWN) {
        let _ = writeln!(text, "{}", describe_reported(error));
    }
    text
}

fn describe_table(table: &TableReport) -> String {
    let created = if table.created { " (created)" } else { "" };
    let mut text = format!("{}{created}: {}\n", table.table, counted(table.rows_loaded, "row"));
    if table.created {
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|column| format!("{} {}", column.name, column.column_type))
            .collect();
        let _ = writeln!(text, "  {}", columns.join(", "));
    }
    for change in &table.changes {
        let _ = writeln!(text, "  {change}");
    }
    text
}

fn summary(report: &RunReport) -> String {
    let files = &report.files;
    let mut parts = vec![format!("{} loaded", counted(files.loaded, "file"))];
    for (count, what) in [
        (files.already_loaded, "loaded before"),
        (files.failed, "failed"),
        (files.skipped, "skipped"),
        (files.vanished, "vanished"),
        (files.excluded, "left out"),
    ] {
        if count > 0 {
            parts.push(format!("{} {what}", human_count(count)));
        }
    }
    let mut rows = counted(report.rows.loaded, "row");
    let besides = besides(&report.rows);
    if !besides.is_empty() {
        let _ = write!(rows, " ({})", besides.join(", "));
    }
    let status = match report.status {
        _ if report.interrupted => "interrupted: ",
        RunStatus::Failed => "failed: ",
        RunStatus::Partial => "partly: ",
        RunStatus::Ok => "",
    };
    let seconds = report.seconds.max(0.001);
    let mut text = format!(
        "{status}{}; {rows}, {} in {seconds:.2} s",
        parts.join(", "),
        human_bytes(report.bytes.fetched)
    );
    if report.rows.loaded > 0 {
        let rate = (report.rows.loaded as f64 / seconds) as u64;
        let _ = write!(text, " ({} rows/s)", human_count(rate));
    }
    text
}

/// What became of rows, other than that they were loaded as they were.
fn besides(rows: &RowsReport) -> Vec<String> {
    let counts = [
        (rows.rejected, "rejected"),
        (rows.filtered, "filtered"),
        (rows.rescued, "rescued in part"),
        (rows.repaired, "repaired"),
    ];
    let shown = counts.iter().filter(|(count, _)| *count > 0);
    shown.map(|(count, what)| format!("{} {what}", human_count(*count))).collect()
}

#[cfg(test)]
mod tests {
    use decant::engine::{BytesReport, FilesReport};

    use super::*;

    #[test]
    fn the_summary_names_what_is_not_zero() {
        let report = RunReport {
            run_id: "r".into(),
            status: RunStatus::Partial,
            started_at: Default::default(),
            seconds: 2.0,
            files: FilesReport { listed: 4, loaded: 3, skipped: 1, ..FilesReport::default() },
            rows: RowsReport {
                read: 1003,
                loaded: 1000,
                rejected: 1,
                filtered: 2,
                ..RowsReport::default()
            },
            bytes: BytesReport { fetched: 2048, decoded: 4096 },
            retries: 0,
            tables: Vec::new(),
            errors: Vec::new(),
            notes: vec!["something".into()],
            interrupted: false,
        };
        assert_eq!(
            describe(&report),
            "partly: 3 files loaded, 1 skipped; 1,000 rows (1 rejected, 2 filtered), 2.00 KiB in 2.00 s \
             (500 rows/s)\n`decant rejects` shows the rejected rows, `decant replay` loads them \
             again\nnote: something\n"
        );
    }
}
