//! `decant discover`: what a source holds, as tables, as JSON, or as a
//! configuration that loads it.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use decant::config::{DiscoverSettings, Settings};
use decant::core::secret::redact_url;
use decant::core::stream::FormatOptions;
use decant::core::{Error, ErrorKind, Result};
use decant::discovery::{Discovered, DiscoveredFile, configuration, discover};
use serde_json::Value;

use super::{refused, with_vocabulary};
use crate::args::{DiscoverArgs, GlobalArgs, OutputFormat};
use crate::exit::{Exit, describe_reported};
use crate::output::{print, print_json, tell};
use crate::progress::{counted, human_bytes, human_count};
use crate::table::lay_out;

/// Looks, and shows or writes what there is.
pub(crate) async fn run(args: &DiscoverArgs, global: &GlobalArgs) -> Result<Exit> {
    match with_vocabulary(|vocabulary| {
        let options = args.options(global)?;
        options.map(|options| options.settings(vocabulary)).transpose()
    }) {
        Err(error) => Ok(refused(&error)),
        Ok(Some(settings)) => of_source(args, &settings, global).await,
        Ok(None) => of_configuration(args, global).await,
    }
}

async fn of_source(
    args: &DiscoverArgs,
    settings: &DiscoverSettings,
    global: &GlobalArgs,
) -> Result<Exit> {
    if let Some(path) = args.write.as_deref().filter(|path| path.exists() && !args.force) {
        return Ok(refused(&is_there(path)));
    }
    let for_destination = args.destination.to.is_some();
    let found =
        discover(settings.settings.clone(), Some(&settings.folder), for_destination).await?;
    let exit = show(&found, args, global)?;
    if found.is_empty() {
        return Err(nothing_found(&settings.url));
    }
    if let Some(path) = &args.write {
        let (destination, note) = destination_of(args, &settings.settings);
        write(path, &configuration(settings, &destination, &found), args.force)?;
        // Standard output is the data's where it is JSON.
        let text = format!("written to {}{note}\n", path.display());
        match global.output {
            OutputFormat::Text => print(&text)?,
            OutputFormat::Json => tell(&text),
        }
    }
    Ok(exit)
}

async fn of_configuration(args: &DiscoverArgs, global: &GlobalArgs) -> Result<Exit> {
    if args.write.is_some() {
        let message = "--write needs a SOURCE: the configuration is written already";
        return Ok(refused(&Error::new(ErrorKind::InvalidConfig, message)));
    }
    let settings = with_vocabulary(|vocabulary| {
        global.document()?.settings(&args.overrides(global), vocabulary)
    });
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => return Ok(refused(&error)),
    };
    let found = discover(settings, None, true).await?;
    show(&found, args, global)
}

fn nothing_found(place: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("no file was found at {place}"))
        .with_hint("check the spelling of bucket and folder; `decant list` shows what is there")
}

fn is_there(path: &Path) -> Error {
    Error::new(ErrorKind::InvalidConfig, format!("{} is there already", path.display()))
        .with_hint("name another file after --write, or replace this one with --force")
}

/// What the configuration says for the destination: never a password.
fn destination_of(args: &DiscoverArgs, settings: &Settings) -> (String, &'static str) {
    let url = settings.destination.url.expose();
    match &args.destination.to {
        Some(_) if redact_url(url) != url => {
            ("${DATABASE_URL}".to_owned(), "; export DATABASE_URL before it is used")
        }
        _ => (url.to_owned(), ""),
    }
}

fn write(path: &Path, text: &str, force: bool) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).create_new(!force);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => is_there(path),
        _ => Error::new(ErrorKind::Unavailable, format!("cannot write {}", path.display()))
            .caused_by(error),
    })
}

fn show(found: &[Discovered], args: &DiscoverArgs, global: &GlobalArgs) -> Result<Exit> {
    match global.output {
        OutputFormat::Json => found.iter().try_for_each(|one| print_json(&as_json(one)))?,
        OutputFormat::Text => {
            let texts: Vec<String> = found.iter().map(|one| describe(one, args.explain)).collect();
            print(&texts.join("\n"))?;
        }
    }
    let failed = found.iter().any(|one| one.error.is_some());
    Ok(if failed { Exit::Failed } else { Exit::Ok })
}

/// The object of one table, formats without what says nothing.
fn as_json(found: &Discovered) -> Value {
    let mut value = serde_json::to_value(found).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.remove("parts");
    }
    prune(&mut value);
    let files = value.get_mut("looked_at").and_then(Value::as_array_mut);
    files.into_iter().flatten().for_each(prune);
    value
}

fn prune(value: &mut Value) {
    if let Some(Value::Object(format)) = value.get_mut("format") {
        format.retain(|_, value| !value.is_null());
    }
}

fn describe(found: &Discovered, explain: bool) -> String {
    let mut text = format!(
        "{}: {}, {}\n",
        found.table,
        counted(found.files, "file"),
        human_bytes(found.bytes)
    );
    if let Some(format) = &found.format {
        let _ = writeln!(text, "  {}", describe_format(format));
    }
    if !found.columns.is_empty() {
        let rows: Vec<Vec<String>> = found
            .columns
            .iter()
            .map(|column| {
                let nullable = if column.nullable { "yes" } else { "no" };
                let examples = column.examples.join(", ");
                vec![column.name.clone(), column.column_type.clone(), nullable.into(), examples]
            })
            .collect();
        let table = lay_out(&["column", "type", "nullable", "examples"], &rows);
        table.lines().for_each(|line| {
            let _ = writeln!(text, "  {line}");
        });
    }
    if let Some(error) = &found.error {
        let _ = writeln!(text, "{}", describe_reported(error));
    }
    for file in &found.looked_at {
        text.push_str(&describe_file(file, explain));
    }
    text
}

fn describe_file(file: &DiscoveredFile, explain: bool) -> String {
    let mut text = String::new();
    let is_told = explain || !file.differs.is_empty() || file.error.is_some();
    if !is_told {
        return text;
    }
    let all = if file.complete { "" } else { " looked at" };
    let _ = writeln!(text, "  {}: {}{all}", file.file.escape_debug(), counted(file.rows, "row"));
    for difference in &file.differs {
        let _ = writeln!(text, "    differs: {difference}");
    }
    if explain {
        for sentence in &file.explanation {
            let _ = writeln!(text, "    {sentence}");
        }
    }
    if let Some(error) = &file.error {
        let _ = writeln!(text, "    {}", describe_reported(error));
    }
    text
}

/// A format in a line: its name, then what is worth knowing.
fn describe_format(format: &FormatOptions) -> String {
    let name = format.name.clone().unwrap_or_else(|| "auto".into());
    let mut parts = vec![name];
    let told = |text: &str| text.replace('\t', "tab");
    if let Some(delimiter) = &format.delimiter {
        parts.push(format!("delimiter `{}`", told(delimiter)));
    }
    if let Some(encoding) = &format.encoding {
        parts.push(encoding.clone());
    }
    if let Some(numbers) = format.numbers {
        parts.push(format!("decimal `{}`", numbers.decimal));
    }
    for (what, rows) in
        [("before the header", format.skip_rows), ("at the end", format.skip_footer)]
    {
        if let Some(rows) = rows.filter(|rows| *rows > 0) {
            parts.push(format!("{} {what} left out", human_count(rows)));
        }
    }
    parts.join(", ")
}
