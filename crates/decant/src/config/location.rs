//! Where files are: what a person types as SOURCE or `source.url`.
//!
//! `s3://bucket/key`, `s3://bucket/folder/`, `s3://bucket/a/**/*.csv`,
//! `file:///path` or a plain path. Keys are opaque: nothing is decoded. Local
//! paths become absolute and canonical as far as their literal folder goes,
//! because that is how files are known to the ledger.

use std::path::{Component, Path, PathBuf};

use decant_core::error::{Error, ErrorKind, Result};
use decant_core::selection::{Selection, escape_glob, folder_of, has_glob_characters};

/// What holds the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// A bucket; keys are relative to it.
    Bucket(String),
    /// The local file system; keys are canonical paths.
    Local,
}

/// A typed location, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Location {
    pub(super) root: Root,
    /// The literal folder as a key prefix: empty, or ending in `/`.
    pub(super) folder: String,
    pub(super) rest: Rest,
    /// Whether the literal folder has a name of its own that was typed.
    pub(super) is_named: bool,
}

/// What is below the literal folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// Everything.
    All,
    /// A file of this name, or a folder.
    Name(String),
    /// A file of exactly this name, whatever its characters.
    File(String),
    /// What this glob matches.
    Glob(String),
}

impl Location {
    /// Takes a typed location apart.
    ///
    /// # Errors
    ///
    /// `InvalidConfig` for a URL of another kind or without a bucket.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let Some((scheme, rest)) = text.split_once("://") else { return Self::local(text) };
        match scheme.to_ascii_lowercase().as_str() {
            "s3" | "s3a" | "s3n" => Self::bucket(rest),
            "file" => Self::local(rest.strip_prefix("localhost/").map_or(rest, |_| &rest[9..])),
            _ => Err(invalid(format!("a source cannot have the scheme `{scheme}`")).with_hint(
                "a source is s3://bucket/folder/, file:///folder/ or a path; \
                 other S3-compatible services are reached with --endpoint and s3://",
            )),
        }
    }

    fn bucket(rest: &str) -> Result<Self> {
        let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.contains('@') {
            return Err(invalid("a source's URL cannot hold credentials")
                .with_hint("put them into the environment, an AWS profile or `credentials`"));
        }
        if bucket.is_empty() || has_glob_characters(bucket) {
            return Err(invalid("the source's URL names no bucket")
                .with_hint("write it as s3://bucket/folder/"));
        }
        let (folder, rest) = split_literal(path);
        let is_named = !folder.is_empty();
        Ok(Self { root: Root::Bucket(bucket.to_owned()), folder, rest, is_named })
    }

    fn local(path: &str) -> Result<Self> {
        if path.is_empty() {
            return Err(invalid("the source is empty"));
        }
        let (typed_folder, rest) = split_local(path);
        let folder = canonical_folder(&typed_folder)?;
        let is_named = match rest {
            Rest::All => folder != "/",
            _ => ends_in_name(&typed_folder),
        };
        Ok(Self { root: Root::Local, folder, rest, is_named })
    }

    /// The location as the folder that streams are below.
    ///
    /// # Errors
    ///
    /// `InvalidConfig` for a glob or a file.
    pub(super) fn into_folder(self) -> Result<Self> {
        let folder = match &self.rest {
            Rest::All => self.folder,
            Rest::Name(name) => format!("{}{name}/", self.folder),
            Rest::Glob(_) => {
                return Err(invalid("`source.url` cannot be a glob")
                    .with_hint("name the folder in `source.url`, and the glob in `files`"));
            }
            Rest::File(_) => {
                return Err(invalid("`source.url` is a file, not a folder")
                    .with_hint("name its folder in `source.url`, and the file in `files`"));
            }
        };
        Ok(Self { folder, rest: Rest::All, ..self })
    }

    /// The files that are meant.
    pub(super) fn selection(&self) -> Result<Selection> {
        let folder = &self.folder;
        match &self.rest {
            Rest::Glob(glob) => Selection::glob(&format!("{}{glob}", escape_glob(folder))),
            Rest::File(name) => Ok(Selection::key(format!("{folder}{name}"))),
            Rest::All => literal_path(folder),
            Rest::Name(name) => literal_path(&format!("{folder}{name}")),
        }
    }

    /// The part below the folder of what a stream's `files` say.
    pub(super) fn below(&self, files: &str) -> Result<Selection> {
        if has_glob_characters(files) {
            Selection::glob(&format!("{}{files}", escape_glob(&self.folder)))
        } else {
            literal_path(&format!("{}{files}", self.folder))
        }
    }

    /// The glob over whole keys that an `exclude` means: below the folder,
    /// and in any folder if it is a name alone.
    pub(super) fn exclusion(&self, exclude: &str) -> String {
        let folder = escape_glob(&self.folder);
        if exclude.contains('/') {
            format!("{folder}{exclude}")
        } else {
            format!("{folder}**/{exclude}")
        }
    }
}

