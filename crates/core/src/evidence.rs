//! What the values of a column look like, and the type that keeps them all.
//!
//! Evidence is a join-semilattice: looking at values in any order, in any
//! number of samples, gives the same answer. Reading a value is the formats'
//! work; this module only joins and decides. Its one promise is that the type
//! it chooses keeps every value that the evidence was made of, by value.

use serde::{Deserialize, Serialize};

use crate::destination::DecimalSupport;
use crate::schema::{ColumnType, DecimalBounds};

/// What is known about a column's values so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Evidence {
    /// Only NULLs, or nothing at all.
    #[default]
    Nothing,
    /// `true` and `false`.
    Bool,
    /// Numbers.
    Number(NumberEvidence),
    /// Calendar days.
    Date,
    /// Times of day.
    Time,
    /// Dates with a time and no zone.
    Timestamp,
    /// Dates with a time and an offset from UTC.
    TimestampTz,
    /// UUIDs.
    Uuid,
    /// JSON objects and arrays.
    Json,
    /// Anything else, or a mixture that only text keeps.
    Text,
    /// The file itself says what its column holds.
    Known(ColumnType),
}

/// What a set of numbers needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberEvidence {
    /// Digits before the point, leading zeros aside; at least 1.
    pub integer_digits: u16,
    /// Digits behind the point, as they are needed by value (`1.50` needs 1).
    pub scale: u16,
    /// Most significant digits of one value, leading and trailing zeros aside.
    pub significant_digits: u16,
    /// Whether each is written without point and exponent and fits 64 bits.
    pub int64: bool,
    /// Whether one is written with an exponent, or as NaN or infinity.
    pub exponent: bool,
    /// Whether a double keeps each by value.
    pub float_exact: bool,
}

/// How plain decimals are typed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decimals {
    /// Exact decimals where the destination has them.
    #[default]
    Exact,
    /// Doubles, rounding as doubles do.
    Float,
}

/// A double keeps any decimal of this many significant digits by value.
pub const FLOAT_DIGITS: u16 = 15;
/// Digits of the widest decimal in the house.
pub const DECIMAL_DIGITS: u16 = 38;

impl Evidence {
    /// What is known when both are.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        use Evidence::*;
        match (self, other) {
            (Nothing, known) | (known, Nothing) => known,
            (Known(mine), Known(theirs)) => Known(mine.join(theirs)),
            (Known(mine), other) | (other, Known(mine)) => Self::of_type(mine).join(other),
            (Number(mine), Number(theirs)) => Number(mine.join(theirs)),
            (Date, Timestamp) | (Timestamp, Date) => Timestamp,
            (mine, theirs) if mine == theirs => mine,
            _ => Text,
        }
    }

    /// The narrowest type that keeps every value, in a destination whose
    /// decimals are like `support`. A column without values is text.
    pub fn column_type(self, support: DecimalSupport, decimals: Decimals) -> ColumnType {
        match self {
            Self::Nothing | Self::Text => ColumnType::Text,
            Self::Bool => ColumnType::Bool,
            Self::Number(number) => number.column_type(support, decimals),
            Self::Date => ColumnType::Date,
            Self::Time => ColumnType::Time,
            Self::Timestamp => ColumnType::Timestamp,
            Self::TimestampTz => ColumnType::TimestampTz,
            Self::Uuid => ColumnType::Uuid,
            Self::Json => ColumnType::Json,
            Self::Known(known) => known_type(known, support, decimals),
        }
    }

    /// What values of a type look like among values that have none: never
    /// [`Evidence::Known`].
    fn of_type(column_type: ColumnType) -> Self {
        use ColumnType as Type;
        match column_type {
            Type::Bool => Self::Bool,
            Type::Int16 => NumberEvidence::integers(5),
            Type::Int32 => NumberEvidence::integers(10),
            Type::Int64 => NumberEvidence::integers(19),
            Type::Float32 | Type::Float64 => NumberEvidence::doubles(),
            Type::Decimal(Some(bounds)) => NumberEvidence::decimals(bounds),
            Type::Date => Self::Date,
            Type::Timestamp => Self::Timestamp,
            Type::TimestampTz => Self::TimestampTz,
            Type::Uuid => Self::Uuid,
            Type::Json | Type::List(_) => Self::Json,
            Type::Decimal(None) | Type::Time | Type::Text | Type::Binary => Self::Text,
        }
    }
}

