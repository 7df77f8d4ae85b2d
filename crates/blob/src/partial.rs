//! What has arrived of a file, beside the place where the whole will be.

use std::{
    fmt,
    fs::File as StdFile,
    io::{self, SeekFrom},
    path::{Path, PathBuf},
};

use md5::Context as Md5;
use same_file::Handle;
use tokio::{
    fs::{self, File},
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
};
use uuid::Uuid;

/// How much of a file is read at once to hash it.
const CHUNK: usize = 256 * 1024;

/// A file that is not complete yet. Nobody else writes to it: that of a version is
/// locked, any other has a name of its own.
pub(crate) struct Partial {
    path: PathBuf,
    file: File,
    len: u64,
    hash: Md5,
    is_kept: bool,
}

impl fmt::Debug for Partial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Partial")
            .field("path", &self.path)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

impl Partial {
    /// Opens what is there of this version of the file `target`, unless another
    /// download is at it. Else begins anew, in a file that goes when this does.
    pub(crate) async fn open(target: &Path, etag: Option<&str>, total: u64) -> io::Result<Self> {
        if let Some(etag) = etag {
            forget_other_versions(target, etag).await;
            let path = beside(target, &format!("{}.part", plain(etag)));
            if let Some(file) = hold(&path, true).await {
                return Self::go_on(path, file, total).await;
            }
        }
        let path = beside(target, &format!("{}.partial", Uuid::new_v4().simple()));
        let file = File::options().write(true).create_new(true).open(&path).await?;
        Ok(Self { path, file, len: 0, hash: Md5::new(), is_kept: false })
    }

    async fn go_on(path: PathBuf, mut file: File, total: u64) -> io::Result<Self> {
        let mut hash = Md5::new();
        let mut len = add_file(&mut file, &mut hash).await?;
        if total < len {
            (len, hash) = (0, Md5::new());
        }
        // Exactly what was hashed comes before what is written from now on.
        file.set_len(len).await?;
        file.seek(SeekFrom::Start(len)).await?;
        Ok(Self { path, file, len, hash, is_kept: true })
    }

    /// How many bytes are there.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// The hash of the bytes that are there.
    pub(crate) fn md5(&self) -> [u8; 16] {
        self.hash.clone().finalize().0
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `part` behind what is there.
    pub(crate) async fn add(&mut self, part: &[u8]) -> io::Result<()> {
        self.file.write_all(part).await?;
        self.hash.consume(part);
        self.len += part.len() as u64;
        Ok(())
    }

    /// Waits until everything is written.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        self.file.flush().await
    }

    /// Makes it the file `target`.
    pub(crate) async fn finish(mut self, target: &Path) -> io::Result<()> {
        // The lock ends after the name.
        fs::rename(&self.path, target).await?;
        self.is_kept = true;
        Ok(())
    }

    /// Does not keep it for another try.
    pub(crate) fn forget(mut self) {
        self.is_kept = false;
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.is_kept {
            // One file too many harms nobody.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Adds what the file holds to `hash`, and tells how many bytes that is.
pub(crate) async fn add_file(file: &mut File, hash: &mut Md5) -> io::Result<u64> {
    let (mut chunk, mut total) = (vec![0; CHUNK], 0);
    loop {
        let len = file.read(&mut chunk).await?;
        if len == 0 {
            return Ok(total);
        }
        hash.consume(&chunk[..len]);
        total += len as u64;
    }
}

/// Opens and locks the file at `path`. `None` when another download has it, and
/// where files cannot be locked.
async fn hold(path: &Path, create: bool) -> Option<File> {
    let mut options = File::options();
    let file =
        options.read(true).write(true).create(create).truncate(false).open(path).await.ok()?;
    let file = file.into_std().await;
    file.try_lock().ok()?;
    // Who had it before may have given it its final name, or removed it.
    is_at(&file, path).ok()?.then(|| File::from_std(file))
}

fn is_at(file: &StdFile, path: &Path) -> io::Result<bool> {
    Ok(Handle::from_file(file.try_clone()?)? == Handle::from_path(path)?)
}

fn beside(target: &Path, end: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{end}"))
}

/// The letters and digits of a version's mark.
fn plain(etag: &str) -> String {
    etag.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Removes what an earlier download of another version has left, if it is over.
async fn forget_other_versions(path: &Path, etag: &str) {
    let Some(parent) = path.parent() else { return };
    let start = format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy());
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let Ok(mut entries) = fs::read_dir(parent).await else { return };
    while let Ok(Some(entry)) = entries.next_entry().await {
        let name = entry.file_name().to_string_lossy().into_owned();
        let version = name.strip_prefix(&start).and_then(|it| it.strip_suffix(".part"));
        let is_other = |it: &str| {
            it != plain(etag) && !it.is_empty() && it.chars().all(|it| it.is_ascii_alphanumeric())
        };
        if version.is_some_and(is_other)
            && let Some(_held) = hold(&entry.path(), false).await
        {
            // One file too many harms nobody.
            let _ = fs::remove_file(entry.path()).await;
        }
    }
}
