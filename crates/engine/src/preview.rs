//! What a sync would do, and why each file is in or out. Changes nothing.

use std::collections::HashMap;
use std::sync::Arc;

use decant_core::decide::Decision;
use decant_core::{Arrival, Result, Stream, TableName};
use serde::Serialize;

use crate::arrivals::{Arrivals, Judged, Verdict};
use crate::pipeline::{Run, decide_on};
use crate::report::ReportedError;
use crate::sampling::look_at;
use crate::tables::{NoTable, TablePlan, Tables};

/// What would become of one file.
#[derive(Clone, Debug, Serialize)]
pub struct FilePlan {
    /// The stream.
    pub stream: String,
    /// Where the file is.
    pub file: String,
    /// Bytes, as listed.
    pub size: u64,
    /// The table, qualified, where it has one.
    pub table: Option<String>,
    /// What would become of it.
    #[serde(flatten)]
    pub verdict: FileVerdict,
}

/// What would become of a file, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileVerdict {
    /// `load`, `settled`, `excluded`, `ignored`, `failed`.
    pub action: &'static str,
    /// The rule or state behind it.
    pub reason: String,
}

impl FileVerdict {
    fn new(action: &'static str, reason: impl Into<String>) -> Self {
        Self { action, reason: reason.into() }
    }
}

/// A table that files would go to.
#[derive(Clone, Debug, Serialize)]
pub struct TablePlanned {
    /// The stream.
    pub stream: String,
    /// Its qualified name.
    pub table: String,
    /// Whether it is there already.
    pub exists: bool,
    /// What would be executed to make it.
    pub statements: Vec<String>,
    /// Why it cannot be made.
    pub error: Option<ReportedError>,
}

/// A table as it is, or as it would be.
struct Planned {
    name: String,
    plan: Option<TablePlan>,
}

impl Run {
    /// Says of each file of `stream` what a sync would do, in listing order,
    /// and of each table what would be executed.
    pub async fn preview(
        &self,
        stream: &Stream,
        on_file: &mut (dyn FnMut(FilePlan) + Send),
    ) -> Result<Vec<TablePlanned>> {
        let stream = Arc::new(stream.clone());
        let mut tables = self.tables(&stream);
        let mut arrivals = Arrivals::new(&self.services, &stream, self.started_at);
        let mut planned: HashMap<TableName, Planned> = HashMap::new();
        let mut shown = Vec::new();
        for (name, candidates) in arrivals.survey(&mut tables).await? {
            let samples = look_at(
                &candidates.chosen(),
                &self.services,
                &self.settings,
                &stream.format,
                &self.sample_counter(),
            )
            .await;
            let capabilities = self.services.destination.capabilities();
            let qualified = tables.describe(&name).await?.name.to_string();
            let (plan, table) = match tables.statements(&name, samples).await {
                Ok((state, statements)) => {
                    let plan = TablePlan::new(state, &stream, capabilities);
                    (Some(plan), missing_table(&stream, &qualified, statements, None))
                }
                Err(NoTable::Empty) => (None, missing_table(&stream, &qualified, Vec::new(), None)),
                Err(NoTable::Failed(error)) => {
                    (None, missing_table(&stream, &qualified, Vec::new(), Some((&error).into())))
                }
            };
            shown.push(table);
            planned.insert(name, Planned { name: qualified, plan });
        }
        while let Some(page) = arrivals.next().await? {
            self.preview_page(&stream, page, &mut tables, &mut planned, &mut shown, on_file)
                .await?;
        }
        Ok(shown)
    }

    async fn preview_page(
        &self,
        stream: &Arc<Stream>,
        page: Vec<Judged>,
        tables: &mut Tables,
        planned: &mut HashMap<TableName, Planned>,
        shown: &mut Vec<TablePlanned>,
        on_file: &mut (dyn FnMut(FilePlan) + Send),
    ) -> Result<()> {
        let going = page.iter().filter(|judged| matches!(judged.verdict, Verdict::Goes(_)));
        let known = self.known(going.map(|judged| &judged.arrival)).await?;
        for Judged { arrival, verdict } in page {
            let (table, verdict) = match verdict {
                Verdict::Excluded(exclusion) => {
                    let reason = format!("{}: {exclusion}", exclusion.rule());
                    (None, FileVerdict::new("excluded", reason))
                }
                Verdict::Refused(error) => (None, FileVerdict::new("failed", error.chain())),
                Verdict::Goes(name) => {
                    if !planned.contains_key(&name) {
                        let existing = self.existing(stream, tables, &name, shown).await?;
                        planned.insert(name.clone(), existing);
                    }
                    let Some(table) = planned.get(&name) else { continue };
                    let verdict = match &table.plan {
                        Some(plan) => verdict_of(decide_on(plan, &arrival, &known).1),
                        None => FileVerdict::new(
                            "excluded",
                            "empty: no columns to create its table with",
                        ),
                    };
                    (Some(table.name.clone()), verdict)
                }
            };
            on_file(file_plan(stream, &arrival, table, verdict));
        }
        Ok(())
    }

    async fn existing(
        &self,
        stream: &Arc<Stream>,
        tables: &mut Tables,
        name: &TableName,
        shown: &mut Vec<TablePlanned>,
    ) -> Result<Planned> {
        let state = tables.describe(name).await?;
        let name = state.name.to_string();
        shown.push(TablePlanned {
            stream: stream.name.clone(),
            table: name.clone(),
            exists: true,
            statements: Vec::new(),
            error: None,
        });
        let capabilities = self.services.destination.capabilities();
        Ok(Planned { name, plan: Some(TablePlan::new(state, stream, capabilities)) })
    }
}

fn file_plan(
    stream: &Stream,
    arrival: &Arrival,
    table: Option<String>,
    verdict: FileVerdict,
) -> FilePlan {
    FilePlan {
        stream: stream.name.clone(),
        file: arrival.file.location(),
        size: arrival.file.size,
        table,
        verdict,
    }
}

fn missing_table(
    stream: &Stream,
    table: &str,
    statements: Vec<String>,
    error: Option<ReportedError>,
) -> TablePlanned {
    TablePlanned {
        stream: stream.name.clone(),
        table: table.to_owned(),
        exists: false,
        statements,
        error,
    }
}

fn verdict_of(decision: Decision) -> FileVerdict {
    match decision {
        Decision::Load { reason, .. } => FileVerdict::new("load", reason),
        Decision::Settled(status) => FileVerdict::new("settled", status.as_str()),
        Decision::GaveUp { attempts, .. } => {
            FileVerdict::new("failed", format!("gave up after {attempts} attempts"))
        }
        Decision::ChangeIgnored => FileVerdict::new("ignored", "changed, and changes are ignored"),
        Decision::Refused(error) => FileVerdict::new("failed", error.chain()),
    }
}
