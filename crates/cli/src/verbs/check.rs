//! `decant check`: can the source be listed and read, can the destination be
//! written. Each is tried, and nothing is left behind.

use decant::config::Settings;
use decant::core::{Error, Result};
use decant::engine::ReportedError;
use decant::{Check, check};
use serde_json::json;

use crate::args::{GlobalArgs, OutputFormat};
use crate::exit::{Exit, describe};
use crate::output::{print, print_json};

/// Tries everything, and says of each whether it works.
pub(crate) async fn run(settings: Settings, global: &GlobalArgs) -> Result<Exit> {
    let mut exit = Exit::Ok;
    for Check { what, outcome } in check(&settings).await {
        if let Err(error) = &outcome {
            exit = Exit::of_error(error);
        }
        show(&what, outcome.as_deref(), global.output)?;
    }
    Ok(exit)
}

fn show(what: &str, outcome: Result<&str, &Error>, output: OutputFormat) -> Result<()> {
    match (output, outcome) {
        (OutputFormat::Json, Ok(found)) => {
            print_json(&json!({"check": what, "ok": true, "found": found}))
        }
        (OutputFormat::Json, Err(error)) => {
            let error = ReportedError::from(error);
            print_json(&json!({"check": what, "ok": false, "error": error}))
        }
        (OutputFormat::Text, Ok(found)) => print(&format!("ok      {what}: {found}\n")),
        (OutputFormat::Text, Err(error)) => {
            print(&format!("FAILED  {what}\n{}\n", describe(error)))
        }
    }
}