/// A file's own type in a destination with such decimals.
fn known_type(known: ColumnType, support: DecimalSupport, decimals: Decimals) -> ColumnType {
    let ColumnType::Decimal(bounds) = known else { return known };
    let digits = bounds.map_or(DECIMAL_DIGITS, |bounds| u16::from(bounds.precision));
    match support {
        _ if decimals == Decimals::Float && bounds.is_none_or(|bounds| bounds.scale > 0) => {
            ColumnType::Float64
        }
        DecimalSupport::Unbounded => known,
        DecimalSupport::Bounded if bounds.is_some() => known,
        DecimalSupport::Bounded => ColumnType::Text,
        DecimalSupport::None if digits <= FLOAT_DIGITS => ColumnType::Float64,
        DecimalSupport::None => ColumnType::Text,
    }
}

impl NumberEvidence {
    fn integers(digits: u16) -> Evidence {
        Evidence::Number(Self {
            integer_digits: digits,
            scale: 0,
            significant_digits: digits,
            int64: true,
            exponent: false,
            float_exact: digits <= FLOAT_DIGITS,
        })
    }

    fn decimals(bounds: DecimalBounds) -> Evidence {
        let (precision, scale) = (u16::from(bounds.precision), bounds.scale.max(0).unsigned_abs());
        Evidence::Number(Self {
            integer_digits: precision.saturating_sub(scale.into()).max(1),
            scale: scale.into(),
            significant_digits: precision,
            int64: false,
            exponent: false,
            float_exact: precision <= FLOAT_DIGITS,
        })
    }

    /// Doubles may be NaN or infinite.
    fn doubles() -> Evidence {
        Evidence::Number(Self {
            integer_digits: 309,
            scale: 17,
            significant_digits: 17,
            int64: false,
            exponent: true,
            float_exact: true,
        })
    }

    fn join(self, other: Self) -> Self {
        Self {
            integer_digits: self.integer_digits.max(other.integer_digits),
            scale: self.scale.max(other.scale),
            significant_digits: self.significant_digits.max(other.significant_digits),
            int64: self.int64 && other.int64,
            exponent: self.exponent || other.exponent,
            float_exact: self.float_exact && other.float_exact,
        }
    }

