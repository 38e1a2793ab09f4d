//! What a sync would do, and why each file is in or out. Changes nothing.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use decant_core::decide::Decision;
use decant_core::destination::TableChange;
use decant_core::stream::{FormatOptions, Reload, WriteMode};
use decant_core::{Arrival, Result, Stream, TableName};
use serde::Serialize;

use crate::archives::Unfolded;
use crate::arrivals::{Arrivals, Judged, Verdict};
use crate::decisions::{Known, decide_on};
use crate::foreseen::Foreseen;
use crate::pipeline::Run;
use crate::report::ReportedError;
use crate::sampling::{Candidates, look_at};
use crate::tables::{NoTable, Place, TablePlan, Tables};

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
    /// What would be executed to make it, or to give it columns.
    pub statements: Vec<String>,
    /// How the columns and types of the files differ from the table's, as far
    /// as a look at up to ten of them tells: what would be added, left out,
    /// widened, and for which file.
    pub changes: Vec<String>,
    /// Why it cannot be made.
    pub error: Option<ReportedError>,
}

/// A table as it is, or as it would be.
struct Planned {
    name: String,
    /// What becomes of its files where it cannot be.
    plan: Result<TablePlan, FileVerdict>,
    /// Files that would be loaded into it.
    files: Candidates,
}

impl Planned {
    fn new(name: String, plan: Result<TablePlan, FileVerdict>) -> Self {
        Self { name, plan, files: Candidates::default() }
    }
}

