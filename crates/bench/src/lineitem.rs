//! Rows like those of TPC-H's table `lineitem`: 16 columns, about 128 bytes of
//! CSV a row, 365 of JSON.
//!
//! Shapes and ranges follow the benchmark's public specification (section
//! 4.2.3); comments are made of a few words, and nothing is quoted.

use std::fmt::{self, Write};

use crate::Chance;

/// The columns' names.
pub const COLUMNS: [&str; 16] = [
    "l_orderkey",
    "l_partkey",
    "l_suppkey",
    "l_linenumber",
    "l_quantity",
    "l_extendedprice",
    "l_discount",
    "l_tax",
    "l_returnflag",
    "l_linestatus",
    "l_shipdate",
    "l_commitdate",
    "l_receiptdate",
    "l_shipinstruct",
    "l_shipmode",
    "l_comment",
];

/// Columns by their positions.
pub type Order = [usize; COLUMNS.len()];

const USUAL_ORDER: Order = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
/// Rows after which keys stand in another order from then on.
const ORDER_ROWS: u64 = 5000;
/// Of so many rows one has two keys exchanged.
const EXCHANGE_ROWS: u64 = 20;

const INSTRUCTIONS: [&str; 4] = ["DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"];
const MODES: [&str; 7] = ["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"];
const WORDS: [&str; 16] = [
    "carefully",
    "final",
    "deposits",
    "sleep",
    "quickly",
    "above",
    "the",
    "blithely",
    "ironic",
    "requests",
    "furiously",
    "even",
    "packages",
    "are",
    "regular",
    "ideas",
];
const COMMENT_BYTES: (u64, u64) = (10, 43);
const FIRST_DAY: u64 = 8036;
const LAST_DAY: u64 = 10_440;

/// Rows, one after the other.
#[derive(Clone, Debug)]
pub struct Rows {
    chance: Chance,
    number: u64,
    comment: String,
}

/// One row, as text.
#[derive(Clone, Debug)]
pub struct Row<'r> {
    /// Order, part, supplier, line.
    pub keys: [u64; 4],
    /// Quantity, price, discount, tax, in hundredths.
    pub amounts: [u64; 4],
    /// Return flag, line status.
    pub flags: [&'static str; 2],
    /// Shipped, committed, received, in days since 1970-01-01.
    pub days: [u64; 3],
    /// Instruction, mode.
    pub shipping: [&'static str; 2],
    /// Some words.
    pub comment: &'r str,
}

impl Default for Rows {
    fn default() -> Self {
        Self { chance: Chance::new(1), number: 0, comment: String::new() }
    }
}

impl Rows {
    /// The next row.
    pub fn next_row(&mut self) -> Row<'_> {
        let chance = &mut self.chance;
        self.number += 1;
        let line = (self.number - 1) % 4 + 1;
        let keys =
            [self.number.div_ceil(4), chance.between(1, 200_000), chance.between(1, 10_000), line];
        let quantity = chance.between(1, 50);
        let price = quantity * chance.between(90_000, 200_000);
        let amounts = [quantity * 100, price, chance.between(0, 10), chance.between(0, 8)];
        let shipped = chance.between(FIRST_DAY, LAST_DAY);
        let days = [shipped, shipped + chance.between(0, 60), shipped + chance.between(1, 30)];
        let flags = [chance.one_of(&["A", "N", "R"]), chance.one_of(&["O", "F"])];
        let shipping = [chance.one_of(&INSTRUCTIONS), chance.one_of(&MODES)];
        let bytes = chance.between(COMMENT_BYTES.0, COMMENT_BYTES.1) as usize;
        self.comment.clear();
        while self.comment.len() < bytes {
            self.comment.push_str(chance.one_of(&WORDS));
            self.comment.push(' ');
        }
        self.comment.truncate(bytes);
        Row { keys, amounts, flags, days, shipping, comment: self.comment.trim_end() }
    }
}

