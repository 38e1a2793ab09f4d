//! `cargo xtask bench`: decant beside what people would use instead.
//!
//! Makes its data, starts a Postgres and an S3 endpoint of its own, runs the
//! contenders of each measurement in turn, and checks what they loaded: a
//! benchmark of wrong results is none. What was measured is kept in the target
//! folder, so that `docs/benchmarks.md` can be written from several calls.
//!
//! It measures finished programs and is no test: nothing here fails because
//! something is slow.

mod arguments;
mod ceph;
mod chart;
mod contender;
mod cost;
mod data;
mod goals;
mod lineup;
mod machine;
mod measurements;
mod page;
mod peers;
mod postgres;
mod processes;
mod programs;
mod results;
mod sqlite;
mod storage;
mod table;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) use arguments::{Options, arguments};

use crate::Result;
use crate::place::Place;
use data::Data;
use measurements::MEASUREMENTS;
use peers::Peers;
use postgres::Postgres;
use programs::Programs;
use results::Results;

/// What every measurement works with.
pub(crate) struct Bench<'p> {
    place: &'p Place,
    options: &'p Options,
    programs: Programs,
    peers: Peers,
    postgres: Postgres,
    /// Ceph's version, where its endpoint is used.
    ceph: Option<String>,
    data: Data,
    results: Results,
    /// For what a contender leaves behind; emptied at the end.
    scratch: PathBuf,
}

/// Measures what was asked for and says what came out.
pub(crate) fn run(place: &Place, options: &Options) -> Result<()> {
    let folder = place.target().join("bench");
    make_folder(&folder)?;
    let results = Results::open(&folder, options.scale, series()?)?;
    if options.measures_nothing() {
        return page::write(place, &results, options.scale);
    }
    let programs = Programs::build(place, options)?;
    let peers = Peers::install(place, options)?;
    let scratch = folder.join("scratch");
    make_folder(&scratch)?;
    let data = Data::new(&folder);
    let ceph = ceph::version(place, options, &peers);
    let postgres = Postgres::start(place)?;
    let mut bench =
        Bench { place, options, programs, peers, postgres, ceph, data, results, scratch };
    let facts = machine::facts(&bench);
    bench.results.keep_facts(&facts)?;
    let mut failed = Vec::new();
    for measurement in MEASUREMENTS.iter().filter(|known| options.wants(known.name)) {
        println!("\nbench: {}: {}", measurement.name, measurement.about);
        if let Err(error) = (measurement.run)(&mut bench) {
            println!("bench: {}: {error}", measurement.name);
            failed.push(measurement.name);
        }
        for name in std::iter::once(&measurement.name).chain(measurement.also) {
            let outcomes = bench.results.of_call(name);
            let profiled = *name == measurements::profile::MEASUREMENT;
            print!("{}", if profiled { page::time(&outcomes) } else { table::markdown(&outcomes) });
        }
    }
    if options.page {
        page::write(place, &bench.results, options.scale)?;
    }
    fs::remove_dir_all(&bench.scratch)
        .map_err(|error| format!("cannot remove {}: {error}", bench.scratch.display()))?;
    if failed.is_empty() { Ok(()) } else { Err(format!("not measured: {}", failed.join(", "))) }
}

/// When the call began, in seconds since 1970: it tells what was measured
/// together.
fn series() -> Result<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map(|passed| passed.as_secs()).map_err(|_| "the clock stands before 1970".to_owned())
}

/// A port that nobody listens on.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|error| format!("no free port: {error}"))
}

fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))
}
