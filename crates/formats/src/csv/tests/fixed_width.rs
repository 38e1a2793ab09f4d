//! Lines whose columns have fixed widths.

use decant_core::ErrorKind;
use decant_core::format::{Format, Piece, RepairKind};
use decant_core::reject::Reason;
use decant_core::schema::ColumnType;
use decant_core::stream::{FormatOptions, Header};

use super::super::CsvFormat;
use super::{Collector, Decoded, exact, plain};
use crate::testing::Chunks;

fn of_widths(widths: &[usize]) -> FormatOptions {
    FormatOptions { widths: Some(widths.to_vec()), ..plain() }
}

fn decode(file: &str, options: &FormatOptions) -> Decoded {
    let read = |sizes: (usize, usize)| {
        let format = CsvFormat { block_bytes: sizes.0, ..CsvFormat::fixed_width(options).unwrap() };
        let targets = &|_| Some(exact(ColumnType::Text));
        let mut collector = Collector { targets, decoded: Decoded::default() };
        let piece = Piece::whole(file.len() as u64);
        let mut input = Chunks::new(file.as_bytes(), sizes.1);
        format.decode(&piece, &mut input, &mut collector).unwrap();
        collector.decoded
    };
    let whole = read((1 << 20, 1 << 20));
    for sizes in [(1, 1), (7, 3)] {
        let pieces = read(sizes);
        assert_eq!((pieces.rows(), &pieces.rejects), (whole.rows(), &whole.rejects));
        assert_eq!((&pieces.places, &pieces.repairs), (&whole.places, &whole.repairs));
    }
    whole
}

fn rows(decoded: &Decoded) -> Vec<String> {
    let line = |row: &Vec<Option<String>>| {
        let fields: Vec<&str> = row.iter().map(|field| field.as_deref().unwrap_or("~")).collect();
        fields.join("|")
    };
    decoded.rows().iter().map(line).collect()
}

#[test]
fn columns_are_cut_by_characters_and_lose_their_padding() {
    let file = "id   name  amount\n   1Zoë      12.50\n   2\"x,y\"   \n\n   3            \n";
    let decoded = decode(file, &of_widths(&[4, 7, 7]));
    assert_eq!(decoded.names(), ["id", "name", "amount"]);
    assert_eq!(rows(&decoded), ["1|Zoë|12.50", "2|\"x,y\"|~", "3|~|~"]);
    assert_eq!(decoded.places[1], (2, 3, 38, "   2\"x,y\"   ".to_owned()));
    assert_eq!(decoded.columns.unwrap().options.name.as_deref(), Some("fwf"));
}

#[test]
fn a_line_that_goes_on_behind_its_last_column_is_malformed() {
    let file = "1ab \n2cdX\n3ef\n";
    let options = FormatOptions { header: Some(Header::None), ..of_widths(&[1, 2]) };
    let decoded = decode(file, &options);
    assert_eq!(rows(&decoded), ["1|ab", "3|ef"]);
    assert_eq!(decoded.rejects[0].reason, Reason::FieldCount);
    assert_eq!(decoded.rejects[0].detail, "the line has 4 characters where the widths add up to 3");
    let lenient = decode(file, &FormatOptions { lenient: true, ..options });
    assert_eq!(rows(&lenient), ["1|ab", "2|cd", "3|ef"]);
    let (ordinal, kind, cut, kept) = &lenient.repairs[0];
    assert_eq!((*ordinal, *kind, cut.as_slice()), (2, RepairKind::Cut, &["X".to_owned()][..]));
    assert_eq!(kept.as_ref().unwrap().raw, b"2cdX");
}

#[test]
fn a_line_that_lacks_whole_columns_is_malformed_and_a_stripped_one_is_not() {
    let file = "1ab xy\n2cd x\n3ef\n4\n5gh y";
    let options = FormatOptions { header: Some(Header::None), ..of_widths(&[1, 3, 2]) };
    let decoded = decode(file, &options);
    assert_eq!(rows(&decoded), ["1|ab|xy", "2|cd|x", "5|gh|y"]);
    let reasons: Vec<_> = decoded.rejects.iter().map(|it| (it.line, it.reason.clone())).collect();
    assert_eq!(reasons, [(Some(3), Reason::FieldCount), (Some(4), Reason::FieldCount)]);
    assert_eq!(
        decoded.rejects[0].detail,
        "the line ends after 3 characters, before its last column begins; the widths add up to 6"
    );
    let lenient = decode(file, &FormatOptions { lenient: true, ..options });
    assert_eq!(rows(&lenient), ["1|ab|xy", "2|cd|x", "3|ef|~", "4|~|~", "5|gh|y"]);
    let padded = lenient.repairs.iter().filter(|(_, kind, ..)| *kind == RepairKind::Padded);
    assert_eq!(padded.count(), 2);
}

#[test]
fn widths_are_needed() {
    for options in [plain(), of_widths(&[]), of_widths(&[3, 0])] {
        let error = CsvFormat::fixed_width(&options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        assert!(error.hint().unwrap().contains("widths"));
    }
}
