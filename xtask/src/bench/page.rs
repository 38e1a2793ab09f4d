//! `docs/benchmarks.md`, from what was measured last.
//!
//! Every goal stands in it, met or not; every contender that could not run,
//! with the reason.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use serde_json::Value;

use super::chart;
use super::goals::GOALS;
use super::measurements::{MEASUREMENTS, Measurement, profile};
use super::results::{self, Outcome, Results};
use super::table;
use crate::Result;
use crate::place::Place;

const PAGE: &str = "docs/benchmarks.md";
const CHART: &str = "docs/benchmarks.svg";

/// The measurement of the chart.
const CHARTED: &str = "csv-postgres";

/// Packages that say nothing by their version are left out.
const PEERS: [&str; 8] = [
    "duckdb",
    "polars",
    "pyarrow",
    "adbc-driver-postgresql",
    "psycopg2-binary",
    "dlt",
    "sling-linux-amd64",
    "s3fs",
];

const INTRODUCTION: &str = "\
# Benchmarks

What decant costs, beside what else one would use, on one machine and in one go.
`cargo xtask bench` makes this page: it makes the data, starts a Postgres and an S3 endpoint, lets all contenders run in turn, several times each, and compares row counts and sums of columns after every load; a wrong result is a failure.
Ratios travel between machines, seconds do not. The goals in seconds were set where the limit, which is told below, took 2.67 s; beside each stands what it means in times of the limit.

- Client CPU and peak RSS (the largest process) are the kernel's account of the contender and its children; server CPU is that of Postgres with all of its backends, endpoint CPU that of the S3 endpoint, which runs on the same cores.
- No client is shown with less than some 9 MB of RSS, the size of the program that starts and times it.
- Each section names the load of the machine when its call began. Where that is above the number of cores, others were at work on it: CPU can be compared, wall times hardly.
- All figures are medians. An empty cell was not measured; a contender that failed says why.
- Postgres runs without fsync, autovacuum or checkpoints in between, so that the disk does not decide; its tables are logged as ever. The database is made anew before each run.
- The limit is `psql \\copy` of rows that are ready in COPY BINARY, into the table that decant makes, with the same columns and index.
- Tools that make their own table choose its types: DuckDB, polars and pyarrow load decimals of CSV as doubles.
- The S3 endpoint listens on loopback and keeps objects in memory. Small files, the listing and `growth` come from decant's own test server, in a process of its own; requests are signed, except those for small files.
";

/// Writes page and chart.
pub(super) fn write(place: &Place, results: &Results, scale: f64) -> Result<()> {
    let mut text = String::from(INTRODUCTION);
    if (scale - 1.0).abs() > f64::EPSILON {
        let _ = writeln!(text, "\nMeasured with {scale} times the rows that the goals are of.");
    }
    text.push_str(&machine(results, scale));
    text.push_str(&goals(results, scale));
    text.push_str("\n![CSV from S3 into Postgres: wall time and CPU](benchmarks.svg)\n");
    for measurement in MEASUREMENTS.iter().filter(|known| known.name != profile::MEASUREMENT) {
        text.push_str(&section(results, measurement, scale));
    }
    text.push_str(&time(&results.latest(profile::MEASUREMENT, scale)));
    let chart = chart::draw(&results.latest(CHARTED, scale));
    for (name, content) in [(PAGE, text), (CHART, chart)] {
        let path = place.root.join(name);
        fs::write(&path, content).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("bench: {name} is written");
    }
    Ok(())
}

/// Machine and versions of the series that the chart is of.
fn machine(results: &Results, scale: f64) -> String {
    let latest = results.latest(CHARTED, scale);
    let facts = latest.first().and_then(|outcome| results.facts(outcome.series));
    let Some(facts) = facts else { return String::new() };
    let of = |name: &str| facts[name].as_str().unwrap_or("unknown").to_owned();
    let mut text = String::from("\n## Machine and versions\n\n| | |\n|---|---|\n");
    let cores = facts["cores"].as_u64().unwrap_or(0);
    let _ = writeln!(text, "| processor | {}, {cores} cores |", of("processor"));
    for (name, fact) in [("memory", "memory"), ("system", "system"), ("decant", "decant")] {
        let _ = writeln!(text, "| {name} | {} |", of(fact));
    }
    let _ = writeln!(text, "| server | {} |", of("postgres"));
    let _ = writeln!(text, "| sqlite3 | {} |", of("sqlite3"));
    let _ = writeln!(text, "| S3 endpoint | {} |", of("endpoint"));
    for name in PEERS {
        let version = facts["peers"][name].as_str().unwrap_or("could not be installed");
        let _ = writeln!(text, "| {name} | {version} |");
    }
    text
}

