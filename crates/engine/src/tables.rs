//! The tables of a run: described once, created or extended when rules allow,
//! looked at again when somebody changed them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use decant_core::conform::{
    Conform, FitRules, Mismatch, NewColumn, added_columns, new_table_columns,
};
use decant_core::decide::DecisionRules;
use decant_core::destination::{TableChange, TableState};
use decant_core::format::{FileColumns, Sample};
use decant_core::habits::Habits;
use decant_core::layout::Layout;
use decant_core::reject::Reason;
use decant_core::schema::{FILE_ID_COLUMN, RESCUED_COLUMN};
use decant_core::stream::{
    Atomic, FormatOptions, MissingColumns, NewColumns, OnChange, Reload, TypePolicy, WriteMode,
};
use decant_core::{
    Capabilities, Destination, Error, ErrorKind, FileVersion, Reject, Result, Stream, TableName,
    TableSchema,
};
use tokio::sync::{Mutex, RwLock};

use crate::feeds::Feeds;
use crate::file_progress::Contradiction;
use crate::report::Tally;
use crate::sampling::Looks;
use crate::spellings::Spellings;
use crate::widening;

/// A table with the stream's rules for it, all defaults decided.
#[derive(Clone, Debug)]
pub(crate) struct TablePlan {
    pub(crate) state: TableState,
    /// The qualified name, as the ledger has it.
    name: String,
    pub(crate) schema: TableSchema,
    pub(crate) rules: DecisionRules,
    /// How files are made to fit it.
    pub(crate) fit: FitRules,
    format: FormatOptions,
    pub(crate) capabilities: Capabilities,
}

impl TablePlan {
    pub(crate) fn new(state: TableState, stream: &Stream, capabilities: &Capabilities) -> Self {
        let schema = state.schema.clone().unwrap_or_default();
        let has_file_id = schema.has_file_id();
        let default_change = if has_file_id { OnChange::Replace } else { OnChange::Fail };
        Self {
            rules: DecisionRules {
                on_change: stream.on_change.unwrap_or(default_change),
                reload: stream.reload,
                max_attempts: stream.max_attempts,
                has_file_id,
                allow_duplicates: stream.allow_duplicates,
            },
            fit: FitRules::new(stream, state.created_by_decant),
            format: stream.format.clone(),
            capabilities: capabilities.clone(),
            name: state.name.to_string(),
            state,
            schema,
        }
    }

    /// What is expected of its files from its columns alone.
    pub(crate) fn habits(&self) -> Option<Arc<Habits>> {
        let added = &self.fit.columns.added;
        let is_own = |name: &str| {
            name == FILE_ID_COLUMN
                || name == RESCUED_COLUMN
                || added.iter().any(|added| added.name == name)
        };
        let columns = self.schema.columns.iter().map(|column| &column.name);
        let of_table = columns.filter(|name| !is_own(name));
        // Files have the names that the rules change into the table's.
        let renamed = self.fit.columns.rename.keys();
        Habits::of_table(of_table.chain(renamed).cloned().collect())
    }

    /// Matches a file's columns with the table's; `before` is how fewer of
    /// them did.
    pub(crate) fn conform(
        &self,
        file: &FileColumns,
        before: Option<&Conform>,
    ) -> Result<Conform, Mismatch> {
        match before {
            Some(before) => before.grown(file, &self.state, &self.fit, &self.capabilities),
            None => Conform::new(file, &self.state, &self.fit, &self.capabilities),
        }
    }

    /// Refuses a file, at its end, that lacks columns which it must have.
    pub(crate) fn check_complete(&self, conform: &Conform) -> Result<()> {
        match self.fit.missing_columns {
            MissingColumns::Fail => conform.check_complete(),
            MissingColumns::Null => Ok(()),
        }
    }

    /// Why the table is not given the columns that the rules need, if it may
    /// not be changed.
    pub(crate) fn not_ours_to_add(&self, new: &[NewColumn]) -> Option<Error> {
        let needed = new.iter().find(|column| column.column_type.is_some())?;
        if self.state.created_by_decant || self.fit.new_columns == NewColumns::Add {
            return None;
        }
        let (table, column) = (&self.state.name, &needed.name);
        Some(Error::new(
            ErrorKind::SchemaMismatch,
            format!("table {table} has no column `{column}`, which the stream's rules fill"),
        ))
    }