impl Row<'_> {
    /// The row as a line of CSV.
    pub fn write_csv(&self, text: &mut String) -> fmt::Result {
        for key in self.keys {
            write!(text, "{key},")?;
        }
        for amount in self.amounts {
            write!(text, "{}.{:02},", amount / 100, amount % 100)?;
        }
        write!(text, "{},{},", self.flags[0], self.flags[1])?;
        for day in self.days {
            write_day(text, day)?;
            text.push(',');
        }
        writeln!(text, "{},{},{}", self.shipping[0], self.shipping[1], self.comment)
    }

    /// The row as a line of JSON.
    pub fn write_json(&self, text: &mut String) -> fmt::Result {
        self.write_json_in(&USUAL_ORDER, text)
    }

    /// The row as a line of JSON, its columns in this order.
    pub fn write_json_in(&self, order: &Order, text: &mut String) -> fmt::Result {
        for (position, column) in order.iter().enumerate() {
            let before = if position == 0 { '{' } else { ',' };
            write!(text, "{before}\"{}\":", COLUMNS[*column])?;
            self.write_json_value(*column, text)?;
        }
        text.push_str("}\n");
        Ok(())
    }

    fn write_json_value(&self, column: usize, text: &mut String) -> fmt::Result {
        match column {
            0..=3 => write!(text, "{}", self.keys[column]),
            4..=7 => {
                let amount = self.amounts[column - 4];
                write!(text, "{}.{:02}", amount / 100, amount % 100)
            }
            8..=9 => write!(text, "\"{}\"", self.flags[column - 8]),
            10..=12 => {
                text.push('"');
                write_day(text, self.days[column - 10])?;
                text.push('"');
                Ok(())
            }
            13..=14 => write!(text, "\"{}\"", self.shipping[column - 13]),
            _ => write!(text, "\"{}\"", self.comment),
        }
    }
}

/// The first `rows` rows as a CSV file with a header.
pub fn csv(rows: u64) -> String {
    let mut text = COLUMNS.join(",");
    text.push('\n');
    written(rows, text, |row, text| row.write_csv(text))
}

/// The first `rows` rows as JSON lines.
pub fn json_lines(rows: u64) -> String {
    written(rows, String::new(), |row, text| row.write_json(text))
}

/// The first `rows` rows as JSON lines whose keys change their order now and
/// then: for good, or two of them in one row.
pub fn json_lines_in_changing_order(rows: u64) -> String {
    let mut text = String::new();
    let mut source = Rows::default();
    let mut chance = Chance::new(2);
    let any = |chance: &mut Chance| chance.between(0, COLUMNS.len() as u64 - 1) as usize;
    let mut order = USUAL_ORDER;
    for number in 1..=rows {
        if number.is_multiple_of(ORDER_ROWS) {
            (0..COLUMNS.len()).for_each(|column| order.swap(column, any(&mut chance)));
        }
        let mut exchanged = order;
        if chance.between(1, EXCHANGE_ROWS) == 1 {
            exchanged.swap(any(&mut chance), any(&mut chance));
        }
        // Writing to a string cannot fail.
        let _ = source.next_row().write_json_in(&exchanged, &mut text);
    }
    text
}

fn written(rows: u64, mut text: String, write: fn(&Row<'_>, &mut String) -> fmt::Result) -> String {
    let mut source = Rows::default();
    for _ in 0..rows {
        // Writing to a string cannot fail.
        let _ = write(&source.next_row(), &mut text);
    }
    text
}

/// Writes a day as `YYYY-MM-DD`. Howard Hinnant's `civil_from_days`.
pub(crate) fn write_day(text: &mut String, day: u64) -> fmt::Result {
    let shifted = day + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    write!(text, "{year:04}-{month:02}-{day_of_month:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (day, expected) in
            [(0, "1970-01-01"), (59, "1970-03-01"), (11_016, "2000-02-29"), (11_017, "2000-03-01")]
        {
            let mut text = String::new();
            write_day(&mut text, day).unwrap();
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn a_row_has_all_columns_and_about_the_size_of_the_original() {
        let text = csv(1000);
        assert!(text.lines().all(|line| line.split(',').count() == COLUMNS.len()));
        assert!((100..150).contains(&(text.len() / 1000)), "{}", text.len());
        assert_eq!(json_lines(10).lines().count(), 10);
        let changing = json_lines_in_changing_order(20_000);
        assert_eq!(changing.len(), json_lines(20_000).len());
        let begins = |line: &&str| line.starts_with("{\"l_orderkey\":");
        assert!((4_000..10_000).contains(&changing.lines().filter(begins).count()));
    }
}