/// What becomes of files that have no table.
fn without_table(why: &NoTable) -> FileVerdict {
    match why {
        NoTable::Empty => {
            FileVerdict::new("excluded", "empty: no columns to create its table with")
        }
        NoTable::NoMembers => {
            FileVerdict::new("excluded", "no members: nothing to create its table with")
        }
        NoTable::Failed(error) => FileVerdict::new("failed", error.chain()),
    }
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
        for (name, candidates) in arrivals.survey(&mut tables, None).await? {
            let looks = self.look_at_candidates(&stream, candidates.chosen()).await;
            let capabilities = self.services.destination.capabilities();
            let Some(state) = tables.describe(&name).await? else { continue };
            let qualified = state.name.to_string();
            let made = tables.statements(&name, looks).await;
            let (statements, error) = match &made {
                Ok((_, statements)) => (statements.clone(), None),
                Err(NoTable::Empty | NoTable::NoMembers) => (Vec::new(), None),
                Err(NoTable::Failed(error)) => (Vec::new(), Some(error.into())),
            };
            let table = missing_table(&stream, &qualified, statements, error);
            let plan = match made {
                Ok((state, _)) => Ok(TablePlan::new(state, &stream, capabilities)),
                Err(why) => Err(without_table(&why)),
            };
            shown.push(table);
            planned.insert(name, Planned::new(qualified, plan));
        }
        // Members can be looked at as long as their archives are known.
        let mut known_archives = Vec::new();
        while let Some(page) = arrivals.next().await? {
            let mut page = VecDeque::from(page);
            while let Some(part) = self.unfold_all(&stream, &mut page).await? {
                let Unfolded { mut page, empty, archives } = part;
                page.extend(empty);
                page.sort_by(|one, other| one.arrival.file.key.cmp(&other.arrival.file.key));
                known_archives.extend(archives);
                self.preview_page(&stream, page, &mut tables, &mut planned, &mut shown, on_file)
                    .await?;
            }
        }
        for table in &mut shown {
            let found = planned.iter_mut().find(|(_, planned)| planned.name == table.table);
            if let Some((name, Planned { plan: Ok(plan), files, .. })) = found {
                self.foresee(&stream, plan, files, table).await?;
                table.changes.extend(tables.spellings.sentence(&stream, name));
            }
        }
        Ok(shown)
    }

    /// Says what a table's new files would change about it, or how they meet
    /// the table that would be made for them.
    async fn foresee(
        &self,
        stream: &Stream,
        plan: &TablePlan,
        files: &Candidates,
        shown: &mut TablePlanned,
    ) -> Result<()> {
        let mut foreseen = Foreseen::new(plan.clone());
        let format = FormatOptions { habits: plan.habits(), ..stream.format.clone() };
        for file in files.chosen() {
            let (files, counter) = ([file], self.sample_counter());
            let looked = look_at(&files, &self.services, &self.settings, &format, &counter).await;
            match looked {
                Ok(samples) => {
                    samples.iter().for_each(|it| foreseen.look(&files[0].location(), it));
                }
                Err(error) => foreseen.changes.push(format!("unreadable: {}", error.chain())),
            }
        }
        let Foreseen { added: columns, changes, .. } = foreseen;
        if shown.exists && !columns.is_empty() {
            let table = plan.state.name.clone();
            let change = TableChange::AddColumns { table, columns };
            shown.statements = self.services.destination.apply(&change, true).await?;
        }
        shown.changes = changes;
        Ok(())
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
        let format = &stream.format;
        for Judged { arrival, verdict } in page {
            let (table, verdict) = match verdict {
                Verdict::Excluded(exclusion) => {
                    let reason = format!("{}: {exclusion}", exclusion.rule());
                    (None, FileVerdict::new("excluded", reason))
                }
                Verdict::Refused(error) => (None, FileVerdict::new("failed", error.chain())),
                Verdict::Goes(name) => {
                    tables.spellings.see(stream, &name, &arrival.file.key);
                    if !planned.contains_key(&name) {
                        let existing = self.existing(stream, tables, &name, shown).await?;
                        planned.insert(name.clone(), existing);
                    }
                    let Some(table) = planned.get_mut(&name) else { continue };
                    let verdict = match &table.plan {
                        Ok(plan) => {
                            let verdict = verdict_on(stream, plan, &arrival, &known);
                            let is_archive = self.archives.is_archive(&arrival.file, format);
                            if verdict.action == "load" && !is_archive.unwrap_or(true) {
                                table.files.offer(&arrival.file);
                            }
                            verdict
                        }
                        Err(verdict) => verdict.clone(),
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
        let state = match tables.describe(name).await? {
            Some(state) => state,
            None => {
                let Place::None(name, why) = tables.place(name).await? else {
                    let plan = Err(without_table(&NoTable::Empty));
                    return Ok(Planned::new(name.to_string(), plan));
                };
                let name = name.to_string();
                let error = match why.as_ref() {
                    NoTable::Failed(error) => Some(error.into()),
                    NoTable::Empty | NoTable::NoMembers => None,
                };
                shown.push(missing_table(stream, &name, Vec::new(), error));
                return Ok(Planned::new(name, Err(without_table(&why))));
            }
        };
        let name = state.name.to_string();
        shown.push(TablePlanned {
            stream: stream.name.clone(),
            table: name.clone(),
            exists: true,
            statements: Vec::new(),
            changes: Vec::new(),
            error: None,
        });
        let capabilities = self.services.destination.capabilities();
        Ok(Planned::new(name, Ok(TablePlan::new(state, stream, capabilities))))
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
        changes: Vec::new(),
        error,
    }
}

fn verdict_on(stream: &Stream, plan: &TablePlan, file: &Arrival, known: &Known) -> FileVerdict {
    if stream.write_mode == WriteMode::Replace {
        let unless = match stream.reload {
            Reload::Force => "",
            Reload::None | Reload::Failed => ", unless the last replace left it so",
        };
        return FileVerdict::new("load", format!("the table is replaced{unless}"));
    }
    match decide_on(plan, file, known).1 {
        Decision::Load { reason, .. } => FileVerdict::new("load", reason),
        Decision::Settled(status) => FileVerdict::new("settled", status.as_str()),
        Decision::GaveUp { attempts, .. } => {
            FileVerdict::new("failed", format!("gave up after {attempts} attempts"))
        }
        Decision::ChangeIgnored => FileVerdict::new("ignored", "changed, and changes are ignored"),
        Decision::Refused(error) => FileVerdict::new("failed", error.chain()),
    }
}
