//! Folders that go when their cloud goes, and a broom for those whose cloud
//! went without a word.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

/// What the names of all these folders begin with. The process follows.
const PREFIX: &str = "azml-mock-";

/// Held by the process as long as it uses the folder.
const LOCK: &str = "lock";

/// A folder that goes when the cloud goes.
#[derive(Debug)]
pub(crate) struct Temporary {
    folder: PathBuf,
    _lock: File,
}

impl Temporary {
    pub(crate) fn make() -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let id = NEXT.fetch_add(1, Ordering::Relaxed);
            let folder = std::env::temp_dir().join(format!("{PREFIX}{}-{id}", process::id()));
            match make_private(&folder) {
                // Left by an earlier process of this number.
                Err(err) if err.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made?,
            }
            let lock = File::create(folder.join(LOCK))?;
            lock.lock()?;
            return Ok(Self { folder, _lock: lock });
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(err) = fs::remove_dir_all(&self.folder) {
            tracing::debug!(%err, folder = %self.folder.display(), "a temporary folder stays");
        }
    }
}

/// Makes a folder that nobody else may look into.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Removes from `parent` what processes left that are no more.
#[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "only the program sweeps"))]
pub(crate) fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let pid =
            name.to_str().and_then(|it| it.strip_prefix(PREFIX)?.split('-').next()?.parse().ok());
        let Some(pid) = pid else { continue };
        if is_left(&entry.path(), pid)
            && let Err(err) = fs::remove_dir_all(entry.path())
        {
            tracing::debug!(%err, folder = %entry.path().display(), "an old folder stays");
        }
    }
}

/// Whether nobody uses `folder` any more. A process of another container may
/// have the same number or none that can be seen from here; its lock tells.
fn is_left(folder: &Path, pid: u32) -> bool {
    if pid == process::id() || Path::new("/proc").join(pid.to_string()).exists() {
        return false;
    }
    match File::open(folder.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(err) => err.kind() == io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_cloud_and_belongs_to_no_other() {
        let (one, other) = (Temporary::make().unwrap(), Temporary::make().unwrap());
        assert_ne!(one.path(), other.path());
        let path = one.path().to_owned();
        drop(one);
        assert!(!path.exists() && other.path().exists());
    }

    #[test]
    fn only_folders_of_dead_processes_are_swept() {
        let parent = tempfile::tempdir().unwrap();
        let make = |name: String| {
            let folder = parent.path().join(name);
            fs::create_dir(&folder).unwrap();
            File::create(folder.join(LOCK)).unwrap();
            folder
        };
        // No process has a number as high as this.
        let dead = make(format!("{PREFIX}4294967295-0"));
        let locked = make(format!("{PREFIX}4294967294-0"));
        let alive = make(format!("{PREFIX}{}-0", process::id()));
        let other = make("somebody-4294967295-0".to_owned());
        let lock = File::open(locked.join(LOCK)).unwrap();
        lock.lock().unwrap();

        sweep(parent.path());
        let stays = [&dead, &locked, &alive, &other].map(|it| it.exists());
        assert_eq!(stays, [false, true, true, true]);
    }
}
