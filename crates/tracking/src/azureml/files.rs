//! Moves the bytes of artifacts and models between blobs and this machine.

use std::path::{Path, PathBuf};

use azml_blob::{BlobUrl, DownloadOptions};
use azml_core::{Error, ErrorKind, Result};

use crate::{ArtifactPath, AzureMlTracking};

/// A file, and the address that the service handed out for its bytes.
#[derive(Debug)]
pub(super) struct Content {
    /// Origin, container and path: what the service calls the file.
    pub(super) id: String,
    /// Where it is within its container.
    pub(super) path: String,
    pub(super) url: BlobUrl,
}

/// Reads an address, without repeating it in the error: it holds a signature.
pub(super) fn blob_url(operation: &'static str, text: &str) -> Result<BlobUrl> {
    text.parse().map_err(|err| Error::local(operation, ErrorKind::Decode, err))
}

impl AzureMlTracking {
    /// Downloads each file below `folder`, at the path that `name` gives it.
    pub(super) async fn save(
        &self,
        contents: Vec<Content>,
        folder: &Path,
        name: impl Fn(&Content) -> String,
    ) -> Result<Vec<PathBuf>> {
        let mut files = Vec::with_capacity(contents.len());
        for content in contents {
            // The service names the files: none of them may lead out of the folder.
            let file = ArtifactPath::parse(&name(&content))?.below(folder);
            self.blobs.download_to(&content.url, &file, DownloadOptions::default()).await?;
            files.push(file);
        }
        Ok(files)
    }
}
