//! What is known about the files' format, and which options say nothing
//! about it or contradict each other.

use decant_core::stream::{FormatOptions, Header, Mark};
use decant_core::value_format::NumberFormat;
use decant_formats::concerns::{concerns, owners};
use decant_formats::encoding::check_label;

use super::deserialize::suggestion;
use super::meaning::{About, Meant, Objection, Vocabulary};
use super::stream_rules::Path;
use super::typed::{
    self, DecimalMark, Delimiter, FlattenLevels, Format, HeaderRows, Size, Texts, ThousandsMark,
    Widths,
};

/// The name that stands for finding out.
const AUTO: &str = "auto";
pub(super) fn format_options(
    typed: Option<&Format>,
    vocabulary: &Vocabulary<'_>,
    path: &Path<'_>,
) -> Meant<FormatOptions> {
    let Some(typed) = typed else { return Ok(FormatOptions::default()) };
    let name = name_of(typed, vocabulary, path)?;
    refuse_foreign_options(typed, name.as_deref(), path)?;
    refuse_bad_values(typed, path)?;
    refuse_shared_characters(typed, path)?;
    if let Some(label) = &typed.encoding {
        check_label(label).about(path.to("format.encoding"))?;
    }
    Ok(FormatOptions {
        name,
        compression: typed.compression.as_deref().map(str::to_ascii_lowercase),
        encoding: typed.encoding.clone(),
        lenient: typed.lenient.unwrap_or(false),
        delimiter: typed.delimiter.clone().map(|Delimiter(text)| text),
        quote: typed.quote.map(mark),
        escape: typed.escape.map(mark),
        comment: typed.comment.map(mark),
        header: typed.header.map(header),
        skip_rows: typed.skip_rows,
        skip_footer: typed.skip_footer,
        null_values: typed.null_values.clone().map(|Texts(words)| words),
        numbers: numbers(typed, path)?,
        widths: typed.widths.clone().map(|Widths(widths)| widths),
        records_path: typed.records_path.clone(),
        flatten: typed.flatten.clone().map(|FlattenLevels(flatten)| flatten),
        row_element: typed.row_element.clone(),
        sheet: typed.sheet.clone(),
        range: typed.range.clone(),
        record_bytes_max: record_bytes_max(typed, path)?,
        decompressed_bytes_max: typed.decompressed_bytes_max.map(|Size(bytes)| bytes),
        decompression_ratio_max: typed.decompression_ratio_max,
        memory_bytes: None,
        habits: None,
    })
}

fn mark(typed::Mark(byte): typed::Mark) -> Mark {
    byte.map_or(Mark::Off, Mark::Byte)
}

fn header(HeaderRows(rows): HeaderRows) -> Header {
    if rows == 0 { Header::None } else { Header::Rows(rows) }
}

/// The format's name; what only one format has names it as well.
fn name_of(typed: &Format, vocabulary: &Vocabulary<'_>, path: &Path<'_>) -> Meant<Option<String>> {
    let named = typed.name.as_deref().map(str::to_ascii_lowercase).filter(|name| name != AUTO);
    if let Some(name) = &named
        && !vocabulary.formats.is_empty()
        && !vocabulary.formats.contains(&name.as_str())
    {
        let mut known = vec![AUTO];
        known.extend(vocabulary.formats);
        let message = format!("`{name}` is not a format that is known");
        return Err(Objection::new(path.to("format.type"), message).hint(suggestion(name, &known)));
    }
    if let Some(orient) = typed.json_orient {
        return match named.as_deref() {
            None | Some("json") => Ok(Some(orient.format().to_owned())),
            Some(name) => Err(Objection::new(
                path.to("format.json_orient"),
                format!("`json_orient` says nothing about {name} files"),
            )
            .hint("leave it out, or name the format `json`")),
        };
    }
    let implied = [("fwf", typed.widths.is_some()), ("xml", typed.row_element.is_some())];
    let implied = implied.iter().find(|(_, is_given)| *is_given).map(|(name, _)| *name);
    Ok(named.or_else(|| implied.map(str::to_owned)))
}

