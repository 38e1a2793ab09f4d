//! Logs: on standard error, as text or as lines of JSON.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging. `verbosity` 0 shows warnings, 1 what is done, 2 details;
/// `DECANT_LOG` (as `RUST_LOG`) says it in full.
pub(crate) fn start(format: LogFormat, verbosity: u8, quiet: bool) {
    let level = match (quiet, verbosity) {
        (true, _) => "error",
        (false, 0) => "warn,s3s=off",
        (false, 1) => "info,s3s=off",
        (false, _) => "debug,hyper=info,rustls=info,aws=info,s3s=off",
    };
    let filter = EnvFilter::try_from_env("DECANT_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => logs.with_target(false).init(),
        LogFormat::Json => logs.json().init(),
    }
}
