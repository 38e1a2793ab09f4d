//! From a URL to a storage: the only place that builds one.
//!
//! A location is read as a person typed it. The key of an `s3://` URL is
//! everything behind the bucket, raw: `%20` is three characters and `?` a
//! glob character. Paths are raw as well, with or without `file://`.
//!
//! Invariant: [`Location::key`] speaks the language of listed keys, so that a
//! selection made of it matches them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use decant_core::selection::{folder_of, has_glob_characters};
use decant_core::{Error, ErrorKind, Result};

use crate::local::{Files, escape};
use crate::options::StorageOptions;
use crate::s3::Bucket;
use crate::storage::Storage;

/// Where files are: a place, and the key, folder or glob in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A bucket of an S3-compatible endpoint.
    S3 {
        /// The bucket's name.
        bucket: String,
        /// What is behind it: a key, a folder, a glob, or empty.
        key: String,
    },
    /// The local file system.
    Local {
        /// An absolute path or glob. Its literal folder is canonical, so that
        /// every way to write it leads to the same keys.
        path: String,
    },
}

impl Location {
    /// Reads `s3://bucket/key-or-glob`, `file:///path` or a plain path.
    ///
    /// # Errors
    ///
    /// `InvalidConfig` when it is none of them, `Unsupported` for another
    /// scheme.
    pub fn parse(url: &str) -> Result<Self> {
        match scheme_of(url) {
            Some(("s3", rest)) => Self::parse_s3(url, rest),
            Some(("file", rest)) => Self::parse_path(file_path(url, rest)?),
            Some((scheme, _)) => {
                Err(Error::new(ErrorKind::Unsupported, format!("`{scheme}://` is not a source"))
                    .with_hint("sources are `s3://bucket/key`, `file:///path` and plain paths"))
            }
            None if url.is_empty() => Err(invalid(url, "is empty")),
            None => Self::parse_path(url),
        }
    }

    fn parse_s3(url: &str, rest: &str) -> Result<Self> {
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(invalid(url, "names no bucket"));
        }
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "._-:".contains(letter);
        if !bucket.chars().all(allowed) {
            return Err(invalid(url, "has a bucket with a character that no bucket has"));
        }
        Ok(Self::S3 { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    fn parse_path(typed: &str) -> Result<Self> {
        let path = std::path::absolute(typed)
            .map_err(|error| invalid(typed, "cannot be made an absolute path").caused_by(error))?;
        let mut path = if has_glob_characters(typed) {
            canonical_glob(&path)
        } else {
            escape(&canonical_path(&path))
        };
        let is_folder = typed.ends_with('/') || typed == "." || typed.ends_with("/.");
        if is_folder && !path.ends_with('/') {
            path.push('/');
        }
        Ok(Self::Local { path })
    }

    /// The key, folder or glob, as a selection takes it.
    pub fn key(&self) -> &str {
        match self {
            Self::S3 { key, .. } => key,
            Self::Local { path } => path,
        }
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::S3 { bucket, key } => write!(f, "s3://{bucket}/{key}"),
            Self::Local { path } => f.write_str(path),
        }
    }
}

impl Storage {
    /// Connects to where a location is. Looks credentials and region up in
    /// the environment, but sends nothing to the endpoint yet.
    ///
    /// # Errors
    ///
    /// `InvalidConfig` for options that contradict each other or the
    /// location, `AccessDenied` when no credentials are found.
    pub async fn open(location: &Location, options: &StorageOptions) -> Result<Arc<Self>> {
        match location {
            Location::S3 { bucket, .. } => Ok(Self::new(Bucket::open(bucket, options).await?)),
            Location::Local { .. } => Ok(Self::new(Files::new())),
        }
    }
}

/// The scheme and what is behind `://`, where there is one.
fn scheme_of(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let is_scheme = scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+.-".contains(letter));
    is_scheme.then_some((scheme, rest))
}

fn file_path<'a>(url: &str, rest: &'a str) -> Result<&'a str> {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if path.starts_with('/') {
        return Ok(path);
    }
    Err(invalid(url, "has no absolute path").with_hint("write `file:///path`, or the path alone"))
}

