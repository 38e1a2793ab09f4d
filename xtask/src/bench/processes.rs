//! What running processes have cost so far, by Linux's `/proc`.
//!
//! It counts in hundredths of a second, which the kernel promises to programs.

use std::fs;
use std::thread;
use std::time::Duration;

const TICKS_PER_SECOND: f64 = 100.0;

/// What `/proc/PID/stat` says of a process.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Account {
    parent: u32,
    /// Its own CPU, in ticks.
    own: u64,
    /// That of its children that have ended, in ticks.
    ended_children: u64,
}

/// How long a family must have cost nothing more to be at rest.
const REST: Duration = Duration::from_millis(60);
const RESTS_MAX: u32 = 100;

/// Seconds of CPU of a process and of all of its children, ended or not, once
/// they are at rest: a child that ends right now would be counted nowhere.
pub(super) fn family_seconds(process: u32) -> f64 {
    let mut ticks = family_ticks(process);
    for _ in 0..RESTS_MAX {
        thread::sleep(REST);
        let later = family_ticks(process);
        if later == ticks {
            break;
        }
        ticks = later;
    }
    ticks as f64 / TICKS_PER_SECOND
}

fn family_ticks(process: u32) -> u64 {
    let children: u64 = accounts().filter(|a| a.parent == process).map(|a| a.own).sum();
    account(process).map_or(0, |head| head.own + head.ended_children + children)
}

fn accounts() -> impl Iterator<Item = Account> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| account(entry.file_name().to_str()?.parse().ok()?))
}

fn account(process: u32) -> Option<Account> {
    parse(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

/// The fields behind the program's name, which stands in parentheses and may
/// hold anything.
fn parse(stat: &str) -> Option<Account> {
    let (_, behind) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = behind.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<u64>().ok();
    Some(Account {
        parent: fields.get(1)?.parse().ok()?,
        own: ticks(11)? + ticks(12)?,
        ended_children: ticks(13)? + ticks(14)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_read_whatever_the_program_is_called() {
        let stat = "12 (a) b (c) S 7 1 1 0 -1 4194560 100 200 0 0 30 4 50 6 20 0 1 0 99";
        assert_eq!(parse(stat), Some(Account { parent: 7, own: 34, ended_children: 56 }));
        assert_eq!(parse("12 (x) S 7"), None);
    }
}