    fn column_type(self, support: DecimalSupport, decimals: Decimals) -> ColumnType {
        if self.int64 {
            return ColumnType::Int64;
        }
        let plain_digits = self.integer_digits.saturating_add(self.scale);
        let fits_decimal = !self.exponent && plain_digits <= DECIMAL_DIGITS;
        if decimals == Decimals::Float && (self.scale > 0 || self.exponent) {
            return ColumnType::Float64;
        }
        match support {
            DecimalSupport::Unbounded if fits_decimal => ColumnType::Decimal(None),
            DecimalSupport::None if fits_decimal && self.significant_digits <= FLOAT_DIGITS => {
                ColumnType::Float64
            }
            _ if self.exponent && self.float_exact => ColumnType::Float64,
            _ => ColumnType::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list::ListElement;
    use DecimalSupport::{None as NoDecimals, Unbounded};

    fn integer(digits: u16, int64: bool) -> Evidence {
        Evidence::Number(NumberEvidence {
            integer_digits: digits,
            scale: 0,
            significant_digits: digits,
            int64,
            exponent: false,
            float_exact: digits <= FLOAT_DIGITS,
        })
    }

    fn decimal(integer_digits: u16, scale: u16) -> Evidence {
        let significant_digits = integer_digits + scale;
        Evidence::Number(NumberEvidence {
            integer_digits,
            scale,
            significant_digits,
            int64: false,
            exponent: false,
            float_exact: significant_digits <= FLOAT_DIGITS,
        })
    }

    fn exponent(float_exact: bool) -> Evidence {
        Evidence::Number(NumberEvidence {
            integer_digits: 6,
            scale: 0,
            significant_digits: 1,
            int64: false,
            exponent: true,
            float_exact,
        })
    }

    #[test]
    fn each_kind_has_its_type() {
        for (evidence, postgres, sqlite) in [
            (Evidence::Nothing, ColumnType::Text, ColumnType::Text),
            (Evidence::Bool, ColumnType::Bool, ColumnType::Bool),
            (integer(3, true), ColumnType::Int64, ColumnType::Int64),
            (integer(20, false), ColumnType::Decimal(None), ColumnType::Text),
            (integer(39, false), ColumnType::Text, ColumnType::Text),
            (decimal(5, 2), ColumnType::Decimal(None), ColumnType::Float64),
            (decimal(12, 4), ColumnType::Decimal(None), ColumnType::Text),
            (exponent(true), ColumnType::Float64, ColumnType::Float64),
            (exponent(false), ColumnType::Text, ColumnType::Text),
            (Evidence::Date, ColumnType::Date, ColumnType::Date),
            (Evidence::Time, ColumnType::Time, ColumnType::Time),
            (Evidence::Uuid, ColumnType::Uuid, ColumnType::Uuid),
            (Evidence::Json, ColumnType::Json, ColumnType::Json),
        ] {
            assert_eq!(evidence.column_type(Unbounded, Decimals::Exact), postgres, "{evidence:?}");
            assert_eq!(evidence.column_type(NoDecimals, Decimals::Exact), sqlite, "{evidence:?}");
        }
    }

    #[test]
    fn mixtures_widen_only_where_values_survive() {
        let mixed = |one: Evidence, other: Evidence| {
            assert_eq!(one.join(other), other.join(one));
            one.join(other).column_type(Unbounded, Decimals::Exact)
        };
        assert_eq!(mixed(integer(3, true), decimal(2, 1)), ColumnType::Decimal(None));
        assert_eq!(mixed(integer(3, true), exponent(true)), ColumnType::Float64);
        assert_eq!(mixed(integer(18, true), exponent(true)), ColumnType::Text);
        assert_eq!(mixed(Evidence::Date, Evidence::Timestamp), ColumnType::Timestamp);
        assert_eq!(mixed(Evidence::Timestamp, Evidence::TimestampTz), ColumnType::Text);
        assert_eq!(mixed(Evidence::Date, Evidence::Time), ColumnType::Text);
        assert_eq!(mixed(Evidence::Time, Evidence::Timestamp), ColumnType::Text);
        assert_eq!(mixed(Evidence::Bool, integer(1, true)), ColumnType::Text);
        assert_eq!(mixed(Evidence::Nothing, Evidence::Uuid), ColumnType::Uuid);
        assert_eq!(mixed(Evidence::Nothing, Evidence::Json), ColumnType::Json);
        assert_eq!(mixed(Evidence::Json, integer(3, true)), ColumnType::Text);
    }

    #[test]
    fn what_files_know_joins_with_what_others_look_like() {
        const NUMBERS: ColumnType = ColumnType::List(ListElement::Int64);
        let known = Evidence::Known;
        let bounds =
            |precision, scale| ColumnType::Decimal(Some(DecimalBounds { precision, scale }));
        for (one, other, expected) in [
            (known(ColumnType::Int16), known(ColumnType::Int32), ColumnType::Int32),
            (known(ColumnType::Int16), Evidence::Nothing, ColumnType::Int16),
            (known(ColumnType::Int16), integer(3, true), ColumnType::Int64),
            (known(ColumnType::Int32), decimal(2, 1), ColumnType::Decimal(None)),
            (known(bounds(12, 2)), Evidence::Nothing, bounds(12, 2)),
            (known(bounds(12, 2)), decimal(2, 1), ColumnType::Decimal(None)),
            (known(ColumnType::Date), Evidence::Timestamp, ColumnType::Timestamp),
            (known(ColumnType::Time), known(ColumnType::Time), ColumnType::Time),
            (known(ColumnType::Float64), integer(3, true), ColumnType::Float64),
            (known(ColumnType::Float64), integer(18, true), ColumnType::Text),
            (known(ColumnType::Int64), Evidence::Bool, ColumnType::Text),
            (known(ColumnType::Binary), Evidence::Bool, ColumnType::Text),
            (known(NUMBERS), Evidence::Nothing, NUMBERS),
            (known(NUMBERS), known(NUMBERS), NUMBERS),
            (known(NUMBERS), Evidence::Json, ColumnType::Json),
            (known(NUMBERS), integer(3, true), ColumnType::Text),
        ] {
            for joined in [one.join(other), other.join(one)] {
                assert_eq!(joined.column_type(Unbounded, Decimals::Exact), expected, "{one:?}");
            }
        }
    }

    #[test]
    fn known_decimals_go_where_their_digits_are_kept() {
        for (precision, expected) in [(15, ColumnType::Float64), (16, ColumnType::Text)] {
            let bounds = DecimalBounds { precision, scale: 2 };
            let known = Evidence::Known(ColumnType::Decimal(Some(bounds)));
            assert_eq!(known.column_type(NoDecimals, Decimals::Exact), expected);
            assert_eq!(known.column_type(Unbounded, Decimals::Float), ColumnType::Float64);
        }
    }

    #[test]
    fn doubles_are_chosen_when_asked_for() {
        assert_eq!(decimal(5, 2).column_type(Unbounded, Decimals::Float), ColumnType::Float64);
        assert_eq!(integer(5, true).column_type(Unbounded, Decimals::Float), ColumnType::Int64);
    }
}