/// A path in which no character is a glob's.
fn literal_path(path: &str) -> Result<Selection> {
    match path {
        _ if !has_glob_characters(path) => Selection::path(path),
        _ if path.ends_with('/') => Selection::glob(&format!("{}**", escape_glob(path))),
        _ => Ok(Selection::key(path)),
    }
}

fn split_literal(path: &str) -> (String, Rest) {
    let glob_at = path.find(['*', '?', '[', '{']);
    let folder = folder_of(&path[..glob_at.unwrap_or(path.len())]);
    let rest = &path[folder.len()..];
    let rest = match glob_at {
        Some(_) => Rest::Glob(rest.to_owned()),
        None if rest.is_empty() => Rest::All,
        None => Rest::Name(rest.to_owned()),
    };
    (folder.to_owned(), rest)
}

/// Like [`split_literal`], but what is there decides: a folder is a folder
/// without its `/`, and a file whose name has a glob's characters is a file.
fn split_local(path: &str) -> (String, Rest) {
    let on_disk = Path::new(path);
    if on_disk.is_dir() {
        return (format!("{}/", path.trim_end_matches('/')), Rest::All);
    }
    if on_disk.is_file() {
        let folder = folder_of(path);
        return (folder.to_owned(), Rest::File(path[folder.len()..].to_owned()));
    }
    split_literal(path)
}

fn canonical_folder(typed: &str) -> Result<String> {
    let path = if typed.is_empty() { Path::new(".") } else { Path::new(typed) };
    let absolute = std::fs::canonicalize(path)
        .or_else(|_| std::path::absolute(path).map(|path| without_dots(&path)))
        .map_err(|error| {
            invalid(format!("the folder `{typed}` has no absolute path")).caused_by(error)
        })?;
    let text = absolute.to_str().ok_or_else(|| {
        Error::new(ErrorKind::Unsupported, format!("the path of `{typed}` is not UTF-8"))
    })?;
    Ok(format!("{}/", text.trim_end_matches('/')))
}

fn without_dots(path: &Path) -> PathBuf {
    path.components().filter(|component| *component != Component::CurDir).collect()
}

fn ends_in_name(typed_folder: &str) -> bool {
    matches!(Path::new(typed_folder).components().next_back(), Some(Component::Normal(_)))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidConfig, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, Rest) {
        let location = Location::parse(text).unwrap();
        (location.folder, location.rest)
    }

    #[test]
    fn urls_are_taken_apart_at_the_last_literal_folder() {
        for (text, folder, rest) in [
            ("s3://b", "", Rest::All),
            ("s3://b/", "", Rest::All),
            ("s3://b/in/", "in/", Rest::All),
            ("s3://b/in", "", Rest::Name("in".into())),
            ("s3://b/in/a.csv", "in/", Rest::Name("a.csv".into())),
            ("s3://b/in/**/*.csv", "in/", Rest::Glob("**/*.csv".into())),
            ("s3://b/in/a-*.csv", "in/", Rest::Glob("a-*.csv".into())),
            ("s3a://b/a b/c%20d+/", "a b/c%20d+/", Rest::All),
        ] {
            assert_eq!(parts(text), (folder.into(), rest), "{text}");
        }
    }

    #[test]
    fn local_paths_become_absolute_and_what_is_there_decides() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        std::fs::create_dir(home.join("in")).unwrap();
        std::fs::write(home.join("in/a[1].csv"), "").unwrap();
        let base = home.to_str().unwrap();
        for (typed, folder, rest) in [
            ("in", "in/", Rest::All),
            ("in/", "in/", Rest::All),
            ("./in/../in/", "in/", Rest::All),
            ("in/a[1].csv", "in/", Rest::File("a[1].csv".into())),
            ("in/a[2].csv", "in/", Rest::Glob("a[2].csv".into())),
            ("in/*.csv", "in/", Rest::Glob("*.csv".into())),
            ("nowhere/a.csv", "nowhere/", Rest::Name("a.csv".into())),
        ] {
            for prefix in ["", "file://"] {
                let text = format!("{prefix}{base}/{typed}");
                assert_eq!(parts(&text), (format!("{base}/{folder}"), rest.clone()), "{text}");
            }
        }
    }

    #[test]
    fn what_is_not_a_source_is_refused_without_its_password() {
        for text in ["postgresql://u:hunter2@h/d", "s3://", "s3:///x", "s3://k:hunter2@b/x", ""] {
            let error = Location::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidConfig, "{text}");
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }

    #[test]
    fn a_name_alone_is_excluded_in_any_folder() {
        let folder = Location::parse("s3://b/in/").unwrap();
        assert_eq!(folder.exclusion("*.bak"), "in/**/*.bak");
        assert_eq!(folder.exclusion("tmp/**"), "in/tmp/**");
        assert_eq!(folder.exclusion("**/tmp/**"), "in/**/tmp/**");
    }
}
