//! What decant is to reach, and whether it does.
//!
//! Each goal is one number of one measurement. Where that was not measured,
//! or failed, the goal says so and is not met.

use super::lineup::LIMIT;
use super::measurements::into_sqlite::{BARE_TABLE, SAME_TABLE};
use super::results::{CLIENT, Outcome, RSS, Results, SERVER, WALL, median};
use super::table::shown;

/// A goal of the page.
pub(super) struct Goal {
    /// What is compared, in words.
    pub(super) what: &'static str,
    /// The measurement that it is read from.
    pub(super) measurement: &'static str,
    /// The number, from one series of the measurement.
    value: fn(&[&Outcome]) -> Option<f64>,
    /// What is wanted of it.
    wanted: Wanted,
}

/// What is wanted of a number.
#[derive(Clone, Copy)]
enum Wanted {
    AtMost(f64),
    AtLeast(f64),
    /// It is told, and not judged.
    Told,
}

use Wanted::{AtLeast, AtMost, Told};

/// What became of a goal.
pub(super) struct Verdict {
    /// The number, or that there is none.
    pub(super) measured: String,
    /// What is wanted.
    pub(super) wanted: String,
    /// `yes`, `no`, or nothing where it is not judged.
    pub(super) met: &'static str,
}

impl Goal {
    /// Looks at the latest series.
    pub(super) fn judge(&self, results: &Results, scale: f64) -> Verdict {
        let value = (self.value)(&results.latest(self.measurement, scale));
        let value = value.filter(|value| value.is_finite());
        let measured = value.map_or_else(|| "not measured".to_owned(), shown);
        let (wanted, met) = match self.wanted {
            AtMost(limit) => {
                (format!("at most {}", shown(limit)), value.is_some_and(|v| v <= limit))
            }
            AtLeast(limit) => {
                (format!("at least {}", shown(limit)), value.is_some_and(|v| v >= limit))
            }
            Told => return Verdict { measured, wanted: String::new(), met: "" },
        };
        Verdict { measured, wanted, met: if met { "yes" } else { "no" } }
    }
}

const fn goal(
    what: &'static str,
    measurement: &'static str,
    wanted: Wanted,
    value: fn(&[&Outcome]) -> Option<f64>,
) -> Goal {
    Goal { what, measurement, value, wanted }
}

/// All of them, in the order of the page.
pub(super) const GOALS: &[Goal] = &[
    goal("CSV into Postgres: wall time, times the limit's", "csv-postgres", AtMost(1.05), |o| {
        Some(of(o, "decant", WALL)? / of(o, LIMIT, WALL)?)
    }),
    goal("CSV into Postgres: client CPU, s", "csv-postgres", AtMost(0.9), |o| {
        of(o, "decant", CLIENT)
    }),
    goal(CLIENT_BESIDE_LIMIT, "csv-postgres", AtMost(0.9 / LIMIT_SECONDS), |o| {
        beside_limit(o, of(o, "decant", CLIENT)?)
    }),
    goal("CSV into Postgres: client and server CPU, s", "csv-postgres", AtMost(3.2), |o| {
        both(o, "decant")
    }),
    goal(BOTH_BESIDE_LIMIT, "csv-postgres", AtMost(3.2 / LIMIT_SECONDS), |o| {
        beside_limit(o, both(o, "decant")?)
    }),
    goal("CSV into Postgres: peak RSS, MB", "csv-postgres", AtMost(64.0), |o| of(o, "decant", RSS)),
    goal("gzip: wall time, times the plain file's", "packed-postgres", AtMost(1.1), |o| {
        Some(of(o, "decant, gzip", WALL)? / of(o, "decant", WALL)?)
    }),
    goal("64 files: wall time, times that of one file", "files-postgres", AtMost(1.0), |o| {
        Some(of(o, "decant, 64 files", WALL)? / of(o, "decant, 1 file", WALL)?)
    }),
    goal("2 connections: wall time, times that of one", "files-postgres", Told, |o| {
        Some(of(o, "decant, 64 files, 2 connections", WALL)? / of(o, ONE_CONNECTION, WALL)?)
    }),
    goal("4 connections: wall time, times that of one", "files-postgres", Told, |o| {
        Some(of(o, "decant, 64 files, 4 connections", WALL)? / of(o, ONE_CONNECTION, WALL)?)
    }),
    goal(
        "CSV into SQLite: CPU, times that of `.import` into the same table",
        "csv-sqlite",
        AtMost(0.4),
        |o| Some(of(o, "decant", CLIENT)? / of(o, SAME_TABLE, CLIENT)?),
    ),
    goal(
        "the same, times that of `.import` into a table without `_file_id` and index",
        "csv-sqlite",
        Told,
        |o| Some(of(o, "decant", CLIENT)? / of(o, BARE_TABLE, CLIENT)?),
    ),
    goal("CSV into SQLite: peak RSS, MB", "csv-sqlite", AtMost(64.0), |o| of(o, "decant", RSS)),
    goal("JSON lines into Postgres: client CPU, s", "json-postgres", AtMost(1.8), |o| {
        of(o, "decant", CLIENT)
    }),
    goal(CLIENT_BESIDE_LIMIT, "json-postgres", AtMost(1.8 / LIMIT_SECONDS), |o| {
        beside_limit(o, of(o, "decant", CLIENT)?)
    }),
    goal("Parquet into Postgres: client CPU, s", "parquet-postgres", AtMost(0.7), |o| {
        of(o, "decant", CLIENT)
    }),
    goal(CLIENT_BESIDE_LIMIT, "parquet-postgres", AtMost(0.7 / LIMIT_SECONDS), |o| {
        beside_limit(o, of(o, "decant", CLIENT)?)
    }),
    goal("decoder of typed CSV, MB/s a core", "decoders", AtLeast(800.0), |o| {
        of(o, "csv/lineitem", SPEED)
    }),
    goal("decoder of quoted CSV, MB/s a core", "decoders", AtLeast(1200.0), |o| {
        of(o, "csv/quoted", SPEED)
    }),
    goal("decoder of JSON lines, MB/s a core", "decoders", AtLeast(800.0), |o| {
        of(o, "json/lineitem", SPEED)
    }),
    goal("the same, keys that change their order", "decoders", AtLeast(800.0), |o| {
        of(o, "json/lineitem in changing order", SPEED)
    }),
    goal("small files: client CPU a file, ms", "small-files", AtMost(0.3), |o| {
        of(o, "decant", "CPU ms a file")
    }),
    goal("small files: files a transaction", "small-files", AtLeast(100.0), |o| {
        Some(of(o, "decant", "files")? / of(o, "decant", "loads")?)
    }),
    goal(
        "the same, 20 ms away: rate, times that of plain GETs",
        "small-files-far",
        AtLeast(0.95),
        |o| Some(of(o, "decant", "files/s")? / of(o, FETCHED, "files/s")?),
    ),
    goal("the same, both over 64 connections", "small-files-far", Told, |o| {
        Some(
            of(o, "decant, 64 requests", "files/s")?
                / of(o, "plain GETs, 64 connections", "files/s")?,
        )
    }),
    goal("the same, both over 16 connections", "small-files-far", Told, |o| {
        Some(
            of(o, "decant, 16 requests", "files/s")?
                / of(o, "plain GETs, 16 connections", "files/s")?,
        )
    }),
    goal("a million known keys, ledger in Postgres: CPU, s", "listing", AtMost(5.0), |o| {
        of(o, "decant, ledger in Postgres", CLIENT)
    }),
    goal("the same: peak RSS, MB", "listing", AtMost(60.0), |o| {
        of(o, "decant, ledger in Postgres", RSS)
    }),
    goal("the same: keys a query", "listing", AtLeast(100.0), |o| {
        of(o, "decant, ledger in Postgres", "keys a query")
    }),
    goal("a million known keys, ledger in SQLite: CPU, s", "listing", AtMost(5.0), |o| {
        of(o, "decant, ledger in SQLite", CLIENT)
    }),
    goal("the same: peak RSS, MB", "listing", AtMost(60.0), |o| {
        of(o, "decant, ledger in SQLite", RSS)
    }),
    goal("a tiny load into SQLite: CPU, ms", "tiny-load", AtMost(25.0), |o| {
        of(o, "decant", "CPU ms a load")
    }),
    goal("4 times the rows: CPU, times that of 4 loads", "growth", AtMost(1.05), |o| {
        Some(both(o, "decant, 4x")? / both(o, "decant, 1x")? / 4.0)
    }),
    goal("16 times the rows: CPU, times that of 16 loads", "growth", AtMost(1.05), |o| {
        Some(both(o, "decant, 16x")? / both(o, "decant, 1x")? / 16.0)
    }),
    goal("16 times the rows: peak RSS, times that of one", "growth", AtMost(1.05), |o| {
        Some(of(o, "decant, 16x", RSS)? / of(o, "decant, 1x", RSS)?)
    }),
];

