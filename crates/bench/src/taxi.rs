//! Rows like those of a city's taxi trips: 16 columns with moments, numbers
//! that are missing, and short codes; about 100 bytes of CSV a row.

use std::fmt::{self, Write};

use crate::Chance;
use crate::lineitem::write_day;

/// The columns' names.
pub const COLUMNS: [&str; 16] = [
    "vendor_id",
    "pickup_at",
    "dropoff_at",
    "passenger_count",
    "trip_distance",
    "rate_code",
    "store_and_fwd",
    "pickup_zone",
    "dropoff_zone",
    "payment_type",
    "fare",
    "extra",
    "tip",
    "tolls",
    "congestion",
    "total",
];

const SECONDS_OF_DAY: u64 = 86_400;
const FIRST_SECOND: u64 = 18_993 * SECONDS_OF_DAY;
const LAST_SECOND: u64 = 19_722 * SECONDS_OF_DAY;

/// Trips, one after the other.
#[derive(Clone, Debug)]
pub struct Trips {
    chance: Chance,
}

/// One trip; amounts of money and distance in hundredths.
#[derive(Clone, Debug)]
pub struct Trip {
    vendor: u64,
    /// Seconds since 1970-01-01.
    pub pickup: u64,
    seconds: u64,
    /// How many there were, where that is known.
    pub passengers: Option<u64>,
    distance: u64,
    rate_code: Option<u64>,
    /// Whether the trip was stored before it was sent, where that is known.
    pub stored: Option<&'static str>,
    zones: [u64; 2],
    payment: u64,
    /// What the distance cost.
    pub fare: u64,
    extra: u64,
    tip: u64,
    tolls: u64,
    congestion: Option<u64>,
}

impl Default for Trips {
    fn default() -> Self {
        Self { chance: Chance::new(2) }
    }
}

impl Trips {
    /// The next trip. One in ten was sent by a device that knows less.
    pub fn next_trip(&mut self) -> Trip {
        let chance = &mut self.chance;
        let known = chance.between(1, 10) > 1;
        let distance = chance.between(20, 2_500);
        Trip {
            vendor: chance.between(1, 2),
            pickup: chance.between(FIRST_SECOND, LAST_SECOND),
            seconds: chance.between(60, 5_400),
            passengers: known.then(|| chance.between(1, 6)),
            distance,
            rate_code: known.then(|| chance.between(1, 6)),
            stored: known.then(|| chance.one_of(&["N", "Y"])),
            zones: [chance.between(1, 265), chance.between(1, 265)],
            payment: chance.between(0, 4),
            fare: 300 + distance * 2,
            extra: chance.between(0, 7) * 50,
            tip: chance.between(0, 1_500),
            tolls: if chance.between(1, 20) == 1 { 655 } else { 0 },
            congestion: known.then_some(250),
        }
    }
}

impl Trip {
    /// Everything that was paid.
    pub fn total(&self) -> u64 {
        self.fare + self.extra + self.tip + self.tolls + self.congestion.unwrap_or(0)
    }

    /// The trip as a line of CSV; what is not known is empty.
    ///
    /// # Errors
    ///
    /// None: writing to a string cannot fail.
    pub fn write_csv(&self, text: &mut String) -> fmt::Result {
        write!(text, "{},", self.vendor)?;
        write_moment(text, self.pickup)?;
        write_moment(text, self.pickup + self.seconds)?;
        write_known(text, self.passengers)?;
        write_hundredths(text, self.distance)?;
        write_known(text, self.rate_code)?;
        write_known(text, self.stored)?;
        write!(text, "{},{},{},", self.zones[0], self.zones[1], self.payment)?;
        for amount in [self.fare, self.extra, self.tip, self.tolls] {
            write_hundredths(text, amount)?;
        }
        if let Some(amount) = self.congestion {
            write!(text, "{}.{:02}", amount / 100, amount % 100)?;
        }
        writeln!(text, ",{}.{:02}", self.total() / 100, self.total() % 100)
    }
}

fn write_known(text: &mut String, value: Option<impl fmt::Display>) -> fmt::Result {
    match value {
        Some(value) => write!(text, "{value},"),
        None => text.write_char(','),
    }
}

fn write_hundredths(text: &mut String, amount: u64) -> fmt::Result {
    write!(text, "{}.{:02},", amount / 100, amount % 100)
}

fn write_moment(text: &mut String, moment: u64) -> fmt::Result {
    write_day(text, moment / SECONDS_OF_DAY)?;
    let second = moment % SECONDS_OF_DAY;
    write!(text, " {:02}:{:02}:{:02},", second / 3_600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trip_has_all_columns_and_some_lack_values() {
        let mut text = String::new();
        let mut trips = Trips::default();
        for _ in 0..100 {
            trips.next_trip().write_csv(&mut text).unwrap();
        }
        assert!(text.lines().all(|line| line.split(',').count() == COLUMNS.len()), "{text}");
        assert!(text.lines().any(|line| line.contains(",,")), "{text}");
    }

    #[test]
    fn moments_are_written_with_their_day() {
        let mut text = String::new();
        write_moment(&mut text, 11_016 * SECONDS_OF_DAY + 3_723).unwrap();
        assert_eq!(text, "2000-02-29 01:02:03,");
    }
}
