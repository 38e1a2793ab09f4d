//! Lists local files in ascending byte order of their keys.
//!
//! A folder's entries are sorted with a `/` behind the names of folders, as
//! if it were part of them: `a.csv` comes before what is in `a`, as it does
//! in a bucket. Links to files are files under the link's name; links to
//! folders are not followed, for they may lead round in circles. What is
//! neither a file nor a folder is left out.
//!
//! Invariant: keys strictly increase. Memory is bounded by the names of the
//! folders on the way down to the current file.

use std::collections::VecDeque;
use std::fs::DirEntry;
use std::os::unix::ffi::OsStrExt;

use async_trait::async_trait;
use decant_core::selection::{Scan, folder_of};
use decant_core::{Arrival, Error, ErrorKind, FileVersion, Receipt, Result, Trigger};

use super::path::{escape_bytes, unescape};
use super::{blocking, current, failure, is_absent};

const PAGE_FILES: usize = 1000;

/// The arrivals of local files.
pub(super) struct Listing {
    scans: VecDeque<Scan>,
    walk: Option<Walk>,
}

impl Listing {
    pub(super) fn new(scans: Vec<Scan>) -> Self {
        Self { scans: scans.into(), walk: None }
    }

    async fn next_scan(&mut self) -> Result<Option<Vec<FileVersion>>> {
        match self.scans.pop_front() {
            None => Ok(None),
            Some(Scan::Key(key)) => {
                let found = blocking(move || current(&key)).await?;
                Ok(Some(found.into_iter().collect()))
            }
            Some(Scan::Prefix(prefix)) => {
                self.walk = Some(blocking(move || Walk::begin(&prefix)).await?);
                Ok(Some(Vec::new()))
            }
        }
    }

    async fn next_page(&mut self) -> Result<Option<Vec<FileVersion>>> {
        let Some(mut walk) = self.walk.take() else { return self.next_scan().await };
        let (page, walk) = blocking(move || {
            let page = walk.by_ref().take(PAGE_FILES).collect::<Result<Vec<_>>>()?;
            Ok((page, walk))
        })
        .await?;
        if page.len() == PAGE_FILES {
            self.walk = Some(walk);
        }
        Ok(Some(page))
    }
}

#[async_trait]
impl Trigger for Listing {
    async fn next(&mut self) -> Result<Option<Vec<Arrival>>> {
        let page = self.next_page().await.inspect_err(|_| self.scans.clear())?;
        let arrival = |file| Arrival { file, receipt: Receipt::None };
        Ok(page.map(|files| files.into_iter().map(arrival).collect()))
    }

    async fn acknowledge(&mut self, _receipt: &Receipt) -> Result<()> {
        Ok(())
    }
}

/// The first file whose key begins with `prefix`.
pub(super) fn first(prefix: &str) -> Result<Option<FileVersion>> {
    Walk::begin(prefix)?.next().transpose()
}

/// The files whose keys begin with a prefix, one by one.
struct Walk {
    prefix: String,
    /// Keys yet to visit, folder by folder downwards; those of folders end
    /// in `/`.
    levels: Vec<std::vec::IntoIter<String>>,
}

impl Walk {
    /// Fails with `NotFound` when the folder of `prefix` is not there.
    fn begin(prefix: &str) -> Result<Self> {
        let folder = folder_of(prefix);
        let folder = if folder.is_empty() { "/" } else { folder };
        let mut walk = Self { prefix: prefix.to_owned(), levels: Vec::new() };
        match walk.keys_in(folder) {
            Ok(keys) => walk.levels.push(keys),
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {}
            Err(error) if is_absent(&error) => {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    format!("there is no file or folder `{}`", folder.trim_end_matches('/')),
                )
                .with_hint("check the path; a relative one begins where decant was started"));
            }
            Err(error) => return Err(failure(folder, error)),
        }
        Ok(walk)
    }

    fn descend(&mut self, folder: &str) -> Result<()> {
        let keys = self.keys_in(folder).map_err(|error| {
            if is_absent(&error) {
                Error::new(
                    ErrorKind::Conflict,
                    format!("folder `{folder}` went away while it was listed"),
                )
                .caused_by(error)
            } else {
                failure(folder, error)
            }
        })?;
        self.levels.push(keys);
        Ok(())
    }

    fn keys_in(&self, folder: &str) -> std::io::Result<std::vec::IntoIter<String>> {
        let mut keys = Vec::new();
        for entry in std::fs::read_dir(unescape(folder))? {
            let key = key_of(folder, &entry?)?;
            if key.starts_with(&self.prefix) {
                keys.push(key);
            }
        }
        keys.sort_unstable();
        Ok(keys.into_iter())
    }
}

