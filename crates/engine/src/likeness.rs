//! In what the files of one table are written unlike each other.

use std::collections::HashMap;

use decant_core::stream::{FormatOptions, Header, Mark};

/// What files showed of themselves, and which of them was the first to.
#[derive(Debug, Default)]
pub(crate) struct Likeness {
    first: HashMap<(String, Trait), (String, String)>,
}

/// In what files can differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Trait {
    Encoding,
    Delimiter,
    Quote,
    Escape,
    Header,
    Numbers,
}

impl Likeness {
    /// In what `file`, which shows this much, is unlike the first file of
    /// `table` that shows the same: a sentence for each difference.
    pub(crate) fn compare(
        &mut self,
        table: &str,
        file: &str,
        shown: &FormatOptions,
    ) -> Vec<String> {
        let mut differences = Vec::new();
        for (which, said) in sentences(shown) {
            let place = self.first.entry((table.to_owned(), which));
            let (usual, first) = place.or_insert_with(|| (said.clone(), file.to_owned()));
            if *usual != said {
                differences.push(format!("{file}: {said}; in {first}: {usual}"));
            }
        }
        differences
    }
}

fn sentences(shown: &FormatOptions) -> Vec<(Trait, String)> {
    let mark = |mark: Mark| match mark.byte() {
        Some(byte) => format!("`{}`", byte.escape_ascii()),
        None => "nothing".to_owned(),
    };
    let header = |header: Header| match header {
        Header::None => "there is no header".to_owned(),
        Header::Rows(1) => "the first row names the columns".to_owned(),
        Header::Rows(rows) => format!("the first {rows} rows name the columns"),
    };
    let sign = |decimal| if decimal == ',' { "comma" } else { "point" };
    let said = [
        (Trait::Encoding, shown.encoding.as_ref().map(|label| format!("the text is {label}"))),
        (
            Trait::Delimiter,
            shown
                .delimiter
                .as_ref()
                .map(|text| format!("fields are separated by `{}`", text.escape_debug())),
        ),
        (Trait::Quote, shown.quote.map(|it| format!("fields are enclosed in {}", mark(it)))),
        (Trait::Escape, shown.escape.map(|it| format!("quotes are escaped by {}", mark(it)))),
        (Trait::Header, shown.header.map(header)),
        (
            Trait::Numbers,
            shown.numbers.map(|it| format!("numbers have a decimal {}", sign(it.decimal))),
        ),
    ];
    said.into_iter().filter_map(|(which, said)| Some((which, said?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_unlike_the_first_one_says_in_what() {
        let showing = |header, delimiter: Option<&str>| FormatOptions {
            header,
            delimiter: delimiter.map(str::to_owned),
            ..FormatOptions::default()
        };
        let mut likeness = Likeness::default();
        let mut compare = |file: &str, shown| likeness.compare("t", file, &shown);
        assert!(compare("a.csv", showing(Some(Header::Rows(1)), None)).is_empty());
        assert!(compare("b.csv", showing(Some(Header::Rows(1)), Some(";"))).is_empty());
        assert!(compare("c.csv", showing(None, None)).is_empty());
        assert_eq!(
            compare("d.csv", showing(Some(Header::None), Some(","))),
            [
                "d.csv: fields are separated by `,`; in b.csv: fields are separated by `;`",
                "d.csv: there is no header; in a.csv: the first row names the columns",
            ]
        );
    }
}
