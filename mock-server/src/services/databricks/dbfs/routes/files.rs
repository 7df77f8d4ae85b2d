//! The folder behind `dbfs:/`.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use axum::http::StatusCode;
use time::OffsetDateTime;

use crate::{
    kernel::{
        Kernel, Kind, Refusal,
        files::{Folder, place},
    },
    services::databricks::{io_error, paths::local},
};

/// How many files one call deletes at most.
pub(in super::super) const DELETED_AT_ONCE: usize = 10_000;

/// One entry of a listing.
pub(in super::super) struct FileInfo {
    pub(in super::super) path: String,
    pub(in super::super) is_dir: bool,
    pub(in super::super) size: u64,
    pub(in super::super) modified_at: OffsetDateTime,
}

/// DBFS of one workspace.
pub(in super::super) struct Store<'a> {
    kernel: &'a Kernel,
    root: Folder,
    workspace: u64,
}

fn exists(path: &str) -> Refusal {
    let text = format!("A file or directory already exists at the input path dbfs:{path}.");
    Refusal::new(Kind::AlreadyExists, text)
}

fn missing(path: &str) -> Refusal {
    Refusal::not_found(format!("No file or directory exists on path {path}."))
}

impl<'a> Store<'a> {
    pub(in super::super) fn new(kernel: &'a Kernel, workspace: u64) -> Self {
        Self { kernel, root: kernel.files.dbfs(workspace), workspace }
    }

    fn at(&self, path: &str) -> PathBuf {
        local(&self.root, path)
    }

    /// Whether a file may be written at `path`.
    pub(in super::super) fn check_free(&self, path: &str, overwrite: bool) -> Result<(), Refusal> {
        let target = self.at(path);
        let is_blocked = target.is_dir() || (target.exists() && !overwrite);
        let has_file_above = target.ancestors().skip(1).any(Path::is_file);
        if is_blocked || has_file_above { Err(exists(path)) } else { Ok(()) }
    }

    /// Where a stream grows until it is closed.
    fn growing(&self, handle: i64) -> PathBuf {
        let name = format!("{}-{handle}", self.workspace);
        self.kernel.files.scratch().join("dbfs-streams").join(name)
    }

    pub(in super::super) fn open(&self, handle: i64) -> Result<(), Refusal> {
        let file = self.growing(handle);
        let make = || {
            file.parent().map_or(Ok(()), fs::create_dir_all)?;
            File::create(&file)
        };
        make().map(drop).map_err(|err| io_error(&err))
    }

    pub(in super::super) fn append(&self, handle: i64, bytes: &[u8]) -> Result<(), Refusal> {
        let open = OpenOptions::new().append(true).open(self.growing(handle));
        open.and_then(|mut it| it.write_all(bytes)).map_err(|err| io_error(&err))
    }

    pub(in super::super) fn close(
        &self,
        handle: i64,
        path: &str,
        overwrite: bool,
    ) -> Result<(), Refusal> {
        self.place(path, &self.growing(handle), overwrite)
    }

    pub(in super::super) fn put(
        &self,
        path: &str,
        bytes: &[u8],
        overwrite: bool,
    ) -> Result<(), Refusal> {
        let unfinished = self.kernel.files.unfinished().map_err(|err| io_error(&err))?;
        fs::write(&unfinished, bytes).map_err(|err| io_error(&err))?;
        self.place(path, &unfinished, overwrite).inspect_err(|_| drop(fs::remove_file(&unfinished)))
    }

    /// Moves a whole file to `path`, as one step with the look at what is there.
    pub(in super::super) fn place(
        &self,
        path: &str,
        unfinished: &Path,
        overwrite: bool,
    ) -> Result<(), Refusal> {
        let _writing = self.kernel.files.writing.lock();
        self.check_free(path, overwrite)?;
        place(unfinished, &self.at(path)).map_err(|err| io_error(&err))
    }

