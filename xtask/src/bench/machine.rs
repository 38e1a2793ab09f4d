//! What the figures are of: the machine, and the versions of the programs.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::Bench;
use super::programs::said_by;
use crate::shell;

/// Everything that a reader must know to compare.
pub(super) fn facts(bench: &Bench<'_>) -> Value {
    json!({
        "processor": processor(),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memory": memory(),
        "system": system(),
        "load": load(),
        "decant": format!("{} ({})", bench.programs.decant_version(), origin(bench)),
        "postgres": bench.postgres.version(),
        "sqlite3": said_by(Path::new("sqlite3"), &["--version"]),
        "endpoint": bench.ceph.as_deref().unwrap_or("decant's own test server"),
        "peers": bench.peers.versions(),
    })
}

/// The commit that decant was built from, where it was built here.
fn origin(bench: &Bench<'_>) -> String {
    if bench.options.decant.is_some() {
        return "built elsewhere".to_owned();
    }
    let mut git = shell::program(bench.place, "git");
    git.args(["describe", "--always", "--dirty"]);
    shell::read(&mut git).map_or_else(|_| "no commit".to_owned(), |said| said.trim().to_owned())
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The value behind `name` in a file of `name : value` lines.
fn value_of(text: &str, name: &str) -> Option<String> {
    let mut lines = text.lines().filter_map(|line| line.split_once([':', '=']));
    let (_, value) = lines.find(|(found, _)| found.trim() == name)?;
    Some(value.trim().trim_matches('"').to_owned())
}

fn processor() -> String {
    value_of(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "unknown".to_owned())
}

fn memory() -> String {
    let total = value_of(&read("/proc/meminfo"), "MemTotal");
    let kilobytes = total.and_then(|total| total.split(' ').next()?.parse::<f64>().ok());
    kilobytes.map_or_else(|| "unknown".to_owned(), |kb| format!("{:.0} GiB", kb / 1_048_576.0))
}

fn system() -> String {
    let name = value_of(&read("/etc/os-release"), "PRETTY_NAME").unwrap_or_default();
    format!("{name}, Linux {}", read("/proc/sys/kernel/osrelease").trim())
}

/// How many processes wanted a core in the minute before.
fn load() -> String {
    read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_name() {
        let text = "model\t: 1\nmodel name\t: Some Processor\n";
        assert_eq!(value_of(text, "model name").as_deref(), Some("Some Processor"));
        assert_eq!(value_of("PRETTY_NAME=\"Debian 12\"", "PRETTY_NAME").unwrap(), "Debian 12");
        assert_eq!(value_of(text, "size"), None);
    }
}
