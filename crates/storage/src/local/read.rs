//! Reads a local file, and makes sure that it stays the one that was listed.
//!
//! Size and modification time are compared when the file is opened and again
//! when its last byte has been read.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use decant_core::content::ByteStream;
use decant_core::{Content, Error, ErrorKind, FileVersion, Result};
use futures::StreamExt;

use super::path::unescape;
use super::{blocking, failure, verify};
use crate::traffic::Counters;

const CHUNK_BYTES: u64 = 256 << 10;

/// One version of a local file.
pub(super) struct LocalContent {
    version: Arc<FileVersion>,
    counters: Arc<Counters>,
}

impl LocalContent {
    pub(super) fn new(version: &FileVersion, counters: Arc<Counters>) -> Self {
        Self { version: Arc::new(version.clone()), counters }
    }

    async fn reader(&self, range: Range<u64>) -> Result<Reader> {
        let version = Arc::clone(&self.version);
        let counters = Arc::clone(&self.counters);
        blocking(move || {
            let file = open(&version)?;
            Ok(Reader { file, version, counters, at: range.start, end: range.end })
        })
        .await
    }
}

#[async_trait]
impl Content for LocalContent {
    async fn stream(&self, offset: u64) -> Result<ByteStream> {
        let reader = self.reader(offset..self.version.size).await?;
        let chunks = futures::stream::try_unfold(reader, |mut reader| async move {
            let (chunk, reader) = blocking(move || Ok((reader.chunk()?, reader))).await?;
            Ok(chunk.map(|chunk| (chunk, reader)))
        });
        Ok(chunks.boxed())
    }

    async fn range(&self, range: Range<u64>) -> Result<Bytes> {
        let reader = self.reader(range).await?;
        blocking(move || reader.all()).await
    }
}

struct Reader {
    file: File,
    version: Arc<FileVersion>,
    counters: Arc<Counters>,
    at: u64,
    end: u64,
}

impl Reader {
    /// The next bytes; `None` after the last, once the file is verified.
    fn chunk(&mut self) -> Result<Option<Bytes>> {
        if self.at >= self.end {
            verify(&self.file, &self.version)?;
            return Ok(None);
        }
        let length = (self.end - self.at).min(CHUNK_BYTES);
        let bytes = self.exactly(length)?;
        self.at += length;
        Ok(Some(bytes))
    }

    fn all(self) -> Result<Bytes> {
        let bytes = self.exactly(self.end.saturating_sub(self.at))?;
        verify(&self.file, &self.version)?;
        Ok(bytes)
    }

    fn exactly(&self, length: u64) -> Result<Bytes> {
        let mut bytes = Vec::with_capacity(length as usize);
        let mut from = At { file: &self.file, offset: self.at }.take(length);
        from.read_to_end(&mut bytes).map_err(|error| failure(&self.version.key, error))?;
        Counters::add(&self.counters.bytes_fetched, bytes.len() as u64);
        if (bytes.len() as u64) < length {
            verify(&self.file, &self.version)?;
            return Err(Error::new(ErrorKind::MalformedFile, "the file ends before its size")
                .in_file(&self.version.key));
        }
        Ok(bytes.into())
    }
}

/// Reads from an offset without a cursor.
struct At<'a> {
    file: &'a File,
    offset: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read_at(buffer, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

fn open(version: &FileVersion) -> Result<File> {
    let file = File::open(unescape(&version.key)).map_err(|error| failure(&version.key, error))?;
    verify(&file, version)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use futures::TryStreamExt;

    use super::*;
    use crate::local::current;

    struct Fixture {
        _folder: tempfile::TempDir,
        path: std::path::PathBuf,
        content: LocalContent,
    }

    fn fixture(bytes: &[u8]) -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, bytes).unwrap();
        let version = current(path.to_str().unwrap()).unwrap().unwrap();
        let content = LocalContent::new(&version, Arc::default());
        Fixture { _folder: folder, path, content }
    }

    async fn collect(content: &LocalContent, offset: u64) -> Result<Vec<u8>> {
        let chunks: Vec<Bytes> = content.stream(offset).await?.try_collect().await?;
        Ok(chunks.concat())
    }

    #[tokio::test]
    async fn every_byte_arrives_from_any_offset() {
        let bytes: Vec<u8> = (0..3_000_000u32).map(|number| (number % 251) as u8).collect();
        let fixture = fixture(&bytes);
        for offset in [0, 1, CHUNK_BYTES, 2_999_999, 3_000_000] {
            let got = collect(&fixture.content, offset).await.unwrap();
            assert!(got == bytes[offset as usize..], "{offset}");
        }
        let range = fixture.content.range(5..2_000_000).await.unwrap();
        assert!(range == bytes[5..2_000_000]);
    }

    #[tokio::test]
    async fn an_empty_file_is_an_empty_stream() {
        assert!(collect(&fixture(b"").content, 0).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_file_that_was_rewritten_is_a_conflict() {
        let fixture = fixture(b"old");
        let file = File::options().write(true).open(&fixture.path).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(1)).unwrap();
        let error = collect(&fixture.content, 0).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!(fixture.content.range(0..1).await.unwrap_err().kind(), ErrorKind::Conflict);
    }

    #[tokio::test]
    async fn a_file_that_grows_while_it_is_read_is_a_conflict() {
        let fixture = fixture(&vec![b'x'; 2 << 20]);
        let mut stream = fixture.content.stream(0).await.unwrap();
        stream.next().await.unwrap().unwrap();
        let mut file = File::options().append(true).open(&fixture.path).unwrap();
        std::io::Write::write_all(&mut file, b"more").unwrap();
        let rest: Result<Vec<Bytes>> = stream.try_collect().await;
        assert_eq!(rest.unwrap_err().kind(), ErrorKind::Conflict);
    }

    #[tokio::test]
    async fn a_file_that_is_gone_is_not_found() {
        let fixture = fixture(b"x");
        std::fs::remove_file(&fixture.path).unwrap();
        let error = collect(&fixture.content, 0).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
