//! Names of types, and what is said of those that are none.

use decant_core::list::ListElement;
use decant_core::schema::{ColumnType, DecimalBounds};
use decant_core::value_format::{EpochUnit, NumberFormat, ValueFormat};

use super::*;

mod documented;

fn decimal_of(precision: u8, scale: i8) -> ColumnType {
    ColumnType::Decimal(Some(DecimalBounds { precision, scale }))
}

#[test]
fn names_of_sql_arrow_and_pandas_are_known() {
    use ColumnType::*;
    for (text, column_type) in [
        ("int64", Int64),
        ("int8", Int64),
        ("int", Int64),
        ("Int64", Int64),
        ("bigint", Int64),
        ("int64[pyarrow]", Int64),
        ("integer", Int32),
        ("smallint", Int16),
        ("uint64", decimal_of(20, 0)),
        ("float64", Float64),
        ("DOUBLE  precision", Float64),
        ("double[pyarrow]", Float64),
        ("float(53)", Float64),
        ("int(11)", Int64),
        ("real", Float32),
        ("numeric(12,2)", decimal_of(12, 2)),
        ("decimal( 12 , 2 )", decimal_of(12, 2)),
        ("decimal128(5, 0)", decimal_of(5, 0)),
        ("decimal128(5, 0)[pyarrow]", decimal_of(5, 0)),
        ("numeric(9)", decimal_of(9, 0)),
        ("numeric", Decimal(None)),
        ("bool", Bool),
        ("boolean", Bool),
        ("date32", Date),
        ("date32[day]", Date),
        ("date64[ms]", Date),
        ("time64[us]", Time),
        ("time(6) without time zone", Time),
        ("timestamp", Timestamp),
        ("timestamp(3)", Timestamp),
        ("datetime64[ns]", Timestamp),
        ("timestamp[us]", Timestamp),
        ("timestamp[us, tz=None]", Timestamp),
        ("timestamptz", TimestampTz),
        ("timestamp(6) with time zone", TimestampTz),
        ("uuid", Uuid),
        ("object", Text),
        ("category", Text),
        ("string[pyarrow]", Text),
        ("string[python]", Text),
        ("large_string", Text),
        ("dictionary<values=string, indices=int32, ordered=0>", Text),
        ("dictionary<values=int64, indices=int32>", Int64),
        ("varchar(10)", Text),
        ("nvarchar(MAX)", Text),
        ("character varying(10)", Text),
        ("jsonb", Json),
        ("bytea", Binary),
        ("fixed_size_binary[16]", Binary),
    ] {
        assert_eq!(
            text.parse::<TypeName>().map(|name| name.given),
            Ok(column_type.into()),
            "{text}"
        );
    }
}

#[test]
fn lists_of_scalars_have_their_elements_and_others_are_documents() {
    use ColumnType::*;
    let cents = ListElement::of(decimal_of(12, 2)).expect("a scalar");
    for (text, column_type) in [
        ("bigint[]", List(ListElement::Int64)),
        (" Text [] ", List(ListElement::Text)),
        ("numeric(12,2)[]", List(cents)),
        ("timestamp with time zone[]", List(ListElement::TimestampTz)),
        ("list<int64>", List(ListElement::Int64)),
        ("list(int64)", List(ListElement::Int64)),
        ("list<item: int64>", List(ListElement::Int64)),
        ("list<element: decimal128(12, 2) not null>[pyarrow]", List(cents)),
        ("LIST<item: timestamp[us, tz=Europe/Paris]>", List(ListElement::TimestampTz)),
        ("large_list<item: dictionary<values=string, indices=int32>>", List(ListElement::Text)),
        ("fixed_size_list<item: float>[2]", List(ListElement::Float64)),
        ("list<item: struct<a: int64>>", Json),
        ("list<item: list<item: int64>>", Json),
        ("list", Json),
        ("struct<a: int64, b: list<item: string>>", Json),
        ("map<string, int64>", Json),
    ] {
        assert_eq!(
            text.parse::<TypeName>().map(|name| name.given),
            Ok(column_type.into()),
            "{text}"
        );
    }
}

fn pattern(pattern: &str, zone: Option<&str>) -> ValueFormat {
    ValueFormat::Pattern { pattern: pattern.into(), zone: zone.map(Into::into) }
}

fn numbers(decimal: char, thousands: Option<char>) -> ValueFormat {
    ValueFormat::Number(NumberFormat { decimal, thousands })
}

