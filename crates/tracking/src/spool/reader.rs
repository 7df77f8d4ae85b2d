//! Reads what a run has logged, from any place on, also while it logs.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use uuid::Uuid;

use super::{
    frame::{self, Frame},
    record::Record,
    segment::{self, Position},
};

/// Bytes that are read at once, at least one frame.
const CHUNK: usize = 64 * 1024;

/// Keeps the reader and whoever drops what is oldest from the same segment.
#[derive(Debug, Default)]
pub(crate) struct Fence {
    /// The segment that is being read, or was last.
    pub(super) reading: u64,
    /// The segment that is about to be dropped.
    pub(super) condemned: Option<u64>,
}

/// Follows the segments of a run.
#[derive(Debug)]
pub(crate) struct Reader {
    folder: PathBuf,
    run: Uuid,
    position: Position,
    file: Option<File>,
    /// Bytes of the segment from `position` on, behind those that were used.
    chunk: Vec<u8>,
    used: usize,
    damaged: u64,
    fence: Option<Arc<Mutex<Fence>>>,
}

impl Reader {
    /// Reads from `position` on.
    pub(crate) fn new(folder: &Path, run: Uuid, position: Position) -> Self {
        let folder = folder.to_owned();
        Self {
            folder,
            run,
            position,
            file: None,
            chunk: Vec::new(),
            used: 0,
            damaged: 0,
            fence: None,
        }
    }

    /// Skips what was condemned, and keeps what it reads from that.
    pub(crate) fn behind(self, fence: Arc<Mutex<Fence>>) -> Self {
        Self { fence: Some(fence), ..self }
    }

    /// Behind the last record that was read.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// How many segments could not be read to their end.
    pub(crate) fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Gives the next record to `take` and goes on behind it, unless `take` does
    /// not want it. Says whether it did.
    pub(crate) fn next(
        &mut self,
        mut take: impl FnMut(Record<'_>, Position) -> bool,
    ) -> io::Result<bool> {
        loop {
            if self.file.is_none() && !self.open()? {
                return Ok(false);
            }
            let salt = segment::salt(self.run, self.position);
            let is_torn = match frame::read(&self.chunk[self.used..], salt) {
                Frame::Whole(payload, length) => {
                    // What a newer version wrote is no reason to stop.
                    let record = Record::decode(payload);
                    let is_taken = record.is_none_or(|it| take(it, self.position));
                    if is_taken {
                        // The zeros behind the last frame of a file may have been cut.
                        self.used = self.chunk.len().min(self.used + length);
                        self.position.offset += length as u64;
                    }
                    return Ok(is_taken);
                }
                Frame::Nothing => false,
                Frame::Torn => true,
            };
            // What is in memory may be a part of the frame, or older than the file.
            if self.refill()? {
                continue;
            }
            if !self.is_complete()? {
                return Ok(false);
            }
            // The writer may have written between the last look and its step to the next
            // segment.
            if self.refill()? {
                continue;
            }
            self.damaged += u64::from(is_torn);
            self.go_on();
        }
    }

    /// The numbers and names of the series that the segment has named so far. A
    /// reader that begins in the middle needs them.
    pub(crate) fn keys(&self) -> io::Result<Vec<(u32, String)>> {
        let mut keys = Vec::new();
        let start = Position::start_of(self.position.segment);
        let mut reader = Self::new(&self.folder, self.run, start);
        while reader.position < self.position
            && reader.position.segment == self.position.segment
            && reader.next(|record, _| {
                if let Record::Key { id, name } = record {
                    keys.push((id, name.into_owned()));
                }
                true
            })?
        {}
        Ok(keys)
    }

    /// Opens the segment, or the next one that there is. Says whether there is one.
    fn open(&mut self) -> io::Result<bool> {
        loop {
            if let Some(fence) = &self.fence {
                let mut fence = fence.lock().unwrap_or_else(PoisonError::into_inner);
                if fence.condemned == Some(self.position.segment) {
                    self.position = Position::start_of(self.position.segment + 1);
                }
                fence.reading = fence.reading.max(self.position.segment);
            }
            match File::open(segment::path(&self.folder, self.position.segment)) {
                Ok(mut file) => {
                    file.seek(SeekFrom::Start(self.position.offset))?;
                    self.file = Some(file);
                    return Ok(true);
                }
                Err(err) if err.kind() == io::ErrorKind::NotFound => {
                    let mut all = segment::list(&self.folder)?.into_iter();
                    let Some(next) = all.find(|it| *it > self.position.segment) else {
                        return Ok(false);
                    };
                    self.position = Position::start_of(next);
                }
                Err(err) => return Err(err),
            }
        }
    }

    /// Reads more behind what is left. Says whether anything is new.
    fn refill(&mut self) -> io::Result<bool> {
        let Some(file) = &mut self.file else { return Ok(false) };
        let mut wanted = CHUNK;
        if let Some(length) = self.chunk[self.used..].first_chunk::<4>() {
            wanted = wanted.max(frame::len_of(u32::from_le_bytes(*length) as usize));
        }
        let mut fresh = Vec::new();
        file.seek(SeekFrom::Start(self.position.offset))?;
        file.take(wanted as u64).read_to_end(&mut fresh)?;
        let is_new = fresh != self.chunk[self.used..];
        (self.chunk, self.used) = (fresh, 0);
        Ok(is_new)
    }

    fn is_complete(&self) -> io::Result<bool> {
        let next = self.position.segment + 1;
        if segment::path(&self.folder, next).try_exists()? {
            return Ok(true);
        }
        Ok(segment::list(&self.folder)?.into_iter().any(|it| it > self.position.segment))
    }

    fn go_on(&mut self) {
        self.position = Position::start_of(self.position.segment + 1);
        (self.file, self.used) = (None, 0);
        self.chunk.clear();
    }
}
