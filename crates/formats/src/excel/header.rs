//! Whether the first row of a sheet names the columns, by the rule that holds
//! for CSV: it does, unless every value of it that could tell is of the same
//! kind as the values below it. A series of years is a row of names.

use std::collections::BTreeMap;

use calamine::Data;

use super::cells::{Kind, Value, kind, read};
use super::workbook::Cell;

/// Numbers that head columns often enough.
const YEARS: std::ops::RangeInclusive<i64> = 1900..=2100;

/// How many rows name the columns: none, or the first, whose cells these are.
/// `kinds` are what the values below are, by column.
pub(super) fn header_rows(first: &[Cell], mut kinds: BTreeMap<u32, Kind>) -> u32 {
    kinds.retain(|_, kind| !matches!(kind, Kind::Nothing | Kind::Text));
    let telling = first.iter().filter_map(|(_, column, value)| Some((value, *kinds.get(column)?)));
    let telling: Vec<_> = telling.filter(|(value, _)| kind_of(value) != Kind::Nothing).collect();
    let agrees = |(value, below): &(&Data, Kind)| kind_of(value).join(*below) != Kind::Text;
    let is_data = !telling.is_empty() && telling.iter().all(agrees) && !are_years(&telling);
    u32::from(!is_data)
}

fn kind_of(value: &Data) -> Kind {
    match value {
        Data::String(_) | Data::DurationIso(_) => Kind::Text,
        Data::Empty => Kind::Nothing,
        other => kind(&read(other.clone())),
    }
}

fn are_years(values: &[(&Data, Kind)]) -> bool {
    let years: Option<Vec<i64>> = values
        .iter()
        .map(|(value, _)| match read((*value).clone()) {
            Value::Whole(year) if YEARS.contains(&year) => Some(year),
            _ => None,
        })
        .collect();
    years.is_some_and(|years| {
        years.len() > 1
            && years.windows(2).all(|pair| pair[0] + 1 == pair[1] || pair[1] + 1 == pair[0])
    })
}
