//! Dates and times by a pattern of `strftime`'s conversions, compiled once
//! and then read without looking back.
//!
//! | conversion | reads |
//! |---|---|
//! | `%Y`, `%y` | a year of four digits; of two: 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068 |
//! | `%m`, `%b`, `%B` | a month of one or two digits; its English name, short; short or long |
//! | `%d`, `%e`, `%j` | a day of the month, with a space before it too (`%e`); a day of the year |
//! | `%a`, `%A` | an English day of the week, which must be the right one |
//! | `%H`, `%I`, `%p` | an hour of 24; of 12, with AM or PM |
//! | `%M`, `%S` | minutes, seconds |
//! | `%f`, `%3f`, `%6f`, `%9f`, `%.f` | digits of a fraction; so many; a point and digits, or nothing |
//! | `%z`, `%:z` | an offset from UTC: `Z`, `+02`, `+0200`, `+02:00` |
//! | `%s` | seconds since 1970-01-01 UTC |
//! | `%F`, `%T`, `%D`, `%R` | `%Y-%m-%d`, `%H:%M:%S`, `%m/%d/%y`, `%H:%M` |
//! | `%%`, `%n`, `%t` | a percent sign, a line end, a tab |
//!
//! Everything else stands for itself. Names are read in any case. Numbers may
//! lack their leading zeros, except where another number follows or stands
//! before them directly (`%Y%m%d`). `%-d`, `%_d` and `%0d` are `%d`, which is
//! read with spaces before it in `%_d`.
//!
//! Invariant: a pattern that compiles for a type says all that a value of the
//! type needs; what a value says besides must agree with it.

mod compile;
mod step;

use chrono_tz::Tz;
use decant_core::Result;
use decant_core::schema::ColumnType;

use super::calendar::{self, MICROSECONDS_PER_DAY, MICROSECONDS_PER_SECOND};
use super::{Fit, Misfit, zone};
use step::{Parts, Step};

const DAYS_PER_WEEK: i64 = 7;
/// 1970-01-01 was a Thursday; weeks are counted from Sunday.
const FIRST_WEEKDAY: i64 = 4;
const HALF_DAY_HOURS: i64 = 12;

/// A pattern, compiled for one type.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    steps: Vec<Step>,
    zone: Option<Tz>,
}

impl Pattern {
    /// Compiles `pattern` for values of `column_type`.
    ///
    /// # Errors
    ///
    /// `InvalidConfig`, with the conversion that is unknown, stands twice, is
    /// missing or says what the type does not keep.
    pub(super) fn new(pattern: &str, zone: Option<&str>, column_type: ColumnType) -> Result<Self> {
        let steps = compile::compile(pattern)?;
        compile::check(pattern, &steps, column_type, zone.is_some())?;
        Ok(Self { steps, zone: zone.map(zone::find).transpose()? })
    }

    /// The zone that local times are in.
    pub(super) fn zone(&self) -> Option<Tz> {
        self.zone
    }

    /// Reads a day, in days since 1970-01-01; a time besides must be midnight.
    pub(super) fn date(&self, value: &[u8]) -> Fit<i32> {
        calendar::midnight(self.timestamp(value)?)
    }

    /// Reads a time of day, in microseconds since midnight.
    pub(super) fn time(&self, value: &[u8]) -> Fit<i64> {
        self.parts(value)?.clock()
    }

    /// Reads a timestamp without a zone, in microseconds since 1970-01-01;
    /// for seconds since 1970 that of UTC's clocks.
    pub(super) fn timestamp(&self, value: &[u8]) -> Fit<i64> {
        self.parts(value)?.local()
    }

    /// Reads a moment, in microseconds since 1970-01-01 UTC.
    pub(super) fn timestamp_tz(&self, value: &[u8]) -> Fit<i64> {
        let parts = self.parts(value)?;
        let local = parts.local()?;
        match (parts.epoch_seconds, parts.offset, self.zone) {
            (Some(_), ..) => Ok(local),
            (None, Some(offset), _) => calendar::in_range(local - offset),
            (None, None, Some(zone)) => zone::moment(zone, local),
            (None, None, None) => Err(Misfit::Spelling),
        }
    }

    fn parts(&self, value: &[u8]) -> Fit<Parts> {
        let mut parts = Parts::default();
        let mut rest = value;
        for step in &self.steps {
            rest = step.read(rest, &mut parts)?;
        }
        if rest.is_empty() { Ok(parts) } else { Err(Misfit::Spelling) }
    }
}

impl Parts {
    fn local(&self) -> Fit<i64> {
        if let Some(seconds) = self.epoch_seconds {
            let whole = seconds.checked_mul(MICROSECONDS_PER_SECOND).ok_or(Misfit::Range)?;
            let distance = whole.saturating_add(self.microsecond);
            return calendar::in_range(if self.before_1970 { -distance } else { distance });
        }
        let day = self.civil()?;
        if self.weekday.is_some_and(|weekday| weekday != weekday_of(day)) {
            return Err(Misfit::Spelling);
        }
        Ok(day * MICROSECONDS_PER_DAY + self.clock()?)
    }

    fn civil(&self) -> Fit<i64> {
        match self.day_of_year {
            Some(ordinal) => calendar::ordinal_day(self.year, ordinal),
            None => calendar::civil_day(self.year, self.month, self.day),
        }
    }

    fn clock(&self) -> Fit<i64> {
        let hour = match self.afternoon {
            None => self.hour,
            Some(_) if !(1..=HALF_DAY_HOURS).contains(&self.hour) => return Err(Misfit::Spelling),
            Some(afternoon) => {
                self.hour % HALF_DAY_HOURS + if afternoon { HALF_DAY_HOURS } else { 0 }
            }
        };
        calendar::clock_time(hour, self.minute, self.second, self.microsecond)
    }
}

fn weekday_of(day: i64) -> i64 {
    (day + FIRST_WEEKDAY).rem_euclid(DAYS_PER_WEEK)
}

#[cfg(test)]
mod tests;
