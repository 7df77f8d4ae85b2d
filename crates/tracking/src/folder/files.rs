//! Small files: read whole, replaced whole. What is done to them takes microseconds,
//! so that nobody hands it to another thread.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use azml_core::{Error, ErrorKind, Result};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// An error of the disk.
pub(super) fn failed(operation: &'static str, path: &Path, err: io::Error) -> Error {
    let reason = path.display().to_string();
    Error::explained(operation, ErrorKind::Other, reason).with_source(err)
}

/// Reads a file of JSON; `None` when there is none.
pub(super) fn read<T: DeserializeOwned>(operation: &'static str, path: &Path) -> Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|err| {
            let reason = path.display().to_string();
            Error::explained(operation, ErrorKind::Decode, reason).with_source(err)
        }),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(err) => Err(failed(operation, path, err)),
    }
}

/// Writes a file of JSON, so that whoever reads it sees the old or the new one.
pub(super) fn write(operation: &'static str, path: &Path, value: &impl Serialize) -> Result<()> {
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let fresh = path.with_extension(format!("{}.new", Uuid::new_v4()));
        fs::write(&fresh, serde_json::to_vec_pretty(value)?)?;
        fs::rename(fresh, path)
    };
    write().map_err(|err| failed(operation, path, err))
}

/// Adds lines to a file, behind a line that a dead process has left unfinished.
pub(super) fn append(operation: &'static str, path: &Path, lines: &[u8]) -> Result<()> {
    let append = || {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        let mut last = [b'\n'];
        if file.seek(SeekFrom::End(0))? > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        if last == *b"\n" {
            file.write_all(lines)
        } else {
            file.write_all(&[b"\n", lines].concat())
        }
    };
    append().map_err(|err| failed(operation, path, err))
}

/// The names in a folder; none when there is none.
pub(super) fn names(operation: &'static str, folder: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(err) => return Err(failed(operation, folder, err)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|err| failed(operation, folder, err))?;
        names.extend(entry.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}
