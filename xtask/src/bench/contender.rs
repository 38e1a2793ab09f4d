//! Contenders of a measurement, run in turn, so that what the machine does
//! beside them disturbs all alike.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::Bench;
use super::cost::{self, Cost};
use super::results::{CLIENT, ENDPOINT, RSS, SERVER, WALL};
use super::storage::Storage;
use crate::{Result, shell};

const MEGABYTE: f64 = 1e6;

type Step<'c> = Box<dyn Fn(&Bench<'_>) -> Result<()> + 'c>;
type Reading<'c> = Box<dyn Fn(&Bench<'_>, &str, Cost) -> Result<BTreeMap<String, f64>> + 'c>;

/// Somebody who does what a measurement is about.
pub(super) struct Contender<'c> {
    name: String,
    command: Box<dyn Fn(&Bench<'_>) -> Command + 'c>,
    prepare: Vec<Step<'c>>,
    check: Vec<Step<'c>>,
    reading: Option<Reading<'c>>,
    storage: Option<&'c Storage>,
    runs_max: u32,
    lacks: Option<String>,
}

impl<'c> Contender<'c> {
    /// Somebody who runs a command.
    pub(super) fn new(name: &str, command: impl Fn(&Bench<'_>) -> Command + 'c) -> Self {
        Self {
            name: name.to_owned(),
            command: Box::new(command),
            prepare: Vec::new(),
            check: Vec::new(),
            reading: None,
            storage: None,
            runs_max: u32::MAX,
            lacks: None,
        }
    }

    /// Where it loads from, whose cost is counted too.
    pub(super) fn from(self, storage: &'c Storage) -> Self {
        Self { storage: Some(storage), ..self }
    }

    /// What happens before each run, and is not counted.
    pub(super) fn prepared(mut self, step: impl Fn(&Bench<'_>) -> Result<()> + 'c) -> Self {
        self.prepare.push(Box::new(step));
        self
    }

    /// What must be true after each run.
    pub(super) fn checked(mut self, step: impl Fn(&Bench<'_>) -> Result<()> + 'c) -> Self {
        self.check.push(Box::new(step));
        self
    }

    /// Figures of its own, from what it printed and what it cost.
    pub(super) fn read(
        mut self,
        reading: impl Fn(&Bench<'_>, &str, Cost) -> Result<BTreeMap<String, f64>> + 'c,
    ) -> Self {
        self.reading = Some(Box::new(reading));
        self
    }

    /// The same under another name.
    pub(super) fn renamed(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// Runs so often and no more, because it takes long.
    pub(super) fn at_most(self, runs_max: u32) -> Self {
        Self { runs_max, ..self }
    }

    /// Cannot run, for a reason that is told.
    pub(super) fn unless(self, lacks: Option<String>) -> Self {
        Self { lacks, ..self }
    }

    /// One run: its figures.
    fn run(&self, bench: &Bench<'_>) -> Result<BTreeMap<String, f64>> {
        if let Some(lacks) = &self.lacks {
            return Err(lacks.clone());
        }
        self.prepare.iter().try_for_each(|step| step(bench))?;
        let others =
            || (bench.postgres.cpu_seconds(), self.storage.map_or(0.0, Storage::cpu_seconds));
        let command = self.command(bench);
        let before = others();
        let (cost, said) = cost::of(bench.place, &bench.scratch, &command)?;
        let after = others();
        self.check.iter().try_for_each(|step| step(bench))?;
        let mut figures = BTreeMap::from([
            (WALL.to_owned(), cost.wall),
            (CLIENT.to_owned(), cost.cpu),
            (SERVER.to_owned(), after.0 - before.0),
            (ENDPOINT.to_owned(), after.1 - before.1),
            (RSS.to_owned(), cost.rss / MEGABYTE),
        ]);
        if let Some(reading) = &self.reading {
            figures.extend(reading(bench, &said, cost)?);
        }
        Ok(figures)
    }

    fn command(&self, bench: &Bench<'_>) -> Command {
        let mut command = (self.command)(bench);
        if let Some(storage) = self.storage {
            storage.tell(&mut command);
        }
        command
    }
}

/// Runs the contenders in turn, as often as was asked for, and keeps what came
/// out. One that fails is told and kept too, and does not run again.
pub(super) fn race(
    bench: &mut Bench<'_>,
    measurement: &str,
    contenders: &[Contender<'_>],
) -> Result<()> {
    let mut failed: Vec<&str> = Vec::new();
    for round in 0..bench.options.repeat {
        for contender in contenders {
            let invited = bench.options.invites(&contender.name) && round < contender.runs_max;
            if !invited || failed.contains(&contender.name.as_str()) {
                continue;
            }
            let outcome = contender.run(bench);
            if let Err(message) = &outcome {
                println!("bench: {measurement}: {} failed: {message}", contender.name);
                failed.push(&contender.name);
            }
            let line = shown(&contender.command(bench), bench, contender.storage);
            bench.results.keep(measurement, &contender.name, &line, outcome)?;
        }
    }
    Ok(())
}

/// The command as one would type it, without this machine's places.
fn shown(command: &Command, bench: &Bench<'_>, storage: Option<&Storage>) -> String {
    let mut line = shell::line(command).replace(&bench.postgres.url(), "$POSTGRES");
    if let Some(storage) = storage {
        line = line.replace(&storage.address, "$ENDPOINT");
    }
    for (place, name) in [
        (bench.programs.decant.as_path(), "decant"),
        (bench.scratch.as_path(), "$SCRATCH"),
        (bench.data.folder(), "$DATA"),
        (bench.peers.folder(), "$PEERS"),
        (bench.place.root.as_path(), "."),
    ] {
        line = without(&line, place, name);
    }
    line
}

fn without(line: &str, place: &Path, name: &str) -> String {
    line.replace(&place.display().to_string(), name)
}
