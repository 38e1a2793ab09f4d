//! What the options of one stream mean.

use decant_core::Stream;
use decant_core::selection::Selection;
use decant_core::stream::{FormatOptions, MaxRejects, OnError, Reload, RowFilter, WriteMode};
use decant_core::table_template::TableTemplate;

use crate::registry::archive_for;

use super::column_rules::column_rules;
use super::file_format::format_options;
use super::location::Location;
use super::meaning::{About, Meant, Objection, ReloadOptions, Vocabulary};
use super::typed::{self, Age, RejectLimit, StreamOptions, Texts};

/// Attempts after which a failing file is given up where nothing is said.
pub const DEFAULT_MAX_ATTEMPTS: u32 = 5;

/// What a stream stands on.
pub(super) struct Ground<'a> {
    pub(super) folder: &'a Location,
    pub(super) reload: ReloadOptions,
    pub(super) vocabulary: &'a Vocabulary<'a>,
}

/// The dotted paths of one stream's settings.
pub(super) struct Path<'a>(pub(super) &'a str);

impl Path<'_> {
    pub(super) fn to(&self, key: &str) -> String {
        format!("streams.{}.{key}", self.0)
    }
}

/// The stream that these options mean in a configuration.
pub(super) fn stream_of(name: &str, options: &StreamOptions, ground: &Ground<'_>) -> Meant<Stream> {
    let path = Path(name);
    if name.trim().is_empty() {
        return Err(Objection::new("streams", "a stream's name is empty"));
    }
    let selection = selection_of(options, ground.folder, &path)?;
    let table = options.table.as_deref().unwrap_or("{folder}");
    let table = TableTemplate::new(table, &ground.folder.folder, names_of(options).meaning())
        .about(path.to("table"))?;
    with_rules(name, options, selection, table, ground)
}

/// A stream whose files and table are known.
pub(super) fn with_rules(
    name: &str,
    options: &StreamOptions,
    selection: Selection,
    table: TableTemplate,
    ground: &Ground<'_>,
) -> Meant<Stream> {
    let path = Path(name);
    let on_error = options.on_error.map(typed::OnError::meaning).unwrap_or_default();
    refuse_conflicts(options, &path)?;
    Ok(Stream {
        name: name.to_owned(),
        selection,
        table,
        format: format_options(options.format.as_ref(), ground.vocabulary, &path)?,
        columns: column_rules(options.columns.as_ref(), &path)?,
        write_mode: write_mode(options, ground.reload, &path)?,
        filter: filter_of(options.filter.as_deref(), &path)?,
        atomic: options.atomic.map(typed::Atomic::meaning).unwrap_or_default(),
        on_error,
        max_rejects: max_rejects(options.max_rejects, on_error, &path)?,
        on_change: options.on_change.map(typed::OnChange::meaning),
        new_columns: options.new_columns.map(typed::NewColumns::meaning),
        missing_columns: options
            .missing_columns
            .map(typed::MissingColumns::meaning)
            .unwrap_or_default(),
        types: options.types.map(typed::TypePolicy::meaning),
        on_conflict: options.on_conflict.map(typed::OnConflict::meaning).unwrap_or_default(),
        file_id: options.file_id.unwrap_or(true),
        max_attempts: max_attempts(options.max_attempts, &path)?,
        reload: reload_of(ground.reload),
        allow_duplicates: ground.reload.allow_duplicates,
    })
}

pub(super) fn names_of(options: &StreamOptions) -> typed::ColumnNames {
    let given = options.columns.as_ref().and_then(|columns| columns.names);
    given.unwrap_or(typed::ColumnNames::SnakeCase)
}

fn selection_of(options: &StreamOptions, folder: &Location, path: &Path<'_>) -> Meant<Selection> {
    let selection = match &options.files {
        Some(files) => {
            refuse_stray_files(files, path)?;
            folder.below(files).about(path.to("files"))?
        }
        None => folder.selection().about("source.url")?,
    };
    narrowed(selection, options, std::slice::from_ref(folder), path)
}

fn refuse_stray_files(files: &str, path: &Path<'_>) -> Meant<()> {
    if is_in_archive(files) {
        let message = "`files` names files, not what is inside an archive";
        return Err(Objection::new(path.to("files"), message).hint(
            "name the archive alone: all of its members are loaded but those that `exclude` \
             leaves out, by globs such as `*.zip!/drafts/*`",
        ));
    }
    let message = if files.contains("://") {
        "`files` is a glob below `source.url`, not a URL"
    } else if files.starts_with('/') {
        "`files` is a glob below `source.url` and cannot begin with `/`"
    } else if files.split('/').any(|part| part == "..") {
        "`files` cannot leave the folder of `source.url` by `..`"
    } else {
        return Ok(());
    };
    Err(Objection::new(path.to("files"), message)
        .hint("name the folder in `source.url`, and what is below it in `files`"))
}

