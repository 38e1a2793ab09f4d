//! What `docs/types.md` says of given types and their names.

use chrono::{DateTime, NaiveDateTime};
use decant_core::format::Target;
use decant_core::schema::ColumnType;
use decant_formats::values::{Fit, Misfit, Reader};

use super::TypeName;

/// The rows of the first table under `heading`, without its head.
fn documented_rows(heading: &str) -> Vec<Vec<String>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/types.md");
    let page = std::fs::read_to_string(path).expect("docs/types.md");
    let section = page.lines().skip_while(|line| *line != heading);
    let table = section.skip_while(|line| !line.starts_with('|'));
    let rows = table.take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| {
        let row = row.trim_matches('|').replace("\\|", "\0");
        row.split('|').map(|cell| cell.trim().replace('\0', "|")).collect()
    })
    .collect()
}

fn code(cell: &str) -> &str {
    cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`')).expect(cell)
}

#[test]
fn values_under_given_types_become_what_the_documentation_says() {
    let rows = documented_rows("### Given");
    assert!(rows.len() > 50, "{rows:?}");
    for row in rows {
        let [name, value, expected] = row.as_slice() else { panic!("{row:?}") };
        let TypeName { given, .. } = code(name).parse().unwrap();
        let format = given.format.map(Into::into);
        let target = Target { format, ..Target::new(given.column_type, false) };
        let reader = Reader::new(&target, None).unwrap();
        let becomes = match rendered(&reader, code(value)) {
            Ok(text) => format!("`{text}`"),
            Err(misfit) => {
                format!("rejected: {}", reader.complaint(misfit, code(value).as_bytes()))
            }
        };
        assert_eq!(becomes, *expected, "{value} as {name}");
    }
}

fn rendered(reader: &Reader, value: &str) -> Fit<String> {
    use ColumnType::*;
    let bytes = value.as_bytes();
    Ok(match reader.column_type() {
        Bool => reader.boolean(bytes)?.to_string(),
        Int16 => reader.integer::<i16>(bytes)?.to_string(),
        Int32 => reader.integer::<i32>(bytes)?.to_string(),
        Int64 => reader.integer::<i64>(bytes)?.to_string(),
        Float32 => reader.float::<f32>(bytes)?.to_string(),
        Float64 => reader.float::<f64>(bytes)?.to_string(),
        Decimal(None) => {
            let decimal = reader.decimal(bytes)?;
            pointed(decimal.mantissa, decimal.scale.into())
        }
        Decimal(Some(bounds)) => {
            let scale = usize::try_from(bounds.scale).expect("a scale");
            pointed(reader.bounded_decimal(bytes, bounds)?, scale)
        }
        Date => moment(i64::from(reader.date(bytes)?) * 86_400_000_000)?.date().to_string(),
        Time => moment(reader.time(bytes)?)?.format("%H:%M:%S%.f").to_string(),
        Timestamp => moment(reader.timestamp(bytes)?)?.format("%F %T%.f").to_string(),
        TimestampTz => moment(reader.timestamp_tz(bytes)?)?.format("%F %T%.fZ").to_string(),
        Uuid => {
            let digits: Vec<String> =
                reader.uuid(bytes)?.iter().map(|byte| format!("{byte:02x}")).collect();
            [&digits[..4], &digits[4..6], &digits[6..8], &digits[8..10], &digits[10..]]
                .map(<[String]>::concat)
                .join("-")
        }
        Text | Json => reader.text(value).to_owned(),
        List(_) => reader.list(bytes)?,
        Binary => {
            let mut read = Vec::new();
            reader.binary_into(bytes, &mut read)?;
            let digits: String = read.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("\\x{digits}")
        }
    })
}

fn moment(microseconds: i64) -> Fit<NaiveDateTime> {
    let moment = DateTime::from_timestamp_micros(microseconds).ok_or(Misfit::Range)?;
    Ok(moment.naive_utc())
}

fn pointed(mantissa: i128, scale: usize) -> String {
    let digits = format!("{mantissa:0width$}", width = scale + 1);
    match digits.split_at(digits.len() - scale) {
        (whole, "") => whole.to_owned(),
        (whole, fraction) => format!("{whole}.{fraction}"),
    }
}

#[test]
fn types_have_the_names_that_the_documentation_lists() {
    let rows = documented_rows("### Names");
    assert!(rows.len() > 12, "{rows:?}");
    let mut documented = Vec::new();
    for row in rows {
        let [column_type, names] = row.as_slice() else { panic!("{row:?}") };
        for name in names.split('`').skip(1).step_by(2) {
            let TypeName { given, .. } = name.parse().unwrap();
            assert_eq!(given.column_type.to_string(), code(column_type), "{name}");
            documented.push(name.to_lowercase());
        }
    }
    for (_, name) in super::names::all_types() {
        let is_it = |known: &String| {
            known == name
                || known.strip_prefix(name).is_some_and(|rest| rest.starts_with(['<', '[']))
        };
        assert!(documented.iter().any(is_it), "`{name}` is not documented");
    }
}