/// Resolves the links of the folder that a path is in, and of the path itself
/// where it is a folder. A file that is a link keeps the name it has.
fn canonical_path(path: &Path) -> PathBuf {
    if path.is_dir() {
        return path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    }
    let parent = path.parent().and_then(|parent| parent.canonicalize().ok());
    match (parent, path.file_name()) {
        (Some(parent), Some(name)) => parent.join(name),
        _ => path.to_path_buf(),
    }
}

/// Resolves the links of a glob's literal folder.
fn canonical_glob(path: &Path) -> String {
    let text = escape(path);
    let literal = text.find(['*', '?', '[', '{']).map_or(text.as_str(), |end| &text[..end]);
    let folder = folder_of(literal);
    let canonical = Path::new(folder).canonicalize().map_or(folder.to_owned(), |path| {
        let mut text = escape(&path);
        if !text.ends_with('/') {
            text.push('/');
        }
        text
    });
    canonical + &text[folder.len()..]
}

fn invalid(url: &str, what: &str) -> Error {
    Error::new(ErrorKind::InvalidConfig, format!("location `{url}` {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s3(bucket: &str, key: &str) -> Location {
        Location::S3 { bucket: bucket.into(), key: key.into() }
    }

    #[test]
    fn everything_behind_the_bucket_is_the_raw_key() {
        for (url, bucket, key) in [
            ("s3://b", "b", ""),
            ("s3://b/", "b", ""),
            ("s3://b/a b/c+d%2F.csv", "b", "a b/c+d%2F.csv"),
            ("s3://b//x", "b", "/x"),
            ("s3://b/a/../b", "b", "a/../b"),
            ("s3://b/in/2026-0?.csv#1", "b", "in/2026-0?.csv#1"),
            ("s3://my.bucket-1/**/*.csv", "my.bucket-1", "**/*.csv"),
        ] {
            assert_eq!(Location::parse(url).unwrap(), s3(bucket, key), "{url}");
        }
    }

    #[test]
    fn what_is_no_location_is_refused_with_the_cure() {
        for (url, kind) in [
            ("", ErrorKind::InvalidConfig),
            ("s3://", ErrorKind::InvalidConfig),
            ("s3:///key", ErrorKind::InvalidConfig),
            ("s3://b*/key", ErrorKind::InvalidConfig),
            ("file://folder/a.csv", ErrorKind::InvalidConfig),
            ("gs://b/key", ErrorKind::Unsupported),
        ] {
            assert_eq!(Location::parse(url).unwrap_err().kind(), kind, "{url}");
        }
    }

    #[test]
    fn a_path_and_its_file_url_are_the_same_location() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let folder = folder.to_str().unwrap();
        for tail in ["/", "", "/a b%20.csv", "/x/*.csv", "/not/there/"] {
            let path = format!("{folder}{tail}");
            let plain = Location::parse(&path).unwrap();
            assert_eq!(plain.key(), path);
            assert_eq!(Location::parse(&format!("file://{path}")).unwrap(), plain);
        }
    }

    #[test]
    fn a_relative_path_becomes_absolute() {
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        let here = here.to_str().unwrap();
        assert_eq!(Location::parse("src/*.rs").unwrap().key(), format!("{here}/src/*.rs"));
        assert_eq!(Location::parse(".").unwrap().key(), format!("{here}/"));
        assert_eq!(Location::parse("src/../src").unwrap().key(), format!("{here}/src"));
    }

    #[test]
    fn links_in_the_folder_are_resolved_and_the_file_keeps_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("real")).unwrap();
        std::fs::write(root.join("real/a.csv"), "x").unwrap();
        std::os::unix::fs::symlink(root.join("real"), root.join("link")).unwrap();
        std::os::unix::fs::symlink(root.join("real/a.csv"), root.join("b.csv")).unwrap();
        let root = root.to_str().unwrap();
        for (typed, key) in [
            ("link/a.csv", "real/a.csv"),
            ("link/", "real/"),
            ("link", "real"),
            ("link/*.csv", "real/*.csv"),
            ("b.csv", "b.csv"),
        ] {
            let location = Location::parse(&format!("{root}/{typed}")).unwrap();
            assert_eq!(location.key(), format!("{root}/{key}"));
        }
    }
}
