//! Where the time of a load goes, by samples of its stack's top.

use std::collections::BTreeMap;
use std::process::Command;

use super::ROWS;
use crate::bench::Bench;
use crate::bench::lineup::{LINEITEM, Load};
use crate::bench::storage::Served;
use crate::{Result, shell};

/// What it is kept under.
pub(in crate::bench) const MEASUREMENT: &str = "profile";

/// Who is sampled, and the set that it loads.
const LOADS: [(&str, &str); 3] =
    [("CSV", "lineitem.csv"), ("JSON lines", "lineitem.jsonl"), ("Parquet", "lineitem.parquet")];

/// Samples loads from S3 into Postgres.
pub(super) fn samples(bench: &mut Bench<'_>) -> Result<()> {
    let mut names: Vec<&str> = LOADS.iter().map(|(_, file)| *file).collect();
    let set = bench.set(bench.options.scaled(ROWS), &names)?;
    let served = names.drain(..).fold(Served::default(), |all, name| all.put(&set.path(name)));
    let storage = bench.storage(&served)?;
    let sums = set.sums(LINEITEM.name)?;
    let load = Load { target: LINEITEM, sums: &sums, storage: &storage };
    for (name, file) in LOADS {
        let found = sampled(bench, load, file);
        if let Err(message) = &found {
            println!("bench: {MEASUREMENT}: {name} failed: {message}");
        }
        bench.results.keep(MEASUREMENT, name, "perf record --event cpu-clock", found)?;
    }
    Ok(())
}

fn sampled(bench: &Bench<'_>, load: Load<'_>, file: &str) -> Result<BTreeMap<String, f64>> {
    bench.postgres.renew()?;
    let samples = bench.scratch.join("perf.data");
    let decant = bench.decant(load.storage, file, LINEITEM.name);
    let mut perf = Command::new("perf");
    perf.args(["record", "--quiet", "--event", "cpu-clock", "--freq", "1999", "--output"]);
    perf.arg(&samples).arg("--").arg(decant.get_program()).args(decant.get_args());
    load.storage.tell(&mut perf);
    shell::read(perf.args(["--to", &bench.postgres.url()]))?;
    load.verify(bench)?;
    let mut report = Command::new("perf");
    report.args(["report", "--stdio", "--no-children", "--fields", "overhead,dso,symbol"]);
    let said = shell::read(report.args(["--percent-limit", "0.05", "--input"]).arg(&samples))?;
    Ok(by_room(&said))
}

/// Shares of the samples, in hundredths, by the place of the code.
fn by_room(report: &str) -> BTreeMap<String, f64> {
    let mut shares = BTreeMap::new();
    for line in report.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let share = words.next().and_then(|word| word.strip_suffix('%')?.parse::<f64>().ok());
        let (Some(share), Some(binary)) = (share, words.next()) else { continue };
        let symbol = words.skip(1).collect::<Vec<_>>().join(" ");
        *shares.entry(room(binary, &symbol)).or_insert(0.0) += share;
    }
    shares
}

/// The module of ours that a symbol is of, or whose it is else.
fn room(binary: &str, symbol: &str) -> String {
    if binary.starts_with('[') {
        return "the kernel".to_owned();
    }
    if let Some(at) = symbol.find("decant_") {
        let path = symbol[at + "decant_".len()..].split("::");
        let path: Vec<&str> = path.take_while(|part| is_module(part)).take(2).collect();
        return path.join("::");
    }
    if binary != "decant" {
        return binary.to_owned();
    }
    let path = symbol.trim_start_matches(['<', '&', '*', ' ']);
    match path.split_once("::") {
        Some((name, _)) if is_module(name) => format!("crate {name}"),
        _ if ["mem", "str"].iter().any(|start| symbol.starts_with(start)) => "libc".to_owned(),
        _ => "other".to_owned(),
    }
}

fn is_module(part: &str) -> bool {
    !part.is_empty()
        && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_added_up_by_the_place_of_the_code() {
        let report = "# Samples\n\
            \x20   20.5%  decant  [.] decant_formats::csv::marks::scan\n\
            \x20   10.0%  decant  [.] <decant_formats::csv::marks::Marks as core::Iterator>::next\n\
            \x20    5.0%  [kernel.kallsyms]  [k] copy_user\n\
            \x20    4.0%  libc.so.6  [.] __memmove_avx\n\
            \x20    3.0%  decant  [.] zlib_rs::inflate::run\n\
            \x20    1.0%  decant  [.] memcpy\n";
        let shares = by_room(report);
        assert_eq!(shares["formats::csv"], 30.5);
        assert_eq!(shares["the kernel"], 5.0);
        assert_eq!(shares["libc.so.6"], 4.0);
        assert_eq!(shares["crate zlib_rs"], 3.0);
        assert_eq!(shares["libc"], 1.0);
    }
}
