//! What is to be done: a file a verb.

mod check;
mod config;
mod demo;
mod discover;
mod history;
mod list;
mod load;
mod plan;
mod rejects;
mod replay;

use clap::CommandFactory;
use decant::config::{DestinationSettings, Overrides, Settings, Vocabulary};
use decant::core::{Error, ErrorKind, Result};

use crate::args::{Cli, GlobalArgs, PlanArgs, Verb};
use crate::exit::Exit;
use crate::interrupt::Interrupt;

/// Runs the verb that was typed.
pub(crate) async fn run(cli: &Cli) -> Result<Exit> {
    let interrupt = Interrupt::listen()
        .map_err(|error| Error::new(ErrorKind::Internal, "cannot listen").caused_by(error))?;
    let global = &cli.global;
    match &cli.verb {
        Verb::Load(load) => {
            let settings = with_vocabulary(|vocabulary| load.options(global)?.settings(vocabulary));
            load::run(settings, global, &interrupt, true).await
        }
        Verb::Sync(sync) => {
            let settings = with_vocabulary(|vocabulary| {
                global.document()?.settings(&sync.overrides(global), vocabulary)
            });
            load::run(settings, global, &interrupt, false).await
        }
        Verb::List(list) => interrupt.or(list::run(list, global)).await,
        Verb::Discover(discover) => interrupt.or(discover::run(discover, global)).await,
        Verb::Plan(plan) => match planned(plan, global) {
            Ok(settings) => interrupt.or(plan::run(settings, global)).await,
            Err(error) => Ok(refused(&error)),
        },
        Verb::Check(check) => match planned(check, global) {
            Ok(settings) => interrupt.or(check::run(settings, global)).await,
            Err(error) => Ok(refused(&error)),
        },
        Verb::History(history) => interrupt.or(history::run(history, global)).await,
        Verb::Rejects(rejects) => interrupt.or(rejects::run(rejects, global)).await,
        Verb::Replay(replay) => replay::run(replay, global, &interrupt).await,
        Verb::Config { verb } => config::run(*verb, global),
        Verb::Demo => demo::run(&interrupt).await,
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "decant", &mut script);
            crate::output::print(&String::from_utf8_lossy(&script))?;
            Ok(Exit::Ok)
        }
    }
}

/// The destination that is typed, else the configuration's, else the default.
fn destination_of(overrides: &Overrides, global: &GlobalArgs) -> Result<DestinationSettings> {
    if overrides.destination.url.is_none() && global.config.exists() {
        global.document()?.destination(overrides)
    } else {
        overrides.destination()
    }
}

/// What `plan` and `check` are about: a load, or the configuration.
fn planned(plan: &PlanArgs, global: &GlobalArgs) -> Result<Settings> {
    with_vocabulary(|vocabulary| match plan.options(global)? {
        Some(load) => load.settings(vocabulary),
        None => global.document()?.settings(&plan.overrides(global), vocabulary),
    })
}

/// What was typed cannot be meant.
fn refused(error: &Error) -> Exit {
    crate::output::complain(error);
    Exit::Usage
}

/// Hands over the names that plug-ins go by.
fn with_vocabulary<T>(meant: impl FnOnce(&Vocabulary<'_>) -> Result<T>) -> Result<T> {
    meant(&Vocabulary {
        formats: &decant::registry::format_names(),
        destinations: &decant::registry::destination_schemes(),
    })
}