/// Whether a glob goes on behind the name of an archive, as members are
/// written.
fn is_in_archive(files: &str) -> bool {
    files.match_indices("!/").any(|(at, _)| {
        let archive = archive_for(&files[..at], &FormatOptions::default());
        archive.is_ok_and(|archive| archive.is_some())
    })
}

/// The selection without what `pattern`, `exclude`, `extension` and `min_age`
/// leave out.
pub(super) fn narrowed(
    selection: Selection,
    options: &StreamOptions,
    folders: &[Location],
    path: &Path<'_>,
) -> Meant<Selection> {
    let mut selection = match &options.pattern {
        Some(pattern) => selection.searched(pattern).about(path.to("pattern"))?,
        None => selection,
    };
    for exclude in options.exclude.iter().flat_map(|Texts(globs)| globs) {
        for folder in folders {
            selection = selection.exclude(&folder.exclusion(exclude)).about(path.to("exclude"))?;
        }
    }
    if let Some(extension) = &options.extension {
        selection = selection.extension(extension);
    }
    if let Some(Age(age)) = options.min_age {
        selection = selection.min_age(age);
    }
    Ok(selection)
}

fn write_mode(options: &StreamOptions, reload: ReloadOptions, path: &Path<'_>) -> Meant<WriteMode> {
    let typed = options
        .if_exists
        .map_or(Ok(WriteMode::Append), typed::IfExists::meaning)
        .map_err(|not_yet| Objection::not_yet(path.to("if_exists"), not_yet))?;
    match (typed, reload.full_refresh) {
        (WriteMode::Fail, true) => Err(Objection::new(
            path.to("if_exists"),
            "a full refresh replaces the table, and `if_exists: fail` forbids it",
        )),
        (_, true) => Ok(WriteMode::Replace),
        (typed, false) => Ok(typed),
    }
}

fn refuse_conflicts(options: &StreamOptions, path: &Path<'_>) -> Meant<()> {
    let replaces = options.if_exists == Some(typed::IfExists::Replace);
    if replaces && options.on_change.is_some() {
        return Err(Objection::new(
            path.to("on_change"),
            "`on_change` says nothing when the whole table is replaced",
        )
        .hint("leave out `on_change`, or `if_exists: replace`"));
    }
    if options.atomic == Some(typed::Atomic::Chunk) {
        refuse_chunks(options, path)?;
    }
    if options.file_id == Some(false) && options.on_change == Some(typed::OnChange::Replace) {
        return Err(Objection::new(
            path.to("on_change"),
            "without `_file_id` the rows of one file cannot be replaced",
        )
        .hint("leave out `file_id: false`, or choose another `on_change`"));
    }
    Ok(())
}

/// Chunks are committed one by one, and can only be taken back by `_file_id`.
fn refuse_chunks(options: &StreamOptions, path: &Path<'_>) -> Meant<()> {
    let (why, hint) = if options.file_id == Some(false) {
        (
            "without `_file_id` the chunks of a file cannot be taken back",
            "`file_id: false` (`--no-file-id`)",
        )
    } else if options.if_exists == Some(typed::IfExists::Replace) {
        (
            "a replace makes all of its rows visible at once",
            "`if_exists: replace` (`--if-exists replace`)",
        )
    } else if options.on_error == Some(typed::OnError::SkipFile) {
        (
            "a file of which chunks are in cannot be passed over",
            "`on_error: skip-file` (`--on-error skip-file`)",
        )
    } else {
        return Ok(());
    };
    Err(Objection::new(path.to("atomic"), why)
        .hint(format!("choose `atomic: file` (`--atomic file`), or leave out {hint}")))
}

fn filter_of(filter: Option<&str>, path: &Path<'_>) -> Meant<RowFilter> {
    filter.map_or_else(|| Ok(RowFilter::default()), RowFilter::parse).about(path.to("where"))
}

fn max_rejects(
    limit: Option<RejectLimit>,
    on_error: OnError,
    path: &Path<'_>,
) -> Meant<MaxRejects> {
    match limit {
        Some(_) if on_error != OnError::Reject => {
            Err(Objection::new(path.to("max_rejects"), "`max_rejects` allows no rejects by itself")
                .hint("say that bad rows are rejected as well: `on_error` is `reject`"))
        }
        Some(RejectLimit(limit)) => Ok(limit),
        None => Ok(MaxRejects::Unlimited),
    }
}

fn max_attempts(attempts: Option<u32>, path: &Path<'_>) -> Meant<u32> {
    match attempts {
        Some(0) => {
            Err(Objection::new(path.to("max_attempts"), "`max_attempts` must be at least 1"))
        }
        Some(attempts) => Ok(attempts),
        None => Ok(DEFAULT_MAX_ATTEMPTS),
    }
}

fn reload_of(options: ReloadOptions) -> Reload {
    match (options.force || options.full_refresh, options.retry_failed) {
        (true, _) => Reload::Force,
        (false, true) => Reload::Failed,
        (false, false) => Reload::None,
    }
}
