//! A footer without what nobody reads: statistics, indexes, and fields that a
//! writer uses for something of its own.
//!
//! A field whose type is not the one that
//! [the format](https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift)
//! gives it is passed over, as every reader made by Thrift does; the parquet
//! crate believes a field's number alone. Nothing is checked here but that
//! the bytes can be walked.
//!
//! Invariant: what is kept stays as it is written, in its order.

use super::compact::{Compact, Parsed, Wire};

/// A field that is kept.
struct Field {
    id: i64,
    wire: Wire,
    /// What is kept of the structure, or of the list of structures, that it
    /// is; nothing where it is kept as it is.
    fields: &'static [Field],
}

const fn whole(id: i64, wire: Wire) -> Field {
    Field { id, wire, fields: &[] }
}

const FILE: [Field; 5] = [
    whole(1, Wire::Integer),
    Field { id: 2, wire: Wire::List, fields: &SCHEMA_ELEMENT },
    whole(3, Wire::Integer),
    Field { id: 4, wire: Wire::List, fields: &ROW_GROUP },
    // Who wrote the file.
    whole(6, Wire::Binary),
];
const SCHEMA_ELEMENT: [Field; 10] = [
    whole(1, Wire::Integer),
    whole(2, Wire::Integer),
    whole(3, Wire::Integer),
    whole(4, Wire::Binary),
    whole(5, Wire::Integer),
    whole(6, Wire::Integer),
    whole(7, Wire::Integer),
    whole(8, Wire::Integer),
    whole(9, Wire::Integer),
    // The logical type.
    whole(10, Wire::Struct),
];
const ROW_GROUP: [Field; 3] = [
    Field { id: 1, wire: Wire::List, fields: &COLUMN },
    whole(2, Wire::Integer),
    whole(3, Wire::Integer),
];
const COLUMN: [Field; 2] =
    [whole(2, Wire::Integer), Field { id: 3, wire: Wire::Struct, fields: &COLUMN_METADATA }];
const COLUMN_METADATA: [Field; 9] = [
    whole(1, Wire::Integer),
    // Encodings, and the path in the schema.
    whole(2, Wire::List),
    whole(3, Wire::List),
    whole(4, Wire::Integer),
    whole(5, Wire::Integer),
    whole(6, Wire::Integer),
    whole(7, Wire::Integer),
    // Where data and dictionary begin.
    whole(9, Wire::Integer),
    whole(11, Wire::Integer),
];

/// The footer with nothing in it but what is needed.
pub(super) fn of(footer: &[u8]) -> Parsed<Vec<u8>> {
    let mut kept = Vec::with_capacity(footer.len());
    structure(&mut Compact::new(footer), &FILE, &mut kept)?;
    Ok(kept)
}

fn structure(compact: &mut Compact<'_>, fields: &[Field], kept: &mut Vec<u8>) -> Parsed<()> {
    let mut last = 0;
    compact.structure(|compact, id, wire| {
        let Some(field) = fields.iter().find(|field| field.id == id && field.wire == wire) else {
            return Ok(false);
        };
        match id - last {
            delta @ 1..=15 => kept.push((delta as u8) << 4 | wire.code()),
            _ => kept.extend([wire.code(), (id as u8) << 1]),
        }
        last = id;
        match (field.fields, wire) {
            ([], _) => kept.extend_from_slice(compact.value(wire)?),
            (fields, Wire::List) => list(compact, fields, kept)?,
            (fields, _) => structure(compact, fields, kept)?,
        }
        Ok(true)
    })?;
    kept.push(0);
    Ok(())
}

fn list(compact: &mut Compact<'_>, fields: &[Field], kept: &mut Vec<u8>) -> Parsed<()> {
    let (head, element, count) = compact.list_head()?;
    kept.extend_from_slice(head);
    (0..count).try_for_each(|_| match element {
        Wire::Struct => structure(compact, fields, kept),
        other => {
            kept.extend_from_slice(compact.element(other)?);
            Ok(())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_needed_or_of_another_type_is_left_out() {
        // 1: i32 2; 3: a list where a number should be; 5: a list; 6: "me";
        // then 3 again, as it should be, out of its order.
        let footer =
            [0x15, 4, 0x29, 0x15, 2, 0x29, 0x15, 6, 0x18, 2, b'm', b'e', 0x06, 6, 14, 0x00];
        let kept = [0x15, 4, 0x58, 2, b'm', b'e', 0x05, 6, 14, 0x00];
        assert_eq!(of(&footer).unwrap(), kept);
    }

    #[test]
    fn structures_are_thinned_out_at_every_level() {
        // 4: a list of one row group; of its three fields the 3rd is kept and
        // the 4th is not; its list of columns has one with statistics.
        let column = [0x3c, 0x15, 2, 0xbc, 0x00, 0x00, 0x00];
        let thin = [0x3c, 0x15, 2, 0x00, 0x00];
        let group = |column: &[u8], rest: &[u8]| {
            [&[0x49, 0x1c, 0x19, 0x1c][..], column, &[0x25, 20], rest, &[0, 0]].concat()
        };
        let footer = group(&column, &[0x16, 2]);
        assert_eq!(of(&footer).unwrap(), group(&thin, &[]));
    }
}