impl Iterator for Walk {
    type Item = Result<FileVersion>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(key) = self.levels.last_mut()?.next() else {
                self.levels.pop();
                continue;
            };
            if key.ends_with('/') {
                if let Err(error) = self.descend(&key) {
                    return Some(Err(error));
                }
                continue;
            }
            match listed(&key) {
                Ok(None) => {}
                Ok(Some(file)) => return Some(Ok(file)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

fn key_of(folder: &str, entry: &DirEntry) -> std::io::Result<String> {
    let name = escape_bytes(entry.file_name().as_bytes());
    let end = if entry.file_type()?.is_dir() { "/" } else { "" };
    Ok(format!("{folder}{name}{end}"))
}

/// The file of a key that was seen in a folder. It may have gone since, or
/// be a link to a folder or to nothing.
fn listed(key: &str) -> Result<Option<FileVersion>> {
    let found = match current(key) {
        Err(error) if error.kind() == ErrorKind::Unsupported => None,
        other => other?,
    };
    if found.is_none() {
        tracing::debug!(key, "left out: not a file");
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::path::Path;

    use super::*;

    fn tree(files: &[&[u8]]) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for file in files {
            let path = root.join(Path::new(OsStr::from_bytes(file)));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        (folder, format!("{}/", root.to_str().unwrap()))
    }

    async fn keys(scans: Vec<Scan>) -> Result<Vec<String>> {
        let mut listing = Listing::new(scans);
        let mut keys = Vec::new();
        while let Some(page) = listing.next().await? {
            keys.extend(page.into_iter().map(|arrival| arrival.file.key));
        }
        Ok(keys)
    }

    #[tokio::test]
    async fn keys_ascend_as_whole_paths_do() {
        let (_folder, root) =
            tree(&[b"a/b", b"a.csv", b"a-b", b"a/b.csv", b"a/b-c/d", b"a0", b"B"]);
        let listed = keys(vec![Scan::Prefix(root.clone())]).await.unwrap();
        let below: Vec<&str> = listed.iter().map(|key| &key[root.len()..]).collect();
        assert_eq!(below, ["B", "a-b", "a.csv", "a/b", "a/b-c/d", "a/b.csv", "a0"]);
        assert!(listed.is_sorted());
    }

    #[tokio::test]
    async fn a_prefix_may_end_within_a_name() {
        let (_folder, root) = tree(&[b"in/orders-1", b"in/orders/a", b"in/other", b"in2/orders"]);
        let listed = keys(vec![Scan::Prefix(format!("{root}in/ord"))]).await.unwrap();
        assert_eq!(listed, [format!("{root}in/orders-1"), format!("{root}in/orders/a")]);
    }

    #[tokio::test]
    async fn names_that_are_not_utf8_are_listed_and_found_again() {
        let (_folder, root) = tree(&[b"\xFFz", b"a\xFE.csv", b"b"]);
        let listed = keys(vec![Scan::Prefix(root.clone())]).await.unwrap();
        assert_eq!(
            listed,
            [format!("{root}\\xFFz"), format!("{root}a\\xFE.csv"), format!("{root}b")]
        );
        for key in listed {
            assert!(current(&key).unwrap().is_some(), "{key}");
        }
    }

    #[tokio::test]
    async fn links_to_files_are_files_and_links_to_folders_are_not() {
        let (folder, root) = tree(&[b"in/a", b"elsewhere/b"]);
        let link = |to: &str, name: &str| {
            std::os::unix::fs::symlink(folder.path().join(to), folder.path().join(name)).unwrap();
        };
        link("elsewhere/b", "in/link");
        link("in", "in/circle");
        link("nothing", "in/broken");
        let listed = keys(vec![Scan::Prefix(format!("{root}in/"))]).await.unwrap();
        assert_eq!(listed, [format!("{root}in/a"), format!("{root}in/link")]);
    }

    #[tokio::test]
    async fn a_file_that_is_also_asked_for_as_a_folder_is_listed_once() {
        let (_folder, root) = tree(&[b"a.csv"]);
        let key = format!("{root}a.csv");
        let scans = vec![Scan::Key(key.clone()), Scan::Prefix(format!("{key}/"))];
        assert_eq!(keys(scans).await.unwrap(), [key]);
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_an_error() {
        let (_folder, root) = tree(&[]);
        let scans = vec![Scan::Key(format!("{root}x")), Scan::Prefix(format!("{root}x/"))];
        let error = keys(scans).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.message().contains(&format!("{root}x")));
    }

    #[tokio::test]
    async fn long_folders_come_in_pages() {
        let names: Vec<String> = (0..2500).map(|number| format!("{number}")).collect();
        let names: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
        let (_folder, root) = tree(&names);
        let listed = keys(vec![Scan::Prefix(root)]).await.unwrap();
        assert_eq!(listed.len(), 2500);
        assert!(listed.is_sorted());
    }
}
