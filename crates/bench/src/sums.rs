//! What a table must hold once all rows are loaded: its rows counted, and
//! sums over its columns.
//!
//! They are integers whatever a column's type, so that a table of doubles and
//! one of exact decimals can be compared.

use std::fmt;

use crate::{lineitem, quoted, taxi};

/// Rows and sums, in an order that each set of data defines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums(Vec<u64>);

impl Sums {
    /// Adds a row's numbers, behind which stands a one for the row itself.
    fn add<const N: usize>(&mut self, numbers: [u64; N]) {
        self.0.resize(N + 1, 0);
        for (sum, number) in self.0.iter_mut().zip(std::iter::once(1).chain(numbers)) {
            *sum += number;
        }
    }

    /// Rows; order, part; price, tax in hundredths; shipped, received in days
    /// since 1970-01-01; the bytes of the comments.
    pub fn add_lineitem(&mut self, row: &lineitem::Row<'_>) {
        let [order, part, ..] = row.keys;
        let [_, price, _, tax] = row.amounts;
        let [shipped, _, received] = row.days;
        self.add([order, part, price, tax, shipped, received, row.comment.len() as u64]);
    }

    /// Rows; ids, stars; the characters of the bodies.
    pub fn add_review(&mut self, review: &quoted::Review) {
        self.add([review.id, review.stars, review.body.chars().count() as u64]);
    }

    /// Rows; known passengers, their sum; fare, total in hundredths; pickups
    /// in seconds since 1970-01-01; known flags.
    pub fn add_taxi(&mut self, trip: &taxi::Trip) {
        self.add([
            u64::from(trip.passengers.is_some()),
            trip.passengers.unwrap_or(0),
            trip.fare,
            trip.total(),
            trip.pickup,
            u64::from(trip.stored.is_some()),
        ]);
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, sum) in self.0.iter().enumerate() {
            write!(f, "{}{sum}", if position == 0 { "" } else { "|" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_counts_once_and_is_added() {
        let mut sums = Sums::default();
        sums.add([2, 3]);
        sums.add([5, 7]);
        assert_eq!(sums.to_string(), "2|7|10");
    }
}
