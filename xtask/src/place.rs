//! Where things are: the clone, and the cache beside it.
//!
//! Nothing that is built or installed lies in the clone, but for xtask itself.

use std::env;
use std::path::{Path, PathBuf};

use crate::Result;

/// The folders that the verbs work in.
pub(crate) struct Place {
    /// The clone.
    pub(crate) root: PathBuf,
    /// What outlives a clone: tools, and what cargo builds.
    pub(crate) cache: PathBuf,
}

impl Place {
    /// Finds them from the environment.
    pub(crate) fn find() -> Result<Self> {
        let manifest =
            env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest).parent().ok_or("xtask lies at the file system's root")?;
        let cache = cache_folder(folder("XDG_CACHE_HOME"), folder("HOME"))
            .ok_or("no folder for the cache: set XDG_CACHE_HOME or HOME to an absolute path")?;
        Ok(Self { root: root.to_path_buf(), cache })
    }

    /// What `CARGO_TARGET_DIR` is for the commands that xtask starts.
    pub(crate) fn target(&self) -> PathBuf {
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.cache.join("target"), PathBuf::from)
    }

    /// Public test corpora, where they lie beside the clone.
    pub(crate) fn corpora(&self) -> Option<PathBuf> {
        let beside = self.root.parent()?.join("shared/corpora");
        beside.is_dir().then_some(beside)
    }
}

/// A folder named by the environment; what is empty or relative is ignored.
fn folder(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

fn cache_folder(cache_home: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let caches = cache_home.or_else(|| home.map(|home| home.join(".cache")))?;
    Some(caches.join("decant"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_lies_in_the_cache_home_and_else_in_the_home() {
        let some = |path: &str| Some(PathBuf::from(path));
        assert_eq!(cache_folder(some("/caches"), some("/me")), some("/caches/decant"));
        assert_eq!(cache_folder(None, some("/me")), some("/me/.cache/decant"));
        assert_eq!(cache_folder(None, None), None);
    }

    #[test]
    fn the_clone_is_the_folder_above_xtask() {
        let place = Place::find().unwrap();
        assert!(place.root.join("xtask/Cargo.toml").is_file());
    }
}
