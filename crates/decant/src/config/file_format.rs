//! What is known about the files' format.

use decant_core::error::{Error, ErrorKind};
use decant_core::stream::{FormatOptions, Header, Mark};

use super::deserialize::suggestion;
use super::meaning::{Meant, Objection, Vocabulary};
use super::stream_rules::Path;
use super::typed::{Format, Letter, Quote, Size, Texts};

/// The name that stands for finding out.
const AUTO: &str = "auto";
/// Formats that are text with fields; the others have no such options.
const DELIMITED: [&str; 3] = ["csv", "tsv", "psv"];

pub(super) fn format_options(
    typed: Option<&Format>,
    vocabulary: &Vocabulary<'_>,
    path: &Path<'_>,
) -> Meant<FormatOptions> {
    let Some(typed) = typed else { return Ok(FormatOptions::default()) };
    let name = name_of(typed, vocabulary, path)?;
    refuse_foreign_options(typed, name.as_deref(), path)?;
    refuse_encoding(typed, path)?;
    let options = FormatOptions {
        name,
        delimiter: typed.delimiter.map(|Letter(byte)| char::from(byte).to_string()),
        quote: typed.quote.map(|Quote(byte)| byte.map_or(Mark::Off, Mark::Byte)),
        escape: typed.escape.map(|Letter(byte)| Mark::Byte(byte)),
        comment: typed.comment.map(|Letter(byte)| Mark::Byte(byte)),
        header: typed.header.map(|header| if header { Header::Rows(1) } else { Header::None }),
        skip_rows: typed.skip_rows,
        null_values: typed.null_values.clone().map(|Texts(words)| words),
        record_bytes_max: record_bytes_max(typed, path)?,
        ..FormatOptions::default()
    };
    refuse_shared_characters(typed, path)?;
    Ok(options)
}

fn name_of(typed: &Format, vocabulary: &Vocabulary<'_>, path: &Path<'_>) -> Meant<Option<String>> {
    let Some(name) = typed.name.as_deref().map(str::to_ascii_lowercase) else { return Ok(None) };
    if name == AUTO {
        return Ok(None);
    }
    if !vocabulary.formats.is_empty() && !vocabulary.formats.contains(&name.as_str()) {
        let mut known = vec![AUTO];
        known.extend(vocabulary.formats);
        let message = format!("`{name}` is not a format that is known");
        return Err(Objection::new(path.to("format.type"), message).hint(suggestion(&name, &known)));
    }
    Ok(Some(name))
}

fn refuse_foreign_options(typed: &Format, name: Option<&str>, path: &Path<'_>) -> Meant<()> {
    let Some(name) = name.filter(|name| !DELIMITED.contains(name)) else { return Ok(()) };
    let of_delimited = [
        ("delimiter", typed.delimiter.is_some()),
        ("quote", typed.quote.is_some()),
        ("escape", typed.escape.is_some()),
        ("comment", typed.comment.is_some()),
        ("header", typed.header.is_some()),
        ("skip_rows", typed.skip_rows.is_some()),
    ];
    match of_delimited.iter().find(|(_, is_given)| *is_given) {
        Some((key, _)) => Err(Objection::new(
            path.to(&format!("format.{key}")),
            format!("`{key}` says nothing about {name} files"),
        )
        .hint("leave it out, or name the format `csv`")),
        None => Ok(()),
    }
}

fn refuse_encoding(typed: &Format, path: &Path<'_>) -> Meant<()> {
    let Some(encoding) = &typed.encoding else { return Ok(()) };
    if matches!(encoding.to_ascii_lowercase().as_str(), "utf-8" | "utf8") {
        return Ok(());
    }
    let error = Error::new(
        ErrorKind::Unsupported,
        format!("the encoding `{encoding}` is not supported yet"),
    )
    .with_hint("allowed is `utf-8`");
    Err(Objection { setting: path.to("format.encoding"), error })
}

fn refuse_shared_characters(typed: &Format, path: &Path<'_>) -> Meant<()> {
    let given = [
        ("delimiter", typed.delimiter.map(|Letter(byte)| byte)),
        ("quote", typed.quote.and_then(|Quote(byte)| byte)),
        ("comment", typed.comment.map(|Letter(byte)| byte)),
    ];
    for (index, (key, byte)) in given.iter().enumerate() {
        let twin = given[..index].iter().find(|(_, other)| byte.is_some() && other == byte);
        if let Some((other, _)) = twin {
            return Err(Objection::new(
                path.to(&format!("format.{key}")),
                format!("`{key}` and `{other}` are the same character"),
            ));
        }
    }
    if typed.escape.is_some() && typed.escape == typed.delimiter {
        return Err(Objection::new(
            path.to("format.escape"),
            "`escape` and `delimiter` are the same character",
        ));
    }
    Ok(())
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
