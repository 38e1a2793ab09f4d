//! `decant load` and `decant sync`: run a pipeline, report.

use decant::Pipeline;
use decant::config::Settings;
use decant::core::{Error, ErrorKind, Result};
use decant::engine::RunReport;

use crate::args::{GlobalArgs, OutputFormat};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::output::{complain, print, print_json};
use crate::progress::Progress;
use crate::report::describe;

/// Runs what was meant. `required` makes it a failure to find no file at all.
pub(crate) async fn run(
    settings: Result<Settings>,
    global: &GlobalArgs,
    interrupt: &Interrupt,
    required: bool,
) -> Result<Exit> {
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => return not_begun(&error, Exit::Usage, global),
    };
    let pipeline = match interrupt.stop().unless_requested(Pipeline::open(settings)).await {
        Some(Ok(pipeline)) => pipeline,
        Some(Err(error)) => return not_begun(&error, Exit::of_error(&error), global),
        None => {
            let error = Error::new(ErrorKind::Unavailable, "ended by a signal before it began");
            return not_begun(&error, interrupt.exit().unwrap_or(Exit::Interrupted), global);
        }
    };
    let progress = Progress::new(global.progress, global.quiet);
    let report = pipeline.run(progress.observer(), interrupt.stop(), required).await;
    progress.finish();
    match global.output {
        OutputFormat::Json => print_json(&report)?,
        OutputFormat::Text => print(&describe(&report))?,
    }
    Ok(interrupt.exit().unwrap_or_else(|| Exit::of_report(&report)))
}

/// With JSON output even a run that never began has its report.
fn not_begun(error: &Error, exit: Exit, global: &GlobalArgs) -> Result<Exit> {
    if global.output == OutputFormat::Json {
        print_json(&RunReport::not_begun(error))?;
    }
    complain(error);
    Ok(exit)
}