    /// How the raw text of a file's rejects is read again.
    pub(crate) fn layout(&self, file: &FileColumns) -> Layout {
        let mut layout = Layout::new(file, &self.fit.columns, &self.fit.filter);
        if layout.options == FormatOptions::default() {
            layout.options = self.format.clone();
        }
        Layout { new_columns: Some(self.fit.new_columns), ..layout }
    }

    /// The columns that may be widened and whose types bad rows contradict.
    /// `names` are the file's columns.
    pub(crate) fn contradictions(
        &self,
        conform: &Conform,
        names: &[String],
        rejects: &[Reject],
    ) -> Vec<Contradiction> {
        let mut contradictions = Vec::new();
        let of_type = || rejects.iter().filter(|reject| reject.reason == Reason::Type);
        if self.fit.types == TypePolicy::Frozen || of_type().next().is_none() {
            return contradictions;
        }
        for (index, contradiction) in self.exact_columns(conform) {
            if of_type().any(|reject| reject.column.as_ref() == names.get(index)) {
                contradictions.push(contradiction);
            }
        }
        contradictions
    }

    /// The columns of a file whose types were inferred: their positions in the
    /// file, and what would contradict them.
    pub(crate) fn exact_columns(&self, conform: &Conform) -> Vec<(usize, Contradiction)> {
        let loaded = conform.loaded_columns().filter_map(|(index, position)| {
            let target = conform.targets[index].as_ref().filter(|target| target.exact)?;
            let column = self.schema.columns.get(position)?.name.clone();
            Some((index, Contradiction { column, column_type: target.column_type }))
        });
        loaded.collect()
    }

    /// Whether the table is still such that this contradicts it.
    fn is_contradicted(&self, contradiction: &Contradiction) -> bool {
        let Contradiction { column, column_type } = contradiction;
        let position = self.schema.position(column);
        position.is_some_and(|at| self.schema.columns[at].column_type == Some(*column_type))
    }

    /// The qualified name, as the ledger has it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// A table that files are being loaded into.
pub(crate) struct Table {
    /// Whether this run created it, so that it is empty whatever the ledger
    /// says.
    pub(crate) is_new: bool,
    plan: RwLock<Arc<TablePlan>>,
    changing: Mutex<()>,
    stream: Arc<Stream>,
    destination: Arc<dyn Destination>,
    tally: Arc<Tally>,
    /// What is expected of its files.
    habits: Option<Arc<Habits>>,
}

impl Table {
    /// How its files are to be read.
    pub(crate) fn format(&self) -> FormatOptions {
        FormatOptions { habits: self.habits.clone(), ..self.stream.format.clone() }
    }

    /// The plan as it stands.
    pub(crate) async fn plan(&self) -> Arc<TablePlan> {
        Arc::clone(&*self.plan.read().await)
    }

    /// Looks at the table again: somebody changed it.
    pub(crate) async fn look_again(&self) -> Result<()> {
        let name = self.plan().await.state.name.clone();
        let state = self.destination.describe(&name).await?;
        if state.schema.is_none() {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("table {name} was dropped while files were being loaded into it"),
            ));
        }
        self.tally.table(&state);
        let plan = TablePlan::new(state, &self.stream, self.destination.capabilities());
        *self.plan.write().await = Arc::new(plan);
        Ok(())
    }

    /// Adds the columns that a file has and the table has not.
    pub(crate) async fn extend(
        &self,
        file: &FileVersion,
        sample: &Sample,
        new: &[NewColumn],
    ) -> Result<()> {
        let _alone = self.changing.lock().await;
        let capabilities = self.destination.capabilities();
        let plan = self.plan().await;
        let table = plan.state.name.clone();
        let columns = added_columns(sample, new, &plan.fit, capabilities)?;
        let change = TableChange::AddColumns { table: table.clone(), columns };
        if let Some(needed) = plan.not_ours_to_add(new) {
            let statements = self.destination.apply(&change, true).await?;
            return Err(needed.with_hint(format!("add it yourself: {}", statements.join("; "))));
        }
        self.destination.apply(&change, false).await?;
        self.look_again().await?;
        self.tally.columns_added(&table, new, &file.location());
        Ok(())
    }

    /// Whether one of these still contradicts the table as it is planned now.
    pub(crate) async fn is_contradicted(&self, contradicted: &[Contradiction]) -> bool {
        let plan = self.plan().await;
        contradicted.iter().any(|contradiction| plan.is_contradicted(contradiction))
    }

    /// Widens the columns whose types a file contradicts, as a look at the
    /// whole of it says. Answers the types for which there is no wider one.
    pub(crate) async fn widen(
        &self,
        file: &FileVersion,
        sample: &Sample,
        mut contradicted: Vec<Contradiction>,
    ) -> Result<Vec<Contradiction>> {
        let _alone = self.changing.lock().await;
        // Somebody else may have widened it meanwhile.
        self.look_again().await?;
        let plan = self.plan().await;
        let Ok(conform) = plan.conform(&sample.columns, None) else { return Ok(Vec::new()) };
        let steps = widening::steps(&plan, &conform, sample, &contradicted);
        contradicted.retain(|it| {
            plan.is_contradicted(it) && !steps.iter().any(|step| step.is_of(&it.column))
        });
        if steps.is_empty() {
            return Ok(contradicted);
        }
        let table = plan.state.name.clone();
        let widened = widening::apply(self.destination.as_ref(), &table, steps).await?;
        self.look_again().await?;
        self.tally.columns_widened(&table, &widened, &file.location());
        Ok(contradicted)
    }
}

