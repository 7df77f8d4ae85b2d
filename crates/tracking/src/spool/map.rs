//! The memory map of a segment: the one file of the workspace with `unsafe` in it.

#![expect(unsafe_code, reason = "a file can be mapped in no other way")]

use std::{fs::File, hint::black_box, io};

use memmap2::{MmapMut, MmapOptions};

/// The smallest page of any system we run on.
const PAGE: usize = 4096;

/// The bytes of a file, as memory. What is written here belongs to the file as
/// soon as it is written: it outlives the process, however that ends.
#[derive(Debug)]
pub(super) struct Map(MmapMut);

impl Map {
    /// Maps the first `len` bytes of `file`, all of which must be there.
    pub(super) fn new(file: &File, len: usize) -> io::Result<Self> {
        if file.metadata()?.len() < len as u64 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the segment is too short"));
        }
        // SAFETY: a map is unsound when somebody else changes the file at the same
        // time, and a write beyond its end ends the process. The file was just made by
        // this process in a folder whose writer lock it holds, at its full length, and
        // nothing in this crate writes to it but through this map, or cuts it. Others
        // of this crate only read the file, by system calls, never through a map.
        let map = unsafe { MmapOptions::new().len(len).map_mut(file)? };
        Ok(Self(map))
    }

    /// Touches every page, so that later writes meet no page fault. The bytes must
    /// all be zero still.
    pub(super) fn prefault(&mut self) {
        for page in self.0.chunks_mut(PAGE) {
            if let Some(byte) = page.first_mut() {
                *black_box(byte) = 0;
            }
        }
    }

    pub(super) fn bytes(&mut self) -> &mut [u8] {
        &mut self.0
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
