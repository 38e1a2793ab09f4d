//! The `decant` command: arguments in, a verb run, an exit code out.
//!
//! What decant does is in the library; here is what a terminal needs.

mod args;
mod exit;
mod interrupt;
mod logging;
mod output;
mod progress;
mod report;
mod table;
mod verbs;

use std::process::ExitCode;

use decant::core::{Error, ErrorKind, Result};

use crate::args::Cli;
use crate::exit::Exit;

/// A file's columns are made on one thread and let go on another, thousands a
/// second: what the C library's allocator spends a quarter of the time with.
#[cfg(unix)]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::read();
    logging::start(cli.global.log_format, cli.global.verbose, cli.global.quiet);
    match run(&cli) {
        Ok(exit) => exit.into(),
        Err(error) => {
            output::complain(&error);
            Exit::of_error(&error).into()
        }
    }
}

fn run(cli: &Cli) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(ErrorKind::Internal, "cannot start").caused_by(error))?;
    let exit = runtime.block_on(Box::pin(verbs::run(cli)));
    // A thread that still waits for the network must not keep us.
    runtime.shutdown_background();
    exit
}
