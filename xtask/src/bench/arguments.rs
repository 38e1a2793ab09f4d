//! What was asked for on the command line.

use std::path::PathBuf;

use super::measurements::MEASUREMENTS;

/// Words for contenders that need no package of Python.
const OURS: [&str; 4] = ["decant", "psql", "sqlite3", "limit"];

/// The options of `cargo xtask bench`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Options {
    /// Measurements; all where none is named.
    names: Vec<String>,
    /// How many times the rows of the data, 1 for the sizes of the page.
    pub(super) scale: f64,
    /// How often each contender runs, in turn with the others.
    pub(super) repeat: u32,
    /// Contenders whose names contain one of these words; all where none is
    /// given.
    only: Vec<String>,
    /// Whether the page is written at the end.
    pub(super) page: bool,
    /// Whether the S3 endpoint is ours although there is Ceph.
    pub(super) ours: bool,
    /// A decant that is built already.
    pub(super) decant: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            scale: 1.0,
            repeat: 5,
            only: Vec::new(),
            page: false,
            ours: false,
            decant: None,
        }
    }
}

impl Options {
    /// Whether a measurement is to be made.
    pub(super) fn wants(&self, measurement: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| name == measurement)
    }

    /// Whether the page alone was asked for.
    pub(super) fn measures_nothing(&self) -> bool {
        self.page && self.names.is_empty()
    }

    /// Whether a contender takes part.
    pub(super) fn invites(&self, contender: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|word| contender.contains(word.as_str()))
    }

    /// Whether anybody takes part who lives in the peers' Python.
    pub(super) fn invites_peers(&self) -> bool {
        self.only.iter().all(|word| !OURS.contains(&word.as_str())) || self.only.is_empty()
    }

    /// So many rows as `rows` are at scale 1.
    pub(super) fn scaled(&self, rows: u64) -> u64 {
        ((rows as f64 * self.scale) as u64).max(1)
    }
}

/// Reads the words behind `bench`; `None` where they make no sense.
pub(crate) fn arguments(words: &[&str]) -> Option<Options> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--scale" => options.scale = words.next()?.parse().ok().filter(|scale| *scale > 0.0)?,
            "--repeat" => options.repeat = words.next()?.parse().ok().filter(|times| *times > 0)?,
            "--endpoint" => match *words.next()? {
                "ours" => options.ours = true,
                "ceph" => options.ours = false,
                _ => return None,
            },
            "page" => options.page = true,
            "--only" => options.only = words.next()?.split(',').map(str::to_owned).collect(),
            "--decant" => options.decant = Some(words.next()?.into()),
            name if MEASUREMENTS.iter().any(|known| known.name == name) => {
                options.names.push(name.to_owned());
            }
            _ => return None,
        }
    }
    Some(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_measured_unless_something_is_named() {
        let all = arguments(&[]).unwrap();
        assert!(MEASUREMENTS.iter().all(|measurement| all.wants(measurement.name)));
        assert!(arguments(&["page"]).unwrap().measures_nothing());
        let one = arguments(&["csv-postgres", "--scale", "0.1", "--repeat", "3"]).unwrap();
        assert!(one.wants("csv-postgres") && !one.wants("csv-sqlite"));
        assert_eq!((one.scale, one.repeat, one.scaled(20)), (0.1, 3, 2));
    }

    #[test]
    fn what_is_unknown_or_makes_no_sense_is_refused() {
        for words in [&["nothing"][..], &["--scale"], &["--scale", "0"], &["--repeat", "0"]] {
            assert_eq!(arguments(words), None, "{words:?}");
        }
    }

    #[test]
    fn contenders_are_chosen_by_a_part_of_their_name() {
        let options = arguments(&["--only", "decant,psql"]).unwrap();
        assert!(options.invites("decant, gzip") && options.invites("psql, binary"));
        assert!(!options.invites("duckdb"));
    }
}