const SPEED: &str = "MB/s a core";
/// Seconds that the limit took where the goals in seconds were set.
const LIMIT_SECONDS: f64 = 2.67;
const CLIENT_BESIDE_LIMIT: &str = "the same, times the limit's wall time";
const BOTH_BESIDE_LIMIT: &str = "the same sum, times the limit's wall time";
const ONE_CONNECTION: &str = "decant, 64 files, 1 connection";
const FETCHED: &str = "plain GETs, 128 connections";

fn of(outcomes: &[&Outcome], contender: &str, figure: &str) -> Option<f64> {
    median(outcomes, contender, figure)
}

/// CPU of client and server.
fn both(outcomes: &[&Outcome], contender: &str) -> Option<f64> {
    Some(of(outcomes, contender, CLIENT)? + of(outcomes, contender, SERVER)?)
}

/// Seconds as times those that the limit took in the same series, which
/// travels to faster and slower machines.
fn beside_limit(outcomes: &[&Outcome], seconds: f64) -> Option<f64> {
    Some(seconds / of(outcomes, LIMIT, WALL)?)
}

#[cfg(test)]
mod tests {
    use super::super::measurements::MEASUREMENTS;
    use super::*;

    #[test]
    fn every_goal_is_of_a_measurement() {
        for goal in GOALS {
            let known = MEASUREMENTS.iter().any(|measurement| {
                measurement.name == goal.measurement || measurement.also.contains(&goal.measurement)
            });
            assert!(known, "{} is read from {}", goal.what, goal.measurement);
        }
    }

    #[test]
    fn what_was_not_measured_is_not_met() {
        let folder = std::env::temp_dir().join(format!("decant-goals-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut results = Results::open(&folder, 1.0, 1).unwrap();
        let verdict = GOALS[1].judge(&results, 1.0);
        assert_eq!((verdict.measured.as_str(), verdict.met), ("not measured", "no"));
        let figures = std::collections::BTreeMap::from([(CLIENT.to_owned(), 0.8)]);
        results.keep("csv-postgres", "decant", "c", Ok(figures)).unwrap();
        let verdict = GOALS[1].judge(&results, 1.0);
        assert_eq!((verdict.measured.as_str(), verdict.met), ("0.80", "yes"));
        assert_eq!(verdict.wanted, "at most 0.90");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
