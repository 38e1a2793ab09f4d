//! Which type a column is given when a value contradicts the one it has.
//!
//! Pure choice: it knows what a type can hold, never what is in a table.
//! Whether the values that are there survive a step that depends on them
//! (integers into doubles) is the destination's to check; a type that it
//! refuses is followed by the next of [`widenings`].

use crate::destination::DecimalSupport;
use crate::evidence::{DECIMAL_DIGITS, Decimals, Evidence, FLOAT_DIGITS, NumberEvidence};
use crate::list::ListElement;
use crate::schema::ColumnType;

/// The types of one step or more, from narrow to wide. Decimals stand before
/// doubles, because they keep every integer.
const LADDER: [ColumnType; 15] = [
    ColumnType::Int16,
    ColumnType::Int32,
    ColumnType::Int64,
    ColumnType::Decimal(None),
    ColumnType::Float32,
    ColumnType::Float64,
    ColumnType::Timestamp,
    ColumnType::List(ListElement::Int32),
    ColumnType::List(ListElement::Int64),
    ColumnType::List(ListElement::Decimal(None)),
    ColumnType::List(ListElement::Float32),
    ColumnType::List(ListElement::Float64),
    ColumnType::List(ListElement::Timestamp),
    ColumnType::Json,
    ColumnType::Text,
];

/// The narrowest type that keeps what a column of type `current` may hold and
/// what `evidence` has seen; `current` itself where it does.
///
/// Total and monotone: the answer is never narrower than `current`, and more
/// evidence never gives a narrower answer.
pub fn widened(
    current: ColumnType,
    evidence: Evidence,
    support: DecimalSupport,
    decimals: Decimals,
) -> ColumnType {
    if keeps(current, evidence, support, decimals) {
        return current;
    }
    widenings(current, evidence, support, decimals).next().unwrap_or(ColumnType::Text)
}

/// The types wider than `current` that keep `evidence`, the narrowest first,
/// text last. A column that has text has none.
pub fn widenings(
    current: ColumnType,
    evidence: Evidence,
    support: DecimalSupport,
    decimals: Decimals,
) -> impl Iterator<Item = ColumnType> {
    LADDER.into_iter().filter(move |wider| {
        can_widen(current, *wider)
            && (*wider != ColumnType::Decimal(None) || wants_decimals(evidence, support, decimals))
            && keeps(*wider, evidence, support, decimals)
    })
}

/// Whether a column may become `wider`: it keeps every value, or every value
/// that a destination has checked (integers that a double holds).
pub fn can_widen(current: ColumnType, wider: ColumnType) -> bool {
    current != wider
        && (current.fits_into(wider)
            || (current, wider) == (ColumnType::Int64, ColumnType::Float64))
}

fn wants_decimals(evidence: Evidence, support: DecimalSupport, decimals: Decimals) -> bool {
    let has_fractions = matches!(evidence, Evidence::Number(number) if number.scale > 0);
    support == DecimalSupport::Unbounded && !(has_fractions && decimals == Decimals::Float)
}

/// Whether a column of this type keeps what was seen, by value.
fn keeps(
    column: ColumnType,
    evidence: Evidence,
    support: DecimalSupport,
    decimals: Decimals,
) -> bool {
    match evidence {
        _ if column == ColumnType::Text => true,
        Evidence::Nothing => true,
        Evidence::Number(number) => keeps_numbers(column, number, decimals),
        other => other.column_type(support, decimals).fits_into(column),
    }
}