    pub(in super::super) fn read(
        &self,
        path: &str,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>, Refusal> {
        let file = self.at(path);
        if file.is_dir() {
            let text = format!("Path must refer to a file, and dbfs:{path} is a directory");
            return Err(Refusal::invalid(text));
        }
        let read = || {
            let mut bytes = Vec::new();
            let mut file = File::open(&file)?;
            file.seek(SeekFrom::Start(offset))?;
            file.take(length).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(|err: io::Error| match err.kind() {
            io::ErrorKind::NotFound => missing(path),
            _ => io_error(&err),
        })
    }

    pub(in super::super) fn status(&self, path: &str) -> Result<FileInfo, Refusal> {
        match fs::metadata(self.at(path)) {
            Ok(it) => Ok(info(path.to_owned(), &it)),
            // The root is there before anything is in it.
            Err(_) if path == "/" => Ok(FileInfo {
                path: path.to_owned(),
                is_dir: true,
                size: 0,
                modified_at: OffsetDateTime::UNIX_EPOCH,
            }),
            Err(_) => Err(missing(path)),
        }
    }

    pub(in super::super) fn list(&self, path: &str) -> Result<Vec<FileInfo>, Refusal> {
        let this = self.status(path)?;
        if !this.is_dir {
            return Ok(vec![this]);
        }
        let Ok(entries) = fs::read_dir(self.at(path)) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_checksum =
                name.strip_prefix('.').is_some_and(|it| it.rsplit('.').next() == Some("crc"));
            // What vanishes while we look was not there.
            if let (false, Ok(it)) = (is_checksum, entry.metadata()) {
                found.push(info(format!("{}/{name}", path.trim_end_matches('/')), &it));
            }
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }

    pub(in super::super) fn make_folder(&self, path: &str) -> Result<(), Refusal> {
        let folder = self.at(path);
        if folder.ancestors().any(Path::is_file) {
            return Err(exists(path));
        }
        fs::create_dir_all(folder).map_err(|err| io_error(&err))
    }

    pub(in super::super) fn rename(&self, from: &str, to: &str) -> Result<(), Refusal> {
        let (source, target) = (self.at(from), self.at(to));
        if !source.exists() {
            return Err(missing(from));
        }
        if target.exists() {
            return Err(exists(to));
        }
        place(&source, &target).map_err(|err| io_error(&err))
    }

    /// What is not there is deleted. Of very many files only some go at once.
    pub(in super::super) fn delete(&self, path: &str, recursive: bool) -> Result<(), Refusal> {
        let target = self.at(path);
        let mut left = DELETED_AT_ONCE;
        let outcome = match fs::symlink_metadata(&target) {
            Err(_) => return Ok(()),
            Ok(it) if !it.is_dir() => fs::remove_file(&target).map(|()| true),
            Ok(_) if recursive => delete_some(&target, &mut left),
            Ok(_) => fs::remove_dir(&target).map(|()| true),
        };
        match outcome {
            Ok(true) => Ok(()),
            Ok(false) => {
                let text = format!(
                    "The requested operation has deleted {DELETED_AT_ONCE} files. There are more \
                     files remaining. You must make another request to delete more."
                );
                let kind = Kind::Status(StatusCode::SERVICE_UNAVAILABLE);
                Err(Refusal::new(kind, text).with_code("PARTIAL_DELETE"))
            }
            Err(err) if err.kind() == io::ErrorKind::DirectoryNotEmpty => {
                let text = format!(
                    "dbfs:{path} is a non-empty directory. Use recursive = true to delete it."
                );
                Err(Refusal::invalid(text).with_code("IO_ERROR"))
            }
            Err(err) => Err(io_error(&err)),
        }
    }
}

/// Deletes at most `left` files, and the folder once it is empty. Whether it is gone.
fn delete_some(folder: &Path, left: &mut usize) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            if !delete_some(&entry.path(), left)? {
                return Ok(false);
            }
        } else if *left == 0 {
            return Ok(false);
        } else {
            fs::remove_file(entry.path())?;
            *left -= 1;
        }
    }
    fs::remove_dir(folder).map(|()| true)
}

fn info(path: String, it: &fs::Metadata) -> FileInfo {
    let modified_at = it.modified().map_or(OffsetDateTime::UNIX_EPOCH, OffsetDateTime::from);
    FileInfo {
        path,
        is_dir: it.is_dir(),
        size: if it.is_dir() { 0 } else { it.len() },
        modified_at,
    }
}
