//! Options of `decant rejects` and `decant replay`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{ArgAction, Args};
use decant::config::Overrides;
use decant::config::typed::TypeName;
use decant::core::Result;
use decant::core::value_format::GivenType;
use decant::rejects::{RejectsChoice, Replay};

use super::columns::{map_of, pair};
use super::{DestinationArgs, GlobalArgs, switch};

/// Which rejects are meant.
#[derive(Args)]
pub(super) struct ChosenRejects {
    /// Only of this table
    #[arg(long, value_name = "TABLE", env = "DECANT_REJECTS_TABLE")]
    table: Option<String>,
    /// Only of files whose key, path or location contains this
    #[arg(long, value_name = "TEXT", env = "DECANT_REJECTS_FILE")]
    file: Option<String>,
    /// Only of files that this run loaded
    #[arg(long, value_name = "RUN_ID", env = "DECANT_RUN")]
    run: Option<String>,
    /// Only with this reason, such as type, field_count, quote, encoding or a
    /// constraint's name
    #[arg(long, value_name = "REASON", env = "DECANT_REASON")]
    reason: Option<String>,
}

/// `decant rejects`.
#[derive(Args)]
pub(crate) struct RejectsArgs {
    #[command(flatten)]
    destination: DestinationArgs,
    #[command(flatten)]
    chosen: ChosenRejects,
    /// Also those that a replay has loaded meanwhile
    #[arg(long, env = "DECANT_REJECTS_ALL", value_parser = switch(), action = ArgAction::SetTrue)]
    all: bool,
    /// At most so many [default: 50 where they are shown to people, else all]
    #[arg(long, value_name = "N", env = "DECANT_LIMIT")]
    limit: Option<u64>,
    /// Write the raw rows to this file, to be edited and replayed
    #[arg(long, value_name = "FILE", env = "DECANT_EXPORT")]
    pub(crate) export: Option<PathBuf>,
    /// Let --export replace a file that is there
    #[arg(long, env = "DECANT_OVERWRITE", value_parser = switch(), action = ArgAction::SetTrue)]
    #[arg(requires = "export")]
    pub(crate) force: bool,
}

/// `decant replay`.
#[derive(Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    destination: DestinationArgs,
    #[command(flatten)]
    chosen: ChosenRejects,
    /// The rows of this edited file, which `decant rejects --export` wrote
    #[arg(long, value_name = "FILE", env = "DECANT_REPLAY_FROM")]
    pub(crate) from: Option<PathBuf>,
    /// A column's type for the rows, as for a load; may be given several times
    #[arg(long = "type", value_name = "COLUMN=TYPE", env = "DECANT_TYPE", value_delimiter = '\n')]
    #[arg(value_parser = pair::<TypeName>)]
    column_types: Vec<(String, TypeName)>,
    /// Repair ragged rows and stray quotes
    #[arg(long, env = "DECANT_LENIENT", value_parser = switch(), action = ArgAction::SetTrue)]
    lenient: bool,
    /// Only say what would be loaded
    #[arg(long, env = "DECANT_DRY_RUN", value_parser = switch(), action = ArgAction::SetTrue)]
    dry_run: bool,
}

/// Rejects that people are shown where they do not say how many.
pub(crate) const LIMIT_FOR_PEOPLE: u64 = 50;

impl ChosenRejects {
    fn choice(&self) -> RejectsChoice {
        RejectsChoice {
            table: self.table.clone(),
            file: self.file.clone(),
            run: self.run.clone(),
            reason: self.reason.clone(),
            ..RejectsChoice::default()
        }
    }
}

impl RejectsArgs {
    /// Which rejects are meant; people are shown a screenful.
    pub(crate) fn choice(&self, for_people: bool) -> RejectsChoice {
        let usual = for_people.then_some(LIMIT_FOR_PEOPLE);
        let limit = self.limit.or(usual);
        RejectsChoice { settled: self.all, limit, ..self.chosen.choice() }
    }

    /// The destination as typed; without a URL it is the configuration's.
    pub(crate) fn overrides(&self, global: &GlobalArgs) -> Overrides {
        Overrides { destination: self.destination.typed(), ..global.overrides() }
    }
}

impl ReplayArgs {
    /// Which rejects are meant.
    pub(crate) fn choice(&self) -> RejectsChoice {
        self.chosen.choice()
    }

    /// How they are replayed.
    ///
    /// # Errors
    ///
    /// `InvalidConfig` for a column that is typed twice.
    pub(crate) fn replay(&self) -> Result<Replay> {
        let types = map_of("--type", &self.column_types)?;
        let types: BTreeMap<String, GivenType> =
            types.into_iter().map(|(column, TypeName { given, .. })| (column, given)).collect();
        let (lenient, dry_run) = (self.lenient, self.dry_run);
        Ok(Replay { types, lenient, dry_run, ..Replay::default() })
    }

    /// The destination as typed; without a URL it is the configuration's.
    pub(crate) fn overrides(&self, global: &GlobalArgs) -> Overrides {
        Overrides { destination: self.destination.typed(), ..global.overrides() }
    }
}
