//! What was measured, one JSON object a line, kept in the target folder.
//!
//! A series is one call of `cargo xtask bench`. Only what was measured in one
//! series is ever compared: machines have moods.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::Result;

/// The file with the results.
const FILE: &str = "results.jsonl";

/// Names of figures that every contender of a load has.
pub(super) const WALL: &str = "wall s";
/// Seconds of CPU of the client.
pub(super) const CLIENT: &str = "client CPU s";
/// Seconds of CPU of the database's server.
pub(super) const SERVER: &str = "server CPU s";
/// Seconds of CPU of the S3 endpoint.
pub(super) const ENDPOINT: &str = "endpoint CPU s";
/// The client's largest resident set, in MB.
pub(super) const RSS: &str = "peak RSS MB";

/// One run of one contender, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outcome {
    /// The measurement.
    pub(super) measurement: String,
    /// Who ran.
    pub(super) contender: String,
    /// The series that it belongs to.
    pub(super) series: u64,
    /// Times the rows of the page.
    pub(super) scale: f64,
    /// What was run, as one would type it.
    pub(super) command: String,
    /// Figures by name.
    pub(super) figures: BTreeMap<String, f64>,
    /// Why there are none.
    pub(super) failure: Option<String>,
}

/// All results, of this call and of earlier ones.
pub(super) struct Results {
    file: File,
    outcomes: Vec<Outcome>,
    facts: BTreeMap<u64, Value>,
    scale: f64,
    series: u64,
}

impl Results {
    /// Reads what is there; what is measured from now on is added.
    pub(super) fn open(folder: &Path, scale: f64, series: u64) -> Result<Self> {
        let path = folder.join(FILE);
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        let text = std::fs::read_to_string(&path).map_err(failed)?;
        let mut results =
            Self { file, outcomes: Vec::new(), facts: BTreeMap::new(), scale, series };
        for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            match (line.get("facts"), line["series"].as_u64()) {
                (Some(facts), Some(series)) => {
                    results.facts.insert(series, facts.clone());
                }
                _ => results.outcomes.extend(Outcome::from_json(&line)),
            }
        }
        Ok(results)
    }

    /// Keeps what machine and programs this series is of.
    pub(super) fn keep_facts(&mut self, facts: &Value) -> Result<()> {
        self.facts.insert(self.series, facts.clone());
        self.append(&json!({"series": self.series, "facts": facts}))
    }

    /// Keeps the figures of one run.
    pub(super) fn keep(
        &mut self,
        measurement: &str,
        contender: &str,
        command: &str,
        outcome: Result<BTreeMap<String, f64>>,
    ) -> Result<()> {
        let (figures, failure) = match outcome {
            Ok(figures) => (figures, None),
            Err(failure) => (BTreeMap::new(), Some(failure)),
        };
        let outcome = Outcome {
            measurement: measurement.to_owned(),
            contender: contender.to_owned(),
            series: self.series,
            scale: self.scale,
            command: command.to_owned(),
            figures,
            failure,
        };
        self.append(&outcome.to_json())?;
        self.outcomes.push(outcome);
        Ok(())
    }

    fn append(&mut self, line: &Value) -> Result<()> {
        writeln!(self.file, "{line}").map_err(|error| format!("{FILE}: {error}"))
    }

    /// Machine and programs of all series.
    pub(super) fn all_facts(&self) -> &BTreeMap<u64, Value> {
        &self.facts
    }

    /// The latest series of a measurement at a scale.
    pub(super) fn latest(&self, measurement: &str, scale: f64) -> Vec<&Outcome> {
        let of_it = |outcome: &&Outcome| {
            outcome.measurement == measurement && (outcome.scale - scale).abs() < 1e-9
        };
        let latest = self.outcomes.iter().filter(of_it).map(|outcome| outcome.series).max();
        self.outcomes.iter().filter(of_it).filter(|o| Some(o.series) == latest).collect()
    }

    /// The latest series of a measurement at this call's scale.
    pub(super) fn of_call(&self, measurement: &str) -> Vec<&Outcome> {
        self.latest(measurement, self.scale)
    }
}

/// The contenders of outcomes, in the order of their first run.
pub(super) fn contenders<'o>(outcomes: &[&'o Outcome]) -> Vec<&'o str> {
    let mut names: Vec<&str> = Vec::new();
    for outcome in outcomes {
        if !names.contains(&outcome.contender.as_str()) {
            names.push(&outcome.contender);
        }
    }
    names
}

/// The median of a contender's figure over its runs.
pub(super) fn median(outcomes: &[&Outcome], contender: &str, figure: &str) -> Option<f64> {
    let of_it = outcomes.iter().filter(|outcome| outcome.contender == contender);
    let mut values: Vec<f64> = of_it.filter_map(|o| o.figures.get(figure).copied()).collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => None,
        count if count % 2 == 1 => Some(values[count / 2]),
        count => Some((values[count / 2 - 1] + values[count / 2]) / 2.0),
    }
}

impl Outcome {
    fn to_json(&self) -> Value {
        json!({
            "measurement": self.measurement,
            "contender": self.contender,
            "series": self.series,
            "scale": self.scale,
            "command": self.command,
            "figures": self.figures,
            "failure": self.failure,
        })
    }

    fn from_json(line: &Value) -> Option<Self> {
        let text = |name: &str| line[name].as_str().map(str::to_owned);
        let figures = line["figures"].as_object()?.iter();
        Some(Self {
            measurement: text("measurement")?,
            contender: text("contender")?,
            series: line["series"].as_u64()?,
            scale: line["scale"].as_f64()?,
            command: text("command")?,
            figures: figures.filter_map(|(k, v)| Some((k.clone(), v.as_f64()?))).collect(),
            failure: text("failure"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(contender: &str, series: u64, wall: f64) -> Outcome {
        Outcome {
            measurement: "m".into(),
            contender: contender.into(),
            series,
            scale: 1.0,
            command: "c".into(),
            figures: BTreeMap::from([(WALL.to_owned(), wall)]),
            failure: None,
        }
    }

    #[test]
    fn the_median_is_the_middle_of_what_there_is() {
        let outcomes = [1.0, 9.0, 2.0].map(|wall| outcome("a", 1, wall));
        let outcomes: Vec<&Outcome> = outcomes.iter().collect();
        assert_eq!(median(&outcomes, "a", WALL), Some(2.0));
        assert_eq!(median(&outcomes[..2], "a", WALL), Some(5.0));
        assert_eq!(median(&outcomes, "b", WALL), None);
        assert_eq!(contenders(&outcomes), ["a"]);
    }

    #[test]
    fn what_is_kept_is_read_again_and_the_latest_series_counts() {
        let folder = std::env::temp_dir().join(format!("decant-results-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for (series, wall) in [(1, 5.0), (2, 7.0)] {
            let mut results = Results::open(&folder, 1.0, series).unwrap();
            results.keep_facts(&json!({"machine": "m"})).unwrap();
            results.keep("m", "a", "c", Ok(BTreeMap::from([(WALL.into(), wall)]))).unwrap();
            results.keep("m", "b", "c", Err("no".into())).unwrap();
        }
        let results = Results::open(&folder, 1.0, 3).unwrap();
        let latest = results.latest("m", 1.0);
        assert_eq!(latest.len(), 2);
        assert_eq!(*latest[0], outcome("a", 2, 7.0));
        assert_eq!(latest[1].failure.as_deref(), Some("no"));
        assert!(results.latest("m", 0.5).is_empty());
        assert_eq!(results.facts[&2], json!({"machine": "m"}));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
