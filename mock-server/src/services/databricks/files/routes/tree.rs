//! Where the paths of the Files API are on this machine.

use std::{fs, io, path::PathBuf};

use time::OffsetDateTime;

use crate::{
    kernel::{Kernel, Kind, Refusal, files::place},
    services::{
        blob::bodies::Received,
        databricks::{io_error, paths},
    },
};

/// Where MLflow keeps the artifacts of runs, below the root of DBFS.
const TRACKING: &str = "databricks/mlflow-tracking";

/// One place that a path names.
pub(in super::super) struct Spot {
    /// As the API writes it.
    pub(in super::super) path: String,
    pub(in super::super) file: PathBuf,
    /// The folder that has to be there before anything is put below it.
    volume: Option<PathBuf>,
}

pub(in super::super) struct Entry {
    pub(in super::super) name: String,
    pub(in super::super) is_directory: bool,
    pub(in super::super) size: u64,
    pub(in super::super) modified_at: OffsetDateTime,
}

fn missing(what: &str, path: &str) -> Refusal {
    Refusal::not_found(format!("The {what} being accessed is not found: {path}"))
        .with_code("NOT_FOUND")
}

fn exists(what: &str, path: &str) -> Refusal {
    let text = format!("The {what} being created already exists: {path}");
    Refusal::new(Kind::Conflict, text).with_code("ALREADY_EXISTS")
}

/// The place of `path`, which comes without its first slash.
pub(in super::super) fn spot(kernel: &Kernel, workspace: u64, path: &str) -> Result<Spot, Refusal> {
    let path = paths::normal(&format!("/{path}"))?;
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let (file, volume) = match parts.as_slice() {
        ["Volumes", catalog, schema, name, inside @ ..] => {
            // Unity Catalog keeps its names in lower case; files keep theirs.
            let named = [catalog, schema, name].map(|it| it.to_lowercase());
            let volume = kernel.files.volumes(workspace).path().join(named.join("/"));
            (inside.iter().fold(volume.clone(), |it, part| it.join(part)), Some(volume))
        }
        ["WorkspaceInternal", "Mlflow", "Artifacts", experiment, kind, id, rest @ ..] => {
            let experiment = kernel.files.dbfs(workspace).path().join(TRACKING).join(experiment);
            let owner = match *kind {
                "Runs" => experiment.join(id),
                "LoggedModels" => experiment.join("logged_models").join(id),
                _ => return Err(missing("file", &path)),
            };
            (rest.iter().fold(owner, |it, part| it.join(part)), None)
        }
        _ => {
            let text = format!(
                "Path {path} is invalid. It must be of the form \
                 /Volumes/<catalog>/<schema>/<volume>/<path>"
            );
            return Err(Refusal::invalid(text));
        }
    };
    Ok(Spot { path, file, volume })
}

impl Spot {
    pub(in super::super) fn file(&self) -> Result<fs::Metadata, Refusal> {
        match fs::metadata(&self.file) {
            Ok(it) if it.is_file() => Ok(it),
            _ => Err(missing("file", &self.path)),
        }
    }

    pub(in super::super) fn check_directory(&self) -> Result<(), Refusal> {
        if self.file.is_dir() { Ok(()) } else { Err(missing("directory", &self.path)) }
    }

    /// Volumes are made by Unity Catalog alone.
    fn check_volume(&self) -> Result<(), Refusal> {
        match &self.volume {
            Some(it) if !it.is_dir() => Err(missing("volume", &self.path)),
            _ => Ok(()),
        }
    }

    fn is_volume(&self) -> bool {
        self.volume.as_ref() == Some(&self.file)
    }

    /// Whether a file may be put here.
    pub(in super::super) fn check_free(&self, overwrite: bool) -> Result<(), Refusal> {
        self.check_volume()?;
        if self.file.is_dir() {
            return Err(exists("directory", &self.path));
        }
        let is_taken = (self.file.exists() && !overwrite)
            || self.file.ancestors().skip(1).any(std::path::Path::is_file);
        if is_taken { Err(exists("file", &self.path)) } else { Ok(()) }
    }

    /// Moves what has come in to its place, as one step with the look at what is there.
    pub(in super::super) fn put(
        &self,
        kernel: &Kernel,
        received: &Received,
        overwrite: bool,
    ) -> Result<(), Refusal> {
        let _writing = kernel.files.writing.lock();
        self.check_free(overwrite)?;
        place(&received.path, &self.file).map_err(|err| io_error(&err))
    }

    pub(in super::super) fn delete_file(&self) -> Result<(), Refusal> {
        self.file()?;
        fs::remove_file(&self.file).map_err(|err| io_error(&err))
    }

    pub(in super::super) fn make_directory(&self) -> Result<(), Refusal> {
        self.check_volume()?;
        if self.file.ancestors().any(std::path::Path::is_file) {
            return Err(exists("file", &self.path));
        }
        fs::create_dir_all(&self.file).map_err(|err| io_error(&err))
    }

    pub(in super::super) fn delete_directory(&self) -> Result<(), Refusal> {
        if self.is_volume() {
            return Err(Refusal::invalid(format!("{} cannot be deleted", self.path)));
        }
        self.check_directory()?;
        fs::remove_dir(&self.file).map_err(|err| match err.kind() {
            io::ErrorKind::DirectoryNotEmpty => {
                let text = format!("The directory being deleted is not empty: {}", self.path);
                Refusal::invalid(text).with_code("DIRECTORY_NOT_EMPTY")
            }
            _ => io_error(&err),
        })
    }

    /// What is directly in a directory, in the order of the names.
    pub(in super::super) fn entries(&self) -> Result<Vec<Entry>, Refusal> {
        self.check_directory()?;
        let Ok(found) = fs::read_dir(&self.file) else { return Ok(Vec::new()) };
        let mut entries = Vec::new();
        for it in found.flatten() {
            // What vanishes while we look was not there.
            let Ok(metadata) = it.metadata() else { continue };
            entries.push(Entry {
                name: it.file_name().to_string_lossy().into_owned(),
                is_directory: metadata.is_dir(),
                size: metadata.len(),
                modified_at: modified_at(&metadata),
            });
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }
}

pub(in super::super) fn modified_at(it: &fs::Metadata) -> OffsetDateTime {
    it.modified().map_or(OffsetDateTime::UNIX_EPOCH, OffsetDateTime::from)
}