fn keeps_numbers(column: ColumnType, number: NumberEvidence, decimals: Decimals) -> bool {
    let NumberEvidence { integer_digits, scale, significant_digits, .. } = number;
    match column {
        ColumnType::Int16 => number.int64 && integer_digits <= 4,
        ColumnType::Int32 => number.int64 && integer_digits <= 9,
        ColumnType::Int64 => number.int64,
        ColumnType::Decimal(None) => integer_digits.saturating_add(scale) <= DECIMAL_DIGITS,
        ColumnType::Decimal(Some(bounds)) => {
            let digits = u16::try_from(i16::from(bounds.precision) - i16::from(bounds.scale));
            let fraction = u16::try_from(bounds.scale);
            digits.is_ok_and(|digits| integer_digits <= digits)
                && fraction.is_ok_and(|fraction| scale <= fraction)
        }
        ColumnType::Float32 => {
            !number.exponent && significant_digits <= 6 && integer_digits.max(scale) <= 30
        }
        ColumnType::Float64 => {
            number.float_exact
                || decimals == Decimals::Float
                || (!number.exponent && significant_digits <= FLOAT_DIGITS)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use ColumnType::{Bool, Date, Decimal, Float32, Float64, Int16, Int32, Int64, Json, Text};
    use ColumnType::{Timestamp, TimestampTz, Uuid};
    use DecimalSupport::{None as NoDecimals, Unbounded};
    use proptest::prelude::*;

    use super::*;
    use crate::schema::DecimalBounds;

    const INTEGERS: ColumnType = ColumnType::List(ListElement::Int32);
    const LONGS: ColumnType = ColumnType::List(ListElement::Int64);
    const TEXTS: ColumnType = ColumnType::List(ListElement::Text);

    fn integers(digits: u16) -> Evidence {
        Evidence::Number(NumberEvidence {
            integer_digits: digits,
            scale: 0,
            significant_digits: digits,
            int64: digits < 19,
            exponent: false,
            float_exact: digits <= FLOAT_DIGITS,
        })
    }

    fn decimals(integer_digits: u16, scale: u16) -> Evidence {
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

    fn huge() -> Evidence {
        Evidence::Number(NumberEvidence {
            integer_digits: 301,
            scale: 0,
            significant_digits: 1,
            int64: false,
            exponent: true,
            float_exact: true,
        })
    }

    #[test]
    fn each_contradiction_has_its_answer() {
        for (current, evidence, exact, without_decimals) in [
            (Int64, Evidence::Nothing, Int64, Int64),
            (Int64, integers(5), Int64, Int64),
            (Int64, decimals(3, 2), Decimal(None), Float64),
            (Int64, decimals(12, 8), Decimal(None), Text),
            (Int64, integers(20), Decimal(None), Text),
            (Int64, integers(39), Text, Text),
            (Int64, huge(), Float64, Float64),
            (Int64, Evidence::Text, Text, Text),
            (Int64, Evidence::Date, Text, Text),
            (Int16, integers(9), Int32, Int32),
            (Int32, integers(10), Int64, Int64),
            (Int16, decimals(2, 1), Decimal(None), Float32),
            (Float64, decimals(12, 8), Text, Text),
            (Float64, integers(16), Text, Text),
            (Float32, decimals(8, 2), Float64, Float64),
            (Decimal(None), huge(), Text, Text),
            (Date, Evidence::Timestamp, Timestamp, Timestamp),
            (Date, Evidence::TimestampTz, Text, Text),
            (Timestamp, Evidence::Date, Timestamp, Timestamp),
            (Timestamp, Evidence::TimestampTz, Text, Text),
            (TimestampTz, Evidence::Date, Text, Text),
            (Bool, integers(1), Text, Text),
            (Uuid, Evidence::Text, Text, Text),
            (Json, Evidence::Text, Text, Text),
            (Json, Evidence::Known(INTEGERS), Json, Json),
            (INTEGERS, Evidence::Known(INTEGERS), INTEGERS, INTEGERS),
            (INTEGERS, Evidence::Known(LONGS), LONGS, LONGS),
            (LONGS, Evidence::Known(INTEGERS), LONGS, LONGS),
            (INTEGERS, Evidence::Known(TEXTS), Json, Json),
            (INTEGERS, Evidence::Json, Json, Json),
            (INTEGERS, integers(3), Text, Text),
            (Text, huge(), Text, Text),
        ] {
            let choose = |support| widened(current, evidence, support, Decimals::Exact);
            assert_eq!(choose(Unbounded), exact, "{current} {evidence:?}");
            assert_eq!(choose(NoDecimals), without_decimals, "{current} {evidence:?}");
        }
    }

    #[test]
    fn what_the_destination_refuses_is_followed_by_wider_types() {
        let types = |evidence, support| -> Vec<ColumnType> {
            widenings(Int64, evidence, support, Decimals::Exact).collect()
        };
        assert_eq!(types(decimals(3, 2), NoDecimals), [Float64, Text]);
        assert_eq!(types(decimals(3, 2), Unbounded), [Decimal(None), Float64, Text]);
        assert_eq!(types(huge(), Unbounded), [Float64, Text]);
        assert_eq!(
            widened(Int64, decimals(3, 2), Unbounded, Decimals::Float),
            Float64,
            "whoever asks for doubles is given doubles"
        );
        assert_eq!(widenings(Text, huge(), Unbounded, Decimals::Exact).count(), 0);
    }

    fn any_type() -> impl Strategy<Value = ColumnType> {
        let bounds = (1u8..=38).prop_flat_map(|precision| {
            (0..=precision as i8)
                .prop_map(move |scale| Decimal(Some(DecimalBounds { precision, scale })))
        });
        prop_oneof![
            prop::sample::select(vec![
                Bool,
                Int16,
                Int32,
                Int64,
                Float32,
                Float64,
                Decimal(None),
                Date,
                ColumnType::Time,
                Timestamp,
                TimestampTz,
                Uuid,
                Text,
                Json,
                ColumnType::Binary,
                INTEGERS,
                LONGS,
                TEXTS,
                ColumnType::List(ListElement::Float32),
                ColumnType::List(ListElement::Date),
            ]),
            bounds,
        ]
    }

    fn any_evidence() -> impl Strategy<Value = Evidence> {
        let numbers = (1u16..50, 0u16..50, any::<(bool, bool)>()).prop_map(
            |(integer_digits, scale, (exponent, float_exact))| {
                let significant_digits = integer_digits + scale;
                Evidence::Number(NumberEvidence {
                    integer_digits,
                    scale,
                    significant_digits,
                    int64: scale == 0 && integer_digits < 19 && !exponent,
                    exponent,
                    float_exact: significant_digits <= FLOAT_DIGITS || float_exact,
                })
            },
        );
        prop_oneof![
            prop::sample::select(vec![
                Evidence::Nothing,
                Evidence::Bool,
                Evidence::Date,
                Evidence::Timestamp,
                Evidence::TimestampTz,
                Evidence::Uuid,
                Evidence::Json,
                Evidence::Text,
                Evidence::Known(INTEGERS),
                Evidence::Known(LONGS),
                Evidence::Known(TEXTS),
            ]),
            numbers,
        ]
    }

    proptest! {
        #[test]
        fn the_answer_keeps_both(
            current in any_type(),
            evidence in any_evidence(),
            unbounded in any::<bool>(),
        ) {
            let support = if unbounded { Unbounded } else { NoDecimals };
            let answer = widened(current, evidence, support, Decimals::Exact);
            prop_assert!(answer == current || can_widen(current, answer));
            prop_assert!(keeps(answer, evidence, support, Decimals::Exact));
            let again = widened(answer, evidence, support, Decimals::Exact);
            prop_assert_eq!(again, answer, "widening ends");
        }

        #[test]
        fn more_evidence_never_narrows(
            current in any_type(),
            one in any_evidence(),
            other in any_evidence(),
            unbounded in any::<bool>(),
        ) {
            let support = if unbounded { Unbounded } else { NoDecimals };
            let few = widened(current, one, support, Decimals::Exact);
            let many = widened(current, one.join(other), support, Decimals::Exact);
            let position = |column| LADDER.iter().position(|step| *step == column);
            prop_assert!(many == few || position(many) > position(few), "{few} then {many}");
        }
    }
}