fn goals(results: &Results, scale: f64) -> String {
    let mut text = String::from(
        "\n## Goals\n\n| goal | measured | wanted | met | read from |\n|---|---:|---:|---|---|\n",
    );
    for goal in GOALS {
        let verdict = goal.judge(results, scale);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            goal.what, verdict.measured, verdict.wanted, verdict.met, goal.measurement
        );
    }
    text
}

fn section(results: &Results, measurement: &Measurement, scale: f64) -> String {
    let mut text = format!("\n## {}\n\n{}.\n", measurement.name, sentence(measurement.about));
    for name in std::iter::once(&measurement.name).chain(measurement.also) {
        let outcomes = results.latest(name, scale);
        if outcomes.is_empty() {
            let _ = writeln!(text, "\n`{name}` was not measured.");
            continue;
        }
        if *name != measurement.name {
            let _ = writeln!(text, "\n`{name}`:");
        }
        let _ = write!(text, "\n{}", table::markdown(&outcomes));
        text.push_str(&commands(&outcomes));
        text.push_str(&circumstances(&outcomes, results));
    }
    text
}

/// The words with a capital in front.
fn sentence(words: &str) -> String {
    let mut characters = words.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}

/// What was run, each command once.
fn commands(outcomes: &[&Outcome]) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for outcome in outcomes {
        if !lines.contains(&outcome.command.as_str()) {
            lines.push(&outcome.command);
        }
    }
    format!("\n```\n{}\n```\n", lines.join("\n"))
}

/// Which decant it was, and how busy the machine.
fn circumstances(outcomes: &[&Outcome], results: &Results) -> String {
    let facts = outcomes.first().and_then(|outcome| results.facts(outcome.series));
    let of = |name: &str| facts.and_then(|facts| facts[name].as_str()).unwrap_or("unknown");
    format!("\n{}; load of the machine at the beginning: {}.\n", of("decant"), of("load"))
}

/// The largest shares of a profile, side by side.
pub(super) fn time(outcomes: &[&Outcome]) -> String {
    let mut text = String::from(
        "\n## Where the time goes\n\nShares of decant's own CPU, in hundredths, while it loads \
         into Postgres, by the module that the time is spent in (`perf`, samples of the top of \
         the stack).\n\n",
    );
    let names = results::contenders(outcomes);
    let mut largest: BTreeMap<&str, f64> = BTreeMap::new();
    for (room, share) in outcomes.iter().flat_map(|outcome| &outcome.figures) {
        let known = largest.entry(room).or_insert(0.0);
        *known = known.max(*share);
    }
    let mut rooms: Vec<(&str, f64)> =
        largest.into_iter().filter(|(_, share)| *share >= 1.0).collect();
    rooms.sort_by(|one, other| other.1.total_cmp(&one.1));
    if rooms.is_empty() {
        let why = outcomes.iter().find_map(|outcome| outcome.failure.as_deref());
        let why = why.and_then(|why| why.lines().next()).unwrap_or("`perf` was not run");
        let _ = writeln!(text, "Not measured: {why}.");
        return text;
    }
    let _ = writeln!(text, "| | {} |\n|---|{}", names.join(" | "), "---:|".repeat(names.len()));
    for (room, _) in rooms {
        let shares = names.iter().map(|name| {
            let share = results::median(outcomes, name, room);
            share.map_or_else(String::new, |share| format!("{share:.1}"))
        });
        let _ = writeln!(text, "| {room} | {} |", shares.collect::<Vec<_>>().join(" | "));
    }
    text
}

impl Results {
    /// Machine and programs of a series.
    fn facts(&self, series: u64) -> Option<&Value> {
        self.all_facts().get(&series)
    }
}