#[test]
fn formats_stand_in_the_brackets() {
    use ColumnType::*;
    let words = |yes: &[&str], no: &[&str]| ValueFormat::Words {
        yes: yes.iter().map(ToString::to_string).collect(),
        no: no.iter().map(ToString::to_string).collect(),
    };
    let paris = Some("Europe/Paris");
    for (text, column_type, format) in [
        ("date('%d.%m.%Y')", Date, pattern("%d.%m.%Y", None)),
        ("Date(\"%d.%m.%Y\")", Date, pattern("%d.%m.%Y", None)),
        ("time('%I.%M %p')", Time, pattern("%I.%M %p", None)),
        ("timestamp('%d/%m/%Y %H:%M')", Timestamp, pattern("%d/%m/%Y %H:%M", None)),
        (
            "timestamp('%d/%m/%Y, %H:%M', 'Europe/Paris')",
            TimestampTz,
            pattern("%d/%m/%Y, %H:%M", paris),
        ),
        ("timestamptz('%d/%m/%Y' , 'Europe/Paris')", TimestampTz, pattern("%d/%m/%Y", paris)),
        ("timestamp('%F at %H o''clock')", Timestamp, pattern("%F at %H o'clock", None)),
        ("timestamptz('%F (%T%z)')", TimestampTz, pattern("%F (%T%z)", None)),
        ("timestamptz('Europe/Paris')", TimestampTz, ValueFormat::Zone("Europe/Paris".into())),
        ("timestamp[us, tz=UTC]", TimestampTz, ValueFormat::Zone("UTC".into())),
        ("datetime64[ns, UTC]", TimestampTz, ValueFormat::Zone("UTC".into())),
        (
            "timestamp[ns, tz=Europe/Paris][pyarrow]",
            TimestampTz,
            ValueFormat::Zone("Europe/Paris".into()),
        ),
        ("timestamp(epoch)", Timestamp, ValueFormat::Epoch(EpochUnit::Seconds)),
        ("timestamptz(epoch_ms)", TimestampTz, ValueFormat::Epoch(EpochUnit::Milliseconds)),
        ("bool('yes','no')", Bool, words(&["yes"], &["no"])),
        ("bool('oui|ja', 'non|nein')", Bool, words(&["oui", "ja"], &["non", "nein"])),
        ("bool(Y, N)", Bool, words(&["Y"], &["N"])),
        ("decimal(12,2, ',')", decimal_of(12, 2), numbers(',', None)),
        ("decimal(12,2, ',', '.')", decimal_of(12, 2), numbers(',', Some('.'))),
        ("numeric(',')", Decimal(None), numbers(',', None)),
        ("float64(',', ' ')", Float64, numbers(',', Some(' '))),
        ("int64('.', ',')", Int64, numbers('.', Some(','))),
    ] {
        let given = GivenType { column_type, format: Some(format) };
        assert_eq!(text.parse::<TypeName>().map(|name| name.given), Ok(given), "{text}");
    }
}

#[test]
fn every_name_that_decant_prints_is_a_name_that_it_reads() {
    for (column_type, name) in names::all_types() {
        assert_eq!(
            column_type.to_string().parse::<TypeName>().map(|name| name.given),
            Ok(column_type.into())
        );
        assert_eq!(
            name.parse::<TypeName>().map(|name| name.given),
            Ok(column_type.into()),
            "{name}"
        );
        if let Some(element) = ListElement::of(column_type) {
            let list = ColumnType::List(element);
            assert_eq!(
                list.to_string().parse::<TypeName>().map(|name| name.given),
                Ok(list.into())
            );
        }
    }
}

#[test]
fn what_is_not_a_type_is_refused_with_a_cure() {
    for (text, cure) in [
        ("bigintt", "did you mean `bigint`?"),
        ("qqq", "try `int64`"),
        ("", "try `int64`"),
        ("numeric(39,2)", "1 to 38 digits"),
        ("numeric(4,5)", "1 to 38 digits"),
        ("bool(3)", "bool('yes|y', 'no|n')"),
        ("timestamp[fortnight]", "makes no sense"),
        ("integer[][]", "loaded as `json`"),
        ("json[]", "loaded as `json`"),
        ("intiger[]", "did you mean `integer`?"),
        ("timestamp[] with time zone", "stand last"),
        ("date('%d.%m.%Y')[]", "no format of their own"),
        ("list<int64>[x]", "makes no sense"),
        ("list<int64", "do not fit together"),
        ("numeric)12(", "do not fit together"),
        ("numeric(12", "do not fit together"),
        ("numeric(12]", "do not fit together"),
        ("date('%d", "a quote is not closed"),
        ("date('%d' '%m')", "no comma"),
        ("text('%d')", "makes no sense"),
        ("uuid('x')", "makes no sense"),
        ("date('%d/%Q/%Y')", "`%Q`"),
        ("date('DD/MM/YYYY')", "has no conversion"),
        ("timestamp('DD/MM/YYYY')", "has no conversion"),
        ("timestamp('%F %T', 'Europe/Pari')", "did you mean `Europe/Paris`?"),
        ("timestamptz('Europe/Pari')", "did you mean `Europe/Paris`?"),
        ("timestamptz('%F %T')", "add `%z`, or the zone"),
        ("date(epoch)", "makes no sense"),
        ("bool('yes', 'YES')", "`yes` means both"),
        ("int64(',', ',')", "both a number's fraction and its thousands"),
        ("int64('ab')", "separators are given like int64(',', '.')"),
    ] {
        let refusal = text.parse::<TypeName>().unwrap_err();
        assert!(refusal.contains(cure), "{text}: {refusal}");
    }
}