/// Why files have no table to go to.
#[derive(Debug)]
pub(crate) enum NoTable {
    /// The files looked at have no columns: nothing to create a table from.
    Empty,
    /// There are archives alone, and no member to look at.
    NoMembers,
    /// No file could be looked at, or the rules do not fit what was found.
    Failed(Error),
}

/// A table, or why there is none; under its qualified name.
#[derive(Clone)]
pub(crate) enum Place {
    Ready(Arc<Table>),
    None(TableName, Arc<NoTable>),
}

/// The tables of one stream in one run.
pub(crate) struct Tables {
    stream: Arc<Stream>,
    destination: Arc<dyn Destination>,
    tally: Arc<Tally>,
    described: HashMap<TableName, TableState>,
    created: HashSet<TableName>,
    places: HashMap<TableName, Place>,
    habits: HashMap<TableName, Arc<Habits>>,
    feeds: Arc<Feeds>,
    pub(crate) spellings: Spellings,
}

impl Tables {
    pub(crate) fn new(
        stream: Arc<Stream>,
        destination: Arc<dyn Destination>,
        tally: Arc<Tally>,
        feeds: Arc<Feeds>,
    ) -> Self {
        Self {
            stream,
            destination,
            tally,
            described: HashMap::new(),
            created: HashSet::new(),
            places: HashMap::new(),
            habits: HashMap::new(),
            feeds,
            spellings: Spellings::default(),
        }
    }

    /// The table's state, asked for once. `None` where a template made a name
    /// of which nothing can come: its files fail by themselves then.
    pub(crate) async fn describe(&mut self, name: &TableName) -> Result<Option<TableState>> {
        if let Some(state) = self.described.get(name) {
            return Ok(Some(state.clone()));
        }
        if let Some(Place::None(..)) = self.places.get(name) {
            return Ok(None);
        }
        let state = match self.destination.describe(name).await {
            Ok(state) => state,
            Err(error) => return self.no_place(name, name.clone(), error).map(|()| None),
        };
        self.feeds.claim(&state.name, &self.stream)?;
        self.check(&state).await?;
        self.described.insert(name.clone(), state.clone());
        Ok(Some(state))
    }

