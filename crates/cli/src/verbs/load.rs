//! `decant load` and `decant sync`: run a pipeline, report.

use decant::Pipeline;
use decant::config::Settings;
use decant::core::Result;
use decant::engine::RunReport;

use crate::args::{GlobalArgs, OutputFormat};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::output::{print, print_json};
use crate::progress::Progress;
use crate::report::describe;

/// Runs what was meant. `required` makes it a failure to find no file at all.
/// With JSON output even a run that never began has its report.
pub(crate) async fn run(
    settings: Result<Settings>,
    global: &GlobalArgs,
    interrupt: &Interrupt,
    required: bool,
) -> Result<Exit> {
    let opened = match settings {
        Ok(settings) => Pipeline::open(settings).await,
        Err(error) => Err(error),
    };
    let pipeline = match (opened, global.output) {
        (Ok(pipeline), _) => pipeline,
        (Err(error), OutputFormat::Json) => {
            print_json(&RunReport::not_begun(&error))?;
            return Err(error);
        }
        (Err(error), OutputFormat::Text) => return Err(error),
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
