//! An archive that is open: its directory, and where its bytes are.

use std::sync::Arc;

use decant_core::archive::MemberKind;
use decant_core::{Archive, Content, Directory, Error, ErrorKind, Input, Member, Result};
use tokio::runtime::Handle;
use tokio::task::JoinError;

use super::spool::{Spool, SpoolInput};
use super::stored::StoredInput;

/// Archives up to this size are fetched whole, by one request.
const FETCHED_WHOLE_BYTES_MAX: u64 = 32 << 20;

/// Members that are left out and named at most.
const NOTES_MAX: usize = 20;

/// An archive that is open.
pub(crate) struct Opened {
    directory: Box<dyn Directory>,
    /// Positions of the members, by path.
    by_path: Vec<usize>,
    bytes: Bytes,
    runtime: Handle,
}

/// Where an archive's bytes are.
enum Bytes {
    Stored(Arc<dyn Content>, u64),
    Kept(Arc<Spool>),
}

impl Bytes {
    fn input(&self, runtime: &Handle) -> Box<dyn Input> {
        match self {
            Self::Stored(content, size) => {
                Box::new(StoredInput::new(Arc::clone(content), *size, runtime.clone()))
            }
            Self::Kept(spool) => Box::new(SpoolInput::new(Arc::clone(spool))),
        }
    }
}

impl Opened {
    /// Reads the directory of an archive of `size` bytes.
    pub(super) async fn open(
        content: Box<dyn Content>,
        size: u64,
        archive: Arc<dyn Archive>,
    ) -> Result<Self> {
        let runtime = Handle::current();
        let stored = Bytes::Stored(content.into(), size);
        let opening =
            tokio::task::spawn_blocking(move || open_blocking(stored, size, archive, runtime));
        opening.await.unwrap_or_else(|error| Err(ended_badly(error)))
    }

    /// Every entry, in the archive's order.
    pub(crate) fn members(&self) -> &[Member] {
        self.directory.members()
    }

    /// What is to be said of what is in it.
    pub(super) fn notes(&self) -> Vec<String> {
        if self.members().is_empty() {
            return vec!["the archive has no members".to_owned()];
        }
        let note = |member: &Member| match member.kind {
            MemberKind::Other(what) => {
                Some(format!("the member `{}` is left out: {what}", member.path))
            }
            MemberKind::File | MemberKind::Folder => None,
        };
        self.members().iter().filter_map(note).take(NOTES_MAX).collect()
    }

    pub(super) fn directory(&self) -> &dyn Directory {
        self.directory.as_ref()
    }

    /// Where the file called `path` stands among the members.
    pub(super) fn position(&self, path: &str) -> Option<usize> {
        let members = self.directory.members();
        let found = self
            .by_path
            .binary_search_by(|position| members[*position].path.as_str().cmp(path))
            .ok()?;
        self.by_path.get(found).copied()
    }

    /// The archive's bytes, for a blocking reader.
    pub(super) fn input(&self) -> Box<dyn Input> {
        self.bytes.input(&self.runtime)
    }

    /// Bytes of temporary space that it takes.
    pub(super) fn kept_bytes(&self) -> u64 {
        match &self.bytes {
            Bytes::Stored(..) => 0,
            Bytes::Kept(spool) => spool.file_bytes(),
        }
    }
}

fn open_blocking(
    stored: Bytes,
    size: u64,
    archive: Arc<dyn Archive>,
    runtime: Handle,
) -> Result<Opened> {
    let mut bytes = stored;
    if size <= FETCHED_WHOLE_BYTES_MAX {
        bytes = Bytes::Kept(Arc::new(Spool::fill(bytes.input(&runtime).as_mut())?));
    }
    let unpacked = match archive.unpacked(bytes.input(&runtime).as_mut())? {
        Some(mut unpacked) => Some(Spool::fill(unpacked.as_mut())?),
        None => None,
    };
    if let Some(unpacked) = unpacked {
        bytes = Bytes::Kept(Arc::new(unpacked));
    }
    let directory = archive.open(bytes.input(&runtime).as_mut())?;
    let members = directory.members();
    let mut by_path: Vec<usize> =
        (0..members.len()).filter(|position| members[*position].kind == MemberKind::File).collect();
    by_path.sort_unstable_by(|one, other| members[*one].path.cmp(&members[*other].path));
    Ok(Opened { directory, by_path, bytes, runtime })
}

pub(super) fn ended_badly(error: JoinError) -> Error {
    Error::new(ErrorKind::MalformedFile, "reading the archive panicked")
        .with_hint("this is a fault of decant's: please report it with the file")
        .caused_by(error)
}
