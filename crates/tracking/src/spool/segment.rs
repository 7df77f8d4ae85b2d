//! Segments: the files that a spool is made of.
//!
//! A segment begins with a head of 64 bytes: what it is, its version, its number,
//! the run. Frames follow. A segment is complete when the next one exists.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Bytes in front of the first frame.
pub(super) const HEAD: usize = 64;
const MAGIC: &[u8; 8] = b"azmlspl\x01";
const ENDING: &str = "seg";
/// The first segment is small, because most runs are.
const FIRST: usize = 256 * 1024;

/// A place between two frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Number of the segment.
    pub(crate) segment: u64,
    /// Bytes from its start.
    pub(crate) offset: u64,
}

impl Position {
    /// Before everything.
    pub(crate) const START: Self = Self { segment: 0, offset: HEAD as u64 };

    /// The first place of a segment.
    pub(crate) fn start_of(segment: u64) -> Self {
        Self { segment, offset: HEAD as u64 }
    }
}

/// Makes the files of segments. Tests have disks that are full.
pub(crate) trait Disk: fmt::Debug + Send + Sync {
    /// Makes a file of `len` zeros, all of which have their place on the disk.
    fn create(&self, path: &Path, len: usize) -> io::Result<File>;
}

/// The disk of this machine.
#[derive(Debug)]
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path, len: usize) -> io::Result<File> {
        static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        let mut left = len;
        while left > 0 {
            let part = left.min(ZEROS.len());
            // A hole would be found out only when a page of the map is written, by a
            // signal that ends the process.
            if let Err(err) = file.write_all(&ZEROS[..part]) {
                let _ = fs::remove_file(path);
                return Err(err);
            }
            left -= part;
        }
        Ok(file)
    }
}

/// How long segment `index` is, none being longer than `most`.
pub(super) fn length(index: u64, most: usize) -> usize {
    let doubled = FIRST.saturating_mul(1 << (2 * index.min(8)));
    doubled.min(most)
}

pub(super) fn path(folder: &Path, index: u64) -> PathBuf {
    folder.join(format!("{index:08}.{ENDING}"))
}

/// The file that becomes segment `index` when it is needed.
pub(super) fn prepared_path(folder: &Path) -> PathBuf {
    folder.join("prepared")
}

/// The numbers of the segments of a run, in order.
pub(super) fn list(folder: &Path) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_segment = path.extension().is_some_and(|it| it == ENDING);
        let stem = path.file_stem().and_then(|it| it.to_str());
        if let (true, Some(index)) = (is_segment, stem.and_then(|it| it.parse().ok())) {
            found.push(index);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Removes a segment of which nothing is needed any more.
pub(crate) fn remove(folder: &Path, index: u64) {
    let _ = fs::remove_file(path(folder, index));
}

/// Removes all segments.
pub(crate) fn remove_all(folder: &Path) {
    for index in list(folder).unwrap_or_default() {
        remove(folder, index);
    }
    let _ = fs::remove_file(prepared_path(folder));
}

/// The head of a segment.
pub(super) fn head(run: Uuid, index: u64) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(MAGIC);
    head[8..16].copy_from_slice(&index.to_le_bytes());
    head[16..32].copy_from_slice(run.as_bytes());
    head
}

/// What the checksum of the frame at `position` begins with.
pub(super) fn salt(run: Uuid, position: Position) -> u64 {
    let (high, low) = run.as_u64_pair();
    high ^ low ^ (position.segment << 32) ^ position.offset
}
