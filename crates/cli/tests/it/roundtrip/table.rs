//! A random table: numbered rows with columns of several kinds, and what a
//! database answers when it holds just this.

use super::random::Random;
use crate::world::World;

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Decimal,
    Bool,
    Date,
    Timestamp,
    Text,
}

const KINDS: [Kind; 6] =
    [Kind::Integer, Kind::Decimal, Kind::Bool, Kind::Date, Kind::Timestamp, Kind::Text];

/// A value. Decimals count hundredths, timestamps seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Integer(i64),
    Decimal(i64),
    Bool(bool),
    /// Days since 1970-01-01.
    Date(i32),
    /// Seconds since 1970-01-01T00:00:00.
    Timestamp(i64),
    Text(String),
}

/// Rows under names; the first column numbers the rows.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) names: Vec<String>,
    pub(super) kinds: Vec<Kind>,
    pub(super) rows: Vec<Vec<Value>>,
}

const WORDS: [&str; 12] = [
    "alpha", "café", "straße", "garçon", "über", "niño", "plain", "words", "élève", "naïve",
    "señor", "fête",
];
/// What stands between words now and then.
const ODDITIES: [&str; 8] = [", ", "; ", "\n", " \"so\" ", "|", "\t", "'", "  "];

impl Table {
    pub(super) fn random(random: &mut Random) -> Self {
        let others = 1 + random.below(5) as usize;
        let mut kinds = vec![Kind::Integer];
        kinds.extend((0..others).map(|_| random.one_of(&KINDS)));
        let names = (0..kinds.len()).map(|column| match column {
            0 => "id".to_owned(),
            _ => format!("column {column}"),
        });
        let names = names.collect();
        let rows = 8 + random.below(60) as i64;
        let rows = (1..=rows).map(|id| {
            let mut row = vec![Value::Integer(id)];
            row.extend(kinds[1..].iter().map(|kind| match (id > 3) && random.once_in(8) {
                true => Value::Null,
                false => Value::random(random, *kind),
            }));
            row
        });
        let rows = rows.collect();
        Self { names, kinds, rows }
    }

    /// The rows as texts: what a database should answer.
    pub(super) fn expected(&self) -> Vec<Vec<Option<String>>> {
        self.rows.iter().map(|row| row.iter().map(Value::normal).collect()).collect()
    }

    /// The rows as texts, as the database has them, spelled one way.
    pub(super) fn read(&self, world: &World, table: &str) -> Vec<Vec<Option<String>>> {
        let columns = self.names.iter().map(|name| name.replace(' ', "_")).collect::<Vec<_>>();
        let sql = format!("SELECT {} FROM {table} ORDER BY id", columns.join(", "));
        let rows = world.rows(&sql).into_iter();
        rows.map(|row| {
            let values = row.into_iter().zip(&self.kinds);
            values.map(|(value, kind)| value.map(|value| spelled(&value, *kind))).collect()
        })
        .collect()
    }
}

/// One spelling for what databases and formats spell differently.
fn spelled(value: &str, kind: Kind) -> String {
    match kind {
        Kind::Decimal if value.contains('.') => {
            value.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        Kind::Bool => matches!(value, "t" | "true" | "1").to_string(),
        Kind::Timestamp => value.replace('T', " "),
        _ => value.to_owned(),
    }
}

impl Value {
    fn random(random: &mut Random, kind: Kind) -> Self {
        match kind {
            Kind::Integer => Self::Integer(random.below(2_000_000) as i64 - 1_000_000),
            Kind::Decimal => Self::Decimal(random.below(20_000_000) as i64 - 10_000_000),
            Kind::Bool => Self::Bool(random.once_in(2)),
            Kind::Date => Self::Date(random.below(20_000) as i32),
            Kind::Timestamp => Self::Timestamp(random.below(1_700_000_000) as i64),
            Kind::Text => Self::Text(text(random)),
        }
    }

    fn normal(&self) -> Option<String> {
        let text = self.text()?;
        Some(match self {
            Self::Decimal(_) => spelled(&text, Kind::Decimal),
            Self::Timestamp(_) => spelled(&text, Kind::Timestamp),
            _ => text,
        })
    }

    /// The value as text files write it; `None` is NULL.
    pub(super) fn text(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Integer(number) => number.to_string(),
            Self::Decimal(hundredths) => {
                let sign = if *hundredths < 0 { "-" } else { "" };
                let digits = hundredths.unsigned_abs();
                format!("{sign}{}.{:02}", digits / 100, digits % 100)
            }
            Self::Bool(truth) => truth.to_string(),
            Self::Date(days) => moment(i64::from(*days) * 86_400).format("%Y-%m-%d").to_string(),
            Self::Timestamp(seconds) => moment(*seconds).format("%Y-%m-%dT%H:%M:%S").to_string(),
            Self::Text(text) => text.clone(),
        })
    }
}

fn moment(seconds: i64) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(seconds, 0).expect("a moment")
}

fn text(random: &mut Random) -> String {
    if random.once_in(20) {
        return String::new();
    }
    let mut text = random.one_of(&WORDS).to_owned();
    for _ in 0..random.below(4) {
        text.push_str(if random.once_in(5) { random.one_of(&ODDITIES) } else { " " });
        text.push_str(random.one_of(&WORDS));
    }
    text
}