/// Options, and whether they are given.
fn given_options(typed: &Format) -> [(&'static str, bool); 19] {
    [
        ("compression", typed.compression.is_some()),
        ("encoding", typed.encoding.is_some()),
        ("lenient", typed.lenient == Some(true)),
        ("delimiter", typed.delimiter.is_some()),
        ("quote", typed.quote.is_some()),
        ("escape", typed.escape.is_some()),
        ("comment", typed.comment.is_some()),
        ("header", typed.header.is_some()),
        ("skip_rows", typed.skip_rows.is_some()),
        ("skip_footer", typed.skip_footer.is_some()),
        ("null_values", typed.null_values.is_some()),
        ("decimal", typed.decimal.is_some()),
        ("thousands", typed.thousands.is_some()),
        ("widths", typed.widths.is_some()),
        ("records_path", typed.records_path.is_some()),
        ("flatten", typed.flatten.is_some()),
        ("row_element", typed.row_element.is_some()),
        ("sheet", typed.sheet.is_some()),
        ("range", typed.range.is_some()),
    ]
}

fn refuse_foreign_options(typed: &Format, name: Option<&str>, path: &Path<'_>) -> Meant<()> {
    let Some(name) = name else { return Ok(()) };
    let given = given_options(typed);
    let stray = given.iter().find(|(key, is_given)| *is_given && !concerns(key, name));
    match stray {
        Some((key, _)) => {
            let owner = owners(key).and_then(|mut owners| owners.next()).unwrap_or("csv");
            Err(Objection::new(
                path.to(&format!("format.{key}")),
                format!("`{key}` says nothing about {name} files"),
            )
            .hint(format!("leave it out, or name the format `{owner}`")))
        }
        None => Ok(()),
    }
}

fn refuse_bad_values(typed: &Format, path: &Path<'_>) -> Meant<()> {
    let bad = [
        (
            "flatten",
            typed.flatten.as_ref().is_some_and(|FlattenLevels(flatten)| flatten.depth == 0),
        ),
        ("widths", typed.widths.as_ref().is_some_and(|Widths(widths)| widths.is_empty())),
        ("decompressed_bytes_max", typed.decompressed_bytes_max == Some(Size(0))),
        ("decompression_ratio_max", typed.decompression_ratio_max == Some(0)),
    ];
    if let Some((key, _)) = bad.iter().find(|(_, is_bad)| *is_bad) {
        let message = format!("`{key}` must be at least 1");
        return Err(Objection::new(path.to(&format!("format.{key}")), message));
    }
    let pointer = typed.records_path.as_deref().unwrap_or_default();
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return Err(Objection::new(
            path.to("format.records_path"),
            format!("`{pointer}` is not a JSON pointer"),
        )
        .hint(format!("a JSON pointer begins with `/`: `/{}`", pointer.replace('.', "/"))));
    }
    Ok(())
}

fn refuse_shared_characters(typed: &Format, path: &Path<'_>) -> Meant<()> {
    let of_mark = |mark: Option<typed::Mark>| {
        mark.and_then(|typed::Mark(byte)| byte).map(|byte| char::from(byte).to_string())
    };
    let delimiter = typed.delimiter.clone().map(|Delimiter(text)| text);
    let given = [
        ("delimiter", delimiter.clone()),
        ("quote", of_mark(typed.quote)),
        ("comment", of_mark(typed.comment)),
    ];
    for (index, (key, text)) in given.iter().enumerate() {
        let twin = given[..index].iter().find(|(_, other)| text.is_some() && other == text);
        if let Some((other, _)) = twin {
            return Err(Objection::new(
                path.to(&format!("format.{key}")),
                format!("`{key}` and `{other}` are the same character"),
            ));
        }
    }
    let escape = of_mark(typed.escape);
    if escape.is_some() && escape == delimiter {
        return Err(Objection::new(
            path.to("format.escape"),
            "`escape` and `delimiter` are the same character",
        ));
    }
    Ok(())
}

fn numbers(typed: &Format, path: &Path<'_>) -> Meant<Option<NumberFormat>> {
    if typed.decimal.is_none() && typed.thousands.is_none() {
        return Ok(None);
    }
    let thousands = typed.thousands.and_then(|ThousandsMark(mark)| mark);
    let decimal = match (typed.decimal, thousands) {
        (Some(DecimalMark(mark)), _) => mark,
        (None, Some('.')) => ',',
        (None, _) => '.',
    };
    if thousands == Some(decimal) {
        return Err(Objection::new(
            path.to("format.thousands"),
            "`decimal` and `thousands` are the same character",
        ));
    }
    Ok(Some(NumberFormat { decimal, thousands }))
}

fn record_bytes_max(typed: &Format, path: &Path<'_>) -> Meant<Option<usize>> {
    let setting = || path.to("format.record_bytes_max");
    match typed.record_bytes_max {
        None => Ok(None),
        Some(Size(0)) => Err(Objection::new(setting(), "`record_bytes_max` must be at least 1")),
        Some(Size(bytes)) => usize::try_from(bytes)
            .map(Some)
            .map_err(|_| Objection::new(setting(), "`record_bytes_max` is more than memory")),
    }
}
