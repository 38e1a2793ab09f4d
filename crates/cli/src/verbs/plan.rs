//! `decant plan`: what a sync would do, and why each file is in or out.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use decant::Pipeline;
use decant::config::Settings;
use decant::core::Result;
use decant::engine::{FilePlan, TablePlanned};
use serde_json::json;

use crate::args::{GlobalArgs, OutputFormat};
use crate::exit::{Exit, describe_reported};
use crate::output::{print, print_json};
use crate::progress::{counted, human_bytes};

/// What files of one verdict add up to.
#[derive(Default)]
struct Sums(BTreeMap<&'static str, (u64, u64)>);

/// Shows the plan; changes nothing.
pub(crate) async fn run(settings: Settings, global: &GlobalArgs) -> Result<Exit> {
    let pipeline = Pipeline::open(settings).await?;
    let mut sums = Sums::default();
    let mut printed = Ok(());
    let tables = pipeline
        .preview(&mut |file| {
            sums.add(&file);
            if printed.is_ok() {
                printed = show_file(&file, global.output);
            }
        })
        .await?;
    printed?;
    let failed = tables.iter().any(|table| table.error.is_some());
    match global.output {
        OutputFormat::Json => {
            for table in &tables {
                print_json(table)?;
            }
            print_json(&sums.json())?;
        }
        OutputFormat::Text => print(&format!("{}{}", describe_tables(&tables), sums.text()))?,
    }
    Ok(if failed { Exit::Failed } else { Exit::Ok })
}

fn show_file(file: &FilePlan, output: OutputFormat) -> Result<()> {
    match output {
        OutputFormat::Json => print_json(file),
        OutputFormat::Text => {
            let table = file.table.as_deref().unwrap_or("-");
            print(&format!(
                "{:<8}  {:>10}  {}  ->  {table}  ({})\n",
                file.verdict.action,
                human_bytes(file.size),
                file.file.escape_debug(),
                file.verdict.reason
            ))
        }
    }
}

fn describe_tables(tables: &[TablePlanned]) -> String {
    let mut text = String::new();
    for table in tables {
        let state = match (&table.error, table.exists, table.statements.is_empty()) {
            (Some(_), _, _) => "cannot be planned",
            (None, true, _) => "exists",
            (None, false, false) => "would be created",
            (None, false, true) => "would not be created: its files are empty",
        };
        let _ = writeln!(text, "\ntable {} {state}", table.table);
        for statement in &table.statements {
            let _ = writeln!(text, "  {};", statement.trim_end_matches(';').replace('\n', "\n  "));
        }
        for change in &table.changes {
            let _ = writeln!(text, "  {change}");
        }
        if let Some(error) = &table.error {
            let _ = writeln!(text, "{}", describe_reported(error));
        }
    }
    text
}

impl Sums {
    fn add(&mut self, file: &FilePlan) {
        let sum = self.0.entry(file.verdict.action).or_default();
        sum.0 += 1;
        sum.1 += file.size;
    }

    fn json(&self) -> serde_json::Value {
        let sums = self.0.iter().map(|(action, (files, bytes))| {
            ((*action).to_owned(), json!({"files": files, "bytes": bytes}))
        });
        json!({"sums": sums.collect::<serde_json::Map<_, _>>()})
    }

    fn text(&self) -> String {
        let sums: Vec<String> = self
            .0
            .iter()
            .map(|(action, (files, bytes))| {
                format!("{action}: {}, {}", counted(*files, "file"), human_bytes(*bytes))
            })
            .collect();
        if sums.is_empty() { "\nno files\n".into() } else { format!("\n{}\n", sums.join("; ")) }
    }
}
