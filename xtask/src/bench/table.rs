//! Medians as a table, for the terminal and for the page.

use std::fmt::Write;

use super::results::{self, Outcome, median};

const REASON_CHARACTERS_MAX: usize = 160;

/// A row for each contender, with the medians of all figures; those that are
/// nothing for everybody are left out.
pub(super) fn markdown(outcomes: &[&Outcome]) -> String {
    let names = results::contenders(outcomes);
    let figures = figures(outcomes);
    let mut text = String::from("| |");
    for figure in &figures {
        let _ = write!(text, " {figure} |");
    }
    text.push_str(" runs |\n|---|");
    text.push_str(&"---:|".repeat(figures.len() + 1));
    text.push('\n');
    for name in names {
        let of_it = |outcome: &&&Outcome| outcome.contender == name;
        let _ = write!(text, "| {name} |");
        for figure in &figures {
            let value = median(outcomes, name, figure);
            let _ = write!(text, " {} |", value.map_or_else(String::new, shown));
        }
        let failure = outcomes.iter().filter(of_it).find_map(|o| o.failure.as_deref());
        let runs = outcomes.iter().filter(of_it).filter(|o| o.failure.is_none()).count();
        let _ = match failure {
            Some(why) => writeln!(text, " {} |", reason(why)),
            None => writeln!(text, " {runs} |"),
        };
    }
    text
}

/// The names of all figures, in the order in which they first come, usual ones
/// first.
fn figures<'o>(outcomes: &[&'o Outcome]) -> Vec<&'o str> {
    let usual = [results::WALL, results::CLIENT, results::SERVER, results::ENDPOINT, results::RSS];
    let all = outcomes.iter().flat_map(|outcome| outcome.figures.iter());
    let mut names: Vec<&str> = Vec::new();
    for (name, value) in all {
        if *value != 0.0 && !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let place = |name: &str| usual.iter().position(|known| *known == name).unwrap_or(usual.len());
    names.sort_by_key(|name| place(name));
    names
}

/// A figure with as many digits as tell something.
pub(super) fn shown(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 || size == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// The line that says what was wrong, as far as that can be told.
fn reason(text: &str) -> String {
    let telling = |line: &&str| ["rror", "wrong result"].iter().any(|word| line.contains(word));
    let line = text.lines().rfind(telling).or_else(|| text.lines().next()).unwrap_or_default();
    let short: String = line.trim().chars().take(REASON_CHARACTERS_MAX).collect();
    format!("failed: {}", short.replace('|', "/"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn outcome(contender: &str, wall: f64, failure: Option<&str>) -> Outcome {
        let figures = [(results::WALL.to_owned(), wall), ("files/s".to_owned(), 0.0)];
        Outcome {
            measurement: "m".into(),
            contender: contender.into(),
            series: 1,
            scale: 1.0,
            command: String::new(),
            figures: if failure.is_some() { BTreeMap::new() } else { BTreeMap::from(figures) },
            failure: failure.map(str::to_owned),
        }
    }

    #[test]
    fn a_table_has_medians_and_tells_who_failed() {
        let outcomes =
            [outcome("a", 1.0, None), outcome("a", 3.0, None), outcome("b", 0.0, Some("no | x"))];
        let text = markdown(&outcomes.iter().collect::<Vec<_>>());
        assert_eq!(
            text,
            "| | wall s | runs |\n|---|---:|---:|\n| a | 2.00 | 2 |\n| b |  | failed: no / x |\n"
        );
    }

    #[test]
    fn figures_keep_the_digits_that_tell_something() {
        let shown: Vec<String> = [1234.5, 12.34, 1.234, 0.0123].map(shown).into();
        assert_eq!(shown, ["1234", "12.3", "1.23", "0.0123"]);
    }
}