    /// Takes note that a name is no good; an error where it is the only one of
    /// the stream, or the destination cannot be reached or written.
    fn no_place(&mut self, name: &TableName, known_as: TableName, error: Error) -> Result<()> {
        let is_of_all = matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::AccessDenied);
        if self.stream.table.fixed().is_some() || is_of_all {
            return Err(error);
        }
        let place = Place::None(known_as, Arc::new(NoTable::Failed(error)));
        self.places.insert(name.clone(), place);
        Ok(())
    }

    /// Says in the report which names became one table.
    pub(crate) fn tell_spellings(&self) {
        self.spellings.sentences(&self.stream).into_iter().for_each(|it| self.tally.note(it));
    }

    /// Refuses what the stream's write mode or the ledger forbids.
    async fn check(&self, state: &TableState) -> Result<()> {
        if state.schema.is_some() && self.stream.write_mode == WriteMode::Fail {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("table {} exists, and if_exists is `fail`", state.name),
            )
            .with_hint("choose another table, or `append` or `replace`"));
        }
        if let Some(schema) = &state.schema
            && self.stream.atomic == Atomic::Chunk
            && !schema.has_file_id()
        {
            return Err(Error::new(
                ErrorKind::InvalidConfig,
                format!(
                    "table {} has no `_file_id` column, by which the chunks of a file could be \
                     taken back",
                    state.name
                ),
            )
            .with_hint("choose `atomic: file`, or load into a table that decant creates"));
        }
        let starts_over =
            self.stream.write_mode == WriteMode::Replace || self.stream.reload == Reload::Force;
        if state.schema.is_some() || starts_over {
            return Ok(());
        }
        let table = state.name.to_string();
        let loaded = self.destination.ledger().loaded(&table).await?.len();
        if loaded == 0 {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Conflict,
            format!("table {table} is gone, but the ledger says that {loaded} files are in it"),
        )
        .with_hint(
            "--full-refresh loads everything again; or restore the table; or delete the table's \
             rows from the ledger",
        ))
    }

    /// Creates a missing table for these samples, and makes it ready.
    pub(crate) async fn create(&mut self, name: &TableName, looks: Result<Looks>) -> Result<()> {
        let Some(state) = self.describe(name).await? else { return Ok(()) };
        let habits = looks.as_ref().ok().and_then(|looks| looks.habits.clone());
        self.habits.extend(habits.map(|habits| (name.clone(), habits)));
        let columns = match self.columns(looks) {
            Ok(columns) => columns,
            Err(NoTable::Failed(error)) if error.kind() == ErrorKind::InvalidConfig => {
                return Err(error);
            }
            Err(why) => {
                let place = Place::None(state.name, Arc::new(why));
                self.places.insert(name.clone(), place);
                return Ok(());
            }
        };
        let change = TableChange::Create { table: state.name.clone(), columns };
        if let Err(error) = self.destination.apply(&change, false).await {
            return self.no_place(name, state.name, error);
        }
        let created = self.destination.describe(&state.name).await?;
        self.tally.table(&created);
        self.tally.table_created(&created.name);
        self.created.insert(created.name.clone());
        self.described.insert(name.clone(), created);
        Ok(())
    }

    /// The statements that would create a missing table for these samples.
    pub(crate) async fn statements(
        &mut self,
        name: &TableName,
        looks: Result<Looks>,
    ) -> Result<(TableState, Vec<String>), NoTable> {
        let state = match self.describe(name).await.map_err(NoTable::Failed)? {
            Some(state) => state,
            None => return Err(NoTable::Failed(unknown(name))),
        };
        let columns = self.columns(looks)?;
        let planned = TableState {
            schema: Some(TableSchema { columns: columns.clone() }),
            created_by_decant: true,
            name: state.name.clone(),
        };
        let change = TableChange::Create { table: state.name, columns };
        let statements = self.destination.apply(&change, true).await.map_err(NoTable::Failed)?;
        Ok((planned, statements))
    }

    fn columns(&self, looks: Result<Looks>) -> Result<Vec<decant_core::Column>, NoTable> {
        let Looks { samples, .. } = looks.map_err(NoTable::Failed)?;
        if samples.is_empty() {
            return Err(NoTable::NoMembers);
        }
        if samples.iter().all(|sample| sample.columns.names.is_empty()) {
            return Err(NoTable::Empty);
        }
        new_table_columns(
            &samples,
            &FitRules::new(&self.stream, true),
            self.destination.capabilities(),
            self.stream.file_id,
        )
        .map_err(NoTable::Failed)
    }

    /// Where the files of this table go. A missing table must have been
    /// created before.
    pub(crate) async fn place(&mut self, name: &TableName) -> Result<Place> {
        let described = self.describe(name).await?;
        if let Some(place) = self.places.get(name) {
            return Ok(place.clone());
        }
        let Some(state) = described else {
            return Ok(Place::None(name.clone(), Arc::new(NoTable::Failed(unknown(name)))));
        };
        if state.schema.is_none() {
            let gone = Error::new(ErrorKind::NotFound, format!("there is no table {}", state.name));
            return Ok(Place::None(state.name, Arc::new(NoTable::Failed(gone))));
        }
        self.tally.table(&state);
        let plan = TablePlan::new(state, &self.stream, self.destination.capabilities());
        let place = Place::Ready(Arc::new(Table {
            is_new: self.created.contains(&plan.state.name),
            habits: self.habits.get(name).cloned().or_else(|| plan.habits()),
            plan: RwLock::new(Arc::new(plan)),
            changing: Mutex::new(()),
            stream: Arc::clone(&self.stream),
            destination: Arc::clone(&self.destination),
            tally: Arc::clone(&self.tally),
        }));
        self.places.insert(name.clone(), place.clone());
        Ok(place)
    }
}

fn unknown(table: &TableName) -> Error {
    Error::new(ErrorKind::Internal, format!("nothing is known of table {table}"))
}
