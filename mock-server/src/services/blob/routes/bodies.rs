//! Bytes between the network and files, in pieces of bounded size.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use axum::body::{Body, Bytes};
use futures_util::StreamExt;
use md5::{Digest, Md5};
use tokio::task::spawn_blocking;

use super::super::state::{Block, Source};
use crate::kernel::{Kind, Refusal};

/// How many bytes are collected before they are written, and read at once.
const PIECE: usize = 1 << 20;

/// A file that has come in but is not in its place yet.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) path: PathBuf,
    pub(crate) len: u64,
    pub(in super::super) md5: [u8; 16],
}

impl Drop for Received {
    /// What was not moved into its place goes.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

struct Writer {
    file: File,
    md5: Md5,
    len: u64,
}

impl Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.md5.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }
}

pub(in super::super) fn unusable(err: impl std::fmt::Display) -> Refusal {
    let text = format!("the file could not be used: {err}");
    Refusal::new(Kind::Unrecorded, text).with_code("InternalError")
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Refusal> {
    spawn_blocking(work).await.map_err(unusable)?.map_err(unusable)
}

/// Writes a body to `path`, hashing it on the way.
pub(crate) async fn receive(path: PathBuf, body: Body) -> Result<Received, Refusal> {
    let mut received = Received { path: path.clone(), len: 0, md5: [0; 16] };
    let mut stream = body.into_data_stream();
    let mut piece = Vec::new();
    let mut writer = None;
    loop {
        let next = stream.next().await.transpose();
        let next = next.map_err(|err| {
            let text = format!("the body broke off: {err}");
            Refusal::malformed(text).with_code("IncompleteBody")
        })?;
        let is_last = next.is_none();
        piece.extend_from_slice(&next.unwrap_or_default());
        if piece.len() < PIECE && !is_last {
            continue;
        }
        let (bytes, path, open) = (std::mem::take(&mut piece), path.clone(), writer.take());
        let written = blocking(move || {
            let mut writer = match open {
                Some(it) => it,
                None => Writer { file: File::create(path)?, md5: Md5::new(), len: 0 },
            };
            writer.write(&bytes)?;
            Ok(writer)
        });
        let written = written.await?;
        if is_last {
            received.len = written.len;
            received.md5 = written.md5.finalize().into();
            return Ok(received);
        }
        writer = Some(written);
    }
}

/// Writes a blob's parts to `path`, in order. `present` is the blob as it is,
/// `blocks` the folder of those that wait.
pub(in super::super) async fn join(
    path: PathBuf,
    parts: Vec<(Block, Source)>,
    present: PathBuf,
    blocks: PathBuf,
) -> Result<Received, Refusal> {
    let mut received = Received { path: path.clone(), len: 0, md5: [0; 16] };
    let len = blocking(move || {
        let mut target = File::create(path)?;
        let mut len = 0;
        for (block, source) in parts {
            let copied = match source {
                Source::Waiting(file) => copy(&mut target, &blocks.join(file), 0, block.len)?,
                Source::Present(offset) => copy(&mut target, &present, offset, block.len)?,
            };
            if copied != block.len {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            len += copied;
        }
        Ok(len)
    });
    received.len = len.await?;
    Ok(received)
}

fn copy(target: &mut File, from: &Path, offset: u64, len: u64) -> io::Result<u64> {
    let mut from = File::open(from)?;
    from.seek(SeekFrom::Start(offset))?;
    io::copy(&mut from.take(len), target)
}

/// The bytes of `file` from `offset` on as a body, piece by piece.
pub(crate) async fn send(file: File, offset: u64, len: u64) -> Result<Body, Refusal> {
    let (first, file) = read_piece(file, Some(offset), len).await.map_err(unusable)?;
    let left = len - first.len() as u64;
    if left == 0 || first.is_empty() {
        return Ok(Body::from(first));
    }
    let rest = futures_util::stream::try_unfold((file, left), |(file, left)| async move {
        if left == 0 {
            return Ok::<_, io::Error>(None);
        }
        let (piece, file) = read_piece(file, None, left).await?;
        if piece.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let left = left - piece.len() as u64;
        Ok(Some((piece, (file, left))))
    });
    let first = futures_util::stream::once(async { Ok(first) });
    Ok(Body::from_stream(first.chain(rest)))
}

async fn read_piece(mut file: File, seek: Option<u64>, left: u64) -> io::Result<(Bytes, File)> {
    let read = spawn_blocking(move || {
        if let Some(offset) = seek {
            file.seek(SeekFrom::Start(offset))?;
        }
        let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let mut piece = Vec::with_capacity(wanted);
        (&mut file).take(wanted as u64).read_to_end(&mut piece)?;
        Ok((Bytes::from(piece), file))
    });
    read.await.map_err(io::Error::other)?
}
