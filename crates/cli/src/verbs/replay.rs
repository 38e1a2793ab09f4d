//! `decant replay`: rejected rows, loaded again after a mend.

use decant::core::{Error, ErrorKind, Result, Stream};
use decant::rejects::{read_edited, replay};

use super::{destination_of, with_vocabulary};
use crate::args::{GlobalArgs, OutputFormat, ReplayArgs};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::output::{print, print_json};
use crate::report::describe_replay;

/// Replays what was chosen, and reports.
pub(crate) async fn run(
    args: &ReplayArgs,
    global: &GlobalArgs,
    interrupt: &Interrupt,
) -> Result<Exit> {
    let mut replayed = args.replay()?;
    if let Some(path) = &args.from {
        let named = |error: Error| error.in_file(path.display().to_string());
        let text = std::fs::read(path).map_err(|error| {
            named(Error::new(ErrorKind::InvalidConfig, "the edited rows cannot be read"))
                .caused_by(error)
        })?;
        replayed.edits = Some(read_edited(&text).map_err(named)?);
    }
    let streams = streams(args, global)?;
    let settings = destination_of(&args.overrides(global), global)?;
    let opening = async {
        let destination = decant::open_destination_of(&settings).await?;
        let filter = args.choice().filter(&destination).await?;
        Result::Ok((destination, filter))
    };
    let Some(opened) = interrupt.stop().unless_requested(opening).await else {
        return Ok(interrupt.exit().unwrap_or(Exit::Interrupted));
    };
    let destination;
    (destination, replayed.filter) = opened?;
    let report = replay(destination, streams, &replayed, interrupt.stop()).await;
    match global.output {
        OutputFormat::Json => print_json(&report)?,
        OutputFormat::Text => print(&describe_replay(&report))?,
    }
    Ok(interrupt.exit().unwrap_or_else(|| Exit::of_report(&report)))
}

/// The streams of the configuration, where there is one.
fn streams(args: &ReplayArgs, global: &GlobalArgs) -> Result<Vec<Stream>> {
    if !global.config.exists() {
        return Ok(Vec::new());
    }
    let settings = with_vocabulary(|vocabulary| {
        global.document()?.settings(&args.overrides(global), vocabulary)
    })?;
    Ok(settings.streams)
}
