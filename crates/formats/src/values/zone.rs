//! Zones of the IANA database, and what their clocks mean in UTC.
//!
//! A local time that a zone's clocks show twice, or never, is no moment:
//! nobody can say which was meant.

use chrono::{DateTime, MappedLocalTime, Offset, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};
use decant_core::names::did_you_mean;
use decant_core::{Error, ErrorKind, Result};

use super::calendar::{self, MICROSECONDS_PER_SECOND};
use super::{Fit, Misfit};

/// The zone of this name; case does not matter.
///
/// # Errors
///
/// `InvalidConfig` when there is none.
pub(super) fn find(name: &str) -> Result<Tz> {
    let known = TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(name));
    known.copied().ok_or_else(|| {
        let hint = match did_you_mean(name, TZ_VARIANTS.iter().map(|zone| zone.name())) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "zones have names such as `UTC` or `Europe/Paris`".to_owned(),
        };
        Error::new(ErrorKind::InvalidConfig, format!("`{name}` is not a time zone that is known"))
            .with_hint(hint)
    })
}

/// The moment at which clocks in `zone` show `local`, both in microseconds
/// since 1970-01-01.
pub(super) fn moment(zone: Tz, local: i64) -> Fit<i64> {
    let shown = DateTime::from_timestamp_micros(local).ok_or(Misfit::Range)?.naive_utc();
    match zone.offset_from_local_datetime(&shown) {
        MappedLocalTime::Single(offset) => {
            let seconds = i64::from(offset.fix().local_minus_utc());
            calendar::in_range(local - seconds * MICROSECONDS_PER_SECOND)
        }
        MappedLocalTime::Ambiguous(..) => Err(Misfit::ShownTwice),
        MappedLocalTime::None => Err(Misfit::NeverShown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Reading;

    fn in_paris(local: &str) -> Fit<i64> {
        let local = calendar::parse_timestamp(local.as_bytes(), Reading::Exact).expect(local);
        moment(Tz::Europe__Paris, local)
    }

    #[test]
    fn clocks_mean_moments_except_where_they_are_set() {
        let utc = |text: &str| calendar::parse_timestamp_tz(text.as_bytes(), Reading::Exact);
        assert_eq!(in_paris("2024-01-15 12:00"), utc("2024-01-15 11:00Z"));
        assert_eq!(in_paris("2024-07-15 12:00"), utc("2024-07-15 10:00Z"));
        assert_eq!(in_paris("2024-10-27 02:30"), Err(Misfit::ShownTwice));
        assert_eq!(in_paris("2024-03-31 02:30"), Err(Misfit::NeverShown));
        assert_eq!(in_paris("2024-10-27 03:00"), utc("2024-10-27 02:00Z"));
        assert_eq!(in_paris("0001-01-01 00:00"), Err(Misfit::Range));
    }

    #[test]
    fn zones_are_found_by_name_and_others_refused_with_a_cure() {
        assert_eq!(find("europe/paris").unwrap(), Tz::Europe__Paris);
        let refusal = find("Europe/Pari").unwrap_err();
        assert_eq!(refusal.kind(), ErrorKind::InvalidConfig);
        assert_eq!(refusal.hint(), Some("did you mean `Europe/Paris`?"));
    }
}
