//! `decant rejects`: the rows that could not be loaded, shown or exported.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use decant::core::ledger::StoredReject;
use decant::core::{Error, ErrorKind, Result};
use decant::rejects::{Export, each_page};
use serde_json::{Value, json};

use super::destination_of;
use crate::args::{GlobalArgs, OutputFormat, RejectsArgs};
use crate::exit::Exit;
use crate::output::{print, print_json};
use crate::progress::counted;
use crate::table::lay_out;

const HEADING: [&str; 7] = ["id", "file", "line", "column", "reason", "detail", "row"];

/// Shows or exports what was chosen.
pub(crate) async fn run(args: &RejectsArgs, global: &GlobalArgs) -> Result<Exit> {
    let settings = destination_of(&args.overrides(global), global)?;
    let destination = decant::open_destination_of(&settings).await?;
    let for_people = global.output == OutputFormat::Text && args.export.is_none();
    let filter = args.choice(for_people).filter(&destination).await?;
    if let Some(path) = &args.export {
        let mut export = Export::default();
        each_page(&destination, &filter, &mut |page| {
            page.iter().try_for_each(|stored| export.push(stored))
        })
        .await?;
        return exported(export, path, args.force, global);
    }
    let mut rows = Vec::new();
    each_page(&destination, &filter, &mut |page| match global.output {
        OutputFormat::Json => page.iter().map(as_json).try_for_each(|line| print_json(&line)),
        OutputFormat::Text => {
            rows.extend(page.iter().map(cells));
            Ok(())
        }
    })
    .await?;
    if global.output == OutputFormat::Text {
        print(&describe(&rows, filter.limit))?;
    }
    Ok(Exit::Ok)
}

fn exported(export: Export, path: &Path, force: bool, global: &GlobalArgs) -> Result<Exit> {
    let rows = export.rows();
    if rows == 0 {
        return Err(Error::new(ErrorKind::NotFound, "there are no such rejects")
            .with_hint("`decant rejects` shows what there is"));
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).create_new(!force);
    let written = options.open(path).and_then(|mut file| file.write_all(&export.into_bytes()));
    written.map_err(|error| cannot_write(path, error))?;
    match global.output {
        OutputFormat::Json => {
            print_json(&json!({"rows": rows, "saved": path.display().to_string()}))?;
        }
        OutputFormat::Text => print(&format!(
            "{} saved to {path}; edit it, then: decant replay --from {path}\n",
            counted(rows, "row"),
            path = path.display()
        ))?,
    }
    Ok(Exit::Ok)
}

fn cannot_write(path: &Path, error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Error::new(ErrorKind::InvalidConfig, format!("{} is there already", path.display()))
                .with_hint("name another file after --export, or replace this one with --force")
        }
        _ => Error::new(ErrorKind::Unavailable, format!("cannot write {}", path.display()))
            .caused_by(error),
    }
}

fn describe(rows: &[Vec<String>], limit: Option<u64>) -> String {
    if rows.is_empty() {
        return "there are no such rejects\n".into();
    }
    let mut text = lay_out(&HEADING, rows);
    if limit.is_some_and(|limit| rows.len() as u64 >= limit) {
        text.push_str("\nthere may be more: --limit shows them, --output json shows all\n");
    }
    text
}

fn cells(stored: &StoredReject) -> Vec<String> {
    let reject = &stored.reject;
    let id = match stored.settled_at {
        Some(_) => format!("{} (settled)", stored.id),
        None => stored.id.to_string(),
    };
    let line =
        reject.line.map_or_else(|| format!("row {}", reject.ordinal), |line| line.to_string());
    vec![
        id,
        stored.file.file.location(),
        line,
        reject.column.clone().unwrap_or_default(),
        reject.reason.as_str().to_owned(),
        reject.detail.clone(),
        String::from_utf8_lossy(&reject.raw).into_owned(),
    ]
}

/// One reject as an object; bytes that are no text stand in `raw_hex` as
/// well.
fn as_json(stored: &StoredReject) -> Value {
    let reject = &stored.reject;
    let entry = &stored.file;
    let mut value = json!({
        "id": stored.id,
        "file": entry.file.location(),
        "table": entry.target_table,
        "stream": entry.stream,
        "status": entry.status,
        "run_id": entry.run_id,
        "ordinal": reject.ordinal,
        "line": reject.line,
        "byte_offset": reject.byte_offset,
        "column": reject.column,
        "reason": reject.reason.as_str(),
        "detail": reject.detail,
        "raw": String::from_utf8_lossy(&reject.raw),
        "rejected_at": stored.rejected_at,
        "settled_at": stored.settled_at,
    });
    if std::str::from_utf8(&reject.raw).is_err()
        && let Some(object) = value.as_object_mut()
    {
        let hex: String = reject.raw.iter().map(|byte| format!("{byte:02x}")).collect();
        object.insert("raw_hex".into(), hex.into());
    }
    value
}
