use std::{
    fmt,
    io::{self, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
};

/// Bytes that can be read in parts and read again, so that a large body is never
/// in memory as a whole and a part can be sent a second time.
#[async_trait]
pub trait BodySource: fmt::Debug + Send + Sync {
    /// The number of bytes.
    fn len(&self) -> u64;

    /// Whether there is nothing to send.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads exactly the bytes of `range`.
    ///
    /// # Errors
    ///
    /// Fails when the range reaches beyond the end or the source cannot be read.
    async fn read(&self, range: Range<u64>) -> io::Result<Bytes>;
}

/// The bytes of `source` one part after the other, of which one is in memory at a
/// time.
pub fn stream_source(source: Arc<dyn BodySource>) -> BoxStream<'static, io::Result<Bytes>> {
    const PART: u64 = 1024 * 1024;
    stream::try_unfold(0, move |offset| {
        let source = source.clone();
        async move {
            let end = source.len().min(offset + PART);
            if end == offset {
                return Ok(None);
            }
            Ok(Some((source.read(offset..end).await?, end)))
        }
    })
    .boxed()
}

#[async_trait]
impl BodySource for Bytes {
    fn len(&self) -> u64 {
        Bytes::len(self) as u64
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        if range.end < range.start || BodySource::len(self) < range.end {
            return Err(beyond_the_end(&range));
        }
        let index = |at: u64| usize::try_from(at).map_err(|_| beyond_the_end(&range));
        Ok(self.slice(index(range.start)?..index(range.end)?))
    }
}

/// A file, whose length is fixed when it is opened.
#[derive(Clone, Debug)]
pub struct FileSource {
    path: PathBuf,
    len: u64,
}

impl FileSource {
    /// Looks the file up. It is opened anew for each part.
    ///
    /// # Errors
    ///
    /// Fails when the file does not exist or is a folder.
    pub async fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let metadata = tokio::fs::metadata(&path).await.map_err(|err| about(&path, &err))?;
        if !metadata.is_file() {
            let text = format!("{} is not a file", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        Ok(Self { path, len: metadata.len() })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[async_trait]
impl BodySource for FileSource {
    fn len(&self) -> u64 {
        self.len
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let about = |err| about(&self.path, &err);
        let wanted = range
            .end
            .checked_sub(range.start)
            .and_then(|it| usize::try_from(it).ok())
            .ok_or_else(|| beyond_the_end(&range))?;
        let mut file = File::open(&self.path).await.map_err(about)?;
        file.seek(SeekFrom::Start(range.start)).await.map_err(about)?;
        let mut buffer = vec![0; wanted];
        file.read_exact(&mut buffer).await.map_err(about)?;
        Ok(buffer.into())
    }
}

/// Takes the bytes of an answer part by part, so that a large one is never in
/// memory as a whole.
#[async_trait]
pub trait BodySink: fmt::Debug + Send {
    /// Forgets what was written: the answer comes once more, from its start.
    ///
    /// # Errors
    ///
    /// Fails when the place cannot be written to.
    async fn restart(&mut self) -> io::Result<()>;

    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// Fails when the place cannot be written to.
    async fn write(&mut self, part: Bytes) -> io::Result<()>;
}

/// Writes to a file, which is made when the first answer comes.
#[derive(Debug)]
pub struct FileSink {
    path: PathBuf,
    file: Option<File>,
}

impl FileSink {
    /// Writes to the file at `path`, in place of what it has. Its folder must exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), file: None }
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    ///
    /// Fails when something was not.
    pub async fn finish(self) -> io::Result<()> {
        match self.file {
            Some(mut file) => file.flush().await.map_err(|err| about(&self.path, &err)),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl BodySink for FileSink {
    async fn restart(&mut self) -> io::Result<()> {
        let file = File::create(&self.path).await.map_err(|err| about(&self.path, &err))?;
        self.file = Some(file);
        Ok(())
    }

    async fn write(&mut self, part: Bytes) -> io::Result<()> {
        if self.file.is_none() {
            self.restart().await?;
        }
        match &mut self.file {
            Some(file) => file.write_all(&part).await.map_err(|err| about(&self.path, &err)),
            None => Ok(()),
        }
    }
}

fn about(path: &Path, err: &io::Error) -> io::Error {
    io::Error::new(err.kind(), format!("{}: {err}", path.display()))
}

fn beyond_the_end(range: &Range<u64>) -> io::Error {
    let text = format!("no bytes {} to {}", range.start, range.end);
    io::Error::new(io::ErrorKind::UnexpectedEof, text)
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn a_file_and_a_buffer_give_the_same_parts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        std::fs::write(&path, b"0123456789").unwrap();
        let file = FileSource::open(&path).await.unwrap();
        let buffer = Bytes::from_static(b"0123456789");
        for range in [0..10, 3..7, 10..10] {
            let expected = buffer.read(range.clone()).await.unwrap();
            assert_eq!(file.read(range).await.unwrap(), expected);
        }
        assert!(file.read(5..11).await.is_err());
        assert!(buffer.read(5..11).await.is_err());
    }

    #[tokio::test]
    async fn a_source_is_streamed_in_parts_and_whole() {
        for len in [0_usize, 1, 1024 * 1024, 2 * 1024 * 1024 + 3] {
            let bytes = Bytes::from((0..len).map(|it| it.to_le_bytes()[0]).collect::<Vec<u8>>());
            let parts: Vec<Bytes> =
                stream_source(Arc::new(bytes.clone())).try_collect().await.unwrap();
            assert!(parts.iter().all(|it| it.len() <= 1024 * 1024));
            assert_eq!(parts.concat(), bytes);
        }
    }

    #[tokio::test]
    async fn a_sink_begins_anew_when_the_answer_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let mut sink = FileSink::new(&path);
        sink.write(Bytes::from_static(b"torn and long")).await.unwrap();
        sink.restart().await.unwrap();
        for part in ["who", "le"] {
            sink.write(part.into()).await.unwrap();
        }
        sink.finish().await.unwrap();
        assert_eq!(std::fs::read(path).unwrap(), b"whole");
        let nowhere = FileSink::new(folder.path().join("none/data")).restart().await;
        assert_eq!(nowhere.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn a_missing_file_is_named() {
        let err = FileSource::open("nowhere.bin").await.unwrap_err();
        assert_eq!(err.kind(), io::ErrorKind::NotFound);
        assert!(err.to_string().starts_with("nowhere.bin: "));
    }
}
